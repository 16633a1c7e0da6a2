"""What happens around the program: the CRM commits late or never, its index lags; time, clocks and files change."""

from __future__ import annotations

from collections.abc import Iterator

from .journal import Step, ids_in
from .rules import Rule, Setting
from .state import CONTROL, Attempt, Case, Journal, Process, Request, Row, State, World


def beginning(setting: Setting) -> World:
    """Return the first moment: every row is planned and nothing was sent."""
    journal = Journal((Row(),) * setting.rows)
    second = setting.second_computer
    return World(
        now=0,
        ahead=False,
        journals=(journal, None) if second else (journal,),
        marks=(0, None) if second else (0,),
        processes=tuple(Process(which if second else 0) for which in range(setting.processes)),
    )


def steps(setting: Setting, world: World) -> Iterator[Step]:
    """Yield what may happen next without the program."""
    yield from _crm(setting, world)
    if setting.searches:
        yield from _index(world)
    if setting.quotes:
        yield from _quotes(world)
    if setting.deletions and not world.deleted:
        for case in (number for row in range(setting.rows) for number in world.cases_of(row)):
            yield f"A person deletes case {case} in the CRM", world._replace(deleted=frozenset({case}))
    if setting.copies or setting.second_computer:
        yield from _copies(setting, world)
    if setting.wall_clock_jumps:
        what = "The wall clock is set right" if world.ahead else "The wall clock jumps a year ahead"
        yield what, world._replace(ahead=not world.ahead)
    if setting.restarts and not world.restarted:
        yield "The computer restarts: its processes end, its clock begins again", _restarted(setting, world)
    if world.now < setting.ticks:
        yield _what_ends(world), _later(setting, world)


def _restarted(setting: Setting, world: World) -> World:
    """Return the moment after a restart: the time that the clock had counted is no longer known."""
    again = Rule.QUIET_BEGINS_AGAIN_AFTER_RESTART not in setting.off
    begun = world.now if again else world.now - 2
    return world._replace(
        restarted=True,
        processes=tuple(Process(process.machine) for process in world.processes),
        attempts=tuple(attempt._replace(begun=begun) for attempt in world.attempts),
    )


def _crm(setting: Setting, world: World) -> Iterator[Step]:
    """Let the CRM commit or refuse a request that has arrived whole, whether or not its sender still waits."""
    for number, attempt in enumerate(world.attempts, 1):
        if attempt.request != Request.IN_WORK:
            continue
        case = len(world.cases) + 1
        made = attempt._replace(request=Request.MADE, case=case)
        cases = (*world.cases, Case(attempt.row, attempt.begun, attempt.ahead))
        yield (
            f"The CRM makes case {case} of attempt {number} (row {attempt.row + 1})",
            world.with_attempt(number, made)._replace(cases=cases),
        )
        if setting.refusals:
            refused = world.with_attempt(number, attempt._replace(request=Request.REFUSED))
            yield f"The CRM refuses attempt {number}", refused


def _what_ends(world: World) -> str:
    """Return which attempts' leases and quiet periods end with the next tick."""
    of_age = {"lease": 0, "quiet period": 1}
    ended = [
        f"the {what} of attempt {number} is over"
        for what, age in of_age.items()
        for number, attempt in enumerate(world.attempts, 1)
        if world.now == attempt.begun + age
    ]
    return f"Time passes: {', '.join(ended)}" if ended else "Time passes"


def _later(setting: Setting, world: World) -> World:
    """Return the next tick. The assumption about the CRM is here: it never commits later than the quiet period."""
    now = world.now + 1
    if not setting.crm_keeps_the_quiet_period:
        return world._replace(now=now)
    return world._replace(now=now, attempts=tuple(_dropped(attempt, now) for attempt in world.attempts))


def _dropped(attempt: Attempt, now: int) -> Attempt:
    late = attempt.request == Request.IN_WORK and attempt.last_moment < now
    return attempt._replace(request=Request.DROPPED) if late else attempt


def _index(world: World) -> Iterator[Step]:
    """Let the search show cases in the order in which they were committed, at once or later.

    Settling may make a control: a test case of its own, answered at once, which a later search can show.
    """
    if world.indexed < len(world.cases):
        shown = world.indexed + 1
        yield f"The CRM's search shows case {shown} now", world._replace(indexed=shown)
    if any(case.row == CONTROL for case in world.cases):
        return
    if any(row.state == State.UNKNOWN for journal in world.journals if journal for row in journal.rows):
        control = Case(CONTROL, world.now, world.ahead)
        yield (
            f"Settling makes a control: case {len(world.cases) + 1}",
            world._replace(cases=(*world.cases, control)),
        )


def _quotes(world: World) -> Iterator[Step]:
    """Put the mark of row 1 into the case of row 2: in a reply that quotes it, or where marks are written.

    The latter is a person's copying; only what the journal knows as row 2's can be told from row 1's then.
    """
    journal = world.journals[0]
    if not world.quoted and world.cases_of(1):
        yield "The case of row 2 quotes the mark of row 1", world._replace(quoted=True)
    if not world.copied and journal and journal.rows[1].state == State.CREATED:
        yield "A person copies the mark of row 1 to the top of row 2's case", world._replace(copied=True)


def _copies(setting: Setting, world: World) -> Iterator[Step]:
    """Let a person copy the journal's file and put the copy back once, or take it to a second computer."""
    journal = world.journals[0]
    assert journal is not None
    if setting.second_computer and world.journals[1] is None:
        yield "The journal is copied to a second computer", world.with_journal(1, journal)
    if not setting.copies or world.put_back:
        return
    if world.backup is None:
        yield "A person copies the journal's file", world._replace(backup=journal)
    else:
        copy = world.backup._replace(identity=1)
        # Ids that only the lost file had are in the reports: the program did not lose them.
        left = world.arrived & ids_in(copy)
        yield "The copy is put back", world.with_journal(0, copy)._replace(backup=None, put_back=True, arrived=left)
