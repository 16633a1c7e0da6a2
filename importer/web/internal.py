"""A fault of this program itself, as the page shows it: where it is, and nothing of anybody's data."""

from __future__ import annotations

import traceback
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class InternalError:
    """Where a fault of ours is, without the exception's own message, which may quote a cell."""

    kind: str
    lines: tuple[str, ...]


def as_internal(fault: BaseException) -> InternalError:
    """Return what can be shown of an exception that should not have happened."""
    frames = traceback.extract_tb(fault.__traceback__)
    lines = (f"{frame.filename.rpartition('importer')[2]}:{frame.lineno} {frame.name}" for frame in frames)
    return InternalError(type(fault).__name__, tuple(lines))
