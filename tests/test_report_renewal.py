"""A report that says what stands there already: its Summary is made anew, and nothing else of it is touched."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path
from zipfile import ZipFile

import pandas as pd
import pytest
from openpyxl import load_workbook
from openpyxl.workbook import Workbook
from report_support import always, content, every_state, issue, row
from run_support import Give, Office, ticket

from importer import report
from importer.journal import Journal
from importer.model import ReportContent
from importer.report import issues_sheet, places, workbook, writing
from importer.report.fingerprint import fingerprint

SUMMARY_PART = "xl/worksheets/sheet1.xml"


class UserInterface:
    """Writes reports, and remembers each as a journal does."""

    def __init__(self) -> None:
        self.noted: dict[str, str | None] = {}

    def write(self, path: Path, what: ReportContent) -> report.Written:
        """Write a report and note it."""
        written = report.write(path, what, self.noted.__contains__, self.noted.get)
        self.noted[written.digest] = written.fingerprint
        return written


def told(rows: list | None = None, **more: object) -> ReportContent:
    """Return a report whose cells are known to come from one source."""
    return replace(content(every_state() if rows is None else rows, **more), made_from=("program", "source", "mapping"))


def later(what: ReportContent, **more: object) -> ReportContent:
    """Return the report of a later run to which nothing has happened since."""
    changes = {"ended_at": what.summary.ended_at + timedelta(days=1), "calls": 99, "user": "luis", **more}
    return replace(what, summary=replace(what.summary, **changes))  # type: ignore[arg-type]


def stored(path: Path) -> dict[str, bytes]:
    """Return every part of a package as its compressed bytes, with its checksum."""
    parts = {}
    with ZipFile(path) as package, path.open("rb") as file:
        assert package.testzip() is None
        for info in package.infolist():
            file.seek(info.header_offset + 26)
            lengths = file.read(4)
            file.seek(int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little"), 1)
            parts[info.filename] = file.read(info.compress_size) + info.CRC.to_bytes(4, "little")
    return parts


def changed_parts(before: dict[str, bytes], after: dict[str, bytes]) -> set[str]:
    """Return the names of parts that are not as they were."""
    assert before.keys() == after.keys()
    return {name for name in before if before[name] != after[name]}


def shown(book: Workbook) -> list[str]:
    """Return all that a person sees of a workbook's cells."""
    return [
        f"{sheet.title} {cell.coordinate} {cell.value!r} {cell.font} {cell.fill} {cell.border} {cell.alignment}"
        f" {cell.number_format} {cell.comment and cell.comment.text} {cell.hyperlink and cell.hyperlink.location}"
        for sheet in book
        for line in sheet
        for cell in line
    ]


def test_only_summary_is_made_anew_where_nothing_happened(tmp_path: Path) -> None:
    """Every other part of the file keeps its compressed bytes, and all of it looks as if it had been written anew."""
    desk, path = UserInterface(), tmp_path / "t.report.xlsx"
    first = desk.write(path, told(every_state()[1:], notes=("Before.",)))
    before, again = stored(path), later(told(every_state()[1:], notes=("A note.",)), run=4)
    second = desk.write(path, again)
    assert changed_parts(before, stored(path)) == {SUMMARY_PART}
    assert (second.path, second.fingerprint, second.note) == (path, first.fingerprint, None)
    assert second.digest == places.digest(path) != first.digest
    whole = report.write(tmp_path / "whole.xlsx", again, always).path
    assert shown(load_workbook(path)) == shown(load_workbook(whole))
    assert pd.read_excel(path, "Report", engine="calamine").equals(pd.read_excel(whole, "Report", engine="calamine"))
    assert {"A note.", "luis", "99", "4"} <= {cell.value for line in load_workbook(path)["Summary"] for cell in line}
    assert len(load_workbook(path)["Summary"]._charts) == 1


def test_a_report_can_be_renewed_any_number_of_times(tmp_path: Path) -> None:
    """It does not grow by that."""
    desk, path, sizes = UserInterface(), tmp_path / "t.report.xlsx", []
    for day in range(4):
        desk.write(path, later(told(), ended_at=told().summary.ended_at + timedelta(days=day)))
        sizes.append(path.stat().st_size)
    assert max(sizes) - min(sizes) < 100
    assert load_workbook(path)["Report"].max_row == len(every_state()) + 1


DIFFERENCES: dict[str, Callable[[ReportContent], ReportContent]] = {
    "status": lambda what: replace(what, rows=[replace(what.rows[0], status=what.rows[5].status), *what.rows[1:]]),
    "id": lambda what: replace(what, rows=[replace(what.rows[0], wolkvox_id="other"), *what.rows[1:]]),
    "prefix": lambda what: replace(what, rows=[replace(what.rows[0], id_prefijo="other"), *what.rows[1:]]),
    "message": lambda what: replace(what, rows=[replace(what.rows[0], message="Other."), *what.rows[1:]]),
    "sent_at": lambda what: replace(
        what, rows=[replace(what.rows[0], sent_at=what.rows[0].sent_at + timedelta(seconds=1)), *what.rows[1:]]
    ),
    "run": lambda what: replace(what, rows=[replace(what.rows[0], run=2), *what.rows[1:]]),
    "reference": lambda what: replace(what, rows=[replace(what.rows[0], reference="WCI-X"), *what.rows[1:]]),
    "edited": lambda what: replace(what, rows=[replace(what.rows[0], changed=True), *what.rows[1:]]),
    "issue": lambda what: replace(what, rows=[replace(what.rows[3], issues=(issue(5, None),)), *what.rows[1:]]),
    "number": lambda what: replace(what, rows=[replace(what.rows[0], number=99), *what.rows[1:]]),
    "a row less": lambda what: replace(what, rows=what.rows[1:]),
    "order": lambda what: replace(what, rows=what.rows[::-1]),
    "columns": lambda what: replace(what, columns=("Other", *what.columns[1:])),
    "address of a case": lambda what: replace(what, case_url="https://crm.example/{wolkvox_id}"),
    "source": lambda what: replace(what, made_from=("program", "other", "mapping")),
    "zone": lambda what: later(what, started_at=what.summary.started_at.astimezone(timezone(timedelta(hours=1)))),
    "what counts as now": lambda what: later(what, run=4),
}


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_whatever_another_sheet_shows_is_in_the_fingerprint(difference: str) -> None:
    """Each of these makes another report of it; the times, counts of calls and notes of Summary do not."""
    what = told()
    assert fingerprint(DIFFERENCES[difference](what)) != fingerprint(what)
    assert fingerprint(later(what, notes=("Other.",), next_step="Other.")) == fingerprint(what)
    assert fingerprint(replace(what, outcomes=[each.facts for each in what.rows])) == fingerprint(what)


def test_a_report_that_says_something_else_is_written_whole(tmp_path: Path) -> None:
    """A row that was sent since is shown as it is now."""
    desk, path = UserInterface(), tmp_path / "t.report.xlsx"
    desk.write(path, told([row(2), row(3)]))
    desk.write(path, told([row(2), row(3, message="Seen.")]))
    assert load_workbook(path)["Report"]["J3"].value == "Created in this run.\nSeen."


def test_without_knowing_the_cells_origin_every_report_is_written_whole(tmp_path: Path) -> None:
    """No fingerprint is noted then, and none is asked for."""
    desk, path = UserInterface(), tmp_path / "t.report.xlsx"
    what = replace(told([row(2)]), made_from=())
    assert desk.write(path, what).fingerprint is None
    before = stored(path)
    desk.write(path, replace(what, rows=[row(2, cells=("a", "b", "c", "d", "e"))]))
    assert "xl/worksheets/sheet2.xml" in changed_parts(before, stored(path))


def test_p5_an_edited_report_is_not_taken_for_what_it_was(tmp_path: Path) -> None:
    """It keeps every byte; the new one takes the next name, and is the one that is renewed from then on."""
    desk, path = UserInterface(), tmp_path / "t.report.xlsx"
    desk.write(path, told())
    book = load_workbook(path)
    book["Report"]["A2"] = "corrected"
    book.save(path)
    kept = path.read_bytes()
    second = desk.write(path, later(told()))
    assert second.path.name == "t (2).report.xlsx"
    assert "corrected" not in {cell.value for cell in load_workbook(second.path)["Report"][2]}
    before = stored(second.path)
    assert desk.write(path, later(told(), user="eva")).path == second.path
    assert changed_parts(before, stored(second.path)) == {SUMMARY_PART}
    assert path.read_bytes() == kept


def test_p3_what_the_workbook_had_to_do_without_is_still_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Summary tells of links and notes beyond Excel's limits also where only it is made anew."""
    monkeypatch.setattr(issues_sheet, "LINKS_PER_SHEET", 1)
    desk, path = UserInterface(), tmp_path / "t.report.xlsx"
    desk.write(path, told())
    monkeypatch.undo()
    desk.write(path, later(told()))
    said = [str(cell.value) for line in load_workbook(path)["Summary"] for cell in line]
    assert sum("lines of Issues lead to no cell" in text for text in said) == 1


def test_a_renewal_that_breaks_off_leaves_the_old_report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whole or not at all, and nothing half-written stays behind."""
    desk, path = UserInterface(), tmp_path / "t.report.xlsx"
    desk.write(path, told())
    kept = path.read_bytes()

    def cut_off(*arguments: object) -> None:
        workbook.renew_workbook(*arguments)  # type: ignore[arg-type]
        raise RuntimeError("power")

    monkeypatch.setattr(writing, "renew_workbook", cut_off)
    with pytest.raises(RuntimeError, match="power"):
        desk.write(path, later(told()))
    assert path.read_bytes() == kept
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_a_run_that_sends_nothing_leaves_the_sheets_as_they_are(office: Office, give: Give) -> None:
    """The third run says of itself in Summary what it did; a corrected row is in the sheets of the fourth."""
    office.write([ticket(1), ticket(2, Correo="nobody")])
    run = office.arguments("run", "--yes", "--json")
    give(run)
    give(run)
    before = stored(office.report)
    third = give(run).json
    assert changed_parts(before, stored(office.report)) == {SUMMARY_PART}
    summary = {line[0].value: line[1].value for line in load_workbook(office.report)["Summary"]}
    assert (summary["Run"], summary["created before"], summary["invalid"]) == (str(third["run"]), 1, 1)
    office.write([ticket(1), ticket(2)])
    give(run)
    assert list(office.reported()["status"]) == ["created", "created"]


def test_p5_a_journal_of_the_version_before_learns_to_note_what_reports_say(tmp_path: Path) -> None:
    """It opens with all that it knew; its reports are ours still, and none of them is known to say anything."""
    path = tmp_path / "journal.db"
    with Journal(path) as journal:
        record = journal.imports.add("tenant", "operation", "tickets", None)
        journal.imports.note_report(record.id, "old")
    with sqlite3.connect(path) as raw:
        raw.execute("ALTER TABLE reports DROP COLUMN fingerprint")
        raw.execute("DELETE FROM migrations WHERE name LIKE 'm002%'")
    raw.close()
    for _time in range(2):
        with Journal(path) as journal:
            assert (journal.imports.is_report("old"), journal.imports.fingerprint_of("old")) == (True, None)
            journal.imports.note_report(record.id, "new", "what it says")
            assert journal.imports.fingerprint_of("new") == "what it says"
            assert journal.imports.fingerprint_of("foreign") is None
