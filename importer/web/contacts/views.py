"""The page about the contacts of a sheet: asking the CRM for them at a price, and the file for the CRM's own upload."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from importer import (
    ContactList,
    EventInterface,
    ImporterError,
    SettleJob,
    ask_contacts,
    load_job,
    settle_contact_by_hand,
    settle_contacts,
    write_contacts_csv,
)
from importer.messages import _
from importer.web.background import Newest
from importer.web.contacts.words import asked_told, rejects_unknown, rows_of, state_of, summary
from importer.web.notes import KeptNote
from importer.web.page import NotFound, Visit, go_to, page, render
from importer.web.paging import list_page
from importer.web.send.connection import target_of
from importer.web.send.words import what_to_do

PATIENCE = 2.0
"""Seconds to wait for the list of contacts before the page says that the sheet is being read."""


def show(visit: Visit) -> Response:
    """Show the contacts, what is known of them, and what can be done about those that are missing."""
    sheet, state = visit.sheet, visit.sheet.asking.state
    if sheet.mapping is None:
        return render(visit, "send_unmatched.html", sheet=sheet, step_shown="send")
    listing = sheet.contacts.now(PATIENCE)
    done = state.result if state.phase == "ended" else None
    known = listing.value if listing.error is None else None
    if known is not None and done is not None and not listing.is_current:
        known = done.listed  # the list of before would contradict what was just answered
    values: dict[str, Any] = {"listing": listing, "known": known, "state": state}
    if known is not None:
        order = {"rejected": 0, "missing": 1, "unknown": 2, "sending": 2, "not-asked": 3}
        contacts = sorted(known.contacts, key=lambda one: order.get(one.code, 4))
        values |= {
            "summary": list(summary(known)),
            "page_of": list_page(visit, contacts, "contacts"),
            "rows_of": rows_of,
            "state_of": state_of,
            "digest": _digest(known),
            "for_upload": known.for_upload,
            "why": rejects_unknown(),
            "asked": list(asked_told(done)) if done else [],
            "asked_well": done is not None and not (done.left or done.unclear),
            "unclear": _unclear(known, dict(done.unclear) if done else {}),
            "remedy": what_to_do(state.error, sheet.id) if state.error else None,
        }
    note = visit.office.notes.find(visit.asked("note"))
    answer = render(visit, "contacts.html", sheet=sheet, step_shown="send", note=note, **values)
    if state.is_busy or (known is None and listing.error is None) or not listing.is_current:
        answer.headers["Refresh"] = "2"
    return answer


def _unclear(known: ContactList, unclear: dict[str, str]) -> set[str]:
    """Return the contacts, by digest, of which the CRM's last answers did not tell whether they exist."""
    return {one.digest for one in known.contacts if one.address in unclear}


def _digest(known: ContactList) -> str:
    """Return what a person agrees to: the contacts that are asked for."""
    return hashlib.sha256("\0".join(one.digest for one in known.to_ask).encode()).hexdigest()


def _known(visit: Visit) -> tuple[Newest[ContactList], ContactList]:
    listing = visit.sheet.contacts.now(PATIENCE)
    if listing.value is None or listing.error is not None:
        raise NotFound
    return listing, listing.value


def ask(visit: Visit) -> Response:
    """Ask the CRM for the contacts that were shown as not asked for; others, or more, are shown again first."""
    sheet = visit.sheet
    if not target_of(visit).is_complete:
        return go_to(f"/sheets/{sheet.id}/send/connection")
    if sheet.is_busy:
        return _back(visit, KeptNote("warn", (_("Something else is going on with this sheet. Wait until it ends."),)))
    listing, known = _known(visit)
    if not listing.is_current or visit.text("digest") != _digest(known):
        said = _("The contacts are no longer those that were shown. Nothing was asked: look again.")
        return _back(visit, KeptNote("warn", (said,)))
    sheet.sending.put_back()  # what it proposed was of before
    loaded, ui = load_job(visit.office.job_of(sheet)), EventInterface(sheet.asking.follow, agrees=True)
    sheet.asking.begin(lambda: ask_contacts(loaded, ui), ui, len(known.to_ask))
    return _back(visit)


def pause(visit: Visit) -> Response:
    """End the questions; what was answered is remembered."""
    visit.sheet.asking.stop()
    return _back(visit)


def download(visit: Visit) -> Response:
    """Give the contacts that the CRM lacks as a file for its own upload."""
    _listing, known = _known(visit)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "contacts.csv"
        write_contacts_csv(known.for_upload, path)
        content = path.read_bytes()
    name = _("contacts.csv")
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type="text/csv; charset=utf-8", headers=headers)


def by_hand(visit: Visit) -> Response:
    """Record what a person found in the CRM: the contact is there, or it is not."""
    sheet, said = visit.sheet, visit.text("is")
    back = "decide" if visit.text("back") == "decide" else "contacts"
    if said not in {"there", "absent"}:
        raise NotFound
    if said == "absent" and not visit.text("sure"):
        note = KeptNote("bad", (_("First confirm that you searched for it and that it is not there."),))
        return _back(visit, note, back)
    address = visit.text("address")
    job = SettleJob(sheet.job.connection, sheet.job.journal_path, sheet.mapping)
    try:
        settle_contact_by_hand(job, address, exists=said == "there")
    except ImporterError as refused:
        return _back(visit, KeptNote("bad", (str(refused),)), back)
    told = (
        _("Recorded: {address} is in the CRM.", address=address)
        if said == "there"
        else _("Recorded: {address} is not in the CRM.", address=address)
    )
    sheet.sending.put_back()
    return _back(visit, KeptNote("good", (told,)), back)


def settle(visit: Visit) -> Response:
    """Have the CRM searched for the contacts in doubt."""
    sheet = visit.sheet
    try:
        result = settle_contacts(SettleJob(sheet.job.connection, sheet.job.journal_path, sheet.mapping))
    except ImporterError as refused:
        return _back(visit, KeptNote("bad", (str(refused),)), "decide")
    sheet.sending.put_back()
    kind = "warn" if result.unknown or result.sending else "good"
    return _back(visit, KeptNote(kind, (_("The CRM was asked."), *result.sentences())), "decide")


def _back(visit: Visit, note: KeptNote | None = None, where: str = "contacts") -> Response:
    told = f"?note={visit.office.notes.keep(note)}" if note else ""
    return go_to(f"/sheets/{visit.sheet.id}/{where}{told}")


ROUTES = [
    Route("/sheets/{id}/contacts", page(show)),
    Route("/sheets/{id}/contacts/ask", page(ask), methods=["POST"]),
    Route("/sheets/{id}/contacts/pause", page(pause), methods=["POST"]),
    Route("/sheets/{id}/contacts/by-hand", page(by_hand), methods=["POST"]),
    Route("/sheets/{id}/contacts/settle", page(settle), methods=["POST"]),
    Route("/sheets/{id}/contacts/file", page(download)),
]
