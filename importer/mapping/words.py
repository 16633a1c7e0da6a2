"""How texts of a sheet and of a mapping are compared: as written, and then without case and accents."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from importer.messages import _

Meaning = TypeVar("Meaning")


def clean(text: str) -> str:
    """Return `text` in composed form (NFC), non-breaking spaces as spaces, without white space around it."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text).replace("\u00a0", " ")
    return text.strip()


def fold(text: str) -> str:
    """Return `text` without case, accents and repeated white space, for comparing what people type."""
    text = " ".join(text.split()).casefold()
    if text.isascii():
        return text
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


class Words(Generic[Meaning]):
    """A dictionary for what people type: a text is found as it is written, or else without case and accents."""

    def __init__(self, entries: Iterable[tuple[str, Meaning]]) -> None:
        self._exact = {clean(word): meaning for word, meaning in entries}
        self._folded: dict[str, list[str]] = {}
        for word in self._exact:
            self._folded.setdefault(fold(word), []).append(word)

    def alike(self, text: str) -> Sequence[str]:
        """Return the word that `text` is, or those that it is without case and accents; several are ambiguous."""
        text = clean(text)
        return (text,) if text in self._exact else self._folded.get(fold(text), ())

    def __getitem__(self, word: str) -> Meaning:
        return self._exact[word]

    def __iter__(self) -> Iterator[str]:
        return iter(self._exact)


def nearest(word: str, known: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """Return up to `count` of the `known` words that `word` may have meant, the likeliest first."""
    folded: dict[str, str] = {}
    for name in known:
        folded.setdefault(fold(name), name)
    wanted = fold(word)
    close = difflib.get_close_matches(wanted, folded, count)
    ratios = [difflib.SequenceMatcher(None, name, wanted).ratio() for name in close]
    close = [name for name, ratio in zip(close, ratios, strict=True) if ratio >= ratios[0] - 0.1]
    within = [name for name in folded if name not in close and wanted and name and (wanted in name or name in wanted)]
    return tuple(folded[name] for name in [*close, *within][:count])


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return the words that `word` may have meant as a question, or all known ones where none is near."""
    known = tuple(known)
    if near := nearest(word, known):
        return _("did you mean {names}?", names=_(" or ").join(near))
    return _("known here: {names}", names=", ".join(known)) if known else _("none is known here")
