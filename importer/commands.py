"""The commands that a person is told to give: whole, and quoted for the shell."""

from __future__ import annotations

import os
from pathlib import Path

from importer.shells import quoted


def command_line(*words: object) -> str:
    """Return a command of this program as a person types it, each word quoted where the shell needs it."""
    return shell_words("case-importer", *words)


def shell_words(*words: object) -> str:
    """Return words of a command as a person types them."""
    return quoted([_word(word) for word in words])


def option(name: str, value: object | None) -> tuple[object, ...]:
    """Return the words of an option; none where it has no value, its name alone where that is True."""
    if value is None or value is False:
        return ()
    return (name,) if value is True else (name, value)


def _word(word: object) -> str:
    """Return a word as text; a file whose name begins with a dash must not look like an option."""
    text = str(word)
    return str(Path(os.curdir)) + os.sep + text if isinstance(word, Path) and text.startswith("-") else text
