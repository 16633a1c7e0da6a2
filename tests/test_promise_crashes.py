"""`kill -9` at every step between plan and report, twice in a row: then run again, and every row is one case."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from crash_child import STEPS
from nursery import Nursery
from promise_support import (
    KILLED,
    Order,
    assert_promise,
    assert_report,
    end_leases,
    select,
    settle_by_person,
    states,
    tickets,
)
from run_support import MAPPING, Give, Office

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes that fork and are killed, as Unix has them")

ROWS = 7
OF_EACH_ROW = {"intent-committed", "first-byte-sent", "whole-body-sent", "answer-read", "outcome-committed"}


def with_attachments(office: Office) -> None:
    """Write rows of one contact with a file each, so that a body has more than one chunk."""
    attachments = "attachments: {folder: ., columns: [Archivo]}\n"
    office.mapping.write_text(MAPPING + attachments, encoding="utf-8")
    (office.folder / "scan.bin").write_bytes(os.urandom(200_000))
    rows = [row | {"Archivo": "scan.bin"} for row in tickets(range(1, ROWS + 1))]
    office.write(rows, rows[0])


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", [step for step in STEPS if step != "verdict-committed"])
def test_o1_killed_twice_at_a_step_and_run_again(
    office: Office, give: Give, order: Order, step: str, when: str
) -> None:
    """Killed before or after a step, at different rows, twice: every row is one case after two more runs, or one."""
    with_attachments(office)
    run = office.arguments("run", "--yes", "--quiet-period", "1")
    nth = 2 if step in OF_EACH_ROW else 1  # of the rows that are left, so another row each time
    assert order(run, step=step, when=when, nth=nth) == KILLED
    once_is_all = (step, when) == ("import-noted", "after")
    assert order(run, step=step, when=when, nth=nth) == (0 if once_is_all else KILLED)
    end_leases(office.journal)
    result = give([*run, "--json"])
    if step in OF_EACH_ROW and result.status == 4:
        end_leases(office.journal)
        settle_by_person(office)  # what was never sent is not found, and no newer case proves that it would be
        result = give([*run, "--json"])
    assert result.status == 0
    assert assert_promise(office) == {"created": ROWS}
    assert_report(office, Path(result.json["report"]))
    assert select(office.journal, "SELECT count(*) FROM attempts WHERE search_value IS NOT NULL") == [(0,)]


@pytest.mark.parametrize("when", ["before", "after"])
def test_o1_killed_while_settling(office: Office, give: Give, order: Order, when: str) -> None:
    """Killed before or after the second row's verdict, twice: settling goes on, and nothing is sent again."""
    office.write(tickets(range(1, ROWS + 1)))
    office.sandbox.inject("html-answer")
    give(office.arguments("run", "--yes", "--limit", str(ROWS - 1)))
    end_leases(office.journal)
    settle = office.settle("--quiet-period", "0")
    for _time in range(2):
        assert order(settle, step="verdict-committed", when=when, nth=2) == KILLED
    assert give(settle).status == 0
    office.sandbox.inject()
    assert give(office.arguments("run", "--yes")).status == 0
    assert (assert_promise(office), office.sandbox.posts) == ({"created": ROWS}, ROWS)


@pytest.mark.parametrize(("step", "sent", "known"), [("intent-committed", 2, 2), ("outcome-committed", 3, 2)])
def test_o14_a_disk_that_fills_up_in_a_run(  # noqa: PLR0917 - two parameters, and fixtures
    office: Office, give: Give, nursery: Nursery, step: str, sent: int, known: int
) -> None:
    """At an intent nothing more is sent; the id of an outcome that finds no room is kept; the next run has all."""
    office.write(tickets(range(1, 400)))
    run = office.arguments("run", "--yes", "--concurrency", "1", "--limit", "20")
    ended = nursery.carry_out(*run, step=step, when="before", nth=3, full=str(office.journal))
    assert ended.status == 3
    assert "Make room" in ended.said
    assert states(office.journal)["created"] == known
    assert office.sandbox.posts == sent
    assert give([*run, "--json"]).json["created_now"] == 20
    assert assert_promise(office)["created"] == office.sandbox.posts == 20 + sent
