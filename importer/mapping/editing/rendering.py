"""Write a node as YAML that the loader reads back as the same texts."""

from __future__ import annotations

from collections.abc import Mapping

from importer.mapping.document import Node
from importer.text import yaml_scalar

_LONGEST_KEY = 1_000
"""YAML wants longer keys, at 1,024 characters, to be marked with a question mark."""

_WIDEST = 110
"""Characters of a line; keys that would make a longer one get lines of their own."""


def flow(node: Node) -> str:
    """Return a node on one line: `{column: Estado, values: {Abierto: Open}}`."""
    if isinstance(node, str):
        return yaml_scalar(node)
    if isinstance(node, list):
        return f"[{', '.join(map(flow, node))}]"
    return f"{{{', '.join(entry_in_flow(key, value) for key, value in node.items())}}}"


def entry_in_flow(key: str, node: Node) -> str:
    """Return a key and its value for a place between braces."""
    written = yaml_scalar(key)
    return f"? {written} : {flow(node)}" if len(written) > _LONGEST_KEY else f"{written}: {flow(node)}"


def entry(key: str, node: Node, indent: int) -> list[str]:
    """Return the lines of a key and its value for a place with lines of its own, indented by so many spaces."""
    written, margin = yaml_scalar(key), " " * indent
    if len(written) > _LONGEST_KEY:
        return [f"{margin}? {written}", f"{margin}: {flow(node)}"]
    line = f"{margin}{written}: {flow(node)}"
    if isinstance(node, Mapping) and node and len(line) > _WIDEST:
        return [f"{margin}{written}:", *lines(node, indent + 2)]
    return [line]


def lines(node: Mapping[str, Node], indent: int) -> list[str]:
    """Return the lines of keys and values, indented by so many spaces."""
    return [line for key, value in node.items() for line in entry(key, value, indent)]


def is_wide(key: str, node: Node, indent: int) -> bool:
    """Return whether a key's value gets lines of its own."""
    return isinstance(node, Mapping) and len(entry(key, node, indent)) > 1
