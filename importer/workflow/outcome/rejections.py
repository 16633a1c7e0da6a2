"""The rows that the CRM rejected, grouped by what it said about which value, so that each value is mended once.

A contact that it rejected holds the rows that name it, and an update that it refused leaves a case as it was.

Only the CRM's words tell why a row was rejected; where they name a field, the value that the row sends in it and the
cell that it comes from are known too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import pandas as pd

from importer.crm import explained, known_refusal
from importer.journal import ContactState, Journal, RunRecord
from importer.mapping import decides_value, field_spec
from importer.model import JournalRow, Status
from importer.workflow.planning.plan import Batch, Plan, PlannedRow


class _Alike(NamedTuple):
    """What rejected rows have in common: the fields of `Rejection` that tell one from another."""

    said: str
    field: str
    column: str | None
    text: str
    value: str
    is_mended: bool


@dataclass(frozen=True, slots=True)
class Rejection:
    """Rows that the CRM rejected for one reason: `said` are its words, with what they mean if that is known.

    What it rejected is the `kind`: the row itself, the contact for which it waits, or the update of its case.
    `field` is the one that they are about, empty if they name none. `value` is what it is given now; `text` is what the
    cells of `column` say for it, where one column alone fills the field. It is `is_mended` if the mapping has changed
    since: the rows may then go again, as what they send can be another value now.
    """

    said: str
    field: str
    column: str | None
    text: str
    value: str
    is_mended: bool
    rows: tuple[int, ...]
    kind: Literal["row", "contact", "update"] = "row"


@dataclass(frozen=True, slots=True)
class Rejections:
    """The rejections of a plan, the most frequent first; `changed` rows are sent again, as their cells have changed."""

    groups: tuple[Rejection, ...] = ()
    changed: int = 0

    @property
    def mended(self) -> int:
        """How many rejected rows have a mapping that has changed since."""
        return sum(len(one.rows) for one in self.groups if one.is_mended)


def rejections(plan: Plan, runs: Iterable[RunRecord]) -> Rejections:
    """Return why the CRM rejected the rows of a plan; `runs` are those of its journal."""
    alike: dict[_Alike, list[int]] = {}
    changed, mappings = 0, {run.id: run.start.mapping_digest for run in runs}
    for frame, batch in plan.cells():
        known = batch.facts["known"].map(_is_rejected)
        changed += int((known & batch.in_state(Status.PLANNED)).sum())
        chosen = batch.where(batch.in_state(Status.REJECTED))
        for number, each in _each(plan, frame, chosen, mappings):
            alike.setdefault(each, []).append(number)
    groups = sorted(alike.items(), key=lambda item: -len(item[1]))
    return Rejections(tuple(Rejection(*each, tuple(numbers)) for each, numbers in groups), changed)


def rejected_contacts(plan: Plan, journal: Journal) -> tuple[Rejection, ...]:
    """Return the contacts of a plan that the CRM rejected as they are now, each with the rows that wait for it."""
    if plan.mapping.contacts is None or not plan.mapping.contacts.creates:
        return ()
    known = journal.contacts.rejected((plan.scope.tenant, plan.scope.operation))
    first: dict[str, PlannedRow] = {}
    rows: dict[str, list[int]] = {}
    for row in plan.in_state(Status.PLANNED) if known else ():
        if row.contact is None or row.contact.digest not in known or row.contact.state is ContactState.KNOWN:
            continue
        first.setdefault(row.contact.digest, row)  # the values of the first row are those that are sent
        rows.setdefault(row.contact.digest, []).append(row.number)
    column = _column_of(plan, "contact")
    return tuple(
        Rejection(
            said=explained(known[digest].message),
            field="contact",
            column=column,
            text=(address := str(row.fields.get("contact"))),
            value=address,
            is_mended=False,
            rows=tuple(rows[digest]),
            kind="contact",
        )
        for digest, row in first.items()
        if row.contact is not None and row.contact.fields == known[digest].rejected
    )


def refused_updates(plan: Plan) -> tuple[Rejection, ...]:
    """Return why the CRM refused to update cases of a plan whose rows say still what was refused."""
    alike: dict[str, list[int]] = {}
    for row in plan.edited("refused"):
        alike.setdefault(row.change.reason if row.change else "", []).append(row.number)
    return tuple(
        Rejection(explained(said), "", None, "", "", is_mended=False, rows=tuple(rows), kind="update")
        for said, rows in alike.items()
    )


def _is_rejected(known: JournalRow | None) -> bool:
    return known is not None and known.status is Status.REJECTED


def _each(plan: Plan, frame: pd.DataFrame, batch: Batch, mappings: Mapping[int, str]) -> Iterator[tuple[int, _Alike]]:
    for number, known in zip(batch.facts.index.tolist(), batch.facts["known"], strict=True):
        refusal = known_refusal(known.message)
        field = refusal.field if refusal else ""
        column = _column_of(plan, field) if field else None
        value = batch.fields[field].get(number) if field in batch.fields.columns else None
        is_other = mappings.get(known.run, plan.mapping.digest) != plan.mapping.digest
        yield (
            number,
            _Alike(
                explained(known.message),
                field,
                column,
                str(frame.loc[number, column]).strip() if column else "",
                "" if value is None else str(value),
                is_other and (not field or decides_value(plan.mapping, field)),
            ),
        )


def _column_of(plan: Plan, field: str) -> str | None:
    """Return the column of the sheet that fills a field alone."""
    spec = field_spec(plan.mapping, field)
    return plan.headings.column(spec.column) if spec is not None and spec.column is not None else None
