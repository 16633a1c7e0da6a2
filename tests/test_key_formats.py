"""Keys in number formats of every kind: one table in eight file formats, and what is said before the first send."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
from openpyxl import Workbook
from run_support import HEADER, MAPPING, Give, Office, ticket
from source_support import WORKBOOKS

from importer import Connection, Job, load_job, propose

KEYS = WORKBOOKS / "keys"
# What Excel saves as CSV on a Spanish computer, where it differs from the English one that made the others.
IN_SPANISH = {
    "$ 1,007": "$ 1.007",
    "2,000,008": "2.000.008",
    "1009.50": "1009,50",
    "3,010.25": "3.010,25",
    "1,017": "1.017",
    "1.0180E+03": "1,0180E+03",
    "A-1,020": "A-1.020",
    "1021.50 m": "1021,50 m",
}


def in_spanish(folder: Path) -> None:
    """Write the CSV file of a Spanish computer."""
    with (KEYS / "keys_comma.csv").open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    path = folder / "spanish.csv"
    with path.open("w", encoding="cp1252", newline="") as file:
        csv.writer(file, delimiter=";").writerows(
            [header, *([IN_SPANISH.get(row[0], row[0]), *row[1:]] for row in rows)]
        )
    assert {row[0] for row in rows} >= set(IN_SPANISH)


@pytest.mark.parametrize(
    ("first", "others"),
    [
        ("keys.xlsx", ("keys.ods", "keys.xls", "keys.xlsb", "keys_tab.csv", "spanish.csv")),
        ("keys_comma.csv", ("keys_semicolon.csv", "keys.xlsx", "keys.xls", "keys.ods", "keys.xlsb", "spanish.csv")),
        ("keys.ods", ("keys.xlsb", "keys_tab.csv", "keys.xlsx")),
        ("keys.xlsb", ("keys.ods", "keys_comma.csv", "keys.xls")),
    ],
    ids=["XLSX first", "text first", "ODS first", "XLSB first"],
)
def test_one_table_in_eight_formats_is_one_set_of_cases(
    office: Office, give: Give, first: str, others: tuple[str, ...]
) -> None:
    """Whatever format comes first, every row of another one is the known row, or an issue: none is sent again."""
    office.mapping.write_text(MAPPING, "utf-8")
    in_spanish(office.folder)
    for name in (first, *(name for name in others if name != "spanish.csv")):
        shutil.copy(KEYS / name, office.folder)

    words = office.arguments("run", "--yes", "--json", "--same-tickets")
    where = Connection(office.sandbox.url, "demo")
    sent = give([words[0], str(office.folder / first), *words[2:]]).json["counts"]["created"]
    assert sent == office.sandbox.posts == 31
    for name in others[:-1]:
        job = Job(office.folder / name, office.mapping, where, office.journal, same_tickets=True)
        forecast = propose(load_job(job)).forecast
        assert forecast is not None, name
        assert (name, forecast.rows_to_send) == (name, 0)
        assert forecast.counts.created + forecast.counts.invalid == sent
    last = give([words[0], str(office.folder / others[-1]), *words[2:]]).json["counts"]
    assert (office.sandbox.posts, last["created"] + last["invalid"]) == (sent, sent)


@pytest.mark.parametrize(
    ("value", "code", "said"),
    [
        (15, '"PQR-"0', 'the number format "PQR-"0: the number 15 is the key PQR-15'),
        (1234567, "#,##0", "show 1,234,567 where the key is 1234567"),
        (12.5, "0.00", "show 12.50 where the key is 12.5"),
        (1234567, "0.00E+00", "show 1.23E+06 where the key is 1234567"),
        (15, "00000", None),
        (15, "0", None),
        (15, "General", None),
    ],
)
def test_the_forecast_says_what_the_format_of_a_key_shows(
    office: Office, give: Give, value: float, code: str, said: str | None
) -> None:
    """A note names the key column, its format, the key, and what a CSV file has; none where they are the same."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(list(HEADER))
    for line, key in ((2, value),):
        sheet.append(list(ticket(line, Ticket="").values()))
        sheet.cell(line, 1).value, sheet.cell(line, 1).number_format = key, code
    book.save(office.folder / "tickets.xlsx")
    office.mapping.write_text(MAPPING, "utf-8")
    words = office.arguments("check", "--json")
    words[1] = str(office.folder / "tickets.xlsx")
    notes = [note for note in give(words).json["notes"] if note.startswith("The key Ticket ")]
    assert [note for note in notes if said is None or said not in note] == []
    assert len(notes) == (said is not None)
