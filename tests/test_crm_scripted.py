"""A client whose transport answers from a script, as tests of code that uses `Crm` make one."""

from __future__ import annotations

import json

import pytest

from importer.crm import Crm, ScriptedTransport, json_reply
from importer.errors import ServerUnreachable
from importer.model import Payload, Target, Verdict

TARGET = Target("https://crm.example", "demo", "canary-token")
BODY = b'{"operation": "demo"}'
CREATED = json_reply(200, {"code": 200, "error": "null", "msg": "", "data": {"wolkvox_id": "64cb0001"}})


def payload(*chunks: bytes) -> Payload:
    """Return a payload that is given out in these chunks, and announces the length of `BODY`."""
    return Payload("WCI-0", len(BODY), lambda: iter(chunks))


def test_each_request_gets_the_next_reply_and_is_noted_with_its_body() -> None:
    """A case and a question go over the same transport, and both are calls."""
    transport = ScriptedTransport([CREATED, json_reply(200, {"code": "200", "error": "null", "data": []})])
    with Crm(TARGET, transport=transport) as crm:
        assert crm.create(payload(BODY[:5], BODY[5:])).wolkvox_id == "64cb0001"
        assert crm.query_cases("email contact", "a@b.co").records == ()
        assert crm.calls == 2
    case, question = transport.requests
    assert (case.method, case.body) == ("POST", BODY)
    assert case.url == "https://crm.example/server/API/v2/cases/insertAttach.php"
    assert json.loads(question.body)["value"] == "a@b.co"


def test_an_exception_among_the_replies_is_raised_as_the_network_would() -> None:
    """A case that was sent is unknown then; a question is not answered; so is one beyond the end of the script."""
    transport = ScriptedTransport([TimeoutError("too slow"), ConnectionResetError("reset")])
    with Crm(TARGET, transport=transport) as crm:
        assert crm.create(payload(BODY)).verdict is Verdict.UNKNOWN
        with pytest.raises(ServerUnreachable, match="reset"):
            crm.token_information()
        with pytest.raises(ServerUnreachable, match="no reply to request 3"):
            crm.token_information()


def test_a_lease_that_ended_keeps_the_request_from_the_script() -> None:
    """It is asked before the first and before the last bytes, as on the network."""
    transport = ScriptedTransport([CREATED])
    with Crm(TARGET, transport=transport) as crm:
        for holds in ([False], [True, False]):
            leases = iter(holds)
            outcome = crm.create(payload(BODY), lambda leases=leases: next(leases))  # type: ignore[misc]
            assert (outcome.verdict, outcome.bytes_sent) == (Verdict.NOT_DELIVERED, 0)
    assert transport.requests == []


def test_retry_after_is_a_header_of_a_scripted_reply() -> None:
    """A script can ask for patience as the CRM does."""
    with Crm(TARGET, transport=ScriptedTransport([json_reply(429, {}, Retry_After="7")])) as crm:
        assert crm.create(payload(BODY)).retry_after == 7
