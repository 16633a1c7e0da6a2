"""What the rows of a sheet show together: totals below the table, merged cells, several lines of one ticket."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from importer.mapping.document import Node
from importer.text import is_total

if TYPE_CHECKING:
    import pandas as pd

_LAST = 5  # rows in which a footer is looked for
_REMARK = re.compile(
    r"fin (?:del?|do)\b.*|end of\b.*|generad[oa]\b.*|gerado\b.*|generated\b.*|exported\b.*"
    r"|exportado\b.*|fuente:.*|fonte:.*|source:.*|nota:.*|elabor[oó]\b.*"
    r"|(?:cantidad|n[uú]mero|quantidade) de (?:registros|filas|casos|tickets|linhas)\b.*"
    r"|[\d.,]+ (?:registros|filas|casos|tickets|rows|records|linhas|chamados)\b.*",
    re.IGNORECASE | re.DOTALL,
)
_KEYS = 5_000  # of which the rows are compared


@dataclass(frozen=True, slots=True)
class ShownRows:
    """Frames without the rows that are hidden in the sheet; may be read again, if these may be."""

    frames: Iterable[pd.DataFrame]
    hidden: Collection[int] = ()

    def __iter__(self) -> Iterator[pd.DataFrame]:
        if not self.hidden:
            return iter(self.frames)
        hidden = list(self.hidden)
        return (frame[~frame.index.isin(hidden)] for frame in self.frames)


@dataclass(frozen=True, slots=True)
class Footer:
    """The rows below a table that are none of its own, and the texts by which they are known: (column, text)."""

    rows: tuple[int, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()

    def condition(self) -> Node:
        """Return the condition of `skip_if` that holds for these rows; their numbers may differ next week."""
        tests: list[Node] = [{column: _test(text)} for column, text in dict.fromkeys(self.texts)]
        return tests[0] if len(tests) == 1 else tests


def _test(text: str) -> Node:
    if not re.search(r"\d", text):
        return text
    return {"matches": "".join("[0-9.,]+" if part[0].isdigit() else _literal(part) for part in _parts(text))}


def _parts(text: str) -> list[str]:
    return re.findall(r"\d[\d.,]*|\D+", text)


def _literal(text: str) -> str:
    """Return a regular expression for a text, readable in YAML: any sign that is not a letter or a space is a point."""
    return re.sub(r"\s+", " +", re.sub(r"[^\w\s]", ".", text))


def find_footer(columns: Sequence[str], frames: Iterable[pd.DataFrame]) -> Footer:
    """Return the totals and remarks below a table: rows at its end with few cells, and a text that says so."""
    filled: Counter[int] = Counter()
    last: list[tuple[int, tuple[object, ...]]] = []
    for frame in frames:
        filled.update((frame[list(columns)] != "").sum(axis=1).tolist())
        tail = frame[list(columns)].tail(_LAST)
        last = [*last, *zip(tail.index.tolist(), tail.itertuples(index=False, name=None), strict=True)][-_LAST:]
    typical = max(filled, key=lambda count: (filled[count], count), default=0)
    below: list[tuple[int, tuple[str, str]]] = []
    proved = 0
    for number, cells in reversed(last):
        written = [(column, text) for column, cell in zip(columns, cells, strict=True) if (text := str(cell).strip())]
        if not written or len(written) >= typical or len(written) > max(2, typical // 2):
            break
        below.append((number, written[0]))
        if is_total(written[0][1]) or _REMARK.fullmatch(written[0][1]):
            proved = len(below)  # the remarks below it, which may be of any words, belong to it
    found = below[:proved][::-1]
    return Footer(tuple(number for number, _text in found), tuple(text for _number, text in found))


def merged_columns(columns: Sequence[str], frames: Iterable[pd.DataFrame], filled: Iterable[pd.DataFrame]) -> list[str]:
    """Return the columns in which filling the merged cells repeats what is above them."""
    found = set()
    for stored, whole in zip(frames, filled, strict=False):
        for column in columns:
            cells, texts = list(map(str, stored[column])), list(map(str, whole[column]))
            found |= {
                column
                for above, text, cell in zip(["", *texts], texts, cells, strict=False)
                if text and not cell and text == above
            }
    return [column for column in columns if column in found]


def varying_columns(
    columns: Sequence[str], frames: Iterable[pd.DataFrame], key: str, without: Collection[int]
) -> list[str]:
    """Return the columns in which a later row of a key has another text than the rows before it."""
    first: dict[str, list[str]] = {}
    varying: set[str] = set()
    for frame in frames:
        rows = zip(
            frame.index.tolist(), frame[key], frame[list(columns)].itertuples(index=False, name=None), strict=True
        )
        for number, cell, cells in rows:
            name, texts = str(cell).strip(), [str(each).strip() for each in cells]
            if not name or number in without or (name not in first and len(first) >= _KEYS):
                continue
            known = first.setdefault(name, texts)
            varying |= {column for column, one, two in zip(columns, known, texts, strict=True) if two and one != two}
            first[name] = [one or two for one, two in zip(known, texts, strict=True)]
    return [column for column in columns if column in varying]
