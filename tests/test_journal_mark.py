"""The journal is not what it was: restored, cut short, copied, replaced; by real files, cp and kill -9."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from journal_support import LEASE, SCOPE, Clock, SampleJournal, created, identity, said_by
from nursery import Nursery
from place_support import ask
from promise_support import KILLED
from sqlalchemy import create_engine, insert

from importer.errors import JournalError
from importer.journal import Adopted, Journal, storage
from importer.journal.mark import Marks, state_path
from importer.journal.migrations import first_shape
from importer.journal.sqlite_database import APPLICATION_ID
from importer.model import Status

needs_unix = pytest.mark.skipif(sys.platform == "win32", reason="signals and open files as Unix has them")


def cp(source: Path, target: Path) -> None:
    """Copy a file over another, as a person does."""
    subprocess.run(["cp", str(source), str(target)], check=True)


def wal(path: Path) -> Path:
    """Return the `-wal` file of a journal."""
    return path.with_name(f"{path.name}-wal")


@contextmanager
def opened(path: Path) -> Iterator[Journal]:
    """Open a journal and close it."""
    with Journal(path) as journal:
        yield journal


def standing(path: Path) -> str:
    """Return how a journal stands."""
    with opened(path) as journal:
        return journal.standing.kind


def refusal(path: Path) -> str:
    """Return the sentence with which a journal is refused, not a byte of its files changed."""
    before = contents(path.parent)
    with pytest.raises(JournalError) as caught:
        Journal(path)
    assert contents(path.parent) == before
    return str(caught.value)


def contents(folder: Path) -> dict[str, bytes]:
    """Return what is in the files of a folder; an index that SQLite makes of `-wal` holds nothing of its own."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if file.is_file() and file.suffix != ".db-shm"}


def sent(path: Path, first: int, last: int) -> None:
    """Send rows in this process and close the journal in order."""
    sample = SampleJournal(path)
    sample.plan(range(first, last + 1))
    sample.send(range(first, last + 1))
    sample.journal.close()


def sent_and_killed(nursery: Nursery, path: Path, first: int, last: int) -> None:
    """Send rows in a process that is killed by force, so that its `-wal` file stays."""
    said_by(nursery, "send_and_die", path, first, last, status=KILLED)
    assert wal(path).stat().st_size


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the place of a journal."""
    return tmp_path / "data" / "journal.db"


def test_r15_a_backup_that_is_copied_back_is_behind(path: Path, tmp_path: Path) -> None:
    """The sentence says how many attempts are missing and names both ways back; reading goes on."""
    sent(path, 1, 3)
    cp(path, tmp_path / "backup.db")
    sent(path, 4, 9)
    cp(tmp_path / "backup.db", path)
    with opened(path) as journal:
        assert (journal.standing.kind, journal.standing.may_send) == ("behind", False)
        assert (journal.standing.has, journal.standing.known) == (3, 9)
        sentence = journal.standing.sentence or ""
        assert all(words in sentence for words in (str(path), "6 attempts", "adopt", "--look-first"))
        assert len(journal.runs.all()) == 1
    assert standing(path) == "behind"  # however often it is looked at


def test_r15_a_journal_that_was_made_good_is_trusted_again_and_the_decision_is_recorded(path: Path) -> None:
    """From then on it is held against what it has; the file that was lost is a fork where it turns up again."""
    sent(path, 1, 3)
    cp(path, path.with_name("backup.db"))
    sent(path, 4, 9)
    cp(path, path.with_name("newest.db"))
    cp(path.with_name("backup.db"), path)
    with opened(path) as journal:
        journal.trust_again("look-first", up_to=9)
        assert journal.standing.kind == "sound"
    assert standing(path) == "sound"
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT question, about, user <> '' FROM decisions").fetchall() == [
            ("look-first", "behind 3/9", 1)
        ]
    sent(path, 4, 5)
    cp(path.with_name("newest.db"), path)
    assert standing(path) == "forked"


def test_r15_looking_first_goes_on_until_it_is_done_for_every_import(path: Path) -> None:
    """A run that is stopped, or limited, half way leaves rows that were not searched; so do other imports."""
    sent(path, 1, 3)
    cp(path, path.with_name("backup.db"))
    sample = SampleJournal(path)
    sample.plan([4])
    attempt = sample.claim(4)
    assert attempt
    later = ("crm0001.wolkvox.com", "op", "begun since the backup")
    sample.journal.mark.raise_to(attempt.id, attempt.token, later)
    sample.journal.close()
    cp(path.with_name("backup.db"), path)
    with opened(path) as journal:
        assert not journal.must_look_first(SCOPE.parts)
        journal.trust_again("look-first")
    with opened(path) as journal:
        assert journal.standing.kind == "sound"
        assert journal.must_look_first(SCOPE.parts)
        assert journal.must_look_first(later)
        journal.looked_first(SCOPE.parts, "a source")
        assert not journal.must_look_first(SCOPE.parts, "a source")
        assert journal.must_look_first(SCOPE.parts, "another source")
        assert journal.must_look_first(later)
        assert not journal.must_look_first(("crm0001.wolkvox.com", "op", "another"))
        journal.require_looking(SCOPE.parts)
        assert journal.must_look_first(SCOPE.parts, "a source")


def test_r15_a_person_who_knows_that_nothing_was_sent_need_not_look(path: Path) -> None:
    """The decision is recorded as any other."""
    sent(path, 1, 3)
    cp(path, path.with_name("backup.db"))
    sent(path, 4, 4)
    cp(path.with_name("backup.db"), path)
    with opened(path) as journal:
        journal.trust_again("nothing-was-sent")
        assert journal.standing.kind == "sound"
        assert not journal.must_look_first(SCOPE.parts)


def test_r15_ids_that_were_adopted_are_missed_too(path: Path) -> None:
    """Adopting sends nothing, so that no attempt shows it: the mark counts decisions as well."""
    sent(path, 1, 1)
    cp(path, path.with_name("backup.db"))
    sample = SampleJournal(path)
    sample.journal.adoptions.adopt(
        sample.record.id, [Adopted(identity(7), Status.CREATED, "case-7", None, "")], ["Asunto"]
    )
    sample.journal.close()
    cp(path.with_name("backup.db"), path)
    with opened(path) as journal:
        assert journal.standing.kind == "behind"
        assert "adopt" in (journal.standing.sentence or "")


@needs_unix
@pytest.mark.parametrize(
    "damage", [lambda file: file.unlink(), lambda file: file.write_bytes(b"")], ids=["lost", "emptied"]
)
def test_r15_a_wal_that_is_lost_after_a_kill_is_noticed(
    path: Path, nursery: Nursery, damage: Callable[[Path], object]
) -> None:
    """Only that file had the last commits; the main file on its own looks like a good journal."""
    sent(path, 1, 3)
    sent_and_killed(nursery, path, 4, 6)
    damage(wal(path))
    with opened(path) as journal:
        assert (journal.standing.kind, journal.standing.known) == ("behind", 6)


@needs_unix
def test_r15_after_a_kill_the_journal_is_as_it_was(path: Path, nursery: Nursery) -> None:
    """A kill on its own loses nothing, and causes no refusal."""
    sent_and_killed(nursery, path, 1, 3)
    assert standing(path) == "sound"
    sent_and_killed(nursery, path, 4, 260)  # long enough for SQLite to write to the main file meanwhile
    assert standing(path) == "sound"


@needs_unix
@pytest.mark.parametrize("put", [shutil.move, cp], ids=["moved", "copied"])
def test_r15_a_wal_of_another_journal_is_refused_before_sqlite_replays_it(
    path: Path, nursery: Nursery, tmp_path: Path, put: Callable[[Path, Path], None]
) -> None:
    """SQLite would take any `-wal` file for its own; neither file is changed."""
    sent_and_killed(nursery, path, 1, 3)
    other = tmp_path / "other" / "journal.db"
    sent_and_killed(nursery, other, 1, 3)
    put(wal(other), wal(path))
    sentence = refusal(path)
    assert "do not belong together" in sentence
    assert "journal.db-wal" in sentence


@needs_unix
def test_r15_an_older_wal_of_the_same_journal_is_refused_before_sqlite_replays_it(
    path: Path, nursery: Nursery, tmp_path: Path
) -> None:
    """It was copied aside and is put back: its pages are older than those of the file that was there."""
    sent_and_killed(nursery, path, 1, 3)
    cp(wal(path), tmp_path / "aside")
    sent_and_killed(nursery, path, 4, 6)
    (tmp_path / "aside").rename(wal(path))
    assert "do not belong together" in refusal(path)


@needs_unix
def test_r15_after_a_kill_an_old_journal_is_told_by_its_own_sentence(
    path: Path, nursery: Nursery, tmp_path: Path
) -> None:
    """Its `-wal` file was not noted, since it may not send; that is not what is wrong with it."""
    sent(path, 1, 3)
    cp(path, tmp_path / "backup.db")
    sent_and_killed(nursery, path, 4, 6)
    wal(path).unlink()
    cp(tmp_path / "backup.db", path)
    said_by(nursery, "claim_and_die", path, status=KILLED)
    assert wal(path).stat().st_size
    assert standing(path) == "behind"


def test_r15_a_rollback_journal_beside_the_file_is_refused_before_sqlite_replays_it(path: Path, tmp_path: Path) -> None:
    """A hot journal of another database would put that one's pages into this file."""
    sent(path, 1, 3)
    other = tmp_path / "other.db"
    raw = sqlite3.connect(other, isolation_level=None)
    raw.execute("CREATE TABLE t (x)")
    raw.execute("PRAGMA cache_spill = 1")
    raw.execute("BEGIN IMMEDIATE")
    raw.execute("INSERT INTO t VALUES (1)")
    cp(other.with_name("other.db-journal"), path.with_name("journal.db-journal"))
    raw.close()
    assert "journal.db-journal" in refusal(path)


@needs_unix
def test_r15_a_backup_that_is_copied_over_the_file_beside_its_newer_wal_is_refused(
    path: Path, nursery: Nursery
) -> None:
    """The two would make a mixture of old and new pages, in which rows that were sent look planned."""
    sent(path, 1, 20)
    cp(path, path.with_name("backup.db"))
    sent_and_killed(nursery, path, 21, 260)
    cp(path.with_name("backup.db"), path)
    assert "do not belong together" in refusal(path)


@needs_unix
@pytest.mark.parametrize(
    "damage", [lambda file: file.write_bytes(b""), lambda file: file.unlink()], ids=["empty", "gone"]
)
def test_r15_an_empty_file_beside_a_wal_is_refused_and_the_wal_stays(
    path: Path, nursery: Nursery, damage: Callable[[Path], object]
) -> None:
    """SQLite would delete the only copy of what was committed last."""
    sent_and_killed(nursery, path, 1, 3)
    damage(path)
    assert "journal.db-wal" in refusal(path)


def test_r15_a_file_with_two_names_is_refused_and_a_symbolic_link_is_not(path: Path, tmp_path: Path) -> None:
    """`-wal` is beside one name only; a link is resolved, so that both names lead to the same files."""
    sent(path, 1, 2)
    link = tmp_path / "link.db"
    link.symlink_to(path)
    with opened(link) as journal:
        assert journal.standing.kind == "sound"
    sent(link, 3, 3)
    assert not list(tmp_path.glob("link.db?*"))
    assert standing(path) == "sound"
    twin = path.with_name("twin.db")
    twin.hardlink_to(path)
    for name in (path, twin):
        assert "2 names" in refusal(name)


Replace = Callable[[Path], object]
IN_USE: dict[str, Replace] = {
    "deleted": lambda path: path.unlink(),
    "replaced": lambda path: cp(path, path.with_name("b")) or path.with_name("b").rename(path),
    "mount gone": lambda path: path.parent.rename(path.parent.with_name("gone")),
    "emptied": lambda path: path.write_bytes(b""),
    "wal deleted": lambda path: wal(path).unlink(),
    "wal emptied": lambda path: wal(path).write_bytes(b""),
}


@needs_unix
@pytest.mark.parametrize("how", IN_USE)
def test_r15_a_file_that_is_replaced_while_a_run_uses_it_sends_nothing_more(path: Path, how: str) -> None:
    """The next intent is refused, and so is the first byte of one that was committed just before."""
    sample = SampleJournal(path)
    sample.plan(range(1, 5))
    sample.send([1])
    attempt = sample.claim(2)
    assert attempt
    IN_USE[how](path)
    with pytest.raises(JournalError, match="while it was in use"):
        sample.raise_mark(attempt)
    with pytest.raises(JournalError, match="while it was in use"):
        sample.claim(3)
    sample.journal.close()


@needs_unix
@pytest.mark.parametrize("how", ["deleted", "replaced", "mount gone"])
def test_r15_the_answer_in_flight_is_kept_when_the_file_is_replaced(path: Path, how: str) -> None:
    """The id is in the file beside the journal's place, or in the sentence."""
    sample = SampleJournal(path)
    sample.plan([1])
    attempt = sample.claim(1)
    assert attempt
    IN_USE[how](path)
    with pytest.raises(JournalError, match="while it was in use") as caught:
        sample.conclude(attempt, created("case-in-flight"))
    rescue = path.with_name(f"{path.name}.rescue")
    kept = rescue.read_text() if rescue.exists() else ""
    assert "case-in-flight" in kept + str(caught.value)
    sample.journal.close()


def test_r15_a_copy_on_another_computer_is_asked_about(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once that is confirmed, it goes on there; brought back after both went on, it is a fork on the first computer."""
    sent(path, 1, 3)
    elsewhere = tmp_path / "elsewhere" / "journal.db"
    elsewhere.parent.mkdir()
    cp(path, elsewhere)
    sent(path, 4, 5)
    with monkeypatch.context() as other:
        other.setenv("XDG_STATE_HOME", str(tmp_path / "other computer"))
        with opened(elsewhere) as journal:
            assert journal.standing.kind == "unknown-computer"
            assert "--moved-here" in (journal.standing.sentence or "")
            journal.note_computer()
            assert journal.standing.kind == "sound"
        sent(elsewhere, 6, 9)
        assert standing(elsewhere) == "sound"
    assert standing(path) == "sound"
    cp(elsewhere, path)
    assert standing(path) == "forked"


def test_r15_a_home_folder_that_is_copied_to_another_machine_is_another_computer(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """State folder and journal came along, and look as they were: the machine's own id tells."""
    sent(path, 1, 3)
    with monkeypatch.context() as other:
        other.setattr("importer.journal.storage.machine_id", lambda _system: "another machine")
        assert standing(path) == "unknown-computer"
    assert standing(path) == "sound"


@pytest.mark.parametrize("system", ["linux", "darwin", "win32", "another"])
def test_a_system_that_does_not_tell_its_machine_is_no_error(system: str) -> None:
    """Then only the state folder identifies the computer."""
    assert isinstance(storage.machine_id(system), str)
    assert len(storage.computer_id("folder")) == 32


def test_r15_a_journal_that_comes_back_from_another_computer_goes_on(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has all that this computer knows, and more: nothing is asked."""
    sent(path, 1, 3)
    with monkeypatch.context() as other:
        other.setenv("XDG_STATE_HOME", str(tmp_path / "other computer"))
        with opened(path) as journal:
            journal.note_computer()
        sent(path, 4, 6)
    assert standing(path) == "sound"


def test_r15_a_copy_at_another_place_of_this_computer_may_not_send_while_both_are_there(path: Path) -> None:
    """It is refused by name until one of the two is put away, whichever that is."""
    sent(path, 1, 3)
    copy = path.with_name("copy.db")
    cp(path, copy)
    with opened(copy) as journal:
        assert journal.standing.kind == "copied"
        assert str(path) in (journal.standing.sentence or "")
    assert standing(path) == "sound"
    path.unlink()
    assert standing(copy) == "sound"


def test_r15_a_journal_that_was_moved_by_hand_goes_on(path: Path) -> None:
    """Its new path is noted, so that a copy that is put back at the old one is recognised."""
    sent(path, 1, 3)
    moved = path.with_name("moved.db")
    cp(path, path.with_name("aside"))
    path.rename(moved)
    sent(moved, 4, 5)
    assert standing(moved) == "sound"
    path.with_name("aside").rename(path)
    assert standing(path) == "behind"
    assert standing(moved) == "sound"


def test_r15_two_copies_that_send_at_once_stop_each_other(path: Path) -> None:
    """Both were opened while each was sound: the one that is behind is refused at its next intent."""
    sent(path, 1, 1)
    first = SampleJournal(path)
    first.plan(range(2, 9))
    copy = path.with_name("copy.db")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    path.rename(path.with_name("away"))
    second = SampleJournal(copy)
    assert second.journal.standing.kind == "sound"
    path.with_name("away").rename(path)
    first.send([2, 3])
    attempt = second.claim(2)
    assert attempt
    with pytest.raises(JournalError, match="another copy"):
        second.raise_mark(attempt)
    first.send([4])
    for sample in (first, second):
        sample.journal.close()
    assert standing(path) == "sound"


def test_r15_processes_that_share_a_journal_raise_one_mark(path: Path) -> None:
    """A later process with a lower number lowers nothing, and is not refused."""
    first, second = SampleJournal(path), SampleJournal(path)
    first.plan([1, 2])
    one, two = first.claim(1), second.claim(2)
    assert one
    assert two
    second.raise_mark(two)
    first.raise_mark(one)
    assert first.journal.standing.kind == "new"
    for sample in (first, second):
        sample.journal.close()
    with opened(path) as journal:
        assert (journal.standing.kind, journal.standing.known) == ("sound", 2)


def released(path: Path, number: int) -> None:
    """Make a journal as version 0.1.0 left it, with so many attempts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        first_shape.create(connection)
        step = {"name": "m001_first_shape", "applied_at": 0}
        connection.execute(insert(first_shape.migrations).values(**step))
        scope = {"tenant": SCOPE.tenant, "operation": SCOPE.operation, "name": SCOPE.import_name}
        connection.execute(insert(first_shape.imports).values(**scope, created_at=0))
        run = dict.fromkeys(("source", "source_digest", "mapping_digest", "server", "user", "program"), "")
        connection.execute(insert(first_shape.runs).values(import_id=1, started_at=0, **run))
        connection.execute(insert(first_shape.column_sets).values(names='["Asunto", "Ticket"]'))
        for row in range(1, number + 1):
            who = identity(row)
            digests = {"key_digest": who.key_digest, "loose_digest": who.loose_digest, "reference": who.reference}
            state = {"state": "created", "content_hash": who.content_hash, "column_set_id": 1, "attempt_id": row}
            connection.execute(
                insert(first_shape.rows).values(import_id=1, **digests, **state, wolkvox_id=f"case-{row}")
            )
            ended = {"verdict": "created", "ended_at": 0, "body_length": 1, "started_at": 0}
            lease = {"lease_until": 0, "clock_gap": 0, "owner": "", "run_id": 1}
            connection.execute(insert(first_shape.attempts).values(row_id=row, **ended, **lease))
    engine.dispose()


def test_r15_a_journal_of_the_first_version_is_taken_as_it_is_once(path: Path, tmp_path: Path) -> None:
    """It goes on as it is; an old backup of that version that is put in its place later is refused."""
    released(path, 3)
    cp(path, tmp_path / "backup.db")
    assert standing(path) == "sound"
    sent(path, 4, 5)
    assert standing(path) == "sound"
    cp(tmp_path / "backup.db", path)
    with opened(path) as journal:
        assert journal.standing.kind == "other-journal"
        assert "0.1.0" in (journal.standing.sentence or "")
    elsewhere = tmp_path / "elsewhere.db"
    cp(tmp_path / "backup.db", elsewhere)
    assert standing(elsewhere) == "other-journal"
    assert standing(elsewhere) != "sound"


def test_r15_a_mark_that_was_deleted_makes_the_computer_unknown(path: Path) -> None:
    """It is unknown whether the journal is what it was, so a person is asked."""
    sent(path, 1, 3)
    state_path().unlink()
    with opened(path) as journal:
        assert journal.standing.kind == "unknown-computer"
        journal.note_computer()
    assert standing(path) == "sound"


def test_r15_a_mark_that_is_damaged_is_named_and_nothing_is_sent(path: Path) -> None:
    """The journal can be read; once the file is put away, it is asked whether the journal was moved here."""
    sent(path, 1, 3)
    state_path().write_bytes(b"not a database, " * 1000)
    sample = SampleJournal(path)
    assert sample.journal.standing.kind == "no-mark"
    assert str(state_path()) in (sample.journal.standing.sentence or "")
    assert sample.row(1).status is Status.CREATED
    sample.plan([4])
    attempt = sample.claim(4)
    assert attempt
    with pytest.raises(JournalError, match="damaged"):
        sample.raise_mark(attempt)
    sample.journal.close()
    for file in state_path().parent.iterdir():
        file.unlink()
    assert standing(path) == "unknown-computer"


def test_r15_a_state_folder_that_cannot_be_written_is_named(path: Path, user_folder: Path) -> None:
    """The sentence names the file and the remedy; nothing is sent, and the journal can be read."""
    (user_folder / "state_home").write_text("a file where the folder should be")
    with opened(path) as journal:
        assert journal.standing.kind == "no-mark"
        sentence = journal.standing.sentence or ""
        assert str(state_path()) in sentence
        assert "XDG_STATE_HOME" in sentence


def test_r15_a_mark_that_can_no_longer_be_written_stops_the_next_row(path: Path) -> None:
    """A full disk under the state folder: the first byte is not sent, until there is room again."""
    sample = SampleJournal(path)
    sample.plan([1, 2])
    sample.send([1])
    with sample.journal._marks._transaction() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    attempt = sample.claim(2)
    assert attempt
    with pytest.raises(JournalError, match="cannot be written"):
        sample.journal.mark.raise_to(attempt.id, "x" * 100_000, SCOPE.parts)
    assert ask(state_path(), "SELECT attempt_id FROM marks") == [(attempt.id - 1,)]
    with sample.journal._marks._transaction() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    sample.journal.mark.raise_to(attempt.id, attempt.token, SCOPE.parts)
    assert ask(state_path(), "SELECT attempt_id FROM marks") == [(attempt.id,)]
    sample.journal.close()


def test_r15_a_journal_that_is_gone_is_missed_where_its_import_begins_again(path: Path) -> None:
    """The new one is new; the message says that this computer has sent for the import, from where and how far."""
    sent(path, 1, 3)
    path.unlink()
    sample = SampleJournal(path)
    assert sample.journal.standing.kind == "new"
    known = sample.journal.marks_know(SCOPE.parts)
    assert known is not None
    assert (known.path, known.attempt_id) == (path, 3)
    assert sample.journal.marks_know(("crm0001.wolkvox.com", "op", "another")) is None
    sample.plan([4])
    sample.send([4])
    assert sample.journal.marks_know(SCOPE.parts) is None
    sample.journal.close()


def test_the_mark_holds_no_more_than_it_has_to(path: Path) -> None:
    """Only its owner reads the file, and no key, reference or id of a case is in it."""
    sent(path, 1, 3)
    assert state_path().stat().st_mode & 0o077 == 0 or sys.platform == "win32"
    content = state_path().read_bytes()
    assert b"WCI-" not in content
    assert b"case-1" not in content
    marks = Marks()
    assert len(marks.computer_id) == 32
    marks.close()


def test_marks_of_a_version_that_knew_no_updates_know_them_from_now_on(path: Path) -> None:
    """What they knew of attempts stays."""
    sent(path, 1, 3)
    ask(state_path(), "DROP TABLE updates")
    marks = Marks()
    ((journal_id,),) = ask(state_path(), "SELECT journal_id FROM marks")
    assert marks.raise_update(journal_id, 1, "token") == (1, "token")
    known, update = marks.known_of(journal_id)
    assert (known and known.reached.attempt_id, update) == (3, (1, "token"))
    marks.close()


def test_r15_a_lease_that_ended_leaves_the_mark_alone(path: Path) -> None:
    """Rows that become unknown make no attempt."""
    sample = SampleJournal(path, clock := Clock())
    sample.plan([1])
    assert sample.claim(1)
    clock.pass_by(LEASE + 1)
    assert sample.expire() == 1
    sample.journal.close()
    assert standing(path) == "sound"
