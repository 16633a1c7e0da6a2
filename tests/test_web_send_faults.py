"""What goes wrong while the page sends: a sentence and the one right next step, nothing lost, and nothing twice."""

from __future__ import annotations

import errno
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest
import requests
from run_support import MAPPING, Office, ticket
from send_support import DIGEST, Clerk
from web_support import running_page

import importer.report
from importer.errors import JournalError, JournalFull, ReportError
from importer.sandbox import RunningSandbox, SandboxConfig
from importer.web.memory import Memory, RememberedSheet
from importer.web.office import id_of

TRY_AGAIN = 'value="yes">Try again</button>'


@pytest.fixture
def clerk(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clerk]:
    """Open a sheet with four rows."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.write([ticket(number) for number in range(1, 5)])
    with running_page(office.journal, office.sandbox.url) as page:
        yield Clerk(page, office, office.sandbox)


def test_a_network_that_is_gone_is_said_and_tried_again(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was sent; the button asks once more."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.write([ticket(1)])
    with running_page(office.journal, "http://127.0.0.1:9") as page:
        clerk = Clerk(page, office, office.sandbox)
        shown = clerk.proposal()
        assert 'role="alert"' in shown
        assert TRY_AGAIN in shown


def test_a_network_that_goes_while_it_sends_leaves_rows_to_confirm(clerk: Clerk, office: Office) -> None:
    """What was answered is kept; a row without an answer is not sent again, and the next step is to decide."""
    clerk.proposal()
    office.sandbox.inject("closed-without-creating:from=2")
    shown = clerk.send()
    assert "1 new case, 3 to be confirmed" in shown
    assert "Decide about 3 rows" in shown
    assert "Send 3 cases" not in shown


def test_a_report_that_is_open_in_excel_is_said_before_anything_is_sent(
    clerk: Clerk, monkeypatch: pytest.MonkeyPatch, sandbox: RunningSandbox
) -> None:
    """The person closes it and clicks again."""

    def is_open(path: Path) -> None:
        raise ReportError(f"{path.name} is open in Excel")

    monkeypatch.setattr(importer.report, "check_writable", is_open)
    shown = clerk.proposal()
    assert "tickets.report.xlsx is open in Excel" in shown
    assert TRY_AGAIN in shown
    monkeypatch.undo()
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    assert "4 cases will be created" in clerk.proposal()
    assert sandbox.posts == 0


def test_rejected_rows_are_sent_again_when_a_person_says_so(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once the CRM has what they lacked, which this one has not yet; until then they stay as they are."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.write([ticket(number) for number in range(1, 4)])
    config = SandboxConfig(contacts=("cliente1@example.com",))
    with RunningSandbox(config) as crm, running_page(office.journal, crm.url) as page:
        clerk = Clerk(page, office, crm)
        clerk.proposal()
        assert "Send 2 rejected rows again" in clerk.send()
        assert "Nothing would be sent" in clerk.proposal()
        assert "2 cases will be created" in clerk.proposal(rejected="yes")
        clerk.send()
        assert crm.posts == 3 + 2


def test_a_journal_that_takes_nothing_is_said(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is locked, or the disk is full: nothing was sent, and the button goes on once that is over."""
    clerk.proposal()
    for error in (JournalError("database is locked"), JournalFull(os.strerror(errno.ENOSPC))):
        with monkeypatch.context() as patched:
            patched.setattr("importer.pipeline.record_plan", Mock(side_effect=error))
            shown = clerk.send()
        assert str(error) in shown
        assert TRY_AGAIN in shown
        assert clerk.crm.posts == 0
        clerk.proposal()
    assert "4 new cases" in clerk.send()


def test_what_another_computer_sent_can_be_looked_for(
    clerk: Clerk, office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is sent; the one button searches for every row first, and then creates only what is not there."""
    with monkeypatch.context() as there:
        there.setenv("XDG_STATE_HOME", str(tmp_path / "state of another computer"))
        with running_page(tmp_path / "elsewhere" / "journal.db", office.sandbox.url) as elsewhere:
            other = Clerk(elsewhere, office, office.sandbox)
            other.proposal()
            other.send()
    assert office.sandbox.posts == 4
    office.report.rename(office.folder / "their.xlsx")
    clerk.proposal()
    shown = clerk.send()
    assert "Another computer has sent rows" in shown
    assert "First search the CRM for every row" in shown
    assert f"/sheets/{clerk.sheet.id}/send/report" in shown
    assert "Nothing would be sent" in clerk.proposal(**{"look-first": "yes"})
    assert office.sandbox.posts == 4


def test_the_report_of_another_computer_is_taken_over(clerk: Clerk, office: Office, sandbox: RunningSandbox) -> None:
    """Chosen beside the sheet or through the browser: its rows are known then; a file that is none is refused."""
    clerk.proposal()
    clerk.send()
    with running_page(office.folder / "lost" / "journal.db", office.sandbox.url) as page:
        other = Clerk(page, office, office.sandbox)
        assert office.report.name in other.look("report")
        address, headers = other.address("report", "take"), {"Origin": page.address}
        for name in ("", "../../x", office.source.name):
            assert 'role="alert"' in other.click("report/take", report=name).text
        for name in ("a.xlsx", "../a.exe"):
            files = {"upload": (name, b"no workbook")}
            assert 'role="alert"' in other.session.post(address, files=files, headers=headers, timeout=10).text
        files = {"upload": ("other.report.xlsx", office.report.read_bytes())}
        other.session.post(address, files=files, headers=headers, timeout=10)
        assert "rows with a case: 4; to confirm: 0; not adopted: 0" in other.settled()
        assert "Nothing is left to send" in other.look()
    assert sandbox.posts == 4


def test_a_fault_of_ours_shows_where_it_is_and_no_data(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page goes on working."""
    monkeypatch.setattr("importer.web.send.sending.propose", lambda _loaded: dict[str, str]()["cliente1@example.com"])
    shown = clerk.proposal()
    assert "KeyError" in shown
    assert "cliente1@example.com" not in shown


def test_a_sheet_that_is_not_open_is_told_kindly(clerk: Clerk) -> None:
    """An address of before leads to a page that says where to go."""
    for path in ("/live", "/rehearsal", "/connection", ""):
        answer = clerk.session.get(f"{clerk.page.address}/sheets/0123456789ab/send{path}", timeout=5)
        assert answer.status_code == 404
        assert "There is nothing here" in answer.text


def test_what_is_in_a_sheet_is_text_on_the_page(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of imports, columns and operations never become markup."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    evil = "<img src=x onerror=alert(1)>"
    office.write([ticket(1), ticket(2)])
    office.mapping.write_text(MAPPING.replace("import: office", f"import: '{evil}'"), "utf-8")
    with running_page(office.journal, office.sandbox.url, evil) as page:
        clerk = Clerk(page, office, office.sandbox)
        pages = [clerk.settled(), clerk.proposal(), clerk.look("connection"), clerk.send()]
    assert all("<img" not in shown for shown in pages)


# ------------------------------------------------------------------------------------------------ killed


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is a signal of POSIX")
def test_killed_while_it_sends(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program only watches; after `kill -9` it says so, and goes on: no row is sent a second time."""
    rows = 12
    office.write([ticket(number) for number in range(1, rows + 1)])
    Memory().note_sheet(RememberedSheet(str(office.source), str(office.mapping), "2026-11-27T10:00:00-05:00"))
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    environment = {**os.environ, "PYTHONPATH": str(Path(importer.__file__).parent.parent)}
    with RunningSandbox(faults=["timeout-without-creating:from=5,wait=60"]) as crm:
        where = ["--server", crm.url, "--operation", "demo", "--journal", str(office.journal)]
        command = [sys.executable, "-m", "importer", "web", "--no-browser", *where]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as program:
            assert program.stdout
            entrance = program.stdout.readline().rpartition(" ")[2].strip()
            begin(entrance, id_of(office.source))
            wait_until(lambda: crm.posts >= 6)
            with running_page(office.journal, crm.url) as page:
                clerk = Clerk(page, office, crm)
                clerk.until(lambda: "Another program is sending these rows" in clerk.look())
                assert "Pause" not in clerk.look()
                program.send_signal(signal.SIGKILL)
                program.wait()
                crm.inject()
                clerk.until(lambda: "The last run was interrupted" in clerk.settled())
                assert "Continue: send" in clerk.look()
                for shown in (clerk.look(), clerk.session.get(page.address, timeout=10).text):
                    assert re.search("2 rows have no answer from the CRM yet: .* from 20.* on they can be dec", shown)
                clerk.proposal()
                assert f"{rows - 6} new cases, 4 were already there, 2 being sent right now" in (end := clerk.send())
                assert end.count("2 rows have no answer from the CRM yet") == 2
                assert "Nothing is left" not in end
                start = clerk.session.get(page.address, timeout=10).text
                assert "2 rows have no answer" in start
                assert "Everything has been sent" not in start
        assert len({case.reference for case in crm.store.cases}) == len(crm.store.cases) == rows - 2
        assert crm.posts == rows


def begin(entrance: str, sheet: str) -> None:
    """Come in to a page of another process, and send a sheet."""
    session = requests.Session()
    session.trust_env = False
    session.get(entrance, timeout=10)
    origin = entrance.partition("/enter")[0]
    send = f"{origin}/sheets/{sheet}/send"
    session.post(f"{send}/propose", data={"again": "yes"}, headers={"Origin": origin}, timeout=10)
    wait_until(lambda: DIGEST.search(session.get(send, timeout=10).text))
    digest = DIGEST.search(session.get(send, timeout=10).text)
    assert digest
    session.post(f"{send}/start", data={"digest": digest[1]}, headers={"Origin": origin}, timeout=10)


def wait_until(is_so: Callable[[], object], seconds: float = 20.0) -> None:
    """Wait until something is so."""
    limit = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < limit
        time.sleep(0.05)


def test_what_another_tab_has_narrowed_is_not_sent_by_the_form_from_before(clerk: Clerk) -> None:
    """Who agrees to a forecast that is no longer shown is told what has changed since, and nothing is sent."""
    clerk.proposal()
    before = clerk.digest()
    clerk.sheet.sending.prepare(replace(clerk.sheet.sending.state.choices, limit=2))
    clerk.settled()
    clerk.click("start", digest=before)
    page = clerk.settled()
    assert "2 cases instead of 4" in page
    assert "Nothing was sent; look again." in page
    assert not clerk.crm.store.cases
    assert "2 new cases" in clerk.send()
