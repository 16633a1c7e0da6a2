"""The queue of a journal on the terminal: what is queued, and who works on what."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import PurePath
from typing import TYPE_CHECKING

import click

from importer.cli.output import print_json
from importer.messages import _
from importer.text import clean

if TYPE_CHECKING:
    from importer.journal import ImportHolder, MachineAtWork, QueuedImport, QueueWatch
    from importer.journal_place import Place

_BETWEEN = 2.0
"""Seconds between two looks."""

_MOST = 20
"""Imports that are shown, the newest first."""


def watch_queue_of(place: Place, *, as_json: bool) -> int:
    """Show the queue again each time that it changes, until Ctrl-C; once where nobody looks at a terminal."""
    from importer.journal import watch_queue  # noqa: PLC0415 - slow to import

    if as_json:
        print_json("history", asdict(watch_queue(place)))
        return 0
    shown: list[str] = []
    try:
        while True:
            lines = list(_lines(watch_queue(place)))
            if lines != shown:
                click.echo("\n".join([*([""] if shown else []), *map(clean, lines)]))
                shown = lines
            if sys.stdout is None or not sys.stdout.isatty():
                return 0
            time.sleep(_BETWEEN)
    except KeyboardInterrupt:
        return 0


def _lines(queue: QueueWatch) -> Iterator[str]:
    """Yield a line for each import, and below it one for each worker, and for each machine that cannot work on it."""
    if not queue.imports:
        yield _("The queue is empty.")
    held = {holder.queued_id: holder for holder in queue.holders}
    for queued in queue.imports[:_MOST]:
        yield _line(queued, is_held=queued.id in held)
        if queued.state == "waiting" and queued.submission.expect_by is not None:
            yield _("    expected to begin by {time} (--expect-by)", time=queued.submission.expect_by)
        if queued.id in held:
            yield _holder(held[queued.id], queued)
        yield from (_worker(machine) for machine in queue.machines if machine.queued_id == queued.id)
        for machine, sentence in queued.refusals.items():
            yield _("    not on {machine}: {reason}", machine=machine.rpartition(" ")[0] or machine, reason=sentence)


def _line(queued: QueuedImport, *, is_held: bool) -> str:
    source, run = PurePath(queued.submission.source).name, queued.run_id
    if queued.state == "sending":
        return _("import {number}  {source}  run {run}: being sent", number=queued.id, source=source, run=run)
    if is_held and queued.state == "waiting":
        return _("import {number}  {source}  is being begun", number=queued.id, source=source)
    if queued.state == "waiting" and queued.not_before is not None:
        return _(
            "import {number}  {source}  begins at {when:%Y-%m-%d %H:%M}",
            number=queued.id,
            source=source,
            when=queued.not_before,
        )
    if queued.state == "waiting":
        return _("import {number}  {source}  waits for a machine", number=queued.id, source=source)
    return _(
        "import {number}  {source}  ended with exit {status}{reason}",
        number=queued.id,
        source=source,
        status="-" if queued.exit_status is None else queued.exit_status,
        reason=f": {queued.message}" if queued.message else "",
    )


def _holder(holder: ImportHolder, queued: QueuedImport) -> str:
    who: dict[str, object] = {"name": holder.name, "computer": holder.computer, "since": holder.since}
    if queued.state == "waiting":
        return _("    {name} on {computer}: reads the sheet and asks the CRM, since {since:%H:%M}", **who)
    return _("    {name} on {computer}: ends the run and writes the report, since {since:%H:%M}", **who)


def _worker(machine: MachineAtWork) -> str:
    return _(
        "    {name} on {computer}: share {share}, {tried} of {rows} rows",
        name=machine.name,
        computer=machine.computer,
        share=machine.share,
        tried=machine.tried,
        rows=machine.rows,
    )
