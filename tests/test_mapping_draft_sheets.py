"""`draft` on sheets as offices have them: codes, telephones, totals, merged cells, lines of one ticket, files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from mapping_support import HEAD, bound, faults, frame, loaded, written

from importer.errors import SourceError
from importer.mapping import draft
from importer.mapping.drafting.kinds import guess_type
from importer.mapping.drafting.matching import match_headers
from importer.mapping.drafting.profiles import profile_columns
from importer.model import Cell, TableOptions
from importer.source import open_table

ROOT = Path(__file__).parent.parent
BOOKS = sorted(
    path
    for path in [*(ROOT / "sample_data").iterdir(), *(ROOT / "tests" / "workbooks").iterdir()]
    if path.suffix in {".csv", ".xlsx", ".ods", ".xls", ".xlsb"}
    and not path.name.endswith((".xlsx.csv", ".xls.csv", ".ods.csv", ".xlsb.csv"))
    and not (path.suffix == ".xls" and path.with_suffix(".xlsx").exists())
)
"""Every sample and workbook, each once: a comparison's text, and a second format of the same table, shows no more."""

REAL: dict[str, dict[str, str]] = {
    "Radicado,Tipo PQR,Descripción de los hechos,Respuesta al usuario,Estado,Solicitante,Correo electrónico,Cédula": {
        "key": "Radicado", "case-type": "Tipo PQR", "description": "Descripción de los hechos", "status": "Estado",
        "solution": "Respuesta al usuario", "person": "Solicitante", "contact": "Correo electrónico",
    },
    "Nº do chamado,Assunto,Solução,Usuário impactado,Situação,Prazo,Responsável,Prioridade,Descrição": {
        "key": "Nº do chamado", "subject": "Assunto", "solution": "Solução", "person": "Usuário impactado",
        "status": "Situação", "responsible": "Responsável", "priority": "Prioridade", "description": "Descrição",
    },
    "ID,Título,Estado,Última modificación,Fecha de apertura,Solicitante - Solicitante,Asignado a - Técnico": {
        "key": "ID", "description": "Título", "status": "Estado", "person": "Solicitante - Solicitante",
        "owner": "Asignado a - Técnico",
    },
    "ID,Título,Entidade,Status,Última modificação,Requerente - Requerente,Atribuído - Técnico,Solução - Solução": {
        "key": "ID", "description": "Título", "status": "Status", "person": "Requerente - Requerente",
        "owner": "Atribuído - Técnico", "solution": "Solução - Solução",
    },
    "Número,Descripción breve,Solicitante,Prioridad,Estado,Grupo de asignación,Asignado a,Notas de cierre": {
        "key": "Número", "description": "Descripción breve", "person": "Solicitante", "priority": "Prioridad",
        "status": "Estado", "owner": "Asignado a", "solution": "Notas de cierre",
    },
    "ID del ticket,Asunto,Estado,Prioridad,Origen,Tipo,Agente,Grupo,Nombre completo,Correo": {
        "key": "ID del ticket", "description": "Asunto", "status": "Estado", "priority": "Prioridad",
        "case-type": "Tipo", "owner": "Agente", "person": "Nombre completo", "contact": "Correo",
    },
    "Resumen,Clave de incidencia,ID de la incidencia,Tipo de Incidencia,Estado,Persona asignada,Informador": {
        "key": "Clave de incidencia", "description": "Resumen", "case-type": "Tipo de Incidencia", "status": "Estado",
        "owner": "Persona asignada", "person": "Informador",
    },
}  # fmt: skip
"""Headers of exports in Spanish and Portuguese, and which field each is."""

SHEET: Mapping[str, Sequence[Cell]] = {
    "Radicado": ["R1", "R2", "R3", "R4"],
    "Correo": ["a@x.co", "b@x.co", "c@x.co", "d@x.co"],
    "Detalle": ["No hay luz", "No hay agua", "Fuga de gas", "Otra vez"],
    "Estado": ["Abierto", "Cerrado", "Abierto", "Abierto"],
}


def drafted(columns: Mapping[str, Sequence[Cell]], *, like: Path | None = None, beside: Path | None = None) -> str:
    """Return the draft for a sheet."""
    sheet = frame(columns)
    return draft(list(sheet.columns), [sheet], "drafted", like=like, beside=beside)


def content(text: str) -> dict[str, Any]:
    """Return what a draft says."""
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def with_proposals(text: str) -> str:
    """Return a draft whose proposals for the form are taken."""
    taken = re.sub(r"^#(?=  .*\{column: )", "", text, flags=re.MULTILINE)
    return taken if taken == text else taken.replace("form: {}", "form:")


def filled_in(text: str) -> str:
    """Return a draft with something in its blanks, and without what its comments ask for."""
    lines = []
    for line in text.splitlines():
        yaml_part, mark, _expected = line.partition(" # <-- ")
        name = yaml_part.strip().removesuffix(":")
        value = {"key": " content", "folder": " .", "file": " none.csv", "contact": " ana@example.com"}
        lines.append(
            yaml_part.rstrip() + value.get(name, " words") if mark and yaml_part.rstrip()[-1:] == ":" else line
        )
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.name)
def test_no_proposal_is_refused_by_check(tmp_path: Path, path: Path) -> None:
    """Of each sample and workbook, only marked blanks are faults, and every proposed type reads most of its cells."""
    try:
        table = open_table(path)
    except SourceError:
        return  # a file without a table has no draft
    filled = open_table(path, TableOptions(merged="fill")).frames() if table.sheet else None
    frames = list(table.frames())
    text = with_proposals(draft(table.columns, frames, "drafted", beside=path.parent, filled=filled))
    blanks = [number for number, line in enumerate(text.splitlines(), 1) if re.search(r": +# <-- ", line)]
    assert [int(fault.split(":")[0]) for fault in faults(tmp_path, text)] == blanks
    case = loaded(tmp_path, filled_in(text))
    if case.tables or not frames:
        return
    mapper = bound(case, *frames, beside=path.parent)
    issues = Counter(
        issue.column for each in frames for issue in mapper.convert(each).issues if issue.code.startswith("not-a")
    )
    assert {column: count for column, count in issues.items() if count > 0.1 * table.rows} == {}


@pytest.mark.parametrize("headers", REAL, ids=lambda headers: headers[:30])
def test_real_exports_in_spanish_and_portuguese_are_recognised(headers: str) -> None:
    """Every field that such an export holds is found, and none is matched wrongly."""

    def cell(header: str, row: int) -> str:
        return f"p{row}@example.com" if "Correo" in header else f"{header} {row % 3 if header in few else row}"

    few = {"Estado", "Situação", "Status", "Prioridad", "Prioridade", "Tipo", "Tipo PQR", "Tipo de Incidencia"}
    sheet = frame({header: [cell(header, row) for row in range(60)] for header in headers.split(",")})
    matches = match_headers(profile_columns(list(sheet.columns), [sheet]))
    assert {field: match.column for field, match in matches.items()} == REAL[headers]


@pytest.mark.parametrize(
    ("header", "cells", "keys"),
    [
        ("Cédula", ["15.101.528", "8.102.529"], {}),
        ("Cédula", ["15101528", "8102529"], {}),
        ("NIT", ["900.123.101-1", "900.123.102-2"], {}),
        ("Código cuenta", ["124", "125"], {}),
        ("Radicado", ["20260001", "20260002"], {}),
        ("Afiliación", ["02.101.528", "15.101.528"], {}),
        ("Lote", ["20260001", "20260002"], {}),
        ("Valor", ["15.101.528", "8.102.529"], {"type": "decimal", "decimal_sign": ","}),
        ("Valor", ["15101528", "8102529"], {"type": "integer"}),
        ("Días", ["3", "12"], {"type": "integer"}),
        ("Celular", ["300 101 4567", "3001024567"], {"type": "phone", "country": "CO"}),
        ("Teléfono fijo", ["(1) 765 4321", "601 765 4322"], {"type": "phone", "country": "CO"}),
        ("Telefone", ["11 98765-4321", "(21) 99876-5432"], {"type": "phone", "country": "BR"}),
        ("Otro", ["+57 300 101 4567", "+1 202 555 0101"], {"type": "phone", "country": "CO"}),
        ("Celular", ["300 101 4567 / 300 101 4568", "no tiene"], {}),
        ("C", ["29-10-2024 07:24", "01-11-2024 07:30"], {"type": "datetime", "read": "DD-MM-YYYY"}),
        ("C", ["29.10.2024", "01/11/2024"], {"type": "date", "read": ["DD.MM.YYYY", "DD/MM/YYYY"]}),
        ("C", ["2019-29-12", "2019-05-03"], {"type": "date", "read": "YYYY-DD-MM"}),
        ("C", ["2019-12-29", "2019-05-03"], {"type": "date"}),
        ("C", ["25-12-29", "12-03-45"], {"type": "date", "read": "DD-MM-YY"}),
        ("C", ["01/02/29", "12/03/45"], {}),
        ("C", ["24-10-29", "24-11-01"], {"type": "date", "read": "YY-MM-DD"}),
        ("C", [*["29-10-2024", "28-10-2024"] * 5, "2024-11-01"], {"type": "date"}),
        ("C", ["10-29-2024 7:24 PM", "01-11-2024 07:30 AM"], {"type": "datetime", "read": "MM-DD-YYYY"}),
        ("Valor", ["$ 1.500.000", "$ 23.000"], {"type": "currency", "decimal_sign": ","}),
        ("Valor", ["1.500", "23.000"], {}),
        ("Valor", ["$1'234.567", "$450.000"], {}),
        ("Valor", ["$1'234.567,50", "$450.000"], {"type": "currency", "decimal_sign": ","}),
        ("Teléfono", ["7654321", "3210987"], {}),
        ("C", ["<p>Hola</p>", "Chao", "a < b"], {"type": "html"}),
        ("C", ["a < b", "si x<y entonces"], {}),
        ("C", ["1", "1"], {"type": "integer"}),
        ("C", ["1", "0"], {"type": "boolean"}),
        ("Reopens", ["1", "0"], {"type": "integer"}),
        ("Reaperturas", ["1", "0"], {"type": "integer"}),
        ("Días", ["0,0", "1,0"], {"type": "decimal", "decimal_sign": ","}),
        ("Valor", ["Sí", "No"], {"type": "boolean"}),
    ],
)
def test_a_header_says_what_numbers_are(header: str, cells: list[Cell], keys: dict[str, object]) -> None:
    """What names something stays text, what is counted is a number, and telephones and dates are read as written."""
    assert guess_type(profile_columns([header], [frame({header: cells})])[header]).keys == keys


@pytest.mark.parametrize(
    ("cells", "evidence"),
    [
        (["099 123 4567", "098 765 4321"], "of PE? They may also be of EC, PY"),
        (["+593 99 123 4567", "+57 300 101 4567"], "of CO?"),
        (["(11) 91234-5678", "(21) 99876-5432"], "of BR?"),
    ],
)
def test_telephones_that_several_countries_have_are_asked_about(cells: list[Cell], evidence: str) -> None:
    """The plans of several countries have the same numbers: the draft names all of them."""
    guess = guess_type(profile_columns(["Celular"], [frame({"Celular": cells})])["Celular"])
    assert guess.evidence.endswith(evidence)


def test_two_digits_of_a_birth_are_a_year_of_the_past() -> None:
    """A date of birth is drafted with the hundred years that end with this one."""
    guess = guess_type(profile_columns(["Nacimiento"], [frame({"Nacimiento": ["25/12/29", "12/03/45"]})])["Nacimiento"])
    assert guess.keys["read"] == "DD/MM/YY"
    assert 1926 <= int(str(guess.keys["century"])) < 2000


def test_numbers_with_dots_are_no_files(tmp_path: Path) -> None:
    """A column of files is found beside one of identity numbers, with the folder and what its paths begin with."""
    (tmp_path / "soportes").mkdir()
    for name in ("uno.pdf", "dos.jpg"):
        (tmp_path / "soportes" / name).write_bytes(b"x")
    sheet = {
        **SHEET,
        "Identificador": ["15.101.528", "15.101.529", "15.101.530", "15.101.531"],
        "Sitio": ["www.x.com", "acme.com.co", "www.z.org", "b.net"],
        "Soportes": [r"Z:\PQR\uno.pdf", r"Z:\PQR\dos.jpg", "", ""],
    }
    assert content(drafted(sheet, beside=tmp_path))["attachments"] == {
        "folder": "soportes",
        "columns": ["Soportes"],
        "strip_prefix": "Z:\\PQR\\",
    }


def test_the_key_and_what_no_field_uses_are_offered_for_the_form() -> None:
    """The key is seen in the CRM only as a field of the form; so are a name beside an address, and a spare subject."""
    sheet = {**SHEET, "Cliente": ["Ana", "Eva", "Leo", "Sol"], "Asunto": ["a", "b", "c", "d"]}
    sheet["Detalle"] = ["<p>a</p>", "<p>b</p>", "<br>c", "d"]
    found = content(with_proposals(drafted(sheet)))
    assert list(found["form"]) == ["Radicado", "Cliente", "Asunto"]
    assert found["fields"]["description"] == {"column": "Detalle", "type": "html"}


def test_remarks_below_a_total_belong_to_it() -> None:
    """What stands below a total, whatever its words, is skipped with it; rows above it are tickets."""
    rows = {"Radicado": ["R5", "Total", "Elaboró: Ana", "12/03/2026"], "Detalle": ["x", "", "", ""]}
    sheet = {column: [*cells, *rows.get(column, [""] * 4)] for column, cells in SHEET.items()}
    skip_if = content(drafted(sheet))["source"]["skip_if"]
    assert [next(iter(tests.values())) for tests in skip_if] == [
        "Total", "Elaboró: Ana", {"matches": "[0-9.,]+.[0-9.,]+.[0-9.,]+"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("last", "condition"),
    [
        ({"Radicado": "Total"}, {"Radicado": "Total"}),
        ({"Radicado": "TOTAL", "Estado": "4"}, {"Radicado": "TOTAL"}),
        ({"Radicado": "Total: 4"}, {"Radicado": {"matches": "Total. +[0-9.,]+"}}),
        ({"Detalle": "4 registros"}, {"Detalle": {"matches": "[0-9.,]+ +registros"}}),
        ({"Radicado": "R5"}, None),
        ({"Radicado": "Totalmente", "Correo": "a@x.co", "Detalle": "x", "Estado": "Abierto"}, None),
    ],
)
def test_rows_below_the_table_are_skipped(tmp_path: Path, last: dict[str, str], condition: object) -> None:
    """A total or a remark is known by its text; a row with few cells alone is not."""
    sheet = {column: [*cells, last.get(column, "")] for column, cells in SHEET.items()}
    text = drafted(sheet)
    assert content(text)["source"].get("skip_if") == condition
    mapper = bound(loaded(tmp_path, filled_in(text)), frame(sheet))
    assert list(mapper.skipped(frame(sheet))) == ([6] if condition else [])


def test_merged_cells_that_belong_to_several_rows_are_filled() -> None:
    """Where filling repeats what is above, `merged: fill` is proposed, and the draft sees the filled cells."""
    sheet = frame({**SHEET, "Sede": ["Norte", "", "", "Sur"]})
    filled = frame({**SHEET, "Sede": ["Norte", "Norte", "Norte", "Sur"]})
    text = draft(list(sheet.columns), [sheet], "drafted", filled=[filled])
    assert content(text)["source"]["merged"] == "fill"
    assert "merged" not in content(draft(list(sheet.columns), [sheet], "drafted", filled=[sheet]))["source"]
    assert re.search(r"Sede: .*# text, 2 different", text)


def test_several_lines_of_a_ticket_become_one_case(tmp_path: Path) -> None:
    """Rows of one key with texts of their own are grouped and these texts joined; older states alone are dropped."""
    sheet = {
        "Radicado": ["R1", "R1", "R2", "R2"],
        "Asunto": ["Luz", "Luz", "Agua", "Agua"],
        "Detalle": ["No hay luz", "Sigue sin luz", "No hay agua", "Ya hay agua"],
        "Nota": ["Se le llamó", "Se fue a ver", "", "Se cerró ayer"],
        "Estado": ["Abierto", "Cerrado", "Abierto", "Cerrado"],
    }
    found = content(with_proposals(drafted(sheet)))
    assert found["source"] == {"key": "Radicado", "group": "Radicado"}
    assert found["fields"]["description"] == {"column": "Detalle", "join": "\n"}
    assert found["form"]["Nota"] == {"column": "Nota", "join": "\n"}
    assert found["form"]["Asunto"] == {"column": "Asunto"}
    loaded(tmp_path, filled_in(with_proposals(drafted(sheet))))
    log = {column: cells for column, cells in sheet.items() if column not in {"Detalle", "Nota"}}
    assert content(drafted(log))["source"] == {"key": "Radicado", "keep": "last"}


def test_differing_cells_of_few_rows_prove_no_key() -> None:
    """The key of a small sheet is offered with that remark, and no address, text or date is offered at all."""
    few = drafted({"Lote": ["A", "B"], "Correo": ["a@x.co", "b@x.co"], "Día": ["13/01/2026", "14/01/2026"]})
    assert re.search(r"key: Lote +# all rows differ, but 2 rows prove little$", few, re.MULTILINE)
    many = drafted({"Lote": [f"L{row}" for row in range(6)], "Detalle": [f"D{row}" for row in range(6)]})
    assert re.search(r"key: Lote +# all rows differ$", many, re.MULTILINE)
    assert content(drafted({"Detalle": [f"D{row}" for row in range(6)]}))["source"] == {"key": None}


def test_a_draft_like_another_keeps_the_import_and_where_it_goes(tmp_path: Path) -> None:
    """The name under which rows are known, the target and the search stay, and no field is proposed twice."""
    text = HEAD.replace("source: {key: Id}", "source: {key: Radicado}").replace("import: test", "import: pqr")
    target = "target: {server: crm0001.wolkvox.com, operation: demo}\n"
    previous = written(tmp_path, f"{text}{target}form: {{D: {{column: Detalle}}}}\nsearch: description\n")
    found = content(drafted(SHEET, like=previous))
    assert found["import"] == "pqr"
    assert found["target"] == {"server": "crm0001.wolkvox.com", "operation": "demo"}
    assert found["search"] == "description"
    assert list(content(with_proposals(drafted(SHEET, like=previous)))["form"]) == ["D", "Radicado"]


@pytest.mark.parametrize(
    "status",
    ["CERRADO", "cerrado/solucionado", "Cerrado sin solución", "Resuelto OK", "ANULADO", "Cancelado", "Atendido",
     "Encerrado sem solução", "05 - Cerrada", "Caso cerrado", "Cerrado por el cliente", "Closed - no answer"],
)  # fmt: skip
def test_a_status_that_says_closed_among_other_words_is_drafted_as_closed(status: str) -> None:
    """A word such as `Cerrado` makes a status closed, whatever stands around it, as a closed case needs a solution."""
    text = drafted({"Ticket": ["1", "2", "3"], "Estado": ["Abierto", status, status]})
    assert content(text)["fields"]["status"]["closed"] == [status]
    assert "# closed?" not in text


@pytest.mark.parametrize(
    "status",
    ["por cerrar", "no resuelto", "pendiente de cierre", "Não resolvido", "Unresolved", "Por ser cerrado", "Rechazado",
     "Resuelto, pendiente de confirmar", "Parcialmente resuelto", "Cerrado (reabierto)", "Respondido por el cliente"],
)  # fmt: skip
def test_a_status_that_may_be_open_is_a_question_beside_the_closed_ones(status: str) -> None:
    """A draft never takes such a status as closed: it asks a person, beside the ones that surely are."""
    text = drafted({"Ticket": ["1", "2", "3", "4"], "Estado": ["Abierto", status, status, "Cerrado"]})
    assert content(text)["fields"]["status"]["closed"] == ["Cerrado"]
    (question,) = [line for line in text.splitlines() if "# closed? " in line]
    assert yaml.safe_load(question.split("closed? ")[1]) == [status]
    assert "if any of these are closed, list them in closed" in question


@pytest.mark.parametrize(
    "status", ["Abierto", "Reabierto", "En trámite", "Por atender", "Fecha vencida", "En términos"]
)
def test_an_open_status_is_neither_closed_nor_a_question(status: str) -> None:
    """A draft of open statuses says nothing of closed ones."""
    assert "closed" not in drafted({"Ticket": ["1", "2", "3"], "Estado": ["Nuevo", status, status]})


def test_a_draft_without_a_column_of_solutions_has_a_line_for_the_closed_cases() -> None:
    """Where statuses look closed and no column is a solution, one text for the closed rows is proposed, and valid."""
    statuses = {"Ticket": ["1", "2", "3"], "Estado": ["Abierto", "Cerrado", "Cerrado"]}
    text = drafted(statuses)
    assert "solution" not in content(text)["fields"]
    taken = content(text.replace("  # solution:", "  solution:"))
    assert taken["fields"]["solution"] == {"value": "Closed in the old system", "when": {"Estado": ["Cerrado"]}}
    assert "# solution:" not in drafted({**statuses, "Respuesta": ["", "Se hizo", "Se arregló"]})
    assert "# solution:" not in drafted({**statuses, "Estado": ["Abierto", "Nuevo", "Nuevo"]})


def test_addresses_in_hyperlinks_of_access_are_drafted_as_the_contact() -> None:
    """A column whose cells have addresses as links is one of addresses."""
    cells = [f"{name}@x.co#mailto:{name}@x.co#" for name in ("ana", "eva", "luz")]
    text = drafted({"Ticket": ["1", "2", "3"], "Escribir a": cells})
    assert content(text)["fields"]["contact"] == {"column": "Escribir a", "type": "email"}
