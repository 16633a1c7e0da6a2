"""Find what is wrong with the rows of a text file: too many or too few cells, quotation marks, odd characters."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from importer.messages import _, ngettext, shorten
from importer.model import Cell, Issue
from importer.source.delimited.cells import OddCell, Oddity, twice_encoded
from importer.source.delimited.widths import Widths
from importer.source.header import clean_names, made_up_name
from importer.source.table import Block

_EXAMPLES = 10


class TextChecks:
    """Checks the rows below a header, block by block, for the issues and notes of a text file."""

    def __init__(self, header_row: int, headers: Sequence[Cell], delimiter: str) -> None:
        """Begin at the header, whose cells are given; the `delimiter` separates them."""
        self.width = len(headers)
        self._header_row = header_row
        self._headers = headers
        self._widths = Widths(headers, delimiter)
        self._strays: list[OddCell] = []
        self._odd: defaultdict[Oddity, list[OddCell]] = defaultdict(list)
        self._counts: Counter[Oddity] = Counter()

    def check(self, block: Block, rows: Iterable[int]) -> None:
        """Check the rows of a block that are not blank, given by their places in it."""
        self._widths.check(block, rows)
        for remark in block.remarks:
            if remark.row < self._header_row:
                continue
            if remark.kind == "stray-quote" and remark.row > self._header_row:
                self._strays.append(remark)
            else:
                self._counts[remark.kind] += 1
                if len(self._odd[remark.kind]) < _EXAMPLES:
                    self._odd[remark.kind].append(remark)

    def issues(self) -> tuple[Issue, ...]:
        """Return the issues in the order of rows; to be called after the last row."""
        found = [self._stray_quote(remark) for remark in self._strays]
        return tuple(sorted([*self._widths.issues(), *found], key=lambda issue: issue.row or 0))

    def notes(self) -> tuple[str, ...]:
        """Return sentences about what was found; to be called after `issues`."""
        notes = [_sentence(kind, self._counts[kind], examples) for kind, examples in sorted(self._odd.items())]
        return (*self._widths.notes(), *notes)

    def _stray_quote(self, remark: OddCell) -> Issue:
        name = clean_names(self._headers)[remark.column] if remark.column < self.width else ""
        return Issue(
            row=remark.row,
            column=name or made_up_name(remark.column),
            value=remark.text,
            code="stray-quote",
            message=_(
                "text follows a closing quotation mark, so it is not certain where this cell and the next ones end"
            ),
            remedy=_(
                "open the file in a text editor and correct the cell (a quotation mark inside a quoted cell is written"
                ' twice, ""), or export the table as .xlsx'
            ),
        )


def _sentence(kind: Oddity, count: int, examples: Sequence[OddCell]) -> str:
    """Return the note about all cells with the same oddity; it shows the first ones."""
    shown = ", ".join(_("row {row}: “{text}”", row=found.row, text=_excerpt(found.text)) for found in examples)
    if kind == "not-utf-8":
        return ngettext(
            "{count} cell of this UTF-8 file has bytes that are not UTF-8. They are read as Windows-1252; check:"
            " {examples}",
            "{count} cells of this UTF-8 file have bytes that are not UTF-8. They are read as Windows-1252; check:"
            " {examples}",
            count,
            examples=shown,
        )
    if kind == "twice-encoded":
        meant = twice_encoded(examples[0].text) or ""
        return ngettext(
            "{count} cell looks as if its accents had been converted twice ({examples}); probably “{meant}” is meant."
            " Export the table again and choose UTF-8 in the program that reads the original file.",
            "{count} cells look as if their accents had been converted twice ({examples}); the first probably means"
            " “{meant}”. Export the table again and choose UTF-8 in the program that reads the original file.",
            count,
            examples=shown,
            meant=_excerpt(meant),
        )
    if kind == "unlikely":
        return ngettext(
            "{count} cell has letters or signs that are unusual where they are ({examples}). If they look wrong, the"
            " encoding was guessed wrongly: save the file as “CSV UTF-8”, or name its encoding as source.encoding.",
            "{count} cells have letters or signs that are unusual where they are ({examples}). If they look wrong, the"
            " encoding was guessed wrongly: save the file as “CSV UTF-8”, or name its encoding as source.encoding.",
            count,
            examples=shown,
        )
    if kind == "literal":
        return ngettext(
            '{count} cell is written as ="…" and is read as the text that Excel shows ({examples}).',
            '{count} cells are written as ="…" and are read as the text that Excel shows ({examples}).',
            count,
            examples=", ".join(_("row {row}: “{text}”", row=at.row, text=_excerpt(at.text)) for at in examples[:3]),
        )
    return _(
        "In the header in row {row}, text follows a closing quotation mark, so the columns may be cut wrongly. Correct"
        ' it in a text editor (a quotation mark inside a quoted cell is written twice, "").',
        row=examples[0].row,
    )


def _excerpt(text: str) -> str:
    """Return the part of a text around its first character beyond ASCII."""
    first = next((at for at, character in enumerate(text) if not character.isascii()), 0)
    return shorten(text[max(0, first - 20) :], 40)
