"""An office as some command left it, made once for a module and given to each of its tests as it was then."""

from __future__ import annotations

import io
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import pytest
from run_support import Give, Office, Result

from importer.cli.main import execute
from importer.sandbox import RunningSandbox

STATE = "XDG_STATE_HOME"
"""Where the marks of journals are; see conftest.py."""

Made = TypeVar("Made")


@dataclass(frozen=True)
class Kept(Generic[Made]):
    """An office, copies of its folder, of its user's marks and of its simulated CRM, and what making it gave."""

    office: Office
    copies: Path
    cases: sqlite3.Connection
    calls: Counter[str]
    made: Made

    def again(self) -> Office:
        """Return the office as it was, whatever the test before did with it; the user is that of this test."""
        shutil.rmtree(self.office.folder)
        shutil.copytree(self.copies / "folder", self.office.folder)
        shutil.copytree(self.copies / "state", os.environ[STATE], dirs_exist_ok=True)
        sandbox = self.office.sandbox
        sandbox.inject()
        sandbox.new_day()
        with sandbox.store._database._lock:  # a request that nobody waits for any more may just be answered
            self.cases.backup(sandbox.store._database._db)
        calls = sandbox._app.state.crm.traffic.calls
        calls.clear()
        calls.update(self.calls)
        return self.office


@contextmanager
def keeping(folder: Path, make: Callable[[Office, Give], Made]) -> Iterator[Kept[Made]]:
    """Have an office made, and keep it for the tests of a block; `folder` is a new one of their own."""
    here, copies = folder / "office", folder / "copies"
    here.mkdir()
    with RunningSandbox() as sandbox, closing(sqlite3.connect(":memory:")) as cases:
        office = Office(here, sandbox)
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("WOLKVOX_TOKEN", "any")
            made = make(office, _give)
        shutil.copytree(here, copies / "folder")
        shutil.copytree(os.environ[STATE], copies / "state")
        sandbox.store._database._db.backup(cases)
        yield Kept(office, copies, cases, Counter(sandbox._app.state.crm.traffic.calls), made)


def _give(arguments: list[str]) -> Result:
    with redirect_stdout(io.StringIO()) as out, redirect_stderr(io.StringIO()) as err:
        status = execute(arguments)
    return Result(status, out.getvalue(), err.getvalue())
