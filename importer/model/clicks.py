"""What to click for each issue: the page of `case-importer web` on which it is resolved, by the issue's code.

An issue's `remedy` says what to write; this is the same for the person who works in the browser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

from importer.messages import _

Place = Literal["row", "column", "cell", "nowhere"]
"""What of an issue is known: its row, its column, both, or neither."""

Sentence = Callable[..., str]


def click_for(code: str, row: int | None, column: str | None, value: str | None) -> str:
    """Return what to click for an issue with this code, as a sentence."""
    sentence = _SENTENCES[PAGES.get(code, "correct")]
    if isinstance(sentence, Mapping):
        sentence = sentence[_place(row, column)]
    return sentence(row=row, column=column, value=value)


def _place(row: int | None, column: str | None) -> Place:
    if row is None:
        return "nowhere" if column is None else "column"
    return "row" if column is None else "cell"


_CORRECT: Mapping[Place, Sentence] = {
    "cell": lambda **at: _("On the page Correct, type the right value into {column} of row {row}.", **at),
    "row": lambda **at: _("On the page Correct, open row {row} and type the right values.", **at),
    "column": lambda **at: _("On the page Correct, type the right values into {column}.", **at),
    "nowhere": lambda **_at: _("On the page Correct, look at the rows and type the right values."),
}
_KEY: Mapping[Place, Sentence] = {
    **_CORRECT,
    "cell": lambda **at: _(
        "On the page Correct, give row {row} its own value in {column}, or leave the row out.", **at
    ),
}
_VALUE: Mapping[Place, Sentence] = {
    **_CORRECT,
    "cell": lambda **at: _(
        "On the page Match columns, choose the CRM's value for '{value}' in {column}: that is right for every row that"
        " has it. Or correct row {row} on the page Correct.",
        **at,
    ),
    "column": lambda **at: _("On the page Match columns, choose the CRM's values for the texts in {column}.", **at),
}
_FORMAT: Mapping[Place, Sentence] = {
    **_CORRECT,
    "cell": lambda **at: _("On the page Match columns, choose how the cells of {column} are written.", **at),
    "column": lambda **at: _("On the page Match columns, choose how the cells of {column} are written.", **at),
}
_LIST: Mapping[Place, Sentence] = {
    **_CORRECT,
    "cell": lambda **at: _(
        "Correct '{value}' in the list that goes with {column}, and choose the list again on the page Match columns. Or"
        " correct row {row} on the page Correct.",
        **at,
    ),
}
_IN_THE_CRM: Mapping[Place, Sentence] = {
    **_CORRECT,
    "cell": lambda **at: _(
        "On the page Correct, type a value that the CRM has into {column} of row {row}. Or ask whoever runs the CRM to"
        " create '{value}', and choose the new list on the page Match columns.",
        **at,
    ),
}
_ATTACHMENT: Mapping[Place, Sentence] = {
    **_CORRECT,
    "cell": lambda **at: _(
        "Put the right file into the attachments folder, or type its name into {column} of row {row} on the page"
        " Correct.",
        **at,
    ),
}

_SENTENCES: Mapping[str, Sentence | Mapping[Place, Sentence]] = {
    "correct": _CORRECT,
    "key": _KEY,
    "value": _VALUE,
    "format": _FORMAT,
    "list": _LIST,
    "in the CRM": _IN_THE_CRM,
    "attachment": _ATTACHMENT,
    "file": lambda **_at: _("Correct the file or save it as an Excel workbook, and choose it again on the page Start."),
    "other table": lambda **_at: _(
        "Correct that row in its own table, save the table, and choose the sheet again on the page Start."
    ),
    "transcript": lambda **_at: _(
        "Ask whoever set up the import to allow larger attachments, or take rows out of that table; then choose the"
        " sheet again on the page Start."
    ),
    "calculate": lambda **_at: _(
        "Open the file in Excel, save it once it has calculated, and choose it again on the page Start."
    ),
    "report": lambda **_at: _("On the page Start, choose the report again as it was written, or the sheet itself."),
    "source": lambda **_at: _(
        "On the page Start, choose the sheet itself instead of its report, and correct it there."
    ),
    "send": lambda **_at: _("On the page Send, click Send."),
    "decide": lambda **_at: _("On the page Decide, say what you found in the CRM."),
    "look back": lambda **_at: _("On the page Look back, open this file to see what became of its rows."),
    "by hand": lambda **_at: _(
        "On the page Look back, open the case of this row, and change it in the CRM by hand. Whoever looks after this"
        " program can then take the edit as known."
    ),
    "rejected": lambda **_at: _(
        "On the page Correct, correct what the CRM refused in this row. If something is missing in the CRM, ask whoever"
        " runs it, then send the row again on the page Send."
    ),
}

PAGES: Mapping[str, str] = {
    **dict.fromkeys(
        ("required", "bad-email", "bad-pattern", "too-long", "too-short", "not-a-number", "not-an-integer",
         "not-a-time", "not-a-url", "not-a-phone", "solution-missing", "digits-lost", "error-cell", "nul-character",
         "key-missing", "correction-lost", "contact-differs", "weekday-differs", "invalid", "skipped", "part"),
        "correct",
    ),
    **dict.fromkeys(("key-repeated", "key-similar", "key-reread"), "key"),
    **dict.fromkeys(("no-crm-value", "ambiguous-value", "not-a-boolean"), "value"),
    **dict.fromkeys(
        ("date-format-unclear", "number-format-unclear", "not-a-date", "zone-missing", "number-too-long"), "format"
    ),
    **dict.fromkeys(("not-in-lookup", "lookup-key-twice", "lookup-empty"), "list"),
    **dict.fromkeys(("not-known", "not-allowed"), "in the CRM"),
    **dict.fromkeys(
        ("attachment-missing", "attachment-name", "attachment-outside", "attachment-url", "attachment-folder",
         "attachment-empty", "attachment-too-large", "attachment-unreadable", "attachment-repeated"),
        "attachment",
    ),
    **dict.fromkeys(("stray-quote", "too-many-cells", "too-few-cells", "undecodable"), "file"),
    "row-of-table": "other table",
    "attachment-transcript": "transcript",
    "formula-without-result": "calculate",
    **dict.fromkeys(
        ("reference-edited", "reference-missing", "reference-repeated", "reference-foreign", "line-alone",
         "id-of-another-row", "id-missing", "id-unusable", "id-repeated", "id-taken", "id-deleted", "row-missing",
         "rows-missing"),
        "report",
    ),
    "altered-in-report": "source",
    "rejected": "rejected",
    "not-updatable": "by hand",
    "update-refused": "rejected",
    "planned": "send",
    **dict.fromkeys(("key-known-twice", "id-differs", "unknown", "conflict"), "decide"),
    **dict.fromkeys(("sending", "created"), "look back"),
}  # fmt: skip
"""The kind of click for every code of an issue; a reason that is a row's state has the state as its code."""
