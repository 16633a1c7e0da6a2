"""HTTP as this project needs it: a `requests` session that sends once, follows nothing and remembers nothing.

`Transport` is what `Crm` needs of HTTP, so that a test can put another one in its place (`importer.crm.scripted`).
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Protocol

import requests
from requests import RequestException, Response
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError
from urllib3.util.ssl_ import create_urllib3_context

from importer.crm.connections import (
    ATTEMPT,
    USUAL_AUTHORITIES,
    Watch,
    environment_proxies,
    use_deadline_connections,
)
from importer.errors import AttachmentChanged, SettingsError
from importer.messages import _
from importer.model import Payload, Target
from importer.system.causes import reason_of
from importer.system.hosts import is_loopback

ANSWER_LIMIT = 8_000_000  # bytes of an answer that are read: an id may come after a long message
_LAST = 1024  # bytes; so few leave by one system call, right after the lease was asked for
_CONNECT_LIMIT = 10.0  # seconds for each address of the server
_READ_BATCH_SIZE = 65_536
_POOL_SIZE = 64  # connections that are open at the same time without urllib3's warning; none is kept
_HEADERS = {
    "User-Agent": f"python-requests/{requests.__version__}",
    "Accept-Encoding": "identity",
    "Connection": "close",
}


class Upload:
    """A payload's bytes for one attempt.

    Fewer than `len(upload)` bytes in `handed_over` prove that the server cannot have the whole case; so a chunk counts
    from the moment it leaves here, sent or not, and never a byte more than the length is given out. The last bytes
    leave only while the attempt may still send: without them there is no case, however long the upload took.
    """

    def __init__(self, payload: Payload, watch: Watch) -> None:
        self._payload, self._watch = payload, watch
        self.handed_over = 0

    def __len__(self) -> int:
        """Return the body's length in bytes: the request's Content-Length."""
        return self._payload.length

    @property
    def content_type(self) -> str:
        """What the body is written in."""
        return self._payload.content_type

    @property
    def whole(self) -> bool:
        """Whether every byte was handed over."""
        return self.handed_over >= len(self)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the body; raises AttachmentChanged where it is not as checked, and as `Watch.allow_sending` does."""
        for chunk in self._chunks():
            self._watch.check()
            for piece in self._pieces(chunk):
                if self.handed_over + len(piece) == len(self):
                    self._watch.allow_sending()
                self.handed_over += len(piece)
                yield piece

    def _pieces(self, chunk: bytes) -> list[bytes]:
        """Return a chunk in the pieces that leave one by one, none empty: the body's last bytes are one."""
        ends = self.handed_over + len(chunk) == len(self)
        cut = max(len(chunk) - _LAST, 0) if ends else len(chunk)
        return [piece for piece in (chunk[:cut], chunk[cut:]) if piece]

    def _chunks(self) -> Iterator[bytes]:
        """Yield the payload's chunks, up to the length that was announced."""
        given = 0
        try:
            for chunk in self._payload.chunks():
                given += len(chunk)
                if given > len(self):
                    break
                yield chunk
            else:
                if given == len(self):
                    return
        except OSError as error:
            raise AttachmentChanged(
                _("A file could not be read to its end: {reason}", reason=reason_of(error))
            ) from error
        raise AttachmentChanged(_("The files no longer have the size that was checked; check them again"))


@dataclass(frozen=True, slots=True)
class Request:
    """A request to send; its body comes as bytes, or chunk by chunk."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Upload | bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came: status, headers by names in any case, as much of the body as arrived and was wanted."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """The way to a server, safe to use from many threads."""

    def exchange(self, request: Request, watch: Watch, limit: int = ANSWER_LIMIT) -> Reply:
        """Send a request once and return what came back, at most `limit` bytes; raises any of `NETWORK_FAULTS`.

        `watch.connected` is set once the server may have received anything. Call it inside the `Watchdog.watching`
        block of that watch, which releases the connection in any case.
        """

    def close(self) -> None:
        """Drop every connection."""


class HttpTransport:
    """The transport over the network: each request has a connection of its own.

    `trust` says which certificates are accepted, `proxies` are addresses by scheme; the environment is not asked.
    """

    def __init__(self, trust: ssl.SSLContext, proxies: Mapping[str, str]) -> None:
        self._session = _Session()
        self._session.headers.clear()
        self._session.headers.update(_HEADERS)
        self._session.proxies.update(proxies)
        self._session.trust_env = False  # no proxy, netrc or authority that is not shown to the user
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, _Adapter(trust))

    def close(self) -> None:
        """Drop every connection."""
        self._session.close()

    def exchange(self, request: Request, watch: Watch, limit: int = ANSWER_LIMIT) -> Reply:
        """Send a request as `Transport.exchange` says."""
        attempt = ATTEMPT.set(watch)
        left = watch.time_left
        try:
            with self._session.request(
                request.method,
                request.url,
                headers=request.headers,
                data=request.body,
                timeout=(min(_CONNECT_LIMIT, left), left),
                stream=True,
                allow_redirects=False,
            ) as response:
                return Reply(response.status_code, response.headers, _body(response, limit))
        finally:
            ATTEMPT.reset(attempt)


def transport_to(target: Target) -> HttpTransport:
    """Return the transport to a target; raises SettingsError where its `ca_file` holds no certificates."""
    return HttpTransport(_trust(target), proxies_to(target))


def proxies_to(target: Target) -> dict[str, str]:
    """Return the proxy to use by scheme: the target's own, or else the environment's, which never hides loopback."""
    if target.proxy:
        return {"http": target.proxy, "https": target.proxy}
    return {} if is_loopback(target.server) else environment_proxies(target.server)


def _trust(target: Target) -> ssl.SSLContext:
    """Return what certificates are checked against: the usual authorities, or those of the target's file.

    The usual ones take longer to read than a simulated CRM to answer, so they are left out where nothing is encrypted.
    """
    trust = create_urllib3_context()
    if target.ca_file is None:
        if any(address.startswith("https:") for address in (target.server, *proxies_to(target).values())):
            trust.load_verify_locations(USUAL_AUTHORITIES)
        return trust
    try:
        trust.load_verify_locations(target.ca_file)
    except OSError as error:
        raise SettingsError(
            _("{file} holds no certificates that can be used: {reason}", file=target.ca_file, reason=reason_of(error))
        ) from error
    return trust


class _Session(requests.Session):
    def get_redirect_target(self, resp: Response) -> None:
        """Name no next address: `requests` would parse it and read the body without a limit, even unfollowed."""


class _Adapter(HTTPAdapter):
    """Makes the connections, which trust one context: its file is read once, and not for each case."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        self._trust = trust
        super().__init__(pool_maxsize=_POOL_SIZE, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - requests' own
        """Make the pools for direct connections."""
        super().init_poolmanager(*args, ssl_context=self._trust, **options)
        use_deadline_connections(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:  # noqa: ANN401 - requests' own
        """Make the pools for connections through a proxy."""
        trust = {"ssl_context": self._trust, "proxy_ssl_context": self._trust}
        manager = super().proxy_manager_for(proxy, **trust, **options)
        use_deadline_connections(manager)
        return manager

    def cert_verify(self, *_arguments: Any) -> None:  # noqa: ANN401 - requests' own
        """Leave the authorities to the context, which holds them already."""


def _body(response: Response, limit: int) -> bytes:
    """Return a body as far as it arrives; what is cut short is judged all the same, since the id may be in it."""
    body = bytearray()
    try:
        while len(body) <= limit and (piece := response.raw.read1(_READ_BATCH_SIZE, decode_content=True)):
            body += piece
    except (RequestException, HTTPError, OSError):
        pass  # what came before counts
    return bytes(body[:limit])
