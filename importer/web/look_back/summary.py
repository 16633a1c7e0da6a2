"""What became of a sheet in a few words: one sentence for whoever asks, and a text for an e-mail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from importer import Review, ReviewedRow, RunRecord
from importer.messages import _, ngettext, shorten, shown
from importer.model import CHANGED, Status

MOST_IN_MAIL = 30
"""Rows that were not sent and are named in an e-mail; the report has all of them."""

IN_CRM = (Status.CREATED.value, CHANGED)
NOT_SENT = (Status.INVALID.value, Status.REJECTED.value, Status.PLANNED.value)
DOUBTFUL = (Status.UNKNOWN.value, Status.CONFLICT.value)


@dataclass(frozen=True, slots=True)
class SheetSummary:
    """The numbers that one sentence tells: `new` were created by the `runs` that are looked at, `before` by others.

    `new_changed` and `before_changed` are those of them whose rows were edited afterwards.
    """

    states: Counter[str]
    new: int
    before: int
    runs: tuple[RunRecord, ...]
    review: Review
    new_changed: int = 0
    before_changed: int = 0

    @property
    def is_begun(self) -> bool:
        """Whether some row is in the CRM, or may be."""
        return bool(self.runs) or any(self.states[state] for state in (*IN_CRM, *DOUBTFUL, Status.SENDING.value))

    @property
    def doubtful(self) -> int:
        """How many rows somebody has to decide on."""
        return sum(self.states[state] for state in DOUBTFUL)

    def sentence(self) -> str:
        """Return what became of the rows, and of their attachments."""
        return " ".join(self._sentences())

    def _sentences(self) -> Iterator[str]:
        rows, files = self.review.counts.rows - self.review.left_out.totals, self.review.files
        parts = ", ".join(self._parts())
        if rows:
            yield ngettext(
                "Of {count} row: {parts}.", "Of {shown} rows: {parts}.", rows, shown=shown(rows, ","), parts=parts
            )
        else:
            yield _("The sheet has no rows.")
        if deleted := sum(row.deleted for row in self.review.rows):
            yield ngettext(
                "{count} of them was deleted from the CRM since.",
                "{count} of them were deleted from the CRM since.",
                deleted,
            )
        if files.named:
            yield _("Attachments: {sent} of {named}.", sent=shown(files.sent, ","), named=shown(files.named, ","))

    def _parts(self) -> Iterator[str]:
        """Yield how many rows there are of each kind; together they are all rows but for totals."""
        states = self.states
        if self.new or not self.before:
            yield _with_changed(ngettext("{count} new case", "{count} new cases", self.new), self.new_changed)
        if self.before:
            before = ngettext("{count} was already there", "{count} were already there", self.before)
            yield _with_changed(before, self.before_changed)
        yield from self._invalid()
        if count := states[Status.REJECTED]:
            yield ngettext("{count} that the CRM rejected", "{count} that the CRM rejected", count)
        if count := self.doubtful:
            yield ngettext("{count} to be confirmed", "{count} to be confirmed", count)
        if count := states[Status.SENDING]:
            yield ngettext("{count} being sent right now", "{count} being sent right now", count)
        if count := states[Status.PLANNED]:
            yield ngettext("{count} not sent yet", "{count} not sent yet", count)
        if count := states[Status.PART]:
            yield ngettext("{count} that belongs to the case of another row",
                           "{count} that belong to the case of another row", count)  # fmt: skip
        yield from self._skipped()

    def _invalid(self) -> Iterator[str]:
        repeated = self.review.repeated
        if count := self.states[Status.INVALID] - repeated:
            yield ngettext(
                "{count} not sent because of incomplete data", "{count} not sent because of incomplete data", count
            )
        if repeated:
            yield ngettext(
                "{count} not sent because its identifier is repeated",
                "{count} not sent because their identifiers are repeated",
                repeated,
            )

    def _skipped(self) -> Iterator[str]:
        hidden, totals = self.review.left_out.hidden, self.review.left_out.totals
        if hidden:
            yield ngettext("{count} that Excel hides", "{count} that Excel hides", hidden)
        if count := self.states[Status.SKIPPED] - hidden - totals:
            yield ngettext("{count} left out on purpose", "{count} left out on purpose", count)

    def explained(self) -> str:
        """Return which cases count as new; empty where nothing was sent from this sheet."""
        if not self.runs:
            return ""
        first, last = self.runs[-1].started_at, self.runs[0].started_at
        if len(self.runs) == 1:
            return _("The new cases are those created by the run of {when:%Y-%m-%d %H:%M}.", when=last.astimezone())
        return _(
            "The new cases are those created by the {count} runs from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}.",
            count=len(self.runs),
            first=first.astimezone(),
            last=last.astimezone(),
        )


def _with_changed(cases: str, changed: int) -> str:
    """Return how many cases there are, with how many of their rows were edited afterwards."""
    if not changed:
        return cases
    return ngettext(
        "{cases} ({count} changed in the sheet afterwards)",
        "{cases} ({count} changed in the sheet afterwards)",
        changed,
        cases=cases,
    )


def summarize(review: Review, runs: Sequence[RunRecord]) -> SheetSummary:
    """Return the numbers of a sheet; `runs` are those to look at, the newest first."""
    numbers = {run.id for run in runs}
    in_crm = [row for row in review.rows if row.state in IN_CRM]
    new = sum(row.run in numbers for row in in_crm)
    changed = [row.run in numbers for row in in_crm if row.state == CHANGED]
    states = Counter(row.state for row in review.rows)
    of_new = sum(changed)
    return SheetSummary(states, new, len(in_crm) - new, tuple(runs), review, of_new, len(changed) - of_new)


def mail_text(name: str, summary: SheetSummary) -> str:
    """Return plain text for an e-mail: what became of the sheet, and the rows that are not in the CRM with why."""
    lines = [name, summary.sentence()]
    if summary.runs:
        last = summary.runs[0]
        lines.append(
            _(
                "Import: {name}. Last sent on {when:%Y-%m-%d %H:%M} by {user}.",
                name=last.import_name,
                when=last.started_at.astimezone(),
                user=last.start.user,
            )
        )
    lines += _listed(_("Rows that were not sent:"), [row for row in summary.review.rows if row.state in NOT_SENT])
    lines += _listed(_("Rows to be confirmed:"), [row for row in summary.review.rows if row.state in DOUBTFUL])
    lines += filter(None, (summary.review.left_out.told(),))
    lines += _listed_changed([row for row in summary.review.rows if row.state == CHANGED])
    return "\n".join(lines)


def changed_title(count: int) -> str:
    """Return the title over the cases whose rows were edited afterwards."""
    return ngettext("{count} case whose row changed afterwards", "{count} cases whose rows changed afterwards", count)


def changed_advice() -> str:
    """Return what to do about them."""
    return _("The case in the CRM did not change. If it has to, change it there by hand.")


def edited_columns(row: ReviewedRow) -> str:
    """Return which columns of a row were edited after its case was created."""
    return ", ".join(row.edited) or _("it is not known which columns")


def _listed_changed(rows: Sequence[ReviewedRow]) -> Iterator[str]:
    if not rows:
        return
    yield from ("", changed_title(len(rows)), changed_advice())
    for row in rows[:MOST_IN_MAIL]:
        yield _(
            "- row {row} ({key}), case {case}: {columns}",
            row=row.number,
            key=shorten(row.key) or "—",
            case=row.id_prefijo or row.wolkvox_id or "—",
            columns=shorten(edited_columns(row), 200),
        )
    if len(rows) > MOST_IN_MAIL:
        yield _("- and {count} more, listed in the report", count=len(rows) - MOST_IN_MAIL)


def _listed(title: str, rows: Sequence[ReviewedRow]) -> Iterator[str]:
    if not rows:
        return
    yield from ("", title)
    for row in rows[:MOST_IN_MAIL]:
        why = shorten("; ".join(row.reasons), 200) or _("not sent yet")
        yield (
            _("- row {row} ({key}): {why}", row=row.number, key=shorten(row.key), why=why)
            if row.key
            else _("- row {row}: {why}", row=row.number, why=why)
        )
    if len(rows) > MOST_IN_MAIL:
        yield _("- and {count} more, listed in the report", count=len(rows) - MOST_IN_MAIL)
