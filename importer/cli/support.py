"""`case-importer support`: a bundle for asking for help, with nothing private; sends nothing."""

from __future__ import annotations

from pathlib import Path

import click

from importer.cli import options
from importer.cli.help import Command
from importer.cli.output import print_json
from importer.errors import UsageError
from importer.journal_place import Place
from importer.messages import _, gettext_noop
from importer.system.causes import reason_of


@click.command(
    "support",
    cls=Command,
    exit_statuses={
        0: gettext_noop("the bundle was written"),
        2: gettext_noop("nothing was written: the command is at fault, or the file exists already"),
    },
    help=gettext_noop(
        "Write a zip file for asking for help: versions, settings without their values, whether the journal is sound,"
        " the last runs by their counts. No cell, key, reference, address, name or token is in it. Sends nothing."
    ),
)
@click.option(
    "--output",
    type=options.PATH,
    default=Path("case-importer-support.zip"),
    show_default=True,
    help=gettext_noop("Zip file to write; it must not exist yet."),
)
@click.option("-m", "--mapping", type=options.PATH, help=gettext_noop("Also the outline of this mapping, masked."))
@click.option("--log", type=options.PATH, help=gettext_noop("Also the end of this log of --log-file, by numbers."))
@options.journal
@options.as_json
def command(*, output: Path, mapping: Path | None, log: Path | None, journal: Place | None, as_json: bool) -> int:
    """Carry out `support`."""
    from importer.support import make_bundle, write_bundle  # noqa: PLC0415 - slow to import
    from importer.workflow.job import journal_path  # noqa: PLC0415

    try:
        members = make_bundle(journal_path(journal), mapping=mapping, log=log)
    except OSError as error:
        raise UsageError(_("{path} cannot be read: {reason}.", path=log, reason=reason_of(error))) from error
    if not as_json:
        click.echo(_("The bundle has:"))
        for member in members:
            click.echo(f"  {member.name:<14} {member.what}")
    try:
        write_bundle(members, output)
    except FileExistsError as error:
        raise UsageError(_("{path} exists already. Give another name to --output.", path=output)) from error
    except OSError as error:
        raise UsageError(_("{path} cannot be written: {reason}.", path=output, reason=reason_of(error))) from error
    if as_json:
        files = [{"name": member.name, "what": member.what} for member in members]
        print_json("support", {"exit_status": 0, "path": str(output), "files": files})
    else:
        click.echo(_("Bundle: {path}. Look into it before you send it to anybody.", path=output))
    return 0
