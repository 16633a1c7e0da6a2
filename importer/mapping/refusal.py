"""A cell without a value in the CRM: the reason, carried to where its row and column are known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from importer.model import CellError, Issue


class Refused(Exception):
    """A cell cannot be converted; `problem` is the reason."""

    def __init__(self, code: str, message: str, remedy: str) -> None:
        self.problem = CellProblem(code, message, remedy)
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class CellProblem:
    """Why a cell has no value; takes the value's place among converted values until it becomes an issue.

    `column` and `value` are set where the problem is of another cell than the one converted, as in a template.
    """

    code: str
    message: str
    remedy: str
    column: str | None = None
    value: str | None = None

    @classmethod
    def of(cls, fault: CellError) -> CellProblem:
        """Return the problem of a cell that could not even be read."""
        return cls(fault.code, fault.message, fault.remedy)

    def located(self, column: str | None, value: str) -> CellProblem:
        """Return the problem with a column and its cell's text, unless it has its own already."""
        if self.column is not None:
            return self
        return CellProblem(self.code, self.message, self.remedy, column, value)

    def issue(self, row: int, column: str | None, value: str | None) -> Issue:
        """Return the issue of a row; `column` and `value` count where the problem has none of its own."""
        if self.column is not None:
            column, value = self.column, self.value
        return Issue(row, column, value, self.code, self.message, self.remedy)


def any_problem(values: Iterable[object]) -> bool:
    """Return whether there is a problem among values; most columns have none."""
    return CellProblem in set(map(type, values))
