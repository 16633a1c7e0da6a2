"""README.md and the guides show what really happens: their console blocks are run (see `tour.py`), and compared.

Times, durations and ids differ from run to run and are not compared.

`python tests/test_readme.py --update` writes the outputs of a real run into the pages.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

import pytest
from nursery import Nursery, running
from tour import ROOT, Tour

from importer.languages import LANGUAGES
from importer.sandbox import RunningSandbox

FIRST_PAGES = sorted(ROOT.glob("README*.md"))
PAGES = [*FIRST_PAGES, *(page for tag in LANGUAGES for page in sorted((ROOT / "docs" / tag).glob("*.md")))]
VARYING = {
    r"WCI-[0-9A-Z]{16}": "WCI-…",
    r"\b[0-9a-f]{24}\b": "<id>",
    r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?: ?(?:Z|UTC|[+-]\d\d:?\d\d))?": "<time>",
    r"\d\d/\d\d/\d{4} \d\d:\d\d(?::\d\d)?": "<time>",
    r"\|[\u2588-\u258f ]+\|": "|█|",  # a progress bar
    r"\[[\d:]+<[\d:?]+, +[\d.,?]+": "[<time>, <n> ",  # beside it
    r"\b\d\d:\d\d(?::\d\d)?\b": "<time>",
    r"\b[\d.,]+ ?(rows/s|ms|s|seconds?)\b": r"<n> \1",
    r"127\.0\.0\.1:\d+": "127.0.0.1:8765",
    r"  +": "  ",
}


def named(page: Path) -> str:
    """Return the name of a page in the repository."""
    return page.relative_to(ROOT).as_posix()


def language(page: Path) -> str:
    """Return the language of a page: `es` of README.es.md and of all in docs/es, English where the name has none."""
    return next((tag for tag in LANGUAGES if tag in re.split(r"[./]", named(page))), "en")


def normalised(text: str) -> str:
    """Return `text` with what differs from run to run replaced by what it is."""
    for pattern, replacement in VARYING.items():
        text = re.sub(pattern, replacement, text)
    return text


def as_it_happens(page: Path, crm: RunningSandbox, nursery: Nursery) -> str:
    """Return the page with every output as a run in a fresh folder gives it."""
    with tempfile.TemporaryDirectory() as folder:
        return Tour(Path(folder).resolve(), crm, language(page), nursery).through(page.read_text("utf-8"))


@pytest.mark.parametrize("page", [page for page in PAGES if "```console" in page.read_text("utf-8")], ids=named)
def test_a_page_shows_what_happens(page: Path, sandbox: RunningSandbox, nursery: Nursery) -> None:
    """Every output that a page shows is what its command prints, but for times and ids."""
    shown = page.read_text("utf-8")
    assert normalised(shown) == normalised(as_it_happens(page, sandbox, nursery)), "renew the pages by `make readme`"


@pytest.mark.parametrize("page", FIRST_PAGES, ids=named)
def test_the_readme_begins_with_the_two_commands(page: Path) -> None:
    """A newcomer's first two commands are the first two things on the page, in every language."""
    commands = re.findall(r"^make \w+", page.read_text("utf-8"), re.MULTILINE)
    assert commands[:2] == ["make demo", "make test"]


@pytest.mark.parametrize("page", FIRST_PAGES, ids=named)
def test_the_readme_is_the_same_tour_in_every_language(page: Path) -> None:
    """The first page has the same headings, commands, steps, pictures and exit statuses in every language."""
    assert _outline(page) == _outline(ROOT / "README.md")


def _outline(page: Path) -> list[str]:
    return re.findall(
        r"^(?:#+(?= )|\$ .*|(?:make|case-importer|pipx|uv) .*?(?=  |$)|!\[|\d\. |\| \d+)",
        page.read_text("utf-8"),
        re.MULTILINE,
    )


if __name__ == "__main__":
    if sys.argv[1:] != ["--update"]:
        sys.exit(__doc__)
    for each in PAGES:
        with RunningSandbox() as crm, running() as nursery:
            each.write_text(as_it_happens(each, crm, nursery), "utf-8")
