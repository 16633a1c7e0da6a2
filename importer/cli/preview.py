"""`case-importer preview`: the JSON of a row beside the cells it came from; sends nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from importer.cli import options
from importer.cli.logs import set_up
from importer.cli.output import print_json
from importer.cli.terminal import size_text
from importer.errors import UsageError
from importer.messages import _, shorten


@click.command("preview")
@options.source
@options.mapping
@options.connection
@click.option(
    "--row", type=click.IntRange(min=1), help=_("The row, by the number that Excel shows; the first otherwise.")
)
@options.as_json
@options.logging
def command(*, row: int | None, as_json: bool, log_file: Path | None, verbose: int, **said: Any) -> int:  # noqa: ANN401 - options
    """Show the JSON that a row of SOURCE would send, attachments shortened, and the cells it came from. Sends nothing.

    Exit status: 0 the row is valid, 1 it has issues, 2 the call, the mapping or the source is at fault.
    """
    from importer.pipeline import preview  # noqa: PLC0415 - pandas is slow to import

    set_up(log_file, verbose)
    job = options.job(**said)
    shown = preview(job, row)
    if shown is None:
        raise UsageError(_("{path} has no row {row}.", path=job.source, row=row or 1))
    planned, cells = shown.planned, shown.cells
    files = [f"{file.name} ({size_text(file.size)}, base64)" for file in planned.row.attachments]
    document = {**shown.body, "attachments": files}
    status = 0 if planned.row.sendable else 1
    if as_json:
        print_json("preview", {"row": planned.row.number, "exit_status": status, "body": document, "cells": cells})
        return status
    click.echo(_("Row {row}", row=planned.row.number))
    width = max((len(column) for column in cells), default=0)
    for column, text in cells.items():
        click.echo(f"  {column:<{width}}  {shorten(text, 90)}")
    click.echo(json.dumps(document, ensure_ascii=False, indent=2))
    for issue in planned.row.issues:
        click.echo(_("Issue: {message}. {remedy}", message=issue.message, remedy=issue.remedy))
    return status
