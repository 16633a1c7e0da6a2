"""What makes two texts equal, and what makes a text from outside safe to keep and to show; imports nothing of ours."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Callable, Iterable

from importer.model import Cell, Fault

# MERGED importer.text: What makes two texts equal, and what makes a text from outside safe to keep and to show; imports nothing of ours.

_SURROGATE = re.compile("[\ud800-\udfff]")
_ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor, titles of some terminals
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x90\x98\x9c-\x9f]*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS
    r"|\x1b[ -/]*[0-Z\\^-~]"  # the short ones
)
_LINE_BREAK = re.compile("\r\n|[\r\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
"""Characters without a width, and those that turn the direction of what follows them."""

_NO_CHARACTER = re.compile("[\ufffe\uffff]")
_CASE_ID = re.compile(r"(?=.*[0-9])(?!error|fail|exception|wci-)[a-z0-9][a-z0-9_.:-]{0,63}", re.IGNORECASE | re.ASCII)
_GAP = re.compile(rf"(?:\s|{_CONTROL.pattern}|{_INVISIBLE.pattern})+")
_JSON_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
_DECODED_AT_MOST = 4
"""How many times an answer may have escaped a text: JSON inside JSON, HTML inside that."""


def clean(text: str) -> str:
    """Return a text from outside as it may be kept, written and shown anywhere.

    Terminal escape sequences, invisible characters and those that turn the direction of writing are removed; other
    control characters become a space, line breaks of any kind a newline, and what is no character U+FFFD. Tabs
    stay. The result can always be encoded, and cleaning it again changes nothing.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _LINE_BREAK.sub("\n", _ESCAPE_SEQUENCE.sub("", _without_surrogates(text)))
    return _NO_CHARACTER.sub("\ufffd", _INVISIBLE.sub("", _CONTROL.sub(" ", text)))


def is_case_id(text: str) -> bool:
    """Tell whether a text may be the id of a case, as far as its looks go: see `crm.reading.case_id`."""
    return _CASE_ID.fullmatch(text) is not None and bool(text.strip("0_.:-"))


_UNSAFE = re.compile("|".join(f"(?:{some.pattern})" for some in (_SURROGATE, _CONTROL, _INVISIBLE, _NO_CHARACTER)))


def escaped(text: str, escape: Callable[[str], str]) -> str:
    """Return a text with each character that `clean` would take out written as `escape` writes it; nothing is lost."""
    return _UNSAFE.sub(lambda found: escape(found.group()), text)


def plain(text: str) -> str:
    """Return a text as people read it: escapes decoded, one form for each letter, one space for each gap."""
    text = _ESCAPE_SEQUENCE.sub("", _without_surrogates(unescaped(text)))
    return _GAP.sub(" ", unicodedata.normalize("NFKC", text)).strip(" ")


def unescaped(text: str) -> str:
    """Return a text without the escapes of JSON and HTML, however often they were put upon one another."""
    for _time in range(_DECODED_AT_MOST):
        if "\\" not in text and "&" not in text:
            break
        decoded = html.unescape(_JSON_ESCAPE.sub(_decoded, text))
        if decoded == text:
            break
        text = decoded
    return text


def fold(text: str) -> str:
    """Return what two texts have in common that say the same, however they are escaped, spaced or capitalised."""
    return plain(text).casefold()


def _without_surrogates(text: str) -> str:
    """Return the text with halves of characters joined where they meet, and U+FFFD for those that stay alone."""
    if _SURROGATE.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _decoded(escape: re.Match[str]) -> str:
    """Return the character that a JSON escape stands for; of a control character any gap will do."""
    code, letter = escape.groups()
    if code is not None:
        return chr(int(code, 16))
    return letter if letter in '"\\/' else " "


# MERGED importer.text: When two texts are the same key, and when they are nearly the same: THE definitions, for all that compares keys.

_WHOLE_NUMBER = re.compile(r"([+-]?\d+)\.0+")
_LEADING_ZEROS = re.compile(r"(?<![\d.,])0+(?=\d)")

_PLAIN = {
    **dict.fromkeys(map(ord, "\u2018\u2019\u02bc\u02b9\u2032\u00b4"), "'"),
    **dict.fromkeys(map(ord, "\u2212\u2043\u02d7"), "-"),
    **dict.fromkeys(map(ord, "\u2800\u3164\u115f\u1160\uffa0"), ""),  # they look like spaces, and are letters
}


class _Plain(dict[int, str]):
    """What each character is without what programs add or exchange, filled as characters come."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        if category in {"Cf", "Mn", "Me", "Cc"} and not character.isspace():
            character = ""
        self[code] = "-" if category == "Pd" else character
        return self[code]


_UNADORNED = _Plain(_PLAIN)


def canonical(cell: object) -> str:
    """Return a cell's text as it counts for identity: NFC, trimmed, one kind of line end, whole numbers bare."""
    text = str(cell).strip()
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.endswith("0") and (whole := _WHOLE_NUMBER.fullmatch(text)):
        return whole[1]
    return text


def key_parts(cells: Iterable[Cell]) -> tuple[str, ...]:
    """Return the parts of a key, none where a part is blank or cannot be known."""
    parts = tuple(["" if isinstance(cell, Fault) else canonical(cell) for cell in cells])
    return parts if all(parts) else ()


def seen(cell: Cell) -> str:
    """Return a cell as it counts where rows of one sheet are put together: a person sees no no-break space."""
    return canonical(cell).replace("\u00a0", " ")


def seen_key(cells: Iterable[Cell]) -> tuple[str, ...]:
    """Return the parts of a key as `seen`; rows whose keys are one by that become one case, or an issue."""
    return tuple(part.replace("\u00a0", " ") for part in key_parts(cells))


def loose(text: str) -> str:
    """Return a canonical key part without what people write differently: leading zeros, case, accents, spaces."""
    if text.isascii():
        bare = text.lower()  # all that the next lines do to ASCII, in a tenth of their time
    else:
        folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
        bare = "".join(character for character in folded if not unicodedata.combining(character))
    bare = "".join(bare.split())
    return _LEADING_ZEROS.sub("", bare) if "0" in bare else bare


def loose_2(text: str) -> str:
    """Return `loose` of a text without what programs add or exchange: see `unadorned`."""
    return loose(unadorned(text))


def unadorned(text: str) -> str:
    """Return a text without invisible characters and a leading apostrophe, its dashes and wide characters plain."""
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFKC", text).translate(_UNADORNED)
    return text.strip().lstrip("'").strip()
