"""`verify`: created cases beside the sheet, what that costs, and the hand-over workbook that proves it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from contacts_support import COLUMNS, CREATING, desk_at, person
from hypothesis import given, settings
from hypothesis import strategies as st
from kept import Kept, keeping
from promise_support import know_the_search
from run_support import HEADER, MAPPING, Give, Office, ticket

from importer import (
    Connection,
    Job,
    SourceError,
    UsageError,
    VerifyChoice,
    VerifyEvents,
    check,
    load_job,
    look_at_source,
    verify,
)
from importer.crm import Crm, Quota, attachments_shown, shown_form, shown_texts
from importer.model.account import Counts
from importer.report.hand_over_sheet import adds_up, rows_block, table_block
from importer.report.overview import TicketLine, TicketTable
from importer.sandbox import RunningSandbox, SandboxConfig
from importer.sandbox.config import Search
from importer.workflow.planning.plan import Plan
from importer.workflow.verifying.comparing import CaseComparer
from importer.workflow.verifying.selecting import spread

SHARED = "ana@example.com"


def words(office: Office, *more: str) -> list[str]:
    """Return the words of `verify` on this office's files."""
    return [*office.arguments("verify", "--journal", str(office.journal)), "--yes", *more]


def write(office: Office, rows: int, shared: int = 0) -> None:
    """Write so many rows; the first `shared` are of one contact."""
    office.write(ticket(n, **({"Correo": SHARED} if n <= shared else {})) for n in range(1, rows + 1))


def run(office: Office, give: Give, rows: int = 5, *, shared: int = 0) -> None:
    """Create a case for each of so many rows; the first `shared` are of one contact."""
    write(office, rows, shared)
    assert give(office.arguments("run", "--yes", "--concurrency", "1")).status == 0


Sent = Callable[[int], Office]
"""Gives an office whose cases are created; its sheet has that many of their rows."""


@pytest.fixture(scope="module")
def five_cases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept[None]]:
    """Create a case for each of five rows."""
    with keeping(tmp_path_factory.mktemp("five"), run) as kept:
        yield kept


@pytest.fixture
def sent(five_cases: Kept[None]) -> Sent:
    """Give the office with five cases, each of a contact of its own."""

    def office_with(rows: int) -> Office:
        office = five_cases.again()
        write(office, rows)
        return office

    return office_with


@pytest.fixture(scope="module")
def of_one_contact(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept[None]]:
    """Create a case for each of five rows, three of them of one contact."""
    with keeping(tmp_path_factory.mktemp("shared"), partial(run, shared=3)) as kept:
        yield kept


def rewrite(office: Office, number: int, changed: Mapping[str, object]) -> None:
    """Change what the CRM has of a case, as people there do."""
    office.sandbox.store.update(number, lambda body: {**body, **changed}, changed, [], replaces_files=False)


def remove(office: Office, number: int) -> None:
    """Let a person delete a case in the CRM."""
    office.sandbox.store.delete(number)


def states(office: Office) -> list[tuple[str, str]]:
    """Return what the journal has of each row."""
    with closing(sqlite3.connect(office.journal)) as database:
        return database.execute("SELECT state, wolkvox_id FROM rows ORDER BY id").fetchall()


def hand_over(office: Office) -> Any:  # noqa: ANN401 - openpyxl's
    """Open the workbook."""
    return openpyxl.load_workbook(office.folder / "tickets.hand-over.xlsx")


def texts(sheet: Any) -> list[list[Any]]:  # noqa: ANN401 - openpyxl's
    """Return the cells of a sheet that have a value, line by line."""
    return [[cell for cell in line if cell is not None] for line in sheet.iter_rows(values_only=True)]


# ------------------------------------------------------------------------------------------------ the command


def test_c50_cases_that_are_as_in_the_sheet(of_one_contact: Kept[None], give: Give) -> None:
    """Exit status 0; one call for the rows of one contact, one for each other; the price is what is spent."""
    office = of_one_contact.again()
    before, spent = states(office), office.sandbox.calls("query")
    result = give(words(office, "--all", "--json"))
    assert (result.status, result.json["results"]) == (0, {"equal": 5, "not-asked": 0})
    assert "3 calls, and 1 that asked for the quota" in result.err
    assert (office.sandbox.calls("query") - spent, result.json["calls"]) == (3, 4)
    assert result.json["not_shown"] == {}
    assert states(office) == before
    again = give(words(office, "--all", "--json"))
    assert (again.json["calls"], again.json["remembered"], again.status) == (0, 5, 0)
    assert give(words(office, "--all", "--again", "--json")).json["calls"] == 4


def test_c50_the_fields_of_the_contact_are_no_part_of_the_case(office: Office, give: Give) -> None:
    """A mapping that creates contacts is verified like any other."""
    office.mapping.write_text(CREATING, "utf-8")
    office.write([person(1), person(2)], COLUMNS)
    assert give(office.arguments("run", "--yes", "--concurrency", "1")).status == 0
    result = give(words(office, "--all", "--json"))
    assert (result.status, result.json["results"]) == (0, {"equal": 2, "not-asked": 0})


def test_c51_what_differs_is_named_and_what_is_not_shown_is_not_called_deleted(sent: Sent, give: Give) -> None:
    """Row, column, what the sheet says, what the CRM shows; a formula in a value stays text; exit status 1."""
    office = sent(5)
    rewrite(office, 2, {"status": "Cerrado"})
    rewrite(office, 3, {"form": {"Subject": "=1+1"}, "status": "@ANA"})
    rewrite(office, 4, {"description": "nada de eso"})
    remove(office, 5)
    result = give(words(office, "--all"))
    assert result.status == 1
    assert "Row 3, Estado: the sheet says 'Abierto', the CRM shows 'Cerrado'." in result.out
    assert "Row 4, Asunto" in result.out
    assert "Row 5, Detalle" in result.out
    assert "Row 6: The CRM answered that it has no case with this id. It may be gone" in result.out
    assert "--deleted" in result.out
    workbook = hand_over(office)
    assert workbook.sheetnames == ["Hand-over", "Cases", "Exceptions", "Differences"]
    lines = texts(workbook["Differences"])[1:]
    assert [line[3] for line in lines] == ["Estado", "Estado", "Asunto", "Detalle"]
    formulas = [
        cell for sheet in workbook for line in sheet.iter_rows() for cell in line if cell.value in {"=1+1", "@ANA"}
    ]
    assert (len(formulas), all(cell.quotePrefix for cell in formulas)) == (4, True)
    assert (
        workbook.worksheets[0]["A2"].value
        == "5 rows in the source = 5 created cases + 0 rows that are listed as exceptions."
    )
    assert next(cell for cell in workbook["Differences"]["G"] if cell.value == "=1+1").data_type == "s"
    assert [line[5] for line in texts(workbook["Cases"])[1:]] == ["as in the sheet", *["differs"] * 3, "not shown"]


def test_c51_a_sheet_that_was_edited_since_is_said_to_be(sent: Sent, give: Give) -> None:
    """The difference is one, and the sheet is where it comes from; the others are compared all the same."""
    office = sent(2)
    office.write([ticket(1, Asunto="Otro"), ticket(2)])
    result = give(words(office))
    assert (result.status, "edited since" in result.out) == (1, True)
    assert texts(hand_over(office)["Differences"])[1][-1] == "The sheet was edited here since."


def test_c52_the_shape_that_public_code_has_seen(tmp_path: Path, give: Give) -> None:
    """Objects with names, `description_case`, the contact's address: all of it is compared, and nothing is missing."""
    with RunningSandbox(SandboxConfig(search=Search(record="nested"))) as sandbox:
        office = Office(tmp_path, sandbox)
        run(office, give, 2, shared=2)
        rewrite(office, 2, {"priority": "Baja"})
        result = give(words(office, "--all", "--json"))
    assert [(each["row"], each["crm"]) for each in result.json["differences"]] == [(3, "Baja")]
    assert result.json["not_shown"] == {}


def test_an_empty_list_says_so_and_each_case_has_its_reference(sent: Sent, give: Give) -> None:
    """No list looks forgotten, and a case that was not asked for can be found by its reference."""
    office = sent(3)
    assert give(words(office, "--sample", "1")).status == 0
    workbook = hand_over(office)
    assert texts(workbook["Exceptions"])[1:] == [["None: every row of the sheet is a case."]]
    assert texts(workbook["Differences"])[1:] == [["No difference was found."]]
    assert [line[-1][:4] for line in texts(workbook["Cases"])[1:]] == ["WCI-"] * 3


def test_c52_a_contact_of_its_own_is_no_part_of_a_case(tmp_path: Path, give: Give) -> None:
    """What the mapping says of the contact itself is not looked for in the record of the case."""
    with desk_at(tmp_path, give) as desk:
        desk.write([person(1), person(2)])
        assert desk.run().status == 0
        result = give(words(desk.office, "--all", "--json"))
    assert (result.status, result.json["results"]["equal"], result.json["not_shown"]) == (0, 2, {})


def test_c53_a_page_that_does_not_show_every_row_is_asked_further(tmp_path: Path, give: Give) -> None:
    """What a shared answer leaves out is asked for alone, within the price that was said."""
    with RunningSandbox(SandboxConfig(search=Search(page_size=1))) as sandbox:
        office = Office(tmp_path, sandbox)
        run(office, give, 3, shared=3)
        result = give(words(office, "--all", "--json"))
    assert "up to 3 more" in result.err
    assert (result.status, result.json["calls"], result.json["results"]["equal"]) == (0, 4, 3)


@pytest.mark.parametrize(("told", "calls"), [(None, 1), (True, 3)])
def test_c53_the_doctors_largest_answer_is_a_limit_only_if_it_told_of_more(
    of_one_contact: Kept[None],
    give: Give,
    told: bool | None,  # noqa: FBT001
    calls: int,
) -> None:
    """A doctor who has only seen answers with one case does not keep rows from sharing a search."""
    office = of_one_contact.again()
    write(office, 3, 3)
    know_the_search(office, page_size=1, page_says_more=told)
    asked = office.sandbox.calls("query")
    assert give(words(office, "--all")).status == 0
    assert office.sandbox.calls("query") - asked == calls


def test_c54_the_quota_is_respected_and_another_day_goes_on(tmp_path: Path, give: Give) -> None:
    """What is left waits: exit status 3; what was equal is not asked for again."""
    with RunningSandbox(SandboxConfig(daily_quota=12)) as sandbox:
        office = Office(tmp_path, sandbox)
        office.write(ticket(n) for n in range(1, 6))
        assert give(office.arguments("run", "--yes", "--spot-check", "0")).status == 0
        first = give(words(office, "--all", "--keep-quota", "2", "--json"))
        assert (first.status, first.json["results"]) == (3, {"equal": 3, "not-asked": 2})
        assert "2 cases were not asked for: the calls of today are used up" in first.json["reason"]
        sandbox.new_day()
        second = give(words(office, "--all", "--json"))
        assert (second.status, second.json["results"], second.json["calls"]) == (0, {"equal": 5, "not-asked": 0}, 3)


@pytest.mark.parametrize("differ", [False, True])
def test_c54_every_case_is_reached_whatever_was_asked_first(
    sent: Sent, give: Give, monkeypatch: pytest.MonkeyPatch, *, differ: bool
) -> None:
    """`--again` begins anew once, and goes on without; what differs keeps no quota from what was never asked for."""
    office = sent(5)
    if differ:
        for number in (1, 2):
            rewrite(office, number, {"status": "Cerrado"})
    else:
        assert give(words(office, "--all")).status == 0
    monkeypatch.setattr(Crm, "token_information", lambda _crm: Quota(left=2))
    real, asked = Crm.query_cases, set()

    def asking(crm: Crm, field: str, value: str) -> object:
        asked.add(value)
        return real(crm, field, value)

    monkeypatch.setattr(Crm, "query_cases", asking)
    first = give(words(office, "--all", *([] if differ else ["--again"])))
    assert first.status == 3
    (command,) = [line for line in first.out.splitlines() if line.startswith("Next: ")][-1:]
    assert ("--all" in command, "--again" in command) == (True, False) or differ
    for _day in (2, 3):
        last = give(words(office, "--all", "--json"))
    assert (len(asked), last.status) == (5, 3 if differ else 0)
    if not differ:
        assert (last.json["remembered"], last.json["results"]["equal"]) == (4, 5)


def test_c54_what_is_asked_again_counts(sent: Sent, give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    """A question without an answer is repeated, within the calls that are left."""
    office = sent(3)
    monkeypatch.setattr("importer.workflow.verifying.asking.backoff", lambda _times: 0.0)
    monkeypatch.setattr(Crm, "token_information", lambda _crm: Quota(left=3))
    office.sandbox.inject("server-error:nth=1,call=query")
    result = give(words(office, "--concurrency", "1", "--json"))
    assert (result.status, result.json["results"], result.json["calls"]) == (3, {"equal": 2, "not-asked": 1}, 3)


def test_c55_ctrl_c_keeps_what_was_verified(sent: Sent, give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workbook says what was not asked; the same command asks for it."""
    office = sent(4)
    real, asked = Crm.query_cases, []

    def interrupted(crm: Crm, field: str, value: str) -> object:
        asked.append(value)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return real(crm, field, value)

    monkeypatch.setattr(Crm, "query_cases", interrupted)
    result = give(words(office, "--all", "--concurrency", "1", "--json"))
    assert (result.status, result.json["reason"]) == (3, "Stopped with Ctrl-C.")
    assert result.json["results"]["equal"] in {2, 3}  # the last may have begun already
    assert sum(cell == "not asked" for line in texts(hand_over(office)["Cases"]) for cell in line) in {1, 2}


def test_c55_a_computer_that_fails_costs_no_days_quota(sent: Sent, give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was answered is recorded while it goes on, and is not asked for again."""
    office = sent(4)
    asked = 0

    def failing(crm: Crm, field: str, value: str) -> object:
        nonlocal asked
        asked += 1
        if asked == 3:
            raise RuntimeError
        return real(crm, field, value)

    real = Crm.query_cases
    with monkeypatch.context() as patched:
        patched.setattr(Crm, "query_cases", failing)
        patched.setattr("importer.workflow.verifying.asking.AT_ONCE", 1)
        assert give(words(office, "--all")).status == 70
    assert give(words(office, "--all", "--json")).json["remembered"] == 2


def test_c56_a_second_case_of_a_row_is_a_difference_and_its_id_is_kept(office: Office, give: Give) -> None:
    """No row's state changes; the journal knows the id from then on, and the difference stays one."""
    run(office, give, 2, shared=2)
    before = states(office)
    first = office.sandbox.store.case(1)
    assert first is not None
    second = office.sandbox.store.add(first.body, [], "X")
    result = give(words(office, "--all", "--json"))
    assert result.json["unexpected"] == [{"reference": first.reference, "wolkvox_id": second.wolkvox_id}]
    assert [each["field"] for each in result.json["differences"]] == ["wolkvox_id"]
    assert states(office) == before
    again = give(words(office, "--all", "--again", "--json"))
    assert (again.json["unexpected"], len(again.json["differences"])) == ([], 1)
    with closing(sqlite3.connect(office.journal)) as database:
        assert database.execute("SELECT wolkvox_id FROM arrived_ids WHERE how = 'verify'").fetchall() == [
            (second.wolkvox_id,)
        ]


def test_c56_a_case_of_a_row_that_was_not_sent_from_here_stops_the_next_run(office: Office, give: Give) -> None:
    """Its id is kept, its row stays planned; the next run looks for rows that another computer sent, and finds it."""
    office.write(ticket(n, Correo=SHARED) for n in range(1, 4))
    assert give(office.arguments("run", "--yes", "--limit", "2")).status == 3
    before = states(office)
    office.write([ticket(3, Correo=SHARED)])
    planned = check(
        load_job(Job(office.source, office.mapping, Connection(office.sandbox.url, "demo"), office.journal))
    )
    (row,) = planned
    first = office.sandbox.store.cases[0]
    office.sandbox.store.add({**first.body, "description": f"[{row.reference}]\nx"}, [], "X")
    office.write(ticket(n, Correo=SHARED) for n in range(1, 4))
    result = give(words(office, "--all", "--json"))
    assert [each["reference"] for each in result.json["unexpected"]] == [row.reference]
    assert states(office) == before
    posts = office.sandbox.posts
    stopped = give(office.arguments("run", "--yes"))
    assert (stopped.status, "another computer did" in stopped.err, office.sandbox.posts) == (2, True, posts)


def test_a_refused_question_is_no_proof(sent: Sent, give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    """The CRM may say so that there is none, or not understand: the case has no answer, whatever is in it."""
    office = sent(1)
    config = office.sandbox._app.state.crm
    monkeypatch.setattr(config, "config", SandboxConfig(search=Search(nothing_found="404")))
    remove(office, 1)
    result = give(words(office, "--json"))
    assert (result.status, result.json["results"]) == (1, {"unanswered": 1, "not-asked": 0})


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--sample", "2", "--all"], "contradict"),
        (["--again"], "--again goes with --all"),
        (["--report", "x.csv"], ".xlsx"),
        ([], "there is nothing to verify"),
    ],
)
def test_a_command_at_fault(office: Office, give: Give, more: list[str], said: str) -> None:
    """Exit status 2, and nothing is asked."""
    office.write([ticket(1)])
    result = give(words(office, *more))
    assert (result.status, said in result.err, office.sandbox.calls("query")) == (2, True, 0)


def test_a_declined_price_asks_nothing(sent: Sent, give: Give) -> None:
    """Without --yes and without a terminal, the command that asks is named."""
    office = sent(1)
    spent = office.sandbox.calls("query")
    result = give([word for word in words(office) if word != "--yes"])
    assert (result.status, "--yes" in result.err, office.sandbox.calls("query")) == (2, True, spent)


# ------------------------------------------------------------------------------------------------ the workbook


def test_c57_the_source_is_accounted_for(office: Office, give: Give) -> None:
    """Every row is on one of two sheets, and the numbers of the first one add up; in each language."""
    (office.folder / "a.txt").write_text("hola")
    office.write([])
    mapping = MAPPING.replace(
        "reference: description", "attachments: {folder: ., columns: [Adj]}\nreference: description"
    )
    office.mapping.write_text(mapping, "utf-8")
    rows = [ticket(n, Adj="a.txt" if n == 2 else "") for n in range(1, 7)]
    rows[3]["Estado"], rows[4]["Correo"] = "Raro", "nadie"
    office.write(rows, (*HEADER, "Adj"))
    give(office.arguments("run", "--yes"))
    for language in ("es", "en"):
        give(words(office, "--all", "--again", "--lang", language))
        workbook = hand_over(office)
        cases, exceptions = (len(texts(workbook.worksheets[at])) - 1 for at in (1, 2))
        assert (cases, exceptions) == (4, 2)
        first = texts(workbook.worksheets[0])
        assert any("6" in str(cell) and "4" in str(cell) and "2" in str(cell) for cell in first[1])
        assert workbook.worksheets[0].sheet_properties.pageSetUpPr.fitToPage
        formats = {cell.number_format for line in workbook.worksheets[0] for cell in line if cell.data_type == "n"}
        assert any("[$-240A]#,##0" in each for each in formats) is (language == "es")
        assert not [cell for sheet in workbook for line in sheet.iter_rows() for cell in line if cell.data_type == "f"]


def test_c57_the_earliest_of_many_years_are_one_line_of_their_table() -> None:
    """The last years are told apart, and the frequent ones of what has no order."""
    years = tuple(TicketLine(str(year), 1, 1, 0) for year in range(2010, 2027))
    total, names = TicketLine("all tickets", 17, 17, 0), ("Year", "Tickets", "In the CRM", "Not yet")
    for in_time, first, last in ((True, "until 2019", "2026"), (False, "2010", "others")):
        _head, *lines, _total = table_block(TicketTable("", names, years, total, in_time=in_time))
        assert (len(lines), lines[0][0][3], lines[-1][0][3]) == (8, first, last)
        assert sum(int(line[1][3]) for line in lines) == 17


COUNTS = st.builds(Counts, **{name: st.integers(0, 10**6) for name in Counts.__slots__})


@given(COUNTS)
@settings(max_examples=30)
def test_c57_the_lines_add_up_to_all_rows(counts: Counts) -> None:
    """Whatever the states are, the lines of the first table are as many rows as its total, and the sentence too."""
    _head, *lines, total = rows_block(counts)
    assert sum(int(line[-1][3]) for line in lines) == int(total[-1][3]) == counts.rows
    others = counts.rows - counts.created
    assert f" {others:,} row{'s that are' if others != 1 else ' that is'} listed" in adds_up(counts)


def test_the_workbook_is_no_source_and_no_report_and_is_never_overwritten_by_mistake(sent: Sent, give: Give) -> None:
    """It is refused as a source, is no witness of cases, is replaced as it was written, and left alone once edited."""
    office = sent(2)
    path = office.folder / "tickets.hand-over.xlsx"
    give(words(office))
    give(words(office))
    assert [each.name for each in office.folder.glob("*hand-over*")] == [path.name]
    assert "is the hand-over of an import" in give(["check", str(path), "-m", str(office.mapping)]).err
    with pytest.raises(SourceError, match="hand-over"):
        look_at_source(path)
    assert give(office.arguments("run", "--yes", "--concurrency", "1")).status == 0
    workbook = hand_over(office)
    workbook.save(path)
    assert "edited since" in give(words(office)).out
    assert len(list(office.folder.glob("*hand-over*"))) == 2


# ------------------------------------------------------------------------------------------------ comparing


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """Plan one row, whose case is compared with records of many shapes."""
    folder = tmp_path_factory.mktemp("comparing")
    (folder / "mapping.yml").write_text(
        MAPPING.replace(
            "form:",
            "form:\n  Fecha: {column: Fecha, type: date}\n  Monto: {column: Monto, type: decimal}",
        ),
        "utf-8",
    )
    (folder / "t.csv").write_text(
        "Ticket,Correo,Asunto,Detalle,Estado,Solución,Prioridad,Fecha,Monto\n"
        "1,ana@example.com,Factura,No llegó <la> factura & más,Abierto,,Alta,2026-01-31,12.50\n",
        "utf-8",
    )
    return check(
        load_job(Job(folder / "t.csv", folder / "mapping.yml", Connection("https://crm0001.wolkvox.com", "op")))
    )


WHOLE = {
    "case-type": "Request",
    "status": "Abierto",
    "priority": "Alta",
    "responsible": "ADMIN_@demo",
    "owner": "ADMIN_@demo",
    "contact": "ana@example.com",
    "description": "[WCI-0123456789ABCDEF]\nNo llegó <la> factura & más",
    "form": {"Subject": "Factura", "Fecha": "2026-01-31", "Monto": "12.50"},
}

FORM_LIST = [
    {"name": "subject", "value": "Factura"},
    {"label": "Fecha", "value": "2026-01-31T00:00:00"},
    {"name": "Monto", "value": 12.5},
]

SHAPES: dict[str, tuple[dict[str, object], list[str], list[str]]] = {
    "the sandbox's": ({}, [], []),
    "names with a dot": ({"status": None, "status.name": "abierto", "description_case": WHOLE["description"]}, [], []),
    "objects": ({"status": {"id": 3, "name": "Abierto"}, "owner": {"name": "Ana", "email": "admin_@demo"}}, [], []),
    "names, not addresses": ({"owner": {"name": "Admin"}, "responsible": "Ana"}, [], ["owner", "responsible"]),
    "mark-up": ({"description": "<p>[WCI-0123456789ABCDEF]</p><p>No llegó &lt;la&gt; factura &amp; más</p>"}, [], []),
    "cut": ({"description": "[WCI-0123456789ABCDEF] No llegó <la> fac…"}, [], ["description"]),
    "cut too early to tell": ({"description": "No…"}, ["description"], []),
    "other text": ({"description": "No llegó"}, ["description"], []),
    "empty": ({"priority": ""}, ["priority"], []),
    "null": ({"priority": None}, ["priority"], []),
    "no form": ({"form": None}, [], ["form.Fecha", "form.Monto", "form.Subject"]),
    "a form as text": ({"form": json.dumps(WHOLE["form"])}, [], []),
    "a form as a list": ({"form": FORM_LIST}, [], []),
    "a form without a field": ({"form": {"Subject": "Factura", "Monto": 12.5}}, [], ["form.Fecha"]),
    "another day": ({"form": {**dict(WHOLE["form"]), "Fecha": "2026-01-30"}}, ["form.Fecha"], []),  # type: ignore[call-overload]
    "another id": ({"wolkvox_id": "64cb", "idPrefijo": "T-2"}, [], []),
    "files": ({"attachments": ["x"]}, ["attachments"], []),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_c52_records_of_any_shape(plan: Plan, shape: str) -> None:
    """What a record shows is compared, under whatever name and however deep; what it does not show is not equal."""
    changed, differing, not_shown = SHAPES[shape]
    record = {name: value for name, value in {**WHOLE, **changed}.items() if not (name == "status" and value is None)}
    (row,) = plan
    proof = CaseComparer(plan).compare(row, record)
    assert [each.field for each in proof.differences] == differing
    assert sorted(proof.not_shown) == not_shown
    assert proof.result == ("differs" if differing else "equal")


def test_c52_nothing_shown_is_nothing_equal(plan: Plan) -> None:
    """A record of ids alone shows no field."""
    (row,) = plan
    proof = CaseComparer(plan).compare(row, {"wolkvox_id": "64cb"})
    assert (proof.differences, len(proof.not_shown)) == ((), len(row.fields))


@pytest.mark.parametrize(
    ("record", "files"),
    [
        ({}, None),
        ({"files": []}, 0),
        ({"Adjuntos": "[1, 2]"}, 2),
        ({"attachments_count": "3"}, 3),
        ({"files": "a"}, None),
    ],
)
def test_the_number_of_attachments(record: dict[str, object], files: int | None) -> None:
    """A list, its JSON, or a number, under any likely name; anything else is not shown."""
    assert attachments_shown(record) == files
    assert (shown_texts(record, "owner"), shown_form(record)) == (None, None)


@pytest.mark.parametrize(("count", "wanted"), [(0, 3), (1, 3), (10, 1), (10, 3), (3, 10)])
def test_a_sample_is_spread_and_always_the_same(count: int, wanted: int) -> None:
    """The first, the last and some between, as many as there are."""
    places = spread(count, wanted)
    assert places == spread(count, wanted)
    assert len(places) == min(count, wanted)
    assert places <= set(range(count))


# ------------------------------------------------------------------------------------------------ from Python


def test_a_program_verifies_with_events(sent: Sent, monkeypatch: pytest.MonkeyPatch) -> None:
    """The price comes first and must be agreed to; then each answer; a request to stop keeps what is known."""
    office = sent(3)
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    job = load_job(Job(office.source, office.mapping, Connection(office.sandbox.url, "demo"), office.journal))
    with pytest.raises(UsageError, match="not agreed"):
        verify(job, VerifyEvents())
    events: list[object] = []
    done = verify(job, VerifyEvents(events.append, agrees=True), VerifyChoice(everything=True))
    assert [type(each).__name__ for each in events][:2] == ["VerifyForecast", "VerifyingStarted"]
    assert (len(events), done.counts.asked, done.exit_status, done.path.name) == (6, 3, 0, "tickets.hand-over.xlsx")
    stopped = VerifyEvents(lambda _event: stopped.stop(), agrees=True)
    assert verify(job, stopped, VerifyChoice(everything=True, again=True)).exit_status == 3
