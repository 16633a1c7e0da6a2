"""Where a mapping's columns are: in which row of a sheet, and in which other sheets of its workbook."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence

from importer.commands import told
from importer.errors import SourceError
from importer.messages import ngettext, shorten
from importer.model import TableOptions
from importer.source.header import Row, find_header, first_rows, names_below
from importer.text import squeezed

TopTexts = Callable[[str], list[set[str]]]
"""Gives the texts of the first rows of a sheet, a set for each row."""

_MOST_OTHERS = 20
"""Other sheets that are looked into, each of which a child process reads."""

_OF_EQUAL_ONES = re.compile(r" \(\d+\)$")  # behind the header of the second of two columns that are called alike
_WITHOUT_HEADER = re.compile(r"\(column [A-Z]+\)( \(\d+\))?")  # what a column without a header is called


def needed(columns: Iterable[Sequence[str]]) -> list[set[str]]:
    """Return the headings that may be in a sheet for each column of a mapping, in the form in which they are compared.

    A column that has no header of its own may be in any sheet, so it is left out.
    """
    found = []
    for headings in columns:
        if any(map(_WITHOUT_HEADER.fullmatch, headings)):
            continue
        found.append({squeezed(text) for name in headings for text in (name, _OF_EQUAL_ONES.sub("", name))})
    return found


def has_columns(columns: Iterable[Sequence[str]], top: Iterable[Collection[str]]) -> bool:
    """Return whether one of a sheet's first rows has all of these columns, each under one of its headings."""
    wanted = needed(columns)
    rows = ({squeezed(text) for text in row} for row in top)
    return bool(wanted) and any(all(not headings.isdisjoint(row) for headings in wanted) for row in rows)


def choose_header(rows: Iterable[Row], options: TableOptions) -> int | None:
    """Return the number of the row that is the header, None where no row is filled.

    It is the row that is found by its width, as long as it has the mapping's columns: then nothing may change. Else it
    is the first of the first rows that has them all, if one does.
    """
    first = first_rows(rows)
    found = find_header(first)
    if found is None:
        return None
    if not options.columns:
        return names_below(first, found) if options.names_below_groups else found
    with_all = [number for number, cells in first if has_columns(options.columns, [set(map(str, cells))])]
    return with_all[0] if with_all and found not in with_all else found


def note_unread(chosen: str, others: Sequence[str], options: TableOptions, top_texts: TopTexts) -> tuple[str, ...]:
    """Return the sentence about other sheets with the mapping's columns, which are not read, if there are any.

    A sheet that cannot be read has none that are known: what is wrong with it does not matter to the chosen one.
    """
    if not options.columns:
        return ()
    candidates = [name for name in others if name != chosen and name not in options.read_besides][:_MOST_OTHERS]
    unread = [name for name in candidates if _can_be_meant(name, options, top_texts)]
    if not unread:
        return ()
    count, sheets = len(unread), ", ".join(map(shorten, unread))
    return (
        told(
            ngettext(
                "The workbook has {count} other visible sheet with the mapping's columns, which is not read: {sheets}."
                " To import its rows, too, name it as source.sheet in another run.",
                "The workbook has {count} other visible sheets with the mapping's columns, which are not read:"
                " {sheets}. To import their rows, too, name each as source.sheet in a run of its own.",
                count,
                sheets=sheets,
            ),
            ngettext(
                "The workbook has {count} other visible sheet with the same columns, which is not read: {sheets}."
                " To import its rows, too, save it in Excel as a file of its own and open that.",
                "The workbook has {count} other visible sheets with the same columns, which are not read: {sheets}."
                " To import their rows, too, save each in Excel as a file of its own and open that.",
                count,
                sheets=sheets,
            ),
        ),
    )


def _can_be_meant(name: str, options: TableOptions, top_texts: TopTexts) -> bool:
    try:
        return has_columns(options.columns, top_texts(name))
    except SourceError:
        return False
