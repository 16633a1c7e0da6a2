"""The results of a command: as text, and as one JSON object."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from importer.cli.streams import asked_encoding
from importer.messages import _, ngettext
from importer.model import Counts, Issue
from importer.names import counted, states_of
from importer.text import escaped
from importer.workflow.planning.fixes import suggest_fixes

if TYPE_CHECKING:
    from importer.contacts import ListedContact
    from importer.workflow.corrections import CorrectionList
    from importer.workflow.outcome.next_steps import Step
    from importer.workflow.outcome.outcome import Finished
    from importer.workflow.planning.plan import Plan

_MOST_ISSUES = 200
_MOST_ROWS = 10
_MOST_CONTACTS = 5


def print_issues(issues: list[Issue]) -> None:
    """Print issues by row, then those that one fix resolves together."""
    for issue in issues[:_MOST_ISSUES]:
        click.echo(issue_text(issue))
    if len(issues) > _MOST_ISSUES:
        click.echo(_("… and {count} more; --json lists all of them.", count=len(issues) - _MOST_ISSUES))
    fixes = [fix for fix in suggest_fixes(issues) if fix.count > 1]
    if fixes:
        click.echo("\n" + _("Fixes that resolve several rows:"))
    for fix in fixes:
        line = ngettext(
            "  {count} row: {message}. {remedy}",
            "  {count} rows: {message}. {remedy}",
            fix.count,
            message=fix.message,
            remedy=as_sentence(fix.issue.remedy),
        )
        click.echo(line)


def issue_text(issue: Issue) -> str:
    """Return an issue with its row and column, and the remedy."""
    message, remedy = issue.message, as_sentence(issue.remedy)
    if issue.row is None and issue.column is None:
        return _("{message}. {remedy}", message=message, remedy=remedy)
    if issue.row is None:
        return _("{column}: {message}. {remedy}", column=issue.column, message=message, remedy=remedy)
    if issue.column is None:
        return _("Row {row}: {message}. {remedy}", row=issue.row, message=message, remedy=remedy)
    return _(
        "Row {row}, {column}: {message}. {remedy}", row=issue.row, column=issue.column, message=message, remedy=remedy
    )


def issue_values(issue: Issue) -> dict[str, object]:
    """Return an issue for JSON: all that is known of it, with both remedies."""
    return {**asdict(issue), "click": issue.click}


def corrections_values(corrections: CorrectionList) -> dict[str, object]:
    """Return what the corrections of a sheet came to, for JSON; what was set aside with its place and the reason."""
    return {
        "file": corrections.name if corrections.digest else None,
        "digest": corrections.digest,
        "cells": corrections.cells,
        "rows": corrections.rows,
        "applied": len(corrections.applied),
        "done": len(corrections.done),
        "set_aside": [
            {
                "line": state.correction.line,
                "key": state.correction.key,
                "row": state.row,
                "column": state.correction.column,
                "from": state.correction.before,
                "to": state.correction.to,
                "now": state.now,
                "reason": state.reason,
            }
            for state in corrections.set_aside
        ],
    }


def as_sentence(text: str) -> str:
    """Return a remedy as a sentence of its own: with a capital, and an end."""
    capital = text[:1].upper() + text[1:]
    return capital if capital.endswith((".", "?", "!", "…")) else f"{capital}."


def counts_line(counts: Counts) -> str:
    """Return the counts that are not zero, on one line; on another, what a customer would count, if that differs."""
    from importer.report import made_of  # noqa: PLC0415 - slow to import, and help does not need it

    text = counted(states_of(counts), changed=counts.changed)
    line = ngettext("{count} row: {counts}", "{count} rows: {counts}", counts.rows, counts=text)
    return "\n".join([line, "; ".join(made_of(counts))]) if counts.part else line


def changes_values(plan: Plan) -> list[dict[str, object]]:
    """Return for JSON what becomes of every row that was edited after its case was created."""
    return [
        {
            "row": row.number,
            "reference": row.reference,
            "state": row.change.state if row.change else "report",
            "columns": None if row.change is None else row.change.columns,
            "not_updatable": [asdict(one) for one in row.change.blockers] if row.change else [],
            "reason": row.change.reason or None if row.change else None,
            "not_before": row.change.not_before.isoformat() if row.change and row.change.not_before else None,
        }
        for row in plan.edited()
    ]


def print_changes(plan: Plan) -> None:
    """Print which columns were edited in rows whose cases exist, and what becomes of that."""
    from importer.workflow.planning.change_words import change_sentences  # noqa: PLC0415 - slow to import

    for at, row in enumerate(plan.edited()):
        if at == _MOST_ISSUES:
            click.echo(_("… and more rows that were edited; --json lists all of them."))
            return
        click.echo(_("Row {row}: {message}", row=row.number, message=" ".join(change_sentences(row))))


def print_finished(finished: Finished, told: Collection[str] = ()) -> None:
    """Print how a run or a report ended, without the notes that a forecast has told."""
    click.echo(counts_line(finished.counts))
    if finished.result.run is not None:
        click.echo(
            _(
                "Created in this run: {count}; calls to the CRM: {calls}",
                count=finished.counts.created_now,
                calls=finished.result.calls,
            )
        )
    if finished.counts.updated_now:
        click.echo(_("Updated in this run: {count}", count=finished.counts.updated_now))
    for note in finished.notes:
        if note not in told:
            click.echo(_("Note: {note}", note=note))
    if finished.report is not None:
        click.echo(_("Report: {path}", path=finished.report))
    print_steps(finished.steps)


def print_steps(steps: Sequence[Step]) -> None:
    """Print what there is to do, the most pressing first."""
    for number, step in enumerate(steps):
        click.echo(_("Then: {step}", step=step.sentence) if number else _("Next: {step}", step=step.sentence))


def finished_json(finished: Finished) -> dict[str, object]:
    """Return how a run or a report ended: counts per state, calls made, the report's path, every reason."""
    return {
        "exit_status": finished.exit_status,
        "counts": asdict(finished.counts),
        **rows_and_cases(finished.counts),
        "created_now": finished.counts.created_now,
        "updated_now": finished.counts.updated_now,
        "calls": finished.result.calls,
        "contacts": asdict(finished.result.contacts),
        "run": finished.result.run,
        **({"rehearsal": True} if finished.result.rehearsal else {}),
        "report": finished.report and str(finished.report),
        "next": finished.next_step,
        "steps": [step.sentence for step in finished.steps],
        "reasons": [{"status": status, **issue_values(issue)} for status, issue in finished.reasons()],
        "changes": changes_values(finished.plan),
        "notes": list(finished.notes),
        "corrections": corrections_values(finished.plan.corrections),
    }


def rows_and_cases(counts: Counts) -> dict[str, int]:
    """Return how many rows there are, how many cases they are or would be, and how many rows are in these."""
    return {"rows": counts.rows, "cases": counts.cases, "case_rows": counts.case_rows}


def print_json(command: str | None, values: dict[str, object]) -> None:
    """Print the one JSON object of a command."""
    click.echo(json_text({"command": command, **values}, ascii_only=asked_encoding() != "utf-8"))


def json_text(value: object, *, ascii_only: bool = False) -> str:
    r"""Return a value as JSON for people and programs; what a terminal could obey is written as `\uXXXX`.

    With `ascii_only` so is every letter that the encoding of the output may lack.
    """
    return escaped(
        json.dumps(value, ensure_ascii=ascii_only, indent=2, default=str), lambda sign: json.dumps(sign)[1:-1]
    )


def named_contacts(contacts: Sequence[ListedContact], *, rows: bool = False) -> str:
    """Return the addresses of the first contacts, with their rows if wanted."""
    shown = [f"{one.address} ({first_rows(one.rows)})" if rows else one.address for one in contacts[:_MOST_CONTACTS]]
    return ", ".join([*shown, *["…"] * (len(contacts) > _MOST_CONTACTS)])


def first_rows(rows: Sequence[int]) -> str:
    """Return the first of some rows."""
    return ", ".join(map(str, rows[:_MOST_ROWS])) + (", …" if len(rows) > _MOST_ROWS else "")
