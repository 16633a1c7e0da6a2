"""What the texts of the sheet are in the CRM, for all fields with lists on one page: asked, guessed, and saved."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from starlette.datastructures import FormData

from importer import ColumnValue, ColumnValues, MappingEditor, MatchField, MatchModel, SheetSurvey, Status
from importer.text import unaccented
from importer.web.checking import CheckedSheet
from importer.web.field_names import LISTS, USERS

_LISTED = {"allowed", "known", "lookup", "type"}
"""Keys of a field that say what its texts are, or that they are something else than texts."""

LISTS_OF_THE_FILE = ("lookup", "known")
"""Keys of a field that name a list beside the mapping, which the page does not edit."""


_MOST_CASES = 1_000
"""Cases of which the values are looked at."""


@dataclass(frozen=True, slots=True)
class ValueLine:
    """A word of a column, and its spellings: with and without capitals and accents it means the same in the CRM."""

    first: ColumnValue
    texts: tuple[str, ...]
    rows: int


@dataclass(frozen=True, slots=True)
class ValueTable:
    """The texts of the column that fills a field, each with what it is in the CRM; `also` is a field that has the same.

    `accepted` are values that the CRM has taken already, in cases that this sheet's import has created.
    """

    field: MatchField
    also: MatchField | None
    values: ColumnValues
    accepted: frozenset[str]

    @property
    def path(self) -> str:
        """The field's path."""
        return self.field.path

    @property
    def column(self) -> str:
        """The column that fills it."""
        return self.field.columns[0]

    @property
    def lines(self) -> list[ValueLine]:
        """The words, the most frequent first; spellings of which the mapping says different things stay apart."""
        words: dict[tuple[str, str | None], list[ColumnValue]] = {}
        for one in self.values.values:
            words.setdefault((unaccented(one.text), one.value), []).append(one)
        lines = [
            ValueLine(found[0], tuple(one.text for one in found), sum(one.rows for one in found))
            for found in words.values()
        ]
        return sorted(lines, key=lambda line: -line.rows)

    @property
    def is_said(self) -> bool:
        """Whether somebody has said what at least one of the texts is."""
        return bool(self.field.values)

    @property
    def open(self) -> list[ColumnValue]:
        """The texts of which nothing was said yet; those that are the CRM's own already need nothing."""
        if self.path in USERS:
            return [one for one in self.values.values if one.value is None and "@" not in one.text]
        return [one for one in self.values.values if one.value is None]

    @property
    def default(self) -> str:
        """What is sent where the cell is empty."""
        return str(dict(self.field.options).get("default", ""))

    @property
    def known(self) -> list[str]:
        """The values that are proposed for every text."""
        named = (value for _text, value in self.field.values)
        guessed = (text for one in self.values.values for text in (*one.proposals, one.likely) if text)
        own = (one.text for one in self.values.values if self.path not in USERS or "@" in one.text)
        return list(dict.fromkeys([*sorted(self.accepted), *named, *own, *guessed]))

    def shown(self, one: ColumnValue) -> str:
        """Return what the field for a text begins with: what is known, or what it almost certainly is."""
        if one.value is not None:
            return one.value
        if self.path in USERS:
            return one.text if "@" in one.text else ""
        return one.likely or ""

    def is_closed(self, one: ColumnValue) -> bool:
        """Tell whether a status is a closed one, or looks so while nothing was said."""
        if self.field.closed or self.is_said:
            return self.shown(one) in self.field.closed
        return one.looks_closed


def same_as_responsible(model: MatchModel) -> bool:
    """Tell whether the owner is filled in the same way as the responsible user."""
    one, two = (next((field for field in model.fields if field.path == path), None) for path in USERS)
    if one is None or two is None or "blank" in {one.kind, two.kind}:
        return False
    return _filling(one) == _filling(two)


def _filling(field: MatchField) -> tuple[object, ...]:
    return (
        field.kind,
        field.value,
        field.columns,
        field.missing,
        sorted(field.values),
        field.options,
        field.configured,
    )


def unfinished_lists(model: MatchModel, field: MatchField) -> list[str]:
    """Return the lists of the file that a field cannot be used with, such as one of which the file is not named."""
    place = field.path if field.path.startswith("form.") else f"fields.{field.path}"
    faulty = {key for key in LISTS_OF_THE_FILE for one in model.faults if one.path.startswith(f"{place}.{key}")}
    return [key for key in LISTS_OF_THE_FILE if key in faulty]


def value_tables(survey: SheetSurvey, model: MatchModel, checked: CheckedSheet | None) -> list[ValueTable]:
    """Return the fields about whose texts there is something to say, with their texts."""
    by_path, accepted = {field.path: field for field in model.fields}, accepted_values(checked)
    same, found = same_as_responsible(model), []
    for path in LISTS:
        field = by_path[path]
        if field.kind != "column" or not field.columns or (path == "owner" and same):
            continue
        configured = {*dict(field.options), *field.configured} - {*unfinished_lists(model, field)}
        if not configured & _LISTED:
            taken = accepted.get(path, frozenset())
            values = survey.values(field.columns[0], field, sorted(taken))
            also = by_path["owner"] if path == "responsible" and same else None
            found.append(ValueTable(field, also, values, taken))
    return found


def accepted_values(checked: CheckedSheet | None) -> dict[str, frozenset[str]]:
    """Return the values that the CRM has taken, by field: those of this sheet's cases whose rows are unchanged."""
    taken: dict[str, set[str]] = {}
    created = checked.plan.in_state(Status.CREATED) if checked is not None else iter(())
    for row in islice(created, _MOST_CASES):
        for path in LISTS if not row.differs else ():
            if isinstance(value := row.fields.get(path), str):
                taken.setdefault(path, set()).add(value)
    return {path: frozenset(values) for path, values in taken.items()}


def to_say(tables: list[ValueTable], *, is_proven: bool) -> list[ValueTable]:
    """Return the fields about whose texts something is left to say; what cases were created with needs nothing."""
    return [
        table for table in tables if table.open and not (is_proven and table.path not in USERS and not table.is_said)
    ]


def lacks_solution(model: MatchModel, tables: list[ValueTable]) -> bool:
    """Tell whether some rows are closed, which needs a solution, and no column has it."""
    has_none = all(field.kind == "blank" for field in model.fields if field.path == "solution")
    statuses = next((table for table in tables if table.path == "status"), None)
    return has_none and statuses is not None and any(map(statuses.is_closed, statuses.values.values))


def unseen_tables(tables: list[ValueTable], form: FormData) -> list[ValueTable]:
    """Return the lists that the submitted form did not show yet, because their column was chosen in it."""
    seen = {table.path for table in tables if _text(form, f"of.{table.path}") == table.column}
    return [table for table in tables if table.path not in seen and table.open and not table.is_said]


def unsaid_users(tables: list[ValueTable]) -> list[ValueTable]:
    """Return the fields of users whose column has names, as long as no name has a user: the CRM has no such user."""
    return [table for table in tables if table.path in USERS and table.open and not table.is_said]


# ---------------------------------------------------------------------------------------------- what is saved


def save_values(
    editor: MappingEditor, model: MatchModel, tables: list[ValueTable], form: FormData, *, takes_guesses: bool
) -> None:
    """Write what the submitted form says of the texts of each list.

    What was only proposed, and stayed as it was, is taken where the person goes on: `takes_guesses`.
    """
    for table in tables:
        if _text(form, f"of.{table.path}") == table.column:  # else its column was changed in the same form
            _save_table(editor, model, table, form, takes_guesses=takes_guesses)


def _save_table(
    editor: MappingEditor, model: MatchModel, table: ValueTable, form: FormData, *, takes_guesses: bool
) -> None:
    field, given = table.field, dict(_given(table, form))
    known = dict(field.values)
    new = {
        spelling: value
        for text, (value, shown, was) in given.items()
        if value and value != was and (takes_guesses or value != shown)
        for spelling in _spellings_of(text, was, known)
    }
    unfinished = unfinished_lists(model, field)
    if unfinished and new:
        editor.set_options(field.path, **dict.fromkeys(unfinished))
    if new:
        editor.add_values(field.path, new)
    default = f"default.{field.path}"
    if default in form and _text(form, default) != table.default:
        editor.set_options(field.path, default=_text(form, default) or None)
    if field.path == "status" and (new or known):
        closed = _closed(table, form, {**known, **new})
        if set(closed) != set(field.closed):
            editor.set_closed(closed)


def _spellings_of(text: str, was: str | None, known: Mapping[str, str]) -> list[str]:
    """Return the spellings under which the mapping knows a word, which all get its new meaning; else the word."""
    word = unaccented(text)
    return [one for one, value in known.items() if value == was and unaccented(one) == word] or [text]


def _given(table: ValueTable, form: FormData) -> Iterator[tuple[str, tuple[str, str, str | None]]]:
    """Yield each text with what was typed for it, what the field began with, and what the mapping says now."""
    for place, line in enumerate(table.lines):
        one = line.first
        if _text(form, f"text.{table.path}.{place}") == one.text:
            yield one.text, (_text(form, f"value.{table.path}.{place}"), table.shown(one), one.value)


def _closed(table: ValueTable, form: FormData, values: Mapping[str, str]) -> list[str]:
    """Return the closed statuses: those that are ticked, and those of texts that this sheet does not have."""
    shown = [line.first for line in table.lines]
    listed = {place: values.get(one.text, table.shown(one)) for place, one in enumerate(shown)}
    ticked = [value for place, value in listed.items() if f"closed.{place}" in form and value in values.values()]
    others = [value for value in table.field.closed if value not in listed.values() and value in values.values()]
    return list(dict.fromkeys([*ticked, *others]))


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value.replace("\r\n", "\n").strip() if isinstance(value, str) else ""
