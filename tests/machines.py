"""An import on several machines, in numbers: `python tests/machines.py [ROWS WORKERS KILLS SEED]`.

Workers in processes of their own send it to a simulated CRM, each killed so many times at random, and one of them
stopped past its leases and continued. `PYTHONPATH=.` if the program is not installed.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from machines_support import Ordeal, shared_place
from nursery import running
from run_support import Office, ticket

from importer.machines import WorkOptions, submit, work
from importer.sandbox import RunningSandbox
from importer.sandbox.exchange import Latency

SIZES = (5000, 4, 10, 1)


def main(words: Sequence[str]) -> None:
    """Send, and print the figures."""
    rows, workers, kills, seed = [*map(int, words), *SIZES[len(words) :]]
    os.environ["CASE_IMPORTER_LANG"] = "en"
    with tempfile.TemporaryDirectory(prefix="machines-") as name:
        os.environ |= dict.fromkeys(("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"), name)
        os.environ["WOLKVOX_TOKEN"] = "any"
        with running() as nursery, RunningSandbox(latency=Latency(0.02, 0.05)) as sandbox, shared_place() as place:
            office = Office(Path(name), sandbox)
            office.write(ticket(number) for number in range(rows))
            ordeal = Ordeal(office, place, nursery, 5.0, 3.0, seed, pause=(0.0, 3.0))
            started = time.monotonic()
            queued = submit(ordeal.job())
            ended = ordeal.suffer(workers, kills, seconds=3000)
            _print(f"{rows} rows, {workers} workers: exit {ended.exit_status} after {time.monotonic() - started:.0f} s")
            _print(f"{dict(ordeal.ended)}, {dict(ordeal.assert_promise())}, {sandbox.posts} POSTs")
            _print(f"at most {sandbox.most_at_once} requests at once")
            doubtful = 0
            while ended.exit_status:
                doubtful += ordeal.settle_by_person()
                submit(ordeal.job())
                work(ordeal.place, WorkOptions("last", wait=False), _print)
                ended = ordeal.queued()
            states = ordeal.assert_promise()
            assert states == {"created": rows}, states
            assert len(sandbox.store.cases) == rows
            _print(f"{doubtful} doubtful rows were decided by a person; then {dict(states)}, {sandbox.posts} POSTs")
            assert queued.id == 1


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
