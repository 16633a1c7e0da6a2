"""The page Decide: what it says of a doubtful row, and what it records."""

from __future__ import annotations

import html
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser
from promise_support import stored_rows
from run_support import Give, Office, ticket
from test_next_steps import run
from test_settle import in_doubt
from test_web_door import known
from web_support import open_in, running_page

from importer.web import RunningPage

AFTER, WITHOUT = "closed-after-creating", "closed-without-creating"


@pytest.fixture
def page(office: Office, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningPage]:
    """Serve the page, with the office's sheet open."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    with running_page(office.journal, office.sandbox.url) as running:
        running.office.open(office.source, office.mapping)
        yield running


def address(page: RunningPage) -> str:
    """Return the address at which the sheet's rows are decided."""
    return f"{page.address}/sheets/{page.office.sheets()[0].id}/decide"


def form_of(text: str) -> dict[str, str]:
    """Return the hidden fields of the first form that records a decision."""
    found = dict(re.findall(r'<input type="hidden" name="(row|about)" value="([^"]*)"', text))
    assert set(found) == {"row", "about"}
    return found


def confirmed(client: requests.Session, to: str, reference: str) -> dict[str, str]:
    """Return what the page gives that has the absence of a row confirmed, as a browser sends it."""
    asked = once_read(client, to, row=reference, absent="1")
    (sure,) = re.findall(r'name="sure" value="([^"]+)"', asked)
    return {"do": "absent", "sure": sure, **form_of(asked)}


def post(client: requests.Session, page: RunningPage, to: str, **fields: str) -> requests.Response:
    """Send a form of the page."""
    return client.post(to, data=fields, headers={"Origin": page.address})


def once_read(client: requests.Session, to: str, **asked: str) -> str:
    """Return a page once it shows the sheet as it is now: until then it has the browser look again."""
    while True:
        answer = client.get(to, params=asked)
        if "Refresh" not in answer.headers:
            return answer.text
        time.sleep(0.02)  # the check needs the processor, too


def doubtful(office: Office) -> list[str]:
    """Return the references of the rows in doubt."""
    return [row.reference for row in stored_rows(office.journal) if row.state in {"unknown", "conflict"}]


def state_of(office: Office, reference: str) -> tuple[str, str | None]:
    """Return the state of a row and its id."""
    return next((row.state, row.wolkvox_id) for row in stored_rows(office.journal) if row.reference == reference)


def test_a_doubtful_row_is_shown_with_all_that_helps(page: RunningPage, office: Office, give: Give) -> None:
    """The code to search for, when it was sent, the row's own cells, and each way to decide."""
    in_doubt(office, give, WITHOUT)
    shown = once_read(known(page), address(page))
    (reference,) = doubtful(office)
    for text in (
        *("1 of 1", reference, f'data-copy="{reference}"', "no answer came", "profile", "cliente2@example.com"),
        *("Asunto 2", "Detalle del caso 2", "record this id", "create it", "Decide later", "Ask the CRM"),
    ):
        assert text in shown
    assert "Refresh" not in known(page).get(address(page)).headers


def test_its_id_is_recorded(page: RunningPage, office: Office, give: Give) -> None:
    """A case that somebody found gets its id, and then nothing is left to decide."""
    in_doubt(office, give, AFTER)
    client, (reference,) = known(page), doubtful(office)
    case = next(case for case in office.sandbox.store.cases if case.reference == reference)
    done = post(
        client,
        page,
        address(page),
        do="created",
        id=f" {case.wolkvox_id} ",
        **form_of(once_read(client, address(page))),
    )
    assert state_of(office, reference) == ("created", case.wolkvox_id)
    assert f"Recorded: {case.wolkvox_id} is the case of row 3" in done.text
    assert "Nothing is left to decide" in done.text
    assert case.wolkvox_id in set(office.reported()["wolkvox_id"])  # as after the command
    assert "Recorded" in once_read(client, done.url)  # reloading sends nothing, and says the same


def test_a_wrong_id_is_refused_kindly(page: RunningPage, office: Office, give: Give) -> None:
    """What is no id stays in the field, with a reason; another row's is asked about; a form of nobody is not found."""
    in_doubt(office, give, WITHOUT)
    client, (reference,) = known(page), doubtful(office)
    fields = form_of(once_read(client, address(page)))
    for typed, said in (
        ("", "First type the id"),
        ("no es un id", "is not the id of a case"),
        ("<b>1</b>", "is not the id"),
    ):
        refused = post(client, page, address(page), do="created", id=typed, **fields)
        assert refused.status_code == 200
        assert said in refused.text
        assert f'name="id" value="{html.escape(typed)}"' in refused.text
        assert "<b>1</b>" not in refused.text
    assert post(client, page, address(page), do="delete", **fields).status_code == 404
    other = next(row for row in stored_rows(office.journal) if row.state == "created")
    asked = post(client, page, address(page), do="created", id=str(other.wolkvox_id), **fields)
    assert "is already the case of row 2" in asked.text
    assert state_of(office, reference)[0] == "unknown"
    post(client, page, address(page), do="created", id=str(other.wolkvox_id), instead=other.reference, **fields)
    assert state_of(office, reference) == ("created", other.wolkvox_id)
    assert doubtful(office) == [other.reference]


def test_that_there_is_none_is_confirmed_twice(page: RunningPage, office: Office, give: Give) -> None:
    """The first click asks, the second needs the box ticked; then the row is sent again, and stale forms do nothing."""
    in_doubt(office, give, WITHOUT)
    client, (reference,) = known(page), doubtful(office)
    asked = once_read(client, address(page), row=reference, absent="1")
    assert 'name="sure"' in asked
    fields = form_of(asked)
    refused = post(client, page, address(page), do="absent", **fields)
    assert "First confirm" in refused.text
    assert "First confirm" in post(client, page, address(page), do="absent", sure="yes", **fields).text
    assert 'name="sure"' in refused.text
    typed = {"do": "created", "id": "0123456789abcdef01234567"}
    assert "has changed since" in post(client, page, address(page), **typed, **fields | {"about": "999"}).text
    assert state_of(office, reference)[0] == "unknown"
    done = post(client, page, address(page), **confirmed(client, address(page), reference))
    assert state_of(office, reference) == ("planned", None)
    assert "Send 1 row that is left" in once_read(client, done.url)
    assert "already been decided" in post(client, page, address(page), **typed, **fields).text
    assert "already been decided" in client.get(address(page), params={"row": reference}).text
    assert state_of(office, reference) == ("planned", None)


def test_the_crm_is_asked_before_a_row_counts_as_absent(page: RunningPage, office: Office, give: Give) -> None:
    """A person who did not find a case may be wrong: what the CRM has is recorded, and nothing is sent twice."""
    in_doubt(office, give, AFTER)
    client, (reference,) = known(page), doubtful(office)
    assert "the CRM is asked once more" in once_read(client, address(page), absent="1")
    done = post(client, page, address(page), **confirmed(client, address(page), reference))
    assert state_of(office, reference)[0] == "created"
    assert "The CRM was asked again and has the case of row 3" in done.text


def test_of_an_absent_row_the_crm_has_two_cases(page: RunningPage, office: Office, give: Give) -> None:
    """Neither counts by itself, and nothing is sent."""
    in_doubt(office, give, AFTER)
    client, (reference,) = known(page), doubtful(office)
    case = next(case for case in office.sandbox.store.cases if case.reference == reference)
    office.sandbox.store.add(case.body, (), "SANDBOX")
    done = post(client, page, address(page), **confirmed(client, address(page), reference))
    assert "more than one case for row 3" in done.text
    assert state_of(office, reference)[0] == "conflict"
    again = post(client, page, address(page), **confirmed(client, address(page), reference))  # asked again, as before
    assert "more than one case for row 3" in again.text
    assert state_of(office, reference)[0] == "conflict"


def test_where_the_crm_cannot_be_asked_a_person_is_believed(page: RunningPage, office: Office, give: Give) -> None:
    """That it could not be asked is said, and why."""
    in_doubt(office, give, AFTER)
    client, (reference,) = known(page), doubtful(office)
    office.sandbox.inject("unauthorized:call=query")
    done = post(client, page, address(page), **confirmed(client, address(page), reference))
    assert state_of(office, reference)[0] == "planned"
    assert "could not be asked once more" in done.text
    assert "will be sent again with the next run" in done.text


def test_the_crm_is_asked(page: RunningPage, office: Office, give: Give) -> None:
    """A search that finds nothing does not settle the question, one that finds the case does; so for disputed ids."""
    in_doubt(office, give, AFTER)
    client, (reference,) = known(page), doubtful(office)
    fields = form_of(once_read(client, address(page)))
    office.sandbox.inject("search-finds-nothing")
    nothing = post(client, page, address(page), do="ask", **fields)
    assert "does not settle the question" in nothing.text
    assert "Some rows were not found" in nothing.text
    office.sandbox.inject()
    post(client, page, address(page), do="ask", **fields)
    assert state_of(office, reference)[0] == "created"
    with closing(sqlite3.connect(office.journal)) as database, database:
        database.execute("UPDATE rows SET disputed = 1 WHERE id = 1")
    assert "Cases with the same id in two rows" in once_read(client, address(page))
    assert "Cases with the same id in two rows" not in once_read(
        client, post(client, page, address(page), do="ask-all").url
    )


def test_nothing_can_be_decided_too_early(page: RunningPage, office: Office, give: Give) -> None:
    """Before its hour the buttons are inactive and say from when, and a form that comes all the same is refused."""
    office.write([ticket(1)])
    office.sandbox.inject(f"{WITHOUT}:nth=1")
    give(run(office))
    client, (reference,) = known(page), doubtful(office)
    shown = client.get(address(page), params={"absent": "1"})
    assert int(shown.headers["Refresh"]) <= 600
    assert re.search(
        r"<button type=\"button\" disabled>It is not there: create it</button>\s*<p class=\"hint\">From \d\d:",
        shown.text,
    )
    assert 'name="sure"' not in shown.text
    for fields in ({"do": "created", "id": "0123456789abcdef01234567"}, {"do": "ask"}):
        refused = post(client, page, address(page), **fields, **form_of(shown.text))
        assert "may still be created" in refused.text
    assert state_of(office, reference)[0] == "unknown"


def test_of_several_cases_one_is_chosen(page: RunningPage, office: Office, give: Give) -> None:
    """The ids that were found are there to choose from, and none is chosen beforehand."""
    in_doubt(office, give, AFTER)
    client, (reference,) = known(page), doubtful(office)
    case = next(case for case in office.sandbox.store.cases if case.reference == reference)
    double = office.sandbox.store.add(case.body, (), "SANDBOX")
    give(office.settle())
    assert state_of(office, reference)[0] == "conflict"
    shown = once_read(client, address(page))
    assert "Which of these cases is it?" in shown
    for one in (case, double):
        assert f'name="known" value="{one.wolkvox_id}"' in shown
    assert "checked" not in shown
    assert "Ask the CRM" not in shown
    post(client, page, address(page), do="created", known=double.wolkvox_id, **form_of(shown))
    assert state_of(office, reference) == ("created", double.wolkvox_id)


def test_an_import_without_its_sheet_is_decided_too(page: RunningPage, office: Office, give: Give) -> None:
    """Where the file is gone, the row is found by its import, without cells; an import that is not there is said so."""
    in_doubt(office, give, WITHOUT)
    office.source.unlink()
    client, (reference,) = known(page), doubtful(office)
    where = f"{page.address}/imports/1/decide"
    shown = client.get(where).text
    assert reference in shown
    assert "tickets.csv" in shown
    own = once_read(client, address(page))  # the sheet's own page works without its file, too
    assert reference in own
    assert "cannot be read now" in own
    post(client, page, where, **confirmed(client, where, reference))
    assert state_of(office, reference)[0] == "planned"
    assert client.get(f"{page.address}/imports/99/decide").status_code == 404


def test_pages_do_not_wait_long_for_a_locked_journal(
    page: RunningPage, office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While another program has the journal locked, every page answers soon and says so, and works again after it."""
    in_doubt(office, give, WITHOUT)
    for patience in ("web.decide.JOURNAL_PATIENCE", "web.look_back.runs.JOURNAL_PATIENCE", "journal.watching.GLANCE"):
        monkeypatch.setattr(f"importer.{patience}", 0.1)
    client = known(page)
    once_read(client, address(page))
    pages = [address(page), address(page).replace("decide", "look-back"), f"{page.address}/imports", page.address]
    for mode in ("NORMAL", "EXCLUSIVE"):
        with closing(sqlite3.connect(office.journal, isolation_level=None)) as other:
            other.execute(f"PRAGMA locking_mode = {mode}")
            other.execute("BEGIN EXCLUSIVE")
            for where in pages:
                began = time.monotonic()
                answer = client.get(where, timeout=20)
                assert time.monotonic() - began < 3
                assert answer.status_code in {200, 409}
                said = "has locked the journal" in answer.text or "is locked" in answer.text
                assert answer.status_code == 200 or said
        assert "Was this case created?" in once_read(client, address(page))


def test_before_anything_was_sent(page: RunningPage, office: Office) -> None:
    """Without a journal nothing is left to decide, and nothing was sent; nothing makes one."""
    office.write([ticket(1)])
    client = known(page)
    for path in ("decide", "look-back"):
        assert client.get(address(page).replace("decide", path)).status_code == 200
        assert not office.journal.exists()


def test_a_clerk_decides_in_spanish(page: RunningPage, office: Office, give: Give, browser: Browser) -> None:
    """With the keyboard alone: one is left for later, the other is confirmed twice and is sent with the next run."""
    office.write(ticket(n) for n in range(1, 5))
    office.sandbox.inject(f"{WITHOUT}:nth=2,call=insert", f"{WITHOUT}:nth=3,call=insert")
    give(run(office))
    with closing(sqlite3.connect(office.journal)) as database, database:
        database.execute("UPDATE attempts SET lease = lease - 500, deadline = deadline - 500")
    page.office.memory.change(language="es")
    first, second = doubtful(office)
    with open_in(browser, page) as tab:
        tab.goto(address(page))
        assert "1 de 2" in tab.inner_text("main")
        assert Axe().run(tab).response["violations"] == []
        tab.get_by_role("link", name="Decidir después").press("Enter")
        assert "2 de 2" in tab.inner_text("main")
        assert second in tab.inner_text("main")
        tab.get_by_role("link", name="No está: crearlo").press("Enter")
        tab.get_by_role("checkbox").press("Space")
        tab.get_by_role("button", name="No está: crearlo en el próximo envío").press("Enter")
        tab.wait_for_function("document.activeElement?.textContent.includes('Anotado')")
        assert "1 de 1" in tab.inner_text("main")
        assert first in tab.inner_text("main")
        tab.get_by_role("link", name="Decidir después").press("Enter")
        assert "Queda 1 fila por decidir" in tab.inner_text("h1")
        tab.go_back()
        tab.reload()
    assert [state_of(office, one)[0] for one in (first, second)] == ["unknown", "planned"]
