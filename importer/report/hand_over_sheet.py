"""The first sheet of the hand-over workbook: that the source is accounted for, on one page that can be signed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import zip_longest

from xlsxwriter import Workbook

from importer.messages import _, ngettext, shorten, shown, translated
from importer.model import Counts, Status
from importer.model.proof import RESULTS, HandOver
from importer.names import result_name
from importer.report import overview, styles
from importer.report.content import time_with_zone
from importer.report.marks import journal_mark
from importer.report.overview import TicketLine, TicketTable
from importer.report.styles import Formats, Style
from importer.report.summary_sheet import (
    HEADING,
    HOW_IT_WENT,
    INK,
    LEFT_HEADER,
    MEANING,
    NAME,
    NO_COUNT,
    RIGHT_HEADER,
    TITLE,
    TOTAL,
    TOTAL_NAME,
    ProseSheet,
    lines_of,
)
from importer.report_words import HAND_OVER, state_word

_BLOCK = (24.0, 9.5, 12.0, 9.5)
_GAP = 2.5
_WIDTHS = (*_BLOCK, _GAP, *_BLOCK, _GAP, *_BLOCK)
_STARTS = (0, 5, 10)
"""The first column of each of the three blocks that stand side by side."""

_LAST = len(_WIDTHS) - 1
_ACROSS = 165  # characters of all columns together
_LINES = 8  # of a table by type, status or month; further ones are one line together
_SHOWN = 8  # differences
_VALUE = 58  # characters of a value on this page
_SIGNED = replace(NAME, top_rule=INK, vertical="top")

_Cell = tuple[int, int, Style, str | int]
"""The first and the last column within a block, the style, and the value."""


class HandOverSheet(ProseSheet):
    """The first sheet, added before the others and written after them."""

    def __init__(self, workbook: Workbook, formats: Formats) -> None:
        """Take the first place in the workbook."""
        super().__init__(workbook, formats, translated(HAND_OVER), _WIDTHS)
        self.sheet.fit_to_pages(1, 1)

    def write(self, content: HandOver, sheets: Iterable[str], notes: Sequence[str]) -> None:
        """Write the whole page; `sheets` are the others, each with a link to it."""
        self.headline(TITLE, _("Hand-over of import {name}", name=content.summary.import_name), 30, _LAST)
        for sentence in (adds_up(content.summary.counts), what_was_verified(content), about_attachments(content)):
            if sentence:
                self.headline(HOW_IT_WENT, sentence, 21.0 * lines_of(sentence, 125), _LAST)
        self._side_by_side([rows_block(content.summary.counts), _proof_block(content), _files_block(content)])
        self._side_by_side([table_block(table) for table in list(overview.tables(content.summary, _LINES))[:3]])
        self._write_differences(content)
        self._write_notes([*_notes(content), *notes])
        self._write_facts(content)
        self._write_links(sheets)
        self._write_signatures()

    def _side_by_side(self, blocks: Sequence[Sequence[Sequence[_Cell]]]) -> None:
        """Write blocks beside one another, the lines of all of them at once."""
        if not blocks:
            return
        self.next_line(9)
        for number, lines in enumerate(zip_longest(*blocks, fillvalue=())):
            self.next_line(31 if number == 0 else 16)  # a header may need two lines
            for start, cells in zip(_STARTS, lines, strict=False):
                for first, last, style, value in cells:
                    if last > first:
                        self.across(style, str(value), start + first, start + last)
                    else:
                        self.value(start + first, style, value)

    def _write_differences(self, content: HandOver) -> None:
        count = content.counts.differences
        if not count:
            return
        self.next_line(9)
        title = ngettext("{count} value differs", "{count} values differ", count)
        self.headline(HEADING, title, 22, _LAST)
        names = (_("Row"), _("Column or field"), _("What the sheet says"), _("What the CRM shows"))
        spans = ((0, 0), (1, 3), (5, 8), (10, 13))
        self.next_line()
        for name, (first, last) in zip(names, spans, strict=True):
            self._spanning(LEFT_HEADER, name, first, last)
        for each in content.first_differences[:_SHOWN]:
            self.next_line(16)
            values = (str(each.row), each.column or each.field, each.sheet, each.crm)
            for value, (first, last) in zip(values, spans, strict=True):
                self._spanning(MEANING, shorten(value, _VALUE), first, last)
        if count > _SHOWN:
            self.next_line(16)
            more = _("… and {count} more, on the sheet Differences.", count=count - min(count, _SHOWN))
            self.across(MEANING, more, 1, _LAST)

    def _spanning(self, style: Style, text: str, first: int, last: int) -> None:
        if last > first:
            self.across(style, text, first, last)
        else:
            self.value(first, style, text)

    def _write_notes(self, notes: Sequence[str]) -> None:
        if notes:
            self.next_line(9)
        for note in notes:
            self.next_line(16.0 * lines_of(note, _ACROSS - 12))
            self.value(0, NAME, _("Note"))
            self.across(styles.WRAPPED, note, 1, _LAST)

    def _write_facts(self, content: HandOver) -> None:
        self.next_line(9)
        for name, value in _facts(content):
            self.next_line(16.0 * lines_of(value, _ACROSS - 30))
            self.value(0, NAME, name)
            self.across(styles.WRAPPED, value, 1, _LAST)

    def _write_links(self, sheets: Iterable[str]) -> None:
        self.next_line(9)
        self.next_line()
        for start, title in zip(_STARTS, sheets, strict=False):
            self.link(start, title, f"internal:'{title}'!A1")

    def _write_signatures(self) -> None:
        self.next_line(64)  # to sign in
        self.next_line()
        for start, name in zip(_STARTS, (_("Handed over by"), _("Accepted by"), _("Date")), strict=True):
            self.across(_SIGNED, name, start, start + 3)


# ------------------------------------------------------------------------------------------------ sentences


def adds_up(counts: Counts) -> str:
    """Return the equation of a hand-over: the rows of the source are its created cases and its listed exceptions."""
    others = counts.rows - counts.created
    rows = ngettext(
        "{number} row in the source", "{number} rows in the source", counts.rows, number=shown(counts.rows, ",")
    )
    cases = ngettext(
        "{number} created case", "{number} created cases", counts.created, number=shown(counts.created, ",")
    )
    listed = ngettext(
        "{number} row that is listed as an exception",
        "{number} rows that are listed as exceptions",
        others,
        number=shown(others, ","),
    )
    return f"{rows} = {cases} + {listed}."


def what_was_verified(content: HandOver) -> str:
    """Return in a sentence for how many cases the CRM was asked, and what it showed."""
    counts = content.counts
    values = {"asked": shown(counts.asked, ","), "cases": shown(counts.cases, ",")}
    if not counts.asked:
        return _("The CRM was asked for none of the cases yet.")
    if counts.is_clean:
        return ngettext(
            "The CRM was asked for {asked} of {cases} case: all that it shows of it is as in the sheet.",
            "The CRM was asked for {asked} of {cases} cases: all that it shows of them is as in the sheet.",
            counts.cases,
            **values,
        )
    found = counts.results
    values |= {
        "equal": shown(found.get("equal", 0), ","),
        "differ": shown(found.get("differs", 0), ","),
        "missing": shown(found.get("not-found", 0) + found.get("unanswered", 0), ","),
    }
    if edited := found.get("edited", 0):
        return ngettext(
            "The CRM was asked for {asked} of {cases} case: {equal} as in the sheet, {edited} edited since in what the"
            " CRM does not show, {differ} different, {missing} not shown.",
            "The CRM was asked for {asked} of {cases} cases: {equal} as in the sheet, {edited} edited since in what the"
            " CRM does not show, {differ} different, {missing} not shown.",
            counts.cases,
            edited=shown(edited, ","),
            **values,
        )
    return ngettext(
        "The CRM was asked for {asked} of {cases} case: {equal} as in the sheet, {differ} different, {missing} not"
        " shown.",
        "The CRM was asked for {asked} of {cases} cases: {equal} as in the sheet, {differ} different, {missing} not"
        " shown.",
        counts.cases,
        **values,
    )


def about_attachments(content: HandOver) -> str:
    """Return a sentence on the attachments; empty where there are none."""
    return overview.about_files(content.summary)


def _notes(content: HandOver) -> Iterator[str]:
    """Yield what whoever accepts the import has to know beside the numbers."""
    if fields := _counted_fields(content.counts.fields_not_shown):
        yield _("Not shown by the CRM and therefore not compared, in so many cases: {fields}.", fields=fields)
    if fields := _counted_fields(content.counts.fields_empty):
        yield _(
            "Empty in the sheet and filled in the CRM, which may do so by itself; therefore not compared, in so many"
            " cases: {fields}.",
            fields=fields,
        )
    if content.summary.account is not None and content.summary.account.deleted:
        yield ngettext(
            "{count} of them was deleted from the CRM since.",
            "{count} of them were deleted from the CRM since.",
            content.summary.account.deleted,
        )
    if content.unexpected:
        cases = ", ".join(f"{reference} ({case})" for reference, case in content.unexpected[:6])
        yield ngettext(
            "The CRM shows {count} case with a reference of this import that was not known: {cases}. Look into it"
            " before the next run.",
            "The CRM shows {count} cases with references of this import that were not known: {cases}. Look into them"
            " before the next run.",
            len(content.unexpected),
            cases=cases,
        )
    if content.counts.results.get("not-found"):
        yield _(
            "A case that is not shown is not proof that it does not exist: an answer may be incomplete, and the user of"
            " the token may not be allowed to see it."
        )
    if content.counts.remembered:
        yield ngettext(
            "{count} of the cases was as in the sheet in an earlier verification and was not asked for again; its row,"
            " the mapping and its id are the same since.",
            "{count} of the cases were as in the sheet in an earlier verification and were not asked for again; their"
            " rows, the mapping and their ids are the same since.",
            content.counts.remembered,
        )


def _counted_fields(fields: Mapping[str, int]) -> str:
    """Return the most frequent fields, each with its number of cases."""
    frequent = sorted(fields.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(_("{field} ({count})", field=field, count=count) for field, count in frequent[:12])


def _facts(content: HandOver) -> Iterator[tuple[str, str]]:
    """Yield who handed over what, when, and of which files and journal."""
    summary = content.summary
    source = {"name": summary.source.name, "sheet": summary.sheet, "digest": summary.source_digest}
    if summary.sheet:
        yield _("Source"), _("{name}, sheet {sheet} · SHA-256 {digest}", **source)
    else:
        yield _("Source"), _("{name} · SHA-256 {digest}", **source)
    yield _("Mapping"), _("{name} · SHA-256 {digest}", name=summary.mapping.name, digest=content.mapping_digest)
    if content.corrections_digest:
        corrected = ngettext(
            "{count} cell · SHA-256 {digest}",
            "{count} cells · SHA-256 {digest}",
            content.corrections,
            digest=content.corrections_digest,
        )
        yield _("Corrections"), corrected
    server = _("{server}, operation {operation}", server=summary.server, operation=summary.operation)
    yield _("CRM"), server
    if summary.journal is not None:
        runs = ", ".join(map(str, content.runs)) or _("none")
        yield _("Journal"), _("{mark} · runs {runs}", mark=journal_mark(*summary.journal), runs=runs)
    yield _("Verified by"), _("{user}, with {program}", user=summary.user, program=content.program)
    yield _("Verified on"), time_with_zone(summary.ended_at)


# ------------------------------------------------------------------------------------------------ blocks


def rows_block(counts: Counts) -> list[list[_Cell]]:
    """Return the rows of the source by their state; the lines add up to all rows."""
    lines = [(_("created cases"), counts.created)]
    lines += [(state_word(status), getattr(counts, status)) for status in Status if status is not Status.CREATED]
    return _counted_block(_("Rows of the source"), _("rows"), lines, (_("all rows"), counts.rows))


def _proof_block(content: HandOver) -> list[list[_Cell]]:
    counts = content.counts
    lines = [(result_name(result), counts.results.get(result, 0)) for result in RESULTS]
    return _counted_block(_("Verified in the CRM"), _("cases"), lines, (_("all cases"), counts.cases))


def _files_block(content: HandOver) -> list[list[_Cell]]:
    files = overview.files_of(content.summary)
    lines = [
        (_("sent with their cases"), files.sent),
        (_("waiting for their tickets"), files.waiting),
        (_("missing, or cannot be sent"), files.missing),
    ]
    block = _counted_block(_("Attachments"), _("files"), lines, (_("all attachments"), files.named))
    if not files.named:
        return block
    after = [
        (_("shown by the CRM"), content.counts.files_shown),
        (_("of cases that show no files"), content.counts.files_not_shown),
    ]
    return [*block, *_count_lines(after)]


def _counted_block(
    title: str, what: str, lines: Iterable[tuple[str, int]], total: tuple[str, int]
) -> list[list[_Cell]]:
    """Return a block of names with one number each, and their total."""
    head: list[_Cell] = [(0, 2, LEFT_HEADER, title), (3, 3, RIGHT_HEADER, what)]
    end: list[_Cell] = [(0, 2, TOTAL_NAME, total[0]), (3, 3, TOTAL, total[1])]
    return [head, *_count_lines(lines), end]


def _count_lines(lines: Iterable[tuple[str, int]]) -> Iterator[list[_Cell]]:
    for name, count in lines:
        yield [(0, 2, MEANING, name), (3, 3, NO_COUNT, count)]


def table_block(table: TicketTable) -> list[list[_Cell]]:
    """Return a table of tickets, with its rarer or its earlier lines together."""
    lines, further = list(table.lines), len(table.lines) - _LINES + 1
    if further > 1 and table.in_time:
        lines = [_together(_("until {name}", name=lines[further - 1].name), lines[:further]), *lines[further:]]
    elif further > 1:
        lines = [*lines[:-further], _together(_("others"), lines[-further:])]
    head: list[_Cell] = [(0, 0, LEFT_HEADER, table.names[0])]
    head += [(at, at, RIGHT_HEADER, name) for at, name in enumerate(table.names[1:], 1)]
    block = [head]
    for line in lines:
        numbers: list[_Cell] = [(at, at, NO_COUNT, count) for at, count in enumerate(_numbers(line), 1)]
        block.append([(0, 0, MEANING, shorten(line.name, 24)), *numbers])
    totals: list[_Cell] = [(at, at, TOTAL, count) for at, count in enumerate(_numbers(table.total), 1)]
    return [*block, [(0, 0, TOTAL_NAME, shorten(table.total.name, 24)), *totals]]


def _together(name: str, lines: Iterable[TicketLine]) -> TicketLine:
    return TicketLine(name, *(sum(numbers) for numbers in zip(*map(_numbers, lines), strict=True)))


def _numbers(line: TicketLine) -> tuple[int, int, int]:
    return line.tickets, line.arrived, line.missing
