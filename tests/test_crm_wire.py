"""Answers as they come off a socket: the plain one that is read at once, and all that HTTP allows besides."""

from __future__ import annotations

import gzip
import socket

import pytest
from scripted_crm import created, http

from importer.crm import wire
from importer.crm.wire import Reply, receive

BODY = b'{"code": 200}'
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
LENGTH = b"Content-Length: 13\r\n"


def read(*pieces: bytes, method: str = "POST", limit: int = 1000) -> Reply:
    """Return what is read of an answer that arrives in these pieces, each once the one before it was looked at."""
    arriving = iter(pieces)

    class Line:
        def recv(self, _size: int) -> bytes:
            return next(arriving, b"")

        def recv_into(self, buffer: memoryview) -> int:
            piece = self.recv(len(buffer))
            buffer[: len(piece)] = piece
            return len(piece)

    return receive(Line(), method, limit)  # type: ignore[arg-type]


def test_a_plain_answer_leaves_the_connection_to_the_next_request() -> None:
    """Status, headers by names in lower case, and the body; the connection goes on."""
    assert read(HEAD + LENGTH + b"\r\n" + BODY) == Reply(
        200, {"content-type": "application/json", "content-length": "13"}, BODY, last=False
    )


PIECES = {
    "head in two pieces": (HEAD[:30], HEAD[30:] + LENGTH + b"\r\n" + BODY),
    "body behind its head": (HEAD + LENGTH + b"\r\n", BODY),
    "body in pieces": (HEAD + LENGTH + b"\r\n" + BODY[:2], BODY[2:7], BODY[7:]),
    "announced by 100": (b"HTTP/1.1 100 Continue\r\n\r\n" + HEAD + LENGTH + b"\r\n" + BODY,),
    "chunks": (
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n6\r\n" + BODY[:6] + b"\r\n7\r\n" + BODY[6:] + b"\r\n0\r\n\r\n",
    ),
    "lines without a carriage return": ((HEAD + LENGTH + b"\r\n").replace(b"\r", b"") + BODY,),
    "a header that goes on in the next line": (HEAD + b"X-Long: a\r\n b\r\n" + LENGTH + b"\r\n" + BODY,),
    "a name twice": (HEAD + b"Set-Cookie: a\r\nSet-Cookie: b\r\n" + LENGTH + b"\r\n" + BODY,),
    "the same length twice": (HEAD + 2 * LENGTH + b"\r\n" + BODY,),
    "no reason": (HEAD.replace(b" OK", b"") + LENGTH + b"\r\n" + BODY,),
}


@pytest.mark.parametrize("pieces", PIECES.values(), ids=PIECES)
def test_an_answer_of_any_other_form_is_read_whole(pieces: tuple[bytes, ...]) -> None:
    """What HTTP allows is understood, however it arrives, and the connection goes on."""
    reply = read(*pieces)
    assert (reply.status, reply.body, reply.last) == (200, BODY, False)
    assert reply.headers["content-type"] == "application/json"


LAST = {
    "until the end of the connection": HEAD + b"\r\n" + BODY,
    "HTTP/1.0": HEAD.replace(b"1.1", b"1.0") + LENGTH + b"\r\n" + BODY,
    "said so": HEAD + b"Connection: Close\r\n" + LENGTH + b"\r\n" + BODY,
    "cut": HEAD + b"Content-Length: 14\r\n\r\n" + BODY,
    "chunks without an end": HEAD + b"Transfer-Encoding: chunked\r\n\r\nd\r\n" + BODY + b"\r\n",
    "more than was announced": HEAD + LENGTH + b"\r\n" + BODY + b"HTTP/1.1 200 OK\r\n",
}


@pytest.mark.parametrize("answer", LAST.values(), ids=LAST)
def test_a_connection_that_ends_or_is_out_of_step_is_not_used_again(answer: bytes) -> None:
    """What has arrived is read all the same; nothing behind it can pass for the next answer."""
    reply = read(answer)
    assert (reply.status, reply.body, reply.last) == (200, BODY, True)


def test_a_compressed_answer_is_unpacked() -> None:
    """Although none is asked for."""
    packed = gzip.compress(BODY)
    head = HEAD + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    assert read(head + packed).body == BODY


@pytest.mark.parametrize(("status", "method"), [(204, "POST"), (304, "GET"), (200, "HEAD")])
def test_an_answer_without_a_body_ends_with_its_head(status: int, method: str) -> None:
    """Whatever length it names, nothing is waited for."""
    reply = read(b"HTTP/1.1 %d OK\r\nContent-Length: 13\r\n\r\n" % status, method=method)
    assert (reply.status, reply.body, reply.last) == (status, b"", False)


def test_no_more_is_read_than_is_wanted() -> None:
    """An answer beyond the limit is cut there, and its connection given up."""
    reply = read(http(200, b"x" * 5000), limit=100)
    assert (reply.body, reply.last) == (b"x" * 100, True)


@pytest.mark.parametrize("answer", [http(200, created()), http(403, "no", Retry_After="5"), http(500, "")])
def test_both_ways_read_the_same(answer: bytes) -> None:
    """The plain way is a short cut, and nothing else."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert wire._by_urllib3(wire._Arriving(answer, ours), "POST", 1000) == read(answer)


def test_a_line_that_breaks_behind_the_head_leaves_what_has_arrived() -> None:
    """The status counts, and half a body is judged as such."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(0.05)
        theirs.sendall(HEAD + LENGTH + b"\r\n" + BODY[:5])
        assert receive(ours, "POST", 1000).body == BODY[:5]
