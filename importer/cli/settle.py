"""`case-importer settle`: doubtful rows are settled by asking the CRM, or by a person's decision; creates no case."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from importer.cli import options
from importer.cli.help import Command, all_of
from importer.cli.logs import set_up
from importer.cli.output import print_json, print_steps
from importer.cli.terminal import ask_for_server, wait_until
from importer.errors import UsageError
from importer.messages import _, gettext_noop, ngettext
from importer.model import Status
from importer.names import state_name
from importer.text import clean

if TYPE_CHECKING:
    from importer.follow_up import FollowUp
    from importer.journal_place import Place
    from importer.workflow.contacts.settling import ContactsSettled
    from importer.workflow.jobs.decisions import NotTaken
    from importer.workflow.jobs.settle_job import SettleJob
    from importer.workflow.settling.settling import OpenRow, SettleResult

_MOST_ROWS = 20


@dataclass(frozen=True, slots=True)
class _ByHand:
    """What the options say of one row, or the report that holds decisions on several."""

    key: str | None
    created: str | None
    instead_of: str | None
    not_created: bool
    despite: tuple[str, ...]
    deleted: bool
    exists: bool
    report: Path | None

    @property
    def asks_the_crm(self) -> bool:
        """Whether it takes a search to settle by these options."""
        return self.report is None and (self.key is None or bool(self.despite) or self.deleted)

    def check(self, *, wait: bool) -> None:
        """Raise UsageError for a decision that says too little or too much, or that cannot wait."""
        if wait and not (self.key is None and self.report is None):
            raise UsageError(_("--wait goes with a search; --by-hand and --from record a decision at once."))
        decisions = (self.created is not None) + self.not_created + self.deleted + self.exists
        if self.key is None and decisions:
            raise UsageError(_("--created, --not-created, --deleted and --exists go with --by-hand KEY."))
        if self.key is not None and decisions != 1:
            raise UsageError(
                _("--by-hand {key}: give one of --created ID, --not-created, --deleted and --exists.", key=self.key)
            )
        if self.created is not None and not self.created.strip():
            raise UsageError(_("--created: the id is empty."))
        if self.key is not None and self.report is not None:
            raise UsageError(_("--by-hand and --from contradict each other; give only one of them."))
        if self.instead_of and self.created is None:
            raise UsageError(_("--instead-of KEY goes with --created ID."))
        if self.despite and not self.not_created:
            raise UsageError(_("--despite ID goes with --not-created."))


_by_hand = all_of(
    click.option(
        "--by-hand",
        "key",
        metavar="KEY",
        help=gettext_noop(
            "Record your own decision on the row with this key or reference, or on the contact with this address."
        ),
    ),
    click.option(
        "--created", metavar="ID", help=gettext_noop("With --by-hand: the row is the case with this wolkvox_id.")
    ),
    click.option(
        "--instead-of",
        metavar="KEY",
        help=gettext_noop("With --created: the row with this key has that id by mistake."),
    ),
    click.option(
        "--not-created",
        is_flag=True,
        help=gettext_noop("With --by-hand: the row has no case, and may be sent; or there is no such contact."),
    ),
    click.option(
        "--despite",
        multiple=True,
        metavar="ID",
        help=gettext_noop(
            "With --not-created: this id, which the CRM gave for the row, is not its case (can be repeated)."
        ),
    ),
    click.option(
        "--deleted",
        is_flag=True,
        help=gettext_noop(
            "With --by-hand: the row's case, or the contact, was deleted from the CRM; it may be created again."
        ),
    ),
    click.option("--exists", is_flag=True, help=gettext_noop("With --by-hand: the CRM has a contact of this address.")),
    click.option(
        "--from",
        "report",
        type=options.PATH,
        metavar="REPORT",
        help=gettext_noop("Record the decisions in the sheet `To decide` of a report."),
    ),
)


@click.command(
    "settle",
    cls=Command,
    exit_statuses={
        0: gettext_noop("no row is in doubt or being sent"),
        2: gettext_noop("the command is at fault"),
        3: gettext_noop("some rows are still being sent, or the CRM cannot be asked now"),
        4: gettext_noop("some rows are still in doubt"),
        5: gettext_noop("the connection needs fixing: token, operation, redirect or path"),
    },
    help=gettext_noop("Settle doubtful rows by asking the CRM, or by your own decision. Creates no case."),
)
@click.option("-m", "--mapping", type=options.PATH, help=gettext_noop("Settle only the import of this mapping."))
@options.connection
@options.trust_server
@options.journal
@options.quiet_period
@click.option("--wait", is_flag=True, help=gettext_noop("Wait until every open row can be searched for, then search."))
@_by_hand
@options.as_json
@options.logging
def command(  # noqa: PLR0913 - each is an option of the command line
    *,
    mapping: Path | None,
    journal: Place | None,
    quiet_period: float,
    wait: bool,
    as_json: bool,
    log_file: Path | None,
    verbose: int,
    **others: Any,  # noqa: ANN401 - options
) -> int:
    """Carry out `settle`."""
    from importer import mapping as mappings  # noqa: PLC0415 - slow to import, and help does not need it
    from importer.follow_up import follow_up  # noqa: PLC0415
    from importer.settings import Connection  # noqa: PLC0415
    from importer.workflow.job import connection_in, journal_path  # noqa: PLC0415
    from importer.workflow.jobs.settle_contacts import only_contacts  # noqa: PLC0415
    from importer.workflow.jobs.settle_job import SettleJob  # noqa: PLC0415
    from importer.workflow.jobs.unrecorded import RefusedVerdicts  # noqa: PLC0415

    set_up(log_file, verbose)
    by_hand = _ByHand(**{field.name: others.pop(field.name) for field in fields(_ByHand)})
    by_hand.check(wait=wait)
    connection = Connection(**others)
    if mapping is not None and by_hand.asks_the_crm:
        connection = ask_for_server(connection, connection_in(mappings.load_mapping(mapping)))
    job = SettleJob(connection, journal_path(journal), mapping, quiet_period)
    decided: tuple[Results, tuple[NotTaken, ...]] = ([], ())
    searches = by_hand.key is None and by_hand.report is None
    if (contacts := _contact_by_hand(job, by_hand)) is None:
        if not (searches and only_contacts(job)):
            decided = _settle(job, by_hand, wait=wait)
        contacts = _settle_contacts(job, wait=wait) if searches else None
    results, not_taken = decided
    refused = RefusedVerdicts(by_hand.report, not_taken) if by_hand.report is not None else None
    settled = [_Settled(name, by_hand.key or name, result, follow_up(job, result, refused)) for name, result in results]
    status = max(_exit_status([result for _name, result in results]), _status_of_contacts(contacts))
    if as_json:
        told = {} if contacts is None else {"contacts": asdict(contacts)}
        print_json("settle", {"exit_status": status, **_as_json(settled, not_taken), **told})
        return status
    if settled or not_taken:
        _print(settled, not_taken)
    for sentence in contacts.sentences() if contacts else ():
        click.echo(clean(sentence))
    return status


def _contact_by_hand(job: SettleJob, by_hand: _ByHand) -> ContactsSettled | None:
    """Record a person's decision on a contact; None where the options are about a row."""
    from importer.workflow.jobs.settle_contacts import is_contact, is_deleted_contact, settle_contact_by_hand  # noqa: PLC0415

    key = by_hand.key
    if key is not None and by_hand.deleted and is_deleted_contact(job, key):
        return settle_contact_by_hand(job, key, exists=False, deleted=True)
    if key is None or not (by_hand.exists or (by_hand.not_created and not by_hand.despite and is_contact(job, key))):
        return None
    return settle_contact_by_hand(job, key, exists=by_hand.exists)


def _settle_contacts(job: SettleJob, *, wait: bool) -> ContactsSettled:
    """Search for the contacts in doubt; Ctrl-C ends a wait, and nothing is lost."""
    from importer.workflow.jobs.settle_contacts import contacts_in_doubt, settle_contacts  # noqa: PLC0415

    try:
        return settle_contacts(job, wait_until if wait else None)
    except KeyboardInterrupt:
        if not wait:
            raise
        return contacts_in_doubt(job)


def _status_of_contacts(contacts: ContactsSettled | None) -> int:
    if contacts is None:
        return 0
    return 4 if contacts.unknown else 3 if contacts.sending else 0


@dataclass(frozen=True, slots=True)
class _Settled:
    """What became of an import or a report, and what comes next; `about` is the key of a row that was decided on."""

    name: str
    about: str
    result: SettleResult
    then: FollowUp


Results = list[tuple[str, "SettleResult"]]


def _settle(settlement: SettleJob, by_hand: _ByHand, *, wait: bool) -> tuple[Results, tuple[NotTaken, ...]]:
    """Return what became of the rows, by import or report, and the decisions that were not taken."""
    from importer.workflow.jobs.settle_job import ByHand  # noqa: PLC0415

    if by_hand.report is not None:
        decided, not_taken = settlement.from_report(by_hand.report)
        of_report = by_hand.report.name
        return [(of_report if result.settled else record.name, result) for record, result in decided], not_taken
    if by_hand.key is not None:
        decision = ByHand(by_hand.key, by_hand.created, by_hand.instead_of, by_hand.despite, by_hand.deleted)
        record, result = settlement.by_hand(decision)
        return [(record.name, result)], ()
    try:
        found = settlement.by_search(wait_until if wait else None)
    except KeyboardInterrupt:  # what was settled stays settled
        if not wait:
            raise
        click.echo("\n" + _("Stopped with Ctrl-C. What is left can be settled later."), err=True)
        found = settlement.waits()
    return [(record.name, result) for record, result in found], ()


def _exit_status(results: list[SettleResult]) -> int:
    """Return 4 while a row is in doubt, 3 while one is being sent."""
    if any(result.doubtful or result.disputed for result in results):
        return 4
    return 3 if any(result.sending for result in results) else 0


def _as_json(settled: list[_Settled], not_taken: tuple[NotTaken, ...]) -> dict[str, object]:
    return {
        "settled": [
            {
                "about": one.about,
                **asdict(one.result),
                "rows": one.then.rows,
                "reports": list(map(str, one.then.reports)),
                "steps": [step.sentence for step in one.then.steps],
                "notes": one.then.notes,
            }
            for one in settled
        ],
        "not_taken": [decision.reference for decision in not_taken],
        "reasons": [
            {"reference": decision.reference, "row": decision.row, "reason": decision.reason} for decision in not_taken
        ],
    }


def _print(settled: list[_Settled], not_taken: tuple[NotTaken, ...]) -> None:
    from importer.workflow.outcome.next_steps import pressing  # noqa: PLC0415

    names = {name for one in settled for name in one.then.sources.values()}
    for one in settled:
        _print_result(one, names_files=len(names) > 1)
    for decision in not_taken:
        click.echo(_("{reference}: not recorded. {reason}", reference=decision.shown, reason=decision.reason))
    for one in settled:
        for note in one.then.notes:
            click.echo(_("Note: {note}", note=note))
        for path in one.then.reports:
            click.echo(_("Report: {path}", path=path))
    print_steps(pressing(step for one in settled for step in one.then.steps))


def _print_result(settled: _Settled, *, names_files: bool) -> None:
    """Print what was done, and which rows are left until when; of several files, each row is named with its file."""
    name, result = settled.name, settled.result
    for sentence in result.done_sentences():
        click.echo(clean(f"{name}: {sentence}"))
    name = result.import_name or name  # the rest is about all of its rows, not about the one row or report
    for sentence in result.left_sentences():
        click.echo(clean(f"{name}: {sentence}"))
    if result.doubtful:
        line = ngettext(
            "{name}: {count} row is still in doubt.",
            "{name}: {count} rows are still in doubt.",
            result.doubtful,
            name=name,
        )
        click.echo(line)
    elif not (result.sending or result.disputed):
        click.echo(_("{name}: no row is in doubt.", name=name))
    for row in result.left[:_MOST_ROWS]:
        click.echo(f"  {_row_left(row, _row_shown(row.reference, settled.then, names_files=names_files))}")
    if len(result.left) > _MOST_ROWS:
        click.echo(_("  … and {count} more; --json lists all of them.", count=len(result.left) - _MOST_ROWS))


def _row_shown(reference: str, then: FollowUp, *, names_files: bool) -> str:
    """Return what a row is called: by its number in its file, if that is known."""
    number = then.rows.get(reference)
    if number is None:
        return reference
    if names_files:
        return _("{file}, row {row} ({reference})", file=then.sources[reference], row=number, reference=reference)
    return _("row {row} ({reference})", row=number, reference=reference)


def _row_left(row: OpenRow, shown: str) -> str:
    """Return what is known of a row that is not settled, and until when nothing more can be."""
    if row.until is None:
        return _("{row}: {state}", row=shown, state=state_name(row.state))
    if row.state is Status.SENDING:
        return _("{row}: sending, unknown from {until:%Y-%m-%d %H:%M:%S} on", row=shown, until=row.until)
    return _(
        "{row}: {state}, can be searched for from {until:%H:%M:%S} on",
        row=shown,
        state=state_name(row.state),
        until=row.until,
    )
