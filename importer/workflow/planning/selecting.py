"""The rows of a plan that a person selected by their states: `--only`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import pandas as pd

from importer.model import CHANGED, Status
from importer.system.spool import Spool
from importer.workflow.planning.lines import states_shown
from importer.workflow.planning.plan import Batch, Plan
from importer.workflow.planning.planning import own_columns


def select_rows(plan: Plan, states: Iterable[str]) -> Plan:
    """Return the plan with only the rows that are or were in one of the states (`--only`); all rows without any state.

    The rows of one case stay together, whichever of them is meant. A row "was" in its state in the journal before the
    run, and in the state that the source shows if that is a report: so a corrected row is found by its earlier state.
    """
    wanted = frozenset(states)
    if not wanted:
        return plan
    column = own_columns(plan.table.columns).get("status")
    cases: set[int] = set()
    for frame, batch in plan.cells():
        shown = states_shown(frame[column]).tolist() if column else [""] * len(batch)
        rows = zip(_case_rows(batch), _states(batch, shown), strict=True)
        cases.update(row for row, were in rows if not wanted.isdisjoint(were))
    frames: Spool[pd.DataFrame] = Spool()
    batches: Spool[Batch] = Spool()
    for frame, batch in plan.cells():
        chosen = [row in cases for row in _case_rows(batch)]
        frames.append(frame.loc[chosen])
        batches.append(batch.where(chosen))
    only = tuple(state for state in (*Status, CHANGED) if state in wanted)
    return replace(plan, frames=frames, batches=batches, only=only, whole=plan)


def _case_rows(batch: Batch) -> list[int]:
    """Return for each row the row of its case: its own, or that of which it is a further line."""
    parts = zip(batch.facts.index.tolist(), batch.facts["part_of"], strict=True)
    return [number if part_of is None else part_of for number, part_of in parts]


def _states(batch: Batch, shown: Sequence[str]) -> Iterator[set[str]]:
    """Yield the states of each row: now, in the journal, and in the sheet."""
    facts = (batch.facts[name] for name in ("status", "known", "differs"))
    for status, known, differs, written in zip(*facts, shown, strict=True):
        changed = {CHANGED} if differs and status is Status.CREATED else set()
        yield {status, known.status if known else status, written, *changed}
