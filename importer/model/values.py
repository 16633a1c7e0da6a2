"""The terms of the importer as frozen values; imports only the shared `account`, `cells`, `clicks` and `edits`.

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

from importer.model.account import Account
from importer.model.account import Counts as Counts  # noqa: PLC0414 - so that mypy lets others import it from here
from importer.model.cells import Corrected as Corrected  # noqa: PLC0414 - the same
from importer.model.cells import Reread as Reread  # noqa: PLC0414 - the same
from importer.model.cells import RowNote as RowNote  # noqa: PLC0414 - the same
from importer.model.clicks import click_for
from importer.model.edits import LastUpdate

# ------------------------------------------------------------------------------------------------ cells


@dataclass(frozen=True, slots=True)
class Typed:
    """A cell that a workbook stores as a number, a boolean or a date: the text that it shows, and its value.

    `earlier` is the text that version 1 of the reading took from the cell, None where it is the same.
    """

    text: str
    value: int | float | bool | date | datetime | time
    number_format: str = "General"
    earlier: str | None = None

    def __str__(self) -> str:
        """Return what the spreadsheet shows."""
        return self.text

    def __hash__(self) -> int:
        """Return the hash of the text; equal cells show equal texts."""
        return hash(self.text)


@dataclass(frozen=True, slots=True)
class CellError:
    """A cell whose content is unknown, such as `#N/A`; it becomes an issue where a mapping uses it."""

    text: str
    code: str
    message: str
    remedy: str

    def __str__(self) -> str:
        """Return what the spreadsheet shows."""
        return self.text


Cell = str | Typed | CellError


def earlier_reading(cell: Cell) -> Cell:
    """Return the cell as version 1 of the reading took it."""
    if isinstance(cell, Reread | Typed):
        return cell if cell.earlier is None else cell.earlier
    return cell


# ------------------------------------------------------------------------------------------------ options of stages


@dataclass(frozen=True, slots=True)
class TableOptions:
    """How to read a table; `None` means that the reader detects it.

    `columns` are those of the mapping, the headings of each: they tell the sheet where none has its name, and the
    header where the likeliest row lacks one. `read_besides` are other sheets that the mapping reads. Without a mapping,
    `names_below_groups` takes a row of names below one of their groups for the header.
    """

    sheet: str | None = None
    header_row: int | None = None
    encoding: str | None = None
    delimiter: str | None = None
    hidden: str = "skip"  # or "include"
    merged: str = "first"  # or "fill"
    columns: tuple[tuple[str, ...], ...] = field(default=(), compare=False)
    read_besides: tuple[str, ...] = field(default=(), compare=False)
    names_below_groups: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class AttachmentOptions:
    """Where to find attachments; `folder` is absolute or relative to the source's folder, sizes are in bytes."""

    folder: Path
    columns: tuple[str, ...]
    separator: str | None = None
    max_size: int = 10_000_000
    missing: str = "invalid"  # or "send_without"


@dataclass(frozen=True, slots=True)
class FieldRule:
    """What validation checks in one field.

    `path` locates the field in the payload: `contact`, `form.Subject`. `column` is the source column that a person
    would correct, None for a constant. `max_length` counts characters, including the line with the reference where
    the field `carries_reference`. `closed` are the statuses that need a solution, `closed_texts` the sheet's own words.
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
    closed_texts: tuple[str, ...] = ()
    carries_reference: bool = False


# ------------------------------------------------------------------------------------------------ rows and issues


@dataclass(frozen=True, slots=True)
class Issue:
    """One fault in a row or a cell, worded for the person who corrects it.

    `row` is Excel's number, None for a fault of the whole source; `code` is stable, in lower case with hyphens;
    `value` is the cell's text; `remedy` says what to write, `click` where to do it in the browser.
    """

    row: int | None
    column: str | None
    value: str | None
    code: str
    message: str
    remedy: str

    @property
    def click(self) -> str:
        """What to click on the page to resolve it."""
        return click_for(self.code, self.row, self.column, self.value)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that was checked: its path, its name as written in the cell, and its size and time when it was checked.

    `path` has no links below `root`, the attachments folder; `device` and `inode` identify the file on the disk. A file
    in a zip file is the `member` at that place in its list; `path` and all that identifies it are the zip file's. A
    file that was `made` for the case is at that place among those of its plan, and has no other.
    """

    path: Path
    name: str
    size: int
    modified_ns: int
    inode: int = 0
    device: int = 0
    root: Path = Path()
    member: int | None = None
    zip_size: int = 0
    made: int | None = None

    @property
    def identity(self) -> tuple[int, int, int, int]:
        """What must not have changed when the file is sent: `importer.system.files.identity_of` of the open file."""
        size = self.size if self.member is None else self.zip_size
        return self.device, self.inode, size, self.modified_ns


@dataclass(frozen=True, slots=True)
class Identity:
    """What identifies a row: digests of its key, its reference, and a hash of its content.

    `column_digests` are those of its columns (`identity.column_digests`), `spellings` are digests of the other forms in
    which programs show the key, and `uncorrected` those of the keys that its cells make without their corrections.
    """

    key_digest: str
    loose_digest: str
    reference: str
    content_hash: str
    column_digests: str = ""
    spellings: tuple[str, ...] = ()
    uncorrected: tuple[str, ...] = ()


# ------------------------------------------------------------------------------------------------ sending


class Status(StrEnum):
    """The state of a row; `docs/model.md` shows how one leads to another."""

    INVALID = "invalid"
    SKIPPED = "skipped"
    PART = "part"  # a further line of another row's case
    PLANNED = "planned"
    SENDING = "sending"
    CREATED = "created"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    CONFLICT = "conflict"


CHANGED = "changed"
"""What a report calls the state of a created row that was edited since; its `Status` is still `CREATED`."""

DOUBTFUL = frozenset({Status.UNKNOWN, Status.CONFLICT})
"""States of a row that may or may not be a case, until a search or a person settles it."""

UNSETTLED = DOUBTFUL | {Status.SENDING}
"""States of a row whose last attempt has no outcome that counts yet."""

MAY_BE_CASES = UNSETTLED | {Status.CREATED}
"""States in which what the journal knows of the CRM outranks what is wrong with the sheet now."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to send cases: the server's address without a trailing slash, the operation, the token (never shown)."""

    server: str
    operation: str
    token: str = field(repr=False)
    proxy: str | None = None
    ca_file: Path | None = None


@dataclass(frozen=True, slots=True)
class Payload:
    """One body: its exact length in bytes, and a function that produces it chunk by chunk, as often as needed.

    `values` are the texts in it, to be masked in the CRM's answer. `chunks` raises `errors.AttachmentChanged` if a
    file has changed since it was checked.
    """

    reference: str
    length: int
    chunks: Callable[[], Iterator[bytes]] = field(repr=False)
    values: tuple[str, ...] = field(default=(), repr=False)
    content_type: str = field(default="application/json", repr=False)


class Verdict(StrEnum):
    """What an answer, or a missing answer, means for the row that was sent."""

    CREATED = "created"
    REJECTED = "rejected"
    NOT_DELIVERED = "not-delivered"  # proof that no case was created: the row may be sent again
    UNKNOWN = "unknown"


class Pause(StrEnum):
    """Why a run stops sending for now."""

    QUOTA = "quota"
    SLOW_DOWN = "slow-down"  # all workers wait; the run goes on
    CREDENTIALS = "credentials"
    REDIRECT = "redirect"
    PATH = "path"
    UNREACHABLE = "unreachable"
    CERTIFICATE = "certificate"


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one attempt.

    `message` is for people, with the values that were sent masked. `wolkvox_id` and `id_prefijo` come from a success
    that is believed; `ids` are all case ids in the answer, whatever its verdict. `retry_after` is in seconds.
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
    """What the journal knows about a row; `sent_at` is in seconds since 1970.

    A tuple, because a million of them are made and spooled to disk.
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
    update: LastUpdate | None = None

    @property
    def was_sent(self) -> bool:
        """Whether the row was sent at some time, with whatever outcome, or is a case otherwise."""
        return self.attempt is not None or self.status not in {Status.PLANNED, Status.INVALID, Status.SKIPPED}


# ------------------------------------------------------------------------------------------------ the report


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One line of the report: the source's cells in the order of its columns, and the row's outcome.

    `about` identifies what a person's verdict on a doubtful row applies to: its attempt, or the last decision. `lines`
    counts the rows of which its case is made; `part_of` is the row of which this one is a further line.
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
    updated: int | None = None
    issues: tuple[Issue, ...] = ()
    about: str | None = None
    lines: int = 1
    part_of: int | None = None

    @property
    def state(self) -> str:
        """The state that the report shows."""
        return CHANGED if self.changed and self.status is Status.CREATED else self.status.value


@dataclass(frozen=True, slots=True)
class Summary:
    """What the first page of a report says about a run; times are aware and in the user's zone.

    `journal` is the journal's id and its highest attempt: a later copy of that journal must know at least that attempt.
    `scopes` are the names of the import, each with its tenant and operation, where it has several. `uncorrected` are
    references, each with the digest of a key that its row has where its corrections are lost. `content_runs` are the
    runs that the cells are from, the oldest first: this one, or those of the report that was given back. In a
    `rehearsal` nothing reached the CRM.
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
    account: Account | None = None
    scopes: tuple[tuple[str, str, str], ...] = ()
    uncorrected: tuple[tuple[str, str], ...] = ()
    content_runs: tuple[int, ...] = ()
    rehearsal: bool = False


@dataclass(frozen=True, slots=True)
class ReportContent:
    """Everything that a report shows.

    `rows` may be iterated more than once, comes in sheet order, and is not held in memory. `case_url` leads to a
    case once its `{wolkvox_id}` is filled in; None if it is not configured. The `key_columns` are shown first.
    """

    summary: Summary
    columns: tuple[str, ...]
    rows: Iterable[ReportRow]
    case_url: str | None = None
    key_columns: tuple[str, ...] = ()
