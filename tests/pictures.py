"""`make pictures`: every step of the page as a picture, on a sheet of PQR and a simulated CRM, for docs/es.

It is a walk from the first start to the report, in Spanish, in windows of the size that an office has.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect
from source_support import saved
from web_support import chromium, open_in, running_page

from importer.sandbox import Latency, RunningSandbox

FOLDER = Path(__file__).parent.parent / "docs" / "es" / "imagenes"
WINDOW = {"width": 1366, "height": 768}

HEADER = ["Radicado", "Recibido", "Clase", "Correo cliente", "Asunto", "Detalle", "Estado", "Prioridad", "Respuesta"]
KINDS = ("Petición", "Queja", "Reclamo", "Sugerencia")
STATES = ("En curso", "Abierto", "Cerrado")
PEOPLE = ("ana.gomez", "luis.perez", "marta.ruiz", "camilo.diaz", "sofia.mora", "julian.rios")
ABOUT = (
    ("Módem sin señal", "El módem no enciende desde el lunes."),
    ("Doble cobro", "La factura de octubre llegó dos veces."),
    ("Traslado del servicio", "Pide trasladar el servicio a otra dirección."),
)


def rows(count: int = 38) -> Iterator[list[object]]:
    """Yield the rows of a week of PQR, some of them with what offices get wrong."""
    for number in range(1, count + 1):
        subject, details = ABOUT[number % len(ABOUT)]
        state = STATES[number % len(STATES)]
        answer = "Se corrigió y se informó al cliente." if state == "Cerrado" and number != 11 else ""
        mail = f"{PEOPLE[number % len(PEOPLE)]}@example.com" if number != 17 else "sofia.mora@example"
        priority = ("Alta", "Media", "Baja")[number % 3] if number not in {5, 9, 23} else "Urgente"
        day = f"{1 + number % 28:02d}/11/2026"
        yield [f"PQR-{2600 + number}", day, KINDS[number % 4], mail, subject, details, state, priority, answer]


PLACE_OF_AN_OFFICE = r"C:\Users\maria\Documents"
REPLACE = """([from, to]) => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replaceAll(from + "/", to + "\\\\");
}"""
"""Puts a folder as offices have them in the place of the temporary one, which is another in every picture."""


class Camera:
    """Takes a picture of each step into a folder; the numbers are the order of the walk."""

    def __init__(self, tab: Page, folder: Path, home: Path) -> None:
        self._tab, self._folder, self._home = tab, folder, home
        self._count = 0

    def take(self, name: str, *, whole: bool = False) -> None:
        """Take a picture of the window, or of the whole page, once it is still."""
        self._count += 1
        if name != "enviando":  # a stream of news goes on there
            self._tab.wait_for_load_state("networkidle")
        expect(self._tab.locator("[data-continue]")).to_have_count(0, timeout=30_000)
        self._tab.evaluate(REPLACE, [str(self._home), PLACE_OF_AN_OFFICE])
        path = self._folder / f"{self._count:02d}-{name}.png"
        self._tab.screenshot(path=path, full_page=whole, animations="disabled")


@contextmanager
def user(folder: Path) -> Iterator[None]:
    """Be a user without any files, whose documents are in a folder."""
    before = dict(os.environ)
    for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        os.environ[name] = str(folder / name)
    os.environ.update(
        LOGNAME="maria", HOME=str(folder), XDG_DOCUMENTS_DIR=str(folder), WOLKVOX_TOKEN="demo", CASE_IMPORTER_LANG="es"
    )
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def walk(folder: Path, browser: Browser) -> None:
    """Walk through the page and leave a picture of each step in a folder."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        stack.enter_context(user(home))
        sheet = saved(home / "PQR semana 47.xlsx", [HEADER, *rows()])
        one_lost = ["closed-after-creating:nth=20"]
        crm = stack.enter_context(RunningSandbox(faults=one_lost, latency=Latency(0.05, 0.05)))
        page = stack.enter_context(running_page(home / "registro.db", crm.url))
        page.office.memory.change(language="es")
        tab = stack.enter_context(open_in(browser, page, viewport=WINDOW))
        steps(tab, Camera(tab, folder, home), page.address, sheet)


def steps(tab: Page, camera: Camera, address: str, sheet: Path) -> None:
    """Go from the first start to the report."""
    camera.take("inicio-vacio")
    tab.goto(f"{address}/open?path={sheet}")
    tab.get_by_label("No, es una importación nueva").check()
    camera.take("hoja-nueva")
    tab.get_by_role("button", name="Asignar las columnas").click()
    camera.take("asignar", whole=True)
    tab.get_by_label("Responsable", exact=True).select_option("El mismo texto en todos los casos")
    tab.get_by_label("El mismo texto en todos los casos: Responsable").fill("ADMIN_@demo")
    tab.get_by_label("Propietario", exact=True).select_option("Igual que Responsable")
    tab.get_by_role("combobox", name="En curso").fill("Abierto")
    tab.locator("#values").scroll_into_view_if_needed()
    camera.take("valores")
    tab.get_by_role("button", name="Guardar y seguir a Corregir").click()
    camera.take("corregir", whole=True)
    tab.get_by_label("Valor correcto de «Correo cliente»").fill("sofia.mora@example.com")
    tab.get_by_role("button", name="Corregir", exact=True).click()
    tab.get_by_role("button", name="Deshacer").first.wait_for()
    camera.take("corregido", whole=True)
    tab.get_by_role("link", name="Revisar y enviar").first.click()
    camera.take("enviar", whole=True)
    tab.get_by_role("button", name="Ensayar (no llega al CRM)").click()
    tab.get_by_text("Ensayo").first.wait_for()
    camera.take("ensayo", whole=True)
    tab.get_by_role("button", name="Enviar 37 casos").click()
    tab.get_by_role("button", name="Enviar 37 casos ahora").wait_for()
    camera.take("antes-de-enviar", whole=True)
    tab.get_by_role("button", name="Enviar 37 casos ahora").click()
    tab.locator("progress[value]:not([value='0'])").wait_for()
    camera.take("enviando")
    tab.get_by_role("heading", name="Resultado").wait_for()
    camera.take("enviado")
    tab.get_by_role("link", name="Decidir", exact=True).click()
    camera.take("decidir", whole=True)
    tab.get_by_role("link", name="Consultar", exact=True).click()
    camera.take("consultar")
    tab.get_by_role("link", name="Importador de casos").click()
    camera.take("inicio")


def main() -> int:
    """Replace the pictures of the guide."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with chromium() as browser:
        walk(folder, browser)
    return 0


if __name__ == "__main__":
    sys.exit(main())
