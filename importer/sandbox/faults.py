"""The faults that the stand-in can be told to make: their names, how they are written, and when they strike.

A fault is written `NAME` or `NAME:KEY=NUMBER,…`. The keys `every`, `nth`, `from`, `rate` and `seed` say which
requests it strikes (all, unless told otherwise), `call` says of which call; the others are the fault's own.
"""

from __future__ import annotations

import difflib
import random
import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from starlette.responses import Response

from importer.errors import UsageError
from importer.messages import _
from importer.sandbox import misbehaviour
from importer.sandbox.exchange import Exchange

_WHEN = ("every", "nth", "from", "rate", "seed")
CALLS = ("insert", "query", "token", "any")


@dataclass(frozen=True, slots=True)
class Kind:
    """A fault as such: what it does, in words and as a function, the numbers it takes, and the call it is about."""

    summary: str
    act: Callable[[Exchange, Mapping[str, float]], Awaitable[Response | None]]
    numbers: Mapping[str, float] = field(default_factory=dict)
    call: str = "insert"


KINDS: Mapping[str, Kind] = {
    "timeout-after-creating": Kind(
        _("creates the case and never answers (wait: seconds until it closes)"),
        misbehaviour.timeout_after_creating,
        {"wait": 3600},
    ),
    "timeout-without-creating": Kind(
        _("creates nothing and never answers"), misbehaviour.timeout_without_creating, {"wait": 3600}
    ),
    "late-creation": Kind(
        _("creates the case only after a wait, even if the client has gone"), misbehaviour.late_creation, {"wait": 5}
    ),
    "closed-after-creating": Kind(
        _("creates the case and closes the connection instead of answering"), misbehaviour.closed_after_creating
    ),
    "closed-without-creating": Kind(
        _("creates nothing and closes the connection instead of answering"), misbehaviour.closed_without_creating
    ),
    "reset-upload": Kind(
        _("resets the connection after so many bytes of the body"), misbehaviour.reset_upload, {"bytes": 65536}
    ),
    "stalled-upload": Kind(_("stops reading the request"), misbehaviour.stalled_upload, {"wait": 3600}),
    "server-error-after-creating": Kind(
        _("creates the case and answers 502, or another 5xx"), misbehaviour.server_error_after_creating, {"status": 502}
    ),
    "server-error": Kind(
        _("creates nothing and answers 500, or another 5xx"), misbehaviour.server_error, {"status": 500}
    ),
    "html-answer": Kind(_("creates the case and answers 200 with a page, no JSON"), misbehaviour.html_answer),
    "blank-ids": Kind(_("creates the case and answers with blank ids"), misbehaviour.blank_ids),
    "cut-answer": Kind(_("creates the case and breaks off the answer"), misbehaviour.cut_answer),
    "cut-json": Kind(_("creates the case and answers with half of the JSON"), misbehaviour.cut_json),
    "dripping-answer": Kind(
        _("creates the case and answers one byte at a time (pause: seconds between two)"),
        misbehaviour.dripping_answer,
        {"pause": 1},
    ),
    "php-warning": Kind(_("answers rightly behind a warning of PHP"), misbehaviour.php_warning, call="any"),
    "string-code": Kind(_("answers rightly with the code as a text"), misbehaviour.string_code, call="any"),
    "error-in-200": Kind(
        _("answers rightly with HTTP status 200 whatever the code"), misbehaviour.error_in_200, call="any"
    ),
    "unauthorized": Kind(_("answers 401 as if the token were missing"), misbehaviour.unauthorized),
    "forbidden": Kind(_("answers 403 as if the token were not valid"), misbehaviour.forbidden),
    "quota-exceeded": Kind(_("answers 403 TOKEN LIMIT EXCEEDED"), misbehaviour.quota_exceeded),
    "quota-exceeded-in-200": Kind(
        _("says TOKEN LIMIT EXCEEDED in an HTTP 200 whose code is the text 403"), misbehaviour.quota_exceeded_in_200
    ),
    "simultaneous-requests": Kind(
        _("answers 403 EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS"), misbehaviour.simultaneous_requests
    ),
    "too-many-requests": Kind(
        _("answers 429 with Retry-After in seconds (wait)"), misbehaviour.too_many_requests, {"wait": 2}
    ),
    "too-many-requests-date": Kind(
        _("answers 429 with Retry-After as a date (wait: seconds until then)"),
        misbehaviour.too_many_requests_date,
        {"wait": 2},
    ),
    "redirect": Kind(_("answers 302, or another 3xx, to the same address"), misbehaviour.redirect, {"status": 302}),
    "proxy-page": Kind(
        _("answers 404, or another status, with a proxy's page"), misbehaviour.proxy_page, {"status": 404}
    ),
    "search-finds-nothing": Kind(
        _("answers a search as if there were no such case"), misbehaviour.search_finds_nothing, call="query"
    ),
}


@dataclass(frozen=True, slots=True)
class Schedule:
    """Which requests a fault strikes, counted from 1: all conditions that are given have to hold."""

    every: int = 1
    nth: int | None = None
    start: int = 1
    rate: float = 1.0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that was ordered: which, with which numbers, on which requests of which call."""

    name: str
    numbers: Mapping[str, float]
    schedule: Schedule = Schedule()
    call: str = "insert"


class Plan:
    """The faults that were ordered, and how far each has counted; the first that strikes a request has it."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        """Begin to count at the first request."""
        self._ordered = [(fault, _Strikes(fault.schedule)) for fault in faults]

    def draw(self, call: str) -> Fault | None:
        """Return the fault that this request of `call` suffers, None where it goes well."""
        struck = [fault for fault, strikes in self._ordered if fault.call in (call, "any") and strikes.next()]
        return struck[0] if struck else None


class _Strikes:
    """A schedule under way."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._chance = random.Random(schedule.seed)  # noqa: S311  # repeatable on purpose
        self._count = 0

    def next(self) -> bool:
        """Count one request, and say whether it is struck."""
        schedule, number = self._schedule, self._count + 1
        self._count = number
        chosen = self._chance.random() < schedule.rate
        return (
            chosen
            and number >= schedule.start
            and (number - schedule.start + 1) % schedule.every == 0
            and schedule.nth in (None, number)
        )


def parse_fault(text: str) -> Fault:
    """Return the fault written as `NAME:KEY=VALUE,…`; raises `UsageError` that names what is possible."""
    name, _colon, rest = text.partition(":")
    kind = KINDS.get(name)
    if kind is None:
        near = difflib.get_close_matches(name, KINDS, n=3) or ["list"]
        raise UsageError(
            _(
                "--fault {name}: there is no such fault. Near it: {near}. See them all with --fault list.",
                name=name,
                near=", ".join(near),
            )
        )
    given = dict(_pair(text, part) for part in rest.split(",") if part)
    call = given.pop("call", kind.call)
    if call not in CALLS:
        raise UsageError(_("--fault {text}: call is one of {calls}.", text=text, calls=", ".join(CALLS)))
    when = {key: _number(text, key, given.pop(key)) for key in _WHEN if key in given}
    unknown = sorted(given.keys() - kind.numbers.keys())
    if unknown:
        possible = ", ".join([*kind.numbers, *_WHEN, "call"])
        raise UsageError(
            _(
                "--fault {text}: {key} is no key of it; these are: {possible}.",
                text=text,
                key=unknown[0],
                possible=possible,
            )
        )
    numbers = {key: _number(text, key, value) for key, value in given.items()}
    return Fault(name, {**kind.numbers, **numbers}, _schedule(when), call)


def describe_faults() -> str:
    """Return the list that `--fault list` prints: each fault, what it does, and its own numbers."""
    lines = [
        _("--fault NAME or NAME:KEY=NUMBER,... (repeatable; the first that strikes a request has it)"),
        _("Keys of every fault: every=N, nth=N, from=N, rate=0.05, seed=N, call={calls}", calls="|".join(CALLS)),
        "",
    ]
    for name, kind in KINDS.items():
        numbers = ",".join(f"{key}={value:g}" for key, value in kind.numbers.items())
        lines.append(f"{f'{name}:{numbers}' if numbers else name:42} {kind.summary}")
    return "\n".join(lines)


def _pair(text: str, part: str) -> tuple[str, str]:
    key, equals, value = part.partition("=")
    if not equals:
        raise UsageError(_("--fault {text}: write {part} as KEY=NUMBER.", text=text, part=part))
    return key.strip(), value.strip()


def _number(text: str, key: str, value: str) -> float:
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value, re.ASCII):
        raise UsageError(_("--fault {text}: {key} takes a number, not {value}.", text=text, key=key, value=value))
    number = float(value)
    fits = {
        "every": number >= 1,
        "nth": number >= 1,
        "from": number >= 1,
        "rate": number <= 1,
        "status": number in set(HTTPStatus),
    }
    if not fits.get(key, True):
        raise UsageError(_("--fault {text}: {value} is out of range for {key}.", text=text, value=value, key=key))
    return number


def _schedule(when: Mapping[str, float]) -> Schedule:
    return Schedule(
        every=int(when.get("every", 1)),
        nth=int(when["nth"]) if "nth" in when else None,
        start=int(when.get("from", 1)),
        rate=when.get("rate", 1.0),
        seed=int(when.get("seed", 0)),
    )
