"""`case-importer doctor`: is all well, and with leave one test case to learn what the vendor's pages leave open."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from importer.cli import options
from importer.cli.logs import set_up
from importer.cli.options import allowed_job, trusted
from importer.cli.output import json_text, print_json
from importer.cli.terminal import someone_is_there
from importer.errors import SettingsError, UsageError
from importer.messages import _, ngettext

if TYPE_CHECKING:
    from importer.doctor import Answer, Check, TestCase
    from importer.mapping import CaseMapping
    from importer.settings import Connection
    from importer.workflow.job import Job
    from importer.workflow.tenant_facts import Findings

_LARGEST = 1_000_000_000
"""Bytes of a test attachment; what the CRM takes is not documented."""


@click.command("doctor")
@options.any_mapping
@options.connection
@options.trust
@options.folders
@options.journal
@click.option("--create-test-case", is_flag=True, help=_("CREATES ONE CASE, after showing it and asking; see below."))
@click.option("--source", type=click.Path(path_type=Path), help=_("The sheet with a row like which the case shall be."))
@click.option(
    "--row", type=click.IntRange(min=1), help=_("That row, by Excel's number; the first valid one otherwise.")
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
    """Look at settings, server, certificate, proxy, clock, token, quota, journal, disk and keyring. Creates nothing.

    With --create-test-case, which asks before each case, it creates one case and searches it, to learn how long that
    takes, how searches match and what the CRM answers; what it learnt lies beside the journal, and settling goes by it.
    With -m and --source the case has the fields of a row of that sheet, otherwise they are asked for.

    Exit status: 0 all is well, 2 settings or journal are at fault or nobody agreed, 3 the server cannot be reached
    or the calls are used up, 5 a person must mend the connection.
    """
    from importer import doctor  # noqa: PLC0415 - pandas is slow to import
    from importer import mapping as mappings  # noqa: PLC0415
    from importer.journal import default_path  # noqa: PLC0415
    from importer.settings import Connection  # noqa: PLC0415
    from importer.workflow.job import Job, journal_path  # noqa: PLC0415

    set_up(log_file, verbose)
    _refuse_what_makes_no_sense(mapping, source, row, create_test_case=create_test_case)
    cases = mappings.load_mapping(mapping) if mapping else None
    said, mapped = Connection(**connection), _mapped(cases)  # type: ignore[arg-type]
    place = journal or default_path()
    with suppress(UsageError, SettingsError):  # the checks say what is wrong, or not agreed to
        place = journal_path(journal)
        said = trusted(said, mapped)
    checks = []
    for check in doctor.examine(said, mapped, place):
        checks.append(check)
        if not as_json:
            _print_check(check)
    status = doctor.exit_status(checks)
    learnt = None
    if create_test_case and status:
        click.echo(_("No test case is created while something is at fault."), err=True)
    elif create_test_case:
        job = Job(source, mapping, said, allow_folders=allow_folders) if source and mapping else None
        learnt = _try_case(said, cases, place.parent, job, row)
        _print_findings(*learnt, err=as_json)
    if as_json:
        findings, path = learnt or (None, None)
        values = {"exit_status": status, "checks": [asdict(check) for check in checks]}
        print_json("doctor", {**values, "findings": findings and asdict(findings), "findings_file": path})
    return status


def _refuse_what_makes_no_sense(
    mapping: Path | None,
    source: Path | None,
    row: int | None,
    *,
    create_test_case: bool,
) -> None:
    """Raise UsageError before anything is looked at."""
    if (source or row) and not create_test_case:
        raise UsageError(_("--source and --row are about the case of --create-test-case."))
    if row and not source:
        raise UsageError(_("--row needs the sheet: name it with --source."))
    if source and not mapping:
        raise UsageError(_("--source needs the mapping that makes cases of its rows: name it with -m."))
    if create_test_case and not someone_is_there():
        raise UsageError(_("A test case is created only with a person's leave, and nobody can be asked here."))


def _mapped(cases: CaseMapping | None) -> Connection:
    from importer.settings import Connection  # noqa: PLC0415
    from importer.workflow.job import mapped  # noqa: PLC0415

    return mapped(cases) if cases else Connection()


def _print_check(check: Check) -> None:
    click.echo(_("{level:<7}  {name}: {seen}", level=check.level, name=check.name, seen=check.seen))
    if check.remedy:
        click.echo(_("         {remedy}", remedy=check.remedy))


def _try_case(
    said: Connection, cases: CaseMapping | None, folder: Path, job: Job | None, row: int | None
) -> tuple[Findings, Path]:
    from importer import doctor, settings  # noqa: PLC0415

    target = settings.target(said, _mapped(cases))
    if job and cases:
        wish = doctor.wish_like_row(allowed_job(job, cases), row)
    else:
        wish = doctor.wish_of(cases, _asked_fields())
    person = _AtTerminal(target.server, target.operation)
    try:
        return doctor.try_case(target, wish, person, folder)
    except (click.Abort, KeyboardInterrupt):
        if not person.has_allowed:
            raise
        raise UsageError(
            _("Stopped. A test case may be in the CRM; what was learnt until then is kept beside the journal.")
        ) from None


def _asked_fields() -> dict[str, object]:
    """Ask for the fields that every tenant demands."""
    click.echo(_("The test case needs values that exist in the CRM; take a contact of your own."), err=True)
    fields: dict[str, object] = {
        "responsible": _asked(_('Responsible (the "Wolkvox Email" of a user, like ADMIN_@operation)')),
        "owner": _asked(_('Owner (the "Wolkvox Email" of a user)')),
        "contact": _asked(_('Contact (the "Contact Email" of a contact)')),
        "case-type": _asked(_("Case type (Request, Complaints, Claims, Suggestions, or one of your own)")),
        "status": _asked(_("Status, an open one, as the CRM writes it (like Abierto)")),
        "priority": _asked(_("Priority, as the CRM writes it (like Baja)")),
    }
    return fields


def _asked(question: str) -> str:
    answer: str = click.prompt(question, err=True)
    return answer.strip()


class _AtTerminal:
    """A person at this terminal, who sees everything on stderr."""

    def __init__(self, server: str, operation: str) -> None:
        self._server, self._operation = server, operation
        self.has_allowed = False

    def allows(self, case: TestCase) -> bool:
        """Show the case in full, and have the operation's name typed."""
        click.echo(json_text(case.document), err=True)
        if case.file_size:
            click.echo(_("With an attachment: {size} bytes of text that means nothing.", size=case.file_size), err=True)
        click.echo(_("CREATES THIS CASE at {server}. The contact may be written to.", server=self._server), err=True)
        question = _("Type the operation's name ({operation}) to create it", operation=self._operation)
        typed: str = click.prompt(question, default="", show_default=False, err=True)
        allowed = typed.strip() == self._operation
        self.has_allowed |= allowed
        return allowed

    def larger(self) -> int:
        """Ask for the size of a second case."""
        click.echo(
            _(
                "A second case with an attachment shows whether large cases are found as well: a row whose answer was"
                " lost is only settled by a search that finds nothing if its case is not larger."
            ),
            err=True,
        )
        question = _("Bytes of its attachment, like 5000000 (0: no second case)")
        size: int = click.prompt(question, type=click.IntRange(0, _LARGEST), default=0, err=True)
        return size

    def crowded(self, field: str) -> str:
        """Ask for a value that many cases have."""
        question = _(
            "A value of {field} that many cases have, to see how many records one answer holds (empty: none; not kept)",
            field=field,
        )
        value: str = click.prompt(question, default="", show_default=False, err=True)
        return value.strip()

    def saw(self, question: str) -> Answer:
        """Ask what the person sees in the CRM."""
        answer: Answer = click.prompt(
            question, type=click.Choice(["yes", "no", "unknown"]), default="unknown", err=True
        )
        return answer

    def told(self, sentence: str) -> None:
        """Show how it goes."""
        click.echo(sentence, err=True)


def _print_findings(findings: Findings, path: Path, *, err: bool) -> None:
    for line in _lines(findings):
        click.echo(line, err=err)
    click.echo(_("Written to {path}; it holds no values, and can be sent to support.", path=path), err=err)


def _lines(findings: Findings) -> Iterator[str]:
    """Yield what was learnt, and then what remains unknown."""
    yield _("What this operation's CRM told:")
    if findings.found_after is not None:
        yield _(
            "  A case of up to {length} bytes is found by {field} within {seconds} s.",
            length=findings.body_length,
            field=findings.search_field,
            seconds=findings.found_after,
        )
    else:
        yield _("  The case was not found by {field}.", field=findings.search_field)
    if findings.page_size is not None:
        count = findings.page_size
        yield _("  One answer held up to {count} records; one with fewer is taken for complete.", count=count)
    for finding in findings.fields:
        result = {True: _("finds it"), False: _("does not find it"), None: _("is refused")}[finding.found]
        records = ngettext("{count} record", "{count} records", finding.records)
        matching = {"exact": _(", the whole value only"), "partial": _(", a part suffices"), "unknown": ""}
        yield f"  {finding.field}: {result} ({records}{matching[finding.matching]})"
    yield _("  A case found looks like: {shape}", shape=findings.case_found or "?")
    yield _("  Nothing found looks like: {shape}", shape=findings.nothing_found)
    for error in findings.errors:
        yield f"  {error.asked}: {error.answer}"
    for told in findings.told:
        yield f"  {told.question} {told.answer}"
    yield _("What remains unknown:")
    for sentence in findings.unknown:
        yield f"  {sentence}"
