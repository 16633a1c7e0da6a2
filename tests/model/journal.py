"""What may be written into a journal: the end of an attempt, an expired lease, a search, a person's verdict."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum, auto

from .clocks import lease_is_over, quiet_period_is_over
from .rules import Rule, Setting
from .state import CONTROL, DOUBTFUL, Case, Journal, Note, Row, State, World

Step = tuple[str, World]
"""What happens, in plain words, and the moment after it."""


class Ending(Enum):
    """How an attempt ended, as its process knows it."""

    CREATED = auto()
    REJECTED = auto()
    UNKNOWN = auto()
    NOT_DELIVERED = auto()


_STATE_AFTER = {
    Ending.REJECTED: State.REJECTED,
    Ending.UNKNOWN: State.UNKNOWN,
    Ending.NOT_DELIVERED: State.PLANNED,
}


def end(  # noqa: PLR0917 - the moment, and the four facts of an ending
    setting: Setting, world: World, machine: int, number: int, ending: Ending, case: int = 0
) -> World:
    """Commit how an attempt ended; `case` is the id in its answer, whatever else the answer says."""
    journal = world.journals[machine]
    assert journal is not None
    attempt = world.attempt(number)
    which = attempt.row
    row = journal.rows[which]
    if setting.deletions and ending is not Ending.UNKNOWN:
        world = world.with_attempt(number, attempt._replace(clear=True))
    ours = _is_about(setting, world, row, number)
    if case:
        world = world._replace(arrived=world.arrived | {case})
        if Rule.LATE_ID_IS_KEPT in setting.off and not (ours and row.state == State.SENDING):
            return world
        return _take_id(setting, world, machine, number, ending, case)
    final = {State.CREATED} if Rule.CREATED_IS_FINAL not in setting.off else set()
    may_change = {State.SENDING, State.UNKNOWN, State.CREATED} - final
    if row.state in may_change and (ours or Rule.ENDINGS_NAME_THEIR_ATTEMPT in setting.off):
        return world.with_row(machine, which, row._replace(state=_STATE_AFTER[ending], case=0))
    return world


def _is_about(setting: Setting, world: World, row: Row, number: int) -> bool:
    """Return whether a row's state is about an attempt."""
    if Rule.ATTEMPTS_HAVE_UNIQUE_NAMES in setting.off and row.attempt:
        return world.attempt(row.attempt).number == world.attempt(number).number
    return row.attempt == number


def _take_id(  # noqa: PLR0917 - as above
    setting: Setting, world: World, machine: int, number: int, ending: Ending, case: int
) -> World:
    """Write an id to its row: as the row's own after a complete success with a new id, otherwise as a note."""
    journal = world.journals[machine]
    assert journal is not None
    which = world.attempt(number).row
    row = journal.rows[which]
    holders = {n for n, held in enumerate(journal.rows) if n != which and case in {held.case, *held.noted}}
    if holders and Rule.IDS_ARE_UNIQUE not in setting.off:
        ending = Ending.UNKNOWN
        world = _disputed(world, machine, holders)
    if case in row.gone and Rule.GONE_CASE_IS_NO_ANSWER not in setting.off:
        ending = Ending.UNKNOWN
    if ending is Ending.CREATED and row.case in {0, case} and row.state != State.CONFLICT:
        created = Row(State.CREATED, number, case, row.noted - {case}, row.disputed, row.gone)
        return world.with_row(machine, which, created)
    if row.case:  # the row's first id stays
        several = row.state if row.case == case else State.CONFLICT
        return world.with_row(machine, which, row._replace(state=several, noted=(row.noted | {case}) - {row.case}))
    state = State.CONFLICT if row.state == State.CONFLICT else State.UNKNOWN
    return world.with_row(machine, which, row._replace(state=state, attempt=number, noted=row.noted | {case}))


def _disputed(world: World, machine: int, holders: set[int]) -> World:
    """Flag rows as disputed: they hold an id that another row has a claim to."""
    journal = world.journals[machine]
    assert journal is not None
    for holder in holders:
        world = world.with_row(machine, holder, journal.rows[holder]._replace(disputed=True))
    return world


def steps(setting: Setting, world: World) -> Iterator[Step]:
    """Yield what may happen to a journal without a request that creates a case."""
    for machine, journal in enumerate(world.journals):
        for which, row in enumerate(journal.rows if journal else ()):
            if row.state == State.SENDING:
                yield from _lapse(setting, world, machine, which, row)
            elif row.state == State.UNKNOWN and setting.searches:
                yield from _search(setting, world, machine, which, row)
            elif row.state == State.REJECTED:
                again = row._replace(state=State.PLANNED)
                yield f"A person corrects row {which + 1}: it is planned again", world.with_row(machine, which, again)
            elif row.state == State.CREATED and setting.deletions:
                yield from _deleted(setting, world, machine, which, row)
    if setting.person:
        yield from _person_looks(setting, world)
        yield from _verdict(setting, world)


def _lapse(setting: Setting, world: World, machine: int, which: int, row: Row) -> Iterator[Step]:
    """Make a row in flight unknown once its lease is over; any process that looks may do it."""
    unknown = world.with_row(machine, which, row._replace(state=State.UNKNOWN))
    if lease_is_over(setting, world, world.attempt(row.attempt)):
        yield f"Row {which + 1} is unknown: the lease of attempt {row.attempt} is over", unknown
    elif Rule.SENDING_UNTIL_LEASE_ENDS in setting.off:
        yield f"Another process looks, and makes row {which + 1} unknown", unknown


def _deleted(setting: Setting, world: World, machine: int, which: int, row: Row) -> Iterator[Step]:
    """Let a person call a row's case deleted, which it is, or by mistake; a search of the CRM would show it then.

    It does not where the index is behind: who is wrong there cannot be stopped, and is left out.
    """
    planned = row._replace(state=State.PLANNED, case=0, gone=row.gone | {row.case})
    newer = enumerate(world.attempts[row.attempt :], row.attempt + 1)
    unclear = [number for number, attempt in newer if attempt.row == which and not attempt.clear]
    if unclear and Rule.DELETED_AWAITS_NEWER_ATTEMPTS not in setting.off:
        planned = planned._replace(state=State.SENDING, attempt=unclear[-1])  # unknown once its lease is over
    again = world.with_row(machine, which, planned)
    becomes = f"about attempt {planned.attempt}" if planned.state == State.SENDING else "planned"
    if row.case in world.deleted:
        yield f"A person says that case {row.case} was deleted: row {which + 1} is {becomes} again", again
    elif Rule.DELETED_IS_SEARCHED_FIRST in setting.off and row.case <= world.indexed:
        yield f"A person says by mistake that case {row.case} was deleted: row {which + 1} is {becomes} again", again


def _search(setting: Setting, world: World, machine: int, which: int, row: Row) -> Iterator[Step]:
    """Search the CRM for a row's mark and decide: one hit, several, or an absence that may be believed.

    Search and decision are one step, since the decision names the attempt, and what is found after the quiet period
    does not change any more.
    """
    early = Rule.QUIET_BEFORE_SETTLING in setting.off
    may_ask = lease_is_over if early else quiet_period_is_over
    if not may_ask(setting, world, world.attempt(row.attempt)):
        return
    name = f"The search for row {which + 1}"
    everything, holders = _shown(setting, world, which), _holders(world, machine, which)
    counts = everything if Rule.GONE_CASE_IS_NO_HIT in setting.off else everything - row.gone
    for shown in {counts, counts - world.deleted}:  # the index may show what was deleted for a while
        yield from _judged(setting, world, machine, which, name, shown, holders)


def _judged(  # noqa: PLR0917 - the moment, and what the search shows
    setting: Setting, world: World, machine: int, which: int, name: str, shown: frozenset[int], holders: dict[int, int]
) -> Iterator[Step]:
    """Decide by what a search shows."""
    journal = world.journals[machine]
    assert journal is not None
    row = journal.rows[which]
    excludes = Rule.IDS_OF_OTHER_ROWS_EXCLUDED not in setting.off
    hits = shown - holders.keys() if excludes else shown
    contested = {holders[case] for case in shown - hits} if not hits else set()
    if contested:
        what = f"{name} shows only what row {min(contested) + 1} holds: still unknown, and that row is disputed"
        yield what, _disputed(world, machine, contested)
    if len(hits) > 1:
        conflict = row._replace(state=State.CONFLICT, noted=row.noted | hits)
        yield f"{name} shows several cases: a conflict", _found(world, machine, which, conflict, hits)
    for case in hits if len(hits) == 1 else ():
        created = Row(State.CREATED, row.attempt, case, row.noted - {case}, row.disputed, row.gone)
        yield f"{name} shows case {case}: created", _found(world, machine, which, created, hits)
    overlooked = setting.pages and Rule.ABSENCE_NEEDS_COMPLETE_PAGE in setting.off
    nothing = not shown or (not hits and Rule.EXCLUDED_HIT_IS_NO_ABSENCE in setting.off)
    absent = setting.believes_absence and not row.noted and (nothing or overlooked)
    if absent and _control_is_shown(setting, world, machine, row):
        page = "a page that is not known to be complete" if overlooked else "nothing, where it would be shown"
        yield f"{name} shows {page}: planned", world.with_row(machine, which, row._replace(state=State.PLANNED))


def _found(world: World, machine: int, which: int, row: Row, hits: frozenset[int]) -> World:
    return world.with_row(machine, which, row)._replace(arrived=world.arrived | hits)


def _shown(setting: Setting, world: World, which: int) -> frozenset[int]:
    """Return the ids of the records that show the row's mark at a place that counts."""
    indexed = world.cases[: world.indexed]
    shown = {number for number, case in enumerate(indexed, 1) if case.row == which}
    of_others = {number for number, case in enumerate(indexed, 1) if case.row not in {which, CONTROL}}
    quoted = world.quoted and Rule.MARK_AT_ITS_OWN_PLACE in setting.off
    if which == 0 and (world.copied or quoted):
        shown |= of_others
    return frozenset(shown)


def _holders(world: World, machine: int, which: int) -> dict[int, int]:
    """Return the ids that other rows hold, with their rows."""
    journal = world.journals[machine]
    assert journal is not None
    return {row.case: other for other, row in enumerate(journal.rows) if other != which and row.case}


def _control_is_shown(setting: Setting, world: World, machine: int, row: Row) -> bool:
    """Return whether the search shows a known case that was sent after the row's could still be committed."""
    if Rule.ABSENCE_NEEDS_CONTROL in setting.off:
        return True
    weak = {Rule.CONTROL_BEGINS_AFTER_QUIET, Rule.QUIET_BEFORE_SETTLING} & setting.off
    attempt = world.attempt(row.attempt)
    journal = world.journals[machine]
    known = {other.case for other in journal.rows} if journal else set()
    return any(
        (case.row == CONTROL or number in known) and _began_after(setting, case, attempt.begun + (1 if weak else 2))
        for number, case in enumerate(world.cases[: world.indexed], 1)
    )


def _began_after(setting: Setting, case: Case, earliest: int) -> bool:
    """Return whether a case was sent at this tick or later, by the clock that the program believes."""
    return case.begun >= earliest or (case.ahead and Rule.LEASE_BY_BOOT_CLOCK in setting.off)


def _person_looks(setting: Setting, world: World) -> Iterator[Step]:
    """Let a person look at a doubtful row and at the CRM itself, which shows all cases, and note the result."""
    journal = world.journals[0]
    for which, row in enumerate(journal.rows if journal else ()):
        attempt = world.attempt(row.attempt) if row.attempt else None
        may_look = attempt and (
            Rule.QUIET_BEFORE_VERDICT in setting.off or quiet_period_is_over(setting, world, attempt)
        )
        if row.state in DOUBTFUL and may_look:
            case = next(iter(world.cases_of(which)), 0)
            note = Note(which, row.attempt, case)
            seen = f"case {case}" if case else "no case"
            what = f"A person looks for row {which + 1} (attempt {row.attempt}), sees {seen} and notes it"
            if note != world.note:
                yield what, world._replace(note=note)


def _verdict(setting: Setting, world: World) -> Iterator[Step]:
    """Let the person give the noted verdict, at once or later, once or twice, or mistype a 'not created'.

    A mistake cannot be caught if the journal knows no id of the row; it can if the journal knows one.
    """
    journal = world.journals[0]
    assert journal is not None
    for which, row in enumerate(journal.rows):
        if row.state not in DOUBTFUL or not _verdict_may_come(setting, world, row):
            continue
        planned = world.with_row(0, which, row._replace(state=State.PLANNED))
        note = world.note
        if note and note.row == which and (note.attempt == row.attempt or Rule.VERDICT_NAMES_ATTEMPT in setting.off):
            if note.case:
                created = Row(State.CREATED, row.attempt, note.case, row.noted - {note.case}, row.disputed, row.gone)
                arrived = frozenset({note.case})
                yield f"The verdict is given: case {note.case}", _found(world, 0, which, created, arrived)
            elif not row.noted:
                yield "The verdict is given: not created, so the row is planned", planned
        if row.noted and Rule.KNOWN_ID_FORBIDS_NOT_CREATED in setting.off:
            yield "The person mistypes 'not created' for a row of which an id is known: it is planned", planned


def _verdict_may_come(setting: Setting, world: World, row: Row) -> bool:
    if Rule.QUIET_BEFORE_VERDICT in setting.off:
        return True
    return bool(row.attempt) and quiet_period_is_over(setting, world, world.attempt(row.attempt))


def ids_in(journal: Journal | None) -> set[int]:
    """Return every id that a journal knows."""
    return {known for row in (journal.rows if journal else ()) for known in (row.case, *row.noted, *row.gone) if known}
