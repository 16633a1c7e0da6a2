"""What the CRM answers to a question: what is left of the quota, and what a search found.

The vendor documents the names of the fields but not the shape around them, so they are looked for wherever they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from importer.crm.reading import Reading

_ID_NAMES = {"wolkvoxid", "idprefijo", "idcase"}
_COUNT_NAME = re.compile(
    r"(?!.*(size|per|limit))(total|count(?!ry)|cantidad|found|records?|registros?|results?|resultados?|rows|filas)\w{0,20}"
)
_MORE_NAME = re.compile(r"\w{0,20}(next|siguiente|more)\w{0,20}")
_PAGE_NAME = re.compile(r"(?!.*(size|per|limit))\w{0,20}(page|pagina)\w{0,20}")
_NUMBER = re.compile(r"(?<![\w.,/@-])(?<!\d:)\d[\d.,]*(?![\w/@-]|:\d)")
"""A number in the CRM's words that is not part of a date, a time, an address or an id.

It is how many records the answer claims: "1 records were are found" is the vendor's own spelling (vendor's page), and
any other wording with a number is taken for the same.
"""

_NOTHING: tuple[object, ...] = (None, False, 0, "", "0", "null", "none", "false")

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

    `believed` says whether the answer has the shape of the vendor's samples, every count in it agrees, and it does not
    mention another page: only then are `records` complete for this answer, and is an answer without any a 'none'.
    Whether the answer covers all that the search could find is for the caller to judge.
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
    found: list[Record] = []
    waiting = [envelope.get("data")]
    while waiting:
        data = waiting.pop()
        if isinstance(data, list):
            found += [record for record in data if isinstance(record, Mapping)]
        elif isinstance(data, Mapping) and any(_plain(name) in _ID_NAMES for name in data):
            found.append(data)
        elif isinstance(data, Mapping):
            waiting += reversed(list(data.values()))
    return tuple(found)


def found_in(reading: Reading) -> Found:
    """Return what a search found, from its answer.

    A bare list is what an older version answered (undocumented): its records count, but it is not believed.
    """
    if reading.listing is not None:
        return Found(tuple(record for record in reading.listing if isinstance(record, Mapping)))
    envelope = reading.envelope or {}
    records, data = records_in(envelope), envelope.get("data")
    whole = isinstance(data, list) and len(records) == len(data)
    return Found(records, whole and reading.code == "200" and not reading.failed and _agrees(reading, len(records)))


def says_more(reading: Reading) -> bool:
    """Tell whether an answer that succeeded shows records, and tells of others that it does not show."""
    records = records_in(reading.envelope or {})
    succeeded = reading.code == "200" and not reading.failed
    return bool(records) and succeeded and not _agrees(reading, len(records))


def says_none(reading: Reading) -> bool:
    """Tell whether the CRM's words count no record, like `0 records were are found`: then it has done nothing."""
    return any(re.fullmatch("0+", number) for text in reading.texts for number in _NUMBER.findall(text))


def _agrees(reading: Reading, count: int) -> bool:
    """Tell whether an answer with this many records mentions no others, in words, by a count or by pages."""
    around = {name: value for name, value in (reading.envelope or {}).items() if name not in {"data", "code"}}
    numbers = [number for text in reading.texts for number in _NUMBER.findall(text)]
    for part in _objects(around):
        for name, value in part.items():
            plain = _plain(name)
            if _COUNT_NAME.fullmatch(plain):
                numbers += _counted(value)
            elif isinstance(value, (Mapping, list)) or value in _NOTHING:
                continue
            elif _MORE_NAME.fullmatch(plain) or (_PAGE_NAME.fullmatch(plain) and str(value) != "1"):
                return False
    return all(re.sub(r"[.,]", "", number) == str(count) for number in numbers)


def _counted(value: object) -> list[str]:
    """Return the numbers in a count; records under the name of one are none that can be compared."""
    if isinstance(value, list):
        return ["?"]
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return []
    return _NUMBER.findall(f"{value:g}" if isinstance(value, float) else str(value))


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _objects(value: object) -> Iterator[Record]:
    """Yield the objects in decoded JSON, however deep, in their order."""
    waiting = [value]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Mapping):
            yield part
            waiting += reversed(list(part.values()))
        elif isinstance(part, list):
            waiting += reversed(part)


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
