"""Read a mapping file; all of its faults at once, each at its line and column."""

from __future__ import annotations

import hashlib
from pathlib import Path

from importer.errors import MappingError, MappingFault
from importer.files import open_ordinary
from importer.mapping import document
from importer.mapping.case import CaseMapping
from importer.mapping.checks import check
from importer.mapping.parsing import parse
from importer.mapping.rules import attachment_options, rules, source_options, table_needs
from importer.messages import _

_LARGEST = 10_000_000
"""Bytes of a mapping: thousands of times those of a long one, and still read at once."""


def load(path: Path) -> CaseMapping:
    """Return what the mapping file at `path` says; raises `MappingError` with every fault of it."""
    try:
        with open_ordinary(path) as file:
            raw = file.read(_LARGEST + 1)
    except OSError as error:
        message = _("the mapping cannot be read: {reason}", reason=error.strerror or error)
        raise MappingError((MappingFault(str(path), 1, 1, "", message),)) from error
    if len(raw) > _LARGEST:
        message = _("the file has more than {most:,} bytes, so it is not a mapping", most=_LARGEST)
        raise MappingError((MappingFault(str(path), 1, 1, "", message),))
    return loads(raw, path)


def loads(raw: bytes, path: Path) -> CaseMapping:
    """Return what the bytes of a mapping file say; `path` names it in faults and is where its tables count from."""
    written = document.read(path, raw)
    mapping, faults, cut = parse(written)
    faults = [*written.faults, *faults, *check(mapping, written.places, cut)]
    if faults:
        raise MappingError(tuple(sorted(dict.fromkeys(faults), key=lambda fault: (fault.line, fault.column))))
    return CaseMapping(
        path=path,
        digest=hashlib.sha256(raw).hexdigest(),
        import_name=mapping.import_ or "",
        table=source_options(mapping.source),
        key=mapping.source.key or (),
        server=mapping.target.server,
        operation=mapping.target.operation,
        rules=rules(mapping),
        attachments=attachment_options(mapping.attachments),
        reference=mapping.reference,
        search=mapping.search,
        tables=table_needs(mapping, path),
        _grammar=mapping,
        _places=written.places,
    )
