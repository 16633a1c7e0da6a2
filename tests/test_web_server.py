"""How the program of the page begins and ends: one at a time, the same port, and nobody needs it any more."""

from __future__ import annotations

import socket
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from start_support import PageClient, mapping, workbook
from web_support import running_page

from importer import Connection
from importer.cli.main import execute
from importer.web import RunningPage, listen
from importer.web.memory import Memory, RememberedSheet
from importer.web.office import Office
from importer.web.server import address_of_running


def closing(opened: list[str]) -> Callable[[str], bool]:
    """Return a browser of sorts: it notes the address, goes there, and closes the program."""

    def open_browser(address: str) -> bool:
        opened.append(address)

        def use() -> None:
            session = requests.Session()
            session.trust_env = False
            origin = "http://" + urlsplit(address).netloc
            opened.append(session.get(address, allow_redirects=False, timeout=10).headers["location"])
            session.post(f"{origin}/close", headers={"Origin": origin}, timeout=10)

        threading.Thread(target=use).start()
        return True

    return open_browser


@pytest.mark.parametrize("words", [["web"], []])
def test_a_file_that_is_dropped_on_the_icon_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    """`case-importer FILE` is `case-importer web FILE`; the program ends once the page is closed, with status 0."""
    sheet = workbook(tmp_path / "semana 48 ñ.xlsx")
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", closing(opened))
    assert execute([*words, str(sheet)]) == 0
    assert opened[1].startswith("/open?path=")
    assert Memory().load().control is None


def test_a_second_start_opens_the_page_that_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is opened by a key of its own, with the sheet that was named, and ends at once."""
    sheet = workbook(tmp_path / "week.xlsx")
    mapping(tmp_path / "pqr.yml")
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: opened.append(address) or True)
    with running_page(tmp_path / "journal.db") as page:
        assert execute(["web", str(sheet)]) == 0
        assert opened[0].startswith(page.address)
        session = requests.Session()
        session.trust_env = False
        answer = session.get(opened[0], timeout=20)
        assert f"/sheets/{page.office.sheets()[0].id}/" in answer.url
        assert session.get(opened[0].replace("key=", "key=x"), timeout=20).status_code in {200, 404}  # it is known now
        assert requests.get(opened[0], timeout=20).status_code == 403
    assert address_of_running(Memory(), None) is None


def test_a_tab_that_was_left_open_goes_on_after_a_restart(tmp_path: Path) -> None:
    """The program comes back on the same port and knows its browser: what was typed meanwhile can still be saved."""
    session = requests.Session()
    session.trust_env = False
    with running_page(tmp_path / "journal.db") as first:
        session.get(first.address_of(None), timeout=10)
    with RunningPage(listen(None, first.port), Connection(), tmp_path / "journal.db", Memory()) as second:
        assert second.address == first.address
        sent = session.post(
            f"{first.address}/language", {"language": "pt"}, headers={"Origin": first.address}, timeout=10
        )
        assert 'lang="pt"' in sent.text
    assert stat.S_IMODE(Memory().path.stat().st_mode) == 0o600


def test_another_program_on_the_port_is_told_nothing(tmp_path: Path) -> None:
    """A page that ended without a word, and whose port has another program now, is not taken for ours."""
    with running_page(tmp_path / "journal.db") as page:
        Memory().change(port=page.port, control="the secret of a page that is gone")
        assert address_of_running(Memory(), None) is None


def test_the_port_of_last_time_is_used_where_it_is_free() -> None:
    """So the address that a browser has kept goes on working; a taken port is no reason to stop."""
    first = listen(0, None)
    port = first.getsockname()[1]
    other = listen(None, port)
    assert other.getsockname()[1] != port
    first.close()
    other.close()
    again = listen(None, port)
    assert again.getsockname()[1] == port
    again.close()


def test_it_ends_when_nobody_needs_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not while something is sent, and not while a tab asks; only then, after a while, by itself."""
    busy = True
    monkeypatch.setattr(Office, "is_busy", property(lambda _office: busy))
    with running_page(tmp_path / "journal.db") as page:
        client = PageClient(page)
        waiting = threading.Thread(target=page.wait, args=(0.4,))
        waiting.start()
        waiting.join(0.8)
        assert waiting.is_alive()
        busy = False
        for _ask in range(6):
            assert client.get("/here").status_code == 204
            time.sleep(0.15)
            assert waiting.is_alive()
        waiting.join(3)
        assert not waiting.is_alive()


def test_a_stream_of_news_keeps_it_running(tmp_path: Path) -> None:
    """A tab that only listens is a tab."""
    with running_page(tmp_path / "journal.db") as page:
        page._open_requests += 1
        waiting = threading.Thread(target=page.wait, args=(0.2,))
        waiting.start()
        waiting.join(0.6)
        assert waiting.is_alive()
        page._open_requests -= 1
        waiting.join(2)
        assert not waiting.is_alive()


def test_a_browser_that_goes_away_is_no_fault(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A form that is cut off leaves nothing on the terminal, and the page goes on."""
    with running_page(tmp_path / "journal.db") as page:
        client = PageClient(page)
        cookies = "; ".join(f"{one.name}={one.value}" for one in client.session.cookies)
        host = urlsplit(page.address).netloc
        head = (
            f"POST /who HTTP/1.1\r\nHost: {host}\r\nOrigin: {page.address}\r\nCookie: {cookies}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1000\r\n\r\nwho=A"
        )
        with socket.create_connection((page.address[7:].split(":")[0], urlsplit(page.address).port or 0)) as browser:
            browser.sendall(head.encode())
            time.sleep(0.1)
        time.sleep(0.1)
        assert client.get("/").status_code == 200
    assert not caplog.records


def test_the_memory_is_a_convenience(tmp_path: Path) -> None:
    """A damaged file is an empty memory, a name that is no text is kept, and only its owner may read it."""
    memory = Memory(tmp_path / "state" / "page.json")
    memory.note_sheet(RememberedSheet("/\udcff.csv", tab="Año"))
    assert memory.load().sheets[0].source == "/\udcff.csv"
    assert memory.path.stat().st_mode & 0o077 == 0
    memory.note_folder(tmp_path)
    memory.note_folder(tmp_path)
    assert memory.load().folders == (str(tmp_path),)
    for damaged in ("{", "[]", '{"sheets": [1]}', '{"unknown": 1}', "\xff"):
        memory.path.write_text(damaged, "utf-8")
        assert memory.load().sheets == ()


def test_a_page_without_a_browser_says_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `--no-browser` the address is printed, and nothing is opened."""
    monkeypatch.setattr(RunningPage, "wait", lambda _page: None)
    monkeypatch.setattr("webbrowser.open", lambda _address: pytest.fail("opened"))
    assert execute(["web", "--no-browser", str(tmp_path)]) == 0
    assert "/enter?key=" in capsys.readouterr().out
    assert execute(["web", str(tmp_path / "gone")]) == 2
