"""Cells become values of the CRM's types; what one cell does not prove, the whole column proves, or it is an issue."""

from __future__ import annotations

import datetime as dt
import re
import string
import tempfile
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_support import HEAD, converted, faults, form_values, frame, loaded

from importer.mapping.converters.formats import format_datetime, format_number, reader
from importer.mapping.converters.markup import html_to_text
from importer.mapping.converters.moments import DateTimeReader
from importer.mapping.converters.numbers import NumberReader
from importer.mapping.converters.types import phone
from importer.mapping.refusal import Refused
from importer.model import Typed

DATETIMES = st.datetimes(dt.datetime(1900, 1, 1), dt.datetime(2999, 12, 31))  # noqa: DTZ001 - wall time


def true(text: str, value: float | dt.date | dt.time) -> Typed:
    """Return a cell that a workbook stores as a typed value."""
    return Typed(text, value)


def test_s3_a_column_proves_the_order_of_its_dates(tmp_path: Path) -> None:
    """One day above 12 proves day or month first for all cells; ISO dates and month names need no proof."""
    spec = "{column: C, type: date}"
    assert form_values(tmp_path, spec, ["03/04/2026", "13/04/2026", "1-2-2026"]) == [
        "2026-04-03", "2026-04-13", "2026-02-01",
    ]  # fmt: skip
    assert form_values(tmp_path, spec, ["03/04/2026", "04/13/2026"]) == ["2026-03-04", "2026-04-13"]
    assert form_values(tmp_path, spec, ["2026-04-03", "2026/4/3 10:00", "2026-04-03T23:59:59"]) == ["2026-04-03"] * 3


def test_s3_a_date_that_may_be_two_is_asked_for(tmp_path: Path) -> None:
    """Neither `03/04/2026` alone nor a contradictory column proves an order; `05/05/2026` is unambiguous."""
    spec = "{column: C, type: date}"
    assert form_values(tmp_path, spec, ["03/04/2026", "05/05/2026"]) == ["! date-format-unclear", "2026-05-05"]
    assert form_values(tmp_path, spec, ["13/04/2026", "04/13/2026"]) == ["! date-format-unclear"] * 2
    assert form_values(tmp_path, "{column: C, type: date, read: DD/MM/YYYY}", ["03/04/2026"]) == ["2026-04-03"]


def test_a_proof_may_stand_in_a_later_frame(tmp_path: Path) -> None:
    """Every frame is surveyed before the first is converted."""
    case = loaded(tmp_path, f"{HEAD}form:\n  X: {{column: C, type: date}}\n")
    last = frame({"Id": ["1"], "C": ["31/01/2026"]}, first_row=3)
    first = frame({"Id": ["0"], "C": ["02/01/2026"]})
    assert converted(case, last, first).fields["form.X"].tolist() == ["2026-01-02"]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("3 de marzo de 2026", "2026-03-03"), ("03-mar-2026", "2026-03-03"), ("3 dez. 2026", "2026-12-03"),
        ("lunes, 7 de septiembre de 2026", "2026-09-07"), ("1 setiembre 2026", "2026-09-01"),
        ("3 de março de 2026", "2026-03-03"), ("March 3, 2026", "2026-03-03"), ("mar 3 2026 10:00 PM", "2026-03-03"),
        ("3/ene/2026", "2026-01-03"), ("31 de noviembre de 2026", "! not-a-date"), ("3 de nada 2026", "! not-a-date"),
        ("45123", "! not-a-date"), ("30/02/2026", "! not-a-date"), ("mañana", "! not-a-date"), ("", None),
    ],
)  # fmt: skip
def test_s3_dates_with_names_of_months(tmp_path: Path, text: str, day: str | None) -> None:
    """Spanish, Portuguese and English month names are read; days that do not exist are issues."""
    assert form_values(tmp_path, "{column: C, type: date}", [text]) == [day]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("segunda-feira, 2 de março de 2026", "2026-03-02"),
        ("segunda, 2 de março de 2026", "2026-03-02"),
        ("Terça-feira, 3 de março de 2026 10:30", "2026-03-03"),
        ("sexta feira 6 de março de 2026", "2026-03-06"),
        ("sábado, 7 de março de 2026", "2026-03-07"),
        ("sáb., 7 de mar. de 2026", "2026-03-07"),
        ("mié., 4 de mar. de 2026", "2026-03-04"),
        ("mar mar 3 2026", "2026-03-03"),
        ("el 2 de marzo de 2026", "2026-03-02"),
        ("dom 15 de nov. del 2026", "2026-11-15"),
        ("5 de set. de 2026", "2026-09-05"),
        ("5-sept.-2026", "2026-09-05"),
        ("5 de setembro de 2026", "2026-09-05"),
        ("3.mar.2026", "2026-03-03"),
        ("3.mar. 2026", "2026-03-03"),
        ("marzo 1 de 2026", "2026-03-01"),
        ("Marzo 15 del 2026", "2026-03-15"),
        ("lunes, marzo 2 de 2026", "2026-03-02"),
        ("marzo 2, de 2026 3:00 p. m.", "2026-03-02"),
        ("Monday, March 2nd, 2026", "2026-03-02"),
        ("1º de março de 2026", "2026-03-01"),
        ("1° de marzo de 2026", "2026-03-01"),
        ("1.º de marzo de 2026", "2026-03-01"),
        ("1ro de marzo de 2026", "2026-03-01"),
        ("marzo 1º de 2026", "2026-03-01"),
        ("1o de março de 2026", "2026-03-01"),
        ("21 de nada de 2026", "! not-a-date"),
        ("marzo 32 de 2026", "! not-a-date"),
        ("1ª de março de 2026", "! not-a-date"),
    ],
)
def test_dates_in_words_are_read_as_people_and_programs_write_them(tmp_path: Path, text: str, day: str) -> None:
    """Days of the week, the month before the day, ordinals and abbreviations leave a date as unambiguous as it is."""
    assert form_values(tmp_path, "{column: C, type: date}", [text]) == [day]


@pytest.mark.parametrize(
    "text",
    [
        "martes, 2 de marzo de 2026", "mar. 2 de marzo de 2026", "terça-feira, 2 de março de 2026",
        "sexta, 2 de março de 2026", "Sunday, March 2, 2026", "sáb 2 mar 2026", "miercoles, marzo 2 de 2026",
    ],
)  # fmt: skip
def test_a_day_of_the_week_that_is_not_that_of_the_date_is_an_issue(tmp_path: Path, text: str) -> None:
    """One of the two is wrong, and nothing says which: 2 March 2026 is a Monday."""
    case = loaded(tmp_path, f"{HEAD}form:\n  X: {{column: C, type: date}}\n")
    (issue,) = converted(case, frame({"Id": ["1"], "C": [text]})).issues
    assert (issue.code, issue.remedy) == ("weekday-differs", "Correct the cell")


def test_the_remedy_for_words_that_are_no_date_names_no_format(tmp_path: Path) -> None:
    """A format of digits would not read `a principios de marzo`, so that the cell itself has to be corrected."""
    case = loaded(tmp_path, f"{HEAD}form:\n  X: {{column: C, type: date}}\n")
    cells = ["a principios de marzo", "31 de noviembre de 2026", "45123"]
    issues = converted(case, frame({"Id": ["1", "2", "3"], "C": cells})).issues
    assert ["read:" in issue.remedy for issue in issues] == [False, False, False]


def test_s3_true_dates_know_themselves_and_never_round(tmp_path: Path) -> None:
    """A true date needs no format, and 23:59:59.9999 stays on its day and second."""
    late = true("2026-12-31 23:59", dt.datetime(2026, 12, 31, 23, 59, 59, 999_900))  # noqa: DTZ001 - wall time
    day = true("31/12/26", dt.date(2026, 12, 31))
    assert form_values(tmp_path, "{column: C, type: date, format: MM-DD-YYYY}", [late, day]) == ["12-31-2026"] * 2
    assert form_values(tmp_path, "{column: C, type: datetime}", [late, day]) == [
        "2026-12-31 23:59:59", "2026-12-31 00:00:00",
    ]  # fmt: skip
    assert form_values(tmp_path, "{column: C, type: time}", [late, day]) == ["23:59:59", "! not-a-time"]
    assert form_values(tmp_path, "{column: C, type: date}", [true("45123", 45123)]) == ["! not-a-date"]


def test_no_type_stumbles_over_what_nobody_sees(tmp_path: Path) -> None:
    """Numbers, dates, telephones and addresses are read without the invisible characters that a copy brought along."""
    for spec, cell, value in [
        ("{column: C, type: email}", "\u200bana@x.co\u200b", "ana@x.co"),
        ("{column: C, type: email}", "MAILTO:ana@x.co?subject=Hola", "ana@x.co"),
        ("{column: C, type: phone, country: CO}", "\u202a+57 300\u00a0123 4567\u202c", "+573001234567"),
        ("{column: C, type: phone, country: CO}", "tel:+57-300-123-4567", "+573001234567"),
        ("{column: C, type: url}", "https://x.co/\u200ba\u00ad", "https://x.co/a"),
        ("{column: C, type: integer}", "\u200e12\u200f", 12),
        ("{column: C, type: date}", "\u200e3/\u200e13/\u200e2026\ufeff", "2026-03-13"),
        ("{column: C, type: boolean}", "s\u200bí", True),
        ("{column: C, values: {Alta: High}}", "Al\u00adta\u200b", "High"),
        ("{column: C}", "\u200b", None),
        ("{column: C}", "una nota con\u00a0espacio\u200b", "una nota con\u00a0espacio"),
    ]:
        assert form_values(tmp_path, spec, [cell]) == [value], spec


def test_times_are_read_with_and_without_halves(tmp_path: Path) -> None:
    """Times have 24 hours or `a. m.`, `PM`; anything else is an issue."""
    cells = ["3:15 p. m.", "12:00 AM", "9:05", "24:00", "13:00 PM", true("08:00", dt.time(8)), "10:20:30.9"]
    assert form_values(tmp_path, "{column: C, type: time, format: 'HH:mm'}", cells) == [
        "15:15", "00:00", "09:05", "! not-a-time", "! not-a-time", "08:00", "10:20",
    ]  # fmt: skip


def test_named_formats_are_the_only_ones_that_are_read(tmp_path: Path) -> None:
    """With `read`, a cell fits one of the named formats, two-digit years included, or is an issue."""
    spec = "{column: C, type: date, read: [DD/MM/YY, D MMM YYYY, YYYYMMDD]}"
    cells = ["1/2/26", "1/2/30", "3 feb 2026", "20260204", "2026-02-05", "1/2/26 10:30"]
    assert form_values(tmp_path, spec, cells) == [
        "2026-02-01", "1930-02-01", "2026-02-03", "2026-02-04", "! not-a-date", "2026-02-01",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cell", "form", "day"),
    [
        ("29-ene-24", "DD-MMM-YY", "2024-01-29"),
        ("5/set./24 10:30", "DD/MMM/YY", "2024-09-05"),
        ("17 03 2024", "DD MM YYYY", "2024-03-17"),
        ("20240317", "YYYYMMDD", "2024-03-17"),
        ("17032024", "DDMMYYYY", "2024-03-17"),
        ("12/03/45", "DD/MM/YY", "1945-03-12"),
        (true("20240317", 20240317), "YYYYMMDD", "2024-03-17"),
    ],
)
def test_the_remedy_for_a_date_names_a_format_that_reads_it(
    tmp_path: Path, cell: str | Typed, form: str, day: str
) -> None:
    """Whoever writes the proposed format into the mapping has the date, and a number that shows one as well."""
    case = loaded(tmp_path, f"{HEAD}form:\n  X: {{column: C, type: date}}\n")
    (issue,) = converted(case, frame({"Id": ["1"], "C": [cell]})).issues
    assert f'read: "{form}"' in issue.remedy
    assert form_values(tmp_path, f"{{column: C, type: date, read: '{form}'}}", [cell]) == [day]


@pytest.mark.parametrize(
    ("century", "days"),
    [
        ("", ["2029-12-25", "1930-12-25", "1945-03-12"]),
        (", century: 1926", ["1929-12-25", "1930-12-25", "1945-03-12"]),
        (", century: 2000", ["2029-12-25", "2030-12-25", "2045-03-12"]),
    ],
)
def test_two_digits_are_a_year_of_the_hundred_that_the_mapping_names(
    tmp_path: Path, century: str, days: list[str]
) -> None:
    """Without `century` they are Excel's, 1930 to 2029; a template's slots follow the same rule."""
    cells = ["25/12/29", "25/12/30", "12/03/45"]
    spec = f"read: DD/MM/YY{century}"
    assert form_values(tmp_path, f"{{column: C, type: date, {spec}}}", cells) == days
    assert form_values(tmp_path, f"{{template: '{{C:YYYY-MM-DD}}', {spec}}}", cells) == days


def test_a_year_of_two_digits_is_told_how_to_read_it(tmp_path: Path) -> None:
    """The remedy for such a cell has YY in it."""
    case = loaded(tmp_path, f"{HEAD}form:\n  X: {{column: C, type: date}}\n")
    issues = converted(case, frame({"Id": ["1", "2"], "C": ["12/03/45", "someday"]})).issues
    assert ["DD/MM/YY" in issue.remedy and "YYYY" not in issue.remedy for issue in issues] == [True, False]


def test_seconds_since_1970_are_told_how_to_read_them(tmp_path: Path) -> None:
    """A number that can only be such a moment is no date with a format."""
    case = loaded(tmp_path, f"{HEAD}form:\n  X: {{column: C, type: date}}\n")
    issues = converted(case, frame({"Id": ["1", "2"], "C": ["1709260200", "17092602"]})).issues
    assert ["read: epoch" in issue.remedy for issue in issues] == [True, False]


@pytest.mark.parametrize(
    ("cell", "form"),
    [
        ("29-10-2024 07:24", "DD-MM-YYYY"),
        ("10-29-2024", "MM-DD-YYYY"),
        ("2024.01.31", "YYYY.MM.DD"),
        ("31.12.24", "DD.MM.YY"),
        ("29 de octubre de 2024", "D de MMMM de YYYY"),
        ("octubre 29, 2024", "MMMM D, YYYY"),
    ],
)
def test_the_remedy_of_a_date_names_the_format_that_reads_it(tmp_path: Path, cell: str, form: str) -> None:
    """A date in other signs than `read` has: the line to write reads the cell."""
    refused = "{column: C, type: date, read: D MMM YYYY}"
    case = loaded(tmp_path, f"{HEAD}form:\n  X: {refused}\n")
    (issue,) = converted(case, frame({"Id": ["1"], "C": [cell]})).issues
    assert f'read: "{form}"' in issue.remedy
    assert form_values(tmp_path, refused.replace("D MMM YYYY", f"'{form}'"), [cell])[0] in {
        "2024-10-29",
        "2024-01-31",
        "2024-12-31",
    }


_TIME = "Write a time from 00:00 to 23:59 with two digits for the minutes, such as 14:05"


@pytest.mark.parametrize("read", ["", ", read: DD/MM/YYYY", ", read: [YYYY-MM-DD, DD/MM/YYYY HH:mm, DD/MM/YYYY]"])
@pytest.mark.parametrize(
    ("cell", "message", "remedy"),
    [
        ("31/02/2026", "'31/02/2026' is a day that does not exist", "Correct the cell"),
        ("31/02/2026 10:00", "'31/02/2026 10:00' is a day that does not exist", "Correct the cell"),
        ("2026-02-31", "'2026-02-31' is a day that does not exist", "Correct the cell"),
        ("31/02/26", "'31/02/26' is a day that does not exist", "Correct the cell"),
        ("13/13/2026", "'13/13/2026' is a day that does not exist", "Correct the cell"),
        ("31 de noviembre de 2026", "'31 de noviembre de 2026' is a day that does not exist", "Correct the cell"),
        ("3 de nada de 2026", "'3 de nada de 2026' is not a readable date", "Correct the cell"),
        ("pronto", "'pronto' is not a readable date", "Correct the cell"),
        ("123/05/2026", "'123/05/2026' is not a readable date", "Correct the cell"),
        ("22/04/2026 24:00", "'24:00' is not a time of day", _TIME),
        ("21/4/2026 3:4", "'3:4' is not a time of day", _TIME),
        (
            "46086",
            "'46086' is not a readable date, but may be Excel's number for 2026-03-05",
            "If it is, give the cells a date format in Excel and save the sheet again; else correct the cell",
        ),
    ],
)
def test_the_issue_of_a_date_says_what_is_wrong_with_it(
    tmp_path: Path, read: str, cell: str, message: str, remedy: str
) -> None:
    """A day that does not exist, a wrong time and a number of Excel are told as such, without a format to add."""
    case = loaded(tmp_path, f"{HEAD}form:\n  X: {{column: C, type: date{read}}}\n")
    (issue,) = converted(case, frame({"Id": ["1"], "C": [cell]})).issues
    assert (issue.code, issue.message, issue.remedy) == ("not-a-date", message, remedy)


@pytest.mark.parametrize(
    ("read", "cell", "form"),
    [
        ("DD/MM/YYYY", "31/02/2026", None),
        ("DD/MM/YYYY", "04/22/2026", "MM/DD/YYYY"),
        ("[DD/MM/YYYY, MM/DD/YYYY]", "04/22/2026", None),
        ("DD/MM/YYYY", "2026-22-04", "YYYY-DD-MM"),
        ("YYYYMMDD", "20260231", None),
        ("DD/MM/YYYY", "20260228", "YYYYMMDD"),
    ],
)
def test_a_format_is_proposed_only_if_it_is_new_and_reads_the_cell(
    tmp_path: Path, read: str, cell: str, form: str | None
) -> None:
    """A remedy never repeats what the field has already, and never names a format that would not help."""
    case = loaded(tmp_path, f"{HEAD}form:\n  X: {{column: C, type: date, read: {read}}}\n")
    (issue,) = converted(case, frame({"Id": ["1"], "C": [cell]})).issues
    assert re.findall(r'read: "([^"]+)"', issue.remedy) == ([form] if form else [])
    if form:
        days = form_values(tmp_path, f"{{column: C, type: date, read: '{form}'}}", [cell])
        assert days in (["2026-04-22"], ["2026-02-28"])


@pytest.mark.parametrize(
    ("read", "cell", "form"),
    [
        ("", "14.05", "HH.mm"),
        ("", "1405", "HHmm"),
        (", read: HH.mm", "14:05", "HH:mm"),
        ("", "24:00", None),
        ("", "3:4", None),
        (", read: HH.mm", "25.00", None),
        ("", "2 de la tarde", None),
    ],
)
def test_the_remedy_for_a_time_names_a_format_that_reads_it(
    tmp_path: Path, read: str, cell: str, form: str | None
) -> None:
    """What no format reads has to be corrected in the cell, and the remedy says how a time is written."""
    case = loaded(tmp_path, f"{HEAD}form:\n  X: {{column: C, type: time{read}}}\n")
    (issue,) = converted(case, frame({"Id": ["1"], "C": [cell]})).issues
    assert (issue.code, issue.message) == ("not-a-time", f"'{cell}' is not a time of day")
    if form is None:
        assert issue.remedy == _TIME
        return
    assert f'read: "{form}"' in issue.remedy
    assert form_values(tmp_path, f"{{column: C, type: time, read: '{form}'}}", [cell]) == ["14:05:00"]


@pytest.mark.parametrize(
    ("cells", "days"),
    [
        (["2019-29-12", "2019-05-03"], ["2019-12-29", "2019-03-05"]),
        (["2019.05.03 10:00", "2019.31.12"], ["2019-03-05", "2019-12-31"]),
        (["2019-12-29", "2019-05-03"], ["2019-12-29", "2019-05-03"]),
        (["2019-05-03"], ["2019-05-03"]),
        (["2019-29-12", "2019-12-29", "2019-05-03", "2019-05-05"], [*["! date-format-unclear"] * 3, "2019-05-05"]),
        (["2019-29-12", "03/04/2019"], ["2019-12-29", "! date-format-unclear"]),
        (["2019-29-13", "2019-05-03"], ["! not-a-date", "2019-05-03"]),
    ],
)
def test_a_column_proves_the_order_of_dates_with_the_year_first(
    tmp_path: Path, cells: list[str], days: list[str]
) -> None:
    """The ISO order needs no proof, but gives way to one; a column with both orders is asked about."""
    assert form_values(tmp_path, "{column: C, type: date}", cells) == days


def test_s2_a_column_proves_its_decimal_sign(tmp_path: Path) -> None:
    """`1.234,5`, `12,50` and `1.234.567` prove a sign for all; `1.234` alone proves nothing."""
    spec = "{column: C, type: decimal}"
    assert form_values(tmp_path, spec, ["1.234", "12,50", "-3", "1.234.567,8"]) == [1234, 12.5, -3, 1234567.8]
    assert form_values(tmp_path, spec, ["1,234", "1,234,567", "0.5"]) == [1234, 1234567, 0.5]
    assert form_values(tmp_path, spec, ["1.234", "7"]) == ["! number-format-unclear", 7]
    assert form_values(tmp_path, spec, ["1.5", "1,5"]) == ["! number-format-unclear"] * 2
    assert form_values(tmp_path, "{column: C, type: decimal, decimal_sign: '.'}", ["1.234"]) == [1.234]


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("1 234,50", 1234.5), ("1\u202f234\u00a0567,5", 1234567.5), ("12'345.5", 12345.5), ("12\u2019345.5", 12345.5),
        ("1 234", 1234), ("1.234.567", 1234567), ("12", 12), ("0,5", 0.5), ("-,5", -0.5),
        *((cell, "! not-a-number") for cell in (
            "3 4", "10 12", "6'2", "1 2345", "1234 567", "1'234 567", "1 234.567,5", "1,234 567.5", "12.34.56", "1.2.3",
            "1  234", "0 123", "1.234 567", "5,", "12,34,567", "10,12 5",
        )),
    ],
)  # fmt: skip
def test_digits_stand_in_groups_of_three_or_all_in_a_row(tmp_path: Path, cell: str, number: object) -> None:
    """One separator between groups of three is none of the number; anything else between digits makes it no number."""
    assert form_values(tmp_path, "{column: C, type: decimal}", [cell]) == [number]


@pytest.mark.parametrize(
    ("kind", "cells", "numbers"),
    [
        ("decimal", ["45,00-", "1.245,50-", "0,05 -"], [-45, -1245.5, "! not-a-number"]),
        ("decimal", ["45.00-", "1,245.50-", "1.5"], [-45, -1245.5, 1.5]),
        ("currency", ["$ 45,00-", "45,00- EUR", "(45,00)"], [-45, -45, -45]),
        ("decimal", ["45-", "1.245-", "45,-", "-45,00-", "45,00"], [*["! not-a-number"] * 4, 45]),
        ("decimal, decimal_sign: '.'", ["45,00-", "1.5"], ["! not-a-number", 1.5]),
    ],
)
def test_a_minus_behind_an_amount_with_cents_is_read(
    tmp_path: Path, kind: str, cells: list[str], numbers: list[object]
) -> None:
    """Amounts as SAP writes them are negative; a minus behind anything else may be no sign at all."""
    assert form_values(tmp_path, f"{{column: C, type: {kind}}}", cells) == numbers


def test_a_minus_behind_a_number_is_named(tmp_path: Path) -> None:
    """What is refused because of the place of its minus says so."""
    case = loaded(tmp_path, f"{HEAD}form:\n  X: {{column: C, type: decimal}}\n")
    (issue,) = converted(case, frame({"Id": ["1"], "C": ["45-"]})).issues
    assert issue.message.startswith("'45-' has its minus behind the number")
    assert "write the minus before it" in issue.remedy


def test_what_is_no_number_proves_no_decimal_sign(tmp_path: Path) -> None:
    """A version or an address of a network among numbers leaves `1.234` as unclear as it is alone."""
    assert form_values(tmp_path, "{column: C, type: decimal}", ["1.2.3", "1.234", "10.0.0.7"]) == [
        "! not-a-number", "! number-format-unclear", "! not-a-number",
    ]  # fmt: skip


def test_numbers_keep_every_digit_or_are_issues(tmp_path: Path) -> None:
    """JSON numbers are as exact as the cell; stored numbers and percentages are what they show."""
    cells = [
        "0.1",
        "12345678901234567890",
        "0.12345678901234567891",
        true("12.5%", 0.125),
        true("3001234567", 3001234567.0),
    ]
    assert form_values(tmp_path, "{column: C, type: decimal}", cells) == [
        0.1, "! number-too-long", "! number-too-long", 0.125, 3001234567,
    ]  # fmt: skip
    cells = [true("5", 5.0), "7.0", "7.5", "x", true("TRUE", value=True)]
    assert form_values(tmp_path, "{column: C, type: integer}", cells) == [
        5, 7, "! not-an-integer", "! not-a-number", "! not-a-number",
    ]  # fmt: skip


def test_currencies_lose_their_signs(tmp_path: Path) -> None:
    """Currency signs and codes around a number are dropped; brackets mean a negative number."""
    cells = ["$ 1.234,50", "COP 1.000.000", "R$ 10,00", "US$5", "(3)", "S/ 2", "12 pesos"]
    assert form_values(tmp_path, "{column: C, type: currency}", cells) == [
        1234.5, 1000000, 10, 5, -3, 2, "! not-a-number",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["$1'234.567", "$450.000", "$2'000.000", "7"], [*["! number-format-unclear"] * 3, 7]),
        (["1'234,567", "450,000"], ["! number-format-unclear"] * 2),
        (["1'234'567.890"], ["! number-format-unclear"]),
        (["$1'234.567,50", "$450.000", "$2'000.000"], [1234567.5, 450000, 2000000]),
        (["1'234,567.50", "450,000", "2'000,000"], [1234567.5, 450000, 2000000]),
        (["$1.234'567.890", "$1'234.567"], [1234567890, 1234567]),
        (["1'234.567", "1.000.000"], [1234567, 1000000]),
        (["1\u00b4234.567,50", "1\u2018234.567", "1\u2019234.567"], [1234567.5, 1234567, 1234567]),
        (["1'234.56", "1'234.567"], [1234.56, 1234.567]),
        (["1'234.5678", "450.000"], [1234.5678, 450]),
        (["0'450.000", "1'23.456", "1'234.567.89", "1.234'567"], ["! not-a-number"] * 4),
    ],
)
def test_three_digits_after_an_apostrophe_and_a_point_prove_no_sign(
    tmp_path: Path, cells: list[str], numbers: list[object]
) -> None:
    """`1'234.567` is a million in Colombia and a thousand in Switzerland: only the rest of the column can tell."""
    assert form_values(tmp_path, "{column: C, type: currency}", cells) == numbers


def test_a_given_decimal_sign_tells_millions_from_thousands(tmp_path: Path) -> None:
    """With `decimal_sign`, the apostrophe before the other sign parts millions, and before this one thousands."""
    values = [
        form_values(tmp_path, f"{{column: C, type: decimal, decimal_sign: '{sign}'}}", ["1'234.567"]) for sign in ",."
    ]
    assert values == [[1234567], [1234.567]]


def test_a_currency_sign_between_digits_is_no_number(tmp_path: Path) -> None:
    """`12€50` may be 12.50 or 1250: the sign is dropped before or after the digits, never between them."""
    cells = ["12€50", "12$50", "12 US$ 50", "1.000$00", "12 COP 50", "$12 COP", "COP$ 12", "-$12", "$-12", "($12)"]
    assert form_values(tmp_path, "{column: C, type: currency}", cells) == [
        *["! not-a-number"] * 5,
        12,
        12,
        -12,
        -12,
        -12,
    ]


def test_booleans_are_words_of_three_languages(tmp_path: Path) -> None:
    """Yes and no in Spanish, Portuguese and English, marks and stored booleans are read; others need `values`."""
    cells = ["Sí", "NO", "não", "x", "0", true("TRUE", value=True), "quizás"]
    assert form_values(tmp_path, "{column: C, type: boolean}", cells) == [
        True, False, False, True, False, True, "! not-a-boolean",
    ]  # fmt: skip
    spec = "{column: C, type: boolean, values: {Activo: true, Baja: false}}"
    assert form_values(tmp_path, spec, ["activo", "baja"]) == [True, False]


def test_phones_belong_to_a_country(tmp_path: Path) -> None:
    """Numbers are international or national; trunk prefixes are dropped, and foreign numbers stay complete."""
    cells = [
        "300 123 4567",
        "+57 (300) 123-4567",
        "0057 3001234567",
        "+1 202 555 0101",
        "12345",
        true("3001234567", 3001234567),
    ]
    assert form_values(tmp_path, "{column: C, type: phone, country: CO}", cells) == [
        "+573001234567", "+573001234567", "+573001234567", "+12025550101", "! not-a-phone", "+573001234567",
    ]  # fmt: skip
    assert form_values(tmp_path, "{column: C, type: phone, country: AR, format: national}", ["011 4123-4567"]) == [
        "1141234567"
    ]


@pytest.mark.parametrize(
    ("country", "cell", "number"),
    [
        ("CO", "573001234567", "+573001234567"),
        ("MX", "+52 1 55 1234 5678", "+525512345678"),
        ("MX", "0052 1 55 1234 5678", "+525512345678"),
        ("MX", "52 1 55 1234 5678", "+525512345678"),
        ("MX", "1 55 1234 5678", "+525512345678"),
        ("CO", "+52 1 55 1234 5678", "+525512345678"),
        ("AR", "011 15 4123-4567", "+5491141234567"),
        ("BR", "0 11 98765-4321", "+5511987654321"),
        ("DE", "030 123456", "+4930123456"),
        ("IT", "06 1234 5678", "+390612345678"),
        ("CO", "571 7654321", "+576017654321"),
        ("CO", "031 7654321", "+576017654321"),
        ("CO", "57 1 765 4321", "+576017654321"),
        ("CO", "+57 (4) 444 1234", "+576044441234"),
        ("CO", "(2) 765-4321", "+576027654321"),
        ("CO", "03 5 360 1234", "+576053601234"),
        ("CO", "601 765 4321", "+576017654321"),
        ("CO", "03 300 123 4567", "+573001234567"),
        ("CO", "018000 912 345", "+5718000912345"),
        ("MX", "+57 1 765 4321", "+576017654321"),
        ("CO", "\uff13\uff10\uff10\uff11\uff12\uff13\uff14\uff15\uff16\uff17", "+573001234567"),
        ("CO", "tel:+57 300 123 4567", "+573001234567"),
        ("CO", "300\u2011123\u20114567", "+573001234567"),
        ("MX", "044 55 1234 5678", "+525512345678"),
        ("MX", "01 55 1234 5678", "+525512345678"),
        ("CO", "(3) 765 4321", "! not-a-phone"),
        ("CO", "123 456 7890", "! not-a-phone"),
        ("CO", "+57 123 456 7890", "! not-a-phone"),
        ("BR", "11 8765-4321", "! not-a-phone"),
        ("CO", "300 123", "! not-a-phone"),
        ("CO", "300 123 4567 89", "! not-a-phone"),
        ("CO", "+49 12", "! not-a-phone"),
        ("CO", "+999 123456789", "! not-a-phone"),
        ("BR", "55 512345678", "! not-a-phone"),
        ("CO", "300 123 4567 ext. 5", "! not-a-phone"),
        ("US", "1-800-FLOWERS", "! not-a-phone"),
    ],
)
def test_phones_follow_the_numbering_plan_of_their_country(
    tmp_path: Path, country: str, cell: str, number: str
) -> None:
    """Prefixes of calls are removed, old landlines of Colombia get today's area; what the plan lacks is refused."""
    assert form_values(tmp_path, f"{{column: C, type: phone, country: {country}}}", [cell]) == [number]


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("call me", "'call me' is not a phone number"),
        ("300 123", "'300 123' has too few digits for a phone number of CO"),
        ("123 4567", "'123 4567' has too few digits for a phone number of CO"),
        ("+49 1234567890123456", "'+49 1234567890123456' has too many digits for a phone number of DE"),
        ("+52 551 2345 67890", "'+52 551 2345 67890' has too many digits for a phone number of MX"),
        ("+999 123456789", "'+999 123456789' begins with a calling code of no country"),
        ("123 456 789", "'123 456 789' is not a possible phone number of CO"),
    ],
)
def test_an_impossible_phone_number_names_its_country_and_what_is_wrong(cell: str, message: str) -> None:
    """The sentence says whether the digits are too few, too many, or of no country."""
    with pytest.raises(Refused, match=f"^{re.escape(message)}$"):
        phone(cell, "CO", "international")


def test_lists_take_their_options_spelling(tmp_path: Path) -> None:
    """Options are found without case and accents; an unknown one is left unchanged for validation."""
    assert form_values(tmp_path, "{column: C, type: list, allowed: [Médico, Legal]}", ["medico", "LEGAL", "Otro"]) == [
        "Médico", "Legal", "Otro",
    ]  # fmt: skip


def test_multi_selects_are_arrays_or_text(tmp_path: Path) -> None:
    """The options of a cell are split, each once; `format: text` joins them again."""
    spec = "{column: C, type: multi-select, separator: ';', allowed: [A, B]"
    assert form_values(tmp_path, f"{spec}}}", ["a; B;A", ";", ""]) == [["A", "B"], None, None]
    assert form_values(tmp_path, f"{spec}, format: text}}", ["a; B"]) == ["A;B"]
    assert form_values(tmp_path, f"{spec}, values: {{uno: A, dos: B}}}}", ["Uno; dos", "tres"]) == [
        ["A", "B"], "! no-crm-value",
    ]  # fmt: skip


def test_html_becomes_what_a_reader_sees(tmp_path: Path) -> None:
    """Paragraphs, lists, links and entities become text; scripts are removed; plain text keeps its lines."""
    cells = [
        "<p>Hola&nbsp;<b>Ana</b></p><p>Lista:</p><ul><li>uno</li><li>dos</li></ul><script>x()</script>",
        '<div>Ver <a href="https://a.co/x">aquí</a><br/>fin</div>',
        "a < b\ny &amp; z",
        "<p> </p>",
    ]
    assert form_values(tmp_path, "{column: C, type: html}", cells) == [
        "Hola Ana\n\nLista:\n\n- uno\n\n- dos", "Ver aquí (https://a.co/x)\nfin", "a < b\ny & z", None,
    ]  # fmt: skip


UNENDED = ("<!--", "</", "<![CDATA[", "<?", "<a ", "<a b='", '<a href="', "<p a=b ", "<a/", "<x:y")
"""What begins like a tag or a comment, and never ends."""


@pytest.mark.parametrize("beginning", UNENDED)
def test_markup_that_never_ends_is_text_and_takes_no_time(beginning: str) -> None:
    """A parser that looks for the end of each would need minutes."""
    bomb = beginning * 50_000
    assert html_to_text(f"<p>a</p>{bomb}").startswith(f"a\n\n{' '.join(beginning.split())}")


MOMENTS = {
    "2026-03-01T02:30:00Z": "2026-02-28 21:30:00",
    "2026-03-01 02:30:00.123+00": "2026-02-28 21:30:00",
    "2026-03-01T02:30:00-05:00": "2026-03-01 02:30:00",
    "2026-03-01T02:30:00+0530": "2026-02-28 16:00:00",
    "01/03/2026 2:30 a. m. UTC": "2026-02-28 21:30:00",
    "Sun, 1 Mar 2026 02:30:00 GMT-0300": "2026-03-01 00:30:00",
    "1 mar 2026": "2026-03-01 00:00:00",
    "2026-03-01 02:30": "2026-03-01 02:30:00",
    "31/12/2026 23:59:59": "2026-12-31 23:59:59",
}


@pytest.mark.parametrize("read", ["", ", read: epoch", ", read: [epoch, 'DD/MM/YYYY HH:mm:ss', 'YYYY-MM-DD HH:mm']"])
@pytest.mark.parametrize("at_source", [True, False])
def test_a_moment_that_names_a_zone_is_moved_into_that_of_the_cases(
    tmp_path: Path, read: str, *, at_source: bool
) -> None:
    """What names a zone, or counts seconds, shows the wall clock of `zone`; what names none stays as it is."""
    moments = {cell: text for cell, text in MOMENTS.items() if "[" not in read or cell in SHAPED}
    if read:
        moments |= {"1709260200": "2024-02-29 21:30:00", "1709260200000": "2024-02-29 21:30:00"}
    source, field = ("{key: Id, zone: America/Bogota}", "") if at_source else ("{key: Id}", ", zone: America/Bogota")
    spec = f"{{column: C, type: datetime{field}{read}}}"
    case = loaded(tmp_path, HEAD.replace("{key: Id}", source) + f"form:\n  X: {spec}\n")
    sheet = frame({"Id": list(map(str, range(len(moments)))), "C": list(moments)})
    assert converted(case, sheet).fields["form.X"].tolist() == list(moments.values())


SHAPED = ("2026-03-01 02:30", "31/12/2026 23:59:59")
"""The moments in the formats that one of the mappings gives."""


@pytest.mark.parametrize("cell", [cell for cell in MOMENTS if not cell.endswith(("2026", "02:30", "23:59:59"))])
def test_without_a_zone_a_moment_that_names_one_is_an_issue(tmp_path: Path, cell: str) -> None:
    """Its day may be another one where the cases are, in a field as in a template."""
    assert form_values(tmp_path, "{column: C, type: date}", [cell, "31/12/2026"])[0] == "! zone-missing"
    assert form_values(tmp_path, "{template: '{C:DD/MM/YYYY}'}", [cell, "31/12/2026"])[0] == "! zone-missing"


def test_a_time_alone_and_a_number_have_no_zone(tmp_path: Path) -> None:
    """A time without a day cannot be moved, and a number is a moment only where the mapping says so."""
    assert form_values(tmp_path, "{column: C, type: time}", ["02:30Z", "02:30"]) == ["! zone-missing", "02:30:00"]
    zone = "zone: America/Bogota"
    assert form_values(tmp_path, f"{{column: C, type: date, {zone}}}", ["1709260200"]) == ["! not-a-date"]
    numbers = [true("1.7E+09", 1709260200), "99999999999", "-1", "0"]
    assert form_values(tmp_path, f"{{column: C, type: date, {zone}, read: epoch}}", numbers) == [
        "2024-02-29", "5138-11-16", "1969-12-31", "1969-12-31",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("spec", "fault"),
    [
        ("{column: C, type: date, read: epoch}", "epoch needs the zone of the cases"),
        ("{column: C, type: date, zone: Bogotá}", "'Bogotá' is not a time zone"),
        ("{column: C, zone: America/Bogota}", "zone"),
    ],
)
def test_a_zone_that_says_nothing_is_a_fault(tmp_path: Path, spec: str, fault: str) -> None:
    """An unknown zone, one without an effect, and seconds without a zone are faults of the mapping."""
    assert any(fault in found for found in faults(tmp_path, f"{HEAD}form:\n  X: {spec}\n"))


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ('<p>Ver</p><img src="https://x.co/a.png" alt="captura"><a href="https://x.co/d">doc</a>',
         "Ver\n\ncaptura doc (https://x.co/d)"),
        ("<img src='a.png'>", None),
        ("<b>Router</b> <Módem X1> de <ana@x.co>", "Router <Módem X1> de <ana@x.co>"),
        ("Router <Módem X1> < 5 Mbps", "Router <Módem X1> < 5 Mbps"),
        ("<p>uno<o:p></o:p></p><!-- nota -->", "uno"),
        ("si a<b and c>d, no", "si a<b and c>d, no"),
        ("<p>si a<b and c>d, <input disabled>no<br / ></p>", "si a<b and c>d, no"),
        ("<td nowrap>uno</td> <font color=red size = 2>dos</font>", "uno dos"),
    ],
)  # fmt: skip
def test_only_markup_is_taken_off(tmp_path: Path, cell: str, text: str | None) -> None:
    """An image leaves its text, and what only looks like a tag is a text."""
    assert form_values(tmp_path, "{column: C, type: html}", [cell]) == [text]


def test_markup_is_taken_off_the_columns_of_a_template_that_have_it(tmp_path: Path) -> None:
    """A plain column keeps its lines and signs beside one of HTML; entities count where the column has tags."""
    spec = "{template: '<b>{A}</b>\\n\\n{C}', type: html}".replace("\\\\", "\\").replace("'", '"')
    case = loaded(tmp_path, f"{HEAD}form:\n  X: {spec}\n")
    plain, markup = ["a&copy=1\n <Módem X1> & < 5", "AT&amp;T", ""], ["<p>uno<br>dos</p>", "caf&eacute;", "<p> </p>"]
    fields = converted(case, frame({"Id": list("123"), "A": plain, "C": markup})).fields
    assert fields["form.X"].tolist() == ["a&copy=1\n <Módem X1> & < 5\n\nuno\ndos", "AT&amp;T\n\ncafé", None]


def test_an_address_is_taken_out_of_a_copied_link(tmp_path: Path) -> None:
    """`mailto:` and what follows a question mark belong to a link, not to the address."""
    cells = ["mailto:ana@x.co", "MAILTO: ana@x.co?subject=Hola", "ana@x.co"]
    assert form_values(tmp_path, "{column: C, type: email}", cells) == ["ana@x.co"] * 3


@pytest.mark.parametrize(
    ("cell", "address"),
    [
        ("ana@x.co#mailto:ana@x.co#", "ana@x.co"),
        ("Ana@x.co#MAILTO:ana@x.co?subject=Hola##", "ana@x.co"),
        ("Ana Ruiz#mailto:ana@x.co#", "ana@x.co"),
        ("#mailto:ana@x.co#", "ana@x.co"),
        ("ana@x.co#http://ana@x.co#", "ana@x.co"),
        ("ana@x.co#http://ana@x.co/##", "ana@x.co"),
        ("eva@x.co#mailto:ana@x.co#", "eva@x.co#mailto:ana@x.co#"),
        ("Ana#http://ana@x.co#", "Ana#http://ana@x.co#"),
        ("Ana#mailto:nadie#", "Ana#mailto:nadie#"),
        ("caso#5@x.co", "caso#5@x.co"),
    ],
)
def test_an_address_is_taken_out_of_a_hyperlink_of_access(tmp_path: Path, cell: str, address: str) -> None:
    """What is around the address is taken off, unless the link shows another address than it leads to."""
    assert form_values(tmp_path, "{column: C, type: email}", [cell]) == [address]


def test_web_addresses_are_whole(tmp_path: Path) -> None:
    """A URL has http or https and a host."""
    assert form_values(tmp_path, "{column: C, type: url}", ["https://a.co/x?y", "a.co", "ftp://a.co"]) == [
        "https://a.co/x?y", "! not-a-url", "! not-a-url",
    ]  # fmt: skip


def test_texts_change_only_where_asked(tmp_path: Path) -> None:
    """`strip`, `upper`, `lower` and `truncate` do what they say; otherwise only outer white space is removed."""
    cells = [" *Ábc d* "]
    assert form_values(tmp_path, "{column: C, type: text}", cells) == ["*Ábc d*"]
    assert form_values(tmp_path, "{column: C, strip: false}", cells) == [" *Ábc d* "]
    assert form_values(tmp_path, "{column: C, strip: '*'}", cells) == ["Ábc d"]
    assert form_values(tmp_path, "{column: C, upper: true, truncate: 5}", cells) == ["*ÁBC"]
    assert form_values(tmp_path, "{column: C, lower: true}", cells) == ["*ábc d*"]


def test_objects_have_a_type_and_properties_with_sources(tmp_path: Path) -> None:
    """An object without any value is left out; faults of its properties name their column."""
    spec = "{object: {type: telephone, value: {column: C, type: phone, country: CO, format: national}, code: '+57'}}"
    assert form_values(tmp_path, spec, ["3001234567", "", "12"]) == [
        {"type": "telephone", "value": "3001234567", "code": "+57"}, None, "! not-a-phone",
    ]  # fmt: skip


def test_a_date_and_a_time_in_two_columns_become_one_moment(tmp_path: Path) -> None:
    """A template can be a date; its filled texts prove the order as a column does."""
    case = loaded(tmp_path, f"{HEAD}form:\n  X: {{template: '{{D}} {{T}}', type: datetime}}\n")
    sheet = frame({"Id": ["1", "2", "3"], "D": ["02/01/2026", "13/01/2026", ""], "T": ["10:00", "", ""]})
    assert converted(case, sheet).fields["form.X"].tolist() == ["2026-01-02 10:00:00", "2026-01-13 00:00:00", None]


FORMATS = st.sampled_from(["YYYY-MM-DD HH:mm:ss", "DD/MM/YYYY HH:mm:ss", "MM-DD-YYYY HH:mm:ss", "YYYYMMDD HHmmss"])


@settings(max_examples=60, deadline=None)
@given(DATETIMES, FORMATS)
def test_a_moment_that_is_written_in_a_format_is_read_back(moment: dt.datetime, form: str) -> None:
    """Writing and reading in one format loses only fractions of a second."""
    assert DateTimeReader([form]).read(format_datetime(moment, form)) == moment.replace(microsecond=0)
    assert reader(form).fullmatch(format_datetime(moment, form))


@settings(max_examples=60, deadline=None)
@given(st.lists(DATETIMES, min_size=1, max_size=20), st.sampled_from(["DD/MM/YYYY", "MM/DD/YYYY"]))
def test_a_column_of_dates_is_read_rightly_or_not_at_all(moments: list[dt.datetime], form: str) -> None:
    """Whatever a column's order, a date is never read as another date."""
    texts = [format_datetime(moment, form) for moment in moments]
    column = DateTimeReader()
    column.observe(texts)
    if column.order is None:
        assert all(moment.day <= 12 for moment in moments)
    else:
        assert column.order == form
        assert [column.read(text).date() for text in texts] == [moment.date() for moment in moments]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.decimals(-(10**9), 10**9, places=2, allow_nan=False), min_size=1, max_size=20),
    st.sampled_from(["0.00", "0,00", "#,##0.00", "#.##0,00"]),
)
def test_a_column_of_numbers_is_read_back_whatever_its_signs(numbers: list[Decimal], form: str) -> None:
    """Two decimal places prove the sign, and thousands separators differ from it."""
    texts = [format_number(number, form) for number in numbers]
    column = NumberReader()
    column.observe(texts)
    assert [column.read(text) for text in texts] == numbers


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=string.printable + "áÑç€\u00a0{}", max_size=40))
def test_a_text_is_its_text(text: str) -> None:
    """A text field has the cell's text without outer white space, also through templates."""
    with tempfile.TemporaryDirectory() as folder:
        specs = "{column: C}\n  Y: {template: '{C}'}"
        case = loaded(Path(folder), f"{HEAD}form:\n  X: {specs}\n")
    fields = converted(case, frame({"Id": ["1"], "C": [text]})).fields
    assert fields["form.X"].tolist() == fields["form.Y"].tolist() == [text.strip() or None]
