"""Other tables that a mapping needs: which they are, and how texts are looked up in their frames."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from importer.mapping.grammar import Table
from importer.mapping.refusal import Refused
from importer.mapping.words import clean, fold, nearest
from importer.messages import _, shorten
from importer.model import Cell, Fault, TableOptions

if TYPE_CHECKING:
    import pandas as pd

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
