"""What a file is before a mapping is chosen: its sheets to choose from, and whether it is a report of ours."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import Workbook
from run_support import Give, Office, ticket

from importer import SourceError, look_at_source


def book(path: Path, tabs: dict[str, list[list[str]]], hidden: str = "") -> Path:
    """Write a workbook with these rows by tab."""
    workbook = Workbook()
    workbook.remove(workbook.worksheets[0])
    for name, rows in tabs.items():
        sheet = workbook.create_sheet(name)
        for row in rows:
            sheet.append(row)
        sheet.sheet_state = "hidden" if name == hidden else "visible"
    workbook.save(path)
    return path


ROWS = [["Id", "Correo"], ["1", "a@b.co"]]


@pytest.mark.parametrize(
    ("tabs", "hidden", "offered"),
    [
        ({"PQR": ROWS}, "", ("PQR",)),
        ({"PQR": ROWS, "Hoja2": [], "Hoja3": [[" "]]}, "", ("PQR",)),
        ({"PQR": ROWS, "Listas": ROWS}, "Listas", ("PQR",)),
        ({"Enero": ROWS, "Febrero": ROWS}, "", ("Enero", "Febrero")),
        ({"Uno": [], "Dos": []}, "", ("Uno", "Dos")),
    ],
)
def test_the_tabs_among_which_a_person_chooses(
    tmp_path: Path, tabs: dict[str, list[list[str]]], hidden: str, offered: tuple[str, ...]
) -> None:
    """Hidden and empty ones are none, unless all are empty."""
    assert look_at_source(book(tmp_path / "week.xlsx", tabs, hidden)).tabs == offered


def test_the_rows_of_each_tab_tell_which_one_is_meant(tmp_path: Path) -> None:
    """The one with the most is the probable one, unless several have as many."""
    longer = [*ROWS, ["2", "b@b.co"]]
    facts = look_at_source(book(tmp_path / "week.xlsx", {"Listas": ROWS, "PQR": longer, "Nota": [["Solo texto"]]}))
    assert (facts.rows[:2], facts.probable) == ((1, 2), "PQR")
    assert look_at_source(book(tmp_path / "same.xlsx", {"Enero": ROWS, "Febrero": ROWS})).probable is None
    assert look_at_source(book(tmp_path / "one.xlsx", {"PQR": ROWS})).rows == ()


def test_a_text_file_has_no_tabs(tmp_path: Path) -> None:
    """There is nothing to choose."""
    (tmp_path / "week.csv").write_text("Id;Correo\n1;a@b.co\n", "utf-8")
    assert look_at_source(tmp_path / "week.csv").tabs == ()


def test_a_report_names_the_sheet_that_it_is_of(office: Office, give: Give) -> None:
    """So a page can offer that sheet instead."""
    office.write([ticket(1, Estado="Otro")])
    give(office.arguments("run", "--yes"))
    facts = look_at_source(office.report)
    assert (facts.is_report, facts.report_of) == (True, office.source)
    assert len(facts.tabs) == 1
    assert not look_at_source(office.source).is_report


@pytest.mark.parametrize("content", [b"", b"%PDF-1.4", b"PK\x03\x04"])
def test_what_is_no_table_is_refused_with_the_remedy(tmp_path: Path, content: bytes) -> None:
    """As every command does."""
    (tmp_path / "week.xlsx").write_bytes(content)
    with pytest.raises(SourceError, match=r"week\.xlsx"):
        look_at_source(tmp_path / "week.xlsx")
    with pytest.raises(SourceError, match="There is no file"):
        look_at_source(tmp_path / "gone.xlsx")
