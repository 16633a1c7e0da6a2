"""Find the rows of a text file that have too many or too few cells, and what may have cut them wrongly."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from importer.messages import _, ngettext
from importer.model import Cell, Issue
from importer.source.table import Block, is_filled

_EXCELS_BLOCK = 16  # Excel leaves out the separators of columns that are empty in 16 rows or more in a row
_WHOLE = re.compile(r" *-?(?:[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+)")  # of a number, before its decimal comma
_DECIMALS = re.compile(r"[0-9]{1,2} *")


class _Run(NamedTuple):
    """Neighbouring rows with the same number of cells; `beyond` is whether some are filled beyond the header."""

    first: int
    last: int
    width: int
    beyond: bool

    @property
    def rows(self) -> int:
        return self.last - self.first + 1


class Widths:
    """Finds the rows that have more or fewer cells than they should have.

    Each such row is an issue, since a guess at what belongs where would move values into other columns. The rows should
    have as many cells as the header. But where the header ends with separators and no row does, or each row and not the
    header, these separate nothing.
    """

    def __init__(self, headers: Sequence[Cell], delimiter: str) -> None:
        """Begin at the header, whose cells are given; the `delimiter` separates them."""
        self._header = len(headers)
        self._named = max((at for at, cell in enumerate(headers, 1) if is_filled(cell)), default=0)
        self._runs: list[_Run] = []
        self._rows: Counter[int] = Counter()
        self._left_out = 0
        self._delimiter = delimiter
        self._cut: set[int] = set()
        self._example = ""  # the first number that may be cut
        self._whole: set[int] = set()

    def check(self, block: Block, rows: Iterable[int]) -> None:
        """Check the rows of a block that are not blank, given by their places in it."""
        for at in rows:
            found = len(block.columns) if block.widths is None else block.widths[at]
            self._rows[found] += 1
            if found != self._header:
                beyond = any(is_filled(column[at]) for column in block.columns[self._header : found])
                self._add(block.numbers[at], found, beyond=beyond)
                if found == 1 or (found > self._header and self._delimiter == ","):
                    self._look_for_cause(block.numbers[at], [str(column[at]) for column in block.columns[:found]])
            elif self._named < self._header:
                self._add(block.numbers[at], found, beyond=False)

    def _add(self, number: int, found: int, *, beyond: bool) -> None:
        last = self._runs[-1] if self._runs else None
        if last is not None and (last.last + 1, last.width, last.beyond) == (number, found, beyond):
            self._runs[-1] = last._replace(last=number)
        else:
            self._runs.append(_Run(number, number, found, beyond))

    def _look_for_cause(self, number: int, cells: Sequence[str]) -> None:
        """Note a row that may have a number cut at its decimal comma, or all of whose cells are in one."""
        if len(cells) == 1:
            if cells[0].count(self._delimiter) >= self._header - 1:
                self._whole.add(number)
            return
        pairs = [pair for pair in pairwise(cells) if _WHOLE.fullmatch(pair[0]) and _DECIMALS.fullmatch(pair[1])]
        if pairs:
            self._cut.add(number)
            self._example = self._example or ",".join(pairs[-1]).strip()

    def issues(self) -> list[Issue]:
        """Return an issue for every row of a wrong width, in the order of rows; to be called after the last row."""
        expected = self._expected()
        found: list[Issue] = []
        for run in self._runs:
            numbers = range(run.first, run.last + 1)
            if run.width > expected or run.beyond:
                if run.width <= self._header and run.rows >= _EXCELS_BLOCK:
                    continue
                found.extend(self._too_many(number, run, expected) for number in numbers)
            elif run.width < expected:
                if run.rows >= _EXCELS_BLOCK:
                    self._left_out += run.rows
                else:
                    found.extend(self._too_few(number, run, expected) for number in numbers)
        return found

    def _expected(self) -> int:
        """Return how many cells a row should have."""
        usual = max(self._rows, key=lambda width: (self._rows[width], -width), default=self._header)
        if self._named <= usual < self._header:
            return usual
        is_trailing = usual > self._header and self._rows[usual] > 1 and not self._rows[self._header]
        return usual if is_trailing else self._header

    def _too_many(self, number: int, run: _Run, expected: int) -> Issue:
        remedy = _(
            "put the cell that contains the separator in quotation marks, or delete the separator if it is one too many"
            " at the end of the row, or save the table as .xlsx"
        )
        if number in self._cut:
            remedy = _(
                "if numbers have a decimal comma here, such as “{number}”, it cuts them in two: export the table with"
                " semicolons between its cells, or save it as .xlsx; else put the cell that contains a comma in"
                " quotation marks",
                number=self._example,
            )
        return Issue(number, None, None, "too-many-cells", self._counted(run, expected), remedy)

    def _too_few(self, number: int, run: _Run, expected: int) -> Issue:
        remedy = _("put the cell that contains the line break in quotation marks, or save the table as .xlsx")
        if number in self._whole:
            remedy = _(
                "the cells of this row are all in one cell, since quotation marks enclose the whole row, as Excel saves"
                " it: export the table again, or open it in a text editor and remove the first and the last quotation"
                " mark of the row, and one of each two inside"
            )
        return Issue(number, None, None, "too-few-cells", self._counted(run, expected), remedy)

    def _counted(self, run: _Run, expected: int) -> str:
        """Return how many cells a row has, beside the header where other rows may have as many as it has."""
        if expected == self._header or run.beyond:
            return _(
                "the number of cells is {found} in this row, but {width} in the header",
                found=run.width,
                width=self._header,
            )
        return _(
            "the number of cells is {found} in this row, but {width} in the other rows", found=run.width, width=expected
        )

    def notes(self) -> tuple[str, ...]:
        """Return a sentence about rows whose last cells Excel left out."""
        if not self._left_out:
            return ()
        return (
            ngettext(
                "{count} row ends before the last column, as Excel saves it; the missing cells are empty.",
                "{count} rows end before the last column, as Excel saves them; the missing cells are empty.",
                self._left_out,
            ),
        )
