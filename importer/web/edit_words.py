"""What the page says of rows that were edited after their case was created: what a run does about them, and why not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from importer import Blocker, Change, Forecast, Plan
from importer.messages import _, ngettext
from importer.model.edits import ChangeState
from importer.web.field_names import field_name

_MOST_ROWS = 12
"""Rows of one reason that are named; all are counted."""

MOST_ACCEPTED = 100
"""Rows that are listed before their edits are taken as known."""

ATTACHMENTS = "attachments"

NOT_UPDATED: tuple[ChangeState, ...] = ("not-updatable", "invalid", "refused", "unknown", "sending", "held")
"""The states of edits that no run sends as they are now."""


@dataclass(slots=True)
class NotUpdated:
    """Edited rows whose cases are not updated for one reason: the first ones by number, and how many there are."""

    why: str
    rows: list[int] = field(default_factory=list)
    count: int = 0

    @property
    def listed(self) -> str:
        """The numbers of the rows."""
        rows = ", ".join(map(str, self.rows)) + (", …" if self.count > len(self.rows) else "")
        return ngettext("Row {rows}", "Rows {rows}", self.count, rows=rows)


def not_updated(plan: Plan) -> list[NotUpdated]:
    """Return why cases of edited rows are not updated, the most frequent reason first."""
    found: dict[str, NotUpdated] = {}
    for row in plan.edited(*NOT_UPDATED):
        for why in reasons(row.change) if row.change else ():
            one = found.setdefault(why, NotUpdated(why))
            one.count += 1
            if len(one.rows) < _MOST_ROWS:
                one.rows.append(row.number)
    return sorted(found.values(), key=lambda one: -one.count)


def accepted_rows(plan: Plan) -> list[tuple[int, str]]:
    """Return the first edited rows of a plan, each with the columns that were edited."""
    return [
        (row.number, ", ".join((row.change and row.change.columns) or ()) or _("it is not known which columns"))
        for row in islice(plan.edited("report", "update", "not-updatable", "invalid", "refused", "held"), MOST_ACCEPTED)
    ]


def reasons(change: Change) -> Iterator[str]:
    """Yield what becomes of an edit, in sentences; nothing where it is only reported."""
    if change.state == "update":
        yield _("The next run updates its case.")
    elif change.state == "sending":
        yield _("Its case is being updated; a later run goes on.")
    elif change.state == "unknown" and change.not_before is not None:
        yield _(
            "It is not known whether the update of its case arrived; a run after {when:%Y-%m-%d %H:%M} sends it again.",
            when=change.not_before,
        )
    elif change.state == "unknown":
        yield _("It is not known whether the update of its case arrived; a later run sends it again.")
    elif change.state == "invalid":
        yield _("The row has something to correct first.")
    elif change.state == "refused":
        yield _("The CRM refused the update: {message}.", message=change.reason.rstrip("."))
    elif change.state == "held":
        yield change.reason
    else:
        yield from dict.fromkeys(map(_blocked, change.blockers))


def _blocked(one: Blocker) -> str:
    """Return why an edited column keeps its row from being updated, with the field by its name on the page."""
    column, name = one.column, field_name(one.field)
    if one.kind == "unknown":
        return _("It is not known which columns were edited, so its case has to be changed in the CRM by hand.")
    if one.kind == "unused":
        return _("“{column}” goes into no field of the case now.", column=column)
    if one.kind == "emptied" and not column:
        return _("{field} has no value now, and an update cannot empty a field.", field=name)
    if one.kind == "emptied":
        return _("“{column}” leaves {field} empty, and an update cannot empty a field.", column=column, field=name)
    if one.field == ATTACHMENTS:
        return _("The attachments are others now, and an update sends no files.")
    return _("“{column}” goes into {field}, which an update cannot change.", column=column, field=name)


def updates_told(forecast: Forecast) -> Iterator[tuple[str, str]]:
    """Yield what a run does about edited rows, each with the name of what it is about."""
    updates, now = forecast.updates, forecast.updates_to_send
    if updates.accepted:
        yield (
            _("Changes"),
            ngettext(
                "{count} case stays as it is in the CRM: nothing of the change is sent, and it is not reported again.",
                "{count} cases stay as they are in the CRM: nothing of the changes is sent, and they are not reported"
                " again.",
                updates.accepted,
            ),
        )
    if now:
        columns = ", ".join(f"{column} ({count})" for column, count in updates.columns)
        yield (
            _("Updates"),
            ngettext(
                "{count} case that exists is updated with what its row says now. Changed: {columns}.",
                "{count} cases that exist are updated with what their rows say now. Changed: {columns}.",
                now,
                columns=columns,
            )
            if columns
            else ngettext(
                "{count} case that exists is updated with what its row says now.",
                "{count} cases that exist are updated with what their rows say now.",
                now,
            ),
        )
    if later := updates.wanted - now:
        yield _("Updates"), ngettext("{count} update stays for later.", "{count} updates stay for later.", later)
    if reported := updates.states.get("report", 0):
        yield (
            _("Changes"),
            ngettext(
                "{count} row changed after its case was created; the case stays as it is.",
                "{count} rows changed after their cases were created; the cases stay as they are.",
                reported,
            ),
        )
