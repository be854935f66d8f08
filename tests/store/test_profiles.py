"""The folder of profiles: what is put in comes out, damage and bounds cost time only."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import zstandard

from dvtool.core.digest import Digest
from dvtool.errors import InvalidText
from dvtool.store.profiles import ProfileFolder, packed, profile_name, unpacked

FILE, OTHER = Digest(b"\xf1" * 32), Digest(b"\xf2" * 32)
A, B = profile_name(FILE, "aa" * 32), profile_name(FILE, "bb" * 32)
C = profile_name(OTHER, "aa" * 32)


@pytest.fixture
def folder(tmp_path: Path) -> ProfileFolder:
    return ProfileFolder(tmp_path / "profiles")


def file_of(tmp_path: Path, address: str) -> Path:
    return tmp_path / "profiles" / f"{address}.json.zst"


def test_a_text_comes_back_and_others_are_absent(folder: ProfileFolder) -> None:
    assert folder.put(A, b'{"rows":1}\n')

    assert folder.get(A) == b'{"rows":1}\n'
    assert folder.get(B) is None
    assert len(folder) == 1


def test_an_absent_folder_is_an_empty_one_and_is_not_made_by_asking(
    folder: ProfileFolder, tmp_path: Path
) -> None:
    assert folder.get(A) is None
    assert folder.trim() == 0
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_an_ordinary_zstd_frame(folder: ProfileFolder, tmp_path: Path) -> None:
    folder.put(A, b"text\n")

    assert zstandard.decompress(file_of(tmp_path, A).read_bytes()) == b"text\n"


@pytest.mark.parametrize("at", range(0, 18))
def test_a_changed_byte_is_absence(folder: ProfileFolder, tmp_path: Path, at: int) -> None:
    folder.put(A, b"0123456789\n")
    path = file_of(tmp_path, A)
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    data[at % len(data)] ^= 0x55
    path.write_bytes(bytes(data))

    assert folder.get(A) is None


def test_a_file_that_is_cut_off_is_absence(folder: ProfileFolder, tmp_path: Path) -> None:
    folder.put(A, b"0123456789\n" * 100)
    path = file_of(tmp_path, A)
    path.chmod(0o644)
    os.truncate(path, path.stat().st_size - 3)

    assert folder.get(A) is None


def test_a_frame_that_claims_more_than_a_profile_may_have_is_refused() -> None:
    bomb = zstandard.ZstdCompressor().compress(bytes(65 << 20))

    with pytest.raises(InvalidText):
        unpacked(bomb)


def test_a_frame_followed_by_another_is_refused() -> None:
    with pytest.raises(InvalidText):
        unpacked(packed(b"a") + packed(b"b"))


def test_a_frame_that_does_not_state_its_size_is_refused() -> None:
    stream = zstandard.ZstdCompressor().compressobj()

    with pytest.raises(InvalidText):
        unpacked(stream.compress(b"a") + stream.flush())


def test_the_empty_text_is_a_text() -> None:
    assert unpacked(packed(b"")) == b""


def test_what_was_not_asked_for_longest_goes_first(folder: ProfileFolder, tmp_path: Path) -> None:
    for number, address in enumerate((A, B, C)):
        folder.put(address, os.urandom(1000))
        os.utime(file_of(tmp_path, address), (number, number))
    folder.get(A)

    assert folder.trim(most_bytes=2500) == 1
    assert [folder.get(one) is None for one in (A, B, C)] == [False, True, False]


def test_all_profiles_of_one_file_are_found_by_its_digest(folder: ProfileFolder) -> None:
    for name in (B, A, C):
        folder.put(name, b"text")

    assert folder.digests() == [FILE, OTHER]
    assert folder.names_of(FILE) == [A, B]
    assert folder.names_of(Digest(bytes(32))) == []


def test_a_name_that_is_none_is_refused(folder: ProfileFolder) -> None:
    with pytest.raises(InvalidText):
        folder.get("../../etc/passwd")


def test_a_disk_that_cannot_take_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "profiles").write_text("a file where the folder should be")

    assert not ProfileFolder(tmp_path / "profiles").put(A, b"text")
