"""Runs that update cases: limits, quota, guards, corrections, groups, reports, other processes, `kill -9`."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from crash_child import UPDATE_STEPS
from promise_support import KILLED, Order, select
from run_support import Give, Office, ticket
from updates_support import SOLVED, UPDATING, Weekly, end_leases, know_updates, tickets, update_states

from importer import (
    Connection,
    EventInterface,
    Forecast,
    Job,
    Plan,
    QuestionsOpen,
    adopt,
    check,
    load_job,
    open_corrections,
    rebuild_report,
    run,
)
from importer.sandbox import RunningSandbox, SandboxConfig
from importer.workflow.corrections import corrections_path
from importer.workflow.outcome.outcome import Finished


@pytest.fixture
def job(office: Office, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Return the job of a sheet whose cases are updated, with a report that is written in no time."""
    return job_of(office, monkeypatch)


def job_of(office: Office, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Return the job of an office."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.mapping.write_text(UPDATING, "utf-8")
    know_updates(office)
    where = Connection(office.sandbox.url, "demo")
    report = office.folder / "report.csv"
    return Job(office.source, office.mapping, where, office.journal, report=report, concurrency=1)


def send(job: Job, events: list[object] | None = None) -> Finished:
    """Run a job; what happens is added to the events."""
    return run(load_job(job), EventInterface((events if events is not None else []).append, agrees=True))


def edits(plan: Plan) -> dict[int, str]:
    """Return what becomes of each edited ticket."""
    return {row.number - 1: row.change.state for row in plan.edited() if row.change}


def test_c36_a_limit_counts_cases_first_and_then_updates(office: Office, job: Job) -> None:
    """C36: `--limit` is for both together, and the same command goes on; the forecast names columns and calls."""
    office.write(tickets([1, 2, 3]))
    send(job)
    office.write([*tickets([1, 2, 3], **SOLVED), *tickets([4, 5])])
    events: list[object] = []
    ended = send(replace(job, limit=3), events)
    forecast = next(event for event in events if isinstance(event, Forecast))
    assert (forecast.wanted, forecast.updates.wanted, forecast.updates_to_send) == (2, 1, 1)
    assert (forecast.updates.columns, dict(forecast.updates.states)) == (
        (("Estado", 1), ("Solución", 1)),
        {"update": 3},
    )
    assert forecast.calls == 3 + len(forecast.spot_check)
    assert [type(event).__name__ for event in events].count("CaseUpdated") == 1
    counts = ended.counts
    assert (ended.exit_status, counts.created_now, counts.updated_now, counts.to_update) == (3, 2, 1, 2)
    assert any("2 cases are left to update" in step.sentence for step in ended.steps)
    assert (send(job).exit_status, office.sandbox.calls("update")) == (0, 3)


def test_c37_the_quota_counts_updates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """C37: updates leave the reserve of the quota alone, and go on another day."""
    with RunningSandbox(SandboxConfig(daily_quota=100)) as sandbox:
        office = Office(tmp_path, sandbox)
        job = job_of(office, monkeypatch)
        office.write(tickets(range(1, 6)))
        send(job)
        sandbox.new_day()
        office.write(tickets(range(1, 6), **SOLVED))
        ended = send(replace(job, keep_quota=96))
        assert (ended.exit_status, ended.counts.updated_now, sandbox.calls("update")) == (3, 3, 3)
        assert "another day's quota" in (ended.result.reason or "")
        sandbox.new_day()
        assert (send(replace(job, keep_quota=96)).exit_status, sandbox.calls("update")) == (0, 5)


def test_c38_another_file_under_a_known_name_updates_nothing_unasked(office: Office, job: Job) -> None:
    """C38: while it is not answered whether these are the same tickets, no case of the file is updated."""
    office.write(tickets(range(1, 9)))
    send(job)
    others = [ticket(number, Correo="otra@example.com", Detalle="Otro", **SOLVED) for number in range(1, 8)]
    office.write([*others, ticket(8, **SOLVED)])
    for refused in (job, replace(job, accept_changes=True)):
        with pytest.raises(QuestionsOpen, match="same tickets"):
            send(refused)
    assert (update_states(office), office.sandbox.calls("update")) == ([], 0)
    same = send(replace(job, same_tickets=True))
    assert (edits(same.plan), office.sandbox.calls("update")) == (dict.fromkeys(range(1, 8), "not-updatable"), 1)


def test_c39_lost_corrections_hold_updates(office: Office, job: Job) -> None:
    """C39: a row that was sent with corrections is not updated while these are missing; an update could undo them."""
    office.write([ticket(1), ticket(2, Prioridad="Alta")])
    open_corrections(load_job(job)).correct(3, "Prioridad", "Baja")
    send(job)
    path = corrections_path(job.source)
    kept = path.read_bytes()
    path.unlink()
    office.write([ticket(1), ticket(2, **SOLVED)])
    ended = send(job)
    assert (ended.exit_status, edits(ended.plan), office.sandbox.calls("update")) == (1, {2: "held"}, 0)
    assert "corrections" in next(row.change.reason for row in ended.plan.edited() if row.change)
    path.write_bytes(kept)
    assert (send(job).exit_status, office.sandbox.calls("update")) == (0, 1)
    assert office.sandbox.store.cases[1].body["priority"] == "Baja"


GROUPED = (
    UPDATING.replace("key: Ticket", "key: Ticket\n  group: Ticket")
    .replace("{column: Estado, ", "{column: Estado, take: last, ")
    .replace("{column: Solución}", "{column: Solución, take: last}")
)


def test_c40_a_further_line_updates_its_case(office: Office, job: Job) -> None:
    """C40: a line that is added to a ticket, and says its newest state, updates the ticket's case, once."""
    office.mapping.write_text(GROUPED, "utf-8")
    office.write([ticket(1), ticket(2)])
    send(job)
    office.write([ticket(1), ticket(2), ticket(2, **SOLVED)])
    ended = send(job)
    assert (ended.exit_status, ended.counts.updated_now, ended.counts.part) == (0, 1, 1)
    assert [case.body["status"] for case in office.sandbox.store.cases] == ["Abierto", "Cerrado"]
    assert (send(job).counts.updated_now, office.sandbox.calls("update")) == (0, 1)


def test_c41_a_report_given_back_updates_its_cases(office: Office, job: Job) -> None:
    """C41: an edit in a report that is given back is one of its row; the changed rows alone may be listed and sent."""
    office.write(tickets([1, 2, 3]))
    report = send(job).report
    assert report
    sheet = pd.read_csv(report, dtype=str, keep_default_na=False)
    sheet.loc[[0, 1], list(SOLVED)] = list(SOLVED.values())
    again = office.folder / "again.csv"
    sheet.loc[1, "Correo"] = "otra@example.com"
    sheet.to_csv(again, index=False)
    mine = replace(job, source=again, report=office.folder / "again.report.csv", only=("changed",))
    shown = rebuild_report(load_job(mine))
    assert (shown.counts.rows, edits(shown.plan), office.sandbox.calls("update")) == (
        *(2, {1: "update", 2: "not-updatable"}, 0),
    )
    ended = send(mine)
    assert (ended.exit_status, ended.counts.updated_now, office.sandbox.posts) == (1, 1, 3)
    assert check(load_job(mine)).counts().changed == 1


def test_c42_what_was_changed_stays_changed_on_another_computer(
    office: Office, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """C42: a report with changed rows that another computer adopts leaves them changed, and nothing is sent of them."""
    office.mapping.write_text(UPDATING.replace("on_change: update", "on_change: report"), "utf-8")
    office.write(tickets([1, 2]))
    send(job)
    office.write([ticket(1), ticket(2, **SOLVED)])
    report = send(job).report
    assert report
    office.mapping.write_text(UPDATING, "utf-8")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "other"))
    there = replace(job, journal=tmp_path / "other" / "journal.db")
    know_updates(office, folder=tmp_path / "other")
    adopt(replace(there, source=report))
    ended = send(there)
    assert (ended.exit_status, edits(ended.plan), office.sandbox.calls("update")) == (1, {2: "not-updatable"}, 0)
    assert send(replace(there, accept_changes=True)).exit_status == 0
    office.write([ticket(1), ticket(2, **SOLVED | {"Solución": "Otra"})])
    assert (send(there).exit_status, office.sandbox.calls("update")) == (0, 1)


@pytest.mark.skipif(sys.platform == "win32", reason="processes that fork and are killed, as Unix has them")
@pytest.mark.parametrize(
    ("step", "when", "sent", "again"),
    [
        ("update-intent", "after", 0, ["unknown", "updated", "updated"]),
        ("update-mark", "after", 0, ["unknown", "updated", "updated"]),
        ("update-sent", "after", 1, ["unknown", "updated", "updated"]),
        ("update-outcome", "after", 1, ["updated", "updated"]),
    ],
)
def test_c43_killed_at_every_step_of_an_update(  # noqa: PLR0917
    office: Office, job: Job, order: Order, step: str, when: str, sent: int, again: list[str]
) -> None:
    """C43: killed at any step of an update, a later run updates each case, the lost one after its deadline."""
    assert step in UPDATE_STEPS
    office.write(tickets([1, 2]))
    send(job)
    office.write(tickets([1, 2], **SOLVED))
    words = office.arguments("run", "--yes", "--concurrency", "1", "--quiet-period", "0", "--report", "r.csv")
    assert order(words, step=step, when=when) == KILLED
    assert office.sandbox.calls("update") == sent
    soon = send(replace(job, quiet_period=0))
    assert soon.counts.to_update == again.count("unknown")
    end_leases(office)
    ended = send(job)
    assert (ended.exit_status, update_states(office)) == (0, again)
    assert [case.body["status"] for case in office.sandbox.store.cases] == ["Cerrado", "Cerrado"]
    assert select(office.journal, "SELECT count(*) FROM rows WHERE changed") == [(0,)]


@pytest.mark.skipif(sys.platform == "win32", reason="processes that fork, as Unix has them")
def test_c44_two_processes_update_each_case_once(office: Office, job: Job, order: Order) -> None:
    """C44: two runs of the same sheet at the same time update every case once."""
    office.write(tickets(range(1, 13)))
    send(job)
    office.write(tickets(range(1, 13), **SOLVED))
    words = [office.arguments("run", "--yes", "--report", str(office.folder / f"{name}.csv")) for name in "ab"]
    with ThreadPoolExecutor() as pool:
        ended = list(pool.map(order, words))
    assert (set(ended) <= {0, 1, 3}, office.sandbox.calls("update")) == (True, 12)
    assert update_states(office) == ["updated"] * 12


def test_c45_history_and_write_back(office: Office, give: Give) -> None:
    """C45: the history of a run names the rows that it updated."""
    weekly = Weekly(office, give)
    weekly.begin([ticket(1)])
    weekly.edit([ticket(1, **SOLVED)])
    weekly.run()
    told = give(["history", "2", "--journal", str(office.journal), "--json"]).json
    assert [(row["how"], row["run"]) for row in told["rows"]] == [("updated", 2)]


def test_c46_an_edit_that_was_undone_after_a_lost_update_is_sent(office: Office, job: Job) -> None:
    """C46: a row that is as before its lost update is sent all the same: the CRM may have the edit."""
    office.write(tickets([1, 2]))
    send(job)
    office.write([ticket(1, Prioridad="Baja"), ticket(2, **SOLVED)])
    office.sandbox.inject("closed-after-creating:call=update")
    assert (send(job).exit_status, office.sandbox.store.cases[0].body["priority"]) == (3, "Baja")
    office.sandbox.inject()
    office.write(tickets([1, 2]))
    soon = send(job)
    assert (soon.exit_status, edits(soon.plan), office.sandbox.calls("update")) == (
        *(3, {1: "unknown", 2: "unknown"}, 2),
    )
    assert send(replace(job, accept_changes=True)).counts.changed == 2
    end_leases(office)
    ended = send(job)
    assert (ended.exit_status, ended.counts.updated_now, office.sandbox.calls("update")) == (1, 1, 3)
    assert edits(ended.plan) == {2: "not-updatable"}  # its solution was emptied
    assert office.sandbox.store.cases[0].body["priority"] == "Alta"
    assert send(replace(job, accept_changes=True)).exit_status == 0
    assert update_states(office) == ["unknown", "unknown", "updated", "accepted"]


@pytest.mark.parametrize("again", ["Baja", "Media"])
def test_c35_a_lost_update_whose_content_the_crm_refuses_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: str
) -> None:
    """What the CRM refuses after a lost update is not sent again unasked; an edit undone is sent all the same."""
    with RunningSandbox(SandboxConfig(priorities=("Alta",))) as crm:
        office = Office(tmp_path, crm)
        job = job_of(office, monkeypatch)
        office.write(tickets([1, 2]))
        send(job)
        office.write([ticket(1, Prioridad="Baja"), ticket(2)])
        crm.inject("closed-without-creating:call=update")
        assert send(job).exit_status == 3
        crm.inject()
        office.write([ticket(1, Prioridad=again), ticket(2)])
        for _ in range(2):
            end_leases(office)
            ended = send(job)
            assert (ended.exit_status, edits(ended.plan), crm.calls("update")) == (1, {1: "refused"}, 2)
            assert ["PRIORITY DOES NOT EXIST" in str(row.change) for row in ended.plan.edited()] == [True]
            assert (ended.counts.changed, ended.counts.to_update) == (1, 0)
        assert (send(replace(job, retry_rejected=True)).exit_status, crm.calls("update")) == (1, 3)
        office.write(tickets([1, 2]))
        assert (send(job).exit_status, crm.calls("update"), update_states(office)[-1]) == (0, 4, "updated")


def test_c47_rows_that_are_left_out_are_not_updated(office: Office, job: Job) -> None:
    """C47: an edited row that the mapping or the sheet leaves out stays as it is in the CRM."""
    office.write(tickets([1, 2]))
    send(job)
    office.mapping.write_text(UPDATING.replace("key: Ticket", "key: Ticket\n  skip_if: {Prioridad: Baja}"), "utf-8")
    office.write([ticket(1, Prioridad="Baja", **SOLVED), ticket(2, **SOLVED)])
    ended = send(job)
    assert (ended.exit_status, edits(ended.plan), office.sandbox.calls("update")) == (1, {1: "held"}, 1)
