"""What a check of the mapping found: apart from the checks, which are in several modules."""

from __future__ import annotations

from typing import NamedTuple

from importer.mapping.document import Steps
from importer.mapping.fields import parse_template


class Finding(NamedTuple):
    """A fault at a path; `missing` if the path is that of a missing key."""

    path: Steps
    message: str
    missing: bool = False


def missing(path: Steps, message: str) -> Finding:
    """Return a fault of a key that is missing."""
    return Finding(path, message, missing=True)


def template_fault(text: str) -> str | None:
    """Return what is wrong with a template, None if nothing is."""
    try:
        parse_template(text)
    except ValueError as error:
        return str(error)
    return None
