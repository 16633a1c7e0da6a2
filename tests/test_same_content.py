"""A new row that has the cells of a case but for its key is named, in case it is the same ticket."""

from __future__ import annotations

from openpyxl import load_workbook
from run_support import MAPPING, Give, Office, ticket

NOTE = "has the same cells as a row that is a case already, but for its key"


def check(office: Office, give: Give) -> list[str]:
    """Return the notes of a check that speak of rows with the cells of others."""
    words = office.arguments("check", "--json", "--journal", str(office.journal))
    return [note for note in give(words).json["notes"] if "the same cells as" in note]


def case_of(office: Office, subject: str) -> str:
    """Return the id of the case with this subject."""
    return next(case.wolkvox_id for case in office.sandbox.store.cases if case.body["form"]["Subject"] == subject)


def test_a_ticket_under_a_new_key_is_named_with_its_case(office: Office, give: Give) -> None:
    """Where a sheet has all cells of a case but for the key, and the known key no more, a note names row and case."""
    office.write([ticket("A-17"), ticket(2), ticket(3)])
    assert give(office.arguments("run", "--yes")).status == 0
    office.write([ticket(4), ticket("A-17", Ticket="folio diecisiete"), ticket(2), ticket(3)])
    [note] = check(office, give)
    assert NOTE in note
    assert f"row 3 (case {case_of(office, 'Asunto A-17')})" in note


def test_a_key_that_only_the_report_has_is_named_when_the_sheet_comes_again(office: Office, give: Give) -> None:
    """A row without a key became a case under the key that a person wrote into the report: the sheet's row is named."""
    office.write([ticket(1), ticket(2, Ticket=""), ticket(3)])
    assert give(office.arguments("run", "--yes")).status == 1
    book = load_workbook(office.report)
    sheet = book["Report"]
    column = next(cell.column for cell in sheet[1] if cell.value == "Ticket")
    row = next(cells[0].row for cells in sheet.iter_rows(min_row=2) if cells[column - 1].value is None)
    sheet.cell(row, column).value = "2-B"
    book.save(office.report)
    words = office.arguments("run", "--yes")
    words[1] = str(office.report)
    assert give(words).status == 0
    [note] = check(office, give)
    assert f"row 3 (case {case_of(office, 'Asunto 2')})" in note


def test_equal_cells_say_nothing_where_the_key_is_still_there(office: Office, give: Give) -> None:
    """Two tickets of one sheet may say the same, and so may a new one beside a known one that is in the sheet."""
    office.write([ticket(1), ticket(1, Ticket="2")])
    assert give(office.arguments("run", "--yes")).status == 0
    office.write([ticket(1), ticket(1, Ticket="2"), ticket(1, Ticket="3"), ticket(4)])
    assert check(office, give) == []


def test_other_cells_say_nothing(office: Office, give: Give) -> None:
    """A new key with another cell is another ticket."""
    office.write([ticket(1), ticket(2)])
    assert give(office.arguments("run", "--yes")).status == 0
    office.write([ticket(1, Ticket="7", Detalle="Otra cosa"), ticket(2)])
    assert check(office, give) == []


def test_several_such_rows_are_one_note_that_names_five(office: Office, give: Give) -> None:
    """A whole sheet under new keys is one sentence, and not one for each row."""
    office.write([ticket(number) for number in range(1, 9)])
    assert give(office.arguments("run", "--yes")).status == 0
    office.write([ticket(number, Ticket=f"folio {chr(96 + number)}") for number in range(1, 9)])
    [note] = check(office, give)
    assert note.startswith("8 new rows have the same cells as rows that are cases already")
    assert note.count("(case ") == 5


def test_one_or_two_columns_beside_the_key_are_equal_by_chance(office: Office, give: Give) -> None:
    """Where few columns are used, equal cells prove nothing."""
    few = MAPPING.replace("{column: Detalle}", "{column: Asunto}")
    few = few.replace("{column: Estado, allowed: [Abierto, Cerrado], closed: [Cerrado]}", "Abierto")
    few = few.replace("  solution: {column: Solución}\n", "").replace(
        "{column: Prioridad, default: Media, allowed: [Alta, Media, Baja]}", "Media"
    )
    office.mapping.write_text(few, "utf-8")
    office.write([ticket(1)])
    assert give(office.arguments("run", "--yes")).status == 0
    office.write([ticket(1, Ticket="otro")])
    assert check(office, give) == []
