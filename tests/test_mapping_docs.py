"""The grammar, its page, its JSON Schema and its tests have the same keys, types and codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from mapping_support import HEAD, loaded
from pydantic import BaseModel

from importer.mapping import grammar, json_schema, table_grammar
from importer.mapping.drafting.guesses import flow

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "mapping.md").read_text("utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
PROSE = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
SCHEMA = json_schema()
TESTS = "".join(path.read_text("utf-8") for path in sorted((ROOT / "tests").glob("test_mapping*.py")))
PARTS = {
    name: part
    for name, part in {**vars(table_grammar), **vars(grammar)}.items()
    if isinstance(part, type)
    and issubclass(part, table_grammar.SpecModel)
    and part not in {table_grammar.SpecModel, table_grammar.SheetSpec, table_grammar.TableSpec}
}
KEYS = sorted({(name, info.alias or key) for name, part in PARTS.items() for key, info in part.model_fields.items()})


def nodes(node: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - whatever YAML holds
    """Yield every mapping in a node."""
    if isinstance(node, dict):
        yield node
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(inner)


@cache
def keys_of_examples() -> frozenset[str]:
    """Return every key of the examples in the page."""
    return frozenset(each for text in EXAMPLES for node in nodes(yaml.safe_load(text)) for each in node)


def alternatives(schema: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the schema of a part, as a mapping of keys."""
    part = schema if name == "MappingFile" else schema["$defs"][name]
    return next(choice for choice in part.get("anyOf", [part]) if "properties" in choice)


@pytest.mark.parametrize(("part", "key"), KEYS, ids=lambda name: name)
def test_every_key_is_in_the_page_the_schema_and_the_tests(part: str, key: str) -> None:
    """Each key has an example and a description in the page, a description in the schema, and a test."""
    assert key in keys_of_examples()
    assert re.search(rf"\b{key}\b", PROSE)
    assert alternatives(SCHEMA, part)["properties"][key]["description"]
    assert re.search(rf"\b{key}:\s", TESTS)


def test_the_schema_has_no_key_that_the_grammar_lacks() -> None:
    """The schema has exactly the parts and keys of the grammar."""
    schema = json_schema()
    assert set(schema["$defs"]) | {"MappingFile"} == set(PARTS)
    for name, part in PARTS.items():
        assert set(alternatives(schema, name)["properties"]) == {i.alias or k for k, i in part.model_fields.items()}


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_is_a_mapping_without_fault(tmp_path: Path, example: str) -> None:
    """Each example of the page is valid as written, within an otherwise complete mapping."""
    whole = yaml.load(HEAD, yaml.BaseLoader)  # noqa: S506 - makes texts of everything
    shown = yaml.load(example, yaml.BaseLoader)  # noqa: S506
    for section, content in shown.items():
        whole[section] = {**whole[section], **content} if section == "fields" else content
    loaded(tmp_path, flow(whole))


@pytest.mark.parametrize("kind", grammar.TYPES)
def test_every_type_is_in_the_page_and_the_tests(kind: str) -> None:
    """Each type has a line in the page's table, an example and a test."""
    assert f"| `{kind}` |" in PAGE
    assert any(f"type: {kind}" in example for example in EXAMPLES)
    assert f"type: {kind}" in TESTS


def test_every_code_of_an_issue_is_in_the_page_and_the_tests() -> None:
    """The page explains exactly the codes that the mapping gives."""
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "importer" / "mapping").rglob("*.py"))
    given = set(re.findall(r'Refused\(\s*"([a-z-]+)"', sources))
    section = PAGE.split("## Codes of issues")[1]
    explained = {
        code for line in re.findall(r"^\| (`.*?) \|", section, re.MULTILINE) for code in re.findall("`(.*?)`", line)
    }
    assert given == explained
    assert {code for code in given if code not in TESTS} == set()


def test_the_schema_takes_what_the_grammar_takes() -> None:
    """Texts may be written as numbers and booleans, one text for a list, a constant for a field, `version: 1`."""
    schema = json_schema()
    assert 1 in schema["properties"]["version"]["enum"]
    text = {"type": ["string", "number", "boolean"]}
    assert schema["$defs"]["FieldSpec"]["anyOf"][0] == text
    key = schema["$defs"]["SourceSpec"]["properties"]["key"]["anyOf"]
    assert key[0] == text
    assert key[1]["items"] == text
    assert schema["required"] == ["version", "import", "source", "fields"]


def test_models_forbid_what_they_do_not_know() -> None:
    """Every part of the grammar refuses unknown keys; in `contacts` any other key is a field."""
    allowing = {name for name, part in PARTS.items() if part.model_config["extra"] != "forbid"}
    assert allowing == {"ContactsSpec"}
    assert issubclass(grammar.SpecModel, BaseModel)
