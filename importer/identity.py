"""Which row a row is, permanently: scope, key, reference and content hash, as pure functions.

Everything here is versioned and held by golden values in the tests: a change would make every imported row look new
and send it again.
"""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b32encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from importer.model import Attachment, Cell, CellError, earlier_reading
from importer.system.hosts import is_stand_in, same_tenant, tenant_of
from importer.text import canonical, canonical_key, folded_address, loose

__all__ = [
    "COLUMN_DIGEST",
    "FORGOTTEN_CONTENT",
    "REFERENCE",
    "REFERENCE_LENGTH",
    "UNKNOWN_CONTENT",
    "Scope",
    "address_digest",
    "canonical",
    "canonical_key",
    "column_digest",
    "column_digests",
    "contact_digest",
    "content_hash",
    "content_key",
    "earlier_key_parts",
    "edited_columns",
    "has_all_files",
    "hash_of_written",
    "is_stand_in",
    "key_digest",
    "key_parts",
    "loose",
    "loose_digest",
    "reference",
    "same_content",
    "same_files",
    "same_tenant",
    "spelling_digest",
    "tenant_of",
    "written",
]

REFERENCE_LENGTH = len("WCI-") + 16
"""Characters in a reference."""

REFERENCE = re.compile(r"WCI-[0-9A-HJKMNP-TV-Z]{16}")
"""A reference as it is written, in capitals."""

UNKNOWN_CONTENT = f"1:{'0' * 32}:-"
"""The content hash of a row that was edited before it came into the journal: equal to that of no row."""

FORGOTTEN_CONTENT = f"0:{'0' * 32}:{'0' * 32}"
"""The content hash of a row whose content was forgotten: equal to any, so that the row never counts as edited."""

COLUMN_DIGEST = 8
"""Characters of the digest of a column."""

_KEYED_DIGEST = 16  # bytes
_CROCKFORD = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHJKMNPQRSTVWXYZ")


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a key is unique: a tenant, one of its operations, and the permanent name of the import."""

    tenant: str
    operation: str
    import_name: str

    @property
    def parts(self) -> tuple[str, str, str]:
        """Return tenant, operation and import name."""
        return self.tenant, self.operation, self.import_name


def key_parts(cells: Iterable[Cell]) -> tuple[str, ...]:
    """Return the canonical parts of a key; none where a cell is blank or could not be read."""
    parts = tuple(["" if isinstance(cell, CellError) else canonical_key(cell) for cell in cells])
    return parts if all(parts) else ()


def earlier_key_parts(cells: Iterable[Cell]) -> tuple[str, ...]:
    """Return the key that version 1 made of the same cells, as it read them; none where it made none.

    Its rows keep the references of those keys, so rows are looked up under both.
    """
    read = map(earlier_reading, cells)
    parts = tuple(["" if isinstance(cell, CellError) else canonical(cell) for cell in read])
    return parts if all(parts) else ()


def key_digest(parts: Iterable[str]) -> str:
    """Return the digest of a key's canonical parts, as 64 hexadecimal digits."""
    return _digest("key-1", parts)


def loose_digest(parts: Iterable[str]) -> str:
    """Return a digest that is equal for keys that differ only in leading zeros, case, accents or spaces."""
    return _digest("loose-1", map(loose, parts))


def spelling_digest(parts: Iterable[str], *, bare: bool) -> str:
    """Return the digest of another spelling of a key, equal to the loose digest of a key with that spelling.

    A `bare` spelling is a number without the words that its format adds; two bare spellings are never compared.
    """
    return _digest("bare-2", map(loose, parts)) if bare else loose_digest(parts)


def content_key(cells: Iterable[str], occurrence: int) -> tuple[str, ...]:
    """Return the key of a row in a source without key: its canonical cells and their occurrence, counted from 1."""
    return (*cells, str(occurrence))


def reference(scope: Scope, digest: str) -> str:
    """Return a row's reference in the CRM: `WCI-` and 16 Crockford base32 characters (80 bits) of scope and key."""
    digits = b32encode(bytes.fromhex(_digest("reference-1", (*scope.parts, digest))[:20]))
    return "WCI-" + digits.translate(_CROCKFORD).decode()


def content_hash(cells: Sequence[tuple[str, str]], attachments: Iterable[Attachment] | None) -> str:
    """Return the hash of a row's (column, canonical cell) pairs, and one of its attachments.

    The order of the columns does not count. `attachments` is None where they are unknown or do not count.
    """
    return hash_of_written([written(name) + written(cell) for name, cell in sorted(cells)], attachments)


def hash_of_written(cells: Iterable[bytes], attachments: Iterable[Attachment] | None) -> str:
    """Return the content hash of pairs already `written`, in the order of their column names."""
    digest = hashlib.sha256(b"cells-1" + b"".join(cells)).hexdigest()[:32]
    if attachments is None:
        return f"1:{digest}:-"
    files = _digest("files-1", (part for a in attachments for part in (canonical(a.name), str(a.size))))[:32]
    return f"1:{digest}:{files}"


def column_digests(cells: Iterable[bytes], secret: bytes) -> str:
    """Return a digest of 8 hexadecimal digits for each pair already `written`, in their order.

    They tell which columns of a row were edited. The journal's `secret` is their key, so that they cannot be looked up
    in a list of the digests of likely values.
    """
    return "".join(hashlib.blake2b(cell, key=secret, digest_size=COLUMN_DIGEST // 2).hexdigest() for cell in cells)


def column_digest(columns: Iterable[str], digests: str, name: str) -> str:
    """Return the digest of one of the columns, which are in any order, out of `column_digests` of all of them."""
    at = sorted(columns).index(name) * COLUMN_DIGEST
    return digests[at : at + COLUMN_DIGEST]


def address_digest(address: str, secret: bytes) -> str:
    """Return the digest by which a journal knows a contact: of its folded address, under the journal's `secret`."""
    return _keyed(b"address-1", folded_address(address), secret)


def contact_digest(fields: Mapping[str, object], secret: bytes) -> str:
    """Return the digest of a contact's own fields, by their names, under the journal's `secret`."""
    return _keyed(b"contact-1", json.dumps(fields, sort_keys=True, ensure_ascii=False), secret)


def edited_columns(columns: Iterable[str], before: str, now: str) -> tuple[str, ...]:
    """Return the columns whose digests differ; `columns` in any order, the digests in the order of their names."""
    places = range(0, len(now), COLUMN_DIGEST)
    named = zip(sorted(columns), places, strict=True)
    return tuple(name for name, at in named if before[at : at + COLUMN_DIGEST] != now[at : at + COLUMN_DIGEST])


def same_content(before: str, now: str) -> bool:
    """Return whether two content hashes mean the same content; attachments count where both have them."""
    if before == now:
        return True
    version, _, hashes = before.partition(":")
    version_now, _, hashes_now = now.partition(":")
    if version != version_now:
        return True  # a hash of another version does not mean that the row changed
    cells, files = hashes.split(":")
    cells_now, files_now = hashes_now.split(":")
    return cells == cells_now and (files == files_now or "-" in (files, files_now))


def same_files(before: str, now: str) -> bool:
    """Return whether two content hashes mean the same attachments, as far as both have a hash of them."""
    files, files_now = before.rpartition(":")[2], now.rpartition(":")[2]
    return files == files_now or "-" in {files, files_now}


def has_all_files(recorded: str) -> bool:
    """Return whether a recorded content hash has one of the attachments: none of the row's files was missing then."""
    return not recorded.endswith(":-")


def written(part: str) -> bytes:
    """Return a part as it is hashed: its length first, so that ("ab", "c") and ("a", "bc") differ."""
    raw = part.encode("utf-8", "surrogatepass")
    return b"%d:%s" % (len(raw), raw)


def _keyed(purpose: bytes, text: str, secret: bytes) -> str:
    raw = text.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(raw, key=secret, digest_size=_KEYED_DIGEST, person=purpose).hexdigest()


def _digest(purpose: str, parts: Iterable[str]) -> str:
    return hashlib.sha256(purpose.encode() + b"".join(map(written, parts))).hexdigest()
