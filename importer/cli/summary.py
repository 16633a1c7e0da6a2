"""What a run is about to do, in the few lines that are shown before it asks to send."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from importer.messages import _, ngettext
from importer.names import size_text, state_name

if TYPE_CHECKING:
    from importer.workflow.forecast.forecast import Forecast


def summary(forecast: Forecast) -> str:
    """Return what a run is about to do."""
    return "\n".join(_lines(forecast))


def _lines(forecast: Forecast) -> Iterator[str]:
    plan = forecast.plan
    yield ngettext(
        "{path}: {count} row, import {name}",
        "{path}: {count} rows, import {name}",
        forecast.counts.rows,
        path=plan.table.path,
        name=plan.scope.import_name,
    )
    yield _("  to        {server}, operation {operation}", server=forecast.server, operation=plan.scope.operation)
    if plan.only:
        yield _(
            "  only      rows that are or were in these states: {states}", states=", ".join(map(state_name, plan.only))
        )
    yield ngettext(
        "  send      {count} row, one case", "  send      {count} rows, one case each", forecast.rows_to_send
    )
    if forecast.again:
        yield ngettext(
            "  again     {count} of them had a case that was deleted from the CRM, and gets a new one",
            "  again     {count} of them had cases that were deleted from the CRM, and get new ones",
            forecast.again,
        )
    yield from _effects(forecast)
    yield from _updates(forecast)
    yield from _not_sent(forecast)
    if forecast.attachments:
        yield ngettext(
            "  files     {count} attachment, {size}",
            "  files     {count} attachments, {size}",
            forecast.attachments,
            size=size_text(forecast.attachment_bytes),
        )
    yield from _calls(forecast)
    for note in plan.notes:
        yield _("  note      {note}", note=note)


def _effects(forecast: Forecast) -> Iterator[str]:
    """Yield what the cases may set off in the CRM, which nothing undoes."""
    if not forecast.rows_to_send:
        return
    if forecast.open_cases:
        yield ngettext(
            "  open      {count} of them has an open status: its time limit (SLA) may start, its contact may get mail,"
            " and alerts may go off (likely, and not documented)",
            "  open      {count} of them have an open status: their time limits (SLA) may start, their contacts may get"
            " mail, and alerts may go off (likely, and not documented)",
            forecast.open_cases,
        )
        yield _("            (switch these notifications off first when you migrate old tickets)")
    for effect in forecast.effects:
        yield _("  learnt    {effect}", effect=effect)
    yield _("  undo      not possible: the CRM documents no call that deletes a case")


def _updates(forecast: Forecast) -> Iterator[str]:
    """Yield what becomes of rows that were edited after their cases were created."""
    updates = forecast.updates
    if updates.wanted:
        columns = ", ".join(f"{column} ({count})" for column, count in updates.columns)
        yield ngettext(
            "  update    {count} case, whose row was edited in: {columns}",
            "  update    {count} cases, whose rows were edited in: {columns}",
            forecast.updates_to_send,
            columns=columns,
        )
        if later := updates.wanted - forecast.updates_to_send:
            yield ngettext("            {count} later", "            {count} later", later)
    if updates.accepted:
        yield ngettext(
            "  accept    the edit of {count} row is taken as known; nothing of it is sent",
            "  accept    the edits of {count} rows are taken as known; nothing of them is sent",
            updates.accepted,
        )
    left = sum(updates.states.values()) - updates.wanted - updates.accepted
    if left:
        yield ngettext(
            "  edited    {count} row that was edited after its case was created; its case is not updated",
            "  edited    {count} rows that were edited after their cases were created; their cases are not updated",
            left,
        )


def _not_sent(forecast: Forecast) -> Iterator[str]:
    """Yield which rows are not sent, so that the lines add up to all of them."""
    counts = forecast.counts
    yield _(
        "  not sent  {invalid} invalid, {skipped} skipped, {created} already created",
        invalid=counts.invalid,
        skipped=counts.skipped,
        created=counts.created,
    )
    if counts.part:
        yield ngettext(
            "            {count} is a further line of another row's case, and goes with it",
            "            {count} are further lines of other rows' cases, and go with them",
            counts.part,
        )
    if counts.rejected:
        yield ngettext(
            "            {count} rejected by the CRM and unchanged since (--retry-rejected sends it again)",
            "            {count} rejected by the CRM and unchanged since (--retry-rejected sends them again)",
            counts.rejected,
        )
    if later := counts.planned - forecast.rows_to_send - forecast.waiting:
        yield ngettext("  later     {count} row", "  later     {count} rows", later)
    if forecast.waiting:
        yield ngettext(
            "  waiting   {count} row, for the answer to an open question",
            "  waiting   {count} rows, for the answer to an open question",
            forecast.waiting,
        )
    if doubtful := counts.unknown + counts.conflict + counts.sending:
        yield ngettext(
            "  doubtful  {count} row that may or may not have a case; it is not sent",
            "  doubtful  {count} rows that may or may not have a case; they are not sent",
            doubtful,
        )


def _calls(forecast: Forecast) -> Iterator[str]:
    """Yield which calls the run needs, beside what is left of the token's daily quota."""
    if forecast.searches:
        yield ngettext(
            "  search    {count} call to look for the row first",
            "  search    {count} calls to look for the rows first",
            forecast.searches,
        )
    yield from _contacts(forecast)
    if forecast.spot_check:
        yield ngettext(
            "  check     the CRM is searched for {count} row first, in case another computer sent it",
            "  check     the CRM is searched for {count} rows first, in case another computer sent them",
            len(forecast.spot_check),
        )
    if forecast.names_others:
        yield _(
            "  alone     other computers do not know this journal: let only this one send this import"
            " (docs/two-people.md)"
        )
    if forecast.quota is None or forecast.quota.left is None:
        return
    yield ngettext(
        "  quota     {count} call needed, {left} left today",
        "  quota     {count} calls needed, {left} left today",
        forecast.calls,
        left=forecast.quota.left,
    )
    if forecast.days is not None and forecast.days > 1:
        last = forecast.asked_at + timedelta(days=forecast.days - 1)
        yield ngettext(
            "            this takes {count} day, until {last:%Y-%m-%d}",
            "            this takes {count} days, until {last:%Y-%m-%d}",
            forecast.days,
            last=last,
        )


def _contacts(forecast: Forecast) -> Iterator[str]:
    """Yield what is done for the contacts of the rows, and who they are."""
    contacts = forecast.contacts
    if contacts.to_create:
        named = ", ".join(contacts.named) + (", …" if contacts.to_create > len(contacts.named) else "")
        yield ngettext(
            "  contacts  {count} contact is searched for, and created if the CRM lacks it (up to {calls} calls):"
            " {named}",
            "  contacts  {count} contacts are searched for, and created where the CRM lacks them (up to {calls} calls):"
            " {named}",
            contacts.to_create,
            calls=2 * contacts.to_create + contacts.further,
            named=named,
        )
    if contacts.rejected:
        yield ngettext(
            "            {count} contact was rejected by the CRM; it is searched for, but not created again",
            "            {count} contacts were rejected by the CRM; they are searched for, but not created again",
            contacts.rejected,
        )
    if contacts.unknown:
        yield ngettext(
            "            {count} contact may have been created before; its rows wait until that is settled",
            "            {count} contacts may have been created before; their rows wait until that is settled",
            contacts.unknown,
        )
