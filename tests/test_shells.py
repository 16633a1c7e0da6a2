"""A command that a person pastes gives the program the very words that are meant, in every shell."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from types import SimpleNamespace

import psutil
import pytest

from importer import commands
from importer.commands import command_line, shell_words
from importer.system import shells

# ruff: noqa: RUF001 - quotation marks that look alike are the matter of these tests

WORDS = [
    *("a.csv", "mi informe.xlsx", "50%.csv", "100% of 50%", "%PATH%", "a %PATH% b.csv", "a&b", "a & b.csv", "a;b.csv"),
    *("it's.csv", "l’été.csv", "o‘b‚c‛.csv", "“año”.csv", "$HOME", "$(x) y.csv", "a`b.csv", "(1).csv", "a (1).csv"),
    *("Peticiones año ñandú.csv", "Año.csv", "C:\\mis datos\\", "C:\\datos\\", "C:\\a;b\\", "C:\\mis datos\\a.csv"),
    *("{a}", "@x", "#x", "a,b", "a=b", "~", "a^b", "a|b", "<x>", "a!b!", 'say "hi" now', 'a"b c', 'x\\"y&z', '"', ""),
    *(
        "-x.csv",
        "-x.y:z",
        "https://crm0001.wolkvox.com",
        "2/s",
        "ADMIN_@my_op",
        "postgresql://h/db?x=1&y=2",
        "a^ b",
        "*",
    ),
    'C:\\"a b"\\',
]
"""Names and texts that somebody may have, with everything that one of the shells reads in its own way."""

VARIABLES = {"PATH": "C:\\Windows", "HOME": "C:\\Users\\ana", "x": "boom"}


def argv(line: str) -> list[str]:
    """Return the arguments that Windows' C library reads from a command line."""
    found: list[str] = []
    text, at, in_quotes, begun = "", 0, False, False
    while at < len(line):
        slashes = len(line[at:]) - len(line[at:].lstrip("\\"))
        at += slashes
        if line[at : at + 1] == '"':
            text, begun = text + "\\" * (slashes // 2), True
            if slashes % 2:
                text += '"'
            else:
                in_quotes = not in_quotes
            at += 1
            continue
        text, begun = text + "\\" * slashes, begun or bool(slashes)
        if at < len(line) and line[at] in " \t" and not in_quotes:
            if begun:
                found.append(text)
            text, begun = "", False
        elif at < len(line):
            text, begun = text + line[at], True
        at += 1
    return [*found, text] if begun else found


def by_cmd(line: str) -> list[str]:
    """Return the arguments that a program gets from a line at the prompt of cmd."""
    expanded = re.sub(r"%([^%]+)%", lambda found: VARIABLES.get(found[1], found[0]), line)
    text, at, in_quotes = "", 0, False
    while at < len(expanded):
        sign = expanded[at]
        if sign == "^" and not in_quotes:
            at += 1
            sign = expanded[at]
        elif sign == '"':
            in_quotes = not in_quotes
        else:
            assert in_quotes or sign not in "&|<>()", f"cmd would end the command at {sign}"
        text += sign
        at += 1
    return argv(text)


def by_powershell(line: str, *, version: int) -> list[str]:
    """Return the arguments that a program gets from a line at the prompt of PowerShell."""
    words: list[str] = []
    at = 0
    while at < len(line):
        if line[at] == " ":
            at += 1
        elif line.startswith("--% ", at):
            rest = re.sub(r"%([^%]+)%", lambda found: VARIABLES.get(found[1], found[0]), line[at + 4 :])
            return argv(f"{passed_on(words, version)} {rest}")
        else:
            word, at = powershell_word(line, at)
            words.append(word)
    return argv(passed_on(words, version))


def powershell_word(line: str, at: int) -> tuple[str, int]:
    """Return the word of PowerShell that begins at a place, and where it ends."""
    singles, doubles = "'‘’‚‛", '"“”„'
    if line[at] in singles or line[at] in doubles:
        kind = singles if line[at] in singles else doubles
        text, at = "", at + 1
        while line[at] not in kind or line[at + 1 : at + 2] in tuple(kind):
            assert kind == singles or line[at] not in "$`", "PowerShell would expand this"
            at += 2 if line[at] in kind else 1
            text += line[at - 1]
        assert line[at + 1 : at + 2] in {"", " "}
        return text, at + 1
    text = line[at:].split(" ", maxsplit=1)[0]
    assert not re.search(r"[$`;,(){}'\"&|<>‘-‟~*]|^[@#]", text), f"PowerShell would read {text} otherwise"
    assert not re.match(r"-[^.:]*[.:]", text), f"PowerShell would cut {text} in two"
    return text, at + len(text)


def passed_on(words: list[str], version: int) -> str:
    """Return the command line that PowerShell makes of words; version 5 only puts quotes around spaces."""
    if version > 5:
        return subprocess.list2cmdline(words)
    return " ".join(f'"{word}"' if re.search(r"\s", word) and word.count('"') % 2 == 0 else word for word in words)


@pytest.fixture
def shell(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Let commands be written as on a computer where this shell runs."""
    name: str = request.param
    monkeypatch.setattr(shells, "os", SimpleNamespace(name="posix" if name == "sh" else "nt"))
    monkeypatch.setattr(shells, "windows_shell", lambda: name)
    return name


@pytest.mark.parametrize("shell", ["sh", "cmd", "powershell"], indirect=True)
@pytest.mark.parametrize("word", WORDS)
def test_a_word_arrives_as_it_is_meant(shell: str, word: str) -> None:
    """The program gets the words that are meant, wherever in the command they are."""
    meant = ["case-importer", "run", word, "-m", "mi config.yml", word, "--server", "x"]
    line = command_line(*meant[1:])
    readers = {
        "sh": [shlex.split],
        "cmd": [by_cmd],
        "powershell": [lambda line: by_powershell(line, version=5), lambda line: by_powershell(line, version=7)],
    }
    assert [read(line) for read in readers[shell]] == [meant] * len(readers[shell])


@pytest.mark.parametrize("word", [w for w in WORDS if not re.search(r'["$`%“”]|\\\Z', w) and w])
def test_one_form_is_right_in_both_shells_of_windows(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A usual name is written so that it does not matter into which of the two it is pasted."""
    monkeypatch.setattr(shells, "os", SimpleNamespace(name="nt"))
    monkeypatch.setattr(shells, "windows_shell", lambda: pytest.fail("nobody has to know the shell"))
    line = command_line("run", word)
    assert by_cmd(line) == by_powershell(line, version=5) == by_powershell(line, version=7)
    assert line.startswith("case-importer run ")


@pytest.mark.parametrize(
    ("parents", "expected"),
    [
        (["case-importer.exe", "PowerShell.exe", "explorer.exe"], "powershell"),
        (["pwsh.exe", "cmd.exe"], "powershell"),
        (["cmd.exe", "powershell.exe"], "cmd"),
        (["svchost.exe"], "powershell"),
        (None, "powershell"),
    ],
)
def test_the_nearest_shell_above_the_process_counts(
    parents: list[str] | None, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variables of both shells are set in both, so the programs that started this one are asked."""

    def found() -> list[SimpleNamespace]:
        if parents is None:
            raise psutil.AccessDenied
        return [SimpleNamespace(name=lambda name=name: name) for name in parents]

    monkeypatch.setattr(psutil, "Process", lambda: SimpleNamespace(parents=found))
    assert shells.windows_shell() == expected


def test_the_shell_of_this_computer_is_used() -> None:
    """Without a seam, the commands are for the shell of the system that runs."""
    assert (os.name == "nt") == (shell_words("a'b") != shlex.join(["a'b"]))
    assert commands.command_line("run") == "case-importer run"
