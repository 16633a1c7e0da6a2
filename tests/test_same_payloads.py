"""One table gives the same cases and is the same import in every format that an office saves it in."""

from __future__ import annotations

from pathlib import Path

import pytest
from run_support import Give, Office
from source_support import WORKBOOKS

from importer.pipeline import check
from importer.workflow.job import Job, load_job
from importer.workflow.planning.plan import build_payload

MAPPING = """\
version: 1
import: cases
source:
  key: Legajo
target: {server: crm0001.wolkvox.com, operation: demo}
fields:
  case-type: {column: Tipo, values: {Petición: Request, Queja: Complaints, Reclamo: Claims}}
  responsible: ADMIN_@demo
  owner: ADMIN_@demo
  contact: {column: Correo, type: email}
  description: {template: "{Nota}\\n{Legajo} {Documento} {Fecha} {Visto} {Avance}"}
  status: Abierto
  priority: Media
form:
  Monto: {column: Monto, type: currency}
  Fecha: {column: Fecha, type: date}
  Visto: {column: Visto, type: datetime}
reference: description
"""
SAVED = ["comma.csv", "semicolon.csv", "tab.csv", "bar.csv", "sep.csv", "xlsx", "xls", "ods"]
LAST_ROW = (
    b'{"operation":"demo","case-type":"Claims","responsible":"ADMIN_@demo","owner":"ADMIN_@demo","contact":'
    b'"jose@example.com","description":"[WCI-V6BG4Z3D159PQKJG]\\n=1+1\\n00125 NO 03/04/2026 2026-04-03 15:05:00 0.0%",'
    b'"form":{"Monto":1000000,"Fecha":"2026-04-03","Visto":"2026-04-03 15:05:00"},"status":"Abierto",'
    b'"priority":"Media","attachments":[]}'
)
MONEY = "  Monto: {column: Monto, type: currency}\n"


def saved_as(ending: str) -> Path:
    """Return the path of the table that LibreOffice saved in a format, or in a dialect of CSV."""
    return WORKBOOKS / (f"cases_{ending}" if ending.endswith("csv") else f"cases.{ending}")


def bodies(source: Path, mapping: Path) -> list[bytes]:
    """Return the bodies that a source would send; all of its rows are valid."""
    plan = check(load_job(Job(source, mapping)))
    assert [issue for row in plan for issue in row.issues] == []
    return [b"".join(build_payload(plan, row).chunks()) for row in plan]


def test_s1_one_table_in_every_format_gives_the_same_bytes(tmp_path: Path) -> None:
    """A table saved as CSV in five dialects, XLSX, XLS and ODS gives the same payloads, byte for byte."""
    mapping = tmp_path / "mapping.yml"
    mapping.write_text(MAPPING, encoding="utf-8")
    by_format = {ending: bodies(saved_as(ending), mapping) for ending in SAVED}
    assert [body == by_format["xlsx"] for body in by_format.values()] == [True] * len(SAVED)
    assert len(by_format["xlsx"]) == 3
    assert by_format["xlsx"][-1] == LAST_ROW


@pytest.mark.parametrize("ending", ["xlsx", "xls", "ods"])
def test_r2_a_workbook_saved_as_csv_is_the_same_import(office: Office, give: Give, ending: str) -> None:
    """An imported workbook with true dates, saved as CSV, sends nothing and changes no row."""
    office.mapping.write_text(MAPPING.replace(MONEY, ""), encoding="utf-8")
    for source in (saved_as(ending), saved_as("semicolon.csv")):
        counts = import_source(office, give, source)
        assert counts | {"created": 3, "changed": 0} == counts
        assert office.sandbox.posts == 3


def test_r2_money_saved_as_csv_is_sent_no_second_time(office: Office, give: Give) -> None:
    """A row is not sent again if a CSV file has $1,234.50 for the workbook's 1234.5."""
    office.mapping.write_text(MAPPING, encoding="utf-8")
    for source in (saved_as("xlsx"), saved_as("comma.csv")):
        assert import_source(office, give, source)["created"] == 3
        assert office.sandbox.posts == 3


def import_source(office: Office, give: Give, source: Path) -> dict[str, int]:
    """Run a source through the office's mapping and journal, and return how many rows are in each state."""
    command, _source, *rest = office.arguments("run", "--yes", "--report", str(office.folder / "report.xlsx"), "--json")
    counts: dict[str, int] = give([command, str(source), *rest]).json["counts"]
    return counts
