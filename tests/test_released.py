"""Files of a released version work with this one: no POST, no row changed, the same references and ids.

`tests/released/make.py` says how the files were made. Each test works on a copy.
"""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest
from released_support import RELEASED, Served, served
from run_support import Give, Result

EXTRA: dict[str, tuple[str, ...]] = {"run": ("--moved-here",), "report": (), "adopt": (), "settle": ()}
"""Options that each command needs now and the released version did not, such as the answer to a question."""

LATER_NAMES = {"part": "skipped", "changed": "created"}
"""States that had other names in the released version."""

RUN_TWICE = {"tickets", "radicados"}
"""One import of each release whose sheet is run again after its report is one of this version."""

Facts = dict[str, Any]


IMPORTS = {
    (file.parent, name): facts
    for file in sorted(RELEASED.glob("*/expected.json"))
    for name, facts in json.loads(file.read_text("utf-8"))["imports"].items()
}
"""What each release recorded about its imports, by the release's folder and the import's name."""


def imports(*, with_backup: bool = False) -> pytest.MarkDecorator:
    """Repeat a test for each import of each release, or only for those with a written-back workbook."""
    chosen = [key for key, facts in IMPORTS.items() if "backup" in facts or not with_backup]
    return pytest.mark.parametrize(
        ("release", "name"), chosen, ids=[f"{release.name}-{name}" for release, name in chosen]
    )


EVERY_IMPORT = imports()
EVERY_WORKBOOK = imports(with_backup=True)
EVERY_RELEASE = pytest.mark.parametrize("release", sorted(RELEASED.glob("[0-9]*")), ids=lambda path: path.name)


@dataclass
class ReleaseCopy:
    """A copy of a release's files, the test's folder, and a simulated CRM that has none of the release's cases."""

    release: Path
    give: Give
    crm: Served

    def facts(self, name: str) -> Facts:
        """Return what the release recorded about one of its imports."""
        return IMPORTS[self.release, name]

    def in_flight(self) -> Facts:
        """Return what the release recorded about the journal whose run was killed."""
        found: Facts = json.loads(Path("expected.json").read_text("utf-8"))["in_flight"]
        return found

    def assert_adopts(self, name: str, report: str, journal: str) -> None:
        """Assert that a new journal which adopts a report has the release's references, ids and doubtful rows."""
        facts = self.facts(name)
        result = self.call("adopt", report, facts["mapping"], journal=journal)
        assert result.status == 0, result
        had, has = released_rows(facts), journal_rows(Path(journal), name)
        assert ids_by_reference(has) == ids_by_reference(had)
        assert doubtful_states(has) == doubtful_states(had)
        assert len(has) == len(ids_by_reference(had)) + len(doubtful_states(had))

    def run(self, source: str, facts: Facts, *more: str, journal: str = "journal.db") -> Result:
        """Execute a run that asks nothing."""
        return self.call("run", source, facts["mapping"], "--yes", *more, journal=journal)

    def call(self, command: str, source: str, mapping: str, *more: str, journal: str) -> Result:
        """Execute a command on a source and a mapping, and return its JSON."""
        words = [command, source, "-m", mapping, "--journal", journal, "--json", *self.crm.connection]
        return self.give([*words, *more, *EXTRA[command]])

    def settle(self, mapping: str, journal: str) -> Result:
        """Search the simulated CRM for the doubtful rows of an import."""
        return self.give(
            ["settle", "-m", mapping, "--journal", journal, *self.crm.connection, "--json", *EXTRA["settle"]]
        )

    def assert_continues(self, name: str, source: str, *more: str) -> Result:
        """Assert that a run of this source posts nothing and leaves the import as the release had it.

        An unedited row counts as changed only if the release itself said so for this source.
        """
        facts = self.facts(name)
        result = self.run(source, facts, *more)
        assert result.status in {facts["exit_status"], 1}, result
        counts = result.json["counts"]
        assert (self.crm.sandbox.posts, result.json["created_now"], counts["planned"]) == (0, 0, 0)
        rows, edited = journal_rows(Path("journal.db"), name), changed_references(released_rows(facts))
        assert [row._replace(changed=False) for row in rows] == [
            row._replace(changed=False) for row in released_rows(facts)
        ]
        assert edited <= changed_references(rows) <= edited.union(facts["reports"].get(source, ()))
        assert counts["changed"] == len(changed_references(rows))
        assert result.status == facts["exit_status"] or changed_references(rows) > edited
        return result


@pytest.fixture
def copied(release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, give: Give) -> Iterator[ReleaseCopy]:
    """Provide a copy of a release, for a user without settings or state of this program."""
    for variable in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "HOME"):
        (tmp_path / variable).mkdir()
        monkeypatch.setenv(variable, str(tmp_path / variable))
    copy = shutil.copytree(release, tmp_path / release.name)
    for file in copy.glob("*.db*"):
        file.chmod(0o600)  # which git does not keep
    monkeypatch.chdir(copy)
    with served(tmp_path) as crm:
        yield ReleaseCopy(release, give, crm)


class Row(NamedTuple):
    """A row as the journal has it."""

    reference: str
    state: str
    changed: bool
    wolkvox_id: str | None
    id_prefijo: str | None


def journal_rows(journal: Path, name: str) -> list[Row]:
    """Return every row of an import in a journal."""
    question = (
        "SELECT reference, state, changed, wolkvox_id, id_prefijo FROM rows JOIN imports ON imports.id = import_id"
        " WHERE name = ? ORDER BY reference"
    )
    with closing(sqlite3.connect(journal)) as database:
        found = database.execute(question, (name,)).fetchall()
    return [Row(*row)._replace(changed=bool(row[2])) for row in found]


def changed_references(rows: Iterable[Row]) -> set[str]:
    """Return the references of the rows that were edited after their cases were created."""
    return {row.reference for row in rows if row.changed}


def ids_by_reference(rows: Iterable[Row]) -> dict[str, tuple[str | None, str | None]]:
    """Return the ids of the rows that have cases, by reference."""
    return {row.reference: (row.wolkvox_id, row.id_prefijo) for row in rows if row.state == "created"}


def doubtful_states(rows: Iterable[Row]) -> set[tuple[str, str]]:
    """Return the state of each doubtful row, by reference."""
    return {(row.reference, row.state) for row in rows if row.state in {"unknown", "conflict"}}


def released_rows(facts: Facts) -> list[Row]:
    """Return the rows of the release's journal, in the form of `journal_rows`."""
    names = ("reference", "state", "changed", "wolkvox_id", "idPrefijo")
    return sorted(Row(*(row[name] for name in names)) for row in facts["rows"])


def report_rows(report: str) -> list[tuple[str, ...]]:
    """Return number, state, ids and reference of each row of a report, without the reference of skipped rows."""
    if report.endswith(".csv"):
        sheet = pd.read_csv(report, dtype=str, keep_default_na=False)
    else:
        sheet = pd.read_excel(report, sheet_name="Report", engine="openpyxl", dtype=str, keep_default_na=False)
    states = sheet["status"].replace(LATER_NAMES)
    references = sheet["reference"].where(states != "skipped", "")
    return list(zip(sheet["row"], states, sheet["wolkvox_id"], sheet["idPrefijo"], references, strict=True))


def test_a_release_has_rows_in_every_state() -> None:
    """The files of a release contain every state and an edited row, so the other tests prove something."""
    rows = [row for facts in IMPORTS.values() for row in released_rows(facts)]
    assert {row.state for row in rows} >= {"created", "invalid", "rejected", "unknown", "conflict"}
    assert len(changed_references(rows)) == 1


@EVERY_IMPORT
def test_the_sheet_of_a_release_runs_on(copied: ReleaseCopy, name: str) -> None:
    """The same command posts nothing, and writes the report again in its place with every row as it was.

    So does the one after it, which finds a report of this version.
    """
    facts = copied.facts(name)
    report = next(iter(facts["reports"]))
    before = report_rows(report)
    for _time in range(2 if name in RUN_TWICE else 1):
        assert copied.assert_continues(name, facts["source"]).json["report"] == report
        assert report_rows(report) == before


@EVERY_IMPORT
def test_the_reports_of_a_release_are_given_back(copied: ReleaseCopy, name: str) -> None:
    """Every report of the release, given back as the source, posts nothing and changes no row."""
    for report in copied.facts(name)["reports"]:
        copied.assert_continues(name, report, "--report", f"{name}/again.csv")


@EVERY_IMPORT
def test_the_reports_of_a_release_are_rebuilt(copied: ReleaseCopy, name: str) -> None:
    """Without the release's own report, `report` writes the same states, references and ids again."""
    facts = copied.facts(name)
    for report in facts["reports"]:
        before = report_rows(report)
        Path(report).unlink()
        result = copied.call("report", facts["source"], facts["mapping"], "--report", report, journal="journal.db")
        assert result.status == facts["exit_status"], result
        assert report_rows(report) == before
    assert journal_rows(Path("journal.db"), name) == released_rows(facts)
    assert copied.crm.sandbox.posts == 0


@EVERY_IMPORT
def test_the_reports_of_a_release_are_adopted(copied: ReleaseCopy, name: str) -> None:
    """A new journal that adopts the release's report has its references and ids, and the same doubtful rows."""
    for number, report in enumerate(copied.facts(name)["reports"]):
        copied.assert_adopts(name, report, f"adopted-{number}.db")


@EVERY_WORKBOOK
def test_the_workbook_that_a_release_wrote_into_runs_on(copied: ReleaseCopy, name: str) -> None:
    """The original workbook and the sheet written back into it post nothing and change no row."""
    facts = copied.facts(name)
    copied.assert_continues(name, facts["backup"], "--report", f"{name}/again.csv")
    read_the_report(Path(facts["mapping"]))
    copied.assert_continues(name, facts["source"], "--report", f"{name}/again.csv")


@EVERY_WORKBOOK
def test_the_workbook_that_a_release_wrote_into_is_adopted(copied: ReleaseCopy, name: str) -> None:
    """A new journal that adopts the written-back sheet has the release's references and ids."""
    facts = copied.facts(name)
    read_the_report(Path(facts["mapping"]))
    copied.assert_adopts(name, facts["source"], "adopted.db")


def read_the_report(mapping: Path) -> None:
    """Make a mapping read the workbook's sheet Report instead of its own sheet."""
    text = mapping.read_text("utf-8")
    changed = re.sub(r"(?m)^  sheet: .+\n  header_row: .+$", "  sheet: Report", text)
    assert changed != text
    mapping.write_text(changed, "utf-8")


@EVERY_RELEASE
def test_a_row_that_a_release_was_sending_is_not_sent_again(copied: ReleaseCopy) -> None:
    """After its lease such a row is unknown, during its lease in flight or unknown, and never planned."""
    facts = copied.in_flight()
    over, running = (row["reference"] for row in facts["rows"] if row["state"] == "sending")
    lease_ends(Path(facts["journal"]), over, time.time() - 600)
    lease_ends(Path(facts["journal"]), running, time.time() + 60)
    result = copied.run(facts["source"], facts, journal=facts["journal"])
    assert result.status == 4, result
    states = {row.reference: row.state for row in journal_rows(Path(facts["journal"]), facts["name"])}
    assert states[over] == "unknown"
    assert states[running] in {"sending", "unknown"}
    assert copied.crm.sandbox.posts == 0


@EVERY_RELEASE
def test_rows_that_a_release_was_sending_become_unknown(copied: ReleaseCopy) -> None:
    """After their leases both `run` and `settle` make them unknown, as long as the CRM finds nothing."""
    facts = copied.in_flight()
    wanted = {row["reference"]: row["state"].replace("sending", "unknown") for row in facts["rows"]}
    for row in facts["rows"]:
        lease_ends(Path(facts["journal"]), row["reference"], time.time() - 600)
    for _time in range(2):
        assert copied.run(facts["source"], facts, journal=facts["journal"]).status == 4
        assert copied.settle(facts["mapping"], facts["journal"]).status == 4
        assert {row.reference: row.state for row in journal_rows(Path(facts["journal"]), facts["name"])} == wanted
    assert copied.crm.sandbox.posts == 0


def lease_ends(journal: Path, reference: str, at: float) -> None:
    """Set the end of the lease of a row's attempt in a journal of the release."""
    change = "UPDATE attempts SET lease_until = ? WHERE id = (SELECT attempt_id FROM rows WHERE reference = ?)"
    with closing(sqlite3.connect(journal)) as database, database:
        assert database.execute(change, (at, reference)).rowcount == 1
