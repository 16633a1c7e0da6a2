"""How the words of a command are written so that the shell that reads them gives these very words to the program.

On Windows a command may be pasted into cmd or into PowerShell. A word in double quotes means the same to both unless
it has a character that one of them reads otherwise; only then does it matter which of the two is running.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Sequence
from typing import Literal

WindowsShell = Literal["cmd", "powershell"]

_SHELLS: dict[str, WindowsShell] = {"cmd.exe": "cmd", "powershell.exe": "powershell", "pwsh.exe": "powershell"}
_PLAIN = re.compile(r"--?[\w-]+|(?!-)[\w./\\:+-]+")
"""A word that every shell takes as it is. PowerShell cuts a word that begins with a dash at a point or colon."""

_NOT_IN_BOTH = re.compile(r'["$`\u201c-\u201f]|%.*%|\\\Z', re.DOTALL)
"""What cmd, PowerShell or the program reads otherwise in double quotes: `$`, `` ` ``, `%PATH%`, `\"` at the end."""

_QUOTE = re.compile("['\u2018-\u201b]")
"""What PowerShell takes for a single quotation mark."""

_CMD_SPECIAL = re.compile(r'[()%!^"<>&|]')


def quoted(words: Sequence[str]) -> str:
    """Return words as a person types them into the shell of this computer."""
    if os.name != "nt":
        return shlex.join(words)
    if not any(map(_NOT_IN_BOTH.search, words)) and all(words):
        return " ".join(map(_in_both, words))
    return _for_cmd(words) if windows_shell() == "cmd" else _for_powershell(words)


def windows_shell() -> WindowsShell:
    """Return the shell from which this process was started; PowerShell, which Windows opens today, if from none."""
    import psutil  # noqa: PLC0415 - slow to import, and hardly any command needs to know

    try:
        names = [parent.name().lower() for parent in psutil.Process().parents()]
    except psutil.Error:
        names = []
    return next((_SHELLS[name] for name in names if name in _SHELLS), "powershell")


def _in_both(word: str) -> str:
    return word if _PLAIN.fullmatch(word) else f'"{word}"'


def _for_cmd(words: Sequence[str]) -> str:
    """Return words for cmd: in quotes, or where quotes do not help, with `^` before all that is special, quotes too."""
    texts = []
    for word in words:
        text = _argument(word)
        special = '"' in word or word.count("%") > 1
        texts.append(_CMD_SPECIAL.sub(r"^\g<0>", text) if special else text)
    return " ".join(texts)


def _for_powershell(words: Sequence[str]) -> str:
    """Return words for PowerShell, literal in single quotes.

    From the first word that its versions pass on otherwise, all that follows is as the program reads it, behind `--%`;
    there the value of a variable such as `%PATH%` cannot be kept out.
    """
    first = next((at for at, word in enumerate(words) if _is_passed_on_otherwise(word)), len(words))
    literal = ["'" + _QUOTE.sub(r"\g<0>\g<0>", word) + "'" if _NOT_IN_BOTH.search(word) else _in_both(word)
               for word in words[:first]]  # fmt: skip
    return " ".join([*literal, *(["--%"] if words[first:] else []), *map(_argument, words[first:])])


def _is_passed_on_otherwise(word: str) -> bool:
    """Return whether Windows PowerShell and PowerShell 7 give different words to a program for the same literal."""
    return not word or '"' in word or (word.endswith("\\") and not _PLAIN.fullmatch(word))


def _argument(word: str) -> str:
    """Return a word as the C library of a program reads it from its command line."""
    if _PLAIN.fullmatch(word):
        return word
    text = re.sub(r'(\\*)"', r'\1\1\\"', word)
    return '"' + re.sub(r"(\\+)\Z", r"\1\1", text) + '"'
