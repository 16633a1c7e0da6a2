"""What names a case besides its `wolkvox_id`: an `idPrefijo`, a number, or a text of an id's shape in the CRM's words.

A success gives these names besides the id, where they add nothing. Where they come alone, they are all that is known of
a case. Reading them is caution: the vendor documents only `wolkvox_id` and `idPrefijo` in `data`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from itertools import chain

from importer.messages import shorten
from importer.text import clean, is_case_id, plain, unescaped

_LONGEST = 64
_PREFIX_NAMES = {"idprefijo"}
_NUMBER_NAMES = {"idcase"}
_CASE_NAMES = {"caseid"}
_NEAR_NAMES = {"id"}  # only where an answer speaks of the case itself: everything has an `id`
_NAMES = _PREFIX_NAMES | _NUMBER_NAMES | _CASE_NAMES
_PEOPLE = {"contact", "owner", "user", "responsible", "company", "owneruser", "responsibleuser"}
_STATUSES = {str(status.value) for status in HTTPStatus}
_OUR_MARK = "wci-"

_WRITTEN = re.compile(
    r"""(?<![a-z0-9])(id[ _-]?prefijo|id[ _-]?case|case[ _-]?id)["'\]]{0,2}\s{0,20}(?:=>|[:=>])\s{0,20}["'\[]{0,2}"""
    r"""\s{0,20}([^\W_](?:[\w.:/#-]{0,62}\w)?)[.:]?(?=[\s"'<,;)}\]])""",
    re.IGNORECASE,
)
"""A name and its value where no JSON can be decoded: cut short, inside a text, in HTML or XML."""

_SHAPED = re.compile(r"(?<![0-9a-z])[0-9a-f]{24}(?![0-9a-z])", re.IGNORECASE | re.ASCII)
"""An id as the CRM's database makes them (undocumented)."""


def prefix_of(value: object) -> str | None:
    """Return an `idPrefijo` that names a case, on one short line: it has a digit above 0 and is not an HTTP status."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    text = shorten(clean(str(value)[: 8 * _LONGEST]), _LONGEST)
    named = any(sign.isdigit() and sign != "0" for sign in text) and not text.casefold().startswith(_OUR_MARK)
    return text if named and text not in _STATUSES else None


def names_in(found: Iterable[Mapping[str, object]]) -> tuple[str, ...]:
    """Return what names a case in decoded objects; next to a `wolkvox_id` it is another name of the same case."""
    names: list[str] = []
    for answer in found:
        data = answer.get("data")
        near = {id(answer), *map(id, data if isinstance(data, list) else [data])}
        for part in _parts(answer):
            if isinstance(part, dict) and not any(
                plain_name(name) == "wolkvoxid" and _case_id(value) for name, value in part.items()
            ):
                names += _names_of(part, near=id(part) in near)
    return tuple(dict.fromkeys(names))


def names_written(found: Iterable[Mapping[str, object]], around: str) -> Iterator[tuple[str, str]]:
    """Yield the names of cases in the texts of decoded objects and in `around`, each after the words that name it."""
    texts = (f"{part} " for answer in found for part in _parts(answer) if isinstance(part, str))  # a space ends a name
    for text in chain([around], texts):
        for some in dict.fromkeys((text, unescaped(text))):
            for match in _WRITTEN.finditer(some):
                if name := _name(plain_name(match[1]), match[2], near=False):
                    yield match[0], name


def ids_in_texts(texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield what has an id's shape in the CRM's texts, twice: as the words that name it, and as the id."""
    for text in texts:
        yield from ((match[0], match[0]) for match in _SHAPED.finditer(plain(text)) if is_case_id(match[0]))


def names_of_record(record: Mapping[str, object]) -> tuple[str, ...]:
    """Return what names a record's own case besides its `wolkvox_id`."""
    return tuple(dict.fromkeys(_names_of(record, near=True)))


def plain_name(name: str) -> str:
    """Return a key without the signs in which its spellings differ."""
    return re.sub(r"[\s_-]", "", name.casefold())


def _names_of(part: Mapping[str, object], *, near: bool) -> Iterator[str]:
    for name, value in part.items():
        key, waiting = plain_name(name), [value]
        while waiting:
            one = waiting.pop()
            if isinstance(one, list):
                waiting += reversed(one)
            elif found := _name(key, one, near=near):
                yield found


def _name(key: str, value: object, *, near: bool) -> str | None:
    """Return the name of a case in a key's value: a number counts only under a key that numbers cases."""
    if key in _PREFIX_NAMES | _NUMBER_NAMES:
        return prefix_of(value)
    return _case_id(value) if key in _CASE_NAMES or (near and key in _NEAR_NAMES) else None


def _case_id(value: object) -> str | None:
    text = value.strip() if isinstance(value, str) else ""
    return text if is_case_id(text) and text not in _STATUSES else None


def _parts(answer: Mapping[str, object]) -> Iterator[str | Mapping[str, object]]:
    """Yield the objects and the texts of an answer, without those that describe people."""
    waiting: list[object] = [answer]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting += [part for name, part in reversed(value.items()) if plain_name(name) not in _PEOPLE]
        elif isinstance(value, list):
            waiting += reversed(value)
        elif isinstance(value, str):
            yield value
