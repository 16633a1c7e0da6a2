"""What a run would do, as data, and a run that does exactly that."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from run_support import MAPPING, Office, ticket

from importer import Connection, EventInterface, Finished, ImporterError, Job, UsageError, load_job, propose, run
from importer.sandbox import Latency, RunningSandbox
from importer.settings import settings_path

TABLES = ("imports", "rows", "runs", "attempts", "decisions", "verdicts", "reports")


@pytest.fixture
def job(office: Office, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Return the job of a sheet with three valid rows and an invalid one."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    write_sheet(office)
    return Job(office.source, office.mapping, Connection(office.sandbox.url, "demo"), office.journal)


def write_sheet(office: Office) -> None:
    """Write three valid rows and an invalid one."""
    office.write([ticket(1), ticket(2, Estado="Cerrado", Solución="Listo"), ticket(3), ticket(4, Correo="nobody")])


def recorded(journal: Path) -> dict[str, int]:
    """Return how many records each table of a journal has."""
    with closing(sqlite3.connect(journal)) as database:
        return {name: database.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TABLES}  # noqa: S608


def send(job: Job, digest: str) -> Finished:
    """Carry out what was proposed."""
    return run(load_job(job), EventInterface(agrees_to=digest))


def test_a_proposal_shows_all_and_changes_nothing(job: Job, office: Office) -> None:
    """It has the numbers of the forecast; one call is made, for the quota; journal and settings stay as they are."""
    proposal = propose(load_job(job))
    forecast = proposal.forecast
    assert forecast is not None
    assert (forecast.rows_to_send, forecast.open_cases, forecast.counts.invalid, forecast.days) == (3, 2, 1, 1)
    assert (proposal.questions, proposal.may_run, bool(proposal.digest)) == ((), True, True)
    assert (office.sandbox.posts, office.sandbox.calls("token"), office.sandbox.calls("query")) == (0, 1, 0)
    assert set(recorded(job.journal_path).values()) == {0}
    assert not settings_path().exists()
    assert propose(load_job(job)).digest == proposal.digest
    finished = send(job, proposal.digest)
    assert (finished.counts.created_now, office.sandbox.posts) == (3, 3)


def edit_a_row(office: Office, job: Job) -> Job:
    """Edit what one row would send."""
    office.write(
        [
            ticket(1, Detalle="otra cosa"),
            ticket(2, Estado="Cerrado", Solución="Listo"),
            ticket(3),
            ticket(4, Correo="nobody"),
        ]
    )
    return job


def add_a_row(office: Office, job: Job) -> Job:
    """Add a row."""
    office.write(
        [ticket(1), ticket(2, Estado="Cerrado", Solución="Listo"), ticket(3), ticket(4, Correo="nobody"), ticket(5)]
    )
    return job


def mend_nothing(office: Office, job: Job) -> Job:
    """Add an invalid row: what is sent stays, but not the numbers that were shown."""
    office.write(
        [
            ticket(1),
            ticket(2, Estado="Cerrado", Solución="Listo"),
            ticket(3),
            ticket(4, Correo="nobody"),
            ticket(5, Correo="x"),
        ]
    )
    return job


def edit_the_mapping(office: Office, job: Job) -> Job:
    """Change a constant, which no cell and no content hash knows."""
    office.mapping.write_text(MAPPING.replace("case-type: Request", "case-type: Complaint"), "utf-8")
    return job


def rename_the_import(office: Office, job: Job) -> Job:
    """Give the import another name."""
    office.mapping.write_text(MAPPING.replace("import: office", "import: another"), "utf-8")
    return job


def other_operation(_office: Office, job: Job) -> Job:
    """Send to another operation."""
    return replace(job, connection=replace(job.connection, operation="another"))


def other_options(_office: Office, job: Job) -> Job:
    """Give an option that changes nothing by itself, but was not what the person agreed to."""
    return replace(job, look_first=True)


CHANGES = (
    (edit_a_row, "rows, or what they contain"),
    (add_a_row, "4 cases instead of 3"),
    (mend_nothing, "how many rows are in which state"),
    (edit_the_mapping, "rows, or what they contain"),
    (rename_the_import, "the server, the operation or the import"),
    (other_operation, "the server, the operation or the import"),
    (other_options, "options or answers"),
)
"""What may change after a person agreed, and what the sentence calls it."""


def test_a_run_of_anything_else_is_refused(job: Job, office: Office) -> None:
    """Whatever changed since a person agreed, nothing is sent or recorded, and the sentence names it."""
    digest = propose(load_job(job)).digest
    for change, named in CHANGES:
        write_sheet(office)
        office.mapping.write_text(MAPPING, "utf-8")
        changed = change(office, job)
        with pytest.raises(UsageError, match="has changed since it was shown") as refused:
            send(changed, digest)
        assert named in str(refused.value)
        assert (office.sandbox.posts, recorded(job.journal_path)["rows"]) == (0, 0)
    assert send(changed, propose(load_job(changed)).digest).counts.created_now == 3


@pytest.mark.parametrize("digest", ["", "anything", "3-a-b-c-d", "x-a-b-c-d"])
def test_a_digest_that_was_never_shown_is_refused(digest: str, job: Job, office: Office) -> None:
    """A text that is no digest of a proposal agrees to nothing."""
    with pytest.raises(UsageError, match="look again"):
        send(job, digest)
    assert office.sandbox.posts == 0


def test_the_quota_that_is_left_is_no_change(job: Job, office: Office) -> None:
    """Calls that others make between the proposal and the run do not matter."""
    digest = propose(load_job(job)).digest
    propose(load_job(job))
    propose(load_job(job))
    assert send(job, digest).counts.created_now == 3
    assert office.sandbox.posts == 3


def test_a_second_click_sends_nothing_twice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of several runs of one proposal at the same time, and one after it, each row is sent once."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    with RunningSandbox(latency=Latency(0.02, 0.02)) as sandbox:
        office = Office(tmp_path, sandbox)
        office.write([ticket(number) for number in range(1, 13)])
        job = Job(office.source, office.mapping, Connection(sandbox.url, "demo"), office.journal)
        digest = propose(load_job(job)).digest
        ended: list[Finished | ImporterError] = []

        def click() -> None:
            try:
                ended.append(send(job, digest))
            except ImporterError as error:
                ended.append(error)

        clicks = [threading.Thread(target=click) for _number in range(3)]
        for thread in clicks:
            thread.start()
        for thread in clicks:
            thread.join(60)
        assert len(ended) == 3
        assert sandbox.posts == 12
        assert any(isinstance(one, Finished) for one in ended)
        with pytest.raises(UsageError, match="0 cases instead of 12"):
            send(job, digest)
        assert sandbox.posts == 12
        references = [case.reference for case in sandbox.store.cases]
        assert len(set(references)) == len(references) == 12
