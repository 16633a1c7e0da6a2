"""A bundle for asking for help: what somebody needs to find a fault, and nothing of tickets, people and places.

What is in it is listed field by field; nothing is copied and then cleaned. Names of hosts, operations, imports, files
and users are left out or numbered, and of an error only its kind is told, since a sentence may quote a cell.
"""

from __future__ import annotations

import json
import os
import platform
import re
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from importer.errors import ImporterError
from importer.journal import Journal, RunRecord, waiting_for_journal
from importer.journal_place import Place, Server, may_be_there
from importer.mapping import masked_outline
from importer.messages import _, language
from importer.model import Status, Verdict
from importer.settings import load_settings
from importer.system.hosts import is_loopback

_PATIENCE = 5.0
"""Seconds to wait for a journal that another program has locked."""

_RUNS = 50
_LINES = 2_000
_TAIL = 1_000_000
"""Bytes of a log that are read from its end."""

_VARIABLES = (
    *("WOLKVOX_TOKEN", "WOLKVOX_TOKEN_FILE", "WOLKVOX_SERVER", "WOLKVOX_OPERATION", "WOLKVOX_JOURNAL"),
    *("WOLKVOX_CASE_URL", "CASE_IMPORTER_LANG", "PYTHONIOENCODING", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
)
_EVENTS = frozenset({"attempt"})
_LEVELS = frozenset({"debug", "info", "warning", "error", "critical"})
_STATES = frozenset({*map(str, Status), *map(str, Verdict)})
_LARGEST = {"run": 1e6, "seconds": 1e5, "http_status": 1e3, "bytes": 1e11}
_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+\d\d:\d\d|Z)?")


@dataclass(frozen=True, slots=True)
class Member:
    """A file of the bundle: its name, what it has, in words, and its content."""

    name: str
    what: str
    content: str


def make_bundle(journal: Place, *, mapping: Path | None = None, log: Path | None = None) -> list[Member]:
    """Return what would be in the bundle; nothing is written and nothing is sent."""
    members = [
        Member("program.json", _("versions, system, language"), _json(_program())),
        Member(
            "settings.json",
            _("which settings and variables are there; none of their values"),
            _json(_guarded(_settings)),
        ),
        Member(
            "journal.json",
            _("whether the journal is sound, how many rows are in each state, the last runs with their counts"),
            _json(_guarded(lambda: _journal(journal))),
        ),
    ]
    if log is not None:
        lines = "".join(json.dumps(line) + "\n" for line in _log(log))
        members.append(Member("log.jsonl", _("the end of the log: times, states and codes; rows by numbers"), lines))
    if mapping is not None:
        outline = _json(_guarded(lambda: masked_outline(mapping)))
        members.append(Member("mapping.json", _("the outline of the mapping, with every text masked"), outline))
    return members


def write_bundle(members: Iterable[Member], path: Path) -> None:
    """Write a bundle as a new zip file; raises OSError, also where the file exists."""
    try:
        with path.open("xb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
            for member in members:
                bundle.writestr(zipfile.ZipInfo(member.name), member.content.encode("utf-8"), zipfile.ZIP_DEFLATED)
    except FileExistsError:
        raise
    except OSError:
        path.unlink(missing_ok=True)
        raise


def _json(value: object) -> str:
    return json.dumps(value, indent=1, default=str) + "\n"


def _guarded(read: Callable[[], Mapping[str, object]]) -> Mapping[str, object]:
    """Return what is read, or of an error only its kind."""
    try:
        return read()
    except (ImporterError, OSError) as error:
        return {"error": type(error).__name__}


def _program() -> dict[str, object]:
    return {
        "version": version("wolkvox-case-importer"),
        "python": platform.python_version(),
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "bundled": bool(getattr(sys, "frozen", False)),
        "language": language(),
        "encoding": getattr(sys.stdout, "encoding", None),
        "terminal": bool(sys.stderr is not None and sys.stderr.isatty()),
        "packages": dict(_packages()),
    }


def _packages() -> Iterator[tuple[str, str | None]]:
    for line in requires("wolkvox-case-importer") or ():
        if 'extra == "dev"' not in line and (name := re.match(r"[\w.-]+", line)):
            try:
                yield name[0], version(name[0])
            except PackageNotFoundError:
                yield name[0], None


def _settings() -> dict[str, object]:
    found = load_settings()
    return {
        "exists": found.exists,
        "server": found.server and ("loopback" if is_loopback(found.server) else "named"),
        "retention": found.retention and str(found.retention),
        "folders": len(found.folders),
        "trusted": len(found.trusted),
        **{
            name: getattr(found, name) is not None
            for name in ("operation", "proxy", "case_url", "token_file", "ca_file", "journal")
        },
        "variables": [name for name in _VARIABLES if os.environ.get(name) or os.environ.get(name.lower())],
    }


def _journal(place: Place) -> dict[str, object]:
    if not may_be_there(place):
        return {"exists": False}
    with waiting_for_journal(_PATIENCE), Journal(place) as journal:
        standing, runs = journal.standing, journal.runs.all()
        return {
            "exists": True,
            "on_server": isinstance(place, Server),
            "bytes": None if isinstance(place, Server) else place.stat().st_size,
            "standing": standing.kind,
            "attempts": standing.has,
            "mark": standing.known,
            "damages": len(journal.check()),
            "states": {str(state): number for state, number in sorted(journal.copies.states().items())},
            "runs": [_run(run) for run in runs[:_RUNS]],
            "all_runs": len(runs),
        }


def _run(run: RunRecord) -> dict[str, object]:
    """Return a run by numbers alone; its import is one too."""
    return {
        "run": run.id,
        "import": run.import_id,
        "program": run.start.program,
        "started_at": run.started_at.isoformat(),
        "ended_at": run.ended_at and run.ended_at.isoformat(),
        "calls": run.calls,
        "exit_status": run.exit_status,
        "counts": run.counts and asdict(run.counts),
        "corrections": run.start.corrections_digest is not None,
    }


def _log(path: Path) -> Iterator[dict[str, object]]:
    """Yield the last lines of a log, each made of what is known to be ours; a reference is a number."""
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
        lines = file.read().splitlines()[-_LINES:]
    numbers: dict[object, int] = {}
    for line in lines:
        try:
            written = json.loads(line)
        except ValueError:
            continue
        if isinstance(written, dict):
            yield dict(_facts(written, numbers))


def _facts(written: Mapping[str, object], numbers: dict[object, int]) -> Iterator[tuple[str, object]]:
    at, level, event, state = (str(written.get(name, "")) for name in ("at", "level", "event", "state"))
    if _AT.fullmatch(at):
        yield "at", at
    if level in _LEVELS:
        yield "level", level
    yield "event", event if event in _EVENTS else "other"
    if state in _STATES:
        yield "state", state
    if isinstance(reference := written.get("reference"), str):
        yield "row", numbers.setdefault(reference, len(numbers) + 1)
    for name, limit in _LARGEST.items():
        value = written.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < limit:
            yield name, value
    if re.fullmatch(r"\d{1,4}", code := str(written.get("code", ""))):
        yield "code", code
