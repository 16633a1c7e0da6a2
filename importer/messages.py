"""Mark, translate and fill in the sentences that a person reads.

Every sentence is one whole template with named values, so that a translator sees all of it and braces in a cell are
never read as part of it. The templates are English; a gettext catalogue replaces them.
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
    """Return the sentence in the user's language, with its named values filled in.

    Braces inside a value stay text. A value comes from outside (a cell, a name, an answer), so it is cleaned
    (`text.clean`): a terminal never obeys an escape sequence or a direction mark in it.
    """
    return _CATALOGUE.gettext(template).format(**_cleaned(values))


def ngettext(one: str, many: str, count: int, /, **values: object) -> str:
    """Return the sentence for `count` things, with `{count}` and the named values filled in."""
    return _CATALOGUE.ngettext(one, many, count).format(count=count, **_cleaned(values))


def _cleaned(values: Mapping[str, object]) -> dict[str, object]:
    """Return the values of a sentence; all but numbers, dates and times become clean text."""
    return {name: value if isinstance(value, _PLAIN) else clean(str(value)) for name, value in values.items()}


def shorten(text: str, limit: int = 60) -> str:
    """Return `text` on one line, cut at `limit` characters, for use inside a sentence."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"
