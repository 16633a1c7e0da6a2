"""Sentences about number formats: where a person sees something else in the sheet than what is read."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from importer.messages import _, shorten
from importer.source.number_formats.codes import Remark

Remarks = Mapping[Remark, Collection[tuple[int, str]]]
"""The columns from 0, each with the code of a format, that a remark is about."""

_MOST_NAMED = 8


def format_notes(remarks: Remarks, columns: Mapping[int, str]) -> tuple[str, ...]:
    """Return a sentence for each remark that names its columns, with their formats; `columns` are the headers."""
    return tuple(
        _sentence(remark, listed)
        for remark in Remark
        if (listed := ", ".join(_named(remark, remarks.get(remark, ()), columns)))
    )


def _named(remark: Remark, places: Collection[tuple[int, str]], columns: Mapping[int, str]) -> Iterator[str]:
    """Yield each column with its format; the codes of regional dates say nothing to a person."""
    named = [(columns[column], code) for column, code in sorted(places) if column in columns]
    shown = dict.fromkeys(name if remark is Remark.REGIONAL else f"{name} ({shorten(code)})" for name, code in named)
    yield from list(shown)[:_MOST_NAMED]
    if len(shown) > _MOST_NAMED:
        yield "…"


def _sentence(remark: Remark, columns: str) -> str:
    if remark is Remark.REGIONAL:
        return _(
            "Dates that Excel shows in each computer's regional format are read as YYYY-MM-DD, and times as HH:MM:SS:"
            " {columns}.",
            columns=columns,
        )
    if remark is Remark.LANGUAGE:
        return _(
            "Names of months and days, AM and PM are read in English where Excel shows them in each computer's"
            " language, or in one that is not known here: {columns}.",
            columns=columns,
        )
    if remark is Remark.ROUNDED:
        return _(
            "Numbers that the sheet shows as fractions, with an exponent or in thousands are read with all their"
            " digits: {columns}.",
            columns=columns,
        )
    if remark is Remark.UNKNOWN:
        return _(
            "Number formats with parts that are not known here; compare what the sheet shows with what is read:"
            " {columns}.",
            columns=columns,
        )
    if remark is Remark.HASHES:
        return _(
            "Numbers that the sheet shows as ####, because their format has nothing for them, are read as numbers:"
            " {columns}.",
            columns=columns,
        )
    return _("Cells whose format shows nothing are read as empty, whatever is in them: {columns}.", columns=columns)
