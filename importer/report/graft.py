"""Put one sheet into a workbook and leave every other byte of it alone.

Loading and saving a workbook with openpyxl loses what openpyxl does not know: charts, images, macros, pivot tables,
the stored results of formulas. So the package is opened as what it is, a zip of XML parts: our sheet is made in a
workbook of its own, its styles are appended to the other's, and every part that names no sheet is copied as it is.
"""

from __future__ import annotations

import io
import re
import shutil
from collections.abc import Iterator
from typing import BinaryIO
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from importer.files import Package

from .graft_styles import StyleShift, merged_styles, parsed

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
PACKAGE_RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
WORKBOOK = "xl/workbook.xml"
STYLES = "xl/styles.xml"
TYPES = "[Content_Types].xml"
WORKBOOK_RELATIONS = "xl/_rels/workbook.xml.rels"

_OURS = "case-importer-report"
_SHEET_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"
_NOTES_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.comments+xml"
_NOTES = f"xl/comments/{_OURS}.xml"
_SHAPES = f"xl/drawings/{_OURS}.vml"
_CHUNK = 1 << 20


def sheet_parts(package: Package) -> dict[str, str]:
    """Return the sheets of a workbook, each name with the part that holds it; SourceError where it names none."""
    relations = {relation.get("Id"): relation.get("Target", "") for relation in package.tree(WORKBOOK_RELATIONS)}
    sheets = package.tree(WORKBOOK).iterfind(f"{{{MAIN}}}sheets/{{{MAIN}}}sheet")
    targets = ((sheet.get("name", ""), relations.get(sheet.get(f"{{{RELATIONS}}}id"), "")) for sheet in sheets)
    return {name: target.lstrip("/") if target.startswith("/") else f"xl/{target}" for name, target in targets}


def graft(host: Package, donor: Package, title: str, target: BinaryIO) -> None:
    """Write the workbook `host` to `target` with the sheet `title` of `donor`, in the place of one of that name.

    Raises `ValueError`, `KeyError` or `ParseError` where the package is not built as a workbook is.
    """
    ours = sheet_parts(donor)[title]
    present = sheet_parts(host).get(title)
    part = present or f"xl/worksheets/{_OURS}.xml"
    styles, shift = merged_styles(_text(host, STYLES), _text(donor, STYLES))
    texts = {STYLES: styles, TYPES: _typed(_text(host, TYPES), part)}
    if present is None:
        texts[WORKBOOK] = _with_sheet(_text(host, WORKBOOK), title)
        texts[WORKBOOK_RELATIONS] = _with_relation(_text(host, WORKBOOK_RELATIONS))
    replaced = {part, _relations_of(part), _NOTES, _SHAPES, *texts}
    with ZipFile(target, "w", ZIP_DEFLATED) as package:
        for info in host.zip.infolist():
            if info.filename in texts:
                package.writestr(info.filename, texts[info.filename])
            elif info.filename not in replaced:
                _copy(host.zip, info, package)
        _write_sheet(donor, ours, package, part, shift)


def _text(package: Package, part: str) -> str:
    return package.content(part).decode("utf-8-sig")


def _copy(host: ZipFile, info: ZipInfo, package: ZipFile) -> None:
    copied = ZipInfo(info.filename, info.date_time)
    copied.compress_type, copied.external_attr = info.compress_type, info.external_attr
    with host.open(info) as read, package.open(copied, "w", force_zip64=info.file_size >= 1 << 31) as written:
        shutil.copyfileobj(read, written, _CHUNK)


def _write_sheet(donor: Package, ours: str, package: ZipFile, part: str, shift: StyleShift) -> None:
    with donor.zip.open(ours) as read, package.open(part, "w", force_zip64=True) as written:
        for text in _tags(io.TextIOWrapper(read, "utf-8")):
            written.write(shift.applied(text).encode())
    relations = _relations_of(ours)
    if relations not in donor.names:
        return
    text = _text(donor, relations)
    for name, new in _companions(text):
        package.writestr(new, donor.zip.read(name))
        text = text.replace(f'"/{name}"', f'"/{new}"')
    package.writestr(_relations_of(part), text)


def _companions(relations: str) -> Iterator[tuple[str, str]]:
    """Yield the parts that hold the sheet's notes, each with the name that it gets in the other workbook."""
    for relation in parsed(relations):
        target, kind = relation.get("Target", "").lstrip("/"), relation.get("Type", "")
        if kind.endswith("/comments"):
            yield target, _NOTES
        elif kind.endswith("/vmlDrawing"):
            yield target, _SHAPES


def _tags(text: io.TextIOWrapper) -> Iterator[str]:
    """Yield a long XML text in pieces, none of which ends inside a tag."""
    rest = ""
    while piece := text.read(_CHUNK):
        whole, mark, begun = (rest + piece).rpartition("<")
        yield whole
        rest = mark + begun
    yield rest


def _relations_of(part: str) -> str:
    folder, _, name = part.rpartition("/")
    return f"{folder}/_rels/{name}.rels"


def inserted(xml: str, parent: str, child: str) -> str:
    """Return XML with one more child at the end of an element; `{p}` in it stands for the document's prefix."""
    closing = re.search(rf"</((?:\w+:)?){parent}\s*>", xml)
    if closing is None:
        raise ValueError(parent)
    return xml[: closing.start()] + child.replace("{p}", closing[1]) + xml[closing.start() :]


def _with_sheet(workbook: str, title: str) -> str:
    highest = max(int(number) for number in re.findall(r'\bsheetId="(\d+)"', workbook))
    sheet = f'<{{p}}sheet xmlns:wci="{RELATIONS}" name="{title}" sheetId="{highest + 1}" wci:id="{_OURS}"/>'
    return inserted(workbook, "sheets", sheet)


def _with_relation(relations: str) -> str:
    kind = f"{RELATIONS}/worksheet"
    relation = f'<{{p}}Relationship Id="{_OURS}" Type="{kind}" Target="/xl/worksheets/{_OURS}.xml"/>'
    return inserted(relations, "Relationships", relation)


def _typed(types: str, part: str) -> str:
    """Declare what our parts are, unless it is declared."""
    for name, kind in ((part, _SHEET_TYPE), (_NOTES, _NOTES_TYPE)):
        if f'"/{name}"' not in types:
            types = inserted(types, "Types", f'<{{p}}Override PartName="/{name}" ContentType="{kind}"/>')
    if 'Extension="vml"' not in types:
        shapes = "application/vnd.openxmlformats-officedocument.vmlDrawing"
        types = inserted(types, "Types", f'<{{p}}Default Extension="vml" ContentType="{shapes}"/>')
    return types
