"""What `check` says about a spreadsheet that is not as it should be."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from run_support import Give, Result
from source_support import WORKBOOKS, open_table, opened, texts_of, written

from importer.errors import SourceError

MAPPING = """\
version: 1
import: any
source: {key: %s}
fields:
  case-type: Request
  responsible: ADMIN_@demo
  owner: ADMIN_@demo
  contact: a@example.com
  description: {column: %s}
  status: Abierto
  priority: {column: %s, allowed: [Abierto, Cerrado]}
reference: description
"""
MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LAUGHS = '<!DOCTYPE w [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;">]><w>&b;</w>'
Check = Callable[[Path, str], Result]


@pytest.fixture
def check(tmp_path: Path, give: Give) -> Check:
    """Give what checks a file under a mapping with these columns: the key's, a text's, and one of few values."""

    def carry_out(path: Path, columns: str) -> Result:
        mapping = tmp_path / "mapping.yml"
        mapping.write_text(MAPPING % tuple(columns.split()), encoding="utf-8")
        return give(["check", str(path), "-m", str(mapping), "--json"])

    return carry_out


def copy_of(name: str, path: Path, part: str, content: bytes) -> Path:
    """Copy a workbook of the collection with one part replaced or added, and return the copy."""
    with zipfile.ZipFile(WORKBOOKS / name) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.namelist():
            if each != part:
                new.writestr(each, old.read(each))
        new.writestr(part, content)
    return path


def test_s4_an_issue_names_the_row_that_excel_shows(tmp_path: Path, check: Check) -> None:
    """Below a title, a blank line and a quoted line break, an issue has the number that Excel shows at the row."""
    lines = ["Casos del mes,,", "", "Ticket,Detalle,Estado", '1,"uno', 'dos",Abierto', ",,", "2,tres,Raro"]
    result = check(written(tmp_path / "t.csv", "\r\n".join(lines)), "Ticket Detalle Estado")
    assert result.json["rows"] == 2
    assert {(issue["row"], issue["column"], issue["value"]) for issue in result.json["issues"]} == {
        (6, "Estado", "Raro")
    }


def test_s5_hidden_rows_are_passed_over_and_hidden_columns_read(check: Check) -> None:
    """`check` counts hidden and filtered rows as skipped, reads hidden columns, and says both."""
    result = check(WORKBOOKS / "hidden.xlsx", "Ticket Oculta Estado")
    assert (result.status, result.json["counts"]["skipped"], result.json["counts"]["planned"]) == (0, 3, 7)
    notes = " ".join(result.json["notes"])
    assert "3 hidden or filtered rows are skipped" in notes
    assert "1 hidden column is read" in notes


def test_s5_a_formula_without_a_result_is_an_issue(check: Check) -> None:
    """A formula that was never calculated is an issue of its cell, whose remedy is to save the file in Excel."""
    result = check(WORKBOOKS / "errors.xlsx", "Qué Celda Celda")
    of_the_row = [issue for issue in result.json["issues"] if issue["row"] == 8]
    assert {(issue["column"], issue["value"], issue["code"]) for issue in of_the_row} >= {
        ("Celda", "=B7&B8", "formula-without-result")
    }
    assert "Excel" in of_the_row[0]["remedy"]


def test_s5_rows_that_a_sheet_hides_by_default_hold_nothing(tmp_path: Path) -> None:
    """Where a sheet hides all rows that it does not list, those that it lists are seen but for the hidden ones."""
    rows = "".join(
        f'<row r="{number}"{more}><c r="A{number}" t="inlineStr"><is><t>{number}</t></is></c></row>'
        for number, more in ((1, ""), (2, ""), (3, ' hidden="1"'), (6, ' hidden="0"'))
    )
    sheet = (
        f'<worksheet xmlns="{MAIN}"><sheetFormatPr defaultRowHeight="15" zeroHeight="1"/>'
        f"<sheetData>{rows}</sheetData></worksheet>"
    )
    table = open_table(copy_of("empty.xlsx", tmp_path / "t.xlsx", "xl/worksheets/sheet1.xml", sheet.encode()))
    assert (table.hidden, list(texts_of(table))) == ({3}, [2, 3, 6])


def test_s6_xlsb_is_read_and_what_it_cannot_tell_is_said(check: Check) -> None:
    """An XLSB workbook is read like any other, and its notes say what was not seen."""
    assert texts_of(opened("binary.xlsb"))[2] == [
        "00123", "3001234567", "1234.5", "2024-02-29", "2024-02-29 18:00:00", "TRUE",
    ]  # fmt: skip
    result = check(WORKBOOKS / "binary.xlsb", "Ticket Documento Activo")
    assert "XLSB" in " ".join(result.json["notes"])


REFUSED = {
    "an empty sheet": ("empty.xlsx", "“Datos” of t.xlsx is empty"),
    "cells at both ends": ("far_corner.xlsx", "17,179,869,184 cells"),
}


@pytest.mark.parametrize(("name", "said"), REFUSED.values(), ids=REFUSED)
def test_s6_check_refuses_in_one_sentence(tmp_path: Path, check: Check, name: str, said: str) -> None:
    """What cannot be a table ends `check` with status 2 and a sentence that names the file."""
    refused(check(written(tmp_path / "t.xlsx", (WORKBOOKS / name).read_bytes()), "a b c"), said)


def test_s6_every_length_of_a_cut_file_is_named(tmp_path: Path) -> None:
    """A workbook that is cut short anywhere is reported as damaged, and never read as if it were complete."""
    for name in ("table.xlsx", "table.ods", "binary.xlsb"):
        content = (WORKBOOKS / name).read_bytes()
        for length in range(4, len(content) - 22, len(content) // 12):
            with pytest.raises(SourceError, match="damaged or incomplete"):
                open_table(written(tmp_path / name, content[:length]))


@pytest.mark.parametrize("name", ["table.xlsx", "table.ods", "binary.xlsb"])
def test_x2_check_refuses_bombs_and_entities(tmp_path: Path, check: Check, name: str) -> None:
    """A zip bomb and a billion laughs in a workbook of any kind end `check` with status 2 and what they are."""
    bomb = copy_of(name, tmp_path / "bomb", "xl/media/image1.png", bytes(64 << 20))
    refused(check(bomb, "a b c"), "zip bomb")
    laughs = copy_of(name, tmp_path / "laughs", "docProps/app.xml", LAUGHS.encode())
    refused(check(laughs, "a b c"), "entities")


def refused(result: Result, said: str) -> None:
    """Hold that a command ended with a sentence on the source, and with nothing else."""
    assert result.status == 2
    assert said in result.json["reason"]
    assert "Traceback" not in result.out + result.err
