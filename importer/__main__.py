"""The entry of the program: `case-importer`, or `python -m importer`."""

from __future__ import annotations

import signal


def main() -> None:
    """Execute the command line and exit with its status; Ctrl-C before anything is loaded just ends the program."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from importer.cli.main import main as execute  # noqa: PLC0415 - Ctrl-C may come while it loads

    execute()


if __name__ == "__main__":
    main()
