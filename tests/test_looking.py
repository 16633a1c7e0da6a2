"""Looking for rows before they are sent, rule by rule: rows that are found or may be there are not sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from journal_support import SENT_VALUE, Clock, SampleJournal, created, identity, outcome
from scripted_crm import ScriptedCrm, http
from searched_crm import FINDINGS, OTHER, Record, Searched, record

from importer.crm import Crm
from importer.errors import StartRefused
from importer.journal import Decision
from importer.model import Status, Target, Verdict
from importer.settings import Connection
from importer.workflow.commands import Commands
from importer.workflow.settling import looking
from importer.workflow.settling.looking import RowFinder, RowToFind, choose_for_spot_check
from importer.workflow.tenant_facts import Findings

BY_CONTACT = ("email contact", SENT_VALUE)
SOURCE = "the source's digest"
PLAN: Any = SimpleNamespace(
    mapping=SimpleNamespace(search="email contact", reference="description", path="mapping.yml"),
    table=SimpleNamespace(digest=SOURCE),
)
COMMANDS = Commands(Path("a.csv"), Path("mapping.yml"), Connection())
REFUSED = http(404, {"code": "404", "error": "RECORD NOT FOUND"})


def wanted(*numbers: int, value: str | None = SENT_VALUE) -> list[RowToFind]:
    """Return rows that are about to be sent."""
    return [RowToFind(identity(number).reference, value) for number in numbers]


@dataclass
class Scene:
    """A journal with planned rows, and a CRM that is asked for them."""

    desk: SampleJournal
    crm: Searched
    server: ScriptedCrm

    def look(self, way: str, rows: list[RowToFind], findings: Findings | None = FINDINGS) -> str | None:
        """Look for rows by one of the ways."""
        with Crm(Target(self.server.url, "op", "any")) as crm:
            finder = RowFinder(crm, self.desk.journal, self.desk.record, PLAN, findings)
            if way == "spot_check":
                return looking.spot_check(finder, rows, 2, COMMANDS)
            {"look_for": finder.look_for, "look_again": finder.look_again}[way](rows, 2)
            return None

    def states(self) -> list[Status]:
        """Return the states of rows 1 to 3."""
        return [self.desk.row(number).status for number in (1, 2, 3)]

    def is_checked(self) -> bool:
        """Tell whether the journal remembers that the source was looked for."""
        return self.desk.journal.imports.is_spot_checked(self.desk.record, SOURCE)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Return a journal with rows 1 to 3 planned, and a CRM that has nothing."""
    desk, crm = SampleJournal(tmp_path / "journal.db", Clock()), Searched()
    desk.plan([1, 2, 3])
    with ScriptedCrm(crm) as server:
        yield Scene(desk, crm, server)
    desk.journal.close()


HIDING: dict[str, list[Record]] = {
    "quoted": [{**OTHER, "reason": identity(1).reference}],
    "cut": [{**OTHER, "description_case": "[WCI-"}],
    "no id": [record(1, None)],
    "several": [record(1, "case-1"), record(1, "case-9")],
}


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("quoted", Status.UNKNOWN),
        ("cut", Status.UNKNOWN),
        ("no id", Status.CONFLICT),
        ("several", Status.CONFLICT),
    ],
)
def test_o31_a_row_that_may_be_there_is_not_sent(scene: Scene, answer: str, state: Status) -> None:
    """A mention, a text that was cut off, a case without an id, several cases: each is left to a person."""
    scene.crm.answers[BY_CONTACT] = HIDING[answer]
    scene.look("look_for", wanted(1))
    assert scene.states() == [state, Status.PLANNED, Status.PLANNED]


@pytest.mark.parametrize(("page_size", "state"), [(None, Status.UNKNOWN), (1, Status.UNKNOWN), (2, Status.PLANNED)])
def test_o31_a_page_that_may_not_be_whole_hides_rows(scene: Scene, page_size: int | None, state: Status) -> None:
    """Only a list that is shorter than a page, and than another one, shows that a row is not there; or an empty one."""
    scene.crm.answers[BY_CONTACT] = [OTHER]
    scene.crm.answers["email contact", "crowd@example.com"] = [OTHER, OTHER]
    rows = [*wanted(1), *wanted(3, value="crowd@example.com")]
    scene.look("look_for", rows, replace(FINDINGS, page_size=page_size))
    scene.look("look_for", wanted(2, value="nobody@example.com"), None)
    assert scene.states() == [state, Status.PLANNED, Status.UNKNOWN]


def test_o31_a_row_that_an_earlier_look_left_in_doubt_is_looked_for_again(scene: Scene) -> None:
    """Found, still in doubt, or certainly absent by now; a row that was sent is not touched."""
    scene.crm.answers[BY_CONTACT] = [OTHER]
    scene.look("look_for", wanted(1, 2), None)
    scene.desk.conclude(scene.desk.claim(3), outcome(Verdict.UNKNOWN))
    assert scene.states() == [Status.UNKNOWN] * 3
    scene.look("look_again", wanted(1, 2), None)
    assert scene.states() == [Status.UNKNOWN] * 3
    scene.crm.answers[BY_CONTACT] = []
    scene.crm.answers["email contact", "two@example.com"] = [record(2, "case-2")]
    scene.look("look_again", [*wanted(1), *wanted(2, value="two@example.com"), *wanted(3)])
    assert scene.states() == [Status.PLANNED, Status.CREATED, Status.UNKNOWN]


def test_r15_a_row_that_is_a_case_already_stops_the_run_and_its_id_is_kept(scene: Scene) -> None:
    """Nothing is recorded about the source: the next run looks again."""
    scene.crm.answers[BY_CONTACT] = [record(1, "case-1")]
    with pytest.raises(StartRefused, match="case-1"):
        scene.look("spot_check", wanted(1, 2))
    assert (scene.desk.row(1).status, scene.desk.row(1).wolkvox_id) == (Status.CREATED, "case-1")
    assert not scene.is_checked()


def test_r15_a_source_whose_rows_are_not_there_is_looked_for_once(scene: Scene) -> None:
    """An answer that proves nothing about a row is not a hit, and the source is remembered by its digest."""
    scene.crm.answers[BY_CONTACT] = [OTHER]
    assert scene.look("spot_check", wanted(1, 2), None) is None
    assert scene.is_checked()
    assert scene.states() == [Status.PLANNED] * 3


def test_r15_what_the_journal_knows_by_now_is_no_hit(scene: Scene) -> None:
    """Another process has created the row since the plan was made."""
    scene.desk.conclude(scene.desk.claim(1), created("case-1"))
    scene.crm.answers[BY_CONTACT] = [record(1, "case-1")]
    assert scene.look("spot_check", wanted(1)) is None


def test_r15_a_case_that_a_person_declared_gone_is_no_hit(scene: Scene) -> None:
    """The id is known, and its row is not sent again; a search may show the case for a while."""
    journal, record_of = scene.desk.journal, scene.desk.record
    scene.desk.conclude(scene.desk.claim(2), created("case-1"))
    assert journal.doubts.note_deleted(record_of.id, identity(2).reference)
    scene.crm.answers[BY_CONTACT] = [record(1, "case-1")]
    assert scene.look("spot_check", wanted(1)) is None
    assert (
        journal.doubts.found_first(record_of.id, identity(1).reference, Decision(Status.CREATED, "x", "case-1")) is None
    )


def test_c58_a_deleted_case_that_a_search_still_shows_keeps_nothing_back(scene: Scene) -> None:
    """Its own row is sent again, although the record carries its mark."""
    journal, record_of = scene.desk.journal, scene.desk.record
    scene.desk.conclude(scene.desk.claim(2), created("case-1"))
    assert journal.doubts.note_deleted(record_of.id, identity(2).reference)
    scene.crm.answers[BY_CONTACT] = [record(2, "case-1")]
    scene.crm.answers["email contact", "many@example.com"] = [OTHER, {**OTHER, "wolkvox_id": "another"}]
    scene.look("look_for", [*wanted(2), *wanted(1, value="many@example.com")])
    assert scene.states()[1] is Status.PLANNED


def test_r15_a_question_that_is_refused_is_said_and_asked_again(scene: Scene) -> None:
    """The other answers count; the source is not recorded as checked."""
    scene.crm.answers[BY_CONTACT] = REFUSED
    rows = [*wanted(1), *wanted(2, value="nobody@example.com")]
    assert "RECORD NOT FOUND" in (scene.look("spot_check", rows) or "")
    assert not scene.is_checked()
    scene.crm.answers["email contact", "nobody@example.com"] = [record(2, "case-2")]
    with pytest.raises(StartRefused, match="case-2"):
        scene.look("spot_check", rows)


NOTHING = {"code": "200", "error": "null", "msg": "0 records were are found"}


@pytest.mark.parametrize(
    "answer",
    [
        [],
        {**NOTHING, "data": None},
        {**NOTHING, "data": {}},
        {**NOTHING, "data": [], "msg": "Se encontraron 2 casos"},
        {**NOTHING, "data": [], "code": None},
    ],
)
def test_c60_an_answer_that_cannot_be_read_is_no_none(scene: Scene, answer: object) -> None:
    """It is said, the source is not recorded as checked, and the next run asks again."""
    scene.crm.answers[BY_CONTACT] = http(200, answer)  # type: ignore[arg-type]
    assert "cannot be read" in (scene.look("spot_check", wanted(1)) or "")
    assert not scene.is_checked()


def test_r15_rows_that_cannot_be_looked_for_are_said(scene: Scene) -> None:
    """Without a mark or a value there is nothing to search for, and the CRM is not asked."""
    assert "`reference`" in (scene.look("spot_check", wanted(1, value=None)) or "")
    assert scene.crm.asked == []


@pytest.mark.parametrize(
    ("rows", "contacts", "number", "quota_left", "places"),
    [
        (101, 101, 3, None, [0, 50, 100]),
        (101, 101, 3, 1009, [0, 50, 100]),
        (101, 101, 3, 1010, list(range(101))),
        (101, 6, 3, 59, [0, 50, 100]),
        (101, 6, 3, 60, list(range(101))),
        (101, 101, 1, None, [0]),
        (2, 2, 3, None, [0, 1]),
        (101, 101, 0, 1010, []),
        (0, 0, 3, 1010, []),
    ],
)
def test_r15_the_rows_of_a_spot_check(
    monkeypatch: pytest.MonkeyPatch,
    *,
    rows: int,
    contacts: int,
    number: int,
    quota_left: int | None,
    places: list[int],
) -> None:
    """The first, the last and some between; all of them if that costs at most a tenth of the remaining calls."""
    every = [RowToFind(f"WCI-{place}", f"{place % max(1, contacts)}@example.com") for place in range(rows)]
    monkeypatch.setattr(looking, "sendable_rows", lambda _plan: iter(every))
    chosen = choose_for_spot_check(PLAN, rows, number, quota_left)
    assert chosen == [every[place] for place in places]
