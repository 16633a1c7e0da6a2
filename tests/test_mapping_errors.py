"""A gallery of broken mappings: what each is told, at its line and column, all faults at once.

The files are in `broken_mappings/`, what they are told is in `expected.txt` beside them;
`python tests/test_mapping_errors.py --update` writes it anew.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from mapping_support import HEAD, faults

from importer import mapping
from importer.errors import MappingError

GALLERY = Path(__file__).parent / "broken_mappings"
EXPECTED = GALLERY / "expected.txt"
FILES = sorted(GALLERY.glob("*.yml"))


def told(path: Path) -> list[str]:
    """Return what a broken mapping is told, without the folder it is in."""
    try:
        mapping.load_mapping(path)
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


def test_x1_tags_aliases_and_duplicates_are_told_at_their_lines_and_nothing_is_run(tmp_path: Path) -> None:
    """A tag that would run a program does not; tags, aliases and duplicate keys are faults where they stand."""
    trace = tmp_path / "trace"
    text = HEAD.replace("import: test", f'import: !!python/object/apply:os.system ["touch {trace}"]')
    told = faults(tmp_path, f"{text}form: &all\n  A: *all\n  B: x\n  B: y\n")
    assert [fault.split(": ")[0] for fault in told] == ["2:9", "2:9", "12:7", "13:6", "15:3"]
    assert not trace.exists()


def test_x1_a_bomb_of_aliases_is_refused_at_once(tmp_path: Path) -> None:
    """Aliases are never followed, depth and size are bounded before anything is kept."""
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"
    assert sum("aliases" in fault for fault in faults(tmp_path, bomb)) == 4
    assert "levels inside each other" in faults(tmp_path, "[" * 100_000)[0]
    assert "a mapping is shorter" in faults(tmp_path, "#" * 400_000)[0]


if __name__ == "__main__" and "--update" in sys.argv:
    EXPECTED.write_text("".join(f"{line}\n" for path in FILES for line in told(path)), "utf-8")
