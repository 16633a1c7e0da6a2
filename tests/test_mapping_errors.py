"""A gallery of broken mappings: all faults of each, with line and column, at once.

The files are in `broken_mappings/`, with their faults in `expected.txt`, which
`python tests/test_mapping_errors.py --update` rewrites.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import yaml
from mapping_support import HEAD, faults

from importer import mapping
from importer.errors import MappingError
from importer.mapping import read_document

GALLERY = Path(__file__).parent / "broken_mappings"
EXPECTED = GALLERY / "expected.txt"
FILES = sorted(GALLERY.glob("*.yml"))


def reported(path: Path) -> list[str]:
    """Return the faults of a broken mapping, without the folder it is in."""
    try:
        mapping.load_mapping(path)
    except MappingError as error:
        return [line.replace(str(path), path.name) for line in str(error).splitlines()]
    return [f"{path.name}: no fault"]


def expected() -> dict[str, list[str]]:
    """Return the expected faults of each file of the gallery, by its name."""
    lines: dict[str, list[str]] = {}
    for line in EXPECTED.read_text("utf-8").splitlines():
        lines.setdefault(line.split(":")[0], []).append(line)
    return lines


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_fault_of_a_broken_mapping_is_reported_at_its_location(path: Path) -> None:
    """Each file is refused with all of its faults, in the order of their lines."""
    assert reported(path) == expected()[path.name]


def test_the_gallery_is_complete() -> None:
    """Every file has its expected messages, and every message belongs to an existing file."""
    assert set(expected()) == {path.name for path in FILES}


def test_x1_tags_aliases_and_duplicates_are_told_at_their_lines_and_nothing_is_run(tmp_path: Path) -> None:
    """Tags, aliases and duplicate keys are faults with their lines; a tag that would run a program does not."""
    trace = tmp_path / "trace"
    text = HEAD.replace("import: test", f'import: !!python/object/apply:os.system ["touch {trace}"]')
    found = faults(tmp_path, f"{text}form: &all\n  A: *all\n  B: x\n  B: y\n")
    assert [fault.split(": ")[0] for fault in found] == ["2:9", "2:9", "12:7", "13:6", "15:3"]
    assert not trace.exists()


def test_x1_a_bomb_of_aliases_is_refused_at_once(tmp_path: Path) -> None:
    """Aliases are never followed, and depth and size are limited before anything is stored."""
    bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n"
    assert sum("aliases" in fault for fault in faults(tmp_path, bomb)) == 4
    for nested in ("[" * 100_000, "{" * 100_000, "? " * 1_000, "- " * 1_000):
        assert "levels deep" in faults(tmp_path, nested)[0]
    assert "bytes, which is too long" in faults(tmp_path, "#" * 400_000)[0]


@pytest.mark.parametrize(
    ("before", "after", "place"),
    [
        ("status: Abierto", "status: {column: C, closed: []}", "10:31: fields.status.closed"),
        ("status: Abierto", "status: {column: C, allowed: []}", "10:32: fields.status.allowed"),
        ("key: Id", "key: Id, ignore: []", "3:27: source.ignore"),
        ("key: Id", "key: Id, skip_if: {C: {is: []}}", "3:37: source.skip_if.C.is"),
        ("key: Id", "key: Id, headings: {Id: []}", "3:34: source.headings.Id"),
    ],
)
def test_an_empty_list_is_a_value_that_is_missing(tmp_path: Path, before: str, after: str, place: str) -> None:
    """A list without entries is told like a blank value: write one, or remove the line."""
    (fault,) = faults(tmp_path, HEAD.replace(before, after))
    assert fault.startswith(f"{place}: blank value; write one, or remove the line.")


def test_pyyaml_composes_every_node_by_the_method_that_the_loader_overrides() -> None:
    """The loader notes locations in `compose_node`; a PyYAML without it would leave every fault at line 1."""
    assert "compose_node" in vars(yaml.composer.Composer)
    document = read_document(Path("x.yml"), b"a:\n  - b\n")
    assert document.source_map.values == {(): (1, 1), ("a",): (2, 3), ("a", 0): (2, 5)}
    assert document.source_map.keys == {("a",): (1, 1)}


if __name__ == "__main__" and "--update" in sys.argv:
    EXPECTED.write_text("".join(f"{line}\n" for path in FILES for line in reported(path)), "utf-8")


@pytest.mark.parametrize(
    ("prefix", "sign"),
    [
        ("C:\\Ana\\adj\\a.pdf;C:\\Ana\\adj\\", ";"),
        (r"C:\adj\ | D:\adj", "|"),
        (r"\\SRV\adj\a.pdf, \\SRV\adj", ","),
        ("/srv/adj/a.pdf;/srv/adj/", ";"),
    ],
)
def test_a_beginning_of_several_paths_is_refused(tmp_path: Path, prefix: str, sign: str) -> None:
    """`strip_prefix` is the beginning of one path: one with a further path would take files off a cell unnoticed."""
    text = f"{HEAD}attachments: {{folder: f, columns: A, strip_prefix: ['Z:/', '{prefix}']}}\n"
    (fault,) = faults(tmp_path, text)
    assert "several paths" in fault
    assert f'separator: "{sign}"' in fault


@pytest.mark.parametrize("prefix", ["C:\\Casos,\\2024\\", "/srv/Casos;/2024/", r"Z:\Pérez, Ana; otros\x", "https://x/"])
def test_a_beginning_with_a_sign_in_the_name_of_a_folder_is_one_path(tmp_path: Path, prefix: str) -> None:
    """Folders may have commas and semicolons in their names, even at the end."""
    text = f"{HEAD}attachments: {{folder: f, columns: A, strip_prefix: '{prefix}'}}\n"
    assert not faults(tmp_path, text)
