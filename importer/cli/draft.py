"""`case-importer draft`: propose a mapping from headers and values; sends nothing."""

from __future__ import annotations

from pathlib import Path

import click

from importer.cli import options
from importer.cli.help import Command
from importer.cli.logs import set_up
from importer.commands import command_line
from importer.errors import UsageError
from importer.messages import _, gettext_noop
from importer.system.causes import reason_of

_PATH = click.Path(path_type=Path)


@click.command(
    "draft",
    cls=Command,
    exit_statuses={
        0: gettext_noop("a mapping was proposed"),
        2: gettext_noop("the command or source is at fault"),
    },
    help=gettext_noop("Propose a mapping for SOURCE: each guess with its evidence, each blank marked. Sends nothing."),
)
@options.source
@click.option("--sheet", help=gettext_noop("The sheet to read (default: the first visible one)."))
@click.option("--like", type=_PATH, metavar="MAPPING", help=gettext_noop("Keep the decisions of a previous mapping."))
@click.option(
    "--fields",
    type=_PATH,
    metavar="FILE",
    help=gettext_noop("Take the names of the form's fields from the headers of the CRM's own template for uploads."),
)
@click.option(
    "-o", "--output", type=_PATH, help=gettext_noop("Write the mapping to this new file instead of printing it.")
)
@options.logging
def command(  # noqa: PLR0913 - each is an option of the command line
    *,
    source: Path,
    sheet: str | None,
    like: Path | None,
    fields: Path | None,
    output: Path | None,
    log_file: Path | None,
    verbose: int,
) -> int:
    """Carry out `draft`."""
    from importer.workflow.drafting.drafting import draft_mapping  # noqa: PLC0415 - pandas is slow to import

    set_up(log_file, verbose)
    text = draft_mapping(source, sheet=sheet, like=like, fields=fields)
    if output is None:
        click.echo(text, nl=not text.endswith("\n"))
        return 0
    try:
        with output.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(
            _("{path} already exists and is not overwritten. Choose another name.", path=output)
        ) from error
    except OSError as error:
        raise UsageError(_("{path} cannot be written: {reason}", path=output, reason=reason_of(error))) from error
    click.echo(
        _(
            "Wrote {path}. Fill in its blanks, then: {command}",
            path=output,
            command=command_line("check", source, "-m", output),
        )
    )
    return 0
