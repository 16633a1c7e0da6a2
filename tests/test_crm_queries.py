"""What the CRM says when it is asked."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.crm import Hit, Quota, find_reference
from importer.crm.queries import quota_in, records_in

REFERENCE = "WCI-0123456789ABCDEF"


def record(text: str, **ids: object) -> Mapping[str, object]:
    """Return a record whose description holds a text."""
    return {"description": text, **ids}


@pytest.mark.parametrize(
    "text",
    [
        REFERENCE,
        f"[{REFERENCE}]\nHola",
        f"<p>[{REFERENCE}]</p>",
        REFERENCE.lower(),
        f"ver {REFERENCE}, gracias",
        f"_{REFERENCE}_",
    ],
)
def test_a_reference_is_found_as_a_whole_token_whatever_its_case(text: str) -> None:
    """Brackets, mark-up and small letters do not hide it."""
    assert find_reference((record(text, wolkvox_id="a", idPrefijo="CAS-1"),), REFERENCE) == (Hit("a", "CAS-1"),)


@pytest.mark.parametrize("text", [f"{REFERENCE}0", f"X{REFERENCE}", REFERENCE[:-1], "", "WCI-"])
def test_a_part_of_a_longer_token_is_no_reference(text: str) -> None:
    """A longer mark is another case's."""
    assert find_reference((record(text, wolkvox_id="a"),), REFERENCE) == ()


def test_the_same_case_twice_is_one_hit_and_two_cases_are_two() -> None:
    """Ids tell cases apart; a record without one may be a second case."""
    one, two, none = (record(REFERENCE, **ids) for ids in ({"wolkvox_id": "a"}, {"wolkvox-id": 7}, {}))
    assert find_reference((one, one), REFERENCE) == (Hit("a", None),)
    assert find_reference((one, two), REFERENCE) == (Hit("a", None), Hit("7", None))
    assert find_reference((none, none), REFERENCE) == (Hit(None, None), Hit(None, None))


def test_the_id_of_a_contact_inside_a_record_is_not_the_cases() -> None:
    """The reference may stand deep inside; the id has to be the record's own."""
    nested = {"form": {"Ticket": REFERENCE}, "contact": {"wolkvox_id": "contact"}, "idPrefijo": "CAS-1"}
    assert find_reference((nested,), REFERENCE) == (Hit(None, "CAS-1"),)


@pytest.mark.parametrize(
    ("data", "count"),
    [
        ([], 0),
        (None, 0),
        ("", 0),
        ({}, 0),
        ([{"a": 1}, "x", {"b": 2}], 2),
        ({"wolkvox_id": "a"}, 1),
        ({"records": [{"idCase": 1}, {"idCase": 2}], "total": 2}, 2),
        ({"0": {"wolkvox-id": "a"}, "1": {"wolkvox-id": "b"}}, 2),
    ],
)
def test_records_are_found_in_whatever_comes_back(data: object, count: int) -> None:
    """The shape of a search's answer is undocumented."""
    assert len(records_in({"code": 200, "data": data})) == count


@pytest.mark.parametrize(
    ("told", "quota"),
    [
        ({"token_limit": 4800, "token_use_today": "12"}, Quota(4800, 12, 4788)),
        ({"data": [{"token_limit": "4800", "available_consumition_options": 4000}]}, Quota(4800, None, 4000)),
        ({"token_limit": "10", "token_use_today": "12"}, Quota(10, 12, 0)),
        ({"hours_to_restart_count": "5.5"}, Quota(resets_in=19800)),
        ({"hours_to_restart_count": 5}, Quota(resets_in=18000)),
        ({"hours_to_restart_count": "05:30:10"}, Quota(resets_in=19810)),
        ({"hours_to_restart_count": "soon", "token_limit": "many"}, Quota()),
        ({}, Quota()),
    ],
)
def test_the_quota_is_read_by_the_vendors_names(told: Mapping[str, object], quota: Quota) -> None:
    """Numbers come as numbers or as text, wherever they stand; what is not told is None."""
    assert quota_in(told) == quota


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "wolkvox_id", "idCase", "token_limit", "hours_to_restart_count"]), inner
        )
    ),
)


@given(st.dictionaries(st.sampled_from(["data", "records", "token_limit"]), JSON))
@settings(max_examples=60)
def test_no_answer_whatever_its_shape_raises(envelope: Mapping[str, object]) -> None:
    """Undocumented shapes are read for what they hold."""
    quota_in(envelope)
    find_reference(records_in(envelope), REFERENCE)
