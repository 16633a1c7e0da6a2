"""The program without a console, and the folder that runs without Python: how they start, and what they say."""

from __future__ import annotations

import ctypes
import sys
import types
from pathlib import Path

import pytest

from importer import windowed
from importer.cli import main as cli
from importer.system import itself

ROOT = Path(__file__).parent.parent


def test_what_the_program_without_a_console_says_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error is one message with all of its lines, and the streams are afterwards what they were before."""
    shown: list[str] = []
    before = sys.stdout, sys.stderr
    assert windowed.carry_out(["web", "no such sheet.xlsx"], shown.append) == 2
    assert [("no such sheet.xlsx" in text, "Traceback" in text) for text in shown] == [(True, False)]
    assert (sys.stdout, sys.stderr) == before

    def two_lines(_words: list[str]) -> int:
        sys.stdout.write("the address\n")
        sys.stdout.write("opens once\n")
        sys.stdout.flush()
        return 0

    shown.clear()
    monkeypatch.setattr(cli, "execute", two_lines)
    assert windowed.carry_out(["web"], shown.append) == 0
    assert shown == ["the address\nopens once"]


def test_a_message_is_a_box_on_windows_and_a_page_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both show the text as it is."""
    opened: list[str] = []
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("webbrowser.open", opened.append)
    windowed.show_message("<b> & año")
    assert opened[0].startswith("file:///")
    assert "&lt;b&gt; &amp; año" in Path(opened[0].removeprefix("file://")).read_text("utf-8")
    boxes: list[tuple[object, ...]] = []
    library = types.SimpleNamespace(user32=types.SimpleNamespace(MessageBoxW=lambda *words: boxes.append(words)))
    monkeypatch.setattr(ctypes, "windll", library, raising=False)
    monkeypatch.setattr(windowed, "sys", types.SimpleNamespace(platform="win32"))
    windowed.show_message("<b> & año")
    assert boxes == [(None, "<b> & año", "case-importer", 0x10040)]
    assert len(opened) == 1


@pytest.mark.parametrize("running", ["case-importer", "case-importer-web"])
@pytest.mark.parametrize("ending", ["", ".exe"])
def test_a_bundle_starts_itself_and_its_scripts_by_the_program_with_a_console(
    running: str, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has no Python that `python -m importer` could start; outside of a bundle that is what is started."""
    assert itself.program() == (sys.executable, "-P", "-m", "importer")
    assert itself.script(Path("a.py")) == (sys.executable, "-P", "a.py")
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "executable", f"/opt/bundle/{running}{ending}")
    program = str(Path(f"/opt/bundle/case-importer{ending}"))
    assert itself.program() == (program,)
    assert itself.script(Path("a/child.pyc")) == (program, itself.RUN_SCRIPT, str(Path("a/child.py")))
