"""`case-importer purge`: forget what is no longer needed; sends nothing."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from importer.cli import options
from importer.cli.help import Command
from importer.cli.output import print_json
from importer.cli.values import Length
from importer.messages import _, gettext_noop, ngettext

if TYPE_CHECKING:
    from importer.periods import Period
    from importer.workflow.outcome.retention import Purged


@click.command(
    "purge",
    cls=Command,
    exit_statuses={
        0: gettext_noop("what is older was forgotten, or there was nothing to forget"),
        2: gettext_noop("nothing was forgotten: the command or the journal is at fault"),
    },
    help=gettext_noop(
        "Forget what the journal no longer needs of rows that were settled long ago, and remove backups of the"
        " journal that this program made then. Sends nothing.\n\n"
        "A row with a case keeps the digests of its key, its reference, its ids and its date, so that it is never sent"
        " again; edits of it are no longer noticed. Doubtful rows stay as they are. Sheets, reports and other files of"
        " yours are not touched."
    ),
)
@click.option(
    "--older-than",
    type=Length(),
    required=True,
    metavar="2y",
    help=gettext_noop("How long ago: so many days, weeks, months or years, as in 90d, 12w, 18m, 2y."),
)
@click.option("--dry-run", is_flag=True, help=gettext_noop("Only say what would be forgotten."))
@options.journal
@options.as_json
def command(*, older_than: Period, dry_run: bool, journal: Path | None, as_json: bool) -> int:
    """Carry out `purge`."""
    from importer.cli.journal import open_existing  # noqa: PLC0415
    from importer.workflow.outcome.retention import purge  # noqa: PLC0415

    with open_existing(journal) as opened:
        purged = purge(opened, older_than, dry_run=dry_run)
    if as_json:
        print_json("purge", _as_json(purged))
    else:
        _print(purged)
    return 0


def _as_json(purged: Purged) -> dict[str, object]:
    return {
        "exit_status": 0,
        "dry_run": purged.dry_run,
        "before": purged.before,
        "forgotten": asdict(purged.forgotten),
        "backups": list(map(str, purged.backups)),
        "newer_backups": list(map(str, purged.newer_backups)),
    }


def _print(purged: Purged) -> None:
    if purged.nothing:
        click.echo(_("Nothing is older than {before:%Y-%m-%d}; nothing to forget.", before=purged.before))
    elif purged.dry_run:
        click.echo(_("To be forgotten, because it is older than {before:%Y-%m-%d}:", before=purged.before))
    else:
        click.echo(_("Forgotten, because it was older than {before:%Y-%m-%d}:", before=purged.before))
    for line in purged.lines():
        click.echo(f"  {line}")
    if kept := purged.forgotten.kept:
        click.echo(
            ngettext(
                "{count} row is as old, but not settled; it stays as it is.",
                "{count} rows are as old, but not settled; they stay as they are.",
                kept,
            )
        )
    for path in purged.newer_backups:
        click.echo(_("Note: {path} is a newer backup, and still has what was forgotten.", path=path))
