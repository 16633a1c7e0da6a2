"""The connection on the page Send, and the questions before a first run: plain words, and a token that stays secret."""

from __future__ import annotations

import logging
import ssl
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
import trustme
from keyring.backend import KeyringBackend
from keyring.backends import fail
from keyring.errors import PasswordDeleteError
from passage import Passage
from playwright.sync_api import Browser
from run_support import MAPPING, Office, ticket
from send_support import Clerk
from web_support import open_in, running_page

from importer.sandbox import RunningSandbox, SandboxConfig
from importer.settings import load_settings, settings_path
from importer.web import RunningPage

TOKEN = "canary-token-4c81"
TARGET = {"server": "crm0009.wolkvox.com", "operation": "demo"}
IN_MAPPING = "target:\n  server: crm0009.wolkvox.com\n  operation: demo\n"


class OwnKeyring(KeyringBackend):
    """A keyring for one test."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        """Return what was stored."""
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a password."""
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Remove a password."""
        if self.kept.pop((service, username), None) is None:
            raise PasswordDeleteError


@pytest.fixture
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[OwnKeyring]:
    """Provide an empty keyring, and no token in the environment."""
    for name in ("SERVER", "OPERATION", "TOKEN", "TOKEN_FILE"):
        monkeypatch.delenv(f"WOLKVOX_{name}", raising=False)
    before, made = keyring.get_keyring(), OwnKeyring()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Provide a certificate authority that the client trusts."""
    return trustme.CA()


@pytest.fixture
def tunnel(office: Office, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> Iterator[Passage]:
    """Lead every https host to the sandbox, and note the hosts."""

    def certificate(host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host).configure_cert(context)
        return context

    ca_file = office.folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    settings_path().parent.mkdir(parents=True, exist_ok=True)
    settings_path().write_text(f"# mine\nca_file = '{ca_file}'\n", "utf-8")
    with Passage(office.sandbox.url, certificate) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        yield proxy


@pytest.fixture
def page(office: Office, ring: OwnKeyring, tunnel: Passage) -> Iterator[RunningPage]:  # noqa: ARG001 - for the machine
    """Serve the page, as it is started without options."""
    with running_page(office.journal) as running:
        yield running


@pytest.fixture
def clerk(office: Office, page: RunningPage) -> Clerk:
    """Open a sheet with four rows."""
    office.write([ticket(number) for number in range(1, 5)])
    return Clerk(page, office, office.sandbox)


def connect(clerk: Clerk, **changed: str) -> str:
    """Fill in the form of the connection, and return the page that follows."""
    return clerk.click("connection/save", **{**TARGET, "token": TOKEN, **changed}).text


# ------------------------------------------------------------------------------------------------ the connection


def test_before_the_first_run_the_connection_is_asked_for(clerk: Clerk, tunnel: Passage) -> None:
    """Server, operation and token in plain words, with a message for whoever has them; nothing went anywhere."""
    shown = clerk.click("propose", again="yes")
    assert shown.url.endswith("/send/connection")
    for words in ("Server", "Operation", 'type="password"', "Message for the administrator", "data-copy=",
                  "Three things", "also asks for the lists", "or in memory where the computer has none"):  # fmt: skip
        assert words in shown.text
    assert tunnel.hosts == []


def test_the_token_goes_to_the_keyring_and_is_shown_nowhere(
    clerk: Clerk, office: Office, ring: OwnKeyring, user_folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in a page, an address, a log or a file; server and operation go to the settings, where the rest stays."""
    with caplog.at_level(logging.DEBUG):
        shown = connect(clerk, server=" https://crm0009.wolkvox.com/ ")
        pages = [shown, clerk.look("connection"), clerk.click("connection/try").text, clerk.proposal()]
    assert "kept in this computer's keyring" in shown.replace("&#39;", "'")
    assert list(ring.kept.values()) == [TOKEN]
    assert (load_settings().server, load_settings().operation) == ("https://crm0009.wolkvox.com", "demo")
    assert settings_path().read_text("utf-8").startswith("# mine\n")
    assert not any(TOKEN in text for text in (*pages, caplog.text))
    files = [path for folder in (user_folder, office.folder) for path in folder.rglob("*") if path.is_file()]
    assert files and not any(TOKEN.encode() in path.read_bytes() for path in files)  # noqa: PT018 - one claim


def test_trying_the_connection_costs_a_call_and_creates_nothing(clerk: Clerk, sandbox: RunningSandbox) -> None:
    """The page says both beforehand, and that it does not prove the right to create cases."""
    connect(clerk)
    shown = clerk.look("connection")
    assert "It costs one call" in shown
    assert "does not prove that the token may create cases" in shown
    assert sandbox.calls("token") == 0
    assert "accepts the token; 999,999 calls are left today" in clerk.click("connection/try").text
    assert (sandbox.calls("token"), sandbox.posts) == (1, 0)
    assert "999,999" not in clerk.look("connection")


def test_a_token_is_forgotten(clerk: Clerk, ring: OwnKeyring) -> None:
    """From then on the connection is asked for again."""
    connect(clerk)
    assert "The program has forgotten the token" in clerk.click("connection/forget").text
    assert ring.kept == {}
    assert clerk.click("propose", again="yes").url.endswith("/send/connection")


def test_without_a_keyring_the_token_is_held_in_memory(clerk: Clerk, user_folder: Path) -> None:
    """The page says so; it is used, written nowhere, and can be forgotten."""
    keyring.set_keyring(fail.Keyring())  # type: ignore[no-untyped-call]
    assert "kept in memory until the program is closed" in connect(clerk)
    assert "accepts the token" in clerk.click("connection/try").text
    assert not any(TOKEN.encode() in path.read_bytes() for path in user_folder.rglob("*") if path.is_file())
    assert "The program has forgotten the token" in clerk.click("connection/forget").text
    assert clerk.click("propose", again="yes").url.endswith("/send/connection")


UNUSABLE = (
    ({"server": ""}, "Both the server and the operation are needed."),
    ({"token": ""}, "The token is needed too"),
    ({"token": "tökén"}, "The token contains characters that no token has"),
    ({"server": "http://crm0009.wolkvox.com"}, "plain http would send the token"),
    ({"server": "<img src=x onerror=alert(1)>"}, "is not a server address"),
)


def test_what_cannot_be_used_is_said_and_kept_in_its_field(clerk: Clerk, ring: OwnKeyring) -> None:
    """Nothing is stored; what was typed stays, but for the token."""
    for changed, words in UNUSABLE:
        shown = connect(clerk, **changed)
        assert words in shown
        assert "<img" not in shown
        assert TOKEN not in shown
        assert ("The token has to be typed again" in shown) == (changed.get("token") != "")  # where one was typed
        assert 'value="demo"' in shown
        assert ring.kept == {}
        assert load_settings().server is None


@pytest.mark.usefixtures("ring")
def test_a_refused_token_leads_to_the_connection(office: Office) -> None:
    """The page says so, and the one button leads where another token is typed."""
    office.write([ticket(1)])
    with RunningSandbox(SandboxConfig(tokens=("another",))) as crm, running_page(office.journal, crm.url) as page:
        other = Clerk(page, office, crm)
        other.click("connection/save", token=TOKEN)
        shown = other.proposal()
        assert f'href="/sheets/{other.sheet.id}/send/connection">Check the connection' in shown


# ------------------------------------------------------------------------------------------------ the questions


def test_the_first_run_is_asked_about_in_the_words_of_the_page(clerk: Clerk, sandbox: RunningSandbox) -> None:
    """Nothing is chosen beforehand; no answer is asked for again; then what will happen is shown."""
    connect(clerk)
    shown = clerk.proposal()
    assert "Have these cases already been sent?" in shown
    assert "up to 4 calls of the quota" in shown
    assert "checked" not in shown
    assert (sandbox.calls("token"), sandbox.posts) == (0, 0)
    [(field, values)] = clerk.answers().items()
    assert values == ["yes", "_report", "look-first"]
    for wrong in ({}, {field: "nonsense"}, {field: "_later"}):
        assert "1 question has no answer yet" in clerk.click("answer", **wrong).text
    clerk.click("answer", **{field: "yes"})
    shown = clerk.settled()
    assert "4 cases will be created" in shown
    assert "4 of the rows, in case another computer has sent them" in shown
    assert "4 new cases" in clerk.send()
    assert sandbox.posts == 4


def test_who_does_not_know_looks_first_and_who_has_the_report_is_led_to_it(
    clerk: Clerk, sandbox: RunningSandbox
) -> None:
    """Every row is searched for before it is sent, and the page says what that costs; or the report comes first."""
    connect(clerk)
    clerk.proposal()
    [field] = clerk.answers()
    assert clerk.click("answer", **{field: "_report"}).url.endswith("/send/report")
    clerk.proposal()
    clerk.click("answer", **{field: "look-first"})
    assert "searched for all 4 rows" in clerk.settled()
    clerk.send()
    assert (sandbox.calls("query"), sandbox.posts) == (4, 4)


def test_a_mapping_that_names_the_server_is_asked_about(
    clerk: Clerk, office: Office, monkeypatch: pytest.MonkeyPatch, tunnel: Passage
) -> None:
    """The token goes nowhere before the person has said that the server is theirs; the answer is remembered."""
    monkeypatch.setenv("WOLKVOX_TOKEN", TOKEN)
    office.mapping.write_text(MAPPING + IN_MAPPING, "utf-8")
    shown = clerk.proposal()
    assert "Are this server and this operation yours?" in shown
    assert "crm0009.wolkvox.com" in shown
    assert tunnel.hosts == []
    fields = {name: values[0] for name, values in clerk.answers().items()}
    clerk.click("answer", **fields)
    assert "4 cases will be created" in clerk.settled()
    assert not load_settings().trusted
    clerk.send()
    assert load_settings().trusts("https://crm0009.wolkvox.com", "demo")
    assert "It is set in the mapping of this sheet." in clerk.look("connection")


def test_saving_what_the_mapping_names_is_agreeing_to_it(clerk: Clerk, office: Office) -> None:
    """Then only the first run is asked about, and the settings name no server for other sheets."""
    office.mapping.write_text(MAPPING + IN_MAPPING, "utf-8")
    connect(clerk)
    assert load_settings().server is None
    assert "Are this server and this operation yours?" not in clerk.proposal()


def test_rows_of_another_import_may_wait(clerk: Clerk, office: Office, sandbox: RunningSandbox) -> None:
    """How many, of which import, since when; the others go, and the question comes again until it is answered."""
    connect(clerk)
    clerk.proposal()
    clerk.click("answer", **{field: values[0] for field, values in clerk.answers().items()})
    clerk.settled()
    clerk.send()
    other = office.folder / "other.yml"
    other.write_text(MAPPING.replace("import: office", "import: other"), "utf-8")
    office.write([ticket(1), *(ticket(number) for number in range(10, 16))])
    clerk.page.office.open(office.source, other)
    shown = clerk.proposal()
    assert "1 of the 7 rows has a “Ticket” that was already sent on" in shown
    assert "with “office”. Is it the same case?" in shown
    assert "Decide later, and send the other 6 rows" in shown
    answers = {field: "yes" if "look-first" in values else "_later" for field, values in clerk.answers().items()}
    clerk.click("answer", **answers)
    assert "1 row waits for your answer to a question." in clerk.settled()
    assert "6 new cases" in clerk.send()
    assert sandbox.posts == 4 + 6
    clerk.proposal()
    [(field, values)] = clerk.answers().items()
    clerk.click("answer", **{field: next(value for value in values if value.startswith("same-as"))})
    assert "7 rows of this sheet are known now as cases of “office”." in clerk.settled()
    assert sandbox.posts == 4 + 6


def test_a_missing_token_is_said_to_be_what_is_missing(clerk: Clerk, ring: OwnKeyring) -> None:
    """Where server and operation are known, as after the program was opened again without a keyring."""
    assert "Only the token is missing" not in clerk.look("connection")
    clerk.click("connection/save", **TARGET, token=TOKEN)
    assert "Only the token is missing" not in clerk.look("connection")
    ring.kept.clear()
    assert "Only the token is missing: type it and save." in clerk.look("connection")


def test_who_leaves_what_is_typed_and_not_saved_is_asked(clerk: Clerk, browser: Browser) -> None:
    """By a link to another page; staying keeps the text, and saving asks nothing."""
    asked: list[str] = []
    with open_in(browser, clerk.page) as tab:
        tab.goto(clerk.address("connection"))
        tab.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
        tab.locator("#server").click()
        tab.keyboard.type("crm0009.wolkvox.com")
        tab.locator("ol.steps a").first.click(no_wait_after=True)
        tab.wait_for_function("document.activeElement !== null")
        assert tab.locator("#server").input_value() == "crm0009.wolkvox.com"
        assert asked == ["beforeunload"]
        tab.locator("#operation").fill("demo")
        tab.locator("#token").fill(TOKEN)
        tab.locator("form .actions button").first.click()
        tab.locator(".notice.good").wait_for()
        assert asked == ["beforeunload"]
