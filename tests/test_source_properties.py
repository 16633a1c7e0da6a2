"""What other programs write is read back the same, and no bytes make the reader fail."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from source_support import WORKBOOKS, rows_of, saved, texts_of

from importer.errors import SourceError
from importer.model import Cell, TableOptions, Typed
from importer.source import open_table
from importer.source.delimited.reader import open_delimited
from importer.source.snapshot import Snapshot

FEW = settings(max_examples=25, deadline=None)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
# XML turns \r into \n, and white space alone is empty; openpyxl refuses control characters.
SHEET_TEXT = TEXT.filter(lambda text: not ILLEGAL_CHARACTERS_RE.search(text) and "\r" not in text).map(
    lambda text: text if text.strip() else ""
)
NUMBERS = st.integers(-(10**15) + 1, 10**15 - 1) | st.floats(-1e14, 1e14, allow_subnormal=False).map(
    lambda value: float(format(value, ".15g"))
)
MOMENTS = (
    st.dates(date(1900, 3, 1), date(2173, 10, 12))
    | st.datetimes(datetime.fromisoformat("1900-03-01"), datetime.fromisoformat("2173-10-12")).map(
        lambda moment: moment.replace(microsecond=0)
    )
    | st.times().map(lambda moment: moment.replace(microsecond=0))
)


@contextmanager
def folder() -> Iterator[Path]:
    """Return a folder for one example."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@FEW
@given(
    st.lists(st.lists(TEXT, min_size=3, max_size=3), max_size=8),
    st.sampled_from([",", ";", "\t", "|"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
)
def test_what_the_csv_module_writes_is_read_back(rows: list[list[str]], delimiter: str, encoding: str) -> None:
    """Any text in any place comes back as it is, at the row number that it was written to."""
    with folder() as place:
        path = place / "t.csv"
        with path.open("w", encoding=encoding, newline="") as file:
            csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([["a", "b", "c"], *rows])
        table = open_table(path, TableOptions(delimiter=delimiter))
        expected = {row: cells for row, cells in enumerate(rows, 2) if any(cell.strip() for cell in cells)}
        assert texts_of(table) == expected
        assert table.rows == len(expected)


@FEW
@given(st.lists(st.tuples(SHEET_TEXT, NUMBERS, st.booleans(), MOMENTS), min_size=1, max_size=8))
def test_what_openpyxl_writes_is_read_back(rows: list[tuple[str, float, bool, date | time]]) -> None:
    """Text, numbers, booleans and moments come back as the values that were saved."""
    with folder() as place:
        table = open_table(saved(place / "t.xlsx", [["text", "number", "truth", "moment"], *rows]))
        for (text, number, truth, moment), cells in zip(rows, rows_of(table).values(), strict=True):
            assert [value_of(cell) for cell in cells] == [text, number, truth, moment]
            assert Decimal(str(cells[1])) == Decimal(format(number, ".15g"))


@FEW
@given(st.lists(st.tuples(SHEET_TEXT.filter(str.strip), NUMBERS), min_size=1, max_size=8))
def test_what_pandas_writes_is_read_back(rows: list[tuple[str, float]]) -> None:
    """A data frame saved by pandas comes back with its texts and numbers."""
    with folder() as place:
        frame = pd.DataFrame({"text": [row[0] for row in rows], "number": [float(row[1]) for row in rows]})
        frame["text"] = "'" + frame["text"]  # pandas saves text that begins with = as a formula
        frame.to_excel(place / "t.xlsx", index=False)
        read = rows_of(open_table(place / "t.xlsx"))
        assert [(value_of(cells[0]), value_of(cells[1])) for cells in read.values()] == [
            (f"'{text}", number) for text, number in rows
        ]


@FEW
@given(st.binary(max_size=400))
def test_no_bytes_make_a_text_table_fail(content: bytes) -> None:
    """Whatever the bytes are, the rows of a text come in order, or one sentence says why not."""
    text = open_delimited(Snapshot(io.BytesIO(content)), "t.csv", TableOptions())
    numbers: list[int] = []
    refusal = refused(lambda: numbers.extend(row for block in text.blocks() for row, _cells in block.rows()))
    assert "row" in refusal if refusal else numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("name", ["mixed.xlsx", "mixed.xls", "mixed.ods"])
@settings(max_examples=12, deadline=None)
@example(damage=[(30, 128)])  # the first byte of a part's name
@given(damage=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), min_size=1, max_size=6))
def test_no_damage_makes_a_workbook_fail(name: str, damage: list[tuple[int, int]]) -> None:
    """A workbook with changed bytes is read or refused in a sentence that names it."""
    content = bytearray((WORKBOOKS / name).read_bytes())
    for place, byte in damage:
        content[place % len(content)] = byte
    with folder() as where:
        path = where / name
        path.write_bytes(content)
        refusal = refused(lambda: rows_of(open_table(path)))
        assert not refusal or name in refusal


@FEW
@given(st.lists(st.tuples(st.integers(0, 1 << 16), st.binary(min_size=1, max_size=4)), min_size=1, max_size=6))
def test_no_damaged_record_makes_an_xls_workbook_fail(damage: list[tuple[int, bytes]]) -> None:
    """An XLS workbook with damaged records is read or refused in a sentence that names it, and never hangs."""
    content = bytearray((WORKBOOKS / "mixed.xls").read_bytes())
    for place, wrong in damage:
        at = place % (len(content) - len(wrong))
        content[at : at + len(wrong)] = wrong
    with folder() as where:
        path = where / "mixed.xls"
        path.write_bytes(content)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("importer.source.parsing.TIME_LIMIT", 5)  # some damage makes xlrd go round in circles
            refusal = refused(lambda: rows_of(open_table(path)))
        assert not refusal or "mixed.xls" in refusal


def refused(read: Callable[[], object]) -> str:
    """Return the sentence in which reading was refused, empty where it was not."""
    try:
        read()
    except SourceError as error:
        return str(error)
    return ""


def value_of(cell: Cell) -> object:
    """Return what a cell is, beyond its text."""
    return cell.value if isinstance(cell, Typed) else cell
