"""The page Start: a card for each import with its state and its one button, an example, and the end of the program."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser
from start_support import PageClient, checked, mapping, text_of, token_of
from start_support import sheet as write_sheet
from web_support import open_in, running_page

from importer import Connection, ImportState, JournalError, RunRecord, RunWatch, Status, check, load_job
from importer.journal import RunStart, user_name, working_as
from importer.languages import LANGUAGES
from importer.messages import speaking
from importer.web.background import Background, Newest
from importer.web.memory import Memory
from importer.web.office import Office
from importer.web.send.sending import DeskState
from importer.web.start import cards, sentences
from importer.web.start.cards import CardKind, cards_of
from importer.web.start.example import write_example

NOW = datetime.now(UTC)
READING: Newest[Any] = Newest(None, None, is_current=False)


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PageClient]:
    """Come in to the page, at a home of its own."""
    monkeypatch.setenv("HOME", str(tmp_path))
    with running_page(tmp_path / "journal.db") as page:
        yield PageClient(page)


def state(
    source: Path, name: str = "pqr", states: Mapping[Status, int] | None = None, **watched: object
) -> ImportState:
    """Return an import as the journal knows it, whose last run was of this source."""
    start = RunStart(str(source), "", "", "https://crm0001.wolkvox.com", "ana", "case-importer")
    record = RunRecord(1, 1, name, "demo", start, NOW - timedelta(hours=1), NOW, 1, 3, None, 0)
    if watched.pop("goes_on", False):
        record = replace(record, ended_at=None)
    values = {"lives": None, "is_own": False, **watched}
    run = RunWatch(record, Counter(), 0, NOW, **values)  # type: ignore[arg-type]
    return ImportState(1, "crm0001.wolkvox.com", "demo", name, Counter(states or {Status.CREATED: 3}), run)


def known(monkeypatch: pytest.MonkeyPatch, *states: ImportState) -> None:
    """Let the journal know these imports."""
    monkeypatch.setattr(cards, "imports_known", lambda _path: list(states))


@pytest.mark.parametrize(
    ("watched", "states", "shown", "button", "step"),
    [
        ({"goes_on": True, "lives": True, "is_own": True}, {}, "Enviando", "Ver", "send"),
        ({"goes_on": True, "lives": None}, {}, "Enviando", "Ver", "send"),
        ({"goes_on": True, "quota_until": NOW + timedelta(hours=9)}, {}, "Enviando", "Ver", "send"),
        ({"goes_on": True, "lives": False}, {Status.UNKNOWN: 1}, "Interrumpido", "Continuar", "send"),
        ({}, {Status.UNKNOWN: 1}, "Por confirmar", "Decidir", "decide"),
        ({}, {Status.CONFLICT: 2}, "Por confirmar", "Decidir", "decide"),
        ({"quota_until": NOW + timedelta(hours=9)}, {}, "En pausa por cupo", "Continuar", None),
        ({"quota_until": NOW - timedelta(hours=1)}, {}, "Listo", "Revisar y enviar", "send"),
    ],
)
def test_what_the_journal_says_comes_first(
    client: PageClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, watched: dict[str, object],
    states: Mapping[Status, int], shown: str, button: str, step: str | None,
) -> None:  # fmt: skip
    """The card has the words of the office, one button that leads on, and one that waits for its hour is inactive."""
    sheet = write_sheet(tmp_path / "week.csv")
    opened = client.page.office.open(sheet, mapping(tmp_path / "pqr.yml"))
    checked(opened)
    known(monkeypatch, state(sheet, states=states, **watched))
    client.page.office.memory.change(language="es")
    page = client.get("/").text
    assert page.count('class="card"') == 1
    assert re.findall(r'class="state[^"]*">([^<]*)', page) == [shown]
    found = re.search(
        r'class="actions"><(?:a|button)([^>]*)>([^<]*)', page.partition('class="card"')[2].replace("\n", "")
    )
    assert found is not None
    assert found[2] == button
    assert ("disabled" in found[1]) == (step is None)
    assert step is None or f'href="/sheets/{opened.id}/{step}"' in found[1]


def test_cards_are_in_the_order_of_their_urgency(
    client: PageClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What sends or was interrupted is above what only has to be corrected, and what is finished comes last."""
    office = client.page.office
    faulty = write_sheet(tmp_path / "faulty.csv", rows=[("R1", "", "Uno", "Abierto")])
    checked(office.open(faulty, mapping(tmp_path / "faulty.yml", "faulty")))
    ready = write_sheet(tmp_path / "ready.csv")
    checked(office.open(ready, mapping(tmp_path / "ready.yml", "ready")))
    new = write_sheet(tmp_path / "new.csv", headings=("A", "B", "C", "D"))
    office.open(new)
    known(monkeypatch, state(Path("/gone/a.csv"), "sent"), state(Path("/gone/b.csv"), "doubt", {Status.UNKNOWN: 2}))
    found = cards_of(office)
    assert [(card.title, card.kind) for card in found.cards] == [
        ("doubt", CardKind.TO_CONFIRM), ("new.csv", CardKind.TO_MATCH), ("faulty", CardKind.TO_CORRECT),
        ("ready", CardKind.READY), ("sent", CardKind.DONE),
    ]  # fmt: skip
    assert client.get("/").text.count('main"') + client.get("/").text.count('class="main"') >= 1


def test_an_import_that_only_the_journal_knows_is_opened_by_its_button(
    client: PageClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sheet is opened, even where the file is gone, with the mapping that fits; a path that no run has is not."""
    source = tmp_path / "gone.csv"
    known(monkeypatch, state(source, states={Status.UNKNOWN: 1}))
    form = re.search(r'action="/resume">\s*<input[^>]*value="([^"]*)">', client.get("/").text)
    assert form is not None
    answer = client.post("/resume", {"source": form[1], "step": "decide"}, allow_redirects=False)
    assert re.fullmatch(r"/sheets/\w{12}/decide", answer.headers["location"])
    write_sheet(source)
    mapping(tmp_path / "pqr.yml")
    answer = client.post("/resume", {"source": form[1], "step": "send"}, allow_redirects=False)
    assert re.fullmatch(r"/sheets/\w{12}/send", client.settled(answer).headers["location"])
    for data in ({"source": token_of(tmp_path / "x"), "step": "decide"}, {"source": form[1], "step": "../.."}):
        assert client.post("/resume", data).status_code == 404


def test_sheets_of_one_import_share_a_card(client: PageClient, tmp_path: Path) -> None:
    """The newest is the one that the button is about; the others are below it, and each can be taken off."""
    pqr = mapping(tmp_path / "pqr.yml")
    for week in ("47", "48"):
        client.page.office.open(write_sheet(tmp_path / f"semana {week}.csv"), pqr)
    (card,) = cards_of(client.page.office).cards
    assert (card.source.name, [one.name for one in card.earlier]) == ("semana 48.csv", ["semana 47.csv"])
    assert card.sheet is not None
    client.post("/forget", {"sheet": card.sheet.id})
    client.post("/forget", {"sheet": card.sheet.id})
    (card,) = cards_of(client.page.office).cards
    assert card.source.name == "semana 47.csv"


def test_few_checks_are_begun_at_once(client: PageClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sheet that is opened next need not wait for all others; and while cases are sent, none is begun."""
    begun: list[str] = []

    def begin(checker: Background[Any], _patience: float) -> Newest[Any]:
        begun.append(checker.depends_on()[0].source.name)  # type: ignore[index]
        return READING

    monkeypatch.setattr(Background, "now", begin)
    for number in range(4):
        mapping(tmp_path / f"{number}.yml", f"import {number}")
        client.page.office.open(write_sheet(tmp_path / f"{number}.csv"), tmp_path / f"{number}.yml")
    found = cards_of(client.page.office)
    assert begun == ["3.csv", "2.csv"]
    assert {card.kind for card in found.cards} == {CardKind.READING}
    assert found.is_reading
    known(monkeypatch, state(tmp_path / "other.csv", "other", goes_on=True))
    assert [card.kind for card in cards_of(client.page.office).cards] == [CardKind.SENDING, *[CardKind.READING] * 4]
    assert len(begun) == 2


def test_a_run_that_has_just_begun_is_seen(client: PageClient, tmp_path: Path) -> None:
    """Before the journal has it, the card says that it sends, and is renewed soon; a rehearsal is no sending."""
    opened = client.page.office.open(write_sheet(tmp_path / "week.csv"), mapping(tmp_path / "pqr.yml"))
    for is_rehearsal, kinds in ((False, {CardKind.SENDING}), (True, {CardKind.READY})):
        checked(opened)
        opened.sending._state = DeskState("running", is_rehearsal=is_rehearsal)
        found = cards_of(client.page.office)
        assert {card.kind for card in found.cards} == kinds
        assert found.is_reading == (not is_rehearsal)
    opened.sending._state = DeskState()


def test_older_imports_are_listed_below(client: PageClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only those that were opened last are checked; what the journal calls urgent is a card all the same."""
    monkeypatch.setattr(cards, "MOST_CHECKED", 1)
    for number in range(3):
        client.page.office.open(tmp_path / f"{number}.xlsx")
    known(monkeypatch, state(tmp_path / "sent.csv", "sent"), state(tmp_path / "d.csv", "doubt", {Status.UNKNOWN: 1}))
    found = cards_of(client.page.office)
    assert [card.title for card in found.cards] == ["doubt", "2.xlsx"]
    assert [card.title for card in found.older] == ["1.xlsx", "0.xlsx", "sent"]
    assert "Older imports" in client.get("/").text


def test_a_journal_that_cannot_be_read_hides_no_sheet(
    client: PageClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reason is above the cards of the sheets."""

    def locked(_path: Path) -> list[ImportState]:
        raise JournalError("The journal is locked.")

    client.page.office.open(write_sheet(tmp_path / "week.csv"), mapping(tmp_path / "pqr.yml"))
    monkeypatch.setattr(cards, "imports_known", locked)
    page = client.get("/")
    assert "The journal is locked." in page.text
    assert page.text.count('class="card"') == 1


def test_hostile_names_stay_text(client: PageClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name of an import, of a file or in an error becomes no markup, and a long one is shortened."""
    evil = '<img src=x onerror="alert(1)">'
    known(monkeypatch, state(tmp_path / f"{evil}.csv", evil + "x" * 30_000))
    page = client.get("/").text
    assert "<img" not in page
    assert "&lt;img" in page
    assert len(page) < 20_000


def test_a_card_is_renewed_once_its_sheet_was_read(browser: Browser, client: PageClient, tmp_path: Path) -> None:
    """It says that it is being read, changes by itself, and the focus stays on its button; the tab is not reloaded."""
    opened = client.page.office.open(write_sheet(tmp_path / "week.csv"), mapping(tmp_path / "pqr.yml"))
    client.page.office.memory.change(language="es")
    with open_in(browser, client.page) as tab:
        tab.evaluate("window.kept = true")
        tab.locator(".card .state", has_text="Listo").wait_for()
        assert tab.evaluate("window.kept")
        assert tab.get_by_role("link", name="Revisar y enviar").get_attribute("href") == f"/sheets/{opened.id}/send"


# -------------------------------------------------------------------------------------------- nothing yet


@pytest.mark.parametrize("tag", LANGUAGES)
def test_the_example_is_a_sheet_to_rehearse_with(tmp_path: Path, tag: str) -> None:
    """In each language it has faults to correct, attachments, and no server; what was tried in it is not undone."""
    with speaking(tag):
        sheet, known_by = write_example(tmp_path, tag)
        office_job = Office(Connection(), tmp_path / "j.db", Memory(tmp_path / "memory.json"))
        plan = check(load_job(office_job.job_of(office_job.open(sheet, known_by))))
        assert sorted(issue.code for issue in plan.issues()) == [
            "attachment-missing", "no-crm-value", "no-crm-value", "required",
        ]  # fmt: skip
        assert (plan.counts().planned, plan.counts().invalid) == (6, 4)
        sheet.write_bytes(b"mine")
        assert write_example(tmp_path, tag) == (sheet, known_by)
        assert sheet.read_bytes() == b"mine"
        office_job.close()


def test_with_nothing_yet_there_are_two_ways_to_begin(client: PageClient, tmp_path: Path) -> None:
    """A sheet, or the example, which is put into the folder of copies."""
    page = text_of(client.get("/"))
    assert "Choose a sheet" in page
    assert "Try it with an example" in page
    answer = client.post("/example", allow_redirects=False)
    assert answer.headers["location"].endswith("/correct")
    assert (tmp_path / "Documents" / "Imports" / "Example" / "Example requests.xlsx").exists()


# -------------------------------------------------------------------------------------------- who works, the end


def test_who_works_is_recorded_beside_the_account(client: PageClient) -> None:
    """The name that was typed is remembered, cleaned, and part of what the journal records for this page alone."""
    client.post("/who", {"who": "  Ana \u202e<b>Ruiz</b>  " + "x" * 100})
    remembered = client.page.office.memory.load().who
    assert remembered is not None
    assert "Saved. From now on “Ana”" in text_of(client.post("/who", {"who": "Ana"}))
    client.post("/who", {"who": remembered})
    assert remembered.startswith("Ana <b>Ruiz</b>")
    assert len(remembered) == 60
    assert "<b>" not in client.get("/").text
    account = user_name()
    with working_as("Ana Ruiz"):
        assert user_name() == f"Ana Ruiz ({account})"
    assert user_name() == account
    client.post("/who", {"who": " "})
    assert client.page.office.memory.load().who is None


def test_closing_while_cases_are_sent_is_asked_about(client: PageClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says what happens to them; without work the program ends at once."""
    monkeypatch.setattr(Office, "is_busy", property(lambda _office: True))
    assert "Close while cases are being sent?" in text_of(client.post("/close"))
    assert client.get("/").ok
    closed = client.post("/close", {"agreed": "yes"})
    assert "on their way" in text_of(closed)
    assert "<form" not in closed.text
    assert client.get("/page.css").ok  # it ends only after that
    client.page._thread.join(5)
    with pytest.raises(requests.ConnectionError):
        client.get("/here")


@pytest.mark.parametrize("back", ["https://evil.example", "//evil.example", "/\\evil.example"])
def test_the_language_switch_leads_nowhere_else(client: PageClient, back: str) -> None:
    """It goes back to the page that was shown, with what its address asked for."""
    answer = client.post("/language", {"language": "pt", "back": back}, allow_redirects=False)
    assert answer.headers["location"] == "/"
    shown = client.get("/choose?at=" + token_of(Path("/")))
    assert 'name="back" value="/choose?at=' in shown.text


def test_numbers_of_before_are_not_told_while_the_sheet_is_read_again(
    client: PageClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a run that has just ended, the card says that the sheet is being read, not what was true before it."""
    opened = client.page.office.open(write_sheet(tmp_path / "week.csv"), mapping(tmp_path / "pqr.yml"))
    found = checked(opened).checker.now()
    assert [card.kind for card in cards_of(client.page.office).cards] == [CardKind.READY]
    monkeypatch.setattr(Background, "now", lambda *_anything: replace(found, is_current=False))
    assert [card.kind for card in cards_of(client.page.office).cards] == [CardKind.READY]
    ended = state(opened.source)
    assert ended.last_run
    record = replace(ended.last_run.record, ended_at=NOW + timedelta(hours=1))
    known(monkeypatch, replace(ended, last_run=replace(ended.last_run, record=record)))
    (card,) = cards_of(client.page.office).cards
    assert card.kind is CardKind.READING
    assert not card.is_current


def test_a_card_counts_the_cases_of_its_run() -> None:
    """Those of other weeks are of the same import, but no run of this sheet has created them."""
    now = datetime(2026, 11, 24, 10, tzinfo=UTC)
    record = RunRecord(2, 1, "PQR", "demo", RunStart("a.csv", "", "", "", "ana", ""), now, None, 1, 1, None, None)
    run = RunWatch(record, {Status.CREATED: 28}, 0, now, lives=True, is_own=True)
    state = ImportState(1, "crm", "demo", "PQR", {Status.CREATED: 59}, run)
    assert "28 created so far" in sentences.sending(state)
    assert "28 cases were created" in sentences.interrupted(state)
    assert "28 cases are created" in sentences.stopped(state)
