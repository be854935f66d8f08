"""Remotes: opening the one that is meant, and the verbs `remote add/list/set/rm/default/check`.

The address comes from settings, is checked against what was trusted before, and only then becomes
a connection. Called by the workspace and the CLI.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from dvtool.core.config import CONFIG_FILE
from dvtool.errors import UsageError
from dvtool.git.settings import read_settings, remove_remote, set_committed, set_for_clone
from dvtool.git.staging import stage
from dvtool.git.trust import approve, ensure_trusted
from dvtool.ops.workspace import Workspace

if TYPE_CHECKING:
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


def open_remote(workspace: Workspace, name: str | None) -> Remote:
    """Returns the remote, once its address is trusted. Nothing is sent yet.

    Raises:
        UsageError: No such remote.
        RemoteUntrusted: A commit changed its address since it was last used here.
        ExtraMissing: Its protocol needs a package that is not installed.
    """
    from dvtool.store.remote.fsspec_backend import open_backend
    from dvtool.store.remote.remote import Remote

    config = workspace.settings.pick_remote(name)
    approval = workspace.environ.get(TRUST_VARIABLE, "")
    ensure_trusted(workspace.git, workspace.settings, config, approval=approval)
    url = _absolute(workspace, config.url)
    backend = open_backend(url, options=config.storage_options(), limit_rate=workspace.limit_rate)
    # Immutable files of the remote are cached by its address: another bucket, another cache.
    place = sha256(f"{url}\n{config.endpoint_url}".encode("utf-8", "surrogateescape")).hexdigest()[
        :32
    ]
    return Remote(
        backend,
        name=config.name,
        cache_dir=workspace.shared_dir / "remotes" / place,
        progress=workspace.progress,
    )


def _absolute(workspace: Workspace, url: str) -> str:
    """Returns `url` with a relative file path made absolute, from the top of the work tree."""
    if "://" in url:
        return url
    return f"file://{posixpath.normpath(posixpath.join(str(workspace.top), url))}"


def add_remote(
    workspace: Workspace,
    name: str,
    url: str,
    *,
    endpoint_url: str | None = None,
    options: Sequence[str] = (),
    local: bool = False,
    replace: bool = False,
) -> None:
    """Writes a remote into `.dvtool`, or into this clone's git config, and trusts it.

    Args:
        workspace: Where.
        name: Its name.
        url: Its address; a plain path means a folder on this machine.
        endpoint_url: Address of the service, where the protocol has one.
        options: `name=value` pairs from the protocol's allow-list.
        local: Keep it in this clone, where it may hold secrets.
        replace: Change an existing remote instead of adding one.

    Raises:
        UsageError: It exists already (or not yet), or its name or address cannot be.
        InvalidText: A secret would be committed.
    """
    exists = name in workspace.settings.remotes
    if exists and not replace:
        raise UsageError(f"remote {name} exists already", hint=f"dvtool remote set {name} URL")
    if replace and not exists:
        raise UsageError(f"no remote named {name}", hint=f"dvtool remote add {name} URL")
    if replace:
        remove_remote(workspace.git, name)
    write = set_for_clone if local else set_committed
    write(workspace.git, f"remote.{name}.url", _spelt(workspace, url))
    if endpoint_url is not None:
        write(workspace.git, f"remote.{name}.endpoint-url", endpoint_url)
    for option in options:
        write(workspace.git, f"remote.{name}.option", option, append=True)
    if not workspace.settings.remotes:
        write(workspace.git, "remote", name)
    _stage(workspace, local=local)
    # The person typed this address here: that is the approval.
    fresh = read_settings(workspace.git, environ=workspace.environ)
    approve(workspace.git, fresh.remotes[name])


def _spelt(workspace: Workspace, url: str) -> str:
    """Returns a plain path as an absolute file URL, anything else as it is."""
    if "://" in url:
        return url
    return "file://" + os.path.abspath(url)


def delete_remote(workspace: Workspace, name: str) -> None:
    """Removes a remote from where it is configured; its bytes stay where they are.

    Raises:
        UsageError: There is no such remote.
    """
    workspace.settings.pick_remote(name)
    remove_remote(workspace.git, name)
    _stage(workspace, local=False)


def set_default(workspace: Workspace, name: str, *, local: bool) -> None:
    """Makes a remote the default one.

    Raises:
        UsageError: There is no such remote.
    """
    workspace.settings.pick_remote(name)
    write = set_for_clone if local else set_committed
    write(workspace.git, "remote", name)
    _stage(workspace, local=local)


def _stage(workspace: Workspace, *, local: bool) -> None:
    """Stages `.dvtool`: colleagues have a remote only when it is committed."""
    if not local:
        stage(workspace.git, [CONFIG_FILE])


def check_remote(workspace: Workspace, name: str | None, *, trust: bool) -> RemoteCheck:
    """Connects to a remote and says what it has; approves its address first when `trust` is set.

    Raises:
        RemoteUntrusted: The address changed and `trust` is not set.
        RemoteFailed: It cannot be reached, or refuses.
    """
    config = workspace.settings.pick_remote(name)
    if trust:
        approve(workspace.git, config)
        workspace = Workspace(workspace.git, workspace.environ, workspace.progress)
    remote = open_remote(workspace, config.name)
    snapshot = remote.snapshot()
    sizes: Mapping[str, int] = snapshot.pack_sizes
    return RemoteCheck(config.name, remote.url, len(sizes), sum(sizes.values()), snapshot.damaged)
