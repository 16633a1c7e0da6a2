"""One page of a long list, and the addresses of the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from importer.web.page import Visit

LINES = 50
"""Lines of a list on one page."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ListPage(Generic[T]):
    """The lines of a list from `first` on, counted from 1; `before` and `after` are the addresses of its neighbours."""

    lines: Sequence[T]
    first: int
    total: int
    before: str | None
    after: str | None

    @property
    def last(self) -> int:
        """The number of the last line that is shown."""
        return self.first + len(self.lines) - 1


def list_page(visit: Visit, lines: Sequence[T], name: str = "page") -> ListPage[T]:
    """Return the page of a list that the address asks for in a parameter; one that does not exist is the nearest."""
    asked = visit.asked(name)
    last = max(1, -(-len(lines) // LINES))
    number = min(max(int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 12 else 1, 1), last)

    def address(other: int) -> str | None:
        if not 1 <= other <= last:
            return None
        return f"?{urlencode({**visit.request.query_params, name: other})}#{name}"

    start = (number - 1) * LINES
    return ListPage(lines[start : start + LINES], start + 1, len(lines), address(number - 1), address(number + 1))
