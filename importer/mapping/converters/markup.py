"""HTML as the text that a reader of it sees.

Only the elements of HTML are markup: `<Model X1>` or `<ana@example.com>` in a text is a text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from html.parser import HTMLParser

_BREAKS = frozenset({"br", "div", "tr", "li", "ul", "ol", "table", "blockquote", "hr", "section", "article", "pre"})
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6"})
_INVISIBLE = frozenset({"script", "style", "head", "title", "template"})
_INLINE = """
    a abbr acronym address applet area aside audio b base bdi bdo big body button canvas caption center cite code col
    colgroup data datalist dd del details dfn dialog dir dl dt em embed fieldset figcaption figure font footer form
    frame frameset header hgroup html i iframe img input ins kbd label legend link main map mark menu meta meter nav
    noframes noscript object optgroup option output param picture progress q rp rt ruby s samp search select slot
    small source span strike strong sub summary sup svg tbody td textarea tfoot th thead time track tt u var video wbr
"""
_ELEMENTS = _BREAKS | _PARAGRAPHS | _INVISIBLE | frozenset(_INLINE.split())
_VALUELESS = "checked compact controls disabled hidden ismap loop multiple nohref noshade nowrap open readonly selected"
_SWITCHES = frozenset(_VALUELESS.split())
_NAME = rf"(?:{'|'.join(sorted(_ELEMENTS))}|[a-z]\w*:\w+)(?=[\s/>])"
_ATTRIBUTES = rf"(?:[^<>=]*=[^<]*|(?:\s+(?:{'|'.join(sorted(_SWITCHES))}))*[\s/]*)"  # `a <b and c> d` has none
_TAG = re.compile(rf"</?{_NAME}{_ATTRIBUTES}>|<!--|<!doctype\b", re.IGNORECASE)
_OFFICE = re.compile(r"[a-z]\w*:\w+")  # of the tags that Word and Outlook add, such as o:p


def has_markup(text: str) -> bool:
    """Tell whether there is HTML in a text."""
    return _TAG.search(text) is not None


def html_to_text(markup: str) -> str:
    """Return what a reader of `markup` sees, as lines of text: paragraphs apart, lists as dashes, links in brackets.

    Line breaks between tags count as spaces, as in a browser; a text without any tag keeps its own. An image leaves
    its text.
    """
    if not has_markup(markup):
        return html.unescape(markup)
    extractor = _TextExtractor()
    extractor.feed(_with_ends(markup))
    extractor.close()
    lines = (" ".join(line.split()) for line in "".join(extractor.parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _with_ends(markup: str) -> str:
    """Return markup whose tags and comments all end: for each that does not, the parser looks up to the last letter.

    What begins like one and never ends is text, as it is to the parser.
    """
    comments, tags = markup.rfind("-->") + 1, markup.rfind(">") + 1
    ended = markup[:comments] + markup[comments:tags].replace("<!--", "&lt;!--")
    return ended + markup[tags:].replace("<", "&lt;")


def without_tags(template: str) -> str:
    """Return the text between the columns of a template without its tags: some of them break the line."""
    ends = _BREAKS | _PARAGRAPHS
    return _TAG.sub(lambda tag: "\n" if re.sub(r"\W", "", tag[0].partition(" ")[0]).lower() in ends else "", template)


class HtmlColumn:
    """The cells of a column that a template uses: where any of them has markup, all are HTML; else they are text."""

    def __init__(self) -> None:
        self._is_html = False

    def observe(self, texts: Iterable[str]) -> None:
        """Look at texts of the column, before the first of them is written."""
        self._is_html = self._is_html or any(map(has_markup, texts))

    def write(self, cell: object) -> str:
        """Return a cell as a reader sees it."""
        return html_to_text(str(cell)) if self._is_html else str(cell)


class _TextExtractor(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._invisible = 0
        self._link = ""
        self._link_starts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not _is_markup(attrs):
            self.handle_data(self.get_starttag_text() or "")
        elif tag in _INVISIBLE:
            self._invisible += 1
        elif tag == "a":
            self._link, self._link_starts = dict(attrs).get("href") or "", len(self.parts)
        elif tag == "img":
            self.handle_data(f" {dict(attrs).get('alt') or ''} ")
        elif tag in {"td", "th"}:
            self.parts.append(" ")
        elif tag not in _ELEMENTS and not _OFFICE.fullmatch(tag):
            self.handle_data(self.get_starttag_text() or "")
        else:
            self._break(tag)
            if tag == "li":
                self.parts.append("- ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _INVISIBLE:
            self._invisible = max(0, self._invisible - 1)
        elif tag == "a":
            shown = "".join(self.parts[self._link_starts :]).strip()
            if self._link.startswith(("http://", "https://")) and self._link != shown:
                self.parts.append(f" ({self._link})")
            self._link = ""
        elif tag != "br":
            self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._invisible:
            self.parts.append(re.sub(r"\s+", " ", data))

    def _break(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self.parts.append("\n\n")
        elif tag in _BREAKS:
            self.parts.append("\n")


def _is_markup(attrs: list[tuple[str, str | None]]) -> bool:
    """Tell whether what stands behind the name of an element are attributes, and no words of a text."""
    names = {name for name, _value in attrs if name.strip("/")}
    return names <= _SWITCHES or any(value is not None for _name, value in attrs)
