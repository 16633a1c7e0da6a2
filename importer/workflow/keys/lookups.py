"""Under which digests the journal may know a key that is written otherwise in this sheet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from importer.identity import loose_digest, spelling_digest
from importer.source import other_readings
from importer.workflow.keys.keys import Keys
from importer.workflow.keys.lookalikes import elaborate_spellings
from importer.workflow.keys.mistaken_dates import before_and_after
from importer.workflow.keys.separators import separated_otherwise


@dataclass(frozen=True, slots=True)
class SpellingLookup:
    """A digest to look up in the journal, and the spelling of a key that it stands for.

    It is `guessed` if another row of this sheet may rightly have a key with this spelling, and `misread` if it is the
    key in another encoding.
    """

    digest: str
    shown: str
    guessed: bool = False
    misread: bool = False


def lookups_of(keys: Keys, at: int, *, guesses: bool, lacks_spellings: bool) -> Iterator[SpellingLookup]:
    """Yield every digest by which the journal may know the key of the row at a position.

    A guess means a known key that the sheet has no more: none is needed where it has them all. `lacks_spellings` is
    what the import's history says.
    """
    parts, spelt = keys.parts[at], keys.spellings.get(at, ())
    shown = " · ".join(parts)
    yield SpellingLookup(loose_digest(parts), shown)
    yield SpellingLookup(spelling_digest(parts, bare=True), shown)
    for other in spelt:
        text = " · ".join(other.parts)
        yield SpellingLookup(loose_digest(other.parts), text)
        if not other.bare:
            yield SpellingLookup(spelling_digest(other.parts, bare=True), text)
    if guesses:
        forms = [other.parts for other in spelt]
        for form in (parts, *forms):
            for elaborate in elaborate_spellings(form, all_of_them=lacks_spellings):
                yield _guess(elaborate)
        yield from map(_guess, before_and_after(parts, forms))
        yield from map(_guess, separated_otherwise(parts))
        yield from (_guess(reading, misread=True) for reading in other_readings(parts))


def _guess(parts: tuple[str, ...], *, misread: bool = False) -> SpellingLookup:
    return SpellingLookup(loose_digest(parts), " · ".join(parts), guessed=True, misread=misread)
