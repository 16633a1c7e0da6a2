"""The report workbook, opened again: its content, its looks, and what it never does."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path
from zipfile import ZipFile

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.hyperlink import Hyperlink
from openpyxl.worksheet.worksheet import Worksheet
from report_support import BOGOTA, COLUMNS, always, cells, content, every_state, issue, reference, row

from importer import report
from importer.model import Cell, CellError, Issue, ReportContent, Status, TableOptions, Typed
from importer.report import listings, sheet
from importer.report.styles import Formats
from importer.source import open_table


def written(folder: Path, what: ReportContent) -> Path:
    """Write a report and return its path."""
    return report.write(folder / "tickets.report.xlsx", what, always).path


def opened(folder: Path, what: ReportContent) -> Workbook:
    """Write a report and open it as a person would."""
    return load_workbook(written(folder, what))


def with_cells(*values: Cell) -> ReportContent:
    """Return a report of one created row with these cells."""
    columns = tuple(f"C{index}" for index in range(len(values)))
    return replace(content([row(2, cells=values)], columns), key_columns=columns)


def own_columns(sheet: Worksheet, line: int) -> dict[str, object]:
    """Return what the report's own columns contain on a line of the sheet Report."""
    return {name: cell_of(sheet, line, name).value for name in report.OWN_COLUMNS}


def cell_of(sheet: Worksheet, line: int, name: str) -> object:
    """Return the cell of a column, found by its header."""
    headers = [cell.value for cell in sheet[1]]
    return sheet.cell(line, headers.index(name) + 1)


def test_the_sheets_stand_in_the_order_of_a_persons_questions(tmp_path: Path) -> None:
    """The workbook opens on Summary; To decide exists only if there is something to decide."""
    workbook = opened(tmp_path, content(every_state()))
    assert workbook.sheetnames == ["Summary", "Report", "Issues", "To decide", "Details"]
    assert workbook.active.title == "Summary"
    assert opened(tmp_path, content([row(2)])).sheetnames == ["Summary", "Report", "Issues", "Details"]


def test_what_became_of_a_row_stands_beside_its_key(tmp_path: Path) -> None:
    """The source's headers are unchanged; state, ids and reason follow the key, and the rest of ours is at the end."""
    sheet = opened(tmp_path, content(every_state()))["Report"]
    key, *others = COLUMNS
    ours = ["status", "wolkvox_id", "idPrefijo", "message"], ["row", "sent_at", "run", "reference"]
    assert [cell.value for cell in sheet[1]] == [key, *ours[0], *others, *ours[1]]
    assert own_columns(sheet, 2) == {
        "row": 2,
        "status": "created",
        "wolkvox_id": "64cb00000000000000000002",
        "idPrefijo": "CAS-2",
        "message": "Created in this run.",
        "sent_at": datetime.fromisoformat("2026-11-23 09:30:05"),
        "run": 3,
        "reference": reference(2),
    }


def test_values_keep_their_types_and_formats(tmp_path: Path) -> None:
    """Dates stay sortable dates, numbers stay numbers, and `00123` stays the text it was."""
    values = (
        "00123",
        Typed("31/12/2025", date(2025, 12, 31), "dd/mm/yyyy"),
        Typed("1.234,50", 1234.5, "#,##0.00"),
        Typed("TRUE", value=True),
        Typed("12:30", time(12, 30), "hh:mm"),
        Typed("7", 7),
        "64e12",
    )
    path = written(tmp_path, with_cells(*values))
    line = load_workbook(path)["Report"][2]
    assert [cell.value for cell in line[:7]] == [
        "00123",
        datetime.fromisoformat("2025-12-31 00:00:00"),
        1234.5,
        True,
        time(12, 30),
        7,
        "64e12",
    ]
    assert [line[at].number_format for at in (0, 1, 2, 4)] == ["@", "dd/mm/yyyy", "#,##0.00", "hh:mm"]
    assert line[0].data_type == line[6].data_type == "s"
    with ZipFile(path) as package:  # Excel is asked not to mark `00123` as a number stored as text
        assert b'<ignoredError sqref="A1:O2" numberStoredAsText="1"/>' in package.read("xl/worksheets/sheet2.xml")
    frame = pd.read_excel(path, sheet_name="Report", dtype=object, engine="calamine")
    assert frame["C0"].iloc[0] == "00123"


def links(sheet: Worksheet) -> list[Hyperlink]:
    """Return the links of a sheet."""
    return [cell.hyperlink for line in sheet for cell in line if cell.hyperlink]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_p2_text_that_begins_like_a_formula_stays_text(tmp_path: Path, start: str) -> None:
    """A cell of the source, a header or a message of the CRM is never a live formula."""
    evil = f'{start}HYPERLINK("http://x","y")'
    bad = issue(3, "C", evil)
    rows = [row(2, cells=(evil,), message=evil), row(3, Status.INVALID, cells=(evil,), issues=(bad,))]
    path = written(tmp_path, content(rows, (evil,)))
    workbook = load_workbook(path)
    shown = evil.replace("\r", "\n")
    assert workbook["Report"]["A1"].value == workbook["Report"]["A2"].value == shown
    assert workbook["Report"]["A2"].quotePrefix
    assert workbook["Report"]["A3"].quotePrefix
    assert all(cell.data_type != "f" for sheet in workbook for line in sheet for cell in line)
    with ZipFile(path) as package:
        assert not any(b"<f>" in package.read(name) for name in package.namelist() if "/worksheets/" in name)


@pytest.mark.parametrize("text", ["#N/A", "#REF!", "=", "NA", "TRUE", "2024-01-31"])
def test_p2_text_that_looks_like_something_else_stays_text(tmp_path: Path, text: str) -> None:
    """The texts of errors, booleans and dates and lone signs are stored as text."""
    cell = opened(tmp_path, with_cells(text))["Report"]["A2"]
    assert (cell.value, cell.data_type) == (text, "s")


@pytest.mark.parametrize(
    "text",
    [
        "<r><t>x</t></r>",
        "<r></r>",
        "<r></is></c><c r='Z9'><f>1+1</f></c><c><is></r>",
        "_x0041_",
        "a_x000D_b",
        "http://x/<&>",
        "  x  ",
    ],
)
def test_p2_text_that_a_writer_of_xml_could_take_for_its_own_stays_text(tmp_path: Path, text: str) -> None:
    """Markup, escapes, addresses and white space are read back unchanged from every sheet."""
    rows = [row(2, Status.INVALID, cells=(text,), issues=(issue(2, "C", text),)), row(3, Status.UNKNOWN, message=text)]
    path = written(tmp_path, content([rows[0], replace(rows[1], cells=(text,))], ("C",)))
    table = open_table(path, TableOptions(sheet="Report"))
    assert [str(cell) for frame in table.frames() for cell in frame["C"]] == [text, text]
    table = open_table(path, TableOptions(sheet="Issues"))
    assert [str(cell) for frame in table.frames() for cell in frame["value"]] == [text]
    with ZipFile(path) as package:
        sheets = b"".join(package.read(name) for name in package.namelist() if "/worksheets/" in name)
    assert b"<f>" not in sheets


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20))
def test_every_number_is_given_back_exactly(tmp_path_factory: pytest.TempPathFactory, numbers: list[float]) -> None:
    """Even a number of 17 digits is read back exactly, so a report does not make its row changed."""
    values = [Typed(repr(number), number) for number in numbers]
    path = written(tmp_path_factory.mktemp("numbers"), with_cells(*values))
    line = load_workbook(path)["Report"][2]
    assert [cell.value for cell in line[: len(numbers)]] == numbers


def test_the_parts_of_xlsxwriter_that_it_does_not_document_are_there(tmp_path: Path) -> None:
    """Used heights are dropped, and files of an abandoned workbook are closed."""
    with pytest.MonkeyPatch.context() as patch, (tmp_path / "t.xlsx").open("wb") as file:
        patch.setattr(sheet, "HEIGHTS_KEPT", 3)
        with pytest.raises(RuntimeError), sheet.new_workbook(file) as made:  # noqa: PT012 - the block is what fails
            lines = sheet.SheetWriter(made, Formats(made), "x")
            for number in range(10):
                lines.next_line(30)
                lines.text(0, str(number))
            assert sorted(lines.sheet.row_info) == sorted(lines.sheet.row_sizes) == [0, 1, 8, 9]
            raise RuntimeError
        assert lines.sheet.row_data_fh.closed


def test_p3_control_characters_are_shown_and_the_workbook_opens(tmp_path: Path) -> None:
    """Characters that XML cannot carry are replaced by a visible sign."""
    text = "a\x00b\x07c\x1bd\ud800e\uffff"
    cell = opened(tmp_path, with_cells(text))["Report"]["A2"]
    assert cell.value == "a␀b␇c␛d\N{REPLACEMENT CHARACTER}e\N{REPLACEMENT CHARACTER}"


@pytest.mark.parametrize("letter", ["a", "😀"])
def test_p3_a_cell_that_is_too_long_is_cut_and_says_so(tmp_path: Path, letter: str) -> None:
    """32,767 characters as Excel counts them are kept; the end says how long the text was."""
    value = opened(tmp_path, with_cells(letter * 40_000))["Report"]["A2"].value
    assert len(value.encode("utf-16-le")) // 2 <= 32_767
    assert value.endswith("… [cut: the text has 40000 characters, a cell holds 32767]")
    assert opened(tmp_path, with_cells("a" * 32_767))["Report"]["A2"].value == "a" * 32_767


def test_p3_links_and_notes_stop_where_a_sheet_has_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells beyond Excel's limits are still written and coloured, and Summary says what they lack."""
    monkeypatch.setattr(listings, "LINKS_PER_SHEET", 3)
    monkeypatch.setattr(listings, "NOTES_PER_SHEET", 2)
    rows = [row(number, Status.INVALID, issues=(issue(number),)) for number in range(2, 7)]
    what = replace(content([*rows, *map(row, range(7, 11))]), case_url="https://crm.example/case/{wolkvox_id}")
    workbook = opened(tmp_path, what)
    assert len(links(workbook["Issues"])) == 3
    assert len(links(workbook["Report"])) == 3
    faulty = [cell_of(workbook["Report"], line, "Estado") for line in range(2, 7)]
    assert sum(cell.comment is not None for cell in faulty) == 2
    assert {cell.fill.start_color.rgb for cell in faulty} == {"FFFFC9C4"}
    summary = " ".join(str(cell.value) for line in workbook["Summary"] for cell in line)
    assert "2 lines of Issues have no link to their cells" in summary
    assert "3 faulty cells have no note" in summary
    assert "1 case has no link" in summary


def test_p3_what_a_sheet_cannot_date_or_count_is_written_as_its_text(tmp_path: Path) -> None:
    """Dates before 1900, infinite numbers and error cells keep the text that was shown."""
    values = (
        Typed("01/01/1850", date(1850, 1, 1), "dd/mm/yyyy"),
        Typed("INF", float("inf")),
        CellError("#N/A", "formula-error", "m", "r"),
    )
    sheet = opened(tmp_path, with_cells(*values))["Report"]
    assert [sheet.cell(2, column).value for column in (1, 2, 3)] == ["01/01/1850", "INF", "#N/A"]


def test_faulty_cells_are_coloured_and_carry_the_reason(tmp_path: Path) -> None:
    """A faulty cell, even an empty one, has a colour and a note; the message names column and remedy."""
    sheet = opened(tmp_path, content(every_state()))["Report"]
    state, subject = cell_of(sheet, 6, "Estado"), cell_of(sheet, 6, "Asunto")
    assert state.fill.start_color.rgb == subject.fill.start_color.rgb == "FFFFC9C4"
    assert state.comment.text.startswith("Estado: “En curso” is not one of Abierto, Cerrado. Write one of these")
    assert subject.value is None
    assert "Asunto: The case needs a description. Write what the ticket is about." in str(
        own_columns(sheet, 6)["message"]
    )
    assert cell_of(sheet, 2, "Estado").comment is None


def test_a_faulty_number_keeps_its_format(tmp_path: Path) -> None:
    """A date with an issue is still a date in its format."""
    bad = Issue(2, "Abierto", "01/01/2026", "date-in-future", "m", "r")
    cell = cell_of(opened(tmp_path, content([row(2, Status.INVALID, issues=(bad,))]))["Report"], 2, "Abierto")
    assert (cell.value, cell.number_format) == (datetime.fromisoformat("2026-01-03 00:00:00"), "dd/mm/yyyy")
    assert cell.fill.start_color.rgb == "FFFFC9C4"


def test_a_cell_of_several_lines_stays_within_its_own_line(tmp_path: Path) -> None:
    """The cell wraps in a row of limited height, so it does not run over the next row."""
    sheet = opened(tmp_path, with_cells("one", "one\ntwo", "=one\n" + "more\n" * 40))["Report"]
    assert [sheet.cell(2, column).alignment.wrap_text for column in (1, 2, 3)] == [None, True, True]
    assert sheet.cell(2, 3).quotePrefix
    assert sheet.row_dimensions[2].height == 60


def test_created_now_is_told_apart_from_created_before(tmp_path: Path) -> None:
    """Words and colours differ, and an edited row says that its case was left unchanged."""
    sheet = opened(tmp_path, content(every_state()))["Report"]
    messages = [str(own_columns(sheet, line)["message"]) for line in (2, 3, 4)]
    assert messages[0] == "Created in this run."
    assert messages[1] == "Created before, in run 1.\nEdited after its case was created; the case was not changed."
    assert messages[2] == "Created before, in run 1."
    assert [own_columns(sheet, line)["status"] for line in (2, 3, 4)] == ["created", "changed", "created"]
    assert len({cell_of(sheet, line, "status").fill.start_color.rgb for line in (2, 3, 4)}) == 3


def test_r14_a_skipped_row_is_hidden_and_so_stays_left_out(tmp_path: Path) -> None:
    """A row hidden in the source is hidden in the report, which may be the next source."""
    sheet = opened(tmp_path, content(every_state()))["Report"]
    assert [line for line in range(2, 13) if sheet.row_dimensions[line].hidden] == [12]


def test_a_message_that_only_repeats_the_issues_is_told_once(tmp_path: Path) -> None:
    """The issues are listed one by one, with column and remedy, and nothing repeats them."""
    bad = issue(2)
    sheet = opened(tmp_path, content([row(2, Status.INVALID, issues=(bad,), message=bad.message)]))["Report"]
    assert str(own_columns(sheet, 2)["message"]) == f"Estado: {bad.message} {bad.remedy}"


def test_every_issue_has_its_line_and_leads_to_its_cell(tmp_path: Path) -> None:
    """Each line has row, column, value, reason, remedy and code; an issue of the whole row links to its message."""
    sheet = opened(tmp_path, content(every_state()))["Issues"]
    lines = [[cell.value for cell in line] for line in sheet.iter_rows(min_row=2)]
    assert [(line[0], line[1], line[5]) for line in lines] == [
        (5, "Estado", "not-allowed"),
        (6, "Estado", "not-allowed"),
        (6, "Asunto", "missing"),
        (6, None, "too-long"),
    ]
    assert lines[0][2] == "En curso"
    places = [sheet.cell(line, 1).hyperlink.location for line in range(2, 6)]
    assert places == ["'Report'!H5", "'Report'!H6", "'Report'!F6", "'Report'!E6"]


def test_doubtful_rows_can_be_decided(tmp_path: Path) -> None:
    """Each doubtful row has its reference, what was sent and when, and an empty verdict with choices."""
    sheet = opened(tmp_path, content(every_state()))["To decide"]
    lines = [{str(sheet.cell(1, at).value): sheet.cell(line, at).value for at in range(1, 10)} for line in (2, 3)]
    assert [(line["row"], line["status"], line["reference"]) for line in lines] == [
        (8, "unknown", reference(8)),
        (9, "conflict", reference(9)),
    ]
    assert lines[0]["sent_at"] == datetime.fromisoformat("2026-11-23 09:30:05")
    assert "Ticket: 00008\nAsunto: No llega la factura" in str(lines[0]["sent"])
    assert lines[0]["verdict"] is None
    choice = sheet.data_validations.dataValidation[0]
    assert (choice.formula1, str(choice.sqref)) == ('"created,not created"', "G2:G3")
    assert sheet["A2"].hyperlink.location == "'Report'!A8"


def test_an_id_leads_to_its_case_where_the_address_is_known(tmp_path: Path) -> None:
    """The id is part of the address, escaped as an address needs it."""
    rows = [row(2, wolkvox_id="64 cb/1")]
    sheet = opened(tmp_path, replace(content(rows), case_url="https://crm.example/c/{wolkvox_id}?v=1"))["Report"]
    assert cell_of(sheet, 2, "wolkvox_id").hyperlink.target == "https://crm.example/c/64%20cb%2F1?v=1"


def test_the_sheets_are_ready_to_read_and_to_print(tmp_path: Path) -> None:
    """Header, key, state and ids stay in sight, also on paper; everything has a filter, and pages are A4 landscape."""
    sheet = opened(tmp_path, content(every_state()))["Report"]
    assert (sheet.freeze_panes, sheet.print_title_cols) == ("E2", "$A:$D")
    assert sheet.auto_filter.ref == "A1:M12"
    assert (sheet.page_setup.orientation, str(sheet.page_setup.paperSize)) == ("landscape", "9")
    assert sheet.print_title_rows == "$1:$1"
    assert sheet.row_dimensions[6].height > 45
    assert all(8 <= sheet.column_dimensions[letter].width <= 62 for letter in "ABCDEFGHIJ")


def test_the_summary_says_what_was_imported_and_what_to_do_next(tmp_path: Path) -> None:
    """Summary says how it went, with a chart and links; Details has file and hash, mapping, server, user and times."""
    what = content(every_state(), notes=("Two hidden columns were read.",))
    workbook = opened(tmp_path, what)
    sheet, details = workbook["Summary"], workbook["Details"]
    texts = [str(cell.value) for line in sheet for cell in line if cell.value is not None]
    for sentence in (
        "Import legacy-tickets",
        "3 of 10 tickets are in the CRM. 3 more may be there: that is not known yet. 1 row was left out on purpose.",
        what.summary.next_step,
        "Two hidden columns were read.",
    ):
        assert sentence in texts
    facts = [str(cell.value) for line in details for cell in line if cell.value is not None]
    assert what.summary.source_digest not in texts
    for fact in (
        "legacy_tickets.xlsx",
        what.summary.source_digest,
        "https://crm0001.wolkvox.com",
        "my_operation",
        "ana",
        "2026-11-23 09:30:00 -0500",
    ):
        assert fact in facts
    assert len(sheet._charts) == 1
    assert [link.location for link in links(sheet)] == ["'Report'!A1", "'Issues'!A1", "'To decide'!A1", "'Details'!A1"]


STATES = st.lists(st.tuples(st.sampled_from(list(Status)), st.booleans(), st.integers(0, 2)), max_size=12)


@settings(max_examples=15, deadline=None)
@given(STATES)
def test_every_output_shows_the_same_numbers(tmp_path_factory: pytest.TempPathFactory, states: list) -> None:
    """Summary, Report, Issues, CSV and page agree with the counts, whatever happened to the rows."""
    folder = tmp_path_factory.mktemp("numbers")
    rows = [
        row(
            number,
            status,
            run=(3 if now else 1) if status is Status.CREATED else None,
            changed=status is Status.CREATED and not now,
            issues=(issue(number),) * wrong if status is Status.INVALID else (),
        )
        for number, (status, now, wrong) in enumerate(states, 2)
    ]
    what = content(rows)
    counts, now = what.summary.counts, what.summary.counts.created_now
    expected = {
        "created in this run": now,
        "created before": counts.created - now - counts.changed,
        "changed": counts.changed,
        **{status.value: getattr(counts, status.value) for status in Status if status is not Status.CREATED},
    }
    workbook = opened(folder, what)
    tallies = {line[0].value: line[1].value for line in workbook["Summary"] if isinstance(line[1].value, int)}
    assert {name: tallies[name] for name in expected} == expected
    assert tallies["all rows"] == len(rows)
    assert workbook["Issues"].max_row - 1 == sum(len(each.issues) for each in rows)
    table = pd.read_csv(report.write(folder / "t.report.csv", what, always).path, dtype=str)
    sheet = pd.read_excel(folder / "tickets.report.xlsx", sheet_name="Report", dtype=object, engine="calamine")
    states = {status.value: getattr(counts, status.value) for status in Status} | {"changed": counts.changed}
    states["created"] -= counts.changed
    for shown in (table, sheet):
        assert shown["status"].value_counts().to_dict() == {state: count for state, count in states.items() if count}
        assert shown["message"].fillna("").str.contains("Created in this run").sum() == now
    page = report.write(folder / "t.report.html", what, always).path.read_text("utf-8")
    numbers = re.findall(r'class="state"[^>]*>([^<]+)</span></th>\s*<td class="number">(\d+)<', page)
    assert {name: int(number) for name, number in numbers} == expected


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=6))
def test_p3_any_text_gives_a_workbook_that_opens(tmp_path_factory: pytest.TempPathFactory, texts: list[str]) -> None:
    """Whatever the cells contain, the sheet opens and shows the text as text."""
    path = written(tmp_path_factory.mktemp("text"), with_cells(*texts))
    line = load_workbook(path)["Report"][2]
    for cell, text in zip(line, texts, strict=False):
        assert cell.data_type == "s"
        assert len(cell.value) == len(text.replace("\r\n", "\n"))


def test_times_are_told_in_one_zone(tmp_path: Path) -> None:
    """`sent_at` is in the time zone that Summary uses for the run."""
    sheet = opened(tmp_path, content([row(2, sent_at=datetime(2026, 1, 1, 2, tzinfo=BOGOTA))]))["Report"]
    assert cell_of(sheet, 2, "sent_at").value == datetime.fromisoformat("2026-01-01 02:00:00")
    assert cell_of(sheet, 2, "sent_at").number_format == "yyyy-mm-dd hh:mm:ss"


def test_a_report_without_rows_opens(tmp_path: Path) -> None:
    """A report without rows is a sheet with only headers."""
    sheet = opened(tmp_path, content([]))["Report"]
    assert sheet.max_row == 1


def test_rows_are_asked_for_again_and_never_kept(tmp_path: Path) -> None:
    """Rows that exist only during iteration give a complete report."""

    class SinglePassRows:
        def __iter__(self):  # noqa: ANN204
            return (row(number, cells=cells(number)) for number in range(2, 302))

    base = content([row(number) for number in range(2, 302)])
    sheet = opened(tmp_path, replace(base, rows=SinglePassRows()))["Report"]
    assert sheet.max_row == 301
