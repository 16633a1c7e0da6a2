"""The examples for Task Scheduler, cron and systemd are what these programs read, and give commands that exist."""

from __future__ import annotations

import configparser
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
import pytest
from croniter import croniter
from defusedxml import ElementTree

from importer.cli.main import COMMANDS, case_importer

NIGHTS = Path(__file__).parent.parent / "docs" / "nights"
TASK = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
UNITS = sorted((*NIGHTS.glob("*.service"), *NIGHTS.glob("*.timer")))
WINDOWS = (NIGHTS / "task.xml", NIGHTS / "tell.ps1")


def cron_lines() -> list[tuple[str, str]]:
    """Return the schedules of the crontab, each with its command."""
    lines = (NIGHTS / "crontab").read_text("utf-8").splitlines()
    entries = [line for line in lines if line and not line.startswith("#") and not re.match(r"[A-Z]+=", line)]
    return [(" ".join(entry.split()[:5]), entry.split(maxsplit=5)[5]) for entry in entries]


def commands() -> Iterator[tuple[str, list[str]]]:
    """Yield every command of ours in the examples: where it is, and its words."""
    for _schedule, command in cron_lines():
        for part in re.split(r"&&|\|\||;", command):
            words = shlex.split(re.sub(r"\d?>.*", "", part))
            if words and words[0] == "case-importer":
                yield "crontab", words[1:]
    service = (NIGHTS / "case-importer.service").read_text("utf-8")
    yield "service", shlex.split(re.findall(r"^ExecStart=(.*)$", service, re.MULTILINE)[0])[1:]
    task = ElementTree.parse(NIGHTS / "task.xml").getroot()
    arguments = task.findtext(f"{TASK}Actions/{TASK}Exec/{TASK}Arguments")
    assert arguments
    yield "task", [word.strip('"') for word in shlex.split(arguments, posix=False)]


@pytest.mark.parametrize(
    ("where", "words"), list(commands()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_n7_every_command_of_an_example_can_be_given(
    where: str, words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its options exist and take these values; a run sends without asking, and says what is new alone."""
    monkeypatch.setattr("importer.notices.shutil.which", lambda name: name)
    assert words[0] in COMMANDS
    with click.Context(case_importer) as context:
        command = case_importer.get_command(context, words[0])
        assert command is not None
        given = command.make_context(words[0], list(words[1:]), parent=context).params
    if words[0] == "run":
        assert (given["yes"], given["fail_on"]) == (True, "new"), where


def test_n7_cron_starts_the_import_when_the_comments_say() -> None:
    """Mondays at seven, the check an hour later, the purge on the first of a month."""
    start = datetime(2026, 11, 27, 12, tzinfo=UTC)
    times = [croniter(schedule, start).get_next(datetime) for schedule, _command in cron_lines()]
    assert times == [
        datetime(2026, 11, 30, 7, tzinfo=UTC),
        datetime(2026, 11, 30, 8, tzinfo=UTC),
        datetime(2026, 12, 1, 3, 30, tzinfo=UTC),
    ]
    assert not any("%" in command for _schedule, command in cron_lines()), "cron makes a new line of it"


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_n7_a_unit_has_the_sections_of_its_kind(unit: Path) -> None:
    """Each setting is given once, in a section that systemd knows; the service waits for the cases in flight."""
    parser = configparser.ConfigParser(interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # as configparser's documentation has it
    parser.read_string(unit.read_text("utf-8"))
    own = {".service": "Service", ".timer": "Timer"}[unit.suffix]
    assert set(parser.sections()) <= {"Unit", "Install", own}
    assert parser["Unit"]["Description"]
    if unit.name == "case-importer.service":
        assert parser["Unit"]["OnFailure"] in {path.name for path in UNITS}
        assert (parser[own]["Type"], parser[own]["KillSignal"]) == ("oneshot", "SIGINT")
        assert int(parser[own]["TimeoutStopSec"]) > 120
        assert parser[own]["SuccessExitStatus"] == "3"
    if unit.suffix == ".timer":
        assert parser[own]["Persistent"] == "true"
        assert unit.with_suffix(".service") in UNITS


def test_n7_systemd_itself_finds_no_fault(tmp_path: Path) -> None:
    """Where there is one, it accepts the units, with a program that is there in place of ours."""
    if shutil.which("systemd-analyze") is None:
        return
    for unit in UNITS:
        text = unit.read_text("utf-8").replace("/usr/local/bin/case-importer", "/bin/true")
        (tmp_path / unit.name).write_text(text, "utf-8")
    units = map(str, sorted(tmp_path.iterdir()))
    found = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")


def test_n7_the_task_is_one_of_task_scheduler() -> None:
    """Its parts come in the order of the schema, and the task is neither killed nor started twice at a time."""
    task = ElementTree.parse(NIGHTS / "task.xml").getroot()
    assert task.tag == f"{TASK}Task"
    names = [part.tag.removeprefix(TASK) for part in task]
    assert names == ["RegistrationInfo", "Triggers", "Principals", "Settings", "Actions"]
    settings = {part.tag.removeprefix(TASK): part.text for part in task.find(f"{TASK}Settings") or ()}
    assert (settings["MultipleInstancesPolicy"], settings["AllowHardTerminate"]) == ("IgnoreNew", "false")
    assert (settings["ExecutionTimeLimit"], settings["StartWhenAvailable"]) == ("PT0S", "true")
    trigger = task.find(f"{TASK}Triggers/{TASK}CalendarTrigger")
    assert trigger is not None
    assert [part.tag.removeprefix(TASK) for part in trigger] == ["StartBoundary", "Enabled", "ScheduleByWeek"]
    assert datetime.fromisoformat(trigger.findtext(f"{TASK}StartBoundary") or "").weekday() == 0
    principal = task.find(f"{TASK}Principals/{TASK}Principal")
    actions = task.find(f"{TASK}Actions")
    assert principal is not None
    assert actions is not None
    assert principal.get("id") == actions.get("Context")
    assert principal.findtext(f"{TASK}RunLevel") == "LeastPrivilege"


def test_what_windows_reads_is_plain() -> None:
    """Task Scheduler and PowerShell 5.1 read no UTF-8 without a mark: the examples need none."""
    for path in WINDOWS:
        assert path.read_text("utf-8").isascii(), path.name


def test_the_page_names_every_example() -> None:
    """And no example that is not there."""
    page = (NIGHTS.parent / "nights.md").read_text("utf-8")
    assert set(re.findall(r"\(nights/([\w.-]+)\)", page)) == {path.name for path in NIGHTS.iterdir()}
