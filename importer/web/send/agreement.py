"""What the page Send says before anything is sent: what will happen, why nothing would, and what questions name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import nsmallest
from typing import TYPE_CHECKING

from importer import Forecast, ImporterError, Proposal, Question, history, imports_known
from importer.messages import _, ngettext
from importer.names import size_text
from importer.web.checking import CheckedSheet
from importer.web.edit_words import updates_told
from importer.web.send.questions import Surroundings

if TYPE_CHECKING:
    from importer.web.office import OpenSheet

_EXAMPLES = 3
"""Rows that a question about the whole sheet gives as examples."""


def effects(proposal: Proposal) -> list[tuple[str, str]]:
    """Return what sending has as effects, each with the name of what it is about."""
    return [] if proposal.forecast is None else list(_effects(proposal.forecast))


def _effects(forecast: Forecast) -> Iterator[tuple[str, str]]:
    count = forecast.rows_to_send
    operation = forecast.plan.scope.operation
    created = ngettext(
        "{count} new case at {server}, operation {operation}",
        "{count} new cases at {server}, operation {operation}",
        count,
        server=_host(forecast.server),
        operation=operation,
    )
    if count:
        yield _("Cases"), created
    yield from _contacts(forecast)
    yield from updates_told(forecast)
    yield from _of_cases(forecast)
    if forecast.attachments:
        yield (
            _("Attachments"),
            ngettext(
                "{count} file, {size}", "{count} files, {size}", forecast.attachments,
                size=size_text(forecast.attachment_bytes),
            ),
        )  # fmt: skip
    yield from _calls(forecast)
    yield from _left(forecast)
    if count:
        yield _("Undo"), _("It cannot be undone from here: the CRM does not let a program delete a case.")
    elif forecast.updates_to_send or forecast.updates.accepted:
        yield _("Undo"), _("It cannot be undone from here.")


def _of_cases(forecast: Forecast) -> Iterator[tuple[str, str]]:
    """Yield what the new cases may set off."""
    if forecast.again:
        yield (
            _("Again"),
            ngettext(
                "{count} of them had a case that was deleted from the CRM, and gets a new one.",
                "{count} of them had cases that were deleted from the CRM, and get new ones.",
                forecast.again,
            ),
        )
    if forecast.open_cases:
        yield (
            _("Open cases"),
            ngettext(
                "{count} of them has an open status: its time limit (SLA) starts to run, and the CRM may notify the"
                " contact and the agent.",
                "{count} of them have an open status: their time limits (SLA) start to run, and the CRM may notify the"
                " contacts and the agents.",
                forecast.open_cases,
            ),
        )


def _left(forecast: Forecast) -> Iterator[tuple[str, str]]:
    """Yield which rows are not sent now, and why."""
    rows = forecast.counts
    later = 0 if forecast.updates.accepted else rows.planned - forecast.rows_to_send - forecast.waiting
    if later:
        yield _("Later"), ngettext("{count} row stays for later.", "{count} rows stay for later.", later)
    if forecast.waiting:
        yield (
            _("Later"),
            ngettext(
                "{count} row waits for your answer to a question.",
                "{count} rows wait for your answer to a question.",
                forecast.waiting,
            ),
        )
    if rows.invalid + rows.rejected and not forecast.updates.accepted:
        yield (
            _("Not sent"),
            ngettext(
                "{count} row, which has to be corrected first.",
                "{count} rows, which have to be corrected first.",
                rows.invalid + rows.rejected,
            ),
        )


def _contacts(forecast: Forecast) -> Iterator[tuple[str, str]]:
    """Yield what is done about the contacts of the rows before these are sent."""
    contacts = forecast.contacts
    if contacts.to_create:
        yield (
            _("Contacts"),
            ngettext(
                "{count} contact is created in the CRM first; one that is there already is not created again.",
                "{count} contacts are created in the CRM first; those that are there already are not created again.",
                contacts.to_create,
            ),
        )
    if contacts.rejected:
        yield (
            _("Contacts"),
            ngettext(
                "{count} contact was rejected by the CRM. It is only searched for, and its rows wait until it is"
                " there.",
                "{count} contacts were rejected by the CRM. They are only searched for, and their rows wait until they"
                " are there.",
                contacts.rejected,
            ),
        )
    if contacts.unknown:
        yield (
            _("Contacts"),
            ngettext(
                "{count} contact may have been created or not. It is searched for, and its rows wait until that is"
                " clear.",
                "{count} contacts may have been created or not. They are searched for, and their rows wait until that"
                " is clear.",
                contacts.unknown,
            ),
        )


def title_of(forecast: Forecast) -> str:
    """Return what a run does, in a few words."""
    cases, updates = forecast.rows_to_send, forecast.updates_to_send
    if accepted := forecast.updates.accepted:
        return ngettext(
            "The changes of {count} row will count as known",
            "The changes of {count} rows will count as known",
            accepted,
        )
    if cases and updates:
        created = ngettext("{count} case will be created", "{count} cases will be created", cases)
        return ngettext("{created}, and {count} updated", "{created}, and {count} updated", updates, created=created)
    if updates:
        return ngettext("{count} case will be updated", "{count} cases will be updated", updates)
    if cases:
        return ngettext("{count} case will be created", "{count} cases will be created", cases)
    return _("Nothing would be sent")


def button_of(forecast: Forecast) -> str:
    """Return what the button says that agrees to it; empty where there is nothing to agree to."""
    cases, updates = forecast.rows_to_send, forecast.updates_to_send
    if forecast.updates.accepted:
        return _("Take these changes as known")
    if cases and updates:
        sent = ngettext("Send {count} case now", "Send {count} cases now", cases)
        return ngettext("{sent}, and update {count}", "{sent}, and update {count}", updates, sent=sent)
    if updates:
        return ngettext("Update {count} case now", "Update {count} cases now", updates)
    return ngettext("Send {count} case now", "Send {count} cases now", cases) if cases else ""


def _calls(forecast: Forecast) -> Iterator[tuple[str, str]]:
    quota = forecast.quota
    if quota is not None and quota.left is not None:
        sentence = ngettext(
            "{count} call to the CRM; {left:,d} are left today.",
            "{count} calls to the CRM; {left:,d} are left today.",
            forecast.calls,
            left=quota.left,
        )
        if forecast.days is not None and forecast.days > 1:
            sentence = ngettext(
                "{count} call to the CRM; {left:,d} are left today, so this takes {days} days.",
                "{count} calls to the CRM; {left:,d} are left today, so this takes {days} days.",
                forecast.calls,
                left=quota.left,
                days=forecast.days,
            )
        yield _("Quota"), sentence
    if forecast.searches:
        yield (
            _("Before"),
            ngettext(
                "The CRM is searched for the row, so that a case that is already there is not created again.",
                "The CRM is searched for all {count} rows, so that cases that are already there are not created again.",
                forecast.searches,
            ),
        )
    elif forecast.spot_check:
        yield (
            _("Before"),
            ngettext(
                "The CRM is searched for {count} of the rows, in case another computer has sent it.",
                "The CRM is searched for {count} of the rows, in case another computer has sent them.",
                len(forecast.spot_check),
            ),
        )
    if forecast.names_others:
        yield (
            _("Together"),
            _(
                "Other computers do not know what this one sends. Let only this computer send this import; colleagues"
                " correct the sheet or the report."
            ),
        )


def why_nothing(forecast: Forecast) -> list[str]:
    """Return why nothing would be sent: what became of the rows instead; empty where something would be."""
    return [] if button_of(forecast) else list(_instead(forecast))


def _instead(forecast: Forecast) -> Iterator[str]:
    counts = forecast.counts
    if counts.created:
        yield ngettext(
            "{count} row has its case in the CRM already.",
            "{count} rows have their cases in the CRM already.",
            counts.created,
        )
    if forecast.waiting:
        yield ngettext(
            "{count} row waits for your answer to a question.",
            "{count} rows wait for your answer to a question.",
            forecast.waiting,
        )
    if faulty := counts.invalid + counts.rejected:
        yield ngettext(
            "{count} row, which has to be corrected first.", "{count} rows, which have to be corrected first.", faulty
        )
    if doubtful := counts.unknown + counts.conflict:
        yield ngettext(
            "{count} row may be a case already, and is not sent again: it has to be confirmed.",
            "{count} rows may be cases already, and are not sent again: they have to be confirmed.",
            doubtful,
        )
    if counts.planned > forecast.waiting:
        later = counts.planned - forecast.waiting
        yield ngettext("{count} row stays for later.", "{count} rows stay for later.", later)
    if not counts.rows:
        yield _("The sheet has no rows.")


def first_steps(proposal: Proposal, few: int) -> str:
    """Return why a few rows may go first: this mapping, as it is now, has created nothing. Empty if they need not."""
    forecast = proposal.forecast
    if forecast is None or forecast.rows_to_send <= few:
        return ""
    digest, name = forecast.plan.mapping.digest, forecast.plan.scope.import_name
    try:
        runs = [run for run in history(proposal.job.journal_path) if run.created_now]
    except ImporterError:
        runs = []
    if any(run.start.mapping_digest == digest for run in runs):
        return ""
    if any(run.import_name == name for run in runs):
        return _(
            "This mapping was changed after the last cases were created with it. A few cases first show in the CRM"
            " whether everything is in its place; the others follow afterwards."
        )
    return _(
        "This mapping has not created a case yet. Sending a few cases first shows in the CRM whether everything"
        " is in its place; the others follow."
    )


def surroundings(sheet: OpenSheet, questions: Sequence[Question]) -> Surroundings:
    """Return what the questions of a sheet name."""
    checked = sheet.checker.now().value
    if checked is None:
        return Surroundings()
    try:
        known = imports_known(sheet.job.journal_path)
    except ImporterError:
        known = []
    plan, counts = checked.plan, checked.counts
    key = plan.key_columns[0] if len(plan.key_columns) == 1 else ""
    sent_at = {one.import_name: one.last_run.record.started_at for one in known if one.last_run is not None}
    keys = _keys_of(checked, [question for question in questions if question.scope == "run"])
    return Surroundings(plan.scope.import_name, counts.rows, counts.planned, key, sent_at, keys)


def _keys_of(checked: CheckedSheet, questions: Sequence[Question]) -> dict[int, str]:
    """Return the keys of the first rows that questions about the whole sheet give as examples."""
    rows = {row for question in questions for row in nsmallest(_EXAMPLES, question.rows)}
    return {row.number: row.key for row in checked.review.rows if row.number in rows} if rows else {}


def _host(server: str) -> str:
    return server.partition("://")[2] or server
