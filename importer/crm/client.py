"""The calls that this project makes to the CRM; `docs/crm.md` holds what is known of them, and from where."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Self
from urllib.parse import urlencode, urlsplit

from importer.crm.answers import http_date_seconds, interpret
from importer.crm.connections import Lease, LeaseOver, Watch, Watchdog, always
from importer.crm.faults import NETWORK_FAULTS, lease_over, no_answer, why_no_answer
from importer.crm.probe import ConnectionProbe, ProbedAnswer, certificate_of, shape_of
from importer.crm.reading import Reading, read
from importer.crm.records import Found, Quota, found_in, quota_in
from importer.crm.refusals import explained
from importer.crm.transport import ANSWER_LIMIT, Reply, Request, Transport, Upload, proxies_to, transport_to
from importer.errors import AttachmentChanged, ConnectionRefused, QuestionRefused, ServerUnreachable
from importer.hosts import without_password
from importer.messages import _
from importer.model import Outcome, Pause, Payload, Target

_API = "/server/API/v2/"
_LISTING_LIMIT = 64_000_000  # bytes of an answer to a search: all cases of a contact (undocumented whether in pages)
_SLOWEST_UPLOAD = 50_000  # bytes a second; a slower attempt is given up
_FIXED_BY_A_PERSON = {Pause.CREDENTIALS, Pause.REDIRECT, Pause.PATH, Pause.CERTIFICATE}


class Crm:
    """The CRM at one address, with one token; safe to use from many threads.

    `deadline` is the seconds that an attempt may take in all, its body's upload aside. `transport` sends the requests;
    without one it is made for the target, which raises SettingsError where the target's `ca_file` holds no
    certificates. `close` the client, or use it in a `with` block.
    """

    def __init__(self, target: Target, *, deadline: float = 60.0, transport: Transport | None = None) -> None:
        self._target, self._deadline = target, deadline
        self._transport = transport_to(target) if transport is None else transport
        self._watchdog = Watchdog()
        self._headers = {
            "Wolkvox-Token": target.token,
            "Content-Type": "application/json",
            "Accept": "application/json",
        }
        self._counting = threading.Lock()
        self.calls = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Cut what is still in flight and drop every connection."""
        self._watchdog.close()
        self._transport.close()

    @property
    def proxy(self) -> str | None:
        """The proxy on the way to the server, without its password; None where there is none."""
        return without_password(proxies_to(self._target).get(urlsplit(self._target.server).scheme))

    def attempt_deadline(self, length: int) -> float:
        """Return the seconds after which an attempt with a body of `length` bytes sends nothing more."""
        return self._deadline + length / _SLOWEST_UPLOAD

    def create(self, payload: Payload, lease_holds: Lease = always) -> Outcome:
        """Send one case with exactly one POST, and return its outcome.

        `lease_holds` is asked right before the first byte of the request, and again right before the last bytes of
        its body; where it returns False, nothing more is sent and the case was not delivered. Nothing that the network
        or the server does raises. AttachmentChanged is raised when a file is no longer the one that was checked; the
        upload was stopped then, so that no case was made.
        """
        with self._watchdog.watching(self.attempt_deadline(payload.length), lease_holds) as watch:
            upload = Upload(payload, watch)
            try:
                reply = self._exchange("POST", "cases/insertAttach.php", watch, upload)
            except AttachmentChanged as error:
                if not upload.whole:
                    raise
                return no_answer(error, watch, upload.handed_over, payload.length)
            except LeaseOver:
                return lease_over(upload.handed_over, payload.length)
            except NETWORK_FAULTS as error:
                return no_answer(error, watch, upload.handed_over, payload.length)
        secrets = (self._target.token, *payload.values)
        outcome = interpret(reply.status, reply.headers, reply.body, secrets=secrets, whole=upload.whole)
        return replace(outcome, bytes_sent=upload.handed_over)

    def token_information(self) -> Quota:
        """Return what is left of the token's daily calls; asking costs one call (vendor's page).

        A refusal for the quota is an answer: nothing is left. Raises ServerUnreachable where there is no answer
        now, ConnectionRefused where a person has to fix the connection first.
        """
        query = urlencode({"operation": self._target.operation})
        reply, outcome = self._ask("GET", f"token/tokenInformation.php?{query}")
        if outcome.pause is Pause.QUOTA:
            return Quota(left=0)
        return quota_in(_success(reply, outcome))

    def query_cases(self, field: str, value: str) -> Found:
        """Search cases by one of the vendor's query fields, such as `email contact`.

        Whether the search is exact, in which order it answers, and in what pages is undocumented. Raises as
        `token_information` does, for the quota ServerUnreachable, and QuestionRefused where the CRM refuses only this
        question, which may be its way to say that there is no such case (undocumented).
        """
        reply, outcome = self._search(field, value)
        reading = read(reply.body)
        if _answers(reply, reading):
            return found_in(reading)
        if outcome.pause in {None, Pause.PATH} and reading.envelope is not None:
            raise QuestionRefused(
                _("The CRM does not answer the question: {reason}", reason=explained(outcome.message))
            )
        raise _not_answered(outcome)

    def probe_search(self, field: str, value: str, *, secrets: tuple[str, ...] = ()) -> ProbedAnswer:
        """Search as `query_cases` does, and return the answer's shape, even where it refuses this one question.

        `secrets` are further texts to mask in it. Raises as `query_cases` does where no question is answered now.
        """
        reply, outcome = self._search(field, value)
        shape = shape_of(reply.status, reply.body, (self._target.token, value, *secrets))
        reading = read(reply.body)
        if _answers(reply, reading):
            found = found_in(reading)
            return ProbedAnswer(accepted=True, records=found.records, shape=shape, believed=found.believed)
        if outcome.pause not in {None, Pause.PATH}:  # a search may answer 404 for "no such case" (undocumented)
            raise _refusal(outcome.pause)(explained(outcome.message))
        return ProbedAnswer(accepted=False, records=(), shape=shape)

    def probe_connection(self) -> ConnectionProbe:
        """Open a connection as a case would, and request the server's first page: without the token, and no call.

        Raises ServerUnreachable and ConnectionRefused as `token_information` does.
        """
        before = time.time()
        with self._watching(self._deadline) as watch:
            reply = self._transport.exchange(Request("HEAD", f"{self._target.server}/"), watch)
        seconds = time.time() - before
        shown = http_date_seconds(reply.headers.get("date", ""))
        ahead = None if shown is None else shown - (before + seconds / 2)
        return ConnectionProbe(watch.peer, certificate_of(watch.certificate), ahead, seconds)

    def _search(self, field: str, value: str) -> tuple[Reply, Outcome]:
        asked = {"operation": self._target.operation, "field": field, "value": value}
        body = json.dumps(asked, ensure_ascii=False).encode()
        return self._ask("POST", "cases/queryCases.php", body, (value,))

    def _ask(self, method: str, path: str, body: bytes = b"", secrets: tuple[str, ...] = ()) -> tuple[Reply, Outcome]:
        """Make a call that creates nothing; return its answer, and what that means."""
        with self._watching(self.attempt_deadline(len(body))) as watch:
            reply = self._exchange(method, path, watch, body)
        secrets = (self._target.token, *secrets)
        return reply, interpret(reply.status, reply.headers, reply.body, secrets=secrets)

    @contextmanager
    def _watching(self, seconds: float) -> Iterator[Watch]:
        """Watch a call that creates nothing; raises ServerUnreachable or ConnectionRefused where it gets no answer."""
        with self._watchdog.watching(seconds) as watch:
            try:
                yield watch
            except NETWORK_FAULTS as error:
                pause, reason = why_no_answer(error, watch)
                message = _(
                    "{server}: {reason}. Check the server's name, the network and the proxy, then try again;"
                    " nothing is lost.",
                    server=self._target.server,
                    reason=reason,
                )
                raise _refusal(pause)(message) from error

    def _exchange(self, method: str, path: str, watch: Watch, body: Upload | bytes) -> Reply:
        """Make one request, and count it as a call once its connection is open."""
        request = Request(method, self._target.server + _API + path, self._headers, body)
        limit = ANSWER_LIMIT if isinstance(body, Upload) else _LISTING_LIMIT
        try:
            return self._transport.exchange(request, watch, limit)
        finally:
            if watch.connected:
                with self._counting:
                    self.calls += 1


def _success(reply: Reply, outcome: Outcome) -> Mapping[str, object]:
    """Return the JSON object of a call that succeeded; raises where it did not."""
    reading = read(reply.body)
    if reading.envelope is not None and _answers(reply, reading):
        return reading.envelope
    raise _not_answered(outcome)


def _answers(reply: Reply, reading: Reading) -> bool:
    """Tell whether an answer reports success, by a JSON object of the CRM or, of an older version, a bare list."""
    if not 200 <= reply.status < 300:
        return False
    succeeded = reading.envelope is not None and reading.code in (None, "200") and not reading.failed
    return succeeded or reading.listing is not None


def _not_answered(outcome: Outcome) -> ServerUnreachable | ConnectionRefused:
    return _refusal(outcome.pause)(
        _("The server does not answer the question: {reason}", reason=explained(outcome.message))
    )


def _refusal(pause: Pause | None) -> type[ServerUnreachable | ConnectionRefused]:
    return ConnectionRefused if pause in _FIXED_BY_A_PERSON else ServerUnreachable
