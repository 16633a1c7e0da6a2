"""`case-importer settle`: doubtful rows are settled by asking the CRM, or by a person's verdict."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from importer.cli import options
from importer.cli.logs import set_up
from importer.cli.options import trusted
from importer.cli.output import print_json
from importer.errors import UsageError
from importer.messages import _, ngettext
from importer.text import clean

if TYPE_CHECKING:
    from importer.workflow.settling import SettleResult

_PATH = click.Path(path_type=Path)


@click.command("settle")
@click.option("-m", "--mapping", type=_PATH, help=_("Settle the import of this mapping only."))
@options.connection
@options.trust
@options.journal
@options.quiet_period
@click.option(
    "--by-hand", "key", metavar="KEY", help=_("Record your own verdict on the row with this key or reference.")
)
@click.option("--created", metavar="ID", help=_("With --by-hand: the row is the case with this wolkvox_id."))
@click.option("--instead-of", metavar="KEY", help=_("With --created: the row with this key has that id by mistake."))
@click.option("--not-created", is_flag=True, help=_("With --by-hand: there is no such case; the row may be sent."))
@click.option(
    "--despite",
    multiple=True,
    metavar="ID",
    help=_("With --not-created: this id, which the CRM named for the row, is not its case."),
)
@click.option("--deleted", is_flag=True, help=_("With --by-hand: the row's case is gone from the CRM."))
@click.option("--from", "report", type=_PATH, metavar="REPORT", help=_("Record the verdicts in its sheet `To decide`."))
@options.as_json
@options.logging
def command(  # noqa: PLR0913 - each is an option of the command line
    *,
    mapping: Path | None,
    journal: Path | None,
    quiet_period: float,
    key: str | None,
    created: str | None,
    instead_of: str | None,
    not_created: bool,
    despite: tuple[str, ...],
    deleted: bool,
    report: Path | None,
    as_json: bool,
    log_file: Path | None,
    verbose: int,
    **connection: object,
) -> int:
    """Settle unknown rows by asking the CRM, or by your verdict. Creates no case.

    Exit status: 0 no row is in doubt any more, 4 some still are, 2 the call is at fault, 3 rows are on their way or
    the CRM cannot be asked now, 5 a person must mend the connection.
    """
    from importer import mapping as mappings  # noqa: PLC0415 - SQLAlchemy is slow to import
    from importer.settings import Connection  # noqa: PLC0415
    from importer.workflow.job import journal_path, mapped  # noqa: PLC0415
    from importer.workflow.settle_job import ByHand, NotTaken, SettleJob  # noqa: PLC0415

    set_up(log_file, verbose)
    _refuse_half_a_verdict(key, created, not_created=not_created, deleted=deleted, report=report)
    _refuse_what_goes_with_nothing(created, instead_of, despite, not_created=not_created)
    said = Connection(**connection)  # type: ignore[arg-type]
    if mapping is not None and report is None and (key is None or despite):  # it is the CRM that is asked
        said = trusted(said, mapped(mappings.load_mapping(mapping)))
    about = SettleJob(said, journal_path(journal), mapping, quiet_period)
    not_taken: tuple[NotTaken, ...] = ()
    if key is not None:
        results = [(key, about.by_hand(ByHand(key, created, instead_of, despite, deleted)))]
    elif report is not None:
        settled, not_taken = about.from_report(report)
        results = [(report.name, settled)]
    else:
        results = [(record.name, settled) for record, settled in about.by_search()]
    status = _exit_status([settled for _name, settled in results])
    if as_json:
        values = [{"about": name, **asdict(settled)} for name, settled in results]
        references = [verdict.reference for verdict in not_taken]
        reasons = [asdict(verdict) for verdict in not_taken]
        answer = {"exit_status": status, "settled": values, "not_taken": references, "reasons": reasons}
        print_json("settle", answer)
        return status
    for name, settled in results:
        _print(name, settled)
    for verdict in not_taken:
        click.echo(_("{reference}: not taken. {reason}", reference=verdict.reference, reason=verdict.reason))
    return status


def _exit_status(results: list[SettleResult]) -> int:
    """Return 4 while a row is in doubt, 3 while one is on its way."""
    if any(settled.doubtful or settled.disputed for settled in results):
        return 4
    return 3 if any(settled.sending for settled in results) else 0


def _print(name: str, settled: SettleResult) -> None:
    for sentence in settled.sentences():
        click.echo(clean(f"{name}: {sentence}"))
    left = ngettext("{count} row is still in doubt.", "{count} rows are still in doubt.", settled.doubtful)
    if settled.doubtful:
        click.echo(clean(f"{name}: {left}"))
    elif not settled.sending:
        click.echo(_("{name}: no row is in doubt.", name=name))


def _refuse_half_a_verdict(
    key: str | None, created: str | None, *, not_created: bool, deleted: bool, report: Path | None
) -> None:
    """Raise UsageError for a verdict that says too little or too much."""
    if key is None and (created or not_created or deleted):
        raise UsageError(_("--created, --not-created and --deleted go with --by-hand KEY."))
    if key is not None and (created is not None) + not_created + deleted != 1:
        raise UsageError(_("--by-hand {key}: give one of --created ID, --not-created and --deleted.", key=key))
    if created is not None and not created.strip():
        raise UsageError(_("--created: a blank is no id."))
    if key is not None and report is not None:
        raise UsageError(_("--by-hand and --from contradict each other; give one of them."))


def _refuse_what_goes_with_nothing(
    created: str | None, instead_of: str | None, despite: tuple[str, ...], *, not_created: bool
) -> None:
    """Raise UsageError for an option that belongs to another verdict."""
    if instead_of and created is None:
        raise UsageError(_("--instead-of KEY goes with --created ID."))
    if despite and not not_created:
        raise UsageError(_("--despite ID goes with --not-created."))
