"""How long things are kept: `2y`, `18m`, `12w`, `90d`, counted back over the calendar."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from importer.messages import _

_WRITTEN = re.compile(r"([1-9][0-9]{0,4}) ?([dwmy])", re.IGNORECASE)


_FIRST = 1971
"""The year before which there is nothing to keep, and which every system can count."""


@dataclass(frozen=True, slots=True)
class Period:
    """So many days, weeks, months or years (`unit`: d, w, m or y)."""

    number: int
    unit: str

    @classmethod
    def read(cls, written: str) -> Period:
        """Return the period that a text means; raises ValueError, with a sentence, for any other text."""
        found = _WRITTEN.fullmatch(written.strip())
        if found is None:
            raise ValueError(_("{value} is not a length of time; write for example 2y, 18m, 12w or 90d", value=written))
        return cls(int(found[1]), found[2].lower())

    def before(self, now: datetime) -> datetime:
        """Return the time so long before another: the same day of the month, or that month's last day."""
        if self.unit in "dw":
            earliest = now.replace(year=_FIRST, month=1, day=1)
            return max(now - timedelta(days=self.number * (7 if self.unit == "w" else 1)), earliest)
        months = now.year * 12 + now.month - 1 - self.number * (12 if self.unit == "y" else 1)
        year, month = divmod(max(months, _FIRST * 12), 12)
        return now.replace(year=year, month=month + 1, day=min(now.day, calendar.monthrange(year, month + 1)[1]))

    def __str__(self) -> str:
        """Return the period as it is written."""
        return f"{self.number}{self.unit}"
