"""`case-importer journal`: look at the journal as a whole, back it up, copy it, move it; sends nothing."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from importer.cli import options
from importer.cli.output import print_json
from importer.errors import UsageError
from importer.messages import _

if TYPE_CHECKING:
    from importer.journal import Journal

_FILE = click.Path(path_type=Path)


@click.group("journal")
def command() -> None:
    """Look at the journal as a whole, back it up, copy it or move it. Sends nothing."""


@command.command("check")
@options.journal
@options.as_json
def check(journal: Path | None, *, as_json: bool) -> int:
    """Say whether the journal is whole and what it was when this computer last used it.

    Exit status 0 where it is, 2 where something has to be done before rows are sent.
    """
    from importer.journal import Problem  # noqa: PLC0415 - SQLAlchemy is slow to import

    with _open(journal) as opened:
        standing, problems = opened.standing, opened.copies.damages()
        states = {str(state): number for state, number in sorted(opened.copies.states().items())}
        facts = {"journal": opened.id, "path": str(opened.path), "attempts": standing.has, "mark": standing.known}
        if sentence := standing.sentence:
            problems.insert(0, Problem(sentence, ""))
    status = 2 if problems else 0
    if as_json:
        found = [asdict(problem) for problem in problems]
        shown = {"exit_status": status, **facts, "standing": standing.kind, "states": states, "problems": found}
        print_json("journal check", shown)
        return status
    click.echo(_("Journal: {path} ({id})", path=facts["path"], id=facts["journal"]))
    for state, number in states.items():
        click.echo(f"  {state} {number}")
    known = _("Attempts: {attempts}; this computer knows of {mark}", attempts=standing.has, mark=standing.known)
    click.echo(known)
    for problem in problems:
        click.echo(f"{problem.message} {problem.remedy}".strip())
    if not problems:
        click.echo(_("The journal is whole, and it is what it was when it was last used."))
    return status


@command.command("backup")
@click.argument("file", type=_FILE, required=False)
@options.journal
@options.as_json
def backup(file: Path | None, journal: Path | None, *, as_json: bool) -> int:
    """Copy the journal to FILE, or to a name with date and time beside it, even while others write.

    No file is ever overwritten. A backup that is put in the place of the journal is an older journal: what was sent
    since is missing in it, and so no row is sent before that was made good.
    """
    with _open(journal) as opened:
        path = opened.copies.back_up(file)
    return _done("journal backup", _("Backup: {path}", path=path), path, as_json=as_json)


@command.command("copy")
@click.argument("file", type=_FILE)
@options.journal
@options.as_json
def copy(file: Path, journal: Path | None, *, as_json: bool) -> int:
    """Copy the journal to FILE, to be looked at or handed over, while nobody sends.

    Two copies must never both send: each would send again what the other has sent. To use it elsewhere, move it.
    """
    with _open(journal) as opened:
        path = opened.copies.copy(file)
    words = _("Copy: {path}. Look at it, but do not send with it as long as {journal} is used.",
              path=path, journal=opened.path)  # fmt: skip
    return _done("journal copy", words, path, as_json=as_json)


@command.command("move")
@click.argument("source", metavar="FROM", type=_FILE)
@click.argument("target", metavar="TO", type=_FILE)
@options.as_json
def move(source: Path, target: Path, *, as_json: bool) -> int:
    """Move the journal FROM its place TO another, while nobody sends.

    The old file stays, retired: whoever opens it is told where the journal is now. On another computer, the first run
    asks whether the journal was moved there (--moved-here).
    """
    with _open(source) as opened:
        opened.move(target)
    words = _("The journal is {path} now. Give --journal {path} from now on, or name it in your jobs.", path=target)
    return _done("journal move", words, target, as_json=as_json)


def _open(path: Path | None) -> Journal:
    from importer.journal import Journal, default_path  # noqa: PLC0415 - SQLAlchemy is slow to import

    path = path or default_path()
    if not path.exists() and not path.with_name(path.name + "-wal").exists():
        raise UsageError(_("{path}: there is no journal yet; the first run makes it.", path=path))
    return Journal(path)


def _done(name: str, words: str, path: Path, *, as_json: bool) -> int:
    if as_json:
        print_json(name, {"exit_status": 0, "path": str(path)})
    else:
        click.echo(words)
    return 0
