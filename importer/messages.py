"""Mark and fill the sentences that a person reads.

Every sentence is one whole template with named values, so that a translator sees it whole and a cell's braces
are never read as part of it. English is the language of the source; a gettext catalogue replaces it.
"""

from __future__ import annotations

import gettext
from collections.abc import Mapping
from datetime import date, time, timedelta
from numbers import Number
from pathlib import Path

from importer.text import clean

_CATALOGUE = gettext.translation("case-importer", Path(__file__).parent / "locale", fallback=True)
_PLAIN = (Number, date, time, timedelta)


def _(template: str, /, **values: object) -> str:
    """Return the sentence in the user's language, its named values filled in.

    Braces inside a value stay text. What a value says comes from outside: a cell, a name, an answer. So it is cleaned
    (`text.clean`), and no escape sequence or mark of direction in it is ever obeyed by a terminal.
    """
    return _CATALOGUE.gettext(template).format(**_cleaned(values))


def ngettext(one: str, many: str, count: int, /, **values: object) -> str:
    """Return the sentence for `count` things, with `{count}` and the named values filled in."""
    return _CATALOGUE.ngettext(one, many, count).format(count=count, **_cleaned(values))


def _cleaned(values: Mapping[str, object]) -> dict[str, object]:
    """Return the values of a sentence, those that are no number or moment as clean text."""
    return {name: value if isinstance(value, _PLAIN) else clean(str(value)) for name, value in values.items()}


def shorten(text: str, limit: int = 60) -> str:
    """Return `text` on one line, cut at `limit` characters, for use inside a sentence."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
