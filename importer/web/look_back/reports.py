"""The report of a sheet, as several pages need it: up to date, made again where it has to be."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from importer import ImporterError, Job, ReportError, fresh_report, load_job, rebuild_report
from importer.messages import _
from importer.web.background import Stamp, stamp_of
from importer.web.office import MadeReport, Office, OpenSheet

ROWS_AT_ONCE = 5_000
"""Rows of a sheet whose report is renewed while a page is waited for; that of a larger one when it is downloaded."""

_making = Lock()
"""Two clicks do not make the same report at the same time."""


def current_report(office: Office, sheet: OpenSheet) -> Path:
    """Return the report of a sheet, made again unless it shows what the journal knows; raises an ImporterError."""
    job = office.job_of(sheet)
    with _making:
        made = office.reports.get(sheet.id)
        if made is None:
            path = fresh_report(job)
        else:
            path = made.path if made.stamp == _stamp(office, sheet, made.path) and made.path.is_file() else None
        return path or _made_again(office, sheet, job)


def _made_again(office: Office, sheet: OpenSheet, job: Job) -> Path:
    path = rebuild_report(load_job(job)).report
    if path is None:
        raise ReportError(_("The report could not be written."))
    office.reports[sheet.id] = MadeReport(path, _stamp(office, sheet, path))
    return path


def _stamp(office: Office, sheet: OpenSheet, path: Path) -> Stamp:
    """Return what changes with the report itself, or with anything that it shows."""
    return stamp_of(*office.watched(sheet), path)


def renew_report(office: Office, sheet: OpenSheet, rows: int) -> str | None:
    """Renew the report of a sheet that has one, as after every command; return why that failed, if it did."""
    if rows > ROWS_AT_ONCE or not office.job_of(sheet).report_path.exists():
        return None
    try:
        with _making:
            _made_again(office, sheet, office.job_of(sheet))
    except ImporterError as error:
        return _("The report was not updated. {reason}", reason=error)
    return None
