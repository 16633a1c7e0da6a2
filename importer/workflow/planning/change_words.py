"""What is said of edited rows: in which columns, what an update cannot change, and what became of the last one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from importer.commands import told
from importer.crm import explained, says_no_such_record
from importer.mapping import ATTACHMENTS
from importer.messages import _, translated
from importer.model import Issue
from importer.model.edits import Blocker, Change, ChangeState, LastUpdate, UpdateState
from importer.report_words import EDITED_AFTERWARDS
from importer.workflow.commands import Commands
from importer.workflow.planning.plan import PlannedRow


def last_update(known: LastUpdate | None) -> Iterator[str]:
    """Yield what became of the newest update of a row's case, as far as it stays true."""
    if known is None:
        return
    if known.state is UpdateState.UPDATED:
        yield _("Its case was updated in run {run}.", run=known.run)
    elif known.state is UpdateState.ACCEPTED:
        yield _("An edit was taken as known in run {run}, without an update of the case.", run=known.run)


def change_sentences(row: PlannedRow, *, beside_issues: bool = False) -> Iterator[str]:
    """Yield what is said of an edited row: that it was edited, in which columns, and what becomes of that.

    `beside_issues` leaves out what its issues say.
    """
    change = row.change
    is_doubtful = change is not None and (change.state in {"unknown", "sending"} or _is_sent_again(change))
    if not is_doubtful:
        yield translated(EDITED_AFTERWARDS)
    columns = edited_columns(row)
    if columns:
        yield _("Edited: {columns}.", columns=", ".join(columns))
    elif columns is None:
        yield _("It is not known which columns were edited.")
    if change is not None and not (beside_issues and change.state in {"not-updatable", "refused"}):
        yield from filter(None, (_what_becomes(change),))


def edited_columns(row: PlannedRow) -> tuple[str, ...] | None:
    """Return the columns of a row that were edited; None where that is not known."""
    return row.edited if row.change is None else row.change.columns


def _what_becomes(change: Change) -> str:
    say = _WHAT_BECOMES.get(change.state)
    return say(change) if say else ""


def _is_sent_again(change: Change) -> bool:
    """Tell whether an update is sent because it is not known what became of the last one."""
    return change.state == "update" and bool(change.reason)


def _doubtful(change: Change) -> str:
    if change.not_before is not None:
        return _(
            "It is not known whether the update of its case arrived ({reason}); a later run sends it again, from"
            " {when:%Y-%m-%d %H:%M:%S} on.",
            reason=change.reason.rstrip("."),
            when=change.not_before,
        )
    return _(
        "It is not known whether the update of its case arrived ({reason}); a later run sends it again.",
        reason=change.reason.rstrip("."),
    )


_WHAT_BECOMES: Mapping[ChangeState, Callable[[Change], str]] = {
    "update": lambda change: _doubtful(change) if _is_sent_again(change) else _("The next run updates its case."),
    "sending": lambda _change: _("Its case is being updated; a later run goes on."),
    "unknown": _doubtful,
    "refused": lambda change: _("The CRM refused the update: {message}.", message=explained(change.reason).rstrip(".")),
    "not-updatable": lambda change: " ".join(f"{blocked(one)}." for one in change.blockers),
    "held": lambda change: _("Its case is not updated: {reason}", reason=change.reason),
}


def blocked(blocker: Blocker) -> str:
    """Return why an edit cannot be sent, without a full stop."""
    names = {"column": blocker.column, "field": blocker.field}
    if blocker.kind == "unknown":
        return _("Not updatable: it is not known which columns were edited")
    if blocker.kind == "unused":
        return _("Not updatable: {column} fills no field of the case now", **names)
    if blocker.kind == "emptied" and not blocker.column:
        return _("Not updatable: {field} has no value now, and an update leaves out empty fields", **names)
    if blocker.kind == "emptied":
        return _("Not updatable: {column} leaves {field} empty, and an update leaves out empty fields", **names)
    if blocker.field == ATTACHMENTS:
        return _("Not updatable: the attachments changed, and an update sends no files")
    return _("Not updatable: {column} fills {field}, which an update cannot change", **names)


def change_issues(row: PlannedRow, commands: Commands) -> Iterator[Issue]:
    """Yield what a person has to do about an edited row that no run sends as it is."""
    change = row.change
    if change is None:
        return
    if change.state == "invalid":
        yield from row.issues
    elif change.state == "not-updatable":
        remedy = _(
            "Change the case in the CRM by hand; `{command}` then takes the edit as known",
            command=commands.run("--accept-changes"),
        )
        for one in change.blockers:
            yield Issue(row.number, one.column or None, None, "not-updatable", blocked(one), remedy)
    elif change.state == "refused":
        yield Issue(
            row.number,
            None,
            None,
            "update-refused",
            _what_becomes(change).rstrip("."),
            _refused(change, row.reference, commands),
        )


def _refused(change: Change, reference: str, commands: Commands) -> str:
    again = commands.run("--retry-rejected")
    if says_no_such_record(change.reason):
        return told(
            _(
                "The case may have been deleted in the CRM: look there, and record that with `{deleted}`; otherwise"
                " `{again}` sends the update again",
                deleted=commands.settle("--by-hand", reference, "--deleted"),
                again=again,
            ),
            _(
                "The case may have been deleted in the CRM: look there. If it is gone, whoever looks after this program"
                " can record that"
            ),
        )
    return _("Correct the row; or run `{command}` once the CRM has what was missing", command=again)
