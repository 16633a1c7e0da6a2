"""Contacts: files that are not overwritten, every spelling, ways out of dead ends (docs/scenarios.md, C)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path

import promise_support
import pytest
from contacts_support import CREATING, Desk, desk_at, person
from promise_support import select
from run_support import MAPPING, Give

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


@pytest.mark.parametrize("command", ["run", "contacts"])
def test_c3_a_contact_under_another_spelling_of_the_sheet_is_found(tmp_path: Path, give: Give, command: str) -> None:
    """Where capitals matter, each spelling of the sheet and that in small letters is searched before a creation."""
    stored = ("CLIENTE1@example.com", "Cliente2@Example.com", "cliente3@example.com")
    config = SandboxConfig(contacts=stored, records=RecordRules(ignore_case=False))
    with desk_at(tmp_path, give, config) as desk:
        spellings = ["CLIENTE{}@EXAMPLE.COM", "CLIENTE{}@example.com", "Cliente{}@Example.com"]
        texts = [text.format(number) for number in (1, 2, 3) for text in spellings]
        desk.write([person(at, Correo=text) for at, text in enumerate(texts)])
        ended = desk.run() if command == "run" else desk.contacts("--create", "--yes")
        assert ended.status == 0, ended.err
        assert desk.addresses == []  # none was created
        assert "up to 15 calls" in ended.err


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


def test_c3_an_address_is_valid_in_either_form_of_its_letters(desk: Desk) -> None:
    """A domain whose accents are characters of their own is an address, and is the contact of the other form."""
    composed, apart = (unicodedata.normalize(form, "@peñón.co") for form in ("NFC", "NFD"))
    desk.write([person(1, Correo=f"ana{composed}"), person(2, Correo=f"luis{apart}")])
    assert desk.run().status == 0
    assert desk.addresses == ["ana@peñón.co", "luis@peñón.co"]


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


def test_c8_what_the_journal_does_not_know_is_said(desk: Desk) -> None:
    """What is no address is refused; of an address that is new to the journal it is said that nothing was in doubt."""
    desk.write([person(1)])
    desk.run()
    for known, verdict in enumerate(("--exists", "--not-created"), 2):
        assert desk.settle("--by-hand", "nobody", verdict).status == 2
        assert desk.settle("--by-hand", "a@b", verdict).status == 2
        told = desk.settle("--by-hand", f"new{known}@example.com", verdict)
        assert (told.status, len(desk.known())) == (0, known)
        assert f"did not know new{known}@example.com" in told.json["contacts"]["refusals"][0]


NEVER = CREATING.replace("create: missing", "create: never")


@pytest.mark.parametrize("mapping", [NEVER, MAPPING], ids=["never", "no contacts in the mapping"])
def test_c18_contacts_of_rejected_rows_are_created_and_the_next_step_sends_the_rows(desk: Desk, mapping: str) -> None:
    """Every command after "contact does not exist" names the one that goes on, until the rows are sent."""
    desk.write([person(1), person(2), person(3, Correo="cliente1@example.com")], mapping)
    assert (desk.run().status, desk.cases) == (1, [])
    asked = desk.contacts("--ask", "--yes")
    assert (asked.status, "--create" in asked.out.splitlines()[-1]) == (1, True)
    made = desk.contacts("--create", "--yes", "--json")
    assert (made.status, sorted(desk.addresses)) == (0, ["cliente1@example.com", "cliente2@example.com"])
    assert ["3 rows" in step and "run " in step and "--retry-rejected`" in step for step in made.json["steps"]] == [
        True
    ]
    assert desk.contacts().out.splitlines()[-1] == f"Next: {made.json['steps'][0]}"
    assert (desk.run("--retry-rejected").status, len(desk.cases)) == (0, 3)
    assert desk.contacts("--json").json["steps"] == []


def test_c18_contacts_of_rejected_rows_have_the_fields_of_rows_that_go_first(desk: Desk) -> None:
    """Where rows differ, the row that the next run sends says what a contact is, not one that was rejected."""
    desk.write([person(1)], NEVER)
    desk.run()
    desk.write([person(1), person(2, Correo="cliente1@example.com", Nombre="Ana")], NEVER)
    desk.contacts("--create", "--yes")
    assert [one.fields["namecontact"] for one in desk.office.sandbox.store.records.all()] == ["Ana"]


def test_c18_why_a_missing_contact_is_not_created_is_said(desk: Desk) -> None:
    """`--create` says of each contact that stays missing why, and which command leads on."""
    rows = [person(1), person(2)]
    desk.write(rows, NEVER)
    desk.contacts("--ask", "--yes")
    desk.write([person(1, Estado="Tal vez"), person(2, Nombre="")], NEVER)
    made = desk.contacts("--create", "--yes")
    assert (made.status, desk.addresses) == (1, [])
    last = made.out.splitlines()[-1]
    assert "2 contacts" in last
    assert "cliente1@example.com" in last
    assert "check " in last


def test_c18_words_of_contacts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A contact that was created is called so, and is no created case."""
    desk.write([person(1)])
    desk.run()
    monkeypatch.setenv("CASE_IMPORTER_LANG", "es")
    lines = desk.contacts().out.splitlines()
    assert lines == ["cliente1@example.com: contacto creado (fila 2)", "1 contacto: contacto creado 1"]


def test_c18_contacts_that_are_not_valid_are_named_and_not_written(desk: Desk, tmp_path: Path) -> None:
    """The file for the CRM's upload lacks contacts whose own cells have issues, and the command names them."""
    mapping = CREATING.replace("idcontact: {column: Cédula}", "idcontact: {column: Cédula, max_length: 5}")
    desk.write([person(1), person(2, Nombre=""), person(3, Cédula="123456"), person(4, Estado="Tal vez")], mapping)
    path = tmp_path / "all.csv"
    written = desk.contacts("--csv", str(path))
    assert [line.split(",")[0] for line in path.read_text("utf-8").splitlines()[1:]] == [
        "cliente1@example.com",
        "cliente4@example.com",
    ]
    said = next(line for line in written.out.splitlines() if "cliente2@example.com" in line and "all.csv" in line)
    assert "cliente3@example.com" in said
    assert "cliente4@example.com" not in said
    told = desk.contacts("--csv", str(tmp_path / "again.csv"), "--json").json
    assert (told["written"], told["not_written"]) == (2, ["cliente2@example.com", "cliente3@example.com"])


def test_c8_a_contact_in_doubt_is_named_with_its_commands(desk: Desk) -> None:
    """`settle` and `contacts` name the address that nobody can settle by a search, and how to settle it by hand."""
    desk.write([person(1)])
    desk.office.sandbox.inject("closed-without-creating:call=custom-insert")
    desk.run("--quiet-period", "0")
    promise_support.end_leases(desk.office.journal, 1_000.0, ["contact_attempts"])
    for told in (desk.settle().json["contacts"]["refusals"], desk.contacts("--json").json["steps"]):
        said = " ".join(told)
        assert "cliente1@example.com" in said
        for option in ("--exists", "--not-created"):
            assert f"--by-hand cliente1@example.com {option}`" in said
