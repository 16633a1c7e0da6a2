"""One connection for one request: whose answer it is, answers of odd forms, and the lease as a fence."""

from __future__ import annotations

import gzip
import http.client as http_client
import socket
import threading
from collections.abc import Callable, Iterator

import psutil
import pytest
import requests.utils
from requests.adapters import HTTPAdapter
from scripted_crm import Script, ScriptedCrm, Talk, created, http
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util import wait_for_read, wait_for_write

from importer.crm import Crm, connections
from importer.crm.connections import Watch
from importer.model import Outcome, Pause, Payload, Target, Verdict

OK = http(200, created())
BODY = b"x" * 2000


def payload(*chunks: bytes) -> Payload:
    """Return a payload that is given out in these chunks."""
    given = chunks or (BODY[:1000], BODY[1000:])
    return Payload("WCI-0000000000000000", sum(map(len, given)), lambda: iter(given))


def crm(server: ScriptedCrm, *, deadline: float = 20.0) -> Crm:
    """Return the client of a scripted server."""
    return Crm(Target(server.url, "demo", "canary-token"), deadline=deadline)


def create(script: Script, *, deadline: float = 20.0) -> Outcome:
    """Send one payload to a server that follows the script."""
    with ScriptedCrm(script) as server, crm(server, deadline=deadline) as client:
        return client.create(payload())


def saying(*pieces: bytes) -> Script:
    """Return a script that reads a request, says these pieces and waits for the client to hang up."""

    def script(talk: Talk) -> None:
        talk.request()
        for piece in pieces:
            talk.send(piece)
        talk.until_hangup()

    return script


def ours(server: ScriptedCrm) -> int:
    """Return how many sockets of this process lead to a server."""
    return sum(bool(sock.raddr) and sock.raddr.port == server.port for sock in psutil.Process().net_connections("tcp"))


QUOTA = http(200, {"code": "200", "error": "null", "data": {"token_limit": "4800"}})
CALLS: dict[str, tuple[bytes, Callable[[Crm], object]]] = {
    "case": (OK, lambda client: client.create(payload())),
    "quota": (QUOTA, lambda client: client.token_information()),
    "search": (http(200, {"code": 200, "data": []}), lambda client: client.query_cases("email contact", "a@b.co")),
    "probe": (http(200), lambda client: client.probe_connection()),
}


@pytest.mark.parametrize("call", CALLS)
def test_o20_every_call_has_a_connection_of_its_own_which_we_close(call: str) -> None:
    """A server that ignores `Connection: close` and offers to go on is hung up on, and no socket stays open."""
    answer, make = CALLS[call]
    offering = answer.replace(b"\r\n", b"\r\nConnection: keep-alive\r\nKeep-Alive: timeout=600\r\n", 1)
    with ScriptedCrm(saying(offering)) as server, crm(server) as client:
        for number in range(1, 4):
            server.hung_up.clear()
            make(client)
            assert server.hung_up.wait(10)
            assert (server.connections, len(server.requests), ours(server)) == (number, number, 0)
        assert {asked.header("Connection") for asked in server.requests} == {"close"}


def test_o20_a_connection_that_stayed_open_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were one ever given back open, as `http.client` does by itself, the next request would still open its own."""
    monkeypatch.setattr(connections.DeadlineConnection, "response_class", http_client.HTTPResponse)
    with ScriptedCrm(saying(OK)) as server, crm(server) as client:
        assert [client.create(payload()).verdict for _row in range(3)] == [Verdict.CREATED] * 3
    assert (server.connections, len(server.requests)) == (3, 3)


@pytest.mark.parametrize(
    "behind", [http(200, created(99)), b'{"code": 200}', b"\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"]
)
def test_o20_bytes_behind_an_answer_reach_no_other_row(behind: bytes) -> None:
    """An answer that comes twice, or anything else behind it, is never read."""
    scripts = [saying(http(200, created(number)) + behind) for number in range(1, 5)]
    with ScriptedCrm(*scripts) as server, crm(server) as client:
        ids = [client.create(payload()).wolkvox_id for _row in scripts]
    assert ids == ["64cb0001", "64cb0002", "64cb0003", "64cb0004"]


def test_o20_an_answer_that_comes_late_reaches_no_other_row() -> None:
    """It comes when its row was given up: the next row gets only its own answer."""
    late, came = threading.Event(), threading.Event()

    def answers_late(talk: Talk) -> None:
        talk.request()
        late.wait(20)
        try:
            talk.send(http(200, created(1)))
        finally:
            came.set()

    def answers_then(talk: Talk) -> None:
        talk.request()
        late.set()
        came.wait(20)
        talk.send(http(200, created(2)))
        talk.until_hangup()

    with ScriptedCrm(answers_late, answers_then) as server, crm(server, deadline=0.5) as client:
        first = client.create(payload())
        with crm(server) as patient:
            second = patient.create(payload())
    assert (first.verdict, first.wolkvox_id) == (Verdict.UNKNOWN, None)
    assert (second.verdict, second.wolkvox_id) == (Verdict.CREATED, "64cb0002")


@pytest.mark.parametrize(
    ("says", "message"), [(OK, "before it was asked"), (b"", "hung up")], ids=["an answer", "a hang-up"]
)
def test_o20_what_comes_before_the_request_is_no_answer_to_it(
    says: bytes, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is sent then, and so there is no case."""
    hold = Watch.hold

    def hold_once_it_came(watch: Watch, opened: socket.socket) -> None:
        wait_for_read(opened, timeout=10)
        hold(watch, opened)

    def early(talk: Talk) -> None:
        talk.send(says)
        if says:
            talk.request()

    monkeypatch.setattr(Watch, "hold", hold_once_it_came)
    with ScriptedCrm(early) as server, crm(server) as client:
        outcome = client.create(payload())
        assert (client.calls, server.requests) == (0, [])
    assert (outcome.verdict, outcome.pause, outcome.bytes_sent) == (Verdict.NOT_DELIVERED, Pause.UNREACHABLE, 0)
    assert message in outcome.message


def interim(status: int) -> bytes:
    """Return an answer that only announces one."""
    return b"HTTP/1.1 %d Soon\r\nLink: </style.css>; rel=preload\r\n\r\n" % status


@pytest.mark.parametrize(
    "statuses", [[100], [102], [103], [199], [100, 102, 103, 100], [103] * 20, [100] * 20], ids=str
)
def test_o20_interim_answers_are_read_past(statuses: list[int]) -> None:
    """The answer is the one behind them, be they one or twenty, in one piece with it or not."""
    announced = [interim(status) for status in statuses]
    for pieces in ([*announced, OK], [b"".join(announced) + OK]):
        outcome = create(saying(*pieces))
        assert (outcome.verdict, outcome.wolkvox_id, outcome.http_status) == (Verdict.CREATED, "64cb0001", 200)


@pytest.mark.parametrize("status", [100, 103])
def test_o20_interim_answers_without_end_are_no_answer(status: int) -> None:
    """The deadline is not waited for, however fast they come."""
    assert create(saying(interim(status) * 21 + OK)).verdict is Verdict.UNKNOWN

    def flood(talk: Talk) -> None:
        talk.request()
        while True:
            talk.send(interim(status))

    assert create(flood).verdict is Verdict.UNKNOWN


def test_o20_a_change_of_protocol_is_unknown() -> None:
    """Whatever follows 101 is not HTTP, even where it looks like it."""
    outcome = create(saying(interim(101) + OK))
    assert (outcome.verdict, outcome.http_status, outcome.wolkvox_id) == (Verdict.UNKNOWN, 101, None)


def test_o20_interim_answers_and_then_the_end_are_no_answer() -> None:
    """A server that sends an interim answer and hangs up leaves open what became of the case."""

    def announce(talk: Talk) -> None:
        talk.request()
        talk.send(interim(102))

    assert create(announce).verdict is Verdict.UNKNOWN


def test_o26_a_server_that_hangs_up_right_after_each_answer_makes_nothing_unknown() -> None:
    """Twenty rows, twenty connections, twenty cases."""

    def once(talk: Talk) -> None:
        talk.request()
        talk.send(OK)

    with ScriptedCrm(once) as server, crm(server) as client:
        assert [client.create(payload()).verdict for _row in range(20)] == [Verdict.CREATED] * 20
    assert (server.connections, len(server.requests)) == (20, 20)


CASE = OK.partition(b"\r\n\r\n")[2]
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
LENGTH = b"Content-Length: %d\r\n" % len(CASE)
PACKED = gzip.compress(CASE)
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n6\r\n" + CASE[:6] + b"\r\n%x\r\n" % (len(CASE) - 6) + CASE[6:]
FORMS = {
    "head in two pieces": (HEAD[:30], HEAD[30:] + LENGTH + b"\r\n" + CASE),
    "body in pieces": (HEAD + LENGTH + b"\r\n", CASE[:2], CASE[2:7], CASE[7:]),
    "chunks": (CHUNKED + b"\r\n0\r\n\r\n",),
    "lines without a carriage return": ((HEAD + LENGTH + b"\r\n").replace(b"\r", b"") + CASE,),
    "a header that goes on in the next line": (HEAD + b"X-Long: a\r\n b\r\n" + LENGTH + b"\r\n" + CASE,),
    "a name twice": (HEAD + b"Set-Cookie: a\r\nSet-Cookie: b\r\n" + LENGTH + b"\r\n" + CASE,),
    "the same length twice": (HEAD + 2 * LENGTH + b"\r\n" + CASE,),
    "no reason": (HEAD.replace(b" OK", b"") + LENGTH + b"\r\n" + CASE,),
    "HTTP/1.0": (HEAD.replace(b"1.1", b"1.0") + LENGTH + b"\r\n" + CASE,),
    "compressed": (HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(PACKED) + PACKED,),
}


@pytest.mark.parametrize("pieces", FORMS.values(), ids=FORMS)
def test_an_answer_of_any_form_that_http_allows_is_read_whole(pieces: tuple[bytes, ...]) -> None:
    """However it is written and however it arrives; nothing is waited for behind it."""
    outcome = create(saying(*pieces))
    assert (outcome.verdict, outcome.wolkvox_id) == (Verdict.CREATED, "64cb0001")


CUT = {
    "until the end of the connection": HEAD + b"\r\n" + CASE,
    "less than was announced": HEAD + LENGTH.replace(b": ", b": 9") + b"\r\n" + CASE,
    "chunks without an end": CHUNKED + b"\r\n",
    "a last chunk that is cut": CHUNKED.replace(b"\r\n%x" % (len(CASE) - 6), b"\r\nfff"),
}


@pytest.mark.parametrize("end", ["hang-up", "silence"])
@pytest.mark.parametrize("answer", CUT.values(), ids=CUT)
def test_an_id_in_a_body_that_does_not_end_is_kept(answer: bytes, end: str) -> None:
    """The server hangs up, or says nothing more until the deadline: what arrived is judged."""

    def cut(talk: Talk) -> None:
        talk.request()
        talk.send(answer)
        if end == "silence":
            talk.until_hangup()

    outcome = create(cut, deadline=0.7)
    assert (outcome.verdict, outcome.wolkvox_id) == (Verdict.CREATED, "64cb0001")


@pytest.mark.parametrize("head", [b"HTTP/1.1 429", b"HTTP/1.1 429 Busy\r\n", b"HTTP/1.1 401 No\r\nServer: x\r\n"])
def test_o7_a_head_that_breaks_off_is_no_answer(head: bytes) -> None:
    """It is unknown what would have followed, so the beginning of a refusal proves nothing."""

    def cut(talk: Talk) -> None:
        talk.request()
        talk.send(head)

    outcome = create(cut)
    assert (outcome.verdict, outcome.http_status, outcome.pause) == (Verdict.UNKNOWN, None, None)
    assert "hung up" in outcome.message


@pytest.mark.parametrize("status", [204, 304])
def test_an_answer_without_a_body_ends_with_its_head(status: int) -> None:
    """Whatever length it names, nothing is waited for."""
    outcome = create(saying(b"HTTP/1.1 %d No\r\nContent-Length: 13\r\n\r\n" % status))
    assert (outcome.verdict, outcome.http_status) == (Verdict.UNKNOWN, status)


@pytest.mark.parametrize("location", ["http://[::1", "//", "http://x:99999999/", "\xff"])
def test_o6_a_redirect_to_no_address_is_a_redirect(location: str) -> None:
    """It is not followed, and so need not be valid."""
    answer = b"HTTP/1.1 307 There\r\nContent-Length: 0\r\nLocation: %s\r\n\r\n" % location.encode("latin-1")
    outcome = create(saying(answer))
    assert (outcome.verdict, outcome.pause) == (Verdict.NOT_DELIVERED, Pause.REDIRECT)


def test_the_undocumented_parts_of_libraries_that_are_used_exist() -> None:
    """A release of Python, urllib3 or requests that drops one of them fails here first, by its name."""
    near, far = socket.socketpair()
    with near, far:
        answer = http_client.HTTPResponse(near)
        assert vars(answer).keys() >= {"fp", "headers", "msg", "will_close"}
        answer.close()
    assert callable(http_client.HTTPResponse.begin)
    for connection, pool in ((HTTPConnection, HTTPConnectionPool), (HTTPSConnection, HTTPSConnectionPool)):
        assert {"sock", "response_class"} <= set(dir(connection("localhost")))
        assert pool.ConnectionCls is connection
    assert PoolManager().pool_classes_by_scheme == {"http": HTTPConnectionPool, "https": HTTPSConnectionPool}
    assert {"init_poolmanager", "proxy_manager_for", "cert_verify"} <= set(dir(HTTPAdapter))
    assert callable(requests.Session.get_redirect_target)
    assert callable(requests.utils.get_environ_proxies)
    assert requests.utils.DEFAULT_CA_BUNDLE_PATH


class Lease:
    """A lease that holds for the first `holds` questions, and notes in `events` when it was asked."""

    def __init__(self, holds: int, events: list[str] | None = None) -> None:
        self.left, self.events = holds, [] if events is None else events

    def __call__(self) -> bool:
        """Answer whether it holds."""
        self.events.append("asked")
        self.left -= 1
        return self.left >= 0


def read_all(talk: Talk) -> None:
    """Read a request as far as it comes; answer it where it is whole."""
    talk.request()
    talk.send(OK)
    talk.until_hangup()


def test_o27_a_lease_that_ended_before_the_first_byte_sends_nothing() -> None:
    """Not even the head of the request; the connection is closed, and it does not count as a call."""
    with ScriptedCrm(Talk.until_hangup) as server, crm(server) as client:
        outcome = client.create(payload(), Lease(0))
        assert server.hung_up.wait(10)
        assert (client.calls, ours(server)) == (0, 0)
    assert (outcome.verdict, outcome.pause, outcome.bytes_sent) == (Verdict.NOT_DELIVERED, None, 0)
    assert "lease" in outcome.message
    assert server.received == 0


@pytest.mark.parametrize(
    "chunks", [(BODY[:1000], BODY[1000:]), (BODY,), (b"{}",), (BODY, b""), (b"x" * 5000, b"y")], ids=len
)
def test_o27_a_lease_that_ended_during_the_upload_keeps_the_last_bytes(chunks: tuple[bytes, ...]) -> None:
    """The server gets less than was announced, so that it cannot make a case; bodies of one chunk are no exception."""
    lease = Lease(1)
    with ScriptedCrm(read_all) as server, crm(server) as client:
        outcome = client.create(payload(*chunks), lease)
        assert server.hung_up.wait(10)
    (asked,) = server.requests
    assert len(asked.body) == outcome.bytes_sent < asked.length
    assert (outcome.verdict, outcome.pause) == (Verdict.NOT_DELIVERED, None)
    assert "lease" in outcome.message
    assert lease.events == ["asked"] * 2


def test_o27_the_lease_is_asked_when_nothing_but_the_call_that_sends_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """After connecting, and after the last chunk was made: neither may take longer than the lease."""
    events: list[str] = []
    connect = connections.PlainConnection.connect

    def noted(connection: connections.PlainConnection) -> None:
        connect(connection)
        events.append("connected")

    def chunks() -> Iterator[bytes]:
        for number in (1, 2, 3):
            events.append(f"chunk {number}")
            yield b"x" * 1000

    monkeypatch.setattr(connections.PlainConnection, "connect", noted)
    with ScriptedCrm(read_all) as server, crm(server) as client:
        assert client.create(Payload("WCI-0", 3000, chunks), Lease(2, events)).verdict is Verdict.CREATED
    assert events == ["connected", "asked", "chunk 1", "chunk 2", "chunk 3", "asked"]


def test_o27_a_chunk_that_waited_for_the_server_longer_than_the_lease_is_not_finished() -> None:
    """The last chunk may be large, and the server slow: its last bytes are asked about when there is room for them."""
    may_read, begun = threading.Event(), threading.Event()

    def slow(talk: Talk) -> None:
        asked = talk.head()
        begun.set()
        may_read.wait(20)
        talk.body(asked)
        talk.send(OK)

    leases = iter([True])
    with ScriptedCrm(slow) as server, crm(server) as client:
        outcomes: list[Outcome] = []
        large = payload(b"x" * 50_000_000)
        thread = threading.Thread(target=lambda: outcomes.append(client.create(large, lambda: next(leases, False))))
        thread.start()
        assert begun.wait(10)
        may_read.set()
        thread.join()
        assert server.hung_up.wait(10)
    assert outcomes[0].verdict is Verdict.NOT_DELIVERED
    assert 49_000_000 < len(server.requests[0].body) == outcomes[0].bytes_sent < 50_000_000


def test_o27_the_lease_is_not_asked_while_nothing_can_be_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its answer would be old by the time that the server reads on: a stalled upload ends without it."""
    monkeypatch.setattr(connections, "STALL_LIMIT", 0.2)
    lease = Lease(1)
    watch = Watch(60, lease)
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.create_connection(listener.getsockname()) as near,
        listener.accept()[0] as far,
    ):
        near.settimeout(0)
        far.settimeout(0)
        watch.hold(near)
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)  # else the system makes it larger as it fills
        while wait_for_write(near, timeout=0.2):
            near.send(bytes(65536))
        with pytest.raises(TimeoutError):
            watch.allow_sending()
        assert lease.events == []
        while not wait_for_write(near, timeout=0):
            far.recv(1_000_000)
        watch.allow_sending()
        watch.release()
    assert lease.events == ["asked"]
