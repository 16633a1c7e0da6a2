"""Makes what version 0.1.0 leaves behind: a journal, sheets and reports, for later versions to go on with.

This was run once, with the code of version 0.1.0, by `PYTHONPATH=.:tests python tests/released/make.py`, and what it
wrote is committed in `tests/released/0.1.0`. Do not run it with a later version: its files would then show what that
version does. A later release gets a folder of its own.

Every command is carried out by the program itself, in a process of its own. Only two things are done behind its back:
a journal is made an hour older, so that doubtful rows can be asked for and leases are over without waiting; and one
process is killed while two of its rows are being sent.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pandas as pd
import requests
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet
from promise_support import wait_until
from released_support import OPERATION, RELEASED, SERVER, Served, served

from importer.journal import program_name
from importer.sandbox import SandboxConfig

VERSION = "0.1.0"
OUT = RELEASED / VERSION
CONTACTS = ("ana@example.com", "luis@example.com", "marta@example.com")
PROGRAM = "import platform; platform.node = lambda: 'office'; from importer.cli import main; main()"
AN_HOUR = 3600
MOMENTS = {
    "imports": ["created_at"],
    "runs": ["started_at", "ended_at"],
    "rows": ["sent_at"],
    "attempts": ["started_at", "lease_until", "ended_at"],
    "reports": ["written_at"],
}

FIELDS = """\
target: {{server: crm0001.wolkvox.com, operation: demo}}
fields:
  case-type: {case_type}
  responsible: ADMIN_@demo
  owner: {owner}
  contact: {{column: Correo, type: email}}
  description: {description}
  status: {status}
  priority: {priority}
"""


def fields(
    description: str,
    case_type: str = "Request",
    owner: str = "ADMIN_@demo",
    status: str = "Abierto",
    priority: str = "Media",
) -> str:
    """Return a mapping's target and fields."""
    return FIELDS.format(description=description, case_type=case_type, owner=owner, status=status, priority=priority)


@dataclass(frozen=True)
class Import:
    """An import: its name, which is its folder's too, the file of its source, and its mapping."""

    name: str
    file: str
    mapping: str

    @property
    def source(self) -> str:
        """The source, relative to the folder of the release."""
        return f"{self.name}/{self.file}"

    @property
    def report(self) -> str:
        """Where its report goes."""
        return f"{self.name}/{Path(self.file).stem}.report.xlsx"


TICKETS = Import(
    "tickets",
    "tickets.csv",
    """\
version: 1
import: tickets
source:
  key: Ticket
  skip_if: {Estado: Borrador}
"""
    + fields(
        '{template: "{Asunto}\\n\\n{Detalle}"}',
        case_type="{column: Tipo, values: {Petición: Request, Queja: Complaints}}",
        status="{column: Estado, allowed: [Abierto, Cerrado], closed: [Cerrado]}",
        priority="{column: Prioridad, default: Media, allowed: [Alta, Media, Baja]}",
    )
    + """\
  solution: {column: Solución}
form:
  Valor: {column: Valor, type: decimal, decimal_sign: ","}
reference: description
""",
)
CASES = Import(
    "casos",
    "casos.xlsx",
    """\
version: 1
import: casos
source:
  sheet: Casos
  header_row: 3
  key: [Sede, Número]
  merged: fill
"""
    + fields('{template: "{Sede} {Número}: {Nota}"}')
    + """\
form:
  Marca: {column: Nota}
  Abierto: {column: Abierto, type: date}
  Cierre: {column: Cierre, type: datetime}
  Avance: {column: Avance}
  Cantidad: {column: Cantidad, type: integer}
attachments: {folder: adjuntos, columns: Adjuntos, separator: ";"}
reference: form.Marca
""",
)
NOTES = Import(
    "notas",
    "notas.csv",
    """\
version: 1
import: notas
source:
  key: content
"""
    + fields("{column: Nota}")
    + "reference: description\n",
)
FOLLOW_UPS = Import(
    "seguimientos",
    "seguimientos.csv",
    """\
version: 1
import: seguimientos
source:
  key: Solicitud
  group: Solicitud
"""
    + fields("{column: Asunto}")
    + """\
form:
  Seguimientos: {template: "{Fecha:DD/MM/YYYY}: {Nota}", join: "\\n"}
reference: description
""",
)
EVENTS = Import(
    "eventos",
    "eventos.csv",
    """\
version: 1
import: eventos
source:
  key: Evento
  keep: last
  encoding: cp1252
  delimiter: ";"
"""
    + fields(
        "{column: Texto}",
        owner="{column: Agente, lookup: {file: agentes.csv, key: Nombre, value: Correo wolkvox}}",
        status='{column: Estado, values: {En trámite: Abierto, Terminado: Abierto, "*": Abierto}}',
        priority="{column: Prioridad, values: {Crítica: Alta, Normal: Media}, default: Media}",
    )
    + """\
form:
  Fecha: {column: Fecha, type: date, read: DD/MM/YYYY, format: DD-MM-YYYY}
  Monto: {column: Monto, type: currency, decimal_sign: ","}
reference: description
""",
)
IN_FLIGHT = Import(
    "en-camino",
    "tickets.csv",
    """\
version: 1
import: en-camino
source:
  key: Caso
"""
    + fields("{column: Detalle}")
    + "reference: description\n",
)

# No-break spaces inside a key and around it, an accent in two characters, zeros in front and behind, and texts that a
# spreadsheet program would take for something else.
TICKET_ROWS = """\
Ticket;Tipo;Correo;Asunto;Detalle;Estado;Solución;Prioridad;Valor
00123;Petición;ana@example.com;Factura;No llegó la factura de marzo;Abierto;;Alta;1.234,50
4.0;Queja;luis@example.com;=SUMA(1,1);"Dice ""nunca""; y en otra
línea, más";Cerrado;Se llamó al cliente;;0,10
A\u00a07;Petición;ana@example.com;Espacio\u00a0duro;Precio:\u00a05\u00a0€;Abierto;;Baja;007
 B-8\u00a0;Petición;marta@example.com;\u00a0Bordes\u00a0;Alrededor;Abierto;;;
N\u0303andu\u0301-9;Queja;luis@example.com;Ñandú;Acentos en dos piezas;Abierto;;Media;-3
1E5;Petición;ana@example.com;Número escrito;+57 300 000 0000;Abierto;;;12
2026-01-31;Petición;ana@example.com;Fecha como clave;31/01/2026;Abierto;;;
00131;Petición;nadie@example.com;Rechazado;El contacto no existe;Abierto;;;1
132;Petición;sin arroba;Inválido;El correo no lo es;Abierto;;;1
133;Petición;ana@example.com;Borrador;Todavía no;Borrador;;;1
134;Petición;luis@example.com;Dudoso;Se perdió la respuesta;Abierto;;;1
135;Petición;marta@example.com;Dos veces;Hay dos casos;Abierto;;;1
136;Petición;ana@example.com;Editado;{edited};Abierto;;;1
"""
UNKNOWN, DOUBLED = 9, 10
"""The insert requests whose answers are lost: without a case, and with one that is then made once more."""

NOTE_ROWS = """\
Correo,Nota,Cantidad
ana@example.com,Igual,1
ana@example.com,Igual,1
luis@example.com,=1+1 ¿o no?,2.0
luis@example.com,=1+1 ¿o no?,2
marta@example.com,"Con coma, y acentos: áéí",003
nada,Sin correo,4
ana@example.com,Igual,1.0
"""
FOLLOW_UP_ROWS = """\
Solicitud,Correo,Asunto,Fecha,Nota
S-1,ana@example.com,Router,2026-01-13,abierta
S-1,ana@example.com,Router,2026-01-14,visita
S-2,luis@example.com,Cobro,2026-02-01,única
S-3,marta@example.com,Línea,2026-02-02,abierta
S-1,ana@example.com,Router,2026-01-20,cerrada
S-3,marta@example.com,Línea,,sin fecha
"""
EVENT_ROWS = """\
Evento;Correo;Agente;Estado;Prioridad;Fecha;Monto;Texto
E-1;ana@example.com;Pérez, Ana;En trámite;Crítica;03/04/2026;$ 1.234,50;primero
E-2;luis@example.com;Gómez, Luis;Terminado;;13/04/2026;10;solo
E-1;ana@example.com;Pérez, Ana;terminado;Crítica;04/04/2026;$ 1.234,50;segundo
E 3;marta@example.com;Gómez, Luis;Otro;Normal;05/04/2026;;viejo
E\u00a03;marta@example.com;Gómez, Luis;Otro;Normal;06/04/2026;0,99;nuevo
E-4;marta@example.com;Nadie;Otro;Normal;06/04/2026;1;agente desconocido
"""
AGENTS = 'Nombre,Correo wolkvox\n"Pérez, Ana",ANA_@demo\n"Gómez, Luis",LUIS_@demo\n'
IN_FLIGHT_ROWS = """\
Caso,Correo,Detalle
C-1,ana@example.com,creado
C-2,luis@example.com,en camino y nadie espera
C-3,marta@example.com,en camino
"""

WHEN = datetime.fromisoformat
CASE_ROWS: list[tuple[object, ...]] = [
    ("Bogotá", (15, '"HD-"0'), "ana@example.com", date(2026, 4, 3), WHEN("2026-04-03 15:05"), 0.125, 1234567, "dos", "a.txt; b.txt"),  # noqa: E501
    (None, (16, '"HD-"0'), "ana@example.com", date(2026, 4, 13), None, 1, 12, "combinada", "a.txt"),
    ("Cali", (1234, "#,##0"), "luis@example.com", date(2025, 12, 31), WHEN("2026-01-01 00:00"), 0, 0, "miles", None),
    ("Cali", (7, "0000"), "luis@example.com", None, None, 0.5, 1, "oculta", None),
    ("Cali", (8, "0000"), "luis@example.com", date(2026, 2, 28), WHEN("2026-02-28 23:59:59"), 0.333, -5, "ceros", None),
    ("Medellín", "0099", "marta@example.com", date(2026, 2, 1), None, 0.005, 3, "texto", "sub/c.txt"),
    ("Medellín", 12.5, "marta@example.com", date(2026, 2, 2), None, None, None, "decimal", None),
    ("Medellín", 100, "marta@example.com", date(2026, 2, 2), None, 2, 3, "falta un archivo", "no-existe.txt"),
]  # fmt: skip
FORMATS = {4: "dd/mm/yyyy", 5: "dd/mm/yyyy hh:mm", 6: "0.0%", 7: "#,##0"}
HIDDEN = 7


def main() -> None:
    """Make the folder of the release, unless it is there or the program is another one."""
    if program_name() != f"case-importer {VERSION}" or OUT.exists():
        sys.exit(f"{OUT} is of {VERSION} and is made once; this is {program_name()}.")
    with tempfile.TemporaryDirectory() as elsewhere, tempfile.TemporaryDirectory() as work:
        os.chdir(work)  # so that nothing names a folder of this machine
        with served(Path(elsewhere), SandboxConfig(contacts=CONTACTS)) as crm:
            office = Office(crm)
            expected = {
                "imports": dict(office.imports()),
                "in_flight": office.in_flight(),
            }
        assert not [*Path(work).glob("*-wal"), *Path(work).glob("*-shm")], "a journal is not closed"
        Path("expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n", "utf-8")
        OUT.mkdir()
        shutil.copytree(work, OUT, dirs_exist_ok=True, copy_function=shutil.copyfile)


class Office:
    """The working folder, and the command line in it."""

    def __init__(self, crm: Served) -> None:
        self._crm = crm

    def imports(self) -> Iterable[tuple[str, dict[str, object]]]:
        """Carry out every import and yield what became of it."""
        yield self._tickets()
        yield self._cases()
        yield self._notes()
        yield self._follow_ups()
        yield self._events()

    def _tickets(self) -> tuple[str, dict[str, object]]:
        sheet = Path(TICKETS.source)
        self._prepare(TICKETS, TICKET_ROWS.replace("{edited}", "como era").replace("\n", "\r\n").encode("utf-8-sig"))
        self._crm.sandbox.inject(f"closed-without-creating:nth={UNKNOWN}", f"closed-after-creating:nth={DOUBLED}")
        self._run(TICKETS, "--first-run", status=4)
        self._crm.sandbox.inject()
        self._send_once_more()
        _age(Path("journal.db"))
        edited = TICKET_ROWS.replace("{edited}", "editado después").replace("\n", "\r\n")
        sheet.write_bytes(edited.encode("utf-8-sig"))
        return self._finish(TICKETS, 4, TICKETS.report)

    def _send_once_more(self) -> None:
        """Make a case again behind the importer's back, so that its reference is there twice."""
        case = next(each for each in self._crm.sandbox.store.cases if "Dos veces" in each.body["description"])
        body = {**case.body, "attachments": []}
        where = f"{self._crm.sandbox.url}/server/API/v2/cases/insertAttach.php"
        requests.post(where, json=body, headers={"Wolkvox-Token": "any"}, timeout=10).raise_for_status()

    def _cases(self) -> tuple[str, dict[str, object]]:
        self._prepare(CASES)
        for name in ("a.txt", "b.txt", "sub/c.txt"):
            file = Path("casos/adjuntos", name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(f"adjunto {name}\n".encode())
        _save_cases(Path(CASES.source))
        self._run(CASES, "--first-run", "--write-back", status=1)
        name, facts = self._finish(CASES, 1, CASES.report)
        backup = next(Path("casos").glob("*.backup-*.xlsx"))
        return name, {**facts, "backup": backup.as_posix()}

    def _notes(self) -> tuple[str, dict[str, object]]:
        self._prepare(NOTES, NOTE_ROWS.encode())
        self._run(NOTES, "--first-run", status=1)
        csv = "notas/notas.report.csv"
        self._call(NOTES, "report", "--report", csv, status=1)
        return self._finish(NOTES, 1, NOTES.report, csv)

    def _follow_ups(self) -> tuple[str, dict[str, object]]:
        self._prepare(FOLLOW_UPS, FOLLOW_UP_ROWS.encode())
        self._run(FOLLOW_UPS, "--first-run", "--html", status=0)
        return self._finish(FOLLOW_UPS, 0, FOLLOW_UPS.report)

    def _events(self) -> tuple[str, dict[str, object]]:
        self._prepare(EVENTS, EVENT_ROWS.replace("\n", "\r\n").encode("cp1252"))
        Path("eventos/agentes.csv").write_bytes(AGENTS.encode())
        self._run(EVENTS, "--first-run", status=1)
        return self._finish(EVENTS, 1, EVENTS.report)

    def in_flight(self) -> dict[str, object]:
        """Kill a run while two of its rows are being sent, in a journal of its own."""
        self._prepare(IN_FLIGHT, IN_FLIGHT_ROWS.encode())
        journal = Path("journal-sending.db")
        self._run(IN_FLIGHT, "--first-run", "--limit", "1", status=3, journal=journal)
        posts = self._crm.sandbox.posts
        self._crm.sandbox.inject("timeout-without-creating:wait=3600")
        words = self._words(IN_FLIGHT, "run", "--yes", "--concurrency", "2", journal=journal)
        process = subprocess.Popen(words, env=_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: self._crm.sandbox.posts == posts + 2)
        process.send_signal(signal.SIGKILL)
        process.wait()
        self._crm.sandbox.inject()
        _age(journal)
        rows = _kept(journal, IN_FLIGHT.name)
        states = [row["state"] for row in rows]
        assert states == ["created", "sending", "sending"], states
        return {
            "name": IN_FLIGHT.name,
            "journal": journal.name,
            "mapping": f"{IN_FLIGHT.name}/mapping.yml",
            "source": IN_FLIGHT.source,
            "rows": rows,
        }

    def _prepare(self, which: Import, content: bytes | None = None) -> None:
        folder = Path(which.name)
        folder.mkdir()
        (folder / "mapping.yml").write_bytes(which.mapping.encode())
        if content is not None:
            Path(which.source).write_bytes(content)

    def _finish(self, which: Import, status: int, *reports: str) -> tuple[str, dict[str, object]]:
        """Run the import once more, as it is; return what the journal has of it by then."""
        self._run(which, status=status)
        sheet = pd.read_excel(which.report, sheet_name="Report", engine="openpyxl", dtype=str, keep_default_na=False)
        numbers = {line["reference"]: int(line["row"]) for line in sheet.to_dict("records")}
        rows = [{"row": numbers[str(row["reference"])], **row} for row in _kept(Path("journal.db"), which.name)]
        return which.name, {
            "mapping": f"{which.name}/mapping.yml",
            "source": which.source,
            "reports": {report: self._changed_when_given_back(which, report, status) for report in reports},
            "exit_status": status,
            "rows": rows,
        }

    def _changed_when_given_back(self, which: Import, report: str, status: int) -> list[str]:
        """Give a report back in a copy of the journal; return the references of the rows that count as changed then."""
        copy = shutil.copyfile("journal.db", "copy.db")
        where = ("--report", f"{which.name}/again.xlsx")
        given = Import(which.name, Path(report).name, which.mapping)
        posts = self._crm.sandbox.posts
        process = subprocess.run(
            self._words(given, "run", "--yes", *where, journal=Path(copy)), env=_environment(), check=False
        )
        assert (process.returncode in {status, 1}, self._crm.sandbox.posts) == (True, posts)
        changed = [str(row["reference"]) for row in _kept(Path(copy), which.name) if row["changed"]]
        for file in (*Path().glob("copy.db*"), Path(where[1])):
            file.unlink()
        return changed

    def _run(self, which: Import, *more: str, status: int, journal: Path = Path("journal.db")) -> None:
        self._call(which, "run", "--yes", "--concurrency", "1", *more, status=status, journal=journal)

    def _call(self, which: Import, *words: str, status: int, journal: Path = Path("journal.db")) -> None:
        process = subprocess.run(
            self._words(which, *words, journal=journal), env=_environment(), capture_output=True, text=True, check=False
        )
        print(which.name, *words, process.stdout, process.stderr)  # noqa: T201 - somebody is watching
        assert process.returncode == status, process.returncode

    def _words(self, which: Import, command: str, *more: str, journal: Path) -> Sequence[str]:
        mapping = f"{which.name}/mapping.yml"
        where = ("--journal", str(journal), *self._crm.connection)
        if command == "report":
            where = ("--journal", str(journal), "--server", SERVER, "--operation", OPERATION)
        return [sys.executable, "-c", PROGRAM, command, which.source, "-m", mapping, *where, *more]


def _environment() -> dict[str, str]:
    here = {"WOLKVOX_TOKEN": "any", "LOGNAME": "ana", "USER": "ana", "TZ": "America/Bogota"}
    root = str(Path(__file__).parents[2])
    return {**os.environ, **here, "PYTHONPATH": root}


def _kept(journal: Path, name: str) -> list[dict[str, object]]:
    """Return every row of an import as the journal has it."""
    question = (
        "SELECT reference, state, changed, wolkvox_id, id_prefijo FROM rows JOIN imports ON imports.id = import_id"
        " WHERE name = ? ORDER BY rows.id"
    )
    with closing(sqlite3.connect(journal)) as database:
        found = database.execute(question, (name,)).fetchall()
    return [
        {"reference": reference, "state": state, "changed": bool(changed), "wolkvox_id": case, "idPrefijo": prefijo}
        for reference, state, changed, case, prefijo in found
    ]


def _age(journal: Path) -> None:
    """Make everything in a journal an hour older."""
    with closing(sqlite3.connect(journal)) as database, database:
        for table, columns in MOMENTS.items():
            for column in columns:
                database.execute(f"UPDATE {table} SET {column} = {column} - {AN_HOUR}")  # noqa: S608 - our own names


def _save_cases(path: Path) -> None:
    """Save a workbook with what people put into one: a title, a merged cell, a hidden row, formats, another sheet."""
    workbook = Workbook()
    sheet = workbook.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "Casos"
    sheet["A1"] = "Casos de la mesa de ayuda"
    header = ("Sede", "Número", "Correo", "Abierto", "Cierre", "Avance", "Cantidad", "Nota", "Adjuntos", "Sin uso")
    for column, name in enumerate(header, 1):
        sheet.cell(3, column, name)
    for number, values in enumerate(CASE_ROWS, 4):
        for column, value in enumerate(values, 1):
            shown, code = value if isinstance(value, tuple) else (value, FORMATS.get(column))
            cell = sheet.cell(number, column, shown)
            if code is not None:
                cell.number_format = code
    sheet.merge_cells("A4:A5")
    sheet.row_dimensions[HIDDEN].hidden = True
    workbook.create_sheet("Otra")["B2"] = "queda"
    workbook.save(path)


if __name__ == "__main__":
    main()
