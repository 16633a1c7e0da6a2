"""Which row is the header: the one with the mapping's columns, or with the names below groups of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from mapping_support import HEAD, loaded
from source_support import texts_of, written

from importer.source import Table
from importer.workflow.drafting.drafting import draft_mapping, survey_sheet
from importer.workflow.job import open_source

TEXT = HEAD.replace("key: Id", "key: Ticket").replace("ana@example.com", "{column: Correo}")
NAMES = "Ticket;Correo;Asunto;Estado;Prioridad;Valor\n"
ROWS = "T-1;a@x.co;No hay luz;Abierto;Alta;12\nT-2;b@x.co;No hay agua;Abierto;Baja;13\nT-3;c@x.co;Gas;Abierto;Alta;14\n"
GROUPS = "PQR MARZO;;;;;\n;;;;;\nCaso;Contacto;;Gestión;;\n"
FEW_NAMES = "Id;;;;;\n"
BOTH = "Ticket;Correo;;Gestión;;\n"


def opened(folder: Path, content: str) -> Table:
    """Return the table in a text file as a mapping of its columns Ticket and Correo reads it."""
    return open_source(written(folder / "t.csv", content), loaded(folder, TEXT).table)


@pytest.mark.parametrize(
    ("content", "row"),
    [
        (GROUPS + NAMES + ROWS, 4),
        (GROUPS + NAMES.replace("Correo", "CORREO ") + ROWS + NAMES + ROWS, 4),
        (BOTH + NAMES + ROWS, 1),
        (NAMES + ROWS, 1),
        (NAMES + NAMES + ROWS, 1),
        ("Ticket;Correo;;;;;\n" + ROWS, 1),
        (GROUPS + NAMES.replace("Correo", "Mail") + ROWS, 3),
        (GROUPS + ROWS * 10 + NAMES, 3),
    ],
    ids=["below groups", "alike", "in both", "plain", "twice", "narrow", "not all", "far below"],
)
def test_the_header_is_the_row_with_the_columns_of_the_mapping(tmp_path: Path, content: str, row: int) -> None:
    """Where the row that was found lacks a column and another of the first rows has them all, that is the header."""
    table = opened(tmp_path, content)
    assert table.header_row == row
    assert any(f"found in row {row}" in note for note in table.notes) == (row > 1)


def test_the_rows_begin_below_the_header_that_was_chosen(tmp_path: Path) -> None:
    """Neither the groups nor the names are rows."""
    assert list(texts_of(opened(tmp_path, GROUPS + NAMES + ROWS))) == [5, 6, 7]


@pytest.mark.parametrize(
    ("content", "row"),
    [
        (GROUPS + NAMES + ROWS, 4),
        ("Caso;Contacto;Contacto;Gestión;Gestión;Gestión\n" + NAMES + ROWS, 2),
        (NAMES + "sin;dato;x;y;z;nada\n" + ROWS, 1),
        (NAMES.replace("Prioridad", "") + ROWS, 1),
        ("Ticket;Cliente;;Valor\n;Nombre;Correo;\n1;a;a1@x.co;5\n2;b;b@x.co;6\n3;c;c@x.co;6\n", 1),
        ("Caso;Nombre;\nuno;dos;tres\nA;B;C\nC;D;E\nF;G;H\n", 1),
    ],
    ids=["below groups", "merged groups", "a row of words", "a nameless column", "two rows of names", "words alone"],
)
def test_a_draft_takes_the_names_below_groups(tmp_path: Path, content: str, row: int) -> None:
    """A draft takes a row of more names below the row that was found, where the rows below them have other things."""
    source = written(tmp_path / "t.csv", content)
    assert survey_sheet(source).table.header_row == row


def test_a_draft_and_a_check_agree_on_the_header(tmp_path: Path) -> None:
    """The columns that a draft proposes are in the row that is the header for a mapping with them."""
    source = written(tmp_path / "t.csv", GROUPS + NAMES + ROWS)
    text = draft_mapping(source)
    assert "key: Ticket" in text
    assert "Caso" not in text
    assert opened(tmp_path, GROUPS + NAMES + ROWS).header_row == survey_sheet(source).table.header_row
