"""A journal's server that is cut off, crashes, is full, may not be used, or is not what it was, in whole runs."""

from __future__ import annotations

import errno
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from journal_support import SampleJournal, created
from place_support import ask
from postgres_support import empty_place, needs_postgres, new_place, place_of, server, statement
from promise_support import assert_promise, assert_report, states, tickets, wait_until
from run_support import Give, Office
from sqlalchemy import Connection

from importer import EventInterface
from importer.errors import JournalError
from importer.journal import Journal, Marks
from importer.journal.attempts import Attempts
from importer.journal.postgres_connection import conninfo_of
from importer.journal.postgres_database import PostgresDatabase
from importer.journal.storage import waiting_for_journal
from importer.journal_place import Server, parse_place
from importer.system.stopping import Stop
from importer.workflow.sending.sending import CaseRequests

pytestmark = needs_postgres


@pytest.fixture
def place() -> Iterator[Server]:
    """Give an empty journal."""
    with new_place() as place:
        yield place


@pytest.fixture
def office(office: Office, place: Server) -> Office:
    """Provide an office whose journal is on a server."""
    office.place = place
    office.write(tickets(range(1, 7)))
    return office


def run(office: Office, *more: str) -> list[str]:
    """Return the command line of a run with one worker."""
    return office.arguments("run", "--yes", "--json", "--concurrency", "1", "--spot-check", "0", *more)


def name_of(place: Server) -> str:
    """Return the name of the database."""
    return place.shown.partition("@/")[2].partition("?")[0]


def cut(place: Server) -> None:
    """End every connection to the journal, as an administrator or a router does."""
    statement(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name_of(place)}'")  # noqa: S608


def crash(place: Server) -> None:
    """Let a process of the server die: the server ends all others, and starts again from its log."""
    found = statement(f"SELECT pid FROM pg_stat_activity WHERE datname = '{name_of(place)}'")  # noqa: S608
    for (pid,) in found[:1]:
        os.kill(pid, signal.SIGKILL)


@contextmanager
def closed(place: Server) -> Iterator[None]:
    """Accept no connection to the journal within the block."""
    statement(f"ALTER DATABASE {name_of(place)} ALLOW_CONNECTIONS false")
    cut(place)
    yield
    statement(f"ALTER DATABASE {name_of(place)} ALLOW_CONNECTIONS true")


def at(monkeypatch: pytest.MonkeyPatch, step: str, nth: int, strike: Callable[[], None]) -> None:
    """Let something happen right before the nth claim, question of the lease, or outcome."""
    real, count = getattr(Attempts, step), iter(range(1, 1_000))

    def struck(self: Attempts, *given: object, **options: object) -> object:
        if next(count) == nth:
            strike()
        return real(self, *given, **options)

    monkeypatch.setattr(Attempts, step, struck)


@pytest.mark.parametrize("step", ["claim", "lease_holds", "conclude"])
@pytest.mark.parametrize("strike", [cut, crash])
def test_m4_a_server_that_is_restarted_in_the_middle_costs_nothing(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch, step: str, strike: Callable[[Server], None]
) -> None:
    """Its connections are cut, or it crashes, at any step: the run connects again, and goes on to its end."""
    at(monkeypatch, step, 3, lambda: strike(office.journal))
    assert give(run(office)).status == 0
    monkeypatch.undo()
    assert (office.sandbox.posts, assert_promise(office)) == (6, {"created": 6})
    assert_report(office)


@pytest.mark.parametrize(("step", "posts"), [("claim", 2), ("conclude", 3)])
def test_m5_a_server_that_stays_away_ends_the_run_and_loses_no_id(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch, step: str, posts: int
) -> None:
    """Exit status 3 and what to do; an answer that arrived is kept on this computer, and taken in by the next run."""
    monkeypatch.setattr("importer.journal.postgres_database._PATIENCE", 0.1)
    away = closed(office.journal)
    with monkeypatch.context() as patched:
        patched.setenv("WOLKVOX_TOKEN", "any")
        at(patched, step, 3, away.__enter__)
        ended = give(run(office))
    assert ended.status == 3, ended
    assert "does not answer, or refuses the connection" in ended.err
    assert "nothing is sent twice" in ended.err
    assert give(run(office)).status == 2
    away.__exit__(None, None, None)
    assert office.sandbox.posts == posts
    assert give(run(office)).status == 0
    assert (office.sandbox.posts, assert_promise(office)) == (6, {"created": 6})


_FULL = (
    "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
    " RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$"
)


@pytest.mark.parametrize(
    ("when", "posts", "state"),
    [("INSERT ON attempts", 0, "planned"), ("UPDATE ON attempts", 1, "sending")],
)
def test_m6_a_full_disk_of_the_server_pauses_the_run_and_loses_no_id(
    office: Office, give: Give, when: str, posts: int, state: str
) -> None:
    """At the intent nothing is sent; at the outcome the id is kept on this computer until there is room."""
    with Journal(office.journal):
        ask(office.journal, _FULL)
        ask(office.journal, f"CREATE TRIGGER full_disk BEFORE {when} FOR EACH ROW EXECUTE FUNCTION full_disk()")
    ended = give(run(office))
    assert (ended.status, office.sandbox.posts) == (3, posts)
    assert "the disk of the journal's server is full" in ended.err
    assert states(office.journal)[state]
    ask(office.journal, "DROP FUNCTION full_disk CASCADE")
    assert give(run(office)).status == 0
    assert (office.sandbox.posts, assert_promise(office)) == (6, {"created": 6})


def _read_only(place: Server, patch: pytest.MonkeyPatch) -> Server:  # noqa: ARG001
    statement(f"ALTER DATABASE {name_of(place)} SET default_transaction_read_only = on")
    return place


def _without_rights(place: Server, patch: pytest.MonkeyPatch) -> Server:  # noqa: ARG001
    statement("DROP ROLE IF EXISTS guest")
    statement("CREATE ROLE guest LOGIN")
    return _parsed(place.shown.replace("postgres@", "guest@"))


def _wrong_password(place: Server, patch: pytest.MonkeyPatch) -> Server:
    ((rules,),) = statement("SHOW hba_file")
    before = Path(rules).read_text("utf-8")
    Path(rules).write_text(f"local all secretive scram-sha-256\n{before}", "utf-8")
    statement("SELECT pg_reload_conf()")
    patch.setenv("PGPASSWORD", "canary")
    if not statement("SELECT 1 FROM pg_roles WHERE rolname = 'secretive'"):
        statement("CREATE ROLE secretive LOGIN PASSWORD 'right'")
    return _parsed(place.shown.replace("postgres@", "secretive@"))


def _no_database(place: Server, patch: pytest.MonkeyPatch) -> Server:  # noqa: ARG001
    return _parsed(place.shown.replace(name_of(place), "nowhere"))


def _no_server(place: Server, patch: pytest.MonkeyPatch) -> Server:  # noqa: ARG001
    patch.setattr("importer.journal.postgres_database._PATIENCE", 0.1)
    return _parsed("postgresql://u@127.0.0.1:1/journal?sslmode=disable")


def _too_old(place: Server, patch: pytest.MonkeyPatch) -> Server:
    patch.setattr("importer.journal.postgres_database.OLDEST", 99)
    return place


def _not_durable(place: Server, patch: pytest.MonkeyPatch) -> Server:
    patch.setitem(sys.modules["importer.journal.postgres_connection"].__dict__["_SESSION"], "synchronous_commit", "off")
    return place


def _no_driver(place: Server, patch: pytest.MonkeyPatch) -> Server:
    patch.setattr("importer.journal.postgres_words.find_spec", lambda _name: None)
    return place


def _unknown_word(place: Server, patch: pytest.MonkeyPatch) -> Server:  # noqa: ARG001
    return Server(f"{place.shown}&color=blue")


def _parsed(text: str) -> Server:
    place = parse_place(text)
    assert isinstance(place, Server)
    return place


@pytest.mark.parametrize(
    ("unusable", "said"),
    [
        (_read_only, "can only be read"),
        (_without_rights, "may not do in the schema case_importer what a journal needs"),
        (_wrong_password, "does not accept the password"),
        (_no_database, 'database "nowhere" does not exist'),
        (_no_server, "does not answer"),
        (_too_old, "needs 99 or newer"),
        (_not_durable, "does not put every commit on its disk"),
        (_no_driver, 'pip install "wolkvox-case-importer[server]"'),
        (_unknown_word, "color"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_m7_a_server_that_cannot_be_used_is_named_before_anything_is_sent(
    office: Office,
    give: Give,
    monkeypatch: pytest.MonkeyPatch,
    unusable: Callable[[Server, pytest.MonkeyPatch], Server],
    said: str,
) -> None:
    """Read-only, without rights, password, database or server, too old, not durable: exit status 2, and what to do."""
    office.place = unusable(office.journal, monkeypatch)
    refused = give(run(office))
    assert (refused.status, office.sandbox.posts) == (2, 0), refused
    assert said in refused.err
    assert "canary" not in refused.err + refused.out
    assert "Traceback" not in refused.err


def test_m10_a_server_that_was_restored_is_refused(place: Server, tmp_path: Path) -> None:
    """This computer knows of attempts that the journal lacks: nothing is sent until its gaps are filled."""
    sample = SampleJournal(place)
    sample.plan([1, 2, 3])
    sample.send([1, 2])
    sample.journal.close()
    ask(place, "UPDATE rows SET state = 'planned', attempt_id = NULL, wolkvox_id = NULL WHERE id = 2")
    ask(place, "DELETE FROM arrived_ids WHERE row_id = 2")
    ask(place, "DELETE FROM attempts WHERE id = 2")
    with Journal(place) as restored:
        assert restored.standing.kind == "behind"
        assert "1 attempt that this computer made is missing" in (restored.standing.sentence or "")
    with Journal(place, marks=Marks(tmp_path / "another" / "marks.db")) as elsewhere:
        assert elsewhere.standing.may_send  # each computer knows of its own; and none asks whether it was moved here


def test_m11_a_second_computer_sends_with_the_same_journal(place: Server, tmp_path: Path) -> None:
    """No question: what one has sent the other knows, in numbers that are one sequence for both."""
    sample = SampleJournal(place)
    sample.plan([1, 2])
    sample.send([1])
    with Journal(place, marks=Marks(tmp_path / "another" / "marks.db")) as other:
        assert other.standing.kind == "sound"
        known = sample.journal.imports.all()[0]
        assert other.imports.find(*known.scope) == known
        assert other.highest_attempt() == 1
    sample.send([2])
    sample.journal.close()


def test_m3_the_lease_is_asked_of_the_server(place: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """An attempt sends only while its row is sent by it, its lease holds on the server, and the server answers."""
    sample = SampleJournal(place)
    sample.plan([1, 2])
    attempt = sample.claim(1)
    assert attempt is not None
    holds = sample.journal.attempts.lease_holds
    assert holds(attempt)
    for change, back in (
        ("lease = lease - 100", "lease = lease + 100"),
        ("token = 'x' || token", "token = substr(token, 2)"),
        ("boot = 'x' || boot", "boot = substr(boot, 2)"),
    ):
        ask(place, f"UPDATE attempts SET {change}")  # noqa: S608
        assert not holds(attempt)
        ask(place, f"UPDATE attempts SET {back}")  # noqa: S608
    ask(place, "UPDATE rows SET state = 'unknown' WHERE id = 1")
    assert not holds(attempt)
    ask(place, "UPDATE rows SET state = 'sending' WHERE id = 1")
    cut(place)
    assert holds(attempt)  # the question is asked again on a new connection
    with closed(place):
        assert not holds(attempt)
    monkeypatch.setattr("importer.journal.postgres_database._LEASE_PATIENCE", -1.0)
    assert not holds(attempt)
    sample.journal.close()


def test_m12_a_writer_that_is_stopped_holds_up_the_others_for_a_while_only(
    place: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends a transaction in which nothing happens; what it had written is undone, and others go on."""
    session = sys.modules["importer.journal.postgres_connection"].__dict__["_SESSION"]
    monkeypatch.setitem(session, "idle_in_transaction_session_timeout", "300ms")
    sample = SampleJournal(place)
    sample.plan([1])
    with psycopg.connect(conninfo_of(place)) as stopped:
        stopped.execute(f"SELECT pg_advisory_xact_lock({0x57434931}, hashtext(current_schema()))")
        attempt = sample.claim(1)
        with pytest.raises(psycopg.Error):
            stopped.execute("SELECT 1")
    sample.conclude(attempt, created("case-1"))
    sample.journal.close()


def test_who_is_patient_lets_others_write_first(place: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that came first is recorded after a case that waits to be sent; but it does not wait for ever."""
    order: list[str] = []

    def waiting() -> bool:
        query = "SELECT count(*) FROM pg_locks JOIN pg_database ON pg_database.oid = database WHERE datname = ?"
        return ask(place, f"{query} AND locktype = 'advisory' AND NOT granted", name_of(place)) != [(0,)]

    with ExitStack() as here:
        busy, one, other = (here.enter_context(closing(PostgresDatabase(place))) for _machine in range(3))

        def write(database: PostgresDatabase, what: str, *, patient: bool) -> threading.Thread:
            def carry_out() -> None:
                with database.write(patient=patient):
                    order.append(what)

            writing = threading.Thread(target=carry_out)
            writing.start()
            here.callback(writing.join)
            return writing

        monkeypatch.setattr("importer.journal.postgres_database._COURTESY", 60.0)
        with busy.write():
            answer = write(one, "an answer", patient=True)
            write(other, "a case", patient=False)
            wait_until(waiting)
        answer.join()
        monkeypatch.setattr("importer.journal.postgres_database._COURTESY", 0.1)
        with busy.write():
            write(one, "a late answer", patient=True)
            wait_until(waiting)
    assert order == ["a case", "an answer", "a late answer"]


def test_no_answer_lets_others_go_first_once_the_run_is_to_stop(place: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """The program may end before their turn is over, and the id with it."""
    sample, stop, waited = SampleJournal(place), Stop(), 0

    def noted(_database: PostgresDatabase, _part: str) -> None:
        nonlocal waited
        waited += 1

    monkeypatch.setattr(PostgresDatabase, "_let_others_write", noted)
    context: Any = SimpleNamespace(journal=sample.journal, stop=stop)
    requests = CaseRequests(context, EventInterface())
    sample.plan([1, 2])
    for number in (1, 2):
        attempt = sample.claim(number)
        assert attempt is not None
        requests.conclude(attempt, created(f"case-{number}"))
        assert waited == 1
        stop.request()
    sample.journal.close()


def test_an_answer_is_kept_aside_where_no_connection_can_be_made(
    place: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the system refuses a new connection, looking whether others write is no way around keeping an answer."""
    sample = SampleJournal(place)
    sample.plan([1])
    attempt = sample.claim(1)
    assert attempt is not None

    def refused(*_given: object, **_options: object) -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    with monkeypatch.context() as full:
        full.setattr(PostgresDatabase, "_begin", refused)
        with pytest.raises(JournalError, match="Too many open files"):
            sample.journal.attempts.conclude(attempt, created("case-1"), patient=True)
    sample.journal.close()
    again = Journal(place)
    assert ask(place, "SELECT state, wolkvox_id FROM rows") == [("created", "case-1")]
    again.close()


def test_ctrl_c_while_the_journal_is_begun_to_be_written_leaves_nothing_locked(
    place: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The transaction whose first statement was interrupted is undone, and the next one of this process succeeds."""
    sample = SampleJournal(place)
    sample.plan([1])
    attempt, execute = sample.claim(1), Connection.execute
    assert attempt is not None

    def interrupted(*given: Any, **options: Any) -> object:  # noqa: ANN401 - passed on
        execute(*given, **options)
        raise KeyboardInterrupt

    with monkeypatch.context() as pressed:
        pressed.setattr(Connection, "execute", interrupted)
        with pytest.raises(KeyboardInterrupt):
            sample.journal.attempts.conclude(attempt, created("case-1"), patient=True)
    with waiting_for_journal(1.0), closing(PostgresDatabase(place)) as other, other.write():
        pass
    sample.conclude(attempt, created("case-1"))
    sample.journal.close()


def test_m14_the_steps_make_the_same_tables_on_both(place: Server, tmp_path: Path) -> None:
    """A journal on a server has each table and column of one in a file, and records the same steps."""
    file = tmp_path / "journal.db"
    for one in (place, file):
        Journal(one).close()
    steps = "SELECT name FROM migrations ORDER BY name"
    assert ask(place, steps) == ask(file, steps)
    on_server = ask(
        place,
        "SELECT table_name, column_name, is_nullable FROM information_schema.columns"
        " WHERE table_schema = 'case_importer'",
    )
    in_file = [
        (table, column, "NO" if needed else "YES")
        for (table,) in ask(file, "SELECT name FROM sqlite_master WHERE type = 'table'")
        for column, needed in ask(file, f"SELECT name, \"notnull\" OR pk FROM pragma_table_info('{table}')")  # noqa: S608
    ]
    assert sorted(on_server) == sorted(in_file)


def test_m15_the_server_of_the_tests_runs() -> None:
    """Where its package has a wheel, it is started: none of these tests is left out unnoticed."""
    assert server().get_pid()
    assert place_of("postgres").shown.startswith("postgresql://postgres@/postgres")


_GRANTS = (
    ("", "GRANT USAGE ON SCHEMA case_importer TO"),
    ("USAGE ON SCHEMA case_importer", "DELETE ON ALL TABLES IN SCHEMA case_importer TO"),
    ("SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA case_importer", "USAGE ON ALL SEQUENCES IN SCHEMA"),
    ("USAGE ON ALL SEQUENCES IN SCHEMA case_importer", None),
)


def test_m2_a_second_user_is_told_which_rights_on_the_schema_are_missing(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each remedy names the rights that the next step needs; to create in the database is none of them."""
    Journal(office.journal).close()
    office.place = _without_rights(office.journal, monkeypatch)
    database = name_of(office.place)
    statement(f"GRANT CREATE ON DATABASE {database} TO guest")
    try:
        for given, missing in _GRANTS:
            if given:
                statement(f"GRANT {given} TO guest", database)
            ended = give(run(office))
            if missing is None:
                assert ended.status == 0, ended
            else:
                assert (ended.status, missing in ended.err, "ON DATABASE" in ended.err) == (2, True, False), ended
                assert "another journal" not in ended.err
        assert office.sandbox.posts == 6
    finally:
        statement("DROP OWNED BY guest CASCADE", database)
    office.place = _parsed(empty_place().shown.replace("postgres@", "guest@"))
    assert "GRANT CREATE ON DATABASE" in give(run(office)).err
