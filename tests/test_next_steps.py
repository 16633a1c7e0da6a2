"""What a command says is to be done is everything, the most pressing first, and each command leads on as it stands."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import use_folders
from openpyxl import load_workbook
from promise_support import end_leases
from run_support import MAPPING, Give, Office, Result, ticket
from test_promise_settling import decide

from importer.commands import command_line
from importer.model import Counts, Status
from importer.settings import Connection
from importer.workflow.commands import Commands
from importer.workflow.job import Job
from importer.workflow.outcome.next_steps import CorrectedReport, Situation, next_steps, pressing

AT_ONCE = ("--quiet-period", "0", "--spot-check", "0")
COMMANDS = Commands(Path("mi semana.csv"), Path("pqr.yml"), Connection(), Path("j/my journal.db"))


def commands_in(text: str) -> list[list[str]]:
    """Return the commands that a text shows, as the words after the program's name."""
    return [shlex.split(found)[1:] for found in re.findall(r"`(case-importer [^`]+)`", text)]


def run(office: Office, *more: str) -> list[str]:
    """Return the words of a run that asks nothing."""
    return office.arguments("run", "--yes", "--concurrency", "1", *AT_ONCE, *more)


def follow(office: Office, give: Give, result: Result, name: str) -> Result:
    """Carry out literally the first command of this name that a result shows, once its leases are over."""
    end_leases(office.journal, ago=1)
    words = next(words for words in commands_in(result.out + result.err) if words[0] == name)
    return give(words)


@pytest.mark.parametrize(
    ("word", "shown"),
    [("a.csv", "a.csv"), ("mi informe.xlsx", "'mi informe.xlsx'"), ("$(x)", "'$(x)'"), (Path("-x.csv"), "./-x.csv")],
)
def test_a_command_is_quoted_for_the_shell(word: object, shown: str) -> None:
    """What a person pastes is the words that are meant, whatever is in a name."""
    assert command_line("run", word) == f"case-importer run {shown}"


def test_no_command_repeats_the_password_of_a_proxy() -> None:
    """Commands are in reports, which people send to one another."""
    connection = Connection("https://s", "op", proxy="http://ana:secreto@proxy.example:3128")
    commands = replace(COMMANDS, connection=connection)
    shown = [commands.run(), commands.settle(), commands.adopt(Path("r.xlsx")), commands.login(), commands.check()]
    assert all("http://proxy.example:3128" in command and "secreto" not in command for command in shown)


def test_a_command_repeats_what_was_chosen_for_all_rows(tmp_path: Path) -> None:
    """Options about where and how rows go stay; those of one run alone, such as --limit and answers, do not."""
    job = Job(
        tmp_path / "a.csv",
        tmp_path / "m.yml",
        Connection("https://s", "op"),
        limit=3,
        first_run=True,
        rate=2.0,
        html=True,
    )
    words = shlex.split(Commands.of(job, agrees=True).run())[3:]
    assert words == [
        "-m",
        str(job.mapping),
        "--server",
        "https://s",
        "--operation",
        "op",
        "--yes",
        "--html",
        "--rate",
        "2/s",
    ]


@pytest.mark.parametrize(
    ("counts", "more", "said"),
    [
        (Counts(created=2, skipped=1), {}, ["Nothing is left"]),
        (Counts(planned=3), {}, ["3 rows are left to send: `case-importer run 'mi semana.csv' -m pqr.yml"]),
        (Counts(planned=3, invalid=1), {"held_back": True}, ["Correct 1 row"]),
        (Counts(invalid=1, rejected=2), {}, ["Correct 3 rows", "2 rows were rejected"]),
        (Counts(rejected=1), {"held_back": True}, ["Correct 1 row", "journal.db' --retry-rejected` sends it again"]),
        (Counts(sending=2), {}, ["--wait`"]),
        (Counts(unknown=1, planned=3), {"reason": "Stopped with Ctrl-C."}, ["Ctrl-C", "--wait`", "3 rows are left"]),
        (
            Counts(sending=1, unknown=1, invalid=2, planned=1, created=4, changed=1),
            {"report": Path("r.xlsx")},
            ["1 row is being sent", "`To decide` of r.xlsx", "`Issues` of r.xlsx", "1 row is left", "1 row was edited"],
        ),
        (Counts(unknown=1), {"searched": True, "report": Path("mi r.xlsx")}, ["--from 'mi r.xlsx'`"]),
        (Counts(unknown=1), {"searched": True, "report": Path("r.csv"), "example": "WCI-1"}, ["WCI-1 --not-created`"]),
        (Counts(invalid=1), {"report": Path("r.csv")}, ["Correct 1 row in mi semana.csv, then"]),
        (Counts(unknown=3), {"verdicts": ((Path("mi r.xlsx"), 2),)}, ["2 verdicts", "1 row may"]),
        (
            Counts(invalid=3),
            {"corrected": (CorrectedReport(Path("mi r.xlsx"), frozenset("ab"), 0),)},
            ["2 corrected rows in mi r.xlsx are ready to send: `case-importer run 'mi r.xlsx' -m", "Correct 1 row"],
        ),
        (
            Counts(created=9, changed=2),
            {"corrected": (CorrectedReport(Path("r.xlsx"), frozenset(), 2),)},
            ["go on with r.xlsx instead"],
        ),
    ],
)
def test_everything_that_is_left_is_said(counts: Counts, more: dict[str, object], said: list[str]) -> None:
    """Each thing to do is a step of its own, in the order of how pressing it is, with its whole command."""
    steps = next_steps(counts, Situation(COMMANDS, **more))  # type: ignore[arg-type]
    assert len(steps) == len(said)
    assert [text for step, text in zip(steps, said, strict=True) if text not in step.sentence] == []
    every = [words for step in steps for words in commands_in(step.sentence)]
    assert all(words[words.index("--journal") + 1] == "j/my journal.db" for words in every)


@pytest.mark.parametrize(
    ("counts", "kept"),
    [((Counts(created=1), Counts(invalid=1)), [1]), ((Counts(created=1), Counts(skipped=1)), [0])],
)
def test_nothing_is_left_only_where_it_is_so_in_every_file(counts: tuple[Counts, ...], kept: list[int]) -> None:
    """The steps of several files together say one thing: what is left, or once that nothing is."""
    steps = [next_steps(each, Situation(COMMANDS))[0] for each in counts]
    assert pressing(steps) == tuple(steps[at] for at in kept)


def test_what_a_limit_left_is_sent_by_the_printed_command(office: Office, give: Give) -> None:
    """It says how many rows are left, and sends them."""
    office.write(ticket(n) for n in range(1, 9))
    limited = give(run(office, "--limit", "3"))
    assert (limited.status, "5 rows are left" in limited.out) == (3, True)
    assert follow(office, give, limited, "run").status == 0
    assert office.sandbox.posts == 8


def test_doubt_comes_to_its_end_by_the_printed_commands(office: Office, give: Give) -> None:
    """Run, settle, the person's verdicts, settle --from, run: no step repeats one that had led nowhere."""
    office.write(ticket(n) for n in range(1, 6))
    office.sandbox.inject("closed-without-creating:nth=2", "closed-without-creating:nth=4")
    first = give(run(office))
    assert (first.status, len(commands_in(first.out))) == (4, 1)
    settled = follow(office, give, first, "settle")
    assert (settled.status, "--from" in settled.out, "row 3 (WCI-" in settled.out) == (4, True, True)
    decide(office.report, {3: ("not created", None), 5: ("not created", None)})
    taken = follow(office, give, settled, "settle")
    assert (taken.status, "tickets (2).report.xlsx" in taken.out) == (0, True)
    assert [
        line["status"] for line in office.reported(office.folder / "tickets (2).report.xlsx").to_dict("records")
    ] == [*("created", "planned", "created", "planned", "created")]
    office.sandbox.inject()
    words = next(words for words in commands_in(taken.out) if words[0] == "run")
    assert give([*words, "--yes"]).status == 0
    assert (office.sandbox.posts, len(office.sandbox.store.cases)) == (7, 5)


def test_verdicts_in_a_report_that_is_run_are_named(office: Office, give: Give) -> None:
    """Without a terminal they are not taken; the printed command takes them."""
    office.write(ticket(n) for n in range(1, 4))
    office.sandbox.inject("closed-without-creating:nth=2")
    give(run(office))
    end_leases(office.journal, ago=1)
    decide(office.report, {3: ("not created", None)})
    office.sandbox.inject()
    for source in (office.report, office.source):
        words = run(office)
        words[1] = str(source)
        again = give(words)
        assert (again.status, "1 verdict in the sheet `To decide` of tickets.report.xlsx" in again.out) == (4, True)
    assert follow(office, give, again, "settle").status == 0
    assert give(run(office)).status == 0
    assert (office.sandbox.posts, len(office.sandbox.store.cases)) == (4, 3)


def test_verdicts_in_a_report_that_is_run_are_taken_after_a_question(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person at the terminal is asked: the rows stay in doubt without a yes, and go on in the same run after one."""
    office.write(ticket(n) for n in range(1, 4))
    office.sandbox.inject("closed-without-creating:nth=2")
    give(run(office))
    end_leases(office.journal, ago=1)
    decide(office.report, {3: ("not created", None)})
    office.sandbox.inject()
    monkeypatch.setattr("importer.cli.terminal.is_interactive", lambda: True)
    words = run(office)
    words[1] = str(office.report)
    for agrees, status, cases in ((False, 4, 2), (True, 0, 3)):
        asked: list[str] = []

        def confirm(question: str, *, agrees: bool = agrees, asked: list[str] = asked, **_options: object) -> bool:
            asked.append(question)
            return agrees

        monkeypatch.setattr("importer.cli.terminal.confirm", confirm)
        assert give(words).status == status
        assert "1 verdict in the sheet `To decide`" in asked[0]
        assert len(office.sandbox.store.cases) == cases


def test_a_report_without_a_verdict_leads_to_the_newest_report(office: Office, give: Give) -> None:
    """Who records verdicts before choosing them is told so, and is never sent back to an older report."""
    office.write(ticket(n) for n in range(1, 8))
    office.sandbox.inject("closed-without-creating:every=3,call=insert")
    give(run(office))
    end_leases(office.journal, ago=1)
    decide(office.report, {4: ("not created", None)})
    shown = give(run(office))
    for _again in range(2):
        shown = follow(office, give, shown, "settle")
    assert "tickets (2).report.xlsx: not recorded. No verdict is chosen" in shown.out
    assert commands_in(shown.out)[0][-1] == str(office.folder / "tickets (2).report.xlsx")


def test_a_placeholder_is_not_taken_for_an_id(office: Office, give: Give) -> None:
    """The printed command needs the id of the case in its place; pasted as it is, it decides nothing."""
    office.write(ticket(n) for n in range(1, 4))
    office.sandbox.inject("closed-without-creating:nth=2")
    asked = follow(office, give, give(run(office, "--report", str(office.folder / "r.csv"))), "settle")
    words = next(words for words in commands_in(asked.out) if "ID" in words)
    assert (give(words).status, "ID is not the id of a case" in give(words).err) == (2, True)


def test_rows_that_were_selected_are_not_all_rows(office: Office, give: Give) -> None:
    """After --only, the step is the command for every row."""
    office.write([*(ticket(n) for n in range(1, 4)), ticket(9, Correo="nobody")])
    give(run(office, "--limit", "1"))
    office.write([*(ticket(n) for n in range(1, 4)), ticket(9)])
    selected = give(run(office, "--only", "invalid"))
    assert "every row is created" not in selected.out
    assert (follow(office, give, selected, "run").status, office.sandbox.posts) == (0, 4)


def test_a_token_is_stored_by_the_printed_command(office: Office, give: Give) -> None:
    """It names the server and the operation that the token is for."""
    office.write(ticket(n) for n in range(1, 4))
    office.sandbox.inject("unauthorized:nth=2,call=insert")
    paused = give(run(office))
    login = next(words for words in commands_in(paused.out) if words[0] == "login")
    assert (paused.status, login[-4:]) == (5, ["--server", office.sandbox.url, "--operation", "demo"])


def test_rows_of_another_import_have_a_way_on(office: Office, give: Give) -> None:
    """`check`, `run` and `report` name both ways on, whatever is in the import's name, and none goes in a circle."""
    name = "d'Ana $1"
    office.write(ticket(n) for n in (1, 2))
    office.mapping.write_text(MAPPING.replace("import: office", f'import: "{name}"'), "utf-8")
    give(run(office))
    office.report.unlink()
    office.mapping.write_text(MAPPING, "utf-8")
    office.write(ticket(n) for n in range(1, 7))
    checked = give(office.arguments("check", "--journal", str(office.journal)))
    assert commands_in(checked.out)[0][-2:] == ["--same-as", name]
    for words in (run(office), office.arguments("report")):
        shown = give(words)
        assert (shown.status, "left to send" in shown.out) == (3, False)
    assert give([*commands_in(shown.out)[0], "--yes"]).status == 0
    assert (office.sandbox.posts, len(office.sandbox.store.cases)) == (6, 6)


def test_who_adopts_a_report_goes_on_with_its_source(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`check` and `run` name the report, `adopt` the command after it; where the CRM alone knows, the look-up is."""
    office.write(ticket(n) for n in range(1, 5))
    give(run(office))
    elsewhere = office.folder / "elsewhere.db"
    check = office.arguments("check", "--journal", str(elsewhere))
    assert [words[0] for words in commands_in(give(check).out)] == ["adopt", "run"]
    assert not elsewhere.exists()
    adopted = give(commands_in(give(check).out)[0])
    (after,) = commands_in(adopted.out)
    assert after[:2] == ["run", str(office.source)]
    last = give([*after, "--yes"])
    assert (adopted.status, last.status, "Nothing is left to do" in last.out) == (0, 0, True)
    for path in office.folder.glob("*.report.xlsx"):
        path.unlink()
    use_folders(monkeypatch, tmp_path / "third")
    found = give(["run", *office.arguments("check")[1:], "--yes"])
    assert (found.status, commands_in(found.err)[0][-1]) == (2, "--look-first")
    assert give(commands_in(found.err)[0]).status == 0
    assert office.sandbox.posts == 4


@pytest.mark.parametrize("name", ["mi informe.xlsx", "mi informe.csv"])
def test_what_has_no_key_is_corrected_in_its_report(office: Office, give: Give, name: str) -> None:
    """Its import is bound to the file, so that no step says to correct the file itself."""
    office.write([ticket(1), ticket(2, Correo="nobody")])
    office.mapping.write_text(MAPPING.replace("key: Ticket", "key: content"), "utf-8")
    report = office.folder / name
    first = give(run(office, "--report", str(report)))
    assert f"Correct 1 row in {name}" in first.out
    if report.suffix == ".csv":
        report.write_text(report.read_text("utf-8-sig").replace("nobody", "a@example.com"), "utf-8-sig")
    else:
        correct(report, "Correo", {3: "a@example.com"})
    assert (follow(office, give, first, "run").status, office.sandbox.posts) == (0, 2)


def correct(report: Path, column: str, cells: dict[int, str]) -> None:
    """Correct the cells of a column in a report's sheet, by row, as a person does in Excel."""
    workbook = load_workbook(report)
    sheet = workbook["Report"]
    place = [cell.value for cell in sheet[1]].index(column) + 1
    for row, text in cells.items():
        sheet.cell(row, place).value = text
    workbook.save(report)


def test_a_corrected_report_is_noticed_and_not_replaced(office: Office, give: Give) -> None:
    """The original says to run it; once it was run, the original leads nobody astray, and the final report stays."""
    office.write([ticket(1), ticket(2, Correo="nobody"), ticket(3, Correo="nobody"), ticket(4, Correo="nobody")])
    assert give(run(office, "--html")).status == 1
    correct(office.report, "Correo", {3: "a@example.com", 4: "b@example.com"})
    again = give(run(office))
    assert again.status == 1
    assert "2 corrected rows in tickets.report.xlsx are ready to send" in again.out
    assert "2 corrected rows in tickets.report.xlsx are ready to send" in again.err
    assert "Correct 1 row in tickets.csv" in again.out
    assert "2 corrected rows in" in give(office.arguments("check", "--journal", str(office.journal))).out
    words = next(words for words in commands_in(again.out) if words[1].endswith(".report.xlsx"))
    rest = give(words)
    assert (rest.status, office.sandbox.posts) == (1, 3)
    second = office.folder / "tickets (2).report.xlsx"
    assert "Correct 1 row in tickets (2).report.xlsx (the sheet `Issues` of tickets (2).report.xlsx says" in rest.out
    assert [words[1] for words in commands_in(rest.out)] == [str(second)]
    correct(second, "Correo", {5: "c@example.com"})
    words[1] = str(second)
    assert give(words).status == 0
    final = office.folder / "tickets (3).report.xlsx"
    kept = final.read_bytes()
    original = give(run(office))
    assert (original.status, office.sandbox.posts) == (1, 4)
    assert "go on with tickets (3).report.xlsx instead" in original.out
    assert [words[1] for words in commands_in(original.out)] == [str(final)]
    assert "change those cases" not in original.out
    assert final.read_bytes() == kept
    assert (office.folder / "tickets (4).report.xlsx").is_file()


def test_a_report_of_the_same_source_is_replaced_without_opening_it(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The journal knows whose report it is, so that a weekly run does not read the last one."""
    office.write([ticket(1)])
    assert give(run(office)).status == 0

    def is_about(*_report: object) -> bool:
        raise AssertionError("the report was opened")

    monkeypatch.setattr("importer.report.is_about", is_about)
    assert give(run(office)).status == 0
    assert not list(office.folder.glob("* (2)*"))


def test_the_page_beside_a_report_is_renewed_with_it(office: Office, give: Give) -> None:
    """A page of ours shows what the workbook shows; one that a person changed stays."""
    office.write([ticket(1), ticket(2)])
    give(run(office, "--html", "--limit", "1"))
    page = office.report.with_suffix(".html")
    before = page.read_bytes()
    give(run(office))
    assert page.read_bytes() != before
    page.write_text("mine", "utf-8")
    give(office.arguments("report"))
    assert page.read_text("utf-8") == "mine"


def test_the_steps_of_rows_are_their_remedies(office: Office, give: Give) -> None:
    """A reason names what to do about its own row, not about others."""
    office.write([ticket(1), ticket(2, Correo="nobody")])
    office.sandbox.inject("closed-without-creating:nth=1")
    result = give(run(office, "--json"))
    remedies = {reason["status"]: reason["remedy"] for reason in result.json["reasons"]}
    assert "To decide" in remedies[Status.UNKNOWN]
    assert result.json["next"] == "\n".join(result.json["steps"])


def test_a_report_in_another_folder_finds_the_files_of_its_sheet(office: Office, give: Give) -> None:
    """A relative attachments folder is that of the sheet, also for a report of the report; a lost one is named."""
    elsewhere = office.folder / "informes" / "x.xlsx"
    elsewhere.parent.mkdir()
    (office.folder / "adjuntos").mkdir()
    for number in (1, 2, 3):
        (office.folder / "adjuntos" / f"Asunto {number}").write_bytes(b"x")
    office.write([ticket(1), ticket(2, Correo="nobody"), ticket(3, Correo="nobody")])
    office.mapping.write_text(MAPPING + "attachments: {folder: adjuntos, columns: Asunto}\n", "utf-8")
    give(run(office, "--report", str(elsewhere)))
    correct(elsewhere, "Correo", {3: "cliente2@example.com"})
    noticed = give(run(office, "--report", str(elsewhere)))
    assert "1 corrected row in x.xlsx is ready to send" in noticed.out
    (office.folder / "adjuntos").rename(office.folder / "otra")
    checked = give(["check", str(elsewhere), "-m", str(office.mapping)])
    assert str(elsewhere.parent / "adjuntos") in checked.out
    assert f"This report was made from {office.source}" in checked.out
    (office.folder / "otra").rename(office.folder / "adjuntos")
    assert follow(office, give, noticed, "run").status == 1
    correct(elsewhere.with_name("x.report.xlsx"), "Correo", {4: "cliente3@example.com"})
    again = [*run(office)[:1], str(elsewhere.with_name("x.report.xlsx")), *run(office)[2:]]
    assert (give(again).status, len(office.sandbox.store.cases)) == (0, 3)
