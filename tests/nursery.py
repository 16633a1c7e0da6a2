"""Commands in processes of their own, without the seconds that each would need to load the program.

A nursery is a process of one thread that has loaded the program and forks another for each command. A test gives it a
command by `Nursery.carry_out`; a shell finds the stand-in for the program under its name in `Nursery.folder`. Where the
system cannot fork (Windows), both start the program itself.

`python nursery.py SOCKET` is that process. It ends when its standard input does.
"""

from __future__ import annotations

import gc
import importlib
import io
import json
import os
import pkgutil
import select
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compiled import compile_once
from stand_in import ask

HERE = Path(__file__).parent
PROGRAM = "importer.__main__"
PATIENCE = 300
"""How many seconds a command may take; one that waits for ever is killed then, with SIGALRM."""
CAN_FORK = hasattr(os, "fork") and hasattr(socket, "send_fds")
ID_FILE = "NURSERY_ID_FILE"
"""The variable with the file into which the process of a command writes its id: signals go to it, not its stand-in."""


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it took."""

    status: int
    """Its exit status, negative for a signal."""
    out: str
    err: str
    seconds: float = 0
    """Of the processor, for the command and its own children."""
    megabytes: int = 0
    """The most memory that the command, or a child of it, had at a time."""

    @property
    def said(self) -> str:
        """All that it printed."""
        return self.out + self.err


@dataclass(frozen=True)
class Nursery:
    """A running nursery."""

    folder: Path
    """In it, `case-importer` is the stand-in; where there is none, this is the folder of the program itself."""

    @property
    def words(self) -> list[str]:
        """What starts the stand-in, before its arguments."""
        if not CAN_FORK:
            return [sys.executable, "-m", PROGRAM]
        return [sys.executable, "-IS", str(HERE / "stand_in.py"), str(self.folder / "socket")]

    def carry_out(self, *arguments: object, program: str = PROGRAM, **fate: object) -> Ended:
        """Carry out a command in this folder and environment; see crash_child.py for the fate that it may meet.

        Or, instead, the `main` of another module.
        """
        words, environment = list(map(str, arguments)), {"WOLKVOX_TOKEN": "any", **os.environ}
        if not CAN_FORK:
            return _by_itself(program, words, environment)
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, Path(os.devnull).open("rb") as nothing:
            order = {"program": program, "arguments": words, "environment": environment, "fate": fate}
            files = {0: nothing.fileno(), 1: out.fileno(), 2: err.fileno()}
            ended = ask(str(self.folder / "socket"), order | {"folder": str(Path.cwd())}, files)
            said = [_text_of(file) for file in (out, err)]
        return Ended(int(ended["status"]), *said, ended["seconds"], int(ended["megabytes"]))

    def start(self, id_file: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command by the stand-in, and have its process write its id into a file."""
        return subprocess.Popen(
            [*self.words, *arguments],
            env={**os.environ, **environment, ID_FILE: str(id_file)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )


def _text_of(file: io.BufferedRandom) -> str:
    file.seek(0)
    return file.read().decode("utf-8")


def _by_itself(program: str, words: list[str], environment: dict[str, str]) -> Ended:
    command, variables = [sys.executable, "-m", program, *words], {"PYTHONPATH": f"{HERE}{os.pathsep}{HERE.parent}"}
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    done = subprocess.run(command, env=environment | variables, check=False, encoding="utf-8", **pipes)
    return Ended(done.returncode, done.stdout, done.stderr)


@contextmanager
def running() -> Iterator[Nursery]:
    """Start a nursery."""
    if not CAN_FORK:
        yield Nursery(Path(sys.executable).parent)
        return
    with tempfile.TemporaryDirectory() as name:
        folder, variables = Path(name), {"PYTHONPATH": str(HERE.parent), "OPENBLAS_NUM_THREADS": "1"}
        nursery = Nursery(folder)
        program = folder / "case-importer"
        program.write_text(f'#!/bin/sh\nexec {shlex.join(nursery.words)} "$@"\n', "utf-8")
        program.chmod(0o755)
        command = [sys.executable, __file__, str(folder / "socket")]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        with subprocess.Popen(command, env={**os.environ, **variables}, **pipes) as process:
            assert process.stdin
            assert process.stdout
            process.stdout.readline()  # it is ready
            yield nursery
            process.stdin.close()


def load_everything() -> None:
    """Import the program, and what its libraries import only when they are first used."""
    import pandas as pd  # noqa: PLC0415 - only this process needs all of it
    import pandera.pandas as pa  # noqa: PLC0415

    import importer  # noqa: PLC0415

    for module in pkgutil.walk_packages(importer.__path__, "importer."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    pa.DataFrameSchema({"a": pa.Column(str)}).validate(pd.DataFrame({"a": ["b"]}))
    compile_once(setattr)
    _run_once()


def _run_once() -> None:
    """Carry out a run as most tests do, for all that a program makes when it is first needed."""
    from run_support import Office, ticket  # noqa: PLC0415 - loads the program

    from importer.cli.main import execute  # noqa: PLC0415 - the same
    from importer.sandbox import RunningSandbox  # noqa: PLC0415 - the same

    with (
        tempfile.TemporaryDirectory() as name,
        RunningSandbox() as sandbox,
        Path(os.devnull).open("w", encoding="utf-8") as nothing,
    ):
        os.environ.update({f"XDG_{kind}_HOME": name for kind in ("STATE", "CONFIG", "DATA")} | {"WOLKVOX_TOKEN": "any"})
        office = Office(Path(name), sandbox)
        office.write([ticket(1), ticket(2, Correo="nobody")])
        with redirect_stdout(nothing), redirect_stderr(nothing):
            execute(office.arguments("run", "--yes"))
        assert sandbox.posts == 1


def serve(address: str) -> None:
    """Carry out what comes by the socket, each command beside the others, until standard input ends."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody here waits for the processes that keep a command
    gc.collect()
    gc.freeze()
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen(64)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while sys.stdin not in (ready := select.select([door, sys.stdin], [], [])[0]):
            if door in ready:
                connection, _peer = door.accept()
                with connection:
                    if os.fork() == 0:
                        door.close()
                        _keep(connection)


def _keep(connection: socket.socket) -> None:
    """In a process of its own, carry out the command of a connection in another one, and answer how that ended."""
    _beginning, files, *_more = socket.recv_fds(connection, 1, 3)
    with connection.makefile("rb") as sent:
        order = json.load(sent)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child = os.fork()
    if child == 0:
        connection.close()
        _be_the_program(order, files)
    for file in files:
        os.close(file)  # who reads the other end sees when the command has ended
    _child, status, used = os.wait4(child, 0)
    ended = {
        "status": os.waitstatus_to_exitcode(status),
        "seconds": used.ru_utime + used.ru_stime,
        "megabytes": used.ru_maxrss >> 10,
    }
    connection.sendall(json.dumps(ended).encode())
    os._exit(0)


def _be_the_program(order: dict[str, Any], files: Sequence[int]) -> None:
    """Be what the order asks for, from the state in which Python starts a program, to its end."""
    from crash_child import meet, write_at_once  # noqa: PLC0415 - loads the program

    status: object = 99
    signal.alarm(PATIENCE)
    try:
        os.environ.clear()
        os.environ.update({"PYTHONPATH": str(HERE.parent)} | order["environment"])
        os.chdir(order["folder"])
        given = dict(zip(order["files"], files, strict=True))
        sys.stdin, sys.stdout, sys.stderr = (_standard(number, given.get(number)) for number in range(3))
        sys.argv = ["case-importer", *order["arguments"]]
        if ID_FILE in os.environ:
            write_at_once(Path(os.environ[ID_FILE]), str(os.getpid()))
        meet(**order.get("fate", {}))
        importlib.import_module(order.get("program", PROGRAM)).main()
        status = 0
    except SystemExit as end:
        status = end.code
    except BaseException:  # noqa: BLE001 - never back into the loop of the nursery
        sys.excepthook(*sys.exc_info())
    for stream in filter(None, (sys.stdout, sys.stderr)):
        stream.flush()
    os._exit(status if isinstance(status, int) else 0)


def _standard(number: int, file: int | None) -> io.TextIOWrapper | None:
    """Open a standard file as Python does it at its start; the program itself looks which encoding is wanted."""
    if file is None:
        os.close(number)  # the shell closed it
        return None
    os.dup2(file, number)
    os.close(file)
    kind = io.BufferedReader if number == 0 else io.BufferedWriter
    raw = io.FileIO(number, "r" if number == 0 else "w", closefd=False)
    errors = "backslashreplace" if number == 2 else "strict"
    return io.TextIOWrapper(kind(raw), "utf-8", errors, line_buffering=number == 2 or os.isatty(number))


if __name__ == "__main__":
    load_everything()
    serve(sys.argv[1])
