"""The demo, wherever the program is installed: it brings its sample along, and begins afresh each time."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from run_support import Give

from importer.cli.main import execute
from importer.sandbox import demo
from importer.system import itself

ROOT = Path(__file__).parent.parent
Runs = list[tuple[Sequence[str], Mapping[str, str]]]


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    """Have an empty folder, and carry out in this process what the demo starts as a process of its own."""
    started: Runs = []

    def run(command: Sequence[str], *, env: Mapping[str, str], **_options: object) -> subprocess.CompletedProcess[str]:
        words = command[len(itself.program()) :]
        started.append((words, env))
        with monkeypatch.context() as patch:
            for name in ("WOLKVOX_TOKEN", "CASE_IMPORTER_LANG", *demo._STATE_VARIABLES):
                patch.setenv(name, env[name])
            with contextlib.redirect_stdout(io.StringIO()) as out:
                return subprocess.CompletedProcess(command, execute(list(words)), out.getvalue())

    monkeypatch.setattr(demo.subprocess, "run", run)
    monkeypatch.chdir(tmp_path)
    return started


def test_the_demo_shows_an_import_and_begins_afresh_each_time(runs: Runs, give: Give, tmp_path: Path) -> None:
    """In an empty folder and again in the same one, the sample becomes 32 cases, in the language that is spoken."""
    for _time in range(2):
        done = give(["demo", "--lang", "es"])
        assert done.status == 0
        assert "tiene 32 casos" in done.out
        assert "Recibió 15 adjuntos" in done.out
        (tmp_path / "demo" / "sample_data" / "legacy_tickets.xlsx").write_bytes(b"somebody tried something")
    assert runs[0][1]["CASE_IMPORTER_LANG"] == "es"
    reports = [path.name for path in (tmp_path / "demo").glob("*.xlsx")]
    assert reports == ["legacy_tickets.report.xlsx"]
    assert not list((tmp_path / "demo").rglob("*.py"))


def test_the_demo_leads_to_what_still_works_when_it_has_ended(runs: Runs, give: Give) -> None:
    """Its only next step is its own: the sample is rehearsed, without the sandbox and the journal of the demo."""
    done = give(["demo", "--lang", "es"])
    assert len(runs) == 1
    before, _first, step = done.out.partition("Siguiente paso: ")
    assert "caso creado: 32" in before
    assert "Siguiente paso" not in step
    rehearsal = re.findall(r"`case-importer ([^`]*)`", step)[0].split()
    assert "--journal" not in rehearsal
    assert give(rehearsal).status == 1


def test_a_demo_whose_folder_cannot_be_used_says_so(runs: Runs, give: Give, tmp_path: Path) -> None:
    """The sentence names the folder; nothing is started."""
    (tmp_path / "demo").write_text("a file")
    done = give(["demo"])
    assert done.status == 2
    assert str(tmp_path / "demo") in done.err
    assert runs == []


def test_the_sample_of_an_installed_package_goes_before_that_of_a_checkout(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wheel and the bundle have it beside the module, as `setup.py` and the bundle's recipe put it there."""
    installed, checkout = demo._PLACES
    assert (installed, checkout) == (ROOT / "importer" / "sandbox" / "sample", ROOT)
    for recipe in ("setup.py", "packaging/bundle/case-importer.spec"):
        text = (ROOT / recipe).read_text("utf-8").replace('", "', "/")
        assert "importer/sandbox/sample" in text
        assert all(part in text for part in demo._PARTS)
    for part in demo._PARTS:
        (tmp_path / "package" / part).mkdir(parents=True)
    (tmp_path / "package" / "sample_data" / "legacy_tickets.xlsx").write_bytes(b"installed")
    monkeypatch.setattr(demo, "_PLACES", (tmp_path / "package", checkout))
    demo._lay_out()
    assert Path("demo/sample_data/legacy_tickets.xlsx").read_bytes() == b"installed"
    assert runs == []
