"""Reports for tests: every state, typed cells, faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

from importer.model import Cell, Counts, Issue, ReportContent, ReportRow, Status, Summary, Typed

BOGOTA = timezone(timedelta(hours=-5))
SENT = datetime(2026, 11, 23, 14, 30, 5, tzinfo=UTC)
COLUMNS = ("Ticket", "Asunto", "Abierto", "Estado", "Horas")


def always(_digest: str) -> bool:
    """Treat every existing file as unchanged since it was written."""
    return True


def never(_digest: str) -> bool:
    """Treat every existing file as edited."""
    return False


def cells(number: int, subject: str = "No llega la factura", state: str = "Abierto") -> tuple[Cell, ...]:
    """Return the cells of one row in the order of COLUMNS."""
    opened = date(2026, 1, 1) + timedelta(days=number)
    return (
        f"{number:05}",
        subject,
        Typed(opened.strftime("%d/%m/%Y"), opened, "dd/mm/yyyy"),
        state,
        Typed(f"{number}.5", number + 0.5, "0.00"),
    )


def issue(row: int, column: str | None = "Estado", value: str | None = "En curso") -> Issue:
    """Return an issue of a cell."""
    return Issue(
        row,
        column,
        value,
        "not-allowed",
        f"“{value}” is not one of Abierto, Cerrado.",
        "Write one of these, or add a line to values: in the mapping.",
    )


def reference(number: int) -> str:
    """Return the reference of a row."""
    return f"WCI-{number:016}"


def row(number: int, status: Status = Status.CREATED, **more: object) -> ReportRow:
    """Return a row in a state, with what such a row has."""
    sent = status not in {Status.INVALID, Status.SKIPPED, Status.PLANNED}
    values: dict[str, object] = {
        "number": number,
        "cells": cells(number),
        "status": status,
        "sent_at": SENT if sent else None,
        "run": 3 if sent else None,
        "reference": reference(number),
    }
    if status is Status.CREATED:
        values |= {"wolkvox_id": f"64cb{number:020x}", "id_prefijo": f"CAS-{number}"}
    return ReportRow(**(values | more))  # type: ignore[arg-type]


def every_state() -> list[ReportRow]:
    """Return rows in every state, including rows created in this run and in an earlier one."""
    return [
        row(2),
        row(3, run=1, changed=True),
        row(4, run=1),
        row(5, Status.INVALID, cells=cells(5, state="En curso"), issues=(issue(5),)),
        row(
            6,
            Status.INVALID,
            cells=cells(6, "", "En curso"),
            issues=(
                issue(6),
                Issue(6, "Asunto", "", "missing", "The case needs a description.", "Write what the ticket is about."),
                Issue(6, None, None, "too-long", "The row is too long for a case.", "Shorten it."),
            ),
        ),
        row(7, Status.REJECTED, message="The CRM said: owner does not exist. Correct the column Agente."),
        row(8, Status.UNKNOWN, message="No answer came within 60 s after the case was sent."),
        row(9, Status.CONFLICT, message="Two cases carry this reference."),
        row(10, Status.PLANNED),
        row(11, Status.SENDING),
        row(12, Status.SKIPPED, message="The row is hidden in the sheet."),
    ]


def content(rows: Iterable[ReportRow], columns: tuple[str, ...] = COLUMNS, **more: object) -> ReportContent:
    """Return a report of rows, with a summary that counts them; the first column is the key."""
    rows = list(rows)
    states = Counter(each.status.value for each in rows)
    now = sum(each.status is Status.CREATED and each.run == 3 for each in rows)
    counts = Counts(**states, changed=sum(each.changed for each in rows), created_now=now)
    values: dict[str, object] = {
        "import_name": "legacy-tickets",
        "source": Path("legacy_tickets.xlsx"),
        "source_digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "sheet": "Tickets",
        "mapping": Path("mappings/legacy-tickets.yml"),
        "server": "https://crm0001.wolkvox.com",
        "operation": "my_operation",
        "user": "ana",
        "started_at": datetime(2026, 11, 23, 9, 30, tzinfo=BOGOTA),
        "ended_at": datetime(2026, 11, 23, 9, 31, 12, tzinfo=BOGOTA),
        "run": 3,
        "counts": counts,
        "calls": 7,
        "next_step": "Correct the rows marked invalid or rejected in the sheet Report, and import it as the source.",
    }
    return ReportContent(Summary(**(values | more)), columns, rows, key_columns=columns[:1])  # type: ignore[arg-type]
