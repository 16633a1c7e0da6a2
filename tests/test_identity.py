"""Identity: values that must never change between versions, and their properties."""

from __future__ import annotations

import hashlib
import random
import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from importer import identity
from importer.identity import Scope
from importer.model import Attachment, CellError, Typed

SCOPE = Scope("crm0001.wolkvox.com", "my_operation", "legacy-tickets")
CELLS = [("Asunto", "Señal"), ("Estado", "Abierto")]
PARTS = st.lists(st.text(max_size=6), max_size=4)


def attachment(name: str, size: int) -> Attachment:
    """Return an attachment that a cell names."""
    return Attachment(Path("/somewhere") / name, name, size, 0)


@pytest.mark.parametrize(
    ("server", "tenant"),
    [
        ("https://crm0001.wolkvox.com", "crm0001.wolkvox.com"),
        ("https://sv0001.crmvox.com", "crm0001.wolkvox.com"),
        ("https://sv0000.crmvox.com/", "crm0000.wolkvox.com"),
        ("CRM0001.Wolkvox.COM", "crm0001.wolkvox.com"),
        ("https://crm0001.wolkvox.com.:443", "crm0001.wolkvox.com"),
        ("https://crm01.wolkvox.com", "crm01.wolkvox.com"),
        ("https://crm.wolkvox.com", "crm.wolkvox.com"),
        ("https://sv01.crmvox.com", "sv01.crmvox.com"),
        ("https://crm0001.wolkvox.com:8443", "crm0001.wolkvox.com:8443"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("http://127.0.0.1:8081", "127.0.0.1:8081"),
        ("http://localhost:80", "127.0.0.1"),
        ("http://localhost:8080", "127.0.0.1:8080"),
        ("http://LOCALHOST.:8080/", "127.0.0.1:8080"),
        ("http://[::1]:8080", "127.0.0.1:8080"),
        ("http://[0:0:0:0:0:0:0:1]:8080", "127.0.0.1:8080"),
        ("http://[::ffff:127.0.0.1]:8080", "127.0.0.1:8080"),
        ("http://127.1:8080", "127.0.0.1:8080"),
        ("http://127.0.1.1:8080", "127.0.0.1:8080"),
        ("https://[2001:db8::1]:8443", "[2001:db8::1]:8443"),
        ("https://127.0.0.1.example.com", "127.0.0.1.example.com"),
    ],
)
def test_r10_the_tenant_of_a_server(server: str, tenant: str) -> None:
    """Old and new host names of one CRM are one tenant; a simulated CRM is its host and port."""
    assert identity.tenant_of(server) == tenant


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("  T-1\xa0", "T-1"),
        ("Petici\u006f\u0301n", "Petición"),
        ("3001234567.0", "3001234567"),
        ("-7.000", "-7"),
        ("12.50", "12.50"),
        ("00123", "00123"),
        ("1.0.0", "1.0.0"),
        ("v1.0", "v1.0"),
        ("one\r\ntwo\rthree\n", "one\ntwo\nthree"),
        (Typed("7.0", 7.0), "7"),
        (Typed("31/12/2024", 45657), "31/12/2024"),
        (CellError("#N/A", "error-cell", "", ""), "#N/A"),
        ("", ""),
    ],
)
def test_the_canonical_text_of_a_cell(cell: object, text: str) -> None:
    """A cell counts as its composed, trimmed text with one kind of line end; a whole number has no `.0`."""
    assert identity.canonical(cell) == text


@given(st.text(max_size=20))
def test_canonical_text_is_its_own_canonical_text(text: str) -> None:
    """Canonical text stays the same when a report gives it back, even decomposed in between."""
    once = identity.canonical(text)
    assert identity.canonical(once) == once
    assert identity.canonical(unicodedata.normalize("NFD", text)) == once


def test_the_golden_values_of_a_key() -> None:
    """The digests and the reference of this key are those of the first release, and never change."""
    digest = identity.key_digest(["T-0001"])
    assert digest == "ffc002cf3472b9ad6877f929e5c4d371d252b27f6b1c969eec16e79d075e696c"
    assert identity.loose_digest(["T-0001"]) == "3f3858f41cc552738c86ec7ba2b2340509a02d4aa3f5f5663373714735eed7db"
    assert identity.reference(SCOPE, digest) == "WCI-CBB2VVVM4V9B8JX3"
    assert identity.key_digest(["ab", "c"]) == "cc8928d0d06e2f86606fa5e3ba08e99c6b2c33aeda8cf4b1e7937df5e1c6b77e"
    assert identity.key_digest([]) == "be2974546978e3739e6d6da85c4be9f334ce32df2b9fd4b6ff1b55c0d57e9d44"
    assert identity.content_key(["a", "b"], 2) == ("a", "b", "2")


def test_the_golden_values_of_a_content() -> None:
    """The hashes of this content are those of the first release, and never change."""
    files = [attachment("a/b.pdf", 12)]
    assert identity.content_hash(CELLS, None) == "1:c6ff50cda9defe629a103f41bc5114bc:-"
    assert identity.content_hash(CELLS, files) == (
        "1:c6ff50cda9defe629a103f41bc5114bc:1d20267404bd02a807893972d50c9954"
    )
    assert identity.content_hash(CELLS, []) == "1:c6ff50cda9defe629a103f41bc5114bc:e38bd36c6261e5030e893c64c1fe465d"


def test_a_reference_is_the_first_80_bits_of_sha_256() -> None:
    """A reference, computed by hand: length-prefixed scope and key, hashed, in Crockford's base 32."""
    digest = identity.key_digest(["T-0001"])
    parts = (SCOPE.tenant, SCOPE.operation, SCOPE.import_name, digest)
    written = "reference-1" + "".join(f"{len(part)}:{part}" for part in parts)
    bits = "".join(f"{byte:08b}" for byte in hashlib.sha256(written.encode()).digest()[:10])
    characters = ["0123456789ABCDEFGHJKMNPQRSTVWXYZ"[int(bits[at : at + 5], 2)] for at in range(0, 80, 5)]
    assert identity.reference(SCOPE, digest) == "WCI-" + "".join(characters)


@given(st.builds(Scope, st.text(max_size=5), st.text(max_size=5), st.text(max_size=5)), PARTS)
def test_every_reference_has_one_form(scope: Scope, key: list[str]) -> None:
    """Each is `WCI-` and sixteen characters without I, L, O and U, of the length that the limits assume."""
    reference = identity.reference(scope, identity.key_digest(key))
    assert re.fullmatch(r"WCI-[0-9A-HJKMNP-TV-Z]{16}", reference)
    assert identity.REFERENCE.fullmatch(reference)
    assert len(reference) == identity.REFERENCE_LENGTH


@given(PARTS, PARTS)
def test_keys_with_other_parts_have_other_digests(one: list[str], other: list[str]) -> None:
    """The boundaries between parts matter: ("ab", "c") is neither ("a", "bc") nor ("abc",)."""
    assert (identity.key_digest(one) == identity.key_digest(other)) == (one == other)


def test_parts_that_look_like_lengths_stay_apart() -> None:
    """A cell cannot imitate the length prefix of the next part."""
    keys = [("1:a", "b"), ("1:a1:b",), ("a", "1:b"), ("1", ":a1:b"), ("", "1:a1:b"), ("1:a", "b", "")]
    assert len({identity.key_digest(key) for key in keys}) == len(keys)


@pytest.mark.parametrize("change", [{"tenant": "t"}, {"operation": "o"}, {"import_name": "n"}])
def test_every_part_of_the_scope_makes_another_reference(change: dict[str, str]) -> None:
    """The same key in another scope is another row."""
    scope = Scope(**{"tenant": "a", "operation": "b", "import_name": "c", **change})
    digest = identity.key_digest(["1"])
    assert identity.reference(scope, digest) != identity.reference(Scope("a", "b", "c"), digest)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("00123", "123"),
        ("A-0012", "a-12"),
        ("Petición 7", "PETICION7"),
        ("t 1", "T\xa01"),
        ("Straße", "STRASSE"),
        ("\uff10\uff17", "7"),
        ("\u210d1", "h1"),
        ("000", "0"),
    ],
)
def test_r12_keys_that_differ_only_by_zeros_case_accents_or_spaces_are_alike(one: str, other: str) -> None:
    """`00123` and `123` are one ticket until a person decides otherwise."""
    assert identity.loose_digest([one]) == identity.loose_digest([other])
    assert identity.key_digest([one]) != identity.key_digest([other])


@pytest.mark.parametrize(("one", "other"), [("10", "1"), ("1.05", "1.5"), ("1,05", "1,5"), ("100", "10"), ("A1", "B1")])
def test_zeros_inside_a_number_count(one: str, other: str) -> None:
    """Only zeros in front of a whole number are ignored."""
    assert identity.loose_digest([one]) != identity.loose_digest([other])


@given(st.text(alphabet="aáÁñçEz019-. ", min_size=1, max_size=10))
def test_loosening_forgets_zeros_case_accents_and_spaces(text: str) -> None:
    """A key is similar to itself in capitals, without accents, with spaces anywhere or with leading zeros."""
    loose = identity.loose(text)
    bare = "".join(character for character in unicodedata.normalize("NFD", text) if character.isascii())
    assert identity.loose(text.upper()) == loose
    assert identity.loose(bare) == loose
    assert identity.loose(" ".join(text)) == loose
    assert identity.loose(loose) == loose
    if text.isdigit():
        assert identity.loose("00" + text) == loose


@given(st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=4), st.randoms(use_true_random=False))
def test_r2_the_order_of_columns_does_not_count(cells: dict[str, str], chance: random.Random) -> None:
    """A sheet with moved columns has the same content."""
    pairs = list(cells.items())
    moved = pairs.copy()
    chance.shuffle(moved)
    assert identity.content_hash(pairs, None) == identity.content_hash(moved, None)


@given(
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=3), st.text(max_size=3), max_size=3),
)
def test_other_cells_are_other_content(one: dict[str, str], other: dict[str, str]) -> None:
    """Two rows have equal hashes only if every column is equal."""
    hashes = [identity.content_hash(list(cells.items()), None) for cells in (one, other)]
    assert identity.same_content(*hashes) == (one == other)


def test_attachments_count_by_path_and_size_where_both_know_them() -> None:
    """Another name or size is another content, unless one side does not know its attachments."""
    hashes = {
        name: identity.content_hash(CELLS, files)
        for name, files in {
            "none": [],
            "one": [attachment("a.pdf", 1)],
            "larger": [attachment("a.pdf", 2)],
            "renamed": [attachment("b.pdf", 1)],
            "unknown": None,
        }.items()
    }
    known = [value for name, value in hashes.items() if name != "unknown"]
    assert len(set(known)) == len(known)
    assert not identity.same_content(hashes["one"], hashes["larger"])
    assert identity.same_content(hashes["one"], hashes["one"])
    assert all(identity.same_content(value, hashes["unknown"]) for value in known)
    assert all(identity.same_content(hashes["unknown"], value) for value in known)


def test_r5_a_hash_of_another_version_is_no_change() -> None:
    """A hash that another version wrote, in whatever form, does not make a row changed."""
    assert identity.same_content("2:abc", identity.content_hash(CELLS, None))
    assert identity.same_content("0:a:b:c", identity.content_hash(CELLS, None))


def test_equal_contents_without_a_key_differ_by_their_occurrence() -> None:
    """Under `key: content` the second of two equal rows is its own row, and no column can imitate it."""
    keys = [identity.content_key(["a", "b"], 1), identity.content_key(["a", "b"], 2), identity.content_key(["a"], 1)]
    assert len({identity.key_digest(key) for key in keys}) == 3
