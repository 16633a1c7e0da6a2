"""The page Correct: what is wrong with a sheet, and the right values, typed once for all equal cells or row by row."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from starlette.background import BackgroundTask
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from importer import ImporterError, MappingError, QuestionsOpen, corrected_copy
from importer.messages import _, shorten
from importer.text import clean
from importer.web.background import PATIENCE
from importer.web.checking import Checking
from importer.web.correct import words as correct_words
from importer.web.correct.cards import IssueCard, cards
from importer.web.correct.sheet_view import FormProblem, SheetView
from importer.web.internal import InternalError
from importer.web.office import OpenSheet
from importer.web.page import NotFound, Visit, go_to, page, render
from importer.web.paging import asked_number, page_of

CARDS, ROWS, DEEDS = 10, 25, 50
"""How many a page shows."""

_PATIENCE_AFTER_A_RESTART = 20.0

NEWEST = 5
"""Deeds that the first page shows; the others have a page of their own."""

_PLACES = re.compile(r"(?:/(?:group/(?P<group>[0-9a-f]{12})|rows/(?P<row>[0-9]{1,9})|(?P<done>done)))?")
_FRAGMENT = re.compile(r"[a-z]+(?:-[0-9a-f]+)?")


# ------------------------------------------------------------------------------------------------ showing


@dataclass(frozen=True, slots=True)
class Shown:
    """What is to be shown: of a visit, one of the pages about corrections, at a place in it.

    `is_answer`: it answers a form of our script, at once; what a new check finds follows.
    """

    visit: Visit
    sheet: OpenSheet
    place: str
    asked: Mapping[str, str]
    problem: FormProblem | None = None
    is_answer: bool = False

    @property
    def number(self) -> int:
        """Which of several pages is shown, from 1."""
        return asked_number(self.asked)

    @property
    def address(self) -> str:
        """The address of what is shown."""
        page_ = f"?page={self.number}" if self.number > 1 else ""
        return f"/sheets/{self.sheet.id}/correct{self.place}{page_}"

    def render(self, template: str, **values: object) -> Response:
        """Return the page, or those parts of it that our script puts into the page that is there."""
        name = f"{template}_parts.html" if self.visit.wants_fragment else f"{template}.html"
        status = 200 if self.problem is None or self.visit.wants_fragment else 409
        return render(
            self.visit, name, status=status, sheet=self.sheet, step_shown="correct", shown=self, problem=self.problem,
            back=self.address, **values,
        )  # fmt: skip


def show(visit: Visit) -> Response:
    """Show what is wrong with a sheet, or one group, one row, or what was done."""
    sheet = visit.sheet
    place = visit.request.url.path.removeprefix(f"/sheets/{sheet.id}/correct")
    return _show(Shown(visit, sheet, place, dict(visit.request.query_params)))


def _show(shown: Shown) -> Response:
    sheet = shown.sheet
    if sheet.mapping is None:
        return go_to(f"/sheets/{sheet.id}/match")
    checking = sheet.checker.now(0.0 if shown.is_answer else PATIENCE)
    if checking.error is not None and checking.is_current:
        return _refused(shown, checking.error)
    if checking.value is None:
        return shown.render("correct_waiting")
    sheet.correcting.settle(checking.value)
    return _checked(shown, checking, SheetView(checking.value, sheet.correcting))


def _checked(shown: Shown, checking: Checking, view: SheetView) -> Response:
    found = _PLACES.fullmatch(shown.place)
    if found is None:
        raise NotFound
    if found["group"]:
        return _group(shown, checking, view, found["group"])
    if found["row"]:
        return _row(shown, checking, view, int(found["row"]))
    if found["done"]:
        return shown.render(
            "correct_done", checking=checking, paged=page_of(view.desk.deeds(view.checked), shown.asked, size=DEEDS)
        )
    return _overview(shown, checking, view)


def _refused(shown: Shown, error: ImporterError | InternalError) -> Response:
    """Show what is wrong with a whole sheet, and what to do about it."""
    return shown.render(
        "correct_refused",
        error=error,
        questions=error.questions if isinstance(error, QuestionsOpen) else (),
        is_of_mapping=isinstance(error, MappingError),
        open_in=open_elsewhere(shown.sheet.source),
    )


def _overview(shown: Shown, checking: Checking, view: SheetView) -> Response:
    checked, desk = view.checked, shown.sheet.correcting
    deeds, of_corrections = desk.deeds(checked), {*checked.plan.corrections.notes(), *checked.plan.earlier.notes()}
    paged, mapping = page_of(view.groups, shown.asked, size=CARDS), checked.loaded.case_mapping.path
    told = (note for note in checked.plan.notes if note not in of_corrections)
    return shown.render(
        "correct",
        checking=checking,
        counts=checked.counts,
        mended=checked.rejected.mended,
        ready=checked.counts.planned - checked.waiting,
        again={"contact": checked.waiting, "update": checked.refused},
        headline=correct_words.headline(checked.counts, len(view.groups)),
        sums=list(correct_words.sums(checked)),
        cards=cards(view, paged.lines, shown.problem),
        paged=paged,
        deeds=deeds[:NEWEST],
        deeds_count=len(deeds),
        set_aside=desk.set_aside(checked),
        earlier=view.earlier,
        earlier_title=correct_words.earlier_title(view.earlier),
        notes=[plain for note in told if (plain := correct_words.in_plain_words(note, mapping))],
        unsaid=[] if checked.counts.created else view.unsaid,
        open_in=open_elsewhere(shown.sheet.source),
    )


def _group(shown: Shown, checking: Checking, view: SheetView, group_id: str) -> Response:
    group = view.checked.group(group_id)
    if group is None:
        return shown.render("correct_gone", checking=checking, is_done=bool(view.desk.deeds(view.checked)))
    at_hand = view.at_hand(group)
    paged = page_of(at_hand, shown.asked, size=ROWS)
    rows = [view.edited_row(group, number) for number in paged.lines]
    return shown.render("correct_group", checking=checking, card=IssueCard(view, group), rows=rows, paged=paged,
                        left_out=group.count - len(at_hand), digest=view.checked.loaded.table.digest)  # fmt: skip


def _row(shown: Shown, checking: Checking, view: SheetView, number: int) -> Response:
    if number not in view.checked.cells:
        return shown.render("correct_gone", checking=checking, is_done=bool(view.desk.deeds(view.checked)))
    wrong = [group.issue.column for group in view.checked.groups if number in group.rows]
    own = [column for column in view.columns if column in view.checked.plan.columns]
    ours = sorted(own, key=lambda column: column not in wrong)
    return shown.render("correct_row", checking=checking, row=view.row(number, ours), faults=view.issues_of(number),
                        digest=view.checked.loaded.table.digest)  # fmt: skip


def open_elsewhere(source: Path) -> str | None:
    """Return the program in which a sheet is open, by the file that it leaves beside it; None if there is none."""
    if source.with_name(f"~${source.name}").exists():
        return "Excel"
    return "LibreOffice" if source.with_name(f".~lock.{source.name}#").exists() else None


# ------------------------------------------------------------------------------------------------ doing


def back_from(visit: Visit, problem: FormProblem | None = None) -> Response:
    """Answer a form: go back to where it was, or show at once what our script puts there, or what was wrong."""
    sheet = visit.sheet
    try:
        parts = urlsplit(visit.text("back"))
    except ValueError:  # no page of ours writes that
        parts = urlsplit("")
    place = parts.path.removeprefix(f"/sheets/{sheet.id}/correct")
    if _PLACES.fullmatch(place) is None:
        place = ""
    shown = Shown(visit, sheet, place, dict(parse_qsl(parts.query)), problem, visit.wants_fragment)
    if problem is not None or visit.wants_fragment:
        return _show(shown)
    fragment = parts.fragment if _FRAGMENT.fullmatch(parts.fragment) else ""
    return go_to(f"{shown.address}#{fragment}" if fragment else shown.address)


def view_of(visit: Visit) -> SheetView | None:
    """Return the sheet as it was shown; after a restart it is checked first. None where it cannot be."""
    checker = visit.sheet.checker
    checked = checker.last.value or checker.now(_PATIENCE_AFTER_A_RESTART).value
    return SheetView(checked, visit.sheet.correcting) if checked else None


def typed_in(visit: Visit, name: str) -> str:
    """Return what is in a field of a form."""
    return visit.text(name).replace("\r\n", "\n")


def correct_row(visit: Visit) -> Response:
    """Correct the cells of one row that were typed otherwise than they are."""
    view_of(visit)
    with visit.sheet.correcting.one_by_one:
        problem = _correct_row(visit)
    return back_from(visit, problem)


def _correct_row(visit: Visit) -> FormProblem | None:
    view = view_of(visit)
    number = _row_meant(visit, view) if view else None
    if view is None or number is None:
        return FormProblem(gone(view, [typed_in(visit, name) for name in _cells_of(visit)]))
    now = dict(zip(view.columns, view.checked.cells[number], strict=True))
    done = {column: deed.to for (row, column), deed in visit.sheet.correcting.cells().items() if row == number}
    now |= done
    typed = {
        column: typed_in(visit, f"cell.{at}") for at, column in enumerate(view.columns) if f"cell.{at}" in visit.form
    }
    new = {column: text for column, text in typed.items() if not is_same(text, now[column])}
    place = f"row-{number}"
    if not new and done:  # a double click
        return None
    if not new:
        return FormProblem(_("Nothing was changed in row {row}.", row=number), place)
    for column, text in new.items():
        if wrong := view.not_a_status(column, text):
            return FormProblem(wrong, place, typed)
    try:
        visit.sheet.correcting.correct_cells(view.checked, number, new)
    except ImporterError as error:
        return FormProblem(str(error), place, typed)
    return None


def _cells_of(visit: Visit) -> list[str]:
    return [name for name in visit.form if name.startswith("cell.")]


def _row_meant(visit: Visit, view: SheetView) -> int | None:
    """Return the row that a form is about; in a sheet that was saved since it is the one that says the same."""
    number = int(visit.request.path_params["row"])
    if visit.text("of") != view.checked.loaded.table.digest:
        return view.number_of(visit.text("mark"))
    return number if number in view.checked.cells else None


def is_same(typed: str, cell: str) -> bool:
    """Tell whether a field came back as it was shown: without what a page does not show of a cell."""
    return typed.strip() == clean(cell).replace("\r\n", "\n").strip()


def carry_over(visit: Visit) -> Response:
    """Correct here what was corrected in earlier sheets of the import, as one thing to undo."""
    if (view := view_of(visit)) is not None:
        with visit.sheet.correcting.one_by_one:
            try:
                visit.sheet.correcting.carry_over(view.checked, view.earlier)
            except ImporterError as error:
                return back_from(visit, FormProblem(str(error), "earlier"))
    return back_from(visit)


def undo(visit: Visit) -> Response:
    """Take back what was done at once."""
    if (view := view_of(visit)) is not None:
        try:
            visit.sheet.correcting.undo(view.checked, visit.text("act"))
        except ImporterError as error:
            return back_from(visit, FormProblem(str(error), "done"))
    return back_from(visit)


def read_again(visit: Visit) -> Response:
    """Read the sheet again, and look for its attachments again."""
    visit.sheet.checker.again()
    return back_from(visit)


def gone(view: SheetView | None, typed: Sequence[str]) -> str:
    """Say that a form is too old, with what was typed into it, which has no other place any more."""
    cells = {clean(cell).strip() for row in view.checked.cells.values() for cell in row} if view else set()
    texts = [text.strip() for text in typed if text.strip() and text.strip() not in cells]
    if not texts:
        return _("The sheet has changed since this was shown, so nothing was corrected. This is what it says now.")
    return _(
        "The sheet has changed since this was shown, so nothing was corrected. This is how it is now. You had typed:"
        " {texts}",
        texts=" · ".join(shorten(text, 300) for text in texts),
    )


# ------------------------------------------------------------------------------------------------ whole sheets


def download(visit: Visit) -> Response:
    """Give a copy of the sheet with its corrections; the sheet itself stays as it is."""
    view = view_of(visit)
    if view is None:
        raise NotFound
    source = visit.sheet.source
    suffix = ".csv" if source.suffix.lower() in {".csv", ".txt", ".tsv"} else ".xlsx"
    folder = Path(tempfile.mkdtemp(prefix="case-importer-"))
    remove = BackgroundTask(shutil.rmtree, folder, ignore_errors=True)
    try:
        path = corrected_copy(view.checked.loaded, folder / f"copy{suffix}")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    name = _("{name} (corrected){suffix}", name=source.stem, suffix=suffix)
    return FileResponse(path, filename=name, background=remove)


ROUTES = [
    Route("/sheets/{id}/correct/copy", page(download)),
    Route("/sheets/{id}/correct", page(show)),
    Route("/sheets/{id}/correct/done", page(show)),
    Route("/sheets/{id}/correct/group/{group}", page(show), methods=["GET"]),
    Route("/sheets/{id}/correct/rows/{row:number}", page(show), methods=["GET"]),
    Route("/sheets/{id}/correct/rows/{row:number}", page(correct_row), methods=["POST"]),
    Route("/sheets/{id}/correct/earlier", page(carry_over), methods=["POST"]),
    Route("/sheets/{id}/correct/undo", page(undo), methods=["POST"]),
    Route("/sheets/{id}/correct/read-again", page(read_again), methods=["POST"]),
]
