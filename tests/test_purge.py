"""What `purge` and a retention forget, what stays, and that no purged row is ever sent again."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from csv import DictReader
from datetime import UTC, datetime
from pathlib import Path

import pytest
from journal_support import SampleJournal, created, outcome
from place_support import ask
from promise_support import assert_promise, select, states, tickets
from run_support import Give, Office
from updates_support import UPDATING, know_updates

from importer.journal import Journal
from importer.journal_place import Place, Server, folder_of
from importer.model import Status, Verdict
from importer.periods import Period
from importer.sandbox import RunningSandbox, SandboxConfig
from importer.settings import settings_path
from importer.workflow.outcome.retention import purge as carry_out

AGO = 3 * 366 * 86_400.0


_TIMES = (
    ("rows", "id", "sent_at"),
    ("attempts", "row_id", "started_at"),
    ("attempts", "row_id", "ended_at"),
    ("updates", "row_id", "started_at"),
    ("verdicts", "row_id", "decided_at"),
    ("verifications", "row_id", "at"),
)
"""What is about a row: table, its column with the row's number, and the time."""


def age(journal: Place, seconds: float = AGO, rows: str = "1=1") -> None:
    """Let everything in a journal be so much older, or what is about some rows."""
    for table, row, column in _TIMES:
        which = f"{row} IN (SELECT id FROM rows WHERE {rows})"  # noqa: S608 - the tests' own words
        ask(journal, f"UPDATE {table} SET {column} = {column} - ? WHERE {which}", seconds)  # noqa: S608
    if rows == "1=1":
        for table, column in (("reports", "written_at"), ("spot_checks", "checked_at"), ("contacts", "changed_at")):
            ask(journal, f"UPDATE {table} SET {column} = {column} - ?", seconds)  # noqa: S608


def run(office: Office, *more: str) -> list[str]:
    """Return the words of a run whose result is printed as JSON; a report as CSV takes little time."""
    return office.arguments("run", "--yes", "--json", "--report", str(office.folder / "r.csv"), *more)


def purge(office: Office, *more: str, older_than: str = "2y") -> list[str]:
    """Return the words of a purge of an office's journal."""
    return ["purge", "--older-than", older_than, "--journal", str(office.journal), *more]


def shown(office: Office) -> list[list[str]]:
    """Return ids, time and reference of each row of the report."""
    with (office.folder / "r.csv").open(encoding="utf-8-sig", newline="") as file:
        return [[row[name] for name in ("wolkvox_id", "idPrefijo", "sent_at", "reference")] for row in DictReader(file)]


@pytest.mark.on_both
def test_n8_a_purged_row_is_never_sent_again_nor_changed(office: Office, give: Give) -> None:
    """After a purge the same sheet, and an edited one, send nothing; report and history still have ids and dates."""
    office.mapping.write_text(UPDATING, "utf-8")
    know_updates(office, folder=folder_of(office.journal))
    office.write(tickets(range(1, 6)))
    assert give(run(office)).status == 0
    before = shown(office)
    listed = give(["history", "1", "--journal", str(office.journal), "--csv"]).out
    age(office.journal)
    dated = [row[0] for row in select(office.journal, "SELECT sent_at FROM rows ORDER BY id")]
    done = give(purge(office, "--json"))
    assert (done.status, done.json["forgotten"]["created"]) == (0, 5)
    assert select(office.journal, "SELECT count(*) FROM attempts WHERE message IS NOT NULL OR owner != ''") == [(0,)]
    posts = office.sandbox.posts
    again = give(run(office))
    assert (again.status, again.json["counts"]["created"], again.json["counts"]["changed"]) == (0, 5, 0)
    office.write([row | {"Detalle": "Otra cosa", "Prioridad": "Baja"} for row in tickets(range(1, 6))])
    edited = give(run(office))
    assert (edited.status, edited.json["counts"]["changed"], edited.json["changes"]) == (0, 0, [])
    assert (office.sandbox.posts, office.sandbox.calls("update")) == (posts, 0)
    assert assert_promise(office) == {"created": 5}
    after = shown(office)
    assert [row[:2] + row[3:] for row in after] == [row[:2] + row[3:] for row in before]
    assert all(row[2] for row in after)
    assert [row[0] for row in select(office.journal, "SELECT sent_at FROM rows ORDER BY id")] == dated
    ids = [line.split(",")[2] for line in listed.splitlines()]
    now = give(["history", "1", "--journal", str(office.journal), "--csv"]).out
    assert [line.split(",")[2] for line in now.splitlines()] == ids
    assert give(["journal", "check", "--journal", str(office.journal)]).status == 0
    assert give(purge(office, "--json")).json["forgotten"]["created"] == 0, "what is forgotten is not counted again"


def test_n8_a_rejected_row_stays_rejected_until_it_is_corrected(tmp_path: Path, give: Give) -> None:
    """A purge forgets what the CRM said, not that it said no: only a corrected row goes again."""
    config = SandboxConfig(users=("ADMIN_@demo",))
    with RunningSandbox(config=config) as sandbox:
        office = Office(tmp_path, sandbox)
        rows = tickets([1, 2])
        office.write(rows)
        office.mapping.write_text(
            office.mapping.read_text("utf-8").replace("owner: ADMIN_@demo", "owner: {column: Detalle}"), "utf-8"
        )
        rows[0]["Detalle"], rows[1]["Detalle"] = "ADMIN_@demo", "NADIE_@demo"
        office.write(rows)
        assert give(run(office)).json["counts"]["rejected"] == 1
        age(office.journal)
        assert give(purge(office, "--json")).json["forgotten"] | {"reports": 0, "checks": 0} == {
            "created": 1, "rejected": 1, "never_sent": 0, "contacts": 0, "reports": 0, "checks": 0, "kept": 0,
        }  # fmt: skip
        again = give(run(office))
        assert (again.status, sandbox.posts, again.json["counts"]["rejected"]) == (1, 2, 1)
        rows[1]["Detalle"] = "ADMIN_@demo"
        office.write(rows)
        assert (give(run(office)).status, sandbox.posts) == (0, 3)
        assert assert_promise(office) == {"created": 2}


@pytest.mark.on_both
def test_n9_what_is_not_settled_stays_whole(tmp_path: Path, journal_server: Server | None) -> None:
    """Rows that are unknown, in conflict, being sent, disputed or in a doubtful update, and newer rows, stay whole."""
    path: Place = journal_server or tmp_path / "journal.db"
    sample = SampleJournal(path)
    sample.plan(range(1, 10))
    for number, what in (
        (1, created("a")),
        (2, outcome(Verdict.UNKNOWN)),
        (3, outcome(Verdict.UNKNOWN)),
        (5, created("b")),
        (6, created("c")),
        (7, created("d")),
        (8, outcome(Verdict.NOT_DELIVERED)),
    ):
        sample.conclude(sample.claim(number), what)
    sample.claim(4)
    sample.journal.close()
    ask(path, "UPDATE rows SET state = 'conflict' WHERE id = 3")
    ask(path, "UPDATE rows SET disputed = (1 = 1) WHERE id = 5")
    ask(
        path,
        "INSERT INTO updates (id, row_id, run_id, owner, token, started_at, boot, began, deadline, lease, state,"
        " message, content_hash, column_digests, column_set_id) VALUES (1, 6, 1, 'o', 't', 5, 'b', 1, 1, 1,"
        " 'unknown', '', 'h', '', 1)",
    )
    age(path, rows="id != 7")
    whole = select(path, "SELECT * FROM rows WHERE id != 1"), select(path, "SELECT * FROM attempts WHERE row_id != 1")
    with Journal(path) as journal:
        counted = carry_out(journal, Period(700, "d"), dry_run=True).forgotten
        assert carry_out(journal, Period(700, "d")).forgotten == counted
    assert (counted.created, counted.rejected, counted.never_sent, counted.kept) == (1, 0, 0, 6)
    assert (
        select(path, "SELECT * FROM rows WHERE id != 1"),
        select(path, "SELECT * FROM attempts WHERE row_id != 1"),
    ) == whole
    assert select(path, "SELECT message, changed, wolkvox_id, id_prefijo FROM rows WHERE id = 1") == [
        ("", 0, "a", "P-a")
    ]


def test_n8_rows_that_were_never_sent_are_removed_once_later_ones_are_old(office: Office, give: Give) -> None:
    """An invalid row of long ago leaves nothing behind; it is sent like any other once it is corrected."""
    rows = [*tickets([1], Estado="Perdido"), *tickets([2])]
    office.write(rows)
    assert give(run(office)).status == 1
    age(office.journal)
    assert give(purge(office, "--json")).json["forgotten"]["never_sent"] == 1
    assert states(office.journal) == {"created": 1}
    office.write(tickets([1, 2]))
    assert (give(run(office)).status, office.sandbox.posts) == (0, 2)


def test_n10_nothing_that_was_forgotten_is_in_the_files(office: Office, give: Give) -> None:
    """No digest of a content and no message of a purged row is in the journal's files once they are closed."""
    office.write(tickets([1, 2]))
    assert give(run(office)).status == 0
    found = select(office.journal, "SELECT content_hash, column_digests FROM rows")
    owners = select(office.journal, "SELECT owner, message FROM attempts")
    age(office.journal)
    assert give(purge(office)).status == 0
    files = b"".join(path.read_bytes() for path in office.journal.parent.iterdir())
    for text in {str(value) for row in (*found, *owners) for value in row if value}:
        assert text.encode() not in files, text
    assert not set(found) & set(select(office.journal, "SELECT content_hash, column_digests FROM rows"))


@pytest.mark.parametrize("dry_run", [True, False])
def test_n10_old_backups_that_the_program_made_go_and_others_stay(office: Office, give: Give, *, dry_run: bool) -> None:
    """Backups under the program's own names are removed once they are old enough; a dry run changes nothing at all."""
    office.write(tickets([1]))
    assert give(run(office)).status == 0
    assert give(["journal", "backup", "--journal", str(office.journal)]).status == 0
    (new,) = office.journal.parent.glob("journal.2*.backup.db")
    old = [
        office.journal.with_name("journal.20200101-101010.backup.db"),
        office.journal.with_name("journal.db.before-updates.backup"),
        office.journal.with_name("journal.db.before-updates-2.backup"),
    ]
    mine = [
        office.journal.with_name(name) for name in ("copia.backup.db", "journal.backup.db", "other.db.before-x.backup")
    ]
    for path in (*old, *mine):
        path.write_bytes(new.read_bytes())
        os.utime(path, (1e9, 1e9))
    before = office.journal.read_bytes() if dry_run else b""
    done = give(purge(office, "--json", *(["--dry-run"] if dry_run else [])))
    assert (done.json["dry_run"], sorted(done.json["backups"])) == (dry_run, sorted(map(str, old)))
    assert done.json["newer_backups"] == [str(new)]
    assert [path.exists() for path in (*old, *mine, new)] == [dry_run] * 3 + [True] * 4
    if dry_run:
        assert office.journal.read_bytes() == before


def test_n11_a_retention_purges_after_a_run_at_most_once_a_day(office: Office, give: Give) -> None:
    """`retention` in the settings, or --retention, forgets after the report was written, and says what."""
    office.write(tickets([1, 2]))
    assert give(run(office)).status == 0
    age(office.journal)
    settings_path().parent.mkdir(parents=True, exist_ok=True)
    settings_path().write_text('retention = "2y"\n', "utf-8")
    office.write(tickets([1, 2, 3]))
    first = give(run(office))
    assert first.status == 0
    assert "2 rows with cases" in first.json["notes"][-1]
    age(office.journal)
    assert not any("Forgotten" in note for note in give(run(office)).json["notes"])
    assert select(office.journal, "SELECT count(*) FROM decisions WHERE question = 'purge'") == [(1,)]
    assert give(purge(office, "--json")).json["forgotten"]["created"] == 1, "the command works whenever it is given"
    assert assert_promise(office) == {"created": 3}


@pytest.mark.parametrize("text", ["2", "0y", "-1d", "2 years", "y", "1.5y", "", "2h"])
def test_a_length_that_is_none_is_refused(give: Give, text: str) -> None:
    """A sentence shows how a length of time is written, as an option and in the settings."""
    refused = give(["purge", "--older-than", text])
    assert refused.status == 2
    assert "2y, 18m, 12w or 90d" in refused.err
    settings_path().parent.mkdir(parents=True, exist_ok=True)
    settings_path().write_text(f'retention = "{text}"\n', "utf-8")
    refused = give(["doctor"])
    assert "retention" in refused.out + refused.err


@pytest.mark.parametrize(
    ("written", "before"),
    [
        ("2y", "2022-02-28"),
        ("1m", "2024-01-29"),
        ("18M", "2022-08-29"),
        ("12w", "2023-12-07"),
        ("90d", "2023-12-01"),
        ("999y", "1971-01-29"),
        ("99999w", "1971-01-01"),
    ],
)
def test_a_length_counts_back_over_the_calendar(written: str, before: str) -> None:
    """Months and years end on the same day, or on the last one of a shorter month; nothing is before 1971."""
    assert Period.read(written).before(datetime(2024, 2, 29, 12, tzinfo=UTC)).date().isoformat() == before


def test_n9_contacts_that_can_be_asked_for_are_forgotten(tmp_path: Path) -> None:
    """What only a search showed is forgotten; a contact that was created, or is in doubt, stays known."""
    path = tmp_path / "journal.db"
    sample = SampleJournal(path)
    sample.journal.close()
    with closing(sqlite3.connect(path)) as database, database:
        for number, state in enumerate(("known", "missing", "created", "unknown", "sending", "known")):
            at = 5.0 if number < 5 else 4e9
            database.execute(
                "INSERT INTO contacts (tenant, operation, digest, state, how, message, changed_at)"
                " VALUES ('t', 'o', ?, ?, 'search', 'x', ?)",
                (str(number), state, at),
            )
    with Journal(path) as journal:
        assert carry_out(journal, Period(1, "d")).forgotten.contacts == 2
    left = select(path, "SELECT state, message FROM contacts ORDER BY id")
    assert left == [("created", ""), ("unknown", "x"), ("sending", "x"), ("known", "x")]


def test_n8_a_row_of_a_purge_is_known_by_other_spellings_too(office: Office, give: Give) -> None:
    """A key that only looks different is an issue after a purge as before, never a second case."""
    office.write(tickets(["00123"]))
    assert give(run(office)).status == 0
    age(office.journal)
    assert give(purge(office)).status == 0
    office.write(tickets(["123"]))
    result = give(run(office))
    assert (result.status, office.sandbox.posts, result.json["counts"]["invalid"]) == (1, 1, 1)
    assert Status.CREATED in states(office.journal)
