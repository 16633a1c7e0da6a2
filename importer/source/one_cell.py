"""Refuse a table whose rows are each in one cell: nothing in it can be a column, and the cause can be named."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from importer.commands import is_on_page
from importer.errors import SourceError
from importer.messages import _, gettext_noop, shorten, translated
from importer.model import TableOptions
from importer.source.delimited.reader import CANDIDATES, Delimited
from importer.source.header import Row, first_rows
from importer.source.known_columns import has_columns
from importer.source.table import Grid

DELIMITER_NAMES = {
    ",": gettext_noop("comma"),
    ";": gettext_noop("semicolon"),
    "\t": gettext_noop("tab"),
    "|": gettext_noop("vertical bar"),
}

_FEWEST_NAMES = 3  # of columns, in a header that no mapping knows: a text may well have one comma


class _Whole(NamedTuple):
    """A header that is one cell: its row, its text, and what would separate its names."""

    row: int
    text: str
    delimiter: str


def refuse_one_cell(file: str, grid: Grid, rows: Iterable[Row], options: TableOptions) -> None:
    """Raise SourceError where the mapping's columns are all in one cell, or those of a table that no mapping knows."""
    if not options.columns and not options.names_below_groups:
        return
    first = first_rows(rows)
    if options.header_row is not None:
        first = [row for row in first if row[0] == options.header_row]
    if has_columns(options.columns, (set(map(str, cells)) for _number, cells in first)):
        return
    found = next(_by_mapping(first, options) if options.columns else _by_rows(first), None)
    if found is not None:
        raise _refusal(file, grid, found, options)


def _by_mapping(rows: Sequence[Row], options: TableOptions) -> Iterator[_Whole]:
    """Yield what has all of the mapping's columns as soon as it is separated."""
    for number, text in _alone(rows):
        for delimiter in CANDIDATES:
            if has_columns(options.columns, [_names(text, delimiter)]):
                yield _Whole(number, text, delimiter)


def _by_rows(rows: Sequence[Row]) -> Iterator[_Whole]:
    """Yield what can be separated into different names, like all rows below it."""
    for number, text in _alone(rows):
        below = ["".join(map(str, cells)) for other, cells in rows if other > number]
        for delimiter in CANDIDATES:
            names = _names(text, delimiter)
            is_header = len(names) >= _FEWEST_NAMES and all(names) and len(names) == len(set(names))
            if is_header and below and all(line.count(delimiter) >= len(names) - 1 for line in below):
                yield _Whole(number, text, delimiter)


def _alone(rows: Iterable[Row]) -> Iterator[tuple[int, str]]:
    """Yield the rows that have one filled cell, with its text."""
    for number, cells in rows:
        texts = [text for cell in cells if (text := str(cell).strip())]
        if len(texts) == 1:
            yield number, texts[0]


def _names(text: str, delimiter: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([text], delimiter=delimiter), [])]
    except csv.Error:
        return []


def _refusal(file: str, grid: Grid, found: _Whole, options: TableOptions) -> SourceError:
    """Return the error that says why the cells of a row are one."""
    named = "tab" if found.delimiter == "\t" else f'"{found.delimiter}"'
    name = translated(DELIMITER_NAMES[found.delimiter])
    if isinstance(grid, Delimited) and options.delimiter is not None:
        return SourceError(
            _(
                "{file}: the cells of a row are separated by {name}, and not by what the mapping names. Write"
                " source.delimiter: {delimiter}, or remove the line.",
                file=file,
                name=name,
                delimiter=named,
            )
        )
    if isinstance(grid, Delimited) and grid.declared:
        said = grid.delimiter
        if is_on_page():
            return SourceError(
                _(
                    "{file}: the first line is sep={said}, but the cells of a row are separated by {name}. Delete that"
                    " line in a text editor.",
                    file=file,
                    said=said,
                    name=name,
                )
            )
        return SourceError(
            _(
                "{file}: the first line is sep={said}, but the cells of a row are separated by {name}. Delete that line"
                " in a text editor, or name source.delimiter: {delimiter}.",
                file=file,
                said=said,
                name=name,
                delimiter=named,
            )
        )
    return SourceError(
        _(
            "{file}: the cells of each row are all in one cell, such as “{text}” in row {row}. Export the table again,"
            " or separate them in Excel: select the column, choose Data > Text to Columns with {name}, and save the"
            " table as .xlsx.",
            file=file,
            text=shorten(found.text),
            row=found.row,
            name=name,
        )
    )
