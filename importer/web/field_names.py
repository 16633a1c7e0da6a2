"""What an office calls the CRM's fields; a form field has the name that the CRM itself shows."""

from __future__ import annotations

from importer.messages import gettext_noop, translated

_FORM = "form."

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
