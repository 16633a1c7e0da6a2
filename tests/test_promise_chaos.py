"""Every fault at random, and kills at random: never two cases for one row, and no id lost.

The sizes are small so that the suite stays short. `CHAOS_ROWS=500 CHAOS_KILLED_ROWS=5000 CHAOS_KILLS=10 pytest -s
tests/test_promise_chaos.py` takes longer and prints the counts.
"""

from __future__ import annotations

import os
import random
import sys
from collections import Counter, defaultdict

import pytest
from crash_child import STEPS
from passage import Passage, Passed
from promise_support import (
    KILLED,
    Order,
    assert_promise,
    assert_report,
    end_leases,
    impatient,
    know_the_search,
    settle_by_person,
    states,
    tickets,
    wait_until,
)
from run_support import Give, Office

from importer.model import Status
from importer.sandbox import Latency, RunningSandbox
from importer.sandbox.misbehaviour import KINDS

ROWS = int(os.environ.get("CHAOS_ROWS", "150"))
KILLED_ROWS = int(os.environ.get("CHAOS_KILLED_ROWS", "250"))
KILLS = int(os.environ.get("CHAOS_KILLS", "4"))
SEED = int(os.environ.get("CHAOS_SEED", "7"))

RATE = 0.02
"""How often each of the some twenty-five faults occurs."""

NUMBERS = {
    "late-creation": "wait=0.5,",
    "dripping-answer": "pause=0.1,",
    "stalled-upload": "wait=0.5,",
    "too-many-requests": "wait=0,",
    "too-many-requests-date": "wait=0,",
    "reset-upload": "bytes=100,",
}
"""Faults that would take too long by default, or would not hit a small body."""

NO_VERDICT = (b"HTTP/1.1 30", b"HTTP/1.1 401", b"HTTP/1.1 404", b"HTTP/1.1 429", b"LIMIT", b"PLEASE VALIDATE TOKEN")
"""The beginnings and texts of answers that prove that no case was created."""


def every_fault(sandbox: RunningSandbox) -> None:
    """Let every possible fault occur at random."""
    sandbox.inject(*(f"{name}:{NUMBERS.get(name, '')}rate={RATE},seed={SEED + n}" for n, name in enumerate(KINDS)))


def run_to_the_end(office: Office, give: Give, words: list[str], most: int) -> Counter[int]:
    """Run until no row is planned, settle, and again, until every row is a case; return the exit statuses."""
    ended: Counter[int] = Counter()
    settle = office.settle("--quiet-period", "1")
    settle[settle.index("--server") + 1] = words[words.index("--server") + 1]
    while True:
        result = give(words)
        ended[result.status] += 1
        assert result.status in {0, 3, 4, 5}, result
        assert sum(ended.values()) < most, result
        counts = assert_promise(office)
        assert counts == Counter({state.value: n for state in Status if (n := result.json["counts"][state])})
        if result.status == 0:
            assert_report(office)
            return ended
        if not counts["planned"]:
            wait_until(lambda: office.sandbox.idle)
            end_leases(office.journal)
            assert give(settle).status in {0, 3, 4}
            settle_by_person(office, words[words.index("--server") + 1])
            assert_promise(office)


def assert_never_twice_without_a_verdict(passed: list[Passed]) -> Counter[int]:
    """Check the complete POSTs of every row against the answers between them; return how many rows took how many POSTs.

    A row goes again after an answer that proves that there is no case, or after a search that did not find it, by which
    the CRM or a person says so.
    """
    attempts: dict[str, list[Passed]] = defaultdict(list)
    searched: dict[str, bool] = defaultdict(bool)
    for request in passed:
        if b"queryCases" in request.head:
            searched.update((reference, True) for reference in attempts if reference.encode() not in request.answer)
        elif request.reference and b"insertAttach" in request.head:
            before = attempts[request.reference]
            assert not before or searched[request.reference] or any(words in before[-1].answer for words in NO_VERDICT)
            searched[request.reference] = False
            before.append(request)
    return Counter(map(len, attempts.values()))


def test_every_fault_at_random_through_a_counting_proxy(
    office: Office, give: Give, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the CRM does to a run, each row becomes one case, and no POST is repeated without a verdict."""
    impatient(monkeypatch, 0.3)
    office.write(tickets(range(1, ROWS + 1)))
    every_fault(office.sandbox)
    with Passage(office.sandbox.url) as proxy:
        know_the_search(office, server=proxy.url)
        words = office.arguments("run", "--yes", "--json", "--quiet-period", "1", "--concurrency", "4")
        words[words.index("--server") + 1] = proxy.url
        ended = run_to_the_end(office, give, words, most=ROWS)
        posts = assert_never_twice_without_a_verdict(proxy.passed)
    assert assert_promise(office) == {"created": ROWS}
    sys.stdout.write(f"\n{ROWS} rows, runs by exit status {dict(ended)}, rows by POSTs {dict(posts)}\n")


@pytest.mark.skipif(sys.platform == "win32", reason="processes that fork and are killed, as Unix has them")
def test_o1_sixteen_workers_killed_at_random(office: Office, give: Give, order: Order) -> None:
    """However often a run of many workers is killed, the next ones make every row one case and lose no id."""
    chance = random.Random(SEED)  # noqa: S311 - repeatable on purpose
    of_each_row = [step for step in STEPS if step.startswith(("first", "whole", "answer", "outcome"))]
    with RunningSandbox(latency=Latency(0, 0.05)) as office.sandbox:
        office.write(tickets(range(1, KILLED_ROWS + 1)))
        know_the_search(office)
        words = office.arguments("run", "--yes", "--json", "--quiet-period", "1", "--concurrency", "16")
        ended = []
        for _kill in range(KILLS):
            fate = {"step": chance.choice(of_each_row), "when": chance.choice(["before", "after"])}
            ended.append(order(words, **fate, nth=chance.randint(1, KILLED_ROWS // KILLS)))
            assert_promise(office)
        assert ended == [KILLED] * KILLS
        in_flight = states(office.journal)
        end_leases(office.journal)
        assert give(words).status in {0, 4}
        end_leases(office.journal)
        settle_by_person(office)
        assert give(words).status == 0
        assert assert_promise(office) == {"created": KILLED_ROWS}
        posts = office.sandbox.posts
    sys.stdout.write(f"\n{KILLED_ROWS} rows, {KILLS} kills, then {dict(in_flight)}; in the end {posts} POSTs\n")
