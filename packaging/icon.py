"""Draw the program's icon, `importer/web/templates/icon.svg`, as the PNG pictures of an .ico file for Windows.

It understands just what that drawing has: a filled rectangle with round corners, and strokes of straight lines with
round ends. So the one drawing is the icon everywhere, and no drawing program is needed.
"""

from __future__ import annotations

import math
import re
import struct
import sys
import zlib
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree as ET

ROOT = Path(__file__).parent.parent
DRAWING = ROOT / "importer" / "web" / "templates" / "icon.svg"
SIZES = (16, 32, 48, 64, 256)

Point = tuple[float, float]
Shape = tuple[bytes, Callable[[Point], float]]
"""A colour, and how far a point is from the shape: negative inside of it."""


def main() -> None:
    """Write the icon to the path that is given."""
    Path(sys.argv[1]).write_bytes(icon())


def icon() -> bytes:
    """Return the .ico file: a directory, and a PNG picture of each size."""
    pictures = [png(size) for size in SIZES]
    directory, offset = struct.pack("<HHH", 0, 1, len(SIZES)), 6 + 16 * len(SIZES)
    for size, picture in zip(SIZES, pictures, strict=True):
        directory += struct.pack("<BBBBHHII", size % 256, size % 256, 0, 0, 1, 32, len(picture), offset)
        offset += len(picture)
    return directory + b"".join(pictures)


def png(size: int) -> bytes:
    """Return the drawing as a PNG picture of so many pixels each way."""
    root = ET.fromstring(DRAWING.read_text("utf-8"))  # noqa: S314 - our own drawing
    width = float(root.attrib["viewBox"].split()[2])
    drawn = [shape for element in root for shape in shapes(element)]
    lines = b"".join(b"\0" + b"".join(pixel(x, y, width / size, drawn) for x in range(size)) for y in range(size))
    header = struct.pack(">IIBBBBB", size, size, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b"")


def chunk(kind: bytes, content: bytes) -> bytes:
    """Return a part of a PNG picture."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def pixel(x: int, y: int, scale: float, drawn: list[Shape]) -> bytes:
    """Return red, green, blue and opacity of a pixel: each shape covers those before it as far as it reaches."""
    centre = ((x + 0.5) * scale, (y + 0.5) * scale)
    colour, opacity = [0.0, 0.0, 0.0], 0.0
    for own, distance in drawn:
        covered = min(1.0, max(0.0, 0.5 - distance(centre) / scale))
        if covered:
            total = covered + opacity * (1 - covered)
            colour = [(new * covered + old * opacity * (1 - covered)) / total
                      for new, old in zip(own, colour, strict=True)]  # fmt: skip
            opacity = total
    return bytes(round(part) for part in (*colour, 255 * opacity))


def shapes(element: ET.Element) -> Iterator[Shape]:
    """Yield the shapes of an element of the drawing."""
    if element.tag.endswith("rect"):
        width, height, radius = (float(element.attrib[name]) for name in ("width", "height", "rx"))
        yield rgb(element.attrib["fill"]), lambda at: to_rectangle(at, width, height, radius)
        return
    thickness = float(element.attrib["stroke-width"]) / 2
    for line in lines_of(element.attrib["d"]):
        yield rgb(element.attrib["stroke"]), lambda at, line=line: to_line(at, line) - thickness


def lines_of(path: str) -> Iterator[tuple[Point, Point]]:
    """Yield the straight lines of a path of the commands M, h and l."""
    for part in re.findall(r"M[^M]+", path):
        points: list[Point] = []
        for command, numbers in re.findall(r"([Mhl])([^Mhl]*)", part):
            given = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
            if command == "h":
                given = [number for step in given for number in (step, 0.0)]
            for dx, dy in zip(given[::2], given[1::2], strict=True):
                x, y = points[-1] if points else (0.0, 0.0)
                points.append((x + dx, y + dy))
        yield from pairwise(points)


def rgb(colour: str) -> bytes:
    """Return the three bytes of `#1f3a5f` or `#fff`."""
    digits = colour.lstrip("#")
    return bytes.fromhex(digits if len(digits) == 6 else "".join(digit * 2 for digit in digits))


def to_rectangle(at: Point, width: float, height: float, radius: float) -> float:
    """Return how far a point is from a rectangle with round corners, which begins at 0, 0."""
    x, y = abs(at[0] - width / 2) - width / 2 + radius, abs(at[1] - height / 2) - height / 2 + radius
    return math.hypot(max(x, 0), max(y, 0)) + min(max(x, y), 0) - radius


def to_line(at: Point, line: tuple[Point, Point]) -> float:
    """Return how far a point is from a straight line between two points."""
    (x, y), (to_x, to_y) = line
    dx, dy = to_x - x, to_y - y
    along = min(1.0, max(0.0, ((at[0] - x) * dx + (at[1] - y) * dy) / (dx * dx + dy * dy)))
    return math.hypot(at[0] - x - along * dx, at[1] - y - along * dy)


if __name__ == "__main__":
    main()
