"""Options that several commands know, and the job that they describe."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from importer.cli.terminal import Terminal
from importer.errors import UsageError
from importer.messages import _
from importer.model import Status

if TYPE_CHECKING:
    from importer.mapping import CaseMapping
    from importer.settings import Connection
    from importer.workflow.job import Job, LoadedJob


# MERGED importer.cli.options: Leave for what only a mapping names, asked by the commands that have no other questions.


def allowed(loaded: LoadedJob) -> LoadedJob:
    """Return what was begun once the user allows the folders that its mapping names; raises where they do not."""
    return replace(loaded, job=allowed_job(loaded.job, loaded.cases))


def allowed_job(job: Job, cases: CaseMapping) -> Job:
    """Return the job with the folders that the user allows; raises where they do not."""
    from importer.workflow.guards import ask_for_folders  # noqa: PLC0415 - slow to import: meanwhile, the source is parsed

    return ask_for_folders(job, cases, Terminal())


def trusted(said: Connection, mapped: Connection) -> Connection:
    """Return the connection once the user agrees to its server and operation; raises where they do not."""
    from importer.workflow.guards import ask_for_server  # noqa: PLC0415 - slow to import, and help needs nothing of it

    return ask_for_server(said, mapped, Terminal())


# MERGED importer.cli.options: Options that several commands know, and the job that they describe.

SECTIONS: dict[str, tuple[str, ...]] = {
    _("Connection"): ("mapping", "server", "operation", "token_env", "proxy", "ca_file"),
    _("Pace"): ("limit", "concurrency", "rate", "until", "keep_quota", "wait_for_quota", "only_if_all_valid"),
    _("Questions, answered beforehand"): (
        *("yes", "trust_server", "allow_folders", "first_run", "same_as", "new_import", "same_tickets"),
        *("moved_here", "nothing_was_sent"),
    ),
    _("Report"): ("report", "only", "html", "write_back", "as_json", "log_file", "verbose"),
    _("Journal and repair"): ("journal", "quiet_period", "look_first", "retry_rejected"),
}
"""The headings under which the help of a command with many options lists them."""

Command = TypeVar("Command", bound=Callable[..., Any])

_PATH = click.Path(path_type=Path)
_WEEK = 7 * 24 * 3600


def all_of(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Apply decorators so that their options stand in the help in this order."""

    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


class Sectioned(click.Command):
    """A command whose help lists its options under headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, those that no heading claims under one of their own."""
        records = {param.name: record for param in self.get_params(ctx) if (record := param.get_help_record(ctx))}
        for heading, names in SECTIONS.items():
            if some := [records.pop(name) for name in names if name in records]:
                with formatter.section(heading):
                    formatter.write_dl(some)
        if records:
            with formatter.section(_("Other")):
                formatter.write_dl(list(records.values()))


class Rate(click.ParamType[float]):
    """`5/s` or `5`: at most so many requests a second."""

    name = "N/s"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the requests a second."""
        if isinstance(value, float):
            return value
        found = re.fullmatch(r"(\d+(?:\.\d+)?)(?:/s)?", str(value))
        if not found or float(found[1]) == 0:
            self.fail(_("{value} is no rate; write for example 5/s or 0.5/s", value=value), param, ctx)
        return float(found[1])


class Seconds(click.FloatRange):
    """A length of time; `nan` is none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:  # noqa: ANN401
        """Return the seconds."""
        seconds: float = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail(_("{value} is no number of seconds; write for example 120", value=value), param, ctx)
        return seconds


class Clock(click.ParamType[datetime]):
    """`HH:MM`: the next time that the clock shows it."""

    name = "HH:MM"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Return the moment, today or tomorrow, in the user's time zone."""
        if isinstance(value, datetime):
            return value
        found = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", str(value))
        if not found:
            self.fail(_("{value} is no time of day; write for example 06:30", value=value), param, ctx)
        now = datetime.now(UTC).astimezone()
        moment = now.replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)
        return moment if moment > now else moment + timedelta(days=1)


class States(click.ParamType[tuple[Status, ...]]):
    """`invalid,rejected`: some of a row's states."""

    name = "STATES"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[Status, ...]:
        """Return the states."""
        if isinstance(value, tuple):
            return value
        try:
            return tuple(Status(name.strip().lower()) for name in str(value).split(","))
        except ValueError:
            known = ", ".join(Status)
            self.fail(
                _("{value}: name some of {known}, with commas between them", value=value, known=known), param, ctx
            )


source = click.argument("source", type=_PATH)
mapping = click.option("-m", "--mapping", type=_PATH, required=True, help=_("The mapping file (YAML)."))
any_mapping = click.option("-m", "--mapping", type=_PATH, help=_("The mapping file that names server and operation."))
journal = click.option("--journal", type=_PATH, help=_("Where the journal lies, instead of your data folder."))
report = all_of(
    click.option(
        "--report", type=_PATH, help=_("Where the report goes, instead of beside the source (.xlsx, .csv, .html).")
    ),
    click.option(
        "--only",
        type=States(),
        default=(),
        help=_("Only rows that are or were in these states, like invalid,rejected; the report holds just these."),
    ),
    click.option("--html", is_flag=True, help=_("Write the report as a page, too.")),
    click.option("--write-back", is_flag=True, help=_("Put the sheet Report into the source workbook, with a backup.")),
)
limit = click.option(
    "--limit", type=click.IntRange(min=1), help=_("Send at most N rows that are not created yet, in sheet order.")
)
as_json = click.option("--json", "as_json", is_flag=True, help=_("Print one JSON object."))
quiet_period = click.option(
    "--quiet-period",
    type=Seconds(min=0, max=_WEEK),
    default=120.0,
    show_default=True,
    metavar="SECONDS",
    help=_("How long to wait before the CRM is asked for a doubtful row; less than 120 only on loopback."),
)
trust = click.option(
    "--trust-server",
    is_flag=True,
    help=_("Agree that the server and operation that only the mapping names are yours; remembered."),
)
folders = click.option(
    "--allow-folder",
    "allow_folders",
    type=_PATH,
    multiple=True,
    metavar="PATH",
    help=_("Allow files of this folder to be read, which the mapping names; remembered. Can be repeated."),
)
answers = all_of(
    trust,
    folders,
    click.option("--first-run", is_flag=True, help=_("None of these rows was ever sent from elsewhere.")),
    click.option("--same-as", metavar="NAME", help=_("This is the import NAME under another name or host.")),
    click.option("--new-import", is_flag=True, help=_("These tickets become cases of their own.")),
    click.option("--same-tickets", is_flag=True, help=_("Rows with known keys are the same tickets, edited since.")),
    click.option("--moved-here", is_flag=True, help=_("The journal was moved to this computer.")),
    click.option("--nothing-was-sent", is_flag=True, help=_("No row of a lost journal became a case; recorded.")),
)
again = all_of(
    click.option("--look-first", is_flag=True, help=_("Search the CRM for every row before it is sent.")),
    click.option(
        "--spot-check",
        type=click.IntRange(min=0),
        default=3,
        show_default=True,
        help=_("Search the CRM for N rows of a new source first, to see whether another computer sent them."),
    ),
    click.option("--retry-rejected", is_flag=True, help=_("Send rejected rows again, though nothing in them changed.")),
)
logging = all_of(
    click.option("--log-file", type=_PATH, help=_("Append what happens as JSON lines; no cell, key or token in it.")),
    click.option("-v", "verbose", count=True, help=_("Say more; repeat it to say still more.")),
)
place = all_of(
    click.option("--server", metavar="URL", help=_("The CRM's host, as the browser shows it after login.")),
    click.option("--operation", metavar="NAME", help=_("The operation that the cases belong to.")),
)
network = all_of(
    click.option("--proxy", metavar="URL", help=_("A proxy, instead of the one that the environment names.")),
    click.option("--ca-file", type=_PATH, help=_("Certificates to trust, instead of the usual ones (PEM).")),
)
connection = all_of(
    place,
    click.option("--token-env", metavar="VAR", help=_("The environment variable that holds the token.")),
    network,
)
sending = all_of(
    limit,
    click.option(
        "--concurrency", type=click.IntRange(1, 64), default=2, show_default=True, help=_("How many cases at once.")
    ),
    click.option("--rate", type=Rate(), help=_("At most so many requests a second, like 5/s.")),
    click.option("--until", type=Clock(), help=_("Begin no case after this time of day, like 06:30.")),
    click.option(
        "--keep-quota",
        type=click.IntRange(min=0),
        default=0,
        help=_("Leave N of today's calls for others on the token."),
    ),
    click.option("--wait-for-quota", is_flag=True, help=_("Wait for the next day's quota and go on by itself.")),
    click.option("--only-if-all-valid", is_flag=True, help=_("Send nothing while a single row is invalid.")),
)


def job(  # noqa: PLR0913 - the options of the command line that say where cases go
    *,
    source: Path,
    mapping: Path,
    server: str | None = None,
    operation: str | None = None,
    token_env: str | None = None,
    proxy: str | None = None,
    ca_file: Path | None = None,
    trust_server: bool = False,
    **rest: Any,  # noqa: ANN401 - the job knows what they are
) -> Job:
    """Return the job that the options of a command describe.

    Raises UsageError for options that contradict each other.
    """
    from importer.settings import Connection  # noqa: PLC0415
    from importer.workflow.job import Job  # noqa: PLC0415 - help must not wait for what a job imports

    if rest.get("same_as") and rest.get("new_import"):
        raise UsageError(_("--same-as and --new-import contradict each other; give one of them."))
    if rest.get("only") and rest.get("write_back"):
        raise UsageError(
            _("--only and --write-back contradict each other: the sheet in your workbook would lack the other rows.")
        )
    if rest.get("same_tickets") and rest.get("new_import"):
        raise UsageError(_("--same-tickets and --new-import contradict each other; give one of them."))
    connection = Connection(server, operation, token_env, proxy, ca_file, trust_server)
    return Job(source=source, mapping=mapping, connection=connection, **rest)
