"""Updates in the journal: one in flight a row, none before the quiet period, and a hash that moves on success alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import Mock

import pytest
from journal_support import COLUMNS, Clock, SampleJournal, created, identity, outcome
from place_support import ask

from importer.errors import JournalError, JournalFull
from importer.journal import Attempt, Journal, RowEdit, UpdateIntent
from importer.journal.leases import MARGIN
from importer.journal.schema import attempts
from importer.journal_place import Server
from importer.model import Outcome, Verdict
from importer.model.edits import LastUpdate, UpdateState

SECONDS, QUIET = 55.0, 120.0


class Updating(SampleJournal):
    """A journal whose row 1 is created, and edited since."""

    def __init__(self, path: Path, clock: Clock) -> None:
        super().__init__(path, clock)
        self.plan([1, 2])
        self.conclude(self.claim(1), created("case-1"))
        self.conclude(self.claim(2), created("case-2"))

    def edited(self, content: str = "moved on", known: str = "as it was") -> RowEdit:
        """Return row 1 as it is now."""
        now = identity(1, content)
        return RowEdit(now.reference, identity(1, known).content_hash, now.content_hash, "0" * 16)

    def update(self, content: str = "moved on", known: str = "as it was", case: str = "case-1") -> Attempt | None:
        """Commit the intent to update row 1."""
        intent = UpdateIntent(self.edited(content, known), case, COLUMNS, SECONDS, QUIET)
        return self.journal.updates.claim(self.record.id, self.run, intent)

    def end(self, attempt: Attempt | None, what: Outcome) -> UpdateState | None:
        """Commit what an update came to."""
        assert attempt is not None
        return self.journal.updates.conclude(attempt, what)

    def last(self) -> LastUpdate:
        """Return what the journal knows about the newest update of row 1."""
        known = self.row(1).update
        assert known is not None
        return known

    def content(self) -> str:
        """Return which content of row 1 the journal knows."""
        recorded = self.row(1).content_hash
        return next(text for text in ("as it was", "moved on", "later") if identity(1, text).content_hash == recorded)


pytestmark = pytest.mark.on_both


@pytest.fixture
def clock() -> Clock:
    """Provide clocks that move on request."""
    return Clock()


@pytest.fixture
def updating(tmp_path: Path, clock: Clock, journal_server: Server | None) -> Iterator[Updating]:
    """Provide the journal."""
    sample = Updating(journal_server or tmp_path / "journal.db", clock)
    yield sample
    sample.journal.close()


@pytest.mark.parametrize(
    ("verdict", "state", "content", "may_go_again"),
    [
        (Verdict.CREATED, UpdateState.UPDATED, "moved on", False),
        (Verdict.REJECTED, UpdateState.REFUSED, "as it was", True),
        (Verdict.NOT_DELIVERED, UpdateState.UNSENT, "as it was", True),
        (Verdict.UNKNOWN, UpdateState.UNKNOWN, "as it was", False),
    ],
)
def test_the_hash_moves_on_success_alone(
    updating: Updating, verdict: Verdict, state: UpdateState, content: str, *, may_go_again: bool
) -> None:
    """A success makes the row's present content the known one; any other outcome leaves the row as it was."""
    assert updating.end(updating.update(), outcome(verdict)) is state
    assert (updating.last().state, updating.content()) == (state, content)
    assert (updating.update() is not None) is may_go_again


@pytest.mark.parametrize(
    ("what", "state", "content"),
    [
        (outcome(Verdict.CREATED), UpdateState.UPDATED, "moved on"),
        (outcome(Verdict.REJECTED), UpdateState.REFUSED, "as it was"),
        (Outcome(Verdict.CREATED, ids=("case-2",)), UpdateState.UNKNOWN, "as it was"),
    ],
)
def test_o14_an_outcome_that_cannot_be_committed_is_kept_aside_and_taken_in(
    updating: Updating, monkeypatch: pytest.MonkeyPatch, what: Outcome, state: UpdateState, content: str
) -> None:
    """A full disk stops the run; the next opening of the journal knows what the update came to, and any id in it."""
    attempt = updating.update()
    with monkeypatch.context() as full:
        full.setattr("importer.journal.updates.Updates._conclude", Mock(side_effect=JournalFull("no room")))
        with pytest.raises(JournalFull):
            updating.end(attempt, what)
    assert (updating.last().state, updating.content()) == (UpdateState.SENDING, "as it was")
    path, clock = updating.journal.path, updating.journal.clock
    updating.journal.close()
    updating.journal = Journal(path, clock)
    assert (updating.last().state, updating.content(), updating.row(2).disputed) == (state, content, bool(what.ids))


def test_one_update_at_a_time(updating: Updating) -> None:
    """While an update is in flight, no other one of its row begins; that of another content is none either."""
    assert updating.update() is not None
    assert updating.update() is None
    assert updating.update("later") is None


@pytest.mark.parametrize(("known", "case"), [("moved on", "case-1"), ("as it was", "case-2"), ("as it was", "")])
def test_only_what_was_planned_is_updated(updating: Updating, known: str, case: str) -> None:
    """A row whose content the journal knows otherwise by now, or whose case is another one, is not updated."""
    assert updating.update(known=known, case=case) is None


@pytest.mark.parametrize("flag", ["disputed", "deleted"])
def test_no_case_is_updated_that_may_be_another_or_gone(updating: Updating, flag: str) -> None:
    """A row whose id is disputed, or whose case a person reported as deleted, is not updated."""
    ask(updating.journal.path, f"UPDATE rows SET {flag} = true WHERE wolkvox_id = 'case-1'")  # noqa: S608
    assert updating.update() is None


def test_an_update_is_sent_again_after_deadline_and_quiet_period(updating: Updating, clock: Clock) -> None:
    """An update whose answer is missing is sent again only when nothing of it can arrive any more."""
    updating.update()
    clock.pass_by(SECONDS + MARGIN + 1)
    assert updating.journal.updates.expire(updating.record.id) == 1
    assert updating.last().state is UpdateState.UNKNOWN
    clock.pass_by(QUIET - 2)
    assert updating.update() is None
    clock.pass_by(2)
    assert updating.update() is not None


def test_the_quiet_period_begins_again_after_a_restart(updating: Updating, clock: Clock) -> None:
    """After a restart of the computer the lease has its whole length again, and then the quiet period."""
    updating.update()
    clock.boot, clock.passed = "another boot", 1.0
    assert updating.update() is None
    assert updating.journal.updates.expire(updating.record.id) == 0
    clock.pass_by(SECONDS + MARGIN + 1)
    assert updating.journal.updates.expire(updating.record.id) == 1
    clock.pass_by(QUIET)
    assert updating.update() is not None


def test_the_lease_ends(updating: Updating, clock: Clock) -> None:
    """An update sends nothing after its lease."""
    attempt = updating.update()
    assert attempt is not None
    assert updating.journal.updates.lease_holds(attempt)
    clock.pass_by(SECONDS + MARGIN)
    assert not updating.journal.updates.lease_holds(attempt)


def test_a_late_success_counts_until_a_newer_update_begins(updating: Updating, clock: Clock) -> None:
    """A success that comes after its lease moves the hash, but not over the content of a newer update."""
    late = updating.update()
    clock.pass_by(SECONDS + MARGIN + QUIET + 1)
    updating.journal.updates.expire(updating.record.id)
    newer = updating.update("later")
    assert updating.end(late, outcome(Verdict.CREATED)) is UpdateState.UPDATED
    assert updating.content() == "as it was"
    updating.end(newer, outcome(Verdict.CREATED))
    assert updating.content() == "later"
    assert updating.end(newer, outcome(Verdict.UNKNOWN)) is UpdateState.UPDATED
    assert updating.content() == "later"


@pytest.mark.parametrize("failing", [Verdict.NOT_DELIVERED, Verdict.REJECTED])
@pytest.mark.parametrize("late", [True, False])
def test_a_failed_update_leaves_the_row_to_the_one_before_it(
    updating: Updating, clock: Clock, failing: Verdict, *, late: bool
) -> None:
    """A lost edit that is undone is still awaited when the undoing fails; its late success is the known content."""
    first = updating.update()
    if not late:
        updating.end(first, outcome(Verdict.UNKNOWN))
    clock.pass_by(SECONDS + MARGIN + QUIET + 1)
    updating.journal.updates.expire(updating.record.id)
    undoing = updating.update("as it was")
    assert undoing is not None
    if late:
        updating.end(first, outcome(Verdict.CREATED))
    assert updating.end(undoing, replace(outcome(failing), message="No.")) is not UpdateState.UPDATED
    if late:
        assert updating.content() == "moved on"
    else:
        assert (updating.last().state, updating.last().message, updating.content()) == ("unknown", "No.", "as it was")
    assert updating.update("as it was", "moved on" if late else "as it was") is not None


def test_a_lost_update_names_what_the_crm_refused_since(updating: Updating, clock: Clock) -> None:
    """The row stays about the update that may have arrived, and says which content was refused last, and why."""
    updating.end(updating.update(), outcome(Verdict.UNKNOWN))
    assert updating.last().refused is None
    for content, verdict, refused in (
        ("moved on", Verdict.REJECTED, "moved on"),
        ("moved on", Verdict.NOT_DELIVERED, "moved on"),
        ("later", Verdict.REJECTED, "later"),
    ):
        clock.pass_by(SECONDS + MARGIN + QUIET + 1)
        updating.end(updating.update(content), replace(outcome(verdict), message=f"{verdict} {content}"))
        last = updating.last()
        assert (last.state, last.may_have_arrived, updating.content()) == ("unknown", True, "as it was")
        assert last.refused == (identity(1, refused).content_hash, f"rejected {refused}", updating.run)
    updating.end(updating.update("moved on"), outcome(Verdict.CREATED))
    assert (updating.last().state, updating.last().refused) == ("updated", None)


def test_an_answer_with_another_id_proves_nothing(updating: Updating) -> None:
    """An answer that names another case makes the update unknown and both rows disputed; the id is kept."""
    assert updating.end(updating.update(), Outcome(Verdict.CREATED, ids=("case-2",))) is UpdateState.UNKNOWN
    assert (updating.content(), updating.row(1).disputed, updating.row(2).disputed) == ("as it was", True, True)
    assert updating.row(1).wolkvox_id == "case-1"
    with updating.journal.reading() as connection:
        found = connection.exec_driver_sql("SELECT wolkvox_id FROM arrived_ids WHERE how = 'update'").all()
    assert [tuple(row) for row in found] == [("case-2",)]


@pytest.mark.parametrize(
    ("before", "accepted"),
    [(None, 1), (Verdict.REJECTED, 1), (Verdict.NOT_DELIVERED, 1), (Verdict.UNKNOWN, 0), ("in flight", 0)],
)
def test_an_edit_is_taken_as_known_unless_its_update_may_have_arrived(
    updating: Updating, before: Verdict | str | None, accepted: int
) -> None:
    """An accepted edit moves the hash without a call; one whose update is in flight or unknown stays."""
    if before is not None:
        attempt = updating.update()
        if isinstance(before, Verdict):
            updating.end(attempt, outcome(before))
    updates = updating.journal.updates
    edited = updating.edited()
    assert updates.accept(updating.record.id, updating.run, [edited], COLUMNS, QUIET) == [edited.reference] * accepted
    assert updating.content() == ("moved on" if accepted else "as it was")
    assert (updating.last().state is UpdateState.ACCEPTED) is bool(accepted)


@pytest.mark.in_a_file
def test_an_older_copy_of_the_journal_is_refused_by_its_updates(updating: Updating, clock: Clock) -> None:
    """A journal that lacks an update which this computer made is behind, and one that made another is forked."""
    path = updating.journal.path
    updating.raise_mark(Attempt(2, "", _token(updating, 2), clock.boot, 0))
    copy = path.with_name("copy.db")
    updating.journal.copies.back_up(copy)
    attempt = updating.update()
    assert attempt is not None
    updating.journal.raise_update(attempt.id, attempt.token)
    updating.journal.close()
    for end in ("-wal", "-shm"):
        path.with_name(path.name + end).unlink(missing_ok=True)
    path.write_bytes(copy.read_bytes())
    with Journal(path, clock.clocks) as older:
        assert older.standing.kind == "behind"
        older.trust_again("nothing-was-sent")
        assert older.standing.may_send
    with Journal(path, clock.clocks) as older:
        assert older.standing.kind == "sound"


def test_a_copy_that_lags_behind_raises_no_mark(updating: Updating) -> None:
    """An update whose number another copy has given to another update may not be sent."""
    attempt = updating.update()
    assert attempt is not None
    updating.journal.raise_update(attempt.id + 1, "of another copy")
    with pytest.raises(JournalError, match="another copy"):
        updating.journal.raise_update(attempt.id, attempt.token)


def _token(sample: Updating, number: int) -> str:
    with sample.journal.reading() as connection:
        return str(connection.execute(attempts.select().where(attempts.c.id == number)).one().token)


def test_history_names_the_updates_of_a_run(updating: Updating) -> None:
    """What a run changed includes the rows whose cases it updated, and those whose edits it accepted."""
    updating.end(updating.update(), outcome(Verdict.CREATED))
    run = updating.journal.runs.all()[0]
    changes = {change.reference: change for change in updating.journal.runs.changes(run, None)}
    mine = changes[identity(1).reference]
    assert (mine.how, mine.wolkvox_id, mine.run) == ("updated", "case-1", updating.run)
