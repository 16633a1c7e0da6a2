"""`case-importer run`: plan, confirm, send, report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from importer.cli import options
from importer.cli.logs import set_up
from importer.cli.output import finished_json, print_finished, print_json
from importer.cli.terminal import Terminal
from importer.errors import RunStopped
from importer.messages import _


@click.command("run", cls=options.Sectioned)
@options.source
@options.mapping
@options.connection
@options.journal
@options.report
@options.sending
@options.quiet_period
@click.option("--yes", is_flag=True, help=_("Agree to the forecast, and to nothing else."))
@options.answers
@options.again
@options.as_json
@options.logging
def command(*, yes: bool, as_json: bool, log_file: Path | None, verbose: int, **said: Any) -> int:  # noqa: ANN401 - options
    """Send the rows of SOURCE that are not created yet, one case each, and write the report. SENDS CASES.

    Give the same command again to go on; nothing is sent twice. Exit status: 0 every row is created or skipped, 1 rows
    to correct, 2 nothing was sent, 3 paused or limited, 4 unknown or conflicting rows, 5 a person must mend the
    connection.
    """
    from importer.workflow.job import load_job  # noqa: PLC0415 - slow to import, and help needs nothing of it

    set_up(log_file, verbose)
    loaded = load_job(options.job(**said))
    from importer.pipeline import interrupted, run  # noqa: PLC0415 - slower still: meanwhile, the source is parsed

    finished = run(loaded, Terminal(yes=yes))
    try:
        if as_json:
            print_json("run", finished_json(finished))
        else:
            print_finished(finished)
    except KeyboardInterrupt as stop:
        raise RunStopped(interrupted(finished.counts)) from stop
    return finished.exit_status
