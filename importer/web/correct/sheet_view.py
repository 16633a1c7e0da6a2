"""What the page Correct shows of a checked sheet: its groups, its rows, and the values to choose from."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from importer import (
    MISSING_FILE,
    EarlierCorrection,
    Issue,
    Meaning,
    ValueChoices,
    all_statuses,
    closed_statuses,
    meaning_of,
    open_statuses,
    says_nothing,
    value_choices,
)
from importer.messages import _, shorten
from importer.model.clicks import PAGES
from importer.text import unaccented
from importer.web.checking import ROW_BY_ROW, CheckedSheet, Group
from importer.web.correct import words as correct_words
from importer.web.correct.desk import CorrectionDesk, Deed
from importer.web.correct.words import Form
from importer.web.field_names import LISTS, USERS

_NOT_HERE = frozenset({"file", "calculate", "report", "source", "decide", "send", "look back"})
_NEW_VALUES = frozenset({"no-crm-value", "ambiguous-value"})
_OF_ONE_PERSON = frozenset({"bad-email", "not-a-phone"})
_MOST_STATUSES = 40
_LONGEST_STATUS = 60
_AROUND = 4
"""Columns beside the faulty one that a row shows."""


@dataclass(frozen=True, slots=True)
class FormProblem:
    """What was wrong with a form that was sent: where it is, and what was typed, so that nothing is lost."""

    sentence: str
    place: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EditedCell:
    """A cell with a field to correct it; `number` is its column's. `texts` are those to choose from, if there are."""

    number: int
    column: str
    text: str
    texts: tuple[str, ...] = ()
    deed: Deed | None = None


@dataclass(frozen=True, slots=True)
class EditedRow:
    """A row: what is wrong with it, some of its cells, those that are corrected in it, and the mark of all of them."""

    number: int
    message: str
    around: tuple[tuple[str, str], ...]
    cells: tuple[EditedCell, ...]
    mark: str = ""

    @property
    def is_done(self) -> bool:
        """Whether some cell of it was corrected since it was checked."""
        return any(cell.deed for cell in self.cells)


@dataclass(frozen=True)
class SheetView:
    """A checked sheet with what was corrected since."""

    checked: CheckedSheet
    desk: CorrectionDesk

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of the sheet."""
        return self.checked.loaded.table.columns

    @cached_property
    def groups(self) -> tuple[Group, ...]:
        """The groups in the order in which they are shown: rejected rows, new values, then the most frequent."""
        return tuple(sorted(self.checked.groups, key=lambda group: _SECTIONS.index(section_of(group))))

    @cached_property
    def earlier(self) -> tuple[EarlierCorrection, ...]:
        """What was corrected in earlier sheets of the import, and may be corrected here as well."""
        return tuple(one for one in self.checked.plan.earlier.cells if (one.row, one.column) not in self._done_cells)

    @cached_property
    def _done_cells(self) -> Mapping[tuple[int, str], Deed]:
        return self.desk.cells()

    @cached_property
    def _column_of(self) -> Mapping[str, str]:
        """The sheet's column of a field, by the field's path."""
        headings = self.checked.loaded.case_mapping.headings(self.columns)
        rules = self.checked.loaded.case_mapping.rules
        found = ((rule.path, rule.column and headings.column(rule.column)) for rule in rules)
        return {path: column for path, column in found if column}

    @property
    def status_column(self) -> str | None:
        """The column of the statuses."""
        return self._column_of.get("status")

    @cached_property
    def open_statuses(self) -> tuple[str, ...]:
        """What the sheet writes for a case that is not closed."""
        case = self.checked.loaded.case_mapping
        closed = {unaccented(value) for value in closed_statuses(case)}
        return open_statuses(case) or tuple(text for text in self._written if unaccented(text) not in closed)

    @cached_property
    def statuses(self) -> tuple[str, ...]:
        """What a cell with a status may say: what the mapping lists, or else what the sheet says anywhere."""
        return all_statuses(self.checked.loaded.case_mapping) or self._written

    @cached_property
    def _written(self) -> tuple[str, ...]:
        """The texts in the column of the statuses; none where they are too many to be a list."""
        found: dict[str, None] = {}
        for frame in self.checked.plan.frames if self.status_column else ():
            found |= dict.fromkeys(text for cell in frame[self.status_column] if (text := str(cell).strip()))
        return tuple(found) if len(found) <= _MOST_STATUSES else ()

    def not_a_status(self, column: str | None, text: str) -> str | None:
        """Return why a text cannot be what a cell with a status says: an answer never gets there; None if it can."""
        if column is None or column != self.status_column or text in self.statuses:
            return None
        if self.statuses or len(text) > _LONGEST_STATUS or "\n" in text:
            return _("“{value}” is not a status. Choose one from the list.", value=shorten(text, 80))
        return None

    @cached_property
    def unsaid(self) -> list[str]:
        """The fields with lists of the CRM's own of whose texts nobody has said what they are there."""
        case, frame = self.checked.loaded.case_mapping, next(iter(self.checked.plan.frames), None)
        found = [path for path in LISTS if path in self._column_of and says_nothing(case, path)]
        if frame is None:
            return []
        users = {path for path in USERS if path in found and frame[self._column_of[path]].str.contains("@").any()}
        return [path for path in found if path not in users]

    @cached_property
    def lacks_solution(self) -> bool:
        """Whether nothing of the sheet is the solution of a case."""
        return all(rule.path != "solution" for rule in self.checked.loaded.case_mapping.rules)

    @cached_property
    def free_columns(self) -> list[str]:
        """The columns that may have the solution: those that are in no field of the CRM's own, longer texts first."""
        used = {column for path, column in self._column_of.items() if not path.startswith("form.")}
        return [column for column in self.columns if column not in {*used, *self.checked.plan.key_columns}]

    def is_by_row(self, group: Group) -> bool:
        """Whether the cells of a group are corrected in its own rows alone: empty ones, and those about one person."""
        issue = group.issue
        of_person = {self._column_of.get("contact"), *self.checked.plan.key_columns}
        return not _is_filled(issue) or issue.column in of_person or issue.code in _OF_ONE_PERSON

    def form_of(self, group: Group) -> Form:
        """Return how a group is corrected."""
        issue = group.issue
        if group.rejection is not None:
            return self._form_of_rejected(group)
        if issue.code == MISSING_FILE:
            return "files"
        if not group.rows or issue.column not in self.columns or PAGES.get(issue.code) in _NOT_HERE:
            return "rows" if group.rows and issue.column is None else "none"
        if issue.code in ROW_BY_ROW or (issue.column == self._column_of.get("contact") and not _is_filled(issue)):
            return "rows"
        return "choose" if self.choices(group) else "type"

    def _form_of_rejected(self, group: Group) -> Form:
        issue = group.issue
        if issue.column not in self.columns or group.rejection is None or group.rejection.kind != "row":
            return "none"
        return "rows" if self.is_by_row(group) or self.meaning(group) is None else "mean"

    def meaning(self, group: Group) -> Meaning | None:
        """Return what the mapping makes of the cells of rejected rows; None where a person cannot say it here."""
        one = group.rejection
        return meaning_of(self.checked.loaded.case_mapping, one.field, one.text) if one is not None else None

    def choices(self, group: Group) -> ValueChoices | None:
        """Return the values to choose from for the cells of a group."""
        issue = group.issue
        if PAGES.get(issue.code) not in {"value", "in the CRM"} and issue.code != "required":
            return None
        case = self.checked.loaded.case_mapping
        found = value_choices(case, self.columns, issue.column or "", issue.value or "")
        if found is None and issue.code == "required" and issue.column == self.status_column and self.statuses:
            return ValueChoices("status", self.statuses, self.statuses, 0)
        return found

    def edited(self, issue: Issue) -> list[str]:
        """Return the columns that may be corrected to resolve an issue."""
        if issue.code != "solution-missing":
            return [issue.column] if issue.column in self.columns and issue.column else []
        answer = issue.column if issue.column in self.columns and issue.column != self.status_column else None
        status = self.status_column if self.open_statuses else None  # a list, in which no answer can be typed
        return [column for column in (answer, status) if column]

    def edited_row(self, group: Group, number: int) -> EditedRow:
        """Return a row of a group, with fields for the cells that may be corrected."""
        issue = group.by_row.get(number, group.issue)
        statuses = self.open_statuses if issue.code == "solution-missing" else self.statuses
        row = self.row(number, self.edited(issue), correct_words.of_row(issue), statuses)
        texts = [proposed(issue, one.text) if one.column == issue.column else one.text for one in row.cells]
        cells = (replace(one, text=text) for one, text in zip(row.cells, texts, strict=True))
        return replace(row, cells=tuple(cells))

    def at_hand(self, group: Group) -> list[int]:
        """Return the rows of a group whose cells are at hand."""
        return [number for number in group.rows if number in self.checked.cells]

    def row(
        self, number: int, edited: Sequence[str], message: str = "", statuses: Sequence[str] | None = None
    ) -> EditedRow:
        """Return a row with fields for some of its columns; a status is chosen among those known, or `statuses`."""
        listed = tuple(self.statuses if statuses is None else statuses)
        texts = dict(zip(self.columns, self.checked.cells[number], strict=True))
        around = [column for column in self._around if column not in edited][:_AROUND]
        cells = (
            EditedCell(
                self.columns.index(column),
                column,
                texts[column],
                listed if column == self.status_column else (),
                self._done_cells.get((number, column)),
            )
            for column in edited
        )
        shown = tuple((column, texts[column]) for column in around)
        return EditedRow(number, message, shown, tuple(cells), self.mark(number))

    def mark(self, number: int) -> str:
        """Return what tells a row from those that say something else, wherever it is in the sheet."""
        written = repr((self.columns, self.checked.cells[number]))
        return hashlib.sha256(written.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def number_of(self, mark: str) -> int | None:
        """Return the number by now of the row that has this mark; None if none has it, or several."""
        found = [number for number in self.checked.cells if self.mark(number) == mark]
        return found[0] if len(found) == 1 else None

    @cached_property
    def _around(self) -> list[str]:
        """The columns by which people recognise a row, the key and the contact first."""
        known = (*self.checked.plan.key_columns, self._column_of.get("contact"), self._column_of.get("form.Subject"))
        return list(dict.fromkeys(column for column in (*known, *self.columns) if column in self.columns))

    def issues_of(self, row: int) -> list[str]:
        """Return what is wrong with a row."""
        issues = (group.by_row[row] for group in self.checked.groups if row in group.by_row)
        return [correct_words.of_row(issue) or correct_words.title(issue) for issue in issues]


Section = Literal["rejected", "contact", "update", "new", "other"]
_SECTIONS: tuple[Section, ...] = ("rejected", "contact", "update", "new", "other")


def section_of(group: Group) -> Section:
    """Return under which title a group is shown."""
    if group.rejection is not None:
        return "rejected" if group.rejection.kind == "row" else group.rejection.kind
    return "new" if group.issue.code in _NEW_VALUES else "other"


def _is_filled(issue: Issue) -> bool:
    return bool((issue.value or "").strip())


def proposed(issue: Issue, text: str) -> str:
    """Return what a field begins with: the cell, or the address that it is without the spaces at its signs."""
    address = _SPACED.sub(r"\1", text.strip())
    return address if issue.code == "bad-email" and _ADDRESS.fullmatch(address) else text


_SPACED = re.compile(r"\s*([@.])\s*")
_ADDRESS = re.compile(r"[^\s@,;<>]+@[^\s@,;<>.]+(?:\.[^\s@,;<>.]+)+")
