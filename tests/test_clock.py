"""The clock that counts sleep, and the name of its time line, as each system has them."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from importer.system import clock

HERE = Path(__file__).parent.parent


@pytest.mark.parametrize(("system", "name"), [("linux", "CLOCK_BOOTTIME"), ("darwin", "CLOCK_MONOTONIC")])
def test_unix_is_asked_for_the_clock_that_counts_sleep(system: str, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux counts sleep in CLOCK_BOOTTIME, macOS in CLOCK_MONOTONIC; `time.monotonic` counts it on neither."""
    monkeypatch.setattr(time, name, 4711, raising=False)
    monkeypatch.setattr(time, "clock_gettime", lambda number: number + 0.5, raising=False)
    assert clock.clock_of(system)() == 4711.5


def test_windows_and_what_has_no_such_clock_use_pythons_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows it counts sleep already; on a system unknown to us it is the best there is."""
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    assert [clock.clock_of(system) for system in ("win32", "freebsd14", "linux")] == [time.monotonic] * 3


def test_the_clock_goes_forward_and_no_wall_clock_moves_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Setting the time of day changes nothing."""
    before = clock.elapsed()
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert 0 <= clock.elapsed() - before < 5


def test_linux_names_boot_and_time_namespace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two containers of one boot may have clocks that differ, be it by a namespace whose number is used again."""
    boot, namespace, offsets = (tmp_path / name for name in ("boot", "time", "offsets"))
    boot.write_text("18a5e41a\n")
    for name, path in (("BOOT", boot), ("TIME_NAMESPACE", namespace), ("TIME_OFFSETS", offsets)):
        monkeypatch.setattr(clock, f"_LINUX_{name}", str(path))
    assert clock.read_boot_id("linux") == "18a5e41a"
    namespace.symlink_to("time:[7]")
    offsets.write_text("monotonic  0  0\nboottime  60  0\n")
    first = clock.read_boot_id("linux")
    assert first == "18a5e41a time:[7] monotonic 0 0 boottime 60 0"
    offsets.write_text("monotonic  0  0\nboottime  90  0\n")
    assert clock.read_boot_id("linux") != first


def test_macos_is_asked_for_its_boot_session(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the program that is part of it."""
    asked: list[tuple[str, ...]] = []

    def run(words: tuple[str, ...], **_options: object) -> SimpleNamespace:
        asked.append(words)
        return SimpleNamespace(stdout="5E8A-11\n")

    monkeypatch.setattr(subprocess, "run", run)
    assert clock.read_boot_id("darwin") == "5E8A-11"
    assert asked == [("/usr/sbin/sysctl", "-n", "kern.bootsessionuuid")]


def test_windows_is_asked_for_the_number_of_its_boot(monkeypatch: pytest.MonkeyPatch) -> None:
    """In the registry, where each start of the system raises it."""
    opened: list[tuple[str, str]] = []

    @contextlib.contextmanager
    def open_key(root: str, path: str) -> Iterator[str]:
        opened.append((root, path))
        yield "key"

    registry = ModuleType("winreg")
    registry.HKEY_LOCAL_MACHINE = "machine"  # type: ignore[attr-defined]
    registry.OpenKey = open_key  # type: ignore[attr-defined]
    registry.QueryValueEx = lambda key, name: (42, 4) if (key, name) == ("key", "BootId") else None  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "winreg", registry)
    assert clock.read_boot_id("win32") == "boot 42"
    assert opened[0][1].endswith(r"Memory Management\PrefetchParameters")


@pytest.mark.parametrize("system", ["linux", "darwin", "win32", "plan9"])
def test_a_system_that_does_not_tell_gives_each_process_an_id_of_its_own(
    system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays the same within the process, and no other process can have it."""
    monkeypatch.setattr(clock, "_LINUX_BOOT", str(tmp_path / "none"))
    monkeypatch.setattr(clock, "_SYSCTL", (str(tmp_path / "none"),))
    monkeypatch.setitem(sys.modules, "winreg", None)
    clock._boot_id.cache_clear()
    assert clock.read_boot_id(system) is None
    monkeypatch.setattr(sys, "platform", system)
    mine = clock.boot_id()
    assert clock.boot_id() == mine
    monkeypatch.setattr("os.getpid", lambda: 0)
    assert clock.boot_id() != mine
    monkeypatch.undo()
    clock._boot_id.cache_clear()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what two processes of this system say")
def test_two_processes_of_one_boot_compare_their_moments() -> None:
    """Their ids are the same, and the later one reads a later time."""
    program = "from importer.system import clock; print(clock.elapsed(), clock.boot_id(), sep='|')"
    printed = [
        subprocess.run([sys.executable, "-c", program], cwd=HERE, capture_output=True, text=True, check=True).stdout
        for _process in range(2)
    ]
    (first, boot), (second, again) = (line.strip().split("|") for line in printed)
    assert boot == again == clock.boot_id()
    assert float(first) < float(second) < clock.elapsed()


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="Windows takes no zone from the environment")
def test_local_times_are_in_the_users_zone_as_it_was_then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before and after the clocks are put forward, to the second, as the system converts them."""
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    forward = 1_772_953_200  # 2026-03-08 02:00 in New York
    for seconds in (forward - 0.001, forward, forward + 0.5, 0.25):
        expected = datetime.fromtimestamp(seconds).astimezone()
        found = clock.local_datetime(seconds)
        assert (found, found.utcoffset()) == (expected, expected.utcoffset())
    assert [clock.local_datetime(forward + late).hour for late in (-1, 0)] == [1, 3]
    monkeypatch.undo()
    time.tzset()
