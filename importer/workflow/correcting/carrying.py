"""Corrections of earlier sheets of the same import, found for the rows of this one: offered, and never applied.

A weekly sheet repeats rows of the weeks before, often with the very cells that were corrected in those. A correction
fits where the same key has the same text in the same column, and nobody has corrected that cell here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path

from importer.errors import SourceError
from importer.journal import RunRecord
from importer.model import JournalRow, Status
from importer.workflow.correcting.correcting import SheetCorrections
from importer.workflow.corrections import (
    Correction,
    EarlierCorrection,
    EarlierCorrections,
    corrections_path,
    load_corrections,
    says_the_same,
)
from importer.workflow.job import LoadedJob
from importer.workflow.planning.plan import Batch, Plan

MOST_SHEETS = 12
"""Earlier sheets whose corrections are looked at, the last ones: a quarter of a year of weeks."""

_OPEN = frozenset({Status.INVALID, Status.PLANNED, Status.REJECTED})

_Cell = tuple[int, str]


def earlier_corrections(loaded: LoadedJob, plan: Plan, runs: Iterable[RunRecord]) -> EarlierCorrections:
    """Return the corrections of earlier sheets that fit cells of this one; `runs` are those of its import.

    A correction of all equal cells counts for the rows that were sent with it; in new ones, a person has not seen it.
    """
    sources = _earlier_sources(loaded.table.path, runs)
    named = [(corrections_path(source).name, made) for source in sources if (made := _corrections_of(source))]
    if not named:
        return EarlierCorrections()
    desk = SheetCorrections(loaded)
    found: dict[_Cell, EarlierCorrection] = {}
    for file, corrections in named:
        here = [replace(one, sheet=loaded.table.sheet or "") for one in _of_one_sheet(corrections, loaded)]
        for cell in desk.fitting(here):
            if cell.before != cell.to:
                found.setdefault((cell.row, cell.column), replace(cell, file=file))
    cells = chain.from_iterable(_open_cells(plan, found))
    return EarlierCorrections(desk.path.name, tuple(cells))


def _earlier_sources(own: Path, runs: Iterable[RunRecord]) -> list[Path]:
    """Return the other sheets that were sent with corrections, the last ones first."""
    sent = sorted((run for run in runs if run.start.corrections_digest), key=lambda run: -run.id)
    sources = dict.fromkeys(Path(run.start.source) for run in sent)
    return [source for source in sources if corrections_path(source) != corrections_path(own.absolute())][:MOST_SHEETS]


def _corrections_of(source: Path) -> list[Correction]:
    """Return the corrections of an earlier sheet; none where their file is gone or can no longer be read."""
    try:
        return list(load_corrections(source).corrections())
    except SourceError:
        return []


def _of_one_sheet(corrections: Collection[Correction], loaded: LoadedJob) -> list[Correction]:
    """Return those of the sheet with this one's name, or of the only one: the tabs of weeks have names of their own."""
    sheets = {one.sheet for one in corrections}
    own = loaded.table.sheet or ""
    return [one for one in corrections if one.sheet == own or len(sheets) == 1]


def _open_cells(plan: Plan, found: Mapping[_Cell, EarlierCorrection]) -> Iterator[Iterator[EarlierCorrection]]:
    rows = {row for row, _column in found}
    for frame, batch in plan.cells():
        here = [number in rows for number in batch.facts.index.tolist()]
        if any(here):
            texts = {column: dict(zip(frame.index.tolist(), frame[column], strict=True)) for _row, column in found}
            yield _of_batch(batch.where(here), texts, found)


def _of_batch(
    batch: Batch, texts: Mapping[str, Mapping[int, object]], found: Mapping[_Cell, EarlierCorrection]
) -> Iterator[EarlierCorrection]:
    names = ("status", "known", "differs", "edited")
    facts = zip(batch.facts.index.tolist(), *(batch.facts[name] for name in names), strict=True)
    for number, status, known, differs, edited in facts:
        for column in sorted({column for row, column in found if row == number}):
            one = found[number, column]
            if not says_the_same(texts[column][number], one.before):
                continue  # corrected here, or by somebody in the sheet
            if _is_open(status, one, known) or (
                status is Status.CREATED and differs and column in (edited or (column,))
            ):
                yield one


def _is_open(status: Status, one: EarlierCorrection, known: JournalRow | None) -> bool:
    """Tell whether a row that is no case yet has a correction of its own, or was sent with that of all equal cells."""
    return status in _OPEN and (not one.was_of_all or known is not None)
