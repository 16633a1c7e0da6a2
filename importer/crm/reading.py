"""What an answer's bytes hold: a JSON object wherever it is, the ids of cases, and the CRM's words for a person."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from importer.crm.names import ids_in_texts, names_in, names_written
from importer.messages import shorten
from importer.text import clean, fold, is_case_id, plain, unescaped

MASK = "•••"
_MESSAGE_LIMIT = 300
_PLAIN_WORDS_LIMIT = 500
_WORDS_READ = 20_000  # characters of the CRM's words that are looked at; its own phrases are short
_WORDS_MASKED = 1_000  # of those, what can come into a message of which every long value is masked
_SHORTEST_SECRET, _SHORTEST_PART = 4, 12  # characters of a value, and of a part of it, that are masked
_BRACES_TRIED = 1000  # an answer with more braces before its JSON is not the CRM's
_IDS_LIMIT = 8_000_000  # characters; only listings are longer, and they create nothing
_MARKED_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NO_TEXT = {"", "null", "none", "undefined"}
_ANSWER_KEYS = {"error", "msg", "data"}
_ENVELOPE_KEYS = {"code", "token_limit", *_ANSWER_KEYS}
_QUOTES_NOBODY = "Succesfully create record"  # what the vendor documents for every case: nothing in it is to be masked
_DECODER = json.JSONDecoder()

_RAW_ID = re.compile(
    r"""wolkvox[ _-]?id["']?\s{0,20}(?:=>|[:=>])\s{0,20}["'\[]{0,2}\s{0,20}([a-z0-9][a-z0-9_.:-]{0,63})\s{0,20}["'<]""",
    re.IGNORECASE | re.ASCII,
)
"""An id where no JSON can be decoded: cut short, inside a text, in HTML or XML."""

_LINKED_ID = re.compile(r"wolkvox[_-]?id=([a-z0-9][a-z0-9_.:-]{0,63})(?:[&#;]|\Z)", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer's body says, as far as it can be read.

    `envelope` is the CRM's JSON object, None where there is none, or more than one (`several`). `listing` is a JSON
    list that is the whole answer. `code` is the envelope's code as digits. `texts` are the CRM's own texts, unmasked:
    for recognising, never for showing. `wolkvox_id` and `id_prefijo` come from where the vendor documents them; they
    are None where they are blank, as in the vendor's own sample, and the id also where the answer names another case.
    `ids` are all ids of cases in the body, including those that are known only by an `idPrefijo` or the like.
    `possible_ids` are further ones found in its texts, each after the words that name it: they may be the row's own
    words, which the CRM quotes.
    """

    envelope: Mapping[str, object] | None = field(default=None, repr=False)
    listing: tuple[object, ...] | None = field(default=None, repr=False)
    several: bool = False
    code: str | None = None
    texts: tuple[str, ...] = field(default=(), repr=False)
    failed: bool = False
    wolkvox_id: str | None = None
    id_prefijo: str | None = None
    ids: tuple[str, ...] = ()
    possible_ids: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def words(self) -> str:
        """All that the CRM says, for a person to read; unmasked."""
        return " · ".join(self.texts)


def read(body: bytes) -> Reading:
    """Return what the body says; never raises, whatever the bytes are."""
    text = _decoded(body).strip()
    listing = _listing(text)
    found, around = _json_objects(text)
    written = _ids_in(text, found if listing is None else listing)
    short = len(text) <= _IDS_LIMIT
    ids = tuple(dict.fromkeys((*written, *(names_in(found) if short else ()))))
    if listing is not None:
        return Reading(listing=listing, ids=ids)
    answers = [value for value in found if value.keys() & _ENVELOPE_KEYS]
    texts = tuple(dict.fromkeys(chain.from_iterable(map(_texts_of, answers)))) if answers else _plain_words(text)
    in_texts = () if written or not short else names_written(found, around)
    possible_ids = tuple(dict.fromkeys((*in_texts, *ids_in_texts(texts))))
    if len(answers) != 1:
        return Reading(several=len(answers) > 1, texts=texts, ids=ids, possible_ids=possible_ids)
    envelope = answers[0]
    data = envelope.get("data")
    case = data if isinstance(data, dict) else {}
    wolkvox_id = case_id(case.get("wolkvox_id"))
    return Reading(
        envelope=envelope,
        code=_digits(envelope.get("code")),
        texts=texts,
        failed=_fails(envelope.get("error")),
        wolkvox_id=None if _rivals(wolkvox_id, envelope, written) else wolkvox_id,
        id_prefijo=short_text(case.get("idPrefijo")),
        ids=ids,
        possible_ids=possible_ids,
    )


def case_id(value: object) -> str | None:
    """Return the id of a case, None for anything that is not a text of the kind that the CRM writes.

    Numbers, booleans, blanks, zeros, words without a digit and an error's words are not ids, nor is our own mark: a
    success that gives one of these is a success without an id.
    """
    text = value.strip() if isinstance(value, str) else ""
    return text if is_case_id(text) else None


def short_text(value: object) -> str | None:
    """Return a case's number as people see it (`idPrefijo`), on one short line; None where there is none."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    text = shorten(clean(str(value)[:_PLAIN_WORDS_LIMIT]), 64)
    return None if text.casefold() in _NO_TEXT else text


def for_people(words: str, secrets: Iterable[str]) -> str:
    """Return the CRM's words on one line, cleaned, shortened, and with the values that were sent masked.

    Masking comes first: a value that shortening has cut would no longer be recognised.
    """
    if words == _QUOTES_NOBODY:
        return words
    line = plain(words[:_WORDS_READ])[:_WORDS_MASKED]
    return shorten(clean(_masked(line, [fold(part) for secret in secrets for part in _parts(secret)])), _MESSAGE_LIMIT)


def _parts(secret: str) -> set[str]:
    """Return a value and its lines; the CRM may quote any of them alone."""
    return {secret, *secret.splitlines()}


def _masked(line: str, secrets: Iterable[str]) -> str:
    """Return a line in which every stretch that also occurs in one of the folded secrets is masked.

    Short values count only as a whole. Of longer ones a part is enough, wherever a server broke the line: they are
    compared without spaces.
    """
    folded = [(letter, at) for at, sign in enumerate(line) for letter in sign.casefold()]
    spaced = "".join(letter for letter, _at in folded)
    dense_at = [at for letter, at in folded if letter != " "]
    dense = spaced.replace(" ", "")
    values = [secret for secret in dict.fromkeys(secrets) if len(secret) >= _SHORTEST_SECRET]
    hidden: set[int] = set()
    for value in values:
        if len(value) < 2 * _SHORTEST_PART:
            hidden.update(folded[at][1] for found in _places(value, spaced) for at in range(found, found + len(value)))
    hay = "\n".join(value.replace(" ", "") for value in values)
    for start in range(len(dense) - _SHORTEST_PART + 1):
        if dense[start : start + _SHORTEST_PART] in hay:
            hidden.update(range(dense_at[start], dense_at[start + _SHORTEST_PART - 1] + 1))
    return "".join(
        "" if at in hidden and at - 1 in hidden else MASK if at in hidden else sign for at, sign in enumerate(line)
    )


def _places(value: str, text: str) -> Iterator[int]:
    """Yield where a value begins in a text, one occurrence after the other."""
    at = text.find(value)
    while at >= 0:
        yield at
        at = text.find(value, at + len(value))


def _listing(text: str) -> tuple[object, ...] | None:
    """Return a JSON list that is the whole answer, as an older version of the search gave it (undocumented).

    A list that only wraps the CRM's object does not count.
    """
    if not text.startswith("["):
        return None
    try:
        value = _DECODER.decode(text)
    except (ValueError, RecursionError):
        return None
    if len(value) == 1 and isinstance(value[0], dict) and "code" in value[0] and value[0].keys() & _ANSWER_KEYS:
        return None
    return tuple(value)


def _decoded(body: bytes) -> str:
    """Return an answer's text, in the encoding that its byte order mark names, or else in UTF-8."""
    encoding = next((name for mark, name in _MARKED_ENCODINGS if body.startswith(mark)), "utf-8")
    return body.decode(encoding, errors="replace")


def _json_objects(text: str) -> tuple[list[Mapping[str, object]], str]:
    """Return the JSON objects in a text, in their order, and the text around them."""
    found: list[Mapping[str, object]] = []
    around: list[str] = []
    at = end = 0
    for _attempt in range(_BRACES_TRIED):
        at = text.find("{", at)
        if at < 0:
            break
        try:
            value, behind = _DECODER.raw_decode(text, at)
        except (ValueError, RecursionError):
            at += 1
            continue
        found.append(value)
        around.append(text[end:at])
        at = end = behind
    return found, "\n".join((*around, text[end:]))


def _ids_in(text: str, values: Iterable[object]) -> tuple[str, ...]:
    """Return every id of a case, in the decoded values and in the raw text, of which not all may be decoded."""
    if len(text) > _IDS_LIMIT:
        return ()
    raw = [] if "olkvox" not in text and "OLKVOX" not in text and "\\" not in text else [text, unescaped(text)]
    written = (case_id(match[1]) for some in dict.fromkeys(raw) for match in _RAW_ID.finditer(some))
    return tuple(dict.fromkeys(filter(None, chain(_ids_of(values), written))))


def ids_in_link(link: str) -> tuple[str, ...]:
    """Return the ids of cases in a web address, such as the target of a redirect."""
    return tuple(filter(None, (case_id(match[1]) for match in _LINKED_ID.finditer(link))))


def _ids_of(values: Iterable[object]) -> Iterator[str]:
    """Yield the ids under any spelling of `wolkvox_id` in decoded JSON, in their order."""
    waiting = [(False, value) for value in reversed(list(values))]
    while waiting:
        named, value = waiting.pop()
        if isinstance(value, dict):
            parts = [(named or _is_id_name(name), part) for name, part in value.items()]
            waiting.extend(reversed(parts))
        elif isinstance(value, list):
            waiting.extend((named, part) for part in reversed(value))
        elif named and (found := case_id(value)):
            yield found


def _is_id_name(name: str) -> bool:
    return re.sub(r"[^a-z]", "", name.casefold()) == "wolkvoxid"


def _rivals(wolkvox_id: str | None, envelope: Mapping[str, object], ids: Iterable[str]) -> bool:
    """Tell whether the answer names another case besides the one in `data`, so that it is unclear which one it made.

    An id that is nested deeper may be that of the case's contact.
    """
    parts = [part for part in (envelope, envelope.get("data")) if isinstance(part, dict)]
    own = {value for part in parts for name in filter(_is_id_name, part) for value in _ids_of([{name: part[name]}])}
    return own != {wolkvox_id} or not set(ids) <= set(_ids_of([envelope]))


def _plain_words(text: str) -> tuple[str, ...]:
    """Return a short text that is not a web page: some servers answer in plain words."""
    return (text,) if text and len(text) <= _PLAIN_WORDS_LIMIT and "<" not in text else ()


def _texts_of(envelope: Mapping[str, object]) -> Iterator[str]:
    """Yield the texts in the CRM's `error` and `msg`, whatever they are wrapped in."""
    waiting = [envelope.get("msg"), envelope.get("error")]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting.extend(reversed(value.values()))
        elif isinstance(value, list):
            waiting.extend(reversed(value))
        elif value is not None and str(value).strip().casefold() not in {*_NO_TEXT, "false"}:
            yield str(value).strip()[:_WORDS_READ]


def _fails(error: object) -> bool:
    """Tell whether `error` says that something failed; on success it is the text "null", blank, or false."""
    if error is None or isinstance(error, str):
        return error is not None and error.strip().casefold() not in {*_NO_TEXT, "false"}
    return error is not False


def _digits(value: object) -> str | None:
    """Return a code as its three digits; JSON may write a whole number as 200.0."""
    value = int(value) if isinstance(value, float) and value.is_integer() else value
    text = str(value).strip() if isinstance(value, (str, int)) else ""
    return text if len(text) == 3 and text.isascii() and text.isdigit() else None
