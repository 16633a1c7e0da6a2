"""Import and use the importer in a process that has lost what Windows lacks; `test_windows.py` runs this.

    python win32_child.py FOLDER

Libraries are loaded before, here or by the process that forked this one, as they have a side of their own for Windows.
Then `sys.platform` says `win32`, the modules and calls of Unix are gone, every module of the importer is imported
again, and an office's morning is gone through in FOLDER: check, run, again, a workbook, corrections, a backup. It
prints the exit status of each command as JSON.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import os
import pkgutil
import signal
import sys
import time
import types
from pathlib import Path

LOST_MODULES = ("fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty")
LOST_CALLS = {
    os: ("fork", "getuid", "geteuid", "getgid", "setsid", "killpg", "chown", "fchmod", "mkfifo", "uname", "nice",
         "O_NOFOLLOW", "O_DIRECTORY", "O_NONBLOCK", "O_CLOEXEC", "O_PATH"),
    signal: ("SIGHUP", "SIGALRM", "SIGUSR1", "SIGCHLD", "alarm", "pthread_sigmask", "setitimer"),
    time: ("tzset",),
}  # fmt: skip
MAPPING = """\
version: 1
import: mañana
source: {key: Radicado}
fields:
  case-type: Request
  responsible: ADMIN_@demo
  owner: ADMIN_@demo
  contact: {column: Correo, type: email}
  description: {column: Asunto}
  status: {column: Estado, closed: [Cerrado]}
  priority: Media
reference: description
"""
SHEET = "Radicado;Correo;Asunto;Estado\nPQR-1;ana@correo.example;Módem;Abierto\nPQR-2;luis;Cobro;Abierto\n"


def main() -> None:
    """Load everything, lose what Windows lacks, load the importer again, and use it."""
    folder = Path(sys.argv[1])
    load_all()
    for name in [name for name in sys.modules if name.partition(".")[0] == "importer"]:
        del sys.modules[name]
    become_windows()
    load_all()
    sys.stdout.write(json.dumps(morning(folder)))


def load_all() -> None:
    """Import every module of the importer, and so all libraries."""
    package = importlib.import_module("importer")
    for module in pkgutil.walk_packages(package.__path__, "importer."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


def become_windows() -> None:
    """Lose what Windows lacks, and get a stand-in for what it has instead."""
    sys.platform = "win32"
    for name in LOST_MODULES:
        sys.modules[name] = None  # type: ignore[assignment]
    for module, names in LOST_CALLS.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    os.supports_dir_fd = set()
    locks = types.ModuleType("msvcrt")
    locks.LK_NBLCK, locks.locking = 2, lambda *_arguments: None  # type: ignore[attr-defined]
    sys.modules["msvcrt"] = locks
    sys.modules["winreg"] = None  # type: ignore[assignment]  # a computer whose registry says nothing


def morning(folder: Path) -> dict[str, int]:
    """Carry out the commands of a morning; return the exit status of each."""
    execute = importlib.import_module("importer.cli.main").execute
    sandbox = importlib.import_module("importer.sandbox")
    corrections = importlib.import_module("importer.workflow.corrections")
    os.chdir(folder)
    Path("hoja.csv").write_bytes(SHEET.replace("\n", "\r\n").encode("cp1252"))
    Path("mapa.yml").write_bytes(b"\xef\xbb\xbf" + MAPPING.replace("\n", "\r\n").encode())
    found: dict[str, int] = {}

    def give(name: str, *words: str) -> None:
        with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(out):
            found[name] = execute(list(words))
        if "Traceback" in out.getvalue() or found[name] == 70:
            sys.stderr.write(out.getvalue())

    with sandbox.RunningSandbox() as crm:
        target = ("--server", crm.url, "--operation", "demo", "--journal", "registro.db")
        give("check", "check", "hoja.csv", "-m", "mapa.yml", "--journal", "registro.db")
        give("run", "run", "hoja.csv", "-m", "mapa.yml", *target, "--yes")
        corrected = corrections.Correction("", "PQR-2", "Correo", "luis", "luis@correo.example")
        corrections.add_corrections(Path("hoja.csv"), [corrected])
        give("corrected", "run", "hoja.csv", "-m", "mapa.yml", *target, "--yes")
        give("report", "check", "hoja.report.xlsx", "-m", "mapa.yml", "--journal", "registro.db")
        give("backup", "journal", "backup", "--journal", "registro.db")
        found["cases"] = len(crm.store.cases)
    return found


if __name__ == "__main__":
    main()
