"""After the sending: what became of every row, counted once, and the report that says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from importer import report
from importer.clock import local_datetime
from importer.errors import ReportError
from importer.journal import ImportRecord, Journal, user_name
from importer.messages import _, ngettext
from importer.model import Cell, Counts, Issue, JournalRow, ReportContent, ReportRow, Status, Summary
from importer.settings import case_url
from importer.source import open_table
from importer.spool import Spool
from importer.workflow.job import Job
from importer.workflow.plan import Batch, Plan, PlannedRow, state_of

PAUSED = 3
"""Exit status where the same command, given again, finishes what is left."""


@dataclass(frozen=True, slots=True)
class SendResult:
    """What a command did before its report; `reason` and `status` say why it stopped early, if it did.

    `held_back` tells that valid rows were not sent because others are not valid.
    """

    started_at: datetime
    server: str | None = None
    run: int | None = None
    calls: int = 0
    reason: str | None = None
    status: int = 0
    held_back: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """Where the report goes, and whether a page beside it and the sheet in the source workbook are wanted, too.

    `case_url` leads to a case once its `{wolkvox_id}` is filled in; None where nobody has said how.
    """

    path: Path
    case_url: str | None = None
    html: bool = False
    write_back: bool = False

    @classmethod
    def of(cls, job: Job) -> ReportOptions:
        """Return what a job wants; raises SettingsError where the address of a case cannot be one."""
        return cls(job.report_path, case_url(), job.html, job.write_back)


@dataclass(frozen=True, slots=True)
class Finished:
    """How a command ended: the counts that every output shows, and where the report is."""

    plan: Plan
    counts: Counts
    result: SendResult
    report: Path | None
    exit_status: int
    next_step: str
    notes: tuple[str, ...] = ()

    def reasons(self) -> Iterator[tuple[Status, Issue]]:
        """Yield, for every row that is not as it should be, why: its issues, or what the journal says of it."""
        for row in self.plan:
            if issues := issues_of(row):
                yield from ((row.status, issue) for issue in issues)
            elif (row.status is not Status.CREATED or row.differs) and (message := message_of(row)):
                yield row.status, Issue(row.number, None, None, row.status, message, self.next_step)


def now() -> datetime:
    """Return this moment in the user's own time zone."""
    return datetime.now(UTC).astimezone()


def exit_status(counts: Counts, result: SendResult) -> int:
    """Return the highest exit status that applies to a source's rows and to how the run ended."""
    rows = 0
    if counts.unknown or counts.conflict:
        rows = 4
    elif counts.sending or (counts.planned and not result.held_back):
        rows = 3
    elif counts.planned or counts.invalid or counts.rejected or counts.changed:
        rows = 1
    return max(rows, result.status)


def next_step(counts: Counts, result: SendResult, only: tuple[Status, ...] = ()) -> str:
    """Return in one sentence what the person should do now: the most pressing of what there is.

    `only` are the states by which the rows were chosen, if they were.
    """
    if result.reason:
        return result.reason
    if only and not counts.rows:
        return _("Nothing: no row is or was {states}. Without --only every row is looked at.", states=_states(only))
    done = _("Nothing is left to do: every row is created or skipped.")
    return next((sentence for applies, sentence in _steps(counts, chosen=bool(only)) if applies), done)


def _steps(counts: Counts, *, chosen: bool) -> Iterator[tuple[int, str]]:
    """Yield how many rows each step is about, and its sentence, the most pressing first."""
    doubtful, wrong = counts.unknown + counts.conflict, counts.invalid + counts.rejected
    yield (
        counts.sending,
        _("Rows are being sent by another process, or were when it stopped: give the same command again later."),
    )
    yield (
        doubtful,
        ngettext(
            "{count} row may or may not be a case: it is on the sheet `To decide`, and `case-importer settle` asks"
            " the CRM for it.",
            "{count} rows may or may not be cases: they are on the sheet `To decide`, and `case-importer settle`"
            " asks the CRM for them.",
            doubtful,
        ),
    )
    yield (
        wrong,
        ngettext(
            "Correct {count} row (sheet `Issues` says what is wrong) and give the same command again: only what is"
            " not created yet will be sent.",
            "Correct {count} rows (sheet `Issues` says what is wrong) and give the same command again: only what"
            " is not created yet will be sent.",
            wrong,
        ),
    )
    yield (
        counts.planned if chosen else 0,
        ngettext(
            "Give the same command without --only to send the row that is left: it counts as planned now.",
            "Give the same command without --only to send the {count} rows that are left: they count as planned now.",
            counts.planned,
        ),
    )
    yield (
        counts.planned,
        ngettext(
            "Give `case-importer run` again to send the row that is left.",
            "Give `case-importer run` again to send the {count} rows that are left.",
            counts.planned,
        ),
    )
    yield (
        counts.changed,
        ngettext(
            "{count} row was edited after its case was created; change that case in the CRM by hand.",
            "{count} rows were edited after their cases were created; change those cases in the CRM by hand.",
            counts.changed,
        ),
    )


def _states(only: tuple[Status, ...]) -> str:
    return _(" or ").join(only)


def _choice(plan: Plan, counts: Counts) -> Iterator[str]:
    """Yield what a reader has to know of rows that were chosen by their states."""
    if plan.only:
        yield ngettext(
            "Only the row that is or was {states} is counted and shown here (--only), not the whole source.",
            "Only the {count} rows that are or were {states} are counted and shown here (--only), not the whole"
            " source.",
            counts.rows,
            states=_states(plan.only),
        )


_SETTLED = (Status.CREATED, Status.SKIPPED)
"""States of a plan that its own run leaves as they are."""


def refreshed(plan: Plan, journal: Journal, record: ImportRecord) -> Plan:
    """Return the plan with what the journal knows now, after sending; what was settled before is not read again."""
    batches: Spool[Batch] = Spool(in_memory=1)  # the plan's own batches are in memory still
    for batch in plan.batches:
        batches.append(_refreshed(batch, journal, record))
    return replace(plan, batches=batches)


def _refreshed(batch: Batch, journal: Journal, record: ImportRecord) -> Batch:
    """Return a batch with what the journal knows now of the rows that were not settled before."""
    facts = batch.facts
    is_open = ~batch.in_state(*_SETTLED) & (facts["key_digest"] != "")
    found = journal.rows.by_reference(record.id, facts.loc[is_open, "reference"].tolist())
    if not found:
        return batch
    known, states, differs = facts["known"].tolist(), facts["status"].tolist(), facts["differs"].tolist()
    for at, row in enumerate(batch.rows()):
        if is_open.iat[at] and row.reference in found:
            known[at] = found[row.reference].row
            differs[at] = row.differs and row.status is not Status.PLANNED  # what was sent is what the row holds
            states[at] = state_of(known[at], row.skipped, is_valid=not row.issues, differs=differs[at])
    return batch.with_facts(known=known, status=states, differs=differs)


def finish(
    plan: Plan, journal: Journal, record: ImportRecord | None, result: SendResult, options: ReportOptions
) -> Finished:
    """Write the report of a plan as it stands; return how the command ended.

    A run whose report can be written nowhere has ended all the same, and says so: the journal has everything. Raises
    ReportError for a command that was about the report alone.
    """
    counts = plan.counts(result.run)
    status, advice = exit_status(counts, result), next_step(counts, result, plan.only)
    summary = replace(_summary(plan, result, counts, advice), journal=(journal.id, journal.highest_attempt()))
    subjects = {doubt.reference: doubt.about for doubt in journal.doubts.of_import(record.id)} if record else {}
    content = ReportContent(summary, plan.columns, _ReportRows(plan, subjects), options.case_url)
    try:
        path, notes = _write(content, plan, journal, record, options)
    except ReportError as error:
        if result.run is None:
            raise
        return Finished(plan, counts, result, None, max(status, PAUSED), advice, (*summary.notes, str(error)))
    return Finished(plan, counts, result, path, status, advice, (*summary.notes, *notes))


def _summary(plan: Plan, result: SendResult, counts: Counts, advice: str) -> Summary:
    return Summary(
        import_name=plan.mapping.import_name,
        source=plan.table.path,
        source_digest=plan.table.digest,
        sheet=plan.table.sheet,
        mapping=plan.mapping.path,
        server=result.server,
        operation=plan.scope.operation,
        user=user_name(),
        started_at=result.started_at,
        ended_at=now(),
        run=result.run,
        counts=counts,
        calls=result.calls,
        next_step=advice,
        notes=(*plan.notes, *_choice(plan, counts), *result.notes),
    )


def _write(
    content: ReportContent, plan: Plan, journal: Journal, record: ImportRecord | None, options: ReportOptions
) -> tuple[Path, list[str]]:
    """Write the report in every form that is wanted; return where it is, and what to say about it."""
    ours = journal.imports.is_report
    written = [report.write(options.path, content, ours)]
    if options.html:
        written.append(report.write(options.path.with_suffix(".html"), content, ours))
    if record is not None:
        for one in written:
            journal.imports.note_report(record.id, one.digest)
    notes = [one.note for one in written if one.note]
    if options.html:
        notes.append(_("The page: {path}", path=written[1].path))
    if options.write_back:
        notes.append(_written_back(plan, content))
        if record is not None and record.bound_to:
            journal.imports.bind(record, report.digest(plan.table.path))
    return written[0].path, notes


def _written_back(plan: Plan, content: ReportContent) -> str:
    """Put the report into the source workbook; return where the workbook as it was is kept, or why it is as it was.

    A refusal is no fault of the run: its report stands beside the source all the same.
    """
    try:
        backup = report.write_back(plan.table.path, content, open_table)
    except ReportError as error:
        return str(error)
    return _(
        "The sheet Report is in {path} now; as it was, it is kept in {backup}.", path=plan.table.path, backup=backup
    )


class _ReportRows:
    """The report's lines, put together from the source and the plan each time they are asked for."""

    def __init__(self, plan: Plan, subjects: Mapping[str, str]) -> None:
        self._plan, self._subjects = plan, subjects

    def __iter__(self) -> Iterator[ReportRow]:
        columns = list(self._plan.columns)
        for frame, batch in self._plan.cells():
            cells = zip(*(frame[column].tolist() for column in columns), strict=True)
            for row, row_cells in zip(batch.rows(), cells, strict=True):
                yield _report_row(row, row_cells, self._subjects.get(row.reference))


def _report_row(row: PlannedRow, cells: tuple[Cell, ...], about: str | None) -> ReportRow:
    known = row.known or _NOTHING_KNOWN
    return ReportRow(
        number=row.number,
        cells=cells,
        status=row.status,
        wolkvox_id=known.wolkvox_id,
        id_prefijo=known.id_prefijo,
        message=message_of(row),
        sent_at=None if known.sent_at is None else local_datetime(known.sent_at),
        run=known.run,
        reference=row.reference if row.key_digest else None,
        changed=row.is_changed,
        issues=issues_of(row),
        about=about,
    )


_NOTHING_KNOWN = JournalRow("", Status.PLANNED, "")


def issues_of(row: PlannedRow) -> tuple[Issue, ...]:
    """Return what a person has to correct in a row: what is wrong with its cells, or what the CRM refused."""
    if row.status is Status.REJECTED and row.known is not None:
        message = _("Rejected by the CRM: {words}", words=row.known.message)
        remedy = _("correct the row, or give --retry-rejected once the CRM has what it lacked")
        return (Issue(row.number, None, None, "rejected", message, remedy),)
    return row.issues if row.status is Status.INVALID else ()


def message_of(row: PlannedRow) -> str:
    """Return what a row's line says about it; nothing of a row that is simply created or planned."""
    if issues := issues_of(row):
        return "; ".join(issue.message for issue in issues)
    if row.status is Status.SKIPPED:
        return row.skipped or ""
    if row.status is Status.PLANNED and row.waits is not None:
        return row.waits
    if row.status is Status.CREATED:
        return " ".join(_flags(row))
    if row.status is Status.SENDING and row.known and row.known.lease_until:
        return _(
            "On its way to the CRM; if its process was stopped, it counts as unknown from {until:%H:%M:%S} on.",
            until=row.known.lease_until,
        )
    return row.known.message if row.known else ""


def _flags(row: PlannedRow) -> Iterator[str]:
    """Yield what a reader has to know of a created row."""
    if row.known and row.known.disputed:
        yield _("Disputed: the CRM gave this id to another row as well; see the sheet To decide.")
    if row.known and row.known.deleted:
        yield _("A person said that this case is gone from the CRM.")
    if row.differs:
        yield _("Edited after its case was created; the case was not changed.")
