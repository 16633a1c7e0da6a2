"""`case-importer run`: plan, confirm, send, report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from importer.cli import options
from importer.cli.help import Command
from importer.cli.logs import set_up
from importer.cli.notifying import note_end, note_import
from importer.cli.output import finished_json, print_finished, print_json
from importer.cli.terminal import Terminal
from importer.errors import RunStopped
from importer.messages import _, gettext_noop

if TYPE_CHECKING:
    from importer.workflow.outcome.troubles import FailOn

EXIT_STATUSES = {
    0: gettext_noop("every row is created, skipped or part of another row's case"),
    1: gettext_noop("some rows need correcting: invalid, rejected or changed"),
    2: gettext_noop("nothing was sent: the command, mapping, source or first start is at fault"),
    3: gettext_noop("paused or limited; run the same command again later"),
    4: gettext_noop("the outcome of some rows is unknown or conflicting"),
    5: gettext_noop("the connection needs fixing: token, operation, redirect or path"),
}
"""What became of a source's rows; the highest that applies."""


@click.command(
    "run",
    cls=Command,
    exit_statuses=EXIT_STATUSES,
    help=gettext_noop(
        "Send the rows of SOURCE that have no case yet, one case each, and write the report. SENDS CASES.\n\n"
        "Run the same command again to continue; nothing is sent twice."
    ),
)
@options.source
@options.mapping
@options.connection
@click.option(
    "--yes", is_flag=True, help=gettext_noop("Send without asking. Agrees to the forecast and to nothing else.")
)
@click.option(
    "--rehearse",
    is_flag=True,
    help=gettext_noop("Send to a simulated CRM on this computer instead; nothing reaches the real one."),
)
@options.limit
@options.only
@options.only_if_all_valid
@options.report
@options.pace
@options.answers
@options.other_reports
@options.journal
@options.quiet_period
@options.repair
@options.accept_changes
@options.retention
@options.fail_on
@options.notify
@options.as_json
@options.logging
def command(  # noqa: PLR0913 - each is an option of the command line
    *,
    yes: bool,
    notify: str | None,  # noqa: ARG001 - read once the run has ended, whether or not it began
    rehearse: bool,
    fail_on: FailOn,
    as_json: bool,
    log_file: Path | None,
    verbose: int,
    **job_options: Any,  # noqa: ANN401 - options
) -> int:
    """Carry out `run`."""
    from importer.workflow.commands import Commands  # noqa: PLC0415
    from importer.workflow.job import load_job  # noqa: PLC0415
    from importer.workflow.outcome.outcome import interruption_message  # noqa: PLC0415
    from importer.workflow.outcome.troubles import status_for  # noqa: PLC0415

    set_up(log_file, verbose)
    job = options.make_job(**job_options)
    if rehearse:
        from importer.rehearsal import rehearse as run  # noqa: PLC0415 - the web framework is slow to import
    else:
        from importer.pipeline import run  # noqa: PLC0415 - slow to import, and help does not need it
    loaded = load_job(job)
    note_import(loaded.case_mapping.import_name)
    terminal = Terminal(yes=yes)
    finished = run(loaded, terminal)
    status = status_for(finished, fail_on)
    note_end(finished, status)
    try:
        if as_json:
            print_json("run", {**finished_json(finished), "fail_on": fail_on, "exits_with": status})
        else:
            print_finished(finished, terminal.told)
    except KeyboardInterrupt as stop:
        command = Commands.of(job, agrees=yes).run()
        raise RunStopped(interruption_message(finished.counts, command)) from stop
    if status != finished.exit_status and not as_json:
        click.echo(
            _(
                "Exit status {status} instead of {whole}, because of --fail-on {fail_on}.",
                status=status,
                whole=finished.exit_status,
                fail_on=fail_on,
            )
        )
    return status
