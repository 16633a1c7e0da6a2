"""Stands in for the program where a shell or another process starts it: `python -IS stand_in.py SOCKET ARGUMENT…`.

A nursery carries out the command, with the folder, the environment and the open files of this process, and this one
ends as the command ended. It starts as quickly as a bare Python, and therefore imports only what it needs.
"""

import json
import os
import signal
import socket
import sys


def ask(address: str, order: dict[str, object], files: dict[int, int]) -> dict[str, float]:
    """Have a nursery carry out a command with these files of ours, by the number of each there; return how it ended."""
    with socket.socket(socket.AF_UNIX) as nursery:
        nursery.connect(address)
        socket.send_fds(nursery, [b"\n"], files.values())
        nursery.sendall(json.dumps({**order, "files": list(files)}).encode())
        nursery.shutdown(socket.SHUT_WR)
        with nursery.makefile("rb") as answer:
            ended: dict[str, float] = json.load(answer)
            return ended


def is_open(file: int) -> bool:
    """Tell whether whoever started this process left it a file."""
    try:
        os.fstat(file)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    address, *arguments = sys.argv[1:]
    here = {"arguments": arguments, "environment": dict(os.environ), "folder": os.getcwd()}  # noqa: PTH109 - loads less
    status = int(ask(address, here, {file: file for file in range(3) if is_open(file)})["status"])
    if status < 0:
        signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    sys.exit(status)
