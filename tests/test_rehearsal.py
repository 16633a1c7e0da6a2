"""A rehearsal: everything is as in a run, and nothing of it is real."""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import replace
from pathlib import Path

import openpyxl
import pandas as pd
import pytest
from run_support import MAPPING, Give, Office, ticket

from importer import Connection, EventInterface, Job, SourceError, UsageError, adopt, check, load_job, rehearse, run
from importer.messages import speaking
from importer.model import Status
from importer.report import is_rehearsed
from importer.workflow.forecast.events import RowSent


@pytest.fixture
def job(office: Office, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Return the job of a sheet with three valid rows and an invalid one; there is no token."""
    monkeypatch.delenv("WOLKVOX_TOKEN", raising=False)
    office.write([ticket(1), ticket(2), ticket(3), ticket(4, Correo="nobody")])
    return Job(office.source, office.mapping, Connection("crm0009.wolkvox.com", "demo"), office.journal)


def files(folder: Path) -> dict[str, str]:
    """Return the digest of every file in a folder and below."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


@pytest.fixture
def rehearsed(office: Office) -> Path:
    """Return where the report of a rehearsal is."""
    return office.folder / "tickets.rehearsal.xlsx"


def texts(path: Path, sheet: str) -> str:
    """Return all texts of a sheet."""
    return " ".join(pd.read_excel(path, sheet, header=None, dtype=str, engine="openpyxl").fillna("").to_numpy().ravel())


def test_a_rehearsal_leaves_everything_as_it_was(job: Job, office: Office, user_folder: Path, rehearsed: Path) -> None:
    """Without a token and without agreement it makes its report, and changes no other file; the CRM is not called."""
    before, events = files(office.folder), []
    finished = rehearse(load_job(job), EventInterface(events.append))
    assert (finished.counts.created_now, finished.counts.invalid, finished.exit_status) == (3, 1, 1)
    assert (finished.report, finished.result.rehearsal) == (rehearsed, True)
    assert sum(isinstance(event, RowSent) for event in events) == 3
    assert office.sandbox.posts == office.sandbox.calls("token") == 0
    after = files(office.folder)
    assert after.pop(rehearsed.name)
    assert (after, files(user_folder)) == (before, {})
    assert "run" in finished.next_step
    assert "crm0009.wolkvox.com" in finished.next_step


def test_its_report_says_what_it_is(job: Job, rehearsed: Path) -> None:
    """Summary and notes say that nothing reached the CRM and what was not proved; no id or reference looks real."""
    finished = rehearse(load_job(job), EventInterface())
    summary = texts(rehearsed, "Summary")
    assert "Rehearsal of import office" in summary
    assert "nothing reached the CRM" in summary
    assert "cannot prove that the contacts" in summary
    assert "3 of 4 tickets passed the rehearsal." in summary
    assert "are in the CRM" not in summary
    assert any("cannot prove" in note for note in finished.notes)
    lines = pd.read_excel(rehearsed, "Report", dtype=str, keep_default_na=False, engine="openpyxl")
    created = lines[lines["status"] == "created"]
    assert len(created) == 3
    for name in ("wolkvox_id", "idPrefijo", "reference"):
        assert all(map(is_rehearsed, created[name]))
        assert not any(text.startswith("WCI-") for text in lines[name])


def test_it_is_done_again_over_itself(job: Job, office: Office, rehearsed: Path) -> None:
    """An unchanged report of an earlier rehearsal is replaced, one that somebody saved is not."""
    for _time in range(2):
        assert rehearse(load_job(job), EventInterface()).report == rehearsed
    openpyxl.load_workbook(rehearsed).save(rehearsed)
    assert rehearse(load_job(job), EventInterface()).report != rehearsed
    assert len(list(office.folder.glob("*.rehearsal*.xlsx"))) == 2


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("tickets.rehearsal.xlsx", "en"),
        ("tickets.report.xlsx", "es"),
        ("tickets.report.xlsx", "pt"),
        ("other.csv", "es"),  # the same in every language
    ],
)
def test_it_is_no_source_and_no_report(job: Job, office: Office, name: str, language: str) -> None:
    """Whatever its name and language, it is refused as a source and by `adopt`."""
    given = office.folder / name
    with speaking(language):
        written = rehearse(load_job(replace(job, report=given.with_stem("r"))), EventInterface()).report
    assert written is not None
    assert written.name == f"r.rehearsal{given.suffix}"
    shutil.copy(written, given)
    again = Job(given, job.mapping, job.connection, job.journal)
    with pytest.raises(SourceError, match="rehearsal"):
        check(load_job(again))
    with pytest.raises(SourceError, match="rehearsal"):
        adopt(again)
    with pytest.raises(SourceError, match="rehearsal"):
        rehearse(load_job(again), EventInterface())


def test_a_real_run_ignores_it(job: Job, office: Office, rehearsed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the source it stops no run and answers no question, even under the name of a report."""
    rehearse(load_job(job), EventInterface())
    copies = [office.folder / name for name in ("tickets.report.xlsx", "tickets.report - copia.xlsx")]
    for copy in copies:
        shutil.copy(rehearsed, copy)
    as_it_is = rehearsed.read_bytes()
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    real = Job(office.source, office.mapping, Connection(office.sandbox.url, "demo"), office.journal)
    finished = run(load_job(real), EventInterface(agrees=True))
    assert (finished.counts.created_now, office.sandbox.posts) == (3, 3)
    assert [path.read_bytes() == as_it_is for path in (rehearsed, *copies)] == [True, True, True]


@pytest.mark.usefixtures("job")
def test_what_a_run_would_not_send_is_not_rehearsed(
    office: Office, rehearsed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that are cases already are skipped, with the reason; only what is left is rehearsed, with its limit."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    real = Job(office.source, office.mapping, Connection(office.sandbox.url, "demo"), office.journal, limit=1)
    run(load_job(real), EventInterface(agrees=True))
    finished = rehearse(load_job(real), EventInterface())
    assert (finished.counts.skipped, finished.counts.created_now, finished.counts.planned) == (1, 1, 1)
    assert office.sandbox.posts == 1
    lines = pd.read_excel(rehearsed, "Report", dtype=str, keep_default_na=False, engine="openpyxl")
    assert list(lines.loc[lines["status"] == "skipped", "message"]) == ["not rehearsed: this row is created."]
    assert [row.status for row in check(load_job(real))].count(Status.CREATED) == 1


def test_it_can_be_stopped(job: Job, office: Office) -> None:
    """Before it began, or while it sends to its stand-in."""
    ui = EventInterface()
    ui.stop()
    with pytest.raises(UsageError, match="nothing was sent"):
        rehearse(load_job(job), ui)
    office.write(ticket(number) for number in range(1, 200))
    ui = EventInterface(lambda event: ui.stop() if isinstance(event, RowSent) else None)
    finished = rehearse(load_job(job), ui)
    assert 0 < finished.counts.created_now < 199


@pytest.mark.usefixtures("job")
def test_a_report_given_back_is_rehearsed_by_its_keys(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """The references in it are those of the real CRM, and no fault here."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    real = Job(office.source, office.mapping, Connection(office.sandbox.url, "demo"), office.journal, limit=1)
    run(load_job(real), EventInterface(agrees=True))
    report = Job(office.report, office.mapping, Connection(office.sandbox.url, "demo"), office.journal)
    finished = rehearse(load_job(report), EventInterface())
    assert (finished.counts.created_now, finished.counts.skipped, finished.counts.invalid) == (2, 1, 1)


def test_run_rehearse_is_the_same_on_the_command_line(office: Office, give: Give, rehearsed: Path) -> None:
    """`run --rehearse` needs no --yes, and prints what it cannot prove and the command that sends."""
    office.write([ticket(1), ticket(2)])
    result = give(office.arguments("run", "--rehearse"))
    assert (result.status, office.sandbox.posts) == (0, 0)
    assert "nothing reached the CRM" in result.out
    assert "sends the rows" in result.out
    assert rehearsed.exists()
    assert not office.journal.exists()
    office.mapping.write_text(MAPPING.replace("office", "other"), "utf-8")
    printed = give(office.arguments("run", "--rehearse", "--json")).json
    assert (printed["counts"]["created"], printed["rehearsal"]) == (2, True)
