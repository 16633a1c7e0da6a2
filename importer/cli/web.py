"""`case-importer web`: the office's page in the browser."""

from __future__ import annotations

import webbrowser
from pathlib import Path

import click

from importer.cli import options
from importer.cli.help import Command
from importer.cli.values import Count
from importer.errors import UsageError
from importer.journal_place import Place
from importer.messages import _, gettext_noop
from importer.settings import Connection


@click.command(
    "web",
    cls=Command,
    exit_statuses={
        0: gettext_noop("the page was closed, or was open already"),
        2: gettext_noop("the page could not be opened"),
    },
    help=gettext_noop(
        "Open the office's page in the browser: choose a sheet, match columns, correct, send, decide, look back."
        " SENDS CASES, after asking.\n\n"
        "FILE is a sheet to begin with, or a folder to choose one from. The page is reachable from this computer only,"
        " and closing its tab stops nothing. It ends by itself after 30 minutes without a tab and without work."
    ),
)
@click.argument("file", type=options.PATH, required=False)
@options.connection
@options.journal
@click.option(
    "--port",
    type=Count(0, 65535),
    help=gettext_noop("Port of the page (default: the one used last time, or a free one)."),
)
@click.option(
    "--no-browser",
    is_flag=True,
    help=gettext_noop("Print the page's address, which works once, and do not open the page."),
)
def command(  # noqa: PLR0913 - each is an option of the command line
    *,
    file: Path | None,
    server: str | None,
    operation: str | None,
    token_env: str | None,
    proxy: str | None,
    ca_file: Path | None,
    journal: Place | None,
    port: int | None,
    no_browser: bool,
) -> int:
    """Carry out `web`."""
    from importer.web import serve  # noqa: PLC0415 - the web framework is slow to import

    if file is not None and not file.exists():
        raise UsageError(_("{path}: no such file or folder.", path=file))
    connection = Connection(server, operation, token_env, proxy, ca_file)
    opener = None if no_browser else webbrowser.open
    serve(file, connection=connection, journal=journal, port=port, open_browser=opener, show=click.echo)
    return 0
