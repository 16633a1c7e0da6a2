"""Rows that were sent under a corrected key, in a sheet whose corrections are lost: they have another key there."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from importer.journal import KnownRow
from importer.messages import _, gettext_noop, translated
from importer.model import Issue
from importer.text import named
from importer.workflow.keys.history import ImportHistory
from importer.workflow.keys.keys import Keys


class LostCorrections:
    """Finds the rows of one source that were sent under another key, once `remember` has seen all of them.

    The journal has every key that a row would have without corrections, or with some of them. A new row with one of
    these keys, whatever it was corrected to since, is that row, unless the correction is in force in this sheet: then
    that row is another one.
    """

    def __init__(self, history: ImportHistory, key_columns: Sequence[str]) -> None:
        self._history, self._key_columns = history, key_columns
        self._in_force: set[tuple[str, str]] = set()

    def remember(self, keys: Keys) -> None:
        """Remember the corrected keys of a frame."""
        for at, before in keys.uncorrected.items():
            for own in filter(None, (keys.digests[at], keys.earlier.get(at))):
                self._in_force.update((own, digest) for digest in before)

    def issues(
        self, numbers: Sequence[int], keys: Keys, digests: Sequence[str], known: Mapping[int, KnownRow]
    ) -> Iterator[Issue]:
        """Yield an issue for each row that was not sent as what it is, but under another key.

        `digests` are empty for rows without identity, `known` is what the journal knows about the others, by position.
        """
        wanted = {
            at: list(filter(None, (keys.digests[at], keys.earlier.get(at), *keys.uncorrected.get(at, ()))))
            for at, digest in enumerate(digests)
            if digest and not (at in known and known[at].row.was_sent)
        }
        found = self._history.uncorrected([digest for each in wanted.values() for digest in each])
        owners = self._history.known(list({owner for each in found.values() for owner in each}))
        for at, mine in wanted.items() if owners else ():
            for digest in mine:
                sent = (owners[owner] for owner in found.get(digest, ()) if owner in owners)
                if one := next(self._not_here(digest, sent), None):
                    is_own = digest not in keys.uncorrected.get(at, ())
                    yield self._issue(numbers[at], keys.parts[at], one, is_own=is_own)
                    break

    def _not_here(self, digest: str, owners: Iterable[KnownRow]) -> Iterator[KnownRow]:
        """Yield those of the rows that were sent, and are not in this sheet with their corrections."""
        return (one for one in owners if one.row.was_sent and (one.key_digest, digest) not in self._in_force)

    def _issue(self, number: int, key: tuple[str, ...], sent: KnownRow, *, is_own: bool) -> Issue:
        case = sent.row.wolkvox_id or sent.row.reference
        if not self._key_columns:
            message = _(
                "This row had other corrections when it was sent ({case}), and those are no longer next to the sheet",
                case=case,
            )
            return Issue(number, None, None, "correction-lost", message, translated(_AS_BEFORE))
        column, value = ", ".join(self._key_columns), named(" · ".join(key))
        if is_own:
            message = _(
                "{column} '{value}' was corrected to another value when this row was sent ({case}), and that"
                " correction is no longer next to the sheet",
                column=column,
                value=value,
                case=case,
            )
        else:
            message = _(
                "{column} '{value}' had another value when this row was sent ({case}), and that correction is no"
                " longer next to the sheet",
                column=column,
                value=value,
                case=case,
            )
        return Issue(number, column, value, "correction-lost", message, translated(_AS_BEFORE))


_AS_BEFORE = gettext_noop(
    "Put the file of corrections back beside the sheet, or correct the row again as before; if this is another ticket,"
    " write a key of its own into the sheet itself"
)
