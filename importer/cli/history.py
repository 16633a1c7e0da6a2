"""`case-importer history`: the runs in the journal, and what one of them changed; sends nothing."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import click

from importer.cli import options
from importer.cli.help import Command
from importer.cli.logs import set_up
from importer.cli.output import counts_line, print_json
from importer.cli.queue_shown import watch_queue_of
from importer.cli.values import Count, TimeOfDay
from importer.errors import UsageError
from importer.journal_place import may_be_there
from importer.messages import _, gettext_noop, ngettext
from importer.names import code_name, state_name
from importer.system.causes import reason_of
from importer.text import clean

if TYPE_CHECKING:
    from importer.journal import Journal, RowChange, RunRecord
    from importer.journal_place import Place

_MOST_ROWS = 100
_OF_ONE_RUN = ("created_now", "updated_now", "to_update")
_CSV_COLUMNS = ("row", "key", "wolkvox_id", "idPrefijo", "link", "status", "sent_at", "reference", "report")


@click.command(
    "history",
    cls=Command,
    exit_statuses={
        0: gettext_noop("the runs were listed"),
        1: gettext_noop("with --expect: no run has started since that time"),
        2: gettext_noop("the command is at fault, or there is no such journal or run"),
    },
    help=gettext_noop(
        "List the runs in the journal, newest first, or show one run and what it changed. Sends nothing.\n\n"
        "RUN is compared with the run of the same import before it: counts per state, and the rows, by their"
        " references, that it sent or that were settled since."
    ),
)
@click.argument("number", metavar="[RUN]", type=Count(1), required=False)
@click.option(
    "--csv",
    "csv_path",
    is_flag=False,
    flag_value="-",
    metavar="FILE",
    help=gettext_noop(
        "With RUN: write the rows that it sent as CSV, to FILE or to the output: row, key, ids, link, report."
    ),
)
@click.option(
    "--expect",
    metavar="NAME",
    help=gettext_noop("With --since: exit with 1 unless a run of this import has started since that time."),
)
@click.option(
    "--since", type=TimeOfDay(), help=gettext_noop("With --expect: the last time that the clock showed this, as 22:00.")
)
@click.option("--watch", is_flag=True, help=gettext_noop("Show the queue and who works on it, until Ctrl-C."))
@options.journal
@options.as_json
@options.logging
def command(  # noqa: PLR0913 - each is an option of the command line
    *,
    number: int | None,
    csv_path: str | None,
    expect: str | None,
    since: datetime | None,
    watch: bool,
    journal: Place | None,
    as_json: bool,
    log_file: Path | None,
    verbose: int,
) -> int:
    """Carry out `history`."""
    from importer.journal import Journal  # noqa: PLC0415 - slow to import, and help does not need it
    from importer.workflow.job import journal_path  # noqa: PLC0415

    set_up(log_file, verbose)
    _refuse_what_does_not_go_together(number, csv_path, (expect, since), watch=watch, as_json=as_json)
    path = journal_path(journal)
    if not may_be_there(path):
        raise UsageError(_("{path}: there is no journal yet; the first run creates it.", path=path))
    if watch:
        return watch_queue_of(path, as_json=as_json)
    with Journal(path) as opened:
        runs, note = opened.runs.all(), opened.standing.sentence
        if note is not None:
            click.echo(_("Note: {note}", note=note), err=True)
        if expect is not None and since is not None:
            return _expected(runs, expect, since - timedelta(days=1), as_json=as_json)
        if number is None:
            _print_all(runs, as_json=as_json)
            return 0
        run = next((run for run in runs if run.id == number), None)
        if run is None:
            raise UsageError(_("There is no run {number} in {path}.", number=number, path=path))
        if csv_path is not None:
            return _write_csv(opened, run, csv_path)
        before = next((other for other in runs if other.import_id == run.import_id and other.id < run.id), None)
        _print_one(run, before, opened.runs.changes(run, before), as_json=as_json)
    return 0


def _refuse_what_does_not_go_together(
    number: int | None,
    csv_path: str | None,
    expected: tuple[str | None, datetime | None],
    *,
    watch: bool,
    as_json: bool,
) -> None:
    """Raise UsageError for options that say different things; `expected` is --expect and --since."""
    expect, since = expected
    if csv_path is not None and (number is None or as_json):
        raise UsageError(_("--csv goes with the number of a RUN, and not with --json."))
    if (expect is None) != (since is None) or (expect is not None and number is not None):
        raise UsageError(_("--expect and --since go together, and not with the number of a RUN."))
    if watch and (number is not None or csv_path is not None):
        raise UsageError(_("--watch shows the queue of all imports; give it without RUN and --csv."))


def _expected(runs: Sequence[RunRecord], name: str, since: datetime, *, as_json: bool) -> int:
    """Say whether a run of an import has started since a time; return 1 where none has."""
    from importer.workflow.jobs.expecting import Expected, not_started, started  # noqa: PLC0415 - as above

    expected = Expected(name, since)
    found = started(runs, expected)
    if as_json:
        notice = not_started(expected) if found is None else {"event": "started", "import": name, "run": found.id}
        print_json("history", {"exit_status": 0 if found else 1, **notice})
    elif found is not None:
        click.echo(
            _("Run {number} of {name} started at {at:%Y-%m-%d %H:%M}.", number=found.id, name=name, at=found.started_at)
        )
    else:
        click.echo(_("No run of {name} has started since {since:%Y-%m-%d %H:%M}.", name=name, since=since))
    return 0 if found else 1


def _write_csv(journal: Journal, run: RunRecord, path: str) -> int:
    """Write the rows that a run sent; what a program could run as a formula is marked."""
    from importer.report import marked  # noqa: PLC0415 - slow to import, and help does not need it
    from importer.workflow.jobs.run_listing import list_run  # noqa: PLC0415

    listing = list_run(journal, run)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n" if path != "-" else "\n")
    writer.writerow(_CSV_COLUMNS)
    for row in listing.rows:
        sent_at = row.sent_at.isoformat(timespec="seconds") if row.sent_at else None
        cells = (row.row, row.key, row.wolkvox_id, row.id_prefijo, row.link, row.state, sent_at, row.reference)
        writer.writerow("" if cell is None else marked(str(cell)) for cell in (*cells, listing.report))
    if listing.note:
        click.echo(_("Note: {note}", note=listing.note), err=True)
    if path == "-":
        click.echo(text.getvalue(), nl=False)
        return 0
    try:
        with Path(path).open("x", encoding="utf-8", newline="") as file:
            file.write(text.getvalue())
    except FileExistsError as error:
        raise UsageError(_("{path} exists already. Give another name to --csv.", path=path)) from error
    except OSError as error:
        raise UsageError(_("{path} cannot be written: {reason}.", path=path, reason=reason_of(error))) from error
    click.echo(ngettext("{count} row: {path}", "{count} rows: {path}", len(listing.rows), path=path))
    return 0


def _print_all(runs: Sequence[RunRecord], *, as_json: bool) -> None:
    if as_json:
        print_json("history", {"runs": [asdict(run) for run in runs]})
        return
    for run in runs:
        click.echo(_line(run))
    if not runs:
        click.echo(_("The journal has no runs yet."))


def _print_one(run: RunRecord, before: RunRecord | None, changes: Sequence[RowChange], *, as_json: bool) -> None:
    if not as_json:
        for line in _details(run, before, changes):
            click.echo(clean(line))
        return
    counts_changed = _differences(run, before)
    values = {"run": asdict(run), "before": before and asdict(before), "counts_changed": counts_changed}
    print_json("history", {**values, "rows": [asdict(change) for change in changes]})


def _line(run: RunRecord) -> str:
    """Return a run on one line."""
    return _(
        "run {number}  {started:%Y-%m-%d %H:%M}  {name} ({operation})  {source}  created {created}  {counts}"
        "  exit {status}",
        number=run.id,
        started=run.started_at,
        name=run.import_name,
        operation=run.operation,
        source=Path(run.start.source).name,
        created=run.created_now,
        counts=counts_line(run.counts) if run.counts else _("not finished"),
        status="-" if run.exit_status is None else run.exit_status,
    )


def _details(run: RunRecord, before: RunRecord | None, changes: Sequence[RowChange]) -> Iterator[str]:
    """Yield a run's facts, its counts, how they differ from the run before, and the rows that changed."""
    facts = _facts(run)
    width = max(map(len, facts))
    yield from (f"{name:<{width}}  {value}" for name, value in facts.items())
    if run.counts:
        yield counts_line(run.counts)
    if before is None:
        yield _("This is the first run of this import.")
    elif before.counts is None:
        yield _("The previous run of this import, {number}, was not finished.", number=before.id)
    elif run.counts is not None:
        differences = ", ".join(f"{state_name(name)} {number:+}" for name, number in _differences(run, before).items())
        yield _("Since run {number}: {differences}", number=before.id, differences=differences or _("the same counts"))
    yield from _changed_rows(changes)


def _facts(run: RunRecord) -> dict[str, object]:
    return {
        _("Run"): run.id,
        _("Import"): _("{name} (operation {operation})", name=run.import_name, operation=run.operation),
        _("Source"): run.start.source,
        _("SHA-256 of the source"): run.start.source_digest,
        _("SHA-256 of the mapping"): run.start.mapping_digest,
        _("Server"): run.start.server,
        _("Imported by"): _("{user}, with {program}", user=run.start.user, program=run.start.program),
        _("Started"): _("{when:%Y-%m-%d %H:%M:%S %z}", when=run.started_at),
        _("Ended"): _("{when:%Y-%m-%d %H:%M:%S %z}", when=run.ended_at) if run.ended_at else _("not finished"),
        _("Calls to the CRM"): "-" if run.calls is None else run.calls,
        _("Exit status"): "-" if run.exit_status is None else run.exit_status,
        _("Created in this run"): run.created_now,
    }


def _changed_rows(changes: Sequence[RowChange]) -> Iterator[str]:
    """Yield the rows that changed, grouped by what they became and how."""
    for (state, how), group in groupby(sorted(changes, key=_kind), key=_kind):
        rows = list(group)
        yield ngettext(
            "{state} ({how}): {count} row",
            "{state} ({how}): {count} rows",
            len(rows),
            state=state_name(state),
            how=code_name(how),
        )
        yield from (f"  {row.reference}  {row.wolkvox_id or ''}".rstrip() for row in rows[:_MOST_ROWS])
        if len(rows) > _MOST_ROWS:
            yield _("  … and {count} more; --json lists all of them.", count=len(rows) - _MOST_ROWS)


def _kind(change: RowChange) -> tuple[str, str]:
    return change.state.value, change.how


def _differences(run: RunRecord, before: RunRecord | None) -> dict[str, int]:
    """Return how many rows each state gained or lost since the run before; nothing if either was not finished."""
    if before is None or before.counts is None or run.counts is None:
        return {}
    then = asdict(before.counts)
    states = {name: count for name, count in asdict(run.counts).items() if name not in _OF_ONE_RUN}
    differences = {name: count - then[name] for name, count in states.items()}
    return {name: difference for name, difference in differences.items() if difference}
