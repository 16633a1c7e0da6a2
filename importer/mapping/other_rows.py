"""The rows of another table that belong to the rows of a source, sorted and on disk: comments, history, follow-ups."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeAlias

from importer.mapping.conditions import Conditions
from importer.mapping.fields import Conversion, TemplateField
from importer.mapping.refusal import CellProblem
from importer.mapping.row_order import RowOrder
from importer.messages import _, ngettext, shorten
from importer.model import Cell, CellError, Issue
from importer.system.sorted_spool import SortedRow, SortedSpool
from importer.text import canonical_key, unaccented

if TYPE_CHECKING:
    import pandas as pd

ROWS = " [rows: "
"""After the name of a field: the digest of the rows that it is made of, which counts for the content of a case."""

MOST_CHARACTERS = 1_000_000
"""How long a field that is made of rows may become before it is too long for any field, so that memory stays flat."""

_NAMED = 10  # rows that a note lists

_Content: TypeAlias = "tuple[str | CellProblem | None, bytes]"
"""What a row says, or what is wrong with it, and a digest of its cells that count."""


class OtherTable(Protocol):
    """A table beside the source, as it was read."""

    @property
    def columns(self) -> Sequence[str]:
        """Its headers."""

    @property
    def header_notes(self) -> Sequence[str]:
        """Sentences about headers that are missing or appear twice."""

    @property
    def issues(self) -> Sequence[Issue]:
        """Faults of whole rows."""

    def frames(self) -> Iterable[pd.DataFrame]:
        """Return its rows, some thousands in a frame; may be read again."""


@dataclass
class JoinedRows:
    """Which rows of a table belong to a row of the source, and what each of them says.

    A row belongs to those whose cell in the source's column `match` equals its own in `key`, as a person sees them.
    `text` is filled from that table's columns. `place` names the field that is made of the rows, in issues and among
    the columns of a case's content; `choice` tells how rows are chosen, by the words of the mapping. The table is read
    when the rows are first asked for.
    """

    table: OtherTable
    title: str
    key: str
    match: str
    text: TemplateField
    place: str
    choice: str
    order: RowOrder | None = None
    skip_if: Conditions | None = None
    _faulty: int = 0
    _without_key: list[int] = field(default_factory=list)
    _count_without_key: int = 0

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of the table whose cells count: those of the template, and the one that sorts."""
        used = {*self.text.columns, *([self.order.column] if self.order else [])}
        return tuple(sorted(used, key=unaccented))

    @property
    def recorded(self) -> str:
        """The name under which the content of these rows is recorded: other columns, or another choice, are another."""
        choice = hashlib.sha256(self.choice.encode("utf-8", "surrogatepass")).hexdigest()[:4]
        return f"{self.place}{ROWS}{' | '.join(map(unaccented, self.columns))}; {choice}]"

    @cached_property
    def _rows(self) -> SortedSpool:
        for frame in self.table.frames():
            self.text.observe(frame)
            if self.order:
                self.order.observe(frame)
        if self.order:
            self.order.decide(self.table.frames())
        return SortedSpool(self._read())

    def _read(self) -> Iterator[SortedRow]:
        issues = {issue.row: issue for issue in self.table.issues}
        for frame in self.table.frames():
            left_out = self.skip_if.hold(frame) if self.skip_if else [False] * len(frame)
            places = self.order.places(frame) if self.order else [None] * len(frame)
            cells = zip(*(frame[column].tolist() for column in self.columns), strict=True)
            whole = zip(*(frame[column].tolist() for column in frame.columns), strict=True)
            lines = zip(
                frame.index.tolist(),
                frame[self.key],
                self.text.values(frame),
                places,
                cells,
                whole,
                left_out,
                strict=True,
            )
            for number, key, text, place, used, every, is_left_out in lines:
                if is_left_out:
                    continue
                if not (belongs_to := keys_of([key])):
                    self._note_without_key(number)
                    continue
                said = self._problem(number, issues.get(number), text, place)
                content: _Content = said, _digest(used)
                order = None if isinstance(place, CellProblem) else place
                yield SortedRow(number, belongs_to[0], order, _fingerprint(every), pickle.dumps(content))

    def _problem(self, number: int, issue: Issue | None, text: object, place: object) -> str | CellProblem | None:
        """Return the text of a row, or what is wrong with the row."""
        fault = issue or next((each for each in (place, text) if isinstance(each, CellProblem)), None)
        if fault is None:
            return None if text is None else str(text)
        self._faulty += 1
        named = {"table": self.title, "row": number, "column": fault.column, "fault": fault.message}
        message = (
            _("{table}, row {row}: {fault}", **named)
            if fault.column is None
            else _("{table}, row {row}, {column}: {fault}", **named)
        )
        return CellProblem("row-of-table", message, fault.remedy, self.place, fault.value)

    def _note_without_key(self, number: int) -> None:
        self._count_without_key += 1
        if len(self._without_key) < _NAMED:
            self._without_key.append(number)

    def ask(self, keys: Iterable[bytes]) -> None:
        """Note that the source has rows with these keys."""
        self._rows.ask(keys)

    def texts(self, keys: Sequence[bytes]) -> Iterator[str]:
        """Yield what the rows with these keys say, sorted, but for rows that say nothing or have a fault."""
        return (text for text, _digest in self._contents(keys) if isinstance(text, str))

    def fault(self, keys: Sequence[bytes]) -> CellProblem | None:
        """Return what is wrong with the first faulty row with these keys, None if nothing is."""
        problems = (text for text, _digest in self._contents(keys) if isinstance(text, CellProblem))
        first = next(problems, None) if self._rows and self._faulty else None
        if first is None or not (others := sum(1 for _problem in problems)):
            return first
        message = ngettext(
            "{fault} (and {count} more row)", "{fault} (and {count} more rows)", others, fault=first.message
        )
        return replace(first, message=message)

    def digest(self, keys: Sequence[bytes]) -> str:
        """Return a digest of the cells of the rows with these keys, whatever their order; empty without rows."""
        total = count = 0
        for _text, of_cells in self._contents(keys):
            total += int.from_bytes(of_cells)
            count += 1
        return f"rows-1:{count}:{total % 2**128:032x}" if count else ""

    def _contents(self, keys: Sequence[bytes]) -> Iterator[_Content]:
        return (pickle.loads(content) for content in self._rows.of(keys))  # noqa: S301 - only this process can write it

    def notes(self) -> Iterator[str]:
        """Yield what there is to say of the whole table, once every row of the source has asked for its rows."""
        named = {"table": self.title}
        for note in self.table.header_notes:
            yield _("{table}: {note}", note=note, **named)
        count, rows = self._rows.of_nobody(_NAMED)
        if self._count_without_key:
            yield ngettext(
                "{table}: {count} row has an empty {column} and goes with no case: row {rows}",
                "{table}: {count} rows have an empty {column} and go with no case: rows {rows}",
                self._count_without_key,
                column=self.key,
                rows=_listed(self._count_without_key, self._without_key),
                **named,
            )
        if count:
            yield ngettext(
                "{table}: {count} row belongs to no row of this sheet and goes with no case: row {rows}",
                "{table}: {count} rows belong to no row of this sheet and go with no case: rows {rows}",
                count,
                rows=_listed(count, rows),
                **named,
            )
        count, rows = self._rows.repeated(_NAMED)
        if count:
            yield ngettext(
                "{table}: {count} row equals an earlier row of the same case in every cell, and goes along all the"
                " same: row {rows}",
                "{table}: {count} rows equal an earlier row of the same case in every cell, and go along all the"
                " same: rows {rows}",
                count,
                rows=_listed(count, rows),
                **named,
            )
        if self.order and self.order.is_text:
            yield _(
                "{table}: {column} has neither dates nor numbers, so its rows are sorted by it as texts",
                column=self.order.column,
                **named,
            )


def keys_of(cells: Iterable[Cell]) -> list[bytes]:
    """Return the distinct keys in cells, as a person sees them; none where a cell is blank or could not be read."""
    texts = (canonical_key(cell) for cell in cells if not isinstance(cell, CellError))
    return list(dict.fromkeys(text.encode("utf-8", "surrogatepass") for text in texts if text))


def _digest(cells: Iterable[Cell]) -> bytes:
    written = json.dumps([canonical_key(cell) for cell in cells])
    return hashlib.sha256(b"row-1" + written.encode()).digest()[:16]


def _fingerprint(cells: Iterable[Cell]) -> bytes:
    written = "\x1f".join(map(str, cells))
    return hashlib.blake2b(written.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _listed(count: int, rows: Sequence[int]) -> str:
    return ", ".join([*map(str, rows), *(["…"] if count > len(rows) else [])])


@dataclass
class RowsField:
    """A field that is made of rows of another table: their texts, joined."""

    path: str
    rows: JoinedRows
    separator: str
    convert: Conversion
    when: Conditions | None = None
    limit: int | None = None
    column: None = None

    @property
    def columns(self) -> Iterable[str]:
        """Every source column that the field uses."""
        return (self.rows.match, *(self.when.columns if self.when else ()))

    def observe(self, frame: pd.DataFrame) -> None:
        """Do nothing: the other table has all that the field depends on."""

    def values(self, frame: pd.DataFrame) -> list[object]:
        """Return the field's value for each row."""
        return self.of_keys(frame, [keys_of([cell]) for cell in frame[self.rows.match]])

    def of_keys(self, frame: pd.DataFrame, keys: Sequence[Sequence[bytes]]) -> list[object]:
        """Return the field's value for each row, which has these keys: several where it is a case of several lines."""
        held = self.when.hold(frame) if self.when else [True] * len(frame)
        return [self._value(own) if holds else self.convert.default for holds, own in zip(held, keys, strict=True)]

    def _value(self, keys: Sequence[bytes]) -> object:
        problem = self.rows.fault(keys)
        return problem or self._joined(keys)

    def _joined(self, keys: Sequence[bytes]) -> object:
        """Return the texts of the rows, joined; those that `truncate` would cut off are not read."""
        parts: list[str] = []
        length = 0
        for text in self.rows.texts(keys):
            parts.append(text)
            length += len(text) + len(self.separator)
            if self.limit is not None and length > self.limit + len(self.separator):
                break
            if length > MOST_CHARACTERS:
                return self._too_long()
        return self.convert(self.separator.join(parts))

    def _too_long(self) -> CellProblem:
        message = _(
            "The rows of {table} make {field} more than {limit} characters long",
            table=self.rows.title,
            field=self.path,
            limit=f"{MOST_CHARACTERS:,}",
        )
        remedy = _(
            "Add to {field} in the mapping: `truncate: 2500`, or attach the rows as a transcript", field=self.path
        )
        return CellProblem("too-long", message, remedy, self.path, shorten(self.rows.title))
