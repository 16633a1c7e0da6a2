"""At most one contact per address, whatever happens to calls and processes (docs/scenarios.md, C)."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from contacts_support import Desk, addresses_in, desk_at, person
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from journal_support import Clock
from nursery import Nursery
from promise_support import KILLED, Order, end_leases, select
from run_support import Give, Office

from importer.crm import Found
from importer.identity import address_digest, tenant_of
from importer.journal import Attempt, ContactIntent, ContactState, Journal, KnownContact
from importer.model import Outcome, Verdict
from importer.sandbox import Latency, RunningSandbox, SandboxConfig
from importer.settings import Connection
from importer.text import folded_address
from importer.workflow.contacts.searching import judge
from importer.workflow.jobs.settle_contacts import settle_contact_by_hand
from importer.workflow.jobs.settle_job import SettleJob

needs_fork = pytest.mark.skipif(sys.platform == "win32", reason="processes that fork and are killed, as Unix has them")
OPERATION = ("crm0001.wolkvox.com", "op")


@pytest.fixture
def desk(tmp_path: Path, give: Give) -> Iterator[Desk]:
    """Give a desk whose simulated CRM has no contacts."""
    with desk_at(tmp_path, give) as opened:
        yield opened


def decide_by_looking(desk: Desk) -> None:
    """Look up every contact in doubt in the simulated CRM and record what is there, as a person does."""
    office, addresses = desk.office, desk.addresses
    end_leases(office.journal)
    job = SettleJob(Connection(office.sandbox.url, "demo"), office.journal, office.mapping)
    with Journal(office.journal) as journal:
        operation = (tenant_of(office.sandbox.url), "demo")
        journal.contact_attempts.expire(operation)
        doubtful = [str(doubt.address) for doubt in journal.contacts.doubts(operation)]
    for address in doubtful:
        settle_contact_by_hand(job, address, exists=address in addresses)


FAULTS = [
    *("closed-after-creating", "closed-without-creating", "too-many-requests:wait=0", "server-error-after-creating"),
    *("simultaneous-requests", "html-answer", "cut-json", "string-code", "server-error", "quota-exceeded", "redirect"),
]


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a run wait no time before it asks or sends again."""
    monkeypatch.setattr("importer.workflow.contacts.making.backoff", lambda _tries: 0.0)


@pytest.mark.usefixtures("hasty")
def test_c4_no_fault_makes_a_contact_twice(desk: Desk) -> None:
    """Whatever becomes of each attempt to create a contact, each address is created once and every row is sent."""
    parts = [fault.partition(":") for fault in FAULTS]
    keys = [f"call=custom-insert,nth={nth}" + (f",{more}" if more else "") for nth, (*_n, more) in enumerate(parts, 1)]
    desk.office.sandbox.inject(*(f"{name}:{key}" for (name, *_o), key in zip(parts, keys, strict=True)))
    desk.write([person(number) for number in range(len(FAULTS))])
    statuses = []
    for _time in range(2 * len(FAULTS)):
        statuses.append(desk.run("--retry-rejected").status)
        if statuses[-1] == 0:
            break
        decide_by_looking(desk)
    assert statuses[-1] == 0
    assert set(statuses) <= {0, 3, 4, 5}
    assert sorted(desk.addresses) == sorted(f"cliente{number}@example.com" for number in range(len(FAULTS)))
    assert len(desk.cases) == len(FAULTS)
    assert select(desk.office.journal, "SELECT count(*) FROM contact_attempts WHERE search_value IS NOT NULL") == [(0,)]


@pytest.mark.parametrize(
    ("faults", "calls", "created", "state"),
    [
        (["blank-ids"], (2, 1), 1, "created"),
        (["html-answer"], (2, 1), 1, "created"),
        (["search-finds-nothing"], (2, 1), 0, "unknown"),
        (["blank-ids", "server-error:nth=2,call=custom-query"], (2, 1), 1, "unknown"),
        (["blank-ids", "html-answer:nth=2,call=custom-query"], (2, 1), 1, "unknown"),
    ],
)
def test_c62_a_success_without_an_id_counts_once_a_search_shows_the_contact(
    desk: Desk, faults: list[str], calls: tuple[int, int], created: int, state: str
) -> None:
    """It may answer another request, and have created nothing: no row is sent to a contact that is not there."""
    first, *others = faults
    desk.office.sandbox.inject(f"{first}:call=custom-insert", *others)
    desk.write([person(1)])
    assert desk.run().status == (0 if state == "created" else 4)
    assert (desk.calls, desk.known()) == (calls, [(state,)])
    assert len(desk.addresses) == created
    assert len(desk.cases) == (state == "created")


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("fault", ["server-error", "quota-exceeded"])
def test_c13_a_search_that_fails_creates_nothing(desk: Desk, fault: str) -> None:
    """No contact is created after a search without an answer; a search is repeated, since it creates nothing."""
    desk.write([person(1)])
    desk.office.sandbox.inject(f"{fault}:call=custom-query")
    assert desk.run().status == 3
    assert desk.calls[1] == 0
    desk.office.sandbox.inject(f"{fault}:call=custom-query,nth=1")
    assert desk.run().status == (3 if fault == "quota-exceeded" else 0)


@needs_fork
@pytest.mark.parametrize(
    ("step", "when"),
    [
        ("contact-intent-committed", "after"),
        ("contact-answer-read", "after"),
    ],
)
def test_c5_killed_while_a_contact_is_created(tmp_path: Path, give: Give, order: Order, step: str, when: str) -> None:
    """Killed twice at a step of the second contact that is left, the runs after it make each contact once."""
    with desk_at(tmp_path, give) as desk:
        desk.write([person(number) for number in range(3)])
        run = desk.office.arguments("run", "--yes", "--concurrency", "1", "--spot-check", "0")
        for _time in range(2):
            assert order(run, step=step, when=when, nth=1) == KILLED
            decide_by_looking(desk)
        assert desk.run().status == 0
        assert sorted(desk.addresses) == [f"cliente{number}@example.com" for number in range(3)]
        assert len(desk.cases) == 3


@needs_fork
def test_c6_two_processes_create_each_contact_once(tmp_path: Path, nursery: Nursery) -> None:
    """Two processes that create the contacts of one sheet at once make each address once."""
    with RunningSandbox(SandboxConfig(unknown_contact="refused"), latency=Latency(0.05)) as sandbox:
        desk = Desk(Office(tmp_path, sandbox), lambda _words: pytest.fail("not in this process"))
        desk.write([person(number) for number in range(6)])
        words = desk.office.arguments("contacts", "--create", "--yes", "--journal", str(desk.office.journal))
        with ThreadPoolExecutor(2) as pool:
            ended = list(pool.map(lambda _n: nursery.carry_out(*words), range(2)))
        assert {one.status for one in ended} <= {0, 1, 3, 4}, [one.said for one in ended]
        assert sorted(addresses_in(sandbox)) == [f"cliente{number}@example.com" for number in range(6)]


# ------------------------------------------------------------------------------------------------ folding


@given(st.text(max_size=20))
@example("\ufb03@x.com")
@example("\u1e9e@x.com")
@example(" A\u00a0N\u200bA@Example.COM\u3000")
def test_c3_folding_an_address_again_changes_nothing(text: str) -> None:
    """Folding is idempotent, and does not see case or spaces."""
    folded = folded_address(text)
    assert folded_address(folded) == folded
    assert folded_address(f" {text}\u00a0") == folded


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Ana@Example.com", "ana@example.COM", True),
        (" ana@example.com\u00a0", "ana@example.com", True),
        ("\uff41na@example.com", "ana@example.com", True),
        ("ana\u200b@example.com", "ana@example.com", True),
        ("cafe\u0301@x.com", "caf\u00e9@x.com", True),
        ("ana@stra\u00dfe.de", "ana@strasse.de", False),
        ("ana@STRA\u1e9eE.de", "ana@stra\u00dfe.de", True),
        ("jose@x.com", "jos\u00e9@x.com", False),
        ("ana.p@x.com", "anap@x.com", False),
        ("ana+1@x.com", "ana@x.com", False),
    ],
)
def test_c3_which_spellings_are_one_address(one: str, other: str, same: bool) -> None:  # noqa: FBT001
    """Case, spaces, invisible characters and width do not count; accents, dots and what follows a plus do."""
    assert (address_digest(one, b"secret") == address_digest(other, b"secret")) is same
    assert address_digest(one, b"secret") != address_digest(one, b"another")


@pytest.mark.parametrize(
    ("records", "believed", "state"),
    [
        ([], True, ContactState.MISSING),
        ([], False, None),
        ([{"emailcontact": "ANA@x.com", "wolkvox_id": "64cb"}], False, ContactState.KNOWN),
        ([{"emailcontact": "juana@x.com"}], True, None),
        ([{"Correo": " ana@x.com"}], True, ContactState.KNOWN),
        ([{"emailcontact": "juana@x.com", "Notas": "ana@x.com"}], True, None),
    ],
)
def test_c13_what_an_answer_proves(
    records: list[dict[str, object]],
    believed: bool,  # noqa: FBT001
    state: ContactState | None,
) -> None:
    """Only an empty list that is believed means none; a record is the contact by its own address, however spelled."""
    assert judge(Found(tuple(records), believed), "ana@x.com").state is state


# ------------------------------------------------------------------------------------------------ any order of events


@dataclass
class Given:
    """An attempt that was given out, and whether its outcome is known."""

    attempt: Attempt
    made: bool = False
    concluded: list[Verdict] = field(default_factory=list)


class ContactMachine(RuleBasedStateMachine):
    """Two journals on one file search for a contact, claim, conclude, expire and settle it in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock = Clock()
        path = Path(self.folder.name) / "journal.db"
        self.journals = [Journal(path, self.clock.clocks) for _number in range(2)]
        self.searches: list[str] = []
        self.given: list[Given] = []

    def teardown(self) -> None:
        """Close both journals."""
        for journal in self.journals:
            journal.close()
        self.folder.cleanup()

    @rule(which=st.integers(0, 1), state=st.sampled_from([ContactState.KNOWN, ContactState.MISSING]))
    def search(self, which: int, state: ContactState) -> None:
        """Note what a search shows; a contact in flight, in doubt or created stays so."""
        before = self.state()
        name = f"search {len(self.searches)}"
        found = KnownContact("digest", state, "search")
        now = self.journals[which].contacts.note(OPERATION, found, name if state is ContactState.MISSING else None)
        self.searches.append(name)
        kept = {ContactState.SENDING, ContactState.UNKNOWN, ContactState.CREATED}
        assert now.state is (before if before in kept else state)

    @precondition(lambda self: self.searches)
    @rule(which=st.integers(0, 1), data=st.data())
    def claim(self, which: int, data: st.DataObject) -> None:
        """Who made the newest search may create the contact if it is missing, and nobody else."""
        search = data.draw(st.sampled_from(self.searches))
        (kept,) = self.read("SELECT search FROM contacts") or [(None,)]
        may = self.state() is ContactState.MISSING and kept[0] == search
        intent = ContactIntent(OPERATION, "digest", "ana@example.com", search, "fields", 60.0)
        attempt = self.journals[which].contact_attempts.claim(intent)
        assert (attempt is not None) is may
        if attempt is not None:
            self.given.append(Given(attempt))

    @precondition(lambda self: self.given)
    @rule(which=st.integers(0, 1), verdict=st.sampled_from(list(Verdict)), data=st.data())
    def conclude(self, which: int, verdict: Verdict, data: st.DataObject) -> None:
        """Conclude an attempt, perhaps late: a created contact is kept whatever the state."""
        one = data.draw(st.sampled_from(self.given))
        if one.concluded and Verdict.UNKNOWN not in one.concluded:
            return
        outcome = Outcome(verdict, wolkvox_id=f"id{one.attempt.id}" if verdict is Verdict.CREATED else None)
        state = self.journals[which].contact_attempts.conclude(one.attempt, outcome)
        one.concluded.append(verdict)
        assert verdict is not Verdict.CREATED or state is ContactState.CREATED

    @rule(seconds=st.sampled_from([1.0, 50.0, 100.0]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.clock.pass_by(seconds)

    @rule(which=st.integers(0, 1))
    def expire(self, which: int) -> None:
        """Make attempts unknown whose lease is over, and only these."""
        before, newest = self.state(), self.given[-1] if self.given else None
        self.journals[which].contact_attempts.expire(OPERATION)
        if before is ContactState.SENDING and newest is not None:
            is_over = newest.attempt.lease < self.clock.passed
            assert self.state() is (ContactState.UNKNOWN if is_over else ContactState.SENDING)

    @rule(which=st.integers(0, 1), exists=st.booleans())
    def settle(self, which: int, exists: bool) -> None:  # noqa: FBT001
        """Settle what is in doubt, which counts once; the address is erased."""
        contacts = self.journals[which].contacts
        for doubt in contacts.doubts(OPERATION):
            state = ContactState.KNOWN if exists else ContactState.MISSING
            settled = contacts.decide(OPERATION, doubt, KnownContact("digest", state, "by-hand"))
            assert settled is (doubt.state is ContactState.UNKNOWN)

    @invariant()
    def one_attempt_may_send(self) -> None:
        """At most one attempt holds a lease while the contact is being created, and only then an address is kept."""
        holding = [
            one
            for one in self.given
            if not one.concluded and self.journals[0].contact_attempts.lease_holds(one.attempt)
        ]
        assert len(holding) <= 1 or self.state() is not ContactState.SENDING
        if self.state() not in {ContactState.SENDING, ContactState.UNKNOWN}:
            assert self.read("SELECT count(*) FROM contact_attempts WHERE search_value IS NOT NULL") in ([], [(0,)])

    @invariant()
    def numbers_rise(self) -> None:
        """See that attempts are numbered in one sequence, of which the mark knows the newest."""
        if self.given:
            assert self.journals[0].highest_attempt() == max(one.attempt.id for one in self.given)

    def state(self) -> ContactState | None:
        """Return the contact's state."""
        known = self.journals[0].contacts.known(OPERATION, ["digest"]).get("digest")
        return None if known is None else known.state

    def read(self, query: str) -> list[tuple[object, ...]]:
        """Return what the file has."""
        return select(self.journals[0].path, query)


TestContactMachine = ContactMachine.TestCase
TestContactMachine.settings = settings(max_examples=5, stateful_step_count=12, suppress_health_check=list(HealthCheck))
