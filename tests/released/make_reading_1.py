"""Makes what the last program with version 1 of the reading leaves behind: a journal, sheets and reports.

This was run once, with the code of commit 306b94e, by `PYTHONPATH=.:tests python tests/released/make_reading_1.py`, and
what it wrote is committed in `tests/released/reading-1`. Do not run it with later code. The sheets hold what a later
reading takes otherwise: formats with text in them, invisible characters in headers and keys, and signs of cp1252.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

import make
from make import CONTACTS, Import, Office, fields
from openpyxl import Workbook
from released_support import RELEASED, served

from importer.sandbox import SandboxConfig

OUT = RELEASED / "reading-1"

FILED = Import(
    "radicados",
    "radicados.xlsx",
    "version: 1\nimport: radicados\nsource:\n  key: Radicado\n"
    + fields('{template: "{Radicado}: {Nota}"}')
    + "form:\n  Confirmado: {column: Confirmado}\n  Avance: {column: Avance}\n  Fecha: {column: Fecha}\n"
    + "reference: description\n",
)
FILED_ROWS: list[tuple[object, ...]] = [
    ("Radicado", "Correo", "Nota", "Confirmado", "Avance", "Fecha"),
    ((12, '"PQR-"0'), "ana@example.com", "con letras", (1, '"Sí";;"No"'), (0.5, "0.0%"), (date(2026, 4, 3), "dd/mm/yyyy")),  # noqa: E501
    ((13, '"PQR-"0'), "luis@example.com", "con letras", (0, '"Sí";;"No"'), (3, '0" kg"'), (date(2026, 4, 4), "yyyy-mm-dd")),  # noqa: E501
    ((7, "0000"), "marta@example.com", "con ceros", (1, "0"), (2, '[=2]"dos";0'), None),
    ((9, '0" / 2026"'), "ana@example.com", "letras detrás", (-1, '"Sí";"Nada";"No"'), (1, "General"), None),
    ("T-9", "ana@example.com", "texto", "Sí", "no", None),
    ((2024, "General"), "ana@example.com", "sin formato", None, None, None),
]  # fmt: skip

INVISIBLE = Import(
    "invisibles",
    "invisibles.csv",
    'version: 1\nimport: invisibles\nsource:\n  key: "Tic\\u00adket"\n'
    + fields("{column: Nota}", status='{column: "\\u200eEsta\\u200bdo\\u200f", allowed: [Abierto]}')
    + 'form:\n  Ticket: {column: "Tic\\u00adket"}\nreference: description\n',
)
INVISIBLE_ROWS = """\
Tic\u00adket,Correo,\u200eEsta\u200bdo\u200f,Nota
T1\u200b,ana@example.com,Abierto,ancho cero
T\u00ad2,luis@example.com,Abierto,guion\u00ad opcional
\u200eT3\u200f,marta@example.com,Abierto,dirección\u202a\u202c
T4,ana@example.com,Abierto,\u200bnada raro\u00a0
\ufeffT5,ana@example.com,Abierto,marca de orden\ufeff
A\u202f6,ana@example.com,Abierto,espacio estrecho
B\u00a07,ana@example.com,Abierto,espacio duro
C\u20608,ana@example.com,Abierto,\U0001f468\u200d\U0001f469\u200d\U0001f467
"""

OLD = Import(
    "antiguos",
    "antiguos.csv",
    "version: 1\nimport: antiguos\nsource:\n  key: Caso\n" + fields("{column: Detalle}") + "reference: description\n",
)
OLD_ROWS = """\
Caso;Correo;Detalle
N.º 5 \u2013 a;ana@example.com;Se dijo “nunca más” \u2013 y no volvió…
Ñandú “x”;luis@example.com;Costó £ 5 · ó € 6
C\u20191;marta@example.com;l\u2019été \u2013 œuvre
C-2;ana@example.com;Petición de información
"""

KEYLESS = Import(
    "sin-clave",
    "sin-clave.xlsx",
    "version: 1\nimport: sin-clave\nsource:\n  key: content\n" + fields("{column: Nota}") + "reference: description\n",
)
KEYLESS_ROWS: list[tuple[object, ...]] = [
    ("Número", "Correo", "Nota"),
    ((12, '"PQR-"0'), "ana@example.com", "igual"),
    ((12, '"QR-"0'), "ana@example.com", "igual"),
    ("12", "ana@example.com", "igual"),
    ((1, '"Sí";;"No"'), "ana@example.com", "otro\u200b"),
]


class OfficeOfReading1(Office):
    """Carries out the imports of this folder."""

    def imports(self) -> Iterable[tuple[str, dict[str, object]]]:
        """Carry out every import and yield what became of it."""
        for which in (FILED, INVISIBLE, OLD, KEYLESS):
            self._prepare(which)
            if which is FILED or which is KEYLESS:
                _save(Path(which.source), FILED_ROWS if which is FILED else KEYLESS_ROWS)
            else:
                rows, encoding = (OLD_ROWS, "cp1252") if which is OLD else (INVISIBLE_ROWS, "utf-8")
                Path(which.source).write_bytes(rows.encode(encoding))
            self._run(which, "--first-run", status=0)
            csv = f"{which.name}/{which.name}.report.csv"
            self._call(which, "report", "--report", csv, status=0)
            yield self._finish(which, 0, which.report, csv)

    def _changed_when_given_back(self, which: Import, report: str, status: int) -> list[str]:
        """Give a report back; return the references of the rows that count as changed then. The sheet follows again."""
        again = f"{which.name}/again.xlsx"
        given = Import(which.name, Path(report).name, which.mapping)
        posts = self._crm.sandbox.posts
        words = self._words(given, "run", "--yes", "--report", again, journal=Path("journal.db"))
        process = subprocess.run(words, env=make._environment(), check=False)
        assert (process.returncode in {status, 1}, self._crm.sandbox.posts) == (True, posts)
        changed = [str(row["reference"]) for row in make._kept(Path("journal.db"), which.name) if row["changed"]]
        Path(again).unlink()
        self._run(which, status=status)
        return changed


def _save(path: Path, rows: Sequence[Sequence[object]]) -> None:
    """Save a workbook whose cells are values, or values with a number format."""
    workbook = Workbook()
    sheet = workbook.worksheets[0]
    for row, cells in enumerate(rows, 1):
        for column, content in enumerate(cells, 1):
            cell = sheet.cell(row, column)
            if isinstance(content, tuple):
                cell.value, cell.number_format = content
            else:
                cell.value = content
    workbook.save(path)


def main() -> None:
    """Make the folder, unless it is there."""
    if OUT.exists():
        sys.exit(f"{OUT} is made once.")
    make.PROGRAM = make.PROGRAM.replace("importer.cli import", "importer.cli.main import")
    with tempfile.TemporaryDirectory() as elsewhere, tempfile.TemporaryDirectory() as work:
        os.chdir(work)  # so that nothing names a folder of this machine
        with served(Path(elsewhere), SandboxConfig(contacts=CONTACTS)) as crm:
            expected = {"imports": dict(OfficeOfReading1(crm).imports())}
        Path("expected.json").write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n", "utf-8")
        OUT.mkdir()
        shutil.copytree(work, OUT, dirs_exist_ok=True, copy_function=shutil.copyfile)


if __name__ == "__main__":
    main()
