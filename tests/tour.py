r"""Walk through a page of the documentation as its reader does: run its commands, do what it says between them.

A block marked `console` is run line by line, after each prompt (`$ `, or `C:\Folder>` as in Windows), in one copy of
the samples and mappings and against one simulated CRM; `$?` is the exit status of the command before. Blocks with other
marks (`sh`, `text`) are not run. What the reader does besides is a comment that the page does not show:

    <!-- workbook: tickets.xlsx -->            types the table below it into a new workbook
    <!-- file: tickets.yml -->                 saves the block below it under this name
    <!-- cells: tickets.xlsx!2!C4 = A | B -->  types into the second sheet, from C4 to the right
    <!-- answer: s -->                         sits at a terminal from here on, and answers every question so
    <!-- fault: closed-after-creating -->      gives the simulated CRM a fault from here on
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from itertools import takewhile
from pathlib import Path

from nursery import Nursery
from openpyxl import Workbook, load_workbook
from openpyxl.utils.cell import coordinate_to_tuple
from openpyxl.worksheet.worksheet import Worksheet

from importer.sandbox import RunningSandbox

ROOT = Path(__file__).parent.parent
SERVER = "http://127.0.0.1:8765"  # as the pages write it; the real one has a free port

_STEP = re.compile(r"^<!-- (?P<act>[a-z]+): (?P<what>.+?) -->$|(?<=^```console\n)(?s:.*?)(?=^```$)", re.MULTILINE)
_COMMAND = re.compile(r"^(\$ |[A-Z]:\\[^>\n]*>)((?:.*\\\n)*.*\n)", re.MULTILINE)
_DAY = re.compile(r"\d\d/\d\d/\d{4}")
_AN_HOUR_AGO = "UPDATE attempts SET deadline = deadline - 3600, lease = lease - 3600"
_QUESTION, _PATIENCE = b"]: ", 9  # how a question ends, and after how many the reader leaves


class Tour:
    """One reader with a folder, the samples in it, and a simulated CRM."""

    def __init__(self, folder: Path, crm: RunningSandbox, language: str, nursery: Nursery) -> None:
        """Lay out the samples in `folder`."""
        self._folder, self._crm, self._status, self._answer = folder, crm, 0, ""
        self._faulty = False
        self._environment = os.environ | {
            "PATH": f"{nursery.folder}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "HOME": str(folder / "home"),
            "XDG_DATA_HOME": str(folder / "home"),
            "WOLKVOX_TOKEN": "any",
            "CASE_IMPORTER_LANG": language,
            "COLUMNS": "100",
            "PYTHONIOENCODING": "utf-8",
        }
        for part in ("sample_data", "mappings"):
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("*.report.*"))

    def through(self, page: str) -> str:
        """Return the page with every output in its console blocks as its command gives it now."""
        return _STEP.sub(self._step, page)

    def _step(self, step: re.Match[str]) -> str:
        if step["act"]:
            acts = {
                "workbook": self._type,
                "file": self._save,
                "cells": self._correct,
                "answer": self._sit,
                "fault": self._break,
            }
            acts[step["act"]](step["what"], step.string[step.end() :].lstrip("\n"))
            return step[0]
        return "".join(f"{prompt}{command}{self._run(command)}" for prompt, command in _COMMAND.findall(step[0]))

    def _run(self, command: str) -> str:
        """Run one command; return what the terminal would show."""
        ready = command.replace("$?", str(self._status)).replace(SERVER, self._crm.url)
        arguments = ["sh", "-c", f"exec 2>&1\n{ready}"]
        if self._answer:
            shown, self._status = _at_a_terminal(arguments, self._folder, self._environment, self._answer)
        else:
            done = subprocess.run(
                arguments, cwd=self._folder, env=self._environment, capture_output=True, check=False, encoding="utf-8"
            )
            shown, self._status = done.stdout, done.returncode
        shown = shown.replace(self._crm.url, SERVER).replace(f"{self._folder}{os.sep}", "")
        self._let_time_pass()
        return "".join(f"{line.rstrip()}\n" for line in shown.splitlines())

    def _let_time_pass(self) -> None:
        """After a fault, make an hour pass for doubtful rows, so that the page need not wait for them."""
        for journal in self._folder.rglob("journal.db") if self._faulty else ():
            with closing(sqlite3.connect(journal)) as connection, connection:
                connection.execute(_AN_HOUR_AGO)

    def _type(self, name: str, below: str) -> None:
        book = Workbook()
        headers, _rule, *rows = takewhile(lambda line: line.startswith("|"), below.splitlines())
        for number, line in enumerate([headers, *rows], start=1):
            _fill(book.worksheets[0], number, 1, line.strip("|"))
        book.worksheets[0].title = "Hoja1"
        book.save(self._folder / name)

    def _save(self, name: str, below: str) -> None:
        block = below.partition("\n")[2].partition("```")[0]
        (self._folder / name).write_text(block.replace(SERVER, self._crm.url), "utf-8")

    def _correct(self, what: str, _below: str) -> None:
        where, _, texts = what.partition(" = ")
        name, sheet, place = where.split("!")
        book = load_workbook(self._folder / name)
        row, column = coordinate_to_tuple(place)
        _fill(book.worksheets[int(sheet) - 1], row, column, texts)
        book.save(self._folder / name)

    def _sit(self, answer: str, _below: str) -> None:
        self._answer = answer

    def _break(self, fault: str, _below: str) -> None:
        self._crm.inject(fault)
        self._faulty = True


def _fill(sheet: Worksheet, row: int, first: int, texts: str) -> None:
    """Type texts into cells side by side; as in Excel, what looks like a date is one."""
    for column, text in enumerate((each.strip() for each in texts.split("|")), start=first):
        cell = sheet.cell(row, column, text or None)
        if _DAY.fullmatch(text):
            cell.value, cell.number_format = datetime.strptime(text, "%d/%m/%Y"), "dd/mm/yyyy"  # noqa: DTZ007


def _at_a_terminal(arguments: Sequence[str], folder: Path, environment: dict[str, str], answer: str) -> tuple[str, int]:
    """Run a program at a terminal and answer its questions; return what it leaves on the screen, and its status."""
    import pty  # noqa: PLC0415 - not on Windows
    import termios  # noqa: PLC0415

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (50, 100))
    shown = b""
    with subprocess.Popen(
        arguments, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        while (chunk := _read(ours)) and shown.count(_QUESTION) < _PATIENCE:
            shown += chunk
            if shown.endswith(_QUESTION):
                os.write(ours, f"{answer}\n".encode())
        os.close(ours)
    text = re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", shown.decode("utf-8")).replace("\r\n", "\n")
    return "\n".join(line.rpartition("\r")[2] for line in text.split("\n")), process.returncode


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that nobody is at the other end any more
        return b""
