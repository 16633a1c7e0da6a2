"""Mark and fill the sentences that a person reads.

Every sentence is one whole template with named values, so that a translator sees it whole and a cell's braces
are never read as part of it. English is the language of the source; a gettext catalogue replaces it.
"""

from __future__ import annotations

import gettext
from pathlib import Path

_CATALOGUE = gettext.translation("case-importer", Path(__file__).parent / "locale", fallback=True)


def _(template: str, /, **values: object) -> str:
    """Return the sentence in the user's language, its named values filled in.

    Values are inserted as they are: braces inside a value stay text.
    """
    return _CATALOGUE.gettext(template).format(**values)


def ngettext(one: str, many: str, count: int, /, **values: object) -> str:
    """Return the sentence for `count` things, with `{count}` and the named values filled in."""
    return _CATALOGUE.ngettext(one, many, count).format(count=count, **values)


def shorten(text: str, limit: int = 60) -> str:
    """Return `text` on one line, cut at `limit` characters, for use inside a sentence."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
