"""What binds a run to what a person was shown: the digest of a forecast, and the refusal of any other run."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, replace

from importer.errors import UsageError
from importer.messages import _, ngettext
from importer.workflow.forecast import Forecast
from importer.workflow.job import Job

_LENGTH = 24

_OPTIONS = (
    *("only", "limit", "only_if_all_valid", "retry_rejected", "look_first", "same_as", "new_import", "same_tickets"),
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
        *(forecast.attachment_bytes, forecast.searches, forecast.waiting, forecast.held_back),
    )
    answers = {name: getattr(job, name) for name in _OPTIONS}
    parts = (_short(place), forecast.rows_digest[:_LENGTH], _short(numbers), _short(answers))
    return replace(forecast, digest="-".join((str(forecast.rows_to_send), *parts)))


def refuse_other_proposal(agreed_to: str | None, forecast: Forecast) -> None:
    """Raise UsageError unless a forecast is exactly the one that a person has agreed to, by its digest.

    None agrees to any.
    """
    if agreed_to in {None, forecast.digest}:
        return
    changes = "; ".join(_changes((agreed_to or "").split("-"), forecast.digest.split("-")))
    raise UsageError(
        _(
            "What would be sent has changed since it was shown: {changes}. Nothing was sent; look again.",
            changes=changes,
        )
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


def _short(value: object) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:_LENGTH]
