"""Whether a run that was expected has started: what nobody would notice otherwise is a night on which nothing ran."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from importer.journal import RunRecord


@dataclass(frozen=True, slots=True)
class Expected:
    """A run of an import that was to start between two times; without `by` it may start at any time since.

    Of a queued import the name may be unknown, where its mapping cannot be read.
    """

    import_name: str | None
    since: datetime
    by: datetime | None = None
    operation: str | None = None


def started(runs: Iterable[RunRecord], expected: Expected) -> RunRecord | None:
    """Return the first run that started as was expected, None where none did; how it ended does not matter."""
    found = [
        run
        for run in runs
        if run.import_name == expected.import_name
        and expected.operation in {None, run.operation}
        and expected.since <= run.started_at
        and (expected.by is None or run.started_at <= expected.by)
    ]
    return min(found, key=lambda run: run.started_at, default=None)


def not_started(expected: Expected) -> dict[str, object]:
    """Return the notice (`notices.deliver`) that a run did not start in time."""
    return {
        "event": "not-started",
        "command": "run",
        "import": expected.import_name,
        "since": expected.since.isoformat(timespec="seconds"),
        "by": expected.by and expected.by.isoformat(timespec="seconds"),
    }
