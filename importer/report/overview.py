"""The words of the report's first sheet and of the head of the page: what arrived, what did not and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from importer.messages import _, gettext_noop, language, ngettext, shown, translated
from importer.model import CHANGED, Counts, Status, Summary
from importer.model.account import Account, Breakdown, FileCount, Kind, Reason
from importer.report.content import EDITED_SINCE, PALETTES, Palette, with_full_stop

_TITLES: dict[Kind, tuple[str, str]] = {
    "type": (gettext_noop("By case type in the sheet"), gettext_noop("Case type in the sheet")),
    "status": (gettext_noop("By status in the sheet"), gettext_noop("Status in the sheet")),
    "month": (gettext_noop("By month of the ticket"), gettext_noop("Month")),
    "sent": (gettext_noop("By month of sending"), gettext_noop("Month")),
    "year": (gettext_noop("By year of the ticket"), gettext_noop("Year")),
    "year-sent": (gettext_noop("By year of sending"), gettext_noop("Year")),
}


@dataclass(frozen=True, slots=True)
class TicketLine:
    """A line of a table: how many tickets, how many of them are in the CRM, and how many are not."""

    name: str
    tickets: int
    arrived: int
    missing: int


@dataclass(frozen=True, slots=True)
class TicketTable:
    """A table of tickets by one of their properties; `total` is its last line.

    Its lines are in the order of time, or the most frequent ones come first.
    """

    title: str
    names: tuple[str, str, str, str]
    lines: tuple[TicketLine, ...]
    total: TicketLine
    in_time: bool = False


def how_it_went(summary: Summary) -> str:
    """Return in plain sentences how many of the tickets are in the CRM, and what the others are."""
    if summary.rehearsal:
        return ngettext(
            "{arrived} of {tickets} ticket passed the rehearsal.",
            "{arrived} of {tickets} tickets passed the rehearsal.",
            summary.counts.cases,
            tickets=shown(summary.counts.cases, ","),
            arrived=shown(summary.counts.created_now, ","),
        )
    account = summary.account or Account()
    named = account.left_out.told() if summary.counts.skipped else ""
    return " ".join(filter(None, (*_sentences(summary.counts, account.deleted), named)))


def _sentences(counts: Counts, deleted: int) -> Iterator[str]:
    if not counts.cases:
        yield _("There are no tickets to import.")
    elif counts.part:
        yield ngettext(
            "{arrived} of {tickets} ticket, made of {rows} lines, is in the CRM.",
            "{arrived} of {tickets} tickets, made of {rows} lines, are in the CRM.",
            counts.cases,
            tickets=shown(counts.cases, ","),
            arrived=shown(counts.created, ","),
            rows=shown(counts.case_rows, ","),
        )
    else:
        yield ngettext(
            "{arrived} of {tickets} ticket is in the CRM.",
            "{arrived} of {tickets} tickets are in the CRM.",
            counts.cases,
            tickets=shown(counts.cases, ","),
            arrived=shown(counts.created, ","),
        )
    if deleted:
        yield ngettext(
            "{count} of them was deleted from the CRM since.",
            "{count} of them were deleted from the CRM since.",
            deleted,
        )
    doubtful = counts.unknown + counts.conflict + counts.sending
    if doubtful:
        yield ngettext(
            "{count} more may be there: that is not known yet.",
            "{count} more may be there: that is not known yet.",
            doubtful,
        )
    if counts.skipped:
        yield ngettext("{count} row was left out on purpose.", "{count} rows were left out on purpose.", counts.skipped)


def about_files(summary: Summary) -> str:
    """Return a sentence on the attachments; empty where the tickets name none."""
    files = files_of(summary)
    return " ".join(_on_files(files)) if files.named else ""


def files_of(summary: Summary) -> FileCount:
    """Return the numbers of the attachments."""
    return (summary.account or Account()).files


def _on_files(files: FileCount) -> Iterator[str]:
    yield _("Attachments: {sent} of {named} sent.", sent=shown(files.sent, ","), named=shown(files.named, ","))
    if files.waiting:
        yield ngettext(
            "{count} waits for its ticket to be sent.", "{count} wait for their tickets to be sent.", files.waiting
        )
    if files.missing:
        yield ngettext("{count} is missing or cannot be sent.", "{count} are missing or cannot be sent.", files.missing)
    if files.left_out:
        rows = "; ".join(_("row {row}: {names}", row=row, names=", ".join(names)) for row, names in files.left_out)
        yield _("Sent without their missing files: {rows}.", rows=rows)


def reasons(summary: Summary) -> tuple[Reason, ...]:
    """Return why tickets did not arrive, the most frequent reason first."""
    return (summary.account or Account()).reasons


def reason_text(reason: Reason) -> str:
    """Return a reason in a sentence, marked as an example where its tickets differ in it."""
    text = with_full_stop(reason.message)
    return text if reason.alike else _("For example: {text}", text=text)


def palette_of_state(state: str) -> Palette:
    """Return the colours of a state by its name; grey for what is no state."""
    if state == CHANGED:
        return EDITED_SINCE
    return PALETTES[Status(state)] if state else PALETTES[Status.SKIPPED]


def tables(summary: Summary, most: int | None = None) -> Iterator[TicketTable]:
    """Yield the tables of tickets, with months as years if there are more than `most`; none without tickets."""
    for each in (summary.account or Account()).breakdowns:
        breakdown = each.by_year() if most is not None and len(each.tallies) > most else each
        title, name = map(translated, _TITLES[breakdown.kind])
        names = (name, _("Tickets"), _("In the CRM"), _("Not yet"))
        lines = tuple(_lines(breakdown))
        columns = zip(*((line.tickets, line.arrived, line.missing) for line in lines), strict=True)
        total = TicketLine(_("all tickets"), *map(sum, columns))
        yield TicketTable(title, names, lines, total, in_time=breakdown.kind not in {"type", "status"})


def _lines(breakdown: Breakdown) -> Iterator[TicketLine]:
    for tally in breakdown.tallies:
        name = _("others") if tally.name is None else tally.name
        if not name:
            name = _("(not sent yet)") if breakdown.kind in {"sent", "year-sent"} else _("(none)")
        elif tally.name and breakdown.kind in {"month", "sent"}:
            name = month_name(name)
        yield TicketLine(name, tally.tickets, tally.arrived, tally.missing)


_MONTHS = (
    gettext_noop("January {year}"),
    gettext_noop("February {year}"),
    gettext_noop("March {year}"),
    gettext_noop("April {year}"),
    gettext_noop("May {year}"),
    gettext_noop("June {year}"),
    gettext_noop("July {year}"),
    gettext_noop("August {year}"),
    gettext_noop("September {year}"),
    gettext_noop("October {year}"),
    gettext_noop("November {year}"),
    gettext_noop("December {year}"),
)


def month_name(month: str) -> str:
    """Return a month, `2026-11`, as people write it in the language that is spoken; in English it stays as it is."""
    year, _dash, number = month.partition("-")
    return month if language() == "en" else translated(_MONTHS[int(number) - 1], year=year)
