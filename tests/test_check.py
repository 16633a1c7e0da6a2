"""`check` counts what the journal knows, as `run` would, and leaves everything as it is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from run_support import HEADER, MAPPING, Give, Office, ticket
from test_next_steps import commands_in, run


def check(office: Office, *more: str) -> list[str]:
    """Return the words of a check with the office's journal."""
    return office.arguments("check", "--journal", str(office.journal), "--json", *more)


def files_in(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Return the bytes and the time of every file in a folder."""
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}


def test_it_counts_as_a_run_would(office: Office, give: Give) -> None:
    """Created, changed, unknown and planned rows are counted from the journal, which stays as it is."""
    office.write(ticket(n) for n in range(1, 7))
    office.sandbox.inject("closed-without-creating:nth=4")
    give(run(office, "--limit", "5"))
    office.write([ticket(1), ticket(2, Detalle="otro"), *(ticket(n) for n in range(3, 7)), ticket(7, Correo="nobody")])
    before = files_in(office.journal.parent)
    checked = give(check(office))
    assert files_in(office.journal.parent) == before
    counts = {state: count for state, count in checked.json["counts"].items() if count}
    assert counts == {"created": 4, "changed": 1, "unknown": 1, "planned": 1, "invalid": 1}
    assert checked.status == 1
    assert [issue["row"] for issue in checked.json["issues"]] == [8]
    office.sandbox.inject()
    assert give(run(office, "--limit", "1", "--json")).json["counts"]["created"] == 5


@pytest.mark.parametrize("more", [(), ("--server", "", "--operation", "")])
def test_it_makes_no_journal(office: Office, give: Give, more: tuple[str, ...]) -> None:
    """Without a journal every valid row is planned, and not even a folder is made."""
    office.write([ticket(1), ticket(2)])
    checked = give(check(office, *more))
    assert (checked.status, checked.json["counts"]["planned"]) == (0, 2)
    assert not office.journal.parent.exists()


def test_the_step_after_it_is_a_run(office: Office, give: Give) -> None:
    """What it prints sends the rows."""
    office.write([ticket(1), ticket(2)])
    shown = give(office.arguments("check", "--journal", str(office.journal)))
    words = next(words for words in commands_in(shown.out) if words[0] == "run")
    assert give([*words, "--yes"]).status == 0
    assert "Nothing is left to do" in give(office.arguments("check", "--journal", str(office.journal))).out


def test_files_of_created_rows_may_be_archived(office: Office, give: Give) -> None:
    """A created row needs its files no more; a row that is left still does."""
    office.write([], header=["Ticket"])
    office.mapping.write_text(MAPPING + "attachments: {folder: files, columns: [Prioridad]}\n", "utf-8")
    office.mapping.write_text(
        office.mapping.read_text("utf-8").replace(
            "  priority: {column: Prioridad, default: Media, allowed: [Alta, Media, Baja]}\n", "  priority: Media\n"
        ),
        "utf-8",
    )
    files = office.folder / "files"
    files.mkdir()
    for name in ("a.txt", "b.txt"):
        (files / name).write_text("x", "utf-8")
    office.write([ticket(1, Prioridad="a.txt"), ticket(2, Prioridad="b.txt")])
    assert give(run(office, "--limit", "1")).status == 3
    for path in files.iterdir():
        path.unlink()
    checked = give(check(office))
    assert (checked.json["counts"]["created"], checked.json["counts"]["changed"]) == (1, 0)
    assert [issue["row"] for issue in checked.json["issues"]] == [3]


def test_a_journal_that_cannot_be_read_is_said(office: Office, give: Give) -> None:
    """The check goes on without it, and its note names the journal."""
    office.write([ticket(1)])
    office.journal.parent.mkdir()
    office.journal.write_bytes(b"no journal at all" * 400)
    before = files_in(office.journal.parent)
    checked = give(check(office))
    assert (checked.status, checked.json["counts"]["planned"]) == (0, 1)
    assert any(str(office.journal) in note and "cannot be read" in note for note in checked.json["notes"])
    assert files_in(office.journal.parent) == before


def test_what_a_killed_process_left_counts(office: Office, give: Give) -> None:
    """Commits that are only in the -wal file are read, and the file stays as it is."""
    office.write([ticket(1), ticket(2)])
    give(run(office))
    with closing(sqlite3.connect(office.journal)) as reader, closing(sqlite3.connect(office.journal)) as writer:
        reader.execute("BEGIN").execute("SELECT count(*) FROM rows").fetchone()  # holds the -wal file
        with writer:
            writer.execute("UPDATE rows SET state = 'unknown', wolkvox_id = NULL WHERE id = 1")
        before = files_in(office.journal.parent)
        assert give(check(office)).json["counts"]["unknown"] == 1
        assert set(files_in(office.journal.parent)) == set(before)
        assert files_in(office.journal.parent)[office.journal.name] == before[office.journal.name]


@pytest.mark.parametrize(
    ("foot", "condition", "words"),
    [
        ([["Nota: los rojos son urgentes"]], '{Ticket: "Nota: los rojos son urgentes"}', "like a note below a table"),
        ([[], ["Hecho por Ana"]], "{Ticket: Hecho por Ana}", "like a note below a table"),
        ([HEADER], "{Ticket: Ticket}", "The header is repeated in row 4"),
    ],
)
def test_a_row_that_the_mapping_leaves_out_is_no_longer_noted(
    office: Office, give: Give, foot: list[list[str]], condition: str, words: str
) -> None:
    """A note or a header below the rows of a sheet is told until `skip_if` leaves its row out."""
    office.write([ticket(1), ticket(2), *(dict(zip(HEADER, cells, strict=False)) for cells in foot)])
    assert any(words in note for note in give(check(office)).json["notes"])
    text = office.mapping.read_text("utf-8").replace("  key: Ticket", f"  key: Ticket\n  skip_if: {condition}")
    office.mapping.write_text(text, "utf-8")
    after = give(check(office)).json
    assert not any(words in note for note in after["notes"])
    assert after["issues"] == []


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (["T-1", "t-1"], "Ticket 'T-1' is nearly the same as the key of row 3"),
        (["T-1", "t-1", "T-2", "T–1"], "Ticket 'T-1' is nearly the same as the key of rows 3, 5"),  # noqa: RUF001
    ],
)
def test_similar_keys_are_told_in_the_singular_and_the_plural(
    office: Office, give: Give, keys: list[str], said: str
) -> None:
    """The sentence about a similar key speaks of one row where there is one."""
    office.write([ticket(key) for key in keys])
    found = give(office.arguments("check", "--json")).json["issues"]
    assert said in [issue["message"] for issue in found]
