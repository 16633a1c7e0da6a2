"""Compare a record of the CRM with what the sheet says of its row, field by field.

What a record does not show is neither equal nor different: it is not shown. Spaces, line breaks and mark-up do not
count, nor does the case of a status or an address; a moment at midnight is its day.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

from importer.crm import Record, attachments_shown, hit_of, shown_form, shown_texts
from importer.mapping import html_to_text
from importer.messages import _
from importer.proof import CaseProof, Difference
from importer.text import fold, unescaped
from importer.workflow.accounting import files_sent
from importer.workflow.contact_rows import case_fields
from importer.workflow.plan import Plan, PlannedRow

Match = Literal["equal", "differs", "not shown"]

PEOPLE = frozenset({"responsible", "owner", "contact"})
"""Fields that are sent as addresses, and that a record may show as names."""

_NAMED = frozenset({"case-type", "status", "priority"}) | PEOPLE
_CUT = ("…", "...")
_SHORTEST_BEGINNING = 10  # characters of a text that was cut; less of it proves nothing
_MIDNIGHT = re.compile(r"[T ]00:00(:00(\.0+)?)?(Z|[+-]00:?00)?")
_REFERENCE_LINE = re.compile(r"\A\s*\[WCI-[0-9A-Z]{16}\]\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Compared:
    """What a field came to, and what the CRM shows instead where it differs."""

    match: Match
    crm: str = ""


class CaseComparer:
    """Compares the cases of one plan with their rows."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._columns = {rule.path: rule.column for rule in plan.mapping.rules}

    def compare(self, row: PlannedRow, record: Record) -> CaseProof:
        """Return what a record shows of the case of a row."""
        differences, not_shown = [], []
        form, sent = shown_form(record), files_sent(self._plan, row)
        for path, value in self._expected(row):
            found = _form_field(form, path, value) if path.startswith("form.") else _own_field(record, path, value)
            if path == "description" and _only_names_files(row, str(value), found):
                found = Compared("equal")
            if found.match == "not shown":
                not_shown.append(path)
            elif found.match == "differs":
                differences.append(self._difference(row, path, _shown(value), found.crm))
        differences += self._ids(row, record)
        files = attachments_shown(record)
        if files is not None and files != sent:
            differences.append(self._difference(row, "attachments", str(sent), str(files)))
        return CaseProof(
            row.number,
            "differs" if differences else "equal",
            tuple(differences),
            tuple(not_shown),
            files_sent=sent,
            files_shown=files,
            id_prefijo=hit_of(record).id_prefijo,
        )

    def _expected(self, row: PlannedRow) -> Iterator[tuple[str, object]]:
        """Yield what the sheet says of each field that the case was sent with, without its reference.

        The contact's own fields are not the case's.
        """
        for path, value in case_fields(row.fields):
            if path != self._plan.mapping.reference or path == "description":
                yield path, value

    def _ids(self, row: PlannedRow, record: Record) -> Iterator[Difference]:
        """Yield the ids that are not those of the journal."""
        known, hit = row.known, hit_of(record)
        if known is None:
            return
        pairs = (
            ("wolkvox_id", known.wolkvox_id, hit.wolkvox_id),
            ("idPrefijo", known.id_prefijo, hit.id_prefijo),
        )
        for name, ours, theirs in pairs:
            if ours and theirs and ours.casefold() != theirs.casefold():
                yield Difference(row.number, None, name, ours, theirs)

    def _difference(self, row: PlannedRow, path: str, sheet: str, crm: str) -> Difference:
        column = self._columns.get(path)
        edited = row.differs and (row.edited is None or column is None or self._recorded(column) in row.edited)
        return Difference(row.number, column, path, sheet, crm or _("(empty)"), edited=edited)

    def _recorded(self, name: str) -> str:
        """Return the name under which the column that the mapping calls so is recorded."""
        column = self._plan.headings.column(name)
        return name if column is None else self._plan.headings.recorded(column)


def _own_field(record: Record, path: str, value: object) -> Compared:
    """Compare one of the fields that every case has."""
    texts = shown_texts(record, path)
    if texts is None:
        return Compared("not shown")
    expected = str(value)
    if path == "description":
        texts = tuple(_REFERENCE_LINE.sub("", _plain(text), count=1) for text in texts)
    if path in PEOPLE and "@" in expected and not any("@" in text for text in texts) and any(texts):
        return Compared("not shown")  # a name, which nothing ties to the address
    return _best(_same_text(expected, text, folded=path in _NAMED) for text in texts)


def _only_names_files(row: PlannedRow, expected: str, found: Compared) -> bool:
    """Tell whether a description differs by nothing but the line that names the files without which its case went."""
    return bool(row.left_out) and _squeezed(found.crm).startswith(f"{_squeezed(expected)} [")


def _form_field(form: Mapping[str, object] | None, path: str, value: object) -> Compared:
    name = fold(path.removeprefix("form."))
    if form is None or name not in form:
        return Compared("not shown")
    return _same_value(value, form[name])


def _same_value(expected: object, shown: object) -> Compared:
    """Compare the value of a form field: a text, a number, a switch, or an object with a value of its own."""
    if isinstance(expected, Mapping):
        return _same_object(expected, shown)
    if isinstance(shown, Mapping):
        inside = next((shown[name] for name in ("value", "name", "label") if name in shown), None)
        return Compared("not shown") if inside is None else _same_value(expected, inside)
    if isinstance(expected, list | tuple) and _texts(expected) == _texts(shown):
        return Compared("equal")
    if isinstance(expected, int | float) and _number(expected) is not None and _number(expected) == _number(shown):
        return Compared("equal")
    return _same_text(_shown(expected), _shown(shown), folded=isinstance(expected, bool))


def _same_object(expected: Mapping[str, object], shown: object) -> Compared:
    """Compare an object with what is shown of its members, or with a plain value."""
    if not isinstance(shown, Mapping):
        return _same_value(expected["value"], shown) if "value" in expected else Compared("not shown")
    found = [_same_value(value, shown[name]) for name, value in expected.items() if name in shown]
    wrong = next((each for each in found if each.match == "differs"), None)
    return wrong or Compared("equal" if found and "value" in shown else "not shown")


def _same_text(expected: str, shown: str, *, folded: bool = False) -> Compared:
    one, other = _squeezed(expected), _squeezed(shown)
    for before, after in ((one, other), (_squeezed(_plain(expected)), _squeezed(_plain(shown)))):
        if before == after or (folded and fold(before) == fold(after)):
            return Compared("equal")
        if after.startswith(before) and _MIDNIGHT.fullmatch(after[len(before) :]):
            return Compared("equal")
        beginning = next((after.removesuffix(end).rstrip() for end in _CUT if after.endswith(end)), "")
        if len(beginning) >= _SHORTEST_BEGINNING and before.startswith(beginning):
            return Compared("not shown")  # it is shown in part
    return Compared("differs", shown)


def _best(found: Iterator[Compared]) -> Compared:
    """Return what fits best of the several texts that a record shows of one field."""
    compared = list(found)
    order: tuple[Match, ...] = ("equal", "not shown", "differs")
    return min(compared, key=lambda each: order.index(each.match))


def _plain(text: str) -> str:
    return html_to_text(unescaped(text))


def _squeezed(text: str) -> str:
    return " ".join(text.split())


def _shown(value: object) -> str:
    """Return a value as people read it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return _shown(value.get("value", ", ".join(map(_shown, value.values()))))
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value))
    return str(value)


def _texts(value: object) -> list[str]:
    parts = value if isinstance(value, list | tuple) else str(value).split(",")
    return sorted(fold(_shown(part)) for part in parts)


def _number(value: object) -> Decimal | None:
    try:
        return Decimal(str(value).strip())
    except InvalidOperation:
        return None
