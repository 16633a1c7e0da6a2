"""Other tables that a mapping needs: which they are, and how texts are looked up in their frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from importer.errors import MappingFault
from importer.mapping.converters.types import constant, options_in
from importer.mapping.document import Places, Steps
from importer.mapping.fields import Step, Way, stripped
from importer.mapping.grammar import FieldSpec, Table
from importer.mapping.refusal import Refused
from importer.mapping.words import Words, clean, fold, nearest
from importer.messages import _, shorten
from importer.model import Cell, Fault, TableOptions, Typed

if TYPE_CHECKING:
    import pandas as pd


# MERGED importer.mapping.tables: Other tables that a mapping needs: which they are, and how texts are looked up in their frames.

_HINTS = 50  # texts that are told what they may have meant: looking for it takes long in a large table


@dataclass(frozen=True, slots=True)
class TableNeed:
    """A table that a mapping needs beside its source: an absolute path (None: the source's own file), and options."""

    path: Path | None
    options: TableOptions

    @classmethod
    def of(cls, table: Table, mapping: Path) -> TableNeed:
        """Return what a part of the grammar needs; files count from the mapping's folder."""
        options = TableOptions(table.sheet, table.header_row, table.encoding, table.delimiter)
        return cls(mapping.absolute().parent / table.file if table.file else None, options)


class Lookup:
    """A table in which texts are looked up: as they are written, or else without case and accents."""

    def __init__(self, frames: Sequence[pd.DataFrame], key: str, value: str, name: str) -> None:
        self._name = name
        self._hints = _HINTS
        self._exact: dict[str, list[Cell]] = {}
        self._folded: dict[str, list[str]] = {}
        for text, found in _pairs(frames, key, value):
            self._exact.setdefault(text, []).append(found)
        for text in self._exact:
            self._folded.setdefault(fold(text), []).append(text)

    def find(self, text: str) -> str:
        """Return what stands beside `text`; raises `Refused` where it is not there, stands twice, or has nothing."""
        alike = [text] if text in self._exact else self._folded.get(fold(text), [])
        found = [cell for key in alike for cell in self._exact[key]]
        named = {"value": shorten(text), "table": self._name}
        if not found:
            raise Refused("not-in-lookup", _("'{value}' is not in {table}", **named), self._remedy(text))
        if len(found) > 1:
            message = _("'{value}' stands {count} times in {table}", count=len(found), **named)
            raise Refused("lookup-key-twice", message, _("Leave one line for it in that table"))
        if isinstance(found[0], Fault):
            raise Refused(found[0].code, _("{table}: {fault}", fault=found[0].message, **named), found[0].remedy)
        if not (value := clean(str(found[0]))):
            raise Refused(
                "lookup-empty", _("'{value}' has nothing beside it in {table}", **named), _("Fill in that table's cell")
            )
        return value

    def _remedy(self, text: str) -> str:
        self._hints -= 1
        if self._hints >= 0 and (near := nearest(text, self._exact, 1)):
            return _("Add it to that table, or correct the cell; the nearest is '{near}'", near=shorten(near[0]))
        return _("Add it to that table, or correct the cell")


class Known:
    """The values that exist in the CRM; a text is found as it is written, or else without case."""

    def __init__(self, frames: Sequence[pd.DataFrame], column: str, name: str) -> None:
        self._name = name
        self._exact = {text for text, _cell in _pairs(frames, column, column)}
        self._folded: dict[str, list[str]] = {}
        for text in self._exact:
            self._folded.setdefault(text.casefold(), []).append(text)

    def spelling(self, text: str) -> str:
        """Return the known value that `text` is, in its own spelling; raises `Refused` where there is none."""
        if text in self._exact:
            return text
        alike = self._folded.get(text.casefold(), [])
        if len(alike) == 1:
            return alike[0]
        message = _("'{value}' is not among the known values of {table}", value=shorten(text), table=self._name)
        raise Refused("not-known", message, _("Create it in the CRM and add it to that table, or correct the cell"))


def _pairs(frames: Sequence[pd.DataFrame], key: str, value: str) -> Iterator[tuple[str, Cell]]:
    """Yield the cleaned text and the cell beside it of every row whose key is filled."""
    for frame in frames:
        for text, cell in zip(frame[key], frame[value], strict=True):
            if not isinstance(text, Fault) and (cleaned := clean(str(text))):
                yield cleaned, cell


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One file of a list: the path that it is stored under, and the name that people know it by."""

    path: str
    name: str


def listed_files(frames: Sequence[pd.DataFrame], key: str, path: str, name: str | None) -> dict[str, list[ListedFile]]:
    """Return the files of each key, in the order of the list; lines without a path name no file."""
    files: dict[str, list[ListedFile]] = {}
    for frame in frames:
        for text, stored, known_as in zip(frame[key], frame[path], frame[name or path], strict=True):
            if (key_text := clean(str(text))) and (stored_text := clean(str(stored))):
                files.setdefault(key_text, []).append(ListedFile(stored_text, clean(str(known_as)) or stored_text))
    return files


# MERGED importer.mapping.tables: The steps of a cell's way, each built from the keys of a field that ask for it.

REST = "*"
"""The text of `values` that stands for every other one."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What answers a field's questions about other tables."""

    lookup: Lookup | None = None
    known: Known | None = None


def way(spec: FieldSpec, convert: Step, answers: Answers, column: str, field: str) -> Way:
    """Return a field's whole way; `convert` makes a value of its type, `column` and `field` name it in issues."""
    steps: list[Step] = []
    if spec.values:
        find = values_step(spec.values, column, field)
        steps.append(_each_option(find, spec.separator) if spec.type == "multi-select" else find)
    if (lookup := answers.lookup) is not None:
        steps.append(lambda cell: lookup.find(clean(str(cell))))
    steps.append(convert)
    if spec.upper or spec.lower:
        steps.append(lambda cell: str(cell).upper() if spec.upper else str(cell).lower())
    if spec.truncate:
        steps.append(lambda cell: str(cell)[: spec.truncate].rstrip())
    if answers.known is not None:
        steps.append(_known_step(answers.known, addresses=spec.type == "email" or field == "contact"))
    default = None if spec.default is None else constant(spec, spec.default)
    return Way(tuple(steps), default, _strip(spec.strip))


def values_step(values: Mapping[str, str], column: str, field: str) -> Step:
    """Return what turns a cell's text into the CRM's value that the mapping names for it."""
    words = Words((text, value) for text, value in values.items() if text != REST)

    def find(cell: str | Typed) -> str:
        text = clean(str(cell))
        alike = words.alike(text)
        meanings = {words[word] for word in alike}
        if len(meanings) == 1:
            return meanings.pop()
        if not meanings and REST in values:
            return values[REST]
        named = {"column": column, "value": shorten(text), "field": field}
        if meanings:
            message = _("{column} '{value}' may be any of several texts of {field}'s values", **named)
            raise Refused("ambiguous-value", message, _("add this line to values: {value}: …", **named))
        message = _("{column} '{value}' has no CRM {field}", **named)
        raise Refused("no-crm-value", message, _("add this line to values: {value}: …", **named))

    return find


def _each_option(find: Step, separator: str | None) -> Step:
    """Return what finds each option of a multi-select by itself."""

    def find_all(cell: str | Typed) -> str:
        return (separator or "").join(str(find(option)) for option in options_in(str(cell), separator))

    return find_all


def _known_step(known: Known, *, addresses: bool) -> Step:
    """Return what finds a value among the known ones; what is no address is left to validation, which says so."""

    def find(cell: str | Typed) -> str:
        text = clean(str(cell))
        return text if addresses and "@" not in text else known.spelling(text)

    return find


def _strip(asked: str | None) -> Callable[[str | Typed], str | Typed]:
    """Return how a field strips its cells: white space, nothing (`false`), or further characters as well."""
    if asked in {None, "true"}:
        return stripped
    if asked == "false":
        return lambda cell: cell
    further = asked or ""
    return lambda cell: cell.strip().strip(further).strip() if isinstance(cell, str) else cell


# MERGED importer.mapping.tables: Which texts of a field's `values` no cell of its column holds: they are often misspelt.

_REMEMBERED = 100  # texts without a value, kept to say what a misspelt one may have meant


@dataclass
class Vocabulary:
    """The texts of one field's `values`, ticked off while the column is surveyed."""

    path: Steps
    column: str
    texts: Iterable[str]
    _unseen: dict[str, None] = field(init=False)
    _words: Words[str] = field(init=False)
    _strangers: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with all texts unseen, but the one that stands for all others."""
        named = [text for text in self.texts if text != REST]
        self._words = Words((text, text) for text in named)
        self._unseen = dict.fromkeys(self._words)

    def observe(self, cells: Iterable[object]) -> None:
        """Tick off the texts that stand in cells."""
        for text in {str(cell).strip() for cell in set(cells)} - {""}:
            alike = self._words.alike(text)
            for word in alike:
                self._unseen.pop(word, None)
            if not alike and len(self._strangers) < _REMEMBERED:
                self._strangers[text] = None

    def unused(self, places: Places) -> Iterator[MappingFault]:
        """Yield what no cell holds, at its place in the file."""
        for text in self._unseen:
            near = nearest(text, self._strangers, 1)
            message = (
                _(
                    "no cell of {column} is '{text}'; did you mean '{near}'?",
                    column=self.column,
                    text=text,
                    near=near[0],
                )
                if near
                else _("no cell of {column} is '{text}'", column=self.column, text=text)
            )
            yield places.fault((*self.path, "values", text), message, at_key=True)
