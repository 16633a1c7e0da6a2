"""The journal on bad days: killed processes, full disks, damaged and foreign files, two processes at once."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from journal_support import LEASE, Clock, SampleJournal, created, identity, intent, other_process, outcome, said_by
from nursery import Nursery
from promise_support import KILLED

from importer.errors import JournalError, JournalFull
from importer.journal import Journal, rescue, storage, waiting_for_journal
from importer.model import Pause, Status, Verdict
from importer.system.clock import boot_id

needs_unix = pytest.mark.skipif(sys.platform == "win32", reason="signals and limits as Unix has them")


def refusal(path: Path) -> str:
    """Return the sentence with which a journal is refused."""
    with pytest.raises(JournalError) as caught:
        Journal(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_o14_a_full_disk_at_the_intent_claims_nothing(tmp_path: Path) -> None:
    """The error says what to do and has the exit status of a pause; row, attempts and rescue file are untouched."""
    sample = SampleJournal(tmp_path / "journal.db")
    sample.plan([1])
    with sample.journal._database.read() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    large = replace(intent(1), search_value="x" * 100_000)
    with pytest.raises(JournalFull, match="Make room") as caught:
        sample.journal.attempts.claim(sample.record.id, sample.run, large)
    assert caught.value.exit_status == 3
    assert sample.row(1).status is Status.PLANNED
    assert (tmp_path / "journal.db.rescue").read_bytes().strip() == b""
    with sample.journal._database.read() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert sample.journal.attempts.claim(sample.record.id, sample.run, large)
    sample.journal.close()


@needs_unix
def test_o14_a_disk_that_is_really_full_at_the_intent(tmp_path: Path, nursery: Nursery) -> None:
    """Files that may not grow: the row at which the journal says so is planned, all before it are being sent."""
    path = tmp_path / "journal.db"
    number, exit_status = map(int, said_by(nursery, "full_at_the_intent", path).split())
    assert exit_status == 3
    sample = SampleJournal(path)
    assert sample.row(number).status is Status.PLANNED
    assert sample.row(number + 1).status is Status.PLANNED
    assert sample.counts()[Status.SENDING] == number - 1
    assert sample.claim(number)
    sample.journal.close()


@needs_unix
def test_o14_a_disk_that_is_really_full_at_the_outcome(tmp_path: Path, nursery: Nursery) -> None:
    """Ids that the journal has no room for are kept beside it, and are in it as soon as it is opened again."""
    path = tmp_path / "journal.db"
    refused = [int(number) for number in said_by(nursery, "full_at_the_outcome", path).split()]
    assert len(refused) == 2
    kept = (tmp_path / "journal.db.rescue").read_text()
    assert all(f"case-{number}" in kept for number in refused)
    sample = SampleJournal(path)
    for number in range(1, refused[-1] + 1):
        assert (sample.row(number).status, sample.row(number).wolkvox_id) == (Status.CREATED, f"case-{number}")
    assert (tmp_path / "journal.db.rescue").read_bytes().strip() == b""
    sample.journal.close()


def fill(sample: SampleJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the journal refuse every outcome, as a full disk does."""

    def full(*_arguments: object) -> None:
        raise JournalFull("no room")

    monkeypatch.setattr("importer.journal.attempts.Attempts._conclude", full)
    assert sample.journal.path.exists()


def test_o14_every_kind_of_outcome_is_kept_aside_and_taken_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Verdict, pause, message and ids survive the way through the rescue file, from several threads at once."""
    sample = SampleJournal(tmp_path / "journal.db")
    sample.plan(range(1, 21))
    without = [outcome(Verdict.REJECTED), outcome(Verdict.UNKNOWN), outcome(Verdict.NOT_DELIVERED)]
    without[2] = replace(without[2], pause=Pause.QUOTA, retry_after=5.0)
    outcomes = [what for n in range(5) for what in (created(f"é\n{n}"), *without)]
    claimed = [sample.claim(number) for number in range(1, 21)]
    states = []

    def conclude(place: int) -> None:
        with pytest.raises(JournalFull):
            sample.conclude(claimed[place], outcomes[place])
        states.append(place)

    with monkeypatch.context() as patched:
        fill(sample, patched)
        threads = [threading.Thread(target=conclude, args=(place,)) for place in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(states) == 20
    assert {sample.row(number).status for number in range(1, 21)} == {Status.SENDING}
    sample.journal.close()
    again = SampleJournal(tmp_path / "journal.db")
    expected = [Status.CREATED, Status.REJECTED, Status.UNKNOWN, Status.PLANNED] * 5
    assert [again.row(number).status for number in range(1, 21)] == expected
    assert again.row(1).wolkvox_id == "é\n0"
    again.journal.close()


def test_o23_the_ids_of_an_answer_survive_a_full_disk(tmp_path: Path) -> None:
    """An outcome comes back as it was; a line of an older program knows of no ids."""
    path = tmp_path / "journal.db"
    noted = replace(outcome(Verdict.UNKNOWN), ids=("64cb0008", "64cb0009"))
    rescue.prepare(path)
    rescue.keep(path, rescue.KeptOutcome(7, "token", "WCI-1", noted))
    older = rescue.kept(path).replace(b', "ids": ["64cb0008", "64cb0009"]', b"")
    for content, expected in ((rescue.kept(path), noted), (older, replace(noted, ids=()))):
        (kept,) = rescue.outcomes(path, content)
        assert kept.outcome == expected


def test_o14_outcomes_that_were_kept_aside_are_taken_in_once_and_by_whoever_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A crash between taking in and blanking the file does no harm, and what was kept since then stays."""
    sample = SampleJournal(tmp_path / "journal.db")
    sample.plan([1, 2])
    first, second = sample.claim(1), sample.claim(2)
    with monkeypatch.context() as patched:
        fill(sample, patched)
        with pytest.raises(JournalFull):
            sample.conclude(first, created("one"))
    room = tmp_path / "journal.db.rescue"
    before = room.read_bytes()
    with monkeypatch.context() as patched:
        patched.setattr("importer.journal.rescue.forget", lambda *_: None)
        SampleJournal(tmp_path / "journal.db").journal.close()
        fill(sample, patched)
        with pytest.raises(JournalFull):
            sample.conclude(second, created("two"))
    assert room.read_bytes().startswith(before.rstrip())
    assert len(room.read_bytes()) == len(before)
    again = SampleJournal(tmp_path / "journal.db")
    assert [again.row(number).wolkvox_id for number in (1, 2)] == ["one", "two"]
    assert {again.row(number).status for number in (1, 2)} == {Status.CREATED}
    assert room.read_bytes().strip() == b""
    again.journal.close()
    sample.journal.close()


def test_o14_an_id_that_can_be_kept_nowhere_is_in_the_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the rescue file fails too, the message has the id and the row, which will be called unknown."""
    sample = SampleJournal(tmp_path / "journal.db", clock := Clock())
    sample.plan([1])
    attempt = sample.claim(1)
    with monkeypatch.context() as patched:
        fill(sample, patched)
        patched.setattr("importer.journal.rescue._write_at", _no_space)
        with pytest.raises(JournalFull, match="lost-1") as caught:
            sample.conclude(attempt, created("lost-1"))
    assert identity(1).reference in str(caught.value)
    clock.pass_by(LEASE + 1)
    sample.expire()
    assert sample.row(1).status is Status.UNKNOWN
    sample.journal.close()


def _no_space(*_arguments: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("line", [b'{"attempt": 1, "wolkvox_id": "case-7"', b"[]", b'{"attempt": 1}'])
def test_a_kept_answer_that_cannot_be_read_is_shown_and_stays(tmp_path: Path, line: bytes) -> None:
    """It may hold the only copy of an id: the sentence has the whole line, and the file is as it was."""
    SampleJournal(tmp_path / "journal.db").journal.close()
    room = tmp_path / "journal.db.rescue"
    room.write_bytes(line + b"\n")
    assert line.decode() in refusal(tmp_path / "journal.db")
    assert room.read_bytes().rstrip() == line


def test_a_kept_answer_of_another_journal_is_given_to_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a journal that was deleted and started again, an attempt's number is another row's, which gets no id by it."""
    sample = SampleJournal(tmp_path / "journal.db")
    sample.plan([1])
    attempt = sample.claim(1)
    with monkeypatch.context() as patched:
        fill(sample, patched)
        with pytest.raises(JournalFull):
            sample.conclude(attempt, created("case-7"))
    sample.journal.close()
    (tmp_path / "journal.db").unlink()
    room = tmp_path / "journal.db.rescue"
    kept = room.read_bytes()
    room.rename(tmp_path / "aside")
    again = SampleJournal(tmp_path / "journal.db")
    again.plan([2])
    again.claim(2)
    again.journal.close()
    room.write_bytes(kept)
    assert "case-7" in refusal(tmp_path / "journal.db")
    assert room.read_bytes() == kept


@needs_unix
def test_o1_a_process_that_is_killed_while_it_sends_leaves_the_row_unknown(tmp_path: Path, nursery: Nursery) -> None:
    """Killed between intent and outcome: the row cannot be claimed, and is unknown once its lease has ended."""
    sample = SampleJournal(tmp_path / "journal.db")
    sample.plan([1, 2])
    sample.journal.close()
    assert "Attempt" in said_by(nursery, "claim_and_die", tmp_path / "journal.db", status=KILLED)
    clock = Clock()
    clock.boot = boot_id()
    with sqlite3.connect(tmp_path / "journal.db") as raw:
        ((lease,),) = raw.execute("SELECT lease FROM attempts")
    raw.close()
    clock.passed = lease - 1
    sample = SampleJournal(tmp_path / "journal.db", clock)
    assert (sample.expire(), sample.row(1).status, sample.claim(1)) == (0, Status.SENDING, None)
    clock.passed += 2
    assert (sample.expire(), sample.row(1).status, sample.claim(1)) == (1, Status.UNKNOWN, None)
    assert sample.row(2).status is Status.PLANNED
    sample.journal.close()


def test_r7_two_processes_share_one_journal_and_no_row(tmp_path: Path) -> None:
    """Both take rows from the same list at once: every row goes to exactly one, and neither is refused."""
    path, rows = tmp_path / "journal.db", 60
    sample = SampleJournal(path)
    sample.plan(range(1, rows + 1))
    processes = [other_process("drain", path, name, rows) for name in "ab"]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    taken = [process.communicate("go\n", timeout=60)[0].split() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert sorted(map(int, taken[0] + taken[1])) == list(range(1, rows + 1))
    for name, numbers in zip("ab", taken, strict=True):
        assert all(sample.row(int(number)).wolkvox_id == f"{name}-{number}" for number in numbers)
    sample.journal.close()


def test_r7_two_processes_may_begin_a_journal_at_once(tmp_path: Path) -> None:
    """A file that two open for the first time is made once."""
    processes = [other_process("drain", tmp_path / "journal.db", name, 0) for name in "ab"]
    for process in processes:
        process.communicate("go\n", timeout=60)
    assert [process.returncode for process in processes] == [0, 0]


def foreign(path: Path) -> None:
    """Make a database of another program."""
    with sqlite3.connect(path) as raw:
        raw.execute("CREATE TABLE theirs (x)")
    raw.close()


def foreign_and_empty(path: Path) -> None:
    """Make another program's database without a table yet."""
    with sqlite3.connect(path) as raw:
        raw.execute("PRAGMA application_id = 7")
    raw.close()


def no_database(path: Path) -> None:
    """Make a file that is something else altogether."""
    path.write_text("Ticket;Asunto\n" * 100)


def newer(path: Path) -> None:
    """Make a journal that a newer program has changed."""
    SampleJournal(path).journal.close()
    with sqlite3.connect(path) as raw:
        raw.execute("INSERT INTO migrations VALUES ('m099_from_the_future', 0)")
    raw.close()


def truncated(path: Path) -> None:
    """Make a journal of which a copy has lost the end."""
    sample = SampleJournal(path)
    sample.plan(range(1, 300))
    sample.journal.close()
    os.truncate(path, path.stat().st_size // 2)


def overwritten(path: Path) -> None:
    """Make a journal whose first page is garbage behind its header."""
    SampleJournal(path).journal.close()
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xaa" * 3_900)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (foreign, "another program"),
        (foreign_and_empty, "another program"),
        (no_database, "not a journal"),
        (newer, "m099_from_the_future"),
        (truncated, "damaged"),
        (overwritten, "damaged"),
    ],
)
def test_a_file_that_is_no_good_journal_is_named_and_never_written(
    tmp_path: Path, make: Callable[[Path], None], words: str
) -> None:
    """Foreign, damaged or of a newer program: refused with the remedy, and not a byte is changed or added beside it."""
    path = tmp_path / "journal.db"
    make(path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    sentence = refusal(path)
    assert words in sentence
    assert any(remedy in sentence for remedy in ("--journal", "Install that version"))
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_damage_that_shows_later_stops_before_anything_is_sent(tmp_path: Path) -> None:
    """A page that turns out to be garbage at the intent is an error with a remedy, not a claim."""
    path = tmp_path / "journal.db"
    sample = SampleJournal(path)
    sample.plan(range(1, 300))
    sample.journal.close()
    sample = SampleJournal(path)
    with sqlite3.connect(path) as raw:
        (root,) = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'rows'").fetchone()
        (size,) = raw.execute("PRAGMA page_size").fetchone()
    raw.close()
    sample.journal.close()
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xaa" * size)
    with pytest.raises(JournalError, match="damaged"):
        SampleJournal(path).claim(1)


def test_a_locked_journal_is_an_error_that_says_so(tmp_path: Path) -> None:
    """Another program that keeps the file locked is named as the cause, once waiting for it has ended."""
    with waiting_for_journal(0):
        sample = SampleJournal(tmp_path / "journal.db")
    sample.plan([1])
    other = sqlite3.connect(tmp_path / "journal.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(JournalError, match="locked"):
        sample.claim(1)
    other.close()
    assert sample.claim(1)
    sample.journal.close()


def test_a_path_that_is_a_folder_is_refused(tmp_path: Path) -> None:
    """What cannot be opened is named, with what to do."""
    assert "--journal" in refusal(tmp_path)


@pytest.mark.parametrize(
    "folder",
    ["OneDrive", "OneDrive - Acme", "Dropbox", "Dropbox (Acme)", "GoogleDrive-a@b.c", "Mobile Documents", "Nextcloud"],
)
def test_a_synchronised_folder_is_refused(tmp_path: Path, folder: str) -> None:
    """An old copy that comes back would send cases twice: nothing is made there."""
    sentence = refusal(tmp_path / folder / "data" / "journal.db")
    assert folder in sentence
    assert "--journal" in sentence
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", ["megan", "Megaproject", "dropboxes", "icloudy", "nextcloud_backup_tool"])
def test_a_folder_whose_name_only_begins_like_one_is_fine(tmp_path: Path, folder: str) -> None:
    """Megan may keep her journal in her own folder."""
    Journal(tmp_path / folder / "journal.db").close()


@needs_unix
def test_a_link_into_a_synchronised_folder_is_followed(tmp_path: Path) -> None:
    """The place counts, not the name by which it was reached."""
    (tmp_path / "Dropbox").mkdir()
    (tmp_path / "plain").symlink_to(tmp_path / "Dropbox")
    assert "Dropbox" in refusal(tmp_path / "plain" / "journal.db")


@pytest.mark.parametrize(
    ("kinds", "options", "refused"),
    [
        (["ext4"], "rw", False),
        (["nfs4"], "rw", True),
        (["cifs"], "rw", True),
        (["autofs", "nfs4"], "rw", True),
        (["NTFS"], "rw,remote", True),
    ],
)
def test_a_network_drive_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kinds: list[str], options: str, *, refused: bool
) -> None:
    """What the deepest mount above the folder is decides; of several at one place the last."""
    mounts = [SimpleNamespace(mountpoint="/", fstype="ext4", opts="rw")]
    mounts += [SimpleNamespace(mountpoint=str(tmp_path), fstype=kind, opts=options) for kind in kinds]
    monkeypatch.setattr(storage.psutil, "disk_partitions", lambda **_: mounts)
    if refused:
        assert "network drive" in refusal(tmp_path / "journal.db")
    else:
        Journal(tmp_path / "journal.db").close()


def test_r15_an_answer_is_kept_beside_a_journal_whose_file_was_taken_away(tmp_path: Path) -> None:
    """The path names no file any more: the id is in the file of outcomes beside it, and not only in a sentence."""
    sample = SampleJournal(tmp_path / "journal.db")
    sample.plan([1])
    attempt = sample.claim(1)
    sample.journal.path.unlink()
    with pytest.raises(JournalError):
        sample.conclude(attempt, created("kept-1"))
    assert "kept-1" in (tmp_path / "journal.db.rescue").read_text("utf-8")
    with contextlib.suppress(JournalError):
        sample.journal.close()
