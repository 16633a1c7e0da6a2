"""What binds a run to what a person was shown: the digest of a forecast, and the refusal of any other run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, replace

from importer.errors import UsageError
from importer.messages import _, ngettext
from importer.model import MAY_BE_CASES, Status
from importer.workflow.forecast.forecast import Forecast
from importer.workflow.job import Job
from importer.workflow.planning.plan import Plan

_LENGTH = 24

_OPTIONS = (
    *("only", "limit", "only_if_all_valid", "retry_rejected", "look_first", "same_as", "new_import", "same_tickets"),
    "accept_changes",
    *("first_run", "moved_here", "nothing_was_sent", "spot_check", "keep_quota", "wait_for_quota", "until"),
    *("allow_folders", "answers"),
)
"""The options and answers of a job that decide what is sent; the others say how fast, and where the report goes."""


def with_digest(forecast: Forecast, job: Job) -> Forecast:
    """Return a forecast with the digest of all that it shows and of the job that was given.

    It changes with any row that is sent, with the counts, the place and the answers; not with the quota that is left.
    """
    plan = forecast.plan
    scopes = [scope.parts for scope in (plan.scope, *plan.aliases)]
    place = (forecast.server, scopes, plan.mapping.reference)
    numbers = (
        *(asdict(forecast.counts), forecast.wanted, forecast.open_cases, forecast.attachments),
        *(forecast.attachment_bytes, forecast.searches, forecast.waiting, forecast.held_back, forecast.again),
        *(forecast.updates.wanted, forecast.updates.accepted, dict(forecast.updates.states)),
        *(forecast.contacts.to_create, forecast.contacts.rejected, forecast.contacts.unknown),
    )
    answers = {name: getattr(job, name) for name in _OPTIONS}
    parts = (_short(place), forecast.rows_digest[:_LENGTH], _short(numbers), _short(answers))
    return replace(forecast, digest="-".join((str(forecast.rows_to_send), *parts)))


def refuse_other_proposal(agreed_to: str | None, forecast: Forecast) -> None:
    """Raise UsageError unless a forecast is exactly the one that a person has agreed to, by its digest.

    None agrees to any.
    """
    if agreed_to is not None and (changes := changes_since(agreed_to, forecast)):
        raise UsageError(changes)


def changes_since(digest: str, forecast: Forecast) -> str:
    """Return a sentence on what has changed since a forecast was shown, by its digest; "" where it is this one."""
    if digest == forecast.digest:
        return ""
    return _(
        "What would be sent has changed since it was shown: {changes}. Nothing was sent; look again.",
        changes="; ".join(_changes(digest.split("-"), forecast.digest.split("-"))),
    )


def _changes(before: list[str], now: list[str]) -> Iterator[str]:
    """Yield what is no longer as it was shown."""
    if len(before) != len(now) or not before[0].isdecimal():
        yield _("it is not known what was shown")
        return
    if before[0] != now[0]:
        yield ngettext(
            "{count} case instead of {shown}", "{count} cases instead of {shown}", int(now[0]), shown=before[0]
        )
    names = (
        _("the server, the operation or the import"),
        _("rows, or what they contain"),
        _("how many rows are in which state"),
        _("options or answers"),
    )
    yield from (name for name, one, other in zip(names, before[1:], now[1:], strict=True) if one != other)


_MOST_ROWS = 8
"""Rows that are named of each kind; all are counted by the person who looks again."""


def row_changes(before: Plan, now: Plan) -> Iterator[str]:
    """Yield which rows are sent by one plan of a sheet and not by the other, or say something else in it.

    A row whose case has become known is no change of the sheet.
    """
    one, other = _rows_to_send(before), _rows_to_send(now)
    edited = [number for key, (number, content) in other.items() if key in one and one[key][1] != content]
    new = [number for key, (number, _content) in other.items() if key not in one]
    cases = {key for batch in now.batches for key in batch.facts.loc[batch.in_state(*MAY_BE_CASES), "key_digest"]}
    gone = [number for key, (number, _content) in one.items() if key not in other and key not in cases]
    if edited:
        yield ngettext(
            "row {rows} says something else", "rows {rows} say something else", len(edited), rows=_listed(edited)
        )
    if new:
        yield ngettext("row {rows} is sent, too", "rows {rows} are sent, too", len(new), rows=_listed(new))
    if gone:
        yield ngettext("row {rows} is no longer sent", "rows {rows} are no longer sent", len(gone), rows=_listed(gone))


def _rows_to_send(plan: Plan) -> dict[str, tuple[int, str]]:
    """Return number and content of each row that is sent, by its key.

    The content is what goes into the case, which is the same whether the connection and the journal are known or not:
    a plan without them has neither references nor content hashes.
    """
    found = {}
    for batch in plan.batches:
        for row in batch.rows(batch.in_state(Status.PLANNED) & batch.facts["waits"].isna()):
            files = [(file.name, file.size) for file in row.attachments]
            found[row.key_digest] = row.number, _short((dict(row.fields), files))
    found.pop("", None)
    return found


def _listed(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:_MOST_ROWS])) + (", …" if len(numbers) > _MOST_ROWS else "")


def _short(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]
