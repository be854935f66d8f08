"""The stores that keep the contract, each started once a session when a test first asks for it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

import pytest

from dvtool.store.remote.backend import Backend
from dvtool.store.remote.fsspec_backend import open_backend
from tests.servers import services
from tests.servers.relay import Relay, relayed
from tests.servers.services import Maker, Place

SERVED: dict[str, Callable[[Path], AbstractContextManager[Maker]]] = {
    "s3-moto": lambda _: services.moto(),
    "s3-seaweed": services.seaweed,
    "azure": services.azurite,
    "google": services.fake_gcs,
    "ssh": services.sftp,
}
KINDS = ("memory", "file", *SERVED)


@pytest.fixture(scope="session")
def makers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Maker]]:
    """Starts a service by name, or skips; a service that could not start is not tried again."""
    started: dict[str, Maker | BaseException] = {}
    with ExitStack() as stack:

        def start(kind: str) -> Maker:
            if kind not in started:
                service = SERVED[kind](tmp_path_factory.mktemp(kind))
                try:
                    started[kind] = stack.enter_context(service)
                except (pytest.skip.Exception, RuntimeError) as error:
                    started[kind] = error
            found = started[kind]
            if isinstance(found, BaseException):
                raise found
            return found

        yield start


@pytest.fixture
def new_place(makers: Callable[[str], Maker], tmp_path: Path) -> Callable[[str], Place]:
    """Makes an empty place on a kind of store."""

    def make(kind: str) -> Place:
        if kind == "memory":
            return Place(f"memory://{secrets.token_hex(8)}/team/data")
        if kind == "file":
            return Place((tmp_path / "team/data/root").as_uri())
        return makers(kind)()

    (tmp_path / "team/data").mkdir(parents=True)
    return make


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, new_place: Callable[[str], Place]) -> Place:
    """An empty place on each kind of store."""
    return new_place(request.param)


@pytest.fixture(params=SERVED)
def served(request: pytest.FixtureRequest, new_place: Callable[[str], Place]) -> Place:
    """An empty place on each store behind a socket."""
    return new_place(request.param)


@pytest.fixture
def opened() -> Iterator[Callable[..., Backend]]:
    """Opens places: `opened(place)`; closes them at the end."""
    all_opened: list[Backend] = []

    def make(place: Place, *, tries: int = 1, **options: object) -> Backend:
        given = {**place.options, **options}
        all_opened.append(open_backend(place.url, options=given, delays_s=(0.01,) * (tries - 1)))
        return all_opened[-1]

    yield make
    for one in all_opened:
        one.close()


@pytest.fixture
def store(place: Place, opened: Callable[..., Backend]) -> Backend:
    """Each kind of store, empty."""
    return opened(place)


@pytest.fixture
def line(served: Place) -> Iterator[tuple[Place, Relay]]:
    """Each store behind a socket as seen over a line that can be cut, and the line."""
    with relayed(served) as found:
        yield found
