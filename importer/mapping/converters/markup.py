"""HTML turned into the text that a reader of it sees."""

from __future__ import annotations

import html
import re
from html.parser import HTMLParser

_BREAKS = frozenset({"br", "div", "tr", "li", "ul", "ol", "table", "blockquote", "hr", "section", "article", "pre"})
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6"})
_TAG = re.compile(r"<[A-Za-z/!]")
_UNSEEN = frozenset({"script", "style", "head", "title", "template"})


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unseen = 0
        self._link = ""
        self._link_starts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSEEN:
            self._unseen += 1
        elif tag == "a":
            self._link, self._link_starts = dict(attrs).get("href") or "", len(self.parts)
        elif tag in {"td", "th"}:
            self.parts.append(" ")
        else:
            self._break(tag)
            if tag == "li":
                self.parts.append("- ")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSEEN:
            self._unseen = max(0, self._unseen - 1)
        elif tag == "a":
            seen = "".join(self.parts[self._link_starts :]).strip()
            if self._link.startswith(("http://", "https://")) and self._link != seen:
                self.parts.append(f" ({self._link})")
            self._link = ""
        elif tag != "br":
            self._break(tag)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.parts.append(re.sub(r"\s+", " ", data))

    def _break(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self.parts.append("\n\n")
        elif tag in _BREAKS:
            self.parts.append("\n")


def text_of(markup: str) -> str:
    """Return what a reader of `markup` sees, as lines of text: paragraphs apart, lists as dashes, links in brackets.

    Line breaks between tags count as spaces, as in a browser; a text without any tag keeps its own.
    """
    if not _TAG.search(markup):
        return html.unescape(markup)
    parser = _Text()
    parser.feed(markup)
    parser.close()
    lines = (" ".join(line.split()) for line in "".join(parser.parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
