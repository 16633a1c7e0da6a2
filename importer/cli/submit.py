"""`case-importer submit`: queue an import for the machines that work on the same journal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from importer.cli import options
from importer.cli.help import Command
from importer.cli.logs import set_up
from importer.cli.output import print_json
from importer.cli.values import Count
from importer.errors import UsageError
from importer.messages import _, gettext_noop

if TYPE_CHECKING:
    from importer.journal_place import Place


@click.command(
    "submit",
    cls=Command,
    exit_statuses={
        0: gettext_noop("the import is in the queue, or was taken out of it"),
        2: gettext_noop("nothing was queued: the command, mapping, source or journal is at fault"),
    },
    help=gettext_noop(
        "Queue SOURCE for the machines that work on the same journal (`work`), which SEND ITS CASES without asking.\n\n"
        "The journal must be on a PostgreSQL server. All machines must see source, mapping and attachments under the"
        " same paths. Tokens are not queued: each machine uses its own."
    ),
)
@click.argument("source", type=options.PATH, required=False)
@click.option("-m", "--mapping", type=options.PATH, help=gettext_noop("Mapping file (YAML)."))
@options.target
@click.option(
    "--every",
    metavar="SCHEDULE",
    help=gettext_noop("Import again and again, as cron writes it: '0 7 * * 1' is every Monday at 07:00."),
)
@click.option("--until", metavar="HH:MM", help=gettext_noop("Start no case after this time of day, such as 06:30."))
@click.option(
    "--expect-by",
    metavar="HH:MM",
    help=gettext_noop("If the run has not begun by this time of day, machines with `work --notify` tell so."),
)
@click.option(
    "--withdraw", type=Count(1), metavar="N", help=gettext_noop("Take the import N out of the queue instead.")
)
@options.limit
@options.only_if_all_valid
@options.report
@options.html
@click.option(
    "--concurrency",
    type=Count(1, 64),
    default=2,
    show_default=True,
    help=gettext_noop("Requests in flight with the token at the same time, on all machines together."),
)
@options.rate
@options.keep_quota
@options.decisions
@options.quiet_period
@options.sending_again
@options.accept_changes
@options.journal
@options.as_json
@options.logging
def command(  # noqa: PLR0913 - each is an option of the command line
    *,
    source: Path | None,
    mapping: Path | None,
    every: str | None,
    until: str | None,
    expect_by: str | None,
    withdraw: int | None,
    journal: Place | None,
    as_json: bool,
    log_file: Path | None,
    verbose: int,
    **job_options: Any,  # noqa: ANN401 - options
) -> int:
    """Carry out `submit`."""
    from importer import machines  # noqa: PLC0415 - slow to import, and help does not need it
    from importer.workflow.job import journal_path  # noqa: PLC0415

    set_up(log_file, verbose)
    if withdraw is not None:
        machines.withdraw(journal_path(journal), withdraw)
        if as_json:
            print_json("submit", {"number": withdraw, "state": "ended"})
        else:
            click.echo(_("Import {number} is no longer in the queue; a run that goes on ends early.", number=withdraw))
        return 0
    if source is None or mapping is None:
        raise UsageError(_("Name the source, and the mapping with -m; or take an import out with --withdraw."))
    job = options.make_job(source=source, mapping=mapping, journal=journal, **job_options)
    queued = machines.submit(job, machines.Times(every=every, until=until, expect_by=expect_by))
    ends = machines.ends_at(queued)
    if as_json:
        said = {"number": queued.id, "state": queued.state, "not_before": queued.not_before, "until": ends}
        print_json("submit", said)
        return 0
    if queued.not_before is not None:
        begins = _(
            "Import {number} is in the queue; it begins at {when:%Y-%m-%d %H:%M}.",
            number=queued.id,
            when=queued.not_before,
        )
        click.echo(begins)
    else:
        click.echo(_("Import {number} is in the queue; the next machine that is free begins it.", number=queued.id))
    if ends is not None:
        click.echo(_("It starts no case after {until:%Y-%m-%d %H:%M}.", until=ends))
    return 0
