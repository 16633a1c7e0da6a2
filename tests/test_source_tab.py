"""A tab that was renamed since last week is found by its columns, never guessed, and other tabs are not passed over."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from mapping_support import HEAD, loaded
from openpyxl import Workbook

from importer.errors import SourceError
from importer.model import TableOptions
from importer.source.parsing import SheetEntry
from importer.source.sheets import choose_sheet
from importer.workflow.drafting.drafting import draft_mapping
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


UNNAMED = TEXT.replace(", sheet: Casos", "")
"""The same mapping without the name of a sheet."""


def notes_about_others(source: Path, options: TableOptions) -> list[str]:
    """Return the notes about sheets that are not read."""
    return [note for note in open_source(source, options).notes if "not read" in note]


@pytest.mark.parametrize(
    ("sheets", "hidden", "named"),
    [
        ({"Bogotá": OURS, "Lima": OURS}, (), "Lima"),
        ({"Lima": OURS, "Bogotá": OURS}, (), "Bogotá"),
        ({"Bogotá": OURS, "Resumen": ["Total"], "Lima": OURS, "Quito": ["ID", "Correo", "X"]}, (), "Lima, Quito"),
        ({"Bogotá": OURS, "Vieja": OURS}, ("Vieja",), None),
        ({"Bogotá": OURS, "Resumen": ["Total"], "Correos": ["Correo"]}, (), None),
        ({"Bogotá": OURS}, (), None),
    ],
)
def test_other_sheets_with_the_columns_are_named(
    tmp_path: Path, sheets: Mapping[str, Sequence[str]], hidden: Sequence[str], named: str | None
) -> None:
    """Where no sheet is named, a note says which other visible sheets have the mapping's columns and are not read."""
    notes = notes_about_others(workbook(tmp_path, sheets, hidden), loaded(tmp_path, UNNAMED).table)
    assert len(notes) == (named is not None)
    assert all(f": {named}. " in note and "source.sheet" in note for note in notes)


def test_a_sheet_that_was_chosen_needs_no_note(tmp_path: Path) -> None:
    """A person who names a sheet knows the others, and nothing is looked into."""
    source = workbook(tmp_path, {"Casos": OURS, "Lima": OURS})
    assert notes_about_others(source, loaded(tmp_path, TEXT).table) == []


def test_a_sheet_that_the_mapping_reads_otherwise_needs_no_note(tmp_path: Path) -> None:
    """The sheet of a lookup is read, whatever columns it has."""
    looked_up = UNNAMED.replace(
        "{column: Correo}", "{column: Correo, lookup: {sheet: Correos, key: Id, value: Correo}}"
    )
    source = workbook(tmp_path, {"Casos": OURS, "Correos": OURS})
    assert notes_about_others(source, loaded(tmp_path, looked_up).table) == []


def test_looking_into_other_sheets_has_bounds(tmp_path: Path) -> None:
    """No more than twenty others are looked into, and one that cannot be read does not stop the import."""
    seen = []

    def top_texts(name: str) -> list[set[str]]:
        seen.append(name)
        if name == "2":
            raise SourceError("too many rows")
        return [{"Id", "Correo"}]

    entries = [SheetEntry(str(number), visible=True) for number in range(1, 40)]
    name, notes = choose_sheet("casos.xlsx", entries, loaded(tmp_path, UNNAMED).table, top_texts)
    assert (name, len(notes)) == ("1", 1)
    assert seen == [str(number) for number in range(2, 22)]


@pytest.mark.parametrize("sheet", [None, "Lima"])
def test_a_draft_names_other_sheets_with_the_same_columns(tmp_path: Path, sheet: str | None) -> None:
    """Whether or not a sheet was named, a comment of the draft names the others like it, and no others."""
    headings = ["Ticket", "Correo", "Asunto", "Estado"]
    others = {"Lima": [*headings, "Sede"], "Quito": headings, "Resumen": ["Estado", "Total"]}
    source = workbook(tmp_path, {"Bogotá": headings, **others})
    text = draft_mapping(source, sheet=sheet)
    commented = re.findall(r"^  # sheet: (\S+) .*same columns", text, re.MULTILINE)
    assert commented == (["Lima", "Quito"] if sheet is None else ["Bogotá", "Quito"])
