"""Long tables: rows stay on disk, and only a frame of them is in memory."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest
from xlsxwriter import Workbook

MEASURE = """
import re, sys
from pathlib import Path
from importer.source import open_table
for path in map(Path, sys.argv[1:]):
    rows = 0
    table = open_table(path)
    for _again in range(2):
        for frame in table.frames():
            rows += len(frame)
    print(rows, re.search(r"VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1])
"""


def write_csv(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Write rows as a text table."""
    path.write_text("a;b;c\n" + "".join(";".join(row) + "\n" for row in rows), "utf-8")


def write_xlsx(path: Path, rows: Iterable[Sequence[str]]) -> None:
    """Write rows as a workbook, the number of each in a column of both texts and numbers."""
    with Workbook(path, {"constant_memory": True}) as book:
        page = book.add_worksheet()
        page.write_row(0, 0, ["a", "b", "c"])
        for number, (first, *others) in enumerate(rows, 1):
            page.write_row(number, 0, [int(first) if number % 2 else first, *others])


WRITE: dict[str, Callable[[Path, Iterable[Sequence[str]]], None]] = {"csv": write_csv, "xlsx": write_xlsx}


@pytest.mark.skipif(
    not Path("/proc/self/status").exists() or "VmHWM" not in Path("/proc/self/status").read_text("ascii"),
    reason="only Linux tells a program's own highest use of memory, without that of the program that started it",
)
@pytest.mark.parametrize(("kind", "more"), [("csv", 200_000), ("xlsx", 50_000)])
def test_s6_memory_does_not_grow_with_the_rows(tmp_path: Path, kind: str, more: int) -> None:
    """Five or twenty times as many rows take no more memory, read once and again; no text of them is kept."""
    written = {rows: tmp_path / f"{rows}.{kind}" for rows in (10_000, more)}
    for rows, path in written.items():
        WRITE[kind](path, ([str(row), f"texto número {row}", "x"] for row in range(rows)))
    command = [sys.executable, "-c", MEASURE, *map(str, written.values())]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    (some, lower), (many, higher) = (map(int, line.split()) for line in done.stdout.splitlines())
    assert [some, many] == [2 * rows for rows in written]
    assert higher - lower < 30_000  # kilobytes
