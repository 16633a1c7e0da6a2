"""The commands that a person is told to give: whole, and quoted for the shell."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType

from importer.messages import gettext_noop, translated
from importer.system.hosts import without_password
from importer.system.shells import quoted


@dataclass(slots=True)
class GivenCommand:
    """The command that this process carries out: its words, and what its options and arguments say."""

    words: tuple[str, ...] = ()
    values: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))


_NO_COMMAND = GivenCommand()
"""What is carried out where a script or a page uses the program; nothing is ever noted of it."""

_given = _NO_COMMAND

_on_page: ContextVar[bool] = ContextVar("on_page", default=False)

_PAGES = {
    **dict.fromkeys(("check", "preview"), gettext_noop("the page Correct")),
    **dict.fromkeys(("draft", "schema"), gettext_noop("the page Match columns")),
    **dict.fromkeys(("run", "login", "doctor"), gettext_noop("the page Send")),
    **dict.fromkeys(("report", "history", "journal"), gettext_noop("the page Look back")),
    "settle": gettext_noop("the page Decide"),
    "adopt": gettext_noop("the page Send"),
}
"""The page of the web interface that does what a command does."""

_OPTIONS = {
    "server": "--server",
    "operation": "--operation",
    "token_env": "--token-env",
    "proxy": "--proxy",
    "ca_file": "--ca-file",
    "journal": "--journal",
}


@contextmanager
def carrying_out(words: Sequence[str]) -> Iterator[GivenCommand]:
    """Let sentences within the block show this command again, or another one on the same files."""
    global _given  # noqa: PLW0603 - a process carries out one command, in several threads
    before, _given = _given, GivenCommand(tuple(words))
    try:
        yield _given
    finally:
        _given = before


def note_values(values: Mapping[str, object]) -> None:
    """Note what the options and arguments of the given command say, by the names of the program."""
    if _given is _NO_COMMAND:
        return
    _given.values = MappingProxyType(dict(values))


@contextmanager
def on_page() -> Iterator[None]:
    """Let sentences within the block name pages of the web interface instead of commands, in this context alone."""
    token = _on_page.set(True)
    try:
        yield
    finally:
        _on_page.reset(token)


def is_on_page() -> bool:
    """Tell whether sentences are for the web interface, where nobody writes options and keys of a mapping."""
    return _on_page.get()


def told(by_command: str, by_page: str) -> str:
    """Return the sentence for who reads it: one that names commands and options, or one that speaks of the page."""
    return by_page if _on_page.get() else by_command


_PLACEHOLDERS = frozenset(
    {
        gettext_noop("SOURCE"),
        gettext_noop("MAPPING"),
        gettext_noop("REPORT"),
        gettext_noop("FILE"),
        gettext_noop("FROM"),
        gettext_noop("TO"),
        gettext_noop("HOST"),
        gettext_noop("NAME"),
        gettext_noop("NAME[:ARGS]"),
        gettext_noop("KEY"),
        gettext_noop("COMMAND"),
        gettext_noop("ID"),
        gettext_noop("REFERENCE"),
        gettext_noop("RUN"),
        gettext_noop("URL"),
        gettext_noop("VAR"),
        gettext_noop("PATH"),
        gettext_noop("TEXT"),
        gettext_noop("SECONDS"),
        gettext_noop("STATES"),
        gettext_noop("SCHEDULE"),
    }
)


def placeholder(name: str) -> str:
    """Return what stands for a value to be filled in, in capitals; a word that is none of these stays."""
    return translated(name) if name in _PLACEHOLDERS else name


def command_line(*words: object) -> str:
    """Return a command of this program as a person types it, each word quoted where the shell needs it.

    It speaks the language that the given command was told to speak. On a page, it is the name of the page.
    """
    if _on_page.get():
        return translated(_PAGES.get(str(words[0]), gettext_noop("the page Start")))
    return shell_words("case-importer", *words, *_language(words))


def same_command(*more: object, without: str = "") -> str:
    """Return the command that is being carried out, with options added, and without one that takes no value.

    Where none is carried out, it is a run of a source to name.
    """
    if not _given.words or _on_page.get():
        return command_line("run", placeholder("SOURCE"), "-m", placeholder("MAPPING"), *more)
    replaced = {without, *(word for word in more if isinstance(word, str) and word.startswith("--"))}
    return command_line(*_without(_given.words, replaced), *more)


def run_command(*more: object) -> str:
    """Return the run of the same source, with options added: the given command, if it is one."""
    if _given.words[:1] == ("run",):
        return same_command(*more)
    return command_line("run", _value("source"), "-m", _value("mapping"), *_where(), *_report(), *more)


def report_command(*more: object) -> str:
    """Return the command that writes the report of the same source again."""
    return command_line("report", _value("source"), "-m", _value("mapping"), *_where(), *_report(), *more)


def adopt_command(*, into_another: bool = False) -> str:
    """Return the command that takes a report's ids into the journal of the given command, or into a new one."""
    where = (*_where(journal=False), "--journal", placeholder("FILE")) if into_another else _where()
    return command_line("adopt", placeholder("REPORT"), "-m", _value("mapping"), *where)


def settle_command(*more: object) -> str:
    """Return the command that settles doubtful rows of the same import, with options added."""
    return command_line("settle", *option("-m", _given.values.get("mapping")), *_where(), *more)


def doctor_command(*more: object) -> str:
    """Return the command that looks at the same connection, with options added."""
    return command_line("doctor", *option("-m", _given.values.get("mapping")), *_where(), *more)


def shell_words(*words: object) -> str:
    """Return words of a command as a person types them."""
    return quoted([_word(word) for word in words])


def option(name: str, value: object | None) -> tuple[object, ...]:
    """Return the words of an option; none where it has no value, its name alone where that is True."""
    if value is None or value is False:
        return ()
    return (name,) if value is True else (name, value)


def _language(words: Sequence[object]) -> tuple[str, ...]:
    """Return the option of the given command that names a language, where these words do not have it already."""
    named = [after for word, after in pairwise(_given.words) if word == "--lang"]
    named += [word.removeprefix("--lang=") for word in _given.words if word.startswith("--lang=")]
    has_one = any(str(word).partition("=")[0] == "--lang" for word in words)
    return () if has_one or not named else ("--lang", named[-1])


def _value(name: str) -> object:
    return _given.values.get(name) or placeholder(name.upper())


def _where(*, journal: bool = True) -> tuple[object, ...]:
    """Return the options of the given command about the CRM and the journal; never the password of a proxy."""
    values = dict(_given.values)
    if not journal:
        values.pop("journal", None)
    if proxy := values.get("proxy"):
        values["proxy"] = without_password(str(proxy))
    return tuple(word for name, written in _OPTIONS.items() for word in option(written, values.get(name)))


def _report() -> tuple[object, ...]:
    return option("--report", _given.values.get("report"))


def _without(words: Sequence[str], options: set[str]) -> Iterator[str]:
    """Yield words without these options and their values, and without a proxy's password."""
    before = ""
    for word in words:
        name, _equals, value = word.partition("=")
        if before == "--proxy":
            yield without_password(word) or ""
        elif name == "--proxy" and value:
            yield f"--proxy={without_password(value)}"
        elif name not in options and not (before in options and before in _WITH_VALUES):
            yield word
        before = word


_WITH_VALUES = frozenset({"--server", "--operation", "--journal", "--report", "--row", "--spot-check", "--proxy"})
"""Options of which a sentence shows another value."""


def _word(word: object) -> str:
    """Return a word as text; a file whose name begins with a dash must not look like an option."""
    text = str(word)
    return str(Path(os.curdir)) + os.sep + text if isinstance(word, Path) and text.startswith("-") else text
