"""When two texts are equal, and how outside text is made safe."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importer.text import (
    as_sent,
    canonical_key,
    clean,
    column_name,
    fold,
    named,
    plain,
    trimmed,
    unaccented,
    without_invisible,
)

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


FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"
ENGLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f"
NOTHING = "\u00ad\u034f\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202c\u202e\u2060\u2066\u2069\ufeff"


@pytest.mark.parametrize(
    "text",
    [
        FAMILY,
        f"mi {FAMILY}, \u2764\ufe0f\u200d\U0001f525 y {ENGLAND}",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian
        "\u0915\u094d\u200d\u0937",  # Hindi
        "\u1820\u180b",  # Mongolian
        "\u8fbb\U000e0100",  # a variant of an ideograph
    ],
)
def test_an_invisible_character_stays_where_it_means_something(text: str) -> None:
    """Emoji, flags and letters that joiners and variants make are sent, shown and compared as they are."""
    assert as_sent(text) == clean(text) == without_invisible(text) == canonical_key(text) == text


@pytest.mark.parametrize("text", ["Año 1", "ana@x.co", "+57 300"])
def test_an_invisible_character_that_means_nothing_is_dropped_everywhere(text: str) -> None:
    """Wherever it is in a header, value, key or address, the text is the one that a person sees."""
    for sign in NOTHING:
        for written in (sign + text, text + sign, text[:2] + sign + text[2:], sign + text + sign * 2):
            assert as_sent(written) == canonical_key(written) == column_name(written) == trimmed(written) == text
            assert unaccented(written) == unaccented(text)
        assert named(f"a{sign}\u2800") == "a[U+2800]"


def test_spaces_of_other_widths_are_spaces_where_texts_are_compared_and_stay_where_they_are_sent() -> None:
    """A no-break space inside free text stays; in a key, a header or a compared value it is a space."""
    text = "\u202fPrecio:\u00a05\u2009€\u3000"
    assert as_sent(text) == "Precio:\u00a05\u2009€"
    assert canonical_key(text) == column_name(text) == trimmed(text) == "Precio: 5 €"
    assert named(text) == "Precio:[U+00A0]5[U+2009]€"


def test_a_text_from_right_to_left_keeps_its_direction() -> None:
    """Marks of direction mean something beside Hebrew and Arabic letters."""
    text = "\u05e9\u05dc\u05d5\u05dd (1)\u200e"
    assert as_sent(text) == text


@given(ANY_TEXT)
@settings(max_examples=100)
def test_what_is_dropped_is_dropped_at_once(text: str) -> None:
    """A text without invisible characters does not change when they are dropped again."""
    once = without_invisible(text)
    assert without_invisible(once) == once
