"""A remedy names the key of the mapping that helps, with the line to write, and that line does help."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from run_support import MAPPING, Give, Office, ticket

from importer.text import as_yaml


@pytest.mark.parametrize(
    "text",
    ["Cerrado (auto)", "Petición", "a: b", "#1", "- x", "[x]", "{x}", "x # y", "'x'", '"x"', "a\nb", " x ", "?", "*",
     "x:", "C:\\temp", "NO", "50%", "ADMIN_@op", "", "a,b", "x'y", "&a", "!t", "|", "…", "`x`", "3", "~", "=x"],
)  # fmt: skip
def test_a_text_is_written_so_that_yaml_reads_it(text: str) -> None:
    """As key and as value, a text comes back as it is; the mapping's loader reads all scalars as text."""
    line = f"{as_yaml(text)}: {as_yaml(text)}"
    assert yaml.load(line, yaml.BaseLoader) == {text: text}  # noqa: S506 - it makes texts alone


@pytest.mark.parametrize(
    ("before", "cell", "line"),
    [
        ("{column: Estado, values: {Abierto: Abierto, Cerrado: Cerrado}}", "Cerrado (auto)", "Cerrado (auto): Cerrado"),
        ("{column: Estado, values: {Abierto: Abierto, Cerrado: Cerrado}}", "cerrado: sí", '"cerrado: sí": Cerrado'),
        ("{column: Estado, allowed: [Abierto, Cerrado]}", "Cerrada", "Cerrada: Cerrado"),
        ("{column: Estado, values: {Abierto: Abierto}}", "Resuelto", None),
        ("{column: Estado}", "", "default: …"),
    ],
)  # fmt: skip
def test_the_line_of_a_remedy_helps(office: Office, give: Give, before: str, cell: str, line: str | None) -> None:
    """What the remedy of a status says is written as it is said, and then the row is valid."""
    spec = "{column: Estado, allowed: [Abierto, Cerrado], closed: [Cerrado]}"
    office.mapping.write_text(MAPPING.replace(spec, before), "utf-8")
    office.write([ticket(1, Estado=cell)])
    (issue,) = give(office.arguments("check", "--json")).json["issues"]
    if line is None:
        assert issue["remedy"] == "add this line to values: Resuelto: …"
        return
    assert f"`{line}`" in issue["remedy"]
    mended = line.replace("…", "Abierto")
    if "values: {" in before:
        spec = before.replace("values: {", f"values: {{{mended}, ")
    else:
        added = mended if mended.startswith("default") else f"values: {{{mended}}}"
        spec = before.replace("}", f", {added}}}")
    office.mapping.write_text(office.mapping.read_text("utf-8").replace(before, spec), "utf-8")
    assert give(office.arguments("check", "--json")).json["issues"] == []


@pytest.mark.parametrize(
    ("spec", "cells", "lines"),
    [
        ("{column: Asunto, type: date}", ["03/04/2026", "05/04/2026"], ['read: "DD/MM/YYYY"']),
        ("{column: Asunto, type: time}", ["14.05"], ['read: "HH.mm"']),
        ("{column: Asunto, type: date}", ["1711238400"], ["read: epoch", "zone: America/Bogota"]),
        ("{column: Asunto, type: datetime}", ["2026-01-02T03:04:05Z"], ["zone: America/Bogota"]),
        ("{column: Asunto, type: decimal}", ["1.234"], ['decimal_sign: ","', 'decimal_sign: "."']),
        ("{column: Asunto, type: integer}", ["1.5"], ["type: decimal"]),
        ("{column: Asunto, type: integer}", ["HD-1"], ["type: text"]),
        ("{column: Asunto, type: boolean}", ["quizá"], ["quizá: true"]),
        ("{column: Asunto, min_length: 5}", ["abc"], ["min_length: 3"]),
        ("{column: Asunto, known: {file: k.csv, column: A}}", ["x"], ["known"]),
        ("{column: Asunto, lookup: {file: k.csv, key: A, value: A}}", ["zzz"], ["otherwise: …"]),
    ],
)
def test_a_remedy_has_the_line_to_write(
    office: Office, give: Give, spec: str, cells: list[str], lines: list[str]
) -> None:
    """The key that helps is in the remedy, with its value, in backquotes as it is written."""
    (office.mapping.parent / "k.csv").write_text("A\ncliente\n", "utf-8")
    office.mapping.write_text(MAPPING.replace("{column: Asunto}", spec), "utf-8")
    office.write([ticket(number, Asunto=cell) for number, cell in enumerate(cells)])
    remedy = give(office.arguments("check", "--json")).json["issues"][0]["remedy"]
    assert set(lines) <= set(re.findall(r"`([^`]+)`", remedy))


@pytest.mark.parametrize(
    ("spec", "cells", "line"),
    [
        (
            "{column: Estado, allowed: [Abierto, Cerrado], closed: [Cerrado]}",
            ["Abierto", "Cerrado"],
            "solution: {value: Closed in the old system, when: {Estado: [Cerrado]}}",
        ),
        (
            '{column: Estado, values: {Nuevo: Abierto, "Listo, ok": Cerrado, Fin: Cerrado}, closed: [Cerrado]}',
            ["Nuevo", "listo, ok", "Fin"],
            'solution: {value: Closed in the old system, when: {Estado: ["Listo, ok", Fin]}}',
        ),
        (
            '{column: Estado, values: {Nuevo: Abierto, Fin: Cerrado, "*": Cerrado}, closed: [Cerrado]}',
            ["Nuevo", "Fin", "Listo"],
            "solution: {value: Closed in the old system, when: {Estado: [Fin]}}",
        ),
        ("{value: Cerrado, closed: [Cerrado]}", ["x", "y"], "solution: Closed in the old system"),
    ],
)
def test_a_sheet_without_solutions_is_helped_by_one_text_for_its_closed_rows(
    office: Office, give: Give, spec: str, cells: list[str], line: str
) -> None:
    """Where no column has solutions, the remedy has the line with a constant, which open rows do not get."""
    old = "{column: Estado, allowed: [Abierto, Cerrado], closed: [Cerrado]}"
    text = MAPPING.replace(old, spec).replace("  solution: {column: Solución}\n", "")
    office.mapping.write_text(text, "utf-8")
    office.write([ticket(number, Estado=cell) for number, cell in enumerate(cells)])
    issues = give(office.arguments("check", "--json")).json["issues"]
    assert {issue["code"] for issue in issues} == {"solution-missing"}
    assert f"`{line}`" in issues[0]["remedy"]
    assert ("…" in issues[-1]["remedy"].split(" or one text ")[1]) == ('"*"' in spec)
    mended = line.replace("[Fin]", "[Fin, Listo]")
    office.mapping.write_text(text.replace("form:", f"  {mended}\nform:"), "utf-8")
    assert give(office.arguments("check", "--json")).json["issues"] == []
    open_row = give(office.arguments("preview", "--row", "2")).out
    assert ("Closed in the old system" in open_row) == ("value: Cerrado" in spec)


def test_lines_of_one_case_are_grouped_by_the_line_of_the_remedy(office: Office, give: Give) -> None:
    """Two rows with one key may be two lines of a case, and the remedy says how the mapping says so."""
    office.write([ticket(1), ticket(1)])
    (group,) = give(office.arguments("check", "--json")).json["groups"]
    assert "`group: Ticket`" in group["remedy"]
    mapping: Path = office.mapping
    mapping.write_text(mapping.read_text("utf-8").replace("  key: Ticket", "  key: Ticket\n  group: Ticket"), "utf-8")
    assert give(office.arguments("check", "--json")).json["issues"] == []
