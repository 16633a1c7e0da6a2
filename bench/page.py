"""The figures as people read them: a table and a plot, put between their marks in docs/performance.md."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence

from bench.figures import Figure, Step

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 640, 340, 70, 110, 20, 50
COLOURS = {"check": "#0b6e4f", "run": "#1d4e89", "run again": "#b3541e"}


def machine() -> str:
    """Return the machine by cores and memory, which is all that a reader needs of it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{os.cpu_count()} cores, {round(memory / 2**30)} GB of memory"


def table(figures: Sequence[Figure]) -> str:
    """Return the figures as a Markdown table; one that misses its goal says so."""
    lines = ["| figure | against | measured | compared with | result | goal | |", "|---|---|---|---|---|---|---|"]
    for each in figures:
        met = "met" if each.value <= each.goal else "**missed**"
        result, goal = f"{each.value:g}{each.unit}", f"at most {each.goal:g}{each.unit}"
        lines.append(
            f"| {each.what} | {each.against} | {each.measured} | {each.compared} | {result} | {goal} | {met} |"
        )
    return "\n".join(lines)


def growth_table(steps: Sequence[Step]) -> str:
    """Return the growth series as a Markdown table."""
    names = list(COLOURS)
    lines = [
        f"| rows | {' | '.join(f'`{name}`' for name in names)} | peak of `run` |",
        "|---:|" + "---:|" * (len(names) + 1),
    ]
    for step in steps:
        pace = " | ".join(f"{step.seconds_per_thousand[name]:.3f} s" for name in names)
        lines.append(f"| {step.rows:,} | {pace} | {step.peak_mb['run']:.0f} MB |")
    return "\n".join(lines)


def plot(steps: Sequence[Step]) -> str:
    """Return the growth series as an SVG: seconds per 1,000 rows over the number of rows, both logarithmic."""
    paces = [pace for step in steps for pace in step.seconds_per_thousand.values()]
    low, high = math.floor(math.log10(min(paces))), math.ceil(math.log10(max(paces)))
    first, last = math.log10(steps[0].rows), math.log10(steps[-1].rows)

    def x(rows: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (math.log10(rows) - first) / (last - first or 1), 1)

    def y(pace: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (math.log10(pace) - low) / (high - low), 1)

    marks = [
        f'<path d="M{LEFT} {y(10**power)}H{WIDTH - RIGHT}" stroke="#ddd"/>'
        f'<text x="{LEFT - 8}" y="{y(10**power) + 4}" text-anchor="end">{10**power:g} s</text>'
        for power in range(low, high + 1)
    ]
    marks += [
        f'<text x="{x(step.rows)}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{step.rows:,}</text>'
        for step in steps
    ]
    for name, colour in COLOURS.items():
        points = [(x(step.rows), y(step.seconds_per_thousand[name])) for step in steps]
        line = " ".join(f"{h},{v}" for h, v in points)
        marks.append(
            f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>'
            f'<text x="{points[-1][0] + 8}" y="{points[-1][1] + 4}" fill="{colour}">{name}</text>'
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        'font-family="sans-serif" font-size="12">\n<title>Seconds per 1,000 rows, by the number of rows</title>\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>\n'
        + "\n".join(marks)
        + f'\n<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">rows</text>\n</svg>\n'
    )


def renewed(page: str, parts: Mapping[str, str]) -> str:
    """Return the page with the text between the marks of each part replaced."""
    for name, text in parts.items():
        between = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=<!-- end -->)", re.DOTALL)
        page = between.sub(lambda _, text=text: f"\n{text}\n\n", page, count=1)
    return page
