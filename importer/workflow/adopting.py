"""Take the ids of a report, or of a column `wolkvox_id`, into the journal: a lost journal, a second laptop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

from importer import report
from importer.errors import SourceError, StartRefused
from importer.identity import Scope
from importer.journal import Adopted, ImportRecord, Journal
from importer.mapping import CaseMapping
from importer.messages import _
from importer.model import Identity, Issue, Status
from importer.source import Table, open_table
from importer.text import is_case_id
from importer.workflow import guards
from importer.workflow.job import Job, open_source
from importer.workflow.key_rule import KeyRule, refuse_changed_key
from importer.workflow.plan import DOUBTFUL, Plan, PlannedRow
from importer.workflow.planning import id_column, own_columns

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Adoption:
    """What came of it: how many rows were taken over as created and as doubtful, and everything that is wrong.

    `refused` are the numbers of the rows of which nothing was taken over.
    """

    created: int
    doubtful: int
    refused: tuple[int, ...]
    issues: tuple[Issue, ...] = ()

    @property
    def exit_status(self) -> int:
        """How the command ends: 0 all is well, 1 something is wrong, 2 nothing could be taken."""
        if not (self.created or self.doubtful):
            return 2
        return 1 if self.issues else 0


def adopt_rows(plan: Plan, journal: Journal, record: ImportRecord | None, job: Job) -> Adoption:
    """Take the rows of a planned report into the journal, those whose ids cannot be right as unknown.

    Raises StartRefused where no row has an id, or where every row with one belongs to another import.
    """
    refuse_changed_key(plan, journal, record)
    judge = _Judge(plan, journal)
    adopted = [row for row in map(judge.taken, _reported(plan)) if row is not None]
    issues = (*judge.issues, *judge.lost_rows(job))
    if not adopted and {issue.code for issue in issues} <= {"reference-edited"}:
        raise _nothing(plan.table, plan.scope, some=bool(issues))
    if adopted:
        record = record or journal.imports.add(*plan.scope.parts, None, KeyRule.of(plan).written())
        journal.adoptions.adopt(record.id, adopted, plan.content_columns)
        journal.rows.add_spellings(record.id, [row.identity for row in adopted])
        guards.note_adopted(journal, plan.scope, report.read_mark(job.source, open_table))
    created = sum(row.state is Status.CREATED for row in adopted)
    return Adoption(created, len(adopted) - created, tuple(judge.refused), tuple(issues))


@dataclass(frozen=True, slots=True)
class _Reported:
    """A row of the plan, and what its sheet says of it."""

    planned: PlannedRow
    wolkvox_id: str
    id_prefijo: str
    reference: str
    status: str

    @property
    def number(self) -> int:
        """The row's number in the sheet."""
        return self.planned.number

    @property
    def says_anything(self) -> bool:
        """Whether the row is, or may be, a case by what the sheet says of it."""
        return bool(self.wolkvox_id) or self.status == Status.CREATED or self.status in DOUBTFUL

    @property
    def is_part(self) -> bool:
        """Whether another row of the sheet stands for this one."""
        return self.planned.skipped is not None and self.planned.identity is None


class _Fault(NamedTuple):
    """What is wrong with a row: what an issue says but for the row."""

    column: str | None
    value: str
    code: str
    message: str
    remedy: str


class _Judge:
    """Tells what of a report's rows is to be believed, and why not; `refused` are rows of which nothing is taken."""

    def __init__(self, plan: Plan, journal: Journal) -> None:
        self._plan = plan
        columns = plan.table.columns
        self._ours = own_columns(columns)
        self._id_column = id_column(columns)
        self._reference = self._ours.get("reference")
        rows = [row for row in _reported(plan) if not row.is_part]
        self._times = Counter(row.wolkvox_id for row in rows if row.wolkvox_id)
        self._holders = journal.rows.holders(plan.scope.tenant, plan.scope.operation, list(self._times))
        self._cases = self._doubts = 0
        self._left: set[str] = set()
        self.issues: list[Issue] = []
        self.refused: list[int] = []

    def taken(self, row: _Reported) -> Adopted | None:
        """Return a row as the journal takes it, None where there is nothing to take, or nobody can tell whose it is."""
        self._cases += bool(row.wolkvox_id) and row.status not in DOUBTFUL
        self._doubts += row.status in DOUBTFUL
        self._left.add(row.reference)
        who = row.planned.identity
        if fault := self._fault_of_key(row):
            self._refuse(row, fault)
            return None
        if who is None or not row.says_anything:
            return None
        usable = row.wolkvox_id if is_case_id(row.wolkvox_id) else None
        if fault := self._fault_of_id(row, who):
            if not (usable or row.status):  # a person's own column, in which a dash may mean that there is no case
                self._refuse(row, fault)
                return None
            self.issues.append(Issue(row.number, *fault))
            usable = None
        if row.status in DOUBTFUL or usable is None:
            state = Status.CONFLICT if row.status == Status.CONFLICT else Status.UNKNOWN
            in_doubt = _("Taken over from a report in which it was in doubt.")
            return Adopted(who, state, usable, row.id_prefijo or None, in_doubt)
        self._note_difference(row)
        return Adopted(who, Status.CREATED, usable, row.id_prefijo or None)

    def _refuse(self, row: _Reported, fault: _Fault) -> None:
        self.refused.append(row.number)
        self.issues.append(Issue(row.number, *fault))

    def _fault_of_key(self, row: _Reported) -> _Fault | None:
        """Return why nobody can tell whose case a row says it is."""
        who = row.planned.identity
        if who is not None:
            if not row.says_anything or row.reference in {"", who.reference}:
                return None
            message = _("{value} does not belong to this row's key", value=row.reference)
            return _Fault(self._reference, row.reference, "reference-edited", message, _UNDO)
        tells = row.says_anything or (row.reference and row.status != Status.SKIPPED)
        if row.is_part or not tells:
            return None
        columns = ", ".join(self._plan.key_columns) or None
        held = row.wolkvox_id or row.reference or row.status
        if any(issue.code == "key-repeated" for issue in row.planned.issues):
            message = _("Several rows have this row's key, so nobody can tell whose {value} is", value=held)
            return _Fault(columns, held, "key-repeated", message, _UNDO)
        message = _("The key is empty, so nobody can tell whose {value} is", value=held)
        return _Fault(columns, held, "key-missing", message, _UNDO)

    def _fault_of_id(self, row: _Reported, who: Identity) -> _Fault | None:
        """Return why what a row says of its case cannot be so."""
        value = row.wolkvox_id
        holder = self._holders.get(value, who.reference)
        if not value:
            if row.status != Status.CREATED:
                return None
            message = _("The row is created, and its id is not there")
            return _Fault(self._id_column, value, "id-missing", message, _ID_OF_THE_CASE)
        if not is_case_id(value):
            message = _("{value} is not the id of a case", value=value)
            return _Fault(self._id_column, value, "id-unusable", message, _ID_OR_EMPTY)
        if self._times[value] > 1:
            message = _("{value} is the id of {count} rows", value=value, count=self._times[value])
            return _Fault(self._id_column, value, "id-repeated", message, _ID_OF_THE_CASE)
        if holder != who.reference:
            message = _("{value} is the case of another row, {reference}", value=value, reference=holder)
            return _Fault(self._id_column, value, "id-taken", message, _ID_OF_THE_CASE)
        return None

    def _note_difference(self, row: _Reported) -> None:
        """Name a row of which the journal knows another case: both are kept, and the row becomes a conflict."""
        known = row.planned.known
        if known and known.status is Status.CREATED and known.wolkvox_id not in {None, row.wolkvox_id}:
            message = _(
                "The journal knows this row as case {known}, and here it is {value}",
                known=known.wolkvox_id,
                value=row.wolkvox_id,
            )
            fault = _Fault(self._id_column, row.wolkvox_id, "id-differs", message, _LOOK_AT_BOTH)
            self.issues.append(Issue(row.number, *fault))

    def lost_rows(self, job: Job) -> Iterator[Issue]:
        """Yield what the report's other sheets know of, and its rows do not say any more; to be asked last."""
        overview = report.read_overview(job.source, open_table) if self._ours else None
        if overview is None:
            return
        for row in overview.to_decide:
            if row.reference and row.reference not in self._left:
                message = _(
                    "{value} is to be decided on, and its row is not in the sheet any more", value=row.reference
                )
                yield Issue(row.row, self._reference, row.reference, "row-missing", message, _BRING_BACK)
        for name, told, left in (
            (_("created"), overview.created, self._cases),
            (_("unknown or in conflict"), overview.doubtful, self._doubts),
        ):
            if left < told:
                message = _(
                    "The summary tells of {told} rows that are {state}, and the sheet has {left}",
                    told=told,
                    state=name,
                    left=left,
                )
                yield Issue(None, None, None, "rows-missing", message, _BRING_BACK)


_UNDO = _("Undo the edit, or copy the row from the report as it was written, and adopt it again")
_ID_OF_THE_CASE = _(
    "Write the id that the CRM shows for this row's case, and adopt again; until then it is not sent, and `settle` can"
    " look for its case"
)
_ID_OR_EMPTY = _(
    "Write the id that the CRM shows for this row's case, or empty the cell if it has none, and adopt again"
)
_LOOK_AT_BOTH = _("Look at both cases in the CRM, and settle the row with `settle --by-hand`")
_BRING_BACK = _(
    "Adopt the report as it was written, or bring these rows back: what is not taken over would be sent again"
)


def open_report(job: Job, cases: CaseMapping) -> Table:
    """Open the report's sheet, whatever number Excel gave it, or the source's own where that has the ids."""
    table = open_source(job.source, replace(cases.table, sheet=None, header_row=None))
    if id_column(table.columns):
        return table
    for title in filter(None, [cases.table.sheet, *report.report_sheets(job.source)]):
        with suppress(SourceError):  # a sheet of the user's own that has our name, and no table
            other = open_table(job.source, replace(cases.table, sheet=title, header_row=None))
            if id_column(other.columns):
                return other
    return table


def _reported(plan: Plan) -> Iterator[_Reported]:
    """Yield every row beside what the sheet says of it."""
    columns = plan.table.columns
    ours: Mapping[str, str | None] = own_columns(columns) or {
        "wolkvox_id": id_column(columns),
        "idPrefijo": "idPrefijo",
    }
    for frame, batch in plan.cells():
        names = ("wolkvox_id", "idPrefijo", "reference", "status")
        texts = [_texts(frame, ours.get(name)) for name in names]
        for planned, said in zip(batch.rows(), zip(*texts, strict=True), strict=True):
            yield _Reported(planned, *said)


def _texts(frame: pd.DataFrame, column: str | None) -> Sequence[str]:
    if column is None or column not in frame.columns:
        return [""] * len(frame)
    return [str(cell).strip() for cell in frame[column]]


def _nothing(table: Table, scope: Scope, *, some: bool) -> StartRefused:
    if not some:
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
