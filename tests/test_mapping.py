"""The mapping as other stages use it: what `load` and `bind` return, missing columns, and how cells are converted."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from mapping_support import HEAD, bound, converted, faults, form_values, frame, loaded, written

from importer import mapping
from importer.errors import MappingError
from importer.model import CellError, FieldRule, TableOptions, Typed

WHOLE = """\
version: 1
import: legacy-tickets
source: {sheet: Tickets, header_row: 3, encoding: cp1252, delimiter: ";", hidden: include, merged: fill,
         key: [Sede, No]}
target: {server: crm0001.wolkvox.com, operation: demo}
fields:
  case-type: {column: Tipo, values: {Petición: Request}}
  responsible: ADMIN_@demo
  owner: {column: Agente, lookup: {file: agents.csv, key: Nombre, value: Correo}}
  contact: {column: Correo, known: {file: contacts.csv, column: Email}}
  description: {template: "{Asunto}: {Fecha:DD/MM/YYYY}"}
  status: {column: Estado, allowed: [Abierto, Cerrado], closed: [Cerrado]}
  priority: {column: Prioridad, default: Media}
  solution: {column: Solución}
form:
  Subject: {column: Asunto, required: true, max_length: 100, min_length: 2, pattern: "[A-Z].*"}
  Notes: {column: Notas}
  Total: {column: Total, type: decimal}
attachments: {folder: adjuntos, columns: Adjunto, separator: ";", max_size: 2MB, missing: send_without}
reference: form.Notes
search: idCase
on_change: update
"""


def test_load_says_all_that_other_stages_need(tmp_path: Path) -> None:
    """A mapping provides source options, key, target, rules, attachments and needed tables, as written."""
    path = written(tmp_path, WHOLE)
    case = mapping.load_mapping(path)
    assert (case.path, case.digest) == (path, hashlib.sha256(path.read_bytes()).hexdigest())
    assert (case.import_name, case.key) == ("legacy-tickets", ("Sede", "No"))
    assert case.table == TableOptions("Tickets", 3, "cp1252", ";", "include", "fill")
    assert (case.server, case.operation) == ("crm0001.wolkvox.com", "demo")
    assert (case.reference, case.search, case.updates_cases) == ("form.Notes", "idCase", True)
    assert [need.path for need in case.tables] == [tmp_path / "agents.csv", tmp_path / "contacts.csv"]
    assert case.attachments is not None
    assert (case.attachments.folder, case.attachments.columns) == (Path("adjuntos"), ("Adjunto",))
    assert (case.attachments.max_size, case.attachments.missing) == (2_000_000, "send_without")


def test_rules_hold_fields_to_what_the_crm_demands(tmp_path: Path) -> None:
    """Rules require the CRM's fields, an address as contact, bounded form texts, and know the closed statuses."""
    rules = {rule.path: rule for rule in loaded(tmp_path, WHOLE).rules}
    demanded = {"case-type", "responsible", "owner", "contact", "description", "status", "priority"}
    assert {path for path, rule in rules.items() if rule.required} == {*demanded, "form.Subject"}
    assert rules["contact"].kind == "email"
    assert rules["status"] == FieldRule(
        "status", "Estado", required=True, allowed=("Abierto", "Cerrado"), closed=("Cerrado",)
    )
    assert (rules["description"].column, rules["responsible"].column) == ("Asunto", None)
    assert (rules["form.Subject"].max_length, rules["form.Subject"].min_length) == (100, 2)
    assert (rules["form.Notes"].max_length, rules["form.Notes"].carries_reference) == (2_500, True)
    assert (rules["form.Total"].kind, rules["form.Total"].max_length) == ("decimal", None)


def test_key_content_means_no_key(tmp_path: Path) -> None:
    """`key: content` gives no key columns; a column of that name is written as a list."""
    assert loaded(tmp_path, HEAD.replace("key: Id", "key: content")).key == ()
    assert loaded(tmp_path, HEAD.replace("key: Id", "key: [content]")).key == ("content",)


def test_a_file_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    """A missing mapping is one clear fault without a traceback."""
    with pytest.raises(MappingError, match=r"There is no file .*none\.yml\. Check the name"):
        mapping.load_mapping(tmp_path / "none.yml")


def test_scalars_are_the_text_that_is_written(tmp_path: Path) -> None:
    """`NO`, `0123`, `1.10`, `null` and dates stay texts, quoted or not."""
    for text in ("NO", "0123", "1.10", "null", "2024-01-31", "0x1F", "1_000", "~"):
        case = loaded(tmp_path, f"{HEAD}form:\n  X: {text}\n")
        assert converted(case, frame({"Id": ["1"]})).fields["form.X"].tolist() == [text]


def test_headers_are_found_as_people_write_them(tmp_path: Path) -> None:
    """A column is found in spite of composition, outer or non-breaking spaces, case and accents."""
    case = loaded(tmp_path, f"{HEAD}form:\n  X: {{column: Descripción larga}}\n")
    for header in ("Descripción larga", " Descripcio\u0301n\u00a0larga ", "DESCRIPCION LARGA"):
        mapper = bound(case, frame({"Id": ["1"], header: ["a"]}))
        assert mapper.columns == ("Id", header)
        assert {rule.column for rule in mapper.rules} == {None, header}


def test_a_header_that_may_be_two_is_asked_for(tmp_path: Path) -> None:
    """If two headers differ only by accents, the mapping must spell the one that it means."""
    case = loaded(tmp_path, f"{HEAD}form:\n  X: {{column: MAS}}\n")
    with pytest.raises(MappingError, match="'MAS' may mean any of 'más', 'mas'"):
        case.bind(["Id", "más", "mas"], {})
    assert case.bind(["Id", "más", "mas", "MAS"], {}).columns == ("Id", "MAS")


def test_all_missing_columns_are_reported_at_once_with_the_nearest(tmp_path: Path) -> None:
    """Columns of fields, key, conditions, templates, attachments and lookup tables are reported together, by line."""
    text = (
        HEAD.replace("{key: Id}", "{key: Idd, skip_if: {Estdo: x}}")
        + """\
form:
  A: {template: "{Asunt} {Id}"}
  B: {column: Id, lookup: {file: t.csv, key: Nombre, value: Corre}}
  C: {column: Id, when: {Estado: {is: a}, Nada: b}}
attachments: {folder: f, columns: [Id, Adjun]}
"""
    )
    case = loaded(tmp_path, text)
    with pytest.raises(MappingError) as caught:
        bound(
            case, frame({"Id": [], "Estado": [], "Asunto": [], "Adjunto": []}), tables={"t.csv": frame({"Correo": []})}
        )
    lines = [str(fault).removeprefix(f"{fault.file}:").partition("? If")[0] for fault in caught.value.faults]
    assert lines == [
        "3:15: source.key: the sheet has no column 'Idd'; did you mean Id?",
        "3:30: source.skip_if.Estdo: the sheet has no column 'Estdo'; did you mean Estado?",
        "13:17: form.A.template: the sheet has no column 'Asunt'; did you mean Asunto?",
        "14:46: form.B.lookup.key: t.csv has no column 'Nombre'; possible values: Correo",
        "14:61: form.B.lookup.value: t.csv has no column 'Corre'; did you mean Correo?",
        "15:43: form.C.when.Nada: the sheet has no column 'Nada'; possible values: Id, Estado, Asunto, Adjunto",
        "16:40: attachments.columns[2]: the sheet has no column 'Adjun'; did you mean Adjunto",
    ]


def test_converted_fields_keep_row_numbers_and_leave_out_what_is_empty(tmp_path: Path) -> None:
    """The frame has Excel's row numbers, a column for every field, object cells, and None where nothing is sent."""
    case = loaded(tmp_path, f"{HEAD}form:\n  X: {{column: C}}\n  N: {{column: D, type: integer}}\n")
    result = converted(case, frame({"Id": ["a", "b"], "C": ["x", " "], "D": ["", "7"]}, first_row=9))
    assert list(result.fields.columns) == [rule.path for rule in case.rules]
    assert result.fields.index.tolist() == [9, 10]
    assert result.fields["form.X"].tolist() == ["x", None]
    assert result.fields["form.N"].tolist() == [None, 7]
    assert {str(dtype) for dtype in result.fields.dtypes} == {"object"}


def test_the_columns_that_are_used_come_in_sheet_order(tmp_path: Path) -> None:
    """Columns of fields, templates, conditions, key and attachments are named once, as the sheet orders them."""
    text = f"{HEAD}form:\n  X: {{template: '{{d}} {{b}}', when: {{E: x}}}}\nattachments: {{folder: f, columns: C}}\n"
    mapper = loaded(tmp_path, text).bind(["E", "D", "C", "B", "A", "id"], {})
    assert mapper.columns == ("E", "D", "C", "B", "id")
    assert (mapper.key_columns, mapper.attachment_columns) == (("id",), ("C",))


def test_a_value_that_the_mapping_lacks_is_reported_with_the_line_to_add(tmp_path: Path) -> None:
    """A cell outside `values` is an issue of its row, column and value, and its words group over rows."""
    case = loaded(tmp_path, HEAD.replace("status: Abierto", "status: {column: estado, values: {Abierto: Open}}"))
    result = converted(case, frame({"Id": ["1", "2", "3"], "Estado": ["En curso", "ABIERTO", "En curso"]}))
    assert [(issue.row, issue.column, issue.value, issue.code) for issue in result.issues] == [
        (2, "Estado", "En curso", "no-crm-value"),
        (4, "Estado", "En curso", "no-crm-value"),
    ]
    assert result.issues[0].message == "Estado 'En curso' has no CRM status"
    assert result.issues[0].remedy == "add this line to values: En curso: …"
    assert result.fields["status"].tolist() == [None, "Open", None]


def test_a_cell_that_could_not_be_read_is_an_issue_where_it_is_used(tmp_path: Path) -> None:
    """A `CellError` passes its code, words and remedy on, once for each cell, and not where no field uses it."""
    error = CellError("#N/A", "error-cell", "the cell shows #N/A", "correct the formula")
    text = f"{HEAD}form:\n  X: {{column: C}}\n  Y: {{column: C, type: date}}\n  Z: {{template: '{{C}}!'}}\n"
    result = converted(loaded(tmp_path, text), frame({"Id": ["1", error], "C": [error, "x"], "D": [error, error]}))
    assert [(i.row, i.column, i.value, i.code, i.message, i.remedy) for i in result.issues] == [
        (2, "C", "#N/A", "error-cell", "the cell shows #N/A", "correct the formula"),
        (3, "Id", "#N/A", "error-cell", "the cell shows #N/A", "correct the formula"),
        (3, "C", "x", "not-a-date", "'x' is not a readable date", result.issues[2].remedy),
    ]


def test_values_are_exact_first_then_without_case_and_accents(tmp_path: Path) -> None:
    """The exact text wins, only one may match without accents, and `*` is for all others but not for empty cells."""
    spec = "{column: C, values: {Sí: 'yes', SI: capitals, No: 'no', '*': rest}}"
    assert form_values(tmp_path, spec, ["Sí", "SI", "NO", "nó", "otro", ""]) == [
        "yes", "capitals", "no", "no", "rest", None,
    ]  # fmt: skip
    assert form_values(tmp_path, "{column: C, values: {Sí: a, SI: b}}", ["si"]) == ["! ambiguous-value"]


def test_a_default_fills_what_is_empty_and_is_a_value_already(tmp_path: Path) -> None:
    """`default` passes neither `values` nor `lookup`, and is JSON of the field's type."""
    assert form_values(tmp_path, "{column: C, values: {a: A}, default: Media}", ["a", "", " "]) == [
        "A",
        "Media",
        "Media",
    ]
    assert form_values(tmp_path, "{column: C, type: integer, default: '7'}", ["", "8"]) == [7, 8]
    assert form_values(tmp_path, "{column: C, type: boolean, default: 'no'}", [""]) == [False]


def test_a_lookup_names_what_is_missing_twice_or_blank(tmp_path: Path) -> None:
    """A key is found as written or folded; missing, repeated or blank keys are issues of the row."""
    agents = frame(
        {"Nombre": ["Ana ", "Beto", "Luz", "Luz", "Zoe", "añO"], "Correo": ["a@x", "b@x", "c@x", "c@x", "", "o@x"]}
    )
    spec = "{column: C, lookup: {file: agents.csv, key: nombre, value: correo}}"
    cells = ["ana", "Beto", "Luz", "Zoe", "ano", "Eva", ""]
    assert form_values(tmp_path, spec, cells, agents=agents) == [
        "a@x", "b@x", "! lookup-key-twice", "! lookup-empty", "o@x", "! not-in-lookup", None,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "otherwise", "value"),
    [
        (("*", "TODOS@demo"), "", "TODOS@demo"),
        (None, ", otherwise: TODOS@demo", "TODOS@demo"),
        (("*", "TODOS@demo"), ", otherwise: OTROS@demo", "TODOS@demo"),
        (("*", ""), "", "! lookup-empty"),
        (None, "", "! not-in-lookup"),
    ],
)
def test_a_lookup_has_a_value_for_all_others(
    tmp_path: Path, line: tuple[str, str] | None, otherwise: str, value: str
) -> None:
    """A line `*` of the table, or else `otherwise`, stands for each text that it lacks, and for no other."""
    names, users = zip(("Ana", "ANA@demo"), ("Ana Ruiz", ""), *([line] if line else []), strict=True)
    spec = f"{{column: C, lookup: {{file: agents.csv, key: N, value: V{otherwise}}}, default: NADIE@demo}}"
    agents = frame({"N": names, "V": users})
    assert form_values(tmp_path, spec, ["ANA", "Ana Ruiz", "Luz", ""], agents=agents) == [
        "ANA@demo", "! lookup-empty", value, "NADIE@demo",
    ]  # fmt: skip


def test_a_lookup_may_be_a_sheet_of_the_source_itself(tmp_path: Path) -> None:
    """Without `file`, the table is another sheet of the source."""
    case = loaded(tmp_path, f"{HEAD}form:\n  X: {{column: C, lookup: {{sheet: Agentes, key: N, value: V}}}}\n")
    assert [(need.path, need.options.sheet) for need in case.tables] == [(None, "Agentes")]
    sheet = frame({"Id": ["1"], "C": ["a"]})
    result = converted(case, sheet, tables={"Agentes": frame({"N": ["a"], "V": ["b"]})})
    assert result.fields["form.X"].tolist() == ["b"]


def test_known_values_are_passed_on_as_the_crm_spells_them(tmp_path: Path) -> None:
    """A contact that differs only in case is sent in the known spelling; any other is an issue."""
    contacts = frame({"Email": ["Ana@x.co", "b@x.co"]})
    spec = "{column: C, type: email, known: {file: contacts.csv, column: Email}}"
    assert form_values(tmp_path, spec, ["ana@X.co", "b@x.co", "c@x.co", "nadie"], contacts=contacts) == [
        "Ana@x.co", "b@x.co", "! not-known", "nadie",
    ]  # fmt: skip


def test_a_template_is_filled_in_one_pass(tmp_path: Path) -> None:
    """Braces inside cells are text, `{{` is a brace, an empty part is empty text, all parts empty is empty."""
    case = loaded(tmp_path, f"{HEAD}form:\n  X: {{template: '{{{{{{A}}}}}}: {{B}}'}}\n")
    sheet = frame({"Id": ["1", "2", "3"], "A": ["{B}", "", " "], "B": ["{{x}}", "b", ""]})
    assert converted(case, sheet).fields["form.X"].tolist() == ["{{B}}: {{x}}", "{}: b", None]
    case = loaded(tmp_path, f"{HEAD}form:\n  X: {{template: 'a {{{{b}}'}}\n")
    assert converted(case, sheet).fields["form.X"].tolist() == ["a {b}"] * 3


def test_a_template_writes_dates_and_numbers_in_a_format(tmp_path: Path) -> None:
    """`{Column:DD/MM/YYYY HH:mm}` and `{Column:#.##0,00}` write what the column proves; headers may hold colons."""
    text = f"{HEAD}form:\n  X: {{template: '{{F:DD/MM/YYYY HH:mm}} {{N:#.##0,00}} {{a: b}}'}}\n"
    sheet = frame({
        "Id": ["1", "2"], "F": ["2026-02-01 10:20:59", ""], "N": ["1234.565", Typed("9", 9)], "a: b": ["z", ""],
    })  # fmt: skip
    assert converted(loaded(tmp_path, text), sheet).fields["form.X"].tolist() == ["01/02/2026 10:20 1.234,57 z", "9,00"]


def test_conditions_choose_the_rows_of_a_field(tmp_path: Path) -> None:
    """All tests of an alternative must hold and one alternative is enough; other rows get the default."""
    spec = "{value: urgent, default: normal, when: [{C: [VIP, Oró]}, {C: {not: x, matches: 'x.+', empty: false}}]}"
    assert form_values(tmp_path, spec, ["vip", "oro", "x", "xy", ""]) == [
        "urgent", "urgent", "normal", "urgent", "normal",
    ]  # fmt: skip
    assert form_values(tmp_path, "{column: C, when: {C: {empty: true}}}", ["a", ""]) == [None, None]


def test_unused_values_are_noted_with_what_they_may_have_meant(tmp_path: Path) -> None:
    """A text of `values` that no cell has is not an error, but is reported with its location."""
    case = loaded(tmp_path, f"{HEAD}form:\n  X: {{column: C, values: {{Abierto: a, Cerado: c, '*': z}}}}\n")
    mapper = bound(case, frame({"Id": ["1", "2"], "C": ["ABIERTO", "Cerrado"]}))
    assert mapper.notes == (
        f"{case.path}:13:39: form.X.values.Cerado: no cell of C is 'Cerado'; did you mean 'Cerrado'?",
    )


def test_a_size_is_one_text(tmp_path: Path) -> None:
    """A list where a size belongs is a fault like any other; sizes know their units."""
    attachments = "attachments: {folder: f, columns: A, max_size: "
    assert faults(tmp_path, f"{HEAD}{attachments}[1]}}\n") == [
        "12:48: attachments.max_size: expected a size, such as 10MB"
    ]
    for text, size in (("512", 512), ("1.5 KB", 1_500), ("2MiB", 2_097_152), ("1gb", 10**9)):
        options = loaded(tmp_path, f"{HEAD}{attachments}{text}}}\n").attachments
        assert options is not None
        assert options.max_size == size


def test_every_fault_of_the_file_is_reported_at_once(tmp_path: Path) -> None:
    """Faults of the YAML, of single keys and of combinations are reported together, by line."""
    text = "version: 1\nversion: 1\nsource: {key: Id, keap: last}\nfields: {status: {column: A, type: dat}}\n"
    lines = [fault.split(":")[0] for fault in faults(tmp_path, text)]
    assert lines == sorted(lines, key=int)
    assert {"2", "3", "4"} <= set(lines)


@pytest.mark.parametrize("sign", ["…", "...", " … ", ". . ."])
def test_a_line_copied_from_a_remedy_is_still_to_be_filled_in(tmp_path: Path, sign: str) -> None:
    """`…` stands for what a person is to write, wherever the mapping has a value of the CRM; it is never sent."""
    lines = (
        f"status: {{column: E, values: {{A: '{sign}'}}}}",
        f"status: {{column: E, default: '{sign}'}}",
        f"status: '{sign}'",
        f"status: {{value: '{sign}'}}",
        f"status: {{column: E, allowed: [A, '{sign}']}}",
        f"status: {{column: E, lookup: {{file: t.csv, key: K, value: V, otherwise: '{sign}'}}}}",
    )
    for line in lines:
        if sign == ". . .":
            loaded(tmp_path, HEAD.replace("status: Abierto", line))  # not what an issue proposes
            continue
        with pytest.raises(MappingError, match="blank value"):
            loaded(tmp_path, HEAD.replace("status: Abierto", line))


@pytest.mark.parametrize(("spec", "code"), [
    ("lookup: {file: t.csv, key: K, value: V}", "lookup-empty"),
    ("known: {file: t.csv, column: V}", "not-known"),
])  # fmt: skip
def test_a_table_with_a_line_to_be_filled_in_gives_no_value(tmp_path: Path, spec: str, code: str) -> None:
    """A `…` in another table is as good as an empty cell."""
    case = loaded(tmp_path, HEAD.replace("status: Abierto", f"status: {{column: E, {spec}}}"))
    table = {"t.csv": frame({"K": ["a", "…"], "V": ["…", "…"]})}
    result = converted(case, frame({"Id": ["1"], "E": ["a" if code == "lookup-empty" else "…"]}), tables=table)
    assert [issue.code for issue in result.issues] == [code]


@pytest.mark.parametrize("name", ["Estado", "estado", "ESTADO", "Clase de pqr"])
def test_a_constant_that_names_a_column_is_a_fault(tmp_path: Path, name: str) -> None:
    """A plain text that is the name of a column was meant as `{column: …}`; `{value: …}` is the constant."""
    cells = frame({"Id": ["1"], "Estado": ["x"], "Clase de PQR": ["y"]})
    case = loaded(tmp_path, HEAD.replace("status: Abierto", f"status: {name}"))
    with pytest.raises(MappingError) as caught:
        bound(case, cells)
    (fault,) = caught.value.faults
    line = HEAD.splitlines().index("  status: Abierto") + 1
    assert str(fault).removeprefix(f"{fault.file}:") == (
        f"{line}:11: fields.status: '{name}' is the name of a column; write `{{column: {name}}}`,"
        f" or `{{value: {name}}}` if it is what the CRM is to get"
    )
    case = loaded(tmp_path, HEAD.replace("status: Abierto", f"status: {{value: {name}}}"))
    assert converted(case, cells).fields["status"].tolist() == [name]
    used = (
        HEAD.replace("status: Abierto", f"status: {name}").replace("form: {}", "")
        + f"form: {{X: {{column: {name}}}}}\n"
    )
    assert converted(loaded(tmp_path, used), cells).fields["status"].tolist() == [name]


def test_a_misspelt_cell_can_be_corrected_too(tmp_path: Path) -> None:
    """For a cell that is nearly one of the `values`, the remedy names that one, and the line that would add it."""
    case = loaded(tmp_path, HEAD.replace("status: Abierto", "status: {column: E, values: {Cerrado: Closed}}"))
    (issue,) = converted(case, frame({"Id": ["1"], "E": ["Cerado"]})).issues
    assert issue.remedy == "add to `values`: `Cerado: Closed`, or correct the cell: `Cerrado`"


@pytest.mark.parametrize(("name", "near"), [("Barrio", None), ("Usario", "Usuario"), ("Corre", "Correo")])
def test_only_a_likely_header_is_suggested(tmp_path: Path, name: str, near: str | None) -> None:
    """A header is near a name that is a misspelling of it, not one that shares some letters."""
    case = loaded(tmp_path, f"{HEAD}form:\n  X: {{column: {name}}}\n")
    with pytest.raises(MappingError) as caught:
        bound(case, frame({"Id": [], "Usuario": [], "Correo": []}))
    hint = f"did you mean {near}? If" if near else "values: Id, Usuario, Correo. If"
    assert hint in str(caught.value.faults[0])
