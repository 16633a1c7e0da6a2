"""A program answers the questions of a proposal; a run acts on each answer, and remembers it, as commands do."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from promise_support import end_leases
from run_support import MAPPING, Give, Office, ticket
from test_promise_settling import decide
from test_questions import TARGET, authority, bare, decisions, tunnel  # noqa: F401 - fixtures

from importer import Answer, Connection, EventInterface, Finished, Job, Proposal, Question, QuestionsOpen, load_job, run
from importer import propose as propose_loaded
from importer.settings import load_settings, settings_path


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Provide a token."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")


def propose(job: Job) -> Proposal:
    """Propose a job that is loaded anew, as after each answer."""
    return propose_loaded(load_job(job))


def send(proposal: Proposal) -> Finished:
    """Carry out a proposal."""
    return run(load_job(proposal.job), EventInterface(agrees_to=proposal.digest))


def codes(proposal: Proposal) -> list[str]:
    """Return the codes of the open questions."""
    return [question.code for question in proposal.questions]


def way(question: Question, value: str) -> Answer:
    """Return the answer of this value, or of which this is the beginning."""
    return next(one for one in (*question.answers, *question.further) if one.value.startswith(value))


def answered(job: Job, values: Mapping[str, str]) -> Proposal:
    """Return the proposal once every question was given its answer, by its code."""
    proposal = propose(job)
    while asked := [question for question in proposal.questions if question.code in values]:
        for question in asked:
            job = job.with_answer(question, way(question, values[question.code]))
        before, proposal = len(job.answers), propose(job)
        assert before < 20, codes(proposal)
    return proposal


def job_of(office: Office, **more: object) -> Job:
    """Return the job of an office's sheet on its own stand-in."""
    connection = Connection(office.sandbox.url, "demo")
    return Job(office.source, office.mapping, connection, office.journal, **more)  # type: ignore[arg-type]


def renamed(office: Office, name: str) -> None:
    """Give the import another name."""
    office.mapping.write_text(MAPPING.replace("import: office", f"import: {name}"), "utf-8")


@pytest.fixture
def abroad(office: Office, tunnel: object) -> Job:  # noqa: ARG001, F811 - the tunnel is there
    """Return a job whose mapping names a real server, and a folder outside."""
    outside = office.folder.parent / f"{office.folder.name}-lists"
    outside.mkdir()
    (outside / "agents.csv").write_text("name,mail\nAlta,Alta\n", "utf-8")
    lookup = f"default: Media, lookup: {{file: '{outside / 'agents.csv'}', key: name, value: mail}},"
    office.mapping.write_text(MAPPING.replace("default: Media,", lookup) + TARGET, "utf-8")
    office.write(ticket(number) for number in (1, 2))
    return Job(office.source, office.mapping, Connection(ca_file=office.folder / "ca.pem"), office.journal)


def test_all_questions_come_at_once_and_their_answers_are_remembered_by_the_run(abroad: Job, office: Office) -> None:
    """They are open together, without a call; nothing is remembered before the run, and all of it by then."""
    first = propose(abroad)
    assert codes(first) == ["allow-folder", "trust-server", "first-run"]
    assert (first.forecast, first.digest, first.may_run) == (None, "", False)
    assert office.sandbox.calls("token") == 0
    proposal = answered(abroad, {"allow-folder": "yes", "trust-server": "yes", "first-run": "yes"})
    assert (proposal.may_run, settings_path().exists(), decisions(office)) == (True, False, [])
    assert send(proposal).counts.created_now == 2
    assert load_settings().trusts("https://crm0009.wolkvox.com", "demo")
    assert [folder.name for folder in load_settings().folders] == [f"{office.folder.name}-lists"]
    assert decisions(office) == [("first-run", "yes")]
    office.write(ticket(number) for number in (1, 2, 3))
    assert codes(propose(abroad)) == []


def test_whoever_does_not_know_of_a_first_run_has_every_row_looked_for(
    abroad: Job, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that another computer sent are found and not sent again, also in later sheets, until a person knows."""
    known = {"allow-folder": "yes", "trust-server": "yes"}
    assert send(answered(abroad, {**known, "first-run": "yes"})).counts.created_now == 2
    shutil.rmtree(office.journal.parent)  # as on another computer
    monkeypatch.setenv("XDG_STATE_HOME", str(office.folder / "another computer"))
    office.report.unlink()
    office.write(ticket(number) for number in (1, 2, 3))
    proposal = answered(abroad, {**known, "first-run": "look-first"})
    assert (proposal.forecast and proposal.forecast.searches, decisions(office)) == (3, [])
    finished = send(proposal)
    assert (finished.counts.created, finished.counts.created_now, office.sandbox.posts) == (3, 1, 3)
    assert decisions(office) == [("first-run", "look-first")]
    office.write(ticket(number) for number in (1, 2, 3, 4))
    with pytest.raises(Exception, match="--look-first"):
        propose(abroad)


@pytest.mark.parametrize(
    ("value", "sent", "remembered"), [("same-as", 1, "same-as office"), ("new-import", 4, "new-import")]
)
def test_another_import(value: str, sent: int, remembered: str, office: Office) -> None:
    """Most keys belong to another import: it is that import, and only the new row goes, or all rows are new."""
    office.write(ticket(number) for number in (1, 2, 3))
    send(propose(job_of(office)))
    renamed(office, "renamed")
    office.write(ticket(number) for number in (1, 2, 3, 4))
    proposal = answered(job_of(office), {"other-import": value})
    assert proposal.forecast is not None
    assert (proposal.forecast.rows_to_send, decisions(office)) == (sent, [])
    assert send(proposal).counts.created_now == sent
    assert decisions(office) == [("other-import", remembered)]


@pytest.mark.parametrize(("value", "sent", "waiting"), [("same-as", 5, 0), ("new-import", 6, 0), ("", 5, 1)])
def test_rows_with_keys_of_another_import(value: str, sent: int, waiting: int, office: Office) -> None:
    """They are the same tickets, or others, or are left for later, and the others are sent."""
    office.write([ticket(1)])
    send(propose(job_of(office)))
    renamed(office, "another")
    office.write(ticket(number) for number in range(1, 7))
    proposal = answered(job_of(office), {"other-import": value} if value else {})
    assert proposal.may_run
    assert [(question.can_wait, question.rows) for question in proposal.questions] == [(True, {2})] * waiting
    assert proposal.forecast is not None
    assert (proposal.forecast.rows_to_send, proposal.forecast.waiting) == (sent, waiting)
    assert send(proposal).counts.created_now == sent


def test_each_pair_of_imports_has_its_own_answer(office: Office) -> None:
    """Rows of one other import may be new tickets while those of a second one wait."""
    for number, name in enumerate(("one", "two"), 1):
        renamed(office, name)
        office.write([ticket(number)])
        send(propose(job_of(office)))
    renamed(office, "three")
    office.write(ticket(number) for number in range(1, 7))
    job = job_of(office)
    proposal = propose(job)
    assert codes(proposal) == ["other-import", "other-import"]
    proposal = propose(job.with_answer(proposal.questions[0], way(proposal.questions[0], "new-import")))
    assert [question.rows for question in proposal.questions] == [{3}]
    assert send(proposal).counts.created_now == 5


def test_same_tickets(office: Office) -> None:
    """Known rows with other contents are the same tickets, as a person says."""
    office.write(ticket(number) for number in range(1, 9))
    send(propose(job_of(office)))
    office.write(ticket(number, Correo=f"otra{number}@example.com", Detalle="otra cosa") for number in range(1, 10))
    assert codes(propose(job_of(office))) == ["same-tickets"]
    assert send(answered(job_of(office), {"same-tickets": "yes"})).counts.created_now == 1
    assert decisions(office) == [("same-tickets", "yes")]


def test_moved_here(office: Office, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A journal from another computer was moved here, as a person says."""
    office.write([ticket(1)])
    send(propose(job_of(office)))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "another computer"))
    office.write([ticket(1), ticket(2)])
    assert codes(propose(job_of(office))) == ["moved-here"]
    proposal = answered(job_of(office), {"moved-here": "yes"})
    assert codes(propose(job_of(office))) == ["moved-here"]  # nothing was recorded yet
    assert send(proposal).counts.created_now == 1
    assert codes(propose(job_of(office))) == []


@pytest.mark.parametrize(("value", "posts"), [("yes", 3), ("look-first", 2)])
def test_nothing_was_sent(value: str, posts: int, office: Office) -> None:
    """The journal is lost: a person knows that no row became a case, or each row is looked for."""
    office.write([ticket(1)])
    send(propose(job_of(office)))
    shutil.rmtree(office.journal.parent)
    office.report.unlink()
    office.write([ticket(1), ticket(2)])
    job = job_of(office, quiet_period=0, spot_check=0)
    assert codes(propose(job)) == ["nothing-was-sent"]
    send(answered(job, {"nothing-was-sent": value}))
    assert office.sandbox.posts == posts


def test_verdicts_in_a_report(office: Office, give: Give) -> None:
    """What a person wrote into a report is recorded by the run, and its rows are sent; or it is left for later."""
    office.write([ticket(1)])
    office.sandbox.inject("closed-without-creating")
    assert give(office.arguments("run", "--yes", "--quiet-period", "0")).status == 4
    end_leases(office.journal, ago=1)
    decide(office.report, {2: ("not created", None)})
    office.sandbox.inject()
    job = job_of(office, quiet_period=0)
    for answers, sent in (({}, 1), ({"verdicts": "yes"}, 2)):
        office.write(ticket(number) for number in range(1, 3 + len(answers)))  # one new row for each run
        assert codes(propose(job)) == ["verdicts"]
        proposal = answered(job, answers)
        assert proposal.forecast is not None
        assert proposal.forecast.rows_to_send == sent
        assert codes(propose(job)) == ["verdicts"]  # a proposal records nothing
        assert send(proposal).counts.created_now == sent


def test_a_spot_check_that_cannot_be_made(abroad: Job, office: Office) -> None:
    """What is known beforehand is asked beforehand; without an answer the run asks, and sends nothing."""
    office.mapping.write_text(MAPPING.replace("reference: description\n", "") + TARGET, "utf-8")
    known = {"trust-server": "yes", "first-run": "yes"}
    proposal = answered(abroad, known)
    assert (codes(proposal), proposal.may_run) == (["spot-check"], False)
    with pytest.raises(QuestionsOpen):
        send(proposal)
    assert office.sandbox.posts == 0
    assert send(answered(abroad, {**known, "spot-check": "yes"})).counts.created_now == 2


def test_an_answer_to_another_question_is_none(office: Office) -> None:
    """An answer holds for what its question was about alone."""
    office.write([ticket(1)])
    send(propose(job_of(office)))
    renamed(office, "another")
    question = propose(job_of(office)).questions[0]
    elsewhere = job_of(office).with_answer(replace(question, about="x = y"), way(question, "new-import"))
    assert codes(propose(elsewhere)) == ["other-import"]
