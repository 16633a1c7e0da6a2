"""An import that created nothing blocks nobody; and the rows of a run as a list."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from run_support import HEADER, MAPPING, Give, Office, ticket

from importer.sandbox import SandboxConfig

WRONG = SandboxConfig(users=("OTHER_@demo",))
"""A CRM in which no row of these tests has its owner, so that it rejects all of them."""


@contextmanager
def created_nothing(office: Office) -> Iterator[None]:
    """Have the CRM reject every row within the block."""
    crm = office.sandbox._app.state.crm
    right, crm.config = crm.config, WRONG
    yield
    crm.config = right


def in_journal(office: Office, journal: Path) -> list[str]:
    """Return the words of a run with another journal."""
    return [str(journal) if word == str(office.journal) else word for word in office.arguments("run", "--yes")]


def test_c59_another_file_without_a_key(office: Office, give: Give) -> None:
    """Under `key: content` the import is bound to its file once a case of it was made, and not before."""
    office.write([ticket(1)])
    office.mapping.write_text(MAPPING.replace("key: Ticket", "key: content"), "utf-8")
    with created_nothing(office):
        assert give(office.arguments("run", "--yes")).status == 1
    office.write([ticket(2)])
    assert give(office.arguments("run", "--yes")).status == 0
    office.write([ticket(3)])
    refused = give(office.arguments("run", "--yes"))
    assert (refused.status, "bound to the file" in refused.err) == (2, True)


def test_c59_a_key_like_one_that_was_never_sent(office: Office, give: Give) -> None:
    """Keys that differ by zeros are one ticket only where there may be a case."""
    office.write([ticket("007")])
    with created_nothing(office):
        give(office.arguments("run", "--yes"))
    office.write([ticket("7")])
    assert give(office.arguments("run", "--yes")).status == 0
    office.write([ticket("07")])
    assert give(office.arguments("run", "--yes")).status == 1


def test_c59_a_mistyped_operation(office: Office, give: Give) -> None:
    """Of two imports of one name, that which has cases is meant where a command does not say."""
    office.write([ticket(1)])
    with created_nothing(office):
        give(["dmeo" if word == "demo" else word for word in office.arguments("run", "--yes")])
    assert give(office.arguments("run", "--yes")).status == 0
    here = ["report", str(office.source), "-m", str(office.mapping), "--journal", str(office.journal)]
    assert give(here).status == 0


def test_c59_another_journal_that_created_nothing(office: Office, give: Give, tmp_path: Path) -> None:
    """The mark knows its attempts, and the journal that is still there knows that none of them made a case."""
    office.write([ticket(1)])
    with created_nothing(office):
        give(office.arguments("run", "--yes"))
    office.report.unlink()
    assert give(in_journal(office, tmp_path / "other" / "journal.db")).status == 0
    office.report.unlink()
    assert give(in_journal(office, tmp_path / "third" / "journal.db")).status == 2


def listed(text: str) -> list[list[str]]:
    """Return the lines of a CSV."""
    return list(csv.reader(io.StringIO(text)))


def test_a_run_as_a_list(office: Office, give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row and key come from the report as long as it is as it was written; ids and links are always there."""
    monkeypatch.setenv("WOLKVOX_CASE_URL", "https://crm0001.wolkvox.com/case/{wolkvox_id}")
    office.write([ticket("=A1"), ticket(2)], HEADER)
    assert give(office.arguments("run", "--yes", "--concurrency", "1")).status == 0
    command = ["history", "1", "--csv", "--journal", str(office.journal)]
    head, first, second = listed(give(command).out)
    assert head[:5] == ["row", "key", "wolkvox_id", "idPrefijo", "link"]
    case = office.sandbox.store.cases[0]
    address = f"https://crm0001.wolkvox.com/case/{case.wolkvox_id}"
    assert first[:6] == ["2", "'=A1", case.wolkvox_id, case.id_prefijo, address, "created"]
    assert (second[1], second[8]) == ("2", str(office.report))
    office.report.write_bytes(office.report.read_bytes() + b"edited")
    result = give(command)
    ids = [each.wolkvox_id for each in office.sandbox.store.cases]
    assert [line[:3] for line in listed(result.out)[1:]] == [["", "", one] for one in ids]
    assert "rows and keys are not known" in result.err


def test_a_run_as_a_list_names_its_own_cases(office: Office, give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    """A case that is gone stays in the list of the run that made it, and another run's case is in its own alone."""
    office.write([ticket(1), ticket(2)])
    command = office.arguments("run", "--yes", "--concurrency", "1", "--spot-check", "0")
    with monkeypatch.context() as refusing:
        refusing.setattr(office.sandbox._app.state.crm, "config", SandboxConfig(unknown_contact="refused"))
        assert give(command).status == 1
    assert give([*command, "--retry-rejected"]).status == 0
    gone, kept = office.sandbox.store.cases
    office.sandbox.store.delete(gone.number)
    assert give(office.settle("--by-hand", "1", "--deleted")).status == 0

    def of_run(number: int) -> list[list[str]]:
        lines = listed(give(["history", str(number), "--csv", "--journal", str(office.journal)]).out)[1:]
        return sorted([line[1], line[2], line[3], line[5]] for line in lines)

    first = [["1", "", "", "rejected"], ["2", "", "", "rejected"]]
    second = [["1", gone.wolkvox_id, "", "deleted"], ["2", kept.wolkvox_id, kept.id_prefijo, "created"]]
    assert (of_run(1), of_run(2)) == (first, second)
    assert give(command).status == 0
    made = office.sandbox.store.cases[-1]
    assert (of_run(1), of_run(2), of_run(3)) == (first, second, [["1", made.wolkvox_id, made.id_prefijo, "created"]])


def test_a_list_goes_to_a_new_file(office: Office, give: Give) -> None:
    """An existing file is left alone; the option goes with a run."""
    office.write([ticket(1)])
    give(office.arguments("run", "--yes"))
    path = office.folder / "run.csv"
    command = ["history", "1", "--csv", str(path), "--journal", str(office.journal)]
    assert give(command).status == 0
    assert len(listed(path.read_text("utf-8"))) == 2
    assert give(command).status == 2
    assert give(["history", "--csv", "--journal", str(office.journal)]).status == 2
