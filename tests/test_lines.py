"""Lines of one case, end to end: what a group of rows becomes, and what a report of it that is given back becomes."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from run_support import Give, Office, Result

MAPPING = """\
version: 1
import: lines
source: {key: [Ticket, Sede], group: [Ticket, Sede]}
fields:
  case-type: Complaints
  responsible: ADMIN_@demo
  owner: ADMIN_@demo
  contact: {column: Correo, type: email}
  description: {template: "{Fecha:DD/MM/YYYY}: {Nota}", join: "\\n"}
  status: {column: Estado, allowed: [Abierto, Cerrado], closed: [Cerrado], take: last, default: Abierto}
  priority: Media
  solution: {column: Solución, take: last}
attachments: {folder: files, columns: Adjunto, separator: ";"}
reference: description
"""
HEADER = ("Ticket", "Sede", "Correo", "Fecha", "Nota", "Estado", "Solución", "Adjunto")


def line(ticket: str, day: str, note: str, status: str = "", **more: str) -> dict[str, str]:
    """Return the cells of a valid line."""
    cells = (ticket, "1", f"{ticket.lower()}@x.example", f"{day}/11/2026", note, status, "", "")
    return dict(zip(HEADER, cells, strict=True)) | more


LINES = [
    line("A", "20", "falla", "Abierto", Adjunto="a.pdf"),
    line("B", "20", "otra"),
    line("A", "21", "visita", "", Adjunto="a.pdf; b.pdf"),
    line("B", "22", "sigue", "Abierto", Adjunto="c.pdf"),
    line("A", "23", "listo", "Cerrado", Solución="módem"),
    line("A", "24", "conforme"),
]


@pytest.fixture
def lines(office: Office) -> Office:
    """Provide an office whose sheet has two tickets in six lines, which are not neighbours, and their files."""
    office.mapping.write_text(MAPPING, "utf-8")
    (office.folder / "files").mkdir()
    for name in ("a.pdf", "b.pdf", "c.pdf"):
        (office.folder / "files" / name).write_bytes(name.encode())
    office.write(LINES, HEADER)
    return office


def changed(at: int, **cells: str) -> list[dict[str, str]]:
    """Return the usual lines with other cells in one of them, counted from 0."""
    return [row | cells if number == at else row for number, row in enumerate(LINES)]


def sent(office: Office) -> dict[str, tuple[str, str, str | None, int]]:
    """Return what the CRM has: by contact, the description without its reference, status, solution, number of files."""
    return {
        case.body["contact"][0].upper(): (
            case.body["description"].split("\n", 1)[1],
            case.body["status"],
            case.body.get("solution"),
            len(case.attachments),
        )
        for case in office.sandbox.store.cases
    }


WHOLE = {
    "A": ("20/11/2026: falla\n21/11/2026: visita\n23/11/2026: listo\n24/11/2026: conforme", "Cerrado", "módem", 2),
    "B": ("20/11/2026: otra\n22/11/2026: sigue", "Abierto", None, 1),
}  # fmt: skip


def run(give: Give, office: Office, *more: str, source: Path | None = None) -> Result:
    """Run the sheet, or another source, and return its JSON."""
    words = office.arguments("run", "--yes", "--json", *more)
    return give([words[0], str(source or office.source), *words[2:]])


def counts(result: Result, *names: str) -> dict[str, int]:
    """Return the counts of these states."""
    found: dict[str, Any] = result.json["counts"]
    return {name: found[name] for name in names}


def report_of(office: Office, suffix: str = ".xlsx", name: str = "tickets") -> list[dict[str, str]]:
    """Return the rows of a report."""
    path = office.folder / f"{name}.report{suffix}"
    if suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))
    header, *rows = openpyxl.load_workbook(path)["Report"].iter_rows(values_only=True)
    return [
        dict(zip(map(str, header), ("" if cell is None else str(cell) for cell in row), strict=True)) for row in rows
    ]


def test_all_lines_of_a_case_are_sent(give: Give, lines: Office) -> None:
    """A case has the texts and files of all its lines, and else what the first or the last filled one of them says."""
    result = run(give, lines)
    assert (result.status, sent(lines)) == (0, WHOLE)
    assert counts(result, "created", "part", "skipped", "created_parts") == {
        "created": 2, "part": 4, "skipped": 0, "created_parts": 4,
    }  # fmt: skip
    assert (result.json["rows"], result.json["cases"], result.json["case_rows"]) == (6, 2, 6)
    rows = report_of(lines)
    assert [row["status"] for row in rows] == ["created", "created", "part", "part", "part", "part"]
    assert rows[2]["message"] == "part of the case of row 2."
    again = run(give, lines)
    assert (again.status, again.json["created_now"], counts(again, "changed")) == (0, 0, {"changed": 0})


FAULTS = {
    "a value of a joined field": (2, {"Fecha": "ayer"}, "Fecha", 2),
    "the value that the last line gives": (4, {"Estado": "Listo", "Solución": ""}, "Estado", 2),
    "the line before the last one, which is empty": (5, {"Estado": "Archivado"}, "Estado", 2),
    "a file": (2, {"Adjunto": "x.pdf"}, "Adjunto", 2),
    "two files in one line": (3, {"Adjunto": "x.pdf;y.pdf"}, "Adjunto", 3),
    "a closed status without a solution": (3, {"Estado": "Cerrado"}, "Solución", 3),
    "the first line": (0, {"Correo": "nadie"}, "Correo", 2),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_fault_of_a_line_is_told_there(
    lines: Office, give: Give, fault: tuple[int, Mapping[str, str], str, int]
) -> None:
    """The issue has the number of the line, whose case is invalid; the field of a blank one is told at the first."""
    at, cells, column, case = fault
    lines.write(changed(at, **cells), HEADER)
    check = give(lines.arguments("check", "--json"))
    told = case if column == "Solución" else at + 2
    assert [(issue["row"], issue["column"]) for issue in check.json["issues"]] == [(told, column)]
    assert counts(check, "invalid", "planned", "part") == {"invalid": 1, "planned": 1, "part": 4}


@pytest.mark.parametrize("suffix", [".xlsx", ".csv"])
def test_a_corrected_report_sends_the_whole_cases(give: Give, lines: Office, suffix: str) -> None:
    """A fault is in the report at its own line, and so is its correction: then all lines of the case are sent."""
    lines.write(changed(2, Fecha="ayer", Adjunto="x.pdf"), HEADER)
    report = lines.folder / f"tickets.report{suffix}"
    first = run(give, lines, "--report", str(report))
    assert (first.status, counts(first, "created", "invalid", "part")) == (1, {"created": 1, "invalid": 1, "part": 4})
    rows = report_of(lines, suffix)
    assert [row["status"] for row in rows] == ["invalid", "created", "part", "part", "part", "part"]
    assert "row 4, a further line" in rows[0]["message"]
    assert all(text in rows[2]["message"] for text in ("part of the case of row 2", "'ayer'", "x.pdf"))
    back = run(give, lines, source=corrected(report, 4, LINES[2]))
    assert (back.status, sent(lines)) == (0, WHOLE), back
    assert counts(back, "created", "created_now", "changed") == {"created": 2, "created_now": 1, "changed": 0}


def corrected(report: Path, number: int, cells: Mapping[str, str]) -> Path:
    """Write a copy of a report in which a row has these cells; return its path."""
    copy = report.with_name(f"corregido{report.suffix}")
    if report.suffix == ".csv":
        with report.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file))
        for name, text in cells.items():
            rows[number - 1][rows[0].index(name)] = text
        with copy.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        return copy
    book = openpyxl.load_workbook(report)
    header = [cell.value for cell in book["Report"][1]]
    for name, text in cells.items():
        book["Report"].cell(number, header.index(name) + 1).value = text or None
    book.save(copy)
    return copy


Rearrange = Callable[[list[list[object]]], Sequence[Sequence[object]]]


def rearranged(
    report: Path, rearrange: Rearrange, hide: Callable[[Sequence[object]], bool] = lambda _row: False
) -> Path:
    """Write a copy of a report's sheet in which the rows are in another order, and some hidden; return its path."""
    header, *rows = (list(row) for row in openpyxl.load_workbook(report)["Report"].iter_rows(values_only=True))
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "Report"
    sheet.append(header)
    for row in rearrange(rows):
        sheet.append(list(row))
        sheet.row_dimensions[sheet.max_row].hidden = hide(row)
    book.save(report.with_name("ordenado.xlsx"))
    return report.with_name("ordenado.xlsx")


@pytest.mark.parametrize(
    ("rearrange", "hide"),
    [
        pytest.param(lambda rows: sorted(rows, key=lambda row: str(row[8])), lambda _row: False, id="sorted"),
        pytest.param(lambda rows: rows, lambda row: row[2] == "part", id="filtered by state"),
        pytest.param(lambda rows: rows[::-1], lambda row: row[2] == "part", id="turned round and filtered"),
    ],
)
def test_what_a_person_does_to_the_report_separates_no_lines(
    give: Give, lines: Office, rearrange: Rearrange, hide: Callable[[Sequence[object]], bool]
) -> None:
    """A sorted or filtered report has all lines of each case, in their own order: nothing is lost or changed."""
    lines.write(changed(0, Correo="nadie"), HEADER)
    assert run(give, lines).status == 1

    def mended(rows: list[list[object]]) -> Sequence[Sequence[object]]:
        rows[0][6] = "a@x.example"
        return rearrange(rows)

    back = run(give, lines, source=rearranged(lines.report, mended, hide))
    assert (back.status, sent(lines)) == (0, WHOLE), back
    assert counts(back, "created", "part", "changed") == {"created": 2, "part": 4, "changed": 0}


def test_a_line_follows_its_case_out_of_the_report(give: Give, lines: Office) -> None:
    """Where the row of a case is hidden its lines are left out with it; where it was deleted they are an issue."""
    lines.write([row | {"Correo": "nadie"} for row in LINES], HEADER)
    assert run(give, lines).status == 1

    def mended(rows: list[list[object]]) -> Sequence[Sequence[object]]:
        return [[*row[:6], "a@x.example", *row[7:]] for row in rows if row[12] != 3]  # B's own row is gone

    back = run(give, lines, source=rearranged(lines.report, mended, lambda row: row[12] == 2))
    assert sent(lines) == {}
    assert counts(back, "skipped", "invalid", "part") == {"skipped": 4, "invalid": 1, "part": 0}
    assert [reason["code"] for reason in back.json["reasons"] if reason["status"] == "invalid"] == ["line-alone"]


def test_a_blank_or_hidden_line_is_no_line_of_a_case(give: Give, lines: Office) -> None:
    """The first line that is read speaks for the case; a blank key is a row of its own."""
    blank = {"Ticket": "", "Sede": ""}
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    for row in (
        {name: name for name in HEADER},
        LINES[0] | {"Nota": "oculta", "Correo": "x"},
        *LINES,
        LINES[0] | blank,
    ):
        sheet.append([row[name] for name in HEADER])
    sheet.row_dimensions[2].hidden = True
    book.save(lines.folder / "hoja.xlsx")
    result = run(give, lines, source=lines.folder / "hoja.xlsx")
    assert sent(lines) == WHOLE
    assert counts(result, "created", "part", "skipped", "invalid") == {
        "created": 2, "part": 4, "skipped": 1, "invalid": 1,
    }  # fmt: skip


def test_a_limit_and_a_choice_take_whole_cases(give: Give, lines: Office) -> None:
    """A case counts once for `--limit`, and `--only` never cuts it: its report can be given back."""
    lines.write(changed(2, Fecha="ayer"), HEADER)
    assert run(give, lines, "--limit", "1").status == 1
    assert set(sent(lines)) == {"B"}
    chosen = run(give, lines, "--only", "invalid")
    assert counts(chosen, "invalid", "part", "created") == {"invalid": 1, "part": 3, "created": 0}
    chosen_alone = lines.folder / "chosen.xlsx"
    give(lines.arguments("report", "--only", "invalid", "--report", str(chosen_alone)))
    assert run(give, lines, "--limit", "1", source=corrected(chosen_alone, 3, LINES[2])).status == 0
    assert sent(lines) == WHOLE


def test_a_line_more_changes_its_case_alone(give: Give, lines: Office) -> None:
    """A line that comes later makes a created case changed; a mapping that takes another line makes none."""
    assert run(give, lines).status == 0
    lines.mapping.write_text(MAPPING.replace("take: last, default", "take: first, default"), "utf-8")
    assert counts(run(give, lines), "changed") == {"changed": 0}
    lines.mapping.write_text(MAPPING.replace("take: last", "take: last"), "utf-8")
    lines.write([*LINES, line("B", "25", "", "Cerrado", Solución="cable")], HEADER)
    result = run(give, lines)
    assert (result.status, counts(result, "changed", "created")) == (1, {"changed": 1, "created": 2})


def test_preview_of_a_line_shows_its_case(give: Give, lines: Office) -> None:
    """A further line sends nothing itself: its case is shown, with the faults of all lines."""
    lines.write(changed(2, Fecha="ayer"), HEADER)
    shown = give(lines.arguments("preview", "--row", "6"))
    assert shown.status == 1
    assert shown.out.startswith("Row 6 is part of the case of row 2.\nRow 2\n")
    assert '"status": "Cerrado"' in shown.out
    assert "Row 4, Fecha: 'ayer'" in shown.out
