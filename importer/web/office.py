"""What all pages share: the sheets that are open, what the page remembers, and where everything is."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from threading import Event, Lock
from typing import Any

from platformdirs import user_documents_path

from importer import (
    Connection,
    ContactList,
    ContactsDone,
    Job,
    SheetSurvey,
    Verification,
    VerifyForecast,
    list_contacts,
    load_job,
)
from importer.journal_place import Place
from importer.languages import LANGUAGES
from importer.messages import language
from importer.web.background import Background, Stamp, stamp_of
from importer.web.checking import Checker, check_sheet
from importer.web.correct.desk import CorrectionDesk
from importer.web.errand import Errand
from importer.web.memory import Memory, RememberedSheet
from importer.web.notes import Notes
from importer.web.send.sending import SendDesk


@dataclass(slots=True)
class OpenSheet:
    """A sheet that is open on the page. `id` is made from its path, so that its address outlives the program.

    `tab` is the sheet of the workbook that was chosen while there is no mapping to say it.
    """

    id: str
    source: Path
    job: Job
    mapping: Path | None
    tab: str | None = None
    checker: Checker = field(init=False)
    survey: Background[SheetSurvey] | None = None
    arrival: Background[Any] | None = None
    sending: SendDesk = field(init=False)
    correcting: CorrectionDesk = field(default_factory=CorrectionDesk)
    contacts: Background[ContactList] = field(init=False)
    asking: Errand[ContactsDone] = field(default_factory=Errand)
    proving: Errand[Verification | VerifyForecast] = field(default_factory=Errand)

    @property
    def name(self) -> str:
        """The file's name, as people call the sheet."""
        return self.source.name

    @property
    def is_busy(self) -> bool:
        """Whether something goes on with it that must not be ended."""
        return self.sending.is_busy or self.asking.state.is_busy or self.proving.state.is_busy


@dataclass(frozen=True, slots=True)
class MadeReport:
    """A report that the page has made, and what it shows: it is as good as new while the files have this stamp."""

    path: Path
    stamp: Stamp


class Office:
    """Everything behind the pages of one running program.

    `connection` and `journal` are those that the command line gave, as for every other command. Sheets are opened in
    place: their files are read where they are, and never changed. `closing` is set once the program ends.
    """

    def __init__(self, connection: Connection, journal: Place | None, memory: Memory) -> None:
        self.memory, self.closing, self.notes = memory, Event(), Notes()
        self.reports: dict[str, MadeReport] = {}
        self._connection, self._journal = connection, journal
        self.pool = ThreadPoolExecutor(4, thread_name_prefix="check")
        self._sheets: dict[str, OpenSheet] = {}
        self._lock = Lock()

    # -------------------------------------------------------------------------------------------- sheets

    def open(self, source: Path, mapping: Path | None = None, tab: str | None = None) -> OpenSheet:
        """Open a sheet, with the mapping that goes with it if it is known; it is remembered as the newest."""
        source = source.absolute()
        sheet = self._known(source) or self._sheet(source, mapping, tab)
        if mapping is not None:
            sheet.mapping = mapping.absolute()
        sheet.tab = tab or sheet.tab
        self._note(sheet)
        return sheet

    def leave_mapping(self, sheet: OpenSheet) -> None:
        """Let a sheet have no mapping again, so that another one can be made; the file stays."""
        sheet.mapping = None
        self._note(sheet)

    def _note(self, sheet: OpenSheet) -> None:
        now = datetime.now().astimezone().isoformat(timespec="seconds")
        mapping = str(sheet.mapping) if sheet.mapping else None
        self.memory.note_sheet(RememberedSheet(str(sheet.source), mapping, now, sheet.tab))

    def sheet(self, sheet_id: str) -> OpenSheet | None:
        """Return a sheet by its id, also one that was opened before this program started; None if it is unknown."""
        with self._lock:
            if found := self._sheets.get(sheet_id):
                return found
        remembered = (one for one in self.memory.load().sheets if id_of(Path(one.source)) == sheet_id)
        return next(map(self._again, remembered), None)

    def sheets(self) -> list[OpenSheet]:
        """Return all sheets that are remembered, those that were opened last first."""
        return [self._again(one) for one in self.memory.load().sheets]

    def forget(self, sheet: OpenSheet) -> None:
        """Take a sheet off the page; its files and what was sent stay. One that is being sent stays open until then."""
        with self._lock:
            if not sheet.is_busy:
                self._sheets.pop(sheet.id, None)
        self.memory.forget_sheet(sheet.source)

    def _again(self, remembered: RememberedSheet) -> OpenSheet:
        """Return a sheet that was opened before; a mapping that is gone is none."""
        known = remembered.mapping if remembered.mapping and os.path.exists(remembered.mapping) else None  # noqa: PTH110
        return self._sheet(Path(remembered.source), Path(known) if known else None, remembered.tab)

    def _sheet(self, source: Path, mapping: Path | None, tab: str | None) -> OpenSheet:
        with self._lock:
            sheet_id = id_of(source)
            if sheet_id not in self._sheets:
                job = Job(source, Path(), self._connection, self._journal)
                sheet = OpenSheet(sheet_id, source, job, mapping, tab)
                sheet.checker = Background(
                    lambda: check_sheet(self.job_of(sheet)),
                    lambda: (self.job_of(sheet), stamp_of(*self.watched(sheet))),
                    self.pool,
                )
                sheet.contacts = Background(
                    lambda: list_contacts(load_job(self.job_of(sheet))),
                    lambda: (self.job_of(sheet), stamp_of(*self.watched(sheet))),
                    self.pool,
                )
                sheet.sending = SendDesk(lambda: self.job_of(sheet))
                self._sheets[sheet_id] = sheet
            return self._sheets[sheet_id]

    def _known(self, source: Path) -> OpenSheet | None:
        """Return a sheet that was opened before, with the mapping that it had then."""
        return self.sheet(id_of(source))

    @staticmethod
    def job_of(sheet: OpenSheet) -> Job:
        """Return the job that a sheet is: what the commands would be given."""
        return replace(sheet.job, mapping=sheet.mapping or Path())

    @staticmethod
    def watched(sheet: OpenSheet) -> Iterator[Path]:
        """Yield the files that a check of a sheet depends on."""
        yield sheet.source
        yield sheet.source.with_name(f"{sheet.source.stem}.corrections.csv")
        if sheet.mapping is not None:
            yield sheet.mapping
        yield from sheet.job.journal_files

    # -------------------------------------------------------------------------------------------- the rest

    @property
    def connection(self) -> Connection:
        """Where cases go, as far as the command line says it."""
        return self._connection

    @property
    def language(self) -> str:
        """The language of the page: the one that was switched to, else that of the program."""
        chosen = self.memory.load().language
        return chosen if chosen in LANGUAGES else language()

    @property
    def journal_path(self) -> Place:
        """Where the journal is."""
        return Job(Path(), Path(), self._connection, self._journal).journal_path

    @property
    def copies(self) -> Path:
        """The folder for sheets that were dropped into the browser, which has no path for them."""
        return user_documents_path() / FOLDER_OF_COPIES[self.language]

    def is_copy(self, source: Path) -> bool:
        """Tell whether a sheet is a copy of what was dropped into the browser."""
        return source.parent in self.copy_folders

    def is_example(self, source: Path) -> bool:
        """Tell whether a sheet is the example, which is in a folder of its own among the copies."""
        return source.parent.parent in self.copy_folders

    @property
    def copy_folders(self) -> tuple[Path, ...]:
        """The folders for such sheets in all languages, any of which may have been spoken."""
        return tuple(user_documents_path() / name for name in FOLDER_OF_COPIES.values())

    @property
    def is_busy(self) -> bool:
        """Whether something goes on that must not be ended."""
        return any(sheet.is_busy for sheet in self._open_sheets())

    def stop(self) -> None:
        """Begin nothing more: streams of news end, and runs pause once the cases on their way have their answers."""
        self.closing.set()
        for sheet in self._open_sheets():
            sheet.sending.pause()
            sheet.asking.stop()
            sheet.proving.stop()

    def close(self) -> None:
        """End the checks, and wait for the end of what is being sent."""
        self.stop()
        self.pool.shutdown(wait=False, cancel_futures=True)
        for sheet in self._open_sheets():
            sheet.sending.join()
            sheet.asking.join()
            sheet.proving.join()

    def _open_sheets(self) -> list[OpenSheet]:
        with self._lock:
            return list(self._sheets.values())


FOLDER_OF_COPIES = {"es": "Importaciones", "pt": "Importações", "en": "Imports"}
"""The folder among the user's documents into which a sheet is copied; a name of the disk, not a sentence."""


def id_of(source: Path) -> str:
    """Return the id of a sheet: short, and the same at every start."""
    return hashlib.sha256(str(source.absolute()).encode("utf-8", "surrogateescape")).hexdigest()[:12]
