"""When two texts are equal, and what makes a text from outside safe to keep and to show.

Equality has five definitions, one for each purpose:

- `canonical` and `canonical_key`: identity. A row's content is canonical permanently, and a row is identified by its
  canonical key, which has no invisible characters; golden values in the tests hold both.
- `loose`: keys that are nearly the same, so that a person has to decide; `unadorned` widens it.
- `unaccented`: what people type into a mapping and a sheet, such as headers and values; `squeezed` widens it for
  headers.
- `fold`: what the CRM answers and what was sent to it, however it is escaped.
- `folded_address`: the addresses of one contact, whose spellings differ in case, spaces or the width of letters.
"""

from __future__ import annotations

import difflib
import html
import json
import re
import unicodedata
from collections.abc import Callable, Iterable

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
"""Characters without a width, and those that change the writing direction."""

_MEANT = (
    "\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f"  # tags that make a black flag the flag of a region
    "|[\u1820-\u18aa][\u180b-\u180d\u180f]"  # variants of Mongolian letters
    "|[\u3400-\u9fff\U00020000-\U0003ffff][\U000e0100-\U000e01ef]"  # variants of ideographs
)
_DROPPED = re.compile(rf"(?P<meant>{_MEANT}|[\u200c\u200d])|{_INVISIBLE.pattern}")
_JOINED = "[\u0600-\u1dff\u2190-\U000dffff]"  # what a joiner joins: letters of most scripts but Latin, and emoji
_STRAY_JOINER = re.compile(rf"(?<!{_JOINED})[\u200c\u200d]+|[\u200c\u200d]+(?!{_JOINED})")
_RIGHT_TO_LEFT = re.compile("[\u05d0-\u05f2\u0620-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_OTHER_SPACE = re.compile("[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]")
_UNSEEN = re.compile(rf"{_INVISIBLE.pattern}|{_OTHER_SPACE.pattern}|[\u115f\u1160\u2800\u3164\uffa0]")

_NO_CHARACTER = re.compile("[\ufffe\uffff]")
_UNSAFE = re.compile("|".join(f"(?:{some.pattern})" for some in (_SURROGATE, _CONTROL, _INVISIBLE, _NO_CHARACTER)))
_CASE_ID = re.compile(r"(?=.*[0-9])(?!error|fail|exception|wci-)[a-z0-9][a-z0-9_.:-]{0,63}", re.IGNORECASE | re.ASCII)
_GAP = re.compile(rf"(?:\s|{_CONTROL.pattern}|{_INVISIBLE.pattern})+")
_JSON_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
_MOST_LAYERS = 4
"""How many layers of escapes are removed: JSON inside JSON, HTML inside that."""


def clean(text: str) -> str:
    """Return a text from outside as it may be kept, written and shown anywhere.

    Terminal escape sequences, invisible characters and those that change the writing direction are removed. Other
    control characters become a space, line breaks of any kind a newline, noncharacters and lone surrogates U+FFFD.
    Tabs stay. The result can always be encoded, and cleaning it again changes nothing.
    """
    if text.isascii() and text.isprintable():
        return text
    text = _LINE_BREAK.sub("\n", _ESCAPE_SEQUENCE.sub("", _without_surrogates(text)))
    return _NO_CHARACTER.sub("\ufffd", without_invisible(_CONTROL.sub(" ", text)))


def seen(text: str) -> str:
    """Return a text without what a person cannot see: invisible characters are dropped, any other space is a plain one.

    Tabs and line breaks stay.
    """
    if text.isascii():
        return text
    return _OTHER_SPACE.sub(" ", without_invisible(text))


def without_invisible(text: str) -> str:
    """Return a text without the invisible characters that mean nothing where they are.

    Joiners mean something between emoji and between letters of many scripts (not Latin ones), the tags of a black flag
    make it another flag, and Mongolian and ideographic letters have variants.
    """
    if text.isascii() or _INVISIBLE.search(text) is None:  # as most texts are, which the search alone sees quickly
        return text
    return _STRAY_JOINER.sub("", _DROPPED.sub(lambda found: found["meant"] or "", text))


def as_sent(text: str) -> str:
    """Return a cell's text as it is sent: trimmed, without the invisible characters that mean nothing.

    Spaces inside stay as they are, and a text with letters that run from right to left keeps what directs them.
    """
    text = text.strip()
    if text.isascii() or _INVISIBLE.search(text) is None or _RIGHT_TO_LEFT.search(text):
        return text
    return without_invisible(text).strip()


def named(text: str) -> str:
    """Return a text for a message about what is wrong with it: what nobody sees in it is named, such as [U+200B]."""
    return _UNSEEN.sub(lambda found: f"[U+{ord(found.group()):04X}]", as_sent(text))


def escaped(text: str, escape: Callable[[str], str]) -> str:
    """Return a text in which `escape` has written each character that `clean` would remove; nothing is lost."""
    return _UNSAFE.sub(lambda found: escape(found.group()), text)


def plain(text: str) -> str:
    """Return a text as people read it: escapes decoded, each letter in one form, each gap a single space."""
    text = _ESCAPE_SEQUENCE.sub("", _without_surrogates(unescaped(text)))
    return _GAP.sub(" ", unicodedata.normalize("NFKC", text)).strip(" ")


def unescaped(text: str) -> str:
    """Return a text without the escapes of JSON and HTML, even where they are nested."""
    for _layer in range(_MOST_LAYERS):
        if "\\" not in text and "&" not in text:
            break
        decoded = html.unescape(_JSON_ESCAPE.sub(_decoded, text))
        if decoded == text:
            break
        text = decoded
    return text


def fold(text: str) -> str:
    """Return the form in which texts are equal that differ only in escapes, spacing or case."""
    return plain(text).casefold()


def folded_address(text: str) -> str:
    """Return the form in which two spellings of one e-mail address are equal; folding it again changes nothing.

    Case, spaces, invisible characters and the width of letters do not count; accents, dots and what follows a plus do.
    Small letters, not `casefold`: straße.de and strasse.de are two domains.
    """
    for _round in range(_MOST_LAYERS):
        shown = unicodedata.normalize("NFKC", _without_surrogates(text))
        visible = "".join(sign for sign in shown if not (sign.isspace() or unicodedata.category(sign) in {"Cc", "Cf"}))
        folded = unicodedata.normalize("NFKC", visible.lower())
        if folded == text:
            break
        text = folded
    return text


_LOCAL = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
_ADDRESS = re.compile(rf"{_LOCAL}(?:\.{_LOCAL})*@{_LABEL}(?:\.{_LABEL})+")


def is_address(text: str) -> bool:
    """Return whether a text has the form of an e-mail address."""
    return _ADDRESS.fullmatch(text) is not None


def _without_surrogates(text: str) -> str:
    """Return the text with surrogate pairs joined, and U+FFFD for each lone surrogate."""
    if _SURROGATE.search(text) is None:
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _decoded(escape: re.Match[str]) -> str:
    """Return the character of a JSON escape; a space for a control character."""
    code, letter = escape.groups()
    if code is not None:
        return chr(int(code, 16))
    return letter if letter in '"\\/' else " "


_WHOLE_NUMBER = re.compile(r"([+-]?\d+)\.0+")
_LEADING_ZEROS = re.compile(r"(?<![\d.,])0+(?=\d)")

_PLAIN = {
    **dict.fromkeys(map(ord, "\u2018\u2019\u02bc\u02b9\u2032\u00b4"), "'"),
    **dict.fromkeys(map(ord, "\u2212\u2043\u02d7"), "-"),
    **dict.fromkeys(map(ord, "\u2800\u3164\u115f\u1160\uffa0"), ""),  # letters that look like spaces
}


class _CharacterTable(dict[int, str]):
    """Each character without what programs add or exchange; filled on demand."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        if category in {"Cf", "Mn", "Me", "Cc"} and not character.isspace():
            character = ""
        self[code] = "-" if category == "Pd" else character
        return self[code]


_UNADORNED = _CharacterTable(_PLAIN)


def canonical(cell: object) -> str:
    """Return a cell's text as it counts for identity: NFC, trimmed, LF as line end, whole numbers without `.0`."""
    text = str(cell).strip()
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.endswith("0") and (whole := _WHOLE_NUMBER.fullmatch(text)):
        return whole[1]
    return text


def canonical_key(cell: object) -> str:
    """Return a cell's canonical text as a part of a key: as a person sees it (`seen`). Version 1 was `canonical`."""
    return canonical(seen(str(cell)))


def loose(text: str) -> str:
    """Return a canonical key part without what people write differently: leading zeros, case, accents, spaces."""
    if text.isascii():
        bare = text.lower()  # the same as below for ASCII, in a tenth of the time
    else:
        folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
        bare = "".join(character for character in folded if not unicodedata.combining(character))
    bare = "".join(bare.split())
    return _LEADING_ZEROS.sub("", bare) if "0" in bare else bare


def unadorned(text: str) -> str:
    """Return a text without invisible characters and leading apostrophes, with plain dashes and narrow characters."""
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFKC", text).translate(_UNADORNED)
    return text.strip().lstrip("'").strip()


def trimmed(text: str) -> str:
    """Return a text as a person sees it (`seen`), in composed form (NFC), without white space around it."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", seen(text))
    return text.strip()


def column_name(text: str) -> str:
    """Return a header's text as a person sees it: in composed form, with single spaces, trimmed."""
    return " ".join(unicodedata.normalize("NFC", seen(text)).split())


def unaccented(text: str) -> str:
    """Return a text without case, accents, invisible signs and repeated white space, to compare what people type."""
    text = " ".join(without_invisible(text).split()).casefold()
    if text.isascii():
        return text
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def squeezed(text: str) -> str:
    """Return a header `unaccented` and without any white space: `Fecha de cierre` is `fechadecierre`."""
    return "".join(unaccented(text).split())


def nearest(word: str, known: Iterable[str], count: int = 3, alike: float = 0.6) -> tuple[str, ...]:
    """Return up to `count` of the `known` words that `word` may be a misspelling of, the likeliest first.

    `alike` is how much they must have in common, from 0 to 1.
    """
    names: dict[str, str] = {}
    for name in known:
        names.setdefault(unaccented(name), name)
    wanted = unaccented(word)
    close = difflib.get_close_matches(wanted, names, count, alike)
    ratios = [difflib.SequenceMatcher(None, name, wanted).ratio() for name in close]
    close = [name for name, ratio in zip(close, ratios, strict=True) if ratio >= ratios[0] - 0.1]
    within = [name for name in names if name not in close and wanted and name and (wanted in name or name in wanted)]
    return tuple(names[name] for name in [*close, *within][:count])


_PLAIN_IN_YAML = re.compile(r"[^\W_](?:[\w ()/.+'@-]*[\w)/.+'@-])?")


def as_yaml(text: str) -> str:
    """Return a text as a person writes it in a mapping: as it is, or in quotes where YAML needs them."""
    return text if _PLAIN_IN_YAML.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def is_placeholder(text: str) -> bool:
    """Return whether a text only stands for one that a person is to write, as in a line that an issue proposes."""
    return bool(text.strip()) and not text.strip(" .…\u00a0") and ("…" in text or "..." in text)


def is_case_id(text: str) -> bool:
    """Return whether a text has the form of a case id."""
    return _CASE_ID.fullmatch(text) is not None and bool(text.strip("0_.:-"))


_PLAIN_IN_YAML = re.compile(r"[^\W_](?:[\w ./()@+-]*[\w/()@+.-])?")
_TOTAL = re.compile(
    r"(?:(?:gran |grand |sub[ -]?)?tota(?:l|les|is)|suma|soma|promedio|average|conteo|recuento|contagem)"
    r"(?:\W.{0,60})?"
    r"|\*{1,4}",  # as SAP marks the rows of its sums
    re.IGNORECASE,
)


def is_total(text: str) -> bool:
    """Tell whether a text is what stands before the sums of a table."""
    return _TOTAL.fullmatch(text) is not None


def yaml_scalar(text: str) -> str:
    """Return a text as a YAML scalar on one line, quoted only where that is necessary."""
    return text if _PLAIN_IN_YAML.fullmatch(text) else yaml_quoted(text)


def yaml_quoted(text: str) -> str:
    """Return a text as a YAML scalar in double quotes."""
    written = escaped(json.dumps(text, ensure_ascii=False), _yaml_escape)
    return re.sub("[\u2028\u2029]", lambda found: _yaml_escape(found.group()), written)  # line breaks to YAML


def _yaml_escape(sign: str) -> str:
    """Return a character as an escape of YAML, which has no surrogate pairs."""
    return f"\\u{ord(sign):04x}" if ord(sign) < 1 << 16 else f"\\U{ord(sign):08x}"
