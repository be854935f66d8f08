"""Server processes for tests: started on 127.0.0.1, waited for, ended by their id."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.error import HTTPError

START_TIMEOUT_S = 60


def free_ports(count: int) -> list[int]:
    """Returns ports that nobody listens on; all are held until all are known, so none is twice."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextmanager
def running(
    command: Sequence[str | Path], *, ready: str, folder: Path, **environ: str
) -> Iterator[None]:
    """Runs a server within the block, from the moment that `ready` answers anything by HTTP.

    What it says is kept in `folder`, and shown when it does not come up. It is killed at the end:
    nothing it holds is worth the time an orderly end takes.
    """
    log = folder / "server.log"
    quiet = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder), **environ}
    # So that it does not outlive a test run that is killed; setpriv becomes the server itself.
    with_us = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*with_us, *map(os.fspath, command)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env=quiet,
            start_new_session=True,
        )
    try:
        _wait_for(process, ready, log)
        yield
    finally:
        process.kill()
        process.wait()


def _wait_for(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-3000:]
            raise RuntimeError(f"{process.args!r} did not start:\n{tail}")
        time.sleep(0.05)


def answers(url: str) -> bool:
    """Tells whether an HTTP server answers, with whatever status below 500."""
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except HTTPError as error:
        with error:
            return error.code < 500
    except OSError:
        return False
    return True
