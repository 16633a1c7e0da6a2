"""Telling another program how a run ended: its own command line, one JSON object on its standard input.

No shell is involved, and nothing from a sheet is in the command: it is as its user wrote it. The object has counts,
statuses and paths, never a cell, a key or the token; the environment that the program gets lacks our secrets, too.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from importer.messages import _
from importer.system.causes import reason_of

PATIENCE = 60.0
"""Seconds that the program may take; then it is ended."""

_SECRETS = ("WOLKVOX_TOKEN", "WOLKVOX_JOURNAL", "PGPASSWORD")


def command_words(written: str, system: str = sys.platform) -> str | list[str]:
    """Return a command as the system starts it; raises ValueError, with a sentence, where it cannot be one.

    Elsewhere it is split as a POSIX shell splits words. Windows takes it whole, by its own rules of quoting.
    """
    try:
        words = _windows_words(written) if system == "win32" else shlex.split(written)
    except ValueError as error:
        raise ValueError(_("{value} has a quotation mark without its pair", value=written)) from error
    if not words or not words[0]:
        raise ValueError(_("write a program and its options"))
    if shutil.which(words[0]) is None:
        raise ValueError(_("{program}: there is no such program", program=words[0]))
    return written if system == "win32" else words


def deliver(written: str, notice: Mapping[str, object], *, secrets: Collection[str] = ()) -> str | None:
    """Start a command and hand it a notice; return why that failed, None where it did not. It never raises.

    `secrets` are names of environment variables that it must not get, beside those that are always secret.
    """
    text = json.dumps(notice, default=str) + "\n"  # ASCII: whatever the program's encoding is
    hidden = {name.upper() for name in (*_SECRETS, *secrets)}
    environment = {name: value for name, value in os.environ.items() if name.upper() not in hidden}
    try:
        ended = subprocess.run(  # noqa: S603 - the user's own command, without a shell
            command_words(written),
            input=text.encode(),
            stdout=_error_stream(),
            stderr=_error_stream(),
            env=environment,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _("it did not end within {seconds:.0f} seconds", seconds=PATIENCE)
    except KeyboardInterrupt:
        return _("it was stopped with Ctrl-C")
    except OSError as error:
        return reason_of(error)
    except ValueError as error:  # such as a NUL in the command
        return str(error)
    return _("it ended with exit status {status}", status=ended.returncode) if ended.returncode else None


def _windows_words(written: str) -> list[str]:
    """Return the program of a Windows command line, as far as it is needed to find it: the first word."""
    text = written.strip()
    if text.startswith('"'):
        program, quote, _rest = text[1:].partition('"')
        if not quote:
            raise ValueError
        return [program]
    return text.split(maxsplit=1)[:1] if text and not Path(text).is_file() else [text]


def _error_stream() -> int:
    """Return where the program may print: our standard error, so that standard output stays one object."""
    try:
        descriptor = 2 if sys.stderr is not None else subprocess.DEVNULL
        if descriptor == 2:
            os.fstat(descriptor)
    except OSError:  # it was closed, or there never was one
        return subprocess.DEVNULL
    return descriptor
