"""`draft` proposes a mapping from headers and values: it finds what the sheet shows, and invents nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pytest
import yaml
from mapping_support import HEAD, faults, frame, written

from importer.mapping import draft
from importer.mapping.drafting.kinds import guess_type
from importer.mapping.drafting.matching import match_headers
from importer.mapping.drafting.profiles import profile_columns
from importer.model import Cell, Typed

ZENDESK = (
    "Summation column,Id,Requester,Requester id,Requester external id,Requester email,Requester domain,Submitter,"
    "Assignee,Group,Subject,Tags,Status,Priority,Via,Ticket type,Created at,Updated at,Assigned at,Organization,"
    "Due date,Initially assigned at,Solved at,Resolution time,Satisfaction Score,Group stations,Assignee stations,"
    "Reopens,Replies,First reply time in minutes,First resolution time in minutes"
)
FRESHDESK = (
    "Ticket ID,Subject,Status,Priority,Source,Type,Agent,Group,Created time,Due by Time,Resolved time,Closed time,"
    "Last update time,Initial response time,Time tracked,First response time (in hrs),Resolution time (in hrs),"
    "Agent interactions,Customer interactions,Resolution status,First response status,Tags,Survey results,"
    "Association type,Product,Every response status,Full name,Title,Email,Work phone,Mobile phone,Twitter ID,"
    "Time zone,Language,Unique external ID,Contact ID,Company Name,Company domains,Health score"
)
JIRA = (
    "Summary,Issue key,Issue id,Issue Type,Status,Project key,Project name,Project type,Project lead,Priority,"
    "Resolution,Assignee,Reporter,Creator,Created,Updated,Last Viewed,Resolved,Affects versions,Fix versions,"
    "Components,Due date,Votes,Labels,Description,Environment,Watchers,Original estimate,Remaining Estimate,"
    "Time Spent,Work Ratio,Security Level,Attachment,Comment"
)
GLPI = (
    "ID,Título,Entidad,Estado,Última actualización,Fecha de apertura,Prioridad,Solicitante - Solicitante,"
    "Asignado a - Técnico,Asignado a - Grupo de técnicos,Categoría,Tipo,Urgencia,Impacto,Descripción,"
    "Solución - Solución,Fecha de cierre,Tiempo de resolución"
)
OSTICKET = (
    "Ticket Number,Date Created,Subject,From,From Email,Priority,Department,Help Topic,Source,Current Status,"
    "Last Updated,SLA Due Date,Due Date,Closed Date,Overdue,Merged,Linked,Answered,Agent Assigned,Team Assigned,"
    "Thread Count,Reopen Count,Attachment Count,Task Count"
)
SERVICENOW = (
    "Number,Opened,Short description,Caller,Contact type,Category,Priority,State,Assignment group,Assigned to,"
    "Updated,Updated by,Description,Close code,Close notes,Configuration item,Urgency,Impact,Severity,Opened by"
)
SYSTEMS = {
    "zendesk": (ZENDESK, {
        "key": "Id", "case-type": "Ticket type", "owner": "Assignee", "contact": "Requester email",
        "person": "Requester", "description": "Subject", "status": "Status", "priority": "Priority",
    }),
    "freshdesk": (FRESHDESK, {
        "key": "Ticket ID", "case-type": "Type", "owner": "Agent", "contact": "Email", "person": "Full name",
        "description": "Subject", "status": "Status", "priority": "Priority",
    }),
    "jira": (JIRA, {
        "key": "Issue key", "case-type": "Issue Type", "owner": "Assignee", "person": "Reporter", "subject": "Summary",
        "description": "Description", "status": "Status", "priority": "Priority", "solution": "Resolution",
        "attachments": "Attachment",
    }),
    "glpi": (GLPI, {
        "key": "ID", "case-type": "Tipo", "owner": "Asignado a - Técnico", "person": "Solicitante - Solicitante",
        "subject": "Título", "description": "Descripción", "status": "Estado", "priority": "Prioridad",
        "solution": "Solución - Solución",
    }),
    "osticket": (OSTICKET, {
        "key": "Ticket Number", "owner": "Agent Assigned", "contact": "From Email", "person": "From",
        "description": "Subject", "status": "Current Status", "priority": "Priority",
    }),
    "servicenow": (SERVICENOW, {
        "key": "Number", "owner": "Assigned to", "person": "Caller", "subject": "Short description",
        "description": "Description", "status": "State", "priority": "Priority", "solution": "Close notes",
    }),
}  # fmt: skip
"""The documented column names of exports, and which field each is; `person` is the name of the customer."""


def cell(header: str, row: int) -> str:
    """Return a typical cell of an export under a header."""
    name = header.casefold()
    if "email" in name:
        return f"p{row}@example.com"
    if name == "attachment":
        return f"file{row}.pdf"
    if name in {"id", "number", "ticket id", "issue key", "ticket number", "issue id"}:
        return f"{1000 + row}"
    return f"{header} {row % 3}"


def sheet_of(headers: str) -> pd.DataFrame:
    """Return twelve rows of an export with these headers."""
    return frame({header: [cell(header, row) for row in range(12)] for header in headers.split(",")})


def drafted(columns: Mapping[str, Sequence[Cell]], *, like: Path | None = None, beside: Path | None = None) -> str:
    """Return the draft for a sheet."""
    sheet = frame(columns)
    return draft(list(sheet.columns), [sheet], "drafted", like=like, beside=beside)


@pytest.mark.parametrize("system", SYSTEMS)
def test_exports_of_six_systems_are_recognised(system: str) -> None:
    """Every field of the case that the export holds is found, and none is matched wrongly."""
    headers, fields = SYSTEMS[system]
    sheet = sheet_of(headers)
    matches = match_headers(profile_columns(list(sheet.columns), [sheet]))
    assert {field: match.column for field, match in matches.items()} == fields


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_draft_is_whole_but_for_its_marked_blanks(tmp_path: Path, system: str) -> None:
    """`load` reports every marked blank by name, and nothing else."""
    sheet = sheet_of(SYSTEMS[system][0])
    text = draft(list(sheet.columns), [sheet], system)
    blanks = [number for number, line in enumerate(text.splitlines(), 1) if "# <-- " in line]
    assert [int(fault.split(":")[0]) for fault in faults(tmp_path, text)] == blanks
    assert 0 < len(blanks) <= 4


SHEET: Mapping[str, Sequence[Cell]] = {
    "Radicado": ["R1", "R2", "R3"],
    "Tipo": ["Queja", "Petición", "Otro"],
    "Correo": ["a@x.co", "b@x.co", "c@x.co"],
    "Asunto": ["a", "b", "c"],
    "Detalle": ["aa", "bb", "cc"],
    "Estado": ["Cerrado", "Abierto", "Cerrado"],
    "Prioridad": ["Alta", "", "Alta"],
    "Respuesta": ["x", "", "y"],
    "Abierto el": ["13/01/2026", "02/01/2026", "03/01/2026"],
    "Anexo 1": ["uno.pdf; dos.pdf", "", "tres.pdf"],
}


def test_a_proposal_is_taken_by_deleting_its_mark_alone() -> None:
    """Without their first `#`, proposed lines are YAML in their places: the target, and fields of `form`."""
    text = drafted({header: ["a", "b"] for header in ("Ticket", "Asunto", "Canal")}).replace("form: {}", "form:")
    taken = yaml.safe_load(re.sub(r"^#(?=target:|  )", "", text, flags=re.MULTILINE))
    assert taken["target"] == {"server": "crm0001.wolkvox.com", "operation": "my_operation"}
    assert taken["form"]["Canal"] == {"column": "Canal"}


def test_guesses_have_their_evidence_beside_them() -> None:
    """Values have their rows beside them, types their proof, closed statuses and known case types their names."""
    text = drafted(SHEET)
    for line in (
        r"key: Radicado +# by its header; all rows differ",
        r"Queja: Complaints +# 1 row$",
        r"Otro: Otro +# 1 row; must be a type of the module",
        r"Cerrado: Cerrado +# 2 rows",
        r"closed: \[Cerrado\] +# these look closed",
        r"# default: \.\.\. +# 1 row is empty",
        r"#  Abierto el: \{column: Abierto el, type: date, read: DD/MM/YYYY\} +# a day above 12 proves DD/MM/YYYY",
        r"  folder: +# <-- the folder with the files",
        r"  columns: \[Anexo 1\]",
        r'  separator: ";"',
    ):
        assert re.search(line, text, re.MULTILINE), line


def test_attachment_columns_are_known_by_existing_files(tmp_path: Path) -> None:
    """If the named files are under the sheet's folder, their folder is found."""
    (tmp_path / "files" / "2026").mkdir(parents=True)
    for name in ("uno.pdf", "dos.pdf", "tres.pdf"):
        (tmp_path / "files" / "2026" / name).write_bytes(b"x")
    content = yaml.safe_load(
        drafted({"Soporte" if k == "Anexo 1" else k: v for k, v in SHEET.items()}, beside=tmp_path)
    )
    assert content["attachments"] == {"folder": "files/2026", "columns": ["Soporte"], "separator": ";"}


def test_a_comma_inside_a_name_separates_no_names(tmp_path: Path) -> None:
    """A separator is proposed where what it separates are names of files; one name may have a comma."""
    cells: list[Cell] = ["carta, anexo.pdf", "dos.pdf", "tres.pdf"]
    rows: dict[str, list[Cell]] = {"Radicado": ["R1", "R2", "R3"], "Soporte": cells}
    for name in map(str, cells):
        (tmp_path / name).write_bytes(b"x")
    assert yaml.safe_load(drafted(rows, beside=tmp_path))["attachments"] == {"folder": ".", "columns": ["Soporte"]}


def test_headers_may_have_any_characters(tmp_path: Path) -> None:
    """Line breaks, quotes, colons and YAML's own characters in headers and cells leave the draft valid."""
    rows: dict[str, list[Cell]] = {"No:\n#1": ["a", "b"], "Estado": ["[x]: #", '- "y"'], "*Ünï|": ["1", "2"]}
    content = yaml.safe_load(drafted(rows))
    assert content["source"]["key"] == "No:\n#1"
    assert content["fields"]["status"]["values"] == {"[x]: #": "[x]: #", '- "y"': '- "y"'}
    assert all("blank" in fault for fault in faults(tmp_path, drafted(rows)))


def test_an_event_log_keeps_its_newest_rows() -> None:
    """A key that repeats in many rows is drafted with `keep: last`; a missing key column is a marked blank."""
    rows = [*SHEET["Radicado"], "R1"]
    sheet = frame({"Radicado": rows, "Estado": ["a", "b", "a", "b"]})
    content = yaml.safe_load(draft(["Radicado", "Estado"], [sheet], "drafted", sheet="Log"))
    assert content["source"] == {"sheet": "Log", "key": "Radicado", "keep": "last"}
    assert yaml.safe_load(drafted({"Estado": ["a", "a"]}))["source"] == {"key": None}


def test_the_decisions_of_a_previous_mapping_are_kept(tmp_path: Path) -> None:
    """`like` keeps what fits, marks new texts as blanks, and drafts again what lost its column."""
    text = HEAD.replace("status: Abierto", "status: {column: ESTADO, values: {Abierto: Open}}").replace(
        "description: words", "description: {template: '{Gone}'}"
    )
    previous = written(tmp_path, text + "form:\n  Subject: {column: Asunto, max_length: 9}\nreference: form.Subject\n")
    new = drafted(SHEET, like=previous)
    content = yaml.safe_load(new)
    assert content["fields"]["owner"] == "ADMIN_@demo"
    assert content["fields"]["status"] == {"column": "ESTADO", "values": {"Abierto": "Open", "Cerrado": None}}
    assert content["fields"]["description"] == {"template": "{Asunto}\n\n{Detalle}"}
    assert content["form"] == {"Subject": {"column": "Asunto", "max_length": 9}}
    assert (content["reference"], content["import"]) == ("form.Subject", "test")
    assert "# <-- new: not in mapping.yml" in new


@pytest.mark.parametrize(
    ("section", "entry", "kept"),
    [
        ("form", "key: {column: Asunto}", True),
        ("form", "key: {column: Gone}", False),
        ("form", "X: {value: a, when: [{Asunto: a}, {Estado: b}]}", True),
        ("form", "X: {value: a, when: [{Asunto: a}, {Gone: b}]}", False),
        ("form", "X: {object: {type: t, key: {column: Asunto}}}", True),
        ("form", "X: {object: {type: t, key: {column: Gone}}}", False),
        ("attachments", "patterns: ['{Asunto}/*']", True),
        ("attachments", "patterns: '{Gone}/*'", False),
        ("attachments", "list: {file: f, key: k, path: p, match: Asunto}", True),
        ("attachments", "list: {file: f, key: k, path: p, match: Gone}", False),
    ],
)
def test_a_decision_is_kept_where_the_sheet_has_all_of_its_columns(
    tmp_path: Path,
    section: str,
    entry: str,
    kept: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """Columns are found in fields, conditions, objects, patterns and lists, whatever fields are called."""
    folder = "  folder: f\n" if section == "attachments" else ""
    new = drafted(SHEET, like=written(tmp_path, f"{HEAD}{section}:\n{folder}  {entry}\n"))
    assert (entry.split(":", maxsplit=1)[0] in (yaml.safe_load(new)[section] or {})) == kept


def test_a_column_that_names_a_time_zone_asks_for_the_zone() -> None:
    """Without a zone `check` would refuse the times, so the draft says what to add."""
    for cell in ("2024-03-17T10:00:00Z", "17/03/2024 10:00 -0500", "Sun, 17 Mar 2024 10:00:00 +0000"):
        guess = guess_type(profile_columns(["C"], [frame({"C": [cell, ""]})])["C"])
        assert guess.keys["type"] == "datetime"
        assert guess.evidence.startswith("<-- ")
        assert "zone: America/Bogota" in guess.evidence


@pytest.mark.parametrize(
    ("cells", "keys"),
    [
        (["a@x.co", "b@y.co"], {"type": "email"}),
        (["03/04/2026", "04/03/2026"], {"type": "date"}),
        (["01/02/2026 10:00", "31/02/2026 11:00", "31/01/2026 11:00"] * 4, {}),
        (["01/02/2026 10:00", "31/01/2026 11:00"], {"type": "datetime", "read": "DD/MM/YYYY"}),
        (["1.234,5", "2"], {"type": "decimal", "decimal_sign": ","}),
        (["1", "22"], {"type": "integer"}),
        (["7%", "22 %"], {"type": "decimal"}),
        ([Typed("7%", 0.07), Typed("2", 2)], {"type": "decimal"}),
        ([Typed("1.5", 1.5), Typed("2", 2)], {"type": "decimal"}),
        (["00123", "00124"], {}),
        (["Sí", "No"], {"type": "boolean"}),
        (["uno", "otro"], {}),
        (["", ""], {}),
    ],
)
def test_types_are_proved_by_the_column(cells: list[Cell], keys: dict[str, str]) -> None:
    """A type is proposed with the format or sign that the column proves; if a cell does not fit, none is."""
    sheet = frame({"C": cells})
    assert guess_type(profile_columns(["C"], [sheet])["C"]).keys == keys
