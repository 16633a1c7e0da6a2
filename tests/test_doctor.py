"""`doctor`: what it shows about a connection, and what it learns about a CRM from one test case."""

from __future__ import annotations

import datetime as dt
import json
import re
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import keyring
import pytest
import trustme
from click.testing import CliRunner
from keyring.backends import fail
from promise_support import end_leases, states, tickets
from pydantic import ByteSize
from run_support import Office, ticket
from scripted_crm import ScriptedCrm, answering, http

import importer.cli.doctor
from importer import doctor
from importer.cli.main import case_importer
from importer.doctor import CaseOptions, Check, Level, Polling, TestCase
from importer.errors import ConnectionRefused, ImporterError, ServerUnreachable, UsageError
from importer.identity import Scope, tenant_of
from importer.journal import Journal
from importer.model import Target
from importer.sandbox import RunningSandbox, SandboxConfig, Search
from importer.settings import Connection
from importer.workflow.tenant_facts import FieldFinding, Findings, findings_path

CONTACT, TOKEN = "ana.secreta@example.com", "canary-token-5f1c"
FIELDS = {
    "responsible": "ADMIN_@demo",
    "owner": "ADMIN_@demo",
    "contact": CONTACT,
    "case-type": "Request",
    "status": "Abierto",
    "priority": "Baja",
}
FAST = Polling(limit=5.0, first_delay=0.01, longest_delay=0.05)
KNOWN = Findings(
    tenant="crm0001.wolkvox.com",
    operation="demo",
    when=dt.datetime(2026, 11, 23, tzinfo=dt.UTC),
    program="case-importer 0",
    search_field="email contact",
    body_length=1000,
    found_after=2.5,
    page_size=20,
    nothing_found="HTTP 200",
    nothing_readable=True,
    fields=(FieldFinding("email contact", found=True, records=3, matching="exact"),),
)


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the machine's own settings and keyring for one test, and set a token."""
    for name in ("WOLKVOX_SERVER", "WOLKVOX_OPERATION", "WOLKVOX_TOKEN_FILE", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WOLKVOX_TOKEN", TOKEN)
    monkeypatch.setattr(keyring, "get_password", fail.Keyring().get_password)


class ScriptedPrompts:
    """Prompts that confirm everything, or the first `agrees` cases."""

    def __init__(self, agrees: int = 9, larger: int = 0, busy: str = "") -> None:
        self.agrees, self.wants, self.busy = agrees, larger, busy
        self.shown: list[TestCase] = []
        self.sentences: list[str] = []

    def confirm(self, case: TestCase) -> bool:
        """Note the case, and confirm it or not."""
        self.shown.append(case)
        return len(self.shown) <= self.agrees

    def larger_size(self) -> int:
        """Return the size of the second case's attachment."""
        return self.wants

    def common_value(self, field: str) -> str:  # noqa: ARG002 - one answer for all fields
        """Return the value that many cases have, if one is set."""
        return self.busy

    def observed(self, question: str) -> doctor.Observation:
        """Report that an e-mail came, and nothing else."""
        return "yes" if "e-mail" in question else "unknown"

    def show(self, sentence: str) -> None:
        """Note the sentence."""
        self.sentences.append(sentence)


CLASSIC = ("find", "fields", "partial", "none", "paging", "large", "mail", "clock")
"""The questions that one test case answers without changing it."""


def learn(
    where: Target,
    options: CaseOptions,
    prompts: ScriptedPrompts,
    folder: Path,
    polling: Polling,
) -> tuple[Findings, Path]:
    """Ask a CRM these questions."""
    return doctor.ask_crm(where, options, prompts, folder, CLASSIC, polling=polling)


def target(server: str) -> Target:
    """Return where test cases go."""
    return Target(server, "demo", TOKEN)


def findings_for(
    search: Search, folder: Path, person: ScriptedPrompts | None = None, options: CaseOptions | None = None
) -> Findings:
    """Return what the doctor learns about a sandbox with this search."""
    with RunningSandbox(SandboxConfig(search=search)) as crm:
        findings, _path = learn(
            target(crm.url), options or CaseOptions(FIELDS), person or ScriptedPrompts(), folder, FAST
        )
    return findings


def checked(connection: Connection, journal: Path) -> dict[str, Check]:
    """Return the checks by their names."""
    return {check.name: check for check in doctor.run_checks(connection, Connection(), journal)}


# ------------------------------------------------------------------------------------------------ the checks


def test_a_healthy_connection_passes_every_check(sandbox: RunningSandbox, tmp_path: Path) -> None:
    """Each check is made once and passes, the token costs one call, and nothing is created or written."""
    found = checked(Connection(sandbox.url, "demo"), tmp_path / "journal.db")
    assert list(found) == [
        "settings", "proxy", "server", "certificate", "clock", "token", "quota", "journal", "disk", "keyring"
    ]  # fmt: skip
    assert {check.level for check in found.values()} == {Level.OK}
    assert (sandbox.posts, sandbox.calls("query"), sandbox.calls("token")) == (0, 0, 1)
    assert list(tmp_path.iterdir()) == []


def test_an_intact_journal_passes(sandbox: RunningSandbox, tmp_path: Path) -> None:
    """An existing journal is read and checked."""
    path = tmp_path / "journal.db"
    Journal(path).close()
    assert checked(Connection(sandbox.url, "demo"), path)["journal"].level is Level.OK


@pytest.mark.parametrize("damage", [slice(1, 16), slice(7, 8)], ids=["cannot be opened", "can be opened"])
def test_a_damaged_journal_is_a_fault_of_status_2(damage: slice, sandbox: RunningSandbox, tmp_path: Path) -> None:
    """The damage that SQLite finds is shown on one line, and the other checks are still made."""
    path = tmp_path / "journal.db"
    Journal(path).close()
    content = bytearray(path.read_bytes())
    for page in range(4096, len(content), 4096):  # the first page identifies it as a journal
        content[page + damage.start : page + damage.stop] = b"\xff" * (damage.stop - damage.start)
    path.write_bytes(content)
    found = checked(Connection(sandbox.url, "demo"), path)
    assert (found["journal"].level, found["journal"].exit_status) == (Level.FAULT, 2)
    assert "damaged" in found["journal"].seen
    assert "adopt" in found["journal"].seen + found["journal"].remedy
    assert "\n" not in found["journal"].seen
    assert found["disk"].level is Level.OK


def test_a_journal_in_a_synchronised_folder_is_a_fault(sandbox: RunningSandbox, tmp_path: Path) -> None:
    """The doctor refuses what `run` would refuse, and does not create the file."""
    folder = tmp_path / "OneDrive - Company"
    folder.mkdir()
    (folder / "journal.db").touch()
    found = checked(Connection(sandbox.url, "demo"), folder / "journal.db")["journal"]
    assert (found.level, found.exit_status) == (Level.FAULT, 2)


@pytest.mark.parametrize(
    ("free", "level", "status"), [(10**9, Level.OK, 0), (10**8, Level.WARNING, 0), (10**6, Level.FAULT, 3)]
)
def test_low_disk_space_is_a_warning_and_none_a_fault(
    free: int, level: Level, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that will be full during a run is reported before it."""
    monkeypatch.setattr("importer.doctor.checks.shutil.disk_usage", lambda _folder: SimpleNamespace(free=free))
    found = checked(Connection(), tmp_path / "journal.db")["disk"]
    assert (found.level, found.exit_status) == (level, status)


@pytest.mark.parametrize(
    ("connection", "name", "status"),
    [
        (Connection("http://127.0.0.1:9", "demo"), "server", 3),
        (Connection("http://crm0001.wolkvox.com", "demo"), "settings", 2),
        (Connection("http://127.0.0.1:9"), "settings", 2),
        (Connection(None, "demo"), "settings", 2),
    ],
)
def test_a_fault_has_the_exit_status_of_its_kind(
    connection: Connection, name: str, status: int, tmp_path: Path
) -> None:
    """Settings are 2, an unreachable server is 3; journal, disk and keyring are checked in any case."""
    found = checked(connection, tmp_path / "journal.db")
    assert (found[name].level, found[name].exit_status) == (Level.FAULT, status)
    assert re.search("--server|--operation|https://", found[name].seen + found[name].remedy)
    assert {"journal", "disk", "keyring"} <= found.keys()


def test_without_a_token_the_server_is_still_checked(
    sandbox: RunningSandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The missing token is the only fault, and no call is made."""
    monkeypatch.delenv("WOLKVOX_TOKEN")
    found = checked(Connection(sandbox.url, "demo"), tmp_path / "journal.db")
    assert [name for name, check in found.items() if check.level is Level.FAULT] == ["settings"]
    assert found["server"].level is Level.OK
    assert sandbox.calls("token") == 0


@pytest.mark.parametrize(
    ("config", "name", "level", "status"),
    [
        (SandboxConfig(tokens=("another",)), "token", Level.FAULT, 5),
        (SandboxConfig(daily_quota=1), "quota", Level.FAULT, 3),
        (SandboxConfig(daily_quota=10), "quota", Level.WARNING, 0),
    ],
)
def test_token_and_quota_are_distinguished(
    config: SandboxConfig, name: str, level: Level, status: int, tmp_path: Path
) -> None:
    """A refused token needs a person, a used-up quota needs time, a low one is a warning; each has a remedy."""
    with RunningSandbox(config) as crm:
        found = checked(Connection(crm.url, "demo"), tmp_path / "journal.db")
    assert (found[name].level, found[name].exit_status) == (level, status)
    assert found[name].remedy


def serve_tls(certificate: trustme.LeafCert, authority: trustme.CA, tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    """Return the server's side of TLS, and the file that `--ca-file` names."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return context, path


def test_the_certificate_is_shown_with_its_names_and_its_expiry(tmp_path: Path) -> None:
    """Subject, issuer and expiry are shown; expiry within two weeks is a warning."""
    authority = trustme.CA()
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(days=3)
    tls, ca_file = serve_tls(authority.issue_cert("localhost", not_after=soon), authority, tmp_path)
    with ScriptedCrm(answering(http(200, {"code": 200, "error": "null", "data": {}})), tls=tls) as server:
        given = Connection(f"https://localhost:{server.port}", "demo", ca_file=ca_file)
        found = checked(given, tmp_path / "journal.db")
    assert found["certificate"].level is Level.WARNING
    assert "localhost" in found["certificate"].seen
    assert f"{soon:%Y-%m-%d}" in found["certificate"].seen
    assert "Wolkvox-Token" not in server.requests[0].head
    assert server.requests[0].head.startswith("HEAD / ")


def test_x4_a_wrong_certificate_is_a_fault_of_status_5(tmp_path: Path) -> None:
    """A wrong certificate has exit status 5, and the token is not sent."""
    authority = trustme.CA()
    tls, ca_file = serve_tls(authority.issue_cert("crm0002.wolkvox.com"), authority, tmp_path)
    with ScriptedCrm(answering(http(200)), tls=tls) as server:
        given = Connection(f"https://localhost:{server.port}", "demo", ca_file=ca_file)
        found = checked(given, tmp_path / "journal.db")
    assert (found["server"].level, found["server"].exit_status) == (Level.FAULT, 5)
    assert server.requests == []


def test_a_clock_that_is_wrong_is_a_warning(tmp_path: Path) -> None:
    """The local clock is compared with the server's."""
    answer = http(200, {"code": 200, "error": "null", "data": {}}, Date="Tue, 01 Jan 2030 00:00:00 GMT")
    with ScriptedCrm(answering(answer)) as server:
        found = checked(Connection(f"http://127.0.0.1:{server.port}", "demo"), tmp_path / "journal.db")
    assert found["clock"].level is Level.WARNING
    assert found["clock"].remedy


def test_a_proxy_is_shown_without_its_password(sandbox: RunningSandbox, tmp_path: Path) -> None:
    """The proxy's user and password are not shown."""
    given = Connection(sandbox.url, "demo", proxy=sandbox.url.replace("//", "//me:canary-password@"))
    seen = checked(given, tmp_path / "journal.db")["proxy"].seen
    assert "canary-password" not in seen
    assert "127.0.0.1" in seen


# ------------------------------------------------------------------------------------------------ one test case


def test_one_case_shows_what_settling_needs(tmp_path: Path) -> None:
    """One POST; the search by the contact is verified up to this body's length, and a longer body is not covered."""
    person = ScriptedPrompts()
    with RunningSandbox() as crm:
        findings, path = learn(target(crm.url), CaseOptions(FIELDS), person, tmp_path, FAST)
        assert crm.posts == 1
        case = crm.store.cases[0]
    assert case.reference == person.shown[0].reference
    assert findings.covers("email contact", findings.body_length)
    assert findings.body_length == person.shown[0].payload.length
    assert not findings.covers("email contact", findings.body_length + 1)
    assert not findings.covers("description", 10)
    assert any(case.wolkvox_id in sentence for sentence in person.sentences)
    assert Findings.load(tmp_path, Scope(tenant_of(crm.url), "demo", "whatever")) == findings
    assert path.parent == tmp_path / "findings"
    assert findings.mark_place == "description"


def test_findings_of_an_older_version_lack_the_place_of_the_mark(tmp_path: Path) -> None:
    """A file without it can still be read."""
    findings = replace(findings_for(Search(), tmp_path), mark_place=None)
    path = findings.save(tmp_path)
    older = json.loads(path.read_text("utf-8"))
    del older["mark_place"]
    path.write_text(json.dumps(older), encoding="utf-8")
    assert Findings.load(tmp_path, Scope(findings.tenant, findings.operation, "x")) == findings


@pytest.mark.parametrize(("partial", "matching"), [(("description",), "partial"), ((), "exact")])
def test_the_description_matches_in_part_or_in_whole(partial: tuple[str, ...], matching: str, tmp_path: Path) -> None:
    """A search by part of the description shows which."""
    findings = findings_for(Search(partial=partial), tmp_path)
    by_name = {finding.field: finding for finding in findings.fields}
    assert by_name["description"].matching == matching
    assert by_name["email contact"].matching == "exact"


def test_every_documented_field_whose_value_is_known_is_tried(tmp_path: Path) -> None:
    """The others are listed among what remains unknown."""
    findings = findings_for(Search(), tmp_path)
    found = {finding.field for finding in findings.fields if finding.found}
    assert found == {
        "status", "priority", "email contact", "description", "idPrefijo", "wolkvox-id", "type case",
        "responsible user", "owner user", "idCase",
    }  # fmt: skip
    assert "idPrefijo" in str(findings.case_found)
    remaining = " ".join(doctor.remaining(findings))
    assert all(name in remaining for name in ("contact phone", "case expired", "company name"))


def test_only_answers_to_settlings_own_search_measure_a_page(tmp_path: Path) -> None:
    """Searches by other fields prove nothing about this one; a contact with many cases does."""
    other = {**FIELDS, "contact": "busy@example.com"}
    with RunningSandbox() as crm:
        body = {**other, "operation": "demo", "description": "x", "form": {}}
        for _number in range(7):
            crm.store.add(body, [], "X")
        alone, _path = learn(target(crm.url), CaseOptions(FIELDS), ScriptedPrompts(), tmp_path, FAST)
        asked = ScriptedPrompts(busy="busy@example.com")
        busy, path = learn(target(crm.url), CaseOptions(FIELDS), asked, tmp_path, FAST)
    assert (alone.page_size, busy.page_size) == (1, 7)
    assert "busy@" not in path.read_text("utf-8")


@pytest.mark.parametrize(("shape", "readable"), [("empty-list", True), ("null", False), ("404", False)])
def test_how_nothing_found_looks_decides_what_it_proves(shape: Any, readable: bool, tmp_path: Path) -> None:  # noqa: ANN401, FBT001 - parameters
    """A refusal or a null instead of an empty list proves nothing."""
    findings = findings_for(Search(nothing_found=shape), tmp_path)
    assert findings.nothing_readable is readable
    assert findings.covers("email contact", 1) is readable
    assert findings.nothing_found


def test_a_case_that_appears_late_is_waited_for(tmp_path: Path) -> None:
    """The time until the case is found is measured, and a shorter quiet period is not covered."""
    findings = findings_for(Search(seen_after=0.4), tmp_path)
    assert findings.found_after is not None
    assert findings.found_after >= 0.3
    assert findings.covers("email contact", 1)
    assert not findings.covers("email contact", 1, quiet_period=0.1)


def test_a_search_that_never_finds_it_verifies_nothing(tmp_path: Path) -> None:
    """Time runs out, and the findings say so."""
    with RunningSandbox(SandboxConfig(search=Search(seen_after=60))) as crm:
        findings, _path = learn(
            target(crm.url), CaseOptions(FIELDS), ScriptedPrompts(), tmp_path, replace(FAST, limit=0.05)
        )
    assert (findings.body_length, findings.found_after) == (0, None)
    assert not findings.covers("email contact", 1)


def test_a_larger_case_needs_its_own_confirmation_and_covers_more(tmp_path: Path) -> None:
    """The second case has an attachment of the requested size, and its length is covered."""
    person = ScriptedPrompts(larger=300_000)
    with RunningSandbox() as crm:
        findings, _path = learn(target(crm.url), CaseOptions(FIELDS), person, tmp_path, FAST)
        assert crm.store.sizes(2)[0] >= 300_000
    assert len(person.shown) == 2
    assert findings.body_length == person.shown[1].payload.length >= 400_000


@pytest.mark.parametrize("field", ["description", "responsible user"])
def test_any_field_that_a_mapping_may_search_by_is_verified(
    field: str, sandbox: RunningSandbox, tmp_path: Path
) -> None:
    """Each case is searched by its own value of that field, and that field alone is covered."""
    person = ScriptedPrompts(larger=9)
    findings, _path = learn(target(sandbox.url), CaseOptions(FIELDS, search_field=field), person, tmp_path, FAST)
    assert findings.body_length == person.shown[1].payload.length
    assert findings.covers(field, findings.body_length)
    assert not findings.covers("email contact", 1)


def test_the_larger_case_can_be_declined(sandbox: RunningSandbox, tmp_path: Path) -> None:
    """There is only one case then, and its findings are kept."""
    person = ScriptedPrompts(agrees=1, larger=9)
    findings, _path = learn(target(sandbox.url), CaseOptions(FIELDS), person, tmp_path, FAST)
    assert (sandbox.posts, len(person.shown)) == (1, 2)
    assert findings.body_length == person.shown[0].payload.length


def test_a_larger_case_that_is_too_large_is_noted(tmp_path: Path) -> None:
    """The refusal is among the errors, and only the first case's length is covered."""
    person = ScriptedPrompts(larger=300_000)
    with RunningSandbox(SandboxConfig(max_body=ByteSize(100_000))) as crm:
        findings, _path = learn(target(crm.url), CaseOptions(FIELDS), person, tmp_path, FAST)
    assert findings.body_length == person.shown[0].payload.length
    assert "large" in {error.asked for error in findings.errors}


def test_findings_are_kept_when_the_crm_goes_away(sandbox: RunningSandbox, tmp_path: Path) -> None:
    """The first case's findings are saved before the failure of the second ends the command."""
    sandbox.inject("unauthorized:nth=2")
    with pytest.raises(ConnectionRefused):
        learn(target(sandbox.url), CaseOptions(FIELDS), ScriptedPrompts(larger=9), tmp_path, FAST)
    kept = Findings.load(tmp_path, Scope(tenant_of(sandbox.url), "demo", ""))
    assert kept is not None
    assert kept.covers("email contact", 1)


def test_declined_means_nothing_sent_and_older_findings_kept(sandbox: RunningSandbox, tmp_path: Path) -> None:
    """Without confirmation there is no POST, no query and no file."""
    with pytest.raises(UsageError):
        learn(target(sandbox.url), CaseOptions(FIELDS), ScriptedPrompts(agrees=0), tmp_path, FAST)
    assert (sandbox.posts, sandbox.calls("query")) == (0, 0)
    assert not (tmp_path / "findings").exists()


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("unauthorized", ConnectionRefused),
        ("quota-exceeded", ServerUnreachable),
        ("redirect:status=301", ConnectionRefused),
    ],
)
def test_a_case_that_was_not_created_ends_it_with_the_right_status(
    fault: str, expected: type[ImporterError], sandbox: RunningSandbox, tmp_path: Path
) -> None:
    """One POST, which is never repeated."""
    sandbox.inject(fault)
    with pytest.raises(expected):
        learn(target(sandbox.url), CaseOptions(FIELDS), ScriptedPrompts(), tmp_path, FAST)
    assert sandbox.posts == 1


def test_a_rejected_case_is_reported_in_the_crms_words(tmp_path: Path) -> None:
    """The user learns which value does not exist."""
    with (
        RunningSandbox(SandboxConfig(priorities=("Alta",))) as crm,
        pytest.raises(UsageError, match="PRIORITY DOES NOT EXIST"),
    ):
        learn(target(crm.url), CaseOptions(FIELDS), ScriptedPrompts(), tmp_path, FAST)


def test_a_lost_answer_is_searched_for_and_never_sent_again(sandbox: RunningSandbox, tmp_path: Path) -> None:
    """The case is found by its reference; there was one POST."""
    sandbox.inject("closed-after-creating")
    findings, _path = learn(target(sandbox.url), CaseOptions(FIELDS), ScriptedPrompts(), tmp_path, FAST)
    assert sandbox.posts == 1
    assert findings.covers("email contact", 1)


def test_the_reference_goes_where_the_mapping_puts_it(sandbox: RunningSandbox, tmp_path: Path) -> None:
    """A form field that carries references carries the test case's reference too."""
    person = ScriptedPrompts()
    options = CaseOptions({**FIELDS, "form.Subject": "x"}, reference_field="form.Mark")
    learn(target(sandbox.url), options, person, tmp_path, FAST)
    form = sandbox.store.cases[0].body["form"]
    assert form == {"Subject": "x", "Mark": person.shown[0].reference}


def test_a_search_without_a_value_is_refused_before_anything_is_sent(sandbox: RunningSandbox, tmp_path: Path) -> None:
    """A mapping that searches by a field that no case is sent with cannot be verified."""
    with pytest.raises(UsageError, match="idCase"):
        learn(target(sandbox.url), CaseOptions(FIELDS, search_field="idCase"), ScriptedPrompts(), tmp_path, FAST)
    assert sandbox.posts == 0


def invoke(words: list[str]) -> None:
    """Carry out a command line inside this process."""
    CliRunner().invoke(case_importer, words, standalone_mode=False)


def with_a_lost_answer(sandbox: RunningSandbox, folder: Path) -> Office:
    """Return an office that sent two rows of one contact; the second never became a case."""
    office = Office(folder, sandbox)
    office.write(tickets(range(1, 3)))
    sandbox.inject("closed-without-creating:nth=2")
    invoke(office.arguments("run", "--yes", "--concurrency", "1"))
    sandbox.inject()
    end_leases(office.journal)
    return office


CROWD = "muchos@example.com"


def learn_for(office: Office) -> None:
    """Let the doctor learn about the office's CRM; a contact with ten cases shows that an answer can hold that many."""
    for _case in range(10):
        office.sandbox.store.add({"operation": "demo", "contact": CROWD, "description": "old", "form": {}}, (), "OLD")
    answers = ScriptedPrompts(larger=9, busy=CROWD)
    learn(target(office.sandbox.url), CaseOptions(FIELDS), answers, office.journal.parent, FAST)


def settle(office: Office) -> dict[str, int]:
    """Run `settle`; return how many rows are in each state afterwards."""
    invoke(office.settle("--quiet-period", "1"))
    return dict(states(office.journal))


def test_settling_proves_by_the_findings_that_there_is_no_case(sandbox: RunningSandbox, tmp_path: Path) -> None:
    """Without findings the row stays unknown; only with them and a newer case is it planned again."""
    office = with_a_lost_answer(sandbox, tmp_path)
    assert settle(office) == {"created": 1, "unknown": 1}
    learn_for(office)
    assert settle(office) == {"created": 1, "unknown": 1}
    office.write([*tickets(range(1, 3)), *tickets([3], Correo=CROWD)])
    invoke(office.arguments("run", "--yes"))
    assert states(office.journal) == {"created": 2, "planned": 1}


def test_o18_a_search_that_answers_none_to_everything_proves_nothing(sandbox: RunningSandbox, tmp_path: Path) -> None:
    """Whether the doctor meets it or it starts after the doctor's visit, nothing is sent again."""
    office = with_a_lost_answer(sandbox, tmp_path)
    sandbox.inject("search-finds-nothing")
    findings, _path = learn(
        target(sandbox.url), CaseOptions(FIELDS), ScriptedPrompts(), tmp_path, replace(FAST, limit=0.05)
    )
    assert not findings.covers("email contact", 1)
    sandbox.inject()
    learn_for(office)
    sandbox.inject("search-finds-nothing")
    assert settle(office) == {"created": 1, "unknown": 1}


# ------------------------------------------------------------------------------------------------ findings


def test_findings_hold_nothing_of_the_case_and_no_token(sandbox: RunningSandbox, tmp_path: Path) -> None:
    """The file that goes to support has no address, description, id, reference or token."""
    person = ScriptedPrompts(larger=1)
    _findings, path = learn(target(sandbox.url), CaseOptions(FIELDS), person, tmp_path, FAST)
    text = path.read_text("utf-8")
    for case, stored in zip(person.shown, sandbox.store.cases, strict=True):
        for secret in (case.reference, case.label, stored.wolkvox_id, stored.id_prefijo, CONTACT, "ana.secreta", TOKEN):
            assert secret not in text
    assert json.loads(text)["told"][-2] == {"question": "mail", "answer": "yes"}


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[1]"])
def test_findings_that_cannot_be_read_prove_nothing(content: bytes, tmp_path: Path) -> None:
    """A damaged file is treated like a missing one."""
    path = KNOWN.save(tmp_path)
    scope = Scope(KNOWN.tenant, "demo", "import")
    assert Findings.load(tmp_path, scope) == KNOWN
    path.write_bytes(content)
    assert Findings.load(tmp_path, scope) is None


def test_findings_of_another_operation_or_tenant_are_not_used(tmp_path: Path) -> None:
    """A file under the wrong name is not trusted either."""
    path = KNOWN.save(tmp_path)
    other = findings_path(tmp_path, KNOWN.tenant, "other")
    other.write_bytes(path.read_bytes())
    assert path != other
    assert Findings.load(tmp_path, Scope(KNOWN.tenant, "other", "import")) is None
    assert findings_path(tmp_path, "a:1", "b") != findings_path(tmp_path, "a-1", "b")


@pytest.mark.parametrize(
    "lacking", [{"body_length": 0}, {"found_after": None}, {"found_after": 500.0}, {"nothing_readable": False}]
)
def test_each_missing_piece_uncovers(lacking: dict[str, Any]) -> None:
    """A search that finds nothing proves something only with every one of these."""
    assert KNOWN.covers("email contact", 1000)
    assert not replace(KNOWN, **lacking).covers("email contact", 1)


# ------------------------------------------------------------------------------------------------ the command


Give = Callable[..., tuple[int, str, str]]


@pytest.fixture
def give(monkeypatch: pytest.MonkeyPatch) -> Give:
    """Run a command line with what a person types at a terminal, or without a terminal."""

    def execute(*arguments: object, typed: str | None = None) -> tuple[int, str, str]:
        monkeypatch.setattr(importer.cli.doctor, "is_interactive", lambda: typed is not None)
        words = ["doctor", *map(str, arguments)]
        result = CliRunner().invoke(case_importer, words, input=typed, standalone_mode=False)
        if isinstance(result.exception, ImporterError):
            return result.exception.exit_status, result.stdout, str(result.exception)
        if result.exception is not None:
            raise result.exception
        return result.return_value, result.stdout, result.stderr

    return execute


def options_for(sandbox: RunningSandbox, folder: Path) -> list[str]:
    """Return the options for a sandbox and a journal."""
    return ["--server", sandbox.url, "--operation", "demo", "--journal", str(folder / "journal.db")]


def test_each_check_is_one_line_and_its_remedy(sandbox: RunningSandbox, tmp_path: Path, give: Give) -> None:
    """Without faults: status 0, ten lines, nothing created."""
    status, out, _err = give(*options_for(sandbox, tmp_path))
    assert status == 0
    assert len(out.splitlines()) == 10
    assert all(line.startswith("ok ") for line in out.splitlines())
    assert TOKEN not in out
    assert sandbox.posts == 0


def test_json_is_one_object_with_every_check(tmp_path: Path, give: Give) -> None:
    """The exit status is that of the worst fault, in the object and of the process."""
    with RunningSandbox(SandboxConfig(tokens=("another",))) as crm:
        status, out, _err = give(*options_for(crm, tmp_path), "--json")
    found = json.loads(out)
    assert (status, found["exit_status"], found["findings"]) == (5, 5, None)
    assert {check["name"]: check["level"] for check in found["checks"]}["token"] == "fault"


def test_a_test_case_without_a_terminal_is_refused(sandbox: RunningSandbox, tmp_path: Path, give: Give) -> None:
    """Status 2, and the server was not asked anything."""
    status, _out, err = give(*options_for(sandbox, tmp_path), "--ask", "all")
    assert status == 2
    assert "person" in err
    assert (sandbox.posts, sandbox.calls("token")) == (0, 0)


def test_there_is_no_yes_for_a_test_case(give: Give, sandbox: RunningSandbox, tmp_path: Path) -> None:
    """`--yes` is not an option of this command."""
    with pytest.raises(click.UsageError, match="--yes"):
        give(*options_for(sandbox, tmp_path), "--ask", "find", "--yes", typed="\ndemo\n")


ASKED = [word for name in CLASSIC for word in ("--ask", name)]
PROMPTED = "\nADMIN_@demo\nADMIN_@demo\nana.secreta@example.com\nRequest\nAbierto\nBaja\n"


def test_the_case_is_shown_and_the_operations_name_is_typed(
    sandbox: RunningSandbox, tmp_path: Path, give: Give
) -> None:
    """The content appears in full before the question; only the name, not a mere yes, creates the case."""
    status, out, err = give(*options_for(sandbox, tmp_path), *ASKED, typed=f"{PROMPTED}demo\n\n0\nyes\nunknown\n")
    assert status == 0
    assert sandbox.posts == 1
    before, _question, after = err.partition("Type the operation's name")
    assert CONTACT in before
    assert "Test case" in before
    assert sandbox.store.cases[0].wolkvox_id in after
    assert "What remains unknown" in out
    assert CONTACT not in out


def test_leaving_after_the_case_was_created_says_so(sandbox: RunningSandbox, tmp_path: Path, give: Give) -> None:
    """The message does not claim that nothing was sent, and the findings are kept."""
    status, _out, err = give(*options_for(sandbox, tmp_path), *ASKED, typed=f"{PROMPTED}demo\n")
    assert (status, sandbox.posts) == (2, 1)
    assert "may be in the CRM" in err
    assert Findings.load(tmp_path, Scope(tenant_of(sandbox.url), "demo", "")) is not None


@pytest.mark.parametrize("answer", ["", "y", "yes", "other"])
def test_any_other_answer_creates_nothing(answer: str, sandbox: RunningSandbox, tmp_path: Path, give: Give) -> None:
    """Status 2, no POST."""
    status, _out, _err = give(*options_for(sandbox, tmp_path), *ASKED, typed=f"{PROMPTED}{answer}\n")
    assert (status, sandbox.posts) == (2, 0)


def test_a_case_like_a_row_of_a_sheet(sandbox: RunningSandbox, tmp_path: Path, give: Give) -> None:
    """Except for the description the fields are those of that row, and the row itself counts as not sent."""
    office = Office(tmp_path, sandbox)
    office.write(ticket(number) for number in range(1, 4))
    arguments = [*options_for(sandbox, tmp_path), "-m", office.mapping, "--source", office.source]
    status, out, _err = give(*arguments, "--row", 3, *ASKED, "--json", typed="\ndemo\n\n0\nno\nno\n")
    assert status == 0
    body = sandbox.store.cases[0].body
    assert (body["contact"], body["form"]) == ("cliente2@example.com", {"Subject": "Asunto 2"})
    assert "Detalle" not in body["description"]
    found = json.loads(out)
    assert found["findings"]["body_length"] > 0
    assert Path(found["findings_file"]).exists()


def without_form(sandbox: RunningSandbox, folder: Path) -> Office:
    """Return an office whose mapping fills no field of the form."""
    office = Office(folder, sandbox)
    office.write(ticket(number) for number in range(1, 4))
    mapping = office.mapping.read_text("utf-8")
    office.mapping.write_text(mapping.replace("form:\n  Subject: {column: Asunto}\n", ""), "utf-8")
    return office


@pytest.mark.parametrize("by_row", [True, False])
def test_what_an_update_keeps_is_not_asked_without_a_field_of_the_form(
    sandbox: RunningSandbox, tmp_path: Path, give: Give, *, by_row: bool
) -> None:
    """It is said before anybody agrees to a test case, and none is created."""
    office = without_form(sandbox, tmp_path)
    words = [*options_for(sandbox, tmp_path), "-m", office.mapping, *(["--source", office.source] if by_row else [])]
    typed = "\n" if by_row else f"{PROMPTED}\n"
    status, _out, err = give(*words, "--ask", "update", typed=f"{typed}demo\n")
    assert (status, sandbox.posts) == (2, 0)
    assert "`update` is not asked: it needs a test case with a field of the form" in err


def test_other_questions_are_asked_without_a_field_of_the_form(
    sandbox: RunningSandbox, tmp_path: Path, give: Give
) -> None:
    """What cannot be learnt is left out, with the reason first."""
    office = without_form(sandbox, tmp_path)
    words = [*options_for(sandbox, tmp_path), "-m", office.mapping, "--source", office.source]
    status, _out, err = give(*words, "--ask", "find", "--ask", "update", typed="\ndemo\n")
    assert (status, sandbox.posts, sandbox.calls("update")) == (0, 1, 0)
    assert "`update` is not asked" in err.partition("Type the operation's name")[0]


def test_a_row_with_issues_cannot_be_a_test_case(sandbox: RunningSandbox, tmp_path: Path, give: Give) -> None:
    """The row's issue is named, and the user is asked for another row."""
    office = Office(tmp_path, sandbox)
    office.write([ticket(1, Correo="nobody"), ticket(2)])
    arguments = [*options_for(sandbox, tmp_path), "-m", office.mapping, "--source", office.source, *ASKED]
    for row in (2, 9):
        status, _out, err = give(*arguments, "--row", row, typed="\ndemo\n")
        assert (status, sandbox.posts) == (2, 0)
        assert str(row) in err
    assert give(*arguments, typed="\ndemo\n\n0\nno\nno\n")[0] == 0
    assert sandbox.store.cases[0].body["contact"] == "cliente2@example.com"


@pytest.mark.parametrize(
    "options",
    [
        ["--row", "2", "--ask", "find"],
        ["--source", "x.csv", "--ask", "find"],
        ["--source", "x.csv"],
    ],
)
def test_conflicting_options_are_refused(
    options: list[str], sandbox: RunningSandbox, tmp_path: Path, give: Give
) -> None:
    """Status 2, before any check is made."""
    status, _out, _err = give(*options_for(sandbox, tmp_path), *options, typed="demo\n")
    assert (status, sandbox.calls("token")) == (2, 0)


def test_no_test_case_while_there_are_faults(tmp_path: Path, give: Give) -> None:
    """With a refused token the user is asked nothing and nothing is sent."""
    with RunningSandbox(SandboxConfig(tokens=("another",))) as crm:
        status, _out, err = give(*options_for(crm, tmp_path), "--ask", "all", typed="demo\n")
        assert (status, crm.posts) == (5, 0)
    assert "fault" in err
