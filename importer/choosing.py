"""The rows of a plan that were asked for by their state (`--only`)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import pandas as pd

from importer.model import Status
from importer.plan import Batch, Plan
from importer.planning import own_columns
from importer.spool import Spool


def chosen(plan: Plan, states: Iterable[Status]) -> Plan:
    """Return the plan with only those rows that are or were in one of the states; with all where none is named.

    A row was in the state that the journal has before the run, and in the one that the source tells where that is a
    report given back: so a corrected row is found by what was wrong with it.
    """
    wanted = frozenset(states)
    if not wanted:
        return plan
    column = own_columns(plan.table.columns).get("status")
    frames: Spool[pd.DataFrame] = Spool()
    batches: Spool[Batch] = Spool()
    for frame, batch in plan.cells():
        told = [str(cell).strip() for cell in frame[column]] if column else [""] * len(batch)
        places = [at for at, states in enumerate(_states(batch, told)) if not wanted.isdisjoint(states)]
        frames.append(frame.iloc[places])
        batches.append(batch.some(places))
    return replace(plan, frames=frames, batches=batches, only=tuple(state for state in Status if state in wanted))


def _states(batch: Batch, told: Sequence[str]) -> Iterator[set[str]]:
    """Yield the states that each row is in or was in."""
    for at, (status, said) in enumerate(zip(batch.statuses, told, strict=True)):
        known = batch.known.get(at)
        yield {status, known.status if known else status, said}
