"""A migration of a made-up help desk: tickets, comments, files, agents, contacts, HTML bodies, and UTC times."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from html import unescape
from pathlib import Path
from random import Random

from promise_support import stored_rows
from run_support import Give, Office, Result

from importer import doctor
from importer.doctor import CaseOptions, Observation, Polling, TestCase
from importer.model import Target
from importer.sandbox import SandboxConfig, StoredCase
from importer.sandbox.calls import CALLS

AGENTS = ("Laura Gómez", "Andrés Peña", "Camila Ríos", "José Muñoz")
SUBJECTS = ("No llega la factura", "Cobro doble", "Garantía", "Cambio de dirección", "Línea caída & sin respuesta")
TYPES = {"Petición": "Request", "Queja": "Complaints", "Reclamo": "Claims", "Sugerencia": "Suggestions"}
STATUSES = {"open": "Abierto", "pending": "Abierto", "solved": "Cerrado"}
PRIORITIES = {"low": "Baja", "normal": "Media", "high": "Alta"}

MAPPING = """\
version: 1
import: legacy-help-desk
source:
  key: id
  zone: America/Bogota
fields:
  case-type:   {column: kind, values: {Petición: Request, Queja: Complaints, Reclamo: Claims, Sugerencia: Suggestions}}
  responsible: ADMIN_@demo
  owner:       {column: agent, lookup: {file: agents.csv, key: name, value: user}}
  contact:     {column: requester, type: email}
  description: {template: "{subject}\\n\\n{body}", type: html}
  status:      {column: status, values: {open: Abierto, pending: Abierto, solved: Cerrado}, closed: [Cerrado]}
  priority:    {column: priority, values: {low: Baja, normal: Media, high: Alta}}
  solution:    {column: solution}
form:
  Subject:        {column: subject}
  Fecha apertura: {column: created_at, type: date, format: YYYY-MM-DD}
  Comentarios:
    template: "{author}: {body}"
    type: html
    join: " / "
    truncate: 2000
    rows: {file: comments.csv, key: ticket_id, order: created_at}
contacts:
  create: missing
  namecontact: {column: name, required: true}
attachments:
  folder: files
  list: {file: files.csv, key: ticket_id, path: path}
  transcript:
    name: historial.html
    template: "{created_at:YYYY-MM-DD HH:mm} {author}: {body}"
    type: html
    rows: {file: comments.csv, key: ticket_id, order: created_at}
reference: description
on_change: update
"""

TICKETS = (
    "id",
    "created_at",
    "requester",
    "name",
    "agent",
    "kind",
    "subject",
    "body",
    "status",
    "priority",
    "solution",
)
COMMENTS = ("ticket_id", "author", "created_at", "body")
FILES = ("ticket_id", "path")
FIRST = datetime(2019, 1, 2, 1, 30, tzinfo=UTC)
HASTY = Polling(limit=2.0, first_delay=0.01, longest_delay=0.05, settle=0.0)

_TICKET = re.compile(r"\bCaso (\d+):")
_NOTE = re.compile(r"Nota \d+ <interna>")


@dataclass(frozen=True, slots=True)
class Migration:
    """The folder of a migration, and how much is in it: one contact for three tickets, a third of them missing."""

    folder: Path
    tickets: int
    comments: int
    files: int

    @property
    def source(self) -> Path:
        """The table of tickets."""
        return self.folder / "tickets.csv"

    @property
    def mapping(self) -> Path:
        """The mapping."""
        return self.folder / "mapping.yml"

    def write(self, changed: frozenset[int] = frozenset()) -> None:
        """Write all tables, files and the mapping."""
        chance = Random(7)  # noqa: S311 - made-up data
        self.folder.mkdir(parents=True, exist_ok=True)
        _write(self.source, TICKETS, self.ticket_rows(changed))
        _write(self.folder / "comments.csv", COMMENTS, self._comment_rows(chance))
        _write(self.folder / "files.csv", FILES, self._file_rows(chance))
        users = ((name, f"agent{number}@demo") for number, name in enumerate(AGENTS))
        _write(self.folder / "agents.csv", ("name", "user"), users)
        self.mapping.write_text(MAPPING, "utf-8")

    def ticket_rows(self, changed: frozenset[int] = frozenset()) -> Iterable[Sequence[object]]:
        """Yield the rows of the tickets; `changed` ones were solved since."""
        chance = Random(11)  # noqa: S311 - made-up data
        for number in range(1, self.tickets + 1):
            status = chance.choice(tuple(STATUSES))
            kind, priority = chance.choice(tuple(TYPES)), chance.choice(tuple(PRIORITIES))
            agent, subject = chance.choice(AGENTS), chance.choice(SUBJECTS)
            solution = f"Se respondió el caso {number}." if status == "solved" else ""
            if number in changed:
                status, solution = "solved", f"Resuelto después: {number}."
            person = number % self.people
            body = f"<p>Buenos días,</p><p>Caso <b>{number}</b>: {subject.replace('&', '&amp;')}.<br>Gracias</p>"
            moment = FIRST + timedelta(hours=7 * number)
            yield (number, _utc(moment), _address(number, person), f"Persona {person}", agent, kind, subject, body,
                   status, priority, solution)  # fmt: skip

    @property
    def people(self) -> int:
        """How many contacts the tickets have."""
        return max(1, self.tickets // 3)

    @property
    def known_contacts(self) -> tuple[str, ...]:
        """The contacts that the CRM has already: two of three."""
        return tuple(f"persona{person}@example.com" for person in range(self.people) if person % 3)

    def config(self, quota: int) -> SandboxConfig:
        """Return the simulated CRM of the migration: it knows its users, and refuses cases of unknown contacts."""
        return SandboxConfig(contacts=self.known_contacts, unknown_contact="refused", daily_quota=quota)

    def _comment_rows(self, chance: Random) -> Iterable[Sequence[object]]:
        for number in range(1, self.comments + 1):
            ticket = chance.randint(1, self.tickets)
            moment = FIRST + timedelta(hours=7 * ticket, minutes=chance.randint(1, 90_000))
            yield ticket, chance.choice(AGENTS), _utc(moment), f"<p>Nota {number} &lt;interna&gt;</p>"

    def _file_rows(self, chance: Random) -> Iterable[Sequence[object]]:
        for number in range(1, self.files + 1):
            path = self.folder / "files" / f"{number % 10}" / f"adjunto {number}.txt"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"%d\n" % number * chance.randint(1, 200))
            yield chance.randint(1, self.tickets), path.relative_to(self.folder / "files").as_posix()


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def _utc(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _address(number: int, person: int) -> str:
    """Return a contact's address, spelt as a person types it on some days."""
    return f"Persona{person}@Example.com" if number % 5 == 0 else f"persona{person}@example.com"


class _Colleague:
    """Agrees to the doctor's test cases, and sees nothing in the CRM."""

    def confirm(self, case: TestCase) -> bool:  # noqa: ARG002 - any
        """Agree."""
        return True

    def larger_size(self) -> int:
        """Want a test case larger than the migration's own."""
        return 200_000

    def common_value(self, field: str) -> str:  # noqa: ARG002 - one answer for all fields
        """Know no contact with many cases."""
        return ""

    def observed(self, question: str) -> Observation:  # noqa: ARG002 - one answer for all
        """Do not know."""
        return "unknown"

    def show(self, sentence: str) -> None:
        """Read on."""


@dataclass
class HelpDesk:
    """A migration, where it goes, and who carries out the commands; a simulated day ends where the quota does."""

    migration: Migration
    office: Office
    give: Give
    days: int = 1

    def learn(self) -> None:
        """Let the doctor learn what updates and searches do, with a test case of its own."""
        self.migration.write()
        fields = {"responsible": "ADMIN_@demo", "owner": "ADMIN_@demo", "contact": "persona1@example.com"}
        fields |= {"case-type": "Request", "status": "Abierto", "priority": "Baja", "form.Subject": "Prueba"}
        where = Target(self.office.sandbox.url, "demo", "any")
        names = ("find", "fields", "none", "no-contact", "update", "large")
        folder = self.office.journal.parent
        doctor.ask_crm(where, CaseOptions(fields), _Colleague(), folder, names, polling=HASTY)

    def words(self, command: str, *more: str) -> list[str]:
        """Return the words of a command on the migration's files."""
        where = ["--server", self.office.sandbox.url, "--operation", "demo", "--journal", str(self.office.journal)]
        return [command, str(self.migration.source), "-m", str(self.migration.mapping), *where, *more]

    def day_by_day(self, command: str, *more: str, most: int = 200) -> Result:
        """Give a command every day until nothing is left, and return how it ended then."""
        for _day in range(most):
            ended = self.give(self.words(command, "--yes", "--json", *more))
            if ended.status != 3:
                return ended
            self.office.sandbox.new_day()
            self.days += 1
        raise AssertionError(ended)

    @property
    def traffic(self) -> Counter[str]:
        """How many calls of each kind have arrived at the CRM."""
        return Counter({name: count for name in CALLS if (count := self.office.sandbox.calls(name))})

    @property
    def cases(self) -> dict[int, list[StoredCase]]:
        """The cases that the CRM has, by the numbers of their tickets."""
        found: dict[int, list[StoredCase]] = {}
        for case in self.office.sandbox.store.cases:
            if ticket := _TICKET.search(str(case.body["description"])):
                found.setdefault(int(ticket[1]), []).append(case)
        return found

    @property
    def contacts(self) -> Counter[str]:
        """The contacts that the CRM has: how often each address, whatever its spelling."""
        created = (str(each.fields["emailcontact"]) for each in self.office.sandbox.store.records.all())
        return Counter(map(str.casefold, [*self.migration.known_contacts, *created]))

    def assert_once(self) -> None:
        """Check that no address and no ticket is there twice, and that no id is lost."""
        assert set(self.contacts.values()) <= {1}, self.contacts
        cases = self.cases
        assert all(len(each) == 1 for each in cases.values())
        assert set(cases) <= set(range(1, self.migration.tickets + 1))
        known = {row.reference: row for row in stored_rows(self.office.journal)}
        made = {str(case.reference): case for (case,) in cases.values()}
        for reference, case in made.items():
            row = known[reference]
            assert row.wolkvox_id == case.wolkvox_id or row.state in {"sending", "unknown", "conflict"}, row
        assert all(row.reference in made for row in known.values() if row.state == "created")

    def assert_complete(self, changed: frozenset[int] = frozenset()) -> None:
        """Check that everything is in the CRM, and is as the help desk had it."""
        self.assert_once()
        assert set(self.contacts) == {f"persona{person}@example.com" for person in range(self.migration.people)}
        cases = self.cases
        assert set(cases) == set(range(1, self.migration.tickets + 1))
        for row in self.migration.ticket_rows(changed):
            self._assert_case(dict(zip(TICKETS, row, strict=True)), cases[int(str(row[0]))][0])

    def _assert_case(self, ticket: dict[str, object], case: StoredCase) -> None:
        number, body = int(str(ticket["id"])), case.body
        moment = datetime.fromisoformat(str(ticket["created_at"])) - timedelta(hours=5)  # in Bogotá
        comments = self._comments[number]
        assert f"Caso {number}: {ticket['subject']}.\nGracias" in str(body["description"])
        assert body["form"]["Subject"] == ticket["subject"]
        assert body["form"]["Fecha apertura"] == f"{moment:%Y-%m-%d}"
        assert (
            body["form"]
            .get("Comentarios", "")
            .startswith(" / ".join(f"{who}: {text}" for _at, who, text in comments)[:1900])
        )
        assert (body["case-type"], body["status"]) == (TYPES[str(ticket["kind"])], STATUSES[str(ticket["status"])])
        assert (body["priority"], body.get("solution", "")) == (PRIORITIES[str(ticket["priority"])], ticket["solution"])
        assert body["owner"] == f"agent{AGENTS.index(str(ticket['agent']))}@demo"
        assert str(body["contact"]).casefold() == str(ticket["requester"]).casefold()
        *files, page = case.attachments if comments else (*case.attachments, b"")
        assert sorted(files) == sorted(self._files[number])
        assert _NOTE.findall(unescape(page.decode())) == [text for _at, _who, text in comments]
        places = [page.decode().find(f"{at - timedelta(hours=5):%Y-%m-%d %H:%M}") for at, *_rest in comments]
        assert -1 not in places
        assert places == sorted(places)

    @property
    def with_comments(self) -> list[int]:
        """The tickets that have a comment, and so a transcript."""
        return [number for number, comments in self._comments.items() if comments]

    @cached_property
    def _comments(self) -> dict[int, list[tuple[datetime, str, str]]]:
        found: dict[int, list[tuple[datetime, str, str]]] = {n: [] for n in range(1, self.migration.tickets + 1)}
        for row in _read(self.migration.folder / "comments.csv"):
            text = unescape(row["body"].removeprefix("<p>").removesuffix("</p>"))
            found[int(row["ticket_id"])].append((datetime.fromisoformat(row["created_at"]), row["author"], text))
        return {number: sorted(each, key=lambda one: one[0]) for number, each in found.items()}

    @cached_property
    def _files(self) -> dict[int, list[bytes]]:
        found: dict[int, list[bytes]] = {n: [] for n in range(1, self.migration.tickets + 1)}
        for row in _read(self.migration.folder / "files.csv"):
            found[int(row["ticket_id"])].append((self.migration.folder / "files" / row["path"]).read_bytes())
        return found


def _read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
