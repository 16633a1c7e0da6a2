"""What the CRM answers to a question: what is left of the quota, and what a search found.

The vendor documents the names of the fields but not the shape around them, so they are looked for wherever they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from importer.crm.reading import Reading

_ID_NAMES = {"wolkvoxid", "idprefijo", "idcase"}
_COUNT_NAMES = {"total", "count", "records", "totalrecords", "recordcount"}
_RECORD_COUNT = re.compile(
    r"(\d[\d.,]*)\s{1,9}(?:records?|registros?)|(?:records?|registros?)\s{0,9}:\s{0,9}(\d[\d.,]*)", re.IGNORECASE
)
"""How many records an answer claims: "1 records were are found" is the vendor's own spelling (vendor's page)."""

Record = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Quota:
    """A token's daily calls, as `tokenInformation` reports them (vendor's page); None where it reports nothing.

    `limit`, `used` and `left` count calls, including the one that asked; `resets_in` is in seconds.
    """

    limit: int | None = None
    used: int | None = None
    left: int | None = None
    resets_in: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found.

    `believed` says whether the answer has the shape of the vendor's samples, its own count agrees, and it does not
    mention a next page: only then are `records` complete for this answer. Whether the answer covers all cases that the
    search could find is for the caller to judge.
    """

    records: tuple[Record, ...]
    believed: bool = False


def quota_in(envelope: Mapping[str, object]) -> Quota:
    """Return the quota in an answer of `tokenInformation`, by the vendor's names, wherever they appear."""
    values = {name: value for record in _objects(envelope) for name, value in record.items()}
    limit, used = _count(values.get("token_limit")), _count(values.get("token_use_today"))
    left = _count(values.get("available_consumition_options"))
    if left is None and limit is not None and used is not None:
        left = max(0, limit - used)
    return Quota(limit, used, left, _seconds(values.get("hours_to_restart_count")))


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
    """Return what a search found, from its answer.

    A bare list is what an older version answered (undocumented): its records count, but it is not believed.
    """
    if reading.listing is not None:
        return Found(tuple(record for record in reading.listing if isinstance(record, Mapping)))
    envelope = reading.envelope or {}
    records, data = records_in(envelope), envelope.get("data")
    whole = isinstance(data, list) and len(records) == len(data)
    return Found(records, whole and reading.code == "200" and not reading.failed and _agrees(envelope, len(records)))


def _agrees(envelope: Mapping[str, object], count: int) -> bool:
    """Tell whether an answer with this many records mentions no others."""
    counts = [number for pair in _RECORD_COUNT.findall(str(envelope.get("msg"))) for number in pair if number]
    counts += [str(value) for name, value in envelope.items() if _plain(name) in _COUNT_NAMES and value is not None]
    more = any(value for name, value in envelope.items() if "next" in name.casefold())
    return not more and all(re.sub(r"[.,]", "", number) == str(count) for number in counts)


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
    """Return a number of hours, `5` or `5.5`, or a time `5:30`, in seconds; the form is undocumented."""
    found = re.match(r"(\d{1,3})(?::(\d{2})(?::(\d{2}))?|(\.\d+))?(?!\d)", str(value).strip(), re.ASCII)
    if found is None:
        return None
    hours, minutes, seconds, fraction = found.groups()
    return 3600 * (int(hours) + float(fraction or 0)) + 60 * int(minutes or 0) + int(seconds or 0)
