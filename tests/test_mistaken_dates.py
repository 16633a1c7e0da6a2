"""Keys that a spreadsheet program took for dates, and numbers that it shortened: never silently a second case."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import pytest
from openpyxl import Workbook
from run_support import HEADER, MAPPING, Give, Office, ticket

from importer.text import loose
from importer.workflow.keys.mistaken_dates import before_and_after

Shown = str | tuple[date, str]
"""A key as a text, or as a date and its number format."""

TAKEN: dict[str, tuple[str, ...]] = {
    "3-12": ("03-dic", "3-Dec", "03/dez", "03-dic.", "12-mar", "12-Mar"),
    "10-2": ("10-feb", "10-Feb", "10/fev"),
    "12-25": ("25-Dec", "25-dic"),
    "1/2": ("01-feb", "2-Jan", "01/02/2026", "01/02/26"),
    "1.5": ("01-may", "01/mai", "5-Jan"),
    "05-07": ("05-jul", "7-May"),
    "1.05": ("01-may",),
    "2024-5": ("may-24", "May-24", "mai/24", "mayo de 2024", "01/05/2024"),
    "5/2024": ("may-24", "May-24"),
    "11-2026": ("nov-26", "nov/26", "Nov-26"),
    "9.2026": ("sept-26", "sep-26", "set/26"),
    "2031-6": ("jun-31",),
    "1994-06": ("jun-94",),
    "6-94": ("jun-94",),
    "94-6": ("jun-94",),
    "1-2-3": ("01/02/2003", "1/2/2003"),
    "1.2.3": ("01/02/2003",),
    "01.02.03": ("01/02/2003",),
    "12/31/4": ("12/31/2004",),
    "99-1-12": ("12/01/1999",),
}
"""Keys as texts, and what programs show of them once they took them for dates."""

CELLS: dict[str, tuple[date, str]] = {
    "3-11": (datetime.fromisoformat("2026-11-03"), r"d\-mmm"),
    "11-3": (datetime.fromisoformat("2026-11-03"), "dd/mm"),
    "11-2026": (datetime.fromisoformat("2026-11-01"), r"mmm\-yy"),
    "2026/11": (datetime.fromisoformat("2026-11-01"), "[$-C0A]mmmm yyyy"),
    "4-5-6": (datetime.fromisoformat("2006-05-04"), "dd/mm/yyyy"),
}


def write(office: Office, keys: list[Shown]) -> Path:
    """Write a workbook of rows with these keys, and return where it is."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(list(HEADER))
    for line, key in enumerate(keys, 2):
        sheet.append(list(ticket(line, Ticket="").values()))
        cell = sheet.cell(line, 1)
        cell.value, cell.number_format = (key, "@") if isinstance(key, str) else key
        cell.data_type = "s" if isinstance(key, str) else cell.data_type
    path = office.folder / "tickets.xlsx"
    book.save(path)
    return path


def run(
    office: Office, give: Give, keys: list[str] | Path, mapping: str = MAPPING
) -> tuple[int, list[tuple[int, str]]]:
    """Run a file, or a CSV file with these keys; return how many cases it created, and the issues by row."""
    office.mapping.write_text(mapping, "utf-8")
    words = office.arguments("run", "--yes", "--json", "--same-tickets")  # known keys, all with other contents
    if isinstance(keys, Path):
        words[1] = str(keys)
    else:
        office.write([ticket(line, Ticket=key) for line, key in enumerate(keys, 2)])
    result = give(words).json
    issues = [(each["row"], each["code"]) for each in result["reasons"] if each["code"] != "created"]
    return result["created_now"], issues


def forms(*parts: str) -> set[tuple[str, ...]]:
    """Return all keys that this one may have been or become, as the journal compares them."""
    return {tuple(map(loose, key)) for key in before_and_after(parts, ())}


@pytest.mark.parametrize(("key", "shown"), [(key, text) for key, texts in TAKEN.items() for text in texts])
def test_every_text_of_a_date_leads_to_the_key_that_became_it(key: str, shown: str) -> None:
    """Day and month, month and year, and short dates, in both orders, with any sign between them."""
    assert (loose(key),) in forms(shown)


def test_r19_a_key_that_a_program_took_for_a_date_is_no_second_case(office: Office, give: Give) -> None:
    """The file that Excel opened and saved again has no row that is sent."""
    known = [key for key in TAKEN if key not in {"01.02.03", "1.05"}]
    assert run(office, give, [*known, "A1"]) == (len(known) + 1, [])
    shown = list(dict.fromkeys(texts[0] for texts in TAKEN.values()))
    assert run(office, give, [*shown, "A1", "A2"]) == (1, [(row, "key-similar") for row in range(2, len(shown) + 2)])


def test_r19_a_cell_that_became_a_date_is_no_second_case(office: Office, give: Give) -> None:
    """The workbook has cells of dates in place of the texts of the CSV file: an issue for each."""
    assert run(office, give, [*CELLS, "A1"]) == (len(CELLS) + 1, [])
    path = write(office, [*CELLS.values(), "A1", (datetime.fromisoformat("2026-07-08"), r"d\-mmm")])
    assert run(office, give, path) == (1, [(row, "key-similar") for row in range(2, len(CELLS) + 2)])


def test_r19_a_date_that_was_a_text_before_the_first_import_is_no_second_case(office: Office, give: Give) -> None:
    """The other way round, too: the damaged file came first, and the whole one later."""
    damaged = ["03-dic", "10-Feb", "mai/24", "nov-26", "01/02/2003"]
    assert run(office, give, damaged) == (5, [])
    whole = ["3-12", "10-2", "2024-5", "11-2026", "1-2-3"]
    assert run(office, give, whole) == (0, [(row, "key-similar") for row in range(2, 7)])


def test_r19_one_part_of_a_key_or_several_became_dates(office: Office, give: Give) -> None:
    """Other parts still distinguish the rows."""
    mapping = MAPPING.replace("key: Ticket", "key: [Ticket, Detalle]")
    office.mapping.write_text(mapping, "utf-8")
    office.write([ticket(1, Ticket="A", Detalle="3-12"), ticket(2, Ticket="1-2", Detalle="5-6")])
    assert give(office.arguments("run", "--yes")).status == 0
    rows = [("A", "03-dic"), ("01-feb", "05-jun"), ("B", "03-dic"), ("01-mar", "05-jun")]
    office.write([ticket(line, Ticket=one, Detalle=two) for line, (one, two) in enumerate(rows, 1)])
    result = give(office.arguments("run", "--yes", "--json")).json
    issues = [(each["row"], each["code"]) for each in result["reasons"] if each["code"] != "created"]
    assert issues == [(2, "key-similar"), (3, "key-similar")]
    assert office.sandbox.posts == 4


def test_keys_that_look_like_dates_from_the_beginning_are_keys(office: Office, give: Give) -> None:
    """Nothing known matches them, also week by week; nor does a key whose own row is still in the sheet."""
    first = ["03-dic", "dic-24", "2-1", "2024-7", "1.2.3", "05/03/26", "T-1"]
    assert run(office, give, first) == (7, [])
    assert run(office, give, ["04-dic", "ene-25", "1/3", "2024-8", "1.2.4", "03/05/26", "06/03/2026"]) == (7, [])
    assert run(office, give, [*first, "02-ene", "jul-24"]) == (2, [])


# ------------------------------------------------------------------------------------------------ shortened numbers

SHORTENED = ["2,02611E+13", "2.02611E+13", "-2,0E+13", "1E+05", "1,23457E+11", "9,9e+100"]
"""Numbers of which a program shows fewer digits than they have before the point."""

WHOLE = ["1,50000E+05", "1.5000E+03", "1,02E+02", "13E3", "1E5", "3E-05", "2,5E-07", "E+13", "2,02611E13", "7E+5"]
"""Numbers with all of their digits, and texts that no program makes of a number."""


@pytest.mark.parametrize("key", SHORTENED)
def test_r19_a_number_that_was_shortened_is_an_issue_even_at_first(office: Office, give: Give, key: str) -> None:
    """No row with such a key is sent, and the issue says what is missing and how to save the sheet whole."""
    office.mapping.write_text(MAPPING, "utf-8")
    office.write([ticket(1, Ticket=key), ticket(2, Ticket="A1")])
    (issue,) = give(office.arguments("check", "--json")).json["issues"]
    assert (issue["row"], issue["column"], issue["code"], issue["value"]) == (2, "Ticket", "digits-lost", key)
    assert issue["message"] == "Excel has shortened this number, and digits of it are missing"
    assert "number without decimals" in issue["remedy"]
    assert give(office.arguments("run", "--yes", "--json")).json["created_now"] == 1


def test_r19_a_number_that_was_shortened_later_is_no_second_case(office: Office, give: Give) -> None:
    """The next week's file was saved from Excel: neither of the long numbers is created again."""
    assert run(office, give, ["20261127000123", "20261127000999", "A1"])[0] == 3
    created, issues = run(office, give, ["2,02611E+13", "2.02612E+13", "A1", "B2"])
    assert (created, issues) == (1, [(2, "digits-lost"), (3, "digits-lost")])
    assert run(office, give, ["20261127000123", "20261127000999", "A1", "B2"]) == (0, [])


def test_a_number_with_an_exponent_and_all_of_its_digits_is_a_key(office: Office, give: Give) -> None:
    """So is a text that only resembles one; where a known key has its value, it is a similar key, as ever."""
    assert run(office, give, WHOLE) == (len(WHOLE), [])
    assert run(office, give, ["12000", "320"]) == (2, [])
    assert run(office, give, ["1,20E+04", "3,2E+02"]) == (0, [(2, "key-similar"), (3, "key-similar")])


def test_a_row_that_an_earlier_version_sent_under_a_shortened_number_is_known(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has its case: it is neither an issue nor sent again."""
    with monkeypatch.context() as patch:
        patch.setattr("importer.workflow.planning.matching.shortened_issues", lambda *_: ())
        assert run(office, give, ["2,02611E+13", "1,5E+05"]) == (2, [])
    assert run(office, give, ["2,02611E+13", "1,5E+05"]) == (0, [])
    assert run(office, give, ["150000"]) == (0, [(2, "key-similar")])
