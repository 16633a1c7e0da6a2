"""`case-importer adopt`: the ids of a report, taken into the journal."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from importer.cli import options
from importer.cli.logs import set_up
from importer.cli.options import allowed_job
from importer.cli.output import print_json
from importer.messages import _

if TYPE_CHECKING:
    from importer.model import Issue


@click.command("adopt")
@click.argument("source", metavar="REPORT", type=click.Path(path_type=Path))
@options.mapping
@options.connection
@options.folders
@options.journal
@click.option("--same-as", metavar="NAME", help=_("Say that this is the import NAME under another name or host."))
@options.as_json
@options.logging
def command(*, as_json: bool, log_file: Path | None, verbose: int, **said: Any) -> int:  # noqa: ANN401 - options
    """Take the ids of REPORT into the journal, so that its rows are not sent again. Sends nothing.

    For a lost journal, a second computer, or a sheet that has a column `wolkvox_id`. Exit status: 0 all were taken, 1
    something is wrong with some rows, each of them named, 2 nothing could be taken.
    """
    from importer.mapping import load  # noqa: PLC0415
    from importer.pipeline import adopt  # noqa: PLC0415 - pandas is slow to import

    set_up(log_file, verbose)
    job = options.job(**said)
    adoption = adopt(allowed_job(job, load(job.mapping)))
    if as_json:
        print_json("adopt", {"exit_status": adoption.exit_status, **asdict(adoption)})
        return adoption.exit_status
    click.echo(
        _("Taken over: {created} created, {doubtful} in doubt.", created=adoption.created, doubtful=adoption.doubtful)
    )
    for issue in adoption.issues:
        click.echo(_shown(issue))
    return adoption.exit_status


def _shown(issue: Issue) -> str:
    named = {"message": issue.message, "remedy": issue.remedy}
    if issue.row is None:
        return _("{message}. {remedy}.", **named)
    if issue.column is None:
        return _("Row {row}: {message}. {remedy}.", row=issue.row, **named)
    return _("Row {row}, {column}: {message}. {remedy}.", row=issue.row, column=issue.column, **named)
