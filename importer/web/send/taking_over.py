"""The report of what was sent from elsewhere, taken over on the page Send: its rows are known, and not sent again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from starlette.responses import Response
from starlette.routing import Route

from importer import Adoption, ImporterError, UsageError, adopt
from importer.messages import _
from importer.web.copies import keep_copy
from importer.web.notes import KeptNote
from importer.web.page import Visit, go_to, page, render
from importer.web.send.connection import target_of

SHOWN_REPORTS = 20
SHOWN_ISSUES = 5


def show(visit: Visit) -> Response:
    """Show the reports beside the sheet, and a field for one that is elsewhere."""
    reports = [path.name for path in _beside(visit.sheet.source)]
    note = visit.office.notes.find(visit.asked("note"))
    return render(visit, "send_report.html", sheet=visit.sheet, step_shown="send", reports=reports, note=note)


def _beside(source: Path) -> list[Path]:
    """Return what may be reports in the folder of a sheet, the newest first."""
    found = [path for path in source.parent.glob("*.report*.xlsx") if path.is_file() and path != source]
    return sorted(found, key=lambda path: path.stat().st_mtime_ns, reverse=True)[:SHOWN_REPORTS]


def take_over(visit: Visit) -> Response:
    """Take the ids of the report that was chosen into the journal; nothing is sent."""
    sheet = visit.sheet
    known = target_of(visit)
    if not (known.server and known.operation):
        return go_to(f"/sheets/{sheet.id}/send/connection")
    try:
        with _chosen(visit) as report:
            adoption = adopt(replace(visit.office.job_of(sheet), source=report))
    except ImporterError as error:
        note = visit.office.notes.keep(KeptNote("bad", (str(error),)))
        return go_to(f"/sheets/{sheet.id}/send/report?note={note}")
    sheet.sending.put_back(_told(adoption))
    return go_to(f"/sheets/{sheet.id}/send")


@contextmanager
def _chosen(visit: Visit) -> Iterator[Path]:
    """Give the report that was chosen; one that came through the browser is a copy, which is removed afterwards."""
    beside = {path.name: path for path in _beside(visit.sheet.source)}
    upload = visit.file("upload")
    if upload is not None:
        with TemporaryDirectory(prefix="case-importer-", ignore_cleanup_errors=True) as folder:
            yield keep_copy(upload.file, upload.filename or "", Path(folder)).path
    elif (name := visit.text("report")) in beside:
        yield beside[name]
    else:
        raise UsageError(_("Choose a report first."))


def _told(adoption: Adoption) -> str:
    sentence = _(
        "From the report: rows with a case: {created}; to confirm: {doubtful}; not adopted: {refused}.",
        created=adoption.created,
        doubtful=adoption.doubtful,
        refused=len(adoption.refused),
    )
    return "\n".join((sentence, *(issue.message for issue in adoption.issues[:SHOWN_ISSUES])))


ROUTES = [
    Route("/sheets/{id}/send/report", page(show)),
    Route("/sheets/{id}/send/report/take", page(take_over), methods=["POST"]),
]
