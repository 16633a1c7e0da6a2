"""The repository as a whole is consistent: scenarios, links, pinned versions.

`python tests/test_project.py --update` writes the tests' names into docs/scenarios.md, and what every exit status means
into docs/exit-statuses.md.
"""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from importer.cli.help import Command
from importer.cli.main import COMMANDS, case_importer

ROOT = Path(__file__).parent.parent
SCENARIOS = ROOT / "docs" / "scenarios.md"
STATUSES = ROOT / "docs" / "exit-statuses.md"
LABELS = {"o": 32, "r": 21, "s": 6, "a": 4, "p": 5, "x": 11, "n": 13}
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
FIRST_PAGES = [*ROOT.glob("README*.md")]
INDEXES = [*(ROOT / "docs").rglob("README.md")]


@cache
def labelled_tests() -> dict[str, list[str]]:
    """Return the names of the tests that carry each label, such as `O3` for `test_o3_…` and `test_o3_r1_…`."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in sorted((ROOT / "tests").glob("test_*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and (labels := re.match(r"test_((?:[orsapxcmn]\d+_)+)", node.name)):
                for label in labels[1].strip("_").split("_"):
                    found[label.upper()].append(f"{file.stem}::{node.name}")
    return found


def with_tests(page: str) -> str:
    """Return the page of scenarios with the tests of each label in the last cell of its line."""
    found = labelled_tests()
    lines = []
    for line in page.splitlines():
        if label := re.match(r"\| ([ORSAPXCMN]\d+) \|", line):
            shown = "<br>".join(f"`{name}`" for name in found[label[1]]) or "—"
            line = f"{line.rsplit(' | ', 1)[0]} | {shown} |"  # noqa: PLW2901
        lines.append(line)
    return "\n".join(lines) + "\n"


def test_scenarios_names_every_label_once() -> None:
    """The page has one line for each label that a test may carry."""
    page = SCENARIOS.read_text("utf-8")
    labels = re.findall(r"^\| ([ORSAPXN]\d+) \|", page, re.MULTILINE)
    later = re.findall(r"^\| ([CM]\d+) \|", page, re.MULTILINE)  # numbered by parts of the work, with gaps between them
    assert len(later) == len(set(later))
    assert sorted(labels) == sorted(f"{kind.upper()}{n}" for kind, last in LABELS.items() for n in range(1, last + 1))
    assert set(labelled_tests()) <= {*labels, *later}


def test_every_label_of_scenarios_that_is_marked_as_shown_has_its_tests() -> None:
    """The page names exactly the existing tests of each label; `--update` writes them."""
    page = SCENARIOS.read_text("utf-8")
    assert page == with_tests(page)


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    """A relative link leads to a file of the repository, and its fragment to a heading of that file."""
    for link in re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text("utf-8")):
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if fragment:
            headings = re.findall(r"^#+ (.+)$", target.read_text("utf-8"), re.MULTILINE)
            assert fragment in {re.sub(r"[^\w -]", "", text).strip().lower().replace(" ", "-") for text in headings}


@pytest.mark.parametrize("index", INDEXES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_the_index_of_the_documentation_names_every_page(index: Path) -> None:
    """The index of docs/, and that of each language, names every page beside it."""
    assert {page.name for page in index.parent.glob("*.md")} - {"README.md"} <= set(
        re.findall(r"\]\(([\w-]+\.md)\)", index.read_text("utf-8"))
    )


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_command_that_a_page_names_exists(page: Path) -> None:
    """Pages name only commands that exist."""
    assert set(re.findall(r"case-importer ([a-z]+)", page.read_text("utf-8"))) <= set(COMMANDS)


@pytest.mark.parametrize("page", [*FIRST_PAGES, ROOT / "docs" / "design.md"], ids=lambda path: path.name)
def test_every_option_that_a_page_names_exists(page: Path) -> None:
    """The tour and the design name only options that exist."""
    context = click.Context(case_importer)
    commands = [case_importer.get_command(context, name) for name in COMMANDS]
    options = {option for command in commands for parameter in command.params for option in parameter.opts}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", page.read_text("utf-8"))) <= options


def test_the_design_names_every_command() -> None:
    """The design's table of commands is complete."""
    assert set(COMMANDS) <= set(
        re.findall(r"^\| `([a-z]+)", (ROOT / "docs" / "design.md").read_text("utf-8"), re.MULTILINE)
    )


def test_the_design_names_every_room() -> None:
    """The design's table of rooms has exactly the modules and packages of the importer."""
    design = (ROOT / "docs" / "design.md").read_text("utf-8")
    table = design.partition("| layer | room |")[2].partition("\n\n")[0]
    named = {name for line in table.splitlines() for name in re.findall(r"`(\w+)/?`", line.split("|")[2])}
    rooms = {path.relative_to(ROOT).with_suffix("").parts[1] for path in (ROOT / "importer").rglob("*.py")}
    assert {room for room in rooms if not room.startswith("_")} == named - {"importer"}


def with_statuses(page: str) -> str:
    """Return the page of exit statuses with the table of what each of them means for each command."""
    head = "| command | status | means |\n|---|---|---|\n"
    lines = [f"| `{name}` | {status} | {text} |\n" for name, command in every_command(case_importer)
             for status, text in command.exit_statuses.items()]  # fmt: skip
    return page.partition(head)[0] + head + "".join(lines)


def every_command(group: click.Group, before: str = "") -> Iterator[tuple[str, Command]]:
    """Yield every command with its words; those of a group, such as `journal check`, in its place."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from every_command(command, f"{name} ")
        else:
            assert isinstance(command, Command), f"{name} does not say its exit statuses"
            yield before + name, command


def test_the_page_of_exit_statuses_has_every_command() -> None:
    """Each command says what its exit statuses mean, 0 and 2 at least, and the page says the same."""
    for name, command in every_command(case_importer):
        assert {0, 2} <= set(command.exit_statuses) <= {0, 1, 2, 3, 4, 5}, name
    page = STATUSES.read_text("utf-8")
    assert page == with_statuses(page), "renew: python tests/test_project.py --update"


def test_the_pages_name_the_wheel_of_this_version() -> None:
    """A command that is copied from a page finds the file that `make wheel` builds."""
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    named = {found for page in PAGES for found in re.findall(r"importer-([\d.]+)-py3-none", page.read_text("utf-8"))}
    assert named == {version}


def test_constraints_are_versions_and_nothing_else() -> None:
    """constraints.txt names no host, path or option."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    assert all(re.fullmatch(r"#.*|[\w.-]+==[\w.!+]+", line) for line in lines)


def test_the_targets_of_the_makefile_are_listed_by_help() -> None:
    """`make` alone prints a line for each target."""
    targets = re.search(r"\.PHONY: (.+)", (ROOT / "Makefile").read_text("utf-8"))
    shown = subprocess.run(["make", "--no-print-directory"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert targets
    assert re.findall(r"^  make ([\w-]+) +\w", shown.stdout, re.MULTILINE) == targets[1].split()


@pytest.mark.skipif(not ((ROOT / ".git").exists() and shutil.which("git")), reason="git tells what is committed")
def test_nothing_that_git_is_to_ignore_is_committed() -> None:
    """What tools leave behind, such as their caches, is in no commit."""
    owned = ["-c", "safe.directory=*"]  # by whomever, as in a container
    command = ["git", *owned, "ls-files", "--cached", "--ignored", "--exclude-standard"]
    assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout == ""


if __name__ == "__main__":
    if sys.argv[1:] != ["--update"]:
        sys.exit(__doc__)
    SCENARIOS.write_text(with_tests(SCENARIOS.read_text("utf-8")), "utf-8")
    STATUSES.write_text(with_statuses(STATUSES.read_text("utf-8")), "utf-8")
