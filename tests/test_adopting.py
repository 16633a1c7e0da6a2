"""Every row of a report is taken into the journal or is an issue: nothing is lost."""

from __future__ import annotations

import csv
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from promise_support import states, tickets
from run_support import HEADER, MAPPING, Give, Office, Result, ticket

from importer.cli.main import execute
from importer.journal import Journal
from importer.sandbox import RunningSandbox

Edit = Mapping[str, object]


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Office, Path]]:
    """Send five rows once for tests that send nothing; give what is left without the journal, and the marks."""
    with RunningSandbox() as sandbox, pytest.MonkeyPatch.context() as patched:
        patched.setenv("WOLKVOX_TOKEN", "any")
        office = Office(tmp_path_factory.mktemp("sent"), sandbox)
        office.write(tickets(range(1, 6)))
        assert execute(office.arguments("run", "--yes")) == 0
        lose(office)
        yield office, Path(os.environ["XDG_STATE_HOME"])


@pytest.fixture
def reported(sent: tuple[Office, Path], tmp_path: Path) -> Iterator[Office]:
    """Give an office whose five rows are cases, whose journal is lost, and whose report still exists."""
    before, state = sent
    shutil.copytree(before.folder, tmp_path, dirs_exist_ok=True)
    shutil.copytree(state, os.environ["XDG_STATE_HOME"])
    office = Office(tmp_path, before.sandbox)
    yield office
    assert office.sandbox.posts == 5


def lose(office: Office) -> None:
    """Lose the journal and all files beside it."""
    for file in office.journal.parent.iterdir():
        file.unlink()


def edit(office: Office, *edits: tuple[int, Edit], delete: int | None = None) -> None:
    """Edit lines of the report as a person does in Excel."""
    book = load_workbook(office.report)
    sheet = book["Report"]
    places = {str(cell.value): cell.column for cell in sheet[1]}
    for line, cells in edits:
        for name, value in cells.items():
            sheet.cell(line, places[name]).value = value  # type: ignore[assignment]
    if delete is not None:
        sheet.delete_rows(delete)
    book.save(office.report)


def adopt(office: Office, give: Give) -> tuple[Result, list[dict[str, Any]]]:
    """Adopt the report, and return the result and its issues."""
    result = give(office.adopt(office.report, "--json"))
    issues: list[dict[str, Any]] = result.json.get("issues", [])
    assert all(issue["message"] and issue["remedy"] for issue in issues)
    return result, issues


def brief(issues: list[dict[str, Any]]) -> list[tuple[int | None, str | None, str | None, str]]:
    """Return the issues without their sentences."""
    return [(issue["row"], issue["column"], issue["value"], issue["code"]) for issue in issues]


def ids(office: Office) -> list[str]:
    """Return the ids in the report, by line from 2."""
    return list(office.reported()["wolkvox_id"])


def assert_sends_nothing(office: Office, give: Give, status: int) -> None:
    """Assert that a run after the adoption creates no second case, and how it ends."""
    posts = office.sandbox.posts
    result = give(office.arguments("run", "--yes", "--json", "--first-run"))
    assert (result.status, office.sandbox.posts) == (status, posts)


def test_r20_one_id_for_several_rows(reported: Office, give: Give) -> None:
    """It is unclear whose case it is: both rows are issues and are taken over as unknown."""
    one = ids(reported)[0]
    edit(reported, (4, {"wolkvox_id": one}))
    result, issues = adopt(reported, give)
    assert (result.status, result.json["created"], result.json["doubtful"]) == (1, 3, 2)
    assert brief(issues) == [(2, "wolkvox_id", one, "id-repeated"), (4, "wolkvox_id", one, "id-repeated")]
    assert states(reported.journal) == {"created": 3, "unknown": 2}
    assert_sends_nothing(reported, give, 2)  # the report beside the source still has an id that the journal lacks
    reported.report.unlink()
    assert_sends_nothing(reported, give, 4)


def test_r20_an_id_that_is_none(office: Office, give: Give) -> None:
    """A row that the report calls created has a case, whatever its cell for the id contains."""
    values = ["-", "N/A", "0", "false", "no tiene", "WCI-CBB2VVVM4V9B8JX3", "abc def 12", "000"]
    office.write(tickets(range(1, 11)))
    assert give(office.arguments("run", "--yes")).status == 0
    lose(office)
    edit(office, *((line, {"wolkvox_id": value}) for line, value in enumerate(values, 3)))
    result, issues = adopt(office, give)
    assert (result.status, result.json["created"], result.json["doubtful"]) == (1, 2, 8)
    assert brief(issues) == [(line, "wolkvox_id", value, "id-unusable") for line, value in enumerate(values, 3)]
    assert states(office.journal) == {"created": 2, "unknown": 8}
    office.report.unlink()
    assert_sends_nothing(office, give, 4)


def test_r20_an_id_that_was_erased(reported: Office, give: Give) -> None:
    """A created row without its id is an issue and taken over as unknown, and the sentences say so, too."""
    edit(reported, (3, {"wolkvox_id": None}))
    shown = give(reported.adopt(reported.report))
    assert shown.status == 1
    assert "Row 3, wolkvox_id: The row is created, but its id is missing." in shown.out
    assert "The summary counts 5 rows as created, but the sheet has only 4." in shown.out
    assert states(reported.journal) == {"created": 4, "unknown": 1}
    assert_sends_nothing(reported, give, 4)


def test_r20_an_id_that_another_row_has(office: Office, give: Give) -> None:
    """A case that the journal knows for another row, of any import, cannot belong to this row."""
    office.write(tickets(range(1, 6)))
    give(office.arguments("run", "--yes"))
    one = ids(office)[0]
    office.mapping.write_text(MAPPING.replace("import: office", "import: other"), "utf-8")
    source = office.folder / "own.csv"
    rows = [{**ticket(8), "wolkvox_id": one}, {**ticket(9), "wolkvox_id": "64cb0000000000000000a9"}]
    with source.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*HEADER, "wolkvox_id"])
        writer.writeheader()
        writer.writerows(rows)
    result = give(office.adopt(source, "--json"))
    assert (result.status, result.json["created"], result.json["doubtful"]) == (1, 1, 1)
    assert brief(result.json["issues"]) == [(2, "wolkvox_id", one, "id-taken")]
    assert states(office.journal) == {"created": 6, "unknown": 1}


BLANKED: dict[int, tuple[Edit, str]] = {
    2: ({"Ticket": None}, "wolkvox_id"),
    3: ({"Ticket": None, "wolkvox_id": None}, "reference"),
    4: (dict.fromkeys([*HEADER, "wolkvox_id", "idPrefijo", "status"]), "reference"),
    5: ({"Ticket": None, "wolkvox_id": None, "reference": None}, "status"),
    6: (dict.fromkeys([*HEADER, "reference", "status"]), "wolkvox_id"),
}
"""Lines of a report, each with what is blanked there, and a column whose value is left."""


def test_r20_a_row_that_was_blanked(office: Office, give: Give) -> None:
    """Whatever is left of a row shows that there was one: it is an issue, and nothing is sent until it is restored."""
    office.write(tickets(range(1, 7)))
    assert give(office.arguments("run", "--yes")).status == 0
    lose(office)
    left = {line: office.reported()[held][line - 2] for line, (_cells, held) in BLANKED.items()}
    edit(office, *((line, cells) for line, (cells, _held) in BLANKED.items()))
    result, issues = adopt(office, give)
    assert (result.status, result.json["created"], result.json["refused"]) == (1, 1, [*BLANKED])
    for line, value in left.items():
        assert next(issue for issue in brief(issues) if issue[0] == line) == (line, "Ticket", value, "key-missing")
    assert states(office.journal) == {"created": 1}


@pytest.mark.parametrize("is_saved", [False, True])
def test_an_adopted_report_that_nobody_saved_is_renewed(reported: Office, give: Give, *, is_saved: bool) -> None:
    """It is as a program wrote it, so that nobody is told that it was edited; one that a person saved stays."""
    if is_saved:
        edit(reported)
    assert adopt(reported, give)[0].status == 0
    for command in ("run", "report"):
        result = give(reported.arguments(command, *(["--yes"] if command == "run" else [])))
        assert (result.status, "was edited since" in result.out) == (0, is_saved)
    assert bool(list(reported.folder.glob("* (2)*"))) == is_saved


def test_r20_a_row_that_was_deleted(reported: Office, give: Give) -> None:
    """The summary shows how many there were."""
    edit(reported, delete=3)
    result, issues = adopt(reported, give)
    assert (result.status, result.json["created"]) == (1, 4)
    assert brief(issues) == [(None, None, None, "rows-missing")]
    assert "5 rows as created, but the sheet has only 4" in issues[0]["message"]


def test_r20_a_doubtful_row_that_was_deleted(office: Office, give: Give) -> None:
    """The sheet `To decide` still names it."""
    office.write(tickets(range(1, 4)))
    office.sandbox.inject("html-answer:nth=2")
    assert give(office.arguments("run", "--yes", "--concurrency", "1")).status == 4
    reference = office.reported()["reference"][1]
    lose(office)
    edit(office, delete=3)
    result, issues = adopt(office, give)
    assert (result.status, result.json["created"]) == (1, 2)
    assert brief(issues) == [(3, "reference", reference, "row-missing"), (None, None, None, "rows-missing")]


def test_r20_a_row_that_was_copied(reported: Office, give: Give) -> None:
    """Two rows with one key are both issues, because it is unclear which of them has the case."""
    edit(reported, (4, {"Ticket": "2"}))
    result, issues = adopt(reported, give)
    assert (result.status, result.json["created"], result.json["refused"]) == (1, 3, [3, 4])
    assert {issue["code"] for issue in issues} == {"key-repeated"}


def test_r20_a_reference_that_is_not_the_rows_own(reported: Office, give: Give) -> None:
    """After an edit of the key the reference belongs to another row: an issue, and not taken over."""
    edit(reported, (3, {"Ticket": "77"}))
    reference = reported.reported()["reference"][1]
    result, issues = adopt(reported, give)
    assert (result.status, result.json["created"]) == (1, 4)
    assert brief(issues) == [(3, "reference", reference, "reference-edited")]
    assert_sends_nothing(reported, give, 2)  # the report beside the source has an id that the journal lacks


def test_r20_an_id_that_the_journal_knows_otherwise(office: Office, give: Give) -> None:
    """Both cases are kept and named, and the row is a conflict."""
    office.write(tickets([1, 2]))
    give(office.arguments("run", "--yes"))
    edit(office, (3, {"wolkvox_id": "64cb0000000000000000a9"}))
    result, issues = adopt(office, give)
    assert result.status == 1
    assert brief(issues) == [(3, "wolkvox_id", "64cb0000000000000000a9", "id-differs")]
    assert states(office.journal) == {"created": 1, "conflict": 1}


@pytest.mark.parametrize("since", ["planned", "unknown", "created"])
def test_r20_an_id_whose_case_was_declared_deleted(office: Office, give: Give, since: str) -> None:
    """An older report does not bring it back: the row is named as not taken and stays as the journal has it."""
    office.write(tickets(range(1, 6)))
    give(office.arguments("run", "--yes"))
    gone = ids(office)[1]
    office.report.rename(office.folder / "old.report.xlsx")
    with Journal(office.journal) as journal:
        assert journal.doubts.note_deleted(1, office.reported(office.folder / "old.report.xlsx")["reference"][1])
    office.sandbox.inject(*(["html-answer:nth=1,call=insert"] if since == "unknown" else []))
    if since != "planned":
        give(office.arguments("run", "--yes", "--first-run", "--quiet-period", "0"))
    before = states(office.journal)
    assert before[since] >= 1
    result = give(office.adopt(office.folder / "old.report.xlsx", "--json"))
    assert (result.status, result.json["created"], result.json["doubtful"]) == (1, 4, 0)
    assert brief(result.json["issues"]) == [(3, "wolkvox_id", gone, "id-deleted")]
    assert result.json["refused"] == [3]
    assert "goes on with" in result.json["steps"][0]
    assert states(office.journal) == before


def test_r20_what_is_corrected_is_taken_over_then(reported: Office, give: Give) -> None:
    """After the correction the same command takes over the rest, without issues."""
    good = ids(reported)[1]
    edit(reported, (3, {"wolkvox_id": "-"}))
    assert adopt(reported, give)[0].status == 1
    edit(reported, (3, {"wolkvox_id": good}))
    result, issues = adopt(reported, give)
    assert (result.status, issues) == (0, [])
    assert states(reported.journal) == {"created": 5}
    assert_sends_nothing(reported, give, 0)


def test_r20_a_dash_in_a_persons_own_column_is_no_case(office: Office, give: Give) -> None:
    """Without a report's status a dash may mean that the row was never sent: named, and not taken over."""
    source = office.folder / "own.csv"
    office.write([])
    with source.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, [*HEADER, "Wolkvox ID"])
        writer.writeheader()
        writer.writerows([{**ticket(1), "Wolkvox ID": "64cb01"}, {**ticket(2), "Wolkvox ID": "-"}, ticket(3)])
    result = give(office.adopt(source, "--json"))
    assert (result.status, result.json["created"], result.json["doubtful"]) == (1, 1, 0)
    assert brief(result.json["issues"]) == [(3, "Wolkvox ID", "-", "id-unusable")]
    assert result.json["refused"] == [3]


def test_r20_nothing_that_can_be_taken(reported: Office, give: Give) -> None:
    """If no row can be taken over, each is an issue, the journal stays unchanged, and the exit status shows it."""
    edit(reported, *((line, {"Ticket": None}) for line in range(2, 7)))
    result, issues = adopt(reported, give)
    assert (result.status, len(issues), result.json["created"]) == (2, 5, 0)
    assert states(reported.journal) == {}


def test_r18_adopting_by_another_key_is_refused(office: Office, give: Give) -> None:
    """A report can only be taken over with the key of its import."""
    office.write(tickets([1, 2]))
    give(office.arguments("run", "--yes"))
    office.mapping.write_text(MAPPING.replace("key: Ticket", "key: Asunto"), "utf-8")
    refused = give(office.adopt(office.report))
    assert refused.status == 2
    assert "was Ticket, and in the mapping it is now Asunto" in refused.err


def test_r18_an_adopted_import_has_its_rule_and_spellings(reported: Office, give: Give) -> None:
    """A row that was taken over is known by its key as if a run had sent it."""
    assert adopt(reported, give)[0].status == 0
    reported.mapping.write_text(MAPPING.replace("key: Ticket", "key: Asunto"), "utf-8")
    assert_sends_nothing(reported, give, 2)


def test_r20_an_adopted_row_that_was_edited_stays_changed(office: Office, give: Give) -> None:
    """What a report says of an edit is not taken for what was sent, on another computer either."""
    office.write(ticket(n) for n in (1, 2, 3))
    give(office.arguments("run", "--yes"))
    office.write([ticket(1), ticket(2, Detalle="otra cosa"), ticket(3)])
    assert give(office.arguments("run", "--yes")).status == 1
    lose(office)
    assert give(office.adopt(office.report)).status == 0
    for _again in range(2):
        result = give(office.arguments("run", "--yes", "--json"))
        assert (result.status, result.json["counts"]["changed"], office.sandbox.posts) == (1, 1, 3)
