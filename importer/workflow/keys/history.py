"""What the journal knows about one import, for the rows of a source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from importer.identity import Scope
from importer.journal import ImportRecord, Journal, KnownContact, KnownRow, Operation, RecordedContent
from importer.workflow.keys.keys import Keys


@dataclass(frozen=True, slots=True)
class ImportHistory:
    """What the journal knows about one import; nothing without a journal or before the first run."""

    journal: Journal | None = None
    record: ImportRecord | None = None

    @property
    def is_kept(self) -> bool:
        """Whether there is a journal that keeps the rows, for which digests and hashes are needed."""
        return self.journal is not None

    def opened(self) -> tuple[Journal, ImportRecord]:
        """Return the journal and the import; raises ValueError if there is no journal or no import yet."""
        if self.journal is None or self.record is None:
            raise ValueError("this import has no history")
        return self.journal, self.record

    def known(self, key_digests: Sequence[str]) -> dict[str, KnownRow]:
        """Return what is known about these keys, by key digest."""
        return self.journal.rows.known(self.record.id, key_digests) if self.journal and self.record else {}

    def known_in_any_version(self, keys: Keys) -> dict[str, KnownRow]:
        """Return what is known about the keys of either version, also about one whose row has version 1's, by digest.

        A row that was found by the key of version 1 is recorded with the present one.
        """
        found = self.known(keys.versions())
        if self.record is None:
            return found
        aliases = self.similar([digest for digest in keys.digests if digest and digest not in found])
        owners = self.known([min(digests) for digests in aliases.values()])
        return found | {digest: owners[min(digests)] for digest, digests in aliases.items() if min(digests) in owners}

    def by_reference(self, references: Sequence[str]) -> dict[str, KnownRow]:
        """Return what is known about these references, by reference."""
        return self.journal.rows.by_reference(self.record.id, references) if self.journal and self.record else {}

    def similar(self, digests: Sequence[str]) -> dict[str, set[str]]:
        """Return the key digests that the journal has for these digests of spellings."""
        return self.journal.rows.similar(self.record.id, digests) if self.journal and self.record else {}

    def contents(self) -> Iterator[list[RecordedContent]]:
        """Yield what was recorded of the contents of the import's rows, in batches."""
        yield from self.journal.contents.of_import(self.record.id) if self.journal and self.record else ()

    def uncorrected(self, digests: Sequence[str]) -> dict[str, set[str]]:
        """Return the keys of the rows that were corrected from keys with these digests, by digest."""
        return self.journal.rows.uncorrected(self.record.id, digests) if self.journal and self.record else {}

    def holders(self, scope: Scope, ids: Sequence[str]) -> dict[str, str]:
        """Return the references of the rows of this tenant and operation that have these case ids, by id."""
        return self.journal.rows.holders(scope.tenant, scope.operation, ids) if self.journal and ids else {}

    def contacts(self, operation: Operation, digests: Sequence[str]) -> dict[str, KnownContact]:
        """Return what is known of the contacts of an operation with these digests, by digest."""
        return self.journal.contacts.known(operation, digests) if self.journal and all(operation) else {}

    def knows_contacts(self, operation: Operation) -> bool:
        """Whether anything is known of the contacts of an operation."""
        return self.journal is not None and all(operation) and self.journal.contacts.any_known(operation)

    @property
    def has_cases(self) -> bool:
        """Whether some row of the import is a case, or may be one."""
        return bool(self.journal and self.record and self.journal.rows.has_cases(self.record.id))

    @property
    def aliases(self) -> tuple[Scope, ...]:
        """Under which scopes the import is also known."""
        found = self.journal.imports.aliases_of(self.record) if self.journal and self.record else ()
        return tuple(Scope(*scope) for scope in found)

    @property
    def column_secret(self) -> bytes:
        """The key under which the journal's digests of columns are made."""
        return self.journal.rows.column_secret if self.journal else b""

    @property
    def lacks_spellings(self) -> bool:
        """Whether rows of the import were recorded by a version that did not record other spellings of their keys."""
        return self.record is not None and not self.record.notes_spellings
