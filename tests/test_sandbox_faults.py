"""The sandbox's faults do what their names say, on the requests that they are meant for."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
import requests
from sandbox_support import CASE, INFORMATION, INSERT, TOKEN, insert, query

from importer.errors import UsageError
from importer.sandbox import RunningSandbox, describe_faults, parse_fault
from importer.sandbox.faults import FaultPlan
from importer.sandbox.misbehaviour import KINDS

LARGE = "x" * 3_000_000


def no_ids(response: requests.Response) -> bool:
    """Whether it is a success with blank ids."""
    return bool(response.json()["data"] == {"wolkvox_id": " ", "idPrefijo": " "})


def no_json(response: requests.Response) -> bool:
    """Whether the body cannot be read as JSON."""
    try:
        response.json()
    except requests.JSONDecodeError:
        return True
    return False


def behind_a_warning(response: requests.Response) -> bool:
    """Whether the correct answer follows a PHP warning."""
    warning, _brace, rest = response.text.partition("{")
    return "Warning" in warning and json.loads("{" + rest)["code"] == 200


def says(sentence: str, code: object) -> Callable[[requests.Response], bool]:
    """Return whether the body carries a sentence and a code of exactly this type."""
    return lambda response: sentence in response.json()["error"] and response.json()["code"] == code


ANSWERS: dict[str, tuple[int, int, Callable[[requests.Response], bool]]] = {
    "server-error-after-creating": (1, 502, no_json),
    "server-error": (0, 500, no_json),
    "server-error:status=503": (0, 503, no_json),
    "html-answer": (1, 200, no_json),
    "blank-ids": (1, 200, no_ids),
    "cut-json": (1, 200, no_json),
    "php-warning": (1, 200, behind_a_warning),
    "string-code": (1, 200, says("null", "200")),
    "unauthorized": (0, 401, says("PLEASE ENTER THE WOLKVOX-TOKEN", 401)),
    "forbidden": (0, 403, says("PLEASE VALIDATE TOKEN", 403)),
    "quota-exceeded": (0, 403, says("TOKEN LIMIT EXCEEDED", 403)),
    "quota-exceeded-in-200": (0, 200, says("TOKEN LIMIT EXCEEDED", "403")),
    "simultaneous-requests": (0, 403, says("SIMULTANEOUS REQUESTS", 403)),
    "too-many-requests:wait=7": (0, 429, lambda response: response.headers["Retry-After"] == "7"),
    "redirect:status=307": (0, 307, lambda response: response.headers["Location"].endswith(INSERT)),
    "proxy-page": (0, 404, no_json),
    "late-creation:wait=0": (1, 200, says("null", 200)),
    "dripping-answer:pause=0": (1, 200, says("null", 200)),
}
SILENT = {
    "timeout-after-creating": (1, requests.ReadTimeout),
    "timeout-without-creating": (0, requests.ReadTimeout),
    "dripping-answer:pause=60": (1, requests.ReadTimeout),
    "timeout-after-creating:wait=0": (1, requests.ConnectionError),
    "closed-after-creating": (1, requests.ConnectionError),
    "closed-without-creating": (0, requests.ConnectionError),
    "stalled-upload:wait=0": (0, requests.ConnectionError),
    "cut-answer": (1, requests.exceptions.ChunkedEncodingError),
}


@pytest.mark.parametrize("fault", ANSWERS)
def test_a_fault_that_answers(fault: str) -> None:
    """The answer is as described, a case exists or does not, and the next request succeeds."""
    cases, status, looks_right = ANSWERS[fault]
    with RunningSandbox(faults=[f"{fault}{',' if ':' in fault else ':'}nth=1"]) as sandbox:
        response = insert(sandbox)
        assert response.status_code == status
        assert looks_right(response)
        assert "X-Sandbox" in response.headers
        assert len(sandbox.store.cases) == cases
        assert insert(sandbox).json()["data"]["wolkvox_id"].strip()
        assert sandbox.posts == 2


@pytest.mark.parametrize("fault", SILENT)
def test_a_fault_that_breaks_the_connection(fault: str, capfd: pytest.CaptureFixture[str]) -> None:
    """No complete answer comes, a case exists or does not, and the sandbox stops at once without output."""
    cases, error = SILENT[fault]
    with RunningSandbox(faults=[fault]) as sandbox:
        with pytest.raises(error):
            requests.post(sandbox.url + INSERT, json=dict(CASE), headers=TOKEN, timeout=(10, 0.3))
        assert len(sandbox.store.cases) == cases
    assert capfd.readouterr() == ("", "")


def test_an_upload_is_reset_in_its_middle() -> None:
    """The client is disconnected during the upload, and nothing is created."""
    with RunningSandbox(faults=["reset-upload:bytes=100000"]) as sandbox:
        with pytest.raises(requests.ConnectionError):
            insert(sandbox, description=LARGE)
        assert sandbox.store.cases == []


def test_retry_after_may_be_a_date() -> None:
    """The date is as far ahead as requested."""
    with RunningSandbox(faults=["too-many-requests-date:wait=3600"]) as sandbox:
        response = insert(sandbox)
    ahead = parsedate_to_datetime(response.headers["Retry-After"]).timestamp() - time.time()
    assert 3000 < ahead <= 3600


def test_a_search_may_find_nothing() -> None:
    """An existing case is not found, and creating cases still works."""
    with RunningSandbox(faults=["search-finds-nothing"]) as sandbox:
        assert insert(sandbox).status_code == 200
        assert query(sandbox, "email contact", "ana@example.com").json()["data"] == []
        sandbox.inject()
        assert len(query(sandbox, "email contact", "ana@example.com").json()["data"]) == 1


def test_a_fault_strikes_only_its_call() -> None:
    """A fault for the token's call leaves the others alone; an error may come with a 200."""
    with RunningSandbox(faults=["server-error:call=token", "error-in-200"]) as sandbox:
        assert requests.get(sandbox.url + INFORMATION, headers=TOKEN, timeout=10).status_code == 500
        response = insert(sandbox, contact=None)
    assert (response.status_code, response.json()["code"]) == (200, 400)


@pytest.mark.parametrize(
    ("when", "struck"),
    [
        ("", [1, 2, 3, 4, 5, 6, 7]),
        (":nth=3", [3]),
        (":every=3", [3, 6]),
        (":from=5", [5, 6, 7]),
        (":every=2,from=4", [5, 7]),
        (":rate=0", []),
    ],
)
def test_a_fault_strikes_on_schedule(when: str, struck: list[int]) -> None:
    """The schedule counts requests from 1."""
    plan = FaultPlan([parse_fault(f"blank-ids{when}")])
    assert [number for number in range(1, 8) if plan.draw("insert")] == struck


def test_a_rate_is_repeatable() -> None:
    """The same seed strikes the same requests, about as many as the rate says; another seed strikes others."""

    def struck(seed: int) -> list[bool]:
        plan = FaultPlan([parse_fault(f"blank-ids:rate=0.3,seed={seed}")])
        return [plan.draw("insert") is not None for _ in range(1000)]

    assert struck(1) == struck(1)
    assert struck(1) != struck(2)
    assert 250 < sum(struck(1)) < 350


def test_each_fault_counts_for_itself() -> None:
    """A request that another fault has struck still counts."""
    plan = FaultPlan([parse_fault("blank-ids:nth=1"), parse_fault("html-answer:nth=2")])
    drawn = [plan.draw("insert") for _ in range(3)]
    assert [fault.name if fault else None for fault in drawn] == ["blank-ids", "html-answer", None]


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("blank-id", "blank-ids"),
        ("", "--fault list"),
        ("blank-ids:ever=2", "every"),
        ("blank-ids:every=0", "out of range"),
        ("blank-ids:every=two", "a number"),
        ("blank-ids:rate=2", "out of range"),
        ("blank-ids:every", "KEY=NUMBER"),
        ("blank-ids:call=delete", "insert"),
        ("server-error:status=999", "out of range"),
    ],
)
def test_a_fault_that_cannot_be_read_is_explained(text: str, hint: str) -> None:
    """The sentence names the input and the alternatives."""
    with pytest.raises(UsageError) as refused:
        parse_fault(text)
    assert hint in str(refused.value)


def test_the_list_names_every_fault() -> None:
    """Each line of `--fault list` is a valid fault."""
    lines = describe_faults().splitlines()[3:]
    assert [parse_fault(line.split()[0]).name for line in lines] == list(KINDS)


def test_every_fault_is_tested_here() -> None:
    """Every fault in the list is covered by a test in this file."""
    tried = {parse_fault(fault).name for fault in [*ANSWERS, *SILENT]}
    alone = {"reset-upload", "too-many-requests-date", "search-finds-nothing", "error-in-200"}
    assert tried | alone == set(KINDS)


def test_the_documentation_names_every_fault_with_its_numbers() -> None:
    """The table in docs/sandbox.md is the program's list, in the same order."""
    text = (Path(__file__).parent.parent / "docs" / "sandbox.md").read_text(encoding="utf-8")
    documented = re.findall(r"^\| `([a-z0-9-]+(?::\w+=\d+)?)` \|.*\| (?:yes|no|as usual) \|$", text, re.MULTILINE)
    assert documented == [line.split()[0] for line in describe_faults().splitlines()[3:]]
