"""What other readers' own torture files revealed, each on a small file of our own."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest
from source_support import WORKBOOKS, before_excel_97, open_table, opened, saved, texts_of, written

from importer.errors import SourceError
from importer.source import parsing

OF_A_MACRO = (
    '<?xml version="1.0"?><!DOCTYPE library:library PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN"'
    ' "library.dtd"><library:library xmlns:library="http://openoffice.org/2000/library" library:name="Standard"/>'
)
BEGIN_OF_WORKBOOK = b"\x09\x08\x10\x00\x00\x06\x05\x00"
pytestmark = pytest.mark.usefixtures("own_parsers")  # some are ended, crash or go on for ever
LOCKED = 0x2F  # the record after which an XLS workbook is encrypted


def test_a_macro_in_an_ods_file_is_no_entity(tmp_path: Path) -> None:
    """LibreOffice names a document type in each part of a macro; it declares nothing, and the table is read."""
    path = written(tmp_path / "macro.ods", (WORKBOOKS / "table.ods").read_bytes())
    with zipfile.ZipFile(path, "a") as package:
        package.writestr("Basic/Standard/script-lb.xml", OF_A_MACRO)
    assert texts_of(open_table(path)) == texts_of(opened("table.ods"))


def test_s6_a_password_of_an_xls_file_is_named(tmp_path: Path) -> None:
    """An encrypted XLS workbook is refused as one with a password and not as a damaged one."""
    content = bytearray((WORKBOOKS / "table.xls").read_bytes())
    second_record = content.index(BEGIN_OF_WORKBOOK) + 4 + content[content.index(BEGIN_OF_WORKBOOK) + 2]
    content[second_record] = LOCKED
    content[second_record + 1] = 0
    with pytest.raises(SourceError, match="password"):
        open_table(written(tmp_path / "locked.xls", bytes(content)))


def test_as_many_equal_headers_as_a_sheet_has_columns(tmp_path: Path) -> None:
    """16,384 equal headers are numbered, each at the cost of any other."""
    table = open_table(saved(tmp_path / "wide.xlsx", [["1"] * 16_384, ["x"] * 16_384]))
    assert (table.columns[0], table.columns[-1]) == ("1", "1 (16384)")


def test_s6_a_far_column_alone_is_refused_in_xlsx(tmp_path: Path) -> None:
    """Rows are read from column A on: a column XFD that is filled at both ends is as far as a sheet's corner."""
    rows = "".join(f'<row r="{row}"><c r="XFD{row}"><v>1</v></c></row>' for row in (1, 1_048_576))
    path = tmp_path / "far.xlsx"
    sheet = f'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>'
    with zipfile.ZipFile(WORKBOOKS / "empty.xlsx") as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            new.writestr(name, sheet if name == "xl/worksheets/sheet1.xml" else old.read(name))
    with pytest.raises(SourceError, match="17,179,869,184 cells"):
        open_table(path)


def western(path: Path) -> Path:
    """Write an XLS workbook that names another code page than its texts have."""
    content = (WORKBOOKS / "table.xls").read_bytes()
    unicode_named, western_named = b"\x42\x00\x02\x00\xb0\x04", b"\x42\x00\x02\x00\xe4\x04"
    assert unicode_named in content
    return written(path, content.replace(unicode_named, western_named))


def test_the_code_page_of_an_xls_file_does_not_matter(tmp_path: Path) -> None:
    """Texts of Excel 97 and later are Unicode, whatever code page the workbook names."""
    assert texts_of(open_table(western(tmp_path / "western.xls"))) == texts_of(opened("table.xls"))


def test_an_xls_file_whose_texts_are_misread_is_refused(tmp_path: Path) -> None:
    """Where only calamine, which applies the wrong code page, can read the workbook, it is refused."""
    path = before_excel_97(western(tmp_path / "western.xls"), tmp_path / "old.xls")
    with pytest.raises(SourceError, match=r"would be garbled.*save it as \.xlsx"):
        open_table(path)


FOURTH_ROW = b"\xfd\x00\x0a\x00\x03\x00\x00\x00"  # the beginning of its first cell, which has a text
DAMAGE = {
    "a text that is not in the table of texts": (FOURTH_ROW, FOURTH_ROW + b"\x0f\x00\xff\xff\xff\x7f"),
    "a cell longer than its record": (FOURTH_ROW, b"\xfd\x00\xff\xff\x03\x00\x00\x00"),
    "an end amid the rows": (FOURTH_ROW, b"\x0a\x00\x0a\x00\x03\x00\x00\x00"),
    "rows that became zeros": (FOURTH_ROW, bytes(124)),  # four rows
    "an end amid the styles": (b"\xe0\x00\x14\x00", b"\x0a\x00\x14\x00"),
    "a name of the user that became a palette": (b"\x5c\x00\x70\x00", b"\x92\x00\x70\x00"),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_xls_workbook_is_refused_and_not_read_in_part(tmp_path: Path, damage: str) -> None:
    """A workbook of Excel 97 to 2003 with a damaged record is refused: other rows, or hidden ones, might be read."""
    content = bytearray((WORKBOOKS / "mixed.xls").read_bytes())
    undamaged, damaged = DAMAGE[damage]
    at = content.index(undamaged)
    content[at : at + len(damaged)] = damaged
    with pytest.raises(SourceError, match=r"damaged or incomplete.*save it as \.xlsx"):
        open_table(written(tmp_path / "t.xls", bytes(content)))


def test_a_damaged_mark_of_the_version_makes_no_old_xls_workbook(tmp_path: Path) -> None:
    """A workbook is older than Excel 97 only where all its parts say so."""
    path = before_excel_97(WORKBOOKS / "mixed.xls", tmp_path / "t.xls", most=1)
    with pytest.raises(SourceError, match=r"damaged or incomplete.*save it as \.xlsx"):
        open_table(path)


def test_s6_a_parser_that_does_not_end_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the child process takes too long, the sentence says so, and this process goes on."""
    monkeypatch.setattr(parsing, "TIME_LIMIT", 0)
    for name in ("table.xlsx", "table.xls", "table.ods", "binary.xlsb"):
        with pytest.raises(SourceError, match=f"{name} cannot be read within"):
            opened(name)


@pytest.mark.skipif(sys.platform == "win32", reason="signals as Unix has them")
@pytest.mark.parametrize("ended_by", ["SIGSEGV", "SIGABRT", "SIGKILL"])
def test_s6_a_parser_that_the_system_ends_may_have_met_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ended_by: str
) -> None:
    """Where a signal ends the child process, the sentence names both causes: damage, and too little memory."""
    program = written(tmp_path / "ended.py", f"import os, signal\nos.kill(os.getpid(), signal.{ended_by})\n")
    monkeypatch.setitem(parsing.PROGRAMS, "xlrd", program)
    with pytest.raises(SourceError, match=r"table\.xls .* damaged, or .* 4 GB of memory.*save"):
        opened("table.xls")


def test_an_xls_file_that_leads_in_a_circle_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a chain of sectors has no end, in which xlrd would read for ever, reading ends in a sentence."""
    monkeypatch.setattr(parsing, "TIME_LIMIT", 2)
    content = bytearray((WORKBOOKS / "links.xls").read_bytes())
    table_of_chains = 3 * 512
    assert content[table_of_chains : table_of_chains + 4] == b"\1\0\0\0"  # after sector 0 comes sector 1
    content[table_of_chains] = 0
    with pytest.raises(SourceError, match=r"circle\.xls cannot be read within 2 seconds"):
        open_table(written(tmp_path / "circle.xls", bytes(content)))
