"""What the doctor learns about a tenant: from checks, and with the user's consent from one test case."""

from __future__ import annotations

from pathlib import Path

from importer.crm import Crm
from importer.doctor.case import (
    CaseOptions,
    DoctorPrompts,
    Observation,
    TestCase,
    options_from_fields,
    options_from_row,
)
from importer.doctor.checks import Check, Level, exit_status, run_checks
from importer.doctor.trial import Polling, Trial
from importer.identity import Scope, tenant_of
from importer.model import Target
from importer.workflow.tenant_facts import Findings

__all__ = [
    "CaseOptions",
    "Check",
    "DoctorPrompts",
    "Level",
    "Observation",
    "Polling",
    "TestCase",
    "exit_status",
    "options_from_fields",
    "options_from_row",
    "run_checks",
    "try_case",
]


def try_case(
    target: Target,
    options: CaseOptions,
    prompts: DoctorPrompts,
    folder: Path,
    polling: Polling = Polling(),  # noqa: B008  # frozen
) -> tuple[Findings, Path]:
    """Create one test case after the user confirms it, learn from it, and save the findings below `folder`.

    Returns the findings and their file. Raises UsageError if the user or the CRM refuses the case, ServerUnreachable or
    ConnectionRefused if the CRM can no longer be asked; findings made until then are saved.
    """
    with Crm(target) as crm:
        trial = Trial(crm, Scope(tenant_of(target.server), target.operation, ""), options, prompts, polling)
        try:
            trial.try_first_case()
            trial.try_larger_case()
            trial.ask_user()
        except BaseException:
            if trial.has_findings:
                trial.findings.save(folder)
            raise
    return trial.findings, trial.findings.save(folder)
