# ruff: noqa: INP001 -- a script, not a package
"""Make the samples: `python sample_data/make.py [FOLDER]`; the same files every time.

Most rows are right. `FAULTS` lists those that are wrong on purpose, with one kind of fault each;
`tests/test_samples.py` tests that `check` finds these and nothing else.
"""

from __future__ import annotations

import csv
import io
import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random

from files import docx, pdf, png, saved, write, xlsx
from openpyxl import Workbook
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet
from stories import AGENTS, CHANNELS, CUSTOMERS, NAMESAKES, STORIES

TICKETS, SEED = 62, 20240701
HEADERS = {  # with the widths of their columns
    "Ticket": 11, "Fecha apertura": 14, "Tipo": 12, "Asunto": 36, "Descripción": 52, "Cliente": 26,
    "Correo cliente": 34, "Documento": 13, "Canal": 11, "Agente": 17, "Estado": 12, "Prioridad": 11,
    "Valor reclamado": 16, "Solución": 44, "Fecha cierre": 13, "Adjunto 1": 30, "Adjunto 2": 30,
}  # fmt: skip
DATES = ("Fecha apertura", "Fecha cierre")
WRAPPED = ("Asunto", "Descripción", "Solución")
BLANK_ROW = 24  # left blank, as people do
HIDDEN_TICKET = 45  # a test case, hidden
LONG = (
    "Solicita revisar todos los cobros de los últimos doce meses, el traslado, la reconexión y además el cambio de plan"
)

# number of the ticket -> wrong cells
FAULTS: Mapping[int, Mapping[str, object]] = {
    4: {"Correo cliente": ""},
    7: {"Estado": "En curso"},
    9: {"Correo cliente": "jorge.pena(arroba)correo.example"},
    11: {"Estado": "Cerrado", "Solución": "", "Fecha cierre": ""},
    13: {"Ticket": "HD-00111"},  # the same as the one before
    15: {"Ticket": ""},
    18: {"Asunto": LONG},
    20: {"Fecha apertura": "31/02/2024"},
    22: {"Adjunto 1": "facturas/factura_1187.pdf"},
    25: {"Adjunto 1": r"..\Nomina\sueldos.xlsx"},
    27: {"Adjunto 2": "actas/acta_vacia.txt"},
    29: {"Agente": "Roberto Díaz"},
    31: {"Agente": "Carlos Ruiz"},
    33: {"Correo cliente": "gerencia@desconocido.example"},
    35: {"Tipo": "Consulta"},
    36: {"Prioridad": "Urgentísima"},
    38: {"Adjunto 1": "fotos"},
    40: {"Adjunto 1": "https://nube.example/facturas/1190.pdf"},
    42: {"Adjunto 1": "fotos/escaneo_pesado.png"},
    44: {"Valor reclamado": "cien mil"},
    47: {"Documento": "CC 52.33"},
    49: {"Adjunto 1": "facturas/factura_1178.pdf", "Adjunto 2": r"Facturas\factura_1178.pdf"},
    51: {"Adjunto 1": r"fotos\aux.png"},
    53: {"Canal": "Fax"},
    55: {"Estado": "En curso"},
    57: {"Prioridad": "#N/A"},
    59: {"Asunto": "", "Descripción": ""},
    61: {"Adjunto 1": r"C:\Soporte\foto.png"},
}
# number of the ticket -> its files
ATTACHED: Mapping[int, tuple[str, str]] = {
    1: ("facturas/factura_1178.pdf; fotos/modem.png", "notas/llamada.txt"),
    2: ("actas/acta_entrega.docx", ""),
    5: ("facturas/estado_de_cuenta.xlsx", ""),
    8: (r"fotos\fachada.png", "actas/acta_entrega.docx"),
    10: ("facturas/factura_1178.pdf", ""),
    16: ("notas/llamada.txt; notas/petición firmada.pdf", ""),
    27: ("notas/llamada.txt", ""),
    39: ("notas/petición firmada.pdf", "fotos/modem.png"),
    48: ("facturas/estado_de_cuenta.xlsx", "facturas/factura_1178.pdf"),
    58: ("fotos/fachada.png", ""),
}


def attachments() -> dict[str, bytes]:
    """Return the files under `adjuntos`, by their names."""
    statement = [
        ("Mes", "Cargo", "Pago"),
        ("Abril", 89_900, 89_900),
        ("Mayo", 89_900, 89_900),
        ("Junio", 179_800, 89_900),
    ]
    return {
        "facturas/factura_1178.pdf": pdf(["Factura 1178", "Período: junio de 2024", "Total: $ 179.800"]),
        "facturas/estado_de_cuenta.xlsx": xlsx(statement),
        "actas/acta_entrega.docx": docx(
            ["Acta de entrega de equipos", "Decodificador serie 7741-B, recibido en buen estado."]
        ),
        "actas/acta_vacia.txt": b"",
        "fotos/modem.png": png(160, 120, (90, 140, 200)),
        "fotos/fachada.png": png(200, 150, (214, 170, 120)),
        "fotos/escaneo_pesado.png": png(260, 160, (0, 0, 0), Random(SEED)),  # noqa: S311 -- noise
        "notas/llamada.txt": "Llamada del 14/06: el cliente confirma la dirección y el horario.\r\n".encode("cp1252"),
        "notas/petición firmada.pdf": pdf(
            ["Petición", "Solicito el cambio de titular del contrato.", "Firma: ________"]
        ),
    }


def tickets(random: Random) -> list[dict[str, object]]:
    """Return the rows of the old help desk's export, with its faults."""
    rows: list[dict[str, object]] = []
    day = date(2024, 4, 1)
    for number in range(1, TICKETS + 1):
        day += timedelta(days=random.choice((0, 1, 1, 2)))
        kind, subject, description, solution = STORIES[number * 7 % len(STORIES)]
        customer = random.choice(list(CUSTOMERS))
        closed = random.random() < 0.6
        row: dict[str, object] = dict.fromkeys(HEADERS, "")
        row |= {
            "Ticket": f"HD-{99 + number:05}",
            "Fecha apertura": day if number % 6 else f"{day:%d/%m/%Y}",  # some are typed as text
            "Tipo": kind,
            "Asunto": subject,
            "Descripción": description,
            "Cliente": customer,
            "Correo cliente": CUSTOMERS[customer],
            "Documento": f"{random.randrange(10_000_000, 99_999_999)}",
            "Canal": random.choice(CHANNELS),
            "Agente": random.choice(list(AGENTS)),
            "Estado": random.choice(("Cerrado", "Resuelto")) if closed else random.choice(("Abierto", "En trámite")),
            "Prioridad": random.choice(("Alta", "Media", "Baja", "")),
            "Valor reclamado": random.randrange(20, 400) * 1000 if kind == "Reclamo" else "",
            "Solución": solution if closed else "",
            "Fecha cierre": day + timedelta(days=random.randrange(1, 15)) if closed else "",
        }
        row["Adjunto 1"], row["Adjunto 2"] = ATTACHED.get(number, ("", ""))
        rows.append(row | FAULTS.get(number, {}))
    rows[HIDDEN_TICKET - 1] |= {"Asunto": "PRUEBA, no migrar", "Descripción": "Registro de prueba del sistema."}
    return rows


def legacy(rows: Sequence[Mapping[str, object]]) -> bytes:
    """Return the workbook as an office keeps it: a styled sheet of tickets and a sheet of totals."""
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.title = "Tickets"
    sheet.append(list(HEADERS))
    for number, row in enumerate(rows, 1):
        if sheet.max_row + 1 == BLANK_ROW:
            sheet.append([])
        sheet.append([None if value == "" else value for value in row.values()])
        if number == HIDDEN_TICKET:
            sheet.row_dimensions[sheet.max_row].hidden = True
    _style(sheet)
    totals = book.create_sheet("Resumen")
    for line in (("Casos por estado", ""), *sorted(Counter(str(row["Estado"]) for row in rows).items())):
        totals.append(line)
    totals["A1"].font = Font(bold=True, size=13)
    totals.column_dimensions["A"].width = 24
    return saved(book)


def _style(sheet: Worksheet) -> None:
    """Style the sheet of tickets: header, filter, widths, stripes, formats."""
    line = Side(style="thin", color="D0D7E5")
    for cell, (header, width) in zip(sheet[1], HEADERS.items(), strict=True):
        cell.font, cell.fill = Font(bold=True, color="FFFFFF"), PatternFill("solid", fgColor="1F3864")
        cell.alignment = Alignment(vertical="center", wrap_text=True)
        sheet.column_dimensions[cell.column_letter].width = width
        for (below,) in sheet.iter_rows(2, sheet.max_row, cell.column, cell.column):
            below.border = Border(bottom=line)
            sides = "center" if header in DATES else None
            below.alignment = Alignment(horizontal=sides, vertical="top", wrap_text=header in WRAPPED)
            if below.row % 2:
                below.fill = PatternFill("solid", fgColor="F3F6FB")
            if header in DATES:
                below.number_format = "dd/mm/yyyy"
            if header == "Valor reclamado":
                below.number_format = '"$" #,##0'
    for row in range(1, sheet.max_row + 1):
        sheet.row_dimensions[row].height = 30  # two lines
    sheet.freeze_panes = "B2"
    sheet.auto_filter.ref = sheet.dimensions
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)


def weekly(random: Random) -> bytes:
    """Return a week of the back office as a Spanish Excel saves it: semicolons, cp1252, decimal commas."""
    header = (
        "Radicado",
        "Fecha",
        "Clase",
        "Cliente",
        "Correo",
        "Asunto",
        "Detalle",
        "Valor",
        "Estado",
        "Urgencia",
        "Respuesta",
    )
    classes = {"Petición": "P", "Queja": "Q", "Reclamo": "R", "Sugerencia": "S"}
    faults = {12: (1, "30/02/2026"), 23: (8, "Devuelto"), 31: (4, "soniaq@buzon"), 44: (10, "")}
    rows: list[Sequence[str]] = [header]
    for number in range(1, 51):
        kind, subject, description, solution = STORIES[number * 4 % len(STORIES)]
        customer = random.choice(list(CUSTOMERS))
        done = number in faults or random.random() < 0.5
        value = f"{random.randrange(2_000_000, 250_000_000) / 100:,.2f}".translate(str.maketrans(",.", ".,"))
        row = [
            f"{4170 + number:07}",
            f"{date(2026, 11, 9) + timedelta(days=number // 11):%d/%m/%Y}",
            classes[kind],
            customer,
            CUSTOMERS[customer],
            subject,
            f"{description} Registrado por la oficina; “urgente”." if number % 9 == 0 else description,
            value if kind == "Reclamo" else "",
            "Finalizado" if done else "Pendiente",
            random.choice(("1", "2", "3")),
            solution if done else "",
        ]
        if number in faults:
            place, wrong = faults[number]
            row[place] = wrong
        rows.append(row)
    return _csv(rows).encode("cp1252")


def _csv(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, delimiter=";", lineterminator="\r\n").writerows(rows)
    return text.getvalue()


def main(folder: Path) -> None:
    """Write every sample into the folder."""
    random = Random(SEED)  # noqa: S311 -- the samples must be the same every time
    agents = [("Nombre", "Correo wolkvox"), *AGENTS.items(), *NAMESAKES]
    contacts = [("Nombre", "Email"), *CUSTOMERS.items()]
    samples = {
        "legacy_tickets.xlsx": legacy(tickets(random)),
        "weekly_backoffice.csv": weekly(random),
        "agents.csv": _csv(agents).encode("utf-8-sig"),
        "contacts.csv": _csv(contacts).encode("utf-8-sig"),
    }
    write(folder, samples)
    write(folder / "adjuntos", attachments())


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
