"""The imports that a journal knows: for the question whether a new sheet continues one of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from importer.journal import Journal, RunRecord, look_at_journal
from importer.journal_place import Place, is_there
from importer.workflow.job import journal_path


@dataclass(frozen=True, slots=True)
class ImportUse:
    """An import that the journal knows, and when it was used last.

    `cases` counts the rows that are cases, or may be. `source` is the file of its last run, and `mapping_digest` that
    of the mapping; both are None, as is `last_used`, where it only has rows that were adopted. `also_called` are the
    names of imports that were joined with it.
    """

    name: str
    tenant: str
    operation: str
    cases: int
    last_used: datetime | None = None
    source: Path | None = None
    mapping_digest: str | None = None
    also_called: tuple[str, ...] = ()

    @property
    def is_locked(self) -> bool:
        """Whether the name must stay: under another one, every row would become a case again."""
        return self.cases > 0

    def is_of(self, name: str, mapping_digest: str) -> bool:
        """Tell whether this is the import of a mapping: by the very file, or else by the import's name."""
        return mapping_digest == self.mapping_digest or name in {self.name, *self.also_called}


def earlier_imports(journal: Place | None = None) -> list[ImportUse]:
    """Return the imports that a journal knows, the last used first; none where there is no journal.

    The journal is looked at in a copy. Raises JournalError where it cannot be read.
    """
    path = journal_path(journal)
    if not is_there(path):
        return []
    with look_at_journal(path) as copy:
        return _imports_in(copy)


def name_is_locked(name: str, journal: Place | None = None) -> bool:
    """Tell whether an import of this name has created cases, or may have: then its mapping has to keep the name."""
    return any(use.is_locked for use in earlier_imports(journal) if name in {use.name, *use.also_called})


def _imports_in(journal: Journal) -> list[ImportUse]:
    last: dict[int, RunRecord] = {}
    for run in journal.runs.all():
        last.setdefault(run.import_id, run)
    cases = journal.rows.cases_by_import()
    uses = []
    for record in journal.imports.all():
        others = tuple(dict.fromkeys(name for _tenant, _operation, name in journal.imports.aliases_of(record)))
        use = ImportUse(record.name, record.tenant, record.operation, cases.get(record.id, 0), also_called=others)
        uses.append(_used_by(use, last[record.id]) if record.id in last else use)
    return sorted(uses, key=lambda use: use.last_used.timestamp() if use.last_used else 0.0, reverse=True)


def _used_by(use: ImportUse, run: RunRecord) -> ImportUse:
    start = run.start
    return replace(use, last_used=run.started_at, source=Path(start.source), mapping_digest=start.mapping_digest)
