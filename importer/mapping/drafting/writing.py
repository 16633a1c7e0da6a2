"""YAML written for people: plain where that is safe, in quotes where it is not, comments in a column of their own."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from importer.mapping.document import Node
from importer.text import clean, escaped

_PLAIN = re.compile(r"[^\W_](?:[\w ./()@+-]*[\w/()@+.-])?")
_WIDEST = 60  # columns of YAML before a comment that is put beside it; wider lines push their comment out


@dataclass(frozen=True, slots=True)
class Line:
    """A line of YAML, and the comment beside it."""

    yaml: str
    comment: str = ""


def lines(written: Sequence[Line]) -> Iterator[str]:
    """Yield lines with their comments set in one column."""
    widths = [len(line.yaml) for line in written if line.comment and len(line.yaml) <= _WIDEST]
    margin = max(widths, default=0)
    for line in written:
        comment = " ".join(clean(line.comment).split())  # a header may hold line breaks
        yield f"{line.yaml:<{margin}}  # {comment}" if comment else line.yaml


def scalar(text: str) -> str:
    """Return a text as a YAML scalar on one line."""
    return text if _PLAIN.fullmatch(text) else quoted(text)


def quoted(text: str) -> str:
    """Return a text as a YAML scalar in double quotes."""
    return escaped(json.dumps(text, ensure_ascii=False), _as_yaml)


def _as_yaml(sign: str) -> str:
    """Return a character as an escape of YAML, which has no pairs of surrogates."""
    return f"\\u{ord(sign):04x}" if ord(sign) < 1 << 16 else f"\\U{ord(sign):08x}"


def flow(node: Node) -> str:
    """Return a node on one line: `{column: Estado, values: {Abierto: Open}}`."""
    if isinstance(node, str):
        return scalar(node)
    if isinstance(node, list):
        return f"[{', '.join(map(flow, node))}]"
    return f"{{{', '.join(f'{scalar(key)}: {flow(value)}' for key, value in node.items())}}}"


def blank(yaml: str, wanted: str) -> Line:
    """Return a line whose value is left for a person to fill in, and what is wanted there."""
    return Line(yaml, f"<-- {wanted}")
