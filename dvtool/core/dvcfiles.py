"""What DVC writes: `.dvc` files, `dvc.lock`, and the `.dir` lists of its directories, as values.

DVC itself is never imported; its YAML and JSON are read, and for the way back written. Text that
says what cannot be moved (files kept in a cloud's own versions, addresses instead of paths) is
read too, with the reason. Called by `dvtool.git.migrated` and by `dvtool.ops.migrate`.
"""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from dvtool.core.paths import check_path
from dvtool.errors import InvalidText

LOCK_NAME: Final = "dvc.lock"
DVC_SUFFIX: Final = ".dvc"
MD5: Final = "md5"
MD5_DOS2UNIX: Final = "md5-dos2unix"
MAX_DVC_BYTES: Final = 64 * 2**20
"""No `.dvc` file or `dvc.lock` that is larger is read; directories do not stand in them."""
_HASH = re.compile(r"[0-9a-f]{32}(\.dir)?")
_TEXT_BYTES: Final = bytes(range(32, 127)) + b"\n\r\t\f\b"
_PROBE_BYTES: Final = 512
BLOCK_BYTES: Final = 2**20
"""DVC turns line ends block by block, so blocks of another size give another md5."""


@dataclass(frozen=True, slots=True)
class Output:
    """One file or directory that DVC tracks.

    Attributes:
        path: Relative to the top of the work tree.
        name: `md5:<32 hex digits>` or `md5-dos2unix:…`, with `.dir` at the end for a directory;
            empty when DVC recorded nothing that can be moved.
        size: In bytes, as DVC recorded it; None when it did not.
        is_executable: A file with its executable bit.
        problem: Why it cannot be moved; empty normally.
    """

    path: str
    name: str
    size: int | None = None
    is_executable: bool = False
    problem: str = ""

    @property
    def is_directory(self) -> bool:
        """It is a directory, whose name leads to a list of its files."""
        return self.name.endswith(".dir")


def is_dvc_text(path: str) -> bool:
    """Tells whether a path is named as DVC names what it commits; `.dvc` itself is its folder."""
    name = path.rpartition("/")[2]
    return name == LOCK_NAME or (name.endswith(DVC_SUFFIX) and name != DVC_SUFFIX)


def outputs_of(path: str, text: bytes) -> tuple[Output, ...]:
    """Returns what a `.dvc` file or `dvc.lock` tracks, in its order.

    Args:
        path: Where it stands, relative to the top of the work tree.
        text: Its bytes.

    Raises:
        InvalidText: It is no YAML, or not of the shape that DVC writes.
    """
    folder, _, name = path.rpartition("/")
    try:
        document = _yaml(text)
        if name == LOCK_NAME:
            return tuple(_of_lock(folder, document))
        wdir = document.get("wdir", ".")
        return tuple(_output(_joined(folder, wdir), one) for one in document.get("outs") or ())
    except (AttributeError, TypeError, KeyError) as error:
        raise InvalidText("not of the shape that DVC writes", source=path) from error
    except InvalidText as error:
        raise error.located(path) from error


def stages_elsewhere(text: bytes) -> bool:
    """Tells whether a `dvc.yaml` has stages with `wdir`: the paths of their outputs are not told."""
    stages = _yaml(text).get("stages") or {}
    return any(
        isinstance(stage, dict) and ("wdir" in stage or "wdir" in (stage.get("do") or {}))
        for stage in stages.values()
    )


def _yaml(text: bytes) -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        document = yaml.load(text, Loader=loader)  # noqa: S506  both loaders are the safe ones
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InvalidText(f"not YAML: {str(error).splitlines()[0]}") from error
    if document is None:
        return {}
    if not isinstance(document, dict):
        raise InvalidText("expected keys and values")
    return document


def _of_lock(folder: str, document: Mapping[str, Any]) -> Iterable[Output]:
    # Before schema 2.0 the stages were the whole document.
    stages = document["stages"] if "schema" in document else document
    for stage in (stages or {}).values():
        for one in stage.get("outs") or ():
            yield _output(folder, one)


def _output(folder: str, one: Mapping[str, Any]) -> Output:
    raw = one["path"]
    if not isinstance(raw, str):
        raise InvalidText(f"path of an output is text, found {raw!r}")
    if "://" in raw or raw.startswith("/"):
        return Output(raw, "", problem="it lies outside the repository")
    path = _joined(folder, raw)
    try:
        check_path(path.encode("utf-8", "surrogateescape"))
    except InvalidText as error:
        return Output(path, "", problem=f"its path is refused: {error.message}")
    value = one.get("md5")
    if isinstance(value, str) and _HASH.fullmatch(value):
        # DVC 3 says which hash it took; before that there was one, over text with Unix line ends.
        name = f"{MD5 if one.get('hash') == MD5 else MD5_DOS2UNIX}:{value}"
        size = one.get("size")
        return Output(
            path, name, size if isinstance(size, int) else None, bool(one.get("isexec", False))
        )
    if one.get("cloud") or one.get("files"):
        return Output(path, "", problem="it is kept in a cloud's own versions")
    if value is None:
        return Output(path, "", problem="DVC recorded no version of it: run dvc commit first")
    return Output(path, "", problem=f"md5 is 32 hex digits, found {str(value)[:60]!r}")


def _joined(folder: str, inside: str) -> str:
    path = posixpath.normpath(posixpath.join(folder, inside))
    return "" if path == "." else path


# -- directories -------------------------------------------------------------------------------


def members_of(name: str, text: bytes) -> dict[bytes, str]:
    """Returns what a `.dir` list holds: for each path the name of its file.

    Args:
        name: Of the directory; it tells how names of its files begin.
        text: The list's bytes, JSON.

    Raises:
        InvalidText: It is not of the shape that DVC writes.
        UnsafePath: A path could leave the directory, or names what git or dvtool own.
    """
    kind = name.partition(":")[0]
    found: dict[bytes, str] = {}
    try:
        for one in json.loads(text):
            path, value = one["relpath"], one["md5"]
            if not isinstance(value, str) or not _HASH.fullmatch(value) or ".dir" in value:
                raise InvalidText(f"md5 is 32 hex digits, found {str(value)[:60]!r}", source=name)
            raw = path.encode("utf-8", "surrogateescape")
            check_path(raw)
            found[raw] = f"{kind}:{value}"
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidText("no list of files as DVC writes them", source=name) from error
    return found


def directory_text(members: Mapping[bytes, str]) -> bytes:
    """Returns the one text that DVC hashes for a directory: paths with md5s, sorted, as JSON.

    Args:
        members: By path, relative to the directory, the md5 in hex.
    """
    rows = [
        {"md5": value, "relpath": path.decode("utf-8", "surrogateescape")}
        for path, value in members.items()
    ]
    rows.sort(key=lambda row: row["relpath"])
    return json.dumps(rows, sort_keys=True).encode("utf-8")


# -- hashes ------------------------------------------------------------------------------------


class Md5:
    """The md5 of bytes that come block by block, as DVC 3 takes it and as those before it did.

    Those turned the line ends of text before hashing: DVC 2 asked the first bytes of a file whether
    it is text, its last versions and DVC 3 ask those of each block. Blocks must have BLOCK_BYTES,
    but the last.
    """

    def __init__(self) -> None:
        self._plain = hashlib.md5(usedforsecurity=False)
        # By file and by block; as long as no line end was turned, they are the plain one.
        self._turned: list[hashlib._Hash | None] = [None, None]
        self._is_text: bool | None = None

    def update(self, block: bytes) -> None:
        """Takes the next block."""
        has_ends = b"\r\n" in block
        if has_ends or self._is_text is None or any(self._turned):
            is_text = _is_text(block)
            self._is_text = is_text if self._is_text is None else self._is_text
            turned = block.replace(b"\r\n", b"\n") if has_ends else block
            for which, applies in enumerate((self._is_text, is_text)):
                if applies and has_ends and self._turned[which] is None:
                    self._turned[which] = self._plain.copy()
                if (md5 := self._turned[which]) is not None:
                    md5.update(turned if applies else block)
        self._plain.update(block)

    def matches(self, name: str) -> bool:
        """Tells whether `name` may name these bytes."""
        kind, _, value = name.partition(":")
        value = value.removesuffix(".dir")
        if value == self._plain.hexdigest():
            return True
        return kind == MD5_DOS2UNIX and any(
            md5 is not None and md5.hexdigest() == value for md5 in self._turned
        )


def _is_text(block: bytes) -> bool:
    """Tells whether DVC takes bytes for text: no zero, and at most 30 % that are unusual in it."""
    probe = block[:_PROBE_BYTES]
    return b"\0" not in probe and len(probe.translate(None, _TEXT_BYTES)) <= 0.3 * len(probe)


def output_text(path: str, value: str, *, size: int, files: int | None, executable: bool) -> bytes:
    """Returns the `.dvc` file of one output, as DVC 3 writes it.

    Args:
        path: The output's last component.
        value: Its md5 in hex, with `.dir` at the end for a directory.
        size: In bytes, of all files together.
        files: How many files a directory has; None for a file.
        executable: A file's executable bit.
    """
    lines = ["outs:", f"- md5: {value}", f"  size: {size}"]
    lines += [] if files is None else [f"  nfiles: {files}"]
    lines += ["  isexec: true"] if executable else []
    # JSON's strings are YAML's too.
    lines += ["  hash: md5", f"  path: {json.dumps(path, ensure_ascii=False)}"]
    return ("\n".join(lines) + "\n").encode("utf-8", "surrogateescape")
