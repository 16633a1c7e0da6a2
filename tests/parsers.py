"""Children that parse workbooks, without the time that Python needs to start: a third of what a sheet costs a test.

A small process that has loaded the parsers forks another for each workbook. That is a child as the program has it: with
the same standard files, bounds and exit status, and it can be killed. Tests of whole processes, and those of what a
file does to its parser, use the program's own.

`python -P parsers.py` is that process. It ends when its standard input, a socket, is closed.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, SimpleNamespace
from typing import IO

CAN_FORK = hasattr(os, "fork") and hasattr(socket, "send_fds")


class Child:
    """What the program uses of `subprocess.Popen`."""

    def __init__(self, pid: int, stdin: IO[bytes], keeper: socket.socket) -> None:
        self.pid, self.stdin = pid, stdin
        self._keeper, self._status, self._lock = keeper, None, threading.Lock()

    def wait(self) -> int:
        """Wait for its end, and return its status as `Popen` does."""
        with self._lock:
            if self._status is None:
                with self._keeper:
                    self._status = int(self._keeper.recv(16))
            return self._status

    def kill(self) -> None:
        """End it, if it has not ended; its id is its own until its keeper has told its end."""
        if self._status is None:
            os.kill(self.pid, signal.SIGKILL)


@contextmanager
def forked() -> Iterator[SimpleNamespace]:
    """Give what the program takes for `subprocess` where it starts a parser."""
    if not CAN_FORK:
        yield SimpleNamespace(**vars(subprocess))
        return
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with subprocess.Popen([sys.executable, "-P", __file__], stdin=theirs), theirs, ours:

        def start(command: Sequence[str], stdin: int, stdout: IO[bytes], stderr: IO[bytes], **_: object) -> Child:
            assert stdin == subprocess.PIPE
            at = next(at for at, word in enumerate(command) if word.endswith(".py"))
            told, teller = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            read, write = os.pipe()
            with os.fdopen(read, "rb"), teller:
                files = [read, stdout.fileno(), stderr.fileno(), teller.fileno()]
                socket.send_fds(ours, [json.dumps(command[at:]).encode()], files)
            return Child(int(told.recv(16)), os.fdopen(write, "wb"), told)

        yield SimpleNamespace(Popen=start, PIPE=subprocess.PIPE)


def serve() -> None:
    """Fork a child for every order that comes by standard input."""
    import python_calamine  # noqa: F401, PLC0415 - only this process needs it
    import xlrd  # noqa: F401, PLC0415 - the same

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody here waits for the keepers
    compiled: dict[bytes, CodeType] = {}
    with socket.socket(fileno=os.dup(0)) as orders:
        while True:
            order, files, *_more = socket.recv_fds(orders, 1 << 18, 4)
            if not order:
                return
            words = json.loads(order)
            program = Path(words[0]).read_bytes()
            if program not in compiled:
                compiled[program] = compile(program, words[0], "exec")
            if os.fork() == 0:
                orders.close()
                _keep(compiled[program], words, files)
            for file in files:
                os.close(file)


def _keep(program: CodeType, words: list[str], files: list[int]) -> None:
    """Have a child run a program; tell its id, and then its end."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *standard, teller = files
    child = os.fork()
    if child == 0:
        os.close(teller)
        for number, file in enumerate(standard):
            os.dup2(file, number)
            os.close(file)
        _run(program, words)
    for file in (0, *standard):
        os.close(file)
    with socket.socket(fileno=teller) as told:
        told.send(str(child).encode())
        end = os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)
        assert end
        told.send(str(end.si_status if end.si_code == os.CLD_EXITED else -end.si_status).encode())
        told.recv(1)  # heard
    os._exit(0)


def _run(program: CodeType, words: list[str]) -> None:
    """Be a program, from its first line to its end."""
    status: object = 1
    sys.argv = words
    try:
        exec(program, {"__name__": "__main__", "__file__": words[0]})  # noqa: S102 - one of the importer's own
        status = 0
    except SystemExit as end:
        status = end.code
    except BaseException:  # noqa: BLE001 - never back into the loop
        sys.excepthook(*sys.exc_info())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else 0)


if __name__ == "__main__":
    serve()
