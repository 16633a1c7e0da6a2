"""What beside one plain table a sheet may hold: a second row of headers, totals, notes, another table.

None of it can be told for sure from a case, so it is read as it is, and said with its row and the option that helps.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from importer.commands import is_on_page
from importer.messages import _, ngettext, shorten
from importer.model import Cell, RowNote
from importer.source.header import column_letter, looks_like_headers
from importer.text import is_total, yaml_scalar

_SAMPLE = 200
"""Rows at the top that show what the columns hold."""

_MOST_GAPS = 20
"""With more empty rows than this, they separate rows, and not tables."""

_LAST = 5
"""Rows at the end of which one may be a total, before notes."""

_MOST_NAMED = 10
"""Rows of dashes that are named."""

_RULE = re.compile(r"[-=_+*]{3,}")
_NARROW = 3

Row = tuple[int, tuple[Cell, ...]]
"""A row with its number and its cells, from column A on."""


class Layout:
    """Looks at the rows below a header once, from the top on; `notes` says what may be no row of the table."""

    def __init__(self, header_row: int, headers: Sequence[Cell], *, is_named: bool) -> None:
        """Begin below a header; `is_named` says that a person named its row."""
        self._is_named = is_named
        self._headers = tuple(str(cell).strip() for cell in headers)
        self._last = header_row
        self._sample: list[Row] = []
        self._after_gaps: list[Row] = []
        self._gaps = 0
        self._tail: tuple[Row, ...] = ()
        self._repeated: list[int] = []

    def look(self, numbers: Sequence[int], columns: Sequence[Sequence[Cell]]) -> None:
        """Look at some rows that are not blank."""

        def row(at: int) -> Row:
            return numbers[at], tuple(column[at] for column in columns)

        taken = len(self._sample)
        self._sample.extend(row(at) for at in range(min(len(numbers), _SAMPLE - taken)))
        for at, (before, number) in enumerate(zip((self._last, *numbers), numbers, strict=False)):
            if number > before + 1:
                self._gaps += 1
                if self._gaps <= _MOST_GAPS:
                    self._after_gaps.append(row(at))
        first = next((at for at, text in enumerate(self._headers) if text), 0)
        if first < len(columns) and self._headers[first : first + 1] and self._headers[first] in columns[first]:
            self._repeated.extend(number for at, number in enumerate(numbers) if self._is_header(row(at)[1]))
        if numbers:
            self._tail = (*self._tail, *map(row, range(max(0, len(numbers) - _LAST), len(numbers))))[-_LAST:]
            self._last = numbers[-1]

    def notes(self, name: Callable[[int], str]) -> tuple[str, ...]:
        """Return a sentence for each thing that was found; `name` gives the column at a position."""
        above = [*self._second_header(), *self._repeated_header(name), *self._rules(name)]
        return (*above, *self._total(name), *self._below(name), *self._at_foot(name), *self._beside())

    def _is_header(self, cells: Sequence[Cell]) -> bool:
        texts = [str(cell).strip() for cell in cells]
        wanted = [text for text in self._headers if text]
        return len(wanted) > 1 and [text for text in texts if text] == wanted

    def _second_header(self) -> list[str]:
        """Say whether the first row looks like headers: it names as many columns as the header, or others."""
        if self._is_named or not self._sample:
            return []
        number, cells = self._sample[0]
        named = {at for at, text in enumerate(self._headers) if text}
        filled = {at for at, cell in enumerate(cells) if str(cell).strip()}
        if filled <= named and len(filled) < len(named):
            return []
        if _is_rule(cells) or not self._looks_like_headers(number, cells):
            return []
        if is_on_page():
            return [_("Row {row}, right below the header, looks like a second row of headers.", row=number)]
        if not named <= filled:  # a header of two rows, some of whose names are in the first one alone
            return [
                _(
                    "Row {row}, right below the header, looks like a second row of headers. If it is, write all names"
                    " into it, and name this row: source.header_row: {row}.",
                    row=number,
                )
            ]
        return [
            _(
                "Row {row}, right below the header, looks like a second row of headers. If it is, name the row that has"
                " the names: source.header_row: {row}.",
                row=number,
            )
        ]

    def _repeated_header(self, name: Callable[[int], str]) -> list[str]:
        if not self._repeated:
            return []
        column = next(at for at, text in enumerate(self._headers) if text)
        rows = ", ".join(map(str, self._repeated[:5])) + (", …" if len(self._repeated) > 5 else "")
        if is_on_page():
            said = _("The header is repeated in row {rows}. Delete it there, or hide it, in Excel.", rows=rows)
        else:
            said = _(
                "The header is repeated in row {rows}. Leave it out with source.skip_if: {{{column}: {text}}}.",
                rows=rows,
                column=yaml_scalar(name(column)),
                text=yaml_scalar(self._headers[column]),
            )
        return [RowNote(said, self._repeated[0]) if len(self._repeated) == 1 else said]

    def _rules(self, name: Callable[[int], str]) -> list[RowNote]:
        """Say which rows consist of dashes, as programs draw them below a header or above a total."""
        found: dict[int, list[int]] = {}
        for number, cells in dict((*self._sample, *self._tail)).items():
            if _is_rule(cells):
                place = next(at for at, cell in enumerate(cells) if str(cell).strip())
                found.setdefault(place, []).append(number)
        return [RowNote(_rule_note(rows, name(place)), rows[0]) for place, rows in found.items()]

    def _total(self, name: Callable[[int], str]) -> list[RowNote]:
        """Say which of the last rows are totals: they say so, and fill fewer cells than the rows above."""
        notes = []
        for number, cells in self._tail:
            place = next((at for at, cell in enumerate(cells) if str(cell).strip()), None)
            text = "" if place is None else str(cells[place]).strip()
            usual = sorted(_filled(row) for other, row in self._sample if other != number and not _is_rule(row))
            if place is None or not is_total(text) or not usual or _filled(cells) >= usual[len(usual) // 2]:
                continue
            notes.append(RowNote(_total_note(number, text, name(place)), number))
        return notes

    def _below(self, name: Callable[[int], str]) -> list[str]:
        """Say which rows after an empty row look like the header of another table, or like a note."""
        notes = []
        wide = sum(map(bool, self._headers)) >= _NARROW
        for number, cells in self._after_gaps if self._gaps <= _MOST_GAPS else ():
            if number == self._sample[0][0] or number in self._repeated:
                continue
            place = next((at for at, cell in enumerate(cells) if str(cell).strip()), 0)
            text = str(cells[place]).strip()
            if self._looks_like_headers(number, cells):
                notes.append(_other_table(number))
                break  # what follows belongs to that table
            if wide and _filled(cells) == 1 and isinstance(cells[place], str) and not is_total(text):
                notes.append(RowNote(_note_below(number, shorten(text), name(place)), number))
        return notes

    def _at_foot(self, name: Callable[[int], str]) -> list[RowNote]:
        """Say which of the last rows, without an empty row above them, have one cell of several words alone."""
        usual = sorted(_filled(row) for _number, row in self._sample)
        if not usual or usual[len(usual) // 2] < _NARROW:
            return []
        after_gaps = {number for number, _cells in self._after_gaps}
        notes = []
        for number, cells in self._tail:
            place = next((at for at, cell in enumerate(cells) if str(cell).strip()), 0)
            text = str(cells[place]).strip()
            if _filled(cells) > 1 or number in after_gaps or is_total(text) or len(text.split()) < 2:
                continue
            notes.append(RowNote(_note_at_foot(number, shorten(text), name(place)), number))
        return notes

    def _beside(self) -> list[str]:
        """Say whether an empty column parts two tables: those at one side of it are filled in other rows."""
        width = max((len(cells) for _number, cells in self._sample), default=0)
        filled = {at for _number, cells in self._sample for at, cell in enumerate(cells) if str(cell).strip()}
        named = {at for at, text in enumerate(self._headers) if text}
        for at in range(min(named, default=width), max(named, default=0)):
            if at in filled or at in named:
                continue
            sides = {(_filled(cells[:at]) > 0, _filled(cells[at:]) > 0) for _number, cells in self._sample}
            if sides & {(True, False), (False, True)}:
                return [
                    _(
                        "Column {letter} is empty, and some rows are filled only on one side of it: there may be two"
                        " tables side by side. Move the second one to a sheet of its own.",
                        letter=column_letter(at),
                    )
                ]
        return []

    def _looks_like_headers(self, number: int, cells: Sequence[Cell]) -> bool:
        """Tell whether a row has words alone, also where nearly all rows of the table have figures or addresses.

        Those are the rows above it, or below it if it is the first.
        """
        is_first = number == self._sample[0][0]
        rows = [row for other, row in self._sample if (other > number if is_first else other < number)]
        return looks_like_headers(cells, rows)


def _filled(cells: Sequence[Cell]) -> int:
    return sum(1 for cell in cells if str(cell).strip())


def _is_rule(cells: Sequence[Cell]) -> bool:
    texts = [text for cell in cells if (text := str(cell).strip())]
    return bool(texts) and all(_RULE.fullmatch(text) for text in texts)


def _rule_note(numbers: Sequence[int], column: str) -> str:
    rows = ", ".join(map(str, numbers[:_MOST_NAMED])) + (", …" if len(numbers) > _MOST_NAMED else "")
    if is_on_page():
        return ngettext(
            "Row {rows} is nothing but a line of dashes. If it is not a case, delete it or hide it in Excel.",
            "Rows {rows} are nothing but lines of dashes. If they are not cases, delete them or hide them in Excel.",
            len(numbers),
            rows=rows,
        )
    return ngettext(
        "Row {rows} is nothing but a line of dashes. If it is not a case, leave it out with source.skip_if:"
        ' {{{column}: {{matches: "[-=_+*]+"}}}}.',
        "Rows {rows} are nothing but lines of dashes. If they are not cases, leave them out with source.skip_if:"
        ' {{{column}: {{matches: "[-=_+*]+"}}}}.',
        len(numbers),
        rows=rows,
        column=yaml_scalar(column),
    )


def _total_note(row: int, text: str, column: str) -> str:
    if is_on_page():
        return _(
            "Row {row} looks like the total of the table (“{text}”). If it is not a case, delete it or"
            " hide it in Excel.",
            row=row,
            text=shorten(text),
        )
    return _(
        "Row {row} looks like the total of the table (“{text}”). If it is not a case, leave it out with"
        " source.skip_if: {{{column}: {condition}}}.",
        row=row,
        text=shorten(text),
        column=yaml_scalar(column),
        condition=yaml_scalar(text),
    )


def _other_table(row: int) -> str:
    if is_on_page():
        return _(
            "Row {row}, after an empty row, looks like the header of another table. Rows of another table are read as"
            " rows of this one: move them to a sheet of their own.",
            row=row,
        )
    return _(
        "Row {row}, after an empty row, looks like the header of another table. Rows of another table are read as rows"
        " of this one: move them to a sheet of their own, or leave them out with source.skip_if.",
        row=row,
    )


def _note_below(row: int, text: str, column: str) -> str:
    if is_on_page():
        return _(
            "Row {row}, after an empty row, has only “{text}”, like a note below a table. If it is not a case, delete"
            " it or hide it in Excel.",
            row=row,
            text=text,
        )
    return _(
        "Row {row}, after an empty row, has only “{text}”, like a note below a table. If it is not a case, leave it out"
        " with source.skip_if on the column {column}.",
        row=row,
        text=text,
        column=column,
    )


def _note_at_foot(row: int, text: str, column: str) -> str:
    if is_on_page():
        return _(
            "Row {row}, one of the last, has only “{text}”, like a note below a table. If it is not a case, delete it"
            " or hide it in Excel.",
            row=row,
            text=text,
        )
    return _(
        "Row {row}, one of the last, has only “{text}”, like a note below a table. If it is not a case, leave it out"
        " with source.skip_if on the column {column}.",
        row=row,
        text=text,
        column=column,
    )
