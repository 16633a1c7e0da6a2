"""What every room's tests share: a stand-in CRM of their own, an office beside it, and the command line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from no_skips import pytest_addoption, pytest_make_collect_report, pytest_runtest_makereport  # noqa: F401 - hooks
from run_support import Give, Office, Result

from importer.cli.main import execute
from importer.sandbox import RunningSandbox

# How fast a machine draws examples says nothing about the code: a busy one must not fail a test.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")


FOLDERS = ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
"""Where a user's own files are: each test has folders of its own, and so have the processes that it starts."""


@pytest.fixture(scope="session", autouse=True)
def _no_folder_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep what is made outside of a test, by a fixture of a module, away from the user's own folders."""
    with pytest.MonkeyPatch.context() as patched:
        use_folders(patched, tmp_path_factory.mktemp("user"))
        yield


@pytest.fixture(autouse=True)
def user_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a test a user of its own: folders for state, settings and data that are empty."""
    folder = tmp_path_factory.mktemp("user")
    use_folders(monkeypatch, folder)
    return folder


def use_folders(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Name folders for the user's files."""
    for name in FOLDERS:
        patch.setenv(name, str(folder / name.removeprefix("XDG_").lower()))


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
        status = execute(arguments)
        printed = capsys.readouterr()
        return Result(status, printed.out, printed.err)

    return carry_out
