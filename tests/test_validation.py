"""Validation reports every fault of every row, once, in the column that a person would correct."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.model import FieldRule, Issue, Typed
from importer.validation import Validator

STATUS = FieldRule("status", "Estado", required=True, allowed=("Abierto", "Cerrado"), closed=("Cerrado",))
SOLUTION = FieldRule("solution", "Solución")


def judge(
    rules: Sequence[FieldRule],
    rows: Mapping[int, Mapping[str, object]],
    failed: Sequence[tuple[int, str]] = (),
    cells: Mapping[str, Sequence[object]] | None = None,
) -> tuple[Issue, ...]:
    """Validate rows of field values, by row number; unless given, the cells are the values' texts."""
    fields = pd.DataFrame(
        {rule.path: [row.get(rule.path) for row in rows.values()] for rule in rules}, index=list(rows), dtype=object
    )
    shown = {
        rule.column: ["" if row.get(rule.path) is None else str(row[rule.path]) for row in rows.values()]
        for rule in rules
        if rule.column
    }
    source = pd.DataFrame(cells or shown, index=list(rows), dtype=object)
    keys = pd.Series("", index=fields.index, dtype=object)
    return Validator(rules, ()).validate(fields, source, keys, {}, failed)


def locations(issues: Sequence[Issue]) -> list[tuple[int | None, str | None, str]]:
    """Return row, column and code of every issue."""
    return [(issue.row, issue.column, issue.code) for issue in issues]


def test_rows_without_a_fault_give_nothing() -> None:
    """A closed status with a solution, an open one without, and missing optional fields give no issue."""
    rows = {2: {"status": "Abierto"}, 5: {"status": "Cerrado", "solution": "Se cambió"}}
    assert judge([STATUS, SOLUTION], rows) == ()


def test_an_empty_frame_gives_nothing() -> None:
    """A sheet without rows has no issues."""
    assert judge([STATUS, SOLUTION], {}) == ()


@pytest.mark.parametrize(
    ("rule", "value", "code"),
    [
        (FieldRule("contact", "Correo", required=True), None, "required"),
        (FieldRule("priority", "Correo", allowed=("Alta", "Baja")), "alta", "not-allowed"),
        (FieldRule("priority", "Correo", allowed=("1", "2")), 3, "not-allowed"),
        (FieldRule("form.Canal", "Correo", allowed=("Web", "Chat")), ["Web", "Fax"], "not-allowed"),
        (FieldRule("form.Activo", "Correo", allowed=("true",)), False, "not-allowed"),
        (FieldRule("form.Tel", "Correo", min_length=7), {"type": "telephone", "value": "123"}, "too-short"),
        (FieldRule("contact", "Correo", kind="email"), "ana@", "bad-email"),
        (FieldRule("form.Subject", "Correo", max_length=5), "123456", "too-long"),
        (FieldRule("form.Subject", "Correo", min_length=5), "1234", "too-short"),
        (FieldRule("form.NIT", "Correo", pattern=r"\d{9}"), "1234567890", "bad-pattern"),
    ],
)
def test_a_broken_rule_is_an_issue_with_its_place(rule: FieldRule, value: object, code: str) -> None:
    """The issue has the row, the source column, the cell's text, a sentence and a remedy."""
    (issue,) = judge([rule], {4: {rule.path: value}})
    assert locations([issue]) == [(4, "Correo", code)]
    assert issue.value == ("" if value is None else str(value))
    assert "Correo" in issue.message
    assert issue.remedy


@pytest.mark.parametrize(
    ("rule", "value"),
    [
        (FieldRule("priority", "P", required=True, allowed=("1", "2")), 2),
        (FieldRule("form.Canal", "P", required=True, allowed=("Web", "Chat")), ["Web", "Chat"]),
        (FieldRule("form.Activo", "P", required=True), False),
        (FieldRule("form.Dir", "P", required=True), {"type": "address", "city": "Cali"}),
        (FieldRule("form.Subject", "P", max_length=5, min_length=5), "12345"),
        (FieldRule("form.NIT", "P", pattern=r"\d{9}|x"), "x"),
        (FieldRule("contact", "P", kind="email", max_length=3, allowed=("a",)), None),
    ],
)
def test_a_kept_rule_is_no_issue(rule: FieldRule, value: object) -> None:
    """Numbers, lists, objects, false and empty optional fields are accepted as what they are."""
    assert judge([rule], {4: {rule.path: value}}) == ()


@pytest.mark.parametrize("address", ["ana@x.co", "a.b+c@sub.empresa.com.co", "o'neil@x-y.org", "ana@compañía.co"])
def test_addresses_that_exist_pass(address: str) -> None:
    """Ordinary addresses, subdomains, plus signs, apostrophes and accented domains are valid."""
    assert judge([FieldRule("contact", "Correo", kind="email")], {2: {"contact": address}}) == ()


@pytest.mark.parametrize(
    "address",
    [
        "ana",
        "@x.co",
        "ana@x",
        "ana@x..co",
        "a na@x.co",
        "ana@x.co;eva@x.co",
        "ana@@x.co",
        ".ana@x.co",
        "ana@x.co.",
        "ana@-x.co",
        "Ana <ana@x.co>",
        "ana@x.co\n",
        "ana(at)x.co",
        "anañ@x.co",
        "a..b@x.co",
    ],
)
def test_what_is_no_address_is_named(address: str) -> None:
    """Two addresses, names around them, blanks and missing parts are not an e-mail address."""
    (issue,) = judge([FieldRule("contact", "Correo", kind="email")], {2: {"contact": address}})
    assert issue.code == "bad-email"


def test_all_faults_are_reported_each_once_by_row() -> None:
    """Several faults in a cell, a row or many rows are all reported, sorted, each (row, column, code) once."""
    contact = FieldRule("contact", "Correo", required=True, kind="email", max_length=4)
    again = FieldRule("form.Correo", "Correo", kind="email")
    rows = {
        9: {"contact": "no-way", "form.Correo": "no-way", "status": "Otro"},
        3: {"status": "Cerrado"},
        30: {"contact": "a@b.co", "status": None},
    }
    assert locations(judge([contact, again, STATUS, SOLUTION], rows)) == [
        (3, "Correo", "required"),
        (3, "Solución", "solution-missing"),
        (9, "Correo", "bad-email"),
        (9, "Correo", "too-long"),
        (9, "Estado", "not-allowed"),
        (30, "Correo", "too-long"),
        (30, "Estado", "required"),
    ]


def test_a_closed_status_needs_a_solution() -> None:
    """The issue is on the solution's column and names both remedies; the status is quoted as in the cell."""
    rows = {8: {"status": "Cerrado", "solution": None}}
    (issue,) = judge([STATUS, SOLUTION], rows, cells={"Estado": ["Finalizado"], "Solución": ["  "]})
    assert locations([issue]) == [(8, "Solución", "solution-missing")]
    assert issue.message == "Solución is empty, but Estado 'Finalizado' is a closed status"
    assert issue.remedy == "Fill in Solución or change Estado"
    assert issue.value == "  "


def test_a_closed_status_without_a_mapped_solution_is_on_the_status() -> None:
    """If the mapping has no solution, the issue is on the status's column."""
    assert locations(judge([STATUS], {8: {"status": "Cerrado"}})) == [(8, "Estado", "solution-missing")]


def test_a_cell_that_failed_conversion_is_not_called_empty() -> None:
    """A cell with an issue gets no `required` or `solution-missing` as well; other rules still apply."""
    rows = {2: {"contact": None, "status": "Cerrado"}, 3: {"contact": None, "status": "Otro"}}
    rules = [FieldRule("contact", "Correo", required=True), STATUS, SOLUTION]
    failed = [(2, "Correo"), (2, "Solución"), (3, "Estado")]
    assert locations(judge(rules, rows, failed)) == [(3, "Correo", "required"), (3, "Estado", "not-allowed")]


def test_a_filled_cell_is_never_called_empty() -> None:
    """A filled cell that conditions leave out is reported as such; one whose template failed elsewhere is not."""
    rule = FieldRule("description", "Asunto", required=True)
    cells = {"Asunto": ["Traslado", "Traslado", ""]}
    issues = judge([rule], {2: {}, 3: {}, 4: {}}, failed=[(3, "Descripción")], cells=cells)
    assert [(issue.row, issue.message) for issue in issues] == [
        (2, "description is required, but Asunto 'Traslado' gives it no value"),
        (4, "Asunto is empty, but description is required"),
    ]


def test_the_references_line_counts() -> None:
    """A description that carries the reference has room for 23 characters fewer."""
    rule = FieldRule("description", "Texto", max_length=30, carries_reference=True)
    (issue,) = judge([rule], {2: {"description": "1234567"}, 3: {"description": "12345678"}})
    assert issue.row == 3
    assert issue.message == "Texto makes description 8 characters long, but the maximum is 7"
    assert issue.remedy == "Shorten Texto by 1 character"


def test_a_field_without_a_column_is_named_by_its_path() -> None:
    """A template or constant has no single column, so the issue names the field."""
    (issue,) = judge([FieldRule("description", None, required=True), FieldRule("status", "Estado")], {2: {}})
    assert locations([issue]) == [(2, "description", "required")]


def test_the_value_is_the_cell_as_written() -> None:
    """The issue quotes what the sheet shows, also for a number, not the converted value."""
    rule = FieldRule("priority", "Prioridad", allowed=("Alta",))
    (issue,) = judge([rule], {2: {"priority": "Media"}}, cells={"Prioridad": [Typed("2,0", 2.0)]})
    assert issue.value == "2,0"
    assert "'2,0'" in issue.message


def judge_keys(
    cells: Mapping[str, Sequence[str]],
    columns: Sequence[str],
    keys: Sequence[str],
    repeated: Mapping[str, tuple[int, ...]],
) -> tuple[Issue, ...]:
    """Validate only keys; row numbers start at 2."""
    index = range(2, 2 + len(keys))
    source = pd.DataFrame(cells, index=index, dtype=object)
    fields = pd.DataFrame(index=index)
    return Validator([], columns).validate(fields, source, pd.Series(keys, index=index, dtype=object), repeated)


def test_blank_and_repeated_keys_are_issues() -> None:
    """A blank key is an issue, and so is every row of a repeated key, which names the others in all frames."""
    issues = judge_keys({"Ticket": ["T1", " ", "T1", "T2"]}, ["Ticket"], ["d1", "", "d1", "d2"], {"d1": (2, 4, 70)})
    assert locations(issues) == [
        (2, "Ticket", "key-repeated"),
        (3, "Ticket", "key-missing"),
        (4, "Ticket", "key-repeated"),
    ]
    assert issues[0].message == "Ticket 'T1' is also in rows 4, 70, but each row is one case"
    assert issues[0].value == "T1"


def test_a_key_of_several_columns_names_the_blank_one() -> None:
    """Of a key of two columns, the empty one has the issue; a repeated key is quoted with both."""
    cells = {"Sede": ["A", "A", "A"], "Ticket": ["", "1", "1"]}
    issues = judge_keys(cells, ["Sede", "Ticket"], ["", "d", "d"], {"d": (3, 4)})
    assert locations(issues) == [(2, "Ticket", "key-missing"), (3, "Sede", "key-repeated"), (4, "Sede", "key-repeated")]
    assert "Sede 'A', Ticket '1' is also in row 4, but" in issues[1].message


def test_a_key_that_is_everywhere_names_ten_rows() -> None:
    """Ten thousand rows with one key give ten thousand short sentences."""
    count = 10_000
    issues = judge_keys({"T": ["x"] * count}, ["T"], ["d"] * count, {"d": tuple(range(2, 2 + count))})
    assert len(issues) == count
    assert "is also in rows 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, …, but" in issues[0].message


def test_rows_known_by_content_have_no_key_to_judge() -> None:
    """Without key columns neither a blank nor a repeated key is an issue."""
    assert judge_keys({"T": ["", ""]}, [], ["", ""], {"": (2, 3)}) == ()


VALUES = st.sampled_from([None, "", "Abierto", "Cerrado", "x", "a@b.co", 1, True, ["x"], ["Abierto"], {"value": "x"}])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=8))
def test_each_row_is_judged_as_if_it_were_alone(rows: list[tuple[object, object, object]]) -> None:
    """A row's issues do not depend on other rows."""
    rules = [
        STATUS,
        SOLUTION,
        FieldRule("contact", "Correo", required=True, kind="email", max_length=6, pattern="[^x]*"),
    ]
    table = {
        number: dict(zip(("status", "solution", "contact"), row, strict=True)) for number, row in enumerate(rows, 2)
    }
    together = judge(rules, table)
    assert list(together) == [issue for number, row in table.items() for issue in judge(rules, {number: row})]
    assert len(set(locations(together))) == len(together)


def test_a_key_that_cannot_be_read_is_not_called_empty() -> None:
    """An error cell in the key column is its own issue, and not a missing key as well."""
    fields = pd.DataFrame({"contact": ["a@b.co"]}, index=[7], dtype=object)
    source = pd.DataFrame({"Ticket": ["#N/A"], "Correo": ["a@b.co"]}, index=[7], dtype=object)
    validator = Validator([FieldRule("contact", "Correo", required=True, kind="email")], ["Ticket"])
    keys = pd.Series([""], index=[7], dtype=object)
    assert validator.validate(fields, source, keys, {}, {(7, "Ticket")}) == ()
    assert [issue.code for issue in validator.validate(fields, source, keys, {})] == ["key-missing"]
