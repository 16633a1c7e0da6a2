"""Who may come in to the page, and what every answer says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from playwright.sync_api import Browser
from web_support import open_in, running_page, with_clean_memory

from importer.web import RunningPage
from importer.web.door import HEADERS

EVERYWHERE = ("/", "/page.css", "/page.js", "/icon.svg", "/sheets/0123456789ab/correct", "/nothing/here")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPage]:
    """Serve the page, one for all tests: each comes in by itself."""
    with running_page(tmp_path_factory.mktemp("page") / "journal.db") as running:
        yield running


@pytest.fixture
def page(served: RunningPage) -> RunningPage:
    """Let the page remember nothing of the other tests."""
    return with_clean_memory(served)


def known(page: RunningPage) -> requests.Session:
    """Return a client that has come in."""
    session = requests.Session()
    session.trust_env = False
    assert session.get(page.address_of(None)).status_code == 200
    return session


def test_a_key_opens_the_page_once(page: RunningPage) -> None:
    """The address that is opened gives a strict cookie that no script can read, and does nothing a second time."""
    address = page.address_of(None)
    first = requests.get(address, allow_redirects=False, timeout=5)
    assert first.status_code == 303
    assert first.headers["location"] == "/"
    cookie = first.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie and "path=/" in cookie  # noqa: PT018 - one cookie
    assert requests.get(address, timeout=5).status_code == 403


@pytest.mark.parametrize("path", EVERYWHERE)
def test_without_the_cookie_nothing_is_served(page: RunningPage, path: str) -> None:
    """Who has not come in by a key gets a sentence, and nothing of the user's."""
    for cookies in ({}, {f"case-importer-{page.port}": "guessed"}):
        answer = requests.get(page.address + path, cookies=cookies, timeout=5)
        assert answer.status_code == 403
        assert "Start the program again" in answer.text


@pytest.mark.parametrize("path", EVERYWHERE)
def test_every_answer_forbids_what_the_page_does_not_need(page: RunningPage, path: str) -> None:
    """No script but ours, no frame around the page, nothing kept by the browser: also where something is refused."""
    for client in (known(page), requests.Session()):
        answer = client.get(page.address + path)
        assert {name: answer.headers[name] for name in HEADERS} == HEADERS
        assert "unsafe" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Host": "127.0.0.1:1"}, {"Host": "localhost"},
                                     {"Host": ""}, {"Origin": "https://evil.example"}, {"Origin": "null"},
                                     {"Origin": "http://localhost:1"}])  # fmt: skip
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_foreign_address_is_refused(page: RunningPage, method: str, headers: dict[str, str]) -> None:
    """A site that has its own name lead here, or that sends its forms here, is refused, cookie or not."""
    answer = known(page).request(method, page.address + "/", headers=headers)
    assert answer.status_code in {400, 403}  # 400: uvicorn itself has refused an empty host
    assert "Start" not in answer.text


def test_a_form_without_an_origin_is_refused(page: RunningPage) -> None:
    """Every browser says where a form comes from; what does not say so is no form of ours."""
    client = known(page)
    assert client.post(page.address + "/language", data={"language": "es"}).status_code == 403
    sent = client.post(page.address + "/language", data={"language": "es"}, headers={"Origin": page.address})
    assert sent.ok
    assert 'lang="es"' in sent.text


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_coming_in_leads_nowhere_else(page: RunningPage, to: str) -> None:
    """The page to go to after coming in is one of ours."""
    answer = requests.get(page.address_of(None), params={"to": to}, allow_redirects=False, timeout=5)
    assert answer.headers["location"] == "/"


def test_another_key_needs_the_secret_of_the_running_program(page: RunningPage) -> None:
    """A second start of the program is given a key; nobody else is, with the cookie or without."""
    control = page.address + "/control"
    assert known(page).post(control, headers={"Origin": page.address}).status_code == 403
    assert requests.post(control, headers={"Authorization": "Bearer guessed"}, timeout=5).status_code == 403
    given = requests.post(control, headers={"Authorization": f"Bearer {page.keys.control}"}, timeout=5)
    assert requests.get(f"{page.address}/enter", params={"key": given.text}, timeout=5).status_code == 200


def test_the_page_opens_in_a_browser(page: RunningPage, browser: Browser) -> None:
    """The opened address leads to the page Start, reloading it stays there, and a button switches the language."""
    with open_in(browser, page) as tab:
        assert tab.url == page.address + "/"
        tab.reload()
        tab.get_by_role("button", name="Español").click()
        assert tab.locator("html").get_attribute("lang") == "es"
