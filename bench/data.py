"""Generated tables of tickets, the same for the same number of rows.

Run as `python -m bench.data FILE ROWS [BYTES [FAULTY]]`. With BYTES, each row names one attachment of that size in the
folder `adjuntos` beside the table. The first FAULTY rows that are open say so with a spelling mistake.
"""

from __future__ import annotations

import csv
import random
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from openpyxl import Workbook

COLUMNS = (
    "Ticket", "Tipo", "Asunto", "Descripción", "Estado", "Prioridad", "Correo", "Agente", "Apertura", "Canal", "Horas",
    "Solución",
)  # fmt: skip
WORDS = (
    "factura", "pedido", "entrega", "cliente", "servicio", "internet", "línea", "cobro", "plan", "contrato", "visita",
    "técnico", "equipo", "demora", "reembolso", "acceso", "clave", "correo", "solicitud", "cambio", "dirección",
)  # fmt: skip
AGENTS = ("ana@bench", "luis@bench", "sofía@bench")
HUGE = 1_000_000_000


def tickets(rows: int) -> Iterator[tuple[str | int | date, ...]]:
    """Yield rows in the order of COLUMNS; a third is closed and has its solution."""
    chance = random.Random(20261123)  # noqa: S311 - the same table every time, no secret
    for number in range(1, rows + 1):
        closed = chance.random() < 1 / 3
        yield (
            f"T-{number:07d}",
            chance.choice(("Petición", "Queja", "Reclamo", "Sugerencia")),
            _text(chance, 5),
            _text(chance, 25),
            "Cerrado" if closed else "Abierto",
            chance.choice(("Alta", "Media", "Baja")),
            f"cliente{chance.randrange(5000)}@example.com",
            chance.choice(AGENTS),
            date(2024, 1, 1) + timedelta(days=chance.randrange(700)),
            chance.choice(("Teléfono", "Correo", "Chat")),
            chance.randrange(1, 200),
            _text(chance, 10) if closed else "",
        )


def _text(chance: random.Random, words: int) -> str:
    return " ".join(chance.choices(WORDS, k=words)).capitalize()


def misspelt(lines: Iterator[tuple[str | int | date, ...]], faulty: int) -> Iterator[tuple[str | int | date, ...]]:
    """Yield rows, of which the first open ones say `Abirto`."""
    for line in lines:
        is_faulty = faulty > 0 and line[4] == "Abierto"
        faulty -= is_faulty
        yield (*line[:4], "Abirto", *line[5:]) if is_faulty else line


def write_table(file: Path, rows: int, attachment_bytes: int | None = None, faulty: int = 0) -> None:
    """Write a table of `rows` tickets as XLSX or CSV, by the file's ending, and its attachments."""
    columns: tuple[str, ...] = COLUMNS
    lines: Iterator[tuple[str | int | date, ...]] = misspelt(tickets(rows), faulty)
    if attachment_bytes:
        columns = (*columns, "Adjunto")
        lines = ((*line, _attachment(file.parent, str(line[0]), attachment_bytes)) for line in lines)
    if file.suffix == ".csv":
        with file.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([columns])
            csv.writer(stream).writerows(lines)
        return
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Tickets")
    sheet.append(columns)
    for line in lines:
        sheet.append(line)
    book.save(file)


def _attachment(folder: Path, name: str, size: int) -> str:
    path = folder / "adjuntos" / f"{name}.bin"
    path.parent.mkdir(exist_ok=True)
    with path.open("wb") as stream:
        if size < HUGE:
            stream.write(random.Random(name).randbytes(size))  # noqa: S311 - as above
        else:
            stream.truncate(size)  # a sparse file takes no disk space and reads like any other
    return path.name


if __name__ == "__main__":
    write_table(Path(sys.argv[1]), *map(int, sys.argv[2:]))
