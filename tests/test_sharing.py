"""The report of --share has the states and ids of all rows, and nothing of what the tickets say."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from promise_support import states
from run_support import MAPPING, Give, Office, ticket

MARK = "zQx"
"""In every cell that is private."""


def private(number: int, **changed: str) -> dict[str, str]:
    """Return a row in which every private cell has the mark."""
    row = ticket(
        number,
        Correo=f"{MARK}{number}@example.com",
        Asunto=f"{MARK} asunto",
        Detalle=f"{MARK} detalle",
        Solución=f"{MARK} solución",
    )
    return (
        row | {"Abierto el": f"{20 + number}/04/2024", "Nacimiento": "27/08/1999", "Teléfono": f"+57{MARK}"} | changed
    )


def texts_in(path: Path) -> Iterator[str]:
    """Yield everything in a workbook: its parts, their names, and comments."""
    with zipfile.ZipFile(path) as file:
        yield file.comment.decode("latin-1")
        for part in file.infolist():
            yield part.filename + part.comment.decode("latin-1")
            yield file.read(part).decode("utf-8", "replace")


@pytest.fixture
def shared(office: Office, give: Give) -> Path:
    """Send rows of every kind from a folder, a file and a tab whose names are private, and share the report."""
    folder = office.folder / f"{MARK} carpeta"
    folder.mkdir()
    office.folder = folder
    text = MAPPING.replace("solution: {column: Solución}", "solution: {column: Solución, max_length: 30}")
    dates = '  Apertura: {column: Abierto el, type: date, format: "YYYY-MM-DD"}\n'
    birth = '  Nacido: {column: Nacimiento, type: date, format: "YYYY-MM-DD"}\n  Tel: {column: Teléfono}\n'
    office.mapping.write_text(text.replace("form:\n", f"form:\n{dates}{birth}"), "utf-8")
    rows = [
        private(1),
        private(2, Prioridad=f"{MARK} mal"),
        private(3, Estado=f"{MARK} estado"),
        private(4, Correo=MARK),
        private(5, Solución=MARK * 20),
        private(6, Estado="Cerrado"),
    ]
    office.sandbox.inject("closed-after-creating:nth=2")
    office.write(rows, rows[0])
    assert give(office.arguments("run", "--yes", "--share", "--json", "--concurrency", "1")).status == 4
    assert states(office.journal) == {"created": 1, "invalid": 4, "unknown": 1}
    return folder / "shared-office.xlsx"


def test_n12_nothing_private_is_anywhere_in_a_shared_report(shared: Path, office: Office, give: Give) -> None:
    """No private cell, path, name or address is in any part of the workbook; states, ids and dates of all rows are."""
    for text in texts_in(shared):
        assert MARK not in text
        assert not re.search(r"\w@\w", text)
        assert str(office.folder) not in text
        assert "tickets.csv" not in text
        assert "1999" not in text
    sheet = office.reported(shared)
    whole = office.reported()
    assert list(sheet["Ticket"]) == list(whole["Ticket"])
    for column in ("status", "wolkvox_id", "idPrefijo", "reference"):
        assert list(sheet[column]) == list(whole[column])
    assert list(sheet["Estado"]) == ["Abierto", "", "", "", "", "Cerrado"]
    assert set(sheet.columns) & set(whole.columns) >= {"Ticket", "Estado", "Prioridad", "Abierto el", "sent_at", "row"}
    assert not set(sheet.columns) & {"Correo", "Asunto", "Detalle", "Solución", "Nacimiento", "Teléfono"}
    issues = pd.read_excel(shared, sheet_name="Issues", engine="openpyxl", dtype=str)
    assert len(issues) == 4
    again = give(office.arguments("report", "--share", "--json"))
    assert shared.name in " ".join(again.json["notes"])
    assert [one.name for one in office.folder.glob("shared*")] == [shared.name], "its own file is renewed"


def test_n12_a_shared_report_that_was_edited_stays(shared: Path, office: Office, give: Give) -> None:
    """The next one takes another name."""
    shared.write_bytes(shared.read_bytes() + b" ")
    assert give(office.arguments("report", "--share")).status == 4
    assert {one.name for one in office.folder.glob("shared*")} == {shared.name, "shared-office (2).xlsx"}


@pytest.mark.parametrize("key", ["Correo cliente", "Cédula", "Nombre"])
def test_n12_a_key_that_names_a_person_is_left_out(office: Office, give: Give, key: str) -> None:
    """Rows are then told apart by their number and reference."""
    office.mapping.write_text(MAPPING.replace("key: Ticket", f"key: {key}"), "utf-8")
    row = ticket(1) | {key: "zQx"}
    office.write([row], row)
    assert give(office.arguments("run", "--yes", "--share")).status == 0
    sheet = office.reported(office.folder / "shared-office.xlsx")
    assert key not in sheet.columns
    assert list(sheet["row"]) == ["2"]


def test_n12_a_rehearsal_shares_nothing(office: Office, give: Give) -> None:
    """Its ids are not real."""
    office.write([ticket(1)])
    assert give(office.arguments("run", "--yes", "--share", "--rehearse")).status == 0
    assert not list(office.folder.glob("shared*"))
