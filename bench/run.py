"""Measure, and renew docs/performance.md: `python -m bench.run [--largest ROWS] [FIGURE ...]`, without names all."""

from __future__ import annotations

import argparse
import json
import os
import tempfile

from bench import page
from bench.figures import FIGURES, GROWTH, Figure, Step, as_json, growth
from bench.measure import ROOT

RESULTS = ROOT / "bench" / "results.json"
DOCS = ROOT / "docs"


def main() -> None:
    """Measure what was asked for, keep it beside what was measured before, and write the page anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", nargs="*", metavar="FIGURE", help=f"{', '.join(FIGURES)}, growth")
    parser.add_argument("--largest", type=int, default=GROWTH[-1], help="rows at which the growth series ends")
    arguments = parser.parse_args()
    names = arguments.figures or [*FIGURES, "growth"]
    if unknown := set(names) - {*FIGURES, "growth"}:
        parser.error(f"no such figure: {', '.join(sorted(unknown))}")
    results = json.loads(RESULTS.read_text("utf-8")) if RESULTS.exists() else {"figures": {}, "growth": []}
    results["machine"] = page.machine()
    scratch = ROOT / "build"  # on the checkout's disk: a temporary folder in memory would make commits free
    scratch.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=scratch) as folder:
        os.chdir(folder)
        for name in names:
            measure_one(name, arguments.largest, results)
            RESULTS.write_text(json.dumps(results, indent=2, ensure_ascii=False) + "\n", "utf-8")
        os.chdir(ROOT)
    write_page(results)


def measure_one(name: str, largest: int, results: dict) -> None:
    """Measure one figure, or the growth series, into the results."""
    if name == "growth":
        steps, peaks = growth(largest)
        results["growth"] = [as_json(step) for step in steps]
        found = {f"memory-{number}": figure for number, figure in enumerate(peaks)}
    else:
        found = {name: FIGURES[name]()}
    for key, figure in found.items():
        results["figures"][key] = as_json(figure)
        print(page.table([figure]).splitlines()[-1], flush=True)  # noqa: T201 - a long command says how far it is


def write_page(results: dict) -> None:
    """Write the table, the plot and the machine into the documentation."""
    steps = [Step(**step) for step in results["growth"]]
    order = [*FIGURES, *(key for key in results["figures"] if key not in FIGURES)]
    figures = [Figure(**results["figures"][key]) for key in order if key in results["figures"]]
    parts = {"figures": f"Measured on {results['machine']}.\n\n{page.table(figures)}"}
    if steps:
        parts["growth"] = f"{page.growth_table(steps)}\n\n![Seconds per 1,000 rows, by the number of rows](growth.svg)"
        (DOCS / "growth.svg").write_text(page.plot(steps), "utf-8")
    performance = DOCS / "performance.md"
    performance.write_text(page.renewed(performance.read_text("utf-8"), parts), "utf-8")


if __name__ == "__main__":
    main()
