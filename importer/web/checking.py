"""Sheets as the page has them: checked, with their issues grouped and the cells of the faulty rows at hand."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import TypeAlias

from importer import (
    MISSING_FILE,
    AbsentFile,
    Counts,
    Issue,
    Job,
    LikelyFolder,
    LoadedJob,
    Plan,
    Review,
    absent_files,
    check,
    likely_folders,
    load_job,
    review,
)
from importer.model import Status
from importer.text import is_total
from importer.web.background import Background, Newest

ROWS_WITH_CELLS = 2_000
"""Rows with issues whose cells are kept at hand; the others are shown once these are corrected."""

ROWS_OF_A_GROUP = 200
"""Rows of each group that are among them, as long as there is room; first those that are corrected row by row."""

_FIRST = 3
"""Rows that are shown with a group."""

ROW_BY_ROW = frozenset(
    {"key-missing", "key-repeated", "key-similar", "key-reread", "key-known-twice", "solution-missing", "line-alone",
     "attachment-missing", "reference-edited", "reference-missing", "reference-repeated", "reference-foreign",
     "id-of-another-row"}
)  # fmt: skip
"""Codes of issues that are one fault each, though their cells may say the same: a group has all those of a column."""


@dataclass(frozen=True, slots=True)
class Group:
    """Issues that are alike: the same fault of the same value in the same column, or of a column row by row.

    `issue` is the first of them, and `by_row` has those of the first rows; `rows` are all of their rows.
    """

    id: str
    issue: Issue
    rows: tuple[int, ...]
    by_row: Mapping[int, Issue]

    @property
    def count(self) -> int:
        """How many rows have it."""
        return len(self.rows)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """How many of the rows that are skipped the spreadsheet hides, and how many say that they are a total."""

    hidden: int = 0
    totals: int = 0


@dataclass(frozen=True)
class CheckedSheet:
    """What a check found: the plan, its counts, the issues grouped, and the cells of the first faulty rows.

    `absent` are the attachments that are missing, by the group's id, and `folders` those in which they may be.
    `left_out` tells what the skipped rows are.
    """

    loaded: LoadedJob
    plan: Plan
    counts: Counts
    groups: tuple[Group, ...]
    cells: Mapping[int, tuple[str, ...]]
    absent: Mapping[str, tuple[AbsentFile, ...]]
    folders: tuple[LikelyFolder, ...]
    left_out: LeftOut

    @cached_property
    def review(self) -> Review:
        """What became of its rows."""
        return review(self.plan, self.loaded.job)

    def group(self, group_id: str) -> Group | None:
        """Return the group with this id, None if there is none any more."""
        return next((group for group in self.groups if group.id == group_id), None)


Checking: TypeAlias = Newest[CheckedSheet]
"""The newest check of a sheet."""

Checker: TypeAlias = Background[CheckedSheet]
"""What checks one sheet in the background."""


def check_sheet(job: Job) -> CheckedSheet:
    """Check a sheet; raises ImporterError for what is wrong with the whole of it."""
    loaded = load_job(job)
    plan = check(loaded)
    alike: dict[tuple[str, str | None, str | None], list[Issue]] = {}
    for issue in plan.issues():
        value = None if issue.code in ROW_BY_ROW else issue.value
        alike.setdefault((issue.code, issue.column, value), []).append(issue)
    groups = sorted((_group(key, issues) for key, issues in alike.items()), key=lambda group: -group.count)
    of_files = [group for group in groups if group.issue.code == MISSING_FILE]
    absent = {group.id: absent_files(loaded, group.by_row.values()) for group in of_files}
    names = {file.name for files in absent.values() for file in files}
    folders = likely_folders(job.source, names) if names else ()
    cells = _cells(plan, groups)
    return CheckedSheet(loaded, plan, plan.counts(), tuple(groups), cells, absent, folders, _left_out(plan))


def _group(key: tuple[str, str | None, str | None], issues: list[Issue]) -> Group:
    digest = hashlib.sha256(repr(key).encode("utf-8", "surrogatepass")).hexdigest()[:12]
    by_row: dict[int, Issue] = {}
    for issue in issues[:ROWS_WITH_CELLS]:
        if issue.row is not None:
            by_row.setdefault(issue.row, issue)
    rows = tuple(dict.fromkeys(issue.row for issue in issues if issue.row is not None))
    return Group(digest, issues[0], rows, by_row)


def _left_out(plan: Plan) -> LeftOut:
    skipped = [row.number for row in plan.in_state(Status.SKIPPED)]
    named = set(skipped).difference(plan.table.hidden)
    totals = 0
    for frame in plan.frames if 0 < len(named) <= ROWS_WITH_CELLS else ():
        for row in frame[frame.index.isin(list(named))].itertuples(index=False, name=None):
            totals += is_total(next((text for cell in row if (text := str(cell).strip())), ""))
    return LeftOut(len(skipped) - len(named), totals)


def _cells(plan: Plan, groups: Sequence[Group]) -> dict[int, tuple[str, ...]]:
    """Return the cells of the first rows with issues as text, in the order of the sheet's columns."""
    needed = (group.rows[:ROWS_OF_A_GROUP] for group in groups if group.issue.code in ROW_BY_ROW)
    first = (group.rows[:_FIRST] for group in groups)
    others = (group.rows[:most] for most in (ROWS_OF_A_GROUP, ROWS_WITH_CELLS) for group in groups)
    wanted = set(islice(dict.fromkeys(chain.from_iterable(chain(needed, first, others))), ROWS_WITH_CELLS))
    cells: dict[int, tuple[str, ...]] = {}
    for frame in plan.frames if wanted else ():
        here = [number for number in frame.index.tolist() if number in wanted]
        for number, *row in frame.loc[here].itertuples(name=None):
            cells[number] = tuple(map(str, row))
    return cells
