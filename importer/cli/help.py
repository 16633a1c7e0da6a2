"""The help of a command: the options that people use, the others under headings, and the exit statuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import click

from importer.commands import note_values
from importer.messages import _, gettext_noop, translated

_OPTIONS = gettext_noop("Options")
_QUESTIONS = gettext_noop("Questions to the CRM")

HEADINGS: dict[str, tuple[str, ...]] = {
    gettext_noop("Decide by hand"): (
        *("--by-hand", "--created", "--instead-of", "--not-created", "--despite", "--deleted", "--exists", "--from"),
    ),
    _QUESTIONS: ("--ask", "--source", "--row", "--report"),
    gettext_noop("Connection"): ("--rehearse", "--token-env", "--proxy", "--ca-file"),
    gettext_noop("Pace"): ("--concurrency", "--rate", "--until", "--keep-quota", "--wait-for-quota"),
    gettext_noop("Scheduled runs"): ("--fail-on", "--notify"),
    gettext_noop("Questions, answered in advance"): (
        *("--trust-server", "--allow-folder", "--first-run", "--same-as", "--new-import", "--same-tickets"),
        *("--moved-here", "--nothing-was-sent"),
    ),
    gettext_noop("Report"): ("--html", "--share", "--write-back", "--lang"),
    gettext_noop("Journal, log and repair"): (
        *(
            "--journal",
            "--log-file",
            "--log-size",
            "--log-keep",
            "--quiet-period",
            "--look-first",
            "--spot-check",
            "--retry-rejected",
        ),
        *("--accept-changes", "--retention"),
    ),
}
"""Where the help of a command with many options lists those that few people need; the others come first."""

_MANY = 12
"""Options from which on they are listed under headings."""

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
Rows = list[tuple[str, str]]


def all_of(*decorators: Callable[[Decorated], Decorated]) -> Callable[[Decorated], Decorated]:
    """Apply decorators so that the help lists their options in this order."""

    def decorate(command: Decorated) -> Decorated:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


class Command(click.Command):
    """A command with many options, whose help shows the common ones first and explains its exit statuses."""

    def __init__(self, *args: Any, exit_statuses: Mapping[int, str] | None = None, **attributes: Any) -> None:  # noqa: ANN401 - click's
        super().__init__(*args, **attributes)
        self.exit_statuses = exit_statuses or {}

    def invoke(self, ctx: click.Context) -> object:
        """Carry the command out; sentences may show other commands on the same files."""
        note_values(ctx.params)
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in sections whose columns are aligned."""
        sections = self._sections(ctx)
        width = max(len(term) for rows in sections.values() for term, _text in rows)
        for heading, rows in sections.items():
            _write(formatter, translated(heading), ((term.ljust(width), text) for term, text in rows))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what each exit status means."""
        if self.exit_statuses:
            _write(
                formatter,
                _("Exit status"),
                ((str(status), translated(text)) for status, text in self.exit_statuses.items()),
            )
        super().format_epilog(ctx, formatter)

    def _sections(self, ctx: click.Context) -> dict[str, Rows]:
        """Return what the help says of each option, by its heading; headings without options are left out."""
        options = [param for param in self.get_params(ctx) if isinstance(param, click.Option)]
        headings = dict(HEADINGS) if len(options) >= _MANY else {}
        if not any("--ask" in option.opts for option in options):
            headings.pop(_QUESTIONS, None)  # --row is of another kind elsewhere
        sections: dict[str, Rows] = {_OPTIONS: [], **{heading: [] for heading in headings}}
        for option in options:
            if record := option.get_help_record(ctx):
                sections[_heading(option, headings)].append(record)
        return {heading: rows for heading, rows in sections.items() if rows}


def _heading(option: click.Option, headings: Mapping[str, tuple[str, ...]]) -> str:
    found = (heading for heading, names in headings.items() if any(name in names for name in option.opts))
    return next(found, _OPTIONS)


def _write(formatter: click.HelpFormatter, heading: str, rows: Iterable[tuple[str, str]]) -> None:
    with formatter.section(heading):
        formatter.write_dl(list(rows))
