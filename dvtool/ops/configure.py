"""`config`: show what settings hold, all sources together, and change one.

Remotes have verbs of their own (`dvtool.ops.remotes`). Called by the CLI.
"""

from __future__ import annotations

from dvtool.core.config import CONFIG_FILE, NOTHING
from dvtool.errors import UsageError
from dvtool.git.settings import set_committed, set_for_clone, unset_committed, unset_for_clone
from dvtool.git.staging import stage
from dvtool.ops.workspace import Workspace


def settings_shown(workspace: Workspace, key: str | None) -> dict[str, object]:
    """Returns settings by key; all of them, or the one asked for.

    Raises:
        UsageError: There is no such key.
    """
    settings = workspace.settings
    shown: dict[str, object] = {
        "repository": settings.repository or "",
        "remote": settings.remote or "",
        "jobs": settings.jobs or "",
        "lock.timeout": settings.lock_timeout_s,
        "store.path": str(workspace.store.root),
        "store.link": settings.store_link,
        "store.limit": settings.store_limit_bytes or "",
        "fetch.include": list(settings.fetch_include),
        "fetch.exclude": list(settings.fetch_exclude),
        **{gate: sorted(words) or [NOTHING] for gate, words in settings.gates.items()},
        "gate.commit-budget": settings.commit_budget_s,
        "gate.modified": settings.modified,
        "gate.loosened": settings.loosened,
        "gate.large-file": settings.large_file_bytes,
        "checkout.auto": settings.checkout_auto,
    }
    for remote in settings.remotes.values():
        shown[f"remote.{remote.name}.url"] = remote.url
        if remote.endpoint_url is not None:
            shown[f"remote.{remote.name}.endpoint-url"] = remote.endpoint_url
    if key is None:
        return shown
    if key not in shown:
        raise UsageError(f"no setting named {key}", hint="dvtool config shows all of them")
    return {key: shown[key]}


def change_setting(workspace: Workspace, key: str, value: str | None, *, local: bool) -> None:
    """Sets a key, or unsets it for None, in `.dvtool` or in this clone's git configuration.

    Raises:
        UsageError: There is no such key, or it cannot stand there.
        InvalidText: The value may not be committed.
    """
    if value is None:
        (unset_for_clone if local else unset_committed)(workspace.git, key)
    else:
        (set_for_clone if local else set_committed)(workspace.git, key, value)
    if not local:
        stage(workspace.git, [CONFIG_FILE])
