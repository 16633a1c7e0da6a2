"""Rows of a text table that are cut into more or fewer cells than the header: each is named, none is guessed at."""

from __future__ import annotations

from collections.abc import Iterable

from importer.messages import _, ngettext
from importer.model import Issue
from importer.source.table import Block, is_filled

_EXCELS_BLOCK = 16  # Excel leaves out the separators of columns that are empty through 16 rows and more


class Ragged:
    """Watches the widths of rows in order; `width` is the header's."""

    def __init__(self, width: int) -> None:
        """Begin below a header of `width` cells."""
        self.width = width
        self._issues: list[Issue] = []
        self._short: list[int] = []  # a run of neighbouring rows, all as short as each other
        self._short_width = 0
        self._left_out = 0

    def look_at(self, block: Block, rows: Iterable[int]) -> None:
        """Take note of those rows of a block that are not blank, by their places in it."""
        for at in rows:
            found = len(block.columns) if block.widths is None else block.widths[at]
            if found != self.width or self._short:
                beyond = any(is_filled(column[at]) for column in block.columns[self.width : found])
                self._judge(block.numbers[at], found, beyond=beyond)

    def _judge(self, number: int, found: int, *, beyond: bool) -> None:
        if self._short and (found != self._short_width or number != self._short[-1] + 1):
            self._close_run()
        if beyond:
            self._issues.append(_too_many(number, found, self.width))
        elif found < self.width:
            self._short.append(number)
            self._short_width = found

    def issues(self) -> tuple[Issue, ...]:
        """Return an issue for every row that is cut wrongly, in the order of rows; no row may follow."""
        self._close_run()
        return tuple(sorted(self._issues, key=lambda issue: issue.row or 0))

    def notes(self) -> tuple[str, ...]:
        """Return a sentence about rows whose last cells were left out as Excel does it."""
        if not self._left_out:
            return ()
        return (
            ngettext(
                "{count} row ends before the last column, as Excel saves it; the cells left out are empty.",
                "{count} rows end before the last column, as Excel saves them; the cells left out are empty.",
                self._left_out,
            ),
        )

    def _close_run(self) -> None:
        """Judge a run of short rows: a long one is Excel's doing, a short one a row that was broken."""
        if len(self._short) >= _EXCELS_BLOCK:
            self._left_out += len(self._short)
        else:
            self._issues.extend(_too_few(number, self._short_width, self.width) for number in self._short)
        self._short = []


def _too_many(number: int, found: int, width: int) -> Issue:
    return Issue(
        row=number,
        column=None,
        value=None,
        code="too-many-cells",
        message=_("the row is cut into {found} cells, the header into {width}", found=found, width=width),
        remedy=_("put the cell that holds the separator in quotation marks, or save the table as .xlsx"),
    )


def _too_few(number: int, found: int, width: int) -> Issue:
    return Issue(
        row=number,
        column=None,
        value=None,
        code="too-few-cells",
        message=_("the row is cut into {found} cells, the header into {width}", found=found, width=width),
        remedy=_("put a cell that holds a line break in quotation marks, or save the table as .xlsx"),
    )
