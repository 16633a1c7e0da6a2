"""The keys of a whole source: which rows bear the same one, which nearly the same, in a few bytes a row."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from importer import identity
from importer.model import Fault

MOST_NAMED = 100
"""Rows that are named as nearly alike; a sentence shows five of them."""

_PREFIX = 16
"""Hexadecimal digits of a digest that tell keys of one source apart: 64 bits, eight bytes a row."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Each row's canonical key parts, and their digest; both empty where a part is blank or cannot be known."""

    parts: Sequence[tuple[str, ...]]
    digests: Sequence[str]

    @classmethod
    def of(cls, parts: Sequence[tuple[str, ...]]) -> Keys:
        """Return keys by their parts."""
        return cls(parts, [identity.key_digest(key) if key else "" for key in parts])


def keys_in(frame: pd.DataFrame, columns: Sequence[str]) -> Keys:
    """Return each row's key."""
    cells = [frame[column].tolist() for column in columns]
    return Keys.of([_parts(row) for row in zip(*cells, strict=True)])


def _parts(cells: tuple[object, ...]) -> tuple[str, ...]:
    parts = tuple(["" if isinstance(cell, Fault) else identity.canonical(cell) for cell in cells])
    return parts if all(parts) else ()


class KeyBook:
    """Remembers every key of a source, to be asked once all of them were added."""

    def __init__(self) -> None:
        self._rows: list[np.ndarray] = []
        self._keys: list[np.ndarray] = []
        self._loose: list[np.ndarray] = []

    def add(self, rows: Sequence[int], keys: Keys, without: Collection[int] = ()) -> None:
        """Remember the keys of some rows; those `without`, and those without a key, are passed over."""
        known = [at for at, digest in enumerate(keys.digests) if digest and rows[at] not in without]
        self._rows.append(np.array([rows[at] for at in known], dtype=np.int64))
        self._keys.append(np.array([_number(keys.digests[at]) for at in known], dtype=np.uint64))
        # these are compared with one another only, for which Python's own hash is enough
        loose = [hash(tuple(map(identity.loose, keys.parts[at]))) for at in known]
        self._loose.append(np.array(loose, dtype=np.int64))

    def borne(self, marks: Sequence[str]) -> set[str]:
        """Return those of the keys, by their digests' prefixes, that some remembered row bears."""
        numbers = np.array([int(mark, 16) for mark in marks], dtype=np.uint64)
        known = np.isin(numbers, _joined(self._keys))
        return {mark for mark, is_known in zip(marks, known.tolist(), strict=True) if is_known}

    def repeated(self) -> dict[str, tuple[int, ...]]:
        """Return, for each key that several rows bear, its digest's prefix and those rows."""
        rows, keys = _joined(self._rows), _joined(self._keys)
        return {f"{number:016x}": tuple(found) for number, found in _groups(keys, rows).items()}

    def similar(self) -> dict[int, tuple[int, ...]]:
        """Return, for each row whose key is nearly that of other rows (see `identity.loose`), the first of those rows.

        They are at most `MOST_NAMED`: thousands of spellings of one key would name each other in full otherwise.
        """
        rows, keys, loose = _joined(self._rows), _joined(self._keys), _joined(self._loose)
        found: dict[int, tuple[int, ...]] = {}
        for group in map(np.array, _groups(loose, np.arange(len(rows))).values()):
            spelt, numbers = keys[group], rows[group]
            for key in np.unique(spelt) if np.any(spelt != spelt[0]) else ():
                others = tuple(numbers[spelt != key][:MOST_NAMED].tolist())  # one for all rows that bear this key
                found.update(dict.fromkeys(numbers[spelt == key].tolist(), others))
        return found


class Occurrences:
    """Counts equal contents from the top of a source on, for rows that have no key of their own."""

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}

    def next(self, cells: Sequence[str]) -> int:
        """Return which occurrence of these canonical cells this is, from 1."""
        number = _number(identity.key_digest(cells))
        self._seen[number] = self._seen.get(number, 0) + 1
        return self._seen[number]


def prefix(digest: str) -> str:
    """Return the part of a key digest by which `KeyBook.repeated` names it."""
    return digest[:_PREFIX]


def _number(digest: str) -> int:
    return int(digest[:_PREFIX], 16)


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
