"""`case-importer run`: plan, confirm, send, report."""

from __future__ import annotations

from pathlib import Path

import click

from importer.cli import options
from importer.cli.logs import set_up
from importer.cli.output import finished_json, print_finished, print_json
from importer.cli.terminal import Terminal
from importer.messages import _


@click.command("run")
@options.source
@options.mapping
@options.connection
@options.journal
@options.report
@options.sending
@click.option("--yes", is_flag=True, help=_("Send without asking; does not cover the first run of an import."))
@click.option("--first-run", is_flag=True, help=_("Say that none of these rows was ever sent in another way."))
@options.as_json
@options.logging
def command(  # noqa: PLR0913, PLR0917 - each is an option of the command line
    source: Path,
    mapping: Path,
    server: str | None,
    operation: str | None,
    token_env: str | None,
    proxy: str | None,
    ca_file: Path | None,
    journal: Path | None,
    report: Path | None,
    limit: int | None,
    concurrency: int,
    rate: float | None,
    only_if_all_valid: bool,  # noqa: FBT001 - click gives flags by name
    yes: bool,  # noqa: FBT001
    first_run: bool,  # noqa: FBT001
    as_json: bool,  # noqa: FBT001
    log_file: Path | None,
    verbose: int,
) -> int:
    """Send the rows of SOURCE that are not created yet, one case each, and write the report. SENDS CASES.

    Give the same command again to go on; nothing is sent twice. Exit status: 0 every row is created or skipped, 1 rows
    to correct, 2 nothing was sent, 3 paused or limited, 4 unknown or conflicting rows, 5 a person must mend the
    connection.
    """
    from importer.pipeline import Job, run  # noqa: PLC0415 - pandas is slow to import
    from importer.settings import Connection  # noqa: PLC0415

    set_up(log_file, verbose)
    job = Job(
        source=source,
        mapping=mapping,
        connection=Connection(server, operation, token_env, proxy, ca_file),
        journal=journal,
        report=report,
        limit=limit,
        concurrency=concurrency,
        rate=rate,
        only_if_all_valid=only_if_all_valid,
        first_run=first_run,
    )
    finished = run(job, Terminal(yes=yes))
    if as_json:
        print_json("run", finished_json(finished))
    else:
        print_finished(finished)
    return finished.exit_status
