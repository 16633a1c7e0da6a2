"""What the page remembers between two starts: the sheets that were opened, the language, and its port.

It is a convenience in the user's state folder, readable by its owner only. Nothing depends on it: which rows have a
case is in the journal, what the columns mean in the mapping, and corrections are beside the sheet.
"""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from threading import RLock
from typing import Any

from platformdirs import user_state_path

from importer.system import disk

MOST_SHEETS = 60
"""Sheets that are remembered, the ones that were opened last."""


@dataclass(frozen=True, slots=True)
class RememberedSheet:
    """A sheet that was opened on the page, with the mapping that was chosen for it, and when (ISO 8601).

    `tab` is the sheet of the workbook that was chosen while there was no mapping to say it.
    """

    source: str
    mapping: str | None = None
    opened_at: str = ""
    tab: str | None = None


@dataclass(frozen=True, slots=True)
class Remembered:
    """Everything that is remembered; `control` is the secret of the page that runs now, if one does.

    `who` works here, as somebody typed it where several people share an account.
    """

    language: str | None = None
    port: int | None = None
    control: str | None = None
    cookie: str | None = None
    who: str | None = None
    sheets: tuple[RememberedSheet, ...] = ()
    folders: tuple[str, ...] = ()


def memory_path() -> Path:
    """Return where the page's memory is."""
    return user_state_path("case-importer", appauthor=False) / "page.json"


@dataclass(slots=True)
class Memory:
    """The memory of the page; a file that is missing or damaged is an empty memory."""

    path: Path = field(default_factory=memory_path)
    _lock: RLock = field(default_factory=RLock)

    def load(self) -> Remembered:
        """Return what is remembered."""
        try:
            content = json.loads(self.path.read_text("utf-8"))
            sheets = tuple(RememberedSheet(**one) for one in content.pop("sheets", ()))
            return Remembered(**{**content, "sheets": sheets, "folders": tuple(content.get("folders", ()))})
        except (OSError, ValueError, TypeError, AttributeError):
            return Remembered()

    def change(self, **values: Any) -> Remembered:  # noqa: ANN401 - the fields of what is remembered
        """Remember other values for some of it; a folder that cannot be written is no reason to stop."""
        with self._lock:
            changed = replace(self.load(), **values)
            self._save(changed)
            return changed

    def note_sheet(self, sheet: RememberedSheet) -> None:
        """Put a sheet first."""
        with self._lock:
            others = [one for one in self.load().sheets if one.source != sheet.source]
            self.change(sheets=(sheet, *others)[:MOST_SHEETS])

    def forget_sheet(self, source: Path) -> None:
        """Forget a sheet; its file, its corrections and what was sent stay."""
        with self._lock:
            self.change(sheets=tuple(one for one in self.load().sheets if one.source != str(source)))

    def note_folder(self, folder: Path) -> None:
        """Put a folder first among those in which sheets were chosen."""
        with self._lock:
            others = [one for one in self.load().folders if one != str(folder)]
            self.change(folders=(str(folder), *others)[:8])

    def _save(self, content: Remembered) -> None:
        temporary = self.path.with_name(f".{secrets.token_hex(6)}.json")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(asdict(content), file, indent=1)  # ASCII: a name of the disk may be no text
            disk.replace(temporary, self.path)
        except OSError:
            temporary.unlink(missing_ok=True)
