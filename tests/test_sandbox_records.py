"""The sandbox answers the calls of contacts and updates as `docs/crm.md` says, and as configured where it is silent."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from sandbox_support import CASE, TOKEN, insert, query

from importer.crm import Crm, interpret
from importer.model import Payload, Target, Verdict
from importer.payload import contact_body, update_body
from importer.sandbox import RecordRules, RunningSandbox, SandboxConfig, Search, Store, UpdateRules
from importer.sandbox.calls import CALLS

API = "/server/API/v2/"
ANA: Mapping[str, object] = {
    "emailcontact": "ana@example.com",
    "namecontact": "Ana Ñandú",
    "idcontact": "1020304050",
    "telephonecontact": {"country": "CO", "code": "+57", "value": "3001234567"},
}


def call(sandbox: RunningSandbox, path: str, **values: object) -> requests.Response:
    """Make a call of the demo's operation with a JSON object; a value of None leaves its key out."""
    body = {"operation": "demo", "module": "contacts", **values}
    sent = {key: value for key, value in body.items() if value is not None}
    return requests.post(sandbox.url + API + path, json=sent, headers=TOKEN, timeout=10)


def form(sandbox: RunningSandbox, path: str, *files: tuple[str, bytes], **values: str) -> requests.Response:
    """Make a call of the demo's operation with a multipart form; `_` in a name stands for `-`."""
    parts: list[Any] = [
        (name.replace("_", "-"), (None, value)) for name, value in {"operation": "demo", **values}.items()
    ]
    parts += [("file", file) for file in files]
    return requests.post(sandbox.url + API + path, files=parts, headers=TOKEN, timeout=10)


def search(sandbox: RunningSandbox, field: str, value: str) -> Any:  # noqa: ANN401 - JSON
    """Return what a search of contacts finds."""
    return call(sandbox, "custom/query.php", field=field, value=value).json()["data"]


def client(sandbox: RunningSandbox) -> Crm:
    """Return the importer's own client of the sandbox."""
    return Crm(Target(sandbox.url, "demo", "any"))


def update(sandbox: RunningSandbox, **values: str) -> requests.Response:
    """Update the first case."""
    return form(sandbox, "cases/update.php", **{"wolkvox_id": sandbox.store.cases[0].wolkvox_id, **values})


# ------------------------------------------------------------------------------------------------ contacts


def test_a_contact_is_created_and_found_by_the_importers_client(sandbox: RunningSandbox) -> None:
    """None is believed before, the contact comes back after, with the names that public code reads."""
    with client(sandbox) as crm:
        before = crm.query_contacts("emailcontact", "ana@example.com")
        made = crm.create_contact(contact_body(ANA, "demo"))
        after = crm.query_contacts("emailcontact", "ANA@EXAMPLE.COM")
    assert (before.records, before.believed) == ((), True)
    assert made.verdict is Verdict.CREATED
    (record,) = after.records
    assert after.believed
    assert {name: record[name] for name in ANA} == ANA
    assert (record["wolkvox_id"], made.wolkvox_id) == (made.wolkvox_id, sandbox.store.records.all()[0].wolkvox_id)
    assert [sandbox.calls(name) for name in ("custom-insert", "custom-query", "insert")] == [1, 2, 0]


@pytest.mark.parametrize(
    ("field", "value", "count"),
    [
        ("emailcontact", "ana@example.com", 1),
        ("emailcontact", "ana@example", 0),
        ("namecontact", "ana Ñandú", 1),
        ("ID Contacto", "1020304050", 1),
        ("idcontact", "1020304050", 1),
        ("telephonecontact", "3001234567", 1),
        ("nonsense", "x", 0),
        ("emailcontact", "%", 0),
    ],
)
def test_contacts_are_found_by_any_field(sandbox: RunningSandbox, field: str, value: str, count: int) -> None:
    """A field of any name is compared as a whole, also by the label that people see."""
    call(sandbox, "custom/insert.php", fields=ANA)
    assert len(search(sandbox, field, value)) == count


def test_the_search_of_contacts_is_as_configured() -> None:
    """In part or as a whole, the case of letters, order and page follow the configuration."""
    rules = RecordRules(partial=("emailcontact",), ignore_case=False)
    config = SandboxConfig(records=rules, search=Search(order="newest-first", page_size=1, next_page=True, count="all"))
    with RunningSandbox(config) as sandbox:
        for name in ("ana@example.com", "mariana@example.com"):
            call(sandbox, "custom/insert.php", fields={"emailcontact": name})
        answer = call(sandbox, "custom/query.php", field="emailcontact", value="ana@").json()
        assert [record["emailcontact"] for record in answer["data"]] == ["mariana@example.com"]
        assert (answer["msg"], answer["next_page"]) == ("2 records were are found", 2)
        assert search(sandbox, "emailcontact", "ANA@") == []
        with client(sandbox) as crm:
            assert not crm.query_contacts("emailcontact", "ana@").believed


@pytest.mark.parametrize(
    ("shape", "answer", "believed"),
    [
        ("empty-list", {"code": 200, "error": "null", "msg": "0 records were are found", "data": []}, True),
        ("null", {"code": 200, "error": "null", "msg": "0 records were are found", "data": None}, False),
        ("bare-list", [], False),
    ],
)
def test_c60_none_comes_in_every_shape(shape: Any, answer: object, believed: bool) -> None:  # noqa: ANN401, FBT001 - parameters
    """Only the vendor's words with an empty list are believed."""
    with RunningSandbox(SandboxConfig(search=Search(nothing_found=shape))) as sandbox, client(sandbox) as crm:
        assert call(sandbox, "custom/query.php", field="emailcontact", value="a@b.co").json() == answer
        for found in (crm.query_contacts("emailcontact", "a@b.co"), crm.query_cases("email contact", "a@b.co")):
            assert (found.records, found.believed) == ((), believed)


@pytest.mark.parametrize(("rule", "count", "status"), [("doubled", 2, 200), ("refused", 1, 400), ("returned", 1, 200)])
def test_a_repeated_address_is_as_configured(rule: Any, count: int, status: int) -> None:  # noqa: ANN401 - a literal
    """Whether contacts are unique is documented nowhere; the case of letters does not make two addresses."""
    with RunningSandbox(SandboxConfig(records=RecordRules(repeated=rule))) as sandbox:
        first = call(sandbox, "custom/insert.php", fields=ANA).json()["data"]["wolkvox_id"]
        again = call(sandbox, "custom/insert.php", fields={"emailcontact": "ANA@example.com"})
        assert (again.status_code, len(sandbox.store.records.all())) == (status, count)
        if rule == "returned":
            assert again.json()["data"]["wolkvox_id"] == first


@pytest.mark.parametrize(
    ("rule", "status", "contacts"), [("refused", 400, 0), ("created", 200, 1), ("accepted", 200, 0)]
)
@pytest.mark.parametrize("listed", [None, ("luis@example.com",)])
def test_a_case_of_an_unknown_contact_is_as_configured(
    listed: tuple[str, ...] | None,
    rule: Any,  # noqa: ANN401 - a literal
    status: int,
    contacts: int,
) -> None:
    """It is refused until the contact is created, or makes it, or goes without."""
    with RunningSandbox(SandboxConfig(contacts=listed, unknown_contact=rule)) as sandbox:
        assert insert(sandbox).status_code == status
        assert len(sandbox.store.records.all()) == contacts
        if rule == "refused":
            call(sandbox, "custom/insert.php", fields={"emailcontact": "Ana@Example.com"})
            assert insert(sandbox).status_code == 200


def test_a_contact_that_the_configuration_lists_is_found_in_every_operation(tmp_path: Path) -> None:
    """It has the same id after a restart, and is gone once it is no longer listed."""
    ids = []
    for listed in (("ANA@example.com",), ("ana@example.com",), ()):
        with Store(tmp_path / "s.db") as store, RunningSandbox(SandboxConfig(contacts=listed), store) as sandbox:
            ids.append([record["wolkvox_id"] for record in search(sandbox, "emailcontact", "ana@example.com")])
            assert sandbox.store.records.all() == []
    assert ids[0] == ids[1] != []
    assert ids[2] == []


@pytest.mark.parametrize(
    ("path", "values", "lacking"),
    [
        ("custom/insert.php", {"fields": None}, "fields"),
        ("custom/insert.php", {"fields": {}}, "fields"),
        ("custom/insert.php", {"fields": [ANA]}, "fields"),
        ("custom/insert.php", {"fields": ANA, "module": None}, "module"),
        ("custom/insertMany.php", {"fields": ANA}, "fields"),
        ("custom/insertMany.php", {"fields": [ANA, "x"]}, "fields"),
        ("custom/query.php", {"field": "emailcontact"}, "value"),
        ("custom/queryDates.php", {"from": "2023-09-01 00:00", "to": "2023-09-02 00:00"}, "date"),
        ("custom/queryDates.php", {"date": True, "from": "yesterday", "to": "2023-09-02 00:00"}, "from"),
        ("custom/delete.php", {}, "wolkvox-id"),
        ("custom/delete.php", {"wolkvox-id": ["a", "b"]}, "wolkvox-id"),
        ("cases/listHistoryNote.php", {"field": "idCase"}, "value"),
    ],
)
def test_what_a_call_lacks_is_named(
    sandbox: RunningSandbox, path: str, values: dict[str, object], lacking: str
) -> None:
    """Nothing is stored of a body without a parameter."""
    response = call(sandbox, path, **values)
    assert (response.status_code, response.json()["error"]) == (400, "SOME PARAMETERS ARE REQUIRED")
    assert lacking in response.json()["msg"]
    assert sandbox.store.records.all() == []


def test_many_records_go_in_one_call_all_or_none() -> None:
    """A module of any name has records; one refused contact refuses the call."""
    with RunningSandbox(SandboxConfig(records=RecordRules(repeated="refused"))) as sandbox:
        many = [{"emailcontact": f"{number}@example.com"} for number in range(3)]
        assert len(call(sandbox, "custom/insertMany.php", fields=many).json()["data"]) == 3
        assert call(sandbox, "custom/insertMany.php", fields=[ANA, many[0]]).status_code == 400
        assert len(sandbox.store.records.all()) == 3
        assert call(sandbox, "custom/insert.php", module="assets", fields={"serial": 7}).status_code == 200
        found = call(sandbox, "custom/query.php", module="assets", field="serial", value="7").json()["data"]
        assert [record["serial"] for record in found] == [7]


def test_one_address_at_the_same_time_is_refused_but_once() -> None:
    """Two requests that come together are judged one after the other."""
    with RunningSandbox(SandboxConfig(records=RecordRules(repeated="refused"))) as sandbox:
        with ThreadPoolExecutor(8) as pool:
            many = list(pool.map(lambda _n: call(sandbox, "custom/insert.php", fields=ANA).status_code, range(16)))
        assert (many.count(200), many.count(400), len(sandbox.store.records.all())) == (1, 15, 1)


def test_records_between_two_times_and_deleted_ones() -> None:
    """The last minute counts; a limit is obeyed; what is deleted is gone, one or several at a time."""
    with RunningSandbox() as sandbox:
        ids = [call(sandbox, "custom/insert.php", fields=ANA).json()["data"]["wolkvox_id"] for _ in range(3)]
        times = {"date": True, "from": "2020-01-01 00:00", "to": "2999-01-01 00:00"}
        assert len(call(sandbox, "custom/queryDates.php", **times).json()["data"]) == 3
        assert len(call(sandbox, "custom/queryDates.php", **times, limit=2).json()["data"]) == 2
        assert call(sandbox, "custom/queryDates.php", **{**times, "to": "2020-01-02 00:00"}).json()["data"] == []
        assert call(sandbox, "custom/delete.php", **{"wolkvox-id": ids[0]}).status_code == 200
        assert call(sandbox, "custom/delete.php", **{"wolkvox-id": ids[0]}).status_code == 404
        assert call(sandbox, "custom/delete.php", **{"wolkvox-id": ids[1:], "multiple": True}).status_code == 200
        assert sandbox.store.records.all() == []


@pytest.mark.parametrize(
    ("rule", "dates", "deletion"), [("refused", 400, 400), ("found", 200, 400), ("found-and-deleted", 200, 200)]
)
def test_whether_these_calls_reach_cases_is_a_switch(rule: Any, dates: int, deletion: int) -> None:  # noqa: ANN401 - a literal
    """Off unless configured; a deleted case's number is not given again."""
    with RunningSandbox(SandboxConfig(records=RecordRules(cases=rule, dates="modified"))) as sandbox:
        wolkvox_id = insert(sandbox).json()["data"]["wolkvox_id"]
        times = {"date": "true", "from": "2020-01-01 00:00", "to": "2999-01-01 00:00"}
        assert call(sandbox, "custom/queryDates.php", module="cases", **times).status_code == dates
        assert call(sandbox, "custom/delete.php", module="cases", **{"wolkvox-id": wolkvox_id}).status_code == deletion
        assert len(sandbox.store.cases) == (deletion != 200)
        assert insert(sandbox).json()["data"]["idPrefijo"] == "SANDBOX-2"


def test_there_are_no_notes(sandbox: RunningSandbox) -> None:
    """No documented call writes one."""
    assert call(sandbox, "cases/listHistoryNote.php", field="idCase", value="1", limit=5).json()["data"] == []


# ------------------------------------------------------------------------------------------------ updates


def test_the_importers_update_changes_a_case_by_its_id(sandbox: RunningSandbox) -> None:
    """Fields that were sent change, others stay; a repetition changes nothing more, and each is kept."""
    made = insert(sandbox, form={"Subject": "Factura", "Ciudad": "Cali"}).json()["data"]
    changes = update_body(made["wolkvox_id"], {"status": "Cerrado", "solution": "Listo"}, {"Subject": "Ñ"}, "demo")
    with client(sandbox) as crm:
        outcomes = [crm.update_case(changes) for _time in range(2)]
    assert [(one.verdict, one.wolkvox_id) for one in outcomes] == [(Verdict.CREATED, made["wolkvox_id"])] * 2
    (case,) = sandbox.store.cases
    expected = {**CASE, "status": "Cerrado", "solution": "Listo", "form": {"Subject": "Ñ", "Ciudad": "Cali"}}
    assert case.body == {name: value for name, value in expected.items() if name != "attachments"}
    assert case.modified_at > case.created_at
    assert case.attachments == (b"hola",)
    assert [sent.sent["status"] for sent in sandbox.store.updates(1)] == ["Cerrado", "Cerrado"]


def test_an_update_may_empty_what_it_does_not_name() -> None:
    """What is left untouched when a key is absent is documented nowhere."""
    with RunningSandbox(SandboxConfig(updates=UpdateRules(absent="emptied"))) as sandbox:
        insert(sandbox, form={"Subject": "Factura", "Ciudad": "Cali"})
        assert update(sandbox, status="Abierto", form='{"Subject": "Ñ"}').status_code == 200
        (case,) = sandbox.store.cases
    assert (case.body["form"], case.body["priority"], case.body["status"]) == ({"Subject": "Ñ"}, "", "Abierto")
    assert (case.body["contact"], case.body["description"]) == (CASE["contact"], CASE["description"])


@pytest.mark.parametrize(
    ("rule", "contents"),
    [("added", (b"hola", b"new", b"")), ("replacing", (b"new", b"")), ("ignored", (b"hola",))],
)
def test_files_of_an_update_are_as_configured(rule: Any, contents: tuple[bytes, ...]) -> None:  # noqa: ANN401 - a literal
    """Whether files are added or replaced is documented nowhere; an update without files leaves them alone."""
    with RunningSandbox(SandboxConfig(updates=UpdateRules(files=rule), file_names="kept")) as sandbox:
        insert(sandbox)
        files = (("nuevo ñ.txt", b"new"), ("empty.bin", b""))
        wolkvox_id = sandbox.store.cases[0].wolkvox_id
        assert form(sandbox, "cases/update.php", *files, wolkvox_id=wolkvox_id).status_code == 200
        assert update(sandbox, status="Abierto").status_code == 200
        (case,) = sandbox.store.cases
        assert case.attachments == contents
        kept = {"added": {1: "nuevo ñ.txt", 2: "empty.bin"}, "replacing": {0: "nuevo ñ.txt", 1: "empty.bin"}}
        assert sandbox.store.names(1) == kept.get(rule, {})


@pytest.mark.parametrize(
    ("values", "error"),
    [
        ({"wolkvox_id": "ffff0000ffff0000ffff0000"}, "WOLKVOX-ID DOES NOT EXIST"),
        ({"operation": "other"}, "WOLKVOX-ID DOES NOT EXIST"),
        ({"status": "Cerrado"}, "SOME PARAMETERS ARE REQUIRED"),
        ({"status": "Roto"}, "STATUS DOES NOT EXIST"),
        ({"responsible": "nobody"}, "RESPONSIBLE DOES NOT EXIST"),
        ({"form": "[]"}, "SOME PARAMETERS ARE REQUIRED"),
        ({"form": "{"}, "SOME PARAMETERS ARE REQUIRED"),
        ({"operation": " "}, "SOME PARAMETERS ARE REQUIRED"),
        ({"status": ""}, "SOME PARAMETERS ARE REQUIRED"),
    ],
)
def test_an_update_that_cannot_be_made_changes_nothing(values: dict[str, str], error: str) -> None:
    """A case that does not exist, a status without its solution, a value that does not exist."""
    with RunningSandbox(SandboxConfig(statuses={"Abierto": "open", "Cerrado": "closed"})) as sandbox:
        insert(sandbox)
        response = update(sandbox, **values)
        assert (response.status_code, response.json()["error"]) == (400, error)
        assert sandbox.store.updates(1) == []
        assert sandbox.store.cases[0].body["status"] == "Abierto"


def test_an_update_with_attachments_changes_what_its_page_lists(sandbox: RunningSandbox) -> None:
    """`updateCaseAttachment.php` is a JSON object with the keys of a new case."""
    wolkvox_id = insert(sandbox).json()["data"]["wolkvox_id"]
    changes = {**CASE, "contact": "luis@example.com", "description": "Otra", "wolkvox-id": wolkvox_id, "module": None}
    assert call(sandbox, "cases/updateCaseAttachment.php", **changes).status_code == 200
    (case,) = sandbox.store.cases
    assert (case.body["contact"], case.body["description"]) == ("luis@example.com", "Otra")
    assert case.attachments == (b"hola", b"hola")
    for wrong in ({"status": 5}, {"solution": 5}, {"form": []}):
        assert call(sandbox, "cases/updateCaseAttachment.php", **{**changes, **wrong}).status_code == 400
    assert (sandbox.calls("update-attach"), sandbox.posts) == (4, 1)


@pytest.mark.parametrize(("rule", "names"), [("kept", {0: "carta ñ.pdf"}), ("lost", {})])
def test_a_case_may_come_as_a_form(rule: Any, names: dict[int, str]) -> None:  # noqa: ANN401 - a literal
    """`cases/insert.php` takes the same keys as a multipart form, with files; whether names survive is a switch."""
    values = {name.replace("-", "_"): str(CASE[name]) for name in CASE if name not in {"form", "attachments"}}
    with RunningSandbox(SandboxConfig(file_names=rule)) as sandbox:
        made = form(sandbox, "cases/insert.php", ("carta ñ.pdf", b"%PDF-1.7"), **values, form='{"Subject": "Ñ"}')
        assert made.json()["data"]["idPrefijo"] == "SANDBOX-1"
        (case,) = sandbox.store.cases
        assert case.body == {**{n: v for n, v in CASE.items() if n != "attachments"}, "form": {"Subject": "Ñ"}}
        assert (case.attachments, sandbox.store.names(1)) == ((b"%PDF-1.7",), names)
        assert form(sandbox, "cases/insert.php", form="{}").status_code == 400


def test_a_call_with_a_body_of_another_kind_is_refused(sandbox: RunningSandbox) -> None:
    """A JSON object where a form is due, a form where JSON is, and a form that is cut."""
    insert(sandbox)
    wolkvox_id = sandbox.store.cases[0].wolkvox_id
    assert call(sandbox, "cases/update.php", **{"wolkvox-id": wolkvox_id}).status_code == 400
    assert form(sandbox, "custom/insert.php", fields="{}").status_code == 400
    headers = {**TOKEN, "Content-Type": "multipart/form-data; boundary=x"}
    for body in (b"", b"--x\r\nContent-Disposition: form-data; na", b"nonsense"):
        response = requests.post(sandbox.url + API + "cases/update.php", data=body, headers=headers, timeout=10)
        assert response.status_code == 400
    assert sandbox.store.updates(1) == []


# ------------------------------------------------------------------------------------------------ what they share


@pytest.mark.parametrize("name", [name for name in CALLS if name != "token"])
def test_every_call_checks_the_token_and_its_method_and_counts(name: str) -> None:
    """No token is a 401, another method a 405, a spent quota a 403; a fault may strike it."""
    path = CALLS[name].path
    with RunningSandbox(SandboxConfig(daily_quota=1), faults=[f"server-error:call={name},nth=3"]) as sandbox:
        url = sandbox.url + API + path
        assert requests.get(url, headers=TOKEN, timeout=10).status_code == 405
        assert requests.post(url, json={}, timeout=10).status_code == 401
        call(sandbox, path)
        assert call(sandbox, path).status_code == 500
        assert call(sandbox, path).json()["error"] == "TOKEN LIMIT EXCEEDED"
        assert sandbox.calls(name) == 4


def contact_or_update(sandbox: RunningSandbox) -> tuple[Payload, Payload]:
    """Return the bodies of a contact, and of an update of the one case."""
    wolkvox_id = insert(sandbox).json()["data"]["wolkvox_id"]
    return contact_body(ANA, "demo"), update_body(wolkvox_id, {"priority": "Baja"}, None, "demo")


@pytest.mark.parametrize(
    ("fault", "verdict", "done"),
    [
        ("closed-after-creating", Verdict.UNKNOWN, 1),
        ("closed-without-creating", Verdict.UNKNOWN, 0),
        ("server-error-after-creating", Verdict.UNKNOWN, 1),
        ("blank-ids", Verdict.CREATED, 1),
        ("string-code", Verdict.CREATED, 1),
        ("php-warning", Verdict.CREATED, 1),
        ("cut-json", Verdict.UNKNOWN, 1),
        ("html-answer", Verdict.UNKNOWN, 1),
        ("quota-exceeded", Verdict.NOT_DELIVERED, 0),
        ("redirect", Verdict.UNKNOWN, 0),
        ("late-creation:wait=0", Verdict.CREATED, 1),
    ],
)
def test_c62_faults_strike_contacts_and_updates(fault: str, verdict: Verdict, done: int) -> None:
    """What each fault does to a case, it does to these; the client's verdict agrees, but that an update needs no id."""
    with RunningSandbox() as sandbox, client(sandbox) as crm:
        contact, change = contact_or_update(sandbox)
        comma = "," if ":" in fault else ":"
        sandbox.inject(f"{fault}{comma}call=custom-insert", f"{fault}{comma}call=update")
        needs_id = Verdict.UNKNOWN if fault == "blank-ids" else verdict
        assert (crm.create_contact(contact).verdict, crm.update_case(change).verdict) == (needs_id, verdict)
        assert (len(sandbox.store.records.all()), len(sandbox.store.updates(1))) == (done, done)


def test_a_search_of_contacts_may_find_nothing(sandbox: RunningSandbox) -> None:
    """An existing contact is not found."""
    call(sandbox, "custom/insert.php", fields=ANA)
    sandbox.inject("search-finds-nothing:call=custom-query")
    assert search(sandbox, "emailcontact", "ana@example.com") == []


def test_cases_may_look_as_public_code_of_an_older_version_reads_them() -> None:
    """Names are nested, and moments carry no zone."""
    config = SandboxConfig(search=Search(record="nested"), records=RecordRules(zone="America/Bogota"))
    with RunningSandbox(config) as sandbox:
        insert(sandbox)
        (record,) = query(sandbox, "email contact", "ana@example.com").json()["data"]
    assert record["status"] == {"name": "Abierto"}
    assert record["description_case"] == CASE["description"]
    assert len(record["wolkvox_fecha_creacion"]) == len("2023-09-01 00:00:00")


def test_a_store_of_the_version_before_keeps_its_cases(tmp_path: Path) -> None:
    """A file that has only cases gets what contacts and updates need."""
    path = tmp_path / "old.db"
    with Store(path) as store:
        case = store.add({"description": "Uno", "operation": "demo"}, [], "OLD")
    with sqlite3.connect(path) as old:
        for table in ("names", "updates", "deletions", "records"):
            old.execute(f"DROP TABLE {table}")
        old.execute("PRAGMA user_version = 1")
    old.close()
    with Store(path) as store:
        assert store.cases == [case]
        assert store.records.add("contacts", "demo", [ANA])[0].fields == ANA
        assert store.add({"description": "Dos"}, [], "OLD").id_prefijo == "OLD-2"
        store.forget()
        assert (store.cases, store.records.all()) == ([], [])


def test_the_clients_table_agrees_with_the_sandboxs_answers(sandbox: RunningSandbox) -> None:
    """A contact's success is none for a case: the table of cases asks for the id."""
    answer = call(sandbox, "custom/insert.php", fields=ANA).json()
    answer["data"] = {}
    body = json.dumps(answer).encode()
    assert interpret(200, {}, body).verdict is Verdict.UNKNOWN
    assert interpret(200, {}, body, is_case=False).verdict is Verdict.CREATED
