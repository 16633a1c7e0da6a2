"""Keys that another program shows differently: the same row, or an issue; never silently a second case."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from datetime import date, datetime
from itertools import combinations, repeat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook
from run_support import HEADER, MAPPING, Give, Office, Result, ticket

from importer.model import Cell, Typed
from importer.text import canonical, loose, unadorned
from importer.workflow.keys.keys import KeyIndex, Keys, keys_in
from importer.workflow.keys.lookalikes import elaborate_spellings, spellings

Shown = str | tuple[object, str]
"""A key as a text, or as a value and its number format."""

SEVERAL = MAPPING.replace("key: Ticket", "key: [Asunto, Ticket]")
"""A mapping for sheets in which every subject has its own tickets."""


def write(office: Office, keys: Iterable[Shown], subjects: Iterable[str] = repeat("one")) -> Path:
    """Write a workbook of rows with these keys, and return where it is."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(list(HEADER))
    for line, (key, subject) in enumerate(zip(keys, subjects, strict=False), 2):
        sheet.append(list(ticket(line, Ticket="", Asunto=subject).values()))
        cell = sheet.cell(line, 1)
        cell.value, cell.number_format = (key, "@") if isinstance(key, str) else key  # type: ignore[assignment]
        cell.data_type = "s" if isinstance(key, str) else cell.data_type
    path = office.folder / "tickets.xlsx"
    book.save(path)
    return path


def run(office: Office, give: Give, path: Path, mapping: str = MAPPING) -> Result:
    """Run a file."""
    office.mapping.write_text(mapping, "utf-8")
    report = str(office.folder / "r.csv")  # takes little time, and nobody reads it
    words = office.arguments("run", "--yes", "--json", "--same-tickets", "--report", report)  # keys with other contents
    words[1] = str(path)
    return give(words)


PAIRS: dict[str, tuple[Shown, Shown]] = {
    "grouped": ((1234, "#,##0"), "1234"),
    "grouped as in Spanish": ("1234", "1.234"),
    "grouped twice": ("1.234.567", "1,234,567"),
    "grouped with spaces": ("1234567", "1 234 567"),
    "words of a format": ((12, '"HD-"0'), "HD-12"),
    "words after a number": ((12, '0" (2026)"'), "12 (2026)"),
    "words and zeros of a format": ((12, '"HD-"00000'), "12"),
    "digits of a format": ((7, '"2026-"000'), "7"),
    "a colour and a currency": ((1500, '[Red]"$" #,##0.00'), "$ 1,500.00"),
    "a date as text": ((date(2024, 12, 31), "dd/mm/yyyy"), "2024-12-31"),
    "a date as its number": ((date(2024, 12, 31), "dd/mm/yyyy"), "45657"),
    "a date and midnight": ("2024-12-31 00:00:00", (date(2024, 12, 31), "dd/mm/yyyy")),
    "two texts of a date": ("31/12/2024", "2024-12-31"),
    "a short date": ("31/12/24", "31-12-2024"),
    "a month alone": ((date(2024, 12, 31), "mmm-yy"), "31/12/2024"),
    "a moment": ((datetime.fromisoformat("2024-12-31T10:30"), "dd/mm/yyyy hh:mm"), "2024-12-31T10:30:00"),
    "parentheses around a negative number": ((-12, "0;(0)"), "(12)"),
    "a negative amount": ((-1234, '"$"#,##0.00;("$"#,##0.00)'), "($1,234.00)"),
    "a sign before a currency": ("-1234", "-$1,234"),
    "a currency alone": ("$ 512", "512"),
    "an exponent": ((100000, "0E+00"), "100000"),
    "an exponent as text": ("1,5E+05", "150000"),
    "zeros at the end": ((12.5, "0.00"), "12.5"),
    "zeros at the end of a text": ("12,50", "12.5"),
    "a decimal comma": ("12.5", "12,5"),
    "zero-width": ("T-1", "T-\u200b1"),
    "a soft hyphen": ("PETICION-1", "PETI\u00adCION-1"),
    "a byte-order mark": ("T-1", "\ufeffT-1"),
    "a dash": ("T-1", "T\u20131"),
    "a minus sign": ("T-1", "T\u22121"),
    "an apostrophe": ("00123", "'00123"),
    "a curly apostrophe": ("00123", "\u201900123"),
    "full width": ("T-12", "\uff34\uff0d\uff11\uff12"),
    "a no-break space": ("T 1", "T\u00a01"),
    "a narrow no-break space": ("T 1", "T\u202f1"),
    "a ligature": ("OFICINA 1", "O\ufb01cina 1"),
}
TOLD_BY_THE_FORMAT = {
    "words of a format",
    "words after a number",
    "words and zeros of a format",
    "digits of a format",
    "a month alone",
}
"""What no text shows: a journal of an earlier version, which recorded only texts, cannot know it."""

SHORTENED = {"an exponent as text"}
"""What is an issue even where nothing is known, since digits may be missing: see test_mistaken_dates."""

INSIDE = {"zero-width", "a soft hyphen"}
"""What could be anywhere in a key that an earlier version recorded."""


def forget_spellings(office: Office) -> None:
    """Turn the journal into one of a version that recorded no other spellings."""
    with closing(sqlite3.connect(office.journal)) as journal, journal:
        journal.execute("DELETE FROM row_spellings")
        journal.execute("UPDATE imports SET key_rule = NULL")


@pytest.mark.parametrize("older", [False, True], ids=["noted", "of an older version"])
@pytest.mark.parametrize("order", [1, -1], ids=["one way", "the other way round"])
def test_r19_a_key_that_is_shown_otherwise_is_no_second_case(
    office: Office,
    give: Give,
    order: int,
    older: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """Whichever came first, the other one is the same row or an issue that names row and column."""
    untold = (TOLD_BY_THE_FORMAT if order == 1 else INSIDE) if older else set()
    untold = untold | SHORTENED if order == 1 else untold
    pairs = {name: pair[::order] for name, pair in PAIRS.items() if name not in untold}
    assert run(office, give, write(office, [first for first, _ in pairs.values()], pairs), SEVERAL).status == 0
    if older:
        forget_spellings(office)
    path = write(office, [*(second for _, second in pairs.values()), "control"], [*pairs, "control"])
    result = run(office, give, path, SEVERAL)
    subjects = dict(enumerate([*pairs, "control"], 2))
    second_cases = [case.body["form"]["Subject"] for case in office.sandbox.store.cases[len(pairs) :]]
    assert second_cases == ["control"]
    named = {subjects[reason["row"]] for reason in result.json["reasons"] if reason["code"] == "key-similar"}
    assert len(named) + result.json["counts"]["created"] == len(pairs) + 1
    similar = [reason for reason in result.json["reasons"] if reason["code"] == "key-similar"]
    assert {reason["column"] for reason in similar} == {"Asunto, Ticket"}


def test_r19_one_sheet_with_both_spellings_is_an_issue_of_both_rows(office: Office, give: Give) -> None:
    """It is unclear which of the two is meant: neither is sent.

    Zeros at the end of a text count, since one program shows a whole sheet: 1.1 and 1.10 may be two sections.
    """
    pairs = {name: pair for name, pair in PAIRS.items() if name != "zeros at the end of a text"}
    keys = [key for pair in pairs.values() for key in pair]
    subjects = [name for name in pairs for _ in range(2)]
    result = run(office, give, write(office, keys, subjects), SEVERAL)
    doubtful = {reason["row"] for reason in result.json["reasons"] if reason["code"] in {"key-similar", "key-repeated"}}
    assert doubtful == set(range(2, len(keys) + 2))
    assert office.sandbox.posts == 0


def test_r19_a_saved_csv_file_is_the_workbook_that_it_was_saved_from(office: Office, give: Give) -> None:
    """What a spreadsheet program shows is what it writes into a CSV file: no row of it is a second case."""
    keys = [(12, '"HD-"0'), (1234, "#,##0"), (date(2024, 12, 31), "dd/mm/yyyy"), (100000, "0E+00"), (0.5, "0%")]
    assert run(office, give, write(office, keys)).status == 0
    shown = ["HD-12", "1,234", "31/12/2024", "1E+05", "50%", "HD-13"]
    office.write([ticket(line, Ticket=key) for line, key in enumerate(shown, 2)])
    result = run(office, give, office.source)
    assert office.sandbox.posts == 6
    assert result.json["created_now"] == 1


def test_r19_a_sheet_that_is_joined_to_another_has_the_same_tickets(office: Office, give: Give) -> None:
    """The byte order mark of the second file is before a key in quotation marks, which is the known one."""
    office.write([ticket(2), ticket(3)])
    assert run(office, give, office.source).status == 0
    office.write([ticket(2), ticket(3), ticket(4)])
    head, first, second, *others = office.source.read_text("utf-8").splitlines()
    key, rest = second.split(",", 1)
    lines = [head, first, f'\ufeff"{key}",{rest}', *others]
    office.source.write_text("\n".join(lines) + "\n", "utf-8")
    assert run(office, give, office.source).json["created_now"] == 1
    assert office.sandbox.posts == 3


MISREAD = [
    ("Ní 1", "N° 1"),
    ("N¡ 1", "N° 1"),
    ("1¼ piso", "1º piso"),
    ("Petición 1", "PeticiÃ³n 1"),
    ("PeticiÛn 1", "Petición 1"),
    ("20 ¤", "20 €"),
]
"""Texts of the same bytes in two encodings."""


@pytest.mark.parametrize("order", [1, -1], ids=["one way", "the other way round"])
def test_r19_a_key_in_a_wrong_encoding_is_no_second_case(office: Office, give: Give, order: int) -> None:
    """A key that is another one by the encoding alone is an issue; it says both readings and what to do."""
    pairs = {str(number): pair[::order] for number, pair in enumerate(MISREAD)}
    assert run(office, give, write(office, [first for first, _ in pairs.values()], pairs), SEVERAL).status == 0
    result = run(office, give, write(office, [second for _, second in pairs.values()], pairs), SEVERAL)
    similar = [reason for reason in result.json["reasons"] if reason["code"] == "key-similar"]
    assert len(similar) == len(pairs)
    assert office.sandbox.posts == len(pairs)
    first, second = pairs["0"]
    assert f"'0 · {second}' may be the key that was imported before as '0 · {first}'" in similar[0]["message"]
    assert "source.encoding" in similar[0]["remedy"]


def test_r19_two_weeks_of_a_file_whose_encoding_is_guessed_otherwise_are_no_second_cases(
    office: Office, give: Give
) -> None:
    """What more rows say about the encoding does not make other tickets of the rows that were there before."""
    first = "Ticket,Correo,Asunto,Detalle,Estado,Prioridad\r\n1º piso,ana@example.com,a,b,Abierto,Alta\r\n"
    more = "2º piso,ana@example.com,Señal débil,Atención telefónica,Abierto,Alta\r\n"
    office.mapping.write_text(MAPPING.replace("  solution: {column: Solución}\n", ""), "utf-8")
    for content in (first, first + more):
        office.source.write_bytes(content.encode("mac_roman"))
        result = give(office.arguments("run", "--yes", "--json", "--same-tickets"))
    assert [reason["code"] for reason in result.json["reasons"]] == ["key-similar"]
    assert office.sandbox.posts == 2


def test_r19_a_key_of_another_row_that_would_be_one_in_another_encoding_is_its_own(office: Office, give: Give) -> None:
    """Where a sheet has both keys, they are two tickets."""
    assert run(office, give, write(office, ["TÉ-1", "N° 1"])).status == 0
    assert run(office, give, write(office, ["TÉ-1", "N° 1", "TÚ-1", "Ní 1"])).status == 0
    assert office.sandbox.posts == 4


def test_r19_distinct_tickets_of_one_sheet_are_distinct(office: Office, give: Give) -> None:
    """Numbers with different words, sections of a list and dates a day apart are not other spellings of anything."""
    keys: list[Shown] = [
        *("HD-12", "INC-12", "12", "HD-13", "1.1", "1.10", "1.2.3", "2026-12", "12-2026", "E5", "3E", "T/1", "T-1-2"),
        *("03/04/2026", "04/03/2026", "192.168.1.1", "10%", "A1", "A10", "2026/001", "1/2", "a", "b", "-"),
    ]
    result = run(office, give, write(office, keys))
    assert (result.status, office.sandbox.posts) == (0, len(keys))
    again = run(office, give, write(office, [*keys, "1.11", "1.100", "HD-120", "INC-13", "05/03/2026", "13"]))
    assert (again.status, office.sandbox.posts) == (0, len(keys) + 6)


def test_r19_the_issue_shows_both_spellings(office: Office, give: Give) -> None:
    """The person sees the key as it is now and as it was imported before."""
    run(office, give, write(office, ["1234", (1234567, "#,##0,")]))
    result = run(office, give, write(office, ["1.234", "1,235"]))
    messages = [reason["message"] for reason in result.json["reasons"]]
    assert ("'1.234'" in messages[0], "'1234'" in messages[0]) == (True, True)
    assert messages[1] == "Ticket '1,235' is nearly the same as a key that was imported before, or another form of it"


def test_a_row_with_a_similar_key_stays_an_issue(office: Office, give: Give) -> None:
    """It is not sent by a second run either, whose journal knows it; once the other row is gone, it is."""
    office.write([ticket(1, Ticket="1234567")])
    assert give(office.arguments("run", "--yes")).status == 0
    twice = [ticket(2, Ticket="80"), ticket(3, Ticket="080")]
    office.write([ticket(1, Ticket="1,234,567"), *twice])
    results = [give(office.arguments("run", "--yes", "--json")).json for _ in range(2)]
    assert [result["counts"]["invalid"] for result in results] == [3, 3]
    assert office.sandbox.posts == 1
    office.write(twice[:1])
    assert give(office.arguments("run", "--yes")).status == 0
    assert office.sandbox.posts == 2


def test_r19_a_key_of_several_columns_is_compared_as_one(office: Office, give: Give) -> None:
    """One part that is shown differently is enough, and other parts still distinguish rows."""
    mapping = MAPPING.replace("key: Ticket", "key: [Ticket, Detalle]")
    office.mapping.write_text(mapping, "utf-8")
    office.write([ticket(1, Ticket="1234", Detalle="31/12/2024"), ticket(2, Ticket="1234", Detalle="30/12/2024")])
    assert give(office.arguments("run", "--yes")).status == 0
    office.write([ticket(1, Ticket="1,234", Detalle="2024-12-31"), ticket(2, Ticket="1234", Detalle="2024-12-29")])
    result = give(office.arguments("run", "--yes", "--json"))
    assert [(reason["row"], reason["code"]) for reason in result.json["reasons"]] == [(2, "key-similar")]
    assert office.sandbox.posts == 3


# ------------------------------------------------------------------------------------------------ properties

NUMBERS = st.integers(0, 10**12)
DAYS = st.dates(date(1951, 1, 1), date(2098, 12, 31))


def forms(cell: Cell) -> set[str]:
    """Return everything that a cell's key may be compared by."""
    text = canonical(cell)
    return {loose(text), *(other.parts[0] for other in spellings([cell], [text]))}


@given(NUMBERS)
def test_every_way_to_show_a_whole_number_means_it(number: int) -> None:
    """Grouped, prefixed, with zeros, in full width: all share a form with the number."""
    wide = str(number).translate({ord(str(digit)): chr(0xFF10 + digit) for digit in range(10)})
    shown = [f"{number:,}", f"{number:,}".replace(",", "."), f"{number:,}".replace(",", " "), f"'{number}", wide]
    assert all(str(number) in forms(text) for text in (*shown, f"00{number}", f"{number}.0", f"{number},00"))
    assert str(number) in forms(Typed(f"HD-{number}", number, '"HD-"0'))


@given(st.decimals(min_value="0.01", max_value=10**9, places=2))
def test_every_way_to_show_a_fraction_means_it(number: object) -> None:
    """A decimal comma and grouped thousands are forms of the same fraction."""
    english = f"{number:,}"
    spanish = english.translate({ord(","): ".", ord("."): ","})
    plain = forms(str(number))
    assert plain & forms(english)
    assert plain & forms(spanish)


@given(DAYS)
def test_every_way_to_show_a_day_means_it(day: date) -> None:
    """ISO, with slashes, with midnight, as a spreadsheet's number and as a typed cell: one form in common."""
    texts = [day.isoformat(), f"{day:%d/%m/%Y}", f"{day:%d-%m-%Y}", f"{day.isoformat()} 00:00:00", f"{day:%d.%m.%Y}"]
    serial = str((day - date(1899, 12, 30)).days)
    cells: list[Cell] = [*texts, serial, Typed(f"{day:%b-%y}", day, "mmm-yy"), Typed(texts[1], day, "dd/mm/yyyy")]
    assert all(forms(one) & forms(other) for one, other in combinations(cells, 2))
    assert {loose(text) for text in texts[:4]} <= {
        loose(each[0]) for each in elaborate_spellings([serial], all_of_them=True)
    }


@given(st.text(max_size=30))
def test_what_programs_add_is_forgotten(text: str) -> None:
    """Whatever the text, an unadorned loose form lacks what `loose` drops, and invisible characters anywhere in it."""
    plain = loose(unadorned(text))
    assert loose(unadorned(plain)) == plain
    assert loose(unadorned("\u200b".join(text))) == plain
    assert loose(unadorned(f"\ufeff{text}\u00ad")) == plain


@given(st.text(max_size=60) | st.from_regex(r"[-+0-9.,'/: eE%$]{1,45}", fullmatch=True))
def test_no_text_is_too_odd_to_be_a_key(text: str) -> None:
    """Every text has a few other spellings or none, and never itself."""
    key = canonical(text)
    others = spellings([text], [key])
    assert len(others) <= 16
    assert loose(key) not in {other.parts[0] for other in others}
    assert len(list(elaborate_spellings([key], all_of_them=True))) < 60


@given(st.lists(st.sampled_from(["1234", "1.234", "1,234", "HD-1", "2024-12-31", "31/12/2024", "x"]), max_size=8))
def test_a_book_finds_the_rows_whose_keys_have_a_form_in_common(texts: list[str]) -> None:
    """Over one sheet the answers are those of comparing every two rows."""
    import pandas as pd  # noqa: PLC0415 - here alone

    frame = pd.DataFrame({"K": texts}, index=range(2, len(texts) + 2), dtype=object)
    book = KeyIndex()
    book.add(list(frame.index), keys_in(frame, ["K"]))
    near = {
        row: tuple(other for other, its in enumerate(texts, 2) if its != text and forms(text) & forms(its))
        for row, text in enumerate(texts, 2)
    }
    assert book.similar() == {row: others for row, others in near.items() if others}


def test_a_negative_number_is_also_what_its_format_shows() -> None:
    """A journal of the version before kept no other spelling of the text (12), so the number has it."""
    forms = [form.parts for form in spellings([Typed("-12", -12, "0;(0)")], ["-12"])]
    assert ("(12)",) in forms


def test_bare_spellings_are_not_compared_with_one_another() -> None:
    """Cells whose formats add different words are not similar just because their numbers are equal."""
    book = KeyIndex()
    cells = [Typed("HD-12", 12, '"HD-"0'), Typed("INC-12", 12, '"INC-"0'), "12"]
    parts = [(canonical(cell),) for cell in cells]
    book.add(
        [2, 3, 4],
        Keys.of(parts, {at: spellings([cell], key) for at, (cell, key) in enumerate(zip(cells, parts, strict=True))}),
    )
    assert book.similar() == {2: (4,), 3: (4,), 4: (2, 3)}
