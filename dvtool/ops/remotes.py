"""Remotes: opening the one that is meant, and the verbs `remote add/list/set/rm/default/check`.

The address comes from settings, is checked against what was trusted before, and only then becomes
a connection. Called by the workspace and the CLI.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from dvtool.core.config import RemoteConfig, check_remote_name
from dvtool.errors import UsageError
from dvtool.git.settings import Scope, read_settings, remove_remote, set_value, write_remote
from dvtool.git.trust import approve, check_trust

if TYPE_CHECKING:
    from dvtool.ops.workspace import Workspace
    from dvtool.store.remote.remote import Remote

TRUST_VARIABLE = "DVTOOL_TRUST_REMOTE"


@dataclass(frozen=True, slots=True)
class RemoteCheck:
    """What `remote check` found.

    Attributes:
        name: The remote.
        url: Its address.
        packs: How many packs it has.
        size_bytes: Their size.
        damaged: Packs that an index names but that are gone or have another size.
    """

    name: str
    url: str
    packs: int
    size_bytes: int
    damaged: tuple[str, ...]


def chosen_name(workspace: Workspace, name: str | None) -> str:
    """Returns the name of the remote meant: given, the default one, or the only one.

    Raises:
        UsageError: There is none, or several and no default.
    """
    remotes = workspace.settings.remotes
    if name is not None:
        if name not in remotes:
            known = ", ".join(sorted(remotes)) or "none"
            raise UsageError(f"no remote named {name}, there are: {known}")
        return name
    if not remotes:
        raise UsageError("no remote yet", hint="dvtool remote add origin URL")
    default = workspace.settings.default_remote
    if default is not None:
        return chosen_name(workspace, default)
    if len(remotes) > 1:
        raise UsageError(
            f"several remotes and no default: {', '.join(sorted(remotes))}",
            hint="dvtool remote default NAME, or --remote NAME",
        )
    return next(iter(remotes))


def open_remote(workspace: Workspace, name: str | None) -> Remote:
    """Returns the remote, once its address is trusted. Nothing is sent yet.

    Raises:
        UsageError: No such remote.
        RemoteUntrusted: A commit changed its address since it was last used here.
        ExtraMissing: Its protocol needs a package that is not installed.
    """
    from dvtool.store.remote.fsspec_backend import open_backend
    from dvtool.store.remote.remote import Remote

    name = chosen_name(workspace, name)
    config = workspace.settings.remotes[name]
    check_trust(workspace.git, name, config, environ=workspace.environ)
    backend = open_backend(
        _absolute(workspace, config.url),
        endpoint_url=config.endpoint_url,
        options=config.options,
    )
    # Immutable files of the remote are cached by its address: another bucket, another cache.
    place = sha256(f"{config.url}\n{config.endpoint_url}".encode()).hexdigest()[:32]
    return Remote(
        backend,
        name=name,
        cache_dir=workspace.shared_dir / "remotes" / place,
        progress=workspace.progress,
    )


def _absolute(workspace: Workspace, url: str) -> str:
    """Returns `url` with a relative file path made absolute, from the top of the work tree."""
    if "://" in url:
        return url
    return f"file://{posixpath.normpath(posixpath.join(str(workspace.top), url))}"


def add_remote(
    workspace: Workspace, name: str, config: RemoteConfig, *, local: bool, replace: bool = False
) -> None:
    """Writes a remote into `.dvtool`, or into this clone's git config, and trusts it.

    The first remote becomes the default.

    Raises:
        UsageError: It exists already, or its name or address cannot be.
        InvalidText: A secret would be committed.
    """
    check_remote_name(name)
    remotes = workspace.settings.remotes
    if name in remotes and not replace:
        raise UsageError(f"remote {name} exists already", hint=f"dvtool remote set {name} URL")
    if replace and name not in remotes:
        raise UsageError(f"no remote named {name}", hint=f"dvtool remote add {name} URL")
    scope = Scope.CLONE if local else Scope.COMMITTED
    write_remote(workspace.git, name, config, scope=scope)
    if not remotes:
        set_value(workspace.git, "core.remote", name, scope=scope)
    # The person typed this address here: that is the approval.
    fresh = read_settings(workspace.git, environ=workspace.environ)
    approve(workspace.git, name, fresh.remotes[name])


def delete_remote(workspace: Workspace, name: str) -> None:
    """Removes a remote from where it is configured; its bytes stay where they are."""
    chosen_name(workspace, name)
    remove_remote(workspace.git, name)


def set_default(workspace: Workspace, name: str, *, local: bool) -> None:
    """Makes a remote the default one."""
    chosen_name(workspace, name)
    scope = Scope.CLONE if local else Scope.COMMITTED
    set_value(workspace.git, "core.remote", name, scope=scope)


def check_remote(workspace: Workspace, name: str | None, *, trust: bool) -> RemoteCheck:
    """Connects to a remote and says what it has; approves its address first when `trust` is set.

    Raises:
        RemoteUntrusted: The address changed and `trust` is not set.
        RemoteFailed: It cannot be reached, or refuses.
    """
    name = chosen_name(workspace, name)
    if trust:
        approve(workspace.git, name, workspace.settings.remotes[name])
    remote = open_remote(workspace, name)
    snapshot = remote.snapshot()
    sizes: Mapping[str, int] = snapshot.pack_sizes
    return RemoteCheck(name, remote.url, len(sizes), sum(sizes.values()), snapshot.damaged)
