"""Rows that are all in one cell are refused with what to do, and a sheet of one column is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from mapping_support import HEAD, loaded
from source_support import saved, written

from importer.errors import SourceError
from importer.model import TableOptions
from importer.source import open_table
from importer.workflow.drafting.drafting import draft_mapping
from importer.workflow.job import open_source

TEXT = HEAD.replace("key: Id", "key: Ticket").replace("ana@example.com", "{column: Correo}")
LINES = ["Ticket;Correo;Asunto", "T-1;a@x.co;No hay luz, desde ayer", "T-2;b@x.co;Gas", 'T-3;c@x.co;El "5"; roto']
QUOTED = "".join('"' + line.replace('"', '""') + '"\n' for line in LINES)
DECLARED = "sep=,\n" + "\n".join(LINES)


def refusals(folder: Path, source: Path, text: str = TEXT) -> list[str]:
    """Return why a sheet is refused, by a mapping of it and by a draft for it."""
    found = []
    with pytest.raises(SourceError) as refused:
        open_source(source, loaded(folder, text).table)
    found.append(str(refused.value))
    if text is TEXT:
        with pytest.raises(SourceError) as refused:
            draft_mapping(source)
        found.append(str(refused.value))
    return found


@pytest.mark.parametrize("title", ["", '"Casos de marzo"\n'])
def test_lines_in_quotation_marks_are_to_be_split(tmp_path: Path, title: str) -> None:
    """Where each line is one cell, the message says so, and how Excel splits it."""
    for said in refusals(tmp_path, written(tmp_path / "t.csv", title + QUOTED)):
        assert f"“Ticket;Correo;Asunto” in row {2 if title else 1}" in said
        assert "Text to Columns" in said
        assert "semicolon" in said


def test_a_workbook_whose_lines_were_never_split_is_refused_alike(tmp_path: Path) -> None:
    """A text that was opened into one column of Excel is no table yet."""
    for said in refusals(tmp_path, saved(tmp_path / "t.xlsx", [[line] for line in LINES])):
        assert "Text to Columns" in said


def test_a_first_line_that_names_the_wrong_separator_is_named(tmp_path: Path) -> None:
    """A line `sep=,` above semicolons is what is wrong, also where commas cut some rows."""
    for said in refusals(tmp_path, written(tmp_path / "t.csv", DECLARED)):
        assert "sep=," in said
        assert 'source.delimiter: ";"' in said


def test_a_mapping_that_names_the_wrong_separator_is_named(tmp_path: Path) -> None:
    """What the mapping says is what is wrong."""
    source = written(tmp_path / "t.csv", "\n".join(LINES))
    (said,) = refusals(tmp_path, source, TEXT.replace("key: Ticket", 'key: Ticket, delimiter: ","'))
    assert 'source.delimiter: ";"' in said


@pytest.mark.parametrize(
    "content",
    [
        "Correo\na@x.co\nb@x.co\n",
        '"Nombre, ciudad"\n"Ana, Cali"\n"Luis, Lima"\n',
        '"Nombre, calle, ciudad"\n"Ana, 5, Cali"\nLuis\n',
        '"Reporte; marzo; 2026"\nTicket,Correo,Asunto\nT-1,a@x.co,x\n',
    ],
)
def test_a_sheet_with_one_column_is_a_sheet(tmp_path: Path, content: str) -> None:
    """Signs in texts make no columns, and a table that is not drafted or mapped is read as it is."""
    source = written(tmp_path / "t.csv", content)
    assert draft_mapping(source)
    assert open_table(written(tmp_path / "u.csv", QUOTED), TableOptions()).columns == ("Ticket;Correo;Asunto",)


def test_a_mapping_of_the_one_column_reads_it(tmp_path: Path) -> None:
    """Where the mapping's columns are there, nothing is refused."""
    text = HEAD.replace("key: Id", 'key: "Ticket;Correo;Asunto"')
    source = written(tmp_path / "t.csv", QUOTED)
    assert open_source(source, loaded(tmp_path, text).table).columns == ("Ticket;Correo;Asunto",)
