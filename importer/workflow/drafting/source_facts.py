"""What a file is, before a mapping is chosen for it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from importer import report
from importer.errors import SourceError
from importer.model import TableOptions
from importer.source import list_tabs, open_table
from importer.workflow.job import recorded_source, refuse_hand_over


@dataclass(frozen=True)
class SourceFacts:
    """What a file is: its sheets to choose from (none for a text file), and whether it is a report of ours.

    `report_of` is the sheet that a report was made of, if it says so.
    """

    path: Path
    tabs: tuple[str, ...]
    is_report: bool
    report_of: Path | None

    @cached_property
    def rows(self) -> tuple[int | None, ...]:
        """How many rows each of several sheets has below its header, None for one without a table; read when asked for.

        Nothing where the workbook is large or has many sheets.
        """
        try:
            is_small = self.path.stat().st_size <= LARGEST_COUNTED
        except OSError:
            return ()
        return (
            tuple(_rows_of(self.path, tab) for tab in self.tabs)
            if is_small and 1 < len(self.tabs) <= MOST_COUNTED
            else ()
        )

    @property
    def probable(self) -> str | None:
        """The sheet that a person probably means, the one with the most rows; None where several have as many."""
        most = max((count for count in self.rows if count), default=None)
        found = [tab for tab, count in zip(self.tabs, self.rows, strict=False) if count == most]
        return found[0] if most is not None and len(found) == 1 else None


MOST_COUNTED = 8
"""Sheets of a workbook whose rows are counted."""

LARGEST_COUNTED = 2_000_000
"""Bytes of a workbook of which all sheets are read to count their rows, which takes a second or two."""


def look_at_source(path: Path) -> SourceFacts:
    """Return what a file is; raises SourceError, with a remedy, for one that is missing, no table, or a hand-over."""
    tabs = list_tabs(path)
    refuse_hand_over(path)
    is_report = report.is_given_back(path)
    named = recorded_source(path) if is_report else None
    return SourceFacts(path, tabs, is_report, Path(named) if named else None)


def _rows_of(path: Path, tab: str) -> int | None:
    try:
        return open_table(path, TableOptions(sheet=tab)).rows
    except SourceError:
        return None
