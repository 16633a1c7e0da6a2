"""Rows that an earlier version of the reading recorded: known for ever, never sent again, never changed by it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing

import pandas as pd
import pytest
from promise_support import end_leases
from run_support import MAPPING, Give, Office, Result, ticket

from importer import identity
from importer.model import Cell, Reread, earlier_reading
from importer.source import table
from importer.text import canonical
from importer.workflow.planning.matching import RowMatcher

Reading = Callable[[Mapping[str, str]], None]
NEWER = {"12": "PQR-12", "13": "PQR-13", "Asunto 12": "Asunto n.º 12"}
"""What the newer reading takes from cells, by what version 1 took from them."""


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch) -> Reading:
    """Let the reading take these texts otherwise than version 1 did; nothing otherwise until it is called."""
    now: dict[str, str] = {}
    plain = table.Frames.__iter__

    def reread(cell: Cell) -> Cell:
        return Reread(now[str(cell)], str(cell)) if str(cell) in now else cell

    def frames(self: table.Frames) -> Iterator[pd.DataFrame]:
        return (frame.map(reread) for frame in plain(self))

    monkeypatch.setattr(table.Frames, "__iter__", frames)

    def change(newer: Mapping[str, str]) -> None:
        now.clear()
        now.update(newer)

    return change


def run(office: Office, give: Give, *more: str) -> Result:
    """Run, with JSON."""
    return give(office.arguments("run", "--yes", "--json", *more))


def as_version_1(office: Office, give: Give) -> None:
    """Run as version 1 would, whose keys kept invisible characters, and which left out no byte order mark."""
    plain = table.Frames.__iter__

    def frames(self: table.Frames) -> Iterator[pd.DataFrame]:
        return (frame.map(earlier_reading) for frame in plain(self))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(table.Frames, "__iter__", frames)
        patch.setattr(identity, "canonical_key", canonical)
        patch.setattr(RowMatcher, "_similar_issues", lambda *_arguments: iter(()))  # nor did all of it compare keys
        assert run(office, give).status == 0


def rows(office: Office) -> dict[str, tuple[str, str | None, bool]]:
    """Return state, id and change of each row of the journal, by reference."""
    question = "SELECT reference, state, wolkvox_id, changed FROM rows"
    with closing(sqlite3.connect(office.journal)) as journal:
        return {
            reference: (state, case, bool(changed)) for reference, state, case, changed in journal.execute(question)
        }


def issues(result: Result, code: str = "") -> list[tuple[int, str]]:
    """Return row and code of the issues in the report of a run, or row and message of those with a code."""
    sheet = pd.read_excel(result.json["report"], sheet_name="Issues", engine="openpyxl")
    return [
        (line["row"], line["what is wrong"] if code else line["code"])
        for line in sheet.to_dict("records")
        if line["code"] == code or (not code and isinstance(line["code"], str))
    ]


def test_rows_of_version_1_are_known_and_unchanged_by_the_reading_alone(
    office: Office, give: Give, reading: Reading
) -> None:
    """No POST, no change, the same references and ids; a new row gets a reference by its present key, and keeps it."""
    office.write([ticket(11), ticket(12)])
    assert run(office, give).status == 0
    before = rows(office)
    reading(NEWER)
    for _time in range(2):
        result = run(office, give)
        assert (result.status, result.json["counts"]["changed"], office.sandbox.posts) == (0, 0, 2)
        assert rows(office) == before
    assert set(office.reported()["reference"]) == set(before)
    office.write([ticket(11), ticket(12), ticket(13)])
    for posts in (3, 3):
        assert run(office, give).status == 0
        assert office.sandbox.posts == posts
    scope = identity.Scope(identity.tenant_of(office.sandbox.url), "demo", "office")
    (new,) = rows(office).keys() - before.keys()
    assert new == identity.reference(scope, identity.key_digest(["PQR-13"]))


@pytest.mark.parametrize("edited", ["Detalle", "Asunto"])
def test_an_edit_is_seen_through_another_reading(office: Office, give: Give, reading: Reading, edited: str) -> None:
    """A row that was really edited counts as changed, and only that row."""
    office.write([ticket(11), ticket(12)])
    assert run(office, give).status == 0
    reading(NEWER)
    office.write([ticket(11), ticket(12, **{edited: "otra cosa"})])
    result = run(office, give)
    assert (result.json["counts"]["changed"], office.sandbox.posts) == (1, 2)
    office.write([ticket(11), ticket(12)])
    assert run(office, give).json["counts"]["changed"] == 0


def test_a_joined_text_that_is_read_otherwise_is_no_change(office: Office, give: Give, reading: Reading) -> None:
    """The lines of one case, joined in a field, count as version 1 read them."""
    office.write([])
    grouped = MAPPING.replace("key: Ticket", "key: Ticket\n  group: Ticket")
    grouped = grouped.replace("description: {column: Detalle}", 'description: {template: "{Asunto}", join: "\\n"}')
    office.mapping.write_text(grouped, "utf-8")
    office.write([ticket(12, Asunto="uno"), ticket(12, Asunto="dos")])
    assert run(office, give).status == 0
    reading({**NEWER, "dos": "n.º dos"})
    result = run(office, give)
    assert (result.status, result.json["counts"]["changed"], office.sandbox.posts) == (0, 0, 1)


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_a_report_given_back_keeps_its_rows_under_either_reading(
    office: Office, give: Give, reading: Reading, suffix: str
) -> None:
    """Reports of version 1 and of the newer reading post nothing and find every row, even as plain text."""
    office.write([ticket(11), ticket(12)])
    assert run(office, give).status == 0
    known, reports = rows(office), [office.folder / f"{name}{suffix}" for name in ("old", "new")]
    for report, newer in zip(reports, ({}, NEWER), strict=True):
        reading(newer)
        assert run(office, give, "--report", str(report)).status == 0
    for report, newer in [(reports[0], NEWER), (reports[1], {}), (reports[1], NEWER)]:
        reading(newer)
        words = office.arguments("run", "--yes", "--json", "--report", str(office.folder / "again.xlsx"))
        result = give([words[0], str(report), *words[2:]])
        assert (office.sandbox.posts, result.json["counts"]["created"], issues(result)) == (2, 2, [])
        assert rows(office).keys() == known.keys()


def test_a_report_of_version_1_is_adopted(office: Office, give: Give, reading: Reading) -> None:
    """A new journal takes the references of version 1 from a report, and knows the rows by them."""
    office.write([ticket(11), ticket(12)])
    assert run(office, give).status == 0
    known = rows(office)
    shutil.rmtree(office.journal.parent)
    reading(NEWER)
    assert give(office.adopt(office.report)).status == 0
    assert {reference: case for reference, (_state, case, _changed) in rows(office).items()} == {
        reference: case for reference, (_state, case, _changed) in known.items()
    }
    result = run(office, give)
    assert (result.status, office.sandbox.posts, rows(office).keys()) == (0, 2, known.keys())


def test_a_row_that_another_computer_sent_under_version_1_is_found(
    office: Office, give: Give, reading: Reading
) -> None:
    """The spot check asks for the references of both versions, and nothing is sent."""
    office.write([ticket(12)])
    assert run(office, give).status == 0
    shutil.rmtree(office.journal.parent)
    office.report.unlink()
    reading(NEWER)
    result = run(office, give, "--first-run", "--nothing-was-sent")
    assert (result.status, office.sandbox.posts) == (2, 1), result
    assert "another computer" in result.json["reason"]


def test_a_key_of_version_1_that_another_import_created_waits(office: Office, give: Give, reading: Reading) -> None:
    """A row whose key of version 1 belongs to another import waits for an answer."""
    office.write([ticket(12)])
    assert run(office, give).status == 0
    reading(NEWER)
    office.write([ticket(12), *map(ticket, range(20, 25))])
    office.mapping.write_text(MAPPING.replace("import: office", "import: other"), "utf-8")
    result = run(office, give)
    assert (result.status, office.sandbox.posts) == (3, 6), result


@pytest.mark.parametrize("key", ["12", "PQR-12"])
def test_a_person_settles_a_row_by_its_key_of_either_version(
    office: Office, give: Give, reading: Reading, key: str
) -> None:
    """`settle --by-hand` finds a row by the key that it had, and by the one that the sheet shows now."""
    office.write([ticket(12)])
    office.sandbox.inject("closed-after-creating")
    assert run(office, give).status == 4
    reading(NEWER)
    assert run(office, give).status == 4
    end_leases(office.journal)
    quiet = ("--quiet-period", "0")
    settled = give(office.settle("--by-hand", key, "--created", "64b000000000000000000001", *quiet))
    assert (settled.status, [state for state, _case, _changed in rows(office).values()]) == (0, ["created"]), settled


@pytest.mark.parametrize("both_first", [False, True])
def test_two_rows_that_version_1_could_not_tell_apart_are_never_one_case_or_two_of_one(
    office: Office,
    give: Give,
    reading: Reading,
    both_first: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """The row with the known content keeps its case; the other one is an issue, and neither is sent."""
    first, second = ticket("0012", Asunto="uno"), ticket("12", Asunto="dos")
    office.write([first, second])
    reading({"0012": "12"})
    if both_first:
        assert run(office, give).status == 1
        assert office.sandbox.posts == 0  # the same key twice
    office.write([first])
    assert run(office, give).status == 0
    known = rows(office)
    reading({})
    with pytest.MonkeyPatch.context() as patch:
        _read(patch, {"0012": Reread("A-12", "12"), "12": Reread("B-12", "12")})
        office.write([second, first])
        result = run(office, give)
        assert (result.status, office.sandbox.posts) == (1, 1)
        assert issues(result) == [(2, "key-reread")]
        counts = result.json["counts"]
        assert (counts["created"], counts["changed"], counts["invalid"]) == (1, 0, 1)
        assert office.reported().loc[1, "reference"] in known


def _read(patch: pytest.MonkeyPatch, cells: Mapping[str, Cell]) -> None:
    """Let the reading give these cells for these texts."""
    plain = table.Frames.__iter__
    patch.setattr(
        table.Frames,
        "__iter__",
        lambda self: (frame.map(lambda cell: cells.get(str(cell), cell)) for frame in plain(self)),
    )


SAME = ("T1", "T1\u200b", "T\u00ad1", "\u200eT1\u200f", "\ufeffT1", "T\u20601")


@pytest.mark.parametrize("order", [1, -1])
def test_rows_that_version_1_took_for_two_keep_their_cases(office: Office, give: Give, order: int) -> None:
    """Both ids are named, nothing is sent, nothing is changed, and each row keeps its own case, in any order."""
    sheet = [ticket(key, Correo="ana@example.com", Asunto="igual", Detalle="igual") for key in SAME[:2]]
    office.write(sheet)
    as_version_1(office, give)
    before = office.reported()[["Ticket", "wolkvox_id"]].to_numpy().tolist()
    office.write(sheet[::order])
    result = run(office, give)
    assert (office.sandbox.posts, result.json["counts"]["created"], result.json["counts"]["changed"]) == (2, 2, 0)
    assert office.reported()[["Ticket", "wolkvox_id"]].to_numpy().tolist() == before[::order]
    messages = [message for _row, message in issues(result, "key-known-twice")]
    assert messages
    assert all(case in message for message in messages for _key, case in before)
    office.write(sheet[1:])
    result = run(office, give)
    assert (office.sandbox.posts, office.reported()["wolkvox_id"].tolist()) == (2, [before[1][1]])
    assert (2, "key-known-twice") in issues(result)


@pytest.mark.parametrize("old", [True, False])
def test_a_key_with_invisible_characters_is_the_key_that_people_see(
    office: Office,
    give: Give,
    old: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """In one sheet the two are one key twice; in two sheets they are never two cases."""
    keys = [key.replace("1", str(number)) for number, key in enumerate(SAME)]
    plain = [f"T{number}" for number in range(len(SAME))]
    office.write([ticket("T1"), *(ticket(key) for key in SAME)])
    result = run(office, give)
    assert (result.status, office.sandbox.posts) == (1, 0)
    assert {code for _row, code in issues(result)} >= {"key-repeated"}
    assert result.json["counts"]["invalid"] == len(SAME) + 1
    sheets = [[ticket(key, Correo="a@x.co") for key in each] for each in (keys, plain)]
    office.write(sheets[0])
    if old:
        as_version_1(office, give)
    assert run(office, give).status == 0
    known = rows(office)
    office.write(sheets[1])
    result = run(office, give, "--same-tickets")
    assert (office.sandbox.posts, result.json["counts"]["created"]) == (len(SAME), len(SAME))
    assert {reference for reference, (state, *_rest) in rows(office).items() if state == "created"} <= known.keys()


def test_a_header_with_invisible_characters_is_the_header_that_people_see(office: Office, give: Give) -> None:
    """Names with soft hyphens and direction marks match the mapping, and rows recorded under them are unchanged."""
    names = {"Ticket": "Tic\u00adket", "Asunto": "\u200eAsun\u200bto\u200f", "Estado": "Estado\ufeff"}
    cells = {names.get(name, name): text for name, text in ticket(1).items()}
    office.write([cells], list(cells))
    assert run(office, give).status == 0
    with closing(sqlite3.connect(office.journal)) as journal, journal:
        (recorded,) = journal.execute("SELECT names FROM column_sets").fetchone()
        assert "Asunto" in json.loads(recorded)
    result = run(office, give)
    assert (result.status, result.json["counts"]["changed"], office.sandbox.posts) == (0, 0, 1)
