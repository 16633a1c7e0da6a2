"""The questions that a run asks, in the words of the page: what is asked, why, and the answers as they are clicked.

A question that has no words here is shown with its own sentence.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from importer import Question
from importer.messages import _, ngettext, shorten
from importer.web.send.sending import LATER

HAS_REPORT = "_report"
"""The answer that other cases were sent already, and the person has the report about them."""

OTHER_CASES = "_other-cases"
"""The answer that the known rows are other cases, which need an import of their own."""

OTHER_TARGET = "_other-target"
"""The answer that server and operation are not the person's."""

SHOWN_ROWS = 200


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer as it is shown: what the form sends, and its words."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question as the page shows it. `id` is the name of its field; `rows` are the sheet's rows that it is about."""

    question: Question
    title: str
    why: str
    choices: tuple[Choice, ...]
    rows: tuple[int, ...] = ()

    @property
    def id(self) -> str:
        """The name of its field in the form."""
        return id_of_question(self.question)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the questions of a sheet name: its import, its rows, and when other imports were sent last.

    `keys` are those of the rows that are given as examples, by their numbers.
    """

    import_name: str = ""
    rows: int = 0
    planned: int = 0
    key: str = ""
    sent_at: Mapping[str, datetime] = field(default_factory=dict)
    keys: Mapping[int, str] = field(default_factory=dict)


def id_of_question(question: Question) -> str:
    """Return a short name for a question that stays the same as long as it is the same question."""
    about = f"{question.code}\0{question.about}".encode("utf-8", "surrogatepass")
    return f"q-{hashlib.sha256(about).hexdigest()[:12]}"


def in_page_words(questions: Sequence[Question], around: Surroundings) -> list[AskedQuestion]:
    """Return questions as the page asks them."""
    return [_WORDS.get((question.code, question.scope), _as_it_is)(question, around) for question in questions]


def _as_it_is(question: Question, _around: Surroundings) -> AskedQuestion:
    yes = _("Yes")
    choices = [Choice(answer.value, answer.meaning or yes) for answer in (*question.answers, *question.further)]
    if question.can_wait:
        choices.append(Choice(LATER, _("Decide later")))
    return AskedQuestion(question, _("One question first"), question.sentence, tuple(choices), _rows_of(question))


def _first_run(question: Question, around: Surroundings) -> AskedQuestion:
    why = _(
        "Nothing of “{name}” was sent from this user account. If these cases were sent from another computer,"
        " they would be created a second time, and they cannot be deleted from here. Before the first case, the"
        " CRM is asked about some of the rows; if those are not there, it does not prove that the others are"
        " missing too.",
        name=around.import_name,
    )
    choices = (
        Choice("yes", _("No, this is the first time")),
        Choice(HAS_REPORT, _("Yes, and I have the report")),
        Choice("look-first", _looking_first(around)),
    )
    return AskedQuestion(question, _("Have these cases already been sent?"), why, choices)


def _looking_first(around: Surroundings) -> str:
    return ngettext(
        "I do not know: search for it first ({count} call of the quota)",
        "I do not know: search for them first (up to {count} calls of the quota)",
        around.planned,
    )


def _nothing_was_sent(question: Question, around: Surroundings) -> AskedQuestion:
    why = _(
        "Rows of “{name}” were sent from this computer with another journal, which is not here now. If one of"
        " these rows already has a case, it would be created a second time.",
        name=around.import_name,
    )
    choices = (
        Choice("yes", _("No, I am sure that none of these rows has a case")),
        Choice(HAS_REPORT, _("Yes, and I have the report")),
        Choice("look-first", _looking_first(around)),
    )
    return AskedQuestion(question, _("Was any of this sent before?"), why, choices)


def _overlap(question: Question, around: Surroundings) -> AskedQuestion:
    other, count = _other_import(question, around), len(question.rows)
    values = {"rows": around.rows, "key": around.key or _("key"), "other": other}
    sent_at = around.sent_at.get(other)
    if sent_at is None:
        title = ngettext(
            "{count} of the {rows} rows has a “{key}” that was already sent with “{other}”. Is it the same case?",
            "{count} of the {rows} rows have a “{key}” that was already sent with “{other}”. Are they the same cases?",
            count,
            **values,
        )
    else:
        title = ngettext(
            "{count} of the {rows} rows has a “{key}” that was already sent on {day:%Y-%m-%d} with “{other}”. Is it the"
            " same case?",
            "{count} of the {rows} rows have a “{key}” that was already sent on {day:%Y-%m-%d} with “{other}”. Are they"
            " the same cases?",
            count,
            day=sent_at.astimezone(),
            **values,
        )
    same = [Choice(answer.value, _("Yes: do not create them again")) for answer in question.answers if answer.gives]
    new = ngettext(
        "No, the numbers are the same by chance: create {count} new case",
        "No, the numbers are the same by chance: create {count} new cases",
        count,
    )
    others = max(0, around.planned - count)
    later = _("Decide later")
    if others:
        later = ngettext(
            "Decide later, and send the other row", "Decide later, and send the other {count} rows", others
        )
    choices = (*same, Choice("new-import", new), Choice(LATER, later))
    why = _("Your answer is remembered for these two imports.")
    return AskedQuestion(question, title, why, choices, _rows_of(question))


def _other_whole(question: Question, around: Surroundings) -> AskedQuestion:
    other = _other_import(question, around)
    title = _("Is this “{other}”, which was already sent?", other=other)
    why = _(
        "Most rows of this sheet have a “{key}” that already belongs to “{other}”. If it is the same import under"
        " another name, what was sent is not sent again.",
        key=around.key or _("key"),
        other=other,
    )
    choices = (
        *(Choice(answer.value, _("Yes: do not create them again")) for answer in question.answers if answer.gives),
        Choice("new-import", _("No, these are other cases: create them")),
    )
    return AskedQuestion(question, title, why, choices)


def _same_tickets(question: Question, around: Surroundings) -> AskedQuestion:
    examples = [around.keys[row] for row in sorted(question.rows) if row in around.keys]
    why = ngettext(
        "{count} row has the “{key}” of a case that “{name}” already created, but another contact, or other contents"
        " throughout (for example {examples}). If it is the same case, it is not created again, and the case in the CRM"
        " stays as it is. If it is another one, it needs a new mapping, as it would never be created with this one.",
        "{count} rows have the “{key}” of cases that “{name}” already created, but another contact, or other contents"
        " throughout (for example {examples}). If they are the same cases, they are not created again, and the cases in"
        " the CRM stay as they are. If they are others, they need a new mapping, as they would never be created with"
        " this one.",
        len(question.rows),
        key=around.key or _("key"),
        name=around.import_name,
        examples=", ".join(shorten(key, 40) for key in examples) or "…",
    )
    choices = (
        Choice("yes", _("Yes, they are the same cases, which were edited afterwards")),
        Choice(OTHER_CASES, _("No, these are other cases: make a new mapping for them")),
    )
    return AskedQuestion(question, _("Are these the same cases?"), why, choices)


def _trust_server(question: Question, _around: Surroundings) -> AskedQuestion:
    operation, _at, server = question.about.rpartition("@")
    why = _(
        "The mapping of this sheet sends the cases and the token to {server}, operation {operation}. The person who"
        " made it may have meant another company's CRM.",
        server=_host(server),
        operation=operation,
    )
    choices = (Choice("yes", _("Yes, they are ours")), Choice(OTHER_TARGET, _("No, change them")))
    return AskedQuestion(question, _("Are this server and this operation yours?"), why, choices)


def _allow_folder(question: Question, _around: Surroundings) -> AskedQuestion:
    why = _(
        "The mapping of this sheet names files in {folder}, which is neither the folder of the sheet nor its own. These"
        " files would be read and sent with the cases.",
        folder=question.about,
    )
    return AskedQuestion(
        question, _("May the files in this folder be sent?"), why, (Choice("yes", _("Yes, they may be sent")),)
    )


def _moved_here(question: Question, _around: Surroundings) -> AskedQuestion:
    why = _(
        "The journal, which records what was sent, was used on another computer. If it is still used there, both"
        " computers could send the same rows."
    )
    choices = (Choice("yes", _("Yes, it was moved here, and it is no longer used there")),)
    return AskedQuestion(question, _("Was the journal moved to this computer?"), why, choices)


def _spot_check(question: Question, _around: Surroundings) -> AskedQuestion:
    choices = (
        Choice("yes", _("Yes, I am sure that none of these rows was sent from another computer")),
        Choice(HAS_REPORT, _("No, and I have the report of what was sent")),
    )
    return AskedQuestion(question, _("Send without asking the CRM first?"), question.sentence, choices)


def _verdicts(question: Question, _around: Surroundings) -> AskedQuestion:
    title = _("The report {name} has decisions that are not recorded. Record them now?", name=Path(question.about).name)
    why = _("They were written into its sheet “To decide”. Rows that are still to be confirmed are not sent.")
    choices = (Choice("yes", _("Yes, record them")), Choice(LATER, _("Not now")))
    return AskedQuestion(question, title, why, choices)


def _other_import(question: Question, around: Surroundings) -> str:
    """Return the other import of a question, whose subject names both as `tenant/operation/name`."""
    names = [side.split("/", 2)[-1] for side in question.about.split(" = ")]
    return next((name for name in names if name != around.import_name), names[0])


def _rows_of(question: Question) -> tuple[int, ...]:
    return tuple(sorted(question.rows))[:SHOWN_ROWS]


def _host(server: str) -> str:
    return server.partition("://")[2] or server


_WORDS: Mapping[tuple[str, str], Callable[[Question, Surroundings], AskedQuestion]] = {
    ("first-run", "run"): _first_run,
    ("nothing-was-sent", "run"): _nothing_was_sent,
    ("other-import", "rows"): _overlap,
    ("other-import", "run"): _other_whole,
    ("same-tickets", "run"): _same_tickets,
    ("trust-server", "run"): _trust_server,
    ("allow-folder", "run"): _allow_folder,
    ("moved-here", "run"): _moved_here,
    ("spot-check", "run"): _spot_check,
    ("verdicts", "rows"): _verdicts,
}
"""The words for each question, by its code and by what it is about."""
