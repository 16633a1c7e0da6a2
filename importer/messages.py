"""Mark, translate and fill in the sentences that a person reads.

Every sentence is one whole template with named values, so that a translator sees all of it and braces in a cell are
never read as part of it. The templates are English; a gettext catalogue replaces them when the sentence is made, in the
language that is spoken then. So no sentence is made while a module is imported: what stands there is only marked
(`gettext_noop`), and `translated` where it is shown.
"""

from __future__ import annotations

import gettext
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from numbers import Number
from pathlib import Path
from typing import ParamSpec, TypeVar

from importer.languages import LANGUAGES, chosen_language
from importer.text import clean

DOMAIN, FOLDER = "case-importer", str(Path(__file__).parent / "locale")
"""Where the catalogues are: `FOLDER/<language>/LC_MESSAGES/DOMAIN.mo`."""

_PLAIN = (Number, date, time, timedelta)
_COMMA_AND_POINT = str.maketrans(",.", ".,")
_FAULTY = (LookupError, ValueError, TypeError, AttributeError)  # what a template with a wrong placeholder raises

_speaking: ContextVar[str | None] = ContextVar("language", default=None)
_of_the_process: str | None = None

P = ParamSpec("P")
R = TypeVar("R")


# ------------------------------------------------------------------------------------------------ the language


def language() -> str:
    """Return the language that is spoken now: that of this context, else of this process, else of the environment."""
    return _speaking.get() or _of_the_process or _of_the_environment()


def use_language(tag: str | None) -> str | None:
    """Speak a language in the whole process, in every thread, and return the one before.

    None leaves it to the environment.
    """
    global _of_the_process  # a process speaks one language
    before, _of_the_process = _of_the_process, tag
    _of_the_environment.cache_clear()
    return before


@contextmanager
def speaking(tag: str) -> Iterator[None]:
    """Speak a language in this context alone, such as for one request of a web page."""
    token = _speaking.set(tag)
    try:
        yield
    finally:
        _speaking.reset(token)


def speaking_on(function: Callable[P, R]) -> Callable[P, R]:
    """Return a function for another thread: there it speaks the language that is spoken here, and now."""
    context = copy_context()

    def spoken(*args: P.args, **kwargs: P.kwargs) -> R:
        return context.copy().run(function, *args, **kwargs)  # a copy: a context is entered by one thread at a time

    return spoken


@lru_cache(maxsize=1)
def _of_the_environment() -> str:
    return chosen_language()


@lru_cache
def _catalogue(tag: str, folder: str) -> gettext.NullTranslations:
    """Return a language's catalogue, read when it is first needed; English where it is missing or damaged."""
    if tag == "en":
        return gettext.NullTranslations()
    try:
        return gettext.translation(DOMAIN, folder, [tag])
    except Exception:  # noqa: BLE001 - a damaged file raises anything, and must not keep rows from being sent
        return gettext.NullTranslations()


def has_catalogue(tag: str) -> bool:
    """Tell whether there is a usable catalogue of a language; English needs none."""
    return tag == "en" or isinstance(_catalogue(tag, FOLDER), gettext.GNUTranslations)


# ------------------------------------------------------------------------------------------------ sentences


def gettext_noop(template: str) -> str:
    """Mark a template for the translators without translating it; `translated` does so where it is shown."""
    return template


def ngettext_noop(one: str, many: str) -> tuple[str, str]:
    """Mark a template with its plural form, as `gettext_noop` does."""
    return one, many


def _(template: str, /, **values: object) -> str:
    """Return the sentence in the user's language, with its named values filled in.

    Braces inside a value stay text. A value comes from outside (a cell, a name, an answer), so it is cleaned
    (`text.clean`): a terminal never obeys an escape sequence or a direction mark in it.
    """
    return _filled(_catalogue(language(), FOLDER).gettext(template), template, values)


translated = _
"""The same for a template that `gettext_noop` marked elsewhere: `_` itself is only called with a literal."""


def ngettext(one: str, many: str, count: int, /, **values: object) -> str:
    """Return the sentence for `count` things, with `{count}` and the named values filled in.

    Unlike other whole numbers, a count is an amount: thousands of it are set apart, as the language does.
    """
    template = one if count == 1 else many
    named = {"count": _Amount(count), **values}
    return _filled(_catalogue(language(), FOLDER).ngettext(one, many, count), template, named)


def in_all_languages(template: str, /, **values: object) -> tuple[str, ...]:
    """Return what a marked template says in each of our languages, for what is read back in any of them."""
    sentences = []
    for tag in LANGUAGES:
        with speaking(tag):
            sentences.append(translated(template, **values))
    return tuple(dict.fromkeys(sentences))


def _filled(sentence: str, english: str, values: Mapping[str, object]) -> str:
    """Return the sentence with its values; in English where the translated template cannot be filled in."""
    cleaned = _cleaned(values)
    if sentence is english or language() == "en":
        return sentence.format(**cleaned)
    shown = {name: _Shown(value) if isinstance(value, _PLAIN) else value for name, value in cleaned.items()}
    try:
        return sentence.format(**shown)
    except _FAULTY:
        return english.format(**shown)


def _cleaned(values: Mapping[str, object]) -> dict[str, object]:
    """Return the values of a sentence; all but numbers, dates and times become clean text."""
    kept = (*_PLAIN, _Shown)
    return {name: value if isinstance(value, kept) else clean(str(value)) for name, value in values.items()}


def shorten(text: str, limit: int = 60) -> str:
    """Return `text` on one line, cut at `limit` characters, for use inside a sentence."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


# ------------------------------------------------------------------------------------------------ numbers and dates


def shown(value: object, spec: str = "") -> str:
    """Return a number or a date as the spoken language writes it: 1,234.5 or 1.234,5, and 31/12/2026 without a spec.

    A whole number without a spec stays as it is: it is a name as often as an amount (a row, a year, a port).
    """
    if language() == "en":
        return format(value, spec)
    if isinstance(value, datetime):
        return format(value, spec or "%d/%m/%Y %H:%M")
    if isinstance(value, date):
        return format(value, spec or "%d/%m/%Y")
    text = format(value, spec)
    if isinstance(value, (float, Decimal)) or (spec and isinstance(value, Number)):
        return text.translate(_COMMA_AND_POINT)
    return text


@dataclass(frozen=True, slots=True)
class _Shown:
    """A value inside a template, which names its own spec."""

    value: object

    def __format__(self, spec: str) -> str:
        return shown(self.value, spec)

    def __str__(self) -> str:
        return shown(self.value)


class _Amount(_Shown):
    """A count inside a template."""

    def __format__(self, spec: str) -> str:
        return shown(self.value, spec or ",")
