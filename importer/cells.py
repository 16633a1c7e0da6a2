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
    """A text that a correction puts in the place of what the sheet says, `before`."""

    __slots__ = ("before",)
    before: str

    def __new__(cls, text: str, before: str) -> Self:
        """Return the text, with what the sheet says."""
        made = super().__new__(cls, text)
        made.before = before
        return made

    def __reduce__(self) -> tuple[type[Corrected], tuple[str, str]]:
        """Return what makes the same text again, for pickle."""
        return Corrected, (str(self), self.before)
