"""A mapping file that was read and found sound, and how it is bound to the columns of a source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from importer.mapping.document import Places
from importer.mapping.grammar import MappingFile
from importer.mapping.tables import TableNeed
from importer.model import AttachmentOptions, FieldRule, TableOptions

if TYPE_CHECKING:
    import pandas as pd

    from importer.mapping.mapper import Mapper


@dataclass(frozen=True)
class CaseMapping:
    """What a mapping file says, for whoever imports by it.

    `digest` is the SHA-256 of the file in hexadecimal. `key` are the key columns as the mapping writes them, none
    for `key: content`. `rules` are what validation holds the fields to. `reference` is the field that carries the
    row's mark, `search` the field by which the CRM is asked for unknown rows. `tables` are the other tables that
    `bind` needs.
    """

    path: Path
    digest: str
    import_name: str
    table: TableOptions
    key: tuple[str, ...]
    server: str | None
    operation: str | None
    rules: tuple[FieldRule, ...]
    attachments: AttachmentOptions | None
    reference: str | None
    search: str
    tables: tuple[TableNeed, ...]
    _grammar: MappingFile = field(repr=False, compare=False)
    _places: Places = field(repr=False, compare=False)

    def bind(
        self, columns: Sequence[str], tables: Mapping[TableNeed, Sequence[pd.DataFrame]], beside: Path = Path()
    ) -> Mapper:
        """Return what converts frames with these columns; `tables` are the frames of all that `self.tables` names.

        `beside` is the source's folder, from which a relative attachments folder counts; patterns look there.
        Raises `MappingError` for every column that the source or one of the tables lacks.
        """
        from importer.mapping.binding import Binding, Given  # noqa: PLC0415 - pandas is slow to import

        return Binding(self._grammar, self._places, self.path, Given(tuple(columns), tables, beside)).mapper(self.rules)
