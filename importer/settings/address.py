"""The address of a server: a host with an optional port, over https unless it is this computer itself."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from importer.errors import SettingsError
from importer.messages import _
from importer.system.hosts import is_loopback

_HOST_NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")


def normal_server(server: str) -> str:
    """Return a server's address as `https://host`, without a trailing slash.

    Raises SettingsError for anything but a host with an optional port, and for plain http to a host that is not
    loopback.
    """
    written = server.strip()
    try:
        address = urlsplit(written if "://" in written else f"https://{written}")
        host, port = (address.hostname or "").rstrip("."), address.port
        is_host = bool(_HOST_NAME.fullmatch(host) or _is_ip_address(host)) and address.scheme in {"http", "https"}
        has_more = "@" in address.netloc or address.path.strip("/") or address.query or address.fragment
    except ValueError:
        is_host = False
    if not is_host or has_more:
        raise SettingsError(
            _(
                "{server} is not a server address. Give only the host, such as crm0001.wolkvox.com: the one that your"
                " browser shows after you log in to the CRM.",
                server=server,
            )
        )
    if address.scheme == "http" and not is_loopback(host):
        raise SettingsError(
            _(
                "{server}: plain http would send the token and the customers' data unprotected; it is allowed only to"
                " this computer. Use https://{host}.",
                server=server,
                host=host,
            )
        )
    bracketed = f"[{host}]" if ":" in host else host
    return f"{address.scheme}://{bracketed}" + (f":{port}" if port else "")


def _is_ip_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
