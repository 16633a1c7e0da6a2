"""The user interface of a run as a terminal: questions, the forecast, and progress.

Everything goes to standard error, so that standard output is the result alone.
"""

from __future__ import annotations

import math
import sys
import threading
import time
from collections import Counter
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Never

import click
from tqdm import tqdm

from importer.cli.language import confirm
from importer.cli.summary import summary
from importer.cli.values import Count
from importer.commands import same_command
from importer.errors import UsageError
from importer.messages import _, ngettext
from importer.model import Outcome, Verdict
from importer.model.edits import UpdateState
from importer.names import counted
from importer.system.stopping import Stop

if TYPE_CHECKING:
    from importer.mapping import CaseMapping
    from importer.questions import Answer, Question
    from importer.settings import Connection
    from importer.workflow.forecast.forecast import Forecast
    from importer.workflow.job import Job, LoadedJob

_SECONDS_BETWEEN_LINES = 10.0
"""How often progress is shown where there is no terminal to draw a bar on."""


_OF_UPDATES = {Verdict.CREATED: UpdateState.UPDATED, Verdict.REJECTED: UpdateState.REFUSED}
"""What the outcomes of updates are called."""


def is_interactive() -> bool:
    """Tell whether a person can be asked: one who types, and sees the question."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


class Terminal:
    """A terminal with a person at it, or standard error alone where no person can be asked.

    `told` are the notes that the forecast has shown; the end of the run does not say them again.
    """

    agrees_to = None

    def __init__(self, *, yes: bool = False) -> None:
        self._yes, self.stop_request = yes, Stop()
        self._lock = threading.Lock()
        self._bar: tqdm[Never] | None = None
        self._contacts: tqdm[Never] | None = None
        self._counts: Counter[str] = Counter()
        self._total = 0
        self._shown_at = 0.0
        self.told: frozenset[str] = frozenset()

    @property
    def is_interactive(self) -> bool:
        """Whether a person can be asked."""
        return is_interactive()

    @property
    def agrees_to_forecast(self) -> bool:
        """Whether --yes was given."""
        return self._yes

    def answer(self, question: Question) -> Answer | None:
        """Ask for yes or no, or for one of several answers by its number; return None if the person declines."""
        if len(question.answers) == 1:
            return question.answers[0] if confirm(question.sentence) else None
        click.echo(question.sentence, err=True)
        for number, answer in enumerate(question.answers, 1):
            click.echo(f"  {number}  {answer.meaning}", err=True)
        waits = question.scope == "rows"
        click.echo(_("  0  Not now; these rows wait") if waits else _("  0  Stop; send nothing"), err=True)
        numbers = Count(0, len(question.answers))
        number = click.prompt(_("Which of these"), type=numbers, default=0, err=True)
        return question.answers[number - 1] if number else None

    def show(self, sentence: str) -> None:
        """Show a sentence."""
        click.echo(sentence, err=True)

    def confirm(self, forecast: Forecast) -> None:
        """Show what is about to happen and ask for leave, unless --yes was given."""
        click.echo(summary(forecast), err=True)
        self.told = frozenset(forecast.plan.notes)
        if self._yes:
            return
        if not is_interactive():
            raise UsageError(
                _(
                    "Cannot ask: no terminal. Nothing was sent. `{command}` sends without asking.",
                    command=same_command("--yes"),
                )
            )
        if not confirm(_question(forecast)):
            raise UsageError(_("Stopped; nothing was sent."))

    def sending(self, total: int) -> None:
        """Begin to show progress."""
        self._total, self._shown_at = total, time.monotonic()
        if sys.stderr is not None and sys.stderr.isatty():
            self._bar = tqdm(total=total, unit=_("row"), file=sys.stderr, dynamic_ncols=True, smoothing=0.05)

    def sent(self, outcome: Outcome) -> None:
        """Show one more outcome; called from several threads."""
        self._show(outcome, outcome.verdict)

    def _show(self, outcome: Outcome, name: str) -> None:
        with self._lock:
            self._counts[name] += 1
            if self._bar is not None:
                if outcome.verdict is not Verdict.NOT_DELIVERED:
                    self._bar.update()
                self._bar.set_postfix_str(self._counts_text(), refresh=False)
            elif time.monotonic() - self._shown_at >= _SECONDS_BETWEEN_LINES:
                self._shown_at = time.monotonic()
                click.echo(self._progress(), err=True)

    def updating(self, total: int) -> None:
        """Begin to show the progress of updates."""
        self._counts.clear()
        self.sending(total)

    def updated(self, outcome: Outcome) -> None:
        """Show one more outcome of an update; called from several threads."""
        self._show(outcome, _OF_UPDATES.get(outcome.verdict, outcome.verdict))

    def asking(self, total: int) -> None:
        """Begin to show for how many contacts the CRM was asked, where there is a bar for it."""
        if sys.stderr is not None and sys.stderr.isatty():
            self._contacts = tqdm(total=total, unit=_("contact"), file=sys.stderr, dynamic_ncols=True, leave=False)

    def asked(self) -> None:
        """Show one more contact; a run shows its rows instead."""
        with self._lock:
            if self._contacts is not None:
                self._contacts.update()
                if self._contacts.n == self._contacts.total:
                    self._contacts.close()

    def stopping(self, in_flight: int) -> None:
        """Say which answers the run still waits for, and what a second Ctrl-C would do."""
        sentence = ngettext(
            "Stopping: waiting for the answer to {count} case. Press Ctrl-C again to give it up; its outcome is then"
            " unknown.",
            "Stopping: waiting for the answers to {count} cases. Press Ctrl-C again to give them up; their outcome is"
            " then unknown.",
            in_flight,
        )
        _write(sentence, self._bar)

    def waiting(self, until: datetime) -> None:
        """Say that nothing is sent until the quota resets."""
        _write(_("The quota is used up; waiting until {until:%Y-%m-%d %H:%M}.", until=until), self._bar)

    def done(self) -> None:
        """End the progress."""
        with self._lock:
            if self._bar is not None:
                self._bar.close()
            else:
                click.echo(self._progress(), err=True)

    def _progress(self) -> str:
        tried = sum(count for verdict, count in self._counts.items() if verdict != Verdict.NOT_DELIVERED)
        return ngettext(
            "{tried} of {count} row: {counts}",
            "{tried} of {count} rows: {counts}",
            self._total,
            tried=tried,
            counts=self._counts_text(),
        )

    def _counts_text(self) -> str:
        return counted(sorted(self._counts.items()))


def _question(forecast: Forecast) -> str:
    """Return the question with which a person agrees to a forecast."""
    cases, updates = forecast.rows_to_send, forecast.updates_to_send
    if not updates:
        return ngettext("Send {count} case?", "Send {count} cases?", cases)
    if not cases:
        return ngettext("Update {count} case?", "Update {count} cases?", updates)
    return ngettext(
        "Send {count} case, and update {updates}?", "Send {count} cases, and update {updates}?", cases, updates=updates
    )


def _write(sentence: str, bar: tqdm[Never] | None) -> None:
    """Show a sentence above the bar; nowhere, where the program was started without standard error.

    Without a bar tqdm is left alone: it would make its lock only now, and fail where a second Ctrl-C interrupts that.
    """
    if bar is None:
        click.echo(sentence, err=True)
    elif sys.stderr is not None:
        tqdm.write(sentence, file=sys.stderr)


def wait_until(until: datetime, rows: int) -> None:
    """Wait for doubtful rows, and show how long that takes; Ctrl-C ends it."""
    sentence = ngettext(
        "Waiting until {until:%H:%M:%S} to search the CRM for {count} row. Ctrl-C ends the wait; nothing is lost.",
        "Waiting until {until:%H:%M:%S} to search the CRM for {count} rows. Ctrl-C ends the wait; nothing is lost.",
        rows,
        until=until,
    )
    click.echo(sentence, err=True)
    seconds = math.ceil((until - datetime.now(until.tzinfo)).total_seconds())
    shown = sys.stderr is not None and sys.stderr.isatty()
    with tqdm(total=max(seconds, 0), unit="s", file=sys.stderr, dynamic_ncols=True, disable=not shown) as bar:
        while (left := (until - datetime.now(until.tzinfo)).total_seconds()) > 0:
            bar.update(max(0, seconds - math.ceil(left) - bar.n))
            time.sleep(min(left, 0.5))


def load_allowed_job(job: Job) -> LoadedJob:
    """Load a job and ask for leave to read the folders that its mapping names; raises where that is not given."""
    from importer.workflow.job import load_job  # noqa: PLC0415

    loaded = load_job(job)
    return replace(loaded, job=ask_for_folders(loaded.job, loaded.case_mapping))


def ask_for_folders(job: Job, case_mapping: CaseMapping) -> Job:
    """Return the job with the folders that the user allows; raises where they do not allow one that it needs."""
    from importer.workflow import guards  # noqa: PLC0415

    return guards.ask_for_folders(job, case_mapping, Terminal())


def ask_for_server(connection: Connection, from_mapping: Connection) -> Connection:
    """Return the connection once the user agrees to its server and operation; raises where they do not."""
    from importer.workflow import guards  # noqa: PLC0415

    return guards.ask_for_server(connection, from_mapping, Terminal())
