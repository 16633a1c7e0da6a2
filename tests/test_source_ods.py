"""ODS workbooks of many writers: every cell as LibreOffice shows it, whatever the XML around it looks like."""

from __future__ import annotations

import re
import zipfile
from datetime import date, datetime, time
from pathlib import Path

import pytest
from source_support import rows_of, texts_of, written

from importer.errors import SourceError
from importer.model import CellError, TableOptions, Typed, earlier_reading
from importer.source import open_table

NAMESPACES = {
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    "style": "urn:oasis:names:tc:opendocument:xmlns:style:1.0",
    "number": "urn:oasis:names:tc:opendocument:xmlns:datastyle:1.0",
    "draw": "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0",
    "xlink": "http://www.w3.org/1999/xlink",
    "calcext": "urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0",
}
SPREADSHEET = "application/vnd.oasis.opendocument.spreadsheet"
MANIFEST = f'<m:manifest xmlns:m="urn:m"><m:file-entry m:media-type="{SPREADSHEET}"/></m:manifest>'
DECLARED = " ".join(f'xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
OF_TEXT = 'office:value-type="string"'
HEADER = f"<table:table-row><table:table-cell {OF_TEXT}><text:p>Ticket</text:p></table:table-cell></table:table-row>"

HEADER_IN_ROW_1 = TableOptions(header_row=1)


def sheet(*rows: str, name: str = "Datos", style: str = "", before: str = "") -> str:
    """Return a sheet whose header is Ticket; each row is the XML of its cells, or a whole row."""
    body = "".join(one if one.startswith("<table:table-row") else row("", one) for one in rows)
    return f'<table:table table:name="{name}" table:style-name="{style}">{before}{HEADER}{body}</table:table>'


def content(*sheets: str, styles: str = "", root: str = "document-content", attributes: str = "") -> str:
    """Return the content of a workbook."""
    return (
        f"<office:{root} {DECLARED} {attributes}><office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:spreadsheet>{''.join(sheets)}</office:spreadsheet></office:body></office:{root}>"
    )


def packed(
    path: Path, xml: str | bytes, *, mimetype: str | None = SPREADSHEET, manifest: str | None = MANIFEST
) -> Path:
    """Write a workbook with this content and return where it is."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, part in (("mimetype", mimetype), ("META-INF/manifest.xml", manifest), ("content.xml", xml)):
            if part is not None:
                package.writestr(name, part)
    return path


def cell(attributes: str = "", text: str = "") -> str:
    """Return a cell; its text is XML."""
    return f"<table:table-cell {attributes}>{text}</table:table-cell>"


def row(attributes: str, *cells: str) -> str:
    """Return a row with attributes."""
    return f"<table:table-row {attributes}>{''.join(cells)}</table:table-row>"


def said(text: str, attributes: str = "") -> str:
    """Return a cell with one paragraph."""
    return cell(attributes, f"<text:p>{text}</text:p>")


def valued(kind: str, value: str, shown: str | None = None, more: str = "") -> str:
    """Return a cell that stores a value of some kind."""
    attribute = {"date": "date-value", "time": "time-value", "boolean": "boolean-value"}.get(kind, "value")
    text = "" if shown is None else f"<text:p>{shown}</text:p>"
    return cell(f'office:value-type="{kind}" office:{attribute}="{value}" {more}', text)


def only_cell(path: Path, xml: str, **styles: str) -> object:
    """Return the cell that the reading makes of the XML of one."""
    return rows_of(open_table(packed(path / "one.ods", content(sheet(xml), **styles))))[2][0]


TEXTS = {
    "plain": ("<text:p>hola</text:p>", "hola", None),
    "paragraphs": ("<text:p>uno</text:p><text:p>dos</text:p>", "uno\ndos", None),
    "an empty paragraph": ("<text:p>uno</text:p><text:p/><text:p>tres</text:p>", "uno\n\ntres", None),
    "spaces": ('<text:p>a<text:s text:c="3"/>b<text:s/>c</text:p>', "a   b c", None),
    "a tab and a line break": ("<text:p>a<text:tab/>b<text:line-break/>c</text:p>", "a\tb\nc", "abc"),
    "CDATA": ("<text:p>x <![CDATA[<b> & c]]> y</text:p>", "x <b> & c y", "x  y"),
    "spans and links": (
        '<text:p><text:span>a</text:span><text:a xlink:href="mailto:x">b</text:a></text:p>',
        "ab",
        None,
    ),
    "a comment": ("<office:annotation><text:p>no</text:p></office:annotation><text:p>si</text:p>", "si", None),
    "a comment behind": ("<text:p>si</text:p><office:annotation><text:p>no</text:p></office:annotation>", "si", None),
    "a picture": (
        "<draw:frame><draw:text-box><text:p>no</text:p></draw:text-box></draw:frame><text:p>si</text:p>",
        "si",
        None,
    ),
    "a link without a text": ('<text:p><text:a xlink:href="mailto:x"/></text:p>', "mailto:x", ""),
    "white space between elements": ("\n  <text:p>uno</text:p>\n  ", "uno", None),
    "an XML comment": ("<text:p>uno<!-- no --> dos</text:p>", "uno dos", None),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_is_what_the_cell_shows(tmp_path: Path, name: str) -> None:
    """However ODF writes a text, it is read as it is shown, with its earlier reading where that differs."""
    xml, shown, earlier = TEXTS[name]
    found = only_cell(tmp_path, cell('office:value-type="string"', xml))
    assert (str(found), str(earlier_reading(found))) == (shown, shown if earlier is None else earlier)  # type: ignore[arg-type]


VALUES = {
    "a date": (valued("date", "2024-03-17"), Typed("2024-03-17", date(2024, 3, 17))),
    "a moment": (
        valued("date", "2024-03-17T13:45:00"),
        Typed("2024-03-17 13:45:00", datetime.fromisoformat("2024-03-17T13:45")),
    ),
    "a time": (valued("time", "PT10H30M00S"), Typed("10:30:00", time(10, 30))),
    "a short time": (valued("time", "PT10H30M"), Typed("10:30:00", time(10, 30))),
    "a duration": (valued("time", "PT30H15M00S"), Typed("30:15:00", 1.2604166666666667)),
    "days": (valued("time", "P1DT6H15M"), Typed("30:15:00", 1.2604166666666667)),
    "a percentage": (valued("percentage", "0.125"), Typed("12.5%", 0.125)),
    "a number": (valued("float", "12.0"), Typed("12", 12)),
    "money": (valued("currency", "1234.5"), Typed("1234.5", 1234.5)),
    "a truth": (valued("boolean", "true"), Typed("TRUE", value=True)),
    "a string": (cell('office:value-type="string" office:string-value="uno"'), "uno"),
    "a shown date": (valued("date", "2024-03-17", "17/03/24"), Typed("17/03/24", date(2024, 3, 17))),
    "a shown percentage": (valued("percentage", "0.125", "12,5 %"), Typed("12,5 %", 0.125)),
    "a shown truth": (valued("boolean", "false", "FALSO"), Typed("FALSE", value=False)),
    "shown money": (valued("currency", "1234.5", "$ 1.234,50"), Typed("1234.5", 1234.5)),
    "a date that is none": (valued("date", "2024-13-45", "ayer"), "ayer"),
    "a number that is none": (valued("float", "", "7 u"), "7 u"),
    "a truth of others": (valued("boolean", "1"), Typed("TRUE", value=True)),
    "a number with a comma": (valued("float", "1,5"), "1,5"),
    "no type": (cell("", "<text:p>uno</text:p>"), "uno"),
}


@pytest.mark.parametrize("name", VALUES)
def test_a_typed_cell_shows_its_value(tmp_path: Path, name: str) -> None:
    """A cell without a text shows its value, and one with a text that text, except where only separators differ."""
    xml, expected = VALUES[name]
    found = only_cell(tmp_path, xml)
    assert str(found) == str(expected)
    assert getattr(found, "value", None) == getattr(expected, "value", None)


def number_style(inner: str, kind: str = "number-style", more: str = "") -> str:
    """Return the number style N1 and the cell style ce1 that names it."""
    return (
        f'<number:{kind} style:name="N1" {more}>{inner}</number:{kind}>'
        '<style:style style:name="ce1" style:family="table-cell" style:data-style-name="N1"/>'
    )


def digits(attributes: str, inner: str = "") -> str:
    """Return the digits of a number style; an attribute is a name and a value."""
    named = " ".join(f'number:{one.split("=")[0]}="{one.split("=")[1]}"' for one in attributes.split())
    return f"<number:number {named}>{inner}</number:number>"


def literal(text: str) -> str:
    """Return text in a number style."""
    return f"<number:text>{text}</number:text>"


PADDED = literal("T-") + digits("decimal-places=0 min-integer-digits=6")
SPLIT = digits(
    "decimal-places=0 min-integer-digits=7", '<number:embedded-text number:position="3">-</number:embedded-text>'
)
GROUPED = digits("decimal-places=2 min-decimal-places=2 min-integer-digits=1 grouping=true")
PERCENT = digits("decimal-places=1 min-decimal-places=1 min-integer-digits=1") + literal("%")
DAY = "<number:day number:style='long'/><number:text>/</number:text><number:month number:style='long'/>"
HOURS = "<number:hours/><number:text>:</number:text><number:minutes number:style='long'/>"
STYLES = {
    "a prefix": (number_style(PADDED), valued("float", "12", "T-000012"), "T-000012", '"T-"000000'),
    "a prefix left to the reader": (number_style(PADDED), valued("float", "12", "12"), "T-000012", '"T-"000000'),
    "a prefix without a text": (number_style(PADDED), valued("float", "12"), "T-000012", '"T-"000000'),
    "separators": (number_style(SPLIT), valued("float", "2024001", "2024-001"), "2024-001", "0000-000"),
    "grouping": (number_style(GROUPED), valued("float", "1234.5", "1.234,50"), "1234.5", "#,##0.00"),
    "a percentage": (number_style(PERCENT, "percentage-style"), valued("percentage", "0.5"), "50.0%", "0.0%"),
    "a date": (number_style(DAY, "date-style"), valued("date", "2024-03-17"), "17/03", "dd/mm"),
    "a date stored as a number": (number_style(DAY, "date-style"), valued("float", "45368", "17/03"), "17/03", "dd/mm"),
    "a date as ISO": (number_style(DAY, "date-style"), valued("date", "2024-03-17", "2024-03-17"), "17/03", "dd/mm"),
    "the region's date": (
        number_style(DAY, "date-style", 'number:automatic-order="true"'),
        valued("date", "2024-03-17"),
        "2024-03-17",
        "yyyy-mm-dd",
    ),
    "hours that count on": (
        number_style(HOURS, "time-style", 'number:truncate-on-overflow="false"'),
        valued("time", "PT30H15M"),
        "30:15",
        "[h]:mm",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", STYLES)
def test_a_number_style_decides_what_a_number_shows(tmp_path: Path, name: str) -> None:
    """The style is read as the format code of Excel that says the same, and so are the styles of rows and columns."""
    styles, xml, shown, code = STYLES[name]
    styled = xml.replace("<table:table-cell", '<table:table-cell table:style-name="ce1"', 1)
    by_column = '<table:table-column table:default-cell-style-name="ce1"/>'
    by_row = f'<table:table-row table:default-cell-style-name="ce1">{xml}</table:table-row>'
    for part in (sheet(styled), sheet(xml, before=by_column), sheet(by_row)):
        found = rows_of(open_table(packed(tmp_path / "one.ods", content(part, styles=styles))))[2][0]
        assert isinstance(found, Typed)
        assert (found.text, found.number_format) == (shown, code)


WORDY = number_style("<number:text>PQR-</number:text><number:text-content/>", "text-style")
NO_ZERO = number_style(digits("decimal-places=0 min-integer-digits=0"))
POWER = number_style(
    '<number:scientific-number number:decimal-places="1" number:min-integer-digits="1" number:min-exponent-digits="2"/>'
)
SHOWN_OTHERWISE = {  # a cell, what is read, what was read before, and what a note says of the column
    "a word before a text": (WORDY, cell('office:value-type="string" office:string-value="15"'), "PQR-15", "15", ""),
    "a word in the file": (
        WORDY,
        cell('office:value-type="string" office:string-value="15"', "<text:p>PQR-15</text:p>"),
        "PQR-15",
        "15",
        "",
    ),
    "a zero": (
        NO_ZERO,
        valued("float", "0", ""),
        "",
        "0",
        "empty, whatever is in them: Nota",
    ),
    "a half": (NO_ZERO, valued("float", "0.5", "1"), "0.5", "0.5", ""),
    "a power of ten": (POWER, valued("float", "1234", "1.2E+03"), "1234", "1234", "all their digits: Nota (0.0E+00)"),
}


@pytest.mark.parametrize("name", SHOWN_OTHERWISE)
def test_what_a_style_says_of_texts_and_zeros_is_as_in_xlsx(tmp_path: Path, name: str) -> None:
    """Words around a text are read, a zero that is not shown is empty, and notes name the column and its format."""
    styles, xml, shown, earlier, said_of_it = SHOWN_OTHERWISE[name]
    styled = xml.replace("<table:table-cell", '<table:table-cell table:style-name="ce1"', 1)
    rows = row("", said("Ticket"), said("Nota")) + row("", said("1"), styled)
    part = content(f'<table:table table:name="Datos">{rows}</table:table>', styles=styles)
    table = open_table(packed(tmp_path / "one.ods", part))
    found = rows_of(table)[2][1]
    assert (str(found), str(earlier_reading(found))) == (shown, earlier)
    assert said_of_it in " ".join(table.notes)
    assert bool(said_of_it) == ("Nota" in " ".join(table.notes))


def test_a_mended_reading_keeps_the_earlier_one(tmp_path: Path) -> None:
    """What was read as a plain number, or as nothing after a comment on an earlier sheet, is still known."""
    commented = sheet(
        cell("", "<office:annotation><text:p>x</text:p></office:annotation><text:p>1</text:p>"), name="Uno", style="ta1"
    )
    hidden = '<style:table-properties table:display="false"/>'
    hide = f'<style:style style:name="ta1" style:family="table">{hidden}</style:style>'
    rows = [
        valued("float", "12", "T-000012", 'table:style-name="ce1"'),
        valued("date", "2024-03-17", "17/03/24"),
        valued("float", "7", "007"),
    ]
    path = packed(tmp_path / "old.ods", content(commented, sheet(*rows), styles=hide + number_style(PADDED)))
    table = open_table(path)
    cells = [cells[0] for cells in rows_of(table).values()]
    assert table.sheet == "Datos"
    assert list(map(str, cells)) == ["T-000012", "17/03/24", "007"]
    assert [str(earlier_reading(one)) for one in cells] == ["12", "", "7"]


F = 'table:formula="of:=A1"'
FORMULAS = {
    "never calculated": (cell(F), "formula-without-result"),
    "never calculated, with a type": (cell(f'{F} office:value-type="string"'), "formula-without-result"),
    "never calculated, a number": (cell(f'{F} office:value-type="float"'), "formula-without-result"),
    "empty": (cell(F, "<text:p/>"), ""),
    "an empty string": (cell(f'{F} office:value-type="string" office:string-value=""'), ""),
    "a text": (cell(f'{F} office:value-type="string"', "<text:p>x</text:p>"), "x"),
    "an error": (valued("string", "", "#N/A", f'{F} calcext:value-type="error"'), "error-cell"),
    "an error of others": (valued("float", "0", "#DIV/0!", F), "error-cell"),
    "an error in Spanish": (valued("float", "0", "#¡DIV/0!", F), "error-cell"),
    "a name in Spanish": (valued("string", "", "#¿NOMBRE?", F), "error-cell"),
    "an error in Portuguese": (valued("string", "", "#NÚM!", F), "error-cell"),
    "no value in Spanish": (valued("float", "0", "#N/D", F), "error-cell"),
    "a number sign": (valued("string", "", "#12", F), "#12"),
    "an error's number": (valued("float", "0", "Err:502", F), "error-cell"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_shows_its_result(tmp_path: Path, name: str) -> None:
    """A formula with an empty result is empty, one that was never calculated and one with an error are issues."""
    xml, expected = FORMULAS[name]
    rows = rows_of(
        open_table(packed(tmp_path / "one.ods", content(sheet(valued("float", "1") + xml))), HEADER_IN_ROW_1)
    )
    found = rows[2][1] if len(rows[2]) > 1 else ""
    assert (found.code if isinstance(found, CellError) else str(found)) == expected


def test_rows_and_columns_repeat(tmp_path: Path) -> None:
    """Repeated rows and cells, groups of rows, hidden rows and merged cells keep the numbers that the sheet shows."""
    rows = (
        row('table:number-rows-repeated="2"', said("x", 'table:number-columns-repeated="2"')),
        row('table:number-rows-repeated="3"', cell()),
        row('table:visibility="collapse"', said("y")),
        said("z", 'table:number-columns-spanned="2"') + "<table:covered-table-cell/>" + said("w"),
        row('table:number-rows-repeated="1048567"', cell('table:number-columns-repeated="16384"')),
    )  # fmt: skip
    path = packed(tmp_path / "repeated.ods", content(sheet(*rows)))
    table = open_table(path, HEADER_IN_ROW_1)
    assert texts_of(table) == {2: ["x", "x", ""], 3: ["x", "x", ""], 7: ["y", "", ""], 8: ["z", "", "w"]}
    assert table.hidden == {7}
    assert texts_of(open_table(path, TableOptions(header_row=1, merged="fill")))[8] == ["z", "z", "w"]


PLAIN = content(sheet(said("uno"), said("dos")))
WRITERS: dict[str, dict[str, object]] = {
    "indented": {"xml": PLAIN.replace("><", ">\n  <")},
    "other prefixes": {"xml": re.sub(r"\b(office|table|text)([:=])(?!1)", r"x\1\2", PLAIN)},
    "the default namespace": {"xml": PLAIN.replace("<text:", "<").replace("</text:", "</").replace(":text=", "=", 1)},
    "without mimetype": {"xml": PLAIN, "mimetype": None},
    "without manifest": {"xml": PLAIN, "manifest": None},
    "without either": {"xml": PLAIN, "mimetype": None, "manifest": None},
    "a type with a line end": {"xml": PLAIN, "mimetype": SPREADSHEET + "\n", "manifest": None},
    "UTF-16": {"xml": ('<?xml version="1.0" encoding="UTF-16"?>' + PLAIN).encode("utf-16")},
}  # fmt: skip


@pytest.mark.parametrize("writer", WRITERS)
def test_what_libreoffice_opens_is_read(tmp_path: Path, writer: str) -> None:
    """The table is the same, however the writer has laid out the XML and the package."""
    path = packed(tmp_path / "other.ods", **WRITERS[writer])  # type: ignore[arg-type]
    assert texts_of(open_table(path)) == {2: ["uno"], 3: ["dos"]}


def test_a_flat_document_is_read(tmp_path: Path) -> None:
    """A workbook saved as a single XML document is read as the packed one."""
    flat = content(
        sheet(valued("float", "12", "T-000012", 'table:style-name="ce1"')),
        styles=number_style(PADDED),
        root="document",
        attributes=f'office:mimetype="{SPREADSHEET}"',
    )
    path = written(tmp_path / "flat.fods", f'<?xml version="1.0" encoding="UTF-8"?>\n{flat}')
    assert texts_of(open_table(path)) == {2: ["T-000012"]}


def test_tables_within_a_sheet_are_no_sheets(tmp_path: Path) -> None:
    """The table of a chart, which stands in a frame of the sheet, is neither listed nor read as rows."""
    local = sheet(said("no"), name="local")
    chart = f"<table:shapes><draw:frame><draw:object>{local}</draw:object></draw:frame></table:shapes>"
    path = packed(tmp_path / "chart.ods", content(sheet(said("uno"), before=chart)))
    assert texts_of(open_table(path)) == {2: ["uno"]}
    with pytest.raises(SourceError, match="It has: “Datos”"):
        open_table(path, TableOptions(sheet="local"))


BOUNDS = {
    "columns": (said("x", 'table:number-columns-repeated="16385"'), "more than 16,384 columns"),
    "rows": (row('table:number-rows-repeated="1048576"', said("x")), "more than 1,048,576 rows"),
    "the corner": (
        row('table:number-rows-repeated="4000"', said("x", 'table:number-columns-repeated="16384"')),
        "so far apart",
    ),
    "a cell": (cell("", '<text:p><text:s text:c="2000000000"/></text:p>'), "more than 10,000,000 characters"),
    "a number of repetitions": (said("x", 'table:number-columns-repeated="many"'), "damaged"),
}  # fmt: skip


@pytest.mark.parametrize("bound", BOUNDS)
def test_s6_bounds_hold_for_ods(tmp_path: Path, bound: str) -> None:
    """What is repeated costs nothing in the file, and is refused before it costs anything here."""
    xml, sentence = BOUNDS[bound]
    with pytest.raises(SourceError, match=sentence):
        open_table(packed(tmp_path / "large.ods", content(sheet(xml))))


def test_s6_texts_that_repeat_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The texts of a sheet are counted as often as they are repeated."""
    monkeypatch.setattr("importer.source.ods.rows.MEMORY_LIMIT", 1000)
    rows = row('table:number-rows-repeated="11"', said("x" * 100))
    with pytest.raises(SourceError, match="memory"):
        open_table(packed(tmp_path / "large.ods", content(sheet(rows))))


def test_s6_an_entity_in_a_flat_document_is_refused(tmp_path: Path) -> None:
    """A flat document that declares entities is refused before they are used."""
    flat = content(sheet(said("&a;")), root="document", attributes=f'office:mimetype="{SPREADSHEET}"')
    path = written(tmp_path / "flat.fods", f'<!DOCTYPE x [<!ENTITY a "b">]>\n{flat}')
    with pytest.raises(SourceError, match="entit"):
        open_table(path)


def test_a_text_document_is_named_as_what_it_is(tmp_path: Path) -> None:
    """A document of another kind is refused although it contains tables."""
    xml = content(sheet(said("x"))).replace("office:spreadsheet", "office:text")
    writer = SPREADSHEET.replace("spreadsheet", "text")
    with pytest.raises(SourceError, match="OpenDocument"):
        open_table(packed(tmp_path / "text.odt", xml, mimetype=writer, manifest=MANIFEST.replace(SPREADSHEET, writer)))
    with pytest.raises(SourceError, match="no sheet"):
        open_table(packed(tmp_path / "text.odt", xml, mimetype=None, manifest=None))


def test_s6_texts_of_styles_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held in memory of the styles is as large as that of other workbooks at most."""
    monkeypatch.setattr("importer.source.ods.workbook.LARGEST_TREE", 10_000)
    styles = number_style(literal("x" * 20_000))
    with pytest.raises(SourceError, match="too many styles"):
        open_table(packed(tmp_path / "styles.ods", content(sheet(said("x")), styles=styles)))


def test_equal_texts_keep_their_own_earlier_reading(tmp_path: Path) -> None:
    """Of two texts that are equal now, each has been read in its own way before."""
    rows = (said("x", OF_TEXT), said("x"), said("x", OF_TEXT))
    cells = [cells[0] for cells in rows_of(open_table(packed(tmp_path / "equal.ods", content(sheet(*rows))))).values()]
    assert [str(earlier_reading(one)) for one in cells] == ["x", "", "x"]
