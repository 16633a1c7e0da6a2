"""Files that cannot be read are recognised by their content and refused in one sentence with a remedy."""

from __future__ import annotations

import io
import sys
import zipfile
from pathlib import Path

import pytest
from source_support import WORKBOOKS, opened, saved, written

from importer.errors import SourceError
from importer.source import open_table, parsing

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504)
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def packed(**replaced: bytes) -> bytes:
    """Return the smallest workbook of the collection with parts replaced, by name with dots for slashes."""
    target = io.BytesIO()
    with (
        zipfile.ZipFile(WORKBOOKS / "header_alone.xlsx") as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for part in old.infolist():
            new.writestr(part, replaced.get(Path(part.filename).stem, old.read(part)))
    return target.getvalue()


REFUSED: dict[str, tuple[bytes, str]] = {
    "password.xlsx": (OLE + "EncryptedPackage".encode("utf-16-le"), "password"),
    "page.xls": (b"\xef\xbb\xbf\r\n<html><body><table><tr><td>a</td></tr></table></body></html>", "web page"),
    "fragment.xls": (b"<table border=1><tr><td>a</td></tr></table>", "web page"),
    "old_xml.xls": (
        b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
        "XML Spreadsheet 2003",
    ),
    "other.xml": (b"<?xml version='1.0'?><a/>", "XML document"),
    "login.csv": (b"<!doctype html><html><a href='https://accounts.google.com/'>", "sign-in page"),
    "link.gsheet": (b'{"url": "https://docs.google.com/spreadsheets/d/1"}', "link to a Google sheet"),
    "report.pdf": (b"%PDF-1.7\n", "PDF"),
    "photo.csv": (b"\x89PNG\r\n\x1a\n", "PNG"),
    "letter.xls": (OLE + "WordDocument".encode("utf-16-le"), "Word"),
    "nothing.xls": (OLE, "damaged"),
    "half.xls": (OLE + "Workbook".encode("utf-16-le"), "damaged"),
    "cut.xlsx": ((WORKBOOKS / "cells.xlsx").read_bytes()[:3000], "damaged"),
    "empty.csv": (b"", "empty"),
    "late.xlsx": (b"\r\n" + (WORKBOOKS / "cells.xlsx").read_bytes(), "it has something in front of the workbook"),
    "late.xls": (b"\xef\xbb\xbf" + (WORKBOOKS / "table.xls").read_bytes(), "it has something in front of the workbook"),
    "broken.xlsx": (packed(sheet1=b"<worksheet><sheetData><row"), "damaged"),
    "wide.xlsx": (
        packed(sheet1=f'<worksheet xmlns="{MAIN}"><sheetData/></worksheet>'.encode("utf-16")),
        "is empty",
    ),
    "unsorted.xlsx": (
        packed(
            sheet1=f'<worksheet xmlns="{MAIN}"><sheetData><row r="2"/><row r="1"/></sheetData></worksheet>'.encode()
        ),
        "damaged",
    ),
    "badnumber.xlsx": (
        packed(sheet1=f'<worksheet xmlns="{MAIN}"><sheetData><row r="x"/></sheetData></worksheet>'.encode()),
        "damaged",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_s6_a_file_that_is_not_what_it_says_is_named(tmp_path: Path, name: str) -> None:
    """The sentence names the file and what it is, whatever its ending says."""
    content, what = REFUSED[name]
    with pytest.raises(SourceError, match=what) as refused:
        open_table(written(tmp_path / name, content))
    assert name in str(refused.value)


def test_s6_the_ending_does_not_matter(tmp_path: Path) -> None:
    """A workbook named .csv and a text named .xlsx are read as what they are."""
    assert open_table(written(tmp_path / "t.csv", (WORKBOOKS / "table.xls").read_bytes())).rows == 3
    assert open_table(written(tmp_path / "t.xlsx", "a,b\n1,2\n")).rows == 1


def test_s6_lock_files_folders_and_missing_files(tmp_path: Path) -> None:
    """A lock file, a folder and a missing file are each named as what they are."""
    for name, what in (("~$t.xlsx", "open program"), ("", "folder"), ("no.csv", "no file")):
        with pytest.raises(SourceError, match=what):
            open_table(tmp_path / name)


def test_s6_values_at_both_ends_of_the_sheet() -> None:
    """Values in A1 and XFD1048576 are refused before anything sets memory aside for all between."""
    with pytest.raises(SourceError, match="17,179,869,184 cells"):
        opened("far_corner.xlsx")


def test_x2_a_zip_bomb_is_refused_unopened(tmp_path: Path) -> None:
    """A part that unpacks a thousandfold is refused by what the zip says of it."""
    with pytest.raises(SourceError, match="zip bomb"):
        open_table(written(tmp_path / "bomb.xlsx", packed(sheet1=bytes(64 << 20))))


def test_x2_entities_are_refused_in_every_part(tmp_path: Path) -> None:
    """A billion laughs in any part is refused before the part is parsed."""
    laughs = b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><w>&b;</w>'
    for part in ("sheet1", "workbook", "styles", "app"):
        with pytest.raises(SourceError, match="entities"):
            open_table(written(tmp_path / "laughs.xlsx", packed(**{part: laughs})))


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not hold a process to its limit")
def test_a_parser_that_runs_out_of_memory_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the child process reaches its limit, the sentence says so, and this process lives on."""
    monkeypatch.setattr(parsing, "MEMORY_LIMIT", 150 << 20)
    path = saved(tmp_path / "t.xlsx", [["a"], *([["x" * 30_000 + str(n)] for n in range(3)])])
    content = packed(
        sheet1=(
            f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1"><v>1</v></c></row>'
            '<row r="400000"><c r="CV400000"><v>2</v></c></row></sheetData></worksheet>'
        ).encode()
    )
    assert open_table(path).rows == 3
    with pytest.raises(SourceError, match="memory"):
        open_table(written(tmp_path / "wide.xlsx", content))
