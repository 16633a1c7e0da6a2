"""What is said once about something that was just done, on the page that is shown after the form that did it."""

from __future__ import annotations

import secrets
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from types import MappingProxyType

_MOST = 100
"""Notes that are kept, the last ones; a page whose note is gone says nothing."""


@dataclass(frozen=True, slots=True)
class KeptNote:
    """Sentences for the page that comes next: `kind` is `good`, `warn` or `bad`, as the stylesheet calls it.

    `typed` is what was in the fields of a form that was refused, so that nobody types it again.
    """

    kind: str
    sentences: tuple[str, ...]
    typed: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(slots=True)
class Notes:
    """The notes of one running page, in memory only: their sentences may name what is in a sheet."""

    _kept: OrderedDict[str, KeptNote] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def keep(self, note: KeptNote) -> str:
        """Keep a note; return the id that goes into the next page's address."""
        note_id = secrets.token_urlsafe(9)
        with self._lock:
            self._kept[note_id] = note
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)
        return note_id

    def find(self, note_id: str) -> KeptNote | None:
        """Return a note; it stays, so that reloading a page shows the same."""
        with self._lock:
            return self._kept.get(note_id)
