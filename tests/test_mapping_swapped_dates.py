"""Dates whose day and month a spreadsheet program swapped are named in a note: the sheet alone cannot prove it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import openpyxl
import pytest
from mapping_support import HEAD, bound, frame, loaded, written

from importer.cli.main import execute
from importer.model import Cell, Typed


def true(day: str) -> Typed:
    """Return a cell that a workbook stores as a date."""
    return Typed(day, dt.date.fromisoformat(day))


def notes_of(folder: Path, *frames: Sequence[Cell], spec: str = "{column: Fecha, type: date}") -> tuple[str, ...]:
    """Return the notes on a column that comes in these frames."""
    case, first, sheets = loaded(folder, f"{HEAD}form:\n  X: {spec}\n"), 2, []
    for cells in frames:
        ids: list[Cell] = [str(first + at) for at in range(len(cells))]
        sheets.append(frame({"Id": ids, "Fecha": cells}, first_row=first))
        first += len(cells)
    mapper = bound(case, *sheets)
    mapper.convert(sheets[-1])
    return mapper.notes


MIXED: Sequence[Cell] = ["13/04/2026", true("2026-03-04"), true("2026-05-01"), "25/06/2026"]


@pytest.mark.parametrize("spec", ["{column: Fecha, type: date}", "{column: Fecha, type: date, read: DD/MM/YYYY}",
                                  "{template: '{Fecha:DD/MM/YYYY}'}", "{column: Fecha}"])  # fmt: skip
def test_a_note_names_the_column_and_the_dates_that_may_be_swapped(tmp_path: Path, spec: str) -> None:
    """The trace is the same however the mapping reads the column, and the first dates are named with their rows."""
    (note,) = notes_of(tmp_path, MIXED, spec=spec)
    assert "2 dates of Fecha (row 3: 2026-03-04, row 4: 2026-05-01)" in note
    assert "13/04/2026" in note


def test_the_trace_is_found_over_several_frames(tmp_path: Path) -> None:
    """Texts and dates count wherever they are in the column, and only the first dates are named."""
    dates: list[Cell] = [true(f"2026-01-0{day}") for day in range(1, 6)]
    (note,) = notes_of(tmp_path, ["13/04/26 10:30"], dates, ["25-06-2026"])
    assert "5 dates of Fecha (row 3: 2026-01-01, row 4: 2026-01-02, row 5: 2026-01-03, …)" in note


@pytest.mark.parametrize(
    "cells",
    [
        [*MIXED, true("2026-03-13")],
        [*MIXED, "04/13/2026"],
        MIXED[:3],
        MIXED[1:],
        [MIXED[0], MIXED[1], MIXED[3]],
        ["03/04/2026", "05/06/2026", *MIXED[1:3]],
        ["13/04/2026", "25/06/2026"],
    ],
)
def test_no_note_is_made_without_the_whole_trace(tmp_path: Path, cells: Sequence[Cell]) -> None:
    """A true date with a day above 12, a text with the month first, or too few of either explain it otherwise."""
    assert notes_of(tmp_path, cells) == ()


def test_check_shows_the_note_and_plans_the_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The rows are no issues: their values stay as they are in the file."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Id", "Fecha"])
    for number, day in enumerate(("13/04/2026", dt.date(2026, 3, 4), dt.date(2026, 5, 1), "25/06/2026")):
        sheet.append([number, day])
    book.save(tmp_path / "s.xlsx")
    mapping = written(tmp_path, f"{HEAD}form:\n  X: {{column: Fecha, type: date}}\n")
    assert execute(["check", str(tmp_path / "s.xlsx"), "-m", str(mapping), "--lang", "en"]) == 0
    assert "Day and month may be swapped in 2 dates of Fecha" in capsys.readouterr().out
