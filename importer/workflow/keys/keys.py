"""The keys of a whole source: which rows have the same key, which nearly the same, in a few bytes per row."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod

import numpy as np
import pandas as pd

from importer import identity
from importer.model import Cell, Corrected, earlier_reading
from importer.workflow.keys.lookalikes import Spelling, spellings
from importer.workflow.keys.separators import unseparated

MOST_NAMED = 100
"""The most rows with nearly the same key that are kept for a sentence, which shows five of them."""

_SHORT_KEY = 16
"""Hexadecimal digits of a digest that distinguish keys of one source: 64 bits, eight bytes per row."""


_MOST_WAYS = 8
"""The most keys that are recorded of a corrected row, its own included, if any of its corrections may be lost."""

_OTHER = np.dtype([("row", np.int64), ("key", np.uint64), ("loose", np.int64), ("bare", bool)])
"""Another spelling of a key: the row, the key, the hash of its loose form, and whether it is bare."""

_EARLIER = np.dtype([("row", np.int64), ("key", np.uint64), ("earlier", np.uint64)])
"""A row whose key was another one in version 1."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Each row's canonical key parts, and their digest; both empty if a part is blank or unknown.

    `spellings` are the other forms in which programs show a key, `earlier` the digests of the keys that version 1 made
    of the same cells, and `uncorrected` those that a corrected row has where its corrections are lost, all by the
    position of a row from 0; most keys have none of them.
    """

    parts: Sequence[tuple[str, ...]]
    digests: Sequence[str]
    spellings: Mapping[int, tuple[Spelling, ...]] = field(default_factory=dict)
    earlier: Mapping[int, str] = field(default_factory=dict)
    uncorrected: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        parts: Sequence[tuple[str, ...]],
        spelt: Mapping[int, tuple[Spelling, ...]] | None = None,
        earlier: Iterable[tuple[str, ...]] = (),
        uncorrected: Mapping[int, Iterable[tuple[str, ...]]] | None = None,
    ) -> Keys:
        """Return the keys with these parts; `earlier` are those of version 1, in the same order."""
        before = {at: identity.key_digest(old) for at, old in enumerate(earlier) if old and old != parts[at]}
        lost = {
            at: tuple(identity.key_digest(old) for old in keys if old and old != parts[at])
            for at, keys in (uncorrected or {}).items()
        }
        return cls(parts, [identity.key_digest(key) if key else "" for key in parts], spelt or {}, before, lost)

    def versions(self) -> list[str]:
        """Return the digests of all keys, and those that version 1 made."""
        return [*filter(None, self.digests), *self.earlier.values()]


def keys_in(frame: pd.DataFrame, columns: Sequence[str]) -> Keys:
    """Return each row's key."""
    rows: list[tuple[Cell, ...]] = list(zip(*(frame[column].tolist() for column in columns), strict=True))
    parts = [identity.key_parts(cells) for cells in rows]
    spelt = (spellings(cells, key) if key else () for cells, key in zip(rows, parts, strict=True))
    spelt_by_row = {at: others for at, others in enumerate(spelt) if others}
    earlier = (identity.earlier_key_parts(cells) if any(map(_may_differ, cells)) else () for cells in rows)
    uncorrected = {at: list(map(identity.key_parts, others)) for at, others in _uncorrected(rows).items()}
    return Keys.of(parts, spelt_by_row, earlier, uncorrected)


def content_keys(frame: pd.DataFrame, columns: Sequence[str], occurrences: Occurrences) -> Keys:
    """Return keys made of each row's content and its n-th occurrence; must be called for the frames from the top on."""
    written = list(zip(*(frame[column].tolist() for column in columns), strict=True))
    rows = zip(*(map(identity.canonical, frame[column]) for column in columns), strict=True)
    before = zip(*(map(identity.canonical, map(earlier_reading, frame[column])) for column in columns), strict=True)
    return Keys.of(
        [identity.content_key(cells, occurrences.next(cells)) for cells in rows],
        earlier=[identity.content_key(cells, occurrences.next_earlier(cells)) for cells in before],
        uncorrected={
            at: [identity.content_key(tuple(map(identity.canonical, cells)), 1) for cells in others]  # see may_become
            for at, others in _uncorrected(written).items()
        },
    )


def _uncorrected(rows: Iterable[Sequence[Cell]]) -> dict[int, list[tuple[Cell, ...]]]:
    """Return the cells that corrected rows have where corrections are lost, by position.

    All of them may be, which comes first, or some. Where there are too many ways to lose some, only those count in
    which one cell has lost its own, or the latest are lost, as in an older copy of their file.
    """
    found: dict[int, list[tuple[Cell, ...]]] = {}
    for at, cells in enumerate(rows):
        if not any(isinstance(cell, Corrected) for cell in cells):
            continue
        ways = [(cell.before, *cell.between, cell) if isinstance(cell, Corrected) else (cell,) for cell in cells]
        if prod(map(len, ways)) <= _MOST_WAYS:
            found[at] = list(dict.fromkeys(product(*ways)))
            continue
        places = {i: cell.place for i, cell in enumerate(cells) if isinstance(cell, Corrected)}
        older: list[tuple[Cell, ...]] = [tuple(cells)]
        for i in sorted(places, key=places.__getitem__, reverse=True):
            older.insert(0, (*older[0][:i], ways[i][0], *older[0][i + 1 :]))
        one_lost = [(*cells[:i], text, *cells[i + 1 :]) for i, texts in enumerate(ways) for text in texts[:-1]]
        found[at] = list(dict.fromkeys([*older, *one_lost]))
    return found


class KeyIndex:
    """Remembers every key of a source; to be queried once all of them were added."""

    def __init__(self) -> None:
        self._rows: list[np.ndarray] = []
        self._keys: list[np.ndarray] = []
        self._loose: list[np.ndarray] = []
        self._others: list[np.ndarray] = []  # other spellings of keys
        self._earlier: list[np.ndarray] = []  # the keys that version 1 made of rows, where they differ

    def add(self, rows: Sequence[int], keys: Keys, without: Collection[int] = ()) -> None:
        """Remember the keys of some rows; ignores the rows in `without` and rows that have no key."""
        known = [at for at, digest in enumerate(keys.digests) if digest and rows[at] not in without]
        self._rows.append(np.array([rows[at] for at in known], dtype=np.int64))
        self._keys.append(np.array([_number(keys.digests[at]) for at in known], dtype=np.uint64))
        # only compared with one another, so that Python's own hash is enough
        loose = [_loose(keys.parts[at]) for at in known]
        self._loose.append(np.array(loose, dtype=np.int64))
        others = [
            (rows[at], _number(keys.digests[at]), _loose(other.parts), other.bare)
            for at, spelt in keys.spellings.items()
            if rows[at] not in without
            for other in spelt
        ]
        self._others.append(np.array(others, dtype=_OTHER))
        earlier = [
            (rows[at], _number(keys.digests[at]), _number(digest))
            for at, digest in keys.earlier.items()
            if keys.digests[at] and rows[at] not in without
        ]
        self._earlier.append(np.array(earlier, dtype=_EARLIER))

    def present(self, short_keys: Sequence[str]) -> set[str]:
        """Return those of the short keys that a remembered row has, or had in version 1."""
        numbers = np.array([int(short, 16) for short in short_keys], dtype=np.uint64)
        known = np.isin(numbers, _joined(self._keys))
        if any(map(len, self._earlier)):
            known |= np.isin(numbers, _joined(self._earlier)["earlier"])
        return {short for short, is_known in zip(short_keys, known.tolist(), strict=True) if is_known}

    def with_own_key(self, digests: Sequence[str]) -> set[str]:
        """Return those of the digests that are the present key of a remembered row."""
        numbers = np.array(list(map(_number, digests)), dtype=np.uint64)
        known = np.isin(numbers, _joined(self._keys))
        return {digest for digest, is_known in zip(digests, known.tolist(), strict=True) if is_known}

    def repeated(self) -> dict[str, tuple[int, ...]]:
        """Return the short key of each key that several rows have, and those rows."""
        rows, keys = _joined(self._rows), _joined(self._keys)
        return {f"{number:016x}": tuple(found) for number, found in _groups(keys, rows).items()}

    def ambiguous(self) -> dict[str, tuple[int, ...]]:
        """Return the short keys of version 1 that now belong to rows with different keys, and those rows."""
        if not any(map(len, self._earlier)):
            return {}
        earlier = _joined(self._earlier)
        rows, keys = _joined(self._rows), _joined(self._keys)
        still = np.isin(keys, earlier["earlier"])
        old = np.concatenate([earlier["earlier"], keys[still]])
        new = np.concatenate([earlier["key"], keys[still]])
        numbers = np.concatenate([earlier["row"], rows[still]])
        groups = _groups(old, np.arange(len(old)))
        return {
            f"{number:016x}": tuple(sorted(numbers[group].tolist()))
            for number, group in groups.items()
            if np.any(new[group] != new[group[0]])
        }

    def similar(self) -> dict[int, tuple[int, ...]]:
        """Return, for each row whose key nearly equals those of other rows, the first of those rows.

        See `separators.unseparated` and `lookalikes.spellings`; two bare spellings do not count as nearly equal. There
        are at most `MOST_NAMED` rows, since thousands of spellings of one key would all name each other otherwise.
        """
        rows, keys, loose = _joined(self._rows), _joined(self._keys), _joined(self._loose)
        bare = np.zeros(len(rows), dtype=bool)
        if self._others:
            others = _joined(self._others)
            rows, keys = np.append(rows, others["row"]), np.append(keys, others["key"])
            loose, bare = np.append(loose, others["loose"]), np.append(bare, others["bare"])
        found: dict[int, tuple[int, ...]] = {}
        for group in map(np.array, _groups(loose, np.arange(len(rows))).values()):
            spelt, numbers, is_bare = keys[group], rows[group], bare[group]
            for key in np.unique(spelt) if np.any(spelt != spelt[0]) else ():
                mine = spelt == key
                count = ~mine & ~is_bare if np.all(is_bare[mine]) else ~mine
                near = tuple(numbers[count][:MOST_NAMED].tolist())  # the same for all rows with this key
                for row in numbers[mine].tolist() if near else ():
                    found[row] = tuple(sorted({*found[row], *near}))[:MOST_NAMED] if row in found else near
        return found


class Occurrences:
    """Counts equal contents from the top of a source on, for rows without a key of their own."""

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}
        self._seen_earlier: dict[int, int] = {}

    def next(self, cells: Sequence[str]) -> int:
        """Return which occurrence of these canonical cells this is, from 1."""
        return _next(self._seen, cells)

    def next_earlier(self, cells: Sequence[str]) -> int:
        """Return the same for cells as version 1 read them, among its readings."""
        return _next(self._seen_earlier, cells)


def _next(seen: dict[int, int], cells: Sequence[str]) -> int:
    number = _number(identity.key_digest(cells))
    seen[number] = seen.get(number, 0) + 1
    return seen[number]


def _may_differ(cell: Cell) -> bool:
    """Tell whether version 1 may have made another part of a key of a cell."""
    return earlier_reading(cell) is not cell or not str(cell).isascii()


def short_key(digest: str) -> str:
    """Return the part of a key digest that `KeyIndex` uses."""
    return digest[:_SHORT_KEY]


def _loose(parts: Sequence[str]) -> int:
    return hash(tuple(map(unseparated, parts)))


def _number(digest: str) -> int:
    return int(digest[:_SHORT_KEY], 16)


def _joined(parts: Sequence[np.ndarray]) -> np.ndarray:
    return np.concatenate(parts) if parts else np.array([], dtype=np.uint64)


def _groups(values: np.ndarray, rows: np.ndarray) -> Mapping[int, list[int]]:
    """Return the rows of every value that occurs more than once."""
    order = np.argsort(values, kind="stable")
    values, rows = values[order], rows[order]
    again = np.flatnonzero(values[1:] == values[:-1])
    groups: dict[int, list[int]] = {}
    for index in again.tolist():
        value = int(values[index])
        groups.setdefault(value, [int(rows[index])]).append(int(rows[index + 1]))
    return groups
