"""What the doctor learns about a tenant: from checks, and with the user's consent from small questions to the CRM."""

from __future__ import annotations

from importer.doctor.asking import ProbeBegan, ProbeEnded, ProbeEvent, ask_crm
from importer.doctor.case import (
    CaseOptions,
    DoctorPrompts,
    Observation,
    TestCase,
    options_from_fields,
    options_from_row,
)
from importer.doctor.checks import Check, Level, exit_status, run_checks
from importer.doctor.page import known_findings, write_findings
from importer.doctor.probes import ALL, CASE_CALLS, PEOPLE, PROBES, Probe, choose, price
from importer.doctor.session import Polling
from importer.doctor.words import answers_in_words, remaining, why_not_learnt

__all__ = [
    "ALL",
    "CASE_CALLS",
    "PEOPLE",
    "PROBES",
    "CaseOptions",
    "Check",
    "DoctorPrompts",
    "Level",
    "Observation",
    "Polling",
    "Probe",
    "ProbeBegan",
    "ProbeEnded",
    "ProbeEvent",
    "TestCase",
    "answers_in_words",
    "ask_crm",
    "choose",
    "exit_status",
    "known_findings",
    "options_from_fields",
    "options_from_row",
    "price",
    "remaining",
    "run_checks",
    "why_not_learnt",
    "write_findings",
]
