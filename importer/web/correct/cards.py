"""What the page Correct shows of a checked sheet: cards of alike issues, and rows with the cells around faulty ones."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from importer import AbsentFile, LikelyFolder, Meaning, ValueChoices
from importer.messages import _
from importer.model.clicks import PAGES
from importer.web.checking import Group
from importer.web.correct import words as correct_words
from importer.web.correct.desk import Deed
from importer.web.correct.sheet_view import (
    EditedRow,
    FormProblem,
    Section,
    SheetView,
    proposed,
    section_of,
)
from importer.web.correct.words import Form


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
        if self.asks_solution:
            return _("Closed cases, and no column of the sheet is their solution yet")
        one = self.group.rejection
        return correct_words.title(self.group.issue) if one is None else correct_words.rejected(one)

    @property
    def asks_solution(self) -> bool:
        """Whether the column with the answers is not known, so that there is none to type an answer into."""
        return self.group.issue.code == "solution-missing" and self.view.lacks_solution

    @property
    def advice(self) -> str:
        """What to do."""
        if self.asks_solution:
            return _("Say which column of the sheet has the solution, or choose a status that is not closed.")
        one = self.group.rejection
        if one is not None:
            return correct_words.about_rejected(one, self.form)
        return correct_words.advice(self.group.issue, self.form)

    @property
    def detail(self) -> str:
        """What the title does not say."""
        if self.group.rejection is not None:
            return correct_words.crm_said(self.group.rejection)
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
    def section(self) -> Section:
        """Under which title it is shown."""
        return section_of(self.group)

    @cached_property
    def meaning(self) -> Meaning | None:
        """What the mapping makes of the cells of rejected rows."""
        return self.view.meaning(self.group)

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
