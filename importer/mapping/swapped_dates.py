"""The trace of dates whose day and month were swapped when a spreadsheet program opened a text file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from importer.messages import _
from importer.model import Typed

if TYPE_CHECKING:
    import pandas as pd

_DATE = re.compile(r"\s*(?P<one>\d{1,2})([-/.])(?P<two>\d{1,2})\2(?:\d{4}|\d{2})(?:[\sT,].*)?")
_MONTHS = 12
_ENOUGH = 2  # texts, and true dates: fewer are chance
_SHOWN = 3


@dataclass
class _Trace:
    """What one column shows: texts with the day first, a sample of them, and true dates with their rows."""

    day_first: int = 0
    sample: str = ""
    is_disproved: bool = False
    dates: int = 0
    first: list[tuple[int, str]] = field(default_factory=list)

    def add_text(self, text: str) -> None:
        """Look at a text, which may be a date that the program could not read because its day is no month."""
        if (parts := _DATE.fullmatch(text)) is None:
            return
        one, two = int(parts["one"]), int(parts["two"])
        if one > _MONTHS >= two:
            self.day_first += 1
            self.sample = self.sample or text
        self.is_disproved |= two > _MONTHS

    def add_date(self, row: int, value: date, text: str) -> None:
        """Look at a true date."""
        self.dates += 1
        self.is_disproved |= value.day > _MONTHS
        if len(self.first) < _SHOWN:
            self.first.append((row, text))

    @property
    def is_found(self) -> bool:
        """Whether day and month seem to be swapped in the true dates."""
        return not self.is_disproved and min(self.day_first, self.dates) >= _ENOUGH


class SwappedDates:
    """Looks for columns in which texts have the day first and above 12, and no true date has a day above 12.

    So it is where an Excel of the United States opened a CSV file: it took `03/04/2026` for 4 March, and left
    `13/04/2026` a text. The values stay as they are, since nobody but a person knows.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        """Begin before the first frame."""
        self._found = {column: _Trace() for column in columns}

    def observe(self, frame: pd.DataFrame) -> None:
        """Look at a frame."""
        for column, trace in self._found.items():
            if trace.is_disproved:
                continue
            cells = frame[column].tolist()
            for cell in cells:
                if isinstance(cell, str) and cell[:1].isdigit():
                    trace.add_text(cell)
            if Typed in set(map(type, cells)):  # most columns have texts alone
                for row, cell in zip(frame.index.tolist(), cells, strict=True):
                    if isinstance(cell, Typed) and isinstance(cell.value, date):
                        trace.add_date(row, cell.value, cell.text)

    def notes(self) -> Iterator[str]:
        """Yield a sentence for each column with the trace."""
        for column, trace in self._found.items():
            if trace.is_found:
                yield _(
                    "Day and month may be swapped in {count} dates of {column} ({dates}): none of them has a day above"
                    " 12, and texts beside them have the day first, such as {text}. Excel makes such dates where its"
                    " region has the month first and it opens a CSV file. Compare them with where the sheet comes from;"
                    " they are sent as they are here.",
                    count=trace.dates,
                    column=column,
                    dates=", ".join(_("row {row}: {why}", row=row, why=text) for row, text in trace.first)
                    + (", …" if trace.dates > len(trace.first) else ""),
                    text=trace.sample,
                )
