"""The calls that this project makes to the CRM; `docs/crm.md` holds what is known of them, and from where."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Self
from urllib.parse import urlencode, urlsplit

from importer.crm.answers import http_date_seconds, interpret, only_with_id
from importer.crm.connections import Lease, LeaseOver, Watch, Watchdog, always
from importer.crm.faults import NETWORK_FAULTS, lease_over, no_answer, why_no_answer
from importer.crm.probe import ConnectionProbe, ProbedAnswer, certificate_of, shape_of
from importer.crm.reading import Reading, read
from importer.crm.records import Found, Quota, found_in, quota_in, says_more
from importer.crm.refusals import explained, names_wrong_path
from importer.crm.transport import ANSWER_LIMIT, Reply, Request, Transport, Upload, proxies_to, transport_to
from importer.errors import AttachmentChanged, ConnectionRefused, QuestionRefused, ServerUnreachable
from importer.messages import _
from importer.model import Outcome, Pause, Payload, Target, Verdict
from importer.system.hosts import without_password

_API = "/server/API/v2/"
_LISTING_LIMIT = 64_000_000  # bytes of an answer to a search: all cases of a contact (undocumented whether in pages)
_SLOWEST_UPLOAD = 50_000  # bytes a second; a slower attempt is given up
_FIXED_BY_A_PERSON = {Pause.CREDENTIALS, Pause.REDIRECT, Pause.PATH, Pause.CERTIFICATE}


class Crm:
    """The CRM at one address, with one token; safe to use from many threads.

    `deadline` is the seconds that an attempt may take in all, its body's upload aside. `transport` sends the requests;
    without one it is made for the target, which raises SettingsError where the target's `ca_file` holds no
    certificates. A call that creates nothing is made within `turn`. `close` the client, or use it in a `with` block.
    """

    def __init__(
        self,
        target: Target,
        *,
        deadline: float = 60.0,
        transport: Transport | None = None,
        turn: Callable[[], AbstractContextManager[object]] = nullcontext,
    ) -> None:
        self._target, self._deadline = target, deadline
        self._transport = transport_to(target) if transport is None else transport
        self._watchdog, self._turn = Watchdog(), turn
        self._headers = {"Wolkvox-Token": target.token, "Accept": "application/json"}
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
        return self._send("cases/insertAttach.php", payload, lease_holds)

    def create_by_form(self, body: Payload, lease_holds: Lease = always) -> Outcome:
        """Send one case as a multipart form with exactly one POST, as `create` does one as JSON."""
        return self._send("cases/insert.php", body, lease_holds)

    def create_contact(self, body: Payload, lease_holds: Lease = always) -> Outcome:
        """Create one contact with exactly one POST, as `create` does a case, and return its outcome.

        As for a case, a success that gives no id is unknown.
        """
        return only_with_id(self._send("custom/insert.php", body, lease_holds, is_case=False))

    def update_case(self, body: Payload, lease_holds: Lease = always) -> Outcome:
        """Update one case with exactly one POST, as `create` makes one, and return its outcome.

        A clear success is one with or without an id, and then the verdict is CREATED. What the CRM leaves as it was
        where a key is absent is undocumented.
        """
        return self._send("cases/update.php", body, lease_holds, is_case=False)

    def _send(self, path: str, payload: Payload, lease_holds: Lease, *, is_case: bool = True) -> Outcome:
        """Make the one POST of an attempt over a connection of its own, and return what came of it."""
        with self._watchdog.watching(self.attempt_deadline(payload.length), lease_holds) as watch:
            upload = Upload(payload, watch)
            try:
                reply = self._exchange("POST", path, watch, upload)
            except AttachmentChanged as error:
                if not upload.whole:
                    raise
                return no_answer(error, watch, upload.handed_over, payload.length, is_case=is_case)
            except LeaseOver:
                return lease_over(upload.handed_over, payload.length, is_case=is_case)
            except NETWORK_FAULTS as error:
                return no_answer(error, watch, upload.handed_over, payload.length, is_case=is_case)
        secrets = (self._target.token, *payload.values)
        outcome = interpret(
            *(reply.status, reply.headers, reply.body), secrets=secrets, whole=upload.whole, is_case=is_case
        )
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
        return _found(*self._search(field, value))

    def query_contacts(self, field: str, value: str) -> Found:
        """Search contacts by one of their fields, such as `emailcontact`; raises as `query_cases` does.

        That the records carry `emailcontact`, `namecontact`, `idcontact`, `telephonecontact` and `wolkvox_id` is known
        from public code alone; whether the search is exact, or in pages, is undocumented.
        """
        return _found(*self._search(field, value, path="custom/query.php", module="contacts"))

    def probe_search(self, field: str, value: str, *, secrets: tuple[str, ...] = ()) -> ProbedAnswer:
        """Search as `query_cases` does, and return the answer's shape, even where it refuses this one question.

        `secrets` are further texts to mask in it. Raises as `query_cases` does where no question is answered now.
        """
        return self._probed(*self._search(field, value), (value, *secrets))

    def probe_contacts(self, field: str, value: str, *, secrets: tuple[str, ...] = ()) -> ProbedAnswer:
        """Search for contacts as `query_contacts` does, and return what `probe_search` returns."""
        return self._probed(*self._search(field, value, path="custom/query.php", module="contacts"), (value, *secrets))

    def probe_dates(self, module: str, start: str, end: str, *, secrets: tuple[str, ...] = ()) -> ProbedAnswer:
        """Search a module for records between two moments, like `2023-09-01 00:00`; return what `probe_search` does.

        Whether the module may be `cases`, by which date it searches, and in which zone, is undocumented.
        """
        asked = {"operation": self._target.operation, "module": module, "date": True, "from": start, "to": end}
        return self._probed(*self._ask("POST", "custom/queryDates.php", json.dumps(asked).encode()), secrets)

    def _probed(self, reply: Reply, outcome: Outcome, secrets: tuple[str, ...]) -> ProbedAnswer:
        shape = shape_of(reply.status, reply.body, (self._target.token, *secrets))
        reading = read(reply.body)
        if _answers(reply, reading):
            found = found_in(reading)
            return ProbedAnswer(
                accepted=True,
                records=found.records,
                shape=shape,
                believed=found.believed,
                says_more=says_more(reading),
            )
        if not _refuses_question(outcome):
            raise _refusal(outcome.pause)(explained(outcome.message))
        readable = reading.envelope is not None and reply.status < 500
        return ProbedAnswer(accepted=False, records=(), shape=shape, readable=readable)

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

    def _search(self, field: str, value: str, path: str = "cases/queryCases.php", **more: str) -> tuple[Reply, Outcome]:
        asked = {"operation": self._target.operation, **more, "field": field, "value": value}
        body = json.dumps(asked, ensure_ascii=False).encode()
        return self._ask("POST", path, body, (value,))

    def _ask(self, method: str, path: str, body: bytes = b"", secrets: tuple[str, ...] = ()) -> tuple[Reply, Outcome]:
        """Make a call that creates nothing; return its answer, and what that means."""
        with self._turn(), self._watching(self.attempt_deadline(len(body))) as watch:
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
                raise _refused(message, Outcome(Verdict.NOT_DELIVERED, reason, pause=pause)) from error

    def _exchange(self, method: str, path: str, watch: Watch, body: Upload | bytes) -> Reply:
        """Make one request, and count it as a call once its connection is open."""
        content_type = body.content_type if isinstance(body, Upload) else "application/json"
        headers = {**self._headers, "Content-Type": content_type}
        request = Request(method, self._target.server + _API + path, headers, body)
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


def _found(reply: Reply, outcome: Outcome) -> Found:
    """Return what a search found; raises where it was not answered."""
    reading = read(reply.body)
    if _answers(reply, reading):
        return found_in(reading)
    if _refuses_question(outcome) and reading.envelope is not None:
        raise QuestionRefused(_("The CRM does not answer the question: {reason}", reason=explained(outcome.message)))
    raise _not_answered(outcome)


def _refuses_question(outcome: Outcome) -> bool:
    """Tell whether only this one question is refused: a search may answer 404 for "no such case" (undocumented)."""
    return outcome.pause is None or (outcome.pause is Pause.PATH and not names_wrong_path(outcome.message))


def _answers(reply: Reply, reading: Reading) -> bool:
    """Tell whether an answer reports success, by a JSON object of the CRM or, of an older version, a bare list."""
    if not 200 <= reply.status < 300:
        return False
    succeeded = reading.envelope is not None and reading.code in (None, "200") and not reading.failed
    return succeeded or reading.listing is not None


def _not_answered(outcome: Outcome) -> ServerUnreachable | ConnectionRefused:
    message = _("The server does not answer the question: {reason}", reason=explained(outcome.message))
    return _refused(message, outcome)


def _refused(message: str, outcome: Outcome) -> ServerUnreachable | ConnectionRefused:
    """Return the error for a call that got no answer, with what that means."""
    error = _refusal(outcome.pause)(message)
    error.outcome = outcome
    return error


def _refusal(pause: Pause | None) -> type[ServerUnreachable | ConnectionRefused]:
    return ConnectionRefused if pause in _FIXED_BY_A_PERSON else ServerUnreachable
