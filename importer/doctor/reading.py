"""The questions whose answers are read: searches for a test case, for a contact, and for what does not exist."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime

from importer.crm import ProbedAnswer, Record
from importer.doctor.session import BY_ID, MadeCase, NotLearnt, Session
from importer.mapping import QUERY_FIELDS
from importer.workflow.planning.plan import SEARCHED
from importer.workflow.tenant_facts import Matching

_MINUTE = 60
_QUARTER = 15 * _MINUTE
_FIRST_ZONE, _LAST_ZONE = -12 * 3600, 14 * 3600
"""The zones that there are, in seconds ahead of UTC; all of them are whole quarters of an hour."""

_LIKELY_ZONES = (0, -5, -3, -4, -6, -7, 1, 2)
"""In hours ahead of UTC: UTC itself, and where the vendor's customers and servers are."""

_APART = 10 * _MINUTE
"""How far the creation of a case must be from its update, so that a search can tell one from the other."""

_MARGIN = 3 * _MINUTE
"""How far the CRM's clock may be from this computer's."""


def find(session: Session) -> None:
    """Learn whether a search shows a new case, and how soon."""
    session.shared()
    if not session.findings.body_length:
        raise NotLearnt("old-case")


def fields(session: Session) -> None:
    """Learn by which fields a search shows the test case."""
    shared = session.shared()
    for name, value in _values(shared):
        answer = session.search(name, value)
        found = None if not answer.accepted else session.record_of(shared.case, answer) is not None
        if answer.readable:
            session.note_field(name, found=found, records=len(answer.records))
    if not session.findings.fields:
        raise NotLearnt("unreadable")


def _values(shared: MadeCase) -> Iterator[tuple[str, str]]:
    """Yield each query field whose value was sent or returned, and that value."""
    shown = {_letters(name): value for name, value in shared.record.items() if isinstance(value, str | int) and value}
    values: dict[str, object] = {name: shown.get(_letters(name)) for name in QUERY_FIELDS}
    values |= {name: shared.case.fields.get(path) for name, path in SEARCHED.items()}
    values |= {"idPrefijo": shared.begun.id_prefijo, BY_ID: shared.begun.wolkvox_id}
    for name, value in values.items():
        if value is not None:
            yield name, str(value)


def _letters(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.lower())


def partial(session: Session) -> None:
    """Learn whether a part of a value, or another spelling of it, finds a case."""
    shared = session.shared()
    address = str(shared.case.fields["contact"])
    asked = (
        ("description", shared.case.label),
        ("email contact", _part(address)),
        ("email contact", address.swapcase()),
    )
    answers = [session.search(name, value) for name, value in asked]
    of_text, of_part, of_spelling = (
        _matching(answer, shown=session.record_of(shared.case, answer) is not None) for answer in answers
    )
    for name, matching in (("description", of_text), ("email contact", of_part)):
        if matching != "unknown":
            session.note_field(name, found=True, matching=matching)
    if of_spelling != "unknown":
        session.note(ignores_case=of_spelling == "partial")
    if of_text == of_part == "unknown":
        raise _why(answers[0])


def contact(session: Session) -> None:
    """Learn whether a part of an address, or another spelling of it, finds a contact."""
    address = str(session.options.fields["contact"])
    answer = session.contacts(address)
    if not _shows(answer, address):
        raise NotLearnt("no-contact" if answer.readable else "unreadable", answer.shape)
    session.note(contact_found=answer.shape)
    answers = [session.contacts(value) for value in (_part(address), address.swapcase())]
    of_part, of_spelling = (_matching(each, shown=_shows(each, address)) for each in answers)
    if of_part != "unknown":
        session.note(contacts_matching=of_part)
    if of_spelling != "unknown":
        session.note(contacts_ignore_case=of_spelling == "partial")
    if of_part == "unknown":
        raise _why(answers[0])


def _part(address: str) -> str:
    return address.partition("@")[0]


def _matching(answer: ProbedAnswer, *, shown: bool) -> Matching:
    """Return what a search by something like the value shows: what was searched for, or surely nothing."""
    if shown:
        return "partial"
    return "exact" if answer.believed and not answer.records else "unknown"


def _shows(answer: ProbedAnswer, address: str) -> bool:
    """Tell whether an answer shows the contact with this address, however it is spelled."""
    return any(str(record.get("emailcontact")).casefold() == address.casefold() for record in answer.records)


def _why(answer: ProbedAnswer) -> NotLearnt:
    """Return why nothing is learnt from an answer that does not show what was searched for."""
    return NotLearnt("unclear" if answer.readable else "unreadable", answer.shape)


def none(session: Session) -> None:
    """Learn how the CRM answers a search for a case that does not exist."""
    answer = session.search(session.options.search_field, _nobody())
    if not answer.readable:
        raise NotLearnt("unreadable", answer.shape)
    session.note(nothing_found=answer.shape, nothing_readable=answer.believed and not answer.records)
    session.note_error("no-such-field", session.search("no such field", _nobody()).shape)
    session.note_error("no-value", session.search(session.options.search_field, "").shape)


def no_contact(session: Session) -> None:
    """Learn how the CRM answers a search for a contact that does not exist."""
    answer = session.contacts(_nobody())
    if not answer.readable:
        raise NotLearnt("unreadable", answer.shape)
    session.note(contacts_none=answer.shape, contacts_none_readable=answer.believed and not answer.records)


def _nobody() -> str:
    return f"{secrets.token_hex(8)}@example.invalid"


def paging(session: Session) -> None:
    """Learn how many records one answer holds, and whether it tells of those that it does not show."""
    value = session.prompts.common_value(session.options.search_field)
    if not value:
        raise NotLearnt("no-value")
    answer = session.search(session.options.search_field, value)
    if not answer.records:
        raise _why(answer)
    if answer.says_more:
        session.note(page_says_more=True)


# ------------------------------------------------------------------------------------------------ by dates


def dates(session: Session) -> None:
    """Learn whether a search by dates finds cases, in which zone, and by which date.

    A new case shows the zone. Which date is meant shows later, once the case is updated ten minutes after its creation.
    """
    shared = session.shared()
    begun, updated = shared.begun.begun, shared.begun.updated
    answer = session.dates(_text(begun + _FIRST_ZONE), _text((updated or begun) + _LAST_ZONE))
    if not answer.accepted and answer.readable:  # it is no 'none': the case is between these moments in every zone
        session.note(dates_of_cases="refused", dates_zone=None)
        return
    zone = _seconds(session.findings.dates_zone)
    if zone is None or not any(_has(session, shared, each + zone) for each in (begun, updated) if each is not None):
        if updated is not None and updated - begun > _MARGIN:
            raise NotLearnt("old-case")
        zone = _zone(session, shared)
        session.note(dates_of_cases="found", dates_zone=_zone_text(zone))
    _which_date(session, shared, zone)


def _zone(session: Session, shared: MadeCase) -> int:
    """Return the zone, in seconds ahead of UTC, in which the CRM has the moment of a new case.

    Likely zones are tried first, each by a few minutes, whose cases fit a page; then all, each time half of what is
    left.
    """
    begun = shared.begun.begun
    for hours in _LIKELY_ZONES:
        if _has(session, shared, begun + 3600 * hours):
            return 3600 * hours
    first, last = _FIRST_ZONE // _QUARTER, _LAST_ZONE // _QUARTER
    while first < last:
        middle = (first + last) // 2
        if _has(session, shared, begun + first * _QUARTER, begun + middle * _QUARTER, margin=_QUARTER // 2):
            last = middle
        else:
            first = middle + 1
    if not _has(session, shared, begun + first * _QUARTER, margin=_QUARTER // 2):
        raise NotLearnt("unclear")
    return first * _QUARTER


def _which_date(session: Session, shared: MadeCase, zone: int) -> None:
    """Learn by which date a case is found, by an update some time after its creation."""
    begun = shared.begun.begun
    if session.polling.now() - begun < _APART:
        raise NotLearnt("later")
    updated = session.update(None).begun.updated or begun
    by_creation, by_update = (_shown(session, shared, moment + zone) for moment in (begun, updated))
    if by_creation is not None and by_update is None and session.shows_update(by_creation):
        session.note(dates_of_cases="created")
    elif by_update is not None and by_creation is None:
        session.note(dates_of_cases="modified")
    else:
        raise NotLearnt("unclear")


def _has(session: Session, shared: MadeCase, start: float, end: float | None = None, margin: float = _MARGIN) -> bool:
    """Tell whether a search between two moments shows the case; only that it does is proof, as `_shown` says."""
    return _shown(session, shared, start, end, margin) is not None


def _shown(
    session: Session, shared: MadeCase, start: float, end: float | None = None, margin: float = _MARGIN
) -> Record | None:
    """Return the case's record from a search between two moments; raises NotLearnt if the answer cannot be read.

    None proves nothing: a page may have been full.
    """
    answer = session.dates(_text(start - margin), _text((start if end is None else end) + margin))
    if not answer.readable:
        raise _why(answer)
    return session.record_of(shared.case, answer)


def _text(seconds: float) -> str:
    """Return a moment as the call takes it, to the minute."""
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def _zone_text(seconds: int) -> str:
    sign, minutes = "-" if seconds < 0 else "+", abs(seconds) // _MINUTE
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}"


def _seconds(zone: str | None) -> int | None:
    found = re.fullmatch(r"([+-])(\d\d):(\d\d)", zone or "")
    if found is None:
        return None
    seconds = 3600 * int(found[2]) + 60 * int(found[3])
    return -seconds if found[1] == "-" else seconds
