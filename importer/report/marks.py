"""The lines of the sheet Details that a program reads back, whatever the language of the report.

A version that does not know a mark passes it over, so that what is added is a mark of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice

_JOURNAL_MARK = re.compile(r"WCJ-([0-9a-f]{8}) #([0-9]{1,18})")


def journal_mark(journal_id: str, attempt_id: int) -> str:
    """Return how far a journal had come, in a form that is recognised in every language."""
    return f"WCJ-{journal_id[:8]} #{attempt_id}"


def read_journal_mark(text: str) -> tuple[str, int] | None:
    """Return the beginning of a journal's id and an attempt's number where the text is such a mark."""
    found = _JOURNAL_MARK.fullmatch(text.strip())
    return (found[1], int(found[2])) if found else None


_NAME_MARK = "WCN "


def name_mark(scope: tuple[str, str, str]) -> str:
    """Return the tenant, operation and name of an import, in a form that is recognised in every language."""
    return _NAME_MARK + json.dumps(scope, ensure_ascii=False)


def read_name_mark(text: str) -> tuple[str, str, str] | None:
    """Return the tenant, operation and name of an import where the text is such a mark."""
    with suppress(ValueError):
        found = json.loads(text.removeprefix(_NAME_MARK)) if text.startswith(_NAME_MARK) else None
        if isinstance(found, list) and len(found) == 3 and all(isinstance(part, str) for part in found):
            return found[0], found[1], found[2]
    return None


_RUNS_MARK = re.compile(r"WCR-([0-9a-f]{8})((?: [0-9]{1,18})+)")


def runs_mark(journal_id: str, runs: Iterable[int]) -> str:
    """Return from which runs of a journal the cells of a report are, in a form that every language recognises."""
    return " ".join((f"WCR-{journal_id[:8]}", *map(str, runs)))


def read_runs_mark(text: str) -> tuple[str, tuple[int, ...]] | None:
    """Return the beginning of a journal's id and the numbers of runs where the text is such a mark."""
    found = _RUNS_MARK.fullmatch(text.strip())
    return (found[1], tuple(map(int, found[2].split()))) if found else None


_KEYS_MARK = "WCK "
_KEYS_IN_A_MARK = 350
"""Of 86 characters each; a cell of Excel holds 32,767."""

MOST_KEYS_MARKS = 100


def keys_marks(uncorrected: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield texts that tell, by reference, the digests of keys that rows had before they were corrected."""
    pairs = (f"{reference}:{digest}" for reference, digest in uncorrected)
    for _mark in range(MOST_KEYS_MARKS):
        if some := " ".join(islice(pairs, _KEYS_IN_A_MARK)):
            yield _KEYS_MARK + some


def read_keys_mark(text: str) -> list[tuple[str, str]]:
    """Return the references and digests where the text is such a mark."""
    return re.findall(r"(WCI-\w{16}):([0-9a-f]{64})", text) if text.startswith(_KEYS_MARK) else []
