"""`case-importer adopt`: the ids of a report, taken into the journal; sends nothing."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from importer.cli import options
from importer.cli.help import Command
from importer.cli.logs import set_up
from importer.cli.output import issue_text, issue_values, print_json, print_steps
from importer.cli.terminal import ask_for_folders
from importer.messages import _, gettext_noop


@click.command(
    "adopt",
    cls=Command,
    exit_statuses={
        0: gettext_noop("every row was taken"),
        1: gettext_noop("some rows were not taken; each is named"),
        2: gettext_noop("nothing could be taken"),
    },
    help=gettext_noop(
        "Take the ids of REPORT into the journal, so that its rows are not sent again. Sends nothing.\n\n"
        "For a lost journal, another computer, or a sheet with a column `wolkvox_id`."
    ),
)
@click.argument("source", metavar="REPORT", type=options.PATH)
@options.mapping
@options.connection
@options.allow_folders
@options.same_as
@options.journal
@options.as_json
@options.logging
def command(*, as_json: bool, log_file: Path | None, verbose: int, **job_options: Any) -> int:  # noqa: ANN401 - options
    """Carry out `adopt`."""
    from importer.mapping import load_mapping  # noqa: PLC0415 - slow to import, and help does not need it
    from importer.pipeline import adopt  # noqa: PLC0415
    from importer.workflow.jobs.adopting import step_after  # noqa: PLC0415

    set_up(log_file, verbose)
    job = options.make_job(**job_options)
    adoption = adopt(ask_for_folders(job, load_mapping(job.mapping)))
    steps = [step_after(job, adoption)]
    if as_json:
        found = [issue_values(issue) for issue in adoption.issues]
        sentences = [step.sentence for step in steps]
        print_json(
            "adopt", {"exit_status": adoption.exit_status, **asdict(adoption), "issues": found, "steps": sentences}
        )
        return adoption.exit_status
    click.echo(
        _("Adopted: {created} created, {doubtful} doubtful.", created=adoption.created, doubtful=adoption.doubtful)
    )
    for issue in adoption.issues:
        click.echo(issue_text(issue))
    print_steps(steps)
    return adoption.exit_status
