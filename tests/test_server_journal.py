"""A journal on a server: a whole import with it, several processes at once, and handing it over."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from journal_support import SampleJournal, created, outcome
from place_support import ask
from postgres_support import needs_postgres, new_place
from promise_support import assert_promise, assert_report
from run_support import Give, Office, ticket

from importer.errors import JournalError
from importer.journal import Journal, Marks, imports_known, look_at_journal
from importer.journal.copying import TABLES
from importer.journal_place import Place, Server
from importer.model import Status, Verdict

pytestmark = needs_postgres


@pytest.fixture
def place() -> Iterator[Server]:
    """Give an empty journal."""
    with new_place() as place:
        yield place


def test_m1_an_import_with_a_journal_on_a_server(office: Office, give: Give, place: Server) -> None:
    """It is run, run again, looked back at and reported as with a file; what is shown has the place."""
    office.place = place
    office.write(map(ticket, range(1, 9)))
    run = office.arguments("run", "--yes", "--json", "--spot-check", "0")
    assert give([*run, "--limit", "5"]).status == 3
    assert give(run).status == 0
    assert give(run).status == 0
    assert (office.sandbox.posts, assert_promise(office)) == (8, {"created": 8})
    assert_report(office)
    where = ["--journal", str(place)]
    assert [one["exit_status"] for one in give(["history", *where, "--json"]).json["runs"]] == [0, 0, 3]
    checked = give(["journal", "check", *where])
    assert (checked.status, str(place) in checked.out) == (0, True)
    assert give(office.arguments("check", *where, "--json")).json["counts"]["created"] == 8
    (known,) = imports_known(place)
    assert (known.states[Status.CREATED], known.last_run and known.last_run.going_on) == (8, False)


def filled(place: Place) -> SampleJournal:
    """Return a journal with rows in several states, one of them with another id noted, and decisions."""
    sample = SampleJournal(place)
    sample.plan(range(1, 6))
    sample.send([1, 2])
    sample.conclude(sample.claim(3), outcome(Verdict.UNKNOWN))
    sample.conclude(sample.claim(4), outcome(Verdict.REJECTED))
    sample.journal.decisions.record("first-run", "x", "ñandú 字")
    return sample


def contents(place: Place) -> dict[str, list[tuple[object, ...]]]:
    """Return every record of a journal."""
    names = {table: ", ".join(f'"{column.name}"' for column in table.columns) for table in TABLES}
    return {
        table.name: sorted(ask(place, f"SELECT {columns} FROM {table.name}"), key=repr)  # noqa: S608
        for table, columns in names.items()
    }


@pytest.mark.parametrize("way", ["file to server", "server to file", "server to server"])
def test_m8_a_journal_is_handed_over_whole(tmp_path: Path, give: Give, place: Server, way: str) -> None:
    """Every record is the same; the old one names the new one, which goes on with its numbers and needs no question."""
    with new_place() as another:
        source: Place = tmp_path / "journal.db" if way.startswith("file") else another
        target: Place = tmp_path / "new.db" if way.endswith("file") else place
        filled(source).journal.close()
        before = contents(source)
        assert give(["journal", "move", str(source), str(target)]).status == 0
        assert contents(target) == before
        retired = give(["journal", "check", "--journal", str(source)])
        assert (retired.status, f"moved to {target}" in retired.err) == (2, True)
        moved = SampleJournal(target)
        assert moved.journal.standing.kind == "sound"
        attempt = moved.claim(5)
        moved.plan([6])
        assert attempt is not None
        assert attempt.id == 5
        assert moved.row(6).status is Status.PLANNED
        moved.journal.close()


def test_m8_a_copy_is_whole_and_does_not_send_beside_its_original(tmp_path: Path, give: Give, place: Server) -> None:
    """Whichever way it went: the copy is refused while the other one is there, and says how to move it instead."""
    file, back = tmp_path / "journal.db", tmp_path / "back.db"
    filled(file).journal.close()
    assert give(["journal", "copy", str(place), "--journal", str(file)]).status == 0
    assert contents(place) == contents(file)
    refused = give(["journal", "check", "--journal", str(place)])
    assert (refused.status, "this is a copy of the journal" in refused.out) == (2, True)
    file.unlink()  # put away: the copy may go on
    with Journal(place) as alone:
        assert alone.standing.may_send
    assert give(["journal", "copy", str(back), "--journal", str(place)]).status == 0
    assert contents(back) == contents(place)
    with Journal(back) as copy:
        assert copy.standing.kind == "copied"


def test_m9_nothing_is_copied_while_a_row_is_being_sent_or_over_another_journal(
    tmp_path: Path, give: Give, place: Server
) -> None:
    """A row in flight would be in doubt in the copy; a journal that is there already knows things of its own."""
    file = tmp_path / "journal.db"
    sample = filled(place)
    attempt = sample.claim(5)
    copy = ["journal", "copy", str(file), "--journal", str(place)]
    refused = give(copy)
    assert (refused.status, "being sent right now" in refused.err, file.exists()) == (2, True, False)
    sample.conclude(attempt, created("case-5"))
    assert give(copy).status == 0
    again = give(copy)
    assert (again.status, "exists already" in again.err) == (2, True)
    with new_place() as other:
        filled(other).journal.close()
        before = contents(other)
        for source in (str(place), str(other)):
            taken = give(["journal", "copy", str(other), "--journal", source])
            assert (taken.status, "there is a journal already" in taken.err) == (2, True)
        assert contents(other) == before
    backup = give(["journal", "backup", "--journal", str(place)])
    assert (backup.status, "pg_dump" in backup.err) == (2, True)
    sample.journal.close()


def test_m9_a_copy_that_is_not_the_same_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Server
) -> None:
    """Every record is read again and compared, in either direction; nothing is left behind."""
    file, back = tmp_path / "journal.db", tmp_path / "back.db"
    sample = filled(file)
    sample.journal.copies.copy(place)
    file.unlink()
    with Journal(place) as on_server, new_place() as other, monkeypatch.context() as broken:
        broken.setattr("importer.journal.copying.TABLES", [table for table in TABLES if table.name != "verdicts"])
        ask(place, "INSERT INTO verdicts (row_id, how, state, \"user\", decided_at) VALUES (1, 'x', 'x', 'x', 0)")
        for target in (back, other):
            with pytest.raises(JournalError, match="not the same"):
                on_server.copies.copy(target)
        assert not ask(other, "SELECT * FROM runs")
    assert [path.name for path in tmp_path.iterdir() if "back" in path.name] == []


def test_m13_several_connections_take_each_row_once(place: Server) -> None:
    """Four journals on one server claim from the same list at once: every row goes to exactly one of them."""
    first = SampleJournal(place)
    first.plan(range(1, 41))
    taken: list[int] = []

    def drain() -> None:
        sample = SampleJournal(place)
        for number in range(1, 41):
            if attempt := sample.claim(number):
                sample.conclude(attempt, created(f"case-{number}"))
                taken.append(number)
        sample.journal.close()

    workers = [threading.Thread(target=drain) for _worker in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sorted(taken) == list(range(1, 41))
    assert first.counts() == {Status.CREATED: 40}
    assert len(set(ask(place, "SELECT id FROM attempts"))) == 40
    first.journal.close()


def test_m1_a_journal_on_a_server_is_looked_at_in_a_copy(place: Server) -> None:
    """What is done to the copy changes nothing on the server; leases in it end as they do there."""
    sample = filled(place)
    attempt = sample.claim(5)
    before = contents(place)
    with look_at_journal(place) as copy:
        assert not copy.attempts.expire(sample.record.id)
        copy.imports.set_key_rule(sample.record, "{}")
        assert copy.id == sample.journal.id
    assert contents(place) == before
    ask(place, "UPDATE attempts SET lease = began - 1")
    with look_at_journal(place) as copy:
        assert copy.attempts.expire(sample.record.id) == 1
    assert attempt is not None
    sample.conclude(attempt, created("case-5"))
    sample.journal.close()


def test_m16_nul_in_an_answer_is_stored_as_what_can_be(place: Server) -> None:
    """PostgreSQL stores no NUL; an answer with one must not be kept aside for ever."""
    sample = SampleJournal(place)
    sample.plan([1])
    sample.conclude(sample.claim(1), replace(created("case-1"), message="It is\0 there."))
    assert (sample.row(1).status, sample.row(1).message) == (Status.CREATED, "It is\N{REPLACEMENT CHARACTER} there.")
    sample.journal.close()


def test_m11_marks_of_each_computer_are_its_own(place: Server, tmp_path: Path) -> None:
    """A computer that was away finds what others sent since, and its own mark follows."""
    marks = Marks(tmp_path / "other" / "marks.db")
    sample = filled(place)
    with Journal(place, marks=marks):
        pass
    sample.send([5])
    sample.journal.close()
    with Journal(place, marks=Marks(tmp_path / "other" / "marks.db")) as other:
        assert (other.standing.kind, other.standing.has, other.standing.known) == ("sound", 5, 4)
