"""The CRM over HTTP: one POST becomes an outcome, and a question becomes an answer."""

from importer.crm.answers import TABLE, interpret
from importer.crm.client import Crm
from importer.crm.marks import Hit, find_mark, hit_of, is_whole, marks_at, mentions, path_of
from importer.crm.pacing import CircuitBreaker, PauseReason, RateLimiter, backoff
from importer.crm.probe import Certificate, ConnectionProbe, ProbedAnswer
from importer.crm.records import Found, Quota, Record
from importer.crm.refusals import explained, known_refusal
from importer.crm.scripted import ScriptedTransport, json_reply
from importer.crm.transport import Reply, Request, Transport

__all__ = [
    "TABLE",
    "Certificate",
    "CircuitBreaker",
    "ConnectionProbe",
    "Crm",
    "Found",
    "Hit",
    "PauseReason",
    "ProbedAnswer",
    "Quota",
    "RateLimiter",
    "Record",
    "Reply",
    "Request",
    "ScriptedTransport",
    "Transport",
    "backoff",
    "explained",
    "find_mark",
    "hit_of",
    "interpret",
    "is_whole",
    "json_reply",
    "known_refusal",
    "marks_at",
    "mentions",
    "path_of",
]
