"""Codecs: how one kind of value becomes plain JSON data and comes back, strictly.

Here live the building blocks, each a pair of functions. What is not here: which field has which
codec (`encode`), which is the only caller.
"""

from __future__ import annotations

import base64
import binascii
import enum
from collections.abc import Callable
from dataclasses import fields
from typing import Any, NamedTuple, TypeVar

from dvtool.errors import InvalidText

_T = TypeVar("_T")


class Codec(NamedTuple):
    """A pair of functions: to plain JSON data, and back from it or `InvalidText`."""

    out: Callable[[Any], Any]
    back: Callable[[Any], Any]


def wrong(value: object, expected: str) -> InvalidText:
    """Returns the error that says what was found and what is expected."""
    shown = repr(value)
    return InvalidText(f"profile: {shown[:40]} where {expected} is expected")


def plain(kinds: tuple[type, ...], expected: str) -> Codec:
    """Returns the codec of values that JSON has itself."""

    def back(value: object) -> object:
        if type(value) not in kinds:
            raise wrong(value, expected)
        return value

    return Codec(lambda value: value, back)


def count_back(value: object) -> int:
    """Returns a whole number from 0, as which it must come."""
    if type(value) is not int or value < 0:
        raise wrong(value, "a count")
    return value


def enumerated(kind: type[enum.Enum]) -> Codec:
    """Returns the codec of an enum, written as its value."""

    def back(value: object) -> object:
        try:
            return kind(value)
        except ValueError:
            raise wrong(value, f"a {kind.__name__.lower()}") from None

    return Codec(lambda value: value.value, back)


def maybe(codec: Codec) -> Codec:
    """Returns the codec of a value or None, written as null."""
    return Codec(
        lambda value: None if value is None else codec.out(value),
        lambda value: None if value is None else codec.back(value),
    )


def many(codec: Codec, *, length: int | None = None) -> Codec:
    """Returns the codec of a tuple, of one length where that is given."""

    def back(value: object) -> object:
        if not isinstance(value, list) or (length is not None and len(value) != length):
            raise wrong(value, "a list" if length is None else f"a list of {length}")
        return tuple(codec.back(one) for one in value)

    return Codec(lambda value: [codec.out(one) for one in value], back)


def named(codec: Codec) -> Codec:
    """Returns the codec of a mapping from text."""

    def back(value: object) -> object:
        if not isinstance(value, dict):
            raise wrong(value, "an object")
        return {key: codec.back(value[key]) for key in sorted(value)}

    return Codec(lambda value: {key: codec.out(one) for key, one in value.items()}, back)


def sketch(make: Callable[[bytes], Any]) -> Codec:
    """Returns the codec of a value with `data`, written in base64."""

    def back(value: object) -> object:
        if not isinstance(value, str):
            raise wrong(value, "a sketch in base64")
        try:
            data = base64.b64decode(value, validate=True)
        except (ValueError, binascii.Error):
            raise wrong(value, "a sketch in base64") from None
        if base64.b64encode(data).decode("ascii") != value:
            raise wrong(value, "a sketch in base64 without stray bits")
        return make(data)

    return Codec(lambda value: base64.b64encode(value.data).decode("ascii"), back)


def record(kind: type[_T], /, **codecs: Codec) -> Codec:
    """Returns the codec of a dataclass, written as an object with exactly its fields."""
    names = [one.name for one in fields(kind)]  # type: ignore[arg-type]
    assert names == list(codecs), names

    def back(value: object) -> _T:
        if not isinstance(value, dict) or value.keys() != codecs.keys():
            raise wrong(value, f"a {kind.__name__} with {', '.join(names)}")
        return kind(**{name: codec.back(value[name]) for name, codec in codecs.items()})

    return Codec(
        lambda value: {name: codec.out(getattr(value, name)) for name, codec in codecs.items()},
        back,
    )
