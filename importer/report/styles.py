"""How the workbook looks: styles as plain values, and the formats that XlsxWriter makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from xlsxwriter import Workbook
from xlsxwriter.format import Format

from importer.messages import language
from importer.report.content import Palette

SOURCE_HEADER = Palette("1F3A5F", "FFFFFF", "1F3A5F")
OWN_HEADER = Palette("2F5D50", "FFFFFF", "2F5D50")
FILL_HEADER = Palette("8A6A00", "FFFFFF", "8A6A00")
FAULTY = Palette("FFC9C4", "7A0F08", "C62828")
TO_FILL = Palette("FFF8D6", "4A3B00", "B38F00")

RULE_COLOUR = "C9D1DB"
FONT_SIZE = 11  # points
_PLACES = {"es": "[$-240A]", "pt": "[$-416]"}  # Colombia and Brazil, as a number format names them
THIN = 1  # XlsxWriter's number of a thin line


@dataclass(frozen=True, slots=True)
class Style:
    """How a cell looks; colours as RRGGBB.

    `box` is the colour of a line around the cell. `quoted` keeps text that begins like a formula as text, also after
    somebody has edited it. An `amount` is shown as the spoken language writes it, where the reader's program lets it.
    """

    number_format: str = "General"
    horizontal: str = ""
    vertical: str = "top"
    indent: int = 0
    wrapped: bool = False
    quoted: bool = False
    amount: bool = False
    background: str = ""
    text: str = ""
    size: int = FONT_SIZE
    bold: bool = False
    underlined: bool = False
    top_rule: str = ""
    bottom_rule: str = ""
    box: str = ""

    def tinted(self, palette: Palette, *, bold: bool = False) -> Style:
        """Return the same style in other colours."""
        return replace(self, background=palette.background, text=palette.text, bold=bold)

    def properties(self) -> dict[str, object]:
        """Return the style as the properties of an XlsxWriter format."""
        return dict(self._properties())

    def _properties(self) -> Iterator[tuple[str, object]]:
        place = _PLACES.get(language(), "") if self.amount else ""
        yield "num_format", ";".join(f"{place}{part}" for part in self.number_format.split(";"))
        yield "valign", {"center": "vcenter"}.get(self.vertical, self.vertical)
        if self.horizontal:
            yield "align", self.horizontal
        if self.indent:
            yield "indent", self.indent
        if self.wrapped:
            yield "text_wrap", True
        if self.quoted:
            yield "quote_prefix", True
        if self.background:
            yield "bg_color", f"#{self.background}"
        if self.text:
            yield "font_color", f"#{self.text}"
        if self.size != FONT_SIZE:
            yield "font_size", self.size
        if self.bold:
            yield "bold", True
        if self.underlined:
            yield "underline", 1
        yield from self._rules()

    def _rules(self) -> Iterator[tuple[str, object]]:
        sides = {"top": self.top_rule, "bottom": self.bottom_rule}
        if self.box:
            sides = dict.fromkeys(("left", "right", "top", "bottom"), self.box)
        for side, colour in sides.items():
            if colour:
                yield side, THIN
                yield f"{side}_color", f"#{colour}"


PLAIN = Style()
WRAPPED = Style(wrapped=True)
QUOTED = Style(quoted=True)
QUOTED_AND_WRAPPED = Style(quoted=True, wrapped=True)
KEPT_AS_TEXT = Style(number_format="@")
INDENTED = Style(horizontal="left", indent=1)
LINKED = Style(horizontal="left", text="0B4FA8", underlined=True)


def moment() -> Style:
    """Return the style of a time, as the language that is spoken writes it."""
    return formatted("yyyy-mm-dd hh:mm:ss" if language() == "en" else "dd/mm/yyyy hh:mm:ss", number=False)


def label(palette: Palette, *, bold: bool = False) -> Style:
    """Return the style of a label in these colours."""
    return INDENTED.tinted(palette, bold=bold)


def header(palette: Palette) -> Style:
    """Return the style of a column's header: in these colours, bold, with a rule below."""
    return Style(vertical="center", wrapped=True, bottom_rule=RULE_COLOUR).tinted(palette, bold=True)


def formatted(number_format: str, *, number: bool) -> Style:
    """Return the style of a number, on the right of its column, or of a moment, on the left as text is."""
    if number:
        return Style(number_format=number_format, horizontal="right", indent=1)
    return Style(number_format=number_format, horizontal="left")


WHOLE_NUMBER = formatted("0", number=True)
TO_WRITE_IN = replace(INDENTED.tinted(TO_FILL), box=TO_FILL.bar, number_format="@")
"""A cell for a person to write in; what is written there stays text."""


class Formats:
    """The formats of one workbook, each made when its style is first used."""

    def __init__(self, workbook: Workbook) -> None:
        self._workbook = workbook
        self._formats: dict[Style, Format] = {}
        self.ruled: Format = workbook.add_format({"bottom": THIN, "bottom_color": f"#{RULE_COLOUR}"})
        """A rule below every line, for a conditional format: it costs nothing per cell."""

    def of(self, style: Style) -> Format:
        """Return the format of a style."""
        made = self._formats.get(style)
        if made is None:
            made = self._formats[style] = self._workbook.add_format(style.properties())
        return made
