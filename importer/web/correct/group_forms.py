"""The forms of the page Correct about a whole group: one value for all of its cells, or what their text means."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from importer import ImporterError, MappingEditor
from importer.messages import _
from importer.web.checking import Group
from importer.web.correct.cards import IssueCard
from importer.web.correct.sheet_view import FormProblem
from importer.web.correct.views import back_from, gone, is_same, typed_in, view_of
from importer.web.correct.words import Form
from importer.web.page import Visit, page

LONGEST_VALUE = 60
"""Characters that a value of one of the CRM's lists has at most; anything longer is no name."""


def correct_group(visit: Visit) -> Response:
    """Correct all equal cells at once, in this sheet or wherever the text will be found."""
    view_of(visit)  # which may take long, and others need not wait for
    with visit.sheet.correcting.one_by_one:
        problem = _correct_group(visit)
    return back_from(visit, problem)


def _correct_group(visit: Visit) -> FormProblem | None:
    view = view_of(visit)
    group = view.checked.group(visit.request.path_params["group"]) if view else None
    if view is None or group is None:
        return FormProblem(gone(view, [typed_in(visit, "to")]))
    if visit.sheet.correcting.done_to(group) is not None:  # a double click
        return None
    card = IssueCard(view, group)
    other = typed_in(visit, "other").strip() if card.choices and card.choices.takes_others else ""
    to = other or typed_in(visit, "to").strip()
    wrong = _wrong_value(visit, card, to, other)
    try:
        if wrong is None:
            _put_right(visit, card, to)
    except ImporterError as error:
        wrong = str(error)
    return FormProblem(wrong, card.id, {"to": to} if to else {}) if wrong else None


def _wrong_value(visit: Visit, card: IssueCard, to: str, other: str) -> str | None:
    """Return why the cells of a group cannot be what was typed or chosen; `other` is a value that no list has."""
    if not to:
        return _("Type or choose the right value first.")
    if is_same(to, _said(card.group, card.form)):
        return _("The cells already say that. Type the right value.")
    if card.form == "mean":  # the CRM's own value, which no list has yet
        return None
    if len(other) > LONGEST_VALUE or "\n" in other:
        return _("A value of the CRM is a short name. Type it as the CRM writes it.")
    if card.choices is None:
        return card.view.not_a_status(_column_of(visit, card), to)
    return None if other or to in card.choices.values else _("Choose one of the values.")


def _put_right(visit: Visit, card: IssueCard, to: str) -> None:
    """Correct the cells of a group, or say in the mapping what their text means."""
    desk, view, group = visit.sheet.correcting, card.view, card.group
    said = (group.issue.value or "").strip()
    if card.form == "rows":
        column = _column_of(visit, card) if visit.text("column") else None
        if column is not None:
            desk.correct_rows(view.checked, group, column, to)
    elif card.form == "mean" and card.meaning is not None and card.meaning.lists:
        desk.mean_otherwise(view.checked, group, card.meaning, to)
    elif card.form == "mean":
        desk.correct_group(view.checked, group, to, by_row=True)
    elif card.choices and said and (visit.text("scope") == "always" or to == said):
        desk.mean_always(view.checked, group, to)
    elif card.form in {"choose", "type"}:
        text = card.choices.text_for(to) if card.choices else to
        if card.choices and text is None:
            desk.learn(view.checked, card.choices, to)
        desk.correct_group(view.checked, group, text or to, by_row=view.is_by_row(group))


def _said(group: Group, form: Form) -> str:
    """Return what the cells of a group already say, or already mean in the CRM."""
    if form == "mean" and group.rejection is not None:
        return group.rejection.value
    return group.issue.value or "" if form == "type" else ""


def _column_of(visit: Visit, card: IssueCard) -> str | None:
    """Return the column that a form about a group corrects; None for one that the group does not offer."""
    number, view = visit.text("column"), card.view
    columns = view.edited(card.group.issue)
    return next((one for one in columns if number in {"", str(view.columns.index(one))}), None)


def choose_solution_column(visit: Visit) -> Response:
    """Write into the mapping which column has the solution, and check the sheet again."""
    view, place = view_of(visit), f"group-{visit.text('group')}"
    if view is None:
        return back_from(visit)
    column = visit.text("column")
    if column not in view.free_columns:
        return back_from(visit, FormProblem(_("Choose the column that has the solution."), place))
    try:
        editor = MappingEditor.open(view.checked.loaded.case_mapping.path)
        editor.set_column("solution", column)
        editor.use_column(column)
        editor.save()
    except ImporterError as error:
        return back_from(visit, FormProblem(str(error), place))
    visit.sheet.checker.again()
    return back_from(visit)


ROUTES = [
    Route("/sheets/{id}/correct/group/{group}", page(correct_group), methods=["POST"]),
    Route("/sheets/{id}/correct/solution", page(choose_solution_column), methods=["POST"]),
]
