"""Rows that are sent without files that are missing, as `missing: send_without` lets them be."""

from __future__ import annotations

from collections.abc import Iterator

from importer.messages import _, ngettext

_MOST_ROWS = 5


class RowsWithoutFiles:
    """Counts these rows while a plan is made, and remembers the first ones."""

    def __init__(self) -> None:
        """Begin without any."""
        self._count = 0
        self._rows: list[str] = []

    def add(self, number: int, names: tuple[str, ...]) -> None:
        """Count a row that goes without the files with these names, if there are any."""
        if not names:
            return
        self._count += 1
        if len(self._rows) < _MOST_ROWS:
            self._rows.append(_("row {row}: {names}", row=number, names=", ".join(names)))

    def notes(self) -> Iterator[str]:
        """Yield a note that says how many rows go without files, and which."""
        if self._count:
            yield ngettext(
                "{count} row is sent without files that are missing ({rows}).",
                "{count} rows are sent without files that are missing ({rows}).",
                self._count,
                rows="; ".join(self._rows) + ("; …" if self._count > len(self._rows) else ""),
            )
