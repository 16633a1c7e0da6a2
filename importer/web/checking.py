"""Sheets as the page has them: checked, with their issues grouped and the cells of the faulty rows at hand."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import chain, islice
from typing import TypeAlias

from importer import (
    MISSING_FILE,
    AbsentFile,
    CellEdit,
    Counts,
    Issue,
    Job,
    LeftOut,
    LikelyFolder,
    LoadedJob,
    Plan,
    Rejection,
    Rejections,
    Review,
    absent_files,
    check,
    edits_of,
    held_rows,
    history,
    left_out_rows,
    likely_folders,
    load_job,
    rejections,
    review,
)
from importer.journal_place import is_there
from importer.model.clicks import click_for
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

    `issue` is the first of them, and `by_row` has those of the first rows; `rows` are all of their rows. Rows that the
    CRM rejected are grouped by the value that it rejected: `rejection`.
    """

    id: str
    issue: Issue
    rows: tuple[int, ...]
    by_row: Mapping[int, Issue]
    rejection: Rejection | None = None

    @property
    def count(self) -> int:
        """How many rows have it."""
        return len(self.rows)


@dataclass(frozen=True)
class CheckedSheet:
    """What a check found: the plan, its counts, the issues grouped, and the cells of the first faulty rows.

    `absent` are the attachments that are missing, by the group's id, and `folders` those in which they may be.
    `left_out` tells what the skipped rows are, `rejected` why the CRM rejected rows, and `held` which rows wait for a
    contact that it rejected, and which updates it refused; it began at `made_at`.
    """

    loaded: LoadedJob
    plan: Plan
    counts: Counts
    groups: tuple[Group, ...]
    cells: Mapping[int, tuple[str, ...]]
    absent: Mapping[str, tuple[AbsentFile, ...]]
    folders: tuple[LikelyFolder, ...]
    left_out: LeftOut
    rejected: Rejections
    held: tuple[Rejection, ...]
    made_at: datetime

    @cached_property
    def review(self) -> Review:
        """What became of its rows."""
        return review(self.plan, self.loaded.job)

    @cached_property
    def edits(self) -> Mapping[int, tuple[CellEdit, ...]]:
        """What its changed rows said when they were sent, as far as that is known."""
        journal = self.loaded.job.journal_path
        return edits_of(self.plan, self.loaded.job, history(journal)) if self.counts.changed else {}

    @property
    def waiting(self) -> int:
        """How many of the rows to send wait for a contact that the CRM rejected."""
        return sum(len(one.rows) for one in self.held if one.kind == "contact")

    @property
    def refused(self) -> int:
        """How many updates the CRM refused."""
        return sum(len(one.rows) for one in self.held if one.kind == "update")

    def group(self, group_id: str) -> Group | None:
        """Return the group with this id, None if there is none any more."""
        return next((group for group in self.groups if group.id == group_id), None)


Checking: TypeAlias = Newest[CheckedSheet]
"""The newest check of a sheet."""

Checker: TypeAlias = Background[CheckedSheet]
"""What checks one sheet in the background."""


def check_sheet(job: Job) -> CheckedSheet:
    """Check a sheet; raises ImporterError for what is wrong with the whole of it."""
    made_at = datetime.now(UTC)
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
    counts, rejected = plan.counts(), Rejections()
    held: tuple[Rejection, ...] = ()
    if is_there(job.journal_path) and plan.scope.tenant:
        rejected = rejections(plan, history(job.journal_path) if counts.rejected else ())
        held = held_rows(plan, job.journal_path)
    groups = [*map(_rejected_group, (*rejected.groups, *held)), *groups]
    cells = _cells(plan, groups)
    return CheckedSheet(
        loaded, plan, counts, tuple(groups), cells, absent, folders, left_out_rows(plan), rejected, held, made_at
    )


def _rejected_group(one: Rejection) -> Group:
    """Return rejected rows as a group; what is mended is another group than before."""
    kind = (one.kind, one.said, one.field, one.column, one.text, one.value, one.is_mended)
    issue = Issue(one.rows[0], one.column, one.text, "rejected", one.said, click_for("rejected", None, None, None))
    return Group(_id_of(kind), issue, one.rows, {}, one)


def _id_of(kind: object) -> str:
    return hashlib.sha256(repr(kind).encode("utf-8", "surrogatepass")).hexdigest()[:12]


def _group(key: tuple[str, str | None, str | None], issues: list[Issue]) -> Group:
    by_row: dict[int, Issue] = {}
    for issue in issues[:ROWS_WITH_CELLS]:
        if issue.row is not None:
            by_row.setdefault(issue.row, issue)
    rows = tuple(dict.fromkeys(issue.row for issue in issues if issue.row is not None))
    return Group(_id_of(key), issues[0], rows, by_row)


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
