"""An older mapping's decisions, where they still fit: their columns exist in the new sheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from importer.mapping import document, template
from importer.mapping.document import Node
from importer.mapping.loader import load
from importer.mapping.words import Words


class Older:
    """A mapping that a draft shall be like, if there is one; raises `MappingError` where it is at fault."""

    def __init__(self, path: Path | None, columns: Sequence[str]) -> None:
        self.name = path.name if path else ""
        self._content: dict[str, Node] = _content(path) if path else {}
        self._columns = Words((column, column) for column in columns)

    def section(self, name: str) -> dict[str, Node]:
        """Return a section's entries whose columns the new sheet has."""
        section = self._content.get(name)
        entries = section if isinstance(section, dict) else {}
        return {key: node for key, node in entries.items() if node and self._fits(key, node)}

    def text(self, key: str) -> str | None:
        """Return a plain entry of the file, such as `reference`."""
        node = self._content.get(key)
        return node if isinstance(node, str) else None

    def column(self, name: str) -> str | None:
        """Return the new sheet's spelling of a column, None where it has none."""
        alike = self._columns.alike(name)
        return alike[0] if len(alike) == 1 else None

    def _fits(self, key: str, node: Node) -> bool:
        return all(self.column(name) is not None for name in _columns_of(key, node))


def _content(path: Path) -> dict[str, Node]:
    load(path)  # a mapping that is at fault has no decisions to keep
    content = document.read(path, path.read_bytes()).content
    return content if isinstance(content, dict) else {}


def _columns_of(key: str, node: Node) -> Iterator[str]:
    """Yield the source's columns that a part of a mapping names."""
    if key in {"key", "group", "columns"}:
        if node != "content":
            yield from ([node] if isinstance(node, str) else [name for name in node if isinstance(name, str)])
    elif key in {"skip_if", "when"}:
        for tests in node if isinstance(node, list) else [node]:
            yield from tests if isinstance(tests, dict) else ()
    elif isinstance(node, dict):
        if isinstance(column := node.get("column"), str):
            yield column
        if isinstance(text := node.get("template"), str):
            yield from (slot.split().name for slot in template.parse(text).slots)
        for inner_key in ("when", "object"):
            if isinstance(inner := node.get(inner_key), dict):
                yield from (
                    _columns_of(inner_key, inner)
                    if inner_key == "when"
                    else (column for name, spec in inner.items() for column in _columns_of(name, spec))
                )
