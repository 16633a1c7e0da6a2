"""The plot of a provider's day: what each machine worked on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

WIDTH, LANE, LEFT, TOP, RIGHT = 860, 46, 50, 30, 20
OFFICE, NIGHTS = "#1d4e89", ("#0b6e4f", "#b3541e", "#6a3d9a", "#8a6d00", "#a4243b", "#2b7a9b", "#4d5d53")


@dataclass(frozen=True)
class Segment:
    """What a machine did from one moment to another, in seconds after the beginning."""

    machine: str
    began: float
    ended: float
    tenant: str


def plot(segments: Sequence[Segment], lost: Mapping[str, float], begin: datetime, seconds: float) -> str:
    """Return a picture with a lane for each machine."""
    machines = sorted({segment.machine for segment in segments})
    height = TOP + LANE * len(machines) + 40

    def x(moment: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * moment / seconds

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}">',
        '<g font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="{LEFT}" y="16">Blue: sheets of offices; other colours: nights, one colour for each import</text>',
    ]
    bottom = TOP + LANE * len(machines)
    for hour in range(0, int(seconds / 3600) + 1, 2):
        at, text = x(hour * 3600), f"{begin + timedelta(hours=hour):%H:%M}"
        lines.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{TOP}" y2="{bottom}" stroke="#dddddd"/>')
        lines.append(f'<text x="{at:.1f}" y="{bottom + 18}" text-anchor="middle">{text}</text>')
    for lane, machine in enumerate(machines):
        y = TOP + LANE * lane + 8
        lines.append(f'<text x="8" y="{y + 19}">{machine}</text>')
        lines += [_bar(segment, x, y) for segment in _joined(segments, machine)]
        if machine in lost:
            at = x(lost[machine])
            lines.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{y - 4}" y2="{y + 34}" stroke="#000"/>')
            lines.append(f'<text x="{at + 5:.1f}" y="{y + 19}">lost</text>')
    return "\n".join([*lines, "</g>", "</svg>"]) + "\n"


def _joined(segments: Sequence[Segment], machine: str) -> list[Segment]:
    """Return what a machine did, shares of one import one after the other as one."""
    joined: list[Segment] = []
    for segment in sorted((one for one in segments if one.machine == machine), key=lambda one: one.began):
        last = joined[-1] if joined else None
        if last and last.tenant == segment.tenant and segment.began - last.ended < 30:
            joined[-1] = Segment(machine, last.began, segment.ended, last.tenant)
        else:
            joined.append(segment)
    return joined


def _bar(segment: Segment, x: Callable[[float], float], y: float) -> str:
    kind, _space, number = segment.tenant.partition(" ")
    colour = OFFICE if kind == "office" else NIGHTS[int(number) % len(NIGHTS)]
    left, width = x(segment.began), max(0.8, x(segment.ended) - x(segment.began))
    title = f"<title>{segment.tenant}</title>"
    return f'<rect x="{left:.1f}" y="{y}" width="{width:.1f}" height="30" fill="{colour}">{title}</rect>'
