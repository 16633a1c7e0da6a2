"""What `import importer` gives to scripts, and what the page about it shows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from run_support import Office, ticket

import importer
from importer import (
    ByHand,
    Connection,
    Crm,
    EventInterface,
    Job,
    QuestionsOpen,
    ScriptedTransport,
    SettleJob,
    UsageError,
    check,
    history,
    load_job,
    preview,
    rebuild_report,
    run,
    suggest_fixes,
)
from importer.crm import json_reply
from importer.face import HOME
from importer.model import Payload, Target, Verdict

PAGE = (Path(__file__).parent.parent / "docs" / "api.md").read_text("utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def job(office: Office, monkeypatch: pytest.MonkeyPatch) -> Job:
    """Return the job of a sheet with two valid rows and two that one fix resolves."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.write([ticket(1), ticket(2), ticket(3, Estado="Raro"), ticket(4, Estado="Raro")])
    return Job(office.source, office.mapping, Connection(office.sandbox.url, "demo"), office.journal)


def test_the_example_runs(office: Office, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The example of the page imports a sheet as it says, and prints what came of it."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    monkeypatch.chdir(office.folder)
    office.write([ticket(1), ticket(2, Correo="nobody")])
    example = EXAMPLES[0].replace("crm0001.wolkvox.com", office.sandbox.url)
    assert example.count("\n") <= 12
    exec(compile(example, "docs/api.md", "exec"), {})  # noqa: S102 - it is the page's own example
    out = capsys.readouterr().out
    assert "3 Correo Correo 'nobody' is not an e-mail address" in out
    assert "\n1 1 tickets.report.xlsx\n" in out


def test_every_example_is_code() -> None:
    """Each block of the page that is marked as Python compiles, and what it imports exists."""
    for example in EXAMPLES:
        for line in example.splitlines():
            if line.startswith("from importer import"):
                exec(line, {})  # noqa: S102 - it is the page's own line
        compile(example, "docs/api.md", "exec")


def test_the_face_names_what_it_gives() -> None:
    """Every name of the face can be had, is described on the page, and no other name is there."""
    for name in importer.__all__:
        assert getattr(importer, name) is not None
    shown = set(re.findall(r"`([A-Za-z]\w+)(?:\(\))?`", PAGE))
    errors = {
        name
        for name in importer.__all__
        if isinstance(getattr(importer, name), type) and issubclass(getattr(importer, name), Exception)
    }
    assert set(importer.__all__) - errors - shown == set()
    with pytest.raises(AttributeError):
        _ = importer.nothing_of_that_name  # type: ignore[attr-defined]


def test_a_type_checker_sees_the_same_names() -> None:
    """The names that are imported when they are first used are those that a type checker is shown."""
    text = Path(importer.__file__).read_text("utf-8")
    block = text.partition("if TYPE_CHECKING:")[2].partition("\n__all__")[0]
    names = set(re.findall(r"\b(\w+)\b(?=,|$|\n| *\))", re.sub(r"from [\w.]+ import", "", block), re.MULTILINE))
    assert names == set(importer.__all__) == set(HOME)


def test_importing_the_face_is_quick() -> None:
    """`import importer` alone loads neither pandas nor SQLAlchemy, so that the help of a command appears at once."""
    loaded = "import sys, importer; print([name for name in ('pandas', 'sqlalchemy') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_a_run_reports_its_events(job: Job) -> None:
    """A forecast comes first, then the start of the sending, an event for each row, and its end."""
    events: list[object] = []
    finished = run(load_job(job), EventInterface(events.append, agrees=True))
    names = [type(event).__name__ for event in events]
    assert names == ["Forecast", "SendingStarted", "RowSent", "RowSent", "SendingEnded"]
    assert (finished.counts.created, finished.counts.invalid, finished.exit_status) == (2, 2, 1)


def test_nothing_is_sent_without_agreement(job: Job, office: Office) -> None:
    """Unless the program agrees to the forecast, that is an open question, and the CRM gets no case."""
    events: list[object] = []
    interface = EventInterface(events.append)
    with pytest.raises(QuestionsOpen) as refused:
        run(load_job(job), interface)
    assert [question.code for question in refused.value.questions] == ["forecast"]
    assert (events, office.sandbox.posts) == ([], 0)


def test_a_forecast_that_was_not_agreed_to_is_refused() -> None:
    """Whoever calls it, the interface lets nothing happen that its program has not agreed to."""
    events: list[object] = []
    with pytest.raises(UsageError, match="not agreed to"):
        EventInterface(events.append).confirm("a forecast")  # type: ignore[arg-type]
    assert events == ["a forecast"]


def test_an_open_question_is_raised(office: Office, job: Job) -> None:
    """A question that the job does not answer ends the run before anything is sent, and names its option."""
    office.mapping.write_text(
        office.mapping.read_text("utf-8") + "attachments: {folder: /tmp, columns: Asunto}\n", "utf-8"
    )
    with pytest.raises(QuestionsOpen) as refused:
        run(load_job(job), EventInterface(agrees=True))
    assert [question.code for question in refused.value.questions] == ["allow-folder"]


def test_a_script_can_do_what_a_page_needs(job: Job) -> None:
    """Issues, corrections, previews, reports, doubtful rows and history are there without a command line."""
    loaded = load_job(job)
    (fix,) = suggest_fixes(check(loaded).issues())
    assert (fix.count, fix.rows) == (2, (4, 5))
    assert [shown.row.number for shown in preview(loaded, only_with_issues=True)] == [4, 5]
    assert next(iter(preview(loaded, 2))).body["contact"] == ticket(1)["Correo"]
    run(loaded, EventInterface(agrees=True))
    assert rebuild_report(loaded).counts.created == 2
    assert [record.created_now for record in history(job.journal_path)] == [2]
    settle = SettleJob(job.connection, job.journal_path, job.mapping)
    assert [result.doubtful for _record, result in settle.by_search()] == [0]
    with pytest.raises(UsageError):
        settle.by_hand(ByHand("T-0001", created="65f0c0ffee65f0c0ffee65f0"))


def test_the_double_answers_in_place_of_the_network() -> None:
    """A Crm with a scripted transport makes its calls without a network, and what was sent can be read."""
    reply = json_reply(200, {"code": "200", "error": "", "msg": "", "data": {"wolkvox_id": "65f0c0ffee65f0c0ffee65f0"}})
    transport = ScriptedTransport([reply])
    with Crm(Target("https://crm0001.wolkvox.com", "demo", "token"), transport=transport) as crm:
        outcome = crm.create(Payload("WCI-0000000000000000", 2, lambda: iter([b"{}"])))
    assert (outcome.verdict, outcome.wolkvox_id) == (Verdict.CREATED, "65f0c0ffee65f0c0ffee65f0")
    assert [request.body for request in transport.requests] == [b"{}"]
