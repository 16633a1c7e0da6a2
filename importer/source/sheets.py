"""Choose the sheet: the one that was asked for, or the first visible one that is not a report of ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from importer.errors import SourceError
from importer.messages import _
from importer.source.calamine_process import SheetEntry

_REPORT = re.compile(r"Report(?: \(?\d+\)?)?")
_BESIDE_A_REPORT = frozenset({"Issues", "Summary", "To decide"})
_OUR_COLUMNS = frozenset({"wolkvox_id", "reference"})


def choose(
    file: str, sheets: Sequence[SheetEntry], wanted: str | None, top_texts: Callable[[str], list[set[str]]]
) -> str:
    """Return the name of the sheet to read.

    `top_texts` gives the texts of a sheet's first rows, a set for each. A `Report` is ours when one of them holds
    the columns that we write; `Issues`, `Summary` and `To decide` are ours beside such a report only. Where all are
    ours, the report is the table: it was corrected and given back, and stands for the sheet that is wanted. Raises
    SourceError naming the sheets that exist.
    """
    visible = [sheet.name for sheet in sheets if sheet.visible]
    reports = [
        name for name in visible if _REPORT.fullmatch(name) and any(row >= _OUR_COLUMNS for row in top_texts(name))
    ]
    ours = {*reports, *_BESIDE_A_REPORT} if reports else set()
    others = [name for name in visible if name not in ours]
    if wanted is not None and (others or not reports or wanted in visible):
        return _asked_for(file, sheets, wanted)
    candidates = others or reports
    if not candidates:
        raise SourceError(_("{file} has no visible sheet. Unhide the sheet that holds the table, and save.", file=file))
    return candidates[0]


def _asked_for(file: str, sheets: Sequence[SheetEntry], wanted: str) -> str:
    """Return the sheet of that name, spaces around it and the case of letters aside where nothing is equal."""
    names = [sheet.name for sheet in sheets]
    if wanted in names:
        return wanted
    alike = [name for name in names if name.strip().casefold() == wanted.strip().casefold()]
    if len(alike) == 1:
        return alike[0]
    listed = ", ".join(f"“{name}”" for name in names)
    raise SourceError(
        _(
            "{file} has no sheet “{sheet}”. It has: {names}. Name one of them as source.sheet.",
            file=file,
            sheet=wanted,
            names=listed,
        )
    )
