"""Which row of which import a person means by a key or a reference, and what is said where there is none."""

from __future__ import annotations

from importer.errors import UsageError
from importer.identity import canonical, canonical_key, key_digest
from importer.journal import ImportRecord, Journal
from importer.messages import _
from importer.workflow.keys.history import ImportHistory
from importer.workflow.keys.keys import Keys


def reference_of(journal: Journal, record: ImportRecord, key: str) -> str | None:
    """Return the reference of an import's row with this key or reference, None if there is none."""
    present, earlier = (key_digest([version(key)]) for version in (canonical_key, canonical))
    known = ImportHistory(journal, record).known_in_any_version(Keys([(key,)], [present], earlier={0: earlier}))
    found = known.get(present) or known.get(earlier)
    reference = found.row.reference if found else key.strip().upper()
    return reference if knows(journal, record, reference) else None


def knows(journal: Journal, record: ImportRecord, reference: str) -> bool:
    """Tell whether an import has a row with this reference."""
    return reference in journal.rows.by_reference(record.id, [reference])


def in_doubt(journal: Journal, record: ImportRecord, reference: str) -> bool:
    """Tell whether the row with this reference is in doubt, or in flight."""
    journal.attempts.expire(record.id)
    doubts = (*journal.doubts.of_import(record.id), *journal.doubts.in_flight(record.id))
    return any(doubt.reference == reference for doubt in doubts)


def not_created_yet(reference: str) -> str:
    """Return what is said where a row has no case that could be deleted."""
    return _("--deleted: {reference} is not created, so it has no case that could be deleted.", reference=reference)


def not_one(key: str, records: list[ImportRecord]) -> UsageError:
    """Return the error where a key is that of no doubtful row, or of rows of several imports."""
    if records:
        names = ", ".join(record.name for record in records)
        return UsageError(
            _(
                "Doubtful rows of several imports have the key {key}: {names}. Name the mapping of one of them with -m,"
                " or give the row's reference.",
                key=key,
                names=names,
            )
        )
    return UsageError(
        _(
            "No doubtful row has the key or reference {key}. The report's sheet `To decide` lists the rows in doubt; if"
            " the key has several columns, give the reference.",
            key=key,
        )
    )
