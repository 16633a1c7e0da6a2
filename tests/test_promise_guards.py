"""Whole runs, guard by guard: the mark comes before the first byte, and looking first covers every row."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from odd_crm import Case, OddCrm, success
from promise_support import know_the_search, states, stored_rows
from run_support import Give, Office, Result, ticket
from scripted_crm import ScriptedCrm, http

from importer.errors import JournalError
from importer.journal.mark import Mark


def run(office: Office, give: Give, server: ScriptedCrm, *more: str, journal: Path | None = None) -> Result:
    """Carry out a run with one worker against a server."""
    words = office.arguments("run", "--yes", "--json", "--concurrency", "1", "--spot-check", "0", *more)
    words[words.index("--server") + 1] = server.url
    words[words.index("--journal") + 1] = str(journal or office.journal)
    return give(words)


def test_r15_the_mark_knows_of_an_attempt_before_its_first_byte(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Intent, mark, POST: whatever is lost after that, there is a trace that it was sent."""
    order: list[str] = []
    raise_to = Mark.raise_to

    def watched(mark: Mark, attempt_id: int, token: str, scope: tuple[str, str, str]) -> None:
        raise_to(mark, attempt_id, token, scope)
        order.append("mark")

    def answer(case: Case, _number: int) -> bytes:
        order.append("case")
        return http(200, success(case))

    monkeypatch.setattr(Mark, "raise_to", watched)
    office.write(map(ticket, [1, 2]))
    with ScriptedCrm(OddCrm(answer)) as server:
        assert run(office, give, server).status == 0
    assert order == ["mark", "case", "mark", "case"]


def test_r15_where_the_mark_cannot_be_raised_nothing_is_sent(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run stops with the reason, no row is left in the state sending, and the next run sends each once."""
    raised: list[int] = []
    raise_to = Mark.raise_to

    def failing(mark: Mark, attempt_id: int, token: str, scope: tuple[str, str, str]) -> None:
        raised.append(attempt_id)
        if len(raised) == 2:
            raise JournalError("no room for the mark")
        raise_to(mark, attempt_id, token, scope)

    crm = OddCrm()
    office.write(map(ticket, [1, 2, 3]))
    with ScriptedCrm(crm) as server:
        with monkeypatch.context() as patched:
            patched.setattr(Mark, "raise_to", failing)
            stopped = run(office, give, server)
        assert "no room for the mark" in stopped.err + stopped.out
        assert (len(crm.posted), states(office.journal)) == (1, {"created": 1, "planned": 2})
        assert run(office, give, server).status == 0
    assert len(crm.posted) == 3
    crm.assert_one_case_each(stored_rows(office.journal))


def restored(office: Office, give: Give, server: ScriptedCrm) -> None:
    """Send five of eight rows, and restore a journal that knows two of them."""
    office.write(map(ticket, range(1, 9)))
    backup = office.folder / "backup.db"
    run(office, give, server, "--limit", "2")
    shutil.copyfile(office.journal, backup)
    run(office, give, server, "--limit", "3")
    shutil.copyfile(backup, office.journal)
    office.report.unlink()
    know_the_search(office, server=server.url)


def test_r15_a_look_that_was_cut_short_leaves_the_rest_to_be_looked_for(office: Office, give: Give) -> None:
    """A run with --look-first that paused has not searched for every row: the next one without it is refused."""
    crm = OddCrm(
        lambda case, number: http(401 if number == 6 else 200, success(case) if number != 6 else {"code": "401"})
    )
    with ScriptedCrm(crm) as server:
        restored(office, give, server)
        assert run(office, give, server, "--look-first", "--quiet-period", "0").status == 5
        assert run(office, give, server).status == 2
        assert run(office, give, server, "--look-first", "--quiet-period", "0").status in {0, 4}
    assert len(crm.posted) == 8
    crm.assert_one_case_each(stored_rows(office.journal))


def test_r15_what_a_person_knows_ends_the_looking_and_with_it_nothing_else(office: Office, give: Give) -> None:
    """--nothing-was-sent is accepted instead of looking; together with --look-first it is not, if rows are left."""
    with ScriptedCrm(OddCrm()) as server:
        restored(office, give, server)
        assert (
            run(
                office, give, server, "--look-first", "--quiet-period", "0", "--nothing-was-sent", "--limit", "1"
            ).status
            == 3
        )
        assert run(office, give, server).status == 2
        assert run(office, give, server, "--look-first", "--quiet-period", "0", "--limit", "1").status == 3
        assert run(office, give, server, "--nothing-was-sent", "--limit", "1").status == 3
        assert run(office, give, server, "--limit", "1").status in {0, 3}


def test_r15_a_lost_journal_is_looked_for_to_the_end(office: Office, give: Give) -> None:
    """After --look-first has started again and sent some rows, the other rows may still be cases."""
    crm = OddCrm()
    office.write(map(ticket, range(1, 6)))
    with ScriptedCrm(crm) as server:
        run(office, give, server, "--limit", "4")
        shutil.rmtree(office.journal.parent)
        office.report.unlink()
        office.journal.parent.mkdir()
        know_the_search(office, server=server.url)
        assert run(office, give, server, "--look-first", "--quiet-period", "0", "--limit", "1").status == 3
        assert run(office, give, server).status == 2
        assert run(office, give, server, "--look-first", "--quiet-period", "0").status == 0
        assert run(office, give, server).status == 0
    assert len(crm.posted) == 5
    crm.assert_one_case_each(stored_rows(office.journal))


@pytest.mark.parametrize("more", [(), ("--look-first",), ("--nothing-was-sent",)])
def test_r15_a_copy_beside_its_journal_never_sends(office: Office, give: Give, more: tuple[str, ...]) -> None:
    """No option allows two journals to send the same import."""
    crm, copy = OddCrm(), office.folder / "copy" / "journal.db"
    office.write(map(ticket, [1, 2]))
    with ScriptedCrm(crm) as server:
        run(office, give, server, "--limit", "1")
        copy.parent.mkdir()
        shutil.copyfile(office.journal, copy)
        assert run(office, give, server, *more, journal=copy).status == 2
    assert len(crm.posted) == 1
