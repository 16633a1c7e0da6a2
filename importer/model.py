"""The words of the importer as frozen values; imports nothing of ours.

A *row* is identified by the number that Excel shows beside it. A *frame* is a `pandas.DataFrame` of object
columns, its index the row numbers, its column names the headers, each cell a `Cell`; the empty cell is `""`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

# ------------------------------------------------------------------------------------------------ cells


@dataclass(frozen=True, slots=True)
class Typed:
    """A cell that a workbook stores as a number, a boolean or a moment: what it shows, and what it is."""

    text: str
    value: int | float | bool | date | datetime | time
    number_format: str = "General"

    def __str__(self) -> str:
        """Return what the spreadsheet shows."""
        return self.text

    def __hash__(self) -> int:
        """Return the hash of the text: columns of these are looked up cell by cell, and it is at hand."""
        return hash(self.text)


@dataclass(frozen=True, slots=True)
class Fault:
    """A cell whose content cannot be known, such as `#N/A`: becomes an issue where a mapping uses it."""

    text: str
    code: str
    message: str
    remedy: str

    def __str__(self) -> str:
        """Return what the spreadsheet shows."""
        return self.text


Cell = str | Typed | Fault


# ------------------------------------------------------------------------------------------------ options of stages


@dataclass(frozen=True, slots=True)
class TableOptions:
    """How a table is to be read where detection is not wanted; `None` means: find out."""

    sheet: str | None = None
    header_row: int | None = None
    encoding: str | None = None
    delimiter: str | None = None
    hidden: str = "skip"  # or "include"
    merged: str = "first"  # or "fill"


@dataclass(frozen=True, slots=True)
class AttachmentOptions:
    """Where attachments are found; `folder` is absolute, or relative to the source's folder; sizes in bytes."""

    folder: Path
    columns: tuple[str, ...]
    separator: str | None = None
    max_size: int = 10_000_000
    missing: str = "invalid"  # or "send_without"


@dataclass(frozen=True, slots=True)
class FieldRule:
    """What validation holds one field to.

    `path` is the field's place in the payload: `contact`, `form.Subject`. `column` is the source column that a
    person would correct, None for a constant. `max_length` counts characters, the reference's line included where
    the field `carries_reference`.
    """

    path: str
    column: str | None = None
    required: bool = False
    kind: str = "text"
    allowed: tuple[str, ...] | None = None
    max_length: int | None = None
    min_length: int | None = None
    pattern: str | None = None
    closed: tuple[str, ...] = ()
    carries_reference: bool = False


# ------------------------------------------------------------------------------------------------ rows and issues


@dataclass(frozen=True, slots=True)
class Issue:
    """One fault of a row or a cell, in words for the person who corrects it.

    `row` is Excel's number, None for a fault of the whole source; `code` is stable and lower-case with hyphens;
    `value` is the cell's text as it stands.
    """

    row: int | None
    column: str | None
    value: str | None
    code: str
    message: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that was checked: where it is, as it was written in the cell, and what it was when it was looked at.

    `path` has no links below `root`, the attachments folder; `device` and `inode` tell which file of the disk it is.
    """

    path: Path
    name: str
    size: int
    modified_ns: int
    inode: int = 0
    device: int = 0
    root: Path = Path()

    @property
    def identity(self) -> tuple[int, int, int, int]:
        """What has to be the same when the file is sent: `importer.files.identity_of` of the open file."""
        return self.device, self.inode, self.size, self.modified_ns


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes a row itself: digests of its key, its reference, and a hash of its content.

    `spellings` are digests of the other ways in which programs show the key.
    """

    key_digest: str
    loose_digest: str
    reference: str
    content_hash: str
    spellings: tuple[str, ...] = ()


# ------------------------------------------------------------------------------------------------ sending


class Status(StrEnum):
    """A row's state, as DESIGN calls it."""

    INVALID = "invalid"
    SKIPPED = "skipped"
    PLANNED = "planned"
    SENDING = "sending"
    CREATED = "created"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Target:
    """Where cases go: the server's address without a trailing slash, the operation, and the token (never shown)."""

    server: str
    operation: str
    token: str = field(repr=False)
    proxy: str | None = None
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Payload:
    """One JSON body: its exact length in bytes, and a way to produce it anew, chunk by chunk.

    `values` are the texts that it carries, for masking them in whatever the CRM says about it. `chunks` raises
    `errors.AttachmentChanged` where a file is no longer what was checked.
    """

    reference: str
    length: int
    chunks: Callable[[], Iterator[bytes]] = field(repr=False)
    values: tuple[str, ...] = field(default=(), repr=False)


class Verdict(StrEnum):
    """What an answer, or its absence, says about the row that was sent."""

    CREATED = "created"
    REJECTED = "rejected"
    NOT_DELIVERED = "not-delivered"  # proof that no case was made: the row may go again
    UNKNOWN = "unknown"


class Pause(StrEnum):
    """Why nothing more is sent for now."""

    QUOTA = "quota"
    SLOW_DOWN = "slow-down"  # shared waiting, not the end of the run
    CREDENTIALS = "credentials"
    REDIRECT = "redirect"
    PATH = "path"
    UNREACHABLE = "unreachable"
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attempt came to.

    `message` is what a person may read, values that were sent masked. `wolkvox_id` and `id_prefijo` are those of a
    success that is believed; `ids` are all ids of cases in the answer, whatever it says. `retry_after` is in seconds.
    `bytes_sent` is how much of the body was handed to the operating system.
    """

    verdict: Verdict
    message: str = ""
    wolkvox_id: str | None = None
    id_prefijo: str | None = None
    http_status: int | None = None
    code: str | None = None
    pause: Pause | None = None
    retry_after: float | None = None
    bytes_sent: int = 0
    ids: tuple[str, ...] = ()


class JournalRow(NamedTuple):
    """What the journal knows of a row; a tuple, since a million of them are made, and kept on disk.

    `sent_at` is in seconds since 1970.
    """

    reference: str
    status: Status
    content_hash: str
    wolkvox_id: str | None = None
    id_prefijo: str | None = None
    message: str = ""
    changed: bool = False
    sent_at: float | None = None
    run: int | None = None
    lease_until: datetime | None = None
    attempt: int | None = None
    disputed: bool = False
    deleted: bool = False


# ------------------------------------------------------------------------------------------------ the report


@dataclass(frozen=True, slots=True)
class Counts:
    """How many rows are in each state.

    Of the created rows, `changed` are those whose content differs now, `created_now` those that this very run sent.
    """

    invalid: int = 0
    skipped: int = 0
    planned: int = 0
    sending: int = 0
    created: int = 0
    rejected: int = 0
    unknown: int = 0
    conflict: int = 0
    changed: int = 0
    created_now: int = 0

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(getattr(self, status.value) for status in Status)


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One line of the report: the source's cells in the order of its columns, and what became of the row.

    `about` names what a person's verdict on a doubtful row would be about: its attempt, or the last decision.
    """

    number: int
    cells: tuple[Cell, ...]
    status: Status
    wolkvox_id: str | None = None
    id_prefijo: str | None = None
    message: str = ""
    sent_at: datetime | None = None
    run: int | None = None
    reference: str | None = None
    changed: bool = False
    issues: tuple[Issue, ...] = ()
    about: str | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """What the report's first page says of a run; times are aware and in the user's zone.

    `journal` is the journal's id and its highest attempt: whoever has that journal later must know at least that much.
    """

    import_name: str
    source: Path
    source_digest: str
    sheet: str | None
    mapping: Path
    server: str | None
    operation: str | None
    user: str
    started_at: datetime
    ended_at: datetime
    run: int | None
    counts: Counts
    calls: int
    next_step: str
    notes: tuple[str, ...] = ()
    journal: tuple[str, int] | None = None


@dataclass(frozen=True, slots=True)
class ReportContent:
    """Everything that a report shows.

    `rows` may be iterated more than once, comes in sheet order, and is not held in memory. `case_url` leads to a
    case once its `{wolkvox_id}` is filled in; None where nobody has said how.
    """

    summary: Summary
    columns: tuple[str, ...]
    rows: Iterable[ReportRow]
    case_url: str | None = None
