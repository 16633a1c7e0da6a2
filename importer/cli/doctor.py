"""`case-importer doctor`: checks, and with consent small questions to the CRM about what is documented nowhere."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from importer.cli import options
from importer.cli.doctor_asking import ask, in_json, print_findings, print_page
from importer.cli.help import Command
from importer.cli.logs import set_up
from importer.cli.output import print_json
from importer.cli.terminal import ask_for_server, is_interactive
from importer.cli.values import Count
from importer.commands import same_command
from importer.errors import SettingsError, UsageError
from importer.journal_place import Place, folder_of
from importer.messages import _, gettext_noop
from importer.names import code_name

if TYPE_CHECKING:
    from importer.doctor import Check
    from importer.settings import Connection


@click.command(
    "doctor",
    cls=Command,
    exit_statuses={
        0: gettext_noop("no faults"),
        2: gettext_noop("a fault in settings or journal, or the test case was not confirmed"),
        3: gettext_noop("the server cannot be reached, or its calls are used up"),
        5: gettext_noop("a person must fix the connection"),
    },
    help=gettext_noop(
        "Check settings, server, certificate, proxy, clock, token, quota, journal, disk and keyring. Creates no case.\n"
        "\n"
        "With --ask, it asks the CRM what the vendor's pages do not say: how searches match, what an update empties,"
        " what becomes of an unknown contact. It first shows each question with its calls and with what stays in the"
        " CRM, and asks before each case that it creates. The findings are saved next to the journal, and other"
        " commands use them; --report shows them as a page. With -m and --source the test case has the fields of a row"
        " of that spreadsheet; otherwise the doctor asks for them."
    ),
)
@options.any_mapping
@options.connection
@options.trust_server
@options.allow_folders
@options.journal
@click.option(
    "--ask",
    "names",
    multiple=True,
    metavar="NAME",
    help=gettext_noop("Ask the CRM this question, or all of them with `all`; repeatable. Any other name lists them."),
)
@click.option("--create-test-case", is_flag=True, hidden=True)  # what `--ask all` was called in version 0.1
@click.option(
    "--report", "as_page", is_flag=True, help=gettext_noop("Show what was learnt as a page; sends nothing by itself.")
)
@click.option(
    "--source", type=click.Path(path_type=Path), help=gettext_noop("Spreadsheet with the row to base the test case on.")
)
@click.option(
    "--row",
    type=Count(1),
    help=gettext_noop("Number of that row in Excel (default: the first valid row)."),
)
@options.as_json
@options.logging
def command(  # noqa: PLR0913 - each is an option of the command line
    *,
    mapping: Path | None,
    journal: Place | None,
    names: tuple[str, ...],
    create_test_case: bool,
    as_page: bool,
    source: Path | None,
    row: int | None,
    allow_folders: tuple[Path, ...],
    as_json: bool,
    log_file: Path | None,
    verbose: int,
    **connection: object,
) -> int:
    """Carry out `doctor`."""
    from importer import doctor, settings  # noqa: PLC0415 - pandas is slow to import
    from importer import mapping as mappings  # noqa: PLC0415
    from importer.journal import default_path  # noqa: PLC0415
    from importer.workflow.job import Job, connection_in, journal_path  # noqa: PLC0415

    set_up(log_file, verbose)
    chosen = doctor.choose((*names, *((doctor.ALL,) if create_test_case else ())))
    _refuse_conflicting_options(mapping, source, row, asks=bool(chosen))
    case_mapping = mappings.load_mapping(mapping) if mapping else None
    given = settings.Connection(**connection)  # type: ignore[arg-type]
    from_mapping = connection_in(case_mapping) if case_mapping else settings.Connection()
    if as_page and not chosen:
        return _show_page(given, from_mapping, journal_path(journal), as_json=as_json)
    path: Place = journal or default_path()
    with suppress(UsageError, SettingsError):  # the checks report what is wrong, or not agreed to
        path = journal_path(journal)
        given = ask_for_server(given, from_mapping)
    checks = []
    for check in doctor.run_checks(given, from_mapping, path):
        checks.append(check)
        if not as_json:
            _print_check(check)
    status = doctor.exit_status(checks)
    values: dict[str, object] = {"exit_status": status, "checks": [asdict(check) for check in checks]}
    findings = file = None
    if chosen and status:
        click.echo(_("Nothing was asked: fix the faults first."), err=True)
    elif chosen:
        job = Job(source, mapping, given, allow_folders=allow_folders) if source and mapping else None
        target = settings.target(given, from_mapping)
        findings, file = ask(target, chosen, case_mapping, folder_of(path), job=job, row=row)
        print_findings(findings, file, chosen, err=as_json)
        if as_page:
            values["report"] = print_page(findings, folder_of(path), err=as_json)
    if as_json:
        print_json("doctor", {**values, "findings": in_json(findings), "findings_file": file})
    return status


def _show_page(given: Connection, from_mapping: Connection, journal: Place, *, as_json: bool) -> int:
    """Write the page of what is known about an operation; asks nothing."""
    from importer import doctor, settings  # noqa: PLC0415

    server, operation = settings.server_and_operation(given, from_mapping)
    if not server or not operation:
        raise UsageError(_("Whose findings? Name the server and the operation with --server and --operation, or -m."))
    findings = doctor.known_findings(journal, server, operation)
    if findings is None:
        command = same_command("--ask", "all")
        raise UsageError(_("Nothing is known about this operation yet. `{command}` asks the CRM.", command=command))
    page = print_page(findings, folder_of(journal), err=as_json)
    if as_json:
        print_json("doctor", {"exit_status": 0, "findings": in_json(findings), "report": page})
    return 0


def _refuse_conflicting_options(mapping: Path | None, source: Path | None, row: int | None, *, asks: bool) -> None:
    """Raise UsageError before anything is checked."""
    if (source or row) and not asks:
        raise UsageError(_("--source and --row need --ask."))
    if row and not source:
        raise UsageError(_("--row needs a spreadsheet: give it with --source."))
    if source and not mapping:
        raise UsageError(_("--source needs a mapping: give it with -m."))
    if asks and not is_interactive():
        raise UsageError(_("A person must agree to what the doctor asks. Cannot ask: no terminal."))


def _print_check(check: Check) -> None:
    click.echo(
        _("{level:<7}  {name}: {seen}", level=code_name(check.level), name=code_name(check.name), seen=check.seen)
    )
    if check.remedy:
        click.echo(_("         {remedy}", remedy=check.remedy))
