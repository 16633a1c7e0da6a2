"""The options that several commands share, and the job that they describe."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from importer.cli.help import Decorated, all_of
from importer.cli.logs import LOG_KEEP, LOG_SIZE
from importer.cli.notifying import CommandLine
from importer.cli.values import Count, JournalPlace, Length, Rate, Seconds, Size, States, TimeOfDay
from importer.errors import UsageError
from importer.messages import _, gettext_noop

if TYPE_CHECKING:
    from collections.abc import Callable

    from importer.workflow.job import Job

PATH = click.Path(path_type=Path)


def _keep(name: str, ctx: click.Context, _param: click.Parameter, value: object) -> None:
    """Keep a value with the command, for whatever asks for it."""
    ctx.meta[name] = value


source = click.argument("source", type=PATH)
mapping = click.option("-m", "--mapping", type=PATH, required=True, help=gettext_noop("Mapping file (YAML)."))
any_mapping = click.option(
    "-m", "--mapping", type=PATH, help=gettext_noop("Mapping file that names the server and operation.")
)
as_json = click.option("--json", "as_json", is_flag=True, help=gettext_noop("Print the result as one JSON object."))
logging = all_of(
    click.option(
        "--log-file", type=PATH, help=gettext_noop("Append a log in JSON lines (without cells, keys and token).")
    ),
    click.option(
        "--log-size",
        type=Size(),
        default="10MB",
        show_default=True,
        expose_value=False,
        callback=partial(_keep, LOG_SIZE),
        help=gettext_noop("How large the log grows before it begins anew; full ones are kept as FILE.1, FILE.2, …"),
    ),
    click.option(
        "--log-keep",
        type=Count(1, 1000),
        default=5,
        show_default=True,
        expose_value=False,
        callback=partial(_keep, LOG_KEEP),
        help=gettext_noop("How many full logs are kept."),
    ),
    click.option("-v", "verbose", count=True, help=gettext_noop("Verbose output (-vv for more).")),
)

target = all_of(
    click.option("--server", metavar="URL", help=gettext_noop("CRM host, as your browser shows it after you log in.")),
    click.option("--operation", metavar="NAME", help=gettext_noop("Operation that the cases belong to.")),
)
network = all_of(
    click.option(
        "--proxy", metavar="URL", help=gettext_noop("Proxy (default: from the environment or the settings file).")
    ),
    click.option("--ca-file", type=PATH, help=gettext_noop("Certificates to trust, as PEM (default: the usual ones).")),
)
connection = all_of(
    target,
    click.option(
        "--token-env", metavar="VAR", help=gettext_noop("Environment variable with the token (default: WOLKVOX_TOKEN).")
    ),
    network,
)

limit = click.option(
    "--limit", type=Count(1), help=gettext_noop("Send at most N rows that have no case yet, in sheet order.")
)
only = click.option(
    "--only",
    type=States(),
    default=(),
    help=gettext_noop(
        "Only rows that are or were in these states, such as invalid,rejected; the report lists only them."
    ),
)
only_if_all_valid = click.option(
    "--only-if-all-valid", is_flag=True, help=gettext_noop("Send nothing if any row is invalid.")
)
rate = click.option(
    "--rate", type=Rate(), metavar="N/s", help=gettext_noop("At most N requests per second, such as 5/s.")
)


def _speed(concurrency: str, until: str) -> Callable[[Decorated], Decorated]:
    """Return the options that say how fast a command goes, with what it does in their help."""
    return all_of(
        click.option("--concurrency", type=Count(1, 64), default=2, show_default=True, help=concurrency),
        rate,
        click.option("--until", type=TimeOfDay(), help=until),
    )


speed = _speed(
    gettext_noop("Cases sent at the same time, up to 64."),
    gettext_noop("Start no case after this time of day, such as 06:30."),
)
speed_of_contacts = _speed(
    gettext_noop("Contacts asked for or created at the same time, up to 64."),
    gettext_noop("Ask for, and create, no contact after this time of day, such as 06:30."),
)
keep_quota = all_of(
    click.option(
        "--keep-quota", type=Count(), default=0, help=gettext_noop("Leave N of today's calls to others on the token.")
    ),
)
pace = all_of(
    speed,
    keep_quota,
    click.option(
        "--wait-for-quota",
        is_flag=True,
        help=gettext_noop("When the quota is used up, wait for the next day's and continue."),
    ),
)

trust_server = click.option(
    "--trust-server",
    is_flag=True,
    help=gettext_noop("Confirm that the server and operation which only the mapping names are yours (remembered)."),
)
allow_folders = click.option(
    "--allow-folder",
    "allow_folders",
    type=PATH,
    multiple=True,
    help=gettext_noop("Allow reading files in this folder, which the mapping names (remembered; can be repeated)."),
)
same_as = click.option(
    "--same-as", metavar="NAME", help=gettext_noop("This is the import NAME, under another name or on another host.")
)
decisions = all_of(
    trust_server,
    allow_folders,
    click.option("--first-run", is_flag=True, help=gettext_noop("No row of this import was ever sent from elsewhere.")),
    same_as,
    click.option(
        "--new-import", is_flag=True, help=gettext_noop("Rows with keys of another import are other tickets.")
    ),
    click.option(
        "--same-tickets", is_flag=True, help=gettext_noop("Rows with known keys are the same tickets, edited since.")
    ),
)
answers = all_of(
    decisions,
    click.option("--moved-here", is_flag=True, help=gettext_noop("The journal was moved to this computer.")),
    click.option(
        "--nothing-was-sent", is_flag=True, help=gettext_noop("No row of the lost journal became a case (recorded).")
    ),
)

report = click.option(
    "--report", type=PATH, help=gettext_noop("Report file: .xlsx, .csv or .html (default: beside the source).")
)
html = click.option("--html", is_flag=True, help=gettext_noop("Also write the report as a web page."))
other_reports = all_of(
    html,
    click.option(
        "--share", is_flag=True, help=gettext_noop("Also write a report without private columns, to show to others.")
    ),
    click.option(
        "--write-back", is_flag=True, help=gettext_noop("Put the sheet Report into the source workbook, with a backup.")
    ),
)

journal = click.option(
    "--journal",
    type=JournalPlace(),
    help=gettext_noop("Journal: a file, or postgresql://… (default: in your data folder)."),
)
quiet_period = click.option(
    "--quiet-period",
    type=Seconds(),
    default=120,
    show_default=True,
    help=gettext_noop("Wait this long before asking the CRM about a doubtful row; less than 120 only on loopback."),
)
notify = click.option(
    "--notify",
    type=CommandLine(),
    metavar="COMMAND",
    help=gettext_noop("Start this command when the run has ended, however, with its counts as JSON on standard input."),
)
fail_on = click.option(
    "--fail-on",
    type=click.Choice(["new", "rows", "never"]),
    default="rows",
    show_default=True,
    help=gettext_noop(
        "For which rows to exit with 1 or 4: only those that were not so at the last run (new), all, or none (never)."
    ),
)
fail_on_rows = click.option(
    "--fail-on",
    type=click.Choice(["rows", "never"]),
    default="rows",
    show_default=True,
    help=gettext_noop("Whether to exit with 1 or 4 because of rows, or never; other faults always count."),
)
retention = click.option(
    "--retention",
    type=Length(),
    metavar="2y",
    help=gettext_noop("After the run, forget what the journal no longer needs and is older, as `purge` does."),
)
accept_changes = click.option(
    "--accept-changes",
    is_flag=True,
    help=gettext_noop("Take what was edited in created rows as known; send nothing of it (recorded)."),
)
sending_again = all_of(
    click.option(
        "--spot-check",
        type=Count(),
        default=3,
        show_default=True,
        help=gettext_noop("Search the CRM for N rows of a new source first, in case another computer sent them."),
    ),
    click.option(
        "--retry-rejected",
        is_flag=True,
        help=gettext_noop("Send rejected rows again, even if nothing in them changed."),
    ),
)
repair = all_of(
    click.option("--look-first", is_flag=True, help=gettext_noop("Search the CRM for every row before sending it.")),
    sending_again,
)


def make_job(  # noqa: PLR0913 - the options of the command line that say where cases go
    *,
    source: Path,
    mapping: Path,
    server: str | None = None,
    operation: str | None = None,
    token_env: str | None = None,
    proxy: str | None = None,
    ca_file: Path | None = None,
    trust_server: bool = False,
    **others: Any,  # noqa: ANN401 - the job knows what they are
) -> Job:
    """Return the job that a command's options describe.

    Raises UsageError for options that contradict each other.
    """
    from importer.settings import Connection  # noqa: PLC0415
    from importer.workflow.job import Job  # noqa: PLC0415

    if others.get("same_as") and others.get("new_import"):
        raise UsageError(_("--same-as and --new-import contradict each other; give only one of them."))
    if others.get("same_tickets") and others.get("new_import"):
        raise UsageError(_("--same-tickets and --new-import contradict each other; give only one of them."))
    if others.get("only") and others.get("write_back"):
        raise UsageError(
            _("--only and --write-back contradict each other: the sheet in your workbook would lack the other rows.")
        )
    connection = Connection(server, operation, token_env, proxy, ca_file, trust_server)
    return Job(source=source, mapping=mapping, connection=connection, **others)
