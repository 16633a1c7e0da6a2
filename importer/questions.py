"""What a command may have to ask before it sends anything, as data, and the one place where it is asked.

All questions that are known are asked together. Without a terminal, a question about the whole run ends the command
with every open question listed, each with the option that answers it; a question about some rows leaves those rows as
they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, Protocol

from importer.commands import same_command
from importer.errors import UsageError
from importer.messages import _

QuestionScope = Literal["run", "rows"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer that lets a command continue: what is remembered, the option that gives it, and what it means.

    `alone` is one option, where `option` names several that do. `gives` are the fields of the job that it sets, for a
    program that answers without a command line.
    """

    value: str
    option: str
    meaning: str = ""
    alone: str = ""
    gives: tuple[tuple[str, object], ...] = ()

    @property
    def words(self) -> str:
        """The option as a whole command has it: one of them, where `option` names several."""
        return self.alone or self.option


@dataclass(frozen=True, slots=True)
class Question:
    """Something that only a person can decide.

    The answer is remembered under `code` and `about`. `answers` are the ways to continue; without one of them the
    command stops, or the rows that the question is about wait. `given` is the answer that an option of the command has
    already given. `rows` are the numbers of the rows that it is about; they wait only where its scope is `rows`.
    `further` are answers that a page offers too; on a command line they are options that need no question.
    """

    code: str
    sentence: str
    answers: tuple[Answer, ...]
    about: str = ""
    scope: QuestionScope = "run"
    given: Answer | None = None
    rows: frozenset[int] = frozenset()
    further: tuple[Answer, ...] = ()

    @property
    def can_wait(self) -> bool:
        """Whether it may stay open: its rows are then left for later, and the others are sent."""
        return self.scope == "rows"

    @property
    def option(self) -> str:
        """The options that answer it."""
        return _(" or ").join(answer.option for answer in self.answers)

    @property
    def listed(self) -> str:
        """The question with each way to answer it on a command line."""
        if len(self.answers) == 1 and not self.answers[0].meaning:
            return _("{question} If so, give {option}.", question=self.sentence, option=self.option)
        ways = (_("{meaning}: {option}.", meaning=one.meaning, option=one.option) for one in self.answers)
        return " ".join((self.sentence, *ways))


@dataclass(frozen=True, slots=True)
class Answered:
    """A question and the answer that was given to it."""

    question: Question
    answer: Answer


class Prompter(Protocol):
    """What asks the person who gave the command."""

    @property
    def is_interactive(self) -> bool:
        """Whether a person can be asked."""

    def answer(self, question: Question) -> Answer | None:
        """Return one of the question's answers, None if the person declines."""


class QuestionsOpen(UsageError):
    """Questions about the whole run are open, and there is no terminal to ask them at."""

    def __init__(self, questions: Sequence[Question]) -> None:
        """Keep the questions; the sentence lists them, each with the option that answers it."""
        self.questions = tuple(questions)
        first = _("Cannot ask: no terminal. Nothing was sent, and the CRM was not called. Open questions:")
        listed = (f"  - {question.listed}" for question in questions)
        super().__init__("\n".join([first, *listed, *_whole_commands(questions)]))


def _whole_commands(questions: Sequence[Question]) -> Iterator[str]:
    """Yield the command that answers all questions about the whole run, one for each choice among several answers.

    The answers to a question about some rows have commands of their own.
    """
    asked = [question for question in questions if question.scope == "run"]
    for answers in product(*(question.answers for question in asked)):
        command = f"{same_command()} {' '.join(answer.words for answer in answers)}"
        meanings = "; ".join(answer.meaning for answer in answers if answer.meaning)
        if meanings:
            yield _(
                "The whole command, if all of this is so ({meanings}): `{command}`", meanings=meanings, command=command
            )
        else:
            yield _("The whole command, if all of this is so: `{command}`", command=command)


def answer_all(questions: Iterable[Question], prompter: Prompter, later: Iterable[Question] = ()) -> list[Answered]:
    """Return the questions that have an answer, asking for each answer that no option has given.

    `later` are questions that a terminal asks later; without one they are listed together with the others. Raises
    QuestionsOpen there, and UsageError if the person declines a question about the whole run. Questions about some rows
    that have no answer are left out.
    """
    questions = list(questions)
    answered = [Answered(question, question.given) for question in questions if question.given]
    unanswered = [question for question in questions if question.given is None]
    if not prompter.is_interactive:
        listed = [*unanswered, *(question for question in later if question.given is None)]
        if any(question.scope == "run" for question in listed):
            raise QuestionsOpen(listed)
        return answered
    for question in unanswered:
        answer = prompter.answer(question)
        if answer is not None:
            answered.append(Answered(question, answer))
        elif question.scope == "run":
            raise UsageError(_("Stopped; nothing was sent."))
    return answered


def unanswered(questions: Iterable[Question], answered: Iterable[Answered]) -> list[Question]:
    """Return the questions that have no answer."""
    done = {one.question for one in answered}
    return [question for question in questions if question not in done]
