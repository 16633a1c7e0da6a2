"""Options that several commands know, and the job that they describe."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from importer.messages import _

Command = TypeVar("Command", bound=Callable[..., Any])

_PATH = click.Path(path_type=Path)


def all_of(*decorators: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Apply decorators so that their options stand in the help in this order."""

    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


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


source = click.argument("source", type=_PATH)
mapping = click.option("-m", "--mapping", type=_PATH, required=True, help=_("The mapping file (YAML)."))
journal = click.option("--journal", type=_PATH, help=_("Where the journal lies, instead of your data folder."))
report = click.option("--report", type=_PATH, help=_("Where the report goes, instead of beside the source."))
limit = click.option(
    "--limit", type=click.IntRange(min=1), help=_("Send at most N rows that are not created yet, in sheet order.")
)
as_json = click.option("--json", "as_json", is_flag=True, help=_("Print one JSON object."))
logging = all_of(
    click.option("--log-file", type=_PATH, help=_("Append what happens as JSON lines; no cell, key or token in it.")),
    click.option("-v", "verbose", count=True, help=_("Say more; repeat it to say still more.")),
)
place = all_of(
    click.option("--server", metavar="URL", help=_("The CRM's host, as the browser shows it after login.")),
    click.option("--operation", metavar="NAME", help=_("The operation that the cases belong to.")),
)
connection = all_of(
    place,
    click.option("--token-env", metavar="VAR", help=_("The environment variable that holds the token.")),
    click.option("--proxy", metavar="URL", help=_("A proxy, instead of the one that the environment names.")),
    click.option("--ca-file", type=_PATH, help=_("Certificates to trust, instead of the usual ones (PEM).")),
)
sending = all_of(
    limit,
    click.option(
        "--concurrency", type=click.IntRange(1, 64), default=2, show_default=True, help=_("How many cases at once.")
    ),
    click.option("--rate", type=Rate(), help=_("At most so many requests a second, like 5/s.")),
    click.option("--only-if-all-valid", is_flag=True, help=_("Send nothing while a single row is invalid.")),
)
