"""Bad input gets one sentence and the right exit status; nothing is sent and nothing is lost."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import NoReturn

import pytest
from promise_support import end_leases
from run_support import HEADER, MAPPING, Give, Office, ticket

from importer.names import size_text


def test_half_a_character_is_a_fault_of_the_mapping(office: Office, give: Give) -> None:
    """An escape for half a character is reported with its line, before anything is sent."""
    office.mapping.write_text(MAPPING.replace("Request", r'"Re\ud83dq"'), encoding="utf-8")
    office.write([ticket(1)])
    result = give(office.arguments("run", "--yes"))
    assert (result.status, office.sandbox.posts) == (2, 0)
    assert f"{office.mapping}:6:14: fields.case-type" in result.err
    assert r"\ud83d" in result.err


@pytest.mark.parametrize("seconds", ["nan", "inf", "-1", "5"])
def test_a_quiet_period_that_is_none_is_refused(seconds: str, office: Office, give: Give) -> None:
    """The quiet period must be a sensible number of seconds; `nan` is not."""
    office.write([ticket(1)])
    real = ["--server", "crm0001.wolkvox.com", "--first-run", "--yes"]
    result = give(office.arguments("run", *real, f"--quiet-period={seconds}"))
    assert result.status == 2
    assert seconds in result.err


@pytest.mark.parametrize("column", ["wolkvox_id", "Wolkvox-ID", "WOLKVOX ID"])
def test_a_column_of_ids_is_refused_and_adopted_by_the_same_name(column: str, office: Office, give: Give) -> None:
    """`adopt` recognises the same columns of ids that make `run` refuse."""
    office.write([{**ticket(n), column: f"64cb{n}"} for n in (1, 2)], (*HEADER, column))
    refused = give(office.arguments("run", "--yes"))
    assert (refused.status, office.sandbox.posts) == (2, 0)
    assert "adopt" in refused.err
    assert give(office.adopt(office.source)).status == 0
    done = give(office.arguments("run", "--yes", "--json"))
    assert (done.status, done.json["counts"]["created"], office.sandbox.posts) == (0, 2, 0)


def test_a_user_without_a_name_imports_all_the_same(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the system has no name for the user, as in many containers, the run continues."""

    def no_user() -> NoReturn:
        raise KeyError("getpwuid(): uid not found: 54321")

    monkeypatch.setattr(getpass, "getuser", no_user)
    office.write([ticket(1)])
    assert give(office.arguments("run", "--yes")).status == 0


@pytest.mark.parametrize("name", ["tickets.report.xlsx", "other.xlsx", "other.csv", "other.html"])
def test_a_file_where_the_report_goes_that_is_none(name: str, office: Office, give: Give) -> None:
    """An unreadable file at the report's path stops the run, since it could hold ids."""
    office.write([ticket(1)])
    there = office.folder / name
    there.write_text("hello\n", encoding="utf-8")
    result = give(office.arguments("run", "--yes", "--report", str(there)))
    assert (result.status, office.sandbox.posts) == (2, 0)
    assert f"{there} is where the report goes" in result.err
    assert "--report" in result.err
    assert there.read_text(encoding="utf-8") == "hello\n"


def test_nothing_is_appended_to_what_is_no_log(office: Office, give: Give) -> None:
    """`--log-file` refuses to append to the source, and appends to an existing log."""
    office.write([ticket(1), ticket(2)])
    before = office.source.read_bytes()
    assert give(office.arguments("check", "--log-file", str(office.source))).status == 2
    assert office.source.read_bytes() == before
    log = office.folder / "log.jsonl"
    log.write_text('{"event": "an earlier run"}\n', encoding="utf-8")
    assert give(office.arguments("run", "--yes", "--log-file", str(log))).status == 0
    assert len(log.read_text(encoding="utf-8").splitlines()) == 3


def test_a_verdict_on_a_key_of_two_imports_asks_which(office: Office, give: Give) -> None:
    """If a key is doubtful in two imports, a verdict needs the import's name."""
    office.sandbox.inject("closed-after-creating")
    for name in ("office", "branch"):
        office.mapping.write_text(MAPPING.replace("import: office", f"import: {name}"), encoding="utf-8")
        office.write([ticket(1)])
        assert give(office.arguments("run", "--yes", "--new-import")).status == 4
        office.report.unlink()
    posts = office.sandbox.posts
    end_leases(office.journal)
    verdict = ["settle", "--journal", str(office.journal), "--quiet-period", "0", "--by-hand", "1", "--not-created"]
    asked = give(verdict)
    assert asked.status == 2
    assert "office" in asked.err
    assert "branch" in asked.err
    where = ["--server", office.sandbox.url, "--operation", "demo"]
    assert give([*verdict, "-m", str(office.mapping), *where]).status == 0
    left = give([*verdict[:-1], "--created", "64cb"])
    assert (left.status, office.sandbox.posts) == (0, posts)


def test_what_a_repeated_key_says_of_all_its_rows(office: Office, give: Give) -> None:
    """The grouped line names all rows of a repeated key, and repeats no row's own sentence."""
    office.write([ticket(1), ticket(2), ticket(1, Asunto="otro"), ticket(1, Asunto="más")])
    result = give(office.arguments("check"))
    _rows, _blank, groups = result.out.partition("Fixes that resolve several rows:\n")
    assert groups.splitlines()[0].startswith("  3 rows: Ticket '1' in rows 2, 4, 5. Delete")


def test_the_summary_adds_up(office: Office, give: Give) -> None:
    """Rows to send, rows not sent and rows that wait add up to all rows of the source."""
    office.write([ticket(1), ticket(2), ticket(3), ticket(4, Correo="nobody")])
    result = give(office.arguments("run", "--yes", "--limit", "1"))
    assert result.status == 3
    assert "  send      1 row, one case\n" in result.err
    assert "  not sent  1 invalid, 0 skipped, 0 already created\n" in result.err
    assert "  later     2 rows\n" in result.err


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("con espacios y ñ.csv", ",".join(HEADER).encode() + b"\n"),
        ("broken.xlsx", b"PK\x03\x04 and no more"),
        ("empty.xlsx", b""),
        ("picture.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"),
        ("locked.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)),
    ],
)
@pytest.mark.parametrize("command", ["check", "run"])
def test_a_source_that_holds_nothing_gets_a_sentence(
    command: str, name: str, content: bytes, office: Office, give: Give
) -> None:
    """A source with only a header is valid; a file that is not a spreadsheet is named, with what to do."""
    office.write([])
    source = office.folder / name
    source.write_bytes(content)
    words = office.arguments(command, *(["--yes"] if command == "run" else []))
    result = give([words[0], str(source), *words[2:]])
    assert result.status == (0 if b"Ticket" in content else 2)
    assert result.status == 0 or name in result.err
    assert "Internal error" not in result.err
    assert office.sandbox.posts == 0


@pytest.mark.parametrize(
    "strange", ["a\0b", "x" * 10_000, "😀" * 50, "línea\r\nlínea", "=1+1", r"C:\temp\{x}", "\u202eabc"]
)
def test_a_strange_cell_is_sent_as_it_is_or_named(strange: str, office: Office, give: Give) -> None:
    """Whatever a cell contains, its row becomes a case with what a person sees, or an issue; the other row is sent."""
    office.write([ticket(1, Detalle=strange), ticket(2)])
    result = give(office.arguments("run", "--yes", "--json"))
    counts = result.json["counts"]
    assert counts["created"] + counts["invalid"] == 2
    bodies = [case.body["description"].partition("\n")[2] for case in office.sandbox.store.cases]
    assert len(bodies) == counts["created"]
    if counts["created"] == 2:
        assert sorted(bodies) == sorted([strange.removeprefix("\u202e"), ticket(2)["Detalle"]])
    assert len(office.reported()) == 2


def test_paths_with_spaces_accents_and_links(office: Office, give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source can be a link in a folder with spaces and accents, and a path relative to another folder."""
    office.write([ticket(1)])
    folder = office.folder / "Año 2026, casos"
    folder.mkdir()
    (folder / "enlace.csv").symlink_to(os.path.relpath(office.source, folder))
    monkeypatch.chdir(folder)
    words = office.arguments("run", "--yes", "--json")
    result = give([words[0], "enlace.csv", *words[2:]])
    assert result.status == 0
    assert (folder / Path(result.json["report"])).is_file()


@pytest.mark.parametrize(
    ("size", "text"), [(1, "1 byte"), (999, "999 bytes"), (18_400, "18.4 kB"), (2_000_000_000, "2.0 GB")]
)
def test_sizes_are_written_for_people(size: int, text: str) -> None:
    """Sizes are shown in the unit that a person would choose."""
    assert size_text(size) == text
