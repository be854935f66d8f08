"""Trust in a remote's address: used freely until a commit changes it, then only after approval.

A commit can redirect a remote, and with it everyone's uploads and credentials; so each clone
remembers a fingerprint of what `.dvtool` said when it first used remotes, and compares. Settings
made on this machine are the user's own and need no approval. Called by `dvtool.ops` before
anything is sent.
"""

from __future__ import annotations

from hashlib import sha256

from dvtool.core.config import RemoteConfig, Settings
from dvtool.errors import RemoteUntrusted
from dvtool.git.plumbing import Git


def fingerprint(remote: RemoteConfig) -> str:
    """Returns 64 hex digits that name what commits say of a remote: URL, endpoint and options.

    The remote's name is left out, so that renaming it asks nobody; empty when commits say nothing.
    """
    if not remote.committed:
        return ""
    # Lengths first: no two different lists of pairs may spell the same bytes.
    spelt = "".join(f"{len(key)}:{key}{len(value)}:{value}" for key, value in remote.committed)
    return sha256(spelt.encode("utf-8", "surrogateescape")).hexdigest()


def is_trusted(settings: Settings, remote: RemoteConfig) -> bool:
    """Tells whether `remote` may be used without asking; no process.

    True for one set up on this machine, one already approved under any name, and any at all as
    long as this clone has approved none.
    """
    found = fingerprint(remote)
    return not found or not settings.trusted or found in settings.trusted.values()


def ensure_trusted(
    git: Git, settings: Settings, remote: RemoteConfig, *, approval: str = ""
) -> None:
    """Lets a remote through, or not; to be called before the first request to it.

    The first use in a clone approves every remote that `.dvtool` then names: one process each.
    Afterwards a remote that is new or changed by a commit needs approval, because a new name for
    another address would be the same attack. No process when nothing changed.

    Args:
        git: The repository.
        settings: From `read_settings`.
        remote: One of its remotes.
        approval: Value of `DVTOOL_TRUST_REMOTE`: the exact URL expected, several separated by
            spaces, or `all`.

    Raises:
        RemoteUntrusted: A commit changed or added it, and nobody here approved.
    """
    if is_trusted(settings, remote):
        if not settings.trusted:
            for each in settings.remotes.values():
                approve(git, each)
        return
    words = approval.split()
    if "all" in words or remote.url in words:
        return
    known = remote.name in settings.trusted
    endpoint = f" at {remote.endpoint_url}" if remote.endpoint_url else ""
    raise RemoteUntrusted(
        f"a commit {'changed' if known else 'added'} remote {remote.name}: {remote.url}{endpoint}; "
        "nobody approved it in this clone, so nothing was sent",
        hint=f"if the address is right: dvtool remote check {remote.name} --trust",
    )


def approve(git: Git, remote: RemoteConfig) -> None:
    """Records that what commits say of `remote` now is right; one process, none if they are silent."""
    if found := fingerprint(remote):
        git.run("config", "--local", f"dvtool.remote.{remote.name}.trusted", found)
