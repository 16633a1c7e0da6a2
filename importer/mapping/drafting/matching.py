"""Which column of a sheet is which field of a case: by the header's words, and by what the cells look like."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from importer.mapping.drafting.headers import BEGINNINGS, FIELDS, OF_OTHERS, words_of
from importer.mapping.drafting.profiles import Profile, is_file_name
from importer.messages import _

_SYNONYMS = {field: tuple(dict.fromkeys(map(words_of, headers))) for field, headers in FIELDS.items()}
_PARTS = re.compile(
    r"[/|()\[\];:,\u2013\u2014]| - | [yoeu] ", re.IGNORECASE
)  # between the names of a header with several
_LONGER = 1.5  # times as long as the texts of a description
_SENTENCE = 25  # characters
_OF_ANSWERS = frozenset({*BEGINNINGS["solution"], "producto", "produto", "product"})
_ALIKE = 0.88  # of the letters: a typing error or a plural, but not another word


@dataclass(frozen=True, slots=True)
class Match:
    """A column that is probably a field, and the evidence; `is_sure` unless a person had better look at it."""

    column: str
    evidence: str
    is_sure: bool = True


def match_headers(found: Mapping[str, Profile]) -> dict[str, Match]:
    """Return the column of each field, by the headers and by what the cells look like."""
    matches: dict[str, Match] = {}
    for field, synonyms in _SYNONYMS.items():
        free = {
            column: profile for column, profile in found.items() if column not in {m.column for m in matches.values()}
        }
        if match := _match(field, synonyms, free):
            matches[field] = match
    for field in BEGINNINGS:
        taken = {match.column for match in matches.values()}
        if field not in matches and (match := _weak_match(field, found, taken)):
            matches[field] = match
    if "contact" not in matches and (addresses := [column for column, profile in found.items() if profile.emails]):
        matches["contact"] = Match(addresses[0], _("its cells are e-mail addresses"))
    if "description" not in matches and "subject" in matches:
        matches["description"] = matches.pop("subject")
    return _with_longest_description(found, matches)


def _with_longest_description(found: Mapping[str, Profile], matches: Mapping[str, Match]) -> dict[str, Match]:
    """Return the matches with the longest texts as the description: `Motivo` is a subject beside `Detalle del reclamo`.

    Where only the cells of a column say that it may tell more, the description is a guess.
    """
    now = matches.get("description")
    if now is None:
        return {**matches}
    taken = {match.column for match in matches.values()}
    least = found[now.column].mean_length() * _LONGER
    longer = [profile for name, profile in found.items() if name not in taken and _tells_more(profile, least)]
    longer.sort(key=Profile.mean_length, reverse=True)
    for profile in longer:
        if match := _description_of(profile):
            subject = {} if "subject" in matches else {"subject": now}
            return {**matches, **subject, "description": match}
    if longer and "subject" not in matches:
        why = _("{evidence}; '{column}' has longer texts", evidence=now.evidence, column=longer[0].column)
        return {**matches, "description": Match(now.column, why, is_sure=False)}
    return {**matches}


def _tells_more(profile: Profile, least: float) -> bool:
    """Return whether a column has longer sentences than the description, and is of nothing else, as a solution is."""
    if not _OF_ANSWERS.isdisjoint(_words(profile.column)):
        return False
    return profile.is_free_text and profile.mean_length() >= max(least, _SENTENCE) and not profile.files


def _description_of(profile: Profile) -> Match | None:
    """Return the description that a column is by its header, as a guess."""
    match = _match("description", _SYNONYMS["description"], {profile.column: profile})
    match = match or _weak_match("description", {profile.column: profile}, ())
    return match and Match(match.column, match.evidence, is_sure=False)


def agents_for_both(matches: Mapping[str, Match]) -> dict[str, Match]:
    """Return the columns of the fields; where one column has the agents, it is that of both users of a case."""
    agents = matches.get("responsible") or matches.get("owner")
    return {**({"responsible": agents, "owner": agents} if agents else {}), **matches}


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
                return Match(columns[0], _("the header is similar to '{synonym}'", synonym=synonym), is_sure=False)
    return None


def _weak_match(field: str, found: Mapping[str, Profile], taken: Collection[str]) -> Match | None:
    """Return a column of whose header a part is the field's (`Solución / respuesta`), or which begins like one."""
    free = [column for column, profile in found.items() if column not in taken and _could_be_text(field, profile)]
    for synonym in _SYNONYMS[field]:
        for column in free:
            if synonym in map(words_of, _PARTS.split(column)):
                return Match(column, _("'{synonym}' is a part of its header", synonym=synonym), is_sure=False)
    for beginning in BEGINNINGS[field]:
        for column in free:
            first, _space, rest = f"{words_of(column)} ".partition(f"{beginning} ")
            if not first and OF_OTHERS.isdisjoint(rest.split()):
                return Match(column, _("its header begins with '{synonym}'", synonym=beginning), is_sure=False)
    return None


def _could_be_text(field: str, profile: Profile) -> bool:
    """Return whether a column of which only a part of the header says so could be a field's by its cells."""
    if not _could_be(field, profile) or (not profile.counts and not OF_OTHERS.isdisjoint(_words(profile.column))):
        return False
    if field == "description":
        return profile.is_free_text
    return field == "contact" or not profile.counts or profile.mostly(_is_wordy, 0.5)


def _words(header: str) -> list[str]:
    return words_of(header).split()


def _is_wordy(text: str) -> bool:
    """Return whether a text is neither a date nor a number nor a file's name."""
    return sum(map(str.isalpha, text)) * 2 > len(text.strip()) and not is_file_name(text)


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
