"""The shapes of the sandbox's answers: those that the vendor describes, and those that a search may have.

Each answer is the JSON object of `docs/crm.md`: `code`, `error`, `msg`, `data`; only a search of an older version
answered a bare list.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from importer.sandbox.config import Search

AnswerBody = dict[str, Any]
Answer = AnswerBody | list[AnswerBody]


def success(message: str, data: object) -> AnswerBody:
    """Return a success as documented; its `error` is the text `null`, not a JSON null."""
    return {"code": 200, "error": "null", "msg": message, "data": data}


def refusal(code: int, error: str, detail: str = "") -> AnswerBody:
    """Return a refusal; the sentence in `error` and the detail in `msg` are the sandbox's choice."""
    return {"code": code, "error": error, "msg": detail, "data": None}


def missing(*names: str) -> AnswerBody:
    """Return the refusal of a body that lacks parameters."""
    return refusal(400, "SOME PARAMETERS ARE REQUIRED", ", ".join(names))


def code_of(answer: Answer) -> int:
    """Return an answer's code, 200 for a bare list."""
    return 200 if isinstance(answer, list) else int(answer["code"])


def found(records: Sequence[AnswerBody], search: Search) -> Answer:
    """Return the answer of a search: at most a page of the records, in the configured shape."""
    if not records:
        return nothing_found(search)
    shown = list(records[: search.page_size])
    if search.nothing_found == "bare-list":
        return shown
    answer = success(_counted(len(records) if search.count == "all" else len(shown), search), shown)
    return {**answer, "next_page": 2} if search.next_page and len(shown) < len(records) else answer


def nothing_found(search: Search) -> Answer:
    """Return the answer of a search without a hit, in the configured shape."""
    match search.nothing_found:
        case "404":
            return refusal(404, "RECORD NOT FOUND")
        case "bare-list":
            return []
        case "null":
            return success(_counted(0, search), None)
        case "empty-list":
            return success(_counted(0, search), [])


def _counted(count: int, search: Search) -> str:
    """Return the words of a search, in the vendor's own spelling."""
    return "Successful query" if search.count == "none" else f"{count} records were are found"
