"""A small, fast S3 server in memory, for measuring clients on loopback.

Here are the sockets and HTTP/1.1: one asyncio thread, bodies received straight into their final
buffer and sent from it. The operations are in `s3routes` and `s3api`, the objects in `s3store`. The harness
starts it as a process of its own (`serverprocess`), so that its CPU time is not the client's:

    python s3server.py --port 9000 [--latency-ms 20] [--arena-mib 2304]

`GET /_stat` answers counters as JSON; `GET /_stat?reset` answers them and starts again at zero.
`POST /_age?SECONDS` makes every object so much older, for what waits for days.
It has no authentication and no persistence: never use it for anything but measurements and tests.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import time
from collections import deque
from http import HTTPStatus

from s3api import S3
from s3routes import answer
from s3store import Arena
from s3wire import Request, Response

HEAD_LIMIT_BYTES = 64 * 1024
SLICE_BYTES = 1 << 20  # what is handed to the socket at a time; asyncio copies what does not fit
REASONS = {status.value: status.phrase for status in HTTPStatus}


class Server:
    """What all connections share: the objects and their memory, the counters, the artificial latency."""

    def __init__(self, *, latency_s: float = 0.0, arena_bytes: int = 0) -> None:
        self.s3 = S3()
        self.arena = Arena(arena_bytes)
        self.latency_s = latency_s
        self.bytes_in = 0
        self.bytes_out = 0
        self.errors = 0
        self._cpu_start_s = time.process_time()

    def stat(self, *, reset: bool) -> Response:
        """Returns the counters as JSON: requests by operation, bytes, errors, CPU."""
        operations = self.s3.operations
        facts = {
            "requests": operations.total(),
            "operations": dict(sorted(operations.items())),
            "bytes_in": self.bytes_in,
            "bytes_out": self.bytes_out,
            "errors": self.errors,
            "objects": sum(len(bucket.objects) for bucket in self.s3.buckets.values()),
            "server_cpu_s": round(time.process_time() - self._cpu_start_s, 6),
        }
        if reset:
            operations.clear()
            self.bytes_in = self.bytes_out = self.errors = 0
            self._cpu_start_s = time.process_time()
        raw = json.dumps(facts).encode()
        return Response(200, (("Content-Type", "application/json"),), [memoryview(raw)], len(raw))

    def handle(self, request: Request) -> Response:
        """Answers one request and counts it."""
        if request.target.startswith("/_stat"):
            return self.stat(reset=request.target.endswith("?reset"))
        if request.target.startswith("/_age?"):
            for bucket in self.s3.buckets.values():
                bucket.age(float(request.target.partition("?")[2]))
            return Response(200)
        response = answer(self.s3, request)
        if not self.s3.buckets:
            self.arena.reset()
        self.bytes_in += len(request.body)
        self.errors += response.status >= 400
        if response.size_bytes <= HEAD_LIMIT_BYTES:  # larger ones count as they are sent
            self.bytes_out += sum(len(piece) for piece in response.pieces)
        return response


class Connection(asyncio.BufferedProtocol):
    """One client connection: requests one after the other, each answered before the next is read."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._scratch = bytearray(HEAD_LIMIT_BYTES)
        self._pending = bytearray()  # bytes that came after the request being read
        self._head: tuple[str, str, dict[str, str]] | None = None
        self._body = memoryview(b"")
        self._received = 0
        self._outgoing: deque[memoryview] = deque()
        self._writable = True
        self._busy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keeps the transport; a high-water mark of two slices makes writes wait for the client."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=2 * SLICE_BYTES)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Returns the rest of the body being received, or scratch space for the next head."""
        if self._head is not None and not self._busy:
            return self._body[self._received :]
        return memoryview(self._scratch)

    def buffer_updated(self, nbytes: int) -> None:
        """Takes what has arrived in the buffer that `get_buffer` gave."""
        if self._head is not None and not self._busy:
            self._received += nbytes
            if self._received == len(self._body):
                self._complete()
        else:
            self._pending += memoryview(self._scratch)[:nbytes]
            if not self._busy:
                self._read_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forgets what the client did not wait for."""
        self._outgoing.clear()

    def pause_writing(self) -> None:
        """Stops sending; the client reads slowly."""
        self._writable = False

    def resume_writing(self) -> None:
        """Goes on sending."""
        self._writable = True
        self._send()

    def _read_head(self) -> None:
        """Parses a request's head if all of it is here, and moves on to its body."""
        end = self._pending.find(b"\r\n\r\n")
        if end < 0:
            if len(self._pending) > HEAD_LIMIT_BYTES:
                self._transport.abort()
            return
        first, *lines = self._pending[:end].decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        del self._pending[: end + 4]
        if "transfer-encoding" in headers:  # S3 wants a length, too
            self._transport.write(
                b"HTTP/1.1 411 Length Required\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            self._transport.close()
            return
        length = int(headers.get("content-length", "0"))
        self._head = (method, target, headers)
        if headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        early = self._pending[:length]
        del self._pending[: len(early)]
        if len(early) == length:
            self._body = memoryview(early)
        else:
            self._body = self._server.arena.take(length)
            self._body[: len(early)] = early
        self._received = len(early)
        if self._received == length:
            self._complete()

    def _complete(self) -> None:
        """Answers the request that has arrived in full, after the latency that was asked for."""
        self._busy = True
        self._transport.pause_reading()
        if self._server.latency_s:
            asyncio.get_running_loop().call_later(self._server.latency_s, self._answer)
        else:
            self._answer()

    def _answer(self) -> None:
        assert self._head is not None
        method, target, headers = self._head
        response = self._server.handle(Request(method, target, headers, self._body))
        self._body = memoryview(b"")
        lines = [
            f"HTTP/1.1 {response.status} {REASONS.get(response.status, 'Unknown')}",
            "x-amz-request-id: 0",
            "Server: bench",
        ]
        lines += [f"{name}: {value}" for name, value in response.headers]
        if response.status != 204:
            lines.append(f"Content-Length: {response.size_bytes}")
        raw = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        if response.size_bytes <= HEAD_LIMIT_BYTES:  # one system call for head and body
            self._transport.write(raw + b"".join(response.pieces))
        else:
            self._transport.write(raw)
            for piece in response.pieces:
                slices = range(0, len(piece), SLICE_BYTES)
                self._outgoing.extend(piece[i : i + SLICE_BYTES] for i in slices)
        self._send()

    def _send(self) -> None:
        """Sends while the client takes it; when all is sent, reads the next request."""
        while self._outgoing and self._writable:
            if self._transport.is_closing():  # the client has had enough: not all was asked for
                self._outgoing.clear()
                return
            piece = self._outgoing.popleft()
            self._server.bytes_out += len(piece)
            self._transport.write(piece)
        if self._outgoing or not self._busy or self._transport.is_closing():
            return
        self._busy = False
        self._head = None
        self._transport.resume_reading()
        if self._pending:
            self._read_head()


async def serve(shared: Server, port: int) -> None:
    """Listens on loopback and says so in one line on stdout, with the port."""
    loop = asyncio.get_running_loop()
    listener = await loop.create_server(lambda: Connection(shared), "127.0.0.1", port, backlog=1024)
    print(f"listening on http://127.0.0.1:{listener.sockets[0].getsockname()[1]}", flush=True)
    await listener.serve_forever()


def main() -> None:
    """Parses the command line and serves until interrupted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--port", type=int, default=0, help="0 lets the system choose (default)")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="wait before each answer")
    parser.add_argument(
        "--arena-mib", type=int, default=0, help="memory for large bodies, touched in advance"
    )
    options = parser.parse_args()
    server = Server(latency_s=options.latency_ms / 1000, arena_bytes=options.arena_mib << 20)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(server, options.port))


if __name__ == "__main__":
    main()
