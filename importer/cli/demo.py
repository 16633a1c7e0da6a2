"""`case-importer demo`: the sample spreadsheet becomes cases, in a simulated CRM on this computer."""

from __future__ import annotations

import click

from importer.cli.help import Command
from importer.cli.streams import asked_encoding
from importer.messages import gettext_noop


@click.command(
    "demo",
    cls=Command,
    exit_statuses={
        0: gettext_noop("the sample was imported"),
        2: gettext_noop("the folder `demo` cannot be used"),
    },
    help=gettext_noop(
        "Import a sample spreadsheet into a simulated CRM on this computer, to see how it works. Sends nothing to any"
        " other computer.\n\n"
        "The sheet, its mapping and its report are in the folder `demo` of the current folder afterwards."
    ),
)
def command() -> int:
    """Carry out `demo`."""
    from importer.sandbox import show_demo  # noqa: PLC0415 - the web framework is slow to import

    return show_demo(click.echo, asked_encoding())
