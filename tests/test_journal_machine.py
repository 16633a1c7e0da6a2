"""The journal under any order of events: two processes, late answers, a moved clock, closed and opened again.

The model remembers what really happened: which attempts were given out, and which ids arrived. The journal is a real
file; every invariant is asked of it after every step.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule
from journal_support import LEASE, Clock, SampleJournal, created, identity, outcome
from place_support import ask
from postgres_support import needs_postgres, new_place

from importer.journal import Attempt
from importer.journal_place import Place
from importer.model import Status, Verdict

ROWS = st.integers(1, 3)
WITHOUT_A_CASE = st.sampled_from([Verdict.REJECTED, Verdict.UNKNOWN, Verdict.NOT_DELIVERED])


@dataclass(frozen=True)
class Sent:
    """An attempt that was given out: which row it is for, and when its lease ends."""

    attempt: Attempt
    row: int
    lease: float


class JournalMachine(RuleBasedStateMachine):
    """Plans, claims, concludes and expires rows by way of two open journals on one file."""

    sent = Bundle("sent")

    def __init__(self) -> None:
        super().__init__()
        self.open_things = ExitStack()
        self.path = self.open_things.enter_context(self.place())
        self.clock = Clock()
        self.samples = [SampleJournal(self.path, self.clock), SampleJournal(self.path, self.clock)]
        self.samples[0].plan([1, 2])
        self.planned = {1, 2}
        self.pending: dict[int, Sent] = {}
        self.unknown: dict[int, Sent] = {}  # ended without anybody knowing how
        self.cases: dict[int, list[str]] = {1: [], 2: [], 3: []}

    @staticmethod
    @contextmanager
    def place() -> Iterator[Place]:
        """Give the place of a new journal."""
        with tempfile.TemporaryDirectory() as folder:
            yield Path(folder) / "journal.db"

    def teardown(self) -> None:
        """Close both journals."""
        for sample in self.samples:
            sample.journal.close()
        self.open_things.close()

    @rule(which=st.integers(0, 1), row=ROWS)
    def plan(self, which: int, row: int) -> None:
        """Note a row that is not valid, which may be there already."""
        self.samples[which].plan([row], Status.INVALID)
        self.planned.add(row)

    @rule(which=st.integers(0, 1), row=ROWS)
    def correct(self, which: int, row: int) -> None:
        """Plan a row again whose content was corrected: only an invalid or rejected one may follow."""
        sample = self.samples[which]
        before = sample.row(row).status if row in self.planned else None
        sample.journal.rows.replan(sample.record.id, [identity(row).reference])
        if before is not None:
            goes = before in {Status.INVALID, Status.REJECTED}
            assert sample.row(row).status is (Status.PLANNED if goes else before)

    @rule(target=sent, which=st.integers(0, 1), row=ROWS)
    def claim(self, which: int, row: int) -> object:
        """Try to take a row: given out only if it is planned, has nothing in flight and no doubtful attempt."""
        sample = self.samples[which]
        before = sample.row(row).status if row in self.planned else None
        attempt = sample.claim(row)
        assert (attempt is not None) == (before is Status.PLANNED)
        if attempt is None:
            return multiple()
        assert not [other for other in self.pending.values() if other.row == row]
        assert not self.cases[row]
        assert sample.row(row).status is Status.SENDING
        given = Sent(attempt, row, self.clock.passed + LEASE)
        self.pending[attempt.id] = given
        return given

    @rule(target=sent, which=st.integers(0, 1), row=ROWS)
    def go_again(self, which: int, row: int) -> object:
        """Take a row, prove that it was not delivered, and take it again: both attempts may still be answered."""
        first = self.claim(which, row)
        if not isinstance(first, Sent):
            return multiple()
        self.answer_without_a_case(first, which, Verdict.NOT_DELIVERED)
        return multiple(first, self.claim(which, row))

    @rule(given=sent, which=st.integers(0, 1))
    def answer_with_a_case(self, given: Sent, which: int) -> None:
        """Let the CRM's answer arrive, in time or late, also to an attempt that was given up: its id is kept."""
        case = f"case-{given.attempt.id}"
        self.samples[which].conclude(given.attempt, created(case))
        self.ended(given)
        if case not in self.cases[given.row]:
            self.cases[given.row].append(case)

    @rule(given=sent, which=st.integers(0, 1), verdict=WITHOUT_A_CASE)
    def answer_without_a_case(self, given: Sent, which: int, verdict: Verdict) -> None:
        """Let an attempt end in any other way; only one that is still open can change its row."""
        sample = self.samples[which]
        before = sample.row(given.row)
        open_still = given.attempt.id in self.pending or given.attempt.id in self.unknown
        sample.conclude(given.attempt, outcome(verdict))
        self.ended(given)
        if not open_still:
            assert sample.row(given.row) == before
        elif verdict is Verdict.UNKNOWN:
            self.unknown[given.attempt.id] = given

    @rule(seconds=st.sampled_from([-3600.0, 86_400.0, 366 * 86_400.0, -366 * 86_400.0]))
    def the_wall_clock_is_set(self, seconds: float) -> None:
        """Let the wall clock jump, which decides nothing."""
        self.clock.now += seconds

    @rule(which=st.integers(0, 1), seconds=st.sampled_from([0.0, 1.0, LEASE, LEASE + 1, 86_400.0]))
    def time_passes(self, which: int, seconds: float) -> None:
        """Let time pass, and let a process look for leases that have ended."""
        self.clock.pass_by(seconds)
        sample = self.samples[which]
        late = {number for number, given in self.pending.items() if given.lease < self.clock.passed}
        sending = {
            given.row for number, given in self.pending.items() if sample.row(given.row).status is Status.SENDING
        }
        expected = {self.pending[number].row for number in late} & sending
        assert sample.expire() == len(expected)
        assert all(sample.row(row).status is Status.UNKNOWN for row in expected)
        for number in late:
            self.unknown[number] = self.pending.pop(number)

    @rule(which=st.integers(0, 1))
    def open_again(self, which: int) -> None:
        """Close one of the journals and open the file again."""
        self.samples[which].journal.close()
        self.samples[which] = SampleJournal(self.path, self.clock)

    def ended(self, given: Sent) -> None:
        """Forget that an attempt is open."""
        self.pending.pop(given.attempt.id, None)
        self.unknown.pop(given.attempt.id, None)

    @invariant()
    def both_see_the_same(self) -> None:
        """Let the other process see what one has committed."""
        one, other = ({row: sample.known(row) for row in self.planned} for sample in self.samples)
        assert one == other

    @invariant()
    def every_id_that_arrived_is_in_the_journal(self) -> None:
        """On the attempt always; on its row if it was the first, and in the row's words if there are several."""
        found = ask(self.path, "SELECT wolkvox_id FROM attempts WHERE wolkvox_id IS NOT NULL")
        kept = {case for (case,) in found}
        assert kept == {case for cases in self.cases.values() for case in cases}
        for row in self.planned:
            cases, known = self.cases[row], self.samples[0].row(row)
            assert known.wolkvox_id == (cases[0] if cases else None)
            assert known.status is Status.CONFLICT if len(cases) > 1 else not cases or known.status is Status.CREATED
            assert len(cases) < 2 or all(case in known.message for case in cases)

    @invariant()
    def a_row_in_doubt_is_not_planned(self) -> None:
        """While an attempt is in flight, or its end is unknown, its row cannot be claimed."""
        for given in (*self.pending.values(), *self.unknown.values()):
            assert self.samples[0].row(given.row).status is not Status.PLANNED


class ServerMachine(JournalMachine):
    """The same with a journal on a server."""

    @staticmethod
    def place() -> AbstractContextManager[Place]:
        """Give the place of an empty journal."""
        return new_place()


TestJournal = JournalMachine.TestCase
TestJournalOnServer = needs_postgres(ServerMachine.TestCase)
TestJournalOnServer.settings = settings(
    max_examples=2, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestJournal.settings = settings(
    max_examples=5, stateful_step_count=30, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
