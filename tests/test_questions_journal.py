"""What a run asks if the journal was replaced, or does not know what this computer sent."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from run_support import Give, Office, ticket

from importer.settings import settings_path


def codes(office: Office, give: Give, *more: str) -> list[str]:
    """Return the codes of the questions that a run ends with."""
    result = give(office.arguments("run", "--yes", "--json", *more))
    assert result.status == 2, result
    assert "questions" in result.json, result.json["reason"]
    return [question["code"] for question in result.json["questions"]]


def lose(office: Office) -> None:
    """Remove the journal and the report."""
    shutil.rmtree(office.journal.parent)
    office.report.unlink(missing_ok=True)


def test_a_lost_journal_needs_more_than_first_run(office: Office, give: Give) -> None:
    """The mark knows the import: only adopting, searching, or a recorded decision lets a run continue."""
    office.write([ticket(1)])
    give(office.arguments("run", "--yes"))
    lose(office)
    assert codes(office, give, "--first-run") == ["nothing-was-sent"]
    assert office.sandbox.posts == 1
    assert give(office.arguments("run", "--yes", "--nothing-was-sent", "--spot-check", "0")).status == 0
    with closing(sqlite3.connect(office.journal)) as journal:
        found = journal.execute("SELECT question FROM decisions WHERE user != '' AND decided_at > 0").fetchall()
    assert found == [("nothing-was-sent",)]
    assert give(office.arguments("run", "--yes")).status == 0


def test_a_lost_journal_is_made_good_by_looking_first(office: Office, give: Give) -> None:
    """--look-first needs no other answer, and finds what was sent."""
    office.write([ticket(1)])
    give(office.arguments("run", "--yes"))
    lose(office)
    assert give(office.arguments("run", "--yes", "--look-first", "--quiet-period", "0")).status == 0
    assert office.sandbox.posts == 1


def test_a_restored_journal_sends_again_once_every_row_was_looked_for(office: Office, give: Give) -> None:
    """A backup is refused until --look-first has found what it lacks; another file has rows not yet looked for."""
    office.write([ticket(1)])
    give(office.arguments("run", "--yes"))
    backup = office.folder / "backup.db"
    assert give(["journal", "backup", str(backup), "--journal", str(office.journal)]).status == 0
    office.write([ticket(1), ticket(2), ticket(3)])
    give(office.arguments("run", "--yes"))
    lose(office)
    office.journal.parent.mkdir()
    shutil.copy(backup, office.journal)
    assert give(office.arguments("run", "--yes")).status == 2
    assert give(office.arguments("run", "--yes", "--look-first", "--quiet-period", "0")).status == 0
    assert office.sandbox.posts == 3
    assert give(office.arguments("run", "--yes")).status == 0
    office.write([ticket(1), ticket(2), ticket(3), ticket(4)])
    assert give(office.arguments("run", "--yes")).status == 2
    assert give(office.arguments("run", "--yes", "--nothing-was-sent")).status == 0
    office.write([ticket(1), ticket(2), ticket(3), ticket(4), ticket(5)])
    assert give(office.arguments("run", "--yes")).status == 0
    assert office.sandbox.posts == 5


def test_a_journal_from_another_computer_is_asked_about_once(
    office: Office, give: Give, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """--moved-here is remembered in the journal."""
    office.write([ticket(1)])
    give(office.arguments("run", "--yes"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another computer"))
    office.write([ticket(1), ticket(2)])
    assert codes(office, give) == ["moved-here"]
    assert give(office.arguments("run", "--yes", "--moved-here")).status == 0
    office.write([ticket(1), ticket(2), ticket(3)])
    assert give(office.arguments("run", "--yes")).status == 0
    assert office.sandbox.posts == 3


def test_a_report_that_is_ahead_of_its_journal_stops_the_run(office: Office, give: Give) -> None:
    """If the marks are gone too, a report still says how far the journal had come."""
    office.write([ticket(1)])
    give(office.arguments("run", "--yes"))
    backup = office.folder / "backup.db"
    give(["journal", "backup", str(backup), "--journal", str(office.journal)])
    office.write([ticket(1), ticket(2)])
    give(office.arguments("run", "--yes"))
    shutil.rmtree(office.journal.parent)
    office.journal.parent.mkdir()
    shutil.copy(backup, office.journal)
    assert give(office.arguments("run", "--yes")).status == 2
    assert give(office.adopt(office.report)).status == 0
    result = give(office.arguments("run", "--yes", "--nothing-was-sent"))
    assert (result.status, office.sandbox.posts) == (2, 2)
    assert "had come further" in result.err
    assert give(office.arguments("run", "--yes", "--look-first", "--quiet-period", "0")).status == 0
    assert give(office.arguments("run", "--yes")).status == 0
    assert office.sandbox.posts == 2


def test_the_journal_of_the_settings_is_the_one_that_every_command_opens(office: Office, give: Give) -> None:
    """A journal that the settings file names needs no --journal, for `journal` as for `run` and `history`."""
    office.write([ticket(1)])
    assert give(office.arguments("run", "--yes")).status == 0
    settings_path().parent.mkdir(parents=True, exist_ok=True)
    settings_path().write_text(f'journal = "{office.journal}"\n', "utf-8")
    assert give(["history", "--json"]).json["runs"]
    assert give(["journal", "check", "--json"]).json["path"] == str(office.journal)
