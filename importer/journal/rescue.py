"""Keeps outcomes when the journal's disk is full: in a file whose room was reserved beforehand.

Several threads and processes share it: each of them writes it only while it holds the journal's write lock.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from importer.commands import told
from importer.errors import JournalError
from importer.messages import _
from importer.model import Outcome, Pause, Verdict

_ROOM = 64 * 1024
"""Bytes reserved: a few hundred outcomes, far more than are ever in flight when a run stops."""

_BLANK = b" \0"
"""What unused room is filled with; NUL where a power cut came before its first write."""


@dataclass(frozen=True, slots=True)
class KeptOutcome:
    """An outcome that was kept aside, the attempt and the row that it is for, and its line in the file.

    `token` distinguishes the attempt from one of the same number in a copied journal; 0.1.0 did not write it.
    """

    attempt_id: int
    token: str | None
    reference: str
    outcome: Outcome
    line: bytes = b""


def prepare(journal: Path) -> None:
    """Reserve the room on the disk while there is some; raises OSError where there is none."""
    path = path_of(journal)
    if not path.exists() or path.stat().st_size < _ROOM:
        _write_at(path, 0, kept(journal).ljust(_ROOM))


def kept(journal: Path) -> bytes:
    """Return what was kept and is not in the journal yet."""
    path = path_of(journal)
    return path.read_bytes().rstrip(_BLANK) if path.exists() else b""


def keep(journal: Path, kept_outcome: KeptOutcome) -> None:
    """Write an outcome into the reserved room, in place, so that even a full disk can take it."""
    named = {
        "attempt": kept_outcome.attempt_id,
        "token": kept_outcome.token,
        "reference": kept_outcome.reference,
    }
    line = json.dumps({**named, **asdict(kept_outcome.outcome)}).encode() + b"\n"
    _write_at(path_of(journal), len(kept(journal)), line)


def outcomes(journal: Path, content: bytes) -> Iterator[KeptOutcome]:
    """Yield the outcomes in what was kept; raises JournalError for a line that cannot be read."""
    for line in content.splitlines():
        try:
            values = json.loads(line)
            attempt_id, reference, token = values.pop("attempt"), values.pop("reference"), values.pop("token", None)
            verdict, pause = Verdict(values.pop("verdict")), values.pop("pause")
            ids = tuple(values.pop("ids", ()))  # older lines have none
            outcome = Outcome(verdict=verdict, pause=None if pause is None else Pause(pause), ids=ids, **values)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise refusal(journal, line) from error
        yield KeptOutcome(attempt_id, token, reference, outcome, line)


def refusal(journal: Path, line: bytes) -> JournalError:
    """Return the error for a line that the journal cannot take in; it may hold the only copy of a case's id."""
    return JournalError(
        told(
            _(
                "{path}: an answer that did not fit into the journal while the disk was full cannot be read back:"
                " {line} Write down the `wolkvox_id` in it, if there is one, delete that line with a text editor, and"
                " run the same command again.",
                path=path_of(journal),
                line=line.decode(errors="replace"),
            ),
            _(
                "{path}: an answer that did not fit into the journal while the disk was full cannot"
                " be read back: {line} Write down the `wolkvox_id` in it, if there is one, delete that"
                " line in Notepad, and try again.",
                path=path_of(journal),
                line=line.decode(errors="replace"),
            ),
        )
    )


def forget(journal: Path, content: bytes) -> None:
    """Blank what is in the journal now, unless another process did already; what was kept since then stays."""
    now = kept(journal)
    if content and now.startswith(content):
        _write_at(path_of(journal), 0, now.removeprefix(content).ljust(_ROOM))


def _write_at(path: Path, offset: int, content: bytes) -> None:
    """Overwrite the file's own blocks and flush them to the disk."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o600)
    try:
        os.lseek(descriptor, offset, os.SEEK_SET)
        while content:
            content = content[os.write(descriptor, content) :]
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def path_of(journal: Path) -> Path:
    """Return the file in which the outcomes of a journal are kept aside."""
    return journal.with_name(journal.name + ".rescue")
