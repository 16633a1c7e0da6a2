"""Every number of a run comes from one place: all outputs show the same numbers, whatever happened."""

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
from openpyxl import Workbook, load_workbook
from promise_support import end_leases, settle_rows
from run_support import MAPPING, Give, Office, ticket

from importer.model import Status
from importer.sandbox import RunningSandbox, SandboxConfig

FAULTS = ("closed-after-creating", "server-error", "closed-without-creating", "blank-ids", "html-answer", "cut-answer")
SKIPPING = MAPPING.replace("  key: Ticket\n", "  key: Ticket\n  skip_if: {Prioridad: Ninguna}\n")


@dataclass(frozen=True)
class Numbers:
    """What one output shows of a run: rows by state, rows created in it, rows edited since, and issues."""

    states: dict[str, int]
    created_now: int
    changed: int | None = None
    issues: int | None = None


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Provide an office whose CRM knows the contacts of the first forty tickets."""
    contacts = tuple(f"cliente{number}@example.com" for number in range(1, 41))
    with RunningSandbox(config=SandboxConfig(contacts=contacts)) as sandbox:
        made = Office(tmp_path, sandbox)
        made.mapping.write_text(SKIPPING, "utf-8")
        yield made


def some_tickets(random: Random) -> list[dict[str, str]]:
    """Return rows of every kind: valid, with one or two faults, rejected by the CRM, and skipped."""
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
    """Return the rows after edits: some corrected, some changed for no reason, one added."""
    changed = [row | {"Detalle": "Otra cosa"} if random.random() < 0.2 else row for row in rows]
    corrected = [row | {"Correo": "cliente1@example.com"} if random.random() < 0.3 else row for row in changed]
    return [*corrected, ticket(40)]


def numbers_of_json(result: dict[str, Any]) -> Numbers:
    """Read the object that --json prints; a reason is an issue if its row needs correcting."""
    counts = Counter(result["counts"])
    issues = sum(reason["status"] in {"invalid", "rejected"} for reason in result["reasons"])
    states = {status.value: counts[status] for status in Status}
    assert result["rows"] == sum(states.values())
    assert result["created_now"] == counts["created_now"]
    return Numbers(states, counts["created_now"], counts["changed"], issues)


def numbers_of_tallies(tallies: dict[str, int], issues: int) -> Numbers:
    """Combine what Summary and the page show; they split the created rows into three numbers."""
    states = {status.value: tallies.get(status, 0) for status in Status}
    states["created"] = tallies["created in this run"] + tallies["created before"] + tallies["changed"]
    assert tallies["all rows"] == sum(states.values())
    return Numbers(states, tallies["created in this run"], tallies["changed"], issues)


def numbers_of_workbook(workbook: Workbook) -> Numbers:
    """Read the sheets `Summary` and `Issues`, and check `To decide` against them."""
    lines = reversed(list(workbook["Summary"]))  # the states are the first table
    tallies = {line[0].value: line[1].value for line in lines if isinstance(line[1].value, int)}
    doubtful = workbook["To decide"].max_row - 1 if "To decide" in workbook else 0
    assert doubtful == tallies["unknown"] + tallies["conflict"]
    return numbers_of_tallies(tallies, workbook["Issues"].max_row - 1)


def numbers_of_rows(table: pd.DataFrame) -> Numbers:
    """Count the rows of a report."""
    states = Counter(table["status"])
    changed = states.pop("changed", 0)
    states["created"] += changed
    now = table["message"].str.contains("Created in this run").sum()
    return Numbers({status.value: states[status] for status in Status}, int(now), changed)


def numbers_of_page(page: str) -> Numbers:
    """Read the outcomes from the page, and how often each group of issues occurs."""
    found = re.findall(r'<th scope="row">(?:<span[^>]*>)?([^<]+)(?:</span>)?</th>\s*<td class="number">(\d+)<', page)
    often = re.findall(r'<td data-name="How often" class="number">(\d+)<', page)
    tallies = {name: int(number) for name, number in reversed(found)}  # the states are the first table
    return numbers_of_tallies(tallies, sum(map(int, often)))


def numbers_of_history(office: Office, give: Give, run: int) -> tuple[Numbers, dict[str, Any]]:
    """Read what `history` shows of a run, in the list and by its number."""
    where = ["--journal", str(office.journal), "--json"]
    listed = next(each for each in give(["history", *where]).json["runs"] if each["id"] == run)
    shown = give(["history", str(run), *where]).json
    assert shown["run"] == listed
    created = [row for row in shown["rows"] if row["state"] == "created" and row["run"] == run]
    assert len({row["reference"] for row in created}) == listed["created_now"]
    states = {status.value: listed["counts"][status] for status in Status}
    return Numbers(states, listed["created_now"], listed["counts"]["changed"]), listed


def assert_agreement(office: Office, give: Give, *more: str) -> Numbers:
    """Run, and compare every output of the run with --json."""
    result = give(office.arguments("run", "--yes", "--json", "--html", "--quiet-period", "0", *more)).json
    expected = numbers_of_json(result)
    workbook = load_workbook(office.report)
    shown = numbers_of_workbook(workbook)  # of the whole source, whatever was selected
    assert shown == expected or "--only" in more
    assert numbers_of_page(office.report.with_suffix(".html").read_text("utf-8")) == shown
    rows = Numbers(expected.states, expected.created_now, expected.changed)
    header, *lines = ([cell or "" for cell in line] for line in workbook["Report"].iter_rows(values_only=True))
    table = pd.DataFrame(lines, columns=header)
    assert numbers_of_rows(table) == Numbers(shown.states, shown.created_now, shown.changed)
    history, listed = numbers_of_history(office, give, result["run"])
    assert history == rows
    assert (listed["calls"], listed["exit_status"]) == (result["calls"], result["exit_status"])
    again = office.folder / "again.csv"
    rebuilt = numbers_of_json(give(office.arguments("report", "--json", "--report", str(again))).json)
    listed_again = numbers_of_rows(pd.read_csv(again, dtype=str, keep_default_na=False))
    assert replace(listed_again, issues=rebuilt.issues) == rebuilt
    assert replace(rebuilt, created_now=shown.created_now) == shown
    return expected


@pytest.mark.parametrize("seed", [2, 5])  # between them, with every fault, with a limit and without
def test_every_output_of_a_run_tells_the_same_numbers(office: Office, give: Give, seed: int) -> None:
    """Four runs with rows in all states, settled rows and limits show the same numbers everywhere."""
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
    """One run has rows in every state at once, so the outputs do not merely agree on zeros."""
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
    """`history` shows what a run sent and what was settled since the run before, by state, how and reference."""
    office.write([ticket(1), ticket(2), ticket(3, Correo="nuevo@example.com")])
    office.sandbox.inject("blank-ids:nth=2")
    give(office.arguments("run", "--yes", "--concurrency", "1"))
    end_leases(office.journal)
    assert settle_rows(office, office.sandbox.url).status == 0
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
    """A number without a run gets a clear sentence."""
    office.write([ticket(1)])
    give(office.arguments("run", "--yes"))
    result = give(["history", "7", "--journal", str(office.journal)])
    assert (result.status, "There is no run 7" in result.err) == (2, True)
