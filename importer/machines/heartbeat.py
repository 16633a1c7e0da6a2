"""Says again and again that a machine still works on what it holds, and stops it where another has that by now."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Self

from importer.errors import JournalError
from importer.journal import LEASE
from importer.messages import speaking_on
from importer.system.stopping import Stop


class Heartbeat:
    """Within the block, `renew` is asked five times in each lease; where it says False, `stop` is requested."""

    def __init__(self, renew: Callable[[], bool], stop: Stop, seconds: float | None = None) -> None:
        self._renew, self._stop, self._seconds = renew, stop, seconds or LEASE / 5
        self._ended = threading.Event()
        self._thread = threading.Thread(target=speaking_on(self._beat), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._ended.wait(self._seconds):
            try:
                if not self._renew():
                    self._stop.request()
                    return
            except JournalError:
                continue  # the lease holds for a while still; who sends finds out by itself
