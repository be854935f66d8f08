"""What every store does when a line breaks or a credential is wrong; real sockets, real servers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from dvtool.errors import DvtoolError, RemoteFailed, RemoteTemporary
from dvtool.store.remote.backend import Backend, Spool
from tests.servers.processes import free_ports
from tests.servers.relay import Relay
from tests.servers.services import AZURE_ACCOUNT, AZURE_KEY, S3_KEYS, SSH_PASSWORD, Place

MIB = 2**20
pytestmark = pytest.mark.filterwarnings("ignore:Sending a large body directly:ResourceWarning")


def pattern(size: int) -> bytes:
    """Returns bytes in which no two places look alike."""
    return b"".join(b"%08d" % number for number in range(size // 8))


def test_an_upload_that_breaks_off_leaves_nothing_and_can_be_repeated(
    served: Place, line: tuple[Place, Relay], opened: Callable[..., Backend]
) -> None:
    seen, relay = line
    over_the_line, directly = opened(seen), opened(served)
    data = pattern(3 * MIB)
    over_the_line.list()
    relay.cut(up=MIB)

    with pytest.raises(RemoteTemporary):
        over_the_line.create("packs/ab/x.pack", data)

    assert directly.list() == {}
    assert directly.create("packs/ab/x.pack", data)
    assert directly.read("packs/ab/x.pack", size_limit=len(data)) == data


def test_a_download_that_breaks_off_gives_a_true_beginning_or_nothing(
    served: Place, line: tuple[Place, Relay], opened: Callable[..., Backend], tmp_path: Path
) -> None:
    seen, relay = line
    data = pattern(3 * MIB)
    opened(served).create("packs/ab/x.pack", data)
    over_the_line = opened(seen)
    over_the_line.list()
    relay.cut(down=MIB)

    with Spool(tmp_path) as sink:
        with pytest.raises(RemoteTemporary):
            over_the_line.read_range("packs/ab/x.pack", 0, len(data), sink)

        assert sink.size < len(data)
        assert sink.read_at(0, sink.size) == data[: sink.size]


def test_a_download_goes_on_when_the_line_is_back(
    served: Place, line: tuple[Place, Relay], opened: Callable[..., Backend], tmp_path: Path
) -> None:
    seen, relay = line
    data = pattern(2 * MIB)
    opened(served).create("packs/ab/x.pack", data)
    over_the_line = opened(seen)
    over_the_line.list()
    relay.cut(down=MIB)

    with Spool(tmp_path) as sink:
        with pytest.raises(RemoteTemporary):
            over_the_line.read_range("packs/ab/x.pack", 0, len(data), sink)
        relay.cut()
        over_the_line.read_range("packs/ab/x.pack", sink.size, len(data), sink)

        assert sink.read_at(0, sink.size) == data


def test_a_server_that_does_not_answer_may_be_tried_again(
    served: Place, opened: Callable[..., Backend]
) -> None:
    nobody = opened(served.at_port(free_ports(1)[0]), tries=2)

    for act in (nobody.list, lambda: nobody.read("a", size_limit=1)):
        with pytest.raises(RemoteTemporary, match="tried 2 times"):
            act()


WRONG = {
    "s3-seaweed": {"secret": "wrong-secret-value"},
    "azure": {
        "connection_string": (
            f"DefaultEndpointsProtocol=http;AccountName={AZURE_ACCOUNT};"
            "AccountKey=d3Jvbmctc2VjcmV0LXZhbHVl;BlobEndpoint={endpoint};"
        )
    },
    "ssh": {"password": "wrong-secret-value"},
}


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_credential_is_refused_at_once_and_never_shown(
    kind: str, new_place: Callable[[str], Place], opened: Callable[..., Backend]
) -> None:
    place = new_place(kind)
    endpoint = f"http://127.0.0.1:{place.port}/{AZURE_ACCOUNT}"
    wrong = {name: value.replace("{endpoint}", endpoint) for name, value in WRONG[kind].items()}
    store = opened(replace(place, options={**place.options, **wrong}), tries=3)

    for act in (store.list, lambda: store.create("a", b"")):
        with pytest.raises(RemoteFailed) as caught:
            act()
        assert not isinstance(caught.value, RemoteTemporary)
        assert "credentials" in caught.value.hint
        assert_no_secret(caught.value, "wrong-secret-value", "d3Jvbmctc2VjcmV0LXZhbHVl")


def test_no_error_of_any_kind_holds_a_credential(
    served: Place, opened: Callable[..., Backend]
) -> None:
    store, nobody = opened(served), opened(served.at_port(free_ports(1)[0]))
    met: list[DvtoolError] = []

    for act in (
        lambda: store.read("absent", size_limit=1),
        nobody.list,
        lambda: nobody.create("a", b""),
    ):
        with pytest.raises(DvtoolError) as caught:
            act()
        met.append(caught.value)

    for error in met:
        assert_no_secret(error, S3_KEYS["secret"], AZURE_KEY, SSH_PASSWORD)


def test_an_ssh_server_whose_key_is_not_known_is_refused(
    new_place: Callable[[str], Place], opened: Callable[..., Backend], tmp_path: Path
) -> None:
    place = new_place("ssh")
    (tmp_path / "nobody").write_text("")
    stranger = opened(place, known_hosts=str(tmp_path / "nobody"))

    with pytest.raises(RemoteFailed, match="Host key is not trusted") as caught:
        stranger.list()

    assert not isinstance(caught.value, RemoteTemporary)
    assert "host key" in caught.value.hint


def assert_no_secret(error: BaseException | None, *secrets: str) -> None:
    """Looks at everything of an error that could be printed, and at its visible causes."""
    while error is not None:
        shown = f"{error} {error!r} {getattr(error, 'hint', '')}"
        assert not [secret for secret in secrets if secret in shown]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
