"""The report: for every row what happened, why, and what to do, as a workbook, a CSV file or a page.

write        one report, of the kind that its name asks for
write_back   the sheet `Report` in the source workbook itself
write_copy   the source's sheet with its corrections, as a new file
write_hand_over  the proof for whoever takes over an import
group_issues what one correction may resolve, with how often and where
made_of      how many cases there are, and how many rows they are made of
read_rows    the rows of a report that is given back
read_mark    how far the journal had come when the report was written
read_runs    from which runs its cells are
"""

from importer.report.columns import own_columns
from importer.report.content import (
    IssueGroup,
    case_address,
    group_issues,
    made_of,
    says_changed,
)
from importer.report.copying import SheetToCopy, write_copy
from importer.report.hand_over import check_hand_over, hand_over_path, write_hand_over
from importer.report.reading import (
    Overview,
    ReportedRow,
    is_about,
    read_mark,
    read_overview,
    read_rows,
    read_runs,
    read_scopes,
    read_uncorrected,
    summary_texts,
)
from importer.report.recognition import is_given_back, is_hand_over, is_never_saved, report_sheets
from importer.report.text import is_altered, marked, unmarked
from importer.report.writing import (
    WrittenReport,
    check_writable,
    choose_path,
    default_path,
    digest,
    rehearsal_path,
    write,
)
from importer.report.writing_back import WrittenBack, write_back
from importer.report_words import CREATED_VERDICT, NOT_CREATED_VERDICT, OWN_COLUMNS, is_rehearsed

__all__ = [
    "CREATED_VERDICT",
    "NOT_CREATED_VERDICT",
    "OWN_COLUMNS",
    "IssueGroup",
    "Overview",
    "ReportedRow",
    "SheetToCopy",
    "WrittenBack",
    "WrittenReport",
    "case_address",
    "check_hand_over",
    "check_writable",
    "choose_path",
    "default_path",
    "digest",
    "group_issues",
    "hand_over_path",
    "is_about",
    "is_altered",
    "is_given_back",
    "is_hand_over",
    "is_never_saved",
    "is_rehearsed",
    "made_of",
    "marked",
    "own_columns",
    "read_mark",
    "read_overview",
    "read_rows",
    "read_runs",
    "read_scopes",
    "read_uncorrected",
    "rehearsal_path",
    "report_sheets",
    "says_changed",
    "summary_texts",
    "unmarked",
    "write",
    "write_back",
    "write_copy",
    "write_hand_over",
]
