"""What another program is told once a run has ended (`--notify`), whoever carried it out: `run`, or a worker."""

from __future__ import annotations

from dataclasses import asdict

from importer.journal import program_name
from importer.workflow.outcome.outcome import Finished


def ended(import_name: str | None, finished: Finished | None, exits_with: int) -> dict[str, object]:
    """Return the notice (`notices.deliver`) that a run has ended; what is not known of one that never began is None.

    It has counts, statuses and the report's path: no cell, no key, no sentence that could quote one.
    """
    known: dict[str, object] = dict.fromkeys(("run", "counts", "report")) | {"exit_status": exits_with}
    if finished is not None:
        counts = finished.counts
        known = {
            "exit_status": finished.exit_status,
            "run": finished.result.run,
            "counts": asdict(counts),
            "created_now": counts.created_now,
            "updated_now": counts.updated_now,
            "calls": finished.result.calls,
            "report": finished.report and str(finished.report.absolute()),
            "rehearsal": finished.result.rehearsal,
        }
    about = {"event": "ended", "command": "run", "program": program_name(), "import": import_name}
    return {**about, **known, "exits_with": exits_with}
