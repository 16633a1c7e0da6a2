"""News for a page that is shown: server-sent events, which our script puts into the element that asks for them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from importer.messages import speaking_on
from importer.web.page import Visit

BETWEEN = 0.4
"""Seconds between two looks at whether there is news."""

SIGN_OF_LIFE = 15.0
"""Seconds after which a stream without news says that it is there, so that neither side takes it for lost."""


@dataclass(frozen=True, slots=True)
class News:
    """What a page shows now: the inside of its element, and a sentence for those who hear it; or where to go."""

    inside: str = ""
    said: str = ""
    leave_to: str = ""


def live(visit: Visit, look: Callable[[], News]) -> Response:
    """Return a stream of what `look` gives, each time that it changes, until the tab or the program is closed."""
    return StreamingResponse(_events(visit, speaking_on(look)), media_type="text/event-stream")


async def _events(visit: Visit, look: Callable[[], News]) -> AsyncIterator[str]:
    shown, silent = News(), 0.0
    while not visit.office.closing.is_set():
        news = await run_in_threadpool(look)
        if news.leave_to:
            yield _event("leave", news.leave_to)
            return
        if news != shown:
            yield _event("part", news.inside)
            if news.said != shown.said:
                yield _event("say", news.said)
            shown, silent = news, 0.0
        elif (silent := silent + BETWEEN) > SIGN_OF_LIFE:
            yield ": \n\n"
            silent = 0.0
        await asyncio.sleep(BETWEEN)


def _event(name: str, text: str) -> str:
    data = "".join(f"data: {line}\n" for line in text.splitlines() or [""])
    return f"event: {name}\n{data}\n"
