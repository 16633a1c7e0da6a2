"""The contacts of a sheet on the page: who is created first, who is missing, asking at a price, and the file."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from contacts_support import COLUMNS, CREATING, addresses_in, person
from playwright.sync_api import Browser, expect
from promise_support import end_leases
from run_support import MAPPING, Office
from send_support import Clerk
from web_support import open_in, running_page

from importer import EventInterface
from importer.sandbox import RunningSandbox, SandboxConfig
from importer.sandbox.custom import CustomCalls


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of contacts that the CRM rejects, none at first."""
    insert, names = CustomCalls.insert, list[str]()

    def refusing(calls: CustomCalls, body: Any) -> Any:  # noqa: ANN401 - the sandbox's own types
        if body.values["fields"]["namecontact"] in names:
            return {"code": 412, "error": "INVALID FIELD", "msg": "INVALID FIELD namecontact", "data": {}}
        return insert(calls, body)

    monkeypatch.setattr(CustomCalls, "insert", refusing)
    return names


@pytest.fixture
def clerk(office: Office, monkeypatch: pytest.MonkeyPatch, refused: list[str]) -> Iterator[Clerk]:  # noqa: ARG001 - before the CRM starts
    """Open a sheet with four rows of three contacts, for a CRM that has none and refuses their cases."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.mapping.write_text(CREATING, "utf-8")
    rows = [person(1), person(2), person(3), person(4, Correo="CLIENTE1@example.com")]
    office.write(rows, COLUMNS)
    with RunningSandbox(SandboxConfig(unknown_contact="refused")) as crm, running_page(office.journal, crm.url) as page:
        yield Clerk(page, office, crm)


def look(clerk: Clerk, *where: str) -> str:
    """Return the page about contacts."""
    clerk.until(lambda: not clerk.sheet.asking.state.is_busy and clerk.sheet.contacts.now().is_current)
    return clerk.session.get(
        "/".join((clerk.page.address, "sheets", clerk.sheet.id, "contacts", *where)), timeout=10
    ).text


def click(clerk: Clerk, what: str, **form: str) -> str:
    """Send a form of the page about contacts."""
    address = f"{clerk.page.address}/sheets/{clerk.sheet.id}/contacts/{what}"
    return clerk.session.post(address, data=form, headers={"Origin": clerk.page.address}, timeout=10).text


def digest(page: str) -> str:
    """Return what is agreed to."""
    return page.partition('name="digest" value="')[2].partition('"')[0]


def test_the_contacts_that_are_created_first_are_shown_and_created(clerk: Clerk) -> None:
    """Each once, with address, name and rows, before anybody agrees; then they exist, and their cases, too."""
    clerk.until(lambda: clerk.sheet.contacts.now().is_current)
    shown = clerk.proposal()
    for words in ("3 contacts are created in the CRM first", "Which contacts are created", "cliente1@example.com",
                  "Persona 1", "<td>2, 5</td>"):  # fmt: skip
        assert words in shown
    assert clerk.crm.calls("custom-query") == 0
    assert "4 new cases" in clerk.send()
    assert len(addresses_in(clerk.crm)) == 3


def test_who_is_missing_is_found_out_for_a_price(clerk: Clerk) -> None:
    """The button says the calls; they are made once; the missing ones are listed before sending, and in a file."""
    clerk.office.mapping.write_text(MAPPING, "utf-8")
    page = look(clerk)
    assert "Ask the CRM which are missing (4 calls)" in page
    assert "no longer those that were shown" in click(clerk, "ask", digest="another")
    assert clerk.crm.calls("custom-query") == 0
    click(clerk, "ask", digest=digest(page))
    page = look(clerk)
    assert clerk.crm.calls("custom-query") == 4
    assert (clerk.sheet.asking.state.done, clerk.sheet.asking.state.total) == (3, 3)
    assert "It lacks 3." in page
    assert "Ask the CRM which" not in page
    shown = clerk.proposal()
    for words in ("The CRM lacks 3 contacts, as far as is known", "usually rejects a case", "<td>2, 5</td>"):
        assert words in shown
    assert look(clerk, "file").splitlines()[:2] == ["emailcontact", "cliente1@example.com"]


def test_how_many_were_asked_is_counted_while_it_goes_on(clerk: Clerk) -> None:
    """The page says so, with a bar, until the last answer."""
    clerk.until(lambda: clerk.sheet.contacts.now().is_current)
    asking, gate, going = clerk.sheet.asking, Event(), EventInterface(clerk.sheet.asking.follow)

    def ask() -> None:
        going.asking(3)
        going.asked()
        gate.wait(10)

    asking.begin(ask, going)
    clerk.until(lambda: asking.state.done)
    page = clerk.session.get(f"{clerk.page.address}/sheets/{clerk.sheet.id}/contacts", timeout=10).text
    gate.set()
    assert "The CRM is being asked: 1 of 3 contacts so far" in page
    assert '<progress max="3" value="1"' in page


def test_rows_of_a_contact_that_the_crm_rejected_are_named_on_correct(clerk: Clerk, refused: list[str]) -> None:
    """The contact and the CRM's words once, with its rows; Start leads there; the rows go again once it is accepted."""
    refused.append("Persona 1")
    clerk.until(lambda: clerk.sheet.contacts.now().is_current)
    clerk.proposal()
    clerk.send()
    page = clerk.session.get(f"{clerk.page.address}/sheets/{clerk.sheet.id}/correct", timeout=10).text
    for words in ("Waiting for their contacts", "The CRM rejected the contact cliente1@example.com", "2 rows",
                  "2 rows wait for contacts that the CRM rejected", "INVALID FIELD", "rows/2", "rows/5",
                  "Send 2 rows again"):  # fmt: skip
        assert words in page
    assert "Review and send" not in page
    start = clerk.session.get(clerk.page.address, timeout=10).text
    assert "2 rows wait for contacts that the CRM rejected." in start
    refused.clear()
    assert "2 cases will be created" in clerk.proposal(rejected="yes")
    clerk.send()
    assert len(clerk.crm.store.cases) == 4
    assert "Finished" in clerk.session.get(clerk.page.address, timeout=10).text


def test_a_clerk_asks_for_contacts_in_spanish(clerk: Clerk, browser: Browser) -> None:
    """The price is on the button, the answer on the same page, and what is missing before anything is sent."""
    clerk.office.mapping.write_text(MAPPING, "utf-8")
    clerk.page.office.memory.change(language="es")
    look(clerk)
    with open_in(browser, clerk.page) as tab:
        tab.goto(f"{clerk.page.address}/sheets/{clerk.sheet.id}/contacts")
        tab.get_by_role("button", name="Preguntar al CRM cuáles faltan (4 consultas)").click()
        expect(tab.get_by_role("status")).to_contain_text("Se le preguntó al CRM: 4 consultas.", timeout=20_000)
        assert "Faltan 3." in tab.inner_text("main")
        assert Axe().run(tab).response["violations"] == []


def test_a_list_that_has_changed_is_not_asked_for(clerk: Clerk) -> None:
    """What is agreed to is the list that was shown."""
    page = look(clerk)
    clerk.office.write([person(number) for number in range(1, 9)], COLUMNS)
    look(clerk)
    assert "Nothing was asked" in click(clerk, "ask", digest=digest(page))
    assert clerk.crm.calls("custom-query") == 0


def test_match_columns_asks_whether_missing_contacts_are_created(clerk: Clerk) -> None:
    """Only a sheet with a column of names is asked; the answer is written into the mapping, and taken back."""
    clerk.office.mapping.write_text(MAPPING, "utf-8")
    address = f"{clerk.page.address}/sheets/{clerk.sheet.id}/match"
    clerk.until(lambda: "Create in the CRM the contacts" in clerk.session.get(address, timeout=10).text)
    for answer, written in (("yes", "create: missing"), ("no", "create: never")):
        form = {"then": "match", "contacts-create": answer, "contacts-name": "Nombre"}
        clerk.session.post(address, data=form, headers={"Origin": clerk.page.address}, timeout=10)
        text = clerk.office.mapping.read_text("utf-8")
        assert written in text
        assert "column: Nombre" in text


def test_a_contact_in_doubt_is_decided(clerk: Clerk) -> None:
    """Decide names its address; not before the quiet period; that it is absent has to be confirmed."""
    clerk.crm.inject("closed-after-creating:call=custom-insert,nth=1")
    clerk.proposal()
    assert "because it is unknown" in clerk.send() or "it is not clear whether" in clerk.look()
    decide = f"{clerk.page.address}/sheets/{clerk.sheet.id}/decide"
    page = clerk.session.get(decide, timeout=10).text
    assert "1 contact is left to decide" in page
    assert "The CRM may still create it" in page
    end_leases(clerk.office.journal)
    page = clerk.session.get(decide, timeout=10).text
    address = page.partition('name="address" value="')[2].partition('"')[0]
    form = {"address": address, "back": "decide"}
    assert "First confirm" in click(clerk, "by-hand", **form, **{"is": "absent"})
    assert f"Recorded: {address} is in the CRM." in click(clerk, "by-hand", **form, **{"is": "there"})
    assert "Nothing is left to decide" in clerk.session.get(decide, timeout=10).text
