"""The same rows once more: another process, a lost journal, another name, another host, another day."""

from __future__ import annotations

import sqlite3
import ssl
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from journal_support import SampleJournal
from openpyxl import load_workbook
from passage import Passage
from place_support import ask
from promise_support import (
    Order,
    assert_promise,
    know_the_search,
    select,
    settle_rows,
    states,
    tickets,
    wait_until,
)
from run_support import MAPPING, Give, Office, ticket

from importer.cli.terminal import Terminal
from importer.journal import Journal
from importer.pipeline import run as carry_out
from importer.sandbox import Latency, RunningSandbox, SandboxConfig, Search
from importer.settings import Connection
from importer.system import clock
from importer.workflow.job import Job, load_job
from importer.workflow.jobs.settle_job import ByHand


def run(office: Office, *more: str) -> list[str]:
    """Return the command line of a run with one worker."""
    return office.arguments("run", "--yes", "--json", "--concurrency", "1", *more)


def lose_the_journal(office: Office) -> None:
    """Remove the journal and all files beside it."""
    for file in office.journal.parent.iterdir():
        file.unlink()


# ------------------------------------------------------------------------------------------------ a lost journal


def test_r6_adopted_rows_are_not_sent_again(office: Office, give: Give) -> None:
    """After `adopt` the run makes no POST for what the report has, doubtful rows included, and sends the rest."""
    office.write(tickets(range(1, 6)))
    office.sandbox.inject("html-answer:nth=2")
    assert give(run(office, "--limit", "4")).status == 4
    lose_the_journal(office)
    assert give(run(office)).status == 2
    adopted = give(office.adopt(office.report, "--json"))
    assert (adopted.status, adopted.json["created"], adopted.json["doubtful"]) == (0, 3, 1)
    assert give(office.adopt(office.report)).status == 0  # taking them over twice changes nothing
    office.sandbox.inject()
    result = give(run(office))
    assert (result.status, office.sandbox.posts, result.json["counts"]["changed"]) == (4, 5, 0)
    assert states(office.journal) == {"created": 4, "unknown": 1}
    assert settle_rows(office, office.sandbox.url, ByHand("2", office.sandbox.store.cases[1].wolkvox_id)).status == 0
    assert assert_promise(office) == {"created": 5}


def test_r6_a_conflict_is_adopted_as_one(office: Office, give: Give) -> None:
    """A row in conflict stays in conflict although the report shows an id for it: a person has not decided yet."""
    office.write(tickets([1, 2]))
    give(run(office))
    ask(office.journal, "UPDATE rows SET state = 'conflict' WHERE id = 2")
    assert give(office.arguments("report")).status == 4
    lose_the_journal(office)
    adopted = give(office.adopt(office.report, "--json"))
    assert (adopted.json["created"], adopted.json["doubtful"]) == (1, 1)
    assert states(office.journal) == {"created": 1, "conflict": 1}
    assert give(run(office)).status == 4
    assert office.sandbox.posts == 2


def test_r6_a_report_of_another_import_is_not_adopted(office: Office, give: Give) -> None:
    """References that do not belong to the keys under this import are refused, and the journal learns nothing."""
    office.write(tickets([1, 2]))
    give(run(office))
    lose_the_journal(office)
    office.mapping.write_text(MAPPING.replace("import: office", "import: other"), "utf-8")
    refused = give(office.adopt(office.report))
    assert refused.status == 2
    assert "other" in refused.err
    assert give(run(office)).status == 2
    assert office.sandbox.posts == 2


def test_r6_looking_first_finds_what_exists(office: Office, give: Give) -> None:
    """Without journal and report, `--look-first` asks once for each contact and sends only the missing rows."""
    office.write([*tickets([1, 2]), ticket(3)])
    give(run(office, "--spot-check", "0"))
    lose_the_journal(office)
    know_the_search(office)
    for _case in range(3):  # an answer that is longer than the others shows that those were complete
        body = {"operation": "demo", "contact": "cliente3@example.com", "description": "old", "form": {}}
        office.sandbox.store.add(body, (), "OLD")
    office.report.unlink()
    office.write([*tickets([1, 2, 4]), ticket(3), ticket(5)])
    result = give(run(office, "--look-first", "--quiet-period", "0"))
    assert (result.status, office.sandbox.posts, office.sandbox.calls("query")) == (0, 5, 3)
    assert Counter(case.reference for case in office.sandbox.store.cases if case.reference).most_common(1)[0][1] == 1
    assert states(office.journal) == {"created": 5}


def test_r6_looking_first_stops_where_the_crm_cannot_be_asked(office: Office, give: Give) -> None:
    """A search that is refused proves nothing: no row is sent."""
    with RunningSandbox(SandboxConfig(search=Search(nothing_found="404"))) as terse:
        office.sandbox = terse
        office.write(tickets([1, 2]))
        assert give(run(office, "--look-first")).status == 3
        assert terse.posts == 0


def test_r6_looking_first_needs_a_field_that_was_sent(office: Office, give: Give) -> None:
    """A row without the field by which the CRM is searched, or without its mark, cannot be found: nothing is sent."""
    office.write(tickets([1, 2]))
    for mapping in (f"{MAPPING}search: solution\n", MAPPING.replace("reference: description\n", "")):
        office.mapping.write_text(mapping, "utf-8")
        result = give(run(office, "--look-first"))
        assert (result.status, office.sandbox.posts) == (2, 0)
        assert "`reference`" in result.err


def test_r6_looking_first_trusts_no_full_page(office: Office, give: Give) -> None:
    """If the CRM shows one page of a contact's cases, rows that are not on it are unknown and not sent again."""
    with RunningSandbox(SandboxConfig(search=Search(page_size=2))) as paged:
        office.sandbox = paged
        office.write(tickets([1, 2, 3]))
        give(run(office, "--spot-check", "0"))
        lose_the_journal(office)
        office.report.unlink()
        know_the_search(office, page_size=2)
        assert give(run(office, "--look-first", "--quiet-period", "0")).status == 4
        assert (assert_promise(office), paged.posts) == ({"created": 2, "unknown": 1}, 3)


# ------------------------------------------------------------------------------------------------ who is who


def test_r7_two_runs_at_once_share_the_rows(tmp_path: Path, give: Give, order: Order) -> None:
    """Two processes on one journal and one sheet send every row once between them, and both end in order."""
    with RunningSandbox(latency=Latency(0.02, 0.04)) as sandbox:
        office = Office(tmp_path, sandbox)
        office.write(tickets(range(1, 81)))
        reports = (str(tmp_path / f"{name}.xlsx") for name in ("one", "two"))
        one, two = (office.arguments("run", "--yes", "--report", report) for report in reports)
        with ThreadPoolExecutor(1) as elsewhere:
            other = elsewhere.submit(order, one)
            statuses = {give(two).status, other.result()}
        assert statuses <= {0, 3}, statuses
        assert (assert_promise(office), sandbox.posts) == ({"created": 80}, 80)
        assert len(select(office.journal, "SELECT DISTINCT run_id FROM attempts")) == 2


def test_r7_a_slow_attempt_stays_its_own(office: Office, give: Give, order: Order) -> None:
    """While one run waits for an answer, another neither sends that row nor calls it unknown."""
    office.write(tickets([1, 2, 3]))
    office.sandbox.inject("late-creation:nth=1,wait=1.5")
    with ThreadPoolExecutor(1) as elsewhere:
        slow = elsewhere.submit(order, run(office, "--limit", "1"))
        wait_until(lambda: office.sandbox.posts == 1)
        result = give(run(office, "--report", str(office.folder / "other.xlsx")))
        assert (result.status, result.json["counts"]["sending"], result.json["counts"]["created"]) == (3, 1, 2)
        assert slow.result() == 0
    assert (assert_promise(office), office.sandbox.posts) == ({"created": 3}, 3)


def test_r7_a_lease_begins_once_the_journal_is_ours(tmp_path: Path) -> None:
    """The time that an attempt waits for another process to release the journal is not part of its lease."""
    path, looks = tmp_path / "journal.db", []

    def elapsed() -> float:
        with closing(sqlite3.connect(path, timeout=0)) as other:
            try:
                other.execute("BEGIN IMMEDIATE")
                looks.append("free")
            except sqlite3.OperationalError:
                looks.append("ours")
        return clock.elapsed()

    desk = SampleJournal(path)
    desk.journal.close()
    desk.journal = Journal(path, clock.Clock(elapsed=elapsed))
    desk.plan([1])
    looks.clear()
    assert desk.claim(1)
    assert looks == ["ours"]
    desk.journal.close()


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Create a certificate authority that the client trusts."""
    return trustme.CA()


def test_r10_old_host_new_host_new_token(
    office: Office, give: Give, authority: trustme.CA, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was sent to sv0001.crmvox.com is known at crm0001.wolkvox.com, whatever the token: nothing is sent twice."""

    def certificate(host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(host).configure_cert(context)
        return context

    ca_file = office.folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    office.write(tickets([1, 2, 3]))
    with Passage(office.sandbox.url, certificate) as proxy:
        words = run(office, "--proxy", proxy.url, "--ca-file", str(ca_file))
        words[words.index("--server") + 1] = "sv0001.crmvox.com"
        assert give(words).status == 2  # the first run on a real server needs --first-run
        assert give([*words, "--first-run", "--limit", "2"]).status == 3
        monkeypatch.setenv("WOLKVOX_TOKEN", "another")
        words[words.index("--server") + 1] = "crm0001.wolkvox.com"
        result = give(words)
        assert (result.status, result.json["created_now"], office.sandbox.posts) == (0, 1, 3)
        assert set(proxy.hosts) == {"sv0001.crmvox.com", "crm0001.wolkvox.com"}
    assert assert_promise(office) == {"created": 3}


@pytest.mark.on_both
def test_r11_the_same_import_under_another_name(office: Office, give: Give) -> None:
    """With --same-as, given only once, nothing is sent twice; --new-import creates cases of their own."""
    office.write(tickets([1, 2, 3]))
    give(run(office))
    office.mapping.write_text(MAPPING.replace("import: office", "import: renamed"), "utf-8")
    assert give(run(office)).status == 2
    assert give(run(office, "--same-as", "nobody")).status == 2
    assert give(run(office, "--same-as", "office")).status == 0
    assert give(run(office)).status == 0
    assert office.sandbox.posts == 3
    assert_promise(office)
    office.mapping.write_text(MAPPING.replace("import: office", "import: apart"), "utf-8")
    assert give(run(office, "--new-import")).status == 0
    assert (assert_promise(office), office.sandbox.posts) == ({"created": 6}, 6)


def test_r11_an_imports_name_that_is_used_for_another_file(office: Office, give: Give) -> None:
    """A file whose keys are known and whose cells all differ is refused, and nothing is sent."""
    office.write(ticket(n) for n in range(1, 9))
    give(run(office))
    office.write(ticket(n, Correo="otra@example.com", Detalle="otra cosa", Asunto="otro") for n in range(1, 10))
    result = give(run(office))
    assert (result.status, office.sandbox.posts) == (2, 8)
    assert "--same-as office" in result.err


@pytest.mark.on_both
def test_r14_a_report_given_back_and_then_the_original(office: Office, give: Give) -> None:
    """A faulty row corrected in the report is sent once; the original with its fault still there sends nothing."""
    office.write([ticket(1), ticket(2, Correo="nobody"), ticket(3)])
    assert give(run(office)).status == 1
    workbook = load_workbook(office.report)
    sheet = workbook["Report"]
    column = next(cell.column for cell in sheet[1] if cell.value == "Correo")
    sheet.cell(3, column, "cliente2@example.com")
    workbook.save(office.report)
    workbook.close()
    corrected = give([str(office.report) if word == str(office.source) else word for word in run(office)])
    assert corrected.status == 0, corrected
    assert office.sandbox.posts == 3
    again = give(run(office))
    assert (again.json["counts"]["created"], office.sandbox.posts) == (3, 3)
    assert assert_promise(office) == {"created": 3}


# ------------------------------------------------------------------------------------------------ another day


def test_a_quota_that_is_kept_for_others(office: Office, give: Give) -> None:
    """With --keep-quota N, N calls are left on the token, and the next day's run goes on."""
    with RunningSandbox(SandboxConfig(daily_quota=6)) as small:
        office.sandbox = small
        office.write(tickets(range(1, 6)))
        first = give(run(office, "--keep-quota", "2"))
        assert (first.status, small.posts, small.calls("token"), small.calls("query")) == (3, 2, 1, 1)
        assert "another day" in first.json["next"]
        small.new_day()
        assert give(run(office, "--keep-quota", "2")).status == 0
        assert assert_promise(office) == {"created": 5}


def test_a_quota_is_kept_for_others_while_looking_first(office: Office, give: Give) -> None:
    """The searches of --look-first count too."""
    with RunningSandbox(SandboxConfig(daily_quota=9)) as small:
        office.sandbox = small
        office.write(ticket(n) for n in range(1, 6))
        assert give(run(office, "--keep-quota", "3", "--look-first")).status == 3
        assert (small.posts, small.calls("query"), small.calls("token")) == (2, 2, 1)


def test_a_quota_is_waited_for(office: Office, give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --wait-for-quota one command runs over several days, and every row is one case."""
    days: list[datetime] = []
    with RunningSandbox(SandboxConfig(daily_quota=4)) as small:

        def next_day(_terminal: Terminal, until: datetime) -> None:
            days.append(until)
            small.new_day()

        monkeypatch.setattr(Terminal, "waiting", next_day)
        monkeypatch.setattr(
            "importer.workflow.jobs.executing.now", lambda: datetime.now(UTC) + timedelta(days=2 * len(days))
        )
        office.sandbox = small
        office.write(tickets(range(1, 9)))
        result = give(run(office, "--wait-for-quota"))
        assert (result.status, result.json["created_now"], len(days)) == (0, 8, 2)
        assert assert_promise(office) == {"created": 8}


def test_a_quota_is_waited_for_and_kept_for_others(office: Office, give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    """With both, one command runs over several days and leaves the quota reserve on each of them."""
    left: list[int] = []
    with RunningSandbox(SandboxConfig(daily_quota=6)) as small:

        def next_day(_terminal: Terminal, _until: datetime) -> None:
            calls = sum(map(small.calls, ("insert", "query", "token")))
            left.append(6 - calls + sum(6 - earlier for earlier in left))
            small.new_day()

        monkeypatch.setattr(Terminal, "waiting", next_day)
        monkeypatch.setattr(
            "importer.workflow.jobs.executing.now", lambda: datetime.now(UTC) + timedelta(days=2 * len(left))
        )
        office.sandbox = small
        office.write(tickets(range(1, 9)))
        result = give(run(office, "--wait-for-quota", "--keep-quota", "2", "--limit", "7"))
        assert (result.status, result.json["created_now"]) == (3, 7)
        assert assert_promise(office) == {"created": 7, "planned": 1}
        assert left
        assert min(left) >= 2


def test_a_night_ends_in_time(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --until no row is started after that time: exit status 3, and the rest stays planned."""
    monkeypatch.setenv("WOLKVOX_TOKEN", "any")
    office.write(tickets(range(1, 4)))
    over = datetime.now(UTC) - timedelta(seconds=1)
    where = Connection(office.sandbox.url, "demo")
    finished = carry_out(
        load_job(Job(office.source, office.mapping, where, office.journal, until=over)), Terminal(yes=True)
    )
    assert (finished.exit_status, office.sandbox.posts) == (3, 0)
    assert "--until" in finished.next_step
    assert states(office.journal) == {"planned": 3}


def test_a_rejected_row_goes_again_once_it_is_corrected_or_that_is_asked(office: Office, give: Give) -> None:
    """A rejected row stays rejected until its cells change or --retry-rejected is given."""
    with RunningSandbox(SandboxConfig(contacts=("ana@example.com", "new@example.com"))) as strict:
        office.sandbox = strict
        office.write([*tickets([1]), ticket(2), ticket(3)])
        assert give(run(office)).status == 1
        assert give(run(office)).json["calls"] == 0
        office.write([*tickets([1]), *tickets([2], Correo="new@example.com"), ticket(3)])
        assert give(run(office)).status == 1
        assert strict.posts == 4
        assert give(run(office, "--retry-rejected")).status == 1
        assert strict.posts == 5
        assert assert_promise(office) == {"created": 2, "rejected": 1}
