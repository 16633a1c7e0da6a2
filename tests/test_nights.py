"""What a scheduled run tells its scheduler: exit statuses by --fail-on, and the program of --notify."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from journal_support import SampleJournal
from promise_support import impatient, tickets
from run_support import Give, Office

from importer.cli.summary import summary
from importer.journal import Journal, RunRecord
from importer.notices import command_words, deliver
from importer.sandbox import RunningSandbox, SandboxConfig
from importer.workflow.forecast.forecast import Forecast
from importer.workflow.jobs.expecting import Expected, not_started, started
from importer.workflow.outcome.outcome import Finished
from importer.workflow.outcome.troubles import FailOn, status_for

ALL: tuple[FailOn, ...] = ("rows", "new", "never")


def run(office: Office, *more: str) -> list[str]:
    """Return the words of a run whose result is printed as JSON; a report as CSV takes little time."""
    return office.arguments("run", "--yes", "--json", "--report", str(office.folder / "r.csv"), *more)


def statuses(office: Office, give: Give, *more: str) -> dict[str, int]:
    """Return the exit status of one more run by each way to count rows; JSON tells the truth in all of them."""
    ended: list[Finished] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("importer.cli.run.note_end", lambda finished, _status: ended.append(finished))
        result = give(run(office, "--fail-on", "new", *more))
    found: dict[str, int] = {way: status_for(ended[-1], way) for way in ALL}
    assert (result.json["fail_on"], result.json["exits_with"], result.status) == ("new", found["new"], found["new"])
    assert result.json["exit_status"] == found["rows"]
    return found


def test_n1_a_normal_monday_is_no_failed_task(office: Office, give: Give) -> None:
    """Rows that were as bad at the last run do not fail `new`; one more does, once, and the truth is in the JSON."""
    bad = tickets([1, 2], Estado="Perdido")
    office.write([*bad, *tickets([3])])
    first = give(run(office, "--fail-on", "new"))
    assert (first.status, first.json["exit_status"]) == (1, 1)
    assert statuses(office, give) == {"rows": 1, "new": 0, "never": 0}
    office.write([*bad, *tickets([3, 4]), *tickets([5], Correo="nadie")])
    assert give(run(office, "--fail-on", "new")).status == 1
    assert give(run(office, "--fail-on", "new")).status == 0
    said = give(office.arguments("run", "--yes", "--fail-on", "new"))
    assert (said.status, "Exit status 0 instead of 1" in said.out) == (0, True)
    assert give(run(office)).json["exit_status"] == 1


def test_n1_a_row_that_is_bad_again_is_new(office: Office, give: Give) -> None:
    """A row that was corrected in between, or is bad in another way, is new; without a key its content counts."""
    rows = [*tickets([1], Estado="Perdido"), *tickets([""], Asunto="sin número")]
    office.write(rows)
    assert give(run(office, "--fail-on", "new")).status == 1
    assert give(run(office, "--fail-on", "new")).status == 0
    office.write([rows[1]])
    assert give(run(office, "--fail-on", "new")).status == 0
    office.write([rows[1] | {"Detalle": "otra"}])
    assert give(run(office, "--fail-on", "new")).status == 1
    office.write(rows)
    assert give(run(office, "--fail-on", "new")).status == 0, "what another sheet had last is still known"
    office.write(tickets([1]))
    assert give(run(office, "--fail-on", "new")).status == 0
    office.write(tickets([1], Detalle="otra cosa"))
    assert statuses(office, give) == {"rows": 1, "new": 1, "never": 0}, "edited since its case was created"
    assert statuses(office, give)["new"] == 0


def test_n2_doubtful_and_rejected_rows_count_as_asked(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown row is 4 and a rejected one 1, until they are known; what is still to be sent is 3 in any case."""
    impatient(monkeypatch, 0.4)
    with RunningSandbox(config=SandboxConfig(users=("ADMIN_@demo",))) as office.sandbox:
        office.write([])
        office.mapping.write_text(
            office.mapping.read_text("utf-8").replace("owner: ADMIN_@demo", "owner: {column: Detalle}")
        )
        office.write([*tickets([1], Detalle="NADIE_@demo"), *tickets([2, 3], Detalle="ADMIN_@demo")])
        office.sandbox.inject("timeout-after-creating:nth=2")
        limited = give(run(office, "--limit", "2", "--concurrency", "1", "--fail-on", "never"))
        assert (limited.status, limited.json["exit_status"]) == (3, 4), "the last row is still to be sent"
        office.sandbox.inject()
        assert give(run(office, "--fail-on", "new")).json["exit_status"] == 4
        assert statuses(office, give) == {"rows": 4, "new": 0, "never": 0}


def test_n2_rows_that_are_held_back_count_with_those_that_hold_them(office: Office, give: Give) -> None:
    """With --only-if-all-valid nothing is sent: that is known too, and never hides a row that could be sent."""
    office.write([*tickets([1], Estado="Perdido"), *tickets([2])])
    assert give(run(office, "--only-if-all-valid")).status == 1
    assert statuses(office, give, "--only-if-all-valid") == {"rows": 1, "new": 0, "never": 0}
    assert (
        give(run(office, "--only-if-all-valid", "--until", "00:00", "--limit", "1", "--fail-on", "never")).status == 0
    )


@pytest.mark.parametrize("way", ALL)
def test_n2_faults_of_the_command_and_the_connection_are_never_hidden(office: Office, give: Give, way: str) -> None:
    """2 and 5 stay what they are, whatever --fail-on says."""
    office.write(tickets([1, 2]))
    assert give(run(office, "--fail-on", way, "--report", "x.pdf")).status == 2
    office.sandbox.inject("unauthorized:nth=1")
    assert give(run(office, "--fail-on", way)).status == 5


# ------------------------------------------------------------------------------------------------ the notice


def notifier(tmp_path: Path, name: str = "notice.json") -> tuple[str, Path]:
    """Return a command that writes what it is told, and its environment, to a file."""
    script, told = tmp_path / "tell me; rm $(x).py", tmp_path / name
    script.write_text(
        "import json, os, sys\n"
        "json.dump({'notice': json.load(sys.stdin), 'env': dict(os.environ), 'argv': sys.argv[2:]},"
        " open(sys.argv[1], 'w'))\nprint('told')\n",
        "utf-8",
    )
    return shlex.join([sys.executable, str(script), str(told), "$HOME; true", "*"]), told


def test_n3_a_program_is_told_how_a_run_ended(
    office: Office, give: Give, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gets the counts as JSON, no shell reads its words, and nothing private is in the notice or its environment."""
    monkeypatch.setenv("OTHER_TOKEN", "hidden-token")
    command, told = notifier(tmp_path)
    office.write([*tickets([1, 2]), *tickets(["HD-PRIVADO"], Estado="Perdido")])
    result = give(run(office, "--notify", command, "--token-env", "OTHER_TOKEN", "--fail-on", "never"))
    assert result.status == 0
    written = json.loads(told.read_text("utf-8"))
    notice = written["notice"]
    assert written["argv"] == ["$HOME; true", "*"]
    assert (notice["exit_status"], notice["exits_with"], notice["import"], notice["run"]) == (1, 0, "office", 1)
    assert (notice["counts"]["created"], notice["report"]) == (2, str(office.folder / "r.csv"))
    assert (notice["event"], notice["command"]) == ("ended", "run")
    assert "WOLKVOX_TOKEN" not in written["env"]
    for private in ("hidden-token", "cliente", "example.com", "Asunto", "PRIVADO", "WCI-"):
        assert private not in json.dumps(notice), private


@pytest.mark.parametrize(
    ("more", "status"),
    [(["--report", "x.pdf"], 2), (["--limit", "none"], 2), (["--unknown-option"], 2)],
)
def test_n3_a_program_is_told_of_runs_that_did_not_begin(
    office: Office, give: Give, tmp_path: Path, more: list[str], status: int
) -> None:
    """Also where the command itself could not be understood."""
    command, told = notifier(tmp_path)
    office.write(tickets([1]))
    assert give(run(office, f"--notify={command}", *more)).status == status
    notice = json.loads(told.read_text("utf-8"))["notice"]
    assert (notice["exit_status"], notice["exits_with"], notice["run"]) == (status, status, None)


def failing(error: BaseException) -> Callable[..., None]:
    """Return a function that raises an error."""

    def fail(*_arguments: object, **_options: object) -> None:
        raise error

    return fail


def test_n3_a_program_is_told_after_ctrl_c_and_faults_of_ours(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever ends the run, the notice has its exit status; what was noted of a run before is not in it."""
    command, told = notifier(office.folder)
    office.write(tickets([1]))
    assert give(run(office)).status == 0
    ends: tuple[tuple[BaseException, int], ...] = ((KeyboardInterrupt(), 2), (RuntimeError("cell"), 70))
    for error, status in ends:
        monkeypatch.setattr("importer.pipeline.ask_open_questions", failing(error))
        assert give(run(office, "--notify", command)).status == status
        notice = json.loads(told.read_text("utf-8"))["notice"]
        about = (notice["exit_status"], notice["import"], notice["run"], notice["counts"])
        assert about == (status, "office", None, None)
        assert "cell" not in json.dumps(notice)


@pytest.mark.parametrize(
    ("code", "reason"),
    [("import sys; sys.exit(3)", "exit status 3"), ("import time; time.sleep(60)", "did not end within")],
)
def test_n4_a_program_that_fails_changes_no_exit_status(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch, code: str, reason: str
) -> None:
    """It is a line on standard error, and one object is on standard output."""
    monkeypatch.setattr("importer.notices.PATIENCE", 0.3 if "sleep" in code else 60)
    office.write(tickets([1]))
    result = give(run(office, "--notify", shlex.join([sys.executable, "-c", code])))
    assert (result.status, result.json["counts"]["created"]) == (0, 1)
    assert reason in result.err


def test_n3_help_tells_nobody(office: Office, give: Give) -> None:
    """No run has ended where only its help was asked for."""
    command, told = notifier(office.folder)
    assert give(["run", "--notify", command, "--help"]).status == 0
    assert not told.exists()


@pytest.mark.parametrize("command", ["", "  ", "no-such-program-at-all -x", "'unfinished", "/nowhere/at all"])
def test_n4_a_command_that_cannot_be_started_is_refused_before_anything_is_sent(
    office: Office, give: Give, command: str
) -> None:
    """A night that tells nobody would be noticed too late: exit status 2, and no POST."""
    office.write(tickets([1]))
    result = give(run(office, "--notify", command))
    assert (result.status, office.sandbox.posts) == (2, 0)
    assert result.err.count("--notify") == 1


@pytest.mark.parametrize(
    ("written", "program"),
    [
        (r'"C:\Program Files\aviso\a.exe" "con espacios" %x%', r"C:\Program Files\aviso\a.exe"),
        (r"powershell -File C:\a.ps1", "powershell"),
    ],
)
def test_n4_windows_gets_the_command_as_it_is_written(
    monkeypatch: pytest.MonkeyPatch, written: str, program: str
) -> None:
    """Its own rules split a command line there; only the program is looked for."""
    asked: list[str] = []
    monkeypatch.setattr("importer.notices.shutil.which", lambda name: asked.append(name) or name)
    assert command_words(written, "win32") == written
    assert asked == [program]
    with pytest.raises(ValueError, match="quotation mark"):
        command_words('"C:\\Program Files\\a.exe', "win32")


def test_n4_a_notice_reaches_nobody_who_does_not_read(tmp_path: Path) -> None:
    """A program that closes its input, or cannot be started any more, is a reason and no error."""
    gone = tmp_path / "gone"
    assert deliver(str(gone), {}) is not None
    big = {"report": "x" * 1_000_000}
    assert deliver(shlex.join([sys.executable, "-c", "import sys; sys.stdin.close()"]), big) is None
    assert subprocess.run([sys.executable, "-c", ""], check=False).returncode == 0


# ------------------------------------------------------------------------------------------------ expected runs


def test_n5_a_run_that_did_not_start_is_noticed(office: Office, give: Give) -> None:
    """`history --expect` exits with 1 unless the import has a run since the time; how that ended does not matter."""
    office.write(tickets([1], Estado="Perdido"))
    assert give(run(office)).status == 1
    journal = ["--journal", str(office.journal)]
    past = (datetime.now().astimezone() - timedelta(minutes=5)).strftime("%H:%M")
    found = give(["history", "--expect", "office", "--since", past, *journal, "--json"])
    assert (found.status, found.json["run"], found.json["event"]) == (0, 1, "started")
    other = give(["history", "--expect", "other", "--since", past, *journal])
    assert (other.status, "No run of other has started since" in other.out) == (1, True)
    for words in (["--expect", "office"], ["--since", past], ["1", "--expect", "office", "--since", past]):
        assert give(["history", *words, *journal]).status == 2


def test_n5_the_first_run_in_the_time_counts(tmp_path: Path) -> None:
    """A run counts that started since the one time and by the other, of the import and of the operation, if named."""
    SampleJournal(tmp_path / "journal.db").journal.close()
    (record,) = sample_runs(tmp_path)
    now = record.started_at
    runs = [
        replace(record, id=2, operation="b", started_at=now + timedelta(hours=2)),
        replace(record, id=1, operation="a", started_at=now + timedelta(hours=0.5)),
    ]
    cases: dict[tuple[int, int | None, str | None], int | None] = {
        (0, None, None): 1,
        (1, None, None): 2,
        (3, None, None): None,
        (0, 0, None): None,
        (0, 1, None): 1,
        (0, None, "b"): 2,
        (0, 1, "b"): None,
    }
    for (since, by, operation), number in cases.items():
        limit = None if by is None else now + timedelta(hours=by)
        expected = Expected("tickets", now + timedelta(hours=since), limit, operation)
        found = started(runs, expected)
        assert (found and found.id) == number, (since, by, operation)
        assert started(runs, replace(expected, import_name="other")) is None
        assert json.loads(json.dumps(not_started(expected)))["event"] == "not-started"


def sample_runs(folder: Path) -> list[RunRecord]:
    """Return the runs of the journal in a folder."""
    with Journal(folder / "journal.db") as journal:
        return journal.runs.all()


# ------------------------------------------------------------------------------------------------ two people


def test_r15_the_forecast_says_that_other_computers_do_not_know_this_journal(office: Office, give: Give) -> None:
    """Before a new source is sent to a real CRM, the forecast names both: the search, and what it cannot prevent."""
    seen: list[Forecast] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("importer.cli.terminal.Terminal.confirm", lambda _terminal, forecast: seen.append(forecast))
        office.write(tickets([1]))
        assert give(run(office)).status == 0
    words = "docs/two-people.md"
    real = replace(seen[0], server="https://crm0001.wolkvox.com")
    assert words not in summary(seen[0])
    assert words in summary(real)
    assert words not in summary(replace(real, spot_check=()))
    assert words not in summary(replace(real, is_shared=True))
