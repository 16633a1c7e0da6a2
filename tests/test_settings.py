"""Settings: where server, operation and token come from, and what is refused, with the remedy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.backends.fail
import pytest
from keyring.errors import KeyringLocked

from importer import settings
from importer.errors import SettingsError
from importer.settings import Connection

CONNECTION = Connection("crm0001.wolkvox.com", "op")


class InMemory(keyring.backend.KeyringBackend):
    """A keyring in memory, which may be locked."""

    priority = 1

    def __init__(self, *, locked: bool = False) -> None:
        super().__init__()
        self.passwords: dict[tuple[str, str], str] = {}
        self.locked = locked

    def get_password(self, service: str, username: str) -> str | None:
        """Return what was stored."""
        if self.locked:
            raise KeyringLocked
        return self.passwords.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store a password."""
        self.passwords[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        """Remove a password."""
        del self.passwords[service, username]


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hide the machine's own settings and keyring for one test."""
    for name in ("SERVER", "OPERATION", "TOKEN", "TOKEN_FILE"):
        monkeypatch.delenv(f"WOLKVOX_{name}", raising=False)
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    yield
    keyring.set_keyring(before)


def refusal(connection: Connection) -> str:
    """Return the sentence with which a connection is refused."""
    with pytest.raises(SettingsError) as caught:
        settings.target(connection)
    assert caught.value.exit_status == 2
    return str(caught.value)


def test_a_flag_outranks_the_environment_and_that_the_mapping(monkeypatch: pytest.MonkeyPatch) -> None:
    """An option outranks the environment, which outranks the mapping; without any, the value is None."""
    mapped = Connection("crm0003.wolkvox.com", "mapped")
    assert settings.server_and_operation(Connection()) == (None, None)
    assert settings.server_and_operation(Connection(), mapped) == ("https://crm0003.wolkvox.com", "mapped")
    monkeypatch.setenv("WOLKVOX_SERVER", "crm0002.wolkvox.com")
    monkeypatch.setenv("WOLKVOX_OPERATION", "around")
    assert settings.server_and_operation(Connection(), mapped) == ("https://crm0002.wolkvox.com", "around")
    assert settings.server_and_operation(CONNECTION, mapped) == ("https://crm0001.wolkvox.com", "op")


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("crm0001.wolkvox.com", "https://crm0001.wolkvox.com"),
        (" https://CRM0001.wolkvox.com/ ", "https://crm0001.wolkvox.com"),
        ("https://crm0001.wolkvox.com.", "https://crm0001.wolkvox.com"),
        ("crm0001.wolkvox.com:8443", "https://crm0001.wolkvox.com:8443"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080/", "http://localhost:8080"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("https://10.0.0.7", "https://10.0.0.7"),
    ],
)
def test_an_address_has_one_form(written: str, address: str) -> None:
    """Every spelling of a host becomes scheme, host and port."""
    assert settings.normal_server(written) == address


@pytest.mark.parametrize(
    "written",
    [
        "https://crm0001.wolkvox.com/app/#/login",
        "https://crm0001.wolkvox.com?x=1",
        "https://crm0001.wolkvox.com#x",
        "https://user:secret@crm0001.wolkvox.com",
        "https://:secret@crm0001.wolkvox.com",
        "ftp://crm0001.wolkvox.com",
        "crm0001.wolkvox.com:99999",
        "crm0001.wolkvox.com:port",
        "crm 0001.wolkvox.com",
        "my wolkvox",
        "https://",
        "https://[::1",
        "http:/crm0001.wolkvox.com",
        "..",
    ],
)
def test_what_is_no_address_is_refused_with_what_to_give(written: str) -> None:
    """A page's address, credentials, another scheme or a bad port is refused with the host to give."""
    sentence = refusal(Connection(written, "op"))
    assert sentence.startswith(written)
    assert "crm0001.wolkvox.com" in sentence
    assert "browser" in sentence


@pytest.mark.parametrize(
    "host", ["crm0001.wolkvox.com", "192.168.1.7", "127.0.0.1.example.com", "localhost.example.com"]
)
def test_plain_http_is_refused_for_any_host_that_is_not_this_computer(host: str) -> None:
    """The token never travels unencrypted; the sentence gives the address to use."""
    sentence = refusal(Connection(f"http://{host}", "op"))
    assert "plain http" in sentence
    assert f"https://{host}" in sentence


@pytest.mark.parametrize(
    ("server", "loopback"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://127.8.9.1", True),
        ("http://[::1]:8080", True),
        ("localhost", True),
        ("::1", True),
        ("https://crm0001.wolkvox.com", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_what_is_loopback(server: str, loopback: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """Only addresses of this computer itself are loopback."""
    assert settings.is_loopback(server) is loopback


def test_a_missing_server_operation_or_certificate_file_is_answered_with_the_ways_to_name_it(tmp_path: Path) -> None:
    """Each sentence names the flag, the variable and the key of the mapping."""
    for connection, name in ((Connection(operation="op"), "server"), (Connection("crm0001.wolkvox.com"), "operation")):
        sentence = refusal(connection)
        assert f"--{name}" in sentence
        assert f"WOLKVOX_{name.upper()}" in sentence
        assert "target:" in sentence
    missing = tmp_path / "ca.pem"
    sentence = refusal(Connection("crm0001.wolkvox.com", "op", ca_file=missing))
    assert str(missing) in sentence
    assert "--ca-file" in sentence


@pytest.mark.parametrize(
    "connection", [Connection("crm0001.wolkvox.com", "op\udcf1"), Connection("crm\udcf1.com", "op")]
)
def test_a_name_that_is_no_text_is_refused_with_a_sentence(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes of a command line that are not UTF-8 are refused with a sentence that can be printed."""
    sentence = refusal(connection)
    assert "UTF-8" in sentence
    assert "option" in sentence
    sentence.encode()
    with pytest.raises(SettingsError):
        settings.server_question(Connection(), connection)
    monkeypatch.setenv("WOLKVOX_OPERATION", "op\udcf1")
    assert "environment" in refusal(Connection("crm0001.wolkvox.com"))


def test_the_token_is_found_in_its_places_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The order is: the named variable, `WOLKVOX_TOKEN`, the file, the keyring."""
    kept = InMemory()
    keyring.set_keyring(kept)
    user = settings.keyring_user("https://crm0001.wolkvox.com", "op")
    assert user == "op@crm0001.wolkvox.com"
    keyring.set_password(settings.KEYRING_SERVICE, user, "from-keyring")
    assert settings.target(CONNECTION).token == "from-keyring"
    file = tmp_path / "token.txt"
    file.write_text("from-file\r\n", encoding="utf-8-sig")
    monkeypatch.setenv("WOLKVOX_TOKEN_FILE", str(file))
    assert settings.target(CONNECTION).token == "from-file"
    monkeypatch.setenv("WOLKVOX_TOKEN", " from-variable ")
    assert settings.target(CONNECTION).token == "from-variable"
    monkeypatch.setenv("OTHER", "from-named")
    assert settings.target(Connection("crm0001.wolkvox.com", "op", token_env="OTHER")).token == "from-named"


def test_the_keyring_tells_servers_and_operations_apart() -> None:
    """A token is not used for another operation or server."""
    keyring.set_keyring(InMemory())
    keyring.set_password(settings.KEYRING_SERVICE, "op@crm0001.wolkvox.com", "secret")
    assert "operation other" in refusal(Connection("crm0001.wolkvox.com", "other"))
    assert "no token" in refusal(Connection("crm0002.wolkvox.com", "op"))


@pytest.mark.parametrize("absent", [keyring.backends.fail.Keyring(), InMemory(locked=True), InMemory()])
def test_no_keyring_reads_as_no_token(absent: keyring.backend.KeyringBackend) -> None:
    """Without a usable keyring the sentence says how to provide a token, without a traceback."""
    keyring.set_keyring(absent)
    sentence = refusal(CONNECTION)
    assert "case-importer login --server https://crm0001.wolkvox.com --operation op" in sentence
    assert "WOLKVOX_TOKEN" in sentence
    assert "Internal" in sentence


def test_a_named_variable_that_is_empty_is_not_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--token-env` names the only source; no other token replaces an empty one."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "another")
    assert "OTHER (--token-env)" in refusal(Connection("crm0001.wolkvox.com", "op", token_env="OTHER"))


def test_a_named_token_file_that_is_missing_empty_or_no_text_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The named file is the source, and the sentence says what is wrong with it."""
    file = tmp_path / "token.txt"
    monkeypatch.setenv("WOLKVOX_TOKEN_FILE", str(file))
    for content in (None, b" \n", b"\xff\xfe\x00"):
        if content is not None:
            file.write_bytes(content)
        sentence = refusal(CONNECTION)
        assert str(file) in sentence
        assert "WOLKVOX_TOKEN_FILE" in sentence


@pytest.mark.parametrize("token", ["se\ncret", "señal", "abc\x01"])
def test_x3_a_token_that_no_header_can_carry_is_refused_without_showing_it(
    token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Line breaks and accents come from copying; the sentence does not repeat the token."""
    monkeypatch.setenv("WOLKVOX_TOKEN", token)
    sentence = refusal(CONNECTION)
    assert "Copy it again" in sentence
    assert token not in sentence


def test_x3_the_token_does_not_show_in_a_representation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither `repr` nor `str` of the target contains it, so no log line or traceback can."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "canary-7f3a")
    target = settings.target(CONNECTION)
    assert target.token == "canary-7f3a"
    assert "canary" not in repr(target)
    assert "canary" not in str(target)
