"""Texts of cells that carry what they were before: as an earlier version read them, or before a correction."""

from __future__ import annotations

from typing import Self


class Reread(str):
    """A text that version 1 of the reading took from its cell in another form, `earlier`.

    Rows were recorded under what was read, and are recognized by it for ever.
    """

    __slots__ = ("earlier",)
    earlier: str

    def __new__(cls, text: str, earlier: str) -> Self:
        """Return the text, with its earlier form."""
        made = super().__new__(cls, text)
        made.earlier = earlier
        return made

    def __reduce__(self) -> tuple[type[Reread], tuple[str, str]]:
        """Return what makes the same text again, for pickle."""
        return Reread, (str(self), self.earlier)


class Corrected(str):
    """A text that a correction puts in the place of what the sheet says, `before`.

    `place` is that of the correction in its file. `between` is what the cell would say with some of its corrections
    only, where it is part of what identifies its row.
    """

    __slots__ = ("before", "between", "place")
    before: str
    place: int
    between: tuple[str, ...]

    def __new__(cls, text: str, before: str, place: int = 0, between: tuple[str, ...] = ()) -> Self:
        """Return the text, with what the sheet says."""
        made = super().__new__(cls, text)
        made.before, made.place, made.between = before, place, between
        return made

    def __reduce__(self) -> tuple[type[Corrected], tuple[str, str, int, tuple[str, ...]]]:
        """Return what makes the same text again, for pickle."""
        return Corrected, (str(self), self.before, self.place, self.between)


class RowNote(str):
    """A sentence on one row of a sheet, which need not be said where that row is left out anyway."""

    __slots__ = ("row",)
    row: int

    def __new__(cls, text: str, row: int) -> Self:
        """Return the sentence, with the number of its row."""
        made = super().__new__(cls, text)
        made.row = row
        return made

    def __reduce__(self) -> tuple[type[RowNote], tuple[str, int]]:
        """Return what makes the same sentence again, for pickle."""
        return RowNote, (str(self), self.row)
