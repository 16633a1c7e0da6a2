"""What a report says, as a digest: where it is the same, two reports differ in nothing but their Summary."""

from __future__ import annotations

import json
from hashlib import sha256
from itertools import islice
from operator import attrgetter

from importer.messages import _
from importer.model import ReportContent

FORM = 1
"""The shape of the sheets; to be raised whenever the same rows are shown otherwise than before."""

ROWS_BATCH_SIZE = 1_000

_OF_ISSUE = attrgetter("row", "column", "value", "code", "message", "remedy")
_written = json.JSONEncoder(check_circular=False, default=_OF_ISSUE).encode


def fingerprint(content: ReportContent) -> str | None:
    """Return the digest of all that the sheets beside Summary depend on; None where it is not known.

    What the cells were made from stands for them: to digest them one by one would cost as much as to write them.
    """
    if not content.made_from:
        return None
    summary = content.summary
    now = summary.run if summary.counts.created_now else None  # otherwise no row says which run the report is of
    zone = repr(summary.started_at.tzinfo)
    head = (FORM, _("en"), content.made_from, content.columns, content.case_url, zone, now)
    digest = sha256(_written(head).encode())
    facts = (row.facts for row in content.rows) if content.outcomes is None else iter(content.outcomes)
    while some := [*islice(facts, ROWS_BATCH_SIZE)]:
        digest.update(_written(some).encode())
    return digest.hexdigest()
