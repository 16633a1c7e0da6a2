"""The report: for every row what happened, why, and what to do, as a workbook, a CSV file or a page.

write        one report, of the kind that its name asks for
write_back   the sheet `Report` put into the source workbook itself
read_rows    a report that is given back
"""

from .places import check_writable, default_path, digest
from .reading import ReportedRow, is_given_back, read_rows
from .text import unmarked
from .words import CREATED_VERDICT, NOT_CREATED_VERDICT, OWN_COLUMNS
from .writing import Written, write
from .writing_back import write_back

__all__ = [
    "CREATED_VERDICT",
    "NOT_CREATED_VERDICT",
    "OWN_COLUMNS",
    "ReportedRow",
    "Written",
    "check_writable",
    "default_path",
    "digest",
    "is_given_back",
    "read_rows",
    "unmarked",
    "write",
    "write_back",
]
