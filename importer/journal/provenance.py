"""What a journal knows of itself, compared with the mark that is kept apart from it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, bindparam, delete, func, insert, select

from importer.errors import JournalError
from importer.journal import numbering
from importer.journal.backup import journal_id_in
from importer.journal.database import Database
from importer.journal.dialects import insert_or_ignore, insert_or_replace
from importer.journal.mark import Mark, MarkRecord, Marks, Reached, Scope
from importer.journal.postgres_database import journal_id_on
from importer.journal.runs import user_name
from importer.journal.schema import attempts, computers, decisions, facts, imports, rows, updates, verdicts
from importer.journal.standing import KnownImport, Standing
from importer.journal.watched_file import FileTrace, WatchedFile
from importer.journal_place import Place, Server
from importer.system.clock import local_datetime

LOOK_FIRST = "look-first"
"""The option, and the recorded reason, with which the CRM is searched for each row before it is sent."""

_NEWEST_VERDICT = select(func.max(verdicts.c.id))
_NEWEST_UPDATE = select(
    func.max(updates.c.id), select(updates.c.token).where(updates.c.id == bindparam("number")).scalar_subquery()
)
_FACT = select(facts.c.value).where(facts.c.name == bindparam("name"))
_SENT = (
    select(imports.c.tenant, imports.c.operation, imports.c.name, func.max(attempts.c.id))
    .join(rows, rows.c.import_id == imports.c.id)
    .join(attempts, attempts.c.row_id == rows.c.id)
    .group_by(imports.c.id)
)
_COMPUTER = select(computers.c.id).where(computers.c.id == bindparam("id"))


class Provenance:
    """What a journal knows of itself and what the marks know of it; compared when it is opened."""

    def __init__(self, database: Database, marks: Marks, was_at_path: MarkRecord | None) -> None:
        """Compare the journal with its mark, giving it an id where it has none; `was_at_path` is from before."""
        self._database, self._marks, self._was_at_path = database, marks, was_at_path
        with database.write() as connection:
            self.journal_id, is_new = _journal_id(connection)
            self.mark = Mark(marks, self.journal_id, database, self._token_of)
            reached = _reached(connection)
            self.standing = self._compare(connection, reached, is_new=is_new)
            sent = {} if self.standing.known else _imports_of(connection)
            if self.standing.may_send:
                self._note_this_computer(connection)
        self._accept(reached, sent)

    def trust_again(self, reason: str, up_to: int = 0) -> None:
        """Accept the journal as it is from now on, for the reason that an option names; the decision is recorded.

        `look-first` recovers what it lacks row by row: until that is done, `must_look_first` is true of each import
        of the journal, including those that only the marks know. `up_to` is the highest attempt that a report knew of;
        such reports count as taken in.
        """
        self._refuse_without_mark()
        about = f"{self.standing.kind} {self.standing.has}/{self.standing.known}"
        lost = self._marks.imports_of(self.journal_id)
        with self._database.write() as connection:
            number = max(self.standing.known, up_to, self._settled_up_to(connection))
            _set_fact(connection, "settled_up_to", str(number))
            self._record(connection, reason, about)
            self._note_this_computer(connection)
            reached, sent = _reached(connection), _imports_of(connection)
            for scope in {*lost, *_all_imports(connection)} if reason == LOOK_FIRST else ():
                _set_fact(connection, _looking(scope), "")
        self.mark.set(reached, sent)  # after the decision is on the disk: without one the journal is not trusted
        self.standing = Standing("sound", self._database.place, reached.attempt_id, reached.attempt_id)

    def require_looking(self, scope: Scope) -> None:
        """Make `must_look_first` true of each source of an import until `looked_first` is called for it."""
        with self._database.write() as connection:
            _set_fact(connection, _looking(scope), "")

    def must_look_first(self, scope: Scope, source: str = "") -> bool:
        """Tell whether rows of a source may be in the CRM although the journal calls them planned.

        What a journal lacks may come from any source of the import: each source, by its digest, is searched separately.
        """
        with self._database.read() as connection:
            looked = _fact(connection, _looking(scope))
        return looked is not None and source not in json.loads(looked or "[]")

    def looked_first(self, scope: Scope, source: str) -> None:
        """Note that the CRM was searched for every row of a source that would have been sent."""
        with self._database.write() as connection:
            looked = _fact(connection, _looking(scope))
            if looked is not None:
                sources = dict.fromkeys([*json.loads(looked or "[]"), source])
                _set_fact(connection, _looking(scope), json.dumps(list(sources)))

    def need_not_look(self, scope: Scope) -> None:
        """Note that nothing has to be searched any more, as a person says."""
        with self._database.write() as connection:
            connection.execute(delete(facts).where(facts.c.name == _looking(scope)))

    def note_computer(self) -> None:
        """Accept that the journal was moved to this computer; raises JournalError where more is wrong."""
        if self.standing.may_send:
            return
        if self.standing.kind != "unknown-computer":
            raise JournalError(self.standing.sentence)
        with self._database.write() as connection:
            self._record(connection, "moved-here", self._marks.computer_id)
            self._note_this_computer(connection)
            reached, sent = _reached(connection), _imports_of(connection)
        self.mark.note(reached, sent)
        self.standing = replace(self.standing, kind="sound")

    def marks_know(self, scope: Scope) -> KnownImport | None:
        """Return which other journal of this computer has sent for an import for which this one never did.

        Raises JournalError where the marks cannot be read.
        """
        with self._database.read() as connection:
            if _has_sent(connection, scope):
                return None
        found = self._marks.of_import(scope, but=self.journal_id)
        if found is None:
            return None
        record, attempt_id = found
        return KnownImport(record.journal_id, record.place, attempt_id, local_datetime(record.raised_at))

    def lost_at(self, scope: Scope) -> float | None:
        """Return when this computer last sent what the journal may lack, in seconds since 1970, or None for nothing.

        Raises JournalError where the marks cannot be read.
        """
        if self.standing.kind in {"behind", "forked"}:
            newer = self._marks.of_journal(self.journal_id)
        elif self.standing.kind == "other-journal":
            with self._database.read() as connection:
                newer = self._other_journal(connection)
        else:
            known = self.marks_know(scope)
            return None if known is None else known.raised_at.timestamp()
        return None if newer is None else newer.raised_at

    def _refuse_without_mark(self) -> None:
        if self._marks.problem is not None:
            raise self._marks.problem

    def reached(self) -> Reached:
        """Return how far the journal has come."""
        with self._database.read() as connection:
            return _reached(connection)

    def is_behind(self, journal_id: str, attempt_id: int) -> bool:
        """Tell whether a report of this journal (by the beginning of its id) knows an attempt that is missing here."""
        if not journal_id or not self.journal_id.startswith(journal_id):
            return False
        with self._database.read() as connection:
            return attempt_id > max(_reached(connection).attempt_id, self._settled_up_to(connection))

    def moved(self, target: Place, reached: Reached) -> None:
        """Note that the journal is now another file."""
        trace = FileTrace("") if isinstance(target, Server) else WatchedFile(target).trace()
        self._marks.raise_to(MarkRecord(self.journal_id, reached, target, trace, 0), {})

    def raise_update(self, update_id: int, token: str) -> None:
        """Raise the mark to an update whose intent is committed; only then may its first byte be sent."""
        self.mark.raise_update(update_id, token, self._update_token)

    def leave(self) -> None:
        """Raise the mark once more before the journal is closed: adoptions and decisions have not raised it."""
        if self.standing.may_send and self._marks.problem is None:
            self.mark.note(self.reached())

    def _compare(self, connection: Connection, has: Reached, *, is_new: bool) -> Standing:
        """Compare what the journal has with its mark."""
        path = self._database.place
        if self._marks.problem is not None:
            return Standing("no-mark", path, has.attempt_id, reason=str(self._marks.problem))
        known, (number, token) = self._marks.known_of(self.journal_id)
        sound = Standing("sound", path, has.attempt_id, known.reached.attempt_id if known else 0)
        if known is None:
            return self._without_mark(connection, sound, has, is_new=is_new)
        newest, token_here = _newest_update(connection, number)
        reached = known.reached
        if reached.attempt_id > has.attempt_id or reached.decision_id > has.decision_id or number > newest:
            return replace(sound, kind="behind")
        is_forked = reached.attempt_id and numbering.token_of(connection, reached.attempt_id) != reached.token
        if is_forked or (number and token_here != token):
            return replace(sound, kind="forked")
        if self._is_elsewhere(known.place):
            return replace(sound, kind="copied", elsewhere=known.place)
        return sound if not has or self._may_be_used_here(connection) else replace(sound, kind="unknown-computer")

    def _without_mark(self, connection: Connection, sound: Standing, has: Reached, *, is_new: bool) -> Standing:
        """Return the standing of a journal for which this computer has no mark: new, of 0.1.0, or from elsewhere."""
        if not has:
            return replace(sound, kind="new") if is_new else sound
        if not is_new:
            here = self._may_be_used_here(connection)  # the marks themselves may have been restored
            return sound if here else replace(sound, kind="unknown-computer")
        other = self._other_journal(connection)
        if other is None:
            return sound  # a journal of 0.1.0 is accepted as it is, once
        return replace(sound, kind="other-journal", known=other.reached.attempt_id, elsewhere=other.place)

    def _other_journal(self, connection: Connection) -> MarkRecord | None:
        """Return a journal that sent from this computer, at this path or for an import of this journal."""
        if self._was_at_path is not None and self._was_at_path.reached:
            return self._was_at_path
        found = (self._marks.of_import(scope, but=self.journal_id) for scope in _imports_of(connection))
        return next((record for record, _attempt in filter(None, found)), None)

    def _is_elsewhere(self, path: Place) -> bool:
        """Tell whether what is at the recorded place is also this journal; where that cannot be read, it may be."""
        here = self._database.place
        if isinstance(path, Server):  # a server may have many names
            return not isinstance(here, Server) and journal_id_on(path) in {self.journal_id, ""}
        if path == here or not path.exists() or (isinstance(here, Path) and path.samefile(here)):
            return False
        return journal_id_in(path) in {self.journal_id, ""}

    def _accept(self, reached: Reached, sent: dict[Scope, int]) -> None:
        """Note the path and how far the journal has come, or that its files are not what was noted before.

        This comes after the journal knows this computer: a process that is killed in between causes no question later.
        """
        try:
            if self.standing.may_send:
                self.mark.note(reached, sent)
            elif self._marks.problem is None:
                self._marks.forget_wal(self._database.place)
        except JournalError as error:
            self.standing = replace(self.standing, kind="no-mark", reason=str(error))

    def _note_this_computer(self, connection: Connection) -> None:
        values = {"id": self._marks.computer_id, "first_seen_at": self._database.clock.wall()}
        connection.execute(insert_or_ignore(connection, computers).values(**values))

    def _may_be_used_here(self, connection: Connection) -> bool:
        """Tell whether the journal was used on this computer before; any computer may use one on a server."""
        if isinstance(self._database.place, Server):
            return True
        return connection.execute(_COMPUTER, {"id": self._marks.computer_id}).first() is not None

    def _record(self, connection: Connection, question: str, about: str) -> None:
        values = {"question": question, "about": about, "user": user_name(), "decided_at": self._database.clock.wall()}
        connection.execute(insert(decisions).values(**values))

    def _settled_up_to(self, connection: Connection) -> int:
        return int(_fact(connection, "settled_up_to") or 0)

    def _update_token(self, update_id: int) -> str | None:
        with self._database.read() as connection:
            return _newest_update(connection, update_id)[1]

    def _token_of(self, attempt_id: int) -> str | None:
        with self._database.read() as connection:
            return numbering.token_of(connection, attempt_id)


def _journal_id(connection: Connection) -> tuple[str, bool]:
    """Return the journal's id, and whether it was made just now."""
    found = _fact(connection, "journal_id")
    if found is not None:
        return found, False
    made = uuid4().hex
    _set_fact(connection, "journal_id", made)
    return made, True


def _fact(connection: Connection, name: str) -> str | None:
    return connection.scalars(_FACT, {"name": name}).first()


def _set_fact(connection: Connection, name: str, value: str) -> None:
    connection.execute(insert_or_replace(connection, facts, ("name",), "value").values(name=name, value=value))


def _reached(connection: Connection) -> Reached:
    decision = connection.scalars(_NEWEST_VERDICT).one()
    return Reached(*numbering.newest(connection), decision or 0)


def _newest_update(connection: Connection, number: int) -> tuple[int, str | None]:
    """Return the number of the newest update, 0 before the first, and the token of the one with this number."""
    newest, token = connection.execute(_NEWEST_UPDATE, {"number": number}).one()
    return newest or 0, token


def _imports_of(connection: Connection) -> dict[Scope, int]:
    """Return the imports for which a journal has sent, each with its highest attempt."""
    return {(tenant, operation, name): number for tenant, operation, name, number in connection.execute(_SENT)}


def _all_imports(connection: Connection) -> list[Scope]:
    found = connection.execute(select(imports.c.tenant, imports.c.operation, imports.c.name))
    return [(tenant, operation, name) for tenant, operation, name in found]


def _looking(scope: Scope) -> str:
    """Return the name of the fact that rows of an import have to be searched before they are sent."""
    return json.dumps([LOOK_FIRST, *scope], ensure_ascii=False)


def _has_sent(connection: Connection, scope: Scope) -> bool:
    query: Any = (
        select(attempts.c.id)
        .join(rows, rows.c.id == attempts.c.row_id)
        .join(imports, imports.c.id == rows.c.import_id)
        .where(imports.c.tenant == scope[0], imports.c.operation == scope[1], imports.c.name == scope[2])
        .limit(1)
    )
    return connection.execute(query).first() is not None
