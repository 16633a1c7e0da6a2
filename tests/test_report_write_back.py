"""The report put into the source workbook itself: what is kept, what is refused."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.chart import BarChart, Reference
from openpyxl.comments import Comment
from openpyxl.formatting.rule import CellIsRule
from openpyxl.styles import PatternFill
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.table import Table
from openpyxl.worksheet.worksheet import Worksheet
from report_support import always, content, every_state, never, row

from importer import report
from importer.errors import ReportError
from importer.model import TableOptions, Typed
from importer.report import writing_back
from importer.source import open_table

SHEET = "xl/worksheets/sheet1.xml"


@pytest.fixture(scope="module")
def saved() -> bytes:
    """Return a workbook with the features that people use, as far as openpyxl can save them."""
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = "Tickets"
    sheet.append(["Ticket", "Asunto", "Abierto"])
    sheet.append([1, "=no es una fórmula", datetime(2026, 11, 23, 14, 30, 5)])  # noqa: DTZ001 - a sheet has no zone
    sheet["B2"].data_type = "s"
    sheet["B3"] = CellRichText("a ", TextBlock(InlineFont(b=True, color="FF0000"), "b"))
    sheet["B4"] = "_x0041_ y  "
    sheet.column_dimensions["B"].width = 33
    sheet.row_dimensions[3].hidden = True
    sheet["A1"].fill = PatternFill("solid", start_color="123456")
    sheet["A2"].number_format = '0" uds"'
    sheet["A2"].hyperlink = "https://example.com/x?y=1#z"
    sheet.merge_cells("D1:E2")
    sheet.conditional_formatting.add("A2", CellIsRule("greaterThan", ["0"], fill=PatternFill(end_color="00FF00")))
    choice = DataValidation(type="list", formula1='"1,2"')
    choice.add("A2")
    sheet.add_data_validation(choice)
    sheet.oddHeader.center.text = "Oficina"
    workbook.defined_names["precios"] = DefinedName("precios", attr_text="Otra!$B$2")
    other = workbook.create_sheet("Otra")
    other["A1"], other["B1"], other["A2"], other["B2"] = "x", "y", 1, "queda"
    other.add_table(Table(displayName="tabla", ref="A1:B2"))
    other.protection.sheet = True
    file = io.BytesIO()
    workbook.save(file)
    return file.getvalue()


@pytest.fixture
def source(tmp_path: Path, saved: bytes) -> Path:
    """Return that workbook as a file of the test's own."""
    path = tmp_path / "tickets.xlsx"
    path.write_bytes(saved)
    return path


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory, saved: bytes) -> Path:
    """Return it with a sheet of every state; the tests of what is in it only read it."""
    path = tmp_path_factory.mktemp("written") / "tickets.xlsx"
    path.write_bytes(saved)
    report.write_back(path, content(every_state()), open_table, always)
    return path


def parts_of(path: Path) -> dict[str, bytes]:
    """Return every part of a workbook's package."""
    with ZipFile(path) as package:
        return {name: package.read(name) for name in package.namelist()}


def with_parts(path: Path, parts: dict[str, bytes]) -> None:
    """Write a workbook from these parts."""
    with ZipFile(path, "w") as package:
        for name, data in parts.items():
            package.writestr(name, data)


def replaced(path: Path, part: str, old: bytes, new: bytes) -> None:
    """Replace a piece of a part once."""
    parts = parts_of(path)
    assert old in parts[part]
    with_parts(path, {**parts, part: parts[part].replace(old, new, 1)})


def test_p4_everything_else_is_kept(written: Path) -> None:
    """Values, styles, rules, lists, links, merges, names, tables, protection, headers and bold letters are kept."""
    workbook = load_workbook(written, rich_text=True)
    assert workbook.sheetnames == ["Tickets", "Otra", "Report"]
    tickets, other = workbook["Tickets"], workbook["Otra"]
    assert (tickets["B2"].value, tickets["B2"].data_type) == ("=no es una fórmula", "s")
    assert tickets["C2"].value == datetime.fromisoformat("2026-11-23 14:30:05")
    assert str(tickets["B3"].value) == "a b"
    assert tickets["B3"].value[1].font.b
    assert tickets["B4"].value == "_x0041_ y  "
    assert tickets["A1"].fill.start_color.rgb == "00123456"
    assert (tickets["A2"].number_format, tickets.column_dimensions["B"].width) == ('0" uds"', 33)
    assert (tickets["A2"].hyperlink.target, tickets.row_dimensions[3].hidden) == ("https://example.com/x?y=1#z", True)
    assert [str(each) for each in tickets.merged_cells.ranges] == ["D1:E2"]
    rules = [rule for each in tickets.conditional_formatting for rule in each.rules]
    assert rules[0].dxf.fill.end_color.rgb == "0000FF00"
    assert tickets.data_validations.dataValidation[0].formula1 == '"1,2"'
    assert tickets.oddHeader.center.text == "Oficina"
    assert workbook.defined_names["precios"].attr_text == "Otra!$B$2"
    assert (list(other.tables), other.protection.sheet) == (["tabla"], True)


def test_p4_the_sheet_is_there_as_in_a_report(written: Path) -> None:
    """The sheet has the report's colours, formats, sizes, notes, filter, rules and hidden rows."""
    sheet = load_workbook(written)["Report"]
    assert sheet["H5"].fill.start_color.rgb == "FFFFC9C4"
    assert sheet["G2"].number_format == "dd/mm/yyyy"
    assert sheet["A2"].number_format == "@"
    assert sheet["H5"].comment.text.startswith("Estado: “En curso” is not one of")
    assert [each.row for each in report.read_rows(written, open_table)] == list(range(2, 13))
    rules = [rule for each in sheet.conditional_formatting for rule in each.rules]
    assert rules[0].dxf.border.bottom.style == "thin"
    assert [line for line in range(2, 13) if sheet.row_dimensions[line].hidden] == [12]
    assert sheet.row_dimensions[6].height > 45
    assert sheet.column_dimensions["E"].width == pytest.approx(60, abs=1)
    assert (sheet.freeze_panes, sheet.auto_filter.ref, sheet.print_title_rows) == ("E2", "A1:M12", "$1:$1")
    assert (sheet.page_setup.orientation, str(sheet.page_setup.paperSize)) == ("landscape", "9")
    assert sheet.oddFooter.right.text == "&P / &N"


def test_p2_text_stays_text_in_the_workbook_too(source: Path) -> None:
    """No cell of the sheet is a formula, an error or anything but its text."""
    starts = ["=1+1", "+1", "-1", "@x", "#N/A", "<r><t>x</t></r>", "_x0041_"]
    rows = [row(number, cells=(start, start, "", "", ""), message=start) for number, start in enumerate(starts, 2)]
    report.write_back(source, content(rows), open_table, always)
    table = open_table(source, TableOptions(sheet="Report"))
    for name in ("Ticket", "Asunto"):
        assert [str(cell) for frame in table.frames() for cell in frame[name]] == starts
    assert b"<f>" not in b"".join(data for name, data in parts_of(source).items() if "/worksheets/" in name)


def test_p4_a_workbook_as_programs_save_it_takes_the_sheet(source: Path) -> None:
    """A program's own notes do not prevent it: versions, printer settings, the order of calculation."""
    parts = parts_of(source)
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(
        b"<workbookPr",
        b'<fileVersion appName="xl" lastEdited="7"/><mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/'
        b'markup-compatibility/2006"><mc:Choice Requires="x15"><x15ac:absPath xmlns:x15ac="http://schemas.microsoft.com'
        b'/office/spreadsheetml/2010/11/ac" url="C:\\x"/></mc:Choice></mc:AlternateContent><xr:revisionPtr '
        b'xmlns:xr="http://schemas.microsoft.com/office/spreadsheetml/2014/revision" documentId="8_{1}"/><workbookPr',
        1,
    )
    parts["xl/workbook.xml"] = parts["xl/workbook.xml"].replace(  # as LibreOffice ends it
        b"</workbook>",
        b'<extLst><ext uri="{7}"><lo:extCalcPr xmlns:lo="http://schemas.libreoffice.org/" stringRefSyntax="Excel"/>'
        b"</ext></extLst></workbook>",
    )
    other = "xl/worksheets/sheet2.xml"
    empty = b'<headerFooter differentFirst="false"><oddHeader></oddHeader></headerFooter><tableParts'
    parts[other] = parts[other].replace(b"<tableParts", empty)
    parts[SHEET] = parts[SHEET].replace(
        b"<row ", b'<row xmlns:x="http://schemas.microsoft.com/office/spreadsheetml/2009/9/ac" x:dyDescent="0.25" ', 1
    )
    types = parts["[Content_Types].xml"]
    parts["[Content_Types].xml"] = types.replace(
        b"</Types>",
        b'<Default Extension="bin" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.'
        b'printerSettings"/><Default Extension="jpeg" ContentType="image/jpeg"/>'
        b'<Override PartName="/xl/calcChain.xml" '
        b'ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.calcChain+xml"/>'
        b'<Override PartName="/xl/drawings/drawing1.xml" '
        b'ContentType="application/vnd.openxmlformats-officedocument.drawing+xml"/></Types>',
    )
    parts["xl/printerSettings/printerSettings1.bin"] = b"driver"
    parts["docProps/thumbnail.jpeg"] = b"picture"
    parts["xl/calcChain.xml"] = b'<calcChain xmlns="x"/>'
    parts["xl/drawings/drawing1.xml"] = b'<wsDr xmlns="http://schemas.openxmlformats.org/drawingml/2006/x"/>'
    with_parts(source, parts)
    report.write_back(source, content(every_state()), open_table, always)
    assert load_workbook(source).sheetnames == ["Tickets", "Otra", "Report"]


def test_p4_macros_stay_in_a_workbook_for_macros(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Macros are kept byte for byte, and their archive is closed: Python would complain on the terminal some day."""
    opened: list[Workbook] = []

    def noted(*given: Any, **options: Any) -> Workbook:  # noqa: ANN401 - passed on
        opened.append(load_workbook(*given, **options))
        return opened[-1]

    monkeypatch.setattr("importer.report.writing_back.load_workbook", noted)
    parts = parts_of(source)
    main = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
    types = parts["[Content_Types].xml"].replace(main, b"application/vnd.ms-excel.sheet.macroEnabled.main+xml")
    binary = b'<Default Extension="bin" ContentType="application/vnd.ms-office.vbaProject"/></Types>'
    parts["[Content_Types].xml"] = types.replace(b"</Types>", binary)
    relation = (
        b'<Relationship Id="m1" Type="http://schemas.microsoft.com/office/2006/relationships/vbaProject" '
        b'Target="vbaProject.bin"/></Relationships>'
    )
    relations = "xl/_rels/workbook.xml.rels"
    parts[relations] = parts[relations].replace(b"</Relationships>", relation)
    parts["xl/vbaProject.bin"] = b"macros" * 100
    path = source.with_suffix(".xlsm")
    with_parts(path, parts)
    report.write_back(path, content(every_state()), open_table, always)
    assert [book.vba_archive.fp for book in opened if book.vba_archive] == [None]
    after = parts_of(path)
    assert after["xl/vbaProject.bin"] == parts["xl/vbaProject.bin"]
    assert b"vbaProject" in after[relations]
    assert load_workbook(path).sheetnames == ["Tickets", "Otra", "Report"]


def test_p4_only_one_sheet_is_chosen(written: Path) -> None:
    """Only the user's sheet is selected, since two selected sheets would be edited together."""
    workbook = load_workbook(written)
    assert workbook.active.title == "Tickets"
    assert not workbook["Report"].sheet_view.tabSelected


def test_p4_the_workbook_as_it_was_is_kept_beside(source: Path) -> None:
    """The backup has the time in its name and the bytes of the old file."""
    old = source.read_bytes()
    backup = report.write_back(source, content([row(2)]), open_table, always).backup
    assert backup.read_bytes() == old
    assert backup.name.startswith("tickets.backup-20")
    assert backup.suffix == ".xlsx"


@pytest.mark.parametrize("saved_between", [False, True])
def test_p4_a_report_that_was_put_there_is_renewed(source: Path, saved_between: bool) -> None:  # noqa: FBT001
    """An earlier sheet Report is replaced, even after another program saved the workbook."""
    first = report.write_back(source, content([row(2), row(3)]), open_table, never)
    if saved_between:
        load_workbook(source).save(source)
    report.write_back(source, content([row(2)]), open_table, {first.digest}.__contains__)
    workbook = load_workbook(source)
    assert workbook.sheetnames == ["Tickets", "Otra", "Report"]
    assert workbook["Report"].max_row == 2
    assert workbook["Report"]["A2"].number_format == "@"
    assert len(list(source.parent.glob("*.backup-*"))) == 2


def _correct_a_cell(sheet: Worksheet) -> None:
    sheet["B2"] = "corrected"


def _add_a_column(sheet: Worksheet) -> None:
    sheet["P2"] = "call Ana"


def _delete_a_line(sheet: Worksheet) -> None:
    sheet.delete_rows(2)


@pytest.mark.parametrize("edit", [_correct_a_cell, _add_a_column, _delete_a_line])
def test_p5_an_edited_sheet_is_never_overwritten(source: Path, edit: Callable[[Worksheet], None]) -> None:
    """What a person changed in the sheet Report of their workbook stays, and the sentence says how to go on."""
    written = report.write_back(source, content([row(2), row(3)]), open_table, never)
    workbook = load_workbook(source)
    edit(workbook["Report"])
    workbook.save(source)
    edited = source.read_bytes()
    with pytest.raises(ReportError, match=r"its sheet Report was edited since .* rename .* delete") as no:
        report.write_back(source, content([row(2)]), open_table, {written.digest}.__contains__)
    assert str(source) in str(no.value)
    assert source.read_bytes() == edited
    assert list(source.parent.glob("*.backup-*")) == [written.backup]


def test_p5_other_sheets_and_colours_may_change(source: Path) -> None:
    """Edits elsewhere in the workbook, and colours in the sheet Report, are no edits of the report's values."""
    written = report.write_back(source, content([row(2)]), open_table, never)
    workbook = load_workbook(source)
    workbook["Otra"]["B2"] = "cambia"
    workbook["Report"]["A1"].fill = PatternFill("solid", start_color="123456")
    workbook.move_sheet("Report", -2)
    workbook.save(source)
    report.write_back(source, content([row(2)]), open_table, {written.digest}.__contains__)
    assert load_workbook(source)["Otra"]["B2"].value == "cambia"


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not on this machine")
def test_p5_a_sheet_that_libreoffice_saved_is_not_edited(
    tmp_path: Path, by_libreoffice: Callable[[Path, Path, str], None]
) -> None:
    """Saved twice by LibreOffice, the sheet has the values that were written, and is renewed each time."""
    source = tmp_path / "tickets.xlsx"
    workbook = Workbook()
    workbook.active.append(["Ticket"])
    workbook.save(source)
    number = Typed("0.30000000000000004", 0.1 + 0.2, "General")
    moment = Typed("x", datetime(2026, 11, 23, 14, 30, 5), "dd/mm/yyyy hh:mm")  # noqa: DTZ001 - a sheet has no zone
    cells = ("=1+1", "_x0041_ \t<b>  ", moment, "a\nb\r\nc", number)
    states = [*every_state(), row(20, cells=cells)]
    digests: set[str] = set()
    for _time in range(2):
        digests.add(report.write_back(source, content(states), open_table, digests.__contains__).digest)
        by_libreoffice(source, tmp_path / "saved", "xlsx")
        shutil.copy(tmp_path / "saved" / source.name, source)
    report.write_back(source, content(states), open_table, digests.__contains__)


def test_p4_a_link_stays_a_link(source: Path, tmp_path: Path) -> None:
    """A symbolic link leads to the workbook that takes the sheet; the backup is beside that workbook."""
    folder = tmp_path / "links"
    folder.mkdir()
    link = folder / "tickets today.xlsx"
    link.symlink_to(source)
    old = source.read_bytes()
    written = report.write_back(link, content([row(2)]), open_table, always)
    assert link.is_symlink()
    assert list(folder.iterdir()) == [link]
    assert (written.backup.parent, written.backup.read_bytes()) == (source.parent, old)
    assert load_workbook(source).sheetnames == ["Tickets", "Otra", "Report"]


def test_p4_a_link_to_a_file_that_is_open_is_refused(source: Path, tmp_path: Path) -> None:
    """A program that has the file open is noticed by way of the link, too."""
    link = tmp_path / "link.xlsx"
    link.symlink_to(source)
    _open(source)
    with pytest.raises(ReportError, match=r"tickets\.xlsx is open in another program"):
        report.write_back(link, content([row(2)]), open_table, always)


def test_p4_our_own_sheet_may_have_a_name_twice(source: Path) -> None:
    """LibreOffice doubles the titles to print of our sheet, which is replaced anyway."""
    report.write_back(source, content([row(2)]), open_table, always)
    titles = b"""<definedName name="_xlnm.Print_Titles" localSheetId="2">'Report'!$1:$1,'Report'!$A:$D</definedName>"""
    again = titles.replace(b"'Report'!$1:$1,'Report'!$A:$D", b"'Report'!$A:$D,'Report'!$1:$1")
    replaced(source, "xl/workbook.xml", titles, titles + again)
    report.write_back(source, content([row(2)]), open_table, always)
    assert load_workbook(source)["Report"].print_title_rows == "$1:$1"


def test_p4_a_users_sheet_may_have_the_same_titles_twice(source: Path) -> None:
    """LibreOffice doubles the titles to print of other sheets, too, and one of two equal names is no loss."""
    titles = b'<definedName name="_xlnm.Print_Titles" localSheetId="0">Tickets!$1:$1,Tickets!$A:$A</definedName>'
    again = titles.replace(b"Tickets!$1:$1,Tickets!$A:$A", b"Tickets!$A:$A,Tickets!$1:$1")
    replaced(source, "xl/workbook.xml", b"<definedNames>", b"<definedNames>" + titles + again)
    report.write_back(source, content([row(2)]), open_table, always)
    assert load_workbook(source)["Tickets"].print_title_rows == "$1:$1"


def test_p4_a_hidden_column_has_no_width_to_lose(source: Path) -> None:
    """A hidden column that Excel saved with the width 0 stays hidden."""
    hidden = b'<col min="4" max="4" width="0" hidden="1" customWidth="1"/></cols>'
    replaced(source, SHEET, b"</cols>", hidden)
    report.write_back(source, content([row(2)]), open_table, always)
    assert load_workbook(source)["Tickets"].column_dimensions["D"].hidden


def test_p4_notes_of_programs_in_the_workbook_and_its_styles_are_no_losses(source: Path) -> None:
    """What Excel and LibreOffice write into every file without anyone's doing does not prevent a sheet."""
    x14 = b'xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main"'
    styles = b'<extLst><ext %s uri="{1}"><x14:slicerStyles defaultSlicerStyle="A"/></ext></extLst></styleSheet>' % x14
    replaced(source, "xl/styles.xml", b"</styleSheet>", styles)
    features = (
        b'<extLst><ext xmlns:f="http://schemas.microsoft.com/office/spreadsheetml/2018/calcfeatures" uri="{2}">'
        b'<f:calcFeatures><f:feature name="microsoft.com:RD"/></f:calcFeatures></ext></extLst></workbook>'
    )
    replaced(source, "xl/workbook.xml", b"</workbook>", features)
    usual = b'<workbookPr backupFile="false" showObjects="all" updateLinks="userSet" saveExternalLinkValues="true" '
    replaced(source, "xl/workbook.xml", b"<workbookPr", usual + b'filterPrivacy="1" defaultThemeVersion="166925"')
    report.write_back(source, content([row(2)]), open_table, always)


def test_p4_a_bare_workbook_takes_the_sheet(tmp_path: Path) -> None:
    """A minimal workbook takes the sheet, even an empty one."""
    path = tmp_path / "bare.xlsx"
    Workbook().save(path)
    report.write_back(path, content(every_state()), open_table, always)
    sheet = load_workbook(path)["Report"]
    assert sheet["G2"].number_format == "dd/mm/yyyy"
    assert next(iter(sheet.conditional_formatting)).rules[0].dxf.border.bottom.style == "thin"


def _with_chart(path: Path) -> None:
    workbook = load_workbook(path)
    chart = BarChart()
    chart.add_data(Reference(workbook["Tickets"], min_col=1, min_row=2, max_row=2))
    workbook["Tickets"].add_chart(chart, "E5")
    workbook.save(path)


def _with_note(path: Path) -> None:
    workbook = load_workbook(path)
    workbook["Otra"]["A1"].comment = Comment("de la oficina", "Ana")
    workbook.save(path)


def _with_result(path: Path) -> None:
    workbook = load_workbook(path)
    workbook["Otra"]["D2"] = "=A2*2"
    workbook.save(path)
    replaced(path, "xl/worksheets/sheet2.xml", b"<f>A2*2</f><v />", b"<f>A2*2</f><v>2</v>")


def _with_part(name: str, kind: str = "") -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        override = f'<Override PartName="/{name}" ContentType="{kind}"/></Types>'.encode()
        replaced(path, "[Content_Types].xml", b"</Types>", override if kind else b"</Types>")
        with ZipFile(path, "a") as package:
            package.writestr(name, "<x><y/></x>")

    return spoil


def _with_sheet_xml(old: bytes, new: bytes) -> Callable[[Path], None]:
    return lambda path: replaced(path, SHEET, old, new)


def _with_workbook_xml(path: Path) -> None:
    replaced(
        path, "xl/workbook.xml", b"<workbookPr", b'<fileSharing userName="Ana" readOnlyRecommended="1"/><workbookPr'
    )


def _with_17_digits(path: Path) -> None:
    _with_sheet_xml(b"<v>1</v>", b"<v>0.30000000000000004</v>")(path)


def _with_property(name: str, value: str) -> Callable[[Path], None]:
    element = f"<{name}>{value}</{name}></Properties>".encode()
    return lambda path: replaced(path, "docProps/app.xml", b"</Properties>", element)


def _with_workbook_property(name: str, value: str) -> Callable[[Path], None]:
    return lambda path: replaced(path, "xl/workbook.xml", b"<workbookPr", f'<workbookPr {name}="{value}"'.encode())


def _with_extension(part: str, end: bytes) -> Callable[[Path], None]:
    extension = b'<extLst><ext uri="{9}"><n:novelty xmlns:n="https://n.example/" on="1"/></ext></extLst>'
    return lambda path: replaced(path, part, end, extension + end)


def _with_name(name: str) -> Callable[[Path], None]:
    element = f'<definedNames><definedName name="{name}" localSheetId="0">precios</definedName>'.encode()
    return lambda path: replaced(path, "xl/workbook.xml", b"<definedNames>", element)


def _with_shape(shape: bytes) -> Callable[[Path], None]:
    def spoil(path: Path) -> None:
        with ZipFile(path, "a") as package:
            package.writestr("xl/drawings/vmlDrawing1.vml", b"<xml>" + shape + b"</xml>")

    return spoil


_SPARKLINES = (
    b'<extLst><ext xmlns:x14="http://schemas.microsoft.com/office/spreadsheetml/2009/9/main" uri="{1}">'
    b"<x14:sparklineGroups><x14:sparklineGroup/></x14:sparklineGroups></ext></extLst>"
)
_PICTURE = b'<picture xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships" r:id="rId9"/>'
_PHONETIC = b'<is><t>x</t><rPh sb="0" eb="1"><t>y</t></rPh></is>'
_OFFICE = "application/vnd.openxmlformats-officedocument."


@pytest.mark.parametrize(
    ("spoil", "things"),
    [
        (_with_chart, "charts"),
        (_with_note, "the size and format of notes"),
        (_with_result, "the stored results of formulas"),
        (_with_17_digits, "the exact contents of cell A2 of the sheet Tickets"),
        (_with_part("xl/media/logo.png"), "drawings and pictures"),
        (_with_part("xl/drawings/drawing9.xml", f"{_OFFICE}drawing+xml"), "drawings and pictures"),
        (_with_part("xl/vbaProject.bin"), "macros"),
        (_with_part("xl/pivotTables/pivotTable1.xml", f"{_OFFICE}spreadsheetml.pivotTable+xml"), "pivot tables"),
        (_with_part("xl/connections.xml", f"{_OFFICE}spreadsheetml.connections+xml"), "data connections"),
        (
            _with_part("xl/externalLinks/externalLink1.xml", f"{_OFFICE}spreadsheetml.externalLink+xml"),
            "links to other",
        ),
        (_with_part("xl/ctrlProps/ctrlProp1.xml", "application/vnd.ms-excel.controlproperties+xml"), "form controls"),
        (_with_part("customXml/item1.xml"), "custom XML data"),
        (_with_part("xl/threadedComments/threadedComment1.xml"), "threaded comments"),
        (_with_part("xl/slicers/slicer1.xml", "application/vnd.ms-excel.slicer+xml"), "slicers"),
        (_with_part("xl/embeddings/x.docx"), "embedded objects"),
        (_with_part("xl/metadata.xml", f"{_OFFICE}spreadsheetml.sheetMetadata+xml"), "dynamic arrays"),
        (_with_part("docMetadata/LabelInfo.xml"), "the part docMetadata/LabelInfo.xml"),
        (_with_sheet_xml(b"</worksheet>", _SPARKLINES + b"</worksheet>"), "features of newer versions of Excel"),
        (
            _with_sheet_xml(b"&amp;COficina", b'&amp;COfi&amp;"Arial,Bold"ci&amp;"Arial,Italic"na'),
            "headers and footers",
        ),
        (_with_sheet_xml(b"</worksheet>", _PICTURE + b"</worksheet>"), "picture"),
        (
            _with_sheet_xml(b'</row><row r="2"', b'<c r="E1"><v>5</v></c></row><row r="2"'),
            "the exact contents of cell E1",
        ),
        (_with_sheet_xml(b"<is><t>Asunto</t></is>", _PHONETIC), "the format of single letters"),
        (_with_workbook_xml, "the recommendation to open it read-only"),
        (_with_property("HyperlinkBase", "https://x.example/"), "the base address of its links"),
        (_with_property("Manager", "Ana"), "the manager in its properties"),
        (_with_property("DocSecurity", "2"), "the recommendation to open it read-only"),
        (_with_workbook_property("showObjects", "none"), "the setting that hides its objects"),
        (_with_workbook_property("backupFile", "1"), "the setting that keeps a backup"),
        (_with_workbook_property("updateLinks", "never"), "how links to other workbooks are updated"),
        (_with_workbook_property("saveExternalLinkValues", "0"), "how links to other workbooks are updated"),
        (_with_extension("xl/workbook.xml", b"</workbook>"), "the extension novelty"),
        (_with_extension("xl/styles.xml", b"</styleSheet>"), "the extension novelty"),
        (_with_shape(b'<x:ClientData ObjectType="Button"/>'), "form controls"),
        (_with_shape(b"<v:imagedata/>"), "pictures in headers and footers"),
        (_with_shape(b'<x:ClientData ObjectType="Note"/>'), "the size and format of notes"),
        (
            _with_sheet_xml(b"<pageMargins", b'<dataConsolidate topLabels="1"/><pageMargins'),
            "consolidated data of the sheet Tickets",
        ),
        (
            _with_sheet_xml(b"</worksheet>", b'<cellWatches><cellWatch r="A1"/></cellWatches></worksheet>'),
            "watched cells of the sheet Tickets",
        ),
        (_with_name("_xlnm.Print_Area"), "the print area"),
        (_with_name("_xlnm.Criteria"), "the ranges of an advanced filter"),
        (_with_part("xl/featurePropertyBag/featurePropertyBag.xml"), "check boxes in cells"),
    ],
)
def test_p4_what_would_be_lost_is_named_and_refused(source: Path, spoil: Callable[[Path], None], things: str) -> None:
    """Everything that openpyxl would drop is found before saving; no byte is changed."""
    spoil(source)
    before = source.read_bytes()
    with pytest.raises(
        ReportError, match=rf"is left as it is: saving it would lose .*{things}.*see tickets\.report"
    ) as no:
        report.write_back(source, content([row(2)]), open_table, always)
    assert "\n" not in str(no.value)
    assert source.read_bytes() == before
    assert [path.name for path in source.parent.iterdir()] == [source.name]


VALUES = st.lists(
    st.text(max_size=8).filter(lambda text: text.isprintable())
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.datetimes(datetime(1900, 3, 1), datetime(9999, 12, 30))  # noqa: DTZ001 - a sheet has no zone
    | st.integers(-(10**15), 10**15)
    | st.booleans(),
    min_size=1,
    max_size=5,
)


@settings(max_examples=6, deadline=None)
@given(VALUES)
@example([datetime(7642, 1, 1, 14, 55, 36, 4)])  # noqa: DTZ001 - openpyxl moves it into the second before
@example([datetime(2024, 1, 1, 14, 55, 35, 999_700)])  # noqa: DTZ001 - and this one into the second after
def test_p4_every_cell_is_kept_or_the_workbook_is(tmp_path_factory: pytest.TempPathFactory, values: list) -> None:
    """Either all cells of the other sheets read as before, or the file is unchanged."""
    path = tmp_path_factory.mktemp("values") / "t.xlsx"
    workbook = Workbook()
    workbook.active.append(["H"] * len(values))
    for column, value in enumerate(values, 1):
        cell = workbook.active.cell(2, column, value)
        if isinstance(value, str):
            cell.data_type = "s"
    workbook.save(path)
    before, cells = path.read_bytes(), cells_of_first_sheet(path)
    try:
        report.write_back(path, content([row(2)]), open_table, always)
    except ReportError:
        assert path.read_bytes() == before
    assert cells_of_first_sheet(path) == cells


def test_p4_a_moment_whose_format_shows_fractions_is_kept_or_the_workbook_is(tmp_path: Path) -> None:
    """Thousandths of a second that openpyxl would round are seen, where the cell's format shows them."""
    path = tmp_path / "t.xlsx"
    workbook = Workbook()
    workbook.active.append(["H"])
    workbook.active.append([datetime(2024, 1, 1, 14, 55, 36, 600)])  # noqa: DTZ001 - a sheet has no zone
    workbook.active["A2"].number_format = "hh:mm:ss.000"
    workbook.save(path)
    before, cells = path.read_bytes(), cells_of_first_sheet(path)
    with pytest.raises(ReportError, match="the exact contents of cell A2"):
        report.write_back(path, content([row(2)]), open_table, always)
    assert (path.read_bytes(), cells_of_first_sheet(path)) == (before, cells)


def cells_of_first_sheet(path: Path) -> list[str]:
    """Return the cells of a workbook's first sheet as texts."""
    table = open_table(path, TableOptions(sheet="Sheet", header_row=1))
    return [str(cell) for frame in table.frames() for line in frame.itertuples(index=False) for cell in line]


def test_p4_a_workbook_that_is_too_large_is_refused(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workbook too large to be held in memory is refused."""
    monkeypatch.setattr(writing_back, "LARGEST", 1_000)
    with pytest.raises(ReportError, match="it is too large to be saved with another sheet"):
        report.write_back(source, content([row(2)]), open_table, always)
    monkeypatch.undo()
    monkeypatch.setattr(writing_back, "MOST_CELLS", 1)
    with pytest.raises(ReportError, match="the report is too large to be put into another workbook"):
        report.write_back(source, content([row(2)]), open_table, always)


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
        (_own_report, "it has its own sheet report; rename that"),
        (_password, "it has a password"),
        (_broken, "it cannot be read as a workbook"),
        (_read_only, "tickets.xlsx is read-only"),
        (_open, "tickets.xlsx is open in another program"),
    ],
)
def test_p4_what_cannot_be_kept_is_refused(source: Path, spoil: Callable[[Path], None], reason: str) -> None:
    """The refusal gives the reason and what to do instead; no byte is changed."""
    spoil(source)
    before = source.read_bytes()
    with pytest.raises(ReportError, match=reason):
        report.write_back(source, content([row(2)]), open_table, always)
    assert source.read_bytes() == before
    assert not list(source.parent.glob("*.backup-*"))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("t.csv", r"a CSV file has no sheets; see t\.report\.xlsx"),
        ("t.xls", r"only \.xlsx and \.xlsm can take a sheet"),
    ],
)
def test_p4_what_has_no_sheets_is_refused(tmp_path: Path, name: str, reason: str) -> None:
    """CSV files and other programs' formats are refused."""
    path = tmp_path / name
    path.write_text("a\n1\n", "utf-8")
    with pytest.raises(ReportError, match=reason):
        report.write_back(path, content([row(2)]), open_table, always)


def test_p5_a_corrected_report_is_no_workbook_to_write_back_to(source: Path) -> None:
    """A report as the source is refused, since its sheet Report has a person's corrections."""
    with pytest.raises(ReportError, match="it is a report itself"):
        report.write_back(source, content([row(2)], sheet="Report"), open_table, always)


def test_p4_a_workbook_edited_meanwhile_is_left_as_it_is(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Changes that a person saved while the report was written are not lost."""
    write_sheet = writing_back.write_report_sheet

    def slow(*arguments: object) -> None:
        write_sheet(*arguments)  # type: ignore[arg-type]
        workbook = load_workbook(source)
        workbook["Otra"]["A9"] = "meanwhile"
        workbook.save(source)

    monkeypatch.setattr(writing_back, "write_report_sheet", slow)
    with pytest.raises(ReportError, match="was changed while its report was written"):
        report.write_back(source, content([row(2)]), open_table, always)
    assert load_workbook(source)["Otra"]["A9"].value == "meanwhile"
    assert [path.name for path in source.parent.iterdir()] == [source.name]


@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not on this machine")
def test_p4_libreoffice_opens_what_was_written_back(
    written: Path, tmp_path: Path, by_libreoffice: Callable[[Path, Path, str], None]
) -> None:
    """LibreOffice reads every row of a sheet that openpyxl wrote."""
    every_sheet_as_csv = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
    by_libreoffice(written, tmp_path, every_sheet_as_csv)
    assert "WCI-0000000000000012" in (tmp_path / "tickets-Report.csv").read_text("utf-8")
