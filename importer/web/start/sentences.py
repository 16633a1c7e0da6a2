"""What the cards of the page Start say: what happened, and what is next."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from importer import Counts, ImportState, LeftOut, RunWatch, Status
from importer.messages import _, ngettext


def sending(state: ImportState) -> str:
    """Say that a run goes on: of this program, of another one, or that it waits."""
    created = _created(state.running)
    if state.quota_until is not None:
        return _(
            "The run is waiting for the CRM's quota, and continues by itself at {when:%Y-%m-%d %H:%M}.",
            when=state.quota_until.astimezone(),
        )
    if state.running is not None and state.running.is_own:
        return ngettext(
            "Cases are being sent: {count} created so far. You can close this tab; the run continues.",
            "Cases are being sent: {count} created so far. You can close this tab; the run continues.",
            created,
        )
    if state.running is not None and state.running.machines:
        return ngettext(
            "{machines} are sending this import: {count} case created so far. Here you can only watch.",
            "{machines} are sending this import: {count} cases created so far. Here you can only watch.",
            created,
            machines=machines(state.running),
        )
    return ngettext(
        "Another program on this computer is sending this import: {count} case created so far. Here you can only"
        " watch.",
        "Another program on this computer is sending this import: {count} cases created so far. Here you can only"
        " watch.",
        created,
    )


def machines(run: RunWatch) -> str:
    """Return the workers of a run, each with its computer and how far it is with its share."""
    each = (
        _("{name} on {computer} ({tried}/{rows})", name=one.name, computer=one.computer, tried=one.tried, rows=one.rows)
        for one in run.machines
    )
    return ", ".join(each)


def _created(run: RunWatch | None) -> int:
    """Return how many cases a run has created: an import has those of other weeks, too."""
    return run.states.get(Status.CREATED, 0) if run is not None else 0


def begins() -> str:
    """Say that a run of this program has begun, and sent nothing yet."""
    return _("The run is starting. You can close this tab.")


def interrupted(state: ImportState) -> str:
    """Say that the last run ended without an end, and how it goes on."""
    return ngettext(
        "The run of {when:%Y-%m-%d %H:%M} was interrupted: {count} case was created. Nothing is sent twice:"
        " “Continue” picks up where it stopped.",
        "The run of {when:%Y-%m-%d %H:%M} was interrupted: {count} cases were created. Nothing is sent twice:"
        " “Continue” picks up where it stopped.",
        _created(state.last_run),
        when=_last_run(state),
    )


def stopped(state: ImportState) -> str:
    """Say that the last run was paused, or sent only the first rows, and how it goes on."""
    return ngettext(
        "The sending of {when:%Y-%m-%d %H:%M} stopped before the end: {count} case is created. Nothing is sent twice:"
        " “Continue” goes on where it stopped.",
        "The sending of {when:%Y-%m-%d %H:%M} stopped before the end: {count} cases are created. Nothing is sent twice:"
        " “Continue” goes on where it stopped.",
        _created(state.last_run),
        when=_last_run(state),
    )


def left_in(counts: Counts) -> str:
    """Say how many rows are left to send, and how many to correct."""
    left = ngettext("{count} row is left to send.", "{count} rows are left to send.", counts.planned)
    faulty = counts.invalid + counts.rejected
    return " ".join((left, _faulty(faulty))) if faulty else left


def sent_before(state: ImportState) -> str:
    """Say when an import was sent last, of which no sheet was opened here."""
    return ngettext(
        "Last sent on {when:%Y-%m-%d}: {count} case of this import is in the CRM.",
        "Last sent on {when:%Y-%m-%d}: {count} cases of this import are in the CRM.",
        state.states.get(Status.CREATED, 0),
        when=_last_run(state),
    )


def _last_run(state: ImportState) -> datetime:
    run = state.last_run
    return (run.record.started_at if run is not None else datetime.now(UTC)).astimezone()


def on_their_way(count: int, until: datetime | None) -> str:
    """Say that the answers to some cases are missing, and from when on a person can decide about them."""
    if until is None:
        return ngettext(
            "{count} row has no answer from the CRM yet: whether it is a case is not known. It is not sent again; the"
            " page Decide says when it can be decided.",
            "{count} rows have no answer from the CRM yet: whether they are cases is not known. They are not sent"
            " again; the page Decide says when they can be decided.",
            count,
        )
    return ngettext(
        "{count} row has no answer from the CRM yet: whether it is a case is not known. It is not sent again; from"
        " {when:%Y-%m-%d %H:%M:%S} on it can be decided.",
        "{count} rows have no answer from the CRM yet: whether they are cases is not known. They are not sent again;"
        " from {when:%Y-%m-%d %H:%M:%S} on they can be decided.",
        count,
        when=until.astimezone(),
    )


def in_doubt(count: int) -> str:
    """Say that nobody knows whether some cases exist."""
    return ngettext(
        "We do not know whether {count} case was created. It is not sent again, to avoid a duplicate: decide what"
        " happened to it.",
        "We do not know whether {count} cases were created. They are not sent again, to avoid duplicates: decide"
        " what happened to each.",
        count,
    )


def paused(until: datetime) -> str:
    """Say from when on the rest can be sent."""
    return _(
        "The CRM's quota is used up. What was sent is kept; the rest can be sent from {when:%Y-%m-%d %H:%M}.",
        when=until.astimezone(),
    )


def ready(count: int) -> str:
    """Say how many rows can be sent."""
    return ngettext(
        "{count} row is ready. Nothing is sent until you have seen it and agreed.",
        "{count} rows are ready. Nothing is sent until you have seen them and agreed.",
        count,
    )


def waiting(count: int) -> str:
    """Say how many rows are not sent because of their contacts."""
    return ngettext(
        "{count} row waits for a contact that the CRM rejected.",
        "{count} rows wait for contacts that the CRM rejected.",
        count,
    )


def updatable(count: int) -> str:
    """Say how many cases can be updated."""
    return ngettext(
        "{count} row changed after its case was created. The case is updated once you have seen the change and agreed.",
        "{count} rows changed after their cases were created. The cases are updated once you have seen the changes and"
        " agreed.",
        count,
    )


def refused(count: int) -> str:
    """Say how many cases the CRM did not update."""
    return ngettext(
        "The CRM refused to update {count} case.",
        "The CRM refused to update {count} cases.",
        count,
    )


def all_sent(count: int, left_out: LeftOut) -> str:
    """Say that nothing is left to do, and which rows are left out: somebody may have hidden a real one."""
    sent = ngettext(
        "Everything has been sent: {count} row has its case in the CRM.",
        "Everything has been sent: {count} rows have their cases in the CRM.",
        count,
    )
    return f"{sent} {left_out.told()}".strip()


def to_correct(counts: Counts) -> str:
    """Say how many rows have faults, and what about the others."""
    return " ".join(_by_state(counts))


def _by_state(counts: Counts) -> Iterator[str]:
    yield _faulty(counts.invalid + counts.rejected)
    if counts.planned:
        yield ngettext("{count} is ready to send.", "{count} are ready to send.", counts.planned)
    if counts.created:
        yield ngettext("{count} already has its case.", "{count} already have their cases.", counts.created)


def _faulty(count: int) -> str:
    return ngettext("{count} row has something to correct.", "{count} rows have something to correct.", count)
