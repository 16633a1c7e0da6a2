"""Build the wheel, install it into an empty environment, and try it far from the checkout; `make wheel` runs this.

It downloads what the importer needs, so it is not a test: the build server runs it after them. What works is kept in
`dist/`: the wheel, and a ZIP file for an office with Windows (`packaging/windows/`).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import HTTPCookieProcessor, build_opener, urlopen

ROOT = Path(__file__).parent.parent
DIST = ROOT / "dist"
FOR_WINDOWS = DIST / "case-importer-windows"
NOT_IN_A_WHEEL = shutil.ignore_patterns("__pycache__")
SAMPLE = ("sample_data", "mappings")
"""Folders of the checkout that are in the wheel, without the scripts that made them."""

ROWS_TO_CORRECT = 1  # the exit status; the sample has faulty rows on purpose


def main() -> None:
    """Build, install and try the wheel in a temporary folder; end with a message at the first thing that fails."""
    with tempfile.TemporaryDirectory(prefix="wheel-") as name:
        folder = Path(name).resolve()
        wheel = build(folder)
        examine(wheel)
        program = install(wheel, folder / "venv")
        try_out(program, folder)
        keep(wheel)
        sys.stdout.write(f"{wheel.name} works in an environment of its own; {FOR_WINDOWS}.zip is for Windows\n")


def build(folder: Path) -> Path:
    """Build the wheel from a copy, so that nothing left over from an earlier build gets into it."""
    copy = folder / "source"
    shutil.copytree(ROOT / "importer", copy / "importer", ignore=NOT_IN_A_WHEEL)
    for part in SAMPLE:
        shutil.copytree(ROOT / part, copy / part, ignore=NOT_IN_A_WHEEL)
    for part in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy(ROOT / part, copy)
    call([sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, copy])
    (wheel,) = folder.glob("*.whl")
    return wheel


def examine(wheel: Path) -> None:
    """Compare the files of the wheel with those of the package."""
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = (path for path in (ROOT / "importer").rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    expected = {path.relative_to(ROOT).as_posix() for path in files}
    sample = (path for part in SAMPLE for path in (ROOT / part).rglob("*") if path.is_file())
    there = (path for path in sample if path.suffix not in {".py", ".pyc"} and ".report." not in path.name)
    expected |= {f"importer/sandbox/sample/{path.relative_to(ROOT).as_posix()}" for path in there}
    require(packed == expected, f"missing: {sorted(expected - packed)}; not ours: {sorted(packed - expected)}")


def install(wheel: Path, folder: Path) -> Path:
    """Install the wheel into a new environment, with the versions of constraints.txt; return its `case-importer`."""
    venv.create(folder, with_pip=True)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    pip = [programs / "python", "-m", "pip", "--quiet", "--disable-pip-version-check"]
    call([*pip, "install", "--constraint", ROOT / "constraints.txt", wheel])
    call([*pip, "check"])
    return programs / "case-importer"


def keep(wheel: Path) -> None:
    """Put the wheel into `dist/`, alone and in a folder with all that an office with Windows needs to install it."""
    shutil.rmtree(FOR_WINDOWS, ignore_errors=True)
    shutil.copytree(ROOT / "packaging" / "windows", FOR_WINDOWS)
    for target in (DIST, FOR_WINDOWS):
        shutil.copy(wheel, target)
    shutil.copy(ROOT / "constraints.txt", FOR_WINDOWS)
    call([sys.executable, ROOT / "packaging" / "icon.py", FOR_WINDOWS / "case-importer.ico"])
    shutil.make_archive(str(FOR_WINDOWS), "zip", DIST, FOR_WINDOWS.name)


def try_out(program: Path, folder: Path) -> None:
    """Watch the demo in an empty folder; check its sample, send it to the sandbox, and again, which makes no case."""
    office = folder / "office"
    office.mkdir()
    environment = own_environment(folder)

    def give(*arguments: str, expected: int = 0) -> str:
        return call([program, *arguments], expected, cwd=office, env=environment)

    version = re.search(r'(?m)^version = "(.+)"$', (ROOT / "pyproject.toml").read_text("utf-8"))
    require(version is not None and version[1] in give("--version"), "--version does not name the version")
    require("Uso:" in give("--help", "--lang", "es"), "the wheel lacks the Spanish catalogue")
    require("Recibió 15 adjuntos" in give("demo", "--lang", "es"), "the demo does not show the sample")
    sample = ("demo/sample_data/legacy_tickets.xlsx", "-m", "demo/mappings/legacy-tickets.yml", "--json")
    planned = json.loads(give("check", *sample, expected=ROWS_TO_CORRECT))["counts"]["planned"]
    require(planned > 0, "check plans no row of the sample")
    with serving([program, "sandbox", "--port", "0"], office, environment) as url:
        target = ("--server", url, "--operation", "demo", "--yes", "--html")
        for created in (planned, 0):
            result = json.loads(give("run", *sample, *target, expected=ROWS_TO_CORRECT))
            require(result["created_now"] == created, f"{created} cases were expected: {result['counts']}")
        with urlopen(url, timeout=30) as page:
            require(b"<html" in page.read(), "the sandbox shows no page")
    with serving([program, "web", "--port", "0", "--no-browser"], office, environment) as address:
        browser = build_opener(HTTPCookieProcessor())
        with browser.open(address, timeout=30) as page:
            require(b"<h1>" in page.read(), "the office's page shows nothing")
        with browser.open(address.partition("/enter")[0] + "/page.css", timeout=30) as style:
            require(style.status == 200, "the office's page lacks its stylesheet")
    give("support", "--output", "facts.zip")
    with zipfile.ZipFile(office / "facts.zip") as facts:
        require(b'"pandas": null' not in facts.read("program.json"), "support does not know the versions of libraries")
    reports = {path.suffix for path in office.rglob("legacy_tickets.report.*")}
    require(reports == {".xlsx", ".html"}, f"the reports are {sorted(reports)}")


def own_environment(folder: Path) -> dict[str, str]:
    """Return an environment that leads to none of the checkout's modules and none of the user's files."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "XDG_", "VIRTUAL_ENV"))}
    home = str(folder / "home")
    return kept | {"HOME": home, "LOCALAPPDATA": home, "WOLKVOX_TOKEN": "any", "PYTHONIOENCODING": "utf-8"}


@contextmanager
def serving(command: list[str | Path], office: Path, environment: dict[str, str]) -> Iterator[str]:
    """Run a command that serves on a free port; give the address that it names."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=office, env=environment) as server:
        try:
            found = (re.search(r"http://[\d.]+:\d+[\w/?=&-]*", line) for line in server.stdout)
            address = next(filter(None, found), None)
            require(address is not None, f"{command[1]} ended without naming its address")
            yield address[0]
        finally:
            server.terminate()


def call(command: list[str | Path], expected: int = 0, **options: object) -> str:
    """Run a command to its end and return what it printed; it has to end with the expected status."""
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, **options)
    shown = " ".join(map(str, command))
    require(done.returncode == expected, f"{shown}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def require(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - read as a sentence
    """End the program with a message unless something holds."""
    if not holds:
        sys.exit(f"What was built is not as it should be: {otherwise}")


if __name__ == "__main__":
    main()
