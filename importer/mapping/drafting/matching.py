"""Which column of a sheet is which field of a case, by headers and by what the cells look like."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from importer.mapping.drafting.profiles import Profile
from importer.mapping.drafting.synonyms import HEADERS
from importer.mapping.words import fold
from importer.messages import _

_ALIKE = 0.88  # of the letters: a slip or a plural, and no other word


@dataclass(frozen=True, slots=True)
class Match:
    """A column that was taken for a field, and why."""

    column: str
    evidence: str


def match_headers(found: Mapping[str, Profile]) -> dict[str, Match]:
    """Return which column is which field, by their headers and by what cells must look like to be it."""
    matches: dict[str, Match] = {}
    for field, synonyms in HEADERS.items():
        free = {
            column: profile for column, profile in found.items() if column not in {m.column for m in matches.values()}
        }
        if match := _match(field, synonyms, free):
            matches[field] = match
    if "contact" not in matches and (addresses := [column for column, profile in found.items() if profile.emails]):
        matches["contact"] = Match(addresses[0], _("its cells are e-mail addresses"))
    if "description" not in matches and "subject" in matches:
        matches["description"] = matches.pop("subject")
    return matches


def is_called(field: str, column: str) -> bool:
    """Tell whether a header is one of a field's words, a number behind it aside: `Adjunto 2`."""
    return re.sub(r" \d+$", "", _words(column)) in HEADERS[field]


def _match(field: str, synonyms: Sequence[str], free: Mapping[str, Profile]) -> Match | None:
    by_words: dict[str, list[str]] = {}
    for column, profile in free.items():
        if _could_be(field, profile):
            by_words.setdefault(_words(column), []).append(column)
    for synonym in synonyms:
        if columns := by_words.get(synonym):
            return Match(columns[0], _("the header says so"))
    for synonym in synonyms:
        for words, columns in by_words.items():
            if _alike(words, synonym):
                return Match(columns[0], _("the header is nearly '{synonym}'", synonym=synonym))
    return None


def _alike(one: str, two: str) -> bool:
    """Tell whether two headers differ by a slip only."""
    return min(len(one), len(two)) >= 6 and SequenceMatcher(None, one, two).ratio() >= _ALIKE


def _words(header: str) -> str:
    """Return a header folded, with punctuation as spaces."""
    return " ".join(re.sub(r"[^\w]|_", " ", fold(header)).split())


def _could_be(field: str, profile: Profile) -> bool:
    """Tell whether a column's cells could be a field's; a column without any could be whatever its header says."""
    if not profile.counts:
        return field != "attachments"
    if field == "contact":
        return profile.emails
    if field in {"status", "priority", "case-type"}:
        return profile.few
    if field == "key":
        return profile.filled >= profile.rows * 0.9
    if field == "attachments":
        return profile.files
    return True
