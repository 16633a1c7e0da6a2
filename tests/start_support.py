"""A client of the page without a browser, and a person's own folders, for the tests of Start and of opening."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Sequence
from pathlib import Path

import requests
from openpyxl import Workbook
from web_support import once_current

from importer.web import RunningPage
from importer.web.folders import text_token, token_of
from importer.web.office import OpenSheet

HEADINGS = ("Radicado", "Correo", "Asunto", "Estado")
_PATIENCE = 60.0
"""Seconds for what a sheet needs to be read and checked, on a busy machine as well."""

ROWS = (("R1", "ana@example.com", "Uno", "Abierto"), ("R2", "luis@example.com", "Dos", "Abierto"))

MAPPING = """\
version: 1
import: {name}
source: {{key: Radicado{source}}}
fields:
  case-type: Request
  responsible: ADMIN_@demo
  owner: ADMIN_@demo
  contact: {{column: Correo, type: email}}
  description: {{column: Asunto}}
  status: {{column: Estado, values: {{Abierto: Abierto}}}}
  priority: Media
  solution: {{column: Asunto}}
"""


class PageClient:
    """A browser of sorts: it has come in, sends forms as a browser does, and follows redirects unless told not to."""

    def __init__(self, page: RunningPage) -> None:
        self.page = page
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.get(page.address_of(None), timeout=20)

    def get(self, address: str, **more: object) -> requests.Response:
        """Show a page."""
        return self.session.get(self.page.address + address, timeout=20, **more)  # type: ignore[arg-type]

    def post(self, address: str, data: object = None, **more: object) -> requests.Response:
        """Send a form."""
        headers = {"Origin": self.page.address}
        return self.session.post(self.page.address + address, data=data, headers=headers, timeout=20, **more)  # type: ignore[arg-type]

    def open(self, path: Path) -> requests.Response:
        """Open a sheet; return the first page that asks or shows something, with the steps of the others not there."""
        answer = self.get("/open", params={"path": str(path)}, allow_redirects=False)
        return self.settled(answer)

    def settled(self, answer: requests.Response) -> requests.Response:
        """Follow redirects up to a page of another module, and send what a script would send at once."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until:
            if answer.is_redirect:
                to = answer.headers["location"]
                if not to.endswith("/begin") and "/begin?" not in to:
                    return answer
                answer = self.get(to, allow_redirects=False)
            elif "http-equiv" in answer.text:
                time.sleep(0.02)  # what the page waits for needs the processor, too
                answer = self.get(answer.request.path_url, allow_redirects=False)
            elif "data-now" in answer.text:
                form = answer.text.partition("data-now")[2].partition("</form>")[0]
                fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
                answer = self.post(answer.request.path_url, fields, allow_redirects=False)
            else:
                return answer
        raise AssertionError(answer.text)

    def decide(self, answer: requests.Response, **fields: str) -> requests.Response:
        """Send the form of a page about a sheet."""
        return self.settled(self.post(answer.request.path_url, fields, allow_redirects=False))


def checked(sheet: OpenSheet) -> OpenSheet:
    """Return a sheet once it was checked as it is now; a check of how it was may go on still."""
    once_current(sheet.checker)
    return sheet


def text_of(answer: requests.Response) -> str:
    """Return what a page says, without its markup."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def sheet(path: Path, *, headings: Sequence[str] = HEADINGS, rows: Sequence[Sequence[str]] = ROWS) -> Path:
    """Write the table as a text file, which is read at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(";".join(row) + "\n" for row in (headings, *rows)), "utf-8")
    return path


def workbook(path: Path, *tabs: str, headings: Sequence[str] = HEADINGS, rows: Sequence[Sequence[str]] = ROWS) -> Path:
    """Write a workbook with the same table in each of these tabs."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for tab in tabs or ("PQR",):
        sheet = book.create_sheet(tab)
        for row in (headings, *rows):
            sheet.append(list(row))
    path.parent.mkdir(parents=True, exist_ok=True)
    book.save(path)
    return path


def mapping(path: Path, name: str = "pqr", source: str = "") -> Path:
    """Write a mapping for these tables."""
    path.write_text(MAPPING.format(name=name, source=source), "utf-8")
    return path


__all__ = [
    "HEADINGS",
    "ROWS",
    "PageClient",
    "checked",
    "mapping",
    "sheet",
    "text_of",
    "text_token",
    "token_of",
    "workbook",
]
