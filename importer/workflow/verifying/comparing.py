"""Compare a record of the CRM with what the sheet says of its row, field by field.

What a record does not show is neither equal nor different: it is not shown. Spaces, line breaks and mark-up do not
count, nor does the case of a status or an address; a moment at midnight is its day. A form field that the sheet has
always left empty is not compared: the CRM may fill it by itself, in every case.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

from importer.crm import Record, attachments_shown, hit_of, shown_form, shown_texts
from importer.mapping import ATTACHMENTS, html_to_text
from importer.messages import _
from importer.model.proof import CaseProof, Difference, Result
from importer.text import fold, unescaped
from importer.workflow.outcome.accounting import files_sent
from importer.workflow.planning.contact_rows import case_fields
from importer.workflow.planning.plan import Plan, PlannedRow
from importer.workflow.verifying.edits import Edit, Edits

Match = Literal["equal", "differs", "not shown"]

PEOPLE = frozenset({"responsible", "owner", "contact"})
"""Fields that are sent as addresses, and that a record may show as names."""

_NAMED = frozenset({"case-type", "status", "priority"}) | PEOPLE
_CUT = ("…", "...")
_NOTHING = frozenset({"", "false", "null", "none", "[]", "{}"})
_SHORTEST_BEGINNING = 10  # characters of a text that was cut; less of it proves nothing
_MIDNIGHT = re.compile(r"[T ]00:00(:00(\.0+)?)?(Z|[+-]00:?00)?")
_REFERENCE_LINE = re.compile(r"\A\s*\[WCI-[0-9A-Z]{16}\]\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Compared:
    """What a field came to, and what the CRM shows instead where it differs."""

    match: Match
    crm: str = ""


@dataclass(frozen=True, slots=True)
class ShownCase:
    """What a record shows beside its own fields: its form, None if it shows none, and the number of its files."""

    record: Record
    form: Mapping[str, object] | None
    files: int | None

    @staticmethod
    def of(record: Record) -> ShownCase:
        """Return what a record shows."""
        return ShownCase(record, shown_form(record), attachments_shown(record))


class CaseComparer:
    """Compares the cases of one plan with their rows."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._edits = Edits(plan)
        rules = dict.fromkeys(rule.path for rule in plan.mapping.rules)
        self._paths = tuple(path for path, _nothing in case_fields(rules))

    def compare(self, row: PlannedRow, record: Record) -> CaseProof:
        """Return what a record shows of the case of a row."""
        shown, sent, edit = ShownCase.of(record), files_sent(self._plan, row), self._edits.of(row)
        differences, not_shown, empty, equal = list[Difference](), list[str](), list[str](), set[str]()
        for path, value in self._expected(row):
            found = _compared(row, path, value, shown)
            if found.match == "equal":
                equal.add(path)
            elif found.match == "not shown":
                not_shown += [] if value is None else [path]
            elif value is None and path.startswith("form.") and not edit.touches(path):
                empty.append(path)
            else:
                differences.append(self._difference(row, edit, path, _shown(value), found.crm))
        differences += self._ids(row, record)
        if shown.files is not None and shown.files != sent:
            differences.append(self._difference(row, edit, ATTACHMENTS, str(sent), str(shown.files)))
        elif shown.files is None and sent:
            not_shown.append(ATTACHMENTS)
        reason = "" if differences else edit.unproven(equal)
        result: Result = "differs" if differences else "edited" if reason else "equal"
        return CaseProof(
            row.number,
            result,
            tuple(differences),
            tuple(not_shown),
            empty_in_sheet=tuple(empty),
            files_sent=sent,
            files_shown=shown.files,
            reason=reason,
            id_prefijo=hit_of(record).id_prefijo,
        )

    def _expected(self, row: PlannedRow) -> Iterator[tuple[str, object]]:
        """Yield what the sheet says of each field of the case, without its reference; None where it says nothing.

        The contact's own fields are not the case's.
        """
        of_case = dict(case_fields(row.fields))
        for path in dict.fromkeys((*of_case, *self._paths)):
            if path != self._plan.mapping.reference or path == "description":
                yield path, of_case.get(path)

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

    def _difference(self, row: PlannedRow, edit: Edit, path: str, sheet: str, crm: str) -> Difference:
        empty = _("(empty)")
        column = ", ".join(self._edits.named(path, edit)) or None
        return Difference(row.number, column, path, sheet or empty, crm or empty, edited=edit.touches(path))


def _compared(row: PlannedRow, path: str, value: object, shown: ShownCase) -> Compared:
    """Compare a field with what a record shows of it; a value of None is a field that the sheet leaves empty."""
    if path.startswith("form."):
        return _form_field(shown.form, path, value)
    found = _own_field(shown.record, path, value)
    if path == "description" and _only_names_files(row, _shown(value), found):
        return Compared("equal")
    return found


def _own_field(record: Record, path: str, value: object) -> Compared:
    """Compare one of the fields that every case has."""
    texts = shown_texts(record, path)
    if texts is None:
        return Compared("not shown")
    expected = _shown(value)
    if path == "description":
        texts = tuple(_REFERENCE_LINE.sub("", _plain(text), count=1) for text in texts)
    if path in PEOPLE and "@" in expected and not any("@" in text for text in texts) and any(texts):
        return Compared("not shown")  # a name, which nothing ties to the address
    return _best(_same_text(expected, text, folded=path in _NAMED) for text in texts)


def _only_names_files(row: PlannedRow, expected: str, found: Compared) -> bool:
    """Tell whether a description differs by nothing but the line that names the files without which its case went."""
    return bool(row.left_out) and _squeezed(found.crm).startswith(f"{_squeezed(expected)} [".lstrip())


def _form_field(form: Mapping[str, object] | None, path: str, value: object) -> Compared:
    name = fold(path.removeprefix("form."))
    if form is None or name not in form:
        return Compared("not shown")
    if value is None:
        return Compared("equal") if _says_nothing(form[name]) else Compared("differs", _shown(form[name]))
    return _same_value(value, form[name])


def _says_nothing(shown: object) -> bool:
    """Tell whether a form field has no value: a switch that is off has none, nor has a number of nothing."""
    if isinstance(shown, Mapping):
        return _says_nothing(shown["value"]) if "value" in shown else all(map(_says_nothing, shown.values()))
    text = _squeezed(_shown(shown)).casefold()
    return text in _NOTHING or _number(text) == 0


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
