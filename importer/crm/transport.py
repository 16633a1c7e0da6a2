"""HTTP as this project needs it: a `requests` session that sends once, follows nothing and remembers nothing."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any

from requests import RequestException, Response, Session
from requests.adapters import HTTPAdapter
from requests.utils import default_user_agent
from urllib3.exceptions import HTTPError

from importer.crm.connections import ATTEMPT, use_deadline_connections
from importer.crm.upload import Upload
from importer.crm.watchdog import Watch

ANSWER_LIMIT = 8_000_000  # bytes of an answer that are read: an id may be behind a long message
_CONNECT_LIMIT = 10.0  # seconds for each address of the server
_READ_AT_ONCE = 65_536
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
        while len(body) <= limit and (piece := response.raw.read1(_READ_AT_ONCE, decode_content=True)):
            body += piece
    except (RequestException, HTTPError, OSError):
        pass  # what came before counts
    return bytes(body[:limit])
