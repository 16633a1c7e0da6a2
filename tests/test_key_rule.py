"""The rule for keys is recorded with its import, and a changed rule is refused before anything is sent."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from contextlib import closing

import pytest
from openpyxl import load_workbook
from run_support import HEADER, MAPPING, Give, Office, Result, ticket

FECHAS = (*HEADER, "Fecha", "Folio")
KEY = "key: Ticket"


def row(number: int, **changed: str) -> dict[str, str]:
    """Return a row with two more columns that could be keys."""
    return ticket(number, **{"Fecha": f"{number:02}/03/2026", "Folio": f"F-{number}"} | changed)


def run(office: Office, give: Give, *more: str, key: str = KEY) -> Result:
    """Run with a key, given as lines of the mapping; a field uses the dates, too."""
    text = (
        MAPPING.replace(KEY, key)
        .replace(", closed: [Cerrado]", "")
        .replace("  solution: {column: Solución}\n", "")
        .replace("reference: description", "  Fecha: {column: Fecha}\nreference: description")
    )
    office.mapping.write_text(text, "utf-8")
    return give(office.arguments("run", "--yes", "--json", *more))


def recorded(office: Office) -> dict[str, object]:
    """Return the rule that the journal has."""
    with closing(sqlite3.connect(office.journal)) as journal:
        (written,) = journal.execute("SELECT key_rule FROM imports").fetchone()
    rule: dict[str, object] = json.loads(written)
    return rule


def forget_the_rule(office: Office) -> None:
    """Turn the journal into one of a version that recorded no rule."""
    with closing(sqlite3.connect(office.journal)) as journal, journal:
        journal.execute("UPDATE imports SET key_rule = NULL")


CHANGES = {
    "added": (KEY, "key: [Ticket, Fecha]", "Ticket", "Ticket, Fecha"),
    "replaced": (KEY, "key: Folio", "Ticket", "Folio"),
    "reordered": ("key: [Ticket, Fecha]", "key: [Fecha, Ticket]", "Ticket, Fecha", "Fecha, Ticket"),
    "removed": ("key: [Ticket, Fecha]", KEY, "Ticket, Fecha", "Ticket"),
    "to content": (KEY, "key: content", "Ticket", "content"),
    "from content": ("key: content", KEY, "content", "Ticket"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_r18_a_changed_key_is_refused_with_both_named(office: Office, give: Give, change: str) -> None:
    """Recorded or not, the old key is named with the new one, the rows of each and what to do; nothing is sent."""
    before, after, was, now = CHANGES[change]
    office.write([row(1), row(2), row(3)], FECHAS)
    assert run(office, give, key=before).status == 0
    office.write([row(1), row(2), row(3), row(4)], FECHAS) if change != "from content" else None
    for forget in (None, forget_the_rule):
        if forget:
            forget(office)
        refused = run(office, give, key=after)
        assert (refused.status, office.sandbox.posts) == (2, 3)
        assert f"was {was}, and in the mapping it is now {now}." in refused.err
        assert "3 rows are known by the old key and 0 by the new one" in refused.err
        assert "import name" in refused.err
    if change != "to content":
        back = run(office, give, key=before)
        assert (back.status, office.sandbox.posts) == (0, 3 if change == "from content" else 4)


def test_r18_the_rule_is_recorded_with_the_first_run(office: Office, give: Give) -> None:
    """The journal knows the columns of the key in their order, how the source is read, and the rule's version."""
    office.write([row(1)], FECHAS)
    run(office, give, key="key: [Fecha, Ticket]\n  encoding: utf-8")
    reading = {"encoding": "utf-8", "delimiter": None, "merged": "first"}
    columns = ["Fecha", "Ticket"]
    assert recorded(office) == {
        "kind": "key", "columns": columns, "reading": reading, "spellings": True, "version": "key-1"
    }  # fmt: skip


def test_r18_a_renamed_header_is_the_same_key_where_it_names_the_same_rows(office: Office, give: Give) -> None:
    """Rows that are known by the new name prove it: the rest is sent, and the new rule applies from then on."""
    office.write([row(1), row(2)], FECHAS)
    run(office, give)
    header = ["Nro", *FECHAS[1:]]
    renamed = [{"Nro" if name == "Ticket" else name: cell for name, cell in row(each).items()} for each in (1, 2, 3)]
    office.write(renamed, header)
    result = run(office, give, key="key: Nro")
    assert (result.json["created_now"], office.sandbox.posts) == (1, 3)
    assert recorded(office)["columns"] == ["Nro"]
    office.write([row(1), row(2)], FECHAS)
    assert run(office, give, key="key: TICKET").status == 0  # the old header, whose rows are known by it, too
    assert (office.sandbox.posts, recorded(office)["columns"]) == (3, ["Ticket"])


def test_r18_a_renamed_header_with_new_rows_alone_is_refused(office: Office, give: Give) -> None:
    """If no row is known by the new key, there is no proof that it is the same."""
    office.write([row(1), row(2)], FECHAS)
    run(office, give)
    renamed = {"Nro" if name == "Ticket" else name: cell for name, cell in row(3).items()}
    office.write([renamed], ["Nro", *FECHAS[1:]])
    refused = run(office, give, key="key: Nro")
    assert (refused.status, office.sandbox.posts) == (2, 2)
    assert "was Ticket, and in the mapping it is now Nro" in refused.err


def test_r18_another_column_with_equal_values_is_the_same_key(office: Office, give: Give) -> None:
    """A key is its values: the column may be replaced by its copy, but not by one that identifies other rows."""
    office.write([row(1, Folio="1"), row(2, Folio="2")], FECHAS)
    run(office, give)
    office.write([row(1, Folio="1"), row(2, Folio="2"), row(3, Folio="4")], FECHAS)
    assert run(office, give, key="key: Folio").status == 0
    assert (office.sandbox.posts, recorded(office)["columns"]) == (3, ["Folio"])
    office.write([row(1, Folio="1"), row(5, Folio="2"), row(2, Folio="7")], FECHAS)
    refused = run(office, give)
    assert (refused.status, office.sandbox.posts) == (2, 3)
    assert "2 rows are known by the old key and 2 by the new one" in refused.err


def test_r18_a_header_in_capitals_is_the_same_rule(office: Office, give: Give) -> None:
    """The mapping may spell a header differently; that is not another key."""
    office.write([row(1)], FECHAS)
    run(office, give)
    office.write([row(1), row(2)], FECHAS)
    assert run(office, give, key="key: TICKET").status == 0
    assert office.sandbox.posts == 2


def accented(office: Office, numbers: Iterable[int], encoding: str) -> None:
    """Write a sheet whose keys have accents, in an encoding."""
    office.write([row(number, Ticket=f"Petición {number}") for number in numbers], FECHAS)
    office.source.write_text(office.source.read_text("utf-8"), encoding)


def test_r18_an_encoding_that_reads_keys_otherwise_is_another_key(office: Office, give: Give) -> None:
    """The same file under another encoding has other keys, and is refused; one that reads the same keys is not."""
    accented(office, [1, 2], "utf-8")
    assert run(office, give).status == 0
    refused = run(office, give, key=f"{KEY}\n  encoding: cp1252")
    assert (refused.status, office.sandbox.posts) == (2, 2)
    assert "source.encoding: cp1252" in refused.err
    assert "2 rows are known by the old key and 0 by the new one" in refused.err
    assert run(office, give, key=f"{KEY}\n  encoding: utf-8").status == 0
    assert recorded(office)["reading"] == {"encoding": None, "delimiter": None, "merged": "first"}
    accented(office, [1, 2, 3], "cp1252")
    assert run(office, give, key=f"{KEY}\n  encoding: cp1252").status == 0
    assert office.sandbox.posts == 3


def test_r18_plain_keys_do_not_prove_an_encoding(office: Office, give: Give) -> None:
    """Some keys without accents are known under both encodings; those with accents are not: refused."""
    rows = [row(1), row(2, Ticket="Petición 2")]
    office.write(rows, FECHAS)
    run(office, give)
    refused = run(office, give, key=f"{KEY}\n  encoding: cp1252")
    assert (refused.status, office.sandbox.posts) == (2, 2)
    assert "2 rows are known by the old key and 1 by the new one" in refused.err


def test_r18_the_contents_of_one_file_read_otherwise_are_other_keys(office: Office, give: Give) -> None:
    """Under `key: content` the file is the same, but read in another encoding its rows are not."""
    accented(office, [1, 2], "utf-8")
    assert run(office, give, key="key: content").status == 0
    refused = run(office, give, key="key: content\n  encoding: cp1252")
    assert (refused.status, office.sandbox.posts) == (2, 2)


def test_r18_a_report_given_back_does_not_make_the_content_the_key(office: Office, give: Give) -> None:
    """Rows of a report are known by their references, which show nothing about their keys."""
    office.write([row(1), row(2)], FECHAS)
    run(office, give)
    for older in (False, True):
        if older:
            forget_the_rule(office)
        office.mapping.write_text(office.mapping.read_text("utf-8").replace(KEY, "key: content"), "utf-8")
        report = office.arguments("run", "--yes", "--json")
        report[1] = str(office.report)
        refused = give(report)
        assert (refused.status, office.sandbox.posts) == (2, 2), refused.err
    assert run(office, give).status == 0


def test_r18_a_report_of_an_import_without_a_key_goes_on(office: Office, give: Give) -> None:
    """A report given back under `key: content` is known by its references, whatever the options of the source."""
    office.write([row(1), row(2, Correo="nobody")], FECHAS)
    run(office, give, key="key: content")
    book = load_workbook(office.report)
    book["Report"]["G3"] = "cliente2@example.com"
    book.save(office.report)
    office.mapping.write_text(
        office.mapping.read_text("utf-8").replace("key: content", "key: content\n  encoding: cp1252"), "utf-8"
    )
    report = office.arguments("run", "--yes", "--json")
    report[1] = str(office.report)
    assert give(report).status == 0
    assert office.sandbox.posts == 2


def test_r18_an_older_journal_takes_the_rule_of_a_known_mapping(office: Office, give: Give) -> None:
    """The mapping that made the rows, or known rows, show what the rule is: no question is asked."""
    office.write([row(1), row(2)], FECHAS)
    run(office, give)
    forget_the_rule(office)
    office.write([row(3)], FECHAS)
    assert run(office, give).status == 0  # no row is known, the mapping is
    forget_the_rule(office)
    office.write([row(1), row(4)], FECHAS)
    office.mapping.write_text(office.mapping.read_text("utf-8") + "# edited\n", "utf-8")
    assert give(office.arguments("run", "--yes", "--json")).status == 0  # the mapping is not, a row is
    assert recorded(office)["columns"] == ["Ticket"]
    assert recorded(office)["spellings"] is False
    assert office.sandbox.posts == 4


def test_r18_an_older_journal_whose_rows_never_had_the_columns_of_the_key(office: Office, give: Give) -> None:
    """Neither the mapping nor the rows are known, and no row was ever made from that column: another key."""
    office.write([row(1), row(2)], FECHAS)
    run(office, give)
    forget_the_rule(office)
    office.write([row(7), row(8)], FECHAS)
    refused = run(office, give, key="key: Folio")
    assert (refused.status, office.sandbox.posts) == (2, 2)
    assert "it is now Folio" in refused.err


def test_r18_an_import_that_created_nothing_may_change_its_key(office: Office, give: Give) -> None:
    """Rows that were never sent cannot become second cases."""
    office.write([row(1, Correo="nobody")], FECHAS)
    assert run(office, give).status == 1
    office.write([row(1)], FECHAS)
    assert run(office, give, key="key: [Ticket, Fecha]").status == 0
    assert office.sandbox.posts == 1
    assert recorded(office)["columns"] == ["Ticket", "Fecha"]


def test_r18_an_encoding_that_reads_new_rows_alike_is_no_other_key(office: Office, give: Give) -> None:
    """If both rules give every row the same key, no known row is needed as proof, and nothing is recorded."""
    accented(office, [1], "utf-8")
    assert run(office, give).status == 0
    accented(office, [2], "utf-8")
    assert run(office, give, key=f"{KEY}\n  encoding: utf-8").status == 0
    assert office.sandbox.posts == 2
    assert recorded(office)["reading"] == {"encoding": None, "delimiter": None, "merged": "first"}
