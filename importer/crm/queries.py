"""What the CRM says when it is asked: what is left of the quota, and which cases it finds.

The vendor documents the names of the fields and not the shape around them, so they are looked for wherever they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_ID_NAMES = {"wolkvoxid", "idprefijo", "idcase"}
Record = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Quota:
    """A token's daily calls, as `tokenInformation` tells them (vendor's page); None is what it does not tell.

    `limit`, `used` and `left` count calls, the call that asked included; `resets_in` is in seconds.
    """

    limit: int | None = None
    used: int | None = None
    left: int | None = None
    resets_in: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gave.

    `complete` says whether that is all there is; None where it cannot be known, which is so until the size of a
    page has been measured on this server (undocumented).
    """

    records: tuple[Record, ...]
    complete: bool | None = None
    believed: bool = True


@dataclass(frozen=True, slots=True)
class Hit:
    """A case that carries a reference; an id is None where the record has none."""

    wolkvox_id: str | None
    id_prefijo: str | None


def quota_in(envelope: Mapping[str, object]) -> Quota:
    """Return the quota that an answer of `tokenInformation` tells, by the vendor's names, wherever they stand."""
    told = {name: value for record in _objects(envelope) for name, value in record.items()}
    limit, used = _count(told.get("token_limit")), _count(told.get("token_use_today"))
    left = _count(told.get("available_consumition_options"))
    if left is None and limit is not None and used is not None:
        left = max(0, limit - used)
    return Quota(limit, used, left, _seconds(told.get("hours_to_restart_count")))


def records_in(envelope: Mapping[str, object]) -> tuple[Record, ...]:
    """Return the records of a search's answer: the list in `data`, or the objects in it that carry a case's id."""
    data = envelope.get("data")
    if isinstance(data, list):
        return tuple(record for record in data if isinstance(record, Mapping))
    if not isinstance(data, Mapping):
        return ()
    if any(_plain(name) in _ID_NAMES for name in data):
        return (data,)
    return tuple(record for part in data.values() for record in records_in({"data": part}))


def texts_in(records: tuple[Record, ...]) -> Iterator[str]:
    """Yield every text in the records, wherever it stands."""
    for record in records:
        yield from _texts(record)


def find_reference(records: tuple[Record, ...], reference: str) -> tuple[Hit, ...]:
    """Return the distinct cases that carry the reference as a whole token, in whatever field, whatever the case.

    A record without an id is a hit of its own: it may be a second case.
    """
    token = re.compile(rf"(?<![0-9a-z]){re.escape(reference)}(?![0-9a-z])", re.IGNORECASE)
    hits: list[Hit] = []
    for record in records:
        if any(token.search(text) for text in _texts(record)):
            hit = Hit(_id(record, "wolkvoxid"), _id(record, "idprefijo"))
            if hit not in hits or hit.wolkvox_id is None:
                hits.append(hit)
    return tuple(hits)


def find_mark(records: tuple[Record, ...], reference: str, place: str, path: str | None = None) -> tuple[Hit, ...]:
    """STUB until the answers are merged."""
    return find_reference(records, reference)


def mentions(records: tuple[Record, ...], reference: str) -> bool:
    """STUB until the answers are merged."""
    return any(reference.upper() in text.upper() for text in texts_in(records))


def is_whole(record: Record, place: str, path: str | None = None) -> bool:
    """STUB until the answers are merged."""
    return True


def marks_at(records: tuple[Record, ...], place: str, path: str | None = None) -> tuple[tuple[str, str | None], ...]:
    """STUB until the answers are merged."""
    return tuple(
        (mark.upper(), _id(record, "wolkvoxid"))
        for record in records
        for text in _texts(record)
        for mark in re.findall(r"WCI-[0-9A-HJKMNP-TV-Z]{16}", text, re.IGNORECASE)
    )


def _id(record: Record, name: str) -> str | None:
    """Return the record's own id, however its name is spelt; never that of a contact inside it."""
    for key, value in record.items():
        if _plain(key) == name and isinstance(value, (str, int)) and str(value).strip():
            return str(value).strip()
    return None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _objects(value: object) -> Iterator[Record]:
    if isinstance(value, Mapping):
        yield value
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for part in parts:
        yield from _objects(part)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for part in parts:
        yield from _texts(part)


def _count(value: object) -> int | None:
    text = str(value).strip()
    return int(text) if re.fullmatch(r"\d{1,12}", text, re.ASCII) else None


def _seconds(value: object) -> float | None:
    """Return the seconds of a number of hours, `5`, `5.5`, or of a clock's `5:30`; the form is undocumented."""
    found = re.match(r"(\d{1,3})(?::(\d{2})(?::(\d{2}))?|(\.\d+))?(?!\d)", str(value).strip(), re.ASCII)
    if found is None:
        return None
    hours, minutes, seconds, fraction = found.groups()
    return 3600 * (int(hours) + float(fraction or 0)) + 60 * int(minutes or 0) + int(seconds or 0)
