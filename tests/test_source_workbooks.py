"""Workbooks: cells, headers, rows and sheets, of every format."""

from __future__ import annotations

import csv
import hashlib
import re
import zipfile
from datetime import date, datetime, time
from pathlib import Path

import psutil
import pytest
from openpyxl import Workbook
from source_support import WORKBOOKS, before_excel_97, opened, rows_of, saved, texts_of, written

from importer.errors import SourceError
from importer.model import CellError, TableOptions, Typed
from importer.source import open_table
from importer.source.xlsx import reading as xlsx_grid


def test_s2_numbers_and_text_keep_their_digits() -> None:
    """Zeros, padding, percentages and integers read as Excel shows them, other numbers as their shortest text."""
    cells = dict(rows_of(opened("cells.xlsx")).values())
    assert cells["text with leading zeros"] == "00123"
    assert cells["number padded with zeros"] == Typed("00123", 123, "00000")
    assert cells["integer stored as float"] == Typed("3001234567", 3001234567)
    assert cells["percentage"] == Typed("12.5%", 0.125, "0.0%")
    assert str(cells["currency"]) == "1234.5"
    assert cells["true"] == Typed("TRUE", value=True)
    assert cells["formula as text"] == "=1+1"
    assert cells["NA as text"] == "NA"


def test_s2_what_cannot_be_known_is_a_fault() -> None:
    """An error, lost digits and a formula without a result are faults that name themselves, and hide no other row."""
    rows = rows_of(opened("errors.xlsx"))
    found = {
        number: (cells[1].code, cells[1].text) for number, cells in rows.items() if isinstance(cells[1], CellError)
    }
    assert found == {
        2: ("error-cell", "#N/A"),
        3: ("error-cell", "#DIV/0!"),
        4: ("error-cell", "#REF!"),
        5: ("error-cell", "#VALUE!"),
        6: ("error-cell", "#NAME?"),
        7: ("digits-lost", "1234567890123456"),
        8: ("formula-without-result", "=B7&B8"),
    }
    assert rows[9][1] == "fin"


@pytest.mark.parametrize("name", ["dates_1900.xlsx", "dates_1904.xlsx", "dates_1904.xls"])
def test_s3_moments_of_both_epochs_stay_where_they_are(name: str) -> None:
    """Dates and times are the same in both epochs, and the last moment of a day stays on its day."""
    cells = [cells[1] for cells in rows_of(opened(name)).values()]
    assert [cell.value for cell in cells if isinstance(cell, Typed)] == [
        date(2024, 2, 29),
        date(2024, 12, 31),
        date(2026, 4, 3),
        date(2026, 4, 3),
        date(2026, 4, 3),
        date(2026, 3, 2),
        datetime.fromisoformat("2024-01-01T23:59:59.999900"),
        datetime.fromisoformat("2024-01-01T10:30"),
        datetime.fromisoformat("2024-01-01T15:05"),
        datetime.fromisoformat("2024-01-01T15:05:07"),
        time(8, 5),
        time(23, 59, 59),
        pytest.approx(30.25 / 24),
    ]
    assert str(cells[6]) == "2024-01-01 23:59:59"
    assert str(cells[4]) == "viernes, 3 de abril de 2026"


def test_s4_the_header_is_found_below_a_title() -> None:
    """The header below a title is found, with a note; blank and styled empty rows neither shift nor add a row."""
    table = opened("header_on_row_4.xlsx")
    assert (table.header_row, table.rows) == (4, 4)
    assert table.columns == ("Ticket", "Descripción larga", "(column C)", "Nota", "Nota (2)")
    assert texts_of(table) == {row: [f"{row}.{column}" for column in range(1, 6)] for row in (5, 7, 8, 12)}


def test_s5_merged_cells_are_first_or_filled() -> None:
    """A merged range keeps its value in its first cell, or repeats it where that is asked for."""
    assert texts_of(opened("merged.xlsx"))[4] == ["", "2", "y"]
    filled = texts_of(opened("merged.xlsx", merged="fill"))
    assert filled == {3: ["Ana", "1", "x"], 4: ["Ana", "2", "y"], 5: ["Ana", "3", ""], 6: ["Luis", "4", "4"]}


@pytest.mark.parametrize(("name", "hidden"), [("hidden.xlsx", {4, 7, 8}), ("mixed.ods", {13}), ("mixed.xls", {13})])
def test_s5_hidden_rows_are_told(name: str, hidden: set[int]) -> None:
    """Hidden rows are listed, with a note, unless they are included; they keep their place either way."""
    table = opened(name)
    assert table.hidden == hidden
    assert any("hidden or filtered" in note for note in table.notes)
    assert hidden <= set(texts_of(table))
    assert opened(name, hidden="include").hidden == frozenset()


def test_s5_what_cannot_be_recognised_is_said(tmp_path: Path) -> None:
    """Of an XLS workbook older than Excel 97 the values are read, and the notes say what was not seen."""
    table = open_table(before_excel_97(WORKBOOKS / "mixed.xls", tmp_path / "mixed.xls"))
    assert (table.hidden, table.rows) == (frozenset(), 13)
    assert texts_of(table)[5] == ["date", "2024-02-29"]
    assert any("Hidden rows" in note and ".xlsx" in note for note in table.notes)


def test_links_show_their_text_or_their_target() -> None:
    """A link reads as its text, and as its target where it has no text."""
    assert [cells[1] for cells in rows_of(opened("links.xlsx")).values()] == [
        "el sitio",
        "https://example.com/dos",
        "ir",
        "fin",
    ]


def test_an_xls_cell_without_a_text_reads_as_the_target_of_its_link(tmp_path: Path) -> None:
    """In an XLS workbook, too, a link reads as its text, and as its target where it has no text."""
    content = (WORKBOOKS / "links.xls").read_bytes()
    text_of_b2, unknown = b"\xfd\x00\x0a\x00\x01\x00\x01\x00", b"\xff\x0f\x0a\x00\x01\x00\x01\x00"
    assert content.count(text_of_b2) == 1
    path = written(tmp_path / "t.xls", content.replace(text_of_b2, unknown))
    assert [cells[1] for cells in texts_of(open_table(path)).values()] == ["https://example.com/uno", "", "ir", "fin"]
    assert any("2 cells are links" in note for note in open_table(path).notes)


def test_emojis_in_xls_are_whole() -> None:
    """XLS files store texts in records of 8 KB; an emoji that is cut in two by them is read as it was written."""
    assert texts_of(opened("emoji.xls")) == texts_of(opened("emoji.xlsx"))


def test_a_workbook_without_references_and_with_a_prefix_reads() -> None:
    """Cells without a reference follow each other; a prefixed namespace is the same namespace."""
    assert texts_of(opened("prefixed.xlsx")) == {2: ["7", "29/02/2024"], 5: ["ab", "2024-02-29"]}


@pytest.mark.parametrize("name", ["cells.xlsx", "dates_1900.xlsx", "dates_1904.xlsx", "errors.xlsx", "mixed.xlsx"])
@pytest.mark.parametrize(
    "spelt",
    [r"<c \3\1\2>", r"<c\n \1 \2 \3 >", r"<c\1 cm='0'\2\3>"],
    ids=["another order", "more spaces", "further attributes"],
)
def test_cells_that_are_spelt_in_an_unusual_way_say_the_same(tmp_path: Path, name: str, spelt: str) -> None:
    """A style, a type and a reference mean the same in any order and between any spaces."""
    path = tmp_path / name
    cell = re.compile(r'<c( r="[A-Z]+[0-9]+")( s="[0-9]+")?( t="[a-z]+")?>', re.IGNORECASE)
    with zipfile.ZipFile(WORKBOOKS / name) as old, zipfile.ZipFile(path, "w") as new:
        for part in old.namelist():
            content = old.read(part).decode() if part.startswith("xl/worksheets/sheet") else old.read(part)
            new.writestr(part, cell.sub(spelt, content) if isinstance(content, str) else content)
    assert rows_of(open_table(path)) == rows_of(opened(name))


def test_s5_a_merged_range_makes_no_column_of_its_own() -> None:
    """Where merged cells are filled, a column that has neither a header nor anything else does not count."""
    assert opened("mixed.xlsx", merged="fill").columns == opened("mixed.xlsx").columns == ("Qué", "Celda")


@pytest.mark.usefixtures("own_parsers")
def test_a_workbook_that_is_given_up_leaves_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that parses a workbook ends when its reading stops for another reason."""
    before = set(psutil.Process().children())
    parsers: list[psutil.Process] = []

    def stop(*_arguments: object, **_options: object) -> None:
        parsers.extend(set(psutil.Process().children()) - before)
        raise KeyboardInterrupt

    monkeypatch.setattr(xlsx_grid, "scan", stop)
    with pytest.raises(KeyboardInterrupt):
        opened("cells.xlsx")
    (parser,) = parsers
    assert not parser.is_running()


def test_the_first_visible_sheet_that_is_not_ours_is_read() -> None:
    """A hidden sheet and a report of ours are passed over; a sheet that is named is read even so."""
    assert opened("sheets.xlsx").sheet == "Casos"
    assert opened("sheets.xlsx", sheet="Oculta").columns == ("No", "esta")
    assert opened("report_only.xlsx").sheet == "Report (2)"


def test_a_users_own_sheet_called_issues_is_no_report(tmp_path: Path) -> None:
    """`Issues` and `Report` are ours only where a report holds our columns."""
    book = Workbook()
    for name in ("Issues", "Report"):
        book.create_sheet(name).append(["Ticket", "Tipo"])
    del book["Sheet"]
    book.save(tmp_path / "t.xlsx")
    assert open_table(tmp_path / "t.xlsx").sheet == "Issues"


def test_a_missing_sheet_is_answered_with_those_that_exist() -> None:
    """The sheets that exist are named where the one asked for does not; letter case and spaces do not matter."""
    with pytest.raises(SourceError, match="“Oculta”, “Report”, “Summary”, “Casos”"):
        opened("sheets.xlsx", sheet="Tickets")
    assert opened("sheets.xlsx", sheet="casos ").sheet == "Casos"


def test_s6_an_empty_sheet_and_a_header_alone() -> None:
    """An empty sheet is refused by name; a header alone is a table without rows."""
    with pytest.raises(SourceError, match=r"“Datos” of empty\.xlsx is empty"):
        opened("empty.xlsx")
    assert opened("header_alone.xlsx").rows == 0


@pytest.mark.parametrize(
    "dialect", [(",", "utf-8"), (";", "cp1252"), ("\t", "utf-16"), ("|", "utf-8-sig"), (";", "latin-1")]
)
@pytest.mark.parametrize("name", ["table.xlsx", "table.xls", "table.ods"])
def test_the_same_table_in_every_format_is_the_same(tmp_path: Path, name: str, dialect: tuple[str, str]) -> None:
    """A table saved as CSV in five dialects, XLSX, XLS and ODS gives the same columns, row numbers and texts."""
    delimiter, encoding = dialect
    table = opened(name)
    path = tmp_path / "t.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([table.columns, *texts_of(table).values()])
    text = open_table(path)
    assert text.columns == table.columns
    assert texts_of(text) == texts_of(table)


def test_the_digest_is_of_the_bytes_that_were_read(tmp_path: Path) -> None:
    """The digest is the sha256 of the file, and what is read later is what was digested."""
    path = tmp_path / "t.xlsx"
    content = (WORKBOOKS / "cells.xlsx").read_bytes()
    table = open_table(written(path, content))
    path.write_bytes(b"overwritten since")
    assert table.digest == hashlib.sha256(content).hexdigest()
    assert len(rows_of(table)) == table.rows


def test_regional_dates_read_the_same_everywhere(tmp_path: Path) -> None:
    """The format that Excel shows by each computer's region reads as an ISO date, and a note says so."""
    book = Workbook()
    page = book.active
    assert page is not None
    page.append(["Fecha"])
    page.append([date(2026, 4, 3)])
    page["A2"].number_format = "mm-dd-yy"  # the built-in format 14
    book.save(tmp_path / "t.xlsx")
    table = open_table(tmp_path / "t.xlsx")
    assert texts_of(table) == {2: ["2026-04-03"]}
    assert any("YYYY-MM-DD" in note for note in table.notes)


def test_a_table_that_begins_at_the_right_keeps_its_columns(tmp_path: Path) -> None:
    """Columns are where Excel shows them, also where the first ones are empty."""
    path = saved(tmp_path / "t.xlsx", [[], [None, None, "a", "b"], [None, None, 1, None], [None, "x", 2, 3]])
    table = open_table(path)
    assert table.columns == ("(column B)", "a", "b")
    assert texts_of(table) == {3: ["", "1", ""], 4: ["x", "2", "3"]}


def test_every_row_that_is_counted_is_in_a_frame(tmp_path: Path) -> None:
    """A row with nothing but a zero, FALSE, an error or a link is a row; one that only a merged range covers is not."""
    book = Workbook()
    page = book.active
    assert page is not None
    for row in (["a", "b"], [0, None], [None, False], ["x", "y"], [None, None], [None, "z"], [" ", None]):
        page.append(row)
    page["B8"] = "=1+1"
    page["A9"].hyperlink = "https://example.com"
    page["A9"].number_format = "@"
    page["A9"].value = None
    page["A10"] = "end"
    page.merge_cells("A4:A6")
    book.save(tmp_path / "t.xlsx")
    for merged, last in (("first", ""), ("fill", "x")):
        table = open_table(tmp_path / "t.xlsx", TableOptions(merged=merged))
        texts = texts_of(table)
        assert list(texts) == [2, 3, 4, 6, 8, 9, 10]
        assert table.rows == len(texts)
        assert texts[6] == [last, "z"]


def test_text_that_looks_like_markup_moves_no_fact(tmp_path: Path) -> None:
    """A cell that speaks of rows and cells changes nothing about the cells after it."""
    book = Workbook()
    page = book.active
    assert page is not None
    page.append(["a", "b"])
    for number in range(5):
        page.append(["</row> row> <c s='1'><v>1</v></c> <!-- & ]]>", date(2024, 1, 1 + number)])
        page.cell(page.max_row, 2).number_format = "dd/mm/yyyy"
    book.save(tmp_path / "t.xlsx")
    assert [cells[1] for cells in texts_of(open_table(tmp_path / "t.xlsx")).values()] == [
        f"0{1 + number}/01/2024" for number in range(5)
    ]


@pytest.mark.parametrize("name", ["-c", "ñandú 👍", 'a "b"', "R&D <1>"])
def test_a_sheet_may_have_any_name(tmp_path: Path, name: str) -> None:
    """A sheet is found by its name, whatever a command line or XML would make of that."""
    book = Workbook()
    book.create_sheet(name, 0).append(["a", "b"])
    book.save(tmp_path / "t.xlsx")
    assert open_table(tmp_path / "t.xlsx").sheet == name


def test_the_options_reach_workbooks() -> None:
    """A named header row is taken of a workbook too."""
    assert opened("header_on_row_4.xlsx", header_row=5).columns == ("5.1", "5.2", "5.3", "5.4", "5.5")
    assert TableOptions().header_row is None


def test_an_xls_workbook_that_uses_a_sector_twice_is_read(tmp_path: Path) -> None:
    """Some exports name a sector of the workbook as another stream's, too; Excel reads them, and so is done here."""
    content = bytearray((WORKBOOKS / "emoji.xls").read_bytes())
    directory = 512 * (1 + int.from_bytes(content[48:52], "little"))
    names = {
        content[at : at + 64].decode("utf-16-le").rstrip("\0"): at for at in range(directory, directory + 512, 128)
    }
    start = names["Workbook"] + 116
    content[names["Root Entry"] + 116 : names["Root Entry"] + 124] = content[start : start + 4] + b"\x40\0\0\0"
    path = tmp_path / "twice.xls"
    path.write_bytes(content)
    assert rows_of(open_table(path)) == rows_of(opened("emoji.xls"))
