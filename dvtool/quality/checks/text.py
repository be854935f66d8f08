"""YAML text to a tree that knows the line of every key and value.

YAML 1.2 with the core schema's scalars and nothing else: no tags, no objects, no dates, no merge
keys; duplicate keys are refused and aliases may not blow the file up. What the keys mean is
`dvtool.quality.checks.vocabulary`; `parsing` is the caller.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from dvtool.errors import InvalidText

MAX_BYTES: Final = 1 << 20
MAX_NODES: Final = 100_000
MAX_DEPTH: Final = 32

_Event = Any
"""An event of ruamel.yaml, which has no types."""
Scalar = str | int | float | bool | None

_NULL = re.compile(r"null|Null|NULL|~|")
_BOOL = re.compile(r"true|True|TRUE|false|False|FALSE")
_INT = re.compile(r"[-+]?[0-9]{1,300}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]{1,300}|[0-9]{1,300}(\.[0-9]{0,300})?)([eE][-+]?[0-9]{1,4})?")


@dataclass(frozen=True, slots=True)
class Node:
    """One value of the tree.

    Args:
        value: A scalar, a tuple of nodes, or a tuple of (key node, value node) pairs.
        line: 1-based line on which it starts.
        kind: `scalar`, `list` or `mapping`.
        written: A scalar as it stands in the file; empty for lists and mappings.
    """

    value: Any
    line: int
    kind: str = "scalar"
    written: str = ""

    @property
    def pairs(self) -> tuple[tuple[Node, Node], ...]:
        """Key and value of each entry of a mapping, in file order."""
        return self.value if self.kind == "mapping" else ()

    @property
    def items(self) -> tuple[Node, ...]:
        """The entries of a list."""
        return self.value if self.kind == "list" else ()

    def refuse(self, message: str, *, hint: str = "") -> InvalidText:
        """Returns the error that names this node's line, to be raised."""
        return InvalidText(message, line=self.line, hint=hint)


def parse_tree(text: str) -> Node:
    """Returns the root of a YAML document; an empty document is an empty mapping.

    Raises:
        InvalidText: It is no YAML 1.2, uses more of it than checks need, or is too large.
    """
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise InvalidText(f"larger than {MAX_BYTES} bytes, which no checks file needs to be")
    return _Builder().build(text)


def _events(text: str) -> Iterator[_Event]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError, YAMLStreamError

    reader = YAML(typ="safe", pure=True)
    try:
        yield from reader.parse(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 0
        problem = str(error.problem or error.context)
        hint = "indent with spaces, not with tabs" if "'\\t'" in problem else ""
        raise InvalidText(f"not YAML: {problem}", line=line, hint=hint) from error
    except (YAMLError, YAMLStreamError, ValueError) as error:
        first = str(error).partition("\n")[0]
        raise InvalidText(f"not YAML: {first}") from error


class _Builder:
    """Turns events into nodes without recursion, counting what it makes."""

    def __init__(self) -> None:
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._count = 0
        self._open: list[tuple[_Event, list[Node], list[int]]] = []
        self._root: Node | None = None

    def build(self, text: str) -> Node:
        for event in _events(text):
            self._take(event, type(event).__name__)
        return self._root or Node((), 1, "mapping")

    def _take(self, event: _Event, name: str) -> None:
        if name == "DocumentStartEvent":
            self._start_document(event)
        elif name == "AliasEvent":
            self._alias(event)
        elif name == "ScalarEvent":
            self._check_tag(event)
            self._add(_scalar(event), event.anchor, 1)
        elif name in ("MappingStartEvent", "SequenceStartEvent"):
            self._check_tag(event)
            if len(self._open) >= MAX_DEPTH:
                raise InvalidText(f"nested deeper than {MAX_DEPTH}", line=_line(event))
            self._open.append((event, [], [1]))
        elif name in ("MappingEndEvent", "SequenceEndEvent"):
            start, children, size = self._open.pop()
            self._add(_collection(start, children), start.anchor, sum(size))

    def _start_document(self, event: _Event) -> None:
        if self._root is not None:
            raise InvalidText("a second document; checks are one", line=_line(event))
        if event.version is not None and tuple(event.version) != (1, 2):
            raise InvalidText("checks are YAML 1.2", line=_line(event))

    def _check_tag(self, event: _Event) -> None:
        if event.tag is not None:
            raise InvalidText("tags (!…) have no place in checks", line=_line(event))

    def _alias(self, event: _Event) -> None:
        if event.anchor not in self._anchors:
            raise InvalidText(f"alias *{event.anchor} names nothing above", line=_line(event))
        node, size = self._anchors[event.anchor]
        self._add(node, None, size)

    def _add(self, node: Node, anchor: str | None, size: int) -> None:
        self._count += size
        if self._count > MAX_NODES:
            raise InvalidText(f"more than {MAX_NODES} values, aliases counted", line=node.line)
        if anchor is not None:
            self._anchors[anchor] = (node, size)
        if self._open:
            self._open[-1][1].append(node)
            self._open[-1][2].append(size)
        else:
            self._root = node


def _line(event: _Event) -> int:
    return int(event.start_mark.line) + 1


def _collection(start: _Event, children: list[Node]) -> Node:
    if type(start).__name__ == "SequenceStartEvent":
        return Node(tuple(children), _line(start), "list")
    pairs = tuple(zip(children[::2], children[1::2], strict=True))
    seen: dict[str, int] = {}
    for key, _ in pairs:
        if key.kind != "scalar" or not key.written:
            raise key.refuse("a key is one word or number")
        if key.written in seen:
            raise key.refuse(f"{key.written} stands twice, first on line {seen[key.written]}")
        seen[key.written] = key.line
    return Node(pairs, _line(start), "mapping")


def _scalar(event: _Event) -> Node:
    written = str(event.value)
    value = core_value(written) if event.implicit[0] and not event.style else written
    return Node(value, _line(event), "scalar", written)


def core_value(written: str) -> Scalar:
    """Returns a plain scalar's value after YAML 1.2's core schema, without octal, hex and NaN."""
    if _NULL.fullmatch(written):
        return None
    if _BOOL.fullmatch(written):
        return written[0] in "tT"
    if _INT.fullmatch(written):
        return int(written)
    if _FLOAT.fullmatch(written):
        number = float(written)
        return number if abs(number) != float("inf") else written
    return written
