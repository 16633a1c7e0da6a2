"""On the page, sentences speak of the page: no option, and no command, where a person has a browser only."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.pofile import read_po
from run_support import Office, ticket
from send_support import Clerk
from web_support import running_page

import importer
from importer.commands import on_page, told
from importer.crm.breaker import CircuitBreaker
from importer.errors import ImporterError, ReportError, SettingsError
from importer.journal.storage import refuse_unsafe
from importer.messages import speaking
from importer.model import Outcome, Pause, Verdict
from importer.report import writing
from importer.settings import Connection, require_server_and_operation

ROOT = Path(importer.__file__).parent

NEVER_ON_A_PAGE = (
    "cli/",
    "sandbox/",
    "doctor/",
    "web/server.py",
    "journal/copies.py",
    "journal/handing_over.py",
    "machines/",
)
"""What only a command line reaches."""

KNOWN = (
    "(--only)", "without --only", "(--until)", "--quiet-period", "--new-import:", "--same-as {name}: this journal",
    "Leave out --same-as", "--instead-of", "--deleted:", "--same-tickets or", "--server and --operation",
    "or the option --", "a report ends in",
)  # fmt: skip
"""Sentences about options that somebody has given, about a mapping's text, and words for who types the answer."""


@cache
def sentences() -> tuple[tuple[str, str, bool], ...]:
    """Return every sentence of the program, where it is, and whether the page has another one instead."""
    return tuple(_sentences())


def _sentences() -> Iterator[tuple[str, str, bool]]:
    """Yield every sentence of the program, where it is, and whether the page has another one instead."""
    for path in sorted(ROOT.rglob("*.py")):
        where = path.relative_to(ROOT).as_posix()
        if where.startswith(NEVER_ON_A_PAGE):
            continue
        tree = ast.parse(path.read_text("utf-8"))
        calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
        replaced = {
            id(inner) for call in calls if _name(call) == "told" for inner in ast.walk(call.args[0])
        }  # fmt: skip
        for call in calls:
            if _name(call) in {"_", "ngettext", "gettext_noop"}:
                for text in call.args:
                    if isinstance(text, ast.Constant) and isinstance(text.value, str):
                        yield where, text.value, id(call) in replaced


def _name(call: ast.Call) -> str:
    return call.func.id if isinstance(call.func, ast.Name) else ""


def test_no_sentence_that_may_reach_the_page_names_an_option() -> None:
    """Whoever writes one gives the page a sentence of its own, with `commands.told`."""
    found = [
        f"{where}: {text}"
        for where, text, is_replaced in sentences()
        if re.search(r"(?<![\w-])--[a-z]|same command", text) and not is_replaced
        if not any(known in text for known in KNOWN)
    ]
    assert found == []


def test_what_refuses_a_start_names_no_command_on_the_page() -> None:
    """A journal, a guard or a verdict that stops a start says what to click."""
    found = [
        f"{where}: {text}"
        for where, text, is_replaced in sentences()
        if where.startswith(
            ("journal/", "workflow/guards/", "workflow/jobs/executing.py", "workflow/settling/settling.py")
        )
        if re.search(r"`\{(command|again|adopt|look_first|settle)\}`", text) and not is_replaced
        if not where.startswith("journal/standing.py")  # `_behind_for_commands`: its caller has a sentence for the page
    ]
    assert found == []


def test_a_sentence_is_told_as_its_reader_works() -> None:
    """In the same process, both at once."""
    assert told("give --server", "click Connection") == "give --server"
    with on_page():
        assert told("give --server", "click Connection") == "click Connection"


@pytest.mark.parametrize(
    "refuse",
    [
        lambda folder: writing.check_writable(folder / "none" / "a.report.xlsx"),
        writing.check_writable,
        lambda _folder: require_server_and_operation(Connection()),
        lambda _folder: require_server_and_operation(Connection(server="crm0001.wolkvox.com")),
        lambda _folder: refuse_unsafe(Path("/home/ana/OneDrive/journal.db")),
    ],
)
@pytest.mark.parametrize("tag", ["en", "es", "pt"])
def test_refusals_name_no_option(refuse: Callable[[Path], object], tag: str, tmp_path: Path) -> None:
    """In each language."""
    (tmp_path / "a.report.xlsx").mkdir()
    place = tmp_path / "a.report.xlsx"
    with on_page(), speaking(tag), pytest.raises((ReportError, SettingsError, ImporterError)) as refused:
        refuse(place)
    assert "--" not in str(refused.value)


@pytest.mark.parametrize("pause", list(Pause))
def test_pauses_name_no_option(pause: Pause) -> None:
    """Whatever pauses a run, the page says what to click."""
    with on_page():
        breaker = CircuitBreaker()
        reasons = [breaker.note(Outcome(Verdict.NOT_DELIVERED, message="no", pause=pause)) for _time in range(12)]
    told_reasons = [reason.message for reason in reasons if reason is not None]
    assert told_reasons
    assert not [one for one in told_reasons if "--" in one or "`" in one]


def test_a_folder_where_the_report_goes(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said in words of Explorer, before anything is sent."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.write([ticket(1)])
    office.report.mkdir()
    with running_page(office.journal, office.sandbox.url) as page:
        shown = Clerk(page, office, office.sandbox).proposal()
    assert "is a folder, and the report has to go there. Rename that folder in Explorer" in shown
    assert "--report" not in shown


def test_a_file_of_somebody_where_the_report_goes(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is left alone; where it cannot be read, it is to be renamed."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.write([ticket(1)])
    office.report.write_bytes(b"no workbook")
    with running_page(office.journal, office.sandbox.url) as page:
        shown = Clerk(page, office, office.sandbox).proposal()
    assert "rename it in Explorer or move it to another folder" in shown
    assert "--report" not in shown


def test_a_report_that_is_read_only(tmp_path: Path) -> None:
    """The page says where that is taken back."""
    path = tmp_path / "a.report.xlsx"
    path.write_bytes(b"")
    path.chmod(0o444)
    with on_page():
        assert "Properties, Read-only" in (writing.overwrite_blocker(path, lambda _digest: True) or "")
    assert writing.overwrite_blocker(path, lambda _digest: True) == "a.report.xlsx is read-only"


NAMES_OF_OTHERS = {"Strict Open XML", "CSV UTF-8"}
"""What Excel calls a kind of file."""


@pytest.mark.parametrize("tag", ["en", "es", "pt"])
def test_a_sentence_quotes_a_label_as_it_is_on_its_button(tag: str) -> None:
    """In each language: whoever looks for what a sentence names finds it."""
    with (ROOT / f"locale/{'es' if tag == 'en' else tag}/LC_MESSAGES/case-importer.po").open("rb") as file:
        catalogue = read_po(file, locale=tag)
    texts = {"".join(entry.id): "".join(entry.id if tag == "en" else entry.string) for entry in catalogue if entry.id}
    labels = set(texts.values())
    quoted = {
        (label, sentence)
        for original, sentence in texts.items()
        if re.search("“[^”{}]+”", original)
        for label in re.findall("[“«]([^”»{}]+)[”»]", sentence)
    }
    assert {label for label, _sentence in quoted} - labels - NAMES_OF_OTHERS == set()
