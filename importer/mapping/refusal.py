"""A cell that has no value in the CRM, said once and carried to wherever its row and column are known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from importer.model import Fault, Issue


class Refused(Exception):
    """A cell's text cannot go on its way; `problem` says why."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        self.problem = Problem(code, message, remedy)
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a cell has no value: stands in its place among converted values until it becomes an issue.

    `column` and `value` are set where the fault is of another cell than the one converted, as in a template.
    """

    code: str
    message: str
    remedy: str
    column: str | None = None
    value: str | None = None

    @classmethod
    def of(cls, fault: Fault) -> Problem:
        """Return the problem of a cell that could not even be read."""
        return cls(fault.code, fault.message, fault.remedy)

    def issue(self, row: int, column: str | None, value: str | None) -> Issue:
        """Return the issue of a row; `column` and `value` count where the problem names none of its own."""
        if self.column is not None:
            column, value = self.column, self.value
        return Issue(row, column, value, self.code, self.message, self.remedy)


def any_problem(values: Iterable[object]) -> bool:
    """Tell whether there is a problem among values, which in most columns there is not."""
    return Problem in set(map(type, values))
