"""The log of `--log-file`: it begins anew once it is large, also under several processes, and replaces nothing else."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from run_support import Give, Office, ticket

from importer.cli.rotating import RotatingLog, Rotation, is_log, numbered


def record(text: str) -> logging.LogRecord:
    """Return a record."""
    return logging.LogRecord("importer", logging.INFO, "", 0, text, (), None)


def lines_of(path: Path) -> Iterator[str]:
    """Yield the lines of a log and of the full ones beside it, the oldest first."""
    for number in range(99, 0, -1):
        if numbered(path, number).exists():
            yield from numbered(path, number).read_text("utf-8").splitlines()
    yield from path.read_text("utf-8").splitlines()


def opened(path: Path, size: int = 100, keep: int = 50) -> RotatingLog:
    """Return a handler as one process has it."""
    handler = RotatingLog(path, Rotation(size, keep))
    handler.setFormatter(logging.Formatter('{"%(message)s'))
    return handler


def test_n6_a_full_log_is_kept_under_numbers_up_to_so_many(tmp_path: Path) -> None:
    """No file is larger than it may be, and the oldest lines go first."""
    path = tmp_path / "noche.jsonl"
    log = opened(path, size=100, keep=3)
    for number in range(200):
        log.emit(record(f"{number:06d}"))
    log.close()
    assert sorted(one.name for one in tmp_path.iterdir()) == ["noche.jsonl", *(f"noche.jsonl.{n}" for n in (1, 2, 3))]
    assert all(one.stat().st_size <= 100 for one in tmp_path.iterdir())
    numbers = [int(line[2:]) for line in lines_of(path)]
    assert numbers == list(range(200 - len(numbers), 200))
    assert len(numbers) > 30


def test_n6_several_processes_share_a_log_and_lose_no_line(tmp_path: Path) -> None:
    """Handlers of their own, as processes have them, write and rename at once: every line is in some file, whole."""
    path = tmp_path / "noche.jsonl"
    logs = [opened(path, size=2_000, keep=900) for _process in range(4)]

    def write(number: int) -> None:
        for line in range(150):
            logs[number].handle(record(f"{number}-{line:03d}-{'x' * (line % 7)}"))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = sorted(line[2:7] for line in lines_of(path))
    assert found == sorted(f"{number}-{line:03d}" for number in range(4) for line in range(150))
    assert not [one for one in tmp_path.iterdir() if one.name.endswith(".lock")]


def test_n6_a_log_that_was_moved_or_deleted_begins_anew(tmp_path: Path) -> None:
    """Another program may rotate it too (logrotate): the next line is in a new file of that name."""
    path = tmp_path / "noche.jsonl"
    log = opened(path)
    log.emit(record("a"))
    path.rename(tmp_path / "elsewhere")
    log.emit(record("b"))
    path.unlink()
    log.emit(record("c"))
    assert path.read_text("utf-8") == '{"c\n'
    assert (tmp_path / "elsewhere").read_text("utf-8") == '{"a\n'


def test_n6_no_file_of_the_users_is_replaced(tmp_path: Path) -> None:
    """Where `log.1` is something else, the log goes on growing instead."""
    path = tmp_path / "noche.jsonl"
    numbered(path, 1).write_text("mis notas", "utf-8")
    log = opened(path, size=30)
    for number in range(10):
        log.emit(record(f"{number:06d}"))
    assert numbered(path, 1).read_text("utf-8") == "mis notas"
    assert [int(line[2:]) for line in path.read_text("utf-8").splitlines()] == list(range(10))
    assert is_log(path)
    assert not is_log(numbered(path, 1))


def test_n6_a_run_takes_the_size_of_its_log(office: Office, give: Give) -> None:
    """`--log-size` and `--log-keep` work on every command that has a log; each line is JSON."""
    log = office.folder / "log.jsonl"
    office.write([ticket(number) for number in range(1, 61)])
    words = ["--log-file", str(log), "--log-size", "10kB", "--log-keep", "1"]
    assert give(office.arguments("run", "--yes", *words)).status == 0
    assert log.exists()
    assert numbered(log, 1).exists()
    assert not numbered(log, 2).exists()
    assert all(json.loads(line)["event"] for line in lines_of(log))


@pytest.mark.parametrize("size", ["10", "1kB", "10 XB", "", "-1MB"])
def test_a_size_that_is_none_is_refused(office: Office, give: Give, size: str) -> None:
    """The sentence shows how a size is written."""
    office.write([ticket(1)])
    refused = give(office.arguments("check", "--log-file", str(office.folder / "log"), "--log-size", size))
    assert (refused.status, "10MB" in refused.err) == (2, True)
