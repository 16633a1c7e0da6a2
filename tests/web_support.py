"""The page for tests: served within this process, and looked at with a real browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from importer import Connection
from importer.web import RunningPage, listen
from importer.web.memory import Memory

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
           "--disable-component-update", "--disable-sync")  # fmt: skip


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the installed Chromium; a machine without one skips the test."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(OPTIONS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def running_page(journal: Path, server: str | None = None, operation: str | None = "demo") -> Iterator[RunningPage]:
    """Serve the page, with cases going to `server`."""
    connection = Connection(server, operation if server else None)
    with RunningPage(listen(0, None), connection, journal, Memory()) as page:
        yield page


@contextmanager
def open_in(browser: Browser, page: RunningPage, path: Path | None = None, **context: object) -> Iterator[Page]:
    """Open the page in a browser of its own, as the program does; an error of a script fails the test."""
    new: BrowserContext = browser.new_context(**{"locale": "es-CO", **context})  # type: ignore[arg-type]
    new.set_default_timeout(15_000)
    errors: list[str] = []
    tab = new.new_page()
    tab.on("pageerror", lambda error: errors.append(str(error)))
    tab.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    try:
        tab.goto(page.address_of(path))
        yield tab
    finally:
        new.close()
    assert not errors, errors
