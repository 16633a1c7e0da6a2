"""The example for a first try: a small sheet with attachments and its mapping, meant for the rehearsal."""

from __future__ import annotations

import io
from collections.abc import Mapping
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path

import pandas as pd

from importer.errors import SourceError
from importer.messages import _
from importer.system.causes import reason_of
from importer.text import as_yaml
from importer.web.start.example_words import ENGLISH, EXAMPLES, ExampleWords

_WIDTHS = (12, 12, 12, 28, 28, 48, 14, 11, 28, 26)


def write_example(folder: Path, language: str) -> tuple[Path, Path]:
    """Put the example into a folder of its own in `folder`; return its sheet and its mapping.

    Files that are there already stay as they are, with what somebody tried in them. Raises SourceError where nothing
    can be written.
    """
    words = EXAMPLES.get(language, ENGLISH)
    place = folder / words.folder
    sheet, mapping = place / words.sheet, place / f"{words.name}.yml"
    try:
        (place / words.attachments).mkdir(parents=True, exist_ok=True)
        for name, text in words.files.items():
            _keep(place / words.attachments / name, f"{text}\n".encode())
        _keep(mapping, mapping_text(words).encode())
        _keep(sheet, _workbook(words))
    except OSError as error:
        raise SourceError(
            _("The example cannot be written to {folder}: {reason}.", folder=place, reason=reason_of(error))
        ) from error
    return sheet, mapping


def _keep(path: Path, content: bytes) -> None:
    with suppress(FileExistsError), path.open("xb") as file:
        file.write(content)


def _workbook(words: ExampleWords) -> bytes:
    """Return the sheet, as Excel would have saved it."""
    today = date.today()  # noqa: DTZ011 - a day of the office's own calendar
    rows = [(number, today - timedelta(days), *others) for number, days, *others in words.rows]
    content = io.BytesIO()
    with pd.ExcelWriter(content, engine="xlsxwriter", date_format=words.date_format) as writer:
        pd.DataFrame(rows, columns=list(words.headings)).to_excel(writer, sheet_name=words.tab, index=False)
        for place, width in enumerate(_WIDTHS):
            writer.sheets[words.tab].set_column(place, place, width)
    return content.getvalue()


def mapping_text(words: ExampleWords) -> str:
    """Return the mapping of the example, which names no server: it cannot be sent before somebody says where to."""
    number, day, kind, mail, subject, _details, status, priority, answer, files = map(as_yaml, words.headings)
    return f"""\
# {words.comment}

version: 1
import: {as_yaml(words.name)}

source:
  key: {number}

fields:
  case-type: {{column: {kind}, values: {_flow(words.types)}}}
  responsible: ADMIN_@demo
  owner: ADMIN_@demo
  contact: {{column: {mail}, type: email}}
  description: {{template: "{{{words.headings[4]}}}\\n\\n{{{words.headings[5]}}}"}}
  status: {{column: {status}, values: {_flow(words.statuses)}, closed: [Cerrado]}}
  priority: {{column: {priority}, values: {_flow(words.priorities)}}}
  solution: {{column: {answer}}}

form:
  Subject: {{column: {subject}, required: true}}
  Fecha: {{column: {day}, type: date, format: "YYYY-MM-DD"}}

attachments:
  folder: {as_yaml(words.attachments)}
  columns: [{files}]
  separator: ";"

reference: description
"""


def _flow(values: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{as_yaml(text)}: {as_yaml(value)}" for text, value in values.items()) + "}"
