"""What every room's tests share: a stand-in CRM of their own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from importer.sandbox import RunningSandbox


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    """Serve a stand-in CRM on a free port, its cases in memory, for the length of one test."""
    with RunningSandbox() as running:
        yield running
