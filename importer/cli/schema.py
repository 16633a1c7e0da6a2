"""`case-importer schema`: print the JSON Schema of a mapping, for editors; sends nothing."""

from __future__ import annotations

import json

import click

from importer.cli.help import Command
from importer.messages import gettext_noop


@click.command(
    "schema",
    cls=Command,
    exit_statuses={
        0: gettext_noop("the schema was printed"),
        2: gettext_noop("the command is at fault"),
    },
    help=gettext_noop(
        "Print the JSON Schema of a mapping file, for editors that complete and check it. Sends nothing."
    ),
)
def command() -> int:
    """Carry out `schema`."""
    from importer.mapping import json_schema  # noqa: PLC0415 - pandas is slow to import

    click.echo(json.dumps(json_schema(), ensure_ascii=False, indent=2))
    return 0
