"""What an answer means for the row that was sent."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.crm import TABLE, CircuitBreaker, interpret
from importer.crm.answers import retry_after
from importer.crm.reading import MASK, for_people, read
from importer.model import Outcome, Pause, Verdict

DATA = {"wolkvox_id": "64cb0001", "idPrefijo": "CAS-1"}
SUCCESS: dict[str, object] = {"code": 200, "error": "null", "msg": "Succesfully create record", "data": DATA}
NO_SUCH_CALL = "THE API YOU WANT TO CONSULT DOES NOT EXIST"
PHP = b"<br />\n<b>Warning</b>: Undefined array key {x} in <b>/var/www/{insert}.php</b> on line <b>12</b><br />\n"
OUTCOMES = Path(__file__).parent.parent / "docs" / "outcomes.md"


def outcome(status: int, body: object, **options: object) -> Outcome:
    """Interpret an answer; a body that is not bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return interpret(status, {}, content, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", [200, "200", 200.0])
def test_the_documented_success_is_created_whether_its_code_is_number_or_text(code: object) -> None:
    """Code and error come in several spellings; the ids are taken as text."""
    for error in ("null", None, ""):
        made = outcome(200, {**SUCCESS, "code": code, "error": error})
        assert (made.verdict, made.wolkvox_id, made.id_prefijo) == (Verdict.CREATED, "64cb0001", "CAS-1"), error


@pytest.mark.parametrize(
    "body",
    [
        {**SUCCESS, "data": {"wolkvox_id": " ", "idPrefijo": " "}},
        {**SUCCESS, "data": {"wolkvox_id": "null", "idPrefijo": "CAS-1"}},
        {**SUCCESS, "data": []},
        {**SUCCESS, "data": None},
        {**SUCCESS, "error": "something"},
        {key: value for key, value in SUCCESS.items() if key != "code"},
        json.dumps(SUCCESS)[:-20].encode(),
        json.dumps(SUCCESS).encode() * 2,
        b"<html><body>Bienvenido</body></html>",
        b"",
        b"\x00\xff\xfe",
    ],
)
def test_o7_a_success_that_is_cut_short_or_html_or_without_id_is_unknown(body: object) -> None:
    """Only an id is an id; everything else is settled later."""
    assert outcome(200, body).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize("body", [SUCCESS, b"<html>Bad Gateway</html>", {"code": 400, "msg": "no"}])
def test_o8_a_servers_error_is_unknown_whatever_it_says(body: object) -> None:
    """The case may have been made before the error."""
    for status in (500, 502, 503, 504, 520):
        assert outcome(status, body).verdict is Verdict.UNKNOWN, status


@pytest.mark.parametrize(("wait", "seconds"), [("120", 120.0), ("0", 0.0), ("soon", None), ("-5", None), ("", None)])
def test_o9_a_wait_in_seconds_is_read(wait: str, seconds: float | None) -> None:
    """429 proves that nothing was created, and its wait is passed on."""
    made = interpret(429, {"retry-after": wait}, b"")
    assert (made.verdict, made.pause, made.retry_after) == (Verdict.NOT_DELIVERED, Pause.SLOW_DOWN, seconds)


def test_o9_a_wait_until_a_date_is_measured_by_the_servers_own_clock() -> None:
    """A wrong clock here makes no retry come too early."""
    then, until = (format_datetime(datetime(2030, 1, 1, 12, minute, tzinfo=UTC), usegmt=True) for minute in (0, 2))
    assert retry_after({"Date": then, "Retry-After": until}) == 120.0
    assert retry_after({"Date": until, "Retry-After": then}) == 0.0
    assert (retry_after({"Retry-After": until}) or 0) > 0


@pytest.mark.parametrize("status", [200, 403])
@pytest.mark.parametrize("key", ["error", "msg"])
def test_o15_the_two_403s_that_are_no_verdict_are_told_by_their_words(status: int, key: str) -> None:
    """The quota pauses, the limit of simultaneous requests slows down; the row goes again in both cases."""
    quota = outcome(status, {"code": "403", key: "TOKEN LIMIT EXCEEDED"})
    assert (quota.verdict, quota.pause) == (Verdict.NOT_DELIVERED, Pause.QUOTA)
    busy = outcome(status, {"code": "403", key: "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)"})
    assert (busy.verdict, busy.pause) == (Verdict.NOT_DELIVERED, Pause.SLOW_DOWN)


def test_words_that_a_row_holds_itself_are_not_taken_for_the_crms() -> None:
    """A rejection that quotes the row's text stays a rejection."""
    quoted = {"code": 400, "msg": "invalid description: TOKEN LIMIT EXCEEDED"}
    made = outcome(400, quoted, secrets=("Ayer: token limit exceeded", "TOKEN LIMIT EXCEEDED"))
    assert (made.verdict, made.pause) == (Verdict.REJECTED, None)


@pytest.mark.parametrize("before", [b"", PHP, b"\xef\xbb\xbf", b"\xef\xbb\xbf\n\n" + PHP])
def test_o16_json_is_found_behind_a_php_warning(before: bytes) -> None:
    """Warnings, braces in them and a byte order mark are passed over."""
    for behind in (b"", b"\n", PHP):
        assert outcome(200, before + json.dumps(SUCCESS).encode() + behind).verdict is Verdict.CREATED, behind


@pytest.mark.parametrize(
    ("status", "body", "verdict", "pause"),
    [
        (400, {"code": 400, "error": "SOME PARAMETERS ARE REQUIRED"}, Verdict.REJECTED, None),
        (200, {"code": "400", "error": "SOME PARAMETERS ARE REQUIRED"}, Verdict.REJECTED, None),
        (403, {"code": 403, "msg": "OWNER NOT FOUND"}, Verdict.REJECTED, None),
        (200, {"code": 404, "msg": "CONTACT NOT FOUND"}, Verdict.REJECTED, None),
        (412, {"code": 412, "msg": "x"}, Verdict.REJECTED, None),
        (200, {"code": 412.0, "msg": "x"}, Verdict.REJECTED, None),
        (400, {"code": 400, "error": NO_SUCH_CALL}, Verdict.NOT_DELIVERED, Pause.PATH),
        (200, {"code": "400", "msg": NO_SUCH_CALL.lower(), "error": {}}, Verdict.NOT_DELIVERED, Pause.PATH),
        (404, {"code": 404, "error": NO_SUCH_CALL}, Verdict.NOT_DELIVERED, Pause.PATH),
        (400, NO_SUCH_CALL.encode(), Verdict.NOT_DELIVERED, Pause.PATH),
        (413, b"<html>", Verdict.REJECTED, None),
        (400, b"<html>", Verdict.UNKNOWN, None),
        (409, {"code": 409, "msg": "DUPLICATE"}, Verdict.UNKNOWN, None),
        (400, SUCCESS, Verdict.UNKNOWN, None),
        (401, b"", Verdict.NOT_DELIVERED, Pause.CREDENTIALS),
        (403, {"code": 403, "msg": "PLEASE VALIDATE TOKEN"}, Verdict.NOT_DELIVERED, Pause.CREDENTIALS),
        (200, {"code": "401", "error": "PLEASE ENTER THE WOLKVOX-TOKEN"}, Verdict.NOT_DELIVERED, Pause.CREDENTIALS),
        (403, b"TOKEN LIMIT EXCEEDED", Verdict.NOT_DELIVERED, Pause.QUOTA),
        (403, b"<html>Forbidden</html>", Verdict.UNKNOWN, Pause.PATH),
        (404, b"<html>Not Found</html>", Verdict.NOT_DELIVERED, Pause.PATH),
        (405, b"", Verdict.NOT_DELIVERED, Pause.PATH),
        (407, b"", Verdict.NOT_DELIVERED, Pause.PATH),
        (308, b"", Verdict.NOT_DELIVERED, Pause.REDIRECT),
        (303, b"", Verdict.UNKNOWN, Pause.REDIRECT),
        (418, b"", Verdict.UNKNOWN, None),
        (103, b"", Verdict.UNKNOWN, None),
        (999, SUCCESS, Verdict.UNKNOWN, None),
    ],
)
def test_each_line_of_the_table_means_what_it_says(
    status: int, body: object, verdict: Verdict, pause: Pause | None
) -> None:
    """HTTP status and the body's code are read together."""
    made = outcome(status, body)
    assert (made.verdict, made.pause) == (verdict, pause)


@pytest.mark.parametrize(
    ("status", "body", "named"),
    [
        (403, {"code": 403, "error": "FORBIDDEN"}, True),
        (200, {"code": "403", "error": {"m": "no"}}, True),
        (403, b"<html>Forbidden</html>", True),
        (403, b"", True),
        (403, {"code": 403, "msg": "OWNER NOT FOUND"}, False),
        (403, {"code": 403, "msg": "PLEASE VALIDATE TOKEN"}, False),
        (403, {"code": 403, "msg": "TOKEN LIMIT EXCEEDED"}, False),
        (403, {"code": 400, "msg": "FORBIDDEN"}, False),
        (412, {"code": 412, "msg": "FORBIDDEN"}, False),
    ],
)
def test_c63_a_403_without_known_words_names_the_address_as_a_possible_cause(
    status: int,
    body: object,
    named: bool,  # noqa: FBT001 - a parameter
) -> None:
    """A CRM that admits only some addresses says so with a 403, in words that are documented nowhere."""
    assert ("internet address (IP)" in outcome(status, body).message) is named


def test_c61_a_path_that_does_not_exist_pauses_the_run_at_once() -> None:
    """A person must mend the address; the row stays planned and is not counted as rejected."""
    made = outcome(400, {"code": 400, "error": NO_SUCH_CALL, "msg": "", "data": None})
    reason = CircuitBreaker().note(made)
    assert (made.verdict, reason and reason.exit_status) == (Verdict.NOT_DELIVERED, 5)
    assert "this address does not accept cases" in (reason.message if reason else "")


def test_c61_a_row_that_holds_the_words_of_a_wrong_path_is_rejected_and_pauses_nothing() -> None:
    """The CRM may only quote the row."""
    body = {"code": 400, "error": f"WRONG VALUE {NO_SUCH_CALL}"}
    made = outcome(400, body, secrets=[NO_SUCH_CALL])
    assert (made.verdict, made.pause) == (Verdict.REJECTED, None)


def test_an_answer_outranks_a_short_upload_except_a_success() -> None:
    """A success cannot be that of a body which never arrived whole; its id is kept for a person to look at."""
    assert outcome(400, {"code": 400, "msg": "no"}, whole=False).verdict is Verdict.REJECTED
    made = outcome(200, SUCCESS, whole=False)
    assert (made.verdict, made.wolkvox_id, made.ids) == (Verdict.UNKNOWN, None, ("64cb0001",))


def test_values_that_were_sent_are_masked_in_the_crms_words_and_short_ones_are_not() -> None:
    """No cell and no token stays in a message, in whatever case or spacing the CRM repeats it."""
    body = {"code": 400, "msg": "contact ANA@Example.co of Ana\n  Ruiz (11) with tok-123 &amp; <b>"}
    made = outcome(400, body, secrets=("tok-123", "ana@example.co", "Ana Ruiz", "11", ""))
    assert made.message == f"contact {MASK} of {MASK} (11) with {MASK} & <b>"


def test_masking_comes_before_shortening() -> None:
    """A long value leaves no beginning behind."""
    value = "secret " * 100
    assert for_people(f"bad value: {value}", [value]) == f"bad value: {MASK}"
    assert "line" not in for_people("bad: first line", ["first line\nsecond line"])


@given(st.binary(max_size=200), st.integers(100, 999), st.booleans())
@settings(max_examples=60)
def test_no_answer_whatever_it_is_raises_or_makes_a_case_without_an_id(body: bytes, status: int, whole: bool) -> None:  # noqa: FBT001 - drawn
    """Whatever comes back, there is an outcome, and created means an id."""
    made = interpret(status, {}, body, whole=whole)
    assert made.verdict is not Verdict.CREATED or made.wolkvox_id


@given(
    st.recursive(
        st.none() | st.text(max_size=5) | st.integers(),
        lambda inner: (
            st.lists(inner) | st.dictionaries(st.sampled_from(["code", "error", "msg", "data", "wolkvox_id"]), inner)
        ),
    ),
    st.integers(100, 999),
)
@settings(max_examples=60)
def test_no_json_whatever_its_shape_raises(body: object, status: int) -> None:
    """The documented names may hold anything."""
    made = outcome(status, body)
    assert made.verdict is not Verdict.CREATED or made.wolkvox_id


NO_IDS = [
    False, True, 0, 1, 6401, 1.5, None, [], {}, "", " ", "-", "N/A", "null", "NaN", "undefined", "0", "000", "0.0",
    "00000000-0000-0000-0000-000000000000", "\u200b", "\ufeff\u200b", "64cb\u200b0001", "64cb 0001", "error 500",
    "Error500", "failed-1", "EXCEPTION_12", "no-digit", "x" * 64 + "1", "_64cb", "64cb\n0002", chr(0xFF16) + "4cb",
    "WCI-0123456789ABCDEF", "<b>64cb</b>", "64cb/1",
]  # fmt: skip


@pytest.mark.parametrize("value", NO_IDS)
def test_o22_a_success_whose_id_is_no_id_is_unknown(value: object) -> None:
    """Numbers, truths, blanks, zeros, invisible characters, sentences and an error's words name no case."""
    made = outcome(200, {**SUCCESS, "data": {"wolkvox_id": value, "idPrefijo": " "}})
    assert (made.verdict, made.wolkvox_id, made.id_prefijo, made.ids) == (Verdict.UNKNOWN, None, None, ())
    assert "gives no id" in made.message
    numbered = outcome(200, {**SUCCESS, "data": {"wolkvox_id": value, "idPrefijo": "CAS-1"}})
    assert (numbered.verdict, numbered.wolkvox_id, numbered.ids) == (Verdict.UNKNOWN, None, ("CAS-1",))
    assert "CAS-1" in numbered.message


@pytest.mark.parametrize("value", ["64cb0001", " 64cb0001\n", "64cb-00:01_x.y", "1", "a" * 63 + "1"])
def test_o22_what_the_crm_writes_is_an_id(value: str) -> None:
    """White space around it is none of it."""
    assert outcome(200, {**SUCCESS, "data": {"wolkvox_id": value}}).wolkvox_id == value.strip()


@pytest.mark.parametrize(
    "error", [{}, [], {"message": "no"}, ["no"], 0, 7, True, "0", "x", "\u200b", [None], {"a": {}}]
)
def test_o22_an_error_of_any_kind_is_never_a_success(error: object) -> None:
    """The documented success says "null"; its id is kept all the same."""
    made = outcome(200, {**SUCCESS, "error": error})
    assert (made.verdict, made.wolkvox_id, made.ids) == (Verdict.UNKNOWN, None, ("64cb0001",))


@pytest.mark.parametrize(
    ("prefix", "kept"),
    [
        ("CAS-1", "CAS-1"),
        (17, "17"),
        (" ", None),
        (None, None),
        (True, None),
        ([], None),
        ("\x1b[31mC\x00\ud800\u202e", "C \ufffd"),
    ],
)
def test_o22_o25_the_number_that_people_see_is_kept_clean_and_may_be_missing(prefix: object, kept: str | None) -> None:
    """It decides nothing."""
    made = outcome(200, {**SUCCESS, "data": {"wolkvox_id": "64cb0001", "idPrefijo": prefix}})
    assert (made.verdict, made.id_prefijo) == (Verdict.CREATED, kept)
    long = outcome(200, {**SUCCESS, "data": {"wolkvox_id": "64cb0001", "idPrefijo": "9" * 500}})
    assert len(long.id_prefijo or "") == 64


ANOTHER = {"code": 200, "error": "null", "data": {"wolkvox_id": "64cb0002"}}


@pytest.mark.parametrize(
    "body",
    [
        json.dumps(SUCCESS) + json.dumps(ANOTHER),
        json.dumps([SUCCESS, ANOTHER]),
        json.dumps(SUCCESS) + json.dumps(ANOTHER)[:-1],
        json.dumps(SUCCESS) + json.dumps({"wolkvox_id": "64cb0002"}),
        json.dumps({**SUCCESS, "wolkvox_id": "64cb0002"}),
        json.dumps({**SUCCESS, "msg": json.dumps(ANOTHER)}),
        '{"code":200,"error":"null","data":{"wolkvox_id":"64cb0002","wolkvox_id":"64cb0001"}}',
    ],
)
def test_o21_an_answer_that_names_two_cases_is_unknown_and_both_are_noted(body: str) -> None:
    """Which of them is this row's cannot be known, whatever the status says."""
    for status in (200, 401, 404, 429):
        made = outcome(status, body.encode())
        named = {"64cb0001", "64cb0002"}
        assert (made.verdict, made.wolkvox_id, set(made.ids)) == (Verdict.UNKNOWN, None, named), status


def test_o21_the_same_answer_twice_is_unknown_even_without_an_id() -> None:
    """It is not the CRM's answer to one request."""
    assert outcome(429, json.dumps({"code": 429}).encode() * 2).verdict is Verdict.UNKNOWN


def test_o21_the_id_of_a_contact_inside_the_case_is_no_second_case() -> None:
    """It is noted, and the case is created."""
    made = outcome(200, {**SUCCESS, "data": {**DATA, "contact": {"wolkvox_id": "c1"}}})
    assert (made.verdict, made.wolkvox_id, made.ids) == (Verdict.CREATED, "64cb0001", ("64cb0001", "c1"))


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"code": 400, "error": "NO", "data": DATA}),
        json.dumps({"code": 403, "error": "TOKEN LIMIT EXCEEDED", "data": [DATA]}),
        json.dumps({"code": 429, "msg": {"case": {"Wolkvox-Id": "64cb0001"}}}),
        json.dumps({"code": 412, "wolkvox_id": "64cb0001"}),
        json.dumps({"code": 400, "msg": json.dumps(json.dumps(DATA))}),
        json.dumps({"code": 401, "data": DATA})[:-3],
        "<p>Fatal error: " + json.dumps(DATA).replace('"', "&quot;") + "</p>",
        "<pre>wolkvox_id => 64cb0001</pre>",
        "<wolkvox_id>64cb0001</wolkvox_id>",
        'Warning: {"wolkvox\\u005fid" : "64cb0001"',
    ],
)
def test_o23_an_id_that_comes_with_a_refusal_is_never_lost(body: str) -> None:
    """Any status and any code, whole, cut, nested or wrapped: the row is unknown, and the sentence names the id."""
    for status in (200, 301, 302, 400, 401, 403, 404, 405, 407, 409, 413, 417, 429, 500, 503):
        made = outcome(status, body.encode())
        assert (made.verdict, made.wolkvox_id, made.ids) == (Verdict.UNKNOWN, None, ("64cb0001",)), status
        assert "64cb0001" in made.message, status


@pytest.mark.parametrize(
    ("status", "code", "words", "pause"),
    [
        (403, 403, "TOKEN LIMIT EXCEEDED", Pause.QUOTA),
        (401, 401, "", Pause.CREDENTIALS),
        (308, None, "", Pause.REDIRECT),
        (302, None, "", Pause.REDIRECT),
        (429, None, "", Pause.SLOW_DOWN),
        (404, None, "", Pause.PATH),
    ],
)
def test_o23_what_pauses_the_run_pauses_it_with_an_id_too(
    status: int, code: int | None, words: str, pause: Pause
) -> None:
    """Only the row's verdict changes."""
    made = outcome(status, {"code": code, "error": words, "data": DATA})
    assert (made.verdict, made.pause, made.ids) == (Verdict.UNKNOWN, pause, ("64cb0001",))


def test_o23_an_id_in_the_address_that_a_redirect_leads_to_is_kept() -> None:
    """The server may have made the case before it shows where."""
    made = interpret(301, {"location": "/case.php?wolkvox_id=64cb0001&x=1"}, b"")
    assert (made.verdict, made.pause, made.ids) == (Verdict.UNKNOWN, Pause.REDIRECT, ("64cb0001",))


MONGO = "64cb5f0e9a1b2c3d4e5f6a7b"


@pytest.mark.parametrize(
    ("more", "noted"),
    [
        ({"data": {"idPrefijo": "PQR-7"}}, "PQR-7"),
        ({"data": {"wolkvox_id": " ", "idPrefijo": "PQR-7"}}, "PQR-7"),
        ({"data": [{"IdPrefijo": " PQR-7\u200b"}]}, "PQR-7"),
        ({"data": {"case": {"id_prefijo": "PQR-7"}}}, "PQR-7"),
        ({"idPrefijo": 7}, "7"),
        ({"data": {"idCase": 5512}}, "5512"),
        ({"data": {"idCase": "5512"}}, "5512"),
        ({"data": {"caseId": MONGO}}, MONGO),
        ({"case_id": "a1"}, "a1"),
        ({"id": MONGO}, MONGO),
        ({"data": {"id": "17a"}}, "17a"),
        ({"msg": f"case {MONGO} created"}, MONGO),
        ({"error": {"text": f"DUPLICATE:{MONGO.upper()}."}}, MONGO.upper()),
        ({"msg": 'no mail for {"idCase": 5512, "x": 1}'}, "5512"),
        ({"msg": "made idPrefijo: PQR-7"}, "PQR-7"),
        ({"msg": "idPrefijo = PQR-7. Mail failed"}, "PQR-7"),
        ({"data": json.dumps(json.dumps({"idPrefijo": "PQR-7"}))}, "PQR-7"),
    ],
)
def test_o23_what_names_a_case_without_a_wolkvox_id_is_never_lost(more: dict[str, object], noted: str) -> None:
    """Its number, its prefix, an id by another name, or one in the CRM's words: the row is unknown, and says it."""
    for status in (200, 302, 400, 401, 404, 429, 500):
        made = outcome(status, {"code": 400, "error": "NO", **more})
        assert (made.verdict, made.wolkvox_id, made.ids) == (Verdict.UNKNOWN, None, (noted,)), status
        assert noted in made.message, status


@pytest.mark.parametrize(
    "body",
    [
        '{"code":400,"error":"NO","data":{"idPrefijo":"PQR-7"',
        '{"code":400,"error":"NO","data":{"idPrefijo":"PQR-7"}',
        '{"code":400,"error":"NO"} {"data":{"idPrefijo":"PQR-7","x":',
        "<p>Fatal error: {&quot;idPrefijo&quot;:&quot;PQR-7&quot;}</p>",
        "<idPrefijo>PQR-7</idPrefijo>",
    ],
)
def test_o23_a_prefix_in_an_answer_that_is_cut_or_a_page_is_never_lost(body: str) -> None:
    """Whole or cut, in JSON or in HTML."""
    made = outcome(400, body.encode())
    assert (made.verdict, made.ids) == (Verdict.UNKNOWN, ("PQR-7",))


@pytest.mark.parametrize(
    "more",
    [
        {"data": {"idPrefijo": " ", "idCase": "", "caseId": None, "id": "\u200b"}},
        {"data": {"idPrefijo": "null", "idCase": 0, "caseId": "none", "id": "-"}},
        {"data": {"id": 400, "caseId": 400, "idCase": 400, "idPrefijo": "400"}, "id": "404"},
        {"data": {"id": 17, "caseId": True, "idCase": False, "idPrefijo": 1.5}},
        {"data": {"contact": {"id": MONGO, "idCase": 1}, "owner": {"caseId": MONGO, "idPrefijo": "U-1"}}},
        {"data": {"pages": {"id": "a1"}}},
        {"data": {"idPrefijo": "WCI-0123456789ABCDEF"}},
        {"msg": f"{MONGO}0 and x{MONGO} are wrong"},
    ],
)
def test_o23_what_names_no_case_leaves_a_refusal_a_refusal(more: dict[str, object]) -> None:
    """Blanks, words, HTTP's statuses, ids of people and of other things, and longer codes."""
    made = outcome(400, {"code": 400, "error": "NO", **more})
    assert (made.verdict, made.ids) == (Verdict.REJECTED, ())


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [
        (f"my order {MONGO}, please", f"invalid description: {MONGO}"),
        (f"{MONGO}{MONGO}", f"invalid: {MONGO}"),
        (MONGO.upper(), f"no such contact: {MONGO}"),
        ('see idCase: "5512"!', 'invalid description: see idCase: "5512"'),
    ],
)
def test_o23_o24_what_the_row_sent_itself_names_no_case(sent: str, echoed: str) -> None:
    """A rejection that quotes a code of the row stays a rejection."""
    assert outcome(400, {"code": 400, "msg": echoed}, secrets=("x", sent)).verdict is Verdict.REJECTED
    assert outcome(400, {"code": 400, "msg": echoed}, secrets=("x",)).verdict is Verdict.UNKNOWN


def test_o22_a_case_has_more_names_than_its_id_and_is_created_all_the_same() -> None:
    """A name next to the id is not a second case; a text of an id's shape elsewhere is noted."""
    made = outcome(200, {**SUCCESS, "data": {**DATA, "idCase": 5512, "id": "a1"}})
    assert (made.verdict, made.wolkvox_id, made.ids) == (Verdict.CREATED, "64cb0001", ("64cb0001",))
    asked = outcome(200, {**SUCCESS, "id": "req-1", "data": {**DATA, "form": {"idCase": 5}}})
    assert (asked.verdict, asked.ids) == (Verdict.CREATED, ("64cb0001", "req-1", "5"))
    found = outcome(200, {**SUCCESS, "msg": f"contact {MONGO}"})
    assert (found.verdict, found.ids) == (Verdict.CREATED, ("64cb0001", MONGO))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("big", [False, True])
def test_o23_o16_an_answer_is_read_in_the_encoding_that_its_mark_names(encoding: str, big: bool) -> None:  # noqa: FBT001 - two cases of one test
    """An id in UTF-16 is an id, and the CRM's words can be read."""
    body = {"code": 400, "error": "DIRECCIÓN", "data": {"idPrefijo": "PQR-7"}}
    text = json.dumps(body, ensure_ascii=False)
    content = ("\ufeff" + text).encode(f"{encoding}-be") if big and encoding != "utf-8-sig" else text.encode(encoding)
    made = outcome(400, content)
    assert (made.verdict, made.ids) == (Verdict.UNKNOWN, ("PQR-7",))
    assert "DIRECCIÓN" in made.message
    assert outcome(200, json.dumps(SUCCESS).encode(encoding)).wolkvox_id == "64cb0001"


QUOTES = [
    ("token\nlimit  exceeded", "token limit exceeded"),
    ("token\nlimit  exceeded", "TOKEN\nLIMIT  EXCEEDED"),
    ("Token\u00a0limit\u3000exceeded", "Token limit exceeded"),
    ("token limit exceeded", "Token\u00a0Limit\u200bExceeded"),
    ("to\u200bken lim\u00adit exceeded", "token limit exceeded"),
    ("".join(chr(0xFEE0 + ord(letter)) for letter in "TOKEN") + " limit exceeded", "token limit exceeded"),
    ("tóken límit excéeded", "token limit exceeded"),
    ("token&nbsp;limit exceeded", "token limit exceeded"),
    ("token <b>limit</b> exceeded", "token limit exceeded"),
    ("token limit exceeded", "token&nbsp;limit&amp;nbsp;exceeded"),
    ("token limit exceeded", "token\\nlimit\\texceeded"),
    ("token, limit: exceeded", "token limit exceeded"),
    ("I saw: token limit exceeded. What now?", "token limit exceeded. Wh"),
    ("please validate token", "PLEASE VALIDATE TOKEN"),
    ("the LIMIT OF\tSIMULTANEOUS\r\nREQUESTS of my router", "limit of simultaneous requests of"),
]  # fmt: skip


@pytest.mark.parametrize(("sent", "echoed"), QUOTES)
@pytest.mark.parametrize("template", ["invalid description: {}", "{}", "<{}>", "value '{}' (13)"])
@pytest.mark.parametrize("status", [200, 403])
def test_o24_a_row_that_the_crm_quotes_gives_no_pause_and_no_proof(
    sent: str, echoed: str, template: str, status: int
) -> None:
    """However the row's text is spaced, written and escaped, in itself or in the answer."""
    made = outcome(status, {"code": 403, "msg": template.format(echoed)}, secrets=("x", sent))
    assert (made.verdict, made.pause) == (Verdict.REJECTED, None)


@pytest.mark.parametrize("value", ["token limit", "Credit limit exceeded!", "Token"])
def test_o24_words_of_the_row_and_of_the_crm_that_come_together_are_no_proof(value: str) -> None:
    """Only what the vendor documents as a whole is the CRM's own beside such a row."""
    glued = outcome(400, {"code": 400, "msg": "FIELD Asunto: TOKEN LIMIT EXCEEDED, at most 10"}, secrets=(value,))
    assert (glued.verdict, glued.pause) == (Verdict.REJECTED, None)
    own = outcome(403, {"code": 403, "error": "TOKEN LIMIT EXCEEDED"}, secrets=(value,))
    assert (own.verdict, own.pause) == (Verdict.NOT_DELIVERED, Pause.QUOTA)


def test_o24_the_crms_words_are_recognised_however_they_are_written() -> None:
    """In a text, a list or an object, spaced and capitalised in any way."""
    for words in ("Token  Limit\nexceeded.", ["TOKEN LIMIT EXCEEDED"], {"message": "token&nbsp;limit exceeded"}):
        assert outcome(403, {"code": 403, "error": words}, secrets=("a row",)).pause is Pause.QUOTA
    busy = {"code": 403, "error": "EXCEEDS THE LIMIT OF SIMULTANEOUS REQUESTS PER TOKEN (2)"}
    assert outcome(403, busy, secrets=("limit of my card",)).pause is Pause.SLOW_DOWN


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [
        ("Ana María Ruiz de la Peña", "ana maría ruiz de"),
        ("R&D <b>secret plan</b>", "R&amp;D &lt;b&gt;secret plan&lt;/b&gt;"),
        ("tok-1234567890abcdef", "tok-1234567\n890abcdef"),
        ("first line of it\nsecond line of it", "second line of it"),
        ("José Nuñez Arbeláez", "Jos\\u00e9 Nu\\u00f1ez Arbel\\u00e1ez"),
        ("ana.ruiz@example.com", "ANA.RUIZ@EXAMPLE"),
    ],
)
def test_o24_a_value_is_masked_in_part_escaped_or_split_over_lines(sent: str, echoed: str) -> None:
    """No piece of a cell that says something stays in a message."""
    assert for_people(f"bad: {echoed}!", [sent, "x"]) == f"bad: {MASK}!"


def test_o25_a_long_or_broken_message_keeps_the_id_and_costs_little() -> None:
    """Halves of characters, NUL, escape sequences and a megabyte of text, quoted from a long row."""
    long = "\ud800\x00\x1b[31mñ &amp; \u202e" * 60_000
    began = time.process_time()
    made = outcome(200, {**SUCCESS, "msg": long}, secrets=(long, "ñ" * 500_000, *map(str, range(1000, 3000))))
    refused = outcome(
        400, {"code": 400, "msg": "\x1b]0;x\x07NO \ud800\x00\uffff" + "a" * 1_000_000}, secrets=("b" * 32_000,) * 20
    )
    assert time.process_time() - began < 60  # what is quadratic takes hours
    assert (made.verdict, made.wolkvox_id) == (Verdict.CREATED, "64cb0001")
    assert refused.message.startswith("NO \ufffd \ufffda")
    for text in (made.message, refused.message):
        assert len(text) <= 300
        assert text.encode().decode().isprintable()


KEYS = st.sampled_from(["code", "error", "msg", "data", "wolkvox_id", "wolkvox-id", "idPrefijo", "x"])
IDS = st.sampled_from(["64cb0001", "64cb0002", "a1", "", "-", "0"])
ANSWERS = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 500) | IDS | st.text(st.characters(codec=None), max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
)


def ids_under_their_name(value: object, *, named: bool = False) -> set[str]:
    """Return the plain ids directly under a key `wolkvox_id` or its like, found in another way than the product's."""
    if isinstance(value, dict):
        return set().union(*(ids_under_their_name(part, named=key.startswith("wolk")) for key, part in value.items()))
    if isinstance(value, list):
        return set().union(*(ids_under_their_name(part, named=named) for part in value))
    return {value} if named and value in ("64cb0001", "64cb0002", "a1") else set()


@given(ANSWERS, st.sampled_from([200, 201, 301, 302, 400, 401, 403, 404, 429, 500]), st.booleans(), st.integers(0, 3))
@settings(max_examples=300)
def test_o23_no_id_in_any_json_answer_is_lost(body: object, status: int, whole: bool, cut: int) -> None:  # noqa: FBT001 - drawn
    """It is the created case's or noted, and where one is noted without a creation the row is unknown."""
    content = json.dumps(body).encode()
    made = interpret(status, {}, content[: len(content) - cut], whole=whole)
    if not cut:
        assert ids_under_their_name(body) <= {made.wolkvox_id, *made.ids}
    assert made.verdict in (Verdict.CREATED, Verdict.UNKNOWN) or not made.ids
    assert (made.verdict is Verdict.CREATED) == (made.wolkvox_id is not None)
    made.message.encode()


NAMED = st.sampled_from(["idPrefijo", "id_prefijo", "idCase", "IDCASE"])
PLACES = st.lists(st.sampled_from(["data", "case", "list", "text"]), max_size=4)


@given(NAMED, st.sampled_from(["PQR-7", "CAS-0012", "5512", 5512, "A 7", "Ñ-7"]), PLACES, st.integers(400, 429))
@settings(max_examples=200)
def test_o23_no_prefix_and_no_number_in_a_refusal_is_lost(
    name: str, value: object, places: list[str], code: int
) -> None:
    """However deep it is; inside a text as long as the CRM's usual signs hold it."""
    held: object = {name: value}
    for place in places:
        if place == "text" and not isinstance(held, str) and value != "A 7":
            held = json.dumps(held, ensure_ascii=False)
        else:
            held = [held] if place == "list" else {place: held}
    made = outcome(code, {"code": code, "error": "NO", "data": held})
    assert (made.verdict, made.ids) == (Verdict.UNKNOWN, (str(value),))


def test_a_body_of_nothing_but_braces_is_given_up() -> None:
    """Reading stays quick, and ends, on bytes that are not an answer."""
    assert read(b"{" * 100_000).envelope is None
    assert read(b'{"a":' * 100_000).envelope is None


def test_the_page_of_outcomes_shows_the_table_as_it_is() -> None:
    """`docs/outcomes.md` names every line in order, with verdict, pause and whether it is documented."""
    lines = [line for line in OUTCOMES.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    rows = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in lines]
    shown = [(row[0], *row[-3:]) for row in rows]
    assert shown == [
        (line.name, line.verdict.value, line.pause.value if line.pause else "—", "yes" if line.documented else "no")
        for line in TABLE
    ]
