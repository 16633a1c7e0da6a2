"""What the CRM showed of the cases of an import, for whoever has to prove that it is complete; frozen values.

A field that an answer does not show is `not_shown`, never equal: the vendor documents no shape of a record.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from importer.model.values import Status, Summary

Result = Literal["equal", "differs", "edited", "not-found", "unanswered", "not-asked"]
"""What came of a case: all that its record shows is as in the sheet, or not, or no record of it came back.

`edited` is one of which the row was edited since, where the record shows nothing; all else is as in the sheet.
"""

RESULTS: tuple[Result, ...] = ("equal", "differs", "edited", "not-found", "unanswered", "not-asked")


@dataclass(frozen=True, slots=True)
class Difference:
    """A value of a case that the CRM shows otherwise than the sheet.

    `column` is that of the sheet, or several of a template; None for a constant of the mapping. With `edited`, the
    sheet was edited there after the case was created.
    """

    row: int
    column: str | None
    field: str
    sheet: str
    crm: str
    edited: bool = False


@dataclass(frozen=True, slots=True)
class CaseProof:
    """What the CRM showed of the case of one row.

    `not_shown` are the fields that its record does not show, or shows only in part; `empty_in_sheet` are those that it
    shows and the sheet leaves empty, which are not compared. `files_sent` went with it; `files_shown` is None where the
    record says nothing of files. `reason` is why there is no record, and what that proves, or where the row was edited.
    `when` is the time of the answer, which with `remembered` is one of an earlier command. `id_prefijo` is the one that
    the record shows.
    """

    row: int
    result: Result
    differences: tuple[Difference, ...] = ()
    not_shown: tuple[str, ...] = ()
    empty_in_sheet: tuple[str, ...] = ()
    files_sent: int = 0
    files_shown: int | None = None
    reason: str = ""
    when: datetime | None = None
    remembered: bool = False
    id_prefijo: str | None = None


@dataclass(frozen=True, slots=True)
class HandOverRow:
    """A row of the source as the hand-over lists it: its case and what the CRM showed of it, or why it has none."""

    number: int
    key: str
    status: Status
    state: str
    wolkvox_id: str | None = None
    id_prefijo: str | None = None
    address: str | None = None
    reference: str | None = None
    proof: CaseProof | None = None
    reason: str = ""
    part_of: int | None = None


@dataclass(frozen=True, slots=True)
class ProofCounts:
    """What was verified: how many cases came out how, and how many attachments their records show."""

    results: Mapping[Result, int] = field(default_factory=dict)
    remembered: int = 0
    differences: int = 0
    files_shown: int = 0
    files_not_shown: int = 0
    fields_not_shown: Mapping[str, int] = field(default_factory=dict)
    fields_empty: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, proofs: Iterable[CaseProof], cases: int) -> ProofCounts:
        """Count what was found of so many cases; those without a proof were not asked about."""
        results, fields, empty, numbers = Counter[Result](), Counter[str](), Counter[str](), Counter[str]()
        for proof in proofs:
            results[proof.result] += 1
            fields.update(proof.not_shown)
            empty.update(proof.empty_in_sheet)
            numbers["remembered"] += proof.remembered
            numbers["differences"] += len(proof.differences)
            if proof.files_shown is None:
                numbers["files_not_shown"] += proof.files_sent
            else:
                numbers["files_shown"] += proof.files_shown
        results["not-asked"] += cases - results.total()
        return cls(
            {each: results[each] for each in RESULTS if each in results},
            fields_not_shown=dict(fields),
            fields_empty=dict(empty),
            **numbers,
        )

    @property
    def cases(self) -> int:
        """The number of all cases of the source."""
        return sum(self.results.values())

    @property
    def asked(self) -> int:
        """The number of cases about which there is an answer, or a refusal to give one."""
        return self.cases - self.results.get("not-asked", 0)

    @property
    def is_clean(self) -> bool:
        """Whether every case that was asked about is as the sheet says."""
        return self.asked == self.results.get("equal", 0)


@dataclass(frozen=True, slots=True)
class HandOver:
    """Everything that the hand-over workbook shows.

    `summary` is that of the report. `rows` come in sheet order, may be iterated more than once, and are not held in
    memory. `runs` are the numbers of those that made the import. `unexpected` are references with ids that the CRM
    showed and that were not known.
    """

    summary: Summary
    counts: ProofCounts
    rows: Iterable[HandOverRow]
    first_differences: tuple[Difference, ...]
    mapping_digest: str
    corrections_digest: str | None
    corrections: int
    runs: tuple[int, ...]
    program: str
    unexpected: tuple[tuple[str, str], ...] = ()
