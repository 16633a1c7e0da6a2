"""Words that people type into a sheet and a mapping: found as written, or else without case and accents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from importer.messages import _
from importer.text import nearest, trimmed, unaccented

Meaning = TypeVar("Meaning")


class Words(Generic[Meaning]):
    """A dictionary for what people type: a text is found as written, or else without case and accents."""

    def __init__(self, entries: Iterable[tuple[str, Meaning]]) -> None:
        self._exact = {trimmed(word): meaning for word, meaning in entries}
        self._unaccented: dict[str, list[str]] = {}
        for word in self._exact:
            self._unaccented.setdefault(unaccented(word), []).append(word)

    def alike(self, text: str) -> Sequence[str]:
        """Return the word that equals `text`, or else all words equal without case and accents."""
        text = trimmed(text)
        return (text,) if text in self._exact else self._unaccented.get(unaccented(text), ())

    def __getitem__(self, word: str) -> Meaning:
        return self._exact[word]

    def __iter__(self) -> Iterator[str]:
        return iter(self._exact)


def did_you_mean(word: str, known: Iterable[str], alike: float = 0.6) -> str:
    """Return a hint: the words that `word` may be a misspelling of (see `nearest`), or else all known ones."""
    known = tuple(known)
    if near := nearest(word, known, alike=alike):
        return _("did you mean {names}?", names=_(" or ").join(near))
    if known:
        return _("possible values: {names}", names=", ".join(known))
    return _("there are none")
