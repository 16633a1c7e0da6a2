"""The lines of a case that has several rows: kept together in a report that comes back, their faults told at each."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

import pandas as pd

from importer.mapping import Mapper
from importer.messages import _, shorten
from importer.model import MAY_BE_CASES, Issue, Status
from importer.report_words import state_of_word
from importer.system.spool import Spool
from importer.workflow.planning.plan import Batch, state_of

_SKIPPED_PART = re.compile(r"part of the case of row \d+")
"""What reports of version 0.1.0, which spoke English only, say of a further line, whose state there is `skipped`."""


def states_shown(cells: pd.Series[Any]) -> pd.Series[str]:
    """Return the states that the column of a report shows, in whatever language; of other texts, the text."""
    return cells.map(lambda cell: state_of_word(str(cell).strip()))


class ReportedLines:
    """The further lines of cases in a report given back: which they are, and where they were in the source.

    They go with their case, whatever a person did to the sheet meanwhile: a filter hides them, sorting separates them.
    `ours` are the names of the report's own columns in the sheet.
    """

    def __init__(self, mapper: Mapper, ours: Mapping[str, str]) -> None:
        self._mapper, self._ours = mapper, ours
        self._kept: set[tuple[str, ...]] = set()
        self._left_out: set[tuple[str, ...]] = set()

    def observe(self, frame: pd.DataFrame, skipped: Mapping[int, str]) -> None:
        """Learn which cases are here, and which of them the sheet skips; every frame is observed first."""
        parts = self._parts(frame)
        for number, case in zip(frame.index.tolist(), self._mapper.cases(frame), strict=True):
            if number not in parts:
                (self._left_out if number in skipped else self._kept).add(case)

    def left_out(self, frame: pd.DataFrame, skipped: Mapping[int, str]) -> dict[int, str]:
        """Return the rows to skip, and why: `skipped`, but a further line exactly if its case is."""
        parts, left_out = self._parts(frame), dict(skipped)
        for number, case in zip(frame.index.tolist(), self._mapper.cases(frame), strict=True):
            if number in parts and case in self._kept:
                left_out.pop(number, None)
            elif number in parts and case in self._left_out:
                left_out[number] = _("a further line of a case that is left out")
        return left_out

    def places(self, frame: pd.DataFrame) -> dict[int, int]:
        """Return the numbers that rows had in the sheet that the report is about."""
        texts = ((row, str(cell).strip()) for row, cell in zip(frame.index, frame[self._ours["row"]], strict=True))
        return {row: int(text) for row, text in texts if text.isascii() and text.isdigit()}

    def alone(self, frame: pd.DataFrame, own: Iterable[int]) -> Iterator[Issue]:
        """Yield an issue for each row that was a further line, but whose case is no longer here."""
        parts = self._parts(frame)
        for number in parts.intersection(own) if parts else ():
            message = _("This row was a further line of a case, but no row here is that case now")
            remedy = _(
                "Bring the case's row back, or give this one its key; if it is a case of its own, empty its cell in the"
                " column {column}",
                column=self._ours["status"],
            )
            yield Issue(number, None, None, "line-alone", message, remedy)

    def _parts(self, frame: pd.DataFrame) -> set[int]:
        status, message = states_shown(frame[self._ours["status"]]), frame[self._ours["message"]].map(str).str.strip()
        was_skipped = (status == Status.SKIPPED) & message.map(lambda text: bool(_SKIPPED_PART.match(text)))
        return set(frame.index[(status == Status.PART) | was_skipped])


class FaultyLines:
    """The issues of further lines, which hold their cases back, wherever in the source these are."""

    def __init__(self, first_rows: Mapping[int, int]) -> None:
        self._first_rows = first_rows
        self._issues: dict[int, dict[tuple[str | None, str], Issue]] = {}

    def add(self, issues: Iterable[Issue]) -> None:
        """Add issues, each (row, column, code) once."""
        for issue in issues:
            if issue.row is not None:
                self._issues.setdefault(issue.row, {}).setdefault((issue.column, issue.code), issue)

    def told_in(self, batches: Spool[Batch]) -> Spool[Batch]:
        """Return the batches with these issues in their rows, and none of the cases planned that have them."""
        if not self._issues:
            return batches
        lines: dict[int, list[int]] = {}
        for line in sorted(self._issues):
            lines.setdefault(self._first_rows[line], []).append(line)
        cases = {row for batch in batches for row in _not_yet_cases(batch) if row in lines}
        told: Spool[Batch] = Spool(in_memory=2)
        for batch in batches:
            told.append(self._told(batch, lines, cases))
        return told

    def _told(self, batch: Batch, lines: Mapping[int, list[int]], cases: Collection[int]) -> Batch:
        facts = batch.facts
        if not {*cases, *(line for case in cases for line in lines[case])}.intersection(facts.index):
            return batch
        issues, states, faulty = facts["issues"].tolist(), facts["status"].tolist(), facts["faulty_lines"].tolist()
        for at, row in enumerate(batch.rows()):
            if row.number in cases:
                faulty[at] = tuple(lines[row.number])
                states[at] = state_of(row.known, row.skipped, is_valid=False, differs=row.differs)
            elif row.part_of in cases and row.number in self._issues:
                issues[at] = tuple(self._issues[row.number].values())
        return batch.with_facts(issues=issues, status=states, faulty_lines=faulty)


def _not_yet_cases(batch: Batch) -> Iterator[int]:
    """Yield the rows for which what the sheet says still counts."""
    facts = batch.facts
    yield from (row for row, state in zip(facts.index, facts["status"], strict=True) if state not in MAY_BE_CASES)


def altered_in_report(number: int, column: str, cell: str) -> Issue:
    """Return the issue of a cell that is to be sent, but that the report could not hold as it was."""
    return Issue(
        number,
        column,
        shorten(cell),
        "altered-in-report",
        _(
            "{column}: the report could not hold the source's text as it was: it was cut, or has characters that no"
            " workbook can store",
            column=column,
        ),
        _("Correct this row in the source instead, and run the source"),
    )
