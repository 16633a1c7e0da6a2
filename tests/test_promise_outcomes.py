"""Whole runs against a CRM that misbehaves: the outcome of the rows, and what the next run does."""

from __future__ import annotations

import json
import re
import socket
import ssl
import time
from collections import Counter
from email.utils import formatdate
from typing import Literal

import pytest
import trustme
from promise_support import assert_promise, end_leases, impatient, know_the_search, states, tickets, wait_until
from run_support import MAPPING, Give, Office, Result
from scripted_crm import Script, ScriptedCrm, Talk, created, http

from importer.crm import connections
from importer.sandbox import RunningSandbox, SandboxConfig, Search

AT_ONCE = ("--quiet-period", "0")


def run(office: Office, *more: str) -> list[str]:
    """Return the command line of a run with one worker, so that faults hit the intended rows.

    Nobody here reads the report; as CSV it takes little time.
    """
    report = str(office.folder / "r.csv")
    return office.arguments("run", "--yes", "--json", "--concurrency", "1", "--report", report, *more)


@pytest.mark.on_both
def test_o2_a_case_that_comes_late_is_one_case(office: Office, give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeated at once, and once more: no second POST before the quiet period; the case is then found by search."""
    impatient(monkeypatch, 0.3)
    office.write(tickets([1, 2, 3]))
    office.sandbox.inject("late-creation:nth=2,wait=0.6")
    assert give(run(office, "--spot-check", "0")).status == 4
    for more in ((), AT_ONCE):  # neither the usual quiet period nor the lease is over
        again = give(run(office, *more))
        assert (again.status, again.json["counts"]["unknown"], office.sandbox.posts) == (4, 1, 3)
    assert office.sandbox.calls("query") == 0
    wait_until(lambda: len(office.sandbox.store.cases) == 3)
    end_leases(office.journal)
    settled = give(run(office, *AT_ONCE))
    assert (settled.status, settled.json["counts"]["created"], office.sandbox.posts) == (0, 3, 3)
    assert assert_promise(office) == {"created": 3}


TELLING_NOTHING = (
    "timeout-after-creating:nth={}",
    "closed-after-creating:nth={}",
    "dripping-answer:nth={},pause=0.1",
    "cut-answer:nth={}",
    "cut-json:nth={}",
    "html-answer:nth={}",
    "blank-ids:nth={}",
    *("server-error-after-creating:nth={},status=" + status for status in ("500", "502", "503", "504")),
)
"""Answers after which the case may exist, or may not."""


def test_o3_o7_o8_o12_an_answer_that_tells_nothing_is_settled_by_search(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The row is unknown after one POST, is named as such, and is then found by its reference."""
    impatient(monkeypatch, 0.4)
    faults = dict(zip(range(2, 23, 2), TELLING_NOTHING, strict=True))  # several doubts in a row would pause the run
    office.write(tickets(range(1, 24)))
    office.sandbox.inject(*(fault.format(at) for at, fault in faults.items()))
    result = give(run(office))
    assert (result.status, office.sandbox.posts) == (4, 23)
    named = {reason["row"] - 1: reason["status"] for reason in result.json["reasons"]}
    assert {faults.get(at, at): status for at, status in named.items()} == dict.fromkeys(TELLING_NOTHING, "unknown")
    end_leases(office.journal)
    assert give(run(office, *AT_ONCE)).status == 0
    assert (assert_promise(office), office.sandbox.posts) == ({"created": 23}, 23)


@pytest.mark.parametrize("fault", ["reset-upload:nth=2,bytes=25000000", "stalled-upload:nth=2"])
def test_o4_o13_a_body_that_did_not_arrive_is_sent_again(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """A connection that breaks or stalls after half of 50 MB is proof: the same run sends it again."""
    monkeypatch.setattr(connections, "STALL_LIMIT", 1.0)
    office.mapping.write_text(f"{MAPPING}attachments: {{folder: ., columns: [Archivo], max_size: 50MB}}\n", "utf-8")
    (office.folder / "scan.bin").write_bytes(bytes(37_500_000))
    first, second = tickets([1, 2])
    office.write([first | {"Archivo": ""}, second | {"Archivo": "scan.bin"}], [*first, "Archivo"])
    office.sandbox.inject(fault)
    result = give(run(office))
    assert (result.status, office.sandbox.posts) == (0, 3)
    assert assert_promise(office) == {"created": 2}


def test_o5_a_tls_stream_broken_after_the_body(office: Office, give: Give) -> None:
    """One POST and an unknown row, which the next run does not send again."""
    posts: list[int] = []

    def breaking(talk: Talk) -> None:
        while True:
            if "insertAttach" not in talk.request().head:
                talk.send(http(200, {"code": 200, "error": "null", "data": {"available_consumition_options": 100}}))
                continue
            posts.append(1)
            if len(posts) == 2:
                socket.socket.sendall(talk.sock, b"this is no TLS record at all" * 10)
            else:
                talk.send(http(200, created(len(posts))))

    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(office.folder / "ca.pem"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(tls)
    office.write(tickets([1, 2, 3]))
    with ScriptedCrm(breaking, tls=tls) as server:
        words = run(office, "--ca-file", str(office.folder / "ca.pem"))
        words[words.index("--server") + 1] = server.url
        for _time in range(2):
            assert give(words).status == 4
    assert (states(office.journal), len(posts)) == ({"created": 2, "unknown": 1}, 3)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_o6_a_redirect_pauses_the_run(office: Office, give: Give, status: int) -> None:
    """It is not followed: exit status 5 after one POST; the row is planned, or unknown where it may be a case."""
    office.write(tickets(range(1, 5)))
    office.sandbox.inject(f"redirect:nth=2,status={status}")
    result = give(run(office))
    assert (result.status, office.sandbox.posts) == (5, 2)
    assert "--server" in result.json["next"]
    may_exist = {"created": 1, "unknown": 1, "planned": 2}
    assert states(office.journal) == (may_exist if status in {302, 303} else {"created": 1, "planned": 3})


def test_o9_nobody_sends_while_the_crm_asks_for_patience(office: Office, give: Give) -> None:
    """After a 429 the next POST comes after the wait, given in seconds or as a date; nothing is lost."""
    at: list[float] = []

    def busy(talk: Talk) -> None:
        while True:
            asked = talk.request()
            if "insertAttach" not in asked.head:
                talk.send(http(200, {"code": 200, "error": "null", "data": {"available_consumition_options": 100}}))
                continue
            at.append(time.monotonic())
            if len(at) == 1:
                talk.send(http(429, Retry_After="1"))
            elif len(at) == 3:
                date = formatdate(time.time(), usegmt=True)
                talk.send(http(429, Date=date, Retry_After=formatdate(time.time() + 1, usegmt=True)))
            else:
                talk.send(http(200, created(len(at))))

    office.write(tickets([1, 2]))
    with ScriptedCrm(busy) as server:
        words = run(office)
        words[words.index("--server") + 1] = server.url
        assert give(words).status == 0
    assert [gap >= 0.98 for gap in (at[1] - at[0], at[3] - at[2])] == [True, True]
    assert len(at) == 4


def test_o10_a_token_refused_midway_pauses(office: Office, give: Give) -> None:
    """One refusal ends the run with exit status 5; the other rows stay planned, and the same command goes on."""
    office.write(tickets(range(1, 7)))
    for fault, posts, created_so_far in (("unauthorized:nth=3", 3, 2), ("forbidden:nth=2", 5, 3)):
        office.sandbox.inject(fault)
        result = give(run(office))
        assert (result.status, office.sandbox.posts) == (5, posts), fault
        assert "login" in result.json["next"], fault
        assert states(office.journal) == {"created": created_so_far, "planned": 6 - created_so_far}
    office.sandbox.inject()
    assert give(run(office)).status == 0
    assert assert_promise(office) == {"created": 6}


def test_o11_idle_connections_that_are_dropped_do_no_harm(office: Office, give: Give) -> None:
    """A server that hangs up after every answer causes no unknown row."""

    def once(talk: Talk) -> None:
        insert = "insertAttach" in talk.request().head
        numbers.append(1)
        quota = {"code": 200, "error": "null", "data": {"available_consumition_options": 100}}
        talk.send(http(200, created(len(numbers)) if insert else quota))

    numbers: list[int] = []
    office.write(tickets(range(1, 6)))
    with ScriptedCrm(once) as server:
        words = run(office, "--spot-check", "0")
        words[words.index("--server") + 1] = server.url
        result = give(words)
    assert (result.status, result.json["counts"]["created"], len(numbers)) == (0, 5, 6)


def test_o15_a_used_up_quota_pauses_and_says_until_when(office: Office, give: Give) -> None:
    """Exit status 3, the time at which the quota resets, and the same command goes on."""
    office.write(tickets(range(1, 7)))
    for fault, posts, created_so_far in (("quota-exceeded:nth=3", 3, 2), ("quota-exceeded-in-200:nth=2", 5, 3)):
        office.sandbox.inject(fault)
        result = give(run(office))
        assert (result.status, office.sandbox.posts) == (3, posts), fault
        assert re.search(r"The quota resets at about \d{4}-\d\d-\d\d \d\d:\d\d", result.json["next"]), fault
        assert states(office.journal) == {"created": created_so_far, "planned": 6 - created_so_far}
    office.sandbox.inject()
    assert give(run(office)).status == 0
    assert assert_promise(office) == {"created": 6}


@pytest.mark.on_both
def test_o15_simultaneous_requests_are_no_verdict(office: Office, give: Give, monkeypatch: pytest.MonkeyPatch) -> None:
    """A CRM that takes two calls at once gets every row from eight workers: slower, and nothing lost."""
    monkeypatch.setattr("importer.crm.pacing._FIRST_WAIT", 0.1)
    with RunningSandbox(SandboxConfig(simultaneous_requests=2)) as strict:
        office.sandbox = strict
        office.write(tickets(range(1, 13)))
        office.sandbox.inject("simultaneous-requests:every=5")
        result = give(office.arguments("run", "--yes", "--json", "--concurrency", "8"))
        assert assert_promise(office)["unknown"] == 0
        assert result.json["counts"]["created"] + result.json["counts"]["planned"] == 12
        office.sandbox.inject()
        assert give(office.arguments("run", "--yes")).status == 0
        assert assert_promise(office) == {"created": 12}


def test_o16_a_warning_before_the_json_is_no_doubt(office: Office, give: Give) -> None:
    """Answers after a PHP warning, with a code as text, or in an HTTP 200, are understood: every row is created."""
    office.write(tickets(range(1, 7)))
    office.sandbox.inject("php-warning:every=2", "string-code:every=3")
    assert give(run(office)).status == 0
    assert assert_promise(office) == {"created": 6}


def test_o17_one_wrong_owner_in_every_row_stops_after_five(office: Office, give: Give) -> None:
    """Five equal rejections pause the run; once the CRM knows the owner, --retry-rejected sends them all."""
    with RunningSandbox(SandboxConfig(users=("someone@demo",))) as strict:
        office.sandbox = strict
        office.write(tickets(range(1, 9)))
        result = give(run(office))
        assert (result.status, strict.posts) == (3, 5)
        assert states(office.journal) == {"rejected": 5, "planned": 3}
        assert "--retry-rejected" in result.json["next"]
    with RunningSandbox(port=int(office.sandbox.url.rpartition(":")[2])) as mended:
        office.sandbox = mended
        assert give(run(office)).status == 1
        assert mended.posts == 3
        assert give(run(office, "--retry-rejected")).status == 0
        assert assert_promise(office) == {"created": 8}


def test_o17_a_wrong_path_stops_after_one(office: Office, give: Give) -> None:
    """A proxy's 404 page pauses the run at the first row, with exit status 5; nothing is rejected."""
    office.write(tickets(range(1, 9)))
    office.sandbox.inject("proxy-page")
    assert (give(run(office)).status, office.sandbox.posts) == (5, 1)
    assert states(office.journal) == {"planned": 8}


def test_five_doubts_in_a_row_pause(office: Office, give: Give) -> None:
    """A CRM that gives only useless answers gets no more than five rows."""
    office.write(tickets(range(1, 9)))
    office.sandbox.inject("server-error-after-creating")
    result = give(run(office))
    assert (result.status, office.sandbox.posts) == (4, 5)
    assert states(office.journal) == {"unknown": 5, "planned": 3}


QUOTA = http(200, {"code": 200, "error": "null", "data": {"available_consumition_options": 4000}})
BUSY = {"code": 403, "error": "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)"}


def sent_to(script: Script, office: Office, give: Give, *more: str) -> Result:
    """Carry out a run against a server that follows a script."""
    with ScriptedCrm(script) as server:
        words = run(office, "--json", *more)
        words[words.index("--server") + 1] = server.url
        return give(words)


@pytest.mark.parametrize(
    "refusal", [http(429, "", Retry_After="0"), http(429, ""), http(403, BUSY), http(200, BUSY, Retry_After="0")]
)
def test_o26_a_server_that_refuses_every_post_is_left_alone_soon(
    refusal: bytes, office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten refusals in a row pause the run, no row is tried more than four times, and the next step is named."""
    waits: list[float] = []
    monkeypatch.setattr("importer.crm.pacing._FIRST_WAIT", 0.002)
    monkeypatch.setattr("importer.crm.pacing.backoff", lambda times, **_jitter: waits.append(times) or 0.001)
    posts: Counter[str] = Counter()

    def refusing(talk: Talk) -> None:
        while True:
            asked = talk.request()
            if "insertAttach" in asked.head:
                posts[json.loads(asked.body)["description"]] += 1
                talk.send(refusal)
            else:
                talk.send(QUOTA)

    office.write(tickets(range(1, 13)))
    result = sent_to(refusing, office, give, "--concurrency", "2")
    assert result.status == 3
    assert states(office.journal) == {"planned": 12}
    assert 10 <= posts.total() <= 11
    assert max(posts.values()) <= 4
    assert max(waits) >= 9
    assert "times in a row to try again later" in result.json["next"]


def test_o26_a_server_that_resets_every_connection_gets_five_cases(office: Office, give: Give) -> None:
    """Each of them may exist; nothing more is sent."""
    posts: list[str] = []

    def resetting(talk: Talk) -> None:
        while True:
            asked = talk.request()
            if "insertAttach" in asked.head:
                posts.append(asked.head)
                talk.reset()
                return
            talk.send(QUOTA)

    office.write(tickets(range(1, 21)))
    assert sent_to(resetting, office, give, "--concurrency", "1").status == 4
    assert (states(office.journal), len(posts)) == ({"planned": 15, "unknown": 5}, 5)


@pytest.mark.parametrize("nothing_found", ["empty-list", "null", "404"])
def test_o18_a_search_that_never_finds_anything_sends_nothing_again(
    office: Office, give: Give, nothing_found: Literal["empty-list", "null", "404"]
) -> None:
    """A verified search that finds nothing proves nothing while it does not find a case that is known to exist."""
    with RunningSandbox(SandboxConfig(search=Search(nothing_found=nothing_found))) as blind:
        office.sandbox = blind
        office.write(tickets(range(1, 5)))
        know_the_search(office)
        blind.inject("closed-after-creating:nth=2", "search-finds-nothing")
        assert give(run(office, "--spot-check", "0")).status == 4
        end_leases(office.journal)
        assert give(run(office, "--quiet-period", "1")).status == 4
        assert give(office.settle("--quiet-period", "1")).status == 4
        assert (assert_promise(office), blind.posts) == ({"created": 3, "unknown": 1}, 4)
        assert blind.calls("query") == 2
