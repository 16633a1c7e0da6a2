"""Where a journal is: a file or a server, from which of the places that may say it, and never shown with a password."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from run_support import Give, Office

from importer.errors import JournalError, SettingsError, UsageError
from importer.journal import Journal
from importer.journal_place import Place, Server, folder_of, parse_place
from importer.settings.file import load_settings, settings_path
from importer.workflow.job import journal_path

SECRET = "canary"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("postgresql://ana@db.example.com/journal", None),
        ("postgres://ana@db.example.com/journal", "postgresql://ana@db.example.com/journal"),
        ("postgresql://db.example.com:5433/journal?sslmode=verify-full&sslrootcert=/etc/ca.pem", None),
        ("postgresql:///journal?host=/run/postgresql", None),
        ("postgresql://ana@one:1,two:2/journal?target_session_attrs=read-write", None),
        ("postgresql://ana:@one/journal", "postgresql://ana@one/journal"),
        ("postgresql://?service=office", None),
        ("postgresql://[::1]:5432/journal", None),
    ],
)
def test_an_address_is_shown_as_it_was_given(text: str, shown: str | None) -> None:
    """The rest of the program sees one spelling; equal places are equal."""
    place = parse_place(text)
    assert isinstance(place, Server)
    assert str(place) == (shown or text)
    assert place == parse_place(str(place))


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://ana:{SECRET}@db/journal",
        f"postgresql://ana@db/journal?password={SECRET}",
        f"postgresql://ana@db/journal?sslmode=require&sslpassword={SECRET}",
        f"postgres://ana:{SECRET}%40@db/journal",
    ],
)
@pytest.mark.parametrize("show", [str, repr, lambda place: f"{place}", lambda place: json.dumps(str(place))])
def test_m2_a_password_is_refused_in_an_option_and_never_shown(text: str, show: Callable[[Place], str]) -> None:
    """In the environment it may be; wherever the place is shown, it is without."""
    with pytest.raises(UsageError, match=r"\.pgpass") as refused:
        parse_place(text)
    assert SECRET not in str(refused.value)
    place = parse_place(text, may_hold_password=True)
    assert isinstance(place, Server)
    assert SECRET not in show(place)
    assert SECRET in place.url


@pytest.mark.parametrize(
    "text",
    [
        *(
            "postgresql:/db/journal",
            "postgresql+psycopg://db/journal",
            "postgresql:db",
            "postgresql://[::1/x",
            "postgres:",
        ),
        *(f"postgresql://ana:{part}{SECRET}@db/journal" for part in ("a/", "1/", "1?x=", "a#", "a?")),
        f"postgresql://ana:{SECRET}/journal",
    ],
)
def test_m2_what_is_no_address_is_no_file_either(text: str) -> None:
    """A slip of the pen makes no folder `postgresql:`; the sentence shows how an address is written."""
    for may_hold_password in (False, True):
        with pytest.raises(UsageError, match="postgresql://user@host/database") as refused:
            parse_place(text, may_hold_password=may_hold_password)
        assert SECRET not in str(refused.value)


@pytest.mark.parametrize(
    "text",
    [
        *(
            f"{scheme}ana:{SECRET}@h/j2"
            for scheme in ("mysql://", "http://", "jdbc:postgresql://", "mysql:/", "MySQL:\\\\")
        ),
        *(
            f"{scheme}ana:{SECRET}@h/j2"
            for scheme in ("postgres//", "postgresql;//", "postgre//", "pg//", "//", "", "'postgres://")
        ),
        *(f"{scheme}h/{SECRET}" for scheme in ("sqlite:///", "file://", "postgres//", "postgresql //", "://")),
        *(f"ana@h/{SECRET}", f"ana@h:5432/{SECRET}", f"ana:{SECRET}@h", f"ana:{SECRET}@h:5432"),
        *(f"host=h dbname=j2 password={SECRET}", f"user=ana password = {SECRET}", f"dbname={SECRET}"),
    ],
)
def test_m2_what_is_nearly_an_address_is_no_file(
    give: Give, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, text: str
) -> None:
    """Wherever it is written: exit status 2, the password is not shown, and no folder gets its name."""
    for may_hold_password in (False, True):
        with pytest.raises(UsageError, match=r"looks like an address|postgresql://user@host/database") as refused:
            parse_place(text, may_hold_password=may_hold_password)
        assert SECRET not in str(refused.value)
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WOLKVOX_JOURNAL", text)
    told = give(["history"])
    assert (told.status, SECRET in told.out + told.err, sorted(tmp_path.rglob("*"))) == (2, False, before)
    monkeypatch.delenv("WOLKVOX_JOURNAL")
    settings_path().parent.mkdir(parents=True)
    settings_path().write_text(f"journal = {json.dumps(text)}", "utf-8")
    with pytest.raises(SettingsError) as refused_settings:
        load_settings()
    assert SECRET not in str(refused_settings.value)


@pytest.mark.parametrize(
    "text",
    [
        *("j.db", "data/j.db", "data//j.db", "./ana@h/j.db", "../x:y@z/j.db", "~/j.db", "postgres/j.db", "postgres.db"),
        *("/var/j.db", "/home/ana@office.com/j.db", "//share/x/j.db", "/cwd/mysql:/ana:pw@h/j2", "ana@office.db"),
        *("C:\\Users\\ana@office.com\\j.db", "c:/data/j.db", "C://data//j.db", "\\\\server\\share\\j.db"),
    ],
)
def test_m2_a_path_stays_a_path(text: str) -> None:
    """Relative, absolute, of Windows or of a share; `./` before it makes a path of anything."""
    assert parse_place(text) == Path(text)


def test_m2_an_address_that_postgresql_does_not_understand_is_not_quoted() -> None:
    """Its library's own words would quote the password."""
    place = parse_place(f"postgresql://ana:%zz{SECRET}@db/journal", may_hold_password=True)
    with pytest.raises(JournalError, match="does not understand this address") as refused:
        Journal(place)
    assert SECRET not in str(refused.value)


def test_m2_a_setting_that_no_address_has_is_named() -> None:
    """It could be a secret, or a slip."""
    with pytest.raises(UsageError, match="colour is not a setting"):
        parse_place("postgresql://db/journal?colour=blue")


def test_m2_option_environment_and_settings_say_where_the_journal_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, user_folder: Path
) -> None:
    """In this order; a password may be in the environment alone."""
    by_default = journal_path(None)
    assert isinstance(by_default, Path)
    assert user_folder in by_default.parents
    settings_path().parent.mkdir(parents=True)
    settings_path().write_text('journal = "postgresql://ana@db/settings"', "utf-8")
    assert str(journal_path(None)) == "postgresql://ana@db/settings"
    assert folder_of(journal_path(None)) == by_default.parent
    monkeypatch.setenv("WOLKVOX_JOURNAL", f"postgresql://ana:{SECRET}@db/environment")
    assert str(journal_path(None)) == "postgresql://ana@db/environment"
    assert journal_path(tmp_path / "j.db") == tmp_path / "j.db"
    monkeypatch.setenv("WOLKVOX_JOURNAL", str(tmp_path / "file.db"))
    assert journal_path(None) == tmp_path / "file.db"
    settings_path().write_text(f'journal = "postgresql://ana:{SECRET}@db/settings"', "utf-8")
    with pytest.raises(SettingsError, match="password") as refused:
        load_settings()
    assert SECRET not in str(refused.value)


def test_m2_a_command_says_what_is_wrong_with_a_password_in_it(office: Office, give: Give) -> None:
    """Exit status 2, as for any option that cannot be; nothing is sent, and nothing shows it."""
    office.write([])
    refused = give([*office.arguments("check"), "--journal", f"postgresql://ana:{SECRET}@db/journal"])
    assert refused.status == 2
    assert "history" in refused.err
    assert SECRET not in refused.out + refused.err
