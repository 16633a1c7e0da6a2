"""The report in Spanish and Portuguese: every word of it, and its way back whatever the language."""

from __future__ import annotations

import gettext
import re
from collections.abc import Iterator
from functools import partial
from html.parser import HTMLParser
from pathlib import Path

import pytest
from language_support import (
    WORDS,
    Template,
    accented,
    add_catalogue,
    all_templates,
    catalogued,
    english_in,
    patterns,
)
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from promise_support import end_leases
from report_support import COLUMNS, always, content, every_state, row
from run_support import MAPPING, Give, Office, ticket
from test_adopting import lose
from test_lines import HEADER as LINES_HEADER
from test_lines import LINES
from test_lines import MAPPING as LINES_MAPPING
from test_next_steps import run

from importer import messages, report
from importer.errors import ReportError
from importer.messages import speaking
from importer.model import Status
from importer.report.columns import ColumnLayout, own_columns
from importer.sandbox import RunningSandbox, SandboxConfig
from importer.source import open_table

HEADERS = {"es": "fila estado mensaje envío", "pt": "linha estado mensagem envio", "en": "row status message run"}
"""What people call columns of their own sheets."""

STATES = [
    *("created", "changed", "created", "invalid", "invalid", "rejected", "unknown", "conflict"),
    *("planned", "sending", "skipped"),
]
"""The states of `every_state`."""


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    """Give an office whose CRM does not know the contact of ticket 5."""
    known = [*(f"cliente{number}@example.com" for number in (1, 2, 3, 4, 6, 7, 8)), "a@x.example", "b@x.example"]
    with RunningSandbox(config=SandboxConfig(contacts=tuple(known))) as sandbox:
        yield Office(tmp_path, sandbox)


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Speak Spanish and Portuguese as far as a report is read back."""
    folder = tmp_path / "locale"
    for tag, translations in WORDS.items():
        add_catalogue(folder, tag, translations | {"(column {letter})": "(columna {letter})"})
    monkeypatch.setattr(messages, "FOLDER", str(folder))


@pytest.fixture
def accents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Speak a Spanish that is English with accents, complete by its nature."""
    folder = tmp_path / "locale"
    add_catalogue(folder, "es", {template: accented(template) for template in all_templates()})
    monkeypatch.setattr(messages, "FOLDER", str(folder))


# ------------------------------------------------------------------------------------------------ the words


def test_the_words_of_a_report_are_those_of_the_reports_in_the_world() -> None:
    """A word that a report is read back by stays, since reports that have it are kept for years."""
    for tag, translations in WORDS.items():
        with speaking(tag):
            spoken = {word: messages.translated(word) for word in translations if "{" not in word}
        others = {word: said for word, said in spoken.items() if said not in {word, translations[word]}}
        assert others == {}, tag


def translation(tag: str, template: Template) -> Template:
    """Return the translation of a template, with its braces; the template itself where there is none."""
    try:
        catalogue = gettext.translation(messages.DOMAIN, messages.FOLDER, [tag])
    except OSError:
        return template
    if isinstance(template, str):
        return catalogue.gettext(template)
    return tuple(catalogue.ngettext(template[0], template[1], count) for count in (1, 2))


@pytest.mark.parametrize("tag", ["es", "pt"])
def test_sentences_name_the_sheets_as_the_workbook_does(tag: str) -> None:
    """A sentence that sends a person to a sheet names the one that is there."""
    named = re.compile("(?:sheet `?|\\b(?=To decide|Issues))(Report|Summary|Issues|To decide|Details)\\b")
    wrong = []
    for template in all_templates():
        said = translation(tag, template)
        for english, other in zip(
            *([each] if isinstance(each, str) else each for each in (template, said)), strict=True
        ):
            wrong += [
                (other, name) for name in named.findall(english) if other != english and WORDS[tag][name] not in other
            ]
    assert wrong == []


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize("tag", ["es", "pt"])
def test_a_workbook_has_the_words_of_its_language(tmp_path: Path, tag: str) -> None:
    """Sheets, our headers, states, the choice of a verdict and the months; ids keep the names that the CRM gives.

    The sheet has a column Estado of its own, so ours is marked.
    """
    words = WORDS[tag]
    rows = [*every_state(), row(13, Status.PART, part_of=2, message="…")]
    with speaking(tag):
        path = report.write(tmp_path / "t.report.xlsx", content(rows), always).path
    workbook = load_workbook(path)
    assert workbook.sheetnames == [words[name] for name in ("Summary", "Report", "Issues", "To decide", "Details")]
    sheet = workbook[words["Report"]]
    header = [cell.value for cell in sheet[1]]
    ours = [{"status": "estado (wolkvox)"}.get(name, words.get(name, name)) for name in report.OWN_COLUMNS]
    assert header == ["Ticket", *ours[1:5], *COLUMNS[1:], ours[0], *ours[5:]]
    states = [line[header.index(ours[1])].value for line in sheet.iter_rows(min_row=2)]
    assert states == [*(words[name] for name in STATES), words["part of row {row}"].format(row=2)]
    assert sheet.cell(2, header.index(words["sent_at"]) + 1).number_format == "dd/mm/yyyy hh:mm:ss"
    choice = workbook[words["To decide"]].data_validations.dataValidation[0]
    assert choice.formula1 == f'"{words["created"]},{words["not created"]}"'
    with speaking(tag):
        assert report_month("2026-05") == words["May {year}"].format(year=2026)
    assert report_month("2026-05") == "2026-05"


def report_month(month: str) -> str:
    """Return what a report calls a month."""
    from importer.report.overview import month_name  # noqa: PLC0415 - behind the face of the room

    return month_name(month)


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize("tag", ["es", "pt"])
def test_a_csv_report_is_the_same_in_every_language(tmp_path: Path, tag: str) -> None:
    """Programs read it: its columns have the English names, and its states are codes."""
    rows = [each for each in every_state() if not each.issues]
    english = report.write(tmp_path / "en.csv", content(rows), always).path.read_bytes()
    with speaking(tag):
        assert report.write(tmp_path / "x.csv", content(rows), always).path.read_bytes() == english


# ------------------------------------------------------------------------------------------------ no English left


class _Page(HTMLParser):
    """The texts of a page, those of its attributes included."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take the attributes that a person meets."""
        self.texts += [value for name, value in attrs if name in {"data-name", "aria-label", "title"} and value]

    def handle_data(self, data: str) -> None:
        """Take a text, but not a script or a stylesheet."""
        if self.cdata_elem is None and data.strip():
            self.texts.append(" ".join(data.split()))


def texts_of(path: Path) -> Iterator[str]:
    """Yield all that a person reads in a report: cells, notes, sheets, lists, charts; or what a page shows."""
    if path.suffix == ".html":
        page = _Page()
        page.feed(path.read_text("utf-8"))
        yield from page.texts
        return
    workbook = load_workbook(path)
    for sheet in workbook.worksheets:
        yield sheet.title
        for line in sheet.iter_rows():
            yield from (str(cell.value) for cell in line if isinstance(cell.value, str))
            yield from (cell.comment.text for cell in line if cell.comment)
        for rule in sheet.data_validations.dataValidation:
            yield from (rule.prompt, rule.promptTitle, rule.error, rule.errorTitle, rule.formula1)


def everything(office: Office, give: Give, tag: str) -> list[Path]:
    """Return the reports of a run of which rows are created, changed, faulty, rejected, in doubt and not sent yet."""
    sheet = [ticket(number) for number in range(1, 9)]  # the CRM does not know the contact of the fifth
    sheet[1] |= {"Estado": "Quizás"}
    sheet[2] |= {"Correo": "nadie"}
    office.write(sheet)
    office.sandbox.inject("server-error:nth=2")
    first = str(office.folder / "first.csv")  # that of the second run is read
    assert give(run(office, "--limit", "3", "--lang", tag, "--report", first)).status == 4
    office.sandbox.inject()
    sheet[0] |= {"Asunto": "otro"}
    office.write(sheet)
    result = give(run(office, "--limit", "1", "--html", "--json", "--lang", tag))
    states = {state for state, count in result.json["counts"].items() if count}
    assert states >= {"created", "changed", "invalid", "rejected", "unknown", "planned"}
    return [office.report, office.report.with_suffix(".html")]


@pytest.mark.usefixtures("accents")
def test_there_is_no_english_left(office: Office, give: Give) -> None:
    """Of a language that has every template, no English one is met in the workbook or on the page."""
    found = [*patterns(all_templates(), accented)]
    for path in everything(office, give, "es"):
        assert english_in(texts_of(path), found) == [], path.name


@pytest.mark.parametrize("tag", ["es", "pt"])
def test_no_template_is_left_untranslated(office: Office, give: Give, tag: str) -> None:
    """Where a catalogue has a translation, the workbook and the page have it too."""
    found = [*patterns(all_templates(), partial(catalogued, tag))]
    for path in everything(office, give, tag):
        assert english_in(texts_of(path), found) == [], path.name


# ------------------------------------------------------------------------------------------------ the way back


def sheet_of(path: Path) -> tuple[Workbook, Worksheet]:
    """Return a report and its sheet `Report`, in whatever language."""
    workbook = load_workbook(path)
    title = next(title for title in workbook.sheetnames if title in {"Report", "Informe", "Relatório"})
    return workbook, workbook[title]


def edit(path: Path, header: str, key: str, value: str) -> None:
    """Change a cell of a report: the one under a header, in the row of this ticket."""
    workbook, sheet = sheet_of(path)
    headers = [cell.value for cell in sheet[1]]
    line = next(line for line in sheet.iter_rows(min_row=2) if str(line[headers.index("Ticket")].value) == key)
    line[headers.index(header)].value = value
    workbook.save(path)


def outcome(path: Path) -> list[tuple[object, ...]]:
    """Return what the rows of a report are, in its order, and which ids and references they have."""
    return [
        (each.row, each.status, each.wolkvox_id, each.id_prefijo, each.reference, each.run)
        for each in report.read_rows(path, open_table)
    ]


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize("order", [("es", "en", "pt"), ("pt", "es", "en")], ids="-".join)
def test_a_report_is_corrected_and_run_in_another_language(
    office: Office, give: Give, order: tuple[str, str, str]
) -> None:
    """Whatever the languages, the same rows have the same outcomes, and what was created is not sent again."""

    def given_back(path: Path, tag: str, *more: str) -> Path:
        words = run(office, "--json", "--lang", tag, *more)
        return Path(give([words[0], str(path), *words[2:]]).json["report"])

    sheet = [ticket(number) for number in range(1, 7)]
    sheet[1] |= {"Estado": "Quizás"}
    office.write(sheet)
    first = given_back(office.source, order[0], "--limit", "4")
    states = [each.status for each in report.read_rows(first, open_table)]
    assert states == ["created", "invalid", "created", "created", "rejected", "planned"]
    edit(first, "Estado", "2", "Abierto")
    edit(first, "Asunto", "3", "Otro asunto")
    second = given_back(first, order[1])
    states = [each.status for each in report.read_rows(second, open_table)]
    assert (states, office.sandbox.posts) == (["created", "created", "changed", "created", "rejected", "created"], 6)
    with speaking(order[1]):
        assert sheet_of(second)[1].title == messages.translated("Report")
    third = given_back(second, order[2])
    assert office.sandbox.posts == 6
    assert [each[:-1] for each in outcome(third)] == [each[:-1] for each in outcome(second)]


OWN = {tag: tuple(WORDS.get(tag, {}).get(name, name) for name in report.OWN_COLUMNS) for tag in ("en", "es", "pt")}


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize("tag", OWN)
@pytest.mark.parametrize(
    "columns",
    [
        ("Ticket", "Asunto"),
        tuple(" ".join(HEADERS.values()).split()),
        ("Estado", "FILA", "código WCI (wolkvox)", "código WCI", "reference"),
        *(tuple(name for name in names if name != left_out) for names in OWN.values() for left_out in names[1:3]),
    ],
    ids=" ".join,
)
def test_no_column_of_the_source_is_taken_for_ours(tag: str, columns: tuple[str, ...]) -> None:
    """Whatever a source calls its columns, in the headers of its report exactly ours are found, in every language."""
    with speaking(tag):
        layout = ColumnLayout.of(content([], columns))
    assert own_columns(columns) == {}
    ours = own_columns(layout.headers)
    assert {name: layout.headers.index(header) for name, header in ours.items()} == layout.own
    assert [layout.headers[place] for place in layout.source] == list(columns)


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize("tag", OWN)
def test_the_other_sheets_are_read_in_every_language(tmp_path: Path, tag: str) -> None:
    """The counts of Summary, the verdicts of To decide as people type them, and the journal's mark in Details."""
    with speaking(tag):
        path = report.write(tmp_path / "t.report.xlsx", content(every_state(), journal=("1234abcd", 7)), always).path
    workbook = load_workbook(path)
    sheet = workbook.worksheets[3]
    column = [cell.value for cell in sheet[1]].index(WORDS.get(tag, {}).get("verdict", "verdict")) + 1
    chosen = {name: WORDS.get(tag, {}).get(name, name) for name in ("created", "not created")}
    sheet.cell(2, column).value, sheet.cell(3, column).value = chosen["not created"].title(), f" {chosen['created']} "
    sheet.cell(3, column + 1).value = "64cbff"
    workbook.save(path)
    for read_in in OWN:
        with speaking(read_in):
            rows = {each.row: each for each in report.read_rows(path, open_table)}
            overview = report.read_overview(path, open_table)
            assert report.is_given_back(path)
            assert report.read_mark(path, open_table) == ("1234abcd", 7)
        assert overview is not None
        assert (overview.created, overview.doubtful, len(overview.to_decide)) == (3, 3, 2)
        assert [(rows[number].verdict, rows[number].wolkvox_id) for number in (8, 9)] == [
            ("not created", None),
            ("created", "64cbff"),
        ]
        assert [each.status for each in rows.values()] == STATES


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize(("one", "other"), [("en", "es"), ("es", "pt"), ("pt", "en")])
def test_the_sheet_in_the_workbook_is_replaced_by_that_of_another_language(
    tmp_path: Path, one: str, other: str
) -> None:
    """It keeps its place; a report that was edited stays, in whatever language it is."""
    source = tmp_path / "tickets.xlsx"
    workbook = Workbook()
    workbook.active.title = "Tickets"
    workbook.active.append(["Ticket", "Asunto"])
    workbook.save(source)
    written: set[str] = set()
    with speaking(one):
        written.add(report.write_back(source, content([row(2)]), open_table, written.__contains__).digest)
    workbook = load_workbook(source)
    workbook.create_sheet("Otra")["A1"] = "queda"
    workbook.save(source)
    with speaking(other):
        written.add(report.write_back(source, content([row(2), row(3)]), open_table, written.__contains__).digest)
        title = messages.translated("Report")
    workbook = load_workbook(source)
    assert (workbook.sheetnames, workbook[title].max_row) == (["Tickets", title, "Otra"], 3)
    assert open_table(source).sheet == "Tickets"
    workbook[title]["B2"].value = "otra cosa"
    workbook.save(source)
    with speaking(one), pytest.raises(ReportError, match=title):
        report.write_back(source, content([row(2)]), open_table, written.__contains__)


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize(
    ("sheet", "refused"), [("Informe", True), ("INFORME", True), ("Report", False), ("Relatório", False)]
)
def test_a_sheet_of_the_users_own_is_not_replaced(tmp_path: Path, sheet: str, *, refused: bool) -> None:
    """Many offices have a sheet Informe of their own; one with our name in another language is in nobody's way."""
    source = tmp_path / "tickets.xlsx"
    workbook = Workbook()
    workbook.active.title = "Tickets"
    workbook.create_sheet(sheet).append(["Mes", "Casos", "estado"])
    workbook.save(source)
    with speaking("es"):
        if refused:
            with pytest.raises(ReportError, match=f"its own sheet {sheet}; rename"):
                report.write_back(source, content([row(2)]), open_table, always)
            return
        for rows in ([row(2)], [row(2), row(3)]):
            report.write_back(source, content(rows), open_table, always)
    workbook = load_workbook(source)
    assert workbook.sheetnames == ["Tickets", sheet, "Informe"]
    assert (workbook["Informe"].max_row, workbook[sheet]["A1"].value) == (3, "Mes")


@pytest.mark.usefixtures("words")
def test_a_workbook_whose_sheets_are_called_like_ours_is_a_source(office: Office, give: Give) -> None:
    """Resumen and Informe are names that people use; what the mapping says of the layout holds for their sheets."""
    source = office.folder / "tickets.xlsx"
    workbook = Workbook()
    workbook.active.title = "Resumen"
    workbook.active.append(["Mes", "Casos"])
    sheet = workbook.create_sheet("Informe")
    for line in (["Informe de casos", "de la semana", "por correo"], [], [*ticket(1)], [*ticket(1).values()]):
        sheet.append(line)
    workbook.save(source)
    office.write([])
    office.mapping.write_text(
        office.mapping.read_text("utf-8").replace("source:", "source:\n  sheet: Informe\n  header_row: 3"), "utf-8"
    )
    words = run(office, "--json", "--lang", "es")
    result = give([words[0], str(source), *words[2:]])
    assert (result.status, result.json["counts"]["created"]) == (0, 1)


@pytest.mark.usefixtures("words")
def test_a_column_without_a_header_makes_no_row_changed(office: Office, give: Give) -> None:
    """Its name is part of what identifies a row's content, so that it is the same in every language."""
    office.mapping.write_text(MAPPING.replace("key: Ticket", "key: content"), "utf-8")
    header = (*ticket(1), "")
    office.write([ticket(number) | {"": "nota"} for number in (1, 2)], header)
    give(run(office, "--lang", "en", "--report", str(office.folder / "first.csv")))
    for suffix in (".xlsx", ".csv"):
        words = run(office, "--json", "--lang", "es", "--report", str(office.folder / f"x.report{suffix}"))
        again = give(words).json
        given_back = give([words[0], again["report"], *words[2:]]).json
        for each in (again, given_back):
            assert (each["counts"]["created"], each["counts"]["changed"], office.sandbox.posts) == (2, 0, 2), suffix


@pytest.mark.usefixtures("words")
def test_what_a_person_decides_in_the_workbook_is_recorded(office: Office, give: Give) -> None:
    """Chosen from the list of a Spanish To decide, recorded by a command that speaks English."""
    office.write([ticket(1), ticket(2)])
    office.sandbox.inject("server-error:nth=2")
    assert give(run(office, "--lang", "es")).status == 4
    office.sandbox.inject()
    end_leases(office.journal, ago=200)
    words = WORDS["es"]
    workbook = load_workbook(office.report)
    sheet = workbook[words["To decide"]]
    sheet.cell(2, [cell.value for cell in sheet[1]].index(words["verdict"]) + 1).value = words["not created"]
    workbook.save(office.report)
    assert give(office.settle("--from", str(office.report))).status == 0
    result = give(run(office, "--json", "--report", str(office.folder / "r.csv")))
    assert (result.status, result.json["counts"]["created"], len(office.sandbox.store.cases)) == (0, 2, 2)


@pytest.mark.usefixtures("words")
def test_a_lost_journal_is_restored_from_a_report_of_another_language(office: Office, give: Give) -> None:
    """A run refuses what it does not know, `adopt` takes it over, and says that a row is gone which Summary counts."""
    office.write([ticket(number) for number in (1, 2, 3)])
    office.sandbox.inject("server-error:nth=2")
    give(run(office, "--lang", "pt"))
    office.sandbox.inject()
    lose(office)
    refused = give(run(office))
    assert (refused.status, office.sandbox.posts) == (2, 3)
    workbook, sheet = sheet_of(office.report)
    sheet.delete_rows(2)
    workbook.save(office.report)
    adopted = give(office.adopt(office.report, "--json"))
    assert "rows-missing" in {each["code"] for each in adopted.json["issues"]}
    again = give(run(office, "--json", "--report", str(office.folder / "r.csv")))
    assert again.json["counts"]["unknown"] == 1


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_further_lines_and_skipped_rows_stay_what_they_are(office: Office, give: Give, suffix: str) -> None:
    """A further line goes with its case, and what was skipped is left out, also where the mapping does not say so."""
    without_files = "".join(
        line for line in LINES_MAPPING.splitlines(keepends=True) if not line.startswith("attachments")
    )
    office.mapping.write_text(without_files.replace("source: {", "source: {skip_if: {Sede: '9'}, "), "utf-8")
    office.write([*LINES, LINES[1] | {"Ticket": "C", "Correo": "c@x.example", "Sede": "9"}], LINES_HEADER)
    path = office.folder / f"tickets.report{suffix}"
    words = run(office, "--json", "--lang", "es", "--report", str(path))
    first = give(words).json["counts"]
    office.mapping.write_text(without_files, "utf-8")
    given_back = give([words[0], str(path), *run(office, "--json", "--lang", "pt")[2:]]).json
    assert {**given_back["counts"], "created_now": 0} == {**first, "created_now": 0}
    assert (first["created"], first["part"], first["skipped"], office.sandbox.posts) == (2, 4, 1, 2)
