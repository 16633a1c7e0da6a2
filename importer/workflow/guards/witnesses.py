"""What lies beside a source and knows of its cases: every report, and every sheet that was written back.

They tell that rows became cases by way of a journal that is not here, or that a person's verdicts were not taken over.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from importer import report
from importer.errors import ReportError, SourceError, StartRefused
from importer.journal import Journal
from importer.messages import _
from importer.model import TableOptions
from importer.source import Table, open_table
from importer.workflow.plan import DOUBTFUL, Plan
from importer.workflow.planning import id_column, own_columns

_BATCH_SIZE = 2_000
"""Rows of a witness that are looked up in the journal together."""

_NUMBERS = r"( \(\d+\))*"


@dataclass(frozen=True, slots=True)
class _Said:
    """What a witness says of one row; a verdict is a person's."""

    wolkvox_id: str | None
    reference: str | None
    status: str
    verdict: str | None = None


def refuse_unknown_ids(plan: Plan, journal: Journal, report_path: Path) -> None:
    """Raise StartRefused where the source, or a report beside it, knows of cases that the journal lacks."""
    undecided: Path | None = None
    for path, lines in _witnesses(plan, journal, report_path):
        while some := list(islice(lines, _BATCH_SIZE)):
            if lacking := journal.rows.lacking_ids(
                one.wolkvox_id for one in some if one.wolkvox_id and not one.verdict
            ):
                raise _unknown_ids(plan, path, lacking[0])
            doubtful = (one.reference for one in some if one.status in DOUBTFUL and one.reference and not one.verdict)
            if not_known := journal.rows.lacking_references(doubtful):
                raise _unknown_doubt(plan, path, not_known[0])
            if undecided is None and journal.rows.lacking_ids(
                one.wolkvox_id for one in some if one.wolkvox_id and one.verdict
            ):
                undecided = path
        if path != plan.table.path and behind_report(journal, path):
            raise _behind(plan, path)
    if undecided is not None:
        raise StartRefused(
            _(
                "{path}: the verdicts in its sheet `To decide` were not taken over yet. Do that with"
                " `case-importer settle -m {mapping} --from {path}`, then give the same command again.",
                path=undecided,
                mapping=plan.mapping.path,
            )
        )


def _witnesses(plan: Plan, journal: Journal, report_path: Path) -> Iterator[tuple[Path, Iterator[_Said]]]:
    """Yield every file that may know of cases of this source, with what it says of each row."""
    source = plan.table.path
    yield source, _in_source(plan)
    for title in _written_back(plan.table):
        yield source, _in_sheet(source, title)
    for path in sorted(reports_beside(source, report_path)):
        yield path, _in_report(path, journal, surely=path == report_path or ".report" in path.name.casefold())


def reports_beside(source: Path, report_path: Path) -> set[Path]:
    """Return the reports of a source beside it, and those beside the one that was asked for, however numbered.

    A copy is a report, too: `tickets (2).report.xlsx`, `tickets.report (1).xlsx`, `tickets.report - copia.xlsx`.
    """
    default = report.default_path(source)
    own = rf"{_stem(default)}{_NUMBERS}\.report\b.*\.(xlsx|xlsm|csv)"
    ending = re.escape(".report" if report_path.stem.endswith(".report") else "")
    asked_for = rf"{_stem(report_path)}{_NUMBERS}{ending}( - .*|{_NUMBERS}){re.escape(report_path.suffix)}"
    found = {path for path in (default, report_path) if path.is_file()}
    for folder, pattern in ((default.parent, own), (report_path.parent, asked_for)):
        fits = re.compile(pattern, re.IGNORECASE)
        try:
            names = [entry.name for entry in os.scandir(folder) if fits.fullmatch(entry.name)]
        except OSError:
            continue  # the folder is not there yet: nothing is beside the report
        found |= {path for name in names if (path := folder / name).is_file()}
    return {path for path in found if not (source.exists() and path.samefile(source))}


def _stem(path: Path) -> str:
    """Return, as a part of a pattern, a report's name without its ending and the number that tells it from others."""
    return re.escape(re.sub(rf"{_NUMBERS}$", "", path.stem.removesuffix(".report")))


def _in_source(plan: Plan) -> Iterator[_Said]:
    """Yield what stands in the source's own column of ids, its reports' columns included."""
    if id_column(plan.table.columns):
        yield from _in_frames(plan.table)


def _written_back(table: Table) -> Iterable[str]:
    """Return the sheets of a source workbook, beside the one that is read, that look like a report of ours."""
    if table.sheet is None:
        return []
    return [title for title in report.report_sheets(table.path) if title != table.sheet]


def _in_sheet(source: Path, title: str) -> Iterator[_Said]:
    """Yield what the sheet of a workbook says; nothing where it is no report."""
    try:
        table = open_table(source, TableOptions(sheet=title))
    except SourceError:
        return  # a sheet of the user's own: the workbook itself was read
    if own_columns(table.columns):
        yield from _in_frames(table)


def _in_frames(table: Table) -> Iterator[_Said]:
    ours = own_columns(table.columns)
    columns = [id_column(table.columns), ours.get("reference"), ours.get("status")]
    for frame in table.frames():
        texts = [[str(cell).strip() for cell in frame[column]] if column else [""] * len(frame) for column in columns]
        for wolkvox_id, reference, status in zip(*texts, strict=True):
            yield _Said(wolkvox_id or None, reference or None, status)


def _in_report(path: Path, journal: Journal, *, surely: bool) -> Iterator[_Said]:
    """Yield what a report says; nothing where it is as this journal's own runs wrote it.

    Raises StartRefused where nobody can tell what is in it, and by its name it is `surely` a report.
    """
    try:
        if not journal.imports.is_report(report.digest(path)):
            for row in report.read_rows(path, open_table):
                yield _Said(row.wolkvox_id, row.reference, row.status, row.verdict)
    except (ReportError, OSError) as error:
        if not surely:
            return
        raise StartRefused(
            _(
                "{path} lies where the report goes, and could hold the ids of an earlier run, but it cannot be read:"
                " {reason} If it is no report, move it away or name another file with --report; if it is one, bring it"
                " back as it was written.",
                path=path,
                reason=str(error),
            )
        ) from error


def behind_report(journal: Journal, path: Path) -> bool:
    """Tell whether a report shows that its own journal had come further than this one, which is that journal, has."""
    if path.is_file() and journal.imports.is_report(report.digest(path)):
        return False
    mark = report.read_mark(path, open_table)
    return mark is not None and journal.is_behind(*mark)


def _behind(plan: Plan, path: Path) -> StartRefused:
    return StartRefused(
        _(
            "{path} was written when this journal had come further than it has now: an older copy of the journal is in"
            " its place, and lacks what was sent since. Bring back the newest journal. If it is lost, take the report"
            " over with `case-importer adopt {path} -m {mapping}`, then give --look-first to search the CRM for every"
            " row before it is sent.",
            path=path,
            mapping=plan.mapping.path,
        )
    )


def _unknown_ids(plan: Plan, path: Path, example: str) -> StartRefused:
    return StartRefused(
        _(
            "{path} holds the ids of cases (such as {example}) that this journal does not know: they were created from"
            " another computer or with another journal, and would be created again. Take them over with"
            " `case-importer adopt {path} -m {mapping}`, or give --look-first to search the CRM for every row before it"
            " is sent.",
            path=path,
            example=example,
            mapping=plan.mapping.path,
        )
    )


def _unknown_doubt(plan: Plan, path: Path, example: str) -> StartRefused:
    return StartRefused(
        _(
            "{path} has rows in doubt (such as {example}) that this journal does not know: they were sent from another"
            " computer or with another journal, may be cases, and would be sent again. Take them over with"
            " `case-importer adopt {path} -m {mapping}`, or give --look-first to search the CRM for every row before it"
            " is sent.",
            path=path,
            example=example,
            mapping=plan.mapping.path,
        )
    )
