"""What every room's tests share: a stand-in CRM of their own, an office beside it, and the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from run_support import Give, Office, Result

from importer.cli import _carry_out
from importer.sandbox import RunningSandbox

# How fast a machine draws examples says nothing about the code: a busy one must not fail a test.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")


@pytest.fixture(autouse=True)
def own_folders(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep a test's settings, journal and marks apart from the user's own, and from those of other tests."""
    folder = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("XDG_STATE_HOME", str(folder / "state"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(folder / "data"))


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    """Serve a stand-in CRM on a free port, its cases in memory, for the length of one test."""
    with RunningSandbox() as running:
        yield running


@pytest.fixture
def office(tmp_path: Path, sandbox: RunningSandbox) -> Office:
    """Give a folder of its own and a stand-in CRM."""
    return Office(tmp_path, sandbox)


@pytest.fixture
def give(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Give:
    """Carry out a command line inside this process, which spares the start of another."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")

    def carry_out(arguments: list[str]) -> Result:
        status = _carry_out(arguments)
        printed = capsys.readouterr()
        return Result(status, printed.out, printed.err)

    return carry_out
