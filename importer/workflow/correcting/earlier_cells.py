"""What rows said when their cases were created, and what they say now, as far as the sheet of then is still there.

The journal keeps digests and no cells. The sheet from which a row was sent may still be beside this one, byte for byte
and with the same corrections: only then is it known what its cells said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from importer import identity
from importer.errors import ImporterError
from importer.journal import RunRecord
from importer.model import Cell, Status
from importer.workflow.correcting.correcting import SheetCorrections
from importer.workflow.corrections import load_corrections
from importer.workflow.job import Job, load_job
from importer.workflow.planning.plan import Plan

MOST_ROWS = 500
"""Changed rows of which it is looked up what they said."""

LARGEST_SHEET = 2_000_000
"""Bytes of an earlier sheet that is read for it: some thousand rows, in a second."""


@dataclass(frozen=True, slots=True)
class CellEdit:
    """A cell that has changed since its row's case was created; `before` is as it was sent, corrections included."""

    column: str
    before: str
    now: str


class _Changed(NamedTuple):
    number: int
    run: int
    key: tuple[str, ...]
    cells: Mapping[str, str]


def edits_of(plan: Plan, job: Job, runs: Iterable[RunRecord]) -> dict[int, tuple[CellEdit, ...]]:
    """Return what is known of the edits of changed rows, by number; `runs` are those of the plan's journal."""
    changed = list(_changed(plan))
    started = {run.id: run for run in runs}
    by_run: dict[int, list[_Changed]] = {}
    for row in changed:
        by_run.setdefault(row.run, []).append(row)
    found: dict[int, tuple[CellEdit, ...]] = {}
    for run, rows in by_run.items():
        if run in started and Path(started[run].start.source) != plan.table.path.absolute():
            found |= _edits_since(started[run], rows, job)
    return found


def _changed(plan: Plan) -> Iterator[_Changed]:
    count = 0
    for frame, batch in plan.cells() if plan.key_columns else ():
        for row in batch.rows(batch.in_state(Status.CREATED) & batch.facts["differs"].astype(bool)):
            if row.known is None or row.known.run is None or not row.edited or (count := count + 1) > MOST_ROWS:
                continue
            texts = next(frame.loc[[row.number]].itertuples(index=False, name=None))
            cells: dict[str, Cell] = dict(zip(frame.columns, texts, strict=True))
            key = identity.key_parts([cells[column] for column in plan.key_columns])
            yield _Changed(row.number, row.known.run, key, {one: str(cells[one]) for one in row.edited if one in cells})


def _edits_since(run: RunRecord, rows: list[_Changed], job: Job) -> dict[int, tuple[CellEdit, ...]]:
    """Return the edits of rows that one run has sent; nothing where its sheet or its corrections are others now."""
    source = Path(run.start.source)
    try:
        if source.stat().st_size > LARGEST_SHEET:
            return {}
        loaded = load_job(replace(job, source=source))
        if loaded.table.digest != run.start.source_digest:
            return {}
        if load_corrections(source).digest != run.start.corrections_digest:
            return {}
        columns = set(chain.from_iterable(row.cells for row in rows))
        before = SheetCorrections(loaded).corrected_cells({row.key for row in rows}, columns)
    except (ImporterError, OSError):
        return {}
    return {row.number: tuple(_edits(before[row.key], row.cells)) for row in rows if row.key in before}


def _edits(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[CellEdit]:
    for column, text in now.items():
        if column in before and before[column] != text:
            yield CellEdit(column, before[column], text)
