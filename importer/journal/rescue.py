"""Keeps outcomes when the disk under the journal is full: a file whose room was taken beforehand."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from importer.model import Outcome, Pause, Verdict

_ROOM = 64 * 1024
"""Bytes set aside: a few hundred outcomes, far more than are ever in flight when a run stops."""


def prepare(journal: Path) -> None:
    """Take the room on the disk while there is some."""
    path = _path(journal)
    if not path.exists():
        _overwrite(path, b" " * _ROOM)


def keep(journal: Path, attempt_id: int, outcome: Outcome) -> None:
    """Write an outcome into the room that was set aside, in place, so that a full disk can take it."""
    path = _path(journal)
    kept = path.read_bytes().rstrip(b" ") if path.exists() else b""
    line = json.dumps({"attempt": attempt_id, **asdict(outcome)}).encode() + b"\n"
    _overwrite(path, (kept + line).ljust(_ROOM))


def replay(journal: Path, conclude: Callable[[int, Outcome], None]) -> None:
    """Hand every kept outcome to `conclude`, then empty the room; set it aside anew."""
    prepare(journal)
    lines = _path(journal).read_bytes().rstrip(b" ").splitlines()
    for line in lines:
        kept = json.loads(line)
        attempt_id = kept.pop("attempt")
        pause = kept.pop("pause")
        verdict = Verdict(kept.pop("verdict"))
        conclude(attempt_id, Outcome(verdict=verdict, pause=None if pause is None else Pause(pause), **kept))
    if lines:
        _overwrite(_path(journal), b" " * _ROOM)


def _overwrite(path: Path, content: bytes) -> None:
    """Write over the file's own blocks and have them on the disk."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _path(journal: Path) -> Path:
    return journal.with_name(journal.name + ".rescue")
