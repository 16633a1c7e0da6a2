"""What arrived in the CRM, what did not and why, counted over a plan batch by batch; memory stays flat."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pandas as pd

from importer import report
from importer.messages import _
from importer.model import Attachment, Issue, JournalRow, Status
from importer.model.account import Account, Breakdown, FileCount, Kind, Reason, Tally
from importer.system.clock import local_datetime
from importer.workflow.commands import Commands
from importer.workflow.outcome.reasons import reason_of
from importer.workflow.outcome.skipped_rows import left_out_rows
from importer.workflow.planning.plan import Batch, Plan, PlannedRow, left_out
from importer.workflow.planning.transcripts import TRANSCRIPT

MOST_TALLIES = 30
"""Names of a table; further ones are one line together."""

MOST_REASONS = 8
"""Reasons that are told apart in the end; further ones are one line together."""

MOST_LEFT_OUT = 20
"""Rows that are named with the files that their tickets go without."""

_MOST_NAMES = 1_000
"""Names that are told apart while they are counted."""

_TOKENS = re.compile(r"YYYY|MM|DD|HH|mm|ss|[A-Za-z]")


def account_of(plan: Plan, commands: Commands) -> Account:
    """Return the numbers of a plan's tickets."""
    counted = _tables(plan)
    reasons, deleted = _Reasons(), 0
    for batch in plan.batches:
        tickets = ~batch.in_state(Status.SKIPPED, Status.PART)
        arrived = batch.in_state(Status.CREATED)
        deleted += sum(known is not None and known.deleted for known in batch.facts.loc[arrived, "known"])
        for table, names_in in counted.values():
            table.add(names_in(batch)[tickets], arrived[tickets])
        for row in batch.rows(tickets & ~arrived):
            reasons.add(reason_of(row, commands))
    breakdowns = (table.breakdown(kind) for kind, (table, _names) in counted.items())
    return Account(
        reasons.most(), tuple(filter(_says_something, breakdowns)), files_of(plan), deleted, left_out_rows(plan)
    )


def files_of(plan: Plan) -> FileCount:
    """Return what became of a plan's attachments."""
    files, without = Counter[str](), list[tuple[int, tuple[str, ...]]]()
    if plan.mapping.makes_attachments:
        options = plan.mapping.attachments
        for batch in plan.batches:
            _count_files(batch, options.separator if options else None, files, without)
    return FileCount(**files, left_out=tuple(without))


_MONTHS: frozenset[Kind] = frozenset({"month", "sent"})


def _says_something(breakdown: Breakdown) -> bool:
    return any(tally.name for tally in breakdown.tallies)


# ------------------------------------------------------------------------------------------------ tables

_Names = Callable[[Batch], "pd.Series[Any]"]


def _tables(plan: Plan) -> dict[Kind, tuple[_Tallies, _Names]]:
    """Return the tables that are to be filled, each with what returns the names of a batch's rows in it."""
    tables: dict[Kind, tuple[_Tallies, _Names]] = {
        "type": (_Tallies(), lambda batch: _field(batch, "case-type")),
        "status": (_Tallies(), lambda batch: _field(batch, "status")),
    }
    own = plan.mapping.own_date
    month_of = month_reader(own[1]) if own else None
    if own and month_of:
        tables["month"] = (_Tallies(), lambda batch: _field(batch, own[0]).map(month_of))
    else:
        tables["sent"] = (_Tallies(), lambda batch: batch.facts["known"].map(_month_sent))
    return tables


def _field(batch: Batch, path: str) -> pd.Series[Any]:
    if path not in batch.fields.columns:
        return pd.Series("", index=batch.facts.index, dtype=object)
    return batch.fields[path].map(lambda value: "" if value is None else str(value).strip())


def month_reader(form: str) -> Callable[[str], str] | None:
    """Return what takes the month, `2026-11`, from a date written in this format; None if it shows no month."""
    tokens = {"YYYY": r"(?P<year>\d{4})", "MM": r"(?P<month>\d{2})", "M": r"(?P<month>\d{1,2})"}
    pattern, end = "", 0
    for token in _TOKENS.finditer(form):
        pattern += re.escape(form[end : token.start()]) + tokens.pop(token[0], r"\w+?")
        end = token.end()
    pattern += re.escape(form[end:])
    if "(?P<year>" not in pattern or "(?P<month>" not in pattern:
        return None
    written = re.compile(pattern)
    return lambda text: f"{found['year']}-{int(found['month']):02}" if (found := written.fullmatch(text)) else ""


def _month_sent(known: JournalRow | None) -> str:
    if known is None or known.status is not Status.CREATED or known.sent_at is None:
        return ""
    return f"{local_datetime(known.sent_at):%Y-%m}"


class _Tallies:
    """Counts tickets by name, of which it remembers a bounded number."""

    def __init__(self) -> None:
        self._tickets: Counter[str | None] = Counter()
        self._arrived: Counter[str | None] = Counter()

    def add(self, names: pd.Series[Any], arrived: pd.Series[bool]) -> None:
        """Count a batch's tickets."""
        for which, counter in ((names, self._tickets), (names[arrived], self._arrived)):
            for name, count in Counter(which.tolist()).most_common():
                is_kept = name in self._tickets or len(self._tickets) < _MOST_NAMES
                counter[name if is_kept else None] += count

    def breakdown(self, kind: Kind) -> Breakdown:
        """Return the counts: of the most frequent names, or of months in their order, as years if they are many."""
        names = [name for name in self._tickets if name is not None]
        if kind in _MONTHS:
            months = self._counted(kind, sorted(names, key=lambda name: (not name, name)))
            return months if len(names) <= MOST_TALLIES else months.by_year()
        return self._counted(kind, sorted(names, key=lambda name: (-self._tickets[name], name))[:MOST_TALLIES])

    def _counted(self, kind: Kind, names: Sequence[str]) -> Breakdown:
        tallies = [Tally(name, self._tickets[name], self._arrived[name]) for name in names]
        others = self._tickets.total() - sum(tally.tickets for tally in tallies)
        if others:
            arrived = self._arrived.total() - sum(tally.arrived for tally in tallies)
            tallies.append(Tally(None, others, arrived))
        return Breakdown(kind, tuple(tallies))


# ------------------------------------------------------------------------------------------------ reasons


class _Reasons:
    """Groups tickets by why they did not arrive; of bounded size."""

    def __init__(self) -> None:
        self._groups: dict[tuple[str, ...], report.IssueGroup] = {}
        self._others = 0

    def add(self, reason: tuple[Status, Issue]) -> None:
        """Count one ticket."""
        status, issue = reason
        column, code, remedy = report.IssueGroup.kind_of(issue)
        key = (status, column or issue.message, code, remedy)
        if key in self._groups or len(self._groups) < _MOST_NAMES:
            self._groups.setdefault(key, report.IssueGroup(issue)).add(issue)
        else:
            self._others += 1

    def most(self) -> tuple[Reason, ...]:
        """Return the most frequent reasons, and the others together."""
        groups = sorted(self._groups.items(), key=lambda item: -item[1].count)
        shown = [
            Reason(key[0], each.count, each.first.message, each.rows, each.first.remedy, alike=len(each.values) < 2)
            for key, each in groups[:MOST_REASONS]
        ]
        others = self._others + sum(each.count for _key, each in groups[MOST_REASONS:])
        if others:
            remedy = _("see the sheet Report")
            shown.append(Reason("", others, _("Other reasons"), "", remedy))
        return tuple(shown)


# ------------------------------------------------------------------------------------------------ attachments


def _count_files(
    batch: Batch, separator: str | None, files: Counter[str], rows: list[tuple[int, tuple[str, ...]]]
) -> None:
    """Count the attachments that the rows of a batch name, and list the first rows that go without some of them."""
    facts = batch.facts.loc[~batch.in_state(Status.SKIPPED)]
    names = ("status", "known", "attachments", "missing", "issues")
    columns: Iterator[tuple[int, Status, JournalRow | None, Sequence[Attachment], tuple[str, ...], Iterable[Issue]]] = (
        zip(facts.index.tolist(), *(facts[name] for name in names), strict=True)
    )
    for number, status, known, found, missing, issues in columns:
        faulty = _faulty(found, missing, issues, separator)
        without = left_out(status, known, missing)
        if without and len(rows) < MOST_LEFT_OUT:
            rows.append((number, without))
        if status is Status.CREATED:  # its files were there when it was sent
            files["sent"] += len(found) + faulty + len(missing) - len(without)
            files["missing"] += len(without)
        else:
            files["waiting"] += len(found)
            files["missing"] += faulty + len(missing)


def files_sent(plan: Plan, row: PlannedRow) -> int:
    """Return how many files went with the case of a created row: they were there when it was sent."""
    if not plan.mapping.makes_attachments:
        return 0
    options = plan.mapping.attachments  # None where there are transcripts alone
    faulty = _faulty(row.attachments, row.missing, row.issues, options.separator if options else None)
    return len(row.attachments) + faulty + len(row.missing) - len(row.left_out)


def _faulty(
    found: Sequence[Attachment], missing: tuple[str, ...], issues: Iterable[Issue], separator: str | None
) -> int:
    """Return how many files of a row cannot be used now, for another reason than that they are missing."""
    usable = {file.name for file in found}.union(missing)
    of_transcript = [issue for issue in issues if issue.column == TRANSCRIPT]
    others = [issue for issue in issues if issue.column != TRANSCRIPT]
    return bool(of_transcript) + sum(name not in usable for name in _faulty_names(others, separator))


def _faulty_names(issues: Iterable[Issue], separator: str | None) -> Iterator[str]:
    """Yield the names in the cells with issues about attachments; some of a cell's files may be usable."""
    cells = {(issue.column, issue.value or "") for issue in issues if issue.code.startswith("attachment-")}
    for _column, cell in cells:
        yield from filter(None, (name.strip() for name in (cell.split(separator) if separator else [cell])))
