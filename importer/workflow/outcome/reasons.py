"""What is said about a row: its issues and its message in the report, and why its ticket is not in the CRM."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from importer.commands import is_on_page
from importer.crm import explained, known_refusal
from importer.messages import _, ngettext, shorten
from importer.model import Issue, JournalRow, Status
from importer.model.clicks import click_for
from importer.workflow.commands import Commands
from importer.workflow.planning.change_words import change_issues, change_sentences, last_update
from importer.workflow.planning.plan import KNOWN_TWICE, PlannedRow


def issues_of(row: PlannedRow, commands: Commands) -> tuple[Issue, ...]:
    """Return what a person must correct in a row: faults in its cells, or why the CRM rejected it, or two cases."""
    if row.status is Status.REJECTED and row.known is not None:
        return (rejection(row.number, row.known, commands),)
    if row.status in {Status.INVALID, Status.PART}:
        return tuple(map(_for_reader, row.issues))
    own = (issue for issue in row.issues if issue.code == KNOWN_TWICE)
    return tuple(map(_for_reader, dict.fromkeys((*own, *change_issues(row, commands)))))


def _for_reader(issue: Issue) -> Issue:
    """Return an issue in words of whoever reads it: on the page, without those of mappings and commands."""
    if not is_on_page():
        return issue
    message = issue.message
    if issue.code == "required" and issue.column is not None:
        empty = not (issue.value or "").strip()
        message = (
            _("{column} is empty, and the CRM requires it", column=issue.column)
            if empty
            else _(
                "{column} '{value}' gives no value for what the CRM requires",
                column=issue.column,
                value=shorten(issue.value or ""),
            )
        )
    if issue.code == "no-crm-value" and issue.column is not None:
        message = _(
            "“{value}” in {column} is not matched with any value of the CRM",
            value=shorten(issue.value or ""),
            column=issue.column,
        )
    # an issue stands for all of a column: its row is named beside it
    return replace(issue, message=message, remedy=click_for(issue.code, None, issue.column, issue.value))


def rejection(number: int, known: JournalRow, commands: Commands) -> Issue:
    """Return the issue of a row that the CRM rejected: its words, what they mean if that is known, and what helps."""
    again, refusal = commands.run("--retry-rejected"), known_refusal(known.message)
    if refusal:
        remedy = refusal.remedy(again)
    else:
        remedy = _("Correct the row; or run `{command}` once the CRM has what was missing", command=again)
    return _for_reader(Issue(number, None, None, "rejected", _rejected(known), remedy))


def _rejected(known: JournalRow) -> str:
    return _("Rejected by the CRM: {message}", message=explained(known.message))


def message_of(row: PlannedRow) -> str:
    """Return the message in a row's line; empty for a row that is simply created or planned."""
    if row.status in {Status.SKIPPED, Status.PART}:
        return row.skipped or ""
    if row.status in {Status.INVALID, Status.REJECTED}:
        return _what_is_wrong(row)
    if row.status is Status.PLANNED and (waits := row.waits or row.contact_waits):
        return waits
    if row.status is Status.CREATED:
        return " ".join(_flags(row))
    if row.status is Status.SENDING and row.known and row.known.lease_until:
        return _(
            "Being sent to the CRM; if that process has stopped, the row becomes unknown at {until:%H:%M:%S}.",
            until=row.known.lease_until,
        )
    return row.known.message if row.known else ""


def _what_is_wrong(row: PlannedRow) -> str:
    if row.status is Status.REJECTED and row.known is not None:
        return _rejected(row.known)
    return "; ".join(_for_reader(issue).message for issue in row.issues) or _faulty_lines(row)


def _faulty_lines(row: PlannedRow) -> str:
    """Return why a row is not sent that has no issues itself."""
    if not row.faulty_lines:
        return ""
    return ngettext(
        "Not sent: row {rows}, a further line of this case, must be corrected first.",
        "Not sent: rows {rows}, further lines of this case, must be corrected first.",
        len(row.faulty_lines),
        rows=", ".join(map(str, row.faulty_lines)),
    )


def _flags(row: PlannedRow) -> Iterator[str]:
    """Yield what a reader must know about a created row."""
    if row.known and row.known.disputed:
        yield _("Disputed: the CRM gave this id to another row, too; see the sheet To decide.")
    if row.known and row.known.deleted:
        yield _("This case was deleted from the CRM, as a person reported.")
    if row.left_out:
        yield _("Sent without: {names}.", names=", ".join(row.left_out))
    if row.known:
        yield from last_update(row.known.update)
    if row.differs:
        yield from change_sentences(row, beside_issues=True)


def reason_of(row: PlannedRow, commands: Commands) -> tuple[Status, Issue]:
    """Return why a ticket is not in the CRM: its state, and the first of its reasons."""
    status = row.status
    if status is Status.INVALID and row.issues:
        return status, _for_reader(row.issues[0])
    if status is Status.REJECTED and row.known is not None:
        return status, rejection(row.number, row.known, commands)
    if status is Status.PLANNED and row.contact_waits is not None and row.waits is None:
        return status, _for_reader(Issue(row.number, None, None, status.value, row.contact_waits, _contact_remedy()))
    waits = status is Status.PLANNED and row.waits is not None
    message, remedy = (_waits if waits else _REASONS[status])(commands)
    return status, _for_reader(Issue(row.number, None, None, status.value, message, remedy))


def _contact_remedy() -> str:
    return _("do what the next step says about contacts, and send it again")


def _waits(_commands: Commands) -> tuple[str, str]:
    return _("Not sent: it waits for an answer"), _("answer the question that the next step names")


_REASONS: Mapping[Status, Callable[[Commands], tuple[str, str]]] = {
    Status.INVALID: lambda _commands: (
        _("Not sent: a further line of the ticket has a fault"),
        _("correct that line; the sheet Issues names it"),
    ),
    Status.PLANNED: lambda commands: (
        _("Nothing is wrong with it; it was not sent yet"),
        _("send it with `{command}`", command=commands.run()),
    ),
    Status.SENDING: lambda commands: (
        _("It was being sent when the report was written"),
        _("write the report again later with `{command}`", command=commands.report()),
    ),
    Status.UNKNOWN: lambda commands: (
        _("It was sent, but no clear answer came: it may be in the CRM"),
        _(
            "look at its line on the sheet To decide, or let `{command}` search for it",
            command=commands.settle("--wait"),
        ),
    ),
    Status.CONFLICT: lambda _commands: (
        _("The CRM may have it more than once"),
        _("look at its line on the sheet To decide"),
    ),
    Status.REJECTED: lambda _commands: (_("Rejected by the CRM"), _("correct the row")),
}
"""Why a ticket that has no issues is not in the CRM, and what to do."""
