"""`case-importer journal`: check, backup, copy and move, and the backup before a migration."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from journal_support import SCOPE, SampleJournal
from report_support import always, content, every_state
from run_support import Give
from test_journal_mark import cp, released, sent, standing

from importer import report
from importer.errors import JournalError
from importer.journal import Journal, backup
from importer.source import open_table
from importer.workflow.guards.witnesses import behind_report

needs_unix = pytest.mark.skipif(sys.platform == "win32", reason="permissions as Unix has them")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the place of a journal that has sent three rows."""
    path = tmp_path / "data" / "journal.db"
    sent(path, 1, 3)
    return path


def asked(path: Path, question: str) -> list[tuple[object, ...]]:
    """Return what a journal's file answers to a question in SQL."""
    with closing(sqlite3.connect(path)) as raw:
        return raw.execute(question).fetchall()


def test_check_of_a_sound_journal_says_so(path: Path, give: Give) -> None:
    """Exit status 0, how many rows are in each state, and how far it has come."""
    said = give(["journal", "check", "--journal", str(path)])
    assert (said.status, said.err) == (0, "")
    assert "created 3" in said.out
    shown = give(["journal", "check", "--journal", str(path), "--json"]).json
    assert (shown["standing"], shown["attempts"], shown["mark"], shown["problems"]) == ("sound", 3, 3, [])
    assert shown["states"] == {"created": 3}


def test_r15_check_of_an_old_journal_names_the_way_back(path: Path, give: Give) -> None:
    """Exit status 2; `history` shows its runs all the same, and says what is wrong."""
    cp(path, path.with_name("old.db"))
    sent(path, 4, 5)
    cp(path.with_name("old.db"), path)
    said = give(["journal", "check", "--journal", str(path)])
    assert said.status == 2
    assert "2 attempts" in said.out
    assert "--look-first" in said.out
    history = give(["history", "--journal", str(path)])
    assert history.status == 0
    assert "run 1" in history.out
    assert "--look-first" in history.err
    assert give(["history", "--journal", str(path), "--json"]).json["runs"]


@pytest.mark.parametrize("words", [["backup", "out.db"], ["copy", "out.db"], ["move", "journal.db", "out.db"]])
def test_r15_a_copy_of_an_old_journal_says_that_it_is_old(path: Path, give: Give, words: list[str]) -> None:
    """The copy is made, and what it lacks is said in the words of `journal check`, in JSON too; so it is once moved."""
    cp(path, path.with_name("old.db"))
    sent(path, 4, 5)
    cp(path.with_name("old.db"), path)
    command = ["journal", words[0], *(str(path.with_name(name)) for name in words[1:])]
    where = [] if words[0] == "move" else ["--journal", str(path)]
    for number, as_json in enumerate(([], ["--json"])):
        said = give([*command[:-1], f"{command[-1]}{number}", *where, *as_json])
        assert said.status == 0
        assert "2 attempts that this computer made are missing" in said.err
        if as_json:
            assert (said.json["standing"], "2 attempts" in said.json["warning"]) == ("behind", True)
        if words[0] == "move":
            assert standing(Path(f"{command[-1]}{number}")) == "behind"
            path.unlink()
            cp(path.with_name("old.db"), path)


def test_a_copy_of_a_sound_journal_warns_of_nothing(path: Path, give: Give) -> None:
    """A journal that is complete is copied without a word beside that."""
    said = give(["journal", "backup", "--journal", str(path), "--json"])
    assert (said.status, said.err) == (0, "")
    assert (said.json["standing"], said.json["warning"]) == ("sound", None)


def test_check_of_a_damaged_journal_names_the_damage(path: Path, give: Give) -> None:
    """A record whose row is gone is found, and so is a page that is not as it should be."""
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("DELETE FROM rows WHERE id = 2")
    said = give(["journal", "check", "--journal", str(path)])
    assert said.status == 2
    assert "missing" in said.out
    assert "adopt" in said.out


def test_a_backup_is_whole_private_and_never_over_another_file(path: Path, give: Give) -> None:
    """It is taken while the journal is in use, and holds what was committed by then, `-wal` included."""
    sample = SampleJournal(path)
    sample.plan([4])
    sample.send([4])
    target = path.with_name("safe.db")
    said = give(["journal", "backup", str(target), "--journal", str(path)])
    assert (said.status, str(target) in said.out) == (0, True)
    assert asked(target, "SELECT count(*) FROM rows WHERE state = 'created'") == [(4,)]
    if sys.platform != "win32":
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
    before = target.read_bytes()
    again = give(["journal", "backup", str(target), "--journal", str(path)])
    assert again.status == 2
    assert str(target) in again.err
    assert target.read_bytes() == before
    sample.journal.close()
    unnamed = give(["journal", "backup", "--journal", str(path), "--json"]).json
    assert Path(unnamed["path"]).parent == path.parent
    assert not list(path.parent.glob(".*"))


def test_r15_a_backup_that_is_restored_is_behind_and_says_so(path: Path, give: Give) -> None:
    """It is an older journal by then."""
    target = path.with_name("safe.db")
    give(["journal", "backup", str(target), "--journal", str(path)])
    sent(path, 4, 4)
    cp(target, path)
    assert standing(path) == "behind"


def test_a_copy_waits_for_nobody_and_is_refused_while_rows_are_sent(path: Path, give: Give) -> None:
    """A row on its way has no end yet: its outcome would be missing in the copy."""
    sample = SampleJournal(path)
    sample.plan([4])
    attempt = sample.claim(4)
    for words in (["copy", str(path.with_name("copy.db")), "--journal", str(path)], ["move", str(path), "new.db"]):
        said = give(["journal", *words])
        assert said.status == 2
        assert "1 row is being sent" in said.err
    assert attempt
    sample.journal.close()
    assert not path.with_name("copy.db").exists()


def test_r15_a_copy_may_be_looked_at_and_not_send(path: Path, give: Give) -> None:
    """The command says so, and so does the copy when it is opened."""
    target = path.with_name("copy.db")
    said = give(["journal", "copy", str(target), "--journal", str(path)])
    assert said.status == 0
    assert "Do not send" in said.out
    assert standing(target) == "copied"
    assert standing(path) == "sound"


def test_r15_a_journal_that_is_moved_goes_on_and_the_old_file_names_the_new(
    path: Path, tmp_path: Path, give: Give
) -> None:
    """A process that has the old one open notices at its next row."""
    target = tmp_path / "new place" / "journal.db"
    sample = SampleJournal(path)
    sample.plan([4])
    assert give(["journal", "move", str(path), str(target)]).status == 0
    with pytest.raises(JournalError, match="was moved to"):
        sample.claim(4)
    sample.journal.close()
    for command in (["journal", "check"], ["history"]):
        said = give([*command, "--journal", str(path)])
        assert said.status == 2
        assert str(target) in said.err
    assert standing(target) == "sound"
    sent(target, 5, 6)
    assert give(["journal", "check", "--journal", str(target), "--json"]).json["attempts"] == 5


def test_a_journal_that_is_moved_is_found_where_every_command_looks(
    path: Path, tmp_path: Path, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only away from the default place is an option needed; a mistyped path is called that, and no first run."""
    default, away = tmp_path / "default" / "journal.db", tmp_path / "away" / "journal.db"
    monkeypatch.setattr("importer.workflow.job.default_journal_path", lambda: default)
    SampleJournal(path).journal.close()
    missing = give(["journal", "move", str(path.with_name("jurnal.db")), str(away)])
    assert (missing.status, "Check the path" in missing.err, "first run" in missing.err) == (2, True, False)
    assert f"--journal {away}" in give(["journal", "move", str(path), str(away)]).out
    back = give(["journal", "move", str(away), str(default)])
    assert (back.status, "--journal" in back.out, "every command finds it" in back.out) == (0, False, True)


@pytest.mark.parametrize("place", ["taken.db", "OneDrive/journal.db"])
def test_a_journal_is_moved_over_no_file_and_into_no_unsafe_place(
    path: Path, tmp_path: Path, give: Give, place: str
) -> None:
    """It stays where it is, and goes on."""
    (tmp_path / "taken.db").write_text("somebody's")
    said = give(["journal", "move", str(path), str(tmp_path / place)])
    assert said.status == 2
    assert (tmp_path / "taken.db").read_text() == "somebody's"
    assert standing(path) == "sound"


def test_a_command_about_a_journal_that_is_not_there_makes_none(tmp_path: Path, give: Give) -> None:
    """The message names a mistyped path."""
    for words in (["check"], ["backup"], ["copy", "x.db"]):
        said = give(["journal", *words, "--journal", str(tmp_path / "none.db")])
        assert said.status == 2
        assert "none.db" in said.err
    assert not (tmp_path / "none.db").exists()


def test_r15_a_backup_is_made_before_a_migration(tmp_path: Path) -> None:
    """It is the journal as the older version left it; one that is there already is kept."""
    path = tmp_path / "data" / "journal.db"
    for _time in range(2):
        released(path, 3)
        with closing(sqlite3.connect(path)) as raw:
            before = list(raw.iterdump())
        Journal(path).close()
    kept = sorted(path.parent.glob("*.backup"))
    assert [file.name.count("before-m00") for file in kept] == [1, 1]
    for file in kept:
        with closing(sqlite3.connect(file)) as raw:
            assert list(raw.iterdump()) == before
        if sys.platform != "win32":
            assert stat.S_IMODE(file.stat().st_mode) == 0o600
    Journal(path).close()
    assert len(list(path.parent.glob("*.backup"))) == 2


def test_no_backup_is_made_of_a_new_journal_or_one_of_a_newer_program(tmp_path: Path) -> None:
    """There is nothing to lose in the one, and nothing is changed in the other."""
    path = tmp_path / "data" / "journal.db"
    Journal(path).close()
    with closing(sqlite3.connect(path)) as raw, raw:
        raw.execute("INSERT INTO migrations VALUES ('m099_from_the_future', 0)")
        raw.execute("DELETE FROM migrations WHERE name = 'm003_attempts_by_boot'")
    before = path.read_bytes()
    with pytest.raises(JournalError, match="m099"):
        Journal(path)
    assert path.read_bytes() == before
    assert not list(path.parent.glob("*.backup"))


def no_room(*_arguments: object) -> None:
    """Fail as a full disk does."""
    raise sqlite3.OperationalError("database or disk is full")


def link_fails(*_arguments: object) -> None:
    """Fail as a file system without links does, and then as one that is full."""
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(("name", "fail"), [("_copy", no_room), ("take_name", link_fails)])
def test_r15_without_room_for_the_backup_nothing_is_migrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, fail: Callable[..., None]
) -> None:
    """The journal is as it was, nothing is left behind, and with room it goes on."""
    path = tmp_path / "data" / "journal.db"
    released(path, 3)
    before = asked(path, "SELECT name FROM migrations")
    with monkeypatch.context() as full:
        full.setattr(backup, name, fail)
        with pytest.raises(JournalError, match="room"):
            Journal(path)
    assert asked(path, "SELECT name FROM migrations") == before
    assert [file.name for file in path.parent.iterdir() if "backup" in file.name or file.name.startswith(".")] == []
    assert standing(path) == "sound"


@needs_unix
def test_a_backup_works_where_the_file_system_has_no_links(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets its name by being renamed."""

    def none(*_arguments: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(os, "link", none)
    with Journal(path) as journal:
        assert journal.copies.back_up(path.with_name("b.db")).exists()
        with pytest.raises(JournalError, match=r"b\.db: this file exists"):
            journal.copies.back_up(path.with_name("b.db"))


def test_r15_a_copy_gets_no_name_beside_a_wal_that_is_left_there(path: Path) -> None:
    """SQLite would replay that file into the copy."""
    path.with_name("new.db-wal").write_bytes(b"left by another journal")
    with Journal(path) as journal, pytest.raises(JournalError, match=r"new\.db-wal"):
        journal.copies.copy(path.with_name("new.db"))
    assert not path.with_name("new.db").exists()


def test_r15_a_report_is_a_witness_that_its_journal_was_further(path: Path, tmp_path: Path) -> None:
    """A report that knows a higher attempt of the same journal speaks against it; another journal's says nothing."""
    with Journal(path) as journal:
        for number, behind in ((3, False), (4, True)):
            written = report.write(
                tmp_path / f"{number}.xlsx", content(every_state(), journal=(journal.id, number)), always
            )
            assert report.read_mark(written.path, open_table) == (journal.id[:8], number)
            assert behind_report(journal, written.path) is behind
        other = report.write(tmp_path / "other.xlsx", content(every_state(), journal=("0" * 32, 9)), always)
        assert not behind_report(journal, other.path)
        journal.trust_again("look-first", up_to=4)
        assert not behind_report(journal, tmp_path / "4.xlsx")


@pytest.mark.parametrize("name", ["t.report.csv", "t.report.xlsx", "none.xlsx", "broken.xlsx"])
def test_r15_a_file_without_a_mark_says_nothing(tmp_path: Path, name: str) -> None:
    """A CSV report, a report of version 0.1.0, no file, and one that cannot be read."""
    (tmp_path / "broken.xlsx").write_text("no workbook")
    if name.startswith("t."):
        report.write(tmp_path / name, content(every_state()), always)
    assert report.read_mark(tmp_path / name, open_table) is None


def test_r15_the_mark_of_a_report_is_read_whatever_its_label(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A translated report counts too, and so does one of which only the Summary was renewed."""
    monkeypatch.setattr("importer.report.content._", lambda template, /, **values: f"«{template.format(**values)}»")
    written = report.write(tmp_path / "t.xlsx", content(every_state(), journal=("a" * 32, 12)), always)
    assert report.read_mark(written.path, open_table) == ("a" * 8, 12)


def test_the_scope_of_the_mark_is_that_of_the_import(path: Path) -> None:
    """An import is known by tenant, operation and name; any other is not."""
    path.unlink()
    with Journal(path) as journal:
        assert journal.marks_know(SCOPE.parts)
        for at in range(3):
            other = [*SCOPE.parts]
            other[at] += "x"
            assert journal.marks_know((other[0], other[1], other[2])) is None
