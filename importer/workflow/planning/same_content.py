"""New rows whose cells, but for the key, are those of a known row that this sheet has not under its own key.

Such a row may be the known ticket under a new key: one that was respelt, or written into a report only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain, islice

from importer.identity import COLUMN_DIGEST
from importer.journal import RecordedContent
from importer.messages import _, ngettext
from importer.model import MAY_BE_CASES
from importer.workflow.planning.plan import Batch

_FEWEST_COLUMNS = 3
"""Columns beside the key; fewer are equal by chance."""

_MOST = 5
"""Rows that a note names."""


def same_content_notes(
    batches: Iterable[Batch],
    known_elsewhere: Iterator[RecordedContent],
    columns: Sequence[str],
    key_columns: Collection[str],
) -> Iterator[str]:
    """Yield a sentence that names new rows with the content of a case whose key is not in the sheet.

    `columns` are the recorded names of the columns that count as content, `key_columns` of those that make the key.
    """
    places = [place for place, name in enumerate(sorted(columns)) if name not in key_columns]
    first = next(known_elsewhere, None) if key_columns and len(places) >= _FEWEST_COLUMNS else None
    if first is None:  # as in a first import, and wherever the sheet has all that is known
        return

    def beside_key(digests: str) -> str:
        return "".join(digests[place * COLUMN_DIGEST : (place + 1) * COLUMN_DIGEST] for place in places)

    new = {beside_key(digests): number for batch in batches for number, digests in _new_contents(batch)}
    found = (
        (new[content], known)
        for known in chain([first], known_elsewhere)
        if known.columns == tuple(columns) and known.column_digests and known.status in MAY_BE_CASES
        if (content := beside_key(known.column_digests)) in new
    )
    named: dict[int, RecordedContent] = {}
    for number, known in found:
        named.setdefault(number, known)
    if named:
        yield _sentence(named)


def _new_contents(batch: Batch) -> Iterator[tuple[int, str]]:
    facts = batch.facts
    for number, digests, known in zip(
        facts.index.tolist(), facts["column_digests"].tolist(), facts["known"].tolist(), strict=True
    ):
        if digests and known is None:
            yield number, digests


def _sentence(named: dict[int, RecordedContent]) -> str:
    listed = ", ".join(
        _("row {row} (case {id})", row=number, id=known.wolkvox_id or known.reference)
        for number, known in islice(sorted(named.items()), _MOST)
    )
    return ngettext(
        "{count} new row has the same cells as a row that is a case already, but for its key, and the key of that row"
        " is not in the sheet any more: {rows}. If both are one ticket, write the key as before: under a new key, it"
        " becomes a second case.",
        "{count} new rows have the same cells as rows that are cases already, but for their keys, and the keys of those"
        " rows are not in the sheet any more: {rows}. If they are the same tickets, write the keys as before: under new"
        " keys, they become second cases.",
        len(named),
        rows=listed + (", …" if len(named) > _MOST else ""),
    )
