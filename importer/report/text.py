"""Text that a spreadsheet program shows as it is, and never runs.

A sheet cannot hold control characters, holds 32,767 characters in a cell, and takes text for a formula where it
begins with one of a few signs. Each has one answer here, used by every writer of the report.
"""

from __future__ import annotations

import re

from importer.messages import _

CELL_LIMIT = 32_767
"""Characters that a cell of a workbook holds, counted as Excel counts them: in UTF-16 units."""

FORMULA_STARTS = frozenset("=+-@\t\r\n")
"""A cell that begins with one of these may be run by a spreadsheet program."""

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_PLAIN_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
_MARKED = re.compile(r"'*[=+\-@\t\r\n]")


def _picture(match: re.Match[str]) -> str:
    code = ord(match.group())
    return chr(0x2400 + code) if code < 0x20 else "\N{REPLACEMENT CHARACTER}"


def clean(text: str) -> str:
    r"""Return text that XML can carry: line ends as `\n`, every control character as its visible sign (␀, ␇, …)."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNWRITABLE.sub(_picture, text) if _UNWRITABLE.search(text) else text


def cut(text: str) -> str:
    """Return what a cell can hold of `text`; where something is lost, the end says how long the text was."""
    if len(text) * 2 <= CELL_LIMIT or _units(text) <= CELL_LIMIT:
        return text
    mark = _("… [cut: the text has {count} characters, a cell holds {limit}]", count=len(text), limit=CELL_LIMIT)
    kept = text.encode("utf-16-le")[: 2 * (CELL_LIMIT - _units(mark))]
    return kept.decode("utf-16-le", "ignore") + mark


def is_ordinary(text: str) -> bool:
    """Tell quickly of most texts that a sheet needs nothing to hold them: not all of those that it tells nothing of."""
    return (
        text.isprintable()
        and text[0].isalpha()
        and text[-1] != " "
        and "&" not in text
        and "<" not in text
        and ">" not in text
        and len(text) * 2 <= CELL_LIMIT
    )


def as_xml(text: str) -> str:
    """Return text as the element in which a cell holds it; made fit for a sheet, and never read as anything else."""
    if not text.isprintable():  # most text is, and this is the quickest way to know
        text = clean(text)
    text = cut(text)
    kept = ' xml:space="preserve"' if text[0].isspace() or text[-1].isspace() else ""
    if "&" in text or "<" in text or ">" in text:
        text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<t{kept}>{text}</t>"


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def marked(text: str) -> str:
    """Return the text as a CSV cell: an apostrophe before what a spreadsheet program would run.

    A plain number keeps its sign. `unmarked` gives back exactly the text that was marked.
    """
    return f"'{text}" if _MARKED.match(text) and not _PLAIN_NUMBER.fullmatch(text) else text


def unmarked(text: str) -> str:
    """Return the text that `marked` was given."""
    return text[1:] if text.startswith("'") and _MARKED.match(text) else text
