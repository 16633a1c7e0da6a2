"""What the page Send says: how far it has come, what became of it, and what there is to do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from importer import (
    ConnectionRefused,
    ContactWaits,
    CorrectionList,
    Counts,
    Finished,
    ImporterError,
    MappingError,
    Plan,
    Progress,
    Rejections,
    SettingsError,
    SourceError,
    StartRefused,
)
from importer.messages import _, ngettext
from importer.names import state_name
from importer.web.checking import Checking
from importer.web.correct.words import corrections_told
from importer.web.internal import InternalError
from importer.web.send.sending import DeskState
from importer.web.start.sentences import machines, on_their_way
from importer.web.watching import Watched, goes_on

# ------------------------------------------------------------------------------------------------ how far it has come


@dataclass(frozen=True, slots=True)
class ProgressWords:
    """How far a run has come. `title` is what goes on, where that is not just sending.

    `said` is for those who hear the page, and changes a few times only.
    """

    title: str
    total: int = 0
    done: int = 0
    outcomes: tuple[tuple[str, int], ...] = ()
    lines: tuple[str, ...] = ()
    said: str = ""

    @classmethod
    def of_run(cls, progress: Progress, state: DeskState) -> ProgressWords:
        """Return how far a run of this program has come."""
        title = _title(progress, state)
        outcomes = tuple((state_name(verdict), count) for verdict, count in sorted(progress.by_outcome.items()))
        tenth = 10 * (10 * progress.done // progress.total) if progress.total else 0
        said = title or _("{percent} percent done.", percent=tenth)
        return cls(title, progress.total, progress.done, outcomes, tuple(_pace(progress)), said)

    @classmethod
    def of_watch(cls, seen: Watched) -> ProgressWords:
        """Return how far a run of another program has come, as far as the journal tells."""
        if seen.run is None:
            return cls(_("Nothing is being sent now."))
        run, states = seen.run, seen.run.states
        title = _("Several machines are sending these rows") if run.machines else _other_program()
        outcomes = tuple((state_name(state), count) for state, count in sorted(states.items()) if count)
        sign = _("Last activity: {when:%H:%M:%S}.", when=run.last_sign.astimezone())
        who = (_("At work: {machines}.", machines=machines(run)),) if run.machines else ()
        return cls(title, outcomes=outcomes, lines=(*who, sign), said=title)


def _other_program() -> str:
    return _("Another program is sending these rows")


def _title(progress: Progress, state: DeskState) -> str:
    if state.phase == "preparing":
        return _("Reading the sheet and asking the CRM for its quota…")
    if progress.phase == "waiting" and progress.waiting_until is not None:
        return _(
            "The quota is used up. The run continues by itself at {when:%Y-%m-%d %H:%M}.",
            when=progress.waiting_until.astimezone(),
        )
    if progress.phase == "stopping":
        return ngettext(
            "Pausing: the answer to {count} case is still on its way…",
            "Pausing: the answers to {count} cases are still on their way…",
            progress.in_flight or 0,
        )
    if progress.phase == "preparing":
        return _("About to start: the rows are being checked once more…")
    return "" if progress.phase == "sending" else _("Writing the report…")


def _pace(progress: Progress) -> Iterator[str]:
    if progress.phase != "sending":
        return
    if progress.rate:
        yield ngettext("{count} row a minute", "{count} rows a minute", max(1, round(progress.rate * 60)))
    if progress.seconds_left is not None:
        yield _time_left(progress.seconds_left)


def _time_left(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes < 1:
        return _("less than a minute left")
    if minutes < 90:
        return ngettext("about {count} minute left", "about {count} minutes left", minutes)
    return ngettext("about {count} hour left", "about {count} hours left", round(minutes / 60))


# ------------------------------------------------------------------------------------------------ what became of it


@dataclass(frozen=True, slots=True)
class ResultWords:
    """What became of a run: one sentence, why it ended early, and notes; `old` says that it no longer holds.

    `waiting` says that rows wait for contacts.
    Its `tone` is good only where nothing is left for a person to do about it.
    """

    sentence: str
    tone: Literal["good", "warn"] = "good"
    reason: str = ""
    notes: tuple[str, ...] = ()
    old: str = ""
    waiting: str = ""


def words_of_result(state: DeskState, checking: Checking) -> ResultWords | None:
    """Return what became of a run, None where there is none; questions that are open are asked again, and no reason."""
    finished = state.finished
    if finished is None:
        return None
    listed = [question.listed for question in finished.plan.open_questions]
    reason = finished.result.reason or ""
    notes = tuple(note for note in dict.fromkeys(finished.notes) if note not in {*listed, reason})
    if reason == "\n".join(listed):
        reason = ""
    counts = finished.counts
    waits = finished.result.contacts
    is_good = not (reason or state.is_rehearsal or waits.blocked or _needs_a_person(counts))
    tone: Literal["good", "warn"] = "good" if is_good else "warn"
    waiting = "" if state.is_rehearsal or not waits.blocked else _waiting(waits)
    return ResultWords(_sentence(state, counts), tone, reason, notes, _old(state, finished, checking), waiting)


def _waiting(waits: ContactWaits) -> str:
    """Return that rows wait for contacts which a person has to look at."""
    return ngettext(
        "{count} row waits: the CRM does not have its contact, or it is not clear whether it has it.",
        "{count} rows wait: the CRM does not have their contacts, or it is not clear whether it has them.",
        waits.blocked,
    )


def _needs_a_person(counts: Counts) -> bool:
    """Tell whether the CRM rejected rows, or some may be cases and nobody knows."""
    return any((counts.rejected, counts.unknown, counts.conflict, counts.sending))


def _old(state: DeskState, finished: Finished, checking: Checking) -> str:
    """Return that a rehearsal was of a sheet that is another now; empty where it is the same, as far as is known."""
    if not state.is_rehearsal or checking.value is None:
        return ""
    if digests_of(checking.value.plan) == digests_of(finished.plan):
        return ""
    return _(
        "This rehearsal is of {when:%Y-%m-%d %H:%M}. Since then the sheet, its corrections or its mapping have changed:"
        " the numbers are of before. Rehearse again for those of now.",
        when=finished.result.started_at.astimezone(),
    )


def digests_of(plan: Plan) -> tuple[str | None, ...]:
    """Return what tells whether two plans are of the same sheet, mapping and corrections."""
    return plan.table.digest, plan.mapping.digest, plan.corrections.digest


def _sentence(state: DeskState, counts: Counts) -> str:
    if state.joined:
        return ngettext(
            "{count} row of this sheet is known now as a case of “{name}”. It is not created again.",
            "{count} rows of this sheet are known now as cases of “{name}”. They are not created again.",
            counts.created,
            name=state.joined,
        )
    if state.summary is not None:
        updated = ngettext("{count} case was updated.", "{count} cases were updated.", counts.updated_now)
        return f"{updated} {state.summary.sentence()}" if counts.updated_now else state.summary.sentence()
    if not state.is_rehearsal:
        return ngettext("{count} new case.", "{count} new cases.", counts.created_now)
    passed = ngettext("{count} row passed the rehearsal.", "{count} rows passed the rehearsal.", counts.created_now)
    others = counts.invalid + counts.rejected + counts.planned + counts.unknown + counts.conflict + counts.sending
    if not others:
        return passed
    not_sent = ngettext("{count} row would not be sent.", "{count} rows would not be sent.", others)
    return f"{passed} {not_sent}"


# ------------------------------------------------------------------------------------------------ what there is to do


@dataclass(frozen=True, slots=True)
class LeftOver:
    """What is left to do with a sheet, and its corrections.

    Of the rows that the CRM rejected, `mended` are those whose mapping has changed since, and `changed` those whose
    cells have: these are sent with the others.
    `goes_on` means that a run of it was paused, `from_when` when it may go on. `on_the_way` counts the rows whose
    answer may still come, until `decidable_from`, where that is known.
    """

    counts: Counts
    corrections: CorrectionList
    goes_on: bool = False
    from_when: datetime | None = None
    on_the_way: int = 0
    decidable_from: datetime | None = None
    mended: int = 0
    changed: int = 0

    @property
    def to_correct(self) -> int:
        """How many rows have to be corrected."""
        return self.counts.invalid + self.counts.rejected - self.mended

    @property
    def rejected_sentence(self) -> str:
        """What is to be said about the rows that the CRM rejected, if there are any."""
        rejected = self.counts.rejected + self.changed
        if not rejected:
            return ""
        rows = ngettext("{count} row", "{count} rows", rejected)
        if self.changed:
            changed = ngettext(
                "{count} has changed since: it is sent again with the others",
                "{count} have changed since: they are sent again with the others",
                self.changed,
            )
            rows = f"{rows}; {changed}"
        if self.mended:
            mended = ngettext(
                "{count} has another matching of columns since: it can be sent again",
                "{count} have another matching of columns since: they can be sent again",
                self.mended,
            )
            rows = f"{rows}; {mended}"
        return rows

    @property
    def to_decide(self) -> int:
        """How many rows a person has to decide about."""
        return self.counts.unknown + self.counts.conflict + self.counts.sending - self.on_the_way

    @property
    def waiting_sentence(self) -> str:
        """What is to be said about the rows without an answer, if there are any."""
        return on_their_way(self.on_the_way, self.decidable_from) if self.on_the_way else ""

    @property
    def correction_sentences(self) -> list[str]:
        """What is corrected in the sheet, and what is not."""
        return list(corrections_told(self.corrections))


def left_over(checking: Checking, state: DeskState, seen: Watched) -> LeftOver | None:
    """Return what is left of a sheet, None before its first check; a run that has just ended knows it best."""
    finished = None if state.is_rehearsal else state.finished
    if finished is not None and not checking.is_current:
        counts, plan, rejected = finished.counts, finished.plan, Rejections()
    elif checking.value is not None:
        counts, plan, rejected = checking.value.counts, checking.value.plan, checking.value.rejected
    else:
        return None
    paused = (finished is not None and finished.counts.planned > 0) or (seen.was_stopped and goes_on(counts))
    known = seen.known
    return LeftOver(
        counts,
        plan.corrections,
        paused or seen.was_interrupted or seen.quota_until is not None,
        seen.quota_until,
        min(counts.sending, known.sending) if known else counts.sending,
        known.sending_until if known else None,
        rejected.mended,
        rejected.changed,
    )


@dataclass(frozen=True, slots=True)
class NextClick:
    """The one right thing to click after an error: a link, or a form with one field."""

    label: str
    address: str
    field: str = ""

    @property
    def is_link(self) -> bool:
        """Whether it only leads to another page."""
        return not self.field


def what_to_do(error: ImporterError | InternalError, sheet_id: str) -> NextClick:
    """Return what to click after an error."""
    sheet = f"/sheets/{sheet_id}"
    if isinstance(error, (ConnectionRefused, SettingsError)):
        return NextClick(_("Check the connection"), f"{sheet}/send/connection")
    if isinstance(error, MappingError):
        return NextClick(_("Go to Match columns"), f"{sheet}/match")
    if isinstance(error, (SourceError, StartRefused)) and not getattr(error, "looking_helps", False):
        return NextClick(_("Go to Start"), "/")
    if isinstance(error, StartRefused) and error.looking_helps:
        return NextClick(_("First search the CRM for every row"), f"{sheet}/send/propose", "look-first")
    return NextClick(_("Try again"), f"{sheet}/send/propose", "again")
