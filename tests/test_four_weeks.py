"""Four weeks of overlapping sheets on two computers, with a kill, a lost answer and a renamed mapping."""

from __future__ import annotations

import csv
import re
import shlex
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import use_folders
from promise_support import KILLED, Order, end_leases, stored_rows
from run_support import HEADER, MAPPING, Give, Result, ticket
from test_next_steps import correct

from importer.sandbox import RunningSandbox

PLAIN = ("--yes", "--concurrency", "1")
"""What both colleagues give beside the files: they have read the forecast once, and know it."""

_MOST_STEPS = 8
"""More printed steps than this, one after the other, lead nowhere."""


def commands_in(result: Result) -> list[list[str]]:
    """Return the commands that a command printed, as the words after the program's name."""
    return [shlex.split(found)[1:] for found in re.findall(r"`(case-importer [^`]+)`", result.out + result.err)]


@dataclass
class Computer:
    """A colleague's computer: a folder of its own, and a user's folders with a journal of its own."""

    folder: Path
    user: Path
    give: Give
    patch: pytest.MonkeyPatch

    def at(self) -> None:
        """Sit down at this computer, in its folder."""
        self.folder.mkdir(exist_ok=True)
        use_folders(self.patch, self.user)
        self.patch.chdir(self.folder)

    def __call__(self, words: list[str]) -> Result:
        """Give a command here."""
        self.at()
        return self.give(words)

    @property
    def journal(self) -> Path:
        """Its journal."""
        return next(self.user.rglob("journal.db"))

    def write(self, name: str, rows: Iterable[dict[str, str]]) -> None:
        """Write a sheet."""
        self.at()
        with (self.folder / name).open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, HEADER)
            writer.writeheader()
            writer.writerows(rows)

    def follow(self, result: Result, *, says: str = "") -> Result:
        """Carry out literally the next command that was printed; the first that contains a word, if one is given."""
        words = next(words for words in commands_in(result) if says in shlex.join(words))
        return self(words)

    def to_the_end(self, result: Result) -> list[str]:
        """Carry out each next command until nothing is left that a command can do; return the names of all of them."""
        given: list[str] = []
        while printed := commands_in(result):
            assert len(given) < _MOST_STEPS, f"a circle: {given}"
            given.append(printed[0][0])
            end_leases(self.journal, ago=1_000)
            result = self(printed[0])
        assert "Nothing is left to do" in result.out or "change those cases in the CRM by hand" in result.out, result
        return given


@dataclass
class Month:
    """What arrived, week by week: a dozen new tickets, and four of the last week that moved on."""

    week: int = 0

    def sheet(self) -> list[dict[str, str]]:
        """Return the rows of the next week."""
        self.week += 1
        first = 12 * (self.week - 1) + 1
        solved = {"Estado": "Cerrado", "Solución": f"Resuelto en la semana {self.week}"}
        carried_over = [ticket(number, **solved) for number in range(first - 4, first) if number > 0]
        return [*carried_over, *(ticket(number) for number in range(first, first + 12))]


def test_four_weeks_of_two_computers(  # noqa: PLR0915 - a month has as many steps
    tmp_path: Path, sandbox: RunningSandbox, give: Give, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No second case, nothing lost, and at every step the printed command leads to the end."""
    ana, eva = (Computer(tmp_path / f"{who} $1", tmp_path / f"user-{who}", give, monkeypatch) for who in ("Ana", "Eva"))
    where = ("--server", sandbox.url, "--operation", "demo", *PLAIN)
    month = Month()

    # Week 1 at Ana's: one row is faulty, and corrected in the report.
    ana.write("semana 1.csv", [*month.sheet(), ticket(901, Correo="ana arroba example.com")])
    (ana.folder / "mapa d'Ana.yml").write_text(MAPPING, "utf-8")
    first = ana(["run", "semana 1.csv", "-m", "mapa d'Ana.yml", *where])
    assert (first.status, sandbox.posts) == (1, 12)
    correct(ana.folder / "semana 1.report.xlsx", "Correo", {14: "ana@example.com"})
    again = ana.follow(first, says="run")
    assert ana.to_the_end(again)[0] == "run"
    assert sandbox.posts == 13

    # Week 2 at Ana's: she is killed while a case is on its way, its answer lost with her.
    ana.write("semana 2.csv", month.sheet())
    second = ["run", "semana 2.csv", "-m", "mapa d'Ana.yml", *where]
    ana.at()
    assert order(second, step="answer-read", when="after", nth=9) == KILLED
    assert ana.to_the_end(ana(second))[0] == "settle"
    assert len(sandbox.store.cases) == 25

    # Eva has the same sheet, her own journal and no report: the CRM knows the rows.
    eva.at()
    for name in ("mapa d'Ana.yml", "semana 2.csv"):
        shutil.copy(ana.folder / name, eva.folder / name)
    refused = eva(second)
    assert (refused.status, len(sandbox.store.cases)) == (2, 25)
    eva.to_the_end(eva.follow(refused, says="--look-first"))
    assert len(sandbox.store.cases) == 25

    # Week 3 at Eva's: an answer is lost, and the row's case exists.
    eva.write("semana 3.csv", month.sheet())
    sandbox.inject("closed-after-creating:nth=5")
    third = ["run", "semana 3.csv", "-m", "mapa d'Ana.yml", *where]
    lost = eva(third)
    sandbox.inject()
    assert lost.status == 4
    assert eva.to_the_end(lost)[0] == "settle"
    assert len(sandbox.store.cases) == 37

    # Week 4 at Ana's, who gets Eva's sheet and report of week 3, and a mapping whose import has another name.
    for path in eva.folder.glob("semana 3*"):
        shutil.copy(path, ana.folder / path.name)
    there = ana(third)
    assert there.status == 2
    adopted = ana.follow(there, says="adopt")
    assert adopted.status == 0
    ana.to_the_end(adopted)
    ana.write("semana 4.csv", month.sheet())
    (ana.folder / "mapa nuevo.yml").write_text(MAPPING.replace("import: office", "import: semana 4"), "utf-8")
    fourth = ["run", "semana 4.csv", "-m", "mapa nuevo.yml", *where]
    waiting = ana(fourth)
    assert waiting.status == 3
    ana.to_the_end(waiting)
    assert len(sandbox.store.cases) == 49

    # The end of the month: a case for each ticket, every id in Ana's journal, and nothing more to send.
    cases = sandbox.store.cases
    tickets = [f"Asunto {number}" for number in (*range(1, 49), 901)]
    assert sorted(case.body["form"]["Subject"] for case in cases) == sorted(tickets)
    assert {case.wolkvox_id for case in cases} == {row.wolkvox_id for row in stored_rows(ana.journal)}
    for week, mapping in ((3, "mapa d'Ana.yml"), (4, "mapa d'Ana.yml")):
        result = ana(["run", f"semana {week}.csv", "-m", mapping, *where])
        assert (result.status, "16 rows: created 16 (4 of them changed)" in result.out) == (1, True), result
    assert (sandbox.posts, len(cases)) == (49, 49)


def test_both_names_of_an_import_are_known_on_another_computer(
    tmp_path: Path, sandbox: RunningSandbox, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report tells all names of its import: rows that were sent under either are found before they are sent."""
    ana, eva = (Computer(tmp_path / who, tmp_path / f"user-{who}", give, monkeypatch) for who in ("Ana", "Eva"))
    where = ("-m", "m.yml", "--server", sandbox.url, "--operation", "demo", *PLAIN)

    def map_as(computer: Computer, name: str) -> None:
        computer.at()
        (computer.folder / "m.yml").write_text(MAPPING.replace("import: office", f"import: {name}"), "utf-8")

    map_as(ana, "weekly")
    ana.write("1.csv", [ticket(1), ticket(2)])
    assert ana(["run", "1.csv", *where]).status == 0
    map_as(ana, "office")
    ana.write("2.csv", [ticket(3), ticket(4), ticket(5)])
    assert ana(["run", "2.csv", *where, "--limit", "1"]).status == 3
    assert ana(["run", "2.csv", *where, "--same-as", "weekly"]).status == 0
    ana.write("3.csv", [ticket(3), ticket(2), ticket(6)])
    assert ana(["run", "3.csv", *where]).status == 0
    assert len(sandbox.store.cases) == 6

    map_as(eva, "office")
    shutil.copy(ana.folder / "3.report.xlsx", eva.folder / "3.report.xlsx")
    assert eva(["adopt", "3.report.xlsx", *where[:-3]]).status == 0
    eva.write("4.csv", [ticket(1), ticket(3), ticket(4), ticket(5), ticket(7)])
    refused = eva(["run", "4.csv", *where])
    assert refused.status == 2
    assert eva.follow(refused, says="--look-first").status == 0
    assert len(sandbox.store.cases) == 7
    for name in ("weekly", "office"):
        map_as(eva, name)
        assert eva(["run", "4.csv", *where]).status == 0
    assert len(sandbox.store.cases) == 7
