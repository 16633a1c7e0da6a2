"""The fields of a case bound to columns: constants, columns, templates and objects, and how their cells are converted.

A cell passes the steps of its `Conversion` in order: strip, empty?, default, values, lookup, type, format, allowed.
Columns are converted as columns: each distinct cell once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from importer.mapping.conditions import Conditions
from importer.mapping.converters.formats import is_date_format, is_number_format
from importer.mapping.refusal import CellProblem, Refused, any_problem
from importer.messages import _
from importer.model import Cell, CellError, Typed
from importer.text import as_sent

if TYPE_CHECKING:
    import pandas as pd

_PIECE = re.compile(r"\{\{|\}\}|\{(?P<name>[^{}]*)\}|(?P<open>\{)")

Input: TypeAlias = "Cell | CellProblem"
Step: TypeAlias = Callable[["str | Typed"], object]
Observer: TypeAlias = Callable[[Iterable[str]], None]


@dataclass(frozen=True, slots=True)
class Slot:
    """A part of a template for a column's cells: `{Column}` or `{Column:format}`.

    `name` is all the text in the braces until `split` separates the format: a column's own name may contain colons.
    """

    name: str
    format: str | None = None

    def split(self) -> Slot:
        """Return the slot with the text after a colon as its format, if that is one."""
        for colon in re.finditer(":", self.name):
            name, form = self.name[: colon.start()].strip(), self.name[colon.end() :].strip()
            if name and (is_date_format(form) or is_number_format(form)):
                return Slot(name, form)
        return self


def parse_template(text: str) -> tuple[str | Slot, ...]:
    """Return the texts and slots of a template; raises `ValueError` for an open brace or a slot without a name."""
    parts: list[str | Slot] = []
    end = 0
    for piece in _PIECE.finditer(text):
        parts.append(text[end : piece.start()])
        end = piece.end()
        if piece["open"]:
            rest = text[piece.start() :][:30]
            raise ValueError(_("unclosed brace: '{rest}'; write {{{{ for a literal brace", rest=rest))
        if piece["name"] is None:
            parts.append(piece[0][0])
        elif not piece["name"].strip():
            raise ValueError(_("empty braces: '{{}}'; write a column's name in them"))
        else:
            parts.append(Slot(piece["name"].strip()))
    parts.append(text[end:])
    return tuple(part for part in parts if part != "")


def slot_columns(text: str) -> list[str]:
    """Return the names of the columns in a template, in order, as the template writes them."""
    return [part.split().name for part in parse_template(text) if isinstance(part, Slot)]


class Field(Protocol):
    """What the mapper needs of a field."""

    @property
    def path(self) -> str:
        """The field's path in the payload, or its name where it is a property of an object."""

    @property
    def column(self) -> str | None:
        """The source column that a person would correct, None for a constant."""

    @property
    def columns(self) -> Iterable[str]:
        """Every source column that the field uses."""

    @property
    def when(self) -> Conditions | None:
        """The conditions under which the field has a value."""

    def observe(self, frame: pd.DataFrame) -> None:
        """Look at a frame; every frame is observed before the first one is converted."""

    def values(self, frame: pd.DataFrame) -> list[object]:
        """Return for each row the field's JSON value, None where it is empty, or a `Problem`."""


def stripped(cell: str | Typed) -> str | Typed:
    """Return a cell without what nobody sees around a text and in it."""
    return as_sent(cell) if isinstance(cell, str) else cell


@dataclass(frozen=True)
class Conversion:
    """How a cell becomes a value: `steps` in order, until one of them leaves nothing."""

    steps: tuple[Step, ...] = ()
    default: object = None
    strip: Callable[[str | Typed], str | Typed] = stripped

    def __call__(self, cell: Input) -> object:
        """Return the value of a cell, or the problem with it."""
        if isinstance(cell, CellProblem):
            return cell
        if isinstance(cell, CellError):
            return CellProblem.of(cell)
        try:
            return self._convert(cell)
        except Refused as refused:
            return refused.problem

    def _convert(self, cell: str | Typed) -> object:
        value: object = self.strip(cell)
        if not value or not str(cell).strip():
            return self.default
        for step in self.steps:
            value = step(value)  # type: ignore[arg-type]  # only the last steps return anything but text
            if value is None or value == "":
                return self.default
        return value


def convert_distinct(cells: Sequence[Input], convert: Callable[[Input], object]) -> list[object]:
    """Return every cell converted; equal cells are converted once."""
    results = {cell: convert(cell) for cell in set(cells)}
    return list(map(results.__getitem__, cells))


def distinct_texts(cells: Iterable[Input]) -> set[str]:
    """Return the distinct filled texts among cells, which may show how a column writes dates or numbers."""
    return {text for cell in set(cells) if isinstance(cell, str) and (text := as_sent(cell))}


@dataclass
class Constant:
    """A field whose value is written in the mapping; the default where its conditions do not hold."""

    path: str
    value: object
    when: Conditions | None = None
    default: object = None
    column: None = None

    @property
    def columns(self) -> Iterable[str]:
        """Every source column that the field uses."""
        return _columns_of(self.when)

    def observe(self, frame: pd.DataFrame) -> None:
        """Do nothing: a constant does not depend on the cells."""

    def values(self, frame: pd.DataFrame) -> list[object]:
        """Return the constant for each row."""
        if self.when is None:
            return [self.value] * len(frame)
        return [self.value if holds else self.default for holds in self.when.hold(frame)]


@dataclass
class ColumnField:
    """A field that is read from a column."""

    path: str
    column: str
    convert: Conversion
    when: Conditions | None = None
    observer: Observer | None = None

    @property
    def columns(self) -> Iterable[str]:
        """Every source column that the field uses."""
        return (self.column, *_columns_of(self.when))

    def observe(self, frame: pd.DataFrame) -> None:
        """Show the cells to a type that depends on the whole column."""
        if self.observer:
            self.observer(distinct_texts(frame[self.column]))

    def values(self, frame: pd.DataFrame) -> list[object]:
        """Return the field's value for each row."""
        return convert_distinct(_where(self.when, frame, frame[self.column].tolist()), self.convert)


@dataclass
class BoundSlot:
    """A slot of a template, bound to its column; `blank` is written for an empty cell."""

    column: str
    write: Callable[[str | Typed], str] = str
    observer: Observer | None = None
    blank: str = ""

    def texts(self, frame: pd.DataFrame) -> list[object]:
        """Return the slot's text for each row, or a problem with its column."""
        cells = frame[self.column].tolist()
        return with_column(convert_distinct(cells, Conversion((self.write,), default=self.blank)), self.column, cells)


@dataclass
class TemplateField:
    """A field that is written from several columns."""

    path: str
    parts: tuple[str | BoundSlot, ...]
    convert: Conversion
    when: Conditions | None = None
    observer: Observer | None = None
    column: str | None = field(init=False)
    _slots: tuple[BoundSlot, ...] = field(init=False)
    _form: str = field(init=False)

    def __post_init__(self) -> None:
        """Take the first column as the one to correct, and make the format string that all texts are filled into."""
        self._slots = tuple(part for part in self.parts if isinstance(part, BoundSlot))
        self.column = self._slots[0].column if self._slots else None
        pieces = (part.replace("{", "{{").replace("}", "}}") if isinstance(part, str) else "{}" for part in self.parts)
        self._form = "".join(pieces)

    @property
    def columns(self) -> Iterable[str]:
        """Every source column that the field uses."""
        return (*(slot.column for slot in self._slots), *_columns_of(self.when))

    def observe(self, frame: pd.DataFrame) -> None:
        """Show the cells to slots with a format, and the filled texts to a type that depends on the whole column."""
        for slot in self._slots:
            if slot.observer:
                slot.observer(distinct_texts(frame[slot.column]))
        if self.observer:
            self.observer(distinct_texts(self._filled(frame)))

    def values(self, frame: pd.DataFrame) -> list[object]:
        """Return the field's value for each row; it is empty where all slots are."""
        return convert_distinct(_where(self.when, frame, self._filled(frame)), self.convert)

    def _filled(self, frame: pd.DataFrame) -> list[str | CellProblem]:
        columns = [slot.texts(frame) for slot in self._slots]
        if not columns:
            return [self._form.format()] * len(frame)
        rows = zip(*columns, strict=True)
        if any(map(any_problem, columns)):
            return [_first_problem(texts) or self._fill(texts) for texts in rows]
        return [self._fill(texts) for texts in rows]

    def _fill(self, texts: Sequence[object]) -> str:
        return self._form.format(*texts) if any(texts) else ""


@dataclass
class ObjectField:
    """A field that is a JSON object: its properties are fields of their own."""

    path: str
    properties: tuple[Field, ...]
    when: Conditions | None = None
    column: str | None = field(init=False)

    def __post_init__(self) -> None:
        """Take the first property's column as the one to correct."""
        self.column = next((inner.column for inner in self.properties if inner.column), None)

    @property
    def columns(self) -> Iterable[str]:
        """Every source column that the field uses."""
        return (*(column for inner in self.properties for column in inner.columns), *_columns_of(self.when))

    def observe(self, frame: pd.DataFrame) -> None:
        """Show the frame to the properties."""
        for inner in self.properties:
            inner.observe(frame)

    def values(self, frame: pd.DataFrame) -> list[object]:
        """Return the object for each row; it is empty where none of its columns gives a value."""
        held = self.when.hold(frame) if self.when else [True] * len(frame)
        columns = [
            with_column(inner.values(frame), inner.column, frame[inner.column].tolist())
            if inner.column
            else inner.values(frame)
            for inner in self.properties
        ]
        rows = zip(*columns, strict=True)
        return [self._object(row) if holds else None for holds, row in zip(held, rows, strict=True)]

    def _object(self, row: Sequence[object]) -> object:
        if problem := _first_problem(row):
            return problem
        filled = [(inner, value) for inner, value in zip(self.properties, row, strict=True) if value is not None]
        has_columns = any(not isinstance(inner, Constant) for inner in self.properties)
        if has_columns and all(isinstance(inner, Constant) for inner, _value in filled):
            return None
        return {inner.path: value for inner, value in filled}


def with_column(values: list[object], column: str, cells: Sequence[object]) -> list[object]:
    """Return values with a column, and the text of its cell, in every problem that has none."""
    if not any_problem(values):
        return values
    return [
        value.located(column, str(cell)) if isinstance(value, CellProblem) else value
        for value, cell in zip(values, cells, strict=True)
    ]


def _first_problem(values: Iterable[object]) -> CellProblem | None:
    return next((value for value in values if isinstance(value, CellProblem)), None)


def _columns_of(when: Conditions | None) -> Iterable[str]:
    return when.columns if when else ()


def _where(
    when: Conditions | None, frame: pd.DataFrame, cells: list[Cell] | list[str | CellProblem]
) -> Sequence[Input]:
    """Return the cells, empty where the field's conditions do not hold."""
    if when is None:
        return cells
    return [cell if holds else "" for holds, cell in zip(when.hold(frame), cells, strict=True)]
