"""Consent: the user agrees to servers and folders that only a mapping names before anything is sent."""

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
from importer.workflow.forecast.forecast import UserInterface
from importer.workflow.guards.other_imports import OTHER_IMPORT, SAME_AS, pair
from importer.workflow.job import ALLOW_FOLDER, Job, allowed_folders, connection_in, folder_questions

IN_THE_SETTINGS = frozenset({TRUST_SERVER, ALLOW_FOLDER})
"""Questions whose answers are kept in the settings file; all other answers are kept in the journal."""


def server_questions(job: Job, case_mapping: CaseMapping) -> list[Question]:
    """Return the question whether server and operation are meant, none if they are."""
    question = settings.server_question(job.connection, connection_in(case_mapping))
    return [question] if question else []


def ask_for_folders(
    job: Job, case_mapping: CaseMapping, ui: UserInterface, later: Iterable[Question] = (), *, remembers: bool = True
) -> Job:
    """Return the job with the outside folders that the mapping names, once the user allows them, which is remembered.

    `later` are questions to list together with these if there is no terminal. Raises QuestionsOpen in that case,
    UsageError if the person declines.
    """
    allowed = settings.load_settings().folders
    needed = folder_questions(case_mapping, job.source, allowed)
    if not needed:
        return job
    not_allowed = {question.about for question in folder_questions(case_mapping, job.source, allowed_folders(job))}
    questions = [
        question if question.about in not_allowed else replace(question, given=question.answers[0])
        for question in needed
    ]
    return agreed(job, answer_all(questions, ui, later if not_allowed else ()), ui, remembers=remembers)


def ask_for_server(given: Connection, mapped_: Connection, ui: UserInterface) -> Connection:
    """Return the given connection with the user's consent to use it; raises what `ask_for_folders` raises."""
    question = settings.server_question(given, mapped_)
    if question is None:
        return given
    for _answered in answer_all([question], ui):
        _remember_server(given, mapped_, ui)
    return replace(given, trust_server=True)


def agreed(
    job: Job,
    answered: Iterable[Answered],
    ui: UserInterface,
    case_mapping: CaseMapping | None = None,
    *,
    remembers: bool = True,
) -> Job:
    """Return the job with the answers in it; remember those about servers and folders in the settings file."""
    for one in answered:
        question, answer = one.question, one.answer
        if question.code == ALLOW_FOLDER:
            job = job.with_answer(question, answer)
            if remembers:
                _remember_folder(Path(question.about), ui)
        elif question.code == TRUST_SERVER and case_mapping is not None:
            if remembers:
                _remember_server(job.connection, connection_in(case_mapping), ui)
            job = job.with_answer(question, answer)
        elif question.code == OTHER_IMPORT and answer.value.startswith(SAME_AS):
            job = job.with_answer(question, answer)
    return job


def remember(journal: Journal, answered: Iterable[Answered]) -> None:
    """Record the answers that are kept in the journal."""
    for one in answered:
        question, answer = one.question, one.answer.value
        if question.code in IN_THE_SETTINGS:
            continue
        if answer != journal.decisions.answered(question.code, question.about):
            journal.decisions.record(question.code, question.about, answer)


def remember_same(journal: Journal, scope: Scope, record: ImportRecord) -> None:
    """Record in the journal that a scope is the same import as this record."""
    known = Scope(record.tenant, record.operation, record.name)
    if known != scope:
        question = Question(OTHER_IMPORT, "", (), pair(scope, known))
        remember(journal, [Answered(question, Answer(f"{SAME_AS} {record.name}", ""))])


def _remember_server(given: Connection, mapped_: Connection, ui: UserInterface) -> None:
    try:
        settings.trust(*settings.require_server_and_operation(given, mapped_))
    except SettingsError as error:
        ui.show(_not_remembered(error))


def _remember_folder(folder: Path, ui: UserInterface) -> None:
    try:
        settings.allow_folder(folder)
    except SettingsError as error:
        ui.show(_not_remembered(error))


def _not_remembered(error: SettingsError) -> str:
    return _("Valid for this run only; the question will come again next time: {reason}", reason=error)


def forecast_questions(ui: UserInterface) -> list[Question]:
    """Return the question at the end of the forecast, to be listed with the other open questions."""
    answer = Answer("yes", "--yes")
    sentence = _("May the planned rows be sent without showing you the forecast first?")
    return [Question("forecast", sentence, (answer,), given=answer if ui.agrees_to_forecast else None)]
