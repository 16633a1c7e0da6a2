"""Keys that differ in what separates their letters and numbers: an issue, and never silently a second case."""

from __future__ import annotations

from collections.abc import Sequence
from string import ascii_lowercase

from hypothesis import given
from hypothesis import strategies as st
from run_support import MAPPING, Give, Office, Result, ticket

from importer.text import loose
from importer.workflow.keys.separators import separated_otherwise, unseparated

RESPELT = {
    "INC-001": ("INC001", "INC 001", "INC_001", "INC.001", "INC/001", "INC#001", "inc 1"),
    "INC001": ("INC-1", "Inc-001"),
    "2026-000123": ("2026000123", "2026/000123"),
    "2026000123": ("2026-000123",),
    "RAD-2026-15": ("RAD 2026-15", "RAD2026/15", "RAD_2026_15"),
    "PQR-15/2026": ("PQR-15-2026", "PQR 15/2026"),
    "900.123.456-7": ("9001234567", "900123456-7"),
    "9001234567": ("900.123.456-7",),
    "N° 15": ("No. 15", "15", "#15", "Nº 15", "Nro. 15"),
    "#35436": ("35436",),
}
"""Keys, and how they are spelt in another week."""

FIRST = ("INC-001", "1-11", "31", "312", "12.5", "A-B-1", "ana.ruiz@correo.example", "2026-15")
SECOND = ("INC-1001", "PQR-001", "11-1", "111", "31-2", "125", "AB-1", "anaruiz@correo.example", "20261-5")
"""Keys of different tickets, in two weeks."""


def run(office: Office, give: Give, keys: Sequence[str], subjects: Sequence[str]) -> Result:
    """Import a sheet with these keys; each subject has its own tickets."""
    office.mapping.write_text(MAPPING.replace("key: Ticket", "key: [Asunto, Ticket]"), "utf-8")
    pairs = zip(keys, subjects, strict=True)
    office.write([ticket(number, Ticket=key, Asunto=subject) for number, (key, subject) in enumerate(pairs, 1)])
    return give(office.arguments("run", "--yes", "--json", "--same-tickets"))


def test_r19_a_key_with_other_separators_is_no_second_case(office: Office, give: Give) -> None:
    """In a sheet that has the known key no more, its other spelling is an issue that shows both."""
    pairs = [(known, other) for known, others in RESPELT.items() for other in others]
    subjects = list(ascii_lowercase[: len(pairs)])
    assert run(office, give, [known for known, _other in pairs], subjects).status == 0
    result = run(office, give, [*(other for _known, other in pairs), "control"], [*subjects, "control"])
    assert office.sandbox.posts == len(pairs) + 1
    similar = {reason["row"] for reason in result.json["reasons"] if reason["code"] == "key-similar"}
    assert len(similar) + result.json["counts"]["created"] == len(pairs) + 1


def test_r19_keys_of_one_sheet_that_differ_in_a_hyphen_are_an_issue_of_both_rows(office: Office, give: Give) -> None:
    """INC-001 and INC001 in one sheet: it is unclear which of the two is meant, so neither is sent."""
    result = run(office, give, ["INC-001", "INC001", "INC 2", "INC_2", "INC-3"], ["one"] * 5)
    assert [reason["row"] for reason in result.json["reasons"] if reason["code"] == "key-similar"] == [2, 3, 4, 5]
    assert office.sandbox.posts == 1


def test_r19_numbers_that_a_separator_divides_are_other_tickets(office: Office, give: Give) -> None:
    """1-11 is not 11-1 or 111, a part of ticket 31 is not ticket 312, and points divide addresses."""
    assert run(office, give, FIRST, ["one"] * len(FIRST)).status == 0
    assert run(office, give, SECOND, ["one"] * len(SECOND)).status == 0
    assert office.sandbox.posts == len(FIRST) + len(SECOND)


def test_r19_a_key_beside_the_one_that_it_may_be_is_its_own(office: Office, give: Give) -> None:
    """Where the known key is still in the sheet, 2026/15 beside 2026-15 is a ticket of its own."""
    assert run(office, give, ["2026-15", "7"], ["one"] * 2).status == 0
    assert run(office, give, ["2026-15", "2026/15", "#8"], ["one"] * 3).status == 0
    assert office.sandbox.posts == 4


@given(st.text(alphabet="aB1290-./# °ñ", max_size=14) | st.text(max_size=14))
def test_another_spelling_of_a_key_differs_from_it(text: str) -> None:
    """Whatever the key, no spelling that the loose comparison takes for the key itself is looked up, and few are."""
    others = [loose(*other) for other in separated_otherwise([text])]
    assert loose(text) not in others
    assert len(others) <= 40


@given(st.from_regex("[A-Za-zÁñç]{1,4}", fullmatch=True), st.from_regex("[0-9]{1,6}", fullmatch=True))
def test_what_separates_a_letter_from_a_number_is_no_part_of_a_key(word: str, number: str) -> None:
    """Whatever stands between them, or nothing, they are compared as one key, in either order."""
    for first, second in ((word, number), (number, word)):
        forms = {unseparated(f"{first}{mark}{second}") for mark in ("", "-", " ", " - ", "/", ".", "_", "#", ": ")}
        assert len(forms) == 1
