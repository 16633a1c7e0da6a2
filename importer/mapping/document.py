"""YAML as this language reads it: every scalar is the text that is written, and every node knows its place.

Tags, anchors, aliases, duplicate keys and further documents are faults at their line; nothing of a file is ever
constructed or run. Built from PyYAML's events, so that depth and size stay bounded before anything is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import yaml

from importer.errors import MappingError, MappingFault
from importer.mapping.words import clean
from importer.messages import _

Node: TypeAlias = "str | list[Node] | dict[str, Node]"
Steps: TypeAlias = tuple[str | int, ...]

MAX_BYTES = 300_000
MAX_DEPTH = 20

_HALF = re.compile("[\ud800-\udfff]")


@dataclass
class Places:
    """Where the nodes of a mapping file stand; lines and columns count from 1."""

    file: str
    values: dict[Steps, tuple[int, int]] = field(default_factory=dict)
    keys: dict[Steps, tuple[int, int]] = field(default_factory=dict)

    def fault(self, path: Steps, message: str, *, at_key: bool = False) -> MappingFault:
        """Return a fault at the value (or the key) of `path`; where that is not in the file, at what is around it."""
        if path and isinstance(path[-1], int) and path not in self.values:
            path = path[:-1]  # a text that stands for a list of one
        place = (self.keys if at_key else self.values).get(path)
        around = path
        while place is None and around:
            around = around[:-1]
            place = self.keys.get(around)
        return MappingFault(self.file, *(place or (1, 1)), dotted(path), message)


def dotted(path: Steps) -> str:
    """Return a path as people write it: `fields.status.values.Abierto`, `attachments.columns[2]` (from 1)."""
    return "".join(f"[{step + 1}]" if isinstance(step, int) else f".{step}" for step in path).lstrip(".")


@dataclass(frozen=True)
class Document:
    """A mapping file's content and the places of its nodes, together with the faults of its YAML."""

    content: Node
    places: Places
    faults: tuple[MappingFault, ...]


def read(path: Path, raw: bytes) -> Document:
    """Return what a mapping file says; raises `MappingError` where it is no YAML at all."""
    file = str(path)
    if len(raw) > MAX_BYTES:
        raise _broken(file, 1, 1, _("the file has more than {limit:,} bytes; a mapping is shorter", limit=MAX_BYTES))
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - (raw.rfind(b"\n", 0, error.start) + 1) + 1
        raise _broken(file, line, column, _("this is not UTF-8; save the mapping as UTF-8")) from error
    try:
        return _Reader(file, text).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise _broken(file, *place, _("this is no YAML: {problem}", problem=_problem(error))) from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = (before.count("\n") + 1, len(before) - before.rfind("\n"))
        message = _("the character U+{number:04X} cannot stand in YAML", number=ord(text[error.position]))
        raise _broken(file, *place, message) from error


def _problem(error: yaml.MarkedYAMLError) -> str:
    if "\\t" in str(error.problem):
        return _("a tab stands where spaces must; indent with spaces")
    return ", ".join(filter(None, (error.context, error.problem)))


def _broken(file: str, line: int, column: int, message: str) -> MappingError:
    return MappingError((MappingFault(file, line, column, "", message),))


class _Reader:
    """One pass over a file's events."""

    def __init__(self, file: str, text: str) -> None:
        self.places = Places(file)
        self.faults: list[MappingFault] = []
        self._events: Iterator[yaml.Event] = yaml.parse(text, yaml.BaseLoader)

    def document(self) -> Document:
        next(self._events)  # the stream's start
        event = next(self._events)
        content: Node = {}
        if isinstance(event, yaml.DocumentStartEvent):
            content = self._node(next(self._events), ())
            next(self._events)  # the document's end
            event = next(self._events)
        if isinstance(event, yaml.DocumentStartEvent):
            self._fault(event, (), _("a second document begins here; a mapping file is one document, without '---'"))
        return Document(content, self.places, tuple(self.faults))

    def _node(self, event: yaml.Event, path: Steps) -> Node:
        self.places.values[path] = _place(event)
        if len(path) > MAX_DEPTH:
            message = _("more than {limit} levels inside each other", limit=MAX_DEPTH)
            raise MappingError((self.places.fault(path, message),))
        if isinstance(event, yaml.AliasEvent):
            self._fault(event, path, _("aliases (*{name}) are not used in mappings; write it out", name=event.anchor))
            return str(event.anchor)
        self._refuse_decoration(event, path)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(path)
        return self._text(event, path) if isinstance(event, yaml.ScalarEvent) else ""

    def _text(self, event: yaml.ScalarEvent, path: Steps) -> str:
        """Return a scalar's text; half a character, which only an escape can write, is none that could be sent."""
        text = str(event.value)
        if half := _HALF.search(text):
            number = f"{ord(half[0]):04x}"
            self._fault(event, path, _("\\u{number} is half a character; write the character itself", number=number))
        return _HALF.sub("\ufffd", text)

    def _mapping(self, path: Steps) -> dict[str, Node]:
        content: dict[str, Node] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if isinstance(event, yaml.ScalarEvent):
                self._refuse_decoration(event, path)
                key = clean(self._text(event, path))
            else:
                key = "?"
                self._fault(event, path, _("a key must be a text"))
                self._node(event, (*path, key))
            inside = (*path, key)
            if key in content:
                line = self.places.keys[inside][0]
                self._fault(event, inside, _("this key stands twice; it is already on line {line}", line=line))
                self._node(next(self._events), (*path, key, "?"))
                continue
            self.places.keys[inside] = _place(event)
            content[key] = self._node(next(self._events), inside)
        return content

    def _sequence(self, path: Steps) -> list[Node]:
        content: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            content.append(self._node(event, (*path, len(content))))
        return content

    def _refuse_decoration(self, event: yaml.Event, path: Steps) -> None:
        if tag := getattr(event, "tag", None):
            self._fault(event, path, _("tags ({tag}) are not used in mappings; remove it", tag=tag))
        if anchor := getattr(event, "anchor", None):
            self._fault(event, path, _("anchors (&{name}) are not used in mappings; remove it", name=anchor))

    def _fault(self, event: yaml.Event, path: Steps, message: str) -> None:
        self.faults.append(MappingFault(self.places.file, *_place(event), dotted(path), message))


def _place(event: yaml.Event) -> tuple[int, int]:
    """Return an event's line and column, from 1."""
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark else (1, 1)
