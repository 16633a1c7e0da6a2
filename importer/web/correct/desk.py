"""What is corrected on the page in one sheet: done at once, shown as done while it is checked again, and undone.

The corrections are in their file and the mapping in its own; kept here is only what the newest check does not know yet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from threading import RLock

from importer import (
    CaseMapping,
    CorrectionState,
    EarlierCorrection,
    LoadedJob,
    MappingEditor,
    Meaning,
    SheetCorrections,
    ValueChoices,
    fields_alike,
    load_mapping,
    open_corrections,
    texts_of,
    value_choices,
)
from importer.web.checking import CheckedSheet, Group


@dataclass(frozen=True, slots=True)
class Deed:
    """Something that was done, and can be undone.

    `cells` is how many cells it corrects, those of `row` where it is about one row. `field` is that of the mapping
    where the text always means `to` from now on, and no longer `meant`. `when` is its moment (ISO 8601); `reason` says
    why it does not fit. It `is_mixed` where its cells are of several rows and texts, of which it names the first.
    """

    id: str
    column: str
    before: str
    to: str
    cells: int = 1
    row: int | None = None
    field: str | None = None
    when: str = ""
    reason: str = ""
    meant: str = ""
    is_mixed: bool = False


@dataclass(frozen=True, slots=True)
class _Pending:
    """What the newest check does not know yet: done to groups, by their ids, or to cells, which say a text by now."""

    deed: Deed
    groups: frozenset[str] = frozenset()
    cells: Mapping[tuple[int, str], str] = field(default_factory=dict)


@dataclass(slots=True)
class CorrectionDesk:
    """The corrections of one sheet as the page shows them; used by several threads."""

    _of: tuple[LoadedJob, SheetCorrections] | None = None
    _lock: RLock = field(default_factory=RLock)
    one_by_one: RLock = field(default_factory=RLock)
    """Held by a form from the look at what was done already until its own is noted, so that two clicks are one."""
    _pending: dict[str, _Pending] = field(default_factory=dict)
    _undone: set[str] = field(default_factory=set)
    _always: dict[str, Deed] = field(default_factory=dict)
    _lists: set[str] = field(default_factory=set)  # fields whose `values` began here

    # -------------------------------------------------------------------------------------------- doing and undoing

    def correct_group(self, checked: CheckedSheet, group: Group, to: str, *, by_row: bool) -> None:
        """Correct every cell that says what the cells of a group say, in this sheet only; `by_row` those of its rows.

        What is missing, and what belongs to one person, is never corrected in a row that nobody has seen.
        """
        issue = group.issue
        if by_row:
            self.correct_rows(checked, group, issue.column or "", to)
            return
        made = self._corrections(checked).correct_equal(issue.column or "", issue.value or "", to)
        self._note(Deed(made.act, made.column, made.before, to, group.count, when=made.when), group)

    def correct_rows(self, checked: CheckedSheet, group: Group, column: str, to: str) -> None:
        """Correct the cells of one column in all rows of a group, as one thing to undo."""
        made = self._corrections(checked).correct_cells((row, column, to) for row in group.rows)
        deed = Deed(made[0].act, column, made[0].before, to, group.count, when=made[0].when)
        self._note(deed, group, {(row, column): to for row in group.rows})

    def correct_cells(self, checked: CheckedSheet, row: int, cells: Mapping[str, str]) -> None:
        """Correct cells of one row by their columns, as one thing to undo."""
        made = self._corrections(checked).correct_cells((row, column, to) for column, to in cells.items())
        for one in made[:1]:
            deed = Deed(one.act, one.column, one.before, one.to, len(made), row, when=one.when)
            self._note(deed, None, {(row, column): to for column, to in cells.items()})

    def carry_over(self, checked: CheckedSheet, cells: Sequence[EarlierCorrection]) -> None:
        """Correct cells as they were corrected in earlier sheets, as one thing to undo."""
        if not cells:  # a double click
            return
        made = self._corrections(checked).correct_cells((one.row, one.column, one.to) for one in cells)
        one, is_mixed = made[0], len({(each.column, each.before, each.to) for each in made}) > 1
        deed = Deed(one.act, one.column, one.before, one.to, len(made), when=one.when, is_mixed=is_mixed)
        self._note(deed, None, {(one.row, one.column): one.to for one in cells})

    def mean_always(self, checked: CheckedSheet, group: Group, value: str) -> None:
        """Write into the mapping that the text of a group always means a value of the CRM."""
        issue, case = group.issue, checked.loaded.case_mapping
        text = issue.value or ""
        choices = value_choices(case, checked.loaded.table.columns, issue.column or "", text)
        if choices is None:
            return
        editor = MappingEditor.open(case.path)
        for field_name in fields_alike(case, choices.field):  # one name for both users of a case
            editor.add_values(field_name, choices.always(text, value))
        editor.save()
        deed = Deed(_id_of(choices.field, text), issue.column or "", text, value, group.count, field=choices.field)
        with self._lock:
            self._always[deed.id] = deed
            self._lists.update({choices.field} if choices.adds else ())
        self._note(deed, group)

    def learn(self, checked: CheckedSheet, choices: ValueChoices, value: str) -> None:
        """Let a value of the CRM be known that was not, so that a cell may say it."""
        case = checked.loaded.case_mapping
        editor = MappingEditor.open(case.path)
        for field_name in fields_alike(case, choices.field):
            editor.add_values(field_name, choices.always(value, value))
        editor.save()

    def mean_otherwise(self, checked: CheckedSheet, group: Group, meaning: Meaning, value: str) -> None:
        """Write into the mapping that the text of rejected rows means another value of the CRM from now on."""
        case, name, word = checked.loaded.case_mapping, meaning.field, meaning.word
        editor = MappingEditor.open(case.path)
        editor.add_values(name, {**dict(meaning.adds), word: value})
        if case.allowed(name) and value not in case.allowed(name):
            editor.set_options(name, allowed=[*case.allowed(name), value])
        editor.save()
        meant = group.rejection.value if group.rejection else ""
        deed = Deed(_id_of(name, word), group.issue.column or "", word, value, group.count, field=name, meant=meant)
        with self._lock:
            self._always[deed.id] = deed
            self._lists.update({name} if meaning.adds else ())
        self._note(deed, group)

    def undo(self, checked: CheckedSheet, deed_id: str) -> None:
        """Take back what was done; one that is gone already stays so."""
        always = self._always.get(deed_id)
        if always is None:
            self._corrections(checked).undo(deed_id)
        else:
            self._forget(checked.loaded.case_mapping, always)
        with self._lock:
            self._always.pop(deed_id, None)
            self._pending.pop(deed_id, None)
            self._undone.add(deed_id)

    def _forget(self, case: CaseMapping, always: Deed) -> None:
        """Take a text out of the mapping's `values`, and the list with it if it began here and says nothing more."""
        field_name = always.field or ""
        texts = texts_of(load_mapping(case.path), field_name)
        texts.pop(always.before, None)
        if always.meant:
            texts[always.before] = always.meant
        says_nothing = field_name in self._lists and all(text == value for text, value in texts.items())
        editor = MappingEditor.open(case.path)
        for alike in fields_alike(load_mapping(case.path), field_name):
            editor.set_options(alike, values=None if says_nothing else texts or None)
        editor.save()

    def _corrections(self, checked: CheckedSheet) -> SheetCorrections:
        with self._lock:
            if self._of is None or self._of[0] is not checked.loaded:
                self._of = (checked.loaded, open_corrections(checked.loaded))
            return self._of[1]

    def _note(self, deed: Deed, group: Group | None, cells: Mapping[tuple[int, str], str] | None = None) -> None:
        with self._lock:
            groups = frozenset() if group is None else frozenset({group.id})
            self._pending[deed.id] = _Pending(deed, groups, cells or {})

    # -------------------------------------------------------------------------------------------- showing

    def settle(self, checked: CheckedSheet) -> None:
        """Forget what a check knows by now."""
        known = {state.correction.act for state in checked.plan.corrections.states}
        case = checked.loaded.case_mapping
        with self._lock:
            for deed in [one.deed for one in self._pending.values()]:
                meant = texts_of(case, deed.field).get(deed.before) if deed.field else None
                is_known = meant == deed.to if deed.field else deed.id in known
                if is_known:
                    del self._pending[deed.id]
            self._undone &= known

    def done_to(self, group: Group) -> Deed | None:
        """Return what was done to a whole group since it was checked."""
        with self._lock:
            return next((one.deed for one in self._pending.values() if group.id in one.groups), None)

    def cells(self) -> dict[tuple[int, str], Deed]:
        """Return what was done to single cells since they were checked, by row and column."""
        with self._lock:
            return {
                (row, column): replace(one.deed, column=column, to=to)
                for one in self._pending.values()
                for (row, column), to in one.cells.items()
            }

    def deeds(self, checked: CheckedSheet) -> list[Deed]:
        """Return everything that can be undone, the newest first."""
        with self._lock:
            pending = [one.deed for one in self._pending.values()]
            undone = set(self._undone)
            always = [deed for deed in self._always.values() if deed.id not in self._pending]
        corrections = checked.plan.corrections
        known = list(_by_act((*corrections.applied, *corrections.done)))
        return [deed for deed in (*reversed(pending), *reversed(always), *reversed(known)) if deed.id not in undone]

    def set_aside(self, checked: CheckedSheet) -> list[Deed]:
        """Return the corrections that do not fit the sheet any more, each with its reason."""
        with self._lock:
            undone = set(self._undone)
        return [deed for deed in map(_deed, checked.plan.corrections.set_aside) if deed.id not in undone]


def _by_act(states: Sequence[CorrectionState]) -> Iterator[Deed]:
    """Yield what was done at once as one, in the order of its moments."""
    acts: dict[str, list[CorrectionState]] = {}
    for state in states:
        acts.setdefault(state.correction.act, []).append(state)
    for act in sorted(acts, key=lambda act: acts[act][0].correction.line):
        done = acts[act]
        is_one_row = len({state.row for state in done}) == 1
        first, texts = (
            _deed(done[0]),
            {(one.column, one.before, one.to) for one in (state.correction for state in done)},
        )
        yield replace(
            first,
            cells=sum(state.cells for state in done),
            row=first.row if is_one_row else None,
            is_mixed=not is_one_row and len(texts) > 1,
        )


def _deed(state: CorrectionState) -> Deed:
    one = state.correction
    row = None if one.is_for_all else state.row
    return Deed(one.act, one.column, one.before, one.to, state.cells, row, when=one.when, reason=state.reason)


def _id_of(field_name: str, text: str) -> str:
    return hashlib.sha256(f"{field_name}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()[:16]
