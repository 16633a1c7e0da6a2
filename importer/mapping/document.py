"""A YAML file as nodes with their locations: every scalar is the text as written, and nothing is ever constructed.

Tags, anchors, aliases, duplicate keys and further documents are faults at their line, all reported together. Aliases
are never followed, and size and depth are limited before a file is composed, so that a hostile file costs nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from importer.errors import MappingError, MappingFault
from importer.mapping.yaml_words import mark_of, problem_in_words
from importer.messages import _, language
from importer.text import trimmed

Node: TypeAlias = "str | list[Node] | dict[str, Node]"
Steps: TypeAlias = tuple[str | int, ...]
Location: TypeAlias = tuple[int, int]
"""Line and column, counted from 1."""

MAX_BYTES = 300_000
MAX_DEPTH = 20

_SURROGATE = re.compile("[\ud800-\udfff]")
_SHEETS = frozenset({".csv", ".tsv", ".xlsx", ".xlsm", ".xls", ".xlsb", ".ods"})
_WORKBOOKS = (b"PK\3\4", b"\xd0\xcf\x11\xe0")
_NOT_A_TEXT = "?"  # the step of a key that is not a text


@dataclass
class SourceMap:
    """Where the keys and values of a file are, by their paths."""

    file: str
    values: dict[Steps, Location] = field(default_factory=dict)
    keys: dict[Steps, Location] = field(default_factory=dict)

    def fault(self, path: Steps, message: str, *, at_key: bool = False) -> MappingFault:
        """Return a fault at the value (or the key) of `path`, or at the nearest part around it that the file has."""
        if path and isinstance(path[-1], int) and path not in self.values:
            path = path[:-1]  # a single text instead of a list
        location = (self.keys if at_key else self.values).get(path)
        around = path
        while location is None and around:
            around = around[:-1]
            location = self.keys.get(around)
        return MappingFault(self.file, *(location or (1, 1)), dotted(path), message)


def dotted(path: Steps) -> str:
    """Return a path as people write it: `fields.status.values.Abierto`, `attachments.columns[2]` (from 1)."""
    return "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


@dataclass(frozen=True)
class Document:
    """The content of a YAML file, the locations of its nodes, and the faults found while it was composed."""

    content: Node
    source_map: SourceMap
    faults: tuple[MappingFault, ...]


def read_document(path: Path, raw: bytes) -> Document:
    """Return the document in `raw`; raises `MappingError` where that is not YAML. `path` only names it in faults."""
    file = str(path)
    if path.suffix.lower() in _SHEETS or raw.startswith(_WORKBOOKS):  # to save it as UTF-8 would ruin it
        message = _(
            "this looks like a spreadsheet, not like a mapping; give the spreadsheet first, and the mapping after -m"
        )
        raise _broken(file, (1, 1), message)
    if len(raw) > MAX_BYTES:
        message = _("the file has more than {limit:,} bytes, which is too long", limit=MAX_BYTES)
        raise _broken(file, (1, 1), message)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line_start = raw.rfind(b"\n", 0, error.start) + 1
        location = (raw.count(b"\n", 0, error.start) + 1, error.start - line_start + 1)
        raise _broken(file, location, _("not valid UTF-8; save the file as UTF-8")) from error
    try:
        return _compose(file, text, language())
    except yaml.MarkedYAMLError as error:
        message = _("not valid YAML: {problem}", problem=problem_in_words(error, text))
        raise _broken(file, _location(mark_of(error)), message) from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        location = (before.count("\n") + 1, len(before) - before.rfind("\n"))
        message = _("the character U+{number:04X} is not allowed in YAML", number=ord(text[error.position]))
        raise _broken(file, location, message) from error


def _broken(file: str, location: Location, message: str) -> MappingError:
    return MappingError((MappingFault(file, *location, "", message),))


def _location(mark: Any) -> Location:  # noqa: ANN401 - PyYAML has two types of marks, or None
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)


@lru_cache(maxsize=8)  # a command, and each page, reads its mapping several times, and YAML is slow
def _compose(file: str, text: str, _language: str) -> Document:
    """Return the document in a text, with its faults in a language; nobody changes what is returned."""
    loader = _Loader(file, text)
    root = loader.get_node() if loader.check_node() else None
    if loader.check_node():
        loader.add_fault(loader.next_event(), _("a second document begins here; remove the line '---'"))
    return Document({} if root is None else _content(root), loader.source_map, tuple(loader.faults))


def _content(node: yaml.Node) -> Node:
    """Return a node as dicts, lists and texts; of duplicate keys, the first one counts."""
    if isinstance(node, yaml.SequenceNode):
        return [_content(item) for item in node.value]
    if not isinstance(node, yaml.MappingNode):
        return str(node.value)
    content: dict[str, Node] = {}
    for key, value in node.value:
        content.setdefault(_step(key), _content(value))
    return content


def _step(key: yaml.Node) -> str:
    return trimmed(key.value) if isinstance(key, yaml.ScalarNode) else _NOT_A_TEXT


class _Loader(yaml.BaseLoader):
    """Composes nodes, and notes where they are and what is not allowed in them.

    It overrides `compose_node`, which PyYAML calls for every node but does not document; a test names it.
    """

    def __init__(self, file: str, text: str) -> None:
        super().__init__(text)
        self.source_map = SourceMap(file)
        self.faults: list[MappingFault] = []
        self._path: Steps = ()

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node:  # noqa: ANN401 - its type hint is wrong
        """Return the next node: the value of the key node `index`, the item at the number `index`, or else a key."""
        outer, event = self._path, self.next_event()
        is_key = parent is not None and index is None
        if not is_key:
            self._enter(index)
            self.source_map.values[self._path] = _location(event.start_mark)
        elif not isinstance(event, yaml.ScalarEvent):
            self.add_fault(event, _("a key must be a text"))
            self._path = (*outer, _NOT_A_TEXT)
        node = self._node(event, parent, index)
        self._path = outer
        return node

    def _enter(self, index: yaml.Node | int | None) -> None:
        """Make the path that of the value at `index`, and note where its key is."""
        if isinstance(index, int):
            self._path = (*self._path, index)
        if not isinstance(index, yaml.Node):
            return
        self._path = (*self._path, _step(index))
        first = self.source_map.keys.setdefault(self._path, _location(index.start_mark))
        if first != _location(index.start_mark):
            self.add_fault(index, _("duplicate key; first defined on line {line}", line=first[0]))
            self._path = (*self._path, _NOT_A_TEXT)

    def _node(self, event: yaml.Event, parent: yaml.Node | None, index: Any) -> yaml.Node:  # noqa: ANN401
        if len(self._path) > MAX_DEPTH:
            message = _("nested more than {limit} levels deep", limit=MAX_DEPTH)
            raise MappingError((self.source_map.fault(self._path, message),))
        if isinstance(event, yaml.AliasEvent):
            self.get_event()  # type: ignore[no-untyped-call]
            self.add_fault(event, _("aliases (*{name}) are not allowed; write the value out", name=event.anchor))
            node: yaml.Node = yaml.ScalarNode("", str(event.anchor))
            node.start_mark = event.start_mark
            return node
        self._drop_decoration(event)
        node = super().compose_node(parent, index) or yaml.ScalarNode("", "")
        if isinstance(node, yaml.ScalarNode) and (surrogate := _SURROGATE.search(node.value)):
            number = f"{ord(surrogate[0]):04x}"  # only an escape can write it, and it could not be sent
            message = _("\\u{number} is half of a surrogate pair; write the character itself", number=number)
            self.add_fault(event, message)
            node.value = _SURROGATE.sub("\ufffd", node.value)
        return node

    def _drop_decoration(self, event: yaml.Event) -> None:
        """Report a tag and an anchor, and go on without them."""
        if isinstance(event, yaml.NodeEvent) and event.anchor:
            self.add_fault(event, _("anchors (&{name}) are not allowed; remove it", name=event.anchor))
            event.anchor = None
        if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag:
            self.add_fault(event, _("tags ({tag}) are not allowed; remove it", tag=event.tag))
            event.tag = None

    def next_event(self) -> yaml.Event:
        """Return the next event without consuming it."""
        event: yaml.Event = self.peek_event()  # type: ignore[no-untyped-call]
        return event

    def add_fault(self, at: yaml.Event | yaml.Node, message: str) -> None:
        """Note a fault at an event or a node."""
        location = _location(at.start_mark)
        self.faults.append(MappingFault(self.source_map.file, *location, dotted(self._path), message))
