"""Trust in a remote's address: used freely until a commit changes it, then only after approval.

A commit can redirect a remote, and with it everyone's uploads and credentials; so each clone
remembers a fingerprint of what `.dvtool` said when it first used remotes. Comparing is
`dvtool.core.remoteconfig`; recording is here. Called by `dvtool.ops` before anything is sent.
"""

from __future__ import annotations

from dvtool.core.config import Settings
from dvtool.core.remoteconfig import RemoteConfig
from dvtool.errors import RemoteUntrusted
from dvtool.git.plumbing import Git


def ensure_trusted(
    git: Git, settings: Settings, remote: RemoteConfig, *, approval: str = ""
) -> None:
    """Lets a remote through, or not; to be called before the first request to it.

    The first use in a clone approves every remote that `.dvtool` then names, one process each.
    Afterwards one that a commit changed or added needs approval. No process otherwise.

    Args:
        git: The repository.
        settings: From `read_settings`.
        remote: One of its remotes.
        approval: Value of `DVTOOL_TRUST_REMOTE`, approves for this run: the exact URL expected,
            several separated by spaces, or `all`.

    Raises:
        RemoteUntrusted: A commit changed or added it, and nobody here approved.
    """
    if remote.trust in ("own", "approved"):
        return
    if remote.trust == "first":
        for each in settings.remotes.values():
            approve(git, each)
        return
    words = approval.split()
    if "all" in words or remote.url in words:
        return
    endpoint = f" at {remote.endpoint_url}" if remote.endpoint_url else ""
    raise RemoteUntrusted(
        f"a commit {remote.trust} remote {remote.name}: {remote.url}{endpoint}; "
        "nobody approved that in this clone, so nothing was sent",
        hint=f"if the address is right: dvtool remote check {remote.name} --trust",
    )


def approve(git: Git, remote: RemoteConfig) -> None:
    """Records that what commits say of `remote` now is right; one process, none if they are silent."""
    if found := remote.fingerprint:
        key = f"dvtool.remote.{remote.name}.trusted"
        git.run("config", "--local", "--replace-all", key, found)
