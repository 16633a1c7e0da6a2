"""`case-importer check`: what is wrong with a source; sends nothing."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from importer.cli import options
from importer.cli.help import Command
from importer.cli.logs import set_up
from importer.cli.output import (
    changes_values,
    corrections_values,
    counts_line,
    issue_values,
    print_changes,
    print_issues,
    print_json,
    print_steps,
    rows_and_cases,
)
from importer.cli.terminal import load_allowed_job
from importer.messages import gettext_noop
from importer.workflow.planning.fixes import suggest_fixes

if TYPE_CHECKING:
    from importer.model import Issue
    from importer.pipeline import Checked


@click.command(
    "check",
    cls=Command,
    exit_statuses={
        0: gettext_noop("every row is valid"),
        1: gettext_noop("some rows need correcting"),
        2: gettext_noop("the command, mapping or source is at fault"),
    },
    help=gettext_noop(
        "Read, map and validate SOURCE; list its issues row by row, and those that one fix resolves together. Counts"
        " what the journal knows already. Sends nothing."
    ),
)
@options.source
@options.mapping
@options.connection
@options.allow_folders
@options.report
@options.journal
@options.as_json
@options.logging
def command(*, as_json: bool, log_file: Path | None, verbose: int, **job_options: Any) -> int:  # noqa: ANN401 - options
    """Carry out `check`."""
    from importer.pipeline import check_with_steps  # noqa: PLC0415 - slow to import, and help does not need it

    set_up(log_file, verbose)
    checked = check_with_steps(load_allowed_job(options.make_job(**job_options)))
    plan = checked.plan
    issues = list(plan.issues())
    counts = plan.counts()
    status = 1 if counts.invalid else 0
    if as_json:
        print_json("check", _as_json(checked, issues, status))
        return status
    print_issues(issues)
    print_changes(checked.plan)
    for note in plan.notes:
        click.echo(note)
    click.echo(counts_line(counts))
    print_steps(checked.steps)
    return status


def _as_json(checked: Checked, issues: list[Issue], status: int) -> dict[str, object]:
    counts = checked.plan.counts()
    groups = [
        {**issue_values(each.issue), "message": each.message, "count": each.count, "rows": each.rows}
        for each in suggest_fixes(issues)
    ]
    return {
        "exit_status": status,
        "counts": asdict(counts),
        **rows_and_cases(counts),
        "issues": [issue_values(issue) for issue in issues],
        "groups": groups,
        "changes": changes_values(checked.plan),
        "notes": checked.plan.notes,
        "corrections": corrections_values(checked.plan.corrections),
        "steps": [step.sentence for step in checked.steps],
    }
