"""A row that was sent under a corrected key is not sent again where its corrections are lost, whole or in part."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from run_support import Office, ticket

from importer import (
    Connection,
    EventInterface,
    Job,
    QuestionsOpen,
    SheetCorrections,
    UsageError,
    adopt,
    check,
    load_job,
    open_corrections,
    run,
)
from importer.workflow.corrections import Correction, add_corrections, corrections_path


@pytest.fixture
def job(office: Office, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Return the job of a sheet with two valid rows."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.write([ticket(1), ticket(2)])
    return Job(office.source, office.mapping, Connection(office.sandbox.url, "demo"), office.journal, first_run=True)


def send(job: Job, report: str = "report.csv") -> int:
    """Run a job, with a report that is written in no time; return how many cases it created."""
    job = replace(job, report=job.source.with_name(report))
    return run(load_job(job), EventInterface(agrees=True)).counts.created_now


def planned(job: Job) -> tuple[list[tuple[int | None, str | None, str]], int]:
    """Return where a job's issues are, with their codes, and how many rows would be sent."""
    plan = check(load_job(job))
    return [(issue.row, issue.column, issue.code) for issue in plan.issues()], plan.counts().planned


def correct(job: Job, row: int, column: str, to: str) -> SheetCorrections:
    """Correct one cell."""
    corrections = open_corrections(load_job(job))
    corrections.correct(row, column, to)
    return corrections


def lose(job: Job, *lines: int) -> None:
    """Lose the whole file of corrections, or some of its lines, of which the first is 2."""
    path = corrections_path(job.source)
    kept = [one for at, one in enumerate(path.read_bytes().splitlines(keepends=True), 1) if at not in lines]
    path.write_bytes(b"".join(kept)) if lines else path.unlink()


def each_loss(job: Job, *losses: tuple[int, ...]) -> Iterator[None]:
    """Lose these lines of the file of corrections, one group after the other; it is whole again after each."""
    path = corrections_path(job.source)
    whole = path.read_bytes()
    for lines in losses:
        lose(job, *lines)
        yield
        path.write_bytes(whole)


def compose(office: Office, key: str) -> None:
    """Make the key of the mapping another one."""
    office.mapping.write_text(office.mapping.read_text("utf-8").replace("key: Ticket", f"key: {key}"), "utf-8")


LOST = [(2, "Ticket", "correction-lost")]


def test_a_row_that_was_sent_under_a_corrected_key_is_not_sent_without_its_correction(job: Job) -> None:
    """It is an issue of its key cell with the case's id, until the file is back or it is corrected as before."""
    path = correct(job, 2, "Ticket", "T-1").path
    kept = path.read_bytes()
    assert send(job) == 2
    lose(job)
    assert (planned(job), send(job), send(job)) == ((LOST, 0), 0, 0)
    (issue,) = check(load_job(job)).issues()
    assert "'1' was corrected to another value when this row was sent (" in issue.message
    assert "Put the file of corrections back" in issue.remedy
    path.write_bytes(kept)
    assert planned(job) == ([], 0)
    lose(job)
    correct(job, 2, "Ticket", "T-1")
    assert planned(job) == ([], 0)


def test_it_is_not_sent_under_a_third_key_either(job: Job, office: Office) -> None:
    """Corrected otherwise, it is the same row; only the sheet itself can say that it is another one."""
    correct(job, 2, "Ticket", "T-1")
    assert send(job) == 2
    lose(job)
    correct(job, 2, "Ticket", "T-2")
    assert planned(job) == (LOST, 0)
    assert "'T-2' had another value when this row was sent" in next(check(load_job(job)).issues()).message
    lose(job)
    office.write([ticket("T-2"), ticket(2), ticket("T-1", Correo="cliente1@example.com")])
    assert planned(job) == ([], 1)


@pytest.mark.parametrize("state", ["invalid", "planned"])
def test_that_the_journal_has_the_old_key_unsent_makes_no_difference(job: Job, office: Office, state: str) -> None:
    """A row that was recorded under its own key, but not sent, is not sent under it after it was sent as another."""
    if state == "invalid":
        office.write([ticket(1, Estado="x"), ticket(2)])
        assert send(job) == 1
        office.write([ticket(1), ticket(2)])
    else:
        office.write([ticket(2), ticket(1)])
        assert send(replace(job, limit=1)) == 1
        office.write([ticket(1), ticket(2)])
    correct(job, 2, "Ticket", "T-1")
    assert send(job) == 1
    lose(job)
    assert planned(job) == (LOST, 0)


def test_what_the_journal_knew_before_it_was_corrected_to_counts_too(job: Job, office: Office) -> None:
    """A row corrected to the key of a case is that case, and stays so without the correction."""
    assert send(job) == 2
    office.write([ticket("1x", Correo="cliente1@example.com"), ticket(2)])
    correct(job, 2, "Ticket", "1")
    assert send(job) == 0
    lose(job)
    assert planned(job) == (LOST, 0)


@pytest.mark.parametrize(
    "make",
    [
        lambda one: (one.correct_equal("Ticket", "1", "T-1"), one.correct_equal("Ticket", "T-1", "T-2")),
        lambda one: (one.correct(2, "Ticket", "T-1"), one.correct(2, "Ticket", "T-2")),
        lambda one: (one.correct_equal("Ticket", "1", "T-1"), one.correct(2, "Ticket", "T-2")),
        lambda one: (one.correct(2, "Ticket", "T-2"), one.correct_equal("Ticket", "1", "T-1")),
    ],
)
def test_whichever_lines_are_lost(job: Job, make: Callable[[SheetCorrections], object]) -> None:
    """Of corrections that follow one another, each may be lost: no row is sent again."""
    make(open_corrections(load_job(job)))
    assert send(job) == 2
    sent = [row.reference for row in check(load_job(job))]
    for _lost in each_loss(job, (), (2,), (3,), (2, 3)):
        plan = check(load_job(job))
        found = [(issue.row, issue.column, issue.code) for issue in plan.issues()]
        assert found == ([] if [row.reference for row in plan] == sent else LOST)
        assert plan.counts().planned == 0


def test_of_a_key_of_several_columns_each_correction_may_be_lost(job: Job, office: Office) -> None:
    """With the correction of one of its columns alone, the row is the same."""
    compose(office, "[Ticket, Asunto]")
    key = '["1", "Asunto 1"]'
    lines = [Correction("", key, "Ticket", "1", "T-1"), Correction("", key, "Asunto", "Asunto 1", "A")]
    add_corrections(office.source, lines)
    assert send(job) == 2
    for _lost in each_loss(job, (), (2,), (3,)):
        assert planned(job) == ([(2, "Ticket, Asunto", "correction-lost")], 0)


def test_without_keys_every_cell_counts(job: Job, office: Office) -> None:
    """Under `key: content`, a row with other corrections than it was sent with is not sent.

    All of them may be lost, any one of them, or the latest, as in an older copy of the file.
    """
    compose(office, "content")
    cells = {"Detalle": "D", "Asunto": "A", "Estado": "Cerrado", "Solución": "S", "Correo": "a@example.com"}
    corrections = open_corrections(load_job(job))
    acts = [corrections.correct(2, column, text).act for column, text in cells.items()]
    assert send(job) == 2
    for act in acts:
        with pytest.raises(UsageError, match="cannot be undone"):
            corrections.undo(act)
    for _lost in each_loss(job, (), (2,), (4,), (5, 6), (3, 4, 5, 6)):
        found, count = planned(job)
        assert (found[-1:], count) == ([(2, None, "correction-lost")], 0)


def test_another_row_that_has_the_key_is_sent(job: Job, office: Office) -> None:
    """Of two rows with one key, one was given its own: the other one keeps the key, sent now or later."""
    office.write([ticket(1), ticket(1, Asunto="Otro", Estado="x")])
    correct(job, 2, "Ticket", "T-1")
    assert (planned(job), send(job)) == (([(3, "Estado", "not-allowed")], 1), 1)
    correct(job, 3, "Estado", "Abierto")
    assert (planned(job), send(job), send(job)) == (([], 1), 1, 0)
    lose(job)
    assert send(job) == 0


def test_of_rows_with_one_key_each_may_lose_its_own(job: Job, office: Office) -> None:
    """Rows that had one key and were given their own are not sent again, whichever of them loses it."""
    office.write([ticket(1), ticket(1, Asunto="Otro")])
    corrections = open_corrections(load_job(job))
    corrections.correct(2, "Ticket", "T-1")
    corrections.correct(3, "Ticket", "T-2")
    assert send(job) == 2
    for _lost in each_loss(job, (2,), (3,), ()):
        assert planned(job)[1] == 0


def test_corrections_of_other_cells_make_their_rows_changed_and_nothing_more(job: Job) -> None:
    """Without the file, a row of which only other cells were corrected is changed, and never sent twice."""
    correct(job, 2, "Asunto", "Otro")
    assert send(job) == 2
    lose(job)
    again = run(load_job(job), EventInterface(agrees=True))
    assert (again.counts.created, again.counts.changed, again.counts.created_now) == (2, 1, 0)
    assert planned(job) == ([], 0)


@pytest.mark.parametrize("key", ["Ticket", "content"])
def test_another_computer_learns_it_from_the_report(job: Job, office: Office, tmp_path: Path, key: str) -> None:
    """A report says under which keys its rows were before: adopted elsewhere, the sheet without the file is safe."""
    compose(office, key)
    correct(job, 2, "Asunto" if key == "content" else "Ticket", "T-1")
    assert send(job, "tickets.report.xlsx") == 2
    there = replace(job, journal=tmp_path / "elsewhere" / "journal.db")
    assert adopt(replace(there, source=office.report)).created == 2
    assert send(there) == 0
    lose(job)
    assert planned(there) == ([(2, None if key == "content" else "Ticket", "correction-lost")], 0)


def test_two_imports_that_become_one_know_it_of_both(job: Job, office: Office) -> None:
    """What the rows of an import were corrected from is known under its new name, too."""
    correct(job, 2, "Ticket", "T-1")
    assert send(job) == 2
    lose(job)
    office.mapping.write_text(office.mapping.read_text("utf-8").replace("import: office", "import: other"), "utf-8")
    office.write([ticket(3)])
    assert send(replace(job, new_import=True)) == 1
    office.write([ticket(1), ticket(2), ticket(3)])
    job = replace(job, same_as="office")
    assert (send(job), planned(job)) == (0, (LOST, 0))


def test_another_import_asks_about_it(job: Job, office: Office) -> None:
    """A row that was corrected and is a case in another import waits for an answer, also without its correction."""
    correct(job, 2, "Ticket", "T-1")
    assert send(job) == 2
    lose(job)
    office.mapping.write_text(office.mapping.read_text("utf-8").replace("import: office", "import: other"), "utf-8")
    with pytest.raises(QuestionsOpen, match="2 rows of"):
        run(load_job(job), EventInterface())


def test_the_journal_has_digests_only(job: Job, office: Office) -> None:
    """What is kept of a key before its correction is no cell."""
    office.write([ticket("SECRETO-1")])
    correct(job, 2, "Ticket", "T-1")
    assert send(job) == 1
    assert all(b"SECRETO-1" not in path.read_bytes() for path in office.journal.parent.iterdir())
