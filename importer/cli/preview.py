"""`case-importer preview`: the JSON of a row beside the cells it came from; sends nothing."""

from __future__ import annotations

import re
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from importer.cli import options
from importer.cli.help import Command
from importer.cli.logs import set_up
from importer.cli.output import as_sentence, issue_text, json_text, print_json
from importer.cli.terminal import load_allowed_job
from importer.cli.values import Count
from importer.errors import UsageError
from importer.messages import _, gettext_noop, shorten
from importer.names import size_text
from importer.text import clean

if TYPE_CHECKING:
    from importer.pipeline import Preview

_MOST_ROWS = 20
_WIDEST_NAME = 60
_WIDEST_CELL = 90
_JSON_KEY = re.compile(r'^( *)("(?:[^"\\]|\\.)*")(?=:)', re.MULTILINE)


@click.command(
    "preview",
    cls=Command,
    exit_statuses={
        0: gettext_noop("the row is valid"),
        1: gettext_noop("the row has issues"),
        2: gettext_noop("the command, mapping or source is at fault"),
    },
    help=gettext_noop(
        "Show the JSON that a row of SOURCE would send, attachments shortened, and the cells it comes from. Sends"
        " nothing."
    ),
)
@options.source
@options.mapping
@options.connection
@click.option("--row", type=Count(1), help=gettext_noop("Row number, as Excel shows it (default: the first row)."))
@click.option("--issues", is_flag=True, help=gettext_noop("Show the first rows that have issues."))
@options.allow_folders
@options.as_json
@options.logging
def command(
    *,
    row: int | None,
    issues: bool,
    as_json: bool,
    log_file: Path | None,
    verbose: int,
    **job_options: Any,  # noqa: ANN401
) -> int:
    """Carry out `preview`."""
    from importer.pipeline import preview  # noqa: PLC0415 - slow to import, and help does not need it

    set_up(log_file, verbose)
    job = options.make_job(**job_options)
    previews = list(islice(preview(load_allowed_job(job), row, only_with_issues=issues), _MOST_ROWS if issues else 1))
    if not previews and not issues:
        raise UsageError(_("{path} has no row {row}.", path=job.source, row=row or 1))
    status = 0 if all(one.row.is_valid for one in previews) else 1
    if as_json:
        rows = [_values(one) for one in previews]
        print_json("preview", {"exit_status": status, **({"rows": rows} if issues else rows[0])})
        return status
    for one in previews:
        _print(one, row)
    if not previews:
        click.echo(_("No row has issues."))
    return status


def _values(preview: Preview) -> dict[str, object]:
    return {"row": preview.row.number, "body": _body(preview), "cells": preview.cells}


def _body(preview: Preview) -> dict[str, object]:
    """Return what would be sent, each attachment by its name and size."""
    files = [f"{file.name} ({size_text(file.size)}, base64)" for file in preview.row.attachments]
    return {**preview.body, "attachments": files}


def _print(preview: Preview, asked: int | None) -> None:
    """Print a row's cells, its JSON and its issues, in colour where a terminal shows it; `asked` is the row wanted."""
    row = preview.row
    faulty = {issue.column for issue in row.issues}
    if asked not in {None, row.number}:
        click.echo(_("Row {part} is part of the case of row {row}.", part=asked, row=row.number))
    click.secho(_("Row {row}", row=row.number), bold=True)
    names = {column: shorten(clean(column), _WIDEST_NAME) for column in preview.cells}
    width = max(map(len, names.values()), default=0)
    for column, text in preview.cells.items():
        line = f"  {names[column]:<{width}}  {shorten(clean(text), _WIDEST_CELL)}"
        click.secho(line, fg="red" if column in faulty else None)
    document = json_text(_body(preview))
    click.echo(_JSON_KEY.sub(lambda found: found[1] + click.style(found[2], fg="cyan"), document))
    for issue in preview.issues:
        text = _("Issue: {message}. {remedy}", message=issue.message, remedy=as_sentence(issue.remedy))
        click.secho(text if issue.row in {None, row.number} else issue_text(issue), fg="red")
