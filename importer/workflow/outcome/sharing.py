"""A second report, for people who must not see what the tickets say: without private columns, messages and paths.

What is shown is named, and everything else is left out: the key, the state, the ids and the reference of each row, and
of a row without issues its case type, status, priority and dates.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from importer import report
from importer.errors import ReportError
from importer.journal import ImportRecord, Journal
from importer.messages import _
from importer.model import Cell, Issue, ReportContent, ReportRow, Summary
from importer.model.account import Account, LeftOut
from importer.system.stopping import Stop
from importer.text import loose
from importer.workflow.outcome.outcome import Finished, ReportRows, summary_of
from importer.workflow.planning.plan import Plan

_FIELDS = frozenset({"case-type", "status", "priority"})
_DATES = frozenset({"date", "datetime"})
_PRIVATE_WORDS = frozenset(
    {
        *("correo", "email", "mail", "telefono", "celular", "movil", "phone", "mobile", "telefone", "contacto"),
        *("contact", "contato", "nombre", "nombres", "apellido", "apellidos", "name", "nome", "cliente", "customer"),
        *("documento", "document", "cedula", "cc", "nit", "dni", "cpf", "cnpj", "rut", "pasaporte", "passport"),
        *("nacimiento", "birth", "birthday", "nascimento", "direccion", "address", "endereco"),
    }
)
"""Words of a header that keep a column out, whatever it is used for."""


@dataclass(frozen=True, slots=True)
class SharedColumns:
    """Which columns of a source are shown, by their places; those that are no `keys` only in rows without issues."""

    names: tuple[str, ...]
    places: tuple[int, ...]
    keys: frozenset[str]

    @classmethod
    def of(cls, plan: Plan) -> SharedColumns:
        """Return the columns of a plan that are not private."""
        names = tuple(name for name in plan.columns if _is_public(plan, name))
        places = tuple(plan.columns.index(name) for name in names)
        return cls(names, places, frozenset(name for name in names if name in plan.key_columns))

    def cells(self, row: ReportRow) -> tuple[Cell, ...]:
        """Return the cells of a row that are shown."""
        chosen = ((name, row.cells[place]) for name, place in zip(self.names, self.places, strict=True))
        return tuple(cell if self._shows(name, cell, row) else "" for name, cell in chosen)

    def _shows(self, name: str, cell: Cell, row: ReportRow) -> bool:
        return "@" not in str(cell) and (name in self.keys or not row.issues)


class _SharedRows:
    """The lines of a report without what is private."""

    def __init__(self, rows: Iterable[ReportRow], columns: SharedColumns) -> None:
        self._rows, self._columns = rows, columns

    def __iter__(self) -> Iterator[ReportRow]:
        for row in self._rows:
            issues = tuple(_bare(issue, self._columns) for issue in row.issues)
            yield replace(row, cells=self._columns.cells(row), message="", issues=issues, about=None)


def share(finished: Finished, journal: Journal, record: ImportRecord | None) -> str:
    """Write the report that can be shared beside the whole one; return a note that names it, or why there is none."""
    if record is None or finished.report is None or finished.result.rehearsal:
        return _("There is no report to share: nothing was recorded.")
    plan = finished.plan.whole or finished.plan
    columns, rows = SharedColumns.of(plan), ReportRows(plan, {}, finished.commands, Stop())
    summary = _bare_summary(summary_of(finished.plan, finished.result, finished.commands))
    content = ReportContent(summary, columns.names, _SharedRows(rows, columns), None, tuple(columns.keys))
    name = re.sub(r"[^\w.-]+", "-", summary.import_name)
    ours = journal.imports.is_report
    try:
        path, _notes = report.choose_path(
            finished.report.with_name(f"shared-{name}.xlsx"), content, ours, lambda _path: None
        )
        written = report.write(path, content, ours)
    except ReportError as error:
        return str(error)
    journal.imports.note_report(record.id, written.digest)
    return _(
        "Report to share: {path}. It shows {columns}, states and ids; look through it before you send it.",
        path=written.path,
        columns=", ".join(columns.names) or "-",
    )


def _is_public(plan: Plan, name: str) -> bool:
    """Tell whether a column is shown: a key, or what fills only fields that say nothing of a person."""
    if {loose(word) for word in re.split(r"[\W_]+", name)} & _PRIVATE_WORDS:
        return False
    dates = {rule.path for rule in plan.mapping.rules if rule.kind in _DATES}
    uses = {use.path for use in plan.uses.get(name, ())}
    return uses <= _FIELDS | dates and (bool(uses) or name in plan.key_columns)


def _bare(issue: Issue, columns: SharedColumns) -> Issue:
    """Return an issue by its code alone, at its column if that is shown."""
    column = issue.column if issue.column in columns.names else None
    return Issue(issue.row, column, None, issue.code, issue.code, "")


def _bare_summary(summary: Summary) -> Summary:
    """Return a summary without paths, people, and sentences that may quote a cell."""
    account = summary.account or Account()
    left_out = LeftOut(account.left_out.hidden, account.left_out.totals, (), account.left_out.count)
    months = tuple(one for one in account.breakdowns if one.kind in {"month", "sent"})
    bare = Account((), months, replace(account.files, left_out=()), account.deleted, left_out)
    return replace(
        summary,
        source=Path(summary.import_name),
        source_digest="",
        sheet=None,
        mapping=Path(summary.import_name),
        server=None,
        user="-",
        next_step="",
        notes=(),
        account=bare,
        scopes=(),
        uncorrected=(),
        content_runs=(),
        journal=None,
    )
