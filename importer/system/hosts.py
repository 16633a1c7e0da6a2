"""Which tenant a server belongs to, and which names mean this computer; THE definitions, imports nothing of ours."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

LOOPBACK = "127.0.0.1"
"""The one spelling under which this computer is recorded."""

_SHORT = re.compile(r"127(\.\d{1,8}){1,3}")
"""A short address of this computer, which the system's resolver accepts too: 127.1 is 127.0.0.1."""

_OLD_HOST = re.compile(r"sv(\d{4})\.crmvox\.com")


def bare_host(host: str) -> str:
    """Return a host's name in lower case, without brackets and a trailing dot."""
    return host.strip().removeprefix("[").removesuffix("]").rstrip(".").lower()


def is_loopback(server: str) -> bool:
    """Tell whether a host, or a server's address, is this computer itself."""
    host = bare_host((urlsplit(server).hostname or "") if "://" in server else server)
    return host == "localhost" or bool(_SHORT.fullmatch(host)) or _is_loopback_address(host)


def _is_loopback_address(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback


def tenant_of(server: str) -> str:
    """Return the tenant to which a server's address belongs.

    `sv000N.crmvox.com` and `crm000N.wolkvox.com` are one (vendor's page: the former was switched off on 2024-11-30).
    A simulated CRM on this computer is identified by its port, whichever name of the computer is used.
    """
    address = urlsplit(server if "//" in server else f"https://{server}")
    default_port = {"https": 443, "http": 80}.get(address.scheme)
    return _tenant(address.hostname or "", None if address.port == default_port else address.port)


def same_tenant(one: str, other: str) -> bool:
    """Tell whether two recorded tenants are the same: earlier versions recorded this computer under several names."""
    return one == other or normal_tenant(one) == normal_tenant(other)


def normal_tenant(tenant: str) -> str:
    """Return a recorded tenant as `tenant_of` names it today; a text that cannot be a tenant stays as it is."""
    try:
        address = urlsplit(f"//{tenant}")
        return _tenant(address.hostname or "", address.port)
    except ValueError:
        return tenant


def is_stand_in(tenant: str) -> bool:
    """Return whether a recorded tenant is a simulated CRM on this computer, whose cases are not in a real one."""
    return normal_tenant(tenant).partition(":")[0] == LOOPBACK


def _tenant(host: str, port: int | None) -> str:
    host = bare_host(host)
    if is_loopback(host):
        host = LOOPBACK
    elif old := _OLD_HOST.fullmatch(host):
        host = f"crm{old[1]}.wolkvox.com"
    elif ":" in host:
        host = f"[{host}]"
    return host if port is None else f"{host}:{port}"


def without_password(proxy: str | None) -> str | None:
    """Return a proxy's address without its user name and password."""
    if proxy is None:
        return None
    return proxy.replace(f"{urlsplit(proxy).netloc.rpartition('@')[0]}@", "") if "@" in proxy else proxy
