"""Whole runs with odd answers, wrong ids, stopped processes and hasty people: ids stay with their own rows."""

from __future__ import annotations

import json
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest
from odd_crm import Case, OddCrm, success
from openpyxl import load_workbook
from place_support import ask
from promise_support import (
    Order,
    Settled,
    end_leases,
    know_the_search,
    select,
    settle_rows,
    states,
    stored_rows,
    tickets,
    wait_until,
)
from run_support import Give, Office, Result, ticket
from scripted_crm import ScriptedCrm, http

from importer.journal_place import Place
from importer.system import clock
from importer.workflow.jobs.settle_job import ByHand

AT_ONCE = ("--quiet-period", "0")


def run(office: Office, give: Give, server: ScriptedCrm, *more: str) -> Result:
    """Carry out a run with one worker against a server."""
    words = office.arguments("run", "--yes", "--json", "--concurrency", "1", "--spot-check", "0", *more)
    words[words.index("--server") + 1] = server.url
    return give(words)


def settle(office: Office, server: ScriptedCrm, decided: ByHand | Path | None = None) -> Settled:
    """Settle the doubtful rows against a server after the quiet period."""
    end_leases(office.journal)
    return settle_rows(office, server.url, decided)


# ------------------------------------------------------------------------------------------------ answers


def test_o21_an_id_that_another_row_has_stays_with_that_row(office: Office, give: Give) -> None:
    """A proxy that repeats an answer: the holder stays created and disputed, the newcomer unknown, the run pauses."""
    first: list[Case] = []

    def repeating(case: Case, number: int) -> bytes:
        first.append(case)
        return http(200, success(first[0] if number >= 2 else case))

    crm = OddCrm(repeating, records=lambda _found: [])
    office.write(tickets(range(1, 6)))
    with ScriptedCrm(crm) as server:
        result = run(office, give, server)
        assert result.status == 4
        assert len(crm.posted) == 2
        assert crm.cases[0].wolkvox_id in result.json["next"]
        assert [row.reference in result.json["next"] for row in stored_rows(office.journal)[:2]] == [True, True]
        assert select(office.journal, "SELECT state, disputed FROM rows ORDER BY id LIMIT 3") == [
            ("created", 1),
            ("unknown", 0),
            ("planned", 0),
        ]
        crm.answers = lambda case, _number: http(200, success(case))
        crm.records = lambda found: found
        settled = settle(office, server)
        assert (settled.status, settled.results[0].created) == (0, 1)
        assert run(office, give, server).status == 0
    crm.assert_one_case_each(stored_rows(office.journal))
    assert states(office.journal) == {"created": 5}
    assert select(office.journal, "SELECT count(*) FROM rows WHERE disputed") == [(0,)]


@pytest.mark.on_both
def test_o21_an_id_that_was_given_to_the_wrong_row_is_handed_over(office: Office, give: Give) -> None:
    """If the search shows that a disputed id is the newcomer's, it gets the id, and the former holder is in doubt."""
    cases: list[Case] = []

    def ahead(case: Case, number: int) -> bytes:
        """Give the first row the id of the second."""
        cases.append(case)
        return http(200, success(case, wolkvox_id=f"64cb{2:020x}") if number == 1 else success(case))

    crm = OddCrm(ahead)
    office.write(tickets([1, 2]))
    with ScriptedCrm(crm) as server:
        assert run(office, give, server).status == 4
        settle(office, server)
        crm.assert_one_case_each(stored_rows(office.journal))
        assert [row.state for row in stored_rows(office.journal)] == ["unknown", "created"]
        own = crm.cases[0].wolkvox_id
        assert settle(office, server, ByHand("1", own)).status == 0
    crm.assert_one_case_each(stored_rows(office.journal))
    assert states(office.journal) == {"created": 2}


def test_o21_an_id_that_was_only_noted_for_a_row_is_no_other_rows(office: Office, give: Give) -> None:
    """A refusal names a case, and a proxy repeats its id as the success of another row: that row is unknown, too."""
    first: list[Case] = []

    def repeating(case: Case, number: int) -> bytes:
        first.append(case)
        return http(400 if number == 1 else 200, success(first[0]))

    crm = OddCrm(repeating)
    office.write(tickets([1, 2, 3]))
    with ScriptedCrm(crm) as server:
        assert run(office, give, server).status == 4
        crm.assert_one_case_each(stored_rows(office.journal))
        assert "created" not in states(office.journal)
        assert settle(office, server).status == 0
    crm.assert_one_case_each(stored_rows(office.journal))


def test_o21_a_mark_in_the_case_of_another_row_disputes_it(office: Office, give: Give) -> None:
    """Two answers that were swapped: the search of a doubtful row shows whose case the other row has."""
    crm = OddCrm()

    def swapped(case: Case, number: int) -> bytes:
        if number == 1:
            return http(200, success(case, wolkvox_id=f"64cb{2:020x}"))
        return http(502)

    crm.answers = swapped
    office.write(tickets([1, 2]))
    with ScriptedCrm(crm) as server:
        assert run(office, give, server).status == 4
        settle(office, server)
    crm.assert_one_case_each(stored_rows(office.journal))
    assert [row.state for row in stored_rows(office.journal)] == ["unknown", "created"]


@pytest.mark.on_both
def test_o21_a_person_says_whose_case_a_disputed_id_is(office: Office, give: Give) -> None:
    """`--created ID` of another row is refused; with `--instead-of` the id moves, so that no row loses it unnoticed."""
    first: list[Case] = []

    def repeating(case: Case, number: int) -> bytes:
        first.append(case)
        return http(200, success(first[0] if number == 2 else case))

    crm = OddCrm(repeating)
    office.write(tickets([1, 2]))
    with ScriptedCrm(crm) as server:
        run(office, give, server)
        known = crm.cases[0].wolkvox_id
        refused = settle(office, server, ByHand("2", known))
        assert refused.status == 2
        assert "--instead-of" in refused.reason
        taken = settle(office, server, ByHand("2", known, instead_of="1"))
        assert taken.status == 4
    assert select(office.journal, "SELECT state, wolkvox_id FROM rows ORDER BY id") == [
        ("unknown", None),
        ("created", known),
    ]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 302, 500])
def test_o23_an_id_in_a_refusal_makes_the_row_unknown_and_is_found(office: Office, give: Give, status: int) -> None:
    """Whatever its status, a row whose answer names a case is not sent again; settling finds the case by its id."""
    crm = OddCrm(lambda case, number: http(status if number == 1 else 200, success(case) | {"error": "NO"}))
    office.write(tickets([1]))
    with ScriptedCrm(crm) as server:
        assert run(office, give, server).status in {4, 5}
        assert select(office.journal, "SELECT state FROM rows") == [("unknown",)]
        assert select(office.journal, "SELECT wolkvox_id FROM arrived_ids") == [(crm.cases[0].wolkvox_id,)]
        refused = settle(office, server, ByHand("1"))
        assert refused.status == 2
        assert f"--despite {crm.cases[0].wolkvox_id}" in refused.reason
        assert settle(office, server).status == 0
    crm.assert_one_case_each(stored_rows(office.journal))
    assert len(crm.posted) == 1


REFUSALS: tuple[dict[str, object], ...] = (
    {"data": {"wolkvox_id": " ", "idPrefijo": "{prefix}"}},
    {"data": {"idPrefijo": "{prefix}"}},
    {"data": {"idCase": "{number}"}},
    {"data": {"id": "{id}"}},
    {"msg": "case {id} created"},
)
"""What a refusal may name a case by, other than its `wolkvox_id`."""


def test_o23_a_case_that_only_its_number_names_is_found_by_that(office: Office, give: Give) -> None:
    """A refusal with a prefix, a number or an id in its text: not sent again, and found although no value finds it."""
    crm = OddCrm(lambda case, number: _refusing(case, REFUSALS[number - 1]))
    crm.changed = lambda case: {"idCase": case.id_prefijo.removeprefix("CAS-")}
    office.write(tickets(range(1, 6)))
    with ScriptedCrm(crm) as server:
        for _time in range(2):
            assert run(office, give, server).status == 4
            assert (states(office.journal), len(crm.posted)) == ({"unknown": 5}, 5)
        _forget_search_values(office.journal)
        assert settle(office, server).status == 0
    assert (states(office.journal), len(crm.posted)) == ({"created": 5}, 5)
    crm.assert_one_case_each(stored_rows(office.journal))


def _refusing(case: Case, more: dict[str, object]) -> bytes:
    """Return a refusal that names the case by something other than its `wolkvox_id`."""
    text = json.dumps({"code": 400, "error": "NO", **more})
    named = {"prefix": case.id_prefijo, "number": case.id_prefijo.removeprefix("CAS-"), "id": case.wolkvox_id}
    for name, value in named.items():
        text = text.replace(f"{{{name}}}", value)
    return http(400, text)


def _forget_search_values(journal: Place) -> None:
    """Leave only the ids that arrived to search for a row."""
    ask(journal, "UPDATE attempts SET search_value = NULL, search_field = NULL")


@pytest.mark.on_both
def test_o23_not_created_despite_an_id_is_taken_after_a_search(office: Office, give: Give) -> None:
    """The CRM is searched once more: a case that is found counts; if none is, the id is history and the row is sent."""
    wrong = "64cbffffffffffffffffffff"
    crm = OddCrm(
        lambda case, number: http(400, success(case, wolkvox_id=wrong)) if number == 1 else http(200, success(case))
    )
    office.write(tickets([1]))
    with ScriptedCrm(crm) as server:
        run(office, give, server)
        found = crm.cases.pop()
        assert settle(office, server, ByHand("1", despite=(wrong,))).status == 0
        assert states(office.journal) == {"planned": 1}
        assert run(office, give, server).status == 0
    assert select(office.journal, "SELECT wolkvox_id, dismissed FROM arrived_ids ORDER BY id")[0] == (wrong, 1)
    assert crm.ids()[found.reference] == stored_rows(office.journal)[0].wolkvox_id


# ------------------------------------------------------------------------------------------------ time and verdicts


@pytest.mark.skipif(sys.platform == "win32", reason="processes that are stopped, as Unix has them")
@pytest.mark.parametrize(("step", "when"), [("intent-committed", "after"), ("whole-body-sent", "before")])
def test_o27_a_process_that_was_stopped_past_its_lease_sends_nothing(
    office: Office, give: Give, order: Order, step: str, when: str
) -> None:
    """Stopped between its intent and its first byte, continued once another process has sent the row: one case."""
    crm, pid = OddCrm(), office.folder / "pid"
    office.write(tickets([1]))
    with ScriptedCrm(crm) as server, ThreadPoolExecutor(1) as elsewhere:
        words = office.arguments("run", "--yes", "--spot-check", "0", "--report", str(office.folder / "late.xlsx"))
        words[words.index("--server") + 1] = server.url
        late = elsewhere.submit(order, words, step=step, when=when, nth=1, lease=2.0, pid=str(pid))
        try:
            wait_until(lambda: _is_stopped(pid))
            ((ended,),) = select(office.journal, "SELECT lease FROM attempts")
            wait_until(lambda: clock.elapsed() > float(str(ended)))
            assert settle_rows(office, server.url).status == 4
            verdict = settle_rows(office, server.url, ByHand("1"))
            assert verdict.status == 0, verdict
            again = run(office, give, server)
            assert (again.status, len(crm.posted)) == (0, 1), again
            os.kill(int(pid.read_text()), signal.SIGCONT)
            assert late.result(timeout=60) == 0
        finally:
            _kill(int(pid.read_text()))
    assert len(crm.posted) == 1
    crm.assert_one_case_each(stored_rows(office.journal))
    assert states(office.journal) == {"created": 1}


def _kill(pid: int) -> None:
    """Kill a process that may have ended by itself; a stopped one would never end."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _is_stopped(pid: Path) -> bool:
    """Tell whether the process whose id is in a file is stopped; the file may not be there or not be filled yet."""
    written = pid.read_text() if pid.exists() else ""
    return written != "" and psutil.Process(int(written)).status() == psutil.STATUS_STOPPED


def _in_doubt(office: Office, give: Give, server: ScriptedCrm, rows: int = 2) -> None:
    """Run rows of which the first gets a useless answer."""
    office.write(tickets(range(1, rows + 1)))
    run(office, give, server)


def _tells_nothing_first(case: Case, number: int) -> bytes:
    return http(200, "<html></html>" if number == 1 else success(case))


@pytest.mark.parametrize(
    "verdict", [ByHand("1", "64cb00000000000000000001"), ByHand("1")], ids=["created", "not created"]
)
def test_o28_a_verdict_waits_for_the_lease_and_the_quiet_period(office: Office, give: Give, verdict: ByHand) -> None:
    """By hand and from a report: refused with the time from which it can be given; then it is accepted."""
    crm = OddCrm(_tells_nothing_first)
    with ScriptedCrm(crm) as server:
        _in_doubt(office, give, server)
        _decide(office.report, verdict.created)
        for ago, quiet in ((None, 0), (60, 120)):
            if ago is not None:
                end_leases(office.journal, ago=ago)
            refused = settle_rows(office, server.url, verdict, quiet)
            assert refused.status == 2
            assert "may still be created until" in refused.reason
            named = settle_rows(office, server.url, office.report, quiet)
            assert (named.status, len(named.not_taken)) == (4, 1)
        end_leases(office.journal, ago=121)
        assert settle_rows(office, server.url, verdict, 120).status == 0


def _decide(report: Path, created: str | None) -> None:
    """Fill the first line of `To decide` as a person does."""
    with closing(load_workbook(report)) as workbook:
        sheet = workbook["To decide"]
        columns = {cell.value: cell.column for cell in sheet[1]}
        sheet.cell(2, columns["verdict"], "created" if created else "not created")
        if created:
            sheet.cell(2, columns["wolkvox_id"], created)
        workbook.save(report)


@pytest.mark.parametrize("sheet_of", ["today", "0.1.0"])
def test_o28_a_verdict_about_an_earlier_attempt_is_not_taken(office: Office, give: Give, sheet_of: str) -> None:
    """A verdict that was written before the row was sent again does not apply to the new attempt."""
    crm = OddCrm(lambda case, number: http(200, "<html></html>" if number in {1, 2} else success(case)))
    with ScriptedCrm(crm) as server:
        _in_doubt(office, give, server, rows=1)
        old = office.folder / "old.xlsx"
        office.report.rename(old)
        _decide(old, None)
        if sheet_of == "0.1.0":
            _without_attempts(old)
        crm.cases.clear()
        assert settle(office, server, ByHand("1")).status == 0
        _make_attempts_older(office.journal)
        assert run(office, give, server).status == 4  # sent again, and in doubt again
        refused = settle(office, server, old)
        assert refused.status == 4
        assert "earlier attempt" in refused.not_taken[0].reason
        assert states(office.journal) == {"unknown": 1}


def _without_attempts(report: Path) -> None:
    """Remove from `To decide` the column that 0.1.0 did not write."""
    with closing(load_workbook(report)) as workbook:
        sheet = workbook["To decide"]
        sheet.delete_cols({cell.value: cell.column for cell in sheet[1]}["attempt"])
        workbook.save(report)


def _make_attempts_older(journal: Place) -> None:
    """Date everything that was sent so far a minute back: two runs of a test are in the same second."""
    ask(journal, "UPDATE rows SET sent_at = sent_at - 60")


@pytest.mark.on_both
def test_o28_the_same_verdict_twice_is_told_what_is_known(office: Office, give: Give) -> None:
    """The second one is refused: the row is no longer in doubt, and its case is named."""
    crm = OddCrm(_tells_nothing_first)
    with ScriptedCrm(crm) as server:
        _in_doubt(office, give, server)
        known = crm.cases[0].wolkvox_id
        reference = crm.cases[0].reference
        assert settle(office, server, ByHand("1", known)).status == 0
        for verdict in (ByHand("1", known), ByHand("1")):
            refused = settle(office, server, verdict)
            assert refused.status == 2
        _decide_reported(office, reference)
    assert states(office.journal) == {"created": 2}


def _decide_reported(office: Office, reference: str) -> None:
    assert [row.state for row in stored_rows(office.journal) if row.reference == reference] == ["created"]


def test_c58_a_deleted_case_is_looked_for_and_its_row_is_planned_again(office: Office, give: Give) -> None:
    """`--deleted` is refused while the CRM shows the case; then the next run says so, and creates a new one."""
    crm = OddCrm()
    with ScriptedCrm(crm) as server:
        _in_doubt(office, give, server)
        before = states(office.journal)
        end_leases(office.journal)
        deleted = office.settle("--json", *AT_ONCE, "--by-hand", "1", "--deleted")
        deleted[deleted.index("--server") + 1] = server.url
        refused = give(deleted)
        assert (refused.status, states(office.journal)) == (2, before)
        assert f"still shows {crm.cases[0].wolkvox_id}" in refused.err
        gone = crm.cases.pop(0)
        recorded = give(deleted)
        assert (recorded.status, f"was asked for {gone.wolkvox_id}" in recorded.out) == (0, True)
        assert states(office.journal) == {"created": 1, "planned": 1}
        again = run(office, give, server)
    assert (again.status, len(crm.posted)) == (0, 3)
    assert "1 of them had a case that was deleted" in again.err
    assert states(office.journal) == {"created": 2}


# ------------------------------------------------------------------------------------------------ searches


@pytest.mark.parametrize("quoted_in", ["another field", "a reply", "another case's description", "another row's case"])
def test_o30_a_quoted_reference_is_no_hit_and_no_absence(office: Office, give: Give, quoted_in: str) -> None:
    """A reference that is quoted in other records neither makes the row created nor allows to send it again."""
    crm = OddCrm(_tells_nothing_first)

    def quoting(found: list[dict[str, object]]) -> list[dict[str, object]]:
        mark = f"[{crm.posted[0]}]"
        shown = [record for record in found if mark not in str(record["description_case"])]
        for record in shown[-1:]:
            if quoted_in == "another field":
                record["reason"] = mark
            elif quoted_in == "a reply":
                record["replies"] = [{"text": f"Re: {mark}"}]
            elif quoted_in == "another case's description":
                record["description_case"] = f"{record['description_case']}\n> {mark}"
            else:  # a further record of a case that another row has, such as a reply, begins with the mark
                shown.append({**record, "description_case": f"{mark}\nsomething"})
        return shown

    crm.records = quoting
    with ScriptedCrm(crm) as server:
        know_the_search(office, server=server.url)
        _in_doubt(office, give, server, rows=3)
        for _time in range(2):
            assert settle(office, server).status == 4
            crm.assert_one_case_each(stored_rows(office.journal))
        assert run(office, give, server).status == 4
    assert len(crm.posted) == 3
    crm.assert_one_case_each(stored_rows(office.journal))


@pytest.mark.on_both
def test_o30_a_row_that_lost_its_id_by_a_search_is_not_sent_again(office: Office, give: Give) -> None:
    """Someone put the mark of another ticket into the case: a search that finds nothing does not prove its absence."""
    crm = OddCrm(_tells_nothing_first)

    def edited(found: list[dict[str, object]]) -> list[dict[str, object]]:
        shown = [record for record in found if record["wolkvox_id"] != crm.cases[0].wolkvox_id]
        for record in shown:
            if record["wolkvox_id"] == crm.cases[2].wolkvox_id:
                record["description_case"] = f"[{crm.posted[0]}]\nsomething"
        return shown

    crm.records = edited
    with ScriptedCrm(crm) as server:
        know_the_search(office, server=server.url)
        _in_doubt(office, give, server, rows=3)
        settle(office, server)
        assert [row.state for row in stored_rows(office.journal)] == ["created", "created", "unknown"]
        office.write([*tickets([1, 2, 3]), *tickets(range(4, 14), Correo="muchos@example.com")])
        for _time in range(2):  # the new cases are newer, and their answer is longer: all that proves absence
            assert run(office, give, server, *AT_ONCE).status == 4
    assert (len(crm.posted), states(office.journal)) == (13, {"created": 12, "unknown": 1})


def test_o29_a_text_that_comes_cut_proves_no_absence(office: Office, give: Give) -> None:
    """If the search cuts descriptions off before the end of the mark, no row is sent again."""
    crm = OddCrm(_tells_nothing_first)

    def cut(found: list[dict[str, object]]) -> list[dict[str, object]]:
        return [{**record, "description_case": str(record["description_case"])[:12]} for record in found]

    crm.records = cut
    with ScriptedCrm(crm) as server:
        know_the_search(office, server=server.url)
        _in_doubt(office, give, server, rows=3)
        end_leases(office.journal)
        assert run(office, give, server, *AT_ONCE).status == 4
    assert (states(office.journal)["unknown"], len(crm.posted)) == (1, 3)


@pytest.mark.parametrize("known", [False, True])
def test_o31_looking_first_at_a_page_that_may_not_be_whole_sends_nothing(
    office: Office,
    give: Give,
    known: bool,  # noqa: FBT001 - two cases of one test
) -> None:
    """A row that is not on a page is not sent, whether or not the page size is known; it is if the page is empty."""
    crm = OddCrm()
    office.write([*tickets([1, 2, 3]), *tickets([4], Correo="nadie@example.com")])
    with ScriptedCrm(crm) as server:
        run(office, give, server, "--limit", "3")
        for file in (*office.journal.parent.glob("journal.db*"), office.report):
            file.unlink()
        crm.records = lambda found: found[:2]
        if known:
            know_the_search(office, page_size=2, server=server.url)
        result = run(office, give, server, "--look-first", *AT_ONCE)
        assert (result.status, len(crm.posted)) == (4, 4)
        crm.assert_one_case_each(stored_rows(office.journal))
        assert states(office.journal) == {"created": 3, "unknown": 1}
        crm.records = lambda found: found
        know_the_search(office, server=server.url)
        assert run(office, give, server, "--look-first").json["counts"]["created"] == 4


def elsewhere(office: Office, server: ScriptedCrm, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the words of the same run on another computer, which has a state folder and a journal of its own."""
    monkeypatch.setenv("XDG_STATE_HOME", str(office.folder / "other" / "state"))
    words = office.arguments("run", "--yes", "--json")
    words[words.index("--server") + 1] = server.url
    words[words.index("--journal") + 1] = str(office.folder / "other" / "journal.db")
    return words


def test_r15_rows_that_another_computer_sent_are_found_before_the_first_one_goes(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A spot check of three rows, or of all where that is cheap, ends with exit 2, nothing sent, and the ids kept."""
    crm = OddCrm()
    office.write(tickets(range(1, 8)))
    with ScriptedCrm(crm) as server:
        run(office, give, server, "--limit", "4")
        office.report.unlink()
        refused = give(elsewhere(office, server, monkeypatch))
        assert refused.status == 2
        assert "another computer" in refused.json["reason"]
        for way in ("adopt", "--look-first"):
            assert way in refused.json["reason"]
        assert len(crm.posted) == 4
    crm.assert_one_case_each(stored_rows(office.folder / "other" / "journal.db"))


def test_r15_one_refused_question_hides_no_case_that_the_others_show(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A spot check whose search is refused for one contact still finds what another computer sent to the others."""

    class RefusesOne(OddCrm):
        def _search(self, asked: dict[str, Any]) -> dict[str, object]:
            if asked["value"] == "cliente1@example.com":
                return {"code": "400", "error": "SOME PARAMETERS ARE REQUIRED"}
            return super()._search(asked)

    crm = RefusesOne()
    office.write(ticket(number) for number in range(1, 8))
    with ScriptedCrm(crm) as server:
        run(office, give, server, "--limit", "4")
        office.report.unlink()
        refused = give(elsewhere(office, server, monkeypatch))
        assert refused.status == 2
        assert "another computer" in refused.json["reason"]
    assert len(crm.posted) == 4
    crm.assert_one_case_each(stored_rows(office.folder / "other" / "journal.db"))


@pytest.mark.parametrize("lost", ["all of it", "what came after a copy"])
def test_r15_looking_first_waits_until_what_was_sent_last_can_be_found(office: Office, give: Give, lost: str) -> None:
    """Rows of a lost journal may be in doubt, and no search can tell within their quiet period."""
    crm = OddCrm()
    office.write([*tickets([1]), *tickets([2], Correo="otra@example.com")])
    with ScriptedCrm(crm) as server:
        know_the_search(office, server=server.url)
        run(office, give, server, "--limit", "1")
        copy = office.journal.read_bytes()
        run(office, give, server)
        for file in (*office.journal.parent.glob("journal.db*"), office.report):
            file.unlink()
        if lost != "all of it":
            office.journal.write_bytes(copy)
        crm.records = lambda _found: []  # the index is behind
        refused = run(office, give, server, "--look-first")
        assert (refused.status, len(crm.posted)) == (2, 2)
        assert "may still be created until" in refused.json["reason"]
        crm.records = lambda found: found
        assert run(office, give, server, "--look-first", *AT_ONCE).json["counts"]["created"] == 2
    crm.assert_one_case_each(stored_rows(office.journal))


def test_r15_a_rejection_of_an_older_journal_is_looked_for_too(office: Office, give: Give) -> None:
    """A row that an older journal calls rejected may have been sent later: it is found, and not sent."""
    crm = OddCrm(lambda case, number: http(400, {"code": "400", "error": "NO"}) if number == 1 else _good(case))
    office.write(tickets([1, 2]))
    with ScriptedCrm(crm) as server:
        know_the_search(office, server=server.url)
        assert run(office, give, server).status == 1
        crm.cases.pop(0)  # it was refused
        copy = office.journal.read_bytes()
        assert run(office, give, server, "--retry-rejected").status == 0
        for file in office.journal.parent.glob("journal.db*"):
            file.unlink()
        office.report.unlink()
        office.journal.write_bytes(copy)
        assert run(office, give, server, "--look-first", *AT_ONCE).status == 0
        assert run(office, give, server, "--retry-rejected").status == 0
    assert len(crm.posted) == 3
    crm.assert_one_case_each(stored_rows(office.journal))


def _good(case: Case) -> bytes:
    return http(200, success(case))


def test_o31_pages_that_shrank_since_the_doctor_prove_nothing_for_a_look(office: Office, give: Give) -> None:
    """Three cases of one contact, pages of two although the doctor saw fifty: the third row is not sent again."""
    crm = OddCrm()
    office.write(tickets([1, 2, 3]))
    with ScriptedCrm(crm) as server:
        run(office, give, server)
        for file in (*office.journal.parent.glob("journal.db*"), office.report):
            file.unlink()
        know_the_search(office, page_size=50, server=server.url)
        crm.records = lambda found: found[:2]
        assert run(office, give, server, "--look-first", *AT_ONCE).status == 4
    assert (states(office.journal), len(crm.posted)) == ({"created": 2, "unknown": 1}, 3)
    crm.assert_one_case_each(stored_rows(office.journal))


def test_r15_an_import_that_another_computer_sends_is_checked_on_every_run(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Two computers take turns on one sheet: each finds what the other sent, and no row has two cases."""
    crm = OddCrm()
    office.write(tickets(range(1, 5)))
    with ScriptedCrm(crm) as server:
        words = office.arguments("run", "--yes", "--json", "--limit", "2")
        words[words.index("--server") + 1] = server.url
        there = [*words, "--report", str(office.folder / "there.xlsx")]
        there[there.index("--journal") + 1] = str(office.folder / "there" / "journal.db")
        for turn in range(6):
            with monkeypatch.context() as computer:
                computer.setenv("XDG_STATE_HOME", str(tmp_path / f"state {turn % 2}"))
                give(there if turn % 2 else words)
    crm.assert_one_case_each(stored_rows(office.journal))
    crm.assert_one_case_each(stored_rows(office.folder / "there" / "journal.db"))
    assert len(crm.posted) == 4
