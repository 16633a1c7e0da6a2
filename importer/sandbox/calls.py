"""The CRM's calls that the importer uses, answered by the sandbox.

Each answer is the JSON object that the vendor describes (`docs/crm.md`): `code`, `error`, `msg`, `data`. The sentences
that `docs/sandbox.md` lists as made up are not in any page of the vendor.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from importer.sandbox.body import CaseBody
from importer.sandbox.config import SandboxConfig
from importer.sandbox.store import SEARCHABLE, Store, StoredCase

AnswerBody = dict[str, Any]

_REQUIRED_TEXTS = ("operation", "case-type", "responsible", "owner", "contact", "description", "status", "priority")


def success(message: str, data: object) -> AnswerBody:
    """Return a success as documented; its `error` is the text `null`, not a JSON null."""
    return {"code": 200, "error": "null", "msg": message, "data": data}


def refusal(code: int, error: str, detail: str = "") -> AnswerBody:
    """Return a refusal; the sentence in `error` and the detail in `msg` are the sandbox's choice."""
    return {"code": code, "error": error, "msg": detail, "data": None}


@dataclass
class Traffic:
    """Counts of this process: calls of each kind, today's calls of each token, and calls in progress.

    The day ends at midnight UTC, which is made up: the vendor's page only says "daily".
    """

    calls: Counter[str] = field(default_factory=Counter)
    used: Counter[str] = field(default_factory=Counter)
    concurrent: Counter[str] = field(default_factory=Counter)
    day: date = date.min

    def spend(self, token: str, limit: int) -> bool:
        """Count one call of a token unless it has made `limit` calls today; return whether it had one left."""
        today = datetime.now(UTC).date()
        if today != self.day:
            self.day = today
            self.used.clear()
        if self.used[token] >= limit:
            return False
        self.used[token] += 1
        return True

    @contextmanager
    def in_progress(self, token: str) -> Iterator[int]:
        """Count a token's call as in progress within the block; give how many there are, this one included."""
        self.concurrent[token] += 1
        try:
            yield self.concurrent[token]
        finally:
            self.concurrent[token] -= 1


class SandboxCrm:
    """The simulated CRM: a configuration, a store, and the traffic so far."""

    def __init__(self, config: SandboxConfig, store: Store) -> None:
        """Start without any traffic."""
        self.config = config
        self.store = store
        self.traffic = Traffic()

    def refused(self, token: str, concurrent: int) -> AnswerBody | None:
        """Return why a call is refused, None if it is accepted and counted.

        `concurrent` is how many calls of the token were in progress when it came, itself included.
        """
        if not token:
            return refusal(401, "PLEASE ENTER THE WOLKVOX-TOKEN")
        if not self.config.accepts_token(token):
            return refusal(403, "PLEASE VALIDATE TOKEN")
        limit = self.config.simultaneous_requests
        if limit is not None and concurrent > limit:
            return refusal(403, f"EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN ({limit})")
        return None if self.traffic.spend(token, self.config.daily_quota) else refusal(403, "TOKEN LIMIT EXCEEDED")

    def insert(self, body: CaseBody) -> AnswerBody:
        """Create a case, or return why it cannot be created."""
        if reason := self._why_not(body):
            return reason
        try:
            case = self.store.add(body.values, [file.chunks() for file in body.attachments or ()], self.config.prefix)
        except ValueError:  # not base64, or half a surrogate pair
            return refusal(400, "ATTACHMENTS MUST BE BASE64 AND TEXTS UNICODE")
        return success("Succesfully create record", {"wolkvox_id": case.wolkvox_id, "idPrefijo": case.id_prefijo})

    def query(self, body: CaseBody) -> AnswerBody:
        """Return the cases with this value in this field."""
        operation, searched, value = (body.values.get(key) for key in ("operation", "field", "value"))
        if not (isinstance(operation, str) and isinstance(searched, str) and isinstance(value, str) and value):
            return refusal(400, "SOME PARAMETERS ARE REQUIRED")
        if searched not in SEARCHABLE:
            return refusal(400, "THE SANDBOX CANNOT SEARCH BY THIS FIELD", f"Use one of {', '.join(SEARCHABLE)}.")
        search = self.config.search
        until = time.time() - search.seen_after
        found = self.store.query(
            searched, value, partial=searched in search.partial, ignore_case=search.ignore_case, until=until
        )
        found = [case for case in found if case.body["operation"] == operation]
        if search.order == "newest-first":
            found.reverse()
        if not found:
            return self.nothing_found()
        return success("Successful query", [_record(case) for case in found[: search.page_size]])

    def nothing_found(self) -> AnswerBody:
        """Return the answer of a search without a hit, in the configured shape."""
        shape = self.config.search.nothing_found
        if shape == "404":
            return refusal(404, "RECORD NOT FOUND")
        return success("Successful query", [] if shape == "empty-list" else None)

    def token_information(self, operation: str | None, token: str) -> AnswerBody:
        """Return what is left of the token's quota, this call included."""
        if not operation:
            return refusal(400, "SOME PARAMETERS ARE REQUIRED")
        now, limit, used = datetime.now(UTC), self.config.daily_quota, self.traffic.used[token]
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        data = {
            "token_limit": limit,
            "token_use_today": used,
            "available_consumition_options": limit - used,
            "hours_to_restart_count": round((midnight - now).total_seconds() / 3600, 2),
        }
        return success("Successful query", data)

    def _why_not(self, body: CaseBody) -> AnswerBody | None:
        """Return why this body cannot become a case, None if it can."""
        values, config = body.values, self.config
        missing = [name for name in _REQUIRED_TEXTS if not _text(values, name)]
        missing += [] if isinstance(values.get("form"), dict) else ["form"]
        missing += ["attachments"] if body.attachments is None else []
        if missing:
            return refusal(400, "SOME PARAMETERS ARE REQUIRED", ", ".join(missing))
        condition = config.condition(_text(values, "status"))
        exists = {
            "operation": config.operations is None or values["operation"] in config.operations,
            "case-type": config.case_types is None or values["case-type"] in config.case_types,
            "responsible": config.knows_user(_text(values, "responsible")),
            "owner": config.knows_user(_text(values, "owner")),
            "contact": config.knows_contact(_text(values, "contact")),
            "status": condition is not None,
            "priority": config.priorities is None or values["priority"] in config.priorities,
        }
        for name, known in exists.items():
            if not known:
                return refusal(400, f"{name.upper()} DOES NOT EXIST", name)
        if condition in config.solution_needed_when and not _text(values, "solution"):
            return refusal(400, "SOME PARAMETERS ARE REQUIRED", "solution")
        return None


def _text(values: Mapping[str, object], name: str) -> str:
    """Return a parameter if it is a text other than white space, else the empty text."""
    value = values.get(name)
    return value if isinstance(value, str) and value.strip() else ""


def _record(case: StoredCase) -> AnswerBody:
    """Return a case as the search shows it; the shape is made up, since the vendor's page shows none."""
    ids = {"wolkvox_id": case.wolkvox_id, "idPrefijo": case.id_prefijo, "idCase": str(case.number)}
    return {**ids, **case.body}
