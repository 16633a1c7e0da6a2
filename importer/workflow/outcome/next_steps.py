"""What there is to do after a command: every step, the most pressing first, each with its whole command."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from importer.commands import placeholder, told
from importer.messages import _, ngettext
from importer.model import Counts, Status
from importer.names import state_name
from importer.workflow.commands import Commands
from importer.workflow.outcome.contact_waits import NO_WAITS, ContactWaits, contact_steps


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do: a sentence, and the states of the rows that it is about; of none, it is about the run.

    `is_done` means that nothing is left to do, which is true only where there is no other step.
    """

    sentence: str
    states: tuple[Status, ...] = ()
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class CorrectedReport:
    """A report beside the source that a person has corrected.

    `to_send` are the references of rows that can be sent as they are there, but not, or not so, as they are in the
    source. `sent` counts the rows of which the case was made as they are there, while the source has them otherwise.
    """

    path: Path
    to_send: frozenset[str]
    sent: int


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known beside the counts of a source's rows when a command ends.

    `report` is where the report is, None if it has none. `reason` says why the command stopped early. `only` are the
    states by which rows were selected. `searched` means that the CRM was searched for the doubtful rows, without
    result; `example` is the reference of one of them. `verdicts` counts, by report, those that were not recorded yet;
    `refused` names, by report, the rows whose verdicts this command has refused, so that they must be corrected.
    `bound` means that rows are corrected in the newest report: the import is for this very file, or it is a report.
    `held_back` means that valid rows are not sent because others are invalid; `waiting` is how many of them wait for
    the answer to a question, `contacts` those that wait for their contacts. Updates whose answers are missing may all
    be sent again from `updates_from` on. After a `rehearsal` nothing has reached the CRM.
    """

    commands: Commands
    report: Path | None = None
    reason: str | None = None
    only: tuple[str, ...] = ()
    searched: bool = False
    bound: bool = False
    held_back: bool = False
    waiting: int = 0
    verdicts: tuple[tuple[Path, int], ...] = ()
    refused: tuple[tuple[Path, tuple[str, ...]], ...] = ()
    corrected: tuple[CorrectedReport, ...] = ()
    example: str | None = None
    rehearsal: bool = False
    contacts: ContactWaits = NO_WAITS
    updates_from: datetime | None = None

    @property
    def workbook(self) -> Path | None:
        """The report if it has sheets: `Issues`, and `To decide` where rows are doubtful."""
        return self.report if self.report is not None and self.report.suffix.lower() == ".xlsx" else None


def next_steps(counts: Counts, situation: Situation) -> tuple[Step, ...]:
    """Return what the person should do now, the most pressing step first; at least one."""
    if situation.rehearsal:
        return tuple(_after_rehearsal(counts, situation))
    if situation.only and not counts.rows and not situation.reason:
        states = _(" or ").join(map(state_name, situation.only))
        command = situation.commands.run()
        return (
            Step(
                _(
                    "Nothing to do: no row is or was {states}. `{command}` includes every row.",
                    states=states,
                    command=command,
                )
            ),
        )
    done = _("Nothing is left to do: every row is created or skipped.")
    if situation.only:
        command = situation.commands.run()
        done = _("Nothing is left to do in these rows. `{command}` includes every row.", command=command)
    elif counts.part:
        done = _("Nothing is left to do: every row is created, part of a created case, or skipped.")
    return tuple(_steps(counts, situation)) or (Step(done, is_done=True),)


def _after_rehearsal(counts: Counts, situation: Situation) -> Iterator[Step]:
    if situation.reason:
        yield Step(situation.reason)
    faulty = counts.invalid + counts.rejected
    if faulty:
        sentence = ngettext(
            "{count} row cannot be sent as it is: correct it in the sheet that was rehearsed; {report} has the"
            " reasons.",
            "{count} rows cannot be sent as they are: correct them in the sheet that was rehearsed; {report} has the"
            " reasons.",
            faulty,
            report=situation.report.name if situation.report else _("the report"),
        )
        yield Step(sentence, (Status.INVALID, Status.REJECTED))
    yield Step(_("Nothing has reached the CRM yet: `{command}` sends the rows.", command=situation.commands.run()))


def pressing(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Return the steps of several files together, each once: nothing is left to do only where it is so in all."""
    once = tuple(dict.fromkeys(steps))
    return tuple(step for step in once if not step.is_done) or once[:1]


def _steps(counts: Counts, situation: Situation) -> Iterator[Step]:
    if situation.reason:
        yield Step(situation.reason)
    yield from verdict_steps(situation)
    if counts.sending:
        yield Step(_in_flight(counts.sending, situation), (Status.SENDING,))
    decided = sum(count for _path, count in situation.verdicts) + sum(len(rows) for _path, rows in situation.refused)
    if doubtful := max(0, counts.unknown + counts.conflict - decided):
        sentence = _doubtful(doubtful, situation)
        yield Step(sentence, (Status.UNKNOWN, Status.CONFLICT))
    for sentence in contact_steps(situation.contacts, situation.commands):
        yield Step(sentence, (Status.PLANNED,))
    yield from corrected_steps(situation)
    corrected = set().union(*(one.to_send for one in situation.corrected))
    if wrong := max(0, counts.invalid + counts.rejected - len(corrected)):
        yield Step(_wrong(wrong, situation), (Status.INVALID, Status.REJECTED))
    if rejected := min(wrong, counts.rejected):
        sentence = ngettext(
            "{count} row was rejected by the CRM. If it is right, and what it lacked is in the CRM now (a contact, for"
            " example), `{command}` sends it again.",
            "{count} rows were rejected by the CRM. If they are right, and what they lacked is in the CRM now (a"
            " contact, for example), `{command}` sends them again.",
            rejected,
            command=situation.commands.run("--retry-rejected"),
        )
        yield Step(sentence, (Status.REJECTED,))
    if (left := counts.planned - situation.waiting - situation.contacts.blocked) > 0 and not situation.held_back:
        yield Step(_left(left, situation), (Status.PLANNED,))
    yield from _edited(counts, situation)


def _edited(counts: Counts, situation: Situation) -> Iterator[Step]:
    """Yield what to do about rows that were edited after their cases were created."""
    if counts.to_update and not situation.held_back:
        sentence = ngettext(
            "{count} case is left to update, because its row was edited: `{command}`.",
            "{count} cases are left to update, because their rows were edited: `{command}`.",
            counts.to_update,
            command=situation.commands.run(),
        )
        if situation.updates_from is not None:
            sentence = ngettext(
                "{count} case is left to update, because its row was edited: `{command}`, after"
                " {when:%Y-%m-%d %H:%M:%S}: the answer to its last update is missing.",
                "{count} cases are left to update, because their rows were edited: `{command}`; those whose last update"
                " has no answer are sent after {when:%Y-%m-%d %H:%M:%S}.",
                counts.to_update,
                command=situation.commands.run(),
                when=situation.updates_from,
            )
        yield Step(sentence, (Status.CREATED,))
    if by_hand := max(0, counts.changed - counts.to_update - _most_sent(situation)):
        sentence = told(
            ngettext(
                "{count} row was edited after its case was created; change that case in the CRM by hand. The"
                " option --accept-changes then takes the edit as known.",
                "{count} rows were edited after their cases were created; change those cases in the CRM by hand."
                " The option --accept-changes then takes the edits as known.",
                by_hand,
            ),
            ngettext(
                "{count} row was edited after its case was created; change that case in the CRM by hand.",
                "{count} rows were edited after their cases were created; change those cases in the CRM by hand.",
                by_hand,
            ),
        )
        yield Step(sentence, (Status.CREATED,))


def verdict_steps(situation: Situation) -> Iterator[Step]:
    """Yield the steps for each report whose verdicts were refused, or not recorded yet."""
    for path, rows in situation.refused:
        sentence = ngettext(
            "Correct the verdict of {row} in the sheet `To decide` of {name} as it is said above and save it, then"
            " record it with `{command}`.",
            "Correct {count} verdicts in the sheet `To decide` of {name} as it is said above and save it, then record"
            " them with `{command}`.",
            len(rows),
            row=rows[0],
            name=path.name,
            command=situation.commands.settle("--from", path),
        )
        yield Step(sentence, (Status.UNKNOWN, Status.CONFLICT))
    for path, count in situation.verdicts:
        sentence = ngettext(
            "{count} verdict in the sheet `To decide` of {name} is not recorded: `{command}` records it.",
            "{count} verdicts in the sheet `To decide` of {name} are not recorded: `{command}` records them.",
            count,
            name=path.name,
            command=situation.commands.settle("--from", path),
        )
        yield Step(sentence, (Status.UNKNOWN, Status.CONFLICT))


def corrected_steps(situation: Situation) -> Iterator[Step]:
    """Yield the steps for reports that were corrected: those to run, and the one that was run already."""
    for one in situation.corrected:
        if one.to_send:
            sentence = ngettext(
                "{count} corrected row in {name} is ready to send: `{command}`.",
                "{count} corrected rows in {name} are ready to send: `{command}`.",
                len(one.to_send),
                name=one.path.name,
                command=situation.commands.for_source(one.path).run(),
            )
            yield Step(sentence, (Status.INVALID, Status.REJECTED))
    newest = max(situation.corrected, key=lambda one: one.sent, default=None)
    if newest is not None and newest.sent:
        sentence = ngettext(
            "{count} case was made from the correction in {name}, which {source} does not have. Nothing is wrong with"
            " it: go on with {name} instead, `{command}`.",
            "{count} cases were made from the corrections in {name}, which {source} does not have. Nothing is wrong"
            " with them: go on with {name} instead, `{command}`.",
            newest.sent,
            name=newest.path.name,
            source=situation.commands.source and situation.commands.source.name,
            command=situation.commands.for_source(newest.path).run(),
        )
        yield Step(sentence, (Status.CREATED,))


def _most_sent(situation: Situation) -> int:
    return max((one.sent for one in situation.corrected), default=0)


def _in_flight(count: int, situation: Situation) -> str:
    return ngettext(
        "{count} row is being sent by another process, or was when that stopped. `{command}` waits until it is over,"
        " and then searches the CRM for it.",
        "{count} rows are being sent by another process, or were when that stopped. `{command}` waits until it is over,"
        " and then searches the CRM for them.",
        count,
        command=situation.commands.settle("--wait"),
    )


def _doubtful(count: int, situation: Situation) -> str:
    """Return how doubtful rows are settled: by a search first, then by a person."""
    report, commands = situation.workbook, situation.commands
    if not situation.searched:
        if report is None:
            return ngettext(
                "{count} row may or may not be a case: `{command}` searches the CRM for it.",
                "{count} rows may or may not be cases: `{command}` searches the CRM for them.",
                count,
                command=commands.settle("--wait"),
            )
        return ngettext(
            "{count} row may or may not be a case (sheet `To decide` of {report}): `{command}` searches the CRM for"
            " it.",
            "{count} rows may or may not be cases (sheet `To decide` of {report}): `{command}` searches the CRM for"
            " them.",
            count,
            report=report.name,
            command=commands.settle("--wait"),
        )
    if report is not None:
        return ngettext(
            "{count} row may or may not be a case, and the CRM's search does not tell. Look it up in the CRM by its"
            " reference, choose the verdict in the sheet `To decide` of {report} and save it, then record it with"
            " `{command}`.",
            "{count} rows may or may not be cases, and the CRM's search does not tell. Look them up in the CRM by their"
            " references, choose the verdicts in the sheet `To decide` of {report} and save it, then record them with"
            " `{command}`.",
            count,
            report=report.name,
            command=commands.settle("--from", report),
        )
    reference = situation.example or placeholder("REFERENCE")
    return ngettext(
        "{count} row may or may not be a case, and the CRM's search does not tell. Look it up in the CRM by its"
        " reference, and record what you find: `{created}`, with the id of its case, or `{not_created}`.",
        "{count} rows may or may not be cases, and the CRM's search does not tell. Look each up in the CRM by its"
        " reference, and record what you find: `{created}`, with the id of its case, or `{not_created}`.",
        count,
        created=commands.settle("--by-hand", reference, "--created", placeholder("ID")),
        not_created=commands.settle("--by-hand", reference, "--not-created"),
    )


def _wrong(count: int, situation: Situation) -> str:
    commands = situation.commands
    if situation.bound and situation.report is not None:
        commands = commands.for_source(situation.report)
    source = commands.source
    values = {"source": source.name if source else placeholder("SOURCE"), "command": commands.run()}
    if situation.workbook is None:
        return ngettext(
            "Correct {count} row in {source}, then run `{command}`: only rows that are not created yet will be sent.",
            "Correct {count} rows in {source}, then run `{command}`: only rows that are not created yet will be sent.",
            count,
            **values,
        )
    return ngettext(
        "Correct {count} row in {source} (the sheet `Issues` of {report} says what is wrong), then run"
        " `{command}`: only rows that are not created yet will be sent.",
        "Correct {count} rows in {source} (the sheet `Issues` of {report} says what is wrong), then run"
        " `{command}`: only rows that are not created yet will be sent.",
        count,
        report=situation.workbook.name,
        **values,
    )


def _left(count: int, situation: Situation) -> str:
    command = situation.commands.run()
    if situation.only:
        return ngettext(
            "The row that is left is planned now; without --only it is sent: `{command}`.",
            "The {count} rows that are left are planned now; without --only they are sent: `{command}`.",
            count,
            command=command,
        )
    return ngettext(
        "{count} row is left to send: `{command}`.",
        "{count} rows are left to send: `{command}`.",
        count,
        command=command,
    )
