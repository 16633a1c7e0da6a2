"""Reading a report that is given back: its rows, its verdicts, and files that are not reports."""

from __future__ import annotations

import csv
import io
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from report_support import COLUMNS, always, content, every_state, reference, row

from importer import report
from importer.errors import ReportError
from importer.messages import speaking
from importer.report.text import marked, unmarked
from importer.report.writing import write_csv
from importer.source import open_table


def given_back(path: Path) -> list[tuple[object, ...]]:
    """Return what a report contains about its rows."""
    return [
        (each.row, each.status, each.wolkvox_id, each.id_prefijo, each.reference)
        for each in report.read_rows(path, open_table)
    ]


@pytest.mark.parametrize("ending", [".xlsx", ".csv"])
def test_r14_a_report_gives_back_what_was_written(tmp_path: Path, ending: str) -> None:
    """Row, state, ids and reference of every row are read from the workbook and from the CSV file."""
    rows = every_state()
    path = report.write(tmp_path / f"t.report{ending}", content(rows), always).path
    assert given_back(path) == [
        (each.number, each.state, each.wolkvox_id, each.id_prefijo, each.reference) for each in rows
    ]


def test_r14_a_report_that_was_edited_is_still_read(tmp_path: Path) -> None:
    """Columns are found by name, in spite of a title, moved columns, deleted or sorted rows and corrected cells."""
    path = report.write(tmp_path / "t.report.xlsx", content(every_state()), always).path
    workbook = load_workbook(path)
    sheet = workbook["Report"]
    sheet["B5"] = "corrected"
    sheet.delete_rows(3, 2)
    sheet.move_range("A1:A20", cols=20)
    sheet.insert_rows(1, 2)
    sheet["A1"] = "Informe"
    workbook.save(path)
    assert [line[0] for line in given_back(path)] == [2, 5, 6, 7, 8, 9, 10, 11, 12]


def test_a_verdict_and_its_id_come_from_to_decide(tmp_path: Path) -> None:
    """The id beside the verdict counts; rows without a verdict have none."""
    path = report.write(tmp_path / "t.report.xlsx", content(every_state()), always).path
    workbook = load_workbook(path)
    sheet = workbook["To decide"]
    sheet["G2"], sheet["H2"], sheet["I2"] = "Created", "64cbff", "CAS-99"
    sheet["G3"] = " not created "
    workbook.save(path)
    decided = {each.row: each for each in report.read_rows(path, open_table) if each.verdict}
    assert {number: each.verdict for number, each in decided.items()} == {
        8: report.CREATED_VERDICT,
        9: report.NOT_CREATED_VERDICT,
    }
    assert (decided[8].wolkvox_id, decided[8].id_prefijo, decided[8].status) == ("64cbff", "CAS-99", "unknown")


def test_a_verdict_counts_also_where_its_row_was_deleted_from_report(tmp_path: Path) -> None:
    """A verdict counts even if a person removed its row from the sheet Report."""
    path = report.write(tmp_path / "t.report.xlsx", content(every_state()), always).path
    workbook = load_workbook(path)
    workbook["Report"].delete_rows(8)
    workbook["To decide"]["G2"] = "not created"
    workbook.save(path)
    decided = [each for each in report.read_rows(path, open_table) if each.verdict]
    assert [(each.row, each.reference, each.verdict) for each in decided] == [(8, reference(8), "not created")]


def test_a_verdict_column_of_the_source_is_no_verdict(tmp_path: Path) -> None:
    """Only the sheet To decide contains verdicts."""
    rows = [row(2, cells=("created",))]
    path = report.write(tmp_path / "t.report.xlsx", content(rows, ("verdict",)), always).path
    assert [each.verdict for each in report.read_rows(path, open_table)] == [None]


def test_a_csv_that_excel_saved_again_is_read(tmp_path: Path) -> None:
    """The separator and encoding of a Spanish Excel are recognised."""
    path = report.write(tmp_path / "t.report.csv", content([row(2, cells=("ñ", "b", "c", "d", "e"))]), always).path
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))
    with path.open("w", encoding="cp1252", newline="") as file:
        csv.writer(file, delimiter=";").writerows(lines)
    assert [line[0] for line in given_back(path)] == [2]


def not_a_report(folder: Path, name: str) -> Path:
    """Make a file that is not a report."""
    path = folder / name
    if name == "other.xlsx":
        Workbook().save(path)
    elif name == "headless.xlsx":
        workbook = Workbook()
        workbook.active.title = "Report"
        workbook.save(path)
    elif name != "missing.xlsx":
        path.write_bytes(b"PK\x03\x04 broken" if name == "broken.xlsx" else b"a,b\r\n1,2\r\n")
    return path


@pytest.mark.parametrize(
    "name", ["other.xlsx", "headless.xlsx", "broken.xlsx", "missing.xlsx", "plain.csv", "missing.csv", "t.pdf"]
)
def test_what_is_no_report_is_said_in_one_sentence(tmp_path: Path, name: str) -> None:
    """One sentence names the file, and what to give instead."""
    path = not_a_report(tmp_path, name) if name != "missing.csv" else tmp_path / name
    with pytest.raises(ReportError, match=r"Name (the|a) report") as caught:
        list(report.read_rows(path, open_table))
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)


def test_p2_a_csv_marks_what_a_spreadsheet_would_run(tmp_path: Path) -> None:
    """Every text that could run gets an apostrophe, signed numbers and all columns included."""
    evil = "=1+1"
    rows = [row(2, cells=(evil, "-5", "+57 300", "@x", "'=2"), message="=cmd|' /C calc'!A0")]
    path = report.write(tmp_path / "t.report.csv", content(rows), always).path
    with path.open(encoding="utf-8", newline="") as file:
        header, line = list(csv.reader(file))
    cells = [line[header.index(name)] for name in COLUMNS]
    assert cells == ["'=1+1", "'-5", "'+57 300", "'@x", "''=2"]
    assert [report.unmarked(value) for value in cells] == [evil, "-5", "+57 300", "@x", "'=2"]
    assert line[-3:] == ["2026-11-23T09:30:05-05:00", "3", reference(2)]
    assert path.read_bytes().endswith(b"\r\n")


HOSTILE = st.text(alphabet="'=+-@\t\r\n5.a\"; ,|\x00\xa0\ufeff\u200b\uff1d", max_size=10) | st.text(max_size=8)


@given(HOSTILE)
def test_p2_a_marked_text_is_given_back_exactly(text: str) -> None:
    """Marking can be undone, and a marked text starts with a character that cannot run."""
    assert unmarked(marked(text)) == text
    assert marked(text)[:1] not in {"=", "+", "-", "@", "\t", "\r", "\n"}


def cells_as_opened(content: str, separator: str) -> Iterator[str]:
    """Yield the cells that a spreadsheet program makes of a text, by the rules of Excel.

    A cell that starts with a quotation mark ends at the next single one, plus what follows that.
    """
    at = 0
    while at <= len(content):
        cell = ""
        if content[at : at + 1] == '"':
            at += 1
            while at < len(content):
                if content[at : at + 2] == '""':
                    cell, at = cell + '"', at + 2
                elif content[at] == '"':
                    at += 1
                    break
                else:
                    cell, at = cell + content[at], at + 1
        while at < len(content) and content[at] not in separator + "\r\n":
            cell, at = cell + content[at], at + 1
        yield cell
        at += 1


def may_run(cell: str) -> bool:
    """Return whether a program could take a cell for a formula, whatever it ignores at its start."""
    dropped = {"Cc", "Cf", "Zs", "Zl", "Zp"}
    rest = next((at for at, sign in enumerate(cell) if unicodedata.category(sign) not in dropped and sign != '"'), None)
    return rest is not None and unicodedata.normalize("NFKC", cell[rest])[0] in "=+-@"


@pytest.mark.parametrize("separator", [";", ",", "\t", "|"])
@given(rows=st.lists(st.lists(HOSTILE, min_size=3, max_size=3), min_size=1, max_size=3), named=HOSTILE)
def test_x8_no_separator_makes_a_live_formula(separator: str, rows: list[list[str]], named: str) -> None:
    """Whichever separator a program uses on a CSV report, no cell starts as a formula."""
    file = io.BytesIO()
    lines = [row(2, cells=tuple(cells[:2]), message=cells[2]) for cells in rows]
    write_csv(file, content(lines, (named, "otra")))
    opened = list(cells_as_opened(file.getvalue().decode("utf-8-sig"), separator))
    assert not list(filter(may_run, opened))


@pytest.mark.parametrize(
    "cell",
    [
        "hola;=1+1",
        'a,"=cmd|',
        'x;"=1+1"',
        "-5",
        "uno\n=2",
        "uno\r\n\t@SUM(1)",
        "a|+1",
        "a\t-1",
        "\ufeff=1",
        "\xa0\uff1d1",
        ';""=1',
    ],
)
def test_x8_the_known_tricks_are_marked_and_given_back(tmp_path: Path, cell: str) -> None:
    """Each known trick is harmless with every separator, and the report that comes back has the same cell."""
    path = report.write(
        tmp_path / "t.report.csv", content([row(2, cells=(cell, "-5", "1+cmd"))], ("A", "B", "C")), always
    ).path
    written = path.read_bytes().decode()
    for separator in ";,\t|":
        assert not list(filter(may_run, cells_as_opened(written, separator)))
    with path.open(encoding="utf-8", newline="") as file:
        assert report.unmarked(list(csv.reader(file))[1][0]) == cell


def test_x8_whatever_is_dropped_before_a_formula_hides_none() -> None:
    """A formula is marked behind control characters, white space, invisible signs and look-alike letters."""
    for sign in map(chr, range(sys.maxunicode + 1)):
        if unicodedata.category(sign) in {"Cc", "Cf", "Zs", "Zl", "Zp"} or may_run(sign):
            assert not may_run(marked(f"{sign}=1")), hex(ord(sign))
            assert not may_run(marked(f"a;{sign}=1")[2:]), hex(ord(sign))


def test_x8_marking_a_long_gap_takes_no_time() -> None:
    """A megabyte of separators is scanned once."""
    text = ";" * 1_000_000 + "a" + "'" * 1_000_000
    assert unmarked(marked(text)) == text


@pytest.mark.parametrize("language", ["en", "es", "pt"])
def test_a_report_tells_from_which_runs_its_cells_are(tmp_path: Path, language: str) -> None:
    """The runs are read in every language, beside the journal's mark; a CSV report and one without runs tell none."""
    journal = ("0123abcd" * 4, 7)
    with speaking(language):
        path = report.write(
            tmp_path / "t.xlsx", content(every_state(), content_runs=(3, 12), journal=journal), always
        ).path
        without = report.write(tmp_path / "u.xlsx", content(every_state(), journal=journal), always).path
        plain = report.write(
            tmp_path / "t.csv", content(every_state(), content_runs=(3, 12), journal=journal), always
        ).path
    assert (report.read_runs(path, open_table), report.read_mark(path, open_table)) == (
        ("0123abcd", (3, 12)),
        ("0123abcd", 7),
    )
    assert (report.read_runs(without, open_table), report.read_runs(plain, open_table)) == (None, None)


@pytest.mark.parametrize("has_details", [True, False], ids=["now", "as version 0.1.0 wrote it"])
def test_what_the_other_sheets_say_is_read_wherever_it_is(tmp_path: Path, *, has_details: bool) -> None:
    """Created rows, edited ones included, and the journal's mark are read from Summary and Details, or Summary."""
    path = report.write(tmp_path / "t.report.xlsx", content(every_state(), journal=("0123abcd" * 4, 7)), always).path
    if not has_details:
        book = load_workbook(path)
        for title in ("Summary", "Details"):
            del book[title]
        summary = book.create_sheet("Summary", 0)
        for line in (
            ("Import legacy-tickets",),
            ("State", "Rows", "What it means"),
            *(("created in this run", 1), ("created before", 2), ("unknown", 1), ("conflict", 1), ("sending", 1)),
            *(("all rows", 11), ("of these, changed", 1), ("Journal", "WCJ-0123abcd #7")),
        ):
            summary.append(line)
        book.save(path)
    assert report.read_mark(path, open_table) == ("0123abcd", 7)
    found = report.read_overview(path, open_table)
    assert found is not None
    assert (found.created, found.doubtful, [each.row for each in found.to_decide]) == (3, 3, [8, 9])
