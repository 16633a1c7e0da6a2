"""The log, as JSON lines and on the terminal: run, reference, state and timing; never a cell, a key or the token."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from tqdm import tqdm

from importer.cli.rotating import RotatingLog, Rotation, is_log
from importer.errors import UsageError
from importer.messages import _, has_catalogue, language
from importer.system.causes import reason_of
from importer.text import clean, escaped

LOG_SIZE, LOG_KEEP = "importer.log_size", "importer.log_keep"
"""Where click keeps how large a log grows, and how many full ones are kept, for whichever command it is of."""

FIELDS = ("run", "reference", "state", "seconds", "http_status", "code", "bytes")


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return one line; only the known fields of a record are written."""
        line: dict[str, object] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
        }
        line |= {name: getattr(record, name) for name in FIELDS if getattr(record, name, None) is not None}
        return escaped(json.dumps(line, ensure_ascii=False), lambda sign: json.dumps(sign)[1:-1])


class _TextFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        """Return one line for a person."""
        values = (f"{name}={getattr(record, name)}" for name in FIELDS if getattr(record, name, None) is not None)
        return clean(f"{record.getMessage()} {' '.join(values)}".rstrip())


class _TerminalHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        """Print a record beside the progress, without breaking its line."""
        line = self.format(record)
        with tqdm.external_write_mode(file=sys.stderr):
            click.echo(line, err=True)


def set_up(log_file: Path | None, verbose: int) -> None:
    """Write the log to `log_file` and, with -v, to the terminal; raises UsageError if the file cannot be written."""
    logger = logging.getLogger("importer")
    logger.setLevel(logging.DEBUG if log_file or verbose else logging.WARNING)  # lines without a reader cost time
    logger.propagate = False
    logging.raiseExceptions = False  # a full disk under the log ends no run, and shows no traceback
    logger.addHandler(logging.NullHandler())
    if log_file is not None:
        logger.addHandler(_file_handler(log_file))
    if verbose:
        handler = _TerminalHandler(logging.INFO if verbose == 1 else logging.DEBUG)
        handler.setFormatter(_TextFormatter())
        logger.addHandler(handler)
    if not has_catalogue(language()):
        logger.warning("no usable catalogue of %s: sentences are in English", language())


def _file_handler(path: Path) -> logging.Handler:
    """Return what appends to a log file; raises UsageError for a file that is not a log, such as the source."""
    try:
        if path.is_file() and not is_log(path):
            raise UsageError(_("{path} is not a log, so nothing is appended to it. Name another file.", path=path))
        file = RotatingLog(path, _rotation())
    except OSError as error:
        raise UsageError(_("{path}: the log cannot be written: {error}", path=path, error=reason_of(error))) from error
    file.setFormatter(_JsonFormatter())
    return file


def _rotation() -> Rotation:
    """Return what --log-size and --log-keep say."""
    context = click.get_current_context(silent=True)
    given = {} if context is None else context.meta
    return Rotation(given.get(LOG_SIZE, 10_000_000), given.get(LOG_KEEP, 5))
