"""A contact whose process was killed while it created it: who it is, and what there is to do, in every output."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from contacts_support import Desk, desk_at, person
from place_support import ask
from promise_support import end_leases
from run_support import Give

from importer.workflow.contacts.settling import ContactsSettled

ADDRESS = "cliente2@example.com"
TIME = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d"


@pytest.fixture
def desk(tmp_path: Path, give: Give) -> Iterator[Desk]:
    """Give a desk of which a process was killed while it created the contact of row 3."""
    with desk_at(tmp_path, give) as opened:
        opened.write([person(1)])
        opened.run()
        opened.write([person(1), person(2)])
        opened.office.sandbox.inject("closed-without-creating:call=custom-insert")
        opened.run()
        ask(opened.office.journal, "UPDATE contacts SET state = 'sending', message = '' WHERE state = 'unknown'")
        yield opened


def test_the_listing_of_contacts_says_what_to_do_about_one_being_created(desk: Desk) -> None:
    """`contacts` names the contact, from when on it can be searched for, and the command that does that."""
    listed = desk.contacts("--json")
    (step,) = listed.json["steps"]
    assert listed.status == 4
    assert ADDRESS in step
    assert re.search(rf"from {TIME} on, and `case-importer settle .*--wait.*` waits until then", step)


def test_settle_says_which_contact_can_be_searched_for_and_how(desk: Desk) -> None:
    """`settle` names the contact whose search it waits for, and the command that waits."""
    settled = desk.give(desk.office.settle())
    assert settled.status == 3
    assert re.search(rf"1 contact is being created, or was when its process stopped: {ADDRESS}\.", settled.out)
    assert re.search(rf"It can be searched for from {TIME} on\.", settled.out)
    assert re.search(r"`case-importer settle .*--wait.*` waits until then and searches the CRM", settled.out)
    assert desk.settle().json["contacts"]["sending_addresses"] == [ADDRESS]


def test_a_run_says_that_a_row_waits_for_a_contact_being_created(desk: Desk) -> None:
    """A run counts the row among those that wait, says until when, and does not offer to send it now."""
    ended = desk.run()
    said = " ".join(ended.json["steps"])
    assert ended.status == 3
    assert ADDRESS in said
    assert re.search(rf"from {TIME} on", said)
    assert "left to send" not in said
    notes = " ".join(ended.json["notes"])
    assert ADDRESS in notes


def test_once_the_lease_is_over_a_run_treats_it_as_unknown(desk: Desk) -> None:
    """After its attempt has certainly ended, the contact is unknown, and is named as such."""
    end_leases(desk.office.journal, 1.0, ["contact_attempts"])
    settled = desk.give(desk.office.settle())
    assert settled.status == 4
    assert f"It is unknown whether 1 contact was created: {ADDRESS}." in settled.out
    assert "--wait` waits until then" in settled.out


def test_many_contacts_are_named_by_the_first_of_them() -> None:
    """Of many contacts in doubt, a sentence names five."""
    addresses = tuple(f"cliente{number}@example.com" for number in range(7))
    (sentence,) = ContactsSettled(unknown=7, addresses=addresses).sentences()
    assert sentence.endswith("cliente3@example.com, cliente4@example.com, ….")
