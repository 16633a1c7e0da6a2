"""The edits of a mapping file that a person makes by clicking: each changes one decision, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from importer.errors import MappingError, MappingFault, UsageError
from importer.mapping.checks import REQUIRED
from importer.mapping.document import MAX_BYTES, Node, read_document
from importer.mapping.editing.files import MappingOnDisk
from importer.mapping.editing.surgery import Keys, YamlText
from importer.mapping.loader import faults_of
from importer.messages import _
from importer.text import squeezed

Option: TypeAlias = "str | int | bool | Sequence[str] | Mapping[str, str] | None"
"""What a key of a field is to be; None removes the key."""

_SOURCES = ("value", "column", "template", "object")
_LASTING = frozenset({"when", "required", "default", "allowed", "closed", "join", "take"})
"""The keys that stay when a field gets its value in another way."""

_OF_A_CONSTANT = frozenset({"value", "when", "required", "allowed", "closed", "max_length", "min_length", "pattern"})


class MappingEditor:
    """The text of a mapping file, and the edits of it; nothing is written before `save`.

    A field is named as everywhere: `status`, `form.Subject`. The options of a field are the keys of the mapping. An
    edit for which the mapping would have a new fault is refused by `save`, with the mapping's own sentences.
    """

    def __init__(self, path: Path, raw: bytes, on_disk: MappingOnDisk) -> None:
        """Use `open` or `new`."""
        self.path, self._on_disk = path, on_disk
        if faults := read_document(path, raw).faults:
            raise MappingError(faults)  # anchors and duplicate keys, among which no edit would be certain
        self._yaml = YamlText(raw.decode("utf-8-sig"))
        self._before = {(fault.path, fault.message) for fault in self.faults}

    @classmethod
    def open(cls, path: Path) -> MappingEditor:
        """Open a mapping file; raises `MappingError` where it is missing, or no YAML."""
        on_disk = MappingOnDisk.read(path, MAX_BYTES)
        return cls(path, on_disk.raw or b"", on_disk)

    @classmethod
    def new(cls, path: Path, text: str) -> MappingEditor:
        """Begin a mapping file that does not exist yet with a text, such as a draft."""
        return cls(path, text.encode("utf-8", "surrogatepass"), MappingOnDisk(None))

    @property
    def text(self) -> str:
        """The text as it is now."""
        return self._yaml.text

    @property
    def faults(self) -> tuple[MappingFault, ...]:
        """What is wrong with the text as it is now."""
        return faults_of(self.path, self.text.encode("utf-8", "surrogatepass"))

    @property
    def new_faults(self) -> tuple[MappingFault, ...]:
        """What is wrong with the text now, but was not when it was opened; a draft may keep its blanks for a while."""
        return tuple(fault for fault in self.faults if (fault.path, fault.message) not in self._before)

    def save(self, *, unfinished: bool = False) -> None:
        """Write the file, unless the mapping has faults: `MappingError` has them, and nothing is written.

        With `unfinished`, only new faults count, and a required field without a value is not one. Raises
        `MappingChanged` where somebody else has changed the file since it was opened. The file is replaced as a
        whole, or stays as it was.
        """
        faults = self.new_faults if unfinished else self.faults
        if unfinished:
            left_open = {f"fields.{name}" for name in REQUIRED if not self._yaml.get(("fields", name))}
            if f"fields.{self._yaml.get(('reference',))}" in left_open:
                left_open.add("reference")  # it goes into a field that is open still
            faults = tuple(fault for fault in faults if fault.path not in left_open)
        if faults:
            raise MappingError(faults)
        self._on_disk = self._on_disk.replaced(self.path, self.text)

    # ----------------------------------------------------------------------------------------------------------- fields

    def set_constant(self, field: str, value: str, *, marked: bool = False, **options: Option) -> None:
        """Give a field the same value in every case; `marked` where a column of the sheet has that very name."""
        keys, now = _keys_of(field), self._spec(field)
        kept = {key: node for key, node in now.items() if key in _OF_A_CONSTANT or (key == "default" and "when" in now)}
        if isinstance(closed := kept.get("closed"), list) and value in closed:
            kept["closed"] = [value]
        else:
            kept.pop("closed", None)
        spec = _with({**kept, "value": value}, options)
        if spec.keys() == {"value"} and not marked:
            self._yaml.set(keys, value)
        else:
            self._write(keys, "value", spec)

    def set_column(self, field: str, column: str, **options: Option) -> None:
        """Read a field from a column; a field that has been read from one keeps the options that are not given."""
        self._set_source(field, "column", column, options)

    def set_template(self, field: str, template: str, **options: Option) -> None:
        """Write a field from several columns, which the template names in braces."""
        self._set_source(field, "template", template, options)

    def join_columns(self, field: str, columns: Sequence[str], separator: str = "\n\n", **options: Option) -> None:
        """Write a field from several columns, one after the other; raises `UsageError` for a heading with braces."""
        if with_braces := [column for column in columns if {"{", "}"} & set(column)]:
            raise UsageError(
                _(
                    "{column} cannot be joined with other columns: its header contains {{ or }}. Rename it in the"
                    " sheet.",
                    column=with_braces[0],
                )
            )
        between = separator.replace("{", "{{").replace("}", "}}")
        self.set_template(field, between.join(f"{{{column}}}" for column in columns), **options)

    def set_options(self, field: str, **options: Option) -> None:
        """Change keys of a field, and leave its source as it is."""
        now = self._spec(field)
        self._write(_keys_of(field), next((key for key in _SOURCES if key in now), ""), _with(now, options))

    def set_closed(self, statuses: Iterable[str]) -> None:
        """Say which statuses require a solution."""
        self.set_options("status", closed=list(statuses) or None)

    def add_values(self, field: str, values: Mapping[str, str]) -> None:
        """Say what further texts of a field's column are in the CRM; known ones get the new meaning."""
        if not all(text.strip() for text in values):
            raise UsageError(_("Empty cells are not listed in `values`: give the field a default instead."))
        if not {"column", "template"} & self._spec(field).keys():
            raise UsageError(_("{field} is not read from a column, so it has no texts to translate.", field=field))
        known = self._spec(field).get("values")
        self._yaml.set((*_keys_of(field), "values"), {**(known if isinstance(known, dict) else {}), **values})

    def copy(self, field: str, other: str) -> None:
        """Fill a field as another one is filled; `remove` it where that one is not filled."""
        node = self._yaml.get(_keys_of(other))
        if not node:
            self.remove(field)
        else:
            self._yaml.set(_keys_of(field), node)

    def remove(self, field: str) -> None:
        """Do not send a field any more."""
        self._yaml.remove(_keys_of(field))

    def _spec(self, field: str) -> dict[str, Node]:
        """Return the keys of a field, also of one that is written as a constant alone."""
        node = self._yaml.get(_keys_of(field))
        return dict(node) if isinstance(node, dict) else {"value": node} if isinstance(node, str) and node else {}

    def _set_source(self, field: str, source: str, text: str, options: Mapping[str, Option]) -> None:
        now = self._spec(field)
        lasting = _LASTING - ({"join"} if "rows" in now else set())  # what joined rows of another table
        kept = now if source in now else {key: node for key, node in now.items() if key in lasting}
        self._write(_keys_of(field), source, _with({source: text, **_without(kept)}, options))

    def _write(self, keys: Keys, source: str, spec: dict[str, Node]) -> None:
        """Write a field; where its source was another one, that key changes in its place."""
        now = self._yaml.get(keys)
        before = next((key for key in _SOURCES if isinstance(now, dict) and key in now), None)
        if before is not None and before != source:
            self._yaml.rename((*keys, before), source)
        self._yaml.set(keys, spec)

    # ------------------------------------------------------------------------------------------- the rows of the sheet

    def set_key(self, columns: Sequence[str]) -> None:
        """Say which columns identify a row permanently; none: the file has no key, and its content does."""
        single = columns[0] if len(columns) == 1 and columns[0] != "content" else None
        self._yaml.set(("source", "key"), single or [*columns] or "content")

    def set_sheet(self, name: str | None) -> None:
        """Name the sheet to read; None: the first visible one."""
        self._set_or_remove(("source", "sheet"), name)

    def add_heading(self, column: str, heading: str) -> None:
        """Make a heading of the sheet known as that of a column that the mapping names; both are found from then on."""
        found = self._yaml.get(("source", "headings"))
        headings = found if isinstance(found, dict) else {}
        own = next((own for own, others in headings.items() if squeezed(column) in _squeezed(own, others)), column)
        others = headings.get(own, [])
        if squeezed(heading) not in _squeezed(own, others):
            self._yaml.set(("source", "headings", own), [*_listed(others), heading])
        self.use_column(heading)

    def use_column(self, heading: str) -> None:
        """Do not say any more that a column of the sheet is deliberately not sent."""
        if left := [each for each in self._ignored() if not _alike(each, heading)]:
            if len(left) < len(self._ignored()):
                self._yaml.set(("source", "ignore"), left)
        else:
            self._yaml.remove(("source", "ignore"))

    def ignore_column(self, heading: str) -> None:
        """Say that a column of the sheet is deliberately not sent, so that it is not new any more."""
        if not any(_alike(each, heading) for each in self._ignored()):
            self._yaml.set(("source", "ignore"), [*self._ignored(), heading])

    def _ignored(self) -> list[Node]:
        return _listed(self._yaml.get(("source", "ignore")) or [])

    # ---------------------------------------------------------------------------------------------- the file as a whole

    def set_attachments(self, **options: Option) -> None:
        """Change keys of `attachments`, such as `folder` and `columns`."""
        found = self._yaml.get(("attachments",))
        self._yaml.set(("attachments",), _with(found if isinstance(found, dict) else {}, options))

    def remove_attachments(self) -> None:
        """Send no attachments any more."""
        self._yaml.remove(("attachments",))

    def set_import_name(self, name: str) -> None:
        """Name the import; `name_is_locked` tells whether it may still be named."""
        self._yaml.set(("import",), name)

    def set_contacts(self, *, creates: bool, name: str | None = None) -> None:
        """Say whether contacts that the CRM lacks are created; `name` is the column with their names, None to keep it.

        Their other fields stay.
        """
        self._yaml.set(("contacts", "create"), "missing" if creates else "never")
        if name is not None:
            self.set_column("contacts.namecontact", name, required=True)

    def set_updates(self, *, updates: bool) -> None:
        """Say whether a row that was edited updates its case, or is only reported."""
        self._yaml.set(("on_change",), "update" if updates else "report")

    def _set_or_remove(self, keys: Keys, node: Node | None) -> None:
        if node:
            self._yaml.set(keys, node)
        else:
            self._yaml.remove(keys)


def _keys_of(field: str) -> Keys:
    section, dot, name = field.partition(".")
    return (section, name) if dot and section in {"form", "contacts"} else ("fields", field)


def _with(spec: Mapping[str, Node], options: Mapping[str, Option]) -> dict[str, Node]:
    """Return the keys of a section with these options, without those that are None."""
    kept = {key: node for key, node in spec.items() if options.get(key, "") is not None}
    return kept | {key: _node(option) for key, option in options.items() if option is not None}


def _without(spec: Mapping[str, Node]) -> dict[str, Node]:
    """Return the keys of a field without what gives it its value."""
    return {key: node for key, node in spec.items() if key not in _SOURCES}


def _node(option: Option) -> Node:
    if isinstance(option, bool):
        return "true" if option else "false"
    if isinstance(option, str | int):
        return str(option)
    return dict(option) if isinstance(option, Mapping) else [*(option or ())]


def _listed(node: Node) -> list[Node]:
    return [*node] if isinstance(node, list) else [node]


def _squeezed(own: str, others: Node) -> set[str]:
    return {squeezed(str(text)) for text in (own, *_listed(others))}


def _alike(one: Node, two: str) -> bool:
    return squeezed(str(one)) == squeezed(two)
