"""The doctor's questions: for each switch of the sandbox the right answer is learnt, whatever it is set to."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from importer import doctor
from importer.crm import Crm
from importer.doctor import CaseOptions, Observation, Polling, ProbeEnded, ProbeEvent, TestCase
from importer.errors import ImporterError, JournalError, ServerUnreachable, UsageError
from importer.identity import Scope, tenant_of
from importer.messages import speaking
from importer.model import Outcome, Payload, Target
from importer.sandbox import RecordRules, RunningSandbox, SandboxConfig, Search, UpdateRules
from importer.system.stopping import Stop
from importer.workflow.tenant_facts import Findings

CONTACT, CROWD, TOKEN = "ana.secreta@example.com", "muchos@example.com", "canary-token-5f1c"
OPTIONS = CaseOptions(
    {
        "responsible": "ADMIN_@demo",
        "owner": "ADMIN_@demo",
        "contact": CONTACT,
        "case-type": "Request",
        "status": "Abierto",
        "priority": "Baja",
        "form.Subject": "Asunto secreto",
        "form.Canal": "Correo",
    }
)
FAST = Polling(limit=2.0, first_delay=0.01, longest_delay=0.05, settle=0.0)
PEOPLE = ("mail", "clock", "visible")


class Person:
    """A person who agrees to `agrees` cases, and sees in the sandbox what its page shows."""

    def __init__(self, crm: RunningSandbox | None = None, agrees: int = 99, answer: Observation = "yes") -> None:
        self.crm, self.agrees, self.answer = crm, agrees, answer
        self.shown: list[TestCase] = []

    def confirm(self, case: TestCase) -> bool:
        """Note the case, and agree to it or not."""
        self.shown.append(case)
        return len(self.shown) <= self.agrees

    def larger_size(self) -> int:
        """Want a larger case."""
        return 2000

    def common_value(self, field: str) -> str:  # noqa: ARG002 - one answer for all fields
        """Name the contact with many cases."""
        return CROWD

    def observed(self, question: str) -> Observation:
        """Look at the attachments in the sandbox; anything else has one answer."""
        if self.crm is None or not ("FILE" in question or "as “" in question):
            return self.answer
        case = next(each for each in self.crm.store.cases if each.reference and each.reference[4:] in question)
        if "FILE" in question:
            number = question.partition("FILE ")[2][:1]
            return "yes" if any(b"FILE " + number.encode() in each for each in case.attachments) else "no"
        return "yes" if any(name in question for name in self.crm.store.names(case.number).values()) else "no"

    def show(self, sentence: str) -> None:
        """Read on."""


def ask(
    crm: RunningSandbox,
    folder: Path,
    names: Iterable[str] = ("all",),
    person: Person | None = None,
    options: CaseOptions = OPTIONS,
    **more: Any,  # noqa: ANN401 - of `ask_crm`
) -> tuple[Findings, Mapping[str, str | None]]:
    """Ask a sandbox; return what is known then, and why each question stays open, None if it does not."""
    ended: dict[str, str | None] = {}

    def note(event: ProbeEvent) -> None:
        if isinstance(event, ProbeEnded):
            ended[event.probe.name] = event.reason

    where = Target(crm.url, "demo", TOKEN)
    more = {"polling": FAST, **more}
    findings, _path = doctor.ask_crm(where, options, person or Person(crm), folder, names, on_event=note, **more)
    return findings, ended


def crowded(crm: RunningSandbox) -> None:
    """Add seven cases of one contact."""
    for _case in range(7):
        body = {**OPTIONS.fields, "operation": "demo", "contact": CROWD, "description": "old", "form": {}}
        crm.store.add(body, (), "OLD")


ONE = SandboxConfig(
    contacts=(CONTACT, CROWD),
    unknown_contact="created",
    file_names="kept",
    search=Search(partial=("description", "email contact"), page_size=5, next_page=True),
    records=RecordRules(partial=("emailcontact",), cases="found", zone="America/Bogota"),
    updates=UpdateRules(absent="kept", files="added"),
)
OTHER = SandboxConfig(
    contacts=(CONTACT, CROWD),
    unknown_contact="refused",
    file_names="lost",
    search=Search(partial=(), ignore_case=False, count="none", record="nested"),
    records=RecordRules(ignore_case=False, cases="refused"),
    updates=UpdateRules(absent="emptied", files="replacing"),
)
THIRD = SandboxConfig(
    contacts=(CONTACT, CROWD),
    unknown_contact="accepted",
    search=Search(page_size=4, count="all", record="nested"),
    records=RecordRules(cases="found", zone="Asia/Kathmandu"),
    updates=UpdateRules(absent="kept", files="ignored"),
)


@pytest.mark.parametrize(
    ("config", "learnt", "matching"),
    [
        (
            ONE,
            {
                "page_size": 5,
                "page_says_more": True,
                "nothing_readable": True,
                "ignores_case": True,
                "contacts_none_readable": True,
                "contacts_matching": "partial",
                "contacts_ignore_case": True,
                "unknown_contact": "created",
                "dates_of_cases": "found",
                "dates_zone": "-05:00",
                "update_keeps_absent": True,
                "update_files": "added",
                "file_names": "kept",
            },
            {"description": "partial", "email contact": "partial"},
        ),
        (
            OTHER,
            {
                "page_size": 7,
                "page_says_more": None,
                "nothing_readable": True,
                "ignores_case": False,
                "contacts_none_readable": True,
                "contacts_matching": "exact",
                "contacts_ignore_case": False,
                "unknown_contact": "refused",
                "dates_of_cases": "refused",
                "dates_zone": None,
                "update_keeps_absent": False,
                "update_files": "replacing",
                "file_names": "lost",
            },
            {"description": "exact", "email contact": "exact"},
        ),
        (
            THIRD,
            {
                "page_size": 4,
                "page_says_more": True,
                "ignores_case": True,
                "contacts_matching": "exact",
                "unknown_contact": "accepted",
                "dates_of_cases": "found",
                "dates_zone": "+05:45",
                "update_keeps_absent": True,
                "update_files": "ignored",
                "file_names": "lost",
            },
            {"description": "partial", "email contact": "exact"},
        ),
    ],
    ids=["one", "other", "third"],
)
def test_c70_each_switch_is_learnt_as_it_is_set(
    config: SandboxConfig,
    learnt: Mapping[str, object],
    matching: Mapping[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All questions at once, with every switch on one side, on the other, and on the third where there is one."""
    with RunningSandbox(config) as crm:
        with monkeypatch.context() as patched:
            patched.setattr("importer.sandbox.store.time", SimpleNamespace(time=lambda: time.time() - 172_800))
            crowded(crm)
        findings, ended = ask(crm, tmp_path)
        posts = crm.posts + crm.calls("insert-form")
        assert len(crm.store.cases) - 7 == posts - (config.unknown_contact == "refused")
    known = asdict(findings)
    assert {name: known[name] for name in learnt} == learnt
    assert {each.field: each.matching for each in findings.fields if each.matching != "unknown"} == matching
    assert {name: why for name, why in ended.items() if why} == ({"dates": "later"} if config is not OTHER else {})
    assert posts == 4  # shared by most questions, one more for each of three
    assert [findings.observed(name) for name in PEOPLE] == ["yes"] * 3


@pytest.mark.parametrize(
    ("shape", "readable"), [("empty-list", True), ("null", False), ("404", False), ("bare-list", False)]
)
def test_c71_the_envelope_of_none_is_learnt_for_cases_and_for_contacts(
    shape: Any,  # noqa: ANN401 - one of the sandbox's
    readable: bool,  # noqa: FBT001 - a value of the table
    tmp_path: Path,
) -> None:
    """Only the vendor's empty list is a 'none'; neither question creates anything."""
    with RunningSandbox(SandboxConfig(search=Search(nothing_found=shape), contacts=(CONTACT,))) as crm:
        findings, ended = ask(crm, tmp_path, ("none", "no-contact"))
        assert (crm.posts, crm.calls("query"), crm.calls("custom-query"), crm.calls("token")) == (0, 3, 1, 1)
    assert (findings.nothing_readable, findings.contacts_none_readable) == (readable, readable)
    assert findings.nothing_found == findings.contacts_none
    assert findings.may_prove_no_contact is readable
    assert ended == {"none": None, "no-contact": None}


@pytest.mark.parametrize(
    ("dates", "nothing_found"), [("created", "empty-list"), ("modified", "404"), ("created", "bare-list")]
)
def test_c72_the_date_that_is_meant_shows_on_a_later_visit(
    dates: Any,  # noqa: ANN401 - one of the sandbox's
    nothing_found: Any,  # noqa: ANN401 - the same
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same test case, two hours old by then, is updated once; nothing is created again."""
    ahead = [-7200.0]
    clock = SimpleNamespace(time=lambda: time.time() + ahead[0])
    monkeypatch.setattr("importer.sandbox.store.time", clock)
    polling = replace(FAST, now=clock.time)
    records = RecordRules(cases="found", dates=dates, zone="America/Lima")
    with RunningSandbox(SandboxConfig(records=records, search=Search(nothing_found=nothing_found))) as crm:
        findings, ended = ask(crm, tmp_path, ("dates",), polling=polling)
        assert (findings.dates_of_cases, findings.dates_zone, ended) == ("found", "-05:00", {"dates": "later"})
        ahead[0] = 0.0
        for _visit in range(2):
            findings, ended = ask(crm, tmp_path, ("dates",), polling=polling)
            assert (findings.dates_of_cases, ended, crm.posts) == (dates, {"dates": None}, 1)
        assert crm.calls("update") == 2


@pytest.mark.parametrize(
    ("name", "fault", "field"),
    [
        ("none", "html-answer:call=query", "nothing_found"),
        ("no-contact", "cut-json:call=custom-query", "contacts_none_readable"),
        ("contact", "html-answer:call=custom-query", "contact_found"),
        ("dates", "html-answer:call=custom-dates", "dates_of_cases"),
        ("paging", "server-error:call=query", "page_says_more"),
        ("unknown-contact", "cut-json:call=custom-query", "unknown_contact"),
        ("update", "server-error:call=update", "update_keeps_absent"),
        ("file-names", "server-error:call=insert-form", "file_names"),
    ],
)
def test_c73_an_answer_that_cannot_be_read_teaches_nothing(name: str, fault: str, field: str, tmp_path: Path) -> None:
    """The question stays open with its reason, and nothing is believed of it."""
    with RunningSandbox(SandboxConfig(unknown_contact="created", contacts=(CONTACT, CROWD))) as crm:
        crm.inject(fault)
        polling = replace(FAST, limit=0.02)
        findings, ended = ask(crm, tmp_path, (name,), Person(crm, answer="unknown"), polling=polling)
    assert getattr(findings, field) is None
    assert ended[name] is not None
    asked = findings.last_asked(name)
    assert asked is not None
    assert asked.reason == ended[name]


@pytest.mark.parametrize("arrives", [True, False])
def test_c74_a_crash_creates_nothing_twice(
    arrives: bool,  # noqa: FBT001 - a value of the table
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The case is written down before its first byte; the next visit finds it, or says that it may exist and asks."""
    post = Crm.create

    def create(self: Crm, body: Payload) -> Outcome:
        written = next(tmp_path.glob("findings/*.cases.json")).read_text("utf-8")
        assert '"sending"' in written
        assert CONTACT not in written
        if arrives:
            post(self, body)
        raise KeyboardInterrupt

    with RunningSandbox() as crm:
        with monkeypatch.context() as patched:
            patched.setattr(Crm, "create", create)
            with pytest.raises(KeyboardInterrupt):
                ask(crm, tmp_path, ("find", "fields"))
        person, polling = Person(crm), replace(FAST, limit=0.1)
        if not arrives:
            with pytest.raises(UsageError):
                ask(crm, tmp_path, ("find",), declining := Person(crm, agrees=0), polling=polling)
            assert "may still be in the CRM" in declining.shown[0].note
        findings, ended = ask(crm, tmp_path, ("find", "none"), person, polling=FAST if arrives else polling)
        assert (crm.posts, len(crm.store.cases), len(person.shown)) == (1, 1, 0 if arrives else 1)
    assert ended == {"find": None, "none": None}
    assert findings.covers("email contact", 1)


def test_c74_a_test_case_is_made_once_for_all_visits(tmp_path: Path) -> None:
    """Another visit goes on with it, whatever language is spoken; other fields, or its deletion, make a new one."""
    with RunningSandbox() as crm:
        ask(crm, tmp_path, ("find", "unknown-contact", "file-names", "large"))
        with speaking("es"):
            _findings, ended = ask(crm, tmp_path, ("fields", "unknown-contact", "file-names", "large"), Person(crm, 0))
        assert set(ended.values()) == {None}
        assert (crm.posts, crm.calls("insert-form")) == (3, 1)
        other = replace(OPTIONS, fields={**OPTIONS.fields, "priority": "Alta"})
        ask(crm, tmp_path, ("find",), options=other)
        assert crm.posts == 4
        crm.store.delete(1)
        ask(crm, tmp_path, ("find",), polling=replace(FAST, limit=0.1))
        assert crm.posts == 5


@pytest.mark.parametrize("content", [b"", b"{", b"[1]"])
def test_c74_a_damaged_list_of_test_cases_stops_the_doctor(content: bytes, tmp_path: Path) -> None:
    """It may name a case, so nothing is sent until a person has looked."""
    with RunningSandbox() as crm:
        ask(crm, tmp_path, ("find",))
        next(tmp_path.glob("findings/*.cases.json")).write_bytes(content)
        with pytest.raises(JournalError, match="test case"):
            ask(crm, tmp_path, ("find",))
        assert crm.posts == 1


def test_c75_what_was_learnt_before_a_stop_is_kept(tmp_path: Path) -> None:
    """Ctrl-C, a stop and a refused case end the visit; the answers of before are in the file."""
    with RunningSandbox(SandboxConfig(contacts=(CONTACT,))) as crm:
        stop = Stop()

        class Impatient(Person):
            def common_value(self, field: str) -> str:
                stop.request()
                return super().common_value(field)

        findings, ended = ask(crm, tmp_path, ("none", "paging", "mail"), Impatient(crm), stop=stop)
        assert (list(ended), crm.posts) == (["none", "paging"], 0)
        scope = Scope(tenant_of(crm.url), "demo", "")
        assert Findings.load(tmp_path, scope) == findings
        stop = Stop()
        stop.request(by_signal=True)
        with pytest.raises(KeyboardInterrupt):
            ask(crm, tmp_path, ("find",), stop=stop)
        with pytest.raises(UsageError):
            ask(crm, tmp_path, ("find",), Person(crm, agrees=0))
        assert Findings.load(tmp_path, scope) == findings
        assert crm.posts == 0


def test_c76_the_quota_is_respected(tmp_path: Path) -> None:
    """A question that needs more calls than are left is not asked; cheaper ones are, and none is begun in vain."""
    with RunningSandbox(SandboxConfig(daily_quota=9, contacts=(CONTACT,))) as crm:
        findings, ended = ask(crm, tmp_path, ("fields", "none", "no-contact", "paging"))
        assert ended == {"fields": "quota", "none": None, "no-contact": None, "paging": "unclear"}
        assert crm.posts == 0
    assert findings.contacts_none_readable


def test_c76_a_refusal_in_the_middle_keeps_what_was_learnt(tmp_path: Path) -> None:
    """The quota of another program's making, and a CRM that goes away, end the visit with its findings saved."""
    with RunningSandbox(SandboxConfig(contacts=(CONTACT,))) as crm:
        crm.inject("quota-exceeded:call=custom-query")
        with pytest.raises(ServerUnreachable):
            ask(crm, tmp_path, ("none", "no-contact"))
        kept = Findings.load(tmp_path, Scope(tenant_of(crm.url), "demo", ""))
    assert kept is not None
    assert kept.nothing_readable
    assert kept.last_asked("no-contact") is None


def test_c77_the_price_and_the_traces_are_said_before(tmp_path: Path) -> None:
    """No question takes more calls than its price, whatever the CRM is like; unknown names are refused with a list."""
    counted = ("insert", "insert-form", "query", "update", "custom-query", "custom-dates")
    with RunningSandbox(THIRD) as crm:
        ask(crm, tmp_path, ("find",))
        for probe in doctor.PROBES:
            before = sum(map(crm.calls, counted))
            ask(crm, tmp_path, (probe.name,))
            assert sum(map(crm.calls, counted)) - before <= probe.calls + 1, probe.name  # one finds the test case again
            assert probe.question.endswith("?")
            assert probe.traces
    with pytest.raises(UsageError, match="no-contact"):
        doctor.choose(["fnd"])
    assert doctor.price(doctor.PROBES) < 200


def test_c79_what_was_learnt_of_another_search_proves_nothing_of_this_one(tmp_path: Path) -> None:
    """A mapping that searches by another field starts anew; the other answers stay."""
    with RunningSandbox(SandboxConfig(contacts=(CONTACT,))) as crm:
        findings, _ended = ask(crm, tmp_path, ("find", "none", "no-contact"))
        assert findings.covers("email contact", 1)
        findings, _ended = ask(crm, tmp_path, ("no-contact",), options=replace(OPTIONS, search_field="description"))
    assert (findings.body_length, findings.nothing_found, findings.search_field) == (0, None, "description")
    assert findings.contacts_none_readable


def test_c79_a_person_is_asked_even_if_no_search_finds_the_case(tmp_path: Path) -> None:
    """The case exists all the same; what only searches show stays open."""
    with RunningSandbox() as crm:
        crm.inject("search-finds-nothing")
        names = ("find", "fields", "mail", "file-names")
        findings, ended = ask(crm, tmp_path, names, polling=replace(FAST, limit=0.02))
    assert ended == {"find": "not-found", "fields": "not-found", "mail": None, "file-names": None}
    assert not findings.covers("email contact", 1)
    assert findings.file_names == "lost"


def test_c73_an_update_is_not_believed_to_keep_a_form_that_nobody_saw(tmp_path: Path) -> None:
    """Without a field of the form only emptied keys teach something; a refused update teaches nothing."""
    bare = CaseOptions({name: value for name, value in OPTIONS.fields.items() if not name.startswith("form.")})
    for absent, learnt, reason in (("kept", None, "no-form"), ("emptied", False, None)):
        folder = tmp_path / absent
        with RunningSandbox(SandboxConfig(updates=UpdateRules(absent=absent))) as crm:  # type: ignore[arg-type]
            findings, ended = ask(crm, folder, ("update",), options=bare)
            assert (findings.update_keeps_absent, ended) == (learnt, {"update": reason})
            crm.inject("forbidden:call=update")
            with pytest.raises(ImporterError):
                ask(crm, folder, ("update",), options=bare)


def test_c79_an_address_is_searched_in_small_letters_too_once_capitals_are_known_to_matter(tmp_path: Path) -> None:
    """What the doctor learnt of contacts says how their addresses are searched for."""
    for ignores, spellings in ((True, ("Ana@x.co",)), (False, ("Ana@x.co", "ana@x.co"))):
        config = SandboxConfig(contacts=(CONTACT,), records=RecordRules(ignore_case=ignores))
        with RunningSandbox(config) as crm:
            findings, _ended = ask(crm, tmp_path / str(ignores), ("contact",))
        assert findings.spellings_to_search("Ana@x.co") == spellings
        assert findings.spellings_to_search("ana@x.co") == ("ana@x.co",)
