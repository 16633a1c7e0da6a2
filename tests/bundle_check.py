"""Build the folder that runs without Python, and try it far from the checkout; `make bundle` runs this.

It takes two minutes and builds for the system that it runs on, so it is no test: the build server runs it after them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import HTTPCookieProcessor, Request, build_opener

from wheel_check import DIST, ROOT, call, own_environment, require, try_out

SPEC = ROOT / "packaging" / "bundle" / "case-importer.spec"
BUNDLE = DIST / "case-importer"
ENDING = ".exe" if os.name == "nt" else ""
PATIENCE = 60.0
OLD_WORKBOOK = ROOT / "tests" / "workbooks" / "cases.xls"


def main() -> None:
    """Build and try; end with a message at the first thing that fails, else with the size of the bundle."""
    started = time.monotonic()
    build = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--log-level", "ERROR", "--distpath", DIST]
    call([*build, "--workpath", ROOT / "build" / "bundle", SPEC], env={**os.environ, "PYTHONPATH": str(ROOT)})
    built = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="bundle-") as name:
        folder = Path(name).resolve()
        bundle = folder / "program"
        shutil.copytree(BUNDLE, bundle, symlinks=True)  # it has to work wherever it is put
        try_out(bundle / f"case-importer{ENDING}", folder)
        read_old_workbook(bundle / f"case-importer{ENDING}", folder)
        if os.name != "nt":
            open_page(bundle / "case-importer-web", folder)
    size = sum(path.stat().st_size for path in BUNDLE.rglob("*") if path.is_file() and not path.is_symlink())
    seconds, tried = built - started, time.monotonic() - built
    sys.stdout.write(f"{BUNDLE} works: {size >> 20} MB, built in {seconds:.0f} s, tried in {tried:.0f} s\n")


def read_old_workbook(program: Path, folder: Path) -> None:
    """Draft a mapping of an XLS workbook, which a parser of its own reads in a process of its own."""
    call([program, "draft", OLD_WORKBOOK], env=own_environment(folder))


def open_page(program: Path, folder: Path) -> None:
    """Drop a sheet on the icon: the browser gets the page with it, and the program ends once that is closed.

    It has no terminal. What cannot be opened is told in the browser, too.
    """
    browser, opened = folder / "browser", folder / "opened"
    browser.write_text(f'#!/bin/sh\nprintf "%s" "$1" > "{opened}.part"\nmv "{opened}.part" "{opened}"\n', "utf-8")
    browser.chmod(0o755)
    environment = {**own_environment(folder), "BROWSER": str(browser)}
    sheet = folder / "office" / "demo" / "sample_data" / "legacy_tickets.xlsx"
    with started(program, sheet, environment) as page:
        address = waited_for(opened)
        jar = CookieJar()
        reader = build_opener(HTTPCookieProcessor(jar))
        with reader.open(address, timeout=30) as answer:
            require(b"legacy_tickets.xlsx" in answer.read(), "the page does not show the sheet that was dropped")
        origin = "http://" + urlsplit(address).netloc
        reader.open(Request(f"{origin}/close", b"", {"Origin": origin}), timeout=30).close()
        require(page.wait(PATIENCE) == 0, "the page does not end when it is closed")
    opened.unlink()
    with started(program, folder / "missing.xlsx", environment) as failed:
        told = Path(urlsplit(waited_for(opened)).path)
        require("missing.xlsx" in told.read_text("utf-8"), "an error is not told in the browser")
        require(failed.wait(PATIENCE) == 2, "an error is no error")
        told.unlink()


def started(program: Path, sheet: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Start a program as an icon does, without a terminal."""
    nothing = subprocess.DEVNULL
    return subprocess.Popen([program, sheet], stdin=nothing, stdout=nothing, stderr=nothing, env=environment)


def waited_for(file: Path) -> str:
    """Return what is in a file once it is there."""
    until = time.monotonic() + PATIENCE
    while not file.exists():
        require(time.monotonic() < until, "no browser was opened")
        time.sleep(0.1)
    return file.read_text("utf-8")


if __name__ == "__main__":
    main()
