"""Rows that the CRM rejected: shown where they are put right, by the value that it rejected, and sent again."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from run_support import MAPPING, Office, ticket
from send_support import Clerk
from web_support import running_page

from importer.sandbox import RunningSandbox, SandboxConfig

VALUES = "priority: {column: Prioridad, values: {alta: ALTA, media: Normal, baja: Baja}}"
BY_VALUES = re.sub(r"priority: .*", VALUES, MAPPING)
BY_USERS = BY_VALUES.replace("responsible: ADMIN_@demo", "responsible: nobody@demo")


@pytest.fixture
def clerk(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clerk]:
    """Send a sheet to a CRM that knows neither the priority ALTA, nor nobody@demo, nor cliente5."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.mapping.write_text(BY_VALUES, "utf-8")
    priorities = ["alta", "ALTA", "alta", "media", "baja"]
    office.write([ticket(number, Prioridad=name) for number, name in enumerate(priorities, 1)])
    config = SandboxConfig(
        priorities=("Alta", "Normal", "Baja", "Media"),
        users=("ADMIN_@demo",),
        contacts=tuple(f"cliente{number}@example.com" for number in (1, 2, 3, 4)),
    )
    with RunningSandbox(config) as crm, running_page(office.journal, crm.url) as page:
        yield Clerk(page, office, crm)


def correct(clerk: Clerk) -> str:
    """Return the page Correct once the sheet is checked."""
    clerk.settled()
    return clerk.session.get(f"{clerk.page.address}/sheets/{clerk.sheet.id}/correct", timeout=10).text


def group(page: str, title: str) -> str:
    """Return the id of the group with this in its title."""
    for article in re.findall(r"<article.*?</article>", page, re.DOTALL):
        if title in article:
            return re.search(r'id="group-([0-9a-f]{12})"', article)[1]  # type: ignore[index]
    raise AssertionError(page)


def mend(clerk: Clerk, group_id: str, **fields: str) -> str:
    """Put a group right, and return the page that follows."""
    address = f"{clerk.page.address}/sheets/{clerk.sheet.id}/correct/group/{group_id}"
    origin = {"Origin": clerk.page.address}
    return clerk.session.post(address, data={"back": "", **fields}, headers=origin, timeout=10).text


def test_a_result_with_rejected_rows_is_not_green(clerk: Clerk) -> None:
    """What a person has to look at is yellow; a run that leaves nothing is green."""
    clerk.proposal()
    shown = clerk.send()
    assert '<section class="notice warn"' in shown
    assert "Nothing is left to send" not in shown
    assert re.findall(r'class="(?:button )?main"[^>]*>([^<]+)', shown) == ["Correct 4 rows"]


def test_a_value_that_the_crm_rejected_is_mended_and_sent_again(clerk: Clerk) -> None:
    """Correct names value, column and the CRM's words; its box writes the mapping, and the rows go again at once."""
    clerk.proposal()
    clerk.send()
    page = correct(clerk)
    assert "4 rows to correct" in page
    for words in ("Rejected by the CRM", "Priority: the CRM does not take “ALTA”", "PRIORITY DOES NOT EXIST"):
        assert words in page
    assert "“alta” in Prioridad goes to the CRM as “ALTA”." in page
    after = mend(clerk, group(page, "“alta” in Prioridad"), to="Alta", scope="always")
    assert "Send 4 rejected rows again" in after
    assert "alta: Alta" in clerk.office.mapping.read_text("utf-8")
    assert "Priority: “Alta” is what goes to the CRM now" in correct(clerk)
    shown = clerk.settled()
    assert "4 rows; 3 have another matching of columns since: they can be sent again" in shown
    assert "4 cases will be created" in clerk.proposal(rejected="yes")
    clerk.send()
    assert clerk.crm.posts == 9
    page = correct(clerk)
    assert "Contact (e-mail address): the CRM does not take “cliente5@example.com”" in page
    assert "the CRM does not take “ALTA”" not in page


def test_a_mended_value_is_undone(clerk: Clerk) -> None:
    """The text means again what it meant before."""
    clerk.proposal()
    clerk.send()
    after = mend(clerk, group(correct(clerk), "“alta” in Prioridad"), to="Alta", scope="always")
    [act] = set(re.findall(r'name="act" value="([^"]+)"', after))
    address = f"{clerk.page.address}/sheets/{clerk.sheet.id}/correct/undo"
    clerk.session.post(address, data={"back": "", "act": act}, headers={"Origin": clerk.page.address}, timeout=10)
    assert "alta: ALTA" in clerk.office.mapping.read_text("utf-8")


@pytest.mark.parametrize(
    ("mapping", "title", "way"),
    [
        (BY_VALUES, "does not take “cliente5@example.com”", 'name="cell.1"'),
        (BY_USERS, "Responsible: the CRM does not take", '/match">Match columns'),
    ],
)
def test_what_is_no_value_of_a_list_is_put_right_elsewhere(clerk: Clerk, mapping: str, title: str, way: str) -> None:
    """A person's own cell in its row; a constant on the page Match columns."""
    clerk.office.mapping.write_text(mapping, "utf-8")
    clerk.proposal()
    clerk.send()
    page = correct(clerk)
    [card] = [one for one in re.findall(r"<article.*?</article>", page, re.DOTALL) if title in one]
    assert way in card


def test_a_rejected_row_whose_cell_was_corrected_is_counted_as_sent_again(clerk: Clerk) -> None:
    """It is one of those to send, and said to be one that was rejected."""
    clerk.proposal()
    clerk.send()
    office = clerk.office
    priorities = ["alta", "media", "alta", "media", "baja"]
    office.write([ticket(number, Prioridad=name) for number, name in enumerate(priorities, 1)])
    shown = clerk.settled()
    assert "4 rows; 1 has changed since: it is sent again with the others" in shown
