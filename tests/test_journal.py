"""The journal's states, one by one, on a real SQLite file."""

from __future__ import annotations

import sqlite3
import stat
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
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
    SampleJournal,
    created,
    identity,
    intent,
    outcome,
    said_by,
)
from nursery import Nursery
from place_support import ask

from importer.errors import JournalError
from importer.journal import Decision, Journal, RunStart, default_path
from importer.journal_place import Server
from importer.model import Counts, Outcome, Status, Verdict

pytestmark = pytest.mark.on_both


@pytest.fixture
def clock() -> Clock:
    """Return a clock that does not move by itself."""
    return Clock()


@pytest.fixture
def sample(tmp_path: Path, clock: Clock, journal_server: Server | None) -> Iterator[SampleJournal]:
    """Return an open journal with rows 1 to 3 planned."""
    sample = SampleJournal(journal_server or tmp_path / "journal.db", clock)
    sample.plan([1, 2, 3])
    yield sample
    sample.journal.close()


def search_values(sample: SampleJournal) -> list[str | None]:
    """Return the values by which attempts could be searched, as the file holds them."""
    return [value for (value,) in ask(sample.journal.path, "SELECT search_value FROM attempts ORDER BY id")]


def test_a_planned_row_is_known_with_its_content_and_columns(sample: SampleJournal) -> None:
    """What was planned is found by key and by reference, and by nothing of another import."""
    known = sample.known(1)
    assert (known.row.status, known.columns) == (Status.PLANNED, COLUMNS)
    assert known.row.content_hash == identity(1).content_hash
    rows, record = sample.journal.rows, sample.record
    assert rows.by_reference(record.id, [identity(1).reference, "WCI-X"]) == {identity(1).reference: known}
    other = sample.journal.imports.add(SCOPE.tenant, SCOPE.operation, "other", None)
    assert rows.known(other.id, [identity(1).key_digest]) == {}
    assert sample.counts() == {Status.PLANNED: 3}


def test_planning_a_row_again_changes_nothing(sample: SampleJournal) -> None:
    """A row that another process noted in between keeps what it has."""
    sample.conclude(sample.claim(1), created("a"))
    sample.plan([1])
    assert sample.row(1).status is Status.CREATED


def test_thousands_of_rows_are_noted_and_found(sample: SampleJournal) -> None:
    """Lists longer than one statement takes are sliced."""
    sample.plan(range(1, 1502))
    found = sample.journal.rows.known(sample.record.id, [identity(number).key_digest for number in range(1, 1502)])
    assert len(found) == 1501
    assert sample.counts() == {Status.PLANNED: 1501}


@pytest.mark.in_a_file
def test_an_intent_is_on_the_disk_before_it_is_returned(sample: SampleJournal, nursery: Nursery) -> None:
    """Another process sees the row as being sent as soon as `claim` has returned, with its lease and search value."""
    attempt = sample.claim(1)
    assert attempt
    assert attempt.reference == identity(1).reference
    assert said_by(nursery, "show", sample.journal.path).strip() == "sending"
    assert search_values(sample) == [SENT_VALUE]
    row = sample.row(1)
    assert row.sent_at == 1_700_000_000
    assert row.lease_until == datetime.fromtimestamp(1_700_000_000 + LEASE, UTC)


def test_a_lease_is_told_while_its_row_is_being_sent(sample: SampleJournal) -> None:
    """Once an answer has come, the row has no lease any more."""
    attempt = sample.claim(1)
    assert sample.row(1).lease_until
    sample.conclude(attempt, created("a"))
    assert sample.row(1).lease_until is None


@pytest.mark.in_a_file
def test_commits_are_synchronous(sample: SampleJournal) -> None:
    """FULL, write-ahead, foreign keys on: what SQLite says of the open file itself."""
    with sample.journal._database.read() as connection:
        said = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("synchronous", "journal_mode", "foreign_keys")
        }
    assert said == {"synchronous": 2, "journal_mode": "wal", "foreign_keys": 1}


def test_only_a_planned_row_is_claimed(sample: SampleJournal) -> None:
    """No other state, no unknown reference and no other import's row is given out."""
    assert sample.claim(1)
    assert sample.claim(1) is None
    assert sample.claim(99) is None
    sample.plan([4], Status.INVALID)
    assert sample.claim(4) is None
    for number, what in ((2, outcome(Verdict.REJECTED)), (3, outcome(Verdict.UNKNOWN))):
        sample.conclude(sample.claim(number), what)
        assert sample.claim(number) is None
    other = sample.journal.imports.add(SCOPE.tenant, SCOPE.operation, "other", None)
    sample.plan([5])
    assert sample.journal.attempts.claim(other.id, sample.run, intent(5)) is None


def test_a_created_row_has_its_ids_and_its_answer(sample: SampleJournal) -> None:
    """The row has id, prefix, message and run; the value that could be searched is erased."""
    sample.conclude(sample.claim(1), created("a1"))
    row = sample.row(1)
    assert (row.status, row.wolkvox_id, row.id_prefijo, row.message) == (Status.CREATED, "a1", "P-a1", "Created.")
    assert row.run == sample.run
    assert search_values(sample) == [None]
    assert sample.journal.runs.all()[0].created_now == 1


@pytest.mark.parametrize(
    ("verdict", "state", "kept"),
    [
        (Verdict.REJECTED, Status.REJECTED, None),
        (Verdict.UNKNOWN, Status.UNKNOWN, SENT_VALUE),
        (Verdict.NOT_DELIVERED, Status.PLANNED, None),
    ],
)
def test_r13_the_state_after_an_answer(
    sample: SampleJournal, verdict: Verdict, state: Status, kept: str | None
) -> None:
    """A rejected, unknown or undelivered row keeps the message; only an unknown one keeps the value to search by."""
    sample.conclude(sample.claim(1), outcome(verdict))
    assert (sample.row(1).status, sample.row(1).message) == (state, f"It is {verdict}.")
    assert search_values(sample) == [kept]
    assert (sample.claim(1) is not None) == (state is Status.PLANNED)


_FAILING = {
    False: ("CREATE TRIGGER fails UPDATE ON attempts BEGIN SELECT RAISE(ABORT, 'no answer is written'); END",),
    True: (
        (
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'no answer is written'; END $$"
        ),
        "CREATE TRIGGER fails BEFORE UPDATE ON attempts FOR EACH ROW EXECUTE FUNCTION fail()",
    ),
}
"""What makes every change of an attempt fail, by whether the journal is on a server."""


def test_outcome_and_id_are_in_one_commit(sample: SampleJournal) -> None:
    """Where the second half of an outcome fails, its first half is undone: no answer without its id."""
    attempt = sample.claim(1)
    for statement in _FAILING[isinstance(sample.journal.path, Server)]:
        ask(sample.journal.path, statement)
    with pytest.raises(JournalError, match="no answer is written"):
        sample.conclude(attempt, created("a1"))
    assert (sample.row(1).status, sample.row(1).wolkvox_id) == (Status.SENDING, None)
    assert sample.journal.runs.all()[0].created_now == 0


def test_a_claim_records_the_content_that_is_sent(sample: SampleJournal) -> None:
    """A row that was corrected since it was planned has the hash of what went out."""
    sample.conclude(sample.claim(1, content="corrected"), created("a1"))
    assert sample.row(1).content_hash == identity(1, "corrected").content_hash


def test_a_lease_that_ends_makes_a_row_unknown_and_not_a_moment_sooner(sample: SampleJournal, clock: Clock) -> None:
    """Another process that looks changes nothing; time does."""
    sample.claim(1)
    clock.pass_by(LEASE)
    assert sample.expire() == 0
    assert sample.row(1).status is Status.SENDING
    clock.pass_by(0.1)
    assert sample.expire() == 1
    assert sample.row(1).status is Status.UNKNOWN
    assert "may exist" in sample.row(1).message
    assert sample.claim(1) is None


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
    sample: SampleJournal, clock: Clock, what: Outcome, state: Status
) -> None:
    """The slow attempt of a process stays its own: its answer also counts after the lease."""
    attempt = sample.claim(1)
    clock.pass_by(LEASE + 1)
    sample.expire()
    sample.conclude(attempt, what)
    assert sample.row(1).status is state


def test_an_answer_of_an_older_attempt_changes_nothing_unless_it_created_a_case(sample: SampleJournal) -> None:
    """Every transition names the attempt that it ends; a created answer that comes late is kept."""
    first = sample.claim(1)
    sample.conclude(first, outcome(Verdict.NOT_DELIVERED))
    second = sample.claim(1)
    for verdict in (Verdict.REJECTED, Verdict.UNKNOWN, Verdict.NOT_DELIVERED):
        sample.conclude(first, outcome(verdict))
        assert sample.row(1).status is Status.SENDING
    sample.conclude(first, created("late"))
    assert (sample.row(1).status, sample.row(1).wolkvox_id) == (Status.CREATED, "late")
    sample.conclude(second, outcome(Verdict.REJECTED))
    assert (sample.row(1).status, sample.row(1).wolkvox_id) == (Status.CREATED, "late")


def test_an_answer_that_created_a_case_is_not_taken_back(sample: SampleJournal) -> None:
    """A second Ctrl-C that calls the attempt unknown a moment later loses neither state, id nor count."""
    attempt = sample.claim(1)
    sample.conclude(attempt, created("a1"))
    sample.conclude(attempt, outcome(Verdict.UNKNOWN))
    assert (sample.row(1).status, sample.row(1).wolkvox_id) == (Status.CREATED, "a1")
    assert sample.journal.runs.all()[0].created_now == 1


def test_several_ids_are_a_conflict_that_names_them_all(sample: SampleJournal) -> None:
    """The row keeps its first id, and the message names every other that arrived."""
    attempts = []
    for _number in range(3):
        attempts.append(sample.claim(1))
        sample.conclude(attempts[-1], outcome(Verdict.NOT_DELIVERED))
    for attempt, case in zip(attempts, "abc", strict=True):
        sample.conclude(attempt, created(f"case-{case}"))
    row = sample.row(1)
    assert (row.status, row.wolkvox_id, row.id_prefijo) == (Status.CONFLICT, "case-a", "P-case-a")
    assert all(f"case-{case}" in row.message for case in "abc")
    assert sample.claim(1) is None


def test_o28_a_row_whose_ids_are_known_is_sent_again_only_despite_each_of_them(sample: SampleJournal) -> None:
    """`not created` is refused while an id is known that it does not name; what was named stays as history."""
    first = sample.claim(1)
    sample.conclude(first, outcome(Verdict.NOT_DELIVERED))
    second = sample.claim(1)
    sample.conclude(first, created("case-a"))
    sample.conclude(second, created("case-b"))
    (doubt,) = sample.journal.doubts.of_import(sample.record.id)
    for despite in ((), ("case-a",)):
        assert sample.journal.doubts.decide(doubt, Decision(Status.PLANNED, "by-hand", despite=despite)) is None
    assert sample.journal.doubts.decide(doubt, Decision(Status.PLANNED, "by-hand", despite=("case-a", "case-b")))
    sample.conclude(sample.claim(1), created("case-c"))
    assert (sample.row(1).status, sample.row(1).wolkvox_id) == (Status.CREATED, "case-c")
    kept = {case for (case,) in ask(sample.journal.path, "SELECT wolkvox_id FROM arrived_ids")}
    assert kept == {"case-a", "case-b", "case-c"}


def test_the_same_id_twice_is_no_conflict(sample: SampleJournal) -> None:
    """An answer that is taken in again changes nothing."""
    attempt = sample.claim(1)
    sample.conclude(attempt, created("a1"))
    before = sample.row(1)
    sample.conclude(attempt, created("a1"))
    assert sample.row(1) == before


def test_corrected_rows_are_planned_again_and_no_others(sample: SampleJournal) -> None:
    """Invalid and rejected rows go again; created, unknown and sending ones never by this way."""
    sample.plan([4], Status.INVALID)
    sample.plan([5])
    sample.conclude(sample.claim(1), outcome(Verdict.REJECTED))
    sample.conclude(sample.claim(2), outcome(Verdict.UNKNOWN))
    sample.conclude(sample.claim(3), created("c"))
    sample.claim(5)
    sample.journal.rows.replan(sample.record.id, [identity(number).reference for number in (1, 2, 3, 4, 5)])
    states = [sample.row(number).status for number in (1, 2, 3, 4, 5)]
    assert states == [Status.PLANNED, Status.UNKNOWN, Status.CREATED, Status.PLANNED, Status.SENDING]
    assert sample.row(1).message == ""
    sample.journal.rows.replan(sample.record.id, [])


def test_r4_changed_is_a_flag_on_a_created_row(sample: SampleJournal) -> None:
    """It comes and goes with the sheet's content, and touches no row that is not created."""
    sample.conclude(sample.claim(1), created("a"))
    references = [identity(number).reference for number in (1, 2)]
    sample.journal.rows.flag_changed(sample.record.id, dict.fromkeys(references, True))
    assert [sample.row(1).changed, sample.row(2).changed] == [True, False]
    assert sample.row(1).status is Status.CREATED
    sample.journal.rows.flag_changed(sample.record.id, {references[0]: False})
    assert not sample.row(1).changed
    sample.journal.rows.flag_changed(sample.record.id, {})


def test_similar_keys_are_those_of_rows_that_may_be_sent(sample: SampleJournal) -> None:
    """A key that was only ever invalid does not prevent its correction."""
    sample.plan([4], Status.INVALID)
    loose = [identity(number).loose_digest for number in (1, 4, 9)]
    assert sample.journal.rows.similar(sample.record.id, loose) == {loose[0]: {identity(1).key_digest}}


def test_r6_ids_that_the_journal_lacks_are_told_in_their_order(sample: SampleJournal) -> None:
    """Each once, whatever import knows the others."""
    sample.conclude(sample.claim(1), created("known"))
    assert sample.journal.rows.lacking_ids(["z", "known", "a", "z"]) == ["z", "a"]
    assert sample.journal.rows.lacking_ids(iter(())) == []


def test_an_import_is_found_by_its_scope_and_noted_once(sample: SampleJournal) -> None:
    """The second process gets what the first one recorded, including the bound file."""
    imports = sample.journal.imports
    assert imports.find(SCOPE.tenant, SCOPE.operation, SCOPE.import_name) == sample.record
    assert imports.find(SCOPE.tenant, SCOPE.operation, "other") is None
    bound = imports.add(SCOPE.tenant, SCOPE.operation, "other", "digest-1")
    assert bound.bound_to == "digest-1"
    assert imports.add(SCOPE.tenant, SCOPE.operation, "other", "digest-2") == bound


def test_r11_the_imports_that_know_keys_are_told_with_how_many(sample: SampleJournal) -> None:
    """The one that has the most cases under them comes first; one that has none is not there."""
    imports = sample.journal.imports
    more = imports.add(SCOPE.tenant, "op2", "more", None)
    imports.add(SCOPE.tenant, SCOPE.operation, "none", None)
    others = [(identity(number), Status.CREATED) for number in range(4, 8)]
    for number in (2, 3):
        sample.conclude(sample.claim(number), created(f"a{number}"))
    moved = [
        (type(who)(who.key_digest, who.loose_digest, f"WCI-{place}", who.content_hash), status)
        for place, (who, status) in enumerate(others)
    ]
    sample.journal.rows.add(more.id, moved, COLUMNS)
    digests = [identity(number).key_digest for number in range(2, 900)]
    assert imports.knowing(digests) == [(more, 4), (sample.record, 2)]
    assert imports.knowing([]) == []


def test_p5_reports_are_remembered_as_they_were_written(sample: SampleJournal) -> None:
    """A report is ours as long as its bytes are unchanged; noting it twice is harmless."""
    imports = sample.journal.imports
    assert not imports.is_report("digest")
    imports.note_report(sample.record.id, "digest")
    imports.note_report(sample.record.id, "digest")
    assert imports.is_report("digest")


def test_runs_are_told_with_what_they_did(sample: SampleJournal, clock: Clock) -> None:
    """The newest first; one that was killed has no end, and its created cases are counted all the same."""
    sample.conclude(sample.claim(1), created("a"))
    start = RunStart("/b.csv", "d", "m", "https://crm0001.wolkvox.com", "ana", "case-importer 0")
    later = sample.journal.runs.start(sample.record.id, start)
    clock.pass_by(10)
    sample.journal.runs.end(later, Counts(created=1, planned=2), calls=3, exit_status=3)
    ended, killed = sample.journal.runs.all()
    assert (ended.id, ended.import_name, ended.operation, ended.start) == (later, "tickets", "op", start)
    assert ended.ended_at
    assert (ended.ended_at - ended.started_at).total_seconds() == 10
    assert (ended.calls, ended.counts, ended.exit_status) == (3, Counts(created=1, planned=2), 3)
    assert (killed.ended_at, killed.counts, killed.created_now) == (None, None, 1)
    assert killed.started_at.tzinfo is not None


def test_everything_is_there_when_the_journal_is_opened_again(sample: SampleJournal) -> None:
    """States, ids and columns outlive the process."""
    sample.conclude(sample.claim(1), created("a"))
    before = [sample.known(number) for number in (1, 2, 3)]
    sample.journal.close()
    again = SampleJournal(sample.journal.path)
    assert [again.known(number) for number in (1, 2, 3)] == before
    again.journal.close()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps the user's data folder by access lists")
def test_the_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    """The journal, what SQLite lays beside it, the rescue file and a folder that was made for them."""
    sample = SampleJournal(tmp_path / "new" / "journal.db")
    sample.plan([1])
    files = list((tmp_path / "new").iterdir())
    assert {file.name for file in files} >= {"journal.db", "journal.db-wal", "journal.db.rescue"}
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
    sample.journal.close()


def test_x3_the_journal_holds_no_cell(tmp_path: Path) -> None:
    """The file contains neither keys nor contents, nor the searched value once its row is settled."""
    sample = SampleJournal(tmp_path / "journal.db")
    sample.plan([1, 2])
    sample.conclude(sample.claim(1), created("a"))
    sample.journal.close()
    with sqlite3.connect(tmp_path / "journal.db") as raw:
        dump = "\n".join(raw.iterdump())
    raw.close()
    assert identity(1).reference in dump
    assert not [text for text in ("T-1", "as it was", SENT_VALUE) if text in dump]


def test_an_intent_without_a_search_value_is_fine(sample: SampleJournal) -> None:
    """A mapping without a place for the reference has nothing to search by."""
    bare = replace(intent(1), search_field=None, search_value=None)
    assert sample.journal.attempts.claim(sample.record.id, sample.run, bare)
    assert search_values(sample) == [None]


def test_the_default_place_is_the_users_data_folder() -> None:
    """Unless `--journal` says otherwise."""
    assert default_path().parts[-2:] == ("case-importer", "journal.db")


@pytest.mark.in_a_file
def test_journals_that_are_opened_at_once_are_each_the_file_of_their_path(tmp_path: Path) -> None:
    """They share what opens a connection, and no connection."""
    paths = [tmp_path / f"{number}.db" for number in range(8)]

    def opened(path: Path) -> str:
        with Journal(path) as journal:
            return journal.id

    with ThreadPoolExecutor(len(paths)) as threads:
        ids = list(threads.map(opened, paths))
    assert len(set(ids)) == len(paths)
    for path, known in zip(paths, ids, strict=True):
        assert ask(path, "SELECT value FROM facts WHERE name = 'journal_id'") == [(known,)]


def test_a_journal_is_a_context_manager(tmp_path: Path) -> None:
    """Leaving the block closes the file: SQLite's own files beside it are gone."""
    with Journal(tmp_path / "journal.db") as journal:
        assert journal.runs.all() == []
    assert not (tmp_path / "journal.db-wal").exists()
