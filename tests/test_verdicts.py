"""A person's decision counts for the attempt that they saw, not before its quiet period ends, and unless disproved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from journal_support import LEASE, Clock, SampleJournal, created, identity, outcome

from importer.journal import Doubt
from importer.model import Outcome, Status, Verdict
from importer.workflow.jobs.decisions import DecisionTaker, HumanDecision
from importer.workflow.keys.history import ImportHistory

QUIET = 120.0
REFERENCE = identity(1).reference
UNKNOWN = outcome(Verdict.UNKNOWN)


@pytest.fixture
def clock() -> Clock:
    """Return a clock that stands still."""
    return Clock()


@pytest.fixture
def desk(tmp_path: Path, clock: Clock) -> Iterator[SampleJournal]:
    """Return an open journal with rows 1 to 3 planned."""
    desk = SampleJournal(tmp_path / "journal.db", clock)
    desk.plan([1, 2, 3])
    yield desk
    desk.journal.close()


def taker(desk: SampleJournal) -> DecisionTaker:
    """Return the object that records a person's decisions."""
    return DecisionTaker(ImportHistory(desk.journal, desk.record), QUIET, "report")


def take(desk: SampleJournal, verdict: HumanDecision) -> str:
    """Return why a decision was refused, empty if it was recorded."""
    return taker(desk).take(verdict) or ""


def in_doubt(desk: SampleJournal, clock: Clock, number: int = 1, what: Outcome = UNKNOWN) -> Doubt:
    """Send a row, let its answer be useless, and let its quiet period end."""
    desk.conclude(desk.claim(number), what)
    clock.pass_by(LEASE + QUIET)
    doubts = desk.journal.doubts.of_import(desk.record.id)
    return next(doubt for doubt in doubts if doubt.reference == identity(number).reference)


def test_o28_a_verdict_names_the_attempt_that_it_is_about(desk: SampleJournal, clock: Clock) -> None:
    """A decision on the first attempt is refused once the row was sent again; one on the second is recorded."""
    first = in_doubt(desk, clock)
    assert take(desk, HumanDecision(REFERENCE, None, about=first.about)) == ""
    second = in_doubt(desk, clock)
    assert "an earlier attempt" in take(desk, HumanDecision(REFERENCE, None, about=first.about))
    assert desk.row(1).status is Status.UNKNOWN
    assert take(desk, HumanDecision(REFERENCE, "case-1", about=second.about)) == ""
    assert (desk.row(1).status, desk.row(1).wolkvox_id) == (Status.CREATED, "case-1")


@pytest.mark.parametrize(
    ("off", "other_run", "taken"),
    [
        (0, 0, True),
        (1, 0, True),
        (-1, 0, True),
        (-5 * 3600, 0, True),
        (5 * 3600 + 45 * 60 - 1, 0, True),
        (0, None, True),
        (0, 1, False),
        (3, 0, False),
        (-3, 0, False),
        (60, 0, False),
        (5 * 3600 - 60, 0, False),
    ],
)
def test_o28_a_sheet_of_the_first_version_names_run_and_moment(
    desk: SampleJournal, clock: Clock, *, off: int, other_run: int | None, taken: bool
) -> None:
    """To the second, in whatever zone the sheet was written; another run or time is another attempt."""
    doubt = in_doubt(desk, clock)
    shown = datetime.fromtimestamp((doubt.sent_at or 0) + off, UTC)
    run = None if other_run is None else (doubt.run or 0) + other_run
    refusal = take(desk, HumanDecision(REFERENCE, None, run=run, sent_at=shown))
    assert ("an earlier attempt" not in refusal) is taken
    assert desk.row(1).status is (Status.PLANNED if taken else Status.UNKNOWN)


@pytest.mark.parametrize("case", ["case-1", None])
def test_o28_nobody_can_know_before_lease_and_quiet_period_are_over(
    desk: SampleJournal, clock: Clock, case: str | None
) -> None:
    """The refusal names the time from which a decision is accepted, and from then on it is."""
    desk.conclude(desk.claim(1), UNKNOWN)
    for seconds in (0, LEASE, QUIET - 0.1):
        clock.pass_by(seconds)
        assert "may still be created until" in take(desk, HumanDecision(REFERENCE, case))
    clock.pass_by(0.1)
    assert take(desk, HumanDecision(REFERENCE, case)) == ""


def test_o28_a_row_that_is_being_sent_is_not_in_doubt_yet(desk: SampleJournal, clock: Clock) -> None:
    """Until its lease is over; then it is, even without another run."""
    desk.claim(1)
    assert "is being sent" in take(desk, HumanDecision(REFERENCE, None))
    clock.pass_by(LEASE + QUIET)
    assert take(desk, HumanDecision(REFERENCE, None)) == ""


def test_o23_what_is_known_of_a_row_speaks_against_a_verdict(desk: SampleJournal, clock: Clock) -> None:
    """Every id that arrived must be named; an id of another row is refused, with the row and the option to use."""
    in_doubt(desk, clock, 1, Outcome(Verdict.UNKNOWN, "No.", ids=("case-a", "case b")))
    for despite in ((), ("case-a",)):
        assert "--despite 'case b'" in take(desk, HumanDecision(REFERENCE, None, despite=despite))
    desk.conclude(desk.claim(2), created("case-2"))
    refusal = take(desk, HumanDecision(REFERENCE, "case-2"))
    assert f"--created case-2 --instead-of {identity(2).reference}" in refusal
    assert take(desk, HumanDecision(REFERENCE, None, despite=("case-a", "case b"))) == ""


def test_o21_an_id_is_not_handed_over_too_early(desk: SampleJournal, clock: Clock) -> None:
    """The row's own case may still be created."""
    desk.conclude(desk.claim(1), created("case-1"))
    desk.conclude(desk.claim(2), created("case-1"))
    holder = desk.journal.doubts.holder_of(desk.record.id, REFERENCE, "case-1")
    doubt = taker(desk).doubt(identity(2).reference)
    assert doubt
    assert "may still be created until" in (taker(desk).hand_over(doubt, holder) or "")
    clock.pass_by(LEASE + QUIET)
    assert taker(desk).hand_over(doubt, holder) is None
    assert [desk.row(number).wolkvox_id for number in (1, 2)] == [None, "case-1"]
