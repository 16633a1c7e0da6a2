"""A report written again is complete, shows the latest run, and never replaces a file that a person edited."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from report_support import content, every_state, row
from run_support import Give, Office, ticket

from importer import report
from importer.journal import Journal
from importer.model import ReportContent
from importer.report import listings, writing


class ReportWriter:
    """Writes reports, and remembers their digests as a journal does."""

    def __init__(self) -> None:
        self.digests: set[str] = set()

    def write(self, path: Path, what: ReportContent) -> report.WrittenReport:
        """Write a report and remember its digest."""
        written = report.write(path, what, self.digests.__contains__)
        self.digests.add(written.digest)
        return written


def later(what: ReportContent, **more: object) -> ReportContent:
    """Return the report of a later run in which nothing happened to the rows."""
    changes = {"ended_at": what.summary.ended_at + timedelta(days=1), "calls": 99, "user": "luis", **more}
    return replace(what, summary=replace(what.summary, **changes))  # type: ignore[arg-type]


def shown(sheet: Worksheet) -> list[str]:
    """Return everything that a person sees of a sheet's cells."""
    return [
        f"{cell.coordinate} {cell.value!r} {cell.font} {cell.fill} {cell.border} {cell.alignment} {cell.number_format}"
        f" {cell.comment and cell.comment.text} {cell.hyperlink and cell.hyperlink.location}"
        for line in sheet
        for cell in line
    ]


def test_a_later_run_shows_what_it_did_and_every_row_as_before(tmp_path: Path) -> None:
    """Summary shows the latest run; if nothing happened to the rows, the other sheets look the same."""
    writer, path = ReportWriter(), tmp_path / "t.report.xlsx"
    what = content(every_state()[1:], notes=("Before.",))
    first = writer.write(path, what)
    before = load_workbook(path)
    second = writer.write(path, later(what, notes=("A note.",)))
    after = load_workbook(path)
    assert (second.path, second.note) == (path, None)
    assert second.digest == report.digest(path) != first.digest
    for title in ("Report", "Issues", "To decide"):
        assert shown(after[title]) == shown(before[title])
    assert "A note." in {cell.value for line in after["Summary"] for cell in line}
    assert {"luis", "99"} <= {cell.value for line in after["Details"] for cell in line}
    assert len(after["Summary"]._charts) == 1


def test_a_report_can_be_written_again_any_number_of_times(tmp_path: Path) -> None:
    """The file does not grow when it is written again."""
    writer, path, sizes = ReportWriter(), tmp_path / "t.report.xlsx", []
    what = content(every_state())
    for day in range(4):
        writer.write(path, later(what, ended_at=what.summary.ended_at + timedelta(days=day)))
        sizes.append(path.stat().st_size)
    assert max(sizes) - min(sizes) < 100
    assert load_workbook(path)["Report"].max_row == len(every_state()) + 1


def test_a_row_that_was_sent_since_is_shown_as_it_is_now(tmp_path: Path) -> None:
    """Nothing of the previous report remains."""
    writer, path = ReportWriter(), tmp_path / "t.report.xlsx"
    writer.write(path, content([row(2), row(3)]))
    writer.write(path, content([row(2), row(3, message="Seen.")]))
    assert load_workbook(path)["Report"]["E3"].value == "Created in this run.\nSeen."


def test_p5_an_edited_report_is_not_taken_for_what_it_was(tmp_path: Path) -> None:
    """The edited report keeps every byte; the new one takes the next name, and is replaced from then on."""
    writer, path = ReportWriter(), tmp_path / "t.report.xlsx"
    what = content(every_state())
    writer.write(path, what)
    book = load_workbook(path)
    book["Report"]["A2"] = "corrected"
    book.save(path)
    kept = path.read_bytes()
    second = writer.write(path, later(what))
    assert second.path.name == "t (2).report.xlsx"
    assert "corrected" not in {cell.value for cell in load_workbook(second.path)["Report"][2]}
    assert writer.write(path, later(what, user="eva")).path == second.path
    assert "eva" in {cell.value for line in load_workbook(second.path)["Details"] for cell in line}
    assert path.read_bytes() == kept


def test_p3_what_the_workbook_had_to_do_without_is_said_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Summary notes links beyond Excel's limit once, also in a report that is written again."""
    monkeypatch.setattr(listings, "LINKS_PER_SHEET", 1)
    writer, path = ReportWriter(), tmp_path / "t.report.xlsx"
    for what in (content(every_state()), later(content(every_state()))):
        writer.write(path, what)
        texts = [str(cell.value) for line in load_workbook(path)["Summary"] for cell in line]
        assert sum("lines of Issues have no link" in text for text in texts) == 1


def test_a_second_report_that_breaks_off_leaves_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An interrupted save leaves the first report whole, and no partial file."""
    writer, path = ReportWriter(), tmp_path / "t.report.xlsx"
    writer.write(path, content(every_state()))
    kept, write_workbook = path.read_bytes(), writing.WRITERS[".xlsx"]

    def cut_off(*arguments: object) -> None:
        write_workbook(*arguments)  # type: ignore[arg-type]
        raise RuntimeError("power")

    monkeypatch.setitem(writing.WRITERS, ".xlsx", cut_off)
    with pytest.raises(RuntimeError, match="power"):
        writer.write(path, later(content(every_state())))
    assert path.read_bytes() == kept
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_a_run_that_sends_nothing_shows_the_rows_as_they_are(office: Office, give: Give) -> None:
    """Summary shows the third run, which sends nothing; the row is corrected in the fourth run's report."""
    office.write([ticket(1), ticket(2, Correo="nobody")])
    run = office.arguments("run", "--yes", "--json")
    give(run)
    give(run)
    before = shown(load_workbook(office.report)["Report"])
    third = give(run).json
    assert shown(load_workbook(office.report)["Report"]) == before
    workbook = load_workbook(office.report)
    summary = {line[0].value: line[1].value for line in reversed(list(workbook["Summary"]))}
    run_of = {line[0].value: line[1].value for line in workbook["Details"]}["Run"]
    assert (run_of, summary["created before"], summary["invalid"]) == (str(third["run"]), 1, 1)
    office.write([ticket(1), ticket(2)])
    give(run)
    assert list(office.reported()["status"]) == ["created", "created"]


def test_p5_a_journal_of_the_version_before_still_knows_its_reports(tmp_path: Path) -> None:
    """An older journal opens repeatedly with all it knew: its own reports are recognised, others are not."""
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
            assert journal.imports.is_report("old")
            journal.imports.note_report(record.id, "new")
            assert journal.imports.is_report("new")
            assert not journal.imports.is_report("foreign")


@pytest.mark.parametrize("is_saved", [False, True])
def test_a_report_from_before_the_first_run_is_renewed(office: Office, give: Give, *, is_saved: bool) -> None:
    """The journal did not know the import yet, but the report has the journal's mark; what a person saved stays."""
    office.write([ticket(1), ticket(2)])
    give(office.arguments("report"))
    if is_saved:
        workbook = load_workbook(office.report)
        workbook.save(office.report)
    result = give(office.arguments("run", "--yes"))
    assert (result.status, "was edited since" in result.out) == (0, is_saved)
