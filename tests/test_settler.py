"""What a search settles, rule by rule: presence by a mark in the right place, absence only by all proofs together."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from journal_support import COLUMNS, LEASE, SENT_VALUE, Clock, SampleJournal, created, identity, intent, outcome
from promise_support import select
from scripted_crm import ScriptedCrm, http
from searched_crm import FINDINGS, OTHER, Record, Searched, believed, record

from importer.crm import Crm
from importer.journal import Adopted
from importer.model import Outcome, Status, Target, Verdict
from importer.workflow.keys.history import ImportHistory
from importer.workflow.settling.settling import SearchSettler, SettleResult
from importer.workflow.tenant_facts import Findings

QUIET = 120.0
CROWD = "muchos@example.com"


@dataclass
class Scene:
    """A journal whose clock stands still, and a CRM that answers its questions."""

    desk: SampleJournal
    clock: Clock
    crm: Searched
    server: ScriptedCrm

    def send(
        self, number: int, what: Outcome, value: str | None = SENT_VALUE, place: str | None = "description"
    ) -> None:
        """Send a row into an answer."""
        meant = replace(intent(number), search_value=value, mark_place=place)
        attempt = self.desk.journal.attempts.claim(self.desk.record.id, self.desk.run, meant)
        self.desk.conclude(attempt, what)

    def settle(self, findings: Findings | None = FINDINGS) -> SettleResult:
        """Ask the CRM for every row in doubt."""
        with Crm(Target(self.server.url, "op", "any")) as crm:
            return SearchSettler(ImportHistory(self.desk.journal, self.desk.record), crm, findings, QUIET).settle()

    def wait(self) -> None:
        """Let the lease and the quiet period of everything that was sent end."""
        self.clock.pass_by(LEASE + QUIET + 1)

    def status(self, number: int) -> Status:
        """Return the state of a row."""
        return self.desk.row(number).status

    def ids(self) -> list[str | None]:
        """Return the ids of rows 1 to 3."""
        return [self.desk.row(number).wolkvox_id for number in (1, 2, 3)]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """Return a journal with rows 1 to 4 planned, and a CRM that has nothing."""
    clock, crm = Clock(), Searched()
    desk = SampleJournal(tmp_path / "journal.db", clock)
    desk.plan([1, 2, 3, 4])
    with ScriptedCrm(crm) as server:
        yield Scene(desk, clock, crm, server)
    desk.journal.close()


UNKNOWN = outcome(Verdict.UNKNOWN)
BY_CONTACT, BY_CROWD = ("email contact", SENT_VALUE), ("email contact", CROWD)


def all_proofs(scene: Scene) -> None:
    """Row 1 is unknown and cannot be found; row 2 is newer, and the answer that shows it is longer."""
    scene.send(1, UNKNOWN)
    scene.wait()
    scene.send(2, created("case-2"), CROWD)
    scene.crm.answers = {BY_CONTACT: [OTHER], BY_CROWD: [record(2, "case-2"), OTHER]}


# ------------------------------------------------------------------------------------------------ absence


def test_o29_every_proof_together_lets_a_row_go_again(scene: Scene) -> None:
    """A verified search, a whole answer without the row, a newer case and a longer answer: planned again."""
    all_proofs(scene)
    assert scene.settle().planned == 1
    assert scene.status(1) is Status.PLANNED


def test_o29_an_answer_to_another_row_may_be_the_longer_one(scene: Scene) -> None:
    """All searches are made before any row is decided."""
    all_proofs(scene)
    scene.send(3, UNKNOWN, "bob@example.com")
    scene.wait()
    scene.crm.answers[BY_CROWD] = [record(2, "case-2")]
    scene.crm.answers["email contact", "bob@example.com"] = [record(3, "case-3"), OTHER]
    scene.settle()
    assert [scene.status(number) for number in (1, 3)] == [Status.PLANNED, Status.CREATED]


@pytest.mark.parametrize(
    "findings",
    [
        None,
        replace(FINDINGS, search_field="owner user"),
        replace(FINDINGS, body_length=999),
        replace(FINDINGS, found_after=None),
        replace(FINDINGS, found_after=QUIET + 1),
        replace(FINDINGS, nothing_readable=False),
        replace(FINDINGS, page_size=None),
        replace(FINDINGS, page_size=1),
    ],
)
def test_o29_what_the_doctor_did_not_learn_proves_no_absence(scene: Scene, findings: Findings | None) -> None:
    """Another field, a shorter case, one that was found too late, an unread 'none', or a page of unknown size."""
    all_proofs(scene)
    settled = scene.settle(findings)
    assert (settled.planned, len(settled.refusals)) == (0, 1)
    assert scene.status(1) is Status.UNKNOWN


def test_o29_without_the_doctor_an_empty_answer_proves_no_absence(scene: Scene) -> None:
    """It is unknown whether this search finds anything at all, however complete its answer is."""
    all_proofs(scene)
    scene.crm.answers[BY_CONTACT] = []
    assert "doctor" in scene.settle(None).refusals[0]
    assert scene.status(1) is Status.UNKNOWN


REFERENCE = identity(1).reference
NOT_BELIEVED = http(200, believed([OTHER]) | {"msg": "7 records were are found"})
REFUSED = http(404, {"code": "404", "error": "RECORD NOT FOUND"})


@pytest.mark.parametrize(
    "answer",
    [
        [{**OTHER, "replies": [{"text": f"see {REFERENCE}"}]}],
        [{**OTHER, "description_case": f"[{REFERENCE[:8]}"}],
        [{**OTHER, "description_case": ""}],
        [record(1, None)],
        [OTHER, OTHER],
        NOT_BELIEVED,
        REFUSED,
    ],
    ids=["quoted", "cut", "blank", "no id", "the longest", "not believed", "refused"],
)
def test_o29_an_answer_that_may_hide_the_case_proves_no_absence(scene: Scene, answer: list[Record] | bytes) -> None:
    """A mention, a text that is cut or missing, no id, the longest answer of all, or one that is not believed."""
    all_proofs(scene)
    scene.crm.answers[BY_CONTACT] = answer
    scene.settle()
    assert scene.status(1) is Status.UNKNOWN


@pytest.mark.parametrize("seconds", [0.0, LEASE + QUIET - 0.1])
def test_o29_a_control_that_is_not_newer_proves_no_absence(scene: Scene, seconds: float) -> None:
    """It was sent before the quiet period of the doubtful row was over: the index may still be behind."""
    scene.send(1, UNKNOWN)
    scene.clock.pass_by(seconds)
    scene.send(2, created("case-2"), CROWD)
    scene.crm.answers = {BY_CONTACT: [OTHER], BY_CROWD: [record(2, "case-2"), OTHER]}
    scene.wait()
    settled = scene.settle()
    assert (scene.status(1), settled.planned) == (Status.UNKNOWN, 0)


@pytest.mark.parametrize(
    ("value", "place"), [(None, "description"), (SENT_VALUE, None)], ids=["no value", "no place of the mark"]
)
def test_o29_what_cannot_be_searched_for_is_not_absent(scene: Scene, value: str | None, place: str | None) -> None:
    """A row that cannot be searched for is left to a person, whatever else is proven."""
    scene.send(1, UNKNOWN, value, place)
    scene.wait()
    scene.send(2, created("case-2"), CROWD)
    scene.crm.answers = {BY_CONTACT: [], BY_CROWD: [record(2, "case-2"), OTHER]}
    assert "--by-hand" in scene.settle().refusals[0]
    assert scene.status(1) is Status.UNKNOWN


def test_o29_answers_by_another_field_are_no_control(scene: Scene) -> None:
    """The newer case and the longer answer must come from the same search that did not find the row."""
    all_proofs(scene)
    scene.crm.answers[BY_CROWD] = []
    scene.send(3, Outcome(Verdict.UNKNOWN, "No.", ids=("case-2",)))
    scene.wait()
    scene.crm.answers["wolkvox-id", "case-2"] = [record(2, "case-2"), OTHER]
    scene.crm.answers[BY_CONTACT] = []
    scene.settle()
    assert scene.status(1) is Status.UNKNOWN
    scene.crm.answers[BY_CROWD] = [record(2, "case-2")]
    scene.crm.answers[BY_CONTACT] = [OTHER]
    scene.settle()
    assert scene.status(1) is Status.UNKNOWN
    scene.crm.answers[BY_CROWD] = [OTHER, OTHER]
    scene.settle()
    assert scene.status(1) is Status.UNKNOWN


def test_o29_a_body_of_unknown_length_is_covered_by_nothing(scene: Scene) -> None:
    """It is unknown whether the doctor's case was as long as the row's."""
    assert FINDINGS.covers("email contact", 1)
    assert not FINDINGS.covers("email contact", 0)
    all_proofs(scene)
    with closing(sqlite3.connect(scene.desk.journal.path)) as raw, raw:
        raw.execute("UPDATE attempts SET body_length = 0 WHERE id = 1")
    scene.settle()
    assert scene.status(1) is Status.UNKNOWN


def test_o23_a_row_with_a_noted_id_is_not_absent(scene: Scene) -> None:
    """The CRM named a case, but neither its search nor its id finds one: a person must decide."""
    all_proofs(scene)
    scene.send(3, Outcome(Verdict.UNKNOWN, "No.", ids=("case-3",)))
    scene.wait()
    scene.send(4, created("case-4"), CROWD)
    scene.crm.answers[BY_CROWD] = [record(2, "case-2"), record(4, "case-4"), OTHER]
    scene.settle()
    assert scene.status(3) is Status.UNKNOWN


def test_o30_a_mark_in_another_rows_case_is_no_absence(scene: Scene) -> None:
    """The row keeps the id as a note, the other row its case, and neither is sent again."""
    all_proofs(scene)
    scene.crm.answers[BY_CONTACT] = [record(1, "case-2")]
    scene.crm.answers["wolkvox-id", "case-2"] = REFUSED
    settled = scene.settle()
    assert (scene.status(1), scene.status(2), settled.disputed) == (Status.UNKNOWN, Status.CREATED, 1)


# ------------------------------------------------------------------------------------------------ presence


def test_o2_nothing_is_asked_before_the_quiet_period_is_over(scene: Scene) -> None:
    """Neither during the lease nor in the quiet period: an answer then would prove nothing."""
    scene.send(1, UNKNOWN)
    scene.clock.pass_by(LEASE + QUIET - 0.1)
    assert scene.settle().waiting_until is not None
    assert scene.crm.asked == []
    scene.clock.pass_by(0.1)
    scene.settle()
    assert scene.crm.asked == [BY_CONTACT]


def test_a_row_whose_lease_ended_is_asked_for(scene: Scene) -> None:
    """A process was killed while it sent the row: settling finds it without another run."""
    scene.desk.claim(1)
    scene.wait()
    scene.crm.answers[BY_CONTACT] = [record(1, "case-1")]
    scene.settle()
    assert (scene.status(1), scene.ids()[0]) == (Status.CREATED, "case-1")


def test_several_cases_are_a_conflict_that_no_search_ends(scene: Scene) -> None:
    """All ids are kept for a person; the CRM is not searched for it later."""
    scene.send(1, UNKNOWN)
    scene.wait()
    scene.crm.answers[BY_CONTACT] = [record(1, "case-1"), record(1, "case-9")]
    assert scene.settle().conflict == 1
    (doubt,) = scene.desk.journal.doubts.of_import(scene.desk.record.id)
    assert doubt.ids == ("case-1", "case-9")
    scene.crm.answers[BY_CONTACT] = [record(1, "case-1")]
    scene.settle()
    assert scene.status(1) is Status.CONFLICT
    assert scene.crm.asked.count(BY_CONTACT) == 1


def test_a_second_case_without_an_id_is_a_conflict_too(scene: Scene) -> None:
    """A record without an id may be a case of its own."""
    scene.send(1, UNKNOWN)
    scene.wait()
    scene.crm.answers[BY_CONTACT] = [record(1, "case-1"), record(1, None)]
    assert scene.settle().conflict == 1


def test_o23_a_noted_id_finds_its_case(scene: Scene) -> None:
    """Without a value to search by, the CRM is searched for the id itself."""
    scene.send(1, Outcome(Verdict.UNKNOWN, "No.", ids=("case-1",)), value=None)
    scene.wait()
    scene.crm.answers["wolkvox-id", "case-1"] = [record(1, "case-1")]
    assert scene.settle().created == 1


def test_a_question_is_asked_once_and_its_refusal_keeps_no_other_from_being_asked(scene: Scene) -> None:
    """Two rows of one contact are one question; another contact's is refused, and named."""
    scene.send(1, UNKNOWN, CROWD)
    scene.send(2, UNKNOWN)
    scene.send(3, UNKNOWN)
    scene.wait()
    scene.crm.answers = {BY_CROWD: REFUSED, BY_CONTACT: [record(2, "case-2"), record(3, "case-3")]}
    settled = scene.settle()
    assert (settled.created, scene.crm.asked) == (2, [BY_CROWD, BY_CONTACT])
    assert "RECORD NOT FOUND" in settled.refusals[0]


def test_a_row_that_was_never_sent_from_here_is_not_searched(scene: Scene) -> None:
    """It was adopted as doubtful: neither the time when it was sent nor a value to find it by is known."""
    scene.desk.journal.adoptions.adopt(scene.desk.record.id, [Adopted(identity(4), Status.UNKNOWN, "case-4")], COLUMNS)
    scene.wait()
    scene.settle()
    assert (scene.crm.asked, scene.status(4)) == ([], Status.UNKNOWN)


# ------------------------------------------------------------------------------------------------ whose case it is


def test_o21_swapped_answers_are_put_right_in_one_settling(scene: Scene) -> None:
    """The newcomer gets the id of its case, and the former holder is searched for at once."""
    scene.send(3, UNKNOWN, CROWD)
    scene.send(1, created("case-2"))
    scene.send(2, created("case-2"))
    scene.wait()
    both = [record(1, "case-1"), record(2, "case-2")]
    scene.crm.answers = {BY_CONTACT: both, ("wolkvox-id", "case-2"): both[1:]}
    scene.settle()
    assert scene.ids()[:2] == ["case-1", "case-2"]


def test_o21_a_case_of_neither_row_changes_nothing(scene: Scene) -> None:
    """The record of a disputed id shows no mark of the two: it stays disputed, and with its holder."""
    scene.send(1, created("case-1"))
    scene.send(2, created("case-1"))
    scene.wait()
    scene.crm.answers["wolkvox-id", "case-1"] = [{**OTHER, "wolkvox_id": "case-1"}]
    assert scene.settle().disputed == 1
    assert scene.ids()[:2] == ["case-1", None]


def test_o30_the_holders_own_mark_ends_a_dispute(scene: Scene) -> None:
    """A reply to its case begins with the mark of the other row: the holder still keeps its id."""
    scene.send(1, created("case-1"))
    scene.send(2, created("case-1"))
    scene.wait()
    scene.crm.answers["wolkvox-id", "case-1"] = [record(1, "case-1"), record(2, "case-1")]
    scene.settle()
    assert (scene.ids()[:2], scene.status(2)) == (["case-1", None], Status.UNKNOWN)
    assert select(scene.desk.journal.path, "SELECT count(*) FROM verdicts") == [(0,)]


def test_o21_what_a_search_shows_is_settled_at_once(scene: Scene) -> None:
    """The case of a created row carries only the mark of the doubtful one: it goes to that row in the same settling."""
    scene.send(1, created("case-2"))
    scene.send(2, UNKNOWN)
    scene.wait()
    shown = [record(2, "case-2")]
    scene.crm.answers = {BY_CONTACT: shown, ("wolkvox-id", "case-2"): shown}
    scene.settle()
    assert (scene.ids()[:2], scene.status(1)) == ([None, "case-2"], Status.UNKNOWN)


# ------------------------------------------------------------------------------------------------ the mark's place


Changed = Callable[[str], Record]


@pytest.mark.parametrize(
    ("place", "path", "shown", "found"),
    [
        (None, None, lambda mark: {"description_case": f"[{mark}]\nx"}, True),
        (None, None, lambda mark: {"description_case": "x", "form": {"Legacy": mark}}, True),
        (None, None, lambda mark: {"description_case": "x", "reason": mark}, False),
        ("form.Legacy", None, lambda mark: {"description_case": "x", "form": {"Legacy": mark}}, True),
        ("form.Legacy", None, lambda mark: {"description_case": f"[{mark}]\nx"}, False),
        ("form.Legacy", "texto", lambda mark: {"texto": mark, "form": {"Legacy": ""}}, False),
        ("form.Legacy", "texto", lambda mark: {"texto": "x", "form": {"Legacy": mark}}, True),
        ("description", "texto", lambda mark: {"description_case": "x", "texto": f"[{mark}]\nx"}, True),
        ("description", "texto", lambda mark: {"description_case": f"[{mark}]\nx", "texto": "x"}, False),
        ("description", "form.Legacy", lambda mark: {"description_case": f"[{mark}]\nx"}, True),
    ],
)
def test_o30_a_mark_counts_where_it_was_written(
    scene: Scene, place: str | None, path: str | None, shown: Changed, *, found: bool
) -> None:
    """In the row's own place, by the path that the doctor learnt for descriptions; anywhere if none was recorded."""
    scene.send(1, UNKNOWN, place=place)
    scene.wait()
    scene.crm.answers[BY_CONTACT] = [{"wolkvox_id": "case-1", "idPrefijo": "P", **shown(REFERENCE)}]
    scene.settle(replace(FINDINGS, mark_place=path))
    assert scene.status(1) is (Status.CREATED if found else Status.UNKNOWN)


def test_o30_a_hit_that_is_another_rows_case_makes_no_conflict(scene: Scene) -> None:
    """The mark is in the row's own case and in another row's case: only its own counts."""
    scene.send(2, created("case-2"))
    scene.send(1, UNKNOWN)
    scene.wait()
    scene.crm.answers[BY_CONTACT] = [record(1, "case-1"), record(1, "case-2")]
    scene.settle()
    assert scene.ids()[:2] == ["case-1", "case-2"]
    assert select(scene.desk.journal.path, "SELECT how, state FROM verdicts") == [("search", "created")]
