"""What can be learnt of a tenant: by looking, and with leave by one test case."""

from __future__ import annotations

from pathlib import Path

from importer.crm import Crm
from importer.doctor.case import TestCase
from importer.doctor.checks import Check, Level, examine, exit_status
from importer.doctor.person import Answer, Person
from importer.doctor.trial import Patience, Trial
from importer.doctor.wish import Wish, wish_like_row, wish_of
from importer.identity import Scope, tenant_of
from importer.model import Target
from importer.workflow.tenant_facts import Findings

__all__ = [
    "Answer",
    "Check",
    "Level",
    "Patience",
    "Person",
    "TestCase",
    "Wish",
    "examine",
    "exit_status",
    "try_case",
    "wish_like_row",
    "wish_of",
]


_PATIENCE = Patience()


def try_case(
    target: Target, wish: Wish, person: Person, folder: Path, patience: Patience = _PATIENCE
) -> tuple[Findings, Path]:
    """Create one test case with the person's leave, learn from it, and keep what was learnt below `folder`.

    Returns the findings and their file. Raises UsageError where the person or the CRM does not take the case,
    ServerUnreachable or ConnectionRefused where the CRM cannot be asked any more; what was learnt is kept then, too.
    """
    with Crm(target) as crm:
        trial = Trial(crm, Scope(tenant_of(target.server), target.operation, ""), wish, person, patience)
        try:
            trial.first_case()
            trial.larger_case()
            trial.ask_what_cannot_be_seen()
        except BaseException:
            if trial.learnt:
                trial.findings.save(folder)
            raise
    return trial.findings, trial.findings.save(folder)
