"""The faults that the sandbox can simulate: how they are written, and which requests they strike.

A fault is written `NAME` or `NAME:KEY=NUMBER,…`. The keys `every`, `nth`, `from`, `rate` and `seed` select the requests
that it strikes (all of them by default), `call` selects the call; other keys are parameters of the fault itself.
"""

from __future__ import annotations

import difflib
import itertools
import random
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from importer.errors import UsageError
from importer.messages import _, translated
from importer.sandbox.calls import CALLS
from importer.sandbox.misbehaviour import KINDS

_CALLS = (*CALLS, "any")
_SCHEDULE_KEYS = ("every", "nth", "from", "rate", "seed")


@dataclass(frozen=True, slots=True)
class Schedule:
    """Which requests a fault strikes, counted from 1: every given condition must hold."""

    every: int = 1
    nth: int | None = None
    start: int = 1
    rate: float = 1.0
    seed: int = 0

    def strikes(self) -> Iterator[bool]:
        """Yield whether the fault strikes, for one request after the other."""
        chance = random.Random(self.seed)  # noqa: S311  # repeatable on purpose
        for number in itertools.count(1):
            chosen = chance.random() < self.rate
            due = number >= self.start and (number - self.start + 1) % self.every == 0
            yield chosen and due and self.nth in (None, number)


@dataclass(frozen=True, slots=True)
class Fault:
    """A requested fault: its name, its parameters, and the requests that it strikes."""

    name: str
    numbers: Mapping[str, float]
    schedule: Schedule
    call: str


class FaultPlan:
    """The requested faults; the first one that strikes a request is applied to it."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        """Start counting at the first request."""
        self._faults = [(fault, fault.schedule.strikes()) for fault in faults]

    def draw(self, call: str) -> Fault | None:
        """Return the fault that this request of `call` gets, None where there is none."""
        # Each fault counts the request, even after another one has struck.
        struck = [fault for fault, strikes in self._faults if fault.call in (call, "any") and next(strikes)]
        return struck[0] if struck else None


def parse_fault(text: str) -> Fault:
    """Return the fault written as `NAME:KEY=VALUE,…`; raises `UsageError` that lists the alternatives."""
    name, _colon, rest = text.partition(":")
    kind = KINDS.get(name)
    if kind is None:
        near = difflib.get_close_matches(name, KINDS, n=3) or ["list"]
        raise UsageError(
            _(
                "--fault {name}: unknown fault. Did you mean {near}? `--fault list` shows all faults.",
                name=name,
                near=", ".join(near),
            )
        )
    given = dict(_key_and_value(text, part) for part in rest.split(",") if part)
    call = given.pop("call", kind.call)
    if call not in _CALLS:
        raise UsageError(_("--fault {text}: call must be one of {calls}.", text=text, calls=", ".join(_CALLS)))
    for key in given:
        if key not in (*kind.numbers, *_SCHEDULE_KEYS):
            known = ", ".join([*kind.numbers, *_SCHEDULE_KEYS, "call"])
            raise UsageError(_("--fault {text}: unknown key {key}. Use {known}.", text=text, key=key, known=known))
    numbers = {key: _number(text, key, value) for key, value in given.items()}
    schedule = _schedule({key: numbers.pop(key) for key in _SCHEDULE_KEYS if key in numbers})
    return Fault(name, {**kind.numbers, **numbers}, schedule, call)


def describe_faults() -> str:
    """Return the list that `--fault list` prints: each fault, its parameters, and what it does."""
    lines = [
        _("--fault NAME or NAME:KEY=NUMBER,... (repeatable; the first fault that strikes a request is applied)"),
        _("Keys of every fault: every=N, nth=N, from=N, rate=0.05, seed=N, call={calls}", calls="|".join(_CALLS)),
        "",
    ]
    for name, kind in KINDS.items():
        numbers = ",".join(f"{key}={value:g}" for key, value in kind.numbers.items())
        lines.append(f"{f'{name}:{numbers}' if numbers else name:42} {translated(kind.summary)}")
    return "\n".join(lines)


def _key_and_value(text: str, part: str) -> tuple[str, str]:
    key, equals, value = part.partition("=")
    if not equals:
        raise UsageError(_("--fault {text}: write {part} as KEY=NUMBER.", text=text, part=part))
    return key.strip(), value.strip()


def _number(text: str, key: str, value: str) -> float:
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9})?", value, re.ASCII):
        raise UsageError(_("--fault {text}: {key} must be a number, not {value}.", text=text, key=key, value=value))
    number = float(value)
    in_range = {
        "every": number >= 1,
        "nth": number >= 1,
        "from": number >= 1,
        "rate": number <= 1,
        "status": number in set(HTTPStatus),
    }
    if not in_range.get(key, True):
        raise UsageError(_("--fault {text}: {value} is out of range for {key}.", text=text, value=value, key=key))
    return number


def _schedule(given: Mapping[str, float]) -> Schedule:
    return Schedule(
        every=int(given.get("every", 1)),
        nth=int(given["nth"]) if "nth" in given else None,
        start=int(given.get("from", 1)),
        rate=given.get("rate", 1.0),
        seed=int(given.get("seed", 0)),
    )
