"""What an answer means for the row that was sent."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.crm import TABLE, interpret
from importer.crm.answers import retry_after
from importer.crm.reading import MASK, envelopes, for_people, read
from importer.model import Outcome, Pause, Verdict

DATA = {"wolkvox_id": "64cb0001", "idPrefijo": "CAS-1"}
SUCCESS: dict[str, object] = {"code": 200, "error": "null", "msg": "Succesfully create record", "data": DATA}
PHP = b"<br />\n<b>Warning</b>: Undefined array key {x} in <b>/var/www/{insert}.php</b> on line <b>12</b><br />\n"
OUTCOMES = Path(__file__).parent.parent / "docs" / "outcomes.md"


def outcome(status: int, body: object, **options: object) -> Outcome:
    """Interpret an answer; what is no bytes is sent as JSON."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return interpret(status, {}, content, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", [200, "200"])
@pytest.mark.parametrize("error", ["null", None, ""])
def test_the_documented_success_is_created_whether_its_code_is_number_or_text(code: object, error: object) -> None:
    """Code and error come in several spellings; the ids are taken as text."""
    made = outcome(200, {**SUCCESS, "code": code, "error": error})
    assert (made.verdict, made.wolkvox_id, made.id_prefijo) == (Verdict.CREATED, "64cb0001", "CAS-1")


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


@pytest.mark.parametrize("status", [500, 502, 503, 504, 520])
@pytest.mark.parametrize("body", [SUCCESS, b"<html>Bad Gateway</html>", {"code": 400, "msg": "no"}])
def test_o8_a_servers_error_is_unknown_whatever_it_says(status: int, body: object) -> None:
    """The case may have been made before the error."""
    assert outcome(status, body).verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(("wait", "seconds"), [("120", 120.0), ("0", 0.0), ("soon", None), ("-5", None), ("", None)])
def test_o9_a_wait_in_seconds_is_read(wait: str, seconds: float | None) -> None:
    """429 proves that nothing was created, and its wait is passed on."""
    made = interpret(429, {"retry-after": wait}, b"")
    assert (made.verdict, made.pause, made.retry_after) == (Verdict.NOT_DELIVERED, Pause.SLOW_DOWN, seconds)


def test_o9_a_wait_until_a_date_is_measured_by_the_servers_own_clock() -> None:
    """A wrong clock here makes nobody early."""
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
@pytest.mark.parametrize("behind", [b"", b"\n", PHP])
def test_o16_json_is_found_behind_a_php_warning(before: bytes, behind: bytes) -> None:
    """Warnings, braces in them and a byte order mark are passed over."""
    assert outcome(200, before + json.dumps(SUCCESS).encode() + behind).verdict is Verdict.CREATED


@pytest.mark.parametrize(
    ("status", "body", "verdict", "pause"),
    [
        (400, {"code": 400, "error": "SOME PARAMETERS ARE REQUIRED"}, Verdict.REJECTED, None),
        (200, {"code": "400", "error": "SOME PARAMETERS ARE REQUIRED"}, Verdict.REJECTED, None),
        (403, {"code": 403, "msg": "OWNER NOT FOUND"}, Verdict.REJECTED, None),
        (200, {"code": 404, "msg": "CONTACT NOT FOUND"}, Verdict.REJECTED, None),
        (412, {"code": 412, "msg": "x"}, Verdict.REJECTED, None),
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


def test_an_answer_outranks_a_short_upload_except_a_success() -> None:
    """A success cannot be that of a body which never arrived whole; its id is kept for a person to look at."""
    assert outcome(400, {"code": 400, "msg": "no"}, whole=False).verdict is Verdict.REJECTED
    made = outcome(200, SUCCESS, whole=False)
    assert (made.verdict, made.wolkvox_id) == (Verdict.UNKNOWN, "64cb0001")


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


def test_a_body_of_nothing_but_braces_is_given_up() -> None:
    """Reading stays quick, and ends, on what is no answer at all."""
    assert envelopes("{" * 100_000) == []
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
