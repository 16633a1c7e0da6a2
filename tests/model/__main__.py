"""Explore the model: `python -m tests.model [--deep | --update | RULE ...]`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping

from .explore import explore, without
from .rules import DEEP, SETTINGS, Rule, Setting
from .stories import story, update


def main() -> int:
    """Explore with all rules on, or print the story of each rule that is named."""
    parser = argparse.ArgumentParser(prog="python -m tests.model", description=__doc__)
    parser.add_argument("rules", nargs="*", metavar="RULE", type=Rule, help=f"one of: {', '.join(Rule)}")
    parser.add_argument("--deep", action="store_true", help="several mishaps at once; takes minutes")
    parser.add_argument("--update", action="store_true", help="update stories.md and the tables of docs/model.md")
    wanted = parser.parse_args()
    if wanted.update:
        update()
    for rule in wanted.rules:
        sys.stdout.write(f"{story(rule, without(rule))}\n")
    if wanted.update or wanted.rules:
        return 0
    return _all_hold(DEEP if wanted.deep else SETTINGS)


def _all_hold(settings: Mapping[str, Setting]) -> int:
    """Explore with all rules on, print the results, and return 1 if a promise was broken."""
    status = 0
    for name, setting in settings.items():
        started = time.process_time()
        found = explore(setting)
        seconds = time.process_time() - started
        sys.stdout.write(f"{name}: {found.moments:,} moments, {found.broken or 'all hold'}, {seconds:.1f} s\n")
        sys.stdout.write("".join(f"  {number}. {what}\n" for number, what in enumerate(found.story, 1)))
        status = 1 if found.broken else status
    return status


if __name__ == "__main__":
    sys.exit(main())
