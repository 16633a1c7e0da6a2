"""Cases that go without missing files, as `missing: send_without` lets them: named wherever a person looks."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import load_workbook
from run_support import MAPPING, Give, Office, ticket
from test_next_steps import run

ATTACHED = "attachments: {folder: f, columns: Archivo, separator: ';', missing: send_without, names_in: description}\n"


@pytest.fixture
def lacking(office: Office) -> Office:
    """Provide three tickets, of which row 3 names a file that is there and one that is not."""
    office.write([ticket(1, Archivo="foto.jpg"), ticket(2, Archivo="perdido.pdf;foto.jpg")], [*ticket(1), "Archivo"])
    office.mapping.write_text(MAPPING + ATTACHED, "utf-8")
    (office.folder / "f").mkdir()
    (office.folder / "f" / "foto.jpg").write_bytes(b"x")
    return office


def message(path: Path) -> str:
    """Return the message of row 3 in a report."""
    sheet = load_workbook(path)["Report"]
    place = [cell.value for cell in sheet[1]].index("message") + 1
    return str(sheet.cell(3, place).value)


def summary(path: Path) -> str:
    """Return the texts of a report's first sheet."""
    return "\n".join(str(cell.value) for line in load_workbook(path)["Summary"] for cell in line if cell.value)


def test_the_missing_files_of_a_created_row_are_named(lacking: Office, give: Give) -> None:
    """In the row's message, the notes, the reasons and the Summary; also in a report that is written again."""
    note = "1 row is sent without files that are missing (row 3: perdido.pdf)."
    assert note in give(lacking.arguments("check", "--journal", str(lacking.journal))).out
    sent = give(run(lacking, "--html"))
    assert sent.status == 0
    assert note in sent.err  # the forecast, and once is enough
    assert note not in sent.out
    assert "Sent without: perdido.pdf." in lacking.report.with_suffix(".html").read_text("utf-8")
    for result in (sent, give(lacking.arguments("report"))):
        assert result.status == 0
        assert "Sent without: perdido.pdf." in message(lacking.report)
        assert "Attachments: 2 of 3 sent." in summary(lacking.report)
        assert "Sent without their missing files: row 3: perdido.pdf." in summary(lacking.report)
    again = give(lacking.arguments("report", "--json")).json
    assert [reason["message"] for reason in again["reasons"]] == ["Sent without: perdido.pdf."]
    assert note in again["notes"]
    table = lacking.folder / "r.csv"
    give(lacking.arguments("report", "--report", str(table)))
    assert table.read_text("utf-8-sig").count("Sent without: perdido.pdf.") == 1


def test_only_the_files_that_are_sent_are_numbered(lacking: Office, give: Give) -> None:
    """`names_in` lists what goes with the case, and the line with the missing files comes after it."""
    give(run(lacking))
    description = str(lacking.sandbox.store.cases[1].body["description"])
    assert description.endswith("\n\n1. foto.jpg\n\n[Missing attachments: perdido.pdf]")


@pytest.mark.parametrize("appeared", [True, False])
def test_nothing_is_said_of_files_that_are_there_or_were_sent(lacking: Office, give: Give, *, appeared: bool) -> None:
    """A file may turn up afterwards, and one that was sent may be archived."""
    lost, kept = lacking.folder / "f" / "perdido.pdf", lacking.folder / "f" / "foto.jpg"
    if appeared:
        give(run(lacking))
        lost.write_bytes(b"y")
    else:
        lost.write_bytes(b"y")
        give(run(lacking))
        lost.unlink()
        kept.rename(kept.with_name("otra.jpg"))
    again = give(lacking.arguments("report"))
    assert again.status == 0
    assert "ithout" not in again.out + message(lacking.report) + summary(lacking.report)
    assert "Attachments: 3 of 3 sent." in summary(lacking.report)


def test_the_summary_does_not_count_cases_that_were_deleted(office: Office, give: Give) -> None:
    """Nobody is told that they are in the CRM: their rows are left to send."""
    office.write([ticket(1), ticket(2), ticket(3)])
    give(run(office))
    assert "deleted" not in summary(office.report)
    for number, key in enumerate("12", 1):
        office.sandbox.store.delete(number)
        give(office.settle("--by-hand", key, "--deleted"))
    give(office.arguments("report"))
    said = summary(office.report)
    assert "1 of 3 tickets are in the CRM." in said
    assert "2 rows are left to send" in said
