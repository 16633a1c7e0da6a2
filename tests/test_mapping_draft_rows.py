"""What `draft` proposes for several lines a ticket, for a table of comments beside a sheet, for the tenant's fields."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import yaml
from mapping_support import HEAD, loaded, written

from importer.errors import MappingError
from importer.workflow.drafting.drafting import draft_mapping

TICKETS = "Ticket;Correo;Asunto;Estado\n" + "".join(
    f"T-{number};c{number}@x.example;Falla del módem {number};Abierto\n" for number in range(1, 5)
)
COMMENTS = (
    "id_ticket;fecha;autor;texto\n"
    "T-1;13/01/2026 10:00;Ana;Se llama al cliente\n"
    "T-1;14/01/2026 10:00;Luis;No contesta el cliente\n"
    "T-2;14/01/2026 11:00;Luis;Todo listo por hoy\n"
)


def content(text: str) -> dict[str, Any]:
    """Return what a draft says, without its comments."""
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def filled_in(text: str) -> str:
    """Return a draft whose blanks a person has filled in."""
    return re.sub(
        r"^(  (?:case-type|responsible|owner|priority|contact):) +# <--.*$", r"\1 x@demo", text, flags=re.MULTILINE
    )


def sheet(folder: Path, text: str = TICKETS, name: str = "casos.csv", encoding: str = "cp1252") -> Path:
    """Write a sheet and return its path."""
    (folder / name).write_text(text, encoding)
    return folder / name


def test_nothing_of_a_hidden_row_is_in_a_draft(tmp_path: Path) -> None:
    """A row that is not sent gives no value, and a previous mapping that includes hidden rows has them back."""
    source = tmp_path / "casos.xlsx"
    book = openpyxl.Workbook()
    page = book.worksheets[0]
    for row in (["Ticket", "Estado"], ["T-1", "Abierto"], ["T-2", "Borrado"], ["T-3", "Abierto"]):
        page.append(row)
    page.row_dimensions[3].hidden = True
    book.save(source)
    text = draft_mapping(source)
    assert content(text)["fields"]["status"]["values"] == {"Abierto": "Abierto"}
    assert "# 2 rows" in text
    known = HEAD.replace("status: Abierto", "status: {column: Estado, values: {Abierto: Abierto}}")
    for source_keys, is_new in (("key: Ticket", False), ("key: Ticket, hidden: include", True)):
        previous = written(tmp_path, known.replace("key: Id", source_keys))
        assert ("Borrado:" in draft_mapping(source, like=previous)) == is_new


def test_a_table_of_comments_beside_the_sheet_becomes_a_transcript(tmp_path: Path) -> None:
    """A file with several rows for a key of the sheet is proposed with dates, authors, texts, reasons."""
    source = sheet(tmp_path)
    sheet(tmp_path, COMMENTS, "comentarios.csv")
    sheet(tmp_path, TICKETS, "casos viejos.csv")  # the same columns: another week, or a copy
    sheet(tmp_path, "Estado;Nombre largo\nAbierto;Un texto con palabras\n", "estados.csv")
    sheet(tmp_path, "\x00\x01", "roto.xlsx")
    text = draft_mapping(source)
    assert content(text)["attachments"] == {
        "transcript": {
            "name": "history.txt",
            "template": "{fecha:DD/MM/YYYY HH:mm} {autor}\n{texto}",
            "read": "DD/MM/YYYY",
            "rows": {"file": "comentarios.csv", "key": "id_ticket", "order": "fecha"},
        }
    }
    assert "comentarios.csv has several rows for one key: 3 of its 3 rows belong to rows here, by id_ticket" in text
    assert '# {template: "{fecha:DD/MM/YYYY HH:mm} {autor}\\n{texto}", join: "\\n", rows: ' in text
    assert loaded(tmp_path, filled_in(text)).row_tables


@pytest.mark.parametrize(
    ("days", "template", "doubt"),
    [
        (("01/02/2026", "03/04/2026", "05/06/2026"), "{fecha} {autor}\n{texto}", "none proves the order"),
        (("2026-03-01T10:00:00Z",) * 3, "{fecha} {autor}\n{texto}", "time zone"),
        (("", "", ""), "{autor}\n{texto}", "in the order of the table"),
    ],
)
def test_dates_that_leave_a_question_are_written_as_they_are(
    tmp_path: Path, days: tuple[str, ...], template: str, doubt: str
) -> None:
    """A draft asks nothing about the dates of another table: it keeps their texts and order, and says how to sort."""
    rows = COMMENTS
    for old, new in zip(("13/01/2026 10:00", "14/01/2026 10:00", "14/01/2026 11:00"), days, strict=True):
        rows = rows.replace(old, new)
    sheet(tmp_path, rows, "comentarios.csv")
    text = draft_mapping(sheet(tmp_path))
    assert content(text)["attachments"]["transcript"] == {
        "name": "history.txt", "template": template, "rows": {"file": "comentarios.csv", "key": "id_ticket"}
    }  # fmt: skip
    assert doubt in text.split("rows: ")[1].splitlines()[0]
    assert loaded(tmp_path, filled_in(text))


def test_a_second_sheet_of_the_workbook_becomes_a_transcript(tmp_path: Path) -> None:
    """Comments on another sheet are proposed by the name of the sheet; a kept mapping with rows is left as it is."""
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for name, text in (("Tickets", TICKETS), ("Notas", COMMENTS)):
        tab = book.create_sheet(name)
        for line in text.splitlines():
            tab.append(line.split(";"))
    book.save(tmp_path / "libro.xlsx")
    text = draft_mapping(tmp_path / "libro.xlsx")
    assert content(text)["attachments"]["transcript"]["rows"] == {
        "sheet": "Notas",
        "key": "id_ticket",
        "order": "fecha",
    }
    like = written(tmp_path, filled_in(text).replace("history", "charla"), "like.yml")
    kept = draft_mapping(tmp_path / "libro.xlsx", like=like)
    assert content(kept)["attachments"] == content(like.read_text("utf-8"))["attachments"]


def test_a_kept_field_of_rows_needs_no_column_of_the_sheet(tmp_path: Path) -> None:
    """The columns in the template of a field of rows are those of the other table: `--like` keeps the field."""
    field = 'form:\n  X: {template: "{texto}", rows: {file: comentarios.csv, key: id_ticket, match: Ticket}}\n'
    like = written(tmp_path, HEAD + field, "like.yml")
    kept = content(draft_mapping(sheet(tmp_path), like=like))
    assert kept["form"] == yaml.safe_load(field)["form"]


LINES = "Ticket;Correo;Detalle;Estado;Fecha;Agente\n"


@pytest.mark.parametrize(
    ("rows", "source", "fields"),
    [
        (
            "1;a@x.co;No hay luz;Abierto;13/01/2026;a@y.co\n1;a@x.co;No hay luz;Cerrado;14/01/2026;a@y.co\n",
            {"key": "Ticket", "keep": "last"},
            {},
        ),
        (
            "1;a@x.co;No hay luz;Abierto;13/01/2026;a@y.co\n1;a@x.co;No hay luz;Cerrado;14/01/2026;b@y.co\n",
            {"key": "Ticket", "group": "Ticket"},
            {"status": "last", "owner": "last"},
        ),
        (
            "1;a@x.co;No hay luz;Abierto;13/01/2026;a@y.co\n1;a@x.co;Sigue sin luz;Cerrado;14/01/2026;a@y.co\n",
            {"key": "Ticket", "group": "Ticket"},
            {"status": "last"},
        ),
    ],
    ids=["states alone", "another agent", "another text"],
)
def test_only_a_log_of_states_keeps_its_last_rows(
    tmp_path: Path, rows: str, source: dict[str, str], fields: dict[str, str]
) -> None:
    """Where only status and dates vary the older rows are dropped; else they are lines, the last of which is newest."""
    found = content(draft_mapping(sheet(tmp_path, LINES + rows)))
    assert found["source"] == source
    taken = {name: spec["take"] for name, spec in found["fields"].items() if isinstance(spec, dict) and "take" in spec}
    assert taken == fields
    loaded(tmp_path, filled_in(draft_mapping(tmp_path / "casos.csv")))


def test_a_draft_like_a_mapping_that_keeps_rows_joins_none(tmp_path: Path) -> None:
    """A kept `keep: last` goes with neither `join` nor `take`."""
    rows = "1;a@x.co;No hay luz;Abierto;13/01/2026;a@y.co\n1;a@x.co;Sigue sin luz;Cerrado;14/01/2026;b@y.co\n"
    plain = HEAD.replace("source: {key: Id}", "source: {key: Ticket, keep: last}")
    like = written(tmp_path, plain.replace("  description: words\n", "  description: {column: Detalle}\n"), "like.yml")
    text = draft_mapping(sheet(tmp_path, LINES + rows), like=like)
    assert not re.search("join|take", text)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-16"])
def test_the_fields_of_the_module_come_from_its_template(tmp_path: Path, encoding: str) -> None:
    """Names are kept exactly; the nearest header fills each; one without a column is a comment, as a case's is."""
    header = "Sede;Fecha de apertura;Subject;Nota interna\n"
    source = sheet(
        tmp_path, TICKETS.replace("Estado", "Estado;sede;Fecha apertura;Canal").replace("Abierto", "Abierto;N;1;x")
    )
    template = sheet(tmp_path, header.replace("Subject", "Código DANE;status;Subject"), "ejemplo.csv", encoding)
    text = draft_mapping(source, fields=template)
    found = content(text)["form"]
    assert list(found) == ["Sede", "Fecha de apertura"]
    assert [spec["column"] for spec in found.values()] == ["sede", "Fecha apertura"]
    assert re.search("^#  Código DANE: .*# a field of the module; no column", text, re.MULTILINE)
    assert re.search("^#  status: .*# probably one of the case's own", text, re.MULTILINE)
    assert re.search("^#  Canal: ", text, re.MULTILINE)
    loaded(tmp_path, filled_in(text))


def test_a_template_in_the_users_language_repeats_no_field_of_the_case_and_hides_no_doubt(tmp_path: Path) -> None:
    """`Estado` is the case's status, whose column is used above; what the dates leave open is said beside the field."""
    rows = TICKETS.replace("Estado", "Estado;Fecha apertura").replace("Abierto", "Abierto;01/02/2026")
    source = sheet(tmp_path, rows)
    text = draft_mapping(source, fields=sheet(tmp_path, "Estado;fecha_apertura\n", "ejemplo.csv"))
    assert list(content(text)["form"]) == ["fecha_apertura"]
    assert re.search("^#  Estado: .*# probably one of the case's own", text, re.MULTILINE)
    assert re.search("^  fecha_apertura: .*# .*; dates, but none proves the order", text, re.MULTILINE)
    loaded(tmp_path, filled_in(text))


def test_a_required_field_of_the_module_can_be_named_before_it_has_a_column(tmp_path: Path) -> None:
    """A form field that is only named is a fault at its place, which says what to write."""
    with pytest.raises(MappingError, match=r":13:9: form\.Sede: the module requires this field, which has no source"):
        loaded(tmp_path, f"{HEAD}form:\n  Sede: {{required: true}}\n")
