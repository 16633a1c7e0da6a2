"""Shared by the tests of the promise: access to the journal's file, ended leases, a tenant that the doctor knows."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from place_support import ask
from run_support import Office, ticket

from importer.cli.settle import _exit_status
from importer.crm import Crm
from importer.errors import ImporterError
from importer.identity import tenant_of
from importer.journal_place import Place, Server, folder_of
from importer.settings import Connection
from importer.system import clock
from importer.workflow.jobs.decisions import NotTaken
from importer.workflow.jobs.settle_job import ByHand, SettleJob
from importer.workflow.settling.settling import SettleResult
from importer.workflow.tenant_facts import Findings

CONTACT = "ana@example.com"
KILLED = -9
"""The exit status of a process that was killed with SIGKILL."""

Order = Callable[..., int]
"""Carries out a command line in a process of its own, and returns its exit status; see crash_child.py for its fate."""


@dataclass(frozen=True)
class StoredRow:
    """A row in the journal's file."""

    reference: str
    state: str
    wolkvox_id: str | None
    message: str


def tickets(numbers: Iterable[int], **changed: str) -> list[dict[str, str]]:
    """Return valid rows of one contact."""
    return [ticket(number, **({"Correo": CONTACT} | changed)) for number in numbers]


def stored_rows(journal: Place) -> list[StoredRow]:
    """Return every row of a journal."""
    found = ask(journal, "SELECT reference, state, wolkvox_id, message FROM rows ORDER BY id")
    return [StoredRow(*row) for row in found]


def states(journal: Place) -> Counter[str]:
    """Return how many rows of a journal are in each state."""
    return Counter(row.state for row in stored_rows(journal))


def select(journal: Place, query: str) -> list[tuple[object, ...]]:
    """Return the result of an SQL query on a journal."""
    return ask(journal, query)


ATTEMPTS = ("attempts", "contact_attempts")


def end_leases(journal: Place, ago: float = 1_000_000.0, tables: Iterable[str] = ATTEMPTS) -> None:
    """Set the leases and deadlines of a journal to so many seconds ago, instead of waiting for them."""
    ended = (time.time() if isinstance(journal, Server) else clock.elapsed()) - ago
    for table in tables:
        ask(journal, f"UPDATE {table} SET lease = ?, deadline = ?, began = ?", ended, ended, ended - 60)  # noqa: S608


def wait_until(condition: Callable[[], bool], seconds: float = 30) -> None:
    """Return once the condition is true; fail if it is not within so many seconds."""
    deadline, never = time.monotonic() + seconds, threading.Event()
    while not condition():
        assert time.monotonic() < deadline, "it never came to this"
        never.wait(0.01)


def impatient(monkeypatch: pytest.MonkeyPatch, deadline: float = 0.5) -> None:
    """Limit every attempt of a run in this process to so many seconds instead of a minute."""
    monkeypatch.setattr("importer.workflow.sending.token_limits.Crm", partial(Crm, deadline=deadline))


def know_the_search(
    office: Office, page_size: int = 100_000, server: str | None = None, *, page_says_more: bool | None = None
) -> None:
    """Write what the doctor would learn about the simulated CRM, so that a search that finds nothing can be proof."""
    findings = Findings(
        tenant=tenant_of(server or office.sandbox.url),
        operation="demo",
        when=datetime.now(UTC),
        program="case-importer",
        search_field="email contact",
        body_length=10_000_000,
        found_after=0.0,
        page_size=page_size,
        page_says_more=page_says_more,
        nothing_readable=True,
    )
    findings.save(folder_of(office.journal))


def settle_by_person(office: Office, server: str | None = None) -> None:
    """Look up every doubtful row in the simulated CRM and decide on it, as a person does when nothing is in flight.

    What `--by-hand` records, without its report of all rows after each.
    """
    cases = {case.reference: case.wolkvox_id for case in office.sandbox.store.cases}
    job = SettleJob(Connection(server or office.sandbox.url, "demo"), office.journal, office.mapping, 1)
    for row in stored_rows(office.journal):
        if row.state in {"unknown", "conflict"}:
            job.by_hand(ByHand(row.reference, cases.get(row.reference)))


@dataclass(frozen=True)
class Settled:
    """How `settle` ends: its exit status and, if it refuses, its reason; or what it did, and what it did not take."""

    status: int
    reason: str = ""
    results: tuple[SettleResult, ...] = ()
    not_taken: tuple[NotTaken, ...] = ()


def settle_rows(office: Office, server: str, decided: ByHand | Path | None = None, quiet_period: float = 0) -> Settled:
    """Settle doubtful rows by a search, by a decision or by the decisions in a report, in this process.

    What `settle` does, without its look at the sheet and its report of all rows, which take longer than all the rest.
    """
    job = SettleJob(Connection(server, "demo"), office.journal, office.mapping, quiet_period)
    not_taken: tuple[NotTaken, ...] = ()
    try:
        if isinstance(decided, ByHand):
            found = [job.by_hand(decided)]
        elif decided is not None:
            found, not_taken = job.from_report(decided)
        else:
            found = job.by_search()
    except ImporterError as error:
        return Settled(error.exit_status, str(error))
    results = [result for _record, result in found]
    return Settled(_exit_status(results), "", tuple(results), not_taken)


def assert_promise(office: Office) -> Counter[str]:
    """Check the three invariants against the cases in the simulated CRM; return how many rows are in each state.

    At most one case for each reference; every case's id is in the journal, or its row is in doubt; the journal's ids
    are those of the row's own case.
    """
    stored = office.sandbox.store.cases
    cases = {case.reference: case for case in stored}
    assert len(cases) == len(stored), "two cases for one reference"
    rows = {row.reference: row for row in stored_rows(office.journal)}
    for reference, case in cases.items():
        row = rows[str(reference)]
        assert row.wolkvox_id == case.wolkvox_id or row.state in {"sending", "unknown", "conflict"}, row
    for row in rows.values():
        assert row.state != "created" or row.wolkvox_id == cases[row.reference].wolkvox_id, row
    return Counter(row.state for row in rows.values())


def assert_report(office: Office, path: Path | None = None) -> None:
    """Check the report against the simulated CRM: the id in each row is that of the case made from that row."""
    cases = {case.wolkvox_id: case for case in office.sandbox.store.cases}
    for line in office.reported(path).to_dict("records"):
        if line["wolkvox_id"]:
            assert cases[line["wolkvox_id"]].body["form"]["Subject"] == line["Asunto"]
            assert cases[line["wolkvox_id"]].id_prefijo == line["idPrefijo"]
