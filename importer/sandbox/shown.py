"""Records as a search of the sandbox shows them."""

from __future__ import annotations

from datetime import datetime

from importer.sandbox.answers import AnswerBody
from importer.sandbox.config import SandboxConfig, zone_of
from importer.sandbox.records import StoredRecord
from importer.sandbox.store import StoredCase


def shown_case(case: StoredCase, config: SandboxConfig) -> AnswerBody:
    """Return a case as the search shows it; either shape is made up, or of an older version."""
    ids = {"wolkvox_id": case.wolkvox_id, "idPrefijo": case.id_prefijo}
    body = case.body
    if config.search.record == "as-sent":
        return {**ids, "idCase": str(case.number), **body}
    return {
        **ids,
        **{name: {"name": body.get(name, "")} for name in ("priority", "status", "owner", "responsible")},
        "type_case": {"name": body.get("case-type", "")},
        "contact": {"email": body.get("contact", "")},
        "wolkvox_fecha_creacion": _moment(case.created_at, config),
        "wolkvox_fecha_modificacion": _moment(case.modified_at, config),
        "closeDate": None,
        "timeEstimated": None,
        "reOpened": False,
        "form": body.get("form", {}),
        "description_case": body.get("description", ""),
        "solution": body.get("solution", ""),
    }


def shown_record(record: StoredRecord, config: SandboxConfig) -> AnswerBody:
    """Return a record of another module as the search shows it, in the names that public code reads."""
    return {
        **record.fields,
        "wolkvox_id": record.wolkvox_id,
        "wolkvox_owner": "ADMIN_@sandbox",
        "wolkvox_fecha_creacion": _moment(record.created_at, config),
    }


def _moment(seconds: float, config: SandboxConfig) -> str:
    """Return a moment as the CRM writes it: without its zone."""
    return f"{datetime.fromtimestamp(seconds, zone_of(config.records.zone)):%Y-%m-%d %H:%M:%S}"
