"""What the hand-over workbook lists of every row: its case and what the CRM showed of it, or why it has none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import repeat

from importer import report
from importer.messages import _
from importer.model import CHANGED, JournalRow, Status
from importer.model.proof import CaseProof, HandOverRow
from importer.workflow.commands import Commands
from importer.workflow.outcome.reasons import issues_of, message_of, reason_of
from importer.workflow.planning.plan import Batch, Plan


class HandOverRows:
    """The rows of a plan as the hand-over lists them, made each time they are iterated."""

    def __init__(
        self, plan: Plan, proofs: Mapping[int, CaseProof], commands: Commands, case_url: str | None = None
    ) -> None:
        self._plan, self._proofs, self._commands, self._case_url = plan, proofs, commands, case_url

    def __iter__(self) -> Iterator[HandOverRow]:
        nothing = JournalRow("", Status.PLANNED, "")
        plan = self._plan
        for frame, batch in plan.cells():
            reasons = self._reasons(batch)
            keys = zip(*(frame[name] for name in plan.key_columns), strict=True) if plan.key_columns else repeat(())
            names = ("status", "known", "differs", "reference", "key_digest", "part_of")
            columns = (batch.facts.index.tolist(), keys, *(batch.facts[name].tolist() for name in names))
            for number, key, status, known, differs, reference, digest, part_of in zip(*columns, strict=False):
                case = known or nothing
                proof = self._proofs.get(number)
                yield HandOverRow(
                    number=number,
                    key=" · ".join(map(str, key)),
                    status=status,
                    state=CHANGED if status is Status.CREATED and differs else status.value,
                    wolkvox_id=case.wolkvox_id,
                    id_prefijo=case.id_prefijo or (proof.id_prefijo if proof else None),
                    address=report.case_address(self._case_url, case.wolkvox_id),
                    reference=reference if digest else None,
                    proof=proof,
                    reason=reasons.get(number, ""),
                    part_of=part_of,
                )

    def _reasons(self, batch: Batch) -> dict[int, str]:
        """Return why the rows of a batch have no case, by number."""
        said: dict[int, str] = {}
        tickets = {Status.CREATED, Status.SKIPPED, Status.PART}
        for row in batch.rows(~batch.in_state(Status.CREATED)):
            issues = "; ".join(issue.message for issue in issues_of(row, self._commands))
            reason = message_of(row) if row.status in tickets else issues or message_of(row)
            if not reason and row.part_of is not None:
                reason = _("A further line of the case of row {row}.", row=row.part_of)
            elif not reason and row.status not in tickets:
                reason = reason_of(row, self._commands)[1].message
            said[row.number] = reason
        return said
