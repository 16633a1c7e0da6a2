"""The CRM's calls, as the sandbox answers them: which there are, who may make them, and those of cases.

The sentences that `docs/sandbox.md` lists as made up are not in any page of the vendor.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from importer.sandbox.answers import Answer, AnswerBody, found, missing, nothing_found, refusal, success
from importer.sandbox.body import CallBody, FilePart
from importer.sandbox.config import SandboxConfig
from importer.sandbox.custom import CustomCalls
from importer.sandbox.records import ADDRESS, CONTACTS
from importer.sandbox.shown import shown_case
from importer.sandbox.store import SEARCHABLE, Store, StoredFile
from importer.sandbox.traffic import Traffic

_REQUIRED_TEXTS = ("operation", "case-type", "responsible", "owner", "contact", "description", "status", "priority")
_UPDATED = ("case-type", "responsible", "status", "priority", "solution", "form")
_UPDATED_WITH_ATTACHMENTS = (*_UPDATED, "owner", "contact", "description")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the CRM: its method, its path, and whether its body is a multipart form."""

    method: str
    path: str
    is_form: bool = False


CALLS: Mapping[str, Call] = {
    "insert": Call("POST", "cases/insertAttach.php"),
    "query": Call("POST", "cases/queryCases.php"),
    "token": Call("GET", "token/tokenInformation.php"),
    "insert-form": Call("POST", "cases/insert.php", is_form=True),
    "update": Call("POST", "cases/update.php", is_form=True),
    "update-attach": Call("POST", "cases/updateCaseAttachment.php"),
    "notes": Call("POST", "cases/listHistoryNote.php"),
    "custom-query": Call("POST", "custom/query.php"),
    "custom-insert": Call("POST", "custom/insert.php"),
    "custom-insert-many": Call("POST", "custom/insertMany.php"),
    "custom-dates": Call("POST", "custom/queryDates.php"),
    "custom-delete": Call("POST", "custom/delete.php"),
}
"""The calls by the names that faults and counts of traffic use."""


class SandboxCrm:
    """The simulated CRM: a configuration, a store, and the traffic so far."""

    def __init__(self, config: SandboxConfig, store: Store) -> None:
        """Start without any traffic."""
        self.config = config
        self.store = store
        self.traffic = Traffic()
        custom = CustomCalls(config, store)
        self._answers = {
            "insert": self.insert,
            "insert-form": self.insert,
            "query": self.query,
            "update": lambda body: self.update(body, _UPDATED),
            "update-attach": lambda body: self.update(body, _UPDATED_WITH_ATTACHMENTS),
            "notes": self.notes,
            "custom-query": custom.query,
            "custom-insert": custom.insert,
            "custom-insert-many": custom.insert_many,
            "custom-dates": custom.query_dates,
            "custom-delete": custom.delete,
        }
        store.records.list_contacts(config.contacts or ())

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

    def answer(self, call: str, body: CallBody) -> Answer:
        """Do what a call with a body asks for; `call` is a name of `CALLS` other than `token`."""
        return self._answers[call](body)

    def insert(self, body: CallBody) -> AnswerBody:
        """Create a case, or return why it cannot be created."""
        values = body.values
        lacking = [name for name in _REQUIRED_TEXTS if not _text(values, name)]
        lacking += [] if isinstance(values.get("form"), dict) else ["form"]
        lacking += ["attachments"] if body.attachments is None else []
        if lacking:
            return missing(*lacking)
        if reason := self._why_not(values, _REQUIRED_TEXTS):
            return reason
        try:
            case = self.store.add(values, self._files(body), self.config.prefix)
        except ValueError:  # not base64, or half a surrogate pair
            return refusal(400, "ATTACHMENTS MUST BE BASE64 AND TEXTS UNICODE")
        self._create_contact(values)
        return success("Succesfully create record", {"wolkvox_id": case.wolkvox_id, "idPrefijo": case.id_prefijo})

    def query(self, body: CallBody) -> Answer:
        """Return the cases with this value in this field."""
        operation, searched, value = (body.values.get(key) for key in ("operation", "field", "value"))
        if not (isinstance(operation, str) and isinstance(searched, str) and isinstance(value, str) and value):
            return missing()
        if searched not in SEARCHABLE:
            return refusal(400, "THE SANDBOX CANNOT SEARCH BY THIS FIELD", f"Use one of {', '.join(SEARCHABLE)}.")
        search = self.config.search
        until = time.time() - search.seen_after
        cases = self.store.query(
            searched, value, partial=searched in search.partial, ignore_case=search.ignore_case, until=until
        )
        cases = [case for case in cases if case.body["operation"] == operation]
        if search.order == "newest-first":
            cases.reverse()
        return found([shown_case(case, self.config) for case in cases], search)

    def update(self, body: CallBody, updated: Sequence[str]) -> AnswerBody:
        """Change the fields of a case that `updated` names, or return why it cannot be changed."""
        values, rules = body.values, self.config.updates
        texts = [name for name in updated if name in values and name not in {"form", "solution"}]
        lacking = [name for name in ("operation", "wolkvox-id", *texts) if not _text(values, name)]
        lacking += [] if isinstance(values.get("form", {}), dict) else ["form"]
        lacking += [] if isinstance(values.get("solution", ""), str) else ["solution"]
        if lacking:
            return missing(*lacking)
        case = self.store.case_with_id(_text(values, "wolkvox-id"))
        if case is None or case.body["operation"] != values["operation"]:
            return refusal(400, "WOLKVOX-ID DOES NOT EXIST", "wolkvox-id")
        if reason := self._why_not(values, [name for name in updated if name in values]):
            return reason

        def change(before: Mapping[str, Any]) -> Mapping[str, object]:
            sent = {name: values[name] for name in updated if name in values}
            if rules.absent == "kept":
                return {**before, **sent, "form": {**before["form"], **dict(values.get("form") or {})}}  # type: ignore[call-overload]
            empty = {name: {} if name == "form" else "" for name in updated if name in before}
            return {**before, **empty, **sent}

        files = [] if rules.files == "ignored" else self._files(body)
        try:
            self.store.update(case.number, change, values, files, replaces_files=rules.files == "replacing")
        except ValueError:
            return refusal(400, "ATTACHMENTS MUST BE BASE64 AND TEXTS UNICODE")
        self._create_contact(values)
        return success("Succesfully update record", {"wolkvox_id": case.wolkvox_id})

    def notes(self, body: CallBody) -> Answer:
        """Return no notes: no documented call writes one."""
        lacking = [name for name in ("operation", "field", "value") if not _text(body.values, name)]
        return missing(*lacking) if lacking else self.nothing_found()

    def nothing_found(self) -> Answer:
        """Return the answer of a search without a hit, in the configured shape."""
        return nothing_found(self.config.search)

    def token_information(self, operation: str | None, token: str) -> AnswerBody:
        """Return what is left of the token's quota, this call included."""
        if not operation:
            return missing()
        now, limit, used = datetime.now(UTC), self.config.daily_quota, self.traffic.used[token]
        midnight = (now + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
        data = {
            "token_limit": limit,
            "token_use_today": used,
            "available_consumition_options": limit - used,
            "hours_to_restart_count": round((midnight - now).total_seconds() / 3600, 2),
        }
        return success("Successful query", data)

    def _why_not(self, values: Mapping[str, object], sent: Sequence[str]) -> AnswerBody | None:
        """Return why the fields that were sent cannot be those of a case, None if they can."""
        config = self.config
        condition = config.condition(_text(values, "status"))
        exists: Mapping[str, Callable[[], bool]] = {
            "operation": lambda: config.operations is None or values["operation"] in config.operations,
            "case-type": lambda: config.case_types is None or values["case-type"] in config.case_types,
            "responsible": lambda: config.knows_user(_text(values, "responsible")),
            "owner": lambda: config.knows_user(_text(values, "owner")),
            "contact": lambda: self._contact_will_do(values),
            "status": lambda: condition is not None,
            "priority": lambda: config.priorities is None or values["priority"] in config.priorities,
        }
        for name, known in exists.items():
            if name in sent and not known():
                return refusal(400, f"{name.upper()} DOES NOT EXIST", name)
        if "status" in sent and condition in config.solution_needed_when and not _text(values, "solution"):
            return missing("solution")
        return None

    def _contact_will_do(self, values: Mapping[str, object]) -> bool:
        address = _text(values, "contact")
        if self.config.rule_for_unknown_contacts != "refused":
            return self.config.is_address(address)
        return self.store.records.contact(_text(values, "operation"), address) is not None

    def _create_contact(self, values: Mapping[str, object]) -> None:
        """Create a case's contact where it does not exist and the configuration says so."""
        operation, address = _text(values, "operation"), _text(values, "contact")
        if not address or self.config.rule_for_unknown_contacts != "created":
            return
        with self.store.records.lock:
            if self.store.records.contact(operation, address) is None:
                self.store.records.add(CONTACTS, operation, [{ADDRESS: address}])

    def _files(self, body: CallBody) -> list[StoredFile]:
        keeps_names = self.config.file_names == "kept"
        return [
            StoredFile(file.chunks(), file.name if keeps_names and isinstance(file, FilePart) else None)
            for file in body.attachments or ()
        ]


def _text(values: Mapping[str, object], name: str) -> str:
    """Return a parameter if it is a text other than white space, else the empty text."""
    value = values.get(name)
    return value if isinstance(value, str) and value.strip() else ""
