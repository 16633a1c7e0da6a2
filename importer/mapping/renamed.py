"""Headers that were renamed: which heading of a sheet a missing column may have now."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from importer.mapping.drafting.headers import FIELDS, words_of
from importer.mapping.drafting.matching import is_called
from importer.mapping.headings import PLACEHOLDER, Headings
from importer.messages import _
from importer.text import nearest

_ALIKE = 0.75  # as for the hints about a missing column


def similar_heading(texts: Sequence[str], free: Sequence[str]) -> tuple[str | None, str]:
    """Return the heading that has the same words as one of the texts, or that is most like it, and the reason."""
    words = set(map(words_of, texts))
    if same := next((heading for heading in free if words_of(heading) in words), None):
        return same, _("'{heading}' has the same words.", heading=same)
    if near := next((found for text in texts for found in nearest(text, free, 1, _ALIKE)), None):
        return near, _("'{heading}' is the most similar header.", heading=near)
    if same := next((heading for heading in free if _fields_of(heading) & set().union(*map(_fields_of, texts))), None):
        return same, _("'{heading}' is a common header for the same field.", heading=same)
    return None, _("No header in the sheet is similar.")


def _fields_of(heading: str) -> set[str]:
    """Return the fields of a case for which a heading is usual, as `E-mail` is for the contact."""
    return {field for field in FIELDS if is_called(field, heading)}


def headings_now(missing: Iterable[str], free: Sequence[str], headings: Headings) -> list[tuple[str, str]]:
    """Return which of the `free` headings missing columns may have now, as (own name, heading) pairs.

    Where no heading is like a missing column, the first of them has a placeholder, which a person has to replace; where
    none is left, there are no pairs.
    """
    left = list(free)
    own_names = list(dict.fromkeys(headings.texts(name)[0] for name in missing))
    found = []
    for own in own_names:
        heading, _reason = similar_heading(headings.texts(own), left)
        if heading is not None:
            left.remove(heading)
            found.append((own, heading))
    return found or [(own, PLACEHOLDER) for own in own_names[:1] if left]
