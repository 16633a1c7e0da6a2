"""The report put into the source workbook itself: what stays, what is refused."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from zipfile import ZipFile

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import PatternFill
from report_support import content, every_state, row

from importer import report
from importer.errors import ReportError
from importer.report import writing_back
from importer.source import open_table


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """Return a workbook with what people put into workbooks, a stored formula result among it."""
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = "Tickets"
    sheet.append(["Ticket", "Asunto", "Doble"])
    sheet.append([1, "Hola", "=A2*2"])
    sheet.column_dimensions["B"].width = 33
    sheet["A1"].fill = PatternFill("solid", start_color="123456")
    sheet["A2"].number_format = '0" uds"'
    sheet["A1"].comment = Comment("de la oficina", "Ana")
    sheet.conditional_formatting.add("A2", CellIsRule("greaterThan", ["0"], fill=PatternFill(end_color="00FF00")))
    chart = BarChart()
    chart.add_data(Reference(sheet, min_col=1, min_row=2, max_row=2))
    sheet.add_chart(chart, "E5")
    workbook.create_sheet("Otra")["B2"] = "queda"
    path = tmp_path / "tickets.xlsx"
    workbook.save(path)
    _store_result(path)
    return path


def _store_result(path: Path) -> None:
    """Store the result of the formula, as Excel does, and macros and an image, which openpyxl would drop."""
    with ZipFile(path) as package:
        parts = {name: package.read(name) for name in package.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = (
        parts[sheet]
        .replace(b"<f>A2*2</f><v />", b"<f>A2*2</f><v>2</v>")
        .replace(b"<f>A2*2</f><v></v>", b"<f>A2*2</f><v>2</v>")
    )
    parts["xl/media/logo.png"] = b"not looked at"
    parts["xl/vbaProject.bin"] = b"not looked at either"
    with ZipFile(path, "w") as package:
        for name, data in parts.items():
            package.writestr(name, data)


def parts_of(path: Path) -> dict[str, bytes]:
    """Return every part of a workbook."""
    with ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def test_p4_everything_else_is_kept_byte_for_byte(source: Path) -> None:
    """Charts, images, macros, notes, styles, stored results: only the lists of sheets, types and styles grow."""
    before = parts_of(source)
    report.write_back(source, content(every_state()), open_table)
    after = parts_of(source)
    grown = {"[Content_Types].xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/styles.xml"}
    assert {name for name in before if before[name] != after[name]} == grown
    assert {name for name in after if name not in before and "case-importer-report" not in name} == set()


def test_p4_the_workbook_opens_with_both(source: Path) -> None:
    """The other sheets read as before, and Report is there in its colours, formats and notes."""
    report.write_back(source, content(every_state()), open_table)
    workbook = load_workbook(source)
    assert workbook.sheetnames == ["Tickets", "Otra", "Report"]
    tickets, sheet = workbook["Tickets"], workbook["Report"]
    assert (tickets["C2"].value, tickets["A1"].fill.start_color.rgb) == ("=A2*2", "00123456")
    assert (tickets["A2"].number_format, tickets.column_dimensions["B"].width) == ('0" uds"', 33)
    assert tickets["A1"].comment.text == "de la oficina"
    assert load_workbook(source, data_only=True)["Tickets"]["C2"].value == 2
    assert sheet["D5"].fill.start_color.rgb == "00FFC9C4"
    assert sheet["C2"].number_format == "dd/mm/yyyy"
    assert sheet["D5"].comment.text.startswith("Estado: “En curso” is not one of")
    assert [each.row for each in report.read_rows(source, open_table)] == list(range(2, 13))
    rules = [rule for each in sheet.conditional_formatting for rule in each.rules]
    assert rules[0].dxf.border.bottom.style == "thin"
    kept = [rule for each in tickets.conditional_formatting for rule in each.rules]
    assert kept[0].dxf.fill.end_color.rgb == "0000FF00"


def test_p4_only_one_sheet_is_chosen(source: Path) -> None:
    """Two chosen sheets would be edited together."""
    report.write_back(source, content(every_state()), open_table)
    workbook = load_workbook(source)
    assert workbook.active.title == "Tickets"
    assert not workbook["Report"].sheet_view.tabSelected


def test_p4_the_workbook_as_it_was_is_kept_beside(source: Path) -> None:
    """The backup is named with the time and equal to the old file."""
    old = source.read_bytes()
    backup = report.write_back(source, content([row(2)]), open_table)
    assert backup.read_bytes() == old
    assert backup.name.startswith("tickets.backup-20")
    assert backup.suffix == ".xlsx"


@pytest.mark.parametrize("saved_between", [False, True])
def test_p4_a_report_that_was_put_there_is_renewed(source: Path, saved_between: bool) -> None:  # noqa: FBT001
    """Also after another program has saved the workbook with names of its own."""
    report.write_back(source, content([row(2), row(3)]), open_table)
    if saved_between:
        load_workbook(source).save(source)
    report.write_back(source, content([row(2)]), open_table)
    workbook = load_workbook(source)
    assert workbook.sheetnames == ["Tickets", "Otra", "Report"]
    assert workbook["Report"].max_row == 2
    assert workbook["Report"]["A2"].number_format == "@"
    assert len(list(source.parent.glob("*.backup-*"))) == 2


def test_p4_a_workbook_without_styles_of_its_own_takes_the_sheet(tmp_path: Path) -> None:
    """Sections that the other's styles lack are made where the format wants them."""
    path = tmp_path / "bare.xlsx"
    Workbook().save(path)
    parts = parts_of(path)
    styles = parts["xl/styles.xml"].decode()
    start = styles.find("<dxfs")
    if start >= 0:
        end = styles.index("/>", start) + 2 if "</dxfs>" not in styles else styles.index("</dxfs>") + 7
        styles = styles[:start] + styles[end:]
    parts["xl/styles.xml"] = styles.replace('<numFmts count="0" />', "").encode()
    with ZipFile(path, "w") as package:
        for name, data in parts.items():
            package.writestr(name, data)
    report.write_back(path, content(every_state()), open_table)
    sheet = load_workbook(path)["Report"]
    assert sheet["C2"].number_format == "dd/mm/yyyy"
    assert next(iter(sheet.conditional_formatting)).rules[0].dxf.border.bottom.style == "thin"


def _signed(path: Path) -> None:
    with ZipFile(path, "a") as package:
        package.writestr("_xmlsignatures/sig1.xml", "<x/>")


def _protected(path: Path) -> None:
    workbook = load_workbook(path)
    workbook.security.lockStructure = True
    workbook.save(path)


def _own_report(path: Path) -> None:
    workbook = load_workbook(path)
    workbook.create_sheet("report")
    workbook.save(path)


def _password(path: Path) -> None:
    path.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))


def _broken(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:500])


def _read_only(path: Path) -> None:
    path.chmod(0o444)


def _open(path: Path) -> None:
    path.with_name(f"~${path.name}").touch()


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_signed, "it is signed"),
        (_protected, "its structure is protected"),
        (_own_report, "it has a sheet report of its own; rename that"),
        (_password, "it has a password"),
        (_broken, "it cannot be read as a workbook"),
        (_read_only, "tickets.xlsx is read-only"),
        (_open, "tickets.xlsx is open in another program"),
    ],
)
def test_p4_what_cannot_be_kept_is_refused(source: Path, spoil: Callable[[Path], None], reason: str) -> None:
    """With the reason and what to do instead; not a byte is touched."""
    spoil(source)
    before = source.read_bytes()
    with pytest.raises(ReportError, match=reason):
        report.write_back(source, content([row(2)]), open_table)
    assert source.read_bytes() == before
    assert not list(source.parent.glob("*.backup-*"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [("t.csv", r"a CSV has no sheets; see t\.report\.xlsx"), ("t.xls", r"only \.xlsx and \.xlsm take a sheet")],
)
def test_p4_what_has_no_sheets_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    """A CSV, and formats of other programs."""
    path = tmp_path / name
    path.write_text("a\n1\n", "utf-8")
    with pytest.raises(ReportError, match=reason):
        report.write_back(path, content([row(2)]), open_table)


def test_p5_a_corrected_report_is_no_workbook_to_write_back_to(source: Path) -> None:
    """Its sheet Report is the source itself, with a person's corrections in it."""
    with pytest.raises(ReportError, match="it is a report itself"):
        report.write_back(source, content([row(2)], sheet="Report"), open_table)


def test_p4_a_workbook_edited_meanwhile_is_left_as_it_is(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a person saved while the report was written is not lost."""
    graft = writing_back.graft

    def slow(*arguments: object) -> None:
        graft(*arguments)
        _broken(source)

    monkeypatch.setattr(writing_back, "graft", slow)
    with pytest.raises(ReportError, match="was changed while its report was written"):
        report.write_back(source, content([row(2)]), open_table)
    assert source.stat().st_size == 500
    assert [path.name for path in source.parent.iterdir()] == [source.name]


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not on this machine")
def test_p4_libreoffice_opens_what_was_written_back(source: Path, tmp_path: Path) -> None:
    """Another program than the one that wrote it reads every row."""
    report.write_back(source, content(every_state()), open_table)
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    every_sheet_as_csv = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
    command = ["soffice", profile, "--headless", "--convert-to", every_sheet_as_csv, "--outdir", tmp_path, source]
    subprocess.run(command, check=True, capture_output=True)
    assert "WCI-0000000000000012" in (tmp_path / "tickets-Report.csv").read_text("utf-8")
