"""One page of a long list, and the addresses of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from urllib.parse import urlencode

from importer.web.page import Visit

LINES = 50
"""Lines of a list on one page."""

_MOST_DIGITS = 12

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
    return page_of(lines, visit.request.query_params, name)


def page_of(lines: Sequence[T], asked: Mapping[str, str], name: str = "page", size: int = LINES) -> ListPage[T]:
    """Return the page that the parameter `name` of an address asks for, of a list with `size` lines a page."""
    last = max(1, -(-len(lines) // size))
    number = min(asked_number(asked, name), last)

    def address(other: int) -> str | None:
        return f"?{urlencode({**asked, name: other})}#{name}" if 1 <= other <= last else None

    start = (number - 1) * size
    return ListPage(lines[start : start + size], start + 1, len(lines), address(number - 1), address(number + 1))


def asked_number(asked: Mapping[str, str], name: str = "page") -> int:
    """Return the number, from 1, that an address asks for in a parameter; 1 where it is missing or no such number."""
    text = asked.get(name, "")
    return max(int(text), 1) if text.isascii() and text.isdigit() and len(text) < _MOST_DIGITS else 1
