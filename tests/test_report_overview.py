"""The first sheet and the head of the page: what arrived in the CRM, what did not and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from report_support import COLUMNS, always, content, row
from run_support import Give, Office, Result, ticket

from importer import Job, check, load_job, report
from importer.model import Counts, Status, Summary, TableOptions
from importer.model.account import Account, Breakdown, FileCount, Kind, Reason, Tally
from importer.report import overview, page
from importer.report.columns import OWN_COLUMNS, ColumnLayout, own_columns
from importer.source import open_table
from importer.workflow.commands import Commands
from importer.workflow.outcome import accounting

OLD = ("row", "status", "wolkvox_id", "idPrefijo", "message", "sent_at", "run", "reference")
MARKED = tuple(f"{name} (wolkvox)" for name in OLD)

FOUND: dict[str, tuple[Sequence[str], Mapping[str, str]]] = {
    "at the end, as before": (("A", *OLD), {name: name for name in OLD}),
    "at the end behind equal names, as before": (
        ("status", "row", "status (3)", "row (2)", "status (2)", *OLD[2:]),
        {"row": "row (2)", "status": "status (2)"},
    ),
    "in pieces": (("A", *OLD[1:5], "B", "row", *OLD[5:]), {name: name for name in OLD}),
    "moved": ((*OLD[::-1], "B"), {name: name for name in OLD}),
    "beside the source's own": (
        ("Status", *MARKED[1:5], "row", "status", "message", "row (wolkvox)", *OLD[5:]),
        {"status": "status (wolkvox)", "row": "row (wolkvox)", "message": "message (wolkvox)", "run": "run"},
    ),
    "beside those of an earlier report": (
        ("status (wolkvox)", "status (wolkvox 2)", "row", *OLD[2:]),
        {"status": "status (wolkvox 2)"},
    ),
    "a sheet with some such names": (("row", "status", "estado", "message", "run", "reference"), {}),
}


@pytest.mark.parametrize(("headers", "expected"), FOUND.values(), ids=FOUND)
def test_our_columns_are_found_wherever_they_are(headers: Sequence[str], expected: Mapping[str, str]) -> None:
    """All of our columns make a sheet a report; a name of the source's own is never taken for ours."""
    found = own_columns(headers)
    assert bool(found) == bool(expected)
    assert {name: found[name] for name in expected} == expected


@pytest.mark.parametrize(
    "columns",
    [("Ticket", "status", "Row"), ("status", "MESSAGE", "reference (wolkvox)", "reference"), OWN_COLUMNS[:7], ("x",)],
)
def test_our_headers_collide_with_none_of_the_source(columns: tuple[str, ...]) -> None:
    """Each header is there once, also for programs that ignore case, and ours are recognised again."""
    headers = ColumnLayout.of(content([], columns)).headers
    assert len({header.casefold() for header in headers}) == len(headers) == len(columns) + len(OWN_COLUMNS)
    assert set(headers) - set(own_columns(headers).values()) == set(columns)


@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_a_report_of_a_source_with_our_names_is_given_back(give: Give, office: Office, ending: str) -> None:
    """A source's own `status`, `row` and `message` stay its own, and the corrected report goes on."""
    header = ("Folio", "Correo", "status", "row", "message")
    office.mapping.write_text(OWN_NAMES, "utf-8")
    first, second = ("1", "a@x.example", "skipped", "77", "hola"), ("2", "nadie", "part", "78", "created")
    office.write([dict(zip(header, cells, strict=True)) for cells in (first, second)], header)
    path = office.folder / f"tickets.report.{ending}"
    result = give(office.arguments("run", "--yes", "--json", "--report", str(path)))
    assert (result.status, office.sandbox.posts) == (1, 1)
    correct(path, "nadie", "b@x.example")
    words = [str(path) if word == str(office.source) else word for word in office.arguments("run", "--yes", "--json")]
    back = give(words)
    assert (back.status, office.sandbox.posts, back.json["counts"]["created"]) == (0, 2, 2), back
    assert [case.body["description"].partition("\n")[2] for case in office.sandbox.store.cases] == ["hola", "created"]


OWN_NAMES = """\
version: 1
import: own-names
source: {key: Folio}
fields:
  case-type: Complaints
  responsible: ADMIN_@demo
  owner: ADMIN_@demo
  contact: {column: Correo, type: email}
  description: {column: message}
  status: Abierto
  priority: Media
reference: description
"""


def correct(path: Path, old: str, new: str) -> None:
    """Replace a text in a report."""
    if path.suffix == ".csv":
        path.write_bytes(path.read_bytes().replace(old.encode(), new.encode()))
        return
    book = openpyxl.load_workbook(path)
    for cell in (cell for line in book["Report"] for cell in line if cell.value == old):
        cell.value = new
    book.save(path)


# ------------------------------------------------------------------------------------------------ sentences

SENTENCES = [
    (Counts(created=3), "3 of 3 tickets are in the CRM."),
    (Counts(created=1, invalid=1, skipped=1), "1 of 2 tickets are in the CRM. 1 row was left out on purpose."),
    (Counts(created=2, part=5, planned=1), "2 of 3 tickets, made of 8 lines, are in the CRM."),
    (Counts(unknown=1, created=1200), "1,200 of 1,201 tickets are in the CRM. 1 more may be there"),
    (Counts(skipped=2), "There are no tickets to import."),
]


@pytest.mark.parametrize(("counts", "sentence"), SENTENCES)
def test_one_sentence_says_how_it_went(counts: Counts, sentence: str) -> None:
    """A person who knows no states learns how many tickets arrived; groups have their own sentence."""
    assert sentence in overview.how_it_went(content([], counts=counts).summary)


ACCOUNT = Account(
    reasons=(
        Reason("invalid", 2, "a.txt is empty", "2-3", "fill it in"),
        Reason("planned", 1, "Not sent yet", "4", "run it"),
    ),
    breakdowns=(Breakdown("type", (Tally("Queja", 3, 1), Tally("", 1, 0), Tally(None, 2, 2))),),
    files=FileCount(sent=4, waiting=2, missing=1),
)


def test_summary_and_page_show_the_same_account(tmp_path: Path) -> None:
    """Both say why tickets did not arrive, by type with a total that adds up, and how many attachments of how many."""
    what = content([row(2)], account=ACCOUNT)
    path = report.write(tmp_path / "t.report.xlsx", what, always).path
    sheet = openpyxl.load_workbook(path)["Summary"]
    lines = [[cell.value for cell in line[:4]] for line in sheet]
    for line in (
        ["Queja", 3, 1, 2],
        ["(none)", 1, 0, 1],
        ["others", 2, 2, 0],
        ["all tickets", 6, 3, 3],
        ["invalid", 2, "a.txt is empty.", None],
        ["all that did not arrive", 3, None, None],
    ):
        assert line in lines
    html = report.write(tmp_path / "t.report.html", what, always).path.read_text("utf-8")
    for text in ("a.txt is empty.", "all tickets", "all that did not arrive"):
        assert text in html
    sentence = "Attachments: 4 of 7 sent. 2 wait for their tickets to be sent. 1 is missing or cannot be sent."
    assert sentence in html
    assert [sentence, None, None, None] in lines


MONTHS = tuple(Tally(f"{year}-{month:02}", 2, 1) for year in range(2017, 2027) for month in (3, 11))


@pytest.mark.parametrize(
    ("kind", "tallies", "most", "title", "names"),
    [
        ("month", MONTHS[-4:], 8, "By month of the ticket", ["2025-03", "2025-11", "2026-03", "2026-11"]),
        ("month", MONTHS[-9:], 8, "By year of the ticket", ["2022", "2023", "2024", "2025", "2026"]),
        ("sent", (*MONTHS[-8:], Tally("", 3, 0)), 8, "By year of sending",
         ["2023", "2024", "2025", "2026", "(not sent yet)"]),
        ("month", (*MONTHS[-8:], Tally(None, 3, 0)), 8, "By year of the ticket",
         ["2023", "2024", "2025", "2026", "others"]),
        ("month", MONTHS, None, "By month of the ticket", [one.name for one in MONTHS]),
        ("type", MONTHS, 8, "By case type in the sheet", [one.name for one in MONTHS]),
    ],
)  # fmt: skip
def test_more_months_than_there_is_room_for_are_years(
    kind: Kind, tallies: tuple[Tally, ...], most: int | None, title: str, names: list[str]
) -> None:
    """Nothing of a long time is called `others`, and the numbers stay what they are together."""
    summary = content([], account=Account(breakdowns=(Breakdown(kind, tallies),))).summary
    [table] = overview.tables(summary, most)
    assert (table.title, [line.name for line in table.lines]) == (title, names)
    assert table.total.tickets == sum(tally.tickets for tally in tallies)


# ------------------------------------------------------------------------------------------------ the page


def test_the_page_lists_the_cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each case has its row, key, state, id as a link, and reason; a long list says what it leaves out."""
    monkeypatch.setattr(page, "CASES_SHOWN", 2)
    rows = [row(2, lines=3), row(3, Status.PART), row(4, Status.SKIPPED), row(5, changed=True, run=1), row(6)]
    what = content(rows)
    what = type(what)(what.summary, COLUMNS, rows, "https://crm.example/{wolkvox_id}", ("Ticket",))
    html = report.write(tmp_path / "t.report.html", what, always).path.read_text("utf-8")
    cases = html[html.index("The cases") :]
    assert 'href="https://crm.example/64cb00000000000000000002"' in cases
    assert "One ticket, made of 3 lines." in cases
    assert ">changed</span>" in cases
    assert "00006" not in cases
    assert "1 more case is in the workbook" in cases


# ------------------------------------------------------------------------------------------------ a whole run

MAPPING = """\
version: 1
import: account
source: {key: Folio, group: [Folio]}
fields:
  case-type: {column: Tipo, values: {P: Request, Q: Complaints}}
  responsible: ADMIN_@demo
  owner: ADMIN_@demo
  contact: {column: Correo, type: email}
  description: {column: Nota, join: "\\n"}
  status: Abierto
  priority: Media
form:
  Fecha: {column: Fecha, type: date, format: "DD-MM-YYYY"}
attachments: {folder: files, columns: Adjunto, separator: ";"}
reference: description
"""
HEADER = ("Folio", "Tipo", "Correo", "Nota", "Fecha", "Adjunto")
LINES = [
    ("1", "P", "a@x.example", "uno", "20/10/2026", "a.txt"),
    ("1", "P", "a@x.example", "dos", "21/10/2026", ""),
    ("2", "Q", "nadie", "tres", "02/11/2026", "a.txt"),
    ("3", "Q", "c@x.example", "cuatro", "30/11/2026", "b.txt; a.txt"),
    ("4", "Q", "d@x.example", "cinco", "30/11/2026", ""),
]


@pytest.fixture
def accounted(give: Give, office: Office) -> Result:
    """Run a sheet of four tickets, of which two arrive."""
    office.mapping.write_text(MAPPING, "utf-8")
    (office.folder / "files").mkdir()
    (office.folder / "files" / "a.txt").write_text("a", "utf-8")
    office.write([dict(zip(HEADER, cells, strict=True)) for cells in LINES], HEADER)
    return give(office.arguments("run", "--yes", "--json"))


def tallies(office: Office) -> dict[str, list[Any]]:
    """Return the lines of Summary by their first cell, of equal ones the last."""
    sheet = openpyxl.load_workbook(office.report)["Summary"]
    return {str(line[0].value): [cell.value for cell in line[1:4]] for line in sheet if line[0].value}


def test_a_run_accounts_for_every_ticket(accounted: Result, office: Office) -> None:
    """Tickets are counted by type and by their own month, files one by one, and each ticket has one reason."""
    lines = tallies(office)
    assert accounted.status == 1, accounted
    assert (lines["Request"], lines["Complaints"]) == ([1, 1, 0], [3, 1, 2])
    assert (lines["2026-10"], lines["2026-11"]) == ([1, 1, 0], [3, 1, 2])
    assert lines["all tickets"] == [4, 2, 2]
    assert lines["all that did not arrive"][0] == 2
    assert "2 of 4 tickets, made of 5 lines, are in the CRM." in lines
    wanted = "Attachments: 1 of 4 sent. 2 wait for their tickets to be sent. 1 is missing or cannot be sent."
    assert wanted in lines


def test_changed_is_a_state_that_can_be_selected(give: Give, office: Office, accounted: Result) -> None:
    """A created row that was edited is `changed` in the sheet, for `--only`, and in a report that is given back."""
    assert accounted.status == 1
    edited = [*LINES[:4], ("4", "Q", "d@x.example", "otra", "30/11/2026", "")]
    office.write([dict(zip(HEADER, cells, strict=True)) for cells in edited], HEADER)
    give(office.arguments("run", "--yes", "--json"))
    assert list(office.reported()["status"]) == ["created", "part", "invalid", "invalid", "changed"]
    assert tallies(office)["changed"][0] == 1
    only = give(office.arguments("run", "--yes", "--json", "--only", "changed"))
    assert (only.json["rows"], only.json["counts"]["changed"]) == (1, 1)


@pytest.mark.parametrize(("beside", "chosen"), [((), "Details"), (("Summary", "Issues"), "Report")])
def test_a_persons_own_sheet_details_is_no_part_of_a_report(tmp_path: Path, beside: Sequence[str], chosen: str) -> None:
    """A sheet `Details` is ours only beside the other sheets of a whole report, and the source where it is not."""
    path = tmp_path / "t.xlsx"
    book = openpyxl.Workbook()
    book.active.title = "Details"  # type: ignore[union-attr]
    for title in ("Report", *beside):
        book.create_sheet(title)
    book["Details"].append(["Ticket"])
    book["Report"].append(["Ticket", *OLD])
    book.save(path)
    assert open_table(path, TableOptions()).sheet == chosen


@pytest.mark.parametrize(
    ("form", "written", "month"),
    [
        ("YYYY-MM-DD", "2026-03-31", "2026-03"),
        ("DD/MM/YYYY HH:mm:ss", "31/03/2026 23:59:00", "2026-03"),
        ("YYYYMMDD", "20260331", "2026-03"),
        ("YYYY-MM-DDTHH:mm", "2026-03-31T10:00", "2026-03"),
        ("YYYY-MM-DD", "", ""),
    ],
)
def test_the_month_is_read_as_the_mapping_writes_dates(form: str, written: str, month: str) -> None:
    """The month is taken from a date in the format of its field; a text that is no such date has none."""
    read = accounting.month_reader(form)
    assert read is not None
    assert read(written) == month


def test_rows_that_are_left_out_are_named(office: Office) -> None:
    """Each with its row, its key and why, the total of the table told from others; more than a few are counted."""
    office.write([ticket(1), ticket("R-9", Detalle="-"), *([ticket("TOTAL")] * 2)])
    text = office.mapping.read_text("utf-8")
    office.mapping.write_text(text.replace("source:", "source:\n  skip_if: {Ticket: [TOTAL, R-9]}", 1), "utf-8")
    job = Job(office.source, office.mapping)
    account = accounting.account_of(plan := check(load_job(job)), Commands.of(job))
    told = "Left out: row 3 (R-9): skip_if: Ticket is 'R-9'; row 4: line with a total; row 5: line with a total."
    assert account.left_out.told() == told
    assert overview.how_it_went(summary_with(plan.counts(), account)).endswith(told)
    assert replace(account.left_out, count=30).told().endswith("total; 27 more rows.")


def summary_with(counts: Counts, account: Account) -> Summary:
    """Return a summary with these numbers."""
    return replace(content([], ("Ticket",)).summary, counts=counts, account=account)
