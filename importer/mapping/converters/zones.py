"""Moments that name a time zone, and seconds since 1970, as the wall clock shows them in the mapping's zone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from importer.mapping.converters.moments import CENTURY, DateTimeReader
from importer.mapping.refusal import Refused
from importer.messages import _, shorten
from importer.model import Typed

EPOCH = "epoch"
"""The format of cells that count the seconds since 1970, or the milliseconds; other cells are read as they are."""

_ZONE = re.compile(
    r"(?P<clock>:\d{2}(?:[.,]\d+)?(?:\s*[ap]\.?\s?m\b\.?)?)"
    r"\s*(?=[Z+U G-])(?:Z|UTC|GMT)?(?:(?P<sign>[+-])(?P<hours>[01]\d|2[0-3])(?::?(?P<minutes>[0-5]\d))?)?",
    re.IGNORECASE,
)
_SECONDS = re.compile(r"-?\d{1,11}(?:\.\d+)?")
_MILLISECONDS = re.compile(r"-?\d{12,14}")


class MomentReader:
    """Reads the dates and times of one column like `DateTimeReader`, and moves those that name a zone into `zone`.

    Without a zone such a cell is refused: its date may be another one where the cases are.
    """

    def __init__(self, formats: Sequence[str] = (), zone: str | None = None, century: int = CENTURY) -> None:
        self._reads_epoch = EPOCH in formats
        self._reader = DateTimeReader([form for form in formats if form != EPOCH], century)
        self._zone = ZoneInfo(zone) if zone else None

    def observe(self, texts: Iterable[str]) -> None:
        """Look at texts of the column, before the first of them is read."""
        self._reader.observe(texts)

    def read(self, cell: str | Typed) -> datetime:
        """Return the date and time of a cell on the wall, midnight for a date alone; raises `Refused`."""
        try:
            if self._reads_epoch and (seconds := _seconds(cell)) is not None:
                return self._on_the_wall(datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds), cell)
            return self._reader.read(cell) if isinstance(cell, Typed) else self._read_text(cell)
        except OverflowError as error:  # beyond the year 9999
            message = _("'{value}' is not a readable date", value=shorten(str(cell)))
            raise Refused("not-a-date", message, _("Correct the cell")) from error

    def read_time(self, cell: str | Typed) -> time:
        """Return the time of day of a cell; raises `Refused`, also where it names a zone: it lacks the day for that."""
        moment = self._reader.read_time(cell)
        if _named_zone(str(cell)) and not isinstance(cell, Typed):
            raise Refused(
                "zone-missing",
                _("'{value}' names a time zone, but no day", value=shorten(str(cell))),
                _("Write the time as the clock shows it there, without a zone"),
            )
        return moment

    def _read_text(self, text: str) -> datetime:
        zone = _named_zone(text)
        if zone is None:
            return self._reader.read(text)
        try:
            moment = self._reader.read(text)
        except Refused:  # the format that the mapping gives knows no zone
            moment = self._reader.read(text[: zone.end("clock")])
        ahead = timedelta(hours=int(zone["hours"] or 0), minutes=int(zone["minutes"] or 0))
        offset = timezone(-ahead if zone["sign"] == "-" else ahead)
        return self._on_the_wall(moment.replace(tzinfo=offset), text)

    def _on_the_wall(self, moment: datetime, cell: str | Typed) -> datetime:
        if self._zone is None:
            raise Refused(
                "zone-missing",
                _("'{value}' names a time zone, and the mapping does not say in which zone the cases are",
                  value=shorten(str(cell))),
                _("Add the zone of the cases to `source` in the mapping, such as `zone: America/Bogota`"),
            )  # fmt: skip
        return moment.astimezone(self._zone).replace(tzinfo=None, microsecond=0)


def names_zone(text: str) -> bool:
    """Return whether a text names a time zone after its time, which a mapping without a zone refuses."""
    return _named_zone(text) is not None


def _named_zone(text: str) -> re.Match[str] | None:
    """Return where a text names a zone at its end, None where it names none."""
    found = next((found for found in _ZONE.finditer(text) if found.end() == len(text)), None)
    return found if found is not None and text[found.end("clock") :].strip() else None


def _seconds(cell: str | Typed) -> float | None:
    """Return the seconds since 1970 in a cell, None where it holds no such number."""
    if isinstance(cell, Typed):
        is_number = isinstance(cell.value, int | float) and not isinstance(cell.value, bool)
        text = f"{cell.value:.6f}".rstrip("0").rstrip(".") if is_number else ""
    else:
        text = cell.strip()
    if _MILLISECONDS.fullmatch(text):
        return int(text) / 1000
    return float(text) if _SECONDS.fullmatch(text) else None
