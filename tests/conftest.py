"""Fixtures for all tests: a sandbox, an office beside it, and the command line."""

from __future__ import annotations

import gc
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from itertools import count
from pathlib import Path

import machine  # noqa: F401 - before all others
import pytest
from compiled import compile_once
from hypothesis import HealthCheck, settings
from no_skips import pytest_addoption, pytest_make_collect_report, pytest_runtest_makereport  # noqa: F401 - hooks
from nursery import Nursery, running
from parsers import forked
from playwright.sync_api import Browser
from postgres_support import needs_postgres, new_place
from promise_support import Order
from run_support import Give, Office, Result
from web_support import chromium

from importer.cli.main import execute
from importer.journal_place import Server
from importer.sandbox import RunningSandbox

# A busy machine draws examples slowly; that must not fail a test.
settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")

# The tests read English sentences, whatever the language of the machine; a test of another language sets it.
os.environ["CASE_IMPORTER_LANG"] = "en"

FOLDERS = ("XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")
"""Where a user's own files are; each test, and each process that it starts, gets folders of its own."""


USERS = count(1)


def pytest_collection_finish() -> None:
    """Leave what was imported and collected out of every search for garbage from here on: it stays to the end."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _statements_compiled_once() -> Iterator[None]:
    """Let every journal use what SQLAlchemy compiled for the ones before."""
    with pytest.MonkeyPatch.context() as patched:
        compile_once(patched.setattr)
        yield


@pytest.fixture(scope="session", autouse=True)
def _parsers_started_once() -> Iterator[None]:
    """Have the children that parse workbooks forked: the tests need thousands, a person a few."""
    with forked() as processes, pytest.MonkeyPatch.context() as patched:
        patched.setattr("importer.source.parsing.subprocess", processes)
        yield


@pytest.fixture
def own_parsers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start each parser as the program does."""
    monkeypatch.setattr("importer.source.parsing.subprocess", subprocess)


@pytest.fixture(scope="session", autouse=True)
def _no_folder_of_the_user(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep files that session fixtures make out of the user's own folders."""
    with pytest.MonkeyPatch.context() as patched:
        use_folders(patched, tmp_path_factory.mktemp("user"))
        yield


@pytest.fixture(scope="module", autouse=True)
def _module_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give the fixtures of each module a user of their own: what one module leaves behind means nothing to the next."""
    with pytest.MonkeyPatch.context() as patched:
        use_folders(patched, tmp_path_factory.mktemp("user"))
        yield


@pytest.fixture(autouse=True)
def user_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test its own user: empty folders for state, settings and data.

    `mktemp` would look through the folders of all tests before, again for each test.
    """
    folder = tmp_path_factory.getbasetemp() / "users" / str(next(USERS))
    folder.mkdir(parents=True)
    use_folders(monkeypatch, folder)
    return folder


def use_folders(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Set the folders for the user's files."""
    for name in FOLDERS:
        patch.setenv(name, str(folder / name.removeprefix("XDG_").lower()))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what is marked `on_both` with a journal in a file, and with one on a server."""
    is_of_files = metafunc.definition.get_closest_marker("in_a_file") or "journal_server" not in metafunc.fixturenames
    if metafunc.definition.get_closest_marker("on_both") and not is_of_files:
        both = (None, pytest.param("postgresql", marks=needs_postgres))
        metafunc.parametrize("journal_server", both, ids=["file", "server"], indirect=True)


@pytest.fixture
def journal_server(request: pytest.FixtureRequest) -> Iterator[Server | None]:
    """Give the place of an empty journal on a server; None where the journal is to be a file."""
    with new_place() if getattr(request, "param", None) else nullcontext() as place:
        yield place


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    """Serve a sandbox on a free port, with its cases in memory, for one test."""
    with RunningSandbox() as running:
        yield running


@pytest.fixture
def office(tmp_path: Path, sandbox: RunningSandbox, journal_server: Server | None) -> Office:
    """Provide a folder and a sandbox."""
    return Office(tmp_path, sandbox, place=journal_server)


@pytest.fixture
def give(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Give:
    """Execute a command line inside this process, which saves starting another."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")

    def execute_arguments(arguments: list[str]) -> Result:
        status = execute(arguments)
        printed = capsys.readouterr()
        return Result(status, printed.out, printed.err)

    return execute_arguments


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """Give what carries out commands in processes of their own."""
    with running() as nursery:
        yield nursery


@pytest.fixture(scope="session")
def order(nursery: Nursery) -> Order:
    """Give a function that carries out a command in a process of its own and returns its exit status."""

    def carry_out(arguments: list[str], **fate: object) -> int:
        return nursery.carry_out(*arguments, **fate).status

    return carry_out


@pytest.fixture(scope="session")
def by_libreoffice(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path, Path, str], None]:
    """Give a function by which LibreOffice saves a file into a folder, as what it calls a kind of file.

    All share one profile, which LibreOffice takes long to make.
    """
    program = ["soffice", f"-env:UserInstallation={tmp_path_factory.mktemp('libreoffice').as_uri()}", "--headless"]

    def save(path: Path, folder: Path, kind: str) -> None:
        subprocess.run([*program, "--convert-to", kind, "--outdir", folder, path], check=True, capture_output=True)

    return save


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Start one Chromium for all tests of the page; each test gets windows of its own."""
    with chromium() as started:
        yield started
