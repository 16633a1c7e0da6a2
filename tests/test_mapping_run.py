"""Mappings that need several rows or tables, end to end against the sandbox."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from importer.cli.main import execute
from importer.sandbox import RunningSandbox

MAPPING = """\
version: 1
import: events
source: {sheet: Log, key: Ticket, keep: last, skip_if: {Estado: Borrador}}
fields:
  case-type: {column: Tipo, values: {Queja: Complaints, "*": Request}}
  responsible: ADMIN_@demo
  owner: {column: Agente, lookup: {sheet: Agentes, key: Nombre, value: Usuario}}
  contact: {column: Correo, type: email}
  description: {template: "{Asunto} ({Fecha:DD/MM/YYYY})"}
  status: {column: Estado}
  priority: {value: Alta, when: {Tipo: Queja}, default: Baja}
form:
  Celular:
    object: {type: telephone, value: {column: Celular, type: phone, country: CO, format: national}, code: "+57"}
attachments: {folder: files, patterns: "{Ticket}/*.txt", names_in: description}
reference: description
"""
LOG = [
    ("Ticket", "Tipo", "Agente", "Correo", "Asunto", "Fecha", "Estado", "Celular"),
    ("T-1", "Queja", "Ana", "a@example.com", "Vieja", "13/01/2026", "Abierto", "300 123 4567"),
    ("T-2", "Otra", "LUZ", "b@example.com", "Dos", "02/01/2026", "Abierto", ""),
    ("T-1", "Queja", "Luz", "a@example.com", "Nueva", "03/01/2026", "En curso", "300 123 4567"),
    ("T-2", "Otra", "Luz", "b@example.com", "Borrador", "04/01/2026", "borrador", ""),
]


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Provide a workbook with an event log and a sheet of agents, its mapping and its files."""
    book = openpyxl.Workbook()
    log, agents = book.active, book.create_sheet("Agentes")
    assert log is not None
    log.title = "Log"
    for row in LOG:
        log.append(row)
    for row in (("Nombre", "Usuario"), ("Ana", "ANA_@demo"), ("Luz", "LUZ_@demo")):
        agents.append(row)
    book.save(tmp_path / "events.xlsx")
    (tmp_path / "mapping.yml").write_text(MAPPING, "utf-8")
    (tmp_path / "files" / "T-1").mkdir(parents=True)
    (tmp_path / "files" / "T-1" / "nota.txt").write_text("hola", "utf-8")
    return tmp_path / "events.xlsx"


def test_an_event_log_with_a_lookup_sheet_becomes_one_case_of_each_key(
    source: Path, sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest row of each key is sent, with agents from another sheet and files from patterns."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    where = ["-m", str(source.parent / "mapping.yml"), "--server", sandbox.url, "--operation", "demo"]
    journal = ["--journal", str(source.parent / "journal.db")]
    assert execute(["run", str(source), *where, *journal, "--yes", "--json"]) == 0
    sent = [case.body for case in sandbox.store.cases]
    shown = [
        (body["description"].split("\n", 1)[1], body["owner"], body["case-type"], body["priority"], body["form"])
        for body in sorted(sent, key=lambda body: body["contact"])
    ]
    assert shown == [
        ("Nueva (03/01/2026)\n\n1. nota.txt", "LUZ_@demo", "Complaints", "Alta",
         {"Celular": {"type": "telephone", "value": "3001234567", "code": "+57"}}),
        ("Dos (02/01/2026)", "LUZ_@demo", "Request", "Baja", {}),
    ]  # fmt: skip
    assert [len(case.attachments) for case in sandbox.store.cases].count(1) == 1
