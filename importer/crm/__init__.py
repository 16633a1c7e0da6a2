"""The only HTTP: one POST becomes an outcome, and a question becomes an answer."""

from importer.crm.answers import TABLE, interpret
from importer.crm.client import Crm
from importer.crm.pacing import CircuitBreaker, PauseReason, RateLimiter, backoff
from importer.crm.probe import Answered, Certificate, ConnectionProbe
from importer.crm.records import Found, Hit, Quota, Record, find_mark, hit_of, is_whole, marks_at, mentions, path_of

__all__ = [
    "TABLE",
    "Answered",
    "Certificate",
    "CircuitBreaker",
    "ConnectionProbe",
    "Crm",
    "Found",
    "Hit",
    "PauseReason",
    "Quota",
    "RateLimiter",
    "Record",
    "backoff",
    "find_mark",
    "hit_of",
    "interpret",
    "is_whole",
    "marks_at",
    "mentions",
    "path_of",
]
