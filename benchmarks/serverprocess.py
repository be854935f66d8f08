"""The benchmark S3 server as a process: start, count, clean, stop.

The server itself is `s3server`; here is only what the harness needs to use one.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a server was asked between two resets.

    Args:
        requests: All requests; a failed one counts, too.
        operations: Requests by S3's name of the operation.
        bytes_in: Body bytes received, as sent (with chunk framing).
        bytes_out: Body bytes sent.
        errors: Answers of 400 and above, "does not exist" among them.
        server_cpu_s: CPU seconds of the server. Where they come near the wall seconds, the server
            was the bottleneck, and wall seconds say nothing about the client.
    """

    requests: int
    operations: dict[str, int]
    bytes_in: int
    bytes_out: int
    errors: int
    server_cpu_s: float


class ServerProcess:
    """A running server; use it as a context manager.

    Args:
        latency_ms: How long it waits before each answer.
        arena_mib: Memory for large bodies, made ready before this returns.
    """

    def __init__(self, *, latency_ms: float = 0.0, arena_mib: int = 0) -> None:
        program = str(Path(__file__).with_name("s3server.py"))
        options = [f"--latency-ms={latency_ms}", f"--arena-mib={arena_mib}"]
        self._process = subprocess.Popen(
            [sys.executable, program, *options], stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdout is not None
        self.url = self._process.stdout.readline().split()[-1]

    def __enter__(self) -> ServerProcess:
        """Returns the server, which listens already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Ends the process and waits for it."""
        self._process.terminate()
        self._process.wait()

    def create_bucket(self, name: str) -> None:
        """Makes an empty bucket, in place of one of the same name."""
        self._ask("DELETE", f"/{name}")
        self._ask("PUT", f"/{name}")

    def drop_bucket(self, name: str) -> None:
        """Deletes a bucket and all in it."""
        self._ask("DELETE", f"/{name}")

    def age(self, seconds: float) -> None:
        """Makes every object that much older, as if it had been written then."""
        self._ask("POST", f"/_age?{seconds}")

    def traffic(self) -> Traffic:
        """Returns what was asked since the last call, and counts from zero again."""
        facts = json.loads(self._ask("GET", "/_stat?reset"))
        return Traffic(**{name: facts[name] for name in Traffic.__slots__})

    def _ask(self, method: str, target: str) -> bytes:
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"), timeout=60)
        try:
            connection.request(method, target)
            return connection.getresponse().read()
        finally:
            connection.close()
