"""When two texts are equal, and how outside text is made safe."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.text import clean, fold, plain

ANY_TEXT = st.text(st.characters(codec=None) | st.sampled_from("\x1b\x9b[]\x07\\m0;\x00\ud800\udc00\u202e\u200b\r\n\t"))
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("Año 2024 ñandú 😀 N.º 5", "Año 2024 ñandú 😀 N.º 5"),
        ("a\tb\nc\r\nd\re\u2028f", "a\tb\nc\nd\ne\nf"),
        ("\x1b[31;1mred\x1b[0m", "red"),
        ("\x1b]0;title\x07after", "after"),
        ("\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x9b2Jx", "x"),
        ("\x1bPq#0\x1b\\x", "x"),
        ("\x1bcx", "x"),
        ("\x1b", " "),
        ("\x1b[31", " [31"),
        ("a\x00b\x07c", "a b c"),
        ("\ud83d\ude00 \ud83d!", "😀 \ufffd!"),
        ("\u202egpj.exe\u202c", "gpj.exe"),
        ("a\u200bb\ufeffc\u2066d", "abcd"),
        ("\ufffe", "\ufffd"),
    ],
)
def test_o25_x7_what_controls_a_terminal_or_hides_is_removed_from_a_text(text: str, cleaned: str) -> None:
    """Escape sequences are removed whole, lone surrogates are replaced, tabs and line breaks stay."""
    assert clean(text) == cleaned


@given(ANY_TEXT)
@settings(max_examples=100)
def test_o25_a_clean_text_has_no_control_characters_can_be_encoded_and_stays_as_it_is(text: str) -> None:
    """Any text becomes clean, and a clean text does not change."""
    cleaned = clean(text)
    assert FORBIDDEN.search(cleaned) is None
    cleaned.encode()
    assert clean(cleaned) == cleaned


@pytest.mark.parametrize(
    "piece", ["\x1b]", "\x1b[", "\x1b[0", "\x9d", "\x1bP;", "\ud800", "&", "\\", "&amp;", "\\u005c"]
)
def test_o25_a_long_text_costs_little_time(piece: str) -> None:
    """No pattern scans the same stretch repeatedly."""
    began = time.process_time()
    clean(piece * 50_000)
    fold(piece * 50_000)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "text",
    [
        "token\nlimit  exceeded",
        "Token\u00a0Limit\u3000EXCEEDED",
        "".join(chr(0xFEE0 + ord(letter)) for letter in "TOKEN") + " LIMIT EXCEEDED",
        "token&nbsp;limit&#32;exceeded",
        "token&amp;nbsp;limit exceeded",
        "token\\nlimit\\u0020exceeded",
        "token\x00limit\u200bexceeded",
        "  token limit exceeded\r\n",
    ],
)
def test_o24_the_same_words_are_equal_however_they_are_written(text: str) -> None:
    """Space, case, width and escapes make no difference."""
    assert fold(text) == "token limit exceeded"


def test_plain_keeps_the_case_that_people_read() -> None:
    """`plain` keeps upper case; only comparing ignores it."""
    assert plain("Peña &amp; Hijos\n  S.A.") == "Peña & Hijos S.A."
