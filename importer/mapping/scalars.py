"""The scalars of a mapping: each is the text as written, checked and converted by itself."""

from __future__ import annotations

import codecs
import re
import warnings
from typing import Annotated, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field

from importer.mapping.yaml_words import expression_in_words
from importer.messages import _
from importer.text import is_placeholder

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*(B|KB|MB|GB|KiB|MiB|GiB)?", re.IGNORECASE)
_UNITS = {"b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError(_("blank value"))
    return text


def _not_to_fill_in(text: str) -> str:
    if is_placeholder(text):  # copied from a line that an issue proposes, with `…` for the value
        raise ValueError(_("blank value"))
    return text


def as_list(value: object) -> object:
    """Return a text as a list of one; anything else stays."""
    return [value] if isinstance(value, str) else value


def size(text: object) -> int:
    """Return a size in bytes."""
    parts = _SIZE.fullmatch(text.strip()) if isinstance(text, str) else None
    if parts is None:
        raise ValueError(_("expected a size, such as 10MB"))
    return int(float(parts[1]) * _UNITS[(parts[2] or "B").lower()])


def first_year(text: object) -> int:
    """Return the first of the hundred years that two digits can mean."""
    if not (isinstance(text, str) and re.fullmatch("[1-9][0-9]{3}", text) and int(text) <= 9900):
        raise ValueError(_("expected the first of a hundred years, such as 1930"))
    return int(text)


def _regex(text: str) -> str:
    try:
        with warnings.catch_warnings(
            action="ignore", category=FutureWarning
        ):  # "[[": syntax reserved by a later Python
            re.compile(text)
    except re.error as error:
        raise ValueError(
            _("'{text}' is not a valid regular expression: {problem}", text=text, problem=expression_in_words(error))
        ) from error
    return text


def encoding_name(text: str) -> str:
    """Return the name that Python has for an encoding."""
    try:
        return codecs.lookup(text).name
    except LookupError as error:
        message = _("'{text}' is not an encoding; common ones are utf-8, cp1252, utf-16", text=text)
        raise ValueError(message) from error


def one_delimiter(text: str) -> str:
    """Return the one character that separates cells."""
    if text.lower() == "tab":
        return "\t"
    if len(text) != 1:
        raise ValueError(_("'{text}' is not a delimiter; write one character, or tab", text=text))
    return text


def _zone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (ValueError, OSError, LookupError) as error:
        raise ValueError(_("'{text}' is not a time zone; write it like America/Bogota", text=text)) from error


def _as_key(value: object) -> object:
    return [] if value == "content" else as_list(value)


Text: TypeAlias = Annotated[str, AfterValidator(_not_blank)]
Value: TypeAlias = Annotated[Text, AfterValidator(_not_to_fill_in)]
Texts: TypeAlias = Annotated[tuple[Text, ...], BeforeValidator(as_list), Field(min_length=1)]
Values: TypeAlias = Annotated[tuple[Value, ...], BeforeValidator(as_list), Field(min_length=1)]
Key: TypeAlias = Annotated[tuple[Text, ...], BeforeValidator(_as_key)]
Regex: TypeAlias = Annotated[Text, AfterValidator(_regex)]
Words: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(as_list)]
Zone: TypeAlias = Annotated[Text, AfterValidator(_zone)]
Count: TypeAlias = Annotated[int, Field(ge=1)]
