"""`case-importer check`: what is wrong with a source; sends nothing."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from importer.cli import options
from importer.cli.logs import set_up
from importer.cli.options import allowed
from importer.cli.output import counts_line, grouped, print_issues, print_json


@click.command("check")
@options.source
@options.mapping
@options.connection
@options.folders
@options.as_json
@options.logging
def command(*, as_json: bool, log_file: Path | None, verbose: int, **said: Any) -> int:  # noqa: ANN401 - options
    """Read, map and validate SOURCE; list its issues by row, and grouped with what would mend them. Sends nothing.

    Exit status: 0 all rows are valid, 1 rows to correct, 2 the call, the mapping or the source is at fault.
    """
    from importer.workflow.job import load_job  # noqa: PLC0415 - slow to import, and help needs nothing of it

    set_up(log_file, verbose)
    loaded = allowed(load_job(options.job(**said)))
    from importer.pipeline import check  # noqa: PLC0415 - slower still: meanwhile, the source is parsed

    plan = check(loaded)
    issues = list(plan.issues())
    counts = plan.counts()
    status = 1 if counts.invalid else 0
    if as_json:
        groups = [
            {**asdict(group.issue), "message": group.told, "count": group.count, "rows": group.rows}
            for group in grouped(issues)
        ]
        listed = [asdict(issue) for issue in issues]
        values = {"exit_status": status, "counts": asdict(counts), "rows": counts.rows, "issues": listed}
        print_json("check", {**values, "groups": groups, "notes": plan.notes})
        return status
    print_issues(issues)
    for note in plan.notes:
        click.echo(note)
    click.echo(counts_line(counts))
    return status
