"""Contacts: files that are not overwritten, every spelling, ways out of dead ends (docs/scenarios.md, C)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from contacts_support import Desk, desk_at, person
from promise_support import select
from run_support import Give

from importer.crm import CircuitBreaker
from importer.model import Outcome, Verdict
from importer.sandbox import RecordRules, SandboxConfig


@pytest.fixture
def desk(tmp_path: Path, give: Give) -> Iterator[Desk]:
    """Give a desk whose simulated CRM has no contacts."""
    with desk_at(tmp_path, give) as opened:
        yield opened


@pytest.mark.parametrize("victim", ["source", "mapping"])
def test_c18_an_existing_file_is_not_overwritten(desk: Desk, victim: str) -> None:
    """`--csv` refuses a file that exists, before any call is spent, and leaves it as it was."""
    desk.write([person(1)])
    path: Path = getattr(desk.office, victim)
    before = path.read_bytes()
    ended = desk.contacts("--ask", "--yes", "--csv", str(path))
    assert ended.status == 2
    assert "exists already" in ended.err
    assert path.read_bytes() == before
    assert desk.calls == (0, 0)


@pytest.mark.parametrize("stored", ["CLIENTE1@example.com", "Cliente1@Example.com", "cliente1@example.com"])
@pytest.mark.parametrize("command", ["run", "contacts"])
def test_c3_a_contact_under_another_spelling_of_the_sheet_is_found(
    tmp_path: Path, give: Give, stored: str, command: str
) -> None:
    """Where capitals matter, each spelling of the sheet and that in small letters is searched before a creation."""
    config = SandboxConfig(contacts=(stored,), records=RecordRules(ignore_case=False))
    with desk_at(tmp_path, give, config) as desk:
        spellings = ["CLIENTE1@EXAMPLE.COM", "CLIENTE1@example.com", "Cliente1@Example.com"]
        desk.write([person(at, Correo=text) for at, text in enumerate(spellings)])
        ended = desk.run() if command == "run" else desk.contacts("--create", "--yes")
        assert ended.status == 0, ended.err
        assert desk.addresses == []  # none was created
        assert "up to 5 calls" in ended.err


def test_c3_few_spellings_are_searched_and_none_twice(tmp_path: Path, give: Give) -> None:
    """Five spellings of a sheet and the plain one are searched, however many there are, and the reserve counts them."""
    config = SandboxConfig(records=RecordRules(ignore_case=False), daily_quota=20)
    with desk_at(tmp_path, give, config) as desk:
        spellings = [f"{'ABCDEFGH'[:at]}{'abcdefgh'[at:]}@example.com" for at in range(1, 9)]
        desk.write([person(at, Correo=text) for at, text in enumerate(spellings)])
        assert desk.contacts("--ask", "--yes", "--keep-quota", "15").status == 3
        assert desk.calls == (0, 0)
        assert desk.contacts("--ask", "--yes").status == 1
        assert desk.calls == (6, 0)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_c3_an_address_is_valid_in_either_form_of_its_letters(desk: Desk, form: Literal["NFC", "NFD"]) -> None:
    """A domain whose accents are characters of their own is an address, and is the contact of the other form."""
    desk.write([person(1, Correo=unicodedata.normalize(form, "ana@peñón.co"))])
    assert desk.run().status == 0
    assert desk.addresses == ["ana@peñón.co"]


def test_c15_what_is_no_address_is_neither_asked_for_nor_written(desk: Desk, tmp_path: Path) -> None:
    """Rows without an address, or with one that is none, are named once, and cost no call and no line."""
    desk.write([person(1, Correo=""), person(2, Correo="nobody"), person(3, Correo="a b@example.com"), person(4)])
    listed = desk.contacts("--csv", str(tmp_path / "all.csv"))
    assert "3 rows name nobody by an e-mail address" in listed.out
    assert ": rows 2, 3, 4" in listed.out
    assert (tmp_path / "all.csv").read_text("utf-8").splitlines()[1:] == ["cliente4@example.com,Persona 4,4"]
    asked = desk.contacts("--ask", "--yes", "--json", "--csv", str(tmp_path / "missing.csv"))
    assert (asked.json["calls"], desk.calls, asked.json["left"]) == (1, (1, 0), 0)
    assert asked.json["left_out"] == [2, 3, 4]
    assert len((tmp_path / "missing.csv").read_text("utf-8").splitlines()) == 2


def test_c13_a_pause_of_searches_speaks_of_no_creation() -> None:
    """Searches without a readable answer create nothing, and the sentence says that the CRM could not be asked."""
    breaker = CircuitBreaker(kind="contact")
    reasons = [breaker.note(Outcome(Verdict.UNKNOWN, "cut"), asking=True) for _time in range(20)]
    paused = next(reason for reason in reasons if reason is not None)
    assert "could not be asked for a contact" in paused.message
    assert "created" not in paused.message


def test_c8_a_contact_that_was_deleted_is_made_again(desk: Desk) -> None:
    """`--deleted` is refused while the CRM shows the contact; then it is missing, by whom, and is created again."""
    desk.write([person(1)])
    desk.run()
    words = ("--by-hand", "Cliente1@example.com", "--deleted")
    refused = desk.settle(*words)
    assert (refused.status, desk.known()) == (2, [("created",)])
    assert "still shows" in refused.json["reason"]
    records = desk.office.sandbox.store.records
    (stored,) = records.all()
    records.delete(stored.module, stored.operation, [stored.wolkvox_id])
    assert desk.settle(*words).status == 0
    assert select(desk.office.journal, 'SELECT state, how, "user" IS NULL FROM contacts') == [("missing", "by-hand", 0)]
    assert desk.settle(*words).status == 2  # it is known to be missing
    desk.write([person(1), person(2, Correo="cliente1@example.com")])
    assert desk.run().status == 0
    assert desk.addresses == ["cliente1@example.com"]


@pytest.mark.parametrize("verdict", ["--exists", "--not-created"])
def test_c8_what_the_journal_does_not_know_is_said(desk: Desk, verdict: str) -> None:
    """What is no address is refused; of an address that is new to the journal it is said that nothing was in doubt."""
    desk.write([person(1)])
    desk.run()
    assert desk.settle("--by-hand", "nobody", verdict).status == 2
    assert desk.settle("--by-hand", "a@b", verdict).status == 2
    told = desk.settle("--by-hand", "new@example.com", verdict)
    assert (told.status, len(desk.known())) == (0, 2)
    assert "did not know new@example.com" in told.json["contacts"]["refusals"][0]
