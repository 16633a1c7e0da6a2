"""What sorts the rows of another table: dates, numbers or texts, as the column proves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from itertools import islice
from typing import TYPE_CHECKING, Literal

from importer.mapping.converters.numbers import NumberReader
from importer.mapping.converters.zones import MomentReader
from importer.mapping.fields import convert_distinct, distinct_texts
from importer.mapping.grammar import FieldSpec
from importer.mapping.refusal import CellProblem, Refused
from importer.model import Cell, CellError, Typed
from importer.system.sorted_spool import Order
from importer.text import as_sent

if TYPE_CHECKING:
    import pandas as pd

_LOOKED_AT = 20_000  # distinct cells that decide what the column holds
_LIKE_DATES = frozenset({"date-format-unclear", "weekday-differs", "zone-missing"})
_LIKE_NUMBERS = frozenset({"number-format-unclear"})
_LARGEST = 2**63  # beyond it the spool has no whole numbers


class RowOrder:
    """Sorts rows by one column; `observe` every frame, then `decide`, before the first is sorted.

    The column holds dates if `spec` says how to read them, or at least half of its cells are dates; else numbers if at
    least half of them are; else texts. What is not of that kind is a problem of its row. Equal and empty cells keep
    the order of the file, the empty ones at the end.
    """

    def __init__(self, column: str, spec: FieldSpec) -> None:
        self.column = column
        self._moments = MomentReader(spec.read or (), spec.zone, spec.century)
        self._numbers = NumberReader(spec.decimal_sign)
        self._kind: Literal["date", "number", "text"] | None = "date" if spec.read else None

    @property
    def is_text(self) -> bool:
        """Whether rows are sorted by texts, because the column holds neither dates nor numbers."""
        return self._kind == "text"

    def observe(self, frame: pd.DataFrame) -> None:
        """Look at a frame."""
        texts = distinct_texts(frame[self.column])
        self._moments.observe(texts)
        self._numbers.observe(texts)

    def decide(self, frames: Iterable[pd.DataFrame]) -> None:
        """Decide what the column holds, by its first cells."""
        if self._kind is not None:
            return
        filled = list(islice(self._filled(frames), _LOOKED_AT))
        dates, numbers = sum(map(self._is_date, filled)), sum(map(self._is_number, filled))
        if not filled or max(dates, numbers) * 2 < len(filled):
            self._kind = "text" if filled else "date"
        else:
            self._kind = "date" if dates >= numbers else "number"

    def _filled(self, frames: Iterable[pd.DataFrame]) -> Iterator[str | Typed]:
        for frame in frames:
            for cell in dict.fromkeys(frame[self.column]):
                if not isinstance(cell, CellError) and str(cell).strip():
                    yield _stripped(cell)

    def _is_date(self, cell: str | Typed) -> bool:
        try:
            self._moments.read(cell)
        except Refused as refused:
            return refused.problem.code in _LIKE_DATES
        return True

    def _is_number(self, cell: str | Typed) -> bool:
        try:
            self._numbers.read(cell)
        except Refused as refused:
            return refused.problem.code in _LIKE_NUMBERS
        return True

    def places(self, frame: pd.DataFrame) -> list[object]:
        """Return what sorts each row of a frame, None for an empty cell, or the problem with it."""
        cells = frame[self.column].tolist()
        places = convert_distinct(cells, self._place)
        return [
            place.located(self.column, str(cell)) if isinstance(place, CellProblem) else place
            for place, cell in zip(places, cells, strict=True)
        ]

    def _place(self, cell: Cell | CellProblem) -> Order | CellProblem:
        if isinstance(cell, CellProblem):
            return cell
        if isinstance(cell, CellError):
            return CellProblem.of(cell)
        if not str(cell).strip():
            return None
        try:
            return self._sorted_by(_stripped(cell))
        except Refused as refused:
            return refused.problem

    def _sorted_by(self, cell: str | Typed) -> Order:
        if self._kind == "date":
            return int((self._moments.read(cell) - datetime.min).total_seconds())  # noqa: DTZ901 - wall time
        if self._kind == "number":
            return _number(self._numbers.read(cell))
        return as_sent(str(cell)).casefold().encode("utf-8", "surrogatepass")


def _number(number: Decimal) -> int | float:
    is_whole = number == number.to_integral_value() and abs(number) < _LARGEST
    return int(number) if is_whole else float(number)


def _stripped(cell: str | Typed) -> str | Typed:
    return as_sent(cell) if isinstance(cell, str) else cell
