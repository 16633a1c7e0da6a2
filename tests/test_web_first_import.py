"""A first import by somebody who has never seen the program: a messy sheet of PQRS on Match columns and Correct."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import pytest
from openpyxl import Workbook
from start_support import PageClient, checked
from web_support import once_current, running_page, with_clean_memory

from importer import Status, load_mapping
from importer.messages import speaking
from importer.web import RunningPage
from importer.web.checking import CheckedSheet
from importer.web.match.matching import survey_of
from importer.web.match.values import accepted_values
from importer.web.office import OpenSheet

HEADINGS = (
    "No. Radicado", "Fecha de radicación", "Tipo PQR", "Correo electrónico", "Asunto", "Descripción de los hechos",
    "Estado", "Prioridad", "Asignado a", "Solución / respuesta", "Anexos", "Obs internas",
)  # fmt: skip
ROWS = tuple(tuple(row.split("|")) for row in (
    "1|16/11/2026|Petición|a@example.co|Uno|Espera un recibo|En trámite|Alta|Ana Díaz||a.pdf|x",
    "2|17/11/2026|PETICION|b@example.co|Dos|Espera el otro|CERRADO|ALTA|Ana Diaz|Se respondió.||",
    "3|18/11/2026|Felicitación|c@example.co|Tres|Da las gracias|Cerrado|media|Leo Ruiz|||",
    "4|19/11/2026|queja|d@example.co|Cuatro|Se queja mucho|Abierto|Media|Leo Ruiz|||",
    "5|20/11/2026|Queja|e@example.co|Cinco|Se queja otra vez||Normal|Ana Díaz|||",
))  # fmt: skip
TOTAL = ("TOTAL", "5", *("",) * 10)


class Fields(HTMLParser):
    """The fields of a form with what they would send, as a browser would."""

    def __init__(self, page: str, action: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self._action, self._is_in, self._list = action, False, ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect what is filled, ticked or chosen."""
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._is_in = given.get("action", "").endswith(self._action)
        elif tag == "select":
            self._list = given["name"]
        elif tag == "option" and self._is_in and self._list and "selected" in given:
            self.found.append((self._list, given["value"]))
        elif (
            tag == "input"
            and self._is_in
            and "name" in given
            and (given.get("type") != "checkbox" or "checked" in given)
        ):
            self.found.append((given["name"], given.get("value", "on")))

    def handle_endtag(self, tag: str) -> None:
        """Leave a form or a list."""
        if tag == "form":
            self._is_in = False
        elif tag == "select":
            self._list = ""


def said(page: str) -> str:
    """Return what a page says, without its markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


class Newcomer(PageClient):
    """Somebody with a sheet that no mapping knows."""

    def __init__(self, page: RunningPage, sheet: Path) -> None:
        super().__init__(page)
        self.sheet = sheet
        self.address = f"/sheets/{page.office.open(sheet).id}"
        self.first = self.shown()
        self.post(f"{self.address}/match/new", {"name": "PQRS", "continues": ""})

    @property
    def opened(self) -> OpenSheet:
        """The sheet as the page has it, with its mapping by now."""
        found = self.page.office.sheet(self.address.rpartition("/")[2])
        assert found is not None
        return found

    def shown(self) -> str:
        """Return the page Match columns, once the sheet is read as it is now."""
        with speaking("es"):  # else it is read once more
            survey_of(self.page.office, self.opened)
            assert self.opened.survey is not None
            once_current(self.opened.survey)
        return self.get(f"{self.address}/match").text

    @property
    def mapping(self) -> Path:
        """The mapping file that was made."""
        return self.sheet.parent / "PQRS.yml"

    def match(self, then: str = "correct", **typed: str | None) -> str:
        """Send the form of Match columns as it is shown, but for what is typed; None leaves a field out."""
        shown = Fields(self.shown(), "/match").found
        form = [(name, value) for name, value in shown if name not in typed]
        form += [(name, value) for name, value in typed.items() if value is not None]
        answer = self.post(f"{self.address}/match", [*form, ("then", then)])
        assert answer.status_code in {200, 409}, answer.text
        return said(self.shown() if "http-equiv" in answer.text else answer.text)

    def users(self) -> dict[str, str]:
        """Return the users of the agents, by the fields in which they are typed."""
        shown = Fields(self.shown(), "/match").found
        return {
            name.replace("text.", "value."): f"user{at}@demo"
            for at, (name, _text) in enumerate(pair for pair in shown if pair[0].startswith("text.responsible."))
        }

    def corrected(self) -> str:
        """Return the page Correct, of the newest check."""
        with speaking("es"):
            checked(self.opened)
        return self.get(f"{self.address}/correct").text

    def check(self) -> CheckedSheet:
        """Return the newest check."""
        with speaking("es"):
            value = checked(self.opened).checker.last.value
        assert value is not None
        return value


def saved(path: Path, headings: Sequence[str] = HEADINGS, rows: Sequence[Sequence[str]] = ROWS, tabs: int = 1) -> Path:
    """Write the workbook, with a total below and perhaps tabs with other lists."""
    book = Workbook()
    table = book.active
    assert table is not None
    for row in (headings, *rows, TOTAL[: len(headings)]):
        table.append(list(row))
    for number in range(1, tabs):
        book.create_sheet(f"Listas {number}").append(["Funcionarios"])
    book.save(path)
    return path


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
def newcomer(page: RunningPage, tmp_path: Path) -> Newcomer:
    """Open the sheet of these tests."""
    return Newcomer(page, saved(tmp_path / "PQRS semana 48.xlsx"))


def fields_of(newcomer: Newcomer) -> dict[str, dict[str, object]]:
    """Return the fields of the mapping, which loads, each with its column, its values and its closed statuses."""
    mapping = load_mapping(newcomer.mapping).grammar
    return {name: spec.model_dump(exclude_none=True) for name, spec in mapping.fields.named().items()}


def test_agents_by_name_are_typed_once_for_both_users(newcomer: Newcomer) -> None:
    """A column of agents fills both users of a case; each name is typed once, and no list waits."""
    shown = said(newcomer.shown())
    assert "Responsable y Propietario" in shown
    assert "Ana Díaz · Ana Diaz" in shown
    assert "lookup" not in newcomer.mapping.read_text("utf-8")
    assert "Responsable: Asignado a tiene nombres" in newcomer.match()
    assert "Corregir" in newcomer.match(**newcomer.users())
    fields = fields_of(newcomer)
    assert fields["responsible"] == fields["owner"]
    assert fields["owner"]["values"] == {"Ana Díaz": "user0@demo", "Leo Ruiz": "user1@demo"}
    newcomer.mapping.write_text(newcomer.mapping.read_text("utf-8").replace("Ana Díaz", "ANA DIAZ"), "utf-8")
    newcomer.match(**{"value.responsible.0": "ana@demo"})
    assert load_values(newcomer, "owner") == {"ANA DIAZ": "ana@demo", "Leo Ruiz": "user1@demo"}  # no second spelling


@pytest.mark.parametrize(("heading", "tabs"), [("Responsable de la respuesta", 1), ("Quién", 2)])
def test_any_column_of_names_can_be_the_users(page: RunningPage, tmp_path: Path, heading: str, tabs: int) -> None:
    """Whatever the heading, with other tabs or without, nothing is left that only the file mends."""
    headings = [heading if one == "Asignado a" else one for one in HEADINGS]
    sheet = saved(tmp_path / "PQRS.xlsx", headings, tabs=tabs)
    page.office.open(sheet, tab="Sheet")
    newcomer = Newcomer(page, sheet)
    newcomer.match("match", **{"fill.responsible": f"column:{heading}", "fill.owner": "same"})
    newcomer.match(**newcomer.users())
    fields = fields_of(newcomer)
    assert fields["responsible"]["column"] == fields["owner"]["column"] == heading


def test_a_list_that_a_draft_left_open_is_dropped_for_what_is_typed(newcomer: Newcomer) -> None:
    """A mapping with an empty list, as the command drafts it, is finished on the page by typing the users."""
    text = newcomer.mapping.read_text("utf-8")
    lookup = "{column: Asignado a, lookup: {file: , key: Asignado a, value: Wolkvox Email}}"
    newcomer.mapping.write_text(text.replace("owner: {column: Asignado a}", f"owner: {lookup}"), "utf-8")
    assert "lookup" in newcomer.mapping.read_text("utf-8")
    shown = newcomer.match("match", **{"fill.responsible": "constant", "constant.responsible": "ADMIN_@demo"})
    assert "Propietario: " in shown
    assert "valor en blanco" not in shown
    newcomer.match(**{"value.owner.0": "ana@demo", "value.owner.1": "leo@demo"})
    assert fields_of(newcomer)["owner"]["values"] == {"Ana Díaz": "ana@demo", "Leo Ruiz": "leo@demo"}


def test_a_list_of_the_file_can_be_dropped_by_a_click(newcomer: Newcomer) -> None:
    """What is set up in the file and cannot be used any more does not need the file to be edited."""
    newcomer.match(**newcomer.users())
    editor = newcomer.mapping.read_text("utf-8").replace("contact: {", "contact: {known: {file: no.csv, column: C}, ")
    newcomer.mapping.write_text(editor, "utf-8")
    field = f"{newcomer.address}/match/field"
    assert "No usar la lista" in newcomer.get(f"{field}?path=contact").text
    newcomer.post(field, {"path": "contact", "act": "no-list"})
    assert "known" not in fields_of(newcomer)["contact"]


def test_a_required_field_may_be_left_open_for_a_while(newcomer: Newcomer) -> None:
    """Choosing nothing for a field is no dead end: the page says what is missing, and keeps the rest."""
    fields = ("case-type", "responsible", "owner", "status", "contact", "description")
    nothing = {f"fill.{path}": "nothing" for path in fields}
    shown = newcomer.match(**nothing, **{"fill.priority": "constant", "constant.priority": "Alta"})
    assert shown.count("elija con qué se llena") == len(fields)
    assert "priority: Alta" in newcomer.mapping.read_text("utf-8")


def test_what_cannot_be_saved_is_said_on_the_same_page(newcomer: Newcomer) -> None:
    """A text that no mapping takes leaves the page and its fields where they are."""
    shown = newcomer.match(**{"fill.owner": "constant", "constant.owner": "…", "fill.responsible": "constant",
                              "constant.responsible": "ADMIN_@demo"})  # fmt: skip
    assert "Asignar columnas" in shown
    assert "Propietario: " in shown


def test_a_guess_is_marked_and_one_that_is_doubtful_is_asked(newcomer: Newcomer) -> None:
    """Only a case type's own name is taken for it; spellings of a word are one value, marked until it is saved."""
    shown = said(newcomer.shown())
    assert "¿quizá Suggestions?" in shown
    assert "supuesto: revise esto" in shown
    assert "CERRADO · Cerrado" in shown
    newcomer.match(**newcomer.users())
    fields = fields_of(newcomer)
    assert "Felicitación" not in fields["case-type"]["values"]  # type: ignore[operator]
    assert fields["status"]["values"] == {"En trámite": "En trámite", "CERRADO": "Cerrado", "Abierto": "Abierto"}
    assert fields["status"]["closed"] == ("Cerrado",)
    assert fields["priority"]["values"] == {"Alta": "Alta", "media": "Media", "Normal": "Normal"}
    assert "revise esto" not in said(newcomer.shown())


def test_a_standard_case_type_is_marked_and_the_own_word_is_offered(newcomer: Newcomer) -> None:
    """The CRM's English name of a type is a guess that says so, beside the sheet's word, which can be typed as well."""
    shown = newcomer.shown()
    assert said(shown).count("es el nombre propio del CRM para un tipo de caso estándar") == 2
    offered = shown.partition('<datalist id="known-case-type">')[2].partition("</datalist>")[0]
    assert {"Complaints", "Queja", "Petición"} <= set(re.findall(r'value="([^"]*)"', offered))
    newcomer.match(**newcomer.users(), **{"value.case-type.1": "Queja"})
    types = fields_of(newcomer)["case-type"]["values"]
    assert types == {"Petición": "Request", "queja": "Queja"}


def test_what_is_not_sent_is_above_the_button(newcomer: Newcomer) -> None:
    """Nobody goes on without having passed the columns of which nothing is sent."""
    shown = newcomer.shown()
    assert -1 < shown.index('id="columns"') < shown.index('value="correct"')


def test_guesses_are_taken_only_where_the_person_goes_on(newcomer: Newcomer) -> None:
    """A click on something else saves what was typed, and leaves the guesses to be looked at."""
    newcomer.match("send:Obs internas", **{"value.status.0": "Abierto"})
    assert len(dict(load_values(newcomer, "status"))) == 1


def load_values(newcomer: Newcomer, path: str) -> dict[str, str]:
    """Return the values of a field of a mapping that may be unfinished."""
    return dict(load_mapping(newcomer.mapping).grammar.fields.named()[path].values or {})


def test_the_first_case_is_shown_as_it_is_sent(newcomer: Newcomer) -> None:
    """Its description begins with the code by which the case is found."""
    shown = newcomer.match("match", **newcomer.users())
    assert "[WCI-" in shown


ANSWER = "Se respondió por oficio y se notificó al correo del ciudadano el 20 de noviembre."


def card_of(page: str, title: str) -> tuple[str, str]:
    """Return the markup of the card with this title, and the id of its group."""
    card = next(card for card in page.split("<article ")[1:] if title in card).partition("</article>")[0]
    return card, card.partition('id="group-')[2][:12]


def test_an_answer_never_becomes_a_status(page: RunningPage, tmp_path: Path) -> None:
    """A column of the solution that is not known is asked for, and a status is only chosen from a list."""
    heading = "Observaciones"
    headings = [heading if one == "Solución / respuesta" else one for one in HEADINGS]
    newcomer = Newcomer(page, saved(tmp_path / "PQRS.xlsx", headings))
    newcomer.match(**newcomer.users())
    assert "el CRM exige su solución" in said(newcomer.shown())
    card, group = card_of(newcomer.corrected(), "ninguna columna de la hoja es todavía su solución")
    assert "<input id" not in card
    form = {"group": group, "column": heading, "back": f"{newcomer.address}/correct"}
    newcomer.post(f"{newcomer.address}/correct/solution", form)
    assert fields_of(newcomer)["solution"]["column"] == heading
    card, group = card_of(newcomer.corrected(), "Casos cerrados sin respuesta")
    status, row = HEADINGS.index("Estado"), 4
    back = {"back": f"{newcomer.address}/correct"}
    answers = [
        newcomer.post(f"{newcomer.address}/correct/group/{group}", {**back, "column": str(status), "to": ANSWER}),
        newcomer.post(f"{newcomer.address}/correct/rows/{row}", {**back, f"cell.{status}": ANSWER, **_of(card)}),
    ]
    assert all("no es un estado" in answer.text for answer in answers)
    assert not (tmp_path / "PQRS.corrections.csv").exists()


def _of(card: str) -> dict[str, str]:
    """Return what tells which sheet a form is about."""
    return {name: card.partition(f'name="{name}" value="')[2].partition('"')[0] for name in ("of", "mark")}


def test_an_empty_status_and_a_new_value_are_chosen_or_typed_as_the_crm_has_them(newcomer: Newcomer) -> None:
    """An empty cell has the list of what is known; another value can be typed, and is known from then on."""
    newcomer.match(**newcomer.users())
    card, group = card_of(newcomer.corrected(), "Estado» está vacía")
    assert "<select" in card
    assert "u otro valor" in card
    form = {"back": f"{newcomer.address}/correct", "scope": "sheet", "to": "", "other": "Trasladado"}
    newcomer.post(f"{newcomer.address}/correct/group/{group}", {**form, "other": ANSWER})
    assert ANSWER not in newcomer.mapping.read_text("utf-8")
    newcomer.post(f"{newcomer.address}/correct/group/{group}", form)
    assert "Trasladado" in load_values(newcomer, "status")
    assert "Estado» está vacía" not in newcomer.corrected()
    card, group = card_of(newcomer.corrected(), "Felicitación")
    form = {"back": f"{newcomer.address}/correct", "scope": "always", "to": "", "other": "Felicitaciones"}
    newcomer.post(f"{newcomer.address}/correct/group/{group}", form)
    assert load_values(newcomer, "case-type")["Felicitación"] == "Felicitaciones"


def test_a_new_name_is_known_for_both_users_at_once(newcomer: Newcomer) -> None:
    """A text of a column that fills two fields is said once."""
    newcomer.match(**{name: user for name, user in newcomer.users().items() if user == "user0@demo"})
    _card, group = card_of(newcomer.corrected(), "Leo Ruiz")
    form = {"back": f"{newcomer.address}/correct", "scope": "always", "to": "", "other": "leo@demo"}
    newcomer.post(f"{newcomer.address}/correct/group/{group}", form)
    assert load_values(newcomer, "owner") == load_values(newcomer, "responsible")
    assert "Leo Ruiz" not in newcomer.corrected().partition('id="done"')[0]


def test_the_last_row_of_a_group_ends_with_done(newcomer: Newcomer) -> None:
    """Who has corrected the last row one by one is told so, and not that something has changed."""
    newcomer.match(**newcomer.users())
    card, group = card_of(newcomer.corrected(), "Casos cerrados sin respuesta")
    place = HEADINGS.index("Solución / respuesta")
    back = f"{newcomer.address}/correct/group/{group}"
    newcomer.post(f"{newcomer.address}/correct/rows/4", {"back": back, f"cell.{place}": ANSWER, **_of(card)})
    newcomer.check()
    assert "Listo: lo que había por corregir aquí" in newcomer.get(back).text


def test_rows_are_counted_as_an_office_counts_them(page: RunningPage, tmp_path: Path) -> None:
    """The total is no row of the sheet and no text of a column; of what is left out already nothing is asked."""
    newcomer = Newcomer(page, saved(tmp_path / "PQRS.xlsx"))
    assert "5 filas con estas columnas" in said(newcomer.first)
    newcomer.match(**newcomer.users())
    correct = newcomer.corrected()
    assert "5 filas en la hoja" in correct
    assert "parece el total" not in correct
    newcomer.match("match", **{"fill.priority": "column:Asunto"})
    assert ">5<" not in newcomer.shown().partition('id="values-priority"')[2]


def test_what_was_shown_as_not_sent_is_not_new(newcomer: Newcomer) -> None:
    """No column is called new in the first week; those that were seen are not asked about again, and can be used."""
    assert "Columna nueva" not in newcomer.corrected()
    newcomer.match(**newcomer.users())
    assert "» no se envía." not in newcomer.corrected()
    newcomer.match("send:Obs internas")
    assert "Obs internas" not in load_mapping(newcomer.mapping).grammar.source.ignore


def test_attachments_and_their_folder_are_on_the_page(newcomer: Newcomer) -> None:
    """The columns that name files are shown with the folder; both can be chosen, and dropped."""
    (newcomer.sheet.parent / "Anexos 48").mkdir()
    newcomer.match(attached="Anexos", folder="Anexos 48", **newcomer.users())
    files = load_mapping(newcomer.mapping).grammar.attachments
    assert files is not None
    assert (files.columns, files.folder) == (("Anexos",), "Anexos 48")
    newcomer.match(attached=None)
    assert load_mapping(newcomer.mapping).grammar.attachments is None
    newcomer.match("files:Anexos")
    assert load_mapping(newcomer.mapping).grammar.attachments.folder == "."  # type: ignore[union-attr]


@pytest.mark.parametrize(("heading", "cells"), [
    ("Soportes", ("carta 12.pdf; foto.jpg", "", "carta 13.pdf", "pendiente", "")),
    ("Pruebas del caso", ("carta 12.pdf; foto.jpg", "", "carta 13.pdf", "", "")),
])  # fmt: skip
def test_columns_that_name_files_are_attachments_without_a_folder(
    page: RunningPage, tmp_path: Path, heading: str, cells: Sequence[str]
) -> None:
    """Names of files are chosen as attachments, so that Correct asks where the files are, and nothing is left out."""
    headings = [heading if one == "Anexos" else one for one in HEADINGS]
    rows = [(*row[:10], cell, row[11]) for row, cell in zip(ROWS, cells, strict=True)]
    newcomer = Newcomer(page, saved(tmp_path / "PQRS.xlsx", headings, rows))
    assert ("attached", heading) in Fields(newcomer.shown(), "/match").found
    newcomer.match(**newcomer.users())
    corrected = said(newcomer.corrected())
    assert "carta 12.pdf" in corrected
    assert "¿En qué carpeta están?" in corrected
    assert "borre el nombre del archivo de la celda" in corrected


def test_texts_of_which_nothing_was_said_are_named_on_correct(newcomer: Newcomer) -> None:
    """Who goes past Match columns is told there what the CRM may refuse."""
    assert (
        "Falta decir cómo escribe el CRM los valores de: Tipo de caso, Responsable, Propietario, Estado, Prioridad"
        in newcomer.corrected()
    )
    newcomer.match(**newcomer.users())
    assert "Falta decir cómo" not in newcomer.corrected()


def test_a_list_that_was_not_shown_yet_is_shown_before_the_rows_are(newcomer: Newcomer) -> None:
    """Choosing another column for a list leads to its texts, and not past them."""
    newcomer.match(**{"fill.priority": "column:Tipo PQR"}, **newcomer.users())
    assert not load_values(newcomer, "priority")
    newcomer.match()
    assert load_values(newcomer, "priority")["Petición"] == "Petición"


def test_what_the_crm_has_taken_is_told(newcomer: Newcomer) -> None:
    """The values of the sheet's own cases are shown as taken, but for rows that have changed since."""
    (newcomer.sheet.parent / "a.pdf").write_bytes(b"%PDF-")
    newcomer.match(**newcomer.users())
    value = newcomer.check()
    rows = list(value.plan.in_state(Status.PLANNED))
    taken = [replace(row, status=Status.CREATED, differs=row is rows[1]) for row in rows[:2]]
    plan = SimpleNamespace(in_state=lambda _state: iter(taken))
    found = accepted_values(replace(value, plan=plan))  # type: ignore[arg-type]
    assert found["status"] == {"En trámite"}
    assert found["responsible"] == {"user0@demo"}


def test_what_keeps_rows_from_being_checked_is_named_by_its_field(newcomer: Newcomer) -> None:
    """Who clicks Correct too early reads the names of the page, and no key of the file."""
    newcomer.match("match", **{"fill.owner": "nothing", "fill.status": "nothing"})
    told = said(newcomer.corrected())
    assert "Propietario: elija con qué se llena" in told
    assert "Estado: elija con qué se llena" in told
