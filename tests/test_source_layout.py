"""What beside one plain table a sheet may hold is said with its row, and nothing about an ordinary sheet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from importer.commands import on_page
from importer.model import TableOptions
from importer.source import open_table

Row = list[Any]

HEADER: Row = ["Ticket", "Cliente", "Correo", "Valor"]
ROWS: list[Row] = [[f"T-{at}", f"Cliente {name}", f"{name}@example.com", at * 10] for at, name in enumerate("abcd", 1)]
PLAIN = [HEADER, *ROWS]
BLANK: Row = [None]
BESIDE: list[Row] = [["Área", "Jefe"], ["Norte", "Ana"], [], [], []]
FOUND = (
    "second row of headers",
    "repeated in row",
    "total of the table",
    "after an empty row",
    "one of the last",
    "two tables",
    "of dashes",
)

SHEETS: dict[str, tuple[list[Row], list[str]]] = {
    "plain": (PLAIN, []),
    "an empty row": ([*PLAIN, BLANK, ["T-9", "Cliente z", "z@example.com", 5]], []),
    "texts alone": ([["A", "B"], ["uno", "dos"], ["tres", "cuatro"], BLANK, ["cinco", "seis"]], []),
    "one row": ([HEADER, ROWS[0]], []),
    "half a row": ([*PLAIN, ["T-9", None, "z@example.com"]], []),
    "a ticket called total": ([*PLAIN, ["T-9", "Total Gas S.A.", "z@example.com", 4]], []),
    "an empty column": ([[*row[:2], None, *row[2:]] for row in PLAIN], []),
    "groups above the names": (
        [["Caso", "Caso", "Contacto", "Pago"], *PLAIN], ["Row 2, right below the header", "source.header_row: 2."],
    ),
    "groups above some of the names": ([["Caso", None, "Contacto", None], *PLAIN], ["source.header_row: 2."]),
    "a header of two rows": (
        [["Ticket", "Cliente", None, "Valor"], [None, "Nombre", "Correo", None], *ROWS],
        ["Row 2, right below the header", "write all names into it"],
    ),
    "a line below the header": (
        [HEADER, ["------", "----", "----------", "---"], *ROWS],
        ["Row 2 is", 'source.skip_if: {Ticket: {matches: "[-=_+*]+"}}'],
    ),
    "a line above a total": ([*PLAIN, [None, None, None, "====="], ["Total", None, None, 9]], ["Row 6 is", "Row 7"]),
    "a row of hyphens": ([*PLAIN, ["T-9", "-", "-", "---"]], []),
    "a header on every page": (
        [*PLAIN, HEADER, *ROWS, HEADER, *ROWS], ["row 6, 11", "source.skip_if: {Ticket: Ticket}"],
    ),
    "a total": ([*PLAIN, ["Total", None, None, 100]], ["Row 6", "source.skip_if: {Ticket: Total}"]),
    "a sum": ([*PLAIN, ["Suma", None, None, 100]], ["Row 6", "source.skip_if: {Ticket: Suma}"]),
    "a number of tickets": (
        [*PLAIN, ["Total casos: 4", None, None, 4]], ["Row 6", 'source.skip_if: {Ticket: "Total casos: 4"}'],
    ),
    "a mean": ([*PLAIN, ["Promedio del mes", None, None, 4]], ["Row 6", "source.skip_if: {Ticket: Promedio del mes}"]),
    "a ticket that begins alike": ([*PLAIN, ["Totalmente", None, None, 4]], []),
    "a grand total": ([*PLAIN, BLANK, [None, "TOTAL GENERAL:", None, 100]], ["Row 7", '{Cliente: "TOTAL GENERAL:"}']),
    "a total and a note": (
        [*PLAIN, ["Totales", None, None, 4], BLANK, ["Generado por el sistema"]],
        ["Row 6", "Row 8, after an empty row, has only “Generado por el sistema”"],
    ),
    "a note right below": ([*PLAIN, ["Página 1 de 2"]], ["Row 6, one of the last, has only “Página 1 de 2”"]),
    "a total and a note right below": (
        [*PLAIN, ["Total", None, None, 100], [None, "Generado por el sistema"]],
        ["Row 6", "Row 7, one of the last, has only “Generado por el sistema”", "on the column Cliente"],
    ),
    "lines of dashes and sums with an asterisk": (
        [HEADER, ["---"], *ROWS, ["---"], ["*", None, None, 40], ["---"], ["**", None, None, 100], ["---"]],
        ["Rows 2, 7, 9, 11 are nothing but lines of dashes", "Row 8 looks like the total of the table (“*”)",
         'source.skip_if: {Ticket: "*"}', "Row 10 looks like the total of the table (“**”)"],
    ),
    "a ticket alone": ([*PLAIN, ["T-9"]], []),
    "another table below": (
        [*PLAIN, BLANK, BLANK, ["Agente", "Área"], ["Ana", "Norte"], ["Luis", "Sur"]],
        ["Row 8, after an empty row, looks like the header of another table"],
    ),
    "another table beside": (
        [[*row, None, *beside] for row, beside in zip(PLAIN, BESIDE, strict=True)],
        ["Column E is empty"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SHEETS)
def test_what_is_no_row_of_the_table_is_said_with_its_row(tmp_path: Path, name: str) -> None:
    """A second header, totals, notes and further tables are named with the option that helps."""
    rows, said = SHEETS[name]
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    book.save(tmp_path / "t.xlsx")
    notes = open_table(tmp_path / "t.xlsx").notes
    found = [note for note in notes if any(words in note for words in FOUND)]
    assert len(found) == len(
        {part.split(",")[0] for part in said if part.startswith(("Row ", "Rows ", "Column"))} or said[:1]
    )
    assert all(any(part in note for note in found) for part in said), found
    with on_page():
        shown = open_table(tmp_path / "t.xlsx").notes
    assert len(shown) == len(notes)
    assert not any("source." in note for note in shown)


def test_a_header_that_a_person_named_is_not_doubted(tmp_path: Path) -> None:
    """With `source.header_row` there is no note about a second row of headers."""
    path = tmp_path / "t.csv"
    path.write_text("Caso,Correo\nNúmero,Dirección\n1,a@x.co\n2,b@x.co\n3,c@x.co\n", "utf-8")
    assert any("source.header_row: 2" in note for note in open_table(path).notes)
    assert not any("headers" in note for note in open_table(path, TableOptions(header_row=1)).notes)
