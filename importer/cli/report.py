"""`case-importer report`: the report once more, from the source and the journal; sends nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from importer.cli import options
from importer.cli.logs import set_up
from importer.cli.options import allowed
from importer.cli.output import finished_json, print_finished, print_json


@click.command("report")
@options.source
@options.mapping
@options.connection
@options.folders
@options.journal
@options.report
@options.as_json
@options.logging
def command(*, as_json: bool, log_file: Path | None, verbose: int, **said: Any) -> int:  # noqa: ANN401 - options
    """Write the report of SOURCE again, from the journal. Sends nothing.

    Exit status: that of the source's rows, as for `run`.
    """
    from importer.workflow.job import load_job  # noqa: PLC0415 - slow to import, and help needs nothing of it

    set_up(log_file, verbose)
    loaded = allowed(load_job(options.job(**said)))
    from importer.pipeline import rebuild_report  # noqa: PLC0415 - slower still: meanwhile, the source is parsed

    finished = rebuild_report(loaded)
    if as_json:
        print_json("report", finished_json(finished))
    else:
        print_finished(finished)
    return finished.exit_status
