"""What an attempt comes to when the network or the server misbehaves, over real sockets."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from scripted_crm import Asked, Script, ScriptedCrm, Talk, answering, created, http

from importer.crm import Crm, client, connections, transport
from importer.crm.connections import Watch
from importer.crm.transport import Upload
from importer.errors import AttachmentChanged, ConnectionRefused, ServerUnreachable
from importer.model import Outcome, Pause, Payload, Target, Verdict

OK = http(200, created())


def payload(length: int = 2000, chunk: int = 1000) -> Payload:
    """Return a payload of that many bytes, given out chunk by chunk."""

    def chunks() -> Iterator[bytes]:
        left = length
        while left:
            part = min(chunk, left)
            yield b"x" * part
            left -= part

    return Payload("WCI-0000000000000000", length, chunks)


def big() -> Payload:
    """Return a payload of 50 MB, more than any socket buffers."""
    return payload(50_000_000, 65_536)


def crm(server: ScriptedCrm, *, deadline: float = 20.0) -> Crm:
    """Return the client of a scripted server."""
    return Crm(Target(server.url, "demo", "canary-token"), deadline=deadline)


def create(script: Script, body: Payload | None = None, *, deadline: float = 20.0) -> tuple[Outcome, list[Asked]]:
    """Send one payload to a server that follows the script; return the outcome and what the server saw."""
    with ScriptedCrm(script) as server, crm(server, deadline=deadline) as client_:
        outcome = client_.create(body or payload())
        assert client_.calls == len(server.requests)
    return outcome, server.requests


def test_a_case_is_one_post_with_the_documented_headers_and_the_id_comes_back() -> None:
    """One POST to the documented path, with token, type and exact length, gives the ids of the answer."""
    outcome, (asked,) = create(answering(OK))
    assert outcome == Outcome(
        Verdict.CREATED,
        "Succesfully create record",
        wolkvox_id="64cb0001",
        id_prefijo="CAS-1",
        http_status=200,
        code="200",
        bytes_sent=2000,
        ids=("64cb0001",),
    )
    assert asked.head.startswith("POST /server/API/v2/cases/insertAttach.php HTTP/1.1")
    assert asked.header("Wolkvox-Token") == "canary-token"
    assert asked.header("Content-Type") == "application/json"
    assert asked.header("Accept-Encoding") == "identity"
    assert (asked.header("Content-Length"), asked.header("Transfer-Encoding")) == ("2000", None)
    assert bytes(asked.body) == b"x" * 2000


def test_o3_read_timeout_after_the_body_is_unknown_and_one_post() -> None:
    """A server that takes everything and says nothing leaves the row unknown."""
    outcome, requests = create(Talk.until_hangup_after_request, deadline=1.0)
    assert (outcome.verdict, outcome.pause, outcome.bytes_sent) == (Verdict.UNKNOWN, None, 2000)
    assert len(requests) == 1


def test_o4_reset_at_half_of_a_large_body_is_proof_and_the_row_goes_again() -> None:
    """Fewer bytes than announced cannot be a case; the second attempt makes the only one."""

    def half(talk: Talk) -> None:
        talk.body(talk.head(), 25_000_000)
        talk.reset()

    with ScriptedCrm(half, answering(OK)) as server, crm(server) as client_:
        first, second = client_.create(big()), client_.create(big())
    assert first.verdict is Verdict.NOT_DELIVERED
    assert 25_000_000 <= first.bytes_sent < 50_000_000
    assert second.verdict is Verdict.CREATED
    assert [len(asked.body) for asked in server.requests] == [25_000_000, 50_000_000]


@pytest.mark.parametrize("reset", [True, False])
def test_a_connection_that_ends_after_the_body_is_unknown(reset: bool) -> None:  # noqa: FBT001 - a parameter of pytest
    """All bytes were handed over, so the case may exist."""

    def hang_up(talk: Talk) -> None:
        talk.request()
        if reset:
            talk.reset()

    outcome, requests = create(hang_up)
    assert (outcome.verdict, len(requests)) == (Verdict.UNKNOWN, 1)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_o6_a_redirect_is_not_followed_and_pauses(status: int) -> None:
    """No other server gets the case or the token; a person has to fix the address."""
    with ScriptedCrm(answering(OK)) as elsewhere:
        outcome, requests = create(answering(http(status, Location=elsewhere.url)))
    assert outcome.pause is Pause.REDIRECT
    assert outcome.verdict is (Verdict.NOT_DELIVERED if status in (301, 307, 308) else Verdict.UNKNOWN)
    assert (len(requests), elsewhere.connections) == (1, 0)


def test_o7_a_success_that_is_cut_short_is_unknown() -> None:
    """Half an answer gives no id."""

    def cut(talk: Talk) -> None:
        talk.request()
        talk.send(OK[:-30])

    assert create(cut)[0].verdict is Verdict.UNKNOWN


def test_an_id_that_arrived_is_kept_although_the_connection_broke_behind_it() -> None:
    """A complete JSON object counts even where more bytes were announced."""

    def cut(talk: Talk) -> None:
        talk.request()
        talk.send(OK.replace(b"Content-Length: ", b"Content-Length: 9"))

    assert create(cut)[0].wolkvox_id == "64cb0001"


def test_o10_a_token_refused_midway_pauses_and_creates_nothing() -> None:
    """401 is the CRM's documented refusal of a token."""
    refusal = http(401, {"code": 401, "error": "PLEASE VALIDATE TOKEN", "msg": ""})
    with ScriptedCrm(answering(OK), answering(refusal)) as server, crm(server) as client_:
        assert client_.create(payload()).verdict is Verdict.CREATED
        outcome = client_.create(payload())
    assert (outcome.verdict, outcome.pause) == (Verdict.NOT_DELIVERED, Pause.CREDENTIALS)
    assert outcome.message == "PLEASE VALIDATE TOKEN"


def test_o11_a_server_that_drops_idle_connections_causes_no_unknowns() -> None:
    """A connection that the server has closed meanwhile is not used again."""

    def once(talk: Talk) -> None:
        talk.request()
        talk.send(OK)

    with ScriptedCrm(once) as server, crm(server) as client_:
        for _number in range(3):
            server.hung_up.clear()
            assert client_.create(payload()).verdict is Verdict.CREATED
            assert server.hung_up.wait(10)
    assert (server.connections, len(server.requests)) == (3, 3)


def test_o11_an_idle_connection_is_dropped_before_the_server_drops_it() -> None:
    """Our side closes right after the answer, so that there is none for the server to drop."""
    with ScriptedCrm(answering(OK)) as server, crm(server) as client_:
        for _number in range(2):
            server.hung_up.clear()
            assert client_.create(payload()).verdict is Verdict.CREATED
            assert server.hung_up.wait(10)
    assert server.connections == 2


@pytest.mark.parametrize(
    ("beginning", "status"),
    [(b"HTT", None), (b"HTTP/1.1 200 OK\r\nX-Slow: ", None), (b'HTTP/1.1 200 OK\r\n\r\n{"code": 200, "msg": "', 200)],
    ids=["status line", "headers", "body"],
)
def test_o12_an_answer_that_drips_is_ended_by_the_total_deadline(beginning: bytes, status: int | None) -> None:
    """No single read is slow, and yet the attempt ends."""

    def drip(talk: Talk) -> None:
        talk.request()
        talk.drip(beginning)

    outcome, requests = create(drip, deadline=1.0)
    assert (outcome.verdict, outcome.http_status, len(requests)) == (Verdict.UNKNOWN, status, 1)


def stop_reading(talk: Talk) -> None:
    """Read the head and then nothing more."""
    talk.head()
    talk.ignore()


def test_o13_a_server_that_stops_reading_meets_the_deadline_and_the_row_stays_planned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The upload was not finished, so there is no case."""
    monkeypatch.setattr(client, "_SLOWEST_UPLOAD", 10**12)
    outcome, _requests = create(stop_reading, big(), deadline=0.4)
    assert outcome.verdict is Verdict.NOT_DELIVERED
    assert outcome.bytes_sent < 50_000_000


def test_o13_a_stalled_upload_has_a_limit_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A large body's long deadline is not waited for when nothing moves any more."""
    monkeypatch.setattr(connections, "STALL_LIMIT", 0.2)
    before = time.monotonic()
    outcome, _requests = create(stop_reading, big())
    assert (outcome.verdict, outcome.pause) == (Verdict.NOT_DELIVERED, None)
    assert time.monotonic() - before < 8  # less than the limit for connecting, which does not apply to an upload


@pytest.mark.parametrize(
    ("answer", "verdict", "pause"),
    [
        (http(413, "<html>Request Entity Too Large</html>"), Verdict.REJECTED, None),
        (http(401, {"code": 401, "error": "PLEASE VALIDATE TOKEN"}), Verdict.NOT_DELIVERED, Pause.CREDENTIALS),
        (OK, Verdict.UNKNOWN, None),
        (http(500, "oops"), Verdict.UNKNOWN, None),
    ],
    ids=["too large", "token", "success", "server error"],
)
def test_an_answer_in_the_middle_of_the_upload_is_read(answer: bytes, verdict: Verdict, pause: Pause | None) -> None:
    """It outranks the byte count, except a success, which cannot be one of this body."""

    def early(talk: Talk) -> None:
        talk.body(talk.head(), 100_000)
        talk.send(answer)
        talk.reset()

    outcome, _requests = create(early, big())
    assert (outcome.verdict, outcome.pause) == (verdict, pause)
    assert outcome.bytes_sent < 50_000_000


def test_an_early_answer_is_read_although_the_server_only_stops_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    """The upload stalls, and the verdict is waiting to be read."""
    monkeypatch.setattr(connections, "STALL_LIMIT", 0.2)

    def early(talk: Talk) -> None:
        talk.head()
        talk.send(http(413))
        talk.ignore()

    assert create(early, big())[0].verdict is Verdict.REJECTED


def test_a_connection_with_an_unfinished_upload_is_never_used_again() -> None:
    """What is left of one body would be read as the next request."""

    def early(talk: Talk) -> None:
        talk.head()
        talk.send(http(413))
        talk.reset()

    with ScriptedCrm(early, answering(OK)) as server, crm(server) as client_:
        client_.create(big())
        assert client_.create(payload()).verdict is Verdict.CREATED
    assert server.connections == 2


def test_a_changed_attachment_cuts_the_connection_and_is_raised() -> None:
    """The server gets fewer bytes than it was promised, so it cannot make a case."""

    def chunks() -> Iterator[bytes]:
        yield b"x" * 1000
        raise AttachmentChanged("photo.jpg changed")

    def read_all(talk: Talk) -> None:
        talk.request()

    with ScriptedCrm(read_all) as server, crm(server) as client_:
        with pytest.raises(AttachmentChanged, match="photo"):
            client_.create(Payload("WCI-0", 2000, chunks))
        assert server.hung_up.wait(10)
    assert len(server.requests[0].body) == 1000


@pytest.mark.parametrize("actual", [1999, 2001])
def test_a_body_of_another_length_is_never_finished(actual: int) -> None:
    """Neither too few nor too many bytes can pass for the case that was announced."""
    chunks = payload(actual, 1).chunks

    def read_all(talk: Talk) -> None:
        talk.request()

    with ScriptedCrm(read_all) as server, crm(server) as client_:
        body = Payload("WCI-0", 2000, chunks)
        if actual < 2000:
            with pytest.raises(AttachmentChanged):
                client_.create(body)
        else:
            assert client_.create(body).verdict is Verdict.UNKNOWN
        assert server.hung_up.wait(10)
    assert len(server.requests[0].body) == min(actual, 2000)


def test_a_file_that_cannot_be_read_is_a_changed_attachment_not_a_broken_network() -> None:
    """It is not the network's fault, and no answer is waited for."""

    def chunks() -> Iterator[bytes]:
        yield b"x"
        raise PermissionError("no access")

    with ScriptedCrm(Talk.until_hangup) as server, crm(server) as client_, pytest.raises(AttachmentChanged):
        client_.create(Payload("WCI-0", 2000, chunks))


def test_nothing_listens_is_proof_and_unreachable() -> None:
    """Without a connection there is no case."""
    with ScriptedCrm(answering(OK)) as server:
        pass
    with crm(server) as client_:
        outcome = client_.create(payload())
        assert (outcome.verdict, outcome.pause, outcome.bytes_sent) == (Verdict.NOT_DELIVERED, Pause.UNREACHABLE, 0)
        assert client_.calls == 0
        with pytest.raises(ServerUnreachable):
            client_.token_information()


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Memory stays small whatever the server sends."""
    monkeypatch.setattr(transport, "ANSWER_LIMIT", 10_000)

    def flood(talk: Talk) -> None:
        talk.request()
        talk.send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            talk.send(b" " * 5000)

    before = time.monotonic()
    assert create(flood)[0].verdict is Verdict.UNKNOWN
    assert time.monotonic() - before < 10  # the deadline is not waited for


def test_cookies_and_netrc_are_not_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The token is all that identifies a request."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password secret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    with ScriptedCrm(answering(http(200, created(), Set_Cookie="a=b"))) as server, crm(server) as client_:
        client_.create(payload())
        client_.create(payload())
    assert [asked.header("Cookie") or asked.header("Authorization") for asked in server.requests] == [None, None]


def test_an_environments_proxy_is_not_used_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A simulated CRM on loopback is never reached through a proxy."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert create(answering(OK))[0].verdict is Verdict.CREATED


def test_a_proxy_that_was_named_gets_a_plain_request_with_the_servers_whole_address() -> None:
    """It reads where the request goes, and gets the user name in its own address."""
    with ScriptedCrm(answering(OK)) as proxy:
        target = Target("http://127.0.0.1:1", "demo", "canary-token", proxy=f"http://ana:secret@localhost:{proxy.port}")
        with Crm(target) as client_:
            assert client_.create(payload()).verdict is Verdict.CREATED
    (asked,) = proxy.requests
    assert asked.head.startswith("POST http://127.0.0.1:1/server/API/v2/cases/insertAttach.php HTTP/1.1")
    assert asked.header("Host") == "127.0.0.1:1"
    assert asked.header("Proxy-Authorization") == "Basic YW5hOnNlY3JldA=="


@pytest.mark.parametrize("token", ["line\r\nX-Other: header", "line\nbreak", " blank first"])
def test_a_token_that_is_no_header_is_never_sent(token: str) -> None:
    """It would write headers of its own; there is no connection and no call."""
    with ScriptedCrm(answering(OK)) as server, Crm(Target(server.url, "demo", token)) as client_:
        outcome = client_.create(payload())
        assert (client_.calls, server.connections) == (0, 0)
    assert outcome.verdict is Verdict.NOT_DELIVERED


@pytest.mark.parametrize(("status", "pause"), [(407, Pause.PATH), (403, Pause.PATH), (502, Pause.UNREACHABLE)])
def test_a_proxy_that_refuses_the_tunnel_is_named(status: int, pause: Pause) -> None:
    """Nothing reached the CRM, and the message says who refused."""

    def refuse(talk: Talk) -> None:
        talk.head()
        talk.send(http(status))

    with ScriptedCrm(refuse) as proxy:
        target = Target("https://crm.example", "demo", "canary-token", proxy=f"http://localhost:{proxy.port}")
        with Crm(target) as client_:
            outcome = client_.create(payload())
    assert (outcome.verdict, outcome.pause) == (Verdict.NOT_DELIVERED, pause)
    assert str(status) in outcome.message
    assert "canary-token" not in proxy.requests[0].head


def test_many_threads_share_one_client_and_calls_are_counted() -> None:
    """Every thread gets its own answer, and each POST counts once."""
    with ScriptedCrm(answering(OK)) as server, crm(server) as client_:
        outcomes: list[Outcome] = []
        threads = [threading.Thread(target=lambda: outcomes.append(client_.create(payload()))) for _number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert client_.calls == len(server.requests) == 8
    assert {outcome.verdict for outcome in outcomes} == {Verdict.CREATED}


def test_closing_the_client_ends_what_is_in_flight() -> None:
    """A second Ctrl-C does not wait for the deadline."""
    with ScriptedCrm(Talk.until_hangup_after_request) as server, crm(server) as client_:
        outcomes: list[Outcome] = []
        thread = threading.Thread(target=lambda: outcomes.append(client_.create(payload())))
        thread.start()
        assert server.body_read.wait(10)
        client_.close()
        thread.join()
    assert outcomes[0].verdict is Verdict.UNKNOWN


def test_the_attempts_deadline_grows_with_the_body() -> None:
    """A large body has the time that a slow line needs."""
    with Crm(Target("http://127.0.0.1:1", "demo", "t"), deadline=60) as client_:
        assert client_.attempt_deadline(0) == 60
        assert client_.attempt_deadline(50_000_000) == 60 + 1000


def test_o19_an_upload_ends_when_the_laptop_has_slept_through_its_deadline() -> None:
    """The clock counts the sleep, and nothing more is sent."""
    now = [1000.0]
    watch = Watch(60, clock=lambda: now[0])
    upload = Upload(payload(3000), watch)
    chunks = iter(upload)
    next(chunks)
    now[0] += 3600
    with pytest.raises(TimeoutError):
        next(chunks)
    assert (upload.handed_over, upload.whole) == (1000, False)


@pytest.mark.parametrize("jump", [-86400.0, 86400.0])
def test_o19_no_jump_of_the_wall_clock_cuts_or_extends_an_attempt(jump: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """A computer whose time is set in the middle of an upload keeps to the deadline."""
    truth = time.time
    watch = Watch(60)

    def chunks() -> Iterator[bytes]:
        yield b"x" * 1000
        monkeypatch.setattr(time, "time", lambda: truth() + jump)
        yield b"x" * 1000

    assert create(answering(OK), Payload("WCI-0", 2000, chunks))[0].verdict is Verdict.CREATED
    assert 0 < watch.remaining <= 60


def test_an_answer_that_is_no_http_is_unknown_and_not_quoted() -> None:
    """It may repeat what was sent, before anything could be masked."""

    def garble(talk: Talk) -> None:
        talk.request()
        talk.send(b"contact ana@example.co not found\r\n\r\n")

    outcome, _requests = create(garble)
    assert outcome.verdict is Verdict.UNKNOWN
    assert "ana" not in outcome.message


def test_x3_the_token_and_what_was_sent_are_in_no_log_and_no_message(caplog: pytest.LogCaptureFixture) -> None:
    """At the most talkative level, through a rejection that repeats both, a cut answer and no connection."""
    caplog.set_level("DEBUG")
    secret = "1234567890"
    body = Payload("WCI-0", 10, lambda: iter([secret.encode()]), (secret,))
    rejection = http(400, {"code": 400, "msg": f"contact {secret} with canary-token"})

    def repeat(talk: Talk) -> None:
        talk.drip(b"HTTP/1.1 " + bytes(talk.request().body))

    with ScriptedCrm(answering(rejection), repeat) as server:
        with crm(server, deadline=1.0) as client_:
            outcomes = [client_.create(body)]
            client_.close()
        with crm(server, deadline=1.0) as client_:
            outcomes.append(client_.create(body))
    with crm(server) as client_:
        outcomes.append(client_.create(body))
    shown = caplog.text + "".join(outcome.message for outcome in outcomes)
    assert [outcome.verdict for outcome in outcomes] == [Verdict.REJECTED, Verdict.UNKNOWN, Verdict.NOT_DELIVERED]
    assert "canary" not in shown
    assert secret not in shown


def test_token_information_is_one_get_with_the_operation() -> None:
    """The vendor's names are found; the call counts as one."""
    shown = {"code": "200", "error": "null", "data": {"token_limit": "4800", "token_use_today": 12}}
    with ScriptedCrm(answering(http(200, shown))) as server, crm(server) as client_:
        quota = client_.token_information()
        assert client_.calls == 1
    assert (quota.limit, quota.used, quota.left) == (4800, 12, 4788)
    assert server.requests[0].head.startswith("GET /server/API/v2/token/tokenInformation.php?operation=demo HTTP/1.1")


def test_a_search_sends_one_field_and_returns_the_records() -> None:
    """Whether these are all depends on the size of a page, which the caller knows."""
    answer = http(200, {"code": 200, "error": "null", "data": [{"wolkvox_id": "a"}, {"wolkvox_id": "b"}]})
    with ScriptedCrm(answering(answer)) as server, crm(server) as client_:
        found = client_.query_cases("email contact", "ana@example.co")
    assert (
        bytes(server.requests[0].body) == b'{"operation": "demo", "field": "email contact", "value": "ana@example.co"}'
    )
    assert (len(found.records), found.believed) == (2, True)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (http(401, {"code": 401, "error": "PLEASE VALIDATE TOKEN"}), ConnectionRefused),
        (http(302, Location="http://localhost/login"), ConnectionRefused),
        (http(404, "<html>"), ConnectionRefused),
        (http(502, "<html>"), ServerUnreachable),
        (http(200, "<html>"), ServerUnreachable),
        (http(403, {"code": 403, "msg": "TOKEN LIMIT EXCEEDED"}), ServerUnreachable),
    ],
)
def test_a_question_that_is_not_answered_raises_with_the_right_exit_status(
    answer: bytes, error: type[Exception]
) -> None:
    """What a person must fix and what may pass are different errors; the message has no token."""
    with ScriptedCrm(answering(answer)) as server, crm(server) as client_, pytest.raises(error) as raised:
        client_.query_cases("email contact", "ana@example.co")
    assert "canary" not in str(raised.value)
