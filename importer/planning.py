"""From a source to its plan: every row with who it is, the case it would become, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from importer import identity, report
from importer.attachments import AttachmentFolder, Found
from importer.identity import Scope
from importer.mapping import CaseMapping
from importer.messages import _
from importer.model import Attachment, Cell, Identity, Issue, JournalRow, Row, Status
from importer.recognition import Contents, Memory, Recognised, Recogniser
from importer.source import Table, open_table
from importer.spool import Spool
from importer.validation import Validator

_DOUBTFUL = frozenset({Status.SENDING, Status.UNKNOWN, Status.CONFLICT})
_FROM_THE_CRM = _DOUBTFUL | {Status.CREATED}
"""States in which what the journal knows of the CRM outranks what is wrong with the sheet now."""

_NOTHING = Found((), (), ())


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """A row beside what the journal knows of it.

    `differs` tells that its content is not what the journal has, or that a rejected row is to go again all the same.
    """

    row: Row
    known: JournalRow | None = None
    differs: bool = False

    @property
    def status(self) -> Status:
        """The row's state, were the plan carried out as far as possible without sending."""
        if self.known and self.known.status in _FROM_THE_CRM:
            return self.known.status
        if self.row.skipped is not None:
            return Status.SKIPPED
        if not self.row.sendable:
            return Status.INVALID
        if self.known and self.known.status is Status.REJECTED and not self.differs:
            return Status.REJECTED
        return Status.PLANNED


@dataclass(frozen=True, slots=True)
class Plan:
    """A source's rows in sheet order, batch by batch; each batch is made of the frame of cells at its place.

    `columns` are the source's own; `content_columns` are those that a row's content hash covers. `only` are the states
    by which its rows were chosen, none where all of them are here.
    """

    table: Table
    mapping: CaseMapping
    scope: Scope
    columns: tuple[str, ...]
    content_columns: tuple[str, ...]
    notes: tuple[str, ...]
    frames: Spool[pd.DataFrame]
    batches: Spool[list[PlannedRow]]
    only: tuple[Status, ...] = ()

    def cells(self) -> Iterator[tuple[pd.DataFrame, list[PlannedRow]]]:
        """Yield every batch beside its frame of cells."""
        return zip(self.frames, self.batches, strict=True)

    def __iter__(self) -> Iterator[PlannedRow]:
        for batch in self.batches:
            yield from batch


def make_plan(  # noqa: PLR0913 - what a plan is made of
    table: Table,
    mapping: CaseMapping,
    scope: Scope,
    memory: Memory,
    *,
    retry_rejected: bool = False,
    trust_references: bool = True,
) -> Plan:
    """Return the plan of a source; sends nothing and changes no journal.

    Rows of a report are known by the reference that they carry, unless `trust_references` is false. Raises
    MappingError for columns that the sheet lacks, SourceError for a lookup table that cannot be read.
    """
    planner = _Planner(table, mapping, scope, memory, trust_references=trust_references)
    converted = planner.convert()
    batches: Spool[list[PlannedRow]] = Spool()
    for frame, step in zip(planner.frames, converted, strict=True):
        batches.append([_again(row) if retry_rejected else row for row in planner.judge(frame, step)])
    return Plan(
        table=table,
        mapping=mapping,
        scope=scope,
        columns=planner.columns,
        content_columns=planner.content_columns,
        notes=(*table.notes, *planner.notes),
        frames=planner.frames,
        batches=batches,
    )


def _unmarked(cell: Cell) -> Cell:
    return report.unmarked(cell) if isinstance(cell, str) else cell


def _again(planned: PlannedRow) -> PlannedRow:
    """Return a rejected row as one that goes again though nothing in it changed."""
    rejected = planned.known is not None and planned.known.status is Status.REJECTED
    return replace(planned, differs=True) if rejected else planned


def own_columns(columns: Sequence[str]) -> dict[str, str]:
    """Return, where a sheet is a report of ours, our columns by name: `reference` -> the sheet's own spelling of it.

    The report's columns stand together; where the source has a column of the same name, a number follows ours.
    """
    bare = tuple(column.split(" (")[0] for column in columns)
    for start in range(len(columns) - len(report.OWN_COLUMNS), -1, -1):
        if bare[start : start + len(report.OWN_COLUMNS)] == report.OWN_COLUMNS:
            return dict(zip(report.OWN_COLUMNS, columns[start:], strict=False))
    return {}


def id_column(columns: Sequence[str]) -> str | None:
    """Return the column that holds the ids of cases, ours or a person's own `Wolkvox-ID`; None where there is none."""
    ours = own_columns(columns).get("wolkvox_id")
    theirs = (column for column in columns if re.sub(r"[\s_-]+", "_", column.strip()).casefold() == "wolkvox_id")
    return ours or next(theirs, None)


@dataclass(frozen=True, slots=True)
class _Converted:
    """One frame on its way: its rows' fields, what conversion found wrong, the rows passed over, and the keys."""

    fields: pd.DataFrame
    issues: tuple[Issue, ...]
    skipped: Mapping[int, str]
    keys: list[tuple[str, ...]]


class _Planner:
    """Plans one source in three steps over its frames: survey, convert, judge."""

    def __init__(
        self, table: Table, mapping: CaseMapping, scope: Scope, memory: Memory, *, trust_references: bool
    ) -> None:
        self._table, self._mapping = table, mapping
        self.frames: Spool[pd.DataFrame] = Spool()
        ours = own_columns(table.columns)
        self._status = ours.get("status")
        self.columns = tuple(column for column in table.columns if column not in ours.values())
        tables = {need: list(open_table(need.path or table.path, need.options).frames()) for need in mapping.tables}
        self._mapper = mapping.bind(self.columns, tables, table.path.parent)
        self.content_columns = self._mapper.columns if mapping.key else self.columns
        self._folder = AttachmentFolder(mapping.attachments, table.path.parent) if mapping.attachments else None
        self._validator = Validator(self._mapper.rules, self._mapper.key_columns)
        self._marked = bool(ours) and table.sheet is None  # our CSV marks text that a spreadsheet would calculate
        reference = ours.get("reference") if trust_references else None
        self._kept = memory.is_kept
        self._taken: set[str] = set()
        self._recogniser = Recogniser(scope, memory, self.columns, self._mapper.key_columns, reference)

    @property
    def notes(self) -> tuple[str, ...]:
        """What of the mapping the source never uses; known once all frames were surveyed."""
        return self._mapper.notes

    def convert(self) -> Spool[_Converted]:
        """Take every row from cells to fields, and learn all keys on the way."""
        for frame in self._table.frames():
            cells = frame.map(_unmarked) if self._marked else frame
            passed_over = list(self._passed_over(cells))
            self._mapper.survey(cells.drop(index=passed_over) if passed_over else cells)
            self.frames.append(cells)
        converted: Spool[_Converted] = Spool(in_memory=3)
        for frame in self.frames:
            result = self._mapper.convert(frame)
            skipped = {**result.skipped, **self._passed_over(frame)}
            keys = self._recogniser.keys(frame)
            self._recogniser.remember(frame, keys, skipped)
            converted.append(_Converted(result.fields, result.issues, skipped, keys))
        self._recogniser.all_seen()
        return converted

    def _passed_over(self, frame: pd.DataFrame) -> dict[int, str]:
        """Return, with the reason, the rows that the sheet itself leaves out: hidden ones, and what a report skipped.

        The latter holds also where nothing is hidden any more: in a CSV file, and after a filter was lifted.
        """
        told = frame.index[frame[self._status].map(str).str.strip() == Status.SKIPPED] if self._status else ()
        reason = _("skipped before; empty its cell in the column {column} to send it", column=self._status)
        hidden = self._table.hidden.intersection(frame.index)
        return dict.fromkeys(told, reason) | dict.fromkeys(hidden, _("hidden row"))

    def judge(self, frame: pd.DataFrame, converted: _Converted) -> list[PlannedRow]:
        """Find what is wrong with the rows of a frame, and set each beside what the journal knows of it."""
        contents = Contents(self._mapper.content(frame))
        recognised = self._recogniser.recognise(frame, converted.keys, converted.skipped)
        issues = self._issues(frame, converted, recognised)
        found = self._attachments(frame)
        paths = list(map(str, converted.fields.columns))
        values = list(zip(*(converted.fields[path].tolist() for path in paths), strict=True))
        planned = []
        for position, (number, who) in enumerate(zip(frame.index.tolist(), recognised, strict=True)):
            files = found.get(number, _NOTHING)
            comparable = None if self._folder is None or files.issues or files.missing else files.attachments
            row = Row(
                number=number,
                identity=self._identity(who, contents, position, comparable),
                fields={path: value for path, value in zip(paths, values[position], strict=True) if value is not None},
                attachments=files.attachments,
                issues=(*issues.get(number, ()), *files.issues),
                skipped=converted.skipped.get(number),
                missing=files.missing,
            )
            differs = who.known is not None and not identity.same_content(
                who.known.row.content_hash, contents.hash(position, who.known.columns, comparable)
            )
            before = who.known.row if who.known else None
            if self._recogniser.is_repeated(who) and not self._takes(before, differs=differs):
                planned.append(PlannedRow(replace(row, identity=None)))  # nobody knows which of them the key means
            else:
                planned.append(PlannedRow(row, before, differs))
        return planned

    def _takes(self, before: JournalRow | None, *, differs: bool) -> bool:
        """Tell whether this row, of several with one key, is the one that the journal knows: the first that fits."""
        if before is None or before.reference in self._taken or (differs and before.status not in _DOUBTFUL):
            return False
        self._taken.add(before.reference)
        return True

    def _identity(
        self, who: Recognised, contents: Contents, position: int, attachments: Sequence[Attachment] | None
    ) -> Identity | None:
        """Return who a row is and what it holds now; None where nobody can tell.

        What it holds is for the journal. Where none is asked, as in `check`, a hash would be a tenth of its time.
        """
        if not who.digest:
            return None
        held = contents.hash(position, self.content_columns, attachments) if self._kept else ""
        return Identity(who.digest, who.loose, who.reference, held)

    def _issues(
        self, frame: pd.DataFrame, converted: _Converted, recognised: Sequence[Recognised]
    ) -> dict[int, list[Issue]]:
        """Return every issue of the frame's rows by row, each (row, column, code) once; a row passed over has none."""
        failed = {(issue.row, issue.column) for issue in converted.issues if issue.row and issue.column}
        judged = self._validator.validate(
            converted.fields,
            frame,
            self._recogniser.prefixes(frame, recognised),
            self._recogniser.repeated,
            failed,
        )
        doubtful = self._recogniser.issues(frame, converted.keys, recognised)
        numbers = set(frame.index)
        ragged = (issue for issue in self._table.issues if issue.row in numbers)
        by_row: dict[int, dict[tuple[str | None, str], Issue]] = {}
        for issue in (*ragged, *converted.issues, *judged, *doubtful):
            if issue.row is not None and issue.row not in converted.skipped:
                by_row.setdefault(issue.row, {}).setdefault((issue.column, issue.code), issue)
        return {row: list(issues.values()) for row, issues in by_row.items()}

    def _attachments(self, frame: pd.DataFrame) -> dict[int, Found]:
        """Find and check the files that the rows of a frame name."""
        if self._folder is None:
            return {}
        names = self._mapper.attachment_names(frame)
        return {row: self._folder.find(row, cells) for row, cells in names.items()}
