"""The command line as users and their shells see it: help, JSON on stdout, output that is not read."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from nursery import Nursery
from run_support import Give, Office, ticket

from importer.cli.main import COMMANDS, case_importer

HELP_WITHOUT_WAITING = """
import sys, click
from importer.cli.main import COMMANDS, case_importer
context = click.Context(case_importer)
for name in COMMANDS:
    case_importer.get_command(context, name).get_help(context)
heavy = {"pandas", "sqlalchemy", "openpyxl", "requests", "starlette", "pydantic"} & set(sys.modules)
sys.exit(", ".join(sorted(heavy)) or 0)
"""


def shell(command: str, office: Office, words: list[str]) -> subprocess.CompletedProcess[str]:
    """Give `words` to a shell's command line, as its `"$@"`."""
    called = ["/bin/sh", "-c", command, "sh", *words]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(office.folder), **office.environment}
    return subprocess.run(
        called, check=False, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", env=environment
    )


def test_help_waits_for_nothing_heavy() -> None:
    """The help of every command appears without importing anything that takes a second."""
    done = subprocess.run(
        [sys.executable, "-c", HELP_WITHOUT_WAITING], check=False, capture_output=True, text=True, encoding="utf-8"
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_says_whether_the_command_sends(command: str, give: Give) -> None:
    """Each command's help says whether it sends cases."""
    text = " ".join(give([command, "--help"]).out.split())
    sentences = ("SENDS CASES", "SEND ITS CASES", "ends nothing", "Creates no case", "CREATES ONE CASE")
    assert any(sentence in text for sentence in sentences)


def sections(help_text: str) -> dict[str, list[str]]:
    """Return the terms that a help explains, such as `--server`, by the headings above them."""
    found: dict[str, list[str]] = {}
    for line in help_text.splitlines():
        if heading := re.fullmatch(r"(\S.*):", line):
            found[heading[1]] = []
        elif found and (term := re.match(r"  (?:-\w, )?(-?[\w-]+)(?=[ \n]|$)", line)) and line[2] != " ":
            found[list(found)[-1]].append(term[1])
    return found


def test_the_help_of_run_shows_the_ten_usual_options_first(give: Give) -> None:
    """The others follow under a heading that says what they are about; none is left out or listed twice."""
    found = sections(give(["run", "--help"]).out)
    usual = ["--mapping", "--server", "--operation", "--yes", "--limit", "--only", "--only-if-all-valid", "--report"]
    assert found["Options"] == [*usual, "--json", "-v", "--help"]
    headings = ["Connection", "Pace", "Scheduled runs", "Questions, answered in advance", "Report"]
    headings += ["Journal, log and repair"]
    assert list(found) == ["Options", *headings, "Exit status"]
    assert found["Exit status"] == ["0", "1", "2", "3", "4", "5"]
    command = case_importer.get_command(click.Context(case_importer), "run")
    assert command is not None
    known = [one.opts[-1] for one in command.params if isinstance(one, click.Option)]
    assert sorted(term for terms in found.values() for term in terms if term[0] == "-") == sorted([*known, "--help"])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_has_a_line_in_the_help_of_its_command(command: str, give: Give) -> None:
    """No heading swallows an option, however few or many a command has."""
    text = give([command, "--help"]).out
    described = case_importer.get_command(click.Context(case_importer), command)
    assert described is not None
    for option in (param for param in described.params if isinstance(param, click.Option) and not param.hidden):
        assert re.search(rf"^  .*{option.opts[-1]}\b", text, re.MULTILINE)


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--limit", "0", "at least 1"),
        ("--limit", "many", "at least 1"),
        ("--limit", "1.5", "at least 1"),
        ("--concurrency", "65", "from 1 to 64"),
        ("--keep-quota", "-1", "at least 0"),
        ("--rate", "0/s", "5/s"),
        ("--rate", "fast", "5/s"),
        ("--until", "24:00", "06:30"),
        ("--quiet-period", "nan", "from 0 to 604800"),
        ("--quiet-period", "-1", "from 0 to 604800"),
        ("--quiet-period", "604801", "from 0 to 604800"),
        ("--only", "lost", "invalid"),
    ],
)
def test_a_value_that_an_option_cannot_take_is_named_with_one_that_it_can(
    option: str, value: str, words: str, office: Office, give: Give
) -> None:
    """Exit status is 2, nothing is sent, and the sentence says what to write instead."""
    office.write([ticket(1)])
    refused = give(office.arguments("run", "--yes", option, value))
    assert (refused.status, office.sandbox.posts) == (2, 0)
    assert value in refused.err
    assert words in refused.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "--json"], "SOURCE"),
        (["check", "nowhere.csv", "-m", "nowhere.yml", "--json"], "nowhere.yml"),
        (["history", "--journal", "nowhere.db", "--json"], "nowhere.db"),
    ],
)
def test_an_error_is_an_object_too(give: Give, arguments: list[str], words: str) -> None:
    """With --json a command that fails prints one object with its exit status and the reason."""
    result = give(arguments)
    assert result.status == 2
    assert (result.json["command"], result.json["exit_status"]) == (arguments[0], 2)
    assert words in result.json["reason"]


def test_an_unreachable_server_is_an_object(office: Office, give: Give) -> None:
    """With --json a server that does not answer is the reason for exit status 3."""
    office.write([ticket(1)])
    result = give([*office.arguments("run", "--yes", "--json"), "--server", "http://127.0.0.1:9"])
    assert (result.status, result.json["exit_status"]) == (3, 3)
    assert "http://127.0.0.1:9" in result.json["reason"]


def test_the_faults_of_a_mapping_are_objects(office: Office, give: Give) -> None:
    """With --json every fault of a mapping comes with its file, line and column."""
    office.write([ticket(1)])
    office.mapping.write_text("version: 1\nimport: x\nnonsense: 1\n", encoding="utf-8")
    result = give(["check", str(office.source), "-m", str(office.mapping), "--json"])
    assert result.status == 2
    assert (3, 1, "nonsense") in {(one["line"], one["column"], one["path"]) for one in result.json["faults"]}


def test_a_reader_that_goes_away_ends_no_run(office: Office, nursery: Nursery) -> None:
    """`run … 2>&1 | head -1` sends every row and writes the report, although its output is not read."""
    office.write(ticket(n) for n in range(1, 6))
    status = office.folder / "status"
    words = [*nursery.words, *office.arguments("run", "--yes", "-v")]
    shell(f'("$@" 2>&1; echo $? >"{status}") | head -n 1', office, words)
    assert status.read_text().strip() == "0"
    assert office.sandbox.posts == 5
    assert office.report.exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a file that is always full")
def test_output_that_cannot_be_written_is_said(office: Office, nursery: Nursery) -> None:
    """A full disk under the redirected output is reported, and the exit status is not 0."""
    done = shell('"$@" >/dev/full', office, [*nursery.words, "schema"])
    assert done.returncode == 3
    assert "No space left" in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a file that is always full")
def test_a_log_that_cannot_be_written_ends_no_run(office: Office, nursery: Nursery) -> None:
    """A full disk under the log shows no traceback, and every row is sent."""
    office.write([ticket(1), ticket(2)])
    done = nursery.carry_out(*office.arguments("run", "--yes", "--log-file", "/dev/full"))
    assert (done.status, office.sandbox.posts) == (0, 2)
    assert "Traceback" not in done.err


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-"])
def test_a_stream_that_the_shell_closed_is_no_fault(closed: str, office: Office, nursery: Nursery) -> None:
    """Without standard input, output or error the exit status of a command still says how it went."""
    office.write([ticket(1)])
    done = shell(f'"$@" {closed}', office, [*nursery.words, *office.arguments("run")])
    assert (done.returncode, office.sandbox.posts) == (2, 0)


def test_output_is_utf_8_wherever_it_goes(office: Office) -> None:
    """Accents arrive as UTF-8 under LANG=C, and when Python is set to write cp1252."""
    office.write([ticket(1, Estado="Resolvió 😀")])
    office.environment |= {"LC_ALL": "C", "PYTHONIOENCODING": "cp1252"}
    words = [sys.executable, "-m", "importer", *office.arguments("check")]  # how Python itself starts matters here
    done = shell('"$@"', office, [*words, "--json"])
    assert done.returncode == 1
    assert json.loads(done.stdout)["issues"][0]["value"] == "Resolvió 😀"
