"""The results as people read them: tables between their marks in docs/performance.md, and a plot."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.figures import MEASUREMENTS, Figure, Measured, Step
from bench.measure import ROOT

DOCS = ROOT / "docs"
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 340, 70, 110, 20, 50
COLOURS = {"check": "#0b6e4f", "run": "#1d4e89", "run again": "#b3541e"}


@dataclass(frozen=True)
class Result:
    """What bench/results.json keeps of one measurement: what it gave, at which commit and on which machine."""

    commit: str
    machine: str
    measured: Measured


def read(results: Mapping[str, Any]) -> dict[str, Result]:
    """Return the kept results in the order of the measurements, without those that are no longer made."""
    return {
        name: Result(
            results[name]["commit"],
            results[name]["machine"],
            Measured(
                [Figure(**figure) for figure in results[name]["figures"]],
                [Step(**step) for step in results[name]["steps"]],
            ),
        )
        for name in MEASUREMENTS
        if name in results
    }


def update(results: Mapping[str, Result]) -> None:
    """Write the table, the growth series and its plot into the documentation."""
    if "growth" in results:
        (DOCS / "growth.svg").write_text(plot(results["growth"].measured.steps), "utf-8")
    performance = DOCS / "performance.md"
    performance.write_text(renewed(performance.read_text("utf-8"), results), "utf-8")


def renewed(page: str, results: Mapping[str, Result]) -> str:
    """Return the page with the text between the marks of each part replaced."""
    page = _replaced(page, "figures", figures_part(results))
    if "growth" in results:
        page = _replaced(page, "growth", growth_part(results["growth"]))
    return page


def _replaced(page: str, mark: str, text: str) -> str:
    """Return the page with other text between a mark and the next `end`."""
    head, start, rest = page.partition(f"<!-- {mark} -->\n")
    _, end, tail = rest.partition("<!-- end -->")
    return f"{head}{start}\n{text}\n\n{end}{tail}"


def figures_part(results: Mapping[str, Result]) -> str:
    """Return the machine and the table of figures."""
    machines = " and ".join(dict.fromkeys(result.machine for result in results.values()))
    rows = [line for result in results.values() for line in lines(result.measured.figures, result.commit)]
    head = [
        "| measured | compared with | measured | compared | result | goal | | commit |",
        "|---|---|---|---|---|---|---|---|",
    ]
    return "\n".join([f"Measured on {machines}.", "", *head, *rows])


def lines(figures: Sequence[Figure], commit: str) -> list[str]:
    """Return the figures as lines of a Markdown table; one that misses its goal says so."""
    shown = []
    for each in figures:
        met = "met" if each.value <= each.goal else "**missed**"
        result, goal = f"{each.value:g}{each.unit}", f"at most {each.goal:g}{each.unit}"
        cells = (each.what, each.against, each.measured, each.compared, result, goal, met, f"`{commit}`")
        shown.append(f"| {' | '.join(cells)} |")
    return shown


def growth_part(result: Result) -> str:
    """Return the table of the growth series and its plot."""
    table = growth_table(result.measured.steps)
    return f"{table}\n\nAt commit `{result.commit}`.\n\n![Seconds per 1,000 rows, by the number of rows](growth.svg)"


def growth_table(steps: Sequence[Step]) -> str:
    """Return the growth series as a Markdown table."""
    table = ["| command | rows | seconds per 1,000 rows | peak |", "|---|---:|---:|---:|"]
    for command in COLOURS:
        table += [
            f"| `{command}` | {step.rows:,} | {step.seconds_per_thousand:.3f} s | {step.peak_mb:.0f} MB |"
            for step in steps
            if step.command == command
        ]
    return "\n".join(table)


def plot(steps: Sequence[Step]) -> str:
    """Return the growth series as an SVG: seconds per 1,000 rows over the number of rows, both logarithmic."""
    paces = [step.seconds_per_thousand for step in steps]
    low, high = math.floor(math.log10(min(paces))), math.ceil(math.log10(max(paces)))
    sizes = sorted({step.rows for step in steps})
    first, last = math.log10(sizes[0]), math.log10(sizes[-1])

    def x(rows: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(rows) - first) / (last - first), 1)

    def y(pace: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (math.log10(pace) - low) / (high - low), 1)

    marks = [
        f'<path d="M{LEFT} {y(10**power)}H{WIDTH - RIGHT}" stroke="#ddd"/>'
        f'<text x="{LEFT - 8}" y="{y(10**power) + 4}" text-anchor="end">{10**power:g} s</text>'
        for power in range(low, high + 1)
    ]
    marks += [
        f'<text x="{x(10**power)}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{10**power:,}</text>'
        for power in range(math.ceil(first), math.floor(last) + 1)
    ]
    for command, colour in COLOURS.items():
        points = [(x(step.rows), y(step.seconds_per_thousand)) for step in steps if step.command == command]
        line = " ".join(f"{h},{v}" for h, v in points)
        marks.append(
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>'
            f'<text x="{points[-1][0] + 8}" y="{points[-1][1] + 4}" fill="{colour}">{command}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'font-family="sans-serif" font-size="12">\n<title>Seconds per 1,000 rows, by the number of rows</title>\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n'
        + "\n".join(marks)
        + f'\n<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">rows</text>\n</svg>\n'
    )
