"""What became of the corrections of a sheet: those that are in it now, those that it says itself, and the others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from importer.messages import _, ngettext, shorten
from importer.workflow.corrections.correction import Correction

_MOST_NAMED = 5


class CorrectionOutcome(StrEnum):
    """What a correction comes to by the sheet as it is now."""

    APPLIED = "applied"
    DONE = "done"  # the sheet says `to` itself
    SET_ASIDE = "set-aside"  # the sheet says neither `from` nor `to`, or the row is not found or may not be changed
    REPLACED = "replaced"  # a later correction of the same cell counts


@dataclass(frozen=True, slots=True)
class CorrectionState:
    """A correction and what it comes to.

    `row` is the row's number, None where there is none or several; `cells` counts those that it corrects; `now` is what
    the sheet says in that row, None where there is no such cell; `reason` says why it was set aside, or in some rows.
    """

    correction: Correction
    outcome: CorrectionOutcome
    row: int | None = None
    cells: int = 0
    now: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class CorrectionList:
    """The corrections of one sheet, as they were applied.

    `name` is that of their file and `digest` the SHA-256 of its bytes, None where there is no file. `cells` counts the
    corrected cells, `rows` the rows in which they are. `other_sheets` have corrections in the same file.
    """

    name: str
    digest: str | None = None
    cells: int = 0
    rows: int = 0
    states: tuple[CorrectionState, ...] = ()
    other_sheets: tuple[str, ...] = ()

    def _those(self, outcome: CorrectionOutcome) -> tuple[CorrectionState, ...]:
        return tuple(state for state in self.states if state.outcome is outcome)

    @property
    def applied(self) -> tuple[CorrectionState, ...]:
        """The corrections that change what the sheet reads as."""
        return self._those(CorrectionOutcome.APPLIED)

    @property
    def done(self) -> tuple[CorrectionState, ...]:
        """The corrections that nothing is left to do for: the sheet says it itself by now."""
        return self._those(CorrectionOutcome.DONE)

    @property
    def set_aside(self) -> tuple[CorrectionState, ...]:
        """The corrections that do not fit the sheet as it is now, each with the reason."""
        return self._those(CorrectionOutcome.SET_ASIDE)

    def notes(self) -> Iterator[str]:
        """Yield a sentence on what is corrected, and one on what is not."""
        if self.cells:
            yield ngettext(
                "{file} corrects {count} cell of the sheet; the sheet itself stays as it is.",
                "{file} corrects {count} cells of the sheet (rows concerned: {rows}); the sheet itself stays as it is.",
                self.cells,
                file=self.name,
                rows=self.rows,
            )
        if aside := self.set_aside:
            named = [_told(state) for state in aside[:_MOST_NAMED]]
            yield ngettext(
                "{file}: {count} correction is not applied, because it does not fit the sheet: {corrections}",
                "{file}: {count} corrections are not applied, because they do not fit the sheet: {corrections}",
                len(aside),
                file=self.name,
                corrections="; ".join(named) + ("; …" if len(aside) > len(named) else ""),
            )
        if self.other_sheets and not self.states:
            yield _(
                "{file} has corrections for other sheets only: {sheets}. If this is one of them under a new name,"
                " write the new name into the column sheet.",
                file=self.name,
                sheets=", ".join(map(shorten, self.other_sheets[:_MOST_NAMED])),
            )


NO_CORRECTIONS = CorrectionList("")


def _told(state: CorrectionState) -> str:
    one = state.correction
    return _(
        "line {line} ({column}: {before} → {after}): {reason}",
        line=one.line,
        column=shorten(one.column),
        before=shorten(one.before) or _("(empty)"),
        after=shorten(one.to) or _("(empty)"),
        reason=state.reason,
    )
