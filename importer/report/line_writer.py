"""Lines of a sheet as text: the same XML as openpyxl writes, in a sixth of the time.

openpyxl makes three elements of a cell and looks for the namespace of each, which was three quarters of the time of
a whole report. A stamp holds nothing but a style and a value, so one piece of text per cell says the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from openpyxl import LXML
from openpyxl.comments.comment_sheet import CommentRecord
from openpyxl.compat import safe_string
from openpyxl.utils import get_column_letter
from openpyxl.utils.datetime import to_excel

if TYPE_CHECKING:
    from .cells import Stamp

Opened = Any
"""A write-only sheet of openpyxl, or what it writes its XML with: the type stubs know neither's parts."""

_letters = cache(get_column_letter)


def write_as_text(sheet: Opened) -> None:
    """Have the lines of a sheet, laid out and still without any, written as text.

    Where openpyxl writes through lxml, which takes no text, it goes on as it is.
    """
    if not LXML:
        sheet._get_writer()  # noqa: SLF001 - there is no public way to its writer
        sheet._writer.write_row = partial(_write_line, sheet)  # noqa: SLF001 - the same


def _write_line(sheet: Opened, xml: Opened, cells: Iterable[Stamp], number: int) -> None:
    look = "".join(f' {name}="{value}"' for name, value in dict(sheet.row_dimensions.get(number, ())).items())
    line = "".join([_cell(sheet, cell, number) for cell in cells])
    xml._file(f'<row r="{number}"{look}>{line}</row>')  # noqa: SLF001 - its public way takes elements only


def _cell(sheet: Opened, cell: Stamp, number: int) -> str:
    """Return one cell; openpyxl is told of a note or a link that it carries, which stand elsewhere in the file."""
    if cell.comment is not None:
        sheet._comments.append(CommentRecord.from_cell(cell))  # noqa: SLF001 - as openpyxl's own writer does
    if cell.hyperlink is not None:
        sheet._hyperlinks.append(cell.hyperlink)  # noqa: SLF001 - the same
    opening = f'<c r="{_letters(cell.column)}{number}" s="{cell.style_id}"'
    value = cell.value
    if value is None:
        return f"{opening}/>"
    if isinstance(value, str):
        text = value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        kept = ' xml:space="preserve"' if value != value.strip() else ""
        return f'{opening} t="inlineStr"><is><t{kept}>{text}</t></is></c>'
    if isinstance(value, date | time):
        value = to_excel(value)  # type: ignore[no-untyped-call]
    return f'{opening} t="{"b" if value is True or value is False else "n"}"><v>{safe_string(value)}</v></c>'
