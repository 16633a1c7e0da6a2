"""What stands in an answer's bytes: a JSON object, wherever it hides, and the CRM's words made fit for a person."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from importer.messages import shorten

MASK = "•••"
_MESSAGE_LIMIT = 300
_PLAIN_WORDS_LIMIT = 500
_BRACES_TRIED = 1000  # an answer with more braces before its JSON is none of the CRM's
_NO_TEXT = {"", "null", "none", "undefined"}
_ENVELOPE_KEYS = {"code", "error", "msg", "data", "token_limit"}
_QUOTES_NOBODY = "Succesfully create record"  # what the vendor documents for every case: nothing in it is to be masked
_DECODER = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class Reading:
    """What an answer's body says, as far as it can be read.

    `envelope` is the CRM's JSON object, None where there is none, or more than one. `code` is its code as digits.
    `words` are the CRM's own, unmasked: for recognising, never for showing. `wolkvox_id` and `id_prefijo` are None
    where they are blank, as in the vendor's own sample.
    """

    envelope: Mapping[str, object] | None = field(default=None, repr=False)
    code: str | None = None
    words: str = field(default="", repr=False)
    failed: bool = False
    wolkvox_id: str | None = None
    id_prefijo: str | None = None


def read(body: bytes) -> Reading:
    """Return what the body says; never raises, whatever the bytes are."""
    text = body.decode("utf-8-sig", errors="replace").strip()
    found = envelopes(text)
    if len(found) != 1:
        return Reading(words="" if found else _plain_words(text))
    envelope = found[0]
    data = envelope.get("data")
    ids = data if isinstance(data, dict) else {}
    error = _filled(envelope.get("error"))
    words = " · ".join(dict.fromkeys(filter(None, (error, _filled(envelope.get("msg"))))))
    return Reading(
        envelope=envelope,
        code=_digits(envelope.get("code")),
        words=words,
        failed=error is not None and error.casefold() != "false",
        wolkvox_id=_filled(ids.get("wolkvox_id")),
        id_prefijo=_filled(ids.get("idPrefijo")),
    )


def envelopes(text: str) -> list[Mapping[str, object]]:
    """Return the CRM's JSON objects in a text, in their order: behind a PHP warning, in front of one, or alone."""
    found: list[Mapping[str, object]] = []
    place = 0
    for _attempt in range(_BRACES_TRIED):
        place = text.find("{", place)
        if place < 0:
            break
        try:
            value, place = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError):
            place += 1
            continue
        if value.keys() & _ENVELOPE_KEYS:
            found.append(value)
    return found


def for_people(words: str, secrets: Iterable[str]) -> str:
    """Return the CRM's words on one line, shortened, with every secret longer than three characters masked.

    Masking comes first: a value that shortening had cut would no longer be recognised.
    """
    if words == _QUOTES_NOBODY:
        return words
    line = " ".join(html.unescape(words).split())
    parts = {" ".join(part.split()) for secret in secrets for part in (secret, *secret.splitlines())}
    folded = line.casefold()  # most answers quote nothing, and then no pattern has to be made
    hidden = sorted((part for part in parts if len(part) > 3 and part.casefold() in folded), key=len, reverse=True)
    if hidden:
        line = re.sub("|".join(map(re.escape, hidden)), MASK, line, flags=re.IGNORECASE)
    return shorten(line, _MESSAGE_LIMIT)


def _plain_words(text: str) -> str:
    """Return a short text that is no page: some servers answer with their words alone."""
    return text if len(text) <= _PLAIN_WORDS_LIMIT and "<" not in text else ""


def _filled(value: object) -> str | None:
    """Return a text or number as text, None where it says nothing; on success the CRM's error is the text "null"."""
    if value is None or isinstance(value, (dict, list)):
        return None
    text = str(value).strip()
    return None if text.casefold() in _NO_TEXT else text


def _digits(value: object) -> str | None:
    text = str(value).strip()
    return text if len(text) == 3 and text.isascii() and text.isdigit() else None
