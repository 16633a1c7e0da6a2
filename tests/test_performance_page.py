"""docs/performance.md shows what `make bench` measured."""

from __future__ import annotations

import importlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def test_the_page_shows_the_results_that_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tables and the plot are those of bench/results.json, by the goals of each result."""
    monkeypatch.syspath_prepend(ROOT)
    page = importlib.import_module("bench.page")
    results = page.read(json.loads((ROOT / "bench" / "results.json").read_text("utf-8")))
    text = (ROOT / "docs" / "performance.md").read_text("utf-8")
    assert text == page.renewed(text, results)
    assert (ROOT / "docs" / "growth.svg").read_text("utf-8") == page.plot(results["growth"].measured.steps)
