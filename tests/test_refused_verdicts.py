"""A verdict that is refused: what is wrong with it, which row it is about, and where to correct it."""

from __future__ import annotations

import pytest
from promise_support import end_leases
from run_support import Give, Office, ticket
from test_next_steps import commands_in, follow, run
from test_promise_settling import decide

from importer.messages import speaking
from importer.report_words import verdict_of_word
from importer.workflow.jobs.decisions import read_decisions

QUIET = ("--quiet-period", "0")


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("created", "needs the wolkvox_id"),
        ("quizás", "Write `created`, with the wolkvox_id of the case beside it, or `not created`."),
        ("another", "is already the case of"),
    ],
)
def test_a_verdict_that_was_refused_leads_to_its_correction(
    office: Office, give: Give, verdict: str, said: str
) -> None:
    """The step names the row, the sheet and the report to correct, each time; once corrected, it counts."""
    office.write(ticket(n) for n in range(1, 4))
    office.sandbox.inject("closed-without-creating:nth=2")
    give(run(office))
    end_leases(office.journal, ago=1)
    written = office.report.read_bytes()
    of_another = office.sandbox.store.cases[0] if verdict == "another" else None
    decide(office.report, {3: ("created" if of_another else verdict, of_another)})
    reference = str(office.reported()["reference"][1])
    untried = give(run(office))
    assert "1 verdict in the sheet `To decide` of tickets.report.xlsx is not recorded: " in untried.out
    for _again in range(2):
        refused = follow(office, give, untried, "settle")
        assert refused.status == 4
        assert f"row 3 ({reference}): not recorded." in refused.out
        assert said in refused.out
        assert (
            f"Next: Correct the verdict of row 3 ({reference}) in the sheet `To decide` of tickets.report.xlsx as it"
            " is said above and save it, then record it with `case-importer settle " in refused.out
        )
        assert ("is not recorded: " in refused.out, "may or may not" in refused.out) == (False, False)
    office.report.write_bytes(written)
    decide(office.report, {3: ("not created", None)})
    words = next(words for words in commands_in(refused.out) if "--from" in words)
    assert give(words).status == 0


@pytest.mark.parametrize("command", ["check", "report"])
def test_every_command_names_the_verdicts_that_nobody_recorded(office: Office, give: Give, command: str) -> None:
    """Not only a run: whoever checks the sheet, or writes its report again, is told where they are."""
    office.write(ticket(n) for n in range(1, 4))
    office.sandbox.inject("closed-without-creating:nth=2")
    give(run(office))
    end_leases(office.journal, ago=1)
    decide(office.report, {3: ("not created", None)})
    said = give(office.arguments(command, "--journal", str(office.journal))).out
    assert "1 verdict in the sheet `To decide` of tickets.report.xlsx is not recorded: `case-importer settle " in said
    assert "may or may not" not in said


def test_a_verdict_that_a_run_refused_leads_to_its_correction(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who agrees to record it in a run is told why it was not recorded, and to correct it."""
    office.write(ticket(n) for n in range(1, 4))
    office.sandbox.inject("closed-without-creating:nth=2")
    give(run(office))
    end_leases(office.journal, ago=1)
    decide(office.report, {3: ("created", None)})
    monkeypatch.setattr("importer.cli.terminal.is_interactive", lambda: True)
    monkeypatch.setattr("importer.cli.terminal.confirm", lambda _question, **_options: True)
    refused = give(run(office))
    assert (refused.status, "needs the wolkvox_id" in refused.out) == (4, True)
    assert "Correct the verdict of row 3 (WCI-" in refused.out
    assert "is not recorded: " not in refused.out


def test_a_refused_verdict_on_rows_whose_file_is_gone_leads_to_its_correction(office: Office, give: Give) -> None:
    """The report is enough to say which verdict has to be corrected."""
    office.write(ticket(n) for n in range(1, 4))
    office.sandbox.inject("closed-without-creating:nth=2")
    give(run(office))
    end_leases(office.journal, ago=1)
    decide(office.report, {3: ("created", None)})
    kept = office.report.rename(office.folder / "kept.xlsx")
    office.source.unlink()
    refused = give(office.settle(*QUIET, "--from", str(kept)))
    assert "Next: Correct the verdict of row 3 (WCI-" in refused.out
    assert "of kept.xlsx" in refused.out


def test_a_report_about_an_earlier_attempt_is_not_named_again(office: Office, give: Give) -> None:
    """A verdict on what was sent before cannot be corrected there: the row is decided on by its reference."""
    office.write(ticket(n) for n in range(1, 4))
    office.sandbox.inject("closed-without-creating:nth=2")
    give(run(office))
    end_leases(office.journal, ago=1)
    decide(office.report, {3: ("not created", None)})
    assert give(office.settle(*QUIET, "--from", str(office.report))).status == 0
    office.sandbox.inject("closed-without-creating:nth=1")
    give(run(office))
    end_leases(office.journal, ago=1)
    for report in office.folder.glob("tickets (*"):
        report.unlink()
    refused = give(office.settle(*QUIET, "--from", str(office.report)))
    assert "about an earlier attempt" in refused.out
    assert "--from" not in refused.out
    assert "--by-hand WCI-" in refused.out


@pytest.mark.parametrize(
    ("word", "verdict"),
    [
        *(("created", "created"), ("Creado", "created"), ("CRIADO", "created"), ("caso creado", "created")),
        *(("not created", "not created"), ("No  creado", "not created"), ("Não criado", "not created")),
        *(("nao criado", "not created"), ("caso não criado", "not created")),
        *(("quizás", "quizás"), ("Crear", "Crear"), ("no", "no")),
    ],
)
def test_a_verdict_is_understood_as_it_is_typed(word: str, verdict: str) -> None:
    """The short word for each verdict counts as the one to choose, in every language; others stay as they are."""
    assert verdict_of_word(word) == verdict


@pytest.mark.parametrize(
    ("spoken", "said"), [("es", ("caso creado", "caso no creado")), ("pt", ("caso criado", "caso não criado"))]
)
def test_a_word_that_is_no_verdict_is_answered_with_those_that_are(
    office: Office, give: Give, spoken: str, said: tuple[str, str]
) -> None:
    """In the language that is spoken, with the word as it was typed."""
    office.write(ticket(n) for n in range(1, 4))
    office.sandbox.inject("closed-without-creating:nth=2")
    give(run(office))
    end_leases(office.journal, ago=1)
    decide(office.report, {3: ("Quizás sí", None)})
    with speaking(spoken):
        (refused,) = read_decisions(office.report)[1]
    assert (refused.row, "Quizás sí" in refused.reason) == (3, True)
    assert [f"`{word}`" in refused.reason for word in said] == [True, True]
