"""The steps that turn the rows of a source into a plan; `pipeline.make_plan` calls them in order."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from importer import report
from importer.attachments import AttachmentFolder, FoundAttachments
from importer.identity import Scope
from importer.journal import KnownRow
from importer.mapping import CaseMapping, Converted
from importer.messages import _
from importer.model import MAY_BE_CASES, UNSETTLED, Issue, JournalRow, Status
from importer.source import Table
from importer.system.spool import Spool
from importer.validation import Validator
from importer.workflow.corrections import (
    CorrectionsFile,
    apply_corrections,
    frames_as_written,
    identifying_columns,
)
from importer.workflow.job import OpenedTables, place_of_files
from importer.workflow.keys.history import ImportHistory
from importer.workflow.keys.key_formats import KeyFormats
from importer.workflow.keys.keys import Keys
from importer.workflow.planning.contact_notes import contact_notes
from importer.workflow.planning.contact_rows import ContactsOfRows
from importer.workflow.planning.contents import RowContents, renamed_notes
from importer.workflow.planning.lines import FaultyLines, ReportedLines, altered_in_report, states_shown
from importer.workflow.planning.matching import MatchedRows, RowMatcher
from importer.workflow.planning.missing_files import RowsWithoutFiles
from importer.workflow.planning.plan import Batch, Plan, left_out, state_of, without_skipped
from importer.workflow.planning.repeated_keys import RepeatedKeys
from importer.workflow.planning.same_content import same_content_notes
from importer.workflow.planning.transcripts import Transcripts


def own_columns(columns: Sequence[str]) -> dict[str, str]:
    """Return the columns that a report adds, by name (`reference` -> the header); empty for other sheets."""
    return report.own_columns(columns)


def id_column(columns: Sequence[str]) -> str | None:
    """Return the column of case ids, ours or a person's own `Wolkvox-ID`; None if there is none."""
    ours = own_columns(columns).get("wolkvox_id")
    theirs = (column for column in columns if re.sub(r"[\s_-]+", "_", column.strip()).casefold() == "wolkvox_id")
    return ours or next(theirs, None)


@dataclass(frozen=True, slots=True)
class SurveyedFrame:
    """A frame of the source after the survey, with its keys and its skipped rows (number -> reason).

    `altered` are, by row number, the columns whose text a report could not hold as it was in the source. `own` are its
    rows that are not skipped, the only ones that may become cases.
    """

    frame: pd.DataFrame
    skipped: Mapping[int, str]
    keys: Keys
    altered: Mapping[int, frozenset[str]]

    @property
    def own(self) -> list[int]:
        """The numbers of the rows that may become cases."""
        return [number for number in self.frame.index.tolist() if number not in self.skipped]


class Planner:
    """Plans one source: surveys all of its frames, then each frame goes through the other steps.

    `tables` are the other tables that the mapping needs. `retry_rejected` plans rejected rows again.
    Rows of a report are identified by their references, unless `trust_references` is false. The other steps see the
    cells as they are corrected.
    """

    def __init__(  # noqa: PLR0913 - everything that a plan is made of
        self,
        table: Table,
        mapping: CaseMapping,
        scope: Scope,
        history: ImportHistory,
        tables: OpenedTables,
        *,
        corrections: CorrectionsFile,
        retry_rejected: bool = False,
        trust_references: bool = True,
    ) -> None:
        self._table, self._mapping, self._scope = table, mapping, scope
        ours = own_columns(table.columns)
        self._status = ours.get("status")
        self._is_report = bool(ours)
        self._columns = tuple(column for column in table.columns if column not in ours.values())
        files = place_of_files(table.path, mapping)
        self._mapper = mapping.bind(self._columns, tables.lookups, files.beside, tables.rows)
        content = self._mapper.case_columns if mapping.key else self._columns
        self._content_columns = self._mapper.content_columns(content)
        self._lines = ReportedLines(self._mapper, ours) if ours and self._mapper.groups_rows else None
        self._faults = FaultyLines(self._mapper.first_rows)
        self._without_files = RowsWithoutFiles()
        self._folder = AttachmentFolder(mapping.attachments, *files) if mapping.attachments else None
        self._transcripts = Transcripts(mapping.largest_attachment)
        self._validator = Validator(self._mapper.rules, self._mapper.key_columns)
        identifying = identifying_columns(table.columns, self._mapper.key_columns, trust_references=trust_references)
        frames = frames_as_written(table)
        self._frames, self._corrections = apply_corrections(
            corrections, table, frames, identifying, history, skipping=mapping.skipping(self._columns)
        )
        self._aliases = history.aliases
        self._is_kept, self._column_secret = history.is_kept, history.column_secret
        self._retry_rejected = retry_rejected
        self._contacts = ContactsOfRows(mapping, self._mapper, scope, history)
        self._taken: set[str] = set()
        self._renamed: Counter[tuple[str, str]] = Counter()
        self._repeated = RepeatedKeys(self._mapper.key_columns, may_group=not self._mapper.groups_rows)
        self._key_formats = KeyFormats(self._mapper.key_columns)
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
        if self._lines is not None:
            for frame in self._frames:
                self._lines.observe(frame, self._skipped_by_sheet(frame))
        for frame in self._frames:
            left_out = list(self._left_out(frame))
            places = self._lines.places(frame) if self._lines else None
            self._mapper.survey(frame.drop(index=left_out) if left_out else frame, places)
        surveyed: Spool[tuple[Mapping[int, str], Keys]] = Spool(in_memory=3)
        for frame in self._frames:
            skipped, keys = {**self._mapper.skipped(frame), **self._left_out(frame)}, self._matcher.keys(frame)
            self._matcher.remember(frame, keys, skipped)
            self._key_formats.add(frame)
            surveyed.append((skipped, keys))
        self._matcher.all_seen()
        return (
            SurveyedFrame(frame, skipped, keys, self._altered(frame))
            for frame, (skipped, keys) in zip(self._frames, surveyed, strict=True)
        )

    def _left_out(self, frame: pd.DataFrame) -> dict[int, str]:
        """Return the rows that the sheet itself skips, with the reason; the lines of a case are skipped together."""
        skipped = self._skipped_by_sheet(frame)
        return self._lines.left_out(frame, skipped) if self._lines else skipped

    def _skipped_by_sheet(self, frame: pd.DataFrame) -> dict[int, str]:
        """Return the rows that the sheet itself skips, with the reason: hidden ones, and those that a report skipped.

        The latter stay skipped when they are no longer hidden: in a CSV file, or after a filter was removed.
        """
        skipped = frame.index[states_shown(frame[self._status]) == Status.SKIPPED] if self._status else ()
        reason = _("skipped before; empty its cell in the column {column} to send it", column=self._status)
        hidden = self._table.hidden.intersection(frame.index)
        return dict.fromkeys(skipped, reason) | dict.fromkeys(hidden, _("hidden row"))

    def match(self, rows: SurveyedFrame) -> MatchedRows:
        """Identify each row, and look up what the journal knows about it."""
        return self._matcher.match(rows.frame, rows.keys, rows.skipped)

    def map(self, rows: SurveyedFrame, found: Mapping[int, FoundAttachments]) -> Converted:
        """Convert the cells of the rows to the fields of cases, which may list the files that go with them."""
        return self._mapper.convert(rows.frame, {row: files.missing for row, files in found.items() if files.missing})

    def validate(self, rows: SurveyedFrame, matched: MatchedRows, converted: Converted) -> dict[int, tuple[Issue, ...]]:
        """Return the issues of the rows by row number, each (row, column, code) once; a skipped row has none.

        Those of further lines of a case are told once all rows are planned.
        """
        first_rows, own, frame = self._mapper.first_rows, rows.own, rows.frame
        failed = {(first_rows.get(issue.row, issue.row), issue.column) for issue in converted.issues if issue.row}
        judged = self._judged(rows, matched, converted, {(row, column) for row, column in failed if column})
        alone = self._lines.alone(frame, own) if self._lines else ()
        doubtful = self._matcher.issues(frame, rows.keys, matched)
        numbers = set(frame.index)
        ragged = (issue for issue in self._table.issues if issue.row in numbers)
        of_contacts = self._contacts.issues(converted.fields, rows.own)
        of_cells = (*ragged, *self._altered_cells(rows), *converted.issues, *judged, *of_contacts)
        self._faults.add(issue for issue in of_cells if issue.row in first_rows)
        by_row: dict[int, dict[tuple[str | None, str], Issue]] = {}
        mine = set(own)
        for issue in (*of_cells, *alone, *doubtful):
            if issue.row in mine:
                by_row.setdefault(issue.row, {}).setdefault((issue.column, issue.code), issue)
        return {row: tuple(issues.values()) for row, issues in by_row.items()}

    def _judged(
        self, rows: SurveyedFrame, matched: MatchedRows, converted: Converted, failed: set[tuple[int, str]]
    ) -> tuple[Issue, ...]:
        """Return what validation finds in the rows that may become cases."""
        short_keys = pd.Series(matched.short_keys, index=rows.frame.index, dtype=object)
        which = rows.frame.index.isin(rows.own)
        return self._validator.validate(
            converted.fields.loc[which],
            rows.frame.loc[which],
            short_keys.loc[which],
            self._matcher.repeated,
            failed,
            converted.speakers,
        )

    def _altered_cells(self, rows: SurveyedFrame) -> Iterator[Issue]:
        """Yield an issue for each cell that is to be sent, but that the report could not hold as it was."""
        for number, columns in rows.altered.items():
            used = self._mapper.line_columns if number in self._mapper.first_rows else self._mapper.columns
            for column in used:
                if column in columns:
                    yield altered_in_report(number, column, str(rows.frame.loc[number, column]))

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
        found: dict[int, FoundAttachments] = {}
        if self._folder is not None:
            named, lines = self._mapper.attachment_names(rows.frame), self._mapper.attachment_rows(rows.frame)
            found = {row: self._folder.find(row, cells, lines.get(row, ())) for row, cells in named.items()}
            self._faults.add(issue for row, files in found.items() for issue in files.issues if issue.row != row)
        own = rows.frame.loc[rows.own]
        return self._transcripts.added_to(found, self._mapper.transcripts(own))

    def make_batch(
        self,
        rows: SurveyedFrame,
        matched: MatchedRows,
        converted: Converted,
        issues: Mapping[int, tuple[Issue, ...]],
        found: Mapping[int, FoundAttachments],
    ) -> Batch:
        """Combine the results of the other steps, and determine the state of each row."""
        recorded = (column for known in matched.known.values() for column in known.columns)
        cells = self._mapper.content(rows.frame, recorded)
        contents = RowContents(
            cells,
            self._mapper.headings,
            found,
            self._column_secret,
            has_attachments=self._folder is not None,
            columns=self._content_columns,
            known=matched.known,
        )
        hashes = [contents.hash(at, self._content_columns) if self._is_kept else "" for at in range(len(rows.frame))]
        numbers = rows.frame.index.tolist()

        def is_edited(at: int, known: KnownRow) -> bool:
            if not rows.altered.get(numbers[at], frozenset()).isdisjoint(known.columns):
                return False  # text that a report altered cannot be compared
            now = hashes[at] if known.columns == self._content_columns else contents.hash(at, known.columns)
            return not contents.is_same(at, known, now)

        differing = {at for at, known in matched.known.items() if is_edited(at, known)}
        self._settle_contested(matched, differing, is_edited, contents, numbers)
        self._renamed.update({pair: len(numbers) for pair, numbers in contents.renamed.items()})
        lines, contacts = [], self._contacts.of(converted.fields)
        for at, number in enumerate(numbers):
            files = found.get(number, _NO_FILES)
            skipped = rows.skipped.get(number)
            own = tuple(issue for issue in files.issues if issue.row == number)
            faults = issues.get(number, ()) + (own if skipped is None else ())
            part_of = self._mapper.first_rows.get(number) if skipped is not None else None
            known = matched.known[at].row if at in matched.known else None
            is_valid = bool(matched.key_digests[at]) and not faults
            differs = known is not None and (at in differing or self._is_retried(known))
            state = state_of(known, skipped, is_part=part_of is not None, is_valid=is_valid, differs=differs)
            is_new = self._is_kept and state not in {*MAY_BE_CASES, Status.SKIPPED, Status.PART}
            columns = contents.column_digests(at, self._content_columns) if is_new or at in differing else ""
            digests = matched.key_digests[at], matched.loose_digests[at], matched.references[at], hashes[at], columns
            edited = contents.edited(at, matched.known[at]) if at in differing and at in matched.known else None
            spelt = matched.spellings.get(at, ()), matched.earlier.get(at, ""), rows.keys.uncorrected.get(at, ())
            sent = faults, files.attachments, files.missing
            self._without_files.add(number, left_out(state, known, files.missing))
            facts = *digests, *spelt, state, known, differs, edited, skipped, None
            lines.append((*facts, *sent, part_of, (), None, contacts[at], None))
        return Batch.of(lines, converted.fields)

    def _settle_contested(
        self,
        matched: MatchedRows,
        differing: set[int],
        is_edited: Callable[[int, KnownRow], bool],
        contents: RowContents,
        numbers: Sequence[int],
    ) -> None:
        """Give a key that several rows have to the first whose content is the one that the journal knows.

        Where none is, `RepeatedKeys` chooses. A row that the journal knows twice, by its keys of two versions, is the
        one with its content.
        """
        for at in self._matcher.contested_in(matched):
            known = [row for row in (matched.also.get(at), matched.known.get(at)) if row is not None]
            edited = {row.row.reference: is_edited(at, row) for row in known}
            known.sort(key=lambda row: edited[row.row.reference])
            repeats = bool(self._mapper.key_columns) and matched.short_keys[at] in self._matcher.repeated
            doubtful = () if repeats else UNSETTLED
            taken = next((row for row in known if self._takes(row.row, edited[row.row.reference], doubtful)), None)
            if taken is None and at in matched.also and not self._matcher.shares_key(matched, at):
                taken = matched.known[at]
            if repeats and at in matched.known:
                claimed = taken or matched.known[at]
                self._repeated.claim(numbers[at], claimed, contents.edited(at, claimed), is_same=taken is not None)
            if taken is None:
                matched.forget(at)
                continue
            matched.take(at, taken)
            differing -= {at}
            differing |= {at} if is_edited(at, taken) else set()

    def _is_retried(self, known: JournalRow) -> bool:
        return self._retry_rejected and known.status is Status.REJECTED

    def _takes(self, known: JournalRow, differs: bool, doubtful: Collection[Status]) -> bool:  # noqa: FBT001
        if known.reference in self._taken or (differs and known.status not in doubtful):
            return False
        self._taken.add(known.reference)
        return True

    def assemble(self, batches: Spool[Batch]) -> Plan:
        """Return the plan with these batches, one for each frame."""
        batches = self._faults.told_in(self._repeated.told_in(batches, self._matcher.repeated))
        return Plan(
            table=self._table,
            mapping=self._mapping,
            scope=self._scope,
            columns=self._columns,
            content_columns=self._content_columns,
            notes=(
                *without_skipped(self._table.notes, batches),
                *self._corrections.notes(),
                *self._key_formats.notes(),
                *renamed_notes(self._renamed, self._mapping),
                *self._mapper.notes,
                *self._repeated.notes(),
                *self._without_files.notes(),
                *contact_notes(batches, self._mapping),
                *self._same_content_notes(batches),
            ),
            frames=self._frames,
            batches=batches,
            key_columns=self._mapper.key_columns,
            headings=self._mapper.headings,
            aliases=self._aliases,
            made_files=self._transcripts.files,
            corrections=self._corrections,
            uses=self._mapper.uses,
            spellings=self._contacts.spellings,
        )

    def _same_content_notes(self, batches: Spool[Batch]) -> Iterator[str]:
        recorded = map(self._mapper.headings.recorded, self._mapper.key_columns)
        return same_content_notes(batches, self._matcher.known_elsewhere(), self._content_columns, set(recorded))


_NO_FILES = FoundAttachments((), (), ())
