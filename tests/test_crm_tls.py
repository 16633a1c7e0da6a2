"""What TLS does to an attempt: a broken stream, a certificate that proves nothing, a handshake without end."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
import trustme
from scripted_crm import Script, ScriptedCrm, Talk, answering, created, http

from importer.crm import Crm
from importer.errors import ConnectionRefused, SettingsError
from importer.model import Outcome, Pause, Payload, Target, Verdict

OK = http(200, created())
PAST = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """Make an authority that the client is to trust."""
    return trustme.CA()


@pytest.fixture(scope="module")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write that authority's certificate where `--ca-file` would point."""
    path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    """Return the server's side of TLS with a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def payload(length: int = 2000) -> Payload:
    """Return a payload of that many bytes in chunks of 1,000."""
    return Payload("WCI-0000000000000000", length, lambda: iter([b"x" * 1000] * (length // 1000)))


def client(server: ScriptedCrm, ca_file: Path | None = None, *, deadline: float = 20) -> Crm:
    """Return a client that reaches a scripted server by https, whatever that speaks."""
    return Crm(Target(f"https://localhost:{server.port}", "demo", "canary-token", ca_file=ca_file), deadline=deadline)


def create(script: Script, authority: trustme.CA, ca_file: Path, body: Payload) -> tuple[Outcome, ScriptedCrm]:
    """Send one payload to a TLS server that follows the script."""
    tls = serving(authority.issue_cert("localhost"))
    with ScriptedCrm(script, tls=tls) as server, client(server, ca_file) as crm:
        outcome = crm.create(body)
    return outcome, server


def test_o20_cases_are_created_over_tls_each_on_a_connection_of_its_own(authority: trustme.CA, ca_file: Path) -> None:
    """A certificate of the named authority is accepted."""
    tls = serving(authority.issue_cert("localhost"))
    with ScriptedCrm(answering(OK), tls=tls) as server, client(server, ca_file) as crm:
        assert [crm.create(payload()).verdict for _number in range(2)] == [Verdict.CREATED] * 2
    assert server.connections == 2


def test_o5_a_tls_stream_broken_after_the_body_is_unknown_and_one_post(authority: trustme.CA, ca_file: Path) -> None:
    """Garbage instead of a TLS record ends the attempt, and nothing is sent again."""

    def break_stream(talk: Talk) -> None:
        talk.request()
        socket.socket.sendall(talk.sock, b"this is no TLS record at all" * 10)
        talk.until_hangup()

    outcome, server = create(break_stream, authority, ca_file, payload())
    assert (outcome.verdict, outcome.bytes_sent) == (Verdict.UNKNOWN, 2000)
    assert (len(server.requests), server.connections) == (1, 1)


def test_o4_a_tls_connection_reset_in_the_upload_is_proof(authority: trustme.CA, ca_file: Path) -> None:
    """Fewer bytes than announced went into the TLS layer."""

    def half(talk: Talk) -> None:
        talk.body(talk.head(), 1_000_000)
        talk.reset()

    outcome, _server = create(half, authority, ca_file, payload(50_000_000))
    assert outcome.verdict is Verdict.NOT_DELIVERED


def test_an_early_answer_is_read_through_tls(authority: trustme.CA, ca_file: Path) -> None:
    """The verdict is there although the upload could not be finished."""

    def early(talk: Talk) -> None:
        talk.body(talk.head(), 1_000_000)
        talk.send(http(401, {"code": 401, "error": "PLEASE VALIDATE TOKEN"}))
        talk.reset()

    outcome, _server = create(early, authority, ca_file, payload(50_000_000))
    assert (outcome.verdict, outcome.pause) == (Verdict.NOT_DELIVERED, Pause.CREDENTIALS)


CERTIFICATES: dict[str, Callable[[trustme.CA], trustme.LeafCert]] = {
    "expired": lambda authority: authority.issue_cert(
        "localhost", not_before=PAST, not_after=PAST + dt.timedelta(days=1)
    ),
    "self-signed": lambda _authority: trustme.CA().issue_cert("localhost"),
    "wrong host": lambda authority: authority.issue_cert("crm0002.wolkvox.com"),
}


@pytest.mark.parametrize("fault", CERTIFICATES)
def test_x4_no_byte_goes_to_a_server_with_a_wrong_certificate(fault: str, authority: trustme.CA, ca_file: Path) -> None:
    """Expired, of an unknown authority, or of another host: a person is asked, and nothing was sent."""
    tls = serving(CERTIFICATES[fault](authority))
    with ScriptedCrm(answering(OK), tls=tls) as server, client(server, ca_file) as crm:
        outcome = crm.create(payload())
        with pytest.raises(ConnectionRefused, match="certificate"):
            crm.token_information()
        assert crm.calls == 0
    assert (outcome.verdict, outcome.pause) == (Verdict.NOT_DELIVERED, Pause.CERTIFICATE)
    assert (server.requests, outcome.bytes_sent) == ([], 0)


def test_x4_who_names_authorities_trusts_no_other(
    authority: trustme.CA, ca_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that the usual authorities would vouch for is as foreign as any."""
    usual = trustme.CA()
    usual.cert_pem.write_to_path(str(tmp_path / "usual.pem"))
    monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(tmp_path / "usual.pem"))
    foreign, own = (serving(who.issue_cert("localhost")) for who in (usual, authority))
    with ScriptedCrm(answering(OK), tls=own) as server, client(server, ca_file) as crm:
        assert crm.create(payload()).verdict is Verdict.CREATED
        with ScriptedCrm(answering(OK), tls=foreign) as other, client(other, ca_file) as misled:
            assert misled.create(payload()).pause is Pause.CERTIFICATE


def test_a_handshake_without_end_is_ended_by_the_deadline() -> None:
    """The deadline holds from the first packet on, and nothing was sent."""
    with ScriptedCrm(Talk.ignore) as server, client(server, deadline=0.3) as crm:
        outcome = crm.create(payload())
    assert (outcome.verdict, outcome.pause) == (Verdict.NOT_DELIVERED, Pause.UNREACHABLE)


def test_a_server_that_speaks_no_tls_is_unreachable() -> None:
    """Plain HTTP where TLS was asked for gets nothing but the beginning of a handshake."""

    def plain(talk: Talk) -> None:
        talk.send(OK)
        talk.until_hangup()

    with ScriptedCrm(plain) as server, client(server) as crm:
        outcome = crm.create(payload())
    assert (outcome.verdict, server.requests) == (Verdict.NOT_DELIVERED, [])


def test_a_case_goes_through_a_proxys_tunnel_without_showing_it_the_token(authority: trustme.CA, ca_file: Path) -> None:
    """The proxy sees the host's name and TLS, nothing else."""
    inner = serving(authority.issue_cert("crm.example"))

    def tunnel(talk: Talk) -> None:
        talk.head()
        talk.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with inner.wrap_socket(talk.sock, server_side=True) as secured:
            answering(OK)(Talk(secured, talk.server))

    with ScriptedCrm(tunnel) as proxy:
        target = Target("https://crm.example", "demo", "canary-token", f"http://localhost:{proxy.port}", ca_file)
        with Crm(target, deadline=20) as crm:
            assert crm.create(payload()).verdict is Verdict.CREATED
    connect, post = proxy.requests
    assert connect.head.startswith("CONNECT crm.example:443 HTTP/1.")
    assert "canary-token" not in connect.head
    assert post.header("Wolkvox-Token") == "canary-token"


@pytest.mark.parametrize(("holds", "sent"), [(0, None), (1, 1000)])
def test_o27_a_lease_that_ended_while_tls_was_negotiated_sends_nothing(
    holds: int, sent: int | None, authority: trustme.CA, ca_file: Path
) -> None:
    """The proxy's tunnel is open and the certificate is accepted, but the request does not follow, or not all of it."""
    inner = serving(authority.issue_cert("crm.example"))

    def tunnel(talk: Talk) -> None:
        talk.head()
        talk.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        with inner.wrap_socket(talk.sock, server_side=True) as secured:
            answering(OK)(Talk(secured, talk.server))

    answers = iter([True] * holds)
    with ScriptedCrm(tunnel) as proxy:
        target = Target("https://crm.example", "demo", "canary-token", f"http://localhost:{proxy.port}", ca_file)
        with Crm(target, deadline=20) as crm:
            outcome = crm.create(payload(2000), lambda: next(answers, False))
            assert proxy.hung_up.wait(10)
            assert crm.calls == holds
    assert outcome.verdict is Verdict.NOT_DELIVERED
    assert "lease" in outcome.message
    assert [len(asked.body) for asked in proxy.requests] == ([0] if sent is None else [0, sent])


def test_the_usual_authorities_are_read_where_something_is_encrypted(monkeypatch: pytest.MonkeyPatch) -> None:
    """To a simulated CRM without TLS nothing is checked, unless its proxy is reached by TLS."""
    monkeypatch.setattr("importer.crm.transport.USUAL_AUTHORITIES", "/no/such/file")
    Crm(Target("http://127.0.0.1:1", "demo", "t"))
    for target in (
        Target("https://crm.example", "demo", "t"),
        Target("http://127.0.0.1:1", "demo", "t", "https://p:1"),
    ):
        with pytest.raises(FileNotFoundError):
            Crm(target)


def test_a_file_of_authorities_that_is_none_is_said_at_once(tmp_path: Path) -> None:
    """The file is named before anything is sent."""
    path = tmp_path / "ca.pem"
    path.write_text("no certificate", encoding="utf-8")
    with pytest.raises(SettingsError, match="no certificates"):
        Crm(Target("https://crm.example", "demo", "t", ca_file=path))
