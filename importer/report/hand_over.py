"""The hand-over workbook: the proof for whoever takes over an import, on one page, and the lists behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from xlsxwriter import Workbook

from importer.errors import ReportError, ReportPathRefused
from importer.messages import _, ngettext, shorten, translated
from importer.model import CHANGED, Status
from importer.model.proof import RESULTS, Difference, HandOver, HandOverRow, Result
from importer.names import result_name
from importer.report import styles
from importer.report.content import CREATED_BEFORE, CREATED_NOW, EDITED_SINCE, PALETTES, Palette, local_time
from importer.report.hand_over_sheet import HandOverSheet
from importer.report.listings import SHEET_LINES, Listing, height_of, width_of, width_of_states
from importer.report.sheet import new_workbook
from importer.report.styles import Formats
from importer.report.writing import WrittenReport, check_writable, write_whole
from importer.report_words import CASES, DIFFERENCES, EXCEPTIONS, column_word, state_word
from importer.system.causes import reason_of

ENDING = ".hand-over"
"""The end of the name of a hand-over workbook, before its kind."""

RESULT_PALETTES: dict[Result, Palette] = {
    "equal": CREATED_NOW,
    "differs": EDITED_SINCE,
    "edited": EDITED_SINCE,
    "not-found": PALETTES[Status.REJECTED],
    "unanswered": PALETTES[Status.UNKNOWN],
    "not-asked": PALETTES[Status.SKIPPED],
}

_LONGEST = 500  # characters of a value in a list; the sheet and the CRM have the whole one
_WHY = 40  # characters of a line of what differs


def hand_over_path(source: Path) -> Path:
    """Return where the hand-over workbook of a source goes: `tickets.hand-over.xlsx` beside `tickets.xlsx`."""
    return source.with_name(f"{source.stem.removesuffix('.report')}{ENDING}.xlsx")


def check_hand_over(path: Path) -> None:
    """Raise ReportError where a hand-over workbook could not be written to `path`."""
    if path.suffix.lower() != ".xlsx":
        raise ReportPathRefused(_("{path}: the hand-over is a workbook, so its name ends in .xlsx.", path=path))
    check_writable(path)


def write_hand_over(path: Path, content: HandOver, ours: Callable[[str], bool]) -> WrittenReport:
    """Write the hand-over workbook, never over a file that is not `ours`; raises ReportError where it cannot."""
    try:
        return write_whole(path, lambda file: write_workbook(file, content), ours, [])
    except OSError as error:
        raise ReportError(
            _(
                "{path}: the hand-over could not be written ({reason}). Nothing is lost; try again.",
                path=path,
                reason=reason_of(error),
            )
        ) from error


def write_workbook(file: BinaryIO, content: HandOver) -> None:
    """Write the workbook to an open file; memory does not grow with the rows."""
    with new_workbook(file) as workbook:
        formats = Formats(workbook)
        first = HandOverSheet(workbook, formats)
        cases, exceptions = _CasesSheet(workbook, formats, content), _ExceptionsSheet(workbook, formats)
        differences = _DifferencesSheet(workbook, formats)
        for row in content.rows:
            if row.status is Status.CREATED:
                cases.add(row)
                for difference in row.proof.differences if row.proof else ():
                    differences.add(row, difference)
            else:
                exceptions.add(row)
        sheets = (cases, exceptions, differences)
        exceptions.say_if_empty(_("None: every row of the sheet is a case."))
        differences.say_if_empty(_("No difference was found."))
        for sheet in sheets:
            sheet.finish()
        left_out = sum(sheet.left_out for sheet in sheets)
        notes = [
            ngettext("{count} line did not fit on its sheet.", "{count} lines did not fit on their sheets.", left_out)
        ]
        first.write(content, [sheet.title for sheet in sheets], notes if left_out else [])


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of a list: its header, and its width in characters."""

    name: str
    width: float


class _List(Listing):
    """A list of the workbook: its columns, and lines until the sheet is full."""

    def __init__(self, workbook: Workbook, formats: Formats, title: str, columns: Sequence[_Column]) -> None:
        """Write the header."""
        super().__init__(workbook, formats, translated(title), [column.width for column in columns], repeated=2)
        self.left_out = 0
        self.header(((column.name, styles.SOURCE_HEADER) for column in columns), frozen=2)

    def _begins(self, height: float | None = None) -> bool:
        """Begin a line; return False where the sheet has no room for it."""
        if self.lines >= SHEET_LINES:
            self.left_out += 1
            return False
        self.next_line(height)
        return True

    def say_if_empty(self, sentence: str) -> None:
        """Say that there is nothing to list, so that an empty sheet is not taken for an unfinished one."""
        if self.lines == 1 and self._begins():
            self.text(1, sentence)

    def _ruled(self) -> Iterator[tuple[int, int]]:
        yield 0, self.columns - 1


class _CasesSheet(_List):
    """Every case, and what the CRM showed of it."""

    def __init__(self, workbook: Workbook, formats: Formats, content: HandOver) -> None:
        """Take the next place in the workbook."""
        columns = (
            _Column(column_word("row"), 8),
            _Column(_("key"), 18),
            _Column("wolkvox_id", 28),
            _Column("idPrefijo", 14),
            _Column(column_word("status"), width_of(map(state_word, (Status.CREATED, CHANGED)))),
            _Column(_("verified"), width_of(map(result_name, RESULTS), 16)),
            _Column(_("verified on"), 20),
            _Column(_("what differs, or why"), _WHY),
            _Column(_("not compared"), 24),
            _Column(_("attachments sent"), 11),
            _Column(_("attachments shown"), 11),
            _Column(column_word("reference"), 22),
        )
        super().__init__(workbook, formats, CASES, columns)
        self._summary = content.summary

    def add(self, row: HandOverRow) -> None:
        """Write a case."""
        proof, result = row.proof, row.proof.result if row.proof else "not-asked"
        differing = ", ".join(dict.fromkeys(each.column or each.field for each in proof.differences)) if proof else ""
        why = shorten(differing or (proof.reason if proof else ""), _LONGEST)
        if not self._begins(height_of((why, _WHY))):
            return
        self.value(0, styles.WHOLE_NUMBER, row.number)
        self.text(1, row.key)
        if row.address and row.wolkvox_id and self.links.take():
            self.link(2, row.wolkvox_id, row.address)
        else:
            self.text(2, row.wolkvox_id or "")
        self.text(3, row.id_prefijo or "")
        palette = EDITED_SINCE if row.state == CHANGED else CREATED_BEFORE
        self.value(4, styles.label(palette), state_word(row.state))
        self.value(5, styles.label(RESULT_PALETTES[result]), result_name(result))
        self.text(11, row.reference or "")
        if proof is None:
            return
        if proof.when is not None:
            self.value(6, styles.moment(), local_time(proof.when, self._summary))
        self.prose(7, why)
        empty = (_("{field} (empty in the sheet)", field=field) for field in proof.empty_in_sheet)
        self.text(8, ", ".join((*proof.not_shown, *empty)))
        if proof.files_sent or proof.files_shown:
            self.value(9, styles.WHOLE_NUMBER, proof.files_sent)
            if proof.files_shown is not None:
                self.value(10, styles.WHOLE_NUMBER, proof.files_shown)


class _ExceptionsSheet(_List):
    """Every row that is not a case of its own, and why."""

    def __init__(self, workbook: Workbook, formats: Formats) -> None:
        """Take the next place in the workbook."""
        columns = (
            _Column(column_word("row"), 8),
            _Column(_("key"), 20),
            _Column(column_word("status"), width_of_states()),
            _Column(_("reason"), 110),
            _Column(column_word("reference"), 24),
        )
        super().__init__(workbook, formats, EXCEPTIONS, columns)

    def add(self, row: HandOverRow) -> None:
        """Write a row."""
        reason = shorten(row.reason, _LONGEST)
        if not self._begins(16.0 * (1 + len(reason) // 110)):
            return
        self.value(0, styles.WHOLE_NUMBER, row.number)
        self.text(1, row.key)
        self.value(2, styles.label(PALETTES[row.status]), state_word(row.state, row.part_of))
        self.prose(3, reason)
        self.text(4, row.reference or "")


class _DifferencesSheet(_List):
    """Every value that the CRM shows otherwise than the sheet."""

    def __init__(self, workbook: Workbook, formats: Formats) -> None:
        """Take the next place in the workbook."""
        columns = (
            _Column(column_word("row"), 8),
            _Column(_("key"), 20),
            _Column("wolkvox_id", 28),
            _Column(_("column"), 24),
            _Column(_("field"), 20),
            _Column(_("what the sheet says"), 50),
            _Column(_("what the CRM shows"), 50),
            _Column(_("note"), 34),
        )
        super().__init__(workbook, formats, DIFFERENCES, columns)

    def add(self, row: HandOverRow, difference: Difference) -> None:
        """Write a difference."""
        sheet, crm = shorten(difference.sheet, _LONGEST), shorten(difference.crm, _LONGEST)
        if not self._begins(16.0 * max(1 + len(sheet) // 46, 1 + len(crm) // 46)):
            return
        self.value(0, styles.WHOLE_NUMBER, row.number)
        self.text(1, row.key)
        self.text(2, row.wolkvox_id or "")
        self.text(3, difference.column or "")
        self.text(4, difference.field)
        self.prose(5, sheet)
        self.prose(6, crm)
        self.text(7, _("The sheet was edited here since.") if difference.edited else "")
