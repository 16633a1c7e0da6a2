"""The cards of the page Start: one for each import, with its state and the one thing to do about it next."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum
from functools import lru_cache
from pathlib import Path

from importer import ImporterError, ImportState, MappingError, imports_known, load_mapping
from importer.messages import _, gettext_noop, translated
from importer.web.background import PATIENCE, Newest
from importer.web.checking import CheckedSheet, Checking
from importer.web.office import Office, OpenSheet, id_of
from importer.web.start.sentences import (
    all_sent,
    begins,
    in_doubt,
    interrupted,
    left_in,
    on_their_way,
    paused,
    ready,
    refused,
    sending,
    sent_before,
    stopped,
    to_correct,
    updatable,
    waiting,
)
from importer.web.watching import goes_on, stopped_early

MOST_AT_ONCE = 2
"""Checks that the page begins at once; the others follow when it is renewed."""

MOST_CHECKED = 12
"""Imports whose sheets are checked for the page, those that were opened last; older ones are listed below them."""


class CardKind(IntEnum):
    """What an import needs, the most urgent first."""

    SENDING = 0
    INTERRUPTED = 1
    TO_CONFIRM = 2
    PAUSED = 3
    STOPPED = 4
    ATTENTION = 5
    TO_MATCH = 6
    READING = 7
    TO_CORRECT = 8
    READY = 9
    TO_UPDATE = 10
    DONE = 11


_SHOWN = {
    CardKind.SENDING: (gettext_noop("Sending"), gettext_noop("View"), ""),
    CardKind.INTERRUPTED: (gettext_noop("Interrupted"), gettext_noop("Continue"), "warn"),
    CardKind.TO_CONFIRM: (gettext_noop("To confirm"), gettext_noop("Decide"), "warn"),
    CardKind.PAUSED: (gettext_noop("Paused by the quota"), gettext_noop("Continue"), "warn"),
    CardKind.STOPPED: (gettext_noop("Paused"), gettext_noop("Continue"), "warn"),
    CardKind.ATTENTION: (gettext_noop("To look at"), gettext_noop("View"), "bad"),
    CardKind.TO_MATCH: (gettext_noop("Columns to match"), gettext_noop("Match columns"), ""),
    CardKind.READING: (gettext_noop("reading…"), gettext_noop("Open"), ""),
    CardKind.TO_CORRECT: (gettext_noop("To correct"), gettext_noop("Correct"), "warn"),
    CardKind.READY: (gettext_noop("Ready"), gettext_noop("Review and send"), ""),
    CardKind.TO_UPDATE: (gettext_noop("Cases to update"), gettext_noop("Review and update"), ""),
    CardKind.DONE: (gettext_noop("Finished"), gettext_noop("View"), "good"),
}
"""The words of each state: its name, its button, and the colour that goes with it."""


@dataclass(frozen=True, slots=True)
class ImportCard:
    """An import on the page Start: `step` is where its button leads; `sentence` says what happened, and what is next.

    `sheet` is the one that the button is about, None for an import that only the journal knows: it is at `source`.
    `earlier` are its other sheets. The button does nothing before `inactive_until`. What it says `is_current`, unless
    a check of the sheet is on its way.
    """

    title: str
    kind: CardKind
    sentence: str
    step: str
    source: Path
    sheet: OpenSheet | None = None
    earlier: tuple[OpenSheet, ...] = ()
    inactive_until: datetime | None = None
    is_current: bool = True

    @property
    def id(self) -> str:
        """What tells it from other cards."""
        return id_of(self.source / self.title)

    @property
    def address(self) -> str | None:
        """Where its button leads, None where its sheet has to be opened first."""
        return f"/sheets/{self.sheet.id}/{self.step}" if self.sheet is not None else None

    @property
    def state(self) -> str:
        """The name of its state."""
        return translated(_SHOWN[self.kind][0])

    @property
    def button(self) -> str:
        """What its button says."""
        return translated(_SHOWN[self.kind][1])

    @property
    def colour(self) -> str:
        """The class of its state in the stylesheet."""
        return _SHOWN[self.kind][2]


@dataclass(frozen=True, slots=True)
class CardList:
    """The cards, the most urgent first; the names of older imports; and why the journal could not be asked."""

    cards: tuple[ImportCard, ...]
    older: tuple[ImportCard, ...] = ()
    error: ImporterError | None = None

    @property
    def is_reading(self) -> bool:
        """Whether some card changes by itself, soon."""
        return any(card.kind is CardKind.SENDING or not card.is_current for card in self.cards)


@dataclass(slots=True)
class _ImportSheets:
    """The sheets of one import, the newest first, and what the journal knows of it."""

    name: str | None
    sheets: list[OpenSheet] = field(default_factory=list)
    known: ImportState | None = None


def cards_of(office: Office) -> CardList:
    """Return a card for each import: of the sheets that were opened here, and those that only the journal knows."""
    known: Sequence[ImportState] = ()
    error: ImporterError | None = None
    try:
        known = [one for one in imports_known(office.journal_path) if one.last_run is not None]
    except ImporterError as refused:
        error = refused
    checks = _Checks(may_begin=0 if any(one.running for one in known) else MOST_AT_ONCE)
    cards, older = [], []
    for place, group in enumerate(_groups(office.sheets(), known)):
        urgent = _by_journal(group) or _about_to_send(group)
        if place >= MOST_CHECKED and (urgent is None or urgent.kind is CardKind.DONE):
            older.append(urgent or _unchecked(group))
        else:
            cards.append(urgent or _stopped_card(group, checks) or _by_check(group, checks))
    return CardList(tuple(sorted(cards, key=lambda card: card.kind)), tuple(older), error)


@dataclass(slots=True)
class _Checks:
    """Looks at the checks of sheets, and begins a few of them: the page that is opened next must not wait for many.

    While cases are being sent none begins, as every case that is noted would begin another.
    """

    may_begin: int
    _ends: float = field(default_factory=lambda: time.monotonic() + PATIENCE)

    _known: dict[str, Checking] = field(default_factory=dict)

    def of(self, sheet: OpenSheet) -> Checking:
        """Return the check of a sheet: the newest, or the last one where none may begin now."""
        if sheet.id not in self._known:
            self._known[sheet.id] = self._of(sheet)
        return self._known[sheet.id]

    def _of(self, sheet: OpenSheet) -> Checking:
        last = sheet.checker.last
        if not self.may_begin:
            is_known = last.value is not None or last.error is not None
            return Newest(last.value, last.error, is_current=is_known)
        found = sheet.checker.now(max(0.0, self._ends - time.monotonic()))
        self.may_begin -= not found.is_current
        return found


# ------------------------------------------------------------------------------------------------ one group an import


def _groups(sheets: Iterable[OpenSheet], known: Iterable[ImportState]) -> list[_ImportSheets]:
    """Return the imports, those opened last first; the journal's others come after them, the last run first."""
    groups: dict[str, _ImportSheets] = {}
    for sheet in sheets:
        name = import_name(sheet.mapping) if sheet.mapping is not None else None
        groups.setdefault(name or sheet.id, _ImportSheets(name)).sheets.append(sheet)
    others = []
    for state in sorted(known, key=_last_run, reverse=True):
        group = groups.get(state.import_name) or _with_source(groups.values(), _source_of(state))
        if group is not None and group.known is None:
            group.known = state
        else:
            others.append(_ImportSheets(state.import_name, known=state))
    return [*groups.values(), *others]


def _with_source(groups: Iterable[_ImportSheets], source: Path) -> _ImportSheets | None:
    return next((group for group in groups if any(sheet.source == source for sheet in group.sheets)), None)


def _last_run(state: ImportState) -> float:
    return state.last_run.record.started_at.timestamp() if state.last_run else 0.0


def _source_of(state: ImportState) -> Path:
    return Path(state.last_run.record.start.source) if state.last_run else Path()


def import_name(mapping: Path) -> str | None:
    """Return the import's name that a mapping has, None while it cannot be read."""
    try:
        return _import_name(mapping, mapping.stat().st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=200)
def _import_name(mapping: Path, _changed: int) -> str | None:
    try:
        return load_mapping(mapping).import_name or None
    except ImporterError:
        return None


# ------------------------------------------------------------------------------------------------ by the journal


def _by_journal(group: _ImportSheets) -> ImportCard | None:
    """Return the card of an import about which the journal alone says what is next, None for others."""
    return next(_journal_cards(group, group.known), None) if group.known is not None else None


def _about_to_send(group: _ImportSheets) -> ImportCard | None:
    """Return the card of an import that this program sends, while the journal does not have the run yet."""
    for sheet in group.sheets:
        state = sheet.sending.state
        if state.phase == "running" and not state.is_rehearsal:
            others = tuple(one for one in group.sheets if one is not sheet)
            title = group.name or sheet.name
            return ImportCard(title, CardKind.SENDING, begins(), "send", sheet.source, sheet, others)
    return None


def _journal_cards(group: _ImportSheets, state: ImportState) -> Iterator[ImportCard]:
    """Yield what the journal says of an import, the most urgent first."""
    if state.running is not None:
        yield _journal_card(group, CardKind.SENDING, sending(state), "send")
    if state.interrupted:
        more = f" {on_their_way(state.sending, state.sending_until)}" if state.sending else ""
        yield _journal_card(group, CardKind.INTERRUPTED, interrupted(state) + more, "send")
    if doubtful := state.unknown + state.conflict:
        yield _journal_card(group, CardKind.TO_CONFIRM, in_doubt(doubtful), "decide")
    if state.quota_until is not None:
        yield _journal_card(group, CardKind.PAUSED, paused(state.quota_until), "send", state.quota_until)
    if state.sending:
        yield _journal_card(group, CardKind.TO_CONFIRM, on_their_way(state.sending, state.sending_until), "decide")
    if not group.sheets:
        if stopped_early(state.last_run):
            yield _journal_card(group, CardKind.STOPPED, stopped(state), "send")
        yield _journal_card(group, CardKind.DONE, sent_before(state), "look-back")


def _journal_card(
    group: _ImportSheets, kind: CardKind, sentence: str, step: str, until: datetime | None = None
) -> ImportCard:
    state = group.known
    assert state is not None  # noqa: S101 - whoever calls has seen it
    source = _source_of(state)
    sheet = next((one for one in group.sheets if one.source == source), None)
    earlier = tuple(one for one in group.sheets if one is not sheet)
    title = group.name or state.import_name
    return ImportCard(title, kind, sentence, step, source, sheet, earlier, until)


# ------------------------------------------------------------------------------------------------ by the last check


def _stopped_card(group: _ImportSheets, checks: _Checks) -> ImportCard | None:
    """Return the card of an import whose last run left rows of its sheet to send, None where none are left now."""
    if group.known is None or not stopped_early(group.known.last_run):
        return None
    source = _source_of(group.known)
    sheet = next((one for one in group.sheets if one.source == source), None)
    if sheet is None or _before_a_check(sheet) is not None:
        return None
    checking = checks.of(sheet)
    if checking.value is None or _is_of_before(checking, group) or not goes_on(checking.value.counts):
        return None
    sentence = " ".join((stopped(group.known), left_in(checking.value.counts)))
    return replace(_journal_card(group, CardKind.STOPPED, sentence, "send"), is_current=checking.is_current)


def _by_check(group: _ImportSheets, checks: _Checks) -> ImportCard:
    """Return the card of an import by the check of the sheet that was opened last."""
    sheet, *earlier = group.sheets
    title = group.name or sheet.name
    if (known := _before_a_check(sheet)) is not None:
        return ImportCard(title, *known, sheet.source, sheet, tuple(earlier))
    checking = checks.of(sheet)
    found = _of_check(checking, is_of_before=_is_of_before(checking, group))
    return ImportCard(title, *found, sheet.source, sheet, tuple(earlier), is_current=checking.is_current)


def _before_a_check(sheet: OpenSheet) -> tuple[CardKind, str, str] | None:
    if not os.path.exists(sheet.source):  # noqa: PTH110 - False also where it may not be looked at
        return CardKind.ATTENTION, _("The file is not where it was. Put it back, or choose it again."), "correct"
    if sheet.mapping is None:
        return CardKind.TO_MATCH, _("Its columns have not been matched yet."), "begin"
    return None


def _is_of_before(checking: Checking, group: _ImportSheets) -> bool:
    """Tell whether a check was made before the last run ended: its numbers would frighten, and are not told."""
    last = group.known.last_run.record if group.known is not None and group.known.last_run is not None else None
    if last is None or checking.is_current or checking.value is None:
        return False
    return (last.ended_at or last.started_at) > checking.value.made_at


def _of_check(checking: Checking, *, is_of_before: bool) -> tuple[CardKind, str, str]:
    if checking.value is not None and not is_of_before:
        return _of_value(checking.value)
    if isinstance(checking.error, MappingError):
        return CardKind.TO_MATCH, _("Some columns are not matched yet, or are not in this sheet."), "begin"
    if isinstance(checking.error, ImporterError):
        return CardKind.ATTENTION, str(checking.error), "correct"
    if checking.error is not None:
        return CardKind.ATTENTION, _("The sheet could not be checked."), "correct"
    return CardKind.READING, _("The sheet is being read and checked."), "correct"


def _of_value(checked: CheckedSheet) -> tuple[CardKind, str, str]:
    """Return what a check found there is to do, the first that applies, or that all is sent."""
    return next(_to_do(checked), (CardKind.DONE, all_sent(checked.counts.created, checked.left_out), "look-back"))


def _to_do(checked: CheckedSheet) -> Iterator[tuple[CardKind, str, str]]:
    counts = checked.counts
    if counts.invalid or counts.rejected:
        yield CardKind.TO_CORRECT, to_correct(counts), "correct"
    if counts.planned > checked.waiting:
        yield CardKind.READY, ready(counts.planned - checked.waiting), "send"
    if checked.waiting:
        yield CardKind.TO_CORRECT, waiting(checked.waiting), "correct"
    if counts.to_update:
        yield CardKind.TO_UPDATE, updatable(counts.to_update), "send"
    if checked.refused:
        yield CardKind.TO_CORRECT, refused(checked.refused), "correct"
    if not counts.cases:
        sentence = _("The sheet has no rows that become cases. Add them, save it, and open it again.")
        yield CardKind.ATTENTION, sentence, "correct"
    if counts.sending:
        yield CardKind.TO_CONFIRM, on_their_way(counts.sending, None), "decide"


def _unchecked(group: _ImportSheets) -> ImportCard:
    """Return an older import, of which only the name and the way to it are shown."""
    sheet, *earlier = group.sheets
    return ImportCard(group.name or sheet.name, CardKind.READING, "", "correct", sheet.source, sheet, tuple(earlier))


def source_in_journal(office: Office, source: Path) -> bool:
    """Tell whether the journal has a run of this source."""
    return any(_source_of(state) == source for state in imports_known(office.journal_path))
