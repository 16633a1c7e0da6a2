"""Text tables that are not written as they should be: each cell is read as it is meant, or its row says why not."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from source_support import rows_of, texts_of, written

from importer.errors import SourceError
from importer.model import Cell, CellError, TableOptions, earlier_reading
from importer.source import Table, open_table
from importer.source.delimited.reader import Delimited, open_delimited
from importer.source.snapshot import Snapshot

MANY = settings(max_examples=60, deadline=None)


def read(folder: Path, content: str | bytes) -> Table:
    """Return the table in a text file."""
    return open_table(written(folder / "t.csv", content))


def issues(table: Table) -> list[tuple[int | None, str | None, str]]:
    """Return where the issues are and what they are."""
    return [(issue.row, issue.column, issue.code) for issue in table.issues]


def earlier(cells: list[Cell]) -> list[str]:
    """Return the texts that version 1 of the reading took."""
    return [str(earlier_reading(cell)) for cell in cells]


# ------------------------------------------------------------------------------------------------ widths

WIDTHS = {
    "one too many, empty": ("a,b,c\n1,x,\n2,x, y,\n3,x,z\n", [(3, "too-many-cells")]),
    "one too many, two rows of three": ("a,b\n1,x,\n2,y,\n3,z\n", [(2, "too-many-cells"), (3, "too-many-cells")]),
    "every row ends with a separator": ("a,b\n1,x,\n2,y,\n3,z,\n", []),
    "every row with two": ("a,b\n1,x,,\n2,y,,\n", []),
    "every row and one with one more": ("a,b\n1,x,\n2,y, z,\n3,z,\n", [(3, "too-many-cells")]),
    "every row and one with text there": ("a,b\n1,x,\n2,y, z\n3,z,\n", [(3, "too-many-cells")]),
    "every row and one with one less": ("a,b\n1,x,,\n2 y,,\n3,z,,\n4,z,,\n", [(3, "too-few-cells")]),
    "a single row": ("a,b\n1,x,\n", [(2, "too-many-cells")]),
    "header ends with a separator": ("a;b;\n1;x\n2;y\n", []),
    "header with two": ("a;b;;\n1;x\n2;y\n", []),
    "header and every row": ("a;b;\n1;x;\n2;y;\n", []),
    "header ends with one, a row is shifted": ("a;b;\n1;x\n2;y; z\n3;z\n", [(3, "too-many-cells")]),
    "header and rows, a row is shifted": ("a;b;\n1;x;\n2;y; z;\n3;z;\n", [(3, "too-many-cells")]),
    "header and rows but one": ("a;b;\n1;x;\n2;y\n3;z;\n", [(3, "too-few-cells")]),
    "header ends with one, a row is short": ("a;b;c;\n1;x;y\n2\n3;z;y\n", [(3, "too-few-cells")]),
    "blank rows between": ("a,b\n1,x\n\n,\n2,y,\n3,z\n", [(5, "too-many-cells")]),
    "as Excel saves": ("a,b\n1,x\n" + "2\n" * 16 + "3,y\n", []),
    "not as Excel saves": ("a,b\n1,x\n" + "2\n" * 2 + "3,y\n", [(3, "too-few-cells"), (4, "too-few-cells")]),
}


@pytest.mark.parametrize("kind", WIDTHS)
def test_a_row_has_as_many_cells_as_the_others_or_is_an_issue(tmp_path: Path, kind: str) -> None:
    """A separator too many in one row may have moved its cells; at the end of all rows, or of the header, it cannot."""
    content, expected = WIDTHS[kind]
    table = read(tmp_path, content)
    assert [(row, code) for row, _column, code in issues(table)] == expected


COMMAS = "Ticket,Asunto,Valor\n" + "".join(f"T-{row},Gas,{row},5\n" for row in range(1, 5))


def said(table: Table) -> list[str]:
    """Return what is said of each issue."""
    return [f"{issue.message}. {issue.remedy}" for issue in table.issues]


def test_a_row_that_is_too_wide_is_compared_with_what_is_narrower(tmp_path: Path) -> None:
    """Where all rows have a cell beyond the header, they have too many beside the header, not beside each other."""
    messages = [issue.message for issue in read(tmp_path, COMMAS + "T-5,Gas, agua,5,5\n").issues]
    assert len(messages) == 5
    assert all("4 in this row, but 3 in the header" in message for message in messages[:4])
    assert "5 in this row, but 3 in the header" in messages[4]


def test_rows_that_end_alike_are_compared_with_each_other(tmp_path: Path) -> None:
    """Where the last separators of all rows separate nothing, a row of another width differs from the others."""
    (message,) = [issue.message for issue in read(tmp_path, "a,b\n1,x,,\n2 y,,\n3,z,,\n4,z,,\n").issues]
    assert "3 in this row, but 4 in the other rows" in message


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (COMMAS, "1,5"),
        (COMMAS.replace(",5\n", ",50\n"), "1,50"),
        ("Valor,Asunto\n1,5,Gas\n2,5,Agua\n3,5,Luz\n", "1,5"),
        ("Ticket,Valor\nT-1,-1,5\nT-2,1.200,5\nT-3,3,5\n", "-1,5"),
        (COMMAS.replace(",5\n", ",500\n"), None),
        (COMMAS.replace(",5\n", ",x\n"), None),
        (COMMAS.replace(",", ";"), None),
    ],
    ids=["one digit", "two digits", "in the middle", "signs and thousands", "thousands", "a word", "semicolons"],
)
def test_a_decimal_comma_that_separates_is_named(tmp_path: Path, content: str, shown: str | None) -> None:
    """Where a decimal comma may have cut a number, the remedy shows it and how to export it, alike for all rows."""
    remedies = {issue.remedy for issue in read(tmp_path, content).issues}
    assert len(remedies) == 1
    (remedy,) = remedies
    assert ("semicolons" in remedy) == (shown is not None)
    assert shown is None or f"“{shown}”" in remedy


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_row_that_is_all_in_one_cell_is_named(tmp_path: Path, delimiter: str) -> None:
    """A row in quotation marks as a whole, as Excel saves it, has its separators inside of one cell."""
    content = COMMAS.replace(",5\n", "\n").replace(",", delimiter)
    whole = delimiter.join(["T-9", '""Gas, agua""', "1"])
    (remedy,) = said(read(tmp_path, f'{content}"{whole}"\n'))
    assert "all in one cell" in remedy
    (remedy,) = said(read(tmp_path, f"{content}T-9\n"))
    assert "all in one cell" not in remedy


# ------------------------------------------------------------------------------------------------ quotation marks

STRAYS = {
    "text behind": ('a,b,c\n1,"x"y,z\n2,"y",z\n', [(2, "b")]),
    "same count": ('a,b,c,d,e\n1,10,"M, r",l,A\n2,"10,"M, r",l,A\n', [(3, "b")]),
    "one too many": ('a,b,c\n"1","x"","y"\n"2","x","y"\n', [(2, "b")]),
    "not closed in the last cell": ('a,b\n1,"x\n2,"y"\n3,"z"\n', [(2, "b")]),
    "two rows": ('a,b\n1,"x"x\n2,"y"\n3,"z" z\n', [(2, "b"), (4, "b")]),
    "in the first cell": ('a,b\n"1"1,x\n2,y\n', [(2, "a")]),
    "beyond the header": ('a,b\n1,x,"y"y\n2,y\n', [(2, "(column C)")]),
    "with a line break": ('a,b\n1,"x\ny"z\n2,"y"\n', [(2, "b")]),
    "only in one of two backslashed rows": ('a,b\n1,"x \\"y\\" z"\n2,"z\\"\n3,"y"\n', [(2, "b")]),
    "spaces behind do no harm": ('a,b\n"1" ,"x"  \n"2" ,"y"  \n', []),
    "inches": ('a,b\n1,5" tube\n2,6"\n', []),
    "a backslash at the end": ('a,b\n1,"C:\\"\n2,"D:\\"\n', []),
}


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("kind", STRAYS)
def test_a_quotation_mark_out_of_place_is_an_issue_of_its_cell(tmp_path: Path, kind: str, end: str) -> None:
    """Text behind a closing quotation mark is named with its row and column; the other rows read as before."""
    content, expected = STRAYS[kind]
    table = read(tmp_path, content.replace("\n", end))
    assert [(row, column) for row, column, code in issues(table) if code == "stray-quote"] == expected
    assert list(texts_of(table).values())[-1][0].strip() == content.rstrip().split("\n")[-1].split(",")[0].strip('" ')


def test_a_quotation_mark_out_of_place_in_the_header_is_a_note(tmp_path: Path) -> None:
    """No row can be corrected for a fault of the header, so that a note tells it."""
    table = read(tmp_path, 'a,"b"c\n1,2\n')
    assert table.issues == ()
    assert any("header in row 1" in note for note in table.notes)


def test_an_issue_shows_no_bytes_that_are_no_text(tmp_path: Path) -> None:
    """The value of an issue can be written anywhere, whatever bytes its cell has."""
    table = read(tmp_path, 'a,b\n1,Petición\n2,Señor\n3,"'.encode() + b'x\x81"y\n')
    assert [str(issue.value).encode() for issue in table.issues] == ["x\ufffdy".encode()]


def test_text_behind_a_quoted_cell_that_never_ends_is_refused_with_the_row(tmp_path: Path) -> None:
    """Where the fault swallows all that follows, there are no rows to read."""
    with pytest.raises(SourceError, match="row 3"):
        read(tmp_path, 'a,b\n1,x\n2,"y"z,"\n3,z\n')


BACKSLASHES = {
    "quotes": ('"dijo \\"hola\\" y se fue"', 'dijo "hola" y se fue'),
    "before a separator": ('"dijo \\"hola\\", y se fue"', 'dijo "hola", y se fue'),
    "doubled": ('"\\"C:\\\\temp\\\\\\""', '"C:\\temp\\"'),
    "null": ('"\\"x\\" \\N"', '"x" \\N'),
    "line break": ('"\\"x\\"\ny"', '"x"\ny'),
}


@pytest.mark.parametrize("kind", BACKSLASHES)
def test_backslashes_before_quotation_marks_are_read_where_all_of_the_file_agrees(tmp_path: Path, kind: str) -> None:
    """MySQL and PHP programs put a backslash before a quotation mark; a note says that it is read so."""
    cell, text = BACKSLASHES[kind]
    table = read(tmp_path, f'Ticket,Nota,Estado\n1,{cell},Abierto\n2,"x",Abierto\n')
    assert list(texts_of(table).values()) == [["1", text, "Abierto"], ["2", "x", "Abierto"]]
    assert issues(table) == []
    assert any('\\"' in note for note in table.notes)


def test_single_backslashes_stay_where_the_writer_does_not_double_them(tmp_path: Path) -> None:
    """A path keeps its backslashes beside escaped quotation marks; what version 1 read is kept, too."""
    rows = rows_of(read(tmp_path, 'a,b\n1,"\\"x\\" in \\\\srv\\dir"\n2,y\n'))
    assert rows[2][1] == '"x" in \\\\srv\\dir'
    assert earlier(rows[2]) == ["1", '\\x\\" in \\\\srv\\dir"']


@st.composite
def written_tables(draw: st.DrawFn) -> tuple[list[list[str]], dict[str, object]]:
    """Return rows of text and the way in which a program writes them."""
    text = st.text(st.sampled_from("ab \\\"\n,;'é="), max_size=6)
    rows = draw(st.lists(st.lists(text, min_size=3, max_size=3), min_size=1, max_size=6))
    ways: list[dict[str, object]] = [
        {"quoting": csv.QUOTE_ALL},
        {"quoting": csv.QUOTE_MINIMAL},
        {"quoting": csv.QUOTE_NONNUMERIC},
        {"quoting": csv.QUOTE_ALL, "lineterminator": "\n"},
        {"quoting": csv.QUOTE_MINIMAL, "delimiter": ";"},
    ]
    return rows, draw(st.sampled_from(ways))


@MANY
@given(written_tables())
def test_nothing_is_found_in_what_the_csv_module_writes(table: tuple[list[list[str]], dict[str, object]]) -> None:
    """Quotation marks, separators and line breaks in any place come back, and none is called out of place."""
    rows, way = table
    target = io.StringIO(newline="")
    csv.writer(target, **way).writerows([["a", "b", "c"], *rows])  # type: ignore[arg-type]
    found, strays = parsed(target.getvalue().encode(), str(way.get("delimiter", ",")))
    assert strays == []
    assert found == [["a", "b", "c"], *rows]


@MANY
@given(st.lists(st.lists(st.text(st.sampled_from('ab \\",;é'), max_size=6), min_size=2, max_size=2), max_size=6))
def test_what_is_written_with_a_backslash_before_quotation_marks_is_read_back(rows: list[list[str]]) -> None:
    """A file in which a backslash is before each quotation mark and each backslash is read, if that can be seen."""
    target = io.StringIO(newline="")
    table = [["a", "b"], ['say "this", please', "x"], *rows]
    csv.writer(target, quoting=csv.QUOTE_ALL, doublequote=False, escapechar="\\").writerows(table)
    found, strays = parsed(target.getvalue().encode(), ",")
    assert strays == []
    assert found == table


@MANY
@given(st.binary(max_size=60), st.sampled_from(["", '"', '\\"', "\x1a", '="', "Ã³", "\0\0"]))
def test_no_bytes_make_a_text_fail(content: bytes, more: str) -> None:
    """Whatever surrounds these marks, rows of text that can be saved come, or one sentence says why not."""
    try:
        rows, _strays = parsed(content + more.encode() + content, ",")
        "".join(cell for row in rows for cell in row).encode()
    except SourceError as error:
        assert "row" in str(error)  # noqa: PT017 - most contents raise nothing


def parsed(content: bytes, delimiter: str) -> tuple[list[list[str]], list[int]]:
    """Return all rows of a text and the numbers of those in which a quotation mark is out of place."""
    text: Delimited = open_delimited(Snapshot(io.BytesIO(content)), "t.csv", TableOptions(delimiter=delimiter))
    blocks = list(text.blocks())
    strays = [remark.row for block in blocks for remark in block.remarks if remark.kind == "stray-quote"]
    return [[str(earlier_literal(cell)) for cell in cells] for block in blocks for _row, cells in block.rows()], strays


def earlier_literal(cell: Cell) -> Cell:
    """Return a cell as it is written where it is `="…"`, which is read without the signs around it."""
    return earlier_reading(cell) if str(earlier_reading(cell)).startswith('="') else cell


# ------------------------------------------------------------------------------------------------ ends, literals, kinds


@pytest.mark.parametrize(
    "end",
    ["\r\n\x1a", "\x1a", "\r\n\x1a\x1a\x1a", "\r\n\x1a\r\n", "\r\n" + "\0" * 512, "\0" * 60, "\r\n\x1a" + "\0" * 9],
)
def test_padding_at_the_end_of_a_file_is_no_row(tmp_path: Path, end: str) -> None:
    """Ctrl-Z, with which DOS ends texts, and the zeros of a last block are left out."""
    table = read(tmp_path, "Ticket,Nota\r\n1,a\r\n2,c" + end)
    assert texts_of(table) == {2: ["1", "a"], 3: ["2", "c"]}
    assert issues(table) == []


def test_ctrl_z_inside_a_file_is_text(tmp_path: Path) -> None:
    """What follows a Ctrl-Z is read; where it was the end of the last cell, version 1's reading is kept."""
    assert texts_of(read(tmp_path, "a,b\n1,x\x1ay\n\x1a\n2,z\n")) == {
        2: ["1", "x\x1ay"],
        3: ["\x1a", ""],
        4: ["2", "z"],
    }
    assert earlier(rows_of(read(tmp_path, "a,b\n1,x\x1a"))[2]) == ["1", "x\x1a"]


SECOND_FILES = {
    '"2","b"': ["2", "b"],
    "2,b": ["2", "b"],
    '"2","b\r\n\ufeff c"': ["2", "b\r\n\ufeff c"],
    '"2, 3",b': ["2, 3", "b"],
}
"""Rows as they begin a file, and what their cells say."""


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("row", SECOND_FILES)
def test_a_byte_order_mark_at_the_beginning_of_a_row_is_no_text(tmp_path: Path, row: str, codec: str) -> None:
    """A file that was joined from two has the mark of the second before its first row, whose cells lose nothing."""
    table = read(tmp_path, f'"a","b"\r\n"1","x"\r\n\ufeff{row}\r\n3,y\r\n'.encode(codec))
    assert list(texts_of(table).values()) == [["1", "x"], SECOND_FILES[row], ["3", "y"]]
    assert issues(table) == []


def test_a_byte_order_mark_keeps_what_version_1_took_it_for(tmp_path: Path) -> None:
    """A row behind a mark is still known by the text that it was recorded under, where its cells were the same."""
    found = rows_of(read(tmp_path, 'a,b\n\ufeff"2","y"\n\ufeff"3,4",z\n5,\ufeffw\n\ufeff\n\ufeff"6",u\x1a'))
    assert {row: list(map(str, cells)) for row, cells in found.items()} == {
        2: ["2", "y"],
        3: ["3,4", "z"],
        4: ["5", "\ufeffw"],
        6: ["6", "u"],
    }
    assert earlier(found[2]) == ['\ufeff"2"', "y"]
    assert {type(cell) for cell in found[3]} == {str}
    assert earlier(found[6]) == ['\ufeff"6"', "u\x1a"]


@pytest.mark.parametrize("codec", ["cp1252", "mac_roman", "cp850"])
def test_a_byte_order_mark_of_utf_8_in_an_older_file_is_no_text(tmp_path: Path, codec: str) -> None:
    """A file of Windows to which one in UTF-8 was joined reads the first row of that one."""
    content = "a,b\r\n1,Señor Muñoz\r\n".encode(codec) + '\ufeff"2","y"\r\n'.encode()
    path = written(tmp_path / "t.csv", content)
    found = rows_of(open_table(path, TableOptions(encoding=codec)))[3]
    assert found == ["2", "y"]
    assert earlier(found)[0] == b'\xef\xbb\xbf"2"'.decode(codec)


def test_a_byte_order_mark_keeps_what_version_1_decoded(tmp_path: Path) -> None:
    """Where version 1 took another encoding for the file, the mark is what that encoding makes of its bytes."""
    content = ("a,b\r\n" + "1,EL “NO SIRVE” \u2013 x\r\n" * 5).encode("cp1252") + b'\xef\xbb\xbf"2",y\r\n'
    table = read(tmp_path, content)
    assert earlier(rows_of(table)[7])[0] == b'\xef\xbb\xbf"2"'.decode("mac_roman")


@pytest.mark.parametrize("header", ["Ticket,Nota", '"Ticket","Nota"'])
def test_a_header_behind_a_byte_order_mark_is_the_header_again(tmp_path: Path, header: str) -> None:
    """The note names the repeated header of the second file."""
    table = read(tmp_path, f"\ufeff{header}\r\n1,a\r\n\ufeff{header}\r\n2,b\r\n")
    assert any("The header is repeated in row 3" in note for note in table.notes)


@pytest.mark.parametrize("line", ["\ufdd0", "\ufdd1", "\uffff"])
def test_no_character_ends_the_reading(tmp_path: Path, line: str) -> None:
    """A line of a character that is in no text is a row like any other."""
    assert texts_of(read(tmp_path, f"a\n1\n{line}\n2\n")) == {2: ["1"], 3: [line], 4: ["2"]}


LITERALS = {
    '="00123"': "00123",
    '"=""00123"""': "00123",
    '="a ""b"""': 'a "b"',
    '="Año"': "Año",
    '=""': "",
    '="1"&"2"': '="1"&"2"',
    '=T("1")': '=T("1")',
    "=1+1": "=1+1",
    '="open': '="open',
}


@pytest.mark.parametrize("cell", LITERALS)
def test_a_literal_text_behind_an_equals_sign_is_that_text(tmp_path: Path, cell: str) -> None:
    """Web exports write ="00123" so that Excel keeps the zeros; version 1 took it for the text as it is written."""
    table = read(tmp_path, f"Ticket,Doc\n1,{cell}\n2,x\n")
    found = rows_of(table)[2]
    assert str(found[1]) == LITERALS[cell]
    assert earlier(found)[1] == next(csv.reader([cell]))[0]
    assert any('="…"' in note for note in table.notes) == (earlier(found)[1] != found[1])


TABLES = [
    "PK;Cliente\n1;Ana\n",
    "PK\n1\n",
    "%PDF;Cliente\n1;Ana\n",
    "GIF8;Cliente\n1;Ana\n",
    "PAR1;PAR2\n1;Ana\n",
    "Rar!;b\n1;Ana\n",
    "<div>Nota</div>;Ticket\n<b>x</b>;1\n",
    "<table>,b\n<tr><td>x</td></tr>,1\n",
    '"<p style=""a;b"">Nota</p>";Ticket\nx;1\n',
    "{id},link\n1,https://docs.google.com/x\n",
    "<?xml?>\tb\n1\t2\n",
]
PAGES = [
    "<div>Hello, world</div>\n<p>no</p>\n",
    "<style>\ntd {color: red;}\nth {color: red;}\n</style>\n",
    '<meta content="text/html; charset=utf-8">\n<table><tr><td>&nbsp;</td></tr></table>\n',
    "<html>\n<table><tr><td>a;b</td></tr>\n<tr><td>a;b</td></tr></table></html>",
    "<!DOCTYPE html><html><body>a,b</body></html>",
]


@pytest.mark.parametrize("content", TABLES)
def test_a_table_is_read_whatever_its_first_header_looks_like(tmp_path: Path, content: str) -> None:
    """The first letters of a file of another kind may be a header."""
    table = read(tmp_path, content)
    assert (table.header_row, table.rows) == (1, 1)


@pytest.mark.parametrize("content", PAGES)
def test_a_web_page_is_still_one(tmp_path: Path, content: str) -> None:
    """Markup that is not cut into columns is a web page."""
    with pytest.raises(SourceError, match="web page"):
        read(tmp_path, content)


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be", "utf-16", "utf-32"])
def test_wide_encodings_are_read_with_and_without_a_mark(tmp_path: Path, codec: str) -> None:
    """Zeros at the same place of each character are an encoding, at the end of the file padding."""
    content = 'Ticket,Nota\r\n1,Petición\r\n2,"c\\"d"\r\n'.encode(codec)
    assert texts_of(read(tmp_path, content)) == {2: ["1", "Petición"], 3: ["2", 'c"d']}


def test_zeros_inside_a_file_are_faults_of_their_cells(tmp_path: Path) -> None:
    """A hole of zeros, as a crash leaves it, does not make a file UTF-16."""
    table = read(tmp_path, b"a,b\n1,x\n2," + bytes(400) + b"\n3,y\n")
    assert isinstance(rows_of(table)[3][1], CellError)
    assert texts_of(table)[4] == ["3", "y"]
