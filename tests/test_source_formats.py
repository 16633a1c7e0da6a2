"""What a number shows by its format: dates, times, percentages and padding zeros, and nothing else."""

from __future__ import annotations

from datetime import date, datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.model import Typed
from importer.source.number_formats.codes import Shows, parse
from importer.source.number_formats.dates import date_cell
from importer.source.number_formats.rendering import number_text, plain_text
from importer.source.workbook import number


@pytest.mark.parametrize(
    ("code", "value", "shown"),
    [
        ("00000", 123, "00123"),
        ("00000", -7, "-00007"),
        ("00000", 1234567, "1234567"),
        ("000-00-0000", 123456789, "123-45-6789"),
        ('"T-"000000', 12, "T-000012"),
        ("000,000", 1234567, "1,234,567"),
        ("00.0#", 1.5, "01.5"),
        ("0#", 5, "05"),
        ("#0?", 5, "05"),
        ("0%", 0.125, "13%"),
        ("0.00%", 0.12345, "12.35%"),
        ("#,##0.0%", 123.45678, "12,345.7%"),
        ("0%;(0%)", -0.5, "(50%)"),
        ("0%;-0%;nada", 0, "nada"),
        ("[$€-2] 000", 5, "€ 005"),
        ("0." + "0" * 40 + "%", 0.5, "50." + "0" * 40 + "%"),
    ],
)
def test_s2_padding_and_percentages_show_as_in_excel(code: str, value: float, shown: str) -> None:
    """A number padded with zeros or shown in percent reads as Excel shows it, rounded half away from zero."""
    assert parse(code).shows is Shows.NUMBER
    assert number_text(value, parse(code)) == shown


@pytest.mark.parametrize(
    "code",
    [
        "General",
        "0",
        "0.00",
        "#,##0.00",
        '"$"#,##0.00',
        "0.00E+00",
        "# ?/?",
        "#,##0,",
        "@",
        "[Red]0",
        "",
    ],
)
def test_s2_other_formats_leave_a_number_its_digits(code: str) -> None:
    """Decimals, separators, currency, fractions and conditions are decoration: the number is its shortest text."""
    assert parse(code).shows is Shows.PLAIN


@pytest.mark.parametrize(
    ("value", "text"),
    [(3001234567.0, "3001234567"), (0.1 + 0.2, "0.3"), (1e-7, "0.0000001"), (-0.0, "0"), (1234.5, "1234.5")],
)
def test_s2_a_number_is_its_shortest_decimal_text(value: float, text: str) -> None:
    """Integers lose their point, fractions keep fifteen digits, and nothing is written with an exponent."""
    assert plain_text(value) == text
    assert str(number(value)) == text


@pytest.mark.parametrize("value", [1e15, -1e15, 1234567890123456, 1e300, float("nan"), float("inf")])
def test_s2_more_than_fifteen_digits_are_lost(value: float) -> None:
    """A number that Excel has rounded is a fault."""
    assert not isinstance(number(value), Typed)
    assert isinstance(number(999_999_999_999_999), Typed)


@pytest.mark.parametrize(
    ("code", "serial", "shown", "value"),
    [
        ("dd/mm/yyyy", 45292, "01/01/2024", date(2024, 1, 1)),
        ("dd/mm/yyyy", 45292.75, "01/01/2024", datetime.fromisoformat("2024-01-01T18:00")),
        (
            "dd/mm/yyyy hh:mm",
            45292.99999999884,
            "01/01/2024 23:59",
            datetime.fromisoformat("2024-01-01T23:59:59.999900"),
        ),
        ("yyyy-mm-dd hh:mm:ss.000", 45292.5, "2024-01-01 12:00:00.000", datetime.fromisoformat("2024-01-01T12:00")),
        ("h:mm AM/PM", 0.75, "6:00 PM", time(18)),
        ("hh:mm", 0.4375, "10:30", time(10, 30)),
        ("mm:ss", 0.5 + 61 / 86400, "01:01", time(12, 1, 1)),
        ("[h]:mm", 1.25, "30:00", 1.25),
        ("[mm]:ss", 0.1, "144:00", 0.1),
        ("d-mmm-yy", 61, "1-Mar-00", date(1900, 3, 1)),
        ("yyyy-mm-dd", 1, "1900-01-01", date(1900, 1, 1)),
        ("[$-es-CO]d mmm yyyy", 45292, "1 ene 2024", date(2024, 1, 1)),
        ("[$-F800]dddd, mmmm dd, yyyy", 45292, "2024-01-01", date(2024, 1, 1)),
        ("mmmmm dddd", 45292, "J Monday", date(2024, 1, 1)),
    ],
)
def test_s3_dates_show_as_in_excel(code: str, serial: float, shown: str, value: object) -> None:
    """A date or time reads as its format shows it, in the language that the format names, and keeps its value."""
    assert parse(code).shows is Shows.MOMENT
    cell = date_cell(serial, parse(code).code, since_1904=False)
    assert cell == Typed(shown, value, parse(code).code)  # type: ignore[arg-type]  # each is of one of the kinds


@pytest.mark.parametrize("serial", [-1, 2_958_466, 1e9])
def test_s3_what_excel_shows_as_hashes_is_not_a_date(serial: float) -> None:
    """A number before the epoch or after the year 9999 is not a date."""
    assert date_cell(serial, "yyyy-mm-dd", since_1904=False) is None


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from('ymdhs0#?.,;%/:-_*[]"\\$@ eEAP{}'), max_size=14), st.floats(-1e14, 1e14))
def test_no_format_makes_a_number_stumble(code: str, value: float) -> None:
    """Whatever a workbook calls a format, a number has a text."""
    shown_by = parse(code)
    if shown_by.shows is Shows.NUMBER:
        assert isinstance(number_text(value, shown_by), str)
    elif shown_by.shows is Shows.MOMENT:
        cell = date_cell(value % 60_000, shown_by.code, since_1904=value < 0)
        assert cell is not None
