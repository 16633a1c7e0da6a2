"""The page Look back: what became of a sheet, its report, its runs, and the files that hold personal data."""

from __future__ import annotations

import io
import os
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import openpyxl
import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from run_support import HEADER, Office, ticket
from test_web_decide import post
from test_web_door import known
from web_support import open_in, running_page, with_clean_memory

from importer import (
    Connection,
    EventInterface,
    Job,
    LeftOut,
    Review,
    ReviewedRow,
    RunRecord,
    check,
    load_job,
    rehearse,
    review,
    this_time,
)
from importer.cli.main import execute
from importer.commands import on_page
from importer.journal import RunStart
from importer.messages import speaking
from importer.model import Counts, Status, Typed
from importer.model.account import FileCount
from importer.sandbox import RunningSandbox
from importer.web import RunningPage
from importer.web.look_back.summary import summarize
from importer.workflow.commands import Commands
from importer.workflow.jobs.review import readable
from importer.workflow.outcome.reasons import issues_of

HOSTILE = "<img src=x onerror=alert(1)>"
NAME = "PQR semana 47 ñandú €.csv"


class Past(Office):
    """An office that has sent two sheets of one import: last week's, and this week's with some rows of both."""

    name = "PQR semana 46.csv"

    @property
    def source(self) -> Path:
        """The sheet of the week."""
        return self.folder / self.name

    @property
    def report(self) -> Path:
        """Its report."""
        return self.source.with_name(f"{self.source.stem}.report.xlsx")

    def send(self) -> None:
        """Send the sheet as it is."""
        execute(["run", *self.arguments("run", "--yes", "--first-run")[1:]])


@pytest.fixture(scope="module")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    """Provide the office, and change nothing in it from here on but its report."""
    os.environ["WOLKVOX_TOKEN"] = "any"
    with RunningSandbox() as sandbox:
        office = Past(tmp_path_factory.mktemp("past"), sandbox)
        office.write(ticket(n) for n in range(1, 4))
        office.send()
        office.name = NAME
        rows = [ticket(n) for n in range(1, 60)]
        rows[10] |= {"Correo": "sin correo"}
        rows[11] |= {"Ticket": HOSTILE}
        office.write(rows, HEADER)
        office.send()
        rows[2] |= {"Detalle": "otra cosa"}
        office.write(rows, HEADER)
        yield office
    del os.environ["WOLKVOX_TOKEN"]


@pytest.fixture(scope="module")
def served(past: Past) -> Iterator[RunningPage]:
    """Serve the page, one for all tests that only look."""
    with running_page(past.journal, past.sandbox.url) as running:
        yield running


@pytest.fixture
def page(past: Past, served: RunningPage) -> RunningPage:
    """Open this week's sheet, on a page that remembers nothing of the other tests."""
    with_clean_memory(served).office.open(past.source, past.mapping)
    return served


@pytest.fixture
def own_page(past: Past) -> Iterator[RunningPage]:
    """Serve a page for one test alone: it remembers which reports it has made, and which settings it has read."""
    with running_page(past.journal, past.sandbox.url) as running:
        running.office.open(past.source, past.mapping)
        yield running


def sheet_address(page: RunningPage) -> str:
    """Return the address of the open sheet."""
    return f"{page.address}/sheets/{page.office.sheets()[0].id}"


def looked_at(page: RunningPage, client: requests.Session, **asked: str) -> str:
    """Return the page Look back once the sheet is read."""
    while True:
        answer = client.get(f"{sheet_address(page)}/look-back", params=asked)
        if "Refresh" not in answer.headers:
            return answer.text
        time.sleep(0.02)  # the check needs the processor, too


def test_the_page_says_what_became_of_the_sheet(page: RunningPage) -> None:
    """One sentence with sums that add up; the rows that were not sent with why; what was edited; the runs."""
    shown = looked_at(page, known(page))
    assert "Of 59 rows: 55 new cases, 3 were already there (1 changed in the sheet afterwards), 1 not sent" in shown
    assert "is not an e-mail address" in shown
    changed = shown.partition('id="changed">')[2].partition("</table>")[0]
    assert changed.startswith("1 case whose row changed afterwards</h2>")
    assert "change it there by hand" in changed
    assert "<td>3</td>" in " ".join(changed.split()).replace("<td> ", "<td>").replace(" </td>", "</td>")
    assert "Detalle" in changed
    assert shown.index('id="changed"') < shown.index('id="rows"') < shown.index('id="cases"')
    assert shown.count("Finished; some rows are to be corrected.") == 1  # the runs of this sheet alone
    assert "another user counts as another computer" in shown
    assert HOSTILE not in shown
    assert HOSTILE.replace("<", "&lt;").replace(">", "&gt;") in shown


def test_cases_are_searched_and_paged(page: RunningPage, past: Past) -> None:
    """Fifty cases are shown; the others are on the next page, and are found by key, contact, subject or id."""
    client = known(page)
    first, second = looked_at(page, client), looked_at(page, client, cases="2")
    assert "1 to 50 of 58" in first
    assert "51 to 58 of 58" in second
    assert "51 to 58 of 58" in looked_at(page, client, cases="999999999")
    case = next(case for case in past.sandbox.store.cases if "Asunto 57" in str(case.body))
    for asked in ("57", "CLIENTE57@", "asunto 57", case.wolkvox_id, case.id_prefijo):
        found = looked_at(page, client, q=asked)
        assert case.wolkvox_id in found
        assert "1 to 50" not in found
    assert "No case matches" in looked_at(page, client, q=HOSTILE + "?")


def test_the_sheet_is_not_taken_for_the_case(page: RunningPage) -> None:
    """The contact of a row that changed is called what it is: that of the sheet now."""
    found = looked_at(page, known(page), q="cliente3@").partition('id="cases"')[2]
    assert "In the sheet now: cliente3@example.com" in found
    others = looked_at(page, known(page), q="cliente4@").partition('id="cases"')[2]
    assert "cliente4@example.com" in others
    assert "In the sheet now: " not in others


def test_a_case_is_found_by_its_description_without_a_subject(past: Past, tmp_path: Path) -> None:
    """Where no field is called subject, the first line of the description says what a case is about."""
    mapping = tmp_path / "mapping.yml"
    mapping.write_text(past.mapping.read_text("utf-8").replace("Subject: {column: Asunto}", "Otro: {column: Asunto}"))
    plan = check(load_job(Job(past.source, mapping, Connection(past.sandbox.url, "demo"), past.journal)))
    job = Job(past.source, mapping, Connection(past.sandbox.url, "demo"), past.journal)
    assert review(plan, job).rows[0].subject.startswith("Detalle del caso 1")


def test_a_required_cell_is_told_without_the_words_of_mappings(past: Past, tmp_path: Path) -> None:
    """On the page and in the report that it makes: no field's technical name, no line to write into a mapping."""
    sheet = tmp_path / "vacia.csv"
    sheet.write_text(f"{','.join(HEADER)}\n900,,a,b,Abierto,,Alta\n", "utf-8")
    with on_page():
        job = Job(sheet, past.mapping, Connection(past.sandbox.url, "demo"), past.journal)
        plan = check(load_job(job))
        assert review(plan, job).rows[0].reasons == ("Correo is empty, and the CRM requires it",)
        (issue,) = issues_of(next(iter(plan)), Commands.of(job))
    assert issue.remedy == "On the page Correct, type the right values into Correo."
    (issue,) = issues_of(next(iter(plan)), Commands.of(job))
    assert "default" in issue.remedy


def test_rows_without_a_case_are_told_without_the_words_of_mappings(past: Past, tmp_path: Path) -> None:
    """A row that is left out, and a text that means nothing to the CRM: neither `skip_if` nor a field's name."""
    sheet, mapping = tmp_path / "total.csv", tmp_path / "m.yml"
    sheet.write_text(f"{','.join(HEADER)}\nTOTAL,,,,,,\n901,a@b.co,a,b,Raro,,Alta\n", "utf-8")
    text = past.mapping.read_text("utf-8").replace("source:", "source:\n  skip_if: {Ticket: TOTAL}", 1)
    mapping.write_text(re.sub(r"  status: .*", "  status: {column: Estado, values: {Abierto: Abierto}}", text), "utf-8")
    with on_page():
        job = Job(sheet, mapping, Connection(past.sandbox.url, "demo"), past.journal)
        found = review(check(load_job(job)), job)
    assert [row.reasons for row in found.rows] == [
        ("left out: Ticket is 'TOTAL'",),
        ("“Raro” in Estado is not matched with any value of the CRM",),
    ]
    assert found.left_out.totals == 1
    assert found.left_out.told() == "Left out: row 2: line with a total."


def test_a_day_is_shown_as_a_day() -> None:
    """A date that a program exported with a time at midnight is a day, in the order of the language."""
    assert readable(Typed("2026-11-24 0:00:00", datetime(2026, 11, 24))) == "2026-11-24"  # noqa: DTZ001 - as sheets
    assert readable(Typed("2026-11-24 8:05:00", datetime(2026, 11, 24, 8, 5))) == "2026-11-24 8:05:00"  # noqa: DTZ001
    assert readable("2026-11-24 0:00:00") == "2026-11-24 0:00:00"


def test_an_address_of_cases_makes_links(own_page: RunningPage, past: Past, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each id leads to its case in the CRM where the settings say how."""
    monkeypatch.setenv("WOLKVOX_CASE_URL", "https://crm.example/c/{wolkvox_id}")
    case = past.sandbox.store.cases[0]
    shown = looked_at(own_page, known(own_page))
    assert f'href="https://crm.example/c/{case.wolkvox_id}" target="_blank" rel="noopener' in shown


def test_the_report_is_made_again_where_it_has_to_be(own_page: RunningPage, past: Past) -> None:
    """A report that is gone is made again; one that is fresh is given as it is; its name is told in UTF-8."""
    client, where = known(own_page), f"{sheet_address(own_page)}/report"
    past.report.unlink()
    got = client.get(where)
    assert "It is made again" in got.text or "to create it again" in got.text
    got = post(client, own_page, where)
    assert quote(past.report.name) in got.headers["Content-Disposition"]
    assert got.headers["Content-Disposition"].startswith("attachment; filename*=utf-8''")
    book = openpyxl.load_workbook(io.BytesIO(got.content))
    assert book["Report"].max_row > 59
    written = past.report.stat().st_mtime_ns
    assert post(client, own_page, where).content == got.content
    assert past.report.stat().st_mtime_ns == written
    assert client.get(where, params={"path": "/etc/passwd", "file": "../mapping.yml"}).content == got.content


def test_a_report_that_a_person_edits_is_theirs(own_page: RunningPage, past: Past) -> None:
    """A report that was saved in another program is neither given away nor overwritten: a new one is made."""
    before = past.report.read_bytes()
    book = openpyxl.load_workbook(past.report)
    book["Report"]["A1"] = "edited"
    book.save(past.report)
    got = post(known(own_page), own_page, f"{sheet_address(own_page)}/report")
    assert quote(" (2).report.xlsx") in got.headers["Content-Disposition"]
    past.report.write_bytes(before)
    past.report.with_name(f"{past.source.stem} (2).report.xlsx").unlink()


def test_what_is_mailed_is_plain_text(page: RunningPage) -> None:
    """The text for an e-mail has the sentence and the rows that were not sent, without markup."""
    shown = looked_at(page, known(page))
    found = re.search(r'data-copy="([^"]*)"', shown)
    assert found
    assert found[1].startswith(f"{NAME}\nOf 59 rows: 55 new cases")
    assert "1 case whose row changed afterwards\nThe case in the CRM did not change." in found[1]
    assert "- row 4 (3), case " in found[1]
    assert "- row 12 (11): Correo &#39;sin correo&#39; is not an e-mail address" in found[1]


def test_a_rehearsal_is_never_shown_as_real(past: Past, tmp_path: Path) -> None:
    """After a rehearsal alone nothing has been sent; its report is only among the files, called what it is."""
    sheet = tmp_path / "nueva.csv"
    sheet.write_bytes((past.folder / "PQR semana 46.csv").read_bytes())
    journal = tmp_path / "empty" / "journal.db"
    rehearse(
        load_job(Job(sheet, past.mapping, Connection(past.sandbox.url, "demo"), journal)),
        EventInterface(lambda _e: None),
    )
    with running_page(journal, past.sandbox.url) as other:
        other.office.open(sheet, past.mapping)
        client = known(other)
        assert "Nothing has been sent from this sheet yet." in looked_at(other, client)
        files = client.get(f"{other.address}/files").text
    assert "nueva.rehearsal.xlsx" in files
    assert "Report of a rehearsal" in files


def test_only_what_the_page_has_made_is_deleted(past: Past, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copies, rehearsals and the memory go, after a confirmation; the user's sheet, report and journal cannot."""
    monkeypatch.setattr("importer.web.office.user_documents_path", lambda: tmp_path)
    copies = tmp_path / "Importaciones"
    copies.mkdir()
    copy, forgotten, notes = copies / "copia.csv", copies / "vieja.csv", copies / "notas.txt"
    for path in (copy, forgotten, notes):
        path.write_text("Ticket\n1\n", "utf-8")
    with running_page(past.journal, past.sandbox.url) as page:
        page.office.open(past.source, past.mapping)
        page.office.open(copy)
        client = known(page)
        shown = client.get(f"{page.address}/files").text
        boxes = re.findall(r'name="file" value="(\w+)" id="\w+" aria-label="Delete ([^"]*)"', shown)
        assert sorted(name for _id, name in boxes) == sorted(["copia.csv", "copia.csv", "vieja.csv", NAME])
        assert "notas.txt" not in shown
        where = f"{page.address}/files/delete"
        asked = client.get(where, params={"file": [box for box, _name in boxes]})
        assert "Delete these for good?" in asked.text
        assert copy.exists()
        assert "First tick what you want to delete" in client.get(where).text
        every = [*(box for box, _name in boxes), *everything_else(page, past)]
        done = client.post(where, data={"file": every}, headers={"Origin": page.address})
        assert "4 entries were deleted." in done.text
        assert page.office.sheets() == []
        again = client.post(where, data={"file": every}, headers={"Origin": page.address})
        assert "0 entries were deleted." in again.text
    assert not copy.exists()
    assert not forgotten.exists()
    assert notes.exists()
    assert past.source.exists()
    assert past.journal.exists()


def everything_else(page: RunningPage, past: Past) -> list[str]:
    """Return what a hostile form may name: the ids of files that are not ours, and paths."""
    from importer.web.look_back.kept_files import kept_files  # noqa: PLC0415 - only here

    theirs = [file.id for file in kept_files(page.office, None) if file.delete is None]
    assert theirs
    return [*theirs, str(past.source), str(past.journal), "../journal/journal.db"]


def test_all_runs_of_all_imports_are_listed(page: RunningPage) -> None:
    """Each run with its sheet, when, who, how many and how it ended; a sheet that is open can be looked at."""
    shown = known(page).get(f"{page.address}/imports").text
    assert shown.count("<tr>") == 3
    assert "PQR semana 46.csv" in shown
    assert f'href="/sheets/{page.office.sheets()[0].id}/look-back?run=2"' in shown
    assert "Finished." in shown


def test_a_copy_has_the_runs_of_its_original(page: RunningPage, past: Past, tmp_path: Path) -> None:
    """A file that was moved or copied is known by its content."""
    moved = tmp_path / "otra.csv"
    moved.write_bytes((past.folder / "PQR semana 46.csv").read_bytes())
    page.office.open(moved, past.mapping)
    assert "Of 3 rows: 3 new cases." in looked_at(page, known(page))


def test_one_run_can_be_looked_at(page: RunningPage) -> None:
    """New are then the cases of that run alone; a run of another sheet is none of this one."""
    client = known(page)
    for run in ("2", "1"):
        assert "55 new cases" in looked_at(page, client, run=run)


def test_a_sheet_that_is_gone_still_has_its_runs(page: RunningPage, past: Past) -> None:
    """Where the file cannot be read, the page says so, and shows the runs and files that are known."""
    away = past.source.rename(past.folder / "away.csv")
    try:
        shown = looked_at(page, known(page))
    finally:
        away.rename(past.source)
    assert NAME in shown
    assert "Finished; some rows are to be corrected." in shown


def test_the_page_is_printed_and_copied(page: RunningPage, browser: Browser) -> None:
    """In Spanish: the boss's sentence, a clean paper without buttons, the copied text, the downloaded workbook."""
    page.office.memory.change(language="es")
    looked_at(page, known(page))
    with open_in(browser, page, permissions=["clipboard-read", "clipboard-write"]) as tab:
        tab.goto(f"{sheet_address(page)}/look-back")
        assert "De 59 filas: 55 casos nuevos, 3 ya estaban" in tab.inner_text("main")
        tab.get_by_role("button", name="Copiar para correo").click()
        tab.get_by_role("button", name="Copiado").wait_for()
        assert "De 59 filas" in tab.evaluate("navigator.clipboard.readText()")
        with tab.expect_download() as download:
            tab.get_by_role("button", name="Descargar el informe").click()
        assert download.value.suggested_filename.endswith(".xlsx")
        assert Axe().run(tab).response["violations"] == []
        tab.emulate_media(media="print")
        assert not tab.get_by_role("button", name="Imprimir").is_visible()
        assert not tab.get_by_role("searchbox").is_visible()
        pdf = tab.pdf(format="Letter")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 2  # 50 cases


def reviewed(*states: tuple[str, int, int | None], files: FileCount) -> Review:
    """Return a review of so many rows in each state, sent by a run."""
    ids = (None, None, None, None, None)
    line = ReviewedRow(2, "1", "", "", "", "", *ids, disputed=False, deleted=False, edited=(), change=None, reasons=())
    rows = [replace(line, state=state, run=run) for state, count, run in states for _row in range(count)]
    found = Counter(state for state, count, _run in states for _row in range(count))
    return Review(Counts(**{state: count for state, count in found.items() if state != "changed"}), files, tuple(rows))


def test_the_sentence_is_what_the_boss_wants() -> None:
    """In Spanish: the rows by what became of them, and the attachments; together the parts are all rows."""
    review = reviewed(("created", 30, 7), ("created", 5, 3), ("invalid", 3, None), files=FileCount(sent=77))
    run = run_of(7, datetime(2026, 11, 24, 10, tzinfo=UTC))
    with speaking("es"):
        sentence = summarize(review, [run]).sentence()
    assert sentence == (
        "De 38 filas: 30 casos nuevos, 5 ya estaban, 3 sin enviar por datos incompletos. Adjuntos: 77 de 77."
    )
    every = [("created", 1, 7), *((state, 1, None) for state in Status if state is not Status.CREATED)]
    said = summarize(reviewed(*every, files=FileCount()), [run]).sentence()
    assert sum(map(int, re.findall(r"\d+", said.partition(":")[2]))) == len(Status)
    assert summarize(reviewed(files=FileCount()), []).sentence() == "The sheet has no rows."


def test_rows_that_are_left_out_or_repeated_are_called_so() -> None:
    """The total of a table is no row of the sheet, and a key that stands twice is no incomplete data."""
    found = reviewed(("created", 3, 7), ("invalid", 3, None), ("skipped", 4, None), files=FileCount())
    found = replace(found, left_out=LeftOut(hidden=2, totals=1), repeated=2)
    run = run_of(7, datetime(2026, 11, 24, 10, tzinfo=UTC))
    with speaking("es"):
        assert summarize(found, [run]).sentence() == (
            "De 9 filas: 3 casos nuevos, 1 sin enviar por datos incompletos, 2 sin enviar por tener el identificador"
            " repetido, 2 ocultas en Excel, 1 omitida a propósito."
        )


def run_of(number: int, when: datetime) -> RunRecord:
    """Return a run that took an hour."""
    start = RunStart("a.csv", "", "", "", "ana", "")
    return RunRecord(number, 1, "PQR", "demo", start, when, when + timedelta(hours=1), 1, 1, None, 0)


def test_runs_of_one_week_belong_together() -> None:
    """A run that was continued after a weekend is one; that of the week before, under the same name, is another."""
    monday, friday = datetime(2026, 11, 23, 9, tzinfo=UTC), datetime(2026, 11, 20, 9, tzinfo=UTC)
    runs = [run_of(3, monday), run_of(2, friday), run_of(1, friday - timedelta(days=7))]
    assert [run.id for run in this_time(runs)] == [3, 2]
    assert this_time([]) == []
