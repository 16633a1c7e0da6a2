"""What the report says of a run and of a row: said once here, shown by the workbook, the CSV and the page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from importer.messages import _
from importer.model import Issue, ReportRow, Status, Summary

OWN_COLUMNS: tuple[str, ...] = ("row", "status", "wolkvox_id", "idPrefijo", "message", "sent_at", "run", "reference")
"""The columns that the report adds to the source's own; the same in every language, since they are read back."""

SUMMARY, REPORT, ISSUES, TO_DECIDE = SHEETS = ("Summary", "Report", "Issues", "To decide")
"""The sheets of a report; their names are the same in every language, since they are read back."""

CREATED_VERDICT, NOT_CREATED_VERDICT = VERDICTS = ("created", "not created")
"""What a person can say of a doubtful row; the same in every language, since it is read back."""

CREATED_NOW_NAME, CREATED_BEFORE_NAME = _("created in this run"), _("created before")
"""What the summary calls the rows that are cases; it is read back."""

DOUBTFUL = frozenset({Status.UNKNOWN, Status.CONFLICT})
"""The states that a person can settle with a verdict."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a state is shown: the cell's ground and letters (contrast 4.5 or more) and its bar in a chart, as RRGGBB."""

    ground: str
    letters: str
    bar: str


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows came to one end, in words for the person who reads the report."""

    name: str
    count: int
    meaning: str
    look: Look


CREATED_NOW = Look("C6EFCE", "0B4F1A", "2E7D32")
CREATED_BEFORE = Look("E4F2E7", "2C5E38", "8CC08F")
LOOKS: dict[Status, Look] = {
    Status.CREATED: CREATED_BEFORE,
    Status.INVALID: Look("FFE5B8", "6B3A00", "E08A00"),
    Status.REJECTED: Look("FFD3CF", "86160D", "C62828"),
    Status.UNKNOWN: Look("E4D6F5", "47207A", "6A3FA0"),
    Status.CONFLICT: Look("F3D3EC", "7A1263", "A8328A"),
    Status.PLANNED: Look("DAE8F8", "173F70", "2F6FB5"),
    Status.SENDING: Look("CFE6EC", "0E4854", "2E8B9E"),
    Status.SKIPPED: Look("E8E8E8", "454545", "8A8A8A"),
}


def look(row: ReportRow, summary: Summary) -> Look:
    """Return how the row's state is shown; what this run created stands out from what was there before."""
    return CREATED_NOW if created_now(row, summary) else LOOKS[row.status]


def created_now(row: ReportRow, summary: Summary) -> bool:
    """Tell whether the row's case was created by the run that the report is of."""
    return row.status is Status.CREATED and summary.run is not None and row.run == summary.run


def tallies(summary: Summary) -> tuple[Tally, ...]:
    """Return the counts of a run, one for each end that a row can come to; together they are all rows."""
    counts = summary.counts
    before = counts.created - counts.created_now
    return (
        Tally(CREATED_NOW_NAME, counts.created_now, _("The CRM gave an id."), CREATED_NOW),
        Tally(CREATED_BEFORE_NAME, before, _("Was there already; not sent again."), CREATED_BEFORE),
        _tally(Status.INVALID, counts.invalid, _("Not sent: to be corrected; see the sheet Issues.")),
        _tally(Status.REJECTED, counts.rejected, _("The CRM said no: no case was made.")),
        _tally(Status.UNKNOWN, counts.unknown, _("Sent, and no clear answer came: may or may not exist.")),
        _tally(Status.CONFLICT, counts.conflict, _("Found more than once in the CRM.")),
        _tally(Status.SENDING, counts.sending, _("On its way when the report was written.")),
        _tally(Status.PLANNED, counts.planned, _("Not sent yet; the same command goes on.")),
        _tally(Status.SKIPPED, counts.skipped, _("Left out on purpose; hidden in the sheet Report.")),
    )


def _tally(status: Status, count: int, meaning: str) -> Tally:
    return Tally(status.value, count, meaning, LOOKS[status])


def facts(summary: Summary) -> Iterator[tuple[str, str]]:
    """Yield what was imported, by whom, when, from what and to where, each as a name and its value."""
    yield _("Import"), summary.import_name
    yield _("Source"), str(summary.source)
    if summary.sheet:
        yield _("Sheet"), summary.sheet
    yield _("SHA-256 of the source"), summary.source_digest
    yield _("Mapping"), str(summary.mapping)
    yield _("Server"), summary.server or _("none: nothing was sent")
    if summary.operation:
        yield _("Operation"), summary.operation
    yield _("Imported by"), summary.user
    yield _("Started"), moment(summary.started_at)
    yield _("Ended"), moment(summary.ended_at)
    if summary.run is not None:
        yield _("Run"), str(summary.run)
    yield _("Calls to the CRM"), str(summary.calls)
    if summary.journal is not None:
        yield _("Journal"), journal_mark(*summary.journal)


_JOURNAL_MARK = re.compile(r"WCJ-([0-9a-f]{8}) #([0-9]{1,18})")


def journal_mark(journal_id: str, attempt_id: int) -> str:
    """Return how far a journal had come, in a form that is known again in every language."""
    return f"WCJ-{journal_id[:8]} #{attempt_id}"


def read_journal_mark(text: str) -> tuple[str, int] | None:
    """Return the beginning of a journal's id and an attempt's number where the text is such a mark."""
    found = _JOURNAL_MARK.fullmatch(text.strip())
    return (found[1], int(found[2])) if found else None


def moment(when: datetime) -> str:
    """Return a time for people, with its distance from UTC: `2026-11-23 09:30:00 -0500`."""
    return when.strftime("%Y-%m-%d %H:%M:%S %z").strip()


def local(when: datetime, summary: Summary) -> datetime:
    """Return a time in the zone of the summary, to the second and without the zone, as a sheet stores it."""
    return when.astimezone(summary.started_at.tzinfo).replace(tzinfo=None, microsecond=0)


def message(row: ReportRow, summary: Summary) -> str:
    """Return why the row is where it is and what to do, one reason a line.

    A message that only repeats the issues is left out: told one by one they name column and remedy too.
    """
    created = ""
    if row.status is Status.CREATED:
        created = _created(row.run, now=created_now(row, summary), changed=row.changed and not row.message)
        if not row.message and not row.issues:
            return created
    repeats = any(issue.message in row.message for issue in row.issues)
    lines = [created, "" if repeats else _ended(row.message), *map(told, row.issues)]
    if row.status in DOUBTFUL:
        lines.append(_("It is not sent again until it is known whether its case exists."))
    return "\n".join(filter(None, lines))


def told(issue: Issue) -> str:
    """Return one issue in sentences: its column where the message does not name it, what is wrong, what to do."""
    text = f"{_ended(issue.message)} {sentence(issue.remedy)}".strip()
    if issue.column is None or issue.column in issue.message:
        return text
    return _("{column}: {text}", column=issue.column, text=text)


def sentence(text: str) -> str:
    """Return what is to be done as a sentence of its own."""
    return _ended(text[:1].upper() + text[1:])


def _ended(text: str) -> str:
    return f"{text}." if text and text[-1] not in ".!?…:" else text


@lru_cache(maxsize=1024)
def _created(run: int | None, *, now: bool, changed: bool) -> str:
    """Return what is said of a created row; most rows of a report are, and few runs made them."""
    if now:
        said = _("Created in this run.")
    elif run is not None:
        said = _("Created before, in run {run}.", run=run)
    else:
        said = _("Created before.")
    return f"{said}\n{_('The row was edited since; the case was left as it is.')}" if changed else said
