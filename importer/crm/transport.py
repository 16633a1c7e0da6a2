"""HTTP as this project needs it: a request goes out once, and is neither followed nor repeated.

It is a `requests` adapter without a session, since a session would add redirects, cookies and netrc.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlsplit

from requests import PreparedRequest
from requests.adapters import HTTPAdapter
from requests.utils import default_user_agent
from urllib3 import PoolManager

from importer.crm.connections import CarefulPool, PlainPool, SecurePool
from importer.crm.upload import Upload
from importer.crm.watchdog import Watch
from importer.crm.wire import Reply

ANSWER_LIMIT = 1_000_000  # bytes of an answer that are read, unless it is a listing
_POOL_SIZE = 64
_HEADERS = {"User-Agent": default_user_agent(), "Accept-Encoding": "identity"}


@dataclass(frozen=True, slots=True)
class Call:
    """A request that may be made any number of times: all of its head but the body's length, and its connections."""

    method: str
    url: str
    head: bytes
    pool: CarefulPool


class Adapter(HTTPAdapter):
    """A `requests` adapter that never repeats a request and uses the careful connections, through proxies too.

    `verify` is True or the path of a file of authorities; `proxies` are addresses by scheme.
    """

    def __init__(self, verify: bool | str, proxies: Mapping[str, str]) -> None:  # noqa: FBT001 - as requests has it
        self._verify, self._proxies = verify, dict(proxies)
        super().__init__(pool_maxsize=_POOL_SIZE)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:  # noqa: ANN401 - requests' own
        """Make the pools for direct connections."""
        super().init_poolmanager(*args, **options)
        _use_careful_pools(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **options: Any) -> Any:  # noqa: ANN401 - requests' own
        """Make the pools for connections through a proxy."""
        manager = super().proxy_manager_for(proxy, **options)
        _use_careful_pools(manager)
        return manager

    def prepare(self, request: PreparedRequest) -> Call:
        """Return a request as it will stand on the wire; `requests` has seen to it that its headers may."""
        url = str(request.url)
        pool = cast("CarefulPool", self.get_connection_with_tls_context(request, self._verify, self._proxies))
        self.cert_verify(pool, url, self._verify, None)  # type: ignore[no-untyped-call]
        headers = {"Host": urlsplit(url).netloc.rpartition("@")[2], **_HEADERS, **request.headers}
        if pool.proxy is not None and pool.scheme == "http":
            headers |= pool.proxy_headers  # it reads the request itself; through a tunnel it is greeted before
        lines = [f"{request.method} {self.request_url(request, self._proxies)} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items() if name.lower() != "content-length"]
        return Call(str(request.method), url, "\r\n".join([*lines, ""]).encode("latin-1"), pool)

    def exchange(self, call: Call, watch: Watch, body: Upload | bytes = b"", limit: int = ANSWER_LIMIT) -> Reply:
        """Make the call once and return what came back, at most `limit` bytes; raises whatever the network does.

        Call it under the `Watchdog.watching` block that gave the watch, which ends it in any case.
        """
        length = b"Content-Length: %d\r\n" % len(body) if body or call.method == "POST" else b""
        chunks = body if isinstance(body, Upload) else (body,)
        return call.pool.exchange(call.method, call.head + length + b"\r\n", chunks, watch, limit)


def _use_careful_pools(manager: PoolManager) -> None:
    manager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
