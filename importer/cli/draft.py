"""`case-importer draft`: propose a mapping from headers and values; sends nothing."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path

import click

from importer.causes import reason_of
from importer.cli import options
from importer.cli.logs import set_up
from importer.commands import command_line
from importer.errors import UsageError
from importer.messages import _, gettext_noop

_PATH = click.Path(path_type=Path)


@click.command(
    "draft",
    help=gettext_noop("Propose a mapping for SOURCE: each guess with its evidence, each blank marked. Sends nothing."),
)
@options.source
@click.option("--sheet", help=gettext_noop("The sheet to read (default: the first visible one)."))
@click.option("--like", type=_PATH, metavar="MAPPING", help=gettext_noop("Keep the decisions of a previous mapping."))
@click.option(
    "-o", "--output", type=_PATH, help=gettext_noop("Write the mapping to this new file instead of printing it.")
)
@options.logging
def command(  # noqa: PLR0913 - each is an option of the command line
    *, source: Path, sheet: str | None, like: Path | None, output: Path | None, log_file: Path | None, verbose: int
) -> int:
    """Carry out `draft`."""
    from importer.mapping import draft  # noqa: PLC0415 - pandas is slow to import
    from importer.model import TableOptions  # noqa: PLC0415
    from importer.source import open_table  # noqa: PLC0415

    set_up(log_file, verbose)
    table = open_table(source, TableOptions(sheet=sheet))
    filled = None
    if table.sheet is not None:  # a workbook, whose cells may be merged
        filled = open_table(source, TableOptions(sheet=sheet, merged="fill")).frames()
    frames = table.frames()
    text = draft(table.columns, frames, _name(source), sheet=sheet, like=like, beside=source.parent, filled=filled)
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


def _name(source: Path) -> str:
    """Return a name for the import from the file's name: plain letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", source.stem.casefold())
    return re.sub(r"[^a-z0-9]+", "-", "".join(c for c in plain if not unicodedata.combining(c))).strip("-") or "import"
