"""The command line: alone prints, prompts and exits.

One module per command, imported when the command is given, so that help appears at once.
"""

from __future__ import annotations

import gc
import importlib
import io
import signal
import sys
import traceback
from dataclasses import asdict
from itertools import takewhile

import click

from importer.cli.output import Output, print_json
from importer.errors import ImporterError, MappingError
from importer.messages import _
from importer.questions import QuestionsOpen
from importer.text import clean

FAULT_OF_OURS = 70
"""Exit status for what is nobody's fault but this program's."""

OUTPUT_LOST = 3
"""Exit status where all is well but the output, which the same command gives again."""

COMMANDS = {
    "check": _("Read, map and validate a source; say what is wrong with it. Sends nothing."),
    "preview": _("Show the JSON that a row would send. Sends nothing."),
    "run": _("Send what is not created yet, after asking; run it again to go on. SENDS CASES."),
    "report": _("Write the report again from the source and the journal. Sends nothing."),
    "settle": _("Settle doubtful rows by asking the CRM, or by your verdict. Creates no case."),
    "adopt": _("Take the ids of a report into the journal. Sends nothing."),
    "draft": _("Propose a mapping from the headers and values of a source. Sends nothing."),
    "schema": _("Print the JSON Schema of a mapping, for editors. Sends nothing."),
    "doctor": _("Look whether server, token and journal are well; with leave, create one test case."),
    "login": _("Store the token of an operation in the keyring. Sends nothing."),
    "history": _("List the runs of the journal and their counts. Sends nothing."),
    "journal": _("Check the journal as a whole, back it up, copy or move it. Sends nothing."),
    "sandbox": _("Serve a stand-in CRM on this computer, to try and to train with. Sends nothing."),
}


class _Commands(click.Group):
    """The commands above; each lives in a module of its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click calls it so
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"importer.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section(_("Commands")):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="wolkvox-case-importer", prog_name="case-importer")
def case_importer() -> None:
    """Import spreadsheet rows as cases into the wolkvox CRM, at most one case per row."""


_COLLECT_AFTER = 500_000
"""New objects after which cycles are looked for: rows make many that stay, and to go through them finds nothing."""


def main() -> None:
    """Carry out the command line and exit with its status."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # from here on, somebody says what Ctrl-C ended
    gc.set_threshold(_COLLECT_AFTER, *gc.get_threshold()[1:])
    out, err = Output(sys.stdout), Output(sys.stderr, by_line=True)
    sys.stdout, sys.stderr = out.text, err.text
    status = _carry_out(sys.argv[1:])
    if reason := out.failure():
        click.echo(_("The output is not whole: it could not be written ({reason}).", reason=reason), err=True)
        status = status or OUTPUT_LOST
    sys.exit(status)


def _carry_out(arguments: list[str]) -> int:
    """Return the exit status of a command; whatever went wrong is said in a sentence, and with --json in an object."""
    try:
        status = case_importer.main(arguments, prog_name="case-importer", standalone_mode=False)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        click.echo(clean(shown.getvalue()), err=True, nl=False)
        return _failed(arguments, 2, error.format_message())
    except (click.Abort, KeyboardInterrupt) as stop:
        click.echo(err=True)  # the question, or ^C, is on the line so far
        return _failed(arguments, 2, _said(_stopped(stop)))
    except ImporterError as error:
        return _failed(arguments, error.exit_status, _said(str(error)), **_parts(error))
    except Exception as error:  # noqa: BLE001 - the last line of defence
        return _failed(arguments, FAULT_OF_OURS, _said(_confession(error)))
    return status if isinstance(status, int) else 0


def _parts(error: ImporterError) -> dict[str, object]:
    """Return what an error consists of, for a program: a mapping's faults, the questions that are open."""
    if isinstance(error, MappingError):
        return {"faults": [asdict(one) for one in error.faults]}
    if isinstance(error, QuestionsOpen):
        asked = [{"code": one.code, "question": one.sentence, "option": one.option} for one in error.questions]
        return {"questions": asked}
    return {}


def _stopped(stop: BaseException) -> str:
    """Return what to say of a command that ended early: a declined question, or Ctrl-C anywhere."""
    if isinstance(stop, click.Abort) and not isinstance(stop.__cause__, KeyboardInterrupt):
        return _("Stopped; nothing was sent.")
    return _("Stopped with Ctrl-C. If anything was sent before, the journal has it, and the same command goes on.")


def _said(sentence: str) -> str:
    click.echo(clean(sentence), err=True)  # a place in a mapping is no sentence, and names a file
    return sentence


def _failed(arguments: list[str], status: int, reason: str, **more: object) -> int:
    """Return the exit status; where --json was given, the reason is the one object that it prints."""
    words = list(takewhile(lambda word: word != "--", arguments))
    if "--json" in words:
        command = next((word for word in words if word in COMMANDS), None)
        print_json(command, {"exit_status": status, "reason": reason, **more})
    return status


def _confession(error: Exception) -> str:
    """Return where our fault is, without what the exception says: that may quote a cell."""
    frames = traceback.extract_tb(error.__traceback__)
    places = [f"  {frame.filename.rpartition('importer')[2]}:{frame.lineno} {frame.name}" for frame in frames]
    sentence = _(
        "This is a fault of case-importer ({kind}), not of yours. What was sent is in the journal, and the same command"
        " goes on. Please report it with these lines:",
        kind=type(error).__name__,
    )
    return "\n".join([sentence, *places])
