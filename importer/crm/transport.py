"""HTTP as this project needs it: a request goes out once, and is neither followed nor repeated.

It is a `requests` adapter without a session, since a session would add redirects, cookies and netrc; and urllib3's
connections with four habits added: the attempt's deadline holds from the first packet on, an idle connection is not
trusted, a stalled upload has a time limit of its own, and an answer given before the upload's end is read.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPResponse, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util import Retry, Timeout, wait_for_read

from importer.crm.upload import Upload
from importer.crm.watchdog import CURRENT

CONNECT_LIMIT = 10.0  # seconds for each address of the server
STALL_LIMIT = 30.0  # seconds in which one chunk of an upload has to go
IDLE_LIMIT = 1.0  # seconds; a request that meets the moment in which the server hangs up would be unknown
ANSWER_LIMIT = 1_000_000  # bytes of an answer that are read, unless it is a listing
_POOL_SIZE = 64


class _Careful(HTTPConnection):
    """What both kinds of connection add to urllib3's."""

    auto_open = 0  # http.client would go on with half a body on a new connection
    _used_at = 0.0
    _spoilt = False

    def _new_conn(self) -> Any:  # noqa: ANN401 - urllib3 says socket; its stubs differ between versions
        opened = super()._new_conn()
        watch = CURRENT.get()
        try:
            watch.peer = opened.getpeername()[0]
            watch.hold(opened)
        except OSError:
            opened.close()
            raise
        return opened

    @property
    def is_connected(self) -> bool:
        """Whether the connection can carry another request: the pool opens a new one where it cannot."""
        return super().is_connected and not self._spoilt and time.monotonic() - self._used_at <= IDLE_LIMIT

    def request(self, method: str, url: str, *args: Any, **options: Any) -> None:  # noqa: ANN401 - urllib3's own
        """Send the request; where the server stops listening, leave it to be seen whether it has answered."""
        watch = CURRENT.get()
        if self.sock is None:
            self.connect()
        else:
            watch.hold(self.sock)
        watch.check()
        watch.connected = True
        self._spoilt = True
        self.timeout = min(STALL_LIMIT, max(watch.remaining, 0.001))
        try:
            super().request(method, url, *args, **options)
        except OSError as error:
            if isinstance(error, TimeoutError) and not wait_for_read(self.sock, timeout=0):
                raise
        else:
            self._spoilt = False

    def getresponse(self) -> Any:  # noqa: ANN401 - urllib3's own
        """Read the answer's head, and note when the connection was last known to be alive."""
        answer = super().getresponse()
        self._used_at = time.monotonic()
        return answer


class _PlainConnection(_Careful):
    pass


class _SecureConnection(_Careful, HTTPSConnection):
    def connect(self) -> None:
        """Open the connection, and note the certificate that was accepted."""
        super().connect()
        if isinstance(self.sock, ssl.SSLSocket):
            CURRENT.get().certificate = self.sock.getpeercert()


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer as it came: status, headers, and as much of the body as arrived and was asked for."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Adapter(HTTPAdapter):
    """A `requests` adapter that never repeats a request and uses the careful connections, through proxies too.

    `verify` is True or the path of a file of authorities; `proxies` are addresses by scheme.
    """

    def __init__(self, verify: bool | str, proxies: Mapping[str, str]) -> None:  # noqa: FBT001 - as requests has it
        self._verify, self._proxies = verify, dict(proxies)
        self._pools: dict[str, Any] = {}
        never = Retry(total=False, redirect=0, respect_retry_after_header=False)
        super().__init__(pool_maxsize=_POOL_SIZE, max_retries=never)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - requests' own
        """Make the pools for direct connections."""
        super().init_poolmanager(*args, **options)
        _use_careful_pools(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:  # noqa: ANN401 - requests' own
        """Make the pools for connections through a proxy."""
        manager = super().proxy_manager_for(proxy, **options)
        _use_careful_pools(manager)
        return manager

    def close(self) -> None:
        """Drop every connection: a pool closes with the last that knows it."""
        self._pools.clear()
        super().close()

    def exchange(
        self, request: PreparedRequest, seconds: float, body: Upload | bytes | None = None, limit: int = ANSWER_LIMIT
    ) -> Reply:
        """Send the request once and return what came back, at most `limit` bytes; raises whatever the network does.

        Call it under a `Watchdog.watching` block of `seconds`, which ends it in any case. The pool of connections is
        asked itself: what `send` adds to that is made for sessions, and costs each row as much as its answer does.
        """
        headers = dict(request.headers)
        if body is not None:
            headers["Content-Length"] = str(len(body))
        answer = self._pool(request).urlopen(
            str(request.method),
            self.request_url(request, self._proxies),
            body,
            headers,
            retries=self.max_retries,
            redirect=False,
            assert_same_host=False,
            timeout=Timeout(connect=min(CONNECT_LIMIT, seconds), read=seconds),
            preload_content=False,
            decode_content=False,
        )
        return Reply(answer.status, answer.headers, _body(answer, limit))

    def _pool(self, request: PreparedRequest) -> Any:  # noqa: ANN401 - as above
        """Return the connections to the request's server, found once."""
        server = urlsplit(str(request.url)).netloc
        if server not in self._pools:
            pool = self.get_connection_with_tls_context(request, self._verify, self._proxies)
            self.cert_verify(pool, request.url, self._verify, None)  # type: ignore[no-untyped-call]
            self._pools[server] = pool
        return self._pools[server]


def _use_careful_pools(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}


def _body(raw: HTTPResponse, limit: int) -> bytes:
    """Return what can be had of an answer's body, and give the connection back only where that is all of it."""
    raw.enforce_content_length = False  # a body that was cut is looked at all the same: the id may be in it
    body = bytearray()
    complete = False
    try:
        for piece in raw.stream(8192, decode_content=True):
            body += piece
            if len(body) > limit:
                break
        else:
            complete = True
    except (HTTPError, OSError):
        pass  # what has arrived is judged; a verdict that is cut short cannot be read, and is none
    finally:
        if not complete:
            raw.close()
        raw.release_conn()
    return bytes(body[:limit])
