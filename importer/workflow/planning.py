"""The steps that turn the rows of a source into a plan; `pipeline.make_plan` calls them in order."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import pandas as pd

from importer import identity, report
from importer.attachments import AttachmentFolder, FoundAttachments
from importer.identity import Scope
from importer.journal import KnownRow
from importer.mapping import CaseMapping, Converted, TableNeed
from importer.messages import _, shorten
from importer.model import UNSETTLED, Issue, JournalRow, Status
from importer.source import Table
from importer.spool import Spool
from importer.validation import Validator
from importer.workflow.contents import Contents, RowContents
from importer.workflow.keys import Keys
from importer.workflow.matching import ImportHistory, MatchedRows, RowMatcher
from importer.workflow.plan import Batch, Plan, state_of


def own_columns(columns: Sequence[str]) -> dict[str, str]:
    """Return the columns that a report adds, by name (`reference` -> the header in the sheet); empty for other sheets.

    They are side by side; if the source has a column of the same name, a number follows ours.
    """
    bare = tuple(column.split(" (")[0] for column in columns)
    for start in range(len(columns) - len(report.OWN_COLUMNS), -1, -1):
        if bare[start : start + len(report.OWN_COLUMNS)] == report.OWN_COLUMNS:
            return dict(zip(report.OWN_COLUMNS, columns[start:], strict=False))
    return {}


def id_column(columns: Sequence[str]) -> str | None:
    """Return the column of case ids, ours or a person's own `Wolkvox-ID`; None if there is none."""
    ours = own_columns(columns).get("wolkvox_id")
    theirs = (column for column in columns if re.sub(r"[\s_-]+", "_", column.strip()).casefold() == "wolkvox_id")
    return ours or next(theirs, None)


@dataclass(frozen=True, slots=True)
class SurveyedFrame:
    """A frame of the source after the survey, with its keys and its skipped rows (number -> reason).

    `altered` are, by row number, the columns whose text a report could not hold as it was in the source.
    """

    frame: pd.DataFrame
    skipped: Mapping[int, str]
    keys: Keys
    altered: Mapping[int, frozenset[str]]


class Planner:
    """Plans one source: surveys all of its frames, then each frame goes through the other steps.

    `tables` are the frames of the other tables that the mapping needs. `retry_rejected` plans rejected rows again.
    Rows of a report are identified by their references, unless `trust_references` is false.
    """

    def __init__(  # noqa: PLR0913 - everything that a plan is made of
        self,
        table: Table,
        mapping: CaseMapping,
        scope: Scope,
        history: ImportHistory,
        tables: Mapping[TableNeed, Sequence[pd.DataFrame]],
        *,
        retry_rejected: bool = False,
        trust_references: bool = True,
    ) -> None:
        self._table, self._mapping, self._scope = table, mapping, scope
        ours = own_columns(table.columns)
        self._status = ours.get("status")
        self._is_report = bool(ours)
        self._columns = tuple(column for column in table.columns if column not in ours.values())
        self._mapper = mapping.bind(self._columns, tables, table.path.parent)
        self._content_columns = self._mapper.columns if mapping.key else self._columns
        self._folder = AttachmentFolder(mapping.attachments, table.path.parent) if mapping.attachments else None
        self._validator = Validator(self._mapper.rules, self._mapper.key_columns)
        marked = bool(ours) and table.sheet is None  # our CSV marks text that looks like a formula
        self._frames = _unmarked(table.frames()) if marked else table.frames()
        self._is_kept = history.is_kept
        self._retry_rejected = retry_rejected
        self._taken: set[str] = set()
        self._matcher = RowMatcher(
            scope,
            history,
            self._columns,
            self._mapper.key_columns,
            ours.get("reference") if trust_references else None,
            id_column=id_column(table.columns) if trust_references else None,  # `adopt` checks ids itself
        )

    def survey(self) -> Iterator[SurveyedFrame]:
        """Learn what only the whole source shows: what its columns prove, which rows are skipped, and all keys.

        Return its frames, which must go through the other steps in order.
        """
        for frame in self._frames:
            left_out = list(self._left_out(frame))
            self._mapper.survey(frame.drop(index=left_out) if left_out else frame)
        surveyed: Spool[tuple[Mapping[int, str], Keys]] = Spool(in_memory=3)
        for frame in self._frames:
            skipped, keys = {**self._mapper.skipped(frame), **self._left_out(frame)}, self._matcher.keys(frame)
            self._matcher.remember(frame, keys, skipped)
            surveyed.append((skipped, keys))
        self._matcher.all_seen()
        return (
            SurveyedFrame(frame, skipped, keys, self._altered(frame))
            for frame, (skipped, keys) in zip(self._frames, surveyed, strict=True)
        )

    def _left_out(self, frame: pd.DataFrame) -> dict[int, str]:
        """Return the rows that the sheet itself skips, with the reason: hidden ones, and those that a report skipped.

        The latter stay skipped when they are no longer hidden: in a CSV file, or after a filter was removed.
        """
        skipped = frame.index[frame[self._status].map(str).str.strip() == Status.SKIPPED] if self._status else ()
        reason = _("skipped before; empty its cell in the column {column} to send it", column=self._status)
        hidden = self._table.hidden.intersection(frame.index)
        return dict.fromkeys(skipped, reason) | dict.fromkeys(hidden, _("hidden row"))

    def match(self, rows: SurveyedFrame) -> MatchedRows:
        """Identify each row, and look up what the journal knows about it."""
        return self._matcher.match(rows.frame, rows.keys, rows.skipped)

    def map(self, rows: SurveyedFrame) -> Converted:
        """Convert the cells of the rows to the fields of cases."""
        return self._mapper.convert(rows.frame)

    def validate(self, rows: SurveyedFrame, matched: MatchedRows, converted: Converted) -> dict[int, tuple[Issue, ...]]:
        """Return the issues of the rows by row number, each (row, column, code) once; a skipped row has none."""
        failed = {(issue.row, issue.column) for issue in converted.issues if issue.row and issue.column}
        short_keys = pd.Series(matched.short_keys, index=rows.frame.index, dtype=object)
        judged = self._validator.validate(converted.fields, rows.frame, short_keys, self._matcher.repeated, failed)
        doubtful = self._matcher.issues(rows.frame, rows.keys, matched)
        numbers = set(rows.frame.index)
        ragged = (issue for issue in self._table.issues if issue.row in numbers)
        by_row: dict[int, dict[tuple[str | None, str], Issue]] = {}
        altered = (
            _altered_in_report(number, column, str(rows.frame.loc[number, column]))
            for number, columns in rows.altered.items()
            for column in self._mapper.columns
            if column in columns
        )
        for issue in (*ragged, *altered, *converted.issues, *judged, *doubtful):
            if issue.row is not None and issue.row not in rows.skipped:
                by_row.setdefault(issue.row, {}).setdefault((issue.column, issue.code), issue)
        return {row: tuple(issues.values()) for row, issues in by_row.items()}

    def _altered(self, frame: pd.DataFrame) -> dict[int, frozenset[str]]:
        """Return the columns by row in which a report given back does not hold the source's text as it was."""
        altered: dict[int, frozenset[str]] = {}
        for column in self._columns if self._is_report else ():
            for number, cell in zip(frame.index.tolist(), frame[column], strict=True):
                if isinstance(cell, str) and report.is_altered(cell):
                    altered[number] = altered.get(number, frozenset()) | {column}
        return altered

    def find_attachments(self, rows: SurveyedFrame) -> dict[int, FoundAttachments]:
        """Find and check the files that the rows name, by row number."""
        if self._folder is None:
            return {}
        names = self._mapper.attachment_names(rows.frame)
        return {row: self._folder.find(row, cells) for row, cells in names.items()}

    def make_batch(
        self,
        rows: SurveyedFrame,
        matched: MatchedRows,
        converted: Converted,
        issues: Mapping[int, tuple[Issue, ...]],
        found: Mapping[int, FoundAttachments],
    ) -> Batch:
        """Combine the results of the other steps, and determine the state of each row."""
        cells, numbers = self._mapper.content(rows.frame), rows.frame.index
        now, before = (
            RowContents(Contents(cells, version_1=old), numbers, found, self._folder) for old in (False, True)
        )
        hashes = [now.hash(at, self._content_columns) if self._is_kept else "" for at in range(len(rows.frame))]

        def is_edited(at: int, known: KnownRow) -> bool:
            if not rows.altered.get(numbers[at], frozenset()).isdisjoint(known.columns):
                return False  # text that a report altered cannot be compared
            same = hashes[at] if known.columns == self._content_columns else now.hash(at, known.columns)
            recorded = known.row.content_hash
            return not (
                identity.same_content(recorded, same) or identity.same_content(recorded, before.hash(at, known.columns))
            )

        differing = {at for at, known in matched.known.items() if is_edited(at, known)}
        self._settle_contested(matched, differing, is_edited)
        lines = []
        for at, number in enumerate(rows.frame.index.tolist()):
            files = found.get(number, _NO_FILES)
            skipped = rows.skipped.get(number)
            faults = issues.get(number, ()) + (files.issues if skipped is None else ())
            known = matched.known[at].row if at in matched.known else None
            is_valid = bool(matched.key_digests[at]) and not faults
            differs = known is not None and (at in differing or self._is_retried(known))
            state = state_of(known, skipped, is_valid=is_valid, differs=differs)
            digests = matched.key_digests[at], matched.loose_digests[at], matched.references[at], hashes[at]
            spellings = matched.spellings.get(at, ())
            known_by = (*digests, spellings, matched.earlier.get(at, ""))
            lines.append((*known_by, state, known, differs, skipped, None, faults, files.attachments, files.missing))
        return Batch.of(lines, converted.fields)

    def _settle_contested(
        self, matched: MatchedRows, differing: set[int], is_edited: Callable[[int, KnownRow], bool]
    ) -> None:
        """Give a key that several rows have to the first whose content is the one that the journal knows.

        A row that the journal knows twice, by its keys of two versions, is the one with its content.
        """
        for at in self._matcher.contested_in(matched):
            known = [row for row in (matched.also.get(at), matched.known.get(at)) if row is not None]
            known.sort(key=lambda row: is_edited(at, row))
            taken = next((row for row in known if self._takes(row.row, differs=is_edited(at, row))), None)
            if taken is None and at in matched.also and not self._matcher.shares_key(matched, at):
                taken = matched.known[at]
            if taken is None:
                matched.forget(at)
                continue
            matched.take(at, taken)
            differing -= {at}
            differing |= {at} if is_edited(at, taken) else set()

    def _is_retried(self, known: JournalRow) -> bool:
        return self._retry_rejected and known.status is Status.REJECTED

    def _takes(self, known: JournalRow, *, differs: bool) -> bool:
        if known.reference in self._taken or (differs and known.status not in UNSETTLED):
            return False
        self._taken.add(known.reference)
        return True

    def assemble(self, batches: Spool[Batch]) -> Plan:
        """Return the plan with these batches, one for each frame."""
        return Plan(
            table=self._table,
            mapping=self._mapping,
            scope=self._scope,
            columns=self._columns,
            content_columns=self._content_columns,
            notes=(*self._table.notes, *self._mapper.notes),
            frames=self._frames,
            batches=batches,
            key_columns=self._mapper.key_columns,
        )


_NO_FILES = FoundAttachments((), (), ())


def _altered_in_report(number: int, column: str, cell: str) -> Issue:
    return Issue(
        number,
        column,
        shorten(cell),
        "altered-in-report",
        _(
            "{column}: the report could not hold the source's text as it was: it was cut, or has characters that no"
            " workbook can store",
            column=column,
        ),
        _("Correct this row in the source instead, and run the source"),
    )


def _unmarked(frames: Iterable[pd.DataFrame]) -> Spool[pd.DataFrame]:
    """Return the frames without the marks that keep a spreadsheet from evaluating text."""
    unmarked: Spool[pd.DataFrame] = Spool()
    for frame in frames:
        unmarked.append(frame.map(lambda cell: report.unmarked(cell) if isinstance(cell, str) else cell))
    return unmarked


def select_rows(plan: Plan, states: Iterable[Status]) -> Plan:
    """Return the plan with only the rows that are or were in one of the states (`--only`); all rows without any state.

    A row "was" in its state in the journal before the run, and in the state that the source shows if that is a report:
    so a corrected row is found by its earlier state.
    """
    wanted = frozenset(states)
    if not wanted:
        return plan
    column = own_columns(plan.table.columns).get("status")
    frames: Spool[pd.DataFrame] = Spool()
    batches: Spool[Batch] = Spool()
    for frame, batch in plan.cells():
        shown = [str(cell).strip() for cell in frame[column]] if column else [""] * len(batch)
        chosen = [not wanted.isdisjoint(states) for states in _states(batch, shown)]
        frames.append(frame.loc[chosen])
        batches.append(batch.where(chosen))
    return replace(plan, frames=frames, batches=batches, only=tuple(state for state in Status if state in wanted))


def _states(batch: Batch, shown: Sequence[str]) -> Iterator[set[str]]:
    """Yield the states of each row: now, in the journal, and in the sheet."""
    for status, known, written in zip(batch.facts["status"], batch.facts["known"], shown, strict=True):
        yield {status, known.status if known else status, written}
