"""Every sentence that says which command to give shows it whole, and the command does what it says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from run_support import MAPPING, Give, Office, ticket
from test_architecture import MODULES, parts_of
from test_next_steps import commands_in

from importer import commands
from importer.journal.standing import Kind, Standing

PARTIAL = re.compile(r"`case-importer |(?i:\b(give|add|use|run with)) --[a-z]")
"""How a sentence names a command that is not whole: the program's name without its files, or an option to give."""

ELSEWHERE = {"settling/looking.py", "settings/connection.py"}
"""Modules whose sentences a journal keeps, where a command would grow stale, or whose errors have it beside them."""


def sentences() -> Iterator[tuple[str, str]]:
    """Yield every template of a message outside of help texts, with its module."""
    for module in MODULES:
        if parts_of(module)[0] in {"cli", "sandbox"}:
            continue
        for call in ast.walk(ast.parse(module.read_text("utf-8"))):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in {"_", "ngettext"}:
                for template in call.args:
                    if isinstance(template, ast.Constant) and isinstance(template.value, str):
                        yield "/".join(module.parts[-2:]), template.value


def test_no_sentence_shows_a_command_in_part() -> None:
    """A command comes from `commands`, with its files and options; no sentence spells one itself."""
    found = [(module, text) for module, text in sentences() if PARTIAL.search(text)]
    assert [(module, text) for module, text in found if module not in ELSEWHERE] == []


@pytest.mark.parametrize(
    ("given", "more", "shown"),
    [
        (["run", "a b.csv", "-m", "m.yml"], ["--yes"], "run 'a b.csv' -m m.yml --yes"),
        (["run", "a.csv", "-m", "m.yml", "--yes"], ["--yes"], "run a.csv -m m.yml --yes"),
        (["run", "a.csv", "--server", "x", "-m", "m.yml"], ["--server", "HOST"], "run a.csv -m m.yml --server HOST"),
        (["run", "a.csv", "--server=x", "-m", "m.yml"], ["--server", "HOST"], "run a.csv -m m.yml --server HOST"),
        (["run", "a.csv", "--proxy", "http://a:b@h:1"], [], "run a.csv --proxy http://h:1"),
        (["run", "a.csv", "--proxy=http://a:b@h:1"], [], "run a.csv --proxy=http://h:1"),
        ([], ["--yes"], "run SOURCE -m MAPPING --yes"),
    ],
)
def test_the_same_command_is_shown_with_options_added(given: list[str], more: list[str], shown: str) -> None:
    """It is what the person gave, but for the options that it is shown with, and without a proxy's password."""
    with commands.carrying_out(given):
        assert commands.same_command(*more) == f"case-importer {shown}"
    assert commands.same_command() == "case-importer run SOURCE -m MAPPING"


def test_another_command_is_shown_on_the_same_files() -> None:
    """The mapping, the connection and the journal stay; what the other command does not know is left out."""
    with commands.carrying_out(["check", "a.csv", "-m", "m.yml", "--journal", "j.db"]):
        commands.note_values({"source": Path("a.csv"), "mapping": Path("m.yml"), "journal": Path("j.db"),
                              "server": None, "proxy": "http://a:b@h:1", "as_json": False})  # fmt: skip
        where = "--proxy http://h:1 --journal j.db"
        assert commands.run_command("--first-run") == f"case-importer run a.csv -m m.yml {where} --first-run"
        assert commands.report_command() == f"case-importer report a.csv -m m.yml {where}"
        assert commands.adopt_command() == f"case-importer adopt REPORT -m m.yml {where}"
        assert commands.settle_command("--wait") == f"case-importer settle -m m.yml {where} --wait"
    assert commands.settle_command() == "case-importer settle"


def test_nothing_is_kept_of_what_no_command_was_given_for() -> None:
    """What is noted outside of a command is in no later sentence: a page is no command, and shows several imports."""
    commands.note_values({"source": Path("a.csv"), "mapping": Path("m.yml"), "journal": Path("j.db")})
    assert commands.settle_command() == "case-importer settle"


@pytest.mark.parametrize("given", [["--lang", "pt"], ["--lang=pt"], ["--lang", "es", "--lang", "pt"]])
def test_the_language_that_was_asked_for_goes_on(given: list[str]) -> None:
    """Whoever named a language is shown commands that name it, each once."""
    with commands.carrying_out([*given, "check", "a.csv"]):
        assert commands.command_line("run", "a.csv") == "case-importer run a.csv --lang pt"
        assert commands.same_command("--yes").count("--lang") == " ".join(given).count("--lang")


def test_open_questions_end_with_the_command_that_answers_them(
    office: Office, give: Give, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Without a terminal every open question is listed, and the whole command answers all of them."""
    outside = tmp_path_factory.mktemp("las listas")
    (outside / "k.csv").write_text("A\nAsunto\n", "utf-8")
    known = f"{{column: Asunto, default: x, lookup: {{file: '{outside / 'k.csv'}', key: A, value: A, otherwise: y}}}}"
    office.mapping.write_text(MAPPING.replace("{column: Asunto}", known), "utf-8")
    office.write([ticket(1)])
    refused = give(office.arguments("run"))
    assert refused.status == 2
    (command,) = commands_in(refused.err)
    assert "--allow-folder" in command
    assert "--yes" in command
    assert (give(command).status, office.sandbox.posts) == (0, 1)


def test_a_failure_that_passes_shows_the_same_command(office: Office, give: Give) -> None:
    """Where a server does not answer, the command to give again is shown; JSON stays as it is."""
    office.write([ticket(1)])
    arguments = office.arguments("run", "--yes", "--look-first")
    arguments[arguments.index("--server") + 1] = "http://127.0.0.1:9"
    failed = give(arguments)
    assert failed.status == 3
    assert commands_in(failed.out + failed.err)[-1] == arguments


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("behind", ["--look-first", "--nothing-was-sent"]),
        ("forked", ["--look-first", "--nothing-was-sent"]),
        ("other-journal", ["--look-first", "--nothing-was-sent"]),
        ("unknown-computer", ["--moved-here"]),
        ("copied", ["--journal"]),
    ],
)
def test_what_is_wrong_with_a_journal_is_said_with_the_runs_that_go_on(kind: Kind, options: list[str]) -> None:
    """Where a run was given, it is shown with the option added; elsewhere, with what it cannot know to fill in."""
    standing = Standing(kind, Path("j.db"), has=1, known=3, elsewhere=Path("mi j.db"))
    for given in (["run", "a b.csv", "-m", "m.yml"], []):
        with commands.carrying_out(given):
            shown = commands_in(standing.sentence or "")
        runs = [words for words in shown if words[0] == "run"]
        assert [words[:4] for words in runs] == [given or ["run", "SOURCE", "-m", "MAPPING"]] * len(options)
        assert [words[4] for words in runs] == options


def test_adopted_rows_that_are_refused_are_adopted_again(office: Office, give: Give) -> None:
    """After a refusal, the next step is to correct the report and to give the same `adopt`."""
    office.write([ticket(1), ticket(2)])
    give(office.arguments("run", "--yes"))
    rows = office.reported().astype(str)
    sheet = office.folder / "viejo.csv"
    rows["Ticket"] = ["", "2"]
    rows[["Ticket", *[c for c in rows.columns if c != "Ticket"]]].to_csv(sheet, index=False)
    adopted = give(office.adopt(sheet))
    assert commands_in(adopted.out + adopted.err)[-1][:2] == ["adopt", str(sheet)]
