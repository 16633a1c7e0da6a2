"""HTTP as this project needs it: a `requests` session that sends once, follows nothing and remembers nothing."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from typing import Any

from requests import RequestException, Response, Session
from requests.adapters import HTTPAdapter
from requests.utils import default_user_agent
from urllib3.exceptions import HTTPError

from importer.crm.connections import ATTEMPT, Watch, use_deadline_connections
from importer.errors import AttachmentChanged
from importer.messages import _, shorten
from importer.model import Outcome, Pause, Payload, Verdict

# MERGED importer.crm.transport: A request's body on its way out, counting what was handed over.

_LAST = 1024  # bytes; so few leave by one call of the system, right after the lease was asked for


class Upload:
    """A payload's bytes for one attempt.

    Fewer than `len(upload)` bytes in `handed_over` prove that the server cannot have had the whole case; so a chunk
    counts from the moment it leaves here, sent or not, and not one byte too many is ever given out. The last of them
    leave only while the attempt may still send: without them there is no case, however long all of it took.
    """

    def __init__(self, payload: Payload, watch: Watch) -> None:
        self._payload, self._watch = payload, watch
        self.handed_over = 0

    def __len__(self) -> int:
        """Return the body's length in bytes: the request's Content-Length."""
        return self._payload.length

    @property
    def whole(self) -> bool:
        """Whether every byte was handed over."""
        return self.handed_over >= len(self)

    def __iter__(self) -> Iterator[bytes]:
        """Yield the body; raises AttachmentChanged where it is not what was promised, and as `Watch.allow_sending`."""
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
        """Yield what the payload gives, up to the length that was promised."""
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
            raise AttachmentChanged(_("A file could not be read to its end: {reason}", reason=error)) from error
        raise AttachmentChanged(_("The files make another length than when they were checked; check them again"))


# MERGED importer.crm.transport: Why no answer came, in words, and what that proves.

NETWORK_FAULTS = (RequestException, HTTPError, HTTPException, OSError, ValueError)
"""All that requests, urllib3, http.client, ssl and sockets raise; ValueError for hosts and headers beyond parsing."""

_PROXY_REFUSES = ("403", "405", "407")


def no_answer(error: BaseException, watch: Watch, handed_over: int, length: int) -> Outcome:
    """Return the outcome of an attempt that ended without an answer.

    `handed_over` bytes of a body of `length` bytes had left; fewer than all prove that no case was made.
    """
    if not watch.connected:
        pause, message = why_no_connection(error)
        return Outcome(Verdict.NOT_DELIVERED, message, pause=pause)
    reason = _reason(error, watch)
    if handed_over < length:
        message = _(
            "The connection broke after {sent} of {length} bytes, so no case was made: {reason}",
            sent=handed_over,
            length=length,
            reason=reason,
        )
        return Outcome(Verdict.NOT_DELIVERED, message, bytes_sent=handed_over)
    message = _("The case was sent and no answer could be read, so it may or may not exist: {reason}", reason=reason)
    return Outcome(Verdict.UNKNOWN, message, bytes_sent=handed_over)


def lease_over(handed_over: int, length: int) -> Outcome:
    """Return the outcome of an attempt that was broken off because its lease had ended: no case was made."""
    if handed_over:
        message = _(
            "The lease of this attempt ended after {sent} of {length} bytes were sent, so the rest was not sent and no"
            " case was made. Run the same command again to send this row.",
            sent=handed_over,
            length=length,
        )
    else:
        message = _(
            "The lease of this attempt ended before the case was sent, so no case was made. Run the same command again"
            " to send this row."
        )
    return Outcome(Verdict.NOT_DELIVERED, message, bytes_sent=handed_over)


def why_no_answer(error: BaseException, watch: Watch) -> tuple[Pause, str]:
    """Return what that means for a call that creates nothing, and the sentence."""
    if not watch.connected:
        return why_no_connection(error)
    return Pause.UNREACHABLE, _("The server did not answer: {reason}", reason=_reason(error, watch))


def why_no_connection(error: BaseException) -> tuple[Pause, str]:
    """Return what pauses the run, and the sentence, for a connection that never stood."""
    chain = list(_chain(error))
    for cause in chain:
        if isinstance(cause, ssl.CertificateError):
            reason = getattr(cause, "verify_message", "") or str(cause)
            return Pause.CERTIFICATE, _("The server's certificate is not valid here: {reason}", reason=shorten(reason))
        if isinstance(cause, socket.gaierror):
            return Pause.UNREACHABLE, _("The server's name could not be found: {reason}", reason=cause.strerror)
    proxy = re.search(r"Tunnel connection failed: (\d{3})", " ".join(map(str, chain)))
    if proxy:
        pause = Pause.PATH if proxy[1] in _PROXY_REFUSES else Pause.UNREACHABLE
        return pause, _("The proxy refuses to connect to the server: HTTP {status}", status=proxy[1])
    return Pause.UNREACHABLE, _("The server cannot be reached: {reason}", reason=_innermost(chain))


def _reason(error: BaseException, watch: Watch) -> str:
    if watch.remaining <= 0:
        return _("the time for one case is over")
    return _innermost(list(_chain(error)))


def _innermost(chain: list[BaseException]) -> str:
    """Return the words of the first cause; the layers above repeat them with addresses of objects.

    What is no fault of the system's may quote what the server sent, and that what it was sent: it is only named.
    """
    cause = chain[-1]
    if isinstance(cause, OSError):
        return shorten(cause.strerror or str(cause) or type(cause).__name__, 120)
    return type(cause).__name__


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what it came from, outermost first; each once."""
    seen: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in seen:
        seen.add(id(following))
        yield following
        inner = [part for part in following.args if isinstance(part, BaseException)]
        following = following.__cause__ or (inner[0] if inner else following.__context__)


# MERGED importer.crm.transport: HTTP as this project needs it: a `requests` session that sends once, follows nothing and remembers nothing.

ANSWER_LIMIT = 8_000_000  # bytes of an answer that are read: an id may be behind a long message
_CONNECT_LIMIT = 10.0  # seconds for each address of the server
_READ_BATCH_SIZE = 65_536
_POOL_SIZE = 64  # connections that are open at the same time without urllib3's warning; none is kept
_HEADERS = {"User-Agent": default_user_agent(), "Accept-Encoding": "identity", "Connection": "close"}


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came: status, headers by names in any case, as much of the body as arrived and was wanted."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport:
    """The way to one server, safe to use from many threads: each request has a connection of its own.

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
        """Forget all connections."""
        self._session.close()

    def exchange(  # noqa: PLR0913 - a request's parts
        self,
        method: str,
        url: str,
        watch: Watch,
        *,
        headers: Mapping[str, str] | None = None,
        body: Upload | bytes | None = None,
        limit: int = ANSWER_LIMIT,
    ) -> Reply:
        """Make a request once and return what came back, at most `limit` bytes; raises whatever the network does.

        Call it under the `Watchdog.watching` block that gave the watch, which ends it in any case.
        """
        attempt = ATTEMPT.set(watch)
        left = watch.time_left
        try:
            with self._session.request(
                method,
                url,
                headers=headers,
                data=body,
                timeout=(min(_CONNECT_LIMIT, left), left),
                stream=True,
                allow_redirects=False,
            ) as response:
                return Reply(response.status_code, response.headers, _body(response, limit))
        finally:
            ATTEMPT.reset(attempt)


class _Session(Session):
    def get_redirect_target(self, resp: Response) -> None:
        """Name no next address: it would be looked into, and the body read for it without a limit, even unfollowed."""


class _Adapter(HTTPAdapter):
    """Makes the connections; what they trust is read from its file once, and not for each case."""

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
    """Return a body as far as it arrives; what is cut short is looked at all the same, since the id may be in it."""
    body = bytearray()
    try:
        while len(body) <= limit and (piece := response.raw.read1(_READ_BATCH_SIZE, decode_content=True)):
            body += piece
    except (RequestException, HTTPError, OSError):
        pass  # what came before counts
    return bytes(body[:limit])
