"""What the page Match shows of a sheet and a mapping: what fills each field, the guesses, and the open questions."""

from __future__ import annotations

from pathlib import Path

import pytest
from mapping_support import HEAD
from run_support import MAPPING, ticket

from importer import MappingEditor, MatchField, MatchModel, SheetSurvey, draft_mapping, load_mapping_text, survey_sheet
from importer.mapping.checks import REQUIRED

SHEET = """\
Radicado;Clase;Correo;Asunto;Detalle;Estado;Urgencia;Respuesta;Fecha;Corta;Celular;Valor;Sede;Soporte
R-1;Petición;ana@example.com;Uno;Un texto largo de ana;Abierto;Alta;;03/04/2026;03/04/26;3001234567;1.234,50;;a.pdf
R-2;Queja;luis@example.com;Dos;Un texto largo de luis;abierto ;Alta;;05/06/2026;05/06/26;3001234568;2.000,00;;b.pdf
R-3;Reclamo;eva@example.com;Tres;Un texto largo de eva;Cerrado;Baja;Listo;07/08/2026;07/08/26;3001234569;3,75;;c.pdf
R-4;Raro;leo@example.com;Cuatro;Un texto largo de leo;En curso;Baja;;09/10/2026;09/10/26;3001234570;4,75;Sur;d.pdf
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the sheet."""
    folder = tmp_path_factory.mktemp("match")
    (folder / "PQR Semana 48.csv").write_text(SHEET, "utf-8")
    return folder


@pytest.fixture(scope="module")
def surveyed(folder: Path) -> SheetSurvey:
    """Return the sheet, surveyed."""
    return survey_sheet(folder / "PQR Semana 48.csv")


def field(model: MatchModel, path: str) -> MatchField:
    """Return a field of the model."""
    return next(each for each in model.fields if each.path == path)


def test_a_sheet_shows_its_columns(surveyed: SheetSurvey) -> None:
    """Each column has three different cells, the guess with its reason as a sentence, and what its cells prove."""
    columns = {column.name: column for column in surveyed.columns}
    assert list(columns) == SHEET.split("\n", maxsplit=1)[0].split(";")
    assert columns["Asunto"].samples == ("Uno", "Dos", "Tres")
    assert (columns["Sede"].samples, columns["Sede"].filled) == (("Sur",), 1)
    guessed = {name: column.field for name, column in columns.items() if column.field}
    assert guessed == {
        "Clase": "case-type",
        "Correo": "contact",
        "Detalle": "description",
        "Estado": "status",
        "Urgencia": "priority",
        "Respuesta": "solution",
    }
    assert all(columns[name].reason == "By its header." for name in guessed)
    assert [key.column for key in surveyed.keys][:1] == ["Radicado"]
    assert surveyed.keys[0].reason == "By its header; all rows differ."
    assert columns["Soporte"].names_files
    assert surveyed.rows == 4


def test_dates_and_numbers_prove_something_or_leave_a_question(surveyed: SheetSurvey) -> None:
    """A question comes with the options of which a person chooses, where they are known."""
    kinds = {column.name: column.kind for column in surveyed.columns}
    assert kinds["Fecha"].type == "date"
    assert (kinds["Fecha"].question or "").startswith("Dates, but none proves")
    assert kinds["Fecha"].choices == (
        (("type", "date"), ("read", "DD/MM/YYYY")),
        (("type", "date"), ("read", "MM/DD/YYYY")),
    )
    assert [dict(choice)["read"] for choice in kinds["Corta"].choices] == ["DD/MM/YY", "MM/DD/YY", "YY/MM/DD"][:2]
    assert (kinds["Valor"].type, kinds["Valor"].question) == ("decimal", None)
    assert dict(kinds["Valor"].options) == {"type": "decimal", "decimal_sign": ","}
    assert "CO" in (kinds["Celular"].question or "")
    assert kinds["Asunto"].question is None


def test_a_draft_fills_the_fields_as_far_as_it_can(folder: Path, surveyed: SheetSurvey) -> None:
    """The required fields come first; what the draft leaves blank is blank here and a fault that is listed."""
    text = draft_mapping(folder / "PQR Semana 48.csv")
    assert "import: pqr-semana-48 " in text
    model = surveyed.match(text)
    assert tuple(each.path for each in model.fields[:7]) == REQUIRED
    assert [each.path for each in model.fields if each.kind == "blank"] == ["responsible", "owner"]
    assert {fault.path for fault in model.faults} >= {"fields.responsible", "fields.owner"}
    assert all(each.description for each in model.fields[:8])
    status = field(model, "status")
    assert (status.kind, status.columns, status.guess, status.reason) == (
        "column",
        ("Estado",),
        "Estado",
        "By its header.",
    )
    assert (status.required, status.closed) == (True, ("Cerrado",))
    description = field(model, "description")
    assert (description.kind, description.columns) == ("template", ("Asunto", "Detalle"))
    assert (model.key, model.import_name) == (("Radicado",), "pqr-semana-48")
    assert "Sede" in model.unused


def test_a_mapping_shows_what_is_configured_in_the_file(surveyed: SheetSurvey) -> None:
    """What the page does not edit is named; constants, columns that are missing, and ignored ones are told apart."""
    text = HEAD.replace("{key: Id}", "{key: Radicado, ignore: [sede], headings: {Situación: [Estado]}}").replace(
        "status: Abierto",
        "status: {column: Situación, values: {Abierto: Open}, default: Open, lookup: {file: x.csv, key: a, value: b}}",
    ) + ("form:\n  Otro: {column: No está, type: date, read: DD/MM/YYYY, when: {Sede: Sur}}\n")
    model = surveyed.match(text)
    status, other = field(model, "status"), field(model, "form.Otro")
    assert (status.columns, status.values, status.configured) == (("Estado",), (("Abierto", "Open"),), ("lookup",))
    assert dict(status.options) == {"default": "Open"}
    assert (other.columns, other.missing, other.configured) == (("Sede",), ("No está",), ("when",))
    assert dict(other.options) == {"type": "date", "read": ("DD/MM/YYYY",)}
    owner = field(model, "owner")
    assert (owner.kind, owner.value, field(model, "solution").kind) == ("constant", "ADMIN_@demo", "blank")
    assert not {"Sede", "Estado"} & set(model.unused)
    assert model.faults == ()


def test_the_texts_of_a_column_are_matched_once(surveyed: SheetSurvey) -> None:
    """Each text has its rows, its value or proposals; texts that differ only in white space are one."""
    model = surveyed.match(
        HEAD.replace("status: Abierto", "status: {column: Estado, values: {Abierto: Open, Cerrado: Closed}}").replace(
            "case-type: Request", "case-type: {column: Clase}"
        )
    )
    states = surveyed.values("Estado", field(model, "status"), known=("In course",))
    assert [(value.text, value.rows, value.value) for value in states.values] == [
        ("Abierto", 1, "Open"),
        ("abierto", 1, "Open"),
        ("Cerrado", 1, "Closed"),
        ("En curso", 1, None),
    ]
    assert states.values[3].proposals == ("In course",)
    assert [value.looks_closed for value in states.values] == [False, False, True, False]
    types = surveyed.values("Clase", field(model, "case-type"))
    assert [value.proposals[:1] for value in types.values] == [("Request",), ("Complaints",), ("Claims",), ()]
    assert (surveyed.values("Sede").empty, surveyed.values("Sede").distinct) == (3, 1)


def test_a_draft_that_is_edited_becomes_a_mapping(folder: Path, surveyed: SheetSurvey) -> None:
    """What the model names is what the editor takes: a sheet that no mapping knows is matched without the file."""
    editor = MappingEditor.new(folder / "nuevo.yml", draft_mapping(folder / "PQR Semana 48.csv", name="semana"))
    for name in ("responsible", "owner"):
        editor.set_constant(name, "ADMIN_@demo")
    for value in surveyed.values("Clase").values:
        editor.add_values("case-type", {value.text: "Request"})
    for column in surveyed.columns:
        if column.name in surveyed.match(editor.text).unused:
            options = column.kind.choices[0] if column.kind.choices else column.kind.options
            editor.set_column(f"form.{column.name}", column.name, **dict(options))
    if surveyed.match(editor.text).attachments:
        editor.set_attachments(folder="adjuntos")
    assert editor.faults == ()
    mapping = load_mapping_text(editor.text, editor.path)
    assert mapping.import_name == "semana"
    assert surveyed.match(editor.text).unused == ()


def test_a_column_in_which_all_rows_differ_is_listed_in_part(tmp_path: Path) -> None:
    """The most frequent texts are listed, and the others counted, so that free text costs as little as options."""
    cells = [ticket(max(number, 100), Detalle=f"Á {number}" if number > 8 else " ") for number in range(7_000)]
    source = tmp_path / "grande.csv"
    source.write_text(
        "\n".join(";".join(row.values()) for row in ({name: name for name in ticket(1)}, *cells)), "utf-8"
    )
    sheet = survey_sheet(source)
    found = sheet.values("Detalle")
    assert (len(found.values), found.distinct, found.left_out, found.empty) == (200, 6_991, 6_791, 9)
    tickets = sheet.values("Ticket", field(sheet.match(MAPPING), "status"))
    assert (tickets.values[0].text, tickets.values[0].rows, tickets.distinct) == ("100", 101, 6_900)


def test_a_field_of_rows_stays_as_the_file_has_it(folder: Path, surveyed: SheetSurvey) -> None:
    """The page shows a field that is made of rows of another table as set up in the file, and keeps the transcript."""
    rows = "rows: {file: comments.csv, key: k}"
    text = (
        f'form:\n  Historial: {{template: "{{texto}}", join: "; ", {rows}}}\n'
        f'attachments:\n  transcript: {{name: a.txt, template: "{{texto}}", {rows}}}\n'
    )
    model = surveyed.match(text)
    shown = field(model, "form.Historial")
    assert (shown.kind, shown.value, shown.missing) == ("object", None, ())
    assert {"rows", "join"} <= set(shown.configured)
    assert "texto" not in [name for each in model.fields for name in each.missing]
    editor = MappingEditor.new(folder / "rows.yml", text)
    editor.set_attachments(folder="adjuntos", columns=["Soporte"])
    assert "transcript: {name: a.txt" in editor.text
    editor.set_column("form.Historial", "Asunto")
    assert "Historial: {column: Asunto}" in editor.text
