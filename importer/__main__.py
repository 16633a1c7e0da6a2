"""The program's entry: `case-importer`, or `python -m importer`."""

from __future__ import annotations

import signal


def main() -> None:
    """Carry out the command line and exit with its status; Ctrl-C before anything is loaded just ends the program."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from importer.cli.main import main as carry_out  # noqa: PLC0415 - what it takes to load could be interrupted

    carry_out()


if __name__ == "__main__":
    main()
