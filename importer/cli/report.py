"""`case-importer report`: the report once more, from the source and the journal; sends nothing."""

from __future__ import annotations

from pathlib import Path

import click

from importer.cli import options
from importer.cli.logs import set_up
from importer.cli.output import finished_json, print_finished, print_json


@click.command("report")
@options.source
@options.mapping
@options.place
@options.journal
@options.report
@options.as_json
@options.logging
def command(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    source: Path,
    mapping: Path,
    server: str | None,
    operation: str | None,
    journal: Path | None,
    report: Path | None,
    as_json: bool,  # noqa: FBT001 - click gives flags by name
    log_file: Path | None,
    verbose: int,
) -> int:
    """Write the report of SOURCE again, from the journal. Sends nothing.

    Exit status: that of the source's rows, as for `run`.
    """
    from importer.pipeline import Job, rebuild_report  # noqa: PLC0415 - pandas is slow to import
    from importer.settings import Connection  # noqa: PLC0415

    set_up(log_file, verbose)
    finished = rebuild_report(Job(source, mapping, Connection(server, operation), journal, report))
    if as_json:
        print_json("report", finished_json(finished))
    else:
        print_finished(finished)
    return finished.exit_status
