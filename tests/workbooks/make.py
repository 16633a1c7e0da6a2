"""Make the collection of small workbooks beside this script, and LibreOffice's CSV of each.

    python tests/workbooks/make.py

The workbooks are committed, so the tests need neither this script nor LibreOffice. LibreOffice converts the files of
its own formats; `tests/test_source_collection.py` compares what the importer reads with what LibreOffice shows.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell.rich_text import CellRichText, TextBlock
from openpyxl.cell.text import InlineFont
from openpyxl.styles import PatternFill
from openpyxl.utils.datetime import CALENDAR_MAC_1904, to_excel
from openpyxl.worksheet.worksheet import Worksheet
from xlsb import write as write_xlsb
from xlsb import write_styled

HERE = Path(__file__).parent
at = datetime.fromisoformat  # a workbook's times have no zone
CSV_AS_SHOWN = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,true"
# A name for each dialect, with LibreOffice's numbers for its delimiter and encoding.
DIALECTS = {"comma": (44, 76), "semicolon": (59, 1), "tab": (9, 65535), "bar": (124, 76)}
TABLE = (
    ("Ticket", "Tipo", "Correo", "Monto", "Fecha", "Descripción"),
    ("00123", "Petición", "ana@example.com", "1,5", "2024-02-29", "Línea uno\nlínea dos"),
    ("00124", "Queja", "luis@example.com", "12,25", "2024-12-31", 'Dijo "hola"; y se fue, ¿no?'),
    ("00125", "Reclamo", "josé@example.com", "1000", "2025-01-01", "NA | NULL | =1+1"),
)


def sheet(name: str = "Datos") -> tuple[Workbook, Worksheet]:
    """Return a workbook with one sheet."""
    book = Workbook()
    page = book.active
    assert isinstance(page, Worksheet)
    page.title = name
    return book, page


def put(page: Worksheet, place: str, value: object, number_format: str | None = None) -> None:
    """Write one cell."""
    page[place] = value
    if number_format:
        page[place].number_format = number_format


def cells() -> Workbook:
    """Write numbers and texts of every kind that offices have."""
    book, page = sheet()
    page.append(["Qué", "Celda"])
    rows: list[tuple[str, object, str | None]] = [
        ("text with leading zeros", "00123", "@"),
        ("number padded with zeros", 123, "00000"),
        ("number padded with literals", 123456789, "000-00-0000"),
        ("integer stored as float", 3001234567.0, None),
        ("fifteen digits", 123456789012345, "0"),
        ("decimal", 1234.5, None),
        ("thousands and decimals", 1234.5, "#,##0.00"),
        ("currency", 1234.5, '"$"#,##0.00'),
        ("percentage", 0.125, "0.0%"),
        ("whole percentage", 0.5, "0%"),
        ("negative percentage", -0.25, "0%"),
        ("sum of fractions", 0.1 + 0.2, None),
        ("true", True, None),
        ("false", False, None),
        ("NA as text", "NA", None),
        ("NO as text", "NO", None),
        ("null as text", "null", None),
        ("spaces around", "  dos espacios  ", None),
        ("non-breaking space", "uno\u00a0dos", None),
        ("line break", "uno\ndos", None),
        ("emoji and accents", "Señor 👍 Ñandú", None),
        ("decomposed accent", "Peticio\u0301n", None),
    ]
    for number, (what, value, number_format) in enumerate(rows, 2):
        put(page, f"A{number}", what)
        put(page, f"B{number}", value, number_format)
    rich = CellRichText("rico ", TextBlock(InlineFont(b=True), "texto"), " aquí")
    page.append(["rich text", rich])
    page.append(["formula as text", None])
    page.cell(page.max_row, 2).value = "=1+1"
    page.cell(page.max_row, 2).data_type = "s"
    return book


def errors() -> Workbook:
    """Write error cells, a number of more than fifteen digits, and a formula without a result."""
    book, page = sheet()
    page.append(["Qué", "Celda"])
    for error in ("#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?"):
        page.append([error, error])
    page.append(["sixteen digits", 1234567890123456])
    page.append(["not calculated", "=B7&B8"])
    page.append(["fine", "fin"])
    return book


def dates(*, since_1904: bool = False) -> Workbook:
    """Write dates and times in every kind of format, and times a moment before midnight."""
    book, page = sheet()
    if since_1904:
        book.epoch = CALENDAR_MAC_1904
    page.append(["Formato", "Celda"])
    rows: list[tuple[object, str]] = [
        (date(2024, 2, 29), "dd/mm/yyyy"),
        (date(2024, 12, 31), "yyyy-mm-dd"),
        (date(2026, 4, 3), "d/m/yy"),
        (date(2026, 4, 3), "dd-mmm-yyyy"),
        (date(2026, 4, 3), '[$-240A]dddd, d" de "mmmm" de "yyyy'),
        (date(2026, 3, 2), '[$-416]d" de "mmmm" de "yyyy'),
        (at("2024-01-01T23:59:59.999900"), "yyyy-mm-dd hh:mm:ss"),
        (at("2024-01-01T10:30"), "dd/mm/yyyy hh:mm"),
        (at("2024-01-01T15:05"), "dd/mm/yyyy h:mm AM/PM"),
        (at("2024-01-01T15:05:07"), "yyyy-mm-dd hh:mm:ss"),
        (time(8, 5), "hh:mm"),
        (time(23, 59, 59), "h:mm:ss"),
        (timedelta(hours=30, minutes=15), "[h]:mm:ss"),
    ]
    for number, (value, number_format) in enumerate(rows, 2):
        put(page, f"A{number}", number_format, "@")
        put(page, f"B{number}", value, number_format)
    return book


def header_on_row_4() -> Workbook:
    """Put a title above the table, blank and equal headers, blank rows between rows, and styled empty rows."""
    book, page = sheet("Informe")
    page["A1"] = "Casos del mes"
    page["A2"] = date(2026, 11, 1)
    for column, header in enumerate(["Ticket", " Descripcio\u0301n\u00a0larga ", None, "Nota", "Nota"], 1):
        page.cell(4, column, header)
    for row in (5, 7, 8, 12):
        for column in range(1, 6):
            page.cell(row, column, f"{row}.{column}")
    for row in range(13, 60):
        page.cell(row, 2).fill = PatternFill("solid", fgColor="FFFF00")
    return book


def merged() -> Workbook:
    """Merge cells downwards and sideways, and a title."""
    book, page = sheet()
    page["A1"] = "Título"
    page.merge_cells("A1:C1")
    rows = [["Cliente", "Ticket", "Nota"], ["Ana", 1, "x"], [None, 2, "y"], [None, 3, None], ["Luis", 4, "z"]]
    for row in rows:
        page.append(row)
    page.merge_cells("A3:A5")
    page.merge_cells("B6:C6")
    return book


def hidden() -> Workbook:
    """Hide rows by hand and by a filter, and a column."""
    book, page = sheet()
    page.append(["Ticket", "Oculta", "Estado"])
    for number in range(2, 12):
        page.append([number, f"h{number}", "Abierto" if number % 2 else "Cerrado"])
    for number in (4, 7, 8):
        page.row_dimensions[number].hidden = True
    page.column_dimensions["B"].hidden = True
    page.auto_filter.ref = "A1:C11"
    return book


def links() -> Workbook:
    """Write a link with a text, a link without one, and a link within the workbook."""
    book, page = sheet()
    page.append(["Qué", "Enlace"])
    page.append(["text", "el sitio"])
    page["B2"].hyperlink = "https://example.com/uno"
    page.append(["no text", None])
    page["B3"].hyperlink = "https://example.com/dos"
    put(page, "B3", None, "@")
    page.append(["inside", "ir"])
    page["B4"].hyperlink = "#Datos!A1"
    page.append(["last", "fin"])
    return book


def sheets() -> Workbook:
    """Put a hidden sheet first, then a report of this program, then the table."""
    book, page = sheet("Oculta")
    page.append(["No", "esta"])
    page.sheet_state = "hidden"
    report = book.create_sheet("Report")
    report.append(["Ticket", "row", "status", "wolkvox_id", "reference"])
    report.append(["1", 2, "created", "99", "WCI-0000000000000000"])
    book.create_sheet("Summary").append(["Import", "x"])
    table = book.create_sheet("Casos")
    table.append(["Ticket", "Tipo"])
    table.append(["1", "Queja"])
    book.active = 3
    return book


def report_only() -> Workbook:
    """Write a report of this program that is given back as a source."""
    book, page = sheet("Report (2)")
    page.append(["Ticket", "row", "status", "wolkvox_id", "reference"])
    page.append(["7", 2, "invalid", None, "WCI-0000000000000007"])
    book.create_sheet("Issues").append(["row", "column"])
    return book


def empty() -> Workbook:
    """Make a sheet without a single cell."""
    return sheet()[0]


def header_alone() -> Workbook:
    """Write a header and no rows."""
    book, page = sheet()
    page.append(["Ticket", "Tipo"])
    return book


def table() -> Workbook:
    """Write the table that also exists in five dialects of CSV, XLS and ODS."""
    book, page = sheet()
    for row in TABLE:
        page.append(row)
    for row in page.iter_rows():
        for cell in row:
            cell.number_format = "@"
            cell.data_type = "s"
    return book


def cases() -> Workbook:
    """Write a table with numbers and dates as an office formats them, to be saved in every format."""
    book, page = sheet()
    page.append(["Legajo", "Documento", "Tipo", "Correo", "Monto", "Avance", "Fecha", "Visto", "Nota"])
    rows: list[tuple[int, object, str, str, float, float, date, datetime, str]] = [
        (123, 3001234567, "Petición", "ana@example.com", 1234.5, 0.125, date(2024, 2, 29), at("2024-02-29T23:59:59"),
         'Dijo "hola"; y se fue, ¿no?'),
        (124, "0300|1", "Queja", "luis@example.com", -0.75, 1, date(2024, 12, 31), at("2024-12-31T00:00"),
         "Línea uno\nlínea dos"),
        (125, "NO", "Reclamo", "jose@example.com", 1000000, 0, date(2026, 4, 3), at("2026-04-03T15:05"), "=1+1"),
    ]  # fmt: skip
    formats = ("00000", None, "@", "@", '"$"#,##0.00', "0.0%", "dd/mm/yyyy", "yyyy-mm-dd hh:mm:ss", "@")
    for number, row in enumerate(rows, 2):
        for letter, value, number_format in zip("ABCDEFGHI", row, formats, strict=True):
            put(page, f"{letter}{number}", value, number_format)
            if isinstance(value, str):
                page[f"{letter}{number}"].data_type = "s"
    return book


# One key for each kind of number format; no two of them are alike.
KEYS: tuple[tuple[object, str], ...] = (
    (1001, '"PQR-"0'), (1002, '"TK"#'), (1003, '0" días"'), (1004, 'General" kg"'), (1005, "[$PQR-409]\\-0"),
    (1006, r"##\-##"), (1007, '"$" #,##0'), (2000008, "#,##0"), (1009.5, "0.00"), (3010.25, "#,##0.00"), (11, "00000"),
    (2024012, "0000-000"), (13, '"T-"000000'), (14, '[=14]"Catorce";0'), (1, '"Sí";;"No"'), (1016.5, "# ?/?"),
    (1017000, "#,##0,"), (1018, "0.0000E+00"), (0.19, "0%"), (1020, '"A-"#,##0'), (1021.5, '0.00" m"'),
    (-1022, '0;"menos "0'), (1.25, "[h]:mm"), (at("2024-12-03"), "dd/mm/yyyy"), (at("2024-12-05"), "mm-dd-yy"),
    (at("2024-12-20"), '[$-C0A]d" de "mmmm" de "yyyy'), (at("2024-01-21"), "[$-240A]d-mmm-yy"),
    (at("2024-12-22T13:45:30"), "[$-240A]dd/mm/yyyy h:mm AM/PM"),
    (at("2024-12-23T13:45:30"), "[$-409]m/d/yyyy h:mm AM/PM"), ("abc", '"PQR-"@'), ("T-0031", "@"),
)  # fmt: skip


def keys() -> Workbook:
    """Write a table of valid tickets whose keys have number formats of every kind."""
    book, page = sheet()
    page.append(["Ticket", "Correo", "Asunto", "Detalle", "Estado", "Solución", "Prioridad"])
    for number, (key, code) in enumerate(KEYS, 2):
        put(page, f"A{number}", key, code)
        for letter, text in zip("BCDEFG", (f"c{number}@example.com", code, "d", "Abierto", "s", "Alta"), strict=True):
            page[f"{letter}{number}"] = text
            page[f"{letter}{number}"].data_type = "s"
    return book


def key_files(scratch: Path) -> None:
    """Save the keys in eight formats."""
    folder = HERE / "keys"
    folder.mkdir(exist_ok=True)
    book = keys()
    book.save(folder / "keys.xlsx")
    for kind in ("xls", "ods"):
        shutil.copy(convert([folder / "keys.xlsx"], kind, scratch)[0], folder)
    write_styled(
        folder / "keys.xlsb",
        [
            [
                (to_excel(cell.value) if isinstance(cell.value, datetime) else cell.value, cell.number_format)
                for cell in row
            ]
            for row in book.worksheets[0].iter_rows()
        ],
    )
    for name, (delimiter, encoding) in DIALECTS.items():
        made = convert(
            [folder / "keys.xlsx"],
            f"csv:Text - txt - csv (StarCalc):{delimiter},34,{encoding},1,,0,false,true",
            scratch,
        )
        shutil.copy(made[0], folder / f"keys_{name}.csv")


def mixed() -> Workbook:
    """Write what LibreOffice saves as XLS and ODS: numbers, dates, errors, merged and hidden cells."""
    book, page = sheet()
    page.append(["Qué", "Celda"])
    rows: list[tuple[str, object, str | None]] = [
        ("padded", 123, "00000"),
        ("decimal", 1234.5, "#,##0.00"),
        ("percentage", 0.125, "0.0%"),
        ("date", date(2024, 2, 29), "dd/mm/yyyy"),
        ("moment", at("2024-01-01T23:59:59"), "yyyy-mm-dd hh:mm:ss"),
        ("time", time(8, 5), "hh:mm"),
        ("true", True, None),
        ("text", "00123", "@"),
        ("formula", "=1+1", None),
        ("error", "=1/0", None),
        ("merged", "uno", None),
        ("hidden", "dos", None),
        ("last", "fin", None),
    ]
    for number, (what, value, number_format) in enumerate(rows, 2):
        put(page, f"A{number}", what)
        put(page, f"B{number}", value, number_format)
    page.merge_cells("B12:C12")
    page.row_dimensions[13].hidden = True
    return book


def emoji() -> Workbook:
    """Write so many emojis that an XLS file, which stores texts in records of 8 KB, has to cut some of them in two."""
    book, page = sheet()
    page.append(["Ticket", "Texto"])
    for number in range(1, 61):
        page.append([number, "x" * (number % 2) + "😀👍🎉" * 25 + f" {number}"])
    return book


def by_hand() -> None:
    """Write XML that no library here writes: other prefixes, missing references, scattered cells, escapes."""
    sheet_xml = (
        '<?xml version="1.0"?><x:worksheet xmlns:x="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        '<x:sheetData><x:row><x:c t="inlineStr"><x:is><x:t>Ticket</x:t></x:is></x:c><x:c t="inlineStr"><x:is><x:t>Fecha'
        "</x:t></x:is></x:c></x:row>\n<x:row>\n<x:c><x:v>7</x:v></x:c>\n<x:c s='2'>\n<x:v>45351</x:v>\n</x:c></x:row>"
        '<x:row r="5"><x:c r="A5" t="str"><x:f>"a"&amp;"b"</x:f><x:v>ab</x:v></x:c><x:c r="B5" t="d"><x:v>2024-02-29'
        "</x:v></x:c></x:row></x:sheetData></x:worksheet>"
    )
    rewrite(HERE / "dates_1900.xlsx", HERE / "prefixed.xlsx", sheet_xml)
    scattered = (
        '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>2</v></c></row></sheetData>'
        "</worksheet>"
    )
    rewrite(HERE / "dates_1900.xlsx", HERE / "far_corner.xlsx", scattered)
    escaped = (
        '<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
        '<row r="1"><c r="A1" t="inlineStr"><is><t>Nota</t></is></c></row><row r="2"><c r="A2" t="inlineStr"><is><t>uno'
        "_x000B_dos_x005F_x000B_</t></is></c></row></sheetData></worksheet>"
    )
    rewrite(HERE / "dates_1900.xlsx", HERE / "control_characters.xlsx", escaped)
    leap_day = 45351.0  # days since 1900
    binary: list[tuple[str | float | bool, ...]] = [
        ("Ticket", "Documento", "Monto", "Fecha", "Visto", "Activo"),
        ("00123", 3001234567, 1234.5, leap_day, leap_day + 0.75, True),
        ("00124", 7, -0.75, leap_day + 1, leap_day + 1 - 1 / 86400, False),
        ("NA", 123456789012345, 0, leap_day + 306, leap_day + 1 / 3, True),
    ]
    write_xlsb(
        HERE / "binary.xlsb", binary, ("@", "General", "#,##0.00", "yyyy-mm-dd", "yyyy-mm-dd hh:mm:ss", "General")
    )


def rewrite(source: Path, target: Path, sheet_xml: str) -> None:
    """Copy a workbook with other XML as its first sheet."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(part, sheet_xml if part.filename == "xl/worksheets/sheet1.xml" else old.read(part))


def convert(sources: list[Path], to: str, folder: Path) -> list[Path]:
    """Make LibreOffice convert files into a folder."""
    with tempfile.TemporaryDirectory() as profile:
        home = f"-env:UserInstallation=file://{profile}"
        command = ["soffice", home, "--headless", "--convert-to", to, "--outdir", folder, *sources]
        subprocess.run(command, check=True, capture_output=True)
    return [folder / f"{source.stem}.{to.partition(':')[0]}" for source in sources]


WORKBOOKS: dict[str, Callable[[], Workbook]] = {
    "cells": cells,
    "errors": errors,
    "dates_1900": dates,
    "dates_1904": lambda: dates(since_1904=True),
    "header_on_row_4": header_on_row_4,
    "merged": merged,
    "hidden": hidden,
    "links": links,
    "sheets": sheets,
    "report_only": report_only,
    "empty": empty,
    "header_alone": header_alone,
    "table": table,
    "cases": cases,
    "mixed": mixed,
    "emoji": emoji,
}


# LibreOffice would write its first sheet, which the importer does not read, or fill memory with empty cells.
NOT_SHOWN = {"far_corner", "sheets", "empty"}


def dialects(scratch: Path) -> None:
    """Make LibreOffice save the cases as text in each dialect; the line `sep=`, which only Excel writes, is added."""
    for name, (delimiter, encoding) in DIALECTS.items():
        made = convert([HERE / "cases.xlsx"], f"csv:Text - txt - csv (StarCalc):{delimiter},34,{encoding},1", scratch)
        shutil.copy(made[0], HERE / f"cases_{name}.csv")
    (HERE / "cases_sep.csv").write_bytes(b"sep=;\r\n" + (HERE / "cases_semicolon.csv").read_bytes())


def main() -> None:
    """Make every file."""
    for name, make in WORKBOOKS.items():
        make().save(HERE / f"{name}.xlsx")
    by_hand()
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        both = ("table", "cases", "mixed", "dates_1904")
        for kind, names in (("xls", (*both, "links", "emoji")), ("ods", both)):
            for made in convert([HERE / f"{name}.xlsx" for name in names], kind, scratch):
                shutil.copy(made, HERE)
        shutil.copy(convert([HERE / "mixed.ods"], "xlsx", scratch)[0], HERE / "calculated.xlsx")
        dialects(scratch)
        key_files(scratch)
        for kind in ("xlsx", "xls", "ods", "xlsb"):
            shown = sorted(path for path in HERE.glob(f"*.{kind}") if path.stem not in NOT_SHOWN)
            for workbook, made in zip(shown, convert(shown, CSV_AS_SHOWN, scratch), strict=True):
                shutil.copy(made, HERE / f"{workbook.name}.csv")


if __name__ == "__main__":
    main()
