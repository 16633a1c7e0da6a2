"""What the CRM says when it is asked."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.crm import Quota, find_mark
from importer.crm.reading import read
from importer.crm.records import found_in, quota_in, records_in


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
    ("data", "quota"),
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
def test_the_quota_is_read_by_the_vendors_names(data: Mapping[str, object], quota: Quota) -> None:
    """Numbers come as numbers or as text, wherever they appear; what is missing is None."""
    assert quota_in(data) == quota


ONE = {"code": "200", "error": "null", "msg": "1 records were are found", "data": [{"wolkvox_id": "a1"}]}


@pytest.mark.parametrize(
    "answer",
    [
        ONE,
        {**ONE, "code": 200, "msg": "Successful query"},
        {**ONE, "msg": "0 records were are found", "data": []},
        {"code": 200, "data": []},
        {"code": 200.0, "data": []},
        {"code": " 200 ", "error": None, "msg": None, "data": []},
        {**ONE, "msg": "Se encontraron 0 resultados.", "data": []},
        {**ONE, "msg": "Registros:0", "data": []},
        {**ONE, "msg": "No records at 10:30:05 on 2026-11-27 for 3001234567@example.com", "data": []},
        {
            **ONE,
            "msg": "0 contacts found",
            "data": [],
            "count": "0",
            "next": "null",
            "pagination": {"page": 1, "pages": 0},
        },
        {**ONE, "msg": "Encontrado (1)", "total_records": "1", "page_size": 100, "has_more": False, "page": "1"},
        {**ONE, "total": 1, "next": None, "country": "CO", "records_per_page": 100},
        {**ONE, "result": "success", "found": True, "counts": {"total": 1.0}},
        {**ONE, "msg": "1,000 records were are found", "data": [{}] * 1000},
    ],
)
def test_o29_an_answer_in_the_vendors_shape_is_believed(answer: Mapping[str, object]) -> None:
    """Code 200, no error, a list of objects, and a count that agrees if there is one."""
    found = found_in(read(json.dumps(answer).encode()))
    assert (found.believed, list(found.records)) == (True, answer["data"])


@pytest.mark.parametrize(
    ("answer", "count"),
    [
        ({**ONE, "code": None}, 1),
        ({**ONE, "code": 404}, 1),
        ({**ONE, "error": {}}, 1),
        ({**ONE, "error": "x"}, 1),
        ({**ONE, "msg": "2 records were are found"}, 1),
        ({**ONE, "msg": "1 records were are found of 25 records"}, 1),
        ({**ONE, "msg": "Registros: 25"}, 1),
        ({**ONE, "total": 25}, 1),
        ({**ONE, "counts": {"total": "25"}}, 1),
        ({**ONE, "total": 0}, 1),
        ({**ONE, "nextPage": "abc"}, 1),
        ({**ONE, "data": [{"wolkvox_id": "a1"}, None]}, 1),
        ({**ONE, "msg": "Se encontraron 3 casos", "data": []}, 0),
        ({**ONE, "msg": "3 contacts", "data": []}, 0),
        ({**ONE, "msg": 3, "data": []}, 0),
        ({**ONE, "msg": {"total": 3}, "data": []}, 0),
        ({**ONE, "msg": "Registros:25"}, 1),
        ({**ONE, "msg": "0 records were are found", "data": [], "count": "2"}, 0),
        ({**ONE, "msg": "0 records were are found", "data": [], "meta": {"total_count": 7}}, 0),
        ({**ONE, "msg": "0 records were are found", "data": [], "records": [{}]}, 0),
        ({**ONE, "msg": "0 records were are found"}, 1),
        ({**ONE, "meta": {"pages": 3}}, 1),
        ({**ONE, "links": {"next": "https://crm.example/?p=2"}}, 1),
        ({**ONE, "hasMore": True}, 1),
        ({**ONE, "pagina": "2"}, 1),
        ({**ONE, "msg": "Página 1 de 5: 1 registro"}, 1),
        ({"code": 200, "error": "null", "msg": "0 records were are found"}, 0),
        ({"code": 200, "error": "null", "msg": "0 records were are found", "data": None}, 0),
        ({"code": 200, "error": "null", "msg": "0 records were are found", "data": "[]"}, 0),
        ({"code": 200, "error": "null", "msg": "0 records were are found", "data": [[]]}, 0),
        ({"code": 200, "error": "null", "msg": "0 records were are found", "data": {"records": []}}, 0),
        ({"code": 200, "error": {"message": "x"}, "msg": "0 records were are found", "data": []}, 0),
        ({"code": 200, "error": [], "data": []}, 0),
        ({"code": 200.5, "data": []}, 0),
        ({"code": True, "data": []}, 0),
        ({"code": "0200", "data": []}, 0),
        ({"code": 204, "data": []}, 0),
        ({**ONE, "data": None, "msg": "x"}, 0),
        ({**ONE, "data": {"wolkvox_id": "a1"}}, 1),
        ({**ONE, "data": {}, "msg": "0 records were are found"}, 0),
        ({**ONE, "data": []}, 0),
        ([{"wolkvox_id": "a1"}, {"description_case": "x"}, 7], 2),
        ([], 0),
    ],
)
def test_o29_another_answer_gives_hits_and_proves_nothing(answer: object, count: int) -> None:
    """What an older version or a page says is used for what it shows, and never for what it does not."""
    found = found_in(read(json.dumps(answer).encode()))
    assert (found.believed, len(found.records)) == (False, count)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["data", "wolkvox_id", "idCase", "token_limit", "hours_to_restart_count"]), inner
        )
    ),
)


@pytest.mark.parametrize("place", ['"data":', '"data":[],"meta":', '"data":[],"msg":', '"token_limit":1,"data":'])
@pytest.mark.parametrize("nested", [('{"a":', "}"), ("[", "]")])
def test_an_answer_of_any_depth_is_read(place: str, nested: tuple[str, str]) -> None:
    """A hostile answer ends in 'cannot be read', not in an error of ours."""
    opening, closing = nested
    body = f'{{"code":200,{place}{opening * 900}1{closing * 900}}}'.encode()
    reading = read(body)
    quota_in(reading.envelope or {})
    assert found_in(reading).records == ()


@given(st.dictionaries(st.sampled_from(["data", "records", "token_limit"]), JSON))
@settings(max_examples=60)
def test_no_answer_whatever_its_shape_raises(envelope: Mapping[str, object]) -> None:
    """Undocumented shapes are read for what they hold."""
    quota_in(envelope)
    found = found_in(read(json.dumps(envelope).encode()))
    find_mark(found.records, "WCI-0123456789ABCDEF", "description")
