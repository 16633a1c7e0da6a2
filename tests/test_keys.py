"""Keys of a whole source: equal and nearly equal ones, over any number of frames."""

from __future__ import annotations

import tracemalloc
from collections import defaultdict
from itertools import count

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from importer import identity
from importer.model import CellError, Typed
from importer.workflow.keys.keys import MOST_NAMED, KeyIndex, Keys, Occurrences, keys_in, short_key

KEYS = st.sampled_from(["1", "01", "001", "2", "a", "A", "á", "b", ""])


def test_key_parts_are_canonical_and_empty_where_a_part_is_blank_or_unknown() -> None:
    """A row whose key has a blank part, or an error cell, has no key."""
    frame = pd.DataFrame(
        {"A": [" T1 ", "T2", CellError("#N/A", "error-cell", "", ""), Typed("7.0", 7.0)], "B": ["x", "  ", "y", "z"]},
        index=[2, 3, 4, 5],
        dtype=object,
    )
    assert keys_in(frame, ["A", "B"]).parts == [("T1", "x"), (), (), ("7", "z")]
    assert keys_in(frame, ["A"]).parts == [("T1",), ("T2",), (), ("7",)]


def test_a_book_without_rows_finds_nothing() -> None:
    """An empty source, and one without any key, have no repeated and no similar keys."""
    book = KeyIndex()
    assert (book.repeated(), book.similar()) == ({}, {})
    book.add([2, 3], Keys.of([(), ()]))
    assert (book.repeated(), book.similar()) == ({}, {})


def test_r12_repeated_and_similar_keys_are_found_across_frames() -> None:
    """Rows of different frames with the same key, or nearly the same, name each other, except for skipped rows."""
    book = KeyIndex()
    book.add([2, 3, 4], Keys.of([("00123",), ("T1",), ()]))
    book.add([6, 7, 8], Keys.of([("T1",), ("T1",), ("123",)]), without={6})
    book.add([9], Keys.of([("123",)]))
    assert book.repeated() == {
        short_key(identity.key_digest(("T1",))): (3, 7),
        short_key(identity.key_digest(("123",))): (8, 9),
    }
    assert book.similar() == {2: (8, 9), 8: (2,), 9: (2,)}


@given(st.lists(st.lists(KEYS, max_size=6), max_size=4))
def test_a_book_agrees_with_a_plain_dictionary(frames: list[list[str]]) -> None:
    """For any keys, however they are split into frames, the results equal those of a simple algorithm."""
    book, numbers, key_of = KeyIndex(), count(2), {}
    for frame in frames:
        rows = [next(numbers) for _key in frame]
        book.add(rows, Keys.of([(key,) if key else () for key in frame]))
        key_of.update({row: key for row, key in zip(rows, frame, strict=True) if key})
    same, alike = defaultdict(list), defaultdict(list)
    for row, key in key_of.items():
        same[short_key(identity.key_digest((key,)))].append(row)
        alike[identity.loose(key)].append(row)
    near = {row: tuple(r for r in alike[identity.loose(key)] if key_of[r] != key) for row, key in key_of.items()}
    assert book.repeated() == {digest: tuple(rows) for digest, rows in same.items() if len(rows) > 1}
    assert book.similar() == {row: others for row, others in near.items() if others}


def test_a_column_of_one_value_and_its_variant_is_answered_at_once() -> None:
    """A constant column as the key does not lead to a comparison of every row with every other."""
    book = KeyIndex()
    rows = 40_000
    book.add(range(rows), Keys.of([("todo",)] * (rows - 1) + [("Todo",)]))
    similar = book.similar()
    assert similar[0] == (rows - 1,)
    assert similar[rows - 1] == tuple(range(MOST_NAMED))


def test_x11_thousands_of_spellings_of_one_key_name_a_few_of_each_other() -> None:
    """20,000 rows of 1,000 spellings: no row names all the others, so that time and memory stay small."""
    book, rows = KeyIndex(), range(2, 20_002)
    book.add(rows, Keys.of([("0" * (row % 1_000) + "7",) for row in rows]))
    tracemalloc.start()
    try:
        similar = book.similar()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert similar.keys() == set(rows)
    assert {len(others) for others in similar.values()} == {MOST_NAMED}
    assert peak < 25_000_000


@given(st.lists(st.sampled_from(["a", "b", ""]), max_size=8))
def test_r3_occurrences_count_from_one_from_the_top(contents: list[str]) -> None:
    """The n-th row of equal content is the n-th, whatever rows are in between."""
    occurrences = Occurrences()
    assert [occurrences.next([content]) for content in contents] == [
        contents[: place + 1].count(content) for place, content in enumerate(contents)
    ]
