"""The keys of a mapping file, as pydantic models; every scalar arrives as the text as written.

The models know each key by itself: its name, its type, its description. `checks` knows what keys mean together and
which of them are required, so that a fault in one place never hides those in another.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema, model_validator

from importer.mapping.scalars import Count, Key, Regex, Text, Texts, Value, Values, Words, Zone, first_year, size
from importer.mapping.table_grammar import (
    Condition,
    FileListSpec,
    KnownSpec,
    LookupSpec,
    RowsSpec,
    SheetSpec,
    SpecModel,
)
from importer.messages import gettext_noop

TYPES = (
    "text", "email", "phone", "url", "html", "list", "multi-select", "date", "datetime", "time",
    "integer", "decimal", "currency", "boolean",
)  # fmt: skip
"""The types of a field."""

DATE_FORMATS = ("YYYY-MM-DD", "YYYY-DD-MM", "DD-MM-YYYY", "MM-DD-YYYY")
"""The formats of a date field of the CRM (the vendor's page on custom modules)."""

QUERY_FIELDS = (
    "status", "priority", "email contact", "name contact", "contact wolkvox id", "contact identification",
    "contact phone", "description", "idCase", "idPrefijo", "companyName", "company name", "company id", "prefix",
    "reopened", "responsible name", "responsible user", "responsible id", "owner name", "owner user", "owner id",
    "solution", "wolkvox-id", "type case", "case expired", "reason",
)  # fmt: skip
"""The fields by which queryCases can search (the vendor's page)."""


class FieldSpec(SpecModel):
    """Where a field's value comes from, and how it is converted. A plain text is a constant."""

    value: Value | None = Field(None, description=gettext_noop("A constant: a value of the CRM."))
    column: Text | None = Field(None, description=gettext_noop("The source's column that the value is read from."))
    template: Text | None = Field(
        None,
        description=gettext_noop(
            "A text with {{Column}}, {{Column:DD/MM/YYYY}} or {{Column:#,##0.00}} in it; {{{{ is a brace."
        ),
    )
    rows: RowsSpec | None = Field(
        None,
        description=gettext_noop(
            "Another table whose rows the field is made of, each by the template: comments, history. Its columns are"
            " those of that table."
        ),
    )
    object: dict[str, FieldSpec] | None = Field(
        None, description=gettext_noop("A JSON object: its `type`, and properties written like fields.")
    )
    when: Condition | None = Field(
        None, description=gettext_noop("Conditions on columns; where they do not hold, the field is empty.")
    )
    strip: str | None = Field(
        None,
        description=gettext_noop(
            "false: keep the white space around a text; other characters: remove these from its ends, too."
        ),
    )
    default: Value | None = Field(None, description=gettext_noop("The CRM's value for an empty cell."))
    values: dict[str, Value] | None = Field(
        None, description=gettext_noop("The CRM's value for each text of the column; '*' is for all others.")
    )
    lookup: LookupSpec | None = Field(
        None, description=gettext_noop("A table that turns the cell's text into the CRM's value.")
    )
    type: Literal[TYPES] = Field("text", description=gettext_noop("The field's type in the CRM."))  # type: ignore[valid-type]  # one list for grammar and docs
    read: Texts | None = Field(
        None,
        description=gettext_noop(
            "The format of dates or times in text cells, such as DD/MM/YYYY; default: detected. "
            "epoch: the seconds since 1970."
        ),
    )
    zone: Zone | None = Field(
        None,
        description=gettext_noop(
            "The time zone into which moments that name a zone are moved; default: that of source."
        ),
    )
    century: Annotated[int, BeforeValidator(first_year)] = Field(
        1930,
        description=gettext_noop(
            "The first of the hundred years that YY in `read` can mean; 1930: 30 is 1930, and 29 is 2029."
        ),
    )
    decimal_sign: Literal[",", "."] | None = Field(
        None, description=gettext_noop("The decimal sign of numbers in text cells; default: detected.")
    )
    country: Text | None = Field(
        None, description=gettext_noop("The country of phone numbers without a calling code: two letters, such as CO.")
    )
    separator: str | None = Field(
        None, description=gettext_noop("The separator between the options in a multi-select cell.")
    )
    format: Text | None = Field(
        None,
        description=gettext_noop(
            "The format of the CRM's field: a date's order, a phone as international or national, "
            "a multi-select as array or text."
        ),
    )
    upper: bool = Field(default=False, description=gettext_noop("true: convert to upper case."))
    lower: bool = Field(default=False, description=gettext_noop("true: convert to lower case."))
    truncate: Count | None = Field(None, description=gettext_noop("Cut the text after this many characters."))
    allowed: Values | None = Field(
        None, description=gettext_noop("The values that the CRM accepts; any other is an issue.")
    )
    known: KnownSpec | None = Field(
        None, description=gettext_noop("A table of the values that exist in the CRM; any other is an issue.")
    )
    pattern: Regex | None = Field(
        None, description=gettext_noop("A regular expression that the whole value must match.")
    )
    min_length: Count | None = Field(None, description=gettext_noop("The minimum number of characters."))
    max_length: Count | None = Field(None, description=gettext_noop("The maximum number of characters."))
    required: bool | None = Field(None, description=gettext_noop("true: an empty value is an issue."))
    closed: Values | None = Field(None, description=gettext_noop("For status: the statuses that require a solution."))
    join: str | None = Field(
        None,
        description=gettext_noop(
            "With source.group or rows: the separator between the texts of the rows that become one case."
        ),
    )
    take: Literal["first", "last"] | None = Field(
        None,
        description=gettext_noop(
            "With source.group: the row of the case that speaks; last: the last filled one. Default: first."
        ),
    )

    @model_validator(mode="before")
    @classmethod
    def _constant(cls, value: Any) -> Any:  # noqa: ANN401 - any YAML node
        return {"value": value} if isinstance(value, str) else value


class CaseFields(SpecModel):
    """The fields that every case has."""

    case_type: FieldSpec | None = Field(
        None,
        alias="case-type",
        description=gettext_noop("Request, Complaints, Claims, Suggestions, or a custom type of the module."),
    )
    responsible: FieldSpec | None = Field(
        None,
        description=gettext_noop(
            "The Wolkvox Email of the user responsible for the case, such as ADMIN_@my_operation."
        ),
    )
    owner: FieldSpec | None = Field(None, description=gettext_noop("The Wolkvox Email of the user who owns the case."))
    contact: FieldSpec | None = Field(None, description=gettext_noop("The e-mail address of an existing contact."))
    description: FieldSpec | None = Field(None, description=gettext_noop("What the case is about."))
    status: FieldSpec | None = Field(None, description=gettext_noop("A status of the module for the case's type."))
    priority: FieldSpec | None = Field(None, description=gettext_noop("A priority of the module for the case's type."))
    solution: FieldSpec | None = Field(
        None, description=gettext_noop("How the case was solved; required by a closed status.")
    )

    def named(self) -> dict[str, FieldSpec]:
        """Return the fields that the mapping has, by their names in the CRM."""
        names = ((name, info.alias or name) for name, info in type(self).model_fields.items())
        return {alias: spec for name, alias in names if (spec := getattr(self, name)) is not None}


class SourceSpec(SheetSpec):
    """The table whose rows become cases."""

    sheet: Text | None = Field(
        None,
        description=gettext_noop("The sheet; default: the first visible one that is not a report of this program."),
    )
    headings: dict[str, Texts] | None = Field(
        None,
        description=gettext_noop(
            "Other headers of a column, by the name that this mapping has for it; its rows stay the same."
        ),
    )
    ignore: Texts | None = Field(
        None, description=gettext_noop("Columns that are left out on purpose, so that they are not reported as new.")
    )
    hidden: Literal["skip", "include"] = Field(
        "skip", description=gettext_noop("Whether hidden and filtered rows are imported.")
    )
    merged: Literal["first", "fill"] = Field(
        "first",
        description=gettext_noop("Merged cells: first: only the first cell has the value; fill: all of them have it."),
    )
    key: Key | None = Field(
        None,
        description=gettext_noop(
            "The column, or columns, that identify a row permanently; content: the file has none."
        ),
    )
    zone: Zone | None = Field(
        None,
        description=gettext_noop(
            "The zone of the cases, such as America/Bogota: moments that name a zone are moved there."
        ),
    )
    skip_if: Condition | None = Field(
        None, description=gettext_noop("Conditions on columns; rows that meet them are skipped.")
    )
    keep: Literal["first", "last"] | None = Field(
        None,
        description=gettext_noop("Which of several rows with the same key becomes the case; the others are skipped."),
    )
    group: Texts | None = Field(
        None,
        description=gettext_noop(
            "Columns whose equal cells join rows into one case; the first of these rows represents it."
        ),
    )


class TargetSpec(SpecModel):
    """Where the cases go; options, the environment and the settings file can name it instead."""

    server: Text | None = Field(None, description=gettext_noop("The CRM's server, such as crm0001.wolkvox.com."))
    operation: Text | None = Field(None, description=gettext_noop("The operation's name."))


def _as_in_fields(key: str) -> Any:  # noqa: ANN401 - whatever the key's type is
    """Return the default and the description of a key that fields have, too."""
    field = FieldSpec.model_fields[key]
    return Field(field.default, description=field.description)


class TranscriptSpec(SpecModel):
    """An attachment that is made of the rows of another table."""

    name: Text | None = Field(
        None,
        description=gettext_noop(
            "Its name, which ends with .txt or .html; it may have {{Column}} of the source in it."
        ),
    )
    rows: RowsSpec | None = Field(None, description=gettext_noop("The table, and which of its rows belong to a case."))
    template: Text | None = Field(
        None, description=gettext_noop("The text of each row, with {{Column}} of that table in it, such as its author.")
    )
    join: str | None = Field(
        None, description=gettext_noop("In a .txt, the separator between the texts of the rows; default: a blank line.")
    )
    type: Literal["text", "html"] = Field(
        "text", description=gettext_noop("html: the cells of that table are HTML, which becomes plain text.")
    )
    read: Texts | None = _as_in_fields("read")
    zone: Zone | None = _as_in_fields("zone")
    century: Annotated[int, BeforeValidator(first_year)] = _as_in_fields("century")
    decimal_sign: Literal[",", "."] | None = _as_in_fields("decimal_sign")


class AttachmentsSpec(SpecModel):
    """The files that go with each case."""

    folder: Text | None = Field(
        None, description=gettext_noop("The folder, or ZIP file, with the files, relative to the source file.")
    )
    columns: Texts | None = Field(
        None, description=gettext_noop("The columns whose cells name files under the folder.")
    )
    separator: str | None = Field(None, description=gettext_noop("The separator between several files in one cell."))
    patterns: Texts | None = Field(
        None,
        description=gettext_noop(
            "Templates of file names with * and ?, such as '{{Ticket}}/*': every matching file is attached."
        ),
    )
    list_: FileListSpec | None = Field(
        None, alias="list", description=gettext_noop("A table that lists the files of each case.")
    )
    none: Words = Field(
        ("", "NO", "N/A", "-"),
        description=gettext_noop("The words that mean that there is no file, whatever their case and accents."),
    )
    strip_prefix: Texts | None = Field(
        None,
        description=gettext_noop(
            "Beginnings of paths to remove, such as the folder on another computer; / and \\ are the same."
        ),
    )
    transcript: TranscriptSpec | None = Field(
        None,
        description=gettext_noop("A file that is made for each case of the rows of another table, such as comments."),
    )
    names_in: Text | None = Field(
        None, description=gettext_noop("The field at whose end the file names are listed: description or form.NAME.")
    )
    max_size: Annotated[int, BeforeValidator(size), WithJsonSchema({"type": "string"})] = Field(
        10_000_000, description=gettext_noop("The largest file, such as 10MB.")
    )
    missing: Literal["invalid", "send_without"] = Field(
        "invalid",
        description=gettext_noop(
            "What to do about a missing file: the row is invalid, or the case is sent without it."
        ),
    )


class ContactsSpec(SpecModel):
    """The contacts of the cases: whether missing ones are created; `model_extra` has their own fields by name."""

    model_config = ConfigDict(extra="allow", frozen=True)
    __pydantic_extra__: dict[str, FieldSpec] = Field(init=False)

    create: Literal["missing", "never"] = Field(
        "never",
        description=gettext_noop("missing: contacts that the CRM does not have are created before their cases."),
    )


class MappingFile(SpecModel):
    """A mapping: how the rows of a spreadsheet become cases of the wolkvox CRM."""

    version: Annotated[Literal["1"], WithJsonSchema({"enum": [1, "1"]})] | None = Field(
        None, description=gettext_noop("The version of this format: 1.")
    )
    import_: Text | None = Field(None, alias="import", description=gettext_noop("The permanent name of the import."))
    source: SourceSpec = Field(
        SourceSpec(), description=gettext_noop("How the table is read, and which of its rows become cases.")
    )
    target: TargetSpec = Field(TargetSpec(), description=gettext_noop("Where the cases go."))
    fields: CaseFields = Field(CaseFields(), description=gettext_noop("The case's own fields."))
    form: dict[str, FieldSpec] = Field(
        {}, description=gettext_noop("The module's additional fields, by their names in the CRM.")
    )
    contacts: ContactsSpec | None = Field(None, description=gettext_noop("The contacts of the cases."))
    attachments: AttachmentsSpec | None = Field(None, description=gettext_noop("The files that go with each case."))
    reference: Text | None = Field(
        None, description=gettext_noop("The field for the row's reference: description, or form.NAME.")
    )
    on_change: Literal["report", "update"] = Field(
        "report",
        description=gettext_noop(
            "What to do about a row that was edited after its case was created: report it, or update the case."
        ),
    )
    search: Literal[QUERY_FIELDS] = Field(  # type: ignore[valid-type]  # one list for grammar and docs
        "email contact", description=gettext_noop("The field by which the CRM is searched to settle an unknown row.")
    )
