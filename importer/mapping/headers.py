"""The columns that a mapping names, found among a table's headers; all that are missing are told at once."""

from __future__ import annotations

from collections.abc import Sequence

from importer.errors import MappingFault
from importer.mapping.document import Places, Steps
from importer.mapping.words import Words, did_you_mean
from importer.messages import _


class Headers:
    """One table's headers: found as written (NFC, trimmed), or else without case and accents where that is one.

    Names that are not found are answered with themselves and kept as faults, for `faults` of all tables together.
    """

    def __init__(self, columns: Sequence[str], places: Places, faults: list[MappingFault], table: str) -> None:
        self._words = Words((column, column) for column in columns)
        self._places = places
        self._faults = faults
        self._table = table

    def knows(self, name: str) -> bool:
        """Tell whether one header is meant by `name`."""
        return len(self._words.alike(name)) == 1

    def find(self, name: str, path: Steps, *, at_key: bool = False) -> str:
        """Return the header that `name` means, in the table's own spelling.

        `path` is where the mapping names it; `at_key`, where it is the key there and not the value.
        """
        alike = self._words.alike(name)
        if len(alike) == 1:
            return self._words[alike[0]]
        named = {"column": name, "table": self._table}
        if alike:
            spellings = ", ".join(f"'{header}'" for header in alike)
            message = _("'{column}' may be any of {spellings}; write it as {table} does", spellings=spellings, **named)
        else:
            message = _("{table} has no column '{column}'; {hint}", hint=did_you_mean(name, self._words), **named)
        self._faults.append(self._places.fault(path, message, at_key=at_key))
        return name
