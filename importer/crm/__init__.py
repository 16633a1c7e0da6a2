"""The only HTTP: one POST becomes an outcome, and a question becomes an answer."""

from importer.crm.answers import TABLE, interpret
from importer.crm.brake import Brake, PauseReason
from importer.crm.client import Crm
from importer.crm.pacing import Pacer, backoff
from importer.crm.queries import Found, Hit, Quota, find_reference, texts_in

__all__ = [
    "TABLE",
    "Brake",
    "Crm",
    "Found",
    "Hit",
    "Pacer",
    "PauseReason",
    "Quota",
    "backoff",
    "find_reference",
    "interpret",
    "texts_in",
]
