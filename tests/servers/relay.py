"""A line between a client and a server that a test can cut in the middle of a transfer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from tests.servers.services import Place


@dataclass
class Relay:
    """Passes bytes on between `port` and a server of this machine.

    Attributes:
        port: Where it listens on 127.0.0.1.
        up_left: Bytes from the client that still get through, None for all; then all is cut.
        down_left: The same for bytes from the server.
    """

    target: int
    port: int = 0
    up_left: int | None = None
    down_left: int | None = None
    _listener: socket.socket = field(default_factory=socket.socket)
    _open: list[socket.socket] = field(default_factory=list)

    def cut(self, *, up: int | None = None, down: int | None = None) -> None:
        """Lets so many more bytes through; with neither, everything again."""
        self.up_left, self.down_left = up, down

    def serve(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self.target))
                self._open += [client, server]
                for source, sink, name in ((client, server, "up"), (server, client, "down")):
                    threading.Thread(
                        target=self._pump, args=(source, sink, f"{name}_left"), daemon=True
                    ).start()

    def _pump(self, source: socket.socket, sink: socket.socket, left: str) -> None:
        with suppress(OSError):
            while data := source.recv(16_384):
                allowed: int | None = getattr(self, left)
                if allowed is None:
                    sink.sendall(data)
                    continue
                sink.sendall(data[:allowed])
                setattr(self, left, max(0, allowed - len(data)))
                if allowed <= len(data):
                    break
        for one in (source, sink):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for one in (self._listener, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@contextmanager
def relayed(place: Place) -> Iterator[tuple[Place, Relay]]:
    """Gives the same place as it looks through a relay, and the relay."""
    relay = Relay(place.port)
    relay._listener.bind(("127.0.0.1", 0))
    relay._listener.listen()
    relay.port = relay._listener.getsockname()[1]
    threading.Thread(target=relay.serve, daemon=True).start()
    try:
        yield place.at_port(relay.port), relay
    finally:
        relay.close()
