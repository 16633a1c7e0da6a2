"""What a run has to ask: all at once, before anything is sent, and never again once answered."""

from __future__ import annotations

import os
import re
import shlex
import sqlite3
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import keyring
import keyring.backends.fail
import pytest
import trustme
from kept import Kept, keeping
from passage import Passage
from promise_support import end_leases, select, settle_rows
from run_support import MAPPING, Give, Office, Result, ticket

from importer.cli.terminal import Terminal
from importer.commands import shell_words
from importer.identity import Scope, tenant_of
from importer.journal import Journal
from importer.pipeline import check
from importer.questions import Answer, Question, QuestionsOpen, answer_all, unanswered
from importer.sandbox import RunningSandbox
from importer.settings import load_settings, settings_path, trust
from importer.workflow.guards import first_run_questions, join_imports, other_imports
from importer.workflow.job import Job, load_job
from importer.workflow.jobs.settle_job import ByHand
from importer.workflow.jobs.starting import _plan_questions

TARGET = "target:\n  server: crm0009.wolkvox.com\n  operation: demo\n"


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Hide the machine's own keyring and the environment's server for one test."""
    for name in ("WOLKVOX_SERVER", "WOLKVOX_OPERATION", "WOLKVOX_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    before = keyring.get_keyring()
    keyring.set_keyring(keyring.backends.fail.Keyring())
    yield
    keyring.set_keyring(before)


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Person:
    """Simulate a person at the terminal, whose answers the test decides."""
    there = Person()
    monkeypatch.setattr("importer.cli.terminal.is_interactive", lambda: True)
    monkeypatch.setattr("importer.cli.terminal.confirm", there.confirm)
    monkeypatch.setattr("click.prompt", there.choose)
    return there


class Person:
    """A person who declines questions that contain certain words, and chooses by number."""

    def __init__(self) -> None:
        self.declines: tuple[str, ...] = ()
        self.chooses = 0
        self.asked: list[str] = []

    def confirm(self, question: str, **_how: object) -> bool:
        """Answer with yes or no."""
        self.asked.append(question)
        return not any(word in question for word in self.declines)

    def choose(self, question: str, **_how: object) -> int:
        """Answer with a number."""
        self.asked.append(question)
        return self.chooses


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Provide a certificate authority that the client trusts."""
    return trustme.CA()


@pytest.fixture
def tunnel(office: Office, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch) -> Iterator[Passage]:
    """Route every https host to the sandbox, by the environment's proxy, and record the hosts."""

    def certificate(host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host).configure_cert(context)
        return context

    authority.cert_pem.write_to_path(str(office.folder / "ca.pem"))
    with Passage(office.sandbox.url, certificate) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        yield proxy


def command_line(office: Office, command: str, *more: str) -> list[str]:
    """Return the arguments of a command that leaves server and operation to the mapping."""
    arguments = [command, str(office.source), "-m", str(office.mapping)]
    if command in {"run", "settle", "doctor"}:
        arguments += ["--ca-file", str(office.folder / "ca.pem"), "--journal", str(office.journal)]
    if command in {"settle", "doctor"}:
        arguments.remove(str(office.source))
    return [*arguments, *more]


def write_with_server(office: Office, more: str = "", count: int = 2) -> None:
    """Write a sheet, and a mapping that itself names the server."""
    office.mapping.write_text(MAPPING + TARGET + more, "utf-8")
    office.write(ticket(n) for n in range(1, count + 1))


def decisions(office: Office) -> list[tuple[str, ...]]:
    """Return the questions and answers that the journal has."""
    with closing(sqlite3.connect(office.journal)) as journal:
        return journal.execute("SELECT question, answer FROM decisions WHERE user != '' ORDER BY id").fetchall()


# ------------------------------------------------------------------------------------------------ the server


@pytest.mark.parametrize(
    "command",
    [("run", "--yes", "--first-run"), ("run", "--yes", "--first-run", "--look-first"), ("settle",), ("doctor",)],
)
def test_x5_no_call_goes_to_a_server_that_only_the_mapping_names(
    command: tuple[str, ...], office: Office, give: Give, tunnel: Passage
) -> None:
    """No command connects to it, not even for the quota; the question shows server, operation and file."""
    write_with_server(office)
    office.journal.parent.mkdir()
    Journal(office.journal).close()
    refused = give(command_line(office, *command))
    assert refused.status == 2
    assert tunnel.hosts == []
    output = refused.out + refused.err
    for part in ("crm0009.wolkvox.com", "demo", str(office.mapping), "--trust-server"):
        assert part in output
    assert not settings_path().exists()


def test_x5_a_server_is_agreed_to_once_for_its_operation(office: Office, give: Give, tunnel: Passage) -> None:
    """After --trust-server no later command asks; another operation of the same server is asked about."""
    write_with_server(office)
    assert give(command_line(office, "run", "--yes", "--first-run", "--trust-server")).status == 0
    assert give(command_line(office, "run", "--yes")).status == 0
    assert give(command_line(office, "doctor")).status == 0
    assert (office.sandbox.posts, set(tunnel.hosts)) == (2, {"crm0009.wolkvox.com"})
    calls = len(tunnel.hosts)
    office.mapping.write_text(office.mapping.read_text("utf-8").replace("operation: demo", "operation: other"), "utf-8")
    refused = give(command_line(office, "run", "--yes", "--first-run", "--new-import", "--json"))
    assert (refused.status, len(tunnel.hosts)) == (2, calls)
    assert [question["code"] for question in refused.json["questions"]] == ["trust-server"]
    assert settings_path().stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("named", ["option", "environment", "settings", "login"])
def test_x5_what_the_user_named_is_meant(
    named: str, office: Office, give: Give, tunnel: Passage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server and operation of an option, the environment, the settings or `login` are not asked about."""
    write_with_server(office)
    more = []
    if named == "option":
        more = ["--server", "crm0009.wolkvox.com", "--operation", "demo"]
    elif named == "environment":
        monkeypatch.setenv("WOLKVOX_SERVER", "crm0009.wolkvox.com")
        monkeypatch.setenv("WOLKVOX_OPERATION", "demo")
    elif named == "settings":
        settings_path().parent.mkdir(parents=True)
        settings_path().write_text('server = "crm0009.wolkvox.com"\noperation = "demo"\n', "utf-8")
    else:
        monkeypatch.setattr("importer.settings.connection.stored_token", lambda *_where: "stored")
    assert give(command_line(office, "run", "--yes", "--first-run", *more)).status == 0
    assert set(tunnel.hosts) == {"crm0009.wolkvox.com"}


def test_x5_an_operation_that_only_the_mapping_names_is_asked_about(
    office: Office, give: Give, tunnel: Passage
) -> None:
    """A token belongs to a server and an operation: naming the server does not agree to the operation."""
    write_with_server(office)
    refused = give(command_line(office, "run", "--yes", "--first-run", "--server", "crm0009.wolkvox.com"))
    assert (refused.status, tunnel.hosts) == (2, [])
    assert "--trust-server" in refused.err


def test_x5_a_person_who_declines_a_server_sends_nothing(
    office: Office, give: Give, tunnel: Passage, person: Person
) -> None:
    """At a terminal the question comes before any call; no is exit status 2, yes is remembered."""
    write_with_server(office)
    person.declines = ("crm0009.wolkvox.com and",)
    assert give(command_line(office, "run")).status == 2
    assert tunnel.hosts == []
    person.declines, person.asked = (), []
    assert give(command_line(office, "run")).status == 0
    assert [question.split()[0] for question in person.asked] == [str(office.mapping), "This", "Send"]
    person.asked = []
    office.write(ticket(n) for n in range(1, 4))
    assert give(command_line(office, "run")).status == 0
    assert [question.split()[0] for question in person.asked] == ["Send"]


# ------------------------------------------------------------------------------------------------ all at once


def test_all_open_questions_are_listed_at_once(office: Office, give: Give, tunnel: Passage) -> None:
    """Without a terminal one refusal names every question with its option, and no call is made."""
    outside = office.folder.parent / f"{office.folder.name}-lists"
    outside.mkdir()
    (outside / "agents.csv").write_text("name,mail\nAlta,Alta\n", "utf-8")
    write_with_server(office)
    with_lookup = MAPPING.replace(
        "default: Media,", f"default: Media, lookup: {{file: '{outside / 'agents.csv'}', key: name, value: mail}},"
    )
    office.mapping.write_text(with_lookup + TARGET, "utf-8")
    refused = give(command_line(office, "run", "--json"))
    assert (refused.status, tunnel.hosts) == (2, [])
    assert [question["code"] for question in refused.json["questions"]] == [
        "allow-folder",
        "trust-server",
        "first-run",
        "forecast",
    ]
    for option in ("--allow-folder", "--trust-server", "--first-run", "--yes"):
        assert option in refused.json["reason"]
    options = ["--allow-folder", str(outside), "--trust-server", "--first-run", "--yes"]
    assert give(command_line(office, "run", *options)).status == 0
    assert give(command_line(office, "run")).status == 0  # nothing to send, and no open question
    assert office.sandbox.posts == 2


def test_yes_agrees_to_the_forecast_and_to_nothing_else(office: Office, give: Give, tunnel: Passage) -> None:
    """--yes answers no other question."""
    write_with_server(office)
    refused = give(command_line(office, "run", "--yes", "--json"))
    assert [question["code"] for question in refused.json["questions"]] == ["trust-server", "first-run"]
    assert tunnel.hosts == []


def test_without_leave_to_send_no_call_is_made(office: Office, give: Give) -> None:
    """A run without --yes and without a terminal ends before the CRM is asked for the quota."""
    office.write([ticket(1)])
    refused = give(office.arguments("run"))
    assert refused.status == 2
    assert "--yes" in refused.err
    assert (office.sandbox.posts, office.sandbox.calls("token")) == (0, 0)


@pytest.mark.usefixtures("tunnel")
def test_the_first_run_is_remembered_with_who_said_so(office: Office, give: Give) -> None:
    """The journal records the answer, once."""
    write_with_server(office)
    assert give(command_line(office, "run", "--yes", "--first-run", "--trust-server")).status == 0
    assert decisions(office) == [("first-run", "yes")]
    assert give(command_line(office, "run", "--yes", "--first-run")).status == 0
    assert decisions(office) == [("first-run", "yes")]


def test_r11_another_imports_keys_are_asked_about_once_for_the_pair(office: Office, give: Give, person: Person) -> None:
    """The answer for two imports is remembered, and the person may choose either, or stop."""
    office.write(ticket(n) for n in (1, 2))
    assert give(office.arguments("run")).status == 0
    office.mapping.write_text(MAPPING.replace("import: office", "import: renamed"), "utf-8")
    person.asked = []
    assert give(office.arguments("run")).status == 2
    assert person.asked == ["Which of these"]
    person.chooses = 1
    assert give(office.arguments("run")).status == 0
    assert office.sandbox.posts == 2
    office.mapping.write_text(MAPPING.replace("import: office", "import: apart"), "utf-8")
    person.chooses = 2
    assert give(office.arguments("run", "--limit", "1")).status == 3
    person.asked = []
    assert give(office.arguments("run")).status == 0
    assert person.asked == ["Send 1 case?"]
    assert office.sandbox.posts == 4
    assert decisions(office) == [("other-import", "same-as office"), ("other-import", "new-import")]


def test_r11_other_tickets_under_a_known_name_are_a_question(office: Office, give: Give) -> None:
    """--same-tickets continues, and is needed once for a file; --new-import says what the mapping needs."""
    office.write(ticket(n) for n in range(1, 9))
    give(office.arguments("run", "--yes"))
    office.write(ticket(n, Correo=f"otra{n}@example.com", Detalle="otra cosa") for n in range(1, 10))
    refused = give(office.arguments("run", "--yes", "--json"))
    assert [question["code"] for question in refused.json["questions"]] == ["same-tickets"]
    apart = give(office.arguments("run", "--yes", "--new-import"))
    assert (apart.status, office.sandbox.posts) == (2, 8)
    assert "import: office" in apart.err
    assert give(office.arguments("run", "--yes", "--same-tickets")).status == 1
    assert give(office.arguments("run", "--yes")).status == 1
    assert office.sandbox.posts == 9
    assert decisions(office) == [("same-tickets", "yes")]


EVERYTHING = {"Correo": "otra@example.com", "Asunto": "otro", "Detalle": "otra cosa", "Prioridad": "Baja"}


ANOTHER_TICKET = (
    {"Correo": "otra@example.com"},
    EVERYTHING,
    EVERYTHING | {"Estado": "Cerrado", "Solución": "listo"},
)
"""Edits after which a row looks like another ticket: another contact, everything, and everything in a closed one."""

MOVED_ON = (
    {"Estado": "Cerrado", "Solución": "listo"},
    {"Detalle": "otra cosa", "Asunto": "otro", "Prioridad": "Baja"},
)
"""Edits of a ticket that moved on, and of one that was rewritten."""


def test_r11_known_rows_that_moved_on_refuse_nothing(office: Office, give: Give) -> None:
    """A known row that was edited is `changed` and lets the new ones go, unless it looks like another ticket."""
    office.write(ticket(n) for n in range(1, 9))
    give(office.arguments("run", "--yes"))
    for edits in ANOTHER_TICKET:
        office.write([*(ticket(n, **edits) for n in range(1, 9)), ticket(9)])
        assert (give(office.arguments("run", "--yes")).status, office.sandbox.posts) == (2, 8)
    for new, edits in enumerate(MOVED_ON, 1):
        office.write([*(ticket(n, **edits) for n in range(1, 9)), *(ticket(8 + n) for n in range(1, new + 1))])
        result = give(office.arguments("run", "--yes", "--json"))
        assert (result.status, office.sandbox.posts) == (1, 8 + new)
        assert (result.json["counts"]["created"], result.json["counts"]["changed"]) == (8 + new, 8)


def test_r11_with_a_contact_from_no_column_all_that_lasts_must_differ(office: Office, give: Give) -> None:
    """Where the contact is a constant, rows are other tickets if all but status and solution is other."""
    office.mapping.write_text(MAPPING.replace("{column: Correo, type: email}", "ana@example.com"), "utf-8")
    office.write(ticket(n) for n in range(1, 7))
    give(office.arguments("run", "--yes"))
    office.write(ticket(n, Asunto="otro", Detalle="otra cosa") for n in range(1, 7))
    assert give(office.arguments("run", "--yes")).status == 1
    office.write(ticket(n, Asunto="otro", Detalle="otra cosa", Prioridad="Baja") for n in range(1, 7))
    assert give(office.arguments("run", "--yes")).status == 2


def test_r11_an_import_that_created_nothing_stands_in_nobodys_way(office: Office, give: Give) -> None:
    """The keys of an import whose rows were never sent are free for another one."""
    office.write(ticket(n, Correo="nada") for n in range(1, 9))
    assert give(office.arguments("run", "--yes")).status == 1
    office.mapping.write_text(MAPPING.replace("import: office", "import: renamed"), "utf-8")
    office.write(ticket(n) for n in range(1, 9))
    assert give(office.arguments("run", "--yes")).status == 0
    assert office.sandbox.posts == 8


WEEKLY = MAPPING.replace("import: office", "import: weekly")


def overlapping(office: Office, give: Give, *more: str) -> Result:
    """Run a second import of six rows, of which two have the keys of the first one's cases."""
    office.write(ticket(n) for n in (1, 2))
    assert give(office.arguments("run", "--yes")).status == 0
    office.report.unlink()
    office.mapping.write_text(WEEKLY, "utf-8")
    office.write(ticket(n) for n in range(1, 7))
    return give(office.arguments("run", "--yes", "--json", *more))


@pytest.fixture(scope="module")
def two_imports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept[Result]]:
    """Run two imports of which the second waits with the two rows whose keys are those of the first one's cases."""
    with keeping(tmp_path_factory.mktemp("two"), overlapping) as kept:
        yield kept


def test_r11_some_keys_of_another_import_wait_and_the_others_go(two_imports: Kept[Result], give: Give) -> None:
    """Rows whose keys created cases elsewhere wait, with the reason; --new-import sends them, and is remembered."""
    office, result = two_imports.again(), two_imports.made
    assert (result.status, result.json["created_now"], result.json["counts"]["planned"]) == (3, 4, 2)
    assert [reason["row"] for reason in result.json["reasons"]] == [2, 3]
    assert all("import office" in one["message"] and "--new-import" in one["message"] for one in result.json["reasons"])
    assert give(office.arguments("run", "--yes")).status == 3
    assert office.sandbox.posts == 6
    assert give(office.arguments("run", "--yes", "--new-import")).status == 0
    assert (office.sandbox.posts, decisions(office)) == (8, [("other-import", "new-import")])
    office.mapping.write_text(MAPPING, "utf-8")
    office.write(ticket(n) for n in range(1, 8))
    assert give(office.arguments("run", "--yes")).status == 0
    assert office.sandbox.posts == 13


def test_r11_an_import_that_is_known_already_is_asked_about_keys_of_another(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also after the first rows, by which a new import is judged, and if the import has cases of its own."""
    monkeypatch.setattr(other_imports, "SAMPLE", 20)
    office.write([ticket(1)])
    give(office.arguments("run", "--yes"))
    office.mapping.write_text(WEEKLY, "utf-8")
    office.write([ticket(2_999)])
    give(office.arguments("run", "--yes"))
    office.write([*(ticket(n, Correo="nobody") for n in range(2, 30)), ticket(1), ticket(3_000)])
    result = give(office.arguments("run", "--yes", "--json"))
    assert (result.json["created_now"], result.json["counts"]["planned"], office.sandbox.posts) == (1, 1, 3)


def test_r11_keys_of_doubtful_rows_of_another_import_wait(office: Office, give: Give) -> None:
    """A row that may have a case counts like one that has; a row that the CRM never saw does not."""
    office.write([ticket(1), ticket(2, Correo="nobody")])
    office.sandbox.inject("closed-after-creating")
    assert give(office.arguments("run", "--yes")).status == 4
    office.sandbox.inject()
    office.report.unlink()
    office.mapping.write_text(WEEKLY, "utf-8")
    office.write(ticket(n) for n in range(1, 6))
    result = give(office.arguments("run", "--yes", "--json"))
    assert (result.status, result.json["created_now"], result.json["counts"]["planned"]) == (3, 4, 1)


def test_r11_what_a_person_declines_about_some_rows_waits(office: Office, give: Give, person: Person) -> None:
    """At the terminal, who does not know makes these rows wait, and the others are sent."""
    person.chooses = 0
    result = overlapping(office, give)
    assert (result.status, result.json["created_now"], result.json["counts"]["planned"]) == (3, 4, 2)
    assert "rows 2, 3" in result.err
    assert "these rows wait" in result.err


def test_r11_what_a_person_says_about_some_rows_holds_at_once(office: Office, give: Give, person: Person) -> None:
    """The same tickets: they are known in this very run, and the others are sent."""
    person.chooses = 1
    result = overlapping(office, give)
    assert (result.status, result.json["counts"]["created"], office.sandbox.posts) == (0, 6, 6)


def test_r11_the_same_tickets_under_two_names_are_one_import(office: Office, give: Give) -> None:
    """The printed command makes the two imports one, row by row, and either mapping goes on with all of them."""
    office.sandbox.inject("closed-after-creating:nth=4")
    waiting = overlapping(office, give)
    office.sandbox.inject()
    assert waiting.status == 4
    command = next(
        found for found in re.findall(r"`case-importer ([^`]+)`", waiting.json["next"]) if "same-as" in found
    )
    known = {line["reference"] for line in office.reported().to_dict("records") if line["status"] == "created"}
    assert give(shlex.split(command)).status == 4
    end_leases(office.journal, ago=1_000)
    assert give(office.settle()).status == 0
    assert known <= {line["reference"] for line in office.reported().to_dict("records")}
    posts = office.sandbox.posts
    for mapping in (MAPPING, WEEKLY):
        office.mapping.write_text(mapping, "utf-8")
        again = give(office.arguments("run", "--yes", "--json"))
        assert (again.json["counts"]["changed"], again.json["counts"]["planned"], office.sandbox.posts) == (0, 0, posts)
    assert [record[3] for record in select(office.journal, "SELECT * FROM imports")] == ["office"]


def test_r11_imports_stay_apart_where_the_forecast_is_declined(
    two_imports: Kept[Result], give: Give, person: Person
) -> None:
    """Who asks what would be sent, and does not send it, has changed nothing in the journal."""
    office = two_imports.again()
    office.write(ticket(n) for n in range(1, 9))

    def known() -> list[tuple[object, ...]]:
        tables = ("imports", "aliases", "rows", "row_spellings", "spot_checks", "decisions")
        return [row for table in tables for row in select(office.journal, f"SELECT * FROM {table}")]  # noqa: S608

    before = known()
    person.declines = ("Send",)
    declined = give(office.arguments("run", "--same-as", "office"))
    assert (declined.status, known() == before) == (2, True)
    assert "send      2 cases" in declined.err or "send      2 rows" in declined.err  # planned as the one import
    person.declines = ()
    assert give(office.arguments("run", "--same-as", "office")).status == 0
    assert [record[3] for record in select(office.journal, "SELECT * FROM imports")] == ["office"]
    assert len(office.sandbox.store.cases) == 8


def test_r11_imports_stay_apart_while_rows_of_one_are_being_sent(two_imports: Kept[Result], give: Give) -> None:
    """Nothing is sent, nothing is changed, and the same command does it later."""
    office = two_imports.again()
    for state, status in (("sending", 2), ("created", 0)):
        with closing(sqlite3.connect(office.journal)) as database, database:
            database.execute("UPDATE rows SET state = ? WHERE id = 1", (state,))
            if state == "sending":
                database.execute("UPDATE attempts SET lease = lease + 1e6, ended_at = NULL, verdict = NULL")
        again = give(office.arguments("run", "--yes", "--same-as", "office"))
        assert (again.status, office.sandbox.posts) == (status, 6)


def test_r11_what_had_to_be_looked_for_has_to_be_when_two_imports_are_one(two_imports: Kept[Result]) -> None:
    """Rows that a restored journal calls planned may be cases: joining their import with another changes nothing."""
    office = two_imports.again()
    tenant = tenant_of(office.sandbox.url)
    with Journal(office.journal) as journal:
        journal.require_looking((tenant, "demo", "weekly"))
        assert not journal.must_look_first((tenant, "demo", "office"))
        join_imports(journal, Scope(tenant, "demo", "weekly"), "office")
        assert journal.must_look_first((tenant, "demo", "office"))


def test_r11_imports_with_other_keys_are_not_made_one(two_imports: Kept[Result], give: Give) -> None:
    """Where the run is refused because keys are made in another way, the journal stays as it was."""
    office = two_imports.again()
    mapping = office.mapping.read_text("utf-8")
    office.mapping.write_text(mapping.replace("key: Ticket", "key: Asunto").replace("weekly", "by-subject"), "utf-8")
    assert give(office.arguments("run", "--yes", "--new-import")).status == 0
    before = select(office.journal, "SELECT * FROM imports"), select(office.journal, "SELECT * FROM rows")
    refused = give(office.arguments("run", "--yes", "--same-as", "office"))
    assert (refused.status, "the key of import office was Ticket" in refused.err) == (2, True)
    assert (select(office.journal, "SELECT * FROM imports"), select(office.journal, "SELECT * FROM rows")) == before


def test_r11_a_key_that_both_imports_created_is_a_conflict(office: Office, give: Give) -> None:
    """Both ids are named, and a person says which of them counts; nothing is sent."""
    overlapping(office, give, "--new-import")
    ids = {case.wolkvox_id for case in office.sandbox.store.cases if "Asunto 2" in str(case.body)}
    result = give(office.arguments("run", "--yes", "--json", "--same-as", "office"))
    assert (result.status, result.json["counts"]["conflict"], result.json["counts"]["created"]) == (4, 2, 4)
    assert any(ids == set(re.findall(r"[0-9a-f]{24}", reason["message"])) for reason in result.json["reasons"])
    conflicts = select(office.journal, "SELECT reference, wolkvox_id FROM rows WHERE state = 'conflict'")
    end_leases(office.journal, ago=1_000)
    for reference, wolkvox_id in conflicts:
        decided = settle_rows(office, office.sandbox.url, ByHand(str(reference), str(wolkvox_id)))
    assert decided.status == 0
    assert give(office.arguments("run", "--yes")).status == 0
    assert office.sandbox.posts == 8


def test_r11_keys_of_another_stand_in_are_nobodys_here(office: Office, give: Give) -> None:
    """Another port on this computer is another tenant, and so is another operation."""
    office.write(ticket(n) for n in (1, 2))
    give(office.arguments("run", "--yes"))
    office.mapping.write_text(WEEKLY, "utf-8")
    office.write(ticket(n) for n in range(1, 7))
    with RunningSandbox() as other:
        office.sandbox = other
        assert give(office.arguments("run", "--yes")).status == 0
        assert other.posts == 6


@pytest.mark.parametrize(
    ("server", "asks"),
    [
        ("http://127.0.0.1:8765", False),
        ("http://127.1:8765", False),
        ("http://localhost.:8765", False),
        ("http://[::1]:8765", False),
        ("https://crm0001.wolkvox.com", True),
        ("https://10.0.0.5", True),
        ("https://192.168.1.20:8443", True),
        ("https://[fd00::5]", True),
        ("https://crm.localhost", True),
        ("https://localhost.localdomain", True),
        ("https://127.0.0.1.nip.io", True),
        ("https://0.0.0.0", True),
    ],
)
def test_a_first_run_is_asked_about_however_near_the_server_is(server: str, *, asks: bool) -> None:
    """The address as it is written decides, not where it leads: only a stand-in on loopback is not asked about."""
    questions = first_run_questions(Job(Path("a.csv"), Path("m.yml")), Scope("t", "demo", "office"), server, None)
    assert bool(questions) is asks


# ------------------------------------------------------------------------------------------------ the mechanism


def question(code: str = "a", scope: str = "run", rows: tuple[int, ...] = (), *, given: bool = False) -> Question:
    """Return a question with one answer."""
    answer = Answer("yes", f"--{code}")
    return Question(code, f"{code}?", (answer,), scope=scope, rows=frozenset(rows), given=answer if given else None)  # type: ignore[arg-type]


def test_where_nobody_can_be_asked_a_question_about_rows_stays_open() -> None:
    """A question about rows does not end a run by itself, and is listed beside one that does."""
    without_terminal = Terminal()
    whole, some, given = question("a"), question("b", "rows", (3,)), question("c", given=True)
    answered = answer_all([some, given], without_terminal)
    assert [one.question for one in answered] == [given]
    assert unanswered([some, given], answered) == [some]
    with pytest.raises(QuestionsOpen) as caught:
        answer_all([some, given], without_terminal, later=[whole])
    assert caught.value.questions == (some, whole)


def test_rows_wait_for_the_answer_to_a_question_about_them(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They stay planned, with the reason; the others are sent, and the exit status is 3."""
    office.write(ticket(n) for n in range(1, 5))
    about = question("belongs-elsewhere", "rows", (3, 5))
    with monkeypatch.context() as patched:
        patched.setattr(
            "importer.workflow.jobs.starting._plan_questions", lambda *given: [*_plan_questions(*given), about]
        )
        result = give(office.arguments("run", "--yes", "--json"))
    assert (result.status, office.sandbox.posts) == (3, 2)
    assert result.json["counts"]["planned"] == 2
    assert {reason["row"]: "--belongs-elsewhere" in reason["message"] for reason in result.json["reasons"]} == {
        3: True,
        5: True,
    }
    assert "--belongs-elsewhere" in result.json["next"]
    report = office.reported().set_index("row")
    assert [report.loc[row, "status"] for row in ("2", "3", "4", "5")] == ["created", "planned", "created", "planned"]
    assert give(office.arguments("run", "--yes")).status == 0
    assert office.sandbox.posts == 4


# ------------------------------------------------------------------------------------------------ folders


@pytest.fixture
def outside(office: Office) -> Path:
    """Provide a folder outside those of mapping and source, with a list and a file in it."""
    folder = office.folder.parent / f"{office.folder.name} elsewhere"
    folder.mkdir()
    (folder / "agents.csv").write_text("name,mail\nAlta,Alta\n", "utf-8")
    (folder / "secret.txt").write_text("secret", "utf-8")
    return folder


def looked_up(file: object) -> str:
    """Return a mapping that looks its priorities up in a file."""
    return MAPPING.replace("default: Media,", f"default: Media, lookup: {{file: '{file}', key: name, value: mail}},")


def known_in(file: object) -> str:
    """Return a mapping with a list of known values in a file."""
    return MAPPING.replace("column: Prioridad,", f"column: Prioridad, known: {{file: '{file}', column: name}},")


def attached_from(folder: object) -> str:
    """Return a mapping with an attachments folder."""
    return f"{MAPPING}attachments:\n  folder: '{folder}'\n  patterns: ['secret*']\n"


def listed_in(file: object) -> str:
    """Return a mapping with a table that lists attachments."""
    return f"{MAPPING}attachments:\n  folder: .\n  list: {{file: '{file}', key: name, path: mail}}\n"


def by_dots(outside: Path, office: Office) -> str:
    """Return a path that leads out by `..`."""
    return os.path.relpath(outside, office.folder)


def by_a_link(outside: Path, office: Office) -> str:
    """Return a path that leads out by a link with an innocent name."""
    (office.folder / "lists").symlink_to(outside)
    return "lists"


def by_its_path(outside: Path, _office: Office) -> str:
    """Return the whole path, which leads out as it is."""
    return str(outside)


WAYS, NAMING = (by_its_path, by_dots, by_a_link), (looked_up, known_in, attached_from, listed_in)


@pytest.mark.parametrize(
    ("command", "mapping", "way"),
    [
        *(pytest.param("check", mapping, way) for mapping in NAMING for way in WAYS),
        *(
            pytest.param(command, mapping, way)
            for command in ("preview", "report", "run", "adopt")
            for mapping, way in zip(NAMING, (*WAYS, by_its_path), strict=True)
        ),
    ],
)
def test_x5_no_file_outside_is_read_before_the_user_allows_its_folder(
    *,
    command: str,
    mapping: Callable[[object], str],
    way: Callable[[Path, Office], str],
    outside: Path,
    office: Office,
    give: Give,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No command reads a lookup, known values, a list or attachments outside before the user agrees."""
    office.write([ticket(1)])
    named = way(outside, office)
    office.mapping.write_text(mapping(named if mapping is attached_from else f"{named}/agents.csv"), "utf-8")
    arguments = office.adopt(office.source) if command == "adopt" else office.arguments(command)
    opened = []
    open_of_a_path = Path.open

    def watched(path: Path, *how: object, **more: object) -> object:
        opened.append(path)
        return open_of_a_path(path, *how, **more)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", watched)
    refused = give([*arguments, *(["--yes"] if command == "run" else [])])
    assert refused.status == 2
    assert shell_words("--allow-folder", outside) in refused.err
    assert not [path for path in opened if path.name in {"agents.csv", "secret.txt"}]
    assert office.sandbox.posts == 0


def test_x5_no_plan_is_made_of_a_file_outside(outside: Path, office: Office) -> None:
    """Code that forgets to ask is stopped where tables are opened, the only place."""
    office.write([ticket(1)])
    for mapping in (looked_up(outside / "agents.csv"), attached_from(outside)):
        office.mapping.write_text(mapping, "utf-8")
        with pytest.raises(QuestionsOpen, match="--allow-folder"):
            check(load_job(Job(office.source, office.mapping)))


def test_x5_a_link_to_a_file_outside_is_a_way_out(outside: Path, office: Office, give: Give) -> None:
    """A list that is a link counts as being where the link leads."""
    office.write([ticket(1)])
    (office.folder / "agents.csv").symlink_to(outside / "agents.csv")
    office.mapping.write_text(looked_up("agents.csv"), "utf-8")
    assert give(office.arguments("check")).status == 2


def test_x5_an_allowed_folder_is_remembered(outside: Path, office: Office, give: Give) -> None:
    """--allow-folder is needed once; a folder above it allows it too."""
    office.write([ticket(1)])
    office.mapping.write_text(looked_up(outside / "agents.csv"), "utf-8")
    assert give(office.arguments("check", "--allow-folder", str(outside.parent))).status == 0
    assert load_settings().folders == (outside,)
    assert give(office.arguments("run", "--yes")).status == 0
    assert give(office.arguments("preview")).status == 0


def test_x5_a_person_allows_a_folder_at_the_terminal(outside: Path, office: Office, give: Give, person: Person) -> None:
    """The folder is asked about before its files are read; no is exit status 2."""
    office.write([ticket(1)])
    office.mapping.write_text(looked_up(outside / "agents.csv"), "utf-8")
    person.declines = (str(outside),)
    assert give(office.arguments("check")).status == 2
    person.declines = ()
    assert give(office.arguments("check")).status == 0
    person.asked = []
    assert give(office.arguments("check")).status == 0
    assert person.asked == []


def test_x5_settings_that_cannot_be_written_hold_for_this_time(
    outside: Path, office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the settings cannot be written, the option is needed each time, and the command says so."""
    (office.folder / "no-folder").write_text("", "utf-8")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(office.folder / "no-folder"))
    office.write([ticket(1)])
    office.mapping.write_text(looked_up(outside / "agents.csv"), "utf-8")
    allowed = give(office.arguments("check", "--allow-folder", str(outside)))
    assert allowed.status == 0
    assert "Valid for this run only" in allowed.err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_x5_devices_and_pipes_are_refused(office: Office, give: Give) -> None:
    """A mapping names ordinary files: neither a pipe nor a device is opened, and nothing waits for one."""
    os.mkfifo(office.folder / "agents.csv")
    office.write([ticket(1)])
    office.mapping.write_text(looked_up("agents.csv"), "utf-8")
    refused = give(office.arguments("check"))
    assert refused.status == 2
    assert "a device or a pipe" in refused.err
    office.mapping.write_text(looked_up("/dev/zero"), "utf-8")
    assert give(office.arguments("check", "--allow-folder", "/dev")).status == 2


def test_x5_folders_of_mapping_and_source_need_no_leave(office: Office, give: Give) -> None:
    """A list beside the mapping and files beside the source are read as before."""
    elsewhere = office.folder / "mappings"
    elsewhere.mkdir()
    (elsewhere / "agents.csv").write_text("name,mail\nAlta,Alta\n", "utf-8")
    (office.folder / "adjuntos").mkdir()
    (office.folder / "adjuntos" / "secret.txt").write_text("x", "utf-8")
    office.write([ticket(1)])
    mapping = elsewhere / "mapping.yml"
    files = "attachments:\n  folder: adjuntos\n  patterns: ['secret*']\n"
    mapping.write_text(looked_up("agents.csv") + files, "utf-8")
    assert give(["check", str(office.source), "-m", str(mapping)]).status == 0


# ------------------------------------------------------------------------------------------------ doctor, spot check


def test_the_doctor_shows_the_settings_file_and_what_it_says(office: Office, give: Give) -> None:
    """An existing file has a line of its own; a damaged one is a fault, with its line."""
    trust("https://crm0009.wolkvox.com", "demo")
    shown = give([*command_line(office, "doctor", "--server", office.sandbox.url, "--operation", "demo")[:1], "--json",
                  "--server", office.sandbox.url, "--operation", "demo"])  # fmt: skip
    line = next(check for check in shown.json["checks"] if check["name"] == "settings-file")
    assert str(settings_path()) in line["seen"]
    assert "trusted demo @ https://crm0009.wolkvox.com" in line["seen"]
    settings_path().write_text("server = \n", "utf-8")
    damaged = give(["doctor", "--json"])
    assert damaged.status == 2
    assert "line 1" in next(check for check in damaged.json["checks"] if check["name"] == "settings")["seen"]


def test_r15_a_first_run_that_cannot_ask_the_crm_for_its_rows_asks_the_person(
    office: Office, give: Give, tunnel: Passage
) -> None:
    """Without a reference the CRM cannot be searched for rows of another computer: a person has to agree first."""
    office.mapping.write_text(MAPPING.replace("reference: description\n", "") + TARGET, "utf-8")
    office.write(ticket(n) for n in range(1, 3))
    first = command_line(office, "run", "--yes", "--first-run", "--trust-server")
    for _time in range(2):
        refused = give(first)
        assert (refused.status, office.sandbox.posts) == (2, 0)
        assert "--spot-check 0" in refused.err
    assert give([*first, "--spot-check", "0"]).status == 0
    assert (office.sandbox.posts, set(tunnel.hosts)) == (2, {"crm0009.wolkvox.com"})
