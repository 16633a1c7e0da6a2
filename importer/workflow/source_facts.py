"""What a file is, before a mapping is chosen for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from importer import report
from importer.source import list_tabs
from importer.workflow.job import recorded_source


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What a file is: its sheets to choose from (none for a text file), and whether it is a report of ours.

    `report_of` is the sheet that a report was made of, if it says so.
    """

    path: Path
    tabs: tuple[str, ...]
    is_report: bool
    report_of: Path | None


def look_at_source(path: Path) -> SourceFacts:
    """Return what a file is; raises SourceError, with a remedy, for one that is missing or no table."""
    tabs = list_tabs(path)
    is_report = report.is_given_back(path)
    named = recorded_source(path) if is_report else None
    return SourceFacts(path, tabs, is_report, Path(named) if named else None)
