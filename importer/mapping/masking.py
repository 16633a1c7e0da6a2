"""The outline of a mapping file for somebody who helps: its grammar, with every word of its author masked.

What the grammar knows stays: its keys, and the values that it lists (`email`, `date`, `true`). A column, a text, an
address, a folder or a value becomes `text-1`, `text-2`, …, the same wherever it is the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from importer.errors import MappingError
from importer.mapping.document import Node, read_document
from importer.mapping.loader import faults_of
from importer.mapping.schema import json_schema

_PATTERN = re.compile(r"(?=.*(YY|MM|DD|HH|mm))(?:YYYY|YY|MM?|DD?|HH?|mm|ss|S+|[/:.\-, T]){1,20}")
"""A format of dates or times."""

_FREE = frozenset({"values", "form", "properties", "map"})
"""Keys below which all keys are the author's own."""


def masked_outline(path: Path) -> dict[str, object]:
    """Return the outline of a mapping file, and where it has faults; raises OSError where it cannot be read."""
    raw = path.read_bytes()
    try:
        content = read_document(path, raw).content
        places = [(fault.line, fault.column) for fault in faults_of(path, raw)]
    except MappingError as error:
        return {"outline": None, "faults": [(fault.line, fault.column) for fault in error.faults]}
    return {"outline": _Masks().of(content, free=False), "faults": places}


class _Masks:
    """Gives each word of the author a mask of its own."""

    def __init__(self) -> None:
        self._known = _grammar_words()
        self._masks: dict[str, str] = {}

    def of(self, node: Node, *, free: bool) -> object:
        """Return a part with its words masked; below a `free` key no key is the grammar's."""
        if isinstance(node, dict):
            return {
                self._word(key, is_known=not free): self.of(value, free=key in _FREE and not free)
                for key, value in node.items()
            }
        if isinstance(node, list):
            return [self.of(each, free=free) for each in node]
        return self._word(node, is_known=not free)

    def _word(self, text: str, *, is_known: bool) -> str:
        if not text or (is_known and (text in self._known or _PATTERN.fullmatch(text))):
            return text
        return self._masks.setdefault(text, f"text-{len(self._masks) + 1}")


@cache
def _grammar_words() -> frozenset[str]:
    return frozenset({*_words(json_schema()), "true", "false", "1"})


def _words(schema: Any) -> Iterator[str]:  # noqa: ANN401 - a tree of JSON
    """Yield the names of the keys of the grammar, and the values that it lists."""
    if isinstance(schema, list):
        for each in schema:
            yield from _words(each)
    elif isinstance(schema, dict):
        yield from schema.get("properties", {})
        yield from (str(value) for value in schema.get("enum", ()))
        if "const" in schema:
            yield str(schema["const"])
        for each in schema.values():
            yield from _words(each)
