"""The journal's states, one by one, on a real SQLite file."""

from __future__ import annotations

import sqlite3
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from journal_support import (
    COLUMNS,
    LEASE,
    SCOPE,
    SENT_VALUE,
    Clock,
    UserInterface,
    created,
    identity,
    intent,
    outcome,
    said_by,
)

from importer.errors import JournalError
from importer.journal import Decision, Journal, RunStart, default_path, program_name, schema
from importer.model import Counts, Outcome, Status, Verdict


@pytest.fixture
def clock() -> Clock:
    """Return a clock that stands still."""
    return Clock()


@pytest.fixture
def desk(tmp_path: Path, clock: Clock) -> Iterator[UserInterface]:
    """Return an open journal with rows 1 to 3 planned."""
    desk = UserInterface(tmp_path / "journal.db", clock)
    desk.plan([1, 2, 3])
    yield desk
    desk.journal.close()


def search_values(desk: UserInterface) -> list[str | None]:
    """Return the values by which attempts could be searched, as the file holds them."""
    with sqlite3.connect(desk.journal.path) as raw:
        values = [value for (value,) in raw.execute("SELECT search_value FROM attempts ORDER BY id")]
    raw.close()
    return values


def test_a_planned_row_is_known_with_its_content_and_columns(desk: UserInterface) -> None:
    """What was planned is found by key and by reference, and by nothing of another import."""
    known = desk.known(1)
    assert (known.row.status, known.columns) == (Status.PLANNED, COLUMNS)
    assert known.row.content_hash == identity(1).content_hash
    rows, record = desk.journal.rows, desk.record
    assert rows.by_reference(record.id, [identity(1).reference, "WCI-X"]) == {identity(1).reference: known}
    other = desk.journal.imports.add(SCOPE.tenant, SCOPE.operation, "other", None)
    assert rows.known(other.id, [identity(1).key_digest]) == {}
    assert desk.counts() == {Status.PLANNED: 3}


def test_planning_a_row_again_changes_nothing(desk: UserInterface) -> None:
    """A row that another process noted in between keeps what it has."""
    desk.conclude(desk.claim(1), created("a"))
    desk.plan([1])
    assert desk.row(1).status is Status.CREATED


def test_thousands_of_rows_are_noted_and_found(desk: UserInterface) -> None:
    """Lists longer than one statement takes are sliced."""
    desk.plan(range(1, 1502))
    found = desk.journal.rows.known(desk.record.id, [identity(number).key_digest for number in range(1, 1502)])
    assert len(found) == 1501
    assert desk.counts() == {Status.PLANNED: 1501}


def test_an_intent_is_on_the_disk_before_it_is_returned(desk: UserInterface) -> None:
    """Another process sees the row as being sent as soon as `claim` has returned, with its lease and search value."""
    attempt = desk.claim(1)
    assert attempt
    assert attempt.reference == identity(1).reference
    assert said_by("show", desk.journal.path).strip() == "sending"
    assert search_values(desk) == [SENT_VALUE]
    row = desk.row(1)
    assert row.sent_at == 1_700_000_000
    assert row.lease_until == datetime.fromtimestamp(1_700_000_000 + LEASE, UTC)


def test_a_lease_is_told_while_its_row_is_being_sent(desk: UserInterface) -> None:
    """Once an answer has come nobody waits for it, and the row has none."""
    attempt = desk.claim(1)
    assert desk.row(1).lease_until
    desk.conclude(attempt, created("a"))
    assert desk.row(1).lease_until is None


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows takes no zone from the environment")
def test_moments_are_in_the_users_zone_as_it_was_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before and after the clocks are put forward, to the second, as asking the system each time would tell it."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    schema._zone.cache_clear()
    forward = 1_772_953_200  # 2026-03-08 02:00 in New York
    for seconds in (forward - 0.001, forward, forward + 0.5, 0.25):
        expected = datetime.fromtimestamp(seconds, UTC).astimezone()
        told = schema.moment(seconds)
        assert (told, told.utcoffset()) == (expected, expected.utcoffset())
    assert [schema.moment(forward + late).hour for late in (-1, 0)] == [1, 3]
    monkeypatch.undo()
    time.tzset()
    schema._zone.cache_clear()


def test_commits_are_synchronous(desk: UserInterface) -> None:
    """FULL, write-ahead, foreign keys on: what SQLite says of the open file itself."""
    with desk.journal._database.read() as connection:
        said = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("synchronous", "journal_mode", "foreign_keys")
        }
    assert said == {"synchronous": 2, "journal_mode": "wal", "foreign_keys": 1}


def test_only_a_planned_row_is_claimed(desk: UserInterface) -> None:
    """No other state, no unknown reference and no other import's row is given out."""
    assert desk.claim(1)
    assert desk.claim(1) is None
    assert desk.claim(99) is None
    desk.plan([4], Status.INVALID)
    assert desk.claim(4) is None
    for number, what in ((2, outcome(Verdict.REJECTED)), (3, outcome(Verdict.UNKNOWN))):
        desk.conclude(desk.claim(number), what)
        assert desk.claim(number) is None
    other = desk.journal.imports.add(SCOPE.tenant, SCOPE.operation, "other", None)
    desk.plan([5])
    assert desk.journal.attempts.claim(other.id, desk.run, intent(5)) is None


def test_a_created_row_has_its_ids_and_its_answer(desk: UserInterface) -> None:
    """Id, prefix, message and run stand with the row; the value that could be searched is erased."""
    desk.conclude(desk.claim(1), created("a1"))
    row = desk.row(1)
    assert (row.status, row.wolkvox_id, row.id_prefijo, row.message) == (Status.CREATED, "a1", "P-a1", "Created.")
    assert row.run == desk.run
    assert search_values(desk) == [None]
    assert desk.journal.runs.all()[0].created_now == 1


@pytest.mark.parametrize(
    ("verdict", "state", "kept"),
    [
        (Verdict.REJECTED, Status.REJECTED, None),
        (Verdict.UNKNOWN, Status.UNKNOWN, SENT_VALUE),
        (Verdict.NOT_DELIVERED, Status.PLANNED, None),
    ],
)
def test_r13_the_state_after_an_answer(desk: UserInterface, verdict: Verdict, state: Status, kept: str | None) -> None:
    """A rejected, unknown or undelivered row keeps the message; only an unknown one keeps the value to search by."""
    desk.conclude(desk.claim(1), outcome(verdict))
    assert (desk.row(1).status, desk.row(1).message) == (state, f"It is {verdict}.")
    assert search_values(desk) == [kept]
    assert (desk.claim(1) is not None) == (state is Status.PLANNED)


def test_outcome_and_id_are_in_one_commit(desk: UserInterface) -> None:
    """Where the second half of an outcome fails, its first half is undone: no answer without its id."""
    attempt = desk.claim(1)
    with sqlite3.connect(desk.journal.path) as raw:
        raw.execute("CREATE TRIGGER fails UPDATE ON attempts BEGIN SELECT RAISE(ABORT, 'no answer is written'); END")
    raw.close()
    with pytest.raises(JournalError, match="no answer is written"):
        desk.conclude(attempt, created("a1"))
    assert (desk.row(1).status, desk.row(1).wolkvox_id) == (Status.SENDING, None)
    assert desk.journal.runs.all()[0].created_now == 0


def test_a_claim_records_the_content_that_is_sent(desk: UserInterface) -> None:
    """A row that was corrected since it was planned has the hash of what went out."""
    desk.conclude(desk.claim(1, content="corrected"), created("a1"))
    assert desk.row(1).content_hash == identity(1, "corrected").content_hash


def test_a_lease_that_ends_makes_a_row_unknown_and_not_a_moment_sooner(desk: UserInterface, clock: Clock) -> None:
    """Another process that looks changes nothing; time does."""
    desk.claim(1)
    clock.pass_by(LEASE)
    assert desk.expire() == 0
    assert desk.row(1).status is Status.SENDING
    clock.pass_by(0.1)
    assert desk.expire() == 1
    assert desk.row(1).status is Status.UNKNOWN
    assert "may exist" in desk.row(1).message
    assert desk.claim(1) is None


@pytest.mark.parametrize(
    ("what", "state"),
    [
        (created("late"), Status.CREATED),
        (outcome(Verdict.REJECTED), Status.REJECTED),
        (outcome(Verdict.NOT_DELIVERED), Status.PLANNED),
        (outcome(Verdict.UNKNOWN), Status.UNKNOWN),
    ],
)
def test_a_late_answer_settles_the_row_that_still_speaks_of_its_attempt(
    desk: UserInterface, clock: Clock, what: Outcome, state: Status
) -> None:
    """The slow attempt of a process stays its own: its answer counts after the lease, too."""
    attempt = desk.claim(1)
    clock.pass_by(LEASE + 1)
    desk.expire()
    desk.conclude(attempt, what)
    assert desk.row(1).status is state


def test_an_answer_of_an_older_attempt_changes_nothing_unless_it_created_a_case(desk: UserInterface) -> None:
    """Every transition names the attempt that it ends; a created answer that comes late is kept."""
    first = desk.claim(1)
    desk.conclude(first, outcome(Verdict.NOT_DELIVERED))
    second = desk.claim(1)
    for verdict in (Verdict.REJECTED, Verdict.UNKNOWN, Verdict.NOT_DELIVERED):
        desk.conclude(first, outcome(verdict))
        assert desk.row(1).status is Status.SENDING
    desk.conclude(first, created("late"))
    assert (desk.row(1).status, desk.row(1).wolkvox_id) == (Status.CREATED, "late")
    desk.conclude(second, outcome(Verdict.REJECTED))
    assert (desk.row(1).status, desk.row(1).wolkvox_id) == (Status.CREATED, "late")


def test_an_answer_that_created_a_case_is_not_taken_back(desk: UserInterface) -> None:
    """A second Ctrl-C that calls the attempt unknown a moment later loses neither state, id nor count."""
    attempt = desk.claim(1)
    desk.conclude(attempt, created("a1"))
    desk.conclude(attempt, outcome(Verdict.UNKNOWN))
    assert (desk.row(1).status, desk.row(1).wolkvox_id) == (Status.CREATED, "a1")
    assert desk.journal.runs.all()[0].created_now == 1


def test_several_ids_are_a_conflict_that_names_them_all(desk: UserInterface) -> None:
    """The row keeps its first id, and every other that arrived stands in the message."""
    attempts = []
    for _number in range(3):
        attempts.append(desk.claim(1))
        desk.conclude(attempts[-1], outcome(Verdict.NOT_DELIVERED))
    for attempt, case in zip(attempts, "abc", strict=True):
        desk.conclude(attempt, created(f"case-{case}"))
    row = desk.row(1)
    assert (row.status, row.wolkvox_id, row.id_prefijo) == (Status.CONFLICT, "case-a", "P-case-a")
    assert all(f"case-{case}" in row.message for case in "abc")
    assert desk.claim(1) is None


def test_o28_a_row_whose_ids_are_known_is_sent_again_only_despite_each_of_them(desk: UserInterface) -> None:
    """`not created` is refused while an id is known that it does not name; what was named stays as history."""
    first = desk.claim(1)
    desk.conclude(first, outcome(Verdict.NOT_DELIVERED))
    second = desk.claim(1)
    desk.conclude(first, created("case-a"))
    desk.conclude(second, created("case-b"))
    (doubt,) = desk.journal.doubts.of_import(desk.record.id)
    for despite in ((), ("case-a",)):
        assert desk.journal.doubts.decide(doubt, Decision(Status.PLANNED, "by-hand", despite=despite)) is None
    assert desk.journal.doubts.decide(doubt, Decision(Status.PLANNED, "by-hand", despite=("case-a", "case-b")))
    desk.conclude(desk.claim(1), created("case-c"))
    assert (desk.row(1).status, desk.row(1).wolkvox_id) == (Status.CREATED, "case-c")
    with closing(sqlite3.connect(desk.journal.path)) as raw:
        kept = {case for (case,) in raw.execute("SELECT wolkvox_id FROM arrived_ids")}
    assert kept == {"case-a", "case-b", "case-c"}


def test_the_same_id_twice_is_no_conflict(desk: UserInterface) -> None:
    """An answer that is taken in again changes nothing."""
    attempt = desk.claim(1)
    desk.conclude(attempt, created("a1"))
    before = desk.row(1)
    desk.conclude(attempt, created("a1"))
    assert desk.row(1) == before


def test_corrected_rows_are_planned_again_and_no_others(desk: UserInterface) -> None:
    """Invalid and rejected rows go again; created, unknown and sending ones never by this way."""
    desk.plan([4], Status.INVALID)
    desk.plan([5])
    desk.conclude(desk.claim(1), outcome(Verdict.REJECTED))
    desk.conclude(desk.claim(2), outcome(Verdict.UNKNOWN))
    desk.conclude(desk.claim(3), created("c"))
    desk.claim(5)
    desk.journal.rows.replan(desk.record.id, [identity(number).reference for number in (1, 2, 3, 4, 5)])
    states = [desk.row(number).status for number in (1, 2, 3, 4, 5)]
    assert states == [Status.PLANNED, Status.UNKNOWN, Status.CREATED, Status.PLANNED, Status.SENDING]
    assert desk.row(1).message == ""
    desk.journal.rows.replan(desk.record.id, [])


def test_r4_changed_is_a_flag_on_a_created_row(desk: UserInterface) -> None:
    """It comes and goes with the sheet's content, and touches no row that is not created."""
    desk.conclude(desk.claim(1), created("a"))
    references = [identity(number).reference for number in (1, 2)]
    desk.journal.rows.flag_changed(desk.record.id, dict.fromkeys(references, True))
    assert [desk.row(1).changed, desk.row(2).changed] == [True, False]
    assert desk.row(1).status is Status.CREATED
    desk.journal.rows.flag_changed(desk.record.id, {references[0]: False})
    assert not desk.row(1).changed
    desk.journal.rows.flag_changed(desk.record.id, {})


def test_similar_keys_are_those_of_rows_that_may_be_sent(desk: UserInterface) -> None:
    """A key that was only ever invalid does not stand in the way of its correction."""
    desk.plan([4], Status.INVALID)
    loose = [identity(number).loose_digest for number in (1, 4, 9)]
    assert desk.journal.rows.similar(desk.record.id, loose) == {loose[0]: {identity(1).key_digest}}


def test_r6_ids_that_the_journal_lacks_are_told_in_their_order(desk: UserInterface) -> None:
    """Each once, whatever import knows the others."""
    desk.conclude(desk.claim(1), created("known"))
    assert desk.journal.rows.lacking_ids(["z", "known", "a", "z"]) == ["z", "a"]
    assert desk.journal.rows.lacking_ids(iter(())) == []


def test_an_import_is_found_by_its_scope_and_noted_once(desk: UserInterface) -> None:
    """Whoever notes it second gets what the first one noted, the bound file included."""
    imports = desk.journal.imports
    assert imports.find(SCOPE.tenant, SCOPE.operation, SCOPE.import_name) == desk.record
    assert imports.find(SCOPE.tenant, SCOPE.operation, "other") is None
    bound = imports.add(SCOPE.tenant, SCOPE.operation, "other", "digest-1")
    assert bound.bound_to == "digest-1"
    assert imports.add(SCOPE.tenant, SCOPE.operation, "other", "digest-2") == bound


def test_r11_the_imports_that_know_keys_are_told_with_how_many(desk: UserInterface) -> None:
    """The one that knows the most comes first; one that knows none is not there."""
    imports = desk.journal.imports
    more = imports.add(SCOPE.tenant, "op2", "more", None)
    imports.add(SCOPE.tenant, SCOPE.operation, "none", None)
    others = [(identity(number), Status.PLANNED) for number in range(4, 8)]
    moved = [
        (type(who)(who.key_digest, who.loose_digest, f"WCI-{place}", who.content_hash), status)
        for place, (who, status) in enumerate(others)
    ]
    desk.journal.rows.add(more.id, moved, COLUMNS)
    digests = [identity(number).key_digest for number in range(2, 900)]
    assert imports.knowing(digests) == [(more, 4), (desk.record, 2)]
    assert imports.knowing([]) == []


def test_p5_reports_are_remembered_as_they_were_written(desk: UserInterface) -> None:
    """A report is ours while its bytes are; noting it twice is no fault."""
    imports = desk.journal.imports
    assert not imports.is_report("digest")
    imports.note_report(desk.record.id, "digest")
    imports.note_report(desk.record.id, "digest")
    assert imports.is_report("digest")


def test_r5_runs_alike_are_those_of_the_same_bytes_and_the_same_program(desk: UserInterface) -> None:
    """Another source, another mapping, another import or another version of the program makes no run alike."""
    runs = desk.journal.runs
    other = desk.journal.imports.add(SCOPE.tenant, SCOPE.operation, "other", None)
    alike = RunStart("/t.xlsx", "source", "mapping", "https://crm0001.wolkvox.com", "ana", program_name())
    same = runs.start(desk.record.id, alike)
    for changed in ({"source_digest": "x"}, {"mapping_digest": "x"}, {"program": "case-importer 0"}):
        runs.start(desk.record.id, replace(alike, **changed))
    runs.start(other.id, alike)
    assert runs.alike(desk.record.id, "source", "mapping") == {same}


def test_runs_are_told_with_what_they_did(desk: UserInterface, clock: Clock) -> None:
    """The newest first; one that was killed has no end, and its created cases are counted all the same."""
    desk.conclude(desk.claim(1), created("a"))
    start = RunStart("/b.csv", "d", "m", "https://crm0001.wolkvox.com", "ana", "case-importer 0")
    later = desk.journal.runs.start(desk.record.id, start)
    clock.pass_by(10)
    desk.journal.runs.end(later, Counts(created=1, planned=2), calls=3, exit_status=3)
    ended, killed = desk.journal.runs.all()
    assert (ended.id, ended.import_name, ended.operation, ended.start) == (later, "tickets", "op", start)
    assert ended.ended_at
    assert (ended.ended_at - ended.started_at).total_seconds() == 10
    assert (ended.calls, ended.counts, ended.exit_status) == (3, Counts(created=1, planned=2), 3)
    assert (killed.ended_at, killed.counts, killed.created_now) == (None, None, 1)
    assert killed.started_at.tzinfo is not None


def test_everything_is_there_when_the_journal_is_opened_again(desk: UserInterface) -> None:
    """States, ids and columns outlive the process."""
    desk.conclude(desk.claim(1), created("a"))
    before = [desk.known(number) for number in (1, 2, 3)]
    desk.journal.close()
    again = UserInterface(desk.journal.path)
    assert [again.known(number) for number in (1, 2, 3)] == before
    again.journal.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps the user's data folder by access lists")
def test_the_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    """The journal, what SQLite lays beside it, the rescue file and a folder that was made for them."""
    desk = UserInterface(tmp_path / "new" / "journal.db")
    desk.plan([1])
    files = list((tmp_path / "new").iterdir())
    assert {file.name for file in files} >= {"journal.db", "journal.db-wal", "journal.db.rescue"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    desk.journal.close()


def test_x3_the_journal_holds_no_cell(tmp_path: Path) -> None:
    """Neither keys nor contents stand in the file, nor the searched value once its row is settled."""
    desk = UserInterface(tmp_path / "journal.db")
    desk.plan([1, 2])
    desk.conclude(desk.claim(1), created("a"))
    desk.journal.close()
    with sqlite3.connect(tmp_path / "journal.db") as raw:
        dump = "\n".join(raw.iterdump())
    raw.close()
    assert identity(1).reference in dump
    assert not [text for text in ("T-1", "as it was", SENT_VALUE) if text in dump]


def test_an_intent_without_a_search_value_is_fine(desk: UserInterface) -> None:
    """A mapping without a place for the reference has nothing to search by."""
    bare = replace(intent(1), search_field=None, search_value=None)
    assert desk.journal.attempts.claim(desk.record.id, desk.run, bare)
    assert search_values(desk) == [None]


def test_the_default_place_is_the_users_data_folder() -> None:
    """Unless `--journal` says otherwise."""
    assert default_path().parts[-2:] == ("case-importer", "journal.db")


def test_a_journal_is_a_context_manager(tmp_path: Path) -> None:
    """Leaving the block closes the file: SQLite's own files beside it are gone."""
    with Journal(tmp_path / "journal.db") as journal:
        assert journal.runs.all() == []
    assert not (tmp_path / "journal.db-wal").exists()
