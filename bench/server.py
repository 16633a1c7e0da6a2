"""The lightest CRM that answers like one, so that a figure is about its client: `python -m bench.server [LATENCY]`.

It reads every body to its end, keeps nothing, and answers after LATENCY seconds. Its first line of output is its URL.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import sys

CREATED = (
    '{"code":200,"error":"null","msg":"Succesfully create record","data":{"wolkvox_id":"%024x","idPrefijo":"B-%d"}}'
)
QUOTA = (
    '{"code":"200","error":null,"msg":"","data":[{"token_limit":"99999999","token_use_today":"0",'
    '"available_consumition_options":"99999999","hours_to_restart_count":"12"}]}'
)


class Crm(asyncio.Protocol):
    """One connection: requests one after another, each answered once its body has arrived."""

    numbers = itertools.count(1)

    def __init__(self, latency: float) -> None:
        """Answer after `latency` seconds."""
        self.latency = latency
        self.head = bytearray()
        self.missing: int | None = None  # bytes of the body still to come; None while the head is read

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport for the answers."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Read a head, count its body, answer."""
        if self.missing is None:
            self.head += data
            end = self.head.find(b"\r\n\r\n")
            if end < 0:
                return
            length = re.search(rb"\r\ncontent-length: *(\d+)", self.head[:end], re.IGNORECASE)
            self.missing = int(length[1]) if length else 0
            data = self.head[end + 4 :]
        self.missing -= len(data)
        if self.missing <= 0:
            asyncio.get_running_loop().call_later(self.latency, self.answer, self.head.startswith(b"POST"))
            self.head, self.missing = bytearray(), None

    def answer(self, created: bool) -> None:  # noqa: FBT001 - there are only two answers
        """Send one answer."""
        number = next(self.numbers) if created else 0
        body = (CREATED % (number, number) if created else QUOTA).encode()
        head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        if not self.transport.is_closing():
            self.transport.write(head.encode() + body)


async def serve(latency: float) -> None:
    """Serve on a free port of loopback until the process ends."""
    server = await asyncio.get_running_loop().create_server(lambda: Crm(latency), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)  # noqa: T201 - read by the starter
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1]) if len(sys.argv) > 1 else 0.0))
