"""Which rows a sheet leaves out: those that the spreadsheet hides, totals of the table, and what the mapping skips."""

from __future__ import annotations

from importer.messages import _
from importer.model import Status
from importer.model.account import LeftOut
from importer.text import is_total
from importer.workflow.planning.plan import Plan

_MOST_LOOKED_AT = 2_000
"""Skipped rows among which totals are looked for; a sheet that skips more has another reason."""

_MOST_NAMED = 20
"""Skipped rows that are named; all are counted."""


def left_out_rows(plan: Plan) -> LeftOut:
    """Return what the rows of a plan are that are skipped, the first of them by number, key and reason."""
    why = {row.number: row.skipped or "" for row in plan.in_state(Status.SKIPPED)}
    if not why:
        return LeftOut()
    hidden = len(plan.table.hidden.intersection(why))
    wanted, totals = list(why)[:_MOST_LOOKED_AT], 0
    named: list[tuple[int, str, str]] = []
    for frame in plan.frames:
        keys = [list(frame.columns).index(column) for column in plan.key_columns]
        for number, *cells in frame[frame.index.isin(wanted)].itertuples(name=None):
            texts = [str(cell).strip() for cell in cells]  # a hidden row has a key, too, by which it is known
            key, reason = " · ".join(texts[at] for at in keys), why[number]
            if number in plan.table.hidden:
                reason = _("hidden in the sheet")
            elif is_total(next(filter(None, texts), "")):
                totals, key, reason = totals + 1, "", _("line with a total")
            if len(named) < _MOST_NAMED:
                named.append((number, key, reason))
    if len(why) - hidden > _MOST_LOOKED_AT:
        totals = 0
    return LeftOut(hidden, totals, tuple(named), len(why))
