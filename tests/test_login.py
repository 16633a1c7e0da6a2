"""`login` verifies an operation's token, stores it in the keyring, and shows it nowhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import pytest
from click.testing import CliRunner
from keyring.backend import KeyringBackend
from keyring.backends import fail, null
from keyring.errors import KeyringLocked, PasswordDeleteError

import importer.cli.login
from importer import settings
from importer.cli.main import case_importer
from importer.errors import ImporterError
from importer.sandbox import RunningSandbox, SandboxConfig
from importer.settings import KEYRING_SERVICE, Connection, keyring_user

TOKEN = "canary-token-77aa"
Give = Callable[..., tuple[int, str]]


class InMemory(KeyringBackend):
    """A keyring for one test, which may be locked."""

    priority = 1

    def __init__(self, *, locked: bool = False) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = locked

    def get_password(self, service: str, username: str) -> str | None:
        """Return what was stored."""
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a password, unless the keyring is locked."""
        if self.locked:
            raise KeyringLocked
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Remove a password."""
        if (service, username) not in self.kept:
            raise PasswordDeleteError
        del self.kept[service, username]


@pytest.fixture(autouse=True)
def ring(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemory]:
    """Hide the machine's own settings and keyring for one test, and provide an empty keyring."""
    for name in ("SERVER", "OPERATION", "TOKEN", "TOKEN_FILE"):
        monkeypatch.delenv(f"WOLKVOX_{name}", raising=False)
    before = keyring.get_keyring()
    made = InMemory()
    keyring.set_keyring(made)
    yield made
    keyring.set_keyring(before)


@pytest.fixture
def give(monkeypatch: pytest.MonkeyPatch) -> Give:
    """Execute `login` with typed input, or without a terminal; the token must appear nowhere."""

    def execute_login(*arguments: object, typed: str | None = TOKEN) -> tuple[int, str]:
        monkeypatch.setattr(importer.cli.login, "is_interactive", lambda: typed is not None)
        words = ["login", *map(str, arguments)]
        result = CliRunner().invoke(case_importer, words, input=f"{typed}\n", standalone_mode=False)
        if result.exception is not None and not isinstance(result.exception, ImporterError):
            raise result.exception
        shown = f"{result.output}{result.exception or ''}"
        assert TOKEN not in shown
        status = result.exception.exit_status if isinstance(result.exception, ImporterError) else result.return_value
        return status, shown

    return execute_login


def at(sandbox: RunningSandbox) -> list[str]:
    """Return the options for a sandbox."""
    return ["--server", sandbox.url, "--operation", "demo"]


def test_the_token_is_verified_and_stored_where_run_finds_it(sandbox: RunningSandbox, give: Give) -> None:
    """It takes one call, creates nothing, and from then on the token comes from the keyring."""
    status, _shown = give(*at(sandbox), typed=f"  {TOKEN} ")
    assert status == 0
    assert (sandbox.calls("token"), sandbox.posts) == (1, 0)
    assert settings.target(Connection(sandbox.url, "demo")).token == TOKEN


def test_a_token_that_the_crm_refuses_is_not_stored(ring: InMemory, give: Give) -> None:
    """Status 5: another token is needed."""
    with RunningSandbox(SandboxConfig(tokens=("another",))) as crm:
        status, _shown = give(*at(crm))
    assert (status, ring.kept) == (5, {})


def test_an_unreachable_server_stores_nothing(ring: InMemory, give: Give) -> None:
    """Status 3: an unverified token is not stored."""
    status, _shown = give("--server", "http://127.0.0.1:9", "--operation", "demo")
    assert (status, ring.kept) == (3, {})


def test_a_used_up_token_is_a_token_all_the_same(ring: InMemory, give: Give) -> None:
    """TOKEN LIMIT EXCEEDED says that the CRM knows the token."""
    with RunningSandbox(SandboxConfig(daily_quota=1)) as crm:
        assert [give(*at(crm))[0] for _time in range(2)] == [0, 0]
    assert TOKEN in ring.kept.values()


@pytest.mark.parametrize("useless", [fail.Keyring(), null.Keyring(), InMemory(locked=True)])
def test_a_machine_without_a_keyring_is_told_the_alternatives(
    useless: KeyringBackend, sandbox: RunningSandbox, give: Give
) -> None:
    """If the keyring is missing, locked or stores nothing, status is 2 and both alternatives are named."""
    keyring.set_keyring(useless)
    status, shown = give(*at(sandbox))
    assert status == 2
    assert "WOLKVOX_TOKEN_FILE" in shown
    assert sandbox.posts == 0


def test_without_a_keyring_no_token_is_asked_for(sandbox: RunningSandbox, give: Give) -> None:
    """A person does not have to type a token that cannot be stored."""
    keyring.set_keyring(fail.Keyring())
    assert "not shown" not in give(*at(sandbox))[1]
    assert sandbox.calls("token") == 0


def test_without_a_terminal_nothing_is_asked(sandbox: RunningSandbox, ring: InMemory, give: Give) -> None:
    """Status 2 with the alternatives; a token is never read from a pipe."""
    status, shown = give(*at(sandbox), typed=None)
    assert (status, ring.kept) == (2, {})
    assert "WOLKVOX_TOKEN" in shown


@pytest.mark.parametrize("typed", ["two\tparts", "tökén"])
def test_what_cannot_be_a_token_is_refused_unsent(
    typed: str, sandbox: RunningSandbox, ring: InMemory, give: Give
) -> None:
    """Status 2, before any call."""
    status, shown = give(*at(sandbox), typed=typed)
    assert (status, ring.kept, sandbox.calls("token")) == (2, {}, 0)
    assert typed not in shown


def test_forgotten_means_gone(sandbox: RunningSandbox, ring: InMemory, give: Give) -> None:
    """`--forget` removes only this operation's token, and says so if there is none."""
    ring.kept[KEYRING_SERVICE, keyring_user(sandbox.url, "other")] = "kept"
    give(*at(sandbox))
    assert give(*at(sandbox), "--forget")[0] == 0
    assert list(ring.kept.values()) == ["kept"]
    status, shown = give(*at(sandbox), "--forget")
    assert status == 0
    assert "no token" in shown


def test_server_and_operation_may_stand_in_the_mapping(
    sandbox: RunningSandbox, tmp_path: Path, ring: InMemory, give: Give
) -> None:
    """As for `run`, the mapping's target counts unless an option overrides it; what is missing is named."""
    mapping = tmp_path / "mapping.yml"
    target = f"target: {{server: '{sandbox.url}', operation: demo}}\n"
    fields = "".join(
        f"  {name}: x\n"
        for name in ("case-type", "responsible", "owner", "contact", "description", "status", "priority")
    )
    mapping.write_text(f"version: 1\nimport: one\n{target}source: {{key: A}}\nfields:\n{fields}", "utf-8")
    assert give("-m", mapping)[0] == 0
    assert list(ring.kept) == [(KEYRING_SERVICE, keyring_user(sandbox.url, "demo"))]
    status, shown = give()
    assert status == 2
    assert "--server" in shown


def test_a_token_in_the_environment_is_said_to_outrank(
    sandbox: RunningSandbox, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person who stores a token is warned that the environment's is used instead."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "another")
    assert "WOLKVOX_TOKEN is set" in give(*at(sandbox))[1]
