"""What the keys of a mapping mean together: which are required, which exclude each other, which have no effect."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from phonenumbers import SUPPORTED_REGIONS

from importer.errors import MappingFault
from importer.mapping.converters import formats
from importer.mapping.converters.types import DATES_AND_TIMES, NUMBERS, SINGLE_TEXTS, constant
from importer.mapping.converters.zones import EPOCH
from importer.mapping.document import SourceMap, Steps, dotted
from importer.mapping.findings import Finding, missing, template_fault
from importer.mapping.grammar import DATE_FORMATS, FieldSpec, MappingFile, SourceSpec
from importer.mapping.refusal import Refused
from importer.mapping.row_checks import rows_findings, transcript_findings
from importer.mapping.table_grammar import FileListSpec
from importer.mapping.words import did_you_mean
from importer.messages import _
from importer.system.paths import between_paths
from importer.text import squeezed, yaml_quoted

REQUIRED = ("case-type", "responsible", "owner", "contact", "description", "status", "priority")
"""The fields that the CRM requires of every case (the vendor's page)."""

REQUIRED_KEYS: Mapping[str, tuple[str, ...]] = {
    "MappingFile": ("version", "import", "source", "fields"),
    "CaseFields": REQUIRED,
    "SourceSpec": ("key",),
    "LookupSpec": ("key", "value"),
    "KnownSpec": ("column",),
    "FileListSpec": ("key", "path"),
    "RowsSpec": ("key",),
    "TranscriptSpec": ("name", "rows", "template"),
}
"""The keys that each part of the grammar needs, by the part's name."""

CONTACTS = "contacts"
"""Where the fields of a contact are in the file, and how their paths begin: `contacts.namecontact`."""

_ONLY_FOR: Mapping[str, frozenset[str]] = {
    "format": DATES_AND_TIMES | {"phone", "multi-select"},
    "read": DATES_AND_TIMES,
    "zone": DATES_AND_TIMES - {"time"},
    "century": frozenset({"date", "datetime"}),
    "decimal_sign": NUMBERS,
    "country": frozenset({"phone"}),
    "separator": frozenset({"multi-select"}),
    "allowed": SINGLE_TEXTS | {"multi-select"},
    "known": SINGLE_TEXTS,
    "join": SINGLE_TEXTS,
    **dict.fromkeys(("upper", "lower", "truncate", "pattern", "min_length", "max_length"), SINGLE_TEXTS),
}
"""The keys for some types only; those in `_FOR_SLOTS` are for templates, too."""

_FOR_SLOTS = frozenset({"read", "zone", "century", "decimal_sign"})
_FOR_CELLS = ("strip", "values", "lookup", "read", "zone", "century", "decimal_sign", "join")
_NOT_IN_OBJECTS = ("object", "required", "closed", "join", "take", "rows")
_CLOCKS = ("HH:mm:ss", "HH:mm")
_FORMATS: Mapping[str, tuple[str, ...]] = {
    "date": DATE_FORMATS,
    "datetime": (*(f"{form} {clock}" for form in DATE_FORMATS for clock in _CLOCKS), *DATE_FORMATS),
    "time": _CLOCKS,
    "phone": ("international", "national"),
    "multi-select": ("array", "text"),
}


def check(mapping: MappingFile, source_map: SourceMap, cut: Collection[Steps]) -> list[MappingFault]:
    """Return the faults of keys that are valid by themselves.

    `cut` are the paths of the parts with faults of their own, which were removed: they are not reported as missing.
    """
    findings = [*_whole(mapping), *_source(mapping), *_attachments(mapping), *_marks(mapping, cut)]
    for path, spec in all_fields(mapping):
        findings += _field(spec, path, mapping)
    return [source_map.fault(f.path, f.message) for f in findings if not (f.missing and _was_cut(f.path, cut))]


def _was_cut(path: Steps, cut: Collection[Steps]) -> bool:
    return any(path[: len(faulty)] == faulty[: len(path)] for faulty in cut)


def all_fields(mapping: MappingFile) -> Iterator[tuple[Steps, FieldSpec]]:
    """Yield every field with its path in the file: the case's own first, those of its contact last."""
    yield from fields_of_case(mapping)
    if mapping.contacts is not None:
        yield from (((CONTACTS, name), spec) for name, spec in (mapping.contacts.model_extra or {}).items())


def fields_of_case(mapping: MappingFile) -> Iterator[tuple[Steps, FieldSpec]]:
    """Yield the fields that a case is made of, each with its path in the file, the case's own first."""
    yield from ((("fields", name), spec) for name, spec in mapping.fields.named().items())
    yield from ((("form", name), spec) for name, spec in mapping.form.items())


def field_path(path: Steps) -> str:
    """Return the path of a field of the file by which the program knows it: `contact`, `form.Subject`."""
    return dotted(path).removeprefix("fields.")


def _whole(mapping: MappingFile) -> Iterator[Finding]:
    if mapping.version is None:
        yield missing(("version",), _("version is missing; begin the file with version: 1"))
    if mapping.import_ is None:
        yield missing(("import",), _("import is missing: the permanent name of this import"))
    for name in REQUIRED:
        if name not in mapping.fields.named():
            yield missing(("fields", name), _("{field} is missing; the CRM requires it", field=name))


def _source(mapping: MappingFile) -> Iterator[Finding]:
    source = mapping.source
    if source.key is None:
        hint = _("key is missing: the column that identifies a row permanently, or content if the file has none")
        yield missing(("source", "key"), hint)
    yield from _headings(source.headings or {})
    if source.keep and source.key == ():
        yield Finding(("source", "keep"), _("keep needs a key column, but key is content"))
    if source.keep and source.group:
        yield Finding(("source", "group"), _("keep and group exclude each other: one drops rows, the other joins them"))


def _headings(headings: Mapping[str, Sequence[str]]) -> Iterator[Finding]:
    """Check that each heading means one column."""
    owners = {squeezed(column): column for column in headings}
    for column, others in headings.items():
        for number, heading in enumerate(others):
            owner = owners.setdefault(squeezed(heading), column)
            if owner != column:
                message = _("'{heading}' is already a header of '{column}'", heading=heading, column=owner)
                yield Finding(("source", "headings", column, number), message)


def _attachments(mapping: MappingFile) -> Iterator[Finding]:
    files = mapping.attachments
    if files is None:
        return
    here = ("attachments",)
    names_files = bool(files.columns or files.patterns or files.list_)
    if files.transcript is not None:
        yield from transcript_findings(files.transcript, mapping.source)
    if files.folder is None and (names_files or files.transcript is None):
        yield missing((*here, "folder"), _("folder is missing: the folder with the files"))
    if not names_files and (files.folder is not None or files.transcript is None):
        yield missing(
            (*here, "columns"), _("columns is missing: name columns, patterns or a list with each row's files")
        )
    if files.separator == "":
        yield Finding(
            (*here, "separator"), _("blank value; write the separator between file names, or remove the line")
        )
    yield from _prefixes(files.strip_prefix or ())
    for number, pattern in enumerate(files.patterns or ()):
        if fault := template_fault(pattern):
            yield Finding((*here, "patterns", number), fault)
    if files.list_ is not None:
        yield from _list(files.list_, mapping.source)


def _prefixes(prefixes: Sequence[str]) -> Iterator[Finding]:
    """Refuse what would take a whole file off the beginning of a cell that lists several."""
    for number, prefix in enumerate(prefixes):
        if sign := between_paths(prefix, sure=True):
            message = _(
                "'{prefix}' contains several paths; write only the folders before the names of the files, each as an"
                " item of its own, and if cells list several files, add to `attachments`: `separator: {separator}`",
                prefix=prefix,
                separator=yaml_quoted(sign),
            )
            yield Finding(("attachments", "strip_prefix", number), message)


def _list(table: FileListSpec, source: SourceSpec) -> Iterator[Finding]:
    here = ("attachments", "list")
    for key in ("key", "path"):
        if getattr(table, key) is None:
            yield missing((*here, key), _("{key} is missing: a column of the list", key=key))
    if table.match is None and len(source.key or ()) != 1:
        yield missing((*here, "match"), _("match is missing: the source's column that `key` is compared with"))


def _marks(mapping: MappingFile, cut: Collection[Steps]) -> Iterator[Finding]:
    """Check the names of the fields for the reference and for the file names."""
    specs = {field_path(path): spec for path, spec in fields_of_case(mapping)}
    carriers = [name for name in specs if name == "description" or name.startswith("form.")]
    faulty = {field_path(path[:2]) for path in cut}
    names: dict[Steps, str | None] = {("reference",): mapping.reference}
    if mapping.attachments:
        names["attachments", "names_in"] = mapping.attachments.names_in
    for path, name in names.items():
        if name is None or name in faulty:
            continue
        if name not in carriers:
            hint = did_you_mean(name, carriers)
            yield Finding(path, _("'{name}' is not a text field of this mapping; {hint}", name=name, hint=hint))
        elif specs[name].type not in {"text", "html"} or specs[name].object is not None:
            yield Finding(path, _("{name} cannot be used here: its type is not text", name=name))


def _field(spec: FieldSpec, path: Steps, mapping: MappingFile) -> Iterator[Finding]:
    sources = [key for key in ("value", "column", "template", "object") if getattr(spec, key) is not None]
    if len(sources) != 1:
        yield from (
            _sources(path, sources, is_required=bool(spec.required))
            if sources or spec.rows is None
            else rows_findings(spec, path, mapping.source)
        )
        return
    if path[0] == "fields" and path[-1] in REQUIRED and spec.required is False:
        yield Finding((*path, "required"), _("the CRM requires this field; remove the line"))
    if spec.closed and path != ("fields", "status"):
        yield Finding((*path, "closed"), _("closed is only for fields.status"))
    for key in ("join", "take") if not mapping.source.group else ():
        if getattr(spec, key) is not None and not (key == "join" and spec.rows is not None):
            yield Finding(
                (*path, key), _("{key} needs source.group: the columns that are equal in rows of one case", key=key)
            )
    if spec.join is not None and spec.take is not None:
        yield Finding((*path, "take"), _("take and join exclude each other: one row speaks, or all of them do"))
    if spec.object is not None:
        yield from _object(spec, path, mapping)
        return
    if spec.rows is not None:
        yield from rows_findings(spec, path, mapping.source)
    if EPOCH in (spec.read or ()) and not (spec.zone or mapping.source.zone):
        yield Finding((*path, "read"), _("epoch needs the zone of the cases: add zone: America/Bogota to source"))
    yield from _options(spec, path)
    yield from _values(spec, path)
    yield from _tables(spec, path)


def _sources(path: Steps, sources: list[str], *, is_required: bool) -> Iterator[Finding]:
    if sources:
        names = ", ".join(sources)
        yield Finding((*path, sources[1]), _("a field needs exactly one source, not {names}; keep one", names=names))
    elif is_required:
        hint = _("the module requires this field, which has no source: write a constant, or name a column or template")
        yield missing(path, hint)
    else:
        yield missing(path, _("the field has no source: write a constant, or name a column, template or object"))


def _object(spec: FieldSpec, path: Steps, mapping: MappingFile) -> Iterator[Finding]:
    properties = spec.object or {}
    for key in sorted(spec.model_fields_set - {"object", "when", "required", "take"}):
        yield Finding((*path, key), _("{key} belongs to the properties of an object, not to the object", key=key))
    kind = properties.get("type")
    if kind is None or kind.value is None:
        yield missing((*path, "object", "type"), _("an object needs its type as a constant, such as type: address"))
    for name, inner in properties.items():
        here = (*path, "object", name)
        for key in _NOT_IN_OBJECTS:
            if key in inner.model_fields_set:
                yield Finding((*here, key), _("{key} is not allowed inside an object", key=key))
        if inner.object is None:
            yield from _field(inner, here, mapping)


def _options(spec: FieldSpec, path: Steps) -> Iterator[Finding]:
    given = spec.model_fields_set
    for key, types in _ONLY_FOR.items():
        serves_template = key in _FOR_SLOTS and spec.template is not None
        if key in given and spec.type not in types and not serves_template:
            names = ", ".join(sorted(types))
            message = _("{key} is only for type {types}, but this is {type}", key=key, types=names, type=spec.type)
            yield Finding((*path, key), message)
    if spec.value is not None:
        for key in _FOR_CELLS:
            if key in given:
                yield Finding((*path, key), _("{key} has no effect: the field is a constant", key=key))
    if spec.template is not None and (fault := template_fault(spec.template)):
        yield Finding((*path, "template"), fault)
    yield from _formats(spec, path)
    yield from _needs_of_type(spec, path)
    if spec.upper and spec.lower:
        yield Finding((*path, "lower"), _("upper and lower exclude each other"))
    if spec.min_length and spec.max_length and spec.min_length > spec.max_length:
        yield Finding((*path, "min_length"), _("min_length is greater than max_length"))


def _formats(spec: FieldSpec, path: Steps) -> Iterator[Finding]:
    known = _FORMATS.get(spec.type, ())
    if spec.format and known and spec.format not in known:
        hint = did_you_mean(spec.format, known)
        message = _("'{format}' is not a valid format for this type; {hint}", format=spec.format, hint=hint)
        yield Finding((*path, "format"), message)
    for number, form in enumerate(spec.read or ()):
        if form == EPOCH and spec.type != "time":
            continue
        try:
            parts = formats.reader(form).groupindex
        except ValueError as error:
            yield Finding((*path, "read", number), str(error))
            continue
        if spec.type == "time" and "hour" not in parts:
            yield Finding((*path, "read", number), _("'{format}' has no hour", format=form))
        if spec.type != "time" and not {"year", "short_year"} & parts.keys():
            yield Finding((*path, "read", number), _("'{format}' has no year", format=form))
    serves = spec.type in _ONLY_FOR["century"] or spec.template is not None
    if serves and "century" in spec.model_fields_set and not any(map(_has_short_year, spec.read or ())):
        hint = _("century has no effect without a year of two digits in read, such as read: DD/MM/YY")
        yield Finding((*path, "century"), hint)


def _has_short_year(form: str) -> bool:
    return "YY" in form.replace("YYYY", "")


def _needs_of_type(spec: FieldSpec, path: Steps) -> Iterator[Finding]:
    if spec.type == "phone" and spec.country is None:
        yield missing((*path, "country"), _("a phone needs its country, such as country: CO"))
    if spec.country is not None and spec.country not in SUPPORTED_REGIONS:
        message = _("'{country}' is not a country code; write two capital letters, such as CO", country=spec.country)
        yield Finding((*path, "country"), message)
    if spec.type == "multi-select" and not spec.separator:
        yield missing((*path, "separator"), _('a multi-select needs its separator, such as separator: ";"'))
    if spec.type == "list" and not spec.allowed:
        yield missing((*path, "allowed"), _("a list needs its options: allowed: [...]"))


def _values(spec: FieldSpec, path: Steps) -> Iterator[Finding]:
    """Check that the mapping's own values are values that it allows."""
    written = {(*path, key): text for key in ("value", "default") if (text := getattr(spec, key)) is not None}
    for where, text in written.items():
        try:
            constant(spec, text)
        except Refused as refused:
            yield Finding(where, str(refused))
    if spec.values == {}:
        yield missing((*path, "values"), _("blank value; write the CRM's value for each text of the cells"))
    if spec.lookup and spec.lookup.otherwise is not None:
        written[*path, "lookup", "otherwise"] = spec.lookup.otherwise
    elif not spec.lookup:
        written |= {(*path, "values", text): value for text, value in (spec.values or {}).items()}
    for where, text in written.items():
        if spec.allowed and spec.type != "multi-select" and text not in spec.allowed:
            hint = did_you_mean(text, spec.allowed)
            yield Finding(where, _("'{value}' is not in allowed; {hint}", value=text, hint=hint))
    yield from _closed(spec, path)


def _closed(spec: FieldSpec, path: Steps) -> Iterator[Finding]:
    """Check that each closed status is one that the field can have: a misspelt one would never demand a solution."""
    possible = _possible(spec)
    for number, text in enumerate(spec.closed or ()):
        if possible and text not in possible:
            named = {"value": text, "hint": did_you_mean(text, possible)}
            message = (
                _("'{value}' is not in allowed; {hint}", **named)
                if spec.allowed
                else _("no cell becomes '{value}' by this mapping; {hint}", **named)
            )
            yield Finding((*path, "closed", number), message)


def _possible(spec: FieldSpec) -> Sequence[str]:
    """Return the only values that a field can have, none where its cells decide."""
    if spec.allowed:
        return spec.allowed
    if spec.value is not None:
        given = [spec.value]
    elif spec.values and not spec.lookup:
        change = str.upper if spec.upper else str.lower if spec.lower else str
        given = [change(text)[: spec.truncate] for text in spec.values.values()]
    else:
        return ()
    return tuple(dict.fromkeys([*given, spec.default] if spec.default is not None else given))


def _tables(spec: FieldSpec, path: Steps) -> Iterator[Finding]:
    if spec.lookup is not None:
        for key in ("key", "value"):
            if getattr(spec.lookup, key) is None:
                yield missing((*path, "lookup", key), _("{key} is missing: a column of the lookup table", key=key))
    if spec.known is not None and spec.known.column is None:
        yield missing((*path, "known", "column"), _("column is missing: the column of the table with the known values"))
