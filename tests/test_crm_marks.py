"""Where a case carries its reference, and what merely speaks of it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.crm import Hit, find_mark, hit_of, is_whole, marks_at, mentions, path_of

REFERENCE = "WCI-0123456789ABCDEF"
OTHER = "WCI-FEDCBA9876543210"
FORM = "form.Referencia"


def record(text: object, **more: object) -> dict[str, object]:
    """Return a record whose description holds a text."""
    return {"description": text, "wolkvox_id": "a1", **more}


@pytest.mark.parametrize(
    "text",
    [
        f"[{REFERENCE}]",
        f"[{REFERENCE}]\nHola",
        f"[{REFERENCE}]Hola",
        f"  \n[{REFERENCE.lower()}] Hola",
        f"<p>[{REFERENCE}]</p><p>Hola</p>",
        f'<div class="x y">\n<P style="a:b"><br/>&nbsp;[{REFERENCE}]<br>',
        f"&lt;p&gt;[{REFERENCE}]",
        f"\ufeff&#91;{REFERENCE}&#93;",
        f"[{REFERENCE}]\n[{OTHER}] quoted",
    ],
)
def test_o30_a_mark_in_front_of_the_description_is_found_whatever_its_case(text: str) -> None:
    """White space, mark-up and small letters do not hide it."""
    assert find_mark((record(text, idPrefijo="CAS-1"),), REFERENCE, "description") == (Hit("a1", "CAS-1"),)
    assert marks_at((record(text),), "description") == ((REFERENCE, "a1"),)
    assert is_whole(record(text), "description")


@pytest.mark.parametrize(
    "text",
    [
        f"Re: [{REFERENCE}]",
        f"> [{REFERENCE}]",
        f"<blockquote>[{REFERENCE}]</blockquote>",
        f"<q>[{REFERENCE}]</q>",
        f"[{OTHER}]\n[{REFERENCE}]",
        f"ver [{REFERENCE}], gracias",
        REFERENCE,
        f"[{REFERENCE}0]",
        f"[X{REFERENCE}]",
        f"[{REFERENCE}",
        f"[ {REFERENCE} ]",
        f"[{REFERENCE[:-1]}]",
        "",
        None,
        [f"[{REFERENCE}]"],
        {"text": f"[{REFERENCE}]"},
    ],
)
def test_o30_a_quote_a_part_or_a_glued_mark_is_none(text: object) -> None:
    """Only the place where it was written counts."""
    assert find_mark((record(text),), REFERENCE, "description") == ()


@pytest.mark.parametrize(
    "more",
    [
        {"replies": [{"description": f"[{REFERENCE}]"}]},
        {"form": {"Asunto": f"[{REFERENCE}]", "description": f"[{REFERENCE}]"}},
        {"audit": f"[{REFERENCE}]"},
        {"solution": f"[{REFERENCE}] done"},
        {"contact": {"description": f"[{REFERENCE}]"}},
    ],
)
def test_o30_a_mark_at_any_other_place_is_a_mention_and_no_hit(more: dict[str, object]) -> None:
    """Replies, audit records, related lists and other fields may quote another case."""
    assert find_mark((record(f"[{OTHER}]\nHola", **more),), REFERENCE, "description") == ()
    assert mentions((record("Hola", **more),), REFERENCE)


@pytest.mark.parametrize(
    "name",
    [
        "description",
        "Description",
        "description_case",
        "case-description",
        "Descripción",
        "descripcion_caso",
        "DESCRIPTION CASE",
    ],
)
def test_o30_the_description_is_known_under_its_usual_names(name: str) -> None:
    """Public code has seen `description_case`."""
    found = {name: f"[{REFERENCE}]\nHola", "wolkvox_id": "a1"}
    assert find_mark((found,), REFERENCE, "description") == (Hit("a1", None),)
    assert path_of(found, REFERENCE, "description") == name


@pytest.mark.parametrize(
    "found",
    [
        {"form": {"Referencia": REFERENCE}},
        {"form": {"referencia": f" {REFERENCE.lower()}\n"}},
        {"Form": '{"Referencia": "' + REFERENCE + '"}'},
        {"Referencia": REFERENCE},
    ],
)
def test_o30_a_mark_in_a_form_field_is_its_whole_value(found: dict[str, object]) -> None:
    """Inside the form, or where the records of a search are flat."""
    assert find_mark((found,), REFERENCE, FORM) == (Hit(None, None),)
    assert is_whole(found, FORM)


@pytest.mark.parametrize("value", [f"[{REFERENCE}]", f"{REFERENCE} x", f"x{REFERENCE}", f"{REFERENCE}0", "", None, 7])
def test_o30_anything_more_in_the_form_field_is_no_mark(value: object) -> None:
    """And a mark in the description is none of a mapping that writes it into a form field."""
    found = {"form": {"Referencia": value}, "description": f"[{REFERENCE}]"}
    assert find_mark((found,), REFERENCE, FORM) == ()


def test_o30_the_path_that_the_doctor_learnt_stands_for_the_usual_names() -> None:
    """A tenant may show the description under any name."""
    odd = {"texto": f"[{REFERENCE}]", "description": f"[{OTHER}]", "wolkvox_id": "a1"}
    assert path_of({"texto": f"[{REFERENCE}]"}, REFERENCE, "description") == "texto"
    assert find_mark((odd,), REFERENCE, "description", "texto") == (Hit("a1", None),)
    assert find_mark((odd,), OTHER, "description", "texto") == ()
    nested = {"form": {"Ref": REFERENCE}}
    assert path_of(nested, REFERENCE, FORM) == "form.Ref"
    assert marks_at((nested,), FORM, "form.Ref") == ((REFERENCE, None),)
    assert path_of({"a": f"[{REFERENCE}]", "description": f"[{REFERENCE}]"}, REFERENCE, "description") == "description"
    assert path_of({"replies": [f"[{REFERENCE}]"]}, REFERENCE, "description") is None


def test_o30_the_same_case_twice_is_one_hit_and_two_cases_are_two() -> None:
    """Ids tell cases apart; a record without one, or with a value that is not an id, may be a second case."""
    text = f"[{REFERENCE}]"
    one, two, none = record(text), record(text, wolkvox_id=72), record(text, wolkvox_id="-")
    assert find_mark((one, {**one, "idPrefijo": "C"}), REFERENCE, "description") == (Hit("a1", None),)
    assert find_mark((one, two), REFERENCE, "description") == (Hit("a1", None), Hit("72", None))
    assert find_mark((none, none), REFERENCE, "description") == (Hit(None, None), Hit(None, None))


@pytest.mark.parametrize(
    ("value", "wolkvox_id"), [("a1", "a1"), (" a1 ", "a1"), (7, "7"), (0, None), (True, None), ("-", None), ({}, None)]
)
def test_o22_the_ids_of_records_are_as_strict_as_those_of_answers(value: object, wolkvox_id: str | None) -> None:
    """A number is taken for its text; the id of a contact inside is not the case's."""
    assert hit_of({"Wolkvox-Id": value, "contact": {"wolkvox_id": "c1"}}).wolkvox_id == wolkvox_id


@pytest.mark.parametrize(
    "text",
    ["", " ", None, 7, "<p>&nbsp;</p>", "[", "[WCI", "[WCI-", "[WCI-AB", "<p>[WCI-0123456789ABCDEF</p>", "WCI-012345",
     "[WCI-AB…", "[WCI-AB...", "Hola…", "<p>Hola...</p>", "[WCI-0123456789ABC…", '<p style="a'],
)  # fmt: skip
def test_o29_a_text_that_is_missing_or_cut_before_its_mark_shows_nothing(text: object) -> None:
    """A page of search results may shorten what it shows."""
    assert not is_whole(record(text), "description")
    assert not is_whole({"wolkvox_id": "a1"}, "description")


@pytest.mark.parametrize("text", ["Hola", "x" * 40 + "…", "<p>No puedo entrar</p>", f"[{OTHER}]\nHo…", "[nota] Hola"])
def test_o29_a_text_that_would_have_shown_its_mark_is_whole(text: str) -> None:
    """What is cut later, or has no mark at all, hides none."""
    assert is_whole(record(text), "description")


def test_o29_each_of_several_descriptions_has_to_be_whole() -> None:
    """The mark may be in the one that is cut; a blank one shows nothing."""
    assert not is_whole({"description": "Hola", "description_case": "[WCI-01…"}, "description")
    assert is_whole({"description": "", "description_case": "Hola"}, "description")


@pytest.mark.parametrize(
    "text", [REFERENCE, f"x{REFERENCE.lower()}y", f"&#87;CI-{REFERENCE[4:]}", f"WCI- \n{REFERENCE[4:]}"]
)
def test_o30_a_mention_is_found_in_any_text_whatever_its_case_even_glued(text: str) -> None:
    """In names, in lists, split or escaped."""
    for some in ({"a": [{"b": text}]}, {text: 1}):
        assert mentions((some,), REFERENCE)
    assert not mentions((record("Hola"),), REFERENCE)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(st.characters(codec=None), max_size=5)
    | st.just(f"[{REFERENCE}]"),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["description", "form", "wolkvox_id", "Referencia", "idPrefijo"]), inner)
    ),
)


@given(
    st.dictionaries(st.sampled_from(["description", "form", "wolkvox_id", "Referencia"]), JSON),
    st.sampled_from(["description", FORM]),
)
@settings(max_examples=100)
def test_no_record_whatever_its_shape_raises(some: dict[str, object], place: str) -> None:
    """And a mark that is found is always mentioned too."""
    hits = find_mark((some,), REFERENCE, place)
    is_whole(some, place)
    path_of(some, REFERENCE, place)
    assert not hits or mentions((some,), REFERENCE)
    assert bool(hits) == (REFERENCE in dict(marks_at((some,), place)))
