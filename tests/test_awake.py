"""The computer stays awake while it sends, where the system can do that, and a run never depends on it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress

import pytest

from importer import keep_awake
from importer.system.awake import Machine, _start


class Helper:
    """A double of a system: what it was told, in order."""

    def __init__(self, system: str, *, has: bool = True, fails: bool = False) -> None:
        self.told: list[object] = []
        self.machine = Machine(system, self.find, self.start, self.tell)
        self._has, self._fails = has, fails
        self.process: subprocess.Popen[bytes] | None = None

    def find(self, name: str) -> str | None:
        """Find a program."""
        return f"/usr/bin/{name}" if self._has else None

    def start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a process that waits, in place of the program."""
        self.told.append(command[0])
        if self._fails:
            raise OSError("it cannot be started")
        self.process = _start([sys.executable, "-c", "import sys; sys.stdin.read()"])
        return self.process

    def tell(self, state: int) -> None:
        """Take a state that Windows is told."""
        self.told.append(state)
        if self._fails:
            raise OSError("it is not Windows")


@pytest.mark.parametrize(
    ("system", "program"), [("darwin", "/usr/bin/caffeinate"), ("linux", "/usr/bin/systemd-inhibit")]
)
def test_a_helper_runs_as_long_as_the_block(system: str, program: str) -> None:
    """It is started once and is gone afterwards, also where the block fails."""
    helper = Helper(system)
    with suppress(ValueError), keep_awake(helper.machine) as kept:
        assert kept
        assert helper.process is not None
        assert helper.process.poll() is None
        raise ValueError("in the block")
    assert helper.told == [program]
    assert helper.process is not None
    assert helper.process.poll() is not None


def test_windows_is_told_and_told_again() -> None:
    """The system is required until further notice, and then no longer."""
    helper = Helper("win32")
    with keep_awake(helper.machine) as kept:
        assert (kept, helper.told) == (True, [0x80000001])
    assert helper.told == [0x80000001, 0x80000000]


@pytest.mark.parametrize(
    "helper",
    [
        Helper("linux", has=False),
        Helper("darwin", has=False),
        Helper("freebsd14"),
        Helper("linux", fails=True),
        Helper("win32", fails=True),
    ],
    ids=["no program", "no program there", "another system", "does not start", "refuses"],
)
def test_where_it_cannot_be_done_nothing_happens(helper: Helper) -> None:
    """The block is carried out all the same."""
    with keep_awake(helper.machine) as kept:
        assert not kept


def test_it_does_no_harm_on_this_computer() -> None:
    """Whatever this system has, the block is carried out, and nothing is left."""
    with keep_awake() as kept:
        assert kept in {True, False}
