"""A planned row becomes what is sent: its fields with the reference, its attachments, and how it could be found."""

from __future__ import annotations

from functools import partial

from importer import payload
from importer.attachments import encode, encoded_length
from importer.model import Payload, Row
from importer.plan import Plan

SEARCHED = {
    "email contact": "contact",
    "responsible user": "responsible",
    "owner user": "owner",
    "type case": "case-type",
    "status": "status",
    "priority": "priority",
    "description": "description",
    "solution": "solution",
}
"""The payload's field behind each query field of the CRM that a case is sent with (vendor's page)."""


PLACEHOLDER = "WCI-" + 16 * "."
"""Stands in a preview for a reference that cannot be known yet: server or operation are not named."""


def compose(plan: Plan, row: Row) -> Payload:
    """Return the payload of a row: its fields with the reference, and its attachments, encoded while they are sent."""
    files = [payload.EncodedFile(encoded_length(file.size), partial(encode, file)) for file in row.attachments]
    reference = row.identity.reference if row.identity else ""
    return payload.build(complete_fields(plan, row), plan.scope.operation, reference, files)


def complete_fields(plan: Plan, row: Row) -> dict[str, object]:
    """Return a row's fields as they are sent: with its reference, and with the names of missing attachments."""
    fields = payload.with_missing(row.fields, row.missing)
    known = plan.scope.tenant and plan.scope.operation and row.identity
    reference = row.identity.reference if known and row.identity else PLACEHOLDER
    return payload.with_reference(fields, plan.mapping.reference, reference)


def search_value(plan: Plan, row: Row) -> str | None:
    """Return what is sent in the field by which the mapping searches the CRM.

    None where the row is sent without that field, or without the reference by which its case would be recognised.
    """
    if plan.mapping.reference is None:
        return None
    value = complete_fields(plan, row).get(SEARCHED.get(plan.mapping.search, ""))
    return None if value is None else str(value)
