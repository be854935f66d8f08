"""What reading through `dvt://` costs beside s3fs: the first byte, everything, ranges.

    python benchmarks/reach.py [--mib 2048] [--out PATH]

A file of incompressible bytes lies at an S3 server (moto, in a process of its own, on loopback)
twice: as a plain object, and pushed by dvtool. Each reader runs in a fresh process, with nothing in
its store; CPU is that of the reader alone. The server notes every request and the bytes it sends.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SERVER = """
import sys
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import WSGIRequestHandler, make_server

class Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"
    def log(self, *_): pass

class Noting:
    def __init__(self, app, path):
        self.app, self.file = app, open(path, "a", buffering=1)
    def __call__(self, environ, start_response):
        def start(status, headers, *rest):
            size = dict((k.lower(), v) for k, v in headers).get("content-length", "0")
            self.file.write(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} {size}\\n")
            return start_response(status, headers, *rest)
        return self.app(environ, start)

app = Noting(DomainDispatcherApplication(create_backend_app), sys.argv[1])
server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=Quiet)
print(server.server_port, flush=True)
server.serve_forever()
"""
READ = """
import sys, fsspec
kind, url, mode = sys.argv[1:4]
with fsspec.open(url, "rb").open() as file:
    if mode == "first":
        assert len(file.read(1)) == 1
    elif mode == "all":
        total = 0
        while block := file.read(8 << 20):
            total += len(block)
        assert total == int(sys.argv[4]), total
    else:
        import random
        random.seed(5)
        for _ in range(20):
            file.seek(random.randrange(int(sys.argv[4]) - (4 << 20)))
            assert len(file.read(4 << 20)) == 4 << 20
"""


def made(folder: Path, mib: int) -> Path:
    """Writes the file: the same bytes every time."""
    import random

    path = folder / "big.bin"
    source = random.Random(1)
    with path.open("wb") as file:
        for _ in range(mib):
            file.write(source.randbytes(1 << 20))
    return path


def served(folder: Path, environ: dict[str, str]) -> tuple[subprocess.Popen[str], str, Path]:
    """Starts the server; returns it, its address, and the file it notes requests in."""
    log = folder / "requests"
    log.touch()
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(log)], stdout=subprocess.PIPE, text=True, env=environ
    )
    assert server.stdout is not None
    return server, f"http://127.0.0.1:{int(server.stdout.readline())}", log


def publish(folder: Path, endpoint: str, path: Path, environ: dict[str, str]) -> Path:
    """Puts the plain object, and pushes it by dvtool; returns a clone without its bytes."""
    import boto3
    from boto3.s3.transfer import TransferConfig
    from botocore.config import Config

    # The server puts the parts together while nothing is sent; asking twice would confuse it.
    patient = Config(read_timeout=1800, retries={"total_max_attempts": 1})
    client = boto3.client("s3", endpoint_url=endpoint, config=patient)
    client.create_bucket(Bucket="bench")
    parts = TransferConfig(multipart_chunksize=64 << 20, max_concurrency=2)
    client.upload_file(str(path), "bench", "plain/big.bin", Config=parts)
    client.close()
    dvtool = os.fspath(Path(sys.executable).with_name("dvtool"))
    repo, clone = folder / "repo", folder / "clone"

    def run(*words: str, where: Path = repo) -> None:
        subprocess.run(words, cwd=where, env=environ, check=True, stdout=subprocess.DEVNULL)

    run("git", "init", "-q", "-b", "main", str(repo), where=folder)
    run(dvtool, "init", "-q", "--no-hooks")
    run(dvtool, "remote", "add", "origin", "s3://bench/data", "--endpoint-url", endpoint)
    path.rename(repo / "big.bin")
    run(dvtool, "add", "-q", "big.bin")
    run("git", "commit", "-qm", "one")
    run("git", "tag", "v1")
    run(dvtool, "push", "-q")
    run("git", "clone", "-q", str(repo), str(clone), where=folder)
    return clone


def measured(words: list[str], log: Path, where: Path, environ: dict[str, str]) -> list[float]:
    """Returns CPU and wall seconds, peak MiB, requests, and MiB that the server sent."""
    before, started = log.stat().st_size, time.monotonic()
    done = subprocess.Popen([sys.executable, "-c", READ, *words], cwd=where, env=environ)
    _, status, used = os.wait4(done.pid, 0)
    wall = time.monotonic() - started
    if code := os.waitstatus_to_exitcode(status):
        raise SystemExit(f"{words} ended with {code}")
    with log.open() as file:
        file.seek(before)
        notes = [line.split() for line in file]
    sent = sum(int(note[-1]) for note in notes if note[0] == "GET") / 2**20
    cpu = used.ru_utime + used.ru_stime
    return [cpu, wall, used.ru_maxrss / 1024, len(notes), sent]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--mib", type=int, default=2048)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    lines = [
        "| reader | what | MiB needed | CPU s | wall s | peak MiB | requests | MiB sent |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        environ = {**os.environ, "HOME": scratch, "AWS_ACCESS_KEY_ID": "k"}
        environ |= {"AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "us-east-1"}
        environ |= {"GIT_AUTHOR_NAME": "b", "GIT_AUTHOR_EMAIL": "b@example.org"}
        environ |= {"GIT_COMMITTER_NAME": "b", "GIT_COMMITTER_EMAIL": "b@example.org"}
        os.environ.update(environ)
        path = made(folder, given.mib)
        server, endpoint, log = served(folder, environ)
        try:
            clone = publish(folder, endpoint, path, environ)
            # The first command of a clone makes its copies of indexes; readers find them or not.
            environ["AWS_ENDPOINT_URL"] = endpoint
            size = str(given.mib << 20)
            for mode, needed in (("first", 0.0), ("all", float(given.mib)), ("ranges", 80.0)):
                for name, url in (
                    ("dvt://", "dvt://v1@big.bin"),
                    ("s3fs", "s3://bench/plain/big.bin"),
                ):
                    found = measured([name, url, mode, size], log, clone, environ)
                    cpu, wall, peak, requests, sent = found
                    lines.append(
                        f"| {name} | {mode} | {needed:,.0f} | {cpu:.2f} | {wall:.1f} | {peak:.0f} |"
                        f" {requests:.0f} | {sent:,.1f} |"
                    )
                    print(lines[-1], flush=True)
        finally:
            server.terminate()
            server.wait()
    if given.out is not None:
        given.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
