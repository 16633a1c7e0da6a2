"""The only HTTP: one POST becomes an outcome, and a question becomes an answer."""

from importer.crm.answers import TABLE, interpret
from importer.crm.brake import Brake, PauseReason
from importer.crm.client import Crm
from importer.crm.looks import Answered, Certificate, Visit
from importer.crm.marks import Hit, find_mark, hit_of, is_whole, marks_at, mentions, path_of
from importer.crm.pacing import Pacer, backoff
from importer.crm.queries import Found, Quota, Record

__all__ = [
    "TABLE",
    "Answered",
    "Brake",
    "Certificate",
    "Crm",
    "Found",
    "Hit",
    "Pacer",
    "PauseReason",
    "Quota",
    "Record",
    "Visit",
    "backoff",
    "find_mark",
    "hit_of",
    "interpret",
    "is_whole",
    "marks_at",
    "mentions",
    "path_of",
]
