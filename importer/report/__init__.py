"""The report: for every row what happened, why, and what to do, as a workbook, a CSV file or a page.

write        one report, of the kind that its name asks for
write_back   the sheet `Report` put into the source workbook itself
read_rows    a report that is given back
read_mark    how far the journal had come when it was written
"""

from importlib import import_module
from typing import TYPE_CHECKING

from .given_back import is_given_back, report_sheets
from .places import check_writable, default_path, digest
from .text import unmarked
from .words import CREATED_VERDICT, NOT_CREATED_VERDICT, OWN_COLUMNS

if TYPE_CHECKING:
    from .reading import Overview, ReportedRow, read_mark, read_overview, read_rows
    from .writing import Written, write
    from .writing_back import write_back

__all__ = [
    "CREATED_VERDICT",
    "NOT_CREATED_VERDICT",
    "OWN_COLUMNS",
    "Overview",
    "ReportedRow",
    "Written",
    "check_writable",
    "default_path",
    "digest",
    "is_given_back",
    "read_mark",
    "read_overview",
    "read_rows",
    "report_sheets",
    "unmarked",
    "write",
    "write_back",
]

_HOMES = {
    "Overview": "reading",
    "ReportedRow": "reading",
    "read_mark": "reading",
    "read_overview": "reading",
    "read_rows": "reading",
    "Written": "writing",
    "write": "writing",
    "write_back": "writing_back",
}


def __getattr__(name: str) -> object:
    """Import what needs openpyxl, which is slow to import, when somebody first asks for it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
