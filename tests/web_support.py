"""The page for tests: served within this process, and looked at with a real browser."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Awaitable, Iterator
from concurrent.futures import wait
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TypeVar

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from importer import Connection
from importer.journal_place import Place
from importer.web import RunningPage, listen
from importer.web.background import Background
from importer.web.memory import Memory

T = TypeVar("T")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NOT_NEEDED = (
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup", "WebUIOmniboxFullPopup", "OmniboxAimPopup",
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled",
    "PreconnectToSearch",
)  # fmt: skip
"""Features of Chromium that no test needs.

The first line is the lists under its own address bar: pages that nobody sees, and that each window loads into another
process. The rest is what Playwright turns off: only the last such list counts.
"""

OPTIONS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
           "--disable-component-update", "--disable-sync", f"--disable-features={','.join(NOT_NEEDED)}")  # fmt: skip


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
def running_page(journal: Place, server: str | None = None, operation: str | None = "demo") -> Iterator[RunningPage]:
    """Serve the page, with cases going to `server`."""
    connection = Connection(server, operation if server else None)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("uvicorn.server.asyncio", _often_asked())
        with RunningPage(listen(0, None), connection, journal, Memory()) as page:
            yield page


def _often_asked() -> SimpleNamespace:
    """Return an `asyncio` with which uvicorn looks four times as often whether it is to end: each page costs a wait."""

    def sleep(seconds: float) -> Awaitable[None]:
        return asyncio.sleep(seconds / 4)

    return SimpleNamespace(**{**vars(asyncio), "sleep": sleep})


def with_clean_memory(page: RunningPage, language: str | None = None) -> RunningPage:
    """Have a page that several tests share forget the sheets, folders and language of the others."""
    page.office.memory.change(language=language, who=None, sheets=(), folders=())
    return page


def once_current(result: Background[T], patience: float = 20.0) -> None:
    """Wait until a result in the background is of what there is now; one that takes long is not asked for in vain."""
    while not result.now(patience).is_current:
        if (running := result._running) is not None:
            wait([running], patience)


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
