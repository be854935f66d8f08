"""Remotes as configured: address, options, and whether a commit may send us there.

Pure rules over layers of settings. What a URL or an option may be is `dvtool.core.remoteurl`;
everything else that can be set is `dvtool.core.config`, the caller. Recording approval is
`dvtool.git.trust`. Spec: docs/format.md#dvtool.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final, Literal

from dvtool.core.layers import Layer, strongest
from dvtool.core.remoteurl import (
    OptionValue,
    check_endpoint,
    check_url,
    parse_option,
    protocol_of,
)
from dvtool.errors import InvalidText, UsageError

Trust = Literal["own", "approved", "first", "changed", "added"]
"""`own`: set up on this machine. `approved`: what commits say is what somebody here approved.
`first`: nothing was ever approved in this clone. `changed`, `added`: by a commit, since then."""

REMOTE_KEY: Final = re.compile(r"remote\.(.+)\.(url|endpoint-url|option|trusted)", re.DOTALL)
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class RemoteConfig:
    """One remote, as all sources together describe it.

    Attributes:
        name: As in `[remote "origin"]`.
        url: A checked URL, or a path relative to the top of the work tree.
        endpoint_url: Address of the service, None for the protocol's own.
        options: Further options, typed; a dot in a name leads into a nested mapping.
        committed: The raw pairs that came with the commit, sorted; what trust is about. Empty
            when the whole remote was set up on this machine.
        trust: Whether it may be used without asking.
    """

    name: str
    url: str
    endpoint_url: str | None = None
    options: Mapping[str, OptionValue] = field(default_factory=dict)
    committed: tuple[tuple[str, str], ...] = ()
    trust: Trust = "own"

    def __repr__(self) -> str:
        # Options may hold secrets of this clone, and a repr ends up in logs.
        return (
            f"RemoteConfig({self.name}, {self.url!r}, options={sorted(self.options)}, {self.trust})"
        )

    @property
    def protocol(self) -> str:
        """The part of the URL before `://`; `file` for a path."""
        return protocol_of(self.url)

    @property
    def fingerprint(self) -> str:
        """64 hex digits that name what commits say of the remote; empty when they say nothing.

        The remote's own name is left out, so that renaming it asks nobody.
        """
        if not self.committed:
            return ""
        # Lengths first: no two different lists of pairs may spell the same bytes.
        spelt = "".join(f"{len(key)}:{key}{len(value)}:{value}" for key, value in self.committed)
        return sha256(spelt.encode("utf-8", "surrogateescape")).hexdigest()

    def storage_options(self) -> dict[str, object]:
        """Returns the options as nested mappings, the endpoint among them, as fsspec takes them."""
        nested: dict[str, object] = {}
        for name, value in self.options.items():
            *groups, last = name.split(".")
            here = nested
            for group in groups:
                inner = here.setdefault(group, {})
                assert isinstance(inner, dict)
                here = inner
            here[last] = value
        if self.endpoint_url is not None:
            nested["endpoint_url"] = self.endpoint_url
        return nested


def is_remote_name(name: str) -> bool:
    """Tells whether a remote can be called `name`."""
    return _NAME.fullmatch(name) is not None


def check_remote_name(name: str) -> None:
    """Checks a name that a user typed.

    Raises:
        UsageError: It cannot be a remote's name.
    """
    if not is_remote_name(name):
        raise UsageError(f"a remote's name is letters, digits, - and _, at most 64: {name[:80]!r}")


def remotes_of(theirs: Layer, ours: Layer) -> dict[str, RemoteConfig]:
    """Returns all remotes by name, sorted, with their trust.

    Args:
        theirs: What came with the commit.
        ours: What was set up in this clone; stronger, options are combined one by one.

    Raises:
        InvalidText: A rule is broken by the commit.
        UsageError: A rule is broken by the clone's configuration.
    """
    names = set()
    for layer in (theirs, ours):
        for key in layer.values:
            if match := REMOTE_KEY.fullmatch(key):
                if not is_remote_name(match[1]):
                    error = InvalidText("a remote's name is letters, digits, - and _, at most 64")
                    raise layer.refuse(f"remote.{match[1][:80]}", error)
                names.add(match[1])
    found = {name: _remote(name, theirs, ours) for name in sorted(names)}
    approved = {
        match[1]: values[-1]
        for key, values in ours.values.items()
        if (match := REMOTE_KEY.fullmatch(key)) and match[2] == "trusted"
    }
    return {
        name: replace(remote, trust=_trust(remote, approved))
        for name, remote in found.items()
        if remote is not None
    }


def _trust(remote: RemoteConfig, approved: Mapping[str, str]) -> Trust:
    """Returns how far `remote` is trusted.

    Once something was approved, a new remote is not taken for granted either: the same attack
    could otherwise choose a new name for its address and make it the default.
    """
    if not remote.committed:
        return "own"
    if not approved:
        return "first"
    if remote.fingerprint in approved.values():
        return "approved"
    return "changed" if remote.name in approved else "added"


def _remote(name: str, theirs: Layer, ours: Layer) -> RemoteConfig | None:
    """Returns the remote, or None when only a trace of it is left, such as its old approval."""
    prefix = f"remote.{name}."
    layers = (ours, theirs)
    url = strongest(layers, f"{prefix}url", lambda text: _checked(text, check_url), "")
    endpoint = strongest(
        layers, f"{prefix}endpoint-url", lambda text: _checked(text, check_endpoint), ""
    )
    if not url:
        if any(key.startswith(prefix) for key in theirs.values):
            raise theirs.refuse(f"{prefix}url", InvalidText("the remote has no URL"))
        return None
    options: dict[str, OptionValue] = {}
    for layer in (theirs, ours):
        for text in layer.values.get(f"{prefix}option", []):
            try:
                option, value = parse_option(protocol_of(url), text, committed=layer.committed)
            except InvalidText as error:
                raise layer.refuse(f"{prefix}option", error) from None
            options[option] = value
    committed = tuple(
        sorted(
            (key.removeprefix(prefix), value)
            for key, values in theirs.values.items()
            if key.startswith(prefix)
            for value in values
        )
    )
    return RemoteConfig(name, url, endpoint or None, options, committed)


def _checked(text: str, check: Callable[[str], None]) -> str:
    check(text)
    return text
