"""Witnesses: files beside a source that know about its cases, such as reports and sheets that were written back.

They show that rows became cases through a journal that is not here, or that a person's verdicts were not taken over.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from importer import report
from importer.commands import told
from importer.errors import ReportError, SourceError, StartRefused
from importer.journal import Journal
from importer.messages import _
from importer.model import UNSETTLED, TableOptions
from importer.report import ReportedRow
from importer.report_words import state_of_word
from importer.source import Table, open_table
from importer.workflow.commands import Commands
from importer.workflow.corrections import CORRECTIONS_ENDING
from importer.workflow.job import Job
from importer.workflow.planning.plan import Plan
from importer.workflow.planning.planning import id_column, own_columns

_BATCH_SIZE = 2_000
"""Rows of a file that are looked up in the journal together."""

_NUMBERS = r"( \(\d+\))*"


def refuse_unknown_ids(plan: Plan, journal: Journal, job: Job, *, agrees: bool) -> None:
    """Raise StartRefused if the source, or a report beside it, knows cases that the journal lacks.

    `agrees` means that --yes was given, which belongs to the commands that lead on.
    """
    undecided: Path | None = None
    commands = Commands.of(job, agrees=agrees)
    for path, rows in _witnesses(plan, journal, job.report_path):
        while batch := list(islice(rows, _BATCH_SIZE)):
            if lacking := journal.rows.lacking_ids(
                row.wolkvox_id for row in batch if row.wolkvox_id and not row.verdict
            ):
                raise _unknown_ids(commands, path, lacking[0])
            doubtful = (row.reference for row in batch if row.status in UNSETTLED and row.reference and not row.verdict)
            if unknown := journal.rows.lacking_references(doubtful):
                raise _unknown_doubt(commands, path, unknown[0])
            if undecided is None and journal.rows.lacking_ids(
                row.wolkvox_id for row in batch if row.wolkvox_id and row.verdict
            ):
                undecided = path
        if path != plan.table.path and behind_report(journal, path):
            raise _behind(commands, path)
    if undecided is not None:
        raise _undecided(commands, undecided)


def _witnesses(plan: Plan, journal: Journal, report_path: Path) -> Iterator[tuple[Path, Iterator[ReportedRow]]]:
    """Yield every file that may know cases of this source, with its rows."""
    source = plan.table.path
    yield source, _in_source(plan)
    for title in _written_back(plan.table):
        yield source, _in_sheet(source, title)
    for path in sorted(reports_beside(source, report_path)):
        yield path, _in_report(path, journal, surely=path == report_path or ".report" in path.name.casefold())


def reports_beside(source: Path, report_path: Path) -> set[Path]:
    """Return the reports beside a source, and those beside the requested report, whatever their numbers.

    Copies are included: `tickets (2).report.xlsx`, `tickets.report (1).xlsx`, `tickets.report - copia.xlsx`.
    """
    default = report.default_path(source)
    own = rf"{_stem(default)}{_NUMBERS}\.report\b.*\.(xlsx|xlsm|csv)"
    ending = re.escape(".report" if report_path.stem.endswith(".report") else "")
    requested = rf"{_stem(report_path)}{_NUMBERS}{ending}( - .*|{_NUMBERS}){re.escape(report_path.suffix)}"
    found = {path for path in (default, report_path) if path.is_file()}
    for folder, pattern in ((default.parent, own), (report_path.parent, requested)):
        fits = re.compile(pattern, re.IGNORECASE)
        try:
            names = [entry.name for entry in os.scandir(folder) if fits.fullmatch(entry.name)]
        except OSError:
            continue  # the folder does not exist yet, so it has no reports
        found |= {path for name in names if (path := folder / name).is_file()}
    found = {path for path in found if not (source.exists() and path.samefile(source))}
    return {path for path in found if not _is_corrections(path)}


def _is_corrections(path: Path) -> bool:
    """Tell whether a file has the corrections of a report, which has the report's name in its own."""
    return path.name.casefold().endswith(CORRECTIONS_ENDING) and not report.is_given_back(path)


def _stem(path: Path) -> str:
    """Return a report's name, escaped for a pattern, without its ending and the number that distinguishes it."""
    return re.escape(re.sub(rf"{_NUMBERS}$", "", path.stem.removesuffix(".report")))


def _in_source(plan: Plan) -> Iterator[ReportedRow]:
    """Yield the rows of the source if it has a column of ids, its own or that of a report."""
    if id_column(plan.table.columns):
        yield from _in_frames(plan.table)


def _written_back(table: Table) -> Iterable[str]:
    """Return the sheets of a source workbook, other than the one that is read, that look like our reports."""
    if table.sheet is None:
        return []
    return [title for title in report.report_sheets(table.path) if title != table.sheet]


def _in_sheet(source: Path, title: str) -> Iterator[ReportedRow]:
    """Yield the rows of a workbook's sheet; nothing if it is not a report."""
    try:
        table = open_table(source, TableOptions(sheet=title))
    except SourceError:
        return  # the user's own sheet: the workbook itself could be read
    if own_columns(table.columns):
        yield from _in_frames(table)


def _in_frames(table: Table) -> Iterator[ReportedRow]:
    ours = own_columns(table.columns)
    columns = [id_column(table.columns), ours.get("reference"), ours.get("status")]
    for frame in table.frames():
        texts = [[str(cell).strip() for cell in frame[column]] if column else [""] * len(frame) for column in columns]
        for number, wolkvox_id, reference, status in zip(frame.index.tolist(), *texts, strict=True):
            yield ReportedRow(number, state_of_word(status), wolkvox_id or None, None, reference or None, None)


def _in_report(path: Path, journal: Journal, *, surely: bool) -> Iterator[ReportedRow]:
    """Yield the rows of a report; nothing if it is unchanged since a run with this journal wrote it.

    Raises StartRefused if it cannot be read and is `surely` a report by its name.
    """
    try:
        if not journal.imports.is_report(report.digest(path)):
            yield from report.read_rows(path, open_table)
    except (ReportError, OSError) as error:
        if not surely:
            return
        raise StartRefused(
            told(
                _(
                    "{path} is where the report goes and could contain the ids of an earlier run, but it cannot be"
                    " read: {reason} If it is not a report, move it away or name another file with --report; if it is"
                    " one, restore it as it was written.",
                    path=path,
                    reason=str(error),
                ),
                _(
                    "{path} is where the report goes and could contain the ids of an earlier run, but"
                    " it cannot be read: {reason} If it is not a report, rename it in Explorer or move"
                    " it to another folder; if it is one, put it back as it was written. Then try"
                    " again.",
                    path=path,
                    reason=str(error),
                ),
            )
        ) from error


def behind_report(journal: Journal, path: Path) -> bool:
    """Tell whether a report of this very journal shows that the journal had come further than it has now."""
    if path.is_file() and journal.imports.is_report(report.digest(path)):
        return False
    mark = report.read_mark(path, open_table)
    return mark is not None and journal.is_behind(*mark)


def _undecided(commands: Commands, path: Path) -> StartRefused:
    return StartRefused(
        told(
            _(
                "{path}: the verdicts in its sheet `To decide` were not taken over yet. Take them over with"
                " `{command}`, then run `{again}`.",
                path=path,
                command=commands.settle("--from", path),
                again=commands.run(),
            ),
            _(
                "{path}: somebody wrote decisions into its sheet To decide, and they are not recorded yet. Record each"
                " of them on the page Decide, then come back here.",
                path=path,
            ),
        )
    )


def _behind(commands: Commands, path: Path) -> StartRefused:
    return StartRefused(
        told(
            _(
                "{path} was written when this journal had come further than it has now: the journal was replaced by an"
                " older copy, which lacks what was sent since. Restore the newest journal. If it is lost, take over the"
                " report with `{command}`, then search the CRM for every row before it is sent, with `{look_first}`.",
                path=path,
                command=commands.adopt(path),
                look_first=commands.looking_first(),
            ),
            _(
                "{path} was written when this journal had come further than it has now: the journal was replaced"
                " by an older copy, which lacks what was sent since. Restore the newest journal. If it is lost,"
                " take over that report (“I have the report of what was sent”), then choose “First search the CRM"
                " for every row”.",
                path=path,
            ),
        ),
        looking_helps=True,
    )


def _unknown_ids(commands: Commands, path: Path, example: str) -> StartRefused:
    return StartRefused(
        told(
            _(
                "{path} contains the ids of cases (such as {example}) that this journal does not know: they were"
                " created from another computer or with another journal, and would be created again. Take them"
                " over with `{command}`, or search the CRM for every row before it is sent, with `{look_first}`.",
                path=path,
                example=example,
                command=commands.adopt(path),
                look_first=commands.looking_first(),
            ),
            _(
                "{path} contains the ids of cases (such as {example}) that are not known here: they were created"
                " from another computer, and would be created again. Take them over (“I have the report of what"
                " was sent”), or choose “First search the CRM for every row”.",
                path=path,
                example=example,
            ),
        ),
        looking_helps=True,
    )


def _unknown_doubt(commands: Commands, path: Path, example: str) -> StartRefused:
    return StartRefused(
        told(
            _(
                "{path} has doubtful rows (such as {example}) that this journal does not know: they were sent from"
                " another computer or with another journal, may be cases, and would be sent again. Take them over"
                " with `{command}`, or search the CRM for every row before it is sent, with `{look_first}`.",
                path=path,
                example=example,
                command=commands.adopt(path),
                look_first=commands.looking_first(),
            ),
            _(
                "{path} has rows to confirm (such as {example}) that are not known here: they were sent from"
                " another computer, may be cases, and would be sent again. Take them over (“I have the report of"
                " what was sent”), or choose “First search the CRM for every row”.",
                path=path,
                example=example,
            ),
        ),
        looking_helps=True,
    )
