"""What holds on every page: it fits the windows that offices have, axe finds nothing, and the keyboard does it all."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from pictures import HEADER, rows
from playwright.sync_api import Browser, Page, expect
from run_support import MAPPING
from source_support import saved
from web_support import open_in, running_page

from importer.web import RunningPage
from importer.web.office import OpenSheet

WINDOWS = {"1366 pixels at 125 %": (1093, 614), "half a screen": (683, 768), "a narrow one": (320, 640)}
OF_A_SHEET = (
    "begin",
    "match",
    "match/field?path=status",
    "correct",
    "send",
    "send/connection",
    "decide",
    "look-back",
    "contacts",
    "proof",
)
PAGES = ("/", "/choose", "/imports", "/files", *(f"/sheets/{{id}}/{name}" for name in OF_A_SHEET))


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPage]:
    """Serve the page in Spanish, with a sheet whose columns are matched, and one that no mapping knows."""
    folder = tmp_path_factory.mktemp("everywhere")
    with running_page(folder / "journal.db") as running:
        running.office.memory.change(language="es")
        running.office.open(saved(folder / "PQR semana 47.xlsx", [HEADER, *rows(12)]))
        mapping = folder / "tickets.yml"
        mapping.write_text(MAPPING, "utf-8")
        sheet = folder / "tickets.csv"
        sheet.write_text("Ticket,Correo,Asunto,Detalle,Estado,Prioridad,Solución\n1,nadie,a,b,Abierto,,\n", "utf-8")
        running.office.open(sheet, mapping)
        yield running


@pytest.fixture(scope="module")
def tab(page: RunningPage, browser: Browser) -> Iterator[Page]:
    """Open one window for all of these tests."""
    with open_in(browser, page) as opened:
        yield opened


def sheet_of(page: RunningPage, name: str) -> OpenSheet:
    """Return an open sheet by its name."""
    return next(sheet for sheet in page.office.sheets() if sheet.name == name)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_every_window(page: RunningPage, tab: Page, path: str) -> None:
    """Nothing is cut off or scrolls sideways, and axe finds nothing."""
    sheet = sheet_of(page, "PQR semana 47.xlsx" if path.endswith(("/begin", "/match")) else "tickets.csv")
    tab.goto(page.address + path.format(id=sheet.id), wait_until="domcontentloaded")
    expect(tab.locator("h1")).not_to_have_text("leyendo…", timeout=30_000)
    for name, (width, height) in WINDOWS.items():
        tab.set_viewport_size({"width": width, "height": height})
        assert tab.evaluate("document.documentElement.scrollWidth") <= width, name
    assert [found["id"] for found in Axe().run(tab).response["violations"]] == []
    assert tab.locator("h1").count() == 1
    assert tab.locator("html").get_attribute("lang") == "es"


def test_the_keyboard_reaches_everything_in_order(page: RunningPage, tab: Page) -> None:
    """The first key leads past the header; each further one reaches what can be clicked, and shows where it is."""
    tab.goto(f"{page.address}/sheets/{sheet_of(page, 'tickets.csv').id}/send")
    tab.keyboard.press("Tab")
    assert tab.evaluate("document.activeElement.className") == "skip"
    tab.keyboard.press("Enter")
    reached = []
    while not reached or "Cerrar el programa" not in reached[-1]:
        tab.keyboard.press("Tab")
        reached.append(tab.evaluate("document.activeElement.innerText.trim()"))
        shown = tab.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert shown != "none", reached
    assert reached[:2] == ["Corregir 1 fila", "Consultar"]
