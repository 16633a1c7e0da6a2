"""Cells that list several files, with another sign between them than the mapping has."""

from __future__ import annotations

from importer.messages import _
from importer.text import yaml_quoted


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


def _shown(separator: str) -> str:
    """Return a separator as a person types it."""
    if separator == "\n":
        return _("a line break")
    is_plain = separator.isprintable() and separator == separator.strip()
    return f"`{separator}`" if is_plain else f"`{yaml_quoted(separator)}`"
