"""`case-importer history`: the runs that the journal knows; sends nothing."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from importer.cli import options
from importer.cli.logs import set_up
from importer.cli.output import counts_line, print_json
from importer.errors import UsageError
from importer.messages import _

if TYPE_CHECKING:
    from importer.journal import RunRecord


@click.command("history")
@click.argument("number", metavar="[RUN]", type=int, required=False)
@options.journal
@options.as_json
@options.logging
def command(
    number: int | None,
    journal: Path | None,
    as_json: bool,  # noqa: FBT001 - click gives flags by name
    log_file: Path | None,
    verbose: int,
) -> int:
    """List the runs of the journal, the newest first, or show one. Sends nothing."""
    from importer.journal import Journal, default_path  # noqa: PLC0415 - SQLAlchemy is slow to import

    set_up(log_file, verbose)
    path = journal or default_path()
    if not path.exists():
        raise UsageError(_("{path}: there is no journal yet; the first run makes it.", path=path))
    with Journal(path) as opened:
        runs = opened.runs.all()
    if number is not None:
        runs = [run for run in runs if run.id == number]
        if not runs:
            raise UsageError(_("There is no run {number} in {path}.", number=number, path=path))
    if as_json:
        print_json("history", {"runs": [asdict(run) for run in runs]})
        return 0
    for run in runs:
        click.echo(_line(run))
    if not runs:
        click.echo(_("The journal holds no runs yet."))
    return 0


def _line(run: RunRecord) -> str:
    """Return a run on one line."""
    return _(
        "run {number}  {started:%Y-%m-%d %H:%M}  {name} ({operation})  {source}  created {created}  {counts}"
        "  exit {status}",
        number=run.id,
        started=run.started_at,
        name=run.import_name,
        operation=run.operation,
        source=Path(run.start.source).name,
        created=run.created_now,
        counts=counts_line(run.counts) if run.counts else _("not finished"),
        status="-" if run.exit_status is None else run.exit_status,
    )
