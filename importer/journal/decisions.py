"""What people decided before a run, so that each question is asked once."""

from __future__ import annotations

from sqlalchemy import insert, select

from importer.journal.database import Database
from importer.journal.schema import decisions
from importer.journal.user import user_name


class Decisions:
    """The decisions of a journal: an answer to a question, by what it is about, with who gave it and when."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def record(self, question: str, about: str, answer: str) -> None:
        """Record an answer; earlier answers to the same question are kept, and the last one counts."""
        values = {"question": question, "about": about, "answer": answer, "user": user_name()}
        with self._database.write() as connection:
            connection.execute(insert(decisions).values(**values, decided_at=self._database.clock.wall()))

    def answered(self, question: str, about: str = "") -> str | None:
        """Return the last answer to a question, None where it was never answered."""
        query = (
            select(decisions.c.answer)
            .where(decisions.c.question == question, decisions.c.about == about)
            .order_by(decisions.c.id.desc())
        )
        with self._database.read() as connection:
            return connection.scalars(query).first()
