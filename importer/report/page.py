"""The report as one self-contained page: what arrived, what to correct and to decide, the cases; searchable."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from importer import text
from importer.messages import _, has_catalogue, language, ngettext, shown
from importer.model import DOUBTFUL, ReportContent, ReportRow, Status, Summary
from importer.report import overview
from importer.report.content import (
    as_sentence,
    case_address,
    facts,
    group_issues,
    issues_of,
    outcome_counts,
    palette_of,
    row_message,
    shown_local_time,
)
from importer.report.text import clean
from importer.report_words import state_word

DOUBTFUL_SHOWN = 1_000
CASES_SHOWN = 5_000

_BACKTICKS = re.compile("`([^`]+)`")


def _shown(value: object) -> object:
    """Return what the page shows of a value: of text, only what a person may safely read."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return text.clean(clean(value))
    return value


def _with_code(sentence: str) -> Markup:
    """Return a sentence in which what is in backticks, a sheet or a command, is shown as code."""
    return Markup(_BACKTICKS.sub(r"<code>\1</code>", str(escape(_shown(sentence)))))  # noqa: S704 - it is escaped


_ENVIRONMENT = Environment(
    loader=PackageLoader(__package__, "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    finalize=_shown,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_ENVIRONMENT.globals.update(_=_, ngettext=ngettext, state_word=state_word)
_ENVIRONMENT.filters.update(as_sentence=as_sentence, with_code=_with_code, amount=lambda number: shown(number, ","))


def write_page(file: BinaryIO, content: ReportContent) -> None:
    """Write the page to an open file; memory does not grow with the rows."""
    summary = content.summary
    script = _asset("page.js")
    page = _ENVIRONMENT.get_template("page.html").render(
        language=language() if has_catalogue(language()) else "en",
        summary=summary,
        counts=outcome_counts(summary),
        overview=overview,
        cases=list(islice(_cases(content), CASES_SHOWN)),
        cases_left=summary.counts.cases - CASES_SHOWN,
        key_columns=content.key_columns,
        groups=group_issues(issues_of(content.rows)),
        doubtful=list(islice(_doubtful(content), DOUBTFUL_SHOWN)),
        doubtful_count=summary.counts.unknown + summary.counts.conflict,
        facts=list(facts(summary)),
        stylesheet=_asset("page.css"),
        script=script,
        script_hash=b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )
    file.write(page.encode("utf-8", "replace"))


def _asset(name: str) -> Markup:
    """Return a file beside the template as it is; nothing of the report is in it."""
    return Markup(_ENVIRONMENT.get_template(name).render())  # noqa: S704 - a file of this package


def _doubtful(content: ReportContent) -> Iterator[dict[str, object]]:
    """Yield what the page shows of each row that may or may not be a case."""
    for row in content.rows:
        if row.status in DOUBTFUL:
            yield _doubt(row, content.summary)


def _cases(content: ReportContent) -> Iterator[dict[str, object]]:
    """Yield what the page shows of each row that is a case or should become one."""
    places = [content.columns.index(column) for column in content.key_columns if column in content.columns]
    for row in content.rows:
        if row.status not in {Status.SKIPPED, Status.PART}:
            yield {
                "number": row.number,
                "key": " · ".join(str(row.cells[place]) for place in places),
                "state": state_word(row.state),
                "palette": palette_of(row, content.summary),
                "id": row.wolkvox_id or "",
                "prefix": row.id_prefijo or "",
                "address": case_address(content.case_url, row.wolkvox_id),
                "message": row_message(row, content.summary),
            }


def _doubt(row: ReportRow, summary: Summary) -> dict[str, object]:
    return {
        "number": row.number,
        "state": state_word(row.state),
        "palette": palette_of(row, summary),
        "reference": row.reference or "",
        "sent_at": shown_local_time(row.sent_at, summary) if row.sent_at else "",
        "message": row_message(row, summary),
    }
