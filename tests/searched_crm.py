"""A CRM over raw sockets that answers questions about cases, and what the doctor would have learnt of it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from journal_support import SCOPE, identity
from scripted_crm import Talk, http

from importer.workflow.tenant_facts import Findings

Record = dict[str, Any]


@dataclass
class Searched:
    """A CRM that answers questions: `answers` by field and value, records or the bytes of a whole answer."""

    answers: dict[tuple[str, str], list[Record] | bytes] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)

    def __call__(self, talk: Talk) -> None:
        """Serve one connection."""
        while True:
            body = json.loads(talk.request().body)
            question = body["field"], body["value"]
            self.asked.append(question)
            found = self.answers.get(question, [])
            talk.send(found if isinstance(found, bytes) else http(200, believed(found)))


def believed(found: list[Record]) -> dict[str, object]:
    """Return the answer of the vendor's shape."""
    return {"code": "200", "error": "null", "msg": f"{len(found)} records were are found", "data": found}


def record(number: int, case: str | None, **changed: object) -> Record:
    """Return a case's record with the mark of a row where it was written."""
    marked = {"description_case": f"[{identity(number).reference}]\nsomething", "form": {}}
    return {"wolkvox_id": case, "idPrefijo": f"P-{case}", **marked, **changed}


OTHER = {"wolkvox_id": "older", "idPrefijo": "P-0", "description_case": "no mark at all, and not of ours", "form": {}}
FINDINGS = Findings(
    tenant=SCOPE.tenant,
    operation=SCOPE.operation,
    when=datetime(2026, 1, 1, tzinfo=UTC),
    program="case-importer",
    search_field="email contact",
    body_length=10_000,
    found_after=0.0,
    page_size=100,
    nothing_readable=True,
)
