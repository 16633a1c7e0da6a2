"""The page Correct at work on a large sheet: how long its answers take, while the sheet is checked in the background.

Run as `python -m bench.correcting SHEET MAPPING`: serves the page, corrects a value that many cells have, and prints
the slowest answers in seconds as JSON.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import requests

from bench.measure import environment
from importer.web.memory import Memory, RememberedSheet
from importer.web.office import id_of

WRONG, RIGHT = "Abirto", "Abierto"
"""The value that is corrected, and the one that it means; `bench.data` writes it where it is asked to."""


class Browser:
    """A client of the page that notes how long its slowest answer took."""

    def __init__(self, entrance: str, place: str) -> None:
        self._session = requests.Session()
        self._session.trust_env = False
        origin = self._session.get(entrance).url.rstrip("/")
        self._session.headers["Origin"] = origin
        self._page = origin + place
        self._slowest = 0.0

    def ask(self, place: str = "", **form: str) -> str:
        """Ask for the page, or send a form as our script does."""
        started = time.perf_counter()
        if form:
            answer = self._session.post(self._page + place, form, headers={"X-Fragment": "1"})
        else:
            answer = self._session.get(self._page + place)
        self._slowest = max(self._slowest, time.perf_counter() - started)
        answer.raise_for_status()
        return answer.text

    def until_checked(self) -> str:
        """Ask until the newest check is shown, as our script does."""
        while "data-recheck" in (text := self.ask()):
            time.sleep(0.5)
        return text

    def slowest(self) -> float:
        """Return how long the slowest answer took since this was asked."""
        seconds, self._slowest = self._slowest, 0.0
        return round(seconds, 3)


def correct(browser: Browser) -> dict[str, float]:
    """Return the slowest answers: to show the page, to correct one cell and all of them, and while it is checked."""
    browser.until_checked()
    browser.slowest()
    page = max((browser.ask() for _time in range(5)), key=len)
    show = browser.slowest()
    cards = re.findall(r'<article[^>]*id="group-([0-9a-f]{12})"(.*?)</article>', page, re.DOTALL)
    group = next(group for group, card in cards if WRONG in card)
    rows = browser.ask(f"/group/{group}")
    row, cell = re.search(r"/rows/([0-9]+)", rows), re.search(r'name="(cell\.[0-9]+)"', rows)
    digest = re.search(r'name="of" value="([0-9a-f]+)"', rows)
    if row is None or cell is None or digest is None:
        sys.exit("there is no row to correct")
    browser.slowest()
    browser.ask(f"/rows/{row[1]}", of=digest[1], **{cell[1]: RIGHT})
    one = browser.slowest()
    browser.ask(f"/group/{group}", to=RIGHT, scope="sheet")
    everywhere = browser.slowest()
    if "All ready" not in browser.until_checked():
        sys.exit("the value is not corrected")
    return {"show": show, "one": one, "all": everywhere, "meanwhile": browser.slowest()}


def main(sheet: Path, mapping: Path) -> None:
    """Serve the page in a process of its own, use it, and print how long that took."""
    Memory().note_sheet(RememberedSheet(str(sheet.absolute()), str(mapping.absolute())))
    command = [sys.executable, "-m", "importer", "web", "--no-browser", "--port", "0", "--journal", "journal.db"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment()) as server:  # noqa: S603 - ours
        try:
            line = server.stdout.readline() if server.stdout else ""
            browser = Browser(line.split()[-1], f"/sheets/{id_of(sheet)}/correct")
            print(json.dumps(correct(browser)))  # noqa: T201 - the result
        finally:
            server.terminate()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
