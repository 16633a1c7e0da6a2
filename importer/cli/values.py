"""The values that options take, and what the command line answers to one that cannot be understood."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from importer.journal_place import Place, Server, parse_place
from importer.messages import _
from importer.model import CHANGED, Status
from importer.periods import Period

_SMALLEST = 10_000
_WEEK = 7 * 24 * 3600


class Count(click.ParamType[int]):
    """A whole number from `least` to `most`."""

    name = "N"

    def __init__(self, least: int = 0, most: int | None = None) -> None:
        self._least, self._most = least, most

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the number."""
        number = int(str(value)) if re.fullmatch(r"[+-]?[0-9]{1,18}", str(value)) else None
        if number is None or number < self._least or (self._most is not None and number > self._most):
            self.fail(self._expected(value), param, ctx)
        return number

    def _expected(self, value: object) -> str:
        if self._most is None:
            return _("{value} is not a whole number of at least {least}", value=value, least=self._least)
        return _(
            "{value} is not a whole number from {least} to {most}", value=value, least=self._least, most=self._most
        )


class Rate(click.ParamType[float]):
    """`5/s` or `5`: at most that many requests per second."""

    name = "N/s"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the requests per second."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(?:/s)?", str(value))
        if not found or float(found[1]) == 0:
            self.fail(_("{value} is not a rate; write for example 5/s or 0.5/s", value=value), param, ctx)
        return float(found[1])


class JournalPlace(click.ParamType[Place]):
    """A journal's file, or the URL of a PostgreSQL database, without a password."""

    name = "path"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Place:  # noqa: ARG002
        """Return the place."""
        if isinstance(value, Path | Server):
            return value
        return parse_place(str(value))


class Seconds(click.ParamType[float]):
    """A duration in seconds, at most a week."""

    name = "seconds"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the seconds."""
        try:
            seconds = float(str(value))
        except ValueError:
            seconds = math.nan
        if not 0 <= seconds <= _WEEK:  # also for `nan`
            sentence = _(
                "{value} is not a number of seconds from 0 to {most}; write for example 120", value=value, most=_WEEK
            )
            self.fail(sentence, param, ctx)
        return seconds


class Size(click.ParamType[int]):
    """`10MB` or `500kB`: a number of bytes, at least 10,000."""

    name = "10MB"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the bytes."""
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([0-9]{1,6}) ?([kMG])B", str(value), re.IGNORECASE)
        size = int(found[1]) * {"k": 1_000, "m": 1_000_000, "g": 1_000_000_000}[found[2].lower()] if found else 0
        if size < _SMALLEST:
            self.fail(_("{value} is not a size of at least 10kB; write for example 10MB", value=value), param, ctx)
        return size


class Length(click.ParamType[Period]):
    """`2y`, `18m`, `12w` or `90d`: how long something is kept."""

    name = "2y"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Period:
        """Return the length of time."""
        if isinstance(value, Period):
            return value
        try:
            return Period.read(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


class TimeOfDay(click.ParamType[datetime]):
    """`HH:MM`: the next time that the clock shows it."""

    name = "HH:MM"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return that time today or tomorrow, in the user's time zone."""
        if isinstance(value, datetime):
            return value
        found = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", str(value))
        if not found:
            self.fail(_("{value} is not a time of day; write for example 06:30", value=value), param, ctx)
        now = datetime.now(UTC).astimezone()
        today = now.replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)
        return today if today > now else today + timedelta(days=1)


class States(click.ParamType[tuple[str, ...]]):
    """`invalid,rejected`: one or more of a row's states."""

    name = "states"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Return the states."""
        if isinstance(value, tuple):
            return value
        known, names = (*map(str, Status), CHANGED), [name.strip().lower() for name in str(value).split(",")]
        if not set(names) <= set(known):
            sentence = _(
                "{value} is not a list of states; give one or more of {known}, separated by commas",
                value=value,
                known=", ".join(known),
            )
            self.fail(sentence, param, ctx)
        return tuple(names)
