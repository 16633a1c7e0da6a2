"""Cells that list several files, with another sign between them than the mapping has."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from importer.messages import _
from importer.system.paths import BETWEEN_NAMES
from importer.text import as_sent, yaml_quoted

_MOST_LOOKED_FOR = 50  # names of a cell, for each sign that may be between them
_MOST_NAMED = 5
_LIKE_A_FILE = re.compile(r".*[^\s.]\.[A-Za-z][A-Za-z0-9]{0,7}", re.DOTALL)


@dataclass(frozen=True, slots=True)
class ListedNames:
    """What a text with several names has between them, which of their files are there, and whether all are."""

    sign: str
    there: tuple[str, ...]
    are_all_there: bool


def listed_in(text: str, is_there: Callable[[str], bool]) -> ListedNames | None:
    """Return the names that a text lists, None where it seems to be one name.

    It lists several where a sign splits it into names of which files are there, or which all look like those of files.
    """
    likely: ListedNames | None = None
    for sign in BETWEEN_NAMES:
        names = [part.strip() for part in text.split(sign) if as_sent(part)]
        if len(names) < 2:
            continue
        there = tuple(filter(is_there, names[:_MOST_LOOKED_FOR]))
        if len(there) == len(names):
            return ListedNames(sign, there, are_all_there=True)
        better = there and not (likely and likely.there)
        if better or (likely is None and all(map(_LIKE_A_FILE.fullmatch, names))):
            likely = ListedNames(sign, there, are_all_there=False)
    return likely


def how_to_list(sign: str, separator: str | None) -> str:
    """Return how a cell lists several files: by what the mapping lacks, or with the separator that it has.

    `sign` is what the cell has between its names.
    """
    if separator:
        return _(
            "Write one file name; if a cell lists several, separate their names with {separator}",
            separator=_shown(separator),
        )
    return _(
        "Write one file name; if a cell lists several, add to `attachments`: `separator: {separator}`",
        separator=yaml_quoted(sign),
    )


def how_to_list_those(listed: ListedNames, separator: str | None) -> str:
    """Return how a cell lists several files, with the names of those that are there."""
    if not listed.there:
        return how_to_list(listed.sign, separator)
    names = ", ".join(listed.there[:_MOST_NAMED]) + (", …" if len(listed.there) > _MOST_NAMED else "")
    if separator:
        return _(
            "The attachments folder has {names}; if the cell lists several files, separate their names with"
            " {separator}",
            names=names,
            separator=_shown(separator),
        )
    return _(
        "The attachments folder has {names}; if the cell lists several files, add to `attachments`:"
        " `separator: {separator}`",
        names=names,
        separator=yaml_quoted(listed.sign),
    )


def _shown(separator: str) -> str:
    """Return a separator as a person types it."""
    if separator == "\n":
        return _("a line break")
    is_plain = separator.isprintable() and separator == separator.strip()
    return f"`{separator}`" if is_plain else f"`{yaml_quoted(separator)}`"
