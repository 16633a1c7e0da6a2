"""An office whose mapping updates cases, and whose tenant is known to leave alone what an update does not send."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import promise_support
from promise_support import select
from run_support import MAPPING, Give, Office, Result, ticket

from importer.identity import tenant_of
from importer.journal_place import folder_of
from importer.workflow.tenant_facts import Findings

UPDATING = MAPPING + "on_change: update\n"
SOLVED = {"Estado": "Cerrado", "Solución": "Listo"}


def know_updates(office: Office, *, keeps_absent: bool | None = True, folder: Path | None = None) -> None:
    """Write what the doctor would learn about updates in the simulated CRM."""
    found = Findings(tenant_of(office.sandbox.url), "demo", datetime.now(UTC), "case-importer", "email contact")
    findings = Findings(**{**_fields(found), "update_keeps_absent": keeps_absent})
    findings.save(folder or folder_of(office.journal))


def _fields(findings: Findings) -> dict[str, object]:
    return {name: getattr(findings, name) for name in Findings.__dataclass_fields__ if name != "version"}


def update_states(office: Office) -> list[object]:
    """Return the states of all updates in the journal of an office."""
    return [state for (state,) in select(office.journal, "SELECT state FROM updates ORDER BY id")]


def end_leases(office: Office) -> None:
    """Set the leases and deadlines of all updates to long ago, instead of waiting for them."""
    promise_support.end_leases(office.journal, 1_000.0, ["updates"])


@dataclass
class Weekly:
    """An office that runs the same sheet again after it was edited."""

    office: Office
    give: Give

    def begin(
        self, rows: Iterable[dict[str, str]], mapping: str = UPDATING, *, keeps_absent: bool | None = True
    ) -> Result:
        """Create the cases of a first sheet."""
        self.office.mapping.write_text(mapping, "utf-8")
        self.office.write(rows)
        know_updates(self.office, keeps_absent=keeps_absent)
        return self.run(read=False)

    def edit(self, rows: Iterable[dict[str, str]]) -> None:
        """Write the sheet as it is now."""
        self.office.write(rows)

    def run(self, *more: str, read: bool = True) -> Result:
        """Run the sheet; a report that nobody reads is one that takes little time."""
        report = () if read else ("--report", str(self.office.folder / "unread.csv"))
        return self.give(self.office.arguments("run", "--yes", "--json", "--concurrency", "1", *report, *more))

    @property
    def updates(self) -> int:
        """How many updates the simulated CRM has answered."""
        return self.office.sandbox.calls("update")

    def statuses(self) -> list[str]:
        """Return the statuses of the cases in the simulated CRM, in the order of their creation."""
        return [str(case.body["status"]) for case in self.office.sandbox.store.cases]

    def edits(self, ended: Result) -> dict[int, str]:
        """Return what becomes of each edited ticket."""
        return {change["row"] - 1: change["state"] for change in ended.json["changes"]}

    def delete(self, number: int) -> None:
        """Delete the case of a ticket in the simulated CRM."""
        self.office.sandbox.store.delete(self.office.sandbox.store.cases[number - 1].number)

    def end_leases(self) -> None:
        """Set the leases and deadlines of all updates to long ago."""
        end_leases(self.office)

    def states(self) -> list[object]:
        """Return the states of all updates in the journal."""
        return update_states(self.office)


def tickets(numbers: Iterable[int], **changed: str) -> list[dict[str, str]]:
    """Return valid rows."""
    return [ticket(number, **changed) for number in numbers]
