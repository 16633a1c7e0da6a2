"""Number formats with a meaning of their own: what the sheet shows is what is read, or a note names the column."""

from __future__ import annotations

from datetime import date, datetime, time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl import Workbook
from source_support import open_table, rows_of

from importer.mapping.converters.moments import DateTimeReader
from importer.mapping.converters.numbers import NumberReader
from importer.mapping.refusal import Refused
from importer.model import Cell, Reread, Typed, earlier_reading
from importer.source.number_formats.codes import Remark, Shows, parse
from importer.source.number_formats.dates import date_cell
from importer.source.number_formats.rendering import number_text, shown_number
from importer.source.number_formats.version_1 import same_from, text_of


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [
        ('"PQR-"0', 15, "PQR-15"),
        ('"PQR-"0', -15, "-PQR-15"),
        ('"TK"#', 15, "TK15"),
        ('0" días"', 15, "15 días"),
        ('0" "\\x', 15, "15 x"),
        ("\\N\\°\\ 0", 15, "N° 15"),
        ('General" kg"', 1.5, "1.5 kg"),
        ("[$PQR-409]\\-0", 15, "PQR-15"),
        ('0.0"%"', 12.5, "12.5%"),
        ("0\\-0", 15, "1-5"),
        ("##\\-###", 12345, "12-345"),
        ("0:00", 1345, "13:45"),
        ('0.00" kg"', 1.5, "1.50 kg"),
        ('#,##0" km"', 1234567, "1,234,567 km"),
        ('.00" m"', 12.3, "12.30 m"),
        ('0.0,," M"', 1234567, "1.2 M"),
        ('0," mil"', 1234567890, "1234568 mil"),
        ('"TK-"0,', 9876543210, "TK-9876543"),
        ('#,##0," mil"', 1234567890, "1,234,568 mil"),
        ('# ?/?" taza"', 2.5, "2 1/2 taza"),
        ('0.0E+00" m"', 12345, "1.2E+04 m"),
        ('"a"0_)"b"', 1, "a1 b"),
        ("-0", 5, "-5"),
        ("(0)", 5, "(5)"),
        ('"Sí";;"No"', 1, "Sí"),
        ('"Sí";;"No"', 0, "No"),
        ('"Sí";;"No"', -1, ""),
        ('0;"neg "0', -3, "neg 3"),
        ('0;"neg"', -3, "neg"),
        ('[=0]"Cerrado";[=1]"Abierto"', 0, "Cerrado"),
        ('[=0]"Cerrado";[=1]"Abierto"', 1, "Abierto"),
        ('[=1]"Alta";[=2]"Media";"Baja"', 3, "Baja"),
        ("[<=99]00;000", 5, "05"),
        ("[<=99]00;000", -5, "-05"),
        ("[<=99]00;000", 123, "123"),
        ('[>=100]0.0;0.00;"x"', 5, "x"),
        ('[<100]"poco "0;"mucho "0', 500, "mucho 500"),
        (";;;", 5, ""),
        ("0;-0;;@", 0, ""),
        ("0%%", 0.5, "5000%%"),
    ],
)
def test_words_sections_and_conditions_show_as_in_excel(code: str, value: float, shown: str) -> None:
    """Literal text, sections by sign or condition, and hiding read as Excel and LibreOffice show them."""
    assert parse(code).shows is Shows.NUMBER
    assert number_text(value, parse(code)) == shown


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [
        ('"$" #,##0', 1234, "$ 1,234"),
        ("R$ 0.00", 3, "R$ 3.00"),
        ('#,##0.00" COP"', 1234.5, "1,234.50 COP"),
        ("[$USD-409] 0", 7, "USD 7"),
        ('_-"$"* #,##0_-;-"$"* #,##0_-;_-"$"* "-"??_-;_-@_-', 0, "$-"),
        ("#,##0;[Red](#,##0)", -1234, "(1,234)"),
        ("+0;-0", 5, "+5"),
        ("# ?/?", 2.5, "2 1/2"),
        ("# ?/8", 2.3, "2 2/8"),
        ("?/?", 2.5, "5/2"),
        ("# ?/?", 2, "2"),
        ("#,##0,", 1234567, "1,235"),
        ("0.00E+00", 12345, "1.23E+04"),
        ("##0.0E+0", 12345, "12.3E+3"),
        ("0E+0", 0.0001, "1E-4"),
    ],
)
def test_decoration_leaves_a_number_its_digits_but_is_known(code: str, value: float, shown: str) -> None:
    """Money, grouping, signs, fractions, exponents and thousands are read as the number; a CSV file shows the rest."""
    assert parse(code).is_plain
    assert shown_number(value, code) == shown


@pytest.mark.parametrize(
    ("code", "serial", "shown", "value"),
    [
        ("[$-240A]h:mm AM/PM", 0.573, "1:45 p. m.", time(13, 45, 7, 200000)),
        ("[$-es-MX]h AM/PM", 0.25, "6 a. m.", time(6)),
        ("[$-416]h:mm AM/PM", 0.75, "6:00 PM", time(18)),
        ("hh:mm a/p", 0.75, "06:00 p", time(18)),
        ("h A/P", 0.25, "6 A", time(6)),
        ("[$-407]ddd d. mmm mmmm", 45368, "So 17. Mrz März", date(2024, 3, 17)),
        ("[$-40C]dddd d mmm yyyy", 45368, "dimanche 17 mars 2024", date(2024, 3, 17)),
        ("[$-410]d mmmm", 45368, "17 marzo", date(2024, 3, 17)),
        ("[$-1010409]d mmm", 45368, "17 Mar", date(2024, 3, 17)),
        ("[$-x-sysdate]dddd, mmmm dd, yyyy", 45368, "2024-03-17", date(2024, 3, 17)),
        ("[Red][$-F400]h:mm:ss AM/PM", 0.75, "18:00:00", time(18)),
        ("[>45000]dd/mm/yyyy;General", 45368, "17/03/2024", date(2024, 3, 17)),
        ("e", 45368, "2024", date(2024, 3, 17)),
        ("d/m/bbbb", 45368, "17/3/2567", date(2024, 3, 17)),
        ("dd/mm/yyyy", 0, "00/01/1900", 0),
        ("dd/mm/yyyy", 0.5, "00/01/1900", 0.5),
        ("dd/mm/yyyy", 60, "29/02/1900", 60),
        ("dddd dd/mm/yyyy", 1, "Sunday 01/01/1900", date(1900, 1, 1)),
        ("hh:mm", 0, "00:00", time()),
    ],
)
def test_dates_speak_the_language_of_their_format(code: str, serial: float, shown: str, value: object) -> None:
    """Names, AM and PM follow the format's language; a day that has never been is shown, and is not a date."""
    cell = date_cell(serial, parse(code).code, since_1904=False)
    assert cell is not None
    assert (cell.text, cell.value) == (shown, value)


def test_a_day_that_has_never_been_is_an_issue_where_a_date_is_wanted() -> None:
    """Serial 0 is 00/01/1900 in Excel: no date is made up for it."""
    cell = date_cell(0, "dd/mm/yyyy", since_1904=False)
    assert cell is not None
    with pytest.raises(Refused, match="a day that does not exist"):
        DateTimeReader().read(cell)
    assert date_cell(0, "dd/mm/yyyy", since_1904=True) == Typed("01/01/1904", date(1904, 1, 1), "dd/mm/yyyy")


@pytest.mark.parametrize(
    ("code", "serial", "shown"),
    [("[h]:mm", -0.0625, "-1:30"), ("[h]:mm", -1.5, "-36:00"), ("h:mm", -0.25, "-6:00"), ("dd/mm/yyyy", -3, None)],
)
def test_a_time_below_zero_is_shown_where_the_calendar_begins_in_1904(
    code: str, serial: float, shown: str | None
) -> None:
    """Such a workbook shows it with a minus, and any other one `####`; a day below zero is none."""
    cell = date_cell(serial, code, since_1904=True)
    assert cell == (None if shown is None else Typed(shown, serial, code))
    assert date_cell(serial, code, since_1904=False) is None


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        (Typed("15 días", 15, '0" días"'), "15"),
        (Typed("PQR-15", 15, '"PQR-"0'), "15"),
        (Typed("12.5%", 12.5, '0.0"%"'), "12.5"),
        (Typed("12.5%", 0.125, "0.0%"), "0.125"),
        (Typed("1-5", 15, "0\\-0"), "15"),
        (Typed("1.5", 15, "0\\.0"), "15"),
        (Typed("0.30 kg", 0.1 + 0.2, '0.00" kg"'), "0.3"),
        (Typed("1,234 km", 1234, '#,##0" km"'), "1234"),
    ],
)
def test_a_number_field_gets_the_number_whatever_is_around_it(cell: Typed, number: str) -> None:
    """Types that want a number take the stored one where the cell shows words."""
    assert str(NumberReader().read(cell)) == number


ROWS: list[tuple[object, str, Cell, str | None, Remark | None]] = [
    (15, '"PQR-"0', "PQR-15", "15", None),
    (15, "00000", "00015", None, None),
    (5, ";;;", "", "5", Remark.HIDDEN),
    (0, "#,###", "", "0", Remark.HIDDEN),
    (7, "#,###", "7", None, None),
    (2, '[=0]"No";[=1]"Sí"', "2", None, Remark.HASHES),
    (-1, "dd/mm/yyyy", "-1", None, Remark.HASHES),
    (2.5, "# ?/?", "2.5", None, Remark.ROUNDED),
    (1234567, "#,##0,", "1234567", None, Remark.ROUNDED),
    (45368, "dd/mm/aaaa", "17/03/aaaa", None, Remark.UNKNOWN),
    (45368, "d mmm yyyy", "17 Mar 2024", None, Remark.LANGUAGE),
    (45368, "[$-41D]d mmmm", "17 March", None, Remark.LANGUAGE),
    (45368, "[$-40A]d mmm yyyy", "17 mar 2024", None, None),
    (0.75, "h:mm AM/PM", "6:00 PM", None, Remark.LANGUAGE),
    (0.75, "[$-240A]h:mm AM/PM", "6:00 p. m.", "6:00 PM", None),
    (45368, "[$-F800]dddd", "2024-03-17", None, Remark.REGIONAL),
    (45368, "mm-dd-yy", "2024-03-17", None, Remark.REGIONAL),
    (0, "dd/mm/yyyy", "00/01/1900", "31/12/1899", None),
    ("abc", '"PQR-"@', "PQR-abc", "abc", None),
    ("abc", ";;;", "", "abc", Remark.HIDDEN),
    ("abc", '"PQR-"0', "abc", None, None),
    ("abc", "_-@_-", "abc", None, None),
]
NOTES = {
    Remark.HIDDEN: "read as empty",
    Remark.HASHES: "####",
    Remark.ROUNDED: "all their digits",
    Remark.UNKNOWN: "not known here; compare",
    Remark.LANGUAGE: "in English",
    Remark.REGIONAL: "YYYY-MM-DD",
}


def test_a_workbook_shows_its_cells_and_notes_name_the_columns(tmp_path: Path) -> None:
    """Each cell reads as shown and carries what version 1 read; a note names exactly the columns that differ."""
    book = Workbook()
    page = book.worksheets[0]
    page.append([f"C{at}" for at in range(len(ROWS))])
    for at, (value, code, *_expected) in enumerate(ROWS, 1):
        page.cell(2, at).value, page.cell(2, at).number_format = value, code  # type: ignore[assignment]
    page.cell(2, len(ROWS) + 1).value = "filled"
    page.cell(1, len(ROWS) + 1).value = "Last"
    book.save(tmp_path / "t.xlsx")
    table = open_table(tmp_path / "t.xlsx")
    cells = rows_of(table)[2]
    for cell, (value, code, shown, earlier, _remark) in zip(cells, ROWS, strict=False):
        assert (value, code, str(cell)) == (value, code, shown)
        assert str(earlier_reading(cell)) == (shown if earlier is None else earlier)
        assert isinstance(cell, Typed) == (not isinstance(value, str) and shown != "")
    for remark, words in NOTES.items():
        (note,) = [note for note in table.notes if words in note]
        named = {f"C{at}" for at, row in enumerate(ROWS) if row[4] is remark}
        assert {
            word for word in note.replace(",", " ").replace(".", " ").split() if word[:1] == "C" and word[1:].isdigit()
        } == named


def test_dates_in_iso_cells_show_their_format(tmp_path: Path) -> None:
    """A cell `t="d"` reads as its format shows it, with or without a Z, and was ISO in version 1."""
    book = Workbook(iso_dates=True)
    page = book.worksheets[0]
    page.append(["Fecha", "Hora", "Nada"])
    page.append([datetime.fromisoformat("2024-03-17T13:45:30"), time(13, 45, 30), date(2024, 3, 17)])
    for cell, code in zip(page[2], ("dd/mm/yyyy hh:mm", "h:mm", "General"), strict=True):
        cell.number_format = code
    book.save(tmp_path / "t.xlsx")
    cells = rows_of(open_table(tmp_path / "t.xlsx"))[2]
    assert [str(cell) for cell in cells] == ["17/03/2024 13:45", "13:45", "2024-03-17"]
    assert [str(earlier_reading(cell)) for cell in cells] == ["2024-03-17 13:45:30", "13:45:30", "2024-03-17"]


PIECES = [
    '"PQR-"',
    '"Sí"',
    "0",
    "#",
    "?",
    ",",
    ".",
    "%",
    "/",
    "E+0",
    "General",
    ";",
    "@",
    "[=1]",
    "[<0]",
    "[>45000]",
    "[Red]",
]
PIECES += [
    "yyyy",
    "mm",
    "d",
    "mmm",
    "h",
    "ss",
    "[h]",
    "AM/PM",
    "a/p",
    "e",
    "[$-240A]",
    "[$€-2]",
    "[$-F800]",
    "\\-",
    "_)",
    " ",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=8), st.sampled_from([0, 1, -1, 0.5, 60, 12.345, 45368.75, -7.5, 1e9]))
def test_every_format_reads_the_same_again_and_never_stumbles(pieces: list[str], value: float) -> None:
    """A format shows every number somehow or not at all, and version 1 agrees from where it is said to."""
    code = "".join(pieces)
    number_format = parse(code)
    section = number_format.section(value)
    if section is not None and section.shows is Shows.MOMENT:
        cell = date_cell(value, number_format.code, since_1904=False)
        shown = None if cell is None else cell.text
    else:
        shown = number_text(value, number_format)
    if value >= same_from(code) and shown is not None:
        assert (text_of(value, code, since_1904=False) or "").strip() == shown.strip()


def test_reread_text_is_the_empty_cell_where_nothing_is_shown() -> None:
    """A hidden value is an empty cell for every rule, and keeps what version 1 read."""
    cell = Reread("", "5")
    assert (cell, cell.earlier, bool(cell)) == ("", "5", False)
