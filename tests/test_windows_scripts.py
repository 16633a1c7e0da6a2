"""The scripts that install the program on Windows, as far as they can be checked without PowerShell."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "packaging" / "windows"
SCRIPT = FOLDER / "install.ps1"
STARTERS = sorted(FOLDER.glob("*.cmd"))
BRACKETS = {"(": ")", "{": "}", "[": "]"}
KNOWN = {"env", "true", "false", "null", "_", "lastexitcode", "psscriptroot", "psuiculture", "erroractionpreference"}
"""The variables of PowerShell itself that the script uses."""


def code_of(script: str) -> str:
    """Return a script of PowerShell without its comments and with every string empty; both end within their line."""
    return re.sub(r"'[^'\n]*'|\"[^\"\n]*\"|(#(?!Requires).*)", lambda found: "" if found[1] else "''", script)


def test_the_scripts_are_written_as_windows_reads_them() -> None:
    """PowerShell 5.1 takes a file without a mark for the old encoding; cmd needs its own line ends, and ASCII alone."""
    assert SCRIPT.read_bytes().startswith(b"\xef\xbb\xbf")
    for path in (SCRIPT, *STARTERS):
        content = path.read_bytes()
        assert content.count(b"\n") == content.count(b"\r\n") > 0, path.name
    assert [path.read_bytes().isascii() for path in STARTERS] == [True, True]
    attributes = (ROOT / ".gitattributes").read_text("utf-8")
    assert {"*.cmd text eol=crlf", "*.ps1 text eol=crlf"} <= set(attributes.splitlines())


def test_the_script_of_powershell_is_whole() -> None:
    """Its quotation marks and brackets close, every name that it uses is set, and nothing is newer than version 5.1."""
    code = code_of(SCRIPT.read_text("utf-8-sig"))
    assert "'" not in code.replace("''", "")
    assert '"' not in code
    waiting: list[str] = []
    for sign in re.findall(r"[(){}\[\]]", code):
        if sign in BRACKETS:
            waiting.append(BRACKETS[sign])
        else:
            assert waiting
            assert waiting.pop() == sign
    assert waiting == []
    assert not re.search(r"\?\?|\?\.|&&|\|\||-Parallel|-AsHashtable", code)
    code = code.lower()
    ours = set(re.findall(r"\$(\w+) *=(?!=)|foreach \(\$(\w+) in|\[(?:switch|string|string\[\])\]\$(\w+)", code))
    assert set(re.findall(r"[$@](\w+)", code)) - {name for names in ours for name in names} - KNOWN == set()


def test_the_script_says_everything_in_three_languages() -> None:
    """Each sentence that is used is there in each language, with the same blanks."""
    text = SCRIPT.read_text("utf-8-sig")
    tables = {
        name: dict(re.findall(r"^ +(\w+) = '(.*)'", table, re.MULTILINE))
        for name, table in re.findall(r"\$(Spanish|Portuguese|English) = @{(.*?)\n}", text, re.DOTALL)
    }
    used = set(re.findall(r"\$Text\.(\w+)", text))
    assert {name: set(table) for name, table in tables.items()} == dict.fromkeys(
        ("Spanish", "Portuguese", "English"), used
    )
    for key in used:
        assert len({tuple(re.findall(r"{\d}", table[key])) for table in tables.values()}) == 1, key


@pytest.mark.parametrize("path", [SCRIPT, *STARTERS], ids=lambda path: path.name)
def test_every_step_of_the_scripts_is_explained(path: Path) -> None:
    """Each paragraph of a script begins with what it is for."""
    paragraphs = [each.splitlines() for each in re.split(r"\n\s*\n", path.read_text("utf-8-sig")) if each.strip()]
    starts = [lines[1] if lines[0].startswith((":", "@echo")) else lines[0] for lines in paragraphs]
    assert [line for line in starts if not line.startswith(("# ", "rem "))] == []


def test_the_script_removes_the_program_alone() -> None:
    r"""The journal is in %LOCALAPPDATA%\case-importer, and nothing of the script leads there."""
    code = re.sub(r"^ *#.*$", "", SCRIPT.read_text("utf-8-sig"), flags=re.MULTILINE)
    assert r"$Folder = Join-Path $env:LOCALAPPDATA 'Programs\case-importer'" in code
    assert code.count("LOCALAPPDATA") == 1
    assert re.findall(r"Remove-Item -LiteralPath (\S+)", code) == ["$Path", "$Downloads"]
    assert "foreach ($Path in @($Shortcuts) + @($Folder))" in code


def test_what_the_scripts_need_is_beside_them_in_the_folder_for_windows() -> None:
    """They name the wheel, the versions, the icon and each other as `make wheel` lays them out."""
    text = SCRIPT.read_text("utf-8-sig")
    built = (ROOT / "tests" / "wheel_check.py").read_text("utf-8")
    assert all(name in text and name in built for name in ("constraints.txt", "case-importer.ico"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert f"'{project['name'].replace('-', '_')}-*.whl'" in text
    programs = {*project["scripts"], *project["gui-scripts"]}
    assert set(re.findall(r"Scripts\\(case-importer[\w-]*)\.exe", text)) == programs
    assert all("install.ps1" in path.read_text("ascii") for path in STARTERS)
    assert set(re.findall(r"'(\w+\.cmd)'", text)) <= {path.name for path in STARTERS}
