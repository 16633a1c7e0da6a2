"""What the doctor learns of the other side: its connection, and the shape of its answers without their content."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ssl import cert_time_to_seconds
from typing import Any

from importer.crm.reading import MASK, for_people, read
from importer.crm.records import Record

_NAME = re.compile(r"[A-Za-z][A-Za-z _-]{0,39}")
"""What a key of the CRM's JSON must look like to be shown; another could be a value, such as an id or an address."""

_PRIVATE = re.compile(
    r"""\S*@\S*                                  # an address
    | (?<!\S)(?!true/false)\S*[/\\]\S*          # a path, or the address of a page
    | [\w-]+(?:\.[\w-]+)+                        # a server, a file, an address of the network
    | (?<![\w•])(?=[\w-]*\d)[\w-]{6,}           # an id, a reference, a token
    | (?<!list\ of\ )(?<!\d)\d{4,}""",
    re.VERBOSE,
)
"""What the words of an answer may hold of a tenant beside what was sent."""

_QUOTED = re.compile("""(["'«“\u2018]).*?(["'»”\u2019])""")

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
    where a proxy hides it. `clock_ahead` is by how many seconds the server's clock, which shows whole seconds, is ahead
    of ours; None where the answer has no date. `seconds` is how long the probe took.
    """

    peer: str | None
    certificate: Certificate | None
    clock_ahead: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class ProbedAnswer:
    """The answer to a search, accepted or refused: its records, and its shape, in which words are masked.

    `believed` is that of `Found`: an empty answer that is not believed does not prove that there is no case.
    `readable` is false for what is no JSON of the CRM, from which nothing can be learnt, and `says_more` true for an
    answer that tells of records which it does not show.
    """

    accepted: bool
    records: tuple[Record, ...]
    shape: str
    believed: bool = False
    readable: bool = True
    says_more: bool = False


def certificate_of(shown: Mapping[str, Any] | None) -> Certificate | None:
    """Return the certificate that `ssl.SSLSocket.getpeercert` returned; None where there was none."""
    if not shown:
        return None
    expires = datetime.fromtimestamp(cert_time_to_seconds(shown["notAfter"]), UTC)
    names = [name for _kind, name in shown.get("subjectAltName", ())]
    subject = ", ".join(names[:_NAMES_SHOWN]) or _common_name(shown.get("subject", ()))
    return Certificate(subject, _common_name(shown.get("issuer", ())), expires)


def shape_of(status: int, body: bytes, secrets: Iterable[str]) -> str:
    """Return an answer's shape on one line: its keys, the kinds of their values, and the CRM's own words, masked."""
    reading, secrets = read(body), tuple(secrets)
    envelope = reading.envelope
    if reading.listing is not None:
        return f"HTTP {status} {_kind('', list(reading.listing), secrets)}"
    if envelope is None:
        return f"HTTP {status}, no JSON object"
    return f"HTTP {status} {{{', '.join(f'{name}: {_kind(name, envelope[name], secrets)}' for name in envelope)}}}"


def _kind(name: str, value: object, secrets: tuple[str, ...]) -> str:
    """Return the kind of a value, or the value itself where it is the CRM's own word."""
    if isinstance(value, list):
        kinds = sorted({_kind("", part, secrets) for part in value})
        return f"list of {len(value)}" + (f" {' | '.join(kinds)}" if kinds else "")
    if isinstance(value, Mapping):
        keys = [key if _NAME.fullmatch(key) else "…" for key in value]
        return f"{{{', '.join(dict.fromkeys(keys[:_KEYS_SHOWN]))}}}"
    if value is None:
        return "null"
    if name in {"code", "error", "msg"}:
        words = without_private(_QUOTED.sub(rf"\1{MASK}\2", for_people(str(value), secrets)))
        return f'"{words}"' if isinstance(value, str) else words
    if isinstance(value, str):
        return "text"
    return "true/false" if isinstance(value, bool) else "number"


def without_private(words: str) -> str:
    """Return words or a shape with what may identify somebody masked: addresses, servers, paths, ids and tokens."""
    return _PRIVATE.sub(MASK, words)


def _common_name(parts: Iterable[Iterable[tuple[str, str]]]) -> str:
    """Return the common name in a distinguished name, or its last part where it has none."""
    named = {key: value for part in parts for key, value in part}
    return named.get("commonName") or next(reversed(named.values()), "")
