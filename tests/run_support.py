"""An office for the tests of whole commands: a folder with a sheet and a mapping, and the command line in it."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from importer.journal_place import Place, Server
from importer.sandbox import RunningSandbox

HEADER = ("Ticket", "Correo", "Asunto", "Detalle", "Estado", "Solución", "Prioridad")

MAPPING = """\
version: 1
import: office
source:
  key: Ticket
fields:
  case-type: Request
  responsible: ADMIN_@demo
  owner: ADMIN_@demo
  contact: {column: Correo, type: email}
  description: {column: Detalle}
  status: {column: Estado, allowed: [Abierto, Cerrado], closed: [Cerrado]}
  priority: {column: Prioridad, default: Media, allowed: [Alta, Media, Baja]}
  solution: {column: Solución}
form:
  Subject: {column: Asunto}
reference: description
"""


@dataclass(frozen=True)
class Result:
    """What a command printed and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The one object that `--json` prints."""
        found: dict[str, Any] = json.loads(self.out)
        return found


Give = Callable[[list[str]], Result]
"""Carries out a command line: the fixture `give`, or one like it."""


def ticket(number: object, **changed: str) -> dict[str, str]:
    """Return the cells of a valid row."""
    row = {
        "Ticket": str(number),
        "Correo": f"cliente{number}@example.com",
        "Asunto": f"Asunto {number}",
        "Detalle": f"Detalle del caso {number}: {{sin llaves}}",
        "Estado": "Abierto",
        "Solución": "",
        "Prioridad": "Alta",
    }
    return row | changed


@dataclass
class Office:
    """A folder with a source, a mapping and a journal of its own, and a simulated CRM to send to."""

    folder: Path
    sandbox: RunningSandbox
    environment: dict[str, str] = field(default_factory=lambda: {"WOLKVOX_TOKEN": "any"})
    place: Server | None = None

    @property
    def source(self) -> Path:
        """The sheet."""
        return self.folder / "tickets.csv"

    @property
    def mapping(self) -> Path:
        """The mapping file."""
        return self.folder / "mapping.yml"

    @property
    def report(self) -> Path:
        """The default path of the report."""
        return self.folder / "tickets.report.xlsx"

    @property
    def journal(self) -> Place:
        """The journal."""
        return self.place or self.folder / "journal" / "journal.db"

    def write(self, rows: Iterable[Mapping[str, str]], header: Iterable[str] = HEADER) -> None:
        """Write the sheet, and the usual mapping if there is none."""
        with self.source.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(header))
            writer.writeheader()
            writer.writerows(rows)
        if not self.mapping.exists():
            self.mapping.write_text(MAPPING, encoding="utf-8")

    def arguments(self, command: str, *more: str) -> list[str]:
        """Return the words of a command on this office's files."""
        where = ["--server", self.sandbox.url, "--operation", "demo"]
        if command in {"run", "report"}:
            where += ["--journal", str(self.journal)]
        return [command, str(self.source), "-m", str(self.mapping), *where, *more]

    def settle(self, *more: str) -> list[str]:
        """Return the words of `settle` on this office's import."""
        return ["settle", *self.arguments("settle", "--journal", str(self.journal), *more)[2:]]

    def adopt(self, report: Path, *more: str) -> list[str]:
        """Return the words of `adopt` for a report of this office."""
        return ["adopt", str(report), *self.arguments("adopt", "--journal", str(self.journal), *more)[2:]]

    def start(self, command: str, *more: str) -> subprocess.Popen[str]:
        """Start a command as a process of its own."""
        return subprocess.Popen(
            [sys.executable, "-m", "importer", *self.arguments(command, *more)],
            env={**os.environ, **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def reported(self, path: Path | None = None) -> pd.DataFrame:
        """Read the report's sheet, every cell as text."""
        path = path or self.report
        return pd.read_excel(path, sheet_name="Report", engine="openpyxl", dtype=str, keep_default_na=False)
