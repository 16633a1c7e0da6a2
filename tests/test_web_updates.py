"""Rows that were edited after their case was created, on the page: updated, not updatable, or taken as known."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect
from run_support import Office, ticket
from send_support import Clerk
from updates_support import SOLVED, UPDATING, know_updates, tickets
from web_support import open_in, running_page

from importer.sandbox.calls import SandboxCrm


@pytest.fixture
def clerk(office: Office, monkeypatch: pytest.MonkeyPatch):  # noqa: ANN201
    """Open a sheet whose four cases were created, and of which two rows were edited since."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.mapping.write_text(UPDATING, "utf-8")
    office.write(tickets(range(1, 5)))
    with running_page(office.journal, office.sandbox.url) as page:
        clerk = Clerk(page, office, office.sandbox)
        clerk.sent()
        office.write([ticket(1, **SOLVED), ticket(2, Detalle="otro"), ticket(3), ticket(4)])
        yield clerk


def test_updates_are_told_agreed_to_and_made(clerk: Clerk) -> None:
    """How many, for which columns, what cannot be updated and why; the row that can be is updated."""
    know_updates(clerk.office)
    assert "Update 1 case" in clerk.settled()
    shown = clerk.proposal()
    for words in ("1 case will be updated", "Changed: Estado (1), Solución (1)", "1 row changed whose case is not",
                  "Row 3: “Detalle” goes into Description, which an update cannot change."):  # fmt: skip
        assert words in shown
    clerk.send()
    assert clerk.crm.calls("update") == 1
    assert sorted(str(case.body["status"]) for case in clerk.crm.store.cases) == [*["Abierto"] * 3, "Cerrado"]


def read(clerk: Clerk, where: str = "") -> str:
    """Return a page once the sheet is checked."""
    clerk.settled()
    return clerk.session.get(f"{clerk.page.address}{where.format(id=clerk.sheet.id)}", timeout=10).text


def test_a_sheet_with_nothing_but_updates_left_has_a_card_and_a_button(clerk: Clerk) -> None:
    """Start and Correct say how many cases can be updated, and lead to the page where that is agreed to."""
    know_updates(clerk.office)
    start = read(clerk, "/")
    for words in ("Cases to update", "1 row changed after its case was created", "Review and update"):
        assert words in start
    correct = read(clerk, "/sheets/{id}/correct")
    for words in ("All ready: 1 case to update", "1 of them has changed in the sheet since", "Review and update"):
        assert words in correct
    clerk.proposal()
    clerk.send()
    assert "Finished" in read(clerk, "/")


def test_updates_that_the_crm_refused_are_named_on_correct(clerk: Clerk, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its words, with their rows; Start leads there; they are sent again when a person says so."""
    know_updates(clerk.office)
    clerk.proposal()
    with monkeypatch.context() as refusing:
        answer = {"code": 412, "error": "STATUS DOES NOT EXIST", "msg": "status", "data": {}}
        refusing.setattr(SandboxCrm, "update", lambda *_given: answer)
        clerk.send()
    correct = read(clerk, "/sheets/{id}/correct")
    for words in ("Cases that the CRM did not update", "The CRM refused to update: STATUS DOES NOT EXIST", "rows/2",
                  "Update 1 case again"):  # fmt: skip
        assert words in correct
    assert "The CRM refused to update 1 case." in read(clerk, "/")
    assert "1 case will be updated" in clerk.proposal(rejected="yes")
    clerk.send()
    assert "did not update" not in read(clerk, "/sheets/{id}/correct")


def test_a_clerk_updates_and_proves_in_spanish(clerk: Clerk, browser: Browser) -> None:
    """From the card on Start to what differs in the CRM, with a mouse alone."""
    know_updates(clerk.office)
    clerk.page.office.memory.change(language="es")
    read(clerk, "/")
    with open_in(browser, clerk.page) as tab:
        tab.get_by_role("link", name="Revisar y actualizar").click()
        tab.get_by_role("button", name="Actualizar 1 caso").click()
        expect(tab.get_by_role("heading", level=1)).to_have_text("Se actualizará 1 caso", timeout=20_000)
        assert "que una actualización no puede cambiar" in (tab.text_content("main") or "")
        assert Axe().run(tab).response["violations"] == []
        tab.get_by_role("button", name="Actualizar 1 caso ahora").click()
        clerk.until(lambda: clerk.crm.calls("update") and not clerk.sheet.sending.is_busy)
        tab.goto(f"{clerk.page.address}/sheets/{clerk.sheet.id}/proof")
        tab.get_by_role("button", name="Comprobar los 4 casos").click()
        tab.get_by_role("button", name="Comprobar 4 casos ahora").click(timeout=20_000)
        expect(tab.get_by_text("De 4 filas: 4 casos")).to_be_visible(timeout=20_000)
        assert Axe().run(tab).response["violations"] == []


def test_while_nobody_has_tried_what_an_update_empties_none_is_made(clerk: Clerk) -> None:
    """The page says so once, with who has to do what, and offers no button."""
    shown = clerk.proposal()
    assert "Nothing would be sent" in shown
    assert shown.count("Nobody has tried yet whether an update empties") == 1
    assert "with a test case" in shown
    assert 'name="digest"' not in shown


def test_edits_are_taken_as_known_after_they_were_shown(clerk: Clerk) -> None:
    """Look back leads to what it means; only the agreement to that records it, and nothing is sent."""
    clerk.settled()
    shown = clerk.session.get(f"{clerk.page.address}/sheets/{clerk.sheet.id}/look-back", timeout=10).text
    assert "Take these changes as known" in shown
    shown = clerk.proposal(accept="yes")
    for words in ("The changes of 2 rows will count as known", "Row 2: Estado, Solución", "Row 3: Detalle"):
        assert words in shown
    posts = clerk.crm.posts
    clerk.send()
    assert clerk.crm.posts == posts
    assert clerk.sheet.checker.now().value.counts.changed == 0  # type: ignore[union-attr]
