"""The demo: a sandbox, the sample spreadsheet, and the importer as a user would start it."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

from importer.causes import reason_of
from importer.messages import _, ngettext
from importer.sandbox.server import RunningSandbox

_SOURCE = Path("sample_data/legacy_tickets.xlsx")
_MAPPING = Path("mappings/legacy-tickets.yml")
_FOLDER = Path("demo")
_REPORT = _FOLDER / "legacy_tickets.report.xlsx"
_JOURNAL = _FOLDER / "journal.db"
_STATE = _FOLDER / "state"
"""Where the importer notes how far the journal had come; each demo starts with a new one."""

_EXPECTED_STATUSES = (0, 1)  # the sample has invalid rows on purpose


def main() -> int:
    """Run the demo in the current folder, and return its exit status."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal that lacks a letter shows the others
    try:
        _FOLDER.mkdir(exist_ok=True)
        for earlier in (*_FOLDER.glob(f"{_REPORT.stem}*{_REPORT.suffix}"), *_FOLDER.glob(f"{_JOURNAL.name}*")):
            earlier.unlink()
        if _STATE.exists():
            shutil.rmtree(_STATE)
    except OSError as error:
        _say(
            _(
                "Cannot use the folder {folder}: {reason}. Close its open files.",
                folder=_FOLDER,
                reason=reason_of(error),
            )
        )
        return 2
    with RunningSandbox() as sandbox:
        command = _command(sandbox.url)
        _say(_("The sandbox, a simulated CRM, is running at {url}. Now:", url=sandbox.url))
        _say(f"  WOLKVOX_TOKEN=demo case-importer {' '.join(command)}\n")
        status = subprocess.run(  # noqa: S603  # the program itself
            [sys.executable, "-c", "from importer.cli.main import main; main()", *command],
            env={**os.environ, "WOLKVOX_TOKEN": "demo", "XDG_STATE_HOME": str(_STATE.resolve())},
            check=False,
        ).returncode
        cases = sandbox.store.cases
    if status not in _EXPECTED_STATUSES:
        _say("\n" + _("The demo failed: the importer ended with exit status {status}.", status=status))
        return status
    files = sum(len(case.attachments) for case in cases)
    _say("\n" + ngettext("The sandbox holds {count} case.", "The sandbox holds {count} cases.", len(cases)))
    _say(ngettext("It received {count} attachment.", "It received {count} attachments.", files))
    _say(_("The sample has invalid rows on purpose; the report lists each of them: {report}", report=_REPORT.resolve()))
    return 0


def _command(url: str) -> list[str]:
    target = ["--server", url, "--operation", "demo", "--yes"]
    return ["run", str(_SOURCE), "-m", str(_MAPPING), *target, "--journal", str(_JOURNAL), "--report", str(_REPORT)]


def _say(sentence: str) -> None:
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()  # so that it appears before the importer's own output


if __name__ == "__main__":
    sys.exit(main())
