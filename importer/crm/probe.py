"""How the other side looks: its connection, and the shape of its answers, without what stands in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ssl import cert_time_to_seconds
from typing import Any
from urllib.parse import urlsplit

from importer.crm.reading import for_people, read
from importer.crm.records import Record

_NAME = re.compile(r"[A-Za-z][A-Za-z _-]{0,39}")
"""What a key of the CRM's JSON may look like to be shown; another could be a value, such as an id or an address."""

_KEYS_SHOWN = 40
_NAMES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Certificate:
    """Who a server proved to be: the first names in its certificate, who issued it, and until when it is valid."""

    subject: str
    issuer: str
    expires: datetime


@dataclass(frozen=True, slots=True)
class ConnectionProbe:
    """What one connection to the server showed.

    `peer` is the address at the other end, the proxy's where there is one. `certificate` is None over plain http, and
    where a proxy hides it. `clock_ahead` is by how many seconds the server's clock, which shows whole
    seconds, is ahead of ours; None where it shows none. `seconds` is how long the visit took.
    """

    peer: str | None
    certificate: Certificate | None
    clock_ahead: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to a search, taken or refused: its records, and its shape, whose words are masked.

    `believed` is that of `Found`: an empty answer that is not believed does not say that there is nothing.
    """

    accepted: bool
    records: tuple[Record, ...]
    shape: str
    believed: bool = False


def certificate_of(told: Mapping[str, Any] | None) -> Certificate | None:
    """Return what `ssl.SSLSocket.getpeercert` told; None where it told nothing."""
    if not told:
        return None
    expires = datetime.fromtimestamp(cert_time_to_seconds(told["notAfter"]), UTC)
    names = [name for _kind, name in told.get("subjectAltName", ())]
    subject = ", ".join(names[:_NAMES_SHOWN]) or _common_name(told.get("subject", ()))
    return Certificate(subject, _common_name(told.get("issuer", ())), expires)


def without_password(proxy: str | None) -> str | None:
    """Return a proxy's address without who logs in to it."""
    if proxy is None:
        return None
    return proxy.replace(f"{urlsplit(proxy).netloc.rpartition('@')[0]}@", "") if "@" in proxy else proxy


def shape_of(status: int, body: bytes, secrets: Iterable[str]) -> str:
    """Return an answer's shape on one line: its keys and the kinds of their values, and the CRM's own masked words."""
    reading, secrets = read(body), tuple(secrets)
    envelope = reading.envelope
    if reading.listing is not None:
        return f"HTTP {status} {_kind('', list(reading.listing), secrets)}"
    if envelope is None:
        return f"HTTP {status}, no JSON object"
    return f"HTTP {status} {{{', '.join(f'{name}: {_kind(name, envelope[name], secrets)}' for name in envelope)}}}"


def _kind(name: str, value: object, secrets: tuple[str, ...]) -> str:
    """Return the kind of a value, and the value itself where it is the CRM's own word."""
    if isinstance(value, list):
        kinds = sorted({_kind("", part, secrets) for part in value})
        return f"list of {len(value)}" + (f" {' | '.join(kinds)}" if kinds else "")
    if isinstance(value, Mapping):
        keys = [key if _NAME.fullmatch(key) else "…" for key in value]
        return f"{{{', '.join(dict.fromkeys(keys[:_KEYS_SHOWN]))}}}"
    if value is None:
        return "null"
    if name in {"code", "error", "msg"}:
        words = for_people(str(value), secrets)
        return f'"{words}"' if isinstance(value, str) else words
    return "text" if isinstance(value, str) else "true/false" if isinstance(value, bool) else "number"


def _common_name(parts: Iterable[Iterable[tuple[str, str]]]) -> str:
    """Return the common name among the parts of a distinguished name, or its last part."""
    named = {key: value for part in parts for key, value in part}
    return named.get("commonName") or next(reversed(named.values()), "")
