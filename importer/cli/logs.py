"""Logs as JSON lines: run, reference, state and timing; never a cell, a key or the token."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from tqdm import tqdm

from importer.errors import UsageError
from importer.messages import _
from importer.text import clean, escaped

FIELDS = ("run", "reference", "state", "seconds", "http_status", "code", "bytes")


class _JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return one line; only the known fields of a record are written."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in FIELDS if getattr(record, name, None) is not None}
        return escaped(json.dumps(line, ensure_ascii=False), lambda sign: json.dumps(sign)[1:-1])


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return one line for a person."""
        values = (f"{name}={getattr(record, name)}" for name in FIELDS if getattr(record, name, None) is not None)
        return clean(f"{record.getMessage()} {' '.join(values)}".rstrip())


class _Echo(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Print a record where progress is shown, without breaking its line."""
        line = self.format(record)
        with tqdm.external_write_mode(file=sys.stderr):
            click.echo(line, err=True)


def set_up(log_file: Path | None, verbose: int) -> None:
    """Write our own log to `log_file` and, with -v, to the terminal. Raises UsageError where the file cannot be."""
    logger = logging.getLogger("importer")
    logger.setLevel(logging.DEBUG if log_file or verbose else logging.WARNING)  # unread lines cost every row its time
    logger.propagate = False
    logging.raiseExceptions = False  # a full disk under the log ends no run, and is no place for a traceback
    logger.addHandler(logging.NullHandler())
    if log_file is not None:
        logger.addHandler(_file(log_file))
    if verbose:
        echo = _Echo(logging.INFO if verbose == 1 else logging.DEBUG)
        echo.setFormatter(_Lines())
        logger.addHandler(echo)


def _file(path: Path) -> logging.Handler:
    try:
        if path.is_file():
            _refuse_what_is_no_log(path)
        file = logging.FileHandler(path, encoding="utf-8")
    except OSError as error:
        raise UsageError(
            _("{path}: the log cannot be written there: {error}", path=path, error=error.strerror)
        ) from error
    file.setFormatter(_JsonLines())
    return file


def _refuse_what_is_no_log(path: Path) -> None:
    """Raise UsageError where lines would be appended to something else, such as the source."""
    with path.open("rb") as file:
        if file.read(1) not in {b"", b"{"}:
            raise UsageError(_("{path} is no log, and nothing is appended to it. Name another file.", path=path))
