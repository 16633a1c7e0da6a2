"""Recognise what a file is by its content; its ending does not matter."""

from __future__ import annotations

import codecs
import csv
import re
from enum import Enum

from importer.errors import SourceError
from importer.messages import _
from importer.source.snapshot import Snapshot
from importer.source.xlsx.workbook import workbook_part
from importer.system.files import Package, damaged, password_needed


class Kind(Enum):
    """The formats that can be read."""

    TEXT = "CSV"
    XLSX = "XLSX"
    XLSB = "XLSB"
    ODS = "ODS"
    XLS = "XLS"


_HEAD = 1 << 16
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = re.compile(rb"PK(?:\x03\x04|\x05\x06|\x07\x08|00PK)")  # PK alone begins the header of a primary key
_WITHIN = re.compile(rb"PK\x03\x04|" + re.escape(_OLE))  # after what a server wrote first
_FOREIGN = {
    re.compile(rb"%PDF-\d"): "PDF",
    re.compile(rb"\x89PNG"): "PNG",
    re.compile(rb"\xff\xd8\xff[\xc0-\xfe]"): "JPEG",
    re.compile(rb"GIF8[79]a"): "GIF",
    re.compile(rb"\{\\rtf\d"): "RTF",
    re.compile(rb"\x1f\x8b"): "gzip",
    re.compile(rb"7z\xbc\xaf"): "7-Zip",
    re.compile(rb"Rar!\x1a"): "RAR",
    re.compile(rb"SQLite format 3\0"): "SQLite",
    re.compile(rb"PAR1[\x00-\x08\x0e-\x1f]"): "Parquet",
}
_CONTROLS = tuple(
    bytes([code]) for code in (*range(1, 9), *range(14, 32))
)  # rare in text; NUL is not, because of UTF-16
_FEW = 50
_OLD_EXCEL = re.compile(rb"\x09[\x00\x02\x04\x08](?:\x04|\x06|\x08|\x10)\x00")
_TABLE_LINES = 20
_TAG_OR_ENTITY = re.compile(r"<[^>]*>|&#?\w+;")
_WORKBOOK = re.compile(rb"(?:w\0o\0r\0k\0)?b\0o\0o\0k\0\0\0", re.IGNORECASE)  # the name of a stream, and its end
_OLE_ENTRY = 128  # bytes of an entry of the list of streams, which begins at a multiple of that
_FLAT_ODS = re.compile(r"<[\w.-]*:?document\b[^>]*opendocument\.spreadsheet")
_HTML = re.compile(
    r"(?:<!--.*?-->\s*)?<(?:!doctype\s+html|html|head|body|table|meta|style|div)\b", re.IGNORECASE | re.DOTALL
)


def sniff(snapshot: Snapshot, file: str) -> tuple[Kind, Package | None]:
    """Return what the bytes are, with the package of a zip file; raises SourceError naming what cannot be read."""
    with snapshot.open() as reader:
        head = reader.read(_HEAD)
    if not head:
        raise SourceError(_("{file} is empty. Save it or download it again.", file=file))
    if _ZIP.match(head):
        package = Package(snapshot.open(), file)
        return _zip_kind(package), package
    if head.startswith(_OLE):
        return _ole_kind(snapshot, file), None
    if _OLD_EXCEL.match(head):
        raise _not_a_table(file, "Excel 4")
    for mark, name in _FOREIGN.items():
        if mark.match(head):
            raise _not_a_table(file, name)
    if _WITHIN.search(head):
        raise damaged(file, _("it has something in front of the workbook"))
    if sum(head.count(control) for control in _CONTROLS) > max(len(head) / 20, _FEW):
        raise _not_a_table(file, _("not known"))
    text = _decoded(head)
    if _FLAT_ODS.search(text):
        return Kind.ODS, None
    _refuse_markup(text, file)
    return Kind.TEXT, None


def _zip_kind(package: Package) -> Kind:
    """Return what a zip file contains."""
    if "content.xml" in package.names:
        manifest = package.content("META-INF/manifest.xml") if "META-INF/manifest.xml" in package.names else b""
        if b"encryption-data" in manifest:
            raise password_needed(package.file)
        named = package.content("mimetype") + manifest if "mimetype" in package.names else manifest
        if b"opendocument.spreadsheet" in named or b"opendocument." not in named:
            return Kind.ODS
        raise _not_a_table(package.file, "OpenDocument")
    part = workbook_part(package)
    if part is not None and part.endswith(".bin"):
        return Kind.XLSB
    if part is not None and package.tree(part).tag.endswith("}workbook"):
        return Kind.XLSX
    if any(name.endswith(".iwa") for name in package.names):
        raise _not_a_table(package.file, "Apple Numbers")
    if "[Content_Types].xml" in package.names and part is None:
        raise damaged(package.file, _("it names no workbook"))
    raise _not_a_table(package.file, "Microsoft Office" if part else "ZIP")


def _ole_kind(snapshot: Snapshot, file: str) -> Kind:
    """Return what a compound file of older Office programs contains, by the names of its streams."""
    with snapshot.open() as reader:
        content = reader.read()
    if "EncryptedPackage".encode("utf-16-le") in content:
        raise password_needed(file)
    if any(name.start() % _OLE_ENTRY == 0 for name in _WORKBOOK.finditer(content)):
        return Kind.XLS
    if "WordDocument".encode("utf-16-le") in content:
        raise _not_a_table(file, "Word")
    raise damaged(file, _("no workbook in it"))


def _decoded(head: bytes) -> str:
    """Return the beginning of a file as text, roughly."""
    wide = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return head.decode("utf-16" if wide else "utf-8-sig", "replace").lstrip()


def _refuse_markup(text: str, file: str) -> None:
    """Raise SourceError for web pages and XML, which some portals name .xls or .csv; `text` is how the file begins."""
    if not text.startswith(("<", "{", "MIME-Version:")) or _is_table(text):
        return
    if _HTML.match(text) or ("<html" in text.lower() and text.startswith(("<", "MIME-Version:"))):
        if "accounts.google.com" in text:
            raise SourceError(
                _(
                    "{file} is Google's sign-in page and not the table. Open the sheet in the browser and use File >"
                    " Download > Microsoft Excel (.xlsx).",
                    file=file,
                )
            )
        raise SourceError(
            _("{file} is a web page (HTML) and not a spreadsheet. Open it in Excel and save it as .xlsx.", file=file)
        )
    if text.startswith(("<?xml", "<Workbook")):
        if "urn:schemas-microsoft-com:office:spreadsheet" in text:
            raise SourceError(_("{file} is an XML Spreadsheet 2003. Open it in Excel and save it as .xlsx.", file=file))
        raise SourceError(
            _("{file} is an XML document and not a spreadsheet. Open it in Excel and save it as .xlsx.", file=file)
        )
    if text.startswith("{") and "docs.google.com" in text:
        raise SourceError(
            _(
                "{file} is only a link to a Google sheet. Open it in the browser and use File > Download > Microsoft"
                " Excel (.xlsx).",
                file=file,
            )
        )


def _is_table(text: str) -> bool:
    """Return whether the first lines are rows of a table, in whose cells there may be markup: all are cut alike."""
    lines = [_TAG_OR_ENTITY.sub("", line) or "-" for line in text.splitlines()[:_TABLE_LINES] if line.strip()]
    return any(_is_cut_evenly(lines, delimiter) for delimiter in ",;\t|")


def _is_cut_evenly(lines: list[str], delimiter: str) -> bool:
    try:
        widths = [len(record) for record in csv.reader(lines, delimiter=delimiter) if record]
    except csv.Error:
        return False
    whole = widths[:-1] if len(lines) == _TABLE_LINES else widths  # the last record may have been cut
    return len(whole) > 1 and len(set(whole)) == 1 and whole[0] > 1


def _not_a_table(file: str, name: str) -> SourceError:
    return SourceError(
        _(
            "{file} is not a spreadsheet that can be read; its format is {format}. Export the table as .xlsx or CSV.",
            file=file,
            format=name,
        )
    )
