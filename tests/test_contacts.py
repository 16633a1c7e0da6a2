"""Contacts end to end: asked for, created before their cases, settled when in doubt, listed (docs/scenarios.md, C)."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from contacts_support import CREATING, Desk, desk_at, person
from promise_support import end_leases, select
from run_support import MAPPING, Give

from importer.crm import Crm
from importer.model import Target
from importer.payload import contact_body
from importer.sandbox import RecordRules, SandboxConfig, Search
from importer.sandbox.custom import CustomCalls


@pytest.fixture
def desk(tmp_path: Path, give: Give) -> Iterator[Desk]:
    """Give a desk whose simulated CRM has no contacts."""
    with desk_at(tmp_path, give) as opened:
        yield opened


def test_c1_missing_contacts_are_created_before_their_cases(desk: Desk) -> None:
    """Each contact is searched and created once, with the fields of its first row; every row becomes a case."""
    desk.write([person(1), person(2), person(3, Correo="cliente1@example.com"), person(4, Nombre="Ñandú")])
    ended = desk.run()
    assert ended.status == 0
    assert desk.addresses == ["cliente1@example.com", "cliente2@example.com", "cliente4@example.com"]
    assert len(desk.cases) == 4
    assert desk.calls == (3, 3)
    fields = desk.office.sandbox.store.records.all()[2].fields
    assert fields == {"emailcontact": "cliente4@example.com", "namecontact": "Ñandú", "idcontact": "4"}
    assert desk.run().status == 0
    assert desk.calls == (3, 3)  # the journal knows


def test_c2_contacts_that_exist_are_not_created(tmp_path: Path, give: Give) -> None:
    """A contact that the search finds, however it is spelled there, is known and costs one call in all."""
    config = SandboxConfig(contacts=("CLIENTE1@Example.com",), unknown_contact="refused")
    with desk_at(tmp_path, give, config) as desk:
        desk.write([person(1), person(2)])
        assert desk.run().status == 0
        assert desk.calls == (2, 1)
        assert desk.known() == [("known",), ("created",)]


def test_c3_spellings_of_one_address_are_one_contact(desk: Desk) -> None:
    """No two spellings of one address are created as two contacts."""
    spellings = [
        "CLIENTE1@EXAMPLE.COM",
        " cliente1@example.com ",
        "cliente1@example\uff0ecom",
        "cliente1\u200b@example.com",
    ]
    desk.write([person(1), *(person(2 + at, Correo=spelling) for at, spelling in enumerate(spellings))])
    desk.run()
    assert desk.addresses == ["cliente1@example.com"]
    assert desk.calls == (2, 1)  # a CRM may tell capitals apart


def test_c4_a_lost_answer_leaves_the_contact_unknown(desk: Desk) -> None:
    """Rows of a contact whose answer was lost stay planned, exit 4, and the POST is not repeated."""
    desk.write([person(1), person(2)])
    desk.office.sandbox.inject("closed-after-creating:call=custom-insert,nth=1")
    ended = desk.run()
    assert ended.status == 4
    assert ended.json["counts"]["planned"] == 1
    assert "cliente1@example.com" in ended.json["next"]
    assert "--exists" in ended.json["next"]
    assert desk.known() == [("unknown",), ("created",)]
    assert desk.run().status == 4
    assert desk.calls[1] == 2


def test_c7_a_lost_contact_that_is_found_is_known(desk: Desk) -> None:
    """After the quiet period, the search finds the contact whose answer was lost, and its row is sent."""
    desk.write([person(1)])
    desk.office.sandbox.inject("closed-after-creating:call=custom-insert,nth=1")
    desk.run()
    end_leases(desk.office.journal)
    assert desk.settle().json["contacts"]["known"] == 1
    assert desk.known() == [("known",)]
    assert desk.run().status == 0
    assert desk.addresses == ["cliente1@example.com"]
    assert select(desk.office.journal, "SELECT count(*) FROM contact_attempts WHERE search_value IS NOT NULL") == [(0,)]


def test_c7_a_lost_contact_is_searched_in_small_letters_too(tmp_path: Path, give: Give) -> None:
    """Where somebody has created it in another spelling meanwhile, and the CRM tells capitals apart, it exists."""
    config = SandboxConfig(unknown_contact="refused", records=RecordRules(ignore_case=False))
    with desk_at(tmp_path, give, config) as desk:
        desk.write([person(1, Correo="Cliente1@Example.com")])
        desk.office.sandbox.inject("closed-without-creating:call=custom-insert,nth=1")
        assert desk.run().status == 4
        with Crm(Target(desk.office.sandbox.url, "demo", "any")) as crm:
            crm.create_contact(contact_body({"emailcontact": "cliente1@example.com", "namecontact": "Ana"}, "demo"))
        end_leases(desk.office.journal)
        assert desk.settle().status == 0
        assert desk.known() == [("known",)]


def test_c7_a_lost_contact_that_is_absent_is_created_later(desk: Desk) -> None:
    """C6: 'none' is believed only beside a contact that was created later; then the contact is created, once."""
    desk.write([person(1)])
    desk.office.sandbox.inject("closed-without-creating:call=custom-insert,nth=1")
    assert desk.run().status == 4
    end_leases(desk.office.journal)
    settled = desk.settle()
    assert settled.status == 4
    assert "may be behind" in settled.json["contacts"]["refusals"][0]
    desk.write([person(1), person(2)])
    assert desk.run().status == 0  # 2 is created first, which proves that 1 is not there
    assert sorted(desk.addresses) == ["cliente1@example.com", "cliente2@example.com"]


def test_c8_a_person_decides_about_a_contact(desk: Desk) -> None:
    """A person's verdict by address settles a contact, after its quiet period and whatever the spelling."""
    desk.write([person(1), person(2)])
    desk.office.sandbox.inject("closed-without-creating:call=custom-insert")
    desk.run()
    desk.office.sandbox.inject()
    verdicts = (("Cliente1@Example.com", "--exists"), ("Cliente2@Example.com", "--not-created"))
    for address, verdict in verdicts:
        early = desk.settle("--by-hand", address, verdict)
        assert early.status == 2
        assert "may still be created" in early.json["reason"]
    end_leases(desk.office.journal)
    settled = [desk.settle("--by-hand", address, verdict).status for address, verdict in verdicts]
    assert settled[-1] == 0
    assert desk.known() == [("known",), ("missing",)]
    ended = desk.run()
    assert desk.addresses == ["cliente2@example.com"]
    counts = ended.json["counts"]  # told that it exists, the case of the first is sent, and refused
    assert (ended.status, counts["rejected"], counts["created"]) == (1, 1, 1)


def test_c9_a_rejected_contact_is_not_repeated(tmp_path: Path, give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rejection names the address, makes exit 1, and is repeated for other fields or --retry-rejected only."""
    insert, refused = CustomCalls.insert, ["Persona 1"]

    def refusing(calls: CustomCalls, body: Any) -> Any:  # noqa: ANN401 - the sandbox's own types
        if body.values["fields"]["namecontact"] in refused:
            return {"code": 412, "error": "INVALID FIELD", "msg": "INVALID FIELD namecontact", "data": {}}
        return insert(calls, body)

    monkeypatch.setattr(CustomCalls, "insert", refusing)
    with desk_at(tmp_path, give) as desk:
        desk.write([person(1), person(2)])
        ended = desk.run()
        assert ended.status == 1
        assert ended.json["counts"]["planned"] == 1
        assert "rejected cliente1@example.com" in ended.json["reasons"][0]["message"]
        assert desk.calls[1] == 2
        assert desk.run().status == 1
        assert desk.calls[1] == 2
        assert desk.run("--retry-rejected").status == 1
        assert desk.calls[1] == 3
        assert [one["state"] for one in desk.contacts("--json").json["contacts"]] == ["rejected", "created"]
        desk.write([person(1, Nombre="Otro nombre"), person(2)])
        assert desk.run().status == 0
        assert desk.calls[1] == 4


def test_c10_the_quota_ends_the_run_and_the_same_command_goes_on(tmp_path: Path, give: Give) -> None:
    """Contacts count against the quota; a run that it ends goes on the next day, and nothing is made twice."""
    config = SandboxConfig(unknown_contact="refused", daily_quota=8)
    with desk_at(tmp_path, give, config) as desk:
        desk.write([person(number) for number in range(4)])
        statuses = []
        for _day in range(6):
            statuses.append(desk.run().status)
            desk.office.sandbox.new_day()
            if statuses[-1] == 0:
                break
        assert statuses[0] == 3
        assert statuses[-1] == 0
        assert sorted(desk.addresses) == [f"cliente{number}@example.com" for number in range(4)]
        assert len(desk.cases) == 4


def test_c10_the_forecast_counts_the_calls_and_names_the_contacts(desk: Desk) -> None:
    """Two calls for each contact that is not known, one for each case; the confirmation names who is created."""
    desk.write([person(1), person(2), person(3, Correo="cliente1@example.com")])
    shown = desk.run().err
    assert "2 contacts are searched for" in shown
    assert "cliente1@example.com, cliente2@example.com" in shown
    assert "7 calls needed" in shown


def test_c10_the_reserve_of_the_quota_counts_contacts(tmp_path: Path, give: Give) -> None:
    """C10: --keep-quota leaves its calls although each row needs three."""
    config = SandboxConfig(unknown_contact="refused", daily_quota=20)
    with desk_at(tmp_path, give, config) as desk:
        desk.write([person(number) for number in range(6)])
        ended = desk.run("--keep-quota", "10")
        assert ended.status == 3
        assert len(desk.cases) == 3  # 19 left after the question, 9 may be used


def test_c11_limit_asks_for_no_more_contacts(desk: Desk) -> None:
    """Contacts of rows that --limit leaves out are not asked for."""
    desk.write([person(number) for number in range(4)])
    assert desk.run("--limit", "2").status == 3
    assert desk.calls == (2, 2)


def test_c12_without_create_the_cases_go_as_they_are(tmp_path: Path, give: Give) -> None:
    """C12: `never` is the default: nobody is asked for, and nothing is created."""
    with desk_at(tmp_path, give, SandboxConfig()) as desk:
        desk.write([person(1)], MAPPING + "contacts: {namecontact: {column: Nombre}}\n")
        assert desk.run().status == 0
        assert desk.calls == (0, 0)


@pytest.mark.parametrize("answer", ["partial", "bare-list"])
def test_c13_an_answer_that_proves_nothing_creates_nothing(tmp_path: Path, give: Give, answer: str) -> None:
    """Other contacts, a refusal or a bare list are no 'none'; a person's word lets the contact be created."""
    partial = SandboxConfig(
        records=RecordRules(partial=("emailcontact",)),
        contacts=("otrocliente1@example.com",),
        unknown_contact="refused",
    )
    other = SandboxConfig(search=Search(nothing_found=answer)) if answer != "partial" else partial
    with desk_at(tmp_path, give, other) as desk:
        desk.write([person(1)])
        ended = desk.run()
        assert ended.status == 3
        assert desk.calls[1] == 0
        assert "cliente1@example.com" in ended.json["reasons"][0]["message"]
        if answer == "partial":
            assert desk.settle("--by-hand", "cliente1@example.com", "--not-created").status == 0
            assert desk.run().status == 0
            assert desk.calls[1] == 1


# ------------------------------------------------------------------------------------------------ bad input


def test_c14_two_names_for_one_address_are_told(desk: Desk) -> None:
    """The first row's values are sent, and a note names both rows, the column and both values."""
    desk.write([person(1), person(2, Correo="cliente1@example.com", Nombre="Otra")])
    ended = desk.run()
    note = next(note for note in ended.json["notes"] if "first of its rows" in note)
    assert "row 3 (cliente1@example.com): namecontact 'Otra', but 'Persona 1' in row 2" in note
    assert desk.office.sandbox.store.records.all()[0].fields["namecontact"] == "Persona 1"


def test_c15_a_contact_that_cannot_be_sent_is_an_issue_of_its_row(desk: Desk) -> None:
    """A row whose contact has no address, or an invalid field, is invalid, with the contact's column."""
    faulty = [{"Correo": ""}, {"Correo": "nobody"}, {"Nombre": ""}, {"Nombre": "x" * 2501}]
    desk.write([*(person(at, **changed) for at, changed in enumerate(faulty)), person(9)])
    ended = desk.run()
    assert ended.status == 1
    assert [(one["row"], one["column"], one["code"]) for one in ended.json["reasons"]] == [
        (2, "Correo", "required"),
        (3, "Correo", "bad-email"),
        (4, "Nombre", "required"),
        (5, "Nombre", "too-long"),
    ]
    assert desk.addresses == ["cliente9@example.com"]


def test_c16_the_contact_must_have_the_address_of_the_case(desk: Desk) -> None:
    """C16: `emailcontact` may be mapped, but gives the address that the case names; another one is an issue."""
    desk.write([person(1, Cédula="otro@example.com"), person(2, Cédula="CLIENTE2@example.com")],
               CREATING.replace("idcontact:", "emailcontact:"))  # fmt: skip
    ended = desk.run()
    assert [(one["row"], one["column"], one["code"]) for one in ended.json["reasons"]] == [
        (2, "Cédula", "contact-differs")
    ]
    assert desk.addresses == ["CLIENTE2@example.com"]


def test_c17_known_informs_and_does_not_forbid(desk: Desk, tmp_path: Path) -> None:
    """With `create: missing`, addresses of the table `known` are not asked for, and others are created."""
    (tmp_path / "known.csv").write_text("Email\nCliente1@example.com\n", "utf-8")
    mapping = CREATING.replace("type: email}", "type: email, known: {file: known.csv, column: Email}}")
    desk.write([person(1), person(2)], mapping)
    desk.run()
    assert desk.addresses == ["cliente2@example.com"]
    assert desk.calls == (1, 1)


# ------------------------------------------------------------------------------------------------ the command


def test_c18_the_command_lists_asks_writes_and_creates(desk: Desk, tmp_path: Path) -> None:
    """Contacts are listed with rows, asked for once, written for the CRM's upload, and created."""
    desk.write([person(1), person(2), person(3, Correo="Cliente1@example.com", Nombre="=1+1")])
    listed = desk.contacts("--json").json
    assert listed["counts"] == {"not-asked": 2}
    assert [(one["address"], one["rows"]) for one in listed["contacts"]] == [
        ("cliente1@example.com", [2, 4]),
        ("cliente2@example.com", [3]),
    ]
    assert desk.calls == (0, 0)
    assert desk.contacts("--ask").status == 2  # nobody can be asked here
    asked = desk.contacts("--ask", "--yes", "--json", "--limit", "1")
    assert (asked.status, asked.json["left"]) == (3, 1)
    asked = desk.contacts("--ask", "--yes", "--json", "--csv", str(tmp_path / "upload.csv"))
    assert (asked.status, asked.json["counts"], asked.json["written"]) == (1, {"missing": 2}, 2)
    assert desk.calls == (3, 0)  # one is spelled in two ways
    with (tmp_path / "upload.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.reader(file)) == [
            ["emailcontact", "namecontact", "idcontact"],
            ["cliente1@example.com", "Persona 1", "1"],
            ["cliente2@example.com", "Persona 2", "2"],
        ]
    made = desk.contacts("--create", "--yes", "--json")
    assert (made.status, made.json["counts"]) == (0, {"created": 2})
    assert sorted(desk.addresses) == ["cliente1@example.com", "cliente2@example.com"]
    assert desk.run().status == 0
    assert desk.calls == (6, 2)


def test_c19_missing_contacts_are_a_warning_without_create(tmp_path: Path, give: Give) -> None:
    """With `never`, a contact that the CRM was asked for and lacks is named once with its rows."""
    with desk_at(tmp_path, give, SandboxConfig()) as desk:
        desk.write([person(1), person(2, Correo="CLIENTE1@example.com")], MAPPING)
        assert desk.contacts("--ask", "--yes").status == 1
        words = desk.office.arguments("check", "--journal", str(desk.office.journal))
        checked = give(words)
        assert checked.status == 0
        assert "cliente1@example.com (rows 2, 3)" in checked.out
        assert "cliente1@example.com (rows 2, 3)" in desk.run().err


def test_c12_nothing_is_asked_while_the_mapping_says_nothing(tmp_path: Path, give: Give) -> None:
    """The content hash, the digests of columns and the calls stay as they were for a mapping without `contacts`."""
    with desk_at(tmp_path, give, SandboxConfig()) as desk:
        desk.write([person(1)], MAPPING)
        desk.run()
        before = select(desk.office.journal, "SELECT content_hash, column_digests FROM rows")
        desk.write([person(1, Nombre="Otro nombre")], CREATING)
        ended = desk.run()
        assert ended.status == 0
        assert ended.json["counts"]["changed"] == 0
        assert select(desk.office.journal, "SELECT content_hash, column_digests FROM rows") == before
        assert desk.calls == (0, 0)


def test_c18_contacts_that_the_command_left_in_doubt_are_settled_before_any_run(desk: Desk) -> None:
    """A contact that `contacts --create` left unknown is settled although there is no import yet."""
    desk.write([person(1)])
    desk.office.sandbox.inject("closed-after-creating:call=custom-insert,nth=1")
    assert desk.contacts("--create", "--yes", "--json").status == 4
    end_leases(desk.office.journal)
    settled = desk.settle()
    assert (settled.status, settled.json["contacts"]["known"]) == (0, 1)
    assert desk.run("--first-run").status == 0
    assert desk.addresses == ["cliente1@example.com"]
