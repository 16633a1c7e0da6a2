"""XLS and XLSB workbooks of other programs: what their records say is read, or named."""

from __future__ import annotations

import struct
import sys
from datetime import date
from pathlib import Path

import pytest
from source_support import WORKBOOKS, rows_of, texts_of, written

from importer.errors import SourceError
from importer.model import CellError, Reread, TableOptions, Typed, earlier_reading
from importer.source import open_table

sys.path.append(str(WORKBOOKS))
import xls
import xlsb

HEADERS = [xls.label(0, at, name) for at, name in enumerate(("Ticket", "Nota", "Valor"))]
WITH_PROPERTIES = {"properties": True}


@pytest.mark.parametrize(("kind", "text_kind"), [(0x0006, 0x0207), (0x0206, 0x0007), (0x0406, 0x0207)])
def test_results_of_formulas_are_read_from_the_records_of_every_version(
    tmp_path: Path, kind: int, text_kind: int
) -> None:
    """A formula and the text that it gives may be in the records of earlier versions of Excel."""
    cells = [
        xls.formula(1, 0, 7.0, kind=kind),
        xls.formula(1, 1, xls.TEXT_RESULT, kind=kind) + xls.result_text("año", text_kind),
        xls.formula(1, 2, xls.TEXT_RESULT, kind=kind),
        xls.record(xls.SHARED, bytes(10)) + xls.result_text("b", text_kind),
    ]
    table = open_table(xls.write(tmp_path / "old.xls", HEADERS + cells))
    assert texts_of(table) == {2: ["7", "año", "b"]}


@pytest.mark.parametrize("name", ["WORKBOOK", "workbook", "Book"])
def test_the_stream_of_a_workbook_is_called_in_any_case(tmp_path: Path, name: str) -> None:
    """A compound file is a workbook whatever the case of the stream's name, in which rich texts are read, too."""
    cells = [xls.label(1, 0, "uno"), xls.rich_text(1, 1, "dos")]
    assert texts_of(open_table(xls.write(tmp_path / "any.xls", HEADERS + cells, stream=name))) == {
        2: ["uno", "dos", ""]
    }


def test_a_document_that_speaks_of_workbooks_is_none(tmp_path: Path) -> None:
    """A compound file is a workbook only by the name of a stream."""
    content = xls.compound("WordDocument", b"..." + "my workbook".encode("utf-16-le") + b"\0\0", properties=False)
    with pytest.raises(SourceError, match="Word"):
        open_table(written(tmp_path / "letter.xls", content))


UNKNOWN = {
    "nothing stored": (xls.formula(1, 1, xls.EMPTY_RESULT), {}, True),
    "zero, to be calculated on load": (xls.formula(1, 1, 0.0, flags=3), {}, True),
    "zero": (xls.formula(1, 1, 0.0), {}, False),
    "nothing shown, by a program that calculates": (xls.formula(1, 1, xls.EMPTY_RESULT), WITH_PROPERTIES, False),
    "zero, by a program that calculates": (xls.formula(1, 1, 0.0, flags=3), WITH_PROPERTIES, False),
    "a text that is missing": (xls.formula(1, 1, xls.TEXT_RESULT), WITH_PROPERTIES, True),
}


@pytest.mark.parametrize("name", UNKNOWN)
def test_a_formula_of_xls_without_a_result_is_an_issue(tmp_path: Path, name: str) -> None:
    """Programs that do not calculate name no author of the document, and store nothing, or zero to be calculated."""
    cell, properties, unknown = UNKNOWN[name]
    cells = [xls.label(1, 0, "uno"), cell, xls.label(1, 2, "x")]
    table = open_table(xls.write(tmp_path / "formula.xls", HEADERS + cells, **properties))
    found = rows_of(table)[2][1]
    assert isinstance(found, CellError) == unknown
    assert any("formula of the sheet shows nothing" in note for note in table.notes) == (str(found) == "")


def binary(path: Path, *rows: bytes, formats: tuple[str, ...] = ("General",)) -> Path:
    """Write an XLSB workbook whose header is Ticket, Nota; each row is its records, without the one that begins it."""
    header = xlsb.cell(0, "Ticket") + xlsb.cell(1, "Nota")
    begun = b"".join(xlsb.row(number) + cells for number, cells in enumerate((header, *rows)))
    return xlsb.write_sheet(path, xlsb.sheet_of(begun), formats)


def numbered(kind: int, column: int, style: int, value: bytes) -> bytes:
    """Return the record of a cell."""
    return xlsb.record(kind, struct.pack("<II", column, style) + value)


LEAP_DAY = date(2024, 2, 29)
CELLS = {
    "a rich text": (numbered(62, 1, 0, b"\1" + xlsb.text("año") + bytes(8)), Reread("año", "")),
    "an error": (numbered(3, 1, 0, b"\x2a"), "#N/A"),
    "a formula's error": (numbered(11, 1, 0, b"\x07" + bytes(10)), "#DIV/0!"),
    "a padded number": (numbered(5, 1, 0, struct.pack("<d", 12)), Typed("00012", 12, "00000", "12")),
    "a small padded number": (numbered(2, 1, 0, struct.pack("<i", 12 << 2 | 2)), Typed("00012", 12, "00000", "12")),
    "cents": (numbered(2, 1, 1, struct.pack("<i", 50 << 2 | 3)), Typed("50.0%", 0.5, "0.0%", "0.5")),
    "a formula's number": (numbered(9, 1, 0, struct.pack("<d", 12) + bytes(8)), Typed("00012", 12, "00000", "12")),
    "a date": (numbered(5, 1, 2, struct.pack("<d", 45351)), Typed("29/02/2024", LEAP_DAY, "dd/mm/yyyy", "2024-02-29")),
}  # fmt: skip


def test_formats_of_texts_and_zeros_of_xlsb_are_as_in_xlsx(tmp_path: Path) -> None:
    """Words around a text are read, a zero that is not shown is empty, and notes name the column and its format."""
    cells = [
        numbered(6, 1, 0, xlsb.text("15")),
        numbered(8, 1, 0, xlsb.text("16") + bytes(10)),
        numbered(5, 1, 1, struct.pack("<d", 0)),
        numbered(5, 1, 1, struct.pack("<d", 7)),
        numbered(5, 1, 2, struct.pack("<d", 1500)),
    ]
    rows = [xlsb.cell(0, "uno") + cell for cell in cells]
    table = open_table(binary(tmp_path / "b.xlsb", *rows, formats=('"PQR-"@', "#,###", "0.00E+00")))
    found = [cells[1] for cells in rows_of(table).values()]
    assert list(map(str, found)) == ["PQR-15", "PQR-16", "", "7", "1500"]
    assert [str(earlier_reading(cell)) for cell in found] == ["15", "16", "0", "7", "1500"]
    assert "are read as empty, whatever is in them: Nota (#,###)" in " ".join(table.notes)
    assert "all their digits: Nota (0.00E+00)" in " ".join(table.notes)


@pytest.mark.parametrize("name", CELLS)
def test_records_of_xlsb_are_read(tmp_path: Path, name: str) -> None:
    """Rich texts, errors and number formats are read as in XLSX, each with its earlier reading."""
    record, expected = CELLS[name]
    table = open_table(
        binary(tmp_path / "b.xlsb", xlsb.cell(0, "uno") + record, formats=("00000", "0.0%", "dd/mm/yyyy"))
    )
    found = rows_of(table)[2][1]
    if isinstance(expected, Reread):
        assert isinstance(found, Reread)
        assert (found, found.earlier) == (expected, expected.earlier)
    else:
        assert isinstance(found, CellError) if isinstance(expected, str) else found == expected
        assert str(found) == str(expected)


def test_the_layout_of_an_xlsb_sheet_is_read(tmp_path: Path) -> None:
    """Hidden rows are skipped, and merged cells can be filled."""
    hidden = xlsb.row(2, hidden=True) + xlsb.cell(0, "oculta") + xlsb.cell(1, "x")
    last = xlsb.row(3) + xlsb.cell(0, "dos") + numbered(8, 1, 0, xlsb.text("z") + bytes(10))
    merged = xlsb.record(176, struct.pack("<4I", 1, 1, 0, 1))
    rows = (
        xlsb.row(0) + xlsb.cell(0, "Ticket") + xlsb.cell(1, "Nota") + xlsb.row(1) + xlsb.cell(0, "uno") + hidden + last
    )
    path = xlsb.write_sheet(tmp_path / "b.xlsb", xlsb.sheet_of(rows, merged), ("General",))
    table = open_table(path, TableOptions(merged="fill"))
    assert table.hidden == {3}
    assert texts_of(table)[2] == ["uno", "uno"]
    assert texts_of(table)[4] == ["dos", "z"]


@pytest.mark.parametrize(
    "damage",
    [xlsb.record(0, b"\1"), xlsb.row(0), numbered(62, 1, 0, b"\1\xff\xff\xff\0"), numbered(3, 1 << 20, 0, b"\0")],
)
def test_s6_a_damaged_record_is_said(tmp_path: Path, damage: bytes) -> None:
    """A record that says less or more than it can is damage."""
    with pytest.raises(SourceError, match="damaged"):
        open_table(binary(tmp_path / "b.xlsb", xlsb.cell(0, "uno") + damage))
