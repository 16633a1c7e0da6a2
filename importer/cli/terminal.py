"""The desk as a terminal: questions, a summary before sending, and progress."""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Never

import click
from tqdm import tqdm

from importer.errors import UsageError
from importer.messages import _, ngettext
from importer.model import Outcome, Verdict

if TYPE_CHECKING:
    from importer.questions import Answer, Question
    from importer.workflow.forecast import Forecast

_PLAIN_EVERY = 10.0
"""Seconds between two lines of progress where there is no terminal to draw a bar on."""


def someone_is_there() -> bool:
    """Tell whether a person can be asked: who types, and sees the question."""
    return all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stderr))


class Terminal:
    """A person at a terminal, or nobody at all; everything goes to stderr, so that stdout is the result alone."""

    def __init__(self, *, yes: bool = False) -> None:
        self._yes = yes
        self._lock = threading.Lock()
        self._bar: tqdm[Never] | None = None
        self._counts: Counter[Verdict] = Counter()
        self._total = 0
        self._said_at = 0.0

    @property
    def is_interactive(self) -> bool:
        """Whether there is a person who types, and sees the question."""
        return someone_is_there()

    @property
    def agrees_to_forecast(self) -> bool:
        """Whether --yes was given."""
        return self._yes

    def answer(self, question: Question) -> Answer | None:
        """Ask for yes or no, or for one of several answers by its number; None where the person declines."""
        if len(question.answers) == 1:
            return question.answers[0] if click.confirm(question.sentence, err=True) else None
        click.echo(question.sentence, err=True)
        for number, answer in enumerate(question.answers, 1):
            click.echo(f"  {number}  {answer.meaning}", err=True)
        click.echo(_("  0  Stop; send nothing"), err=True)
        chosen = click.IntRange(0, len(question.answers))
        number = click.prompt(_("Which of these"), type=chosen, default=0, err=True)
        return question.answers[number - 1] if number else None

    def show(self, sentence: str) -> None:
        """Show a sentence."""
        click.echo(sentence, err=True)

    def confirm(self, forecast: Forecast) -> None:
        """Show what is about to happen and ask, unless --yes was given."""
        click.echo(summary(forecast), err=True)
        if self._yes:
            return
        if not someone_is_there():
            raise UsageError(_("Cannot ask: no terminal. Nothing was sent. Give --yes to send without asking."))
        question = ngettext("Send {count} case?", "Send {count} cases?", forecast.rows_to_send)
        if not click.confirm(question, err=True):
            raise UsageError(_("Stopped; nothing was sent."))

    def sending(self, total: int) -> None:
        """Begin to show progress."""
        self._total, self._said_at = total, time.monotonic()
        if sys.stderr is not None and sys.stderr.isatty():
            self._bar = tqdm(total=total, unit=_("row"), file=sys.stderr, dynamic_ncols=True, smoothing=0.05)

    def sent(self, outcome: Outcome) -> None:
        """Show one more outcome."""
        with self._lock:
            self._counts[outcome.verdict] += 1
            if self._bar is not None:
                if outcome.verdict is not Verdict.NOT_DELIVERED:
                    self._bar.update()
                self._bar.set_postfix_str(self._so_far(), refresh=False)
            elif time.monotonic() - self._said_at >= _PLAIN_EVERY:
                self._said_at = time.monotonic()
                click.echo(self._plain(), err=True)

    def stopping(self, in_flight: int) -> None:
        """Say what is still waited for, and what a second Ctrl-C would do."""
        sentence = ngettext(
            "Stopping: {count} case is on its way and gets its answer. Ctrl-C once more gives it up: it is then"
            " unknown.",
            "Stopping: {count} cases are on their way and get their answers. Ctrl-C once more gives them up: they are"
            " then unknown.",
            in_flight,
        )
        tqdm.write(sentence, file=sys.stderr)

    def waiting(self, until: datetime) -> None:
        """Say that nothing is sent until the quota is counted anew."""
        tqdm.write(_("The quota is used up; waiting until {until:%Y-%m-%d %H:%M}.", until=until), file=sys.stderr)

    def done(self) -> None:
        """End the progress."""
        with self._lock:
            if self._bar is not None:
                self._bar.close()
            else:
                click.echo(self._plain(), err=True)

    def _plain(self) -> str:
        tried = sum(count for verdict, count in self._counts.items() if verdict is not Verdict.NOT_DELIVERED)
        return _("{tried} of {total} rows: {counts}", tried=tried, total=self._total, counts=self._so_far())

    def _so_far(self) -> str:
        return ", ".join(f"{verdict.value} {count}" for verdict, count in sorted(self._counts.items())) or _("none")


def summary(forecast: Forecast) -> str:
    """Return what a run is about to do, in a few lines."""
    counts = forecast.counts
    lines = [
        _(
            "{path}: {rows} rows, import {name}",
            path=forecast.plan.table.path,
            rows=counts.rows,
            name=forecast.plan.scope.import_name,
        ),
        _("  to      {server}, operation {operation}", server=forecast.server, operation=forecast.plan.scope.operation),
        *_chosen(forecast),
        ngettext("  send    {count} row, one case", "  send    {count} rows, one case each", forecast.rows_to_send),
        *_effects(forecast),
        *_not_sent(forecast),
    ]
    if forecast.attachments:
        size = size_text(forecast.attachment_bytes)
        lines.append(
            ngettext(
                "  with    {count} attachment, {size}",
                "  with    {count} attachments, {size}",
                forecast.attachments,
                size=size,
            )
        )
    lines += _quota(forecast)
    lines += [_("  note    {note}", note=note) for note in forecast.plan.notes]
    return "\n".join(lines)


def _effects(forecast: Forecast) -> Iterator[str]:
    """Yield what the cases may set off in the CRM, which nothing undoes."""
    if not forecast.rows_to_send:
        return
    yield ngettext(
        "  open    {count} of them has an open status: such a case may start its time limit (SLA) and write to its"
        " contact",
        "  open    {count} of them have an open status: such a case may start its time limit (SLA) and write to its"
        " contact",
        forecast.open_cases,
    )
    if forecast.open_cases:
        yield _("          (switch these notifications off first where old tickets are moved)")
    yield _("  undo    not possible: no documented call deletes a case")


def _not_sent(forecast: Forecast) -> Iterator[str]:
    """Yield which rows are not sent, so that the lines add up to all of them."""
    counts = forecast.counts
    yield _(
        "  not     {invalid} invalid, {skipped} skipped, {created} already created",
        invalid=counts.invalid,
        skipped=counts.skipped,
        created=counts.created,
    )
    if counts.rejected:
        yield ngettext(
            "          {count} rejected by the CRM and not changed since (--retry-rejected sends it again)",
            "          {count} rejected by the CRM and not changed since (--retry-rejected sends them again)",
            counts.rejected,
        )
    if later := counts.planned - forecast.rows_to_send - forecast.waiting:
        yield ngettext("  later   {count} row", "  later   {count} rows", later)
    if forecast.waiting:
        yield ngettext(
            "  waiting {count} row, for an answer to an open question",
            "  waiting {count} rows, for an answer to an open question",
            forecast.waiting,
        )
    if doubtful := counts.unknown + counts.conflict + counts.sending:
        yield ngettext(
            "  doubt   {count} row may or may not be a case; it is not sent",
            "  doubt   {count} rows may or may not be cases; they are not sent",
            doubtful,
        )


def _chosen(forecast: Forecast) -> Iterator[str]:
    """Yield by which states the rows were chosen, if they were."""
    if only := forecast.plan.only:
        yield _("  only    rows that are or were {states}", states=_(" or ").join(only))


def _quota(forecast: Forecast) -> Iterator[str]:
    """Yield what the run means for the token's daily calls."""
    if forecast.searches:
        yield _("  search  {count} calls to look for the rows first", count=forecast.searches)
    if forecast.spot_check:
        yield ngettext(
            "  check   {count} row is looked for in the CRM first: another computer may have sent it",
            "  check   {count} rows are looked for in the CRM first: another computer may have sent them",
            len(forecast.spot_check),
        )
    if forecast.quota is None or forecast.quota.left is None:
        return
    yield ngettext(
        "  quota   {count} call needed, {left} left today",
        "  quota   {count} calls needed, {left} left today",
        forecast.calls,
        left=forecast.quota.left,
    )
    if forecast.days is not None and forecast.days > 1:
        last = forecast.asked_at + timedelta(days=forecast.days - 1)
        yield _("          that takes {days} days, until {last:%Y-%m-%d}", days=forecast.days, last=last)


def size_text(size: int) -> str:
    """Return a number of bytes as a person reads it."""
    if size < 1000:
        return ngettext("{count} byte", "{count} bytes", size)
    for unit, bytes_of_it in (("GB", 1e9), ("MB", 1e6)):
        if size >= bytes_of_it:
            return f"{size / bytes_of_it:.1f} {unit}"
    return f"{size / 1e3:.1f} kB"
