"""Text that a spreadsheet program shows as it is, and never runs as a formula.

A sheet cannot hold control characters, holds at most 32,767 characters in a cell, and may take text for a formula
where it begins with one of a few signs. Every writer of the report uses the answers given here.
"""

from __future__ import annotations

import re

from importer.messages import _

CELL_LIMIT = 32_767
"""Characters that a cell of a workbook holds, counted as Excel counts them: in UTF-16 units."""

FORMULA_STARTS = frozenset("=+-@\t\r\n")
"""A cell that begins with one of these may be run by a spreadsheet program."""

_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")

_PICTURE = re.compile("[\u2400-\u241f]")
_LONGEST_MARK = 200  # characters

# What a program may take for the start of a formula, the wide letters of East Asian keyboards included.
_STARTER = "=+\\-@＝＋－＠﹦﹢﹣﹫⁺⁼₊₌⩵⩶﬩"  # noqa: RUF001 - meant as they are
# What may stand between the start of a cell and its formula, and is ignored by one program or another: white space,
# quotation marks, control characters and invisible ones.
_PASSED_OVER = (
    r"\s\"\x00-\x20\x7f-\xa0\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202f"
    r"\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\u1680\U000110bd\U000110cd\U00013430-\U0001345f\U0001bca0-\U0001bca3"
    r"\U0001d173-\U0001d17a\U000e0000-\U000e0fff\u205f-\u206f\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
)
_SEPARATORS = r";,|\t\r\n\v\f\x1c-\x1e\x85\u2028\u2029"
_GAP = rf"[{_PASSED_OVER}{_SEPARATORS}]"
_SEPARATOR = re.compile(rf"[{_SEPARATORS}]")
# A gap is looked at once, from its first character on, so that the time does not grow with the square of its length.
_BEFORE_FORMULA = re.compile(rf"(?:\A{_GAP}*+|(?<!{_GAP}){_GAP}++)(?='*+[{_STARTER}])")
_BEFORE_MARKED = re.compile(rf"(?P<gap>\A{_GAP}*+|(?<!{_GAP}){_GAP}++)'(?='*+[{_STARTER}])")
_BLANK_START = re.compile(r"'*[\t\r\n]")


def _picture(match: re.Match[str]) -> str:
    code = ord(match.group())
    return chr(0x2400 + code) if code < 0x20 else "\N{REPLACEMENT CHARACTER}"


def clean(text: str) -> str:
    r"""Return text that XML can carry: line ends as `\n`, every control character as its visible sign (␀, ␇, …)."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _UNWRITABLE.sub(_picture, text) if _UNWRITABLE.search(text) else text


def cut(text: str) -> str:
    """Return as much of `text` as a cell can hold; where it is cut, the end says how long it was."""
    if len(text) * 2 <= CELL_LIMIT or _units(text) <= CELL_LIMIT:
        return text
    mark = _("… [cut: the text has {count} characters, a cell holds {limit}]", count=len(text), limit=CELL_LIMIT)
    kept = text.encode("utf-16-le")[: 2 * (CELL_LIMIT - _units(mark))]
    return kept.decode("utf-16-le", "ignore") + mark


def cell_text(text: str) -> str:
    """Return text as a cell of a workbook can hold it."""
    return cut(text if text.isprintable() else clean(text))  # most text is, and this is the quickest way to know


def is_altered(text: str) -> bool:
    """Tell whether a cell of a report does not hold the source's text as it was: it was cut, or has visible signs.

    Whatever language the report is in, a text that was cut fills its cell and ends in brackets.
    """
    if _PICTURE.search(text):
        return True
    return text.endswith("]") and "… [" in text[-_LONGEST_MARK:] and _units(text) >= CELL_LIMIT - 1


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def marked(text: str) -> str:
    """Return the text as a CSV cell: an apostrophe before whatever a spreadsheet program would run.

    A program may cut the file by another separator than ours, so that a cell begins wherever a semicolon, a comma, a
    bar, a tab or a line break is: each of these beginnings is marked. A number is no exception: with the cell that
    follows it, it may be a formula for a program that takes our separator for a decimal comma. `unmarked` gives back
    exactly the text that was marked.
    """
    text = _BEFORE_FORMULA.sub(_with_mark, text)
    return f"'{text}" if _BLANK_START.match(text) else text


def unmarked(text: str) -> str:
    """Return the text that `marked` was given."""
    if "'" not in text:
        return text
    if text.startswith("'") and _BLANK_START.match(text):
        text = text[1:]
    return _BEFORE_MARKED.sub(_without_mark, text)


def _with_mark(gap: re.Match[str]) -> str:
    return f"{gap.group()}'" if _begins_a_cell(gap, gap.group()) else gap.group()


def _without_mark(marked_gap: re.Match[str]) -> str:
    gap = marked_gap["gap"]
    return gap if _begins_a_cell(marked_gap, gap) else marked_gap.group()


def _begins_a_cell(found: re.Match[str], gap: str) -> bool:
    """Tell whether what follows a gap may be the beginning of a cell."""
    return found.start() == 0 or _SEPARATOR.search(gap) is not None
