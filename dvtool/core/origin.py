"""Origins: what the sidecar of an imported data set says of where its bytes came from.

The keys `origin`, `origin-commit`, `origin-digest`, `origin-etag`, `origin-path` and `origin-rev`,
read from and written to a sidecar's further keys. Pure text; nothing is opened here, and no
credential gets in. Spec: docs/format.md#origin. Used by `dvtool.ops.imports`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qsl, quote, unquote_to_bytes, urlencode, urlsplit, urlunsplit

from dvtool.core.digest import Digest, format_digest, parse_digest
from dvtool.core.remoteurl import is_secret
from dvtool.core.sidecar import Sidecar
from dvtool.errors import InvalidText, UsageError

_ORIGIN: Final = "origin"
_PARTS: Final = ("commit", "digest", "etag", "path", "rev")
_PRINTABLE: Final = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) != "%")
_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_MOST: Final = 3000
"""Characters of one value; a sidecar takes about a thousand more."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an imported data set came from.

    Attributes:
        address: A git URL where `path` is set, else the URL of the file.
        path: Of the data set, or of a part of one, in that repository; empty for a URL.
        rev: The revision that was asked for.
        commit: What it was then.
        etag: What the server called the bytes, where it tells versions apart; empty otherwise.
        digest: Of the version that came, as `core.allow.version_digest` has it. None if not said.
    """

    address: str
    path: str = ""
    rev: str = ""
    commit: str = ""
    etag: str = ""
    digest: Digest | None = None

    @property
    def is_repository(self) -> bool:
        """Whether it is a data set of a repository."""
        return bool(self.path)

    def __str__(self) -> str:
        if not self.is_repository:
            return self.address
        return f"{self.address} {self.path} at {self.rev} ({self.commit[:12]})"


def origin_of(sidecar: Sidecar, *, source: str) -> Origin | None:
    """Returns the origin that a sidecar tells; None when the data set was not imported.

    Raises:
        InvalidText: Its lines make no sense.
    """
    said = {key: _unquoted(value) for key, value in sidecar.extra if _is_ours(key)}
    if _ORIGIN not in said:
        return None
    parts = {name: said.get(f"{_ORIGIN}-{name}", "") for name in _PARTS}
    path, rev = (_decoded(parts[name]) for name in ("path", "rev"))
    try:
        digest = parse_digest(parts["digest"]) if parts["digest"] else None
    except InvalidText as error:
        raise InvalidText(f"origin-digest: {error.message}", source=source) from None
    if path and not _COMMIT.fullmatch(parts["commit"]):
        raise InvalidText("origin-path without the origin-commit it was found in", source=source)
    return Origin(said[_ORIGIN], path, rev, parts["commit"], parts["etag"], digest)


def with_origin(sidecar: Sidecar, origin: Origin) -> Sidecar:
    """Returns the sidecar with the lines of an origin in place of those it had.

    Raises:
        UsageError: The address cannot be written, or is too long.
    """
    values = {
        _ORIGIN: origin.address,
        "origin-commit": origin.commit,
        "origin-digest": format_digest(origin.digest) if origin.digest else "",
        "origin-etag": origin.etag,
        "origin-path": _encoded(origin.path),
        "origin-rev": _encoded(origin.rev),
    }
    for value in values.values():
        if len(value) > _MOST or not value.isascii() or not value.isprintable():
            raise UsageError(
                "the address of an origin is printable ASCII of at most 3,000 characters",
                hint="other characters are written %XX in a URL",
            )
    kept = [(key, value) for key, value in sidecar.extra if not _is_ours(key)]
    ours = [(key, _quoted(value)) for key, value in values.items() if value]
    return replace(sidecar, extra=tuple(sorted([*kept, *ours])))


def without_credentials(url: str) -> tuple[str, tuple[str, ...]]:
    """Returns a URL that may be committed, and the names of what was taken out of it.

    User and password go, and every part of the query that is named or looks like a secret; a user
    alone stays where it is part of the address (`ssh://me@host`). A fragment goes too.
    """
    if "://" not in url:
        return url, ()
    parts = urlsplit(url)
    dropped: list[str] = []
    user, at, host = parts.netloc.rpartition("@")
    if at and (":" in user or parts.scheme in ("http", "https", "ftp")):
        dropped.append("user and password")
        user, at = ("", "")
    query = parts.query
    given = parse_qsl(query, keep_blank_values=True)
    kept = [(name, value) for name, value in given if not is_secret(name, value)]
    if len(kept) != len(given):
        dropped += [name for name, value in given if is_secret(name, value)]
        query = urlencode(kept)
    clean = urlunsplit((parts.scheme, f"{user}{at}{host}", parts.path, query, ""))
    if parts.scheme and not parts.netloc and not clean.startswith(f"{parts.scheme}://"):
        clean = f"{parts.scheme}://{clean.removeprefix(parts.scheme + ':')}"
    return clean, tuple(dropped)


def uri_of(url: str) -> str:
    """Returns a URL as people type it as one of printable ASCII; `url_of` is the way back.

    Only over HTTP is `%` in what people type an escape already; fsspec takes other URLs literally.
    """
    return quote(url, safe=_PRINTABLE + ("%" if _is_web(url) else ""), errors="surrogateescape")


def url_of(uri: str) -> str:
    """Returns a URL as fsspec takes it."""
    return uri if _is_web(uri) else _decoded(uri)


def _is_web(url: str) -> bool:
    return url.startswith(("http://", "https://"))


def _is_ours(key: str) -> bool:
    return key == _ORIGIN or key.removeprefix(f"{_ORIGIN}-") in _PARTS


def _encoded(text: str) -> str:
    return quote(text.encode("utf-8", "surrogateescape"), safe=_PRINTABLE)


def _decoded(text: str) -> str:
    return unquote_to_bytes(text).decode("utf-8", "surrogateescape")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _unquoted(value: str) -> str:
    if not value.startswith('"'):
        return value
    return re.sub(r"\\(.)", r"\1", value[1:-1])
