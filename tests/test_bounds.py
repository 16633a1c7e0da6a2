"""The bounds of what is opened: bombs, endless rows and giant cells end in a sentence, soon and in little memory."""

from __future__ import annotations

import io
import os
import shutil
import zipfile
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest
from nursery import Nursery
from report_support import always, content, every_state
from source_support import WORKBOOKS

from importer import report
from importer.errors import ReportError, SourceError
from importer.report import is_given_back
from importer.source import open_table
from importer.system import files

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
BILLION = b'<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><a>&b;</a>'
EXTERNAL = b'<!DOCTYPE a [<!ENTITY a SYSTEM "file:///etc/passwd">]><a>&a;</a>'
MAPPING = (
    "version: 1\nimport: t\nsource: {key: Ticket}\ntarget: {server: crm0001.wolkvox.com, operation: demo}\n"
    "fields: {case-type: Request, responsible: A_@demo, owner: A_@demo, contact: ana@example.com,"
    " description: {column: Nota}, status: Abierto, priority: Alta}\n"
)


@pytest.fixture
def mapping(tmp_path: Path) -> Path:
    """Write a mapping beside the source."""
    path = tmp_path / "m.yml"
    path.write_text(MAPPING, "utf-8")
    return path


def zeros(size: int) -> Iterator[bytes]:
    """Yield so many bytes of emptiness."""
    yield from (bytes(1 << 20) for _ in range(size >> 20))


def packed(path: Path, base: Path, method: int = zipfile.ZIP_DEFLATED, **parts: Iterable[bytes]) -> Path:
    """Write a workbook with parts replaced or added, by the name of their file without its ending."""
    with zipfile.ZipFile(base) as old, zipfile.ZipFile(path, "w", method, compresslevel=1) as new:
        names = {Path(name).stem: name for name in old.namelist()}
        for name in old.namelist():
            if Path(name).stem not in parts:
                new.writestr(name, old.read(name))
        for stem, pieces in parts.items():
            with new.open(names.get(stem, f"xl/{stem}.xml"), "w", force_zip64=True) as written:
                for piece in pieces:
                    written.write(piece)
    return path


def many_parts(path: Path, base: Path) -> Path:
    """Write a zip file whose list of parts alone is larger than any."""
    path.write_bytes(base.read_bytes())
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as package:
        for number in range(2_000):
            package.writestr(f"{number}-" + "n" * 5_000, b"")
    return path


BOMBS: dict[str, Callable[[Path, Path], Path]] = {
    "ratio": lambda path, base: packed(path, base, sharedStrings=zeros(300 << 20)),
    "sheet": lambda path, base: packed(path, base, sheet2=zeros(100 << 20)),
    "billion": lambda path, base: packed(path, base, workbook=[BILLION]),
    "external": lambda path, base: packed(path, base, workbook=[EXTERNAL]),
    "prologue": lambda path, base: packed(path, base, workbook=[b"<!--" + b"x" * (3 << 20) + b"--><a/>"]),
    "elements": lambda path, base: packed(path, base, workbook=[b"<a>" + b"<b/>" * 2_500_000 + b"</a>"]),
    "rows": lambda path, base: packed(path, base, sheet1=filled(12_000), sheet2=filled(12_000)),
    "list": many_parts,
}


Put = Callable[[str, Path], Path]
"""Puts a bomb, by its name, at a path."""


@pytest.fixture(scope="module")
def put(tmp_path_factory: pytest.TempPathFactory) -> Put:
    """Give a function that makes each bomb once, of a report of ours, and copies it to where a test wants it."""
    folder = tmp_path_factory.mktemp("bombs")
    base = report.write(folder / "ours.report.xlsx", content(every_state()), always).path
    made = cache(lambda bomb: BOMBS[bomb](folder / f"{bomb}.xlsx", base))
    return lambda bomb, path: Path(shutil.copyfile(made(bomb), path))


def filled(rows: int, empty: int = 0) -> tuple[bytes, ...]:
    """Return a sheet of so many rows with a cell each, and of empty rows below them."""
    cells = b"".join(b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (row, row) for row in range(1, rows + 1))
    return f'<worksheet xmlns="{MAIN}"><sheetData>'.encode(), cells, b"<row/>" * empty, b"</sheetData></worksheet>"


@pytest.mark.parametrize("bomb", BOMBS)
def test_x9_a_bomb_is_no_report_whoever_opens_it(
    tmp_path: Path, put: Put, monkeypatch: pytest.MonkeyPatch, bomb: str
) -> None:
    """Reading it back, telling whether a source is one, writing into it: a sentence with the file's name, or 'no'."""
    for module in ("system.files", "source.xlsx.sheet", "report.writing_back"):
        monkeypatch.setattr(f"importer.{module}.MOST_ROWS", 10_000)
    path = put(bomb, tmp_path / "bomb.report.xlsx")
    with pytest.raises(ReportError, match=r"bomb\.report\.xlsx"):
        list(report.read_rows(path, open_table))
    with pytest.raises(SourceError, match=r"bomb\.report\.xlsx"):
        open_table(path)
    assert bomb == "rows" or not is_given_back(path)
    before = path.read_bytes()
    if bomb != "rows":  # our own sheet would replace it
        with pytest.raises(ReportError, match=r"bomb\.report\.xlsx"):
            report.write_back(path, content(every_state()), open_table, always)
    assert path.read_bytes() == before


@pytest.mark.parametrize("bomb", ["ratio", "billion", "elements", "list"])
def test_x9_a_bomb_beside_the_source_or_given_to_settle_and_adopt_ends_at_once(
    tmp_path: Path, put: Put, mapping: Path, nursery: Nursery, bomb: str
) -> None:
    """Within 2 s of the processor, start-up aside, and under a gigabyte; exit status 2."""
    source, journal = tmp_path / "t.csv", tmp_path / "j.sqlite"
    source.write_text("Ticket,Nota\n1,hola\n", "utf-8")
    path = put(bomb, tmp_path / "t.report.xlsx")
    commands = (
        ("run", source, "-m", mapping, "--yes", "--journal", journal, "--server", "http://127.0.0.1:9"),
        ("adopt", path, "-m", mapping, "--journal", journal),
        ("settle", "-m", mapping, "--from", path, "--journal", journal),
        ("check", path, "-m", mapping),
    )
    for command in commands:
        ended = nursery.carry_out(*command)
        assert ended.status == 2, ended
        assert "t.report.xlsx" in ended.said or "journal" in ended.said
        assert ended.seconds < 2
        assert ended.megabytes < 1_000


def line_of(size: int) -> Iterator[str]:
    """Yield one line that has no end."""
    yield "Ticket,Nota\n1,a\n"
    yield from ("x" * 1_000_000 for _ in range(size))


def quote_of(size: int) -> Iterator[str]:
    """Yield a quotation mark that is never closed."""
    yield 'Ticket,Nota\n1,a\n2,"'
    yield from (("y" * 99 + "\n") * 10_000 for _ in range(size))


def quotes_of(size: int) -> Iterator[str]:
    """Yield one row of quoted cells, each as long as it may be, without an end."""
    yield "Ticket,Nota\n1,a\n2"
    yield from (',"' + ("y" * 99 + "\n") * 50_000 + '"' for _ in range(size // 5))


def spellings(_size: int) -> Iterator[str]:
    """Yield 6,000 rows of 300 spellings of one key."""
    yield "Ticket,Nota\n"
    yield from ("0" * (row % 300) + "7,hola\n" for row in range(6_000))


HUGE: dict[str, tuple[Callable[[int], Iterable[str]], int, str]] = {
    "line": (line_of, 2, "row 3 has more than 33,554,432 characters"),
    "quote": (quote_of, 2, "quotation mark that opens in row 3"),
    "quotes": (quotes_of, 2, "row 3 has more than"),
    "commas": (lambda _size: ["," * 2_000_000], 2, "no table"),
    "commas below": (
        lambda _size: ["Ticket,Nota\n1,a\n", "," * 2_000_000, "x\n"],
        1,
        "the number of cells is 16385 in this row",
    ),
    "header": (lambda _size: [",".join(f"c{n}" for n in range(200_000)), "\n1,2\n"], 2, "more than 16,384 cells"),
    "one key": (lambda _size: ["Ticket,Nota\n", "T-1,hola\n" * 6_000], 1, "6,000|6000"),
    "spellings": (spellings, 1, "6,000|6000"),
}


@pytest.mark.parametrize("name", HUGE)
def test_x11_a_text_without_reason_ends_in_a_sentence(
    tmp_path: Path, mapping: Path, nursery: Nursery, name: str
) -> None:
    """Rows without an end, 2 MB of commas, 200,000 columns, one key 6,000 times: seconds, and under a gigabyte."""
    make, expected, words = HUGE[name]
    source = tmp_path / "t.csv"
    with source.open("w", encoding="utf-8", newline="") as file:
        for piece in make(35):
            file.write(piece)
    ended = nursery.carry_out("check", source, "-m", mapping)
    assert ended.status == expected, ended.said[:500]
    assert any(word in ended.said for word in words.split("|")), ended.said[-500:]
    assert ended.seconds < 8  # far less than what each row beside each other would need
    assert ended.megabytes < 1_000


def test_x11_the_length_of_a_row_is_bounded_whatever_the_file_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bound is of the row, not of its lines, and begins again with each row."""
    monkeypatch.setattr("importer.source.delimited.reader.LONGEST_RECORD", 100)
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + f'1,"{"x" * 40}\n{"x" * 40}"\n' * 9, "utf-8")
    assert open_table(path).rows == 9
    path.write_text("a,b\n1,2\n" + f'1,"{"x" * 60}\n{"x" * 60}"\n', "utf-8")
    with pytest.raises(SourceError, match=r"t\.csv: row 3 has more than 100 characters"):
        open_table(path)


def giant_cell(size: int) -> Iterator[bytes]:
    """Yield a sheet with one cell of text."""
    yield f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>'.encode()
    yield from (b"0123456789abcdef" * (1 << 16) for _ in range(size >> 20))
    yield b"</t></is></c></row></sheetData></worksheet>"


def wide(columns: int) -> Iterator[bytes]:
    """Yield a sheet whose header has so many columns."""
    yield f'<worksheet xmlns="{MAIN}"><sheetData><row r="1">'.encode()
    yield b"".join(b'<c t="inlineStr"><is><t>h%d</t></is></c>' % number for number in range(columns))
    yield b"</row></sheetData></worksheet>"


WORKBOOK_BASE = WORKBOOKS / "header_alone.xlsx"


@pytest.mark.parametrize(
    ("sheet", "words"),
    [
        (lambda: giant_cell(50 << 20), "t.xlsx"),
        (lambda: giant_cell(11 << 20), "more than 10,000,000 characters"),
        (lambda: wide(50_000), "more than 16,384 columns"),
        (lambda: filled(100_000, empty=1_000_000), "more than 1,048,576 rows"),
    ],
    ids=["50 MB in a cell", "11 MB in a cell", "50,000 columns", "too many rows"],
)
def test_x11_a_workbook_without_reason_ends_in_a_sentence(
    tmp_path: Path, mapping: Path, nursery: Nursery, sheet: Callable[[], Iterable[bytes]], words: str
) -> None:
    """Giant cells, thousands of columns, more rows than a sheet has: seconds, and under a gigabyte."""
    source = packed(tmp_path / "t.xlsx", WORKBOOK_BASE, zipfile.ZIP_STORED, sheet1=sheet())
    ended = nursery.carry_out("check", source, "-m", mapping)
    assert ended.status == 2, ended.said[:500]
    assert words in ended.said
    assert ended.seconds < 30
    assert ended.megabytes < 1_000


def test_x11_the_widest_table_is_read(tmp_path: Path) -> None:
    """As many columns as a sheet holds are a table."""
    assert (
        len(open_table(packed(tmp_path / "t.xlsx", WORKBOOK_BASE, sheet1=wide(files.MOST_COLUMNS))).columns) == 16_384
    )


def far_right(cell: bytes, end: bytes = b"</sheetData></worksheet>") -> Iterator[bytes]:
    """Yield a sheet of 60,000 rows with this cell in its last column, and one in the first column of each row."""
    yield f'<worksheet xmlns="{MAIN}"><sheetData><row r="1"><c r="A1"><v>1</v></c>'.encode() + cell + b"</row>"
    yield from (b'<row r="%d"><c r="A%d"><v>1</v></c></row>' % (row, row) for row in range(2, 60_000))
    yield end


def test_x11_a_sheet_with_a_stray_value_is_not_read_to_its_end(tmp_path: Path) -> None:
    """Far to the right, it makes the sheet too large after 3,000 rows; what comes after them is not looked at."""
    stray = far_right(b'<c r="XFD1"><v>1</v></c>', end=b"<damaged")
    with pytest.raises(SourceError, match="so far apart that"):
        open_table(packed(tmp_path / "t.xlsx", WORKBOOK_BASE, sheet1=stray))
    styled = packed(tmp_path / "styled.xlsx", WORKBOOK_BASE, sheet1=far_right(b'<c r="XFD1" s="0"/>'))
    assert len(open_table(styled).columns) == 1  # a cell that is only styled is none


def test_x11_pipes_and_devices_are_no_files(tmp_path: Path, mapping: Path, nursery: Nursery) -> None:
    """A pipe or a device as source, mapping, lookup or report: a sentence at once, and never a wait."""
    pipe, source = tmp_path / "t.pipe", tmp_path / "t.csv"
    os.mkfifo(pipe)
    source.write_text("Ticket,Nota\n1,hola\n", "utf-8")
    looking = tmp_path / "lookup.yml"
    looking.write_text(
        MAPPING.replace("{column: Nota}", "{column: Nota, lookup: {file: t.pipe, key: a, value: b}}"), "utf-8"
    )
    zero = Path("/dev/zero")
    commands = (
        *(("check", special, "-m", mapping) for special in (pipe, zero)),
        *(("check", source, "-m", special) for special in (pipe, zero)),
        ("check", source, "-m", looking),
        ("draft", zero),
        ("draft", source, "--like", pipe),
        ("adopt", pipe, "-m", mapping, "--journal", tmp_path / "j"),
    )
    for command in commands:
        ended = nursery.carry_out(*command)
        assert ended.status == 2, (command, ended)
        assert "ordinary file" in ended.said, (command, ended)
        assert ended.seconds < 10


def test_x9_the_list_of_parts_is_bounded_by_what_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """However the end of the file describes its list: more than the bound is never asked of the file."""
    monkeypatch.setattr(files, "LONGEST_LIST", 10)
    with pytest.raises(SourceError, match=r"t\.xlsx.*list of parts"):
        files.Package(io.BytesIO(WORKBOOK_BASE.read_bytes()), "t.xlsx")
