"""The entry of the command line: the commands, and what each exit status and each error becomes.

Every command is a module of its own, imported only when it is given, so that help appears at once.
"""

from __future__ import annotations

import gc
import importlib
import io
import signal
import sys
import traceback
from dataclasses import asdict
from difflib import get_close_matches
from itertools import takewhile
from pathlib import Path

import click

from importer.cli.language import in_language, speaking_as_asked
from importer.cli.notifying import notify
from importer.cli.output import print_json
from importer.cli.streams import Output
from importer.commands import carrying_out, placeholder, same_command
from importer.errors import ImporterError, MappingError
from importer.messages import _, gettext_noop, ngettext, translated
from importer.questions import QuestionsOpen
from importer.text import clean

INTERNAL_ERROR = 70
"""Exit status for an error of this program itself."""

OUTPUT_LOST = 3
"""Exit status where only the output could not be written; the same command prints it again."""

SECTIONS = {
    gettext_noop("In the browser"): {
        "web": gettext_noop("Open the office's page: choose, match, correct, send, decide, look back. SENDS CASES."),
    },
    gettext_noop("Import"): {
        "check": gettext_noop("Read, map and validate a source; list its issues. Sends nothing."),
        "preview": gettext_noop("Show the JSON that a row would send. Sends nothing."),
        "contacts": gettext_noop("List the contacts of a source; on demand, ask for them or CREATE the missing ones."),
        "run": gettext_noop("Send the rows that have no case yet, after asking. SENDS CASES."),
        "report": gettext_noop("Write the report again from the source and the journal. Sends nothing."),
    },
    gettext_noop("Several machines"): {
        "submit": gettext_noop("Queue an import on a PostgreSQL journal, once or on a schedule. Workers SEND CASES."),
        "work": gettext_noop("Work on the queue of a PostgreSQL journal. SENDS CASES."),
    },
    gettext_noop("Settle and look back"): {
        "settle": gettext_noop("Settle doubtful rows by asking the CRM, or by your decision. Creates no case."),
        "adopt": gettext_noop("Take the ids of a report into the journal. Sends nothing."),
        "verify": gettext_noop("Ask the CRM for created cases, compare them, write the hand-over. Sends nothing."),
        "history": gettext_noop("List the runs in the journal and their counts. Sends nothing."),
        "journal": gettext_noop("Check, back up, copy or move the journal. Sends nothing."),
        "purge": gettext_noop("Forget what the journal no longer needs of rows that were settled long ago."),
    },
    gettext_noop("Set up"): {
        "draft": gettext_noop("Propose a mapping from the headers and values of a source. Sends nothing."),
        "schema": gettext_noop("Print the JSON Schema of a mapping, for editors. Sends nothing."),
        "login": gettext_noop("Store the token of an operation in the keyring. Sends nothing."),
        "doctor": gettext_noop("Check server, token and journal; with your consent, create one test case."),
        "demo": gettext_noop("Show an import of a sample sheet into a simulated CRM. Sends nothing anywhere else."),
        "support": gettext_noop("Write a file for asking for help, with nothing private. Sends nothing."),
        "sandbox": gettext_noop("Serve a simulated CRM on this computer, for trials and training. Sends nothing."),
    },
}
"""The commands and what each is for, in the order of the help."""

COMMANDS = tuple(name for section in SECTIONS.values() for name in section)


_OBJECTS_BEFORE_COLLECTION = 500_000
"""How rarely cycles are collected: rows make many objects that stay, and looking at them takes a quarter of `check`."""


class _Commands(click.Group):
    """The commands above; each is in the module of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click calls it so
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"importer.cli.{cmd_name}")
        command: click.Command = module.command
        return in_language(command)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command that the first word names; a word that is like one brings the question whether it is."""
        name = args[0]
        if name not in COMMANDS and not name.startswith("-") and Path(name).is_file():
            return "web", self.get_command(ctx, "web"), args  # a file that was dropped on the program's icon
        near = [] if name in COMMANDS or name.startswith("-") else get_close_matches(name, COMMANDS)
        if near:
            asked = ngettext(
                "Did you mean {possibility}?",
                "(Did you mean one of: {possibilities}?)",
                len(near),
                possibility=near[0],
                possibilities=", ".join(near),
            )
            raise click.UsageError(f"{_('No such command {name!r}.', name=name)} {asked}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        width = max(map(len, COMMANDS))
        for heading, commands in SECTIONS.items():
            with formatter.section(translated(heading)):
                formatter.write_dl([(name.ljust(width), translated(text)) for name, text in commands.items()])


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=gettext_noop("Import spreadsheet rows as cases into the wolkvox CRM, at most one case per row."),
)
@click.version_option(package_name="wolkvox-case-importer", prog_name="case-importer", message="%(prog)s %(version)s")
def case_importer() -> None:
    """Group the commands."""


def main() -> None:
    """Execute the command line of this process and exit with its status."""
    _take_interrupts()
    gc.set_threshold(_OBJECTS_BEFORE_COLLECTION, *gc.get_threshold()[1:])
    out, err = Output(sys.stdout), Output(sys.stderr, by_line=True)
    sys.stdout, sys.stderr = out.text, err.text
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")  # an answer in another encoding is a wrong answer, not an error
    with speaking_as_asked(sys.argv[1:]):
        status = execute(sys.argv[1:])
        if reason := out.failure():
            click.echo(_("The output is incomplete: it could not be written ({reason}).", reason=reason), err=True)
            status = status or OUTPUT_LOST
    gc.freeze()  # at its end Python looks for cycles among all objects, though the system takes their memory back
    sys.exit(status)


def _take_interrupts() -> None:
    """Let a sentence say what Ctrl-C ended, or on Windows Ctrl-Break, which would end the program at once."""
    for name in ("SIGINT", "SIGBREAK"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)


def execute(arguments: list[str]) -> int:
    """Return the exit status of a command; an error is shown as a sentence, and with --json also as an object."""
    with speaking_as_asked(arguments), carrying_out(arguments):
        status = _execute(arguments)
        if _command(arguments) == "run":
            notify(arguments, status)
        return status


def _execute(arguments: list[str]) -> int:
    try:
        status = in_language(case_importer).main(arguments, prog_name="case-importer", standalone_mode=False)
    except click.ClickException as error:
        usage = io.StringIO()
        error.show(usage)
        click.echo(clean(usage.getvalue()), err=True, nl=False)
        return _failed(arguments, 2, error.format_message())
    except (click.Abort, KeyboardInterrupt) as stop:
        click.echo(err=True)  # the question, or ^C, is on the line so far
        return _failed(arguments, 2, _shown(_stopped(stop)))
    except ImporterError as error:
        reason = _shown(str(error))
        if error.instead:
            command = same_command(*map(placeholder, error.instead))
            _shown(_("Next: `{command}`, with your own instead of what is in capitals.", command=command))
        elif error.exit_status in _GOES_ON:
            _shown(_("Next: once that is settled, run `{command}`.", command=same_command()))
        return _failed(arguments, error.exit_status, reason, **_details(error))
    except Exception as error:  # noqa: BLE001 - the last line of defence
        return _failed(arguments, INTERNAL_ERROR, _shown(_internal_error(error)))
    return status if isinstance(status, int) else 0


_GOES_ON = frozenset({3, 5})
"""Exit statuses of errors after which the same command goes on, once what they name is settled."""


def _details(error: ImporterError) -> dict[str, object]:
    """Return what an error consists of, for a program: the faults of a mapping, the open questions."""
    if isinstance(error, MappingError):
        return {"faults": [asdict(fault) for fault in error.faults]}
    if isinstance(error, QuestionsOpen):
        questions = [{"code": one.code, "question": one.sentence, "option": one.option} for one in error.questions]
        return {"questions": questions}
    return {}


def _stopped(stop: BaseException) -> str:
    """Return what to say of a command that ended early: by a declined question, or by Ctrl-C."""
    if isinstance(stop, click.Abort) and not isinstance(stop.__cause__, KeyboardInterrupt):
        return _("Stopped; nothing was sent.")
    return _(
        "Stopped with Ctrl-C. The journal has everything that was sent; `{command}` continues.", command=same_command()
    )


def _shown(sentence: str) -> str:
    click.echo(clean(sentence), err=True)  # a mapping's faults are no template, and name a file
    return sentence


def _failed(arguments: list[str], status: int, reason: str, **details: object) -> int:
    """Return the exit status; where --json was given, print the reason as the one object."""
    if "--json" in _words(arguments):
        print_json(_command(arguments), {"exit_status": status, "reason": reason, **details})
    return status


def _command(arguments: list[str]) -> str | None:
    """Return the command that was given, also where the rest of its line could not be understood."""
    return next((word for word in _words(arguments) if word in COMMANDS), None)


def _words(arguments: list[str]) -> list[str]:
    return list(takewhile(lambda word: word != "--", arguments))


def _internal_error(error: Exception) -> str:
    """Return where our fault is, without the exception's own message: it may quote a cell."""
    frames = traceback.extract_tb(error.__traceback__)
    locations = [f"  {frame.filename.rpartition('importer')[2]}:{frame.lineno} {frame.name}" for frame in frames]
    sentence = _(
        "Internal error in case-importer ({kind}); your data is not the cause. The journal has everything that was"
        " sent; `{command}` continues. Please report these lines:",
        kind=type(error).__name__,
        command=same_command(),
    )
    return "\n".join([sentence, *locations])
