"""`case-importer work`: work on the queue of a journal until it is stopped."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import TYPE_CHECKING

import click

from importer.cli import options
from importer.cli.help import Command
from importer.cli.logs import set_up
from importer.cli.notifying import CommandLine
from importer.cli.values import Count
from importer.messages import gettext_noop
from importer.text import clean

if TYPE_CHECKING:
    from importer.journal_place import Place


@click.command(
    "work",
    cls=Command,
    exit_statuses={
        0: gettext_noop("stopped by a signal, or with --once nothing was left to do"),
        2: gettext_noop("the journal cannot be used, or is not on a server"),
    },
    help=gettext_noop(
        "Work on the imports that were queued with `submit`, until stopped. SENDS CASES.\n\n"
        "SIGTERM or Ctrl-C lets the cases in flight finish and gives the rest back; a second one makes them unknown."
    ),
)
@click.option(
    "--name", metavar="NAME", help=gettext_noop("Name of this worker in `history` (default: the computer's).")
)
@click.option(
    "--concurrency",
    type=Count(1, 64),
    default=2,
    show_default=True,
    help=gettext_noop("Cases that this worker sends at the same time, within the limit of `submit`."),
)
@click.option("--once", is_flag=True, help=gettext_noop("End once nothing is left to do now."))
@click.option(
    "--notify",
    type=CommandLine(),
    metavar="COMMAND",
    help=gettext_noop(
        "Start this command when this worker has ended a run, or a run has not begun by its --expect-by; it gets JSON"
        " on standard input."
    ),
)
@options.journal
@options.logging
def command(  # noqa: PLR0913 - each is an option of the command line
    *,
    name: str | None,
    concurrency: int,
    once: bool,
    notify: str | None,
    journal: Place | None,
    log_file: Path | None,
    verbose: int,
) -> int:
    """Carry out `work`."""
    from importer import machines  # noqa: PLC0415 - slow to import, and help does not need it
    from importer.workflow.job import journal_path  # noqa: PLC0415

    set_up(log_file, verbose)
    work = machines.WorkOptions(name or platform.node() or "worker", concurrency, wait=not once, notify=notify)
    machines.work(journal_path(journal), work, lambda sentence: click.echo(clean(sentence), err=True))
    return 0
