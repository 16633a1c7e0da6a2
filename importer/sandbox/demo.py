"""The demo: a sandbox, the sample spreadsheet, and the importer as a user would start it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

from importer.commands import command_line, placeholder, shell_words
from importer.errors import UsageError
from importer.languages import VARIABLE
from importer.messages import _, language, ngettext
from importer.sandbox.server import RunningSandbox
from importer.system import itself
from importer.system.causes import reason_of

_PLACES = (Path(__file__).parent / "sample", Path(__file__).parents[2])
"""Where the sample is: in the installed package, or beside it in a checkout."""

_PARTS = ("sample_data", "mappings")
_FOLDER = Path("demo")
_SOURCE, _MAPPING = _FOLDER / "sample_data" / "legacy_tickets.xlsx", _FOLDER / "mappings" / "legacy-tickets.yml"
_REPORT = _FOLDER / "legacy_tickets.report.xlsx"
_JOURNAL = _FOLDER / "journal.db"
_STATE = _FOLDER / "state"
"""Where the importer notes how far the journal had come; each demo starts with a new one."""

_STATE_VARIABLES = ("XDG_STATE_HOME", "WIN_PD_OVERRIDE_LOCAL_APPDATA")
"""What tells platformdirs that place: on Linux and macOS, and on Windows."""

_EXPECTED_STATUSES = (0, 1)  # the sample has invalid rows on purpose


def show_demo(say: Callable[[str], object], encoding: str = "utf-8") -> int:
    """Import the sample into a simulated CRM, in the folder `demo` of the current folder; return the exit status.

    The importer writes in `encoding`. Raises UsageError where the folder cannot be used.
    """
    _lay_out()
    with RunningSandbox() as sandbox:
        words = _words(sandbox.url)
        say(_("The sandbox, a simulated CRM, is running at {url}. Now:", url=sandbox.url))
        say(f"  WOLKVOX_TOKEN=demo {shell_words('case-importer', *words)}\n")
        state = dict.fromkeys(_STATE_VARIABLES, str(_STATE.resolve()))
        environment = {**os.environ, **state, "WOLKVOX_TOKEN": "demo", VARIABLE: language()}
        done = subprocess.run(  # noqa: S603  # the program itself
            [*itself.program(), *words],
            env=environment,
            check=False,
            stdout=subprocess.PIPE,
            encoding=encoding,
            errors="replace",
        )
        status, cases = done.returncode, sandbox.store.cases
    expected = status in _EXPECTED_STATUSES
    say((_without_steps(done.stdout) if expected else done.stdout).rstrip("\n"))
    if not expected:
        say("\n" + _("The demo failed: the importer ended with exit status {status}.", status=status))
        return status
    files = sum(len(case.attachments) for case in cases)
    say("\n" + ngettext("The sandbox holds {count} case.", "The sandbox holds {count} cases.", len(cases)))
    say(ngettext("It received {count} attachment.", "It received {count} attachments.", files))
    say(_("The sample has invalid rows on purpose; the report lists each of them: {report}", report=_REPORT.resolve()))
    say(_("Next: {step}", step=_next_step()))
    return 0


def _without_steps(said: str) -> str:
    """Return what the importer said without its next steps: they lead to a sandbox and a journal that end here."""
    first = _("Next: {step}", step="")
    return "".join(takewhile(lambda line: not line.startswith(first), said.splitlines(keepends=True)))


def _next_step() -> str:
    return _(
        "Correct rows in {source} and rehearse them with `{command}`: that needs neither server nor token. With a sheet"
        " of your own, begin with `{web}` or `{draft}`.",
        source=_SOURCE,
        command=command_line("run", _SOURCE, "-m", _MAPPING, "--rehearse"),
        web=command_line("web"),
        draft=command_line("draft", placeholder("SOURCE")),
    )


def _lay_out() -> None:
    """Put a fresh sample into the folder, and remove what an earlier demo wrote there."""
    found = next(place for place in _PLACES if (place / _SOURCE.relative_to(_FOLDER)).is_file())
    try:
        _FOLDER.mkdir(exist_ok=True)
        for earlier in (*_FOLDER.glob(f"{_REPORT.stem}*{_REPORT.suffix}"), *_FOLDER.glob(f"{_JOURNAL.name}*")):
            earlier.unlink()
        if _STATE.exists():
            shutil.rmtree(_STATE)
        for part in _PARTS:
            left_out = shutil.ignore_patterns("*.py", "__pycache__", "*.report.*")
            shutil.copytree(found / part, _FOLDER / part, ignore=left_out, dirs_exist_ok=True)
    except OSError as error:
        raise UsageError(
            _(
                "Cannot use the folder {folder}: {reason}. Close its open files.",
                folder=_FOLDER.absolute(),
                reason=reason_of(error),
            )
        ) from error


def _words(url: str) -> tuple[str, ...]:
    target = ("--server", url, "--operation", "demo", "--yes")
    return ("run", str(_SOURCE), "-m", str(_MAPPING), *target, "--journal", str(_JOURNAL), "--report", str(_REPORT))
