"""Ask the package index whether every library that the importer needs is ready-made for Windows; `make windows-check`.

Nobody in an office has a compiler: a library that has no wheel for some version of Python is a fault, and another one
has to be chosen. It asks what pip would install, and installs nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
"""Versions of Python that an office may have; the first is the oldest that the importer runs on."""

NO_ANSWER = ("connection broken", "Max retries exceeded", "Read timed out")
"""What pip says where the index cannot be reached: then nothing is known, and the exit status is 75."""

WINDOWS = {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt", "platform_machine": "AMD64"}


def main() -> None:
    """Ask for each version of Python, and end with what is missing, if anything is."""
    with ThreadPoolExecutor(len(VERSIONS)) as pool:
        answers = dict(zip(VERSIONS, pool.map(answer_of_pip, VERSIONS), strict=True))
    for version, answer in answers.items():
        sys.stdout.write(f"Python {version} on Windows: {answer or 'every library is ready-made'}\n")
    if any(sign in answer for sign in NO_ANSWER for answer in answers.values()):
        sys.exit(75)
    sys.exit(any(answers.values()))


def requirements() -> list[str]:
    """Return what the importer and its extra for servers need on Windows, and what libraries need only there.

    pip takes markers such as `sys_platform == "win32"` for those of the computer that it runs on, so it would leave out
    all that has one; which libraries have some is known from those that are installed here.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    ours = (*project["dependencies"], *project["optional-dependencies"]["server"])
    found = {text: Requirement(text) for text in ours}
    queue = list(found.values())
    while queue:
        one = queue.pop()
        for text in needs_of(one):
            needed = Requirement(text)
            is_needed = any(needed.marker is None or needed.marker.evaluate({**WINDOWS, "extra": extra})
                            for extra in (*one.extras, ""))  # fmt: skip
            if is_needed and text not in found:
                found[text] = needed
                queue.append(needed)
    asked = (each for text, each in found.items() if text in ours or is_for_windows(each))
    return sorted({str(without_marker(each)) for each in asked})


def needs_of(one: Requirement) -> list[str]:
    """Return what an installed library needs; nothing of one that is for Windows alone."""
    try:
        return requires(one.name) or []
    except PackageNotFoundError:
        return []


def is_for_windows(one: Requirement) -> bool:
    """Tell whether a library is needed on Windows and not here."""
    return "win32" in str(one.marker) or "Windows" in str(one.marker) or '"nt"' in str(one.marker)


def without_marker(one: Requirement) -> Requirement:
    """Return the same requirement, needed everywhere."""
    plain = Requirement(str(one))
    plain.marker = None
    return plain


def answer_of_pip(version: str) -> str:
    """Return why pip cannot install the libraries from wheels; empty where it can."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", folder]
        only_ask = ["--dry-run", "--ignore-installed"]
        options = ["--platform", "win_amd64", "--python-version", version, "--implementation", "cp"]
        pinned = ["--constraint", str(ROOT / "constraints.txt")]
        done = subprocess.run(
            [*command, *only_ask, *options, "--only-binary=:all:", *pinned, *requirements()],
            check=False, capture_output=True, text=True, env={**os.environ, "PIP_NO_INPUT": "1"},
        )  # fmt: skip
    return "" if done.returncode == 0 else (done.stderr.strip() or f"pip ended with {done.returncode}")


if __name__ == "__main__":
    main()
