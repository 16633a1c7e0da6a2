"""Which cases the CRM was asked for, so that a verification of many cases can go on on another day.

No cell and no value of the CRM is kept: what was not as in the sheet is asked for again, after what never was.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import delete, insert, select

from importer.journal import ids
from importer.journal.database import Database, batches
from importer.journal.schema import arrived_ids, rows, verifications


class Verified(NamedTuple):
    """A case that was asked for: the content of its row then, the mapping, and the time of the answer.

    `content_hash` is empty for one that was not as the sheet said, which is that of no row.
    `wolkvox_id` is the case that was shown, `files` how many attachments its record showed; None for no word of them.
    """

    reference: str
    content_hash: str
    mapping_digest: str
    wolkvox_id: str
    files: int | None
    at: float


class Verifications:
    """What the journal knows of verified cases."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_import(self, import_id: int) -> dict[str, Verified]:
        """Return the cases of an import that were asked for, by reference."""
        columns = (verifications.c[name] for name in Verified._fields if name != "reference")
        query = select(rows.c.reference, *columns).join_from(verifications, rows).where(rows.c.import_id == import_id)
        with self._database.read() as connection:
            return {found[0]: Verified(*found) for found in connection.execute(query)}

    def forget(self, import_id: int) -> None:
        """Let a verification of an import begin anew."""
        of_import = select(rows.c.id).where(rows.c.import_id == import_id)
        with self._database.write() as connection:
            connection.execute(delete(verifications).where(verifications.c.row_id.in_(of_import)))

    def note(self, import_id: int, asked: Iterable[Verified]) -> None:
        """Record what came of the cases that were asked for, in place of what was known of them."""
        wanted = {one.reference: one for one in asked}
        with self._database.write() as connection:
            for some in batches(tuple(wanted)):
                query = select(rows.c.reference, rows.c.id).where(
                    rows.c.import_id == import_id, rows.c.reference.in_(some)
                )
                numbers = {found.reference: found.id for found in connection.execute(query)}
                connection.execute(delete(verifications).where(verifications.c.row_id.in_([*numbers.values()])))
                values = [{**wanted[reference]._asdict(), "row_id": number} for reference, number in numbers.items()]
                for each in values:
                    del each["reference"]
                if values:
                    connection.execute(insert(verifications), values)

    def keep_ids(self, import_id: int, shown: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
        """Keep the ids that the CRM showed with the references of rows; return those that were not known of them.

        No state changes: an id that another row has stays its own, and one that is new for a row is there for whoever
        settles it. A case that a person declared deleted is known.
        """
        new = []
        with self._database.write() as connection:
            for reference, wolkvox_id in dict.fromkeys(shown):
                query = select(rows.c.id, rows.c.wolkvox_id).where(
                    rows.c.import_id == import_id, rows.c.reference == reference
                )
                row = connection.execute(query).one_or_none()
                if row is None or row.wolkvox_id == wolkvox_id:
                    continue
                known = select(arrived_ids.c.id).where(
                    arrived_ids.c.row_id == row.id, arrived_ids.c.wolkvox_id == wolkvox_id
                )
                if connection.execute(known.limit(1)).first() is None:
                    ids.note(connection, ids.Arrival(row.id, "verify", self._database.clock.wall()), (wolkvox_id,))
                    new.append((reference, wolkvox_id))
        return new
