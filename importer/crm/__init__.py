"""The CRM over HTTP: one POST becomes an outcome, and a question becomes an answer."""

from importer.crm.answers import TABLE, interpret
from importer.crm.breaker import BadOutcomes, CircuitBreaker, PauseReason, asked_all_to_wait, paused_by_others
from importer.crm.client import Crm
from importer.crm.marks import Hit, find_mark, hit_of, is_whole, marks_at, mentions, path_of
from importer.crm.pacing import RateLimiter, backoff
from importer.crm.probe import Certificate, ConnectionProbe, ProbedAnswer, without_private
from importer.crm.records import Found, Quota, Record
from importer.crm.refusals import explained, known_refusal, says_no_such_record
from importer.crm.scripted import ScriptedTransport, json_reply
from importer.crm.shown import attachments_shown, shown_form, shown_texts
from importer.crm.transport import Reply, Request, Transport

__all__ = [
    "TABLE",
    "BadOutcomes",
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
    "asked_all_to_wait",
    "attachments_shown",
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
    "paused_by_others",
    "says_no_such_record",
    "shown_form",
    "shown_texts",
    "without_private",
]
