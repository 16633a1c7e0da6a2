"""A journal with one import and one run, and what other processes do to it.

`python journal_support.py COMMAND JOURNAL …` is such a process; `SampleJournal` keeps the tests short.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from nursery import Nursery
from place_support import ask

from importer.errors import JournalFull
from importer.identity import Scope, content_hash, key_digest, loose_digest, reference
from importer.journal import Attempt, Intent, Journal, KnownRow, RunStart
from importer.journal.leases import MARGIN
from importer.journal_place import Place
from importer.model import Identity, JournalRow, Outcome, Status, Verdict
from importer.system import clock

ROOT = Path(__file__).parent.parent
SCOPE = Scope("crm0001.wolkvox.com", "op", "tickets")
COLUMNS = ("Asunto", "Ticket")
LEASE = 60.0
SENT_VALUE = "ana@example.com"


class Clock:
    """Clocks that move only on request: `now` is the wall's, `passed` the one that counts sleep."""

    def __init__(self) -> None:
        self.now = 1_700_000_000.0
        self.passed = 5_000.0
        self.boot = "this boot"

    @property
    def clocks(self) -> clock.Clock:
        """What a journal takes."""
        return clock.Clock(lambda: self.now, lambda: self.passed, lambda: self.boot)

    def pass_by(self, seconds: float) -> None:
        """Let time pass, on both clocks."""
        self.now += seconds
        self.passed += seconds


def identity(number: int, content: str = "as it was") -> Identity:
    """Return who row `number` is."""
    digest = key_digest([f"T-{number}"])
    hashed = content_hash([("Asunto", content), ("Ticket", f"T-{number}")], None)
    return Identity(digest, loose_digest([f"T-{number}"]), reference(SCOPE, digest), hashed)


def intent(number: int, content: str = "as it was") -> Intent:
    """Return the intent to send row `number`."""
    who = identity(number, content)
    return Intent(
        reference=who.reference,
        content_hash=who.content_hash,
        column_digests=who.column_digests,
        columns=COLUMNS,
        body_length=1_000,
        seconds=LEASE - MARGIN,
        search_field="email contact",
        search_value=SENT_VALUE,
        mark_place="description",
    )


def created(case: str) -> Outcome:
    """Return the outcome that made a case."""
    return Outcome(Verdict.CREATED, "Created.", case, f"P-{case}", 200, "200")


def outcome(verdict: Verdict) -> Outcome:
    """Return an outcome without a case."""
    return Outcome(verdict, f"It is {verdict}.", http_status=400, code="400")


class SampleJournal:
    """An open journal with the import `tickets` and a run of it."""

    def __init__(self, path: Place, clock: Clock | None = None) -> None:
        self.journal = Journal(path, clock.clocks) if clock else Journal(path)
        self.record = self.journal.imports.add(SCOPE.tenant, SCOPE.operation, SCOPE.import_name, None)
        start = RunStart("/tickets.xlsx", "source", "mapping", "https://crm0001.wolkvox.com", "ana", "case-importer 0")
        self.run = self.journal.runs.start(self.record.id, start)

    def counts(self) -> dict[Status, int]:
        """Return how many rows are in each state, as another reader sees them."""
        found = ask(self.journal.path, "SELECT state, count(*) FROM rows GROUP BY 1")
        return {Status(state): count for state, count in found}

    def plan(self, numbers: Iterable[int], status: Status = Status.PLANNED) -> None:
        """Note rows."""
        self.journal.rows.add(self.record.id, [(identity(number), status) for number in numbers], COLUMNS)

    def claim(self, number: int, content: str = "as it was") -> Attempt | None:
        """Commit the intent to send a row."""
        return self.journal.attempts.claim(self.record.id, self.run, intent(number, content))

    def conclude(self, attempt: Attempt | None, what: Outcome) -> None:
        """Commit what an attempt came to."""
        assert attempt is not None
        self.journal.attempts.conclude(attempt, what)

    def send(self, numbers: Iterable[int]) -> None:
        """Send rows: intent, mark, outcome, as a run does it."""
        for number in numbers:
            attempt = self.claim(number)
            assert attempt is not None
            self.raise_mark(attempt)
            self.conclude(attempt, created(f"case-{number}-{attempt.token}"))

    def raise_mark(self, attempt: Attempt) -> None:
        """Raise the mark to an attempt."""
        self.journal.mark.raise_to(attempt.id, attempt.token, SCOPE.parts)

    def expire(self) -> int:
        """Make rows unknown whose lease has ended."""
        return self.journal.attempts.expire(self.record.id)

    def known(self, number: int) -> KnownRow:
        """Return what the journal knows of a row, with its columns."""
        who = identity(number)
        return self.journal.rows.known(self.record.id, [who.key_digest])[who.key_digest]

    def row(self, number: int) -> JournalRow:
        """Return what the journal knows of a row."""
        return self.known(number).row


def other_process(command: str, *arguments: object) -> subprocess.Popen[str]:
    """Start this module as a process of its own."""
    return subprocess.Popen(
        [sys.executable, __file__, command, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def said_by(nursery: Nursery, command: str, *arguments: object, status: int = 0) -> str:
    """Carry out one of the commands below in a process of its own to its end; return what it printed."""
    ended = nursery.carry_out(command, *arguments, program="journal_support")
    assert ended.status == status, ended
    return ended.out


def say(*words: object) -> None:
    """Tell the test that started this process."""
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def show(path: Path) -> None:
    """Print the state of row 1."""
    say(SampleJournal(path).row(1).status)


def claim_and_die(path: Path) -> None:
    """Claim row 1, say so, and be killed."""
    say(SampleJournal(path).claim(1))
    signal.raise_signal(signal.SIGKILL)


def send_and_die(path: Path, first: str, last: str) -> None:
    """Send rows, and be killed with the journal open."""
    sample = SampleJournal(path)
    sample.plan(range(int(first), int(last) + 1))
    sample.send(range(int(first), int(last) + 1))
    signal.raise_signal(signal.SIGKILL)


def drain(path: Path, name: str, rows: str) -> None:
    """Claim and create as many of the rows as another process leaves; print their numbers."""
    sample = SampleJournal(path)
    say("ready")
    sys.stdin.readline()
    for number in range(1, int(rows) + 1):
        if attempt := sample.claim(number):
            sample.conclude(attempt, created(f"{name}-{number}"))
            say(number)


def full_at_the_intent(path: Path) -> None:
    """Plan rows, let no file grow any more, and claim them until the journal says that the disk is full."""
    sample = SampleJournal(path)
    sample.plan(range(1, 100))
    _let_no_file_grow(path)
    for number in range(1, 100):
        try:
            sample.claim(number)
        except JournalFull as error:
            say(number, error.exit_status)
            return


def full_at_the_outcome(path: Path) -> None:
    """Claim rows, let no file grow any more, and conclude each as created until the disk is full, then one more."""
    sample = SampleJournal(path)
    sample.plan(range(1, 100))
    claimed = [sample.claim(number) for number in range(1, 100)]
    _let_no_file_grow(path)
    refused = 0
    for number, attempt in enumerate(claimed, 1):
        try:
            sample.conclude(attempt, created(f"case-{number}"))
        except JournalFull:
            refused += 1
            say(number)
            if refused == 2:
                os._exit(0)  # as a run that stops here: nothing is closed in order


def _let_no_file_grow(path: Path) -> None:
    """Limit the size of files to little more than what the largest of the journal's own has by now."""
    largest = 50_000 + max(file.stat().st_size for file in path.parent.iterdir())
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))


COMMANDS = {f.__name__: f for f in (show, claim_and_die, send_and_die, drain, full_at_the_intent, full_at_the_outcome)}


def main() -> None:
    """Carry out the command of this process."""
    COMMANDS[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])


if __name__ == "__main__":
    main()
