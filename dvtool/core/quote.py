"""C quoting of paths in sidecars and manifests, with exactly one valid spelling for each path.

A path is written plain unless it holds a byte or character that a line of YAML could not carry or
that would make the line ambiguous; then it is quoted as git quotes paths (`core.quotePath=true`):
between double quotes, escapes for the well-known control characters, three octal digits for every
other byte that is not printable ASCII.
"""

from __future__ import annotations

import re

from dvtool.errors import InvalidText

# Control characters, the quote and the backslash; then, as UTF-8, what YAML forbids or takes for a
# line break: C1 controls, U+2028, U+2029, the byte order mark, U+FFFE and U+FFFF.
FORBIDDEN = re.compile(
    rb"[\x00-\x1f\x7f\"\\]|\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]|\xef\xbb\xbf|\xef\xbf[\xbe\xbf]"
)
_ESCAPES = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}
_UNESCAPES = {ord(letter): value for value, letter in _ESCAPES.items()}
_QUOTED = re.compile(rb'"((?:[ !#-\[\]-~]|\\(?:[abtnvfr"\\]|[0-3][0-7]{2}))*)"')
_ESCAPE = re.compile(rb'\\([abtnvfr"\\]|[0-3][0-7]{2})')


def must_quote(path: bytes) -> bool:
    """Tells whether `path` cannot stand plain on a line."""
    if FORBIDDEN.search(path) or path[:1] == b" " or path[-1:] == b" ":
        return True
    if path.isascii():
        return False
    try:
        path.decode("utf-8")
    except UnicodeDecodeError:
        return True
    return False


def quote(path: bytes) -> bytes:
    """Returns the one valid spelling of `path`."""
    if not must_quote(path):
        return path
    return b'"%s"' % "".join(map(_escape, path)).encode("ascii")


def _escape(byte: int) -> str:
    if letter := _ESCAPES.get(byte):
        return f"\\{letter}"
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}"


def unquote(text: bytes) -> bytes:
    """Returns the path that `text` spells.

    Raises:
        InvalidText: `text` is not the one valid spelling of any path.
    """
    path = text
    if text[:1] == b'"':
        match = _QUOTED.fullmatch(text)
        if match is None:
            raise InvalidText(f"badly quoted path {text[:200]!r}")
        path = _ESCAPE.sub(_unescape, match[1])
    if not path or quote(path) != text:
        raise InvalidText(f"path is not spelt the one valid way: {text[:200]!r}")
    return path


def _unescape(match: re.Match[bytes]) -> bytes:
    body = match[1]
    return bytes([_UNESCAPES[body[0]] if len(body) == 1 else int(body, 8)])


def display(path: bytes) -> str:
    """Returns `path` for a person's eyes: plain when printable, quoted otherwise."""
    return quote(path).decode("utf-8")
