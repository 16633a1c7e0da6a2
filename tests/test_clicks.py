"""Every issue says what to click on the page, whatever its code."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator

import pytest
from run_support import Give, Office, ticket
from test_architecture import MODULES

from importer.model import Issue, Status
from importer.model.clicks import PAGES, click_for

CODE_AT = {
    "Issue": 3,
    "CellError": 1,
    "Refused": 0,
    "CellProblem": 0,
    "NameRefusal": 0,
    "refused_name": 0,
    "_Problem": 2,
}
"""Where the calls that make an issue have its code."""

ELSEWHERE = {
    *("self.code", "code", "fault.code", "found[0].code", "distinct[0].code", "issue.code"),
    *("row.status", "status.value"),
}
"""Codes that a call takes from another one of these calls, or from the state of a row."""

PAGES_OF_THE_PAGE = ("Start", "Match columns", "Correct", "Send", "Decide", "Look back", "Settings")


def codes() -> Iterator[str]:
    """Yield the code of every issue that the code base can raise, and every other expression in its place."""
    for module in MODULES:
        tree = ast.parse(module.read_text("utf-8"))
        if module.name == "validation.py":
            yield from (value.value for value in ast.walk(tree) if is_code(value))
        for call in ast.walk(tree):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in CODE_AT:
                named = [keyword.value for keyword in call.keywords if keyword.arg == "code"]
                at = CODE_AT[call.func.id]
                starred = any(isinstance(one, ast.Starred) for one in call.args[: at + 1])
                for code in named or ([] if starred else [call.args[at]]):
                    yield code.value if isinstance(code, ast.Constant) else ast.unparse(code)


def is_code(node: ast.AST) -> bool:
    """Tell whether a text of the validation is the code of a check."""
    found = node.value if isinstance(node, ast.Constant) else None
    return isinstance(found, str) and found.count(" ") == 0 and "-" in found and found.replace("-", "").islower()


def test_every_code_has_a_click() -> None:
    """The table knows every code that a call gives, and every state of a row that is a reason."""
    constants = {"KNOWN_TWICE": "key-known-twice", "_KEY_MISSING": "key-missing", "_KEY_REPEATED": "key-repeated",
                 "_SOLUTION_MISSING": "solution-missing", "MISSING": "attachment-missing"}  # fmt: skip
    found = {constants.get(code, code) for code in codes()} - ELSEWHERE
    assert found > {"not-known", "attachment-url", "stray-quote", "error-cell", "id-taken", "too-long"}
    assert {*found, "required", *Status} == set(PAGES)


@pytest.mark.parametrize(("row", "column"), [(7, "Correo"), (7, None), (None, "Correo"), (None, None)])
def test_a_click_names_a_page_and_what_is_known(row: int | None, column: str | None) -> None:
    """A click is a whole sentence with the page in it, and never shows that something is not known."""
    for code in PAGES:
        shown = click_for(code, row, column, "ana@")
        assert any(page in shown for page in PAGES_OF_THE_PAGE), code
        assert "None" not in shown, code
        assert shown.endswith("."), code


def test_braces_in_a_cell_stay_text() -> None:
    """A value is named in a sentence, never read as part of it."""
    shown = Issue(2, "Tipo {x}", "{row}", "no-crm-value", "…", "…").click
    assert "'{row}' in Tipo {x}" in shown


def test_json_has_both_remedies(office: Office, give: Give) -> None:
    """A page or a script finds what to click beside the remedy; the command line does not show it."""
    office.write([ticket("1", Correo="no address")])
    found = json.loads(give(office.arguments("check", "--json")).out)
    (issue,), (group,) = found["issues"], found["groups"]
    assert issue["click"] == group["click"]
    assert "On the page Correct" in issue["click"]
    assert "On the page" not in give(office.arguments("check")).out
