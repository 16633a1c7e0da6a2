"""One field: where its cells come from, and the way of a cell to the CRM's value.

The way is that of the design: strip, empty?, default, values, lookup, type, format, allowed. Columns are converted
as columns: each distinct cell goes the way once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol, TypeAlias

from importer.mapping.conditions import Conditions
from importer.mapping.converters.formats import is_date_format, is_number_format
from importer.mapping.refusal import Problem, Refused, any_problem
from importer.messages import _
from importer.model import Cell, Fault, Typed

if TYPE_CHECKING:
    import pandas as pd


# MERGED importer.mapping.fields: Templates: text with `{Column}` and `{Column:format}` parts, filled in one pass.

_PIECE = re.compile(r"\{\{|\}\}|\{(?P<name>[^{}]*)\}|(?P<open>\{)")


@dataclass(frozen=True, slots=True)
class Slot:
    """A part of a template that a column fills.

    `name` is all that stands in the braces until `split` takes the format off: a column's own name may hold colons.
    """

    name: str
    format: str | None = None

    def split(self) -> Slot:
        """Return the slot with what stands behind a colon as its format, where it is one."""
        for colon in re.finditer(":", self.name):
            name, form = self.name[: colon.start()].strip(), self.name[colon.end() :].strip()
            if name and is_format(form):
                return Slot(name, form)
        return self


@dataclass(frozen=True, slots=True)
class Template:
    """A template in its parts: plain texts and slots."""

    parts: tuple[str | Slot, ...]

    @property
    def slots(self) -> Sequence[Slot]:
        """The parts that columns fill, in their order."""
        return [part for part in self.parts if isinstance(part, Slot)]


def parse(text: str) -> Template:
    """Return the parts of a template; raises `ValueError` where a brace is open or a part has no name."""
    parts: list[str | Slot] = []
    end = 0
    for piece in _PIECE.finditer(text):
        parts.append(text[end : piece.start()])
        end = piece.end()
        if piece["open"]:
            raise ValueError(
                _("a brace is open here: '{rest}'; write {{{{ for a brace", rest=text[piece.start() :][:30])
            )
        if piece["name"] is None:
            parts.append(piece[0][0])
        elif not piece["name"].strip():
            raise ValueError(_("a part has no column: '{{}}'; write a column's name in the braces"))
        else:
            parts.append(Slot(piece["name"].strip()))
    parts.append(text[end:])
    return Template(tuple(part for part in parts if part != ""))


def is_format(text: str) -> bool:
    """Tell whether a text can stand behind a slot's colon."""
    return is_date_format(text) or is_number_format(text)


# MERGED importer.mapping.fields: One field: where its cells come from, and the way of a cell to the CRM's value.

Arriving: TypeAlias = "Cell | Problem"
Step: TypeAlias = Callable[["str | Typed"], object]
Observer: TypeAlias = Callable[[Iterable[str]], None]


class Field(Protocol):
    """What the mapper asks of a field."""

    @property
    def path(self) -> str:
        """The field's place in the payload, or its name where it is a property of an object."""

    @property
    def column(self) -> str | None:
        """The source column that a person would correct, None for a constant."""

    @property
    def columns(self) -> Iterable[str]:
        """Every source column that the field uses."""

    def observe(self, frame: pd.DataFrame) -> None:
        """Look at a frame before the first one is converted."""

    def values(self, frame: pd.DataFrame) -> list[object]:
        """Return the field's value for each row: what JSON shall hold, None where it is empty, or a `Problem`."""


def stripped(cell: str | Typed) -> str | Typed:
    """Return a cell without the white space around a text."""
    return cell.strip() if isinstance(cell, str) else cell


@dataclass(frozen=True)
class Way:
    """What happens to a cell: `steps` in their order, until one of them leaves nothing."""

    steps: tuple[Step, ...] = ()
    default: object = None
    strip: Callable[[str | Typed], str | Typed] = stripped

    def __call__(self, cell: Arriving) -> object:
        """Return the value of a cell, or the problem that it has none."""
        if isinstance(cell, Problem):
            return cell
        if isinstance(cell, Fault):
            return Problem.of(cell)
        try:
            return self._walk(cell)
        except Refused as refused:
            return refused.problem

    def _walk(self, cell: str | Typed) -> object:
        value: object = self.strip(cell)
        if not value or not str(cell).strip():
            return self.default
        for step in self.steps:
            value = step(value)  # type: ignore[arg-type]  # a step that makes other than text comes last
            if value is None or value == "":
                return self.default
        return value


def each_once(cells: Sequence[Arriving], convert: Callable[[Arriving], object]) -> list[object]:
    """Return every cell converted, each distinct one once."""
    known = {cell: convert(cell) for cell in set(cells)}
    return list(map(known.__getitem__, cells))


def texts_of(cells: Iterable[Arriving]) -> set[str]:
    """Return the distinct filled texts among cells: those that prove how a column writes dates or numbers."""
    return {text for cell in set(cells) if isinstance(cell, str) and (text := cell.strip())}


@dataclass
class Constant:
    """A field whose value the mapping names, where its conditions hold."""

    path: str
    value: object
    when: Conditions | None = None
    default: object = None
    column: None = None

    @property
    def columns(self) -> Iterable[str]:
        """Every source column that the field uses."""
        return self.when.columns if self.when else ()

    def observe(self, frame: pd.DataFrame) -> None:
        """Nothing of a frame matters."""

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
    way: Way
    when: Conditions | None = None
    observer: Observer | None = None

    @property
    def columns(self) -> Iterable[str]:
        """Every source column that the field uses."""
        return (self.column, *(self.when.columns if self.when else ()))

    def observe(self, frame: pd.DataFrame) -> None:
        """Let a type that is told by the whole column see it."""
        if self.observer:
            self.observer(texts_of(frame[self.column]))

    def values(self, frame: pd.DataFrame) -> list[object]:
        """Return the field's value for each row."""
        return each_once(_where(self.when, frame, frame[self.column].tolist()), self.way)


@dataclass
class Filled:
    """A part of a template that a column fills; `blank` stands for an empty cell."""

    column: str
    write: Callable[[str | Typed], str] = str
    observer: Observer | None = None
    blank: str = ""

    def texts(self, frame: pd.DataFrame) -> list[object]:
        """Return the part's text for each row, or a problem with its column."""
        cells = frame[self.column].tolist()
        texts = each_once(cells, Way((self.write,), default=self.blank))
        if not any_problem(texts):
            return texts
        return [placed(text, self.column, cell) for text, cell in zip(texts, cells, strict=True)]


@dataclass
class TemplateField:
    """A field that is written from several columns."""

    path: str
    parts: tuple[str | Filled, ...]
    way: Way
    when: Conditions | None = None
    observer: Observer | None = None
    column: str | None = field(init=False)
    _form: str = field(init=False)

    def __post_init__(self) -> None:
        """Name the first column as the one to correct, and make the form that the texts of all columns fill."""
        self.column = next((part.column for part in self.parts if isinstance(part, Filled)), None)
        fixed = (part.replace("{", "{{").replace("}", "}}") if isinstance(part, str) else "{}" for part in self.parts)
        self._form = "".join(fixed)

    @property
    def columns(self) -> Iterable[str]:
        """Every source column that the field uses."""
        filled = (part.column for part in self.parts if isinstance(part, Filled))
        return (*filled, *(self.when.columns if self.when else ()))

    def observe(self, frame: pd.DataFrame) -> None:
        """Let parts with a format see their columns, and a type that is told by the whole column the filled texts."""
        for part in self.parts:
            if isinstance(part, Filled) and part.observer:
                part.observer(texts_of(frame[part.column]))
        if self.observer:
            self.observer(texts_of(self._filled(frame)))

    def values(self, frame: pd.DataFrame) -> list[object]:
        """Return the field's value for each row; where every part is empty, so is the whole."""
        return each_once(_where(self.when, frame, self._filled(frame)), self.way)

    def _filled(self, frame: pd.DataFrame) -> list[str | Problem]:
        columns = [part.texts(frame) for part in self.parts if isinstance(part, Filled)]
        if not columns:
            return [self._form.format()] * len(frame)
        rows = zip(*columns, strict=True)
        if any(map(any_problem, columns)):
            return [_first_problem(texts) or self._fill(texts) for texts in rows]
        return [self._fill(texts) for texts in rows]

    def _fill(self, texts: Sequence[object]) -> str:
        return self._form.format(*texts) if any(texts) else ""


def _first_problem(values: Iterable[object]) -> Problem | None:
    return next((value for value in values if isinstance(value, Problem)), None)


@dataclass
class ObjectField:
    """A field that is a JSON object: its properties are fields of their own."""

    path: str
    properties: tuple[Field, ...]
    when: Conditions | None = None
    column: str | None = field(init=False)

    def __post_init__(self) -> None:
        """Name the first property's column as the one to correct."""
        self.column = next((inner.column for inner in self.properties if inner.column), None)

    @property
    def columns(self) -> Iterable[str]:
        """Every source column that the field uses."""
        inner = (column for each in self.properties for column in each.columns)
        return (*inner, *(self.when.columns if self.when else ()))

    def observe(self, frame: pd.DataFrame) -> None:
        """Let the properties see the frame."""
        for inner in self.properties:
            inner.observe(frame)

    def values(self, frame: pd.DataFrame) -> list[object]:
        """Return the object for each row; it is empty where none of its columns gives a value."""
        held = self.when.hold(frame) if self.when else [True] * len(frame)
        columns = [self._placed(inner, frame) for inner in self.properties]
        return [
            self._object(row) if holds else None for holds, row in zip(held, zip(*columns, strict=True), strict=True)
        ]

    def _placed(self, inner: Field, frame: pd.DataFrame) -> list[object]:
        """Return a property's values, with their column in every problem."""
        values = inner.values(frame)
        if inner.column is None:
            return values
        cells = frame[inner.column].tolist()
        return [placed(value, inner.column, cell) for value, cell in zip(values, cells, strict=True)]

    def _object(self, row: Sequence[object]) -> object:
        if problem := _first_problem(row):
            return problem
        named = [(inner, value) for inner, value in zip(self.properties, row, strict=True) if value is not None]
        sourced = any(not isinstance(inner, Constant) for inner in self.properties)
        if sourced and all(isinstance(inner, Constant) for inner, _value in named):
            return None
        return {inner.path: value for inner, value in named}


def placed(value: object, column: str | None, cell: Arriving) -> object:
    """Return a problem with the column and the text of its cell, and any other value as it is."""
    if isinstance(value, Problem) and value.column is None:
        return Problem(value.code, value.message, value.remedy, column, str(cell))
    return value


def _where(when: Conditions | None, frame: pd.DataFrame, cells: list[Cell] | list[str | Problem]) -> Sequence[Arriving]:
    """Return the cells, empty where the field's conditions do not hold."""
    if when is None:
        return cells
    return [cell if holds else "" for holds, cell in zip(when.hold(frame), cells, strict=True)]
