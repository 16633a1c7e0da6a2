"""Long tables: rows stay on disk, and only a frame of them is in memory."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

MEASURE = """
import re, sys
from pathlib import Path
from importer.source import open_table
rows = 0
table = open_table(Path(sys.argv[1]))
for _again in range(2):
    for frame in table.frames():
        rows += len(frame)
print(rows, re.search(r"VmHWM:\\s+([0-9]+) kB", Path("/proc/self/status").read_text())[1])
"""


@pytest.mark.skipif(
    not Path("/proc/self/status").exists() or "VmHWM" not in Path("/proc/self/status").read_text("ascii"),
    reason="only Linux tells a program's own highest use of memory, without that of the program that started it",
)
def test_s6_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    """Thirty times as many rows take no more memory, read once and again."""
    highest = []
    for rows in (10_000, 300_000):
        path = tmp_path / f"{rows}.csv"
        path.write_text("a;b;c\n" + "".join(f"{row};texto número {row};x\n" for row in range(rows)), "utf-8")
        done = subprocess.run([sys.executable, "-c", MEASURE, path], check=True, capture_output=True, text=True)
        read, peak = map(int, done.stdout.split())
        assert read == 2 * rows
        highest.append(peak)
    assert highest[1] - highest[0] < 30_000  # kilobytes
