"""Payload: one JSON body, its length known in advance, and every cell in it unchanged."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer import payload
from importer.model import Payload
from importer.payload import EncodedFile

REFERENCE = "WCI-CBB2VVVM4V9B8JX3"
FIELDS: dict[str, object] = {
    "case-type": "Request",
    "contact": "ana@example.com",
    "description": "Hola",
    "form.Subject": "Asunto",
}
VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
PATHS = st.sampled_from([*payload.FIELD_ORDER[1:6], *payload.FIELD_ORDER[7:]]) | st.text(max_size=5).map(
    "form.".__add__
)


def encoded(content: bytes, step: int = 4) -> EncodedFile:
    """Return a file's base64 in chunks of a few bytes."""
    text = base64.b64encode(content)

    def chunks() -> Iterator[bytes]:
        yield from (text[start : start + step] for start in range(0, len(text), step))

    return EncodedFile(len(text), chunks)


def build(fields: dict[str, object], files: Sequence[EncodedFile] = ()) -> Payload:
    """Build a payload of the operation `op`."""
    return payload.build(fields, "op", REFERENCE, files)


def body(made: Payload) -> bytes:
    """Return the whole body."""
    return b"".join(made.chunks())


def test_a_body_is_the_vendors_sample_in_its_order() -> None:
    """The keys come in the order of the vendor's sample, attachments last, byte for byte."""
    made = build({**FIELDS, "priority": "Alta"}, [encoded(b"ab"), encoded(b"")])
    assert body(made).decode() == (
        '{"operation":"op","case-type":"Request","contact":"ana@example.com","description":"Hola",'
        '"form":{"Subject":"Asunto"},"priority":"Alta","attachments":["YWI=",""]}'
    )
    assert made.length == len(body(made))
    assert made.reference == REFERENCE


@given(st.dictionaries(PATHS, VALUES, max_size=8), st.lists(st.binary(max_size=40), max_size=3))
def test_any_fields_and_files_survive_in_a_body_of_the_length_that_was_said(
    fields: dict[str, object], contents: list[bytes]
) -> None:
    """Whatever the cells and files contain: valid JSON of exactly `length` bytes with the same content, every time."""
    made = build(fields, [encoded(content) for content in contents])
    text = body(made)
    assert len(text) == made.length
    assert body(made) == text
    said = json.loads(text)
    assert list(said)[-1] == "attachments"
    assert [base64.b64decode(item) for item in said["attachments"]] == contents
    form = {f"form.{name}": value for name, value in said["form"].items()}
    plain = {key: value for key, value in said.items() if key not in {"operation", "form", "attachments"}}
    assert {**plain, **form} == {path: value for path, value in fields.items() if value is not None}


@pytest.mark.parametrize(
    "text", ["{product_purchased} {{x}} {0}", 'say "no"\\', "👩🏽‍💻 ñ \u2028", "a\nb\r\nc\t", "</script>\x00"]
)
def test_braces_quotes_emoji_and_newlines_survive(text: str) -> None:
    """A cell's text arrives unchanged; nothing in it is interpreted as a template or as JSON."""
    fields = payload.with_reference({**FIELDS, "description": text}, "description", REFERENCE)
    said = json.loads(body(build(fields)))
    assert said["description"] == f"[{REFERENCE}]\n{text}"


def test_form_and_attachments_are_always_there_and_none_is_left_out() -> None:
    """An empty optional field is absent, never null; `form` and `attachments` are present even if they are empty."""
    said = json.loads(body(build({"contact": "ana@example.com", "solution": None, "form.Subject": None})))
    assert said == {"operation": "op", "contact": "ana@example.com", "form": {}, "attachments": []}


def test_objects_and_switches_of_form_fields_stay_what_they_are() -> None:
    """Values of the CRM's form field types become the corresponding JSON types."""
    phone = {"type": "telephone", "value": "3001234567", "country": "CO", "code": "+57"}
    said = json.loads(body(build({"form.Phone": phone, "form.Urgent": False, "form.Tags": ["a", "b"], "form.N": 7})))
    assert said["form"] == {"Phone": phone, "Urgent": False, "Tags": ["a", "b"], "N": 7}


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_value_that_json_has_no_form_for_makes_no_body(value: float) -> None:
    """`NaN` is not valid JSON: it is refused before anything is sent."""
    with pytest.raises(ValueError, match="JSON"):
        build({"form.Amount": value})


def test_the_reference_is_the_first_line_of_the_description() -> None:
    """The mark is alone on the first line, also without a description."""
    assert payload.with_reference(FIELDS, "description", REFERENCE)["description"] == f"[{REFERENCE}]\nHola"
    assert payload.with_reference({}, "description", REFERENCE) == {"description": f"[{REFERENCE}]\n"}


def test_the_reference_may_have_a_form_field_of_its_own_or_no_place() -> None:
    """A form field contains the bare mark; without a field for it the fields are unchanged."""
    assert payload.with_reference(FIELDS, "form.Ref", REFERENCE) == {**FIELDS, "form.Ref": REFERENCE}
    assert payload.with_reference(FIELDS, None, REFERENCE) == FIELDS


def test_missing_attachments_are_named_at_the_end_of_the_description() -> None:
    """A case that is sent without a file names it; a complete one is unchanged."""
    fields = payload.with_missing(FIELDS, ["a.pdf", "b {x}.png"])
    assert fields["description"] == "Hola\n\n[Missing attachments: a.pdf, b {x}.png]"
    assert payload.with_missing(FIELDS, []) == FIELDS


def test_every_text_and_number_that_is_sent_is_known_for_masking() -> None:
    """Values inside objects and lists, and numbers as JSON writes them, can be masked in the CRM's answer."""
    made = build({"contact": "ana@example.com", "form.Id": 1020304050, "form.P": {"value": "300", "tags": ["x", 1.5]}})
    assert set(made.values) == {"ana@example.com", "1020304050", "300", "x", "1.5"}


def test_neither_the_values_nor_the_chunks_show_in_the_representation() -> None:
    """A payload in a log line or a traceback shows only its reference and length."""
    assert "ana@" not in repr(build(FIELDS))
    assert repr(build(FIELDS)) == f"Payload(reference='{REFERENCE}', length={build(FIELDS).length})"


def test_long_chunks_are_handed_on_as_they_are_and_short_ones_together() -> None:
    """A small case is one write to the socket; long pieces are not copied, and empty ones are not written."""
    assert len(list(build(FIELDS, [encoded(b"small", 1), encoded(b"as small")]).chunks())) == 1
    long = [b"A" * 400_000, b"B" * 400_000]
    made = build(FIELDS, [EncodedFile(800_000, lambda: iter(long)), encoded(b"small")])
    chunks = list(made.chunks())
    assert [chunk for chunk in chunks if len(chunk) == 400_000] == long
    assert {id(chunk) for chunk in long} <= {id(chunk) for chunk in chunks}
    assert all(chunks)
    assert sum(map(len, chunks)) == made.length


def test_many_short_chunks_make_no_long_one() -> None:
    """Joined pieces stay short: a body of many small files needs little memory."""
    files = [encoded(b"x" * 3_000)] * 100
    assert max(map(len, build(FIELDS, files).chunks())) <= 64 * 1024
