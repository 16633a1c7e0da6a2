"""Keys that are long numbers of which a program has kept only the first digits: 2,02611E+13."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from importer.messages import gettext_noop, translated
from importer.model import Issue
from importer.text import unadorned

_EXPONENT = re.compile(r"[+-]?\d(?:[.,](\d+))?e\+(\d{2,3})", re.IGNORECASE | re.ASCII)
"""As programs write it: 12E3, without a sign, is somebody's own name for a ticket."""

_SHORTENED = gettext_noop("Excel has shortened this number, and digits of it are missing")
_SAVE_AGAIN = gettext_noop(
    "Open the sheet in Excel where its numbers are still whole, format the column as number without decimals or as"
    " text, and save it again; or import the workbook (XLSX) itself"
)


def shortened_issues(row: int, columns: Sequence[str], parts: Sequence[str]) -> Iterator[Issue]:
    """Yield an issue for each part of a new key that has an exponent and too few decimals to be the whole number.

    Nobody can tell which number it was, and other numbers have the same text.
    """
    for column, part in zip(columns, parts, strict=True):
        if is_shortened(part):
            yield Issue(row, column, part, "digits-lost", translated(_SHORTENED), translated(_SAVE_AGAIN))


def is_shortened(text: str) -> bool:
    """Tell whether a text is a number with an exponent that is larger than the count of its decimals."""
    found = _EXPONENT.fullmatch(unadorned(text)) if "+" in text else None
    return found is not None and int(found[2]) > len(found[1] or "")
