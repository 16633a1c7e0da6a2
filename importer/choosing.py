"""The rows of a plan that were asked for by their state (`--only`)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import pandas as pd

from importer.model import Status
from importer.planning import Plan, PlannedRow, own_columns
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
    batches: Spool[list[PlannedRow]] = Spool()
    for frame, batch in plan.cells():
        told = [str(cell).strip() for cell in frame[column]] if column else [""] * len(batch)
        fits = [not wanted.isdisjoint(_states(planned, said)) for planned, said in zip(batch, told, strict=True)]
        frames.append(frame[fits])
        batches.append([planned for planned, fit in zip(batch, fits, strict=True) if fit])
    return replace(plan, frames=frames, batches=batches, only=tuple(state for state in Status if state in wanted))


def _states(planned: PlannedRow, told: str) -> set[str]:
    """Return the states that a row is in or was in."""
    return {planned.status, planned.known.status if planned.known else planned.status, told}
