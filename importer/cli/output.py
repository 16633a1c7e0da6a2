"""Standard output and standard error: streams that survive every error, results as text and as one JSON object."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, TextIO

import click

from importer.messages import _, ngettext
from importer.model import Counts, Issue
from importer.text import escaped
from importer.workflow.corrections import suggest_corrections

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from importer.workflow.next_steps import Step
    from importer.workflow.outcome import Finished

_MOST_ISSUES = 200


class Output:
    """Standard output or standard error, in UTF-8 wherever it goes.

    `text` is the stream to write to, None where the shell closed it (`>&-`). With `by_line` each line goes out at once,
    for a person who reads it while it happens. No run ends because its output cannot be written.
    """

    def __init__(self, stream: TextIO | None, *, by_line: bool = False) -> None:
        self.text, self._file = stream, None
        if isinstance(stream, io.TextIOWrapper) and stream.isatty():
            stream.reconfigure(encoding="utf-8", errors="replace")
        elif stream is not None:
            self._file = _TolerantFile(stream.fileno(), "wb", closefd=False)
            raw = io.BufferedWriter(self._file)
            self.text = io.TextIOWrapper(raw, encoding="utf-8", errors="replace", line_buffering=by_line)

    def failure(self) -> str | None:
        """Return why the output is incomplete, such as a full disk; that its reader left (`| head`) is no failure."""
        if self.text is not None:
            self.text.flush()
        error = self._file.failure if self._file else None
        return None if error is None or isinstance(error, BrokenPipeError) else str(error.strerror or error)


class _TolerantFile(io.FileIO):
    """A file that also accepts what it cannot write, and remembers why it could not."""

    failure: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        """Write if possible."""
        try:
            return super().write(data)
        except OSError as error:
            self.failure = error
            return memoryview(data).nbytes


def print_issues(issues: list[Issue]) -> None:
    """Print issues by row, then those that one fix resolves together."""
    for issue in issues[:_MOST_ISSUES]:
        click.echo(issue_text(issue))
    if len(issues) > _MOST_ISSUES:
        click.echo(_("… and {count} more; --json lists all of them.", count=len(issues) - _MOST_ISSUES))
    corrections = [correction for correction in suggest_corrections(issues) if correction.count > 1]
    if corrections:
        click.echo("\n" + _("Fixes that resolve several rows:"))
    for correction in corrections:
        line = ngettext(
            "  {count} row: {message}. {remedy}",
            "  {count} rows: {message}. {remedy}",
            correction.count,
            message=correction.message,
            remedy=as_sentence(correction.issue.remedy),
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


def as_sentence(text: str) -> str:
    """Return a remedy as a sentence of its own: with a capital, and an end."""
    capital = text[:1].upper() + text[1:]
    return capital if capital.endswith((".", "?", "!", "…")) else f"{capital}."


def counts_line(counts: Counts) -> str:
    """Return the counts that are not zero, on one line; on another, what a customer would count, if that differs."""
    from importer.report import made_of  # noqa: PLC0415 - slow to import, and help does not need it

    apart = {"created_now", "created_parts"}
    parts = [f"{name} {number}" for name, number in asdict(counts).items() if number and name not in apart]
    text = ", ".join(parts) or _("none")
    line = ngettext("{count} row: {counts}", "{count} rows: {counts}", counts.rows, counts=text)
    return "\n".join([line, "; ".join(made_of(counts))]) if counts.part else line


def print_finished(finished: Finished) -> None:
    """Print how a run or a report ended."""
    click.echo(counts_line(finished.counts))
    if finished.result.run is not None:
        click.echo(
            _(
                "Created in this run: {count}; calls to the CRM: {calls}",
                count=finished.counts.created_now,
                calls=finished.result.calls,
            )
        )
    for note in finished.notes:
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
        "calls": finished.result.calls,
        "run": finished.result.run,
        "report": finished.report and str(finished.report),
        "next": finished.next_step,
        "steps": [step.sentence for step in finished.steps],
        "reasons": [{"status": status, **issue_values(issue)} for status, issue in finished.reasons()],
        "notes": list(finished.notes),
    }


def rows_and_cases(counts: Counts) -> dict[str, int]:
    """Return how many rows there are, how many cases they are or would be, and how many rows are in these."""
    return {"rows": counts.rows, "cases": counts.cases, "case_rows": counts.case_rows}


def print_json(command: str | None, values: dict[str, object]) -> None:
    """Print the one JSON object of a command."""
    click.echo(json_text({"command": command, **values}))


def json_text(value: object) -> str:
    r"""Return a value as JSON for people and programs; what a terminal could obey is written as `\uXXXX`."""
    return escaped(json.dumps(value, ensure_ascii=False, indent=2, default=str), lambda sign: json.dumps(sign)[1:-1])
