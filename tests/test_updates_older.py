"""Reports of an earlier week that are given back after the sheet of a later week has updated their cases."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from openpyxl import load_workbook
from run_support import Office, ticket
from updates_support import SOLVED, UPDATING, end_leases, know_updates, tickets

from importer import Connection, EventInterface, Job, check, load_job, rebuild_report, run
from importer.workflow.outcome.outcome import Finished

WRONG = {"Correo": "sin correo"}
MOVED = {"Prioridad": "Baja"}


@dataclass
class Weeks:
    """An office with a new sheet every week, and the reports of the weeks before."""

    office: Office

    def sheet(self, name: str, rows: Iterable[dict[str, str]]) -> Path:
        """Write the sheet of a week."""
        self.office.write(rows)
        return self.office.source.rename(self.office.folder / name)

    def job(self, source: Path) -> Job:
        """Return the job of a sheet or a report."""
        where = Connection(self.office.sandbox.url, "demo")
        return Job(source, self.office.mapping, where, self.office.journal, concurrency=1)

    def run(self, source: Path, limit: int | None = None) -> Finished:
        """Run a sheet or a report."""
        events: list[object] = []
        return run(load_job(replace(self.job(source), limit=limit)), EventInterface(events.append, agrees=True))

    def priorities(self) -> list[str]:
        """Return the priorities of the cases in the simulated CRM, in the order of their creation."""
        return [str(case.body["priority"]) for case in self.office.sandbox.store.cases]


@pytest.fixture
def weeks(office: Office, monkeypatch: pytest.MonkeyPatch) -> Weeks:
    """Provide an office whose tenant is known to keep what an update does not send."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.mapping.write_text(UPDATING, "utf-8")
    know_updates(office)
    return Weeks(office)


def correct(report: Path | None, changed: Mapping[int, Mapping[str, str]], to: Path | None = None) -> Path:
    """Edit cells of tickets on a report's sheet, and save it, under another name if one is given."""
    assert report
    book = load_workbook(report)
    sheet = book["Report"]
    header = [cell.value for cell in sheet[1]]
    for line in sheet.iter_rows(min_row=2):
        for column, text in changed.get(int(str(line[header.index("Ticket")].value)), {}).items():
            line[header.index(column)].value = text
    book.save(to or report)
    return to or report


def states(ended: Finished) -> dict[int, str]:
    """Return what becomes of each edited ticket."""
    return {row.number - 1: row.change.state for row in ended.plan.edited() if row.change}


def two_weeks(weeks: Weeks) -> Finished:
    """Run a week with a wrong ticket 9, then one in which tickets 3 to 8 have moved on; return how the first ended."""
    first = weeks.run(weeks.sheet("47.csv", [*tickets(range(1, 9)), ticket(9, **WRONG)]))
    second = weeks.run(weeks.sheet("48.csv", [*tickets(range(3, 9), **MOVED), *tickets(range(20, 25))]))
    assert (first.counts.invalid, second.counts.updated_now) == (1, 6)
    return first


def test_c49_a_report_of_an_earlier_week_undoes_no_update(weeks: Weeks) -> None:
    """C49: what a later sheet has updated stays as it is, and what was corrected in the older report is created."""
    report = correct(two_weeks(weeks).report, {9: {"Correo": ticket(9)["Correo"]}})
    before = weeks.priorities()
    ended = weeks.run(report)
    assert (ended.exit_status, ended.counts.created_now, states(ended)) == (1, 1, dict.fromkeys(range(3, 9), "held"))
    assert (weeks.priorities(), weeks.office.sandbox.calls("update")) == ([*before, "Alta"], 6)
    assert ended.report
    shown = weeks.office.reported(ended.report)
    assert shown["message"].str.contains("This report is of run 1, and run 2").sum() == 6


def test_c49_the_report_of_an_older_report_is_as_old(weeks: Weeks) -> None:
    """C49: the report of that run has the older cells still, so that it undoes nothing either; its own edits count."""
    ended = weeks.run(correct(two_weeks(weeks).report, {1: SOLVED, 9: {"Correo": ticket(9)["Correo"]}}))
    assert (ended.counts.created_now, ended.counts.updated_now) == (1, 1)
    again = weeks.run(correct(ended.report, {1: {"Solución": "Otra"}, 9: SOLVED}))
    assert (again.counts.updated_now, states(again)) == (2, dict.fromkeys(range(3, 9), "held"))
    assert weeks.office.sandbox.calls("update") == 9


def test_c49_a_report_that_is_written_later_is_as_old_as_its_sheet(weeks: Weeks) -> None:
    """C49: `report` of an earlier week's sheet tells the run of that sheet, not the newest one."""
    two_weeks(weeks)
    (weeks.office.folder / "47.report.xlsx").unlink()
    report = rebuild_report(load_job(weeks.job(weeks.office.folder / "47.csv"))).report
    assert report
    assert states_before(weeks, report) == dict.fromkeys(range(3, 9), "held")


def test_c49_the_newest_report_updates(weeks: Weeks) -> None:
    """C49: the report of the run that updated a case last updates it when it is edited, as often as it is edited."""
    two_weeks(weeks)
    report = weeks.office.folder / "48.report.xlsx"
    for text in ("Una", "Otra"):
        ended = weeks.run(correct(report, {3: {"Solución": text}}))
        assert (ended.exit_status, ended.counts.updated_now, states(ended)) == (0, 1, {})


def test_c49_a_sheet_whose_run_went_on_is_no_newer(weeks: Weeks) -> None:
    """C49: the first report of a sheet updates cases that a second run of the same sheet has created."""
    sheet = weeks.sheet("47.csv", tickets([1, 2, 3]))
    report = correct(weeks.run(sheet, limit=1).report, {3: SOLVED}, weeks.office.folder / "edited.xlsx")
    assert weeks.run(sheet).counts.created_now == 2
    ended = weeks.run(report)
    assert (ended.exit_status, ended.counts.updated_now, states(ended)) == (0, 1, {})


@pytest.mark.parametrize("fault", ["closed-without-creating:call=update", "forbidden:call=update"])
def test_c49_an_update_that_did_not_arrive_is_newer_too(weeks: Weeks, fault: str) -> None:
    """C49: an older report undoes no update of a case for which a later sheet's next update was lost or not sent."""
    first = weeks.run(weeks.sheet("47.csv", tickets([1, 2])))
    weeks.run(weeks.sheet("48.csv", tickets([1, 2], **MOVED)))
    weeks.office.sandbox.inject(fault)
    weeks.run(weeks.sheet("49.csv", tickets([1, 2], Prioridad="Media")))
    weeks.office.sandbox.inject()
    end_leases(weeks.office)
    assert first.report
    ended = weeks.run(first.report)
    assert (states(ended), weeks.priorities()) == ({1: "held", 2: "held"}, ["Baja"] * 2)


def test_c49_a_report_that_does_not_tell_its_run_updates_as_before(weeks: Weeks) -> None:
    """C49: a report of an older version, without the line about its runs, is read as any other sheet."""
    report = two_weeks(weeks).report
    assert report
    book = load_workbook(report)
    lines = [cell for line in book["Details"].iter_rows() for cell in line if str(cell.value).startswith("WCR-")]
    assert len(lines) == 1
    lines[0].value = None
    book.save(report)
    assert states_before(weeks, report) == dict.fromkeys(range(3, 9), "update")


def states_before(weeks: Weeks, source: Path) -> dict[int, str]:
    """Return what would become of each edited ticket."""
    return {row.number - 1: row.change.state for row in check(load_job(weeks.job(source))).edited() if row.change}
