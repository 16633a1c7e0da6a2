"""Which column of a sheet each name in a mapping means, and under which name that column is recorded.

A column is found as the mapping writes it, or else without case and accents, or else without white space, or else by
one of its other headings (`source.headings`). Commands, `draft --like` and the page all find columns here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from importer.mapping.words import Words
from importer.text import as_yaml, squeezed, unaccented

PLACEHOLDER = "…"
"""Stands in a proposed line for the heading that a person is to write."""


class Headings:
    """The columns of a sheet by the names that a mapping has for them."""

    def __init__(
        self, columns: Sequence[str], others: Mapping[str, Sequence[str]] | None = None, names: Iterable[str] = ()
    ) -> None:
        """`others` are further headings by the mapping's own name; `names` are the names that the mapping uses."""
        self._words = Words((column, column) for column in columns)
        self._squeezed: dict[str, list[str]] = {}
        for column in self._words:
            self._squeezed.setdefault(squeezed(column), []).append(column)
        self._groups = {
            squeezed(text): (own, *headings) for own, headings in (others or {}).items() for text in (own, *headings)
        }
        self._recorded = dict(self._renamed(names))

    def alike(self, name: str) -> Sequence[str]:
        """Return the columns that a name may mean, each in the sheet's own spelling; one, if the name is clear."""
        if found := self._written(name):
            return found
        own, *others = self.texts(name)
        if found := self._written(own):
            return found
        return tuple(dict.fromkeys(column for other in others for column in self._written(other)))

    def column(self, *names: str) -> str | None:
        """Return the column that the first clear one of these names means, None where none is clear."""
        return next((alike[0] for alike in map(self.alike, names) if len(alike) == 1), None)

    def texts(self, name: str) -> Sequence[str]:
        """Return all headings that the column of that name may have, the mapping's own name first."""
        return self._groups.get(squeezed(name), (name,))

    def recorded(self, column: str) -> str:
        """Return the name under which the journal records a column of the sheet: its own, whatever its heading is now.

        A heading that differs only in case and accents is recorded as it is, and found by either spelling.
        """
        return self._recorded.get(column, column)

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def _written(self, name: str) -> tuple[str, ...]:
        """Return the columns with this heading: as written, or else alike."""
        alike = self._words.alike(name) or self._squeezed.get(squeezed(name), ())
        return tuple(self._words[word] for word in alike)

    def _renamed(self, names: Iterable[str]) -> Iterator[tuple[str, str]]:
        for name in names:
            own = self.texts(name)[0]
            column = self.column(name)
            if column is not None and unaccented(column) != unaccented(own) and not self._words.alike(own):
                yield column, own


def line_with(others: Mapping[str, Sequence[str]], added: Iterable[tuple[str, str]]) -> str:
    """Return the line of `source` with the headings that a mapping has already, and (own name, heading) pairs.

    All of them are in one line, since a second one would be a duplicate key.
    """
    found = {own: list(texts) for own, texts in others.items()}
    for own, heading in added:
        found.setdefault(own, []).append(heading)
    shown = (f"{as_yaml(own)}: [{', '.join(map(_written, texts))}]" for own, texts in found.items())
    return f"headings: {{{', '.join(shown)}}}"


def _written(heading: str) -> str:
    return heading if heading == PLACEHOLDER else as_yaml(heading)
