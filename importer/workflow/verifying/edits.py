"""Where rows were edited after their cases were created: which fields of the case that touches, and what shows it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from importer.identity import same_files
from importer.mapping import ATTACHMENTS, LAST_LINE
from importer.messages import _
from importer.workflow.planning.plan import Plan, PlannedRow


@dataclass(frozen=True, slots=True)
class Edit:
    """How a row was edited: the fields that each edited column fills, None where it is not known which were edited.

    `is_one` is False for a row that is as it was sent.
    """

    is_one: bool
    fields: Mapping[str, frozenset[str]] | None

    def touches(self, path: str) -> bool:
        """Tell whether a field may have another value since."""
        return self.is_one and (self.fields is None or any(path in paths for paths in self.fields.values()))

    def unproven(self, equal: Collection[str]) -> str:
        """Return in which columns a row was edited without the CRM showing the same; empty where it shows it."""
        if not self.is_one:
            return ""
        if not self.fields:
            return _("Edited after its case was created; it is not known in which columns.")
        columns = [column for column, paths in self.fields.items() if not paths or not paths <= set(equal)]
        if not columns:
            return ""
        return _(
            "Edited after its case was created, in what the CRM does not show: {columns}.", columns=", ".join(columns)
        )


_NO_EDIT = Edit(is_one=False, fields={})


class Edits:
    """Finds the edits of the rows of a plan, and the columns that fill a field."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._own: dict[str, list[str]] = {}
        self._all: dict[str, list[str]] = {}
        for column, uses in plan.uses.items():
            for use in uses:
                self._all.setdefault(use.path, []).append(column)
                if not use.is_condition:
                    self._own.setdefault(use.path, []).append(column)

    def of(self, row: PlannedRow) -> Edit:
        """Return how a row was edited after its case was created."""
        if not row.is_changed:
            return _NO_EDIT
        if row.edited is None:
            return Edit(is_one=True, fields=None)
        fields = {}
        for name in dict.fromkeys(name.removesuffix(LAST_LINE) for name in row.edited):
            column = name if name in self._plan.uses else self._plan.headings.column(name)
            uses = self._plan.uses.get(column, ()) if column is not None else ()
            if uses or column not in self._plan.key_columns:
                fields[column or name] = frozenset(use.path for use in uses)
        if row.known is not None and not same_files(row.known.content_hash, row.content_hash):
            fields |= {column: frozenset({ATTACHMENTS}) for column in self._own.get(ATTACHMENTS, ())}
        return Edit(is_one=True, fields=fields)

    def named(self, path: str, edit: Edit) -> Sequence[str]:
        """Return the columns that fill a field: those that were edited, or else all of them; none for a constant."""
        edited = [column for column in self._all.get(path, ()) if column in (edit.fields or ())]
        return edited or self._own.get(path, ())
