"""Doubtful rows as data, and what a page lets a person do with each of them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from promise_support import end_leases, states, tickets
from run_support import MAPPING, Office

from importer import ByHand, Connection, EventInterface, Job, SettleJob, UsageError, load_job, run
from importer.model import Status

CASE = "65f0c0ffee65f0c0ffee65f0"


@pytest.fixture
def settle(office: Office, monkeypatch: pytest.MonkeyPatch) -> SettleJob:
    """Return the means to settle an import of three rows, of which the first is created and two are in doubt."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.write(tickets([1, 2, 3]))
    office.sandbox.inject("timeout-after-creating:nth=2,wait=0", "closed-without-creating:nth=3")
    job = Job(office.source, office.mapping, Connection(office.sandbox.url, "demo"), office.journal, concurrency=1)
    run(load_job(job), EventInterface(agrees=True))
    office.sandbox.inject()
    return SettleJob(job.connection, office.journal, office.mapping, quiet_period=120)


def test_a_doubt_has_all_that_a_person_needs(settle: SettleJob, office: Office) -> None:
    """Its reference, when and from which file it was sent, when it can be decided, and whether the CRM can be asked."""
    doubts = settle.doubts()
    assert [doubt.state for doubt in doubts] == [Status.UNKNOWN] * 2
    now = datetime.now(UTC)
    for doubt in doubts:
        assert doubt.reference.startswith("WCI-")
        assert doubt.sent_at is not None
        assert now - doubt.sent_at < timedelta(minutes=1)
        assert doubt.decidable_from is not None
        assert timedelta(0) < doubt.decidable_from - now < timedelta(minutes=5)
        assert (doubt.source, doubt.import_name, doubt.can_ask) == (office.source, "office", True)
        with pytest.raises(UsageError, match="may still be created until"):
            settle.ask(doubt.reference)
        with pytest.raises(UsageError, match="may still be created until"):
            settle.by_hand(ByHand(doubt.reference, about=doubt.about))
    end_leases(office.journal)
    assert [doubt.decidable_from for doubt in settle.doubts()] == [None, None]


def test_the_crm_is_asked_for_one_row(settle: SettleJob, office: Office) -> None:
    """What it has is recorded for that row alone; what it lacks proves nothing, and the result says why."""
    end_leases(office.journal)
    made, lost = settle.doubts()
    queries = office.sandbox.calls("query")
    result = settle.ask(made.reference)
    assert (result.created, result.doubtful) == (1, 1)
    assert [row.reference for row in result.settled] == [made.reference]
    result = settle.ask(lost.reference)
    assert (result.created, result.planned, result.doubtful) == (0, 0, 1)
    assert result.refusals
    assert office.sandbox.calls("query") >= queries + 2
    assert states(office.journal) == {"created": 2, "unknown": 1}
    with pytest.raises(UsageError, match="No doubtful row"):
        settle.ask(made.reference)


def test_a_person_decides_on_what_they_saw(settle: SettleJob, office: Office) -> None:
    """Created with an id, or not created; a decision on an attempt that is no longer the last one is refused."""
    end_leases(office.journal)
    first, second = settle.doubts()
    _record, result = settle.by_hand(ByHand(first.reference, created=CASE, about=first.about))
    assert (result.created, result.doubtful) == (1, 1)
    with pytest.raises(UsageError, match="an earlier attempt"):
        settle.by_hand(ByHand(second.reference, about="1"))
    _record, result = settle.by_hand(ByHand(second.reference, about=second.about))
    assert (result.planned, result.doubtful) == (1, 0)
    assert states(office.journal) == {"created": 2, "planned": 1}
    assert settle.doubts() == []


def test_a_row_without_a_reference_in_its_case_cannot_be_asked_for(office: Office, settle: SettleJob) -> None:
    """Then a person looks it up; asking for it is refused with that."""
    office.mapping.write_text(MAPPING.replace("reference: description\n", "").replace("office", "other"), "utf-8")
    office.sandbox.inject("closed-without-creating:nth=1")
    job = Job(office.source, office.mapping, settle.connection, office.journal, spot_check=0, limit=1, new_import=True)
    run(load_job(job), EventInterface(agrees=True))
    end_leases(office.journal)
    (doubt,) = settle.doubts()
    assert (doubt.import_name, doubt.can_ask) == ("other", False)
    with pytest.raises(UsageError, match="cannot be settled by a search"):
        settle.ask(doubt.reference)
