"""Propose a mapping for a source from its headers and values.

Every guess has its evidence as a comment. What cannot be known is left blank and marked, and `load` refuses it by name.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from importer.mapping.document import Node, read_document
from importer.mapping.drafting.guesses import DraftLine, blank, flow, guess_fields, lines, quoted, scalar
from importer.mapping.drafting.matching import is_called, match_headers
from importer.mapping.drafting.profiles import Profile, guess_type, profile_columns
from importer.mapping.fields import slot_columns
from importer.mapping.loader import load_mapping
from importer.mapping.words import Words
from importer.messages import _, ngettext
from importer.text import unaccented

if TYPE_CHECKING:
    import pandas as pd


_EVENT_LOG = 0.1  # of the rows repeat a key: more than by mistake
_MOST_FOLDERS = 500
_MOST_FILES = 50


class PreviousMapping:
    """The mapping whose decisions a draft keeps, if there is one; raises `MappingError` where it has faults."""

    def __init__(self, path: Path | None, columns: Sequence[str]) -> None:
        self.name = path.name if path else ""
        self._content: dict[str, Node] = _content(path) if path else {}
        self._columns = Words((column, column) for column in columns)

    def section(self, name: str) -> dict[str, Node]:
        """Return the entries of a section whose columns the new sheet has."""
        section = self._content.get(name)
        entries = section if isinstance(section, dict) else {}
        return {key: node for key, node in entries.items() if node and self._has_columns(_columns_of(name, key, node))}

    def text(self, key: str) -> str | None:
        """Return a text at the top of the file, such as `reference`."""
        node = self._content.get(key)
        return node if isinstance(node, str) else None

    def column(self, name: str) -> str | None:
        """Return a column in the new sheet's spelling, None where it lacks the column."""
        alike = self._columns.alike(name)
        return alike[0] if len(alike) == 1 else None

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


def _columns_of_field(spec: Node) -> Iterator[str]:
    if not isinstance(spec, dict):
        return
    if isinstance(column := spec.get("column"), str):
        yield column
    if isinstance(template := spec.get("template"), str):
        yield from slot_columns(template)
    yield from _columns_of_condition(spec.get("when", {}))
    if isinstance(properties := spec.get("object"), dict):
        for inner in properties.values():
            yield from _columns_of_field(inner)


def _columns_of_condition(condition: Node) -> Iterator[str]:
    for tests in condition if isinstance(condition, list) else [condition]:
        if isinstance(tests, dict):
            yield from tests


def _texts(node: Node) -> Iterator[str]:
    for item in [node] if isinstance(node, str) else node:
        if isinstance(item, str):
            yield item


def draft(  # noqa: PLR0913 - each is an option of the command
    columns: Sequence[str],
    frames: Iterable[pd.DataFrame],
    name: str,
    *,
    sheet: str | None = None,
    like: Path | None = None,
    beside: Path | None = None,
) -> str:
    """Return the text of a mapping for a source with these columns, as far as its cells show one.

    `name` is the import's name, `sheet` the sheet that the user named, if any. `like` is a previous mapping whose
    decisions are kept where their columns exist; raises `MappingError` where it has faults. `beside` is the source's
    folder, under which the files that cells name are searched.
    """
    found = profile_columns(columns, frames)
    return _Draft(found, name, PreviousMapping(like, columns), beside).text(sheet)


class _Draft:
    """The sections of one draft."""

    def __init__(self, found: Mapping[str, Profile], name: str, previous: PreviousMapping, beside: Path | None) -> None:
        self._found, self._name, self._previous = found, name, previous
        self._matches = match_headers(found)
        named = [column for column, profile in found.items() if profile.files or _called_files(column, profile)]
        self._folder = _folder_of([name for column in named for name in found[column].parts()], beside)
        self._files = [column for column in named if self._folder is not None or is_called("attachments", column)]

    def text(self, sheet: str | None) -> str:
        """Return the whole draft."""
        sections = [
            self._head(),
            self._source(sheet),
            self._target(),
            self._fields(),
            self._form(),
            self._attachments(),
            [self._reference()],
        ]
        return "\n\n".join("\n".join(lines(section)) for section in sections if section) + "\n"

    def _reference(self) -> DraftLine:
        kept = {"description", *(f"form.{name}" for name in self._previous.section("form"))}
        field = self._previous.text("reference")
        field = field if field in kept else "description"
        return DraftLine(
            f"reference: {scalar(field)}", _("where the row's mark goes, by which doubtful rows are found")
        )

    def _head(self) -> list[DraftLine]:
        advice = _("A draft: each guess has its evidence beside it. Fill in the lines marked with <--, then run check.")
        return [
            DraftLine("# yaml-language-server: $schema=mapping.schema.json"),
            DraftLine(f"# {advice}"),
            DraftLine("version: 1"),
            DraftLine(
                f"import: {scalar(self._name)}",
                _("the permanent name of the import; keep it from one file to the next"),
            ),
        ]

    def _source(self, sheet: str | None) -> list[DraftLine]:
        kept = self._previous.section("source")
        written = [DraftLine("source:")]
        if sheet:
            written.append(DraftLine(f"  sheet: {scalar(sheet)}", _("as requested")))
            kept.pop("sheet", None)
        written += self._kept_lines(kept)
        if "key" not in kept:
            written += self._key()
        return written

    def _key(self) -> list[DraftLine]:
        """Return the lines of the key: the column with such a header, or one whose cells all differ."""
        unique = [column for column, profile in self._found.items() if profile.unique]
        match = self._matches.get("key")
        if match is None and not unique:
            expected = _("the column that identifies a row permanently; no column differs in all rows")
            return [blank("  key:", expected)]
        column = match.column if match else unique[0]
        reasons = [match.evidence] if match else []
        if column in unique:
            reasons.append(_("all rows differ"))
            unique.remove(column)
        if unique:
            reasons.append(_("also in: {columns}", columns=", ".join(unique)))
        if (repeated := self._found[column].repeated) == 0:
            return [DraftLine(f"  key: {scalar(column)}", "; ".join(reasons))]
        repeats = ngettext("{count} row repeats a key", "{count} rows repeat a key", repeated)
        written = [DraftLine(f"  key: {scalar(column)}", "; ".join([*reasons, repeats]))]
        if repeated >= _EVENT_LOG * self._found[column].rows:
            written.append(
                DraftLine("  keep: last", _("as in an event log: the last row of each key is its latest state"))
            )
        return written

    def _target(self) -> list[DraftLine]:
        if kept := self._previous.section("target"):
            return [DraftLine("target:"), *self._kept_lines(kept)]
        return [
            DraftLine("# target:", _("or --server and --operation")),
            DraftLine("#   server: crm0001.wolkvox.com", _("the host in the browser's address bar after login")),
            DraftLine("#   operation: my_operation"),
        ]

    def _fields(self) -> list[DraftLine]:
        kept = self._previous.section("fields")
        written = [DraftLine("fields:")]
        for name, guess in guess_fields(self._found, self._matches).items():
            written += self._kept_field(name, kept.pop(name)) if name in kept else guess
        return [*written, *self._kept_lines(kept)]

    def _kept_field(self, name: str, node: Node) -> list[DraftLine]:
        """Return a previous decision about a field, with a blank for each new text of its column."""
        new = self._unknown_texts(node)
        if not new or not isinstance(node, dict) or not isinstance(values := node["values"], dict):
            return self._kept_lines({name: node})
        rest = {key: inner for key, inner in node.items() if key != "values"}
        unknown = [
            blank(f"      {scalar(text)}:", _("new: not in {mapping}", mapping=self._previous.name)) for text in new
        ]
        return [
            DraftLine(f"  {name}:"),
            *self._kept_lines(rest, depth=2),
            DraftLine("    values:"),
            *self._kept_lines(values, depth=3),
            *unknown,
        ]

    def _unknown_texts(self, node: Node) -> list[str]:
        if not isinstance(node, dict) or not isinstance(values := node.get("values"), dict) or "*" in values:
            return []
        profile = self._found.get(self._previous.column(str(node.get("column"))) or "")
        known = {unaccented(text) for text in values}
        return [text for text in profile.counts if unaccented(text) not in known] if profile and profile.few else []

    def _kept_lines(self, nodes: Mapping[str, Node], depth: int = 1) -> list[DraftLine]:
        why = _("as in {mapping}", mapping=self._previous.name)
        return [DraftLine(f"{'  ' * depth}{scalar(key)}: {flow(node)}", why) for key, node in nodes.items()]

    def _form(self) -> list[DraftLine]:
        kept = self._previous.section("form")
        written = [DraftLine("form:"), *self._kept_lines(kept)] if kept else [DraftLine("form: {}")]
        used = {match.column for match in self._matches.values()} | set(self._files)
        if left := [column for column, profile in self._found.items() if profile.filled and column not in used]:
            heading = _("The module's own fields, by their names in the CRM. Columns that may belong there:")
            written += [DraftLine(f"# {heading}"), *map(self._proposal, left)]
        return written

    def _proposal(self, column: str) -> DraftLine:
        guess = guess_type(self._found[column])
        return DraftLine(f"#   {scalar(column)}: {flow({'column': column, **guess.keys})}", guess.evidence)

    def _attachments(self) -> list[DraftLine]:
        if kept := self._previous.section("attachments"):
            return [DraftLine("attachments:"), *self._kept_lines(kept)]
        columns, folder = self._files, self._folder
        if not columns:
            return []
        if folder is None:
            where = blank("  folder:", _("the folder with the files, relative to the sheet"))
        else:
            where = DraftLine(f"  folder: {scalar(folder)}", _("the files are there"))
        written = [
            DraftLine("attachments:"),
            where,
            DraftLine(f"  columns: {flow(list(columns))}", _("their cells name files")),
        ]
        if separators := [sign for column in columns if (sign := self._found[column].separator)]:
            written.append(DraftLine(f"  separator: {quoted(separators[0])}", _("between the names in a cell")))
        return written


def _called_files(column: str, profile: Profile) -> bool:
    """Return whether a column with a header for attachments has mostly file names."""
    return is_called("attachments", column) and profile.share_of_files > 0.5


def _folder_of(names: Sequence[str], beside: Path | None) -> str | None:
    """Return the folder in or under `beside` that has at least half of the named files, None if none has."""
    wanted = [name.replace("\\", "/") for name in names[:_MOST_FILES]]
    if beside is None or not wanted:
        return None
    for folder, _folders, _files in islice(os.walk(beside), _MOST_FOLDERS):
        if sum((Path(folder) / name).is_file() for name in wanted) * 2 >= len(wanted):
            return Path(folder).relative_to(beside).as_posix()
    return None
