"""Our marks in the records that a search returns: where a case carries its reference, and what only mentions it."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from importer.crm.names import names_of_record
from importer.crm.reading import case_id, short_text
from importer.crm.records import Record
from importer.text import fold

_DESCRIPTIONS = {"description", "descriptioncase", "casedescription", "descripcion", "descripcioncaso"}
_SIGNS = "[0-9A-HJKMNP-TV-Z]"
_REFERENCE = re.compile(rf"WCI-{_SIGNS}{{16}}", re.IGNORECASE | re.ASCII)
_FIRST_LINE = re.compile(rf"\[(WCI-{_SIGNS}{{16}})\]", re.IGNORECASE | re.ASCII)
_BEGINNING = re.compile(r"\[?(?:W|WC|WCI|WCI-[0-9A-Z]{0,16})?", re.IGNORECASE | re.ASCII)
_TAGS = "p|br|div|span|b|strong|i|em|u|font|html|body|section|article|pre|tt|code|h[1-6]"  # none that marks a quote
_BLANK = r"[\s\u200b-\u200f\u2060\ufeff]"
_WRAPPING = re.compile(rf"(?:{_BLANK}|<!--[^<>]{{0,500}}-->|</?(?:{_TAGS})(?:[\s/][^<>]{{0,500}})?>)*", re.IGNORECASE)
_LAST_TAG = re.compile(rf"(?:{_BLANK}|</?[a-z][^<>]{{0,100}}>)+\Z", re.IGNORECASE)
_READ = 4_000  # characters of a description: its mark is at the beginning
_SHORT = 600  # characters; a longer text shows its mark, whatever mark-up surrounds it
_CUT_WITHIN = 30  # characters; a text that is cut later shows its mark


@dataclass(frozen=True, slots=True)
class Hit:
    """A case that carries a reference; an id is None where the record has none. `names` are its further names."""

    wolkvox_id: str | None
    id_prefijo: str | None
    names: tuple[str, ...] = field(default=(), compare=False)


def find_mark(records: Iterable[Record], reference: str, place: str, path: str | None = None) -> tuple[Hit, ...]:
    """Return the distinct cases that carry the reference at the place where it was written, whatever the case.

    `place` is the mapping's: `description`, or `form.<field>`. `path` is the keys under which records of this tenant
    show it, where that was learned. A record without an id is a hit of its own: it may be a second case.
    """
    hits: list[Hit] = []
    for record in records:
        if reference.upper() in _marks(record, place, path):
            hit = hit_of(record)
            if hit.wolkvox_id is None or hit.wolkvox_id not in {known.wolkvox_id for known in hits}:
                hits.append(hit)
    return tuple(hits)


def marks_at(records: Iterable[Record], place: str, path: str | None = None) -> tuple[tuple[str, str | None], ...]:
    """Return each of our marks that a record carries at its place, in capitals, with the record's `wolkvox_id`."""
    return tuple(
        dict.fromkeys(
            (mark, hit_of(record).wolkvox_id) for record in records for mark in sorted(_marks(record, place, path))
        )
    )


def mentions(records: Iterable[Record], reference: str) -> bool:
    """Tell whether the reference is anywhere in the records, in any text and any case, even inside a word."""
    wanted = reference.casefold()
    return any(wanted in text.casefold() or _holds_split(text, wanted) for text in _texts(records))


def _holds_split(text: str, wanted: str) -> bool:
    """Tell whether a text holds the reference broken by spaces or written with escapes; most cannot."""
    may = len(text) > len(wanted) and ("\\" in text or "&" in text or "wci" in text.casefold())
    return may and wanted in fold(text).replace(" ", "")


def is_whole(record: Record, place: str, path: str | None = None) -> bool:
    """Tell whether a record shows enough of the text at the place to show its mark, if it had one.

    It does not where the text is missing or blank, or was cut before a mark would have ended.
    """
    texts = _texts_at(record, place, path)
    shown = [(text, letters) for text in texts if (letters := _unwrapped(text))]
    return bool(shown) and not any(_is_cut(letters) for text, letters in shown if _mark_reader(place)(text) is None)


def path_of(record: Record, reference: str, place: str) -> str | None:
    """Return the keys under which a record carries the reference as it was written, such as `description_case`.

    Where several keys do, it is the usual one; None where none does.
    """
    marked = _mark_reader(place)
    flat = [(name, value) for name, value in record.items() if isinstance(value, str)]
    flat += [
        (f"{name}.{inner}", value)
        for name, part in record.items()
        for inner, value in (_object(part) or {}).items()
        if isinstance(value, str)
    ]
    found = [path for path, text in flat if marked(text) == reference.upper()]
    usual = [path for path in found if reference.upper() in _marks({path: record.get(path)}, place, None)]
    usual += [path for path in found if path == place]
    return next(iter((*usual, *found)), None)


def hit_of(record: Record) -> Hit:
    """Return the ids of a record's own case, however their keys are spelled; never those of a contact inside it."""
    ids = {_letters(name): value for name, value in [*record.items()][::-1] if not isinstance(value, bool)}
    wolkvox_id = ids.get("wolkvoxid")
    return Hit(
        case_id(str(wolkvox_id) if isinstance(wolkvox_id, int) else wolkvox_id),
        short_text(ids.get("idprefijo")),
        names_of_record(record),
    )


def _marks(record: Record, place: str, path: str | None) -> set[str]:
    return set(filter(None, map(_mark_reader(place), _texts_at(record, place, path))))


def _mark_reader(place: str) -> Callable[[str], str | None]:
    return _form_mark if place.startswith("form.") else _first_line


def _first_line(text: str) -> str | None:
    """Return the mark, in capitals, with which a description begins."""
    found = _FIRST_LINE.match(_unwrapped(text))
    return found[1].upper() if found else None


def _form_mark(text: str) -> str | None:
    """Return the mark, in capitals, that is the whole value of a form field."""
    found = _REFERENCE.fullmatch(html.unescape(text[:_READ]).strip())
    return found[0].upper() if found else None


def _unwrapped(text: str) -> str:
    """Return a text without the white space and mark-up in front of its first letters."""
    beginning = html.unescape(html.unescape(text[:_READ]))
    found = _WRAPPING.match(beginning)
    return beginning[found.end() :] if found else beginning


def _is_cut(text: str) -> bool:
    if len(text) > _SHORT:
        return False
    text = _LAST_TAG.sub("", text)
    if _BEGINNING.fullmatch(text) or re.match(r"<[^<>]*\Z", text):
        return True
    return len(text) <= _CUT_WITHIN and text.endswith(("…", "..."))


def _texts_at(record: Record, place: str, path: str | None) -> list[str]:
    """Return the texts that a record shows at a place."""
    found = [_value_at(record, path)] if path else _values_at(record, place)
    return [value for value in found if isinstance(value, str)]


def _value_at(record: Record, path: str) -> object:
    if path in record:
        return record[path]
    name, _dot, inner = path.partition(".")
    return (_object(record.get(name)) or {}).get(inner)


def _values_at(record: Record, place: str) -> list[object]:
    if not place.startswith("form."):
        return [value for name, value in record.items() if _letters(name) in _DESCRIPTIONS]
    field = fold(place.removeprefix("form."))
    forms = [part for name, value in record.items() if _letters(name) == "form" and (part := _object(value))]
    return [value for part in (*forms, record) for name, value in part.items() if fold(name) == field]


def _object(value: object) -> Mapping[str, object] | None:
    """Return a JSON object, even where it comes as text; None for anything else."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, Mapping) else None


def _letters(name: str) -> str:
    return re.sub(r"[^a-z]", "", unicodedata.normalize("NFKD", name).casefold())


def _texts(value: object) -> Iterator[str]:
    """Yield every text in a JSON value, including the keys."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, Mapping):
            waiting.extend((*part.keys(), *part.values()))
        elif isinstance(part, list | tuple):
            waiting.extend(part)
