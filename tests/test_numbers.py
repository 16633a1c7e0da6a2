"""Every number that a run shows comes from one place: whatever happened, all of its outputs tell the same."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest
from openpyxl import load_workbook
from promise_support import end_leases
from run_support import MAPPING, Give, Office, ticket

from importer.model import Status
from importer.sandbox import RunningSandbox, SandboxConfig

FAULTS = ("closed-after-creating", "server-error", "closed-without-creating", "blank-ids", "html-answer", "cut-answer")
SKIPPING = MAPPING.replace("  key: Ticket\n", "  key: Ticket\n  skip_if: {Prioridad: Ninguna}\n")


@dataclass(frozen=True)
class Numbers:
    """What one output tells of a run: rows by state, those created in it, those edited since, and its issues."""

    states: dict[str, int]
    created_now: int
    changed: int | None = None
    issues: int | None = None


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Give an office whose CRM knows the contacts of the first forty tickets."""
    contacts = tuple(f"cliente{number}@example.com" for number in range(1, 41))
    with RunningSandbox(config=SandboxConfig(contacts=contacts)) as sandbox:
        made = Office(tmp_path, sandbox)
        made.mapping.write_text(SKIPPING, "utf-8")
        yield made


def some_tickets(random: Random) -> list[dict[str, str]]:
    """Return rows of every kind: right ones, some with one or two faults, some that the CRM refuses, some to skip."""
    rows = []
    for number in range(1, random.randint(12, 30)):
        changes: dict[str, str] = {}
        match random.randrange(8):
            case 0:
                changes = {"Correo": "nobody"}
            case 1:
                changes = {"Estado": "Cerrado", "Prioridad": "Urgente"}
            case 2:
                changes = {"Correo": f"nuevo{number}@example.com"}
            case 3:
                changes = {"Prioridad": "Ninguna"}
        rows.append(ticket(number, **changes))
    return rows


def edited(rows: list[dict[str, str]], random: Random) -> list[dict[str, str]]:
    """Return the rows as somebody left them: some corrected, some edited for no reason, one added."""
    changed = [row | {"Detalle": "Otra cosa"} if random.random() < 0.2 else row for row in rows]
    corrected = [row | {"Correo": "cliente1@example.com"} if random.random() < 0.3 else row for row in changed]
    return [*corrected, ticket(40)]


def told_by_json(result: dict[str, Any]) -> Numbers:
    """Read the one object that --json prints; a reason is an issue where its row is to be corrected."""
    counts = Counter(result["counts"])
    issues = sum(reason["status"] in {"invalid", "rejected"} for reason in result["reasons"])
    states = {status.value: counts[status] for status in Status}
    assert result["rows"] == sum(states.values())
    assert result["created_now"] == counts["created_now"]
    return Numbers(states, counts["created_now"], counts["changed"], issues)


def told_by_tallies(tallies: dict[str, int], issues: int, changed: int) -> Numbers:
    """Put together what Summary and the page show: what was created is told in two."""
    states = {status.value: tallies.get(status, 0) for status in Status}
    states["created"] = tallies["created in this run"] + tallies["created before"]
    assert tallies["all rows"] == sum(states.values())
    return Numbers(states, tallies["created in this run"], changed, issues)


def told_by_workbook(path: Path) -> Numbers:
    """Read the sheets `Summary` and `Issues`, and hold `To decide` to them."""
    workbook = load_workbook(path)
    tallies = {line[0].value: line[1].value for line in workbook["Summary"] if isinstance(line[1].value, int)}
    doubtful = workbook["To decide"].max_row - 1 if "To decide" in workbook else 0
    assert doubtful == tallies["unknown"] + tallies["conflict"]
    return told_by_tallies(tallies, workbook["Issues"].max_row - 1, tallies.get("of these, changed", 0))


def told_by_rows(table: pd.DataFrame) -> Numbers:
    """Count the lines of a report."""
    states = Counter(table["status"])
    said = table["message"]
    changed = said.str.contains("Edited after its case was created").sum()
    return Numbers(
        {status.value: states[status] for status in Status},
        int(said.str.contains("Created in this run").sum()),
        int(changed),
    )


def told_by_page(page: str) -> Numbers:
    """Read the outcomes of the page, and how often each group of issues stands in it."""
    found = re.findall(r'<th scope="row">(?:<span[^>]*>)?([^<]+)(?:</span>)?</th>\s*<td class="number">(\d+)<', page)
    often = re.findall(r'<td data-name="How often" class="number">(\d+)<', page)
    changed = re.search(r"(\d+) created rows? w", page)
    tallies = {name: int(number) for name, number in found}
    return told_by_tallies(tallies, sum(map(int, often)), int(changed[1]) if changed else 0)


def told_by_history(office: Office, give: Give, run: int) -> tuple[Numbers, dict[str, Any]]:
    """Read what the journal has of a run, in the list and by its number."""
    where = ["--journal", str(office.journal), "--json"]
    listed = next(each for each in give(["history", *where]).json["runs"] if each["id"] == run)
    shown = give(["history", str(run), *where]).json
    assert shown["run"] == listed
    created = [row for row in shown["rows"] if row["state"] == "created" and row["run"] == run]
    assert len({row["reference"] for row in created}) == listed["created_now"]
    states = {status.value: listed["counts"][status] for status in Status}
    return Numbers(states, listed["created_now"], listed["counts"]["changed"]), listed


def assert_agreement(office: Office, give: Give, *more: str) -> Numbers:
    """Run, and hold every output of the run to what --json says."""
    result = give(office.arguments("run", "--yes", "--json", "--html", "--quiet-period", "0", *more)).json
    said = told_by_json(result)
    assert told_by_workbook(office.report) == said
    assert told_by_page(office.report.with_suffix(".html").read_text("utf-8")) == said
    rows = Numbers(said.states, said.created_now, said.changed)
    assert told_by_rows(office.reported()) == rows
    history, listed = told_by_history(office, give, result["run"])
    assert history == rows
    assert (listed["calls"], listed["exit_status"]) == (result["calls"], result["exit_status"])
    table = office.folder / "again.csv"
    rebuilt = told_by_json(give(office.arguments("report", "--json", "--report", str(table))).json)
    lines = told_by_rows(pd.read_csv(table, dtype=str, keep_default_na=False))
    assert replace(lines, issues=rebuilt.issues) == rebuilt
    assert "--only" in more or replace(rebuilt, created_now=said.created_now) == said
    return said


@pytest.mark.parametrize("seed", range(6))
def test_every_output_of_a_run_tells_the_same_numbers(office: Office, give: Give, seed: int) -> None:
    """Created, invalid, rejected, unknown, skipped and changed rows, settled and limited ones, in four runs."""
    random = Random(seed)  # noqa: S311 - the same runs every time
    rows = some_tickets(random)
    office.write(rows)
    office.sandbox.inject(*(f"{fault}:rate=0.15,seed={seed}" for fault in random.sample(FAULTS, 3)))
    assert_agreement(office, give, *random.choice([(), ("--limit", "7")]))
    office.write(edited(rows, random))
    assert_agreement(office, give)
    end_leases(office.journal)
    office.sandbox.inject()
    assert_agreement(office, give, "--only", "invalid,rejected,unknown")
    end_leases(office.journal)
    assert_agreement(office, give, "--retry-rejected")


def test_the_runs_above_come_to_every_end(office: Office, give: Give) -> None:
    """One of them holds rows of every kind at once, so that agreement is no agreement of zeros."""
    office.write(
        [
            ticket(1),
            ticket(2, Correo="nobody"),
            ticket(3, Correo="nuevo@example.com"),
            ticket(4, Prioridad="Ninguna"),
            *map(ticket, range(5, 9)),
        ]
    )
    office.sandbox.inject("blank-ids:nth=3")
    first = assert_agreement(office, give, "--limit", "4", "--concurrency", "1")
    assert first.states == dict.fromkeys(Status, 0) | {
        "invalid": 1,
        "skipped": 1,
        "planned": 2,
        "created": 2,
        "rejected": 1,
        "unknown": 1,
    }
    issues = load_workbook(office.report)["Issues"]
    assert [cell.value for cell in issues["F"][1:]] == ["bad-email", "rejected"]
    assert issues["D3"].value.startswith("Rejected by the CRM: CONTACT DOES NOT EXIST")


def test_history_tells_what_a_run_changed(office: Office, give: Give) -> None:
    """By state, how, and reference: what was sent by a run, and what was settled since the run before it."""
    office.write([ticket(1), ticket(2), ticket(3, Correo="nuevo@example.com")])
    office.sandbox.inject("blank-ids:nth=2")
    give(office.arguments("run", "--yes", "--concurrency", "1"))
    end_leases(office.journal)
    assert give(office.settle("--quiet-period", "0")).status == 0
    office.write([ticket(1), ticket(2), ticket(3, Correo="cliente3@example.com"), ticket(4)])
    give(office.arguments("run", "--yes", "--concurrency", "1"))
    where = ["--journal", str(office.journal)]
    references = {case.body["form"]["Subject"]: case.reference for case in office.sandbox.store.cases}
    first, second = (give(["history", number, "--json", *where]).json for number in "12")
    assert (first["before"], first["counts_changed"]) == (None, {})
    assert [(row["state"], row["how"]) for row in first["rows"]] == [
        ("created", "sent"),
        ("unknown", "sent"),
        ("rejected", "sent"),
    ]
    assert second["before"] == first["run"]
    assert second["counts_changed"] == {"created": 3, "rejected": -1, "unknown": -1}
    assert [(row["reference"], row["state"], row["how"]) for row in second["rows"]] == [
        (references["Asunto 2"], "created", "search"),
        (references["Asunto 3"], "created", "sent"),
        (references["Asunto 4"], "created", "sent"),
    ]
    shown = give(["history", "2", *where]).out
    assert "Since run 1: created +3, rejected -1, unknown -1" in shown
    assert "created (search): 1 row\n  " + references["Asunto 2"] in shown
    assert "created (sent): 2 rows" in shown


def test_history_of_no_such_run(office: Office, give: Give) -> None:
    """A number that no run has is said in a sentence."""
    office.write([ticket(1)])
    give(office.arguments("run", "--yes"))
    result = give(["history", "7", "--journal", str(office.journal)])
    assert (result.status, "There is no run 7" in result.err) == (2, True)
