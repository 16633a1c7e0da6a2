"""How much the sandbox has been asked: calls of each kind, and of each token."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime


@dataclass
class Traffic:
    """Counts of this process: calls of each kind, today's of each token, those in progress and the most there were.

    The day ends at midnight UTC, which is made up: the vendor's page only says "daily".
    """

    calls: Counter[str] = field(default_factory=Counter)
    used: Counter[str] = field(default_factory=Counter)
    concurrent: Counter[str] = field(default_factory=Counter)
    most: Counter[str] = field(default_factory=Counter)
    day: date = date.min

    def spend(self, token: str, limit: int) -> bool:
        """Count one call of a token unless it has made `limit` calls today; return whether it had one left."""
        today = datetime.now(UTC).date()
        if today != self.day:
            self.day = today
            self.used.clear()
        if self.used[token] >= limit:
            return False
        self.used[token] += 1
        return True

    @contextmanager
    def in_progress(self, token: str) -> Iterator[int]:
        """Count a token's call as in progress within the block; give how many there are, this one included."""
        self.concurrent[token] += 1
        self.most[token] = max(self.most[token], self.concurrent[token])
        try:
            yield self.concurrent[token]
        finally:
            self.concurrent[token] -= 1
