"""The keys of a mapping file that name other tables, how they are read, and conditions on columns."""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from importer.mapping.scalars import Count, Regex, Text, Texts, Value, encoding_name, one_delimiter
from importer.messages import gettext_noop


class SpecModel(BaseModel):
    """A section of the file with keys and values; an unknown key is a fault."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ConditionSpec(SpecModel):
    """The tests of a cell; all that are given must hold. Texts are compared without case and accents."""

    is_: Texts | None = Field(None, alias="is", description=gettext_noop("The cell is this text, or one of these."))
    not_: Texts | None = Field(None, alias="not", description=gettext_noop("The cell is none of these texts."))
    empty: bool | None = Field(None, description=gettext_noop("true: the cell is empty; false: it is not."))
    matches: Regex | None = Field(None, description=gettext_noop("The whole cell matches this regular expression."))

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: object) -> object:
        return {"is": value} if isinstance(value, str | list) else value


def _as_alternatives(value: object) -> object:
    return [value] if isinstance(value, dict) else value


Condition: TypeAlias = Annotated[
    tuple[dict[str, ConditionSpec], ...], BeforeValidator(_as_alternatives), Field(min_length=1)
]


class SheetSpec(SpecModel):
    """How a table is read."""

    sheet: Text | None = Field(None, description=gettext_noop("The sheet; default: the first visible one."))
    header_row: Count | None = Field(
        None, description=gettext_noop("The row of the headers, as Excel numbers it; default: detected.")
    )
    encoding: Annotated[Text, AfterValidator(encoding_name)] | None = Field(
        None, description=gettext_noop("The encoding of a CSV file, such as cp1252; default: detected.")
    )
    delimiter: Annotated[str, AfterValidator(one_delimiter)] | None = Field(
        None, description=gettext_noop("The delimiter of a CSV file: one character, or tab; default: detected.")
    )


class TableSpec(SheetSpec):
    """Where another table is, and how it is read."""

    file: Text | None = Field(
        None, description=gettext_noop("The table's file, relative to the mapping; default: the source itself.")
    )


class LookupSpec(TableSpec):
    """A table in which a cell is looked up."""

    key: Text | None = Field(
        None, description=gettext_noop("The column of that table in which the cell's text is looked up.")
    )
    value: Text | None = Field(None, description=gettext_noop("The column of that table with the value."))
    otherwise: Value | None = Field(
        None,
        description=gettext_noop("The value for every text that the table lacks; a line '*' of the table is the same."),
    )


class KnownSpec(TableSpec):
    """A table of the values that exist in the CRM, such as an export of its contacts or users."""

    column: Text | None = Field(None, description=gettext_noop("The column of that table with the values."))


class FileListSpec(TableSpec):
    """A table that lists the files of each case, as GLPI and osTicket export them."""

    key: Text | None = Field(None, description=gettext_noop("The column of that table with the case's key."))
    match: Text | None = Field(
        None, description=gettext_noop("The source's column that is compared with `key`; default: the source's key.")
    )
    path: Text | None = Field(
        None, description=gettext_noop("The column with each file's path under the attachments folder.")
    )
    name: Text | None = Field(None, description=gettext_noop("The column with each file's display name."))


class RowsSpec(TableSpec):
    """Another table, some of whose rows belong to each row of the source: comments, history, follow-ups."""

    key: Text | None = Field(
        None, description=gettext_noop("The column of that table that says to which row of the source a row belongs.")
    )
    match: Text | None = Field(
        None, description=gettext_noop("The source's column that is compared with `key`; default: the source's key.")
    )
    order: Text | None = Field(
        None,
        description=gettext_noop(
            "The column of that table by which its rows are sorted: dates, numbers or texts; default: as in the file."
        ),
    )
    skip_if: Condition | None = Field(
        None, description=gettext_noop("Conditions on columns of that table; rows that meet them are left out.")
    )
