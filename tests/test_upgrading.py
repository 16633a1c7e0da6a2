"""The pages on questions and on upgrading show what the program does."""

from __future__ import annotations

import os
import re
import ssl
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import keyring
import keyring.backends.fail
import pytest
import trustme
from passage import Passage
from run_support import MAPPING, Give, Office, ticket

from importer.cli import options
from importer.cli.main import COMMANDS, case_importer
from importer.settings import load_settings, settings_path

DOCS = Path(__file__).parent.parent / "docs"
UPGRADING, QUESTIONS = (DOCS / name for name in ("upgrading.md", "questions.md"))


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hide the machine's own keyring and environment for one test."""
    for name in ("WOLKVOX_SERVER", "WOLKVOX_OPERATION", "WOLKVOX_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def tunnel(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[Passage]:
    """Route every https host to the sandbox, whose certificate the settings' bundle contains."""
    authority = trustme.CA()

    def certificate(host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host).configure_cert(context)
        return context

    bundle = office.folder / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    settings_path().parent.mkdir(parents=True)
    with Passage(office.sandbox.url, certificate) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        settings_path().write_text(f'ca_file = "{bundle}"\n', "utf-8")
        yield proxy


def blocks(page: Path, kind: str) -> list[str]:
    """Return the code blocks of one kind in a page."""
    return re.findall(rf"^```{kind}\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", [UPGRADING, QUESTIONS], ids=lambda path: path.name)
def test_every_option_that_the_page_names_exists(page: Path) -> None:
    """Each option of the page belongs to a command."""
    context = click.Context(case_importer)
    commands = [case_importer.get_command(context, name) for name in COMMANDS]
    known = {option for command in commands if command for one in command.params for option in one.opts}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page.read_text("utf-8"))) <= known


def test_both_pages_name_every_option_that_answers_a_question() -> None:
    """Every option that answers a question is in both pages."""

    @options.answers
    def command() -> None:
        """Do nothing."""

    names = {name for param in getattr(command, "__click_params__", []) for name in param.opts} | {"--yes"}
    for page in (UPGRADING, QUESTIONS):
        assert names <= set(re.findall(r"--[a-z][a-z-]+", page.read_text("utf-8"))), page.name


def test_the_nightly_commands_do_what_the_page_says(
    office: Office, give: Give, tunnel: Passage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first night needs the options; later the second command is enough."""
    monkeypatch.chdir(office.folder)
    mapped = office.folder / "mappings"
    mapped.mkdir()
    (office.folder.parent / "lists").mkdir(exist_ok=True)
    lists = office.folder / "lists"
    lists.mkdir()
    (lists / "agents.csv").write_text("name,mail\nAlta,Alta\n", "utf-8")
    sources = office.folder / "sources"
    sources.mkdir()
    lookup = f"default: Media, lookup: {{file: '{lists / 'agents.csv'}', key: name, value: mail}},"
    target = "target: {server: crm0009.wolkvox.com, operation: demo}\n"
    office.write([ticket(1), ticket(2)])
    office.source.rename(sources / "tickets.csv")
    (mapped / "mapping.yml").write_text(MAPPING.replace("default: Media,", lookup) + target, "utf-8")
    nights = re.findall(r"^\$ case-importer (run .*)$", blocks(UPGRADING, "console")[0], re.MULTILINE)
    assert len(nights) == 2
    here = {"tickets.csv": "sources/tickets.csv", "mapping.yml": "mappings/mapping.yml"}
    first, later = ([here.get(word, word) for word in night.split()] for night in nights)
    refused = give(later)
    assert (refused.status, tunnel.hosts) == (2, [])
    assert give(first).status == 0
    with (sources / "tickets.csv").open("a", encoding="utf-8") as file:
        file.write(",".join(ticket(3).values()) + "\n")
    assert give(later).status == 0
    assert office.sandbox.posts == 3


def test_the_settings_that_the_page_shows_are_understood() -> None:
    """Every key of the example is known, and does what the comment beside it says."""
    shown = blocks(QUESTIONS, "toml")[0]
    settings_path().parent.mkdir(parents=True)
    settings_path().write_text(shown, "utf-8")
    found = load_settings()
    assert (found.server, found.operation) == ("https://crm0001.wolkvox.com", "my_operation")
    assert found.trusts("https://crm0002.wolkvox.com", "other_operation")
    assert {"folders", "trusted", "journal", "token_file", "proxy", "case_url"} <= set(tomllib.loads(shown))


@pytest.mark.skipif(os.name != "posix", reason="the rights of a file are POSIX's")
def test_a_token_file_of_the_settings_is_used(
    office: Office, give: Give, tunnel: Passage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token file of mode 600 that the settings name is used; one that others can read is refused."""
    monkeypatch.delenv("WOLKVOX_TOKEN")
    with settings_path().open("a", encoding="utf-8") as file:
        file.write(blocks(UPGRADING, "toml")[0])
    token = settings_path().parent / "token"
    token.write_text("from-the-file\n", "utf-8")
    token.chmod(0o600)
    where = ["--server", "crm0009.wolkvox.com", "--operation", "demo"]
    assert give(["doctor", *where]).status == 0
    assert all(b"from-the-file" in one.head for one in tunnel.passed if b"tokenInformation" in one.head)
    calls = len(tunnel.hosts)
    token.chmod(0o640)
    office.write([ticket(1)])
    refused = give(["run", str(office.source), "-m", str(office.mapping), "--yes", "--first-run", *where])
    assert (refused.status, len(tunnel.hosts)) == (2, calls)
    assert f"chmod 600 {token}" in refused.err
