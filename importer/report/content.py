"""What the report says of a run, of a row and of its issues: worded once for all its forms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import quote

from importer import report_words
from importer.messages import _, in_all_languages, language, ngettext, shorten, translated
from importer.model import CHANGED, DOUBTFUL, Corrected, Counts, Issue, ReportRow, Status, Summary
from importer.report.marks import journal_mark, name_mark
from importer.report_words import EDITED_AFTERWARDS, state_word
from importer.text import as_yaml

VALUES_KEPT = 200  # different values that a group of issues remembers
VALUES_SHOWN = 6
_OTHERS = "*"  # instead of the remedy of a group
SPANS_SHOWN = 40


# ------------------------------------------------------------------------------------------------ colours


@dataclass(frozen=True, slots=True)
class Palette:
    """The colours of a state as RRGGBB: of its cell and the text in it (contrast 4.5 or more), and of its bar."""

    background: str
    text: str
    bar: str


CREATED_NOW = Palette("C6EFCE", "0B4F1A", "2E7D32")
CREATED_BEFORE = Palette("E4F2E7", "2C5E38", "8CC08F")
UPDATED_NOW = Palette("CDEBE6", "0A4A42", "1F8A7A")
EDITED_SINCE = Palette("FFF3B8", "5C4500", "C9A400")
PALETTES: dict[Status, Palette] = {
    Status.CREATED: CREATED_BEFORE,
    Status.INVALID: Palette("FFE5B8", "6B3A00", "E08A00"),
    Status.REJECTED: Palette("FFD3CF", "86160D", "C62828"),
    Status.UNKNOWN: Palette("E4D6F5", "47207A", "6A3FA0"),
    Status.CONFLICT: Palette("F3D3EC", "7A1263", "A8328A"),
    Status.PLANNED: Palette("DAE8F8", "173F70", "2F6FB5"),
    Status.SENDING: Palette("CFE6EC", "0E4854", "2E8B9E"),
    Status.SKIPPED: Palette("E8E8E8", "454545", "8A8A8A"),
    Status.PART: Palette("EFEBDD", "574A1C", "B5A264"),
}


def palette_of(row: ReportRow, summary: Summary) -> Palette:
    """Return the colours of a row's state; what this run created stands out from what was there before."""
    if row.state == CHANGED:
        return EDITED_SINCE
    if updated_now(row, summary):
        return UPDATED_NOW
    return CREATED_NOW if created_now(row, summary) else PALETTES[row.status]


# ------------------------------------------------------------------------------------------------ the run


@dataclass(frozen=True, slots=True)
class OutcomeCount:
    """How many rows ended in one way, in words for the person who reads the report."""

    name: str
    count: int
    meaning: str
    palette: Palette


def outcome_counts(summary: Summary) -> tuple[OutcomeCount, ...]:
    """Return the counts of a run, one for each way in which a row can end; together they are all rows."""
    counts = summary.counts
    before = counts.created - counts.created_now - counts.changed - counts.updated_now
    taken = _("The simulated CRM gave an id.") if summary.rehearsal else _("The CRM gave an id.")
    return (
        OutcomeCount(translated(report_words.CREATED_NOW), counts.created_now, taken, CREATED_NOW),
        OutcomeCount(
            translated(report_words.CREATED_BEFORE),
            before,
            _("The case existed already; not sent again."),
            CREATED_BEFORE,
        ),
        *_updated(counts.updated_now),
        OutcomeCount(
            state_word(CHANGED),
            counts.changed,
            _("Edited since its case was created; the case was not changed."),
            EDITED_SINCE,
        ),
        _count_of(Status.INVALID, counts.invalid, _("Not sent: correct these first; see the sheet Issues.")),
        _count_of(Status.REJECTED, counts.rejected, _("Rejected by the CRM; no case was created.")),
        _count_of(Status.UNKNOWN, counts.unknown, _("Sent, but no clear answer came: the case may or may not exist.")),
        _count_of(Status.CONFLICT, counts.conflict, _("Found more than once in the CRM.")),
        _count_of(Status.SENDING, counts.sending, _("Being sent when the report was written.")),
        _count_of(Status.PLANNED, counts.planned, _("Not sent yet; continue the run.")),
        _count_of(Status.PART, counts.part, _("A further line of another row's case; it goes with that row.")),
        _count_of(Status.SKIPPED, counts.skipped, _("Left out on purpose; hidden in the sheet Report.")),
    )


def _updated(count: int) -> Iterator[OutcomeCount]:
    """Yield the count of rows whose cases were updated, if there are any: most mappings only report edits."""
    if count:
        meaning = _("Edited since its case was created; this run updated the case.")
        yield OutcomeCount(translated(report_words.UPDATED_NOW), count, meaning, UPDATED_NOW)


def _count_of(status: Status, count: int, meaning: str) -> OutcomeCount:
    return OutcomeCount(state_word(status), count, meaning, PALETTES[status])


def made_of(counts: Counts) -> Iterator[str]:
    """Yield how many cases there are, and how many rows they are made of; nothing where each row is a case."""
    if not counts.part:
        return
    yield ngettext(
        "{count} case, made of {rows} rows", "{count} cases, made of {rows} rows", counts.cases, rows=counts.case_rows
    )
    if counts.created:
        yield ngettext(
            "{count} of them is created, made of {rows} rows",
            "{count} of them are created, made of {rows} rows",
            counts.created,
            rows=counts.created + counts.created_parts,
        )


def facts(summary: Summary) -> Iterator[tuple[str, str]]:
    """Yield what was imported, by whom, when, from what and to where, each as a name and its value."""
    yield _("Import"), summary.import_name
    if summary.rehearsal:
        yield _("Rehearsal"), _("Nothing reached the CRM; the server below was a simulated one.")
    yield _("Source"), str(summary.source)
    if summary.sheet:
        yield _("Sheet"), summary.sheet
    yield _("SHA-256 of the source"), summary.source_digest
    yield _("Mapping"), str(summary.mapping)
    yield _("Server"), summary.server or _("none: nothing was sent")
    if summary.operation:
        yield _("Operation"), summary.operation
    yield _("Imported by"), summary.user
    for sentence in made_of(summary.counts):
        yield _("Cases"), sentence
    yield _("Started"), time_with_zone(summary.started_at)
    yield _("Ended"), time_with_zone(summary.ended_at)
    if summary.run is not None:
        yield _("Run"), str(summary.run)
    yield _("Calls to the CRM"), str(summary.calls)
    if summary.journal is not None:
        yield _("Journal"), journal_mark(*summary.journal)
    for scope in summary.scopes:
        yield _("Known as"), name_mark(scope)


def time_with_zone(when: datetime) -> str:
    """Return a time for people, with its distance from UTC: `2026-11-23 09:30:00 -0500`."""
    return when.strftime("%Y-%m-%d %H:%M:%S %z" if language() == "en" else "%d/%m/%Y %H:%M:%S %z").strip()


def shown_local_time(when: datetime, summary: Summary) -> str:
    """Return a time in the zone of the summary as the language writes it: `2026-11-23 09:30:00`."""
    return local_time(when, summary).strftime("%Y-%m-%d %H:%M:%S" if language() == "en" else "%d/%m/%Y %H:%M:%S")


def local_time(when: datetime, summary: Summary) -> datetime:
    """Return a time in the zone of the summary, to the second and without the zone, as a sheet stores it."""
    return when.astimezone(summary.started_at.tzinfo).replace(tzinfo=None, microsecond=0)


# ------------------------------------------------------------------------------------------------ a row


def created_now(row: ReportRow, summary: Summary) -> bool:
    """Return whether the row's case was created by the run that the report is about."""
    return row.state == Status.CREATED and row.run is not None and row.run == summary.run


def updated_now(row: ReportRow, summary: Summary) -> bool:
    """Return whether the row's case was updated by the run that the report is about, and the row is as it was sent."""
    return row.state == Status.CREATED and summary.run is not None and row.updated == summary.run


def row_message(row: ReportRow, summary: Summary) -> str:
    """Return why the row has its state and what to do, one reason a line.

    A message that only repeats the issues is left out: the issues name column and remedy too.
    """
    created = ""
    if row.status is Status.CREATED:
        created = _created(
            row.run, now=row.run is not None and row.run == summary.run, changed=row.changed and not row.message
        )
        if not row.message and not row.issues and row.lines == 1:
            return created
    repeats = any(issue.message in row.message for issue in row.issues)
    lines = [
        created,
        _of_lines(row.lines),
        "" if repeats else with_full_stop(row.message),
        *map(issue_text, row.issues),
    ]
    if row.status in DOUBTFUL:
        lines.append(_("The row is not sent again until it is known whether its case exists."))
    return "\n".join(filter(None, lines))


def _of_lines(count: int) -> str:
    """Return a sentence on a case that is made of several rows; empty for others."""
    if count == 1:
        return ""
    return ngettext("One ticket, made of {count} line.", "One ticket, made of {count} lines.", count)


def _created(run: int | None, *, now: bool, changed: bool) -> str:
    """Return the message of a created row."""
    if now:
        message = _("Created in this run.")
    elif run is not None:
        message = _("Created before, in run {run}.", run=run)
    else:
        message = _("Created before.")
    return f"{message}\n{translated(EDITED_AFTERWARDS)}" if changed else message


def says_changed(message: str) -> bool:
    """Return whether the message of a row in a report says that it was edited after its case was created."""
    return any(sentence in message for sentence in in_all_languages(EDITED_AFTERWARDS))


def issue_text(issue: Issue) -> str:
    """Return an issue in sentences: its column where the message does not name it, what is wrong, what to do."""
    text = f"{with_full_stop(issue.message)} {as_sentence(issue.remedy)}".strip()
    if issue.column is None or issue.column in issue.message:
        return text
    return _("{column}: {text}", column=issue.column, text=text)


def corrected_text(cell: Corrected) -> str:
    """Return what the sheet says where a correction says something else."""
    return _("Corrected. The sheet says: {before}", before=cell.before.strip() or _("(empty)"))


def as_sentence(text: str) -> str:
    """Return a remedy as a sentence of its own."""
    return with_full_stop(text[:1].upper() + text[1:])


def with_full_stop(text: str) -> str:
    """Return a text with a full stop, unless it ends in a sign of its own."""
    return f"{text}." if text and text[-1] not in ".!?…:" else text


def case_address(case_url: str | None, wolkvox_id: str | None) -> str | None:
    """Return the address that shows a case; None where it is not known."""
    if not (case_url and wolkvox_id):
        return None
    return case_url.replace("{wolkvox_id}", quote(wolkvox_id, safe=""))


# ------------------------------------------------------------------------------------------------ groups of issues


@dataclass(slots=True)
class IssueGroup:
    """The issues of one column with one code, of bounded size however many there are; `first` represents them all.

    `values` are the cells' texts, or the messages of issues that concern no cell.
    """

    first: Issue
    count: int = 0
    spans: list[list[int]] = field(default_factory=list)
    values: dict[str, int] = field(default_factory=dict)
    more_spans: int = 0
    other_values: bool = False

    @staticmethod
    def kind_of(issue: Issue) -> tuple[str, str, str]:
        """Return what the issues of a group share: the remedy, too, where it names the cell's value."""
        value = (issue.value or "").strip()
        is_named = bool(value) and (value in issue.remedy or as_yaml(value) in issue.remedy)
        return issue.column or "", issue.code, issue.remedy if is_named else ""

    def add(self, issue: Issue) -> None:
        """Count one more issue; rows come in the order of the sheet."""
        self.count += 1
        if issue.row is not None:
            self._add_row(issue.row)
        value = shorten(issue.message if issue.value is None else issue.value)
        if value in self.values or len(self.values) < VALUES_KEPT:
            self.values[value] = self.values.get(value, 0) + 1
        else:
            self.other_values = True

    def _add_row(self, number: int) -> None:
        if self.spans and not self.more_spans and number - self.spans[-1][1] in (0, 1):
            self.spans[-1][1] = number
        elif len(self.spans) < SPANS_SHOWN:
            self.spans.append([number, number])
        else:
            self.more_spans += 1

    @property
    def rows(self) -> str:
        """The rows, neighbours together: `2-5, 9`."""
        shown = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in self.spans)
        if not self.more_spans:
            return shown
        return ngettext("{shown} and {count} more row", "{shown} and {count} more rows", self.more_spans, shown=shown)

    @property
    def examples(self) -> list[tuple[str, int]]:
        """The most frequent values, each with its number of cells."""
        if self.first.value is None and len(self.values) == 1:
            return []  # it is the message of `first`
        frequent = sorted(self.values.items(), key=lambda pair: -pair[1])
        return [(value or _("(empty)"), count) for value, count in frequent[:VALUES_SHOWN]]

    @property
    def more_values(self) -> bool:
        """Whether there are other values than the examples."""
        return self.other_values or len(self.values) > VALUES_SHOWN


def issues_of(rows: Iterable[ReportRow]) -> Iterator[Issue]:
    """Yield the issues of all rows, each with the number of its row."""
    for row in rows:
        for issue in row.issues:
            yield replace(issue, row=row.number) if issue.row is None else issue


def group_issues(issues: Iterable[Issue]) -> list[IssueGroup]:
    """Return issues in groups by column and code, the most frequent first; memory does not grow with their number.

    Where remedies name the values of their cells, each is a group of its own, up to a limit.
    """
    groups: dict[tuple[str, str, str], IssueGroup] = {}
    for issue in issues:
        column, code, remedy = IssueGroup.kind_of(issue)
        if remedy and (column, code, remedy) not in groups and len(groups) >= VALUES_KEPT:
            remedy, issue = _OTHERS, replace(issue, remedy=_("see the sheet Report"))  # noqa: PLW2901
        groups.setdefault((column, code, remedy), IssueGroup(issue)).add(issue)
    return sorted(groups.values(), key=lambda group: -group.count)
