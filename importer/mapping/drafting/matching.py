"""Which column of a sheet is which field of a case: by the header's words, and by what the cells look like."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from importer.mapping.drafting.headers import FIELDS, words_of
from importer.mapping.drafting.profiles import Profile
from importer.messages import _

_SYNONYMS = {field: tuple(dict.fromkeys(map(words_of, headers))) for field, headers in FIELDS.items()}
_ALIKE = 0.88  # of the letters: a typing error or a plural, but not another word


@dataclass(frozen=True, slots=True)
class Match:
    """A column that is probably a field, and the evidence."""

    column: str
    evidence: str


def match_headers(found: Mapping[str, Profile]) -> dict[str, Match]:
    """Return the column of each field, by the headers and by what the cells look like."""
    matches: dict[str, Match] = {}
    for field, synonyms in _SYNONYMS.items():
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
    """Return whether a header is one of a field's words, with or without a number after it: `Adjunto 2`."""
    return re.sub(r" \d+$", "", words_of(column)) in _SYNONYMS[field]


def _match(field: str, synonyms: Sequence[str], free: Mapping[str, Profile]) -> Match | None:
    by_words: dict[str, list[str]] = {}
    for column, profile in free.items():
        if _could_be(field, profile):
            by_words.setdefault(words_of(column), []).append(column)
    for synonym in synonyms:
        if columns := by_words.get(synonym):
            return Match(columns[0], _("by its header"))
    for synonym in synonyms:
        for words, columns in by_words.items():
            if _alike(words, synonym):
                return Match(columns[0], _("the header is similar to '{synonym}'", synonym=synonym))
    return None


def _alike(one: str, two: str) -> bool:
    """Return whether two headers differ only by a typing error."""
    return min(len(one), len(two)) >= 6 and SequenceMatcher(None, one, two).ratio() >= _ALIKE


def _could_be(field: str, profile: Profile) -> bool:
    """Return whether a column's cells could be a field's; in an empty column, only the header counts."""
    if not profile.counts:
        return field != "attachments"
    if field in {"contact", "person"}:
        return profile.half_emails == (field == "contact")
    if field in {"status", "priority", "case-type"}:
        return profile.few
    if field == "key":
        return profile.filled >= profile.rows * 0.9
    if field == "attachments":
        return profile.files
    return True
