"""Rows of another table: `python -m bench.rows [TICKETS [COMMENTS [ONE]]]` prints the seconds and memory of `check`.

The comments become a field and a transcript. With ONE, all of them belong to one ticket, whose field is cut and whose
transcript may be as large as it gets.
"""

from __future__ import annotations

import csv
import os
import random
import sys
import tempfile
from pathlib import Path

from bench.measure import ROOT, measure

_MAPPING = """\
version: 1
import: bench-rows
source: {{key: Ticket}}
fields:
  case-type: Request
  responsible: ADMIN_@bench
  owner: ADMIN_@bench
  contact: {{column: Correo, type: email}}
  description: {{column: Asunto}}
  status: Abierto
  priority: Media
form:
  History: {{template: "{template}", truncate: 2500, rows: {rows}}}
attachments:
  max_size: 1GB
  transcript: {{name: history.txt, template: "{template}", rows: {rows}}}
reference: description
"""


def main() -> None:
    """Write both tables, check them, and print what that took."""
    defaults = ["100000", "1000000", ""]
    words = [*sys.argv[1:], *defaults[len(sys.argv) - 1 :]]
    tickets, comments, of_one = int(words[0]), int(words[1]), bool(words[2])
    scratch = ROOT / "build"
    scratch.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=scratch) as folder:
        os.chdir(folder)
        _write(tickets, comments, of_one=of_one)
        checked = measure([sys.executable, "-m", "importer", "check", "tickets.csv", "-m", "mapping.yml"])
        print(Path("last.log").read_text("utf-8"))  # noqa: T201 - the result
        print(f"{comments:,} rows beside {tickets:,}: {checked.seconds:.0f} s, {checked.peak_mb:.0f} MB")  # noqa: T201
        os.chdir(ROOT)


def _write(tickets: int, comments: int, *, of_one: bool) -> None:
    chance = random.Random(20261127)  # noqa: S311 - the same tables every time, no secret
    rows = "{file: comments.csv, key: ticket, order: day}"
    Path("mapping.yml").write_text(_MAPPING.format(template="{day:DD/MM/YYYY HH:mm} {who}: {text}", rows=rows), "utf-8")
    with Path("tickets.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("Ticket", "Correo", "Asunto"))
        writer.writerows((number, f"c{number}@bench.example", f"Asunto {number}") for number in range(tickets))
    with Path("comments.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("ticket", "day", "who", "text"))
        for number in range(comments):
            when = f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02} {number % 24:02}:{number % 60:02}:00"
            ticket = 7 if of_one else chance.randrange(tickets)
            writer.writerow((ticket, when, f"agent {number % 50}", f"Comment {number}: " + "text " * (number % 30)))


if __name__ == "__main__":
    main()
