"""Fixes that resolve the issues of several rows at once, for the person who makes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from importer.messages import _
from importer.model import Issue

_MOST_ROWS = 5
"""Rows that a fix names; it counts them all."""


@dataclass(frozen=True, slots=True)
class Fix:
    """One fix: how many issues it resolves, in which rows, the first of them, and what is true of them all.

    `rows` are the first ones; the remedy is that of `issue`.
    """

    count: int
    rows: tuple[int, ...]
    issue: Issue
    message: str


def suggest_fixes(issues: Iterable[Issue]) -> list[Fix]:
    """Return a fix for each code, column and value among the issues, the most useful first.

    Where no cell is at fault, the remedy tells issues apart that have nothing else in common.
    """
    alike: dict[tuple[str, str | None, str], list[Issue]] = {}
    for issue in issues:
        alike.setdefault((issue.code, issue.column, issue.value or issue.remedy), []).append(issue)
    return sorted(map(_fix, alike.values()), key=lambda fix: -fix.count)


def _fix(issues: list[Issue]) -> Fix:
    first, rows = issues[0], tuple(issue.row for issue in issues[:_MOST_ROWS] if issue.row)
    message = first.message
    if any(issue.message != message for issue in issues):  # each row's sentence names other rows
        numbers = ", ".join(map(str, rows)) + ("…" if len(issues) > len(rows) else "")
        if first.value is None:
            message = _("{fault} (rows {numbers} are alike)", fault=first.message, numbers=numbers)
        else:
            message = _("{column} '{value}' in rows {numbers}", column=first.column, value=first.value, numbers=numbers)
    return Fix(len(issues), rows, first, message)
