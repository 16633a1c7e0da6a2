"""`case-importer verify`: ask the CRM for created cases, compare them with the sheet, write the hand-over workbook."""

from __future__ import annotations

import sys
import threading
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from tqdm import tqdm

from importer.cli import options
from importer.cli.help import Command
from importer.cli.language import confirm
from importer.cli.logs import set_up
from importer.cli.output import print_json
from importer.cli.terminal import Terminal, is_interactive, load_allowed_job
from importer.cli.values import Count, Rate
from importer.commands import same_command
from importer.errors import UsageError
from importer.messages import _, gettext_noop, ngettext, shorten
from importer.names import result_name
from importer.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from importer.model.proof import CaseProof, ProofCounts
    from importer.verification import Verification
    from importer.workflow.verifying.selecting import VerifyForecast

_MOST = 20
"""Differences and cases that are printed; --json and the workbook have all of them."""


@click.command(
    "verify",
    cls=Command,
    exit_statuses={
        0: gettext_noop("every case that was asked for is as in the sheet, as far as the CRM shows it"),
        1: gettext_noop("something differs, or a case was not shown"),
        2: gettext_noop("the command is at fault, or there is nothing to verify"),
        3: gettext_noop("stopped, or the quota is used up; the same command asks for what is left"),
        5: gettext_noop("the connection needs fixing: token, operation, redirect or path"),
    },
    help=gettext_noop(
        "Ask the CRM for created cases of SOURCE, compare them field by field, and write the hand-over workbook."
        " Sends nothing, and changes nothing.\n\n"
        "One search answers for all rows with the same contact. What the CRM does not show is said to be not shown."
    ),
)
@options.source
@options.mapping
@options.connection
@click.option("--sample", type=Count(1), help=gettext_noop("Ask for N cases, spread over the sheet (default: 25)."))
@click.option(
    "--all",
    "everything",
    is_flag=True,
    help=gettext_noop(
        "Ask for every case; those that were as in the sheet before, and are unchanged, are not asked for."
    ),
)
@click.option("--again", is_flag=True, help=gettext_noop("With --all: ask for those again, too."))
@click.option(
    "--report", "path", type=options.PATH, help=gettext_noop("Hand-over workbook (default: beside the source).")
)
@click.option("--yes", is_flag=True, help=gettext_noop("Ask the CRM without confirming the number of calls."))
@click.option(
    "--concurrency",
    type=Count(1, 64),
    default=2,
    show_default=True,
    help=gettext_noop("Searches made at the same time, up to 64."),
)
@click.option("--rate", type=Rate(), metavar="N/s", help=gettext_noop("At most N requests per second, such as 5/s."))
@options.keep_quota
@options.trust_server
@options.allow_folders
@options.same_as
@options.journal
@options.fail_on_rows
@options.as_json
@options.logging
def command(  # noqa: PLR0913 - each is an option of the command line
    *,
    sample: int | None,
    everything: bool,
    again: bool,
    path: Path | None,
    yes: bool,
    fail_on: str,
    as_json: bool,
    log_file: Path | None,
    verbose: int,
    **job_options: Any,  # noqa: ANN401 - options
) -> int:
    """Carry out `verify`."""
    from importer.verification import verify  # noqa: PLC0415 - slow to import, and help does not need it
    from importer.workflow.verifying.selecting import SAMPLE, VerifyChoice  # noqa: PLC0415

    set_up(log_file, verbose)
    if sample is not None and everything:
        raise UsageError(_("--sample and --all contradict each other; give only one of them."))
    if again and not everything:
        raise UsageError(_("--again goes with --all."))
    choice = VerifyChoice(sample or SAMPLE, everything, again)
    verification = verify(load_allowed_job(options.make_job(**job_options)), VerifyTerminal(yes=yes), choice, path)
    if as_json:
        print_json("verify", _as_json(verification))
    else:
        _print(verification)
    return 0 if fail_on == "never" and verification.exit_status == 1 else verification.exit_status


class VerifyTerminal(Terminal):
    """A terminal that says what a verification costs, and shows how far it has come."""

    def __init__(self, *, yes: bool = False) -> None:
        super().__init__(yes=yes)
        self._progress_bar: tqdm[Any] | None = None
        self._guard = threading.Lock()

    def confirm_calls(self, forecast: VerifyForecast) -> None:
        """Show what the verification costs and ask for leave, unless --yes was given."""
        for line in price(forecast):
            click.echo(clean(line), err=True)
        if self.agrees_to_forecast:
            return
        if not is_interactive():
            raise UsageError(
                _(
                    "Cannot ask: no terminal. No case was asked for. `{command}` asks without confirming.",
                    command=same_command("--yes"),
                )
            )
        question = ngettext("Make {count} call?", "Make {count} calls?", forecast.calls_today)
        if not confirm(question):
            raise UsageError(_("Stopped; no case was asked for."))

    def verifying(self, total: int) -> None:
        """Begin to show progress."""
        shown = sys.stderr is not None and sys.stderr.isatty()
        self._progress_bar = tqdm(total=total, unit=_("case"), file=sys.stderr, dynamic_ncols=True, disable=not shown)

    def verified(self, proof: CaseProof) -> None:  # noqa: ARG002 - each counts alike
        """Show one more answer; called from several threads."""
        with self._guard:
            if self._progress_bar is not None:
                self._progress_bar.update()

    def done(self) -> None:
        """End the progress."""
        if self._progress_bar is not None:
            self._progress_bar.close()


def price(forecast: VerifyForecast) -> list[str]:
    """Return what a verification asks and what that costs, a line each."""
    lines = [
        ngettext(
            "{path}: {count} case in the CRM, import {name}",
            "{path}: {count} cases in the CRM, import {name}",
            forecast.cases,
            path=forecast.plan.table.path,
            name=forecast.plan.scope.import_name,
        ),
        _(
            "  from      {server}, operation {operation}",
            server=forecast.server,
            operation=forecast.plan.scope.operation,
        ),
        _sample_line(forecast)
        if forecast.is_sample
        else ngettext("  verify    {count} case", "  verify    {count} cases", forecast.wanted),
    ]
    if forecast.remembered:
        lines.append(
            ngettext(
                "            {count} was as in the sheet before, and is not asked for again (--again does)",
                "            {count} were as in the sheet before, and are not asked for again (--again does)",
                forecast.remembered,
            )
        )
    lines.append(
        ngettext(
            "  price     {count} call, and 1 that asked for the quota",
            "  price     {count} calls, and 1 that asked for the quota",
            forecast.calls,
        )
    )
    if forecast.further:
        lines.append(
            ngettext(
                "            up to {count} more, where one answer for several rows does not show all of their cases",
                "            up to {count} more, where one answer for several rows does not show all of their cases",
                forecast.further,
            )
        )
    if forecast.quota.left is not None:
        lines.append(
            ngettext("  quota     {count} call left today", "  quota     {count} calls left today", forecast.quota.left)
        )
    if later := forecast.calls - forecast.calls_today:
        lines.append(ngettext("            {count} call has to wait", "            {count} calls have to wait", later))
    return [*lines, _("  changes   nothing in the CRM")]


def _sample_line(forecast: VerifyForecast) -> str:
    return ngettext(
        "  verify    {count} of them, spread over the sheet (--all: every one)",
        "  verify    {count} of them, spread over the sheet (--all: every one)",
        forecast.wanted,
    )


def _as_json(verification: Verification) -> dict[str, object]:
    counts = verification.counts
    return {
        "exit_status": verification.exit_status,
        "cases": counts.cases,
        "asked": counts.asked,
        "results": dict(counts.results),
        "remembered": counts.remembered,
        "calls": verification.calls,
        "report": str(verification.path),
        "reason": verification.reason,
        "differences": [asdict(each) for proof in verification.proofs for each in proof.differences],
        "not_found": [
            {"row": proof.row, "result": proof.result, "reason": proof.reason}
            for proof in verification.proofs
            if proof.result in {"not-found", "unanswered"}
        ],
        "edited": [proof.row for proof in verification.proofs if proof.result == "edited"],
        "not_shown": dict(counts.fields_not_shown),
        "empty_in_sheet": dict(counts.fields_empty),
        "attachments": {"shown": counts.files_shown, "not_shown": counts.files_not_shown},
        "unexpected": [{"reference": reference, "wolkvox_id": case} for reference, case in verification.unexpected],
        "next": verification.next_step,
        "notes": list(verification.notes),
    }


def _print(verification: Verification) -> None:
    for line in _lines(verification):
        click.echo(clean(line))


def _lines(verification: Verification) -> list[str]:
    """Return what a verification came to, for people."""
    counts = verification.counts
    results = ", ".join(f"{result_name(result)} {count}" for result, count in counts.results.items() if count)
    lines = [ngettext("{count} case: {results}", "{count} cases: {results}", counts.cases, results=results)]
    differences = [each for proof in verification.proofs for each in proof.differences]
    for each in differences[:_MOST]:
        said = {"sheet": shorten(each.sheet), "crm": shorten(each.crm)}
        values = {"row": each.row, "column": each.column or each.field, **said}
        if each.edited:
            lines.append(
                _("Row {row}, {column}: the sheet says '{sheet}' (edited since), the CRM shows '{crm}'.", **values)
            )
        else:
            lines.append(_("Row {row}, {column}: the sheet says '{sheet}', the CRM shows '{crm}'.", **values))
    reasons = [proof for proof in verification.proofs if proof.reason]
    lines += [_("Row {row}: {reason}", row=proof.row, reason=proof.reason) for proof in reasons[:_MOST]]
    more = max(0, len(differences) - _MOST) + max(0, len(reasons) - _MOST)
    if more:
        lines.append(_("… and {count} more; the workbook lists all of them.", count=more))
    lines += _not_compared(counts)
    for reference, case in verification.unexpected[:_MOST]:
        lines.append(
            _(
                "{reference}: the CRM shows {id} with this reference, which the journal did not know. It is kept; look"
                " into it before the next run.",
                reference=reference,
                id=case,
            )
        )
    if verification.deleted:
        lines.append(
            ngettext(
                "{count} case was reported as deleted, and was not asked for.",
                "{count} cases were reported as deleted, and were not asked for.",
                verification.deleted,
            )
        )
    if verification.reason:
        lines.append(verification.reason)
    lines += [_("Note: {note}", note=note) for note in verification.notes]
    lines.append(_("Calls to the CRM: {count}", count=verification.calls))
    lines.append(_("Hand-over: {path}", path=verification.path))
    if verification.next_step:
        lines.append(_("Next: {step}", step=verification.next_step))
    elif verification.exit_status == 3:
        lines.append(_("Next: `{command}` asks for what is left.", command=same_command(without="--again")))
    return lines


def _not_compared(counts: ProofCounts) -> Iterator[str]:
    """Yield which fields were not compared, and why."""
    if counts.fields_not_shown:
        fields = ", ".join(sorted(counts.fields_not_shown))
        yield _("Not shown by the CRM, so not compared: {fields}", fields=fields)
    if counts.fields_empty:
        fields = ", ".join(sorted(counts.fields_empty))
        yield _("Not compared, because the sheet leaves it empty: {fields}", fields=fields)
