"""Contacts and updates: the same one POST as a case, the same table of answers, and an update's success without id."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from email import message_from_bytes
from email.policy import HTTP

import pytest

from importer.crm import Crm, Reply, ScriptedTransport, interpret, json_reply
from importer.errors import AttachmentChanged, ConnectionRefused, QuestionRefused, ServerUnreachable
from importer.model import Outcome, Pause, Payload, Target, Verdict
from importer.payload import contact_body, update_body

TARGET = Target("https://crm.example", "demo", "canary-token")
CONTACT = {"emailcontact": "ana@example.com", "namecontact": "Ana Ñandú", "idcontact": 1020304050, "Nota": None}
CASE_ID = "64cb5f0e9a1b2c3d4e5f6a7b"
UPDATE = update_body(CASE_ID, {"status": "Cerrado", "solution": "Líneas\ndos"}, {"Subject": 'Ñ "x"'}, "demo", "WCI-1")
DONE = {"code": "200", "error": "null", "msg": "Succesfully update record", "data": []}

Send = Callable[[Crm], Outcome]
SENDS: dict[str, Send] = {
    "custom/insert.php": lambda crm: crm.create_contact(contact_body(CONTACT, "demo")),
    "cases/update.php": lambda crm: crm.update_case(UPDATE),
}


def sent(reply: Reply | Exception, send: Send) -> tuple[Outcome, ScriptedTransport]:
    """Send over a transport that gives one reply; return the outcome and the transport."""
    transport = ScriptedTransport([reply])
    with Crm(TARGET, transport=transport) as crm:
        outcome = send(crm)
        assert crm.calls == 1
    return outcome, transport


def parts_of(content_type: str, body: bytes) -> dict[str, str]:
    """Return the fields of a multipart form, as Python's own reader of mail sees them."""
    message = message_from_bytes(f"Content-Type: {content_type}\r\n\r\n".encode() + body, policy=HTTP)
    parts = {str(part["Content-Disposition"].params["name"]): part for part in message.iter_parts()}  # type: ignore[attr-defined]
    return {name: bytes(part.get_payload(decode=True)).decode() for name, part in parts.items()}


@pytest.mark.parametrize("path", SENDS)
def test_a_contact_and_an_update_are_one_post_each_to_the_documented_path(path: str) -> None:
    """The headers name the token and what the body is written in; the length is announced exactly."""
    _outcome, transport = sent(json_reply(200, DONE), SENDS[path])
    (request,) = transport.requests
    assert (request.method, request.url) == ("POST", f"https://crm.example/server/API/v2/{path}")
    assert request.headers["Wolkvox-Token"] == "canary-token"
    if path == "custom/insert.php":
        assert request.headers["Content-Type"] == "application/json"
        fields = {name: value for name, value in CONTACT.items() if value is not None}
        assert json.loads(request.body) == {"operation": "demo", "module": "contacts", "fields": fields}
    else:
        assert parts_of(request.headers["Content-Type"], request.body) == {
            "operation": "demo",
            "wolkvox-id": CASE_ID,
            "status": "Cerrado",
            "solution": "Líneas\ndos",
            "form": '{"Subject":"Ñ \\"x\\""}',
        }


@pytest.mark.parametrize("path", SENDS)
@pytest.mark.parametrize(
    ("status", "answer", "verdict"),
    [
        (200, DONE, Verdict.CREATED),
        (200, {**DONE, "code": 200, "data": {"wolkvox_id": CASE_ID}}, Verdict.CREATED),
        (200, {"error": "null", "msg": "ok"}, Verdict.CREATED),
        (201, {"msg": "ok"}, Verdict.CREATED),
        (200, {"code": 200}, Verdict.CREATED),
        (200, {**DONE, "msg": "0 records were are found"}, Verdict.UNKNOWN),
        (200, {**DONE, "msg": "0 records updated", "data": {}}, Verdict.UNKNOWN),
        (200, {**DONE, "msg": "10 records updated", "data": {}}, Verdict.CREATED),
        (200, {**DONE, "error": {}}, Verdict.UNKNOWN),
        (200, {**DONE, "error": {"msg": "no"}}, Verdict.UNKNOWN),
        (200, {**DONE, "error": "x"}, Verdict.UNKNOWN),
        (200, {"msg": "SOME PARAMETERS ARE REQUIRED"}, Verdict.UNKNOWN),
        (200, {**DONE, "code": 201}, Verdict.UNKNOWN),
        (200, [], Verdict.UNKNOWN),
        (200, [{"wolkvox_id": CASE_ID}], Verdict.UNKNOWN),
        (200, "ok", Verdict.UNKNOWN),
        (200, {**DONE, "code": 400, "error": "SOME PARAMETERS ARE REQUIRED"}, Verdict.REJECTED),
        (400, {"code": 400, "error": "X", "msg": "no", "data": None}, Verdict.REJECTED),
        (400, DONE, Verdict.UNKNOWN),
        (403, {"code": 403, "error": "TOKEN LIMIT EXCEEDED"}, Verdict.NOT_DELIVERED),
        (302, DONE, Verdict.UNKNOWN),
        (502, DONE, Verdict.UNKNOWN),
        (409, {"code": 409, "error": "exists"}, Verdict.UNKNOWN),
        (400, {"code": 400, "error": "exists", "data": {"wolkvox_id": "64cb00000000000000000001"}}, Verdict.UNKNOWN),
    ],
)
def test_c62_a_clear_success_of_an_update_needs_no_id_and_all_else_means_what_it_means_for_a_case(
    status: int, answer: object, verdict: Verdict, path: str
) -> None:
    """Code 200 or none, and no error, are a success, unless it counts no record; a contact's gives an id too."""
    outcome, _transport = sent(json_reply(status, answer), SENDS[path])
    if verdict is Verdict.CREATED and path == "custom/insert.php" and CASE_ID not in str(answer):
        verdict = Verdict.UNKNOWN
    assert outcome.verdict is verdict
    if verdict is Verdict.NOT_DELIVERED:
        assert outcome.pause is Pause.QUOTA


def test_c62_an_id_that_an_update_sent_itself_leaves_a_refusal_a_refusal() -> None:
    """The answer names the case that was to be updated, which is no news; another id is."""
    for wolkvox_id, verdict in ((CASE_ID, Verdict.REJECTED), (CASE_ID[::-1], Verdict.UNKNOWN)):
        refusal = {"code": 400, "error": "NO", "data": {"wolkvox_id": wolkvox_id}}
        outcome, _transport = sent(json_reply(400, refusal), SENDS["cases/update.php"])
        assert (outcome.verdict, outcome.ids) == (verdict, () if wolkvox_id == CASE_ID else (wolkvox_id,))


def test_a_success_after_a_short_upload_is_of_another_request() -> None:
    """An answer outranks the count of bytes, except a success."""
    body = json.dumps(DONE).encode()
    assert interpret(200, {}, body, whole=False, is_case=False).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("send", SENDS.values(), ids=SENDS)
def test_c62_a_lost_answer_is_unknown_and_its_sentence_speaks_of_no_case(send: Send) -> None:
    """What was sent whole may have been carried out."""
    outcome, _transport = sent(ConnectionResetError("reset"), send)
    assert outcome.verdict is Verdict.UNKNOWN
    assert "may or may not have carried it out" in outcome.message


def test_c62_a_lease_that_ended_keeps_a_contact_and_an_update_from_the_crm() -> None:
    """It is asked before the first and before the last bytes, as for a case."""
    transport = ScriptedTransport([json_reply(200, DONE)])
    with Crm(TARGET, transport=transport) as crm:
        for send, body in ((crm.create_contact, contact_body(CONTACT, "demo")), (crm.update_case, UPDATE)):
            for holds in ([False], [True, False]):
                leases = iter(holds)
                outcome = send(body, lambda leases=leases: next(leases))  # type: ignore[misc]
                assert (outcome.verdict, outcome.bytes_sent) == (Verdict.NOT_DELIVERED, 0)
                assert "nothing was changed" in outcome.message
    assert transport.requests == []


def test_a_body_that_is_not_as_announced_is_raised_for_all_sends() -> None:
    """The upload was stopped, so nothing was made."""
    with Crm(TARGET, transport=ScriptedTransport([])) as crm:
        for send in (crm.create, crm.create_contact, crm.update_case):
            with pytest.raises(AttachmentChanged):
                send(Payload("WCI-0", 5, lambda: iter((b"x",))))


@pytest.mark.parametrize(
    ("values", "form"),
    [({"contact": "a@b.co"}, None), ({"wolkvox-id": "other"}, None), ({"form": "{}"}, None), ({}, {"n": float("nan")})],
)
def test_an_update_of_what_is_documented_nowhere_is_not_built(values: Mapping[str, object], form: object) -> None:
    """A field that the vendor does not list for an update, or a value that JSON lacks, is an error before any call."""
    with pytest.raises(ValueError, match=r"\w"):
        update_body(CASE_ID, values, form, "demo")  # type: ignore[arg-type]


def test_what_was_sent_is_masked_in_the_answer() -> None:
    """The CRM may quote a contact's address and name, or a case's fields."""
    refusal = {"code": 400, "error": "ana@example.com Ana Ñandú Líneas dos canary-token"}
    for send, hidden in ((SENDS["custom/insert.php"], "ana@example.com"), (SENDS["cases/update.php"], "Líneas")):
        outcome, _transport = sent(json_reply(400, refusal), send)
        assert hidden not in outcome.message
        assert "canary" not in outcome.message


def test_c60_contacts_are_searched_by_one_field_of_their_module() -> None:
    """The question is that of public code, and 'none' is believed by the rule of every search."""
    record = {"emailcontact": "ana@example.com", "namecontact": "Ana", "wolkvox_id": CASE_ID}
    one = {"code": "200", "error": "null", "msg": "1 records were are found", "data": [record]}
    none = {**one, "msg": "0 records were are found", "data": []}
    transport = ScriptedTransport([json_reply(200, one), json_reply(200, none), json_reply(200, [])])
    with Crm(TARGET, transport=transport) as crm:
        answers = [crm.query_contacts("emailcontact", "ana@example.com") for _reply in range(3)]
    assert [(found.records, found.believed) for found in answers] == [((record,), True), ((), True), ((), False)]
    assert transport.requests[0].url == "https://crm.example/server/API/v2/custom/query.php"
    assert json.loads(transport.requests[0].body) == {
        "operation": "demo",
        "module": "contacts",
        "field": "emailcontact",
        "value": "ana@example.com",
    }


@pytest.mark.parametrize(
    ("status", "code", "error", "kind"),
    [
        (400, 400, "FIELD DOES NOT EXIST", QuestionRefused),
        (404, 404, "RECORD NOT FOUND", QuestionRefused),
        (403, 403, "TOKEN LIMIT EXCEEDED", ServerUnreachable),
        (403, 403, "PLEASE VALIDATE TOKEN", ConnectionRefused),
        (500, 500, "X", QuestionRefused),
        (400, 400, "THE API YOU WANT TO CONSULT DOES NOT EXIST", ConnectionRefused),
        (404, 404, "THE API YOU WANT TO CONSULT DOES NOT EXIST", ConnectionRefused),
        (200, 400, "THE API YOU WANT TO CONSULT DOES NOT EXIST", ConnectionRefused),
        (200, 404, "RECORD NOT FOUND", QuestionRefused),
        (200, 200, "SOMETHING", QuestionRefused),
    ],
)
def test_c61_a_search_of_contacts_that_is_not_answered_raises_as_one_of_cases(
    status: int, code: int, error: str, kind: type[Exception]
) -> None:
    """A refusal of this one question is told from what a person, or time, has to mend."""
    for name in ("query_cases", "query_contacts"):
        transport = ScriptedTransport([json_reply(status, {"code": code, "error": error, "data": None})])
        with Crm(TARGET, transport=transport) as crm, pytest.raises(kind):
            getattr(crm, name)("emailcontact", "a@b.co")
