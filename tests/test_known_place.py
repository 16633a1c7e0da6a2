"""Commands that are not told where cases go: the journal knows it, and no report ever loses the ids that it shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from promise_support import end_leases
from run_support import Give, Office, ticket
from test_next_steps import commands_in, run
from test_promise_settling import decide

WAYS = ("by-hand", "from", "from with mapping", "report")


def bare(office: Office, command: str, *more: str, journal: bool = True) -> list[str]:
    """Return the words of a command that names neither server nor operation, as the mapping does not either."""
    where = ["--journal", str(office.journal)] if journal else []
    return [command, str(office.source), "-m", str(office.mapping), *where, *more]


def one_in_doubt(office: Office, give: Give) -> str:
    """Run four rows, of which the second is in doubt and long over; return its reference."""
    office.write(ticket(n) for n in range(1, 5))
    office.sandbox.inject("closed-without-creating:nth=2")
    assert give(run(office)).status == 4
    office.sandbox.inject()
    end_leases(office.journal, ago=200)
    return str(office.reported().set_index("row")["reference"]["3"])


@pytest.mark.parametrize("way", WAYS)
def test_the_server_and_operation_of_the_import_are_known_by_the_journal(office: Office, give: Give, way: str) -> None:
    """The report that is renewed has every id, the server, the same references, and steps that name the server."""
    reference = one_in_doubt(office, give)
    before = office.reported()
    journal = ("--journal", str(office.journal))
    if way == "report":
        result = give(bare(office, "report"))
        assert "To decide" in result.out
    elif way == "by-hand":
        result = give(["settle", "--by-hand", reference, "--not-created", *journal])
    else:
        decide(office.report, {3: ("not created", None)})
        mapping = ("-m", str(office.mapping)) if way.endswith("mapping") else ()
        result = give(["settle", "--from", str(office.report), *mapping, *journal])
    assert "Report: " in result.out, result
    written = Path(result.out.split("Report: ")[1].splitlines()[0])
    after = office.reported(office.folder / written)
    assert after["wolkvox_id"].tolist() == before["wolkvox_id"].tolist()
    assert after["reference"].tolist() == before["reference"].tolist()
    assert [words for words in commands_in(result.out) if words[0] != "settle" or "-m" in words]
    assert all(office.sandbox.url in words for words in commands_in(result.out))


def test_check_counts_what_the_journal_knows_without_a_server(office: Office, give: Give) -> None:
    """Rows that are cases are not to be sent, and the next command says where."""
    office.write(ticket(n) for n in range(1, 4))
    give(run(office))
    office.write(ticket(n) for n in range(1, 5))
    result = give(bare(office, "check"))
    assert "1 row is left to send" in result.out
    assert "--operation" in commands_in(result.out)[-1]


def test_several_imports_of_one_name_are_told_apart_by_the_person(office: Office, give: Give) -> None:
    """`report` refuses with the choices and leaves the report; `check` notes that cases are not known."""
    office.write(ticket(n) for n in range(1, 4))
    give(run(office))
    other = run(office, "--new-import", "--first-run")
    other[other.index("demo")] = "second"
    give(other)
    before = office.report.read_bytes()
    refused = give(bare(office, "report"))
    assert refused.status == 2
    assert office.report.read_bytes() == before
    for said in (refused.err, give(bare(office, "check")).out):
        assert "knows several imports named office" in said
        assert all(f"--server {office.sandbox.url} --operation {name}`" in said for name in ("demo", "second"))
    assert "not known which rows have a case" in give(bare(office, "check")).out
    told = give(bare(office, "report", "--operation", "demo"))
    assert "created 3" in told.out


@pytest.mark.parametrize("how", ["mistyped server", "other name"])
def test_a_report_is_not_replaced_by_one_that_lacks_ids_of_it(office: Office, give: Give, how: str) -> None:
    """The new report of an import that the journal does not know takes the next free name, and says why."""
    office.write(ticket(n) for n in range(1, 4))
    give(run(office))
    before = office.report.read_bytes()
    words = office.arguments("report")
    if how == "mistyped server":
        words[words.index("--server") + 1] = "https://crm9999.wolkvox.com"
    else:
        office.mapping.write_text(
            office.mapping.read_text("utf-8").replace("import: office", "import: oficce"), "utf-8"
        )
    result = give(words)
    assert "tickets.report.xlsx shows ids of cases" in result.out
    assert "tickets (2).report.xlsx" in result.out
    assert office.report.read_bytes() == before


def test_a_report_that_gains_rows_and_ids_is_renewed(office: Office, give: Give) -> None:
    """All of its ids are in the new one."""
    office.write([ticket(1), ticket(2)])
    give(run(office))
    office.write([ticket(3), ticket(2), ticket(1)])
    assert "shows ids" not in give(run(office)).out
    assert len(office.reported()) == 3


def test_a_run_without_server_and_operation_names_both(office: Office, give: Give) -> None:
    """The command that it suggests leads on without a second question."""
    office.write([ticket(1)])
    result = give(bare(office, "run"))
    assert result.status == 2
    assert commands_in(result.err)[-1][-4:] == ["--server", "HOST", "--operation", "NAME"]
