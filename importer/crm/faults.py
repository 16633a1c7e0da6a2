"""Why no answer came, in words, and what that proves about the case."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from http.client import HTTPException

from requests import RequestException
from urllib3.exceptions import HTTPError

from importer.crm.connections import Watch
from importer.messages import _, shorten
from importer.model import Outcome, Pause, Verdict
from importer.system.causes import reason_of

NETWORK_FAULTS = (RequestException, HTTPError, HTTPException, OSError, ValueError)
"""All that requests, urllib3, http.client, ssl and sockets raise; ValueError for hosts and headers beyond parsing."""

_PROXY_REFUSES = ("403", "405", "407")


def no_answer(error: BaseException, watch: Watch, handed_over: int, length: int, *, is_case: bool = True) -> Outcome:
    """Return the outcome of an attempt that ended without an answer.

    `handed_over` bytes of a body of `length` bytes had left; fewer than all prove that no case was made. `is_case` is
    false for a contact and an update, of which the sentences say the same in other words.
    """
    if not watch.connected:
        pause, message = _why_no_connection(error)
        return Outcome(Verdict.NOT_DELIVERED, message, pause=pause)
    reason = _reason(error, watch)
    if handed_over < length:
        values = {"sent": handed_over, "length": length, "reason": reason}
        if is_case:
            message = _("The connection broke after {sent} of {length} bytes, so no case was made: {reason}", **values)
        else:
            message = _(
                "The connection broke after {sent} of {length} bytes, so nothing was changed in the CRM: {reason}",
                **values,
            )
        return Outcome(Verdict.NOT_DELIVERED, message, bytes_sent=handed_over)
    if is_case:
        message = _(
            "The case was sent and no answer could be read, so it may or may not exist: {reason}", reason=reason
        )
    else:
        message = _(
            "The request was sent and no answer could be read, so the CRM may or may not have carried it out: {reason}",
            reason=reason,
        )
    return Outcome(Verdict.UNKNOWN, message, bytes_sent=handed_over)


def lease_over(handed_over: int, length: int, *, is_case: bool = True) -> Outcome:
    """Return the outcome of an attempt that was stopped because its lease had ended: no case was made."""
    if not is_case:
        message = _(
            "The lease of this attempt ended before the request was complete, so nothing was changed in the CRM."
            " Continue the run to send it."
        )
    elif handed_over:
        message = _(
            "The lease of this attempt ended after {sent} of {length} bytes were sent, so the rest was not sent and no"
            " case was made. Continue the run to send this row.",
            sent=handed_over,
            length=length,
        )
    else:
        message = _(
            "The lease of this attempt ended before the case was sent, so no case was made. Continue the run"
            " to send this row."
        )
    return Outcome(Verdict.NOT_DELIVERED, message, bytes_sent=handed_over)


def why_no_answer(error: BaseException, watch: Watch) -> tuple[Pause, str]:
    """Return what a call that creates nothing means for the run, and the sentence, where it got no answer."""
    if not watch.connected:
        return _why_no_connection(error)
    return Pause.UNREACHABLE, _("The server did not answer: {reason}", reason=_reason(error, watch))


def _why_no_connection(error: BaseException) -> tuple[Pause, str]:
    """Return what pauses the run, and the sentence, for a connection that could not be opened."""
    chain = list(_chain(error))
    for cause in chain:
        if isinstance(cause, ssl.CertificateError):
            reason = shorten(reason_of(cause))
            return Pause.CERTIFICATE, _("The server's certificate is not valid here: {reason}", reason=reason)
        if isinstance(cause, socket.gaierror):
            return Pause.UNREACHABLE, _("The server's name could not be found: {reason}", reason=reason_of(cause))
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

    An error that is not the operating system's may quote what the server sent, and that may quote the row: only its
    type is named.
    """
    cause = chain[-1]
    if isinstance(cause, OSError):
        return shorten(reason_of(cause), 120)
    return type(cause).__name__


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and its causes, outermost first; each once."""
    known: set[int] = set()
    following: BaseException | None = error
    while following is not None and id(following) not in known:
        known.add(id(following))
        yield following
        inner = [part for part in following.args if isinstance(part, BaseException)]
        following = following.__cause__ or (inner[0] if inner else following.__context__)
