"""A gallery of broken mappings: what each is told, at its line and column, all faults at once.

The files are in `broken_mappings/`, what they are told is in `expected.txt` beside them;
`python tests/test_mapping_errors.py --update` writes it anew.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from importer import mapping
from importer.errors import MappingError

GALLERY = Path(__file__).parent / "broken_mappings"
EXPECTED = GALLERY / "expected.txt"
FILES = sorted(GALLERY.glob("*.yml"))


def told(path: Path) -> list[str]:
    """Return what a broken mapping is told, without the folder it is in."""
    try:
        mapping.load(path)
    except MappingError as error:
        return [line.replace(str(path), path.name) for line in str(error).splitlines()]
    return [f"{path.name}: no fault"]


def expected() -> dict[str, list[str]]:
    """Return what each file of the gallery is to be told, by its name."""
    lines: dict[str, list[str]] = {}
    for line in EXPECTED.read_text("utf-8").splitlines():
        lines.setdefault(line.split(":")[0], []).append(line)
    return lines


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_fault_of_a_broken_mapping_is_told_at_its_place(path: Path) -> None:
    """Each file of the gallery is answered with all of its faults, in the order of their lines."""
    assert told(path) == expected()[path.name]


def test_the_gallery_is_complete() -> None:
    """Every file has its expected messages, and no message is of a file that is gone."""
    assert set(expected()) == {path.name for path in FILES}


if __name__ == "__main__" and "--update" in sys.argv:
    EXPECTED.write_text("".join(f"{line}\n" for path in FILES for line in told(path)), "utf-8")
