"""What the keys of a mapping mean together: what is demanded, what goes with what, what can never be used."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from importer.errors import MappingFault
from importer.mapping import fields
from importer.mapping.converters import formats
from importer.mapping.converters.types import COUNTRIES, MOMENTS, NUMBERS, TEXTUAL, constant
from importer.mapping.document import Places, Steps, dotted
from importer.mapping.grammar import DATE_FORMATS, FieldSpec, FileList, MappingFile, Source
from importer.mapping.refusal import Refused
from importer.mapping.words import did_you_mean
from importer.messages import _

DEMANDED = ("case-type", "responsible", "owner", "contact", "description", "status", "priority")
"""The fields that the CRM demands of every case (the vendor's page)."""

_ONLY_FOR: Mapping[str, frozenset[str]] = {
    "format": MOMENTS | {"phone", "multi-select"},
    "read": MOMENTS,
    "decimal_sign": NUMBERS,
    "country": frozenset({"phone"}),
    "separator": frozenset({"multi-select"}),
    "allowed": TEXTUAL | {"multi-select"},
    "known": TEXTUAL,
    "join": TEXTUAL,
    **dict.fromkeys(("upper", "lower", "truncate", "pattern", "min_length", "max_length"), TEXTUAL),
}
"""The keys that mean something for some types only; `read` and `decimal_sign` also serve templates."""

_OF_A_CELL = ("strip", "values", "lookup", "read", "decimal_sign", "join")
_NOT_IN_OBJECTS = ("object", "required", "closed", "join")
_CLOCKS = ("HH:mm:ss", "HH:mm")
_FORMATS: Mapping[str, tuple[str, ...]] = {
    "date": DATE_FORMATS,
    "datetime": (*(f"{form} {clock}" for form in DATE_FORMATS for clock in _CLOCKS), *DATE_FORMATS),
    "time": _CLOCKS,
    "phone": ("international", "national"),
    "multi-select": ("array", "text"),
}


class Told(NamedTuple):
    """A fault at a path; `missing` where the path is that of a key which is not there."""

    path: Steps
    message: str
    missing: bool = False


def check(mapping: MappingFile, places: Places, cut: Collection[Steps]) -> list[MappingFault]:
    """Return the faults that show once every key is sound by itself.

    `cut` are the paths of what was faulty by itself: what is missing only because of that has been told.
    """
    told = [*_whole(mapping), *_source(mapping), *_attachments(mapping), *_marks(mapping, cut)]
    for path, spec in all_fields(mapping):
        told += _field(spec, path, mapping)
    return [places.fault(t.path, t.message) for t in told if not (t.missing and _cut_away(t.path, cut))]


def _cut_away(path: Steps, cut: Collection[Steps]) -> bool:
    return any(path[: len(faulty)] == faulty[: len(path)] for faulty in cut)


def all_fields(mapping: MappingFile) -> Iterator[tuple[Steps, FieldSpec]]:
    """Yield every field with its path in the file, the case's own first."""
    yield from ((("fields", name), spec) for name, spec in mapping.fields.named().items())
    yield from ((("form", name), spec) for name, spec in mapping.form.items())


def _lacks(path: Steps, message: str) -> Told:
    return Told(path, message, missing=True)


def _whole(mapping: MappingFile) -> Iterator[Told]:
    if mapping.version is None:
        yield _lacks(("version",), _("version is missing; the file begins with version: 1"))
    if mapping.import_ is None:
        yield _lacks(("import",), _("import is missing: the lasting name of this import"))
    for name in DEMANDED:
        if name not in mapping.fields.named():
            yield _lacks(("fields", name), _("{field} is missing, and the CRM demands it", field=name))


def _source(mapping: MappingFile) -> Iterator[Told]:
    source = mapping.source
    if source.key is None:
        hint = _("key is missing: the column that makes a row itself for ever, or content where the file has none")
        yield _lacks(("source", "key"), hint)
    if source.keep and source.key == ():
        yield Told(("source", "keep"), _("keep needs a key column, and key is content"))
    if source.keep and source.group:
        yield Told(("source", "group"), _("keep and group exclude each other: one drops rows, the other joins them"))


def _attachments(mapping: MappingFile) -> Iterator[Told]:
    files = mapping.attachments
    if files is None:
        return
    here = ("attachments",)
    if files.folder is None:
        yield _lacks((*here, "folder"), _("folder is missing: the folder that holds the files"))
    if not (files.columns or files.patterns or files.list_):
        yield _lacks((*here, "columns"), _("name columns, patterns or a list that tell each row's files"))
    if files.separator == "":
        yield Told((*here, "separator"), _("this is blank; write what stands between file names, or remove the line"))
    for number, pattern in enumerate(files.patterns or ()):
        if fault := _template_fault(pattern):
            yield Told((*here, "patterns", number), fault)
    if files.list_ is not None:
        yield from _list(files.list_, mapping.source)


def _list(table: FileList, source: Source) -> Iterator[Told]:
    here = ("attachments", "list")
    for key in ("key", "path"):
        if getattr(table, key) is None:
            yield _lacks((*here, key), _("{key} is missing: a column of the list", key=key))
    if table.match is None and len(source.key or ()) != 1:
        yield _lacks((*here, "match"), _("match is missing: the source's column that `key` is compared with"))


def _marks(mapping: MappingFile, cut: Collection[Steps]) -> Iterator[Told]:
    """Check the names of fields that carry the reference or the files' names."""
    specs = {dotted(path).removeprefix("fields."): spec for path, spec in all_fields(mapping)}
    carriers = [name for name in specs if name == "description" or name.startswith("form.")]
    faulty = {dotted(path[:2]).removeprefix("fields.") for path in cut}
    names: dict[Steps, str | None] = {("reference",): mapping.reference}
    if mapping.attachments:
        names["attachments", "names_in"] = mapping.attachments.names_in
    for path, name in names.items():
        if name is None or name in faulty:
            continue
        if name not in carriers:
            hint = did_you_mean(name, carriers)
            yield Told(path, _("'{name}' is no text field of this mapping; {hint}", name=name, hint=hint))
        elif specs[name].type not in {"text", "html"} or specs[name].object is not None:
            yield Told(path, _("{name} cannot hold it: its type is not text", name=name))


def _field(spec: FieldSpec, path: Steps, mapping: MappingFile) -> Iterator[Told]:
    sources = [key for key in ("value", "column", "template", "object") if getattr(spec, key) is not None]
    if len(sources) != 1:
        yield from _sources(path, sources)
        return
    if path[0] == "fields" and path[-1] in DEMANDED and spec.required is False:
        yield Told((*path, "required"), _("the CRM demands this field; remove the line"))
    if spec.closed and path != ("fields", "status"):
        yield Told((*path, "closed"), _("closed belongs to fields.status"))
    if spec.join is not None and not mapping.source.group:
        yield Told((*path, "join"), _("join needs source.group: the columns that are equal in rows of one case"))
    if spec.object is not None:
        yield from _object(spec, path, mapping)
        return
    yield from _options(spec, path)
    yield from _values(spec, path)
    yield from _tables(spec, path)


def _sources(path: Steps, sources: list[str]) -> Iterator[Told]:
    if sources:
        names = ", ".join(sources)
        yield Told((*path, sources[1]), _("a field has one source, and here are {names}; keep one", names=names))
    else:
        yield _lacks(path, _("the field has no source: write a constant, or name a column, template or object"))


def _object(spec: FieldSpec, path: Steps, mapping: MappingFile) -> Iterator[Told]:
    properties = spec.object or {}
    for key in sorted(spec.model_fields_set - {"object", "when", "required"}):
        yield Told((*path, key), _("{key} belongs to the object's properties, not to the object", key=key))
    kind = properties.get("type")
    if kind is None or kind.value is None:
        yield _lacks((*path, "object", "type"), _("an object needs its type as a constant, such as type: address"))
    for name, inner in properties.items():
        here = (*path, "object", name)
        for key in _NOT_IN_OBJECTS:
            if key in inner.model_fields_set:
                yield Told((*here, key), _("{key} has no meaning inside an object", key=key))
        if inner.object is None:
            yield from _field(inner, here, mapping)


def _options(spec: FieldSpec, path: Steps) -> Iterator[Told]:
    given = spec.model_fields_set
    for key, types in _ONLY_FOR.items():
        serves_template = key in {"read", "decimal_sign"} and spec.template is not None
        if key in given and spec.type not in types and not serves_template:
            wanted = ", ".join(sorted(types))
            message = _("{key} goes with type {wanted}, and this is {type}", key=key, wanted=wanted, type=spec.type)
            yield Told((*path, key), message)
    if spec.value is not None:
        for key in _OF_A_CELL:
            if key in given:
                yield Told((*path, key), _("{key} is never used: the field is a constant", key=key))
    if spec.template is not None and (fault := _template_fault(spec.template)):
        yield Told((*path, "template"), fault)
    yield from _formats(spec, path)
    if spec.upper and spec.lower:
        yield Told((*path, "lower"), _("upper and lower exclude each other"))
    if spec.min_length and spec.max_length and spec.min_length > spec.max_length:
        yield Told((*path, "min_length"), _("min_length is above max_length"))


def _formats(spec: FieldSpec, path: Steps) -> Iterator[Told]:
    known = _FORMATS.get(spec.type, ())
    if spec.format and known and spec.format not in known:
        hint = did_you_mean(spec.format, known)
        yield Told(
            (*path, "format"), _("'{format}' is no format of the CRM here; {hint}", format=spec.format, hint=hint)
        )
    needed = "hour" if spec.type == "time" else "year"
    for number, form in enumerate(spec.read or ()):
        try:
            parts = " ".join(formats.reader(form).groupindex)
        except ValueError as error:
            yield Told((*path, "read", number), str(error))
            continue
        if needed not in parts:
            yield Told((*path, "read", number), _("'{format}' names no {part}", format=form, part=needed))
    if spec.type == "phone" and spec.country is None:
        yield _lacks((*path, "country"), _("a phone needs its country, such as country: CO"))
    if spec.country is not None and spec.country not in COUNTRIES:
        hint = _("known here: {names}", names=", ".join(COUNTRIES))
        yield Told(
            (*path, "country"), _("'{country}' is no country that is known; {hint}", country=spec.country, hint=hint)
        )
    if spec.type == "multi-select" and not spec.separator:
        yield _lacks((*path, "separator"), _('a multi-select needs its separator, such as separator: ";"'))
    if spec.type == "list" and not spec.allowed:
        yield _lacks((*path, "allowed"), _("a list needs its options: allowed: [...]"))


def _values(spec: FieldSpec, path: Steps) -> Iterator[Told]:
    """Check that what the mapping writes itself is what the mapping allows."""
    written = {(*path, key): text for key in ("value", "default") if (text := getattr(spec, key)) is not None}
    for where, text in written.items():
        try:
            constant(spec, text)
        except Refused as refused:
            yield Told(where, str(refused))
    if spec.values == {}:
        yield _lacks((*path, "values"), _("this is blank; write what the cells' texts are in the CRM"))
    if not spec.lookup:
        written |= {(*path, "values", text): value for text, value in (spec.values or {}).items()}
    written |= {(*path, "closed"): text for text in spec.closed or ()}
    for where, text in written.items():
        if spec.allowed and spec.type != "multi-select" and text not in spec.allowed:
            hint = did_you_mean(text, spec.allowed)
            yield Told(where, _("'{value}' is not in allowed; {hint}", value=text, hint=hint))


def _tables(spec: FieldSpec, path: Steps) -> Iterator[Told]:
    if spec.lookup is not None:
        for key in ("key", "value"):
            if getattr(spec.lookup, key) is None:
                yield _lacks((*path, "lookup", key), _("{key} is missing: a column of the lookup table", key=key))
    if spec.known is not None and spec.known.column is None:
        yield _lacks((*path, "known", "column"), _("column is missing: the column of the table with the known values"))


def _template_fault(text: str) -> str | None:
    """Return what is wrong with a template, None where nothing is."""
    try:
        fields.parse(text)
    except ValueError as error:
        return str(error)
    return None
