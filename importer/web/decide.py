"""The page Decide: the rows of which it is not known whether they are cases, one at a time."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from importer import (
    ByHand,
    ImporterError,
    OpenDoubt,
    ReviewedRow,
    SettleJob,
    SettleResult,
    UsageError,
    case_link,
    cells_of_row,
    imports_known,
    waiting_for_journal,
)
from importer.messages import _
from importer.model import Status
from importer.web.checking import CheckedSheet
from importer.web.contacts.doubts import contacts_to_decide
from importer.web.look_back.reports import renew_report
from importer.web.notes import KeptNote
from importer.web.office import OpenSheet
from importer.web.page import JOURNAL_PATIENCE, NotFound, Visit, go_to, page, render

PATIENCE_TO_DECIDE = 1.5
"""Seconds to wait for the sheet, whose cells help to decide; what is to be decided is known without it."""

_SECRET = secrets.token_bytes(32)
"""Of this program, as long as it goes on: a confirmation is shown again after it was started again."""

MOST_WAIT = 600
"""Seconds after which a page that waits for the hour of a decision looks again at the latest."""


@dataclass(frozen=True, slots=True)
class DecisionDesk:
    """What there is to decide at one address: the doubtful rows of an import, those of the sheet first.

    `rows` are those that the sheet has, by reference; `sheet` is None where it is not on the page any more. It is not
    `is_current` while the sheet is being read.
    """

    address: str
    job: SettleJob
    doubts: tuple[OpenDoubt, ...]
    import_name: str
    sheet: OpenSheet | None = None
    checked: CheckedSheet | None = None
    rows: Mapping[str, ReviewedRow] | None = None
    is_current: bool = True

    def row(self, reference: str) -> ReviewedRow | None:
        """Return what the sheet has of a row, None where it is not in it."""
        return (self.rows or {}).get(reference)

    def doubt(self, reference: str) -> OpenDoubt | None:
        """Return a doubtful row by its reference, None where it is settled or unknown."""
        return next((doubt for doubt in self.doubts if doubt.reference == reference), None)

    def after(self, doubt: OpenDoubt) -> str:
        """Return the address of the next row, or of what is said at the end."""
        left = self.doubts[self.doubts.index(doubt) + 1 :]
        return self.at(row=left[0].reference) if left else self.at(later="1")

    def at(self, **values: str) -> str:
        """Return the address of this page with these parameters."""
        return f"{self.address}?{urlencode(values)}" if values else self.address

    def name_of(self, reference: str) -> str:
        """Return what people call a row: by its number in the sheet, else by its code."""
        row = self.row(reference)
        return _("row {row}", row=row.number) if row else reference

    @property
    def is_unreadable(self) -> bool:
        """Whether there is a sheet that cannot be read, so that nothing is known of its cells."""
        return self.sheet is not None and self.sheet.mapping is not None and self.checked is None and self.is_current

    @property
    def disputed(self) -> list[ReviewedRow]:
        """The created rows of the sheet whose ids the CRM gave to other rows, too."""
        return [row for row in (self.rows or {}).values() if row.disputed]


# ------------------------------------------------------------------------------------------------ what is shown


def show(visit: Visit) -> Response:
    """Show the row that the address asks for, or the first one; or say that there is nothing left to decide."""
    desk = _desk(visit)
    note = visit.office.notes.find(visit.asked("note"))
    asked = visit.asked("row")
    doubt = desk.doubt(asked) or next(iter(desk.doubts), None)
    if note is None and asked and (doubt is None or doubt.reference != asked):
        note = KeptNote("warn", (_decided_already(),))
    if doubt is None or visit.asked("later"):
        answer = render(visit, "decide_done.html", desk=desk, note=note, **_frame(desk))
        return _looking_again(answer, 0.0 if desk.is_current else 1.0)
    wait = _seconds_until(doubt.decidable_from)
    row = desk.row(doubt.reference)
    cells = cells_of_row(desk.checked.plan, row.number) if row and desk.checked else {}
    answer = render(
        visit,
        "decide.html",
        **_frame(desk),
        desk=desk,
        note=note,
        doubt=doubt,
        row=row,
        cells=cells,
        number=desk.doubts.index(doubt) + 1,
        is_early=wait > 0,
        is_conflict=doubt.state is Status.CONFLICT,
        calls=calls_of(doubt),
        sure=sure_of(doubt),
        links={one: case_link(one) for one in doubt.ids},
        elsewhere=_elsewhere(visit, desk, doubt),
        is_confirming=bool(visit.asked("absent")) and wait <= 0,
        taken=_taken(desk, doubt, visit.asked("taken")),
    )
    is_unread = desk.sheet is not None and desk.checked is None and not desk.is_current
    return _looking_again(answer, 1.0 if is_unread else wait)


def _looking_again(answer: Response, wait: float) -> Response:
    """Have the browser look again after so many seconds, without a script; not at all for 0."""
    if wait > 0:
        answer.headers["Refresh"] = str(min(int(wait) + 1, MOST_WAIT))
    return answer


def _frame(desk: DecisionDesk) -> dict[str, Any]:
    """Return the template that the page is put into, and what that needs."""
    if desk.sheet is None:
        return {"frame": "import.html", "sheet": None, "contacts": ()}
    contacts = contacts_to_decide(desk.job)
    return {"frame": "sheet.html", "sheet": desk.sheet, "step_shown": "decide", "contacts": contacts}


@dataclass(frozen=True, slots=True)
class TakenId:
    """An id that was typed for a row, and the row that has it already."""

    id: str
    owner: str
    name: str


def _taken(desk: DecisionDesk, doubt: OpenDoubt, wolkvox_id: str) -> TakenId | None:
    owner = desk.job.holder(doubt.reference, wolkvox_id) if wolkvox_id else None
    return TakenId(wolkvox_id, owner, desk.name_of(owner)) if owner else None


def _elsewhere(visit: Visit, desk: DecisionDesk, doubt: OpenDoubt) -> tuple[str, OpenSheet | None] | None:
    """Return the sheet from which a row was sent, and its place on the page, where it is not the one that is shown."""
    if doubt.source is None or (desk.sheet is not None and doubt.source == desk.sheet.source):
        return None
    known = (sheet for sheet in visit.office.sheets() if sheet.source == doubt.source)
    return Path(doubt.source).name, next(known, None)


def _seconds_until(moment: datetime | None) -> float:
    return 0.0 if moment is None else (moment - datetime.now(UTC)).total_seconds()


def calls_of(doubt: OpenDoubt) -> int:
    """Return how many calls asking the CRM about a row costs at most: for its contact, a newer case, and each id."""
    return 2 + 3 * len(doubt.ids)


# ------------------------------------------------------------------------------------------------ what is done


def decide(visit: Visit) -> Response:
    """Record a decision, or ask the CRM; lead to the next row, or back to this one with what was wrong."""
    desk = _desk(visit)
    if visit.text("do") == "ask-all":
        return _ask_all(visit, desk)
    reference = visit.text("row")
    doubt = desk.doubt(reference)
    if doubt is None:
        return _told(visit, desk, "warn", _decided_already())
    if doubt.about != visit.text("about"):
        return _told(visit, desk, "warn", _("This row has changed since the page was opened. Nothing was"
                                            " recorded: look at it again, then decide."), row=reference)  # fmt: skip
    try:
        return {"created": _created, "absent": _absent, "ask": _ask}[visit.text("do")](visit, desk, doubt)
    except KeyError:
        raise NotFound from None
    except ImporterError as refused:
        return _told(visit, desk, "bad", str(refused), row=reference)


def _decided_already() -> str:
    return _("This row has already been decided, perhaps in another tab. Nothing was changed.")


def _created(visit: Visit, desk: DecisionDesk, doubt: OpenDoubt) -> Response:
    """Record the id of a row's case; one that another row has is asked about first."""
    chosen = {text for name in ("known", "id") if (text := visit.text(name).strip())}
    if len(chosen) > 1:
        twice = _("Choose one of the ids, or choose “Another one” and type it, but not both.")
        return _told(visit, desk, "bad", twice, row=doubt.reference)
    wolkvox_id = next(iter(chosen), "")
    if not wolkvox_id:
        return _told(
            visit,
            desk,
            "bad",
            _("First type the id of the case, as its page in the CRM shows it."),
            row=doubt.reference,
        )
    owner = desk.job.holder(doubt.reference, wolkvox_id)
    if owner is not None and visit.text("instead") != owner:
        return go_to(desk.at(row=doubt.reference, taken=wolkvox_id))
    decision = ByHand(doubt.reference, created=wolkvox_id, instead_of=owner, about=doubt.about)
    desk.job.by_hand(decision)
    said = _("Recorded: {id} is the case of {row}.", id=wolkvox_id, row=desk.name_of(doubt.reference))
    return _next(visit, desk, doubt, said)


def _absent(visit: Visit, desk: DecisionDesk, doubt: OpenDoubt) -> Response:
    """Record that a row is no case, so that it is sent again; only where that was confirmed, and the CRM has none."""
    if visit.text("sure") != sure_of(doubt):
        note = KeptNote("bad", (_("First confirm that you searched for it and that it is not there."),))
        return go_to(desk.at(row=doubt.reference, absent="1", note=visit.office.notes.keep(note)))
    _record, result = desk.job.by_hand(ByHand(doubt.reference, despite=doubt.ids, about=doubt.about, asking=True))
    name = desk.name_of(doubt.reference)
    if result.conflict:
        said = _(
            "The CRM was asked once more, and has more than one case for {row}: say which of them counts.", row=name
        )
        return _told(visit, desk, "warn", said, row=doubt.reference)
    if result.created:
        return _next(
            visit, desk, doubt, _("The CRM was asked again and has the case of {row}: it was recorded.", row=name)
        )
    said = _("Recorded: {row} will be sent again with the next run.", row=name)
    if not result.refusals:
        return _next(visit, desk, doubt, said)
    unasked = _("The CRM could not be asked once more, so what you said counts: make sure that the case is not there.")
    return _next(visit, desk, doubt, said, unasked, *result.refusals, kind="warn")


def sure_of(doubt: OpenDoubt) -> str:
    """Return what only the page gives that has a row's absence confirmed, for the attempt that is in doubt now."""
    shown = "\0".join((doubt.tenant, doubt.operation, doubt.import_name, doubt.reference, doubt.about, *doubt.ids))
    return hmac.new(_SECRET, shown.encode("utf-8", "surrogatepass"), "sha256").hexdigest()


def _ask(visit: Visit, desk: DecisionDesk, doubt: OpenDoubt) -> Response:
    """Ask the CRM about one row."""
    result = desk.job.ask(doubt.reference)
    name = desk.name_of(doubt.reference)
    if all(row.reference != doubt.reference for row in result.left):
        return _next(visit, desk, doubt, _("The CRM was asked about {row}.", row=name), *result.done_sentences())
    said = _("The CRM was asked, but its answer does not settle the question.")
    if result.conflict:
        said = _("The CRM was asked, and has more than one case for {row}.", row=name)
    return _told(visit, desk, "warn", said, *result.refusals, row=doubt.reference)


def _ask_all(visit: Visit, desk: DecisionDesk) -> Response:
    """Ask the CRM about all rows that can be searched for now, and about ids that two rows have."""
    try:
        results = [result for _record, result in desk.job.by_search()]
    except ImporterError as refused:
        return _told(visit, desk, "bad", str(refused))
    said = [sentence for result in results for sentence in _all_of(result)]
    is_done = not any(result.doubtful or result.disputed for result in results)
    first = _("The CRM was asked.") if said else _("The CRM was asked, but its answer does not settle the question.")
    return _told(visit, desk, "good" if is_done else "warn", first, *said)


def _all_of(result: SettleResult) -> Sequence[str]:
    return (*result.done_sentences(), *result.refusals)


def _next(visit: Visit, desk: DecisionDesk, doubt: OpenDoubt, *said: str, kind: str = "good") -> Response:
    """Lead to the next row, after something was recorded."""
    left = replace(desk, doubts=tuple(one for one in desk.doubts if one != doubt))
    place = desk.doubts.index(doubt)
    following = left.doubts[place] if place < len(left.doubts) else next(iter(left.doubts), None)
    if following is not None:
        return _told(visit, desk, kind, *said, row=following.reference)
    failed = renew_report(visit.office, desk.sheet, desk.checked.counts.rows) if desk.sheet and desk.checked else None
    return _told(visit, desk, "warn" if failed else kind, *said, *filter(None, [failed]))


def _told(visit: Visit, desk: DecisionDesk, kind: str, *said: str, **values: str) -> Response:
    """Lead to a row of this page, with sentences on what was done or refused and what was typed."""
    typed = {"id": visit.text("id")} if kind == "bad" else {}
    return go_to(desk.at(**values, note=visit.office.notes.keep(KeptNote(kind, said, typed))))


# ------------------------------------------------------------------------------------------------ where


def _desk(visit: Visit) -> DecisionDesk:
    """Return what there is to decide: for a sheet, or for an import whose sheet may not be there any more."""
    if "import" in visit.request.path_params:
        return _desk_of_import(visit)
    sheet = visit.sheet
    checking = sheet.checker.now(PATIENCE_TO_DECIDE)
    checked = checking.value if checking.error is None else None
    rows = {}
    if checked is not None:
        rows = {row.reference: row for row in checked.review.rows if row.reference}
    job = SettleJob(sheet.job.connection, sheet.job.journal_path, sheet.mapping if checked else None)
    doubts = [doubt for doubt in _doubts(job) if checked or doubt.source == sheet.source]
    doubts.sort(key=lambda doubt: doubt.reference not in rows)  # those of this sheet first
    name = checked.loaded.case_mapping.import_name if checked else ""
    return DecisionDesk(
        f"/sheets/{sheet.id}/decide", job, tuple(doubts), name, sheet, checked, rows, checking.is_current
    )


def _desk_of_import(visit: Visit) -> DecisionDesk:
    journal, asked = visit.office.journal_path, int(visit.request.path_params["import"])
    known = next((state for state in imports_known(journal) if state.id == asked), None)
    if known is None:
        raise NotFound
    server = known.last_run.record.start.server if known.last_run else f"https://{known.tenant}"
    job = SettleJob(replace(visit.office.connection, server=server, operation=known.operation), journal)
    doubts = tuple(doubt for doubt in _doubts(job) if doubt.import_name == known.import_name)
    return DecisionDesk(f"/imports/{asked}/decide", job, doubts, known.import_name)


def _doubts(job: SettleJob) -> list[OpenDoubt]:
    """Return the rows to decide on; none where nothing was sent yet."""
    try:
        with waiting_for_journal(JOURNAL_PATIENCE):
            return job.doubts()
    except UsageError:
        return []


ROUTES = [
    Route("/sheets/{id}/decide", page(show), methods=["GET"]),
    Route("/sheets/{id}/decide", page(decide), methods=["POST"]),
    Route("/imports/{import:number}/decide", page(show), methods=["GET"]),
    Route("/imports/{import:number}/decide", page(decide), methods=["POST"]),
]
