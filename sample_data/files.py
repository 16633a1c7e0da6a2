# ruff: noqa: INP001 -- used by a script, not a package
"""Make small real files to attach, with the same bytes every time."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from random import Random
from re import sub
from xml.sax.saxutils import escape

from openpyxl import Workbook

_MOMENT = (2024, 7, 1, 8, 0, 0)
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"
_RELATION = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
_DOCX = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/word/document.xml" ContentType="{_WORD}"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    f'<Relationship Id="rId1" Type="{_RELATION}" Target="word/document.xml"/></Relationships>',
    "word/document.xml": '<w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main">'
    "<w:body>{paragraphs}</w:body></w:document>",
}
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'


def pdf(lines: Sequence[str]) -> bytes:
    """Return a PDF of one page that shows the lines."""
    shown = [line.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)") for line in lines]
    text = "BT /F 12 Tf 60 780 Td 18 TL " + " ".join(f"({line}) Tj T*" for line in shown) + " ET"
    stream = text.encode("cp1252")
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842]/Contents 4 0 R /Resources << /Font << /F 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        font,
    ]
    page, offsets = b"%PDF-1.4\n", []
    for number, content in enumerate(objects, 1):
        offsets.append(len(page))
        page += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(objects) + 1
    tail = b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (size, len(page))
    return page + b"xref\n0 %d\n0000000000 65535 f \n" % size + table + tail


def png(width: int, height: int, colour: tuple[int, int, int], noise: Random | None = None) -> bytes:
    """Return a picture in one colour that darkens towards the bottom, or of noise, which does not compress."""
    rows = []
    for y in range(height):
        shade = bytes(int(part * (1 - y / height / 2)) for part in colour)
        rows.append(b"\0" + (noise.randbytes(3 * width) if noise else shade * width))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(b"".join(rows), 9)), (b"IEND", b""))
    picture = b"\x89PNG\r\n\x1a\n"
    for tag, data in parts:
        picture += struct.pack(">I", len(data)) + tag + data + struct.pack(">I", zlib.crc32(tag + data))
    return picture


def docx(paragraphs: Sequence[str]) -> bytes:
    """Return a Word document of plain paragraphs."""
    runs = "".join(f"<w:p><w:r><w:t>{escape(paragraph)}</w:t></w:r></w:p>" for paragraph in paragraphs)
    return _zipped({name: (_XML + part.replace("{paragraphs}", runs)).encode() for name, part in _DOCX.items()})


def xlsx(rows: Sequence[Sequence[object]]) -> bytes:
    """Return a workbook with one sheet of rows."""
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(list(row))
    return saved(book)


def saved(book: Workbook) -> bytes:
    """Return the workbook's bytes, without the time at which it was made."""
    stream = io.BytesIO()
    book.save(stream)
    moment = datetime(*_MOMENT).isoformat() + "Z"  # noqa: DTZ001 -- written as UTC by its Z
    with zipfile.ZipFile(stream) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    core = parts["docProps/core.xml"].decode()
    parts["docProps/core.xml"] = sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", moment, core).encode()
    return _zipped(parts)


def _zipped(parts: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(zipfile.ZipInfo(name, _MOMENT), data, zipfile.ZIP_DEFLATED)
    return stream.getvalue()


def write(folder: Path, files: dict[str, bytes]) -> None:
    """Write each file under its name in the folder."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
