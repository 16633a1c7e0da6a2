"""Take the ids of a report, or of a column `wolkvox_id`, into the journal: a lost journal, a second laptop."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

import pandas as pd

from importer import guards, mapping, report
from importer.errors import SourceError, StartRefused
from importer.identity import Scope
from importer.job import Job, allowed_folders
from importer.journal import Adopted, Journal
from importer.messages import _
from importer.model import Status
from importer.opening import open_source
from importer.pipeline import scope_of
from importer.plan import DOUBTFUL, Plan, PlannedRow
from importer.planning import id_column, make_plan, own_columns
from importer.recognition import Memory
from importer.source import Table, open_table


@dataclass(frozen=True, slots=True)
class Adoption:
    """What came of it: rows taken over as created, as doubtful, and those that could not be, with their row numbers."""

    created: int
    doubtful: int
    refused: tuple[int, ...]


def adopt(job: Job) -> Adoption:
    """Take the rows of a report into the journal: created ones with their ids, doubtful ones as unknown.

    A row whose reference does not belong to its key was edited, or is of another import: it is refused. Raises
    StartRefused where that holds for every row with an id, or where there is none.
    """
    cases = mapping.load(job.mapping)
    table = _open(job, cases.table.sheet)
    with Journal(job.journal_path) as journal:
        scope = scope_of(job, cases)
        record = guards.find_import(journal, scope, job.same_as)
        if record is not None:
            scope = Scope(record.tenant, record.operation, record.name)
        memory, allowed = Memory(journal, record), allowed_folders(job)
        plan = make_plan(table, cases, scope, memory, trust_references=False, allowed=allowed)
        adopted, refused = [], []
        for planned, reported in _reported(plan):
            row = _adopted(planned, reported)
            if row is not None:
                adopted.append(row)
            elif reported.wolkvox_id or reported.doubtful:
                refused.append(planned.row.number)
        if not adopted:
            raise _nothing(table, refused, scope)
        record = record or journal.imports.add(*scope.parts, None)
        journal.settling.adopt(record.id, adopted, plan.content_columns)
    created = sum(row.state is Status.CREATED for row in adopted)
    return Adoption(created, len(adopted) - created, tuple(refused))


@dataclass(frozen=True, slots=True)
class _Reported:
    """What a sheet says of one of its rows."""

    wolkvox_id: str | None
    id_prefijo: str | None
    reference: str | None
    status: str

    @property
    def doubtful(self) -> bool:
        """Whether the row may or may not be a case."""
        return self.status in DOUBTFUL


def _open(job: Job, sheet: str | None) -> Table:
    """Open the report's sheet, whatever number Excel gave it, or the source's own where that has the ids."""
    cases = mapping.load(job.mapping)
    table = open_source(job.source, replace(cases.table, sheet=None, header_row=None))
    if id_column(table.columns):
        return table
    for title in filter(None, [sheet, *report.report_sheets(job.source)]):
        with suppress(SourceError):  # a sheet of the user's own that has our name, and no table
            other = open_table(job.source, replace(cases.table, sheet=title, header_row=None))
            if id_column(other.columns):
                return other
    return table


def _reported(plan: Plan) -> Iterator[tuple[PlannedRow, _Reported]]:
    """Yield every row beside what the sheet says of it."""
    columns = plan.table.columns
    ours: Mapping[str, str | None] = own_columns(columns) or {
        "wolkvox_id": id_column(columns),
        "idPrefijo": "idPrefijo",
    }
    for frame, batch in plan.cells():
        names = ("wolkvox_id", "idPrefijo", "reference", "status")
        texts = [_texts(frame, ours.get(name)) for name in names]
        for planned, (wolkvox_id, id_prefijo, reference, status) in zip(batch, zip(*texts, strict=True), strict=True):
            yield planned, _Reported(wolkvox_id or None, id_prefijo or None, reference or None, status)


def _texts(frame: pd.DataFrame, column: str | None) -> list[str]:
    if column is None or column not in frame.columns:
        return [""] * len(frame)
    return [str(cell).strip() for cell in frame[column]]


def _adopted(planned: PlannedRow, reported: _Reported) -> Adopted | None:
    """Return the row as the journal takes it, None where there is nothing to take or it is not to be believed."""
    who = planned.row.identity
    if who is None or (reported.reference and reported.reference != who.reference):
        return None
    in_doubt = _("Taken over from a report in which it was in doubt.")
    if reported.status == Status.CONFLICT:
        return Adopted(who, Status.CONFLICT, reported.wolkvox_id, reported.id_prefijo, in_doubt)
    if reported.wolkvox_id:
        return Adopted(who, Status.CREATED, reported.wolkvox_id, reported.id_prefijo)
    if reported.doubtful:
        return Adopted(who, Status.UNKNOWN, message=in_doubt)
    return None


def _nothing(table: Table, refused: list[int], scope: Scope) -> StartRefused:
    if not refused:
        return StartRefused(_("{path}: no row of this sheet has the id of a case.", path=table.path))
    return StartRefused(
        _(
            "{path}: its references are not those of import {name}, operation {operation}, server {server}. Give the"
            " --server and --operation that the report names, and the mapping that it was made with.",
            path=table.path,
            name=scope.import_name,
            operation=scope.operation,
            server=scope.tenant,
        )
    )
