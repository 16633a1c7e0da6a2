"""A table beside a sheet whose rows belong to the sheet's: comments, history, follow-ups."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import TYPE_CHECKING

from importer.mapping.document import Node
from importer.mapping.drafting.guesses import DraftLine, flow
from importer.mapping.drafting.headers import words_of
from importer.mapping.drafting.kinds import Guess, guess_type, is_html
from importer.mapping.drafting.matching import is_called, match_headers
from importer.mapping.drafting.profiles import Profile, profile_columns
from importer.messages import _
from importer.text import canonical_key, yaml_quoted, yaml_scalar

if TYPE_CHECKING:
    import pandas as pd

_KEYS = 200_000  # of the sheet that are compared
_SAME_COLUMNS = 0.8  # of a table are those of the sheet: another week of it, or a copy
_AUTHORS = frozenset({
    "author", "autor", "autora", "usuario", "user", "agente", "agent", "created by", "creado por", "criado por", "de",
    "from", "responsable", "responsavel", "escrito por", "nombre", "nome", "name", "username", "asesor", "atendente",
    "registrado por", "author name", "nombre usuario",
})  # fmt: skip
_DATES = ("date", "datetime")


@dataclass(frozen=True, slots=True)
class OtherSheet:
    """A table beside a sheet: in the `file` of that name, or the `sheet` of the same workbook."""

    file: str | None
    sheet: str | None
    columns: Sequence[str]
    frames: Iterable[pd.DataFrame]

    @property
    def name(self) -> str:
        """What people call it."""
        return self.file or self.sheet or ""


@dataclass(frozen=True, slots=True)
class FoundRows:
    """A table whose rows belong to those of a sheet: by which column, how many do, and what its columns are."""

    table: OtherSheet
    key: str
    rows: int
    matched: int
    found: Mapping[str, Profile]
    texts: Sequence[str]

    def lines(self) -> Iterator[DraftLine]:
        """Yield the transcript that is made of these rows."""
        counted = {"table": self.table.name, "rows": self.rows, "matched": self.matched, "column": self.key}
        why = _("{table} has several rows for one key: {matched} of its {rows} rows belong to rows here, by {column}",
                **counted)  # fmt: skip
        yield DraftLine("  transcript:", why)
        yield DraftLine(f"    name: {yaml_scalar(_('history'))}.txt", _(".txt or .html"))
        yield DraftLine(f"    template: {yaml_quoted(self._template())}", _("when, who and what, by headers and cells"))
        if any(is_html(self.found[column]) for column in self.texts):
            yield DraftLine("    type: html", _("HTML"))
        for key in ("read", "century"):
            if self._is_clear and self._day and key in self._guess(self._day).keys:
                yield DraftLine(f"    {key}: {flow(self._guess(self._day).keys[key])}", self._guess(self._day).evidence)
        yield DraftLine(f"    rows: {flow(self._rows())}", self._sorting())
        field: Node = {"template": self._template(), "join": "\n", "rows": self._rows()}
        yield DraftLine(f"    # {flow(field)}", _("the same as a field of the form: up to 2,500 characters"))

    def _rows(self) -> dict[str, Node]:
        place: dict[str, Node] = {"file": self.table.file} if self.table.file else {"sheet": self.table.name}
        return {**place, "key": self.key, **({"order": self._day} if self._day and self._is_clear else {})}

    def _sorting(self) -> str:
        if self._day is None or self._is_clear:
            return _("one row after the other, sorted by that column") if self._day else _("in the order of the table")
        doubt = self._guess(self._day).evidence.removeprefix("<-- ")
        return _(
            "in the order of the table; to sort them, add order: {column} ({doubt})", column=self._day, doubt=doubt
        )

    @property
    def _day(self) -> str | None:
        """The column with the dates of the rows."""
        return next((column for column in self.found if self._guess(column).keys.get("type") in _DATES), None)

    @property
    def _is_clear(self) -> bool:
        """Whether the cells alone show which dates they are: a draft asks nothing about a table beside the sheet."""
        return self._day is not None and not self._guess(self._day).evidence.startswith("<--")

    def _guess(self, column: str) -> Guess:
        return guess_type(self.found[column])

    def _template(self) -> str:
        """Return the text of a row: when and who on its first line, then what."""
        day, form = self._day, ""
        if day and self._is_clear:
            form = ":DD/MM/YYYY HH:mm" if self._guess(day).keys["type"] == "datetime" else ":DD/MM/YYYY"
        others = (column for column in self.found if column not in {*self.texts, day, self.key})
        author = next(filter(_is_author, others), None)
        heads = [f"{{{day}{form}}}" if day else "", f"{{{author}}}" if author else ""]
        lines = [" ".join(filter(None, heads)), *(f"{{{column}}}" for column in self.texts)]
        return "\n".join(filter(None, lines))


def find_rows(
    key: str, columns: Sequence[str], frames: Iterable[pd.DataFrame], others: Iterable[OtherSheet]
) -> list[FoundRows]:
    """Return the tables with several rows for a key of the sheet, the one with most such rows first.

    `columns` and `frames` are the sheet's.
    """
    keys: set[str] = set()
    for frame in frames:
        keys.update(canonical_key(cell) for cell in frame[key] if len(keys) < _KEYS)
    own = set(map(words_of, columns))
    found = (_found(key, keys - {""}, own, other) for other in others)
    return sorted(filter(None, found), key=lambda rows: -rows.matched)


def same_columns(columns: Sequence[str], others: Iterable[OtherSheet]) -> list[str]:
    """Return the sheets of the same workbook that have nearly all columns of a sheet: another week or place of it."""
    own = set(map(words_of, columns))
    tabs = [other for other in others if other.file is None and other.sheet is not None]
    return [tab.name for tab in tabs if len(own & set(map(words_of, tab.columns))) >= _SAME_COLUMNS * len(own)]


def _found(key: str, keys: AbstractSet[str], own: AbstractSet[str], other: OtherSheet) -> FoundRows | None:
    usable = [column for column in other.columns if not re.search("[{}]", column)]
    if not usable or sum(words_of(column) in own for column in usable) >= _SAME_COLUMNS * len(usable):
        return None
    found = profile_columns(usable, other.frames)
    by = _key_column(key, keys, found)
    if by is None:
        return None
    matches = match_headers({column: profile for column, profile in found.items() if column != by})
    called = matches.get("description")
    texts = [column for column, profile in found.items() if column != by and profile.is_free_text]
    texts = texts or ([called.column] if called else [])
    if not texts:
        return None
    matched = sum(count for text, count in found[by].counts.items() if canonical_key(text) in keys)
    return FoundRows(other, by, found[by].rows, matched, found, texts)


def _key_column(key: str, keys: AbstractSet[str], found: Mapping[str, Profile]) -> str | None:
    """Return the column with keys of the sheet, some of them several times."""
    shares: dict[str, float] = {}
    for column, profile in found.items():
        texts = {canonical_key(text) for text in profile.counts}
        common = len(texts & keys)
        is_named = _is_alike(key, column) or is_called("key", column)
        if profile.repeated and common * 2 >= len(texts) > 0 and common > 1 and (is_named or common * 2 >= len(keys)):
            shares[column] = common / len(texts) + is_named
    return max(shares, key=shares.__getitem__) if shares else None


def _is_alike(key: str, column: str) -> bool:
    """Return whether two headers share a word: `Ticket` and `ticket_id`."""
    return not set(words_of(key).split()).isdisjoint(words_of(column).split())


def _is_author(column: str) -> bool:
    return words_of(column) in _AUTHORS or any(is_called(field, column) for field in ("person", "owner", "responsible"))
