"""A tab that was renamed since last week is found by its columns, and never guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from mapping_support import HEAD, loaded
from openpyxl import Workbook

from importer.errors import SourceError
from importer.workflow.job import open_source

TEXT = HEAD.replace("{key: Id}", "{key: Id, sheet: Casos, headings: {Correo: [E-mail]}}").replace(
    "ana@example.com", "{column: Correo}"
)
OURS = ["id ", "E-MAIL"]
"""Headings that the mapping knows: one is written alike, the other is another heading."""


def workbook(folder: Path, sheets: Mapping[str, Sequence[str]], hidden: Sequence[str] = ()) -> Path:
    """Write a workbook with these headings in the third row of each sheet."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for name, headings in sheets.items():
        sheet = book.create_sheet(name)
        sheet["A1"] = "Listado"
        for column, heading in enumerate(headings, 1):
            sheet.cell(3, column, heading)
            sheet.cell(4, column, "x")
        sheet.sheet_state = "hidden" if name in hidden else "visible"
    path = folder / "casos.xlsx"
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("sheets", "hidden", "taken", "noted"),
    [
        ({"Otra": OURS, "Casos": OURS}, (), "Casos", False),
        ({"Otra": OURS, "CÁSOS ": OURS}, (), "CÁSOS ", False),
        ({"Resumen": ["Total"], "Semana 48": OURS}, (), "Semana 48", True),
        ({"Hoja1": OURS}, (), "Hoja1", True),
        ({"Hoja1": OURS, "Vieja": OURS}, ("Vieja",), "Hoja1", True),
        ({"Semana 47": OURS, "Semana 48": OURS}, (), None, False),  # which one is for a person to say
        ({"Hoja1": ["Id", "Otro"]}, (), None, False),
    ],
)
def test_a_renamed_tab_is_known_by_its_columns(
    tmp_path: Path, sheets: Mapping[str, Sequence[str]], hidden: Sequence[str], taken: str | None, *, noted: bool
) -> None:
    """The named tab wins, however it is written; else the only visible one with the columns is read, with a note."""
    source = workbook(tmp_path, sheets, hidden)
    options = loaded(tmp_path, TEXT).table
    if taken is None:
        with pytest.raises(SourceError, match="has no sheet “Casos”"):
            open_source(source, options)
        return
    table = open_source(source, options)
    assert table.sheet == taken
    assert any("only one with the mapping's columns" in note for note in table.notes) == noted
