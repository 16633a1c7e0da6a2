"""What the page Correct shows of a checked sheet: cards of alike issues, and rows with the cells around faulty ones."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from importer import (
    MISSING_FILE,
    AbsentFile,
    Issue,
    LikelyFolder,
    ValueChoices,
    open_statuses,
    value_choices,
)
from importer.clicks import PAGES
from importer.web.checking import ROW_BY_ROW, CheckedSheet, Group
from importer.web.correct import words as correct_words
from importer.web.correct.desk import CorrectionDesk, Deed
from importer.web.correct.words import Form

_NOT_HERE = frozenset({"file", "calculate", "report", "source", "decide", "send", "look back"})
_NEW_VALUES = frozenset({"no-crm-value", "ambiguous-value"})
_OF_ONE_PERSON = frozenset({"bad-email", "not-a-phone"})
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
        """The groups in the order in which they are shown: new values first, then the most frequent."""
        return tuple(sorted(self.checked.groups, key=lambda group: group.issue.code not in _NEW_VALUES))

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
        return open_statuses(self.checked.loaded.case_mapping)

    def is_by_row(self, group: Group) -> bool:
        """Whether the cells of a group are corrected in its own rows alone: empty ones, and those about one person."""
        issue = group.issue
        of_person = {self._column_of.get("contact"), *self.checked.plan.key_columns}
        return not _is_filled(issue) or issue.column in of_person or issue.code in _OF_ONE_PERSON

    def form_of(self, group: Group) -> Form:
        """Return how a group is corrected."""
        issue = group.issue
        if issue.code == MISSING_FILE:
            return "files"
        if not group.rows or issue.column not in self.columns or PAGES.get(issue.code) in _NOT_HERE:
            return "rows" if group.rows and issue.column is None else "none"
        if issue.code in ROW_BY_ROW or (issue.column == self._column_of.get("contact") and not _is_filled(issue)):
            return "rows"
        return "choose" if self.choices(group) else "type"

    def choices(self, group: Group) -> ValueChoices | None:
        """Return the values to choose from for the cells of a group."""
        issue = group.issue
        if PAGES.get(issue.code) not in {"value", "in the CRM"}:
            return None
        return value_choices(self.checked.loaded.case_mapping, self.columns, issue.column or "", issue.value or "")

    def edited(self, issue: Issue) -> list[str]:
        """Return the columns that may be corrected to resolve an issue."""
        columns = [issue.column] if issue.column in self.columns else []
        if issue.code == "solution-missing" and self.status_column not in {None, issue.column}:
            columns.append(self.status_column)
        return [column for column in columns if column]

    def edited_row(self, group: Group, number: int) -> EditedRow:
        """Return a row of a group, with fields for the cells that may be corrected."""
        issue = group.by_row.get(number, group.issue)
        row = self.row(number, self.edited(issue), correct_words.of_row(issue))
        texts = [proposed(issue, one.text) if one.column == issue.column else one.text for one in row.cells]
        cells = (replace(one, text=text) for one, text in zip(row.cells, texts, strict=True))
        return replace(row, cells=tuple(cells))

    def at_hand(self, group: Group) -> list[int]:
        """Return the rows of a group whose cells are at hand."""
        return [number for number in group.rows if number in self.checked.cells]

    def row(self, number: int, edited: Sequence[str], message: str = "") -> EditedRow:
        """Return a row with fields for some of its columns."""
        texts = dict(zip(self.columns, self.checked.cells[number], strict=True))
        around = [column for column in self._around if column not in edited][:_AROUND]
        cells = (
            EditedCell(
                self.columns.index(column),
                column,
                texts[column],
                self.open_statuses if column == self.status_column and len(edited) > 1 else (),
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


def _is_filled(issue: Issue) -> bool:
    return bool((issue.value or "").strip())


def proposed(issue: Issue, text: str) -> str:
    """Return what a field begins with: the cell, or the address that it is without the spaces at its signs."""
    address = _SPACED.sub(r"\1", text.strip())
    return address if issue.code == "bad-email" and _ADDRESS.fullmatch(address) else text


_SPACED = re.compile(r"\s*([@.])\s*")
_ADDRESS = re.compile(r"[^\s@,;<>]+@[^\s@,;<>.]+(?:\.[^\s@,;<>.]+)+")


@dataclass(frozen=True)
class IssueCard:
    """A group as the page shows it; `deed` is what was done to all of it since it was checked."""

    view: SheetView
    group: Group
    problem: FormProblem | None = None

    @property
    def id(self) -> str:
        """Its place on the page."""
        return f"group-{self.group.id}"

    @property
    def title(self) -> str:
        """What is wrong."""
        return correct_words.title(self.group.issue)

    @property
    def advice(self) -> str:
        """What to do."""
        return correct_words.advice(self.group.issue, self.form)

    @property
    def detail(self) -> str:
        """What the title does not say."""
        return correct_words.detail(self.group.issue)

    @property
    def proposed(self) -> str:
        """What the field for its cells begins with."""
        return proposed(self.group.issue, self.group.issue.value or "")

    @property
    def is_of_match(self) -> bool:
        """Whether the page Match columns may resolve it, too."""
        return PAGES.get(self.group.issue.code) in {"value", "format", "list", "in the CRM"}

    @property
    def is_new(self) -> bool:
        """Whether it is a value that no earlier sheet had."""
        return self.group.issue.code in _NEW_VALUES

    @cached_property
    def form(self) -> Form:
        """How it is corrected."""
        return self.view.form_of(self.group)

    @cached_property
    def choices(self) -> ValueChoices | None:
        """The values to choose from."""
        return self.view.choices(self.group)

    @cached_property
    def deed(self) -> Deed | None:
        """What was done to all of its cells."""
        return self.view.desk.done_to(self.group)

    @cached_property
    def rows(self) -> list[EditedRow]:
        """Its first rows."""
        return [self.view.edited_row(self.group, number) for number in self.view.at_hand(self.group)[:3]]

    @property
    def digest(self) -> str:
        """What tells whether the sheet is still the one that is shown."""
        return self.view.checked.loaded.table.digest

    @property
    def folder(self) -> str:
        """The folder in which attachments are looked for."""
        options = self.view.checked.loaded.case_mapping.attachments
        return str(options.folder) if options else ""

    @cached_property
    def files(self) -> tuple[AbsentFile, ...]:
        """The files that are missing."""
        return self.view.checked.absent.get(self.group.id, ())

    @cached_property
    def folders(self) -> tuple[LikelyFolder, ...]:
        """The folders in which they may be."""
        return self.view.checked.folders


def cards(view: SheetView, groups: Iterable[Group], problem: FormProblem | None) -> list[IssueCard]:
    """Return groups as cards, one of them perhaps with a problem."""
    return [IssueCard(view, one, problem if problem and problem.place == f"group-{one.id}" else None) for one in groups]
