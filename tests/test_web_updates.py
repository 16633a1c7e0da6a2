"""Rows that were edited after their case was created, on the page: updated, not updatable, or taken as known."""

from __future__ import annotations

import pytest
from run_support import Office, ticket
from send_support import Clerk
from updates_support import SOLVED, UPDATING, know_updates, tickets
from web_support import running_page


@pytest.fixture
def clerk(office: Office, monkeypatch: pytest.MonkeyPatch):  # noqa: ANN201
    """Open a sheet whose four cases were created, and of which two rows were edited since."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.mapping.write_text(UPDATING, "utf-8")
    office.write(tickets(range(1, 5)))
    with running_page(office.journal, office.sandbox.url) as page:
        clerk = Clerk(page, office, office.sandbox)
        clerk.proposal()
        clerk.send()
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
