"""`settle` as a whole command: what it did, what is left and until when, and the reports that show it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from promise_support import end_leases
from run_support import Give, Office, ticket
from test_next_steps import commands_in, run

from importer.crm import Crm, Found
from importer.sandbox import SandboxConfig
from importer.sandbox.config import Search
from importer.system import clock


def in_flight(office: Office, give: Give, seconds: float = 30.0, rows: int = 4) -> None:
    """Leave rows 3 and 4 of the sheet as a process leaves them that was killed while it sent them."""
    office.write(ticket(n) for n in range(1, rows + 1))
    give(run(office))
    office.report.unlink()
    with closing(sqlite3.connect(office.journal)) as database, database:
        database.execute("UPDATE rows SET state = 'sending', wolkvox_id = NULL, id_prefijo = NULL WHERE id IN (2, 3)")
        database.execute(
            "UPDATE attempts SET lease = :end, deadline = :end, verdict = NULL, search_field = 'email contact',"
            " search_value = 'cliente' || row_id || '@example.com' WHERE row_id IN (2, 3)",
            {"end": clock.elapsed() + seconds},
        )


def in_doubt(office: Office, give: Give, fault: str) -> None:
    """Run four rows, the second of which the CRM does not answer, and let its quiet period end."""
    office.write(ticket(n) for n in range(1, 5))
    office.sandbox.inject(f"{fault}:nth=2")
    assert give(run(office)).status == 4
    office.sandbox.inject()
    end_leases(office.journal, ago=200)


@pytest.mark.parametrize("how", [(), ("--by-hand", "1", "--deleted")])
def test_rows_in_flight_are_named_with_their_end(office: Office, give: Give, how: tuple[str, ...]) -> None:
    """Exit status 3, whatever was settled: each row by its number and reference, and when it becomes unknown."""
    in_flight(office, give)
    office.sandbox.store.forget()
    result = give(office.settle(*how))
    assert result.status == 3
    assert "no row is in doubt" not in result.out
    assert "2 rows are still being sent" in result.out
    assert "row 3 (WCI-" in result.out
    assert "row 4 (WCI-" in result.out
    assert "\noffice: 2 rows are still being sent" in f"\n{result.out}"  # of the import, whatever was decided on
    assert f"sending, unknown from {datetime.now(UTC).astimezone():%Y-%m-%d}" in result.out
    assert [words[-1] for words in commands_in(result.out)][:1] == ["--wait"]
    assert not office.report.exists()


def test_settle_waits_for_leases_and_quiet_periods_and_then_searches(office: Office, give: Give) -> None:
    """`--wait` asks the CRM when it can answer, and finds the cases of a process that was killed."""
    in_flight(office, give, seconds=1.0)
    began = time.monotonic()
    result = give(office.settle("--wait", "--quiet-period", "1"))
    assert (result.status, "Settled: 2 rows are created" in result.out) == (0, True)
    assert "Waiting until" in result.err
    assert time.monotonic() - began >= 1.5


def test_ctrl_c_ends_the_wait(office: Office, give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing was searched for; what is left is named, with the command that waits again."""
    in_flight(office, give)

    def interrupted(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("importer.cli.terminal.time.sleep", interrupted)
    queries = office.sandbox.calls("query")
    result = give(office.settle("--wait"))
    assert (result.status, office.sandbox.calls("query")) == (3, queries)
    assert "Stopped with Ctrl-C" in result.err
    assert "2 rows are still being sent" in result.out
    assert commands_in(result.out)[0][-1] == "--wait"


def test_a_decision_does_not_wait(office: Office, give: Give) -> None:
    """`--wait` with a decision is a mistake that is named."""
    in_flight(office, give)
    refused = give(office.settle("--wait", "--by-hand", "1", "--not-created"))
    assert (refused.status, "--wait goes with a search" in refused.err) == (2, True)


def by_search(office: Office, _give: Give) -> list[str]:
    """Settle by a search."""
    return office.settle()


def by_hand(office: Office, _give: Give) -> list[str]:
    """Settle by a person's decision."""
    case = next(case for case in office.sandbox.store.cases if case.body["contact"] == "cliente2@example.com")
    return office.settle("--by-hand", "2", "--created", case.wolkvox_id)


def without_mapping(office: Office, _give: Give) -> list[str]:
    """Settle every import of the operation."""
    words = office.settle()
    at = words.index("-m")
    return words[:at] + words[at + 2 :]


@pytest.mark.parametrize("how", [by_search, by_hand, without_mapping])
def test_the_report_shows_what_was_settled(
    office: Office, give: Give, how: Callable[[Office, Give], list[str]]
) -> None:
    """The report of the file whose row it was is written again, in its place, also where no mapping was named."""
    in_doubt(office, give, "closed-after-creating")
    assert "unknown" in list(office.reported()["status"])
    result = give(how(office, give))
    assert (result.status, f"Report: {office.report}" in result.out, "Nothing is left" in result.out) == (0, True, True)
    assert list(office.reported()["status"]) == ["created"] * 4
    assert sorted(path.name for path in office.folder.glob("*.report.*")) == ["tickets.report.xlsx"]


def test_a_file_that_is_gone_has_no_report_to_renew(office: Office, give: Give) -> None:
    """The rows are settled all the same, and the command that sends what is left is shown as far as it is known."""
    in_doubt(office, give, "closed-without-creating")
    office.source.rename(office.folder / "elsewhere.csv")
    result = give(office.settle("--by-hand", "2", "--not-created"))
    assert result.status == 0
    assert commands_in(result.out)[0][:4] == ["run", "SOURCE", "-m", str(office.mapping)]


def test_a_fault_while_the_report_is_renewed_hides_nothing(office: Office, give: Give) -> None:
    """What was settled is said, and why its report was not renewed."""
    in_doubt(office, give, "closed-after-creating")
    office.source.write_text("Otra;Cosa\n1;2\n", "utf-8")
    result = give(office.settle())
    assert result.status == 0
    assert "Settled: 1 row is created" in result.out
    assert "its report was not renewed" in result.out


def test_programs_get_the_same(office: Office, give: Give) -> None:
    """`--json` has each row that is left, its number, until when, and the steps."""
    in_flight(office, give)
    settled = give(office.settle("--json")).json["settled"][0]
    assert [row["state"] for row in settled["left"]] == ["sending", "sending"]
    assert sorted(settled["rows"].values()) == [3, 4]
    assert datetime.fromisoformat(settled["left"][0]["until"]) > datetime.now(UTC)
    assert "--wait" in settled["steps"][0]
    assert Path(str(office.report)).exists() is False


def test_rows_of_several_sheets_are_named_with_their_sheet(office: Office, give: Give) -> None:
    """Row numbers repeat from sheet to sheet; what is left is told of the import, not of the row that was decided."""
    other = office.folder / "enero.csv"
    for path, fault in ((other, ("nth=2",)), (office.source, ("nth=1", "nth=2"))):
        office.write(ticket(n) for n in range(1 if path == other else 5, 5 if path == other else 9))
        if path == other:
            office.source.rename(other)
        office.sandbox.inject(*(f"closed-without-creating:{which}" for which in fault))
        words = run(office)
        assert give([words[0], str(path), *words[2:]]).status == 4
    office.sandbox.inject()
    end_leases(office.journal, ago=200)
    reference = str(office.reported().set_index("row")["reference"]["2"])
    left = give(office.settle("--by-hand", reference, "--not-created"))
    assert "office: Settled: 1 row is planned." in left.out
    assert "office: 2 rows are still in doubt." in left.out
    assert "  tickets.csv, row 3 (WCI-" in left.out
    assert "  enero.csv, row 3 (WCI-" in left.out


def test_c58_without_a_token_a_deleted_case_is_recorded_unasked(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The person's word counts where the CRM cannot be asked, which is said; nothing is asked."""
    office.write([ticket(1)])
    assert give(run(office)).status == 0
    monkeypatch.delenv("WOLKVOX_TOKEN")
    queries = office.sandbox.calls("query")
    result = give(office.settle("--by-hand", "1", "--deleted"))
    assert (result.status, office.sandbox.calls("query")) == (0, queries)
    assert "The CRM was not asked for" in result.out
    assert "planned again" in result.out


NO_PROOF: tuple[tuple[dict[str, Any], str, int], ...] = (
    ({}, "server-error:call=query", 3),
    ({}, "html-answer:call=query", 3),
    ({}, "unauthorized:call=query", 5),
    ({"nothing_found": "404"}, "", 3),
    ({"nothing_found": "null"}, "", 3),
    ({"nothing_found": "bare-list"}, "", 3),
)
"""How a CRM may answer so that it does not say that it has no such case, and the exit status."""


def test_c58_an_answer_that_proves_nothing_records_no_case_as_deleted(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The CRM could be asked, but does not say that it has no such case: nothing is recorded, and it is to be tried."""
    office.write([ticket(1)])
    assert give(run(office)).status == 0
    office.sandbox.store.delete(1)
    for search, fault, status in NO_PROOF:
        monkeypatch.setattr(office.sandbox._app.state.crm, "config", SandboxConfig(search=Search(**search)))
        office.sandbox.inject(*filter(None, [fault]))
        result = give(office.settle("--by-hand", "1", "--deleted"))
        assert (result.status, "Nothing was recorded; try again" in result.err) == (status, True), (search, fault)
        assert "does not show it" not in result.out + result.err
    monkeypatch.setattr(Crm, "query_cases", lambda *_asked: Found(({"wolkvox_id": "64cb"},), believed=True))
    result = give(office.settle("--by-hand", "1", "--deleted"))
    assert (result.status, "it shows other cases" in result.err) == (3, True)
    with closing(sqlite3.connect(office.journal)) as database:
        assert database.execute("SELECT state FROM rows").fetchall() == [("created",)]
