"""The settings file: what it says, what is refused with its location, and the answers that are added to it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import keyring
import keyring.backends.fail
import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer import settings
from importer.errors import SettingsError
from importer.settings import Connection, Trusted, allow_folder, load_settings, settings_path, trust
from importer.workflow.job import journal_path

CRM = "https://crm0001.wolkvox.com"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hide the machine's own settings and keyring for one test."""
    for name in ("WOLKVOX_SERVER", "WOLKVOX_OPERATION", "WOLKVOX_TOKEN", "WOLKVOX_TOKEN_FILE", "WOLKVOX_CASE_URL"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    yield
    keyring.set_keyring(before)


def write(text: str) -> Path:
    """Write the settings file, and return its path."""
    path = settings_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def token_file(name: str, token: str) -> Path:
    """Write a token that only its owner may read, beside the settings file."""
    path = settings_path().parent / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(token, "utf-8")
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('server = "crm0001.wolkvox.com"\nserver = 1\n', "line 2"),
        ('sever = "crm0001.wolkvox.com"\n', "sever (did you mean server?)"),
        ("folders = 3\n", "folders"),
        ('folders = [""]\n', "folders"),
        ("operation = 7\n", "operation"),
        ('server = "https://user@crm/x"\n', "https://user@crm/x"),
        ('trusted = ["crm0001.wolkvox.com"]\n', "[[trusted]]"),
        ('[[trusted]]\nserver = "crm0001.wolkvox.com"\n', "both server and operation"),
        ('[[trusted]]\nserver = "a.b"\noperation = "o"\ntokenfile = "x"\n', "trusted: unknown keys: tokenfile"),
        ('token = "abc"\n', "token (did you mean token_file?)"),
    ],
)
def test_what_cannot_be_understood_is_named_with_the_file(text: str, words: str) -> None:
    """The sentence names the file, and the line or the key, with the names that it may have meant."""
    path = write(text)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(path) in str(caught.value)
    assert words in str(caught.value)


@given(st.text(max_size=80) | st.binary(max_size=80))
def test_no_content_of_the_file_is_a_fault_of_ours(content: str | bytes) -> None:
    """No content causes an internal error: it is understood, or refused with a sentence."""
    path = settings_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content)
    try:
        load_settings()
    except SettingsError as error:
        assert str(path) in str(error)  # noqa: PT017 - either way is right


def test_answers_are_added_and_everything_else_is_kept() -> None:
    """Comments, order and keys stay; nothing is added twice; only the owner can read the file."""
    path = write('# mine\noperation = "demo"   # the usual one\nfolders = ["/a"]  # lists\n')
    for _time in range(2):
        trust(CRM, "demo")
        allow_folder(Path("/b c"))
    text = path.read_text("utf-8")
    assert text.startswith('# mine\noperation = "demo"   # the usual one\n')
    assert "# lists" in text
    found = load_settings()
    assert (found.folders, found.trusted) == ((Path("/a"), Path("/b c")), (Trusted(CRM, "demo"),))
    trust(CRM, "other")
    assert len(load_settings().trusted) == 2
    assert os.name != "posix" or path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == [path.name]


@given(st.text(min_size=1, max_size=20, alphabet=st.characters(exclude_characters="\0", exclude_categories=("Cs",))))
def test_any_operation_and_folder_that_is_remembered_is_found_again(name: str) -> None:
    """Quotes, line breaks and other scripts are read back unchanged."""
    settings_path().unlink(missing_ok=True)
    folder = Path("/") / name
    operation = f"o{name}"
    trust(CRM, operation)
    allow_folder(folder)
    assert load_settings().trusts(CRM, operation)
    assert load_settings().folders == (folder,)


def test_an_inline_list_of_trusted_places_is_added_to() -> None:
    """An answer is also added to a list that a person wrote on one line."""
    write(f'trusted = [{{server = "{CRM}", operation = "a"}}]\n')
    trust(CRM, "b")
    assert [one.operation for one in load_settings().trusted] == ["a", "b"]


def test_the_file_ranks_between_environment_and_mapping(monkeypatch: pytest.MonkeyPatch) -> None:
    """An option takes precedence over the environment, that over the settings file, and that over the mapping."""
    write('server = "crm0002.wolkvox.com"\noperation = "file"\n')
    mapped = Connection("crm0003.wolkvox.com", "mapped")
    assert settings.server_and_operation(Connection(), mapped) == ("https://crm0002.wolkvox.com", "file")
    monkeypatch.setenv("WOLKVOX_OPERATION", "around")
    assert settings.server_and_operation(Connection(), mapped) == ("https://crm0002.wolkvox.com", "around")
    assert settings.server_and_operation(Connection(CRM), mapped) == (CRM, "around")


def test_x5_a_token_belongs_to_a_server_and_an_operation() -> None:
    """Each server and operation has its own file; the one at the top is for the pair beside it."""
    token_file("one", "token-one")
    token_file("two", "token-two")
    write(
        f'server = "{CRM}"\noperation = "one"\ntoken_file = "one"\n'
        f'[[trusted]]\nserver = "{CRM}"\noperation = "two"\ntoken_file = "two"\n'
    )
    assert settings.target(Connection(CRM, "one")).token == "token-one"
    assert settings.target(Connection(CRM, "two")).token == "token-two"
    for connection in (Connection(CRM, "three"), Connection("crm0002.wolkvox.com", "one")):
        with pytest.raises(SettingsError, match="There is no token"):
            settings.target(connection)


@pytest.mark.skipif(os.name != "posix", reason="the rights of a file are POSIX's")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_token_file_that_others_may_read_is_refused(mode: int) -> None:
    """The sentence says how to fix it, and does not show the token."""
    path = token_file("token", "canary-token")
    write('token_file = "token"\n')
    assert settings.target(Connection(CRM, "o")).token == "canary-token"
    path.chmod(mode)
    with pytest.raises(SettingsError) as caught:
        settings.target(Connection(CRM, "o"))
    assert f"chmod 600 {path}" in str(caught.value)
    assert "canary" not in str(caught.value)


def test_proxy_certificates_journal_and_address_come_from_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """An option and the environment take precedence; relative paths start at the file's folder."""
    folder = settings_path().parent
    token_file("token", "t")
    (folder / "ca.pem").write_text("", "utf-8")
    write(
        'token_file = "token"\nproxy = "http://p:1"\nca_file = "ca.pem"\njournal = "j.db"\n'
        'case_url = "https://crm/{wolkvox_id}"\n'
    )
    target = settings.target(Connection(CRM, "o"))
    assert (target.proxy, target.ca_file) == ("http://p:1", folder / "ca.pem")
    assert settings.target(Connection(CRM, "o", proxy="http://q:2")).proxy == "http://q:2"
    monkeypatch.setenv("HTTPS_PROXY", "http://around:3")
    assert settings.target(Connection(CRM, "o")).proxy is None  # the client takes the environment's
    assert (journal_path(None), journal_path(Path("k.db"))) == (folder / "j.db", Path("k.db"))
    assert settings.case_url() == "https://crm/{wolkvox_id}"
    (folder / "ca.pem").unlink()
    with pytest.raises(SettingsError, match=r"ca\.pem"):
        settings.target(Connection(CRM, "o"))
