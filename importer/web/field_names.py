"""What an office calls the CRM's fields; a form field has the name that the CRM itself shows."""

from __future__ import annotations

from importer.errors import MappingFault
from importer.messages import _, gettext_noop, translated

_FORM = "form."
_LONGEST = 120

USERS = ("responsible", "owner")
"""The fields with a user of the CRM."""

LISTS = ("case-type", *USERS, "status", "priority")
"""Fields whose values the CRM takes from lists of its own, in the order in which they are asked about."""

_NAMES = {
    "case-type": gettext_noop("Case type"),
    "responsible": gettext_noop("Responsible"),
    "owner": gettext_noop("Owner"),
    "contact": gettext_noop("Contact (e-mail address)"),
    "description": gettext_noop("Description"),
    "status": gettext_noop("Status"),
    "priority": gettext_noop("Priority"),
    "solution": gettext_noop("Solution"),
}

_HINTS = {
    "case-type": gettext_noop("One of the case types of the operation, as the CRM writes it."),
    "responsible": gettext_noop("The user who works on the case, as the CRM writes the name."),
    "owner": gettext_noop("The user to whom the case belongs, as the CRM writes the name."),
    "contact": gettext_noop("The address of a contact that is already in the CRM."),
    "description": gettext_noop("What the case is about."),
    "status": gettext_noop("One of the statuses of the operation; a closed status needs a solution."),
    "priority": gettext_noop("One of the priorities of the operation."),
    "solution": gettext_noop("How the case was resolved; required when the status is closed."),
}


def field_name(path: str) -> str:
    """Return what people call the field at a path of the mapping (`status`, `form.Subject`)."""
    if path.startswith(_FORM):
        return path.removeprefix(_FORM)
    return translated(_NAMES[path]) if path in _NAMES else path


def field_hint(path: str) -> str:
    """Return what belongs into a field of the CRM, as a sentence; "" for form fields."""
    return translated(_HINTS[path]) if path in _HINTS else ""


def fault_told(fault: MappingFault) -> str:
    """Return what is wrong with a mapping, with the field that it is about by its name on the page."""
    section, _dot, rest = fault.path.partition(".")
    name = rest.partition(".")[0] if section == "fields" else fault.path
    if section not in {"fields", "form"} or not rest:
        return fault.message if len(fault.message) < _LONGEST else fault.message.partition(";")[0]
    if rest == name:
        return _("{field}: choose what to fill it with.", field=field_name(name))
    return _(
        "{field}: {what}. Click “Values and more…” beside the field, or fill it anew.",
        field=field_name(name),
        what=fault.message.partition(";")[0].rstrip("."),
    )
