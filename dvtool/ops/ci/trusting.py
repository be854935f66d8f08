"""Whose settings hold: a change cannot choose where its own judge connects to, nor its gate.

Settings come from the commit that the change is relative to. A remote that the change itself moved
is used only when somebody outside of the repository approved the address. Called by `run`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dvtool.core.config import CONFIG_FILE, Settings
from dvtool.core.remoteconfig import RemoteConfig
from dvtool.errors import RemoteUntrusted
from dvtool.git.settings import read_settings
from dvtool.ops.remotes import TRUST_VARIABLE
from dvtool.ops.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Ruled:
    """The settings that hold.

    Attributes:
        settings: Of the base, with the remotes that may be used.
        before: Where the change began.
        proposed: What it would set.
        moved: Remotes that it moves or adds and nobody approved, by name.
    """

    settings: Settings
    before: Settings
    proposed: Settings
    moved: tuple[str, ...]


def ruling_settings(
    workspace: Workspace, *, law: str | None, before: str | None, after: str
) -> Ruled:
    """Returns the settings of the base, and what of the change's may be used.

    Without a base nothing ruled before, and the change's own settings hold.

    Args:
        workspace: Where.
        law: Commit whose settings hold; None for none.
        before: Commit that the change is relative to; None for none.
        after: Commit or tree that is judged.

    Raises:
        InvalidText: `.dvtool` of one of them breaks its format.
    """
    proposed = read_settings(workspace.git, rev=after, environ=workspace.environ)
    if law is None:
        return Ruled(proposed, proposed, proposed, ())
    settings = read_settings(workspace.git, rev=law, environ=workspace.environ)
    earlier = settings
    if before is not None and before != law:
        earlier = read_settings(workspace.git, rev=before, environ=workspace.environ)
    approval = workspace.environ.get(TRUST_VARIABLE, "").split()
    remotes = dict(settings.remotes)
    moved = []
    for name, remote in proposed.remotes.items():
        if any(_is_same(one.remotes.get(name), remote) for one in (settings, earlier)):
            continue
        if remote.trust == "approved" or "all" in approval or remote.url in approval:
            remotes[name] = remote
        else:
            moved.append(name)
    used = replace(
        settings,
        remotes=remotes,
        remote=settings.remote or (proposed.remote if proposed.remote in remotes else None),
        repository=settings.repository or proposed.repository,
    )
    return Ruled(used, earlier, proposed, tuple(moved))


def _is_same(before: RemoteConfig | None, after: RemoteConfig) -> bool:
    return before is not None and before.committed == after.committed


def check_has_remote(ruled: Ruled) -> None:
    """Checks that there is a remote which may be asked.

    Raises:
        RemoteUntrusted: The change itself brings the only one, and nobody approved it.
    """
    if ruled.settings.remotes or not ruled.moved:
        return
    remote = ruled.proposed.remotes[ruled.moved[0]]
    raise RemoteUntrusted(
        f"the change that is judged adds remote {remote.name}: {remote.url}; nothing was sent",
        hint=f"if the address in {CONFIG_FILE} is right: {TRUST_VARIABLE}={remote.url}",
    )
