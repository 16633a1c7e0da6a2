"""What is said of keys that several rows have: which case one of the rows has already, and in which one it stays."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from importer.journal import KnownRow
from importer.messages import _, ngettext
from importer.model import MAY_BE_CASES, UNSETTLED, Issue, JournalRow
from importer.system.spool import Spool
from importer.text import as_yaml
from importer.workflow.planning.plan import Batch, state_of

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class _Claim:
    """A row with a key that the journal knows, and the columns that differ from it: None if that cannot be told."""

    known: KnownRow
    edited: tuple[str, ...] | None
    is_same: bool

    @property
    def distance(self) -> int | None:
        """The number of columns that differ, None where it is not known or too many to be the same ticket."""
        if self.is_same:
            return 0
        few = self.edited is not None and 2 * len(self.edited) <= len(self.known.columns)
        return len(self.edited or ()) if few else None


@dataclass(frozen=True, slots=True)
class _Group:
    """What is told of the rows with one key: the case that one has already, the row that is it, and what to do."""

    claim: _Claim | None
    holder: int | None
    remedy: str | None


class RepeatedKeys:
    """Learns which rows claim a case of the journal by a key that others have too, and tells them what to do."""

    def __init__(self, key_columns: Sequence[str], *, may_group: bool) -> None:
        self._key_columns, self._may_group = tuple(key_columns), may_group
        self._claims: dict[int, _Claim] = {}
        self._undecided: list[JournalRow] = []

    def claim(self, number: int, known: KnownRow, edited: tuple[str, ...] | None, *, is_same: bool) -> None:
        """Remember that a row has the key of a known one, and whether it has its content (`is_same`)."""
        if known.row.status in MAY_BE_CASES:
            self._claims[number] = _Claim(known, edited, is_same)

    def notes(self) -> Iterator[str]:
        """Yield a note on the cases that no row shows, so that the counts do not seem to have lost them."""
        if self._undecided:
            cases = ", ".join(map(_case, self._undecided[:_MOST_NAMED]))
            yield ngettext(
                "{count} more case is in the CRM already: its key is in several rows, so that it is counted with none"
                " of them ({cases}).",
                "{count} more cases are in the CRM already: their keys are in several rows, so that they are counted"
                " with none of them ({cases}).",
                len(self._undecided),
                cases=cases + (", …" if len(self._undecided) > _MOST_NAMED else ""),
            )

    def told_in(self, batches: Spool[Batch], repeated: Mapping[str, tuple[int, ...]]) -> Spool[Batch]:
        """Return the batches with the case in the row that content tells, and with remedies that fit the others."""
        if not (repeated and self._key_columns):
            return batches
        contacts = _contacts(batches, {row for rows in repeated.values() for row in rows})
        groups: dict[int, _Group] = {}
        for rows in repeated.values():
            groups.update(dict.fromkeys(rows, self._group(rows, contacts)))
        told: Spool[Batch] = Spool(in_memory=2)
        for batch in batches:
            told.append(self._told(batch, groups))
        return told

    def _group(self, rows: tuple[int, ...], contacts: Mapping[int, object]) -> _Group:
        claim = next((self._claims[row] for row in rows if row in self._claims), None)
        if claim is None:
            may_group = self._may_group and _are_one_clients(rows, contacts)
            return _Group(None, None, self._group_remedy() if may_group else None)
        holder = self._holder(rows)
        is_told = holder is not None and self._claims[holder].distance is not None
        return _Group(claim, holder, self._known_remedy(claim.known.row, holder if is_told else None))

    def _holder(self, rows: tuple[int, ...]) -> int | None:
        """Return the row that is the known one by its content: the same, or else the only one with the fewest edits."""
        claims = {row: self._claims[row] for row in rows if row in self._claims}
        if not claims:
            return None
        if (same := next((row for row, claim in claims.items() if claim.is_same), None)) is not None:
            return same
        distances = {row: claim.distance for row, claim in claims.items()}
        near = sorted((distance, row) for row, distance in distances.items() if distance is not None)
        if near and (len(near) == 1 or near[0][0] < near[1][0]):
            return near[0][1]
        first, known = next(iter(claims.items()))
        if known.known.row.status in UNSETTLED:
            return first  # some row must stand for the doubt until it is settled
        self._undecided.append(known.known.row)
        return None

    def _told(self, batch: Batch, groups: Mapping[int, _Group]) -> Batch:
        facts = batch.facts
        if not any(number in groups for number in facts.index):
            return batch
        names = ("issues", "known", "status", "differs", "edited", "key_digest", "reference")
        changed = {name: facts[name].tolist() for name in names}
        for at, row in enumerate(batch.rows()):
            group = groups.get(row.number)
            if group is None:
                continue
            if group.claim is not None and group.holder == row.number and row.known is None:
                known = group.claim.known
                changed["known"][at], changed["differs"][at] = known.row, True
                changed["key_digest"][at], changed["reference"][at] = known.key_digest, known.row.reference
                changed["edited"][at] = self._claims[row.number].edited
                changed["status"][at] = state_of(known.row, row.skipped, is_valid=False, differs=True)
            elif group.remedy is not None:
                changed["issues"][at] = _with_remedy(row.issues, group.remedy)
        return batch.with_facts(**changed)

    def _group_remedy(self) -> str:
        column = self._key_columns[0]
        return _(
            "Delete the duplicate rows, or give each row its own {column}; if they are lines of one case, add to"
            " `source` in the mapping: `group: {name}`",
            column=column,
            name=as_yaml(column),
        )

    def _known_remedy(self, known: JournalRow, holder: int | None) -> str:
        named = {"column": self._key_columns[0], "case": _case(known)}
        if holder is None:
            return _(
                "One of these rows was imported before as {case}: leave {column} as it is in that row, and change or"
                " delete only the others",
                **named,
            )
        return _(
            "By its contents, row {row} was imported before as {case}: leave {column} as it is in that row, and change"
            " or delete only the others",
            row=holder,
            **named,
        )


def _case(known: JournalRow) -> str:
    """Return what a case is called: its number and its id, or the reference where there is none yet."""
    if known.id_prefijo and known.wolkvox_id:
        return f"{known.id_prefijo} ({known.wolkvox_id})"
    return known.id_prefijo or known.wolkvox_id or known.reference


def _contacts(batches: Spool[Batch], rows: set[int]) -> dict[int, object]:
    """Return the contacts of some rows, by their numbers."""
    found: dict[int, object] = {}
    for batch in batches:
        if "contact" in batch.fields.columns:
            found.update((row, value) for row, value in batch.fields["contact"].items() if row in rows)
    return found


def _are_one_clients(rows: Sequence[int], contacts: Mapping[int, object]) -> bool:
    """Tell whether rows may be lines of one case: they have one contact, and none of them lacks it."""
    seen = {str(contacts[row]).strip().casefold() if contacts.get(row) is not None else None for row in rows}
    return len(seen) == 1 and None not in seen


def _with_remedy(issues: tuple[Issue, ...], remedy: str) -> tuple[Issue, ...]:
    return tuple(replace(issue, remedy=remedy) if issue.code == "key-repeated" else issue for issue in issues)
