"""A journal that was lost or restored, and the other sheets of its import: each row is still one case."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from odd_crm import OddCrm
from promise_support import end_leases, stored_rows, tickets
from run_support import Give, Office, Result
from scripted_crm import ScriptedCrm

NO_CHECK = ("--spot-check", "0")


def run(office: Office, give: Give, server: ScriptedCrm, *more: str) -> Result:
    """Carry out a run against a server, without a quiet period."""
    words = office.arguments("run", "--yes", "--json", "--concurrency", "1", "--quiet-period", "0", *NO_CHECK, *more)
    words[words.index("--server") + 1] = server.url
    return give(words)


def lose(office: Office) -> None:
    """Remove the journal, and the report that would reveal it."""
    for file in office.journal.parent.glob("journal.db*"):
        file.unlink()
    office.report.unlink()


def restore(office: Office, backup: Path) -> None:
    """Replace the journal with an older copy, and remove the report that would reveal it."""
    lose(office)
    shutil.copy(backup, office.journal)


def backed_up(office: Office, give: Give, server: ScriptedCrm) -> Path:
    """Send one row, make a backup, send two more rows; return the backup."""
    office.write(tickets(range(1, 5)))
    assert run(office, give, server, "--limit", "1").status == 3
    backup = office.folder / "backup.db"
    shutil.copy(office.journal, backup)
    assert run(office, give, server, "--limit", "2").status == 3
    end_leases(office.journal)
    return backup


def test_r15_looking_first_at_one_sheet_says_nothing_of_another(office: Office, give: Give) -> None:
    """After a backup was restored, looking for the rows of a small sheet does not clear those of the large one."""
    crm = OddCrm()
    with ScriptedCrm(crm) as server:
        restore(office, backed_up(office, give, server))
        large = office.source.read_text("utf-8")
        office.write(tickets([5], Correo="otra@example.com"))
        assert run(office, give, server, "--look-first").status == 0
        office.report.unlink()
        office.source.write_text(large, "utf-8")
        refused = run(office, give, server)
        assert (refused.status, "--look-first" in refused.json["reason"]) == (2, True)
        run(office, give, server, "--look-first")
    assert len(crm.posted) <= 5
    crm.assert_one_case_each(stored_rows(office.journal))


def test_r15_a_row_that_was_invalid_when_all_were_looked_for_is_looked_for_once_corrected(
    office: Office, give: Give
) -> None:
    """A corrected sheet is a different one: its rows are looked for again before any of them is sent."""
    crm = OddCrm()
    with ScriptedCrm(crm) as server:
        restore(office, backed_up(office, give, server))
        right = office.source.read_text("utf-8")
        wrong = tickets(range(1, 5))
        wrong[2]["Correo"] = "nobody"
        office.write(wrong)
        run(office, give, server, "--look-first")
        office.report.unlink()
        office.source.write_text(right, "utf-8")
        assert run(office, give, server).status == 2
        run(office, give, server, "--look-first")
    crm.assert_one_case_each(stored_rows(office.journal))


@pytest.mark.parametrize("newest", [False, True])
def test_r15_an_adopted_report_makes_up_for_a_lost_journal_only_as_far_as_it_knows(
    office: Office,
    give: Give,
    newest: bool,  # noqa: FBT001 - two cases of one test
) -> None:
    """If the lost journal had sent more than an adopted report shows, the rest is looked for, or asked about."""
    crm = OddCrm()
    with ScriptedCrm(crm) as server:
        office.write(tickets(range(1, 5)))
        run(office, give, server, "--limit", "1")
        old = office.folder / "kept.xlsx"
        shutil.copy(office.report, old)
        run(office, give, server, "--limit", "2")
        if newest:
            shutil.copy(office.report, old)
        lose(office)
        adopt = office.adopt(old)
        adopt[adopt.index("--server") + 1] = server.url
        assert give(adopt).status == 0
        result = run(office, give, server)
        assert (result.status, len(crm.posted)) == ((0, 4) if newest else (2, 3))
        if not newest:
            assert "--look-first" in result.json["reason"]
            run(office, give, server, "--look-first")
    crm.assert_one_case_each(stored_rows(office.journal))
