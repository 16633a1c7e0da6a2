"""The proof of an import on the page: its price, what was agreed to, the sentence for the boss, and the hand-over."""

from __future__ import annotations

import io
from collections.abc import Iterator

import openpyxl
import pytest
from run_support import Office, ticket
from send_support import DIGEST, Clerk
from web_support import running_page


@pytest.fixture
def clerk(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clerk]:
    """Open a sheet of which four rows are cases, and one is to be corrected."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.write([*(ticket(number) for number in range(1, 5)), ticket(5, Correo="nobody")])
    with running_page(office.journal, office.sandbox.url) as page:
        clerk = Clerk(page, office, office.sandbox)
        clerk.proposal()
        clerk.send()
        yield clerk


def look(clerk: Clerk) -> str:
    """Return the page about the proof once nothing goes on."""
    clerk.until(lambda: not clerk.sheet.proving.state.is_busy and clerk.sheet.checker.now().is_current)
    return clerk.session.get(f"{clerk.page.address}/sheets/{clerk.sheet.id}/proof", timeout=10).text


def click(clerk: Clerk, what: str, **form: str) -> str:
    """Send a form of it, and return the page once nothing goes on."""
    address = f"{clerk.page.address}/sheets/{clerk.sheet.id}/proof/{what}"
    clerk.session.post(address, data=form, headers={"Origin": clerk.page.address}, timeout=10)
    return look(clerk)


def digest(page: str) -> str:
    """Return what is agreed to."""
    found = DIGEST.search(page)
    assert found, page
    return found[1]


def test_the_price_comes_first_then_the_proof(clerk: Clerk) -> None:
    """A price is no question yet; after the agreement the sentence adds up, names what differs, and has a workbook."""
    clerk.crm.store.update(clerk.crm.store.cases[0].number, lambda body: {**body, "status": "Cerrado"},
                           {"status": "Cerrado"}, [], replaces_files=False)  # fmt: skip
    before = clerk.crm.calls("query")
    assert "Check all 4 cases" in look(clerk)
    page = click(clerk, "price", which="all")
    assert "That takes 4 calls." in page
    assert clerk.crm.calls("query") == before
    page = click(clerk, "start", digest=digest(page))
    assert clerk.crm.calls("query") - before == 4
    assert "Of 5 rows: 4 cases, 1 exception.<br>Checked 4: 3 the same, 1 different." in page
    assert "Status (Estado)" in page
    got = clerk.session.get(f"{clerk.page.address}/sheets/{clerk.sheet.id}/proof/hand-over", timeout=10)
    assert openpyxl.load_workbook(io.BytesIO(got.content)).sheetnames[0] == "Hand-over"
    back = clerk.session.get(f"{clerk.page.address}/sheets/{clerk.sheet.id}/look-back", timeout=10).text
    assert "Of 5 rows: 4 cases, 1 exception. Checked 4: 3 the same, 1 different." in back


def test_only_what_was_shown_is_asked(clerk: Clerk) -> None:
    """An old digest asks nothing, and a sheet that has changed since has its price shown again."""
    page = click(clerk, "price", which="all")
    before = clerk.crm.calls("query")
    click(clerk, "start", digest="another")
    clerk.office.write([*(ticket(number) for number in range(1, 4)), ticket(5, Correo="nobody")])
    again = click(clerk, "start", digest=digest(page))
    assert clerk.crm.calls("query") == before
    assert "That takes 3 calls." in again
    assert "Check 3 cases now" in again
    assert "What checking costs" not in click(clerk, "cancel")


def test_a_sheet_without_cases_has_nothing_to_check(clerk: Clerk) -> None:
    """The page says so, and leads to Send."""
    clerk.office.write([ticket(99)])
    assert "so there is nothing to check" in look(clerk)
