"""The entry of the program without a console, `case-importer-web`: the office's page, from an icon on the desktop.

Windows gives such a program no standard streams, so what a terminal would show is shown in a message box; elsewhere,
where no terminal reads it, as a page in the browser.
"""

from __future__ import annotations

import ctypes
import io
import sys
import tempfile
import webbrowser
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path

_TITLE = "case-importer"
_INFORMATION, _IN_FRONT = 0x40, 0x10000
"""Flags of Windows' MessageBoxW: its sign, and that it comes before other windows."""

_PAGE = """\
<!doctype html><meta charset="utf-8"><title>{title}</title>
<style>body {{ font: 1.1rem system-ui, sans-serif; max-width: 45rem; margin: 3rem auto; white-space: pre-wrap }}</style>
<body>{text}</body>
"""

Show = Callable[[str], object]


def main() -> None:
    """Open the page, with the sheet that was dropped on the icon, and exit with the status of `case-importer web`."""
    words = ["web", *sys.argv[1:]]
    if sys.stderr is not None and sys.stderr.isatty():  # started from a terminal, which shows everything
        from importer.cli.main import main as execute_here  # noqa: PLC0415 - slow to import

        sys.argv[1:] = words
        execute_here()
    sys.exit(carry_out(words, show_message))


def carry_out(words: Sequence[str], show: Show) -> int:
    """Carry out a command whose output goes to `show`: a sentence at once, an error as a whole; return the status."""
    from importer.cli.main import execute  # noqa: PLC0415 - slow to import

    errors = io.StringIO()
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = _MessageStream(show), errors
    try:
        status = execute(list(words))
    finally:
        sys.stdout, sys.stderr = before
    if text := errors.getvalue().strip():
        show(text)
    return status


class _MessageStream(io.StringIO):
    """Standard output of which every text that is written as a whole is shown at once."""

    def __init__(self, show: Show) -> None:
        super().__init__()
        self._show = show

    def flush(self) -> None:
        """Show what was written since the last time."""
        text = self.getvalue().strip()
        self.seek(0)
        self.truncate()
        if text:
            self._show(text)


def show_message(text: str) -> None:
    """Show a text in a window of its own, and wait on Windows until it is closed."""
    if sys.platform == "win32":
        ctypes.windll.user32.MessageBoxW(None, text, _TITLE, _INFORMATION | _IN_FRONT)
        return
    with tempfile.NamedTemporaryFile(
        "w", suffix=".html", prefix="case-importer-", delete=False, encoding="utf-8"
    ) as file:
        file.write(_PAGE.format(title=_TITLE, text=escape(text)))
    webbrowser.open(Path(file.name).as_uri())


if __name__ == "__main__":
    main()
