"""What the CRM says when it is asked: what is left of the quota, and what a search gave.

The vendor documents the names of the fields and not the shape around them, so they are looked for wherever they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from importer.crm.reading import Reading

_ID_NAMES = {"wolkvoxid", "idprefijo", "idcase"}
_COUNT_NAMES = {"total", "count", "records", "totalrecords", "recordcount"}
_TOLD = re.compile(
    r"(\d[\d.,]*)\s{1,9}(?:records?|registros?)|(?:records?|registros?)\s{0,9}:\s{0,9}(\d[\d.,]*)", re.IGNORECASE
)
"""How many records an answer says that it found: "1 records were are found" is the vendor's own spelling."""

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

    `believed` says whether the answer has the shape that the vendor's searches have, its own count agrees, and it
    does not speak of a next page: only then are `records` all that this answer was to hold. Whether it was to hold
    all cases of the search is for the caller to judge.
    """

    records: tuple[Record, ...]
    believed: bool = False


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


def found_in(reading: Reading) -> Found:
    """Return what an answer to a search holds.

    A bare list is what an older version answered (undocumented): its records are hits, and it is not believed.
    """
    if reading.listing is not None:
        return Found(tuple(record for record in reading.listing if isinstance(record, Mapping)))
    envelope = reading.envelope or {}
    records, data = records_in(envelope), envelope.get("data")
    whole = isinstance(data, list) and len(records) == len(data)
    return Found(records, whole and reading.code == "200" and not reading.failed and _agrees(envelope, len(records)))


def _agrees(envelope: Mapping[str, object], count: int) -> bool:
    """Tell whether an answer that holds so many records does not speak of others."""
    told = [number for pair in _TOLD.findall(str(envelope.get("msg"))) for number in pair if number]
    told += [str(value) for name, value in envelope.items() if _plain(name) in _COUNT_NAMES and value is not None]
    more = any(value for name, value in envelope.items() if "next" in name.casefold())
    return not more and all(re.sub(r"[.,]", "", number) == str(count) for number in told)


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _objects(value: object) -> Iterator[Record]:
    if isinstance(value, Mapping):
        yield value
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for part in parts:
        yield from _objects(part)


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
