"""Other tables that a mapping needs, and the steps of a field's conversion, some of which look texts up in them."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from importer.errors import MappingFault
from importer.mapping.converters.types import address, constant, options_in
from importer.mapping.document import SourceMap, Steps
from importer.mapping.fields import Conversion, Step, stripped
from importer.mapping.grammar import FieldSpec
from importer.mapping.refusal import Refused
from importer.mapping.table_grammar import TableSpec
from importer.mapping.words import Words
from importer.messages import _, shorten
from importer.model import Cell, CellError, TableOptions, Typed
from importer.text import as_sent, as_yaml, folded_address, is_placeholder, nearest, trimmed, unaccented

if TYPE_CHECKING:
    import pandas as pd

OTHERS = "*"
"""The text of `values`, or of the keys of a lookup's table, for every other one."""

ADDRESSES = frozenset({"contact", "contacts.emailcontact"})
"""The fields that are e-mail addresses whatever the mapping says of their type."""

_MOST_HINTS = 50  # texts whose nearest known one is looked for, which takes long in a large table
_REMEMBERED = 100  # texts that `values` lacks, kept to suggest what an unused one may have meant


@dataclass(frozen=True, slots=True)
class TableNeed:
    """A table that a mapping needs beside its source: an absolute path (None: the source's own file), and options."""

    path: Path | None
    options: TableOptions

    @classmethod
    def of(cls, table: TableSpec, mapping: Path) -> TableNeed:
        """Return what a section of the mapping file at `mapping` needs; relative paths start at its folder."""
        options = TableOptions(table.sheet, table.header_row, table.encoding, table.delimiter)
        return cls(mapping.absolute().parent / table.file if table.file else None, options)


class Lookup:
    """A table in which texts are looked up: as written, or else without case and accents.

    What it lacks has the value of its line `*`, or else `otherwise`.
    """

    def __init__(
        self, frames: Sequence[pd.DataFrame], key: str, value: str, name: str, otherwise: str | None = None
    ) -> None:
        self._name, self._otherwise = name, otherwise
        self._hints_left = _MOST_HINTS
        self._exact: dict[str, list[Cell]] = {}
        self._unaccented: dict[str, list[str]] = {}
        for text, cell in _pairs(frames, key, value):
            self._exact.setdefault(text, []).append(cell)
        for text in self._exact:
            self._unaccented.setdefault(unaccented(text), []).append(text)

    def find(self, text: str) -> str:
        """Return the value for `text`; raises `Refused` where it is missing, duplicate or blank."""
        alike = [text] if text in self._exact else self._unaccented.get(unaccented(text), [])
        if not alike and OTHERS in self._exact:
            alike = [OTHERS]
        elif not alike and self._otherwise is not None:
            return self._otherwise
        found = [cell for key in alike for cell in self._exact[key]]
        named = {"value": shorten(text), "table": self._name}
        if not found:
            raise Refused("not-in-lookup", _("'{value}' is not in {table}", **named), self._remedy(text))
        if len(found) > 1:
            message = _("'{value}' appears {count} times in {table}", count=len(found), **named)
            raise Refused("lookup-key-twice", message, _("Keep one line for it in that table"))
        if isinstance(found[0], CellError):
            raise Refused(found[0].code, _("{table}: {fault}", fault=found[0].message, **named), found[0].remedy)
        if not (value := trimmed(str(found[0]))) or is_placeholder(value):
            message = _("'{value}' has no value in {table}", **named)
            raise Refused("lookup-empty", message, _("Fill in that table's cell"))
        return value

    def _remedy(self, text: str) -> str:
        self._hints_left -= 1
        if self._hints_left >= 0 and (near := nearest(text, self._exact, 1)):
            return _("Add it to that table, or correct the cell; the nearest is '{near}'", near=shorten(near[0]))
        return _(
            "Add a line for it to {table}, or correct the cell; or add to `lookup` in the mapping what every other text"
            " has: `otherwise: …`",
            table=self._name,
        )


class Known:
    """The values that exist in the CRM; a text is found as written, or else without case."""

    def __init__(self, frames: Sequence[pd.DataFrame], column: str, name: str) -> None:
        self._name = name
        self._exact = {text for text, _cell in _pairs(frames, column, column) if not is_placeholder(text)}
        self._caseless: dict[str, list[str]] = {}
        for text in self._exact:
            self._caseless.setdefault(_alike(text), []).append(text)

    def addresses(self) -> frozenset[str]:
        """Return the known values as folded addresses."""
        return frozenset(map(folded_address, self._exact))

    def spelling(self, text: str) -> str:
        """Return the known value that equals `text`, in its own spelling; raises `Refused` where there is none."""
        if text in self._exact:
            return text
        alike = self._caseless.get(_alike(text), [])
        if len(alike) == 1:
            return alike[0]
        message = _("'{value}' is not among the known values of {table}", value=shorten(text), table=self._name)
        remedy = _(
            "Create '{value}' in the CRM and add it to {table}, which `known` in the mapping names, or correct the"
            " cell",
            value=shorten(text),
            table=self._name,
        )
        raise Refused("not-known", message, remedy)


def _alike(text: str) -> str:
    """Return the form in which a known value is found: without case, a letter and its accent as one character."""
    return unicodedata.normalize("NFC", text).casefold()


def _pairs(frames: Sequence[pd.DataFrame], key: str, value: str) -> Iterator[tuple[str, Cell]]:
    """Yield the trimmed key and the value's cell of every row with a key."""
    for frame in frames:
        for text, cell in zip(frame[key], frame[value], strict=True):
            if not isinstance(text, CellError) and (key_text := trimmed(str(text))):
                yield key_text, cell


@dataclass(frozen=True, slots=True)
class ListedFile:
    """One file of a list: the path under which it is stored, and its display name."""

    path: str
    name: str


def listed_files(frames: Sequence[pd.DataFrame], key: str, path: str, name: str | None) -> dict[str, list[ListedFile]]:
    """Return the files of each key, in the order of the list; lines without a path are ignored."""
    files: dict[str, list[ListedFile]] = {}
    for frame in frames:
        for text, stored, shown in zip(frame[key], frame[path], frame[name or path], strict=True):
            if (key_text := trimmed(str(text))) and (stored_text := trimmed(str(stored))):
                files.setdefault(key_text, []).append(ListedFile(stored_text, trimmed(str(shown)) or stored_text))
    return files


@dataclass(frozen=True, slots=True)
class ReferenceTables:
    """The tables that a field's texts are looked up in."""

    lookup: Lookup | None = None
    known: Known | None = None


def conversion(spec: FieldSpec, convert: Step, tables: ReferenceTables, column: str, field: str) -> Conversion:
    """Return a field's whole conversion; `convert` is the step of its type, `column` and `field` are for issues."""
    steps: list[Step] = []
    if spec.values:  # noqa: PD011 - not a frame's values
        find = values_step(spec.values, column, field)
        steps.append(_each_option(find, spec.separator) if spec.type == "multi-select" else find)
    if (lookup := tables.lookup) is not None:
        steps.append(lambda cell: lookup.find(trimmed(str(cell))))
    if spec.type == "email" or field in ADDRESSES:
        steps.append(lambda cell: address(str(cell)))
    steps.append(convert)
    if spec.upper:
        steps.append(lambda cell: str(cell).upper())
    if spec.lower:
        steps.append(lambda cell: str(cell).lower())
    if spec.truncate:
        steps.append(lambda cell: str(cell)[: spec.truncate].rstrip())
    if tables.known is not None:
        steps.append(_known_step(tables.known, addresses=spec.type == "email" or field in ADDRESSES))
    default = None if spec.default is None else constant(spec, spec.default)
    return Conversion(tuple(steps), default, _strip(spec.strip))


def values_step(values: Mapping[str, str], column: str, field: str) -> Step:
    """Return the step that replaces a cell's text by the CRM's value in the mapping."""
    words = Words((text, value) for text, value in values.items() if text != OTHERS)
    written = [text for text in values if text != OTHERS]
    likeliest = lru_cache(_REMEMBERED)(lambda text: next(iter(nearest(text, values.values(), 1)), None))
    misspelt = lru_cache(_REMEMBERED)(lambda text: next(iter(nearest(text, written, 1)), None))

    def find(cell: str | Typed) -> str:
        text = trimmed(str(cell))
        meanings = {words[word] for word in words.alike(text)}
        if len(meanings) == 1:
            return meanings.pop()
        if not meanings and OTHERS in values:
            return values[OTHERS]
        named = {"column": column, "value": shorten(text), "field": field}
        if meanings:
            message = _("{column} '{value}' may mean several of the texts in {field}'s values", **named)
            raise Refused("ambiguous-value", message, _line_to_add(text, likeliest(text)))
        message = _("{column} '{value}' has no CRM {field}", **named)
        if (near := misspelt(text)) is None:
            raise Refused("no-crm-value", message, _line_to_add(text, likeliest(text)))
        line = f"{as_yaml(text)}: {as_yaml(values[near])}"
        remedy = _("add to `values`: `{line}`, or correct the cell: `{text}`", line=line, text=near)
        raise Refused("no-crm-value", message, remedy)

    return find


def _line_to_add(text: str, likeliest: str | None) -> str:
    """Return what to add to `values` for a text, with the value of the CRM that is most like it if one is."""
    if likeliest is not None:
        return _("add to `values`: `{line}`", line=f"{as_yaml(text)}: {as_yaml(likeliest)}")
    return _("add this line to values: {value}: …", value=as_yaml(text))


def _each_option(find: Step, separator: str | None) -> Step:
    """Return the step that replaces each option of a multi-select by itself."""

    def find_all(cell: str | Typed) -> str:
        return (separator or "").join(str(find(option)) for option in options_in(str(cell), separator))

    return find_all


def _known_step(known: Known, *, addresses: bool) -> Step:
    """Return the step that finds a known value; a text that is not an address is left for validation to refuse."""

    def find(cell: str | Typed) -> str:
        text = trimmed(str(cell))
        if not addresses:
            return known.spelling(text)
        return text if "@" not in text else address(known.spelling(text))

    return find


def _strip(option: str | None) -> Callable[[str | Typed], str | Typed]:
    """Return how a field strips its cells: white space, nothing (`false`), or further characters as well."""
    if option in {None, "true"}:
        return stripped
    if option == "false":
        return lambda cell: cell
    characters = option or ""
    return lambda cell: as_sent(cell).strip(characters).strip() if isinstance(cell, str) else cell


@dataclass
class UnusedValues:
    """The texts of one field's `values` that no cell of its column has; often misspelt."""

    path: Steps
    column: str
    texts: Iterable[str]
    _unused: dict[str, None] = field(init=False)
    _words: Words[str] = field(init=False)
    _unmatched: dict[str, None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Begin with all texts unused, except the one for all others."""
        self._words = Words((text, text) for text in self.texts if text != OTHERS)
        self._unused = dict.fromkeys(self._words)

    def observe(self, cells: Iterable[object]) -> None:
        """Remove the texts that cells have."""
        for text in {as_sent(str(cell)) for cell in set(cells)} - {""}:
            alike = self._words.alike(text)
            for word in alike:
                self._unused.pop(word, None)
            if not alike and len(self._unmatched) < _REMEMBERED:
                self._unmatched[text] = None

    def faults(self, source_map: SourceMap) -> Iterator[MappingFault]:
        """Yield the texts that no cell has, with their location in the file."""
        for text in self._unused:
            named = {"column": self.column, "text": text}
            if near := nearest(text, self._unmatched, 1):
                message = _("no cell of {column} is '{text}'; did you mean '{near}'?", near=near[0], **named)
            else:
                message = _("no cell of {column} is '{text}'", **named)
            yield source_map.fault((*self.path, "values", text), message, at_key=True)
