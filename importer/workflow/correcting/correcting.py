"""What a page needs to correct the cells of a sheet: corrections made, undone and listed, and a corrected copy."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from threading import Lock

import pandas as pd

from importer import identity, report
from importer.errors import UsageError
from importer.journal import look_at_journal, user_name
from importer.mapping import Words
from importer.messages import _
from importer.model import Cell, Corrected
from importer.workflow import guards
from importer.workflow.corrections import (
    EVERY_ROW,
    LONGEST_TEXT,
    CorrectedFrames,
    Correction,
    CorrectionList,
    CorrectionsFile,
    EarlierCorrection,
    RowsByKey,
    add_corrections,
    apply_corrections,
    corrections_path,
    frames_as_written,
    identifying_columns,
    key_text,
    load_corrections,
    remove_act,
    row_text,
    says_the_same,
)
from importer.workflow.job import LoadedJob, at_known_place, scope_of
from importer.workflow.keys.history import ImportHistory


def open_corrections(loaded: LoadedJob) -> SheetCorrections:
    """Return the corrections of a job's sheet, to be read and changed for as long as the job is loaded."""
    return SheetCorrections(loaded)


class SheetCorrections:
    """The corrections of one sheet; may be used from several threads, and beside other processes.

    What is changed is on the disk when a method returns. Every command, and every new plan, takes it from there.
    """

    def __init__(self, loaded: LoadedJob) -> None:
        self._loaded, self._table = loaded, loaded.table
        self.path = corrections_path(loaded.table.path)
        headers = Words((column, column) for column in self._table.columns)
        key = tuple(headers[name] for word in loaded.case_mapping.key for name in headers.alike(word)[:1])
        self._identifying = identifying_columns(self._table.columns, key)
        self._frames = frames_as_written(self._table)
        self._skipping = loaded.case_mapping.skipping(self._own_columns())
        self._lock, self._user = Lock(), user_name()
        self._known_rows_by_key: dict[tuple[str, ...], list[int]] | None = None

    def correct(self, row: int, column: str, to: str) -> Correction:
        """Correct one cell; `row` is its number in the sheet.

        Raises UsageError where there is no such cell, or it is part of the key of a row that was sent already, and
        SourceError where the file of corrections cannot be read or written.
        """
        return self.correct_cells([(row, column, to)])[0]

    def correct_cells(self, cells: Iterable[tuple[int, str, str]]) -> list[Correction]:
        """Correct some cells, each by its row, its column and what it is to say, as one thing to undo.

        Raises the errors of `correct`; none of them is corrected then.
        """
        wanted = list(cells)
        columns = {column for _row, column, _to in wanted}
        self._refuse_columns(columns)
        rows = self._rows({row for row, _column, _to in wanted}, columns)
        new = []
        for row, column, to in wanted:
            if row not in rows:
                raise UsageError(_("The sheet has no row {row}.", row=row))
            key, texts = rows[row]
            new.append(self._new(key, column, texts[column], to))
        return self._add(new)

    def correct_equal(self, column: str, value: str, to: str) -> Correction:
        """Correct every cell of a column that says `value`, in this sheet only; raises the errors of `correct`.

        `value` is what the cells say now, corrected or not. It is one line in the file, and one thing to undo. Empty
        cells are not equal: what is missing in one row says nothing about another (`correct_cells`).
        """
        self._refuse_columns({column})
        if says_the_same("", value):
            raise UsageError(
                _("{column}: empty cells cannot be corrected all at once, but row by row alone.", column=column)
            )
        return self._add([self._new(EVERY_ROW, column, value, to)])[0]

    def undo(self, act: str) -> int:
        """Take back what was corrected by one act (`Correction.act`); return how many corrections that were.

        Raises UsageError where a row was sent under a key that would change by that.
        """
        file = load_corrections(self._table.path)
        mine = [one for one in file.corrections() if one.act == act]
        if any(one.column in self._identifying.columns for one in mine):
            self._refuse_other_keys(file, file.without(act))
        return remove_act(self._table.path, act)

    def listed(self) -> CorrectionList:
        """Return what every correction of the sheet comes to now; `check` gives the same with its plan."""
        return self._corrected(load_corrections(self._table.path)).corrections

    def fitting(self, corrections: Iterable[Correction]) -> Iterator[EarlierCorrection]:
        """Yield the cells of the sheet as it was written that corrections of another sheet would change.

        None of them is of a key, which belongs to one sheet's row.
        """
        of_others = [one for one in corrections if one.column not in self._identifying.columns]
        if not of_others:
            return
        file = CorrectionsFile(self.path).with_new(of_others)
        corrected = self._with(file, ImportHistory())
        of_one = {
            (state.row, state.correction.column)
            for state in corrected.corrections.applied
            if not state.correction.is_for_all
        }
        for frame in corrected.frames:
            for column in dict.fromkeys(one.column for one in of_others if one.column in frame.columns):
                for number, cell in zip(frame.index.tolist(), frame[column], strict=True):
                    if isinstance(cell, Corrected):
                        was_of_all = (number, column) not in of_one
                        yield EarlierCorrection(number, column, cell.before, str(cell), was_of_all=was_of_all)

    def corrected_cells(
        self, keys: Collection[tuple[str, ...]], columns: Collection[str]
    ) -> dict[tuple[str, ...], dict[str, str]]:
        """Return what some columns say, corrections included, in the rows that alone have one of these keys."""
        wanted = [column for column in columns if column in self._table.columns]
        found: dict[tuple[str, ...], dict[str, str]] = {}
        twice: set[tuple[str, ...]] = set()
        for frame in self._corrected(load_corrections(self._table.path)).frames:
            rows = zip(*(frame[column] for column in wanted), strict=True) if wanted else repeat(())
            for cells, row in zip(self._identifying.cells(frame), rows, strict=False):
                if (key := identity.key_parts(cells)) in keys:
                    twice |= {key} if key in found else set()
                    found[key] = dict(zip(wanted, map(str, row), strict=True))
        return {key: texts for key, texts in found.items() if key not in twice}

    def _own_columns(self) -> tuple[str, ...]:
        ours = report.own_columns(self._table.columns).values()
        return tuple(column for column in self._table.columns if column not in ours)

    def _refuse_columns(self, columns: Collection[str]) -> None:
        for column in sorted(set(columns).difference(self._own_columns())):
            raise UsageError(_("{column} is not a column of the sheet that can be corrected.", column=column))

    def _rows(self, rows: Collection[int], columns: Collection[str]) -> dict[int, tuple[str, dict[str, str]]]:
        """Return what each of these rows is corrected by, and the texts of some of its cells by their column."""
        with self._lock:
            parts = [frame[frame.index.isin(list(rows))] for frame in self._frames]
        found = {}
        for part in parts:
            cells = [part[column].tolist() for column in self._identifying.key]
            keys = zip(*cells, strict=True) if cells else repeat(())
            named = list(map(self._key_of, part.index.tolist(), keys))
            texts = {column: [str(cell) for cell in part[column].tolist()] for column in columns}
            for at, row in enumerate(part.index.tolist()):
                found[row] = (named[at], {column: texts[column][at] for column in columns})
        return found

    def _key_of(self, row: int, cells: Sequence[Cell]) -> str:
        """Return what a row is corrected by: its key if it is the only row with it, else its number in this file."""
        parts = identity.key_parts(cells) if cells else ()
        if parts and len(self._rows_by_key().get(parts, ())) == 1:
            return key_text(list(map(str, cells)))
        return row_text(row, self._table.digest)

    def _rows_by_key(self) -> RowsByKey:
        """Return the rows of every key."""
        with self._lock:
            if self._known_rows_by_key is None:
                rows: dict[tuple[str, ...], list[int]] = {}
                for frame in self._frames if self._identifying.key else ():
                    for number, cells in zip(frame.index.tolist(), self._identifying.cells(frame), strict=True):
                        rows.setdefault(identity.key_parts(cells), []).append(number)
                self._known_rows_by_key = rows
        return self._known_rows_by_key

    def _new(self, key: str, column: str, before: str, to: str) -> Correction:
        if max(map(len, (key, before, to))) > LONGEST_TEXT:
            raise UsageError(
                _(
                    "{column}: the text has more than {limit} characters, more than a cell of Excel can hold. Correct"
                    " it in the sheet itself.",
                    column=column,
                    limit=LONGEST_TEXT,
                )
            )
        return Correction(self._table.sheet or "", key, column, before, to, self._user)

    def _add(self, new: Sequence[Correction]) -> list[Correction]:
        self._refuse_sent([one for one in new if one.column in self._identifying.columns])
        return add_corrections(self._table.path, new)

    # -------------------------------------------------------------------------------------------- keys that must stay

    def _refuse_sent(self, new: Sequence[Correction]) -> None:
        """Refuse a correction of the key of a row that was sent, or of what identifies it otherwise."""
        if not new:
            return
        new = [replace(one, when="now") for one in new]
        listed = self._corrected(load_corrections(self._table.path).with_new(new)).corrections
        refused = next((state for state in listed.set_aside if state.correction in new), None)
        if refused is not None:
            column = refused.correction.column
            raise UsageError(_("{column} cannot be corrected: {reason}.", column=column, reason=refused.reason))

    def _refuse_other_keys(self, before: CorrectionsFile, after: CorrectionsFile) -> None:
        """Refuse to change what identifies rows that were sent."""
        identifying = self._identifying
        with self._history() as history:
            then, now = (self._with(file, history).frames for file in (before, after))
            for one, other in zip(then, now, strict=True):
                pairs = zip(identifying.cells(one), identifying.cells(other), strict=True)
                changed = [cells for cells, now_cells in pairs if cells != now_cells]
                if any(row and row.was_sent for row in identifying.known(changed, history)):
                    raise UsageError(
                        _(
                            "This correction cannot be undone: rows have already been sent with the keys that it"
                            " produced."
                        )
                    )

    def _corrected(self, file: CorrectionsFile) -> CorrectedFrames:
        with self._history() as history:
            return self._with(file, history)

    def _with(self, file: CorrectionsFile, history: ImportHistory) -> CorrectedFrames:
        rows_by_key = self._rows_by_key()
        with self._lock:
            return apply_corrections(
                file,
                self._table,
                self._frames,
                self._identifying,
                history,
                rows_by_key=rows_by_key,
                skipping=self._skipping,
            )

    @contextmanager
    def _history(self) -> Iterator[ImportHistory]:
        """Give what the journal knows about the rows, from a copy of it."""
        with look_at_journal(self._loaded.job.journal_path) as journal:
            known = at_known_place(self._loaded, journal)
            record = guards.find_import(journal, scope_of(known.job, known.case_mapping), known.job.same_as)
            yield ImportHistory(journal, record)

    def copy_to(self, path: Path) -> None:
        """Write the sheet with its corrections to a new file, as `corrected_copy` says."""
        frames = self._corrected(load_corrections(self._table.path)).frames
        table = self._table
        places = [table.positions[column] for column in table.columns]
        content = report.SheetToCopy(
            table.path, table.sheet, table.header_row, table.columns, places, _NumberedRows(frames, table.columns)
        )
        report.write_copy(path, content)


class _NumberedRows:
    """The rows of frames with their numbers, made anew each time they are iterated."""

    def __init__(self, frames: Iterable[pd.DataFrame], columns: Iterable[str]) -> None:
        self._frames, self._columns = frames, list(columns)

    def __iter__(self) -> Iterator[tuple[int, tuple[Cell, ...]]]:
        for frame in self._frames:
            cells = zip(*(frame[column].tolist() for column in self._columns), strict=True)
            yield from zip(frame.index.tolist(), cells, strict=True)


def corrected_copy(loaded: LoadedJob, path: Path) -> Path:
    """Write a job's sheet with its corrections in it to a new file, `.xlsx` or `.csv`; return its path.

    A workbook keeps its looks and its other sheets. Raises UsageError where the file exists already.
    """
    SheetCorrections(loaded).copy_to(path)
    return path
