"""`case-importer settle`: doubtful rows are settled by asking the CRM, or by a person's verdict."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from importer.cli import options
from importer.cli.logs import set_up
from importer.cli.output import print_json
from importer.errors import UsageError
from importer.messages import _, ngettext
from importer.text import clean

if TYPE_CHECKING:
    from importer.settle import Settled

_PATH = click.Path(path_type=Path)


@click.command("settle")
@click.option("-m", "--mapping", type=_PATH, help=_("Settle the import of this mapping only."))
@options.connection
@options.journal
@options.quiet_period
@click.option(
    "--by-hand", "key", metavar="KEY", help=_("Record your own verdict on the row with this key or reference.")
)
@click.option("--created", metavar="ID", help=_("With --by-hand: the row is the case with this wolkvox_id."))
@click.option("--not-created", is_flag=True, help=_("With --by-hand: there is no such case; the row may be sent."))
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
    not_created: bool,
    report: Path | None,
    as_json: bool,
    log_file: Path | None,
    verbose: int,
    **connection: object,
) -> int:
    """Settle unknown rows by asking the CRM, or by your verdict. Creates no case.

    Exit status: 0 no row is in doubt any more, 4 some still are, 2 the call is at fault, 3 and 5 the CRM cannot be
    asked.
    """
    from importer.journal import default_path  # noqa: PLC0415 - SQLAlchemy is slow to import
    from importer.settings import Connection  # noqa: PLC0415
    from importer.settle import Settlement  # noqa: PLC0415

    set_up(log_file, verbose)
    _refuse_half_a_verdict(key, created, not_created=not_created, report=report)
    about = Settlement(Connection(**connection), journal or default_path(), mapping, quiet_period)  # type: ignore[arg-type]
    not_taken: tuple[str, ...] = ()
    if key is not None:
        results = [(key, about.by_hand(key, created))]
    elif report is not None:
        settled, not_taken = about.from_report(report)
        results = [(report.name, settled)]
    else:
        results = [(record.name, settled) for record, settled in about.by_search()]
    status = 4 if any(settled.doubtful for _name, settled in results) else 0
    if as_json:
        values = [{"about": name, **asdict(settled)} for name, settled in results]
        print_json("settle", {"exit_status": status, "settled": values, "not_taken": not_taken})
        return status
    for name, settled in results:
        _print(name, settled)
    for reference in not_taken:
        click.echo(
            _(
                "{reference}: not taken; a verdict `created` needs beside it the wolkvox_id of a case that is no other"
                " row's, and the row has to be in doubt.",
                reference=reference,
            )
        )
    return status


def _print(name: str, settled: Settled) -> None:
    for sentence in settled.sentences():
        click.echo(clean(f"{name}: {sentence}"))
    left = ngettext("{count} row is still in doubt.", "{count} rows are still in doubt.", settled.doubtful)
    click.echo(clean(f"{name}: {left}") if settled.doubtful else _("{name}: no row is in doubt.", name=name))


def _refuse_half_a_verdict(key: str | None, created: str | None, *, not_created: bool, report: Path | None) -> None:
    """Raise UsageError for a verdict that says too little or too much."""
    if key is None and (created or not_created):
        raise UsageError(_("--created and --not-created go with --by-hand KEY."))
    if key is not None and (created is not None) == not_created:
        raise UsageError(_("--by-hand {key}: give either --created ID or --not-created.", key=key))
    if created is not None and not created.strip():
        raise UsageError(_("--created: a blank is no id."))
    if key is not None and report is not None:
        raise UsageError(_("--by-hand and --from contradict each other; give one of them."))
