"""Cells that a person corrected in an earlier sheet of the import, and that still say what was wrong there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from importer.messages import ngettext


@dataclass(frozen=True, slots=True)
class EarlierCorrection:
    """A cell that says what it said when it was corrected in an earlier sheet; `to` is what it was to read as there.

    `file` is the name of that sheet's corrections. It `was_of_all` equal cells there, and not of this row alone.
    """

    row: int
    column: str
    before: str
    to: str
    file: str = ""
    was_of_all: bool = False


@dataclass(frozen=True, slots=True)
class EarlierCorrections:
    """Corrections of earlier sheets that fit this one, and are not made in it: offered to a person, never applied."""

    own: str = ""
    cells: tuple[EarlierCorrection, ...] = ()

    @property
    def rows(self) -> tuple[int, ...]:
        """The rows that they are about."""
        return tuple(sorted({one.row for one in self.cells}))

    def of_row(self, row: int) -> tuple[EarlierCorrection, ...]:
        """Return those of one row."""
        return tuple(one for one in self.cells if one.row == row)

    def notes(self) -> Iterator[str]:
        """Yield a sentence on them for whoever has no page: where they are, and where to write them."""
        if self.cells:
            yield ngettext(
                "{count} cell still says what {files} corrected in an earlier sheet of this import, and is not"
                " corrected here. Copy its line into {own}, or correct it again on the page Correct.",
                "{count} cells still say what {files} corrected in earlier sheets of this import, and are not"
                " corrected here. Copy their lines into {own}, or correct them again on the page Correct.",
                len(self.cells),
                files=", ".join(dict.fromkeys(one.file for one in self.cells)),
                own=self.own,
            )


NO_EARLIER = EarlierCorrections()
