"""The samples: `check` finds every planted fault and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

from importer.mapping import json_schema
from importer.pipeline import check
from importer.workflow.job import Job, load_job
from importer.workflow.planning.plan import PlannedRow

ROOT = Path(__file__).parent.parent
SAMPLES = ROOT / "sample_data"

LEGACY = [
    (5, "Correo cliente", "required"),
    (8, "Estado", "no-crm-value"),
    (10, "Correo cliente", "bad-email"),
    (12, "Solución", "solution-missing"),
    (13, "Ticket", "key-repeated"),
    (14, "Ticket", "key-repeated"),
    (16, "Ticket", "key-missing"),
    (19, "Asunto", "too-long"),
    (21, "Fecha apertura", "not-a-date"),
    (23, "Adjunto 1", "attachment-missing"),
    (27, "Adjunto 1", "attachment-outside"),
    (29, "Adjunto 2", "attachment-empty"),
    (31, "Agente", "not-in-lookup"),
    (33, "Agente", "lookup-key-twice"),
    (35, "Correo cliente", "not-known"),
    (37, "Tipo", "no-crm-value"),
    (38, "Prioridad", "not-allowed"),
    (40, "Adjunto 1", "attachment-folder"),
    (42, "Adjunto 1", "attachment-url"),
    (44, "Adjunto 1", "attachment-too-large"),
    (46, "Valor reclamado", "not-a-number"),
    (49, "Documento", "bad-pattern"),
    (51, "Adjunto 2", "attachment-repeated"),
    (53, "Adjunto 1", "attachment-name"),
    (55, "Canal", "not-allowed"),
    (57, "Estado", "no-crm-value"),
    (59, "Prioridad", "error-cell"),
    (61, "Asunto", "required"),
    (63, "Adjunto 1", "attachment-outside"),
]
WEEKLY = [
    (13, "Fecha", "not-a-date"),
    (24, "Estado", "no-crm-value"),
    (32, "Correo", "bad-email"),
    (45, "Respuesta", "solution-missing"),
]


PUBLIC = """\
Ticket ID,Customer Name,Customer Email,Customer Age,Customer Gender,Product Purchased,Date of Purchase,Ticket Type,\
Ticket Subject,Ticket Description,Ticket Status,Resolution,Ticket Priority,Ticket Channel,First Response Time,\
Time to Resolution,Customer Satisfaction Rating
1,Ann,ann@example.com,32,Other,GoPro,2021-03-22,Technical issue,Setup,"The {product_purchased}, please.

{{Twice}}",Pending Customer Response,,Critical,Chat,2023-06-01 12:15:36,,
2,Bob,bob@example.com,42,Male,LG TV,2021-05-22,Refund request,Refund,I want it back.,Closed,Case solved.,Low,Email,\
2023-06-01 16:45:38,2023-06-01 18:05:38,3.0
3,Eve,eve@example.com,27,Female,Dell XPS,2020-07-14,Billing inquiry,Billing,Too much.,Closed,,Medium,Phone,,,
4,Ida,ida@example.com,27,Female,Dell XPS,2020-07-14,Product inquiry,Colour,Is it blue?,Open,,High,Phone,,,
"""


def planned_rows(source: str, mapping: str) -> list[PlannedRow]:
    """Return the rows of a sample as `check` sees them."""
    return list(check(load_job(Job(SAMPLES / source, ROOT / "mappings" / mapping))))


@pytest.mark.parametrize(
    ("source", "mapping", "planted"),
    [
        ("legacy_tickets.xlsx", "legacy-tickets.yml", LEGACY),
        ("weekly_backoffice.csv", "weekly-backoffice.yml", WEEKLY),
    ],
)
def test_every_planted_fault_is_found_and_nothing_else(
    source: str, mapping: str, planted: list[tuple[int, str, str]]
) -> None:
    """The issues of a sample have the expected row, column and code, each with a sentence and a remedy."""
    issues = [issue for row in planned_rows(source, mapping) for issue in row.issues]
    assert [(issue.row, issue.column, issue.code) for issue in issues] == planted
    assert all(issue.message and issue.remedy for issue in issues)


def test_the_legacy_sample_shows_what_an_import_can_do() -> None:
    """The valid rows include all case types, open and closed cases, and files of every kind."""
    rows = [planned for planned in planned_rows("legacy_tickets.xlsx", "legacy-tickets.yml") if planned.is_valid]
    assert {row.fields["case-type"] for row in rows} == {"Request", "Complaints", "Claims", "Suggestions"}
    assert {row.fields["status"] for row in rows} == {"Abierto", "Cerrado"}
    kinds = {attachment.path.suffix for row in rows for attachment in row.attachments}
    assert kinds == {".pdf", ".png", ".txt", ".docx", ".xlsx"}
    assert max(len(row.attachments) for row in rows) == 3


def test_the_hidden_row_is_skipped() -> None:
    """A hidden row does not become a case."""
    skipped = [
        planned.number for planned in planned_rows("legacy_tickets.xlsx", "legacy-tickets.yml") if planned.skipped
    ]
    assert skipped == [47]


def test_decimal_commas_and_days_first_arrive_as_they_are_meant() -> None:
    """Numbers, dates and leading zeros of the weekly file are converted to what the CRM expects."""
    rows = {
        planned.number: planned.fields for planned in planned_rows("weekly_backoffice.csv", "weekly-backoffice.yml")
    }
    assert rows[4]["form.Valor"] == 2131063.35
    assert rows[4]["form.Fecha"] == "2026-11-09"
    assert rows[4]["contact"] == "servicio@transcondor.example"


def test_the_public_data_set_is_mapped(tmp_path: Path) -> None:
    """The public data set is converted: types, statuses, priorities, texts with braces, required solutions."""
    path = tmp_path / "tickets.csv"
    path.write_text(PUBLIC, "utf-8")
    rows = list(check(load_job(Job(path, ROOT / "mappings" / "customer-support-tickets.yml"))))
    assert [row.fields["case-type"] for row in rows] == ["Complaints", "Claims", "Claims", "Request"]
    assert [row.fields["status"] for row in rows] == ["En espera", "Cerrado", "Cerrado", "Abierto"]
    assert [row.fields["priority"] for row in rows] == ["Alta", "Baja", "Media", "Alta"]
    assert rows[0].fields["description"] == "The {product_purchased}, please.\n\n{{Twice}}"
    assert rows[1].fields["solution"] == "Case solved."
    assert rows[1].fields["form.Satisfaction"] == 3
    assert [(issue.column, issue.code) for row in rows for issue in row.issues] == [("Resolution", "solution-missing")]


def test_the_samples_are_what_their_script_makes(tmp_path: Path) -> None:
    """The committed samples are what the script makes."""
    subprocess.run([sys.executable, SAMPLES / "make.py", tmp_path], check=True)
    made = {path.relative_to(tmp_path) for path in tmp_path.rglob("*") if path.is_file()}
    assert made
    for name in made:
        if name.suffix == ".xlsx":
            books = (openpyxl.load_workbook(folder / name) for folder in (tmp_path, SAMPLES))
            new, kept = ([[list(row) for row in sheet.values] for sheet in book] for book in books)
            assert new == kept
        else:
            assert (tmp_path / name).read_bytes() == (SAMPLES / name).read_bytes()


def test_the_mappings_name_the_schema_that_the_program_prints() -> None:
    """The schema that the mappings name for editors is the output of `case-importer schema`."""
    folder = ROOT / "mappings"
    assert json.loads((folder / "mapping.schema.json").read_text(encoding="utf-8")) == json_schema()
    for mapping in folder.glob("*.yml"):
        assert mapping.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=mapping.schema.json\n")
