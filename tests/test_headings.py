"""A column keeps its name in the journal, whatever its heading is: no second case, and no row that looks edited."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from mapping_support import HEAD, bound, faults, frame, loaded, written
from run_support import HEADER, MAPPING, Give, Office, ticket

from importer.errors import MappingError
from importer.mapping import Headings, draft

OTHERS = {"Correo": ["E-mail", "Correo electrónico"]}


@pytest.mark.parametrize(
    ("columns", "name", "found"),
    [
        (["Correo", "correo"], "Correo", ["Correo"]),  # as written wins
        (["CORREO", "correo"], "Correo", ["CORREO", "correo"]),
        (["N° de  Radicación"], "n° de radicacion", ["N° de  Radicación"]),
        (["Fechaapertura"], "Fecha apertura", ["Fechaapertura"]),
        (["Fecha\napertura "], "Fecha apertura", ["Fecha\napertura "]),
        (["Fecha\u00a0apertura"], "Fecha apertura", ["Fecha\u00a0apertura"]),
        (["E-MAIL"], "Correo", ["E-MAIL"]),
        (["E-mail"], "correo electronico", ["E-mail"]),  # any of the headings means the column
        (["E-mail", "Correo electrónico"], "Correo", ["E-mail", "Correo electrónico"]),
        (["E-mail", "Correo"], "Correo", ["Correo"]),  # the mapping's own name wins
        (["Teléfono"], "Correo", []),
    ],
)
def test_a_name_means_the_column_that_is_written_alike(columns: list[str], name: str, found: list[str]) -> None:
    """Case, accents and white space do not matter; what is written exactly wins, and then the mapping's own name."""
    assert list(Headings(columns, OTHERS).alike(name)) == found


@pytest.mark.parametrize(
    ("columns", "names", "recorded"),
    [
        (["E-mail"], ["Correo"], {"E-mail": "Correo"}),
        (["E-mail"], ["Correo", "Correo electrónico"], {"E-mail": "Correo"}),
        (["CORREO"], ["Correo"], {"CORREO": "CORREO"}),  # as ever: either spelling finds it
        (["Fechaapertura"], ["Fecha apertura"], {"Fechaapertura": "Fecha apertura"}),
        (["E-mail", "Correo"], ["Correo", "E-mail"], {"E-mail": "E-mail", "Correo": "Correo"}),
    ],
)
def test_a_column_is_recorded_under_the_mappings_own_name(
    columns: list[str], names: list[str], recorded: Mapping[str, str]
) -> None:
    """A renamed column keeps its name; two columns of a sheet never share one."""
    headings = Headings(columns, OTHERS, names)
    assert {column: headings.recorded(column) for column in columns} == recorded


def test_two_headings_of_one_column_are_a_fault_that_names_both(tmp_path: Path) -> None:
    """Where the sheet has two columns that may be meant, nothing is guessed; a heading belongs to one column."""
    text = HEAD.replace("{key: Id}", "{key: Id, headings: {Correo: [E-mail, Mail]}}").replace(
        "ana@example.com", "{column: Correo}"
    )
    with pytest.raises(Exception, match="'Correo' may mean any of 'E-mail', 'Mail'"):
        bound(loaded(tmp_path, text), frame({"Id": ["1"], "E-mail": ["a@b.co"], "Mail": ["a@b.co"]}))
    twice = HEAD.replace("{key: Id}", "{key: Id, headings: {Correo: [E-mail], Copia: [e-MAIL]}}")
    assert faults(tmp_path, twice) == ["3:56: source.headings.Copia[1]: 'e-MAIL' is already a header of 'Correo'"]


_RENAMED = "If a header was renamed after its rows were sent, leave the name in the mapping as it is, and write"


def _hint(folder: Path, source: str, columns: str) -> list[str]:
    """Return what is said of the missing columns of a mapping, without where it is said."""
    fields = HEAD.replace("ana@example.com", "{column: Correo}").replace(
        "description: words", 'description: {template: "{Correo} {Detalle}"}'
    )
    with pytest.raises(MappingError) as caught:
        bound(loaded(folder, fields.replace("{key: Id}", source)), frame({name: [] for name in columns.split(", ")}))
    return [fault.message for fault in caught.value.faults]


@pytest.mark.parametrize(
    ("source", "columns", "line"),
    [
        ("{key: Id}", "Id, E-mail, Detalle, Otra", "headings: {Correo: [E-mail]}"),
        ("{key: Id}", "Id, E-mail, Detalles, Otra", "headings: {Correo: [E-mail], Detalle: [Detalles]}"),
        ("{key: Id, headings: {Correo: Mail, Id: [No]}}", "Id, E-mail, Detalle",
         "headings: {Correo: [Mail, E-mail], Id: [No]}"),
        ("{key: Id}", "Id, Zona, Detalle", "headings: {Correo: […]}"),  # nothing is like it: a person writes it
        ("{key: Id}", "Id, 'E-mail: 1', Detalle", "headings: {Correo: [\"'E-mail: 1'\"]}"),
    ],
)  # fmt: skip
def test_a_missing_column_is_proposed_another_heading(tmp_path: Path, source: str, columns: str, line: str) -> None:
    """The last missing column says which line of `source` names the renamed headers, with those that it has already."""
    *others, last = _hint(tmp_path, source, columns)
    assert f"{_RENAMED} under `source`: `{line}`." in last
    assert not any("headings" in message for message in others)


def test_no_heading_is_proposed_where_none_is_left(tmp_path: Path) -> None:
    """Where the mapping uses every column of the sheet, none of them can be the missing one."""
    assert (
        _hint(tmp_path, "{key: Id}", "Id, Detalle")
        == ["the sheet has no column 'Correo'; possible values: Id, Detalle"] * 2
    )


def test_a_draft_keeps_decisions_under_another_heading(tmp_path: Path) -> None:
    """`draft --like` knows both headings, and keeps them."""
    text = HEAD.replace("{key: Id}", "{key: Id, headings: {Correo: [E-mail]}}").replace(
        "ana@example.com", "{column: Correo, type: email}"
    )
    like = written(tmp_path, text, "antes.yml")
    sheet = frame({"Id": ["1", "2"], "E-MAIL": ["a@b.co", "c@d.co"]})
    kept = yaml.safe_load(draft(list(sheet.columns), [sheet], "nuevo", like=like))
    assert kept["source"] == {"headings": {"Correo": ["E-mail"]}, "key": "Id"}
    assert kept["fields"]["contact"] == {"column": "Correo", "type": "email"}


RENAMED = {
    "a different header": ("Correo", "E-mail"),
    "of a text": ("Detalle", "Descripción del caso"),
    "of the key": ("Ticket", "N° de caso"),
    "capitals": ("Correo", "CORREO"),
    "white space": ("Solución", "  Solu ción"),
}


@pytest.mark.parametrize("renamed", RENAMED)
def test_the_next_week_with_another_heading_sends_nothing_again(office: Office, give: Give, renamed: str) -> None:
    """Rows are known, none looks edited, and a row that is edited is still found to be."""
    own, heading = RENAMED[renamed]
    office.write([ticket(1), ticket(2)])
    assert give(office.arguments("run", "--yes", "--json")).json["counts"]["created"] == 2
    key = f"key: Ticket\n  headings: {{{own}: {heading.strip()}}}"
    if renamed not in {"capitals", "white space"}:
        office.mapping.write_text(MAPPING.replace("key: Ticket", key), "utf-8")

    def week(*rows: Mapping[str, str]) -> dict[str, int]:
        header = [heading if name == own else name for name in HEADER]
        office.write([{heading if name == own else name: cell for name, cell in row.items()} for row in rows], header)
        counts: dict[str, int] = give(office.arguments("run", "--yes", "--json")).json["counts"]
        return counts

    again = week(ticket(1), ticket(2), ticket(3))
    assert (again["created"], again["created_now"], again["changed"]) == (3, 1, 0)
    edited = week(ticket(1), ticket(2, Detalle="otro texto"), ticket(3, Detalle="otro texto"))
    assert (edited["created"], edited["created_now"], edited["changed"]) == (3, 0, 2)


def test_the_week_after_with_the_first_heading_sends_nothing_again(office: Office, give: Give) -> None:
    """Both headings are known: what was recorded under either sheet is the same."""
    both = MAPPING.replace("key: Ticket", "key: Ticket\n  headings: {Ticket: Caso, Correo: E-mail}")
    office.write([ticket(1)])
    office.mapping.write_text(both, "utf-8")
    header = [{"Ticket": "Caso", "Correo": "E-mail"}.get(name, name) for name in HEADER]
    sheets = [(HEADER, [1]), (header, [1, 2]), (HEADER, [1, 2, 3])]
    for names, numbers in sheets:
        rows = [dict(zip(names, ticket(number).values(), strict=True)) for number in numbers]
        office.write(rows, names)
        result = give(office.arguments("run", "--yes", "--json"))
        assert (result.status, result.json["counts"]["created_now"], result.json["counts"]["changed"]) == (0, 1, 0)


def test_the_last_line_of_a_case_is_compared_under_its_recorded_name(office: Office, give: Give) -> None:
    """`take: last` has a column of its own in the content, which a different header does not rename."""
    text = MAPPING.replace("key: Ticket", "key: Ticket\n  group: Ticket\n  headings: {Estado: Situación}").replace(
        "allowed: [Abierto, Cerrado]", "take: last, allowed: [Abierto, Cerrado]"
    )
    office.write([])
    office.mapping.write_text(text, "utf-8")
    for heading in ("Estado", "Situación", "Estado"):
        header = [heading if name == "Estado" else name for name in HEADER]
        rows = [ticket(1, Estado="Cerrado"), ticket(1, Estado="Abierto")]
        office.write([dict(zip(header, row.values(), strict=True)) for row in rows], header)
        counts = give(office.arguments("run", "--yes", "--json")).json["counts"]
        assert (counts["created"], counts["changed"]) == (1, 0)


def _week(office: Office, give: Give, renamed: Mapping[str, str], *rows: Mapping[str, str]) -> dict[str, Any]:
    """Import a sheet with renamed headers by a mapping that was edited to name them."""
    text = MAPPING
    for own, heading in renamed.items():
        text = text.replace(f"column: {own}", f"column: {heading}").replace(f"key: {own}", f"key: {heading}")
    office.mapping.write_text(text, "utf-8")
    header = [renamed.get(name, name) for name in HEADER]
    office.write([{renamed.get(name, name): cell for name, cell in row.items()} for row in rows], header)
    found: dict[str, Any] = give(office.arguments("run", "--yes", "--json")).json
    return found


TWO = {"Correo": "E-mail", "Asunto": "Tema"}


@pytest.mark.parametrize("renamed", [{"Correo": "E-mail"}, TWO, {"Ticket": "Caso"}, {"Ticket": "Caso", **TWO}], ids=str)
def test_a_header_that_is_renamed_in_the_mapping_too_edits_no_row(
    office: Office, give: Give, renamed: dict[str, str]
) -> None:
    """A column whose recorded texts another one has now counts as renamed, and a note says so; true edits are found."""
    office.write([ticket(number) for number in range(1, 6)])
    assert give(office.arguments("run", "--yes", "--json")).status == 0
    again = _week(office, give, renamed, *(ticket(number) for number in range(1, 7)))
    counts = again["counts"]
    assert (counts["created"], counts["created_now"], counts["changed"]) == (6, 1, 0)
    line = ", ".join(f"{own}: [{heading}]" for own, heading in renamed.items())
    assert all(f"The column {own} is gone, and {heading} has" in str(again) for own, heading in renamed.items())
    assert "in 5 rows that were sent before" in str(again)
    assert all(f"{own}: [{heading}]" in line for own, heading in renamed.items())
    edited = ticket(2, Detalle="otro texto"), ticket(3, Correo="otro@example.com"), ticket(6, Correo="x@example.com")
    counts = _week(office, give, renamed, ticket(1), ticket(4), ticket(5), *edited)["counts"]
    assert (counts["created"], counts["created_now"], counts["changed"]) == (6, 0, 3)


def test_the_line_of_the_note_makes_the_columns_one(office: Office, give: Give) -> None:
    """With the proposed headings nothing is edited or noted, whatever the fields of the mapping call the columns."""
    office.write([ticket(1), ticket(2)])
    give(office.arguments("run", "--yes"))
    _week(office, give, TWO, ticket(1), ticket(2), ticket(3))
    key = "key: Ticket\n  headings: {Correo: [E-mail], Asunto: [Tema]}"
    office.mapping.write_text(office.mapping.read_text("utf-8").replace("key: Ticket", key), "utf-8")
    result = give(office.arguments("run", "--yes", "--json"))
    assert (result.status, result.json["counts"]["changed"]) == (0, 0)
    assert "is gone" not in result.out


def test_another_column_with_other_texts_is_not_the_one_that_is_gone(office: Office, give: Give) -> None:
    """A header that has what a vanished column had in a few rows only is another column: all rows are edited."""
    office.write([ticket(number) for number in range(1, 5)])
    give(office.arguments("run", "--yes"))
    other = [ticket(1), *(ticket(number, Asunto=f"Sede {number}") for number in range(2, 5))]
    again = _week(office, give, {"Asunto": "Tema"}, *other)
    assert again["counts"]["changed"] == 4
    assert "is gone" not in str(again)
