"""The figures: each a command against another, both run in turn, and the goal that their ratio has."""

from __future__ import annotations

import base64
import itertools
import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from bench.measure import ROOT, Command, Process, measure, pairs, serving

IMPORTER = str(Path(sys.executable).with_name("case-importer"))
MAPPING, WITH_ATTACHMENTS = ROOT / "bench" / "tickets.yml", ROOT / "bench" / "attachments.yml"
LATENCY = 0.1
GROWTH = (1_000, 10_000, 100_000, 1_000_000)
NOISE = 0.001  # seconds per 1,000 rows below which a start-up's own variation is larger
_fresh = itertools.count()


@dataclass(frozen=True)
class Figure:
    """One line of the table: what was measured against what, both as shown, and the value that has a goal."""

    what: str
    against: str
    measured: str
    compared: str
    value: float
    goal: float
    unit: str = ""


@dataclass(frozen=True)
class Step:
    """One size of the growth series: by command, seconds per 1,000 rows beyond the first row, and the peak in MB."""

    rows: int
    seconds_per_thousand: dict[str, float]
    peak_mb: dict[str, float]


def check_speed() -> Figure:
    """Compare `check` with reading alone."""
    source = _table("check.xlsx", 50_000)
    read = f"import pandas; pandas.read_excel({str(source)!r}, engine='calamine')"
    ours, theirs = pairs(lambda: _check(source), lambda: [sys.executable, "-c", read])
    return _ratio("`check`, 50,000 x 12 XLSX", "`pandas.read_excel` alone", ours, theirs, 2.5)


def run_speed() -> Figure:
    """Compare `run` with the script that a user would write."""
    source = _table("run.xlsx", 5_000)
    with serving() as server:
        script = [sys.executable, str(ROOT / "bench" / "user_script.py"), str(source), server, "script.xlsx"]
        ours, theirs = pairs(lambda: _run(source, server), lambda: script)
    return _ratio("`run --yes`, 5,000 rows, 2 workers", "a user's own script", ours, theirs, 0.5)


def latency_bound(workers: int, goal: float) -> Figure:
    """Compare `run` against a slow CRM with what its latency alone takes; the same run of one row is the start-up."""
    rows = 500
    source = _table("latency.xlsx", rows)
    options = ("--concurrency", str(workers))
    with serving(LATENCY) as server:
        all_rows, one_row = pairs(
            lambda: _run(source, server, *options),
            lambda: _run(source, server, *options, "--limit", "1"),
            allowed=(0, 3),
        )
    least = (rows - 1) * LATENCY / workers
    what = f"`run`, {rows} rows, 100 ms latency, {workers} workers, without start-up"
    return _ratio(what, "rows x latency / workers", all_rows - one_row, least, goal)


def rerun_speed() -> Figure:
    """Compare a run of rows that are all created with a check of them."""
    source = _table("check.xlsx", 50_000)
    with serving() as server:
        again = _run(source, server)
        measure(again)
        ours, theirs = pairs(lambda: again, lambda: _check(source))
    return _ratio("`run` again, 50,000 created rows", "`check` of the same file", ours, theirs, 1.3)


def attachment_speed() -> Figure:
    """Compare the sending of attachments with curl and bodies that are ready."""
    source = _attached()
    with serving() as server:
        curl = _curl(server)
        ours, theirs = pairs(lambda: _run(source, server, mapping=WITH_ATTACHMENTS), lambda: curl)
    return _ratio("`run`, 200 attachments of 5 MB, 2 workers", "`curl`, bodies ready, 2 at a time", ours, theirs, 1.3)


def attachment_speed_alone() -> Figure:
    """Compare the same without start-up, ours being the same run of one row, and curl's being to say its version."""
    source = _attached()
    with serving() as server:
        curl = _curl(server)
        all_rows, one_row = pairs(
            lambda: _run(source, server, mapping=WITH_ATTACHMENTS),
            lambda: _run(source, server, "--limit", "1", mapping=WITH_ATTACHMENTS),
            allowed=(0, 3),
        )
        all_bodies, no_body = pairs(lambda: curl, lambda: ["curl", "--version"])
    what = "`run`, 200 attachments of 5 MB, 2 workers, without start-up"
    return _ratio(what, "`curl`, bodies ready, 2 at a time", all_rows - one_row, all_bodies - no_body, 1.3)


def start_up() -> Figure:
    """Compare `--help` with an empty Python."""
    ours, theirs = pairs(lambda: [IMPORTER, "--help"], lambda: [sys.executable, "-c", "pass"], times=9)
    names = "`case-importer --help`", "`python -c pass`"
    return Figure(*names, _seconds(ours), _seconds(theirs), round(ours - theirs, 2), 0.25, " s more")


def huge_attachment() -> Figure:
    """Look at the memory that a row with 2 GB takes."""
    source = _table("huge.csv", 1, 2_000_000_000)
    with serving() as server:
        run = measure(_run(source, server, mapping=WITH_ATTACHMENTS))
    return _peak("`run`, one attachment of 2 GB", run, 250)


def growth(largest: int) -> tuple[list[Step], list[Figure]]:
    """Measure `check`, `run` and `run` again at growing sizes; the largest gives the figures of memory."""
    first = _series(1)
    steps = []
    for rows in (size for size in GROWTH if size <= largest):
        taken = _series(rows)
        pace = {name: max(NOISE, 1000 * (taken[name].seconds - first[name].seconds) / (rows - 1)) for name in taken}
        steps.append(Step(rows, pace, {name: process.peak_mb for name, process in taken.items()}))
    return steps, [_peak(f"`{name}`, {rows:,} rows of CSV", taken[name], 400) for name in ("check", "run")]


def _series(rows: int) -> dict[str, Process]:
    """Measure the three commands in turn, small tables several times; return the median of each by its seconds."""
    source = _table(f"growth-{rows}.csv", rows)
    taken: dict[str, list[Process]] = {"check": [], "run": [], "run again": []}
    with serving() as server:
        for _ in range(5 if rows <= 10_000 else 1):
            run = _run(source, server)
            for name, command in zip(taken, (_check(source), run, run), strict=True):
                taken[name].append(measure(command))
    return {
        name: sorted(processes, key=lambda each: each.seconds)[len(processes) // 2] for name, processes in taken.items()
    }


FIGURES: dict[str, Callable[[], Figure]] = {
    "check": check_speed,
    "run": run_speed,
    "latency-2": partial(latency_bound, 2, 1.05),
    "latency-16": partial(latency_bound, 16, 1.15),
    "rerun": rerun_speed,
    "attachments": attachment_speed,
    "attachments-alone": attachment_speed_alone,
    "help": start_up,
    "huge-attachment": huge_attachment,
}


def _check(source: Path) -> Command:
    return [IMPORTER, "check", str(source), "-m", str(MAPPING)]


def _run(source: Path, server: str, *options: str, mapping: Path = MAPPING) -> Command:
    """Return a run with a journal and a report of its own."""
    folder = Path(f"run-{next(_fresh)}")
    folder.mkdir()
    places = ["--journal", str(folder / "journal.sqlite"), "--report", str(folder / "report.xlsx")]
    where = ["--server", server, "--operation", "bench", "--yes"]
    return [IMPORTER, "run", str(source), "-m", str(mapping), *where, *places, *options]


def _table(name: str, rows: int, attachment_bytes: int = 0) -> Path:
    """Return a generated table, made by a process of its own, in a folder of its own."""
    file = Path(name).absolute().with_suffix("") / name
    if not file.exists():
        file.parent.mkdir()
        measure([sys.executable, "-m", "bench.data", str(file), str(rows), str(attachment_bytes)])
    return file


def _attached() -> Path:
    """Return a table of 200 rows, each with an attachment of 5 MB."""
    return _table("attachments.csv", 200, 5_000_000)


def _curl(server: str) -> Command:
    """Return curl sending bodies that are ready, two at a time."""
    return ["curl", "--config", str(_curl_config(server)), "--parallel", "--parallel-max", "2"]


def _curl_config(server: str) -> Path:
    """Write bodies like those of the importer, and what tells curl to send them one by one."""
    folder = Path("bodies")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    requests = []
    for file in sorted(Path("attachments", "adjuntos").iterdir()):
        body = folder / f"{file.stem}.json"
        body.write_text(json.dumps({"attachments": [base64.b64encode(file.read_bytes()).decode()]}), "ascii")
        requests.append(
            f'url = "{server}/server/API/v2/cases/insertAttach.php"\nrequest = "POST"\nupload-file = "{body}"\n'
            'header = "Content-Type: application/json"\nheader = "Expect:"\noutput = "/dev/null"\nsilent\nfail\n'
        )
    config = Path("curl.config")
    config.write_text("next\n".join(requests), "utf-8")
    return config


def _ratio(what: str, against: str, ours: float, theirs: float, goal: float) -> Figure:
    return Figure(what, against, _seconds(ours), _seconds(theirs), round(ours / theirs, 2), goal)


def _peak(what: str, process: Process, goal: float) -> Figure:
    return Figure(
        what, "the system's own accounting", _seconds(process.seconds), "", round(process.peak_mb), goal, " MB"
    )


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s"


def as_json(item: Figure | Step) -> dict[str, object]:
    """Return what bench/results.json keeps."""
    return asdict(item)
