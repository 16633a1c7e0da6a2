"""The page Send: what is shown before, the one run, a pause, a rehearsal, and what is said after."""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest
import requests
from playwright.sync_api import Browser, expect
from run_support import MAPPING, Office, ticket
from send_support import Clerk
from web_support import open_in, running_page

from importer import Connection, check, load_job, open_corrections, row_changes
from importer.report import rehearsal_path
from importer.sandbox import Latency, RunningSandbox, SandboxConfig
from importer.web import RunningPage


@pytest.fixture
def page(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningPage]:
    """Serve the page, with cases going to the sandbox."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    with running_page(office.journal, office.sandbox.url) as running:
        yield running


@pytest.fixture
def clerk(office: Office, page: RunningPage) -> Clerk:
    """Open a sheet with three rows to send and one to correct."""
    office.write([ticket(1), ticket(2), ticket(3), ticket(4, Correo="nobody")])
    return Clerk(page, office, office.sandbox)


@pytest.fixture(params=[0.15])
def slow(office: Office, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clerk]:
    """Open a sheet with twelve rows, for a CRM that takes its time: so many seconds for an answer."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.write([ticket(number) for number in range(1, 13)])
    latency = Latency(request.param, request.param)
    with RunningSandbox(latency=latency) as crm, running_page(office.journal, crm.url) as running:
        yield Clerk(running, office, crm)


# ------------------------------------------------------------------------------------------------ before


def test_what_will_happen_is_shown_before_anything_is_sent(clerk: Clerk, sandbox: RunningSandbox) -> None:
    """Cases, open ones, calls, what is left out, and no undo; until a click asks for it, the CRM is not called."""
    assert "Send 3 cases to 127.0.0.1" in clerk.settled()
    assert sandbox.calls("token") == 0
    shown = clerk.proposal()
    for words in ("3 cases will be created", "3 of them have an open status", "calls to the CRM", "1 row, which has to",
                  "cannot be undone"):  # fmt: skip
        assert words in shown
    assert sandbox.posts == 0
    assert "Send 3 cases to 127.0.0.1" in clerk.click("cancel").text


def test_corrections_are_named_before_anybody_agrees(clerk: Clerk) -> None:
    """How much the file of corrections changes, and what it cannot: before the sheet is sent, and where one agrees."""
    clerk.settled()
    checked = clerk.sheet.checker.now().value
    assert checked
    corrections = open_corrections(checked.loaded)
    corrections.correct_cells([(2, "Detalle", "Otra"), (3, "Detalle", "Otra"), (5, "Correo", "a@example.com")])
    told = f"3 cells in 3 rows are corrected by {corrections.path.name}."
    for shown in (clerk.settled(), clerk.proposal()):
        assert told in shown
        assert f'href="/sheets/{clerk.sheet.id}/correct">See the corrections' in shown
    assert "cannot be undone" in shown
    office = clerk.office
    office.write([ticket(1), ticket(2), ticket(3), ticket(4, Correo="somebody@example.com")])
    shown = clerk.proposal()
    assert f"1 correction in {corrections.path.name} does not fit the sheet any more, and is left out." in shown


def test_the_first_five_go_first_where_nothing_was_created_yet(
    office: Office, page: RunningPage, sandbox: RunningSandbox
) -> None:
    """They are offered until this mapping, as it is, has created a case, and again once it was changed."""
    office.write([ticket(number) for number in range(1, 9)])
    clerk = Clerk(page, office, office.sandbox)
    assert "Only five first" in clerk.proposal()
    assert "5 cases will be created" in clerk.proposal(few="yes")
    assert "3 not sent yet" in clerk.send()
    office.write([ticket(number) for number in range(1, 16)])
    assert "Only five first" not in clerk.proposal()
    office.mapping.write_text(MAPPING + "\n", "utf-8")
    shown = clerk.proposal()
    assert "Only five first" in shown
    assert "was changed after the last cases were created with it" in shown
    assert "has not created a case yet" not in shown
    assert sandbox.posts == 5


def test_after_the_first_five_start_leads_on(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a row has to be corrected, and after a restart; the run is no fault, and Send goes on."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.write([*(ticket(number) for number in range(1, 9)), ticket(9, Correo="nobody")])
    for time_ in ("first", "again"):
        with running_page(office.journal, office.sandbox.url) as page:
            clerk = Clerk(page, office, office.sandbox)
            if time_ == "first":
                clerk.proposal(few="yes")
                clerk.send()
            assert "Continue: send 3 cases" in clerk.settled()
            start = clerk.session.get(page.address, timeout=10).text
            for words in (">Paused<", "3 rows are left to send. 1 row has something to correct.",
                          f'href="/sheets/{clerk.sheet.id}/send"'):  # fmt: skip
                assert words in start
            assert (
                "The first 5 were sent; 3 rows are still to be sent."
                in clerk.session.get(f"{page.address}/imports", timeout=10).text
            )
            if time_ == "again":
                clerk.proposal()
                clerk.send()
                assert ">To correct<" in clerk.session.get(page.address, timeout=10).text


# ------------------------------------------------------------------------------------------------ what is known


def other_mapping(clerk: Clerk) -> None:
    """Send a sheet, and open it with a mapping of another name."""
    clerk.sent()
    other = clerk.office.folder / "other.yml"
    other.write_text(MAPPING.replace("import: office", "import: other"), "utf-8")
    clerk.page.office.open(clerk.office.source, other)


def test_a_sheet_that_is_another_import_is_so_from_then_on(clerk: Clerk, sandbox: RunningSandbox) -> None:
    """The answer is recorded though nothing is left to send, the page says why, and the next check knows the cases."""
    other_mapping(clerk)
    assert "Is this “office”, which was already sent?" in clerk.proposal()
    [(field, values)] = clerk.answers().items()
    clerk.click("answer", **{field: values[0]})
    shown = clerk.settled()
    assert "3 rows of this sheet are known now as cases of “office”. They are not created again." in shown
    assert "Nothing is left to send" in shown
    checked = clerk.sheet.checker.now(5).value
    assert checked is not None
    assert (checked.counts.created, checked.counts.planned) == (3, 0)
    assert sandbox.posts == 3


def test_where_nothing_would_be_sent_the_page_says_why(clerk: Clerk, sandbox: RunningSandbox) -> None:
    """How many rows have their cases, wait, or have to be corrected."""
    clerk.sent()
    shown = clerk.proposal()
    assert "Nothing would be sent" in shown
    assert "3 rows have their cases in the CRM already." in shown
    assert "1 row, which has to be corrected first." in shown
    assert sandbox.posts == 3


def once_read(clerk: Clerk, answer: requests.Response) -> requests.Response:
    """Return what a page shows once the sheet is read."""
    while 'http-equiv="refresh"' in answer.text:
        time.sleep(0.1)
        answer = clerk.session.get(answer.url, timeout=10)
    return answer


def test_known_rows_with_other_contents_are_asked_about(office: Office, page: RunningPage) -> None:
    """How many, with examples, and what follows; who says that they are others is led to a mapping of their own."""
    office.write([ticket(number) for number in range(1, 8)])
    clerk = Clerk(page, office, office.sandbox)
    clerk.sent()
    office.write([ticket(number, Correo=f"other{number}@example.com") for number in range(1, 8)])
    shown = clerk.proposal()
    assert "7 rows have the “Ticket” of cases that “office” already created" in shown
    assert "(for example 1, 2, 3)" in shown
    [field] = clerk.answers()
    led = once_read(clerk, clerk.click("answer", **{field: "_other-cases"}))
    assert led.url.endswith("/begin?cases=other")
    assert "Other cases need a mapping of their own" in led.text
    led = clerk.session.post(led.url, data={"act": "new"}, headers={"Origin": page.address}, timeout=10)
    assert once_read(clerk, led).url.endswith("/match")


# ------------------------------------------------------------------------------------------------ nothing twice


def test_what_was_agreed_to_is_sent_once(clerk: Clerk, sandbox: RunningSandbox) -> None:
    """Double click, reload, back: the same form agrees to nothing more. The result, and the next steps as buttons."""
    clerk.proposal()
    digest = clerk.digest()
    for _time in range(3):
        clerk.click("start", digest=digest)
    clerk.settled()
    for _time in range(2):
        clerk.click("start", digest=digest)
    shown = clerk.settled()
    for words in ("Of 4 rows: 3 new cases, 1 not sent because of incomplete data.", "Correct 1 row",
                  f"/sheets/{clerk.sheet.id}/look-back", "Nothing is left to send"):  # fmt: skip
        assert words in shown
    assert sandbox.posts == 3


def test_clicks_at_the_same_moment_start_one_run_which_all_see(slow: Clerk) -> None:
    """Two tabs that agree together see the one run; its progress comes by itself, and ends with where to go."""
    slow.proposal()
    digest = slow.digest()
    clicks = [threading.Thread(target=slow.click, args=("start",), kwargs={"digest": digest}) for _tab in range(6)]
    for click in clicks:
        click.start()
    for click in clicks:
        click.join()
    with slow.session.get(slow.address("live"), stream=True, timeout=10) as stream:
        for other in ("propose", "rehearse", "cancel"):
            assert "Pause" in slow.click(other, again="yes").text
        lines = [line for line in stream.iter_lines(decode_unicode=True) if line]
    assert stream.headers["content-type"].startswith("text/event-stream")
    assert any(line.startswith("data: <progress") for line in lines)
    assert any("12 rows" in line for line in lines)
    assert lines[-2:] == ["event: leave", f"data: /sheets/{slow.sheet.id}/send"]
    assert lines.count("event: say") <= 14
    assert "12 new cases" in slow.settled()
    assert slow.crm.posts == 12


def test_what_changed_since_it_was_shown_is_shown_again(clerk: Clerk, office: Office, sandbox: RunningSandbox) -> None:
    """A sheet that was edited meanwhile: nothing is sent, the page says what changed, and asks for it anew."""
    clerk.proposal()
    digest = clerk.digest()
    office.write([ticket(1), ticket(2)])
    clerk.click("start", digest=digest)
    shown = clerk.settled()
    assert "has changed since it was shown: 2 cases instead of 3" in shown
    assert "2 cases will be created" in shown
    assert sandbox.posts == 0
    clerk.click("start", digest=digest)  # the form of before, by the button Back
    assert sandbox.posts == 0
    assert "2 new cases" in clerk.send()


def test_an_approval_is_made_anew_where_the_sheet_changed(clerk: Clerk, office: Office) -> None:
    """Whoever left it, corrected a row and comes back sees the numbers of now, and what is different."""
    clerk.proposal()
    office.write([ticket(number) for number in range(1, 5)])
    clerk.settled()
    shown = clerk.settled()
    assert "4 cases will be created" in shown
    assert "What is different: row 5 is sent, too." in shown


# ------------------------------------------------------------------------------------------------ meanwhile


def test_a_paused_run_goes_on_later(slow: Clerk) -> None:
    """Those on their way end, the report is written, and the rest goes on with a click; each row is sent once.

    A tab that is closed ends its stream, and stops nothing.
    """
    slow.proposal()
    slow.click("start", digest=slow.digest())
    for _tab in range(3):
        slow.session.get(slow.address("live"), stream=True, timeout=10).close()
    tasks = slow.page._server.server_state.tasks
    slow.until(lambda: not tasks and slow.sheet.sending.progress.done >= 2)
    slow.click("pause")
    assert "Paused by request." in slow.settled()
    posts = slow.crm.posts
    assert 2 <= posts < 12
    assert slow.office.report.exists()
    assert f"Continue: send {12 - posts} cases" in slow.look()
    slow.proposal()
    assert f"{12 - posts} new cases, {posts} were already there" in slow.send()
    assert slow.crm.posts == 12


def test_closing_the_program_pauses_what_is_sent(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cases on their way get their answers, open streams end, and nothing hangs."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.write([ticket(number) for number in range(1, 13)])
    with RunningSandbox(latency=Latency(0.15, 0.15)) as crm:
        with running_page(office.journal, crm.url) as page:
            clerk = Clerk(page, office, crm)
            clerk.proposal()
            clerk.click("start", digest=clerk.digest())
            clerk.until(lambda: clerk.sheet.sending.progress.done >= 2)
            assert page.office.is_busy
            stream = clerk.session.get(clerk.address("live"), stream=True, timeout=10)
            started = time.monotonic()
        assert time.monotonic() - started < 4
        stream.close()
        assert crm.posts < 12
        with closing(sqlite3.connect(office.journal)) as journal:
            states = dict(journal.execute("SELECT state, count(*) FROM rows GROUP BY state").fetchall())
        assert states["created"] == crm.posts
        assert set(states) == {"created", "planned"}


# ------------------------------------------------------------------------------------------------ the quota


def test_after_the_quota_it_continues_from_its_hour(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says from when; until then the button does nothing."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.write([ticket(number) for number in range(1, 9)])
    with RunningSandbox(SandboxConfig(daily_quota=6)) as crm, running_page(office.journal, crm.url) as page:
        clerk = Clerk(page, office, crm)
        assert "so this takes" in clerk.proposal()
        shown = clerk.send()
        assert "not sent yet" in shown
        assert "The quota of calls is used up. You can continue from" in shown
        assert "disabled" in shown


def test_it_can_wait_for_the_quota(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person may have it go on by itself; the page says until when it waits, and a pause ends that."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.write([ticket(number) for number in range(1, 9)])
    with RunningSandbox(SandboxConfig(daily_quota=6)) as crm, running_page(office.journal, crm.url) as page:
        clerk = Clerk(page, office, crm)
        clerk.proposal()
        assert "waits and continues automatically" in clerk.proposal(wait="yes")
        clerk.click("start", digest=clerk.digest())
        clerk.until(lambda: clerk.sheet.sending.progress.phase == "waiting")
        assert "The run continues by itself at" in clerk.look()
        clerk.click("pause")
        assert "not sent yet" in clerk.settled()


# ------------------------------------------------------------------------------------------------ the rehearsal


def test_a_rehearsal_reaches_nothing_and_says_what_it_does_not_prove(
    clerk: Clerk, office: Office, sandbox: RunningSandbox
) -> None:
    """Its workbook can be downloaded; the CRM, the journal and the reports of runs are as before."""
    clerk.click("rehearse")
    shown = clerk.settled()
    assert "3 rows passed the rehearsal. 1 row would not be sent." in shown
    assert "cannot prove" in shown
    assert re.search(r'class="band".*>Send for real</h2>.*Send 3 cases', shown, re.DOTALL)
    workbook = clerk.session.get(clerk.address("rehearsal"), timeout=5)
    assert workbook.content == rehearsal_path(office.report).read_bytes()
    assert (sandbox.posts, office.report.exists(), office.journal.exists()) == (0, False, False)
    assert "the numbers are of before" not in shown
    office.write([ticket(1), ticket(2), ticket(3)])
    assert "the numbers are of before" in clerk.settled()
    clerk.proposal()
    assert "3 new cases" in clerk.send()
    assert clerk.session.get(clerk.address("rehearsal"), timeout=5).status_code == 404


def test_a_rehearsal_needs_no_connection(office: Office) -> None:
    """Without server, operation and token the sheet can be rehearsed all the same."""
    office.write([ticket(1)])
    with running_page(office.journal) as page:
        clerk = Clerk(page, office, office.sandbox)
        assert "Send 1 case to the CRM" in clerk.settled()
        clerk.click("rehearse")
        assert "1 row passed the rehearsal" in clerk.settled()


# ------------------------------------------------------------------------------------------------ in a browser


@pytest.mark.parametrize("slow", [0.3], indirect=True)
def test_a_person_sends_in_spanish(slow: Clerk, browser: Browser) -> None:
    """With the keyboard alone: see what will happen, agree, watch it move, pause, go on; the result is read out."""
    slow.page.office.memory.change(language="es")
    slow.settled()
    with open_in(browser, slow.page, viewport={"width": 1366, "height": 768}) as tab:
        tab.goto(slow.address())
        tab.get_by_role("button", name="Enviar 12 casos a 127.0.0.1").press("Enter")
        expect(tab.get_by_role("heading", level=1)).to_have_text("Se crearán 12 casos")
        tab.get_by_role("button", name="Enviar 12 casos ahora").press("Enter")
        expect(tab.get_by_role("progressbar")).to_be_visible()
        tab.get_by_role("button", name="Pausar").press("Enter")
        expect(tab.get_by_role("status").and_(tab.get_by_label("Resultado"))).to_be_focused()
        tab.get_by_role("button", name="Continuar").press("Enter")
        tab.get_by_role("button", name="ahora").press("Enter")
        expect(tab.get_by_label("Resultado")).to_contain_text("De 12 filas")
        tab.go_back()
        tab.reload()
        expect(tab.get_by_text("no queda nada por enviar")).to_be_visible()
    assert slow.crm.posts == 12


def test_a_connection_that_is_new_changes_no_row(clerk: Clerk) -> None:
    """Before it is known where the cases go, nothing is known of what rows said: none of them says otherwise after."""
    clerk.settled()
    job = clerk.page.office.job_of(clerk.sheet)
    after = check(load_job(job))
    before = check(load_job(replace(job, connection=Connection())))
    assert not list(row_changes(before, after))
    assert not list(row_changes(after, before))


def test_what_changed_between_two_clicks_is_said_row_by_row(clerk: Clerk) -> None:
    """Where the next page has other numbers than the button, and where it is shown again instead of being sent."""
    clerk.settled()
    clerk.office.write([ticket(1, Asunto="Otro"), ticket(3), ticket(5)])
    shown = clerk.proposal()
    assert "have changed since the numbers were shown" in shown
    assert "row 2 says something else; row 4 is sent, too; row 3 is no longer sent." in shown
    digest = clerk.digest()
    clerk.office.write([ticket(1), ticket(3), ticket(5)])
    clerk.click("start", digest=digest)
    shown = clerk.settled()
    assert "Nothing was sent; look again." in shown
    assert "What is different: row 2 says something else." in shown
    assert "What is different" not in clerk.proposal()
