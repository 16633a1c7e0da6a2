"""The bundle for asking for help has facts, and nothing of tickets, people, places and secrets."""

from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from promise_support import tickets
from run_support import Give, Office
from test_sharing import texts_in

from importer.mapping import masked_outline
from importer.settings import settings_path
from importer.support import Member, make_bundle, write_bundle

SECRET = "zqxjv"
"""In everything that is private; no word of ours has it."""


def content(members: list[Member], name: str) -> dict[str, object]:
    """Return a member's JSON."""
    found: dict[str, object] = json.loads(next(member.content for member in members if member.name == name))
    return found


@pytest.fixture
def worked(office: Office, give: Give, monkeypatch: pytest.MonkeyPatch) -> Office:
    """Send rows from a place, for an import and with settings whose every word is private, with a log."""
    folder = office.folder / f"{SECRET} carpeta"
    folder.mkdir()
    office.folder = folder
    rows = [
        {name: f"{cell} {SECRET}" if name in {"Asunto", "Detalle"} else cell for name, cell in row.items()}
        for row in tickets([f"{SECRET}-1", f"{SECRET}-2", f"{SECRET}-3"], Correo=f"{SECRET}@example.com")
    ]
    rows[2]["Estado"] = SECRET
    office.write(rows)
    text = office.mapping.read_text("utf-8").replace("import: office", f"import: {SECRET}-import")
    office.mapping.write_text(
        f"# {SECRET}\n{text}".replace("default: Media", f"default: Media, values: {{{SECRET}: Alta, Alta: Alta}}")
    )
    monkeypatch.setenv("WOLKVOX_TOKEN", f"{SECRET}-token")
    monkeypatch.setenv("USER", f"{SECRET}-user")
    monkeypatch.setenv("LOGNAME", f"{SECRET}-user")
    settings_path().parent.mkdir(parents=True, exist_ok=True)
    settings_path().write_text(
        f'operation = "{SECRET}_op"\ncase_url = "https://{SECRET}.example/{{wolkvox_id}}"\nfolders = ["/{SECRET}"]\n',
        "utf-8",
    )
    words = office.arguments("run", "--yes", "--log-file", str(folder / "log.jsonl"))
    words[words.index("demo")] = f"{SECRET}_op"
    give(words)
    return office


def test_n13_nothing_private_is_in_a_bundle(worked: Office, give: Give) -> None:
    """No cell, key, reference, id, address, path, host or token is in a member, a name, a comment or the bytes."""
    path = worked.folder.parent / "ayuda.zip"
    words = [
        "--mapping",
        str(worked.mapping),
        "--log",
        str(worked.folder / "log.jsonl"),
        "--journal",
        str(worked.journal),
    ]
    done = give(["support", "--output", str(path), *words])
    assert done.status == 0, done.err
    ids = [case.wolkvox_id for case in worked.sandbox.store.cases]
    assert ids
    assert SECRET.encode() not in path.read_bytes()
    for text in texts_in(path):
        for private in (SECRET, SECRET.upper(), "WCI-", "127.0.0.1", "@", str(worked.folder.parent), *ids):
            assert private not in text, private
    with zipfile.ZipFile(path) as bundle:
        names = bundle.namelist()
        log = [json.loads(line) for line in bundle.read("log.jsonl").splitlines()]
    assert all(name in done.out for name in names), "what is in it is listed first"
    assert done.out.index(names[-1]) < done.out.index(str(path))
    assert [line["row"] for line in log if line["event"] == "attempt"] in ([1, 2], [2, 1])
    assert {line["state"] for line in log if line["event"] == "attempt"} == {"created"}
    assert give(["support", "--output", str(path), "--journal", str(worked.journal)]).status == 2, "never over a file"


def test_n13_a_bundle_has_what_helps(worked: Office) -> None:
    """Versions, which settings are there, the journal's standing, counts and runs, and the grammar of the mapping."""
    members = make_bundle(worked.journal, mapping=worked.mapping)
    assert [member.name for member in members] == ["program.json", "settings.json", "journal.json", "mapping.json"]
    assert content(members, "program.json")["packages"]
    found = content(members, "settings.json")
    assert (found["operation"], found["case_url"], found["folders"], found["token_file"]) == (True, True, 1, False)
    assert "WOLKVOX_TOKEN" in str(found["variables"])
    journal = content(members, "journal.json")
    assert (journal["standing"], journal["damages"], journal["states"]) == ("sound", 0, {"created": 2, "invalid": 1})
    assert "contact" in str(content(members, "mapping.json")["outline"])
    assert "email" in str(content(members, "mapping.json")["outline"])


@pytest.mark.parametrize("name", ["journal", "mapping", "settings"])
def test_n13_what_is_broken_is_told_by_its_kind_alone(worked: Office, name: str) -> None:
    """A damaged journal, mapping or settings file is when help is asked for: the bundle is made all the same."""
    broken = {"journal": worked.journal, "mapping": worked.mapping, "settings": settings_path()}[name]
    if name == "journal":
        for path in worked.journal.parent.iterdir():
            path.unlink()
    broken.write_text(f"{SECRET}: [{SECRET}", "utf-8")
    members = make_bundle(worked.journal, mapping=worked.mapping)
    found = content(members, f"{name}.json")
    assert "error" in found or found["faults"]
    assert SECRET not in "".join(member.content for member in members)


def test_without_a_journal_there_is_a_bundle_too(tmp_path: Path, give: Give) -> None:
    """Before the first run, and with a log that is not there."""
    assert content(make_bundle(tmp_path / "none.db"), "journal.json") == {"exists": False}
    assert give(["support", "--output", str(tmp_path / "a.zip"), "--log", str(tmp_path / "none")]).status == 2
    assert not (tmp_path / "a.zip").exists()


_WORDS = st.text(st.characters(categories=["L", "N", "P", "Zs"]), min_size=4, max_size=12).map(
    lambda text: f"{SECRET}{text}"
)


@given(
    lines=st.lists(
        st.dictionaries(
            st.sampled_from(["at", "level", "event", "run", "reference", "state", "seconds", "code", "bytes", "x"])
            | _WORDS,
            _WORDS | st.integers() | st.lists(_WORDS, max_size=2),
            max_size=6,
        )
        | _WORDS,
        max_size=5,
    ),
    texts=st.lists(_WORDS, min_size=6, max_size=6, unique=True),
)
@example(lines=[{"run": 3001234567, "code": "3001234567", "at": "2026-01-01T00:00:00 x"}], texts=list("abcdef"))
@settings(max_examples=12)
def test_n13_no_foreign_word_of_a_log_or_a_mapping_comes_through(
    tmp_path_factory: pytest.TempPathFactory, lines: list[object], texts: list[str]
) -> None:
    """Whatever stands in a log or a mapping, only our own words and small numbers are in the bundle."""
    folder = tmp_path_factory.getbasetemp()
    log, mapping = folder / "any.log", folder / "any.yml"
    log.write_text("\n".join(json.dumps(line) for line in lines), "utf-8")
    one, two, three, four, five, six = map(json.dumps, texts)
    mapping.write_text(
        f"version: 1\nimport: {one}\nsource: {{key: {two}, {three}: 1}}\nfields:\n"
        f"  status: {{column: {four}, values: {{{five}: {six}}}, allowed: [{one}]}}\nform:\n  {two}: {three}\n",
        "utf-8",
    )
    members = make_bundle(folder / "none.db", mapping=mapping, log=log)
    written = "".join(member.content for member in members)
    assert SECRET not in written
    assert "3001234567" not in written


@pytest.mark.parametrize(
    ("text", "kept"),
    [("YYYY-MM-DD", True), ("DD/MM/YYYY HH:mm", True), ("Dr. M. S.", False), ("Ana", False), ("S", False), ("", True)],
)
def test_formats_stay_and_texts_do_not(tmp_path: Path, text: str, kept: bool) -> None:  # noqa: FBT001 - a parameter
    """What a format can be is no text of a person."""
    path = tmp_path / "a.yml"
    path.write_text(f"form:\n  A: {{type: date, format: {json.dumps(text)}}}\n", "utf-8")
    outline = str(masked_outline(path)["outline"])
    assert (repr(text) in outline) == kept
    assert "'A'" not in outline


def test_a_bundle_that_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is an error, and no half of a file."""

    def full(*_arguments: object) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(zipfile.ZipFile, "writestr", full)
    with pytest.raises(OSError, match="space"):
        write_bundle([Member("a", "", "")], tmp_path / "a.zip")
    assert not list(tmp_path.iterdir())
