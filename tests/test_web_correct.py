"""The page Correct: what is wrong with a sheet, and how it is put right without touching the sheet."""

from __future__ import annotations

import csv
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from openpyxl import Workbook, load_workbook
from playwright.sync_api import Browser, expect
from run_support import HEADER, MAPPING, ticket
from web_support import open_in, running_page

from importer import Connection, EventInterface, Job, SheetCorrections, load_job, open_corrections, run
from importer.sandbox import RunningSandbox
from importer.web import RunningPage
from importer.web import office as office_module
from importer.web.checking import CheckedSheet, check_sheet
from importer.web.correct import views as correct
from importer.web.correct.words import in_plain_words
from importer.web.office import OpenSheet

STATUSES = "{column: Estado, allowed: [Abierto, Cerrado], closed: [Cerrado]}"
MATCHED = "{column: Estado, values: {Pendiente: Abierto, Listo: Cerrado}, closed: [Cerrado]}  # as the office says"
WITH_FILES = "attachments: {folder: adjuntos, columns: [Archivo], separator: ';'}\n"
NO_TOTALS = MAPPING.replace("source:", "source:\n  skip_if: {Ticket: TOTAL}", 1)
HOSTILE = (
    '<img src=x onerror="alert(1)">',
    "\u202eزبون\u202c \u0639",
    "dos\nlíneas",
    " 'a' \"b\" ",
    "&lt;b&gt;",
    "\x1b[31mx",
)


class Forms(HTMLParser):
    """Reads the forms of a page: their addresses and what they would send."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self._area: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a form, or a field of the last one."""
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "form":
            self.found.append((given.get("action") or "", {}))
        elif tag == "input" and name:
            self.found[-1][1][name] = given.get("value") or ""
        elif tag == "textarea":
            self._area, self.found[-1][1][name] = name, ""

    def handle_data(self, data: str) -> None:
        """Take the text of a field."""
        if self._area is not None:
            self.found[-1][1][self._area] += data

    def handle_endtag(self, tag: str) -> None:
        """End a field; the line break at its beginning is none of it."""
        if tag == "textarea" and self._area is not None:
            fields = self.found[-1][1]
            fields[self._area] = fields[self._area].removeprefix("\n").replace("\n", "\r\n")
            self._area = None


@dataclass
class Desk:
    """A sheet, its mapping, and a browser without a script that looks at them."""

    folder: Path
    page: RunningPage
    client: requests.Session = field(default_factory=requests.Session)
    shown: OpenSheet | None = None

    def __post_init__(self) -> None:
        """Come in."""
        self.client.trust_env = False
        self.client.get(self.page.address_of(None))
        self.client.headers["Origin"] = self.page.address

    @property
    def source(self) -> Path:
        """The sheet."""
        return self.folder / "semana.csv"

    @property
    def mapping(self) -> Path:
        """The mapping."""
        return self.folder / "mapping.yml"

    @property
    def corrections(self) -> Path:
        """The file of corrections."""
        return self.folder / "semana.corrections.csv"

    def write(self, *rows: dict[str, str], mapping: str = MAPPING, columns: tuple[str, ...] = ()) -> OpenSheet:
        """Write the sheet and its mapping, and open it."""
        with self.source.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [*HEADER, *columns], restval="")
            writer.writeheader()
            writer.writerows(rows)
        self.mapping.write_text(mapping, "utf-8")
        return self.page.office.open(self.source, self.mapping)

    @property
    def sheet(self) -> OpenSheet:
        """The sheet as the page has it."""
        return self.shown or self.page.office.open(self.source)

    @property
    def address(self) -> str:
        """The page Correct."""
        return f"{self.page.address}/sheets/{self.sheet.id}/correct"

    def get(self, place: str = "") -> str:
        """Return the page once it is checked."""
        for _attempt in range(100):
            answer = self.client.get(self.address + place)
            if "data-recheck" not in answer.text:
                return answer.text
            time.sleep(0.05)
        raise AssertionError(answer.text)

    def post(self, place: str, status: int = 200, **fields: str) -> str:
        """Send a form; return the page to which it leads."""
        fields = {"back": f"/sheets/{self.sheet.id}/correct", **fields}
        answer = self.client.post(self.address + place, fields)
        assert answer.status_code == status, answer.text
        assert (answer.history and answer.history[0].status_code == 303) or status != 200
        return answer.text

    def group(self, title: str) -> str:
        """Return the id of the group with this in its title."""
        for article in re.findall(r"<article.*?</article>", self.get(), re.DOTALL):
            if title in article:
                return re.search(r'id="group-([0-9a-f]{12})"', article)[1]  # type: ignore[index]
        raise AssertionError(title)

    def rows(self, place: str) -> list[tuple[str, dict[str, str]]]:
        """Return the forms that correct single rows."""
        return [form for form in Forms(self.get(place)).found if "/rows/" in form[0]]

    def recorded(self) -> list[list[str]]:
        """Return column, from and to of every correction."""
        if not self.corrections.exists():
            return []
        with self.corrections.open(encoding="utf-8-sig", newline="") as file:
            return [[row["column"], row["from"], row["to"]] for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPage]:
    """Serve the page, one for all tests: each has a folder of its own."""
    with running_page(tmp_path_factory.mktemp("page") / "journal.db") as running:
        yield running


@pytest.fixture
def desk(page: RunningPage, tmp_path: Path) -> Desk:
    """Return a folder for a sheet, and a client that has come in."""
    (tmp_path / "office").mkdir()
    return Desk(tmp_path / "office", page)


@pytest.fixture
def in_spanish(page: RunningPage) -> Iterator[None]:
    """Speak Spanish for one test."""
    page.office.memory.change(language="es")
    yield
    page.office.memory.change(language="en")


def test_the_most_frequent_comes_first_after_new_values(desk: Desk) -> None:
    """New values come first, then what most rows have; numbers, and what to do, are sentences."""
    wrong = [ticket(n, Correo="nadie", Estado="Pendiente") for n in (1, 2, 3)]
    desk.write(
        *wrong,
        ticket(4, Estado="En curso"),
        ticket(5, Detalle="", Estado="Pendiente"),
        mapping=MAPPING.replace(STATUSES, MATCHED),
    )
    page = desk.get()
    assert "<h1>5 rows to correct</h1>" in page
    assert re.findall(r"<bdi>(.*?)</bdi> <span", page) == [
        "“En curso” in Estado is not matched with any value of the CRM",
        "“nadie” in Correo is not an e-mail address",
        "Detalle is empty, and the CRM needs it",
    ]


def test_a_value_is_corrected_once_for_all_and_undone(desk: Desk) -> None:
    """One form corrects all equal cells in a file beside the sheet, which stays as it is; undoing takes it back."""
    desk.write(ticket(1, Correo="nadie"), ticket(2, Correo="nadie"), ticket(3))
    before = desk.source.read_bytes()
    group = desk.group("nadie")
    desk.post(f"/group/{group}", to="ana@example.com", scope="sheet")
    assert "All ready: 3 cases to send" in desk.get()
    assert desk.recorded() == [["Correo", "nadie", "ana@example.com"]] * 2
    assert desk.source.read_bytes() == before
    act = next(fields["act"] for action, fields in Forms(desk.get()).found if action.endswith("/undo"))
    desk.post("/undo", act=act)
    assert "2 rows to correct" in desk.get()
    assert desk.recorded() == []


def test_a_value_may_always_mean_the_same(desk: Desk) -> None:
    """A text that is matched always goes into the mapping, comments and all, and can be undone."""
    desk.write(
        ticket(1, Estado="En curso"),
        ticket(2, Estado="Listo", Solución="s"),
        mapping=MAPPING.replace(STATUSES, MATCHED),
    )
    before = desk.mapping.read_text("utf-8")
    desk.post(f"/group/{desk.group('En curso')}", to="Abierto", scope="always")
    page = desk.get()
    assert "All ready: 2 cases" in page
    text = desk.mapping.read_text("utf-8")
    assert "En curso: Abierto" in text
    assert "# as the office says" in text
    assert "always means" in page
    act = next(fields["act"] for action, fields in Forms(page).found if action.endswith("/undo"))
    desk.post("/undo", act=act)
    assert desk.mapping.read_text("utf-8") == before
    assert "1 row to correct" in desk.get()


@pytest.mark.parametrize(
    ("status", "value", "recorded"), [(MATCHED, "Abierto", "Pendiente"), (STATUSES, "Abierto", "Abierto")]
)
def test_a_choice_in_this_sheet_is_what_the_sheet_writes(desk: Desk, status: str, value: str, recorded: str) -> None:
    """A value of the CRM that is chosen for this sheet becomes the text by which the sheet says it."""
    desk.write(ticket(1, Estado="Rarísimo"), mapping=MAPPING.replace(STATUSES, status))
    desk.post(f"/group/{desk.group('Rarísimo')}", to=value, scope="sheet")
    assert desk.recorded() == [["Estado", "Rarísimo", recorded]]
    assert "All ready" in desk.get()


def test_a_value_that_is_only_allowed_may_always_mean_another(desk: Desk) -> None:
    """Where the mapping lists what is allowed, and no texts, the allowed ones go on to mean themselves."""
    desk.write(ticket(1, Estado="Rarísimo"), ticket(2), ticket(3, Estado="Cerrado", Solución="s"))
    before = desk.mapping.read_text("utf-8")
    desk.post(f"/group/{desk.group('Rarísimo')}", to="Abierto", scope="always")
    page = desk.get()
    assert "All ready: 3 cases" in page
    assert desk.recorded() == []
    act = next(fields["act"] for action, fields in Forms(page).found if action.endswith("/undo"))
    desk.post("/undo", act=act)
    assert desk.mapping.read_text("utf-8") == before


def test_a_missing_mail_is_typed_in_its_own_row_alone(desk: Desk) -> None:
    """A mail for an empty cell reaches no other empty one: no total, no hidden row, and none that is added later."""
    desk.write(ticket(1, Correo=""), ticket(2), dict.fromkeys(HEADER, "") | {"Ticket": "TOTAL"}, mapping=NO_TOTALS)
    page = desk.get()
    assert "1 row with the total of the table: it is not sent" in page
    assert "2 rows in the sheet" in page
    assert "looks like the total" not in page
    assert "Correct it" not in page
    group, (action, fields) = desk.group("Correo is empty"), desk.rows("")[0]
    desk.post(f"/group/{group}", to="todos@example.com", scope="sheet")
    assert desk.recorded() == []
    desk.post("/rows/2", **{**fields, "cell.1": "ana@example.com"})
    assert action.endswith("/rows/2")
    assert "All ready: 2 cases" in desk.get()
    with desk.corrections.open(encoding="utf-8-sig") as file:
        assert [row["key"] for row in csv.DictReader(file)] == ["1"]
    desk.write(ticket(9, Correo=""), ticket(1, Correo=""), ticket(2), mapping=NO_TOTALS)
    desk.post("/read-again")
    assert "1 row to correct" in desk.get()


def test_other_empty_cells_are_corrected_in_the_rows_of_the_group(desk: Desk) -> None:
    """One text for what is missing elsewhere is a correction of each row that was shown, and of no later one."""
    desk.write(ticket(1, Detalle=""), ticket(2, Detalle=""))
    desk.post(f"/group/{desk.group('Detalle is empty')}", to="Llamó", scope="sheet")
    assert desk.recorded() == [["Detalle", "", "Llamó"]] * 2
    desk.write(ticket(1, Detalle=""), ticket(2, Detalle=""), ticket(3, Detalle=""))
    desk.post("/read-again")
    assert "1 row to correct" in desk.get()


def test_a_row_that_moved_is_corrected_where_it_is(desk: Desk) -> None:
    """A form of a sheet that was saved meanwhile corrects the row that says the same; else it gives the text back."""
    desk.write(ticket(1, Correo="nadie"), ticket(2, Correo="otro"))
    fields = desk.rows("/rows/2")[0][1]
    desk.write(ticket(8), ticket(2, Correo="otro"), ticket(1, Correo="nadie"))
    desk.get()
    desk.post("/rows/2", **{**fields, "cell.1": "ana@example.com"})
    assert desk.recorded() == [["Correo", "nadie", "ana@example.com"]]
    assert "1 row to correct" in desk.get()
    page = desk.post("/rows/2", 409, **{**fields, "cell.1": "ana2@example.com"})
    assert "You had typed: ana2@example.com" in page
    assert len(desk.recorded()) == 1


def test_an_address_with_spaces_is_proposed_without_them(desk: Desk) -> None:
    """The field begins with the address that the cell nearly is; one with a space elsewhere stays as it is."""
    desk.write(ticket(1, Correo="ana @ correo.example"), ticket(2, Correo="ana maria@correo.example"))
    page = desk.get()
    assert 'value="ana@correo.example"' in page
    assert 'value="ana maria@correo.example"' in page
    assert 'value="ana@correo.example"' in desk.get(f"/group/{desk.group('ana @')}")


def test_nothing_is_corrected_without_a_value(desk: Desk) -> None:
    """An empty choice is said at the form, and what was typed elsewhere is refused kindly."""
    desk.write(ticket(1, Correo="nadie"))
    page = desk.post(f"/group/{desk.group('nadie')}", 409, to="  ", scope="sheet")
    assert page.count("Type or choose the right value first.") == 2
    page = desk.post(f"/group/{desk.group('nadie')}", 409, to="nadie ", scope="sheet")
    assert page.count("The cells already say that.") == 2
    assert desk.recorded() == []


def test_rows_are_corrected_one_by_one(desk: Desk) -> None:
    """A row shows its key and contact beside the faulty cell; only what was typed otherwise is recorded."""
    desk.write(ticket("A1", Correo="nadie"), ticket("A2", Correo="nadie"), ticket("A3"))
    place = f"/group/{desk.group('nadie')}"
    (first, fields), *_others = desk.rows(place)
    assert "A1" in desk.get(place)
    said = desk.post(first.removeprefix(desk.address.removeprefix(desk.page.address)), 409, **fields)
    assert "Nothing was changed in row 2." in said
    name = next(name for name in fields if name.startswith("cell."))
    desk.post(first.removeprefix(desk.address.removeprefix(desk.page.address)), **{**fields, name: "ana@example.com"})
    assert "1 row to correct" in desk.get()
    assert desk.recorded() == [["Correo", "nadie", "ana@example.com"]]


def hold_checks(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let no check end before the event that is returned is set."""
    goes_on = threading.Event()

    def held_back(job: Job) -> CheckedSheet:
        goes_on.wait(20)
        return check_sheet(job)

    monkeypatch.setattr(office_module, "check_sheet", held_back)
    return goes_on


def test_a_double_click_corrects_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same form sent twice, before the sheet is checked again, leaves one correction and says no fault."""
    desk.write(ticket(1, Correo="nadie"), ticket(2, Correo="otro"))
    group, (_action, fields) = desk.group("nadie"), desk.rows("/rows/3")[0]
    goes_on = hold_checks(monkeypatch)
    monkeypatch.setattr(correct, "PATIENCE", 0.0)
    for _click in range(2):
        desk.post(f"/group/{group}", to="ana@example.com", scope="sheet")
        page = desk.post("/rows/3", **{**fields, "cell.1": "luis@example.com", "cell.2": "Otro asunto"})
    assert [to for _column, _before, to in desk.recorded()] == ["ana@example.com", "luis@example.com", "Otro asunto"]
    assert 'value="Otro asunto"' in page
    assert "Corrected: “ana@example.com”. Checking again…" in desk.client.get(desk.address).text
    goes_on.set()
    assert "All ready: 2 cases" in desk.get()


def test_many_clicks_at_once_correct_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Equal forms that come at the same time leave one correction, of a group and of a row."""
    desk.write(ticket(1, Correo="nadie"), ticket(2, Correo="otro"))
    group, (_action, fields) = desk.group("nadie"), desk.rows("/rows/3")[0]
    goes_on = hold_checks(monkeypatch)
    monkeypatch.setattr(correct, "PATIENCE", 0.0)
    whole = SheetCorrections.correct_equal, SheetCorrections.correct_cells
    for name, method in zip(("correct_equal", "correct_cells"), whole, strict=True):

        def slow(*given: object, method: Callable[..., object] = method) -> object:
            time.sleep(0.05)
            return method(*given)

        monkeypatch.setattr(SheetCorrections, name, slow)
    with ThreadPoolExecutor(8) as clicks:
        forms = [(f"/group/{group}", {"to": "ana@example.com", "scope": "sheet"})] * 4
        forms += [("/rows/3", {**fields, "cell.1": "luis@example.com"})] * 4
        for done in [clicks.submit(desk.post, place, **typed) for place, typed in forms]:
            done.result()
    goes_on.set()
    assert sorted(to for _column, _before, to in desk.recorded()) == ["ana@example.com", "luis@example.com"]


@pytest.mark.parametrize("back", ["http://[", "//[", "http://[::", "/\ud800"])
def test_a_malformed_way_back_leads_to_the_page(desk: Desk, back: str) -> None:
    """What no page of ours writes is as good as nothing."""
    desk.write(ticket(1, Correo="nadie"))
    desk.get()
    form = urlencode({"back": back, "act": "x"}, errors="surrogatepass")
    answer = desk.client.post(
        f"{desk.address}/undo", form, headers={"Content-Type": "application/x-www-form-urlencoded"},
        allow_redirects=False,
    )  # fmt: skip
    assert answer.headers["location"] == f"/sheets/{desk.sheet.id}/correct"


def test_a_number_without_end_is_not_there(desk: Desk) -> None:
    """An address with more digits than any sheet has rows names nothing."""
    desk.write(ticket(1))
    for address in (f"{desk.address}/rows/{'9' * 5000}", f"{desk.page.address}/imports/{'9' * 5000}/decide"):
        assert desk.client.get(address).status_code == 404
        assert desk.client.post(address, {"of": "x"}).status_code in {404, 405}


def test_hostile_and_huge_cells_are_text(desk: Desk) -> None:
    """Whatever a cell says stays text; a field that comes back as it was shown is no correction, another one is."""
    cells = [*HOSTILE, "x" * 30_000]
    desk.write(*(ticket(number, Correo="nadie", Asunto=cell) for number, cell in enumerate(cells)))
    desk.get()
    for number, cell in enumerate(cells, 2):
        place = f"/rows/{number}"
        page = desk.client.get(desk.address + place).text
        assert not re.search("<img src=x|\u202e|\x1b", page)
        ((_action, fields),) = [form for form in Forms(page).found if "/rows/" in form[0]]
        assert "Nothing was changed" in desk.post(place, 409, **fields)
        desk.post(place, **{**fields, f"cell.{HEADER.index('Asunto')}": f"{cell.strip()}!"})
    assert [(column, before) for column, before, _to in desk.recorded()] == [("Asunto", cell) for cell in cells]
    assert "7 rows to correct" in desk.get()


def test_a_stale_form_corrects_nothing(desk: Desk) -> None:
    """A row that was shown before the sheet changed, and a group that is gone, are said to be so; nothing is lost."""
    desk.write(ticket(1, Correo="nadie"), ticket(2))
    group = desk.group("nadie")
    ((action, fields),) = desk.rows("/rows/2")
    desk.write(ticket(2), ticket(1, Correo="nadie@example.com"))
    desk.get()
    assert "has changed since this was shown" in desk.post("/rows/2", 409, **{**fields, "cell.1": "otro@example.com"})
    assert "has changed since this was shown" in desk.post(f"/group/{group}", 409, to="x@example.com", scope="sheet")
    assert "Nothing is left to correct here" in desk.get(f"/group/{group}")
    assert action.endswith("/rows/2")
    assert desk.recorded() == []


def test_closed_cases_without_an_answer(desk: Desk) -> None:
    """The answer is typed, or another status chosen, for the rows of the group alone: no other empty answer."""
    closed = {"Estado": "Cerrado", "Solución": ""}
    desk.write(ticket(1, **closed), ticket(2, **closed), ticket(3), ticket(4, Estado="Cerrado", Solución="ya"))
    group = desk.group("Closed cases without an answer")
    status, solution = (str(HEADER.index(name)) for name in ("Estado", "Solución"))
    desk.post(f"/group/{group}", to="Se llamó", scope="rows", column=solution)
    assert desk.recorded() == [["Solución", "", "Se llamó"]] * 2
    page = desk.get()
    assert "“Se llamó”, in 2 cells of this sheet" in page
    assert "All ready: 4 cases" in page
    act = next(fields["act"] for action, fields in Forms(page).found if action.endswith("/undo"))
    desk.post("/undo", act=act)
    desk.get()
    desk.post(f"/group/{group}", to="Abierto", scope="rows", column=status)
    assert desk.recorded() == [["Estado", "Cerrado", "Abierto"]] * 2
    assert "All ready: 4 cases" in desk.get()


def test_repeated_keys_are_corrected_row_by_row(desk: Desk) -> None:
    """Rows with one key are one group, in which each row gets its own."""
    desk.write(ticket("7"), ticket("7"), ticket("8"), ticket("8"), ticket("9"))
    page = desk.get()
    assert page.count("<article") == 1
    assert "Several rows have the same Ticket" in page
    forms = desk.rows(f"/group/{desk.group('Several rows')}")
    assert [fields["cell.0"] for _action, fields in forms] == ["7", "7", "8", "8"]
    desk.post("/rows/3", **{**forms[1][1], "cell.0": "70"})
    assert "2 rows to correct" in desk.get()


@pytest.mark.parametrize("inside", [True, False])
def test_missing_attachments_and_their_folder(desk: Desk, tmp_path: Path, inside: bool) -> None:  # noqa: FBT001
    """Files are named with how many rows want them; a folder that has them is chosen, which the mapping keeps."""
    folder = desk.folder / "fotos" if inside else tmp_path / "elsewhere"
    folder.mkdir()
    (desk.folder / "adjuntos").mkdir()
    (folder / "a.pdf").write_text("a")
    (folder / "b.pdf").write_text("b")
    rows = (ticket(1, Archivo="a.pdf;b.pdf"), ticket(2, Archivo="a.pdf"))
    desk.write(*rows, mapping=MAPPING + WITH_FILES, columns=("Archivo",))
    page = desk.get()
    assert re.search(r"<bdi>a.pdf</bdi> <span class=\"hint\">2 rows", page)
    assert ("2 of them are there" in page) is inside
    group = desk.group("Files named in Archivo are missing")
    assert "Choose a folder" in desk.post("/folder", 409, group=group)
    assert "There is no folder" in desk.post("/folder", 409, group=group, other=str(folder / "no"))
    desk.post("/folder", group=group, **({"folder": str(folder)} if inside else {"other": f'"{folder}"'}))
    assert "All ready: 2 cases" in desk.get()
    assert ("folder: fotos" if inside else str(folder)) in desk.mapping.read_text("utf-8")


def test_files_that_were_put_into_the_folder_are_found(desk: Desk) -> None:
    """Search again finds what was put there meanwhile, though neither the sheet nor the mapping has changed."""
    (desk.folder / "adjuntos").mkdir()
    desk.write(ticket(1, Archivo="a.pdf"), mapping=MAPPING + WITH_FILES, columns=("Archivo",))
    assert "Files named in Archivo are missing" in desk.get()
    (desk.folder / "adjuntos" / "a.pdf").write_text("a")
    desk.post("/read-again")
    assert "All ready: 1 case to send" in desk.get()


@pytest.mark.parametrize(("lock", "program"), [("~$semana.csv", "Excel"), (".~lock.semana.csv#", "LibreOffice")])
def test_a_sheet_that_is_open_elsewhere(desk: Desk, lock: str, program: str) -> None:
    """While a program has the sheet open, the page says that unsaved work is not seen."""
    desk.write(ticket(1))
    assert "is open in" not in desk.get()
    (desk.folder / lock).touch()
    assert f"open in {program}" in desk.get()


def test_excel_wins(desk: Desk) -> None:
    """A correction whose cell says something else by now is set aside, listed, and can be removed."""
    desk.write(ticket(1, Correo="nadie"), ticket(2, Correo="otro"))
    desk.post("/rows/2", **{**desk.rows("/rows/2")[0][1], "cell.1": "ana@example.com"})
    desk.write(ticket(1, Correo="luis@example.com"), ticket(2, Correo="otro"))
    desk.post("/read-again")
    page = desk.get()
    assert "1 correction no longer fits the sheet" in page
    assert "Reason: the sheet now says something else." in page
    act = next(fields["act"] for action, fields in Forms(page).found if action.endswith("/undo"))
    desk.post("/undo", act=act)
    assert "does not fit" not in desk.get()
    assert desk.recorded() == []


def test_a_corrected_copy(desk: Desk) -> None:
    """The copy has the corrections in it; the sheet has not, and nothing is left behind."""
    desk.write(ticket(1, Correo="nadie"))
    before = desk.source.read_bytes()
    desk.post(f"/group/{desk.group('nadie')}", to="ana@example.com", scope="sheet")
    copy = desk.client.get(desk.address + "/copy")
    assert "semana" in copy.headers["content-disposition"]
    assert "ana@example.com" in copy.content.decode("utf-8-sig")
    assert desk.source.read_bytes() == before


def test_many_groups_are_paged(desk: Desk) -> None:
    """Ten groups are on a page, and the page of a number that is too large is the last one."""
    desk.write(*(ticket(n, Correo=f"nadie{n}") for n in range(1, 26)))
    assert [desk.get(f"?page={number}").count("<article") for number in (1, 2, 3, 99)] == [10, 10, 5, 5]
    assert 'href="?page=2#page"' in desk.get()


def test_a_sheet_without_a_mapping_is_matched_first(desk: Desk) -> None:
    """Without a mapping there is nothing to check: the page Match columns is next."""
    desk.write(ticket(1))
    desk.sheet.mapping = None
    answer = desk.client.get(desk.address, allow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/sheets/{desk.sheet.id}/match")


@pytest.mark.parametrize(
    ("fault", "says"), [("column", "Match columns"), ("source", "Read it again"), ("yaml", "Match columns")]
)
def test_what_is_wrong_with_the_whole_sheet(desk: Desk, fault: str, says: str) -> None:
    """A mapping that does not fit and a file that is gone are said with their remedy, as a page and not as a fault."""
    desk.write(ticket(1), mapping=MAPPING.replace("Correo", "E-mail del cliente") if fault == "column" else MAPPING)
    if fault == "source":
        desk.source.unlink()
    if fault == "yaml":
        desk.mapping.write_text("fields: [", "utf-8")
    page = desk.get()
    assert ("The sheet cannot be checked" if fault == "source" else "The sheet and its columns do not match") in page
    assert f'class="button main" href="/sheets/{desk.sheet.id}/match"' in page or "main" in page.split(says)[0][-40:]
    assert says in page


def test_a_folder_is_asked_about(desk: Desk, tmp_path: Path) -> None:
    """A folder elsewhere that the mapping names is read once the person says yes, who is not asked again."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "a.pdf").write_text("a")
    mapping = MAPPING + WITH_FILES.replace("adjuntos", str(folder))
    desk.write(ticket(1, Archivo="a.pdf"), mapping=mapping, columns=("Archivo",))
    page = desk.get()
    assert "A question first" in page
    assert "--allow-folder" not in page
    desk.post("/allow", about=str(tmp_path))
    assert "A question first" in desk.get()
    desk.post("/allow", about=str(folder))
    assert "All ready: 1 case" in desk.get()


@pytest.mark.parametrize(
    ("note", "says"),
    [
        ("/m.yml:3:7: fields.status.values.Hecho: no cell of Estado is 'Hecho'", ""),
        ("3 hidden rows are skipped (source.hidden: include reads them).", "3 hidden rows are skipped."),
        (
            "Read as cp1252 with ; between; source.encoding and source.delimiter override this.",
            "Read as cp1252 with ; between.",
        ),
        ("Row 9 is a total. Leave it out with source.skip_if: {No. Radicado: TOTAL}.", "Row 9 is a total."),
        ("It is not known. Add one: `--server a`.", "It is not known."),
        ("Row 3: a (b) stays; so does this.", "Row 3: a (b) stays; so does this."),
    ],
)
def test_notes_are_in_plain_words(note: str, says: str) -> None:
    """A note of a check loses what names keys and options, and one about unused parts of the mapping is left out."""
    assert in_plain_words(note, Path("/m.yml")) == says


def test_several_options_are_typed(desk: Desk) -> None:
    """A cell with several options has no list to choose one from, which would take the place of all."""
    options = "form:\n  Temas: {column: Asunto, type: multi-select, separator: ';', values: {a: A, b: B}}\n"
    desk.write(ticket(1, Asunto="a;c"), mapping=re.sub(r"form:\n.*\n", options, MAPPING))
    page = desk.get()
    assert "Whenever it says" not in page
    assert 'value="a;c"' in page


def test_nothing_technical_is_shown(desk: Desk) -> None:
    """No group tells an office to write into a file, to use an option or to type a command."""
    faults = {"Correo": "nadie", "Estado": "Rarísimo", "Prioridad": "?", "Detalle": ""}
    desk.write(
        *(ticket(n, **{column: text}) for n, (column, text) in enumerate(faults.items(), 1)), ticket(""), ticket("")
    )
    page = desk.get()
    for word in ("`", "YAML", "values:", "mapping", "--", "case-importer check"):
        assert word not in page.partition('<div id="top"')[2], word


@pytest.mark.usefixtures("in_spanish")
def test_correcting_with_the_keyboard_and_the_script(desk: Desk, browser: Browser) -> None:
    """Typing and Enter correct in place, the focus goes on to the next row, and what is typed survives a check."""
    desk.write(*(ticket(n, Correo="nadie", Asunto="<img src=x onerror=alert(1)>") for n in (1, 2, 3)))
    place = f"{desk.address}/group/{desk.group('nadie')}"
    with open_in(browser, desk.page) as tab:
        tab.on("dialog", lambda dialog: pytest.fail(dialog.message))
        tab.goto(place)
        tab.get_by_label("Correo fila 2").fill("ana@example.com")
        tab.keyboard.press("Enter")
        expect(tab.locator("#row-2")).to_have_count(0)
        expect(tab.get_by_label("Correo fila 3")).to_be_focused()
        tab.keyboard.type("x")
        tab.goto(desk.address)
        expect(tab.get_by_role("heading", level=1)).to_have_text("2 filas por corregir")
        tab.get_by_label("Valor correcto de «Correo»").fill("luis@example.com")
        tab.keyboard.press("Enter")
        expect(tab.get_by_role("heading", level=1)).to_have_text("Todo listo: 3 casos por enviar")
        tab.get_by_role("button", name="Deshacer").first.click()
        expect(tab.get_by_role("heading", level=1)).to_have_text("2 filas por corregir")
        tab.get_by_role("button", name="Corregir las 2").click()
        expect(tab.get_by_role("alert")).to_contain_text("Las celdas ya dicen eso.")
    assert desk.source.read_text("utf-8").count("nadie") == 3


def test_what_the_engine_refuses_is_said_at_the_form(desk: Desk) -> None:
    """A text that no cell can hold is refused in place, with what was typed, and nothing is recorded."""
    desk.write(ticket(1, Correo="nadie"))
    typed = "y" * 40_000
    page = desk.post(f"/group/{desk.group('nadie')}", 409, to=typed, scope="sheet")
    assert page.count("more than a cell of Excel can hold") == 2
    assert typed in page
    ((_action, fields),) = desk.rows("/rows/2")
    assert typed in desk.post("/rows/2", 409, **{**fields, "cell.3": typed})
    assert desk.recorded() == []


def test_a_workbook_is_corrected_and_copied(desk: Desk) -> None:
    """Numbers and dates of a workbook are corrected as they are shown, and the copy is a workbook again."""
    source = desk.folder / "libro.xlsx"
    book = Workbook()
    book.active.append([*HEADER, "Fecha"])  # type: ignore[union-attr]
    book.active.append([*ticket(1).values(), date(2026, 11, 20)])  # type: ignore[union-attr]
    book.active.append([*ticket(2, Correo="nadie").values(), "ayer"])  # type: ignore[union-attr]
    book.save(source)
    desk.mapping.write_text(MAPPING.replace("form:", "form:\n  Fecha: {column: Fecha, type: date}"), "utf-8")
    sheet = desk.page.office.open(source, desk.mapping)
    desk.shown = sheet
    desk.post(f"/group/{desk.group('ayer')}", to="21/11/2026", scope="sheet")
    desk.post(f"/group/{desk.group('nadie')}", to="ana@example.com", scope="sheet")
    assert "All ready: 2 cases" in desk.get()
    copy = load_workbook(BytesIO(desk.client.get(desk.address + "/copy").content)).active
    assert [cell.value for cell in copy[3]][1] == "ana@example.com"  # type: ignore[index]


def test_what_was_typed_goes_with_its_row(desk: Desk, browser: Browser) -> None:
    """What is typed in one row outlives a change of the language, and goes along when its row moves in the sheet."""
    desk.write(*(ticket(n, Correo="nadie") for n in (1, 2, 3)))
    place = f"{desk.address}/group/{desk.group('nadie')}"
    with open_in(browser, desk.page) as tab:
        tab.goto(place)
        tab.get_by_label("Correo Row 3").fill("luis@example.com")
        tab.reload()
        expect(tab.get_by_label("Correo Row 3")).to_have_value("luis@example.com")
        tab.get_by_label("Correo Row 4").fill("eva@example.com")
        desk.write(ticket(8), ticket(1, Correo="nadie"), ticket(2, Correo="nadie"), ticket(3))
        tab.get_by_label("Correo Row 2").fill("ana@example.com")
        tab.keyboard.press("Enter")
        expect(tab.get_by_label("Correo Row 4")).to_have_value("luis@example.com")
        expect(tab.locator("[data-lost]")).to_contain_text("eva@example.com")


def test_what_was_wrong_stays_while_the_sheet_is_checked(
    desk: Desk, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check that ends takes away neither what was wrong with a form, nor what was typed into another one."""
    desk.write(*(ticket(n, Correo=f"nadie{n}") for n in (1, 2, 3)))
    desk.get()
    goes_on = hold_checks(monkeypatch)
    with open_in(browser, desk.page) as tab:
        tab.goto(desk.address)
        first, second, third = (tab.locator("article").nth(at) for at in range(3))
        first.get_by_role("textbox").fill("ana@example.com")
        tab.keyboard.press("Enter")
        expect(first).to_contain_text("Corrected: “ana@example.com”")
        second.get_by_role("textbox").fill(" ")
        tab.keyboard.press("Enter")
        expect(tab.get_by_role("alert")).to_be_focused()
        third.get_by_role("textbox").fill("luis@")
        goes_on.set()
        expect(tab.get_by_role("heading", level=1)).to_have_text("2 rows to correct")
        expect(tab.locator("article")).to_have_count(2)
        expect(tab.get_by_role("alert")).to_be_visible()
        expect(first).to_contain_text("Type or choose the right value first.")
        expect(second.get_by_role("textbox")).to_have_value("luis@")
        expect(second.get_by_role("textbox")).to_be_focused()


def test_axe_finds_nothing(desk: Desk, browser: Browser) -> None:
    """The page, a group and a row are free of what axe finds, also in Spanish and where the window is narrow."""
    closed = {"Estado": "Cerrado", "Solución": ""}
    desk.write(ticket(1, Correo="nadie"), ticket(2, **closed), ticket(3, **closed), ticket("7"), ticket("7"))
    places = ("", f"/group/{desk.group('nadie')}", "/rows/2", "/done")
    with open_in(browser, desk.page, viewport={"width": 320, "height": 640}) as tab:
        for place in places:
            tab.goto(desk.address + place)
            assert Axe().run(tab).response["violations"] == []
            assert tab.evaluate("document.documentElement.scrollWidth") == 320


def test_what_was_corrected_last_week_is_offered_in_one_click(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page lists it, corrects it as one deed, and takes it back; Look back says why a row counts as changed."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    mapping = MAPPING.replace("import: office", "import: weekly")
    desk.write(ticket(1, Correo="nadie"), ticket(2, Correo="ninguno"), mapping=mapping)
    with RunningSandbox() as crm:
        job = replace(desk.page.office.job_of(desk.sheet), connection=Connection(crm.url, "demo"), first_run=True)
        corrections = open_corrections(load_job(job))
        corrections.correct_cells([(2, "Correo", "ana@example.com"), (3, "Correo", "eva@example.com")])
        run(load_job(job), EventInterface(agrees=True))
    second = desk.folder / "semana 2.csv"
    second.write_bytes(desk.source.read_bytes())
    desk.shown = desk.page.office.open(second, desk.mapping)
    page = desk.get()
    assert "2 rows were already corrected in an earlier sheet" in page
    assert "Row 2, Correo: “nadie” → “ana@example.com”" in page
    assert "2 of them have changed in the sheet since" in page
    assert "Copy their lines" not in page
    looked = desk.client.get(desk.address.replace("/correct", "/look-back")).text
    assert "Correo was corrected to “ana@example.com” in an earlier sheet and says “nadie” again here." in looked
    assert "Correo: “ana@example.com” → “nadie”" in looked
    desk.post("/earlier")
    page = desk.get()
    assert "already corrected" not in page
    assert "have changed in the sheet since" not in page
    assert "2 cells of several rows, first Correo: “nadie” → “ana@example.com”" in page
    [act] = [fields["act"] for action, fields in Forms(page).found if action.endswith("/undo")]
    desk.post("/undo", act=act)
    assert "2 rows were already corrected" in desk.get()
