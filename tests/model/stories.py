"""The results for people to read: `stories.md` beside this file, and the tables of `docs/model.md`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from .explore import Explored, explore, without
from .rules import RULES, SETTINGS, Rule

STORIES = Path(__file__).with_name("stories.md")
PAGE = Path(__file__).parents[2] / "docs" / "model.md"


def story(rule: Rule, found: Explored) -> str:
    """Return the shortest story in which a promise breaks without a rule."""
    reason = RULES[rule]
    steps = [f"{number}. {what}." for number, what in enumerate(found.story, 1)]
    broken = f"Broken: {found.broken}." if found.broken else "No promise is broken."
    lines = [f"## Without `{rule}`", "", reason.rule, f"Without it: {reason.without}", "", *steps, "", broken]
    return "\n".join(lines) + "\n"


def everything(name: str, found: Explored) -> str:
    """Return every kind of step that an exploration with all rules on has taken."""
    steps = [f"- {kind}" for kind in sorted(found.kinds)]
    return "\n".join([f"## All rules on: {name}", "", f"{found.moments:,} moments. In them:", "", *steps]) + "\n"


def line_of_setting(name: str, found: Explored) -> str:
    """Return an exploration's line in the page's table."""
    return f"| {name} | {found.moments:,} |"


def line_of_rule(rule: Rule, found: Explored) -> str:
    """Return a rule's line in the page's table."""
    reason = RULES[rule]
    return f"| `{rule}` | {reason.rule} | {reason.without} | {found.broken or '-'} | {len(found.story)} |"


def update() -> None:
    """Explore everything and write the results to both files."""
    with_all = {name: explore(setting) for name, setting in SETTINGS.items()}
    without_one = {rule: without(rule) for rule in Rule}
    texts = [
        "# Stories of the model\n\nWritten by `python -m tests.model --update`; `tests/test_model.py` compares them.\n",
        *(everything(name, found) for name, found in with_all.items()),
        *(story(rule, found) for rule, found in without_one.items()),
    ]
    STORIES.write_text("\n".join(texts), "utf-8")
    settings = (line_of_setting(name, found) for name, found in with_all.items())
    rules = (line_of_rule(rule, found) for rule, found in without_one.items())
    page = _replaced(PAGE.read_text("utf-8"), "| exploration |", settings)
    PAGE.write_text(_replaced(page, "| name |", rules), "utf-8")


def _replaced(page: str, heading: str, lines: Iterator[str]) -> str:
    """Return the page with the lines of one of its tables replaced."""
    before, head, rest = page.partition(f"\n{heading}")
    title, dashes, after = rest.split("\n", 2)
    old = after.split("\n\n", 1)[1]
    return "\n".join([before + head + title, dashes, *lines]) + "\n\n" + old
