"""Doubtful rows are settled: by asking the CRM, by hand, from a report; and never too soon."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from openpyxl import load_workbook
from place_support import ask
from promise_support import (
    CONTACT,
    assert_promise,
    assert_report,
    end_leases,
    know_the_search,
    select,
    states,
    stored_rows,
    tickets,
)
from run_support import MAPPING, Give, Office, ticket

from importer.sandbox import RunningSandbox, SandboxConfig, Search, StoredCase
from importer.system import clock

AT_ONCE = ("--quiet-period", "0")


def reporting(office: Office, *more: str) -> list[str]:
    """Return the command line of a run with one worker, so that faults hit the intended rows."""
    return office.arguments("run", "--yes", "--json", "--concurrency", "1", *more)


def run(office: Office, *more: str) -> list[str]:
    """Return the same with a report that takes little time, for where nobody reads it."""
    return reporting(office, "--report", str(office.folder / "r.csv"), *more)


Command = Callable[..., list[str]]


def in_doubt(office: Office, give: Give, *faults: str, rows: int = 5, command: Command = run) -> None:
    """Run rows of one contact into the faults, and let the leases have ended."""
    office.write(tickets(range(1, rows + 1)))
    office.sandbox.inject(*faults)
    assert give(command(office)).status == 4
    office.sandbox.inject()
    end_leases(office.journal)


@pytest.mark.on_both
def test_one_question_serves_all_rows_of_a_contact(office: Office, give: Give) -> None:
    """Three unknown rows of one contact and one of another take two calls; all are found, and the values erased."""
    office.write([*tickets([1, 2, 3]), ticket(4), ticket(5)])
    office.sandbox.inject("html-answer")
    give(run(office, "--limit", "4", "--spot-check", "0"))
    office.sandbox.inject()
    end_leases(office.journal)
    settled = give(office.settle("--json", *AT_ONCE))
    assert (settled.status, settled.json["settled"][0]["created"], office.sandbox.calls("query")) == (0, 4, 2)
    assert select(office.journal, "SELECT DISTINCT search_value FROM attempts") == [(None,)]
    assert select(office.journal, "SELECT DISTINCT how, state FROM verdicts") == [("search", "created")]
    assert give(reporting(office)).status == 0
    assert assert_promise(office) == {"created": 5}
    assert_report(office)


def test_a_question_that_is_refused_keeps_no_other_from_being_asked(office: Office, give: Give) -> None:
    """If `nothing found` is a 404, the rows of the next contact are still found, and the message is shown."""
    with RunningSandbox(SandboxConfig(search=Search(nothing_found="404"))) as terse:
        office.sandbox = terse
        office.write([ticket(1), ticket(2)])
        terse.inject("closed-without-creating:nth=1", "html-answer")
        give(run(office))
        end_leases(office.journal)
        terse.inject()
        settled = give(office.settle(*AT_ONCE))
        assert settled.status == 4
        assert "RECORD NOT FOUND" in settled.out
        assert assert_promise(office) == {"unknown": 1, "created": 1}


def test_a_contact_with_very_many_cases_is_searched_too(office: Office, give: Give) -> None:
    """An answer of some megabytes is read to its end, and the row is found at it."""
    case = {"operation": "demo", "contact": CONTACT, "description": "x" * 20_000, "form": {}}
    for _case in range(150):
        office.sandbox.store.add(case, (), "OLD")
    office.write(tickets([1]))
    office.sandbox.inject("html-answer")
    assert give(run(office)).status == 4
    end_leases(office.journal)
    assert give(office.settle(*AT_ONCE)).status == 0
    assert states(office.journal) == {"created": 1}


def test_a_search_that_finds_nothing_leaves_the_row_unknown(office: Office, give: Give) -> None:
    """Without the doctor's findings nothing is sent again, by any number of runs."""
    in_doubt(office, give, "closed-without-creating:nth=2")
    for _time in range(2):
        assert give(run(office, *AT_ONCE)).status == 4
    assert (states(office.journal)["unknown"], office.sandbox.posts) == (1, 5)


CROWD = "muchos@example.com"
"""A contact with many cases: an answer that is longer than the others shows that those were complete."""


def newer_rows(office: Office, first: int = 6, last: int = 14) -> None:
    """Add rows of another contact to the sheet; their cases will be newer than any doubtful attempt."""
    office.write([*tickets(range(1, first)), *tickets(range(first, last), Correo=CROWD)])


@pytest.mark.on_both
def test_o29_a_verified_search_that_finds_nothing_beside_a_newer_case_lets_the_row_go_again(
    office: Office, give: Give
) -> None:
    """Found nothing where the doctor verified the search, beside a newer case and a longer answer: sent again, once."""
    in_doubt(office, give, "closed-without-creating:nth=2")
    know_the_search(office)
    assert give(office.settle("--quiet-period", "1")).status == 4
    newer_rows(office)
    assert give(run(office)).status == 3  # the new rows are created first, and then the search is believed
    assert select(office.journal, "SELECT count(*) FROM attempts WHERE search_value IS NOT NULL") == [(0,)]
    assert give(run(office)).status == 0
    assert (assert_promise(office), office.sandbox.posts) == ({"created": 13}, 14)


@pytest.mark.parametrize("missing", ["control", "longer answer", "page size", "findings"])
def test_o29_absence_needs_every_proof(office: Office, give: Give, missing: str) -> None:
    """Without a newer case, without a longer answer, with pages that shrank, or without the doctor: still unknown."""
    in_doubt(office, give, "closed-without-creating:nth=2")
    if missing != "findings":
        know_the_search(office, page_size=4 if missing == "page size" else 100_000)
    if missing == "longer answer":
        newer_rows(office, last=8)
    elif missing != "control":
        newer_rows(office)
    assert give(run(office)).status == 4
    assert states(office.journal)["unknown"] == 1


def test_a_case_found_twice_is_a_conflict_for_a_person(office: Office, give: Give) -> None:
    """Two cases with one reference: conflict, never settled by search again, and a person's verdict ends it."""
    in_doubt(office, give, "html-answer:nth=2")
    double = office.sandbox.store.cases[1]
    other = office.sandbox.store.add(double.body, (), "SANDBOX")
    assert give(office.settle(*AT_ONCE)).status == 4
    conflict = next(row for row in stored_rows(office.journal) if row.state == "conflict")
    assert double.wolkvox_id in conflict.message
    assert other.wolkvox_id in conflict.message
    assert give(reporting(office)).status == 4
    assert "conflict" in set(office.reported()["status"])
    assert give(office.settle("--by-hand", "2", "--created", other.wolkvox_id)).status == 0
    assert give(reporting(office)).status == 0
    assert office.reported()["wolkvox_id"][1] == other.wolkvox_id
    assert office.sandbox.posts == 5


@pytest.mark.on_both
def test_by_hand_a_row_is_created_or_not(office: Office, give: Give) -> None:
    """A person's verdicts are recorded with user and time; `not created` is sent again, `created` never."""
    in_doubt(office, give, "html-answer:nth=2", "closed-without-creating:nth=4")
    found = office.sandbox.store.cases[1]
    assert give(office.settle("--by-hand", "2", "--created", found.wolkvox_id)).status == 4
    reference = next(row.reference for row in stored_rows(office.journal) if row.state == "unknown")
    assert give(office.settle("--by-hand", reference.lower(), "--not-created")).status == 0
    verdicts = select(office.journal, "SELECT how, state, user <> '', decided_at > 1e9 FROM verdicts")
    assert verdicts == [("by-hand", "created", 1, 1), ("by-hand", "planned", 1, 1)]
    assert give(run(office)).status == 0
    assert (assert_promise(office), office.sandbox.posts) == ({"created": 5}, 6)


def test_a_verdict_is_for_the_import_of_its_mapping(office: Office, give: Give) -> None:
    """A mapping selects its import even without a server: a verdict never applies to a row of another import."""
    in_doubt(office, give, "html-answer:nth=2")
    other = office.folder / "other.yml"
    other.write_text(office.mapping.read_text("utf-8").replace("import: office", "import: other"), encoding="utf-8")
    words = ["settle", "--journal", str(office.journal), "--by-hand", "2", "--not-created", "-m"]
    refused = give([*words, str(other)])
    assert (refused.status, "no such import" in refused.err) == (2, True)
    assert states(office.journal)["unknown"] == 1
    assert give([*words, str(office.mapping)]).status == 0


def test_half_a_verdict_changes_nothing(office: Office, give: Give) -> None:
    """A verdict on a row that is not in doubt, or an incomplete one, is refused and not recorded."""
    in_doubt(office, give, "html-answer:nth=2", rows=2)
    for words, said in (
        (("--by-hand", "1", "--not-created"), "No doubtful row"),
        (("--by-hand", "2"), "--created ID"),
        (("--by-hand", "2", "--created", " "), "empty"),
        (("--created", "x"), "--by-hand"),
    ):
        refused = give(office.settle(*words))
        assert (refused.status, said in refused.err) == (2, True), words
        assert states(office.journal) == {"created": 1, "unknown": 1}
        assert select(office.journal, "SELECT count(*) FROM verdicts") == [(0,)]


Verdict = tuple[str, StoredCase | None]


def decide(report: Path, verdicts: dict[int, Verdict]) -> None:
    """Fill the sheet `To decide` as a person does in Excel: by row number, the verdict and the case that was found."""
    with closing(load_workbook(report)) as workbook:
        sheet = workbook["To decide"]
        columns = {cell.value: cell.column for cell in sheet[1]}
        for line in range(2, sheet.max_row + 1):
            verdict, case = verdicts.get(sheet.cell(line, columns["row"]).value, (None, None))
            sheet.cell(line, columns["verdict"], verdict)
            sheet.cell(line, columns["wolkvox_id"], case and case.wolkvox_id)
            sheet.cell(line, columns["idPrefijo"], case and case.id_prefijo)
        workbook.save(report)


@pytest.mark.on_both
def test_the_verdicts_of_a_report_are_taken(office: Office, give: Give) -> None:
    """`created` with its id, `not created` without; what is half filled in is named and stays in doubt."""
    in_doubt(
        office,
        give,
        "closed-after-creating:nth=2",
        "closed-without-creating:nth=3",
        "html-answer:nth=4",
        command=reporting,
    )
    found = {case.body["form"]["Subject"]: case for case in office.sandbox.store.cases}
    decide(office.report, {3: ("created", found["Asunto 2"]), 4: ("not created", None), 5: ("created", None)})
    taken = give(office.settle("--json", "--from", str(office.report)))
    assert taken.status == 4
    assert (taken.json["settled"][0]["created"], taken.json["settled"][0]["planned"]) == (1, 1)
    assert taken.json["not_taken"] == [row.reference for row in stored_rows(office.journal) if row.state == "unknown"]
    assert select(office.journal, "SELECT DISTINCT how FROM verdicts") == [("report",)]
    final = give(reporting(office, *AT_ONCE))
    assert final.status == 0
    assert (assert_promise(office), office.sandbox.posts) == ({"created": 5}, 6)
    assert_report(office, Path(final.json["report"]))


def test_the_case_of_another_row_is_no_verdict(office: Office, give: Give) -> None:
    """An id that another row already has is a mistake: refused by hand, listed from a report; nothing changes."""
    in_doubt(office, give, "closed-after-creating:nth=2", command=reporting)
    others = office.sandbox.store.cases[0]
    refused = give(office.settle("--by-hand", "2", "--created", others.wolkvox_id))
    assert refused.status == 2
    assert others.wolkvox_id in refused.err
    decide(office.report, {3: ("created", others)})
    named = give(office.settle("--from", str(office.report)))
    assert named.status == 4
    assert "not recorded" in named.out
    assert assert_promise(office) == {"created": 4, "unknown": 1}


def test_verdicts_that_were_not_taken_yet_stop_no_run(office: Office, give: Give) -> None:
    """A person's id in `To decide` is not a sign of a lost journal: the run says to settle, and sends nothing twice."""
    in_doubt(office, give, "closed-after-creating:nth=2", command=reporting)
    decide(office.report, {3: ("created", office.sandbox.store.cases[1])})
    result = give(reporting(office))
    assert "adopt" not in result.err
    assert "--from" in result.err
    assert office.sandbox.posts == 5


def test_the_quiet_period_counts_from_the_end_of_the_lease(office: Office, give: Give) -> None:
    """Until the lease and the quiet period after it have ended, the CRM is not asked, and the time is shown."""
    office.write(tickets([1, 2]))
    office.sandbox.inject("html-answer:nth=2")
    give(run(office, "--spot-check", "0"))
    assert "Doubtful rows can be searched for in the CRM from" in give(office.settle(*AT_ONCE)).out  # the lease goes on
    end_leases(office.journal, ago=60)
    waiting = give(office.settle("--json")).json["settled"][0]["waiting_until"]
    assert 55 < (datetime.fromisoformat(waiting) - datetime.now(UTC)).total_seconds() <= 60
    assert office.sandbox.calls("query") == 0
    assert give(office.settle("--quiet-period", "30")).status == 0


@pytest.mark.on_both
def test_o19_quiet_periods_begin_anew_after_a_restart(office: Office, give: Give) -> None:
    """It is unknown how long a computer was off: the quiet period starts when its rows are next read."""
    in_doubt(office, give, "html-answer:nth=2", rows=2)
    asked = office.sandbox.calls("query")
    ask(office.journal, "UPDATE attempts SET boot = 'another boot'")
    for _time in range(2):
        assert give(office.settle()).status == 4
    assert office.sandbox.calls("query") == asked
    assert give(office.settle(*AT_ONCE)).status == 0
    assert assert_promise(office) == {"created": 2}


@pytest.mark.parametrize("years", [1, -1])
def test_r21_a_wall_clock_that_is_wrong_moves_no_quiet_period(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch, years: int
) -> None:
    """A year ahead while rows are sent, then right again, or the other way round: the same seconds are waited for."""
    wrong = time.time() + years * 366 * 86_400
    with monkeypatch.context() as patched:
        patched.setattr("importer.journal.journal._CLOCK", clock.Clock(wall=lambda: wrong))
        patched.setattr("importer.journal.journal.Journal.__init__.__defaults__", (clock.Clock(wall=lambda: wrong),))
        in_doubt(office, give, "html-answer:nth=2", rows=2)
        end_leases(office.journal, ago=60)
    waiting = give(office.settle("--json")).json["settled"][0]["waiting_until"]
    assert 55 < (datetime.fromisoformat(waiting) - datetime.now(UTC)).total_seconds() <= 60
    assert give(office.settle("--quiet-period", "30")).status == 0
    assert assert_promise(office) == {"created": 2}


def test_a_short_quiet_period_is_for_loopback_only(office: Office, give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below 120 seconds a real server is refused before any name is looked up or any connection opened."""
    in_doubt(office, give, "html-answer:nth=2", rows=2)

    def no_network(*_arguments: object, **_options: object) -> None:
        raise AssertionError("a connection was tried")

    for name in ("socket.socket.connect", "socket.getaddrinfo", "socket.create_connection"):
        monkeypatch.setattr(name, no_network)
    for words in (run(office), office.settle()):
        words[words.index("--server") + 1] = "crm0001.wolkvox.com"
        refused = give([*words, "--quiet-period", "119"])
        assert refused.status == 2
        assert "--quiet-period 119" in refused.err


def test_r13_the_search_uses_what_was_sent(office: Office, give: Give) -> None:
    """The contact of an unknown row is corrected in the sheet: it is found by the contact that was sent."""
    in_doubt(office, give, "html-answer:nth=2", rows=2)
    office.write([*tickets([1]), *tickets([2], Correo="correcta@example.com")])
    result = give(run(office, *AT_ONCE))
    assert (result.status, result.json["counts"]["changed"]) == (1, 1)
    assert assert_promise(office) == {"created": 2}
    assert {case.body["contact"] for case in office.sandbox.store.cases} == {CONTACT}


@pytest.mark.on_both
def test_r4_edited_while_unknown_and_found_later(office: Office, give: Give) -> None:
    """The row is created and `changed`, without a second POST; a mapping with another search field changes nothing."""
    in_doubt(office, give, "html-answer:nth=2", rows=2)
    office.mapping.write_text(MAPPING.replace("import: office", "import: office\nsearch: owner user"), "utf-8")
    office.write([*tickets([1]), *tickets([2], Detalle="otro")])
    result = give(run(office, *AT_ONCE))
    assert (result.status, result.json["counts"]["created"], result.json["counts"]["changed"]) == (1, 2, 1)
    assert give(run(office)).json["counts"]["changed"] == 1
    assert office.sandbox.posts == 2


def test_without_a_mark_nothing_is_settled_by_search(office: Office, give: Give) -> None:
    """Without `reference` in the mapping a case cannot be identified: that none is found proves nothing."""
    office.write(tickets([1, 2]))
    assert give(run(office)).status == 0
    office.mapping.write_text(MAPPING.replace("reference: description\n", ""), "utf-8")
    know_the_search(office)
    in_doubt(office, give, "html-answer:nth=1", rows=3)
    assert give(office.settle("--quiet-period", "1")).status == 4
    assert give(run(office, "--quiet-period", "1")).status == 4
    assert (office.sandbox.posts, len(office.sandbox.store.cases)) == (3, 3)
