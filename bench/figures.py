"""What is measured: each figure is a whole command beside another or beside a limit, and has a goal."""

from __future__ import annotations

import itertools
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from bench.measure import ROOT, Command, Process, measure, pairs, serving

IMPORTER = [sys.executable, "-m", "importer"]  # of this checkout, whichever `case-importer` is installed
MAPPING, WITH_ATTACHMENTS = ROOT / "bench" / "tickets.yml", ROOT / "bench" / "attachments.yml"
CHECKED = 50_000
CORRECTED = 20_000
SENT = 5_000
LATENCY = 0.3  # seconds; what the CRM takes for a call
ROUNDS = {2: 60, 16: 50}  # by workers: how many answers each of them waits for
WORKERS, ROWS_EACH = (1, 2, 4), 600  # on a PostgreSQL journal, with two requests at once each
MILLION = 1_000_000
SENT_OF_A_MILLION = 1_000
HUGE = 2_000_000_000
CHECKED_SIZES, SENT_SIZES = (1_000, 10_000, 100_000), (400, 4_000, 40_000)
NOISE = 0.001  # seconds per 1,000 rows; below that the start-up varies more than the rows take
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
    """One size of a growth series: seconds per 1,000 rows beyond the first row, and the peak in MB."""

    command: str
    rows: int
    seconds_per_thousand: float
    peak_mb: float


@dataclass(frozen=True)
class Measured:
    """What one measurement gives."""

    figures: list[Figure]
    steps: list[Step] = field(default_factory=list)


def check_speed() -> Measured:
    """Compare `check` with reading alone."""
    source = _table("check.xlsx", CHECKED)
    read = f"import pandas; pandas.read_excel({str(source)!r}, engine='calamine')"
    ours, theirs = pairs(lambda: _check(source), lambda: [sys.executable, "-c", read], times=5)
    return _ratio(f"`check`, {CHECKED:,} x 12 XLSX", "`pandas.read_excel` alone", ours, theirs, 3.5)


def run_speed() -> Measured:
    """Compare `run` with the script that a user would write, where the CRM answers at once."""
    source = _table("run.xlsx", SENT)
    with serving() as server:
        script = [sys.executable, str(ROOT / "bench" / "user_script.py"), str(source), server, "script.xlsx"]
        ours, theirs = pairs(lambda: _run(source, server), lambda: script)
    return _ratio(f"`run`, {SENT:,} rows, 2 workers, no latency", "a user's own script", ours, theirs, 1.0)


def page_speed() -> Measured:
    """Compare a run from the office's page, which proposes it first and shows its progress, with the command."""
    source = _table("page.xlsx", SENT)
    with serving() as server:
        page, command = pairs(lambda: _click(source, server), lambda: _run(source, server))
    return _ratio(f"from the page, {SENT:,} rows, no latency", "`run` of the same rows", page, command, 1.1)


def latency_bound(workers: int) -> Measured:
    """Compare `run` against a CRM as slow as the real one with its latency alone; a run of one row is the start-up."""
    rows = ROUNDS[workers] * workers + 1  # one row is in the start-up too, so full rounds are left
    source = _table(f"latency-{workers}.xlsx", rows)
    options = ("--concurrency", str(workers))
    with serving(LATENCY) as server:
        all_rows, one_row = pairs(
            lambda: _run(source, server, *options),
            lambda: _run(source, server, *options, "--limit", "1"),
            allowed=(0, 3),
        )
    least = (rows - 1) * LATENCY / workers
    what = f"`run`, {rows} rows, {1000 * LATENCY:.0f} ms latency, {workers} workers, without start-up"
    return _ratio(what, "rows x latency / workers", all_rows - one_row, least, 1.03)


def correcting() -> Measured:
    """Measure the slowest answers of the page Correct: one value of many cells is corrected in a large sheet."""
    source = _table("correct.xlsx", CHECKED, faulty=CORRECTED)
    state = f"XDG_STATE_HOME={Path('correct-state').absolute()}"
    measure(["env", state, sys.executable, "-m", "bench.correcting", str(source), str(MAPPING)])
    seconds = json.loads(Path("last.log").read_text("utf-8"))
    names = {
        "show": f"the page Correct, {CHECKED:,} rows",
        "one": "one cell corrected in it",
        "all": f"one value corrected in {CORRECTED:,} of them",
        "meanwhile": "the page while they are checked again",
    }
    slowest = "the slowest answer"
    return Measured([
        Figure(what, slowest, _seconds(seconds[name]), "", seconds[name], 0.5, " s") for name, what in names.items()
    ])  # fmt: skip


def start_up() -> Measured:
    """Compare `--help` with an empty Python."""
    ours, theirs = pairs(lambda: [*IMPORTER, "--help"], lambda: [sys.executable, "-c", "pass"], times=9)
    names = "`python -m importer --help`", "`python -c pass`"
    return Measured([Figure(*names, _seconds(ours), _seconds(theirs), round(ours - theirs, 2), 0.25, " s more")])


def huge_attachment() -> Measured:
    """Measure the memory that a row with an attachment of 2 GB takes."""
    source = _table("huge.csv", 1, HUGE)
    with serving() as server:
        run = measure(_run(source, server, mapping=WITH_ATTACHMENTS))
    return Measured([_peak(f"`run`, one attachment of {HUGE / 1e9:g} GB", run, 250)])


def million_rows() -> Measured:
    """Measure the memory of a million rows: all are read, planned and reported, and some of them sent."""
    source = _table("million.csv", MILLION)
    with serving() as server:
        check = measure(_check(source))
        run = measure(_run(source, server, "--limit", str(SENT_OF_A_MILLION)), allowed=(3,))
    return Measured([
        _peak(f"`check`, {MILLION:,} rows of CSV", check, 400),
        _peak(f"`run --limit {SENT_OF_A_MILLION}`, {MILLION:,} rows of CSV", run, 400),
    ])  # fmt: skip


def million_cases() -> Measured:
    """Measure the memory of a run that sends a million rows."""
    source = _table("million.csv", MILLION)
    with serving() as server:
        return Measured([_peak(f"`run`, {MILLION:,} rows of CSV", measure(_run(source, server)), 400)])


def growth() -> Measured:
    """Measure `check`, `run` and `run` again at growing sizes; a row of the largest costs what it does before."""
    checks = _series(CHECKED_SIZES, ["check"], lambda source, _: [_check(source)])
    runs = _series(SENT_SIZES, ["run", "run again"], lambda source, server: [_run(source, server)] * 2)
    sent = [step for step in runs if step.command == "run"]
    return Measured([_grown(*checks[-2:]), _grown(*sent[-2:])], [*checks, *runs])


def _series(sizes: Sequence[int], names: Sequence[str], commands: Callable[[Path, str], list[Command]]) -> list[Step]:
    """Measure commands in turn at growing sizes: the median of three times, and once at the largest size."""
    taken: dict[int, list[Process]] = {}
    for rows in (1, *sizes):
        source = _table(f"growth-{rows}.csv", rows)
        with serving() as server:
            rounds = [
                [measure(command) for command in commands(source, server)] for _ in range(1 if rows == sizes[-1] else 3)
            ]
        taken[rows] = [
            sorted(each, key=lambda process: process.seconds)[len(each) // 2] for each in zip(*rounds, strict=True)
        ]
    return [
        Step(name, rows, max(NOISE, 1000 * (process.seconds - first.seconds) / (rows - 1)), process.peak_mb)
        for rows in sizes
        for name, process, first in zip(names, taken[rows], taken[1], strict=True)
    ]


def _grown(small: Step, large: Step) -> Figure:
    """Compare the seconds per 1,000 rows of two sizes of one command."""
    what = f"`{large.command}`, each 1,000 of {large.rows:,} rows"
    ours, theirs = large.seconds_per_thousand, small.seconds_per_thousand
    against = f"the same of {small.rows:,} rows"
    return Figure(what, against, f"{ours:.3f} s", f"{theirs:.3f} s", round(ours / theirs, 2), 1.1)


def machines() -> Measured:
    """Compare several workers on a PostgreSQL journal with one: each has the same number of rows to send."""
    found = {}
    for workers in WORKERS:
        words = [sys.executable, "-m", "bench.machines", str(workers), str(workers * ROWS_EACH), str(LATENCY)]
        measure(words)
        found[workers] = json.loads(Path("last.log").read_text("utf-8").splitlines()[-1])
    one, each = found[1], f"{ROWS_EACH} rows each, {1000 * LATENCY:.0f} ms latency, `work --concurrency 2`, PostgreSQL"
    return Measured([
        Figure(
            f"{workers} workers, {each}",
            "1 worker",
            _cost(found[workers]),
            _cost(one),
            round(found[workers]["seconds"] / one["seconds"], 3),
            1.11,
        )
        for workers in WORKERS[1:]
    ])  # fmt: skip


def _cost(found: dict[str, float]) -> str:
    cpu = f"{found['cpu']:.0f} + {found['cpu_of_server']:.0f} ms of CPU a row"
    return f"{_seconds(found['seconds'])}, {found['rate']:.1f} rows/s, {cpu}"


MEASUREMENTS: dict[str, Callable[[], Measured]] = {
    "latency-2": partial(latency_bound, 2),
    "latency-16": partial(latency_bound, 16),
    "run": run_speed,
    "page": page_speed,
    "check": check_speed,
    "correcting": correcting,
    "help": start_up,
    "huge-attachment": huge_attachment,
    "million": million_rows,
    "million-cases": million_cases,
    "growth": growth,
    "machines": machines,
}
ONLY_BY_NAME = {"million-cases"}  # takes half an hour


def _check(source: Path) -> Command:
    return [*IMPORTER, "check", str(source), "-m", str(MAPPING)]


def _run(source: Path, server: str, *options: str, mapping: Path = MAPPING) -> Command:
    """Return a run with a journal, a report and a folder of state of its own: no run knows of another's journal."""
    folder = Path(f"run-{next(_fresh)}")
    folder.mkdir()
    files = ["--journal", str(folder / "journal.sqlite"), "--report", str(folder / "report.xlsx")]
    # This CRM's quota never ends; a spot check would take that for leave to search for every row.
    target = ["--server", server, "--operation", "bench", "--yes", "--spot-check", "0"]
    state = f"XDG_STATE_HOME={folder.absolute()}"
    return ["env", state, *IMPORTER, "run", str(source), "-m", str(mapping), *target, *files, *options]


def _click(source: Path, server: str) -> Command:
    """Return a run from the page, in a folder of its own: the report goes beside the source."""
    folder = Path(f"run-{next(_fresh)}").absolute()
    folder.mkdir()
    copy = shutil.copy(source, folder)
    state = f"XDG_STATE_HOME={folder}"
    clicks = [sys.executable, "-m", "bench.clicks", str(copy), str(MAPPING), server, str(folder / "journal.sqlite")]
    return ["env", state, *clicks]


def _table(name: str, rows: int, attachment_bytes: int = 0, faulty: int = 0) -> Path:
    """Return a generated table, made by a process of its own, in a folder of its own."""
    file = Path(name).absolute().with_suffix("") / name
    if not file.exists():
        file.parent.mkdir()
        measure([sys.executable, "-m", "bench.data", *map(str, (file, rows, attachment_bytes, faulty))])
    return file


def _ratio(what: str, against: str, ours: float, theirs: float, goal: float) -> Measured:
    return Measured([Figure(what, against, _seconds(ours), _seconds(theirs), round(ours / theirs, 3), goal)])


def _peak(what: str, process: Process, goal: float) -> Figure:
    return Figure(what, "peak of the process", _seconds(process.seconds), "", round(process.peak_mb), goal, " MB")


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s"
