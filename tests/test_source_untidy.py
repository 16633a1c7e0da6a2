"""XLSX workbooks that are spelled in other ways than Excel's own read as Excel shows them, or say what is lost."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from source_support import WORKBOOKS, rows_of, texts_of

from importer.errors import SourceError
from importer.model import Cell, CellError, TableOptions, earlier_reading
from importer.source import open_table
from importer.source.calamine_child import is_misread, is_untidy
from importer.source.overrides import NO_RESULT
from importer.source.xlsx.sheet import scan
from importer.source.xlsx.workbook import read_workbook, workbook_part
from importer.system.files import Package

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
TEXTS = ("Clave", "Valor", "PRIVADO", "_xD83D__xDE00_", "_x005F_xD83D__xDE00_", "a &amp; b")
STYLES = f"""<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="170" formatCode="dd/mm/yyyy"/>
<numFmt numFmtId="171" formatCode="00000"/></numFmts>
<cellXfs><xf numFmtId="0"/><xf numFmtId="170"/><xf numFmtId="171"/><xf numFmtId="2"/></cellXfs></styleSheet>"""
HEADER = '<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row>'
SHEET_XML = "xl/worksheets/sheet1.xml"
DATE, PADDED = 's="1"', 's="2"'


def relations(**targets: str) -> str:
    """Return a part of relations, each with its kind as its id and type."""
    listed = "".join(
        f'<Relationship Id="{kind}" Type="{OFFICE}/{kind}" Target="{target}"/>' for kind, target in targets.items()
    )
    return f'<Relationships xmlns="{RELATIONS}">{listed}</Relationships>'


@dataclass
class Book:
    """A workbook written by hand: its sheet's rows below the header, what follows them, and its parts by name."""

    rows: str = ""
    after: str = ""
    workbook: str = ""
    sheets: str = '<sheet name="Datos" sheetId="1" r:id="worksheet"/>'
    targets: dict[str, str] = field(default_factory=dict)
    extra: dict[str, str | bytes] = field(default_factory=dict)

    def parts(self) -> dict[str, str | bytes]:
        """Return the parts by name."""
        targets = {"worksheet": "worksheets/sheet1.xml", "sharedStrings": "sharedStrings.xml", "styles": "styles.xml"}
        texts = "".join(f"<si><t>{text}</t></si>" for text in TEXTS)
        return {
            "_rels/.rels": relations(officeDocument="xl/workbook.xml", **{"extended-properties": "docProps/app.xml"}),
            "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{self.sheets}</sheets>'
            f"{self.workbook}</workbook>",
            "xl/_rels/workbook.xml.rels": relations(**{**targets, **self.targets}),
            "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheetData>{HEADER}{self.rows}'
            f"</sheetData>{self.after}</worksheet>",
            "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{texts}</sst>',
            "xl/styles.xml": STYLES,
            **self.extra,
        }

    def written(self, path: Path, renamed: Callable[[str], str] = str) -> Path:
        """Write the workbook, its parts renamed by a function."""
        with zipfile.ZipFile(path, "w") as package:
            for name, content in self.parts().items():
                package.writestr(renamed(name), content)
        return path

    def package(self) -> Package:
        """Return the workbook as an open package."""
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as package:
            for name, content in self.parts().items():
                package.writestr(name, content)
        return Package(file, "t.xlsx")


def numbered(*cells: str) -> str:
    """Return cells as rows from 2 on: each in column B, `{}` for its reference, beside a number in column A."""
    return "".join(
        f'<row r="{row}"><c r="A{row}"><v>{row}</v></c>{cell.replace("{}", f"B{row}")}</row>'
        for row, cell in enumerate(cells, 2)
    )


SPELLED = {  # a cell: what Excel shows, and what version 1 of the reading took, where that differs
    '<c r="{}" t="s"><v>2</v></c>': ("PRIVADO", None),
    '<c r="{}" t="s"><v>2 </v></c>': ("PRIVADO", "Clave"),
    '<c r="{}" t="s"><v>\n  2\n</v></c>': ("PRIVADO", "Clave"),
    '<c r="{}" t="s"><v>+2</v></c>': ("PRIVADO", "Clave"),
    '<c r="{}" t="s"><v>2.0</v></c>': ("PRIVADO", "Clave"),
    '<c r="{}" t="s"><v>0002</v></c>': ("PRIVADO", None),
    '<c r="{}" t="s"><v>&#50;</v></c>': ("PRIVADO", ""),
    '<c r="{}" t="s"><v><![CDATA[2]]></v></c>': ("PRIVADO", ""),
    '<c r="{}" t="s"><v><!-- text -->2</v></c>': ("PRIVADO", ""),
    "<c t='s'\n r = '{}'\n><v\n>2 </v\n></c>": ("PRIVADO", "Clave"),
    '<c r="{}" t="s"><v>3</v></c>': ("😀", "_xD83D__xDE00_"),
    '<c r="{}" t="s"><v>4</v></c>': ("_xD83D__xDE00_", None),
    '<c r="{}" t="s"><v>5</v></c>': ("a & b", None),
    '<c r="{}" t="s"><v>6</v></c>': ("!error-cell 6", None),
    '<c r="{}" t="s"><v>-1</v></c>': ("!error-cell -1", None),
    '<c r="{}" t="s"><v>dos</v></c>': ("!error-cell dos", None),
    '<c r="{}"><v><![CDATA[45368]]></v></c>': ("45368", ""),
    '<c r="{}"><v>45&#51;68</v></c>': ("45368", "45"),
    '<c r="{}"><v>45<!-- -->368</v></c>': ("45368", "45"),
    '<c r="{}"><v>5 </v></c>': ("5", "5 "),
    '<c r="{}" s="3"><v> 5.50 </v></c>': ("5.5", " 5.50 "),
    f'<c r="{{}}" {DATE}><v><![CDATA[45368]]></v></c>': ("17/03/2024", None),
    f'<c r="{{}}" {PADDED}><v>\n123\n</v></c>': ("00123", None),
    f'<c r="{{}}" {DATE} t="d"><v>2024-03-17</v></c>': ("17/03/2024", "2024-03-17"),
    f'<c r="{{}}" {DATE} t="d"><v>2024-03-17T23:45:30Z</v></c>': ("17/03/2024", "2024-03-17T23:45:30Z"),
    f'<c r="{{}}" {DATE} t="d"><v>2024-03-17T23:45:30.5+05:00</v></c>': ("17/03/2024", "2024-03-17T23:45:30.5+05:00"),
    f'<c r="{{}}" {DATE} t="d"><v>1900-01-31</v></c>': ("31/01/1900", "1900-01-31"),
    '<c r="{}" t="d"><v>2024-03-17</v></c>': ("2024-03-17", None),
    '<c r="{}" t="d"><v>2024-03-17T13:45:30Z</v></c>': ("2024-03-17 13:45:30", "2024-03-17T13:45:30Z"),
    f'<c r="{{}}" {DATE} t="d"><v>PT13H45M</v></c>': ("PT13H45M", None),
    f'<c r="{{}}" {DATE} t="d"><v>10000-01-01</v></c>': ("10000-01-01", None),
    f'<c r="{{}}" {DATE} t="d"><v>45368</v></c>': ("45368", None),
    '<c r="{}" s=" 1 "><v>45368</v></c>': ("17/03/2024", "45368"),
    '<c r="{}" s="+2"><v>123</v></c>': ("00123", "123"),
    '<c r="{}" s="02"><v>123</v></c>': ("00123", "123"),
    '<c r="{}" t="inlineStr"><v>a</v></c>': ("a", ""),
    '<c r="{}" t="str"><v>a<![CDATA[ < ]]>b</v></c>': ("a < b", "ab"),
    '<c r="{}" t="str"><f>"x"</f><v>_xD83D__xDE00_</v></c>': ("😀", "_xD83D__xDE00_"),
    '<c r="{}" t="inlineStr"><is><r><t>a</t></r><r><t>_xD83D__xDE00_</t></r></is></c>': ("a😀", "a_xD83D__xDE00_"),
    '<c r="{}" t="b"><v> 1 </v></c>': ("TRUE", None),
    '<c r="{}" t="e"><v>#N/A</v></c>': ("!error-cell #N/A", None),
}
UNKNOWN = ("#SPILL!", "#CALC!", "#FIELD!", "#GETTING_DATA", "#BUSY!", "#ERROR!", "#N/D", "Err:508", "#NAME", "?")


def shown(table_rows: Mapping[int, list[Cell]]) -> list[str]:
    """Return the texts of column B, of a cell that is an error with its code."""
    cells = [cells[1] for cells in table_rows.values()]
    return [f"!{cell.code} {cell}" if isinstance(cell, CellError) else str(cell) for cell in cells]


def test_every_spelling_of_a_cell_reads_as_excel_shows_it(tmp_path: Path) -> None:
    """A value reads the same however it is spelled, carries what was read before, and a text that is lost is told."""
    book = Book(numbered(*(cell for cell in SPELLED if ">6<" not in cell)))
    read = rows_of(open_table(book.written(tmp_path / "t.xlsx")))
    expected = [told for cell, told in SPELLED.items() if ">6<" not in cell]
    assert shown(read) == [text for text, _earlier in expected]
    for cells, (text, earlier) in zip(read.values(), expected, strict=True):
        if not isinstance(cells[1], CellError):
            assert str(earlier_reading(cells[1])) == (text if earlier is None else earlier)


def test_what_the_parser_refuses_is_an_issue_of_its_cell(tmp_path: Path) -> None:
    """An error that is not known, and the number of a text that does not exist, cost their own cell and no other."""
    errors = [f'<c r="{{}}" t="e"><v>{error}</v></c>' for error in UNKNOWN]
    book = Book(numbered(*errors, *SPELLED))
    read = rows_of(open_table(book.written(tmp_path / "t.xlsx")))
    assert shown(read) == [*(f"!error-cell {error}" for error in UNKNOWN), *(text for text, _ in SPELLED.values())]


def test_a_number_beyond_any_duration_is_that_number(tmp_path: Path) -> None:
    """A telephone number in a column of hours, which Excel shows as ####, costs nothing; the note names the column."""
    styles = STYLES.replace("00000", "[h]:mm")
    cells = f'<c r="{{}}" {PADDED}><v>1.25</v></c>', f'<c r="{{}}" {PADDED}><v>3001234567</v></c>'
    table = open_table(Book(numbered(*cells), extra={"xl/styles.xml": styles}).written(tmp_path / "t.xlsx"))
    assert texts_of(table) == {2: ["2", "30:00"], 3: ["3", "3001234567"]}
    assert any("####" in note and "Valor ([h]:mm)" in note for note in table.notes)


def test_what_is_misread_is_taken_for_untidy() -> None:
    """Every sheet with a cell that was read otherwise before is written anew, and so is a list of such texts."""
    for cell, (_text, earlier) in SPELLED.items():
        part = Book(numbered(cell)).parts()[SHEET_XML]
        assert isinstance(part, str)
        is_told = earlier is None or earlier.startswith("_x") or 't="d"' in cell  # which the scanner tells
        assert is_told or is_misread(io.BytesIO(part.encode())), cell
    assert is_misread(io.BytesIO(f'<x:sst xmlns:x="{MAIN}"><x:si>{TEXTS[3]}</x:si></x:sst>'.encode()))


@pytest.mark.parametrize("path", sorted(WORKBOOKS.glob("*.xlsx")), ids=lambda path: path.stem)
def test_what_spreadsheet_programs_write_is_tidy(path: Path) -> None:
    """No workbook of the collection is written anew."""
    with zipfile.ZipFile(path) as package:
        names = [name for name in package.namelist() if "worksheets/sheet" in name or "sharedStrings" in name]
    untidy = is_untidy(io.BytesIO(path.read_bytes()), [name for name in names if name.endswith(".xml")])
    assert not untidy


def test_a_spelling_is_seen_across_blocks() -> None:
    """An untidy cell is found wherever the blocks end in which the sheet is read, and a tidy one never."""
    for length in (*range((1 << 18) - 400, (1 << 18) + 60, 23), 3 << 18):
        filler = f'<c r="A1" t="str"><v>{"x" * length}</v></c>'
        for index, misread in (("2", False), ("2 ", True)):
            rows = f"<row r='1'>{filler}" + f"<c r='B1' t='s'><v>{index}</v></c>" * 3 + "</row>"
            part = f'<worksheet xmlns="{MAIN}"><sheetData>{rows}</sheetData></worksheet>'
            assert is_misread(io.BytesIO(part.encode())) is misread


# ------------------------------------------------------------------------------------------------ formulas

FORMULAS = {  # a cell with a formula, and whether it has a result
    '<c r="{}"><f>A1</f></c>': False,
    '<c r="{}"><f>A1</f><v></v></c>': False,
    '<c r="{}"><f>A1</f><v/></c>': False,
    '<c r="{}" t="str"><f>A1</f></c>': False,
    '<c r="{}" t="str"><f>A1</f><v></v></c>': True,
    '<c r="{}" t="str"><f>A1</f><v/></c>': True,
    '<c r="{}" t="b"><f>A1</f></c>': False,
    '<c r="{}" t="s"><f>A1</f></c>': False,
    '<c r="{}"><f t="shared" ref="B2:B99" si="0">A1</f></c>': False,
    '<c r="{}"><f t="shared" si="0"/></c>': False,
    '<c r="{}" t="inlineStr"><f>A1</f><is><t>1-x</t></is></c>': True,
    '<c r="{}" t="inlineStr"><f>A1</f><is><t></t></is></c>': True,
    '<c r="{}" t="inlineStr"><f>A1</f></c>': False,
    '<c r="{}"><f>A1</f><v>7</v></c>': True,
    '<c\n  r="{}"\n  t="str"\n>\n  <f\n>A1</f>\n</c>': False,
}
CALCULATED: dict[str, tuple[Book, bool]] = {
    "Excel": (Book(workbook='<calcPr calcId="191029"/>'), True),
    "no word": (Book(), True),
    "XlsxWriter": (Book(workbook='<calcPr calcId="124519" fullCalcOnLoad="1"/>'), False),
    "PhpSpreadsheet": (Book(workbook='<calcPr calcId="999999" calcCompleted="0" fullCalcOnLoad="0"/>'), False),
    "POI": (Book(extra={"docProps/app.xml": "<Properties><Application>Apache POI</Application></Properties>"}), False),
    "LibreOffice": (
        Book(extra={"docProps/app.xml": "<Properties><Application>LibreOffice/24.2</Application></Properties>"}),
        True,
    ),
}


def without_result(book: Book) -> list[tuple[int, int]]:
    """Return the rows and columns of the cells whose formula has no result."""
    package = book.package()
    workbook = read_workbook(package, workbook_part(package) or "")
    facts = scan(package, workbook.parts["Datos"], workbook.formats, uncalculated=workbook.uncalculated)
    return [(row, column) for batch in facts.in_order() for row, column, kind, _text in batch if kind == NO_RESULT]


def test_a_formula_without_a_result_is_told_in_every_shape() -> None:
    """A formula has a result where the cell has a value, an empty text as well, and an inline one."""
    lacking = [(row, 1) for row, has_result in enumerate(FORMULAS.values(), 2) if not has_result]
    assert without_result(Book(numbered(*FORMULAS))) == lacking


@pytest.mark.parametrize("program", CALCULATED)
def test_a_zero_of_a_program_that_does_not_calculate_is_no_result(program: str) -> None:
    """Programs that put zeros for results are recognised; other results of theirs, and values, are what they are."""
    book, calculates = CALCULATED[program]
    cells = ("<f>A1</f><v>0</v>", "<f>A1</f><v>0.0</v>", "<f>A1</f><v>7</v>", "<v>0</v>", "<f>A1</f><v>0.5</v>")
    book.rows = numbered(*(f'<c r="{{}}">{cell}</c>' for cell in cells), '<c r="{}" t="b"><f>A1</f><v>0</v></c>')
    assert without_result(book) == ([] if calculates else [(2, 1), (3, 1)])


def test_the_cells_of_an_array_formula_have_a_result_where_they_have_a_value() -> None:
    """A formula that fills an area leaves all of it without a result, as far as the table goes, written or not."""
    rows = (
        '<row r="2"><c r="A2"><f t="array" ref="A2:B4">X1:X3</f></c></row>'
        '<row r="3"><c r="A3"><v>1</v></c><c r="B3" s="3"/></row><row r="4"/>'
        '<row r="5"><c r="A5"><v>0</v></c></row>'
    )
    assert without_result(Book(rows)) == [(2, 0), (2, 0), (2, 1), (3, 1), (4, 0), (4, 1)]
    endless = "".join(f'<row r="{row}"/>' for row in range(3, 60_000))
    with pytest.raises(SourceError, match="no end"):
        without_result(Book('<row r="2"><c r="A2"><f t="array" ref="A2:Z99999">X</f></c><c r="Z2"/></row>' + endless))


# ------------------------------------------------------------------------------------------------ packages

ROWS = numbered(f'<c r="{{}}" {DATE}><v>45368</v></c>', '<c r="{}" t="s"><v>2</v></c>')
READ = {2: ["2", "17/03/2024"], 3: ["3", "PRIVADO"]}
OTHER_SHEETS = (
    '<sheet name="Macro" sheetId="7" r:id="xlMacrosheet"/><sheet name="Dialogo" sheetId="8" r:id="dialogsheet"/>'
    '<sheet name="Grafico" sheetId="9" r:id="chartsheet"/>'
)
OTHER_TARGETS = {
    kind: f"{kind}s/sheet1.xml" for kind in ("xlMacrosheet", "xlIntlMacrosheet", "dialogsheet", "chartsheet")
}


def in_utf16(name: str) -> Book:
    """Return a workbook that has a part in UTF-16."""
    book = Book(ROWS)
    part = book.parts()[name]
    assert isinstance(part, str)
    return Book(ROWS, extra={name: ('<?xml version="1.0" encoding="UTF-16"?>' + part).encode("utf-16")})


def named(**names: str) -> Callable[[str], str]:
    """Return a function that renames the parts with these last words."""
    return lambda name: names.get(Path(name).name.replace(".", "_").lstrip("_"), name)


PACKAGES: dict[str, tuple[Book, Callable[[str], str]]] = {
    "backslashes in all names": (Book(ROWS), lambda name: name.replace("/", "\\")),
    "capitals in all names": (Book(ROWS), str.upper),
    "a backslash in a relation": (Book(ROWS, targets={"worksheet": "\\xl\\worksheets\\sheet1.xml"}), str),
    "./": (Book(ROWS, targets={"worksheet": "./worksheets/./sheet1.xml"}), str),
    "../": (Book(ROWS, targets={"worksheet": "../xl/worksheets/sheet1.xml"}), str),
    "from the root without a slash": (Book(ROWS, targets={"worksheet": "xl/worksheets/sheet1.xml"}), str),
    "%20": (
        Book(ROWS, targets={"worksheet": "worksheets/my%20sheet.xml"}),
        named(sheet1_xml="xl/worksheets/my sheet.xml"),
    ),
    "texts under another name": (
        Book(ROWS, targets={"sharedStrings": "/xl/strings.xml"}),
        named(sharedStrings_xml="xl/strings.xml"),
    ),
    "a workbook under another name": (
        Book(ROWS, extra={"_rels/.rels": relations(officeDocument="/xl/book.xml")}),
        named(workbook_xml="xl/book.xml", workbook_xml_rels="xl/_rels/book.xml.rels"),
    ),
    "no relations of the package": (Book(ROWS), named(rels="rels.xml")),
    "a sheet in UTF-16": (in_utf16(SHEET_XML), str),
    "texts in UTF-16": (in_utf16("xl/sharedStrings.xml"), str),
    "a workbook in UTF-16": (in_utf16("xl/workbook.xml"), str),
    "styles in UTF-16": (in_utf16("xl/styles.xml"), str),
    "a relation of the styles that leads nowhere": (Book(ROWS, targets={"styles": "file:///xl/styles.xml"}), str),
    "merged columns": (Book(ROWS, '<mergeCells><mergeCell ref="E:F"/><mergeCell ref="$A$2:$A$2"/></mergeCells>'), str),
    "sheets of other kinds": (
        Book(ROWS, sheets=OTHER_SHEETS + Book().sheets, targets=OTHER_TARGETS),
        str,
    ),
}


@pytest.mark.parametrize("what", PACKAGES)
def test_a_package_that_excel_opens_is_read(tmp_path: Path, what: str) -> None:
    """Names, targets, encodings, ranges and sheets that calamine does not know do not matter."""
    book, names = PACKAGES[what]
    assert texts_of(open_table(book.written(tmp_path / "t.xlsx", names))) == READ


def test_lost_styles_are_said(tmp_path: Path) -> None:
    """A workbook that names its styles and does not have them has no dates, and a note says so."""
    table = open_table(Book(ROWS).written(tmp_path / "t.xlsx", named(styles_xml="xl/elsewhere.xml")))
    assert texts_of(table)[2] == ["2", "45368"]
    assert any("does not have its number formats" in note for note in table.notes)


def test_formats_that_were_not_found_before_leave_the_earlier_reading(tmp_path: Path) -> None:
    """Where the name of the styles differs by letter case, cells carry what was read without the formats."""
    book = Book(numbered(f'<c r="{{}}" {DATE}><v>45368</v></c>', f'<c r="{{}}" {PADDED}><v>123</v></c>'))
    read = rows_of(open_table(book.written(tmp_path / "t.xlsx", named(styles_xml="xl/Styles.xml"))))
    assert [str(cells[1]) for cells in read.values()] == ["17/03/2024", "00123"]
    assert [str(earlier_reading(cells[1])) for cells in read.values()] == ["2024-03-17", "123"]


def test_a_sheet_without_its_content_is_left_out_or_told(tmp_path: Path) -> None:
    """A sheet that is only listed is named in a note, and refused where it is the one that is wanted."""
    sheets = '<sheet name="Vacía" sheetId="2" r:id=""/><sheet name="Rota" sheetId="3" r:id="gone"/>' + Book().sheets
    path = Book(ROWS, sheets=sheets).written(tmp_path / "t.xlsx")
    table = open_table(path)
    assert (texts_of(table), [note for note in table.notes if "left out" in note]) == (
        READ,
        [
            "The sheet “Vacía” is left out: the file lists it, but does not have its content.",
            "The sheet “Rota” is left out: the file lists it, but does not have its content.",
        ],
    )
    with pytest.raises(SourceError, match="lists the sheet “Rota”, but does not have its content"):
        open_table(path, TableOptions(sheet="Rota"))


def test_rows_that_cannot_be_seen_are_hidden(tmp_path: Path) -> None:
    """A row whose height was set to nothing is hidden like one that says so."""
    tall = "".join(
        f'<row r="{row}" {size}><c r="A{row}"><v>{row}</v></c></row>'
        for row, size in ((2, 'ht="0" customHeight="1"'), (3, 'ht="15" customHeight="1"'), (4, 'hidden="true"'))
    )
    table = open_table(Book(tall).written(tmp_path / "t.xlsx"))
    assert (set(table.hidden), table.rows) == ({2, 4}, 3)


def test_merged_columns_and_rows_are_filled_as_far_as_the_table_goes(tmp_path: Path) -> None:
    """A merged range of whole columns fills the rows that there are, and one of whole rows their columns."""
    rows = numbered('<c r="{}" t="s"><v>2</v></c>', "", "")
    merged = '<mergeCells count="2"><mergeCell ref="B:B"/><mergeCell ref="4:4"/></mergeCells>'
    path = Book(rows, merged).written(tmp_path / "t.xlsx")
    table = open_table(path, TableOptions(merged="fill"))
    assert texts_of(table) == {2: ["2", "PRIVADO"], 3: ["3", ""], 4: ["4", "4"]}


@pytest.mark.parametrize(
    ("book", "what"),
    [
        (Book(numbered('<c r="{}" t="S"><v>2</v></c>')), "a cell of the type S"),
        (Book(ROWS, '<mergeCells><mergeCell ref="E:F"/></mergeCells><broken'), "damaged"),
        (
            Book(
                targets={"worksheet": "worksheets/sheet1.dat"},
                extra={"xl/worksheets/sheet1.dat": '<!DOCTYPE w [<!ENTITY a "ha">]><worksheet>&a;</worksheet>'},
            ),
            "entities",
        ),
    ],
)
def test_what_excel_refuses_stays_refused(tmp_path: Path, book: Book, what: str) -> None:
    """A type of cells that does not exist, broken XML and entities are refused, however the file is spelled."""
    with pytest.raises(SourceError, match=what):
        open_table(book.written(tmp_path / "t.xlsx"))


# ------------------------------------------------------------------------------------------------ any values

VALUES = st.integers(0, 2).map(lambda index: ("s", str(index))) | st.integers(-(10**9), 10**9).map(
    lambda number: ("n", str(number))
)
SPELLINGS: tuple[Callable[[str], str], ...] = (
    lambda value: value,
    lambda value: f" {value}",
    lambda value: f"{value}\n",
    lambda value: f"<![CDATA[{value}]]>",
    lambda value: "".join(f"&#{ord(letter)};" for letter in value),
    lambda value: f"{value[:1]}<!-- -->{value[1:]}",
    lambda value: value if value.startswith("-") else f"+{value}",
)
CELLS = ('<c r="{}" t="%s"><v>%s</v></c>', "<c t='%s' r='{}'><v>%s</v></c>", '<c\n t = "%s"\nr="{}"\n><v >%s</v ></c >')


@settings(max_examples=6, deadline=None)
@given(st.lists(st.tuples(VALUES, st.sampled_from(SPELLINGS), st.sampled_from(CELLS)), min_size=1, max_size=12))
def test_any_spelling_reads_as_the_plain_one(
    cells: list[tuple[tuple[str, str], Callable[[str], str], str]],
) -> None:
    """A sheet reads the same in whatever equivalent spelling its cells are."""
    with tempfile.TemporaryDirectory() as folder:
        read = []
        for spelled in (False, True):
            rows = numbered(
                *(
                    (how if spelled else CELLS[0]) % (kind, spell(value) if spelled else value)
                    for (kind, value), spell, how in cells
                )
            )
            read.append(texts_of(open_table(Book(rows).written(Path(folder) / "t.xlsx"))))
    assert read[0] == read[1]
