"""A corrected report is a source: every row is sent once, whichever file it comes from."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet
from run_support import HEADER, MAPPING, Give, Office, Result, ticket

from importer.sandbox import RunningSandbox, SandboxConfig

ROOT = Path(__file__).parent.parent
PHOTO, INVOICE = "fotos/modem.png", "facturas/factura_1178.pdf"
Corrections = Mapping[int, Mapping[str, object]]

LEGACY: Corrections = {
    5: {"Correo cliente": "mf.ossa@correo.example"},
    8: {"Estado": "Abierto"},
    10: {"Correo cliente": "jorge.pena@correo.example"},
    12: {"Solución": "Se atendió en la sede."},
    14: {"Ticket": "HD-00112"},
    16: {"Ticket": "HD-00114"},
    19: {"Asunto": "Revisar los cobros de los últimos doce meses"},
    21: {"Fecha apertura": date(2024, 5, 2)},
    23: {"Adjunto 1": INVOICE},
    27: {"Adjunto 1": PHOTO},
    29: {"Adjunto 2": None},
    31: {"Agente": "Laura Gómez"},
    33: {"Agente": "Paola Cárdenas"},
    35: {"Correo cliente": "rectoria@losandes.example"},
    37: {"Tipo": "Petición"},
    38: {"Prioridad": "Alta"},
    40: {"Adjunto 1": "fotos/fachada.png"},
    42: {"Adjunto 1": INVOICE},
    44: {"Adjunto 1": PHOTO},
    46: {"Valor reclamado": 100_000},
    49: {"Documento": "52334455"},
    51: {"Adjunto 2": None},
    53: {"Adjunto 1": PHOTO},
    55: {"Canal": "Web"},
    57: {"Estado": "En trámite"},
    59: {"Prioridad": "Media"},
    61: {"Asunto": "Copia de factura", "Descripción": "Pide duplicado de la factura."},
    63: {"Adjunto 1": PHOTO},
}
"""The corrections of the planted faults in the report, by the row of the source."""

WEEKLY: Corrections = {
    13: {"Fecha": "28/02/2026"},
    24: {"Estado": "Finalizado"},
    32: {"Correo": "soniaq@buzon.example"},
    45: {"Respuesta": "Se envió la copia."},
}


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """Copy the samples and their mappings."""
    for folder in ("sample_data", "mappings"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("*.report.*"))
    return tmp_path


@pytest.fixture
def run(samples: Path, sandbox: RunningSandbox, give: Give) -> Callable[..., Result]:
    """Run a source of the samples' folder, its mapping named without folder and ending."""

    def execute(source: Path, mapping: str, *more: str) -> Result:
        where = ["--server", sandbox.url, "--operation", "demo", "--journal", str(samples / "journal.db")]
        return give(["run", str(source), "-m", str(samples / "mappings" / f"{mapping}.yml"), *where, "--yes", *more])

    return execute


def columns_by_name(sheet: Worksheet) -> dict[str, int]:
    """Return the columns of a report's sheet by name, counted from 1; of equal names the last, the report's own."""
    return {str(cell.value): cell.column for cell in sheet[1]}


def correct(report: Path, corrections: Corrections) -> None:
    """Write corrections into a report (workbook or CSV), by the row numbers of the source."""
    if report.suffix == ".csv":
        table = pd.read_csv(report, dtype=str, keep_default_na=False)
        for row, cells in corrections.items():
            for column, value in cells.items():
                table.loc[table["row"] == str(row), column] = str(value)
        table.to_csv(report, index=False, lineterminator="\r\n")
        return
    workbook = load_workbook(report)
    sheet = workbook["Report"]
    where = columns_by_name(sheet)
    numbers = {sheet.cell(line, where["row"]).value: line for line in range(2, sheet.max_row + 1)}
    for row, cells in corrections.items():
        for column, value in cells.items():
            sheet.cell(numbers[row], where[column]).value = value
    workbook.save(report)


def assert_each_once(sandbox: RunningSandbox, cases: int) -> None:
    """Assert the number of cases, each with its own reference, and that each took one POST."""
    references = [case.reference for case in sandbox.store.cases]
    assert len(set(references)) == len(references) == sandbox.posts == cases
    assert None not in references


def test_r14_every_planted_fault_corrected_in_the_report(
    samples: Path, sandbox: RunningSandbox, run: Callable[..., Result]
) -> None:
    """The corrected report of the legacy sample creates every missing case; the original then adds none."""
    source = samples / "sample_data" / "legacy_tickets.xlsx"
    first = run(source, "legacy-tickets", "--json")
    assert (first.status, first.json["counts"]["invalid"]) == (1, len(LEGACY) + 1)  # a repeated key is two issues
    report = Path(first.json["report"])
    correct(report, LEGACY)
    second = run(report, "legacy-tickets", "--json")
    assert (second.status, [reason["status"] for reason in second.json["reasons"]]) == (0, ["skipped"])
    assert (second.json["counts"]["created"], second.json["counts"]["skipped"]) == (61, 1)
    assert second.json["created_now"] == len(LEGACY) + 1
    assert_each_once(sandbox, 61)
    third = run(source, "legacy-tickets", "--json")
    assert (third.status, third.json["calls"], third.json["counts"]["planned"]) == (1, 0, 0)
    assert {reason["status"] for reason in third.json["reasons"]} == {"created", "invalid", "skipped"}
    assert_each_once(sandbox, 61)


def test_the_report_shows_numbers_and_dates_as_the_source_did(samples: Path, run: Callable[..., Result]) -> None:
    """Every cell of the source is in the report with its value and its number format."""
    source = samples / "sample_data" / "legacy_tickets.xlsx"
    report = Path(run(source, "legacy-tickets", "--json", "--limit", "1").json["report"])
    before, after = load_workbook(source)["Tickets"], load_workbook(report)["Report"]
    places, row = columns_by_name(after), columns_by_name(after)["row"]
    compared = 0
    for line in range(2, after.max_row + 1):
        for header in before[1]:
            was = before.cell(after.cell(line, row).value, header.column)
            cell = after.cell(line, places[str(header.value)])
            assert cell.value == was.value
            if isinstance(was.value, int | date):
                assert cell.number_format == was.number_format
                compared += was.number_format == '"$" #,##0'
    assert compared > 10


def test_r14_a_csv_report_corrected(samples: Path, sandbox: RunningSandbox, run: Callable[..., Result]) -> None:
    """A CSV report is corrected and given back like a workbook; its apostrophes before formulas are removed."""
    source = samples / "sample_data" / "weekly_backoffice.csv"
    report = source.with_name("weekly.report.csv")
    assert run(source, "weekly-backoffice", "--report", str(report)).status == 1
    correct(report, WEEKLY)
    second = run(report, "weekly-backoffice", "--json")
    assert (second.status, second.json["counts"]["created"]) == (0, 50)
    assert_each_once(sandbox, 50)
    assert run(source, "weekly-backoffice", "--json").json["calls"] == 0
    assert_each_once(sandbox, 50)


def save_as_spanish_excel(report: Path) -> None:
    """Save a CSV report as a Spanish Excel does: semicolons and cp1252."""
    with report.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    with report.open("w", encoding="cp1252", newline="") as file:
        csv.writer(file, delimiter=";").writerows(rows)


def test_r14_a_csv_report_that_excel_saved(samples: Path, sandbox: RunningSandbox, run: Callable[..., Result]) -> None:
    """Another separator and encoding are recognised, and a skipped row stays skipped, though CSV hides no rows."""
    source = samples / "sample_data" / "legacy_tickets.xlsx"
    report = source.with_name("legacy.report.csv")
    assert run(source, "legacy-tickets", "--report", str(report)).status == 1
    created = sandbox.posts
    save_as_spanish_excel(report)
    second = run(report, "legacy-tickets", "--json")
    assert (second.json["calls"], second.json["counts"]["created"]) == (0, created)


def test_r14_what_the_mapping_says_of_the_sources_layout_holds_for_no_report(office: Office, give: Give) -> None:
    """The header row that the mapping gives for the source is not applied to its report."""
    office.write([ticket(1), ticket(2, Correo="nobody")])
    office.source.write_text("Casos de la semana\n\n" + office.source.read_text("utf-8"), "utf-8")
    office.mapping.write_text(MAPPING.replace("  key:", "  header_row: 3\n  key:"), "utf-8")
    assert give(office.arguments("run", "--yes")).status == 1
    correct(office.report, {5: {"Correo": "cliente2@example.com"}})
    assert give(run_arguments(office, office.report)).status == 0
    assert_each_once(office.sandbox, 2)


def run_arguments(office: Office, source: Path, *more: str) -> list[str]:
    """Return the arguments for a run of another source with the same mapping and journal."""
    command, _source, *rest = office.arguments("run", "--yes", "--json", *more)
    return [command, str(source), *rest]


@pytest.mark.parametrize("ending", ["xlsx", "csv"])
def test_r14_rows_without_a_key_are_known_by_their_reference(office: Office, give: Give, ending: str) -> None:
    """Under `key: content` the corrected report sends only the corrected row; the original then sends nothing."""
    office.mapping.write_text(MAPPING.replace("key: Ticket", "key: content"), "utf-8")
    office.write([ticket(1), ticket(1), ticket(2, Correo="nobody", Asunto="-5 %"), ticket(3, Detalle="=1+1")])
    report = office.folder / f"tickets.report.{ending}"
    assert give(office.arguments("run", "--yes", "--report", str(report))).status == 1
    correct(report, {4: {"Correo": "cliente2@example.com"}})
    second = give(run_arguments(office, report))
    assert (second.status, second.json["counts"]["created"], second.json["created_now"]) == (0, 4, 1)
    assert {case.body["form"]["Subject"] for case in office.sandbox.store.cases} == {"Asunto 1", "-5 %", "Asunto 3"}
    third = give(office.arguments("run", "--yes", "--json"))
    assert (third.status, third.json["counts"]["changed"], third.json["calls"]) == (1, 1, 0)
    assert_each_once(office.sandbox, 4)


FOREIGN = "WCI-0000000000000000"


OF_ANOTHER_ROW = "of another row"


@pytest.mark.parametrize(
    ("key", "edits"),
    [
        ("Ticket", {FOREIGN: "reference-edited", OF_ANOTHER_ROW: "reference-edited"}),
        ("content", {FOREIGN: "reference-foreign", OF_ANOTHER_ROW: "reference-repeated", None: "reference-missing"}),
    ],
    ids=["Ticket", "content"],
)
def test_r14_a_reference_that_is_not_the_rows_own_is_an_issue(
    office: Office, give: Give, key: str, edits: Mapping[str | None, str]
) -> None:
    """A row with an edited, foreign, repeated or missing reference is an issue and is not sent."""
    office.mapping.write_text(MAPPING.replace("key: Ticket", f"key: {key}"), "utf-8")
    office.write([ticket(1), ticket(2, Correo="nobody"), *(ticket(3 + n, Correo="nobody") for n in range(len(edits)))])
    assert give(office.arguments("run", "--yes")).status == 1
    another = office.reported()["reference"][1]
    written = [another if edit == OF_ANOTHER_ROW else edit for edit in edits]
    corrections = {row: {"Correo": "ana@example.com", "reference": edit} for row, edit in enumerate(written, 4)}
    correct(office.report, corrections)
    result = give(run_arguments(office, office.report))
    assert (result.status, result.json["calls"]) == (1, 0)
    found = {(reason["row"], reason["code"]) for reason in result.json["reasons"]}
    assert set(enumerate(edits.values(), 4)) <= found
    assert_each_once(office.sandbox, 1)


@pytest.fixture
def strict_office(tmp_path: Path) -> Iterator[Office]:
    """Give an office whose CRM knows three contacts."""
    contacts = tuple(f"cliente{number}@example.com" for number in (1, 2, 3))
    with RunningSandbox(config=SandboxConfig(contacts=contacts)) as sandbox:
        yield Office(tmp_path, sandbox)


def test_only_what_was_invalid_or_rejected(strict_office: Office, give: Give) -> None:
    """`--only` sends the corrected rows, retries the rejected ones, and counts only these; the report has all rows."""
    strict_office.write([ticket(1), ticket(2, Correo="nobody"), ticket(3, Correo="nobody"), ticket(4)])
    first = give(strict_office.arguments("run", "--yes", "--json"))
    assert [first.json["counts"][state] for state in ("created", "invalid", "rejected")] == [1, 2, 1]
    strict_office.write([ticket(1), ticket(2), ticket(3, Correo="nobody"), ticket(4), ticket(5)])
    result = give(strict_office.arguments("run", "--yes", "--json", "--only", "invalid,rejected"))
    assert (result.status, result.json["rows"], result.json["created_now"]) == (1, 3, 1)
    assert "rows that are or were in these states: invalid, rejected" in result.err
    assert (result.json["counts"]["invalid"], result.json["counts"]["rejected"]) == (1, 1)
    assert strict_office.sandbox.posts == 4  # the rejected row a second time, and nothing of the new row
    states = ["created", "created", "invalid", "rejected", "planned"]
    assert list(strict_office.reported()["status"]) == states
    summary = [str(cell.value) for cell in load_workbook(strict_office.report)["Summary"]["B"]]
    assert any(text.startswith("Only the 3 rows that are or were invalid or rejected are") for text in summary)
    assert len(strict_office.sandbox.store.cases) == 2


def test_a_filtered_report_is_a_source(strict_office: Office, give: Give) -> None:
    """A report with only the faulty rows can be corrected and given back, in one run or in several."""
    strict_office.write([ticket(1), ticket(2, Correo="nobody"), ticket(3, Correo="nobody"), ticket(4)])
    give(strict_office.arguments("run", "--yes"))
    filtered = strict_office.folder / "faulty.xlsx"
    only = ["--only", "invalid,rejected"]
    assert give(strict_office.arguments("report", *only, "--report", str(filtered))).status == 1
    assert list(strict_office.reported(filtered)["status"]) == ["invalid", "invalid", "rejected"]
    correct(filtered, {row: {"Correo": "cliente1@example.com"} for row in (3, 4, 5)})
    limited = give(run_arguments(strict_office, filtered, *only, "--limit", "2"))
    assert (limited.status, limited.json["created_now"], limited.json["counts"]["planned"]) == (3, 2, 1)
    rest = give(run_arguments(strict_office, filtered, *only))
    assert (rest.status, rest.json["created_now"], rest.json["rows"]) == (0, 1, 3)
    references = [case.reference for case in strict_office.sandbox.store.cases]
    assert len(set(references)) == len(references) == 4


def test_a_report_of_some_rows_replaces_none_of_all_rows(strict_office: Office, give: Give) -> None:
    """`report --only` takes the next name beside a fuller report, and its own place again the next time."""
    strict_office.write([ticket(1), ticket(2, Correo="nobody")])
    give(strict_office.arguments("run", "--yes"))
    for _ in range(2):
        some = give(strict_office.arguments("report", "--only", "invalid", "--json")).json
        assert Path(some["report"]).name == "tickets (2).report.xlsx"
        assert any("shows more rows than were selected" in note for note in some["notes"])
    assert list(strict_office.reported()["status"]) == ["created", "invalid"]
    assert list(strict_office.reported(Path(some["report"]))["status"]) == ["invalid"]


def test_what_only_leaves_can_be_sent_without_it(strict_office: Office, give: Give) -> None:
    """A corrected row beyond the limit counts as planned, and the next step says how to send it."""
    strict_office.write([ticket(1, Correo="nobody"), ticket(2, Correo="nobody")])
    give(strict_office.arguments("run", "--yes"))
    strict_office.write([ticket(1), ticket(2)])
    limited = give(strict_office.arguments("run", "--yes", "--json", "--only", "invalid", "--limit", "1"))
    assert (limited.status, limited.json["created_now"]) == (3, 1)
    assert "without --only" in limited.json["next"]
    none = give(strict_office.arguments("run", "--yes", "--json", "--only", "invalid"))
    assert (none.json["rows"], none.json["calls"]) == (0, 0)
    assert "Nothing to do" in none.json["next"]
    assert give(strict_office.arguments("run", "--yes", "--json")).json["created_now"] == 1


@pytest.mark.parametrize(
    "wrong", [["--only", "faulty"], ["--only", ""], ["--only", "invalid", "--write-back"]], ids=" ".join
)
def test_only_refuses_what_it_cannot_mean(office: Office, give: Give, wrong: list[str]) -> None:
    """Unknown states, an empty list, and `--write-back` beside `--only` are refused at the start."""
    office.write([ticket(1)])
    result = give(office.arguments("run", "--yes", *wrong))
    assert (result.status, office.sandbox.posts) == (2, 0)
    assert "--only" in result.err


def workbook_of(office: Office) -> Path:
    """Write the office's tickets to a workbook with a second sheet, and return its path."""
    path = office.folder / "tickets.xlsx"
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Tickets"
    rows = [ticket(1), ticket(1, Ticket="2"), ticket(3, Correo="nobody")]
    for line in (HEADER, *([row[name] for name in HEADER] for row in rows)):
        sheet.append(list(line))
    book.create_sheet("Resumen").append(["Casos", "=COUNTA(Tickets!A:A)"])
    book.save(path)
    office.write([])
    return path


@pytest.mark.parametrize("key", ["Ticket", "content"])
def test_p4_a_source_with_its_report_written_back_is_the_same_source(office: Office, give: Give, key: str) -> None:
    """After --write-back the source's own sheet is read again, and nothing is sent twice.

    A correction in that sheet is sent if rows have a key; without one, the import is bound to the original file.
    """
    source = workbook_of(office)
    office.mapping.write_text(MAPPING.replace("key: Ticket", f"key: {key}"), "utf-8")
    assert give(run_arguments(office, source, "--write-back")).status == 1
    assert load_workbook(source).sheetnames == ["Tickets", "Resumen", "Report"]
    for _time in range(2):
        result = give(run_arguments(office, source, "--write-back"))
        assert (result.status, result.json["calls"], result.json["counts"]["created"]) == (1, 0, 2)
    assert_each_once(office.sandbox, 2)
    assert list(office.reported(source)["status"]) == ["created", "created", "invalid"]
    book = load_workbook(source)
    book["Tickets"].cell(4, HEADER.index("Correo") + 1).value = "cliente3@example.com"
    book.save(source)
    corrected = give(run_arguments(office, source))
    assert corrected.status == (2 if key == "content" else 0)
    assert_each_once(office.sandbox, 2 if key == "content" else 3)


def test_p5_an_edited_sheet_report_of_the_source_stays(office: Office, give: Give) -> None:
    """--write-back renews a sheet that an earlier run wrote, and leaves one that a person edited since."""
    source = workbook_of(office)
    for limit in (["--limit", "1"], []):
        assert "is now in" in give(run_arguments(office, source, "--write-back", *limit)).out
    book = load_workbook(source)
    book["Report"]["A2"] = "corrected"
    book.save(source)
    edited = source.read_bytes()
    assert "its sheet Report was edited" in give(run_arguments(office, source, "--write-back")).out
    assert source.read_bytes() == edited


def test_a_case_is_a_link_where_its_address_is_known(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """WOLKVOX_CASE_URL makes each id a link to its case, also in the sheet that is written back."""
    monkeypatch.setenv("WOLKVOX_CASE_URL", "https://crm.example/cases/{wolkvox_id}?tab=1")
    source = workbook_of(office)
    give(run_arguments(office, source, "--write-back"))
    for path in (office.folder / "tickets.report.xlsx", source):
        sheet = load_workbook(path)["Report"]
        column = columns_by_name(sheet)["wolkvox_id"]
        cells = [sheet.cell(line, column) for line in (2, 3, 4)]
        links = [cell.hyperlink and cell.hyperlink.target for cell in cells]
        expected = [f"https://crm.example/cases/{cell.value}?tab=1" for cell in cells[:2]]
        assert links == [*expected, None]


def test_an_address_that_leads_to_no_case_is_refused(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a placeholder for the id, WOLKVOX_CASE_URL stops the run at the start, with what to write."""
    monkeypatch.setenv("WOLKVOX_CASE_URL", "https://crm.example/cases/")
    office.write([ticket(1)])
    result = give(office.arguments("run", "--yes"))
    assert (result.status, office.sandbox.posts) == (2, 0)
    assert "{wolkvox_id}" in result.err


def test_r16_a_row_that_shows_another_rows_id_is_not_sent(office: Office, give: Give) -> None:
    """In the source's own column of ids, each row must have its own id or none; otherwise it is an issue."""
    office.write([ticket(1), ticket(2)])
    assert give(office.arguments("run", "--yes")).status == 0
    first, second = office.reported()["wolkvox_id"]
    reference = office.reported()["reference"][0]
    ids = {1: first, 2: second, 3: first, 4: "", 5: "", 6: ""}
    office.write([{**ticket(n), "Wolkvox-ID": shown} for n, shown in ids.items()], [*ticket(1), "Wolkvox-ID"])
    result = give(office.arguments("run", "--yes", "--json"))
    assert (result.status, result.json["created_now"], office.sandbox.posts) == (1, 3, 5)
    (reason,) = result.json["reasons"]
    assert [reason[name] for name in ("row", "code", "column", "value")] == [
        4,
        "id-of-another-row",
        "Wolkvox-ID",
        first,
    ]
    assert reference in reason["message"]
    assert give(["check", str(office.source), "-m", str(office.mapping)]).status == 0
    office.write([{**ticket(n), "Wolkvox-ID": ""} for n in ids], [*ticket(1), "Wolkvox-ID"])
    assert give(office.arguments("run", "--yes")).status == 0
    assert_each_once(office.sandbox, 6)


def test_r16_a_report_whose_key_was_rewritten_sends_no_second_case(office: Office, give: Give) -> None:
    """Even without its reference, a row's id shows that it is a case, and under which reference."""
    office.write([ticket(1), ticket(2), ticket(3, Correo="nobody")])
    assert give(office.arguments("run", "--yes")).status == 1
    reference = office.reported()["reference"][1]
    correct(office.report, {3: {"Ticket": "900", "reference": None}, 4: {"Correo": "cliente3@example.com"}})
    result = give(run_arguments(office, office.report))
    assert (result.status, result.json["created_now"]) == (1, 1)
    (reason,) = (one for one in result.json["reasons"] if one["code"] == "id-of-another-row")
    assert reason["column"] == "wolkvox_id"
    assert reference in reason["message"]
    assert_each_once(office.sandbox, 3)


ALTERED = {
    "cut": "x" * 33_000 + "FIN",
    "cut between the halves of an emoji": "\N{GRINNING FACE}" * 20_000,
    "control characters": "tone \x07 and \x1b[1m",
    "a NUL": "a\x00b",
}
"""Texts that no cell of a workbook can hold as they are."""


def test_p4_text_that_the_report_altered_is_never_sent(office: Office, give: Give) -> None:
    """A cell that the report cut, or whose characters it replaced, is an issue when it is given back, and not sent."""
    altered = [ticket(n, Correo="nobody", Detalle=text) for n, text in enumerate(ALTERED.values(), 1)]
    rows = range(2, 3 + len(altered))
    office.write([*altered, ticket(9, Correo="nobody")])
    assert give(office.arguments("run", "--yes")).status == 1
    correct(office.report, {row: {"Correo": "ana@example.com"} for row in rows})
    result = give([*given_back(office), "--json"])
    counts = result.json["counts"]
    assert (result.status, counts["created"], counts["invalid"]) == (1, 1, len(altered))
    assert [(reason["row"], reason["code"]) for reason in result.json["reasons"]] == [
        (row, "altered-in-report") for row in rows[:-1]
    ]
    assert office.sandbox.posts == 1


@pytest.mark.parametrize("key", ["Ticket", "content"])
def test_p4_a_case_whose_text_the_report_altered_is_not_changed(office: Office, give: Give, key: str) -> None:
    """An untouched report is not an edit of its rows, though it cannot hold all of their texts, used or not."""
    texts = [text for name, text in ALTERED.items() if name != "a NUL"]
    office.mapping.write_text(MAPPING.replace("key: Ticket", f"key: {key}"), "utf-8")
    rows = [{**ticket(n, Detalle=text), "Extra": text} for n, text in enumerate(texts, 1)]
    office.write(rows, [*HEADER, "Extra"])
    assert give(office.arguments("run", "--yes")).status == 0
    result = give([*given_back(office), "--json"])
    counts = result.json["counts"]
    assert (result.status, counts["created"], counts["changed"]) == (0, len(texts), 0)


def test_p4_a_report_is_checked_without_a_target(office: Office, give: Give) -> None:
    """Without server and operation no reference can be checked, so none of a report's rows is faulty for that."""
    office.write([ticket(1), ticket(2)])
    assert give(office.arguments("run", "--yes")).status == 0
    result = give(["check", str(office.report), "-m", str(office.mapping), "--json"])
    assert (result.status, result.json["issues"]) == (0, [])


def test_p4_a_reference_that_is_missing_is_told_without_a_target(office: Office, give: Give) -> None:
    """What is wrong with references whatever the target is, is an issue of `check` too."""
    office.mapping.write_text(MAPPING.replace("key: Ticket", "key: content"), "utf-8")
    office.write([ticket(1), ticket(2)])
    assert give(office.arguments("run", "--yes")).status == 0
    correct(office.report, {2: {"reference": None}})
    result = give(["check", str(office.report), "-m", str(office.mapping), "--json"])
    assert [(issue["row"], issue["code"]) for issue in result.json["issues"]] == [(2, "reference-missing")]


def test_p4_an_edit_beside_altered_text_is_seen_where_it_can_be(office: Office, give: Give) -> None:
    """Altered text in a column that no field uses does not hide that the row was edited after its case was created."""
    office.write([{**ticket(1), "Extra": ALTERED["cut"]}], [*HEADER, "Extra"])
    assert give(office.arguments("run", "--yes")).status == 0
    correct(office.report, {2: {"Detalle": "otro"}})
    result = give([*given_back(office), "--json"])
    assert (result.status, result.json["counts"]["changed"]) == (1, 1)


def test_p4_a_page_as_the_report_is_written_once(office: Office, give: Give) -> None:
    """With --html, a report that is a page itself is not written a second time."""
    office.write([ticket(1)])
    page = office.folder / "page.html"
    assert give([*office.arguments("run", "--yes"), "--report", str(page), "--html"]).status == 0
    assert [path.name for path in office.folder.glob("*.html")] == ["page.html"]


def given_back(office: Office) -> list[str]:
    """Return the words that run the office's report as a source."""
    words = office.arguments("run", "--yes")
    return [str(office.report) if word == str(office.source) else word for word in words]
