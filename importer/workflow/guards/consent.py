"""Nothing leaves before consent: the user agrees to the server and the folders that a mapping alone names."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from importer import settings
from importer.errors import SettingsError
from importer.identity import Scope
from importer.journal import ImportRecord, Journal
from importer.mapping import CaseMapping
from importer.messages import _
from importer.questions import Answer, Answered, Question, answer_all
from importer.settings import TRUST_SERVER, Connection
from importer.workflow.forecast import UserInterface
from importer.workflow.guards.second_start import OTHER_IMPORT, SAME_AS, pair
from importer.workflow.job import ALLOW_FOLDER, Job, allowed_folders, folder_questions, mapped

IN_THE_SETTINGS = frozenset({TRUST_SERVER, ALLOW_FOLDER})
"""Questions whose answers are kept in the settings file; the others' are in the journal."""


def server_questions(job: Job, cases: CaseMapping) -> list[Question]:
    """Return the question whether server and operation are meant, nothing where they are."""
    question = settings.server_question(job.connection, mapped(cases))
    return [question] if question else []


def ask_for_folders(job: Job, cases: CaseMapping, ui: UserInterface, later: Iterable[Question] = ()) -> Job:
    """Return the job with the folders that the mapping names outside, once the user allows them.

    `later` are questions that are listed together with these where nobody can be asked. Raises QuestionsOpen there,
    UsageError where the person declines.
    """
    allowed = settings.load_settings().folders
    needed = folder_questions(cases, job.source, allowed)
    still = {question.about for question in folder_questions(cases, job.source, allowed_folders(job))}
    if not needed:
        return job
    said = [replace(one, given=None if one.about in still else one.answers[0]) for one in needed]
    return agreed(job, answer_all(said, ui, later if still else ()), ui)


def ask_for_server(said: Connection, named: Connection, ui: UserInterface) -> Connection:
    """Return the connection with the user's leave to use it; raises as `ask_for_folders` does."""
    question = settings.server_question(said, named)
    if question is None:
        return said
    for _one in answer_all([question], ui):
        _remember_server(said, named, ui)
    return replace(said, trust_server=True)


def agreed(job: Job, answered: Iterable[Answered], ui: UserInterface, cases: CaseMapping | None = None) -> Job:
    """Return the job with the answers, those about servers and folders remembered in the settings file."""
    for one in answered:
        question, answer = one.question, one.answer
        if question.code == ALLOW_FOLDER:
            folder = Path(question.about)
            job = replace(job, allow_folders=(*job.allow_folders, folder))
            _remember(ui, folder)
        elif question.code == TRUST_SERVER and cases is not None:
            _remember_server(job.connection, mapped(cases), ui)
            job = replace(job, connection=replace(job.connection, trust_server=True))
        elif question.code == OTHER_IMPORT and answer.value.startswith(SAME_AS):
            job = replace(job, same_as=answer.value.removeprefix(SAME_AS).strip())
    return job


def remember(journal: Journal, answered: Iterable[Answered]) -> None:
    """Record in the journal the answers that are kept there."""
    for one in answered:
        question, answer = one.question, one.answer.value
        known = question.code in IN_THE_SETTINGS or answer == journal.decisions.answered(question.code, question.about)
        if not known:
            journal.decisions.record(question.code, question.about, answer)


def remember_same(journal: Journal, scope: Scope, record: ImportRecord) -> None:
    """Record in the journal that a scope is another import, for the two of them."""
    known = Scope(record.tenant, record.operation, record.name)
    if known != scope:
        question = Question(OTHER_IMPORT, "", (), pair(scope, known))
        remember(journal, [Answered(question, Answer(f"{SAME_AS} {record.name}", ""))])


def _remember_server(said: Connection, named: Connection, ui: UserInterface) -> None:
    try:
        settings.trust(*settings.require_server_and_operation(said, named))
    except SettingsError as error:
        ui.show(_not_remembered(error))


def _remember(ui: UserInterface, folder: Path) -> None:
    try:
        settings.allow_folder(folder)
    except SettingsError as error:
        ui.show(_not_remembered(error))


def _not_remembered(error: SettingsError) -> str:
    return _("Agreed for this time only, and asked again next time: {reason}", reason=error)


def forecast_questions(ui: UserInterface) -> list[Question]:
    """Return the question that the forecast ends in, for the list of open questions where nobody can be asked."""
    answer = Answer("yes", "--yes")
    sentence = _("May what is planned be sent, without the forecast being shown and agreed to first?")
    return [Question("forecast", sentence, (answer,), given=answer if ui.agrees_to_forecast else None)]
