"""The sandbox answers as the vendor's page says, and as configured where that page is silent."""

from __future__ import annotations

import base64
import json
import re
import tempfile
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ByteSize
from sandbox_support import CASE, INFORMATION, INSERT, QUERY, TOKEN, insert, query

from importer.sandbox import Latency, RunningSandbox, SandboxConfig, Search
from importer.sandbox.body import decoded
from importer.sandbox.traffic import Traffic

REQUIRED = [*(key for key in CASE if key not in {"form", "attachments"}), "form", "attachments"]


def test_a_case_is_created_with_ids(sandbox: RunningSandbox) -> None:
    """A whole case is answered in the documented shape and stored with everything that was sent."""
    response = insert(sandbox)
    (case,) = sandbox.store.cases
    assert response.status_code == 200
    assert response.json() == {
        "code": 200,
        "error": "null",
        "msg": "Succesfully create record",
        "data": {"wolkvox_id": case.wolkvox_id, "idPrefijo": case.id_prefijo},
    }
    assert re.fullmatch(r"[0-9a-f]{24}", case.wolkvox_id)
    assert case.id_prefijo == "SANDBOX-1"
    assert case.attachments == (b"hola",)
    assert case.reference == "WCI-0123456789ABCDEF"
    assert case.body == {key: value for key, value in CASE.items() if key != "attachments"}
    assert sandbox.posts == 1


def test_every_answer_says_what_it_is(sandbox: RunningSandbox) -> None:
    """Answers, refusals and pages carry the sandbox's label and its clock."""
    for response in (
        insert(sandbox),
        requests.post(sandbox.url + INSERT, timeout=10),
        requests.get(sandbox.url, timeout=10),
    ):
        assert "not the wolkvox CRM" in response.headers["X-Sandbox"]
        assert response.headers["Date"].endswith("GMT")


def test_the_token_is_checked() -> None:
    """No token is a 401, and one that is not listed a 403, in the vendor's words."""
    with RunningSandbox(SandboxConfig(tokens=("right",))) as sandbox:
        url = sandbox.url + INSERT
        none = requests.post(url, json=dict(CASE), timeout=10)
        wrong = requests.post(url, json=dict(CASE), headers=TOKEN, timeout=10)
        assert sandbox.store.cases == []
    assert (none.status_code, none.json()["error"]) == (401, "PLEASE ENTER THE WOLKVOX-TOKEN")
    assert (wrong.status_code, wrong.json()["error"]) == (403, "PLEASE VALIDATE TOKEN")


@pytest.mark.parametrize("name", REQUIRED)
def test_a_required_parameter_may_not_be_missing(sandbox: RunningSandbox, name: str) -> None:
    """Each documented parameter is required: without it, no case is created."""
    response = insert(sandbox, **{name: None})
    assert (response.status_code, response.json()["error"]) == (400, "SOME PARAMETERS ARE REQUIRED")
    assert name in response.json()["msg"]
    assert sandbox.store.cases == []


@pytest.mark.parametrize("status", ["Cerrado", "closed"])
def test_a_closed_case_needs_a_solution(sandbox: RunningSandbox, status: str) -> None:
    """Without configuration Cerrado and Closed, in any case, need a solution other than white space."""
    assert insert(sandbox, status=status, solution="  ").status_code == 400
    assert insert(sandbox, status=status, solution="Hecho").status_code == 200
    assert len(sandbox.store.cases) == 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("operation", "other"),
        ("case-type", "Claims"),
        ("responsible", "B_@demo"),
        ("owner", "B_@demo"),
        ("contact", "b@example.com"),
        ("status", "Roto"),
        ("priority", "Baja"),
    ],
)
def test_what_is_not_configured_does_not_exist(name: str, value: str) -> None:
    """If a list is configured, only its values exist; addresses are compared without regard to case."""
    config = SandboxConfig(
        operations=("demo",),
        users=("admin_@demo",),
        contacts=("ANA@example.com",),
        case_types=("Request",),
        priorities=("Alta",),
        statuses={"Abierto": "open"},
    )
    with RunningSandbox(config) as sandbox:
        assert insert(sandbox).status_code == 200
        response = insert(sandbox, **{name: value})
        assert (response.status_code, response.json()["msg"]) == (400, name)
        assert len(sandbox.store.cases) == 1


@pytest.mark.parametrize(
    ("name", "value"), [("contact", "ana"), ("contact", "a@b"), ("owner", "Ana"), ("owner", "a b@c")]
)
def test_without_configuration_only_what_is_well_formed_exists(sandbox: RunningSandbox, name: str, value: str) -> None:
    """A contact is an e-mail address and a user has a name, an @ and a module."""
    assert insert(sandbox, **{name: value}).status_code == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'{"operation": "demo"}', b'{"a": NaN}'])
def test_a_body_that_is_not_a_case_is_refused(sandbox: RunningSandbox, body: bytes) -> None:
    """Anything else that is sent is a 400, not a server error."""
    response = requests.post(sandbox.url + INSERT, data=body, headers=TOKEN, timeout=10)
    assert response.json()["error"] == "SOME PARAMETERS ARE REQUIRED"


@pytest.mark.parametrize("attachment", ["no base64!", "YQ", "data:text/plain;base64,YQ==", "YQ==" * 40_000, "ñ"])
def test_an_attachment_that_is_not_base64_is_refused(sandbox: RunningSandbox, attachment: str) -> None:
    """Nothing is stored of a case with an attachment that cannot be decoded."""
    response = insert(sandbox, attachments=[base64.b64encode(b"good").decode(), attachment])
    assert response.status_code == 400
    assert sandbox.store.cases == []


def test_half_a_character_is_refused(sandbox: RunningSandbox) -> None:
    """A lone surrogate, which JSON allows and Unicode text does not, is a 400."""
    assert insert(sandbox, description="\ud800").status_code == 400


def test_a_wrong_method_is_a_405(sandbox: RunningSandbox) -> None:
    """A GET of the insert call is answered with a code that the vendor lists."""
    assert requests.get(sandbox.url + INSERT, timeout=10).status_code == 405
    assert sandbox.posts == 0


# ------------------------------------------------------------------------------------------------ large bodies


def test_a_large_attachment_arrives_whole(sandbox: RunningSandbox) -> None:
    """Attachments of many megabytes are the bytes that were sent, next to a long text that is not an attachment."""
    large, text = bytes(range(256)) * 40_000, "Z" * 100_000
    files = [base64.b64encode(content).decode() for content in (large, b"", b"small")]
    assert insert(sandbox, attachments=files, description=text).status_code == 200
    (case,) = sandbox.store.cases
    assert case.attachments == (large, b"", b"small")
    assert case.body["description"] == text


def test_a_body_over_the_limit_is_refused_and_the_connection_stays_open() -> None:
    """The body is read to its end, so that the answer arrives and the next case uses the same connection."""
    with RunningSandbox(SandboxConfig(max_body=ByteSize(10_000))) as sandbox, requests.Session() as session:
        session.headers.update(TOKEN)
        refused = session.post(sandbox.url + INSERT, json={**CASE, "description": "x" * 2_000_000}, timeout=10)
        created = session.post(sandbox.url + INSERT, json=dict(CASE), timeout=10)
        assert len(sandbox.store.cases) == 1
    assert (refused.status_code, created.status_code) == (413, 200)


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_REPEATED = st.tuples(_TEXTS | st.just("A"), st.sampled_from([1, 70_000]), _TEXTS)
_FILES = st.tuples(st.binary(max_size=20), st.sampled_from([1, 9_000]))


@settings(max_examples=40, deadline=None)
@given(st.lists(_REPEATED, max_size=3), st.lists(_FILES, max_size=3))
def test_decoding_leaves_nothing_out(texts: list[tuple[str, int, str]], files: list[tuple[bytes, int]]) -> None:
    """Whatever texts and attachments a body holds, decoding gives them back, long base64 in texts included."""
    values = {f"{number}{end}": start * times + end for number, (start, times, end) in enumerate(texts)}
    contents = [content * times for content, times in files]
    sent = {**values, "attachments": [base64.b64encode(content).decode() for content in contents]}
    with tempfile.TemporaryFile() as taken:
        taken.write(json.dumps(sent).encode())
        taken.seek(0)
        with decoded(taken) as body:
            assert body.values == values
            assert [b"".join(file.chunks()) for file in body.attachments or ()] == contents


# ------------------------------------------------------------------------------------------------ the search


@pytest.mark.parametrize(
    ("field", "value", "found"),
    [
        ("email contact", "ANA@example.com", 2),
        ("email contact", "ana@example", 0),
        ("description", "wci-0123456789abcdef", 1),
        ("description", "%", 0),
        ("idPrefijo", "SANDBOX-2", 1),
        ("idCase", "2", 1),
        ("prefix", "SANDBOX", 2),
        ("type case", "Request", 2),
        ("status", "Cerrado", 0),
    ],
)
def test_the_search_compares_as_its_page_says(sandbox: RunningSandbox, field: str, value: str, found: int) -> None:
    """Descriptions match in part, other fields as a whole, both without regard to the case of A to Z."""
    insert(sandbox)
    insert(sandbox, description="Otra")
    assert len(query(sandbox, field, value).json()["data"]) == found


def test_a_found_record_carries_its_ids_and_fields(sandbox: RunningSandbox) -> None:
    """A record shows the case's ids and the fields it was created with, without the attachments."""
    ids = insert(sandbox).json()["data"]
    (record,) = query(sandbox, "wolkvox-id", ids["wolkvox_id"]).json()["data"]
    assert record == {**ids, "idCase": "1", **{key: value for key, value in CASE.items() if key != "attachments"}}


def test_the_search_is_as_configured() -> None:
    """Exactness, case, order and page size follow the configuration."""
    search = Search(partial=("email contact",), ignore_case=False, order="newest-first", page_size=1)
    with RunningSandbox(SandboxConfig(search=search)) as sandbox:
        insert(sandbox)
        insert(sandbox)
        assert [record["idCase"] for record in query(sandbox, "email contact", "ana@").json()["data"]] == ["2"]
        assert query(sandbox, "email contact", "ANA@").json()["data"] == []
        assert query(sandbox, "description", "factura").json()["data"] == []


def test_a_new_case_may_be_hidden_for_a_while() -> None:
    """A case younger than `seen_after` is not found, although it exists."""
    with RunningSandbox(SandboxConfig(search=Search(seen_after=3600))) as sandbox:
        insert(sandbox)
        assert query(sandbox, "email contact", "ana@example.com").json()["data"] == []
        assert len(sandbox.store.cases) == 1


@pytest.mark.parametrize(("shape", "code", "data"), [("empty-list", 200, []), ("null", 200, None), ("404", 404, None)])
def test_nothing_found_has_the_configured_shape(shape: str, code: int, data: object) -> None:
    """Which shape the CRM uses is unknown, so each of three can be rehearsed."""
    with RunningSandbox(SandboxConfig(search=Search(nothing_found=shape))) as sandbox:  # type: ignore[arg-type]
        response = query(sandbox, "email contact", "unknown@example.com")
    assert (response.status_code, response.json()["code"], response.json()["data"]) == (code, code, data)


@pytest.mark.parametrize(
    ("field", "value"), [("contact phone", "3001234567"), ("nonsense", "x"), ("status", ""), ("status", "\ud800")]
)
def test_a_field_that_cannot_be_searched_is_refused(sandbox: RunningSandbox, field: str, value: str) -> None:
    """A field that the sandbox has no data for gets an answer of its own, not 'nothing found'."""
    assert query(sandbox, field, value).status_code == 400


# ------------------------------------------------------------------------------------------------ limits


def test_the_quota_is_counted_per_token() -> None:
    """Every call of a token counts; after the last one, nothing is created until the next day."""
    with RunningSandbox(SandboxConfig(daily_quota=2)) as sandbox:
        url = f"{sandbox.url}{INFORMATION}?operation=demo"
        assert insert(sandbox).status_code == 200
        quota = requests.get(url, headers=TOKEN, timeout=10).json()["data"]
        assert (quota["token_limit"], quota["token_use_today"], quota["available_consumition_options"]) == (2, 2, 0)
        assert 0 <= quota["hours_to_restart_count"] <= 24
        response = insert(sandbox)
        assert (response.status_code, response.json()["error"]) == (403, "TOKEN LIMIT EXCEEDED")
        assert requests.get(url, headers={"Wolkvox-Token": "other"}, timeout=10).json()["data"]["token_use_today"] == 1
        sandbox.new_day()
        assert insert(sandbox).status_code == 200
        assert len(sandbox.store.cases) == 2


def test_the_quota_resets_each_day() -> None:
    """A token that has no calls left today can call again tomorrow."""
    traffic = Traffic()
    assert [traffic.spend("demo", 1), traffic.spend("demo", 1)] == [True, False]
    traffic.day -= timedelta(days=1)
    assert traffic.spend("demo", 1)


def test_token_information_needs_the_operation(sandbox: RunningSandbox) -> None:
    """The call without its parameter is a 400."""
    assert requests.get(sandbox.url + INFORMATION, headers=TOKEN, timeout=10).status_code == 400


def test_simultaneous_requests_are_limited_where_configured() -> None:
    """While one call of a token is in progress, the next is refused in the vendor's words and creates nothing."""
    config = SandboxConfig(simultaneous_requests=1)
    with RunningSandbox(config) as sandbox:
        started, go_on = threading.Event(), threading.Event()

        def slow_body() -> Iterator[bytes]:
            yield b" " * 70_000
            started.set()
            go_on.wait(10)
            yield b"{}"

        url = sandbox.url + QUERY
        first = threading.Thread(target=lambda: requests.post(url, data=slow_body(), headers=TOKEN, timeout=10))
        first.start()
        started.wait(10)
        refused = insert(sandbox)
        go_on.set()
        first.join()
        assert refused.status_code == 403
        assert refused.json()["error"] == "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (1)"
        assert insert(sandbox).status_code == 200


def test_latency_holds_every_answer_back() -> None:
    """A client that waits less than the latency gets no answer, yet the case exists."""
    with RunningSandbox(latency=Latency(0.3, 0.3)) as sandbox:
        with pytest.raises(requests.ReadTimeout):
            requests.post(sandbox.url + INSERT, json=dict(CASE), headers=TOKEN, timeout=(10, 0.05))
        assert insert(sandbox).status_code == 200
        assert len(sandbox.store.cases) == 2


@pytest.mark.parametrize("path", ["/", INSERT, QUERY, INFORMATION])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost", ""])
def test_x10_another_name_or_port_is_not_the_sandbox(sandbox: RunningSandbox, path: str, host: str) -> None:
    """A web page whose own name resolves to this computer gets nothing, from calls or pages."""
    port = sandbox.url.rpartition(":")[2]
    headers = {**TOKEN, "Host": host.format(port=port)}
    send = requests.get if path in ("/", INFORMATION) else requests.post
    assert send(sandbox.url + path, data=json.dumps(CASE), headers=headers, timeout=10).status_code == 400
    assert sandbox.store.cases == []


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "localhost.", "[::1]"])
def test_x10_every_name_of_this_computer_is_answered(sandbox: RunningSandbox, name: str) -> None:
    """Every local name works, at the sandbox's own port."""
    headers = {**TOKEN, "Host": f"{name}:{sandbox.url.rpartition(':')[2]}"}
    assert requests.post(sandbox.url + INSERT, json=dict(CASE), headers=headers, timeout=10).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://localhost"])
@pytest.mark.parametrize("method", ["post", "options"])
def test_x10_a_page_of_another_site_is_not_answered(sandbox: RunningSandbox, origin: str, method: str) -> None:
    """A browser names the site that sends the request: no case is created, and no preflight succeeds."""
    headers = {**TOKEN, "Origin": origin}
    response = requests.request(method, sandbox.url + INSERT, data=json.dumps(CASE), headers=headers, timeout=10)
    assert response.status_code == 403
    assert sandbox.store.cases == []


def test_x10_its_own_page_is_answered(sandbox: RunningSandbox) -> None:
    """The sandbox's own origin is not another site."""
    assert requests.get(sandbox.url, headers={"Origin": sandbox.url}, timeout=10).status_code == 200


@pytest.mark.parametrize(("token", "code"), [("", 401), ("any", 200), ("ñ", 403), ("a\tb", 403)])
def test_x10_a_token_that_could_be_none_is_refused(sandbox: RunningSandbox, token: str, code: int) -> None:
    """Without a list any token of printable ASCII is accepted; any other text is refused."""
    headers = {"Wolkvox-Token": token.encode("latin-1")}
    assert requests.post(sandbox.url + INSERT, json=dict(CASE), headers=headers, timeout=10).status_code == code
