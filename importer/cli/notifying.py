"""`--notify COMMAND`: what another program is told once a run has ended, however it ended."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING

import click

from importer.messages import _
from importer.notices import command_words, deliver

if TYPE_CHECKING:
    from importer.workflow.outcome.outcome import Finished

_OPTION = "--notify"
_HELP = frozenset({"-h", "--help"})
_USAGE = 2
_ended: dict[str, object] = {}
"""What is known of the run that this process carries out."""


class CommandLine(click.ParamType[str]):
    """A command that can be started."""

    name = "command"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the command."""
        try:
            command_words(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)
        return str(value)


def note_import(name: str) -> None:
    """Note which import the run is of."""
    _ended["import"] = name


def note_end(finished: Finished, status: int) -> None:
    """Note how a run ended, and the exit status that it ends with."""
    from importer.workflow.outcome.run_notices import ended  # noqa: PLC0415 - slow to import, and help does not need it

    name = _ended.get("import")
    _ended.update(ended(None if name is None else str(name), finished, status))


def notify(arguments: Sequence[str], status: int) -> None:
    """Tell the program of `--notify` that a run has ended; a program that fails is a line on standard error."""
    known = dict(_ended)
    _ended.clear()
    words = list(takewhile(lambda word: word != "--", arguments))
    written = _value(words, _OPTION)
    if written is None or _HELP & set(words) or _is_refused(written, status):
        return
    from importer.workflow.outcome.run_notices import ended  # noqa: PLC0415 - as above

    notice = {**ended(None, None, status), **known, "exits_with": status}
    token = _value(words, "--token-env")
    failure = deliver(written, notice, secrets=() if token is None else (token,))
    if failure is not None:
        click.echo(_("--notify: {command}: {reason}.", command=written, reason=failure), err=True)


def _is_refused(written: str, status: int) -> bool:
    """Tell whether the run was refused because this command cannot be started, which has been said."""
    try:
        command_words(written)
    except ValueError:
        return status == _USAGE
    return False


def _value(words: Sequence[str], name: str) -> str | None:
    """Return the last value of an option among words, also where they could not be understood as a whole."""
    given = [after for word, after in pairwise(words) if word == name]
    given += [word.removeprefix(f"{name}=") for word in words if word.startswith(f"{name}=")]
    return given[-1] if given else None
