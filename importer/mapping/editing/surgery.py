"""Change single values of a YAML text; every other character stays as it is.

The text is composed to nodes that know where they begin and end, and only those places are written anew. A comment goes
only with the line that it stands on; one on a line of its own stays, wherever it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import yaml

from importer.mapping.document import Node
from importer.mapping.editing.rendering import entry_in_flow, flow, is_wide, lines
from importer.text import trimmed

Keys = tuple[str, ...]
"""The keys that lead to a value, from the top of the file."""

_BLANK_MARK = re.compile(r"[ \t]*#[ ]*<--[^\r\n]*")
"""The comment of a draft that marks a blank, which is none once it is filled."""


class Entry(NamedTuple):
    """A key of a mapping, and its value."""

    key: yaml.ScalarNode
    value: yaml.Node


class YamlText:
    """A text of YAML that is valid and has no anchors, tags or duplicate keys, as the loader wants it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._composed: tuple[str, yaml.Node | None] | None = None
        self._newline = "\r\n" if "\r\n" in text else "\n"

    def get(self, keys: Keys) -> Node | None:
        """Return the value at the end of these keys, None where there is none."""
        found = self._entry(keys)
        return None if found is None else _content(found.value)

    def set(self, keys: Keys, node: Node) -> None:
        """Write a value; what it has in common with the present one stays as it is, and new keys come last."""
        now, node = self.get(keys), _trimmed(node)
        if now == node:
            return
        if isinstance(node, dict) and node and (now or len(keys) == 1) and (isinstance(now, dict) or now == ""):
            self._merge(keys, now if isinstance(now, dict) else {}, node)
        elif now is not None:
            self._replace(keys, node)
        elif len(keys) > 1 and not self.get(keys[:-1]):
            self.set(keys[:-1], {keys[-1]: node})
        else:
            self._insert(keys[:-1], {keys[-1]: node})

    def _merge(self, keys: Keys, now: Mapping[str, Node], node: Mapping[str, Node]) -> None:
        for key in now.keys() & node.keys():
            self.set((*keys, key), node[key])
        if new := {key: value for key, value in node.items() if key not in now}:
            self._insert(keys, new)
        for key in now.keys() - node.keys():
            self.remove((*keys, key))

    def rename(self, keys: Keys, key: str) -> None:
        """Give the last key another name, in its place."""
        if (found := self._entry(keys)) is not None:
            written = flow(key)
            self._write(found.key.start_mark.index, found.key.end_mark.index, written)

    def remove(self, keys: Keys) -> None:
        """Remove a key with its value, if it is there; a section that has no other keys becomes an empty one."""
        found, around = self._entry(keys), self._mapping(keys[:-1])
        if found is None or around is None:
            return
        if len(around.value) == 1 and len(keys) > 1:
            self._replace(keys[:-1], {})
        elif around.flow_style:
            self._remove_in_flow(around, found)
        else:
            self._remove_lines(found)

    # ------------------------------------------------------------------------------------------------ where things are

    def _root(self) -> yaml.Node | None:
        if self._composed is None or self._composed[0] is not self.text:
            self._composed = self.text, yaml.compose(self.text, Loader=yaml.BaseLoader)
        return self._composed[1]

    def _entry(self, keys: Keys) -> Entry | None:
        node, found = self._root(), None
        for key in keys:
            found = next((each for each in _entries(node) if trimmed(each.key.value) == key), None)
            if found is None:
                return None
            node = found.value
        return found

    def _mapping(self, keys: Keys) -> yaml.MappingNode | None:
        found = self._entry(keys) if keys else None
        node = found.value if found is not None else self._root() if not keys else None
        return node if isinstance(node, yaml.MappingNode) else None

    def _end(self, node: yaml.Node) -> int:
        """Return where the text of a node ends; a block of lines ends with its last value, before any comment."""
        if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
            last = node.value[-1]
            return self._end(last[1] if isinstance(last, tuple) else last)
        end: int = node.end_mark.index
        if isinstance(node, yaml.ScalarNode) and node.style in {"|", ">"}:
            end = max(node.start_mark.index + 1, len(self.text[:end].rstrip()))
        return end

    def _line_start(self, at: int) -> int:
        return self.text.rfind("\n", 0, at) + 1

    def _line_end(self, at: int) -> int:
        """Return where the line of a place ends, before its line break."""
        end = self.text.find("\n", at)
        end = len(self.text) if end < 0 else end
        return end - 1 if end > at and self.text[end - 1] == "\r" else end

    def _comments(self, start: int, end: int, value: yaml.Node) -> str:
        """Return the lines after the first one of a part of the text that have a comment alone, each with its break."""
        inside = [(each.start_mark.index, each.end_mark.index) for each in _scalars(value)]
        kept, at = [], self.text.find("\n", start, end) + 1
        while 0 < at < end:
            stop = self._line_end(at)
            line = self.text[at:stop]
            if line.lstrip().startswith("#") and not any(first < at < last for first, last in inside):
                kept.append(self._newline + line)
            at = self.text.find("\n", at, end) + 1
        return "".join(kept)

    # ---------------------------------------------------------------------------------------------------- the changes

    def _write(self, start: int, end: int, text: str) -> None:
        self.text = self.text[:start] + text + self.text[end:]

    def _replace(self, keys: Keys, node: Node) -> None:
        found = self._entry(keys)
        if found is None:
            return
        key, value = found
        start, end = value.start_mark.index, self._end(value)
        indent = self._indent(key)
        is_block = isinstance(value, yaml.CollectionNode) and not value.flow_style and bool(value.value)
        wide = not self._is_in_flow(keys) and is_wide(keys[-1], node, indent)
        if not (is_block or wide):
            filler = "" if start < end else " " if self.text[:start].endswith(":") else ": "
            self._write(start, end, filler + flow(node))
            self._unmark(start + len(filler) + len(flow(node)))
            return
        colon = self.text.index(":", key.end_mark.index) + 1
        if is_block:  # what the first line has beside the key is a comment
            beside = self.text[colon : min(self._line_end(colon), start)].rstrip()
            beside += self._comments(colon, end, value)
        else:
            stop = self._line_end(end)
            beside, end = _BLANK_MARK.sub("", self.text[end:stop]).rstrip(), stop
        written = (
            beside + self._lines(node, indent + 2) if wide and isinstance(node, dict) else f" {flow(node)}{beside}"
        )
        self._write(colon, end, written)

    def _indent(self, node: yaml.Node) -> int:
        """Return how far the line of a node is indented."""
        line = self.text[self._line_start(node.start_mark.index) :]
        return len(line) - len(line.lstrip(" "))

    def _lines(self, node: Mapping[str, Node], indent: int) -> str:
        return "".join(self._newline + line for line in lines(node, indent))

    def _is_in_flow(self, keys: Keys) -> bool:
        return any(around.flow_style for n in range(len(keys)) if (around := self._mapping(keys[:n])) is not None)

    def _unmark(self, at: int) -> None:
        """Remove the mark of a blank behind a value that fills it."""
        if mark := _BLANK_MARK.match(self.text, at):
            self._write(mark.start(), mark.end(), "")

    def _insert(self, keys: Keys, new: Mapping[str, Node]) -> None:
        """Write new keys behind those that a section has."""
        around = self._mapping(keys)
        if around is None or not around.value:
            self._fill(keys, new)
        elif around.flow_style:
            end = self._end(around.value[-1][1])
            self._write(end, end, "".join(f", {entry_in_flow(*each)}" for each in new.items()))
        else:
            at = self._line_end(self._end(around.value[-1][1])) if keys else len(self.text.rstrip())
            gap = self._newline if not keys and any(isinstance(node, dict) for node in new.values()) else ""
            self._write(at, at, gap + self._lines(new, self._indent(around)))

    def _fill(self, keys: Keys, new: Mapping[str, Node]) -> None:
        """Write the first keys of an empty section: on lines of their own, unless the section is inside of braces."""
        outer = self._entry(keys)
        if outer is None:  # the file itself
            self.text = self._lines(new, 0).removeprefix(self._newline) + self._newline
            return
        start, end = outer.value.start_mark.index, self._end(outer.value)
        if self._is_in_flow(keys):
            self._write(start, end, flow(dict(new)))
            return
        colon = self.text.index(":", outer.key.end_mark.index) + 1
        stop = self._line_end(end)
        self._write(colon, stop, self.text[end:stop].rstrip() + self._lines(new, self._indent(outer.key) + 2))

    def _remove_in_flow(self, around: yaml.MappingNode, found: Entry) -> None:
        entries: Sequence[Entry] = [Entry(*each) for each in around.value]
        at = next(n for n, each in enumerate(entries) if each.key.start_mark.index == found.key.start_mark.index)
        if len(entries) == 1:
            self._write(around.start_mark.index, around.end_mark.index, "{}")
        elif at > 0:
            self._write(self._end(entries[at - 1].value), self._end(found.value), "")
        else:
            self._write(found.key.start_mark.index, entries[1].key.start_mark.index, "")

    def _remove_lines(self, found: Entry) -> None:
        start, end = self._line_start(found.key.start_mark.index), self._end(found.value)
        stop = self._line_end(end)
        kept = self._comments(start, end, found.value).removeprefix(self._newline)
        if kept:
            self._write(start, stop, kept)
        else:
            after = self.text.find("\n", stop)
            self._write(start, len(self.text) if after < 0 else after + 1, "")


def _entries(node: yaml.Node | None) -> Iterator[Entry]:
    if isinstance(node, yaml.MappingNode):
        yield from (Entry(*each) for each in node.value if isinstance(each[0], yaml.ScalarNode))


def _scalars(node: yaml.Node) -> Iterator[yaml.ScalarNode]:
    if isinstance(node, yaml.ScalarNode):
        yield node
    for each in node.value if isinstance(node, yaml.CollectionNode) else ():
        for inner in each if isinstance(each, tuple) else (each,):
            yield from _scalars(inner)


def _trimmed(node: Node) -> Node:
    """Return a node with its keys as the loader reads them."""
    if isinstance(node, dict):
        return {trimmed(key): _trimmed(value) for key, value in node.items()}
    return node


def _content(node: yaml.Node) -> Node:
    if isinstance(node, yaml.SequenceNode):
        return [_content(item) for item in node.value]
    if isinstance(node, yaml.MappingNode):
        return {trimmed(each.key.value): _content(each.value) for each in _entries(node)}
    return str(node.value)
