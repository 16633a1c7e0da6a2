"""README.md shows what really happens: its console blocks are run, and their outputs compared.

A block marked `console` is run line by line, `$ ` before each command, in one copy of the samples and mappings and
against one simulated CRM; `$?` is the exit status of the command before. Times, durations and ids differ from run to
run and are not compared. Blocks with other marks (`sh`) are not run.

`python tests/test_readme.py --update` writes the outputs of a real run into the page.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from importer.sandbox import RunningSandbox

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "README.md"
SERVER = "http://127.0.0.1:8765"  # as the page writes it; the real one has a free port
BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.MULTILINE | re.DOTALL)
VARYING = {
    r"WCI-[0-9A-Z]{16}": "WCI-…",
    r"\b[0-9a-f]{24}\b": "<id>",
    r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?": "<time>",
    r"\b\d\d:\d\d(?::\d\d)?\b": "<time>",
    r"\b[\d.,]+ ?(rows/s|ms|s|seconds?)\b": r"<n> \1",
    r"127\.0\.0\.1:\d+": "127.0.0.1:8765",
    r"  +": "  ",
}


def normalised(text: str) -> str:
    """Return `text` with what differs from run to run replaced by what it is."""
    for pattern, replacement in VARYING.items():
        text = re.sub(pattern, replacement, text)
    return text


def run(command: str, folder: Path, server: str, last_status: int) -> tuple[str, int]:
    """Run one command of the page in `folder`; return what the terminal would show, and the exit status."""
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder / "home"),
        "XDG_DATA_HOME": str(folder / "home"),
        "WOLKVOX_TOKEN": "any",
        "COLUMNS": "100",
        "PYTHONIOENCODING": "utf-8",
    }
    ready = command.replace("$?", str(last_status)).replace(SERVER, server)
    done = subprocess.run(
        ["sh", "-c", f"exec 2>&1\n{ready}"],
        cwd=folder,
        env=environment,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    shown = done.stdout.replace(server, SERVER).replace(f"{folder}{os.sep}", "")
    return "".join(f"{line.rstrip()}\n" for line in shown.splitlines()), done.returncode


def as_it_happens(page: str, server: str) -> str:
    """Return the page with every output in its console blocks as a run in fresh copies of the samples gives it."""
    status = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        for part in ("sample_data", "mappings"):
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("*.report.*"))

        def renewed(block: re.Match[str]) -> str:
            nonlocal status
            lines = []
            for command in re.findall(r"^\$ ((?:.*\\\n)*.*\n)", block[0], re.MULTILINE):
                output, status = run(command, folder, server, status)
                lines.append(f"$ {command}{output}")
            return "".join(lines)

        return BLOCK.sub(renewed, page)


def test_the_readme_shows_what_happens(sandbox: RunningSandbox) -> None:
    """Every output that the page shows is what its command prints, but for times and ids."""
    page = PAGE.read_text("utf-8")
    assert normalised(page) == normalised(as_it_happens(page, sandbox.url)), "renew the page by `make readme`"


def test_the_readme_begins_with_the_two_commands() -> None:
    """A newcomer's first two commands are the first two things on the page."""
    commands = re.findall(r"^make \w+", PAGE.read_text("utf-8"), re.MULTILINE)
    assert commands[:2] == ["make demo", "make test"]


if __name__ == "__main__":
    if sys.argv[1:] != ["--update"]:
        sys.exit(__doc__)
    with RunningSandbox() as crm:
        PAGE.write_text(as_it_happens(PAGE.read_text("utf-8"), crm.url), "utf-8")
