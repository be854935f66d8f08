"""What DVC 1, 2 and 3 write is read as they mean it. Hashes come from md5sum and from DVC itself."""

from __future__ import annotations

import hashlib

import pytest

from dvtool.core.dvcfiles import (
    BLOCK_BYTES,
    Md5,
    Output,
    directory_text,
    members_of,
    output_text,
    outputs_of,
    stages_elsewhere,
)
from dvtool.errors import InvalidText, UnsafePath

ONE = "b026324c6904b2a9cb4b88d6d61c81d1"
TREE = "5af68c9d5a84e310d3661f0b5c067fc7"
LIST = (
    b'[{"md5": "b026324c6904b2a9cb4b88d6d61c81d1", "relpath": "a.csv"},'
    b' {"md5": "26ab0db90d72e28ad0ba1e22ee510510", "relpath": "b.csv"},'
    b' {"md5": "e20942bc0763636e19c18b95bb194501", "relpath": "sub/c.csv"}]'
)


def test_a_dvc_file_of_version_three():
    text = f"outs:\n- md5: {ONE}\n  size: 2\n  isexec: true\n  hash: md5\n  path: one.txt\n"

    assert outputs_of("raw/one.txt.dvc", text.encode()) == (
        Output("raw/one.txt", f"md5:{ONE}", 2, is_executable=True),
    )


def test_a_dvc_file_of_version_two_with_another_folder():
    text = f"md5: {TREE}\nwdir: ../data\nouts:\n- md5: {TREE}.dir\n  path: images\n"

    assert outputs_of("dvc/images.dvc", text.encode()) == (
        Output("data/images", f"md5-dos2unix:{TREE}.dir"),
    )


@pytest.mark.parametrize(
    "text",
    [
        "schema: '2.0'\nstages:\n  fit:\n    cmd: x\n    outs:\n    - path: m.bin\n      md5: {}\n",
        "fit:\n  cmd: x\n  deps:\n  - path: a\n    md5: {}\n  outs:\n  - path: m.bin\n    md5: {}\n",
    ],
)
def test_a_lock_of_either_schema(text):
    assert outputs_of("p/dvc.lock", text.format(ONE, ONE).encode()) == (
        Output("p/m.bin", f"md5-dos2unix:{ONE}"),
    )


@pytest.mark.parametrize(
    ("out", "problem"),
    [
        (f"{{path: 's3://b/k', md5: {ONE}}}", "it lies outside the repository"),
        (f"{{path: /tmp/x, md5: {ONE}}}", "it lies outside the repository"),
        (f"{{path: ../../x, md5: {ONE}}}", "its path is refused"),
        (f"{{path: .git/x, md5: {ONE}}}", "its path is refused"),
        ("{path: x, cloud: {s3: {etag: e}}}", "it is kept in a cloud's own versions"),
        ("{path: x}", "DVC recorded no version of it"),
        ("{path: x, md5: 17}", "md5 is 32 hex digits"),
    ],
)
def test_what_cannot_be_moved_says_why(out, problem):
    (found,) = outputs_of("d/x.dvc", f"outs: [{out}]\n".encode())

    assert found.problem.startswith(problem)
    assert found.name == ""


@pytest.mark.parametrize(
    "text", [b"- a\n", b"outs: 5\n", b"outs: [x]\n", b"a: b: c\n", b"outs:\n- md5: x\n"]
)
def test_other_yaml_is_refused(text):
    with pytest.raises(InvalidText) as caught:
        outputs_of("x.dvc", text)

    assert caught.value.source == "x.dvc"


def test_a_list_of_files_and_its_text():
    found = members_of(f"md5:{TREE}.dir", LIST)

    assert found == {
        b"a.csv": f"md5:{ONE}",
        b"b.csv": "md5:26ab0db90d72e28ad0ba1e22ee510510",
        b"sub/c.csv": "md5:e20942bc0763636e19c18b95bb194501",
    }
    text = directory_text({path: name.partition(":")[2] for path, name in reversed(found.items())})
    assert text == LIST
    assert hashlib.md5(text).hexdigest() == TREE


def test_a_list_with_a_path_that_leaves_is_refused():
    with pytest.raises(UnsafePath):
        members_of("md5:x.dir", LIST.replace(b"sub/c.csv", b"../c.csv"))
    with pytest.raises(InvalidText):
        members_of("md5:x.dir", b'{"a": 1}')


def test_stages_in_other_folders_are_noticed():
    assert stages_elsewhere(b"stages:\n  a: {cmd: x, wdir: sub}\n")
    assert stages_elsewhere(b"stages:\n  a: {foreach: [1], do: {cmd: x, wdir: sub}}\n")
    assert not stages_elsewhere(b"stages:\n  a: {cmd: x}\n")


def names(*blocks: bytes) -> Md5:
    md5 = Md5()
    for block in blocks:
        md5.update(block)
    return md5


def test_text_with_dos_line_ends_has_two_names_and_other_bytes_one():
    text = names(b"x\r\ny\r\n")
    # printf 'x\ny\n' | md5sum, printf 'x\r\ny\r\n' | md5sum
    assert text.matches("md5-dos2unix:d3d1db6c9eb1ec5d7b0d6e1fb0b5e0b2") is False
    assert text.matches("md5-dos2unix:" + hashlib.md5(b"x\ny\n").hexdigest())
    assert text.matches("md5-dos2unix:e20942bc0763636e19c18b95bb194501")
    assert text.matches("md5:e20942bc0763636e19c18b95bb194501")
    assert not text.matches("md5:" + hashlib.md5(b"x\ny\n").hexdigest())

    binary = b"\0x\r\ny\r\n"
    assert not names(binary).matches("md5-dos2unix:" + hashlib.md5(b"\0x\ny\n").hexdigest())
    assert names(binary).matches("md5-dos2unix:" + hashlib.md5(binary).hexdigest())


def test_later_blocks_are_turned_by_the_first_bytes_of_the_file_or_by_their_own():
    first = b"a" * BLOCK_BYTES
    later = b"\xff" * 600 + b"\r\n"

    by_file = hashlib.md5(first + b"\xff" * 600 + b"\n").hexdigest()
    by_block = hashlib.md5(first + later).hexdigest()
    assert names(first, later).matches(f"md5-dos2unix:{by_file}")
    assert names(first, later).matches(f"md5-dos2unix:{by_block}")
    assert names().matches("md5:d41d8cd98f00b204e9800998ecf8427e")


def test_what_is_written_is_what_dvc_writes():
    text = output_text("data", f"{TREE}.dir", size=10, files=3, executable=False)

    assert text == (
        b"outs:\n- md5: 5af68c9d5a84e310d3661f0b5c067fc7.dir\n  size: 10\n  nfiles: 3\n"
        b'  hash: md5\n  path: "data"\n'
    )
    assert outputs_of("data.dvc", text) == (Output("data", f"md5:{TREE}.dir", 10),)
