"""`case-importer report`: the report once more, from the source and the journal; sends nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from importer.cli import options
from importer.cli.help import Command
from importer.cli.logs import set_up
from importer.cli.output import finished_json, print_finished, print_json
from importer.cli.terminal import load_allowed_job
from importer.messages import gettext_noop


@click.command(
    "report",
    cls=Command,
    exit_statuses={
        0: gettext_noop("every row is created, skipped or part of another row's case"),
        1: gettext_noop("some rows need correcting: invalid, rejected or changed"),
        2: gettext_noop("the command, mapping or source is at fault"),
        3: gettext_noop("some rows are not sent yet, or wait for an answer"),
        4: gettext_noop("the outcome of some rows is unknown or conflicting"),
    },
    help=gettext_noop(
        "Write the report of SOURCE again, from the journal. Sends nothing.\n\n"
        "The exit status is that of the source's rows, as for `run`."
    ),
)
@options.source
@options.mapping
@options.connection
@options.only
@options.report
@options.allow_folders
@options.other_reports
@options.journal
@options.as_json
@options.logging
def command(*, as_json: bool, log_file: Path | None, verbose: int, **job_options: Any) -> int:  # noqa: ANN401 - options
    """Carry out `report`."""
    from importer.pipeline import rebuild_report  # noqa: PLC0415 - slow to import, and help does not need it

    set_up(log_file, verbose)
    finished = rebuild_report(load_allowed_job(options.make_job(**job_options)))
    if as_json:
        print_json("report", finished_json(finished))
    else:
        print_finished(finished)
    return finished.exit_status
