"""What differs between two plans of one sheet, as a person is told before anything is sent."""

from __future__ import annotations

from dataclasses import replace

import pytest
from run_support import Office, ticket

from importer import Connection, EventInterface, Job, check, load_job, propose, row_changes, run


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    """Provide a token for the sandbox."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")


def job_of(office: Office) -> Job:
    """Return the job of an office that sends to the sandbox."""
    return Job(office.source, office.mapping, Connection(office.sandbox.url, "demo"), office.journal)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ([ticket(1), ticket(2)], ""),
        ([ticket(1), ticket(2, Solución=" ")], ""),  # no case says anything else
        ([ticket(1), ticket(2, Detalle="Otra")], "row 3 says something else"),
        ([ticket(1), ticket(3)], "row 3 is sent, too; row 3 is no longer sent"),
    ],
)
def test_only_the_connection_changes_no_row(office: Office, rows: list[dict[str, str]], told: str) -> None:
    """What was shown without connection and journal is the same with them, but for rows whose cases are others."""
    office.write([ticket(1), ticket(2)])
    job = job_of(office)
    before = check(load_job(replace(job, connection=Connection(), journal=office.folder / "none.db")))
    office.write(rows)
    now = propose(load_job(replace(job, first_run=True))).forecast
    assert now
    assert now.rows_to_send == 2
    assert "; ".join(row_changes(before, now.plan)) == told


def test_a_case_that_became_known_is_no_change_of_the_sheet(office: Office) -> None:
    """What was sent elsewhere meanwhile, or is known once the connection is, is not told as an edit."""
    office.write([ticket(1), ticket(2)])
    job = replace(job_of(office), first_run=True)
    before = check(load_job(replace(job, connection=Connection())))
    run(load_job(replace(job, limit=1)), EventInterface(agrees=True))
    now = propose(load_job(job)).forecast
    assert now
    assert now.rows_to_send == 1
    assert not list(row_changes(before, now.plan))
