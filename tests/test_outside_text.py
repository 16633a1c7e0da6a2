"""Text from outside stays text: a terminal obeys nothing in a cell, a header or a name."""

from __future__ import annotations

import io
import json
import logging
import os
import pty
import re
import sys
import threading
from contextlib import closing, suppress
from pathlib import Path

import pytest
import yaml
from openpyxl import Workbook
from run_support import Give, Office

from importer.cli import logs
from importer.cli.main import execute
from importer.cli.output import json_text
from importer.messages import _, ngettext
from importer.text import clean, yaml_quoted

EVIL = "a\x1b[35mb\x1b]0;title\x07c\u202ed\u2066e\x07f\x08g\rh\x9b35mi\x9d0;t\x9cj\u200bk\U000e0001l"
OF_OURS = re.compile("\x1b\\[(?:0|1|31|36)m")
"""The colours that the commands use themselves."""


def obeyed(printed: str) -> list[str]:
    """Return the characters that a terminal would obey or hide."""
    text = OF_OURS.sub("", printed).replace("\r\n", "\n")
    return [sign for sign in text if sign not in "\n\t" and clean(sign) != sign]


def test_x7_a_sentence_cleans_every_value_of_its() -> None:
    """Texts, paths and errors in a sentence are cleaned; numbers and times keep their formats."""
    assert _("{a} {b:,} {c}", a=EVIL, b=1234, c=Path(EVIL)) == f"{clean(EVIL)} 1,234 {clean(EVIL)}"
    assert not obeyed(ngettext("{x}", "{x}", 1, x=OSError(22, EVIL)))
    assert _("{a}", a="{b}") == "{b}"


def test_x7_json_is_the_same_for_a_program_and_harmless_for_a_terminal() -> None:
    """A program reads the original values from the JSON, including half a character; a terminal obeys none."""
    value = {EVIL: [EVIL, "\ud800", "ñ"]}
    assert json.loads(json_text(value)) == value
    assert not obeyed(json_text(value))
    assert "ñ" in json_text(value)


def test_x7_a_drafted_mapping_names_the_header_and_prints_harmlessly() -> None:
    """A header with control characters is written in escapes, which YAML reads back."""
    assert yaml.safe_load(yaml_quoted(EVIL)) == EVIL
    assert not obeyed(yaml_quoted(EVIL))


def test_x7_a_log_obeys_nothing(tmp_path: Path) -> None:
    """Neither the log file nor the output of -v has characters that a terminal obeys."""
    record = logging.LogRecord("importer", logging.INFO, "", 0, "%s", (EVIL,), None)
    for form in (logs._JsonFormatter(), logs._TextFormatter()):
        assert not obeyed(form.format(record))
    assert tmp_path


@pytest.fixture
def sheet(office: Office) -> tuple[Path, Path]:
    """Provide a source whose names, headers and cells are hostile, and its mapping."""
    header = "Nota " + EVIL.replace("\x07", "").replace("\x08", "").replace("\x1b", "")  # a workbook holds no others
    csv = office.folder / f"evil {EVIL}.csv"
    csv.write_text(f'Ticket,"Nota {EVIL}",Tipo\n1,"{EVIL}","{EVIL}"\n"2{EVIL}",x,"{EVIL}"\n', "utf-8", newline="")
    book = Workbook()
    book.active.title = "Hoja \u202e\x9b35m"
    for line in (["Ticket", header, "Tipo"], [1, header, header]):
        book.active.append(line)
    book.save(office.folder / "evil.xlsx")
    mapping = office.folder / "evil.yml"
    mapping.write_text(
        "version: 1\nimport: evil\nsource: {key: Ticket}\n"
        f"target: {{server: '{office.sandbox.url}', operation: demo}}\n"
        "fields: {case-type: {column: Tipo, values: {a: Request}, default: Request},"
        " responsible: A_@demo, owner: A_@demo, contact: ana@example.com,"
        " description: {template: 'hola {Ticket}'}, status: Abierto, priority: Alta}\n"
        "reference: description\n",
        "utf-8",
    )
    return csv, mapping


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, *arguments: str | Path) -> str:
    """Return what a command prints on a terminal."""
    ours, theirs = pty.openpty()
    printed: list[bytes] = []

    def read() -> None:
        with suppress(OSError):  # how Linux says that the other end is closed
            while block := os.read(ours, 1 << 16):
                printed.append(block)

    reader = threading.Thread(target=read)
    reader.start()
    with monkeypatch.context() as patched, closing(os.fdopen(theirs, "r+b", buffering=0)) as terminal:
        for name in ("stdin", "stdout", "stderr"):
            patched.setattr(sys, name, io.TextIOWrapper(terminal, "utf-8", write_through=True))
        execute(list(map(str, arguments)))
    reader.join()
    os.close(ours)
    return b"".join(printed).decode("utf-8", "surrogateescape")


def test_x7_no_command_lets_a_terminal_obey_a_cell_a_header_or_a_name(
    office: Office, sheet: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a hostile sheet, commands print only their own colours and no other control characters."""
    csv, mapping = sheet
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    monkeypatch.setenv("TERM", "xterm")
    journal = ("--journal", office.folder / "j.sqlite")
    colours: list[str] = []
    for arguments in (
        ("check", csv, "-m", mapping),
        ("check", csv, "-m", mapping, "--json"),
        ("preview", csv, "-m", mapping),
        ("preview", csv, "-m", mapping, "--issues"),
        ("draft", csv),
        ("draft", office.folder / "evil.xlsx"),
        ("check", office.folder / f"none {EVIL}.csv", "-m", mapping),
        ("check", csv, "-m", csv),
        ("run", csv, "-m", mapping, "--yes", "-v", *journal),
        ("history", *journal),
        ("history", "1", *journal),
        ("check", csv, f"--no{EVIL}"),
    ):
        printed = on_a_terminal(monkeypatch, *arguments)
        assert printed.strip(), arguments[0]
        colours += OF_OURS.findall(printed)
        assert not obeyed(re.sub("\r[^\n]*it/s[^\n]*|\r|\x1b\\[A", "", printed)), (arguments[0], printed)
    assert colours, "they did not take it for a terminal"


def test_x7_the_page_of_a_report_turns_no_direction(office: Office, sheet: tuple[Path, Path], give: Give) -> None:
    """The report's page contains no direction mark and no control character from a cell."""
    csv, mapping = sheet
    page, journal = office.folder / "r.html", office.folder / "j.sqlite"
    result = give(["report", str(csv), "-m", str(mapping), "--report", str(page), "--journal", str(journal)])
    assert result.status in (0, 1, 3), result
    assert not obeyed(page.read_text("utf-8"))
