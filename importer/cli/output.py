"""Results as a person reads them, and as one JSON object for a program."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, TextIO

import click

from importer.messages import _, ngettext
from importer.model import Counts, Issue
from importer.text import escaped

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from importer.workflow.outcome import Finished


# MERGED importer.cli.output: Output that is UTF-8 wherever it goes, and that ends no run where nobody reads it any more.


class _LastingFile(io.FileIO):
    """A file that takes what cannot be written, too, and remembers why that could not be."""

    failure: OSError | None = None

    def write(self, data: ReadableBuffer, /) -> int:
        """Write as far as that is possible."""
        try:
            return super().write(data)
        except OSError as error:
            self.failure = error
            return memoryview(data).nbytes


class Output:
    """Standard output or standard error.

    `text` is what to write to, None where the shell closed it (`>&-`). With `by_line` each line goes out at once, for
    somebody who reads it while it happens.
    """

    def __init__(self, stream: TextIO | None, *, by_line: bool = False) -> None:
        self.text, self._file = stream, None
        if isinstance(stream, io.TextIOWrapper) and stream.isatty():
            stream.reconfigure(encoding="utf-8", errors="replace")
        elif stream is not None:
            self._file = _LastingFile(stream.fileno(), "wb", closefd=False)
            raw = io.BufferedWriter(self._file)
            self.text = io.TextIOWrapper(raw, encoding="utf-8", errors="replace", line_buffering=by_line)

    def failure(self) -> str | None:
        """Return why the output is not whole, such as a full disk; that its reader went away (`| head`) is no fault."""
        if self.text is not None:
            self.text.flush()
        error = self._file.failure if self._file else None
        return None if error is None or isinstance(error, BrokenPipeError) else str(error.strerror or error)


# MERGED importer.cli.output: Results as a person reads them, and as one JSON object for a program.

_SHOWN_ISSUES = 200
_SHOWN_ROWS = 5


@dataclass(frozen=True, slots=True)
class Group:
    """Issues that one correction mends: how often, where first, the first of them, and what can be said of all."""

    count: int
    rows: tuple[int, ...]
    issue: Issue
    told: str


def grouped(issues: Iterable[Issue]) -> list[Group]:
    """Return the issues by code, column and value, the most frequent first."""
    found: dict[tuple[str, str | None, str | None], list[Issue]] = {}
    for issue in issues:
        found.setdefault((issue.code, issue.column, issue.value), []).append(issue)
    return sorted(map(_group, found.values()), key=lambda group: -group.count)


def _group(issues: list[Issue]) -> Group:
    first, rows = issues[0], tuple(issue.row for issue in issues[:_SHOWN_ROWS] if issue.row)
    told = first.message
    if any(issue.message != told for issue in issues):  # each row's sentence names other rows
        numbers = ", ".join(map(str, rows)) + ("…" if len(issues) > len(rows) else "")
        told = _("{column} '{value}' in rows {numbers}", column=first.column, value=first.value, numbers=numbers)
    return Group(len(issues), rows, first, told)


def print_issues(issues: list[Issue]) -> None:
    """Print issues by row, then grouped with what would mend them."""
    for issue in issues[:_SHOWN_ISSUES]:
        row = None if issue.row is None else _("row {row}", row=issue.row)
        place = ", ".join(filter(None, [row, issue.column]))
        click.echo(_("{place}: {message}. {remedy}", place=place, message=issue.message, remedy=whole(issue.remedy)))
    if len(issues) > _SHOWN_ISSUES:
        click.echo(_("… and {count} more; --json lists all of them.", count=len(issues) - _SHOWN_ISSUES))
    groups = [group for group in grouped(issues) if group.count > 1]
    if groups:
        click.echo("\n" + _("What would mend several rows at once:"))
    for group in groups:
        rows = ngettext("{count} row", "{count} rows", group.count)
        click.echo(_("  {rows}: {told}. {remedy}", rows=rows, told=group.told, remedy=whole(group.issue.remedy)))


def whole(sentence: str) -> str:
    """Return a remedy as a sentence of its own: with a capital, and an end."""
    text = sentence[:1].upper() + sentence[1:]
    return text if text.endswith((".", "?", "!", "…")) else f"{text}."


def counts_line(counts: Counts) -> str:
    """Return the counts that are not zero, on one line."""
    shown = [f"{name} {number}" for name, number in asdict(counts).items() if number and name != "created_now"]
    told = ", ".join(shown) or _("none")
    return ngettext("{count} row: {counts}", "{count} rows: {counts}", counts.rows, counts=told)


def print_finished(finished: Finished) -> None:
    """Print how a run or a report ended."""
    click.echo(counts_line(finished.counts))
    if finished.result.run is not None:
        click.echo(
            _(
                "Created in this run: {count}; calls made: {calls}",
                count=finished.counts.created_now,
                calls=finished.result.calls,
            )
        )
    for note in finished.notes:
        click.echo(_("Note: {note}", note=note))
    if finished.report is not None:
        click.echo(_("Report: {path}", path=finished.report))
    click.echo(_("Next: {step}", step=finished.next_step))


def print_json(command: str | None, values: dict[str, object]) -> None:
    """Print the one JSON object of a command."""
    click.echo(json_text({"command": command, **values}))


def json_text(value: object) -> str:
    r"""Return a value as JSON for people and programs: what a terminal could obey is written as `\uXXXX`.

    A program reads the same values from it.
    """
    return escaped(json.dumps(value, ensure_ascii=False, indent=2, default=str), lambda sign: json.dumps(sign)[1:-1])


def finished_json(finished: Finished) -> dict[str, object]:
    """Return how a run or a report ended: counts per state, calls made, the report's path, every reason."""
    return {
        "exit_status": finished.exit_status,
        "counts": asdict(finished.counts),
        "rows": finished.counts.rows,
        "created_now": finished.counts.created_now,
        "calls": finished.result.calls,
        "run": finished.result.run,
        "report": finished.report and str(finished.report),
        "next": finished.next_step,
        "reasons": [{"status": status, **asdict(issue)} for status, issue in finished.reasons()],
        "notes": list(finished.notes),
    }
