"""The doctor's questions at a terminal: which of them, with which test case, and what came of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from importer.cli.language import is_no, is_yes, observed
from importer.cli.output import json_text
from importer.cli.terminal import ask_for_folders
from importer.cli.values import Count
from importer.errors import UsageError
from importer.messages import _, ngettext

if TYPE_CHECKING:
    from importer.doctor import CaseOptions, Observation, Probe, ProbeEvent, TestCase
    from importer.mapping import CaseMapping
    from importer.model import Target
    from importer.workflow.job import Job
    from importer.workflow.tenant_facts import Findings

_LARGEST = 1_000_000_000
"""Bytes of a test attachment; the CRM's own limit is not documented."""


def ask(  # noqa: PLR0913 - whom to ask, what, and by which test case
    target: Target,
    probes: Sequence[Probe],
    case_mapping: CaseMapping | None,
    folder: Path,
    *,
    job: Job | None,
    row: int | None,
) -> tuple[Findings, Path]:
    """Show the questions, let the user choose among them, ask them, and return what is known, and its file."""
    from importer import doctor  # noqa: PLC0415 - pandas is slow to import

    probes = _choose(probes)
    if job and case_mapping:
        case_options = doctor.options_from_row(ask_for_folders(job, case_mapping), row)
    elif any(probe.needs_case for probe in probes):
        case_options = doctor.options_from_fields(case_mapping, _ask_fields(probes))
    else:
        case_options = doctor.options_from_fields(case_mapping, {})
    probes = _that_fit(probes, case_options)
    prompts = _TerminalPrompts(target.server, target.operation)
    names = [probe.name for probe in probes]
    try:
        return doctor.ask_crm(target, case_options, prompts, folder, names, on_event=_show_event)
    except (click.Abort, KeyboardInterrupt):
        if not prompts.has_confirmed:
            raise
        raise UsageError(
            _("Stopped. A test case may be in the CRM. Findings made until then are saved next to the journal.")
        ) from None


def _choose(probes: Sequence[Probe]) -> Sequence[Probe]:
    """Show each question with its price and its traces, and return those that the user agrees to."""
    from importer import doctor  # noqa: PLC0415

    click.echo(_("The doctor would ask:"), err=True)
    for probe in probes:
        click.echo(f"  {probe.name:<16} {probe.question}", err=True)
        price = _("calls: {calls}; stays in the CRM: {traces}", calls=probe.calls, traces=probe.traces)
        click.echo(f"{'':<19}{price}", err=True)
    if any(probe.needs_case for probe in probes):
        sentence = _(
            "They share one test case, which stays in the CRM until somebody deletes it; it takes up to {calls} calls.",
            calls=doctor.CASE_CALLS,
        )
        click.echo(sentence, err=True)
    click.echo(
        ngettext("Altogether {count} call at most.", "Altogether {count} calls at most.", doctor.price(probes)),
        err=True,
    )
    question = _("Enter: ask these; or the names of some, separated by commas; n: none")
    typed = str(click.prompt(question, default="", show_default=False, err=True)).strip()
    if is_no(typed):
        raise UsageError(_("Stopped; nothing was asked."))
    if not typed or is_yes(typed):
        return probes
    return doctor.choose(name.strip() for name in typed.split(",") if name.strip())


def _that_fit(probes: Sequence[Probe], case_options: CaseOptions) -> Sequence[Probe]:
    """Return the questions that a test case of these fields can answer; say which is left out before anything is sent.

    Raises UsageError where none is left.
    """
    if case_options.fills_form or not any(probe.name == "update" for probe in probes):
        return probes
    sentence = _(
        "`update` is not asked: it needs a test case with a field of the form, and this one has none. Give a row and a"
        " mapping that fill one; or leave out --source, and name a field of the form when you are asked for it."
    )
    others = [probe for probe in probes if probe.name != "update"]
    if not others:
        raise UsageError(sentence)
    click.echo(sentence, err=True)
    return others


def _ask_fields(probes: Sequence[Probe]) -> dict[str, object]:
    """Ask for the fields that every tenant requires, and for one of the form if a question needs it."""
    click.echo(_("The test case needs values that exist in the CRM. Use a contact of your own."), err=True)
    fields: dict[str, object] = {
        "responsible": _ask(_('Responsible (the "Wolkvox Email" of a user, like ADMIN_@my_operation)')),
        "owner": _ask(_('Owner (the "Wolkvox Email" of a user)')),
        "contact": _ask(_('Contact (the "Contact Email" of a contact)')),
        "case-type": _ask(_("Case type (Request, Complaints, Claims, Suggestions, or one of your own)")),
        "status": _ask(_("Status, an open one, as the CRM writes it (like Abierto)")),
        "priority": _ask(_("Priority, as the CRM writes it (like Baja)")),
    }
    if any(probe.name == "update" for probe in probes):
        question = _("A field of the case's form that takes text, by its name (Enter: none)")
        if name := str(click.prompt(question, default="", show_default=False, err=True)).strip():
            fields[f"form.{name}"] = "Case-importer doctor"
    return fields


def _ask(question: str) -> str:
    answer: str = click.prompt(question, err=True)
    return answer.strip()


def _show_event(event: ProbeEvent) -> None:
    """Show which question is asked, and why one stays open."""
    from importer.doctor import PEOPLE, ProbeBegan, why_not_learnt  # noqa: PLC0415

    if isinstance(event, ProbeBegan):
        if event.probe.name not in PEOPLE:  # those are asked in the same words
            click.echo(f"{event.probe.name}: {event.probe.question}", err=True)
    elif event.reason is not None:
        not_learnt = _("Not learnt: {reason}", reason=why_not_learnt(event.reason))
        click.echo(f"  {not_learnt}", err=True)
    else:
        click.echo(f"  {_('Learnt.')}", err=True)


class _TerminalPrompts:
    """Asks the user at this terminal, on stderr."""

    def __init__(self, server: str, operation: str) -> None:
        self._server, self._operation = server, operation
        self.has_confirmed = False

    def confirm(self, case: TestCase) -> bool:
        """Show the case in full, and ask for the operation's name as confirmation."""
        if case.note:
            click.echo(case.note, err=True)
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


def print_findings(findings: Findings, path: Path, probes: Sequence[Probe], *, err: bool) -> None:
    """Show what is known of these questions, what remains unknown, and where it is saved."""
    for line in _lines(findings, probes):
        click.echo(line, err=err)
    click.echo(_("Saved to {path}. The file contains no values, so you can send it to support.", path=path), err=err)


def print_page(findings: Findings, folder: Path, *, err: bool) -> Path:
    """Write the page of what is known, and show where it is."""
    from importer.doctor import write_findings  # noqa: PLC0415

    page = write_findings(findings, folder)
    click.echo(_("Report: {path}. It names nobody and no server, so you can send it to us.", path=page), err=err)
    return page


def in_json(findings: Findings | None) -> Mapping[str, object] | None:
    """Return findings as programs read them, with what remains unknown."""
    from importer.doctor import remaining  # noqa: PLC0415

    return None if findings is None else {**asdict(findings), "unknown": remaining(findings)}


def _lines(findings: Findings, probes: Sequence[Probe]) -> Iterator[str]:
    """Yield what was learnt of these questions, and then what remains unknown."""
    from importer.doctor import answers_in_words, remaining, why_not_learnt  # noqa: PLC0415

    yield _("What is known about the CRM:")
    for probe in probes:
        asked = findings.last_asked(probe.name)
        yield f"  {probe.question}"
        for sentence in answers_in_words(probe.name, findings):
            yield f"    {sentence}"
        if asked and asked.reason:
            not_learnt = _("Not learnt: {reason}", reason=why_not_learnt(asked.reason))
            yield f"    {not_learnt}"
    yield _("What remains unknown:")
    for sentence in remaining(findings):
        yield f"  {sentence}"
