"""`case-importer doctor`: checks, and with consent one test case to learn what the vendor's pages do not say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from importer.cli import options
from importer.cli.help import Command
from importer.cli.language import observed
from importer.cli.logs import set_up
from importer.cli.output import json_text, print_json
from importer.cli.terminal import ask_for_folders, ask_for_server, is_interactive
from importer.cli.values import Count
from importer.errors import SettingsError, UsageError
from importer.messages import _, gettext_noop, ngettext
from importer.names import code_name

if TYPE_CHECKING:
    from importer.doctor import Check, Observation, TestCase
    from importer.mapping import CaseMapping
    from importer.model import Target
    from importer.workflow.job import Job
    from importer.workflow.tenant_facts import FieldFinding, Findings

_LARGEST = 1_000_000_000
"""Bytes of a test attachment; the CRM's own limit is not documented."""


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
        "With --create-test-case, which asks before each case, it creates one case and searches for it, to learn how"
        " soon the case is found, how searches match and what the CRM answers. The findings are saved next to the"
        " journal, and settling uses them. With -m and --source the case has the fields of a row of that spreadsheet;"
        " otherwise the doctor asks for them."
    ),
)
@options.any_mapping
@options.connection
@options.trust_server
@options.allow_folders
@options.journal
@click.option(
    "--create-test-case", is_flag=True, help=gettext_noop("CREATE ONE CASE, after showing it and asking; see above.")
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
    journal: Path | None,
    create_test_case: bool,
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
    _refuse_conflicting_options(mapping, source, row, create_test_case=create_test_case)
    case_mapping = mappings.load_mapping(mapping) if mapping else None
    given = settings.Connection(**connection)  # type: ignore[arg-type]
    from_mapping = connection_in(case_mapping) if case_mapping else settings.Connection()
    path = journal or default_path()
    with suppress(UsageError, SettingsError):  # the checks report what is wrong, or not agreed to
        path = journal_path(journal)
        given = ask_for_server(given, from_mapping)
    checks = []
    for check in doctor.run_checks(given, from_mapping, path):
        checks.append(check)
        if not as_json:
            _print_check(check)
    status = doctor.exit_status(checks)
    findings = file = None
    if create_test_case and status:
        click.echo(_("No test case was created: fix the faults first."), err=True)
    elif create_test_case:
        job = Job(source, mapping, given, allow_folders=allow_folders) if source and mapping else None
        findings, file = _try_case(settings.target(given, from_mapping), case_mapping, path.parent, job, row)
        _print_findings(findings, file, err=as_json)
    if as_json:
        values = {"exit_status": status, "checks": [asdict(check) for check in checks]}
        print_json("doctor", {**values, "findings": findings and asdict(findings), "findings_file": file})
    return status


def _refuse_conflicting_options(
    mapping: Path | None, source: Path | None, row: int | None, *, create_test_case: bool
) -> None:
    """Raise UsageError before anything is checked."""
    if (source or row) and not create_test_case:
        raise UsageError(_("--source and --row need --create-test-case."))
    if row and not source:
        raise UsageError(_("--row needs a spreadsheet: give it with --source."))
    if source and not mapping:
        raise UsageError(_("--source needs a mapping: give it with -m."))
    if create_test_case and not is_interactive():
        raise UsageError(_("A person must confirm the test case. Cannot ask: no terminal."))


def _print_check(check: Check) -> None:
    click.echo(
        _("{level:<7}  {name}: {seen}", level=code_name(check.level), name=code_name(check.name), seen=check.seen)
    )
    if check.remedy:
        click.echo(_("         {remedy}", remedy=check.remedy))


def _try_case(
    target: Target, case_mapping: CaseMapping | None, folder: Path, job: Job | None, row: int | None
) -> tuple[Findings, Path]:
    from importer import doctor  # noqa: PLC0415

    if job and case_mapping:
        case_options = doctor.options_from_row(ask_for_folders(job, case_mapping), row)
    else:
        case_options = doctor.options_from_fields(case_mapping, _ask_fields())
    prompts = _TerminalPrompts(target.server, target.operation)
    try:
        return doctor.try_case(target, case_options, prompts, folder)
    except (click.Abort, KeyboardInterrupt):
        if not prompts.has_confirmed:
            raise
        raise UsageError(
            _("Stopped. A test case may be in the CRM. Findings made until then are saved next to the journal.")
        ) from None


def _ask_fields() -> dict[str, object]:
    """Ask for the fields that every tenant requires."""
    click.echo(_("The test case needs values that exist in the CRM. Use a contact of your own."), err=True)
    return {
        "responsible": _ask(_('Responsible (the "Wolkvox Email" of a user, like ADMIN_@operation)')),
        "owner": _ask(_('Owner (the "Wolkvox Email" of a user)')),
        "contact": _ask(_('Contact (the "Contact Email" of a contact)')),
        "case-type": _ask(_("Case type (Request, Complaints, Claims, Suggestions, or one of your own)")),
        "status": _ask(_("Status, an open one, as the CRM writes it (like Abierto)")),
        "priority": _ask(_("Priority, as the CRM writes it (like Baja)")),
    }


def _ask(question: str) -> str:
    answer: str = click.prompt(question, err=True)
    return answer.strip()


class _TerminalPrompts:
    """Asks the user at this terminal, on stderr."""

    def __init__(self, server: str, operation: str) -> None:
        self._server, self._operation = server, operation
        self.has_confirmed = False

    def confirm(self, case: TestCase) -> bool:
        """Show the case in full, and ask for the operation's name as confirmation."""
        click.echo(json_text(case.document), err=True)
        if case.file_size:
            click.echo(_("With an attachment: {size} bytes of text without meaning.", size=case.file_size), err=True)
        click.echo(
            _("THIS CREATES THE CASE on {server}. The CRM may notify the contact.", server=self._server), err=True
        )
        question = _("Type the operation's name ({operation}) to create it", operation=self._operation)
        typed: str = click.prompt(question, default="", show_default=False, err=True)
        confirmed = typed.strip() == self._operation
        self.has_confirmed |= confirmed
        return confirmed

    def larger_size(self) -> int:
        """Ask for the size of a second case."""
        click.echo(
            _(
                "A second case with an attachment shows whether large cases are found too. A row whose answer was"
                " lost can be settled by a search that finds nothing only if its case is not larger than this one."
            ),
            err=True,
        )
        question = _("Size of its attachment in bytes, such as 5000000 (0: no second case)")
        size: int = click.prompt(question, type=Count(0, _LARGEST), default=0, err=True)
        return size

    def common_value(self, field: str) -> str:
        """Ask for a value that many cases have."""
        question = _(
            "A {field} that many cases have, to see how many records one answer holds (not saved; empty: skip)",
            field=field,
        )
        value: str = click.prompt(question, default="", show_default=False, err=True)
        return value.strip()

    def observed(self, question: str) -> Observation:
        """Ask what the user sees in the CRM."""
        return observed(question)

    def show(self, sentence: str) -> None:
        """Show progress."""
        click.echo(sentence, err=True)


def _print_findings(findings: Findings, path: Path, *, err: bool) -> None:
    for line in _lines(findings):
        click.echo(line, err=err)
    click.echo(_("Saved to {path}. The file contains no values, so you can send it to support.", path=path), err=err)


def _lines(findings: Findings) -> Iterator[str]:
    """Yield what was learned, and then what remains unknown."""
    yield _("What the CRM showed:")
    if findings.found_after is not None:
        yield _(
            "  A search by {field} finds a case of up to {length} bytes within {seconds} s.",
            length=findings.body_length,
            field=findings.search_field,
            seconds=findings.found_after,
        )
    else:
        yield _("  A search by {field} did not find the case.", field=findings.search_field)
    if findings.page_size is not None:
        yield ngettext(
            "  One answer held {count} record. An answer with fewer is considered complete.",
            "  One answer held {count} records. An answer with fewer is considered complete.",
            findings.page_size,
        )
    for finding in findings.fields:
        yield f"  {_result(finding)}"
    yield _("  Answer when the case is found: {shape}", shape=findings.case_found or "?")
    yield _("  Answer when nothing is found: {shape}", shape=findings.nothing_found)
    for error in findings.errors:
        yield _("  Answer to {asked}: {answer}", asked=error.asked, answer=error.answer)
    for observation in findings.told:
        yield _("  {question} {answer}", question=observation.question, answer=_answer(observation.answer))
    yield _("What remains unknown:")
    for sentence in findings.unknown:
        yield f"  {sentence}"


def _answer(answer: str) -> str:
    """Return what a person told, in the language that is spoken."""
    return {"yes": _("yes"), "no": _("no")}.get(answer, _("not known"))


def _result(finding: FieldFinding) -> str:
    """Return what a search by one field showed."""
    field, count = finding.field, finding.records
    if finding.found is None:
        return _("{field}: the CRM refuses the search", field=field)
    if not finding.found:
        return _("{field}: not found (records: {count})", field=field, count=count)
    if finding.matching == "exact":
        return _("{field}: found by the whole value only (records: {count})", field=field, count=count)
    if finding.matching == "partial":
        return _("{field}: found by part of the value (records: {count})", field=field, count=count)
    return _("{field}: found (records: {count})", field=field, count=count)
