"""The pictures of the guide: the walk that takes them goes through, and the guide shows each of them."""

from __future__ import annotations

import re
from pathlib import Path

from pictures import FOLDER, walk
from playwright.sync_api import Browser

GUIDE = FOLDER.parent / "pagina.md"


def test_the_walk_from_the_first_start_to_the_report_goes_through(browser: Browser, tmp_path: Path) -> None:
    """A clerk matches a sheet, corrects, rehearses, sends, sees a doubtful row and looks back, in Spanish."""
    walk(tmp_path, browser)
    assert {path.name for path in tmp_path.glob("*.png")} == {path.name for path in FOLDER.iterdir()}


def test_the_guide_shows_every_picture_with_words_for_it() -> None:
    """No picture is left over, none is missing, and each says what it shows to who cannot see it."""
    shown = re.findall(r"!\[([^\]]+)\]\(imagenes/([^)]+)\)", GUIDE.read_text("utf-8"))
    assert sorted(name for _words, name in shown) == sorted(path.name for path in FOLDER.iterdir())
