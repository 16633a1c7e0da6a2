"""The page Match columns: what is chosen in the browser is what the mapping file says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser
from source_support import saved
from web_support import open_in, running_page, with_clean_memory

from importer import MatchField, load_mapping, survey_sheet
from importer.web import RunningPage

ROWS = [
    ["Número", "Clase", "Correo cliente", "Asunto", "Detalle", "Situación", "Nivel", "Respuesta", "Recibido", "Notas"],
    ["R-1", "Queja", "ana@ejemplo.co", "Módem", "No enciende", "En curso", "Alta", "", "03/04/2026", "x"],
    [
        "R-2",
        "Petición",
        "leo@ejemplo.co",
        "Factura",
        "Doble cobro",
        "Resuelto",
        "Baja",
        "Se devolvió",
        "05/06/2026",
        "",
    ],
    ["R-3", "Queja", "eva@ejemplo.co", "Señal", "Se cae", "En curso", "Alta", "", "07/08/2026", ""],
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPage]:
    """Serve the page, one for all tests: each has a folder of its own, and nothing is sent."""
    with running_page(tmp_path_factory.mktemp("page") / "journal.db", "http://127.0.0.1:9") as running:
        yield running


@pytest.fixture
def page(served: RunningPage) -> RunningPage:
    """Let the page speak Spanish and know no sheet yet."""
    return with_clean_memory(served, language="es")


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    """Write a sheet that no mapping knows."""
    return saved(tmp_path / "PQR semana 47.xlsx", ROWS)


def test_a_sheet_that_no_mapping_knows_is_matched(page: RunningPage, browser: Browser, sheet: Path) -> None:
    """From the sheet to a mapping that loads: fields, values, closed statuses, the order of dates; in Spanish."""
    with open_in(browser, page, sheet) as tab:
        tab.get_by_label("No, es una importación nueva").check()
        assert tab.get_by_label("Nombre de la importación").input_value() == "PQR semana"
        tab.get_by_role("button", name="Asignar las columnas").click()
        tab.get_by_label("Tipo de caso", exact=True).select_option("Clase")
        tab.get_by_label("Responsable", exact=True).select_option("El mismo texto en todos los casos")
        tab.get_by_label("El mismo texto en todos los casos: Responsable").fill("ADMIN_@demo")
        tab.get_by_label("Propietario", exact=True).select_option("El mismo texto en todos los casos")
        tab.get_by_label("El mismo texto en todos los casos: Propietario").fill("ADMIN_@demo")
        tab.get_by_label("Estado", exact=True).select_option("Situación")
        tab.get_by_label("Prioridad", exact=True).select_option("Nivel")
        tab.get_by_label("Descripción", exact=True).select_option("Detalle")
        tab.get_by_label("Contacto (dirección de correo)", exact=True).select_option("Correo cliente")
        tab.get_by_label("Número").check()
        tab.locator("#first-case").get_by_text("ana@ejemplo.co").wait_for()
        tab.get_by_role("button", name="Guardar", exact=True).click()
        tab.get_by_role("button", name="valores y más… Estado").click()
        tab.get_by_role("textbox", name="En curso").fill("Abierto")
        tab.get_by_role("textbox", name="Resuelto").fill("Cerrado")
        tab.get_by_role("button", name="Guardar", exact=True).click()
        tab.get_by_role("checkbox", name="Cerrado").check()
        tab.get_by_role("button", name="Guardar", exact=True).click()
        tab.get_by_role("link", name="Volver a todos los campos").click()
    mapping = load_mapping(sheet.parent / "PQR semana.yml")
    assert (mapping.import_name, mapping.key) == ("PQR semana", ("Número",))
    status = next(rule for rule in mapping.rules if rule.path == "status")
    assert status.closed == ("Cerrado",)


class Client:
    """A client that has come in and opened a sheet whose columns are matched."""

    def __init__(self, page: RunningPage, sheet: Path) -> None:
        self._session = requests.Session()
        self._session.headers["Origin"] = page.address
        self._session.get(page.address_of(None))
        opened = page.office.open(sheet)
        self.address = f"{page.address}/sheets/{opened.id}/match"
        while "leyendo" in self.get():
            time.sleep(0.02)  # the reading needs the processor, too
        self.post("/new", name="PQR", continues="")

    def get(self, path: str = "") -> str:
        """Return a page."""
        return self._session.get(self.address + path).text

    def post(self, at: str = "", /, **form: object) -> requests.Response:
        """Submit a form."""
        answer = self._session.post(self.address + at, data=form)
        assert answer.ok, answer.text
        return answer


@pytest.fixture
def client(page: RunningPage, sheet: Path) -> Client:
    """Open the sheet of these tests."""
    return Client(page, sheet)


def fields_of(sheet: Path) -> dict[str, MatchField]:
    """Return what fills each field by the mapping that was made, which loads."""
    path = sheet.parent / "PQR.yml"
    load_mapping(path)
    return {field.path: field for field in survey_sheet(sheet).match(path.read_text("utf-8"), path).fields}


def test_several_columns_go_into_one_field(client: Client, sheet: Path) -> None:
    """What is joined is a template of the mapping, in the order in which the columns were chosen."""
    finished(client)
    client.post("/field", path="description", column=["Asunto", "", "Detalle"], separator="dash")
    assert fields_of(sheet)["description"].columns == ("Asunto", "Detalle")
    assert "Módem - No enciende" in client.get()


def test_one_button_saves_all_of_a_field(client: Client, sheet: Path) -> None:
    """The page of a field has one form: what is typed and what is joined are saved together, and stay as they are."""
    finished(client)
    where = "/field?path=description"
    shown = client.get(where)
    assert shown.count('name="column"') == 4
    assert shown.count('/match/field">') == 1
    client.post(
        "/field", path="description", column=["Asunto", "Detalle"], separator="dash", default="Nada", way="text"
    )
    field = fields_of(sheet)["description"]
    assert (field.columns, dict(field.options)["default"]) == (("Asunto", "Detalle"), "Nada")
    assert '<option value="dash" selected>' in client.get(where)
    before = (sheet.parent / "PQR.yml").read_text("utf-8")
    client.post("/field", path="description", column=["Asunto", "Detalle", "", ""], separator="dash", then="field")
    assert (sheet.parent / "PQR.yml").read_text("utf-8") == before
    client.post("/field", path="description", column=["Asunto", "Detalle", "", ""], separator="line", then="field")
    assert fields_of(sheet)["description"].value == "{Asunto}\n\n{Detalle}"


def test_a_column_is_sent_or_left_out_by_one_click(client: Client, sheet: Path) -> None:
    """A column that no field uses becomes a form field of its name, or is not asked about again."""
    finished(client)
    client.post(then="send:Recibido")
    client.post(then="ignore:Notas")
    assert fields_of(sheet)["form.Recibido"].columns == ("Recibido",)
    assert 'value="Notas"' not in client.get().partition('id="columns"')[2]


def test_what_only_the_file_says_stays_as_it_is(client: Client, sheet: Path) -> None:
    """A comment, a known list and a lookup survive what is chosen on the page, byte for byte."""
    finished(client)
    path = sheet.parent / "PQR.yml"
    (sheet.parent / "conocidos.csv").write_text("Correo\nana@ejemplo.co\n", "utf-8")
    by_hand = path.read_text("utf-8").replace(
        "  contact:", "  # solo contactos que ya existen\n  contact:").replace(
        "column: Correo cliente", "column: Correo cliente, known: {file: conocidos.csv, column: Correo}")  # fmt: skip
    path.write_text(by_hand, "utf-8")
    client.post("/field", path="status", default="Abierto")
    text = path.read_text("utf-8")
    assert "# solo contactos que ya existen" in text
    assert "known: {file: conocidos.csv, column: Correo}" in text
    assert "Configurado en el archivo: known" in " ".join(client.get().split())


def test_a_fixed_text_is_sent_as_it_was_typed(client: Client, sheet: Path) -> None:
    """Whatever is typed as the same text for every case is the text that the mapping has."""
    finished(client)
    for text in ("NO", "0123", "a: b", "# x", "{Asunto}", '"', "'", "<b>x</b>", "ñ", "31/12/2026"):
        client.post(**{"fill.responsible": "constant", "constant.responsible": text})
        assert fields_of(sheet)["responsible"].value == text


def test_what_is_not_there_changes_nothing(client: Client, sheet: Path) -> None:
    """A form about columns or fields that the sheet does not have leaves the mapping as it is."""
    path = sheet.parent / "PQR.yml"
    before = path.read_bytes()
    forms: tuple[dict[str, str], ...] = (
        {"fill.status": "column:Ninguna"}, {"fill.nothing": "column:Clase"}, {"fill.status": "what"},
        {"key": "Ninguna"}, {},
    )  # fmt: skip
    for form in forms:
        client.post(**form)
        assert path.read_bytes() == before, form


def finished(client: Client) -> None:
    """Fill the fields that no column gives."""
    client.post(**{"fill.owner": "constant", "constant.owner": "ADMIN_@demo", "fill.priority": "column:Nivel"})
    if "Responsable: " in client.get():
        client.post(**{"fill.responsible": "constant", "constant.responsible": "ADMIN_@demo"})


def test_what_was_chosen_is_kept_whatever_is_clicked(client: Client) -> None:
    """Going to the values of a field, or using another column, saves what is chosen in the form first."""
    answer = client.post(**{"fill.owner": "constant", "constant.owner": "Ana", "then": "field:status"})
    assert answer.url.endswith("/field?path=status")
    assert 'value="Ana"' in client.get()
    client.post(**{"fill.owner": "constant", "constant.owner": "Leo", "then": "send:Recibido"})
    assert 'value="Leo"' in client.get()


def test_everything_of_a_field_is_saved_at_once(client: Client, sheet: Path) -> None:
    """Values, closed statuses by their new names, and what stands for an empty cell are one form."""
    finished(client)
    form = {
        "text.0": "En curso",
        "value.0": "Abierto",
        "text.1": "Resuelto",
        "value.1": "Cerrado",
        "has-statuses": "yes",
    }
    client.post("/field", path="status", closed="Resuelto", default="Abierto", **form)
    status = fields_of(sheet)["status"]
    assert dict(status.values) == {"En curso": "Abierto", "Resuelto": "Cerrado"}
    assert (status.closed, dict(status.options)["default"]) == (("Cerrado",), "Abierto")


def test_a_list_of_the_crm_that_nothing_was_said_about_is_named(client: Client) -> None:
    """A column for a status, a priority or a case type is asked about until its texts have values."""
    finished(client)
    client.post(**{"fill.priority": "column:Clase"})
    assert "Prioridad · Clase" in client.get()
    values = {"text.0": "Queja", "value.0": "Alta", "text.1": "Petición", "value.1": "Baja"}
    client.post("/field", path="priority", **values)
    assert "Prioridad · Clase" not in client.get()
    assert "Estado · Situación" in client.get()  # proposed as it is, which nobody has confirmed


def test_an_identifier_that_is_in_no_field_is_said(client: Client, sheet: Path) -> None:
    """The column by which the office knows its cases can be sent as a form field, and is named as long as it is not."""
    finished(client)
    assert "Es el identificador" in client.get()
    client.post(then="send:Número")
    assert fields_of(sheet)["form.Número"].columns == ("Número",)
    assert "Es el identificador" not in client.get()
