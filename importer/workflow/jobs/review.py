"""What became of a sheet, for whoever looks back at it: every row with its case, and the files that were made of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from itertools import repeat
from pathlib import Path
from typing import Literal

from importer import report
from importer.journal_place import Server
from importer.messages import _
from importer.model import CHANGED, Counts, JournalRow, Status, Typed
from importer.model.account import NOTHING_LEFT_OUT, FileCount, LeftOut
from importer.model.edits import Change
from importer.settings import case_url
from importer.system.clock import local_datetime
from importer.workflow import guards
from importer.workflow.commands import Commands
from importer.workflow.job import Job
from importer.workflow.outcome.accounting import files_of
from importer.workflow.outcome.reasons import issues_of, message_of
from importer.workflow.outcome.skipped_rows import left_out_rows
from importer.workflow.planning.plan import Batch, Plan

_SUBJECTS = ("form.subject", "form.asunto", "form.assunto", "description")
"""The fields that say in a line what a case is about; the first that a mapping fills is taken."""

_LONGEST_SUBJECT = 200


@dataclass(frozen=True, slots=True)
class ReviewedRow:
    """A row as people look it up: what it is about, its state, and its case with the address that shows it.

    `key` is as the sheet shows it. `run` sent it, None where its case was found or adopted. A `disputed` row has an id
    that the CRM gave to another row, too; the case of a `deleted` one is gone, as a person said. `edited` are the
    columns that have changed since, and
    `change` is what becomes of that; `contact` and `subject` are those of the sheet as it is now. `reasons` say why it
    is not created, or what else there is to know about it.
    """

    number: int
    key: str
    contact: str
    subject: str
    state: str
    reference: str
    wolkvox_id: str | None
    id_prefijo: str | None
    address: str | None
    sent_at: datetime | None
    run: int | None
    disputed: bool
    deleted: bool
    edited: tuple[str, ...]
    reasons: tuple[str, ...]
    change: Change | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """What became of the rows of a sheet, by the sheet and the journal as they were when its plan was made.

    `repeated` rows are not sent because others have their key.
    """

    counts: Counts
    files: FileCount
    rows: tuple[ReviewedRow, ...]
    left_out: LeftOut = NOTHING_LEFT_OUT
    repeated: int = 0


def review(plan: Plan, job: Job) -> Review:
    """Return what became of the rows of a plan; raises SettingsError if the address of a case is not valid."""
    rows = tuple(_rows(plan, Commands.of(job), case_url()))
    return Review(plan.counts(), files_of(plan), rows, left_out_rows(plan), _repeated(plan))


def _repeated(plan: Plan) -> int:
    """Return how many rows have nothing wrong but a key that other rows have."""
    invalid = (batch.facts.loc[batch.in_state(Status.INVALID), "issues"] for batch in plan.batches)
    return sum(bool(issues) and all(one.code in _REPEATED for one in issues) for each in invalid for issues in each)


_REPEATED = frozenset({"key-repeated", "key-known-twice", "key-similar"})


def case_link(wolkvox_id: str) -> str | None:
    """Return the address that shows a case, None where the settings do not say how; SettingsError as `review`."""
    return report.case_address(case_url(), wolkvox_id)


def cells_of_row(plan: Plan, number: int) -> dict[str, str]:
    """Return the cells of one row by column, as people read them; nothing where the sheet has no such row."""
    for frame in plan.frames:
        if number in frame.index:
            return {column: readable(frame.at[number, column]) for column in plan.columns}
    return {}


def readable(cell: object) -> str:
    """Return a cell as the sheet shows it; a day at midnight, as programs export days, is only a day."""
    if isinstance(cell, Typed) and isinstance(cell.value, datetime) and cell.value.time() == time.min:
        return _("{when:%Y-%m-%d}", when=cell.value)
    return str(cell)


def _rows(plan: Plan, commands: Commands, address: str | None) -> Iterator[ReviewedRow]:
    """Yield the rows from the columns of the batches; most rows have nothing to be said about, which saves seconds."""
    nothing = JournalRow("", Status.PLANNED, "")
    for frame, batch in plan.cells():
        facts, reasons = batch.facts, _reasons(batch, commands)
        names = ("status", "known", "differs", "edited", "change", "reference", "key_digest")
        keys = zip(*(frame[column] for column in plan.key_columns), strict=True) if plan.key_columns else repeat(())
        columns = (
            facts.index,
            keys,
            _field(batch, "contact"),
            _subjects(batch),
            *(facts[name] for name in names),
        )
        for number, key, contact, subject, status, known, differs, edited, change, reference, digest in zip(
            *columns, strict=False
        ):
            case, is_changed = known or nothing, status is Status.CREATED and differs
            yield ReviewedRow(
                number=number,
                key=" · ".join(map(str, key)),
                contact=contact,
                subject=subject,
                state=CHANGED if is_changed else status.value,
                reference=reference if digest else "",
                wolkvox_id=case.wolkvox_id,
                id_prefijo=case.id_prefijo,
                address=report.case_address(address, case.wolkvox_id),
                sent_at=None if case.sent_at is None else local_datetime(case.sent_at),
                run=case.run,
                disputed=case.disputed,
                deleted=case.deleted,
                edited=(edited or ()) if is_changed else (),
                change=change,
                reasons=reasons.get(number, ()),
            )


def _field(batch: Batch, wanted: str) -> list[str]:
    """Return what a field of the case has in each row, whatever the case of its name; empty where it is left out."""
    path = next((path for path in batch.fields.columns if path.casefold() == wanted), None)
    return [""] * len(batch) if path is None else ["" if value is None else str(value) for value in batch.fields[path]]


def _subjects(batch: Batch) -> list[str]:
    """Return in a line what each case is about."""
    filled = {path.casefold() for path in batch.fields.columns}
    wanted = next((path for path in _SUBJECTS if path in filled), _SUBJECTS[0])
    return [text.strip().partition("\n")[0][:_LONGEST_SUBJECT] for text in _field(batch, wanted)]


def _reasons(batch: Batch, commands: Commands) -> dict[int, tuple[str, ...]]:
    """Return by number what is said about those rows of a batch that are not simply created or planned."""
    facts = batch.facts
    flagged = facts["known"].map(lambda known: known is not None and (known.disputed or known.deleted))
    is_plain = (
        batch.in_state(Status.CREATED) & ~facts["differs"].astype(bool) & ~flagged & ~facts["missing"].map(bool)
    ) | (batch.in_state(Status.PLANNED) & facts["waits"].isna())
    said = {}
    for row in batch.rows(~is_plain | facts["issues"].map(bool)):
        issues = tuple(issue.message for issue in issues_of(row, commands))
        message = message_of(row)
        said[row.number] = issues or ((message,) if message else ())
    return said


# ------------------------------------------------------------------------------------------------ files

FileKind = Literal["source", "corrections", "report", "rehearsal", "backup"]


@dataclass(frozen=True, slots=True)
class SheetFile:
    """A file with contents of a sheet: the sheet itself, or what was made of it beside it."""

    path: Path
    kind: FileKind


def files_of_sheet(job: Job) -> list[SheetFile]:
    """Return the files that hold contents of a source, as far as they are beside it or at the report's place."""
    source = job.source.absolute()
    stem = re.escape(source.stem.removesuffix(".report"))
    number = r"(?: \(\d+\))?"
    patterns: dict[FileKind, str] = {
        "corrections": rf"{re.escape(source.stem)}\.corrections\.csv",
        "rehearsal": rf"{stem}{number}\.rehearsal{number}\.(?:xlsx|csv)",
        "report": rf"{stem}{number}\.(?:report\b.*\.html|hand-over{number}\.xlsx)",
        "backup": rf"{stem}\.backup-.*{re.escape(source.suffix)}",
    }
    found = {path: SheetFile(path, "report") for path in guards.reports_beside(source, job.report_path.absolute())}
    try:
        beside = [path for path in sorted(source.parent.iterdir()) if path.is_file() and path != source]
    except OSError:
        beside = []
    for kind, pattern in patterns.items():
        fits = re.compile(pattern, re.IGNORECASE)
        found |= {path: SheetFile(path, kind) for path in beside if fits.fullmatch(path.name) and _is(kind, path)}
    own = [SheetFile(source, "source")] if source.is_file() else []
    return [*own, *(found[path] for path in sorted(found))]


def _is(kind: FileKind, path: Path) -> bool:
    """Tell whether a file of such a name is what it is called; that of a rehearsal must be a report of ours."""
    return kind != "rehearsal" or report.is_given_back(path)


def fresh_report(job: Job) -> Path | None:
    """Return the report of a source if it shows what the journal knows, and is as it was written; else None.

    A run writes its report and then its own end, so that a report may be a little older than its journal.
    """
    path, journal = job.report_path, job.journal_path
    if isinstance(journal, Server):
        return None  # other machines change it, and no file tells when
    shown = (job.source, job.mapping, journal, journal.with_name(f"{journal.name}-wal"))
    newest = max((_time_of(one) for one in shown), default=0.0)
    if _time_of(path) + _AFTER_REPORT < newest or not report.is_never_saved(path):
        return None
    return path


_AFTER_REPORT = 3.0
"""Seconds in which a run ends after its report was written."""


def _time_of(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
