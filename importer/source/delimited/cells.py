"""Make cells of the texts between the separators of a text file."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from importer.messages import _
from importer.model import Cell, CellError, Reread
from importer.source.delimited.likelihood import is_unlikely

MARK_UNDECODABLE = "case-importer.undecodable"
"""The error handler of decoders that keeps bytes outside of the encoding, as characters that are in no text."""

_MARKED = re.compile("[\udc00-\udcff]")
_LEADS_OF_UTF8 = re.compile("[\udcc2\udcc3\udce2]")  # of a letter or a sign that may have been cut: Â, Ã, â
_UNDEFINED = re.compile(r"[\x80-\x9f]")
_PLACEHOLDER = re.compile(r"(?<= )…(?=[`})\]\"'])")
"""What stands in a proposed line for a text that a person is to write, as in the issues of a report: `default: …`."""

_LITERAL = re.compile(r'="((?:[^"]|"")*)" *')
# Letters as “Ã³”, signs as “â€œ”: a second byte as latin-1 or Windows shows it. “AMANHÔ” may be meant.
_TWICE_ENCODED = re.compile(
    r"[ÂÃ](?:[\u0080-\u00bf\u0152-\u02dc\u20ac\u2030\u2122]|[\u2013-\u203a](?=\w))|â[\u0080-\u00bf\u0152-\u2122]{2}"
)


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(MARK_UNDECODABLE, _mark)


Oddity = Literal["stray-quote", "not-utf-8", "twice-encoded", "unlikely", "literal"]


class OddCell(NamedTuple):
    """What a person should know about one cell of a text file; `column` is its position from 0."""

    row: int
    column: int
    kind: Oddity
    text: str


@dataclass(frozen=True, slots=True)
class TextCells:
    """Turns texts into cells, by the text's encoding and the one that version 1 of the reading took, if another."""

    codec: str
    earlier: str | None

    def column(self, texts: Sequence[str], position: int, first_row: int) -> tuple[Sequence[Cell], list[OddCell]]:
        """Return the cells of one column in some rows, and what there is to say about them."""
        content = "\n".join(texts)
        if not self._matters(content) and not (self.earlier and any(isinstance(text, Reread) for text in texts)):
            return texts, []
        cells: list[Cell] = []
        remarks = []
        for row, text in enumerate(texts, first_row):
            cell, kind = self._cell(text)
            cells.append(cell)
            if kind is not None:
                remarks.append(OddCell(row, position, kind, str(cell)))
        return cells, remarks

    def _matters(self, content: str) -> bool:
        """Return whether there is anything in these cells but plain text; asked of all cells, it is quick."""
        if "\0" in content or '="' in content:
            return True
        if content.isascii():
            return False
        if self.earlier is not None or _MARKED.search(content):
            return True
        is_suspect = "Ã" in content or "Â" in content or "â" in content
        return (is_suspect and bool(_TWICE_ENCODED.search(content))) or (
            not self.codec.startswith("utf") and is_unlikely(content)
        )

    def _cell(self, text: str) -> tuple[Cell, Oddity | None]:
        """Return a text as a cell, with what is odd about it."""
        if "\0" in text:
            return _nul(text), None
        if text.isascii() and not text.startswith('="') and not isinstance(text, Reread):
            return text, None
        shown = self._shown(text)
        if shown is None:
            return _undecodable(text), None
        literal = _LITERAL.fullmatch(shown)
        read = literal[1].replace('""', '"') if literal else shown
        earlier = self._as_earlier(text.earlier if isinstance(text, Reread) else text)
        return read if earlier in (None, read) else Reread(read, earlier or ""), self._oddity(text, shown, read)

    def _oddity(self, text: str, shown: str, read: str) -> Oddity | None:
        if shown != text:
            return "not-utf-8"
        if twice_encoded(shown) is not None:
            return "twice-encoded"
        if not self.codec.startswith("utf") and is_unlikely(_PLACEHOLDER.sub("", shown)):
            return "unlikely"
        return "literal" if read != shown else None

    def _shown(self, text: str) -> str | None:
        """Return the text with bytes that are not UTF-8 as what Windows shows for them; None where that is not sure."""
        if not _MARKED.search(text):
            return text
        if not self.codec.startswith("utf-8") or _LEADS_OF_UTF8.search(text):
            return None
        shown = _MARKED.sub(lambda mark: bytes([ord(mark[0]) - 0xDC00]).decode("cp1252", "replace"), text)
        return None if shown.count("\ufffd") > text.count("\ufffd") or is_unlikely(shown) else shown

    def _as_earlier(self, text: str) -> str | None:
        """Return the text as version 1 of the reading decoded it, None where it found that it could not."""
        if self.earlier is None:
            return None if _MARKED.search(text) else text
        try:
            return text.encode(self.codec, "surrogateescape").decode(self.earlier)
        except UnicodeError:
            return None


def twice_encoded(text: str) -> str | None:
    """Return what a text was before UTF-8 was taken for Windows text and encoded again; None if it looks right."""

    def once(found: re.Match[str]) -> str:
        try:
            return b"".join(map(_windows_byte, found[0])).decode("utf-8")
        except UnicodeError:
            return found[0]

    restored = _TWICE_ENCODED.sub(once, text)
    return restored if restored != text else None


def _windows_byte(character: str) -> bytes:
    return character.encode("latin-1" if _UNDEFINED.match(character) else "cp1252")


def _undecodable(text: str) -> CellError:
    return CellError(
        _MARKED.sub("\ufffd", text),
        "undecodable",
        _("some of the characters are not in the file's encoding"),
        _(
            "save the file as “CSV UTF-8”, or name its encoding under `source` in the mapping, such as"
            " `encoding: cp1252`"
        ),
    )


def _nul(text: str) -> CellError:
    return CellError(
        _MARKED.sub("\ufffd", text),
        "nul-character",
        _("the cell contains a NUL character, as damaged files do"),
        _("type the value again, or export the table again"),
    )
