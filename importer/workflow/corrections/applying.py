"""Corrections applied to the rows of a sheet while these are read, before anything else sees them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import pandas as pd

from importer import report
from importer.mapping import Conditions
from importer.messages import _
from importer.model import Cell, Corrected
from importer.source import Table
from importer.system.spool import Spool
from importer.workflow.corrections.chain import ColumnChain, Resolved
from importer.workflow.corrections.correction import Correction, says_the_same
from importer.workflow.corrections.file import CorrectionsFile
from importer.workflow.corrections.locating import Cells, Identifying, RowsByKey, SheetRows
from importer.workflow.corrections.state import CorrectionList, CorrectionOutcome, CorrectionState
from importer.workflow.keys.history import ImportHistory


class CorrectedFrames(NamedTuple):
    """The rows of a sheet with its corrections, and what these came to."""

    frames: Iterable[pd.DataFrame]
    corrections: CorrectionList


def apply_corrections(  # noqa: PLR0913 - everything that a correction is about
    file: CorrectionsFile,
    table: Table,
    frames: Iterable[pd.DataFrame],
    identifying: Identifying,
    history: ImportHistory,
    *,
    rows_by_key: RowsByKey | None = None,
    skipping: Conditions | None = None,
) -> CorrectedFrames:
    """Return the rows with the corrections of their sheet; `frames` are the table's, as they were written.

    `rows_by_key` are those of all frames, where they are known already; `skipping` tells which rows are skipped.
    A key stays as it is where a row was sent under it. Rows that are hidden or skipped are none of the import, and no
    correction of every row is of them; but one may be of a cell by which a row is skipped.
    """
    everything = list(file.corrections())
    sheet = table.sheet or ""
    mine = [one for one in everything if one.sheet == sheet]
    listed = CorrectionList(
        file.path.name,
        file.digest,
        other_sheets=tuple(dict.fromkeys(one.sheet for one in everything if one.sheet != sheet)),
    )
    if not mine:
        return CorrectedFrames(frames, listed)
    applying = _Applying(mine, table, SheetRows(identifying, frames, mine, rows_by_key), identifying, history)
    applying.skipping = skipping
    corrected: Spool[pd.DataFrame] = Spool()
    for frame in frames:
        corrected.append(applying.correct(frame))
    states = applying.states()
    return CorrectedFrames(corrected, replace(listed, cells=applying.cells, rows=applying.rows, states=states))


Step = tuple[Cells, tuple[int, ...]]
"""Cells that identified a row, and the places of the corrections that made them."""


class _Kept(NamedTuple):
    """A row whose key must stay: its position and number, its cells by the corrections at `places` alone, and why."""

    at: int
    number: int
    cells: Cells
    places: tuple[int, ...]
    reason: str


class _Applying:
    """Applies the corrections of one sheet, and notes what each of them comes to."""

    def __init__(
        self,
        corrections: Sequence[Correction],
        table: Table,
        sheet_rows: SheetRows,
        identifying: Identifying,
        history: ImportHistory,
    ) -> None:
        self.cells = self.rows = 0
        self.skipping: Conditions | None = None
        self._corrections, self._table = corrections, table
        self._identifying, self._history = identifying, history
        self._states: dict[int, CorrectionState] = {}
        self._counts = [0] * len(corrections)
        self._taken: set[int] = set()
        self._reasons: dict[int, str] = {}  # why a correction of every row left some of them alone
        self._chains: dict[str, ColumnChain] = {}
        self._own: dict[str, dict[int, list[int]]] = {}  # places by column and row: the last one counts
        self._sheet_rows = sheet_rows
        self._arrange()

    def _arrange(self) -> None:
        """Tell the corrections of every row from those of one, and find the rows of these."""
        of_all: dict[str, list[tuple[int, Correction]]] = {}
        of_one: list[tuple[int, Correction]] = []
        own = report.own_columns(self._table.columns).values()  # those that a report adds
        for place, one in enumerate(self._corrections):
            if one.column not in self._table.columns or one.column in own:
                self._set_aside(place, _("the sheet has no column {column}", column=one.column))
            elif not one.key.strip():
                self._set_aside(place, _("the line has lost its key"))
            elif one.is_for_all and says_the_same("", one.before):
                self._set_aside(place, _("an empty cell is corrected in its own row alone"))
            elif one.is_for_all:
                of_all.setdefault(one.column, []).append((place, one))
            else:
                of_one.append((place, one))
        for place, one in of_one:
            found = self._sheet_rows.find(one, self._table.digest)
            if isinstance(found, str):
                self._set_aside(place, found)
            else:
                self._own.setdefault(one.column, {}).setdefault(found, []).append(place)
        touched = [*of_all, *(column for column in self._own if column not in of_all)]
        self._chains = {column: ColumnChain(of_all.get(column, ())) for column in touched}

    def _set_aside(self, place: int, reason: str, row: int | None = None, now: str | None = None) -> None:
        one = self._corrections[place]
        self._states[place] = CorrectionState(one, CorrectionOutcome.SET_ASIDE, row, now=now, reason=reason)

    def states(self) -> tuple[CorrectionState, ...]:
        """Return what every correction came to; to be called after the last frame."""
        for place, one in enumerate(self._corrections):
            if place in self._states:
                continue
            count = self._counts[place]
            reason = self._reasons.get(place, "")
            without = CorrectionOutcome.SET_ASIDE if reason else CorrectionOutcome.DONE
            outcome = CorrectionOutcome.APPLIED if count else without
            self._states[place] = CorrectionState(one, outcome, cells=count, reason=reason)
        return tuple(self._states[place] for place in range(len(self._corrections)))

    def correct(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a frame with its corrections; the frames come in their order, each once."""
        numbers: list[int] = frame.index.tolist()
        skipped = self._skipped(frame)
        found = {column: self._resolved(frame[column].tolist(), column, numbers, skipped) for column in self._chains}
        self._keep_keys(frame, numbers, found)
        changed: set[int] = set()
        new: dict[str, list[Cell]] = {}
        for column, resolved in found.items():
            cells: list[Cell] = frame[column].tolist()
            for at, one in resolved.items():
                self._note(column, numbers[at], cells[at], one)
                if one.text != str(cells[at]):
                    between = self._between(column, numbers[at], cells[at], one)
                    cells[at] = Corrected(one.text, str(cells[at]), max(one.by, default=0), between)
                    changed.add(at)
                    self.cells += 1
            new[column] = cells
        self.rows += len(changed)
        if not changed:
            return frame
        corrected = frame.copy(deep=False)
        for name, cells in new.items():
            corrected[name] = pd.Series(cells, frame.index, dtype=object)
        return corrected

    def _between(self, column: str, number: int, cell: Cell, resolved: Resolved) -> tuple[str, ...]:
        """Return what a cell that identifies its row would say with some of its corrections only."""
        if column not in self._identifying.columns:
            return ()
        chain, raw = self._chains[column], str(cell)
        own = [(place, self._corrections[place]) for place in self._own.get(column, {}).get(number, ())]
        said = (text for each in ((), own) for _place, text in chain.history(raw, each))
        return tuple(dict.fromkeys(text for text in said if text not in {raw, resolved.text}))

    def _skipped(self, frame: pd.DataFrame) -> frozenset[int]:
        """Return the rows of a frame that are skipped as the sheet is."""
        if self.skipping is None or all(chain.is_empty for chain in self._chains.values()):
            return frozenset()
        held = zip(frame.index.tolist(), self.skipping.hold(frame), strict=True)
        return frozenset(number for number, holds in held if holds)

    def _resolved(
        self, cells: Sequence[Cell], column: str, numbers: Sequence[int], skipped: Collection[int]
    ) -> dict[int, Resolved]:
        """Return what the cells of a column come to, by position: those that have a correction."""
        chain, own = self._chains[column], self._own.get(column, {})
        found = {}
        if not chain.is_empty:
            by_column = self.skipping is not None and column in self.skipping.columns
            left_out = self._table.hidden if by_column else {*self._table.hidden, *skipped}
            said = [(at, text) for at, text in enumerate(map(str, cells)) if chain.has(text)]
            found = {at: chain.follow(text) for at, text in said if numbers[at] not in left_out}
        for at, number in enumerate(numbers) if own else ():
            if number in own:
                place = own[number][-1]
                found[at] = chain.resolve(str(cells[at]), place, self._corrections[place])
        return found

    def _note(self, column: str, number: int, cell: Cell, resolved: Resolved) -> None:
        """Note what the corrections of one cell came to."""
        for place in resolved.by:
            self._counts[place] += 1
        if resolved.own is None:
            return
        *earlier, last = self._own[column][number]
        for place in earlier:
            replaced = CorrectionState(self._corrections[place], CorrectionOutcome.REPLACED, number, now=str(cell))
            self._states.setdefault(place, replaced)
        if last in self._states:
            return
        if resolved.own is CorrectionOutcome.SET_ASIDE:
            self._set_aside(last, _("the sheet now says something else"), number, str(cell))
        else:
            count = int(resolved.own is CorrectionOutcome.APPLIED)
            self._states[last] = CorrectionState(self._corrections[last], resolved.own, number, count, str(cell))

    # -------------------------------------------------------------------------------------------- keys that must stay

    def _keep_keys(self, frame: pd.DataFrame, numbers: Sequence[int], found: dict[str, dict[int, Resolved]]) -> None:
        """Take back what would change the key of a row that was sent, or how the key of another row is counted."""
        columns = self._identifying.columns
        rows = sorted({at for column in columns for at in found.get(column, ())})
        raw = self._identifying.cells(frame) if rows else []
        sent = self._sent_as({at: self._steps(numbers[at], raw[at]) for at in rows})
        for at in rows:
            after = tuple(
                found[column][at].text if at in found.get(column, ()) else cell
                for column, cell in zip(columns, raw[at], strict=True)
            )
            is_new = _texts(after) != _texts(raw[at])
            if is_new and not self._sheet_rows.may_become(raw[at], after, self._taken):
                reason = _("another row has the same cells, and only their order distinguishes them")
                self._take_back(_Kept(at, numbers[at], raw[at], (), reason), found)
            elif at in sent and _texts(sent[at][0]) != _texts(after):
                reason = _("the row has already been sent, and keeps its key")
                self._take_back(_Kept(at, numbers[at], *sent[at], reason), found)

    def _sent_as(self, steps: Mapping[int, list[Step]]) -> dict[int, Step]:
        """Return the step in which each row was sent.

        A row by number shares its first key with others, any of which may have been sent: what a run has recorded of it
        since then, with whatever outcome, is surely its own.
        """
        flat = [(at, step) for at, each in steps.items() for step in each]
        known = self._identifying.known([cells for _at, (cells, _places) in flat], self._history)
        sent: dict[int, Step] = {}
        for (at, step), row in zip(flat, known, strict=True):
            by_number = bool(step[1]) and self._corrections[step[1][-1]].numbered_row is not None
            if row is not None and by_number:
                sent.pop(at, None)
            if row is not None and row.was_sent:
                sent.setdefault(at, step)
        return sent

    def _steps(self, number: int, raw: Cells) -> list[Step]:
        """Return the cells that have identified a row in turn, as in the sheet first; it may have been sent under any.

        Each comes with the places of the corrections that made them.
        """
        said = []
        for at, column in enumerate(self._identifying.columns):
            if chain := self._chains.get(column):
                places = self._own.get(column, {}).get(number, ())
                own = [(place, self._corrections[place]) for place in places]
                said += [(place, at, text) for place, text in chain.history(str(raw[at]), own)]
        cells, by = raw, tuple[int, ...]()
        steps = [(cells, by)]
        for place, at, text in sorted(said):
            cells, by = (*cells[:at], text, *cells[at + 1 :]), (*by, place)
            steps.append((cells, by))
        return steps

    def _take_back(self, kept: _Kept, found: Mapping[str, dict[int, Resolved]]) -> None:
        """Leave the cells that identify a row as they are to be kept."""
        for column, cell in zip(self._identifying.columns, kept.cells, strict=True):
            resolved = found.get(column, {}).pop(kept.at, None)
            self._reasons.update(dict.fromkeys(resolved.by if resolved else (), kept.reason))
            for place in self._own.get(column, {}).get(kept.number, ()):
                if place in kept.places:
                    state = CorrectionState(self._corrections[place], CorrectionOutcome.APPLIED, kept.number, 1)
                    self._states.setdefault(place, state)
                else:
                    self._set_aside(place, kept.reason, kept.number, str(cell))
            if resolved is not None and kept.places:
                found[column][kept.at] = Resolved(str(cell), ())


def _texts(cells: Cells) -> tuple[str, ...]:
    return tuple(map(str, cells))
