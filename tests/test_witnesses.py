"""Every report and every written-back sheet is a witness that is consulted before the first send."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

from openpyxl import Workbook, load_workbook
from run_support import HEADER, Give, Office, ticket

from importer.commands import command_line


def in_a_workbook(office: Office, numbers: range = range(1, 4)) -> Path:
    """Write the source as a workbook, and return it."""
    office.write([])
    path = office.folder / "tickets.xlsx"
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    sheet.title = "Tickets"
    sheet.append(HEADER)
    for number in numbers:
        sheet.append([*ticket(number).values()])
    workbook.save(path)
    return path


def of(source: Path, arguments: list[str]) -> list[str]:
    """Return a command's words with another source."""
    return [arguments[0], str(source), *arguments[2:]]


def lose_the_journal(office: Office) -> None:
    """Remove the journal and all files beside it."""
    shutil.rmtree(office.journal.parent)


def refused(office: Office, give: Give, witness: Path, source: Path | None = None, *more: str) -> None:
    """Assert that a run is refused, names the witness, and sends nothing."""
    posts = office.sandbox.posts
    result = give(of(source or office.source, office.arguments("run", "--yes", *more)))
    assert result.status == 2, result
    assert command_line("adopt", witness) in result.err
    assert office.sandbox.posts == posts


def test_r16_a_report_beside_the_source_is_asked_however_numbered(office: Office, give: Give) -> None:
    """Without a journal, each report of the source stops the first send, and `adopt` takes it over."""
    office.write([ticket(1), ticket(2)])
    give(office.arguments("run", "--yes"))
    lose_the_journal(office)
    witness = office.report
    elsewhere = ("--report", str(office.folder / "elsewhere.xlsx"))
    for name in (
        "tickets.report.xlsx",
        "tickets (2).report.xlsx",
        "tickets (17).report.xlsx",
        "tickets.report (1).xlsx",
        "tickets.report - copia.xlsx",
        "tickets.report - Copy (2).xlsx",
        "TICKETS.REPORT.XLSX",
    ):
        witness = witness.rename(office.folder / name)
        refused(office, give, witness)
        assert give(office.adopt(witness)).status == 0
        assert give(office.arguments("run", "--yes", *elsewhere)).status == 0
        assert office.sandbox.posts == 2
        lose_the_journal(office)


def test_r16_the_sheet_that_was_written_back_is_asked(office: Office, give: Give) -> None:
    """The sheet Report in the source workbook knows the ids, although the report beside it is gone."""
    source = in_a_workbook(office)
    give(of(source, office.arguments("run", "--yes", "--write-back")))
    assert "Report" in load_workbook(source, read_only=True).sheetnames
    lose_the_journal(office)
    office.report.unlink()
    refused(office, give, source, source)
    assert give([*of(source, office.adopt(source))]).status == 0
    assert give(of(source, office.arguments("run", "--yes", "--nothing-was-sent"))).status == 0
    assert office.sandbox.posts == 3


def test_r16_a_written_back_sheet_that_excel_copied_is_asked(office: Office, give: Give) -> None:
    """`Report (2)` is a report, too; a sheet of that name with other columns is the user's own."""
    source = in_a_workbook(office)
    give(of(source, office.arguments("run", "--yes", "--write-back")))
    lose_the_journal(office)
    office.report.unlink()
    workbook = load_workbook(source)
    workbook["Report"].title = "Report (2)"
    workbook.create_sheet("Report").append(["Mes", "Total"])
    workbook.save(source)
    refused(office, give, source, source)
    assert give(of(source, office.adopt(source))).status == 0
    workbook.remove(workbook["Report (2)"])
    workbook.save(source)
    assert give(of(source, office.arguments("run", "--yes", "--nothing-was-sent"))).status == 0
    assert office.sandbox.posts == 3


def test_r16_a_csv_report_is_asked(office: Office, give: Give) -> None:
    """A report as CSV file, where --report names it, numbered beside that, or beside the source."""
    office.write([ticket(1), ticket(2)])
    where = ("--report", str(office.folder / "out.csv"))
    give(office.arguments("run", "--yes", *where))
    lose_the_journal(office)
    witness = office.folder / "out.csv"
    for name in ("out.csv", "out (2).csv", "tickets.report.csv", "tickets (3).report.csv"):
        witness = witness.rename(office.folder / name)
        refused(office, give, witness, None, *where)


def test_r16_a_report_in_another_folder_is_asked(office: Office, give: Give) -> None:
    """`--report PATH` leads to all reports of that name, however numbered."""
    office.write([ticket(1)])
    there = office.folder / "reports"
    there.mkdir()
    where = ("--report", str(there / "week.xlsx"))
    give(office.arguments("run", "--yes", *where))
    lose_the_journal(office)
    witness = (there / "week.xlsx").rename(there / "week (4).xlsx")
    refused(office, give, witness, None, *where)


def test_r16_a_row_in_doubt_is_known_by_its_witness(office: Office, give: Give) -> None:
    """A report without any id still shows that a row may be a case."""
    office.write([ticket(1)])
    office.sandbox.inject("closed-after-creating")
    assert give(office.arguments("run", "--yes")).status == 4
    lose_the_journal(office)
    office.sandbox.inject()
    refused(office, give, office.report)


def test_r16_what_the_journal_knows_stops_nothing(office: Office, give: Give) -> None:
    """With the journal that sent the rows, edited, numbered and copied reports are no reason to refuse."""
    source = in_a_workbook(office)
    give(of(source, office.arguments("run", "--yes", "--write-back", "--limit", "2")))
    workbook = load_workbook(office.report)
    workbook["Report"]["A2"] = "edited"
    workbook.save(office.report)
    shutil.copy(office.report, office.folder / "tickets (2).report.xlsx")
    assert give(of(source, office.arguments("run", "--yes"))).status == 0
    assert office.sandbox.posts == 3


def test_r16_files_of_other_names_are_none_of_its_witnesses(office: Office, give: Give) -> None:
    """Thousands of other files, and the report of another source, are not opened."""
    office.write([ticket(1)])
    for number in range(2_000):
        (office.folder / f"other {number}.report.xlsx").write_bytes(b"")
    (office.folder / "tickets2.report.xlsx").write_bytes(b"")
    (office.folder / "~$tickets.report.xlsx").write_bytes(b"")
    (office.folder / "tickets.report.notes.txt").write_bytes(b"")
    assert give(office.arguments("run", "--yes")).status == 0


def test_r16_a_file_that_may_be_a_report_and_cannot_be_read_is_named(office: Office, give: Give) -> None:
    """Its contents are unknown, so a person must check it."""
    office.write([ticket(1)])
    (office.folder / "tickets (2).report.xlsx").write_bytes(b"PK damaged")
    result = give(office.arguments("run", "--yes"))
    assert (result.status, office.sandbox.posts) == (2, 0)
    assert "tickets (2).report.xlsx" in result.err


def test_r16_a_table_beside_the_asked_for_report_is_none(office: Office, give: Give) -> None:
    """A user's own `out (2).csv` is not a report and does not stop the run."""
    office.write([ticket(1)])
    with (office.folder / "out (2).csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["Mes", "Total"], ["enero", "3"]])
    assert give(office.arguments("run", "--yes", "--report", str(office.folder / "out.csv"))).status == 0
