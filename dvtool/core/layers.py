"""Layers: sources of settings, the stronger ones first.

A layer is a set of keys with their values and the name to give it in an error; the functions here
look through several. What the keys mean is `dvtool.core.config` and `dvtool.core.remoteconfig`,
which are the callers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple, TypeVar

from dvtool.errors import InvalidText, UsageError

Pairs = Iterable[tuple[str, str]]
"""Keys in lower case but for subsections, with their values, in the order of the file."""
T = TypeVar("T")


class Layer(NamedTuple):
    """One source of settings.

    Attributes:
        source: What to call it in an error.
        values: All values of each key, in order; the last counts where one is expected.
        committed: It came with a commit and is not to be trusted.
    """

    source: str
    values: Mapping[str, list[str]]
    committed: bool = False

    def refuse(self, key: str, error: InvalidText) -> InvalidText | UsageError:
        """Returns `error` as it should be raised for `key` of this layer."""
        message = f"{key}: {error.message}"
        if self.committed:
            return InvalidText(message, source=self.source, hint=error.hint)
        return UsageError(f"{self.source} {message}", hint=error.hint)


def grouped(pairs: Pairs) -> dict[str, list[str]]:
    """Returns the values of each key, in order."""
    values: dict[str, list[str]] = {}
    for key, value in pairs:
        values.setdefault(key, []).append(value)
    return values


def strongest(layers: Iterable[Layer], key: str, parse: Callable[[str], T], default: T) -> T:
    """Returns the parsed value of the first layer that has `key`, else `default`.

    Raises:
        InvalidText, UsageError: The value cannot be parsed; see `Layer.refuse`.
    """
    for layer in layers:
        if key in layer.values:
            try:
                return parse(layer.values[key][-1])
            except InvalidText as error:
                raise layer.refuse(key, error) from None
    return default


def whole_list(layers: Iterable[Layer], key: str) -> tuple[str, ...]:
    """Returns all values of the first layer that has `key`; empty values are left out."""
    for layer in layers:
        if key in layer.values:
            return tuple(value for value in layer.values[key] if value)
    return ()
