"""Measure, and update docs/performance.md: `python -m bench.run [MEASUREMENT ...]`, without names all of them.

A measurement that is not named keeps the result it has in bench/results.json, and the commit it was made at.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from dataclasses import asdict

from bench import page
from bench.figures import MEASUREMENTS, ONLY_BY_NAME
from bench.measure import ROOT

RESULTS = ROOT / "bench" / "results.json"


def main() -> None:
    """Measure what was asked for, keep it beside the earlier results, and update the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="MEASUREMENT", help=", ".join(MEASUREMENTS))
    names = parser.parse_args().names or [name for name in MEASUREMENTS if name not in ONLY_BY_NAME]
    if unknown := sorted({*names} - {*MEASUREMENTS}):
        parser.error(f"unknown measurement: {', '.join(unknown)}; choose from {', '.join(MEASUREMENTS)}")
    measured_at = {"commit": commit(), "machine": machine()}
    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {}
    scratch = ROOT / "build"  # on the checkout's disk: a temporary folder in memory would make commits free
    scratch.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=scratch) as folder:
        os.chdir(folder)
        for name in names:
            measured = MEASUREMENTS[name]()
            print(*page.lines(measured.figures, measured_at["commit"]), sep="\n", flush=True)  # noqa: T201 - progress
            results[name] = measured_at | asdict(measured)
            RESULTS.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", "utf-8")
        os.chdir(ROOT)
    page.update(page.read(results))


def commit() -> str:
    """Return the commit that is measured, with a plus sign where the importer differs from it."""

    def git(*arguments: str) -> str:
        command = ["git", *arguments]
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603 - ours

    changed = git("status", "--porcelain", "--", "importer", "constraints.txt")
    return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")


def machine() -> str:
    """Return the machine by cores and memory, which is all that a reader needs of it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{os.cpu_count()} cores, {round(memory / 2**30)} GB of memory"


if __name__ == "__main__":
    main()
