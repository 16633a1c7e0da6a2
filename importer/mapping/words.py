"""Words that people type into a sheet and a mapping: found as written, or else without case and accents."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from importer.messages import _
from importer.text import trimmed, unaccented

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


def nearest(word: str, known: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """Return up to `count` of the `known` words that `word` may be a misspelling of, the likeliest first."""
    names: dict[str, str] = {}
    for name in known:
        names.setdefault(unaccented(name), name)
    wanted = unaccented(word)
    close = difflib.get_close_matches(wanted, names, count)
    ratios = [difflib.SequenceMatcher(None, name, wanted).ratio() for name in close]
    close = [name for name, ratio in zip(close, ratios, strict=True) if ratio >= ratios[0] - 0.1]
    within = [name for name in names if name not in close and wanted and name and (wanted in name or name in wanted)]
    return tuple(names[name] for name in [*close, *within][:count])


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a hint: the words that `word` may be a misspelling of, or else all known ones."""
    known = tuple(known)
    if near := nearest(word, known):
        return _("did you mean {names}?", names=_(" or ").join(near))
    if known:
        return _("possible values: {names}", names=", ".join(known))
    return _("there are none")
