"""Whose an id is, and what settles a doubtful row: rule by rule, on a real SQLite file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from journal_support import COLUMNS, LEASE, SCOPE, SENT_VALUE, Clock, SampleJournal, created, identity, intent, outcome
from place_support import ask
from promise_support import select

from importer.errors import JournalError
from importer.journal import Adopted, Attempt, Decision, Dispute, Doubt
from importer.journal_place import Server
from importer.model import Outcome, Status, Verdict

QUIET = 120.0


pytestmark = pytest.mark.on_both


@pytest.fixture
def clock() -> Clock:
    """Return a clock that does not move by itself."""
    return Clock()


@pytest.fixture
def sample(tmp_path: Path, clock: Clock, journal_server: Server | None) -> Iterator[SampleJournal]:
    """Return an open journal with rows 1 to 4 planned."""
    sample = SampleJournal(journal_server or tmp_path / "journal.db", clock)
    sample.plan([1, 2, 3, 4])
    yield sample
    sample.journal.close()


def refusal(*ids: str, verdict: Verdict = Verdict.REJECTED) -> Outcome:
    """Return an answer that made no case and names some all the same; the client makes it unknown."""
    return Outcome(verdict, "No.", ids=ids)


def send(sample: SampleJournal, number: int, what: Outcome) -> Attempt:
    """Send a row into an answer."""
    attempt = sample.claim(number)
    assert attempt is not None
    sample.conclude(attempt, what)
    return attempt


def doubt_of(sample: SampleJournal, number: int) -> Doubt:
    """Return a row that is in doubt."""
    doubts = sample.journal.doubts.of_import(sample.record.id)
    return next(doubt for doubt in doubts if doubt.reference == identity(number).reference)


def decide(
    sample: SampleJournal, number: int, state: Status, case: str | None = None, how: str = "search"
) -> Status | None:
    """Settle a row that is in doubt."""
    return sample.journal.doubts.decide(doubt_of(sample, number), Decision(state, how, case))


def states(sample: SampleJournal) -> list[Status]:
    """Return the states of rows 1 to 4."""
    return [sample.row(number).status for number in (1, 2, 3, 4)]


def values(sample: SampleJournal) -> list[object]:
    """Return the values by which each attempt's case could be searched."""
    return [value for (value,) in select(sample.journal.path, "SELECT search_value FROM attempts ORDER BY id")]


def arrived(sample: SampleJournal, number: int) -> list[list[object]]:
    """Return the ids that arrived for a row, each with whether it is history by now."""
    query = "SELECT reference, a.wolkvox_id, dismissed FROM arrived_ids a JOIN rows ON rows.id = row_id ORDER BY a.id"
    return [
        noted for reference, *noted in select(sample.journal.path, query) if reference == identity(number).reference
    ]


# ------------------------------------------------------------------------------------------------ leases


def test_o27_a_lease_outlasts_what_it_covers(sample: SampleJournal) -> None:
    """A row does not become unknown while the outcome of its attempt may still be on its way to the disk."""
    sample.claim(1)
    ((left,),) = select(sample.journal.path, "SELECT lease - deadline FROM attempts")
    assert left == 5


def test_o27_a_lease_is_of_one_boot_and_ends_at_its_moment(sample: SampleJournal, clock: Clock) -> None:
    """Until the moment it holds; then not, and on the clock of another boot neither."""
    attempt = sample.claim(1)
    assert attempt
    holds = sample.journal.attempts.lease_holds
    clock.pass_by(LEASE - 0.1)
    assert holds(attempt)
    clock.boot = "another boot"
    assert not holds(attempt)
    clock.boot = "this boot"
    clock.pass_by(0.1)
    assert not holds(attempt)


@pytest.mark.in_a_file
def test_r15_no_lease_holds_once_the_journal_is_another_file(sample: SampleJournal) -> None:
    """What would be sent now would not be in the journal."""
    attempt = sample.claim(1)
    assert attempt
    sample.journal.path.rename(sample.journal.path.with_name("away.db"))
    assert not sample.journal.attempts.lease_holds(attempt)
    sample.journal.path.with_name("away.db").rename(sample.journal.path)


def test_r15_an_attempt_of_the_same_number_in_another_copy_is_none_of_this_one(sample: SampleJournal) -> None:
    """Two copies count their attempts alike; the token tells whose answer it is."""
    attempt = sample.claim(1)
    assert attempt
    with pytest.raises(JournalError, match="another copy"):
        sample.conclude(replace(attempt, token="0123456789abcdef"), created("theirs"))
    assert (sample.row(1).status, sample.row(1).wolkvox_id) == (Status.SENDING, None)


def test_o19_after_a_restart_a_row_that_is_being_sent_keeps_the_length_of_its_lease(
    sample: SampleJournal, clock: Clock
) -> None:
    """It is unknown how long the computer was off: deadline and lease are as far away as they were at the start."""
    sample.claim(1)
    clock.boot, clock.passed = "another boot", 7.0
    assert sample.expire() == 0
    clock.pass_by(LEASE)
    assert sample.expire() == 0
    assert select(sample.journal.path, "SELECT began, deadline - began, lease - began FROM attempts") == [
        (7.0, 55.0, LEASE)
    ]
    clock.pass_by(0.1)
    assert sample.expire() == 1


@pytest.mark.parametrize("state", [Status.UNKNOWN, Status.CONFLICT])
def test_o19_after_a_restart_a_quiet_period_begins_at_once(sample: SampleJournal, clock: Clock, state: Status) -> None:
    """A row whose answer is missing has nothing left that could be sent: only its quiet period starts again."""
    send(sample, 1, outcome(Verdict.UNKNOWN))
    if state is Status.CONFLICT:
        decide(sample, 1, Status.CONFLICT)
    clock.boot, clock.passed = "another boot", 7.0
    sample.expire()
    assert (doubt_of(sample, 1).silent_since, doubt_of(sample, 1).boot) == (7.0, "another boot")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE attempts SET boot = NULL",
        "UPDATE attempts SET began = 1e9, deadline = 1e9 + 55, lease = 1e9 + 60",
    ],
)
def test_r21_a_moment_that_nobody_can_compare_counts_as_another_boot(
    sample: SampleJournal, clock: Clock, change: str
) -> None:
    """No boot's name, or a beginning that is still to come: it is measured from now on, not for a year."""
    send(sample, 1, outcome(Verdict.UNKNOWN))
    ask(sample.journal.path, change)
    sample.expire()
    assert doubt_of(sample, 1).silent_since == clock.passed


# ------------------------------------------------------------------------------------------------ answers


@pytest.mark.parametrize("then", [Verdict.NOT_DELIVERED, Verdict.REJECTED])
def test_o23_an_id_that_comes_late_keeps_its_row_from_going_again(sample: SampleJournal, then: Verdict) -> None:
    """Planned or rejected by now, and an answer of its attempt names a case after all: unknown, with that id."""
    attempt = send(sample, 1, outcome(then))
    sample.conclude(attempt, refusal("late", verdict=Verdict.UNKNOWN))
    assert sample.row(1).status is Status.UNKNOWN
    assert doubt_of(sample, 1).ids == ("late",)
    assert doubt_of(sample, 1).attempt_id == attempt.id
    assert sample.claim(1) is None


def test_o20_what_an_earlier_attempt_came_to_says_nothing_of_a_settled_row(sample: SampleJournal) -> None:
    """A refusal that comes late neither plans nor rejects a row that is created or in conflict by now."""
    attempt = send(sample, 1, outcome(Verdict.UNKNOWN))
    decide(sample, 1, Status.CREATED, "case-1")
    for verdict in (Verdict.REJECTED, Verdict.NOT_DELIVERED, Verdict.UNKNOWN):
        sample.conclude(attempt, outcome(verdict))
        assert (sample.row(1).status, sample.row(1).wolkvox_id) == (Status.CREATED, "case-1")


def test_a_created_answer_stays_with_its_attempt(sample: SampleJournal) -> None:
    """A second Ctrl-C calls the attempt unknown a moment later: what it came to, and its id, are not written over."""
    attempt = send(sample, 1, created("case-1"))
    sample.conclude(attempt, outcome(Verdict.UNKNOWN))
    assert select(sample.journal.path, "SELECT verdict, wolkvox_id FROM attempts") == [("created", "case-1")]


def test_o23_an_id_of_a_refusal_and_another_of_a_success_are_a_conflict(sample: SampleJournal) -> None:
    """Two cases may exist: both are named, and no later answer with one of them ends it."""
    first = send(sample, 1, outcome(Verdict.NOT_DELIVERED))
    second = sample.claim(1)
    sample.conclude(first, refusal("case-a", verdict=Verdict.UNKNOWN))
    for _time in range(2):
        sample.conclude(second, created("case-b"))
        assert sample.row(1).status is Status.CONFLICT
    assert all(case in sample.row(1).message for case in ("case-a", "case-b"))


def test_a_conflict_is_no_answers_to_end(sample: SampleJournal) -> None:
    """A search found several cases: an answer that comes late with one of them leaves it to a person."""
    attempt = send(sample, 1, outcome(Verdict.UNKNOWN))
    sample.journal.doubts.decide(doubt_of(sample, 1), Decision(Status.CONFLICT, "search", message="Two.", ids=()))
    sample.conclude(attempt, created("case-a"))
    assert (sample.row(1).status, sample.row(1).wolkvox_id) == (Status.CONFLICT, "case-a")


@pytest.mark.parametrize("noted", [False, True])
def test_o21_an_id_belongs_to_one_row_of_an_operation(sample: SampleJournal, noted: bool) -> None:  # noqa: FBT001 - two cases
    """Another row has it, or it arrived for that one and is open: the newcomer is unknown, the holder disputed."""
    send(sample, 1, refusal("case-a", verdict=Verdict.UNKNOWN) if noted else created("case-a"))
    attempt = sample.claim(2)
    assert attempt
    concluded = sample.journal.attempts.conclude(attempt, created("case-a"))
    assert (concluded.state, concluded.holder) == (Status.UNKNOWN, identity(1).reference)
    assert sample.row(2).wolkvox_id is None
    assert doubt_of(sample, 2).ids == ("case-a",)
    assert select(sample.journal.path, "SELECT disputed FROM rows ORDER BY id LIMIT 2") == [(0 if noted else 1,), (0,)]


def test_o21_an_id_that_was_set_aside_is_free_for_its_own_row(sample: SampleJournal) -> None:
    """A person said that it is not the first row's case: the second one may have it."""
    send(sample, 1, refusal("case-a", verdict=Verdict.UNKNOWN))
    said = Decision(Status.PLANNED, "by-hand", despite=("case-a",))
    assert sample.journal.doubts.decide(doubt_of(sample, 1), said) is Status.PLANNED
    assert arrived(sample, 1) == [["case-a", 1], ["case-a", 1]]
    send(sample, 2, created("case-a"))
    assert sample.row(2).status is Status.CREATED
    send(sample, 1, outcome(Verdict.UNKNOWN))
    assert doubt_of(sample, 1).ids == ()
    assert decide(sample, 1, Status.CREATED, "case-b") is Status.CREATED


@pytest.mark.parametrize(
    ("tenant", "operation", "state"),
    [
        (SCOPE.tenant, SCOPE.operation, Status.UNKNOWN),
        (SCOPE.tenant, "another", Status.CREATED),
        ("crm0002.wolkvox.com", SCOPE.operation, Status.CREATED),
    ],
)
def test_o21_ids_are_of_a_tenant_and_an_operation(
    sample: SampleJournal, tenant: str, operation: str, state: Status
) -> None:
    """An import of the same operation shares its ids; the same id in another operation or tenant is another case."""
    send(sample, 1, created("case-a"))
    other = sample.journal.imports.add(tenant, operation, "other", None)
    who = replace(identity(9), reference="WCI-OTHER")
    sample.journal.rows.add(other.id, [(who, Status.PLANNED)], COLUMNS)
    attempt = sample.journal.attempts.claim(other.id, sample.run, replace(intent(9), reference="WCI-OTHER"))
    assert attempt
    assert sample.journal.attempts.conclude(attempt, created("case-a")).state is state


def test_an_id_is_noted_once_for_an_attempt(sample: SampleJournal) -> None:
    """An answer that is taken in twice leaves one line, and no answer takes a line away."""
    attempt = send(sample, 1, created("case-a"))
    sample.conclude(attempt, created("case-a"))
    assert arrived(sample, 1) == [["case-a", 0]]


def test_only_a_created_row_is_disputed(sample: SampleJournal) -> None:
    """A doubtful row that an id was noted for is in doubt already."""
    send(sample, 1, refusal("case-a", verdict=Verdict.UNKNOWN))
    send(sample, 2, created("case-a"))
    assert select(sample.journal.path, "SELECT count(*) FROM rows WHERE disputed") == [(0,)]


# ------------------------------------------------------------------------------------------------ searched values


def test_r13_a_value_is_kept_for_the_attempt_in_doubt_alone(sample: SampleJournal) -> None:
    """An earlier attempt without a record has no value to search by."""
    first = sample.claim(1)
    ask(sample.journal.path, "UPDATE rows SET state = 'planned' WHERE id = 1")
    sample.claim(1)
    sample.conclude(first, outcome(Verdict.UNKNOWN))
    assert values(sample) == [None, SENT_VALUE]


def test_o29_the_newest_created_case_is_the_control_while_something_is_unknown(sample: SampleJournal) -> None:
    """One value is kept, the newest; with the last unknown row it goes."""
    doubts = sample.journal.doubts
    send(sample, 1, created("case-1"))
    send(sample, 2, outcome(Verdict.UNKNOWN))
    send(sample, 3, created("case-3"))
    assert values(sample) == [None, SENT_VALUE, SENT_VALUE]
    send(sample, 4, created("case-4"))
    assert values(sample) == [None, SENT_VALUE, None, SENT_VALUE]
    assert doubts.control(sample.record.id, "email contact") == SENT_VALUE
    assert doubts.control(sample.record.id, "another field") is None
    decide(sample, 2, Status.CREATED, "case-2")
    assert values(sample) == [None] * 4


def test_r13_a_row_that_goes_again_leaves_nothing_to_search_by(sample: SampleJournal) -> None:
    """What was sent in an attempt that is settled is forgotten, and the row has no id of it."""
    send(sample, 1, outcome(Verdict.UNKNOWN))
    assert values(sample) == [SENT_VALUE]
    decide(sample, 1, Status.PLANNED)
    assert values(sample) == [None]
    assert sample.row(1).wolkvox_id is None


def test_r13_a_conflict_keeps_what_it_can_be_searched_by(sample: SampleJournal) -> None:
    """A row that stays in doubt keeps its value, and its ids."""
    send(sample, 1, refusal("case-a", verdict=Verdict.UNKNOWN))
    decide(sample, 1, Status.CONFLICT)
    assert values(sample) == [SENT_VALUE]
    assert doubt_of(sample, 1).ids == ("case-a",)


# ------------------------------------------------------------------------------------------------ decisions


def test_o28_a_decision_is_about_one_attempt_and_one_state(sample: SampleJournal) -> None:
    """What was looked at before the row was sent again, or settled, decides nothing."""
    send(sample, 1, outcome(Verdict.UNKNOWN))
    old = doubt_of(sample, 1)
    decide(sample, 1, Status.PLANNED)
    send(sample, 1, outcome(Verdict.UNKNOWN))
    doubts, found = sample.journal.doubts, Decision(Status.CREATED, "search", "case-1")
    assert doubts.decide(old, found) is None
    old = doubt_of(sample, 1)
    decide(sample, 1, Status.CONFLICT)
    assert doubts.decide(old, Decision(Status.PLANNED, "search")) is None
    assert sample.row(1).status is Status.CONFLICT


def test_o30_no_decision_gives_a_row_the_id_of_another(sample: SampleJournal) -> None:
    """Neither a search, nor a person, nor a look before sending, nor a report."""
    send(sample, 1, created("case-1"))
    send(sample, 2, outcome(Verdict.UNKNOWN))
    doubts, taken = sample.journal.doubts, Decision(Status.CREATED, "by-hand", "case-1")
    assert doubts.decide(doubt_of(sample, 2), taken) is None
    assert doubts.found_first(sample.record.id, identity(3).reference, taken) is None
    assert (
        sample.journal.adoptions.adopt(sample.record.id, [Adopted(identity(4), Status.CREATED, "case-1")], COLUMNS) == 0
    )
    assert (
        sample.journal.adoptions.adopt(sample.record.id, [Adopted(identity(9), Status.CREATED, "case-1")], COLUMNS) == 0
    )
    assert states(sample) == [Status.CREATED, Status.UNKNOWN, Status.PLANNED, Status.PLANNED]


def test_o23_a_search_that_finds_one_case_beside_a_noted_one_is_a_conflict(sample: SampleJournal) -> None:
    """Both are named; an id that was noted but is now another row's is not a second case."""
    send(sample, 1, refusal("case-a", verdict=Verdict.UNKNOWN))
    assert decide(sample, 1, Status.CREATED, "case-b") is Status.CONFLICT
    assert all(case in sample.row(1).message for case in ("case-a", "case-b"))
    assert doubt_of(sample, 1).ids == ("case-a", "case-b")
    send(sample, 2, created("case-2"))
    send(sample, 3, created("case-2"))
    assert decide(sample, 3, Status.CREATED, "case-3") is Status.CREATED
    assert arrived(sample, 3) == [["case-2", 1], ["case-3", 0]]


def test_only_a_planned_row_is_found_before_it_is_sent(sample: SampleJournal) -> None:
    """A row that another process has taken meanwhile is that one's."""
    sample.claim(1)
    found = Decision(Status.CREATED, "look-first", "case-1")
    assert sample.journal.doubts.found_first(sample.record.id, identity(1).reference, found) is None
    assert sample.row(1).status is Status.SENDING


def test_o21_a_contest_notes_the_id_and_disputes_its_holder(sample: SampleJournal) -> None:
    """A search showed the mark of a doubtful row in the case of another."""
    send(sample, 1, created("case-1"))
    send(sample, 2, outcome(Verdict.UNKNOWN))
    doubts = sample.journal.doubts
    doubts.contest(doubt_of(sample, 2), "case-1")
    assert doubt_of(sample, 2).ids == ("case-1",)
    assert [dispute.reference for dispute in doubts.disputes(sample.record.id)] == [identity(1).reference]


def disputed(sample: SampleJournal) -> tuple[Doubt, Dispute]:
    """Return an id that two rows were answered with: the row that is in doubt by that, and the one that has it."""
    send(sample, 1, created("case-1"))
    send(sample, 2, created("case-1"))
    (dispute,) = sample.journal.doubts.disputes(sample.record.id)
    return doubt_of(sample, 2), dispute


@pytest.mark.parametrize(("how", "ids"), [("search", ("case-1",)), ("by-hand", ())])
def test_o21_an_id_that_is_handed_over_changes_both_rows(sample: SampleJournal, how: str, ids: tuple[str, ...]) -> None:
    """One is created, one unknown, both are recorded; the id speaks against sending, unless a person handed it over."""
    decision = Decision(Status.CREATED, how, "case-1")
    assert sample.journal.doubts.hand_over(*disputed(sample), decision) is Status.CREATED
    rows = select(sample.journal.path, "SELECT state, wolkvox_id, disputed FROM rows ORDER BY id LIMIT 2")
    assert rows == [("unknown", None, 0), ("created", "case-1", 0)]
    assert doubt_of(sample, 1).ids == ids
    recorded = select(sample.journal.path, "SELECT how, state FROM verdicts ORDER BY id")
    assert recorded == [(how, "unknown"), (how, "created")]


def test_o21_an_id_is_handed_over_only_where_neither_row_has_moved_on(sample: SampleJournal) -> None:
    """The doubtful row was settled meanwhile, or the other one has lost the id."""
    doubt, dispute = disputed(sample)
    doubts, decision = sample.journal.doubts, Decision(Status.CREATED, "search", "case-1")
    assert doubts.hand_over(doubt, replace(dispute, wolkvox_id="case-9"), decision) is None
    decide(sample, 2, Status.CREATED, "case-2")
    assert doubts.hand_over(doubt, dispute, decision) is None
    assert [sample.row(number).wolkvox_id for number in (1, 2)] == ["case-1", "case-2"]


def test_c58_a_case_that_is_gone_is_no_dispute_and_no_hit(sample: SampleJournal) -> None:
    """`--deleted` is only for a created row, which is planned again; its id is kept, and nothing brings it back."""
    _doubt, dispute = disputed(sample)
    doubts, record = sample.journal.doubts, sample.record.id
    assert not doubts.note_deleted(record, identity(2).reference)
    assert not doubts.note_deleted(record, identity(3).reference)
    assert doubts.note_deleted(record, dispute.reference)
    assert doubts.disputes(record) == []
    assert (sample.row(1).status, sample.row(1).deleted, sample.row(1).wolkvox_id) == (Status.PLANNED, True, None)
    assert doubts.gone(record) == {"case-1"}
    assert sample.journal.rows.lacking_ids(["case-1", "case-7"]) == ["case-7"]  # as an older report has it
    adopted = [Adopted(identity(1), Status.CREATED, "case-1")]
    assert sample.journal.adoptions.adopt(record, adopted, COLUMNS) == 0
    send(sample, 1, created("case-1"))
    assert sample.row(1).status is Status.UNKNOWN


def test_c58_a_row_whose_case_is_gone_gets_another(sample: SampleJournal) -> None:
    """The new case counts, the flag is gone, and the old id is history."""
    send(sample, 1, created("case-1"))
    assert sample.journal.doubts.note_deleted(sample.record.id, identity(1).reference)
    send(sample, 1, created("case-2"))
    row = sample.row(1)
    assert (row.status, row.wolkvox_id, row.deleted) == (Status.CREATED, "case-2", False)
    assert sample.journal.doubts.gone(sample.record.id) == {"case-1"}


# ------------------------------------------------------------------------------------------------ reports


@pytest.mark.parametrize("known", [Status.CREATED, Status.CONFLICT])
def test_r20_another_id_in_a_report_is_a_conflict_and_recorded_as_one(sample: SampleJournal, known: Status) -> None:
    """The journal keeps its own id, notes the other, names both, and keeps no value to search by."""
    send(sample, 1, created("case-1"))
    if known is Status.CONFLICT:
        ask(sample.journal.path, "UPDATE rows SET state = 'conflict' WHERE id = 1")
        ask(sample.journal.path, "UPDATE attempts SET search_value = 'x'")
    adopted = [Adopted(identity(1), Status.CREATED, "case-2")]
    assert sample.journal.adoptions.adopt(sample.record.id, adopted, COLUMNS) == 1
    assert (sample.row(1).status, sample.row(1).wolkvox_id) == (Status.CONFLICT, "case-1")
    assert doubt_of(sample, 1).ids == ("case-1", "case-2")
    assert select(sample.journal.path, "SELECT how, state FROM verdicts") == [("adopted", "conflict")]
    assert values(sample) == [None]


@pytest.mark.parametrize("verdict", [Verdict.UNKNOWN, Verdict.REJECTED, None])
def test_r20_a_doubt_in_a_report_changes_no_row_of_which_the_journal_knows_more(
    sample: SampleJournal, verdict: Verdict | None
) -> None:
    """In doubt with its attempt, rejected, or on its way: as it was."""
    attempt = sample.claim(1)
    if verdict is not None:
        sample.conclude(attempt, outcome(verdict))
    before = sample.row(1)
    assert sample.journal.adoptions.adopt(sample.record.id, [Adopted(identity(1), Status.UNKNOWN)], COLUMNS) == 0
    assert sample.row(1) == before


# ------------------------------------------------------------------------------------------------ controls


@pytest.mark.parametrize(
    ("later", "boot", "verdict", "proves"),
    [
        (QUIET + 0.1, "this boot", created("c"), True),
        (QUIET, "this boot", created("c"), False),
        (QUIET + 0.1, "another boot", created("c"), False),
        (QUIET + 0.1, "this boot", outcome(Verdict.REJECTED), False),
    ],
)
def test_o29_a_control_is_a_created_case_that_began_after_the_quiet_period(
    sample: SampleJournal, clock: Clock, later: float, boot: str, verdict: Outcome, *, proves: bool
) -> None:
    """Of the same boot, once lease and quiet period of the doubtful attempt were over; anything else proves nothing."""
    send(sample, 1, outcome(Verdict.UNKNOWN))
    clock.pass_by(LEASE + later)
    clock.boot = boot
    send(sample, 2, verdict)
    shown = [identity(2).reference]
    assert sample.journal.doubts.newer_controls(doubt_of(sample, 1), shown, QUIET) == (shown if proves else [])


def test_a_row_whose_case_is_gone_awaits_a_newer_attempt(sample: SampleJournal, clock: Clock) -> None:
    """A late answer made it created while another attempt was in flight: it is about that one, and not sent again."""
    sample.plan([1])
    first = sample.claim(1)
    clock.pass_by(1_000_000)
    sample.expire()
    [doubt] = sample.journal.doubts.of_import(sample.record.id)
    assert sample.journal.doubts.decide(doubt, Decision(Status.PLANNED, "by-hand")) is Status.PLANNED
    second = sample.claim(1)
    sample.conclude(first, created("case-1"))
    assert sample.row(1).status is Status.CREATED
    assert sample.journal.doubts.note_deleted(sample.record.id, identity(1).reference)
    assert (sample.row(1).status, sample.claim(1)) == (Status.SENDING, None)
    sample.conclude(second, created("case-2"))
    assert (sample.row(1).status, sample.row(1).wolkvox_id) == (Status.CREATED, "case-2")
    assert sample.journal.doubts.note_deleted(sample.record.id, identity(1).reference)
    assert sample.row(1).status is Status.PLANNED
