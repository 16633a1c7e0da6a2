"""The mapping whose decisions a draft keeps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from importer.mapping.document import Node, read_document
from importer.mapping.fields import slot_columns
from importer.mapping.headings import Headings
from importer.mapping.loader import load_mapping


class PreviousMapping:
    """The mapping whose decisions a draft keeps, if there is one; raises `MappingError` where it has faults."""

    def __init__(self, path: Path | None, columns: Sequence[str]) -> None:
        self.name = path.name if path else ""
        self._content: dict[str, Node] = _content(path) if path else {}
        source = self._content.get("source")
        headings = source.get("headings") if isinstance(source, dict) else None
        others = {own: list(_texts(node)) for own, node in headings.items()} if isinstance(headings, dict) else {}
        self._columns = Headings(columns, others)

    def section(self, name: str) -> dict[str, Node]:
        """Return the entries of a section whose columns the new sheet has."""
        section = self._content.get(name)
        entries = section if isinstance(section, dict) else {}
        return {key: node for key, node in entries.items() if node and self._has_columns(_columns_of(name, key, node))}

    def text(self, key: str) -> str | None:
        """Return a text at the top of the file, such as `reference`."""
        node = self._content.get(key)
        return node if isinstance(node, str) else None

    def key(self) -> str | None:
        """Return the column of the new sheet that is the key, None without one or with several."""
        names = list(_texts(self.section("source").get("key", [])))
        return self.column(names[0]) if len(names) == 1 else None

    def has_rows(self) -> bool:
        """Return whether it says already what becomes of rows of another table."""
        files = self.section("attachments")
        fields = (spec for name in ("fields", "form") for spec in self.section(name).values())
        return "transcript" in files or any(isinstance(spec, dict) and "rows" in spec for spec in fields)

    def columns(self) -> set[str]:
        """Return the columns of the new sheet that its fields use."""
        entries = [node for name in ("fields", "form") for node in self.section(name).values()]
        names = (name for node in entries for name in _columns_of_field(node))
        return {column for name in names if (column := self.column(name)) is not None}

    def column(self, name: str) -> str | None:
        """Return a column in the new sheet's spelling, None where it lacks the column."""
        return self._columns.column(name)

    def _has_columns(self, names: Iterable[str]) -> bool:
        return all(self.column(name) is not None for name in names)


def _content(path: Path) -> dict[str, Node]:
    load_mapping(path)  # a mapping with faults has no decisions to keep
    content = read_document(path, path.read_bytes()).content
    return content if isinstance(content, dict) else {}


def _columns_of(section: str, key: str, node: Node) -> Iterator[str]:
    """Yield the source's columns that an entry of a section names."""
    if section in {"fields", "form"}:
        yield from _columns_of_field(node)
    elif key in {"key", "group", "columns"} and node != "content":
        yield from _texts(node)
    elif key == "skip_if":
        yield from _columns_of_condition(node)
    elif key == "patterns":
        for pattern in _texts(node):
            yield from slot_columns(pattern)
    elif key == "list" and isinstance(node, dict) and isinstance(match := node.get("match"), str):
        yield match
    elif key == "transcript" and isinstance(node, dict):
        yield from slot_columns(str(node.get("name", "")))
        yield from _columns_of_rows(node.get("rows", {}))


def _columns_of_field(spec: Node) -> Iterator[str]:
    if not isinstance(spec, dict):
        return
    if isinstance(column := spec.get("column"), str):
        yield column
    yield from _columns_of_rows(spec.get("rows", {}))
    if isinstance(template := spec.get("template"), str) and "rows" not in spec:
        yield from slot_columns(template)
    yield from _columns_of_condition(spec.get("when", {}))
    if isinstance(properties := spec.get("object"), dict):
        for inner in properties.values():
            yield from _columns_of_field(inner)


def _columns_of_rows(rows: Node) -> Iterator[str]:
    """Yield the column of the source that rows of another table are compared with, if they name one."""
    if isinstance(rows, dict) and isinstance(match := rows.get("match"), str):
        yield match


def _columns_of_condition(condition: Node) -> Iterator[str]:
    for tests in condition if isinstance(condition, list) else [condition]:
        if isinstance(tests, dict):
            yield from tests


def _texts(node: Node) -> Iterator[str]:
    for item in [node] if isinstance(node, str) else node:
        if isinstance(item, str):
            yield item
