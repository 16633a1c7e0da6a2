"""`case-importer preview`: the JSON of a row beside the cells it came from; sends nothing."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from importer.cli import options
from importer.cli.logs import set_up
from importer.cli.options import allowed
from importer.cli.output import json_text, print_json, whole
from importer.cli.terminal import size_text
from importer.errors import UsageError
from importer.messages import _, shorten
from importer.text import clean

if TYPE_CHECKING:
    from importer.pipeline import Preview

_SHOWN_ROWS = 20
_WIDEST_NAME = 60
_JSON_KEY = re.compile(r'^( *)("(?:[^"\\]|\\.)*")(?=:)', re.MULTILINE)


@click.command("preview")
@options.source
@options.mapping
@options.connection
@options.folders
@click.option(
    "--row", type=click.IntRange(min=1), help=_("The row, by the number that Excel shows; the first otherwise.")
)
@click.option("--issues", is_flag=True, help=_("The first rows that have issues."))
@options.as_json
@options.logging
def command(
    *,
    row: int | None,
    issues: bool,
    as_json: bool,
    log_file: Path | None,
    verbose: int,
    **said: Any,  # noqa: ANN401
) -> int:
    """Show the JSON that a row of SOURCE would send, attachments shortened, and the cells it came from. Sends nothing.

    Exit status: 0 the row is valid, 1 it has issues, 2 the call, the mapping or the source is at fault.
    """
    from importer.workflow.job import load_job  # noqa: PLC0415 - slow to import, and help needs nothing of it

    set_up(log_file, verbose)
    job = options.job(**said)
    loaded = allowed(load_job(job))
    from importer.pipeline import preview  # noqa: PLC0415 - slower still: meanwhile, the source is parsed

    shown = list(islice(preview(loaded, row, issues=issues), _SHOWN_ROWS if issues else 1))
    if not shown and not issues:
        raise UsageError(_("{path} has no row {row}.", path=job.source, row=row or 1))
    status = 0 if all(one.row.is_valid for one in shown) else 1
    if as_json:
        values = [_values(one) for one in shown]
        print_json("preview", {"exit_status": status, **({"rows": values} if issues else values[0])})
        return status
    for one in shown:
        _print(one)
    if not shown:
        click.echo(_("No row has issues."))
    return status


def _values(shown: Preview) -> dict[str, object]:
    return {"row": shown.row.number, "body": _body(shown), "cells": shown.cells}


def _body(shown: Preview) -> dict[str, object]:
    """Return what would be sent, each attachment by its name and size."""
    files = [f"{file.name} ({size_text(file.size)}, base64)" for file in shown.row.attachments]
    return {**shown.body, "attachments": files}


def _print(shown: Preview) -> None:
    """Print a row's cells, its JSON and its issues, in colour where a terminal shows it."""
    row = shown.row
    faulty = {issue.column for issue in row.issues}
    click.secho(_("Row {row}", row=row.number), bold=True)
    names = {column: shorten(clean(column), _WIDEST_NAME) for column in shown.cells}
    width = max(map(len, names.values()), default=0)
    for column, text in shown.cells.items():
        line = f"  {names[column]:<{width}}  {shorten(clean(text), 90)}"
        click.secho(line, fg="red" if column in faulty else None)
    document = json_text(_body(shown))
    click.echo(_JSON_KEY.sub(lambda found: found[1] + click.style(found[2], fg="cyan"), document))
    for issue in row.issues:
        click.secho(_("Issue: {message}. {remedy}", message=issue.message, remedy=whole(issue.remedy)), fg="red")
