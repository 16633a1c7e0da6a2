"""From a source to its plan: every row with who it is, the case it would become, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pandas as pd

from importer import identity, report
from importer.attachments import AttachmentFolder, Found
from importer.identity import Scope
from importer.journal import KnownRow
from importer.mapping import CaseMapping, Converted, TableNeed
from importer.messages import _
from importer.model import Attachment, Issue, JournalRow, Status
from importer.source import Table
from importer.spool import Spool
from importer.validation import Validator
from importer.workflow.job import open_tables
from importer.workflow.keys import Keys
from importer.workflow.matching import Contents, ImportHistory, MatchedRows, RowMatcher
from importer.workflow.plan import DOUBTFUL, Batch, Plan

# MERGED importer.workflow.planning: From a source to its plan: every row with who it is, the case it would become, and what is wrong with it.


def make_plan(  # noqa: PLR0913 - what a plan is made of
    table: Table,
    mapping: CaseMapping,
    scope: Scope,
    history: ImportHistory,
    *,
    retry_rejected: bool = False,
    trust_references: bool = True,
    allowed: Iterable[Path] = (),
) -> Plan:
    """Return the plan of a source; sends nothing and changes no journal.

    Rows of a report are known by the reference that they carry, unless `trust_references` is false. `allowed` are the
    folders beside the mapping's and the source's that the mapping may name. Raises QuestionsOpen where it names
    another, MappingError for columns that the sheet lacks, SourceError for a lookup table that cannot be read.
    """
    tables = open_tables(mapping, table.path, allowed)
    planner = _Planner(
        table, mapping, scope, history, tables, retry_rejected=retry_rejected, trust_references=trust_references
    )
    seen = planner.survey()
    batches: Spool[Batch] = Spool()
    for frame, rows in zip(planner.frames, seen, strict=True):
        batches.append(planner.judge(frame, rows))
    return Plan(
        table=table,
        mapping=mapping,
        scope=scope,
        columns=planner.columns,
        content_columns=planner.content_columns,
        notes=(*table.notes, *planner.notes),
        frames=planner.frames,
        batches=batches,
        key_columns=planner.key_columns,
    )


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
class _Seen:
    """The rows of one frame once they were surveyed: those that are passed over, by their numbers, and the keys."""

    skipped: Mapping[int, str]
    keys: Keys


class _Planner:
    """Plans one source in two steps over its frames: survey all of them, then judge each."""

    def __init__(  # noqa: PLR0913 - what a plan is made of
        self,
        table: Table,
        mapping: CaseMapping,
        scope: Scope,
        history: ImportHistory,
        tables: Mapping[TableNeed, Sequence[pd.DataFrame]],
        *,
        retry_rejected: bool,
        trust_references: bool,
    ) -> None:
        self._table, self._mapping, self._scope = table, mapping, scope
        ours = own_columns(table.columns)
        self._status = ours.get("status")
        self.columns = tuple(column for column in table.columns if column not in ours.values())
        self._mapper = mapping.bind(self.columns, tables, table.path.parent)
        self.key_columns = self._mapper.key_columns
        self.content_columns = self._mapper.columns if mapping.key else self.columns
        self._folder = AttachmentFolder(mapping.attachments, table.path.parent) if mapping.attachments else None
        self._validator = Validator(self._mapper.rules, self._mapper.key_columns)
        marked = bool(ours) and table.sheet is None  # our CSV marks text that a spreadsheet would calculate
        self.frames = _unmarked(table.frames()) if marked else table.frames()
        reference = ours.get("reference") if trust_references else None
        self._kept = history.is_kept
        # files are none of the source's bytes, so that rows with files are always looked at
        self._runs = frozenset() if self._folder else history.runs_of(table.digest, mapping.digest)
        self._retry_rejected = retry_rejected
        self._taken: set[str] = set()
        self._matcher = RowMatcher(
            scope,
            history,
            self.columns,
            self._mapper.key_columns,
            reference,
            id_column=id_column(table.columns) if trust_references else None,  # `adopt` judges ids by itself
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """What of the mapping the source never uses; known once all frames were surveyed."""
        return self._mapper.notes

    def survey(self) -> Spool[_Seen]:
        """Learn what only the whole source tells: what its columns prove, which rows are left out, and all keys."""
        for frame in self.frames:
            passed_over = list(self._passed_over(frame))
            self._mapper.survey(frame.drop(index=passed_over) if passed_over else frame)
        seen: Spool[_Seen] = Spool(in_memory=3)
        for frame in self.frames:
            rows = _Seen({**self._mapper.skipped(frame), **self._passed_over(frame)}, self._matcher.keys(frame))
            self._matcher.remember(frame, rows.keys, rows.skipped)
            seen.append(rows)
        self._matcher.all_seen()
        return seen

    def _passed_over(self, frame: pd.DataFrame) -> dict[int, str]:
        """Return, with the reason, the rows that the sheet itself leaves out: hidden ones, and what a report skipped.

        The latter holds also where nothing is hidden any more: in a CSV file, and after a filter was lifted.
        """
        told = frame.index[frame[self._status].map(str).str.strip() == Status.SKIPPED] if self._status else ()
        reason = _("skipped before; empty its cell in the column {column} to send it", column=self._status)
        hidden = self._table.hidden.intersection(frame.index)
        return dict.fromkeys(told, reason) | dict.fromkeys(hidden, _("hidden row"))

    def judge(self, frame: pd.DataFrame, rows: _Seen) -> Batch:
        """Find what is wrong with the rows of a frame, and set each beside what the journal knows of it."""
        numbers = frame.index.tolist()
        places = {number: at for at, number in enumerate(numbers)}
        found = {places[row]: files for row, files in self._attachments(frame).items()}
        matched = self._matcher.recognise(frame, rows.keys, rows.skipped)
        fields, issues = self._converted(frame, rows, matched)
        contents = _Held(Contents(self._mapper.content(frame)), found, checked=self._folder is not None)
        hashes = self._hashes(matched.known, contents, len(numbers)) if self._kept else []
        known = {at: found_row.row for at, found_row in matched.known.items()}
        differs = self._differing(matched.known, contents, hashes)
        for at in self._matcher.repeated_in(matched):
            if not self._takes(known.get(at), differs=at in differs):  # nobody knows which of them the key means
                matched.forget(at)
                known.pop(at, None)
        if self._retry_rejected:
            differs |= {at for at, row in known.items() if row.status is Status.REJECTED}
        for at, files in found.items():
            if files.issues and numbers[at] not in rows.skipped:
                issues.setdefault(numbers[at], []).extend(files.issues)
        return Batch(
            scope=self._scope,
            numbers=numbers,
            digests=matched.digests,
            loose=matched.loose,
            references=matched.references,
            hashes=hashes,
            fields=fields,
            issues={places[row]: tuple(issues[row]) for row in sorted(issues)},
            skipped={places[row]: reason for row, reason in rows.skipped.items()},
            attachments={at: files.attachments for at, files in found.items() if files.attachments},
            missing={at: files.missing for at, files in found.items() if files.missing},
            known=known,
            differs=frozenset(differs.intersection(known)),
            spellings=matched.spellings,
        )

    def _converted(
        self, frame: pd.DataFrame, rows: _Seen, matched: MatchedRows
    ) -> tuple[dict[str, list[object]], dict[int, list[Issue]]]:
        """Return the fields of a frame's rows by path, and what is wrong with them by row.

        There are none where every row is a case already: nothing of it will be sent, or has to be corrected.
        """
        created = sum(row.row.status is Status.CREATED for row in matched.known.values())
        settled = created == len(frame) and not self._matcher.repeated_in(matched)
        result = self._mapper.convert(frame.iloc[:0] if settled else frame)
        if settled:
            return {}, {}
        fields = {str(path): values.tolist() for path, values in result.fields.items()}
        return fields, self._issues(frame, rows, result, matched)

    def _hashes(self, known: Mapping[int, KnownRow], contents: _Held, count: int) -> list[str]:
        """Return what each row holds; of rows that were sent from this very source, what the journal knows."""
        return [
            row.row.content_hash
            if (row := known.get(at)) and row.row.run in self._runs and row.columns == self.content_columns
            else contents.hash(at, self.content_columns)
            for at in range(count)
        ]

    def _differing(self, known: Mapping[int, KnownRow], contents: _Held, hashes: Sequence[str]) -> set[int]:
        """Return the places of the rows that hold something else than the journal has; `hashes` are of all rows."""
        columns = self.content_columns
        return {
            at
            for at, row in known.items()
            if not identity.same_content(
                row.row.content_hash, hashes[at] if row.columns == columns else contents.hash(at, row.columns)
            )
        }

    def _takes(self, before: JournalRow | None, *, differs: bool) -> bool:
        """Tell whether this row, of several with one key, is the one that the journal knows: the first that fits."""
        if before is None or before.reference in self._taken or (differs and before.status not in DOUBTFUL):
            return False
        self._taken.add(before.reference)
        return True

    def _issues(
        self, frame: pd.DataFrame, rows: _Seen, converted: Converted, matched: MatchedRows
    ) -> dict[int, list[Issue]]:
        """Return every issue of the frame's rows by row, each (row, column, code) once; a row passed over has none."""
        failed = {(issue.row, issue.column) for issue in converted.issues if issue.row and issue.column}
        judged = self._validator.validate(
            converted.fields,
            frame,
            pd.Series(matched.marks, index=frame.index, dtype=object),
            self._matcher.repeated,
            failed,
        )
        doubtful = self._matcher.issues(frame, rows.keys, matched)
        numbers = set(frame.index)
        ragged = (issue for issue in self._table.issues if issue.row in numbers)
        by_row: dict[int, dict[tuple[str | None, str], Issue]] = {}
        for issue in (*ragged, *converted.issues, *judged, *doubtful):
            if issue.row is not None and issue.row not in rows.skipped:
                by_row.setdefault(issue.row, {}).setdefault((issue.column, issue.code), issue)
        return {row: list(issues.values()) for row, issues in by_row.items()}

    def _attachments(self, frame: pd.DataFrame) -> dict[int, Found]:
        """Find and check the files that the rows of a frame name."""
        if self._folder is None:
            return {}
        names = self._mapper.attachment_names(frame)
        return {row: self._folder.find(row, cells) for row, cells in names.items()}


class _Held:
    """What the rows of a frame hold, their files included; `checked` tells whether files are looked for at all."""

    def __init__(self, contents: Contents, found: Mapping[int, Found], *, checked: bool) -> None:
        self._contents, self._found, self._checked = contents, found, checked

    def hash(self, at: int, columns: tuple[str, ...]) -> str:
        """Return the hash of a row's content over these columns; files count where all of them can be sent."""
        return self._contents.hash(at, columns, self._attachments(at))

    def _attachments(self, at: int) -> Sequence[Attachment] | None:
        files = self._found.get(at)
        if files is None:
            return () if self._checked else None
        return None if files.issues or files.missing else files.attachments


def _unmarked(frames: Iterable[pd.DataFrame]) -> Spool[pd.DataFrame]:
    """Return frames without the marks that keep a spreadsheet from calculating text."""
    unmarked: Spool[pd.DataFrame] = Spool()
    for frame in frames:
        unmarked.append(frame.map(lambda cell: report.unmarked(cell) if isinstance(cell, str) else cell))
    return unmarked


# MERGED importer.workflow.planning: The rows of a plan that were asked for by their state (`--only`).


def chosen(plan: Plan, states: Iterable[Status]) -> Plan:
    """Return the plan with only those rows that are or were in one of the states; with all where none is named.

    A row was in the state that the journal has before the run, and in the one that the source tells where that is a
    report given back: so a corrected row is found by what was wrong with it.
    """
    wanted = frozenset(states)
    if not wanted:
        return plan
    column = own_columns(plan.table.columns).get("status")
    frames: Spool[pd.DataFrame] = Spool()
    batches: Spool[Batch] = Spool()
    for frame, batch in plan.cells():
        told = [str(cell).strip() for cell in frame[column]] if column else [""] * len(batch)
        places = [at for at, states in enumerate(_states(batch, told)) if not wanted.isdisjoint(states)]
        frames.append(frame.iloc[places])
        batches.append(batch.some(places))
    return replace(plan, frames=frames, batches=batches, only=tuple(state for state in Status if state in wanted))


def _states(batch: Batch, told: Sequence[str]) -> Iterator[set[str]]:
    """Yield the states that each row is in or was in."""
    for at, (status, said) in enumerate(zip(batch.statuses, told, strict=True)):
        known = batch.known.get(at)
        yield {status, known.status if known else status, said}
