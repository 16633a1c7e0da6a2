"""Text tables: their delimiters, their encodings, and the numbers of their rows."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from source_support import rows_of, texts_of, written

from importer.errors import SourceError
from importer.model import CellError, TableOptions
from importer.source import open_table

HEADER = ["Ticket", "Descripción", "Monto"]
FIRST = ["00123", "Añadió piñón, ¿no?", "1,5"]
SECOND = ["00124", "línea\nnueva", "NA"]


def as_csv(delimiter: str) -> str:
    """Return the same small table cut by a delimiter."""
    return "\r\n".join(delimiter.join(f'"{cell}"' for cell in row) for row in (HEADER, FIRST, SECOND)) + "\r\n"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252", "latin-1", "mac_roman", "cp850"]
)
def test_s1_every_delimiter_in_every_encoding_reads_the_same(tmp_path: Path, delimiter: str, encoding: str) -> None:
    """A table reads the same whatever separates its cells and whatever writes its accents."""
    table = open_table(written(tmp_path / "t.csv", as_csv(delimiter).encode(encoding)))
    assert table.columns == tuple(HEADER)
    assert texts_of(table) == {2: FIRST, 3: SECOND}


def test_s1_sep_line_is_obeyed_and_is_no_row(tmp_path: Path) -> None:
    """The line `sep=;` names the delimiter, and rows are numbered without it, as Excel numbers them."""
    table = open_table(written(tmp_path / "t.csv", "sep=;\r\na;b,c\r\n1;2\r\n"))
    assert table.columns == ("a", "b,c")
    assert texts_of(table) == {2: ["1", "2"]}


def test_s1_the_guess_is_shown_and_overridden(tmp_path: Path) -> None:
    """The notes say what was detected; the options override it."""
    path = written(tmp_path / "t.csv", "a;b,c;d\n1,5;2;3\n")
    assert "utf-8" in open_table(path).notes[0]
    assert "semicolon" in open_table(path).notes[0]
    overridden = open_table(path, TableOptions(delimiter=",", encoding="cp1252"))
    assert overridden.columns == ("a;b", "c;d")
    assert texts_of(overridden) == {2: ["1", "5;2;3"]}


@pytest.mark.parametrize("delimiter", ";\t|")
@pytest.mark.parametrize("lines", [5, 600])
def test_s1_commas_inside_every_cell_are_no_delimiter(tmp_path: Path, delimiter: str, lines: int) -> None:
    """What cuts all lines alike, the header too, is the delimiter, though commas would give the rows more cells."""
    rows = "".join(f"{number}{delimiter}Calle {number}, Bogotá, Colombia\n" for number in range(lines))
    table = open_table(written(tmp_path / "t.csv", f"Ticket{delimiter}Dirección\n{rows}"))
    assert table.columns == ("Ticket", "Dirección")
    assert texts_of(table)[2] == ["0", "Calle 0, Bogotá, Colombia"]


def test_s1_a_line_above_the_header_decides_nothing(tmp_path: Path) -> None:
    """A title that has as many commas as the rows of another delimiter does not make the comma theirs."""
    text = "Informe, noviembre\nTicket;Nota;Valor\n1;uno;2,5\n2;dos;3,5\n"
    assert "semicolon" in open_table(written(tmp_path / "t.csv", text)).notes[0]


def test_s1_an_unknown_encoding_is_answered_with_known_ones(tmp_path: Path) -> None:
    """An encoding that does not exist is named with those that do."""
    with pytest.raises(SourceError, match="utf-8, utf-16, cp1252"):
        open_table(written(tmp_path / "t.csv", "a\n1\n"), TableOptions(encoding="ansi-8"))


@pytest.mark.parametrize("name", ["idna", "hex", "undefined", "nul\0"])
def test_codecs_that_are_none_of_text_are_refused(tmp_path: Path, name: str) -> None:
    """Python's other codecs are answered like an unknown encoding."""
    with pytest.raises(SourceError, match="encoding"):
        open_table(written(tmp_path / "t.csv", "a\n1\n"), TableOptions(encoding=name))


@pytest.mark.parametrize("delimiter", ["||", '"', "\n"])
def test_a_delimiter_that_can_be_none_is_refused(tmp_path: Path, delimiter: str) -> None:
    """A delimiter is one character that is not a quotation mark or a line end; `tab` names the tab."""
    path = written(tmp_path / "t.csv", "a\tb\n1\t2\n")
    with pytest.raises(SourceError, match="one character"):
        open_table(path, TableOptions(delimiter=delimiter))
    assert open_table(path, TableOptions(delimiter="tab")).columns == ("a", "b")


def test_a_decimal_comma_does_not_win_over_the_delimiter(tmp_path: Path) -> None:
    """One decimal comma in every row is not what cuts the rows."""
    table = open_table(written(tmp_path / "t.csv", "Ticket;Monto\n1;1,5\n2;2,5\n3;3,5\n"))
    assert texts_of(table)[4] == ["3", "3,5"]


def test_s2_cells_are_text_as_it_stands(tmp_path: Path) -> None:
    """Nothing is stripped, turned into null, or calculated."""
    cells = ["00123", "1234567890123456", "3001234567.0", "1,5", "NA", "NO", "=1+1", "#N/A", " x ", "null"]
    header = ";".join(f"c{number}" for number in range(len(cells)))
    table = open_table(written(tmp_path / "t.csv", f"{header}\n{';'.join(cells)}\n"))
    assert rows_of(table) == {2: cells}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_s4_row_numbers_are_excels_under_every_line_end(tmp_path: Path, end: str) -> None:
    """Blank lines count, a quoted line break does not, whatever ends the lines."""
    lines = ["a,b", "1,x", "", '2,"y', 'y"', ",", "3,z"]
    table = open_table(written(tmp_path / "t.csv", end.join(lines) + end))
    assert [cells[0] for cells in texts_of(table).values()] == ["1", "2", "3"]
    assert list(texts_of(table)) == [2, 4, 6]
    assert table.rows == 3


def test_rows_cut_wrongly_are_named_by_number(tmp_path: Path) -> None:
    """A row with too many or too few cells is an issue of that row, and shifts no other."""
    table = open_table(written(tmp_path / "t.csv", "a,b,c\n1,2,3\n4,5,6,7\n8,9\n10,11,12,,\n"))
    codes = {3: "too-many-cells", 4: "too-few-cells", 5: "too-many-cells"}
    assert {issue.row: issue.code for issue in table.issues} == codes
    assert texts_of(table)[4] == ["8", "9", ""]
    assert texts_of(table)[5] == ["10", "11", "12"]


def test_long_first_rows_do_not_become_an_index(tmp_path: Path) -> None:
    """Where every row is longer than the header, no column moves and every row is named."""
    table = open_table(written(tmp_path / "t.csv", "a,b\n1,2,3\n4,5,6\n"))
    assert texts_of(table) == {2: ["1", "2"], 3: ["4", "5"]}
    assert [issue.row for issue in table.issues] == [2, 3]


def test_cells_that_excel_leaves_out_are_empty(tmp_path: Path) -> None:
    """Sixteen rows and more without their last separators are how Excel saves an empty column."""
    table = open_table(written(tmp_path / "t.csv", "a,b\n1,2\n" + "".join(f"{n}\n" for n in range(20)) + "9,9\n"))
    assert table.issues == ()
    assert any("20 rows end before the last column" in note for note in table.notes)


def test_an_open_quote_names_its_row(tmp_path: Path) -> None:
    """A quotation mark that is never closed is named with its row instead of swallowing the rest."""
    with pytest.raises(SourceError, match="row 3"):
        open_table(written(tmp_path / "t.csv", 'a,b\n1,2\n3,"open\n4,5\n'))


def test_a_quotation_mark_inside_a_cell_is_text(tmp_path: Path) -> None:
    """Inches inside a cell that is not quoted are two marks of text."""
    table = open_table(written(tmp_path / "t.csv", 'a,b\n1,tubo 5" largo\n2,x\n'))
    assert texts_of(table)[2] == ["1", 'tubo 5" largo']


def test_nul_bytes_are_no_end(tmp_path: Path) -> None:
    """A NUL byte inside a cell ends nothing and makes a fault of that cell alone."""
    table = open_table(written(tmp_path / "t.csv", b"a,b\n1,x\x00y\n2,z\n"))
    cell = rows_of(table)[2][1]
    assert isinstance(cell, CellError)
    assert cell.code == "nul-character"
    assert texts_of(table)[3] == ["2", "z"]


def test_one_broken_line_in_utf8_is_a_fault_of_its_cell(tmp_path: Path) -> None:
    """In UTF-8, a cell that is neither that nor Windows text is a fault, and the others keep their accents."""
    content = "a,b\n1,Petición\n2,Señor\n".encode() + b"3,A\xa4\x81o\n"
    rows = rows_of(open_table(written(tmp_path / "t.csv", content)))
    assert rows[2][1] == "Petición"
    assert isinstance(rows[4][1], CellError)
    assert rows[4][1].code == "undecodable"


def test_s4_blank_equal_and_spaced_headers_are_named(tmp_path: Path) -> None:
    """Headers are trimmed and composed; equal ones are numbered; a blank one with data is called by its letter."""
    decomposed = codecs.BOM_UTF8 + " Peticio\u0301n ,Nota\u00a0larga,,Nota,Nota,\n1,2,3,4,5,\n".encode()
    table = open_table(written(tmp_path / "t.csv", decomposed))
    assert table.columns == ("Petición", "Nota larga", "(column C)", "Nota", "Nota (2)")
    assert sum("column C" in note or "column E" in note for note in table.notes) == 2


def test_s6_a_header_alone_is_a_table_without_rows(tmp_path: Path) -> None:
    """A header without rows is a table without rows, and a note says so."""
    table = open_table(written(tmp_path / "t.csv", "a,b\n"))
    assert (table.rows, list(table.frames())) == (0, [])
    assert any("no row below" in note for note in table.notes)


@pytest.mark.parametrize("content", [b"", b"\n\n\n", b" , \n,\n", codecs.BOM_UTF8])
def test_s6_a_file_without_a_filled_cell_is_refused(tmp_path: Path, content: bytes) -> None:
    """An empty file and one of blank lines hold no table."""
    with pytest.raises(SourceError, match=r"t\.csv"):
        open_table(written(tmp_path / "t.csv", content))


def test_frames_are_cut_to_size_and_come_again(tmp_path: Path) -> None:
    """Frames hold some thousands of rows, may be asked for again and side by side, and know no missing values."""
    path = written(tmp_path / "t.csv", "a,b\n" + "".join(f"{n},\n" for n in range(25_000)))
    table = open_table(path)
    path.unlink()
    one, other = table.frames(), table.frames()
    assert [len(frame) for pair in zip(one, other, strict=True) for frame in pair] == [10_000] * 4 + [5_000] * 2
    frame = next(iter(table.frames()))
    assert frame.index.name == "row"
    assert set(frame.dtypes.astype(str)) == {"object"}
    assert frame.loc[2, "b"] == ""


def test_one_very_wide_row_makes_no_other_wide(tmp_path: Path) -> None:
    """A row of a million cells among short ones is named, and takes no room for each of the others."""
    rows = ["a,b", *(f"{n},x" for n in range(3_000)), "1" + "," * 1_000_000 + "2", "3,x"]
    table = open_table(written(tmp_path / "t.csv", "\n".join(rows)))
    assert (table.rows, table.columns) == (3_002, ("a", "b"))
    assert [(issue.row, issue.code) for issue in table.issues] == [(3_002, "too-many-cells")]


def test_the_header_row_can_be_named(tmp_path: Path) -> None:
    """A header row that is named is taken, and one that is blank is refused."""
    path = written(tmp_path / "t.csv", "title,of,it\na,b,c\n1,2,3\n\n")
    assert open_table(path, TableOptions(header_row=2)).columns == ("a", "b", "c")
    with pytest.raises(SourceError, match="row 4"):
        open_table(path, TableOptions(header_row=4))
