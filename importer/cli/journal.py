"""`case-importer journal`: check the journal as a whole, back it up, copy it, move it; sends nothing."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from importer.cli import options
from importer.cli.help import Command
from importer.cli.output import print_json
from importer.cli.values import JournalPlace
from importer.commands import shell_words
from importer.errors import UsageError
from importer.journal_place import Place, Server, resolved
from importer.messages import _, gettext_noop
from importer.names import counted

if TYPE_CHECKING:
    from importer.journal import Journal, Standing


@click.group(
    "journal", help=gettext_noop("Check the journal as a whole, back it up, copy it or move it. Sends nothing.")
)
def command() -> None:
    """Group the commands that are about the journal's file."""


@command.command(
    "check",
    cls=Command,
    exit_statuses={
        0: gettext_noop("the journal is complete and up to date"),
        2: gettext_noop("something has to be done before rows are sent"),
    },
    short_help=gettext_noop("Check that the journal is complete and up to date."),
    help=gettext_noop("Check that the journal is complete, and as it was when this computer last used it."),
)
@options.journal
@options.as_json
def check(journal: Place | None, *, as_json: bool) -> int:
    """Carry out `journal check`."""
    from importer.journal import Problem  # noqa: PLC0415 - slow to import, and help does not need it

    with open_existing(journal) as opened:
        standing, problems = opened.standing, opened.copies.damages()
        states = {str(state): number for state, number in sorted(opened.copies.states().items())}
        facts = {"journal": opened.id, "path": str(opened.path), "attempts": standing.has, "mark": standing.known}
        if sentence := standing.sentence:
            problems.insert(0, Problem(sentence, ""))
    status = 2 if problems else 0
    if as_json:
        found = [asdict(problem) for problem in problems]
        values = {"exit_status": status, **facts, "standing": standing.kind, "states": states, "problems": found}
        print_json("journal check", values)
        return status
    click.echo(_("Journal: {path} ({id})", path=facts["path"], id=facts["journal"]))
    for state, number in states.items():
        click.echo(f"  {counted([(state, number)])}")
    click.echo(_("Attempts: {attempts}; this computer knows of {mark}", attempts=standing.has, mark=standing.known))
    for problem in problems:
        click.echo(f"{problem.message} {problem.remedy}".strip())
    if not problems:
        click.echo(_("The journal is complete, and as it was when it was last used."))
    return status


@command.command(
    "backup",
    cls=Command,
    exit_statuses={
        0: gettext_noop("the journal was copied"),
        2: gettext_noop("nothing was changed; the message says why"),
    },
    short_help=gettext_noop("Back up the journal, even while a run writes to it."),
    help=gettext_noop(
        "Copy the journal to FILE, or to a file beside it named with date and time, even while a run writes to it.\n\n"
        "An existing file is never overwritten. A backup lacks what was sent after it was made: put in the place of the"
        " journal, it is refused until its gaps are filled."
    ),
)
@click.argument("file", type=options.PATH, required=False)
@options.journal
@options.as_json
def backup(file: Path | None, journal: Place | None, *, as_json: bool) -> int:
    """Carry out `journal backup`."""
    with open_existing(journal) as opened:
        path, standing = opened.copies.back_up(file), opened.standing
    return _done("journal backup", _("Backup: {path}", path=path), path, standing, as_json=as_json)


@command.command(
    "copy",
    cls=Command,
    exit_statuses={
        0: gettext_noop("the journal was copied"),
        2: gettext_noop("nothing was changed; the message says why"),
    },
    short_help=gettext_noop("Copy the journal, to inspect it or hand it over."),
    help=gettext_noop(
        "Copy the journal to FILE, or to a server (postgresql://…), to inspect it or hand it over, while no run uses"
        " it.\n\n"
        "Never send with both copies: each would send again what the other has sent. To use the journal elsewhere,"
        " move it."
    ),
)
@click.argument("file", type=JournalPlace())
@options.journal
@options.as_json
def copy(file: Place, journal: Place | None, *, as_json: bool) -> int:
    """Carry out `journal copy`."""
    with open_existing(journal) as opened:
        path, standing = opened.copies.copy(file), opened.standing
    sentence = _("Copy: {path}. Do not send with it while {journal} is in use.", path=path, journal=opened.path)
    return _done("journal copy", sentence, path, standing, as_json=as_json)


@command.command(
    "move",
    cls=Command,
    exit_statuses={
        0: gettext_noop("the journal was moved"),
        2: gettext_noop("nothing was changed; the message says why"),
    },
    short_help=gettext_noop("Move the journal, also to another computer."),
    help=gettext_noop(
        "Move the journal FROM one place TO another, a file or a server (postgresql://…), while no run uses it.\n\n"
        "The old one stays, but is retired: a command that opens it is told where the journal is now. On another"
        " computer, the first run asks whether the journal was moved there (--moved-here)."
    ),
)
@click.argument("source", metavar="FROM", type=JournalPlace())
@click.argument("target", metavar="TO", type=JournalPlace())
@options.as_json
def move(source: Place, target: Place, *, as_json: bool) -> int:
    """Carry out `journal move`."""
    from importer.workflow.job import journal_path  # noqa: PLC0415

    if not _is_there(source):
        raise UsageError(_("{path}: there is no such journal, so nothing was moved. Check the path.", path=source))
    with open_existing(source) as opened:
        opened.move(target)
        standing = replace(opened.standing, path=target)  # the old place is retired
    if resolved(target) == resolved(journal_path(None)):
        sentence = _("The journal is now {path}, where every command finds it.", path=target)
    else:
        sentence = _(
            "The journal is now {path}. Add `{option}` to each command, or name it in the settings file.",
            path=target,
            option=shell_words("--journal", target),
        )
    return _done("journal move", sentence, target, standing, as_json=as_json)


def open_existing(path: Place | None) -> Journal:
    """Open the journal; raises UsageError where there is none yet."""
    from importer.journal import Journal  # noqa: PLC0415
    from importer.workflow.job import journal_path  # noqa: PLC0415

    path = journal_path(path)
    if not _is_there(path):
        raise UsageError(_("{path}: there is no journal yet; the first run creates it.", path=path))
    return Journal(path)


def _is_there(path: Place) -> bool:
    return isinstance(path, Server) or path.exists() or path.with_name(path.name + "-wal").exists()


def _done(name: str, sentence: str, path: Place, standing: Standing, *, as_json: bool) -> int:
    """Say what was made, and, of a journal that is known to lack some of what was sent, that it does."""
    warning = standing.sentence if standing.is_incomplete else None
    if as_json:
        values = {"exit_status": 0, "path": str(path), "standing": standing.kind, "warning": warning}
        print_json(name, values)
    else:
        click.echo(sentence)
    if warning:
        click.echo(_("Note: {note}", note=warning), err=True)
    return 0
